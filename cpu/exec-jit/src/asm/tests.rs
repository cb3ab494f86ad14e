//! What is assembled, as another disassembler reads it.

use iced_x86::{Decoder, DecoderOptions, Formatter, GasFormatter};

use super::*;

const AT: u64 = 0x10_0000;

fn text(build: impl FnOnce(&mut Asm)) -> Vec<String> {
    let mut asm = Asm::new(AT);
    build(&mut asm);
    let bytes = asm.finish().unwrap();
    let mut formatter = GasFormatter::new();
    let lines = Decoder::with_ip(64, &bytes, AT, DecoderOptions::NONE).into_iter().map(|insn| {
        let mut line = String::new();
        formatter.format(&insn, &mut line);
        line.replace('%', "")
    });
    lines.collect()
}

fn one(build: impl FnOnce(&mut Asm), wanted: &str) {
    assert_eq!(text(build), [wanted]);
}

#[test]
fn operands_of_every_shape() {
    use Mem::*;
    use Reg::*;
    one(|a| a.mov(Size::Q, Rax, Rcx), "mov rcx,rax");
    one(|a| a.mov(Size::D, R8, R15), "mov r15d,r8d");
    one(|a| a.mov(Size::Q, R9, Base(Rbp, -8)), "mov -8(rbp),r9");
    one(|a| a.mov(Size::Q, Rax, Base(Rbp, 0)), "mov (rbp),rax");
    one(|a| a.mov(Size::Q, Rax, Base(R13, 0)), "mov (r13),rax");
    one(|a| a.mov(Size::Q, Rax, Base(Rsp, 8)), "mov 8(rsp),rax");
    one(|a| a.mov(Size::Q, Rax, Base(R12, 0x1000)), "mov 0x1000(r12),rax");
    one(|a| a.mov(Size::Q, Rax, Index(Rcx, R9, 8, 4)), "mov 4(rcx,r9,8),rax");
    one(|a| a.mov(Size::Q, Rax, Index(R13, Rdx, 1, 0)), "mov (r13,rdx),rax");
    one(|a| a.mov(Size::Q, Rdx, Absolute(AT + 0x100)), "mov 0x100100,rdx");
    one(|a| a.alu_imm(Alu::Cmp, Size::D, Absolute(AT - 0x100), 1), "cmpl $1,0xFFF00");
    one(|a| a.alu_imm(Alu::Cmp, Size::D, Absolute(AT - 0x100), 1000), "cmpl $0x3E8,0xFFF00");
    one(|a| a.test_imm(Size::B, Absolute(AT + 0x100), 8), "testb $8,0x100100");
}

#[test]
fn bytes_of_every_register() {
    use Reg::*;
    one(|a| a.store(Size::B, Mem::Base(Rax, 0), Rsi), "mov sil,(rax)");
    one(|a| a.store(Size::B, Mem::Base(Rax, 0), R9), "mov r9b,(rax)");
    one(|a| a.insn(op::MOVZX8, Rax, Rdi), "movzbl dil,eax");
    one(|a| a.insn(op::MOVZX8, R8, Rax), "movzbl al,r8d");
    one(|a| a.insn(op::MOVSX8, Rax, Rsi), "movsbq sil,rax");
    one(|a| a.set(Cond::G, Rdi), "setg dil");
    one(|a| a.alu(Alu::And, Size::B, Rdx, Rcx), "and cl,dl");
}

