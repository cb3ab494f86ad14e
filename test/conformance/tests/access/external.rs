//! External process ID instructions of e5500 and e6500 (Power ISA 2.06 Book III-E, sections 5.3.7 and 5.4.3): the process
//! ID, address space and privilege of EPLC, for stores those of EPSC, and never those of the processor.

use std::sync::Arc;

use conformance::{CODE, DATA, Rig, TOP, rigs};
use platform::Registers as _;
use ppc_isa::{Row, msr, rows};
use ppc_mmu::booke::{Assist, mas};

use super::devices::Witness;
use super::{pattern, ram};

/// The page that the tests look for.
const EA: u64 = 0x3000_0000;
/// EPLC and EPSC: problem state, address space 1.
const EPR: u64 = 1 << 31;
const EAS: u64 = 1 << 30;
/// A process whose page only its problem state may access, in address space 1.
const USER: u64 = 7;
/// A process whose page only privileged software may access, in address space 0.
const KERNEL: u64 = 9;
/// A process whose page is for reading only.
const READER: u64 = 11;
/// Where their pages are.
const PLACES: [(u64, u64); 3] = [(USER, DATA), (KERNEL, DATA + 0x1000), (READER, DATA + 0x2000)];

/// ESR: store, floating point, vector, external process ID.
const ST: u32 = 0x80_0000;
const FP: u32 = 0x100_0000;
const SPV: u32 = 0x80;
const EPID: u32 = 0x40;

const TLB_MISS: u64 = 0x1300;
const DATA_STORAGE: u64 = 0x300;

/// What each loads or stores: name, bytes, mark in ESR.
const ACCESSES: [(&str, usize, u32); 14] = [
    ("lbepx", 1, 0),
    ("lhepx", 2, 0),
    ("lwepx", 4, 0),
    ("ldepx", 8, 0),
    ("lfdepx", 8, FP),
    ("lvepx", 16, SPV),
    ("lvepxl", 16, SPV),
    ("stbepx", 1, ST),
    ("sthepx", 2, ST),
    ("stwepx", 4, ST),
    ("stdepx", 8, ST),
    ("stfdepx", 8, ST | FP),
    ("stvepx", 16, ST | SPV),
    ("stvepxl", 16, ST | SPV),
];
const TOUCHES: [&str; 3] = ["dcbstep", "dcbfep", "icbiep"];

/// A rig of each model that has them, with a page for each process at `EA`, and the units on.
fn machines() -> impl Iterator<Item = Rig> {
    rigs().filter(|rig| rig.has("lbepx")).map(|mut rig| {
        // UX SX UW SW UR SR.
        let rights = [0xa, 0x5, 0x3];
        for (n, ((pid, real), rights)) in PLACES.into_iter().zip(rights).enumerate() {
            let space = if pid == USER { mas::TS } else { 0 };
            rig.vcpu_mut().state.booke.tlb.write(&Assist {
                mas0: mas::TLBSEL | (4 + n as u32) << 16,
                mas1: mas::VALID | (pid as u32) << 16 | space | 1 << 8,
                mas2: EA,
                mas3: real as u32 | rights,
                ..Assist::default()
            });
        }
        rig.msr_on(msr::FP | msr::VEC);
        for (_, real) in PLACES {
            let bytes: Vec<u8> = (0..0x1000).map(|n| pattern(n) ^ (real >> 12) as u8).collect();
            assert!(rig.machine.mem.write(real, &bytes));
        }
        rig
    })
}

/// The external process ID instructions of the model.
fn own(rig: &Rig) -> impl Iterator<Item = &'static Row> {
    let cpu = rig.cpu;
    rows().filter(move |row| row.models.contains(cpu) && row.name.contains("ep") && row.asm.ends_with("RA0,RB"))
}

