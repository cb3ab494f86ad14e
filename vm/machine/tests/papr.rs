//! Hypercalls and RTAS calls by register, without a guest. Names carry the numbers of the conformance checklist
//! (spec papr 12).

mod fixture;

use exec::Interrupt;
use exec::partition::Ail;
use fixture::{BUFFER, Fixture, HERE, RAM, SC_1};
use guest_mem::Order;
use hv_core::{Halt, Next};
use image::fdt::Fdt;
use machine::{Calls, Mmu};
use papr_abi::hcall::*;
use papr_abi::rtas;
use papr_abi::status::*;
use ppc_isa::{Cpu, msr};
use ppc_mmu::{Access, Fault, fault};

const VTY: u64 = 0x7100_0000;
const VTY_IRQ: u32 = 0x1100;
/// An address without RAM.
const NOWHERE: u64 = 0x00ff_0000_0000_0000;

/// A harmless call of each kind, with its arguments.
#[rustfmt::skip]
const HARMLESS: &[(u64, &[u64])] = &[
    (H_REMOVE, &[0, 8, 0]), (H_ENTER, &[0, 8, 0x1001, 0x10]), (H_READ, &[0, 8]), (H_READ, &[1 << 37, 8]),
    (H_CLEAR_MOD, &[0, 8]), (H_CLEAR_REF, &[0, 8]), (H_PROTECT, &[0, 8, 0]), (H_BULK_REMOVE, &[3 << 62, 0]),
    (H_GET_TERM_CHAR, &[VTY]), (H_PUT_TERM_CHAR, &[VTY, 3, 0x6162_6300_0000_0000, 0]),
    (H_EOI, &[0xff00_0000]), (H_CPPR, &[0xff]), (H_IPI, &[0, 0xff]), (H_IPOLL, &[0]), (H_XIRR, &[]),
    (H_REGISTER_VPA, &[5 << 45, 0, 0]), (H_CEDE, &[]), (H_CONFER, &[u64::MAX, 0]), (H_PROD, &[0]), (H_JOIN, &[]),
    (H_GET_CPU_CHARACTERISTICS, &[]), (H_HOME_NODE_ASSOCIATIVITY, &[1, 0]),
    (H_SET_MODE, &[3, 3, 0, 0]), (H_REGISTER_PROC_TBL, &[0x18, 0, 0, 0]), (H_RTAS, &[BUFFER]), (0x7c, &[]),
];

#[test]
fn papr_case_01_sc_1_in_problem_state() {
    for (mut fixture, vector, status) in [(Fixture::hash(), 0xc00, 0), (Fixture::radix(), 0x700, 0x4_0000)] {
        fixture.msr(msr::PR);
        let gpr = fixture.vcpu.state.gpr;
        let old = fixture.vcpu.shared.msr();
        assert_eq!(fixture.execute(SC_1), Next::Run);
        assert_eq!(fixture.vcpu.state.cia, vector);
        assert_eq!(fixture.vcpu.shared.srr1(), old & !0x783f_0000 | status);
        assert_eq!(fixture.vcpu.shared.srr0(), if vector == 0xc00 { HERE + 4 } else { HERE });
        assert_eq!(fixture.vcpu.state.gpr, gpr);
        assert!(!fixture.counts.hypercalls().keys().any(|name| name.starts_with("papr")));
    }
}

#[test]
fn papr_case_02_unknown_calls() {
    let mut fixture = Fixture::hash();
    let before = fixture.vcpu.state.gpr;
    for number in [0x80, 3, 0x1_0000, 0xf004, u64::MAX, 1 << 63 | H_CEDE, 1 << 32 | H_XIRR] {
        let reply = fixture.hcall(number, &[]);
        assert_eq!((reply.status, reply.next), (H_FUNCTION, Next::Run), "{number:#x}");
        assert_eq!(reply.out, before[4..13]);
    }
    assert_eq!(fixture.counts.hypercalls()["papr:unknown"], 7);
}

#[test]
fn papr_case_03_registers_are_preserved() {
    let mut fixture = Fixture::hash();
    for (number, arguments) in HARMLESS {
        fixture.hcall(*number, arguments);
    }
}

#[test]
fn papr_case_04_relocation_makes_no_difference() {
    let replies = |bits: u64| -> Vec<_> {
        let mut fixture = Fixture::hash();
        fixture.msr(bits);
        fixture.set_word(BUFFER, rtas::EVENT_SCAN.token);
        HARMLESS.iter().map(|(number, arguments)| fixture.hcall(*number, arguments)).collect()
    };
    assert_eq!(replies(0), replies(msr::IR | msr::DR));
    assert_eq!(replies(0), replies(msr::DR));
}

