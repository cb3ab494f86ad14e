//! Idle, PAPR, OSI and the external proxy.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use conformance::{CODE, DATA, Rig, Runner, partitions, rigs};
use exec::partition::Ail;
use exec::{Privileged, request};
use guest_mem::Order;
use hv_core::{Hypervisor, Next};
use hv_pv::Osi;
use machine::{Calls, Kind};
use papr_abi::hcall::*;
use papr_abi::status::*;
use ppc_isa::cpu::Family;
use ppc_isa::{Cpu, msr};
use pv_abi::{kvm, osi};

const EV_IDLE: u64 = 0x1_0010;
const UNIMPLEMENTED: u64 = 12;
/// Ticks of virtual time: those of an interrupt that wakes, and a time that never comes.
const SOON: u64 = 100_000;
const NEVER: u64 = 1 << 62;
/// `TCR[DIE]` and `TSR[DIS]` of BookE.
const DIE: u64 = 0x0400_0000;
const DIS: u64 = 0x0800_0000;

/// Sets the timer to interrupt in `SOON` ticks.
fn wake_soon(rig: &mut Rig) {
    rig.sets(&[(5, DIE), (6, SOON)]);
    rig.run(if rig.family() == Family::BookE { "mtspr 340,5; mtspr 22,6" } else { "mtspr 22,6" });
}

/// Keeps the timer quiet.
fn never_wake(rig: &mut Rig) {
    if rig.family() != Family::BookE {
        rig.vcpu_mut().state.decrementer = NEVER;
    }
}

/// A handler of timer interrupts that quiets its source and keeps r3, r4, SRR0 and SRR1 in r14 to r17.
fn handle_timer(rig: &mut Rig) {
    rig.sets(&[(18, 0x7fff_ffff), (19, DIS)]);
    let (quiet, back) = match rig.family() {
        Family::Book3s64 => ("mtspr 22,18", "rfid"),
        Family::Book3s32 => ("mtspr 22,18", "rfi"),
        Family::BookE => ("mtspr 336,19", "rfi"),
    };
    rig.put(0x900, &format!("or 14,3,3; or 15,4,4; mfspr 16,26; mfspr 17,27; {quiet}; {back}"));
}

/// Virtual time that passed beyond instructions, since processors were made.
fn slept(rig: &Rig) -> u64 {
    rig.vcpu().state.timebase_offset
}

/// About `SOON`: some instructions ran meanwhile.
fn soon(ticks: u64) -> bool {
    (SOON - 100..=SOON).contains(&ticks)
}

#[test]
fn case_91_idle_blocks_until_the_timer_and_neither_sets_nor_tests_ee() {
    for rig in rigs().chain(partitions()) {
        let mut rig = rig.mapped();
        let what = rig.name();
        handle_timer(&mut rig);
        wake_soon(&mut rig);
        let (before, msr, page) = (slept(&rig), rig.msr(), rig.field("srr0"));
        assert_eq!(rig.hypercall(EV_IDLE, 5, 6), (0, 0), "{what}");
        assert!(soon(slept(&rig) - before), "{what}: {} ticks", slept(&rig) - before);
        assert_eq!((rig.msr(), rig.field("srr0")), (msr, page), "{what}: interrupts are off");
        assert_eq!(rig.counts.count("halt_wakeup"), 1, "{what}");

        // With interrupts on, the one that woke it comes at the next instruction. The first one is let in before.
        rig.msr_on(msr::EE);
        rig.run("nop");
        rig.msr_off(msr::EE);
        wake_soon(&mut rig);
        rig.msr_on(msr::EE);
        let (before, msr) = (slept(&rig), rig.msr());
        assert_eq!(rig.hypercall(EV_IDLE, 5, 6), (0, 0), "{what}");
        assert!(soon(slept(&rig) - before), "{what}: {} ticks", slept(&rig) - before);
        assert_eq!([14, 15, 16, 17].map(|n| rig.r(n)), [0, 0, CODE + 4, msr], "{what}");
    }
}

