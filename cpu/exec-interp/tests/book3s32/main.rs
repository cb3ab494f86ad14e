//! Book3S-32: privileged instructions, translation, interrupts and the shared page, by small programs that run with
//! privileged instructions inline and trapped. Expected values are those of The Programming Environments for 32-Bit
//! Microprocessors and the MPC750, MPC7400 and MPC7450 user's manuals.

mod instructions;
mod interrupts;
mod page;
mod registers;
mod translation;

use std::sync::Mutex;

use exec::{
    Context, Engine, Exit, Interrupt, Lines, PartitionState, Peers, Privileged, Requests, Vcpu, delivery, interrupt,
    supervisor,
};
use exec_interp::Interpreter;
use guest_mem::{GuestMem, Order};
use ppc_isa::{Cpu, encode, rows};
use ppc_mmu::Invalidation;

/// RAM.
const RAM: u64 = 16 << 20;
/// Where programs stand.
const CODE: u64 = 0x1_0000;
/// Free memory.
const DATA: u64 = 0x2_0000;
/// The hashed page table: 64 KiB.
const TABLE: u64 = 0x80_0000;

struct Line(bool);

impl Lines for Line {
    fn external(&self, _: u32) -> bool {
        self.0
    }
}

/// All vCPUs: what they are told is written down, and the one here is told too.
struct Everybody<'a>(&'a Requests, &'a Mutex<Vec<Invalidation>>);

impl Peers for Everybody<'_> {
    fn invalidate(&self, what: Invalidation) {
        self.0.invalidate(what);
        self.1.lock().unwrap().push(what);
    }

    fn post(&self, _: Option<u32>, bits: u32) {
        self.0.post(bits);
    }
}

/// A processor with memory.
struct Machine {
    mem: GuestMem,
    vcpu: Vcpu,
    engine: Interpreter,
    privileged: Privileged,
    requests: Requests,
    /// Invalidations that went to all vCPUs.
    told: Mutex<Vec<Invalidation>>,
    partition: PartitionState,
    /// The external input.
    external: bool,
}

/// One instruction of `cpu`.
fn asm_for(cpu: Cpu, name: &str, values: &[i64]) -> u32 {
    let row = rows().find(|row| row.name == name && row.models.contains(cpu));
    row.and_then(|row| encode::encode(row, values)).unwrap_or_else(|| panic!("{name} {values:?}")) as u32
}

fn asm(name: &str, values: &[i64]) -> u32 {
    asm_for(Cpu::Ppc7450, name, values)
}

impl Machine {
    fn new(cpu: Cpu, privileged: Privileged) -> Machine {
        let mut vcpu = Vcpu::new(cpu, 0);
        vcpu.state.cia = CODE;
        // What stands in the upper halves must never matter.
        vcpu.state.gpr = [0xdead_beef_0000_0000; 32];
        Machine {
            mem: GuestMem::new(RAM).unwrap(),
            vcpu,
            engine: Interpreter::new(cpu),
            privileged,
            requests: Requests::default(),
            told: Mutex::default(),
            partition: PartitionState::new(None, false),
            external: false,
        }
    }

    /// Puts `code` and an `sc` at `CODE` and goes there.
    fn load(&mut self, code: &[u32]) {
        for (at, word) in (CODE..).step_by(4).zip(code.iter().copied().chain([asm("sc", &[0])])) {
            self.set(at, word);
        }
        self.vcpu.state.cia = CODE;
    }

    fn set(&self, at: u64, word: u32) {
        assert!(self.mem.store(at, Order::Big, word));
    }

    fn word(&self, at: u64) -> u32 {
        self.mem.load(at, Order::Big).unwrap()
    }

    /// Sets the low word of a register and leaves garbage above.
    fn gpr(&mut self, n: usize, value: u32) {
        self.vcpu.state.gpr[n] = 0xdead_beef_0000_0000 | u64::from(value);
    }

    /// The low word of a register.
    fn r(&self, n: usize) -> u32 {
        self.vcpu.state.gpr[n] as u32
    }

    fn msr(&mut self, bits: u64) {
        let msr = self.vcpu.shared.msr();
        self.vcpu.set_msr(msr | bits);
    }

    fn with<T>(&mut self, work: impl FnOnce(&mut Interpreter, &mut Vcpu, &Context) -> T) -> T {
        let everybody = Everybody(&self.requests, &self.told);
        let alone = Context::alone(&self.mem, &self.partition, &self.requests, self.privileged);
        let context = Context { peers: &everybody, ..alone };
        work(&mut self.engine, &mut self.vcpu, &context)
    }

