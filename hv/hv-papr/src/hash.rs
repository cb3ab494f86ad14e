//! Calls on the hashed page table (PAPR 14.5.4.1): one entry, or all of them. `removal` has those that remove several.
//!
//! Indices, page sizes and addresses are the guest's: each is checked against the table, RAM and devices. A removed or
//! changed entry is unreachable on every vCPU before the call returns, and the place of a removed one is not free
//! before that: so a walk on another vCPU never takes the words of two entries for one. In real mode no table is asked:
//! all of RAM is there, whatever these calls do.

use std::ops::Range;
use std::sync::{MutexGuard, PoisonError};

use hv_core::Visit;
use papr_abi::hcall;
use papr_abi::status::{H_CONTINUE, H_FUNCTION, H_NOT_FOUND, H_PARAMETER, H_PTEG_FULL};
use ppc_mmu::Invalidation;
use ppc_mmu::hash::{Place, R_CHANGE, R_NO_EXECUTE, R_REFERENCE, R_RPN, V_VALID, sizes};
use ppc_mmu::table::{GROUP, HashTable};

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};
use crate::unfinished::{Resizing, Unfinished};

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_REMOVE, handler: remove },
    Call { number: hcall::H_ENTER, handler: enter },
    Call { number: hcall::H_READ, handler: read },
    Call { number: hcall::H_CLEAR_MOD, handler: clear_mod },
    Call { number: hcall::H_CLEAR_REF, handler: clear_ref },
    Call { number: hcall::H_PROTECT, handler: protect },
    Call { number: hcall::H_CLEAR_HPT, handler: clear_hpt },
];

/// The entry is to go where the index says. Flags beside it ask for what stores to the page do anyway (zeroes, a copy,
/// coherent instructions), or allow what is not done (pages that are shared).
const H_EXACT: u64 = 1 << 39;
const H_READ_4: u64 = 1 << 37;
pub(crate) const H_AVPN: u64 = 1 << 31;
pub(crate) const H_ANDCOND: u64 = 1 << 30;

/// Software bits of the V word that only the hypervisor uses.
const V_HYPERVISOR: u64 = 0x60;
/// What H_AVPN compares: segment size and page number.
const V_PAGE: u64 = !0x7f;
const R_WIMG: u64 = 0x78;
/// Memory coherence required, nothing else: ordinary RAM.
const WIMG_RAM: u64 = 0x10;
const R_WRITE_THROUGH: u64 = 0x40;
const R_INHIBITED: u64 = 0x20;
const R_PP0: u64 = 1 << 63;
const R_KEY_HIGH: u64 = 0x3000_0000_0000_0000;
const R_KEY_LOW: u64 = 0xe00;
const R_PP: u64 = 3;

/// Entries that one call clears.
const SLICE: u64 = 1 << 15;

/// The table is the caller's for as long as this lives. Nobody waits for a vCPU that waits for it, since that is not
/// executing guest code.
pub(crate) fn lock(papr: &Papr) -> MutexGuard<'_, Unfinished> {
    papr.table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The table in force, which stays so while it is locked. A partition with radix trees has none.
pub(crate) fn table<'a>(visit: &Visit<'a>) -> Result<&'a HashTable, i64> {
    let partition = visit.context.partition;
    partition.hash().filter(|_| !partition.radix()).ok_or(H_FUNCTION)
}

/// Asks all vCPUs to forget the page that entry `index` maps.
pub(crate) fn invalidate(visit: &Visit, table: &HashTable, index: u64, v: u64, r: u64) {
    visit.context.invalidate(match Place::of(v, r, index / GROUP, table.groups()) {
        Some(place) => Invalidation::Page { address: place.address, shift: place.shift },
        None => Invalidation::All,
    });
}

/// Waits until it is forgotten.
fn forget(visit: &Visit, table: &HashTable, index: u64, v: u64, r: u64) {
    invalidate(visit, table, index, v, r);
    visit.context.settle();
}