/// Without any timer it sleeps on the host, until another thread has an interrupt for it.
#[test]
fn case_91_idle_wakes_for_an_external_interrupt() {
    const PAUSE: Duration = Duration::from_millis(100);
    for rig in rigs() {
        let mut rig = rig.mapped();
        never_wake(&mut rig);
        rig.put(0x500, "or 14,3,3; mfspr 16,26; tw 31,0,0");
        rig.msr_on(msr::EE);
        let (line, mailbox) = (Arc::clone(&rig.line), Arc::clone(&rig.machine.mailboxes.0[0]));
        let since = Instant::now();
        let source = thread::spawn(move || {
            thread::sleep(PAUSE);
            line.set(true);
            mailbox.post(request::INTERRUPT);
        });
        rig.sets(&[(0, kvm::MAGIC.into()), (3, 5), (11, EV_IDLE)]);
        assert_eq!(rig.ends("sc 0; addi 20,0,1"), 0x508, "{}", rig.name());
        assert!(since.elapsed() >= PAUSE, "{}", rig.name());
        assert_eq!((rig.r(14), rig.r(16)), (0, CODE + 4), "{}", rig.name());
        source.join().unwrap();
    }
}

#[test]
fn case_92_idle_returns_at_once_while_an_interrupt_is_masked() {
    for rig in rigs().chain(partitions()) {
        let mut rig = rig.mapped();
        never_wake(&mut rig);
        rig.line.set(true);
        let (before, retired) = (slept(&rig), rig.vcpu().state.retired);
        for _ in 0..3 {
            assert_eq!(rig.hypercall(EV_IDLE, 5, 6), (0, 0), "{}", rig.name());
            assert_eq!(rig.field("int_pending"), 1, "{}", rig.name());
        }
        assert_eq!(slept(&rig), before, "{}", rig.name());
        assert!(rig.vcpu().state.retired - retired < 10, "{}", rig.name());
    }
}

/// Makes a PAPR call by `sc 1`; returns r3 and r4 to r12.
fn hcall(rig: &mut Rig, number: u64, arguments: &[u64]) -> (i64, [u64; 9]) {
    rig.set(3, number);
    (4..).zip(arguments).for_each(|(n, value)| rig.set(n, *value));
    rig.run("sc 1");
    (rig.r(3) as i64, std::array::from_fn(|n| rig.r(4 + n)))
}

#[test]
fn case_93_cede_lets_interrupts_in_and_blocks() {
    for mut rig in partitions() {
        handle_timer(&mut rig);
        wake_soon(&mut rig);
        let (before, msr) = (slept(&rig), rig.msr());
        assert_eq!(msr & msr::EE, 0);
        assert_eq!(hcall(&mut rig, H_CEDE, &[]).0, 0, "{}", rig.name());
        assert!(soon(slept(&rig) - before), "{}: {} ticks", rig.name(), slept(&rig) - before);
        assert_eq!([14, 16, 17].map(|n| rig.r(n)), [0, CODE + 4, msr | msr::EE], "{}", rig.name());
        assert_eq!(rig.msr(), msr | msr::EE, "{}", rig.name());
    }
}

const EXACT: u64 = 1 << 39;
const BY_AVPN: u64 = 1 << 31;
const AND_COND: u64 = 1 << 30;
/// A page that nothing else maps, in the segment of the program: its VSID is 0x100. The group of its entries.
const EA: u64 = 0x50_0000;
const V: u64 = (0x100 << 28 | EA) >> 23 << 7 | 1;
/// A frame, memory coherent, both states may read and write; what its use adds.
const R: u64 = DATA | 0x12;
const REFERENCED: u64 = 0x100;
const CHANGED: u64 = 0x80;

fn group(rig: &Rig) -> u64 {
    let groups = rig.machine.partition.hash().unwrap().len() / 8;
    ((0x100 ^ EA >> 12) & (groups - 1)) * 8
}

/// Executes a load or store at `EA` with relocation on; returns where that ended.
fn access(rig: &mut Rig, program: &str) -> u64 {
    rig.set(7, EA);
    rig.msr_on(rig.relocation());
    let at = rig.ends(program);
    rig.msr_off(rig.relocation());
    at
}

