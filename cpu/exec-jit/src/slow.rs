//! What translated code calls when its fast path does not do: accesses, and instructions that are not translated.

use exec::fp::fpscr;
use exec::timebase::timebase;
use exec::{Context, Exit, Instruction, Interrupt, Privileged, Vcpu, engine, supervisor};
use guest_mem::Word;
use ppc_isa::op::{Integer, Op, System};

use crate::engine::{Basis, Translator};
use crate::host::{self, Answer, Reason};
use crate::watch::What;
use crate::window::STACK;

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
    match engine.interpreter(&vcpu.state, context).load::<T>(vcpu, context, ea) {
        Some(value) => {
            engine.host.data().frame.value = value.into();
            engine.remember(vcpu, context, ea);
            engine.notice(context);
            0
        }
        None => interpret(engine, vcpu, context, site),
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
    if engine.interpreter(&vcpu.state, context).store(vcpu, context, ea, value) {
        engine.remember(vcpu, context, ea);
        engine.notice(context);
        0
    } else {
        interpret(engine, vcpu, context, site)
    }
}

/// Reports a store to the host address `Frame::ea`.
pub fn wrote(engine: &mut Translator, _: &mut Vcpu, context: &Context, _: u32, _: u32) -> Answer {
    let frame = &engine.host.data().frame;
    context.mem.stored(frame.ea.wrapping_sub(frame.ram));
    engine.notice(context);
    0
}

/// Reads the timebase, to `Frame::value`, when `done` instructions are completed that the frame does not account for.
pub fn time(engine: &mut Translator, vcpu: &mut Vcpu, context: &Context, done: u32, _: u32) -> Answer {
    vcpu.state.retired = engine.retired().wrapping_add(done.into());
    engine.host.data().frame.value = timebase(&vcpu.state, context);
    0
}

/// Executes the instruction by the interpreter's handler, which finds out why its access cannot be done.
fn interpret(engine: &mut Translator, vcpu: &mut Vcpu, context: &Context, site: u32) -> Answer {
    let Some(decoded) = engine.write_back(vcpu, site) else { return Reason::Event as Answer };
    let page = vcpu.state.cia & !0xfff;
    engine.settle(&mut vcpu.state);
    let answer = match engine.interpreter(&vcpu.state, context).execute(vcpu, context, decoded) {
        Err(ref exit) => return leave(engine, vcpu, context, exit),
        Ok(event) if event || vcpu.state.cia & !0xfff != page => Reason::Event,
        Ok(_) => Reason::Lookup,
    };
    let retired = vcpu.state.retired;
    engine.count_from(retired);
    engine.notice(context);
    answer as Answer
}

/// Executes the instruction by the interpreter's handler. If it accesses `bytes` at `Frame::ea`, its page is remembered.
pub fn decline(engine: &mut Translator, vcpu: &mut Vcpu, context: &Context, site: u32, bytes: u32) -> Answer {
    let Some(decoded) = engine.write_back(vcpu, site) else { return Reason::Event as Answer };
    engine.count_call(vcpu.state.mode.problem(), site, What::Declined);
    // Branches access no memory: system calls need no translations, and often change the mode next.
    let branch = engine.interpreter.dispatch().row(decoded).is_some_and(|row| matches!(row.op, Op::Branch(_)));
    if !branch {
        engine.settle(&mut vcpu.state);
    }
    let before = Basis::of(&vcpu.state);
    let stack = vcpu.state.gpr[STACK];
    let interpreter = if branch { &mut engine.interpreter } else { engine.interpreter(&vcpu.state, context) };
    let result = interpreter.execute(vcpu, context, decoded);
    if !branch && vcpu.state.fpscr & fpscr::XX == 0 {
        // From here on, or of estimates by the handler.
        host::take_inexact();
    }
    let answer = match result {
        // Code rests on it; this is no event point.
        Ok(false) if Basis::of(&vcpu.state) != before => Reason::Lookup,
        Ok(false) => {
            engine.read_back(vcpu, site);
            if vcpu.state.gpr[STACK] != stack {
                engine.look_around(&vcpu.state);
            }
            if bytes != 0 {
                let ea = engine.host.data().frame.ea;
                engine.remember(vcpu, context, ea);
            }
            engine.notice(context);
            return 0;
        }
        Ok(true) => Reason::Event,
        Err(ref exit) => return leave(engine, vcpu, context, exit),
    };
    let retired = vcpu.state.retired;
    engine.count_from(retired);
    answer as Answer
}

