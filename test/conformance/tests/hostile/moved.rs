//! The page unmapped and moved while it is in use.

use conformance::{CODE, DATA, Rig, TOP};
use ppc_isa::cpu::Family;
use ppc_isa::msr;
use pv_abi::kvm::MAGIC;

use super::{PAGE, TRAP, all, fill, has_real_mode, ram, rigs, set_word};

/// Prepares a hypercall that maps the page.
fn call(rig: &mut Rig, real: u64, effective: u64) {
    rig.sets(&[(0, MAGIC.into()), (3, real), (4, effective), (11, 0x2a_0004)]);
}

/// Enters a critical section with an interrupt pending; where the section goes on.
fn section(mut rig: Rig) -> Rig {
    rig = rig.mapped();
    rig.sets(&[(1, 0x12_3450), (5, 0xaaaa_0001)]);
    rig.line.set(true);
    let on = rig.msr() | msr::EE;
    rig.set(6, on);
    rig
}

#[test]
fn unmapped_inside_a_critical_section() {
    for rig in all() {
        let mut rig = section(rig);
        call(&mut rig, 0, 0);
        // The interrupt that the section held off comes after the call: there is no page that could hold it.
        let end = rig.put(CODE, "store 1,@critical; store 5,@sprg1; mtmsr 6; nop; sc 0; nop; nop");
        let at = rig.start(end);
        assert_eq!(at, 0x500, "{}", rig.name());
        assert_eq!(rig.field("srr0"), CODE + 20, "{}", rig.name());
        // What the page held is the processor's as before.
        rig.line.set(false);
        rig.run("mfspr 7,273");
        assert_eq!(rig.r(7), 0xaaaa_0001, "{}", rig.name());
    }
}

#[test]
fn moved_inside_a_critical_section() {
    for rig in all() {
        let mut rig = section(rig);
        call(&mut rig, DATA, DATA | 1);
        // Still critical, wherever the page is, until the field says otherwise at the new place.
        rig.set(7, DATA);
        let offset = if rig.wide() { 0x18 } else { 0x1c };
        let store = if rig.wide() { "std" } else { "stw" };
        let program = format!("store 1,@critical; mtmsr 6; sc 0; nop; nop; {store} 2,{offset}(7); b 0");
        let end = rig.put(CODE, &program);
        let at = rig.start(end + 4);
        assert_eq!(at, 0x500, "{}", rig.name());
        assert_eq!(rig.field("srr0"), end - 4, "{}: not before the section's end", rig.name());
        assert_eq!(rig.r(3), 0, "{}", rig.name());
    }
}

/// A handler that moves the page under the code that it interrupts, and returns.
#[test]
fn moved_by_an_interrupt_handler() {
    for rig in all() {
        let mut rig = rig.mapped();
        call(&mut rig, DATA, DATA | 1);
        rig.line.one_shot.store(true, std::sync::atomic::Ordering::Release);
        rig.line.set(true);
        let back = if rig.family() == Family::Book3s64 { "rfid" } else { "rfi" };
        rig.put(0x500, &format!("sc 0; {back}"));
        let on = rig.msr() | msr::EE;
        rig.sets(&[(6, on), (5, 0xaaaa_0001), (7, DATA)]);
        let sprg0 = if rig.wide() { "ld 8,0x20(7)" } else { "lwz 8,0x24(7)" };
        rig.run(&format!("store 5,@sprg0; mtmsr 6; nop; {sprg0}"));
        assert_eq!(rig.r(8), 0xaaaa_0001, "{}", rig.name());
        assert_eq!(rig.msr(), on, "{}", rig.name());
        // The old place has nothing any more.
        assert!(rig.ends("load 8,@sprg0") < CODE, "{}", rig.name());
    }
}

/// Code that runs in the page and takes it away: it goes on in what was below.
#[test]
fn unmapped_by_code_that_runs_in_it() {
    for mut rig in all().filter(has_real_mode) {
        let page = DATA;
        // In the page `sc` and rubbish; below it rubbish and an end.
        for offset in [0x800, 0xffc] {
            set_word(&mut rig, offset as usize, 0x4400_0002);
            rig.map(page, page | 1);
            rig.poke(page + offset + 4, TRAP);
            call(&mut rig, 0, 0);
            rig.vcpu_mut().state.cia = page + offset;
            let at = rig.resume(page + offset + 4);
            assert_eq!((at, rig.r(3)), (page + offset + 4, 0), "{}", rig.name());
        }
    }
}

/// Back and forth between two places, with stores to both that translations might remember.
#[test]
fn moved_to_and_fro() {
    let (a, b) = (DATA, DATA + PAGE);
    for mut rig in rigs() {
        for relocated in [0, rig.relocation()] {
            rig.msr_on(relocated);
            fill(&rig, a, 2 * PAGE, 9);
            for turn in 0..8 {
                let (page, other) = if turn % 2 == 0 { (a, b) } else { (b, a) };
                rig.map(page, page | 1);
                rig.sets(&[(5, 0x1000 + turn), (6, 0x2000 + turn), (7, page), (8, other)]);
                rig.run("stw 5,0x7f0(7); stw 6,0x7f0(8); lwz 9,0x7f0(7); lwz 10,0x7f0(8)");
                assert_eq!((rig.r(9), rig.r(10)), (0x1000 + turn, 0x2000 + turn), "{} turn {turn}", rig.name());
                assert_eq!(u64::from(rig.peek(other + 0x7f0)), 0x2000 + turn, "{} turn {turn}", rig.name());
            }
        }
        let under = ram(&rig, b, 4);
        assert_ne!(under, [0; 4]);
    }
}

/// Problem state finds the guest's own memory at the page's address, before and after each look from privileged state.
#[test]
fn hidden_from_problem_state_at_once() {
    for mut rig in rigs() {
        rig.map(TOP, DATA | 1);
        rig.translate(DATA, DATA);
        rig.msr_on(rig.relocation());
        rig.poke(DATA + 0x7f0, 0x5555);
        let privileged = rig.msr();
        for turn in 0..4 {
            rig.set_msr(privileged);
            rig.sets(&[(5, 0x6000 + turn), (7, DATA)]);
            rig.run("stw 5,0x7f0(7); lwz 6,0x7f0(7)");
            assert_eq!(rig.r(6), 0x6000 + turn, "{}", rig.name());
            rig.msr_on(msr::PR);
            rig.run("lwz 6,0x7f0(7); addi 6,6,1; stw 6,0x7f0(7)");
            assert_eq!(rig.r(6), 0x5556 + turn, "{}", rig.name());
        }
    }
}
