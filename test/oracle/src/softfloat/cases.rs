//! Operands and FPSCR values for the cases of a row: a grid of boundary values, and random numbers whose exponents
//! make sums cancel, products overflow and quotients underflow.

use exec::fp::fpscr;
use ppc_isa::op::{Spe, Vector, Vsx};
use ppc_isa::operand::{Access, Kind as Register, operands};
use ppc_isa::spe::float::{Operation as Embedded, Shape as Pair};
use ppc_isa::vector::VectorFloat;
use ppc_isa::vsx::arithmetic::{Operation, Shape};
use ppc_isa::vsx::convert::Number as Kind;
use ppc_isa::vsx::{Compare, Convert, Quad};
use ppc_isa::{Op, Row};

use super::number::{Format, Mode, Number};
use super::result::summarised;
use crate::case::{State, reg};
use crate::values::Chance;

/// The low word of a register.
const WORD: u64 = 0xffff_ffff;

/// What the elements of a source register are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Numbers of a format.
    Numbers(Format),
    /// Singles in double format.
    Narrow,
    /// Integers of so many bits.
    Integers(u32),
}

impl Content {
    /// Width of an element.
    fn bits(self) -> u32 {
        match self {
            Content::Numbers(format) => format.fields().1,
            Content::Narrow => 64,
            Content::Integers(bits) => bits,
        }
    }
}

/// What the source registers of `row` hold.
pub fn content(row: &Row) -> Content {
    use ppc_isa::float::Float;
    match row.op {
        Op::Float(Float::FromInteger { .. }) => Content::Integers(64),
        Op::Float(Float::Arithmetic { single: true, .. } | Float::MultiplyAdd { single: true, .. }) => Content::Narrow,
        Op::Vector(Vector::Float(VectorFloat::FromInteger { .. })) => Content::Integers(32),
        Op::Vector(_) => Content::Numbers(Format::Single),
        Op::Spe(Spe::Float(op)) => match op.operation {
            Embedded::FromInteger(integer) => Content::Integers(if integer.double { 64 } else { 32 }),
            Embedded::FromSingle => Content::Numbers(Format::Single),
            Embedded::FromDouble => Content::Numbers(Format::Double),
            _ if op.shape == Pair::Double => Content::Numbers(Format::Double),
            _ => Content::Numbers(Format::Single),
        },
        Op::Vsx(op) => vsx_content(op),
        _ => Content::Numbers(Format::Double),
    }
}

fn vsx_content(op: Vsx) -> Content {
    let shape = match op {
        Vsx::Arithmetic(op) => op.shape,
        Vsx::Compare(
            Compare::Mask(_, shape)
            | Compare::DivideTest(shape)
            | Compare::SquareRootTest(shape)
            | Compare::ClassTest(shape),
        ) => shape,
        Vsx::Convert(Convert::Scalar(from, _) | Convert::Vector(from, _)) => {
            return match from {
                Kind::Half => Content::Numbers(Format::Half),
                Kind::Bfloat => Content::Numbers(Format::Bfloat),
                Kind::Single => Content::Numbers(Format::Single),
                Kind::SingleAsDouble | Kind::Double => Content::Numbers(Format::Double),
                Kind::SignedWord | Kind::UnsignedWord => Content::Integers(32),
                Kind::SignedDouble | Kind::UnsignedDouble => Content::Integers(64),
            };
        }
        Vsx::Convert(Convert::WidenBits) => Shape::VectorSingle,
        Vsx::Quad(Quad::FromInteger { bits, .. }) => return Content::Integers(bits),
        Vsx::Quad(Quad::FromDouble) => Shape::VectorDouble,
        Vsx::Quad(_) => return Content::Numbers(Format::Quad),
        _ => Shape::VectorDouble,
    };
    match shape {
        Shape::ScalarDouble | Shape::VectorDouble => Content::Numbers(Format::Double),
        Shape::ScalarSingle => Content::Narrow,
        Shape::VectorSingle => Content::Numbers(Format::Single),
    }
}

