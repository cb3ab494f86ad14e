//! What Book3S-64 may switch off (Power ISA Book III, sections 6.2.10 and 6.5.21), what it reserves (Book I, section
//! 1.8.3), and the hashes of return addresses (3.1B Book I, section 3.3.17.2).

use exec::interrupt::program;
use exec::mode::Mode;
use exec::{Clock, Context, Engine, Exit, Interrupt, NoMmio, PartitionState, Privileged, Requests, Vcpu, mode};
use exec_interp::Interpreter;
use guest_mem::{GuestMem, Order};
use ppc_isa::{Cpu, msr, spr};

#[derive(Debug)]
struct Retired;

impl Clock for Retired {
    fn ticks(&self, retired: u64) -> u64 {
        retired
    }
}

const CODE: u64 = 0x1000;
const DATA: u64 = 0x2000;
/// sc.
const SC: u32 = 0x4400_0002;

const fn mfspr(rt: u32, number: u16) -> u32 {
    0x7c00_02a6 | rt << 21 | (number as u32 & 31) << 16 | (number as u32 >> 5) << 11
}

const fn mtspr(rs: u32, number: u16) -> u32 {
    mfspr(rs, number) | 0x100
}

struct Machine {
    mem: GuestMem,
    vcpu: Vcpu,
    order: Order,
}

impl Machine {
    fn new(cpu: Cpu, order: Order, problem: bool, fscr: u64) -> Machine {
        let mut vcpu = Vcpu::new(cpu, 0);
        let little = if order == Order::Little { msr::LE } else { 0 };
        vcpu.set_msr(vcpu.shared.msr() | little);
        if problem {
            // Without the relocation that comes with it, so that no table is needed.
            vcpu.state.mode = Mode::of(cpu, vcpu.shared.msr() | msr::PR);
        }
        vcpu.set_fscr(fscr);
        vcpu.state.gpr[3] = 0x3333;
        vcpu.state.gpr[4] = DATA;
        vcpu.state.gpr[5] = 0xc000_0000_0012_3456;
        Machine { mem: GuestMem::new(1 << 16).unwrap(), vcpu, order }
    }

    /// Runs one word, then `sc`. Privileged instructions are carried out, as by the hypervisor.
    fn run(&mut self, word: u32) -> Exit {
        self.mem.store(CODE, self.order, word);
        self.mem.store(CODE + 4, self.order, SC);
        self.vcpu.state.cia = CODE;
        let (partition, requests) = (PartitionState::new(None, true), Requests::default());
        let context = Context {
            mem: &self.mem,
            partition: &partition,
            requests: &requests,
            clock: &Retired,
            mmio: &NoMmio,
            peers: &requests,
            privileged: Privileged::Inline,
        };
        Interpreter::new(self.vcpu.state.cpu).run(&mut self.vcpu, &context, 10)
    }
}

fn unavailable(exit: &Exit) -> Option<u8> {
    match exit {
        Exit::Interrupt(Interrupt::FacilityUnavailable(number)) => Some(*number),
        _ => None,
    }
}

fn done(exit: &Exit) -> bool {
    matches!(exit, Exit::SystemCall(_))
}

/// tbegin. tend. tcheck tsuspend. tresume. tabort. tabortwc. tabortdc. tabortwci. tabortdci., and moves to and from
/// TFHAR and TEXASRU.
const TRANSACTIONAL: [u32; 13] = [
    0x7c00_051d,
    0x7c00_055d,
    0x7d80_059c,
    0x7c00_05dd,
    0x7c20_05dd,
    0x7c04_071d,
    0x7c64_2e1d,
    0x7c64_2e5d,
    0x7c64_2e9d,
    0x7c64_fedd,
    mfspr(3, 128),
    mtspr(3, 128),
    mfspr(3, 131),
];
/// treclaim. r4 and trechkpt.
const PRIVILEGED_TRANSACTIONAL: [u32; 2] = [0x7c04_075d, 0x7c00_07dd];

