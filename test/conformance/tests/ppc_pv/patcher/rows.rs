//! Rows of the table that are one word for one word, executed.

use conformance::{CODE, Rig};
use ppc_isa::cpu::Family;
use pv_abi::rewrite::{Action, ROWS, Row};

use super::{Bench, build, kernels, patch, with_rs};

/// A register of the rows: its field, the lowest bit of it there, and its bits.
struct Home {
    field: String,
    shift: u32,
    bits: u32,
}

/// As the interface has them (spec ppc-pv 3.1 and 4.2).
fn home(row: &Row) -> Home {
    let register = row.name[2..].trim_end_matches(|c| c == 'r' && row.name.starts_with("mfsprg"));
    let (field, shift, bits) = match register {
        "dear" => ("dar", 0, 64),
        "mas7" => ("mas7_3", 32, 32),
        "mas3" => ("mas7_3", 0, 32),
        "dsisr" | "esr" | "pir" | "mas0" | "mas1" | "mas4" | "mas6" => (register, 0, 32),
        _ => (register, 0, 64),
    };
    Home { field: field.to_owned(), shift, bits }
}

impl Home {
    fn mask(&self) -> u64 {
        u64::MAX >> (64 - self.bits)
    }

    fn read(&self, rig: &Rig) -> u64 {
        rig.field(&self.field) >> self.shift & self.mask()
    }

    fn write(&self, rig: &mut Rig, value: u64) {
        let others = rig.field(&self.field) & !(self.mask() << self.shift);
        rig.set_field(&self.field, others | (value & self.mask()) << self.shift);
    }
}

const VALUE: u64 = 0x1234_5678_9abc_def0;
/// A page's contents that no instruction made.
const OLD: u64 = 0xfedc_ba98_0fed_cba9;

/// RT and RS of every kind: one that means zero elsewhere, a plain one, those that sections use.
const REGISTERS: [usize; 4] = [0, 5, 30, 31];

/// Runs the load of `row` into `register`; returns it, and its exits.
fn load(bench: &mut Bench, row: &Row, register: usize, patched: bool) -> (u64, u64, u32) {
    let word = with_rs(row.value, register);
    let done = if patched { bench.patched(word) } else { bench.unpatched(word) };
    (done.at, bench.rig.r(register), done.exits + done.others)
}

#[test]
fn case_75_every_row_reads_and_writes_what_the_instruction_does() {
    for rig in kernels() {
        let build = build(rig.cpu);
        let relocations = [0, rig.relocation()];
        let mut bench = Bench::new(rig);
        let mut seen = 0;
        for row in ROWS.iter().filter(|row| row.builds.has(build)) {
            for (register, relocation) in REGISTERS.into_iter().flat_map(|r| relocations.map(|bits| (r, bits))) {
                let what = format!("{} {} r{register}, {relocation:#x}", bench.rig.name(), row.name);
                bench.reset().msr_on(relocation);
                // BookE has no DSISR; its kernels are patched as if it had.
                let absent = row.name.ends_with("dsisr") && bench.rig.family() == Family::BookE;
                // A user's register, which never traps.
                let own = row.name.starts_with("mfsprg") && row.name.ends_with('r');
                let exits = bench.trapped(u32::from(!own));
                match row.action {
                    Action::Load(_) => {
                        let home = home(row);
                        if !matches!(home.field.as_str(), "msr" | "pir") {
                            home.write(&mut bench.rig, VALUE);
                        }
                        let expected = match home.field.as_str() {
                            "msr" => bench.rig.msr(),
                            "pir" => 0,
                            _ => bench.rig.seen(VALUE & home.mask()),
                        };
                        if !absent {
                            assert_eq!(load(&mut bench, row, register, false), (CODE + 4, expected, exits), "{what}");
                        }
                        bench.rig.set(register, OLD);
                        assert_eq!(load(&mut bench, row, register, true), (CODE + 4, expected, 0), "{what}");
                    }
                    Action::Store(_) => {
                        let home = home(row);
                        for patched in [false, true].into_iter().filter(|patched| *patched || !absent) {
                            let old = bench.rig.seen(OLD);
                            home.write(&mut bench.rig, old);
                            bench.rig.set(register, VALUE);
                            let word = with_rs(row.value, register);
                            let done = if patched { bench.patched(word) } else { bench.unpatched(word) };
                            let expected = bench.rig.seen(VALUE & home.mask());
                            // A kernel of 32 bits leaves the upper word alone, where nothing is.
                            assert_eq!((done.at, home.read(&bench.rig)), (CODE + 4, expected), "{what}");
                            assert_eq!(done.exits, if patched { 0 } else { exits }, "{what}");
                        }
                    }
                    Action::Nop => {
                        let word = with_rs(row.value, register);
                        assert_eq!((bench.patched(word).at, bench.patched(word).exits), (CODE + 4, 0), "{what}");
                    }
                    Action::Section(_) => continue,
                }
                seen += 1;
            }
        }
        assert!(seen >= 23 * 8, "{}: {seen} rows", bench.rig.name());
    }
}