/// Boundary values of a format, positive.
fn grid(format: Format) -> Vec<u128> {
    let (fraction, width) = format.fields();
    let infinity = ((1 << (width - 1 - fraction)) - 1) << fraction;
    let (one, ulp) = ((format.max_exponent() as u128) << fraction, 1u128);
    let normal = 1 << fraction;
    let half = normal >> 1;
    let mut values = vec![0, ulp, 2, 3, half, normal - 1, normal, normal + 1, normal + half, 2 * normal];
    values.extend([one, one - 1, one + 1, one + half, one + half - 1, one + half + 1, one + normal, one - normal]);
    values.extend([one + normal + half / 2, one + normal + half, infinity - 1, infinity - 2, infinity - normal]);
    values.extend([infinity, infinity | half, infinity | half | 5, infinity | 1, infinity | half >> 1]);
    // Half a unit in the last place of one, and numbers near the square roots of the ends of the range.
    let precision = u128::from(format.precision());
    values.extend([
        one - (precision << fraction),
        one - (precision << fraction) + 1,
        one - ((precision - 1) << fraction),
    ]);
    values.extend([(one / 2) & !(normal - 1), (infinity / 2 + one / 2) & !(normal - 1)]);
    let near = |e: i32| (e + format.max_exponent()) as u128;
    for e in [7, 8, 15, 16, 31, 32, 63, 64, 127, 128, -1, -2, -126, -127, -149, -150, -1022, -1074, -1075] {
        if (1..2 * format.max_exponent()).contains(&(e + format.max_exponent())) {
            let power = near(e) << fraction;
            values.extend([power, power - 1, power + 1, power + half]);
            // One and a half units below a power of two, where integers end.
            if let Ok(e @ 1..) = u32::try_from(e)
                && e <= fraction
            {
                values.extend([
                    power - (1 << (fraction + 1 - e)),
                    power - (1 << (fraction - e)),
                    power + (1 << (fraction - e)),
                ]);
            }
        }
    }
    // The same at the ends of narrower formats.
    for narrow in [Format::Half, Format::Bfloat, Format::Single, Format::Double] {
        if narrow.precision() < format.precision() {
            let keep = fraction - (narrow.precision() - 1);
            let [top, bottom] = [narrow.max_exponent(), narrow.min_exponent()].map(|e| near(e) << fraction);
            let last = top | (normal - (1 << keep));
            values.extend([last, last + (1 << (keep - 1)) - 1, last + (1 << (keep - 1)), top + normal]);
            let least = near(narrow.min_exponent() + 1 - narrow.precision() as i32) << fraction;
            values.extend([bottom, bottom - 1, least, least - normal, least - normal + 1, least - normal - 1]);
            values.extend([
                one + (1 << (keep - 1)),
                one + (1 << (keep - 1)) + 1,
                one + (3 << (keep - 1)),
                one + (1 << keep),
            ]);
            values.extend([infinity | half | 1, infinity | 1 << keep, infinity | 1 << (keep - 1)]);
        }
    }
    // The least bfloat16 is below the least normal single.
    values.iter_mut().for_each(|value| *value &= (1 << (width - 1)) - 1);
    values
}

/// What the operands of a case have in common.
pub struct Theme {
    exponent: i32,
}

impl Theme {
    fn new(c: &mut Chance, format: Format) -> Theme {
        let (low, high) = (format.min_exponent(), format.max_exponent());
        let exponent = match c.below(8) {
            0..=2 => c.below(9) as i32 - 4,
            3 => low + c.below(120) as i32,
            4 => high - c.below(8) as i32,
            5 => low / 2 + c.below(9) as i32 - 4,
            6 => high / 2 + c.below(9) as i32 - 4,
            _ => low + c.below((high - low) as usize) as i32,
        };
        Theme { exponent: exponent.clamp(low, high) }
    }

    /// A number of `format`.
    fn number(&self, c: &mut Chance, format: Format) -> u128 {
        let (fraction_bits, width) = format.fields();
        let (low, high, precision) = (format.min_exponent(), format.max_exponent(), format.precision() as i32);
        let near = |c: &mut Chance, n: i32| c.below(2 * n as usize + 1) as i32 - n;
        let exponent = match c.below(16) {
            0..=3 => self.exponent + near(c, 3),
            4..=5 => self.exponent + near(c, precision + 3),
            6 => high - self.exponent + near(c, 3),
            7 => low - self.exponent + near(c, precision + 3),
            8 => self.exponent - high + near(c, 3),
            9 => self.exponent - low + near(c, precision + 3),
            10 => 2 * self.exponent + near(c, 3),
            11 => -1 + near(c, 3),
            12 => c.below(70) as i32 - 3,
            13 => low - 1,
            14 => high + 1,
            _ => low - 1 + c.below((high - low) as usize + 2) as i32,
        };
        let field = (exponent.clamp(low - 1, high + 1) + high) as u128;
        let random = u128::from(c.bits()) << 64 | u128::from(c.bits());
        let mask = (1u128 << fraction_bits) - 1;
        let bit = |c: &mut Chance| 1u128 << c.below(fraction_bits as usize);
        let fraction = match c.below(9) {
            0 => 0,
            1 => mask,
            2 => bit(c),
            3 => mask ^ bit(c),
            4 => bit(c) | bit(c) | bit(c),
            5 => mask << c.below(fraction_bits as usize),
            6 => mask >> c.below(fraction_bits as usize),
            7 => random << c.below(fraction_bits as usize),
            _ => random,
        };
        (random >> 127) << (width - 1) | field << fraction_bits | fraction & mask
    }
}