/// `MSR[TM]` is always 0: cause 5, in any state; but privilege is looked at first.
#[test]
fn transactional_memory_is_unavailable_before_power10() {
    for cpu in [Cpu::Power8, Cpu::Power9] {
        for problem in [true, false] {
            for word in TRANSACTIONAL {
                let exit = Machine::new(cpu, Order::Big, problem, u64::MAX).run(word);
                assert_eq!(unavailable(&exit), Some(5), "{word:08x} {exit:?}");
            }
        }
        for word in PRIVILEGED_TRANSACTIONAL {
            let exit = Machine::new(cpu, Order::Big, false, 0).run(word);
            assert_eq!(unavailable(&exit), Some(5), "{word:08x} {exit:?}");
            let exit = Machine::new(cpu, Order::Big, true, 0).run(word);
            assert!(matches!(exit, Exit::Privileged(_)), "{word:08x} {exit:?}");
        }
    }
}

#[test]
fn power10_has_no_transactional_memory() {
    let instructions = TRANSACTIONAL.iter().take(10).chain(&PRIVILEGED_TRANSACTIONAL);
    for &word in instructions {
        let exit = Machine::new(Cpu::Power10, Order::Big, false, 0).run(word);
        assert!(matches!(exit, Exit::Illegal { .. }), "{word:08x} {exit:?}");
    }
    // An SPR that is not there: nothing happens in privileged state, and problem state may not.
    assert!(done(&Machine::new(Cpu::Power10, Order::Big, false, 0).run(mtspr(3, 128))));
    assert!(matches!(Machine::new(Cpu::Power10, Order::Big, true, 0).run(mtspr(3, 128)), Exit::Privileged(_)));
}

/// Word, FSCR bit, cause: mfspr TAR, bctar to 0, mfspr DSCR, mfspr BESCR, rfebb, scv; and of no bit: mfbhrbe.
#[test]
fn fscr_controls_problem_state_only() {
    use mode::fscr::{DSCR, EBB, SCV, TAR};
    for (word, bit, cause) in [
        (mfspr(3, spr::TAR), TAR, 8),
        (0x4e80_0460, TAR, 8),
        (mfspr(3, spr::UDSCR), DSCR, 2),
        (mfspr(3, spr::BESCR), EBB, 7),
        (mtspr(3, spr::EBBHR), EBB, 7),
        (0x4c00_0124, EBB, 7),
        (0x4400_0001, SCV, 12),
        (0x7c60_025c, 0, 4),
    ] {
        let exit = Machine::new(Cpu::Power9, Order::Big, true, !bit).run(word);
        assert_eq!(unavailable(&exit), Some(cause), "{word:08x} {exit:?}");
        let exit = Machine::new(Cpu::Power9, Order::Big, false, 0).run(word);
        assert_eq!(unavailable(&exit), None, "{word:08x} {exit:?}");
        if bit != 0 {
            let exit = Machine::new(Cpu::Power9, Order::Big, true, bit).run(word);
            assert_eq!(unavailable(&exit), None, "{word:08x} {exit:?}");
        }
    }
}

/// rfebb 1 goes to EBBRR and sets `BESCR[GE]`.
#[test]
fn event_based_branches_return() {
    let mut m = Machine::new(Cpu::Power8, Order::Big, true, mode::fscr::EBB);
    m.vcpu.state.ebb = [5, 0, CODE + 4 + 3];
    assert!(done(&m.run(0x4c00_0924)));
    assert_eq!(m.vcpu.state.ebb[0], 1 << 63 | 5);
}

