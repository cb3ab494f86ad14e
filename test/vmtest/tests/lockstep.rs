//! The translator is never different from the interpreter: whole boots of every guest, compared as they go.
//!
//! Each is compared at every event point after 1, 20 or 1000 instructions: the fewer, the more states are compared, and
//! the less translated code leads straight to other translated code.

use anyhow::Result;
use exec::Privileged::{self, Inline, Trap};
use image::debian::Release::{self, Bookworm, Trixie};
use machine::Mmu::{self, Hash, Radix};
use machine::{Interrupts, Kind};
use ppc_isa::Cpu::{self, E500v2, E5500, Power8, Power9, Power10, Ppc750, Ppc7400, Ppc7450};
use vmtest::{Guest, bare_metal, built, debian, the_same};

/// A guest of ours with its self-test, on the machine and with the console that it is made for.
fn ours(test: &str, machine: &str, vmlinux: &str, cpu: Cpu, pv: bool) -> Result<Option<Guest>> {
    let Some(kernel) = built(test, machine, vmlinux)? else { return Ok(None) };
    let (kind, console, memory) = match machine {
        "mac32" => (Kind::Mac, "ttyPZ0", 256),
        "e500v2" | "e5500" => (Kind::E500, "ttyS0", 256),
        _ => (Kind::Pseries, "hvc0", 512),
    };
    let guest = Guest::new(kernel).kind(kind).cpu(cpu, Hash).memory(memory).pv(pv);
    Ok(Some(guest.append(&format!("console={console} panic=-1 autotest"))))
}

/// Debian's kernel, which switches itself off when its first program ends.
fn stock(release: Release, cpu: Cpu, mmu: Mmu, pv: bool) -> Result<Guest> {
    Ok(Guest::new(debian(release, Some("true"))?).cpu(cpu, mmu).pv(pv))
}

fn ours_same(test: &str, machine: &str, vmlinux: &str, cpu: Cpu, pv: bool, way: Privileged, slice: u64) -> Result<()> {
    let Some(guest) = ours(test, machine, vmlinux, cpu, pv)? else { return Ok(()) };
    the_same(&guest.privileged(way), slice)
}