#[test]
fn arithmetic() {
    use Reg::*;
    one(|a| a.alu(Alu::Add, Size::Q, R10, Mem::Base(Rbp, 16)), "add 0x10(rbp),r10");
    one(|a| a.alu_to(Alu::Or, Size::B, Mem::Base(Rbp, 1), Rax), "or al,1(rbp)");
    one(|a| a.alu_imm(Alu::Sub, Size::Q, R15, 300), "sub $0x12C,r15");
    one(|a| a.alu_imm(Alu::And, Size::D, Rax, -16), "and $0xFFFFFFF0,eax");
    one(|a| a.lea(Size::Q, Rax, Mem::Index(Rsi, Rdi, 1, 0)), "lea (rsi,rdi),rax");
    one(|a| a.imul_imm(Size::Q, Rax, R9, 10), "imul $0xA,r9,rax");
    one(|a| a.insn(op::IMUL64, Rax, R9), "imul r9,rax");
    one(|a| a.unary(Unary::Neg, Size::Q, R8), "neg r8");
    one(|a| a.unary(Unary::Mul, Size::Q, Rcx), "mul rcx");
    one(|a| a.unary(Unary::Idiv, Size::Q, R9), "idiv r9");
    one(|a| a.sign_to_rdx(), "cqto");
    one(|a| a.store_imm(Size::B, Mem::Base(Rbp, -100), 10), "movb $0xA,-0x64(rbp)");
    one(|a| a.store_imm(Size::Q, Mem::Base(Rax, 120), 0), "movq $0,0x78(rax)");
    one(|a| a.movsxd(R9, R10), "movslq r10d,r9");
    one(|a| a.bswap(Size::D, R9), "bswap r9d");
    one(|a| a.cmov(Cond::Ne, Size::Q, Rax, R9), "cmovne r9,rax");
    one(|a| a.bt_imm(Size::Q, Rcx, 32), "bt $0x20,rcx");
}

#[test]
fn shifts_and_bits() {
    use Reg::*;
    one(|a| a.shift_imm(Shift::Shl, Size::Q, R9, 3), "shl $3,r9");
    one(|a| a.shift_cl(Shift::Rol, Size::D, Rax), "rol cl,eax");
    one(|a| a.shift_by(Shift::Shl, Size::Q, Rax, Rdx, R9), "shlx r9,rdx,rax");
    one(|a| a.shift_by(Shift::Sar, Size::D, R8, Rdx, Rcx), "sarx ecx,edx,r8d");
    one(|a| a.shift_by(Shift::Shr, Size::Q, Rax, Mem::Base(Rbp, 8), Rcx), "shrx rcx,8(rbp),rax");
    one(|a| a.rorx(Size::D, R9, R10, 7), "rorx $7,r10d,r9d");
    one(|a| a.bzhi(Size::Q, Rdx, Rax, Rcx), "bzhi rcx,rax,rdx");
    one(|a| a.pext(Rax, Rax, R9), "pext r9,rax,rax");
    one(|a| a.insn(op::LZCNT64, Rax, R9), "lzcnt r9,rax");
    one(|a| a.insn(op::TZCNT32, R9, Rax), "tzcnt eax,r9d");
    one(|a| a.insn(op::MOVBE64, R9, Mem::Base(Rax, 0)), "movbe (rax),r9");
    one(|a| a.store_reversed(Size::W, Mem::Base(Rax, 0), R9), "movbe r9w,(rax)");
}

#[test]
fn constants_and_jumps() {
    use Reg::*;
    one(|a| a.mov_imm(R9, 5), "mov $5,r9d");
    one(|a| a.mov_imm(Rax, u64::MAX), "mov $0xFFFFFFFFFFFFFFFF,rax");
    one(|a| a.mov_imm(Rax, 0x1234_5678_9abc), "movabs $0x123456789ABC,rax");
    one(|a| a.jmp_to(AT + 0x100), "jmp 0x0000000000100100");
    one(|a| a.jcc_to(Cond::Le, AT - 0x100), "jle 0x00000000000FFF00");
    one(|a| a.push_rm(Mem::Base(Rbp, 16)), "pushq 0x10(rbp)");
    one(|a| a.pop_rm(Mem::Absolute(AT + 0x100)), "popq 0x100100");
    one(|a| a.jmp_rm(Mem::Base(Rdx, 16)), "jmpq *0x10(rdx)");
    let there_and_back = text(|a| {
        let (ahead, behind) = (a.label(), a.label());
        a.bind(behind);
        a.jmp(ahead);
        a.jcc(Cond::E, behind);
        a.bind(ahead);
    });
    assert_eq!(there_and_back, ["jmp 0x000000000010000B", "je 0x0000000000100000"]);
}

