//! What is printed: every check one line, the verdict last, as the kernels of `kernels` do.

use core::fmt::Debug;

use crate::{print, println};

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