/// The first guest real address that an entry maps.
pub(crate) fn real(v: u64, r: u64) -> u64 {
    let shift = sizes(v, r).map_or(12, |(_, actual)| actual);
    r & R_RPN & !((1 << shift) - 1)
}

/// Whether the words are those of an entry that may be there: a page of its segment's own size, since
/// `ibm,segment-page-sizes` has no other, in RAM or in reach of a device, accessed as that must be (spec papr 4.2). The
/// last page may reach beyond RAM.
fn is_allowed(papr: &Papr, visit: &Visit, v: u64, r: u64) -> bool {
    let real = real(v, r);
    let fits = sizes(v, r).is_some_and(|(base, actual)| base == actual);
    let is_device = |range: &Range<u64>| range.contains(&real);
    fits && v >> 62 < 2
        && if visit.context.mem.contains(real, 1) {
            r & R_WIMG == WIMG_RAM
        } else {
            papr.ports.devices.iter().any(is_device) && r & (R_WRITE_THROUGH | R_INHIBITED) == R_INHIBITED
        }
}

fn enter(papr: &Papr, visit: &mut Visit, &[flags, index, v, r, ..]: &Arguments) -> Checked {
    let mut unfinished = lock(papr);
    let table = table(visit)?;
    let v = v & !V_HYPERVISOR;
    if index >= table.len() || !is_allowed(papr, visit, v, r) {
        return Err(H_PARAMETER);
    }
    let free = |index: &u64| table.read(*index).is_some_and(|(v, _)| v & V_VALID == 0);
    let slot = if flags & H_EXACT != 0 {
        Some(index).filter(free)
    } else {
        let group = index & !(GROUP - 1);
        (group..group + GROUP).find(free)
    };
    let slot = slot.ok_or(H_PTEG_FULL)?;
    table.write(slot, v, r);
    unfinished.used = true;
    if v & V_VALID != 0 {
        papr.entries.enter(real(v, r));
    }
    Ok(Answer::outputs([slot]))
}

/// The entry at `index` if it is valid and meets the conditions in `flags`: of its page number the bits `compared` must
/// be those of `avpn`.
pub(crate) fn matching(
    table: &HashTable,
    flags: u64,
    index: u64,
    avpn: u64,
    compared: impl Fn(u64, u64) -> u64,
) -> Result<(u64, u64), i64> {
    let (v, r) = table.read(index).ok_or(H_PARAMETER)?;
    let mask = compared(v, r);
    let differs = flags & H_AVPN != 0 && (v ^ avpn) & mask | avpn & !V_PAGE != 0;
    let excluded = flags & H_ANDCOND != 0 && v & avpn != 0;
    if v & V_VALID == 0 || differs || excluded { Err(H_NOT_FOUND) } else { Ok((v, r)) }
}

/// All of it.
pub(crate) fn whole(_: u64, _: u64) -> u64 {
    V_PAGE
}

/// An entry that is being removed: no walk finds it any more.
pub(crate) struct Removed {
    index: u64,
    v: u64,
}

/// Begins to remove entry `index`, which has these words.
pub(crate) fn begin_removal(papr: &Papr, visit: &Visit, table: &HashTable, index: u64, v: u64, r: u64) -> Removed {
    papr.entries.remove(real(v, r));
    table.clear_valid(index);
    invalidate(visit, table, index, v, r);
    Removed { index, v }
}

/// Ends it when every vCPU has forgotten the page: returns the entry's words, with reference and change bits as they
/// were last.
pub(crate) fn end_removal(table: &HashTable, removed: &Removed) -> (u64, u64) {
    let r = table.read(removed.index).map_or(0, |(_, r)| r);
    table.write(removed.index, 0, 0);
    (removed.v, r)
}

fn remove(papr: &Papr, visit: &mut Visit, &[flags, index, avpn, ..]: &Arguments) -> Checked {
    let _lock = lock(papr);
    let table = table(visit)?;
    let (v, r) = matching(table, flags, index, avpn, whole)?;
    let removed = begin_removal(papr, visit, table, index, v, r);
    visit.context.settle();
    let (v, r) = end_removal(table, &removed);
    Ok(Answer::outputs([v, r]))
}