#[test]
fn case_94_enter_protect_and_remove() {
    for mut rig in partitions().filter(|rig| rig.cpu == Cpu::Power8) {
        let what = rig.name();
        let group = group(&rig);
        rig.translate(0, 0);
        rig.poke(DATA, 0x1234_5678);
        assert_eq!(access(&mut rig, "lwz 8,0(7)"), 0x300, "{what}: nothing there yet");

        let (status, out) = hcall(&mut rig, H_ENTER, &[EXACT, group + 5, V, R]);
        assert_eq!((status, out[0]), (H_SUCCESS, group + 5), "{what}");
        assert_eq!(rig.machine.partition.hash().unwrap().read(group + 5), Some((V, R)), "{what}");
        assert_eq!(hcall(&mut rig, H_ENTER, &[EXACT, group + 5, V, R]).0, H_PTEG_FULL, "{what}: H_EXACT");
        assert_eq!((access(&mut rig, "lwz 8,0(7); stw 8,4(7)"), rig.r(8)), (CODE + 8, 0x1234_5678), "{what}");
        assert_eq!(rig.peek(DATA + 4), 0x1234_5678, "{what}");

        // Read only, and no-execute with the key; by its abbreviated virtual page number or not at all.
        let avpn = V & !0x7f;
        assert_eq!(hcall(&mut rig, H_PROTECT, &[BY_AVPN | 3, group + 5, avpn ^ 0x80]).0, H_NOT_FOUND, "{what}");
        assert_eq!(access(&mut rig, "stw 8,4(7)"), CODE + 4, "{what}: not protected");
        assert_eq!(hcall(&mut rig, H_PROTECT, &[BY_AVPN | 3, group + 5, avpn]).0, H_SUCCESS, "{what}");
        assert_eq!(access(&mut rig, "stw 8,4(7)"), 0x300, "{what}: protected");
        assert_eq!(rig.field("dsisr"), 0x0a00_0000, "{what}: a store, protection");
        assert_eq!(access(&mut rig, "lwz 8,4(7)"), CODE + 4, "{what}");

        assert_eq!(hcall(&mut rig, H_REMOVE, &[BY_AVPN, group + 5, avpn ^ 0x80]).0, H_NOT_FOUND, "{what}: AVPN");
        assert_eq!(hcall(&mut rig, H_REMOVE, &[AND_COND, group + 5, V]).0, H_NOT_FOUND, "{what}: condition");
        let (status, out) = hcall(&mut rig, H_REMOVE, &[BY_AVPN, group + 5, avpn]);
        assert_eq!((status, out[0], out[1]), (H_SUCCESS, V, R | 1 | REFERENCED | CHANGED), "{what}");
        assert_eq!(access(&mut rig, "lwz 8,4(7)"), 0x300, "{what}: gone");
        assert_eq!(hcall(&mut rig, H_REMOVE, &[0, group + 5, 0]).0, H_NOT_FOUND, "{what}: nothing there");
    }
}

#[test]
fn case_94_full_groups_and_removal_in_bulk() {
    const REQUEST: u64 = 1 << 62;
    const END: u64 = 3 << 62;
    for mut rig in partitions().filter(|rig| rig.cpu == Cpu::Power8) {
        let what = rig.name();
        let group = group(&rig);
        // Any slot of the group will do, the first that is free is taken; the page's own group is empty at first.
        let slots: Vec<u64> = (0..8).map(|_| hcall(&mut rig, H_ENTER, &[0, group + 3, V, R]).1[0]).collect();
        assert_eq!(slots, (group..group + 8).collect::<Vec<u64>>(), "{what}");
        assert_eq!(hcall(&mut rig, H_ENTER, &[0, group, V, R]).0, H_PTEG_FULL, "{what}");
        let avpn = V & !0x7f;
        let pairs = [
            [REQUEST | 2 << 56 | group, avpn],              // by AVPN
            [REQUEST | 2 << 56 | (group + 1), avpn ^ 0x80], // by another
            [REQUEST | 1 << 56 | (group + 2), 0],           // on a condition that holds
            [REQUEST | (group + 3), 0],                     // whatever it is
        ];
        let (status, out) = hcall(&mut rig, H_BULK_REMOVE, &pairs.concat());
        assert_eq!(status, H_SUCCESS, "{what}");
        assert_eq!([0, 2, 4, 6].map(|n| out[n] >> 60), [8, 9, 8, 8], "{what}: done, not found, done, done");
        let (status, out) = hcall(&mut rig, H_BULK_REMOVE, &[END, 0, REQUEST | (group + 4), 0]);
        assert_eq!((status, out[2]), (H_SUCCESS, REQUEST | (group + 4)), "{what}: nothing behind the end");
        let valid = |rig: &Rig| {
            let table = rig.machine.partition.hash().unwrap();
            (group..group + 8).map(|slot| table.read(slot).is_some_and(|(v, _)| v & 1 != 0)).collect::<Vec<_>>()
        };
        assert_eq!(valid(&rig), [false, true, false, false, true, true, true, true], "{what}");
        assert_eq!(hcall(&mut rig, H_ENTER, &[0, group + 7, V, R]).1[0], group, "{what}: free again");
    }
}

