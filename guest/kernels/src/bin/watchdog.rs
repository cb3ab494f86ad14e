//! Watchdogs (PAPR 14.15): what is started again or stopped does nothing, and then one expires.
//!
//! The command line says what that one does: `poweroff`, `restart` or `dump`. The machine ends by it, behind `PASS`; with
//! `idle` as well it finds the processor waiting, else busy with interrupts off. On the host's time, `host`, nothing is
//! expected to be done before something else happens.
#![no_std]
#![no_main]

use guest_rt::{
    fdt::Fdt,
    papr::{hcall, opcode::*, status::*},
    spr::{mfspr, spr},
};
use kernels::{Report, says};

guest_rt::guest_main!(main);

const START: u64 = 0x100;
const STOP: u64 = 0x200;
const CAPABILITIES: u64 = 0x300;
const TICKS_PER_MILLISECOND: u64 = 512_000;
/// By word of the command line.
const ACTIONS: [(&[u8], u64); 3] = [(b"poweroff", 1), (b"restart", 2), (b"dump", 3)];
/// Milliseconds of the one that expires.
const TIMEOUT: u64 = 3;
const HOUR: u64 = 3_600_000;

fn watchdog(flags: u64, number: u64, timeout: u64) -> i64 {
    hcall(H_WATCHDOG, &[flags, number, timeout]).status
}

fn now() -> u64 {
    mfspr::<{ spr::TB }>()
}

/// Busy for so long.
fn pass(milliseconds: u64) {
    let start = now();
    while now().wrapping_sub(start) < milliseconds * TICKS_PER_MILLISECOND {}
}

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    let t = &mut report;
    let says = |word: &[u8]| says(tree, word);
    let can = hcall(H_WATCHDOG, &[CAPABILITIES]);
    let action = ACTIONS.into_iter().find(|(word, _)| says(word));
    let (Some((_, action)), H_SUCCESS) = (action, can.status) else {
        t.skip("watchdogs", "no H_WATCHDOG, or nothing that it shall do");
        return report.finish();
    };
    let count = can.out[0] >> 32 & 0xffff;
    let host = says(b"host");
    let timeout = if host { HOUR } else { TIMEOUT };
    for number in 1..=count {
        t.check("starts", watchdog(START | action, number, timeout), H_SUCCESS);
    }
    t.check("all but the first stop", (2..=count).all(|number| watchdog(STOP, number, 0) == H_SUCCESS), true);
    for _ in 0..4 {
        pass(TIMEOUT - 1);
        t.check("starts again before it expires", watchdog(START | action, 1, timeout), H_SUCCESS);
    }
    t.check("stops", watchdog(STOP, 1, 0), H_SUCCESS);
    pass(TIMEOUT + 1);
    t.check("what was stopped has not expired", watchdog(STOP, 1, 0), H_NOOP);
    t.check("one that would never expire", watchdog(START | action, 2, u64::MAX), H_SUCCESS);
    report.finish();
    // Behind the verdict, which would take the host longer than that.
    if watchdog(START | action, 1, TIMEOUT) != H_SUCCESS {
        return guest_rt::println!("FAIL: the last one does not start");
    }
    let idle = says(b"idle");
    let start = now();
    loop {
        if idle {
            guest_rt::exception::set_decrementer(guest_rt::exception::NEVER);
            hcall(H_CEDE, &[]);
        }
        if now().wrapping_sub(start) > HOUR * TICKS_PER_MILLISECOND {
            guest_rt::println!("FAIL: nothing has expired");
            return;
        }
    }
}
