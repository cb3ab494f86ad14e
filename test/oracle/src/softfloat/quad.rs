//! VSX quad precision: vector registers with binary128 (Power ISA 3.0B Book I, section 7.6.3).

use std::cmp::Ordering;

use exec::fp::fpscr::{FPRF, VXSNAN};
use ppc_isa::vsx::Quad;
use ppc_isa::vsx::compare::Relation;

use super::Work;
use super::number::{Format, Mode, Number};
use super::result::{Delivered, Rules, to_integer};
use super::scalar::compare;
use super::vsx::{exponents, holds, of_class};
use crate::case::reg;

impl Work<'_> {
    fn vr(&self, name: &str) -> usize {
        self.field(name) as usize + 32
    }

    fn quad(&self, name: &str) -> u128 {
        self.element(self.vr(name), 0, 128)
    }

    fn quad_number(&self, name: &str) -> Number {
        Number::decode(self.quad(name), Format::Quad)
    }

    /// A result that is bits, not a number.
    fn deliver_bits(&mut self, value: u128, exceptions: u64) {
        if self.report_elements(exceptions) {
            let vrt = self.vr("VRT");
            self.set_element(vrt, 0, 128, value);
        }
    }

    /// The result in all of VRT, or at its left end.
    fn deliver_quad(&mut self, delivered: &Delivered, format: Format) {
        if !self.report(delivered) {
            return;
        }
        let (bits, vrt) = (format.fields().1, self.vr("VRT"));
        self.set_vsr(vrt as u32, [0, 0]);
        match delivered.number.encode(format) {
            Some(value) => self.set_element(vrt, 0, bits, value),
            // The ISA does not say what becomes of an exponent that is out of range after adjustment.
            None => {
                self.expected.ignore.reg[reg::VSR + 2 * vrt] = u64::MAX;
                self.expected.ignore.reg[reg::FPSCR] |= FPRF;
            }
        }
    }
}

/// What `op` does; `None` where no number is computed.
pub fn execute(op: Quad, work: &mut Work) -> Option<()> {
    let [a, b, t] = ["VRA", "VRB", "VRT"].map(|name| work.quad_number(name));
    let fpscr = work.fpscr();
    // RO=1 rounds to odd.
    let rules = |format| {
        let rules = Rules::new(format, fpscr);
        if work.field("RO") == 1 { rules.with_mode(Mode::Odd) } else { rules }
    };
    // R and RMC: R=0 chooses ties away from zero, or RN; R=1 the mode in RMC.
    let rmc = match (work.field("R"), work.field("RMC")) {
        (0, 0) => Mode::NearAway,
        (0, _) => Mode::of(fpscr),
        (_, rmc) => Mode::of(rmc.into()),
    };
    let quad = rules(Format::Quad);
    let delivered = match op {
        Quad::Add => quad.operate(&[a, b], || a.plus(b, quad.mode)),
        Quad::Sub => quad.operate(&[a, b], || a.plus(b.negated(), quad.mode)),
        Quad::Mul => quad.operate(&[a, b], || a.times(b)),
        Quad::Div => quad.operate(&[a, b], || a.over(b)),
        Quad::Sqrt => quad.operate(&[b], || b.root()),
        Quad::Fused { subtract, negate } => {
            let delivered = quad.fused(a, b, t, subtract);
            if negate { delivered.negated() } else { delivered }
        }
        Quad::RoundToInteger => quad.with_mode(rmc).integral(b, work.field("EX") == 1),
        Quad::RoundToExtended => Rules::new(Format::Extended, fpscr).with_mode(rmc).operate(&[b], || Ok(b)),
        Quad::Order { ordered } => {
            let (field, exceptions) = compare(a, b, ordered, fpscr);
            work.compared(field, exceptions);
            return Some(());
        }
        Quad::Exponents => {
            work.compared(exponents(work.quad("VRA"), work.quad("VRB"), Format::Quad), 0);
            return Some(());
        }
        Quad::ClassTest => {
            let matches = of_class(b, Format::Quad, work.field("DCMX"));
            work.compared(u8::from(b.negative) << 3 | u8::from(matches) << 1, 0);
            return Some(());
        }
        Quad::FromDouble => {
            let x = Number::decode(work.element(work.vr("VRB"), 0, 64), Format::Double);
            quad.operate(&[x], || Ok(x))
        }
        Quad::ToDouble => {
            let delivered = rules(Format::Double).operate(&[b], || Ok(b));
            work.deliver_quad(&delivered, Format::Double);
            return Some(());
        }
        Quad::Mask(relation) => {
            let (_, exceptions) = compare(a, b, relation != Relation::Equal, fpscr);
            work.deliver_bits(if holds(relation, a, b) { u128::MAX } else { 0 }, exceptions);
            return Some(());
        }
        Quad::Maximum | Quad::Minimum => {
            let wanted = if op == Quad::Maximum { Ordering::Greater } else { Ordering::Less };
            let exceptions = if a.is_signalling() || b.is_signalling() { VXSNAN } else { 0 };
            work.deliver_bits(work.quad(if a.order(b) == Some(wanted) { "VRA" } else { "VRB" }), exceptions);
            return Some(());
        }
        Quad::FromInteger { bits, signed } => {
            let value = work.element(work.vr("VRB"), 0, bits);
            let negative = signed && value >> (bits - 1) != 0;
            let magnitude = if negative { value.wrapping_neg() & u128::MAX >> (128 - bits) } else { value };
            // What does not fit our arithmetic leaves a mark in the last bit, far behind those of the result.
            let cut = (128 - magnitude.leading_zeros()).saturating_sub(118);
            let mark = u128::from(magnitude.trailing_zeros() < cut);
            quad.round(Number::finite(negative, magnitude >> cut | mark, cut as i32))
        }
        Quad::ToInteger { bits, signed } => {
            let (value, exceptions, fr, fi) = to_integer(b, bits, signed, Mode::Zero);
            let zero = Delivered::exactly(Number::zero(false), Format::Double, 0);
            if work.report(&Delivered { exceptions, fr, fi, undefined: FPRF, ..zero }) {
                if bits == 128 {
                    work.set_element(work.vr("VRT"), 0, 128, value);
                    return Some(());
                }
                let extended = if signed && bits == 32 { i64::from(value as i32) as u64 } else { value as u64 };
                work.set_vsr(work.vr("VRT") as u32, [extended, 0]);
            }
            return Some(());
        }
        _ => return None,
    };
    work.deliver_quad(&delivered, Format::Quad);
    Some(())
}