/// KVM's PR mode refuses other interrupt locations (-319); PAPR has them, and its answer to what is reserved.
#[test]
fn case_95_set_mode() {
    for mut rig in partitions() {
        let what = rig.name();
        assert_eq!(hcall(&mut rig, H_SET_MODE, &[0, 3, 0, 0]).0, H_SUCCESS, "{what}");
        for flags in [1, 2] {
            assert_eq!(hcall(&mut rig, H_SET_MODE, &[flags, 3, 0, 0]).0, -256, "{what}");
            assert_eq!(rig.machine.partition.ail(), Ail::Off, "{what}");
        }
        assert_eq!(hcall(&mut rig, H_SET_MODE, &[3, 3, 0, 0]).0, H_SUCCESS, "{what}");
        assert_eq!(rig.machine.partition.ail(), Ail::High, "{what}");
        assert_eq!(hcall(&mut rig, H_SET_MODE, &[0, 3, 0, 0]).0, H_SUCCESS, "{what}");
        // The order of interrupts: a handler of either order sees its own.
        for (flags, order) in [(1, Order::Little), (0, Order::Big)] {
            assert_eq!(hcall(&mut rig, H_SET_MODE, &[flags, 4, 0, 0]).0, H_SUCCESS, "{what}");
            assert!(rig.machine.mem.store(0x700, order, 0x7fe0_0008_u32));
            assert_eq!(rig.ends("tw 31,0,0; nop"), 0x700, "{what}");
            assert_eq!(rig.msr() & msr::LE != 0, order == Order::Little, "{what}");
            rig.msr_off(msr::LE);
            rig.msr_on(if rig.order == Order::Little { msr::LE } else { 0 });
        }
        // Breakpoints are not offered.
        for resource in [1, 2] {
            assert_eq!(hcall(&mut rig, H_SET_MODE, &[0, resource, 0, 0]).0, H_P2, "{what}");
        }
    }
}

/// What no interface takes is what the instruction means without any.
#[test]
fn case_96_calls_that_are_not_offered_reach_the_next_in_turn() {
    let nothing = Calls { papr: false, osi: false, kvm: false, epapr: false };
    for rig in rigs() {
        let with = |calls| Rig::new(Kind::Bare, rig.cpu, rig.order, rig.privileged, calls).on(rig.runner);
        let what = rig.name();
        // Nobody: a system call, and an illegal word.
        let mut none = with(nothing);
        for (word, r3, r4, r0) in
            [("sc 0", 1, 2, kvm::MAGIC), ("sc 1", 0xe0, 2, kvm::MAGIC), ("sc 0", osi::MAGIC_R3, osi::MAGIC_R4, 0)]
        {
            none.sets(&[(0, r0.into()), (3, r3.into()), (4, r4.into()), (11, kvm::MAP_MAGIC_PAGE.into())]);
            assert_eq!(none.ends(&format!("{word}; nop")), 0xc00, "{what} {word}");
            let seen = (none.vcpu().shared.srr0(), none.r(3), none.r(4));
            assert_eq!(seen, (CODE + 4, r3.into(), r4.into()), "{what} {word}");
        }
        assert_eq!(none.vcpu().shared.mapped(), None, "{what}");
        for word in [0x0200_0044, 0x7c00_0268] {
            let end = none.place(CODE, &[word]);
            assert_eq!(none.start(end), 0x700, "{what} {word:#x}");
        }
        // One of the two that share a convention.
        let mut epapr = with(Calls { epapr: true, ..nothing });
        assert_eq!(epapr.hypercall(kvm::FEATURES.into(), 5, 6), (UNIMPLEMENTED, 0), "{what}");
        epapr.line.set(true);
        assert_eq!(epapr.hypercall(EV_IDLE, 5, 6), (0, 0), "{what}");
        let mut kvm = with(Calls { kvm: true, ..nothing });
        assert_eq!(kvm.hypercall(EV_IDLE, 5, 6), (UNIMPLEMENTED, 0), "{what}");
        assert_eq!(kvm.hypercall(kvm::FEATURES.into(), 5, 6), (0, 2), "{what}");
    }
    // A PAPR call that nobody has, and one of the other translation.
    for mut rig in partitions() {
        let registers = [11, 12, 13, 14, 15, 16, 17, 18, 19];
        for number in [0x7c, 0xf001, 3] {
            assert_eq!(hcall(&mut rig, number, &registers), (H_FUNCTION, registers), "{} {number:#x}", rig.name());
        }
    }
}

