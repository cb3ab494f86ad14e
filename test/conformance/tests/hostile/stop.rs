//! Guests that do not want to end: the machine stops when it is told to, within a bounded number of instructions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use conformance::{CODE, DATA, Rig, TOP};
use exec::{Exit, Vcpu, request};
use guest_mem::Order;
use hv_core::{Call, Halt};
use machine::clock::VirtualClock;
use machine::{Calls, Kind};
use ppc_isa::cpu::Family;
use ppc_isa::msr;
use ppc_mmu::booke::{Assist, mas};
use pv_abi::kvm::MAGIC;
use vmm::{Observer, Outcome, Policy, Report, Time};

use super::{PAGE, TRAP, all, has_real_mode, rigs, set_word};

/// Counts exits for another thread.
struct Seen<'a>(&'a AtomicU64);

impl Observer for Seen<'_> {
    fn exit(&mut self, _: &Vcpu, _: &Exit, _: Duration) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    fn answer(&mut self, _: &Vcpu, _: Option<Call>, _: Duration) {}
}

/// Runs the machine from `CODE` and tells it to stop: after `exits` exits, or when it sleeps. It may halt before.
fn run(rig: &mut Rig, exits: u64) -> Report {
    const LONG: Duration = Duration::from_secs(20);
    rig.vcpu_mut().state.cia = CODE;
    let controls = rig.machine.controls();
    let (engine, privileged, machine) = (rig.engine(), rig.privileged, &mut rig.machine);
    let (seen, started) = (AtomicU64::new(0), Instant::now());
    let report = thread::scope(|scope| {
        let running = scope.spawn(|| {
            let time = Time { clock: Box::new(VirtualClock), is_virtual: true };
            let policy = Policy { time, privileged, exit_cost: Duration::ZERO };
            vmm::run(machine, &mut [engine], &policy, Some(&mut Seen(&seen)))
        });
        let mut last = (0, started);
        while !running.is_finished() && started.elapsed() < LONG && seen.load(Ordering::Acquire) < exits {
            thread::yield_now();
            let now = seen.load(Ordering::Acquire);
            if now != last.0 {
                last = (now, Instant::now());
            } else if now > 0 && last.1.elapsed() > Duration::from_millis(20) {
                break;
            }
        }
        controls.stop();
        running.join().unwrap()
    });
    assert!(started.elapsed() < LONG, "{}", rig.name());
    report
}

/// A page whose critical section never ends, with an interrupt pending that it holds off.
fn stuck(rig: Rig) -> Rig {
    let mut rig = rig.mapped();
    rig.set(1, 0x12_3450);
    rig.run("store 1,@critical");
    rig.line.set(true);
    rig.msr_on(msr::EE);
    rig
}

#[test]
fn a_critical_section_that_never_ends() {
    for rig in rigs() {
        let mut rig = stuck(rig);
        for program in ["b 0", "addi 5,5,1; mfmsr 6; b -8", "sc 0; or 3,3,3; b -8", "store 1,@critical; b -4"] {
            rig.sets(&[(0, MAGIC.into()), (11, 0x2a_0003)]);
            rig.put(CODE, program);
            let report = run(&mut rig, 50);
            assert_eq!(report.outcome, Outcome::Stopped, "{} {program}", rig.name());
            assert_eq!(report.counts.count("ext_intr_exits"), 0, "{} {program}", rig.name());
            assert!(rig.vcpu().state.cia.wrapping_sub(CODE) < 0x20, "{} {program}", rig.name());
        }
    }
}

/// What waits for an interrupt finds the one that the section holds off: it does not sleep for ever, nor is it taken.
#[test]
fn waiting_in_a_critical_section() {
    for rig in rigs() {
        let mut rig = stuck(rig);
        let waits = rig.msr() | msr::POW;
        rig.sets(&[(0, MAGIC.into()), (11, 0x1_0010), (5, waits), (6, 0)]);
        rig.run("sc 0; addi 6,6,1; mtmsr 5; addi 6,6,1");
        assert_eq!((rig.r(3), rig.r(6)), (0, 2), "{}", rig.name());
    }
}

