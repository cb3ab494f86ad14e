//! H_SCM_*: persistent memory, bound to guest real addresses in blocks (spec papr 3).
//!
//! A device is named by its connector. Its label area is read and written by value; its blocks are guest memory while
//! they are bound. A call moves a few GiB at most; for more, the guest calls again with a token.

use std::ops::Range;
use std::sync::{Arc, MutexGuard, PoisonError};

use guest_mem::Order;
use hv_core::Visit;
use papr_abi::hcall;
use papr_abi::scm::{CHOOSE_ADDRESS, SCOPE_ALL, SCOPE_ONE, statistics};
use papr_abi::status::{
    H_BUSY, H_HARDWARE, H_IN_USE, H_LONG_BUSY_ORDER_1_MSEC, H_NOT_FOUND, H_OVERLAP, H_P2, H_P3, H_P4, H_P5,
    H_PARAMETER, H_PARTIAL, H_SUCCESS, H_TOO_BIG,
};
use ppc_mmu::Invalidation;

use crate::answer::{Answer, Checked};
use crate::hash;
use crate::papr::{Arguments, Call, Papr};
use crate::ports::{Flushed, PersistentMemory};

pub(crate) mod bindings;
mod operations;

use bindings::{Bindings, Bound};
use operations::Operation;

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_SCM_READ_METADATA, handler: read_metadata },
    Call { number: hcall::H_SCM_WRITE_METADATA, handler: write_metadata },
    Call { number: hcall::H_SCM_BIND_MEM, handler: bind_mem },
    Call { number: hcall::H_SCM_UNBIND_MEM, handler: unbind_mem },
    Call { number: hcall::H_SCM_QUERY_BLOCK_MEM_BINDING, handler: query_block },
    Call { number: hcall::H_SCM_QUERY_LOGICAL_MEM_BINDING, handler: query_logical },
    Call { number: hcall::H_SCM_UNBIND_ALL, handler: unbind_all },
    Call { number: hcall::H_SCM_HEALTH, handler: health },
    Call { number: hcall::H_SCM_PERFORMANCE_STATS, handler: performance_stats },
    Call { number: hcall::H_SCM_FLUSH, handler: flush },
];

/// Bytes that one call binds or unbinds, if a block is not larger.
const SLICE: u64 = 4 << 30;
/// Statistics that one call looks up.
const MOST_STATISTICS: u64 = 256;
/// Above the addresses that Power ISA has (Book III, section 5.7.1).
const REAL_END: u64 = 1 << 60;

/// The device of connector `drc`, as long as the guest has that in use; connectors have 32 bits.
fn device(papr: &Papr, drc: u64) -> Option<Arc<dyn PersistentMemory>> {
    let drc = u32::try_from(drc).ok()?;
    let device = papr.ports.persistent.device(drc)?;
    papr.ports.connectors.is_configured(drc).then_some(device)
}

fn lock(papr: &Papr) -> MutexGuard<'_, Bindings> {
    papr.bindings.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes to transfer, as the guest asks for them.
fn transfer(len: u64) -> Option<usize> {
    matches!(len, 1 | 2 | 4 | 8).then_some(len as usize)
}

fn read_metadata(papr: &Papr, _: &mut Visit, &[drc, offset, len, ..]: &Arguments) -> Checked {
    let device = device(papr, drc).ok_or(H_PARAMETER)?;
    let len = transfer(len).ok_or(H_P3)?;
    let mut bytes = [0; 8];
    let low = bytes.get_mut(8 - len..).ok_or(H_P3)?;
    if !device.read_label(offset, low) {
        return Err(H_P2);
    }
    Ok(Answer::outputs([u64::from_be_bytes(bytes)]))
}

fn write_metadata(papr: &Papr, _: &mut Visit, &[drc, offset, data, len, ..]: &Arguments) -> Checked {
    let device = device(papr, drc).ok_or(H_PARAMETER)?;
    let len = transfer(len).ok_or(H_P4)?;
    let end = offset.checked_add(len as u64).ok_or(H_P2)?;
    // Too many bits of data are the offset's fault where this was first done, and so guests know it.
    if end > device.geometry().labels || len < 8 && data >> (8 * len) != 0 {
        return Err(H_P2);
    }
    let bytes = data.to_be_bytes();
    let written = device.write_label(offset, bytes.get(8 - len..).ok_or(H_P4)?);
    if written { Ok(Answer::ok()) } else { Err(H_HARDWARE) }
}

/// Blocks from the next on that one call moves.
fn slice(block_size: u64, left: u64) -> u64 {
    left.min((SLICE / block_size).max(1))
}

