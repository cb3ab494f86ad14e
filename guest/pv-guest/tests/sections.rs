//! The sections, executed: an instruction patched by the library runs in the interpreter, where every exit counts.
//!
//! Sections are made of unprivileged instructions, so those for BookE run on Book3S models of the same width, which
//! need no TLB set up; only their slow path differs, and there it is the exit that matters.

use exec::{Clock, Context, Engine, Exit, NoMmio, PartitionState, Privileged, Requests, Vcpu};
use exec_interp::Interpreter;
use guest_mem::{GuestMem, Order};
use ppc_isa::{Cpu, msr};
use pv_guest::code::{Bytes, Code, Region};
use pv_guest::patch::{Outcome, Patcher, Trampoline};
use pv_guest::pv_abi::magic::{FEATURE_MAS0_TO_SPRG7, FEATURE_SR};
use pv_guest::pv_abi::rewrite::Build;

const SITE: u64 = 0x1000;
const TRAMPOLINE: u64 = 0x2000;
const SC: u32 = 0x4400_0002;
const R1: u64 = 0x0012_3450;
const R2: u64 = 0x0067_8900;
/// Offsets in the page.
const CRITICAL: usize = 0x18;
const MSR: usize = 0x58;
const SR: usize = 0x68;

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn ticks(&self, _: u64) -> u64 {
        0
    }
}

/// A kernel's build in a byte order.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Kernel {
    build: Build,
    order: Order,
}

const KERNELS: [Kernel; 5] = [
    Kernel { build: Build::Book3s32, order: Order::Big },
    Kernel { build: Build::Book3s64, order: Order::Big },
    Kernel { build: Build::Book3s64, order: Order::Little },
    Kernel { build: Build::BookE32, order: Order::Big },
    Kernel { build: Build::BookE64, order: Order::Big },
];

impl Kernel {
    fn booke(self) -> bool {
        matches!(self.build, Build::BookE32 | Build::BookE64)
    }

    /// What a register of this kernel holds of `value`.
    fn register(self, value: u64) -> u64 {
        if self.build.wide() { value } else { value & 0xffff_ffff }
    }

    fn cpu(self) -> Cpu {
        if self.build.wide() { Cpu::Power9 } else { Cpu::Ppc7400 }
    }

    /// MSR outside EE and RI: real mode, machine checks on.
    fn msr(self) -> u64 {
        msr::ME | if self.build.wide() { msr::SF } else { 0 } | if self.order == Order::Little { msr::LE } else { 0 }
    }
}

/// What an instruction did.
struct Done {
    before: Vcpu,
    after: Vcpu,
    /// Times that the instruction itself was met, with the vCPU as it was then.
    exits: Vec<Vcpu>,
}

/// What instructions run on. Engines are dear to make, so one serves many runs.
struct Host {
    mem: GuestMem,
    wide: Interpreter,
    narrow: Interpreter,
}

impl Host {
    fn new() -> Host {
        let [wide, narrow] = [Cpu::Power9, Cpu::Ppc7400].map(Interpreter::new);
        Host { mem: GuestMem::new(1 << 16).unwrap(), wide, narrow }
    }