/// Runs `name` with r8, f8 or v8 at `ea`; returns where it ended, 0 for its own end.
fn run(rig: &mut Rig, name: &str, ea: u64, eplc: u64, epsc: u64) -> u64 {
    rig.sets(&[(5, ea - 0x20), (6, 0x20), (8, 0x1122_3344_5566_7788), (9, eplc), (10, epsc)]);
    rig.vcpu_mut().state.vsr[8] = [0x1122_3344_5566_7788, 0];
    rig.vcpu_mut().state.vsr[40] = [0x1122_3344_5566_7788, 0x99aa_bbcc_ddee_ff00];
    let register = if name.starts_with("dcb") && !name.contains("bt") || name == "icbiep" { "" } else { "8," };
    let program = format!("mtspr 947,9; mtspr 948,10; {name} {register}5,6");
    let end = rig.put(CODE, &program);
    let at = rig.start(end);
    if at == end { 0 } else { at }
}

/// What a load left in its register, as bytes.
fn loaded(rig: &Rig, name: &str, bytes: usize) -> Vec<u8> {
    let state = &rig.vcpu().state;
    let all = match name {
        "lfdepx" => state.vsr[8][0].to_be_bytes().to_vec(),
        "lvepx" | "lvepxl" => state.vsr[40].iter().flat_map(|half| half.to_be_bytes()).collect(),
        _ => state.gpr[8].to_be_bytes().to_vec(),
    };
    assert!(all[..all.len() - bytes].iter().all(|byte| *byte == 0), "{name}: {all:x?}");
    all[all.len() - bytes..].to_vec()
}

fn source(bytes: usize) -> Vec<u8> {
    let all: Vec<u8> =
        [0x1122_3344_5566_7788_u64, 0x99aa_bbcc_ddee_ff00].iter().flat_map(|n| n.to_be_bytes()).collect();
    if bytes < 8 { all[8 - bytes..8].to_vec() } else { all[..bytes].to_vec() }
}

fn has(rig: &Rig, name: &str) -> bool {
    own(rig).any(|row| row.name == name)
}

#[test]
fn by_the_context_of_another() {
    for mut rig in machines() {
        let fresh = rig.vcpu().clone();
        for (name, bytes, mark) in ACCESSES.into_iter().filter(|access| has(&rig, access.0)).collect::<Vec<_>>() {
            for ((pid, real), context) in [(PLACES[0], EPR | EAS | USER), (PLACES[1], KERNEL)] {
                for offset in [0x40, 0x43, 0xff0_usize] {
                    *rig.vcpu_mut() = fresh.clone();
                    let what = format!("{} {name} of {pid} at {offset:#x}", rig.name());
                    let before = ram(&rig, real, 0x1000);
                    // The other register is a trap: nobody is process 1.
                    let [eplc, epsc] = if mark & ST == 0 { [context, 1] } else { [1, context] };
                    assert_eq!(run(&mut rig, name, EA + offset as u64, eplc, epsc), 0, "{what}");
                    let start = if bytes == 16 { offset & !15 } else { offset };
                    let mut expected = before.clone();
                    if mark & ST == 0 {
                        assert_eq!(loaded(&rig, name, bytes), before[start..start + bytes], "{what}");
                    } else {
                        expected[start..start + bytes].copy_from_slice(&source(bytes));
                    }
                    assert!(ram(&rig, real, 0x1000) == expected, "{what}: memory");
                    assert!(rig.machine.mem.write(real, &before));
                }
            }
        }
    }
}

