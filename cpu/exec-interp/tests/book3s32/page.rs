use exec::Interrupt;
use guest_mem::Order;
use ppc_isa::msr;
use pv_abi::magic::offset;

use crate::{CODE, DATA, Machine, asm, everywhere};

/// Where Linux puts the page: the last one of both address spaces.
const TOP: u64 = 0xffff_ffff_ffff_f000;
/// SPRG0's low word, from the end of the address space.
const SPRG0: i64 = -4096 + 0x24;

/// With the page mapped and something in SPRG0.
fn mapped(m: &mut Machine, real: u64, effective: u64) {
    m.vcpu.shared.map(real, effective, Order::Big);
    m.vcpu.shared.set_sprg(0, 0x1234_5678);
    m.translated();
}

fn is_no_pte(interrupt: Interrupt) -> bool {
    matches!(interrupt, Interrupt::DataStorage { dsisr: 0x4000_0000, .. })
}

#[test]
fn each_address_in_its_mode() {
    everywhere(|m| {
        mapped(m, 0x1000_0000, 0xffff_f000);
        m.gpr(4, 0x1000_0000);
        let (by_effective, by_real) = (asm("lwz", &[3, SPRG0, 0]), asm("lwz", &[3, 0x24, 4]));
        m.program(&[by_real]);
        assert_eq!(m.r(3), 0x1234_5678);
        assert!(matches!(m.faults(&[by_effective]), Interrupt::MachineCheck { .. }));
        m.msr(msr::DR);
        m.gpr(3, 0);
        m.program(&[by_effective]);
        assert_eq!(m.r(3), 0x1234_5678);
        assert!(is_no_pte(m.faults(&[by_real])));
    });
}

#[test]
fn real_mode() {
    everywhere(|m| {
        mapped(m, TOP, TOP | 1);
        m.program(&[asm("lwz", &[3, SPRG0, 0]), asm("stw", &[3, SPRG0 + 8, 0])]);
        assert_eq!((m.r(3), m.vcpu.shared.sprg(1)), (0x1234_5678, 0x1234_5678));
    });
}

#[test]
fn nothing_covers_it_but_problem_state_has_its_own() {
    everywhere(|m| {
        mapped(m, TOP, TOP);
        m.set(DATA + 0x24, 99);
        // A page, then a BAT: 128 KiB that end with the address space, for both states.
        m.map(15, 0xffff, DATA as u32 | 2);
        for bat in [[0, 0], [0xfffe_0003, 2]] {
            m.vcpu.set_msr(msr::ME | msr::DR | msr::IR);
            m.set(0x1_f024, 99);
            m.vcpu.state.book3s32.bats.data[1] = bat;
            m.requests.invalidate(ppc_mmu::Invalidation::All);
            for problem in [0, msr::PR, 0] {
                m.vcpu.set_msr(msr::ME | msr::DR | msr::IR | problem);
                m.program(&[asm("lwz", &[3, SPRG0, 0])]);
                assert_eq!(m.r(3), if problem != 0 { 99 } else { 0x1234_5678 }, "{bat:x?}");
            }
        }
    });
}

#[test]
fn its_neighbours() {
    everywhere(|m| {
        mapped(m, TOP, TOP);
        m.msr(msr::DR);
        m.set(DATA + 0xffc, 5);
        m.set(0, 6);
        m.map(15, 0xfffe, DATA as u32 | 2);
        m.program(&[asm("lwz", &[3, -4100, 0]), asm("lwz", &[4, 0, 0]), asm("lwz", &[5, SPRG0, 0])]);
        assert_eq!([m.r(3), m.r(4), m.r(5)], [5, 6, 0x1234_5678]);
        // Across the boundary, a byte of each.
        m.program(&[asm("lwz", &[3, -4097, 0])]);
        assert_eq!(m.r(3), 5 << 24);
    });
}

#[test]
fn it_executes() {
    everywhere(|m| {
        mapped(m, TOP, TOP);
        m.msr(msr::IR);
        m.vcpu.shared.set_bytes(0x800, &asm("addi", &[3, 0, 7]).to_be_bytes());
        m.vcpu.shared.set_bytes(0x804, &asm("sc", &[0]).to_be_bytes());
        m.vcpu.state.cia = 0xffff_f800;
        assert!(matches!(m.run(), exec::Exit::SystemCall(insn) if insn.address == 0xffff_f804));
        assert_eq!(m.r(3), 7);
    });
}

