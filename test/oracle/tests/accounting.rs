//! Each row of each model is compared with QEMU in each byte order, or stands in a table with the test that it has instead.

use std::path::Path;

use guest_mem::Order;
use oracle::case::differences;
use oracle::elsewhere::{self, ELSEWHERE};
use oracle::forms;
use oracle::generate::Generator;
use oracle::interpreter::Machine;
use oracle::qemu::Version;
use ppc_isa::{Cpu, Row};

fn left_out() -> impl Iterator<Item = (&'static Row, Cpu, Order)> {
    let runs = Cpu::ALL.into_iter().flat_map(|cpu| forms::orders(cpu).iter().map(move |&order| (cpu, order)));
    runs.flat_map(|(cpu, order)| {
        let rows = ppc_isa::rows().filter(move |row| row.models.contains(cpu));
        rows.filter(move |row| forms::left_out(row, Version::default(), cpu, order).is_some())
            .map(move |row| (row, cpu, order))
    })
}

#[test]
fn what_is_not_compared_has_a_test() {
    let missing: Vec<String> = left_out()
        .filter(|(row, _, _)| elsewhere::of(row).is_none())
        .map(|(row, cpu, order)| format!("{} {order:?} {}", cpu.name(), row.name))
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_tests_exist_and_each_entry_is_needed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut needless = Vec::new();
    for entry in ELSEWHERE {
        let text = std::fs::read_to_string(root.join(entry.file)).unwrap_or_else(|e| panic!("{}: {e}", entry.file));
        let lines: Vec<&str> = text.lines().collect();
        let function = format!("fn {}()", entry.test);
        let at = lines.iter().position(|line| line.starts_with(&function));
        let at = at.unwrap_or_else(|| panic!("{} has no {}", entry.file, entry.test));
        assert!(at > 0 && lines[at - 1] == "#[test]", "{} is no test", entry.test);
        for name in entry.names.split_ascii_whitespace() {
            let one = elsewhere::Elsewhere { names: name, ..*entry };
            if !left_out().any(|(row, _, _)| one.covers(row)) {
                needless.push(name);
            }
        }
    }
    assert!(needless.is_empty(), "{needless:?} are compared");
}

/// Rows that QEMU has on other models only do here what they do there.
#[test]
fn models_agree_with_one_another() {
    let peers = [
        (Cpu::E5500, Cpu::Power8, &["cmpb", "prtyw", "prtyd", "ldbrx", "stdbrx"][..]),
        (Cpu::E6500, Cpu::Power8, &["cmpb", "prtyw", "prtyd", "ldbrx", "stdbrx"]),
        (Cpu::E6500, Cpu::Power9, &["vabsdub", "vabsduh", "vabsduw"]),
    ];
    for (cpu, peer, names) in peers {
        let mut generator = Generator::new(cpu, Order::Big, 5);
        let (mut machines, mut others) = (Machine::all(cpu).unwrap(), Machine::all(peer).unwrap());
        for name in names {
            let row = ppc_isa::rows().find(|row| row.name == *name && row.models.contains(cpu)).unwrap();
            assert!(forms::left_out(row, Version::default(), peer, Order::Big).is_none(), "{name}");
            for _ in 0..2000 {
                let case = generator.alone(row, 0).unwrap();
                let mut same = case.clone();
                same.cpu = peer;
                for (one, other) in machines.iter_mut().zip(&mut others) {
                    let differences = differences(&other.run(&same), &one.run(&case), &Default::default());
                    assert!(differences.is_empty(), "{} {name}: {}", cpu.name(), differences[0]);
                }
            }
        }
    }
}
