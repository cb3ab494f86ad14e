//! The floating-point status and control register (Power ISA Book I, section 4.2.2).
//!
//! FX, FEX and VX are kept consistent by every function here: FEX and VX are computed, never stored.

use super::{Float, Format, Kind};

/// Exception summary.
pub const FX: u64 = 0x8000_0000;
/// Enabled exception summary.
pub const FEX: u64 = 0x4000_0000;
/// Invalid operation summary.
pub const VX: u64 = 0x2000_0000;
/// Overflow.
pub const OX: u64 = 0x1000_0000;
/// Underflow.
pub const UX: u64 = 0x0800_0000;
/// Zero divide.
pub const ZX: u64 = 0x0400_0000;
/// Inexact.
pub const XX: u64 = 0x0200_0000;
/// Invalid: signalling NaN.
pub const VXSNAN: u64 = 0x0100_0000;
/// Invalid: infinity - infinity.
pub const VXISI: u64 = 0x0080_0000;
/// Invalid: infinity / infinity.
pub const VXIDI: u64 = 0x0040_0000;
/// Invalid: zero / zero.
pub const VXZDZ: u64 = 0x0020_0000;
/// Invalid: infinity x zero.
pub const VXIMZ: u64 = 0x0010_0000;
/// Invalid: ordered comparison.
pub const VXVC: u64 = 0x0008_0000;
/// Fraction rounded: the last rounding incremented.
pub const FR: u64 = 0x0004_0000;
/// Fraction inexact.
pub const FI: u64 = 0x0002_0000;
/// Result flags: class bit and the four condition bits.
pub const FPRF: u64 = 0x0001_f000;
/// Condition code within FPRF.
pub const FPCC: u64 = 0x0000_f000;
/// Invalid: software request.
pub const VXSOFT: u64 = 0x0000_0400;
/// Invalid: square root.
pub const VXSQRT: u64 = 0x0000_0200;
/// Invalid: conversion to integer.
pub const VXCVI: u64 = 0x0000_0100;
/// Invalid operation enable.
pub const VE: u64 = 0x80;
/// Overflow enable.
pub const OE: u64 = 0x40;
/// Underflow enable.
pub const UE: u64 = 0x20;
/// Zero divide enable.
pub const ZE: u64 = 0x10;
/// Inexact enable.
pub const XE: u64 = 0x08;
/// Non-IEEE mode: kept, without effect. Its effects are the implementation's, and POWER9 has none.
pub const NI: u64 = 0x04;
/// Rounding control.
pub const RN: u64 = 0x03;
/// Decimal rounding control.
pub const DRN: u64 = 0x7_0000_0000;

/// Every invalid operation exception.
pub const VX_ALL: u64 = VXSNAN | VXISI | VXIDI | VXZDZ | VXIMZ | VXVC | VXSOFT | VXSQRT | VXCVI;
/// Every exception bit; a change from 0 to 1 sets FX.
pub const EXCEPTIONS: u64 = OX | UX | ZX | XX | VX_ALL;
/// The five enables.
pub const ENABLES: u64 = VE | OE | UE | ZE | XE;
/// Bits that exist, FEX and VX among them.
pub const DEFINED: u64 = DRN | FX | FEX | VX | EXCEPTIONS | FR | FI | FPRF | ENABLES | NI | RN;

/// FPRF of `value`, in place, as represented in `format` (Book I, figure "Floating-Point Result Flags").
pub const fn class(value: Float, format: Format) -> u64 {
    let flags = match (value.kind, value.negative) {
        (Kind::Nan, _) => 0b10001,
        (Kind::Infinity, true) => 0b01001,
        (Kind::Infinity, false) => 0b00101,
        (Kind::Zero, true) => 0b10010,
        (Kind::Zero, false) => 0b00010,
        (Kind::Finite, negative) => {
            let sign = if negative { 0b01000 } else { 0b00100 };
            if value.is_denormal(format) { sign | 0b10000 } else { sign }
        }
    };
    flags << 12
}

/// `fpscr` with VX and FEX computed from the rest.
pub const fn summarised(fpscr: u64) -> u64 {
    let mut fpscr = fpscr & DEFINED & !(VX | FEX);
    if fpscr & VX_ALL != 0 {
        fpscr |= VX;
    }
    // VX, OX, UX, ZX, XX stand in the order of their enables, 22 bits above.
    if (fpscr >> 22) & fpscr & ENABLES != 0 {
        fpscr |= FEX;
    }
    fpscr
}

/// `fpscr` after an instruction that raised exceptions: they stick, and a new one sets FX. FR, FI and FPRF stay.
pub const fn raise(fpscr: u64, raised: u64) -> u64 {
    let new = raised & EXCEPTIONS & !fpscr;
    summarised(fpscr | new | if new != 0 { FX } else { 0 })
}

/// `fpscr` after an arithmetic, rounding or conversion instruction: as [`raise`], FR and FI replaced, and FPRF unless
/// the result is not written ([`suppresses`]) or has no class (`None`).
pub const fn merge(fpscr: u64, raised: u64, fprf: Option<u64>) -> u64 {
    let kept = match fprf {
        Some(fprf) if !suppresses(fpscr, raised) => fpscr & !(FR | FI | FPRF) | fprf,
        _ => fpscr & !(FR | FI),
    };
    raise(kept | raised & (FR | FI), raised)
}

/// Whether enabled invalid operation or zero divide exceptions keep the target register unchanged.
pub const fn suppresses(fpscr: u64, raised: u64) -> bool {
    (fpscr & VE != 0 && raised & VX_ALL != 0) || (fpscr & ZE != 0 && raised & ZX != 0)
}

/// `fpscr` with the bits under `mask` taken from `value` (`mtfsf`, `mtfsfi`, `mtfsb0`, `mcrfs`): FX only as said.
pub const fn written(fpscr: u64, mask: u64, value: u64) -> u64 {
    summarised(fpscr & !mask | value & mask)
}

/// The mask of the 4-bit field `field`, counted from the most significant of sixteen (field 8 holds FX).
pub const fn field(field: u32) -> u64 {
    0xf << (4 * (15 - (field & 15)))
}

/// CR field 1 of a record form: FX, FEX, VX, OX.
pub const fn cr1(fpscr: u64) -> u8 {
    (fpscr >> 28 & 0xf) as u8
}
