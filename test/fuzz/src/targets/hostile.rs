//! Hostile guests: any content of the magic page, mapped anywhere, and any instructions and hypercalls, on every model,
//! on bare machines and boards.
//!
//! Each case runs with privileged instructions trapped and inline, and on the translator. All must end in the same state
//! after the same number of instructions, and all must stop within a page of instructions when they are told to.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use exec::{Exit, Interrupt, Lines, Privileged, Requests, Vcpu, delivery, request, timebase, timer};
use guest_mem::Order;
use hv_core::Next;
use machine::{Calls, Kind, Machine};
use ppc_isa::cpu::Family;
use ppc_isa::{Cpu, msr};
use ppc_mmu::access::REAL_MASK;
use ppc_mmu::booke::{Assist, mas};
use pv_abi::magic::{SIZE, offset};

use crate::input::Input;
use crate::targets::instructions::CODE;
use crate::targets::tables;
use crate::targets::vm::{RAM, Runner, Vm, board};

mod code;
pub mod engines;

/// Instructions of a case.
const LIMIT: u64 = 2000;
/// Exits of a case that complete no instruction: interrupts, calls, waiting.
const EXITS: u32 = 200;
/// A stopped engine may end the page that it is in.
const STOPS_WITHIN: u64 = 1024;
/// Where boards of BookE find their devices.
const DEVICES: u64 = 0xe000_0000;
/// What is compared of memory.
const COMPARED: u64 = 0x4_0000;
/// Not before this many instructions is a wait without any deadline over.
const FOREVER: u64 = timebase::TIMEBASE_HZ << 20;

/// Runs a case both ways and compares.
pub fn run(data: &[u8]) {
    let trapped = Case::new(data, Privileged::Trap, Runner::Interpreter).run();
    let inline = Case::new(data, Privileged::Inline, Runner::Interpreter).run();
    let (way, interpreted) =
        if data.len() & 1 == 0 { (Privileged::Trap, &trapped) } else { (Privileged::Inline, &inline) };
    let translated = Case::new(data, way, Runner::Translator).run();
    // Which word is executed where one was stored is open until the processor is synchronised.
    if !interpreted.rewritten && !translated.rewritten {
        compare(interpreted, &translated);
    }
    // Nobody but the host writes whether an interrupt is pending. A guest that does finds its own value until the host
    // looks again, which it does more often where instructions trap.
    if trapped.tainted || inline.tainted {
        return;
    }
    compare(&trapped, &inline);
}

/// Nothing that a guest can see may be another.
fn compare(one: &Left, other: &Left) {
    assert_eq!(one.end, other.end);
    let registers = |left: &Left| (left.vcpu.state.retired, left.vcpu.state.cia, left.vcpu.state.gpr);
    assert_eq!(registers(one), registers(other));
    for at in (0..SIZE).step_by(4) {
        let bytes = |left: &Left| left.vcpu.shared.bytes::<4>(at);
        assert_eq!(bytes(one), bytes(other), "the pages differ at {at:#x}");
    }
    assert_eq!(one.vcpu.shared.mapped(), other.vcpu.shared.mapped());
    assert!(one.vcpu.state == other.vcpu.state, "{:x?} and {:x?}", one.vcpu.state, other.vcpu.state);
    assert_eq!(one.printed, other.printed);
    assert!(one.memory == other.memory, "memory differs");
}

/// Why a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It ran as long as it may.
    Limit,
    /// It made as many exits as it may.
    Exits,
    /// It waits for what does not come.
    Waits,
    /// The machine halted.
    Halts,
}

/// What a run left.
struct Left {
    end: End,
    vcpu: Vcpu,
    printed: Vec<u8>,
    memory: Vec<u8>,
    tainted: bool,
    /// It stored to pages whose instructions were executed.
    rewritten: bool,
}

/// The inputs of the processor, in place of an interrupt controller.
#[derive(Default)]
struct Inputs {
    external: AtomicBool,
    critical: AtomicBool,
    one_shot: bool,
}

impl Lines for Inputs {
    fn external(&self, _: u32) -> bool {
        self.external.load(Ordering::Acquire)
    }

    fn critical(&self, _: u32) -> bool {
        self.critical.load(Ordering::Acquire)
    }

    fn acknowledge(&self, _: u32) -> Option<u32> {
        if self.one_shot {
            self.external.store(false, Ordering::Release);
        }
        None
    }
}

#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Case {
    vm: Vm,
    printed: Printed,
    lines: Option<Arc<Inputs>>,
    /// The external input changes after this many instructions.
    changes: u64,
    tainted: bool,
    rewritten: bool,
}

