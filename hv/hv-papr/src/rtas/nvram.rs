//! nvram-fetch and nvram-store (PAPR 7.3.1): offset, buffer, length; how many bytes were moved.

use hv_core::Visit;
use papr_abi::rtas::{self, HARDWARE, PARAMETER, SUCCESS};

use crate::papr::Papr;
use crate::rtas::cells::{Cells, Service};

pub(crate) const SERVICES: &[Service] = &[(rtas::NVRAM_FETCH, fetch), (rtas::NVRAM_STORE, store)];

/// A buffer as long as the guest asks for; `None` when that is more than the store has.
fn buffer(papr: &Papr, len: u32) -> Option<Vec<u8>> {
    (len <= papr.ports.nvram.size()).then(|| vec![0; len as usize])
}

fn fetch(papr: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    let (offset, address, len) = (cells.input(0), u64::from(cells.input(1)), cells.input(2));
    let moved = buffer(papr, len)
        .is_some_and(|mut data| papr.ports.nvram.read(offset, &mut data) && visit.context.mem.write(address, &data));
    answer(cells, moved, len)
}

/// What is there and can not be kept is the medium's fault, not the guest's.
fn store(papr: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    let (offset, address, len) = (cells.input(0), u64::from(cells.input(1)), cells.input(2));
    let nvram = &papr.ports.nvram;
    let fits = offset.checked_add(len).is_some_and(|end| end <= nvram.size());
    let data = buffer(papr, len).filter(|_| fits);
    match data.and_then(|mut data| visit.context.mem.read(address, &mut data).then_some(data)) {
        Some(data) if !nvram.write(offset, &data) => HARDWARE,
        data => answer(cells, data.is_some(), len),
    }
}

fn answer(cells: &mut Cells, moved: bool, len: u32) -> i32 {
    cells.output(0, if moved { len } else { 0 });
    if moved { SUCCESS } else { PARAMETER }
}
