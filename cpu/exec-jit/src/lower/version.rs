//! Versions of loops for comparisons that are pending.
//!
//! Most loops end by a comparison and a branch back to a head where the CR field is alive, since what comes first there may
//! fault. So that no turn computes the field, there is a version of the loop into whose head the comparison is still
//! pending; what comes otherwise enters the loop itself.

use super::fields::{Noted, With};
use super::{Edge, Lower};
use crate::asm::Label;
use crate::plan::Parts;
use crate::strip::Strips;

/// The most versions of a region.
const MOST: usize = 4;
/// The most instructions of one.
const LARGEST: usize = 32;

/// A version of a loop.
#[derive(Clone, Copy)]
pub struct Version {
    /// First and last.
    blocks: (usize, usize),
    pending: Noted,
    label: Label,
}

impl Lower<'_> {
    /// Where an edge enters block `index`: at `to` with all of `live` computed, or a version for what is pending of it.
    pub(super) fn entrance(&mut self, edge: Edge, index: usize, live: Parts, to: Label) -> Label {
        let version = self.version(edge, index, live);
        if version.is_none() {
            self.settle(live);
        }
        version.unwrap_or(to)
    }

    fn version(&mut self, edge: Edge, index: usize, live: Parts) -> Option<Label> {
        let plan = self.setting.plan;
        let apart = |strips: &Strips| strips.blocks.1 < index || strips.blocks.0 > self.block;
        if !edge.event || index > self.block || !plan.strips.iter().all(apart) {
            return None;
        }
        for compare in self.fields.pending().to_vec() {
            // What a branch has told is a constant.
            if compare.known.is_some() || matches!(compare.with, With::Scalar(_)) {
                self.settle(live & 1 << compare.field);
            }
        }
        // At the event point of the branch others may be looked at, too.
        let pending = self.fields.note_of(live);
        if pending.count == 0 {
            return None;
        }
        let same = |version: &&Version| version.blocks.0 == index && self.fields.are_same(version.pending, pending);
        if let Some(version) = self.versions.iter().find(same) {
            return Some(version.label);
        }
        if self.versions.len() == MOST || plan.between((index, self.block)).len() > LARGEST {
            return None;
        }
        let label = self.asm.label();
        self.versions.push(Version { blocks: (index, self.block), pending, label });
        Some(label)
    }

    /// Makes the versions, of which each may lead to others.
    pub(super) fn make_versions(&mut self) {
        let mut next = 0;
        while let Some(&Version { blocks: (first, last), pending, label }) = self.versions.get(next) {
            next += 1;
            self.copy = Some((first, last));
            let labels = self.scratch.labels.clone();
            self.relabel(first + 1..=last);
            self.begin_block();
            self.fields.recall(pending);
            self.asm.bind(label);
            self.block(first);
            self.blocks(first + 1..last + 1);
            self.scratch.labels = labels;
        }
        self.copy = None;
    }
}
