//! VSX: scalars in doubleword 0 and vectors of 128 bits (Power ISA Book I, chapter 7).

use std::cmp::Ordering;

use exec::fp::fpscr::{self, FPCC, FPRF};
use ppc_isa::vsx::arithmetic::{Arithmetic, Nan, Operation, Rounding, Shape};
use ppc_isa::vsx::compare::{Compare, Relation};
use ppc_isa::vsx::convert::{Convert, Number as Kind};

use super::Work;
use super::cases::{element, set_element};
use super::number::{Format, Mode, Number};
use super::result::{Delivered, Rules, to_integer, with_exceptions};
use super::scalar::{compare, divide_test, judged, reciprocal, reciprocal_root, root_test};
use crate::case::reg;

impl Work<'_> {
    pub fn vsr(&self, high: &str, low: &str) -> usize {
        (self.field(high) << 5 | self.field(low)) as usize
    }

    fn xt(&self) -> usize {
        self.vsr("TX", "T")
    }

    fn xa(&self) -> usize {
        self.vsr("AX", "A")
    }

    fn xb(&self) -> usize {
        self.vsr("BX", "B")
    }

    /// Element `at` of a VSR before the instruction.
    pub fn element(&self, vsr: usize, at: u32, bits: u32) -> u128 {
        element(self.view.before, vsr, at, bits)
    }

    pub fn set_element(&mut self, vsr: usize, at: u32, bits: u32, value: u128) {
        set_element(&mut self.expected.after, vsr, at, bits, value);
    }

    /// Reports the exceptions of all elements of a vector. An enabled one in any of them keeps the target.
    pub fn report_elements(&mut self, exceptions: u64) -> bool {
        let before = self.fpscr();
        self.set_fpscr(with_exceptions(before, exceptions));
        with_exceptions(before & fpscr::ENABLES, exceptions) & fpscr::FEX == 0
    }

    /// CR field BF and `FPSCR[FPCC]`.
    pub fn compared(&mut self, field: u8, exceptions: u64) {
        let fpscr = self.fpscr();
        self.set_cr(self.field("BF"), field);
        self.set_fpscr(with_exceptions(fpscr & !FPCC | u64::from(field) << 12, exceptions));
    }
}

/// Format of elements, format of results, number of elements.
fn shape(shape: Shape) -> (Format, Format, u32) {
    match shape {
        Shape::ScalarDouble => (Format::Double, Format::Double, 1),
        Shape::ScalarSingle => (Format::Double, Format::Single, 1),
        Shape::VectorDouble => (Format::Double, Format::Double, 2),
        Shape::VectorSingle => (Format::Single, Format::Single, 4),
    }
}

fn is_scalar(kind: Shape) -> bool {
    matches!(kind, Shape::ScalarDouble | Shape::ScalarSingle)
}

/// Writes the encodings of the elements, unless one has none: no single-precision operands made it, or the ISA does not
/// say what becomes of an exponent that is out of range after adjustment.
fn write(work: &mut Work, elements: &[Option<u128>], bits: u32) {
    let xt = work.xt();
    work.set_vsr(xt as u32, [0, 0]);
    for (at, value) in (0..).zip(elements) {
        match value {
            Some(value) => work.set_element(xt, at, bits, *value),
            None => set_element(&mut work.expected.ignore, xt, at, bits, u128::MAX),
        }
    }
}

