//! Numbers and their arithmetic, by the crate `rustc_apfloat` alone.
//!
//! A finite number is an integer times a power of two. An operation is carried out with 120 bits of precision and
//! exponents that never end, rounded to odd, so that the result can be rounded once more to any of our formats as if
//! it were exact: this is the "intermediate result" of the Power ISA, with unbounded range.

use std::cmp::Ordering;

use rustc_apfloat::ieee::{BFloatS, DoubleS, HalfS, IeeeFloat, QuadS, Semantics, SingleS};
use rustc_apfloat::{Float, FloatConvert, Round, Status, StatusAnd};

/// A semantics with `P` bits of precision and an exponent range that nothing here leaves.
struct Unbounded<const P: usize>;

impl<const P: usize> Semantics for Unbounded<P> {
    const BITS: usize = 128;
    const EXP_BITS: usize = 24;
    const PRECISION: usize = P;
}

/// The range of quad precision with 64 bits of precision, as `xsrqpxp` rounds.
struct ExtendedS;

impl Semantics for ExtendedS {
    const BITS: usize = 128;
    const EXP_BITS: usize = 15;
    const PRECISION: usize = 64;
}

/// Precision of intermediate results: two bits more than any format has would do.
const WIDE: usize = 120;
type Wide = IeeeFloat<Unbounded<WIDE>>;

/// A format that results are rounded to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Half,
    Single,
    Double,
    Extended,
    Quad,
    Bfloat,
}

impl Format {
    /// Bits of the significand.
    pub const fn precision(self) -> u32 {
        [11, 24, 53, 64, 113, 8][self as usize]
    }

    /// Largest exponent of a finite number.
    pub const fn max_exponent(self) -> i32 {
        [15, 127, 1023, 16383, 16383, 127][self as usize]
    }

    /// Exponent of the smallest normal number.
    pub const fn min_exponent(self) -> i32 {
        1 - self.max_exponent()
    }

    /// By what enabled overflow and underflow exceptions adjust an exponent.
    pub const fn adjustment(self) -> i32 {
        [24, 192, 1536, 24576, 24576, 192][self as usize]
    }

    /// Bits of the fraction field and of the whole number. Extended precision has no encoding of its own.
    pub const fn fields(self) -> (u32, u32) {
        [(10, 16), (23, 32), (52, 64), (112, 128), (112, 128), (7, 16)][self as usize]
    }
}

/// Rounding modes of the Power ISA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    NearEven,
    Zero,
    Ceiling,
    Floor,
    NearAway,
    Odd,
}

impl Mode {
    /// That of `FPSCR[RN]`, or of RMC in quad precision.
    pub fn of(rn: u64) -> Mode {
        [Mode::NearEven, Mode::Zero, Mode::Ceiling, Mode::Floor][(rn & 3) as usize]
    }

    /// Rounding to odd is truncation with a last bit that tells whether anything was cut off.
    fn round(self) -> Round {
        match self {
            Mode::NearEven => Round::NearestTiesToEven,
            Mode::Zero | Mode::Odd => Round::TowardZero,
            Mode::Ceiling => Round::TowardPositive,
            Mode::Floor => Round::TowardNegative,
            Mode::NearAway => Round::NearestTiesToAway,
        }
    }
}

/// A value of any format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// Sign bit.
    pub negative: bool,
    /// What it is.
    pub value: Value,
}

/// What a [`Number`] is but for its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// The odd integer times two to the power of the other number.
    Finite(u128, i32),
    Zero,
    Infinity,
    /// The fraction, left-aligned in 128 bits.
    Nan(u128),
}

/// A rounded number.
#[derive(Clone, Copy, Debug)]
pub struct Rounded {
    /// The number.
    pub number: Number,
    /// It is not what was rounded.
    pub inexact: bool,
    /// Its magnitude is greater than after truncation.
    pub incremented: bool,
}

/// An exact result that is not a number, or has one of two signs.
pub enum Special {
    /// Infinity minus infinity.
    InfinityMinusInfinity,
    /// Infinity times zero.
    InfinityTimesZero,
    /// Infinity over infinity.
    InfinityOverInfinity,
    /// Zero over zero.
    ZeroOverZero,
    /// A number over zero, and whether the quotient is negative.
    OverZero(bool),
    /// The square root of a negative number.
    NegativeRoot,
}

/// The result of an operation on numbers that are not NaNs.
pub type Exact = Result<Number, Special>;

pub const QUIET: u128 = 1 << 127;
/// The NaN that invalid operations give.
pub const DEFAULT_NAN: Number = Number { negative: false, value: Value::Nan(QUIET) };

