//! The conformance checklist of the PAPR notes (spec papr 12), held to the truth: a case is either one of the test
//! kernels', whose checks bear its number, and then made in both byte orders, with each translation that it is about, with
//! 1 and 8 vCPUs, on both engines; or it is a test's that is named here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use hv_core::Halt;
use machine::{Interrupts, Mmu};
use ppc_isa::Cpu;
use vmtest::{EngineKind, Guest, bare_metal, runs};

/// Where a case is made.
enum By {
    /// A test kernel, with these translations, on machines with at least so many vCPUs.
    Kernel(&'static str, &'static [Mmu], u32),
    /// A test of this name in this file, since a guest alone can not make it.
    Test(&'static str, &'static str),
}
use By::{Kernel, Test};

const BOTH: &[Mmu] = &[Mmu::Hash, Mmu::Radix];
const HASH: &[Mmu] = &[Mmu::Hash];
const RADIX: &[Mmu] = &[Mmu::Radix];
const CALLS: &str = "hv/hv-papr/tests/calls";
const DEBIAN: &str = "test/vmtest/tests/debian.rs";
const LITMUS: &str = "test/litmus/tests/translation.rs";

#[rustfmt::skip]
const CASES: &[(u32, By)] = &[
    (1, Kernel("syscall", BOTH, 1)), (1, Test("vm/machine/tests/papr.rs", "papr_case_01_sc_1_in_problem_state")),
    (2, Kernel("hcalls", BOTH, 1)), (3, Kernel("hcalls", BOTH, 1)),
    (4, Kernel("hcalls", BOTH, 1)), (5, Kernel("hcalls", BOTH, 1)), (6, Kernel("hcalls", BOTH, 1)),
    (7, Kernel("hcalls", BOTH, 1)), (8, Kernel("hcalls", BOTH, 1)), (9, Kernel("hcalls", BOTH, 1)),
    (10, Kernel("hcalls", BOTH, 1)),
    (11, Kernel("hcalls", BOTH, 1)), (11, Test("vm/machine/tests/papr.rs", "papr_case_11_no_nul_after_cr")),
    (12, Kernel("hcalls", BOTH, 1)), (13, Kernel("hcalls", BOTH, 1)), (14, Kernel("hcalls", BOTH, 1)),
    (15, Kernel("hcalls", BOTH, 1)), (16, Kernel("hcalls", BOTH, 1)), (17, Kernel("hcalls", BOTH, 1)),
    (18, Kernel("hcalls", BOTH, 8)), (19, Kernel("hcalls", BOTH, 8)), (20, Kernel("hcalls", BOTH, 1)),
    (21, Kernel("decrementer", BOTH, 1)), (22, Kernel("hcalls", BOTH, 1)), (23, Kernel("hcalls", BOTH, 1)),
    (24, Kernel("hash", HASH, 1)), (25, Kernel("hash", HASH, 1)), (26, Kernel("hash", HASH, 1)),
    (27, Kernel("hash", HASH, 1)),
    (28, Kernel("hash", HASH, 1)), (28, Test(LITMUS, "a_page_removed_by_hypercall_is_gone")),
    (29, Kernel("hash", HASH, 1)), (30, Kernel("hash", HASH, 1)), (31, Kernel("hash", HASH, 1)),
    (32, Kernel("hash", HASH, 1)), (32, Kernel("radix", RADIX, 1)),
    (33, Kernel("radix", RADIX, 1)), (34, Kernel("radix", RADIX, 1)),
    (35, Kernel("radix", RADIX, 1)), (35, Test(LITMUS, "a_page_remapped_by_tlbie_is_gone")),
    // What other processors see then is nothing that a guest may count on.
    (36, Kernel("radix", RADIX, 1)), (36, Test("vm/machine/tests/smp.rs", "a_local_invalidation_is_of_one_vcpu")),
    (37, Kernel("radix", RADIX, 1)), (38, Kernel("hcalls", BOTH, 1)), (39, Kernel("hcalls", BOTH, 1)),
    (40, Kernel("pci", BOTH, 1)), (40, Test(CALLS, "case_40_an_absent_function_reads_as_all_ones")),
    (41, Kernel("pci", BOTH, 1)), (41, Test(CALLS, "case_41_a_base_address_register_sizes_back")),
    (42, Kernel("pci", BOTH, 1)), (42, Test(CALLS, "case_42_messages_have_consecutive_sources")),
    (43, Kernel("pci", BOTH, 1)), (43, Test(CALLS, "case_43_no_source_without_messages")),
    (44, Kernel("hcalls", BOTH, 1)), (45, Kernel("hcalls", BOTH, 1)),
    (46, Kernel("hcalls", BOTH, 1)), (46, Test(CALLS, "case_46_thirty_two_bit_callers_keep_their_registers")),
    (47, Kernel("hcalls", BOTH, 1)), (48, Kernel("hcalls", BOTH, 1)),
    (49, Kernel("pci", BOTH, 1)), (49, Test("vm/machine/tests/papr.rs", "papr_case_49_masked_source")),
    (50, Kernel("pci", BOTH, 1)), (50, Test("dev/platform/src/xics.rs", "levels_come_again_while_asserted")),
    (51, Kernel("xive", BOTH, 1)), (52, Kernel("xive", BOTH, 1)), (53, Kernel("xive", BOTH, 1)),
    (54, Kernel("xive", BOTH, 1)), (55, Kernel("xive", BOTH, 1)),
    (56, Kernel("hcalls", BOTH, 1)), (57, Kernel("hcalls", BOTH, 1)),
    (58, Kernel("scm", BOTH, 1)), (59, Kernel("scm", BOTH, 1)), (60, Kernel("scm", BOTH, 1)),
    (61, Kernel("scm", BOTH, 1)), (62, Kernel("scm", BOTH, 1)), (63, Kernel("scm", BOTH, 1)),
    (64, Kernel("scm", BOTH, 1)), (65, Kernel("scm", BOTH, 1)), (66, Kernel("scm", BOTH, 1)),
    (67, Kernel("scm", BOTH, 1)), (68, Kernel("scm", BOTH, 1)), (69, Kernel("scm", BOTH, 1)),
    (70, Kernel("scm", HASH, 1)), (71, Kernel("scm", BOTH, 1)), (72, Kernel("scm", BOTH, 1)),
    (73, Kernel("scm", BOTH, 1)), (74, Kernel("scm", BOTH, 1)), (74, Test(CALLS, "case_74_what_was_not_put_away_is_told")),
    (75, Kernel("scm", BOTH, 1)), (76, Kernel("scm", BOTH, 1)),
    (77, Kernel("scm", BOTH, 1)), (77, Test(CALLS, "case_77_what_was_not_flushed_may_be_lost_and_what_was_is_not")),
    (78, Kernel("scm", BOTH, 1)), (78, Test("app/powervisor/tests/nvdimm.rs", "a_failed_sync_reaches_the_guest")), (79, Kernel("scm", BOTH, 1)),
    (80, Kernel("connectors", BOTH, 1)), (80, Test(CALLS, "case_80_what_is_added_is_acquired_and_described")),
    (81, Kernel("connectors", BOTH, 1)), (81, Test(CALLS, "case_81_isolated_connectors_are_not_configured_and_begin_anew")),
    (82, Kernel("connectors", BOTH, 1)), (82, Test(CALLS, "case_82_nothing_is_made_usable_where_nothing_is")),
    (83, Test(DEBIAN, "shell_6_1_power9_radix")),
    (84, Test(DEBIAN, "shell_6_1_power8_hash")), (84, Test("test/vmtest/tests/xive.rs", "debian_6_1_on_8_power10")),
    (86, Test(DEBIAN, "reboot_is_a_reset")),
    (87, Test("app/powervisor/tests/matrix.rs", "power10_with_radix_and_xive")),
    (88, Test(DEBIAN, "radix_whatever_the_command_line_says")),
];

