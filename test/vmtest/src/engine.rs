//! The engines that guests run on.

use anyhow::{Context, Result};
use exec::Engine;
use exec_interp::Interpreter;
use exec_jit::{Policy, Translator};
use ppc_isa::Cpu;

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The reference.
    Interpreter,
    /// The translator.
    Translator,
}

impl Kind {
    /// A new engine of this kind, for a machine with `cpus` vCPUs.
    ///
    /// # Errors
    /// When the host has no memory that can hold code.
    pub fn engine(self, cpu: Cpu, cpus: u32) -> Result<Box<dyn Engine>> {
        let policy = Policy { watched: cpus > 1, ..Policy::default() };
        Ok(match self {
            Kind::Interpreter => Box::new(Interpreter::new(cpu)),
            Kind::Translator => Box::new(Translator::new(cpu, policy).context("no memory for code")?),
        })
    }
}