    /// Patches `word` and runs it with `MSR` as given, an interrupt waiting or not, and registers set.
    fn run(&mut self, kernel: Kernel, word: u32, msr: u64, waiting: bool, set: &[(usize, u64)]) -> Done {
        let bytes = |count: usize| vec![0; 4 * count];
        let code = |bytes| match kernel.order {
            Order::Big => Bytes::big_endian(bytes),
            Order::Little => Bytes::little_endian(bytes),
        };
        let mut text = Region { code: code(bytes(2)), address: SITE };
        text.code.replace(0, word);
        text.code.replace(1, SC);
        let mut room = code(bytes(64));
        let mut trampoline = Trampoline::new(Region { code: &mut room, address: TRAMPOLINE });
        let features = FEATURE_SR | FEATURE_MAS0_TO_SPRG7;
        let patcher = Patcher { build: kernel.build, features, exclude: &[], copied: &[] };
        let report = patcher.run(&mut text, &mut trampoline, |site| {
            assert!(matches!(site.outcome, Outcome::Section(TRAMPOLINE)), "{site:?}");
        });
        assert_eq!(report.rewritten(), 1);
        assert_eq!(text.code.word(1), Some(SC));

        let Host { mem, wide, narrow } = self;
        let words = |code: &dyn Code, at: u64| {
            for index in 0..code.word_count() {
                assert!(mem.store(at + 4 * index as u64, kernel.order, code.word(index).unwrap()));
            }
        };
        words(&text.code, SITE);
        words(&room, TRAMPOLINE);

        let mut vcpu = Vcpu::new(kernel.cpu(), 0);
        vcpu.set_msr(msr);
        vcpu.shared.map(-4096_i64 as u64, -4096_i64 as u64, kernel.order);
        vcpu.shared.set_int_pending(waiting);
        vcpu.state.cia = SITE;
        for (n, gpr) in vcpu.state.gpr.iter_mut().enumerate() {
            *gpr = kernel.register(0x0101_0101_0101_0101 * n as u64);
        }
        (vcpu.state.gpr[1], vcpu.state.gpr[2]) = (kernel.register(R1), kernel.register(R2));
        for &(register, value) in set {
            vcpu.state.gpr[register] = kernel.register(value);
        }
        vcpu.state.set_cr_word(0x1234_5678);
        vcpu.state.lr = 0x1eaf_0000;
        vcpu.state.ctr = 0xc0de_0000;
        vcpu.state.set_xer(0x2000_0007);

        let (partition, requests) = (PartitionState::new(None, true), Requests::default());
        let context = Context {
            mem,
            partition: &partition,
            requests: &requests,
            clock: &Stopped,
            mmio: &NoMmio,
            peers: &requests,
            privileged: Privileged::Trap,
        };
        let before = vcpu.clone();
        let engine = if kernel.build.wide() { wide } else { narrow };
        let mut exits = Vec::new();
        for _ in 0..100 {
            match engine.run(&mut vcpu, &context, 1000) {
                Exit::SystemCall(sc) => {
                    assert_eq!(sc.address, SITE + 4, "resumes behind the instruction");
                    return Done { before, after: vcpu, exits };
                }
                Exit::Privileged(met) => {
                    assert_eq!(met.word as u32, word);
                    exits.push(vcpu.clone());
                    vcpu.state.cia += 4;
                }
                Exit::Illegal { word: met } => {
                    assert_eq!(met, word);
                    exits.push(vcpu.clone());
                    vcpu.state.cia += 4;
                }
                Exit::Event => {}
                Exit::Interrupt(interrupt) => panic!("{kernel:?} {word:08x}: {interrupt:?} at {:x}", vcpu.state.cia),
            }
        }
        panic!("{kernel:?} {word:08x} does not come back");
    }
}

impl Done {
    /// Everything but page, time and place is as before, now and whenever the instruction itself was met.
    fn preserves(&self, what: &str) {
        for vcpu in self.exits.iter().chain([&self.after]) {
            assert_eq!(vcpu.state.gpr, self.before.state.gpr, "{what}: GPRs");
            assert_eq!(vcpu.state.cr_word(), self.before.state.cr_word(), "{what}: CR");
            assert_eq!(vcpu.state.xer(), self.before.state.xer(), "{what}: XER");
            assert_eq!((vcpu.state.lr, vcpu.state.ctr), (self.before.state.lr, self.before.state.ctr), "{what}");
            assert!(!vcpu.critical(), "{what}: still critical");
        }
    }

    /// A field of the page, in the kernel's eyes.
    fn field(&self, kernel: Kernel, offset: usize) -> u64 {
        let bytes = self.after.shared.bytes::<8>(offset);
        match kernel.order {
            Order::Big => kernel.register(u64::from_be_bytes(bytes)),
            Order::Little => u64::from_le_bytes(bytes),
        }
    }
}

/// `word` with register `rs` for RS.
fn with_rs(word: u32, rs: usize) -> u32 {
    word | (rs as u32) << 21
}

/// Every combination of kernel, MSR before, MSR wanted (EE and RI), and interrupt waiting.
fn combinations() -> impl Iterator<Item = (Kernel, u64, u64, bool)> {
    let bits = [0, msr::EE, msr::RI, msr::EE | msr::RI];
    KERNELS.into_iter().flat_map(move |kernel| {
        bits.into_iter().flat_map(move |old| {
            bits.into_iter().flat_map(move |new| {
                [false, true].map(|waiting| (kernel, kernel.msr() | old, kernel.msr() | new, waiting))
            })
        })
    })
}

/// RS of every kind: plain ones, those that the section uses, those that it compares.
const SOURCES: [usize; 7] = [0, 3, 5, 29, 30, 31, 12];

#[test]
fn case_79_80_section_a_changes_ee_and_ri_only() {
    let mut host = Host::new();
    for (kernel, old, new, waiting) in combinations() {
        for rs in SOURCES {
            // Other bits of rS do not count.
            for value in [new, !new & !0x8002 | new & 0x8002] {
                let what = format!("mtmsrd r{rs},1 {kernel:?} {old:x} -> {value:x} waiting {waiting}");
                let done = host.run(kernel, with_rs(0x7c01_0164, rs), old, waiting, &[(rs, value)]);
                done.preserves(&what);
                assert_eq!(done.field(kernel, MSR), old & !0x8002 | value & 0x8002, "{what}");
                assert_eq!(done.exits.len(), usize::from(waiting && value & msr::EE != 0), "{what}");
            }
        }
    }
}

