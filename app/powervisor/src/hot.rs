//! `powervisor hot`: which functions of a guest are executed most, and which instructions the translator leaves to calls.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use exec_jit::{Count, Counts, Place, Region, Watcher, What};
use hv_core::Emulated;
use image::symbols::Symbols;
use ppc_isa::cpu::Family;
use ppc_isa::{Cpu, Decoder};
use serde_json::{Value, json};

use crate::cli::{EngineFlag, HotFlags, RunFlags};
use crate::session::{self, Console, Equipment};
use crate::symbols;

mod text;

/// What is shown.
struct Heat {
    /// By function, the most executed first.
    functions: Vec<(String, Function)>,
    /// By instruction and what was done for it, the most frequent first.
    calls: Vec<Call>,
    /// Instructions of translated code, of interpreted code.
    instructions: [u64; 2],
    /// How often code was left, by reason.
    left: BTreeMap<&'static str, u64>,
    regions: u64,
    bytes: u64,
    code_instructions: u64,
    translating: Duration,
    dropped: u64,
}

/// What happened in a function.
#[derive(Clone, Copy, Default)]
struct Function {
    /// Instructions, in whatever way.
    instructions: u64,
    /// Of them, those that were interpreted from one event point to the next.
    interpreted: u64,
    /// Calls out of code, by [`CALLS`].
    calls: [u64; 3],
}

/// Calls out of translated code that goes on behind them.
const CALLS: [What; 3] = [What::Declined, What::Privileged, What::Access];

/// An instruction that was not executed by code of its own.
struct Call {
    name: String,
    what: What,
    times: u64,
    /// Where it happened most often, and how often there.
    most: (String, u64),
}

/// Runs a guest and prints what was hot; returns the exit code of `run`.
pub fn hot(flags: &HotFlags) -> Result<u8> {
    if flags.run.engine == Some(EngineFlag::Interp) {
        bail!("--engine interp: `powervisor hot` shows what the translator does");
    }
    let symbols = symbols::of(&flags.run, flags.symbols.as_deref())?;
    let run = RunFlags { engine: Some(EngineFlag::Jit), ..flags.run.clone() };
    let cpu = session::planned(&run, Equipment::first(&run)?)?.1.spec.cpu;
    let sum = Arc::new(Mutex::new(Sum::default()));
    let (report, stop) = session::run(&run, Console::Diagnostics, None, Some(sum.clone()))?;
    let heat = Heat::new(&sum.lock().unwrap_or_else(PoisonError::into_inner).0, &symbols, cpu);
    match flags.json {
        true => println!("{:#}", heat.json()),
        false => print!("{}", text::report(&heat, flags.top)),
    }
    Ok(crate::run::exit_code(&run, &report, stop))
}

/// Adds up what the translators of all vCPUs tell.
#[derive(Default)]
struct Sum(Counts);

impl Watcher for Sum {
    fn entry(&mut self, _: u64, _: usize) {}

