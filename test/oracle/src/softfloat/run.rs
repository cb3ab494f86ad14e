//! Our engines against the model: many cases of a row, and the first that disagrees.

use anyhow::Result;
use guest_mem::Order;
use ppc_isa::cpu::SERVER;
use ppc_isa::op::{self, Vsx};
use ppc_isa::row::fact;
use ppc_isa::vsx::Convert;
use ppc_isa::{Cpu, Op, Row};

use super::cases::{Operands, embedded_status, fused, status};
use super::expected;
use crate::campaign::{Finding, Report};
use crate::case::{Case, Difference, Ending, Outcome, State, differences, reg};
use crate::format::Test;
use crate::generate::Generator;
use crate::interpreter::Machine;
use crate::undefined::View;
use crate::values::Chance;

/// Engines and model for one CPU model and byte order.
pub struct Soft {
    cpu: Cpu,
    chance: Chance,
    generator: Generator,
    machines: Vec<Machine>,
}

/// Whether the model has `row`.
pub fn covers(row: &Row) -> bool {
    use Convert::{NarrowBits, Scalar, Vector, WidenBits};
    match row.op {
        Op::Float(_) => !row.is(fact::LOAD | fact::STORE),
        Op::Vsx(Vsx::Arithmetic(_) | Vsx::Compare(_)) => true,
        Op::Vector(op::Vector::Float(_)) => true,
        Op::Spe(op::Spe::Float(_)) => true,
        Op::Vsx(Vsx::Quad(_)) => row.is(fact::FPSCR),
        Op::Vsx(Vsx::Convert(op)) => matches!(op, Scalar(..) | Vector(..) | WidenBits | NarrowBits),
        _ => false,
    }
}

impl Soft {
    /// Starts our engines.
    ///
    /// # Errors
    /// When the host has no memory.
    pub fn new(cpu: Cpu, order: Order, seed: u64) -> Result<Soft> {
        let generator = Generator::new(cpu, order, seed);
        Ok(Soft { cpu, chance: Chance::new(!seed), generator, machines: Machine::all(cpu)? })
    }

    /// Runs `count` cases of `row`. No cases at all means that no valid form was found.
    pub fn row(&mut self, row: &'static Row, count: usize) -> Report {
        let mut report = Report { cases: 0, disagreements: 0, first: None };
        let operands = Operands::new(row);
        let start = self.chance.bits() as usize >> 8;
        for n in 0..count {
            let Some((case, interrupts)) = self.case(row, &operands, start.wrapping_add(n)) else { continue };
            report.cases += 1;
            for i in 0..self.machines.len() {
                let (test, wrong) = self.compare(i, row, &case, interrupts);
                if wrong.is_empty() {
                    continue;
                }
                report.disagreements += 1;
                if report.first.is_none() {
                    report.first = Some(self.finding(i, row, case.clone(), interrupts, test));
                }
            }
        }
        report
    }

    fn case(&mut self, row: &'static Row, operands: &Operands, n: usize) -> Option<(Case, bool)> {
        let mut case = self.generator.alone(row, 0)?;
        let c = &mut self.chance;
        let interrupts = c.percent(60);
        let word = *case.words.first()?;
        operands.fill(c, row, word, n, &mut case.before);
        if let Some(registers) = fused(row, word)
            && c.percent(20)
        {
            operands.cancel(c, registers, &mut case.before);
        }
        if row.is(fact::FPSCR) {
            case.before.reg[reg::FPSCR] = status(c, SERVER.contains(self.cpu), !interrupts);
        }
        if let Op::Spe(_) = row.op {
            operands.fill_gprs(c, n, &mut case.before);
            case.before.reg[reg::SPEFSCR] = embedded_status(c);
        }
        Some((case, interrupts))
    }

    /// What the model says and how it differs from what engine `i` does.
    fn compare(&mut self, i: usize, row: &'static Row, case: &Case, interrupts: bool) -> (Test, Vec<Difference>) {
        let found = self.machines[i].run_with(case, interrupts);
        let word = case.words.first().copied().unwrap_or(0);
        let view = View { row, word, cpu: self.cpu, before: &case.before };
        let mut ignore = State::default();
        let expected = match expected(&view, &found.after, interrupts) {
            Some(model) => {
                ignore = model.ignore;
                Outcome { after: model.after, ending: model.ending, at: model.at }
            }
            None => Outcome { after: case.before.clone(), ending: Ending::Broken, at: 0 },
        };
        let wrong = differences(&expected, &found, &ignore);
        (Test { comment: String::new(), case: case.clone(), expected, ignore }, wrong)
    }

    /// The disagreement with as many registers cleared as can be.
    fn finding(&mut self, i: usize, row: &'static Row, mut case: Case, interrupts: bool, mut test: Test) -> Finding {
        for index in 0..reg::COUNT {
            let value = std::mem::take(&mut case.before.reg[index]);
            if value != 0 {
                let (smaller, wrong) = self.compare(i, row, &case, interrupts);
                if wrong.is_empty() {
                    case.before.reg[index] = value;
                } else {
                    test = smaller;
                }
            }
        }
        let (_, differences) = self.compare(i, row, &case, interrupts);
        let engine = self.machines[i].name();
        let without = if interrupts { "" } else { ", MSR[FE0,FE1]=0" };
        test.comment = format!("{engine} and the model of floating point disagree{without}:\n");
        for difference in &differences {
            test.comment += &format!("{difference}\n");
        }
        Finding { engine, culprit: row.name, differences, test }
    }
}
