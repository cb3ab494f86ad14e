//! Calls that remove several entries of the hashed page table: H_BULK_REMOVE and H_BLOCK_REMOVE (PAPR 14.5.4.1.7 and
//! 14.5.4.1.8). All vCPUs forget the pages at once.

use hv_core::Visit;
use papr_abi::hcall;
use papr_abi::status::{H_NOT_FOUND, H_PARAMETER, H_PARTIAL, H_SUCCESS};
use ppc_mmu::hash::{R_CHANGE, R_REFERENCE, sizes};
use ppc_mmu::table::HashTable;

use crate::answer::{Answer, Checked};
use crate::hash::{H_ANDCOND, H_AVPN, Removed, begin_removal, end_removal, lock, matching, table, whole};
use crate::papr::{Arguments, Call, Papr};

pub(crate) const CALLS: &[Call] = &[
    Call { number: hcall::H_BULK_REMOVE, handler: bulk_remove },
    Call { number: hcall::H_BLOCK_REMOVE, handler: block_remove },
];

/// log2 of the pages of a block for H_BLOCK_REMOVE, whose other limit is the registers. What system parameter 50 tells.
pub(crate) const BLOCK_SHIFT: u32 = 3;

/// The two high bits of a word: what it is.
const REQUEST: u64 = 1;
const END: u64 = 3;
const RESPONSE: u64 = 2 << 62;
const INDEX: u64 = 0x00ff_ffff_ffff_ffff;
/// Outcomes, in the field behind RESPONSE.
const NOT_FOUND: u64 = 1;
const PARAMETER: u64 = 2;

/// Where the fields of a response stand.
struct Layout {
    /// Flags of the request, which the response keeps.
    flags: u64,
    /// Lowest bit of the outcome.
    outcome: u32,
    /// Distance of reference and change bits from their place in an entry.
    noted: u32,
}

const BULK: Layout = Layout { flags: 3 << 56, outcome: 60, noted: 51 };
/// As Linux's pseries/lpar.c takes them apart (`HBLKR_CTRL_MASK`).
const BLOCK: Layout = Layout { flags: 1 << 56, outcome: 59, noted: 50 };

/// Words and those of them that stand for an entry that is being removed.
struct Removal<'a> {
    layout: Layout,
    table: &'a HashTable,
    pending: Vec<(usize, Removed)>,
    /// Something that was asked for is not there.
    missed: bool,
}

impl Removal<'_> {
    /// Answers `word`, number `place` of the output, for what was found; `Err` ends the call.
    fn take(
        &mut self,
        papr: &Papr,
        visit: &Visit,
        word: &mut u64,
        place: usize,
        found: Result<(u64, u64), i64>,
    ) -> Result<(), i64> {
        let index = *word & INDEX;
        *word = RESPONSE | *word & (INDEX | self.layout.flags);
        match found {
            Ok((v, r)) => self.pending.push((place, begin_removal(papr, visit, self.table, index, v, r))),
            Err(H_NOT_FOUND) => {
                *word |= NOT_FOUND << self.layout.outcome;
                self.missed = true;
            }
            Err(status) => {
                *word |= PARAMETER << self.layout.outcome;
                return Err(status);
            }
        }
        Ok(())
    }

    /// Waits until all are gone, and puts their reference and change bits into the words.
    fn finish(self, visit: &Visit, out: &mut [u64]) {
        visit.context.settle();
        for (place, removed) in &self.pending {
            let (_, r) = end_removal(self.table, removed);
            if let Some(word) = out.get_mut(*place) {
                *word |= (r & (R_REFERENCE | R_CHANGE)) << self.layout.noted;
            }
        }
    }
}

/// Up to four requests in r4, r6, r8, r10, each with its AVPN behind it; each becomes its response in place.
fn bulk_remove(papr: &Papr, visit: &mut Visit, arguments: &Arguments) -> Checked {
    let _lock = lock(papr);
    let table = table(visit)?;
    let mut removal = Removal { layout: BULK, table, pending: Vec::new(), missed: false };
    let mut out = arguments.to_vec();
    out.truncate(8);
    let mut status = H_SUCCESS;
    for (place, pair) in out.chunks_exact_mut(2).enumerate() {
        let [word, avpn] = pair else { break };
        let flags = match (*word >> 62, *word >> 56 & 3) {
            (END, _) => break,
            (REQUEST, 0) => Ok(0),
            (REQUEST, 1) => Ok(H_ANDCOND),
            (REQUEST, 2) => Ok(H_AVPN),
            (REQUEST, _) => Err(H_PARAMETER),
            _ => {
                status = H_PARAMETER;
                break;
            }
        };
        let found = flags.and_then(|flags| matching(table, flags, *word & INDEX, *avpn, whole));
        if let Err(error) = removal.take(papr, visit, word, 2 * place, found) {
            status = error;
            break;
        }
    }
    removal.finish(visit, &mut out);
    Ok(Answer { status, ..Answer::outputs(out) })
}

/// The bits of the page number that all pages of a block have in common, of an entry's size.
fn block(v: u64, r: u64) -> u64 {
    let low = sizes(v, r).map_or(0, |(_, actual)| (actual + BLOCK_SHIFT).saturating_sub(23));
    whole(v, r) & !(((1 << low) - 1) << 7)
}

/// Up to eight requests in r5 to r12 for pages of the block at the virtual address that r4 abbreviates. The responses
/// come in r4 to r11.
fn block_remove(papr: &Papr, visit: &mut Visit, arguments: &Arguments) -> Checked {
    const AVPN: u64 = 1;
    let _lock = lock(papr);
    let table = table(visit)?;
    let mut removal = Removal { layout: BLOCK, table, pending: Vec::new(), missed: false };
    let [avpn, words @ ..] = *arguments;
    let mut out = Vec::with_capacity(words.len());
    let mut status = H_SUCCESS;
    for (place, mut word) in words.into_iter().enumerate() {
        let flags = match (word >> 62, word >> 56 & 0x3f) {
            (END, _) => break,
            (REQUEST, 0) => Ok(0),
            (REQUEST, AVPN) => Ok(H_AVPN),
            (REQUEST, _) => Err(H_PARAMETER),
            _ => {
                status = H_PARAMETER;
                break;
            }
        };
        let found = flags.and_then(|flags| matching(table, flags, word & INDEX, avpn, block));
        let outcome = removal.take(papr, visit, &mut word, place, found);
        out.push(word);
        if let Err(error) = outcome {
            status = error;
            break;
        }
    }
    if status == H_SUCCESS && removal.missed {
        status = H_PARTIAL;
    }
    removal.finish(visit, &mut out);
    Ok(Answer { status, ..Answer::outputs(out) })
}
