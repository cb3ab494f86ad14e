//! ePAPR's spin table: where processors wait that are to be started (ePAPR 1.1, section 5.5.2.1).
//!
//! In a chip the waiting processors look at memory in a loop. Here the table is a device, so that they can sleep: it stands
//! outside RAM, and a store that completes an address starts its processor, once.

use std::sync::{Mutex, PoisonError};

use crate::registers::Registers;

/// Bytes from one processor's entry to the next one's: a cache line of any processor.
pub const STRIDE: u64 = 64;
/// Words of an entry: address, r3 (two each, the high one first), reserved, PIR.
const WORDS: usize = 6;
/// `entry_addr` of a processor that is to stay: its lowest bit counts.
const STAY: u32 = 1;

/// What starts a processor: its number, its first instruction, its r3. `false` when it runs already.
pub type Release = Box<dyn Fn(u32, u64, u64) -> bool + Send + Sync>;

/// The table.
pub struct SpinTable {
    entries: Mutex<Vec<[u32; WORDS]>>,
    release: Release,
}

impl SpinTable {
    /// A table for `cpus` processors, of which the first runs.
    pub fn new(cpus: u32, release: Release) -> SpinTable {
        let entries = (0..cpus).map(|cpu| [0, STAY, 0, cpu, 0, cpu]).collect();
        SpinTable { entries: Mutex::new(entries), release }
    }

    /// Bytes of a table for `cpus` processors.
    pub fn size(cpus: u32) -> u64 {
        u64::from(cpus) * STRIDE
    }
}

/// Aligned words and doublewords; others read as zero and are not stored.
impl Registers for SpinTable {
    fn read(&self, offset: u64, bytes: u64) -> u64 {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let word = |offset: u64| {
            let entry = entries.get((offset / STRIDE) as usize);
            entry.and_then(|entry| entry.get((offset % STRIDE / 4) as usize)).copied().unwrap_or(0)
        };
        match bytes {
            4 if offset.is_multiple_of(4) => word(offset).into(),
            8 if offset.is_multiple_of(8) => u64::from(word(offset)) << 32 | u64::from(word(offset + 4)),
            _ => 0,
        }
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        let words: &[u32] = match bytes {
            4 if offset.is_multiple_of(4) => &[value as u32],
            8 if offset.is_multiple_of(8) => &[(value >> 32) as u32, value as u32],
            _ => return,
        };
        let (cpu, first) = (offset / STRIDE, (offset % STRIDE / 4) as usize);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = entries.get_mut(cpu as usize) else { return };
        for (slot, word) in entry.iter_mut().skip(first).zip(words) {
            *slot = *word;
        }
        let [high, low, r3_high, r3_low, ..] = *entry;
        let pair = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        if cpu > 0 && low & STAY == 0 {
            (self.release)(cpu as u32, pair(high, low), pair(r3_high, r3_low));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_low_word_of_the_address_starts() {
        let started = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&started);
        let table = SpinTable::new(
            3,
            Box::new(move |cpu, address, r3| {
                log.lock().unwrap().push((cpu, address, r3));
                true
            }),
        );
        assert_eq!((table.read(0x40, 8), table.read(0x48, 8), table.read(0x54, 4)), (1, 1, 1));
        table.write(0x4c, 4, 7);
        table.write(0x54, 4, 1);
        table.write(0x40, 4, 0xa);
        assert_eq!(*started.lock().unwrap(), []);
        table.write(0x44, 4, 0x1000);
        table.write(0x80, 8, 0x2_0000_0000);
        // Neither the first, which runs, nor one that is not there.
        table.write(0, 8, 0x3000);
        table.write(0xc0, 8, 0x3000);
        assert_eq!(*started.lock().unwrap(), [(1, 0xa_0000_1000, 7), (2, 0x2_0000_0000, 2)]);
    }
}
