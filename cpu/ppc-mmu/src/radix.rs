//! Radix tree translation, process-scoped (Power ISA 3.0B Book III, section 5.7.10).
//!
//! The process table and the trees are in guest memory, big-endian. Reference and change bits are set by the walker
//! with an atomic update, which the architecture permits.

use guest_mem::{GuestMem, Order};

use crate::access::{Access, Mapping};
use crate::fault::{BAD_TREE, Fault, KEY, NO_EXECUTE, NO_PTE, PROTECTION};
use crate::space::Space;

const VALID: u64 = 1 << 63;
const LEAF: u64 = 1 << 62;
const NEXT_BASE: u64 = 0x0fff_ffff_ffff_ff00;
const NEXT_SIZE: u64 = 0x1f;
const RPN: u64 = 0x01ff_ffff_ffff_f000;
const REFERENCE: u64 = 0x100;
const CHANGE: u64 = 0x80;
/// The field ATT: normal, strongly ordered, and two kinds of input and output.
const ATTRIBUTES: u64 = 0x30;
/// Set in ATT of both kinds of input and output, which are caching inhibited.
const INHIBITED: u64 = 0x20;
/// ATT of guarded input and output; tolerant one is not guarded.
const NON_IDEMPOTENT: u64 = 0x20;
const PRIVILEGED: u64 = 0x8;
const READ: u64 = 0x4;
const READ_WRITE: u64 = 0x2;
const EXECUTE: u64 = 0x1;

/// Deepest tree that is walked. Linux uses 4 levels; the bound keeps a walk finite on any tree.
const MAX_LEVELS: u32 = 4;

/// Walks that are begun anew since somebody changed the entry that one of them had found.
const TRIES: u32 = 16;

pub(crate) fn translate(
    space: &Space,
    table: u64,
    size: u64,
    pid: u32,
    ea: u64,
    access: Access,
) -> Result<Mapping, Fault> {
    let walks = (0..TRIES).find_map(|_| walk(space, table, size, pid, ea, access).transpose());
    // The guest takes the access again.
    walks.unwrap_or(Err(Fault::Storage(NO_PTE)))
}

/// `None` when the entry changed before its reference and change bits were set.
fn walk(space: &Space, table: u64, size: u64, pid: u32, ea: u64, access: Access) -> Result<Option<Mapping>, Fault> {
    let (at, pte, shift) = find(space.mem, table, size, pid, ea)?;
    leaf(space, at, pte, shift, ea, access)
}

/// The entry that maps `ea`: where it is, what it is, and log2 of its page's bytes.
fn find(mem: &GuestMem, table: u64, size: u64, pid: u32, ea: u64) -> Result<(u64, u64, u32), Fault> {
    // Quadrants 1 and 2 belong to hypervisors (section 5.7.10.1).
    let pid = match ea >> 62 {
        0 => pid,
        3 => 0,
        _ => return Err(Fault::Segment),
    };
    let slot = u64::from(pid) * 16;
    if slot + 16 > size {
        return Err(Fault::Storage(NO_PTE));
    }
    let entry = read(mem, table.wrapping_add(slot))?;
    let address_bits = 31 + ((((entry >> 61) & 3) << 3 | (entry >> 5) & 7) as u32);
    let mut index_bits = (entry & NEXT_SIZE) as u32;
    let mut base = entry & NEXT_BASE;
    // Bits 2.. of the address above the tree's reach must be zero.
    let address = ea & (u64::MAX >> 2);
    if address_bits < 64 && address >> address_bits != 0 {
        return Err(Fault::Segment);
    }
    let mut left = address_bits;
    for _ in 0..MAX_LEVELS {
        if !(5..=16).contains(&index_bits) || index_bits + 12 > left {
            return Err(Fault::Storage(BAD_TREE));
        }
        left -= index_bits;
        let index = (address >> left) & ((1 << index_bits) - 1);
        let at = base.wrapping_add(index * 8);
        let pte = read(mem, at)?;
        if pte & VALID == 0 {
            return Err(Fault::Storage(NO_PTE));
        }
        if pte & LEAF != 0 {
            return Ok((at, pte, left));
        }
        index_bits = (pte & NEXT_SIZE) as u32;
        base = pte & NEXT_BASE;
    }
    Err(Fault::Storage(BAD_TREE))
}

