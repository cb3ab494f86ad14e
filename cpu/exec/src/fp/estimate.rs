//! Reciprocal estimates, and the tests that software division and square root ask (Book I, sections 4.6.6 and 7.6.1).
//!
//! The architecture bounds the error of the estimates (1/256 for `fre`, 1/32 for `frsqrte`) and leaves the value and
//! XX, FR, FI open. These return the quotient correctly rounded, well within the bound, with the exceptions of the
//! division; `frsqrte` divides by the rounded root. Of the 750 the values are known: [`Context::reciprocal_750`].

use super::{Context, DOUBLE, Float, Format, Kind, Outcome};

const ONE: Float = Float::scaled(false, 1, 0);

impl Context {
    /// An estimate of 1 / x. Zero raises ZX and gives infinity.
    pub fn reciprocal(&self, x: Float) -> Outcome {
        self.div(ONE, x)
    }

    /// An estimate of 1 / sqrt(x). Zero raises ZX and gives infinity of its sign; other negative numbers raise VXSQRT.
    pub fn reciprocal_square_root(&self, x: Float) -> Outcome {
        let root = Context { format: DOUBLE, ..*self }.sqrt(x);
        let quotient = self.reciprocal(root.value);
        Outcome { raised: quotient.raised | root.raised, ..quotient }
    }
}

/// A line by which a 750 estimates: the fraction at its start, and how much it falls in as many steps as a line has.
type Line = (u32, u32);

/// `fres`: 32 lines for the fraction, of 1024 steps of half a unit each, and 23 bits of result.
#[rustfmt::skip]
const RECIPROCALS: [Line; 32] = [
    (0x7f_f800, 0x3e1), (0x78_3800, 0x3a7), (0x70_ea00, 0x371), (0x6a_0800, 0x340), (0x63_8800, 0x313),
    (0x5d_6200, 0x2ea), (0x57_9000, 0x2c4), (0x52_0800, 0x2a0), (0x4c_c800, 0x27f), (0x47_ca00, 0x261),
    (0x43_0800, 0x245), (0x3e_8000, 0x22a), (0x3a_2c00, 0x212), (0x36_0800, 0x1fb), (0x32_1400, 0x1e5),
    (0x2e_4a00, 0x1d1), (0x2a_a800, 0x1be), (0x27_2c00, 0x1ac), (0x23_d600, 0x19b), (0x20_9e00, 0x18b),
    (0x1d_8800, 0x17c), (0x1a_9000, 0x16e), (0x17_ae00, 0x15b), (0x14_f800, 0x15b), (0x12_4400, 0x143),
    (0x0f_be00, 0x143), (0x0d_3800, 0x12d), (0x0a_de00, 0x12d), (0x08_8400, 0x11a), (0x06_5000, 0x11a),
    (0x04_1c00, 0x108), (0x02_0c00, 0x106),
];

/// `frsqrte`: 16 lines for odd exponents, then 16 for even ones, of 2048 steps each, and 26 bits of result.
#[rustfmt::skip]
const RECIPROCAL_ROOTS: [Line; 32] = [
    (0x1a7_e800, 0x568), (0x17c_b800, 0x4f3), (0x155_2800, 0x48d), (0x130_c000, 0x435), (0x10f_2000, 0x3e7),
    (0x0ef_f000, 0x3a2), (0x0d2_e000, 0x365), (0x0b7_c000, 0x32e), (0x09e_5000, 0x2fc), (0x086_7000, 0x2d0),
    (0x06f_f000, 0x2a8), (0x05a_b800, 0x283), (0x046_a000, 0x261), (0x033_9800, 0x243), (0x021_8800, 0x226),
    (0x010_5800, 0x20b), (0x3ff_a000, 0x7a4), (0x3c2_9000, 0x700), (0x38a_a000, 0x670), (0x357_2000, 0x5f2),
    (0x327_9000, 0x584), (0x2fb_7000, 0x524), (0x2d2_6000, 0x4cc), (0x2ac_0000, 0x47e), (0x288_1000, 0x43a),
    (0x266_5000, 0x3fa), (0x246_8000, 0x3c2), (0x228_7000, 0x38e), (0x20c_1000, 0x35e), (0x1f1_2000, 0x332),
    (0x1d7_9000, 0x30a), (0x1bf_4000, 0x2e6),
];