impl Case {
    fn new(data: &[u8], privileged: Privileged, runner: Runner) -> Case {
        let mut input = Input::new(data);
        let cpu = input.pick(&Cpu::ALL);
        let kind = if input.flag() { board(cpu) } else { Kind::Bare };
        let calls = if input.byte() & 7 == 0 {
            let [papr, osi, kvm, epapr] = input.bytes().map(|byte| byte & 1 != 0);
            Calls { papr, osi, kvm, epapr }
        } else {
            Calls::with_pv(true)
        };
        let printed = Printed::default();
        let mut vm = Vm::of(kind, cpu, calls, Box::new(printed.clone()));
        (vm.privileged, vm.runner) = (privileged, runner);
        let little = cpu.family() == Family::Book3s64 && input.byte() & 3 == 0;
        let order = if little { Order::Little } else { Order::Big };
        vm.machine().partition.set_interrupt_order(order);
        tables::any(&mut vm, &mut input);
        if kind == Kind::E500 {
            devices(&mut vm);
        }
        vm.type_in(&input.bytes::<4>());
        let lines = input.flag().then(|| {
            let [external, critical, one_shot] = input.bytes().map(|byte| byte & 3 == 0);
            Arc::new(Inputs { external: external.into(), critical: critical.into(), one_shot })
        });
        if let Some(lines) = &lines {
            vm.machine_mut().lines = Arc::clone(lines) as Arc<dyn Lines + Send>;
        }
        let changes = u64::from(input.byte()) * 4;
        let (real, effective) = page(&mut vm, &mut input);
        code::registers(&mut vm, &mut input, [real, effective]);
        if input.flag() {
            let r1 = vm.vcpu.state.gpr[1];
            let bytes = if vm.vcpu.shared.order() == Order::Little { r1.to_le_bytes() } else { r1.to_be_bytes() };
            vm.vcpu.shared.set_bytes(offset::CRITICAL, &bytes);
        }
        code::write(&mut vm, &mut input, order);
        Case { vm, printed, lines, changes, tainted: false, rewritten: false }
    }

    /// The run loop of `vmm` on virtual time, but for its bounds.
    fn run(mut self) -> Left {
        let mut exits = 0;
        let end = loop {
            let retired = self.vm.vcpu.state.retired;
            if retired >= LIMIT {
                break End::Limit;
            }
            if exits >= EXITS {
                break End::Exits;
            }
            if self.requests().take(request::STOP) != 0 {
                break End::Halts;
            }
            self.requests().take(request::INTERRUPT | request::PROD);
            if let Some(lines) = self.lines.as_ref().filter(|_| retired >= self.changes) {
                lines.external.fetch_not(Ordering::AcqRel);
                self.changes = u64::MAX;
            }
            self.vm.machine().time.set(timebase::duration(retired));
            self.vm.poll();
            if self.vm.visit(|_, visit| timer::reset_requested(&visit.vcpu.state, visit.context)) {
                break End::Halts;
            }
            if self.vm.vcpu.state.waiting {
                exits += 1;
                if !self.wait() {
                    break End::Waits;
                }
                continue;
            }
            let pending: [u8; 4] = self.vm.vcpu.shared.bytes(offset::INT_PENDING);
            let budget = self.budget();
            let epoch = self.vm.machine().mem.code_epoch();
            let exit = self.vm.enter(budget);
            self.rewritten |= self.vm.machine().mem.code_epoch() != epoch;
            self.tainted |= self.vm.vcpu.shared.bytes(offset::INT_PENDING) != pending;
            check(&self.vm.vcpu);
            let before = self.vm.vcpu.state.retired;
            let next = self.vm.handle(exit);
            check(&self.vm.vcpu);
            let completed = self.vm.vcpu.state.retired > before;
            exits += u32::from(!completed && !matches!(exit, Exit::Event | Exit::Interrupt(Interrupt::Trace)));
            match next {
                Next::Run | Next::Resume | Next::Yield => {}
                Next::Wait if self.wait() => {}
                Next::Wait | Next::Sleep | Next::Stop => break End::Waits,
                Next::Halt(_) => break End::Halts,
            }
        };
        // What the last look at timers and doorbells left unseen is seen in both runs.
        self.vm.visit(|machine, visit| delivery::pending(visit.vcpu, visit.context, &*machine.lines));
        let printed = self.printed.0.lock().unwrap().clone();
        let mut memory = vec![0; COMPARED as usize];
        assert!(self.vm.machine().mem.read(0, &mut memory));
        let mut vcpu = self.vm.vcpu.clone();
        // Where the last branch went is no part of the architecture.
        vcpu.state.target = 0;
        self.stops();
        Left { end, vcpu, printed, memory, tainted: self.tainted, rewritten: self.rewritten }
    }

