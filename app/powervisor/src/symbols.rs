//! Finds the names of a guest kernel's addresses.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image::elf::{self, Kernel};
use image::symbols::Symbols;

use crate::cli::RunFlags;
use crate::guests;

/// The symbols in `map`, else the kernel's own, else those of the `System.map` beside the kernel (for `vmlinux-x`,
/// `System.map-x`). Without any of them nothing has a name.
///
/// # Errors
/// Files that cannot be read.
pub fn of(flags: &RunFlags, map: Option<&Path>) -> Result<Symbols> {
    let files = guests::files(flags)?;
    let kernel = elf::read(&files.kernel).with_context(|| format!("--kernel {}", files.kernel_name))?;
    of_file(&kernel, &files.kernel, flags.kernel.as_deref(), map)
}

/// The same for `kernel`, read from `data`, the file at `path`.
///
/// # Errors
/// When `map` cannot be read.
pub fn of_file(kernel: &Kernel, data: &[u8], path: Option<&Path>, map: Option<&Path>) -> Result<Symbols> {
    if let Some(path) = map {
        let text = fs::read_to_string(path).with_context(|| format!("--symbols {}", path.display()))?;
        return Ok(Symbols::of_map(kernel, &text));
    }
    let own = Symbols::of_kernel(kernel, data);
    if !own.is_empty() {
        return Ok(own);
    }
    let beside = path.and_then(beside).and_then(|path| fs::read_to_string(path).ok());
    Ok(beside.map_or(own, |text| Symbols::of_map(kernel, &text)))
}

fn beside(kernel: &Path) -> Option<PathBuf> {
    let suffix = kernel.file_name()?.to_str()?.strip_prefix("vmlinux")?;
    Some(kernel.with_file_name(format!("System.map{suffix}")))
}
