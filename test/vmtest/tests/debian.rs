//! Stock Debian kernels boot to a shell, answer commands, and end as they are told to.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use hv_core::Halt;
use image::debian::Release;
use image::fdt::Fdt;
use machine::{Machine, Mmu};
use ppc_isa::Cpu;
use vmm::Outcome;
use vmtest::{Guest, Kernel, Run, Timing, debian};

const PROMPT: &str = " # ";

/// Commands, and what must be printed before the next prompt. The answers cannot be found in the commands' echo.
const COMMANDS: &[(&str, &str)] = &[
    ("dmesg -n 1; uname -m", "ppc64le"),
    ("uname -s -n", "Linux powervisor"),
    ("echo $((1234567 * 7654321))", "9449772114007"),
    ("echo $((-7 / 2)):$((-7 % 2))", "-3:-1"),
    ("awk 'BEGIN { x = 1; for (i = 0; i < 9; i++) x = (x + 2 / x) / 2; printf \"%.12f\\n\", x }'", "1.414213562373"),
    ("awk 'BEGIN { s = t = 1; for (i = 1; i < 20; i++) s += t /= i; printf \"%.9e\\n\", s }'", "2.718281828e+00"),
    ("awk 'BEGIN { printf \"%.15g %d\\n\", -3 / 7, 1e9 / 7 }'", "-0.428571428571429 142857142"),
    ("printf abc | md5sum", "900150983cd24fb0d6963f7d28e17f72"),
    ("printf abc | sha1sum", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("printf abc | sha256sum", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("seq 1 20000 | sha256sum", "f6351f5ead9a700e34275480b3856ea738122a7c57bdeb744a631251c069587a"),
    ("seq 1 20000 | gzip | gunzip | md5sum", "e071f707df7bbeee2a6a1eb48011ddd0"),
    ("ls /bin | head -n 4 | tr '\n' ' '", "[ [[ arch arp"),
    ("ps | grep '[k]threadd'", "[kthreadd]"),
    ("cat /proc/device-tree/model; echo", "PowerVisor pseries"),
    ("sleep 1; echo slept $?", "slept 0"),
];

/// What AT_HWCAP2 in the auxiliary vector, of which the low words are the first and third here, says of Power ISA 3.1, 3.0
/// and 2.07.
const LEVELS: &str = r#"h=$(hexdump -ve '4/4 "%08x " "\n"' /proc/self/auxv | awk '$1 == "0000001a" { print $3 }')
echo levels $((0x$h >> 18 & 1))$((0x$h >> 23 & 1))$((0x$h >> 31 & 1))"#;

fn levels(cpu: Cpu) -> &'static str {
    match cpu {
        Cpu::Power8 => "levels 001",
        Cpu::Power9 => "levels 011",
        _ => "levels 111",
    }
}

fn guest(release: Release, cpu: Cpu, mmu: Mmu, pv: bool) -> Result<Guest> {
    Ok(Guest::new(debian(release, None)?).cpu(cpu, mmu).pv(pv))
}

/// A guest whose shell is given one command.
fn told(release: Release, command: &str) -> Result<Guest> {
    Ok(guest(release, Cpu::Power9, Mmu::Radix, true)?.expect(PROMPT, &format!("{command}\n")))
}

fn shell(release: Release, cpu: Cpu, mmu: Mmu, pv: bool) -> Result<()> {
    let mut guest = guest(release, cpu, mmu, pv)?;
    for (command, answer) in COMMANDS.iter().chain(&[(LEVELS, levels(cpu))]) {
        guest = guest.expect(PROMPT, &format!("{command}\n")).expect(answer, "");
    }
    let guest = guest.expect(PROMPT, "poweroff -f\n");

    let tree = Machine::tree(&guest.layout()?)?;
    let node = Fdt::read(&tree)?.find("/hypervisor").is_some();
    ensure!(node == pv, "/hypervisor in the tree: {node}, with the interface offered: {pv}");

    let run = guest.run()?;
    run.ended(&Halt::PowerOff)?;
    run.shows(if mmu == Mmu::Radix { "radix-mmu: Page sizes" } else { "hash-mmu: Page sizes" })?;
    paravirtual(&run, pv)
}

/// The guest finds the interface when it is offered, and only then.
fn paravirtual(run: &Run, pv: bool) -> Result<()> {
    let [features, map] = ["kvm:FEATURES", "kvm:MAP_MAGIC_PAGE"].map(|name| run.hypercalls(name));
    let kvm = run.counts.hypercalls().keys().any(|name| name.starts_with("kvm:"));
    ensure!(features == u64::from(pv) && map == u64::from(pv), "FEATURES {features}, MAP_MAGIC_PAGE {map}, pv {pv}");
    ensure!(kvm == pv, "KVM hypercalls without the interface: {:?}", run.counts.hypercalls());
    Ok(())
}

macro_rules! shells {
    ($($name:ident = $release:ident, $cpu:ident, $mmu:ident, $pv:literal;)*) => {$(
        #[test]
        fn $name() -> Result<()> {
            shell(Release::$release, Cpu::$cpu, Mmu::$mmu, $pv)
        }
    )*};
}

shells! {
    shell_6_1_power8_hash = Bookworm, Power8, Hash, false;
    shell_6_1_power8_hash_pv = Bookworm, Power8, Hash, true;
    shell_6_1_power9_radix = Bookworm, Power9, Radix, false;
    shell_6_1_power9_radix_pv = Bookworm, Power9, Radix, true;
    shell_6_1_power10_radix_pv = Bookworm, Power10, Radix, true;
    shell_6_12_power10_radix = Trixie, Power10, Radix, false;
    shell_6_12_power8_hash = Trixie, Power8, Hash, false;
    shell_6_12_power8_hash_pv = Trixie, Power8, Hash, true;
    shell_6_12_power9_radix = Trixie, Power9, Radix, false;
    shell_6_12_power9_radix_pv = Trixie, Power9, Radix, true;
    shell_6_12_power9_hash_pv = Trixie, Power9, Hash, true;
}

#[test]
fn reboot_is_a_reset() -> Result<()> {
    told(Release::Bookworm, "reboot -f")?.run()?.ended(&Halt::Reset)
}

/// There is nothing to choose where the platform says radix only (case 88 of spec papr 12).
#[test]
fn radix_whatever_the_command_line_says() -> Result<()> {
    let guest = told(Release::Bookworm, "poweroff -f")?.append("console=hvc0 disable_radix");
    let run = guest.run()?;
    run.ended(&Halt::PowerOff)?;
    run.shows("radix-mmu: Page sizes")
}

/// The panic's words, if the guest panicked.
fn panic_of(run: &Run) -> Result<&str> {
    match &run.outcome {
        Outcome::Halted(Halt::Panic(panic)) => Ok(&panic.words),
        outcome => bail!("no panic but {outcome:?}; {run}"),
    }
}

#[test]
fn a_panic_is_told_with_its_words() -> Result<()> {
    let run = told(Release::Bookworm, "echo c > /proc/sysrq-trigger")?.run()?;
    ensure!(panic_of(&run)?.contains("sysrq triggered crash"), "{:?}", run.outcome);
    run.shows("Kernel panic - not syncing: sysrq triggered crash")
}

/// Linux 6.12 hands over no words: it passes one argument too many, so that the string's address is 0.
#[test]
fn a_panic_without_words_is_a_panic() -> Result<()> {
    let run = told(Release::Trixie, "echo c > /proc/sysrq-trigger")?.run()?;
    panic_of(&run)?;
    run.shows("Kernel panic - not syncing: sysrq triggered crash")
}

#[test]
fn a_kernel_without_init_panics() -> Result<()> {
    let kernel = Kernel { initrd: None, ..debian(Release::Bookworm, None)? };
    let run = Guest::new(kernel).run()?;
    ensure!(panic_of(&run)?.contains("VFS: Unable to mount root fs"), "{:?}", run.outcome);
    Ok(())
}

#[test]
fn a_guest_can_be_stopped() -> Result<()> {
    let run = told(Release::Bookworm, "while :; do :; done")?.most(1_500_000_000).run()?;
    ensure!(run.outcome == Outcome::Stopped && run.waiting_for.is_none(), "{:?}; {run}", run.outcome);
    let run = guest(Release::Bookworm, Cpu::Power9, Mmu::Radix, true)?.longest(Duration::from_millis(300)).run()?;
    ensure!(run.outcome == Outcome::Stopped, "{:?}; {run}", run.outcome);
    Ok(())
}

/// An idle guest sleeps on the host's clock and wakes up for what is typed.
#[test]
fn host_time() -> Result<()> {
    let guest = told(Release::Bookworm, "sleep 2; echo awake $((6 * 7))")?.expect("awake 42", "poweroff -f\n");
    guest.timing(Timing::Host).run()?.ended(&Halt::PowerOff)
}

#[test]
fn virtual_time_repeats_itself() -> Result<()> {
    let guest = told(Release::Bookworm, "sleep 1; cat /proc/uptime; date; poweroff -f")?;
    let (first, second) = (guest.clone().run()?, guest.run()?);
    first.ended(&Halt::PowerOff)?;
    first.shows("Tue Jan  1 00:00:0")?;
    let differs = first.console.lines().zip(second.console.lines()).find(|(a, b)| a != b);
    ensure!(differs.is_none(), "the runs differ: {differs:?}");
    ensure!(first == second, "{} and {} instructions", first.instructions, second.instructions);
    Ok(())
}

/// What Linux makes of its areas and of the processor's characteristics: it counts dispatches and stolen time of three
/// vCPUs that take turns, and mitigates nothing.
#[test]
fn dispatches_are_counted_and_nothing_is_mitigated() -> Result<()> {
    const LOOKS: &str = "sh -c 'cd /proc/powerpc; echo 1 > vcpudispatch_stats; sleep 1; \
        awk \"{ print \\$1, \\\"dispatched\\\", (\\$2 > 9) }\" vcpudispatch_stats; echo 0 > vcpudispatch_stats; \
        awk \"/^cpu / { print \\\"stolen\\\", (\\$9 > 0) }\" /proc/stat; \
        cd /sys/devices/system/cpu/vulnerabilities; grep -Lx \"Not affected\" *; cat spectre_v2'";
    let run = Guest::new(debian(Release::Bookworm, Some(LOOKS))?).cpus(3).run()?;
    run.ended(&Halt::PowerOff)?;
    for text in ["cpu0 dispatched 1", "cpu1 dispatched 1", "cpu2 dispatched 1", "stolen 1"] {
        run.shows(text)?;
    }
    run.shows("\nspectre_v2\r\nMitigation: Indirect branch serialisation (kernel only)\r\n")
}