/// An integer of so many bits, often at a limit.
fn integer(c: &mut Chance, bits: u32) -> u128 {
    let random = u128::from(c.bits()) << 64 | u128::from(c.bits());
    let value = match c.below(8) {
        0 => c.below(3) as u128,
        1 => u128::MAX - c.below(3) as u128,
        2 => 1 << c.below(bits as usize),
        3 => (1u128 << c.below(bits as usize)).wrapping_sub(1 + c.below(2) as u128),
        4 => u128::MAX << c.below(bits as usize),
        // Few bits far apart: halves of what is rounded off.
        5 => 1 << c.below(bits as usize) | 1 << c.below(bits as usize) | 1 << c.below(bits as usize),
        6 => random >> (128 - bits) >> c.below(bits as usize),
        _ => random,
    };
    value & u128::MAX >> (128 - bits)
}

/// Factor, factor and addend of a multiply-add, as VSRs.
pub fn fused(row: &Row, word: u64) -> Option<[usize; 3]> {
    use ppc_isa::float::Float;
    let field = |name: &str| row.field(name).map(|f| f.get(word) as usize);
    let vsr = |high: &str, low: &str| Some(field(high)? << 5 | field(low)?);
    match row.op {
        Op::Vector(Vector::Float(VectorFloat::MultiplyAdd | VectorFloat::NegativeMultiplySubtract)) => {
            Some([field("VRA")? + 32, field("VRC")? + 32, field("VRB")? + 32])
        }
        Op::Vsx(Vsx::Arithmetic(op)) => {
            let Operation::Fused(op) = op.operation else { return None };
            let [t, a, b] = [vsr("TX", "T")?, vsr("AX", "A")?, vsr("BX", "B")?];
            Some(if op.adds_target { [a, b, t] } else { [a, t, b] })
        }
        Op::Vsx(Vsx::Quad(Quad::Fused { .. })) => Some([field("VRA")? + 32, field("VRB")? + 32, field("VRT")? + 32]),
        Op::Float(Float::MultiplyAdd { .. }) => Some([field("FRA")?, field("FRC")?, field("FRB")?]),
        _ => None,
    }
}

/// How operands are chosen.
#[derive(Clone, Copy, Debug)]
pub enum Pick {
    /// Numbers with something in common.
    Chance,
    /// Combinations of boundary values from this one on, one for each element.
    Boundaries(usize),
    /// All leading bits of an operand from these on, one for each element.
    Leading(usize),
}

/// Makes the source registers of cases.
pub struct Operands {
    content: Content,
    /// Boundary values, as they stand in an element.
    values: Vec<u128>,
    /// Registers that a word reads.
    sources: u32,
    /// The result follows from the leading bits of a number: a halfword, or an estimate.
    leading: bool,
    /// The result is a halfword.
    narrows: bool,
}

/// The registers that are operands, and whether each is a VSR, not a GPR.
fn sources(row: &'static Row, word: u64) -> impl Iterator<Item = (usize, bool)> {
    operands(row).filter_map(move |o| {
        let number = o.get(word) as usize;
        match (o.access, o.kind) {
            (Access::Write, _) => None,
            (_, Register::Fpr | Register::Vsr) => Some((number, true)),
            (_, Register::Vr) => Some((number + 32, true)),
            (_, Register::Gpr) if matches!(row.op, Op::Spe(_)) => Some((number, false)),
            _ => None,
        }
    })
}

impl Operands {
    /// For the cases of `row`.
    pub fn new(row: &'static Row) -> Operands {
        let content = content(row);
        let signed = |values: Vec<u128>, bits: u32| -> Vec<u128> {
            values.into_iter().flat_map(|value| [value, value | 1 << (bits - 1)]).collect()
        };
        let values = match content {
            Content::Numbers(format) => signed(grid(format), format.fields().1),
            Content::Narrow => {
                signed(grid(Format::Single), 32).into_iter().map(|bits| widened(bits, Format::Single)).collect()
            }
            Content::Integers(bits) => integers(bits),
        };
        let narrows =
            matches!(row.op, Op::Vsx(Vsx::Convert(Convert::Scalar(_, Kind::Half) | Convert::Vector(_, Kind::Half))));
        let leading = content == Content::Numbers(Format::Half) || is_estimate(row) || narrows;
        Operands { content, values, sources: sources(row, 0).count() as u32, leading, narrows }
    }

