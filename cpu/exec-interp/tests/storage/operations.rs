//! Atomic memory operations and quadwords.

use exec::Interrupt;
use guest_mem::GuestMem;
use ppc_isa::Cpu;

use crate::{DATA, ORDERS, Thread};

/// One vCPU stores quadwords of two equal halves, the other never loads unequal ones.
#[test]
fn quadwords_are_never_torn() {
    for order in ORDERS {
        let mem = GuestMem::new(1 << 20).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut writer = Thread::new(Cpu::Power9, order, 0);
                writer.vcpu.state.ctr = 20_000;
                writer.finish(&mem, "stq 4,0(3); addi 4,4,1; addi 5,5,1; bc 16,0,-12", &[(3, DATA)]);
            });
            let mut reader = Thread::new(Cpu::Power9, order, 1);
            reader.vcpu.state.ctr = 20_000;
            reader.finish(&mem, "lq 4,0(3); xor 6,4,5; or 7,7,6; bc 16,0,-12", &[(3, DATA)]);
            assert_eq!(reader.vcpu.state.gpr[7], 0, "{order:?}");
        });
    }
}

/// Power ISA 3.0B Book II, section 4.5.1: function, memory at EA-s, EA and EA+s before, RT+1, RT+2; EA after, RT.
#[test]
fn atomic_loads() {
    const MIN: u64 = 1 << 63;
    type Case = (i64, [u64; 3], [u64; 2], u64, u64);
    let cases: [Case; 18] = [
        (0, [0, u64::MAX, 0], [3, 9], 2, u64::MAX),
        (1, [0, 0b1100, 0], [0b1010, 9], 0b0110, 0b1100),
        (2, [0, 0b1100, 0], [0b1010, 9], 0b1110, 0b1100),
        (3, [0, 0b1100, 0], [0b1010, 9], 0b1000, 0b1100),
        (4, [0, 5, 0], [u64::MAX, 9], u64::MAX, 5),
        (5, [0, 5, 0], [u64::MAX, 9], 5, 5),
        (5, [0, u64::MAX, 0], [5, 9], 5, u64::MAX),
        (6, [0, 5, 0], [u64::MAX, 9], 5, 5),
        (7, [0, 5, 0], [u64::MAX, 9], u64::MAX, 5),
        (8, [0, 5, 0], [6, 9], 6, 5),
        (16, [0, 5, 0], [5, 9], 5, 5),
        (16, [0, 5, 0], [6, 9], 9, 5),
        (24, [0, 5, 6], [0, 0], 6, 5),
        (24, [0, 5, 5], [0, 0], 5, MIN),
        (25, [0, 5, 5], [0, 0], 6, 5),
        (25, [0, 5, 6], [0, 0], 5, MIN),
        (28, [4, 5, 0], [0, 0], 4, 5),
        (28, [5, 5, 0], [0, 0], 5, MIN),
    ];
    for order in ORDERS {
        for (function, [before, at, behind], [first, second], stored, loaded) in cases {
            let what = format!("{function} {at:x} {order:?}");
            let mem = GuestMem::new(1 << 20).unwrap();
            let mut a = Thread::new(Cpu::Power9, order, 0);
            [before, at, behind]
                .iter()
                .enumerate()
                .for_each(|(i, v)| assert!(mem.store(DATA + 8 * i as u64, order, *v)));
            let registers = [(3, DATA + 8), (30, 1), (31, first), (0, second)];
            a.finish(&mem, &format!("ldat 30,3,{function}"), &registers);
            let words = [0, 8, 16].map(|offset| mem.load::<u64>(DATA + offset, order).unwrap());
            assert_eq!((words, a.vcpu.state.gpr[30]), ([before, stored, behind], loaded), "{what}");
            // Words: registers have something else in their upper halves.
            let narrow = |v: u64| if v == MIN { 1 << 31 } else { v as u32 };
            let memory = [before, at, behind].map(narrow);
            memory.iter().enumerate().for_each(|(i, v)| assert!(mem.store(DATA + 4 * i as u64, order, *v)));
            let high = |v: u64| 0xdead_beef_0000_0000 | u64::from(narrow(v));
            let registers = [(3, DATA + 4), (30, u64::MAX), (31, high(first)), (0, high(second))];
            a.finish(&mem, &format!("lwat 30,3,{function}"), &registers);
            let words = [0, 4, 8].map(|offset| mem.load::<u32>(DATA + offset, order).unwrap());
            assert_eq!(words, [before, stored, behind].map(narrow), "{what}");
            assert_eq!(a.vcpu.state.gpr[30], narrow(loaded).into(), "{what}");
        }
    }
}

