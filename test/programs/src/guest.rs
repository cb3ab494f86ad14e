//! A bare machine: RAM, one vCPU in real mode with every unit on, and no more. A program ends with a system call.

use anyhow::{Context as _, Result, ensure};
use exec::{Context, Engine, Exit, PartitionState, Privileged, Requests, Vcpu, mode};
use exec_interp::Interpreter;
use guest_mem::{GuestMem, Order};
use ppc_isa::cpu::Family;
use ppc_isa::{Cpu, msr};
use ppc_mmu::booke::{Assist, mas};

/// Bytes of RAM.
const RAM: u64 = 16 << 20;
/// log4 of the KiB of a page that holds all of RAM: 16 MiB.
const PAGE: u32 = 7;
/// Instructions between two looks at the clock that is none: a program that takes more slices than [`SLICES`] hangs.
const SLICE: u64 = 1_000_000;
const SLICES: u64 = 2000;
/// The most that a program prints.
const TEXT: usize = 1 << 14;

/// What came of a run.
pub struct Run {
    /// What the program printed, or why it did not come to its end.
    pub text: Result<String, String>,
    /// Instructions that it took.
    pub instructions: u64,
}

/// Runs the program in `elf` on the interpreter.
pub fn run(cpu: Cpu, order: Order, elf: &[u8]) -> Result<Run> {
    let mem = GuestMem::new(RAM).context("no memory for a guest")?;
    let kernel = image::elf::read(elf)?;
    for segment in &kernel.segments {
        let bytes = elf.get(segment.file.clone()).unwrap_or_default();
        ensure!(mem.write(segment.physical, bytes), "a segment lies outside of RAM");
    }
    let mut vcpu = vcpu(cpu, order);
    vcpu.state.cia = kernel.entry;
    let (partition, requests) = (PartitionState::new(None, false), Requests::default());
    let context = Context::alone(&mem, &partition, &requests, Privileged::Trap);
    let mut engine = Interpreter::new(cpu);
    let mut exit = Exit::Event;
    for _ in 0..SLICES {
        exit = engine.run(&mut vcpu, &context, SLICE);
        if !matches!(exit, Exit::Event) {
            break;
        }
    }
    let text = match exit {
        Exit::SystemCall(_) => text(&mem, vcpu.state.gpr[3]),
        other => Err(format!("{other:?} at {:#x}", vcpu.state.cia)),
    };
    Ok(Run { text, instructions: vcpu.state.retired })
}

fn vcpu(cpu: Cpu, order: Order) -> Vcpu {
    let mut vcpu = Vcpu::new(cpu, 0);
    vcpu.state.fscr = mode::fscr::TAR | mode::fscr::DSCR | mode::fscr::PREFIX;
    let units = msr::FP | msr::VEC | msr::SPE;
    let little = if order == Order::Little { msr::LE } else { 0 };
    let wide = if cpu.sixty_four() { msr::CM } else { 0 };
    vcpu.set_msr(match cpu.family() {
        Family::Book3s64 => msr::SF | msr::VSX | units | little,
        Family::Book3s32 => units,
        Family::BookE => wide | units,
    });
    // BookE has no real mode: one page stands for it.
    if cpu.family() == Family::BookE {
        vcpu.state.booke.tlb.write(&Assist {
            mas0: mas::TLBSEL,
            mas1: mas::VALID | PAGE << 8,
            mas3: 0x3f, // everything is allowed
            ..Assist::default()
        });
    }
    vcpu
}

/// The text at `address`, which ends with a zero byte.
fn text(mem: &GuestMem, address: u64) -> Result<String, String> {
    let mut bytes = vec![0; TEXT];
    if !mem.read(address & 0xffff_ffff, &mut bytes) {
        return Err(format!("no text at {address:#x}"));
    }
    let length = bytes.iter().position(|&byte| byte == 0).unwrap_or(TEXT);
    bytes.truncate(length);
    String::from_utf8(bytes).map_err(|_| "the text is not text".to_string())
}
