//! Barriers, copy and paste, random numbers, waiting, system calls vectored: what oracles in problem state cannot tell.

use exec::Interrupt;
use guest_mem::{GuestMem, Order};
use ppc_isa::loadstore::LoadStore;
use ppc_isa::{Cpu, Op, operand};

use crate::{DATA, ORDERS, Thread, orders};

const POWER9_ON: [Cpu; 2] = [Cpu::Power9, Cpu::Power10];

/// Power ISA 3.1 Book II, section 4.4. Memory to memory is what POWER10 can do; with POWER9 the transfer fails, which CR0
/// tells. Without a copy before it `paste.` is a sequence error.
#[test]
fn copy_and_paste() {
    let cases: [(&str, bool, bool); 7] = [
        ("copy 0,3; paste. 0,4", true, false),
        ("paste. 0,4", false, false),
        ("copy 0,3; cpabort; paste. 0,4", false, false),
        ("copy 0,3; paste. 0,4; paste. 0,4", false, false),
        ("copy 0,4; copy 0,3; paste. 0,4", true, false),
        ("copy 5,6; paste. 7,6", true, true),
        ("copy 0,3; stb 5,0(3); paste. 0,4", true, true),
    ];
    for (cpu, order) in POWER9_ON.into_iter().flat_map(|cpu| ORDERS.map(|order| (cpu, order))) {
        for (text, copied, so) in cases {
            let mem = GuestMem::new(1 << 20).unwrap();
            let image: [u8; 128] = std::array::from_fn(|i| 0x40 + i as u8);
            assert!(mem.write(DATA, &image) && mem.write(DATA + 0x200, &[9; 128]));
            let mut a = Thread::new(cpu, order, 0);
            (a.vcpu.state.so, a.vcpu.state.cr[0]) = (so, 15);
            let registers = [(3, DATA), (4, DATA + 0x200), (5, DATA - 0x80), (6, 0x80), (7, DATA + 0x180)];
            a.finish(&mem, text, &registers);
            let copied = copied && cpu == Cpu::Power10;
            // Only the first of two pastes has something.
            let moved = copied || text.ends_with("paste. 0,4; paste. 0,4") && cpu == Cpu::Power10;
            assert_eq!(a.vcpu.state.cr[0], u8::from(copied) << 1 | u8::from(so), "{} {text}", cpu.name());
            let mut found = [0; 128];
            mem.read(DATA + 0x200, &mut found);
            assert_eq!(found, if moved { image } else { [9; 128] }, "{} {text} {order:?}", cpu.name());
        }
    }
}

#[test]
fn copy_and_paste_want_aligned_blocks() {
    for (cpu, order) in POWER9_ON.into_iter().flat_map(|cpu| ORDERS.map(|order| (cpu, order))) {
        for text in ["copy 0,3", "paste. 0,3"] {
            let mem = GuestMem::new(1 << 20).unwrap();
            let mut a = Thread::new(cpu, order, 0);
            for offset in [1, 64] {
                let fault = a.fault(&mem, text, &[(3, DATA + offset)]);
                assert!(matches!(fault, Interrupt::Alignment { dar, .. } if dar == DATA + offset), "{text} {fault:?}");
            }
        }
    }
}

#[test]
fn a_copy_from_nowhere_faults() {
    let mem = GuestMem::new(1 << 20).unwrap();
    let fault = Thread::new(Cpu::Power10, Order::Big, 0).fault(&mem, "copy 0,3", &[(3, 1 << 40)]);
    assert!(matches!(fault, Interrupt::MachineCheck { dar } if dar == 1 << 40), "{fault:?}");
}

/// A paste is a store: it ends the reservations of others.
#[test]
fn a_paste_ends_reservations() {
    let mem = GuestMem::new(1 << 20).unwrap();
    let (mut a, mut b) = (Thread::new(Cpu::Power10, Order::Big, 0), Thread::new(Cpu::Power10, Order::Big, 1));
    a.finish(&mem, "lwarx 4,0,3", &[(3, DATA)]);
    b.finish(&mem, "copy 0,3; paste. 0,3", &[(3, DATA)]);
    a.finish(&mem, "stwcx. 4,0,3", &[]);
    assert!(!a.stored());
}