#[test]
fn case_78_80_section_b_leaves_all_but_ee_and_ri_to_the_instruction() {
    let mut host = Host::new();
    for (kernel, old, new, waiting) in combinations() {
        for (rs, word) in SOURCES.into_iter().flat_map(|rs| [(rs, 0x7c00_0124), (rs, 0x7c00_0164)]) {
            let what = format!("{word:x} r{rs} {kernel:?} {old:x} -> {new:x} waiting {waiting}");
            let done = host.run(kernel, with_rs(word, rs), old, waiting, &[(rs, new)]);
            done.preserves(&what);
            assert_eq!(done.field(kernel, MSR), new, "{what}");
            assert_eq!(done.exits.len(), usize::from(waiting && new & msr::EE != 0), "{what}");
        }
        let width = if kernel.build.wide() { 64 } else { 32 };
        for bit in (0..width).map(|n| 1 << n).filter(|bit| 0x8002 & bit == 0) {
            let done = host.run(kernel, with_rs(0x7c00_0124, 30), old, waiting, &[(30, new ^ bit)]);
            done.preserves("another bit");
            assert_eq!(done.exits.len(), 1, "{kernel:?} {old:x} -> {new:x} ^ {bit:x}");
            assert_eq!(done.field(kernel, MSR), old, "the page waits for the instruction");
        }
    }
}

#[test]
fn case_80_82_section_c_changes_ee_only() {
    let mut host = Host::new();
    for (kernel, old, new, waiting) in combinations().filter(|c| c.0.booke()) {
        let changed = old & !msr::EE | new & msr::EE;
        for rs in SOURCES {
            for value in [new, !new & !msr::EE | new & msr::EE] {
                let what = format!("wrtee r{rs} {kernel:?} {old:x} -> {value:x} waiting {waiting}");
                let done = host.run(kernel, with_rs(0x7c00_0106, rs), old, waiting, &[(rs, value)]);
                done.preserves(&what);
                assert_eq!(done.field(kernel, MSR), changed, "{what}");
                assert_eq!(done.exits.len(), usize::from(waiting && new & msr::EE != 0), "{what}");
            }
        }
        let one = host.run(kernel, 0x7c00_8146, old, waiting, &[]);
        one.preserves("wrteei 1");
        assert_eq!(one.field(kernel, MSR), old | msr::EE);
        assert_eq!(one.exits.len(), usize::from(waiting));
    }
}

#[test]
fn case_81_section_d_never_exits() {
    let mut host = Host::new();
    for (kernel, old, _, waiting) in combinations().filter(|c| c.0.booke()) {
        let done = host.run(kernel, 0x7c00_0146, old, waiting, &[]);
        done.preserves("wrteei 0");
        assert_eq!(done.field(kernel, MSR), old & !msr::EE, "{kernel:?}");
        assert_eq!(done.exits.len(), 0);
    }
}

#[test]
fn case_80_83_section_e_stores_segment_registers_in_real_mode() {
    let mut host = Host::new();
    let kernel = KERNELS[0];
    for (rs, rb) in SOURCES.into_iter().flat_map(|rs| SOURCES.map(|rb| (rs, rb))) {
        for n in 0..16 {
            let word = with_rs(0x7c00_01e4, rs) | (rb as u32) << 11;
            let (value, index) = (0xa5a5_0000 + n, n << 28 | 0x0fed_cba9);
            // With one register for both, the index is the value.
            let value = if rs == rb { index } else { value };
            let done = host.run(kernel, word, kernel.msr(), true, &[(rs, value), (rb, index)]);
            done.preserves("mtsrin");
            assert_eq!(done.exits.len(), 0, "mtsrin r{rs},r{rb}");
            let all: Vec<_> = (0..16).map(|m| done.after.shared.bytes::<4>(SR + 4 * m)).collect();
            for (m, bytes) in all.into_iter().enumerate() {
                let expected = if m as u64 == n { value as u32 } else { 0 };
                assert_eq!(u32::from_be_bytes(bytes), expected, "mtsrin r{rs},r{rb}: sr{m}");
            }
        }
    }
}

#[test]
fn case_84_critical_is_r2_after_every_section() {
    let mut host = Host::new();
    for (kernel, old, new, waiting) in combinations() {
        let both = [0x7c61_0164, 0x7c60_0124, 0x7c60_0164];
        let booke = [0x7c60_0106, 0x7c00_8146, 0x7c00_0146];
        for word in both.into_iter().chain(booke.into_iter().filter(|_| kernel.booke())) {
            let done = host.run(kernel, word, old, waiting, &[(3, new)]);
            let low = if kernel.build.wide() { 0 } else { 4 };
            let bytes = done.after.shared.bytes::<8>(CRITICAL + low);
            let critical = match kernel.order {
                Order::Big if low == 4 => u64::from_be_bytes(bytes) >> 32,
                Order::Big => u64::from_be_bytes(bytes),
                Order::Little => u64::from_le_bytes(bytes),
            };
            assert_eq!(critical, R2, "{word:08x} {kernel:?}");
        }
    }
}
