//! The translator as the flags and the developer's switches make it, and whom it tells of its code.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use exec_jit::{Counts, Policy, Region, Translator, Watcher};
use image::symbols::Symbols;
use ppc_isa::Cpu;

use crate::cli::RunFlags;
use crate::symbols;
use dump::Dump;
use perf_map::PerfMap;
use switches::Switches;

mod dump;
mod perf_map;
pub mod switches;

/// Somebody to whom the translators of all vCPUs tell what they do.
pub type Shared = Arc<Mutex<dyn Watcher>>;

/// What the translators of a run have in common.
pub struct Translators {
    cpu: Cpu,
    policy: Policy,
    watchers: Vec<Shared>,
    counting: bool,
}

impl Translators {
    /// For vCPUs of `cpu`, by the flags and the environment; `counter` is told how often what was executed.
    ///
    /// # Errors
    /// Switches that say nothing, files that cannot be written.
    pub fn new(flags: &RunFlags, cpu: Cpu, counter: Option<Shared>) -> Result<Translators> {
        let Switches { avx512, cold, untranslated, dump, dump_only, perf_map } = Switches::of(std::env::vars_os())?;
        let policy = Policy {
            code_cache: usize::try_from(flags.code_cache).context("--code-cache is too large")?,
            watched: flags.cpus.max(flags.max_cpus.unwrap_or(0)) > 1,
            avx512: avx512.unwrap_or(true),
            cold: cold.unwrap_or(Policy::default().cold),
            untranslated,
        };
        let counting = counter.is_some();
        let mut watchers: Vec<Shared> = counter.into_iter().collect();
        if dump.is_some() || perf_map {
            let symbols = Arc::new(symbols::of(flags, None)?);
            if let Some(path) = dump {
                watchers.push(Arc::new(Mutex::new(Dump::new(&path, dump_only, cpu, Arc::clone(&symbols))?)));
            }
            if perf_map {
                watchers.push(Arc::new(Mutex::new(PerfMap::new(symbols)?)));
            }
        }
        Ok(Translators { cpu, policy, watchers, counting })
    }

    /// The translator of one vCPU.
    ///
    /// # Errors
    /// When the host is not made for it, or has no memory that can hold code.
    pub fn engine(&self) -> Result<Translator> {
        let translator = Translator::new(self.cpu, self.policy.clone());
        let mut translator = translator.context("--engine jit is not possible here; --engine interp is, anywhere")?;
        if !self.watchers.is_empty() {
            translator.watch(Box::new(All(self.watchers.clone())), self.counting);
        }
        Ok(translator)
    }
}

/// Where `ea` is in the guest, as people find it.
pub fn place(symbols: &Symbols, ea: u64, problem: bool) -> String {
    match symbols.find(ea).filter(|_| !problem) {
        Some((name, offset)) => format!("{name}+{offset:#x}"),
        None => format!("{} {ea:#x}", if problem { "user" } else { "kernel" }),
    }
}

/// Passes on what one translator tells.
struct All(Vec<Shared>);

impl All {
    fn each(&self, mut tell: impl FnMut(&mut dyn Watcher)) {
        for watcher in &self.0 {
            tell(&mut *watcher.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Watcher for All {
    fn entry(&mut self, code_at: u64, len: usize) {
        self.each(|watcher| watcher.entry(code_at, len));
    }

    fn translated(&mut self, region: &Region<'_>) {
        self.each(|watcher| watcher.translated(region));
    }

    fn counted(&mut self, counts: &Counts) {
        self.each(|watcher| watcher.counted(counts));
    }
}
