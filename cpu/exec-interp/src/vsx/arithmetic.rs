//! VSX floating-point arithmetic.

use std::cmp::Ordering;

use exec::VcpuState;
use exec::fp::{self, Context, Float, Kind, Outcome, SINGLE, fpscr};
use ppc_isa::vsx::arithmetic::{Arithmetic, Fused, Nan, Operation, Rounding};

use super::shape::{ScalarDouble, ScalarSingle, Shape, Status, VectorDouble, VectorSingle, finish, number, register};
use crate::env::{Env, Flow, Handler, Step};
use crate::fields::{xa, xb, xt};

/// The handler of `op`.
pub fn handler(op: Arithmetic) -> Handler {
    use ppc_isa::vsx::arithmetic::Shape;
    match op.shape {
        Shape::ScalarDouble => shaped::<ScalarDouble>(op.operation),
        Shape::ScalarSingle => shaped::<ScalarSingle>(op.operation),
        Shape::VectorDouble => shaped::<VectorDouble>(op.operation),
        Shape::VectorSingle => shaped::<VectorSingle>(op.operation),
    }
}

fn shaped<S: Shape>(operation: Operation) -> Handler {
    match operation {
        Operation::Add => |s, env, w| compute::<S>(s, env, w, |c, x| c.add(x.a(), x.b())),
        Operation::Sub => |s, env, w| compute::<S>(s, env, w, |c, x| c.sub(x.a(), x.b())),
        Operation::Mul => |s, env, w| compute::<S>(s, env, w, |c, x| c.mul(x.a(), x.b())),
        Operation::Div => |s, env, w| compute::<S>(s, env, w, |c, x| c.div(x.a(), x.b())),
        Operation::Sqrt => |s, env, w| compute::<S>(s, env, w, |c, x| c.sqrt(x.b())),
        Operation::Reciprocal => |s, env, w| compute::<S>(s, env, w, |c, x| c.reciprocal(x.b())),
        Operation::ReciprocalSqrt => |s, env, w| compute::<S>(s, env, w, |c, x| c.reciprocal_square_root(x.b())),
        Operation::Fused(Fused { subtract, negate, adds_target }) => match (subtract, negate, adds_target) {
            (false, false, false) => fused::<S, false, false, false>,
            (false, false, true) => fused::<S, false, false, true>,
            (false, true, false) => fused::<S, false, true, false>,
            (false, true, true) => fused::<S, false, true, true>,
            (true, false, false) => fused::<S, true, false, false>,
            (true, false, true) => fused::<S, true, false, true>,
            (true, true, false) => fused::<S, true, true, false>,
            (true, true, true) => fused::<S, true, true, true>,
        },
        Operation::RoundToInteger(Rounding::Current) => {
            |s, env, w| compute::<S>(s, env, w, |c, x| c.round_to_integral(x.b(), true))
        }
        Operation::RoundToInteger(Rounding::NearestAway) => {
            |s, env, w| round::<S>(s, env, w, fp::Rounding::NearestAway)
        }
        Operation::RoundToInteger(Rounding::Down) => |s, env, w| round::<S>(s, env, w, fp::Rounding::Down),
        Operation::RoundToInteger(Rounding::Up) => |s, env, w| round::<S>(s, env, w, fp::Rounding::Up),
        Operation::RoundToInteger(Rounding::Zero) => |s, env, w| round::<S>(s, env, w, fp::Rounding::TowardZero),
        Operation::Maximum(Nan::Ieee) => |s, env, w| choose::<S>(s, env, w, |a, b| ieee(a, b, Ordering::Greater)),
        Operation::Minimum(Nan::Ieee) => |s, env, w| choose::<S>(s, env, w, |a, b| ieee(a, b, Ordering::Less)),
        Operation::Maximum(Nan::C) => |s, env, w| choose::<S>(s, env, w, |a, b| c(a, b, Ordering::Greater)),
        Operation::Minimum(Nan::C) => |s, env, w| choose::<S>(s, env, w, |a, b| c(a, b, Ordering::Less)),
        Operation::Maximum(Nan::Java) => |s, env, w| choose::<S>(s, env, w, |a, b| java(a, b, Ordering::Greater)),
        Operation::Minimum(Nan::Java) => |s, env, w| choose::<S>(s, env, w, |a, b| java(a, b, Ordering::Less)),
        Operation::Absolute => |s, _, w| signs::<S>(s, w, |_, b, sign| b & !sign),
        Operation::NegativeAbsolute => |s, _, w| signs::<S>(s, w, |_, b, sign| b | sign),
        Operation::Negate => |s, _, w| signs::<S>(s, w, |_, b, sign| b ^ sign),
        Operation::CopySign => |s, _, w| signs::<S>(s, w, |a, b, sign| a & sign | b & !sign),
    }
}

