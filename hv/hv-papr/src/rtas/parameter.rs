//! System parameters (PAPR 7.3.16): a 16-bit big-endian length and the value.

use guest_mem::Order;
use hv_core::Visit;
use papr_abi::rtas::system_parameter::{LPAR_NAME, SPLPAR_CHARACTERISTICS};
use papr_abi::rtas::{self, NOT_AUTHORIZED, PARAMETER, SUCCESS, SYSTEM_PARAMETER_BUFFER};

use crate::papr::Papr;
use crate::removal::BLOCK_SHIFT;
use crate::rtas::cells::{Cells, Service};

pub(crate) const SERVICES: &[Service] = &[(rtas::GET_SYSTEM_PARAMETER, get), (rtas::SET_SYSTEM_PARAMETER, set)];

/// TLB block invalidate characteristics (PAPR 7.3.16.18).
const TLB_BLOCK_INVALIDATE: u32 = 50;

/// Blocks for H_BLOCK_REMOVE: log2 of their pages, number of page sizes, and these as an entry has them, L before the size
/// code; a block of no pages ends it. All sizes are those of `ibm,segment-page-sizes`.
fn tlb_blocks() -> Vec<u8> {
    const LARGE: u8 = 0x80;
    const SIZES: [u8; 3] = [0, LARGE | 1, LARGE];
    [&[BLOCK_SHIFT as u8, SIZES.len() as u8][..], &SIZES, &[0]].concat()
}

/// The value of a parameter that exists. Texts end with NUL, which counts.
fn value(papr: &Papr, visit: &Visit, parameter: u32) -> Option<Vec<u8>> {
    let (own, platform) = (papr.processors(), papr.cpus());
    let mebibytes = papr.memory(visit) >> 20;
    Some(match parameter {
        // The entitlement is in hundredths of a processor.
        SPLPAR_CHARACTERISTICS => {
            format!("MaxEntCap={},DesMem={mebibytes},DesProcs={own},MaxPlatProcs={platform}\0", 100 * platform)
                .into_bytes()
        }
        LPAR_NAME => b"PowerVisor\0".to_vec(),
        TLB_BLOCK_INVALIDATE => tlb_blocks(),
        _ => return None,
    })
}

/// Number, buffer, its length. A value longer than the buffer is cut; its length tells.
fn get(papr: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    let [parameter, address, room] = [0, 1, 2].map(|n| cells.input(n));
    let Some(value) = value(papr, visit, parameter) else { return PARAMETER };
    let Some(room) = room.checked_sub(2) else { return SYSTEM_PARAMETER_BUFFER };
    let (mem, address) = (visit.context.mem, u64::from(address));
    let part: Vec<u8> = value.iter().copied().take(room as usize).collect();
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
