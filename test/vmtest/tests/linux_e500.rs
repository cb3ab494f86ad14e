//! Linux for e500v2 and e5500 on the e500 board: boots to a shell, passes its self-test, patches itself where it is
//! made to, and ends as it is told to.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use exec::Privileged;
use hv_core::Halt;
use image::initramfs::{Device, Initramfs};
use machine::{Kind, Mmu};
use ppc_isa::Cpu;
use vmtest::{Guest, Kernel, Run, Timing, built, skip};

const PATCHED: &str = "KVM: Live patching for a fast VM worked";
const PROMPT: &str = "guest# ";

fn guest(test: &str, cpu: Cpu, vmlinux: &str, pv: bool) -> Result<Option<Guest>> {
    Ok(built(test, cpu.name(), vmlinux)?.map(|kernel| board(kernel, cpu, pv)))
}

fn board(kernel: Kernel, cpu: Cpu, pv: bool) -> Guest {
    let guest = Guest::new(kernel).kind(Kind::E500).cpu(cpu, Mmu::Hash).memory(256).pv(pv).most(2_000_000_000);
    guest.append("console=ttyS0 panic=-1")
}

/// The guest finds the interface when it is offered, and only then.
fn paravirtual(run: &Run, vmlinux: &str, pv: bool) -> Result<()> {
    for name in ["kvm:FEATURES", "kvm:MAP_MAGIC_PAGE"] {
        ensure!(run.hypercalls(name) == u64::from(pv), "{name}: {} calls, pv {pv}", run.hypercalls(name));
    }
    let idle = run.hypercalls("kvm:EV_IDLE");
    ensure!((idle > 0) == pv, "EV_IDLE: {idle} calls, pv {pv}");
    let patches = pv && vmlinux == "vmlinux-pv";
    ensure!(run.console.contains(PATCHED) == patches, "patched {}, wanted {patches}; {run}", !patches);
    Ok(())
}

fn self_test(test: &str, cpu: Cpu, vmlinux: &str, pv: bool, privileged: Privileged) -> Result<()> {
    let Some(guest) = guest(test, cpu, vmlinux, pv)? else { return Ok(()) };
    let run = guest.append("console=ttyS0 panic=-1 autotest").privileged(privileged).run()?;
    run.ended(&Halt::PowerOff)?;
    run.shows("SELFTEST-OK")?;
    // An e500v2 kernel emulates floating point; an e5500 has no fsqrt, which the guest's C library executes.
    run.shows(if cpu == Cpu::E500v2 { "SELFTEST-LIBM ok" } else { "<fc20082c>" })?;
    ensure!((run.counts.count("emulated_inst_exits") > 10_000) == (privileged == Privileged::Trap), "{:?}", run.counts);
    paravirtual(&run, vmlinux, pv)
}

macro_rules! self_tests {
    ($($name:ident = $cpu:ident, $vmlinux:literal, $pv:literal, $privileged:ident;)*) => {$(
        #[test]
        fn $name() -> Result<()> {
            self_test(stringify!($name), Cpu::$cpu, $vmlinux, $pv, Privileged::$privileged)
        }
    )*};
}

self_tests! {
    e500v2_inline = E500v2, "vmlinux", false, Inline;
    e500v2_pv_trap = E500v2, "vmlinux", true, Trap;
    e500v2_patched_inline = E500v2, "vmlinux-pv", true, Inline;
    e500v2_patched_trap = E500v2, "vmlinux-pv", true, Trap;
    e5500_trap = E5500, "vmlinux", false, Trap;
    e5500_pv_inline = E5500, "vmlinux", true, Inline;
    e5500_patched_inline = E5500, "vmlinux-pv", true, Inline;
    e5500_patched_trap = E5500, "vmlinux-pv", true, Trap;
}

/// Commands, and what must be printed before the next prompt. The answers cannot be found in the commands' echo.
const COMMANDS: &[(&str, &str)] = &[
    ("uname -s -n", "Linux (none)"),
    ("echo $((1234567 * 7654321))", "9449772114007"),
    ("printf abc | md5sum", "900150983cd24fb0d6963f7d28e17f72"),
    ("cat /proc/device-tree/model; echo", "PowerVisor e500"),
    ("grep ttyS0 /proc/interrupts", "OpenPIC    42 Level"),
    ("sleep 1; echo slept $?", "slept 0"),
];

fn shell(guest: Guest, last: &str) -> Guest {
    let asked = |guest: Guest, (command, answer): &(&str, &str)| {
        guest.expect(PROMPT, &format!("{command}\n")).expect(answer, "")
    };
    COMMANDS.iter().fold(guest, asked).expect(PROMPT, last)
}

