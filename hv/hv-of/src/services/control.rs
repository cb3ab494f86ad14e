//! What exists, the time, and the end (IEEE 1275-1994, 6.3.2.1, 6.3.2.5 and 6.3.2.6).

use std::time::Duration;

use exec::timebase;
use hv_core::{Halt, Next, Panic};

use super::{Service, named};
use crate::arguments::{FAILED, text};
use crate::firmware::{Call, OpenFirmware, State};

pub(super) const SERVICES: &[Service] = &[
    Service { name: "test", inputs: 1, run: test },
    Service { name: "milliseconds", inputs: 0, run: milliseconds },
    Service { name: "interpret", inputs: 1, run: interpret },
    Service { name: "boot", inputs: 1, run: |_, _, call| halt(call, Halt::Reset) },
    // Firmware has no prompt at which somebody could wait.
    Service { name: "enter", inputs: 0, run: |_, _, _| Vec::new() },
    Service { name: "exit", inputs: 0, run: exit },
    // Firmware does nothing by itself.
    Service { name: "quiesce", inputs: 0, run: |_, _, _| Vec::new() },
    // It calls nobody back, so that there was none before, either.
    Service { name: "set-callback", inputs: 1, run: |_, _, _| vec![0] },
    Service { name: "set-symbol-lookup", inputs: 2, run: |_, _, _| Vec::new() },
];

/// Words of Forth that mean something here; there is no interpreter behind them.
#[rustfmt::skip]
const WORDS: [(&str, Halt); 4] = [
    ("reset-all", Halt::Reset), ("reboot", Halt::Reset), ("power-off", Halt::PowerOff), ("shut-down", Halt::PowerOff),
];

fn halt(call: &mut Call, why: Halt) -> Vec<u32> {
    call.next = Next::Halt(why);
    Vec::new()
}

/// 0 for a service that exists.
fn test(_: &OpenFirmware, _: &mut State, call: &mut Call) -> Vec<u32> {
    let name = text(call.visit.context.mem, call.arguments.input(0), 31);
    vec![if name.is_some_and(|name| named(&name).is_some()) { 0 } else { FAILED }]
}

/// Guest time since the start.
fn elapsed(call: &Call) -> Duration {
    timebase::duration(timebase::timebase(&call.visit.vcpu.state, call.visit.context))
}

/// In 32 bits.
fn milliseconds(_: &OpenFirmware, _: &mut State, call: &mut Call) -> Vec<u32> {
    vec![elapsed(call).as_millis() as u32]
}

/// Kernels and boot programs give up so; what is wrong they have printed before.
fn exit(_: &OpenFirmware, _: &mut State, call: &mut Call) -> Vec<u32> {
    let words = "it went back to Open Firmware, which has nothing else to start".to_owned();
    let panic = Panic { words, uptime: elapsed(call) };
    halt(call, Halt::Panic(Box::new(panic)))
}

fn interpret(_: &OpenFirmware, _: &mut State, call: &mut Call) -> Vec<u32> {
    let line = text(call.visit.context.mem, call.arguments.input(0), 255);
    let found = line.and_then(|line| WORDS.into_iter().find(|(word, _)| *word == line.trim()));
    match found {
        Some((_, why)) => halt(call, why),
        None => vec![FAILED],
    }
}
