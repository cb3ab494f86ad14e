//! The page where it has no business: outside RAM, over devices, code, vectors, tables, at the ends of address spaces;
//! and accesses that are only in part on it.

use conformance::{CODE, DATA, Rig, TOP};
use guest_mem::Order;
use ppc_isa::cpu::Family;
use ppc_isa::msr;
use ppc_mmu::booke::{Assist, mas};
use pv_abi::kvm::MAGIC;

use super::{
    PAGE, RAM, TRAP, UNUSED, all, boards, fill, has_real_mode, pattern, ram, rigs, set_pattern, set_word, word_bytes,
};

/// Stores r5 at the last word of the page at r7, loads it to r6.
const TOUCH: &str = "stw 5,0xffc(7); lwz 6,0xffc(7)";

/// Whether an access at `address` is one to the page.
#[track_caller]
fn reaches(rig: &mut Rig, address: u64) {
    for value in [0x1234_5678, 0x0bad_cafe] {
        rig.sets(&[(5, value), (6, 0), (7, address)]);
        rig.run(TOUCH);
        assert_eq!(rig.r(6), value, "{} {address:#x}", rig.name());
        assert_eq!(rig.vcpu().shared.bytes(0xffc), word_bytes(rig, value as u32), "{} {address:#x}", rig.name());
    }
}

#[test]
fn addresses_where_nothing_is() {
    const PLACES: [u64; 10] = [
        RAM,
        4 * RAM,
        0x7fff_f000,
        0x8000_0000,
        0xffff_f000,
        0x1_0000_0000,
        0x0fff_ffff_ffff_f000,
        0x7fff_ffff_ffff_f000,
        0x8000_0000_0000_0000,
        TOP,
    ];
    for mut rig in all() {
        // In 32-bit mode some of these are address 0, which is none.
        let wide = rig.vcpu().state.mode.sixty_four();
        for place in PLACES.into_iter().filter(|place| wide || *place as u32 != 0) {
            rig.map(place | 0xfff, place | 1);
            reaches(&mut rig, place);
            // Real addresses have 60 bits, and RAM begins at 0.
            if has_real_mode(&rig) && rig.seen(place) << 4 == 0 {
                rig.map(DATA, DATA);
                continue;
            }
            // Where it was before it is no more: nothing is there.
            rig.map(DATA, DATA);
            rig.set(7, place);
            let at = rig.ends(TOUCH);
            assert!(at < CODE, "{} {place:#x}: {at:#x}", rig.name());
        }
        // Nothing was written to memory.
        assert!(ram(&rig, DATA, PAGE).iter().all(|byte| *byte == 0), "{}", rig.name());
    }
}

/// The task priority register of a board's interrupt controller, and what it holds after reset.
const PRIORITY: u64 = 0x2_0080;
const LOWEST: u32 = 0xf;

/// Maps the page at `ea` to the board's interrupt controller, and returns where the guest finds that.
fn controller(rig: &mut Rig) -> u64 {
    if has_real_mode(rig) {
        return 0x8004_0000;
    }
    let ea = 0x3000_0000;
    for (entry, offset) in [(2, 0), (3, 0x2_0000)] {
        let rig: &mut Rig = rig;
        rig.vcpu_mut().state.booke.tlb.write(&Assist {
            mas0: mas::TLBSEL | entry << 16,
            mas1: mas::VALID | mas::IPROT | 1 << 8,
            mas2: ea + offset,
            mas3: (0xe004_0000 + offset as u32) | 0x3f,
            mas7: 0xf,
            ..Assist::default()
        });
    }
    ea
}

#[test]
fn over_devices_that_then_see_nothing() {
    let seen = |rig: &mut Rig, ea: u64| {
        rig.set(7, ea);
        rig.run("lwz 6,0x80(7)");
        rig.r(6) as u32
    };
    for mut rig in boards().filter(|rig| rig.family() != Family::Book3s64) {
        let priority = controller(&mut rig) + (PRIORITY & !0xfff);
        // Mac's controller is little-endian.
        let lowest = if rig.family() == Family::BookE { LOWEST } else { LOWEST.swap_bytes() };
        assert_eq!(seen(&mut rig, priority), lowest, "{}", rig.name());
        rig.map(priority, priority);
        rig.set(7, priority);
        rig.run("addi 5,0,5; stw 5,0x80(7)");
        assert_eq!(rig.field("sr6"), 5, "{}", rig.name());
        reaches(&mut rig, priority);
        rig.map(0, 0);
        assert_eq!(seen(&mut rig, priority), lowest, "{}: the store went to the device", rig.name());
        rig.run("addi 5,0,0; stw 5,0x80(7)");
        assert_eq!(seen(&mut rig, priority), 0, "{}", rig.name());
    }
}

