//! Garbage in the page's fields.

use conformance::{CODE, DATA, Rig, TOP};
use guest_mem::Order;
use ppc_isa::cpu::{ALTIVEC, Family};
use ppc_isa::{Cpu, msr};

use super::{all, rigs, word_bytes};

/// MSR bits of `cpu` that no guest of ours ever has in effect, whatever it asks for: hypervisor state, transactions and
/// power management (Power ISA 2.07 and 3.0, Book III-S, 3.2.1); little-endian modes and TGPR of Book3S-32; of BookE
/// what the core lacks (EREF, 2.7.1).
fn forbidden(cpu: Cpu) -> u64 {
    const ILE: u64 = 1 << 16;
    const TGPR: u64 = 1 << 17;
    const GS: u64 = 1 << 28;
    let upper = 0xffff_ffff_0000_0000;
    match cpu.family() {
        Family::Book3s64 => msr::HV | msr::TM | msr::TS | msr::POW,
        Family::Book3s32 if cpu == Cpu::Ppc603 => upper | ILE | msr::LE | msr::POW | msr::VEC | msr::VSX | GS,
        Family::Book3s32 if cpu == Cpu::Ppc750 => upper | ILE | TGPR | msr::LE | msr::POW | msr::VEC | msr::VSX | GS,
        Family::Book3s32 => upper | ILE | TGPR | msr::LE | msr::POW | msr::VSX | GS,
        // The bit of SPE is AltiVec's where there is that.
        Family::BookE if !cpu.sixty_four() => upper | GS | msr::WE | msr::LE | msr::VSX | msr::CM,
        Family::BookE => upper | GS | msr::WE | msr::LE | msr::VSX | if ALTIVEC.contains(cpu) { 0 } else { msr::SPE },
    }
}

/// The mode that steers execution, which no store may change.
fn mode(rig: &Rig) -> (exec::mode::Mode, u16) {
    (rig.vcpu().state.mode, rig.vcpu().state.unavailable)
}

/// A store to the MSR's field changes what is read, and nothing that is in effect, until a full MSR write.
#[test]
fn msr_bits_of_any_kind() {
    for rig in all() {
        let mut rig = rig.mapped();
        rig.msr_off(msr::EE);
        let (fresh, in_effect) = (rig.vcpu().clone(), mode(&rig));
        for bit in 0..64 {
            *rig.vcpu_mut() = fresh.clone();
            let garbage = rig.seen(fresh.shared.msr() ^ 1 << bit);
            // Timebase and interrupts are no matter here.
            rig.sets(&[(5, garbage), (7, DATA)]);
            let store = if bit >= 32 && !rig.wide() { "nop" } else { "store 5,@msr" };
            rig.run(&format!("{store}; stw 5,0(7); mfmsr 6; lwz 8,0(7); nop"));
            let name = format!("{} bit {bit}", rig.name());
            assert_eq!(rig.r(6), garbage, "{name}");
            assert_eq!(mode(&rig), in_effect, "{name}");
        }
    }
}

/// Other privileged instructions do not put the garbage into effect either.
#[test]
fn msr_bits_and_registers_that_concern_the_mode() {
    for rig in all() {
        let mut rig = rig.mapped();
        // FSCR; DBCR0; SRR1.
        let register = match rig.family() {
            Family::Book3s64 => 153,
            Family::Book3s32 => 27,
            Family::BookE => 308,
        };
        let (fresh, in_effect) = (rig.vcpu().clone(), mode(&rig));
        let harmless = msr::EE | msr::CE;
        for garbage in [!(harmless | msr::DE), msr::PR, msr::IR | msr::DR, msr::LE, msr::SE, msr::FP | msr::VEC] {
            *rig.vcpu_mut() = fresh.clone();
            rig.sets(&[(5, fresh.shared.msr() ^ garbage), (6, 0)]);
            rig.run(&format!("store 5,@msr; mtspr {register},6; nop; nop"));
            assert_eq!(mode(&rig), in_effect, "{} {garbage:#x}", rig.name());
        }
    }
}

