//! `ibm,client-architecture-support` (LoPAR B.6.2.3): the client says on which processors it runs and which options it
//! knows, and the platform answers in the device tree with what is used from then on.
//!
//! The client's vectors are pairs of mask and value of processor versions, up to one whose value has bits outside of its
//! mask; then the number of option vectors minus one; then the vectors, each behind the number of its bytes minus one.

use guest_mem::{GuestMem, Order};

use crate::path;
use crate::tree::Tree;

/// Pairs of processor versions that are read.
const MOST_VERSIONS: u64 = 512;
/// The vector that is answered.
const PLATFORM_OPTIONS: u8 = 5;
/// Logical processor versions: Power ISA 2.05 is 0x0f000002.
const LOGICAL: u32 = 0x0f00_0000;

/// Bytes of vector 5 in which two bits say what is wanted: one thing, the other, or either. Byte 0 is the length.
const CHOICES: [usize; 2] = [byte::INTERRUPTS, byte::MMU];
const CHOICE: u8 = 0xc0;
const EITHER: u8 = 0x80;
/// Of the MMU.
const HASH: u8 = 0;
const RADIX: u8 = 0x40;

/// Bytes of vector 5 (spec papr 4.4).
mod byte {
    pub const INTERRUPTS: usize = 23;
    pub const MMU: usize = 24;
}

/// What the machine is, and the options that it was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// Processor version register.
    pub pvr: u32,
    /// The logical version of its level of the architecture.
    pub logical: u32,
    /// Vector 5 with everything that the machine has, from the length byte on, as in `ibm,architecture-vec-5`.
    pub options: Vec<u8>,
    /// The client may have the other kind of translation, too.
    pub either_mmu: bool,
}

/// What was agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// For `cpu-version`.
    pub version: u32,
    /// For `ibm,architecture-vec-5`.
    pub options: Vec<u8>,
}

impl Architecture {
    /// What machine and client, whose vectors are at `address`, agree on. `None` when the client runs on no processor that
    /// this one is, wants translation or interrupts of the other kind, or its vectors are malformed.
    pub fn agree(&self, mem: &GuestMem, address: u32) -> Option<Agreement> {
        let (version, at) = self.version(mem, address.into())?;
        let offered = vector(mem, at, PLATFORM_OPTIONS)?;
        let options = self.options.iter().enumerate().map(|(n, ours)| {
            let theirs = offered.get(n).copied().unwrap_or(0);
            match n {
                0 => Some(*ours),
                n if !CHOICES.contains(&n) => Some(ours & theirs),
                byte::MMU if self.either_mmu && [HASH, RADIX].contains(&(theirs & CHOICE)) => Some(theirs & CHOICE),
                _ if theirs & CHOICE == ours & CHOICE || theirs & CHOICE == EITHER => Some(*ours),
                _ => None,
            }
        });
        Some(Agreement { version, options: options.collect::<Option<_>>()? })
    }

    /// The highest level that both know, and the address behind the list.
    fn version(&self, mem: &GuestMem, address: u64) -> Option<(u32, u64)> {
        let mut best = None;
        for pair in 0..MOST_VERSIONS {
            let at = address + 8 * pair;
            let (mask, value) = (mem.load::<u32>(at, Order::Big)?, mem.load::<u32>(at + 4, Order::Big)?);
            let level = if self.pvr & mask == value & mask {
                Some(self.logical)
            } else {
                Some(value).filter(|value| mask == u32::MAX && (LOGICAL + 1..=self.logical).contains(value))
            };
            best = best.max(level);
            if value & !mask != 0 {
                return Some((best?, at + 8));
            }
        }
        None
    }
}

/// Vector `number`, counted from 1, with its length byte, from the vectors at `at`; empty when there are fewer. `None` when
/// they leave memory.
fn vector(mem: &GuestMem, at: u64, number: u8) -> Option<Vec<u8>> {
    let last = mem.load::<u8>(at, Order::Big)?;
    if last < number - 1 {
        return Some(Vec::new());
    }
    let length = |at| Some(2 + u64::from(mem.load::<u8>(at, Order::Big)?));
    let at = (1..number).try_fold(at + 1, |at, _| Some(at + length(at)?))?;
    let mut bytes = vec![0; length(at)? as usize];
    mem.read(at, &mut bytes).then_some(bytes)
}

/// Writes into the tree what was agreed on.
pub fn publish(tree: &mut Tree, agreement: &Agreement) -> bool {
    let Some(chosen) = path::find(tree, "/chosen") else { return false };
    let cpus: Vec<_> = tree.of_type("cpu").collect();
    let version = agreement.version.to_be_bytes();
    tree.set(chosen, "ibm,architecture-vec-5", agreement.options.clone())
        && cpus.into_iter().all(|cpu| tree.set(cpu, "cpu-version", version.to_vec()))
}
