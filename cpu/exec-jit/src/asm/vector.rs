//! Instructions on XMM registers, in VEX encodings of 128 bits (AVX, AVX2, FMA), and one in EVEX encoding. The bits above
//! are cleared by every write.

use super::{Asm, Insn, Mem, Reg, Rm, Tail};

/// A vector register of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Xmm(Reg);

impl Xmm {
    /// Register `number`, below 16.
    pub const fn of(number: usize) -> Xmm {
        use Reg::*;
        const BY_NUMBER: [Reg; 16] = [Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15];
        Xmm(BY_NUMBER[number & 15])
    }
}

/// A vector register or a place in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XmmRm(Rm);

impl XmmRm {
    /// The register, if it is one.
    pub fn register(self) -> Option<Xmm> {
        match self.0 {
            Rm::Reg(reg) => Some(Xmm(reg)),
            Rm::Mem(_) => None,
        }
    }
}

impl From<Xmm> for XmmRm {
    fn from(xmm: Xmm) -> XmmRm {
        XmmRm(Rm::Reg(xmm.0))
    }
}

impl From<Mem> for XmmRm {
    fn from(mem: Mem) -> XmmRm {
        XmmRm(Rm::Mem(mem))
    }
}

/// A shift of elements by a constant: the instruction, and its opcode extension.
#[derive(Clone, Copy, Debug)]
pub struct ShiftBy(Insn, u8);

/// Instructions by name. What comes after the name in comments are the operands of [`Asm`]'s methods.
#[rustfmt::skip]
#[allow(dead_code, reason = "a table of what the host has; the lowerings take what they need")]
pub mod vop {
    use super::super::{Insn, insn};
    use super::ShiftBy;

    /// `66 0F`, `66 0F 38`, `66 0F 3A`.
    const fn i1(opcode: u8) -> Insn { insn(0x66, 1, opcode, false) }
    const fn i2(opcode: u8) -> Insn { insn(0x66, 2, opcode, false) }
    const fn i3(opcode: u8) -> Insn { insn(0x66, 3, opcode, false) }
    const fn fma(opcode: u8, double: bool) -> Insn { insn(0x66, 2, opcode, double) }
    const fn shift(opcode: u8, extension: u8) -> ShiftBy { ShiftBy(i1(opcode), extension) }

    // Moves: `v2` to load, `v_store` to store.
    pub const MOVSD_LOAD: Insn = insn(0xf2, 1, 0x10, false);
    pub const MOVSD_STORE: Insn = insn(0xf2, 1, 0x11, false);
    pub const MOVSS_LOAD: Insn = insn(0xf3, 1, 0x10, false);
    pub const MOVSS_STORE: Insn = insn(0xf3, 1, 0x11, false);
    pub const MOVQ_LOAD: Insn = insn(0xf3, 1, 0x7e, false);
    pub const MOVQ_STORE: Insn = i1(0xd6);
    pub const MOVDQU_LOAD: Insn = insn(0xf3, 1, 0x6f, false);
    pub const MOVDQU_STORE: Insn = insn(0xf3, 1, 0x7f, false);
    pub const MOVUPS_LOAD: Insn = insn(0, 1, 0x10, false);
    pub const MOVUPS_STORE: Insn = insn(0, 1, 0x11, false);
    // Between register files: `v_from` to a vector register, `v_to` to a general one.
    pub const MOVD_FROM: Insn = i1(0x6e);
    pub const MOVQ_FROM: Insn = insn(0x66, 1, 0x6e, true);
    pub const MOVD_TO: Insn = i1(0x7e);
    pub const MOVQ_TO: Insn = insn(0x66, 1, 0x7e, true);
    pub const PEXTRD: Insn = i3(0x16);
    pub const PEXTRQ: Insn = insn(0x66, 3, 0x16, true);
    pub const PINSRB: Insn = i3(0x20);
    pub const PINSRW: Insn = i1(0xc4);
    pub const PINSRD: Insn = i3(0x22);
    pub const PINSRQ: Insn = insn(0x66, 3, 0x22, true);
    // From vector to general, the vector register as the last operand: `v_mask`.
    pub const MOVMSKPS: Insn = insn(0, 1, 0x50, false);
    pub const MOVMSKPD: Insn = i1(0x50);
    pub const PMOVMSKB: Insn = i1(0xd7);