#[test]
fn papr_case_05_byte_order_makes_no_difference() {
    let run = |bits: u64| {
        let mut fixture = Fixture::hash();
        fixture.msr(bits);
        let mut replies: Vec<_> = HARMLESS.iter().map(|(number, args)| fixture.hcall(*number, args)).collect();
        fixture.set_word(BUFFER + 4, 640 << 16);
        replies.push(fixture.hcall(H_REGISTER_VPA, &[1 << 45, 0, BUFFER]));
        assert_eq!(replies.last().unwrap().status, 0);
        assert_eq!(fixture.rtas(rtas::EVENT_SCAN, &[1, 2, 3, 4]), [1]);
        (replies, fixture.printed())
    };
    assert_eq!(run(0), run(msr::LE));
}

#[test]
fn papr_case_06_buffers_outside_ram() {
    for at in [RAM, RAM - 2, NOWHERE, u64::MAX, u64::MAX - 3, 1 << 63] {
        let mut fixture = Fixture::hash();
        assert_eq!(fixture.status(H_RTAS, &[at]), H_PARAMETER, "{at:#x}");
        for kind in 1..4 {
            assert_eq!(fixture.status(H_REGISTER_VPA, &[kind << 45, 0, at]), H_PARAMETER, "{kind} {at:#x}");
        }
        let table = at & !0xfff;
        let mut fixture = Fixture::with(Cpu::Power9, Mmu::Radix, Calls::with_pv(true));
        if table >= RAM {
            assert!(fixture.status(H_REGISTER_PROC_TBL, &[0x1d, table, 0, 0]) < 0, "{at:#x}");
            assert!(!fixture.machine.partition.radix());
        }
    }
}

#[test]
fn papr_case_07_buffers_across_the_end_of_ram() {
    // Room for the inputs, but not for all eight outputs.
    let mut fixture = Fixture::hash();
    let at = RAM - 12 - 4 * 7;
    for address in (at + 12..RAM).step_by(4) {
        fixture.set_word(address, 0x5555_5555);
    }
    assert_eq!(fixture.rtas_at(at, rtas::GET_TIME_OF_DAY.token, &[], 8).status, H_PARAMETER);
    assert!((at + 12..RAM).step_by(4).all(|address| fixture.word(address) == 0x5555_5555));
    // Nor is anything done.
    let at = RAM - 12 - 4 * 2;
    let reply = fixture.rtas_at(at, rtas::POWER_OFF.token, &[u32::MAX, u32::MAX], 1);
    assert_eq!((reply.status, reply.next), (H_PARAMETER, Next::Run));
    // Areas whose size runs over the end.
    fixture.set_word(RAM - 128 + 4, 640 << 16);
    assert_eq!(fixture.status(H_REGISTER_VPA, &[1 << 45, 0, RAM - 128]), H_PARAMETER);
}

#[test]
fn papr_case_08_put_len_17() {
    let mut fixture = Fixture::hash();
    assert_eq!(fixture.status(H_PUT_TERM_CHAR, &[VTY, 17, 0, 0]), H_PARAMETER);
    assert_eq!(fixture.status(H_PUT_TERM_CHAR, &[VTY, u64::MAX, 0, 0]), H_PARAMETER);
    assert_eq!(fixture.status(H_PUT_TERM_CHAR, &[VTY + 1, 1, 0, 0]), H_PARAMETER);
    assert_eq!(fixture.status(H_PUT_TERM_CHAR, &[VTY, 0, 0, 0]), H_SUCCESS);
    assert!(fixture.printed().is_empty());
}

#[test]
fn papr_case_09_put_order() {
    let mut fixture = Fixture::hash();
    let [high, low] = [*b"abcdefgh", *b"ijklmnop"].map(u64::from_be_bytes);
    for len in [16, 9, 1] {
        assert_eq!(fixture.status(H_PUT_TERM_CHAR, &[VTY, len, high, low]), H_SUCCESS);
    }
    assert_eq!(fixture.printed(), b"abcdefghijklmnopabcdefghia");
}

/// Characters of one H_GET_TERM_CHAR.
fn get(fixture: &mut Fixture) -> Vec<u8> {
    let reply = fixture.hcall(H_GET_TERM_CHAR, &[VTY]);
    assert_eq!(reply.status, H_SUCCESS);
    let bytes = [reply.out[1].to_be_bytes(), reply.out[2].to_be_bytes()].concat();
    let (text, rest) = bytes.split_at(reply.out[0] as usize);
    assert!(rest.iter().all(|byte| *byte == 0));
    text.to_vec()
}

#[test]
fn papr_case_10_get() {
    let mut fixture = Fixture::hash();
    assert_eq!(fixture.status(H_GET_TERM_CHAR, &[VTY + 1]), H_PARAMETER);
    assert_eq!(get(&mut fixture), b"");
    fixture.machine.controls().type_in(b"0123456789abcdefXYZ");
    assert_eq!(get(&mut fixture), b"0123456789abcdef");
    assert_eq!(get(&mut fixture), b"XYZ");
    assert_eq!(get(&mut fixture), b"");
}