impl Number {
    pub const fn zero(negative: bool) -> Number {
        Number { negative, value: Value::Zero }
    }

    pub const fn infinity(negative: bool) -> Number {
        Number { negative, value: Value::Infinity }
    }

    /// `magnitude` x 2^`scale`.
    pub fn finite(negative: bool, magnitude: u128, scale: i32) -> Number {
        match magnitude {
            0 => Number::zero(negative),
            _ => {
                let zeros = magnitude.trailing_zeros();
                Number { negative, value: Value::Finite(magnitude >> zeros, scale + zeros as i32) }
            }
        }
    }

    /// The number encoded in the low bits of `bits`.
    pub fn decode(bits: u128, format: Format) -> Number {
        let (fraction_bits, width) = format.fields();
        let negative = bits >> (width - 1) & 1 != 0;
        let fraction = bits & ((1 << fraction_bits) - 1);
        let exponent = (bits >> fraction_bits & ((1 << (width - 1 - fraction_bits)) - 1)) as i32;
        let least = format.min_exponent() - fraction_bits as i32;
        match exponent {
            0 => Number::finite(negative, fraction, least),
            e if e == 2 * format.max_exponent() + 1 => match fraction {
                0 => Number::infinity(negative),
                _ => Number { negative, value: Value::Nan(fraction << (128 - fraction_bits)) },
            },
            e => Number::finite(negative, 1 << fraction_bits | fraction, least + e - 1),
        }
    }

    /// Its encoding; `None` for a number that the format lacks. NaNs lose bits.
    pub fn encode(self, format: Format) -> Option<u128> {
        let (fraction_bits, width) = format.fields();
        let sign = u128::from(self.negative) << (width - 1);
        let infinity = (2 * format.max_exponent() as u128 + 1) << fraction_bits;
        Some(match self.value {
            Value::Zero => sign,
            Value::Infinity => sign | infinity,
            Value::Nan(payload) => sign | infinity | payload >> (128 - fraction_bits),
            Value::Finite(..) => {
                let StatusAnd { value: bits, status } = match format {
                    Format::Half => bits_of::<HalfS>(self),
                    Format::Bfloat => bits_of::<BFloatS>(self),
                    Format::Single => bits_of::<SingleS>(self),
                    Format::Double => bits_of::<DoubleS>(self),
                    Format::Extended | Format::Quad => bits_of::<QuadS>(self),
                };
                return (status == Status::OK).then_some(bits);
            }
        })
    }

    pub fn is_nan(self) -> bool {
        matches!(self.value, Value::Nan(_))
    }

    pub fn is_signalling(self) -> bool {
        matches!(self.value, Value::Nan(payload) if payload & QUIET == 0)
    }

    pub fn is_zero(self) -> bool {
        self.value == Value::Zero
    }

    pub fn is_infinite(self) -> bool {
        self.value == Value::Infinity
    }

    /// The exponent e of a finite number of magnitude 1.x times two to the power of e.
    pub fn exponent(self) -> Option<i32> {
        match self.value {
            Value::Finite(magnitude, scale) => Some(scale + magnitude.ilog2() as i32),
            _ => None,
        }
    }

    /// Finite, not zero, and smaller than the smallest normal number.
    pub fn is_denormal(self, format: Format) -> bool {
        self.exponent().is_some_and(|e| e < format.min_exponent())
    }

    /// The number with the other sign.
    pub fn negated(self) -> Number {
        Number { negative: !self.negative, ..self }
    }

    /// A NaN made quiet, with the payload that `format` holds.
    pub fn quieted(self, format: Format) -> Number {
        match self.value {
            Value::Nan(payload) => {
                let kept = u128::MAX << (128 - (format.precision() - 1));
                Number { value: Value::Nan((payload | QUIET) & kept), ..self }
            }
            _ => self,
        }
    }

    /// The number times two to the power of `n`.
    pub fn scaled(self, n: i32) -> Number {
        match self.value {
            Value::Finite(magnitude, scale) => Number { value: Value::Finite(magnitude, scale + n), ..self },
            _ => self,
        }
    }

    fn wide(self) -> Wide {
        let magnitude = match self.value {
            Value::Zero => Wide::ZERO,
            Value::Infinity => Wide::INFINITY,
            Value::Nan(_) => Wide::NAN,
            Value::Finite(magnitude, scale) => Wide::from_u128(magnitude).value.scalbn(scale),
        };
        if self.negative { -magnitude } else { magnitude }
    }