/// Faults tell in ESR what they were of, and in DEAR where; a miss prepares an entry for the other process.
#[test]
fn faults_are_marked() {
    for mut rig in machines() {
        let fresh = rig.vcpu().clone();
        let touches = TOUCHES.map(|name| (name, 1, 0)).into_iter().chain([("dcbzep", 64, ST)]);
        let all: Vec<_> = ACCESSES.into_iter().chain(touches).filter(|access| has(&rig, access.0)).collect();
        for (name, _, mark) in all {
            let store = mark & ST != 0;
            // The wrong privilege, the wrong privilege, no right to write; another process, the wrong address space.
            for (context, vector) in [
                (EAS | USER, DATA_STORAGE),
                (EPR | KERNEL, DATA_STORAGE),
                (READER, if store { DATA_STORAGE } else { 0 }),
                (EPR | EAS | 5, TLB_MISS),
                (EPR | USER, TLB_MISS),
                (EAS | KERNEL, TLB_MISS),
            ] {
                *rig.vcpu_mut() = fresh.clone();
                let what = format!("{} {name} {context:#x}", rig.name());
                let memory = ram(&rig, DATA, 0x3000);
                let good = EPR | EAS | USER;
                let [eplc, epsc] = if store { [good, context] } else { [context, good] };
                assert_eq!(run(&mut rig, name, EA + 0x40, eplc, epsc), vector, "{what}");
                if vector == 0 {
                    continue;
                }
                assert!(ram(&rig, DATA, 0x3000) == memory, "{what}: memory");
                let shared = &rig.vcpu().shared;
                assert_eq!((shared.esr(), shared.dar(), shared.srr0()), (mark | EPID, EA + 0x40, CODE + 8), "{what}");
                assert_eq!(rig.r(8), 0x1122_3344_5566_7788, "{what}");
                if vector == TLB_MISS {
                    let (pid, space) = (context as u32 & 0x3fff, context & EAS != 0);
                    let entry = shared.assist();
                    let mas1 = mas::VALID | pid << 16 | if space { mas::TS } else { 0 };
                    assert_eq!(entry.mas1 & !mas::TSIZE, mas1, "{what}");
                    assert_eq!((entry.mas2 & !0xfff, entry.mas6), (EA, pid << 16 | u32::from(space)), "{what}");
                }
            }
        }
    }
}

/// Over the end of the page, which the next one does not follow.
#[test]
fn a_second_page_that_misses() {
    for mut rig in machines() {
        let fresh = rig.vcpu().clone();
        for (name, bytes, mark) in ACCESSES.into_iter().filter(|access| (2..=8).contains(&access.1)) {
            *rig.vcpu_mut() = fresh.clone();
            let what = format!("{} {name}", rig.name());
            let memory = ram(&rig, DATA, 0x1000);
            let context = EPR | EAS | USER;
            assert_eq!(run(&mut rig, name, EA + 0x1001 - bytes as u64, context, context), TLB_MISS, "{what}");
            assert_eq!((rig.vcpu().shared.dar(), rig.vcpu().shared.esr()), (EA + 0x1000, mark | EPID), "{what}");
            assert!(ram(&rig, DATA, 0x1000) == memory, "{what}: memory");
        }
    }
}

#[test]
fn cache_operations() {
    for mut rig in machines() {
        let fresh = rig.vcpu().clone();
        let context = EPR | EAS | USER;
        for name in TOUCHES {
            *rig.vcpu_mut() = fresh.clone();
            assert_eq!(run(&mut rig, name, EA + 0x40, context, 1), 0, "{} {name}", rig.name());
        }
        // Hints do not fault.
        for name in ["dcbtep", "dcbtstep"] {
            *rig.vcpu_mut() = fresh.clone();
            assert_eq!(run(&mut rig, name, 0x7000_0000, 1, 1), 0, "{} {name}", rig.name());
        }
        *rig.vcpu_mut() = fresh.clone();
        let mut memory = ram(&rig, DATA, 0x1000);
        assert_eq!(run(&mut rig, "dcbzep", EA + 0x57, 1, context), 0, "{}", rig.name());
        memory[0x40..0x80].fill(0);
        assert!(ram(&rig, DATA, 0x1000) == memory, "{}", rig.name());
    }
}