#[test]
fn papr_case_11_no_nul_after_cr() {
    let mut fixture = Fixture::hash();
    fixture.machine.controls().type_in(b"a\r\0\0b\r\0\r\r\0c\0d");
    let text: Vec<Vec<u8>> = (0..4).map(|_| get(&mut fixture)).collect();
    assert!(text.iter().all(|part| !part.windows(2).any(|pair| pair == b"\r\0")), "{text:?}");
    let all: Vec<u8> = text.concat().into_iter().filter(|byte| *byte != 0).collect();
    assert_eq!(all, b"a\rb\r\r\rcd");
}

#[test]
fn papr_case_12_set_mode_byte_order() {
    let mut fixture = Fixture::hash();
    let order = |fixture: &Fixture| fixture.machine.partition.interrupt_order();
    assert_eq!(fixture.status(H_SET_MODE, &[1, 4, 0, 0]), H_SUCCESS);
    assert_eq!(order(&fixture), Order::Little);
    fixture.visit(|_, visit| visit.deliver(Interrupt::SystemCall));
    assert_ne!(fixture.vcpu.shared.msr() & msr::LE, 0);
    assert_eq!(fixture.status(H_SET_MODE, &[0, 4, 0, 0]), H_SUCCESS);
    assert_eq!(order(&fixture), Order::Big);
    assert!((-511..=-256).contains(&fixture.status(H_SET_MODE, &[2, 4, 0, 0])));
    assert_eq!(fixture.status(H_SET_MODE, &[1, 4, 1, 0]), H_P3);
    assert_eq!(fixture.status(H_SET_MODE, &[1, 4, 0, 1]), H_P4);
    assert_eq!(fixture.status(H_SET_MODE, &[1, 9, 0, 0]), H_P2);
    assert_eq!(order(&fixture), Order::Big);
}

#[test]
fn papr_case_13_set_mode_location() {
    let mut fixture = Fixture::hash();
    assert_eq!(fixture.status(H_SET_MODE, &[3, 3, 0, 0]), H_SUCCESS);
    assert_eq!(fixture.machine.partition.ail(), Ail::High);
    assert_eq!(fixture.status(H_SET_MODE, &[1, 3, 0, 0]), -256);
    assert_eq!(fixture.machine.partition.ail(), Ail::High);
    fixture.msr(msr::IR | msr::DR);
    fixture.visit(|_, visit| visit.deliver(Interrupt::Decrementer));
    assert_eq!(fixture.vcpu.state.cia, 0xc000_0000_0000_4900);
}

#[test]
fn papr_case_14_random() {
    let mut fixture = Fixture::hash();
    let [a, b] = [(); 2].map(|()| fixture.hcall(H_RANDOM, &[]));
    assert_eq!((a.status, b.status), (H_SUCCESS, H_SUCCESS));
    assert_ne!(a.out[0], b.out[0]);
}

#[test]
fn papr_case_15_home_node() {
    let mut fixture = Fixture::hash();
    assert_eq!(fixture.status(H_HOME_NODE_ASSOCIATIVITY, &[2, 0]), H_FUNCTION);
    assert_eq!(fixture.status(H_HOME_NODE_ASSOCIATIVITY, &[1, 1]), H_P2);
    assert_eq!(fixture.status(H_HOME_NODE_ASSOCIATIVITY, &[1, u64::MAX]), H_P2);
    assert_eq!(fixture.status(H_HOME_NODE_ASSOCIATIVITY, &[1, 0]), H_SUCCESS);
}

#[test]
fn papr_case_16_virtual_processor_area() {
    let mut fixture = Fixture::hash();
    let register = |fixture: &mut Fixture, at: u64, size: u32| {
        fixture.set_word(at + 4, size << 16);
        fixture.status(H_REGISTER_VPA, &[1 << 45, 0, at])
    };
    assert_eq!(register(&mut fixture, 0, 640), H_PARAMETER);
    assert_eq!(register(&mut fixture, BUFFER + 64, 640), H_PARAMETER);
    assert_eq!(register(&mut fixture, BUFFER, 639), H_PARAMETER);
    assert_eq!(register(&mut fixture, BUFFER + 0xe00, 640), H_PARAMETER);
    assert_eq!(register(&mut fixture, BUFFER, 0x1080), H_PARAMETER);
    assert_eq!(register(&mut fixture, BUFFER + 0xd80, 640), H_SUCCESS);
    assert_eq!(register(&mut fixture, BUFFER + 0xd80, 640), H_SUCCESS);
    assert_eq!(fixture.status(H_REGISTER_VPA, &[1 << 45, 1, BUFFER]), H_PARAMETER);
    assert_eq!(fixture.status(H_REGISTER_VPA, &[4 << 45, 0, BUFFER]), H_PARAMETER);
}

