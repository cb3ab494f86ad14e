//! H_RESIZE_HPT_PREPARE and H_RESIZE_HPT_COMMIT (spec papr 2.1): a hashed page table of another size.
//!
//! The guest prepares a table, which takes several calls, and commits it, which takes one: until then the old table is
//! in force for every vCPU, from then on the new one, and no walk ever sees a half of either.
//!
//! An entry keeps its place within its group, where guests look for it again (Linux remembers it for user pages): so a
//! growing table takes all entries as they are. Where groups become one, those of the first come first; an entry whose
//! place is taken is dropped, as every hypervisor may, unless it is bolted: then another place is free, or is made free
//! by dropping an entry that is not bolted. Only a group of nine bolted entries is H_PTEG_FULL, and nothing has
//! changed.

use hv_core::Visit;
use papr_abi::hcall;
use papr_abi::status::{
    H_AUTHORITY, H_BUSY, H_CLOSED, H_LONG_BUSY_ORDER_1_MSEC, H_NOT_AVAILABLE, H_PARAMETER, H_PTEG_FULL, H_RESOURCE,
};
use ppc_mmu::Invalidation;
use ppc_mmu::hash::{Place, R_CHANGE, R_REFERENCE, V_BOLTED, V_VALID};
use ppc_mmu::resizable::{Resizable, SHIFTS};
use ppc_mmu::table::{GROUP, HashTable};

use crate::answer::{Answer, Checked};
use crate::hash::{lock, real};
use crate::papr::{Arguments, Call, Papr};
use crate::unfinished::Resizing;

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_RESIZE_HPT_PREPARE, handler: prepare },
    Call { number: hcall::H_RESIZE_HPT_COMMIT, handler: commit },
];

/// A table may have twice the bytes that are recommended for the partition's memory, a 128th of it (spec papr 4.2), so
/// that no guest takes the host's memory with it. Memory counts from when it was offered: guests make room before they
/// take it.
const MEMORY_SHIFT: u32 = 7 - 1;

/// What both calls check first: the tables, and the size that the guest wants, if any.
fn checked<'a>(visit: &Visit<'a>, flags: u64, shift: u64) -> Result<(&'a Resizable, Option<u32>), i64> {
    let partition = visit.context.partition;
    let tables = partition.hash_tables().ok_or(H_AUTHORITY)?;
    if partition.radix() {
        return Err(H_NOT_AVAILABLE);
    }
    let wanted = u32::try_from(shift).map_err(|_| H_PARAMETER)?;
    if flags != 0 || wanted != 0 && !SHIFTS.contains(&wanted) {
        return Err(H_PARAMETER);
    }
    Ok((tables, (wanted != 0).then_some(wanted)))
}

/// To be called until it is not busy. Shift 0 takes back what was asked for, another shift asks for something else.
fn prepare(papr: &Papr, visit: &mut Visit, &[flags, shift, ..]: &Arguments) -> Checked {
    let (tables, wanted) = checked(visit, flags, shift)?;
    let memory = papr.memory(visit);
    let most = memory.next_power_of_two().ilog2().saturating_sub(MEMORY_SHIFT);
    if wanted.is_some_and(|wanted| wanted > most.max(SHIFTS.start() + 1)) {
        return Err(H_RESOURCE);
    }
    let mut unfinished = lock(papr);
    let resizing = std::mem::take(&mut unfinished.resizing);
    let Some(wanted) = wanted else { return Ok(Answer::ok()) };
    let resizing = if resizing.shift() == Some(wanted) { resizing } else { Resizing::begin(tables, wanted)? };
    unfinished.resizing = resizing.advance(tables);
    match unfinished.resizing {
        Resizing::Prepared { .. } => Ok(Answer::ok()),
        _ => Err(H_LONG_BUSY_ORDER_1_MSEC),
    }
}

/// Puts the table in force that was prepared. Whatever comes of it, nothing is prepared any more.
fn commit(papr: &Papr, visit: &mut Visit, &[flags, shift, ..]: &Arguments) -> Checked {
    let (tables, wanted) = checked(visit, flags, shift)?;
    let mut unfinished = lock(papr);
    let wanted = wanted.filter(|wanted| unfinished.resizing.shift() == Some(*wanted)).ok_or(H_CLOSED)?;
    if !matches!(unfinished.resizing, Resizing::Prepared { .. }) {
        return Err(H_BUSY);
    }
    unfinished.resizing = Resizing::Idle;
    let (old, new) = (tables.current().ok_or(H_CLOSED)?, tables.of(wanted).ok_or(H_CLOSED)?);
    if std::ptr::eq(old, new) {
        return Ok(Answer::ok());
    }
    copy(old, new)?;
    tables.switch(wanted);
    visit.context.invalidate(Invalidation::All);
    visit.context.settle();
    // Nobody walks the old table any more.
    hand_on(old, new);
    entries(old).for_each(|(_, v, r)| papr.entries.remove(real(v, r)));
    entries(new).for_each(|(_, v, r)| papr.entries.enter(real(v, r)));
    unfinished.begin_anew();
    Ok(Answer::ok())
}

/// The valid entries of a table: index and words.
fn entries(table: &HashTable) -> impl Iterator<Item = (u64, u64, u64)> {
    let words = |index| table.read(index).map(|(v, r)| (index, v, r));
    (0..table.len()).filter_map(words).filter(|(_, v, _)| v & V_VALID != 0)
}

/// First index of the group that an entry at `index` of `old` has in `new`.
fn group(old: &HashTable, new: &HashTable, index: u64, v: u64, r: u64) -> Option<u64> {
    let place = Place::of(v, r, index / GROUP, old.groups())?;
    Some((place.hash & (new.groups() - 1)) * GROUP)
}

/// Copies the entries of `old` into `new`, in which none is valid. Walks may still set reference and change bits in
/// `old`.
fn copy(old: &HashTable, new: &HashTable) -> Result<(), i64> {
    for (index, v, r) in entries(old) {
        let Some(group) = group(old, new, index, v, r) else { continue };
        let is = |slot: &u64, bits: u64| new.read(*slot).is_some_and(|(v, _)| v & bits != 0);
        let own = group + index % GROUP;
        let slot = if v & V_BOLTED == 0 {
            Some(own).filter(|slot| !is(slot, V_VALID))
        } else {
            let mut slots = [own].into_iter().chain(group..group + GROUP);
            let free = slots.clone().find(|slot| !is(slot, V_VALID));
            Some(free.or_else(|| slots.find(|slot| !is(slot, V_BOLTED))).ok_or(H_PTEG_FULL)?)
        };
        if let Some(slot) = slot {
            new.write(slot, v, r);
        }
    }
    Ok(())
}

/// Hands on the reference and change bits that were set in `old` behind the copy.
fn hand_on(old: &HashTable, new: &HashTable) {
    const NOTED: u64 = R_REFERENCE | R_CHANGE;
    for (index, v, r) in entries(old) {
        let Some(group) = group(old, new, index, v, r) else { continue };
        let same = |slot: &u64| new.read(*slot).is_some_and(|(w, s)| w == v && (r ^ s) & !NOTED == 0);
        if let Some(slot) = [group + index % GROUP].into_iter().chain(group..group + GROUP).find(same) {
            new.change(slot, r & NOTED, r);
        }
    }
}