#[test]
fn halting_in_a_critical_section() {
    let bare = |rig: Rig| Rig::new(Kind::Bare, rig.cpu, rig.order, rig.privileged, Calls::with_pv(true)).on(rig.runner);
    for rig in rigs().filter(has_real_mode).map(bare) {
        let mut rig = stuck(rig);
        // RTAS power-off: token, inputs, outputs, masks.
        for (n, cell) in [0x2003_u32, 2, 1, 0, 0, 0].into_iter().enumerate() {
            assert!(rig.machine.mem.store(DATA + 4 * n as u64, Order::Big, cell));
        }
        rig.sets(&[(3, 0xf000), (4, DATA)]);
        rig.put(CODE, "sc 1; b 0");
        assert_eq!(run(&mut rig, 50).outcome, Outcome::Halted(Halt::PowerOff), "{}", rig.name());
    }
}

/// A processor that asks for its reset goes no further, in a critical section or not.
#[test]
fn a_reset_comes_at_once() {
    for rig in all().filter(|rig| rig.family() == Family::BookE) {
        let mut rig = stuck(rig);
        rig.sets(&[(5, 0x3000_0000), (6, 0)]);
        rig.put(CODE, "mtspr 308,5; addi 6,6,1; addi 6,6,1; b -8");
        assert_eq!(run(&mut rig, 50).outcome, Outcome::Halted(Halt::Reset), "{}", rig.name());
        assert_eq!((rig.r(6), rig.vcpu().state.cia), (0, CODE + 4), "{}", rig.name());
    }
}

/// No instruction completes: every one interrupts, and so does the handler's first.
#[test]
fn interrupts_without_end() {
    for mut rig in rigs() {
        if has_real_mode(&rig) {
            // Zeros, which are no instruction, from a page over the vectors.
            rig.map(0, TOP | 1);
        } else {
            // Vectors where there is no memory.
            rig.vcpu_mut().state.booke.tlb.write(&Assist {
                mas0: mas::TLBSEL | 4 << 16,
                mas1: mas::VALID | mas::IPROT | 1 << 8,
                mas2: 0x7000_0000,
                mas3: 0x7000_003f,
                ..Assist::default()
            });
            let cpu = rig.cpu;
            rig.vcpu_mut().state.booke.keep(cpu, 63, 0x7000_0000);
        }
        rig.place(CODE, &[0, 0]);
        let report = run(&mut rig, 50);
        assert_eq!(report.outcome, Outcome::Stopped, "{}", rig.name());
        let interrupts = report.counts.count("program_exits") + report.counts.count("machine_check_exits");
        assert!(interrupts > 1, "{}", rig.name());
    }
}

/// Waiting for an interrupt that nothing will raise, all off.
#[test]
fn sleep_without_end() {
    for rig in rigs() {
        let mut rig = rig.mapped();
        rig.vcpu_mut().state.decrementer = i64::MAX as u64;
        let off = (rig.msr() | msr::POW) & !msr::EE;
        rig.sets(&[(0, MAGIC.into()), (11, 0x1_0010), (5, off)]);
        for program in ["sc 0; b -4", "mtmsr 5; b -4"] {
            rig.put(CODE, program);
            assert_eq!(run(&mut rig, 50).outcome, Outcome::Stopped, "{} {program}", rig.name());
        }
    }
}

/// Instructions after a request until the engine returns: no more than to the end of the page.
#[test]
fn requests_are_seen_within_a_page() {
    for rig in rigs() {
        let mut rig = stuck(rig);
        let name = rig.name();
        let page: Vec<u32> = vec![0x6000_0000; 3 * PAGE as usize / 4];
        rig.place(CODE, &page);
        // Over forward branches only, one page after the other.
        let hops: Vec<u32> = (0..2 * PAGE / 4).map(|n| if n % 2 == 0 { 0x4800_0008 } else { 0 }).collect();
        rig.place(DATA, &hops);
        let own = if has_real_mode(&rig) { TOP } else { CODE };
        for offset in (0xf0..0xffc).step_by(4) {
            set_word(&mut rig, offset, 0x6000_0000);
        }
        set_word(&mut rig, 0xffc, TRAP);
        let fresh = rig.vcpu().clone();
        for start in [CODE, CODE + 4, CODE + PAGE - 4, DATA, DATA + PAGE - 8, own + 0x100] {
            *rig.vcpu_mut() = fresh.clone();
            let start = rig.seen(start);
            rig.vcpu_mut().state.cia = start;
            let mut vcpu = rig.vcpu().clone();
            let before = vcpu.state.retired;
            let context = rig.machine.context(0, &VirtualClock, rig.privileged).unwrap();
            context.requests.post(request::STOP);
            rig.engine().run(&mut vcpu, &context, u64::MAX);
            context.requests.take(request::STOP);
            let ran = vcpu.state.retired - before;
            assert!((1..=PAGE / 4).contains(&ran), "{name} {start:#x}: {ran}");
        }
    }
}