    fn requests(&self) -> &Requests {
        &self.vm.machine().mailboxes.0[0]
    }

    /// Instructions to the next look at what is pending, as in the run loop; and no further than this case goes.
    fn budget(&mut self) -> u64 {
        let retired = self.vm.vcpu.state.retired;
        let slice = if self.vm.vcpu.state.held != 0 && self.vm.vcpu.critical() { 64 - retired % 64 } else { LIMIT };
        let budget = match self.vm.visit(|_, visit| timer::ticks_left(&visit.vcpu.state, visit.context)) {
            0 => slice,
            left => slice.min(left),
        };
        let change = if self.lines.is_some() { self.changes.saturating_sub(retired).max(1) } else { LIMIT };
        budget.min(change).min(LIMIT - retired)
    }

    /// Goes on when something is pending, or jumps to where it will be. `false` when nothing ever will.
    fn wait(&mut self) -> bool {
        self.vm.visit(|machine: &Machine, visit| {
            if delivery::pending(visit.vcpu, visit.context, &*machine.lines).any() {
                return true;
            }
            let ticks = timer::ticks_left(&visit.vcpu.state, visit.context);
            let soon = ticks < FOREVER;
            if soon {
                let offset = &mut visit.vcpu.state.timebase_offset;
                *offset = offset.wrapping_add(ticks);
            }
            soon
        })
    }

    /// However it goes on, it is told to stop and does.
    fn stops(&mut self) {
        for _ in 0..4 {
            self.vm.machine().controls().stop();
            let before = self.vm.vcpu.state.retired;
            let exit = self.vm.enter(u64::MAX);
            let ran = self.vm.vcpu.state.retired - before;
            assert!(ran <= STOPS_WITHIN, "{ran} instructions after it was told to stop");
            if let Next::Halt(_) = self.vm.handle(exit) {
                return;
            }
        }
    }
}

/// What no guest can bring about.
fn check(vcpu: &Vcpu) {
    let (state, mode) = (&vcpu.state, vcpu.state.mode);
    assert!(state.cpu.family() == Family::Book3s64 || !mode.little());
    assert!(state.cpu.sixty_four() || !mode.sixty_four());
    if let Some(mapped) = vcpu.shared.mapped() {
        assert_eq!((mapped.real & !REAL_MASK, mapped.real & 0xfff, mapped.effective & 0xfff), (0, 0, 0));
    }
    assert_eq!(state.pir, 0);
}

/// Maps the devices of a board with addresses beyond 32 bits.
fn devices(vm: &mut Vm) {
    vm.vcpu.state.booke.tlb.write(&Assist {
        mas0: mas::TLBSEL | 8 << 16,
        mas1: mas::VALID | mas::IPROT | 5 << 8,
        mas2: DEVICES,
        mas3: DEVICES as u32 | 0x3f,
        mas7: 0xf,
        ..Assist::default()
    });
}

/// Maps the page, or not, with any content; returns where.
fn page(vm: &mut Vm, input: &mut Input) -> (u64, u64) {
    const TOP: u64 = 0xffff_ffff_ffff_f000;
    let place = |input: &mut Input| match input.byte() & 15 {
        0..4 => TOP,
        4 => CODE,
        5 => 0,
        6 => 0x1000,
        7 => RAM - 0x1000,
        8 => input.pick(&[0x8004_0000, 0x8006_0000, 0x8001_3000, DEVICES, DEVICES + 0x4_0000, 0x10_0000, 0x80_0000]),
        9 => CODE + 0x1000,
        10..13 => 0x2_0000,
        _ => input.number(RAM),
    };
    let (real, effective) = if input.flag() {
        let same = place(input);
        (same, same)
    } else {
        (place(input), place(input))
    };
    if input.byte() & 7 != 0 {
        let order = vm.machine().partition.interrupt_order();
        vm.vcpu.shared.map(real, effective, order);
        vm.machine().mailboxes.0[0].invalidate(ppc_mmu::Invalidation::All);
    }
    let mode = input.doubleword() & code::MODES | code::USUAL;
    let mode = if input.byte() & 3 == 0 { mode } else { mode & !(msr::IR | msr::DR | msr::PR) };
    vm.vcpu.set_msr(mode);
    for _ in 0..input.byte() & 31 {
        let at = if input.flag() { usize::from(input.byte()) % 240 } else { usize::from(input.word() as u16) % SIZE };
        let value = if input.flag() { input.number(RAM) } else { input.doubleword() };
        vm.vcpu.shared.set_bytes(at & !3, &value.to_be_bytes());
    }
    (real, effective)
}