#[test]
fn papr_case_17_areas_depend_on_each_other() {
    let mut fixture = Fixture::hash();
    let area = BUFFER + 0x1000;
    fixture.set_word(area + 4, 0x100);
    for kind in [2, 3] {
        assert_eq!(fixture.status(H_REGISTER_VPA, &[kind << 45, 0, area]), H_RESOURCE);
    }
    fixture.set_word(BUFFER + 4, 640 << 16);
    assert_eq!(fixture.status(H_REGISTER_VPA, &[1 << 45, 0, BUFFER]), H_SUCCESS);
    for kind in [2, 3] {
        assert_eq!(fixture.status(H_REGISTER_VPA, &[kind << 45, 0, area]), H_SUCCESS);
        assert_eq!(fixture.status(H_REGISTER_VPA, &[5 << 45, 0, 0]), H_RESOURCE);
        assert_eq!(fixture.status(H_REGISTER_VPA, &[(kind + 4) << 45, 0, 0]), H_SUCCESS);
    }
    assert_eq!(fixture.status(H_REGISTER_VPA, &[5 << 45, 0, 0]), H_SUCCESS);
    assert_eq!(fixture.status(H_REGISTER_VPA, &[3 << 45, 0, area]), H_RESOURCE);
}

#[test]
fn papr_case_20_prod_before_cede() {
    let mut fixture = Fixture::hash();
    assert_eq!(fixture.status(H_PROD, &[0]), H_SUCCESS);
    assert_eq!(fixture.status(H_PROD, &[0]), H_SUCCESS);
    assert_eq!(fixture.status(H_PROD, &[1]), H_PARAMETER);
    assert_eq!(fixture.hcall(H_CEDE, &[]).next, Next::Run);
    let second = fixture.hcall(H_CEDE, &[]);
    assert_eq!((second.status, second.next), (H_SUCCESS, Next::Wait));
}

#[test]
fn papr_case_21_cede_lets_the_decrementer_in() {
    let mut fixture = Fixture::hash();
    fixture.vcpu.state.decrementer = 0;
    assert!(fixture.poll(false), "held while EE is off");
    assert_eq!(fixture.status(H_CEDE, &[]), H_SUCCESS);
    assert!(fixture.poll(false), "taken, and up until it is set again");
    assert_eq!((fixture.vcpu.state.cia, fixture.vcpu.shared.srr0()), (0x900, HERE + 4));
    assert_ne!(fixture.vcpu.shared.srr1() & msr::EE, 0);
}

#[test]
fn papr_case_22_confer() {
    let mut fixture = Fixture::hash();
    assert_eq!(fixture.hcall(H_CONFER, &[0, 0]).next, Next::Sleep);
    fixture.status(H_PROD, &[0]);
    assert_eq!(fixture.hcall(H_CONFER, &[0, 0]).next, Next::Run);
    let all = fixture.hcall(H_CONFER, &[u64::MAX, 0]);
    assert_eq!((all.status, all.next), (H_SUCCESS, Next::Yield));
    assert_eq!(fixture.status(H_CONFER, &[1, 0]), H_PARAMETER);
}

#[test]
fn papr_case_23_join() {
    let mut fixture = Fixture::hash();
    assert_eq!(fixture.status(H_JOIN, &[]), H_CONTINUE);
    fixture.msr(msr::EE);
    assert_eq!(fixture.status(H_JOIN, &[]), H_BAD_MODE);
}

const EXACT: u64 = 1 << 39;
const BY_AVPN: u64 = 1 << 31;
/// Page 0x6805 of segment 1 with VSID 0x123, and the group in which its entries belong.
const EA: u64 = 0x1680_5000;
const V: u64 = 0x123 << 12 | (0x680_5000 >> 23) << 7 | 1;
const GROUP: u64 = (0x123 ^ 5) * 8;
/// A frame, RAM's WIMG, both may read and write.
const R: u64 = 0x30_0000 | 0x10 | 2;

/// Where the access goes, in problem state's key with relocation on.
fn access(fixture: &mut Fixture, access: Access) -> Result<u64, Fault> {
    let mut state = fixture.vcpu.state.clone();
    state.slb.write(EA & 0xf000_0000 | 1 << 27, 0x123 << 12 | 0x400);
    let machine = &fixture.machine;
    let space = ppc_mmu::Space {
        mem: &machine.mem,
        tables: state.tables(&machine.partition, true),
        problem: true,
        keys: state.keys(),
    };
    space.translate(EA, access).map(|mapping| mapping.real)
}

#[test]
fn papr_case_24_full_group() {
    let mut fixture = Fixture::hash();
    let slots: Vec<u64> = (0..8).map(|_| fixture.hcall(H_ENTER, &[0, GROUP + 3, V, R]).out[0]).collect();
    assert_eq!(slots, (GROUP..GROUP + 8).collect::<Vec<u64>>());
    assert_eq!(fixture.status(H_ENTER, &[0, GROUP, V, R]), H_PTEG_FULL);
    assert_eq!(fixture.status(H_ENTER, &[0, GROUP + 8, V, R]), H_SUCCESS);
}

#[test]
fn papr_case_25_exact_slot() {
    let mut fixture = Fixture::hash();
    let reply = fixture.hcall(H_ENTER, &[EXACT, GROUP + 5, V, R]);
    assert_eq!((reply.status, reply.out[0]), (H_SUCCESS, GROUP + 5));
    assert_eq!(fixture.status(H_ENTER, &[EXACT, GROUP + 5, V, R]), H_PTEG_FULL);
    assert_eq!(fixture.hcall(H_READ, &[0, GROUP + 5]).out[..2], [V, R]);
}