/// The cases whose checks a kernel made, without one that failed, in all of its runs.
fn made(name: &str, order: &str, mmu: Mmu, cpus: u32, engine: EngineKind) -> Result<BTreeSet<u32>> {
    let kernel = bare_metal(&format!("{name}-{order}.elf"))?;
    let interrupts = if name == "xive" { Interrupts::Xive } else { Interrupts::Xics };
    let guest = Guest::new(kernel).cpu(Cpu::Power9, mmu).cpus(cpus).interrupts(interrupts).engine(engine);
    let guest = guest.memory(256).append("").most(2_000_000_000);
    let mut cases = BTreeSet::new();
    for (_, run) in runs(name, &guest)? {
        run.ended(&Halt::PowerOff)?;
        ensure!(!run.console.lines().any(|line| line.starts_with("FAIL")), "{run}");
        // `ok`, the number of the check, that of the case and a colon.
        let cased = run.console.lines().filter_map(|line| line.strip_prefix("ok ")?.split_once(' ')?.1.split_once(':'));
        cases.extend(cased.filter_map(|(number, _)| number.parse::<u32>().ok()));
    }
    Ok(cases)
}

#[test]
fn kernels_make_their_cases_everywhere() -> Result<()> {
    let mut wanted: BTreeMap<(&str, bool), Vec<(u32, u32)>> = BTreeMap::new();
    for (case, by) in CASES {
        let Kernel(name, translations, least) = by else { continue };
        for mmu in *translations {
            wanted.entry((name, *mmu == Mmu::Hash)).or_default().push((*case, *least));
        }
    }
    let mut missing = Vec::new();
    for ((name, hash), cases) in wanted {
        let mmu = if hash { Mmu::Hash } else { Mmu::Radix };
        for order in ["be", "le"] {
            for cpus in [1, 8] {
                for engine in [EngineKind::Interpreter, EngineKind::Translator] {
                    let place = format!("{name}-{order}, {mmu:?}, {cpus} vCPUs, {engine:?}");
                    let made = made(name, order, mmu, cpus, engine).context(place.clone())?;
                    let lacks = cases.iter().filter(|(case, least)| *least <= cpus && !made.contains(case));
                    missing.extend(lacks.map(|(case, _)| format!("{case}: {place}")));
                }
            }
        }
    }
    ensure!(missing.is_empty(), "not made:\n{}", missing.join("\n"));
    Ok(())
}

#[test]
fn tests_that_are_named_exist() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (case, by) in CASES {
        let Test(place, name) = by else { continue };
        let place = root.join(place);
        let mut files = vec![place.clone()];
        if place.is_dir() {
            files = fs::read_dir(place)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        }
        // As a function, or as a row of those that a macro makes.
        let ways = [format!("fn {name}("), format!(" {name} = ")];
        let has = |file| fs::read_to_string(file).is_ok_and(|text| ways.iter().any(|way| text.contains(way)));
        ensure!(files.into_iter().any(has), "case {case}: there is no {name}");
    }
    Ok(())
}
