//! Calls that touch RAM for a guest: H_PAGE_INIT, H_LOGICAL_CI_LOAD and H_LOGICAL_CI_STORE (PAPR 14.5.4.3).
//!
//! The processor's caches are coherent and instructions are dropped when their page is written, so the cache flags
//! ask for nothing that a store does not do anyway.

use guest_mem::{GuestMem, Order, PAGE_SIZE};
use hv_core::Visit;
use papr_abi::hcall::{self, page_init};
use papr_abi::status::H_PARAMETER;

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_PAGE_INIT, handler: h_page_init },
    Call { number: hcall::H_LOGICAL_CI_LOAD, handler: logical_ci_load },
    Call { number: hcall::H_LOGICAL_CI_STORE, handler: logical_ci_store },
];

fn h_page_init(_: &Papr, visit: &mut Visit, &[flags, to, from, ..]: &Arguments) -> Checked {
    const CACHES: u64 = page_init::ICACHE_INVALIDATE | page_init::ICACHE_SYNCHRONIZE;
    let mem = visit.context.mem;
    let page = |address: u64| address.is_multiple_of(PAGE_SIZE) && mem.contains(address, PAGE_SIZE);
    let done = match flags & !CACHES {
        0 => page(to),
        page_init::ZERO_PAGE => page(to) && mem.zero(to, PAGE_SIZE),
        page_init::COPY_PAGE => {
            let mut copy = [0; PAGE_SIZE as usize];
            page(to) && page(from) && mem.read(from, &mut copy) && mem.write(to, &copy)
        }
        _ => false,
    };
    if done { Ok(Answer::ok()) } else { Err(H_PARAMETER) }
}

/// Checks the operand of a cache-inhibited access: 1, 2, 4 or 8 bytes, aligned, in RAM.
fn operand(mem: &GuestMem, size: u64, address: u64) -> Result<(), i64> {
    let valid = matches!(size, 1 | 2 | 4 | 8) && address.is_multiple_of(size) && mem.contains(address, size);
    if valid { Ok(()) } else { Err(H_PARAMETER) }
}

/// The value is zero-extended, its bytes taken as big-endian.
fn logical_ci_load(_: &Papr, visit: &mut Visit, &[size, address, ..]: &Arguments) -> Checked {
    let mem = visit.context.mem;
    operand(mem, size, address)?;
    let value = match size {
        1 => mem.load::<u8>(address, Order::Big).map(u64::from),
        2 => mem.load::<u16>(address, Order::Big).map(u64::from),
        4 => mem.load::<u32>(address, Order::Big).map(u64::from),
        _ => mem.load::<u64>(address, Order::Big),
    };
    Ok(Answer::outputs([value.ok_or(H_PARAMETER)?]))
}

fn logical_ci_store(_: &Papr, visit: &mut Visit, &[size, address, value, ..]: &Arguments) -> Checked {
    let mem = visit.context.mem;
    operand(mem, size, address)?;
    let done = match size {
        1 => mem.store(address, Order::Big, value as u8),
        2 => mem.store(address, Order::Big, value as u16),
        4 => mem.store(address, Order::Big, value as u32),
        _ => mem.store(address, Order::Big, value),
    };
    if done { Ok(Answer::ok()) } else { Err(H_PARAMETER) }
}
