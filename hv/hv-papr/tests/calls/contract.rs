//! What no call may touch and what each may return: every implemented call, with arguments that nobody should pass.

use hv_papr::calls;
use papr_abi::hcall::{CALLS, Family, H_CEDE, H_SIGNAL_SYS_RESET, Hypercall, find};
use papr_abi::status::H_FUNCTION;
use ppc_isa::msr;

use crate::stage::{LIOBN, RAM, Stage, UNIT};

/// Calls of each.
const ROUNDS: usize = 600;
/// Translation and byte order do not matter to a call (cases 4 and 5).
const MODES: [u64; 4] = [0, msr::IR | msr::DR, msr::LE, msr::IR | msr::DR | msr::LE];

/// xorshift64*: what fails, fails again.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn pick(&mut self, choices: &[u64]) -> u64 {
        choices[(self.next() >> 32) as usize % choices.len()]
    }

    /// Of the kind that an argument is said to be, so that a call gets far, or of another.
    fn argument(&mut self, meaning: &str) -> u64 {
        let any = self.next();
        let kind = [("LIOBN", LIOBN), ("unit", UNIT), ("processor", 0), ("server", 0), ("value", 0), ("page size", 0)];
        let right = match kind.iter().find(|(start, _)| meaning.starts_with(start)) {
            Some((_, value)) => *value,
            None if meaning == "ptex" => any % 16,
            None if meaning == "bytes" => 1 << (any % 5),
            None if meaning == "resource" => any % 6,
            None if meaning.starts_with("request") => self.pick(&[1 << 62, 3 << 62]) | (any & 3) << 56 | any >> 8 & 15,
            None if meaning.starts_with("I/O address") => (any % 2048) << 12,
            None if meaning.starts_with("flags") => {
                self.pick(&[0, 1, 3, 0x1d, 0x18, 0x10, 1 << 15, 1 << 14, 1 << 45, 5 << 45])
            }
            None => return self.hostile(),
        };
        if self.next() >> 62 == 0 { self.hostile() } else { right }
    }

    /// Addresses at and across the end of RAM, numbers at the end of what there is, bits, or anything.
    fn hostile(&mut self) -> u64 {
        let any = self.next();
        match self.next() >> 60 {
            0..=2 => self.pick(&[0, u64::MAX, 1 << 63, i64::MAX as u64, 1 << 32, u32::MAX.into(), !0xfff]),
            3..=4 => RAM - self.pick(&[0, 1, 4, 7, 8, 12, 0x7f, 0x80, 0xfff, 0x1000, 0x1001]),
            5 => RAM + self.pick(&[1, 8, 0xfff, 0x1000]),
            6..=7 => (any % RAM) & !0xfff,
            8 => (any % RAM) | 1,
            9..=11 => any % 17,
            12 => 1 << (any & 63),
            // The second word of an entry of the hashed table.
            13..=14 => (any % RAM) & !0xfff | 0x190,
            _ => any,
        }
    }
}

/// Everything that a call has no business with.
#[derive(Debug, PartialEq)]
struct Kept {
    gpr: Vec<u64>,
    vsr: [[u64; 2]; 64],
    /// LR, CTR, XER, CR, CIA, SRR0, SRR1, MSR.
    others: [u64; 8],
}

/// Of a call with `outputs` outputs.
fn kept(stage: &Stage, outputs: usize) -> Kept {
    let (state, shared) = (&stage.vcpu.state, &stage.vcpu.shared);
    let gpr = [&state.gpr[..3], &state.gpr[4 + outputs..]].concat();
    let (cr, srr) = (state.cr_word().into(), [shared.srr0(), shared.srr1()]);
    Kept {
        gpr,
        vsr: state.vsr,
        others: [state.lr, state.ctr, state.xer(), cr, state.cia, srr[0], srr[1], shared.msr()],
    }
}

