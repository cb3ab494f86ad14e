//! Load-and-reserve and store-conditional.

use exec::Interrupt;
use guest_mem::{GuestMem, Order};
use ppc_isa::{Cpu, msr};

use crate::{DATA, ORDERS, Thread, orders};

const PAIRS: [(&str, &str, u64); 5] = [
    ("lbarx 4,0,3", "stbcx. 6,0,3", 1),
    ("lharx 4,0,3", "sthcx. 6,0,3", 2),
    ("lwarx 4,0,3", "stwcx. 6,0,3", 4),
    ("ldarx 4,0,3", "stdcx. 6,0,3", 8),
    ("lqarx 4,0,3", "stqcx. 6,0,3", 16),
];

/// Power ISA 3.0B Book II, section 4.6.2: what is loaded and stored, CR0, the order of a pair of registers.
#[test]
fn each_size_in_each_order() {
    for order in ORDERS {
        for (load, store, bytes) in PAIRS {
            for so in [false, true] {
                let mem = GuestMem::new(1 << 20).unwrap();
                let mut a = Thread::new(Cpu::Power9, order, 0);
                let image: [u8; 32] = std::array::from_fn(|i| 0x81 + i as u8);
                assert!(mem.write(DATA, &image));
                a.vcpu.state.so = so;
                a.vcpu.state.cr[0] = 15;
                let text = format!("{load}; {store}");
                a.finish(&mem, &text, &[(3, DATA), (6, 0x1112_1314_1516_1718), (7, 0x2122_2324_2526_2728)]);
                assert_eq!(a.vcpu.state.cr[0], 2 | u8::from(so), "{text}");
                let number = |bytes: &[u8]| {
                    let in_order = |n: u128, b: &u8| n << 8 | u128::from(*b);
                    match order {
                        Order::Big => bytes.iter().fold(0, in_order),
                        Order::Little => bytes.iter().rev().fold(0, in_order),
                    }
                };
                let loaded = number(&image[..bytes as usize]);
                let [even, odd] = [a.vcpu.state.gpr[4], a.vcpu.state.gpr[5]].map(u128::from);
                assert_eq!(if bytes == 16 { even << 64 | odd } else { even }, loaded, "{text} {order:?}");
                let mut after = [0; 32];
                mem.read(DATA, &mut after);
                let expected = match bytes {
                    16 => 0x1112_1314_1516_1718_2122_2324_2526_2728,
                    _ => 0x1112_1314_1516_1718 & ((1 << (8 * bytes)) - 1),
                };
                assert_eq!(number(&after[..bytes as usize]), expected, "{text} {order:?}");
                assert_eq!(after[bytes as usize..], image[bytes as usize..], "{text}");
            }
        }
    }
}

/// The hint EH changes nothing.
#[test]
fn the_hint_is_ignored() {
    let mem = GuestMem::new(1 << 20).unwrap();
    let mut a = Thread::new(Cpu::Power9, Order::Big, 0);
    a.finish(&mem, "lwarx 4,0,3,1; stwcx. 6,0,3", &[(3, DATA), (6, 7)]);
    assert!(a.stored());
}

/// Book II, sections 1.7.2.1 and 4.6.2. What is undefined: a store of another size or to another address of the granule
/// does not happen.
#[test]
fn a_store_wants_the_reservation_that_was_made() {
    let cases: [(&str, bool); 12] = [
        ("stwcx. 6,0,3", false),
        ("lwarx 4,0,3,0; stwcx. 6,0,3", true),
        ("lwarx 4,0,3,0; stwcx. 4,0,3; stwcx. 6,0,3", false),
        ("lwarx 4,0,3,0; lwarx 4,0,8,0; stwcx. 6,0,3", false),
        ("lwarx 4,0,8,0; lwarx 4,0,3,0; stwcx. 6,0,3", true),
        ("lwarx 4,0,3,0; stwcx. 6,0,8; stwcx. 6,0,3", false),
        ("lwarx 4,0,3,0; stdcx. 6,0,3; stwcx. 6,0,3", false),
        ("ldarx 4,0,3,0; stwcx. 6,0,3", false),
        ("lwarx 4,0,9,0; stwcx. 6,0,3", false),
        ("lwarx 4,0,3,0; isync; sync 0; stwcx. 6,0,3", true),
        // Its own stores to the granule, and loads, do not end it; an atomic operation need not.
        ("lwarx 4,0,3,0; stb 6,5(3); lwz 7,0(3); dcbf 0,3,0; stwcx. 6,0,3", true),
        ("lwarx 4,0,3,0; ldat 10,9,0; stwcx. 6,0,3", true),
    ];
    for order in ORDERS {
        for (text, stored) in cases {
            let mem = GuestMem::new(1 << 20).unwrap();
            let mut a = Thread::new(Cpu::Power9, order, 0);
            a.finish(&mem, text, &[(3, DATA), (6, 7), (8, DATA + 0x1000), (9, DATA + 8)]);
            assert_eq!(a.stored(), stored, "{text}");
            assert_eq!(mem.load::<u32>(DATA, order), Some(if stored { 7 } else { 0 }), "{text}");
        }
    }
}

