//! What is printed: every check one line, the verdict last, as the kernels of `kernels` do.

use core::fmt::Debug;

use crate::machine::{print, println};

/// Counts and prints.
#[derive(Default)]
pub struct Report {
    checks: u32,
    failed: u32,
}

impl Report {
    /// One comparison.
    pub fn check<T: PartialEq + Debug>(&mut self, name: &str, got: T, want: T) {
        self.checks += 1;
        let passed = got == want;
        print!("{} {} {name}", if passed { "ok" } else { "FAIL" }, self.checks);
        if passed {
            println!();
        } else {
            self.failed += 1;
            println!(": got {got:x?} want {want:x?}");
        }
    }

    /// A check that this machine cannot make.
    pub fn skip(&mut self, name: &str, reason: &str) {
        self.checks += 1;
        println!("skip {} {name}: {reason}", self.checks);
    }

    /// The last line.
    pub fn finish(self) {
        match self.failed {
            0 => println!("PASS"),
            n => println!("FAIL: {n} of {} checks", self.checks),
        }
    }
}
