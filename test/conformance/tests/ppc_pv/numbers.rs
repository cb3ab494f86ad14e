//! Every case has a test: this reads the sources and counts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Cases of the list.
const CASES: u32 = 101;
/// Where their tests stand, from the workspace's root.
const SOURCES: [&str; 3] = ["test/conformance/tests", "guest/pv-guest/tests", "abi/pv-abi/src"];

/// The numbers in the name of a test: `case_9_x`, `case_78_80_x`, `cases_43_and_44_x`, `cases_91_to_93_x`.
fn numbers(name: &str) -> Vec<u32> {
    let Some(rest) = name.strip_prefix("case_").or_else(|| name.strip_prefix("cases_")) else { return Vec::new() };
    let (mut found, mut range): (Vec<u32>, bool) = (Vec::new(), false);
    for part in rest.split('_') {
        match (part, part.parse()) {
            ("to", _) => range = true,
            ("and", _) => {}
            (_, Ok(number)) => {
                let first = found.last().filter(|_| range).map_or(number, |last| last + 1);
                found.extend(first..=number);
                range = false;
            }
            _ => break,
        }
    }
    found
}

/// The tests in a source, in which each follows its `#[test]`.
fn tests(source: &str) -> impl Iterator<Item = &str> {
    let lines = source.lines().zip(source.lines().skip(1));
    let names = lines.filter(|(attribute, _)| attribute.trim() == "#[test]");
    names.filter_map(|(_, line)| line.trim().strip_prefix("fn ")?.split('(').next())
}

/// Names of tests by the numbers they carry, from the sources below `folder`.
fn collect(folder: &Path, found: &mut BTreeMap<u32, Vec<String>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            for name in tests(&fs::read_to_string(&path).unwrap()) {
                numbers(name).into_iter().for_each(|number| found.entry(number).or_default().push(name.to_owned()));
            }
        }
    }
}

#[test]
fn every_case_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = BTreeMap::new();
    SOURCES.iter().for_each(|folder| collect(&root.join(folder), &mut found));
    let missing: Vec<u32> = (1..=CASES).filter(|number| !found.contains_key(number)).collect();
    assert!(missing.is_empty(), "no test for the cases {missing:?}");
    let unknown: Vec<_> = found.range(CASES + 1..).chain(found.range(..1)).collect();
    assert!(unknown.is_empty(), "the list has no such cases: {unknown:?}");
}

#[test]
fn names_are_read_as_they_are_meant() {
    assert_eq!(numbers("case_09_features"), [9]);
    assert_eq!(numbers("case_78_80_section_b"), [78, 80]);
    assert_eq!(numbers("cases_91_to_93_idle"), [91, 92, 93]);
    assert_eq!(numbers("cases_24_and_25_swapped_words"), [24, 25]);
    assert_eq!(numbers("cases_49_56_and_58_to_60_pending"), [49, 56, 58, 59, 60]);
    assert!(numbers("the_case_9").is_empty());
    let source = "#[test]\nfn case_1_a() {}\n    fn case_2_b() {}\n    #[test]\n    fn case_3_c() {}\n";
    assert_eq!(tests(source).collect::<Vec<_>>(), ["case_1_a", "case_3_c"]);
}
