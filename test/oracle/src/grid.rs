//! Operands that leave nothing to chance: every combination of boundary values, and every combination of operands that
//! have 8 or 16 bits.

use ppc_isa::cpu::SPE;
use ppc_isa::op::Op;
use ppc_isa::operand::{Access, Kind, Operand, operands};
use ppc_isa::row::fact;
use ppc_isa::{Cpu, Row};

use crate::forms;
use crate::values::{DOUBLES, HALVES, INTEGERS, QUADS, SINGLES};

/// The most cases of one layer. Three operands have more combinations: then these are spread over all of them.
const MOST: usize = 1 << 12;
/// A step through the combinations, odd and larger than any number of elements, so that none comes twice.
const STEP: usize = 7_368_787;

/// Which combinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Boundary values of every type that the registers can hold, in every rounding mode.
    Boundaries,
    /// All elements of 8 bits for one and two operands, all elements of 16 bits for one.
    Exhaustive,
}

/// All combinations of some values, in registers seen as elements of one size.
pub struct Layer {
    /// Bits of an element.
    bits: u32,
    values: Vec<u128>,
    /// Operands.
    sources: u32,
    /// Elements of a register that get combinations of their own; the others repeat them.
    elements: usize,
    /// `FPSCR[RN]`, if it matters.
    pub rounding: Option<u64>,
}

/// The operands of `row` that are read from registers.
pub fn sources(row: &'static Row) -> impl Iterator<Item = Operand> {
    use Kind::{Fpr, FprPair, Gpr, GprOrZero, GprPair, Vr, Vsr};
    let register = |o: &Operand| matches!(o.kind, Gpr | GprOrZero | GprPair | Fpr | FprPair | Vr | Vsr);
    operands(row).filter(move |o| register(o) && o.access != Access::Write)
}

/// The layers of `plan` for `row`; none for loads, stores and branches, whose operands are addresses, and for decimals.
pub fn layers(row: &'static Row, cpu: Cpu, plan: Plan) -> Vec<Layer> {
    let count = sources(row).count() as u32;
    if count == 0 || forms::addressing(row).is_some() || matches!(row.op, Op::Branch(_) | Op::Dfp(_)) {
        return Vec::new();
    }
    let vector = sources(row).any(|o| matches!(o.kind, Kind::Vr | Kind::Vsr));
    let spe = SPE.contains(cpu) && matches!(row.op, Op::Spe(_));
    let width = if vector { 128 } else { 64 };
    let layer = |bits: u32, values: Vec<u128>, spread: bool, rounding| {
        let elements = if spread { (width / bits) as usize } else { 1 };
        Layer { bits, values, sources: count, elements, rounding }
    };
    if plan == Plan::Exhaustive {
        // An element of its own result each, or one result of them all.
        let spread = (vector && !row.name.starts_with("xs")) || spe;
        let sizes: &[u32] = match count {
            1 => &[8, 16],
            2 => &[8],
            _ => &[],
        };
        return sizes.iter().map(|&bits| layer(bits, (0..1 << bits).collect(), spread, None)).collect();
    }
    let integers = |bits: u32| distinct(INTEGERS.iter().map(|&n| u128::from(n) & (u128::MAX >> (128 - bits))));
    let signed = |bits: u32, values: &[u64]| {
        distinct(values.iter().flat_map(|&v| [u128::from(v), u128::from(v) | 1 << (bits - 1)]))
    };
    let floats = row.is(fact::FPSCR) || matches!(row.op, Op::Float(_) | Op::Vsx(_)) || vector || spe;
    let mut layers = Vec::new();
    for bits in [8, 16, 32, 64] {
        layers.push(layer(bits, integers(bits), vector || spe || bits < 32, None));
    }
    if vector {
        let corners = [0, 1, 2, u128::MAX, u128::MAX >> 1, 1 << 127, 1 << 64, u128::from(u64::MAX), 1 << 63];
        layers.push(layer(128, corners.to_vec(), true, None));
        layers.push(layer(16, signed(16, &HALVES.map(u64::from)), true, None));
    }
    if floats {
        let modes: &[Option<u64>] = if row.is(fact::FPSCR) { &[Some(0), Some(1), Some(2), Some(3)] } else { &[None] };
        for &mode in modes {
            layers.push(layer(64, signed(64, &DOUBLES), vector, mode));
            if vector || spe {
                layers.push(layer(32, signed(32, &SINGLES.map(u64::from)), true, mode));
            }
            if vector {
                let quad = QUADS.iter().map(|&(high, low)| u128::from(high) << 64 | u128::from(low));
                layers.push(layer(128, distinct(quad.flat_map(|q| [q, q | 1 << 127])), true, mode));
            }
        }
    }
    layers
}

