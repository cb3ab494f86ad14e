//! What a partition is entitled to, and what it and its pool of processors have used: H_GET_PPP, H_PIC, H_PURR, H_GET_MPP
//! (PAPR 14.11.3, 14.12), as Linux shows it in `/proc/powerpc/lparcfg`.
//!
//! There is one partition, uncapped, with a processor of its pool for each of its vCPUs, and all its memory is its own;
//! what connectors bring counts once it is there. Nobody may change that from inside.

use exec::timebase;
use hv_core::Visit;
use papr_abi::hcall;
use papr_abi::status::H_AUTHORITY;

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_GET_PPP, handler: get_ppp },
    Call { number: hcall::H_SET_PPP, handler: |_, _, _| Err(H_AUTHORITY) },
    Call { number: hcall::H_PURR, handler: purr },
    Call { number: hcall::H_PIC, handler: pic },
    Call { number: hcall::H_SET_MPP, handler: |_, _, _| Err(H_AUTHORITY) },
    Call { number: hcall::H_GET_MPP, handler: get_mpp },
];

/// Hundredths of a processor.
const WHOLE: u64 = 100;
/// The weight that partitions have unless somebody gives them another one.
const WEIGHT: u64 = 128;

impl Papr {
    /// vCPUs that the partition has now.
    pub(crate) fn processors(&self) -> u64 {
        self.cpus().saturating_sub(self.ports.connectors.missing_processors())
    }

    /// Bytes of memory that the partition has now, or may take.
    pub(crate) fn memory(&self, visit: &Visit) -> u64 {
        visit.context.mem.len() + self.ports.connectors.memory()
    }
}

/// Entitled and unallocated capacity; group and pool, both 0; weight and processors; what the platform has of them.
fn get_ppp(papr: &Papr, _: &mut Visit, _: &Arguments) -> Checked {
    let (own, platform) = (papr.processors(), papr.cpus());
    let capacity = WHOLE * own;
    Ok(Answer::outputs([capacity, 0, 0, WEIGHT << 40 | own << 16 | own, platform << 48 | capacity << 24 | capacity]))
}

/// What the register of that name holds.
fn purr(_: &Papr, visit: &mut Visit, _: &Arguments) -> Checked {
    Ok(Answer::outputs([timebase::timebase(&visit.vcpu.state, visit.context)]))
}

/// Ticks that the processors of the pool were idle, and their number.
fn pic(papr: &Papr, _: &mut Visit, _: &Arguments) -> Checked {
    let idle = |number| papr.processor(number).map_or(0, |processor| processor.times.waited);
    Ok(Answer::outputs([(0..papr.cpus()).map(idle).fold(0, u64::wrapping_add), papr.processors()]))
}

/// Entitlement, what of it is mapped for devices, group and pool (none), weights, size of the pool, loan, backing memory.
fn get_mpp(papr: &Papr, visit: &mut Visit, _: &Arguments) -> Checked {
    const NO_POOL: u64 = 0xffff;
    let memory = papr.memory(visit);
    Ok(Answer::outputs([memory, 0, NO_POOL, 0, 0, 0, memory]))
}