    // Scalar and packed floating point: `v3`; square roots of packed numbers: `v2`.
    pub const ADDSD: Insn = insn(0xf2, 1, 0x58, false);
    pub const MULSD: Insn = insn(0xf2, 1, 0x59, false);
    pub const SUBSD: Insn = insn(0xf2, 1, 0x5c, false);
    pub const DIVSD: Insn = insn(0xf2, 1, 0x5e, false);
    pub const SQRTSD: Insn = insn(0xf2, 1, 0x51, false);
    pub const ADDPD: Insn = i1(0x58);
    pub const MULPD: Insn = i1(0x59);
    pub const SUBPD: Insn = i1(0x5c);
    pub const DIVPD: Insn = i1(0x5e);
    pub const SQRTPD: Insn = i1(0x51);
    pub const MINPD: Insn = i1(0x5d);
    pub const MAXPD: Insn = i1(0x5f);
    pub const SQRTPS: Insn = insn(0, 1, 0x51, false);
    pub const MINPS: Insn = insn(0, 1, 0x5d, false);
    pub const MAXPS: Insn = insn(0, 1, 0x5f, false);
    pub const ADDPS: Insn = insn(0, 1, 0x58, false);
    pub const MULPS: Insn = insn(0, 1, 0x59, false);
    pub const SUBPS: Insn = insn(0, 1, 0x5c, false);
    pub const DIVPS: Insn = insn(0, 1, 0x5e, false);
    pub const CVTSD2SS: Insn = insn(0xf2, 1, 0x5a, false);
    pub const CVTSS2SD: Insn = insn(0xf3, 1, 0x5a, false);
    pub const UCOMISD: Insn = i1(0x2e);
    pub const UCOMISS: Insn = insn(0, 1, 0x2e, false);
    pub const CMPSD: Insn = insn(0xf2, 1, 0xc2, false);
    // Conversions: `v_convert`, and back `v_mask`.
    pub const CVTSI2SD: Insn = insn(0xf2, 1, 0x2a, true);
    pub const CVTSI2SS: Insn = insn(0xf3, 1, 0x2a, true);
    pub const CVTTSD2SI64: Insn = insn(0xf2, 1, 0x2c, true);
    pub const CVTSD2SI64: Insn = insn(0xf2, 1, 0x2d, true);
    pub const CVTTSD2SI32: Insn = insn(0xf2, 1, 0x2c, false);
    pub const CVTSD2SI32: Insn = insn(0xf2, 1, 0x2d, false);
    // Rounding, `v3_imm`.
    pub const ROUNDSD: Insn = i3(0x0b);
    pub const CMPPS: Insn = insn(0, 1, 0xc2, false);
    pub const CMPPD: Insn = i1(0xc2);
    // Fused: `dst = ±(a * b) ± dst`.
    pub const FMADD231SD: Insn = fma(0xb9, true);
    pub const FMSUB231SD: Insn = fma(0xbb, true);
    pub const FNMADD231SD: Insn = fma(0xbd, true);
    pub const FNMSUB231SD: Insn = fma(0xbf, true);
    pub const FMADD231PS: Insn = fma(0xb8, false);
    pub const FMADD231PD: Insn = fma(0xb8, true);
    pub const FMSUB231PS: Insn = fma(0xba, false);
    pub const FMSUB231PD: Insn = fma(0xba, true);
    pub const FNMADD231PS: Insn = fma(0xbc, false);
    pub const FNMADD231PD: Insn = fma(0xbc, true);
    pub const FNMSUB231PS: Insn = fma(0xbe, false);
    pub const FNMSUB231PD: Insn = fma(0xbe, true);