#[test]
fn papr_case_26_bad_entries() {
    let mut fixture = Fixture::hash();
    let entries = fixture.machine.partition.hash().unwrap().len();
    for wimg in [0, 0x08, 0x20, 0x28, 0x30, 0x50, 0x78] {
        assert_eq!(fixture.status(H_ENTER, &[0, GROUP, V, R & !0x78 | wimg]), H_PARAMETER, "{wimg:#x}");
    }
    for index in [entries, u64::MAX, 1 << 60] {
        assert_eq!(fixture.status(H_ENTER, &[0, index, V, R]), H_PARAMETER);
        assert_eq!(fixture.status(H_ENTER, &[EXACT, index, V, R]), H_PARAMETER);
        assert_eq!(fixture.status(H_REMOVE, &[0, index, 0]), H_PARAMETER);
        assert_eq!(fixture.status(H_PROTECT, &[0, index, 0]), H_PARAMETER);
        assert_eq!(fixture.status(H_READ, &[0, index]), H_PARAMETER);
        assert_eq!(fixture.status(H_READ, &[1 << 37, index]), H_PARAMETER);
        assert_eq!(fixture.status(H_CLEAR_REF, &[0, index]), H_PARAMETER);
        assert_eq!(fixture.status(H_CLEAR_MOD, &[0, index]), H_PARAMETER);
    }
    assert_eq!(fixture.status(H_ENTER, &[0, GROUP, V, RAM | 0x12]), H_PARAMETER);
    assert_eq!(fixture.status(H_ENTER, &[0, GROUP, V, 0x0fff_ffff_ffff_f012]), H_PARAMETER);
    assert_eq!(fixture.status(H_REMOVE, &[0, GROUP, 0]), H_NOT_FOUND);
}

#[test]
fn papr_case_27_remove() {
    let mut fixture = Fixture::hash();
    assert_eq!(fixture.status(H_ENTER, &[EXACT, GROUP, V, R]), H_SUCCESS);
    assert_eq!(fixture.status(H_REMOVE, &[BY_AVPN, GROUP, V ^ 0x80]), H_NOT_FOUND);
    assert_eq!(fixture.status(H_REMOVE, &[1 << 30, GROUP, V]), H_NOT_FOUND);
    assert_eq!(access(&mut fixture, Access::Load), Ok(R & !0xfff));
    assert_eq!(access(&mut fixture, Access::Store), Ok(R & !0xfff));
    let reply = fixture.hcall(H_REMOVE, &[BY_AVPN, GROUP, V & !0x7f]);
    assert_eq!((reply.status, &reply.out[..2]), (H_SUCCESS, &[V, R | 0x180][..]));
    assert_eq!(fixture.status(H_REMOVE, &[0, GROUP, 0]), H_NOT_FOUND);
}

#[test]
fn papr_case_28_removed_entries_are_gone() {
    let mut fixture = Fixture::hash();
    fixture.hcall(H_ENTER, &[EXACT, GROUP, V, R]);
    access(&mut fixture, Access::Load).unwrap();
    fixture.machine.mailboxes.0[0].take_invalidations(|_| {});
    fixture.hcall(H_REMOVE, &[0, GROUP, 0]);
    assert_eq!(access(&mut fixture, Access::Load), Err(Fault::Storage(fault::NO_PTE)));
    let mut forgotten = Vec::new();
    fixture.machine.mailboxes.0[0].take_invalidations(|what| forgotten.push(what));
    assert_eq!(forgotten, [ppc_mmu::Invalidation::Page { address: EA & 0xfff_ffff & !0xfff, shift: 12 }]);
}

#[test]
fn papr_case_29_protect() {
    let mut fixture = Fixture::hash();
    fixture.hcall(H_ENTER, &[EXACT, GROUP, V, R]);
    assert_eq!(fixture.status(H_PROTECT, &[BY_AVPN | 3, GROUP, 0]), H_NOT_FOUND);
    assert_eq!(fixture.status(H_PROTECT, &[BY_AVPN | 3, GROUP, V & !0x7f]), H_SUCCESS);
    assert_eq!(access(&mut fixture, Access::Store), Err(Fault::Storage(fault::PROTECTION)));
    assert_eq!(access(&mut fixture, Access::Load), Ok(R & !0xfff));
    // PP0, both parts of the key, no-execute; the frame and WIMG stay.
    assert_eq!(fixture.status(H_PROTECT, &[0x3000 | 0x100 | 0xe00 | 4 | 1, GROUP, 0]), H_SUCCESS);
    let r = fixture.hcall(H_READ, &[0, GROUP]).out[1] & !0x180;
    assert_eq!(r, 0xb000_0000_0000_0000 | 0x30_0000 | 0xe00 | 0x10 | 4 | 1);
}