/// Problem state has none of them; privileged software needs the units.
#[test]
fn privilege_and_units() {
    const PPR: u32 = 0x400_0000;
    for mut rig in machines() {
        let fresh = rig.vcpu().clone();
        let rows: Vec<&Row> = own(&rig).collect();
        for row in &rows {
            *rig.vcpu_mut() = fresh.clone();
            rig.msr_off(msr::FP | msr::VEC);
            rig.msr_on(msr::PR);
            let end = rig.place(CODE, &[row.value as u32 | 5 << 16 | 6 << 11]);
            assert_eq!(rig.start(end), 0x700, "{} {}", rig.name(), row.name);
            assert_eq!(rig.vcpu().shared.esr(), PPR, "{} {}", rig.name(), row.name);
        }
        for (name, _, mark) in ACCESSES.into_iter().filter(|access| has(&rig, access.0)).collect::<Vec<_>>() {
            *rig.vcpu_mut() = fresh.clone();
            rig.msr_off(msr::FP | msr::VEC);
            let vector = match mark & (FP | SPV) {
                FP => 0x800,
                SPV => 0xf20,
                _ => 0,
            };
            let context = EPR | EAS | USER;
            assert_eq!(run(&mut rig, name, EA + 0x40, context, context), vector, "{} {name}", rig.name());
        }
        assert_eq!(rows.len(), if has(&rig, "lvepx") { 20 } else { 16 }, "{}", rig.name());
    }
}

/// The fields of a hypervisor can not be set.
#[test]
fn registers_keep_their_fields() {
    for mut rig in machines() {
        rig.set(5, u64::MAX);
        rig.run("mtspr 947,5; mtspr 948,5; mfspr 6,947; mfspr 7,948");
        assert_eq!((rig.r(6), rig.r(7)), (0xc000_3fff, 0xc000_3fff), "{}", rig.name());
    }
}

/// The magic page is there for privileged software in address space 0, whoever accesses it.
#[test]
fn the_page() {
    for rig in machines() {
        let mut rig = rig.mapped();
        let (eplc, epsc) = (0, 0);
        assert_eq!(run(&mut rig, "stwepx", TOP + 0xf00, eplc, epsc), 0, "{}", rig.name());
        assert_eq!(rig.vcpu().shared.bytes(0xf00), 0x5566_7788_u32.to_be_bytes(), "{}", rig.name());
        assert_eq!(run(&mut rig, "lhepx", TOP + 0xf02, eplc, epsc), 0, "{}", rig.name());
        assert_eq!(rig.r(8), 0x7788, "{}", rig.name());
        assert_eq!(run(&mut rig, "lwepx", TOP + 0xf00, EPR, 0), TLB_MISS, "{}", rig.name());
        assert_eq!(run(&mut rig, "lwepx", TOP + 0xf00, EAS, 0), TLB_MISS, "{}", rig.name());
    }
}

/// A device sees the width of the access; where nothing answers is a machine check.
#[test]
fn devices() {
    const DEVICE: u64 = 16 << 20;
    for mut rig in machines() {
        let witness = Arc::new(Witness::default());
        witness.fill((0..0x1000).map(pattern).collect());
        rig.machine.attach(DEVICE..DEVICE + 0x1000, &witness);
        rig.msr_on(msr::ME);
        rig.translate(EA + 0x1_0000, DEVICE);
        rig.translate(EA + 0x1_1000, DEVICE + 0x1000);
        let fresh = rig.vcpu().clone();
        for (name, bytes, _) in ACCESSES.into_iter().filter(|access| access.1 <= 8) {
            *rig.vcpu_mut() = fresh.clone();
            let what = format!("{} {name}", rig.name());
            assert_eq!(run(&mut rig, name, EA + 0x1_0040, 0, 0), 0, "{what}");
            assert_eq!(witness.take(), [(0x40, bytes as u64)], "{what}");
            let value = witness.read(0x40, bytes as u64).to_be_bytes();
            if name.starts_with('l') {
                assert_eq!(loaded(&rig, name, bytes), value[8 - bytes..], "{what}");
            } else {
                assert_eq!(value[8 - bytes..], source(bytes), "{what}");
            }
            witness.take();
            assert_eq!(run(&mut rig, name, EA + 0x1_1040, 0, 0), 0x200, "{what}");
        }
        assert_eq!(run(&mut rig, "dcbzep", EA + 0x1_0047, 0, 0), 0x600, "{}", rig.name());
        let shared = &rig.vcpu().shared;
        assert_eq!((shared.dar(), shared.esr()), (EA + 0x1_0040, ST | EPID), "{}", rig.name());
    }
}
