//! Linux on the Power Macintosh: the self-test of its root file system passes on every model, patched and not, however
//! privileged instructions are carried out; the shell answers; the machine switches off and restarts.

use anyhow::{Result, ensure};
use exec::Privileged;
use hv_core::Halt;
use machine::{Kind, Mmu};
use ppc_isa::Cpu;
use vmtest::{Guest, Run, built};

const PATCHED: &str = "KVM: Live patching for a fast VM worked";

/// The guest `vmlinux` with `words` on its command line, or `None` when it is not there.
fn guest(test: &str, vmlinux: &str, cpu: Cpu, words: &str) -> Result<Option<Guest>> {
    let Some(kernel) = built(test, "mac32", vmlinux)? else { return Ok(None) };
    let append = format!("console=ttyPZ0 panic=-1 {words}");
    Ok(Some(Guest::new(kernel).kind(Kind::Mac).cpu(cpu, Mmu::Hash).memory(256).append(&append)))
}

/// Whether the self-test passed, and whether the kernel patched itself as it should.
fn passed(run: &Run, patches: bool) -> Result<()> {
    run.ended(&Halt::PowerOff)?;
    run.shows("SELFTEST-OK")?;
    ensure!(!run.console.contains("bad:"), "a part of the self-test failed; {run}");
    ensure!(run.console.contains(PATCHED) == patches, "patched {}, wanted {patches}; {run}", !patches);
    Ok(())
}

macro_rules! self_tests {
    ($($name:ident = $vmlinux:literal, $cpu:ident, $pv:literal, $privileged:ident;)*) => {$(
        #[test]
        fn $name() -> Result<()> {
            let Some(guest) = guest(stringify!($name), $vmlinux, Cpu::$cpu, "autotest")? else { return Ok(()) };
            let run = guest.pv($pv).privileged(Privileged::$privileged).run()?;
            passed(&run, $pv && $vmlinux == "vmlinux-pv")
        }
    )*};
}

self_tests! {
    g3_trap = "vmlinux", Ppc750, false, Trap;
    g3_pv = "vmlinux", Ppc750, true, Inline;
    g3_patched_pv_trap = "vmlinux-pv", Ppc750, true, Trap;
    g4 = "vmlinux", Ppc7400, false, Inline;
    g4_pv_trap = "vmlinux", Ppc7400, true, Trap;
    g4_patched_pv = "vmlinux-pv", Ppc7400, true, Inline;
    g4_patched = "vmlinux-pv", Ppc7400, false, Inline;
    late_g4_trap = "vmlinux", Ppc7450, false, Trap;
    late_g4_patched_pv = "vmlinux-pv", Ppc7450, true, Inline;
    late_g4_patched_pv_trap = "vmlinux-pv", Ppc7450, true, Trap;
}

#[test]
fn the_shell_knows_the_machine_and_restarts_it() -> Result<()> {
    let Some(guest) = guest("the_shell_knows_the_machine_and_restarts_it", "vmlinux", Cpu::Ppc7400, "")? else {
        return Ok(());
    };
    let run = guest
        .expect("guest# ", "grep -e detected -e timebase /proc/cpuinfo; date +%F; grep PZ0 /proc/interrupts\n")
        .expect("guest# ", "head -c 10 /dev/nvram | tail -c 6; echo; reboot -f\n")
        .run()?;
    run.ended(&Halt::Reset)?;
    for text in ["PowerMac G4 AGP Graphics", ": 512000000", "2030-01-01", "MPIC 1", "common"] {
        run.shows(text)?;
    }
    Ok(())
}