/// A page without features has nothing but what every page has; its guest still runs.
#[test]
fn case_77_rows_of_absent_features_still_trap() {
    use super::{ROOM, ROOM_WORDS, patcher, region};
    use pv_guest::patch::{Patcher, Reason, Trampoline};
    for mut rig in kernels() {
        let build = build(rig.cpu);
        let rows = ROWS.iter().filter(|row| row.builds.has(build) && row.feature != 0 && row.name.starts_with("mf"));
        let words: Vec<u32> = rows.map(|row| with_rs(row.value, 5)).collect();
        let end = rig.place(CODE, &words);
        let mem = &rig.machine.mem;
        let mut text = region(mem, rig.order, CODE, words.len());
        let mut room = Trampoline::new(region(mem, rig.order, ROOM, ROOM_WORDS));
        let report = Patcher { features: 0, ..patcher(rig.cpu) }.run(&mut text, &mut room, |_| ());
        assert_eq!((report.rewritten(), report.skipped(Reason::Feature)), (0, words.len() as u32), "{}", rig.name());
        let left: Vec<u32> = (CODE..end).step_by(4).map(|at| rig.peek(at)).collect();
        assert_eq!((left, rig.start(end)), (words, end), "{}", rig.name());
    }
}

/// Kernel and modules: registers that patched and unpatched words share are one.
#[test]
fn case_90_patched_and_unpatched_code_see_the_same_registers() {
    const LENGTH: usize = 200;
    let mut random = super::storm::Random(0x9e37_79b9_7f4a_7c15);
    for rig in kernels() {
        let build = build(rig.cpu);
        // What changes nothing but registers of page and kernel. DSISR only where it exists.
        let words: Vec<u32> = ROWS
            .iter()
            .filter(|row| row.builds.has(build) && matches!(row.action, Action::Load(_) | Action::Store(_)))
            .filter(|row| !row.name.ends_with("dsisr") || rig.family() != Family::BookE)
            .map(|row| row.value)
            .chain(rig.has("mtmsrd").then_some(0x7c01_0164))
            .chain((rig.family() == Family::BookE).then_some(0x7c00_0106))
            .collect();
        let mut bench = Bench::new(rig);
        for _ in 0..4 {
            let program: Vec<u32> =
                (0..LENGTH).map(|_| with_rs(words[random.below(words.len())], 3 + random.below(29))).collect();
            // All as they are, all patched, and modules of some words that are not.
            let mut outcomes = Vec::new();
            for unpatched in [LENGTH, 0, 1, 5] {
                let rig = bench.reset();
                let end = rig.place(CODE, &program);
                let patched = patch(rig, LENGTH).rewritten() as usize;
                let restored = (0..LENGTH).filter(|n| unpatched == LENGTH || unpatched > 0 && n / unpatched % 2 == 0);
                let restored: Vec<usize> = restored.collect();
                restored.iter().for_each(|n| rig.poke(CODE + 4 * *n as u64, program[*n]));
                assert_eq!((patched, rig.start(end)), (LENGTH, end), "{}", rig.name());
                let page = rig.vcpu().shared.bytes::<0xf0>(0);
                let registers: Vec<u64> = (0..32).map(|n| rig.r(n)).collect();
                // Scratch and critical are the sections' own.
                outcomes.push((registers, page[0x20..].to_vec(), rig.msr()));
            }
            outcomes.iter().for_each(|outcome| assert!(*outcome == outcomes[0], "{}", bench.rig.name()));
        }
    }
}
