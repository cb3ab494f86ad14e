//! Hypercalls as probes, with a pattern in every register: r3 and declared outputs may change, nothing else (PAPR 14.5).

use guest_rt::{
    code,
    exception::{Frame, TRAP},
    spr::mfmsr,
};

code! {
    CALL: "mtspr 26, 14", "mtspr 27, 15", "sc 1", "mfspr 14, 26", "mfspr 15, 27", "mfmsr 16";
}

/// Bytes from the probe's start to its trap.
pub const LENGTH: u64 = 24;

/// One call: all registers before and behind it, SRR0, SRR1 and MSR in r14 to r16.
pub struct Called {
    /// What was passed.
    pub before: Frame,
    /// What must be there: the same, but for r3, outputs and MSR.
    pub want: Frame,
    /// What is there.
    pub after: Frame,
}

impl Called {
    /// Makes a call that has so many outputs, with these bits added to the MSR.
    pub fn new(opcode: u64, args: &[u64], outputs: usize, bits: u64) -> Called {
        let mut before = Frame::new(&raw const CALL).with(bits).reg(3, opcode);
        before.gpr[4..4 + args.len()].copy_from_slice(args);
        let after = before.run();
        let mut want = before.reg(16, mfmsr() | bits);
        want.gpr[3..=3 + outputs].copy_from_slice(&after.gpr[3..=3 + outputs]);
        Called { before, want, after }
    }

    /// r3.
    pub fn status(&self) -> i64 {
        self.after.gpr[3] as i64
    }

    /// Whether it went on behind the call, and everything is as wanted.
    pub fn kept(&self) -> bool {
        let special = |frame: &Frame| [frame.cr, frame.lr, frame.ctr, frame.xer];
        let end = [self.after.vector, self.after.reason(), self.after.srr0.wrapping_sub(self.before.srr0)];
        self.after.gpr == self.want.gpr && special(&self.after) == special(&self.want) && end == [0x700, TRAP, LENGTH]
    }
}