/// A page over the code that runs: Book3S goes on in the page, BookE, which fetches around it, in the code.
#[test]
fn over_the_code_that_maps_it() {
    for mut rig in all() {
        rig.put(CODE, "b 0x100");
        let end = rig.put(CODE + 0x100, "sc 0; nop; lwz 6,0x200(7); nop");
        rig.sets(&[(0, MAGIC.into()), (3, CODE), (4, CODE | 1), (11, 0x2a_0004), (6, 1), (7, CODE)]);
        set_word(&mut rig, 0x104, 0x3860_0005); // addi 3,0,5
        let at = rig.start(end);
        if has_real_mode(&rig) {
            // Behind that there are zeros, which are no instruction.
            assert_eq!((at, rig.field("srr0"), rig.r(3)), (0x700, CODE + 0x108, 5), "{}", rig.name());
        } else {
            assert_eq!((at, rig.r(3), rig.r(6)), (end, 0, 0), "{}", rig.name());
        }
    }
}

/// Interrupts into the page: what stands there runs.
#[test]
fn over_the_vectors() {
    for mut rig in all().filter(has_real_mode) {
        for offset in [0x300, 0x700, 0xc04] {
            set_word(&mut rig, offset, TRAP);
        }
        set_word(&mut rig, 0xc00, 0x3884_0007); // addi 4,4,7
        // At real address 0, which is not the same as nowhere.
        rig.map(0, TOP | 1);
        rig.sets(&[(0, 0), (3, 0), (4, 1)]);
        let at = rig.ends("sc 0");
        assert_eq!((at, rig.r(4), rig.field("srr0")), (0xc04, 8, CODE + 4), "{}", rig.name());
        rig.map(0, 0);
        rig.sets(&[(0, 0), (3, 0), (4, 1)]);
        assert_eq!((rig.ends("sc 0"), rig.r(4)), (0xc00, 1), "{}", rig.name());
    }
}

/// The page over the tables that translate: they are read from RAM, and stores to the page do not change them.
#[test]
fn over_the_tables() {
    for mut rig in all().filter(has_real_mode) {
        rig.translate(0x3000_0000, DATA);
        for table in (0..0x4000).step_by(0x1000).map(|offset| 0x80_0000 + offset) {
            rig.msr_off(msr::IR | msr::DR);
            rig.map(table, TOP | 1);
            rig.set(7, table);
            rig.run("addi 5,0,-1; stw 5,0(7); stw 5,0x100(7); stw 5,0xffc(7)");
            rig.msr_on(msr::IR | msr::DR);
            rig.sets(&[(5, 0x55), (7, 0x3000_0000)]);
            rig.run("tlbsync; stw 5,0x40(7); lwz 6,0x40(7)");
            assert_eq!((rig.r(6), rig.peek(DATA + 0x40)), (0x55, 0x55), "{} {table:#x}", rig.name());
        }
    }
}

/// The guest's own tables lead to the page's real address: data and code are the page's, not what is below or beside.
#[test]
fn translated_to_its_real_address() {
    for mut rig in all().filter(has_real_mode) {
        let (ea, real) = (0x3000_0000, DATA);
        rig.translate(ea, real);
        fill(&rig, real, PAGE, 3);
        let before = ram(&rig, real, PAGE);
        rig.map(real, TOP | 1);
        rig.msr_on(msr::IR | msr::DR);
        reaches(&mut rig, ea);
        // A program in the page: loads what the store above left, and ends.
        set_word(&mut rig, 0x800, 0x38c0_0007); // addi 6,0,7
        set_word(&mut rig, 0x804, TRAP);
        rig.set(6, 0);
        rig.vcpu_mut().state.cia = ea + 0x800;
        let at = rig.resume(ea + 0x804);
        assert_eq!((at, rig.r(6)), (ea + 0x804, 7), "{}", rig.name());
        assert_eq!(ram(&rig, real, PAGE), before, "{}", rig.name());
    }
}

/// A load and its store, bytes, alignment; what they need of the MSR; whether little-endian mode has them.
struct Pair {
    load: &'static str,
    store: &'static str,
    bytes: u64,
    aligned: u64,
    unit: u64,
    little: bool,
}

const fn pair(load: &'static str, store: &'static str, bytes: u64, aligned: u64) -> Pair {
    Pair { load, store, bytes, aligned, unit: 0, little: true }
}

