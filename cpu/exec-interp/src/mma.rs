//! The matrix-multiply assist. An accumulator is its four VSRs at all times.
//!
//! Element j of row i of an accumulator belongs to element i of XA and element j of XB. An element whose row or column
//! the prefix leaves out becomes 0.

use std::array;

use exec::VcpuState;
use exec::fp::{Context, DOUBLE, Float, Format, HALF, Outcome, QUAD, SINGLE, fpscr};
use ppc_isa::mma::{Factors, Mma, Update};

use crate::env::{Env, Flow, Handler, Step};
use crate::fields::{xa, xb};
use crate::float::interrupt_if_enabled;
use crate::vsx::{from_words, words};

/// Saturation bit of VSCR.
const SAT: u32 = 1;
const BFLOAT: Format = Format { exponent_bits: 8, fraction_bits: 7 };

/// The handler of `op`.
pub fn handler(op: Mma) -> Handler {
    match op {
        Mma::Move => |_, _, _| Ok(Flow::Next),
        Mma::Zero => |s, _, w| {
            accumulator(s, w).fill([0; 2]);
            Ok(Flow::Next)
        },
        Mma::Outer { factors, update, masked: false } => outer::<false>(factors, update),
        Mma::Outer { factors, update, masked: true } => outer::<true>(factors, update),
    }
}

fn outer<const MASKED: bool>(factors: Factors, update: Update) -> Handler {
    match factors {
        Factors::Int4 => integers::<Int4, MASKED>(update),
        Factors::Int8 => integers::<Int8, MASKED>(update),
        Factors::Int16 => integers::<Int16, MASKED>(update),
        Factors::Bfloat => floats::<Bfloat, MASKED>(update),
        Factors::Half => floats::<Half, MASKED>(update),
        Factors::Single => floats::<Single, MASKED>(update),
        Factors::Double => floats::<Double, MASKED>(update),
    }
}

/// The registers of the accumulator that AT names.
fn accumulator(s: &mut VcpuState, w: u32) -> &mut [[u64; 2]] {
    s.vsr.chunks_mut(4).nth((w >> 23 & 7) as usize).unwrap_or_default()
}

/// Which rows, columns and products take part.
#[derive(Clone, Copy)]
struct Masks(u32);

impl Masks {
    /// Those of the instruction: all of them, or what its prefix says.
    fn of<const MASKED: bool>(env: &Env) -> Masks {
        Masks(if MASKED { env.prefix } else { u32::MAX })
    }

    /// Element `j` of row `i`: XMSK and YMSK are the last bits of the prefix.
    fn element(self, i: usize, j: usize) -> bool {
        self.0 >> (7 - i) & self.0 >> (3 - j) & 1 != 0
    }

    /// Product `k`: PMSK begins at bit 16.
    fn product(self, k: usize) -> bool {
        self.0 >> (15 - k) & 1 != 0
    }
}

/// Integers in a word.
trait Integers {
    /// How many.
    const COUNT: usize;
    /// The product of number `k` of words of XA and XB.
    fn product(a: u32, b: u32, k: usize) -> i32;
}

struct Int4;
struct Int8;
struct Int16;

impl Integers for Int4 {
    const COUNT: usize = 8;
    fn product(a: u32, b: u32, k: usize) -> i32 {
        let signed = |word: u32| (word << (4 * k)).cast_signed() >> 28;
        signed(a) * signed(b)
    }
}

impl Integers for Int8 {
    const COUNT: usize = 4;
    fn product(a: u32, b: u32, k: usize) -> i32 {
        ((a << (8 * k)).cast_signed() >> 24) * (b << (8 * k) >> 24).cast_signed()
    }
}

impl Integers for Int16 {
    const COUNT: usize = 2;
    fn product(a: u32, b: u32, k: usize) -> i32 {
        let signed = |word: u32| (word << (16 * k)).cast_signed() >> 16;
        signed(a) * signed(b)
    }
}

fn integers<I: Integers, const MASKED: bool>(update: Update) -> Handler {
    match update {
        Update::Add => integer::<I, MASKED, true, false>,
        Update::AddSaturated => integer::<I, MASKED, true, true>,
        Update::SetSaturated => integer::<I, MASKED, false, true>,
        _ => integer::<I, MASKED, false, false>,
    }
}

fn integer<I: Integers, const MASKED: bool, const ADD: bool, const SATURATE: bool>(
    s: &mut VcpuState,
    env: &mut Env,
    w: u32,
) -> Step {
    let masks = Masks::of::<MASKED>(env);
    let (a, b) = (words(s.vsr[xa(w)]), words(s.vsr[xb(w)]));
    let mut saturated = false;
    for (i, row) in accumulator(s, w).iter_mut().enumerate() {
        let old = words(*row);
        *row = from_words(array::from_fn(|j| {
            if !masks.element(i, j) {
                return 0;
            }
            let products = (0..I::COUNT).filter(|k| masks.product(*k));
            let mut sum: i64 = products.map(|k| i64::from(I::product(a[i & 3], b[j], k))).sum();
            if ADD {
                sum += i64::from(old[j].cast_signed());
            }
            if SATURATE {
                let kept = sum.clamp(i32::MIN.into(), i32::MAX.into());
                saturated |= kept != sum;
                sum = kept;
            }
            sum as u32
        }));
    }
    if saturated {
        s.vscr |= SAT;
    }
    Ok(Flow::Next)
}

