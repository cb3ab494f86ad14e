//! H_SET_MODE, H_RANDOM, H_GET_CPU_CHARACTERISTICS and other calls about the partition as a whole.

use exec::partition::Ail;
use guest_mem::Order;
use hv_core::Visit;
use papr_abi::hcall::{self, set_mode};
use papr_abi::status::{H_HARDWARE, H_P2, H_P3, H_P4, unsupported_flag};
use ppc_mmu::Invalidation;

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_SET_MODE, handler: h_set_mode },
    Call { number: hcall::H_RANDOM, handler: random },
    Call { number: hcall::H_GET_CPU_CHARACTERISTICS, handler: get_cpu_characteristics },
];

/// Interrupt location and byte order are the partition's; breakpoints are not offered.
fn h_set_mode(_: &Papr, visit: &mut Visit, &[flags, resource, value1, value2, ..]: &Arguments) -> Checked {
    if resource != set_mode::LE && resource != set_mode::ADDR_TRANS_MODE {
        return Err(H_P2);
    }
    if value1 != 0 {
        return Err(H_P3);
    }
    if value2 != 0 {
        return Err(H_P4);
    }
    let partition = visit.context.partition;
    match (resource, flags) {
        (set_mode::LE, 0) => partition.set_interrupt_order(Order::Big),
        (set_mode::LE, 1) => partition.set_interrupt_order(Order::Little),
        (set_mode::ADDR_TRANS_MODE, 0) => partition.set_ail(Ail::Off),
        (set_mode::ADDR_TRANS_MODE, 3) => partition.set_ail(Ail::High),
        (set_mode::ADDR_TRANS_MODE, _) => return Err(unsupported_flag(0)),
        _ => return Err(unsupported_flag(63)),
    }
    visit.vcpu.shared.expect(partition.interrupt_order());
    visit.context.invalidate(Invalidation::All);
    Ok(Answer::ok())
}

fn random(papr: &Papr, _: &mut Visit, _: &Arguments) -> Checked {
    papr.ports.random.next().map(|bits| Answer::outputs([bits])).ok_or(H_HARDWARE)
}

/// What this processor needs against speculation: nothing, since what it executes is what the program says, in order. The
/// guest then leaves its mitigations off, which would cost it much and the host's processor nothing. Bits as in Linux's
/// `asm/hvcall.h`.
fn get_cpu_characteristics(_: &Papr, _: &mut Visit, _: &Arguments) -> Checked {
    /// `bcctr` goes where its register says and nowhere before that. That the cache of its targets is off would be as true,
    /// but then Linux flushes the link stack at each switch of context. Other bits name instructions that flush, which
    /// do nothing here, or threads that share a cache, which are none.
    const BCCTRL_SERIALISED: u64 = 1 << 62;
    /// "Favour security" and all that asks for a flush or a barrier stay clear; these ask for none where clear would.
    const NO_L1D_FLUSH_ENTRY: u64 = 1 << 56;
    const NO_L1D_FLUSH_UACCESS: u64 = 1 << 55;
    const NO_STORE_FORWARDING_BARRIER: u64 = 1 << 54;
    const BEHAVIOUR: u64 = NO_L1D_FLUSH_ENTRY | NO_L1D_FLUSH_UACCESS | NO_STORE_FORWARDING_BARRIER;
    Ok(Answer::outputs([BCCTRL_SERIALISED, BEHAVIOUR]))
}
