//! Guest registers that a loop holds with their bytes reversed.
//!
//! Bytes of a guest whose order is not the host's are exchanged at every load and store. What a loop only copies from
//! memory to memory, or stores again and again, need not be: registers that nothing in it names but loads and stores of
//! one size are held as memory has them, and exchanged where the loop is entered and left.

use exec_interp::fields::{ra, rt};
use ppc_isa::loadstore::{Form, LoadStore};
use ppc_isa::op::Op;

use crate::asm::{Asm, Reg, Shift, Size};
use crate::plan::{Insn, Named, Plan};
use crate::window::STACK;

/// Registers that are held reversed, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reversed {
    /// Those whose eight bytes are.
    doublewords: u64,
    /// Those of which both words are, each in its place.
    words: u64,
}

impl Reversed {
    /// The registers that the region at hand can hold reversed. `named` gives the registers of an instruction.
    pub fn of<'a>(plan: &Plan, little: bool, named: impl Fn(&Insn) -> Option<&'a Named>) -> Reversed {
        let (mut doublewords, mut words, mut others) = (0u64, 0u64, 0u64);
        for insn in plan.insns.iter().filter(|_| plan.is_loop) {
            let copied = copied(insn, little);
            match copied {
                Some((register, 8)) => doublewords |= 1 << register,
                Some((register, _)) => words |= 1 << register,
                None => {}
            }
            let named = named(insn).into_iter().flat_map(|named| named.gprs(insn.decoded.word));
            for register in named.filter(|register| copied.is_none_or(|(copied, _)| copied != *register)) {
                others |= 1 << register;
            }
        }
        Reversed { doublewords: doublewords & !words & !others, words: words & !doublewords & !others }
    }

    /// Whether register `n` is held reversed.
    pub fn has(self, n: usize) -> bool {
        (self.doublewords | self.words) >> (n & 63) & 1 != 0
    }

    /// Those for which `is_held` holds.
    pub fn held(self, is_held: impl Fn(usize) -> bool) -> Reversed {
        let set = (0..32).filter(|n| is_held(*n)).fold(0, |all, n| all | 1 << n);
        Reversed { doublewords: self.doublewords & set, words: self.words & set }
    }

    /// What register `n` holds for a value, or the value for what it holds.
    pub fn value(self, n: usize, value: u64) -> u64 {
        match n & 63 {
            n if self.doublewords >> n & 1 != 0 => value.swap_bytes(),
            n if self.words >> n & 1 != 0 => value.swap_bytes().rotate_right(32),
            _ => value,
        }
    }

    /// Code for the same of register `n`, in `reg`. Flags are lost.
    pub fn exchange(self, asm: &mut Asm, n: usize, reg: Reg) {
        if self.has(n) {
            asm.bswap(Size::Q, reg);
        }
        if self.words >> (n & 63) & 1 != 0 {
            asm.shift_imm(Shift::Rol, Size::Q, reg, 32);
        }
    }
}

/// The register that a load or store copies from or to memory and does nothing else with, and the bytes, if they lie there
/// in the other order than the host's.
fn copied(insn: &Insn, little: bool) -> Option<(usize, u8)> {
    let word = insn.decoded.word;
    let Some(Op::LoadStore(LoadStore::Load(access) | LoadStore::Store(access))) = insn.op.filter(|_| !insn.shared)
    else {
        return None;
    };
    let register = rt(word);
    let plain = matches!(access.bytes, 4 | 8) && !access.signed && access.reversed == little;
    // The window follows r1. A displacement has no RB.
    let apart =
        register != STACK && register != ra(word) && (access.form != Form::X || register != (word >> 11 & 31) as usize);
    (plain && apart && access.form != Form::Prefixed).then_some((register, access.bytes))
}