    /// Runs until `sc`, an interrupt or anything else that is not a privileged instruction; what that instruction is
    /// refused with is an interrupt too.
    fn run(&mut self) -> Exit {
        self.with(|engine, vcpu, context| {
            for _ in 0..1000 {
                match engine.run(vcpu, context, 10_000) {
                    Exit::Privileged(insn) if !vcpu.state.mode.problem() => {
                        if let Err(interrupt) = supervisor::execute(vcpu, context, &insn) {
                            return Exit::Interrupt(interrupt);
                        }
                    }
                    Exit::Event => {}
                    exit => return exit,
                }
                if vcpu.state.waiting {
                    return Exit::Event;
                }
            }
            panic!("no end at {:#x}", vcpu.state.cia);
        })
    }

    /// Runs `code` to its `sc`.
    #[track_caller]
    fn program(&mut self, code: &[u32]) {
        self.load(code);
        let exit = self.run();
        assert!(matches!(exit, Exit::SystemCall(_)), "{exit:?} at {:#x}", self.vcpu.state.cia);
    }

    /// Runs `code` to the interrupt that it causes.
    #[track_caller]
    fn faults(&mut self, code: &[u32]) -> Interrupt {
        self.load(code);
        match self.run() {
            Exit::Interrupt(interrupt) => interrupt,
            exit => panic!("{exit:?} at {:#x}", self.vcpu.state.cia),
        }
    }

    fn deliver(&mut self, interrupt: Interrupt) {
        self.with(|_, vcpu, context| delivery::deliver(vcpu, context.partition, interrupt));
    }

    /// Looks at external input and decrementer.
    fn pending(&mut self) -> interrupt::Pending {
        let line = Line(self.external);
        self.with(|_, vcpu, context| delivery::pending(vcpu, context, &line))
    }

    /// Delivers what is pending and let in.
    fn poll(&mut self) -> Option<Interrupt> {
        let now = self.pending().now;
        if let Some(interrupt) = now {
            self.deliver(interrupt);
        }
        now
    }

    /// Lets time pass without instructions.
    fn wait(&mut self, ticks: u64) {
        let state = &mut self.vcpu.state;
        state.timebase_offset = state.timebase_offset.wrapping_add(ticks);
    }

    /// An mtspr of `value` through r9.
    fn mtspr(&mut self, number: u16, value: u32) {
        self.gpr(9, value);
        self.program(&[asm("mtspr", &[number.into(), 9])]);
    }

    /// An mfspr through r9.
    fn mfspr(&mut self, number: u16) -> u32 {
        self.gpr(9, 0x5555_5555);
        self.program(&[asm("mfspr", &[9, number.into()])]);
        self.r(9)
    }

    /// Sets up translation: BATs map RAM one to one at 0 for code, for both states and both sides; segment n has VSID
    /// n; the page table is empty.
    fn translated(&mut self) {
        self.vcpu.state.book3s32.bats.instruction[0] = [0x1ff, 0x12];
        self.vcpu.state.book3s32.bats.data[0] = [0x1ff, 0x12];
        self.vcpu.state.book3s32.sdr1 = TABLE as u32;
        for n in 0..16 {
            self.vcpu.set_segment(n, n as u32);
        }
        self.requests.invalidate(Invalidation::All);
    }

    /// Real address of the first entry for page `index` of segment `vsid`, by the primary hash.
    fn entry(vsid: u32, index: u32) -> u64 {
        TABLE + u64::from((vsid ^ index) & 0x3ff) * 64
    }

    /// Maps page `index` of segment `vsid` with this second word.
    fn map(&self, vsid: u32, index: u32, second: u32) {
        self.set(Self::entry(vsid, index), 0x8000_0000 | vsid << 7 | index >> 10);
        self.set(Self::entry(vsid, index) + 4, second);
    }
}

/// Runs `test` with privileged instructions inline and trapped.
fn both(cpu: Cpu, test: impl Fn(&mut Machine)) {
    for privileged in [Privileged::Inline, Privileged::Trap] {
        test(&mut Machine::new(cpu, privileged));
    }
}

/// The same on every model.
fn everywhere(test: impl Fn(&mut Machine)) {
    for cpu in [Cpu::Ppc750, Cpu::Ppc7400, Cpu::Ppc7450] {
        both(cpu, &test);
    }
}
