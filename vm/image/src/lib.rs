//! What a machine is started from: reading and composing images, before any machine exists.
//!
//! `elf` reads kernels, `fdt` reads flattened device trees, `disk` finds partitions, `initramfs` composes root file
//! systems, `debian` obtains a stock kernel through the host's own package client. Contract: bytes in, values out. Nothing here panics on what
//! it reads, allocates more than the input justifies, or knows guest memory, devices or where a machine puts things.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

use std::path::PathBuf;

pub mod debian;
pub mod disk;
pub mod elf;
pub mod fdt;
pub mod initramfs;
pub mod symbols;

/// The user's cache folder: `XDG_CACHE_HOME` if it is absolute, else `.cache` in `HOME` (XDG base directories).
pub fn cache_dir() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))
}
