//! Rows that are left out of the comparison with QEMU on some model, and the tests of this repository that they have
//! instead. `tests/accounting.rs` holds that nothing is missing and that the tests exist.

use std::collections::BTreeMap;
use std::fmt;

use guest_mem::Order;
use ppc_isa::{Cpu, Row};

use crate::forms;
use crate::qemu::Version;

/// Rows, and the test that covers them.
pub struct Elsewhere {
    /// Names; `*` at the end stands for any rest.
    pub names: &'static str,
    /// Source file, from the root of the repository.
    pub file: &'static str,
    /// Function.
    pub test: &'static str,
}

const fn test(names: &'static str, file: &'static str, test: &'static str) -> Elsewhere {
    Elsewhere { names, file, test }
}

const FACILITIES: &str = "cpu/exec-interp/tests/book3s64/facilities.rs";
const STORAGE: &str = "cpu/exec-interp/tests/storage/facilities.rs";
const SERVER: &str = "cpu/exec-interp/tests/storage/privileged.rs";
const BOOKE: &str = "cpu/exec-interp/tests/booke/registers.rs";
const PEERS: &str = "test/oracle/tests/accounting.rs";

/// The table.
#[rustfmt::skip]
pub const ELSEWHERE: &[Elsewhere] = &[
    test("sc", "cpu/exec-interp/tests/program.rs", "a_loop_sums_an_array_in_both_orders"),
    test("scv", STORAGE, "system_calls_vectored"),
    test("darn", STORAGE, "random_numbers"),
    test("mftb", STORAGE, "the_timebase_is_the_clock"),
    test("copy paste. cpabort", STORAGE, "copy_and_paste"),
    test("wait", STORAGE, "waiting"),
    test("icbt", STORAGE, "hints_change_nothing"),
    test("dcbz dcbzl", STORAGE, "blocks_are_those_of_the_model"),
    test("lfdp lfdpx stfdp stfdpx", STORAGE, "pairs_of_floats_keep_their_places"),
    test("lmw stmw lswi lswx stswi stswx", STORAGE, "multiples_and_strings_are_big_endian"),
    test("rfebb", FACILITIES, "event_based_branches_return"),
    test("tbegin. tend. tcheck tsr. tabort*", FACILITIES, "transactional_memory_is_unavailable_before_power10"),
    test("mfbhrbe clrbhrb", FACILITIES, "fscr_controls_problem_state_only"),
    test("hashst hashchk hashstp hashchkp", FACILITIES, "hashes_are_stored_and_checked"),
    test("nop*", FACILITIES, "reserved_no_operations_do_nothing"),
    test("rfscv", SERVER, "returns"),
    test("slbfee.", SERVER, "segments"),
    test("rfmci", "cpu/exec-interp/tests/booke/interrupts.rs", "returns_of_all_levels_restore_address_and_msr"),
    test("mfpmr mtpmr", BOOKE, "performance_monitor_registers_have_two_names"),
    test("tlbld tlbli", "test/conformance/tests/access/table_search.rs", "other_models"),
    test("mftmr", BOOKE, "one_thread_is_configured"),
    test("dcbtls dcbtstls dcblc icblc icbtls", BOOKE, "locks_are_refused_and_problem_state_needs_ucle"),
    test("lvepx lvepxl stvepx stvepxl", "test/conformance/tests/access/external.rs", "by_the_context_of_another"),
    test("dcbstep dcbtep dcbtstep dcbzep icbiep", "test/conformance/tests/access/external.rs", "privilege_and_units"),
    test("eciwx ecowx", "cpu/exec-interp/tests/book3s32/instructions.rs", "external_control"),
    test("cmpb prtyw prtyd ldbrx stdbrx vabsdub vabsduh vabsduw", PEERS, "models_agree_with_one_another"),
    test("evfscmp* evfstst*", "cpu/exec-interp/tests/spe/float.rs", "comparisons_take_everything_for_a_number"),
    test("evdivws evdivwu", "cpu/exec-interp/tests/spe/integer.rs", "divisions_saturate"),
    test("evm* evadd* evsubf*", "cpu/exec-interp/tests/spe/multiply.rs", "rows_do_what_their_names_say"),
];

impl Elsewhere {
    /// Whether it is about `row`.
    pub fn covers(&self, row: &Row) -> bool {
        self.names.split_ascii_whitespace().any(|name| match name.strip_suffix('*') {
            Some(start) => row.name.starts_with(start),
            None => row.name == name,
        })
    }
}

/// The test that `row` has besides the comparison.
pub fn of(row: &Row) -> Option<&'static Elsewhere> {
    ELSEWHERE.iter().find(|entry| entry.covers(row))
}

/// What is left out with some version of QEMU: for each reason, the rows, and for these the number of models and byte
/// orders.
pub struct LeftOut(BTreeMap<&'static str, BTreeMap<&'static str, usize>>);

impl LeftOut {
    /// Of the rows that `chosen` takes, on those models and in those byte orders.
    pub fn new(qemu: Version, runs: &[(Cpu, Order)], chosen: impl Fn(&&'static Row) -> bool) -> LeftOut {
        let mut reasons: BTreeMap<_, BTreeMap<_, usize>> = BTreeMap::new();
        for &(cpu, order) in runs {
            for row in ppc_isa::rows().filter(|row| row.models.contains(cpu)).filter(&chosen) {
                if let Some(reason) = forms::left_out(row, qemu, cpu, order) {
                    *reasons.entry(reason).or_default().entry(row.name).or_default() += 1;
                }
            }
        }
        LeftOut(reasons)
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (reason, rows) in &self.0 {
            writeln!(f, "{} left out: {reason}", rows.values().sum::<usize>())?;
            for (name, count) in rows {
                let row = ppc_isa::rows().find(|row| row.name == *name);
                match row.and_then(of) {
                    Some(entry) => writeln!(f, "    {name} ({count}): {} {}", entry.file, entry.test)?,
                    None => writeln!(f, "    {name} ({count}): no test")?,
                }
            }
        }
        Ok(())
    }
}