/// Floating-point factors.
trait Floats {
    /// Format of the accumulator's elements.
    const FORMAT: Format;
    /// Whether an element is two products, of the numbers in words of XA and XB.
    const PAIRS: bool;
    /// Format of the factors.
    const FACTOR: Format;
    /// Format that the sum of two products is rounded to before the accumulator is added.
    const SUM: Format;
}

struct Bfloat;
struct Half;
struct Single;
struct Double;

impl Floats for Bfloat {
    const FORMAT: Format = SINGLE;
    const PAIRS: bool = true;
    const FACTOR: Format = BFLOAT;
    /// The significand is that of single precision, the exponent is not bounded (bfp_ROUND_TO_BFP32_SIGNIFICAND).
    const SUM: Format = Format { exponent_bits: 15, fraction_bits: 23 };
}

impl Floats for Half {
    const FORMAT: Format = SINGLE;
    const PAIRS: bool = true;
    const FACTOR: Format = HALF;
    const SUM: Format = SINGLE;
}

impl Floats for Single {
    const FORMAT: Format = SINGLE;
    const PAIRS: bool = false;
    const FACTOR: Format = SINGLE;
    const SUM: Format = SINGLE;
}

impl Floats for Double {
    const FORMAT: Format = DOUBLE;
    const PAIRS: bool = false;
    const FACTOR: Format = DOUBLE;
    const SUM: Format = DOUBLE;
}

fn floats<F: Floats, const MASKED: bool>(update: Update) -> Handler {
    match update {
        Update::Add => float::<F, MASKED, true, false, false>,
        Update::SubtractAccumulator => float::<F, MASKED, true, false, true>,
        Update::SubtractProducts => float::<F, MASKED, true, true, false>,
        Update::SubtractBoth => float::<F, MASKED, true, true, true>,
        _ => float::<F, MASKED, false, false, false>,
    }
}

/// The accumulator is written and FPSCR is set as if no exception were enabled; then enabled ones interrupt.
fn float<F: Floats, const MASKED: bool, const ADD: bool, const MINUS_PRODUCTS: bool, const MINUS_ACC: bool>(
    s: &mut VcpuState,
    env: &mut Env,
    w: u32,
) -> Step {
    let masks = Masks::of::<MASKED>(env);
    let context = Context::vector(F::FORMAT, s.fpscr);
    // Of double precision, a pair of registers has the four rows; an odd number is that of its pair.
    let xa = if F::FORMAT == DOUBLE { xa(w) & !1 } else { xa(w) };
    let (a, b) = ([s.vsr[xa], s.vsr[xa | 1]], s.vsr[xb(w)]);
    let mut raised = 0;
    let mut element = |i: usize, j: usize, a: u64, b: u64, acc: u64| {
        if !masks.element(i, j) {
            return 0;
        }
        let acc = Float::unpack(acc.into(), F::FORMAT);
        let outcome = if F::PAIRS {
            let sum = pair::<F>(&Context { format: F::SUM, ..context }, a, b, masks);
            raised |= sum.raised;
            match ADD {
                true => context.add(negated_if::<MINUS_PRODUCTS>(sum.value), negated_if::<MINUS_ACC>(acc)),
                false => context.round(sum.value),
            }
        } else {
            let (a, b) = (Float::unpack(a.into(), F::FACTOR), Float::unpack(b.into(), F::FACTOR));
            let outcome = match (ADD, MINUS_PRODUCTS != MINUS_ACC) {
                (false, _) => context.mul(a, b),
                (true, false) => context.multiply_add(a, b, acc),
                (true, true) => context.multiply_sub(a, b, acc),
            };
            if MINUS_PRODUCTS { outcome.negated(F::FORMAT) } else { outcome }
        };
        raised |= outcome.raised;
        outcome.value.pack(F::FORMAT) as u64
    };
    for (i, row) in accumulator(s, w).iter_mut().enumerate() {
        *row = if F::FORMAT == DOUBLE {
            let a = a[i >> 1 & 1][i & 1];
            array::from_fn(|j| element(i, j, a, b[j], row[j]))
        } else {
            let (a, b, row) = (words(a[0])[i & 3], words(b), words(*row));
            from_words(array::from_fn(|j| element(i, j, a.into(), b[j].into(), row[j].into()) as u32))
        };
    }
    s.fpscr = fpscr::raise(s.fpscr, raised);
    interrupt_if_enabled(s, env)
}

/// The sum of two products of 16-bit numbers in words, the first of them exact. What does not take part is zero.
fn pair<F: Floats>(context: &Context, a: u64, b: u64, masks: Masks) -> Outcome {
    let number = |word: u64, k: usize| {
        let bits = if masks.product(k) { word >> (16 - 16 * k) & 0xffff } else { 0 };
        Float::unpack(bits.into(), F::FACTOR)
    };
    let exact = Context { format: QUAD, ..*context };
    let first = exact.mul(number(a, 0), number(b, 0));
    let sum = context.multiply_add(number(a, 1), number(b, 1), first.value);
    Outcome { raised: sum.raised | first.raised, ..sum }
}

/// The value, if `NEGATE` with the opposite sign unless it is a NaN.
fn negated_if<const NEGATE: bool>(x: Float) -> Float {
    if NEGATE && !x.is_nan() { x.negated() } else { x }
}
