//! H_REGISTER_VPA (PAPR 14.11.2; spec papr 9).

use guest_mem::{GuestMem, Order};
use hv_core::Visit;
use papr_abi::hcall;
use papr_abi::status::{H_PARAMETER, H_RESOURCE};

use crate::answer::{Answer, Checked};
use crate::areas::{ENTRY, Log, field};
use crate::papr::{Arguments, Call, Papr};

pub(crate) const CALLS: &[Call] = &[Call { number: hcall::H_REGISTER_VPA, handler: register_vpa }];

/// Sub-functions: IBM bits 16 to 18 of the flags.
mod function {
    pub const SHIFT: u32 = 45;
    pub const REGISTER_VPA: u64 = 1;
    pub const REGISTER_LOG: u64 = 2;
    pub const REGISTER_SLB_SHADOW: u64 = 3;
    pub const DEREGISTER_VPA: u64 = 5;
    pub const DEREGISTER_LOG: u64 = 6;
    pub const DEREGISTER_SLB_SHADOW: u64 = 7;
}

/// In the status byte: the processor is shared with others.
const SHARED: u8 = 0x02;
/// Smallest size of a virtual processor area.
const VPA_SIZE: u64 = 640;
/// Smallest size of an SLB shadow buffer.
const SLB_SHADOW_SIZE: u64 = 8;
const CACHE_LINE: u64 = 128;
const PAGE: u64 = 4096;

fn register_vpa(papr: &Papr, visit: &mut Visit, &[flags, cpu, address, ..]: &Arguments) -> Checked {
    let mut processor = papr.processor(cpu).ok_or(H_PARAMETER)?;
    let running = processor.running();
    let mem = visit.context.mem;
    let areas = &mut processor.areas;
    match flags >> function::SHIFT & 7 {
        function::REGISTER_VPA => {
            let size = u64::from(length::<u16>(mem, address)?);
            if !address.is_multiple_of(CACHE_LINE) || size < VPA_SIZE || !in_page(mem, address, size) {
                return Err(H_PARAMETER);
            }
            areas.vpa = Some(address);
            let status = mem.load::<u8>(address + field::STATUS, Order::Big).unwrap_or(0);
            mem.store(address + field::STATUS, Order::Big, status | SHARED);
            if areas.yield_count(mem).is_some_and(|count| count & 1 == u32::from(running)) {
                areas.step_yield_count(mem, running);
            }
        }
        function::REGISTER_LOG => {
            let size = u64::from(length::<u32>(mem, address)?);
            if size < ENTRY || !mem.contains(address, size) {
                return Err(H_PARAMETER);
            }
            let vpa = areas.vpa.ok_or(H_RESOURCE)?;
            areas.log = Some(Log { start: address, entries: size / ENTRY, written: 0 });
            mem.store(vpa + field::LOG_INDEX, Order::Big, 0_u64);
        }
        function::REGISTER_SLB_SHADOW => {
            let size = u64::from(length::<u32>(mem, address)?);
            if size < SLB_SHADOW_SIZE || !in_page(mem, address, size) {
                return Err(H_PARAMETER);
            }
            areas.vpa.ok_or(H_RESOURCE)?;
            areas.slb_shadow = Some(address);
        }
        function::DEREGISTER_VPA if areas.slb_shadow.is_some() || areas.log.is_some() => return Err(H_RESOURCE),
        function::DEREGISTER_VPA => areas.vpa = None,
        function::DEREGISTER_LOG => areas.log = None,
        function::DEREGISTER_SLB_SHADOW => areas.slb_shadow = None,
        _ => return Err(H_PARAMETER),
    }
    Ok(Answer::ok())
}

/// An area's own length, behind its first word.
fn length<T: guest_mem::Word>(mem: &GuestMem, address: u64) -> Result<T, i64> {
    let at = address.checked_add(4).filter(|_| address != 0).ok_or(H_PARAMETER)?;
    mem.load::<T>(at, Order::Big).ok_or(H_PARAMETER)
}

fn in_page(mem: &GuestMem, address: u64, len: u64) -> bool {
    address % PAGE + len <= PAGE && mem.contains(address, len)
}