    // Integers and bits: `v3`.
    pub const PAND: Insn = i1(0xdb);
    pub const PANDN: Insn = i1(0xdf);
    pub const POR: Insn = i1(0xeb);
    pub const PXOR: Insn = i1(0xef);
    pub const PADDB: Insn = i1(0xfc);
    pub const PADDW: Insn = i1(0xfd);
    pub const PADDD: Insn = i1(0xfe);
    pub const PADDQ: Insn = i1(0xd4);
    pub const PSUBB: Insn = i1(0xf8);
    pub const PSUBW: Insn = i1(0xf9);
    pub const PSUBD: Insn = i1(0xfa);
    pub const PSUBQ: Insn = i1(0xfb);
    pub const PAVGB: Insn = i1(0xe0);
    pub const PAVGW: Insn = i1(0xe3);
    pub const PMULLW: Insn = i1(0xd5);
    pub const PMULLD: Insn = i2(0x40);
    pub const PMULUDQ: Insn = i1(0xf4);
    pub const PMULDQ: Insn = i2(0x28);
    pub const PMADDWD: Insn = i1(0xf5);
    pub const PCMPEQB: Insn = i1(0x74);
    pub const PCMPEQW: Insn = i1(0x75);
    pub const PCMPEQD: Insn = i1(0x76);
    pub const PCMPEQQ: Insn = i2(0x29);
    pub const PCMPGTB: Insn = i1(0x64);
    pub const PCMPGTW: Insn = i1(0x65);
    pub const PCMPGTD: Insn = i1(0x66);
    pub const PCMPGTQ: Insn = i2(0x37);
    pub const PMINSB: Insn = i2(0x38);
    pub const PMINSW: Insn = i1(0xea);
    pub const PMINSD: Insn = i2(0x39);
    pub const PMINUB: Insn = i1(0xda);
    pub const PMINUW: Insn = i2(0x3a);
    pub const PMINUD: Insn = i2(0x3b);
    pub const PMAXSB: Insn = i2(0x3c);
    pub const PMAXSW: Insn = i1(0xee);
    pub const PMAXSD: Insn = i2(0x3d);
    pub const PMAXUB: Insn = i1(0xde);
    pub const PMAXUW: Insn = i2(0x3e);
    pub const PMAXUD: Insn = i2(0x3f);
    pub const PSLLVD: Insn = i2(0x47);
    pub const PSRLVD: Insn = i2(0x45);
    pub const PSRAVD: Insn = i2(0x46);
    pub const PSLLVQ: Insn = insn(0x66, 2, 0x47, true);
    pub const PSRLVQ: Insn = insn(0x66, 2, 0x45, true);
    pub const PUNPCKLBW: Insn = i1(0x60);
    pub const PUNPCKLWD: Insn = i1(0x61);
    pub const PUNPCKLDQ: Insn = i1(0x62);
    pub const PUNPCKLQDQ: Insn = i1(0x6c);
    pub const PUNPCKHBW: Insn = i1(0x68);
    pub const PUNPCKHWD: Insn = i1(0x69);
    pub const PUNPCKHDQ: Insn = i1(0x6a);
    pub const PUNPCKHQDQ: Insn = i1(0x6d);
    pub const PACKSSWB: Insn = i1(0x63);
    pub const PACKSSDW: Insn = i1(0x6b);
    pub const PACKUSWB: Insn = i1(0x67);
    pub const PACKUSDW: Insn = i2(0x2b);
    pub const PSHUFB: Insn = i2(0x00);
    pub const PADDUSB: Insn = i1(0xdc);
    pub const PADDUSW: Insn = i1(0xdd);
    pub const PADDSB: Insn = i1(0xec);
    pub const PADDSW: Insn = i1(0xed);
    pub const PSUBUSB: Insn = i1(0xd8);
    pub const PSUBUSW: Insn = i1(0xd9);
    pub const PSUBSB: Insn = i1(0xe8);
    pub const PSUBSW: Insn = i1(0xe9);
    // With a constant: `v3_imm`; for the last, the constant is the mask register's number times 16.
    pub const SHUFPD: Insn = i1(0xc6);
    pub const SHUFPS: Insn = insn(0, 1, 0xc6, false);
    pub const PBLENDD: Insn = i3(0x02);
    pub const PALIGNR: Insn = i3(0x0f);
    pub const PBLENDVB: Insn = i3(0x4c);
    // Of one operand: `v2`, with a constant `v2_imm`.
    pub const PTEST: Insn = i2(0x17);
    pub const PABSB: Insn = i2(0x1c);
    pub const PABSW: Insn = i2(0x1d);
    pub const PABSD: Insn = i2(0x1e);
    pub const PBROADCASTB: Insn = i2(0x78);
    pub const PBROADCASTW: Insn = i2(0x79);
    pub const PBROADCASTD: Insn = i2(0x58);
    pub const PBROADCASTQ: Insn = i2(0x59);
    pub const PSHUFD: Insn = i1(0x70);
    pub const PMOVSXBW: Insn = i2(0x20);
    pub const PMOVSXWD: Insn = i2(0x23);
    pub const PMOVSXDQ: Insn = i2(0x25);
    // Elements by a constant, and all sixteen bytes: `v_shift`.
    pub const PSRLW: ShiftBy = shift(0x71, 2);
    pub const PSRAW: ShiftBy = shift(0x71, 4);
    pub const PSLLW: ShiftBy = shift(0x71, 6);
    pub const PSRLD: ShiftBy = shift(0x72, 2);
    pub const PSRAD: ShiftBy = shift(0x72, 4);
    pub const PSLLD: ShiftBy = shift(0x72, 6);
    pub const PSRLQ: ShiftBy = shift(0x73, 2);
    pub const PSRLDQ: ShiftBy = shift(0x73, 3);
    pub const PSLLQ: ShiftBy = shift(0x73, 6);
    pub const PSLLDQ: ShiftBy = shift(0x73, 7);
}

