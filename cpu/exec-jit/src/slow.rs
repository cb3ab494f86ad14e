//! What translated code calls when its fast path does not do: accesses, and instructions that are not translated.

use exec::fp::fpscr;
use exec::{Context, Exit, Instruction, Mode, Vcpu, engine, supervisor};
use guest_mem::Word;
use ppc_isa::cpu::Family;
use ppc_isa::op::{Integer, Op, System};
use ppc_mmu::Keys;

use crate::engine::{Translator, exacting};
use crate::host::{self, Answer, Reason};
use crate::watch::What;

/// Loads `Frame::ea`, to `Frame::value`.
pub fn load(engine: &mut Translator, vcpu: &mut Vcpu, context: &Context, site: u32, bytes: u32) -> Answer {
    match bytes {
        1 => load_word::<u8>(engine, vcpu, context, site),
        2 => load_word::<u16>(engine, vcpu, context, site),
        4 => load_word::<u32>(engine, vcpu, context, site),
        _ => load_word::<u64>(engine, vcpu, context, site),
    }
}

fn load_word<T: Word>(engine: &mut Translator, vcpu: &mut Vcpu, context: &Context, site: u32) -> Answer {
    engine.count_call(vcpu.state.mode.problem(), site, What::Access);
    let ea = engine.host.data().frame.ea;
    match engine.interpreter.load::<T>(vcpu, context, ea) {
        Some(value) => {
            engine.host.data().frame.value = value.into();
            engine.remember(vcpu, context, ea);
            engine.notice(context);
            0
        }
        None => interpret(engine, vcpu, site),
    }
}

/// Stores `Frame::value` at `Frame::ea`.
pub fn store(engine: &mut Translator, vcpu: &mut Vcpu, context: &Context, site: u32, bytes: u32) -> Answer {
    match bytes {
        1 => store_word::<u8>(engine, vcpu, context, site),
        2 => store_word::<u16>(engine, vcpu, context, site),
        4 => store_word::<u32>(engine, vcpu, context, site),
        _ => store_word::<u64>(engine, vcpu, context, site),
    }
}

fn store_word<T: Word>(engine: &mut Translator, vcpu: &mut Vcpu, context: &Context, site: u32) -> Answer {
    engine.count_call(vcpu.state.mode.problem(), site, What::Access);
    let frame = &engine.host.data().frame;
    let (ea, value) = (frame.ea, T::truncate(frame.value));
    if engine.interpreter.store(vcpu, context, ea, value) {
        engine.remember(vcpu, context, ea);
        engine.notice(context);
        0
    } else {
        interpret(engine, vcpu, site)
    }
}

/// Reports a store to the host address `Frame::ea`.
pub fn wrote(engine: &mut Translator, _: &mut Vcpu, context: &Context, _: u32, _: u32) -> Answer {
    let frame = &engine.host.data().frame;
    context.mem.stored(frame.ea.wrapping_sub(frame.ram));
    engine.notice(context);
    0
}

/// Leaves before the instruction: the interpreter finds out what it does.
fn interpret(engine: &mut Translator, vcpu: &mut Vcpu, site: u32) -> Answer {
    engine.write_back(vcpu, site);
    let retired = vcpu.state.retired;
    engine.count_from(retired);
    Reason::Interpret as Answer
}

/// Executes the instruction by the interpreter's handler. If it accesses `bytes` at `Frame::ea`, its page is remembered.
pub fn decline(engine: &mut Translator, vcpu: &mut Vcpu, context: &Context, site: u32, bytes: u32) -> Answer {
    let Some(decoded) = engine.write_back(vcpu, site) else { return Reason::Event as Answer };
    engine.count_call(vcpu.state.mode.problem(), site, What::Declined);
    engine.settle(&mut vcpu.state);
    let before = exacting(&vcpu.state);
    let result = engine.interpreter.execute(vcpu, context, decoded);
    if vcpu.state.fpscr & fpscr::XX == 0 {
        // From here on, or of estimates by the handler.
        host::take_inexact();
    }
    let answer = match result {
        // Code rests on it; this is no event point.
        Ok(false) if exacting(&vcpu.state) != before => Reason::Lookup,
        Ok(false) => {
            engine.read_back(vcpu, site);
            if bytes != 0 {
                let ea = engine.host.data().frame.ea;
                engine.remember(vcpu, context, ea);
            }
            engine.notice(context);
            return 0;
        }
        Ok(true) => Reason::Event,
        Err(exit) => {
            engine.exit = Some(exit);
            Reason::Exit
        }
    };
    let retired = vcpu.state.retired;
    engine.count_from(retired);
    answer as Answer
}

/// Carries out a privileged instruction, as `exec::engine::run` does.
pub fn privileged(engine: &mut Translator, vcpu: &mut Vcpu, context: &Context, site: u32, _: u32) -> Answer {
    let Some(decoded) = engine.write_back(vcpu, site) else { return Reason::Event as Answer };
    let Some(row) = engine.interpreter.dispatch().row(decoded) else { return Reason::Event as Answer };
    let insn = Instruction { row, word: decoded.word.into(), len: 4, address: vcpu.state.cia };
    let next = vcpu.state.effective(insn.address.wrapping_add(4));
    engine.count_call(vcpu.state.mode.problem(), site, What::Privileged);
    let before = Rests::of(vcpu);
    let answer = match supervisor::execute(vcpu, context, &insn) {
        Err(interrupt) => {
            engine.exit = Some(Exit::Interrupt(interrupt));
            Reason::Exit
        }
        Ok(()) if engine::is_event(vcpu, context, &insn, engine.until) => {
            engine.exit = Some(Exit::Event);
            Reason::Exit
        }
        Ok(()) => {
            let same = before.is_some_and(|before| Rests::of(vcpu) == Some(before));
            let asked = context.requests.pending() != 0 || engine.is_behind(context);
            if (same || reads(row.op)) && vcpu.state.cia == next && !asked {
                engine.read_back(vcpu, site);
                return 0;
            }
            Reason::Prepare
        }
    };
    let retired = vcpu.state.retired;
    engine.count_from(retired);
    answer as Answer
}

/// Whether a privileged instruction only reads.
fn reads(op: Op) -> bool {
    matches!(op, Op::Integer(Integer::Mfspr) | Op::System(System::Mfmsr))
}

/// What code of Book3S-64 and its translations rest on; other families have more than is worth comparing.
#[derive(PartialEq, Eq)]
struct Rests {
    mode: Mode,
    unavailable: u16,
    pid: u32,
    keys: Keys,
    slb: u64,
    exception: bool,
}

impl Rests {
    fn of(vcpu: &Vcpu) -> Option<Rests> {
        let state = &vcpu.state;
        (state.cpu.family() == Family::Book3s64).then(|| Rests {
            mode: state.mode,
            unavailable: state.unavailable,
            pid: state.pid,
            keys: state.keys(),
            slb: state.slb.generation,
            exception: state.fp_exception(),
        })
    }
}