fn leaf(space: &Space, at: u64, pte: u64, shift: u32, ea: u64, access: Access) -> Result<Option<Mapping>, Fault> {
    let user_page = pte & PRIVILEGED == 0;
    let privilege_ok = !space.problem || user_page;
    // Key 0 guards user pages against the privileged state (section 5.7.10.3).
    let guarded_by_key = user_page && !space.problem;
    let allows = |access| {
        let bits = match access {
            Access::Fetch => EXECUTE,
            Access::Load => READ | READ_WRITE,
            Access::Store => READ_WRITE,
        };
        pte & bits != 0 && privilege_ok
    };
    let keys_allow = |access| !(guarded_by_key && space.keys.forbids(0, access));

    if access == Access::Fetch && pte & ATTRIBUTES == NON_IDEMPOTENT {
        return Err(Fault::Storage(NO_EXECUTE));
    }
    if !allows(access) {
        // A page that forbids fetching altogether is "no-execute", one that the state may not use is "protection".
        let no_execute = access == Access::Fetch && pte & EXECUTE == 0;
        return Err(Fault::Storage(if no_execute { NO_EXECUTE } else { PROTECTION }));
    }
    if !keys_allow(access) {
        return Err(Fault::Storage(if access == Access::Fetch { PROTECTION } else { KEY | PROTECTION }));
    }

    let wanted = if access == Access::Store { REFERENCE | CHANGE } else { REFERENCE };
    let mut pte = pte;
    if pte & wanted != wanted {
        if space.mem.compare_exchange(at, Order::Big, pte, pte | wanted) != Some(true) {
            return Ok(None);
        }
        pte |= wanted;
    }
    let offset = (1u64 << shift) - 1;
    Ok(Some(Mapping {
        real: (pte & RPN & !offset) | (ea & offset),
        shift,
        read: allows(Access::Load) && keys_allow(Access::Load),
        write: allows(Access::Store) && keys_allow(Access::Store) && pte & CHANGE != 0,
        execute: allows(Access::Fetch) && keys_allow(Access::Fetch),
        uncached: pte & INHIBITED != 0,
    }))
}

/// A page of the supervisor's half of the address space, which is every process's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its first effective address.
    pub address: u64,
    /// log2 of its bytes.
    pub shift: u32,
    pte: u64,
}

impl Page {
    /// The page of `ea` as the process table at `table`, of `size` bytes, has it now; `None` if there is none that
    /// privileged state alone may access. Nothing is changed, neither are reference and change bits.
    pub fn of(mem: &GuestMem, table: u64, size: u64, ea: u64) -> Option<Page> {
        let (_, pte, shift) = find(mem, table, size, 0, ea).ok().filter(|_| ea >> 62 == 3)?;
        (pte & PRIVILEGED != 0 && pte & REFERENCE != 0).then_some(Page { address: ea >> shift << shift, shift, pte })
    }

    /// Whether `ea` lies in it.
    pub fn covers(&self, ea: u64) -> bool {
        (ea ^ self.address) >> self.shift == 0
    }

    /// Where privileged state finds `ea`, an address in it, for fetches or for data.
    pub fn real(&self, ea: u64, access: Access) -> Option<u64> {
        let allowed = match access {
            Access::Fetch => self.pte & EXECUTE != 0 && self.pte & ATTRIBUTES != NON_IDEMPOTENT,
            Access::Load => self.pte & (READ | READ_WRITE) != 0,
            Access::Store => self.pte & READ_WRITE != 0 && self.pte & CHANGE != 0,
        };
        let offset = (1u64 << self.shift) - 1;
        allowed.then_some(self.pte & RPN & !offset | ea & offset)
    }
}

fn read(mem: &GuestMem, at: u64) -> Result<u64, Fault> {
    mem.load::<u64>(at, Order::Big).ok_or(Fault::Storage(BAD_TREE))
}