#[test]
fn case_97_papr_calls_take_and_return_nine_registers() {
    for mut rig in partitions() {
        let what = rig.name();
        // Arguments in r4 to r7, and what is none comes back as it was.
        let [first, second] = [*b"ABCDEFGH", *b"I\0\0\0\0\0\0\0"].map(u64::from_be_bytes);
        let registers = [0, 9, first, second, 5, 6, 7, 8, 9];
        assert_eq!(hcall(&mut rig, H_PUT_TERM_CHAR, &registers), (H_SUCCESS, registers), "{what}");
        assert_eq!(rig.printed.bytes(), b"ABCDEFGHI", "{what}");
        rig.machine.controls().type_in(b"x");
        let (status, out) = hcall(&mut rig, H_GET_TERM_CHAR, &registers);
        assert_eq!((status, out), (H_SUCCESS, [1, u64::from(b'x') << 56, 0, second, 5, 6, 7, 8, 9]), "{what}");
        // Eight outputs.
        if rig.cpu == Cpu::Power8 {
            let group = group(&rig);
            for n in 0..4 {
                hcall(&mut rig, H_ENTER, &[EXACT, group + 4 + n, V | n << 12, R + (n << 16)]);
            }
            let (status, out) = hcall(&mut rig, H_READ, &[1 << 37, group + 4, 6, 7, 8, 9, 10, 11, 12]);
            let entries: Vec<u64> = (0..4).flat_map(|n| [V | n << 12, R + (n << 16)]).chain([12]).collect();
            assert_eq!((status, out.to_vec()), (H_SUCCESS, entries), "{what}");
        }
    }
}

/// Makes an OSI call; returns r3.
fn osi_call(rig: &mut Rig, selector: u32, argument: u64) -> u64 {
    rig.sets(&[(3, osi::MAGIC_R3.into()), (4, osi::MAGIC_R4.into()), (5, selector.into()), (6, argument)]);
    let before = rig.vcpu().clone();
    rig.run("sc 0");
    let after = rig.vcpu();
    assert_eq!(after.state.gpr[4..], before.state.gpr[4..], "{}: selector {selector}", rig.name());
    assert_eq!(after.shared.srr0(), before.shared.srr0(), "{}", rig.name());
    assert_eq!((after.shared.srr1(), rig.msr()), (before.shared.srr1(), before.shared.msr()), "{}", rig.name());
    assert_eq!(rig.counts.count("syscall_exits"), 0, "{}", rig.name());
    rig.r(3)
}

/// Every machine of Book3S.
fn with_osi() -> impl Iterator<Item = Rig> {
    let macs = [Cpu::Ppc750, Cpu::Ppc7400, Cpu::Ppc7450].into_iter().flat_map(|cpu| {
        [Privileged::Trap, Privileged::Inline].into_iter().flat_map(move |privileged| {
            let rig = move |runner| Rig::new(Kind::Mac, cpu, Order::Big, privileged, Calls::with_pv(true)).on(runner);
            Runner::both(privileged).into_iter().map(rig)
        })
    });
    rigs().filter(|rig| rig.family() != Family::BookE).chain(partitions()).chain(macs)
}

#[test]
fn case_98_osi_calls_from_either_state() {
    for mut rig in with_osi() {
        for state in [0, msr::PR] {
            let what = format!("{:?} {} {state:#x}", rig.kind, rig.name());
            // Problem state runs relocated.
            rig.msr_on(state | rig.relocation());
            if state != 0 && rig.family() == Family::Book3s64 {
                never_wake(&mut rig);
            }
            assert_eq!(osi_call(&mut rig, osi::CALL_AVAILABLE, osi::LOG_PUTC.into()), 1, "{what}");
            assert_eq!(osi_call(&mut rig, osi::CALL_AVAILABLE, 54), 0, "{what}");
            let printed = rig.printed.bytes().len();
            assert_eq!(osi_call(&mut rig, osi::LOG_PUTC, 0x148), 0, "{what}");
            assert_eq!(osi_call(&mut rig, osi::TTY_PUTC, u64::from(b'i')), 1, "{what}");
            assert_eq!(rig.printed.bytes()[printed..], *b"Hi", "{what}");
            assert_eq!(osi_call(&mut rig, osi::TTY_GETC, 0), 0xffff_ffff, "{what}");
            rig.machine.controls().type_in(b"k");
            assert_eq!(osi_call(&mut rig, osi::TTY_GETC, 0), u64::from(b'k'), "{what}");
            // The machine's first second is that of the epoch; Mac OS counts from 1904.
            assert_eq!(osi_call(&mut rig, osi::GET_GMT_TIME, 0), 0, "{what}");
            assert_eq!(osi_call(&mut rig, osi::GET_LOCALTIME, 0), 0x7c25_b080, "{what}: 66 years later");
        }
    }
}