/// Addresses in r7 for the load, in r8 for the store; index 0 in r9.
const PAIRS: [Pair; 14] = [
    pair("lbz 10,0(7)", "stb 10,0(8)", 1, 1),
    pair("lha 10,0(7)", "sth 10,0(8)", 2, 1),
    pair("lwz 10,0(7)", "stw 10,0(8)", 4, 1),
    pair("lwbrx 10,7,9", "stwbrx 10,8,9", 4, 1),
    pair("ld 10,0(7)", "std 10,0(8)", 8, 1),
    pair("lq 10,0(7)", "stq 10,0(8)", 16, 16),
    Pair { little: false, ..pair("lmw 10,0(7)", "stmw 10,0(8)", 88, 4) },
    Pair { little: false, ..pair("lswi 10,7,31", "stswi 10,8,31", 31, 1) },
    Pair { unit: msr::FP, ..pair("lfd 10,0(7)", "stfd 10,0(8)", 8, 4) },
    Pair { unit: msr::VEC, ..pair("lvx 10,7,9", "stvx 10,8,9", 16, 16) },
    Pair { unit: msr::VEC, ..pair("lvebx 10,7,9", "stvebx 10,8,9", 1, 1) },
    Pair { unit: msr::VSX, ..pair("lxvd2x 10,7,9", "stxvd2x 10,8,9", 16, 1) },
    Pair { unit: msr::VSX, ..pair("lxvw4x 10,7,9", "stxvw4x 10,8,9", 16, 1) },
    Pair { unit: msr::SPE, ..pair("evldd 10,0(7)", "evstdd 10,0(8)", 8, 8) },
];

/// Accesses of every width across the beginning and the end of the page, between it and RAM.
#[test]
fn accesses_that_are_partly_in_it() {
    let (before, page) = (DATA, DATA + PAGE);
    let buffer = DATA + 4 * PAGE;
    for mut rig in all() {
        rig.map(page, page);
        let fresh = rig.vcpu().clone();
        let memory = |rig: &Rig, offset: u64| {
            let bytes: [u8; 1] = rig.vcpu().shared.bytes((offset & 0xfff) as usize);
            if offset & !0xfff == PAGE { bytes[0] } else { ram(rig, before + offset, 1)[0] }
        };
        for pair in &PAIRS {
            let name = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
            let order = pair.little || rig.order == Order::Big;
            if !rig.has(&name(pair.load)) || !order {
                continue;
            }
            let reach = pair.bytes + 16;
            let starts = (PAGE - reach..PAGE + 4).chain(2 * PAGE - reach..2 * PAGE + 4);
            for at in starts.filter(|at| at % pair.aligned == 0) {
                *rig.vcpu_mut() = fresh.clone();
                set_pattern(rig.vcpu_mut(), 1);
                fill(&rig, before, 5 * PAGE, 2);
                rig.msr_on(pair.unit);
                let what = format!("{} {} at {at:#x}", rig.name(), pair.load);

                let expected: Vec<u8> = (at..at + pair.bytes).map(|at| memory(&rig, at)).collect();
                // lvebx loads into the byte of the register that the address names.
                let to = buffer + (at & 15);
                rig.sets(&[(7, before + at), (8, to), (9, 0)]);
                rig.run(&format!("{}; {}", pair.load, pair.store));
                assert_eq!(ram(&rig, to, pair.bytes), expected, "{what}");

                // And back: RAM's bytes into both.
                let from = buffer + 0x100 + (at & 15);
                let expected = ram(&rig, from, pair.bytes);
                let around: Vec<u64> = (at - 9..at).chain(at + pair.bytes..at + pair.bytes + 9).collect();
                let kept: Vec<u8> = around.iter().map(|at| memory(&rig, *at)).collect();
                rig.sets(&[(7, from), (8, before + at)]);
                rig.run(&format!("{}; {}", pair.load, pair.store));
                let stored: Vec<u8> = (at..at + pair.bytes).map(|at| memory(&rig, at)).collect();
                assert_eq!(stored, expected, "{what}, store");
                assert_eq!(around.iter().map(|at| memory(&rig, *at)).collect::<Vec<u8>>(), kept, "{what}, store");
                // RAM below the page never has any of it.
                let below: Vec<u8> = (0..PAGE).map(|offset| pattern(2, PAGE + offset)).collect();
                assert!(ram(&rig, page, PAGE) == below, "{what}");
            }
        }
    }
}

/// An access that begins in the page and ends where nothing is, and the other way round: a machine check, and nothing
/// beside it changes.
#[test]
fn accesses_that_end_nowhere() {
    for mut rig in rigs() {
        for (place, first) in [(RAM + PAGE, RAM + 2 * PAGE - 2), (RAM + PAGE, RAM + PAGE - 2)] {
            rig.map(place, place);
            set_pattern(rig.vcpu_mut(), 7);
            let fresh = rig.vcpu().shared.bytes::<0xf0e>(UNUSED as usize);
            rig.sets(&[(5, u64::MAX), (7, first)]);
            let at = rig.ends("stw 5,0(7)");
            assert!(at < CODE, "{} {first:#x} {at:#x}", rig.name());
            assert!(rig.vcpu().shared.bytes::<0xf0e>(UNUSED as usize) == fresh, "{} {first:#x}", rig.name());
            assert_eq!((rig.field("scratch1") << 16, rig.field("scratch2")), (0, 0), "{} {first:#x}", rig.name());
            rig.map(0, 0);
        }
    }
}