/// Whatever another vCPU or a device stores into the granule ends the reservation, also when the value stays; in the
/// next granule nothing does.
#[test]
fn stores_of_others_end_it() {
    let stores: [(&str, &[Cpu]); 12] = [
        ("stw 6,0(3)", &[Cpu::Power9, Cpu::E6500, Cpu::E500v2, Cpu::Ppc750]),
        ("stb 6,0(7)", &[Cpu::Power9, Cpu::E5500, Cpu::E500v2, Cpu::Ppc603]),
        ("sthbrx 6,0,7", &[Cpu::Power9, Cpu::Ppc7450]),
        ("stwu 6,0(7)", &[Cpu::Power9, Cpu::Ppc7400]),
        ("stmw 31,0(7)", &[Cpu::E500v2, Cpu::Ppc750]),
        ("stswi 6,7,1", &[Cpu::Ppc750]),
        ("stq 6,0(3)", &[Cpu::Power8, Cpu::Power10]),
        ("stxv 1,0(3)", &[Cpu::Power9, Cpu::Power10]),
        ("stfd 1,0(7)", &[Cpu::Power9, Cpu::Ppc750, Cpu::E5500]),
        ("dcbz 0,7", &[Cpu::Power9, Cpu::E5500, Cpu::E500v2, Cpu::Ppc603]),
        ("lwarx 4,0,3; stwcx. 6,0,3", &[Cpu::E500v2, Cpu::Ppc7450]),
        ("stwat 6,3,0", &[Cpu::Power9]),
    ];
    for (store, cpus) in stores {
        for (&cpu, distance) in cpus.iter().flat_map(|cpu| [(cpu, 0), (cpu, cpu.cache_block())]) {
            for &order in orders(cpu) {
                let mem = GuestMem::with_granule(1 << 20, cpu.cache_block()).unwrap();
                let (mut a, mut b) = (Thread::new(cpu, order, 0), Thread::new(cpu, order, 1));
                a.finish(&mem, "lwarx 4,0,3", &[(3, DATA)]);
                for state in [&mut a.vcpu, &mut b.vcpu] {
                    let msr = state.shared.msr();
                    state.set_msr(msr | msr::FP | msr::VSX);
                }
                let end = DATA + cpu.cache_block() - 8;
                b.finish(&mem, store, &[(3, DATA + distance), (6, 0), (7, end + distance)]);
                a.finish(&mem, "stwcx. 6,0,3", &[(6, 5)]);
                assert_eq!(a.stored(), distance != 0, "{} {order:?} {store} {distance}", cpu.name());
            }
        }
    }
}

#[test]
fn unaligned_ones_are_alignment_interrupts() {
    for cpu in Cpu::ALL {
        for &order in orders(cpu) {
            let mem = GuestMem::new(1 << 20).unwrap();
            let mut a = Thread::new(cpu, order, 0);
            let has = |name: &str| ppc_isa::rows().any(|row| row.name == name && row.models.contains(cpu));
            for (load, store, bytes) in PAIRS {
                for text in [load, store].into_iter().filter(|text| bytes > 1 && has(&text[..text.find(' ').unwrap()]))
                {
                    let fault = a.fault(&mem, text, &[(3, DATA + bytes / 2)]);
                    let at = |dar| dar == DATA + bytes / 2;
                    assert!(matches!(fault, Interrupt::Alignment { dar, .. } if at(dar)), "{text} {fault:?}");
                }
            }
        }
    }
}

