//! From a word to its row.

use alloc::vec;
use alloc::vec::Vec;

use crate::Row;
use crate::cpu::Cpu;
use crate::rows;

/// Decodes the words of one CPU model.
///
/// Words are bucketed by primary opcode and the low 11 bits; within a bucket the rows are tried in table order with
/// those that fix more bits first, so that a special case (`nop`-like or fixed-field rows) wins over the general one.
pub struct Decoder {
    cpu: Cpu,
    rows: Vec<&'static Row>,
    /// For each of 64 x 2048 buckets: start in `chains`.
    buckets: Vec<u32>,
    /// Row indices, each chain ended by `END`.
    chains: Vec<u16>,
    /// Row indices of prefixed instructions.
    prefixed: Vec<u16>,
}

const END: u16 = u16::MAX;
const LOW: u32 = 0x7ff;

impl Decoder {
    /// The decoder of `cpu`.
    pub fn new(cpu: Cpu) -> Decoder {
        let mut rows: Vec<&'static Row> = rows().filter(|r| r.models.contains(cpu)).collect();
        rows.sort_by_key(|r| core::cmp::Reverse(r.mask.count_ones()));
        let mut lists: Vec<Vec<u16>> = vec![Vec::new(); 64 * 2048];
        let mut prefixed = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            if row.prefixed() {
                prefixed.push(index as u16);
                continue;
            }
            let (value, mask) = (row.value as u32, row.mask as u32);
            let primary = value >> 26;
            let free = LOW & !mask;
            // Every subset of the free low bits.
            let mut bits = 0;
            loop {
                let low = (value & LOW & mask) | bits;
                if let Some(list) = lists.get_mut((primary * 2048 + low) as usize) {
                    list.push(index as u16);
                }
                bits = bits.wrapping_sub(free) & free;
                if bits == 0 {
                    break;
                }
            }
        }
        let mut chains = vec![END];
        let mut buckets = Vec::with_capacity(lists.len());
        for list in lists {
            if list.is_empty() {
                buckets.push(0);
            } else {
                buckets.push(chains.len() as u32);
                chains.extend_from_slice(&list);
                chains.push(END);
            }
        }
        Decoder { cpu, rows, buckets, chains, prefixed }
    }

    /// The CPU model.
    pub fn cpu(&self) -> Cpu {
        self.cpu
    }

    /// Whether `word` is a prefix: the word after it belongs to the same instruction.
    #[inline]
    pub fn is_prefix(&self, word: u32) -> bool {
        word >> 26 == 1 && !self.prefixed.is_empty()
    }

    /// The row of `word`, a prefix in its high half, or `None` when the model has no such instruction.
    pub fn decode(&self, word: u64) -> Option<&'static Row> {
        self.decode_indexed(word).map(|(_, row)| row)
    }

    /// The row of `word` with its index in [`Decoder::rows`].
    pub fn decode_indexed(&self, word: u64) -> Option<(usize, &'static Row)> {
        if word >> 32 != 0 {
            return self.find(&self.prefixed, word);
        }
        let short = word as u32;
        let bucket = (short >> 26) * 2048 + (short & LOW);
        let start = *self.buckets.get(bucket as usize)? as usize;
        self.find(self.chains.get(start..)?, word)
    }

    /// The first of the rows in `chain` that `word` is.
    fn find(&self, chain: &[u16], word: u64) -> Option<(usize, &'static Row)> {
        for &index in chain {
            let row = *self.rows.get(index as usize)?; // END is past every index
            if row.matches(word) {
                return Some((index as usize, row));
            }
        }
        None
    }

    /// The rows of this model, in the order in which they are tried.
    pub fn rows(&self) -> &[&'static Row] {
        &self.rows
    }
}
