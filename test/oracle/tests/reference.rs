//! A short campaign against the reference where there is one, over the files of the table that are known to agree.

use oracle::campaign::Campaign;
use oracle::{forms, reference};
use ppc_isa::{Cpu, Op};

const CASES: usize = 20;

#[test]
fn rows_agree_with_the_reference() {
    for cpu in Cpu::ALL {
        for &order in forms::orders(cpu) {
            if let Some(reason) = reference::missing(cpu, order) {
                println!("SKIP: {} {order:?}: {reason}", cpu.name());
                continue;
            }
            let mut campaign = Campaign::new(cpu, order, 1).unwrap();
            for row in ppc_isa::rows().filter(|r| r.models.contains(cpu) && forms::left_out(r, cpu, order).is_none()) {
                if !matches!(row.op, Op::Branch(_) | Op::Integer(_) | Op::LoadStore(_) | Op::Float(_)) {
                    continue;
                }
                let report = campaign.row(row, CASES).unwrap();
                assert!(report.cases > 0, "{}: no valid form", row.name);
                if let Some(finding) = report.first.filter(|f| f.culprit == row.name) {
                    panic!("{}", finding.test.print());
                }
            }
        }
    }
}