#[test]
fn vectors() {
    use Mem::*;
    let [a, b, c] = [1, 9, 15].map(Xmm::of);
    let state = Base(Reg::Rbp, 0x100);
    one(|asm| asm.v3(vop::ADDSD, a, a, Xmm::of(2)), "vaddsd xmm2,xmm1,xmm1");
    one(|asm| asm.v3(vop::MULSD, b, a, state), "vmulsd 0x100(rbp),xmm1,xmm9");
    one(|asm| asm.v3(vop::SQRTSD, a, c, b), "vsqrtsd xmm9,xmm15,xmm1");
    one(|asm| asm.v3(vop::FMADD231SD, a, b, c), "vfmadd231sd xmm15,xmm9,xmm1");
    one(|asm| asm.v3(vop::FNMSUB231SD, a, b, state), "vfnmsub231sd 0x100(rbp),xmm9,xmm1");
    one(|asm| asm.v3(vop::FNMADD231PS, a, b, c), "vfnmadd231ps xmm15,xmm9,xmm1");
    one(|asm| asm.v3(vop::FMSUB231PD, a, b, c), "vfmsub231pd xmm15,xmm9,xmm1");
    one(|asm| asm.v3(vop::FNMSUB231PS, a, b, c), "vfnmsub231ps xmm15,xmm9,xmm1");
    one(|asm| asm.v3(vop::CVTSD2SS, a, a, b), "vcvtsd2ss xmm9,xmm1,xmm1");
    one(|asm| asm.v2(vop::UCOMISD, a, state), "vucomisd 0x100(rbp),xmm1");
    one(|asm| asm.v3_imm(vop::CMPPD, a, b, c, 1), "vcmpltpd xmm15,xmm9,xmm1");
    one(|asm| asm.v3_imm(vop::PALIGNR, a, b, Absolute(AT + 0x100), 3), "vpalignr $3,0x100100,xmm9,xmm1");
    one(|asm| asm.v3_imm(vop::PBLENDVB, a, b, c, 0x20), "vpblendvb xmm2,xmm15,xmm9,xmm1");
    one(|asm| asm.v3_imm(vop::CMPSD, a, b, c, 2), "vcmplesd xmm15,xmm9,xmm1");
    one(|asm| asm.v3_imm(vop::ROUNDSD, a, b, c, 9), "vroundsd $9,xmm15,xmm9,xmm1");
    one(|asm| asm.v_convert(vop::CVTSI2SD, a, b, Reg::R9), "vcvtsi2sd r9,xmm9,xmm1");
    one(|asm| asm.v_mask(vop::CVTTSD2SI64, Reg::R9, c), "vcvttsd2si xmm15,r9");
    one(|asm| asm.v_mask(vop::CVTSD2SI32, Reg::R9, c), "vcvtsd2si xmm15,r9d");
    one(|asm| asm.v3(vop::MAXPS, a, b, c), "vmaxps xmm15,xmm9,xmm1");
    one(|asm| asm.v3(vop::MINPD, a, b, c), "vminpd xmm15,xmm9,xmm1");
    one(|asm| asm.v2(vop::SQRTPD, a, c), "vsqrtpd xmm15,xmm1");
    one(|asm| asm.v2_imm(vop::PSHUFD, b, c, 0x1b), "vpshufd $0x1B,xmm15,xmm9");
    one(|asm| asm.v_shift(vop::PSRAD, a, c, 31), "vpsrad $0x1F,xmm15,xmm1");
    one(|asm| asm.v_shift(vop::PSLLDQ, c, a, 8), "vpslldq $8,xmm1,xmm15");
    one(|asm| asm.v3(vop::PSHUFB, c, a, b), "vpshufb xmm9,xmm1,xmm15");
    one(|asm| asm.v3(vop::PSLLVQ, c, a, b), "vpsllvq xmm9,xmm1,xmm15");
    one(|asm| asm.v2(vop::PBROADCASTQ, a, state), "vpbroadcastq 0x100(rbp),xmm1");
    one(|asm| asm.v2(vop::PMOVSXWD, a, state), "vpmovsxwd 0x100(rbp),xmm1");
    one(|asm| asm.v3(vop::PSUBUSB, c, a, b), "vpsubusb xmm9,xmm1,xmm15");
    one(|asm| asm.v3(vop::PADDSW, c, a, b), "vpaddsw xmm9,xmm1,xmm15");
    one(|asm| asm.v3_imm(vop::SHUFPS, a, b, c, 0x22), "vshufps $0x22,xmm15,xmm9,xmm1");
    one(|asm| asm.v3_imm(vop::PBLENDD, a, b, c, 0xa), "vpblendd $0xA,xmm15,xmm9,xmm1");
    one(|asm| asm.v_insert(vop::PINSRB, a, b, Reg::Rcx, 3), "vpinsrb $3,ecx,xmm9,xmm1");
    one(|asm| asm.v_insert(vop::PINSRW, a, b, state, 3), "vpinsrw $3,0x100(rbp),xmm9,xmm1");
}

