//! Kernels built with the project's recipe, big- and little-endian: their own self-test passes, and those whose magic
//! page set-up works patch themselves.

use anyhow::{Result, ensure};
use hv_core::Halt;
use machine::Mmu;
use ppc_isa::Cpu;
use vmtest::{Guest, built};

const APPEND: &str = "console=hvc0 panic=-1 autotest";
const PATCHED: &str = "KVM: Live patching for a fast VM worked";

/// Runs the self-test of `machine`'s kernel file `vmlinux`; a patched guest must also say so.
fn self_test(test: &str, machine: &str, vmlinux: &str, cpu: Cpu, mmu: Mmu, pv: bool) -> Result<()> {
    let Some(kernel) = built(test, machine, vmlinux)? else { return Ok(()) };
    let run = Guest::new(kernel).cpu(cpu, mmu).pv(pv).append(APPEND).run()?;
    run.ended(&Halt::PowerOff)?;
    run.shows("SELFTEST-OK")?;
    ensure!(!run.console.contains("bad:"), "a part of the self-test failed; {run}");
    let patches = pv && vmlinux == "vmlinux-pv";
    ensure!(run.console.contains(PATCHED) == patches, "patched {}, wanted {patches}; {run}", !patches);
    Ok(())
}

macro_rules! self_tests {
    ($($name:ident = $machine:literal, $vmlinux:literal, $cpu:ident, $mmu:ident, $pv:literal;)*) => {$(
        #[test]
        fn $name() -> Result<()> {
            self_test(stringify!($name), $machine, $vmlinux, Cpu::$cpu, Mmu::$mmu, $pv)
        }
    )*};
}

self_tests! {
    big_endian_power8_hash = "pseries-be", "vmlinux", Power8, Hash, false;
    big_endian_power8_hash_pv = "pseries-be", "vmlinux", Power8, Hash, true;
    big_endian_power9_hash_pv = "pseries-be", "vmlinux", Power9, Hash, true;
    big_endian_patched_power8_hash = "pseries-be", "vmlinux-pv", Power8, Hash, true;
    big_endian_patched_power9_hash = "pseries-be", "vmlinux-pv", Power9, Hash, true;
    big_endian_power10_hash_pv = "pseries-be", "vmlinux", Power10, Hash, true;
    little_endian_power9_radix = "pseries-le", "vmlinux", Power9, Radix, false;
    little_endian_power10_radix = "pseries-le", "vmlinux", Power10, Radix, false;
    little_endian_patched_power8_hash = "pseries-le", "vmlinux-pv", Power8, Hash, true;
    little_endian_patched_power9_radix = "pseries-le", "vmlinux-pv", Power9, Radix, true;
}
