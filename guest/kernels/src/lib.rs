//! What the test kernels share: the report, the memory they may use, and how to reach translation and devices.
//!
//! Contract: every check prints one line, `ok N name`, `FAIL N name: got .. want ..` or `skip N name: reason`; the last
//! line of a run is `PASS` or `FAIL: reason`, then the machine powers off. Not its job: deciding what is right.
#![no_std]
#![feature(asm_experimental_arch)]

pub mod connector;
pub mod hash;
pub mod memory;
pub mod pci;
pub mod probe;
pub mod radix;
pub mod translation;
pub mod virtio;

use core::fmt::Debug;

use guest_rt::{exception::Frame, fdt::Fdt, println, spr::timebase};

/// Ticks within which what was asked for has happened, on an emulator that runs processors in turn too.
const PATIENCE: u64 = 400_000_000;

/// Waits until it is so; `false` when that takes too long.
pub fn wait(done: impl FnMut() -> bool) -> bool {
    wait_for(PATIENCE, done)
}

/// The same for so many ticks.
pub fn wait_for(ticks: u64, mut done: impl FnMut() -> bool) -> bool {
    let start = timebase();
    while !done() {
        if timebase() - start > ticks {
            return false;
        }
    }
    true
}

/// Counts and prints.
#[derive(Default)]
pub struct Report {
    checks: u32,
    failed: u32,
    skipped: u32,
}

/// Which translation the partition is to use, by the device tree (`ibm,architecture-vec-5`, byte 24 of the property).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mmu {
    /// Hashed page table behind H_ENTER.
    Hash,
    /// The guest's own radix trees.
    Radix,
}

impl Mmu {
    /// The word `radix` on the command line, else the tree's choice, else hash (as Linux decides).
    pub fn of(tree: Fdt<'_>) -> Self {
        let chosen = tree.node("/chosen");
        if chosen.and_then(|node| node.prop("bootargs")).is_some_and(|line| line.strip_suffix(b"\0") == Some(b"radix"))
        {
            return Self::Radix;
        }
        let vector = chosen.and_then(|node| node.prop("ibm,architecture-vec-5"));
        match vector.and_then(|bytes| bytes.get(24)) {
            Some(byte) if byte & 0xc0 == 0x40 => Self::Radix,
            _ => Self::Hash,
        }
    }
}

/// Whether the tree lists this group of hypercalls.
pub fn offers(tree: Option<Fdt<'_>>, group: &str) -> bool {
    let groups = tree.and_then(|tree| tree.node("/rtas")).and_then(|node| node.prop("ibm,hypertas-functions"));
    groups.is_some_and(|groups| guest_rt::fdt::lists(groups, group.as_bytes()))
}

/// The words of the command line.
fn words(tree: Option<Fdt<'_>>) -> impl Iterator<Item = &[u8]> {
    let line = tree.and_then(|tree| tree.node("/chosen")).and_then(|node| node.prop("bootargs")).unwrap_or_default();
    line.strip_suffix(b"\0").unwrap_or(line).split(|byte| *byte == b' ')
}

/// Whether the command line has this word.
pub fn says(tree: Option<Fdt<'_>>, word: &[u8]) -> bool {
    words(tree).any(|own| own == word)
}

/// Whether the command line has the word `skip=NAME`: what the hypervisor at hand cannot survive is left out by it.
pub fn skips(tree: Option<Fdt<'_>>, name: &str) -> bool {
    words(tree).any(|word| word.strip_prefix(b"skip=") == Some(name.as_bytes()))
}

impl Report {
    fn line(&mut self, verdict: &str, name: &str) {
        self.checks += 1;
        guest_rt::print!("{verdict} {} {name}", self.checks);
    }

    /// One comparison.
    pub fn check<T: PartialEq + Debug>(&mut self, name: &str, got: T, want: T) {
        if got == want {
            self.line("ok", name);
            println!();
        } else {
            self.failed += 1;
            self.line("FAIL", name);
            println!(": got {got:x?} want {want:x?}");
        }
    }

    /// Something that must hold; `got` is shown when it does not.
    pub fn holds(&mut self, name: &str, condition: bool, got: impl Debug) {
        if condition {
            self.line("ok", name);
            println!();
        } else {
            self.failed += 1;
            self.line("FAIL", name);
            println!(": got {got:x?}");
        }
    }

    /// All GPRs; the first that differs is shown as (number, got, want).
    pub fn gprs(&mut self, name: &str, got: &Frame, want: &Frame) {
        let differs = (0..32).find(|&n| got.gpr[n] != want.gpr[n]);
        let shown = differs.map(|n| (n, got.gpr[n], want.gpr[n]));
        self.holds(name, shown.is_none(), shown);
    }

    /// The interrupt that ended a probe: vector, reason bits, and the distance of SRR0 from the probe's start.
    pub fn interrupt(&mut self, name: &str, before: &Frame, after: &Frame, vector: u64, reason: u64, distance: u64) {
        let got = [after.vector, after.reason(), after.srr0.wrapping_sub(before.srr0)];
        self.check(name, got, [vector, reason, distance]);
    }

    /// A check that this machine can not make.
    pub fn skip(&mut self, name: &str, reason: &str) {
        self.skipped += 1;
        self.line("skip", name);
        println!(": {reason}");
    }

    /// The last line.
    pub fn finish(self) {
        println!("{} checks, {} failed, {} skipped", self.checks, self.failed, self.skipped);
        match self.failed {
            0 => println!("PASS"),
            n => println!("FAIL: {n} of {} checks", self.checks),
        }
    }
}
