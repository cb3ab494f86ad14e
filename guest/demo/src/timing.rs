//! What a privileged instruction costs: executed as it stands (a trap, unless the machine lowers it itself), and as
//! the access to the magic page that the paravirtual interface puts in its place.
//!
//! Contract: each row runs the same count of both forms, unrolled, between two reads of the timebase.
//! Not its job: the full rewriting of `mtmsrd`, which also marks a critical section; the row has its fast path.

use core::arch::asm;

use guest_rt::{
    println,
    spr::{mfmsr, timebase},
};

use crate::heading;

/// Copies of the instruction in a round, and rounds in a measurement.
const UNROLLED: u64 = 16;
const ROUNDS: u64 = 1000;

/// Ticks that `ROUNDS` rounds of the given lines take. r3 holds the MSR, r4 to r6 and CR0 are free.
macro_rules! ticks {
    ($($line:literal),+) => {
        || {
            let msr = mfmsr();
            let start = timebase();
            for _ in 0..ROUNDS {
                // SAFETY: the lines use r3 to r6, CR0, SPRG0 and the magic page only; the MSR keeps its value.
                unsafe {
                    asm!(".rept 16", $($line,)+ ".endr", inout("r3") msr => _, out("r4") _, out("r5") _, out("r6") _, out("cr0") _)
                };
            }
            timebase() - start
        }
    };
}

struct Row {
    name: &'static str,
    trap: fn() -> u64,
    page: fn() -> u64,
}

/// Displacements from 0: the page is at -4096, see `kvm::page`.
#[rustfmt::skip]
const ROWS: [Row; 8] = [
    Row { name: "mfmsr",              trap: ticks!("mfmsr 4"),      page: ticks!("ld 4, -4096 + 0x58(0)") },
    Row { name: "mfspr SPRG0",        trap: ticks!("mfspr 4, 272"), page: ticks!("ld 4, -4096 + 0x20(0)") },
    Row { name: "mfspr SPRG3",        trap: ticks!("mfspr 4, 275"), page: ticks!("ld 4, -4096 + 0x38(0)") },
    Row { name: "mfspr SRR0",         trap: ticks!("mfspr 4, 26"),  page: ticks!("ld 4, -4096 + 0x40(0)") },
    Row { name: "mfspr DAR",          trap: ticks!("mfspr 4, 19"),  page: ticks!("ld 4, -4096 + 0x50(0)") },
    Row { name: "mfspr DSISR",        trap: ticks!("mfspr 4, 18"),  page: ticks!("lwz 4, -4096 + 0x60(0)") },
    Row { name: "mtspr SPRG0",        trap: ticks!("mtspr 272, 3"), page: ticks!("std 3, -4096 + 0x20(0)") },
    Row { name: "mtmsrd L=1 (EE, RI)", trap: ticks!("mtmsrd 3, 1"),
          page: ticks!("ld 4, -4096 + 0x58(0)", "rlwimi 4, 3, 0, 16, 16", "rlwimi 4, 3, 0, 30, 30", "std 4, -4096 + 0x58(0)",
                       "lwz 5, -4096 + 0x64(0)", "cmpwi 5, 0") },
];

/// A count of ticks for all copies as tenths of a nanosecond for one.
fn tenths(ticks: u64, frequency: u64) -> u64 {
    (u128::from(ticks) * 10_000_000_000 / u128::from(frequency * ROUNDS * UNROLLED)) as u64
}

struct Time(u64);

impl core::fmt::Display for Time {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:>7}.{}", self.0 / 10, self.0 % 10)
    }
}

/// Measures and prints every row; without the page the right half stays empty.
pub fn table(frequency: u64, mapped: bool) {
    heading("Cost of one instruction      trap: ticks        ns    page: ticks        ns   saved");
    let per_thousand = |ticks: u64| Time(ticks * 10 / (ROUNDS * UNROLLED));
    for row in &ROWS {
        let trap = (row.trap)();
        guest_rt::print!("  {:<27} {}  {}", row.name, per_thousand(trap), Time(tenths(trap, frequency)));
        if mapped {
            let page = (row.page)();
            let saved = trap.saturating_sub(page) * 100 / trap.max(1);
            println!("   {}  {}   {saved:>4}%", per_thousand(page), Time(tenths(page, frequency)));
        } else {
            println!("        no magic page");
        }
    }
}