    /// What a truncated result and its status stand for: a last bit of 1 in place of what was cut off.
    fn of(StatusAnd { status, value }: StatusAnd<Wide>) -> Number {
        let negative = value.is_negative();
        if value.is_infinite() {
            return Number::infinity(negative);
        }
        if value.is_zero() {
            return Number::zero(negative);
        }
        let scale = value.ilogb() + 1 - WIDE as i32;
        let mut exact = false;
        let integer = value.abs().scalbn(-scale).to_u128_r(128, Round::TowardZero, &mut exact).value;
        Number::finite(negative, integer | u128::from(status.contains(Status::INEXACT)), scale)
    }

    /// a + b. A sum that is exactly zero is negative when rounding toward minus infinity.
    pub fn plus(self, b: Number, mode: Mode) -> Exact {
        let sum = self.wide().add_r(b.wide(), Round::TowardZero);
        if sum.value.is_nan() {
            return Err(Special::InfinityMinusInfinity);
        }
        Ok(self.with_sign_of_zero(Number::of(sum), |round| self.wide().add_r(b.wide(), round), mode))
    }

    fn with_sign_of_zero(self, sum: Number, again: impl Fn(Round) -> StatusAnd<Wide>, mode: Mode) -> Number {
        if sum.is_zero() { Number::zero(again(mode.round()).value.is_negative()) } else { sum }
    }

    /// a x b.
    pub fn times(self, b: Number) -> Exact {
        let product = self.wide().mul_r(b.wide(), Round::TowardZero);
        if product.value.is_nan() { Err(Special::InfinityTimesZero) } else { Ok(Number::of(product)) }
    }

    /// a x b + c.
    pub fn times_plus(self, b: Number, c: Number, mode: Mode) -> Exact {
        if self.times(b).is_err() {
            return Err(Special::InfinityTimesZero);
        }
        let fused = |round| self.wide().mul_add_r(b.wide(), c.wide(), round);
        let sum = fused(Round::TowardZero);
        if sum.value.is_nan() {
            return Err(Special::InfinityMinusInfinity);
        }
        Ok(self.with_sign_of_zero(Number::of(sum), fused, mode))
    }

    /// a / b.
    pub fn over(self, b: Number) -> Exact {
        let quotient = self.wide().div_r(b.wide(), Round::TowardZero);
        if quotient.status.contains(Status::DIV_BY_ZERO) {
            return Err(Special::OverZero(quotient.value.is_negative()));
        }
        match quotient.value.is_nan() {
            true if self.is_zero() => Err(Special::ZeroOverZero),
            true => Err(Special::InfinityOverInfinity),
            false => Ok(Number::of(quotient)),
        }
    }

