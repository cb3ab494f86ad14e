//! Linux on several processors, each a thread of the host: every one comes up, and the guest ends as it is told to. On
//! virtual time runs repeat.
//!
//! `POWERVISOR_BOOTS=50` boots each of the kernels so many times in a row.

use anyhow::{Result, ensure};
use hv_core::Halt;
use image::debian::Release;
use machine::{Kind, Mmu};
use ppc_isa::Cpu;
use vmtest::{EngineKind, Guest, Kernel, Run, Timing, built, debian};

fn boots() -> u32 {
    std::env::var("POWERVISOR_BOOTS").ok().and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// Boots to the prompt of a shell, which says how many processors there are and switches off.
fn boot(guest: &Guest, cpus: u32) -> Result<()> {
    let guest = guest.clone().cpus(cpus).timing(Timing::Host).most(u64::MAX);
    let told = guest.expect("# ", "echo has $(grep -c ^processor /proc/cpuinfo) cpus; poweroff -f\n");
    for number in 1..=boots() {
        let run = told.clone().run()?;
        let good = run.ended(&Halt::PowerOff).and_then(|()| run.shows(&format!("has {cpus} cpus")));
        good.map_err(|error| error.context(format!("boot {number} with {cpus} processors")))?;
    }
    Ok(())
}

fn power9() -> Result<Guest> {
    Ok(Guest::new(debian(Release::Bookworm, None)?))
}

fn big_endian(kernel: Kernel) -> Guest {
    Guest::new(kernel).cpu(Cpu::Power8, Mmu::Hash).append("console=hvc0 panic=-1")
}

fn e500(kernel: Kernel, cpu: Cpu) -> Guest {
    Guest::new(kernel).kind(Kind::E500).cpu(cpu, Mmu::Hash).append("console=ttyS0 panic=-1").memory(256)
}

/// Debian's own hashed table takes other sizes while programs run on all processors and know what comes out.
fn resize(engine: EngineKind) -> Result<()> {
    const COMMAND: &str = "mount -t debugfs none /sys/kernel/debug; order=/sys/kernel/debug/powerpc/hpt_order; \
        for n in 1 2 3; do (for i in $(seq 40); do seq 1 2000 | md5sum; done > /sums$n) & done; \
        for shift in 23 18 21 22 19 23 22; do echo $shift > $order || echo refused $shift; done; wait; \
        cat /sums* | sort | uniq -c; echo shift $(cat $order) of 22; poweroff -f\n";
    let guest = Guest::new(debian(Release::Bookworm, None)?).cpu(Cpu::Power8, Mmu::Hash).cpus(4).engine(engine);
    let run = guest.timing(Timing::Host).most(u64::MAX).expect("# ", COMMAND).run()?;
    run.ended(&Halt::PowerOff)?;
    let same = run.console.lines().any(|line| line.trim().starts_with("120 "));
    ensure!(same && !run.console.contains("refused 2") && !run.console.contains("refused 1"), "{run}");
    run.shows("shift 22 of 22")?;
    let [resized, removed] = ["papr:H_RESIZE_HPT_COMMIT", "papr:H_BLOCK_REMOVE"].map(|name| run.hypercalls(name));
    ensure!(resized == 7 && removed > 1000, "{resized} resized, {removed} blocks removed");
    Ok(())
}

macro_rules! boots {
    ($($engine:ident = $kind:ident;)*) => {$(
        mod $engine {
            use super::*;

            const ENGINE: EngineKind = EngineKind::$kind;

            #[test]
            fn debian_on_2_processors() -> Result<()> {
                boot(&power9()?.engine(ENGINE), 2)
            }

            #[test]
            fn debian_on_8_processors() -> Result<()> {
                boot(&power9()?.engine(ENGINE), 8)
            }

            #[test]
            fn big_endian_on_2_processors() -> Result<()> {
                let Some(kernel) = built("big_endian_on_2_processors", "pseries-be", "vmlinux")? else { return Ok(()) };
                boot(&big_endian(kernel).engine(ENGINE), 2)
            }

            #[test]
            fn big_endian_on_8_processors() -> Result<()> {
                let Some(kernel) = built("big_endian_on_8_processors", "pseries-be", "vmlinux")? else { return Ok(()) };
                boot(&big_endian(kernel).engine(ENGINE), 8)
            }

            #[test]
            fn debian_resizes_its_hashed_table() -> Result<()> {
                resize(ENGINE)
            }

            #[test]
            fn e500_on_2_processors() -> Result<()> {
                for (folder, cpu) in [("e500v2", Cpu::E500v2), ("e5500", Cpu::E5500)] {
                    let Some(kernel) = built("e500_on_2_processors", folder, "vmlinux")? else { continue };
                    boot(&e500(kernel, cpu).engine(ENGINE), 2)?;
                }
                Ok(())
            }
        }
    )*};
}

boots! {
    interpreter = Interpreter;
    translator = Translator;
}

/// On either engine, but for how often it returned to the run loop.
#[test]
fn runs_on_virtual_time_repeat() -> Result<()> {
    let told = Guest::new(debian(Release::Bookworm, Some("grep -c ^processor /proc/cpuinfo"))?).cpus(3).keep();
    let first = told.clone().run()?;
    first.ended(&Halt::PowerOff)?;
    for engine in [EngineKind::Interpreter, EngineKind::Translator] {
        let again = told.clone().engine(engine).run()?;
        let seen = |run: &Run| (run.instructions, run.console.clone(), run.left.clone());
        ensure!(seen(&first) == seen(&again), "{first} and {again} by the {engine:?}");
    }
    Ok(())
}