/// Leaves code for `exit`, or delivers its interrupt and goes on.
fn leave(engine: &mut Translator, vcpu: &mut Vcpu, context: &Context, exit: &Exit) -> Answer {
    let calls = matches!(exit, Exit::SystemCall(_) | Exit::Interrupt(Interrupt::SystemCallVectored(_)));
    let ended = engine::answer(vcpu, context, exit, engine.until).or_else(|| engine::fp_exception(&vcpu.state));
    let value = calls.then(|| vcpu.shared.msr());
    go_on(engine, vcpu, context, ended, value) as Answer
}

/// Ends the run for `ended`, or goes on with the code for the state's next instruction, to which a write of `value` to the
/// MSR has led.
fn go_on(
    engine: &mut Translator,
    vcpu: &mut Vcpu,
    context: &Context,
    ended: Option<Exit>,
    value: Option<u64>,
) -> Reason {
    let reason = if ended.is_some() {
        engine.exit = ended;
        Reason::Exit
    } else {
        engine.take_invalidations(&mut vcpu.state, context);
        engine.enter_mode(&vcpu.state, context);
        // Where all of them are exits, code makes none.
        if let Some(value) = value.filter(|_| context.privileged == Privileged::Inline) {
            engine.remember_switch(value, vcpu);
        }
        let known = if engine.is_behind(context) { None } else { engine.known(vcpu.state.cia) };
        engine.host.data().frame.target = known.unwrap_or(0);
        if known.is_some() { Reason::Jump } else { Reason::Lookup }
    };
    let retired = vcpu.state.retired;
    engine.count_from(retired);
    engine.notice(context);
    reason
}

/// Carries out a privileged instruction, or has it answered, as `exec::engine::run` does.
pub fn privileged(engine: &mut Translator, vcpu: &mut Vcpu, context: &Context, site: u32, _: u32) -> Answer {
    let Some(decoded) = engine.write_back(vcpu, site) else { return Reason::Event as Answer };
    let Some(row) = engine.interpreter.dispatch().row(decoded) else { return Reason::Event as Answer };
    let insn = Instruction { row, word: decoded.word.into(), len: 4, address: vcpu.state.cia };
    let next = vcpu.state.effective(insn.address.wrapping_add(4));
    engine.count_call(vcpu.state.mode.problem(), site, What::Privileged);
    let turn = engine.turn();
    let value = match row.op {
        Op::System(System::Rfid) => Some(vcpu.shared.srr1()),
        Op::System(System::Rfscv) => Some(vcpu.state.ctr),
        _ => None,
    };
    let ended = match context.privileged {
        Privileged::Trap => engine::answer(vcpu, context, &Exit::Privileged(insn), engine.until),
        Privileged::Inline => match supervisor::execute(vcpu, context, &insn) {
            Err(interrupt) => return leave(engine, vcpu, context, &Exit::Interrupt(interrupt)),
            Ok(()) => engine::is_event(vcpu, context, &insn, engine.until).then_some(Exit::Event),
        },
    };
    let ended = ended.or_else(|| engine::fp_exception(&vcpu.state));
    let stays = ended.is_none() && reads(row.op) && vcpu.state.cia == next;
    if stays && context.requests.pending() == 0 && !engine.is_behind(context) {
        engine.read_back(vcpu, site);
        return 0;
    }
    if ended.is_none() && value.is_none() {
        let before = engine.keys();
        engine.take_invalidations(&mut vcpu.state, context);
        engine.enter_mode(&vcpu.state, context);
        let keys = engine.keys();
        let lost = engine.turn() != turn || engine.is_behind(context);
        let same = (keys.mode, keys.fetch) == (before.mode, before.fetch);
        if same && keys.covers(next) && vcpu.state.cia == next && !lost {
            engine.read_back(vcpu, site);
            return 0;
        }
    }
    go_on(engine, vcpu, context, ended, value) as Answer
}

/// Whether a privileged instruction only reads.
fn reads(op: Op) -> bool {
    matches!(op, Op::Integer(Integer::Mfspr) | Op::System(System::Mfmsr))
}
