//! The matrix-multiply assist where the reference of the oracle is wrong or cannot tell: expectations are the ISA's
//! pseudocode (Power ISA 3.1 Book I, section 7.6.3), worked out by hand.

use exec::interrupt::program;
use exec::{Exit, Interrupt};
use guest_mem::Order;
use ppc_isa::{Cpu, msr};

use super::{FSCR_PREFIX, Machine, done};

const OX: u64 = 0x1000_0000;
const UX: u64 = 0x0800_0000;
const XX: u64 = 0x0200_0000;
const OE: u64 = 0x40;
const UE: u64 = 0x20;
/// Rounding toward plus infinity.
const UP: u64 = 2;

/// A machine with VSX on, and enabled floating-point exceptions interrupting.
fn machine(cpu: Cpu, fpscr: u64) -> Machine {
    let mut m = Machine::new(cpu, Order::Big, false, FSCR_PREFIX);
    m.vcpu.set_msr(m.vcpu.shared.msr() | msr::VSX | msr::FE0 | msr::FE1);
    m.vcpu.state.fpscr = fpscr;
    m
}

/// `opcode` with accumulator 0 and the factors VS4 and VS5.
const fn outer(opcode: u32) -> u32 {
    59 << 26 | 4 << 16 | 5 << 11 | opcode << 3
}

/// Four words as a register.
fn register(words: [u32; 4]) -> [u64; 2] {
    let double = |high, low| u64::from(high) << 32 | u64::from(low);
    [double(words[0], words[1]), double(words[2], words[3])]
}

/// Runs `opcode` on words that are all the same; the first word of the accumulator afterwards.
fn first(m: &mut Machine, opcode: u32, acc: u32, a: u32, b: u32) -> (Exit, u32) {
    m.vcpu.state.vsr[..4].fill(register([acc; 4]));
    m.vcpu.state.vsr[4] = register([a; 4]);
    m.vcpu.state.vsr[5] = register([b; 4]);
    let exit = m.one(outer(opcode));
    (exit, (m.vcpu.state.vsr[0][0] >> 32) as u32)
}

#[test]
fn only_the_model_with_mma_has_it() {
    let words = [outer(27), 0x7c00_0162, 0x7c01_0162, 0x7c03_0162];
    for word in words {
        assert!(matches!(machine(Cpu::Power10, 0).one(word), Exit::Illegal { .. }), "{word:08x}");
        assert!(done(&machine(Cpu::Power10Mma, 0).one(word)), "{word:08x}");
        let mut off = machine(Cpu::Power10Mma, 0);
        off.vcpu.set_msr(off.vcpu.shared.msr() & !msr::VSX);
        assert!(matches!(off.one(word), Exit::Interrupt(Interrupt::VsxUnavailable)), "{word:08x}");
    }
    let masked = [0x0790_00ff, outer(27)];
    assert!(matches!(machine(Cpu::Power10, 0).run(0x1000, &masked), Exit::Illegal { .. }));
    assert!(done(&machine(Cpu::Power10Mma, 0).run(0x1000, &masked)));
}

/// What Linux's own test of the facility expects of xvi16ger2s: the products of 1 to 4.
#[test]
fn an_outer_product() {
    let mut m = machine(Cpu::Power10Mma, 0);
    m.vcpu.state.vsr[4] = register([1 << 16, 2 << 16, 3 << 16, 4 << 16]);
    m.vcpu.state.vsr[5] = m.vcpu.state.vsr[4];
    assert!(done(&m.run(0x1000, &[0x7c03_0162, outer(43), 0x7c00_0162])));
    for (i, row) in (1..).zip(&m.vcpu.state.vsr[..4]) {
        assert_eq!(*row, register([i, 2 * i, 3 * i, 4 * i]));
    }
}

/// An accumulator is its VSRs: moving it changes nothing, and factors that are part of it make the form invalid.
#[test]
fn accumulators_are_vsrs() {
    let mut m = machine(Cpu::Power10Mma, 0);
    for (n, register) in (1u64..).zip(&mut m.vcpu.state.vsr) {
        *register = [n, !n];
    }
    let before = m.vcpu.state.vsr;
    assert!(done(&m.run(0x1000, &[0x7f81_0162, 0x7f80_0162])));
    assert_eq!(m.vcpu.state.vsr, before);
    assert!(done(&m.one(0x7f83_0162)));
    assert_eq!(m.vcpu.state.vsr[28..32], [[0; 2]; 4]);
    assert_eq!(m.vcpu.state.vsr[..28], before[..28]);
    assert_eq!(m.vcpu.state.vsr[32..], before[32..]);
    for (at, legal) in [(0, true), (1, false), (2, true)] {
        assert_eq!(done(&m.one(outer(35) | at << 23)), legal, "accumulator {at}");
    }
}

/// The sum of two bfloat16 products has an unbounded exponent: 2^127 x 2 - 2^127 is finite, and no overflow.
#[test]
fn bfloat16_products_do_not_overflow_before_they_are_added() {
    let mut m = machine(Cpu::Power10Mma, 0);
    let (exit, value) = first(&mut m, 50, 0xff00_0000, 0x7f00_0000, 0x4000_0000);
    assert!(done(&exit));
    assert_eq!((value, m.vcpu.state.fpscr), (0x7f00_0000, 0));
    // Without an accumulator it does.
    let (_, value) = first(&mut m, 51, 0, 0x7f00_0000, 0x4000_0000);
    assert_eq!((value, m.vcpu.state.fpscr & (OX | XX)), (0x7f80_0000, OX | XX));
}

/// -((1 + 2^-23)^2 - 0): rounded up to 1 + 3 x 2^-23, then negated. In half precision the products are negated, and the
/// sum is rounded: -(1 x 1) + 2^-30 rounded up.
#[test]
fn negation_and_directed_rounding() {
    let mut m = machine(Cpu::Power10Mma, UP);
    let (_, value) = first(&mut m, 90, 0, 0x3f80_0001, 0x3f80_0001);
    assert_eq!(value, 0xbf80_0003);
    let (_, value) = first(&mut m, 218, 0, 0x3f80_0001, 0x3f80_0001);
    assert_eq!(value, 0xbf80_0003);
    let (_, value) = first(&mut m, 82, 0x3080_0000, 0x3c00_0000, 0x3c00_0000);
    assert_eq!(value, 0xbf7f_ffff);
}

/// Results and status are those of disabled exceptions; then an enabled one interrupts.
#[test]
fn enabled_exceptions_change_no_result() {
    let mut m = machine(Cpu::Power10Mma, OE);
    let (exit, value) = first(&mut m, 27, 0, 0x7f00_0000, 0x7f00_0000);
    assert!(matches!(exit, Exit::Interrupt(Interrupt::Program(program::FP_ENABLED))), "{exit:?}");
    assert_eq!((value, m.vcpu.state.fpscr & (OX | XX)), (0x7f80_0000, OX | XX));
    // 2^-64 squared is denormal, but exact: no underflow unless exceptions are enabled, and here it is as if not.
    let mut m = machine(Cpu::Power10Mma, UE);
    let (exit, value) = first(&mut m, 27, 0, 0x1f80_0000, 0x1f80_0000);
    assert!(done(&exit), "{exit:?}");
    assert_eq!((value, m.vcpu.state.fpscr & (UX | XX)), (0x0020_0000, 0));
}
