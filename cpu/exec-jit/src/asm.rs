//! An x86-64 assembler: one method an instruction shape, the instructions themselves as data.
//!
//! Bytes are assembled for the address at which they will run, so that operands relative to the instruction pointer need
//! no second pass; only jumps to labels that are bound later are patched.

mod vector;

pub use vector::{ShiftBy, Xmm, XmmRm, vop};

/// A general purpose register of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reg {
    Rax,
    Rcx,
    Rdx,
    Rbx,
    Rsp,
    Rbp,
    Rsi,
    Rdi,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
}

/// A place in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mem {
    /// Register and displacement.
    Base(Reg, i32),
    /// Base, index times a power of two, displacement.
    Index(Reg, Reg, u8, i32),
    /// An address that the assembler can reach from where it is.
    Absolute(u64),
}

impl Mem {
    /// The place as far further as `index` says, if there is none yet.
    pub fn plus(self, index: Reg) -> Mem {
        match self {
            Mem::Base(base, displacement) => Mem::Index(base, index, 1, displacement),
            other => other,
        }
    }

    /// The place `offset` bytes further.
    pub fn at(self, offset: i32) -> Mem {
        match self {
            Mem::Base(base, displacement) => Mem::Base(base, displacement + offset),
            Mem::Index(base, index, scale, displacement) => Mem::Index(base, index, scale, displacement + offset),
            Mem::Absolute(address) => Mem::Absolute(address.wrapping_add_signed(offset.into())),
        }
    }
}

/// A register or a place in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rm {
    /// Register.
    Reg(Reg),
    /// Memory.
    Mem(Mem),
}

impl From<Reg> for Rm {
    fn from(reg: Reg) -> Rm {
        Rm::Reg(reg)
    }
}

impl From<Mem> for Rm {
    fn from(mem: Mem) -> Rm {
        Rm::Mem(mem)
    }
}

/// Operand size of integer instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 8 bits.
    B,
    /// 16 bits.
    W,
    /// 32 bits; registers are extended with zeros.
    D,
    /// 64 bits.
    Q,
}

/// Two-operand arithmetic, by opcode extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Alu {
    Add = 0,
    Or = 1,
    Adc = 2,
    And = 4,
    Sub = 5,
    Xor = 6,
    Cmp = 7,
}

/// Shifts by an immediate or CL, by opcode extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Shift {
    Rol = 0,
    Shl = 4,
    Shr = 5,
    Sar = 7,
}

/// One-operand arithmetic, by opcode extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Unary {
    Not = 2,
    Neg = 3,
    Mul = 4,
    Imul = 5,
    Div = 6,
    Idiv = 7,
}

/// Conditions, by their encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cond {
    O,
    No,
    B,
    Ae,
    E,
    Ne,
    Be,
    A,
    S,
    Ns,
    P,
    Np,
    L,
    Ge,
    Le,
    G,
}

impl Cond {
    /// The opposite.
    pub fn not(self) -> Cond {
        const ALL: [Cond; 16] = {
            use Cond::*;
            [No, O, Ae, B, Ne, E, A, Be, Ns, S, Np, P, Ge, L, G, Le]
        };
        ALL[self as usize]
    }
}

/// Prefix byte (0 = none), opcode map (1 = 0F, 2 = 0F 38, 3 = 0F 3A), opcode.
#[derive(Clone, Copy, Debug)]
struct Code {
    prefix: u8,
    map: u8,
    opcode: u8,
}

const fn code(prefix: u8, map: u8, opcode: u8) -> Code {
    Code { prefix, map, opcode }
}

/// An instruction of two operands, the first of which is a register that it writes.
#[derive(Clone, Copy, Debug)]
pub struct Insn {
    code: Code,
    wide: bool,
}

const fn insn(prefix: u8, map: u8, opcode: u8, wide: bool) -> Insn {
    Insn { code: code(prefix, map, opcode), wide }
}