fn distinct(values: impl Iterator<Item = u128>) -> Vec<u128> {
    let mut all: Vec<u128> = values.collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl Layer {
    /// Combinations of one value for each operand.
    fn combinations(&self) -> usize {
        self.values.len().pow(self.sources)
    }

    /// Cases that hold all combinations, or [`MOST`] of those that hold them.
    pub fn cases(&self) -> usize {
        let all = self.combinations().div_ceil(self.elements);
        if self.sources > 2 { all.min(MOST) } else { all }
    }

    /// What operand `source` is in case `n`: 128 bits, of which a shorter register takes the low ones.
    pub fn value(&self, n: usize, source: usize) -> u128 {
        let elements = (128 / self.bits) as usize;
        (0..elements).fold(0, |register, element| {
            let element = element % self.elements;
            let step = if self.cases() < self.combinations() / self.elements { STEP } else { 1 };
            let combination = (n * self.elements + element).wrapping_mul(step) % self.combinations();
            let digit = combination / self.values.len().pow(source as u32) % self.values.len();
            let shifted = register.checked_shl(self.bits).unwrap_or(0);
            shifted | self.values[digit]
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn row(name: &str) -> &'static Row {
        ppc_isa::rows().find(|row| row.name == name).unwrap()
    }

    #[test]
    fn all_pairs_of_bytes_meet() {
        let layers = layers(row("vaddubm"), Cpu::Power9, Plan::Exhaustive);
        let [layer] = layers.as_slice() else { panic!("one layer") };
        assert_eq!(layer.cases(), 4096);
        let mut met = HashSet::new();
        for n in 0..layer.cases() {
            let (a, b) = (layer.value(n, 0).to_be_bytes(), layer.value(n, 1).to_be_bytes());
            met.extend(a.into_iter().zip(b));
        }
        assert_eq!(met.len(), 1 << 16);
    }

    #[test]
    fn all_halfwords_are_in_the_low_half_of_a_scalar() {
        let layers = layers(row("extsh"), Cpu::Power9, Plan::Exhaustive);
        let halves: HashSet<u16> = (0..layers[1].cases()).map(|n| layers[1].value(n, 0) as u16).collect();
        assert_eq!(halves.len(), 1 << 16);
    }

    #[test]
    fn boundaries_of_two_operands_meet_in_every_rounding_mode() {
        for name in ["fadd", "xvadddp", "evaddw", "add"] {
            let row = row(name);
            let cpu = if name == "evaddw" { Cpu::E500v2 } else { Cpu::Power9 };
            for layer in layers(row, cpu, Plan::Boundaries) {
                let mask = u128::MAX >> (128 - layer.bits);
                let pairs = (0..layer.cases()).flat_map(|n| {
                    let (a, b) = (layer.value(n, 0), layer.value(n, 1));
                    (0..layer.elements as u32)
                        .map(move |e| (a >> (e * layer.bits) & mask, b >> (e * layer.bits) & mask))
                });
                assert_eq!(pairs.collect::<HashSet<_>>().len(), layer.values.len().pow(2), "{name}");
            }
        }
        let modes = layers(row("fadd"), Cpu::Power9, Plan::Boundaries).iter().filter_map(|l| l.rounding).sum::<u64>();
        assert_eq!(modes, 6);
    }

    #[test]
    fn three_operands_take_a_sample_without_repetition() {
        let layers = layers(row("fmadd"), Cpu::Power9, Plan::Boundaries);
        let layer = layers.last().unwrap();
        assert_eq!(layer.cases(), MOST);
        let sample: HashSet<_> = (0..MOST).map(|n| [0, 1, 2].map(|source| layer.value(n, source))).collect();
        assert_eq!(sample.len(), MOST);
    }
}
