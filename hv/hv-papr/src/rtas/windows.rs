//! Dynamic DMA windows: what can be had, and adding and removing them (PAPR, "Dynamic DMA Windows Option").
//!
//! All functions behind a bridge are one partitionable endpoint, so the configuration address does not matter.

use hv_core::Visit;
use papr_abi::rtas::{self, HARDWARE, PARAMETER, SUCCESS};

use crate::papr::Papr;
use crate::rtas::cells::{Cells, Service};
use crate::rtas::pci::bridge;

pub(crate) const SERVICES: &[Service] = &[
    (rtas::QUERY_PE_DMA_WINDOW, |papr, _, cells| query(papr, cells, false)),
    (rtas::QUERY_PE_DMA_WINDOW_LONG, |papr, _, cells| query(papr, cells, true)),
    (rtas::CREATE_PE_DMA_WINDOW, create),
    (rtas::REMOVE_PE_DMA_WINDOW, remove),
    (rtas::RESET_PE_DMA_WINDOW, reset),
];

/// A page size as a bit: 4 KiB, 64 KiB, 16 MiB are the first three.
fn page_bit(shift: u32) -> u32 {
    match shift {
        12 => 1 << 0,
        16 => 1 << 1,
        24 => 1 << 2,
        _ => 0,
    }
}

/// To windows that can be added, pages of the largest one (in two cells if `wide`), page sizes, and those with which a
/// partition could migrate: none can.
fn query(papr: &Papr, cells: &mut Cells, wide: bool) -> i32 {
    let Some(bridge) = bridge(papr, cells) else { return PARAMETER };
    let room = bridge.window_room();
    let sizes = room.page_shifts.iter().fold(0, |bits, shift| bits | page_bit(*shift));
    let pages: &[u32] = match wide {
        true => &[(room.pages >> 32) as u32, room.pages as u32],
        false => &[u32::try_from(room.pages).unwrap_or(u32::MAX)],
    };
    let values = [&[room.windows][..], pages, &[sizes, 0]].concat();
    values.into_iter().enumerate().for_each(|(n, value)| cells.output(n, value));
    SUCCESS
}

/// Page size and window size as powers of two; to its logical I/O bus number and first bus address.
fn create(papr: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    let [page_shift, window_shift] = [3, 4].map(|n| cells.input(n));
    let Some(bridge) = bridge(papr, cells) else { return PARAMETER };
    let room = bridge.window_room();
    let pages = window_shift.checked_sub(page_shift).and_then(|shift| 1_u64.checked_shl(shift));
    if !room.page_shifts.contains(&page_shift) || pages.is_none_or(|pages| pages > room.pages) {
        return PARAMETER;
    }
    let Some((liobn, start)) = bridge.add_window(page_shift, window_shift) else { return HARDWARE };
    cells.output(0, liobn);
    cells.output(1, (start >> 32) as u32);
    cells.output(2, start as u32);
    SUCCESS
}

fn remove(papr: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    let liobn = cells.input(0);
    if papr.ports.bridges.iter().any(|bridge| bridge.remove_window(liobn)) { SUCCESS } else { PARAMETER }
}

fn reset(papr: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    let Some(bridge) = bridge(papr, cells) else { return PARAMETER };
    bridge.reset_windows();
    SUCCESS
}