/// Instructions by name.
#[rustfmt::skip]
pub mod op {
    use super::{Insn, insn};
    pub const IMUL64: Insn = insn(0, 1, 0xaf, true);
    pub const MOVZX8: Insn = insn(0, 1, 0xb6, false);
    pub const MOVZX16: Insn = insn(0, 1, 0xb7, false);
    pub const MOVSX8: Insn = insn(0, 1, 0xbe, true);
    pub const MOVSX16: Insn = insn(0, 1, 0xbf, true);
    pub const LZCNT32: Insn = insn(0xf3, 1, 0xbd, false);
    pub const LZCNT64: Insn = insn(0xf3, 1, 0xbd, true);
    pub const TZCNT32: Insn = insn(0xf3, 1, 0xbc, false);
    pub const TZCNT64: Insn = insn(0xf3, 1, 0xbc, true);
    pub const POPCNT64: Insn = insn(0xf3, 1, 0xb8, true);
    pub const MOVBE32: Insn = insn(0, 2, 0xf0, false);
    pub const MOVBE64: Insn = insn(0, 2, 0xf0, true);
}

/// A place in the code that is jumped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(usize);

/// Assembles one piece of code.
#[derive(Default)]
pub struct Asm {
    bytes: Vec<u8>,
    origin: u64,
    labels: Vec<Option<usize>>,
    fixups: Vec<(usize, Label)>,
}

/// Up to eight bytes of an instruction, the first in the low bits.
#[derive(Clone, Copy, Default)]
struct Bytes {
    bits: u64,
    count: u32,
}

impl Bytes {
    fn push(&mut self, byte: u8) {
        self.bits |= u64::from(byte) << (8 * self.count);
        self.count += 1;
    }
}

/// An immediate at the end of an instruction.
#[derive(Clone, Copy)]
struct Tail {
    bits: u32,
    count: u32,
}

impl Tail {
    const NONE: Tail = Tail { bits: 0, count: 0 };

    fn byte(byte: u8) -> Tail {
        Tail { bits: byte.into(), count: 1 }
    }

    fn word(word: i32) -> Tail {
        Tail { bits: word as u32, count: 4 }
    }
}

impl Asm {
    /// Code that will run at `origin`.
    pub fn new(origin: u64) -> Asm {
        let (labels, fixups) = (Vec::with_capacity(128), Vec::with_capacity(128));
        Asm { bytes: Vec::with_capacity(4096), origin, labels, fixups }
    }

    /// What assembles for `origin` next, with the memory of what has finished.
    pub fn again(mut self, origin: u64) -> Asm {
        self.origin = origin;
        self.bytes.clear();
        self.labels.clear();
        self.fixups.clear();
        self
    }

    /// Where the next instruction will run.
    pub fn here(&self) -> u64 {
        self.origin + self.bytes.len() as u64
    }

    /// The code. `None` if a label was used and never bound.
    pub fn finish(mut self) -> Option<Vec<u8>> {
        self.resolve()?;
        Some(self.bytes)
    }

    /// Puts the addresses of labels where they are used; [`Asm::code`] is complete then.
    pub fn resolve(&mut self) -> Option<()> {
        for &(at, label) in &self.fixups {
            let target = self.labels.get(label.0).copied().flatten()?;
            let offset = (target as i64 - (at as i64 + 4)) as i32;
            self.bytes.get_mut(at..at + 4)?.copy_from_slice(&offset.to_le_bytes());
        }
        Some(())
    }

    /// The code.
    pub fn code(&self) -> &[u8] {
        &self.bytes
    }

    /// A label to be bound later.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Binds `label` here.
    pub fn bind(&mut self, label: Label) {
        let here = self.bytes.len();
        if let Some(slot) = self.labels.get_mut(label.0) {
            *slot = Some(here);
        }
    }

    fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    fn word(&mut self, word: i32) {
        self.bytes.extend_from_slice(&word.to_le_bytes());
    }

    fn long(&mut self, long: u64) {
        self.bytes.extend_from_slice(&long.to_le_bytes());
    }

    /// REX bits R, X, B of an encoding.
    fn rex_bits(reg: u8, rm: Rm) -> u8 {
        let (x, b) = match rm {
            Rm::Reg(rm) => (0, rm as u8 >> 3),
            Rm::Mem(Mem::Base(base, _)) => (0, base as u8 >> 3),
            Rm::Mem(Mem::Index(base, index, ..)) => (index as u8 >> 3, base as u8 >> 3),
            Rm::Mem(Mem::Absolute(_)) => (0, 0),
        };
        (reg >> 3) << 2 | x << 1 | b
    }