/// Two vCPUs count to the same place.
#[test]
fn two_vcpus_lose_no_increment() {
    const ROUNDS: u64 = 10_000;
    let add = |bytes| if bytes == 16 { "addic 7,5,1; addze 6,4" } else { "addi 6,4,1" };
    for order in ORDERS {
        for (load, store, bytes) in PAIRS {
            let mem = GuestMem::new(1 << 20).unwrap();
            // A carry into the upper doubleword soon.
            let low = if order == Order::Big { DATA + 8 } else { DATA };
            if bytes == 16 {
                mem.store(low, order, 0u64.wrapping_sub(ROUNDS));
            }
            let back = if bytes == 16 { -16 } else { -12 };
            let rest = if bytes == 16 { -20 } else { -16 };
            let text = format!("{load}; {}; {store}; bc 4,2,{back}; bc 16,0,{rest}", add(bytes));
            std::thread::scope(|scope| {
                for number in 0..2 {
                    let (mem, text) = (&mem, &text);
                    scope.spawn(move || {
                        let mut thread = Thread::new(Cpu::Power9, order, number);
                        thread.vcpu.state.ctr = ROUNDS;
                        thread.finish(mem, text, &[(3, DATA)]);
                    });
                }
            });
            let found = match bytes {
                1 => mem.load::<u8>(DATA, order).unwrap().into(),
                2 => mem.load::<u16>(DATA, order).unwrap().into(),
                4 => mem.load::<u32>(DATA, order).unwrap().into(),
                8 => mem.load::<u64>(DATA, order).unwrap(),
                _ => {
                    assert_eq!(mem.load::<u64>(DATA + DATA + 8 - low, order), Some(1));
                    mem.load::<u64>(low, order).unwrap() + ROUNDS
                }
            };
            let modulus = if bytes >= 8 { u64::MAX } else { (1 << (8 * bytes)) - 1 };
            assert_eq!(found, (2 * ROUNDS) & modulus, "{load} {order:?}");
        }
    }
}

/// A stack as a linked list, from which both vCPUs take two nodes and put them back in the order in which they were
/// taken: were a reservation no more than a comparison of values, one would soon take a node that the other has.
#[test]
fn a_linked_stack_keeps_its_nodes() {
    const NODES: u64 = 4;
    let node = |n: u64| DATA + 0x100 + 16 * n;
    let pop = |register: u32| {
        format!(
            "ldarx {register},0,3,0; cmpi 0,1,{register},0; bc 12,2,-8; ld 9,0({register}); stdcx. 9,0,3; bc 4,2,-20"
        )
    };
    let push = |register: u32| format!("ldarx 9,0,3,0; std 9,0({register}); sync 1; stdcx. {register},0,3; bc 4,2,-16");
    let text = format!("{}; {}; {}; {}; bc 16,0,-88", pop(4), pop(5), push(4), push(5));
    let mem = GuestMem::new(1 << 20).unwrap();
    mem.store(DATA, Order::Big, node(0));
    for n in 0..NODES {
        mem.store(node(n), Order::Big, if n + 1 < NODES { node(n + 1) } else { 0 });
    }
    std::thread::scope(|scope| {
        for number in 0..2 {
            let (mem, text) = (&mem, &text);
            scope.spawn(move || {
                let mut thread = Thread::new(Cpu::Power9, Order::Big, number);
                thread.vcpu.state.ctr = 20_000;
                thread.finish(mem, text, &[(3, DATA)]);
            });
        }
    });
    let mut found = Vec::new();
    let mut at = mem.load::<u64>(DATA, Order::Big).unwrap();
    while at != 0 && found.len() < 10 {
        found.push(at);
        at = mem.load(at, Order::Big).unwrap();
    }
    found.sort_unstable();
    assert_eq!(found, (0..NODES).map(node).collect::<Vec<_>>());
}
