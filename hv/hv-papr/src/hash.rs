//! Calls on the hashed page table (PAPR 14.5.4.1).
//!
//! Indices, page sizes and addresses are the guest's: each is checked against the table and RAM. A removed or changed
//! entry is unreachable on every vCPU before the call returns, and the place of a removed one is not free before that:
//! so a walk on another vCPU never takes the words of two entries for one.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use hv_core::Visit;
use papr_abi::hcall;
use papr_abi::status::{H_CONTINUE, H_NOT_FOUND, H_PARAMETER, H_PTEG_FULL};
use ppc_mmu::Invalidation;
use ppc_mmu::hash::{R_CHANGE, R_NO_EXECUTE, R_REFERENCE, R_RPN, V_AVPN, V_LARGE, V_VALID, largest_shift};
use ppc_mmu::table::{GROUP, HashTable};

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_REMOVE, handler: remove },
    Call { number: hcall::H_ENTER, handler: enter },
    Call { number: hcall::H_READ, handler: read },
    Call { number: hcall::H_CLEAR_MOD, handler: clear_mod },
    Call { number: hcall::H_CLEAR_REF, handler: clear_ref },
    Call { number: hcall::H_PROTECT, handler: protect },
    Call { number: hcall::H_BULK_REMOVE, handler: bulk_remove },
    Call { number: hcall::H_CLEAR_HPT, handler: clear_hpt },
];

const H_EXACT: u64 = 1 << 39;
const H_READ_4: u64 = 1 << 37;
const H_AVPN: u64 = 1 << 31;
const H_ANDCOND: u64 = 1 << 30;

/// Software bits of the V word that only the hypervisor uses.
const V_HYPERVISOR: u64 = 0x60;
const R_WIMG: u64 = 0x78;
/// Memory coherence required, nothing else: ordinary RAM.
const WIMG_RAM: u64 = 0x10;
const R_PP0: u64 = 1 << 63;
const R_KEY_HIGH: u64 = 0x3000_0000_0000_0000;
const R_KEY_LOW: u64 = 0xe00;
const R_PP: u64 = 3;

fn table<'a>(visit: &Visit<'a>) -> Result<&'a HashTable, i64> {
    visit.context.partition.hash().ok_or(papr_abi::status::H_FUNCTION)
}

/// The table is the caller's for as long as this lives.
pub(crate) fn lock(papr: &Papr) -> MutexGuard<'_, ()> {
    papr.table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until the page that entry `index` maps is forgotten everywhere. With a 4 or 64 KiB base page size its place is known;
/// other sizes are rare enough to forget everything.
fn forget(visit: &Visit, table: &HashTable, index: u64, v: u64, r: u64) {
    let usual = v & V_LARGE == 0 || r & 0xf000 == 0x1000;
    visit.context.invalidate(if usual {
        Invalidation::Page { address: address_of(table, index, v), shift: largest_shift(v, r) }
    } else {
        Invalidation::All
    });
    visit.context.settle();
}

/// The place in its segment of the page of an entry: AVPN holds the virtual address from bit 23 on, the hash the lower bits
/// (spec papr 4.2).
fn address_of(table: &HashTable, index: u64, v: u64) -> u64 {
    let avpn = (v & V_AVPN & (u64::MAX >> 2)) >> 7;
    let wide = v >> 62 == 1;
    let vsid = if wide { avpn >> 17 } else { avpn >> 5 };
    let group = index / GROUP;
    let group = if v & 2 != 0 { !group } else { group };
    let base_shift = if v & V_LARGE == 0 { 12 } else { 16 };
    let hash = if wide { vsid ^ vsid << 25 } else { vsid };
    let page = (group ^ hash) & (table.len() / GROUP - 1);
    let segment = if wide { 1 << 40 } else { 1 << 28 };
    (avpn << 23 | (page << base_shift) & 0x7f_ffff) & (segment - 1)
}

/// The first guest real address that an entry maps.
fn real(v: u64, r: u64) -> u64 {
    r & R_RPN & !((1 << largest_shift(v, r)) - 1)
}

