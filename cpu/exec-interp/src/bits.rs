//! Bits of a doubleword that a mask selects: scalar and vector instructions share them (Power ISA 3.1 Book I, section
//! 3.3.13). Bounded by the 64 bits of the mask.

/// The bits of `value` where `mask` is 1, in order, at the right end (`pextd`).
pub fn extract(value: u64, mask: u64) -> u64 {
    let (mut out, mut rest) = (0, mask);
    for place in 0..mask.count_ones() {
        out |= (value >> rest.trailing_zeros() & 1) << place;
        rest &= rest.wrapping_sub(1);
    }
    out
}

/// The last bits of `value` at the places where `mask` is 1 (`pdepd`).
pub fn deposit(value: u64, mask: u64) -> u64 {
    let (mut out, mut rest) = (0, mask);
    for place in 0..mask.count_ones() {
        out |= (value >> place & 1) << rest.trailing_zeros();
        rest &= rest.wrapping_sub(1);
    }
    out
}

/// The bits where `mask` is 1 at the right end, the others to their left (`cfuged`).
pub fn centrifuge(value: u64, mask: u64) -> u64 {
    let others = extract(value, !mask).checked_shl(mask.count_ones()).unwrap_or(0);
    others | extract(value, mask)
}

/// How many of the bits where `mask` is 1 stand before the first 1 of `value` among them (`cntlzdm`).
pub fn leading(value: u64, mask: u64) -> u64 {
    let before = (value & mask).leading_zeros();
    let kept = u64::MAX.checked_shr(before).unwrap_or(0);
    u64::from((mask & !kept).count_ones())
}

/// How many of the bits where `mask` is 1 stand after the last 1 of `value` among them (`cnttzdm`).
pub fn trailing(value: u64, mask: u64) -> u64 {
    let after = (value & mask).trailing_zeros();
    let kept = u64::MAX.checked_shl(after).unwrap_or(0);
    u64::from((mask & !kept).count_ones())
}
