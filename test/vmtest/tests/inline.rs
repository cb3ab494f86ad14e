//! Privileged instructions carried out inline cannot be told from trapped ones: whole boots on virtual time leave the
//! same memory, the same registers, the same words on the console, after the same number of instructions.

use anyhow::{Context, Result, ensure};
use exec::Privileged;
use hv_core::Halt;
use image::debian::Release;
use machine::Mmu;
use ppc_isa::Cpu;
use vmtest::{Guest, built, debian};

fn the_same(guest: &Guest) -> Result<()> {
    let run = |privileged| guest.clone().privileged(privileged).keep().run();
    let (trap, inline) = (run(Privileged::Trap)?, run(Privileged::Inline)?);
    trap.ended(&Halt::PowerOff)?;
    ensure!(trap.counts.count("emulated_inst_exits") > 10_000, "nothing was trapped: {trap}");
    ensure!(inline.counts.count("emulated_inst_exits") == 0, "something was trapped: {inline}");
    let differs = trap.console.lines().zip(inline.console.lines()).find(|(a, b)| a != b);
    ensure!(differs.is_none(), "the consoles differ: {differs:?}");
    ensure!(trap.outcome == inline.outcome, "{:?} and {:?}", trap.outcome, inline.outcome);
    ensure!(trap.instructions == inline.instructions, "{} and {} instructions", trap.instructions, inline.instructions);
    let (trap, inline) = (trap.left.context("not kept")?, inline.left.context("not kept")?);
    ensure!(trap.memory == inline.memory, "memory differs");
    for (a, b) in trap.vcpus.iter().zip(&inline.vcpus) {
        ensure!(a.shared == b.shared, "the shared pages differ");
        ensure!(a.state == b.state, "registers differ: {:x?} and {:x?}", a.state, b.state);
    }
    Ok(())
}

#[test]
fn debian_power9_radix() -> Result<()> {
    the_same(&Guest::new(debian(Release::Bookworm, Some("true"))?).cpu(Cpu::Power9, Mmu::Radix))
}

#[test]
fn debian_power8_hash_without_pv() -> Result<()> {
    the_same(&Guest::new(debian(Release::Bookworm, Some("true"))?).cpu(Cpu::Power8, Mmu::Hash).pv(false))
}

#[test]
fn pseries_be_that_patches_itself() -> Result<()> {
    let Some(kernel) = built("pseries_be_that_patches_itself", "pseries-be", "vmlinux-pv")? else { return Ok(()) };
    let guest = Guest::new(kernel).cpu(Cpu::Power8, Mmu::Hash).append("console=hvc0 panic=-1 autotest");
    the_same(&guest)
}
