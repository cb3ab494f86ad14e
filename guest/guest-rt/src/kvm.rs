//! The KVM/ePAPR hypercall of the device tree's `hcall-instructions`, and the magic page.
//!
//! Contract: `Kvm::find` looks where a Linux guest looks (any node, big-endian words, one to four of them) and reports
//! whether `/hypervisor` is KVM; a call puts the words in front of a return and jumps there.
//! Not its job: rewriting other code to use the page.

use core::cell::UnsafeCell;

use crate::{fdt::Fdt, fdt::lists, spr::sync_code};

/// KVM_HC_FEATURES: features in the first output.
pub const FEATURES: u64 = 0x002a_0003;
/// KVM_HC_PPC_MAP_MAGIC_PAGE: r3 = real address, r4 = effective address | flags.
pub const MAP_MAGIC_PAGE: u64 = 0x002a_0004;
/// EV_IDLE.
pub const EV_IDLE: u64 = 0x0001_0010;
/// MAP_MAGIC_PAGE flag: the caller's code is not mapped no-execute.
pub const NOT_MAPPED_NX: u64 = 1;
/// The status of a call nobody implements.
pub const EV_UNIMPLEMENTED: i64 = 12;

/// Where Linux puts the page: reachable with a 16-bit displacement from 0.
pub const PAGE_EA: u64 = -4096_i64 as u64;
/// The same page as a real address: the upper four bits do not count.
pub const PAGE_RA: u64 = PAGE_EA & 0x0fff_ffff_ffff_ffff;

/// Offsets in the magic page (spec of the interface, 3.1): name, offset, bytes.
#[rustfmt::skip]
pub mod page {
    pub const CRITICAL: u64 = 0x18;
    pub const SPRG0: u64 = 0x20;
    pub const SPRG3: u64 = 0x38;
    pub const SRR0: u64 = 0x40;
    pub const SRR1: u64 = 0x48;
    pub const DAR: u64 = 0x50;
    pub const MSR: u64 = 0x58;
    pub const DSISR: u64 = 0x60;
    pub const INT_PENDING: u64 = 0x64;

    /// The fields of a 64-bit Book3S guest.
    pub const FIELDS: [(&str, u64, u64); 16] = [
        ("scratch1", 0x00, 8), ("scratch2", 0x08, 8), ("scratch3", 0x10, 8), ("critical",    CRITICAL,    8),
        ("sprg0",    0x20, 8), ("sprg1",    0x28, 8), ("sprg2",    0x30, 8), ("sprg3",       0x38,        8),
        ("srr0",     0x40, 8), ("srr1",     0x48, 8), ("dar",      0x50, 8), ("msr",         0x58,        8),
        ("dsisr",    0x60, 4), ("int_pending", INT_PENDING, 4), ("pir", 0xcc, 4), ("sprg4", 0xd0, 8),
    ];
}

unsafe extern "C" {
    fn kvm_words(words: *mut [u64; 9], stub: *const u32);
}

const BLR: u32 = 0x4e80_0020;
const NOP: u32 = 0x6000_0000;
const LI_R3_MINUS_1: u32 = 0x3860_ffff;

/// `li r3,-1; nop; nop; nop; blr` until the tree says better. Lives in data: written once, then executed in real mode.
struct Stub(UnsafeCell<[u32; 5]>);

// SAFETY: one processor, written before the first call only.
unsafe impl Sync for Stub {}

static STUB: Stub = Stub(UnsafeCell::new([LI_R3_MINUS_1, NOP, NOP, NOP, BLR]));

/// A way to call the hypervisor.
#[derive(Clone, Copy)]
pub struct Kvm {
    /// The instruction words as the tree has them.
    pub words: [u32; 4],
    /// How many of them.
    pub count: usize,
    /// `/hypervisor` is compatible with `linux,kvm`.
    pub is_kvm: bool,
}

/// What a call left in r3 and in r4..r11.
pub struct Reply {
    /// r3; zero is success.
    pub status: i64,
    /// r4..r11.
    pub out: [u64; 8],
}

impl Kvm {
    /// Reads the tree and makes the stub ready; `None` when there is no (valid) `hcall-instructions`.
    pub fn find(tree: Fdt<'_>) -> Option<Self> {
        let is_kvm = tree
            .node("/hypervisor")
            .and_then(|node| node.prop("compatible"))
            .is_some_and(|list| lists(list, b"linux,kvm"));
        let bytes = tree.nodes().find_map(|node| node.prop("hcall-instructions"))?;
        if bytes.len() % 4 != 0 || !(4..=16).contains(&bytes.len()) {
            return None;
        }
        let mut kvm = Self { words: [NOP; 4], count: bytes.len() / 4, is_kvm };
        for (index, (word, bytes)) in kvm.words.iter_mut().zip(bytes.chunks_exact(4)).enumerate() {
            *word = bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte));
            let slot = STUB.0.get().cast::<u32>().wrapping_add(index);
            // SAFETY: index < 4, inside the stub; no call is under way.
            unsafe { slot.write_volatile(*word) };
            sync_code(slot);
        }
        Some(kvm)
    }

    /// One call: token and up to eight parameters.
    pub fn call(&self, token: u64, params: &[u64]) -> Reply {
        let mut words = [0; 9];
        words[..params.len()].copy_from_slice(params);
        words[8] = token;
        // SAFETY: the routine touches these nine words; the stub returns.
        unsafe { kvm_words(&mut words, STUB.0.get().cast()) };
        let [status, out @ ..] = words;
        Reply { status: status as i64, out }
    }
}