/// Power ISA 3.0 Book I, section 3.3.9: L=0 is 32 bits, L=1 and L=2 are 64, L=3 is reserved: all ones, the error.
#[test]
fn random_numbers() {
    for cpu in POWER9_ON {
        let mem = GuestMem::new(1 << 20).unwrap();
        let mut a = Thread::new(cpu, Order::Little, 0);
        let draw = "darn 3,0; darn 4,0; darn 5,1; darn 6,1; darn 7,2; darn 8,2; darn 9,3";
        a.finish(&mem, draw, &[]);
        let gpr = &a.vcpu.state.gpr;
        assert!(gpr[3] >> 32 == 0 && gpr[4] >> 32 == 0 && gpr[3] != gpr[4]);
        let mut wide = gpr[5..9].to_vec();
        assert!(wide.iter().all(|value| value >> 32 != 0 && *value != u64::MAX));
        wide.sort_unstable();
        wide.dedup();
        assert_eq!(wide.len(), 4);
        assert_eq!(gpr[9], u64::MAX);
    }
}

/// On Book3S `wait` may end at once, whatever WC; on BookE it stops the processor with WC=0.
#[test]
fn waiting() {
    let mem = GuestMem::new(1 << 20).unwrap();
    for cpu in POWER9_ON {
        let text = "wait 0; wait 1; wait 2; wait 3; addi 3,0,7";
        let mut a = Thread::new(cpu, Order::Big, 0);
        a.finish(&mem, text, &[]);
        assert_eq!((a.vcpu.state.gpr[3], a.vcpu.state.waiting), (7, false));
    }
    for cpu in [Cpu::E5500, Cpu::E6500] {
        let mut a = Thread::new(cpu, Order::Big, 0);
        a.finish(&mem, "wait 1; wait 2; wait 3", &[]);
        assert!(!a.vcpu.state.waiting);
        a.finish(&mem, "wait 0", &[]);
        assert!(a.vcpu.state.waiting);
    }
}

/// Power ISA 3.0B Book III, section 6.5.30: `scv` interrupts with LEV, and the return address is the next instruction.
#[test]
fn system_calls_vectored() {
    for (cpu, order) in POWER9_ON.into_iter().flat_map(|cpu| ORDERS.map(|order| (cpu, order))) {
        let mem = GuestMem::new(1 << 20).unwrap();
        let mut a = Thread::new(cpu, order, 0);
        a.vcpu.set_fscr(1 << 12);
        for level in [0, 5, 127] {
            let fault = a.fault(&mem, &format!("addi 3,0,1; scv {level}"), &[]);
            assert!(matches!(fault, Interrupt::SystemCallVectored(at) if at == level), "{fault:?}");
            assert_eq!(a.vcpu.state.cia, crate::CODE + 8);
        }
    }
}

/// Every barrier of every model completes and changes no register.
#[test]
fn barriers_complete() {
    for cpu in Cpu::ALL {
        for &order in orders(cpu) {
            let mem = GuestMem::new(1 << 20).unwrap();
            let mut a = Thread::new(cpu, order, 0);
            let has = |name: &str| ppc_isa::rows().any(|row| row.name == name && row.models.contains(cpu));
            let mut text = String::from("isync; or 26,26,26");
            for name in ["sync", "msync", "eieio", "mbar"].into_iter().filter(|name| has(name)) {
                for kind in 0..if name == "sync" { 8 } else { 2 } {
                    let row = ppc_isa::rows().find(|row| row.name == name && row.models.contains(cpu)).unwrap();
                    let width = row.field("L2").or(row.field("L3")).or(row.field("MO")).map_or(1, |f| 1 << f.width());
                    text += &if width == 1 { format!("; {name}") } else { format!("; {name} {}", kind % width) };
                }
            }
            let before = a.vcpu.state.gpr;
            a.finish(&mem, &text, &[]);
            assert_eq!(a.vcpu.state.gpr, before);
        }
    }
}

