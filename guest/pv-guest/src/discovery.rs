//! Finds the hypervisor in the device tree, where a Linux guest looks for it.

use pv_abi::epapr::MAX_WORDS;
use pv_abi::rewrite::{Build, NOP};

use crate::fdt::{Fdt, Item};

/// `li r3,-1`: what the stub does as long as there is no hypervisor.
const LI_R3_MINUS_1: u32 = 0x3860_ffff;
const BLR: u32 = 0x4e80_0020;

/// Words of the hypercall stub.
pub const STUB_WORDS: usize = MAX_WORDS + 1;

/// The instruction words that make a hypercall, from `hcall-instructions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instructions {
    words: [u32; MAX_WORDS],
    count: usize,
}

impl Instructions {
    /// From a property's value: one to four words, big-endian whatever the guest's own order is. `None` for any other
    /// length.
    pub fn new(value: &[u8]) -> Option<Instructions> {
        let count = value.len() / 4;
        if value.len() % 4 != 0 || !(1..=MAX_WORDS).contains(&count) {
            return None;
        }
        let mut words = [NOP; MAX_WORDS];
        for (word, bytes) in words.iter_mut().zip(value.chunks_exact(4)) {
            *word = bytes.iter().fold(0, |word, &byte| word << 8 | u32::from(byte));
        }
        Some(Instructions { words, count })
    }

    /// The words, one to four.
    pub fn words(&self) -> &[u32] {
        self.words.get(..self.count).unwrap_or(&[])
    }
}

/// The code of the hypercall stub: the instructions and a return. Without a hypervisor it only sets r3 to -1, so that
/// every call fails without a trap.
pub fn stub(instructions: Option<&Instructions>) -> [u32; STUB_WORDS] {
    let [a, b, c, d] = instructions.map_or([LI_R3_MINUS_1, NOP, NOP, NOP], |found| found.words);
    [a, b, c, d, BLR]
}

/// What the device tree says of the hypervisor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hypervisor {
    /// How to call it; absent when no node has a usable `hcall-instructions`.
    pub instructions: Option<Instructions>,
    /// The node `/hypervisor` is compatible with `linux,kvm`: the calls of vendor KVM exist.
    pub is_kvm: bool,
    /// The node with the instructions has `has-idle`.
    pub has_idle: bool,
}

impl Hypervisor {
    /// Reads a flattened device tree. The first node, wherever it is, that has `hcall-instructions` counts; if their
    /// length is wrong there are none. A damaged tree is read up to the damage.
    pub fn find(blob: &[u8]) -> Hypervisor {
        let mut found = Hypervisor::default();
        // The current node: how deep, whether it is `/hypervisor`, whether it has `has-idle`.
        let (mut depth, mut named, mut idle) = (0_u32, false, false);
        // Whether the node with the instructions was seen, and whether it is the current one.
        let (mut seen, mut here) = (false, false);
        for item in Fdt::new(blob).into_iter().flatten() {
            match item {
                Item::Begin(name) => {
                    depth = depth.saturating_add(1);
                    (named, idle, here) = (depth == 2 && name == b"hypervisor", false, false);
                }
                Item::End => {
                    depth = depth.saturating_sub(1);
                    (named, idle, here) = (false, false, false);
                }
                Item::Property { name: b"hcall-instructions", value } if !seen => {
                    found.instructions = Instructions::new(value);
                    (seen, here) = (true, true);
                    found.has_idle = idle;
                }
                Item::Property { name: b"has-idle", .. } => {
                    idle = true;
                    found.has_idle |= here;
                }
                Item::Property { name: b"compatible", value } if named => {
                    found.is_kvm |= value.split(|&byte| byte == 0).any(|name| name.eq_ignore_ascii_case(b"linux,kvm"));
                }
                Item::Property { .. } => {}
            }
        }
        found
    }

    /// Whether the kernel should idle by EV_IDLE. 64-bit Book3S kernels use `MSR[POW]` or PAPR's H_CEDE instead.
    pub fn idle_by_call(&self, build: Build) -> bool {
        self.instructions.is_some() && self.has_idle && build != Build::Book3s64
    }
}