#[test]
fn moves_of_vectors() {
    use Mem::*;
    let (low, high) = (Xmm::of(0), Xmm::of(8));
    let at = Index(Reg::Rax, Reg::R9, 8, 0);
    one(|a| a.v2(vop::MOVSD_LOAD, high, at), "vmovsd (rax,r9,8),xmm8");
    one(|a| a.v_store(vop::MOVSD_STORE, at, low), "vmovsd xmm0,(rax,r9,8)");
    one(|a| a.v2(vop::MOVSS_LOAD, low, at), "vmovss (rax,r9,8),xmm0");
    one(|a| a.v_store(vop::MOVSS_STORE, at, high), "vmovss xmm8,(rax,r9,8)");
    one(|a| a.v2(vop::MOVQ_LOAD, low, high), "vmovq xmm8,xmm0");
    one(|a| a.v_store(vop::MOVQ_STORE, at, high), "vmovq xmm8,(rax,r9,8)");
    one(|a| a.v2(vop::MOVDQU_LOAD, low, at), "vmovdqu (rax,r9,8),xmm0");
    one(|a| a.v_store(vop::MOVUPS_STORE, at, low), "vmovups xmm0,(rax,r9,8)");
    one(|a| a.v_from(vop::MOVQ_FROM, high, Reg::Rcx), "vmovq rcx,xmm8");
    one(|a| a.v_from(vop::MOVD_FROM, low, Reg::R9), "vmovd r9d,xmm0");
    one(|a| a.v_to(vop::MOVQ_TO, Reg::R9, low), "vmovq xmm0,r9");
    one(|a| a.v_to(vop::MOVD_TO, Reg::Rcx, high), "vmovd xmm8,ecx");
    one(|a| a.v_insert(vop::PINSRQ, low, high, Reg::R9, 1), "vpinsrq $1,r9,xmm8,xmm0");
    one(|a| a.v_extract(vop::PEXTRQ, Reg::R9, low, 1), "vpextrq $1,xmm0,r9");
    one(|a| a.v_mask(vop::MOVMSKPD, Reg::Rcx, high), "vmovmskpd xmm8,ecx");
    one(|a| a.v_mask(vop::PMOVMSKB, Reg::R9, low), "vpmovmskb xmm0,r9d");
}

#[test]
fn atomic_operations() {
    use Reg::*;
    one(|a| a.bts_imm(Size::Q, Rdx, 63), "bts $0x3F,rdx");
    one(|a| a.lock_cmpxchg(Size::B, Mem::Base(Rcx, 0), Rdx), "lock cmpxchg dl,(rcx)");
    one(|a| a.lock_cmpxchg(Size::W, Mem::Base(Rcx, 0), Rdx), "lock cmpxchg dx,(rcx)");
    one(|a| a.lock_cmpxchg(Size::Q, Mem::Base(R9, 8), Rdx), "lock cmpxchg rdx,8(r9)");
    one(|a| a.barrier(), "lock orl $0,(rsp)");
}

#[test]
fn ternary_logic() {
    let [x0, x3, x9, x14] = [0, 3, 9, 14].map(Xmm::of);
    one(|a| a.v_ternary(x0, x3, x9, 0xd8), "vpternlogq $0xD8,xmm9,xmm3,xmm0");
    one(|a| a.v_ternary(x14, x9, x0, 1), "vpternlogq $1,xmm0,xmm9,xmm14");
}