/// Message passing and store buffering (Power ISA Book II, appendix B): what barriers forbid does not happen.
#[test]
fn litmus() {
    const ROUNDS: u64 = 4_000;
    let tests = [
        // Data, then flag; flag, then data. Forbidden: the new flag with the old data.
        ("stw 6,0(3); sync 1; stw 6,0(4)", "lwz 7,0(4); sync 1; lwz 8,0(3); cmp 0,0,8,7"),
        ("stw 6,0(3); eieio; stw 6,0(4)", "lwz 7,0(4); cmp 0,0,7,7; bc 4,2,4; isync; lwz 8,0(3); cmp 0,0,8,7"),
    ];
    for (order, (writer, reader)) in ORDERS.into_iter().flat_map(|order| tests.map(|test| (order, test))) {
        let mem = GuestMem::new(1 << 20).unwrap();
        let registers = [(3, DATA), (4, DATA + 0x100), (6, 1)];
        let distance = 4 * (writer.matches(';').count() as i64 + 2);
        let loop_writer = format!("{writer}; addi 6,6,1; bc 16,0,-{distance}");
        // The data are never behind the flag: count rounds in which they were, in r9.
        let distance = 4 * (reader.matches(';').count() as i64 + 3);
        let loop_reader = format!("{reader}; bc 4,0,8; addi 9,9,1; bc 16,0,-{distance}");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut a = Thread::new(Cpu::Power9, order, 0);
                a.vcpu.state.ctr = ROUNDS;
                a.finish(&mem, &loop_writer, &registers);
            });
            let mut b = Thread::new(Cpu::Power9, order, 1);
            b.vcpu.state.ctr = ROUNDS;
            b.finish(&mem, &loop_reader, &registers);
            assert_eq!(b.vcpu.state.gpr[9], 0, "{reader}");
        });
    }
}

/// Store buffering: with `sync` between a store and a load of the other's place, one of two vCPUs sees the other.
#[test]
fn store_buffering() {
    const ROUNDS: u64 = 400;
    let mem = GuestMem::new(1 << 20).unwrap();
    let barrier = std::sync::Barrier::new(2);
    let run = |number: u32| {
        let mut thread = Thread::new(Cpu::Power9, Order::Big, number);
        let own = DATA + 0x100 * u64::from(number);
        let text = "stw 6,0(3); sync 0; lwz 7,0(4)";
        let round = |round: u64| {
            barrier.wait();
            thread.finish(&mem, text, &[(3, own), (4, own ^ 0x100), (6, round)]);
            barrier.wait();
            thread.vcpu.state.gpr[7] == round
        };
        (1..=ROUNDS).map(round).collect::<Vec<bool>>()
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| run(1));
        let one = run(0);
        let other = other.join().unwrap();
        assert!(one.iter().zip(&other).all(|(a, b)| *a || *b));
    });
}

/// mftb reads the clock, TB and TBU.
#[test]
fn the_timebase_is_the_clock() {
    for cpu in Cpu::ALL {
        for &order in orders(cpu) {
            let mem = GuestMem::new(1 << 20).unwrap();
            let mut a = Thread::new(cpu, order, 0);
            a.vcpu.state.timebase_offset = 0x1234_5678_9abc_0000;
            a.finish(&mem, "mftb 3,268; or 9,9,9; mftb 4,268; mftb 5,269", &[]);
            let mask = if cpu.sixty_four() { u64::MAX } else { 0xffff_ffff };
            let [first, second, upper] = [3, 4, 5].map(|n| a.vcpu.state.gpr[n] & mask);
            assert_eq!((second.wrapping_sub(first), upper), (2, 0x1234_5678), "{}", cpu.name());
            assert_eq!(first, 0x1234_5678_9abc_0000 & mask, "{}", cpu.name());
        }
    }
}

/// Every hint of every model, also for an address at which nothing is: no interrupt, no register, no byte.
#[test]
fn hints_change_nothing() {
    let mut count = 0;
    for cpu in Cpu::ALL {
        for &order in orders(cpu) {
            let mem = GuestMem::new(1 << 20).unwrap();
            let mut a = Thread::new(cpu, order, 0);
            let hint = |row: &&ppc_isa::Row| row.models.contains(cpu) && row.op == Op::LoadStore(LoadStore::Hint);
            for row in ppc_isa::rows().filter(hint) {
                let operands = operand::operands(row).map(|o| match o.name {
                    "RA0" => "3",
                    "RB" => "4",
                    _ => "1",
                });
                let text = format!("{} {}", row.name, operands.collect::<Vec<_>>().join(","));
                let registers = [(3, 0x7000_0000), (4, 0x0123_4567)];
                a.finish(&mem, text.trim(), &registers);
                assert_eq!([3, 4].map(|n| a.vcpu.state.gpr[n]), registers.map(|r| r.1), "{text}");
                count += 1;
            }
        }
    }
    assert!(count > 60, "{count}");
}

