//! Sections of patched code where pages and memory end.

use conformance::{CODE, DATA, Rig};
use guest_mem::{GuestMem, Order};
use ppc_isa::Cpu;
use ppc_isa::cpu::Family;
use ppc_isa::msr;
use pv_abi::magic::{FEATURE_MAS0_TO_SPRG7, FEATURE_SR};
use pv_abi::rewrite::Build;
use pv_guest::code::{Bytes, Code, Region};
use pv_guest::patch::{Patcher, Reason, Trampoline};

use super::{PAGE, RAM, rigs};

const MTMSR_R5: u32 = 0x7ca0_0124;

/// What kernels for `cpu` are built for.
fn build(cpu: Cpu) -> Build {
    match cpu.family() {
        Family::Book3s32 => Build::Book3s32,
        Family::Book3s64 => Build::Book3s64,
        Family::BookE if cpu.sixty_four() => Build::BookE64,
        Family::BookE => Build::BookE32,
    }
}

/// Words of one section for `mtmsr`.
fn section_words(rig: &Rig) -> usize {
    let mut room = Trampoline::new(Region { code: Bytes::big_endian(vec![0; 0x400]), address: DATA });
    let mut text = Region { code: Bytes::big_endian(MTMSR_R5.to_be_bytes().to_vec()), address: CODE };
    let patcher = Patcher { build: build(rig.cpu), features: 0, exclude: &[], copied: &[] };
    patcher.run(&mut text, &mut room, |_| ());
    room.used()
}

/// Code in the guest's order.
fn code(rig: &Rig, words: &[u32]) -> Bytes<Vec<u8>> {
    let little = rig.order == Order::Little;
    let bytes = words.iter().flat_map(|word| if little { word.to_le_bytes() } else { word.to_be_bytes() }).collect();
    if little { Bytes::little_endian(bytes) } else { Bytes::big_endian(bytes) }
}

fn write(mem: &GuestMem, order: Order, region: &Region<Bytes<Vec<u8>>>) {
    for index in 0..region.code.word_count() {
        let word = region.code.word(index).unwrap();
        assert!(mem.store(region.address + 4 * index as u64, order, word));
    }
}

/// Puts `mtmsr 5` at `site`, patched, with its section at `room`.
fn patch(rig: &mut Rig, site: u64, room: u64) {
    let words = section_words(rig);
    let mut text = Region { code: code(rig, &[MTMSR_R5]), address: site };
    let mut section = Region { code: code(rig, &vec![0; words]), address: room };
    let features = FEATURE_SR | FEATURE_MAS0_TO_SPRG7;
    let patcher = Patcher { build: build(rig.cpu), features, exclude: &[], copied: &[] };
    let mut trampoline = Trampoline::new(Region { code: &mut section.code, address: room });
    let report = patcher.run(&mut text, &mut trampoline, |_| ());
    assert_eq!((report.rewritten(), report.complete()), (1, true), "{}", rig.name());
    write(&rig.machine.mem, rig.order, &text);
    write(&rig.machine.mem, rig.order, &section);
}

/// Rigs with the page mapped, r1 and r2 as a kernel has them, and in r5 an MSR that lacks RI or has it.
fn kernels() -> impl Iterator<Item = Rig> {
    rigs().map(|rig| {
        let mut rig = rig.mapped();
        let changed = rig.msr() ^ msr::RI;
        rig.sets(&[(1, 0x12_3450), (2, 0x67_8900), (5, changed), (30, 30), (31, 31)]);
        rig
    })
}

#[track_caller]
fn works(rig: &mut Rig, what: &str) {
    let other = rig.msr() ^ msr::RI;
    rig.set(5, other);
    assert_eq!(rig.start(CODE + 4), CODE + 4, "{} {what}", rig.name());
    assert_eq!((rig.r(30), rig.r(31), rig.field("msr")), (30, 31, rig.r(5)), "{} {what}", rig.name());
    assert_eq!(rig.field("critical") as u32, 0x67_8900, "{} {what}", rig.name());
}

#[test]
fn sections_across_pages_and_at_the_end_of_memory() {
    for mut rig in kernels() {
        let words = section_words(&rig) as u64;
        let places = (1..words).map(|n| DATA + PAGE - 4 * n).chain([RAM - 4 * words, RAM - 4 * words - 4]);
        for room in places {
            patch(&mut rig, CODE, room);
            works(&mut rig, &format!("{room:#x}"));
        }
    }
}

/// The last word of memory is patched, and the section returns to where there is none.
#[test]
fn a_site_at_the_end_of_memory() {
    for mut rig in kernels() {
        let site = RAM - 4;
        patch(&mut rig, site, DATA);
        rig.vcpu_mut().state.cia = site;
        let at = rig.resume(CODE);
        assert!(at < CODE, "{} {at:#x}", rig.name());
        if rig.family() == Family::BookE {
            // No entry maps what comes next.
            assert_eq!((at, rig.field("srr0"), rig.field("srr1")), (0x1400, RAM, rig.r(5)), "{}", rig.name());
        } else {
            assert_eq!((at, rig.field("srr0")), (0x200, RAM), "{}", rig.name());
            assert_eq!((rig.field("srr1") ^ rig.r(5)) & (msr::EE | msr::RI), 0, "{}", rig.name());
        }
        assert_eq!((rig.r(30), rig.r(31)), (30, 31), "{}", rig.name());
    }
}

/// Regions at the ends of the address space: what cannot be reached is left, and nothing overflows.
#[test]
fn regions_at_the_ends_of_the_address_space() {
    for build in Build::ALL {
        let patcher = Patcher { build, features: 3, exclude: &[], copied: &[] };
        let ends = [0, 4, 0x7fff_fffc, 0x8000_0000, 0xffff_fff0, 0xffff_ffff_ffff_fff0, 0x7fff_ffff_ffff_fff0, 1 << 60];
        for site in ends {
            for room in ends {
                let words: Vec<u8> = [MTMSR_R5; 16].iter().flat_map(|word| word.to_be_bytes()).collect();
                let mut text = Region { code: Bytes::big_endian(words.clone()), address: site };
                let mut trampoline =
                    Trampoline::new(Region { code: Bytes::big_endian(vec![0; 0x1000]), address: room });
                let report = patcher.run(&mut text, &mut trampoline, |_| ());
                let left: u32 = Reason::ALL.iter().map(|reason| report.skipped(*reason)).sum();
                assert_eq!((report.words, report.rewritten() + left), (16, 16), "{site:#x} {room:#x}");
            }
        }
    }
}
