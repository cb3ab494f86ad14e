//! Patching while another processor runs the code.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use conformance::{CODE, DATA, Rig, Runner};
use exec::{Context, Exit, Privileged, Requests, Vcpu};
use guest_mem::Order;
use hv_core::{ExitCounts, Next, Visit};
use machine::Machine;
use machine::clock::VirtualClock;
use ppc_isa::{Cpu, msr};

use super::{kernels, patch};

/// Where the patching processor's program stands, and its table of addresses and words.
const WRITER: u64 = 0x16_0000;
const TABLE: u64 = DATA;

/// What is patched: each word's effect is looked at, and differences gather in r8.
const READER: &str = "addi 6,6,1; mtspr 272,6; mfspr 7,272; xor 7,7,6; or 8,8,7; \
    mtmsr 9; mfmsr 10; xor 10,10,9; or 8,8,10; mtspr 27,6; mtmsr 11; mfmsr 10; xor 10,10,11; or 8,8,10; \
    mfspr 7,27; xor 7,7,6; or 8,8,7; bc 16,0,-68";
/// Privileged instructions there.
const SITES: u64 = 8;
/// Stores r10 words, one by one as a patcher does; r8 counts how often.
const TOGGLE: &str = "or 3,9,9; mtspr 9,10; lwz 4,0(3); lwz 6,4(3); stw 6,0(4); dcbst 0,4; sync 0; icbi 0,4; sync 0; isync; \
    addi 3,3,8; bc 16,0,-36; addi 8,8,1; b -52";

/// Sets a flag when it goes, also when a test fails.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Runs `vcpu` until the `trap` at `end`; returns how many privileged instructions exited.
fn run(machine: &Machine, vcpu: &mut Vcpu, runner: Runner, end: u64) -> u64 {
    const TOO_MANY: u64 = 100_000_000;
    let (cpu, limit) = (vcpu.state.cpu, vcpu.state.retired + TOO_MANY);
    let context = machine.context(0, &VirtualClock, Privileged::Trap).unwrap();
    let (mut engine, mut counts, mut exits) = (runner.engine(cpu), ExitCounts::default(), 0);
    loop {
        let mut visit = Visit { vcpu, context: &context, counts: &mut counts };
        let exit = engine.run(visit.vcpu, &context, 10_000);
        match exit {
            Exit::Interrupt(_) if visit.vcpu.state.cia == end => return exits,
            Exit::Privileged(_) => exits += 1,
            Exit::Event => {}
            _ => panic!("{}: {exit:?} at {:#x}", cpu.name(), visit.vcpu.state.cia),
        }
        assert_eq!(machine.hypervisor.handle(&exit, &mut visit), Next::Run);
        assert!(visit.vcpu.state.retired < limit, "{}: lost at {:#x}", cpu.name(), visit.vcpu.state.cia);
    }
}

/// Runs the patching processor until it is told to stop.
fn toggle(machine: &Machine, mut vcpu: Vcpu, runner: Runner, toggles: &AtomicU64, stop: &AtomicBool) {
    let requests = Requests::default();
    let context = Context { requests: &requests, ..machine.context(0, &VirtualClock, Privileged::Trap).unwrap() };
    let mut engine = runner.engine(vcpu.state.cpu);
    while !stop.load(Ordering::Acquire) {
        let exit = engine.run(&mut vcpu, &context, 10_000);
        assert!(matches!(exit, Exit::Event), "{exit:?} at {:#x}", vcpu.state.cia);
        toggles.store(vcpu.state.gpr[8] & 0xffff_ffff, Ordering::Release);
    }
}

/// Sets the registers that a turn of `READER` begins with.
fn prepare(vcpu: &mut Vcpu, msrs: [u64; 2], loops: u64) {
    let state = &mut vcpu.state;
    (state.cia, state.ctr, state.gpr[8]) = (CODE, loops, 0);
    (state.gpr[9], state.gpr[11]) = (msrs[0], msrs[1]);
}

