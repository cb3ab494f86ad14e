//! Debian's kernels on a pseries with a XIVE: they find it, use it for interrupts between processors and for typed input,
//! and make none of the calls that a XICS has.

use anyhow::{Result, ensure};
use hv_core::Halt;
use image::debian::Release;
use machine::{Interrupts, Mmu};
use ppc_isa::Cpu;
use vmtest::{EngineKind, Guest, Timing, debian};

/// Prints how many interrupts of these kinds there were, all processors together.
const COUNTS: &str = "awk '/XIVE-IPI/ { k = \"ipi\" } /hvc_console/ { k = \"input\" } \
     k { for (i = 2; $i + 0 == $i; i++) n[k] += $i; k = \"\" } \
     END { print \"some\", (n[\"ipi\"] > 0) (n[\"input\"] > 0) }' /proc/interrupts";

/// The calls of the other controller.
const XICS: [&str; 6] = ["papr:H_EOI", "papr:H_CPPR", "papr:H_IPI", "papr:H_IPOLL", "papr:H_XIRR", "rtas:ibm,set-xive"];

fn boot(release: Release, cpu: Cpu, mmu: Mmu, cpus: u32, engine: EngineKind, timing: Timing) -> Result<()> {
    let guest = Guest::new(debian(release, None)?).cpu(cpu, mmu).interrupts(Interrupts::Xive).cpus(cpus);
    let guest = guest.engine(engine).timing(timing).most(u64::MAX);
    let guest = guest.expect("# ", "echo has $(grep -c ^processor /proc/cpuinfo) cpus\n").expect(" cpus\r", "");
    let run = guest.expect("# ", &format!("{COUNTS}; poweroff -f\n")).run()?;
    run.ended(&Halt::PowerOff)?;
    run.shows(&format!("has {cpus} cpus"))?;
    run.shows(if cpus > 1 { "some 11" } else { "some 01" })?;
    let made: Vec<_> = XICS.into_iter().filter(|name| run.hypercalls(name) != 0).collect();
    ensure!(made.is_empty(), "{made:?} on a machine without a XICS");
    let queues = run.hypercalls("papr:H_INT_SET_QUEUE_CONFIG");
    ensure!(queues >= u64::from(cpus), "{queues} queues for {cpus} processors");
    Ok(())
}

macro_rules! boots {
    ($($(#[$attribute:meta])* $name:ident = $release:ident, $cpu:ident, $mmu:ident, $cpus:literal, $engine:ident, $timing:ident;)*) => {$(
        #[test]
        $(#[$attribute])*
        fn $name() -> Result<()> {
            boot(Release::$release, Cpu::$cpu, Mmu::$mmu, $cpus, EngineKind::$engine, Timing::$timing)
        }
    )*};
}

boots! {
    debian_6_1_on_power9 = Bookworm, Power9, Radix, 1, Translator, Virtual;
    debian_6_1_on_2_power9 = Bookworm, Power9, Radix, 2, Interpreter, Virtual;
    debian_6_1_on_8_power10 = Bookworm, Power10, Radix, 8, Translator, Host;
    debian_6_1_on_2_power9_with_hash = Bookworm, Power9, Hash, 2, Interpreter, Virtual;
    debian_6_1_on_8_power9_with_hash = Bookworm, Power9, Hash, 8, Translator, Host;
    debian_6_12_on_2_power10 = Trixie, Power10, Radix, 2, Translator, Host;
}

/// On either engine, but for how often it returned to the run loop.
#[test]
fn runs_on_virtual_time_repeat() -> Result<()> {
    let told = Guest::new(debian(Release::Bookworm, Some("grep XIVE /proc/interrupts"))?).cpus(3).keep();
    let told = told.interrupts(Interrupts::Xive);
    let seen = |engine| -> Result<_> {
        let run = told.clone().engine(engine).run()?;
        run.ended(&Halt::PowerOff)?;
        run.shows("XIVE-IPI")?;
        Ok((run.instructions, run.console, run.left))
    };
    let [first, again] = [seen(EngineKind::Interpreter)?, seen(EngineKind::Translator)?];
    ensure!(first == again, "{} and {} instructions", first.0, again.0);
    Ok(())
}

/// Both kernels on every processor that has one, with either translation and 1, 2 and 8 of it.
#[test]
#[ignore = "long"]
fn all_of_them() -> Result<()> {
    let machines = [(Cpu::Power9, Mmu::Hash), (Cpu::Power9, Mmu::Radix), (Cpu::Power10, Mmu::Radix)];
    for release in [Release::Bookworm, Release::Trixie] {
        for (cpu, mmu) in machines {
            for cpus in [1, 2, 8] {
                for engine in [EngineKind::Interpreter, EngineKind::Translator] {
                    let good = boot(release, cpu, mmu, cpus, engine, Timing::Host);
                    good.map_err(|error| {
                        error.context(format!("{release:?} on {cpus} {}, {mmu:?}, {engine:?}", cpu.name()))
                    })?;
                }
            }
        }
    }
    Ok(())
}