/// What a full MSR write takes over from garbage, by each of the ways to make one.
#[test]
fn full_writes_take_what_the_guest_may_own() {
    for rig in all() {
        let mut rig = rig.mapped();
        // What would lead elsewhere than to the next instruction.
        let astray = msr::PR | msr::IR | msr::DR | msr::EE | msr::CE | msr::DE | msr::SE | msr::BE | msr::IP;
        let order = if rig.order == Order::Little { 0 } else { msr::LE };
        let width = match rig.family() {
            Family::Book3s64 => msr::SF,
            _ => msr::CM,
        };
        // Waiting for an interrupt that does not come is another matter.
        let garbage = !(astray | order | msr::POW) | width;
        let fresh = rig.vcpu().clone();
        let back = if rig.family() == Family::Book3s64 { "rfid" } else { "rfi" };
        let mut ways = vec!["mtmsr 5; nop".to_owned()];
        ways.push(format!("store 5,@srr1; store 6,@srr0; {back}; nop"));
        ways.push(format!("mtspr 27,5; mtspr 26,6; {back}; nop"));
        ways.push("store 5,@msr; mtmsr 5; nop".to_owned());
        if rig.has("mtmsrd") {
            ways.push("mtmsrd 5,0; nop".to_owned());
        }
        if rig.family() == Family::BookE {
            ways.push("mtspr 59,5; mtspr 58,6; rfci; nop".to_owned());
            ways.push("mtspr 571,5; mtspr 570,6; rfmci; nop".to_owned());
        }
        for way in ways {
            *rig.vcpu_mut() = fresh.clone();
            let target = CODE + 4 * (way.matches(';').count() as u64);
            rig.sets(&[(5, garbage), (6, target)]);
            rig.run(&way);
            let (name, msr) = (format!("{} {way}", rig.name()), rig.vcpu().shared.msr());
            assert_eq!(msr & forbidden(rig.cpu), 0, "{name} {msr:#x}");
            assert!(!rig.vcpu().state.mode.problem(), "{name}");
        }
    }
}

/// Garbage that an interrupt finds in the MSR's field is what SRR1 says, and not what the handler runs with.
#[test]
fn interrupts_leave_garbage_behind() {
    for rig in all() {
        let mut rig = rig.mapped();
        let fresh = rig.vcpu().clone();
        for garbage in [u64::MAX, msr::HV | msr::TM, !0 ^ msr::PR, 0x5555_5555_5555_5555, 0] {
            *rig.vcpu_mut() = fresh.clone();
            let mut garbage = garbage & !(msr::EE | msr::CE | msr::DE);
            if rig.family() == Family::Book3s32 {
                garbage &= !msr::IP;
            }
            rig.sets(&[(0, 0), (3, 0), (4, 0), (5, garbage)]);
            let at = rig.ends("store 5,@msr; sc 0");
            let name = format!("{} {garbage:#x}", rig.name());

            assert_eq!(at, 0xc00, "{name}");
            let msr = rig.vcpu().shared.msr();
            assert_eq!(msr & forbidden(rig.cpu), 0, "{name} {msr:#x}");
            assert!(!rig.vcpu().state.mode.problem(), "{name}");
        }
    }
}

#[test]
fn srr0_of_any_kind() {
    for rig in all() {
        let mut rig = rig.mapped();
        let fresh = rig.vcpu().clone();
        let back = if rig.family() == Family::Book3s64 { "rfid" } else { "rfi" };
        for target in [u64::MAX, 0xffff_ffff, 0x8000_0000_0000_0001, 0x7fff_ffff, 16 << 20, (16 << 20) - 1, 1 << 60] {
            *rig.vcpu_mut() = fresh.clone();
            rig.sets(&[(5, rig.msr() & !msr::EE), (6, target)]);
            let end = rig.put(CODE, &format!("store 5,@srr1; store 6,@srr0; {back}"));
            let at = rig.start(end);
            assert!(at < CODE, "{} {target:#x}: {at:#x}", rig.name());
            assert_eq!(rig.vcpu().state.cia & 3, 0);
        }
    }
}

/// The host alone says whether an interrupt is pending: garbage there neither makes nor loses one.
#[test]
fn int_pending_of_any_kind() {
    for rig in all() {
        let mut rig = rig.mapped();
        let on = rig.msr() | msr::EE;
        for garbage in [1, u64::MAX, 0x8000_0000] {
            rig.sets(&[(5, garbage), (6, on)]);
            rig.run("stw 5,-0xf9c(0); mtmsr 6; nop; nop; mfmsr 7; b 4; nop");
            assert_eq!(rig.r(7), rig.seen(on), "{} {garbage:#x}", rig.name());
            rig.msr_off(msr::EE);
        }
        // The other way: pending, but the guest says that it is not.
        rig.line.set(true);
        rig.sets(&[(5, 0), (6, on)]);
        let at = rig.ends("nop; stw 5,-0xf9c(0); store 6,@msr; b 4; b 0");
        assert_eq!((at, rig.field("int_pending")), (0x500, 1), "{}", rig.name());
        rig.line.set(false);
    }
}

/// What an instruction takes back is not pending any more when the next one looks.
#[test]
fn int_pending_falls_at_once() {
    for rig in all().filter(|rig| rig.family() == Family::BookE && rig.has("msgclr")) {
        let mut rig = rig.mapped();
        rig.sets(&[(5, 0), (6, 9), (7, 9)]);
        rig.run("msgsnd 5; mfmsr 8; lwz 6,-0xf9c(0); msgclr 5; lwz 7,-0xf9c(0)");
        assert_eq!((rig.r(6), rig.r(7)), (1, 0), "{}", rig.name());
    }
}