fn protect(papr: &Papr, visit: &mut Visit, &[flags, index, avpn, ..]: &Arguments) -> Checked {
    let _lock = lock(papr);
    let table = table(visit)?;
    let (v, r) = matching(table, flags & !H_ANDCOND, index, avpn, whole)?;
    let changed = R_PP0 | R_PP | R_NO_EXECUTE | R_KEY_HIGH | R_KEY_LOW;
    let new = (flags << 55 & R_PP0) | (flags << 48 & R_KEY_HIGH) | (flags & (R_PP | R_NO_EXECUTE | R_KEY_LOW));
    table.change(index, changed, new);
    forget(visit, table, index, v, r);
    Ok(Answer::ok())
}

fn read(papr: &Papr, visit: &mut Visit, &[flags, index, ..]: &Arguments) -> Checked {
    let _lock = lock(papr);
    let table = table(visit)?;
    let (first, count) = if flags & H_READ_4 != 0 { (index & !3, 4) } else { (index, 1) };
    let mut outputs = Vec::with_capacity(8);
    for n in 0..count {
        let (v, r) = table.read(first | n).ok_or(H_PARAMETER)?;
        outputs.extend([v, r]);
    }
    Ok(Answer::outputs(outputs))
}

fn clear(papr: &Papr, visit: &Visit, index: u64, bits: u64) -> Checked {
    let _lock = lock(papr);
    let table = table(visit)?;
    let (v, r) = table.read(index).ok_or(H_PARAMETER)?;
    if v & V_VALID == 0 {
        return Err(H_NOT_FOUND);
    }
    let old = table.change(index, bits, 0).unwrap_or(r);
    forget(visit, table, index, v, r);
    Ok(Answer::outputs([old]))
}

fn clear_mod(papr: &Papr, visit: &mut Visit, &[_, index, ..]: &Arguments) -> Checked {
    clear(papr, visit, index, R_CHANGE)
}

fn clear_ref(papr: &Papr, visit: &mut Visit, &[_, index, ..]: &Arguments) -> Checked {
    clear(papr, visit, index, R_REFERENCE)
}

/// Invalidates every entry, a slice at a time: H_CONTINUE asks the guest to call again for the next one.
fn clear_hpt(papr: &Papr, visit: &mut Visit, _: &Arguments) -> Checked {
    let mut unfinished = lock(papr);
    let finished = clear_slice(papr, visit, table(visit)?, &mut unfinished.cleared);
    if finished { Ok(Answer::ok()) } else { Err(H_CONTINUE) }
}

/// Clears the entries behind the first `cleared` ones, as many as a call may; returns whether these were the last, and
/// begins anew then.
fn clear_slice(papr: &Papr, visit: &Visit, table: &HashTable, cleared: &mut u64) -> bool {
    let first = *cleared;
    let end = table.len().min(first.saturating_add(SLICE));
    for index in first..end {
        if let Some((v, r)) = table.read(index).filter(|(v, _)| v & V_VALID != 0) {
            papr.entries.remove(real(v, r));
            table.clear_valid(index);
        }
    }
    visit.context.invalidate(Invalidation::All);
    visit.context.settle();
    for index in first..end {
        table.write(index, 0, 0);
    }
    let finished = end == table.len();
    *cleared = if finished { 0 } else { end };
    finished
}

/// The partition does without its table from now on: what was begun is given up.
pub(crate) fn leave(papr: &Papr) {
    let mut unfinished = lock(papr);
    unfinished.resizing = Resizing::default();
    unfinished.begin_anew();
}

/// Empties the table of a partition that will use it again, a slice at a time; returns whether that is done.
pub(crate) fn empty(papr: &Papr, visit: &Visit) -> bool {
    let mut unfinished = lock(papr);
    let Some(table) = visit.context.partition.hash().filter(|_| unfinished.used) else { return true };
    unfinished.used = !clear_slice(papr, visit, table, &mut unfinished.cleared);
    !unfinished.used
}
