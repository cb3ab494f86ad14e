//! The shared page: the registers that live in it, and where it is seen.

use exec::{Exit, Interrupt};
use guest_mem::Order;
use ppc_isa::{Cpu, msr};

use super::{CODE, Machine, asm, machines, mfspr, mtspr};

/// SPR, offset in the page, bytes (spec ppc-pv 3.1).
const FIELDS: [(u16, usize, usize); 19] = [
    (272, 0x20, 8), // SPRG0
    (273, 0x28, 8),
    (274, 0x30, 8),
    (275, 0x38, 8),
    (26, 0x40, 8),  // SRR0
    (27, 0x48, 8),  // SRR1
    (61, 0x50, 8),  // DEAR
    (624, 0xa8, 4), // MAS0
    (625, 0xac, 4), // MAS1
    (944, 0xb0, 4), // MAS7
    (627, 0xb4, 4), // MAS3
    (626, 0xb8, 8), // MAS2
    (628, 0xc0, 4), // MAS4
    (630, 0xc4, 4), // MAS6
    (62, 0xc8, 4),  // ESR
    (276, 0xd0, 8), // SPRG4
    (277, 0xd8, 8),
    (278, 0xe0, 8),
    (279, 0xe8, 8),
];

fn map(m: &mut Machine) {
    let top = if m.cpu == Cpu::E500v2 { 0xffff_f000 } else { 0xffff_ffff_ffff_f000 };
    m.vcpu.shared.map(top, top, Order::Big);
}

fn field(m: &Machine, offset: usize, bytes: usize) -> u64 {
    let value = u64::from_be_bytes(m.vcpu.shared.bytes::<8>(offset));
    if bytes == 8 { value } else { value >> 32 }
}

#[test]
fn trapped_writes_appear_at_their_offsets() {
    for mut m in machines() {
        for (i, (spr, offset, bytes)) in FIELDS.into_iter().enumerate() {
            let value = 0x8765_4321 ^ (i as u64) << 4;
            m.gpr(3, value).program(&[mtspr(spr, 3)]);
            assert_eq!(field(&m, offset, bytes), value, "SPR {spr}");
        }
        m.gpr(3, 0x1002).program(&[asm("mtmsr", &[3])]);
        assert_eq!(field(&m, 0x58, 8), 0x1002);
    }
}

#[test]
fn stored_fields_are_what_trapped_reads_return() {
    for mut m in machines() {
        map(&mut m);
        for (i, (spr, offset, bytes)) in FIELDS.into_iter().enumerate() {
            let value = 0x1234_5678 ^ (i as u64) << 4;
            // The lower word of a doubleword lies four bytes up.
            let displacement = -4096 + offset as i64 + if bytes == 8 { 4 } else { 0 };
            m.gpr(3, value).program(&[asm("stw", &[3, displacement, 0]), mfspr(4, spr)]);
            assert_eq!(m.r(4), value, "SPR {spr}");
        }
    }
}

#[test]
fn mas7_and_mas3_are_halves_of_one_field() {
    for mut m in machines() {
        m.gpr(3, 0xe).gpr(4, 0x1234_503f).program(&[mtspr(944, 3), mtspr(627, 4)]);
        assert_eq!(field(&m, 0xb0, 8), 0xe_1234_503f);
        if m.cpu == Cpu::E5500 {
            m.gpr(5, 0x9_abcd_e015).gpr(6, 0x1001_0000_c000_0700);
            m.program(&[mfspr(7, 372), mtspr(372, 5), mtspr(373, 6), mfspr(8, 944), mfspr(9, 627), mfspr(10, 373)]);
            assert_eq!([7, 8, 9, 10].map(|n| m.r(n)), [0xe_1234_503f, 9, 0xabcd_e015, 0x1001_0000_c000_0700]);
            assert_eq!((field(&m, 0xa8, 4), field(&m, 0xac, 4)), (0x1001_0000, 0xc000_0700));
        }
    }
}

#[test]
fn instructions_are_not_fetched_from_the_page() {
    for mut m in machines() {
        map(&mut m);
        m.vcpu.state.cia = m.vcpu.shared.mapped().unwrap().effective;
        if m.cpu == Cpu::E5500 {
            m.msr(msr::CM);
            m.vcpu.state.cia = 0xffff_ffff_ffff_f000;
        }
        assert!(matches!(m.run(), Exit::Interrupt(Interrupt::InstructionTlbMiss)));
    }
}

#[test]
fn the_page_is_for_privileged_data_in_address_space_0() {
    for mut m in machines() {
        map(&mut m);
        let load = [asm("lwz", &[3, -4096 + 0xcc, 0])];
        m.program(&load);
        assert_eq!(m.r(3), 3, "pir");
        // The lower half of address space 1 holds the code, too.
        m.tlbwe(0x1001_0000, 0xc000_1700, 0, 0x3f);
        for bits in [msr::PR, msr::DS] {
            m.msr(bits);
            assert!(matches!(m.faults(&load), Interrupt::DataTlbMiss { .. }));
        }
        m.msr(msr::IS);
        m.program(&load);
    }
}

#[test]
fn the_page_hides_what_the_guest_has_mapped_there() {
    for mut m in machines() {
        // TLB0, way 0: the page of the shared page's address leads to the program.
        m.tlbwe(0, 0x8000_0000, 0xffff_f000, CODE as u32 | 0x3f);
        let load = [asm("lwz", &[3, -4096 + 0xcc, 0])];
        m.program(&load);
        assert_eq!(m.r(3), 0, "what stands behind the program");
        map(&mut m);
        m.requests.invalidate(ppc_mmu::Invalidation::All);
        m.program(&load);
        assert_eq!(m.r(3), 3, "pir");
        // Problem state sees its own.
        m.msr(msr::PR);
        m.program(&load);
        assert_eq!(m.r(3), 0);
    }
}

#[test]
fn a_return_to_problem_state_hides_the_page() {
    for mut m in machines() {
        map(&mut m);
        m.vcpu.shared.set_srr0(CODE + 8);
        m.vcpu.shared.set_srr1(msr::PR);
        let exit = m.faults(&[asm("lwz", &[3, -4096, 0]), asm("rfi", &[]), asm("lwz", &[3, -4096, 0])]);
        assert!(matches!(exit, Interrupt::DataTlbMiss { .. }));
        assert_eq!(m.vcpu.state.cia, CODE + 8);
    }
}