/// Each register by trap, by page, and back; the address of the field as a 32-bit guest has it (spec ppc-pv 3.1).
#[test]
fn registers_are_in_the_page() {
    #[rustfmt::skip]
    let registers = [
        (272, 0x24), (273, 0x2c), (274, 0x34), (275, 0x3c), (26, 0x44), (27, 0x4c), (19, 0x54), (18, 0x60),
        (276, 0xd4), (277, 0xdc), (278, 0xe4), (279, 0xec),
    ];
    everywhere(|m| {
        mapped(m, TOP, TOP);
        for (number, field) in registers {
            m.gpr(5, 0x89ab_cdef);
            m.gpr(6, 0x7654_3210);
            m.program(&[
                asm("mtspr", &[number, 5]),
                asm("lwz", &[7, field - 4096, 0]),
                asm("stw", &[6, field - 4096, 0]),
                asm("mfspr", &[8, number]),
            ]);
            assert_eq!((m.r(7), m.r(8)), (0x89ab_cdef, 0x7654_3210), "SPR {number}");
        }
        m.program(&[asm("mfmsr", &[3]), asm("lwz", &[4, 0x5c - 4096, 0])]);
        assert_eq!((m.r(3), m.r(4)), (msr::ME as u32, msr::ME as u32));
    });
}

#[test]
fn segments_stored_in_real_mode() {
    everywhere(|m| {
        mapped(m, TOP, TOP);
        m.map(0x77, 0, DATA as u32 | 2);
        m.set(DATA, 4321);
        m.gpr(4, 0x5000_0000);
        m.gpr(5, 0x77);
        m.gpr(6, (msr::ME | msr::IR | msr::DR) as u32);
        // The guest's fast mtsrin: no trap tells of the store, only of the mtmsr.
        m.program(&[
            asm("stw", &[5, 0x68 + 4 * 5 - 4096, 0]),
            asm("mtmsr", &[6]),
            asm("isync", &[]),
            asm("lwz", &[3, 0, 4]),
            asm("mfsrin", &[7, 4]),
        ]);
        assert_eq!((m.r(3), m.r(7)), (4321, 0x77));
    });
}

#[test]
fn mtsrin_shows_in_the_page() {
    everywhere(|m| {
        mapped(m, TOP, TOP);
        m.gpr(4, 0xb765_4321);
        m.gpr(5, 0x2012_3456);
        m.program(&[asm("mtsrin", &[5, 4]), asm("mtsr", &[3, 4]), asm("lwz", &[6, 0x68 + 4 * 11 - 4096, 0])]);
        assert_eq!(m.r(6), 0x2012_3456);
        assert_eq!(m.vcpu.shared.bytes::<4>(offset::SR + 12), 0xb765_4321_u32.to_be_bytes());
    });
}

#[test]
fn critical_compares_words() {
    everywhere(|m| {
        mapped(m, TOP, TOP);
        m.msr(msr::EE);
        m.external = true;
        m.gpr(1, 0xc012_3450);
        m.vcpu.shared.set_bytes(offset::CRITICAL, &0x1111_2222_c012_3450_u64.to_be_bytes());
        assert_eq!(m.poll(), None);
        m.gpr(1, 0xc012_3454);
        assert_eq!(m.poll(), Some(Interrupt::External));
    });
}

#[test]
fn rfi_to_problem_state_hides_it() {
    everywhere(|m| {
        mapped(m, TOP, TOP);
        m.vcpu.shared.set_srr0(CODE + 4);
        m.vcpu.shared.set_srr1(msr::ME | msr::IR | msr::DR | msr::PR);
        let load = asm("lwz", &[3, SPRG0, 0]);
        assert!(is_no_pte(m.faults(&[asm("rfi", &[]), load])));
        assert_eq!(m.vcpu.state.cia, CODE + 4);
        // And an interrupt shows it again.
        m.deliver(Interrupt::SystemCall);
        m.program(&[load]);
        assert_eq!(m.r(3), 0x1234_5678);
    });
}

#[test]
fn pir_is_the_number_of_the_processor() {
    everywhere(|m| {
        let cpu = m.vcpu.state.cpu;
        m.vcpu = exec::Vcpu::new(cpu, 3);
        mapped(m, TOP, TOP);
        m.program(&[asm("mfspr", &[3, 1023]), asm("lwz", &[4, 0xcc - 4096, 0])]);
        assert_eq!((m.r(3), m.r(4)), (3, 3));
    });
}
