//! H_REGISTER_PROC_TBL and H_RPT_INVALIDATE (spec papr 2.2, 4.3).

use hv_core::Visit;
use papr_abi::hcall::{self, proc_tbl};
use papr_abi::status::{H_LONG_BUSY_ORDER_1_MSEC, H_P2, H_P3, H_P4, H_P5, H_PARAMETER, H_UNSUPPORTED};
use ppc_isa::Cpu;
use ppc_mmu::Invalidation;

use crate::answer::{Answer, Checked};
use crate::hash;
use crate::papr::{Arguments, Call, Papr};

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_REGISTER_PROC_TBL, handler: register_proc_tbl },
    Call { number: hcall::H_RPT_INVALIDATE, handler: rpt_invalidate },
];

/// Largest code of a table's size.
const MOST_SIZE: u64 = 24;

/// Chooses the translation of the partition: radix with its process table, or hash.
fn register_proc_tbl(papr: &Papr, visit: &mut Visit, &[flags, table, page_size, size, ..]: &Arguments) -> Checked {
    let known = proc_tbl::NEW | proc_tbl::RADIX | proc_tbl::HASH_SEGMENT_TABLES | proc_tbl::GTSE;
    let radix = flags & proc_tbl::RADIX != 0;
    if visit.vcpu.state.cpu == Cpu::Power8 || flags & !known != 0 || flags & proc_tbl::HASH_SEGMENT_TABLES != 0 {
        return Err(H_PARAMETER);
    }
    let partition = visit.context.partition;
    // Of radix trees: a page of 4 KiB below 2^60. Of segments in the SLB: a virtual page number, of no use here.
    let (misplaced, page_sizes) =
        if radix { (table & 0xfff != 0 || table >> 60 != 0, 0) } else { (table >> 38 != 0, 7) };
    match flags & proc_tbl::NEW {
        proc_tbl::NEW if misplaced => return Err(H_P2),
        proc_tbl::NEW if page_size & !page_sizes != 0 => return Err(H_P3),
        proc_tbl::NEW if size > MOST_SIZE => return Err(H_P4),
        proc_tbl::NEW if radix => {
            let bytes = 1 << (size + 12);
            if !visit.context.mem.contains(table, bytes) {
                return Err(H_P2);
            }
            if !partition.radix() {
                hash::leave(papr);
            }
            partition.set_process_table(true, table, bytes);
        }
        proc_tbl::NEW | proc_tbl::DEREGISTER => {
            // What the table held when radix trees came is not there any more when they go (spec papr 4.1).
            if partition.radix() && !hash::empty(papr, visit) {
                return Err(H_LONG_BUSY_ORDER_1_MSEC);
            }
            partition.set_process_table(false, 0, 0);
        }
        // Nothing is registered anew: the trees are what they were, or the call is wrong about them.
        0 if radix == partition.radix() => {}
        _ => return Err(H_PARAMETER),
    }
    partition.set_guest_invalidates(flags & proc_tbl::GTSE != 0);
    visit.context.invalidate(Invalidation::All);
    visit.context.settle();
    Ok(Answer::ok())
}

/// Who is to forget.
mod target {
    pub const ALL: u64 = 1;
    pub const LOCAL: u64 = 2;
    /// Accelerators, of which there are none.
    pub const NEST: u64 = 4;
}

/// What is to be forgotten.
mod kind {
    pub const TLB: u64 = 2;
    pub const WALK_CACHE: u64 = 4;
    pub const PROCESS_TABLE: u64 = 8;
}

/// Page sizes by their bits, as log2.
const PAGES: [u32; 4] = [12, 16, 21, 30];
const ALL_PAGES: u64 = u64::MAX;
/// Processes have as many bits (the default for guests whose tree does not say).
const PID_BITS: u32 = 20;
/// More pages than this are all of the process.
const MOST_PAGES: u64 = 32;

/// Forgets translations of a process in a range of effective addresses, in which walk caches and the process table have
/// no part.
fn rpt_invalidate(_: &Papr, visit: &mut Visit, arguments: &Arguments) -> Checked {
    let &[pid, target, kind, pages, start, end, ..] = arguments;
    let within = |value: u64, known: u64| value != 0 && value & !known == 0;
    if !visit.context.partition.radix() {
        return Err(H_UNSUPPORTED);
    }
    if pid >> PID_BITS != 0 {
        return Err(H_PARAMETER);
    }
    if !within(target, target::ALL | target::LOCAL | target::NEST) {
        return Err(H_P2);
    }
    if !within(kind, kind::TLB | kind::WALK_CACHE | kind::PROCESS_TABLE) {
        return Err(H_P3);
    }
    if kind & kind::TLB != 0 && pages != ALL_PAGES && !within(pages, (1 << PAGES.len()) - 1) {
        return Err(H_P4);
    }
    if end < start {
        return Err(H_P5);
    }
    let few = if kind == kind::TLB { few_pages(pages, start, end) } else { None };
    let whole = if pid == 0 { Invalidation::All } else { Invalidation::Process(pid as u32) };
    let what = few.unwrap_or_else(|| vec![whole]);
    if target & target::ALL != 0 {
        what.into_iter().for_each(|what| visit.context.invalidate(what));
        visit.context.settle();
    } else if target & target::LOCAL != 0 {
        what.into_iter().for_each(|what| visit.context.requests.invalidate(what));
    }
    Ok(Answer::ok())
}

/// The pages from `start` to `end`, if they are few. The range is what changed, so a page reaches beyond it that is
/// larger: it is forgotten as a whole.
fn few_pages(pages: u64, start: u64, end: u64) -> Option<Vec<Invalidation>> {
    let shift = PAGES.iter().enumerate().filter(|(bit, _)| pages >> bit & 1 != 0).map(|(_, shift)| *shift).max()?;
    if pages == ALL_PAGES || start == end {
        return None;
    }
    let (first, last) = (start >> shift, (end - 1) >> shift);
    let page = |number: u64| Invalidation::Page { address: number << shift, shift };
    (last - first < MOST_PAGES).then(|| (first..=last).map(page).collect())
}
