//! `powervisor trace`: exits and hypercalls by name, as they happen.

use std::io::{BufWriter, Write};
use std::time::{Duration, Instant};

use anyhow::Result;
use exec::{Exit, Vcpu};
use hv_core::{Call, count};
use image::symbols::Symbols;
use ppc_isa::{Decoder, disassemble};
use serde_json::{Value, json};
use vmm::Observer;

use crate::cli::{ExitKind, PrivilegedFlag, RunFlags, TraceFlags};
use crate::session::{self, Console};
use crate::{pattern, symbols};

/// Runs a guest and prints its exits; returns the exit code of `run`.
pub fn trace(flags: &TraceFlags) -> Result<u8> {
    let mut tracer = Tracer {
        flags,
        symbols: symbols::of(&flags.run, flags.symbols.as_deref())?,
        decoder: None,
        start: Instant::now(),
        before: None,
        printed: 0,
        out: BufWriter::new(Box::new(std::io::stdout())),
        broken: false,
    };
    let trap = Some(flags.run.privileged.unwrap_or(PrivilegedFlag::Trap));
    let run = RunFlags { privileged: trap, ..flags.run.clone() };
    let (report, stop) = session::run(&run, Console::Diagnostics, Some(&mut tracer), None)?;
    tracer.out.flush()?;
    if tracer.done() {
        return Ok(0);
    }
    Ok(crate::run::exit_code(&flags.run, &report, stop))
}

struct Tracer<'a> {
    flags: &'a TraceFlags,
    symbols: Symbols,
    decoder: Option<Decoder>,
    start: Instant,
    before: Option<Before>,
    printed: u64,
    out: BufWriter<Box<dyn Write + Send>>,
    /// Nobody reads any more.
    broken: bool,
}

/// A vCPU as the guest left it.
struct Before {
    /// Its number.
    server: u32,
    at: Duration,
    exit: Exit,
    pc: u64,
    gpr: [u64; 32],
    msr: u64,
}

/// One line of the trace.
struct Line<'a> {
    before: &'a Before,
    symbol: Option<String>,
    kind: ExitKind,
    /// What filters see.
    name: String,
    /// The instruction, the call with its arguments, the interrupt with its status.
    detail: String,
    /// What came of it.
    effect: String,
}

impl Observer for Tracer<'_> {
    fn exit(&mut self, vcpu: &Vcpu, exit: &Exit, _: Duration) {
        let state = &vcpu.state;
        let (at, msr) = (self.start.elapsed(), vcpu.shared.msr());
        self.before = Some(Before { server: state.pir, at, exit: *exit, pc: state.cia, gpr: state.gpr, msr });
    }

    fn answer(&mut self, vcpu: &Vcpu, call: Option<Call>, _: Duration) {
        let Some(before) = self.before.take() else { return };
        let kind = kind(&before.exit, call);
        let wanted = match &self.flags.only {
            Some(only) => only.contains(&kind),
            None => kind != ExitKind::Event,
        };
        if !wanted {
            return;
        }
        let line = self.line(&before, vcpu, kind, call);
        let fits = |pattern: &Option<String>, text: &str| pattern.as_ref().is_none_or(|p| pattern::matches(p, text));
        let function = line.symbol.as_deref().map_or("", |s| s.split('+').next().unwrap_or(s));
        if !fits(&self.flags.name, &line.name) || !fits(&self.flags.symbol, function) {
            return;
        }
        let several = self.flags.run.cpus > 1;
        let written = match self.flags.json {
            true => writeln!(self.out, "{}", line.json()),
            false if several => writeln!(self.out, "{:2} {}", before.server, line.text()),
            false => writeln!(self.out, "{}", line.text()),
        };
        self.broken |= written.is_err();
        self.printed += 1;
    }

    fn done(&self) -> bool {
        self.broken || self.flags.limit.is_some_and(|limit| self.printed >= limit)
    }
}

impl Tracer<'_> {
    fn line<'b>(&mut self, before: &'b Before, vcpu: &Vcpu, kind: ExitKind, call: Option<Call>) -> Line<'b> {
        let cpu = vcpu.state.cpu;
        let decoder = self.decoder.get_or_insert_with(|| Decoder::new(cpu));
        let symbol = self.symbols.find(before.pc).map(|(name, offset)| format!("{name}+{offset:#x}"));
        let gpr = &vcpu.state.gpr;
        let (name, detail) = match (&before.exit, call) {
            (_, Some(call)) => {
                let arguments: Vec<String> = (3..9).map(|n| format!("{:x}", before.gpr[n])).collect();
                let name = call.name.to_owned();
                (name, format!("{}:{}({})", call.interface, call.name, arguments.join(", ")))
            }
            (Exit::Privileged(insn), _) => {
                let text = disassemble(decoder, insn.address, insn.word).to_string();
                let words: Vec<&str> = text.split_whitespace().collect();
                (hv_core::Emulated::of(insn).name(cpu.family()), words.join(" "))
            }
            (Exit::SystemCall(_), _) => ("syscall".into(), format!("system call {}", before.gpr[0])),
            (Exit::Illegal { word }, _) => ("illegal".into(), format!("illegal instruction {word:08x}")),
            (Exit::Interrupt(interrupt), _) => {
                (count::reason_of(*interrupt).trim_end_matches("_exits").into(), format!("{interrupt:x?}"))
            }
            (Exit::Event, _) => ("event".into(), "event".into()),
        };
        let mut effects: Vec<String> =
            (0..32).filter(|&n| gpr[n] != before.gpr[n]).map(|n| format!("r{n}={:x}", gpr[n])).collect();
        if vcpu.shared.msr() != before.msr {
            effects.push(format!("msr={:x}", vcpu.shared.msr()));
        }
        if vcpu.state.cia != before.pc.wrapping_add(4) && kind != ExitKind::Event {
            effects.push(format!("pc={:x}", vcpu.state.cia));
        }
        Line { before, symbol, kind, name, detail, effect: effects.join(" ") }
    }
}

fn kind(exit: &Exit, call: Option<Call>) -> ExitKind {
    match exit {
        _ if call.is_some() => ExitKind::Hypercall,
        Exit::Privileged(_) => ExitKind::Privileged,
        Exit::SystemCall(_) => ExitKind::Syscall,
        Exit::Illegal { .. } => ExitKind::Illegal,
        Exit::Interrupt(_) => ExitKind::Interrupt,
        Exit::Event => ExitKind::Event,
    }
}

impl Line<'_> {
    fn kind(&self) -> String {
        format!("{:?}", self.kind).to_lowercase()
    }

    fn text(&self) -> String {
        let symbol = self.symbol.as_deref().unwrap_or("-");
        let (at, pc) = (self.before.at.as_secs_f64(), self.before.pc);
        let effect = if self.effect.is_empty() { String::new() } else { format!("  -> {}", self.effect) };
        format!("{at:12.6} {pc:016x} {symbol:<32} {:<10} {}{effect}", self.kind(), self.detail)
    }

    fn json(&self) -> Value {
        json!({
            "seconds": self.before.at.as_secs_f64(),
            "cpu": self.before.server,
            "pc": format!("{:#x}", self.before.pc),
            "symbol": self.symbol,
            "exit": self.kind(),
            "name": self.name,
            "detail": self.detail,
            "effect": self.effect,
        })
    }
}