pub fn arithmetic(op: Arithmetic, work: &mut Work) {
    let (format, precision, lanes) = shape(op.shape);
    let bits = format.fields().1;
    let rules = Rules::new(precision, work.fpscr());
    let [xt, xa, xb] = [work.xt(), work.xa(), work.xb()];
    let silent = matches!(
        op.operation,
        Operation::Absolute
            | Operation::NegativeAbsolute
            | Operation::Negate
            | Operation::CopySign
            | Operation::Maximum(_)
            | Operation::Minimum(_)
    );
    let mut results = Vec::new();
    let mut exceptions = 0;
    let mut last = None;
    for at in 0..lanes {
        let raw = [xt, xa, xb].map(|vsr| work.element(vsr, at, bits));
        let [t, a, b] = raw.map(|x| Number::decode(x, format));
        let sign = 1 << (bits - 1);
        let delivered = match op.operation {
            Operation::Add => rules.operate(&[a, b], || a.plus(b, rules.mode)),
            Operation::Sub => rules.operate(&[a, b], || a.plus(b.negated(), rules.mode)),
            Operation::Mul => rules.operate(&[a, b], || a.times(b)),
            Operation::Div => rules.operate(&[a, b], || a.over(b)),
            Operation::Sqrt => rules.operate(&[b], || b.root()),
            Operation::Reciprocal | Operation::ReciprocalSqrt => {
                let found = Number::decode(element(work.found, xt, at, bits), format);
                let exactly = if op.operation == Operation::Reciprocal { reciprocal } else { reciprocal_root };
                judged(work, &rules, b, exactly, 16384, found)
            }
            Operation::Fused(f) => {
                let (factor, addend) = if f.adds_target { (b, t) } else { (t, b) };
                let delivered = rules.fused(a, factor, addend, f.subtract);
                if f.negate { delivered.negated() } else { delivered }
            }
            Operation::RoundToInteger(rounding) => {
                let mode = match rounding {
                    Rounding::NearestAway => Mode::NearAway,
                    Rounding::Current => rules.mode,
                    Rounding::Down => Mode::Floor,
                    Rounding::Up => Mode::Ceiling,
                    Rounding::Zero => Mode::Zero,
                };
                rules.with_mode(mode).integral(b, rounding == Rounding::Current)
            }
            Operation::Maximum(nan) => choose(nan, raw, format, Ordering::Greater),
            Operation::Minimum(nan) => choose(nan, raw, format, Ordering::Less),
            Operation::Absolute => bitwise(raw[2] & !sign, format),
            Operation::NegativeAbsolute => bitwise(raw[2] | sign, format),
            Operation::Negate => bitwise(raw[2] ^ sign, format),
            Operation::CopySign => bitwise(raw[1] & sign | raw[2] & !sign, format),
        };
        exceptions |= delivered.exceptions;
        results.push(delivered.number.encode(format));
        last = Some(delivered);
    }
    let estimate = matches!(op.operation, Operation::Reciprocal | Operation::ReciprocalSqrt);
    if estimate && work.fpscr() & fpscr::XE != 0 && work.found.vsr(xt) == work.view.before.vsr(xt) {
        // Whether an estimate is inexact is up to the implementation; here one was, and that keeps the target.
        exceptions |= fpscr::XX & work.found.reg[reg::FPSCR];
    }
    let written = match last {
        Some(delivered) if is_scalar(op.shape) && !silent => work.report(&delivered),
        _ => work.report_elements(exceptions),
    };
    if written {
        write(work, &results, bits);
    }
}

/// A result that is bits, not a number: a signalling NaN stays one.
fn bitwise(bits: u128, format: Format) -> Delivered {
    let zero = Delivered::exactly(Number::zero(false), format, 0);
    Delivered { number: Number::decode(bits, format), ..zero }
}

/// Maximum and minimum: a signalling NaN raises VXSNAN.
fn choose(nan: Nan, [_, ra, rb]: [u128; 3], format: Format, wanted: Ordering) -> Delivered {
    let [a, b] = [ra, rb].map(|x| Number::decode(x, format));
    let exceptions = if a.is_signalling() || b.is_signalling() { fpscr::VXSNAN } else { 0 };
    let quiet = |x: Number| Delivered::exactly(x, format, exceptions);
    let raw = |bits| Delivered { exceptions, ..bitwise(bits, format) };
    // Of two zeros the positive one is the greater.
    let order = match a.order(b) {
        Some(Ordering::Equal) if a.is_zero() => b.negative.cmp(&a.negative),
        order => order.unwrap_or(Ordering::Equal),
    };
    match nan {
        Nan::C => raw(if a.order(b) == Some(wanted) { ra } else { rb }),
        Nan::Java if a.is_nan() => raw(ra),
        Nan::Java if b.is_nan() => raw(rb),
        // The table of xsmaxdp: a quiet NaN gives way to a number, a signalling one does not.
        Nan::Ieee if a.is_signalling() => quiet(a),
        Nan::Ieee if a.is_nan() => quiet(if b.is_nan() { a } else { b }),
        Nan::Ieee if b.is_signalling() => quiet(b),
        Nan::Ieee if b.is_nan() => quiet(a),
        Nan::Ieee | Nan::Java => raw(if order.reverse() == wanted { rb } else { ra }),
    }
}

