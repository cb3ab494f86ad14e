//! Fields of instruction words, as handlers and translators use them.

use exec::VcpuState;

/// RT, RS, FRT, FRS.
#[inline]
pub fn rt(w: u32) -> usize {
    (w >> 21 & 31) as usize
}

/// RA, FRA.
#[inline]
pub fn ra(w: u32) -> usize {
    (w >> 16 & 31) as usize
}

/// RB, FRB.
#[inline]
pub fn rb(w: u32) -> usize {
    (w >> 11 & 31) as usize
}

/// RC, FRC.
#[inline]
pub fn rc(w: u32) -> usize {
    (w >> 6 & 31) as usize
}

/// Number of the VSR that VRT names.
#[inline]
pub fn vrt(w: u32) -> usize {
    32 | rt(w)
}

/// Number of the VSR that VRA names.
#[inline]
pub fn vra(w: u32) -> usize {
    32 | ra(w)
}

/// Number of the VSR that VRB names.
#[inline]
pub fn vrb(w: u32) -> usize {
    32 | rb(w)
}

/// Number of the VSR that VRC names.
#[inline]
pub fn vrc(w: u32) -> usize {
    32 | rc(w)
}

/// Number of the VSR that XT or XS names where TX or SX is the last bit of the word.
#[inline]
pub fn xt(w: u32) -> usize {
    (w << 5 & 32) as usize | rt(w)
}

/// Number of the VSR that XA names.
#[inline]
pub fn xa(w: u32) -> usize {
    (w << 3 & 32) as usize | ra(w)
}

/// Number of the VSR that XB names.
#[inline]
pub fn xb(w: u32) -> usize {
    (w << 4 & 32) as usize | rb(w)
}

/// Number of the VSR that XC names.
#[inline]
pub fn xc(w: u32) -> usize {
    (w << 2 & 32) as usize | rc(w)
}

/// BF.
#[inline]
pub fn bf(w: u32) -> usize {
    (w >> 23 & 7) as usize
}

/// SI.
#[inline]
pub fn si(w: u32) -> i32 {
    i32::from(w as i16)
}

/// SH of 6 bits.
#[inline]
pub fn sh6(w: u32) -> u32 {
    w >> 11 & 31 | w << 4 & 32
}

/// MB or ME of 6 bits.
#[inline]
pub fn mb6(w: u32) -> u32 {
    w >> 6 & 31 | w & 32
}

/// Ones from bit `mb` to bit `me`, wrapping around.
#[inline]
pub fn mask(mb: u32, me: u32) -> u64 {
    let from = u64::MAX >> mb;
    let to = u64::MAX << (63 - me);
    if mb <= me { from & to } else { from | to }
}

/// (RA|0): the register, or 0 when the field is 0.
#[inline]
pub(crate) fn ra0(s: &VcpuState, w: u32) -> u64 {
    if ra(w) == 0 { 0 } else { s.gpr[ra(w)] }
}
