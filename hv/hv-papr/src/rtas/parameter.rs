//! System parameters (PAPR 7.3.16): a 16-bit big-endian length and the value.

use guest_mem::Order;
use hv_core::Visit;
use papr_abi::rtas::system_parameter::{LPAR_NAME, SPLPAR_CHARACTERISTICS};
use papr_abi::rtas::{self, NOT_AUTHORIZED, PARAMETER, SUCCESS, SYSTEM_PARAMETER_BUFFER};

use crate::papr::Papr;
use crate::rtas::cells::{Cells, Service};

pub(crate) const SERVICES: &[Service] = &[(rtas::GET_SYSTEM_PARAMETER, get), (rtas::SET_SYSTEM_PARAMETER, set)];

/// The value of a parameter that exists. Texts end with NUL, which counts.
fn value(papr: &Papr, visit: &Visit, parameter: u32) -> Option<String> {
    let cpus = papr.prodded.len();
    let mebibytes = visit.context.mem.len() >> 20;
    Some(match parameter {
        // The entitlement is in hundredths of a processor.
        SPLPAR_CHARACTERISTICS => {
            format!("MaxEntCap={},DesMem={mebibytes},DesProcs={cpus},MaxPlatProcs={cpus}\0", 100 * cpus)
        }
        LPAR_NAME => "PowerVisor\0".to_owned(),
        _ => return None,
    })
}

/// Number, buffer, its length. A value longer than the buffer is cut; its length tells.
fn get(papr: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    let [parameter, address, room] = [0, 1, 2].map(|n| cells.input(n));
    let Some(value) = value(papr, visit, parameter) else { return PARAMETER };
    let Some(room) = room.checked_sub(2) else { return SYSTEM_PARAMETER_BUFFER };
    let (mem, address) = (visit.context.mem, u64::from(address));
    let part: Vec<u8> = value.bytes().take(room as usize).collect();
    if !mem.contains(address, 2 + part.len() as u64) {
        return PARAMETER;
    }
    mem.store(address, Order::Big, value.len() as u16);
    mem.write(address + 2, &part);
    SUCCESS
}

/// What exists is the platform's to set.
fn set(papr: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    if value(papr, visit, cells.input(0)).is_some() { NOT_AUTHORIZED } else { PARAMETER }
}