#[test]
fn papr_case_30_read_four() {
    let mut fixture = Fixture::hash();
    for n in 0..4 {
        fixture.hcall(H_ENTER, &[EXACT, GROUP + 4 + n, V | n << 12, R + (n << 16)]);
    }
    let reply = fixture.hcall(H_READ, &[1 << 37, GROUP + 6]);
    let expected: Vec<u64> = (0..4).flat_map(|n| [V | n << 12, R + (n << 16)]).collect();
    assert_eq!((reply.status, &reply.out[..8]), (H_SUCCESS, &expected[..]));
}

#[test]
fn papr_case_31_bulk_remove() {
    const REQUEST: u64 = 1 << 62;
    const END: u64 = 3 << 62;
    let mut fixture = Fixture::hash();
    for n in 0..3 {
        fixture.hcall(H_ENTER, &[EXACT, GROUP + n, V, R]);
    }
    let beyond = fixture.machine.partition.hash().unwrap().len();
    let pairs =
        [[REQUEST | 2 << 56 | GROUP, V & !0x7f], [REQUEST | (GROUP + 7), 0], [END, 0x55], [REQUEST | (GROUP + 2), 0]];
    let reply = fixture.hcall(H_BULK_REMOVE, &pairs.concat());
    assert_eq!(reply.status, H_SUCCESS);
    assert_eq!(reply.out.map(|word| word >> 60)[..8], [8, 0, 9, 0, 0xc, 0, 4, 0]);
    assert_eq!(fixture.hcall(H_READ, &[0, GROUP]).out[0], 0);
    assert_eq!(fixture.hcall(H_READ, &[0, GROUP + 2]).out[0], V, "behind the end");
    let reply = fixture.hcall(H_BULK_REMOVE, &[REQUEST | beyond, 0, REQUEST | (GROUP + 1), 0, END, 0]);
    assert_eq!(reply.out[0] >> 60, 0xa, "a parameter error of one entry");
    assert!(fixture.status(H_BULK_REMOVE, &[REQUEST | 3 << 56 | (GROUP + 2), 0, END, 0]) < 0);
    assert_eq!(fixture.hcall(H_READ, &[0, GROUP + 2]).out[0], V);
}

/// Where there are no radix trees the tree says that the table can be resized, and entries removed by blocks.
#[test]
fn papr_case_32_resizing() {
    for (mut fixture, hash, status) in [
        (Fixture::radix(), false, H_NOT_AVAILABLE),
        (Fixture::hash(), true, H_SUCCESS),
        (Fixture::with(Cpu::Power9, Mmu::Hash, Calls::with_pv(true)), true, H_SUCCESS),
    ] {
        assert_eq!(fixture.status(H_RESIZE_HPT_PREPARE, &[0, 0]), status);
        let tree = Fdt::read(&fixture.tree).unwrap();
        let functions = tree.find("/rtas").unwrap().property("ibm,hypertas-functions").unwrap().strings().unwrap();
        assert!(functions.contains(&"hcall-pft"));
        for name in ["hcall-hpt-resize", "hcall-block-remove"] {
            assert_eq!(functions.contains(&name), hash, "{name}");
        }
        let vec_5 = tree.find("/chosen").unwrap().property("ibm,architecture-vec-5").unwrap().value;
        assert_eq!(vec_5[6] & 1, u8::from(hash));
    }
}

/// In real mode RAM is all there, whatever is done to the table.
#[test]
fn papr_real_mode_does_not_depend_on_the_table() {
    let mut fixture = Fixture::hash();
    let reaches = |fixture: &Fixture| {
        let machine = &fixture.machine;
        let state = &fixture.vcpu.state;
        let tables = state.tables(&machine.partition, false);
        let space = ppc_mmu::Space { mem: &machine.mem, tables, problem: false, keys: state.keys() };
        [0, RAM - 1].map(|real| space.translate(real, Access::Store).map(|mapping| mapping.real))
            == [Ok(0), Ok(RAM - 1)]
    };
    assert!(reaches(&fixture));
    while fixture.status(H_RESIZE_HPT_PREPARE, &[0, 18]) != H_SUCCESS {}
    assert_eq!(fixture.status(H_RESIZE_HPT_COMMIT, &[0, 18]), H_SUCCESS);
    assert!(reaches(&fixture));
    while fixture.status(H_CLEAR_HPT, &[]) != H_SUCCESS {}
    assert!(reaches(&fixture));
}