/// A handler sees and may change every register.
#[test]
fn case_98_osi_handlers_have_all_registers() {
    const SELECTOR: u32 = 77;
    for mut rig in with_osi() {
        let mut calls = Osi::default();
        calls.register(SELECTOR, |visit| {
            visit.vcpu.state.gpr.iter_mut().for_each(|register| *register = !*register);
            Next::Run
        });
        rig.machine.hypervisor = Hypervisor::new(vec![Box::new(calls)]);
        rig.sets(&[(3, osi::MAGIC_R3.into()), (4, osi::MAGIC_R4.into()), (5, SELECTOR.into())]);
        let before: Vec<u64> = (0..32).map(|n| rig.r(n)).collect();
        rig.run("sc 0");
        let after: Vec<u64> = (0..32).map(|n| rig.r(n)).collect();
        assert_eq!(after, before.iter().map(|value| rig.seen(!value)).collect::<Vec<_>>(), "{}", rig.name());
    }
}

#[test]
fn case_98_without_osi_its_calls_are_system_calls() {
    for rig in rigs() {
        // BookE has none in any case.
        let book3s = rig.family() != Family::BookE;
        let calls = Calls { osi: !book3s, papr: false, ..Calls::with_pv(true) };
        let mut rig = Rig::new(Kind::Bare, rig.cpu, rig.order, rig.privileged, calls).on(rig.runner);
        rig.sets(&[(3, osi::MAGIC_R3.into()), (4, osi::MAGIC_R4.into()), (5, osi::LOG_PUTC.into())]);
        assert_eq!(rig.ends("sc 0; nop"), 0xc00, "{}", rig.name());
        assert_eq!((rig.vcpu().shared.srr0(), rig.r(3)), (CODE + 4, osi::MAGIC_R3.into()), "{}", rig.name());
        assert_eq!(rig.counts.count("syscall_exits"), 1, "{}", rig.name());
    }
}

#[test]
fn case_99_osi_comes_before_kvm_and_after_papr() {
    let both = |rig: &mut Rig, program: &str| {
        rig.sets(&[(0, kvm::MAGIC.into()), (3, osi::MAGIC_R3.into()), (4, osi::MAGIC_R4.into())]);
        rig.sets(&[(5, osi::CALL_AVAILABLE.into()), (6, 0), (11, kvm::FEATURES.into())]);
        rig.run(program);
        (rig.r(3), rig.r(4))
    };
    let available = (1, u64::from(osi::MAGIC_R4));
    for mut rig in with_osi() {
        assert_eq!(both(&mut rig, "sc 0"), available, "{}: available, not features", rig.name());
    }
    for mut rig in rigs().filter(|rig| rig.family() != Family::BookE) {
        assert_eq!(both(&mut rig, "sc 1"), available, "{}: the level does not count", rig.name());
    }
    for mut rig in partitions() {
        assert_eq!(both(&mut rig, "sc 1"), (H_FUNCTION as u64, available.1), "{}: PAPR's", rig.name());
    }
    for rig in rigs() {
        let calls = Calls { osi: false, papr: false, ..Calls::with_pv(true) };
        let mut rig = Rig::new(Kind::Bare, rig.cpu, rig.order, rig.privileged, calls).on(rig.runner);
        assert_eq!(both(&mut rig, "sc 0"), (0, 2), "{}: KVM's features", rig.name());
    }
}

#[test]
fn case_100_the_external_proxy_has_the_acknowledged_vector() {
    const VECTOR: u32 = 0x2a;
    for mut rig in rigs().filter(|rig| rig.family() == Family::BookE) {
        rig.line.vector.store(VECTOR, Ordering::Release);
        rig.line.one_shot.store(true, Ordering::Release);
        rig.line.set(true);
        rig.put(0x500, "mfspr 4,702; rfi");
        rig.run("mfspr 3,702; addi 4,0,0");
        assert_eq!((rig.r(3), rig.r(4)), (0, 0), "{}: not delivered yet", rig.name());
        rig.run("wrteei 1; nop; nop; mfspr 3,702");
        assert_eq!((rig.r(4), rig.r(3)), (VECTOR.into(), VECTOR.into()), "{}", rig.name());
        // The first instruction of the handler finds it.
        assert_eq!(rig.vcpu().shared.srr0(), CODE + 4, "{}", rig.name());
    }
}