/// At the top of the address space the page's end is followed by address 0.
#[test]
fn accesses_around_the_top() {
    for mut rig in rigs().filter(has_real_mode) {
        rig.map(TOP, TOP | 1);
        fill(&rig, 0, 16, 5);
        set_pattern(rig.vcpu_mut(), 6);
        let top = rig.seen(TOP);
        for back in 1..8 {
            let mut expected: Vec<u8> = (PAGE - back..PAGE).map(|offset| pattern(6, offset)).collect();
            expected.extend((0..8).map(|offset| pattern(5, offset)));
            let wide = rig.wide();
            let (load, store, bytes) = if wide { ("ld", "std", 8) } else { ("lwz", "stw", 4) };
            rig.sets(&[(7, (top - back).wrapping_add(PAGE)), (8, DATA)]);
            rig.run(&format!("{load} 10,0(7); {store} 10,0(8)"));
            assert_eq!(ram(&rig, DATA, bytes), expected[..bytes as usize], "{} -{back}", rig.name());
        }
        // The whole address space once round: every register from the page and from address 0.
        if rig.order == Order::Big {
            rig.set(7, (top - 8).wrapping_add(PAGE));
            rig.run("lmw 28,0(7)");
            let word = |at: u64| {
                (at..at + 4).fold(0, |word, at| word << 8 | u64::from(pattern(if at < 16 { 5 } else { 6 }, at)))
            };
            assert_eq!([28, 29, 30, 31].map(|n| rig.r(n)), [word(PAGE - 8), word(PAGE - 4), word(0), word(4)]);
        }
    }
}

/// Reservations, atomics and block operations: the page cannot be reserved, and nothing below it changes.
#[test]
fn atomics_and_blocks() {
    let page = DATA + PAGE;
    for mut rig in rigs() {
        rig.map(page, page);
        set_pattern(rig.vcpu_mut(), 1);
        fill(&rig, page, PAGE, 2);
        let below = ram(&rig, page, PAGE);
        let conditional = |cr: [u8; 8]| cr[0] & 2 != 0;
        // A reservation in the page is none.
        rig.sets(&[(5, 0x77), (7, page + 0x800), (8, DATA), (9, 0)]);
        rig.run("lwarx 6,0,7,0; stwcx. 5,0,7");
        assert!(!conditional(rig.vcpu().state.cr), "{}", rig.name());
        // One in RAM does not serve for the page, nor the other way round.
        rig.run("lwarx 6,0,8,0; stwcx. 5,0,7");
        assert!(!conditional(rig.vcpu().state.cr), "{}", rig.name());
        rig.run("lwarx 6,0,7,0; stwcx. 5,0,8");
        assert!(!conditional(rig.vcpu().state.cr), "{}", rig.name());
        // One made in RAM before the page came to lie there is no more.
        rig.map(0, 0);
        rig.sets(&[(5, 0x77), (7, page + 0x800)]);
        rig.run("lwarx 6,0,7,0");
        rig.map(page, page);
        rig.sets(&[(5, 0x77), (7, page + 0x800)]);
        rig.run("stwcx. 5,0,7");
        assert!(!conditional(rig.vcpu().state.cr), "{}", rig.name());
        assert!(ram(&rig, page, PAGE) == below, "{}", rig.name());
        if rig.has("lqarx") {
            rig.run("lqarx 10,0,7,0; stqcx. 10,0,7");
            assert!(!conditional(rig.vcpu().state.cr), "{}", rig.name());
        }
        if rig.has("ldat") {
            let at = rig.ends("ldat 10,7,0");
            assert_eq!(at, 0x300, "{}", rig.name());
        }
        let fresh = rig.vcpu().shared.bytes::<0xf10>(UNUSED as usize);
        // Cache operations change nothing.
        rig.run("dcbst 0,7; dcbf 0,7,0; icbi 0,7; sync 0; isync");
        assert!(rig.vcpu().shared.bytes::<0xf10>(UNUSED as usize) == fresh, "{}", rig.name());
        // The last block of the page becomes zero, and nothing else.
        let block = rig.cpu.cache_block();
        rig.set(7, page + PAGE - 1);
        rig.run("dcbz 0,7");
        for offset in UNUSED..PAGE {
            let expected = if offset >= PAGE - block { 0 } else { fresh[(offset - UNUSED) as usize] };
            assert_eq!(rig.vcpu().shared.bytes::<1>(offset as usize)[0], expected, "{} {offset:#x}", rig.name());
        }
        assert!(ram(&rig, page, PAGE) == below, "{}", rig.name());
    }
}
