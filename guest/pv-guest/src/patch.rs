//! The patcher: replaces privileged instructions by accesses to the magic page.
//!
//! It walks over code word by word, as [`pv_abi::rewrite`] says what becomes of each. A word that one access cannot
//! replace becomes a branch into the trampoline, where a section made for it stands; the section is complete before
//! the branch is written. Data among the code that look like a privileged instruction are rewritten too: keep them
//! out of the region, or leave them out by address.

use core::ops::Range;

use pv_abi::rewrite::{self, Build, ROWS, Replacement, Row};

use crate::code::{Code, Region};

/// Why an instruction was left as it is. It still works: it traps, and the hypervisor carries it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The page lacks the feature that this row needs.
    Feature,
    /// It lies in a range to be left alone, or in the trampoline.
    Excluded,
    /// It lies in code that may run from a copy elsewhere, whence a branch would lead astray.
    Copied,
    /// The trampoline is full.
    NoSpace,
    /// The trampoline is more than 32 MiB away, there or back.
    TooFar,
}

impl Reason {
    /// All, in the order of [`Count::skipped`].
    pub const ALL: [Reason; 5] = [Reason::Feature, Reason::Excluded, Reason::Copied, Reason::NoSpace, Reason::TooFar];
}

/// What became of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This word stands in its place.
    Replaced(u32),
    /// A branch to the section at this address stands in its place.
    Section(u64),
    /// It was left as it is.
    Skipped(Reason),
}

/// An instruction of the table.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// Effective address.
    pub address: u64,
    /// The word found there.
    pub word: u32,
    /// Its row.
    pub row: &'static Row,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of the instructions of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Rewritten.
    pub rewritten: u32,
    /// Skipped, by reason.
    pub skipped: [u32; Reason::ALL.len()],
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Words looked at.
    pub words: usize,
    counts: [Count; ROWS.len()],
}

impl Default for Report {
    fn default() -> Report {
        Report { words: 0, counts: [Count::default(); ROWS.len()] }
    }
}

impl Report {
    /// Every row with what became of its instructions.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Row, &Count)> {
        ROWS.iter().zip(&self.counts)
    }

    /// Instructions rewritten.
    pub fn rewritten(&self) -> u32 {
        self.counts.iter().map(|count| count.rewritten).sum()
    }

    /// Instructions left for a reason.
    pub fn skipped(&self, reason: Reason) -> u32 {
        self.counts.iter().filter_map(|count| count.skipped.get(reason as usize)).sum()
    }

    /// Whether nothing had to be left for want of trampoline, in space or in reach.
    pub fn complete(&self) -> bool {
        self.skipped(Reason::NoSpace) == 0 && self.skipped(Reason::TooFar) == 0
    }

    fn add(&mut self, site: &Site) {
        let row = ROWS.iter().position(|row| core::ptr::eq(row, site.row));
        let Some(count) = row.and_then(|row| self.counts.get_mut(row)) else { return };
        let counter = match site.outcome {
            Outcome::Replaced(_) | Outcome::Section(_) => Some(&mut count.rewritten),
            Outcome::Skipped(reason) => count.skipped.get_mut(reason as usize),
        };
        if let Some(counter) = counter {
            *counter += 1;
        }
    }
}

/// Room for sections, filled from its start. Keep it for later runs over other code, such as modules.
#[derive(Debug)]
pub struct Trampoline<C> {
    region: Region<C>,
    used: usize,
}

impl<C: Code> Trampoline<C> {
    /// An empty one.
    pub fn new(region: Region<C>) -> Trampoline<C> {
        Trampoline { region, used: 0 }
    }

    /// Words used so far.
    pub fn used(&self) -> usize {
        self.used
    }

    /// The addresses it covers, used or not.
    pub fn addresses(&self) -> Range<u64> {
        let start = self.region.address;
        start..start.saturating_add(self.region.code.word_count() as u64 * 4)
    }

    /// Writes a section for `word` at `site` and returns its address with the branch that leads there.
    fn add(&mut self, section: &rewrite::Section, word: u32, site: u64, build: Build) -> Result<(u64, u32), Reason> {
        let end = self.used + section.word_count();
        if end > self.region.code.word_count() {
            return Err(Reason::NoSpace);
        }
        let at = self.region.address.wrapping_add(self.used as u64 * 4);
        let branch = rewrite::branch(site, at, build).ok_or(Reason::TooFar)?;
        if section.words(word, site, at, build).any(|word| word.is_none()) {
            return Err(Reason::TooFar);
        }
        for (index, word) in (self.used..end).zip(section.words(word, site, at, build).flatten()) {
            self.region.code.replace(index, word);
        }
        self.used = end;
        Ok((at, branch))
    }
}

/// What to patch for, and what to leave alone.
#[derive(Clone, Copy, Debug)]
pub struct Patcher<'a> {
    /// The kernel's build.
    pub build: Build,
    /// Features of the page that every processor has: what MAP_MAGIC_PAGE returned on each, ANDed.
    pub features: u64,
    /// Addresses whose words are left alone. The trampoline is left alone by itself.
    pub exclude: &'a [Range<u64>],
    /// Addresses of code that may run from a copy elsewhere, such as exception vectors: no branches there.
    pub copied: &'a [Range<u64>],
}

impl Patcher<'_> {
    /// Patches `text` and shows every instruction of the table to `visit` with what became of it.
    ///
    /// On a kernel that runs: with interrupts off on this processor; others may go on executing `text`.
    pub fn run<C: Code, T: Code>(
        &self,
        text: &mut Region<C>,
        trampoline: &mut Trampoline<T>,
        mut visit: impl FnMut(&Site),
    ) -> Report {
        let mut report = Report { words: text.code.word_count(), ..Report::default() };
        let own = trampoline.addresses();
        for index in 0..report.words {
            let Some(word) = text.code.word(index) else { break };
            let Some(row) = rewrite::find(word, self.build) else { continue };
            let address = text.address.wrapping_add(index as u64 * 4);
            let inside = |ranges: &[Range<u64>]| ranges.iter().any(|range| range.contains(&address));
            let outcome = match rewrite::rewrite(word, self.build, self.features) {
                _ if own.contains(&address) || inside(self.exclude) => Outcome::Skipped(Reason::Excluded),
                None => Outcome::Skipped(Reason::Feature),
                Some(Replacement::Word(word)) => {
                    text.code.replace(index, word);
                    Outcome::Replaced(word)
                }
                Some(Replacement::Section(_)) if inside(self.copied) => Outcome::Skipped(Reason::Copied),
                Some(Replacement::Section(section)) => match trampoline.add(section, word, address, self.build) {
                    Ok((at, branch)) => {
                        text.code.replace(index, branch);
                        Outcome::Section(at)
                    }
                    Err(reason) => Outcome::Skipped(reason),
                },
            };
            let site = Site { address, word, row, outcome };
            report.add(&site);
            visit(&site);
        }
        report
    }
}