#[test]
fn shells_and_their_ends() -> Result<()> {
    for cpu in [Cpu::E500v2, Cpu::E5500] {
        for (pv, last, end) in [(false, "poweroff -f\n", Halt::PowerOff), (true, "reboot -f\n", Halt::Reset)] {
            let Some(guest) = guest("shells_and_their_ends", cpu, "vmlinux", pv)? else { return Ok(()) };
            let run = shell(guest, last).run()?;
            run.ended(&end)?;
            paravirtual(&run, "vmlinux", pv)?;
        }
    }
    Ok(())
}

/// An idle guest sleeps on the host's clock, by whatever way its processor idles, and wakes up for what is typed.
#[test]
fn host_time() -> Result<()> {
    for (cpu, pv) in [(Cpu::E500v2, false), (Cpu::E5500, false), (Cpu::E500v2, true)] {
        let Some(guest) = guest("host_time", cpu, "vmlinux", pv)? else { return Ok(()) };
        let guest = guest.expect(PROMPT, "sleep 2; echo awake $((6 * 7))\n").expect("awake 42", "poweroff -f\n");
        let run = guest.timing(Timing::Host).run()?;
        run.ended(&Halt::PowerOff)?;
        // Two seconds awake would be a hundred million instructions at least, more than the boot.
        ensure!(run.instructions < 200_000_000, "{} does not sleep: {run}", cpu.name());
    }
    Ok(())
}

/// What is typed before the guest has opened its serial port is not lost.
#[test]
fn early_input() -> Result<()> {
    let Some(guest) = guest("early_input", Cpu::E500v2, "vmlinux", false)? else { return Ok(()) };
    let run = guest.expect("Linux version", "echo early $((6 * 7)); poweroff -f\n").run()?;
    run.ended(&Halt::PowerOff)?;
    run.shows("early 42")
}

/// Privileged instructions carried out inline leave the same memory and registers as trapped ones.
#[test]
fn inline_is_not_seen() -> Result<()> {
    for cpu in [Cpu::E500v2, Cpu::E5500] {
        let Some(guest) = guest("inline_is_not_seen", cpu, "vmlinux-pv", true)? else { return Ok(()) };
        let guest = guest.expect(PROMPT, "poweroff -f\n").keep();
        let run = |privileged| guest.clone().privileged(privileged).run();
        let (trap, inline) = (run(Privileged::Trap)?, run(Privileged::Inline)?);
        trap.ended(&Halt::PowerOff)?;
        ensure!(trap.console == inline.console, "the consoles differ: {trap} and {inline}");
        ensure!(trap.instructions == inline.instructions, "{} and {}", trap.instructions, inline.instructions);
        let (trap, inline) = (trap.left.context("not kept")?, inline.left.context("not kept")?);
        ensure!(trap == inline, "memory or registers differ on {}", cpu.name());
    }
    Ok(())
}

/// An initial file system of one program, assembled from `spe/init.s`; `None` where there is no assembler.
fn spe_program() -> Result<Option<Vec<u8>>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spe/init.s");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (object, program) = (folder.join("spe.o"), folder.join("spe"));
    let mut assembler = Command::new("powerpc-linux-gnu-as");
    assembler.args(["-me500", "-mregnames", "-o"]).args([&object, &source]);
    let mut linker = Command::new("powerpc-linux-gnu-ld");
    linker.args(["-z", "noexecstack", "-o"]).args([&program, &object]);
    for command in [&mut assembler, &mut linker] {
        match command.status() {
            Ok(status) => ensure!(status.success(), "{command:?}: {status}"),
            Err(_) => return Ok(None),
        }
    }
    let archive = Initramfs::new().device("/dev/console", Device::Char, 5, 1, 0o600);
    Ok(Some(archive.file("/init", 0o755, &std::fs::read(program)?).finish()?))
}

/// Upper halves of registers, accumulator and SPEFSCR belong to a process: Linux saves and restores them by the same
/// instructions that programs use, when an SPE-unavailable interrupt tells it to.
#[test]
fn spe_state_survives_switches() -> Result<()> {
    const TEST: &str = "spe_state_survives_switches";
    let Some(initrd) = spe_program()? else {
        skip(TEST, "no powerpc-linux-gnu-as (Debian: binutils-powerpc-linux-gnu)");
        return Ok(());
    };
    for (vmlinux, pv, privileged) in [("vmlinux", false, Privileged::Inline), ("vmlinux-pv", true, Privileged::Trap)] {
        let Some(kernel) = built(TEST, "e500v2", vmlinux)? else { return Ok(()) };
        let kernel = Kernel { initrd: Some(initrd.clone()), ..kernel };
        let run = board(kernel, Cpu::E500v2, pv).privileged(privileged).run()?;
        run.ended(&Halt::PowerOff)?;
        run.shows("SPE-OK")?;
    }
    Ok(())
}