    /// Legacy prefix, REX, opcode, ModRM and what follows it.
    fn encode(&mut self, code: Code, size: Size, reg: u8, rm: Rm, tail: Tail) {
        let Code { prefix, map, opcode } = code;
        let mut bytes = Bytes::default();
        if size == Size::W {
            bytes.push(0x66);
        }
        if prefix != 0 {
            bytes.push(prefix);
        }
        let bits = Self::rex_bits(reg, rm) | if size == Size::Q { 8 } else { 0 };
        // Without REX, the numbers 4 to 7 name high bytes.
        let low_byte = |r: u8| size == Size::B && (4..8).contains(&r);
        if bits != 0 || low_byte(reg) || matches!(rm, Rm::Reg(r) if low_byte(r as u8)) {
            bytes.push(0x40 | bits);
        }
        if map != 0 {
            bytes.push(0x0f);
        }
        if map > 1 {
            bytes.push(if map == 2 { 0x38 } else { 0x3a });
        }
        bytes.push(opcode);
        self.modrm(bytes, reg, rm, tail);
    }

    /// What an instruction begins with, then ModRM and what follows it.
    fn modrm(&mut self, mut bytes: Bytes, reg: u8, rm: Rm, tail: Tail) {
        let reg = (reg & 7) << 3;
        let (base, index, disp) = match rm {
            Rm::Reg(rm) => {
                bytes.push(0xc0 | reg | rm as u8 & 7);
                return self.add(bytes, Tail::NONE, tail);
            }
            Rm::Mem(Mem::Absolute(address)) => {
                bytes.push(reg | 5);
                let next = self.here() + u64::from(bytes.count + 4 + tail.count);
                return self.add(bytes, Tail::word(address.wrapping_sub(next) as i32), tail);
            }
            Rm::Mem(Mem::Base(base, disp)) => (base, None, disp),
            Rm::Mem(Mem::Index(base, index, scale, disp)) => (base, Some((index, scale)), disp),
        };
        let low = base as u8 & 7;
        let (mode, displacement) = match disp {
            0 if low != 5 => (0, Tail::NONE),
            -128..=127 => (0x40, Tail::byte(disp as u8)),
            _ => (0x80, Tail::word(disp)),
        };
        match index {
            None if low != 4 => bytes.push(mode | reg | low),
            None => {
                bytes.push(mode | reg | 4);
                bytes.push(0x20 | low);
            }
            Some((index, scale)) => {
                bytes.push(mode | reg | 4);
                bytes.push((scale.trailing_zeros() as u8) << 6 | (index as u8 & 7) << 3 | low);
            }
        }
        self.add(bytes, displacement, tail);
    }

    fn add(&mut self, bytes: Bytes, displacement: Tail, tail: Tail) {
        let end = self.bytes.len() + (bytes.count + displacement.count + tail.count) as usize;
        let behind = u64::from(tail.bits) << (8 * displacement.count) | u64::from(displacement.bits);
        let all = u128::from(behind) << (8 * bytes.count) | u128::from(bytes.bits);
        // Sixteen, which takes no loop.
        self.bytes.extend_from_slice(&all.to_le_bytes());
        self.bytes.truncate(end);
    }

    /// `op dst, src`.
    pub fn alu(&mut self, op: Alu, size: Size, dst: Reg, src: impl Into<Rm>) {
        let opcode = (op as u8) << 3 | if size == Size::B { 2 } else { 3 };
        self.encode(code(0, 0, opcode), size, dst as u8, src.into(), Tail::NONE);
    }

    /// `op dst, src` to memory or register.
    pub fn alu_to(&mut self, op: Alu, size: Size, dst: impl Into<Rm>, src: Reg) {
        let opcode = (op as u8) << 3 | if size == Size::B { 0 } else { 1 };
        self.encode(code(0, 0, opcode), size, src as u8, dst.into(), Tail::NONE);
    }

    /// `op dst, imm`, the immediate sign-extended.
    pub fn alu_imm(&mut self, op: Alu, size: Size, dst: impl Into<Rm>, imm: i32) {
        let short = i32::from(imm as i8) == imm;
        match size {
            Size::B => {
                self.encode(code(0, 0, 0x80), size, op as u8, dst.into(), Tail::byte(imm as u8));
            }
            _ if short => {
                self.encode(code(0, 0, 0x83), size, op as u8, dst.into(), Tail::byte(imm as u8));
            }
            Size::W => {
                let tail = Tail { bits: u32::from(imm as u16), count: 2 };
                self.encode(code(0, 0, 0x81), size, op as u8, dst.into(), tail);
            }
            _ => {
                self.encode(code(0, 0, 0x81), size, op as u8, dst.into(), Tail::word(imm));
            }
        }
    }

