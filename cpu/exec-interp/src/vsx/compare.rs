//! VSX comparisons and tests of floating-point numbers.

use std::cmp::Ordering;

use exec::VcpuState;
use exec::fp::{
    DOUBLE, Float, Kind, compare, divide_test, double_of_single, fpscr, single_of_double, square_root_test,
};
use ppc_isa::vsx::arithmetic::Shape as Named;
use ppc_isa::vsx::compare::{Compare, Relation};

use super::shape::{ScalarDouble, Shape, Status, VectorDouble, VectorSingle, finish, number, register};
use crate::env::{Env, Flow, Handler, Step};
use crate::fields::{bf, xa, xb, xt};
use crate::float::interrupt_if_enabled;

/// The handler of `op`.
pub fn handler(op: Compare) -> Handler {
    match op {
        Compare::Order { ordered: false } => order::<false>,
        Compare::Order { ordered: true } => order::<true>,
        Compare::Exponents => exponents,
        Compare::Mask(relation, Named::VectorDouble) => mask_handler::<VectorDouble>(relation),
        Compare::Mask(relation, Named::VectorSingle) => mask_handler::<VectorSingle>(relation),
        Compare::Mask(relation, _) => mask_handler::<ScalarDouble>(relation),
        Compare::DivideTest(Named::VectorDouble) => test_divide::<VectorDouble>,
        Compare::DivideTest(Named::VectorSingle) => test_divide::<VectorSingle>,
        Compare::DivideTest(_) => test_divide::<ScalarDouble>,
        Compare::SquareRootTest(Named::VectorDouble) => test_square_root::<VectorDouble>,
        Compare::SquareRootTest(Named::VectorSingle) => test_square_root::<VectorSingle>,
        Compare::SquareRootTest(_) => test_square_root::<ScalarDouble>,
        Compare::ClassTest(Named::ScalarDouble) => class_double,
        Compare::ClassTest(Named::ScalarSingle) => class_single,
        Compare::ClassTest(Named::VectorDouble) => classes::<VectorDouble>,
        Compare::ClassTest(Named::VectorSingle) => classes::<VectorSingle>,
        Compare::LastBits => |s, _, w| {
            const LAST: u64 = 0x0101_0101_0101_0101;
            let b = s.vsr[xb(w)];
            let (all, none) = (b[0] & b[1] & LAST == LAST, (b[0] | b[1]) & LAST == 0);
            s.cr[bf(w)] = u8::from(all) << 3 | u8::from(none) << 1;
            Ok(Flow::Next)
        },
    }
}

/// Writes a comparison's result to CR field BF and `FPSCR[FPCC]`.
pub fn report(s: &mut VcpuState, env: &mut Env, w: u32, field: u8, raised: u64) -> Step {
    s.cr[bf(w)] = field;
    s.fpscr = fpscr::raise(s.fpscr & !fpscr::FPCC | u64::from(field) << 12, raised);
    interrupt_if_enabled(s, env)
}

/// LT, GT, EQ or unordered.
pub fn field(order: Option<Ordering>) -> u8 {
    match order {
        Some(Ordering::Less) => 8,
        Some(Ordering::Greater) => 4,
        Some(Ordering::Equal) => 2,
        None => 1,
    }
}

fn order<const ORDERED: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (a, b) = (Float::of_double(s.vsr[xa(w)][0]), Float::of_double(s.vsr[xb(w)][0]));
    let (order, raised) = compare(a, b, ORDERED, s.fpscr);
    report(s, env, w, field(order), raised)
}

fn exponents(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let (a, b) = (s.vsr[xa(w)][0], s.vsr[xb(w)][0]);
    let exponent = |bits: u64| bits >> 52 & 0x7ff;
    let nan = Float::of_double(a).is_nan() || Float::of_double(b).is_nan();
    let order = (!nan).then(|| exponent(a).cmp(&exponent(b)));
    report(s, env, w, field(order), 0)
}

