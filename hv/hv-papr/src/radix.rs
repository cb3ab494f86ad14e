//! H_REGISTER_PROC_TBL and H_RPT_INVALIDATE.

use hv_core::Visit;
use papr_abi::hcall::{self, proc_tbl};
use papr_abi::status::{H_P2, H_P3, H_P4, H_PARAMETER};
use ppc_isa::Cpu;
use ppc_mmu::Invalidation;

use crate::answer::{Answer, Checked};
use crate::papr::{Arguments, Call, Papr};

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_REGISTER_PROC_TBL, handler: register_proc_tbl },
    Call { number: hcall::H_RPT_INVALIDATE, handler: rpt_invalidate },
];

/// Chooses the translation of the partition: radix with its process table, or hash.
fn register_proc_tbl(_: &Papr, visit: &mut Visit, &[flags, table, page_size, size, ..]: &Arguments) -> Checked {
    let known = proc_tbl::NEW | proc_tbl::RADIX | proc_tbl::HASH_SEGMENT_TABLES | proc_tbl::GTSE;
    let radix = flags & proc_tbl::RADIX != 0;
    if visit.vcpu.state.cpu == Cpu::Power8 || flags & !known != 0 || flags & proc_tbl::HASH_SEGMENT_TABLES != 0 {
        return Err(H_PARAMETER);
    }
    let partition = visit.context.partition;
    match flags & proc_tbl::NEW {
        proc_tbl::NEW if radix => {
            if table & 0xfff != 0 || table >> 60 != 0 {
                return Err(H_P2);
            }
            if page_size != 0 {
                return Err(H_P3);
            }
            if size > 24 {
                return Err(H_P4);
            }
            if !visit.context.mem.contains(table, 1 << (size + 12)) {
                return Err(H_P2);
            }
            partition.set_process_table(true, table, 1 << (size + 12));
        }
        proc_tbl::NEW | proc_tbl::DEREGISTER => partition.set_process_table(false, 0, 0),
        0 => {}
        _ => return Err(H_PARAMETER),
    }
    visit.context.invalidate(Invalidation::All);
    Ok(Answer::ok())
}

/// Forgets translations of a process: everything of it, which is more than any range asks for.
fn rpt_invalidate(_: &Papr, visit: &mut Visit, &[pid, _target, kind, ..]: &Arguments) -> Checked {
    const TLB_OR_WALK_CACHE: u64 = 2 | 4;
    const PROCESS_TABLE: u64 = 8;
    if kind & !(TLB_OR_WALK_CACHE | PROCESS_TABLE) != 0 {
        return Err(H_P3);
    }
    let pid = u32::try_from(pid).map_err(|_| H_PARAMETER)?;
    visit.context.invalidate(if pid == 0 { Invalidation::All } else { Invalidation::Process(pid) });
    Ok(Answer::ok())
}