/// dcbz clears the cache block of the model around its address, dcbzl that of e5500 and e6500.
#[test]
fn blocks_are_those_of_the_model() {
    for cpu in Cpu::ALL {
        for &order in orders(cpu) {
            let has = |name: &&str| ppc_isa::rows().any(|row| row.name == *name && row.models.contains(cpu));
            for name in ["dcbz", "dcbzl"].into_iter().filter(has) {
                let mem = GuestMem::new(1 << 20).unwrap();
                assert!(mem.write(DATA, &[7; 512]));
                let mut a = Thread::new(cpu, order, 0);
                a.finish(&mem, &format!("{name} 3,4"), &[(3, DATA), (4, 256 + 21)]);
                let mut found = [0; 512];
                mem.read(DATA, &mut found);
                let block = match cpu.level() {
                    207.. => 128,
                    206 => 64,
                    _ => 32,
                };
                let expected: Vec<u8> = (0..512).map(|n| if (256..256 + block).contains(&n) { 0 } else { 7 }).collect();
                assert_eq!(found[..], expected, "{} {name}", cpu.name());
            }
        }
    }
}

/// Power ISA 3.0B Book I, section 4.6.4: in either byte order the doubleword at the lower address belongs to the even
/// register.
#[test]
fn pairs_of_floats_keep_their_places() {
    const VALUES: [u64; 2] = [0x1112_1314_1516_1718, 0x2122_2324_2526_2728];
    for (cpu, order) in Cpu::BOOK3S_64.into_iter().flat_map(|cpu| ORDERS.map(|order| (cpu, order))) {
        for (load, store) in [("lfdp 4,16(3)", "stfdp 4,32(3)"), ("lfdpx 4,3,7", "stfdpx 4,3,8")] {
            let mem = GuestMem::new(1 << 20).unwrap();
            let mut a = Thread::new(cpu, order, 0);
            let on = a.vcpu.shared.msr() | ppc_isa::msr::FP;
            a.vcpu.set_msr(on);
            assert!(mem.store(DATA + 16, order, VALUES[0]) && mem.store(DATA + 24, order, VALUES[1]));
            a.finish(&mem, &format!("{load}; {store}"), &[(3, DATA), (7, 16), (8, 32)]);
            assert_eq!([4, 5].map(|n| a.vcpu.state.vsr[n][0]), VALUES, "{load} {order:?}");
            assert_eq!([32, 40].map(|at| mem.load::<u64>(DATA + at, order).unwrap()), VALUES, "{store} {order:?}");
        }
    }
}

/// Power ISA 3.0B Book I, sections 3.3.5 and 3.3.6: in little-endian mode alignment interrupts, nothing else.
#[test]
fn multiples_and_strings_are_big_endian() {
    for cpu in Cpu::BOOK3S_64 {
        for text in ["lmw 28,0(3)", "stmw 28,0(3)", "lswi 4,3,8", "stswi 4,3,8", "lswx 4,0,3", "stswx 4,0,3"] {
            let mem = GuestMem::new(1 << 20).unwrap();
            let mut a = Thread::new(cpu, Order::Little, 0);
            a.vcpu.state.set_xer(8);
            let fault = a.fault(&mem, text, &[(3, DATA), (4, 7), (28, 7)]);
            assert!(matches!(fault, Interrupt::Alignment { dar: DATA, .. }), "{text} {fault:?}");
            assert_eq!(mem.load::<u64>(DATA, Order::Little), Some(0), "{text}");
            assert_eq!([4, 28].map(|n| a.vcpu.state.gpr[n]), [7, 7], "{text}");
        }
    }
}
