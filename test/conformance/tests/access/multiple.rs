//! Multiple and string accesses (Power ISA Book I, sections 3.3.5 and 3.3.6), against a model of bytes in a row.

use conformance::{CODE, DATA, Rig, rigs};
use guest_mem::Order;
use ppc_isa::cpu::{Family, STRING};

use super::Random;

/// Alignment interrupt.
const ALIGNMENT: u64 = 0x600;
/// What an instruction loads from.
const SOURCE: u64 = DATA + 0x100;

/// XER with string count `count`.
fn set_count(rig: &mut Rig, count: u64) {
    let xer = rig.vcpu().state.xer();
    rig.vcpu_mut().state.set_xer(xer & !0x7f | count);
}

/// Registers of random content, and memory.
fn scramble(rig: &mut Rig, random: &mut Random) -> Vec<u8> {
    (0..32).for_each(|n| rig.set(n, random.next()));
    let bytes: Vec<u8> = (0..0x400).map(|_| random.next() as u8).collect();
    assert!(rig.machine.mem.write(DATA, &bytes));
    bytes
}

/// Words to registers from `first` on, as many bytes as there are: r0 follows r31, and the last word is filled with
/// zeros.
fn loaded(rig: &Rig, first: usize, bytes: &[u8]) -> [u64; 32] {
    let mut gpr = std::array::from_fn(|n| rig.r(n));
    for (n, word) in bytes.chunks(4).enumerate() {
        let word = word.iter().chain(&[0; 3]).take(4).fold(0, |all, byte| all << 8 | u64::from(*byte));
        gpr[(first + n) % 32] = word;
    }
    gpr
}

/// The other way round.
fn stored(rig: &Rig, first: usize, count: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..32).flat_map(|n| (rig.r((first + n) % 32) as u32).to_be_bytes()).collect();
    bytes.truncate(count);
    bytes
}

/// Runs `program`, a string instruction whose address RA (and RB) make: RA is `ra`, RB `rb`, and their sum SOURCE.
fn check(rig: &mut Rig, random: &mut Random, program: &str, first: usize, count: usize, [ra, rb]: [usize; 2]) {
    let mut memory = scramble(rig, random);
    match (ra, rb) {
        (0, 0) => return,
        (0, rb) => rig.set(rb, SOURCE),
        (ra, 0) => rig.set(ra, SOURCE),
        (ra, rb) if ra == rb => rig.set(ra, SOURCE / 2),
        (ra, rb) => rig.sets(&[(ra, SOURCE - 0x80), (rb, 0x80)]),
    }
    let what = format!("{} {program}, {count} bytes", rig.name());
    let start = (SOURCE - DATA) as usize;
    let before: [u64; 32] = std::array::from_fn(|n| rig.r(n));
    let expected = if program.starts_with('l') {
        loaded(rig, first, &memory[start..start + count])
    } else {
        memory[start..start + count].copy_from_slice(&stored(rig, first, count));
        before
    };
    rig.run(program);
    assert_eq!(std::array::from_fn(|n| rig.r(n)), expected, "{what}");
    assert!(super::ram(rig, DATA, memory.len()) == memory, "{what}: memory");
}

/// Every count, every first register with wrap-around, RA and RB among the registers that are loaded (an invalid form:
/// they are loaded like the others), RA = 0.
#[test]
fn strings() {
    let mut random = Random(0xfeed_5eed);
    for mut rig in rigs().filter(|rig| STRING.contains(rig.cpu) && rig.order == Order::Big) {
        for first in [0, 3, 5, 17, 28, 30, 31_usize] {
            for count in (0..32).chain([40, 63, 64, 65, 100, 125, 126, 127_usize]) {
                let [ra, rb] = [random.next() as usize % 32, 1 + random.next() as usize % 31];
                for [ra, rb] in [[ra, rb], [0, rb], [first, rb], [5, (first + 1) % 32]] {
                    let rb = if rb == 0 { 7 } else { rb };
                    set_count(&mut rig, count as u64);
                    for name in ["lswx", "stswx"] {
                        let program = format!("{name} {first},{ra},{rb}");
                        check(&mut rig, &mut random, &program, first, count, [ra, rb]);
                    }
                }
                if count < 32 && ra != 0 {
                    let bytes = if count == 0 { 32 } else { count };
                    for name in ["lswi", "stswi"] {
                        let program = format!("{name} {first},{ra},{count}");
                        check(&mut rig, &mut random, &program, first, bytes, [ra, 0]);
                    }
                }
            }
        }
    }
}

