//! Loads and stores of privileged code to the shared page at its constant address.
//!
//! A patched kernel reaches it by displacements from "register 0" ([`pv_abi::rewrite::PAGE`]). Where it is mapped there, such
//! an access can only meet the page, and is one of the host's. Nothing has to notice a store: interrupts are looked for at
//! event points, and what the MSR and the segment registers of the page decide follows from them when they are written by
//! instructions.

use exec::Vcpu;
use exec_interp::fields::{ra, rt};
use ppc_isa::Op;
use ppc_isa::loadstore::{Access, Form, LoadStore};
use ppc_mmu::Access as To;
use pv_abi::magic::SIZE;
use pv_abi::rewrite::PAGE;

use crate::asm::Reg;
use crate::loadstore::{fetch, put};
use crate::lower::Lower;
use crate::system;

/// Whether the page is at its constant address in the mode of the state.
pub fn is_at_constant(vcpu: &Vcpu) -> bool {
    vcpu.shared.visible(&vcpu.state, vcpu.state.effective(PAGE as u64), To::Load)
}

/// Where in the page `op` accesses it; `None` if it does not, or may not.
pub fn place(op: Option<Op>, w: u32) -> Option<usize> {
    let Op::LoadStore(LoadStore::Load(access) | LoadStore::Store(access)) = op? else { return None };
    let displacement = match access.form {
        Form::D => w as i16,
        Form::Ds => w as i16 & !3,
        Form::X | Form::Prefixed => return None,
    };
    let at = usize::try_from(i32::from(displacement) - i32::from(PAGE)).ok()?;
    (ra(w) == 0 && !access.update && at + usize::from(access.bytes) <= SIZE).then_some(at)
}

/// Translates an access to the page.
pub fn lower(l: &mut Lower, op: LoadStore, w: u32) -> Option<()> {
    let at = system::shared(place(Some(Op::LoadStore(op)), w)?);
    let little = l.setting.little;
    match op {
        LoadStore::Load(Access { bytes, signed, reversed, .. }) => {
            let to = l.target(rt(w), Reg::Rax);
            fetch(l, at, bytes, signed, little == reversed, to);
            l.written(rt(w), to);
        }
        LoadStore::Store(Access { bytes, reversed, .. }) => {
            let value = l.value(rt(w), Reg::Rdx);
            put(l, at, bytes, little == reversed, value);
        }
        _ => return None,
    }
    Some(())
}