fn patched_while_running(mut rig: Rig) {
    const LOOPS: u64 = 20_000;
    const TOGGLES: u64 = 5_000;
    let what = rig.name();
    let rest = rig.msr() & !(msr::EE | msr::RI);
    let end = rig.put(CODE, READER);
    rig.poke(end, 0x7fe0_0008);
    let count = (end - CODE) as usize / 4;
    let read = |rig: &Rig| (CODE..end).step_by(4).map(|at| rig.peek(at)).collect::<Vec<u32>>();
    let old = read(&rig);
    assert_eq!(u64::from(patch(&rig, count).rewritten()), SITES, "{what}");
    let new = read(&rig);
    // All new words, and then all old ones again.
    let changed = |words: &[u32]| {
        let all = old.iter().zip(&new).zip(words).enumerate();
        all.filter(|(_, ((old, new), _))| old != new)
            .map(|(n, (_, word))| [CODE as u32 + 4 * n as u32, *word])
            .collect::<Vec<_>>()
    };
    let table: Vec<u32> = [changed(&new), changed(&old)].concat().concat();
    rig.place(TABLE, &table);
    rig.put(WRITER, TOGGLE);
    rig.sets(&[(8, 0), (9, TABLE), (10, table.len() as u64 / 2)]);
    let mut writer = rig.vcpu().clone();
    (writer.state.cia, writer.state.pir) = (WRITER, 1);

    let (cpu, runner, mut reader) = (rig.cpu, rig.runner, rig.machine.vcpus.remove(0));
    let (machine, toggles, stop) = (&rig.machine, AtomicU64::new(0), AtomicBool::new(false));
    let (mut turns, mut trapped) = (0, 0);
    let since = Instant::now();
    thread::scope(|scope| {
        let stopped = AtEnd(&stop);
        scope.spawn(|| toggle(machine, writer, runner, &toggles, &stop));
        // On a busy host one of them may be done before the other has begun.
        let both = |trapped: u64, turns: u64| (1..turns * LOOPS * SITES).contains(&trapped);
        let done = |trapped, turns| toggles.load(Ordering::Acquire) >= TOGGLES && both(trapped, turns);
        while !done(trapped, turns) && since.elapsed() < Duration::from_secs(60) {
            prepare(&mut reader, [rest | msr::RI, rest], LOOPS);
            trapped += run(machine, &mut reader, runner, end);
            assert_eq!(reader.state.gpr[8] & if cpu.sixty_four() { u64::MAX } else { 0xffff_ffff }, 0, "{what}");
            turns += 1;
        }
        drop(stopped);
    });
    assert!(toggles.load(Ordering::Acquire) >= TOGGLES, "{what}: {toggles:?} toggles in {turns} turns");
    let executed = turns * LOOPS * SITES;
    assert!(trapped > 0 && trapped < executed, "{what}: {trapped} of {executed} were old words");

    // What stands there in the end is what runs.
    for (words, exits) in [(&new, 0), (&old, SITES * 10), (&new, 0)] {
        (CODE..).step_by(4).zip(words).for_each(|(at, word)| assert!(machine.mem.store(at, rig.order, *word)));
        prepare(&mut reader, [rest | msr::RI, rest], 10);
        assert_eq!((run(machine, &mut reader, runner, end), reader.state.gpr[8] as u32), (exits, 0), "{what}");
    }
}

#[test]
fn case_89_each_word_is_seen_old_or_new() {
    let trap = |rig: &Rig| rig.privileged == Privileged::Trap;
    let one = |rig: &Rig| match rig.cpu {
        Cpu::Power9 => rig.order == Order::Little,
        Cpu::Power8 => rig.order == Order::Big,
        Cpu::Ppc7400 | Cpu::E500v2 | Cpu::E5500 => true,
        _ => false,
    };
    kernels().filter(|rig| trap(rig) && one(rig)).for_each(patched_while_running);
}
