//! H_GET_TCE and the calls that put entries into a DMA window (PAPR 14.5.4.2).
//!
//! The table belongs to the machine. A call changes all the entries that it names or none.

use guest_mem::Order;
use hv_core::Visit;
use papr_abi::hcall;
use papr_abi::status::H_PARAMETER;

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};
use crate::ports::DmaWindow;

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_GET_TCE, handler: get_tce },
    Call { number: hcall::H_PUT_TCE, handler: put_tce },
    Call { number: hcall::H_STUFF_TCE, handler: stuff_tce },
    Call { number: hcall::H_PUT_TCE_INDIRECT, handler: put_tce_indirect },
];

/// What a list of entries must be aligned to.
const PAGE: u64 = 4096;
/// Entries in a page-sized list.
const LONGEST_LIST: u64 = PAGE / 8;
/// Entries that are filled at once: those of 1 GiB in pages of 4 KiB.
const MOST_FILLED: u64 = 1 << 18;

/// The window of `liobn`, and the page of bus address `ioba` in it.
fn page(papr: &Papr, liobn: u64, ioba: u64) -> Result<(Box<dyn DmaWindow>, u64), i64> {
    let liobn = u32::try_from(liobn).map_err(|_| H_PARAMETER)?;
    let window = papr.ports.bridges.iter().find_map(|bridge| bridge.window(liobn)).ok_or(H_PARAMETER)?;
    let page = window.page(ioba).ok_or(H_PARAMETER)?;
    Ok((window, page))
}

fn done(done: bool) -> Checked {
    if done { Ok(Answer::ok()) } else { Err(H_PARAMETER) }
}

fn get_tce(papr: &Papr, _: &mut Visit, &[liobn, ioba, ..]: &Arguments) -> Checked {
    let (window, page) = page(papr, liobn, ioba)?;
    Ok(Answer::outputs([window.entry(page).ok_or(H_PARAMETER)?]))
}

fn put_tce(papr: &Papr, _: &mut Visit, &[liobn, ioba, tce, ..]: &Arguments) -> Checked {
    let (window, page) = page(papr, liobn, ioba)?;
    done(window.set(page, &[tce]))
}

/// Older kernels free a mapping of any size at once.
fn stuff_tce(papr: &Papr, _: &mut Visit, &[liobn, ioba, tce, count, ..]: &Arguments) -> Checked {
    let (window, page) = page(papr, liobn, ioba)?;
    done(count <= MOST_FILLED && window.fill(page, count, tce))
}

fn put_tce_indirect(papr: &Papr, visit: &mut Visit, &[liobn, ioba, list, count, ..]: &Arguments) -> Checked {
    let (window, page) = page(papr, liobn, ioba)?;
    let mem = visit.context.mem;
    if count > LONGEST_LIST || !list.is_multiple_of(PAGE) || !mem.contains(list, count * 8) {
        return Err(H_PARAMETER);
    }
    let entries = (0..count).map_while(|n| mem.load::<u64>(list + 8 * n, Order::Big));
    done(window.set(page, &entries.collect::<Vec<u64>>()))
}