#[test]
fn reserved_no_operations_do_nothing() {
    for cpu in Cpu::BOOK3S_64 {
        for problem in [true, false] {
            let sprs = [808, 809, 810, 811].map(|number| [mfspr(3, number), mtspr(3, number)]);
            let words = [530, 562, 594, 626].map(|opcode| [0x7fff_f801 | opcode << 1, 0x7c64_2800 | opcode << 1]);
            for word in sprs.into_iter().chain(words).flatten() {
                let mut m = Machine::new(cpu, Order::Big, problem, 0);
                let before = m.vcpu.state.gpr;
                assert!(done(&m.run(word)), "{} {word:08x}", cpu.name());
                assert_eq!(m.vcpu.state.gpr, before);
            }
        }
    }
}

/// hashst r5,-8(r4), hashchk r5,-8(r4) and their privileged twins, and the bit of DEXCR that enables them.
const HASH: [(u32, u32, u64); 2] = [(0x7fe4_2da5, 0x7fe4_2de5, 5), (0x7fe4_2d25, 0x7fe4_2d65, 6)];

#[test]
fn hashes_are_stored_and_checked() {
    for order in [Order::Big, Order::Little] {
        for (store, check, aspect) in HASH {
            let mut m = Machine::new(Cpu::Power10, order, false, 0);
            assert!(done(&m.run(store)), "a no-operation by DEXCR");
            assert_eq!(m.mem.load::<u64>(DATA - 8, order), Some(0));
            m.vcpu.state.dexcr = 1 << (63 - aspect);
            assert!(done(&m.run(store)));
            assert_ne!(m.mem.load::<u64>(DATA - 8, order), Some(0));
            assert!(done(&m.run(check)));
            m.vcpu.state.gpr[5] ^= 1;
            assert!(matches!(m.run(check), Exit::Interrupt(Interrupt::Program(program::TRAP))));
            m.vcpu.state.dexcr = !(1 << (63 - aspect));
            assert!(done(&m.run(check)));
        }
    }
}

#[test]
fn problem_state_has_its_own_aspects_of_dexcr() {
    let [(store, ..), (privileged, ..)] = HASH;
    for (dexcr, stored) in [(1 << 58, false), (1 << 26, true)] {
        let mut m = Machine::new(Cpu::Power10, Order::Little, true, 0);
        m.vcpu.state.dexcr = dexcr;
        assert!(done(&m.run(store)));
        assert_eq!(m.mem.load::<u64>(DATA - 8, Order::Little) != Some(0), stored);
        assert!(done(&m.run(mfspr(3, spr::UDEXCR))));
        assert_eq!(m.vcpu.state.gpr[3], dexcr & 0xffff_ffff);
        assert!(matches!(m.run(privileged), Exit::Privileged(_)));
    }
}

#[test]
fn keys_belong_to_privileged_state() {
    let mut m = Machine::new(Cpu::Power10, Order::Big, false, 0);
    assert!(done(&m.run(mtspr(5, spr::HASHKEYR))));
    assert!(done(&m.run(mtspr(3, spr::HASHPKEYR))), "of the hypervisor: nothing happens");
    assert_eq!(m.vcpu.state.hash_keys, [0xc000_0000_0012_3456, 0]);
    assert!(done(&m.run(mfspr(3, spr::HASHKEYR))));
    assert_eq!(m.vcpu.state.gpr[3], 0xc000_0000_0012_3456);
    assert!(matches!(Machine::new(Cpu::Power10, Order::Big, true, 0).run(mfspr(3, 468)), Exit::Privileged(_)));
    // Without a base register the form is invalid.
    assert!(matches!(m.run(HASH[0].0 & !(31 << 16)), Exit::Illegal { .. }));
}

#[test]
fn hashes_do_nothing_before_power10() {
    for cpu in [Cpu::Power8, Cpu::Power9] {
        for word in HASH.into_iter().flat_map(|(store, check, _)| [store, check]) {
            let mut m = Machine::new(cpu, Order::Big, true, 0);
            m.vcpu.state.dexcr = u64::MAX;
            assert!(done(&m.run(word)), "{} {word:08x}", cpu.name());
            assert_eq!(m.mem.load::<u64>(DATA - 8, Order::Big), Some(0));
        }
    }
}
