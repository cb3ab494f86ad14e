//! `ibm,client-architecture-support`.

use crate::stage::{OPTIONS, RAM, Stage};

const AT: u64 = 0x3_0000;
const POWER9: (u32, u32) = (u32::MAX, 0x0f00_0005);
/// Any processor with a logical version of Power ISA 2.05 and before; it ends the list.
const LAST: (u32, u32) = (0xffff_fffe, 0x0f00_0001);

/// Vectors 1 to 4 are of one byte each.
fn vectors(versions: &[(u32, u32)], options: &[u8]) -> Vec<u8> {
    let versions = versions.iter().flat_map(|(mask, value)| [mask.to_be_bytes(), value.to_be_bytes()].concat());
    let small = [0_u8, 0x80].repeat(4);
    versions.chain([4]).chain(small).chain([options.len() as u8 - 1]).chain(options.iter().copied()).collect()
}

/// Vector 5 that has everything, and wants this of interrupts and MMU.
fn options(interrupts: u8, mmu: u8) -> Vec<u8> {
    let mut options = vec![0xff; 26];
    (options[22], options[23]) = (interrupts, mmu);
    options
}

fn ask(stage: &mut Stage, at: u64, vectors: &[u8]) -> u32 {
    assert!(stage.mem.write(at, vectors));
    let root = stage.open("/");
    let [caught, refused] = stage.method(root, "ibm,client-architecture-support", &[at as u32], 1)[..] else {
        panic!()
    };
    assert_eq!(caught, 0);
    refused
}

#[track_caller]
fn asked(versions: &[(u32, u32)], options: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut stage = Stage::new();
    let refused = ask(&mut stage, AT, &vectors(versions, options)) != 0;
    let vec_5 = stage.property("/chosen", "ibm,architecture-vec-5");
    assert_eq!(vec_5.is_none(), refused);
    Some((vec_5?, stage.property("/cpus/PowerPC,POWER9@1", "cpu-version")?))
}

#[test]
fn both_sides_options_are_agreed_on() {
    let (vec_5, version) = asked(&[POWER9, LAST], &options(0, 0x40)).unwrap();
    assert_eq!((&vec_5[..], &version[..]), (&OPTIONS[..], &[0x0f, 0, 0, 5][..]));
    // Either kind of translation, neither hot-plug events nor GTSE.
    let mut less = options(0x80, 0x80);
    (less[5], less[25]) = (0, 0);
    let (vec_5, _) = asked(&[POWER9, LAST], &less).unwrap();
    assert_eq!((vec_5[6], vec_5[26], vec_5[22..25].to_vec()), (0, 0, vec![0x80, 0, 0x40]));
}

#[test]
fn versions_go_from_the_newest_that_both_know() {
    let want = options(0, 0x40);
    let version = |versions: &[(u32, u32)]| asked(versions, &want).map(|(_, version)| version[3]);
    assert_eq!(version(&[(u32::MAX, 0x0f00_0006), POWER9, (u32::MAX, 0x0f00_0004), LAST]), Some(5));
    assert_eq!(version(&[(u32::MAX, 0x0f00_0004), LAST]), Some(4));
    assert_eq!(version(&[(0xffff_0000, 0x004e_0000), LAST]), Some(5), "by its own version");
    assert_eq!(version(&[(0, u32::MAX)]), Some(5), "any");
    assert_eq!(version(&[(u32::MAX, 0x0f00_0006), LAST]), None);
    assert_eq!(version(&[LAST]), None);
    assert_eq!(version(&[(u32::MAX, 1); 600]), None, "no end");
}

#[test]
fn what_the_machine_is_not_is_refused() {
    for (interrupts, mmu) in [(0, 0), (0x40, 0x40), (0x40, 0), (0xc0, 0x40), (0, 0xc0)] {
        assert!(asked(&[POWER9, LAST], &options(interrupts, mmu)).is_none(), "{interrupts:x} {mmu:x}");
    }
    assert!(asked(&[POWER9, LAST], &[0xff; 20]).is_none(), "knows of hash translation only");
}

#[test]
fn the_client_chooses_where_it_may() {
    for (wanted, agreed) in [(0, Some(0)), (0x40, Some(0x40)), (0x80, Some(0x40)), (0xc0, None)] {
        let mut stage = Stage::with(true);
        let refused = ask(&mut stage, AT, &vectors(&[POWER9, LAST], &options(0, wanted)));
        let vec_5 = stage.property("/chosen", "ibm,architecture-vec-5");
        assert_eq!((refused != 0, vec_5.map(|vec_5| vec_5[24])), (agreed.is_none(), agreed), "{wanted:x}");
    }
}

#[test]
fn vectors_that_leave_memory_are_refused() {
    let mut stage = Stage::new();
    let good = vectors(&[POWER9, LAST], &options(0, 0x40));
    let end = RAM - good.len() as u64;
    assert_eq!(ask(&mut stage, end, &good), 0);
    for cut in 1..good.len() {
        assert_ne!(ask(&mut stage, end + cut as u64, &good[..good.len() - cut]), 0, "{cut}");
    }
    let root = stage.open("/");
    for at in [RAM as u32, u32::MAX, u32::MAX - 7] {
        assert_eq!(stage.method(root, "ibm,client-architecture-support", &[at], 1), [0, u32::MAX]);
    }
    assert_ne!(stage.method(root, "ibm,client-architecture-support", &[], 1)[0], 0);
}
