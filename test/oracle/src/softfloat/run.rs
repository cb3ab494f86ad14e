//! Our engines against the model: many cases of a row, and the first that disagrees.

use anyhow::Result;
use exec::fp::fpscr;
use guest_mem::Order;
use ppc_isa::cpu::SERVER;
use ppc_isa::op::{self, Vsx};
use ppc_isa::row::fact;
use ppc_isa::vsx::Convert;
use ppc_isa::{Cpu, Op, Row};

use super::cases::{Operands, Pick, embedded_status, fused, status};
use super::expected;
use crate::campaign::{Finding, Report};
use crate::case::{Case, Difference, Ending, Outcome, State, differences, reg};
use crate::format::Test;
use crate::generate::Generator;
use crate::grid::Plan;
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

    /// Runs `count` random cases of `row`, and those of `plans`. No cases at all means that no valid form was found.
    pub fn row(&mut self, row: &'static Row, count: usize, plans: &[Plan]) -> Report {
        let mut report = Report { cases: 0, disagreements: 0, first: None };
        let operands = Operands::new(row);
        for n in 0..count {
            let pick = if n % 2 == 0 { Pick::Chance } else { Pick::Boundaries(self.chance.bits() as usize >> 8) };
            self.try_case(row, &operands, pick, None, &mut report);
        }
        for rounding in 0..if row.is(fact::FPSCR) && !plans.is_empty() { 4 } else { 1 } {
            for plan in plans {
                let picks: Box<dyn Iterator<Item = Pick>> = match plan {
                    Plan::Boundaries => Box::new(operands.boundaries()),
                    Plan::Exhaustive => Box::new(operands.leading()),
                };
                picks.for_each(|pick| self.try_case(row, &operands, pick, Some(rounding), &mut report));
            }
        }
        report
    }

    fn try_case(
        &mut self,
        row: &'static Row,
        operands: &Operands,
        pick: Pick,
        rounding: Option<u64>,
        report: &mut Report,
    ) {
        let Some((case, interrupts)) = self.case(row, operands, pick, rounding) else { return };
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

    fn case(
        &mut self,
        row: &'static Row,
        operands: &Operands,
        pick: Pick,
        rounding: Option<u64>,
    ) -> Option<(Case, bool)> {
        let mut case = self.generator.alone(row, 0)?;
        let c = &mut self.chance;
        let interrupts = c.percent(60);
        let word = *case.words.first()?;
        operands.fill(c, row, word, pick, &mut case.before);
        if let Some(registers) = fused(row, word)
            && rounding.is_none()
            && c.percent(20)
        {
            operands.cancel(c, registers, &mut case.before);
        }
        if row.is(fact::FPSCR) {
            let fpscr = status(c, SERVER.contains(self.cpu), !interrupts);
            case.before.reg[reg::FPSCR] = rounding.map_or(fpscr, |rounding| fpscr & !fpscr::RN | rounding);
        }
        if let Op::Spe(_) = row.op {
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
