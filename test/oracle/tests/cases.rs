//! Every file in `cases/` on every engine.

use std::path::Path;

use oracle::format::Test;
use oracle::interpreter::Machine;

#[test]
fn files_pass_on_every_engine() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no cases");
    let mut wrong = Vec::new();
    for path in &paths {
        let test = Test::parse(&std::fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{path:?}: {e:#}"));
        for mut machine in Machine::all(test.case.cpu).unwrap() {
            for difference in test.check(&machine.run(&test.case)) {
                wrong.push(format!("{} on {}: {difference}", path.display(), machine.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
