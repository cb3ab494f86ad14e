//! From a word to its row.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use crate::Row;
use crate::cpu::Cpu;
use crate::rows;

/// Decodes the words of one CPU model.
///
/// Words are bucketed by primary opcode and those of the low 11 bits that tell its rows apart; within a bucket the rows
/// are tried in table order with those that fix more bits first, so that a special case (`nop`-like or fixed-field rows)
/// wins over the general one. The tables are small, because most words are decoded when the caches hold other things.
pub struct Decoder {
    cpu: Cpu,
    rows: Vec<&'static Row>,
    primaries: [Primary; 64],
    /// By bucket: start in `links`.
    starts: Vec<u16>,
    /// Chains, each with an end.
    links: Vec<Link>,
    /// Row indices of prefixed instructions.
    prefixed: Vec<u16>,
}

/// Where the buckets of a primary opcode are.
#[derive(Clone, Copy, Default)]
struct Primary {
    first: u16,
    /// The bits by which rows are told apart, and all between them.
    mask: u16,
    /// Place of the lowest of them.
    shift: u8,
}

impl Primary {
    fn bucket(self, word: u32) -> usize {
        usize::from(self.first) + ((word & u32::from(self.mask)) >> self.shift) as usize
    }
}

/// A row of a chain, as far as words are held against it.
#[derive(Clone, Copy)]
struct Link {
    mask: u32,
    value: u32,
    row: u16,
}

/// The end of a chain, which every word matches.
const END: Link = Link { mask: 0, value: 0, row: u16::MAX };
const LOW: u32 = 0x7ff;

impl Decoder {
    /// The decoder of `cpu`.
    pub fn new(cpu: Cpu) -> Decoder {
        let mut rows: Vec<&'static Row> = rows().filter(|r| r.models.contains(cpu)).collect();
        rows.sort_by_key(|r| core::cmp::Reverse(r.mask.count_ones()));
        let (prefixed, short): (Vec<u16>, Vec<u16>) =
            (0..rows.len() as u16).partition(|&row| rows[usize::from(row)].prefixed());
        let mut primaries = [Primary::default(); 64];
        let mut starts = Vec::new();
        let mut links = Vec::new();
        let mut known = BTreeMap::new();
        for (number, primary) in (0..).zip(&mut primaries) {
            let link = |&row: &u16| {
                let (mask, value) = (rows[usize::from(row)].mask as u32, rows[usize::from(row)].value as u32);
                Link { mask, value, row }
            };
            let own: Vec<Link> = short.iter().map(link).filter(|link| link.value >> 26 == number).collect();
            let telling = own.iter().fold(0, |all, link| all | link.mask & LOW);
            let shift = telling.trailing_zeros() % u32::BITS;
            let bits = (u32::BITS - telling.leading_zeros()).saturating_sub(shift);
            let mask = ((1 << bits) - 1) << shift;
            *primary = Primary { first: starts.len() as u16, mask: mask as u16, shift: shift as u8 };
            // A row is in the buckets of all subsets of the bits that it leaves free.
            let mut buckets = vec![Vec::new(); 1 << bits];
            for link in &own {
                let free = mask & !link.mask;
                let mut subset = 0;
                loop {
                    buckets[((link.value & mask | subset) >> shift) as usize].push(*link);
                    subset = subset.wrapping_sub(free) & free;
                    if subset == 0 {
                        break;
                    }
                }
            }
            for bucket in buckets {
                let names: Vec<u16> = bucket.iter().map(|link| link.row).collect();
                let start = *known.entry(names).or_insert_with(|| {
                    let start = links.len() as u16;
                    links.extend(bucket);
                    links.push(END);
                    start
                });
                starts.push(start);
            }
        }
        Decoder { cpu, rows, primaries, starts, links, prefixed }
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
        self.rows.get(self.index(word)?).copied()
    }

    /// The index of that row in [`Decoder::rows`].
    #[inline]
    pub fn index(&self, word: u64) -> Option<usize> {
        let index = if word >> 32 != 0 {
            self.prefixed
                .iter()
                .copied()
                .find(|&row| self.rows.get(usize::from(row)).is_some_and(|row| row.matches(word)))
        } else {
            let short = word as u32;
            let bucket = self.primaries[(short >> 26) as usize & 63].bucket(short);
            let chain = self.links.get(usize::from(*self.starts.get(bucket)?)..)?;
            chain.iter().find(|link| short & link.mask == link.value).map(|link| link.row)
        };
        index.filter(|row| *row != END.row).map(usize::from)
    }

    /// The rows of this model, in the order in which they are tried.
    pub fn rows(&self) -> &[&'static Row] {
        &self.rows
    }
}