fn mask_handler<S: Shape>(relation: Relation) -> Handler {
    match relation {
        Relation::Equal => |s, env, w| mask::<S>(s, env, w, false, Ordering::is_eq),
        Relation::Greater => |s, env, w| mask::<S>(s, env, w, true, Ordering::is_gt),
        Relation::GreaterEqual => |s, env, w| mask::<S>(s, env, w, true, Ordering::is_ge),
    }
}

fn mask<S: Shape>(s: &mut VcpuState, env: &mut Env, w: u32, ordered: bool, holds: fn(Ordering) -> bool) -> Step {
    let (a, b) = (s.vsr[xa(w)], s.vsr[xb(w)]);
    let mut all_raised = 0;
    let (mut all, mut none) = (true, true);
    let value = register::<S>(|lane| {
        let (order, raised) = compare(number::<S>(a, lane), number::<S>(b, lane), ordered, s.fpscr);
        all_raised |= raised;
        let holds = order.is_some_and(holds);
        all &= holds;
        none &= !holds;
        if holds { u64::MAX } else { 0 }
    });
    if !S::SCALAR && w & 0x400 != 0 {
        s.cr[6] = u8::from(all) << 3 | u8::from(none) << 1;
    }
    finish::<false>(s, env, w, value, all_raised, Status::Silent)
}

fn test_divide<S: Shape>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let (a, b) = (s.vsr[xa(w)], s.vsr[xb(w)]);
    let lanes = 0..S::LANES;
    s.cr[bf(w)] = lanes.fold(0, |cr, lane| cr | divide_test(number::<S>(a, lane), number::<S>(b, lane), S::FORMAT));
    Ok(Flow::Next)
}

fn test_square_root<S: Shape>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let b = s.vsr[xb(w)];
    let lanes = 0..S::LANES;
    s.cr[bf(w)] = lanes.fold(0, |cr, lane| cr | square_root_test(number::<S>(b, lane), S::FORMAT));
    Ok(Flow::Next)
}

/// Whether a number is of a class in `mask`: from the left NaN, +infinity, -infinity, +0, -0, +denormal, -denormal.
pub fn is_of_class(x: Float, denormal: bool, mask: u32) -> bool {
    let bit = match x.kind {
        Kind::Nan => 6,
        Kind::Infinity => 5 - u32::from(x.negative),
        Kind::Zero => 3 - u32::from(x.negative),
        Kind::Finite if denormal => 1 - u32::from(x.negative),
        Kind::Finite => return false,
    };
    mask >> bit & 1 != 0
}

fn class_double(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let x = Float::of_double(s.vsr[xb(w)][0]);
    let matches = is_of_class(x, x.is_denormal(DOUBLE), w >> 16 & 127);
    report(s, env, w, u8::from(x.negative) << 3 | u8::from(matches) << 1, 0)
}

/// The number is one of single precision in double format, and the last bit of the result says if it is not.
fn class_single(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let bits = s.vsr[xb(w)][0];
    let x = Float::of_double(bits);
    let matches = is_of_class(x, x.is_denormal(exec::fp::SINGLE), w >> 16 & 127);
    let other = double_of_single(single_of_double(bits)) != bits;
    report(s, env, w, u8::from(x.negative) << 3 | u8::from(matches) << 1 | u8::from(other), 0)
}

fn classes<S: Shape>(s: &mut VcpuState, _: &mut Env, w: u32) -> Step {
    let mask = (w & 0x40) | (w << 3 & 0x20) | (w >> 16 & 0x1f);
    let b = s.vsr[xb(w)];
    s.vsr[xt(w)] = register::<S>(|lane| {
        let x = number::<S>(b, lane);
        if is_of_class(x, x.is_denormal(S::FORMAT), mask) { u64::MAX } else { 0 }
    });
    Ok(Flow::Next)
}
