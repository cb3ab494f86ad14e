//! The translator is never different from the interpreter: whole boots, compared as they go.

use anyhow::Result;
use image::debian::Release;
use machine::Mmu;
use ppc_isa::Cpu;
use vmtest::{Guest, debian, the_same};

#[test]
fn debian_power9_radix() -> Result<()> {
    the_same(&Guest::new(debian(Release::Bookworm, Some("true"))?).cpu(Cpu::Power9, Mmu::Radix), 1000)
}