/// Connector, first block, count, address or a choice of ours, token.
fn bind_mem(papr: &Papr, _: &mut Visit, &[drc, first, count, target, token, ..]: &Arguments) -> Checked {
    let device = device(papr, drc).ok_or(H_PARAMETER)?;
    let (geometry, drc) = (device.geometry(), drc as u32);
    let mut bindings = lock(papr);
    let begun = Operation::new(hcall::H_SCM_BIND_MEM, drc, [first, count, target]);
    let mut operation = bindings.operations.resume(token, begun).ok_or(H_P5)?;
    if first >= geometry.blocks {
        return Err(H_P2);
    }
    if count == 0 || count > geometry.blocks - first {
        return Err(H_P3);
    }
    let size = geometry.block_size;
    if operation.done == 0 {
        operation.address = bindings.place(&papr.ports.persistent.window, drc, (first, count), target, size)?;
    }
    let (block, now) = (first + operation.done, slice(size, count - operation.done));
    let at = operation.address + operation.done * size;
    // Others may have come between two calls.
    if bindings.any_bound(drc, block..block + now) || bindings.meets(at..at + now * size) {
        return Err(H_OVERLAP);
    }
    if !device.map(at, block, now) {
        return Err(H_HARDWARE);
    }
    bindings.bind(drc, block..block + now, at, size);
    operation.done += now;
    Ok(outcome(&mut bindings, operation.done < count, operation, &[operation.address, operation.done]))
}

/// The answer of a call that may have to be made again: token, then `outputs`.
fn outcome(bindings: &mut Bindings, more: bool, operation: Operation, outputs: &[u64]) -> Answer {
    let token = if more { bindings.operations.open(operation) } else { 0 };
    let status = if more { H_BUSY } else { H_SUCCESS };
    Answer { status, ..Answer::outputs([&[token], outputs].concat()) }
}

/// Unbinds `blocks`, in order. Nothing is unbound when the hashed page table still has entries for one of them.
fn unbind(papr: &Papr, visit: &Visit, bindings: &mut Bindings, blocks: &[Bound]) -> Result<(), i64> {
    let mem = visit.context.mem;
    {
        let _table = hash::lock(papr);
        if !visit.context.partition.radix() && blocks.iter().any(|bound| papr.entries.any(bound.range())) {
            return Err(H_IN_USE);
        }
        blocks.iter().for_each(|bound| mem.withdraw(bound.range()));
    }
    visit.context.invalidate(Invalidation::All);
    visit.context.settle();
    for bound in blocks {
        let device = papr.ports.persistent.device(bound.drc);
        let kept = device.is_none_or(|device| device.unmap(bound.block..bound.block + 1));
        if !kept || mem.release(bound.range()).is_err() {
            return Err(H_HARDWARE);
        }
        bindings.unbind(bound.address);
    }
    Ok(())
}

/// Connector, address of the first block, count, token.
fn unbind_mem(papr: &Papr, visit: &mut Visit, &[drc, start, count, token, ..]: &Arguments) -> Checked {
    let geometry = device(papr, drc).ok_or(H_PARAMETER)?.geometry();
    let (size, drc) = (geometry.block_size, drc as u32);
    let mut bindings = lock(papr);
    let begun = Operation::new(hcall::H_SCM_UNBIND_MEM, drc, [start, count, 0]);
    let mut operation = bindings.operations.resume(token, begun).ok_or(H_P4)?;
    let own = |address: u64| bindings.at(address).filter(|bound| bound.drc == drc);
    if !start.is_multiple_of(size) || operation.done == 0 && own(start).is_none() {
        return Err(H_P2);
    }
    if count <= operation.done || count > geometry.blocks {
        return Err(H_P3);
    }
    let left = count - operation.done;
    let at = start + operation.done * size;
    let blocks: Vec<_> = (0..left).map_while(|n| own(at.checked_add(n * size)?)).collect();
    if (blocks.len() as u64) < left {
        return Err(H_P3);
    }
    let now = slice(size, left);
    unbind(papr, visit, &mut bindings, blocks.get(..now as usize).unwrap_or(&blocks))?;
    operation.done += now;
    Ok(outcome(&mut bindings, operation.done < count, operation, &[operation.done]))
}

/// Scope, connector, token. What is not bound is no error: guests call this when they clean up.
fn unbind_all(papr: &Papr, visit: &mut Visit, &[scope, drc, token, ..]: &Arguments) -> Checked {
    let only = match scope {
        SCOPE_ALL => None,
        SCOPE_ONE => Some(device(papr, drc).map(|_| drc as u32).ok_or(H_P2)?),
        _ => return Err(H_PARAMETER),
    };
    let mut bindings = lock(papr);
    let begun = Operation::new(hcall::H_SCM_UNBIND_ALL, only.unwrap_or(0), [scope, 0, 0]);
    let mut operation = bindings.operations.resume(token, begun).ok_or(H_P4)?;
    let mut bytes = 0;
    // At least one block, else as many as fit into a slice.
    let fits = |bound: &Bound| {
        let first = bytes == 0;
        bytes += bound.size;
        first || bytes <= SLICE
    };
    let blocks: Vec<_> = bindings.of(only).take_while(fits).collect();
    unbind(papr, visit, &mut bindings, &blocks)?;
    operation.done += blocks.len() as u64;
    let more = bindings.of(only).next().is_some();
    Ok(outcome(&mut bindings, more, operation, &[operation.done]))
}

