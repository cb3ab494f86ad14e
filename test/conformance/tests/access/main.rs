//! What an instruction does when it may not, can not or only half can: instructions of other models, forms that no
//! assembler makes, accesses that are not aligned, go to devices, or reach into a page that faults.
//!
//! Every test runs real instructions on every processor model that has them, in both byte orders where there are two,
//! with privileged instructions trapped and inline.

mod absent;
mod alignment;
mod devices;
mod external;
mod forms;
mod multiple;
mod pages;
mod table_search;

use conformance::{CODE, Rig};
use exec::VcpuState;
use ppc_isa::cpu::Family;
use ppc_isa::loadstore::LoadStore;
use ppc_isa::op::Op;
use ppc_isa::row::fact;
use ppc_isa::{Cpu, Row, msr, rows};

/// Vector of the program interrupt.
const PROGRAM: u64 = 0x700;

/// xorshift64*: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        self.0 = self.0.wrapping_add(high);
        high << 32 | self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }
}

/// `SRR1[34]`: the cause was prefixed (Power ISA 3.1 Book III, section 7.5).
const PREFIXED: u64 = 0x2000_0000;

/// Whether the last program ended in a program interrupt for an illegal instruction: `ESR[PIL]` on BookE (e500 has no
/// unimplemented operation exceptions: e500 Core Family Reference Manual, section 5.4), `SRR1[44]` elsewhere, whatever
/// [`PREFIXED`] says.
fn illegal(rig: &Rig, at: u64) -> bool {
    let status = if rig.family() == Family::BookE {
        u64::from(rig.vcpu().shared.esr()) == 0x0800_0000
    } else {
        rig.vcpu().shared.srr1() & 0x783f_0000 & !PREFIXED == 0x8_0000
    };
    at == PROGRAM && status
}

/// What an instruction may change besides memory.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Registers {
    gpr: [u64; 32],
    gpr_high: [u32; 32],
    vsr: [[u64; 2]; 64],
    cr: [u8; 8],
    xer: u64,
    lr: u64,
    ctr: u64,
    fpscr: u64,
    vscr: u32,
    acc: u64,
}

/// The registers as they are.
fn registers(rig: &Rig) -> Registers {
    let state = &rig.vcpu().state;
    let &VcpuState { gpr, gpr_high, vsr, cr, lr, ctr, fpscr, vscr, acc, .. } = state;
    Registers { gpr, gpr_high, vsr, cr, xer: state.xer(), lr, ctr, fpscr, vscr, acc }
}

/// Unprivileged instructions of `cpu` that load or store at an address that is theirs to choose: not those of hashes,
/// which are below a stack pointer, and switched off at first.
fn accesses(cpu: Cpu) -> impl Iterator<Item = &'static Row> {
    let open = |row: &&Row| row.is(fact::LOAD | fact::STORE) && !row.is(fact::PRIV | fact::HV);
    let hash = |row: &&Row| row.name.starts_with("hash");
    rows().filter(move |row| row.models.contains(cpu) && !hash(row)).filter(open)
}

/// Whether `row` is one of the multiple and string accesses.
fn multiple(row: &Row) -> bool {
    use LoadStore::{LoadMultiple, LoadString, StoreMultiple, StoreString};
    let Op::LoadStore(op) = row.op else { return false };
    matches!(op, LoadMultiple | StoreMultiple | LoadString { .. } | StoreString { .. })
}

/// A load or store with its address in r5, and where one is needed 0 or a length in r6. What it loads or stores
/// begins with register 8, or 28 for `lmw` and `stmw`.
struct Case {
    row: &'static Row,
    /// Its address.
    ea: u64,
    /// Bytes of strings and of vectors with a length.
    length: u64,
}

/// How it ended.
struct End {
    /// Where.
    at: u64,
    before: Registers,
    after: Registers,
}

impl Case {
    /// The instruction; a prefix stands in the high half.
    fn word(&self) -> u64 {
        let register = if self.row.name.ends_with("mw") { 28 } else { 8 };
        self.row.fields().iter().fold(self.row.value, |word, field| match field.name() {
            "RA" => field.set(word, 5),
            "RB" => field.set(word, 6),
            "RT" | "RS" | "FRT" | "FRS" | "VRT" | "VRS" | "T" | "S" => field.set(word, register),
            "NB" => field.set(word, self.length as u32 & 31),
            _ => word,
        })
    }

    /// Runs it on `rig`, all units switched on.
    fn run(&self, rig: &mut Rig) -> End {
        rig.msr_on(msr::FP | msr::VEC | msr::VSX | msr::SPE);
        (0..32).for_each(|n| rig.set(n, 0x0102_0408_1020_4081_u64.wrapping_mul(n as u64 + 1)));
        let with_length = ["lxvl", "lxvll", "stxvl", "stxvll"].contains(&self.row.name);
        rig.sets(&[(5, self.ea), (6, if with_length { self.length << 56 } else { 0 })]);
        let state = &mut rig.vcpu_mut().state;
        state.xer_low = self.length as u32;
        for (n, register) in state.vsr.iter_mut().enumerate() {
            // Doubles of which the first are about 1, and singles to store are not all zero.
            *register = [0x3ff1_2345_6789_abcd + ((n as u64) << 40), 0x0f1e_2d3c_4b5a_6978 ^ n as u64];
        }
        let before = registers(rig);
        let word = self.word();
        let words = [(word >> 32) as u32, word as u32];
        let end = rig.place(CODE, &words[usize::from(!self.row.prefixed())..]);
        let at = rig.start(end);
        End { at: if at == end { 0 } else { at }, before, after: registers(rig) }
    }
}

/// What stands in memory at offset `n` of a page before an access.
fn pattern(n: usize) -> u8 {
    (n as u8).wrapping_mul(37).wrapping_add(11)
}

/// `len` bytes of RAM.
fn ram(rig: &Rig, start: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    assert!(rig.machine.mem.read(start, &mut bytes));
    bytes
}
