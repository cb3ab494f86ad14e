//! Sets of small numbers, a bit for each.

/// The numbers of the bits of `set`.
pub fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let number = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (number < u64::BITS).then_some(number as usize)
    })
}

/// Instructions of a page.
pub const SLOTS: usize = 1024;

/// The place of an instruction in its page.
pub fn slot(ea: u64) -> usize {
    (ea >> 2) as usize & (SLOTS - 1)
}

/// A set of instructions of a page.
pub struct Slots([u64; SLOTS / 64]);

impl Default for Slots {
    fn default() -> Slots {
        Slots([0; SLOTS / 64])
    }
}

impl Slots {
    /// Its word, and its bit there.
    fn place(ea: u64) -> (usize, u64) {
        let slot = slot(ea);
        (slot / 64, 1 << (slot % 64))
    }

    /// Whether the one at `ea` is there.
    pub fn has(&self, ea: u64) -> bool {
        let (word, bit) = Slots::place(ea);
        self.0[word] & bit != 0
    }

    /// Their places, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(word, set)| bits(*set).map(move |bit| 64 * word + bit))
    }

    /// Adds the one at `ea`. Returns whether it was not there.
    pub fn insert(&mut self, ea: u64) -> bool {
        let new = !self.has(ea);
        let (word, bit) = Slots::place(ea);
        self.0[word] |= bit;
        new
    }
}