/// A string of no bytes at an address that is not mapped accesses nothing and changes nothing.
#[test]
fn strings_of_no_bytes() {
    for mut rig in rigs().filter(|rig| STRING.contains(rig.cpu) && rig.order == Order::Big) {
        rig.msr_on(rig.relocation());
        rig.sets(&[(5, 0x7000_0000), (6, 0)]);
        set_count(&mut rig, 0);
        let before: [u64; 32] = std::array::from_fn(|n| rig.r(n));
        rig.run("lswx 8,5,6; stswx 8,5,6");
        assert_eq!(std::array::from_fn(|n| rig.r(n)), before, "{}", rig.name());
    }
}

/// `lmw` and `stmw` with every first register; RA among them, an invalid form, is loaded like the others.
#[test]
fn multiples() {
    let mut random = Random(0xbead_5eed);
    for mut rig in rigs().filter(|rig| rig.order == Order::Big) {
        for first in 0..32 {
            for ra in [1, 5, 29, 31_usize] {
                for name in ["lmw", "stmw"] {
                    let mut memory = scramble(&mut rig, &mut random);
                    rig.set(ra, SOURCE + 0x40);
                    let start = (SOURCE - DATA) as usize;
                    let count = 4 * (32 - first);
                    let mut expected = std::array::from_fn(|n| rig.r(n));
                    if name == "lmw" {
                        expected = loaded(&rig, first, &memory[start..start + count]);
                    } else {
                        memory[start..start + count].copy_from_slice(&stored(&rig, first, count));
                    }
                    let program = format!("{name} {first},-0x40({ra})");
                    rig.run(&program);
                    let what = format!("{} {program}", rig.name());
                    assert_eq!(std::array::from_fn(|n| rig.r(n)), expected, "{what}");
                    assert!(super::ram(&rig, DATA, memory.len()) == memory, "{what}: memory");
                }
            }
        }
    }
}

/// In little-endian mode all of them are alignment interrupts, wherever they go and however short they are; nothing is
/// accessed.
#[test]
fn little_endian() {
    for mut rig in rigs().filter(|rig| rig.order == Order::Little) {
        assert_eq!(rig.family(), Family::Book3s64);
        rig.msr_on(rig.relocation());
        let fresh = rig.vcpu().clone();
        for ea in [SOURCE, SOURCE + 1, 0x7000_0000] {
            for count in [0, 1, 4, 13] {
                for program in ["lmw 28,0(5)", "stmw 28,0(5)", "lswi 8,5,4", "stswi 8,5,4", "lswx 8,5,6", "stswx 8,5,6"]
                {
                    *rig.vcpu_mut() = fresh.clone();
                    let memory = scramble(&mut rig, &mut Random(ea | 1));
                    set_count(&mut rig, count);
                    rig.sets(&[(5, ea), (6, 0)]);
                    let before = super::registers(&rig);
                    let what = format!("{} {program} at {ea:#x}", rig.name());
                    assert_eq!(rig.ends(program), ALIGNMENT, "{what}");
                    assert_eq!((rig.vcpu().shared.dar(), rig.vcpu().shared.srr0()), (ea, CODE), "{what}");
                    assert_eq!(super::registers(&rig), before, "{what}");
                    assert!(super::ram(&rig, DATA, memory.len()) == memory, "{what}: memory");
                }
            }
        }
    }
}