pub fn comparison(op: Compare, work: &mut Work) {
    let (xa, xb) = (work.xa(), work.xb());
    let double = |work: &Work, vsr| Number::decode(work.element(vsr, 0, 64), Format::Double);
    match op {
        Compare::Order { ordered } => {
            let (field, exceptions) = compare(double(work, xa), double(work, xb), ordered, work.fpscr());
            work.compared(field, exceptions);
        }
        Compare::Exponents => {
            let field = exponents(work.element(xa, 0, 64), work.element(xb, 0, 64), Format::Double);
            work.compared(field, 0);
        }
        Compare::Mask(relation, kind) => masks(work, relation, kind),
        Compare::DivideTest(kind) => {
            let (format, _, lanes) = shape(kind);
            let number = |vsr, at| Number::decode(work.element(vsr, at, format.fields().1), format);
            let field = (0..lanes).fold(0, |all, at| all | divide_test(number(xa, at), number(xb, at), format));
            work.set_cr(work.field("BF"), field);
        }
        Compare::SquareRootTest(kind) => {
            let (format, _, lanes) = shape(kind);
            let number = |at| Number::decode(work.element(xb, at, format.fields().1), format);
            let field = (0..lanes).fold(0, |all, at| all | root_test(number(at), format));
            work.set_cr(work.field("BF"), field);
        }
        Compare::ClassTest(kind @ (Shape::ScalarDouble | Shape::ScalarSingle)) => {
            let x = double(work, xb);
            let (_, precision, _) = shape(kind);
            let held = x.encode(Format::Double).map(|bits| Number::decode(bits, Format::Double));
            let representable = match x.value {
                super::number::Value::Nan(payload) => payload << 23 == 0,
                super::number::Value::Finite(..) => x.encode(precision).is_some(),
                _ => held.is_some(),
            };
            let other = kind == Shape::ScalarSingle && !representable;
            let matches = of_class(x, precision, work.field("DCMX"));
            work.compared(u8::from(x.negative) << 3 | u8::from(matches) << 1 | u8::from(other), 0);
        }
        Compare::ClassTest(kind) => {
            let (format, _, lanes) = shape(kind);
            let bits = format.fields().1;
            let mask = work.field("dc") << 6 | work.field("dm") << 5 | work.field("dx");
            let results: Vec<_> = (0..lanes)
                .map(|at| of_class(Number::decode(work.element(xb, at, bits), format), format, mask))
                .map(|matches| Some(if matches { u128::MAX } else { 0 }))
                .collect();
            write(work, &results, bits);
        }
        Compare::LastBits => {
            let bytes = work.element(xb, 0, 128).to_be_bytes();
            let all = |bit: u8| bytes.iter().all(|byte| byte & 1 == bit);
            work.set_cr(work.field("BF"), u8::from(all(1)) << 3 | u8::from(all(0)) << 1);
        }
    }
}

/// `xscmpexpdp`, `xscmpexpqp`: exponent fields as numbers.
pub fn exponents(a: u128, b: u128, format: Format) -> u8 {
    let (fraction, width) = format.fields();
    let field = |x: u128| x >> fraction & ((1 << (width - 1 - fraction)) - 1);
    if Number::decode(a, format).is_nan() || Number::decode(b, format).is_nan() {
        return 1;
    }
    match field(a).cmp(&field(b)) {
        Ordering::Less => 8,
        Ordering::Greater => 4,
        Ordering::Equal => 2,
    }
}

/// DCMX: NaN, +infinity, -infinity, +0, -0, +denormal, -denormal.
pub fn of_class(x: Number, format: Format, dcmx: u32) -> bool {
    let pair = |positive: u32| if x.negative { positive >> 1 } else { positive };
    let class = if x.is_nan() {
        0x40
    } else if x.is_infinite() {
        pair(0x20)
    } else if x.is_zero() {
        pair(0x08)
    } else if x.is_denormal(format) {
        pair(0x02)
    } else {
        0
    };
    dcmx & class != 0
}

/// Whether two numbers stand in a relation.
pub fn holds(relation: Relation, a: Number, b: Number) -> bool {
    match relation {
        Relation::Equal => a.order(b) == Some(Ordering::Equal),
        Relation::Greater => a.order(b) == Some(Ordering::Greater),
        Relation::GreaterEqual => a.order(b).is_some_and(Ordering::is_ge),
    }
}

fn masks(work: &mut Work, relation: Relation, kind: Shape) {
    let (format, _, lanes) = shape(kind);
    let bits = format.fields().1;
    let mut exceptions = 0;
    let mut results = Vec::new();
    for at in 0..lanes {
        let [a, b] = [work.xa(), work.xb()].map(|vsr| Number::decode(work.element(vsr, at, bits), format));
        exceptions |= compare(a, b, relation != Relation::Equal, work.fpscr()).1;
        results.push(holds(relation, a, b));
    }
    let written = work.report_elements(exceptions);
    if written {
        let values: Vec<_> = results.iter().map(|holds| Some(if *holds { u128::MAX } else { 0 })).collect();
        write(work, &values, bits);
    }
    if work.view.row.field("RcV").is_some() && work.field("RcV") == 1 {
        let (all, none) = (results.iter().all(|holds| *holds), !results.iter().any(|holds| *holds));
        work.set_cr(6, u8::from(all) << 3 | u8::from(none) << 1);
        if !written {
            // "the contents of CR field 6 are undefined" after an enabled exception.
            work.expected.ignore.reg[reg::CR] |= 0xf0;
        }
    }
}