/// Section 4.5.2: function, memory at EA and EA+s before, RS; both after.
#[test]
fn atomic_stores() {
    let cases: [(i64, [u64; 2], u64, [u64; 2]); 11] = [
        (0, [u64::MAX, 7], 3, [2, 7]),
        (1, [0b1100, 7], 0b1010, [0b0110, 7]),
        (2, [0b1100, 7], 0b1010, [0b1110, 7]),
        (3, [0b1100, 7], 0b1010, [0b1000, 7]),
        (4, [5, 7], u64::MAX, [u64::MAX, 7]),
        (5, [5, 7], u64::MAX, [5, 7]),
        (6, [5, 7], u64::MAX, [5, 7]),
        (7, [5, 7], u64::MAX, [u64::MAX, 7]),
        (7, [u64::MAX, 7], 5, [u64::MAX, 7]),
        (24, [5, 5], 6, [6, 6]),
        (24, [5, 7], 6, [5, 7]),
    ];
    for order in ORDERS {
        for (function, before, operand, after) in cases {
            let mem = GuestMem::new(1 << 20).unwrap();
            let mut a = Thread::new(Cpu::Power10, order, 0);
            before.iter().enumerate().for_each(|(i, v)| assert!(mem.store(DATA + 8 * i as u64, order, *v)));
            a.finish(&mem, &format!("stdat 4,3,{function}"), &[(3, DATA), (4, operand)]);
            let found = [0, 8].map(|offset| mem.load::<u64>(DATA + offset, order).unwrap());
            assert_eq!(found, after, "{function} {order:?}");
            before.iter().enumerate().for_each(|(i, v)| assert!(mem.store(DATA + 4 * i as u64, order, *v as u32)));
            a.finish(&mem, &format!("stwat 4,3,{function}"), &[(4, operand ^ 0xdead_beef_0000_0000)]);
            let found = [0, 4].map(|offset| mem.load::<u32>(DATA + offset, order).unwrap());
            assert_eq!(found, after.map(|v| v as u32), "{function} {order:?}");
        }
    }
}

/// Operands that are not aligned or cross a block of 32 bytes: alignment. Other function codes: data storage, `DSISR[61]`
/// (Book III, section 6.5.3). Nothing changes.
#[test]
fn atomic_operations_refuse() {
    for order in ORDERS {
        let mem = GuestMem::new(1 << 20).unwrap();
        let mut a = Thread::new(Cpu::Power9, order, 0);
        let mut refused = |text: &str, offset: u64| a.fault(&mem, text, &[(3, DATA + offset), (4, 9), (5, 9)]);
        let crossing = [
            ("lwat 4,3,0", 2),
            ("ldat 4,3,0", 4),
            ("stwat 4,3,0", 1),
            ("stdat 4,3,0", 4),
            ("lwat 4,3,24", 28),
            ("ldat 4,3,25", 24),
            ("lwat 4,3,28", 32),
            ("ldat 4,3,28", 64),
            ("stwat 4,3,24", 60),
            ("stdat 4,3,24", 24),
        ];
        for (text, offset) in crossing {
            let fault = refused(text, offset);
            assert!(matches!(fault, Interrupt::Alignment { dar, .. } if dar == DATA + offset), "{text} {fault:?}");
        }
        let loads = [0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 24, 25, 28];
        let stores = [0, 1, 2, 3, 4, 5, 6, 7, 24];
        for code in 0..32 {
            for (name, known) in [("lwat", &loads[..]), ("ldat", &loads), ("stwat", &stores), ("stdat", &stores)] {
                if known.contains(&code) {
                    continue;
                }
                let fault = refused(&format!("{name} 4,3,{code}"), 8);
                let expected = Interrupt::DataStorage { dar: DATA + 8, dsisr: 0x0200_0004 };
                assert_eq!(format!("{fault:?}"), format!("{expected:?}"), "{name} {code}");
            }
        }
        let mut after = [1; 128];
        mem.read(DATA, &mut after);
        assert_eq!(after, [0; 128]);
        assert_eq!(a.vcpu.state.gpr[4], 9);
    }
}

/// Two vCPUs with the operations of one another, and with plain increments under a reservation.
#[test]
fn two_vcpus_lose_no_atomic_operation() {
    const ROUNDS: u64 = 10_000;
    for (order, (name, bytes)) in ORDERS.into_iter().flat_map(|o| [(o, ("w", 4)), (o, ("d", 8))]) {
        let mem = GuestMem::new(1 << 20).unwrap();
        let texts = [
            format!("l{name}at 4,3,0; bc 16,0,-4"),
            format!("st{name}at 5,3,0; bc 16,0,-4"),
            format!("l{name}arx 4,0,3,0; addi 4,4,1; st{name}cx. 4,0,3; bc 4,2,-12; bc 16,0,-16"),
        ];
        std::thread::scope(|scope| {
            for (number, text) in texts.iter().enumerate() {
                let mem = &mem;
                scope.spawn(move || {
                    let mut thread = Thread::new(Cpu::Power9, order, number as u32);
                    thread.vcpu.state.ctr = ROUNDS;
                    thread.finish(mem, text, &[(3, DATA), (5, 1)]);
                });
            }
        });
        let found: u64 =
            if bytes == 4 { mem.load::<u32>(DATA, order).unwrap().into() } else { mem.load(DATA, order).unwrap() };
        assert_eq!(found, 3 * ROUNDS, "{name} {order:?}");
    }
}
