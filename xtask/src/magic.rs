//! `cargo xtask enable-magic`: a copy of a built kernel that uses the magic page.
//!
//! From 5.18 on (6.1 and 6.12 are like that) Linux tests the page it has mapped with `fault_in_readable`, which refuses
//! whatever is not a user's address, as -4096 is not: the kernel then goes on unpatched and says nothing. Here the one
//! call in `kvm_guest_init` becomes `li r3,0`, "readable". Needs a kernel with symbols, as Debian's packages have it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use guest_mem::Order;
use image::elf::{self, Kernel};

/// The function that asks; the one that tests the page may be inlined in it.
const CALLERS: &[&str] = &["kvm_guest_init", "kvm_use_magic_page"];
const TEST: &str = "fault_in_readable";
const LI_R3_0: u32 = 0x3860_0000;
/// A call may go past the two instructions in which a function of ELFv2 sets up r2.
const LOCAL_ENTRY: u64 = 8;

/// Writes the changed copy of `kernel` to `out`.
pub fn enable(kernel: &Path, out: &Path) -> Result<()> {
    let mut data = fs::read(kernel).with_context(|| kernel.display().to_string())?;
    let (at, address) = call(&data).with_context(|| kernel.display().to_string())?;
    let word = if elf::read(&data)?.order == Order::Big { LI_R3_0.to_be_bytes() } else { LI_R3_0.to_le_bytes() };
    data[at..at + 4].copy_from_slice(&word);
    fs::write(out, data).with_context(|| out.display().to_string())?;
    println!("{}: {address:#x} bl {TEST} is now li r3,0", out.display());
    Ok(())
}

/// Where the call stands: offset in the file, effective address.
fn call(data: &[u8]) -> Result<(usize, u64)> {
    let kernel = elf::read(data)?;
    // Functions of ELFv1 have their code under a name with a dot.
    let named = |symbol: &elf::Symbol, name: &str| symbol.name.trim_start_matches('.') == name;
    let targets: Vec<_> = kernel.symbols(data).filter(|s| named(s, TEST)).map(|s| s.value).collect();
    ensure!(!targets.is_empty(), "no symbol {TEST}: the kernel is stripped or has no paravirtual guest code");
    let mut found = Vec::new();
    for caller in kernel.symbols(data).filter(|s| CALLERS.iter().any(|name| named(s, name))) {
        for address in (caller.value..caller.value + caller.size).step_by(4) {
            let Some((at, word)) = word(&kernel, data, address) else { continue };
            let distance = i64::from((word << 6) as i32 >> 6 & !3);
            let target = address.wrapping_add_signed(distance);
            let calls = word & 0xfc00_0003 == 0x4800_0001;
            if calls && targets.iter().any(|start| (*start..=start + LOCAL_ENTRY).contains(&target)) {
                found.push((at, address));
            }
        }
    }
    found.dedup();
    match found[..] {
        [one] => Ok(one),
        _ => bail!("{} calls of {TEST} in {}, not one", found.len(), CALLERS.join(" and ")),
    }
}

/// The word at an effective address, and where it stands in the file.
fn word(kernel: &Kernel, data: &[u8], address: u64) -> Option<(usize, u32)> {
    let at = kernel.segments.iter().find_map(|segment| {
        let offset = usize::try_from(address.checked_sub(segment.virtual_)?).ok()?;
        (offset < segment.file.len()).then_some(segment.file.start + offset)
    })?;
    let bytes = data.get(at..at + 4)?.try_into().ok()?;
    Some((at, if kernel.order == Order::Big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }))
}