macro_rules! stock {
    ($($(#[$meta:meta])? $name:ident = $release:ident, $cpu:ident, $mmu:ident, $pv:literal, $way:ident, $slice:literal;)*) => {$(
        #[test]
        $(#[$meta])?
        fn $name() -> Result<()> {
            the_same(&stock($release, $cpu, $mmu, $pv)?.privileged($way), $slice)
        }
    )*};
}

macro_rules! ours {
    ($($(#[$meta:meta])? $name:ident = $machine:literal, $vmlinux:literal, $cpu:ident, $pv:literal, $way:ident, $slice:literal;)*) => {$(
        #[test]
        $(#[$meta])?
        fn $name() -> Result<()> {
            ours_same(stringify!($name), $machine, $vmlinux, $cpu, $pv, $way, $slice)
        }
    )*};
}

stock! {
    debian_power9_radix = Bookworm, Power9, Radix, true, Inline, 1000;
}

ours! {
    mac_7450_patched = "mac32", "vmlinux-pv", Ppc7450, true, Inline, 1000;
    e500v2_patched = "e500v2", "vmlinux-pv", E500v2, true, Inline, 1000;
}

/// Our own kernels, whose many checks are of what ordinary kernels rarely do.
#[test]
fn bare_metal_kernels() -> Result<()> {
    for name in ["decrementer", "exceptions", "hash", "hcalls", "magic", "patch", "radix", "smc", "syscall"] {
        for (order, cpu, mmu, way) in
            [("be", Power8, Hash, Trap), ("le", Power9, Radix, Inline), ("be", Power9, Hash, Inline)]
        {
            let guest = Guest::new(bare_metal(&format!("{name}-{order}.elf"))?).kind(Kind::Bare).cpu(cpu, mmu);
            the_same(&guest.privileged(way).memory(256).append("").most(2_000_000_000), 20)?;
        }
    }
    for (order, cpu, way) in [("be", Power9, Trap), ("le", Power10, Inline)] {
        let guest = Guest::new(bare_metal(&format!("xive-{order}.elf"))?).cpu(cpu, Radix).interrupts(Interrupts::Xive);
        the_same(&guest.privileged(way).memory(256).append("").most(2_000_000_000), 1)?;
    }
    for (cpu, way) in [(Ppc750, Trap), (Ppc7400, Inline), (Ppc7450, Trap)] {
        let guest = Guest::new(bare_metal("book3s32-be.elf")?).kind(Kind::Bare).cpu(cpu, Hash);
        the_same(&guest.privileged(way).memory(128).append("").most(2_000_000_000), 1)?;
    }
    for way in [Trap, Inline] {
        let guest = Guest::new(bare_metal("booke-be.elf")?).kind(Kind::E500).cpu(E500v2, Hash);
        the_same(&guest.privileged(way).memory(128).append("").most(2_000_000_000), 1)?;
    }
    Ok(())
}

/// Every guest on every processor, with `cargo xtask test --all`.
mod every_guest {
    use super::*;

    stock! {
        #[ignore = "long"]
        debian_power8_hash_pv_trap = Bookworm, Power8, Hash, true, Trap, 20;
        #[ignore = "long"]
        debian_power9_radix_each = Bookworm, Power9, Radix, true, Inline, 1;
        #[ignore = "long"]
        debian_power9_radix_trap = Bookworm, Power9, Radix, false, Trap, 20;
        #[ignore = "long"]
        debian_power9_hash = Bookworm, Power9, Hash, false, Inline, 1000;
        #[ignore = "long"]
        debian_power9_hash_pv_trap = Bookworm, Power9, Hash, true, Trap, 1;
        #[ignore = "long"]
        debian_power8_hash = Bookworm, Power8, Hash, false, Inline, 1;
        #[ignore = "long"]
        debian_power8_hash_trap = Bookworm, Power8, Hash, false, Trap, 1000;
        #[ignore = "long"]
        debian_power8_hash_pv = Bookworm, Power8, Hash, true, Inline, 1000;
        #[ignore = "long"]
        debian_power10_radix = Bookworm, Power10, Radix, true, Inline, 20;
        #[ignore = "long"]
        debian_power10_radix_trap = Bookworm, Power10, Radix, false, Trap, 1;
        #[ignore = "long"]
        trixie_power10_radix = Trixie, Power10, Radix, true, Inline, 1000;
        #[ignore = "long"]
        trixie_power9_radix_trap = Trixie, Power9, Radix, true, Trap, 20;
        #[ignore = "long"]
        trixie_power8_hash = Trixie, Power8, Hash, true, Inline, 1;
    }

    ours! {
        #[ignore = "long"]
        big_endian_patched = "pseries-be", "vmlinux-pv", Power8, true, Inline, 1000;
        #[ignore = "long"]
        mac_750_trap = "mac32", "vmlinux", Ppc750, false, Trap, 1000;
        #[ignore = "long"]
        e5500_trap = "e5500", "vmlinux", E5500, false, Trap, 1000;
        #[ignore = "long"]
        big_endian_trap = "pseries-be", "vmlinux", Power8, false, Trap, 1;
        #[ignore = "long"]
        big_endian_power9_pv = "pseries-be", "vmlinux", Power9, true, Inline, 20;
        #[ignore = "long"]
        big_endian_patched_power10_trap = "pseries-be", "vmlinux-pv", Power10, true, Trap, 20;
        #[ignore = "long"]
        little_endian_patched = "pseries-le", "vmlinux-pv", Power8, true, Inline, 1;
        #[ignore = "long"]
        little_endian_trap = "pseries-le", "vmlinux", Power8, false, Trap, 20;
        #[ignore = "long"]
        mac_750_patched = "mac32", "vmlinux-pv", Ppc750, true, Inline, 1;
        #[ignore = "long"]
        mac_7400 = "mac32", "vmlinux", Ppc7400, false, Inline, 20;
        #[ignore = "long"]
        mac_7400_patched_trap = "mac32", "vmlinux-pv", Ppc7400, true, Trap, 1;
        #[ignore = "long"]
        mac_7450 = "mac32", "vmlinux", Ppc7450, true, Inline, 1;
        #[ignore = "long"]
        mac_7450_trap = "mac32", "vmlinux", Ppc7450, false, Trap, 1000;
        #[ignore = "long"]
        e500v2_trap = "e500v2", "vmlinux", E500v2, false, Trap, 1;
        #[ignore = "long"]
        e500v2_inline = "e500v2", "vmlinux", E500v2, false, Inline, 1000;
        #[ignore = "long"]
        e500v2_patched_trap = "e500v2", "vmlinux-pv", E500v2, true, Trap, 20;
        #[ignore = "long"]
        e5500_pv = "e5500", "vmlinux", E5500, true, Inline, 1;
        #[ignore = "long"]
        e5500_patched = "e5500", "vmlinux-pv", E5500, true, Inline, 20;
        #[ignore = "long"]
        e5500_patched_trap = "e5500", "vmlinux-pv", E5500, true, Trap, 20;
    }
}