fn query_block(papr: &Papr, _: &mut Visit, &[drc, block, ..]: &Arguments) -> Checked {
    let geometry = device(papr, drc).ok_or(H_PARAMETER)?.geometry();
    if block >= geometry.blocks {
        return Err(H_P2);
    }
    Ok(Answer::outputs([lock(papr).address(drc as u32, block).ok_or(H_NOT_FOUND)?]))
}

/// Any address in a block asks for the block.
fn query_logical(papr: &Papr, _: &mut Visit, &[address, ..]: &Arguments) -> Checked {
    if address >= REAL_END {
        return Err(H_PARAMETER);
    }
    let bound = lock(papr).around(address).ok_or(H_NOT_FOUND)?;
    Ok(Answer::outputs([bound.drc.into(), bound.block]))
}

fn health(papr: &Papr, _: &mut Visit, &[drc, ..]: &Arguments) -> Checked {
    let (states, valid) = device(papr, drc).ok_or(H_PARAMETER)?.health();
    Ok(Answer::outputs([states & valid, valid]))
}

/// Connector, buffer, its size; a buffer at 0 asks for the size.
fn performance_stats(papr: &Papr, visit: &mut Visit, &[drc, buffer, size, ..]: &Arguments) -> Checked {
    use statistics::{COUNT, EYE_CATCHER, FIRST, ROW, VERSION, VERSION_AT};
    let all = device(papr, drc).ok_or(H_PARAMETER)?.statistics();
    let needed = |count: u64| FIRST + ROW * count;
    if buffer == 0 {
        return if size == 0 { Ok(Answer::outputs([needed(all.len() as u64)])) } else { Err(H_P2) };
    }
    let mem = visit.context.mem;
    if size < FIRST {
        return Err(H_P3);
    }
    if !mem.contains(buffer, size) {
        return Err(H_P2);
    }
    let number = |at: u64| mem.load::<u64>(at, Order::Big).ok_or(H_P2);
    let word = |at: u64| mem.load::<u32>(at, Order::Big).ok_or(H_P2);
    if number(buffer)? != EYE_CATCHER || word(buffer + VERSION_AT)? != VERSION {
        return Err(H_P2);
    }
    let asked = u64::from(word(buffer + COUNT)?);
    let count = if asked == 0 { all.len() as u64 } else { asked };
    if count > MOST_STATISTICS || needed(count) > size {
        return Err(H_P3);
    }
    if asked == 0 {
        mem.store(buffer + COUNT, Order::Big, count as u32);
        for ((name, _), at) in all.iter().zip((buffer + FIRST..).step_by(ROW as usize)) {
            mem.store(at, Order::Big, u64::from_be_bytes(*name));
        }
    }
    for at in (buffer + FIRST..).step_by(ROW as usize).take(count as usize) {
        let name = number(at)?;
        let Some((_, value)) = all.iter().find(|(known, _)| u64::from_be_bytes(*known) == name) else {
            return Ok(Answer { status: H_PARTIAL, ..Answer::outputs([name]) });
        };
        mem.store(at + 8, Order::Big, *value);
    }
    Ok(Answer::ok())
}

/// Connector, token. The token is written in every case: guests pass on what they find.
fn flush(papr: &Papr, _: &mut Visit, &[drc, token, ..]: &Arguments) -> Checked {
    let (status, token) = match device(papr, drc).ok_or(H_PARAMETER)?.flush(token) {
        Flushed::Done => (H_SUCCESS, 0),
        Flushed::Failed => return Err(H_HARDWARE),
        Flushed::Busy(token) => (H_LONG_BUSY_ORDER_1_MSEC, token),
        Flushed::Unknown => return Err(H_P2),
    };
    Ok(Answer { status, ..Answer::outputs([token]) })
}

/// Unbinds everything of a device that is given back.
///
/// # Errors
/// What keeps a block bound.
pub(crate) fn unbind_device(papr: &Papr, visit: &Visit, drc: u32) -> Result<(), i64> {
    let mut bindings = lock(papr);
    let blocks: Vec<_> = bindings.of(Some(drc)).collect();
    unbind(papr, visit, &mut bindings, &blocks)
}

impl Bindings {
    /// Where a new binding of the blocks `first`, `count` goes: to `target`, or where there is room.
    fn place(
        &self,
        window: &Range<u64>,
        drc: u32,
        (first, count): (u64, u64),
        target: u64,
        size: u64,
    ) -> Result<u64, i64> {
        let bytes = count * size;
        let address = if target == CHOOSE_ADDRESS {
            self.choose(window, size, bytes).ok_or(H_TOO_BIG)?
        } else {
            if !target.is_multiple_of(size) || !window.contains(&target) {
                return Err(H_P4);
            }
            target
        };
        if self.any_bound(drc, first..first + count) || self.meets(address..address.saturating_add(bytes)) {
            return Err(H_OVERLAP);
        }
        if window.end - address < bytes { Err(H_TOO_BIG) } else { Ok(address) }
    }
}
