//! Many cases of many rows against the reference: what disagrees, as small as it gets.

use std::collections::BTreeMap;
use std::panic::Location;

use anyhow::Result;
use guest_mem::Order;
use ppc_isa::row::fact;
use ppc_isa::{Cpu, Decoder, Row};

use crate::case::{Case, Difference, Ending, Outcome, SLOTS, State, differences, reg};
use crate::format::Test;
use crate::forms;
use crate::generate::Generator;
use crate::grid::{self, Plan};
use crate::interpreter::Machine;
use crate::qemu::Qemu;
use crate::reference::Reference;
use crate::undefined::{self, View};

/// Cases in one message.
const BATCH: usize = 256;

/// Engines and reference for one CPU model and byte order.
pub struct Campaign {
    decoder: Decoder,
    generator: Generator,
    reference: Reference,
    machines: Vec<Machine>,
    /// Which masks were needed for agreement, if that is asked for.
    pub masks: Option<Masks>,
}

/// Entries of `undefined` that concerned a case, and whether any case disagrees without.
pub type Masks = BTreeMap<&'static Location<'static>, bool>;

/// What came out for one row.
pub struct Report {
    /// Cases run.
    pub cases: usize,
    /// Cases in which one of our engines disagreed.
    pub disagreements: usize,
    /// The first of them, shrunk.
    pub first: Option<Finding>,
}

/// One disagreement.
pub struct Finding {
    /// The engine.
    pub engine: &'static str,
    /// The last row of the case, which need not be the one under test.
    pub culprit: &'static str,
    /// What differs.
    pub differences: Vec<Difference>,
    /// The reference's outcome, as a test.
    pub test: Test,
}

impl Campaign {
    /// Starts the reference and our engines.
    ///
    /// # Errors
    /// When one of them cannot be started.
    pub fn new(qemu: &Qemu, cpu: Cpu, order: Order, seed: u64) -> Result<Campaign> {
        Ok(Campaign {
            decoder: Decoder::new(cpu),
            generator: Generator::new(cpu, order, seed),
            reference: Reference::start(qemu, cpu, order)?,
            machines: Machine::all(cpu)?,
            masks: None,
        })
    }

    /// Runs `count` random cases for `row`, and the layers of `plans`. No cases at all means that no valid form was found.
    ///
    /// # Errors
    /// When the reference cannot be kept alive.
    pub fn row(&mut self, row: &'static Row, count: usize, plans: &[Plan]) -> Result<Report> {
        let mut report = Report { cases: 0, disagreements: 0, first: None };
        self.cases(&mut report, count, |generator, _, slot| generator.case(row, slot))?;
        let cpu = self.generator.cpu();
        for layer in plans.iter().flat_map(|&plan| grid::layers(row, cpu, plan)) {
            self.cases(&mut report, layer.cases(), |generator, n, slot| generator.planned(row, &layer, n, slot))?;
        }
        Ok(report)
    }

