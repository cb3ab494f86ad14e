//! What `perf` reads to give translated code names: lines of address, length and name, appended as code is made.
//!
//! Source: Linux, tools/perf/Documentation/jit-interface.txt.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use exec_jit::{Counts, Region, Watcher};
use image::symbols::Symbols;

/// The file, with whose names it is written.
pub struct PerfMap {
    file: File,
    symbols: Arc<Symbols>,
}

impl PerfMap {
    /// For this process.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn new(symbols: Arc<Symbols>) -> Result<PerfMap> {
        let path = PathBuf::from(format!("/tmp/perf-{}.map", std::process::id()));
        let name = || path.display().to_string();
        // What stands there is of a process that has ended, or a trap: the folder is everybody's.
        fs::remove_file(&path)
            .or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(e) })
            .with_context(name)?;
        let file = OpenOptions::new().append(true).create_new(true).open(&path).with_context(name)?;
        Ok(PerfMap { file, symbols })
    }

    /// A line that cannot be written is a name that `perf` does not show.
    fn line(&mut self, at: u64, len: usize, name: &str) {
        let _ = self.file.write_all(format!("{at:x} {len:x} {name}\n").as_bytes());
    }
}

impl Watcher for PerfMap {
    fn entry(&mut self, code_at: u64, len: usize) {
        self.line(code_at, len, "[entry and calls]");
    }

    fn translated(&mut self, region: &Region<'_>) {
        let ea = region.lines.first().map_or(0, |line| line.ea);
        let name = super::place(&self.symbols, ea, region.problem);
        self.line(region.code_at, region.code.len(), &name);
    }

    fn counted(&mut self, _: &Counts) {}
}