/// The line that the leading bits of `key` choose, and which of its `1 << step_bits` steps the bits after them.
fn line(lines: &[Line; 32], key: u32, step_bits: u32) -> (u32, u32) {
    let (start, fall) = lines.get((key >> step_bits) as usize).copied().unwrap_or_default();
    (start, fall * (key & ((1 << step_bits) - 1)))
}

impl Context {
    /// [`Context::reciprocal`] as `fres` of a 750 has it, from tables recorded on 750CL and its kin. Where the result
    /// is no normal single it is that of the division.
    pub fn reciprocal_750(&self, x: Float) -> Outcome {
        if x.kind != Kind::Finite || !(-126..126).contains(&x.exponent) {
            return self.reciprocal(x);
        }
        let (start, fall) = line(&RECIPROCALS, (x.significand << 1 >> 113) as u32, 10);
        let significand = 1 << 23 | (start - fall.div_ceil(2));
        self.exact(Float::scaled(x.negative, significand.into(), -x.exponent - 1 - 23), 0)
    }

    /// [`Context::reciprocal_square_root`] as `frsqrte` of a 750 has it, from tables recorded on 750CL and its kin.
    pub fn reciprocal_square_root_750(&self, x: Float) -> Outcome {
        if x.kind != Kind::Finite || x.negative {
            return self.reciprocal_square_root(x);
        }
        let even = u32::from(x.exponent & 1 == 0);
        let (start, fall) = line(&RECIPROCAL_ROOTS, even << 15 | (x.significand << 1 >> 113) as u32, 11);
        let significand = 1 << 26 | (start - fall);
        self.exact(Float::scaled(false, significand.into(), (-x.exponent - 1).div_euclid(2) - 26), 0)
    }
}

/// The exponent of the field itself, as the tests see it: that of zeros and denormals is one below the smallest.
fn exponent(x: Float, format: Format) -> i32 {
    match x.kind {
        Kind::Zero => format.min_exponent() - 1,
        Kind::Finite => x.exponent.max(format.min_exponent() - 1),
        Kind::Infinity | Kind::Nan => format.max_exponent() + 1,
    }
}

/// `ftdiv`: the CR field (0b1000 | FG << 2 | FE << 1) that says whether a / b needs care.
pub fn divide_test(a: Float, b: Float, format: Format) -> u8 {
    let (ea, eb) = (exponent(a, format), exponent(b, format));
    let special = |x: Float| matches!(x.kind, Kind::Infinity | Kind::Nan);
    let fe = special(a)
        || special(b)
        || b.kind == Kind::Zero
        || eb <= format.min_exponent()
        || eb >= format.max_exponent() - 2
        || (a.kind != Kind::Zero
            && (ea - eb >= format.max_exponent()
                || ea - eb <= format.min_exponent() + 1
                || ea <= format.min_exponent() + format.fraction_bits as i32));
    let fg = a.kind == Kind::Infinity || matches!(b.kind, Kind::Zero | Kind::Infinity) || b.is_denormal(format);
    test_field(fg, fe)
}

/// `ftsqrt`: the same for the square root of b.
pub fn square_root_test(b: Float, format: Format) -> u8 {
    let fe = b.kind != Kind::Finite
        || b.negative
        || exponent(b, format) <= format.min_exponent() + format.fraction_bits as i32;
    let fg = matches!(b.kind, Kind::Zero | Kind::Infinity) || b.is_denormal(format);
    test_field(fg, fe)
}

fn test_field(fg: bool, fe: bool) -> u8 {
    0b1000 | u8::from(fg) << 2 | u8::from(fe) << 1
}
