//! A short campaign against the reference where there is one, over the files of the table that are known to agree.

use guest_mem::Order;
use oracle::campaign::Campaign;
use oracle::qemu::Qemu;
use oracle::{forms, reference};
use ppc_isa::{Cpu, Op, Row};

const CASES: usize = 20;

/// The files of the table that are known to agree.
fn compared(row: &Row) -> bool {
    matches!(row.op, Op::Branch(_) | Op::Integer(_) | Op::LoadStore(_) | Op::Float(_) | Op::Dfp(_) | Op::Mma(_))
}

#[test]
fn rows_agree_with_the_reference() {
    let qemu = Qemu::find(None);
    for cpu in Cpu::ALL {
        for &order in forms::orders(cpu) {
            if let Some(reason) = reference::missing(&qemu, cpu, order) {
                println!("SKIP: {} {order:?}: {reason}", cpu.name());
                continue;
            }
            let mut campaign = Campaign::new(&qemu, cpu, order, 1).unwrap();
            let rows = ppc_isa::rows().filter(|r| compared(r) && r.models.contains(cpu));
            for row in rows.filter(|r| forms::left_out(r, qemu.version, cpu, order).is_none()) {
                let report = campaign.row(row, CASES, &[]).unwrap();
                assert!(report.cases > 0, "{}: no valid form", row.name);
                if let Some(finding) = report.first.filter(|f| f.culprit == row.name) {
                    panic!("{}", finding.test.print());
                }
            }
        }
    }
}

const TRANSACTIONAL: [&str; 9] =
    ["tbegin.", "tend.", "tcheck", "tsr.", "tabort.", "tabortwc.", "tabortdc.", "tabortwci.", "tabortdci."];

const EMBEDDED_OR_32_BITS: [Cpu; 7] =
    [Cpu::E5500, Cpu::E6500, Cpu::E500v2, Cpu::Ppc603, Cpu::Ppc750, Cpu::Ppc7400, Cpu::Ppc7450];

/// Rows that the reference has on models on which the table has not.
const KNOWN: &[(&[Cpu], &[&str])] = &[
    // Gone from the server since Power ISA 2.02 (Book I, appendix on incompatibilities).
    (&Cpu::BOOK3S_64, &["mcrxr"]),
    // Of Power ISA 3.0 and 3.1.
    (&[Cpu::Power8], &["dtstsfi", "dtstsfiq"]),
    (&[Cpu::Power8, Cpu::Power9], &["dcffixqq", "dctfixqq"]),
    // Gone since Power ISA 3.1.
    (&[Cpu::Power10, Cpu::Power10Mma], &TRANSACTIONAL),
    // No-operations for every CPU before POWER10.
    (&EMBEDDED_OR_32_BITS, &["hashst", "hashchk", "hashstp", "hashchkp"]),
    // Neither implements the optional square root (MPC7410 and MPC7450 user's manuals, section on optional
    // instructions).
    (&[Cpu::Ppc7400, Cpu::Ppc7450], &["fsqrt", "fsqrts"]),
    // There are no floating-point registers, and only the msync form of sync (e500 Core Family Reference Manual).
    (&[Cpu::E500v2], &["mffs", "mffsce", "mffscdrn", "mffscdrni", "mffscrn", "mffscrni", "mffsl", "sync"]),
];

/// A second opinion on which model has which row.
#[test]
fn the_reference_lacks_what_a_model_lacks() {
    let (mut wrong, qemu) = (Vec::new(), Qemu::find(None));
    for cpu in Cpu::ALL {
        if let Some(reason) = reference::missing(&qemu, cpu, Order::Big) {
            println!("SKIP: {}: {reason}", cpu.name());
            continue;
        }
        // The reference has but one POWER10.
        let variant =
            |row: &Row| cpu == Cpu::Power10 && Cpu::ALL.iter().any(|c| c.is_variant() && row.models.contains(*c));
        let known = |row: &Row| {
            variant(row) || KNOWN.iter().any(|(cpus, names)| cpus.contains(&cpu) && names.contains(&row.name))
        };
        let mut campaign = Campaign::new(&qemu, cpu, Order::Big, 1).unwrap();
        for row in ppc_isa::rows().filter(|r| compared(r) && !r.models.contains(cpu)) {
            if !known(row) && campaign.knows(row).unwrap() {
                wrong.push(format!("{} {}", cpu.name(), row.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
