//! What VSX floating-point instructions share: the shapes of their operands, and how they end.

use exec::VcpuState;
use exec::fp::{DOUBLE, Float, Format, SINGLE, fpscr};

use super::{from_words, words};
use crate::env::{Env, Step};
use crate::fields::xt;
use crate::float::interrupt_if_enabled;

/// The numbers in a register, as [`ppc_isa::vsx::arithmetic::Shape`] names them.
pub trait Shape {
    /// Format of an element in the register.
    const FORMAT: Format;
    /// Format that results are rounded to.
    const PRECISION: Format;
    /// Elements.
    const LANES: usize;
    /// Only doubleword 0 counts, and FPSCR reports on the result itself.
    const SCALAR: bool;
}

pub struct ScalarDouble;
pub struct ScalarSingle;
pub struct VectorDouble;
pub struct VectorSingle;

impl Shape for ScalarDouble {
    const FORMAT: Format = DOUBLE;
    const PRECISION: Format = DOUBLE;
    const LANES: usize = 1;
    const SCALAR: bool = true;
}

impl Shape for ScalarSingle {
    const FORMAT: Format = DOUBLE;
    const PRECISION: Format = SINGLE;
    const LANES: usize = 1;
    const SCALAR: bool = true;
}

impl Shape for VectorDouble {
    const FORMAT: Format = DOUBLE;
    const PRECISION: Format = DOUBLE;
    const LANES: usize = 2;
    const SCALAR: bool = false;
}

impl Shape for VectorSingle {
    const FORMAT: Format = SINGLE;
    const PRECISION: Format = SINGLE;
    const LANES: usize = 4;
    const SCALAR: bool = false;
}

/// The bits of element `lane`.
pub fn bits<S: Shape>(register: [u64; 2], lane: usize) -> u64 {
    if S::FORMAT == SINGLE { words(register)[lane & 3].into() } else { register[lane & 1] }
}

/// The number in element `lane`.
pub fn number<S: Shape>(register: [u64; 2], lane: usize) -> Float {
    Float::unpack(bits::<S>(register, lane).into(), S::FORMAT)
}

/// A register made of the bits of its elements; what is no element is 0.
pub fn register<S: Shape>(mut element: impl FnMut(usize) -> u64) -> [u64; 2] {
    if S::FORMAT == SINGLE {
        return from_words(std::array::from_fn(|lane| element(lane) as u32));
    }
    [element(0), if S::LANES > 1 { element(1) } else { 0 }]
}

/// What an instruction says about its result in FPSCR, besides the exceptions that it raises.
pub enum Status {
    /// FR, FI and FPRF (in place).
    Result(u64),
    /// FR and FI.
    Rounding,
    /// Nothing.
    Silent,
}

/// Writes FPSCR, and XT unless an enabled exception forbids it. An exception in any element of a vector does.
pub fn finish<const SCALAR: bool>(
    s: &mut VcpuState,
    env: &mut Env,
    w: u32,
    value: [u64; 2],
    raised: u64,
    status: Status,
) -> Step {
    let suppressed = if SCALAR {
        fpscr::suppresses(s.fpscr, raised)
    } else {
        fpscr::summarised(raised & fpscr::EXCEPTIONS | s.fpscr & fpscr::ENABLES) & fpscr::FEX != 0
    };
    if !suppressed {
        s.vsr[xt(w)] = value;
    }
    s.fpscr = match status {
        Status::Result(fprf) => fpscr::merge(s.fpscr, raised, Some(fprf)),
        Status::Rounding => fpscr::merge(s.fpscr, raised, None),
        Status::Silent => fpscr::raise(s.fpscr, raised),
    };
    interrupt_if_enabled(s, env)
}