    fn translated(&mut self, _: &Region<'_>) {}

    fn counted(&mut self, counts: &Counts) {
        let sum = &mut self.0;
        for (place, count) in &counts.places {
            let own = sum.places.entry(*place).or_default();
            own.times += count.times;
            own.instructions += count.instructions;
        }
        for (reason, times) in &counts.left {
            *sum.left.entry(reason).or_default() += times;
        }
        sum.regions += counts.regions;
        sum.bytes += counts.bytes;
        sum.code_instructions += counts.code_instructions;
        sum.translating += counts.translating;
        sum.dropped += counts.dropped;
    }
}

impl Heat {
    fn new(counts: &Counts, symbols: &Symbols, cpu: Cpu) -> Heat {
        let decoder = Decoder::new(cpu);
        let mut functions: HashMap<String, Function> = HashMap::new();
        let mut calls: HashMap<(String, What), HashMap<String, u64>> = HashMap::new();
        let mut instructions = [0; 2];
        for (place, count) in &counts.places {
            let name = function(symbols, place);
            if place.what != What::Translated {
                let key = (instruction(&decoder, cpu.family(), place.word), place.what);
                *calls.entry(key).or_default().entry(name.clone()).or_default() += count.times;
            }
            let function = functions.entry(name).or_default();
            function.add(place, count);
            if let Some(sum) = instructions.get_mut(usize::from(place.what != What::Translated)) {
                *sum += count.instructions;
            }
        }
        let mut functions: Vec<_> = functions.into_iter().collect();
        functions.sort_by(|one, other| other.1.instructions.cmp(&one.1.instructions).then(one.0.cmp(&other.0)));
        let call = |((name, what), by): ((String, What), HashMap<String, u64>)| {
            let most = by.iter().max_by_key(|(name, times)| (**times, std::cmp::Reverse(*name)));
            let most = most.map_or_else(Default::default, |(name, times)| (name.clone(), *times));
            Call { name, what, times: by.values().sum(), most }
        };
        let mut calls: Vec<Call> = calls.into_iter().map(call).collect();
        calls.sort_by(|one, other| other.times.cmp(&one.times).then(one.name.cmp(&other.name)));
        let left = counts.left.iter().map(|(reason, times)| (*reason, *times)).collect();
        let Counts { regions, bytes, code_instructions, translating, dropped, .. } = *counts;
        Heat { functions, calls, instructions, left, regions, bytes, code_instructions, translating, dropped }
    }

    fn json(&self) -> Value {
        let functions = self.functions.iter().map(|(name, function)| {
            let Function { instructions, interpreted, calls: [declined, privileged, access] } = function;
            json!({
                "name": name,
                "instructions": instructions,
                "interpreted": interpreted,
                "declined": declined,
                "privileged": privileged,
                "access": access,
            })
        });
        let calls = self.calls.iter().map(|Call { name, what, times, most }| {
            json!({ "name": name, "what": said(*what), "times": times, "most_in": most.0, "times_there": most.1 })
        });
        json!({
            "instructions": self.instructions.iter().sum::<u64>(),
            "translated": self.instructions[0],
            "interpreted": self.instructions[1],
            "regions": self.regions,
            "code_bytes": self.bytes,
            "code_instructions": self.code_instructions,
            "translation_seconds": self.translating.as_secs_f64(),
            "code_dropped": self.dropped,
            "left": self.left,
            "functions": functions.collect::<Value>(),
            "calls": calls.collect::<Value>(),
        })
    }
}

impl Function {
    fn add(&mut self, place: &Place, count: &Count) {
        self.instructions += count.instructions;
        if matches!(place.what, What::Interpreted | What::Cold) {
            self.interpreted += count.instructions;
        }
        for (what, times) in CALLS.iter().zip(&mut self.calls) {
            *times += if *what == place.what { count.times } else { 0 };
        }
    }
}

/// The function of the kernel that `place` is in, or the page of a user program.
fn function(symbols: &Symbols, place: &Place) -> String {
    match symbols.find(place.ea).filter(|_| !place.problem) {
        Some((name, _)) => name.to_owned(),
        None => format!("{} {:#x}", if place.problem { "user" } else { "kernel" }, place.ea & !0xfff),
    }
}

/// The name of an instruction, with that of a special purpose register.
fn instruction(decoder: &Decoder, family: Family, word: u32) -> String {
    match decoder.decode(word.into()) {
        Some(row) => Emulated::of(&exec::Instruction { row, word: word.into(), len: 4, address: 0 }).name(family),
        None => "(none)".into(),
    }
}

/// A word for what is done for an instruction.
fn said(what: What) -> &'static str {
    match what {
        What::Translated => "translated",
        What::Declined => "declined",
        What::Privileged => "privileged",
        What::Access => "access",
        What::Interpreted => "interpreted",
        What::Cold => "cold",
    }
}
