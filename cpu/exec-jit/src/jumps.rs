//! Memory of where branches went: by address for indirect ones, by site for those to other pages.
//!
//! Each remembers the key under which it holds, the number of the space and mode in which instructions are fetched.

use std::mem::offset_of;

use crate::asm::{Alu, Asm, Cond, Mem, Reg, Shift, Size};
use crate::host::{Data, Frame, frame_field};

/// Entries of the table of indirect branches; a power of two.
pub const JUMPS: usize = 1 << 17;
/// log2 of the bytes of a [`Jump`].
pub const JUMP_SHIFT: u32 = 5;
/// Branches to other pages that can be remembered; then all code is dropped.
pub const LINKS: usize = 1 << 17;

/// The code for an effective address.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Jump {
    /// Effective address.
    pub ea: u64,
    /// Key; 0 = none.
    pub key: u64,
    /// Host address.
    pub host: u64,
    _pad: u64,
}

impl Jump {
    /// A remembered jump.
    pub fn new(ea: u64, key: u64, host: u64) -> Jump {
        Jump { ea, key, host, _pad: 0 }
    }
}

/// The code for the one target of a site, or for the last one of an indirect branch.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Link {
    /// Key, or effective address.
    pub key: u64,
    /// Host address.
    pub host: u64,
}

impl Link {
    /// None: there is no such key, and no such address of an instruction.
    pub const NONE: Link = Link { key: u64::MAX, host: 0 };
}

/// What tells apart the places of one address under different keys: what alternates has a place each.
pub fn spread(key: u64) -> u64 {
    key.wrapping_mul(SPREAD.into()) << 2 & 0xffff_ffff
}

/// The golden ratio's digits have no pattern.
const SPREAD: u32 = 0x9e37_79b1;

/// The key in `reg` becomes its [`spread`].
pub fn spread_of(asm: &mut Asm, reg: Reg) {
    asm.imul_imm(Size::D, reg, reg, SPREAD as i32);
    asm.shift_imm(Shift::Shl, Size::D, reg, 2);
}

/// Index of the entry for `ea` under `key`.
pub fn index(ea: u64, key: u64) -> usize {
    ((ea ^ spread(key)) >> 2) as usize & (JUMPS - 1)
}

/// Code that goes to the address in RAX, which is one of an instruction; if it is not remembered, `unknown` goes elsewhere
/// under a condition. RCX and RDX are lost. `data` is where [`Data`] is.
pub fn go(asm: &mut Asm, data: u64, unknown: impl Fn(&mut Asm, Cond)) {
    find(asm, data, unknown);
    asm.jmp_rm(HOST);
}

/// What [`find`] has found, as RDX says.
pub const KEY: Mem = Mem::Base(Reg::Rdx, offset_of!(Jump, key) as i32);
/// See [`KEY`].
pub const HOST: Mem = Mem::Base(Reg::Rdx, offset_of!(Jump, host) as i32);

/// Finds what is remembered of the address in RAX, as [`go`] does.
pub fn find(asm: &mut Asm, data: u64, unknown: impl Fn(&mut Asm, Cond)) {
    let field = |offset: usize| frame_field(data, offset);
    asm.mov(Size::D, Reg::Rcx, Reg::Rax);
    asm.alu(Alu::Xor, Size::D, Reg::Rcx, field(offset_of!(Frame, fetch_spread)));
    asm.alu_imm(Alu::And, Size::D, Reg::Rcx, ((JUMPS - 1) << 2) as i32);
    asm.lea(Size::Q, Reg::Rdx, Mem::Absolute(data + offset_of!(Data, jumps) as u64));
    asm.lea(Size::Q, Reg::Rdx, Mem::Index(Reg::Rdx, Reg::Rcx, 1 << (JUMP_SHIFT - 2), 0));
    asm.mov(Size::Q, Reg::Rcx, field(offset_of!(Frame, fetch_key)));
    asm.alu(Alu::Cmp, Size::Q, Reg::Rax, Mem::Base(Reg::Rdx, offset_of!(Jump, ea) as i32));
    unknown(asm, Cond::Ne);
    asm.alu(Alu::Cmp, Size::Q, Reg::Rcx, KEY);
    unknown(asm, Cond::Ne);
}
