//! Segment lookaside buffer (Power ISA Book III, section 5.7.8).

/// Entries of the SLB on every model that we have.
pub const ENTRIES: usize = 32;

const VALID: u64 = 1 << 27;
const CLASS: u64 = 0x80;

/// One entry as slbmte wrote it, decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Entry {
    /// ESID word: ESID in bits 0..35, V at bit 36.
    pub esid: u64,
    /// VSID word: B, VSID, Ks, Kp, N, L, C, LP.
    pub vsid: u64,
}

impl Entry {
    /// Whether the entry is valid.
    pub fn valid(self) -> bool {
        self.esid & VALID != 0
    }

    /// log2 of the segment size: 28 or 40.
    pub fn segment_shift(self) -> u32 {
        if (self.vsid >> 62) & 3 == 1 { 40 } else { 28 }
    }

    /// The virtual segment ID.
    pub fn vsid_number(self) -> u64 {
        match self.segment_shift() {
            40 => (self.vsid & 0x3fff_ffff_ffff_f000) >> 24,
            _ => (self.vsid & 0x3fff_ffff_ffff_f000) >> 12,
        }
    }

    /// Storage key of the state: Ks for privileged, Kp for problem state.
    pub fn key(self, problem: bool) -> bool {
        self.vsid & if problem { 0x400 } else { 0x800 } != 0
    }

    /// No-execute segment.
    pub fn no_execute(self) -> bool {
        self.vsid & 0x200 != 0
    }

    /// L and LP bits: the base page size encoding.
    pub fn base_size(self) -> u64 {
        self.vsid & 0x130
    }

    fn translates(self, ea: u64) -> bool {
        self.valid() && (self.esid ^ ea) >> self.segment_shift() == 0
    }
}

/// The buffer of one thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Slb {
    /// Its entries.
    pub entries: [Entry; ENTRIES],
    /// Raised with every change, so that caches of segments can be dropped.
    pub generation: u64,
}

impl Default for Slb {
    fn default() -> Slb {
        Slb { entries: [Entry::default(); ENTRIES], generation: 1 }
    }
}

impl Slb {
    /// The entry that translates `ea`.
    pub fn find(&self, ea: u64) -> Option<Entry> {
        self.entries.iter().copied().find(|e| e.translates(ea))
    }

    /// slbmte: RB is the ESID word with the index in its low 12 bits, RS the VSID word.
    pub fn write(&mut self, rb: u64, rs: u64) {
        self.generation += 1;
        if let Some(entry) = self.entries.get_mut((rb & 0xfff) as usize) {
            *entry = Entry { esid: rb & 0xffff_ffff_f800_0000, vsid: rs & 0xffff_ffff_ffff_fff0 };
        }
    }

    /// slbie: invalidates the entry that translates the address in RB.
    pub fn invalidate(&mut self, rb: u64) {
        self.generation += 1;
        for entry in self.entries.iter_mut().filter(|e| e.translates(rb & 0xffff_ffff_f000_0000)) {
            entry.esid &= !VALID;
        }
    }

    /// slbia with hint IH (Power ISA 3.0B Book III, section 5.9.3.2): 4 drops all entries, 7 none, 3 those of class 1, others
    /// all but entry 0.
    pub fn invalidate_all(&mut self, ih: u32) {
        self.generation += 1;
        for (index, entry) in self.entries.iter_mut().enumerate() {
            let keep = match ih {
                7 => true,
                4 => false,
                3 => entry.vsid & CLASS == 0,
                _ => index == 0,
            };
            if !keep {
                entry.esid &= !VALID;
            }
        }
    }

    /// The ESID word of entry `index`, 0 when there is none.
    pub fn esid_word(&self, index: u64) -> u64 {
        self.entries.get((index & 0xfff) as usize).map_or(0, |e| e.esid)
    }

    /// The VSID word of entry `index`, 0 when there is none.
    pub fn vsid_word(&self, index: u64) -> u64 {
        self.entries.get((index & 0xfff) as usize).map_or(0, |e| e.vsid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_of_slbia_say_which_entries_go() {
        // Entries 0 and 1 of class 0, entry 2 of class 1.
        for (ih, left) in
            [(0, [0].as_slice()), (1, &[0]), (2, &[0]), (3, &[0, 1]), (4, &[]), (6, &[0]), (7, &[0, 1, 2])]
        {
            let mut slb = Slb::default();
            for (index, class) in [(0, 0), (1, 0), (2, CLASS)] {
                slb.write(index << 28 | VALID | index, class);
            }
            slb.invalidate_all(ih);
            let found: Vec<u64> = (0..3).filter(|index| slb.esid_word(*index) & VALID != 0).collect();
            assert_eq!(found, left, "IH {ih}");
        }
    }
}