#[test]
fn papr_case_33_process_table() {
    const TABLE: u64 = 0x40_0000;
    let mut fixture = Fixture::with(Cpu::Power9, Mmu::Radix, Calls::with_pv(true));
    for (arguments, status) in [
        ([0x3d, TABLE, 0, 0], H_PARAMETER),
        ([1 << 63 | 0x1d, TABLE, 0, 0], H_PARAMETER),
        ([0x1d, TABLE + 8, 0, 0], H_P2),
        ([0x1d, 1 << 60, 0, 0], H_P2),
        ([0x1d, TABLE, 12, 0], H_P3),
        ([0x1d, TABLE, 0, 25], H_P4),
        ([0x1d, TABLE, 0, u64::MAX], H_P4),
    ] {
        assert_eq!(fixture.status(H_REGISTER_PROC_TBL, &arguments), status, "{arguments:x?}");
        assert!(!fixture.machine.partition.radix());
    }
    assert_eq!(fixture.status(H_REGISTER_PROC_TBL, &[0x1d, TABLE, 0, 4]), H_SUCCESS);
    assert!(fixture.machine.partition.radix());
    assert_eq!(fixture.machine.partition.process_table(), (TABLE, 1 << 16));
    assert_eq!(fixture.status(H_REGISTER_PROC_TBL, &[0x10, 0, 0, 0]), H_SUCCESS);
    assert!(!fixture.machine.partition.radix());
    assert_eq!(Fixture::hash().status(H_REGISTER_PROC_TBL, &[0x1d, TABLE, 0, 4]), H_PARAMETER, "POWER8");
}

#[test]
fn papr_case_38_unknown_rtas_token() {
    let mut fixture = Fixture::hash();
    for token in [0, 1, 0x2fff, u32::MAX] {
        let reply = fixture.rtas_at(BUFFER, token, &[7, 7], 1);
        assert_eq!((reply.status, reply.next), (H_SUCCESS, Next::Run));
        assert_eq!(fixture.word(BUFFER + 20) as i32, rtas::PARAMETER);
    }
}

#[test]
fn papr_case_39_wrong_rtas_counts() {
    let mut fixture = Fixture::hash();
    for (inputs, outputs) in [(&[][..], 1), (&[0; 3], 1), (&[0; 2], 2)] {
        let reply = fixture.rtas_at(BUFFER, rtas::POWER_OFF.token, inputs, outputs);
        assert_eq!(reply.next, Next::Run);
        assert_eq!(fixture.word(BUFFER + 12 + 4 * inputs.len() as u64) as i32, rtas::PARAMETER);
    }
    // No output at all, and counts beyond every limit.
    for (inputs, outputs) in [(2, 0), (0, 17), (17, 0), (16, 1), (u32::MAX, 1), (1, u32::MAX)] {
        [rtas::POWER_OFF.token, inputs, outputs]
            .iter()
            .zip(0..)
            .for_each(|(cell, n)| fixture.set_word(BUFFER + 4 * n, *cell));
        assert_eq!(fixture.hcall(H_RTAS, &[BUFFER]).next, Next::Run);
    }
    let halt = |call, inputs: &[u32]| Fixture::hash().rtas_at(BUFFER, call, inputs, 1).next;
    assert_eq!(halt(rtas::POWER_OFF.token, &[0; 2]), Next::Halt(Halt::PowerOff));
    assert_eq!(halt(rtas::SYSTEM_REBOOT.token, &[]), Next::Halt(Halt::Reset));
}

#[test]
fn papr_case_44_time_of_day() {
    let mut fixture = Fixture::hash();
    let plausible = |now: &[i32]| now[0] == 0 && now[1] >= 2024 && (1..=12).contains(&now[2]) && now[4] < 24;
    assert!(plausible(&fixture.rtas(rtas::GET_TIME_OF_DAY, &[])));
    assert_eq!(fixture.rtas(rtas::SET_TIME_OF_DAY, &[2031, 2, 28, 23, 58, 0, 0]), [0]);
    let now = fixture.rtas(rtas::GET_TIME_OF_DAY, &[]);
    assert_eq!(now[..6], [0, 2031, 2, 28, 23, 58]);
    for wrong in [[0; 7], [2031, 13, 1, 0, 0, 0, 0], [u32::MAX; 7], [2031, 1, 1, 24, 0, 0, 0]] {
        assert_eq!(fixture.rtas(rtas::SET_TIME_OF_DAY, &wrong), [rtas::PARAMETER]);
    }
}

#[test]
fn papr_case_45_event_scan() {
    assert_eq!(Fixture::hash().rtas(rtas::EVENT_SCAN, &[u32::MAX, 0, BUFFER as u32, 64]), [1]);
}

#[test]
fn papr_case_47_nothing_pending() {
    let mut fixture = Fixture::hash();
    fixture.status(H_CPPR, &[0xff]);
    assert_eq!(fixture.hcall(H_XIRR, &[]).out[0], 0xff00_0000);
    assert_eq!(fixture.hcall(H_XIRR_X, &[0xff]).out[0], 0xff00_0000);
    assert_eq!(fixture.hcall(H_IPOLL, &[0]).out[..2], [0xff00_0000, 0xff]);
}

