//! A second reference for floating point, beside QEMU: what the Power ISA says, with arithmetic by `rustc_apfloat`.
//!
//! One file for each part of the instruction set. An operation computes from the state before it what the state must
//! be after it: target, all of FPSCR (or VSCR, SPEFSCR), CR, and whether the interrupt of an enabled exception is
//! taken. Nothing is left out but what the ISA calls undefined.

mod cases;
mod number;
mod quad;
mod result;
mod run;
mod scalar;
mod spe;
mod vector;
mod vsx;

use ppc_isa::Op;
use ppc_isa::op::{Spe, Vector, Vsx};

pub use run::{Soft, covers};

use crate::case::{Ending, State, reg};
use crate::undefined::View;
use exec::fp::fpscr;
use result::{Delivered, with_exceptions};

/// What must become of an instruction.
pub struct Expected {
    /// State after it.
    pub after: State,
    /// Bits that the ISA leaves undefined.
    pub ignore: State,
    /// The exception that ends it, if any.
    pub ending: Ending,
    /// Words behind which it ends.
    pub at: i64,
}

/// An instruction in the making: reads the state before it, writes that after it.
struct Work<'a> {
    view: &'a View<'a>,
    /// What our engine made of it; an estimate is judged, not computed.
    found: &'a State,
    expected: Expected,
    /// `MSR[FE0]` or `MSR[FE1]`.
    interrupts: bool,
}

impl Work<'_> {
    fn fpscr(&self) -> u64 {
        self.view.before.reg[reg::FPSCR]
    }

    fn field(&self, name: &str) -> u32 {
        self.view.field(name)
    }

    /// Doubleword 0 of the VSR with this number, before.
    fn double(&self, vsr: u32) -> u64 {
        self.view.before.reg[reg::VSR + 2 * vsr as usize]
    }

    fn set_vsr(&mut self, vsr: u32, value: [u64; 2]) {
        let at = reg::VSR + 2 * vsr as usize;
        self.expected.after.reg[at..at + 2].copy_from_slice(&value);
    }

    fn set_cr(&mut self, field: u32, value: u8) {
        let shift = 28 - 4 * field;
        let cr = &mut self.expected.after.reg[reg::CR];
        *cr = *cr & !(0xf << shift) | u64::from(value) << shift;
    }

    /// Sets FPSCR and ends the instruction: CR field 1 if Rc=1, the interrupt if an enabled exception has occurred.
    fn set_fpscr(&mut self, fpscr: u64) {
        self.expected.after.reg[reg::FPSCR] = fpscr;
        if fpscr & fpscr::FEX != 0 && self.interrupts {
            self.expected.ending = Ending::FloatEnabled;
            self.expected.at = 0;
        }
    }

    fn record(&mut self) {
        if self.view.row.field("Rc").is_some() && self.field("Rc") == 1 {
            let fpscr = self.expected.after.reg[reg::FPSCR];
            self.set_cr(1, (fpscr >> 28 & 0xf) as u8);
        }
    }

    /// Reports a scalar result in FPSCR. Returns whether the target is written.
    fn report(&mut self, delivered: &Delivered) -> bool {
        let before = self.fpscr();
        let written = !suppressed(before, delivered.exceptions);
        let mut fpscr = before & !(fpscr::FR | fpscr::FI);
        if written {
            fpscr = fpscr & !fpscr::FPRF | delivered.fprf();
            fpscr |= if delivered.fr { fpscr::FR } else { 0 } | if delivered.fi { fpscr::FI } else { 0 };
        }
        self.expected.ignore.reg[reg::FPSCR] |= delivered.undefined;
        self.set_fpscr(with_exceptions(fpscr, delivered.exceptions));
        written
    }
}

/// Enabled invalid operation and zero divide exceptions leave a target unchanged.
fn suppressed(fpscr: u64, exceptions: u64) -> bool {
    fpscr & fpscr::VE != 0 && exceptions & fpscr::VX_ALL != 0 || fpscr & fpscr::ZE != 0 && exceptions & fpscr::ZX != 0
}

/// What must become of the instruction of `view`, of which our engine made `found`; `None` if it is not modelled.
pub fn expected(view: &View, found: &State, interrupts: bool) -> Option<Expected> {
    let expected = Expected { after: view.before.clone(), ignore: State::default(), ending: Ending::Done, at: 1 };
    let mut work = Work { view, found, expected, interrupts };
    match view.row.op {
        Op::Float(op) => scalar::execute(op, &mut work)?,
        Op::Spe(Spe::Float(op)) => spe::execute(op, &mut work),
        Op::Vector(Vector::Float(op)) => vector::execute(op, &mut work),
        Op::Vsx(Vsx::Arithmetic(op)) => vsx::arithmetic(op, &mut work),
        Op::Vsx(Vsx::Compare(op)) => vsx::comparison(op, &mut work),
        Op::Vsx(Vsx::Quad(op)) => quad::execute(op, &mut work)?,
        Op::Vsx(Vsx::Convert(op)) => vsx::conversion(op, &mut work)?,
        _ => return None,
    }
    Some(work.expected)
}