/// Format, and width in a register: of integers the width, and whether signed.
enum Side {
    Number(Format, Format),
    Integer(u32, bool),
}

fn side(kind: Kind) -> Side {
    match kind {
        Kind::Half => Side::Number(Format::Half, Format::Half),
        Kind::Bfloat => Side::Number(Format::Bfloat, Format::Bfloat),
        Kind::Single => Side::Number(Format::Single, Format::Single),
        Kind::SingleAsDouble => Side::Number(Format::Single, Format::Double),
        Kind::Double => Side::Number(Format::Double, Format::Double),
        Kind::SignedWord => Side::Integer(32, true),
        Kind::UnsignedWord => Side::Integer(32, false),
        Kind::SignedDouble => Side::Integer(64, true),
        Kind::UnsignedDouble => Side::Integer(64, false),
    }
}

fn width(side: &Side) -> u32 {
    match side {
        Side::Number(_, format) => format.fields().1,
        Side::Integer(bits, _) => *bits,
    }
}

/// What `bits` stand for.
fn source(side: &Side, bits: u128) -> Number {
    match *side {
        Side::Number(_, format) => Number::decode(bits, format),
        Side::Integer(width, true) if bits >> (width - 1) & 1 != 0 => Number::finite(true, (1 << width) - bits, 0),
        Side::Integer(..) => Number::finite(false, bits, 0),
    }
}

pub fn conversion(op: Convert, work: &mut Work) -> Option<()> {
    let (from, to, scalar) = match op {
        Convert::Scalar(from, to) => (side(from), side(to), true),
        Convert::Vector(from, to) => (side(from), side(to), false),
        Convert::WidenBits => {
            let x = Number::decode(work.element(work.xb(), 0, 32), Format::Single);
            write(work, &[x.encode(Format::Double), Some(0)], 64);
            return Some(());
        }
        Convert::NarrowBits => {
            let bits = work.element(work.xb(), 0, 64);
            let x = Number::decode(bits, Format::Double);
            let single = match x.exponent() {
                // Denormal as a single: bits are cut off. Otherwise bits are selected.
                Some(e) if e < -126 => x.to_format(Format::Single, Mode::Zero).number.encode(Format::Single),
                _ => Some(bits >> 32 & 0xc000_0000 | bits >> 29 & 0x3fff_ffff),
            };
            write(work, &[single, single, Some(0), Some(0)], 32);
            return Some(());
        }
        _ => return None,
    };
    let (wide, rules) = (width(&from).max(width(&to)).max(32), |format| Rules::new(format, work.fpscr()));
    // A scalar stands in doubleword 0: words at its left end, halfwords at its right.
    let cell = if scalar { 64 } else { wide };
    let mut results = Vec::new();
    let mut exceptions = 0;
    let mut last = None;
    for at in 0..if scalar { 1 } else { 128 / cell } {
        let bits = work.element(work.xb(), at, cell);
        let bits = if width(&from) == 32 && cell == 64 { bits >> 32 } else { bits };
        let x = source(&from, bits & u128::MAX >> (128 - width(&from)));
        let (delivered, value) = match to {
            Side::Number(precision, format) => {
                let delivered = rules(precision).operate(&[x], || Ok(x));
                (delivered, delivered.number.encode(format))
            }
            Side::Integer(bits, signed) => {
                let (value, exceptions, fr, fi) = to_integer(x, bits, signed, Mode::Zero);
                let zero = Delivered::exactly(Number::zero(false), Format::Double, 0);
                (Delivered { exceptions, fr, fi, undefined: FPRF, ..zero }, Some(value))
            }
        };
        exceptions |= delivered.exceptions;
        results.push(match value {
            Some(value) if width(&to) == 32 && cell == 64 => Some(value << 32 | value),
            value => value,
        });
        last = Some(delivered);
    }
    let written = match last {
        Some(delivered) if scalar => work.report(&delivered),
        _ => work.report_elements(exceptions),
    };
    if written {
        write(work, &results, cell);
    }
    Some(())
}