    fn format(&self) -> Format {
        match self.content {
            Content::Numbers(format) => format,
            Content::Narrow => Format::Single,
            Content::Integers(_) => Format::Double,
        }
    }

    /// Cases that hold every combination of boundary values; of those of three operands some, spread over all.
    pub fn boundaries(&self) -> impl Iterator<Item = Pick> + use<> {
        const MOST: usize = 1 << 16;
        // Coprime to all numbers of combinations, so that none comes twice.
        const STEP: usize = 7_368_787;
        let all = self.values.len().pow(self.sources.min(3));
        let (step, lanes) = if all > MOST { (STEP, 1) } else { (1, (128 / self.content.bits()) as usize) };
        (0..all.min(MOST)).step_by(lanes).map(move |cell| Pick::Boundaries(cell * step % all))
    }

    /// Cases that hold all leading bits, if the result of the row follows from them.
    pub fn leading(&self) -> impl Iterator<Item = Pick> + use<> {
        let count = if self.leading { 1 << 16 } else { 0 };
        (0..count).step_by((128 / self.content.bits()) as usize).map(Pick::Leading)
    }

    /// Fills the registers that `word` reads.
    pub fn fill(&self, c: &mut Chance, row: &'static Row, word: u64, pick: Pick, state: &mut State) {
        let (format, bits) = (self.format(), self.content.bits());
        for at in 0..128 / bits {
            let theme = Theme::new(c, format);
            for (position, (register, vsr)) in (0..).zip(sources(row, word)) {
                let number = match pick {
                    Pick::Chance => self.random(c, &theme, format),
                    Pick::Boundaries(cell) => {
                        let digit = (cell + at as usize) / self.values.len().pow(position) % self.values.len();
                        self.values[digit]
                    }
                    Pick::Leading(first) => self.led(c, first + at as usize),
                };
                if vsr {
                    set_element(state, register, at, bits, number);
                } else if bits == 64 {
                    (state.reg[reg::HIGH + register], state.reg[register]) =
                        (number as u64 >> 32, number as u64 & WORD);
                } else {
                    state.reg[if at == 0 { register } else { reg::HIGH + register }] = number as u64;
                }
            }
        }
    }

    /// A number whose leading bits are `index`: all 16 of a halfword, else the sign, whether the exponent is even, and
    /// 14 bits of the fraction.
    fn led(&self, c: &mut Chance, index: usize) -> u128 {
        if self.content == Content::Numbers(Format::Half) {
            return index as u128;
        }
        let format = self.format();
        if self.narrows {
            return between_halves(c, index, format);
        }
        let (fraction_bits, width) = format.fields();
        let near = c.below(2 * format.max_exponent() as usize - 4) & !1;
        let exponent = if c.percent(80) { format.max_exponent() as usize - 1 } else { near + 2 };
        let tail = u128::from(c.bits()) & ((1 << (fraction_bits - 14)) - 1);
        let fraction = (index as u128 & 0x3fff) << (fraction_bits - 14) | tail;
        let sign = (index as u128 >> 15) << (width - 1);
        let number = sign | ((exponent + (index >> 14 & 1)) as u128) << fraction_bits | fraction;
        if self.content == Content::Narrow { widened(number, format) } else { number }
    }

    fn random(&self, c: &mut Chance, theme: &Theme, format: Format) -> u128 {
        match self.content {
            Content::Integers(bits) => integer(c, bits),
            // An operand that is no single leaves the result undefined; our engines round it all the same.
            Content::Narrow if c.percent(10) => theme.number(c, Format::Double),
            Content::Narrow => widened(theme.number(c, format), format),
            Content::Numbers(_) => theme.number(c, format),
        }
    }

    /// Makes the addends of a fused operation nearly the negatives of the products: `registers` are factor, factor and
    /// addend.
    pub fn cancel(&self, c: &mut Chance, registers: [usize; 3], state: &mut State) {
        let (format, rounded) = match self.content {
            Content::Numbers(format) => (format, format),
            _ => (Format::Double, Format::Single),
        };
        let bits = self.content.bits();
        for at in 0..128 / bits {
            let [a, b] = [0, 1].map(|i| Number::decode(element(state, registers[i], at, bits), format));
            if a.is_nan() || b.is_nan() {
                continue;
            }
            let product = a.times(b).ok().map(|p| p.to_format(rounded, Mode::NearEven).number);
            if let Some(number) = product.and_then(|p| p.encode(format)) {
                let sign = u128::from(c.bits() & 1) << (bits - 1);
                let near = number.wrapping_add_signed(c.below(3) as i128 - 1);
                set_element(state, registers[2], at, bits, near ^ sign);
            }
        }
    }
}