    /// The square root: of 118 bits, found bit by bit, whose square is not greater.
    pub fn root(self) -> Exact {
        let Value::Finite(magnitude, scale) = self.value else {
            let defined = self.is_zero() || !self.negative;
            return if defined { Ok(self) } else { Err(Special::NegativeRoot) };
        };
        if self.negative {
            return Err(Special::NegativeRoot);
        }
        // The radicand has 235 or 236 bits before its point, and the root 118.
        let unit = (self.exponent().unwrap_or(0) - 234).div_euclid(2);
        let radicand = Number::finite(false, magnitude, scale - 2 * unit).wide();
        let compare = |root: u128| {
            let root = Wide::from_u128(root).value;
            let rest = root.mul_add_r(root, -radicand, Round::TowardZero).value;
            if rest.is_zero() {
                Ordering::Equal
            } else if rest.is_negative() {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        };
        let mut root = 0u128;
        for bit in (0..=119).rev() {
            if compare(root | 1 << bit) != Ordering::Greater {
                root |= 1 << bit;
            }
        }
        let sticky = u128::from(compare(root) != Ordering::Equal);
        Ok(Number::finite(false, root << 1 | sticky, unit - 1))
    }

    /// Order of two numbers that are not NaNs; zeros are equal.
    pub fn order(self, b: Number) -> Option<Ordering> {
        self.wide().partial_cmp(&b.wide())
    }

    /// The number rounded to the precision of `format`, with unbounded range.
    pub fn to_precision(self, format: Format, mode: Mode) -> Rounded {
        match format {
            Format::Half => self.to::<Unbounded<11>>(mode, None),
            Format::Bfloat => self.to::<Unbounded<8>>(mode, None),
            Format::Single => self.to::<Unbounded<24>>(mode, None),
            Format::Double => self.to::<Unbounded<53>>(mode, None),
            Format::Extended => self.to::<Unbounded<64>>(mode, None),
            Format::Quad => self.to::<Unbounded<113>>(mode, None),
        }
    }

    /// The number rounded to `format`, denormalized or overflowed if need be.
    pub fn to_format(self, format: Format, mode: Mode) -> Rounded {
        let least = Some(format.min_exponent() + 1 - format.precision() as i32);
        match format {
            Format::Half => self.to::<HalfS>(mode, least),
            Format::Bfloat => self.to::<BFloatS>(mode, least),
            Format::Single => self.to::<SingleS>(mode, least),
            Format::Double => self.to::<DoubleS>(mode, least),
            Format::Extended => self.to::<ExtendedS>(mode, least),
            Format::Quad => self.to::<QuadS>(mode, least),
        }
    }

    /// Converts to a semantics whose last place is not below `least`.
    fn to<S: Semantics>(self, mode: Mode, least: Option<i32>) -> Rounded {
        let mut lost = false;
        let mut convert = |round| -> StatusAnd<IeeeFloat<S>> { self.wide().convert_r(round, &mut lost) };
        let truncated = convert(Round::TowardZero);
        let rounded = convert(mode.round());
        let inexact = rounded.status.contains(Status::INEXACT);
        let mut back = |x: IeeeFloat<S>| Number::of(x.convert_r(Round::TowardZero, &mut lost));
        let mut number = back(rounded.value);
        let toward_zero = back(truncated.value);
        if mode == Mode::Odd && inexact {
            let last = match toward_zero.exponent() {
                Some(e) => (e + 1 - S::PRECISION as i32).max(least.unwrap_or(i32::MIN)),
                None => least.unwrap_or(0),
            };
            if let Value::Finite(magnitude, scale) = toward_zero.value {
                number = Number::finite(self.negative, magnitude << (scale - last) | 1, last);
            } else {
                number = Number::finite(self.negative, 1, last);
            }
        }
        Rounded { number, inexact, incremented: number != toward_zero }
    }

    /// The magnitude rounded to an integer.
    pub fn to_integral(self, mode: Mode) -> Rounded {
        let exact = Rounded { number: self, inexact: false, incremented: false };
        let Value::Finite(magnitude, scale) = self.value else { return exact };
        if scale >= 0 {
            return exact;
        }
        let truncated = if scale <= -128 { 0 } else { magnitude >> -scale };
        let rounded = self.wide().round_to_integral(mode.round()).value;
        let number = match Number::of(StatusAnd { status: Status::OK, value: rounded }) {
            number if number.is_zero() => Number::zero(self.negative),
            number => number,
        };
        Rounded { number, inexact: true, incremented: number != Number::finite(self.negative, truncated, 0) }
    }
}

/// Bits in a format of `rustc_apfloat`, with a status that is OK when nothing was lost.
fn bits_of<S: Semantics>(number: Number) -> StatusAnd<u128> {
    let mut lost = false;
    let StatusAnd { status, value }: StatusAnd<IeeeFloat<S>> = number.wide().convert_r(Round::TowardZero, &mut lost);
    status.and(value.to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_survives() {
        for bits in 0..=u16::MAX {
            assert_eq!(Number::decode(bits.into(), Format::Half).encode(Format::Half), Some(bits.into()));
        }
    }

    #[test]
    fn roots_are_those_of_the_host() {
        for n in 1..2000u32 {
            let x = f64::from(n) * 1.000_000_123;
            let root = Number::decode(x.to_bits().into(), Format::Double).root().unwrap_or(DEFAULT_NAN);
            let root = root.to_format(Format::Double, Mode::NearEven);
            assert_eq!(root.number.encode(Format::Double), Some(x.sqrt().to_bits().into()));
            let square = Number::finite(false, u128::from(n) * u128::from(n), 2 * (n as i32 - 1000));
            assert_eq!(square.root().ok(), Some(Number::finite(false, n.into(), n as i32 - 1000)));
        }
    }

    #[test]
    fn odd_rounding_cuts_and_remembers() {
        let third = Number::finite(false, 1, 0).over(Number::finite(false, 3, 0)).unwrap_or(DEFAULT_NAN);
        let [odd, zero] = [Mode::Odd, Mode::Zero].map(|mode| third.to_format(Format::Single, mode).number);
        assert_eq!(odd.encode(Format::Single), Some(0x3eaa_aaab));
        assert_eq!(zero.encode(Format::Single), Some(0x3eaa_aaaa));
        let tiny = third.scaled(-200).to_format(Format::Single, Mode::Odd);
        assert_eq!((tiny.number.encode(Format::Single), tiny.inexact), (Some(1), true));
    }
}