#[test]
fn pir_of_any_kind() {
    for rig in all() {
        let mut rig = rig.mapped();
        rig.set(5, u64::MAX);
        rig.run(&format!("stw 5,-0xf34(0); mfspr 6,{}", if rig.family() == Family::BookE { 286 } else { 1023 }));
        assert_eq!((rig.r(6), rig.vcpu().state.pir), (0, 0), "{}", rig.name());
        assert_eq!(rig.field("pir"), 0xffff_ffff, "{}: what was stored", rig.name());
    }
}

/// Beyond the registers the page is zero, then what was stored.
#[test]
fn bytes_beyond_the_registers() {
    for rig in rigs() {
        let mut rig = rig.mapped();
        rig.sets(&[(5, 0), (7, TOP + 0xf0), (9, (0x1000 - 0xf0) / 4)]);
        let count = "mtspr 9,9; addi 7,7,-4";
        rig.run(&format!("{count}; lwzu 6,4(7); or 5,5,6; bc 16,0,-8"));
        assert_eq!(rig.r(5), 0, "{}", rig.name());
        rig.sets(&[(5, 0x1111), (7, TOP + 0xf0)]);
        rig.run(&format!("{count}; stwu 5,4(7); bc 16,0,-4"));
        for offset in (0xf0..0x1000).step_by(4) {
            assert_eq!(rig.vcpu().shared.bytes(offset), word_bytes(&rig, 0x1111), "{} {offset:#x}", rig.name());
        }
    }
}

/// Segment registers of any content: whatever they make of addresses, the machine goes on.
#[test]
fn segments_of_any_kind() {
    for rig in all().filter(|rig| rig.family() == Family::Book3s32) {
        let mut rig = rig.mapped();
        let fresh = rig.vcpu().clone();
        for garbage in [u64::MAX, 0x8000_0000, 0x7fff_ffff, 0x00ff_ffff, 0x1000_0000] {
            *rig.vcpu_mut() = fresh.clone();
            let segments = rig.vcpu().state.book3s32.segments;
            // Stores alone do nothing: relocation is off.
            rig.sets(&[(5, garbage), (7, 0x3000_0000)]);
            rig.run("addi 9,0,16; mtspr 9,9; addi 10,0,-0xf9c; stwu 5,4(10); bc 16,0,-4");
            assert_eq!(rig.vcpu().state.book3s32.segments, segments, "{}", rig.name());
            assert_eq!(rig.field("sr15"), rig.seen(garbage) & 0xffff_ffff);
            let on = rig.msr() | msr::DR | msr::IR;
            rig.set(6, on);
            let at = rig.ends("mtmsr 6; isync; lwz 8,0(7)");
            // A table without entries, or a direct-store segment: a data storage interrupt either way.
            assert_eq!(at, 0x300, "{} {garbage:#x}", rig.name());
            rig.run("mfsrin 8,7");
            assert_eq!(rig.r(8), garbage & 0xffff_ffff, "{}", rig.name());
        }
    }
}

/// Assist registers of any content, written to the TLB, read and searched again.
#[test]
fn assist_registers_of_any_kind() {
    const FIELDS: [&str; 4] = ["mas0", "mas1", "mas4", "mas6"];
    const VALUES: [u64; 7] =
        [0, u64::MAX, 0x5555_5555_5555_5555, 1 << 63 | 1 << 31, 0xfff, 0x7fff_ffff, 0x0f00_0f00_1fff_0f00];
    for rig in all().filter(|rig| rig.family() == Family::BookE) {
        let mut rig = rig.mapped();
        let fresh = rig.vcpu().clone();
        for first in VALUES {
            for second in VALUES {
                *rig.vcpu_mut() = fresh.clone();
                // Entries 0 and 1 of TLB1 hold program and data.
                let (mas0, mas1) = (first & !0x1000_0000, second);
                rig.sets(&[(5, mas0), (6, mas1), (7, first ^ second), (8, DATA)]);
                let stores: String =
                    FIELDS.iter().zip([5, 6, 7, 5]).map(|(field, r)| format!("stw {r},@{field}; ")).collect();
                rig.run(&format!("{stores} store 5,@mas2; store 6,@mas7_3; tlbwe; tlbre; tlbsx 0,8; tlbsx 8,7; nop"));
                let entry = rig.vcpu().shared.assist();
                // Real addresses have 36 bits, and MAS7 no others.
                assert_eq!(entry.mas7 & !0xf, 0, "{}", rig.name());
                // Array 1, entry 5 or what the garbage names beyond.
                rig.sets(&[(5, first | 0x1005_0000), (6, second & !0x4000_0000)]);
                let local = if rig.has("tlbilx") { "tlbilx 3,0,8" } else { "nop" };
                rig.run(&format!("{stores} store 6,@mas2; tlbwe; tlbre; {local}; tlbivax 0,7; tlbsync; nop"));
            }
        }
    }
}
