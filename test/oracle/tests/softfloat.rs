//! The model of floating point: it agrees with the expectations in `cases`, which come from the Power ISA, and our
//! engines agree with it.

use oracle::case::{Outcome, differences};
use oracle::format::Test;
use oracle::softfloat::{self, Soft};
use oracle::undefined::View;
use ppc_isa::op::Spe;
use ppc_isa::row::fact;
use ppc_isa::{Cpu, Decoder};

#[test]
fn the_model_agrees_with_written_cases() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");
    let mut held = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let test = Test::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let &[word] = test.case.words.as_slice() else { continue };
        let Some(row) = Decoder::new(test.case.cpu).decode(word).filter(|row| softfloat::covers(row)) else { continue };
        let view = View { row, word, cpu: test.case.cpu, before: &test.case.before };
        let model = softfloat::expected(&view, &test.expected.after, true).unwrap();
        let outcome = Outcome { after: model.after, ending: model.ending, at: model.at };
        let mut ignore = test.ignore.clone();
        ignore.reg.iter_mut().zip(model.ignore.reg).for_each(|(bits, more)| *bits |= more);
        assert_eq!(differences(&test.expected, &outcome, &ignore), [], "{}", path.display());
        held += 1;
    }
    assert!(held >= 10, "only {held} cases have floating point");
}

#[test]
fn our_engines_agree_with_the_model() {
    for cpu in [Cpu::Power9, Cpu::Ppc7450, Cpu::E500v2] {
        let mut soft = Soft::new(cpu, guest_mem::Order::Big, 3).unwrap();
        for row in ppc_isa::rows().filter(|row| row.models.contains(cpu) && softfloat::covers(row)) {
            let report = soft.row(row, 60, &[]);
            assert_eq!((report.disagreements, report.cases), (0, 60), "{}", row.name);
        }
    }
}

/// QEMU's faults hide much of FPSCR. Nothing of that goes unproven: whatever touches FPSCR is modelled, but for decimals,
/// of which `exec::dfp` has outputs of hardware, and the matrix-multiply assist, which is still open.
#[test]
fn every_row_with_fpscr_is_modelled() {
    let other = |row: &ppc_isa::Row| matches!(row.op, ppc_isa::Op::Dfp(_) | ppc_isa::Op::Mma(_));
    let open: Vec<&str> = ppc_isa::rows()
        .filter(|row| row.is(fact::FPSCR) && !other(row) && !softfloat::covers(row))
        .map(|row| row.name)
        .collect();
    assert_eq!(open, [""; 0]);
    let embedded = |row: &&ppc_isa::Row| matches!(row.op, ppc_isa::Op::Spe(Spe::Float(_)));
    assert!(ppc_isa::rows().filter(embedded).all(softfloat::covers));
}
