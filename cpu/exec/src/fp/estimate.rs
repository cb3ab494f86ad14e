//! Reciprocal estimates, and the tests that software division and square root ask (Book I, sections 4.6.6 and 7.6.1).
//!
//! The architecture bounds the error of the estimates (1/256 for `fre`, 1/32 for `frsqrte`) and leaves the value and
//! XX, FR, FI open. These return the quotient correctly rounded, well within the bound, with the exceptions of the
//! division; `frsqrte` divides by the rounded root.

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