/// Fills every register, and takes a processor that was stopped or interrupted back.
fn prepare(stage: &mut Stage, pattern: u64, mode: u64) {
    let vcpu = &mut stage.vcpu;
    for (n, register) in vcpu.state.gpr.iter_mut().enumerate() {
        *register = pattern.rotate_left(n as u32);
    }
    for (n, register) in vcpu.state.vsr.iter_mut().enumerate() {
        *register = [pattern ^ n as u64, !pattern];
    }
    (vcpu.state.lr, vcpu.state.ctr, vcpu.state.cia) = (!pattern, pattern >> 3, 0x4000);
    vcpu.state.set_xer(pattern);
    vcpu.state.set_cr_word(pattern as u32);
    vcpu.shared.set_srr0(pattern << 2);
    vcpu.shared.set_srr1(pattern << 1);
    vcpu.set_msr(msr::SF | msr::ME | msr::RI | mode);
    // What calls on the hashed table look for.
    if let Some(table) = stage.partition.hash() {
        for index in 0..12 {
            table.write(index, 1, 0x190);
        }
    }
}

/// One call; returns r3 and the outputs that may be there.
fn call(stage: &mut Stage, row: &Hypercall, arguments: &[u64; 9], mode: u64) -> (i64, Vec<u64>) {
    let pattern = Seeded(arguments[0] | 1).next();
    prepare(stage, pattern, mode);
    stage.vcpu.state.gpr[4..13].copy_from_slice(arguments);
    let mut before = kept(stage, row.outputs.len());
    let status = stage.call(row.number, arguments);
    let after = kept(stage, row.outputs.len());
    let [.., cia, srr0, srr1, msr] = &mut before.others;
    *cia += 4;
    match row.number {
        H_CEDE => *msr |= msr::EE,
        // The caller may be a target: it takes the interrupt behind the call.
        H_SIGNAL_SYS_RESET if after.others[4] == 0x100 => {
            let [.., at, zero, one, now] = after.others;
            (*cia, *srr0, *srr1, *msr) = (at, zero, one, now);
        }
        _ => {}
    }
    assert_eq!(after, before, "{} {arguments:x?} in mode {mode:#x}: {status}", row.name);
    assert!(row.returns(status), "{} {arguments:x?} returns {status}, which its row does not tell", row.name);
    (status, stage.vcpu.state.gpr[4..4 + row.outputs.len()].to_vec())
}

#[test]
fn cases_03_to_05_calls_keep_to_their_registers() {
    for number in calls() {
        let row = find(number).unwrap();
        let mut seeded = Seeded(0x9e37_79b9_7f4a_7c15 ^ number);
        let mut stages = MODES.map(|mode| (Stage::new(), mode));
        let mut answered = false;
        for _ in 0..ROUNDS {
            let mut arguments = [(); 9].map(|()| seeded.hostile());
            for (argument, meaning) in arguments.iter_mut().zip(row.arguments) {
                *argument = seeded.argument(meaning);
            }
            let answers = stages.each_mut().map(|(stage, mode)| call(stage, row, &arguments, *mode));
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{} {arguments:x?}: {answers:x?}", row.name);
            answered |= answers[0].0 != H_FUNCTION;
        }
        // The stage has the other interrupt controller.
        assert!(answered || row.family == Family::Xive, "{} was never answered", row.name);
    }
}

/// Case 2: they change r3, and nothing else.
#[test]
fn case_02_calls_that_nobody_implements() {
    let absent = |row: &&Hypercall| !calls().any(|number| number == row.number);
    let mut seeded = Seeded(0x1234_5678_9abc_def1);
    let stage = &mut Stage::new();
    for row in CALLS.iter().filter(absent) {
        let nothing = Hypercall { outputs: &[], ..*row };
        for mode in MODES {
            let arguments = [(); 9].map(|()| seeded.hostile());
            assert_eq!(call(stage, &nothing, &arguments, mode).0, row.absent, "{}", row.name);
        }
    }
    for number in [0, 3, 0x7c | 1, 0x80, 0x1_0000, 0xef10, 0xf004, u64::MAX] {
        let unknown = Hypercall { number, outputs: &[], codes: &[], ..CALLS[0] };
        assert_eq!(call(stage, &unknown, &[number; 9], 0).0, H_FUNCTION, "{number:#x}");
    }
}