fn enter(papr: &Papr, visit: &mut Visit, &[flags, index, v, r, ..]: &Arguments) -> Checked {
    let table = table(visit)?;
    let _lock = lock(papr);
    let v = v & !V_HYPERVISOR;
    let real = real(v, r);
    if index >= table.len() || r & R_WIMG != WIMG_RAM || !visit.context.mem.contains(real, 1) {
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
    if v & V_VALID != 0 {
        papr.entries.enter(real);
    }
    Ok(Answer::outputs([slot]))
}

/// The entry at `index` if it is valid and meets the conditions in `flags`.
fn matching(table: &HashTable, flags: u64, index: u64, avpn: u64) -> Result<(u64, u64), i64> {
    let (v, r) = table.read(index).ok_or(H_PARAMETER)?;
    let differs = flags & H_AVPN != 0 && v & !0x7f != avpn;
    let excluded = flags & H_ANDCOND != 0 && v & avpn != 0;
    if v & V_VALID == 0 || differs || excluded { Err(H_NOT_FOUND) } else { Ok((v, r)) }
}

/// Removes an entry; returns its words with reference and change bits as they were last: nobody sets them any more once
/// the entry is forgotten.
fn take(papr: &Papr, visit: &Visit, table: &HashTable, flags: u64, index: u64, avpn: u64) -> Result<(u64, u64), i64> {
    let (v, r) = matching(table, flags, index, avpn)?;
    papr.entries.remove(real(v, r));
    table.clear_valid(index);
    forget(visit, table, index, v, r);
    let r = table.read(index).map_or(0, |(_, r)| r);
    table.write(index, 0, 0);
    Ok((v, r))
}

fn remove(papr: &Papr, visit: &mut Visit, &[flags, index, avpn, ..]: &Arguments) -> Checked {
    let _lock = lock(papr);
    let (v, r) = take(papr, visit, table(visit)?, flags, index, avpn)?;
    Ok(Answer::outputs([v, r]))
}

fn protect(papr: &Papr, visit: &mut Visit, &[flags, index, avpn, ..]: &Arguments) -> Checked {
    let table = table(visit)?;
    let _lock = lock(papr);
    let (v, r) = matching(table, flags & !H_ANDCOND, index, avpn)?;
    let changed = R_PP0 | R_PP | R_NO_EXECUTE | R_KEY_HIGH | R_KEY_LOW;
    let new = (flags << 55 & R_PP0) | (flags << 48 & R_KEY_HIGH) | (flags & (R_PP | R_NO_EXECUTE | R_KEY_LOW));
    table.change(index, changed, new);
    forget(visit, table, index, v, r);
    Ok(Answer::ok())
}

fn read(_: &Papr, visit: &mut Visit, &[flags, index, ..]: &Arguments) -> Checked {
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
    let table = table(visit)?;
    let _lock = lock(papr);
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

/// Up to four requests in r4, r6, r8, r10, each with its AVPN behind it; each becomes its response in place.
fn bulk_remove(papr: &Papr, visit: &mut Visit, arguments: &Arguments) -> Checked {
    const REQUEST: u64 = 1;
    const END: u64 = 3;
    const RESPONSE: u64 = 2 << 62;
    const INDEX: u64 = 0x00ff_ffff_ffff_ffff;
    const NOT_FOUND: u64 = 1 << 60;
    const PARAMETER: u64 = 2 << 60;

    let table = table(visit)?;
    let _lock = lock(papr);
    let mut out = arguments.to_vec();
    out.truncate(8);
    for pair in out.chunks_exact_mut(2) {
        let [request, avpn] = pair else { break };
        let (word, avpn) = (*request, *avpn);
        match word >> 62 {
            REQUEST => {}
            END => break,
            _ => return Err(H_PARAMETER),
        }
        let flags = match word >> 56 & 3 {
            0 => 0,
            1 => H_ANDCOND,
            2 => H_AVPN,
            _ => {
                *request = RESPONSE | PARAMETER | word & INDEX;
                return Ok(Answer { status: H_PARAMETER, ..Answer::outputs(out) });
            }
        };
        *request = RESPONSE | word & (INDEX | 3 << 56);
        *request |= match take(papr, visit, table, flags, word & INDEX, avpn) {
            // R and C stand in bits 59 and 58 of the response (spec ppc-pv 7.2).
            Ok((_, r)) => (r & (R_REFERENCE | R_CHANGE)) << 51,
            Err(H_NOT_FOUND) => NOT_FOUND,
            Err(_) => PARAMETER,
        };
    }
    Ok(Answer::outputs(out))
}

/// Invalidates every entry, a slice at a time: H_CONTINUE asks the guest to call again for the next one.
fn clear_hpt(papr: &Papr, visit: &mut Visit, _: &Arguments) -> Checked {
    const SLICE: u64 = 1 << 15;
    let table = table(visit)?;
    let _lock = lock(papr);
    let first = papr.cleared.load(Ordering::Relaxed);
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
    papr.cleared.store(if finished { 0 } else { end }, Ordering::Relaxed);
    if finished { Ok(Answer::ok()) } else { Err(H_CONTINUE) }
}