/// One element of each operand.
struct Elements<'a, S> {
    state: &'a VcpuState,
    word: u32,
    lane: usize,
    shape: std::marker::PhantomData<S>,
}

impl<S: Shape> Elements<'_, S> {
    fn of(&self, vsr: usize) -> Float {
        number::<S>(self.state.vsr[vsr & 63], self.lane)
    }

    fn t(&self) -> Float {
        self.of(xt(self.word))
    }

    fn a(&self) -> Float {
        self.of(xa(self.word))
    }

    fn b(&self) -> Float {
        self.of(xb(self.word))
    }
}

/// Computes every element and reports on the result.
fn compute<S: Shape>(
    s: &mut VcpuState,
    env: &mut Env,
    w: u32,
    operation: impl Fn(&Context, Elements<S>) -> Outcome,
) -> Step {
    let context = Context::scalar(S::PRECISION, s.fpscr);
    let mut raised = 0;
    let mut fprf = 0;
    let value = register::<S>(|lane| {
        let outcome = operation(&context, Elements { state: s, word: w, lane, shape: std::marker::PhantomData });
        raised |= outcome.raised;
        fprf = outcome.fprf;
        outcome.value.pack(S::FORMAT) as u64
    });
    if S::SCALAR {
        finish::<true>(s, env, w, value, raised, Status::Result(fprf))
    } else {
        finish::<false>(s, env, w, value, raised, Status::Silent)
    }
}

fn fused<S: Shape, const SUBTRACT: bool, const NEGATE: bool, const ADDS_TARGET: bool>(
    s: &mut VcpuState,
    env: &mut Env,
    w: u32,
) -> Step {
    compute::<S>(s, env, w, |context, x| {
        let (factor, addend) = if ADDS_TARGET { (x.b(), x.t()) } else { (x.t(), x.b()) };
        let outcome = if SUBTRACT {
            context.multiply_sub(x.a(), factor, addend)
        } else {
            context.multiply_add(x.a(), factor, addend)
        };
        if NEGATE { outcome.negated(S::PRECISION) } else { outcome }
    })
}

fn round<S: Shape>(s: &mut VcpuState, env: &mut Env, w: u32, rounding: fp::Rounding) -> Step {
    compute::<S>(s, env, w, |context, x| context.with_rounding(rounding).round_to_integral(x.b(), false))
}

/// Takes one of two elements each; only VXSNAN is reported.
fn choose<S: Shape>(s: &mut VcpuState, env: &mut Env, w: u32, choice: impl Fn(Float, Float) -> Float) -> Step {
    let (a, b) = (s.vsr[xa(w)], s.vsr[xb(w)]);
    let mut raised = 0;
    let value = register::<S>(|lane| {
        let (a, b) = (number::<S>(a, lane), number::<S>(b, lane));
        if a.is_signalling() || b.is_signalling() {
            raised = fpscr::VXSNAN;
        }
        choice(a, b).pack(S::FORMAT) as u64
    });
    finish::<false>(s, env, w, value, raised, Status::Silent)
}

/// Whether `a` stands in the `wanted` order to `b`; -0 is less than +0.
fn is(a: Float, b: Float, wanted: Ordering) -> bool {
    let zeros = a.kind == Kind::Zero && b.kind == Kind::Zero;
    let order = if zeros { Some(b.negative.cmp(&a.negative)) } else { fp::compare(a, b, false, 0).0 };
    order == Some(wanted)
}

fn ieee(a: Float, b: Float, wanted: Ordering) -> Float {
    match (a.is_nan(), b.is_nan()) {
        (false, false) if is(b, a, wanted) => b,
        (true, false) if !a.is_signalling() => b,
        (false, true) if b.is_signalling() => b.quieted(),
        _ => a.quieted(),
    }
}

fn c(a: Float, b: Float, wanted: Ordering) -> Float {
    if fp::compare(a, b, false, 0).0 == Some(wanted) { a } else { b }
}

fn java(a: Float, b: Float, wanted: Ordering) -> Float {
    if !a.is_nan() && (b.is_nan() || is(b, a, wanted)) { b } else { a }
}

/// Changes signs: the operation sees doublewords of XA and XB, and a mask of the sign bits.
fn signs<S: Shape>(s: &mut VcpuState, w: u32, operation: impl Fn(u64, u64, u64) -> u64) -> Step {
    let (a, b) = (s.vsr[xa(w)], s.vsr[xb(w)]);
    let sign = if S::FORMAT == SINGLE { 0x8000_0000_8000_0000 } else { 1 << 63 };
    let low = if S::SCALAR { 0 } else { operation(a[1], b[1], sign) };
    s.vsr[xt(w)] = [operation(a[0], b[0], sign), low];
    Ok(Flow::Next)
}