    /// `test a, b`.
    pub fn test(&mut self, size: Size, a: impl Into<Rm>, b: Reg) {
        self.encode(code(0, 0, if size == Size::B { 0x84 } else { 0x85 }), size, b as u8, a.into(), Tail::NONE);
    }

    /// `test a, imm`.
    pub fn test_imm(&mut self, size: Size, a: impl Into<Rm>, imm: i32) {
        if size == Size::B {
            self.encode(code(0, 0, 0xf6), size, 0, a.into(), Tail::byte(imm as u8));
        } else {
            self.encode(code(0, 0, 0xf7), size, 0, a.into(), Tail::word(imm));
        }
    }

    /// Load or register move. Moving all of a register to itself is nothing.
    pub fn mov(&mut self, size: Size, dst: Reg, src: impl Into<Rm>) {
        let src = src.into();
        if size == Size::Q && src == Rm::Reg(dst) {
            return;
        }
        self.encode(code(0, 0, if size == Size::B { 0x8a } else { 0x8b }), size, dst as u8, src, Tail::NONE);
    }

    /// Store.
    pub fn store(&mut self, size: Size, dst: Mem, src: Reg) {
        self.encode(code(0, 0, if size == Size::B { 0x88 } else { 0x89 }), size, src as u8, dst.into(), Tail::NONE);
    }

    /// Stores an immediate of 8 bits, or of 32, sign-extended to 64.
    pub fn store_imm(&mut self, size: Size, dst: Mem, imm: i32) {
        if size == Size::B {
            return self.encode(code(0, 0, 0xc6), size, 0, dst.into(), Tail::byte(imm as u8));
        }
        self.encode(code(0, 0, 0xc7), size, 0, dst.into(), Tail::word(imm));
    }

    /// Sign-extends RAX to RDX:RAX.
    pub fn sign_to_rdx(&mut self) {
        self.bytes.extend_from_slice(&[0x48, 0x99]);
    }

    /// A constant in the shortest form that leaves flags alone.
    pub fn mov_imm(&mut self, dst: Reg, imm: u64) {
        if let Ok(small) = u32::try_from(imm) {
            if dst as u8 >= 8 {
                self.byte(0x41);
            }
            self.byte(0xb8 | dst as u8 & 7);
            self.word(small as i32);
        } else if let Ok(small) = i32::try_from(imm as i64) {
            self.encode(code(0, 0, 0xc7), Size::Q, 0, dst.into(), Tail::word(small));
        } else {
            self.byte(0x48 | dst as u8 >> 3);
            self.byte(0xb8 | dst as u8 & 7);
            self.long(imm);
        }
    }

    /// Sign-extends a word to a doubleword.
    pub fn movsxd(&mut self, dst: Reg, src: impl Into<Rm>) {
        self.encode(code(0, 0, 0x63), Size::Q, dst as u8, src.into(), Tail::NONE);
    }

    /// Address arithmetic; 32 bits extend with zeros.
    pub fn lea(&mut self, size: Size, dst: Reg, src: Mem) {
        self.encode(code(0, 0, 0x8d), size, dst as u8, src.into(), Tail::NONE);
    }

    /// An instruction of the tables in [`op`].
    pub fn insn(&mut self, insn: Insn, dst: Reg, src: impl Into<Rm>) {
        let size = if insn.wide { Size::Q } else { Size::D };
        let src = src.into();
        // Without REX, the numbers 4 to 7 name high bytes.
        let high = |src: Rm| matches!(src, Rm::Reg(r) if (4..8).contains(&(r as u8)));
        if insn.code.map == 1 && insn.code.opcode == op::MOVZX8.code.opcode && high(src) {
            self.byte(0x40 | Self::rex_bits(dst as u8, src));
            self.bytes.extend_from_slice(&[0x0f, insn.code.opcode]);
            return self.modrm(Bytes::default(), dst as u8, src, Tail::NONE);
        }
        self.encode(insn.code, size, dst as u8, src, Tail::NONE);
    }

    /// A store with reversed bytes, of 16, 32 or 64 bits.
    pub fn store_reversed(&mut self, size: Size, dst: Mem, src: Reg) {
        self.encode(code(0, 2, 0xf1), size, src as u8, dst.into(), Tail::NONE);
    }