#[test]
fn papr_case_48_interprocessor_interrupt() {
    let mut fixture = Fixture::hash();
    fixture.status(H_CPPR, &[0x55]);
    assert_eq!(fixture.status(H_IPI, &[0, 4]), H_SUCCESS);
    assert!(fixture.machine.lines.external(0));
    assert_eq!(fixture.hcall(H_IPOLL, &[0]).out[..2], [0x5500_0002, 4]);
    assert_eq!(fixture.hcall(H_XIRR, &[]).out[0], 0x5500_0002);
    assert!(!fixture.machine.lines.external(0));
    assert_eq!(fixture.status(H_IPI, &[0, 0xff]), H_SUCCESS);
    assert_eq!(fixture.status(H_EOI, &[0x5500_0002]), H_SUCCESS);
    assert!(!fixture.machine.lines.external(0));
    // Not retracted, it comes again; retracted before it was accepted, it does not come.
    fixture.status(H_IPI, &[0, 4]);
    let xirr = fixture.hcall(H_XIRR, &[]).out[0];
    fixture.status(H_EOI, &[xirr]);
    assert!(fixture.machine.lines.external(0));
    fixture.status(H_IPI, &[0, 0xff]);
    assert!(!fixture.machine.lines.external(0));
    // Less favoured than the processor's priority.
    fixture.status(H_CPPR, &[4]);
    fixture.status(H_IPI, &[0, 4]);
    assert!(!fixture.machine.lines.external(0));
    assert_eq!(fixture.status(H_IPI, &[1, 4]), H_PARAMETER);
    assert_eq!(fixture.status(H_IPI, &[1 << 32, 4]), H_PARAMETER);
}

#[test]
fn papr_case_49_masked_source() {
    let mut fixture = Fixture::hash();
    fixture.status(H_CPPR, &[0xff]);
    assert_eq!(fixture.rtas(rtas::SET_XIVE, &[VTY_IRQ, 0, 5]), [0]);
    assert_eq!(fixture.rtas(rtas::GET_XIVE, &[VTY_IRQ]), [0, 0, 5]);
    assert_eq!(fixture.rtas(rtas::INT_OFF, &[VTY_IRQ]), [0]);
    assert_eq!(fixture.rtas(rtas::GET_XIVE, &[VTY_IRQ]), [0, 0, 0xff]);
    fixture.machine.controls().type_in(b"x");
    assert!(!fixture.machine.lines.external(0));
    assert_eq!(fixture.rtas(rtas::INT_ON, &[VTY_IRQ]), [0]);
    assert_eq!(fixture.rtas(rtas::GET_XIVE, &[VTY_IRQ]), [0, 0, 5]);
    assert_eq!(fixture.hcall(H_XIRR, &[]).out[0], 0xff00_0000 | u64::from(VTY_IRQ));
    fixture.status(H_EOI, &[0xff00_0000 | u64::from(VTY_IRQ)]);
    assert!(!fixture.machine.lines.external(0));
    // The same by priority 0xff.
    fixture.rtas(rtas::SET_XIVE, &[VTY_IRQ, 0, 0xff]);
    fixture.machine.controls().type_in(b"x");
    assert!(!fixture.machine.lines.external(0));
    fixture.rtas(rtas::SET_XIVE, &[VTY_IRQ, 0, 5]);
    assert!(fixture.machine.lines.external(0));
    for (irq, server) in [(VTY_IRQ + 1, 0), (VTY_IRQ, 1), (VTY_IRQ, u32::MAX), (0, 0), (2, 0)] {
        assert_eq!(fixture.rtas(rtas::SET_XIVE, &[irq, server, 5]), [rtas::PARAMETER]);
    }
    assert_eq!(fixture.rtas(rtas::GET_XIVE, &[7])[0], rtas::PARAMETER);
    assert_eq!(fixture.rtas(rtas::INT_OFF, &[7]), [rtas::PARAMETER]);
}

/// Features by byte and bits (spec papr 8.3): strong access ordering, transactional memory, radix, aspects of DEXCR, hash
/// instructions.
#[test]
fn the_tree_tells_what_the_processor_has() {
    for (cpu, mmu, version, bits) in [
        (Cpu::Power8, Mmu::Hash, 0x0f00_0004, [Some(0x80), Some(0), None, None, None]),
        (Cpu::Power9, Mmu::Radix, 0x0f00_0005, [Some(0x80), Some(0), Some(0x80), None, None]),
        (Cpu::Power10, Mmu::Radix, 0x0f00_0006, [Some(0), Some(0), Some(0x80), Some(0xce), Some(0x80)]),
    ] {
        let fixture = Fixture::with(cpu, mmu, Calls::with_pv(false));
        let tree = Fdt::read(&fixture.tree).unwrap();
        let node = tree.find(&format!("/cpus/PowerPC,{}@0", cpu.name().to_uppercase())).unwrap();
        assert_eq!(node.property("cpu-version").unwrap().u32(), Some(version));
        assert_eq!(node.property("ibm,dfp").unwrap().u32(), Some(1));
        let [count, 0, features @ ..] = node.property("ibm,pa-features").unwrap().value else { panic!("no features") };
        assert_eq!(usize::from(*count), features.len());
        assert_eq!([4, 22, 40, 68, 72].map(|byte| features.get(byte).copied()), bits, "{}", cpu.name());
    }
}
