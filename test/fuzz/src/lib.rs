//! Fuzz targets as plain functions of bytes, and a driver for the stable compiler.
//!
//! A [`Target`] must return for every input, without a panic and within moments. The driver makes inputs from a seed:
//! random bytes, and damaged copies of the target's good examples; case N of a seed is always the same. What an input
//! means is the target's matter, see [`input::Input`].
#![forbid(unsafe_code)]

pub mod corpus;
pub mod driver;
pub mod input;
pub mod random;
pub mod targets;

/// One target.
pub struct Target {
    /// Name on the command line.
    pub name: &'static str,
    /// Takes one input.
    pub run: fn(&[u8]),
    /// Good examples, to be damaged.
    pub examples: fn() -> Vec<Vec<u8>>,
    /// Longest random input in bytes.
    pub longest: usize,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "client", run: targets::client::run, examples: Vec::new, longest: 4096 },
    Target { name: "decoder", run: targets::decoder::run, examples: Vec::new, longest: 64 },
    Target { name: "disk", run: targets::disk::run, examples: targets::disk::examples, longest: 2048 },
    Target { name: "elf", run: targets::elf::run, examples: targets::elf::examples, longest: 256 },
    Target { name: "engines", run: targets::hostile::engines::run, examples: Vec::new, longest: 4096 },
    Target { name: "fdt", run: targets::fdt::run, examples: targets::fdt::examples, longest: 512 },
    Target { name: "hash", run: targets::hash::run, examples: targets::hash::examples, longest: 4096 },
    Target { name: "hostile", run: targets::hostile::run, examples: Vec::new, longest: 4096 },
    Target {
        name: "hypercalls",
        run: targets::hypercalls::run,
        examples: targets::hypercalls::examples,
        longest: 2048,
    },
    Target { name: "instructions", run: targets::instructions::run, examples: Vec::new, longest: 4096 },
    Target { name: "patcher", run: targets::patcher::run, examples: Vec::new, longest: 2048 },
    Target { name: "pci", run: targets::pci::run, examples: Vec::new, longest: 2048 },
    Target { name: "rewriting", run: targets::rewriting::run, examples: Vec::new, longest: 512 },
    Target { name: "rtas", run: targets::rtas::run, examples: targets::rtas::examples, longest: 2048 },
    Target { name: "scm", run: targets::scm::run, examples: targets::scm::examples, longest: 4096 },
];
