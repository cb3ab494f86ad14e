//! What is printed: every check one line, the verdict last, as the kernels of `kernels` do.

use core::fmt::Debug;

use crate::machine::{print, println};
use crate::probe::Frame;

/// Counts and prints.
#[derive(Default)]
pub struct Report {
    checks: u32,
    failed: u32,
    skipped: u32,
}

impl Report {
    fn line(&mut self, verdict: &str, name: &str) {
        self.checks += 1;
        print!("{verdict} {} {name}", self.checks);
    }

    /// One comparison.
    pub fn check<T: PartialEq + Debug>(&mut self, name: &str, got: T, want: T) {
        if got == want {
            self.line("ok", name);
            println!();
        } else {
            self.failed += 1;
            self.line("FAIL", name);
            println!(": got {got:x?} want {want:x?}");
        }
    }

    /// The interrupt that ended a probe: vector, reason bits, and the distance of SRR0 from the probe's start.
    pub fn interrupt(&mut self, name: &str, before: &Frame, after: &Frame, vector: u32, reason: u32, distance: u32) {
        let got = [after.vector, after.reason(), after.srr0.wrapping_sub(before.srr0)];
        self.check(name, got, [vector, reason, distance]);
    }

    /// A check that this machine cannot make.
    pub fn skip(&mut self, name: &str, reason: &str) {
        self.skipped += 1;
        self.line("skip", name);
        println!(": {reason}");
    }

    /// The last line.
    pub fn finish(self) {
        println!("{} checks, {} failed, {} skipped", self.checks, self.failed, self.skipped);
        match self.failed {
            0 => println!("PASS"),
            n => println!("FAIL: {n} of {} checks", self.checks),
        }
    }
}
