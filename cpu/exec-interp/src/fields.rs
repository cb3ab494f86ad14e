//! Register fields of instruction words, as the handlers use them.

use exec::VcpuState;

/// RT or RS.
pub fn rt(w: u32) -> usize {
    (w >> 21 & 31) as usize
}

/// RA.
pub fn ra(w: u32) -> usize {
    (w >> 16 & 31) as usize
}

/// RB.
pub fn rb(w: u32) -> usize {
    (w >> 11 & 31) as usize
}

/// RC.
pub fn rc(w: u32) -> usize {
    (w >> 6 & 31) as usize
}

/// BF.
pub fn bf(w: u32) -> usize {
    (w >> 23 & 7) as usize
}

/// (RA|0): the register, or 0 when the field is 0.
pub fn ra0(s: &VcpuState, w: u32) -> u64 {
    if ra(w) == 0 { 0 } else { s.gpr[ra(w)] }
}