    /// `imul dst, src, imm`.
    pub fn imul_imm(&mut self, size: Size, dst: Reg, src: impl Into<Rm>, imm: i32) {
        self.encode(code(0, 0, 0x69), size, dst as u8, src.into(), Tail::word(imm));
    }

    /// One-operand arithmetic.
    pub fn unary(&mut self, op: Unary, size: Size, rm: impl Into<Rm>) {
        self.encode(code(0, 0, 0xf7), size, op as u8, rm.into(), Tail::NONE);
    }

    /// Shift by an immediate.
    pub fn shift_imm(&mut self, op: Shift, size: Size, rm: impl Into<Rm>, amount: u8) {
        self.encode(code(0, 0, 0xc1), size, op as u8, rm.into(), Tail::byte(amount));
    }

    /// Shift by CL.
    pub fn shift_cl(&mut self, op: Shift, size: Size, rm: impl Into<Rm>) {
        self.encode(code(0, 0, 0xd3), size, op as u8, rm.into(), Tail::NONE);
    }

    /// Reverses the bytes of a register.
    pub fn bswap(&mut self, size: Size, reg: Reg) {
        let bits = reg as u8 >> 3 | if size == Size::Q { 8 } else { 0 };
        if bits != 0 {
            self.byte(0x40 | bits);
        }
        self.bytes.extend_from_slice(&[0x0f, 0xc8 | reg as u8 & 7]);
    }

    /// A byte of 1 or 0.
    pub fn set(&mut self, cond: Cond, dst: impl Into<Rm>) {
        self.encode(code(0, 1, 0x90 | cond as u8), Size::B, 0, dst.into(), Tail::NONE);
    }

    /// Moves if the condition holds.
    pub fn cmov(&mut self, cond: Cond, size: Size, dst: Reg, src: impl Into<Rm>) {
        self.encode(code(0, 1, 0x40 | cond as u8), size, dst as u8, src.into(), Tail::NONE);
    }

    /// Tests a bit of a register, to carry.
    pub fn bt_imm(&mut self, size: Size, rm: impl Into<Rm>, bit: u8) {
        self.encode(code(0, 1, 0xba), size, 4, rm.into(), Tail::byte(bit));
    }

    /// Sets a bit of a register.
    pub fn bts_imm(&mut self, size: Size, rm: impl Into<Rm>, bit: u8) {
        self.encode(code(0, 1, 0xba), size, 5, rm.into(), Tail::byte(bit));
    }

    /// Atomically: if RAX is what is at `dst`, stores `src` there; ZF says so.
    pub fn lock_cmpxchg(&mut self, size: Size, dst: Mem, src: Reg) {
        self.byte(0xf0);
        self.encode(code(0, 1, if size == Size::B { 0xb0 } else { 0xb1 }), size, src as u8, dst.into(), Tail::NONE);
    }

    /// A full barrier: a locked operation that changes nothing.
    pub fn barrier(&mut self) {
        self.byte(0xf0);
        self.alu_imm(Alu::Or, Size::D, Mem::Base(Reg::Rsp, 0), 0);
    }

    /// Sets carry.
    pub fn stc(&mut self) {
        self.byte(0xf9);
    }

    /// Complements the carry flag.
    pub fn cmc(&mut self) {
        self.byte(0xf5);
    }

    /// An instruction with a VEX prefix, in which two bits stand for the prefix byte: of two bytes if that is enough.
    fn vex(&mut self, insn: Insn, reg: u8, second: u8, rm: Rm, tail: Tail) {
        let Code { prefix, map, opcode } = insn.code;
        let pp = match prefix {
            0x66 => 1,
            0xf3 => 2,
            0xf2 => 3,
            _ => 0,
        };
        let bits = Self::rex_bits(reg, rm);
        let last = (!second & 15) << 3 | pp;
        let mut bytes = Bytes::default();
        if map == 1 && !insn.wide && bits & 3 == 0 {
            bytes.push(0xc5);
            bytes.push((!bits & 4) << 5 | last);
        } else {
            bytes.push(0xc4);
            bytes.push((!bits & 7) << 5 | map);
            bytes.push(u8::from(insn.wide) << 7 | last);
        }
        bytes.push(opcode);
        self.modrm(bytes, reg, rm, tail);
    }

