//! Reservations, atomic memory operations and quadwords: by one vCPU, and by two on threads of their own.

use exec::{Clock, Context, Engine, Exit, Interrupt, NoMmio, PartitionState, Privileged, Requests, Vcpu};
use exec_interp::Interpreter;
use guest_mem::{GuestMem, Order};
use ppc_isa::cpu::Family;
use ppc_isa::encode::encode;
use ppc_isa::{Cpu, msr, operand};
use ppc_mmu::booke::Assist;

/// Where programs stand, a page for each vCPU.
const CODE: u64 = 0x1_0000;
/// What they work on.
const DATA: u64 = 0x4000;
const ORDERS: [Order; 2] = [Order::Big, Order::Little];

#[derive(Debug)]
struct Retired;

impl Clock for Retired {
    fn ticks(&self, retired: u64) -> u64 {
        retired
    }
}

/// `name a,b,c(d); name ...` as words for `cpu`; a hint at the end may be left out.
fn program(cpu: Cpu, text: &str) -> Vec<u32> {
    let word = |line: &str| {
        let (name, operands) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let number = |n: &str| n.trim().parse::<i64>().unwrap();
        let mut values: Vec<i64> = operands.split(['(', ')', ',']).filter(|n| !n.is_empty()).map(number).collect();
        let row = ppc_isa::rows().find(|row| row.name == name && row.models.contains(cpu));
        let row = row.unwrap_or_else(|| panic!("{}: no {name}", cpu.name()));
        values.resize(operand::operands(row).count(), 0);
        encode(row, &values).unwrap_or_else(|| panic!("{line}")) as u32
    };
    text.split(';').map(word).collect()
}

/// One vCPU with its engine, at its own page of code.
struct Thread {
    vcpu: Vcpu,
    engine: Interpreter,
    order: Order,
    requests: Requests,
}

impl Thread {
    fn new(cpu: Cpu, order: Order, number: u32) -> Thread {
        let mut vcpu = Vcpu::new(cpu, number);
        if cpu.family() == Family::BookE {
            // 16 MiB one to one.
            let entry = Assist { mas0: 0x1000_0000, mas1: 0xc000_0000 | 7 << 8, mas3: 0x3f, ..Assist::default() };
            vcpu.state.booke.tlb.write(&entry);
        }
        if order == Order::Little {
            let msr = vcpu.shared.msr();
            vcpu.set_msr(msr | msr::LE);
        }
        Thread { vcpu, engine: Interpreter::new(cpu), order, requests: Requests::default() }
    }

    fn run(&mut self, mem: &GuestMem, text: &str) -> Exit {
        let at = CODE + u64::from(self.vcpu.state.pir) * 0x1000;
        for (i, word) in program(self.vcpu.state.cpu, &format!("{text}; sc")).into_iter().enumerate() {
            assert!(mem.store(at + 4 * i as u64, self.order, word));
        }
        self.vcpu.state.cia = at;
        let context = Context {
            mem,
            partition: &PartitionState::new(None, true),
            requests: &self.requests,
            clock: &Retired,
            mmio: &NoMmio,
            peers: &self.requests,
            privileged: Privileged::Trap,
        };
        loop {
            match self.engine.run(&mut self.vcpu, &context, 1 << 40) {
                Exit::Event => {}
                exit => return exit,
            }
        }
    }

    /// Runs to the end with these registers.
    fn finish(&mut self, mem: &GuestMem, text: &str, registers: &[(usize, u64)]) {
        for &(n, value) in registers {
            self.vcpu.state.gpr[n] = value;
        }
        let exit = self.run(mem, text);
        assert!(matches!(exit, Exit::SystemCall(_)), "{text}: {exit:?}");
    }

    fn fault(&mut self, mem: &GuestMem, text: &str, registers: &[(usize, u64)]) -> Interrupt {
        for &(n, value) in registers {
            self.vcpu.state.gpr[n] = value;
        }
        match self.run(mem, text) {
            Exit::Interrupt(interrupt) => interrupt,
            exit => panic!("{text}: {exit:?}"),
        }
    }

    fn stored(&self) -> bool {
        self.vcpu.state.cr[0] & 2 != 0
    }
}

fn orders(cpu: Cpu) -> &'static [Order] {
    if cpu.level() >= 207 { &ORDERS } else { &[Order::Big] }
}

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