/// The halfword `index`, or where rounding to it or the next one changes: halfway, and one bit beside.
fn between_halves(c: &mut Chance, index: usize, format: Format) -> u128 {
    let [low, high] = [index, index ^ 1].map(|bits| Number::decode(bits as u128, Format::Half));
    let middle = low.plus(high, Mode::NearEven).ok().map(|sum| sum.scaled(-1));
    let middle = middle.filter(|m| !m.is_nan()).and_then(|m| m.encode(format));
    match middle {
        Some(middle) if c.percent(80) => middle.saturating_add_signed(c.below(3) as i128 - 1),
        _ => low.encode(format).unwrap_or(0),
    }
}

/// A number in double format.
fn widened(bits: u128, format: Format) -> u128 {
    Number::decode(bits, format).encode(Format::Double).unwrap_or(0)
}

/// Integers of so many bits at the limits of formats and types.
fn integers(bits: u32) -> Vec<u128> {
    let mut values = vec![0];
    for place in [0, 1, 8, 23, 24, 25, 30, 31, 32, 52, 53, 54, 55, 62, 63] {
        let power = 1u128 << place;
        values.extend([
            power,
            power - 1,
            power + 1,
            power + power / 2,
            power.wrapping_neg(),
            (power + 1).wrapping_neg(),
        ]);
        // Halves of a unit in the last place of singles and doubles, and a bit beside them.
        for precision in [24, 53] {
            if place >= precision {
                let half = 1 << (place - precision);
                values.extend([power + half, power + half - 1, power + half + 1, power + 3 * half, power - half]);
            }
        }
    }
    values.iter_mut().for_each(|value| *value &= u128::MAX >> (128 - bits));
    values.sort_unstable();
    values.dedup();
    values
}

fn is_estimate(row: &Row) -> bool {
    use ppc_isa::float::{Arithmetic, Float};
    match row.op {
        Op::Float(Float::Arithmetic { operation, .. }) => {
            matches!(operation, Arithmetic::Reciprocal | Arithmetic::ReciprocalSquareRoot)
        }
        Op::Vector(Vector::Float(op)) => matches!(
            op,
            VectorFloat::Reciprocal
                | VectorFloat::ReciprocalSquareRoot
                | VectorFloat::Exponent
                | VectorFloat::Logarithm
        ),
        Op::Vsx(Vsx::Arithmetic(op)) => matches!(op.operation, Operation::Reciprocal | Operation::ReciprocalSqrt),
        _ => false,
    }
}

/// Element `at` of a VSR, from the left, `bits` wide.
pub fn element(state: &State, vsr: usize, at: u32, bits: u32) -> u128 {
    state.vsr(vsr) >> (128 - (at + 1) * bits) & u128::MAX >> (128 - bits)
}

/// Writes element `at` of a VSR.
pub fn set_element(state: &mut State, vsr: usize, at: u32, bits: u32, value: u128) {
    let (shift, mask) = (128 - (at + 1) * bits, u128::MAX >> (128 - bits));
    let register = state.vsr(vsr) & !(mask << shift) | (value & mask) << shift;
    state.reg[reg::VSR + 2 * vsr] = (register >> 64) as u64;
    state.reg[reg::VSR + 2 * vsr + 1] = register as u64;
}

/// FPSCR: any rounding mode, enables and sticky bits. An enabled exception has occurred already only if `pending`.
pub fn status(c: &mut Chance, wide: bool, pending: bool) -> u64 {
    let mut value = c.below(4) as u64;
    if c.percent(50) {
        value |= c.bits() & 0xf8;
    }
    if c.percent(20) {
        value |= fpscr::NI;
    }
    if wide {
        value |= (c.below(8) as u64) << 32;
    }
    let sticky = fpscr::FX | fpscr::EXCEPTIONS | fpscr::FR | fpscr::FI | fpscr::FPRF;
    value |= match c.below(3) {
        0 => 0,
        1 => c.bits() & sticky,
        _ => c.bits() & c.bits() & sticky,
    };
    value = summarised(value);
    if value & fpscr::FEX != 0 && !pending {
        value = summarised(value & !fpscr::ENABLES);
    }
    value
}

/// SPEFSCR: any rounding mode, enables, sticky and status bits.
pub fn embedded_status(c: &mut Chance) -> u64 {
    let enables = if c.percent(40) { c.bits() & 0x7c } else { 0 };
    let status = if c.percent(50) { c.bits() & 0xff3e_ff00 } else { 0 };
    c.below(4) as u64 | enables | status
}