    /// Shift by a register without flags (BMI2): `dst = src shifted by amount`.
    pub fn shift_by(&mut self, op: Shift, size: Size, dst: Reg, src: impl Into<Rm>, amount: Reg) {
        let prefix = match op {
            Shift::Shl => 0x66,
            Shift::Sar => 0xf3,
            _ => 0xf2,
        };
        self.vex(insn(prefix, 2, 0xf7, size == Size::Q), dst as u8, amount as u8, src.into(), Tail::NONE);
    }

    /// Rotates right by an immediate without flags (BMI2).
    pub fn rorx(&mut self, size: Size, dst: Reg, src: impl Into<Rm>, amount: u8) {
        self.vex(insn(0xf2, 3, 0xf0, size == Size::Q), dst as u8, 0, src.into(), Tail::byte(amount));
    }

    /// The low bits of `src`, as many as `count` says (BMI2).
    pub fn bzhi(&mut self, size: Size, dst: Reg, src: impl Into<Rm>, count: Reg) {
        self.vex(insn(0, 2, 0xf5, size == Size::Q), dst as u8, count as u8, src.into(), Tail::NONE);
    }

    /// The bits of `src` where `mask` is 1, at the right end (BMI2).
    pub fn pext(&mut self, dst: Reg, src: Reg, mask: Reg) {
        self.vex(insn(0xf3, 2, 0xf5, true), dst as u8, src as u8, mask.into(), Tail::NONE);
    }

    /// Jump to a label if the condition holds.
    pub fn jcc(&mut self, cond: Cond, to: Label) {
        self.bytes.extend_from_slice(&[0x0f, 0x80 | cond as u8]);
        self.displacement(to);
    }

    /// Jump to a label.
    pub fn jmp(&mut self, to: Label) {
        self.byte(0xe9);
        self.displacement(to);
    }

    fn displacement(&mut self, to: Label) {
        self.fixups.push((self.bytes.len(), to));
        self.word(0);
    }

    /// Jump to an address in reach.
    pub fn jmp_to(&mut self, address: u64) {
        self.byte(0xe9);
        let next = self.here() + 4;
        self.word(address.wrapping_sub(next) as i32);
    }

    /// Jump to an address in reach if the condition holds.
    pub fn jcc_to(&mut self, cond: Cond, address: u64) {
        self.bytes.extend_from_slice(&[0x0f, 0x80 | cond as u8]);
        let next = self.here() + 4;
        self.word(address.wrapping_sub(next) as i32);
    }

    /// Call of an address in reach.
    pub fn call_to(&mut self, address: u64) {
        self.byte(0xe8);
        let next = self.here() + 4;
        self.word(address.wrapping_sub(next) as i32);
    }

    /// Jump through a register or memory.
    pub fn jmp_rm(&mut self, rm: impl Into<Rm>) {
        self.encode(code(0, 0, 0xff), Size::D, 4, rm.into(), Tail::NONE);
    }

    /// Call of a label.
    pub fn call(&mut self, to: Label) {
        self.byte(0xe8);
        self.displacement(to);
    }

    /// Call through a register or memory.
    pub fn call_rm(&mut self, rm: impl Into<Rm>) {
        self.encode(code(0, 0, 0xff), Size::D, 2, rm.into(), Tail::NONE);
    }

    /// Return.
    pub fn ret(&mut self) {
        self.byte(0xc3);
    }

    /// Push.
    pub fn push(&mut self, reg: Reg) {
        if reg as u8 >= 8 {
            self.byte(0x41);
        }
        self.byte(0x50 | reg as u8 & 7);
    }

    /// Push of memory, or of a register.
    pub fn push_rm(&mut self, rm: impl Into<Rm>) {
        self.encode(code(0, 0, 0xff), Size::D, 6, rm.into(), Tail::NONE);
    }

    /// Pop to memory, or to a register.
    pub fn pop_rm(&mut self, rm: impl Into<Rm>) {
        self.encode(code(0, 0, 0x8f), Size::D, 0, rm.into(), Tail::NONE);
    }

    /// Pop.
    pub fn pop(&mut self, reg: Reg) {
        if reg as u8 >= 8 {
            self.byte(0x41);
        }
        self.byte(0x58 | reg as u8 & 7);
    }
}

#[cfg(test)]
mod tests;