    /// Runs the cases 0 to `count` that `make` makes of generator, number and slot.
    fn cases(
        &mut self,
        report: &mut Report,
        count: usize,
        make: impl Fn(&mut Generator, usize, usize) -> Option<Case>,
    ) -> Result<()> {
        let mut made = 0;
        while made < count {
            let n = BATCH.min(count - made).min(SLOTS);
            let cases: Vec<Case> = (0..n).filter_map(|slot| make(&mut self.generator, made + slot, slot)).collect();
            made += n;
            let expected = self.reference.run(&cases)?;
            report.cases += cases.len();
            for (case, expected) in cases.iter().zip(&expected) {
                let ignore = self.ignored(case, expected.ending);
                for i in 0..self.machines.len() {
                    let found = self.machines[i].run(case);
                    self.weigh(case, expected, &found);
                    if differences(expected, &found, &ignore).is_empty() {
                        continue;
                    }
                    report.disagreements += 1;
                    if report.first.is_none() {
                        report.first = Some(self.finding(i, case)?);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the reference knows `row`, which the model lacks: it carries out one of some words that are no other
    /// row's.
    ///
    /// # Errors
    /// When the reference cannot be kept alive.
    pub fn knows(&mut self, row: &'static Row) -> Result<bool> {
        let cases = (0..8).filter_map(|slot| self.generator.alone(row, slot));
        let cases: Vec<Case> = cases.filter(|c| c.words.iter().all(|&w| self.decoder.decode(w).is_none())).collect();
        let outcomes = self.reference.run(&cases)?;
        Ok(outcomes.iter().any(|o| !matches!(o.ending, Ending::Illegal | Ending::Privileged)))
    }

    /// What is undefined after `case`. A row with undefined results stands alone in its case.
    fn ignored(&self, case: &Case, ending: Ending) -> State {
        let mut mask = self.view(case).map(|view| undefined::mask(&view, self.reference.version())).unwrap_or_default();
        undefined::mask_ending(&mut mask, ending);
        mask
    }

    fn view<'a>(&self, case: &'a Case) -> Option<View<'a>> {
        let &[word] = case.words.as_slice() else { return None };
        let row = self.decoder.decode(word)?;
        Some(View { row, word, cpu: case.cpu, before: &case.before })
    }

    /// Notes which masks these outcomes need.
    fn weigh(&mut self, case: &Case, expected: &Outcome, found: &Outcome) {
        let Some(view) = self.view(case) else { return };
        let Some(masks) = &mut self.masks else { return };
        let tried = undefined::tried(&view, self.reference.version(), |mut mask| {
            undefined::mask_ending(&mut mask, expected.ending);
            differences(expected, found, &mask).is_empty()
        });
        for (at, needed) in tried {
            *masks.entry(at).or_default() |= needed;
        }
    }

    fn finding(&mut self, machine: usize, case: &Case) -> Result<Finding> {
        let case = self.shrink(machine, case.clone())?;
        let (expected, found) = self.both(machine, &case)?;
        let ignore = self.ignored(&case, expected.ending);
        let engine = self.machines[machine].name();
        let culprit = self.rows(&case).last().map_or("", |(row, _)| row.name);
        let differences = differences(&expected, &found, &ignore);
        let mut comment = format!("{engine} and the reference disagree:\n");
        for difference in &differences {
            comment += &format!("{difference}\n");
        }
        Ok(Finding { engine, culprit, differences, test: Test { comment, case, expected, ignore } })
    }

    fn both(&mut self, machine: usize, case: &Case) -> Result<(Outcome, Outcome)> {
        Ok((self.reference.run_one(case)?, self.machines[machine].run(case)))
    }

    /// The smallest case found that still disagrees in the same kind of way.
    fn shrink(&mut self, machine: usize, mut case: Case) -> Result<Case> {
        let ending = self.both(machine, &case)?.0.ending;
        let try_case = |campaign: &mut Campaign, smaller: Case, case: &mut Case| -> Result<bool> {
            let (expected, found) = campaign.both(machine, &smaller)?;
            let same = expected.ending == ending;
            let still = same && !differences(&expected, &found, &campaign.ignored(&smaller, ending)).is_empty();
            if still {
                *case = smaller;
            }
            Ok(still)
        };
        for i in (0..case.words.len()).rev() {
            let mut smaller = case.clone();
            smaller.words.remove(i);
            if !smaller.words.is_empty() && !self.branches(&case) {
                try_case(self, smaller, &mut case)?;
            }
        }
        let keep = self.addresses(&case);
        for index in (0..reg::COUNT).filter(|i| !keep.contains(i)) {
            if case.before.reg[index] != 0 {
                let mut smaller = case.clone();
                smaller.before.reg[index] = 0;
                try_case(self, smaller, &mut case)?;
            }
        }
        for at in (0..case.before.data.len()).step_by(16) {
            let mut smaller = case.clone();
            smaller.before.data[at..at + 16].fill(0);
            if smaller.before.data != case.before.data {
                try_case(self, smaller, &mut case)?;
            }
        }
        Ok(case)
    }

    fn rows<'a>(&'a self, case: &'a Case) -> impl Iterator<Item = (&'static Row, u64)> + 'a {
        case.words.iter().filter_map(|&word| Some((self.decoder.decode(word)?, word)))
    }

    fn branches(&self, case: &Case) -> bool {
        self.rows(case).any(|(row, _)| row.is(fact::END))
    }

    /// Registers that addresses and branch targets come from: zero in them would lead out of the case.
    fn addresses(&self, case: &Case) -> Vec<usize> {
        let mut keep = Vec::new();
        if self.branches(case) {
            keep.extend([reg::LR, reg::CTR, reg::TAR]);
        }
        for (row, word) in self.rows(case).filter(|(row, _)| forms::addressing(row).is_some()) {
            let fields = ["RA", "RB"].iter().filter_map(|name| row.field(name));
            keep.extend(fields.map(|f| f.get(word) as usize));
        }
        keep
    }
}