#[allow(dead_code, reason = "the shapes of the table above")]
impl Asm {
    /// `dst = a op b`.
    pub fn v3(&mut self, insn: Insn, dst: Xmm, a: Xmm, b: impl Into<XmmRm>) {
        self.vex(insn, dst.0 as u8, a.0 as u8, b.into().0, Tail::NONE);
    }

    /// `dst = a op b` with a constant.
    pub fn v3_imm(&mut self, insn: Insn, dst: Xmm, a: Xmm, b: impl Into<XmmRm>, imm: u8) {
        self.vex(insn, dst.0 as u8, a.0 as u8, b.into().0, Tail::byte(imm));
    }

    /// `dst = bit of `table` that the bits of dst, a and b number`, dst's being worth 4, a's 2 (`vpternlogq`, AVX-512VL).
    pub fn v_ternary(&mut self, dst: Xmm, a: Xmm, b: Xmm, table: u8) {
        const OPCODE: u8 = 0x25;
        let [dst, a, b] = [dst, a, b].map(|xmm| xmm.0 as u8);
        // EVEX.128.66.0F3A.W1: bits of register numbers are inverted.
        let first = (!dst & 8) << 4 | (!b & 8) << 2 | 0x53;
        self.bytes.extend_from_slice(&[
            0x62,
            first,
            (!a & 15) << 3 | 0x85,
            0x08,
            OPCODE,
            0xc0 | (dst & 7) << 3 | b & 7,
            table,
        ]);
    }

    /// `dst = op src`, or a load, or a comparison.
    pub fn v2(&mut self, insn: Insn, dst: Xmm, src: impl Into<XmmRm>) {
        self.vex(insn, dst.0 as u8, 0, src.into().0, Tail::NONE);
    }

    /// `dst = op src` with a constant.
    pub fn v2_imm(&mut self, insn: Insn, dst: Xmm, src: impl Into<XmmRm>, imm: u8) {
        self.vex(insn, dst.0 as u8, 0, src.into().0, Tail::byte(imm));
    }

    /// A store.
    pub fn v_store(&mut self, insn: Insn, dst: Mem, src: Xmm) {
        self.vex(insn, src.0 as u8, 0, dst.into(), Tail::NONE);
    }

    /// Shifts by a constant: `dst = src shifted by amount`.
    pub fn v_shift(&mut self, shift: ShiftBy, dst: Xmm, src: Xmm, amount: u8) {
        self.vex(shift.0, shift.1, dst.0 as u8, Rm::Reg(src.0), Tail::byte(amount));
    }

    /// A vector register, the rest of it zero, from a general one or memory.
    pub fn v_from(&mut self, insn: Insn, dst: Xmm, src: impl Into<Rm>) {
        self.vex(insn, dst.0 as u8, 0, src.into(), Tail::NONE);
    }

    /// `dst = a` with the low element converted from a general register.
    pub fn v_convert(&mut self, insn: Insn, dst: Xmm, a: Xmm, src: Reg) {
        self.vex(insn, dst.0 as u8, a.0 as u8, Rm::Reg(src), Tail::NONE);
    }

    /// `dst = src` with one element from a general register or memory.
    pub fn v_insert(&mut self, insn: Insn, dst: Xmm, src: Xmm, from: impl Into<Rm>, element: u8) {
        self.vex(insn, dst.0 as u8, src.0 as u8, from.into(), Tail::byte(element));
    }

    /// A general register or memory from the low element of a vector register.
    pub fn v_to(&mut self, insn: Insn, dst: impl Into<Rm>, src: Xmm) {
        self.vex(insn, src.0 as u8, 0, dst.into(), Tail::NONE);
    }

    /// A general register or memory from an element of a vector register.
    pub fn v_extract(&mut self, insn: Insn, dst: impl Into<Rm>, src: Xmm, element: u8) {
        self.vex(insn, src.0 as u8, 0, dst.into(), Tail::byte(element));
    }

    /// The top bits of the elements of a vector register.
    pub fn v_mask(&mut self, insn: Insn, dst: Reg, src: Xmm) {
        self.vex(insn, dst as u8, 0, Rm::Reg(src.0), Tail::NONE);
    }
}
