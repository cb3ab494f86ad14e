//! The named bit fields of instruction words (Power ISA Book I, section 1.6).
//!
//! Bits are numbered as in the ISA: bit 0 is the most significant of the 32. A picture names fields by these names;
//! where they stand follows from the picture, so a field here is only a name and a width.

/// Fields of a picture: name and width in bits.
///
/// Register fields are plain 5-bit fields; what an instruction does with them is said by its operands. VSX register
/// numbers are split: `T`/`TX`, `A`/`AX`, `B`/`BX`, `C`/`CX`, `S`/`SX`; those of pairs are `Tp`/`TX` and `Sp`/`SX`.
pub const FIELDS: &[(&str, u32)] = &[
    ("RT", 5),
    ("RS", 5),
    ("RA", 5),
    ("RB", 5),
    ("RC", 5),
    ("FRT", 5),
    ("FRS", 5),
    ("FRA", 5),
    ("FRB", 5),
    ("FRC", 5),
    ("VRT", 5),
    ("VRS", 5),
    ("VRA", 5),
    ("VRB", 5),
    ("VRC", 5),
    ("T", 5),
    ("S", 5),
    ("A", 5),
    ("B", 5),
    ("C", 5),
    ("Tp", 4),
    ("Sp", 4),
    ("TX", 1),
    ("SX", 1),
    ("AX", 1),
    ("BX", 1),
    ("CX", 1),
    ("D", 16),
    ("DS", 14),
    ("DQ", 12),
    ("SI", 16),
    ("UI", 16),
    ("d0", 10),
    ("d1", 5),
    ("d2", 1),
    ("LI", 24),
    ("BD", 14),
    ("AA", 1),
    ("LK", 1),
    ("Rc", 1),
    ("RcV", 1),
    ("OE", 1),
    ("RO", 1),
    ("EX", 1),
    ("BO", 5),
    ("BI", 5),
    ("BH", 2),
    ("BF", 3),
    ("BFA", 3),
    ("BT", 5),
    ("BA", 5),
    ("BB", 5),
    ("BC", 5),
    ("SH", 5),
    ("MB", 5),
    ("ME", 5),
    ("sh", 5),
    ("shx", 1),
    ("mb", 5),
    ("mbx", 1),
    ("spr", 10),
    ("FXM", 8),
    ("L", 1),
    ("L2", 2),
    ("L3", 3),
    ("TO", 5),
    ("NB", 5),
    ("FC", 5),
    ("LEV", 7),
    ("CT", 4),
    ("TH", 5),
    ("STRM", 2),
    ("EH", 1),
    ("W", 1),
    ("U", 4),
    ("FLM", 8),
    ("RM", 2),
    ("DRM", 3),
    ("SR", 4),
    ("BHRBE", 10),
    ("E", 1),
    ("WC", 2),
    ("SC", 2),
    ("PL", 2),
    ("IH", 3),
    ("RIC", 2),
    ("PRS", 1),
    ("R", 1),
    ("CY", 2),
    ("SIM", 5),
    ("UIM5", 5),
    ("UIM4", 4),
    ("UIM3", 3),
    ("UIM2", 2),
    ("SHB", 4),
    ("SHW", 2),
    ("DM", 2),
    ("DCMX", 7),
    ("dc", 1),
    ("dm", 1),
    ("dx", 5),
    ("IMM8", 8),
    ("PS", 1),
    ("ST", 1),
    ("SIX", 4),
    ("SP", 2),
    ("S1", 1),
    ("DCM", 6),
    ("DGM", 6),
    ("UIM6", 6),
    ("SH16", 6),
    ("RMC", 2),
    ("TE", 5),
    ("MO", 5),
    ("MP", 1),
    ("AT", 3),
    ("XMSK", 4),
    ("YMSK", 4),
    ("YMSK2", 2),
    ("PMSK2", 2),
    ("PMSK4", 4),
    ("PMSK8", 8),
    ("hd", 5),
    ("hx", 1),
    ("TA", 1),
    // High and low parts of the immediates of prefixed instructions.
    ("dh", 18),
    ("dl", 16),
    ("ih", 16),
    ("il", 16),
    ("IX", 1),
];

/// Fields that select a suffix of the mnemonic when they are 1, in the order in which the suffixes follow the name.
pub const FLAGS: &[(&str, char)] =
    &[("OE", 'o'), ("RO", 'o'), ("EX", 'x'), ("LK", 'l'), ("AA", 'a'), ("Rc", '.'), ("RcV", '.')];

/// Index into [`FIELDS`] of the field called `name[start..end]`.
pub(crate) const fn find(name: &[u8], start: usize, end: usize) -> Option<u8> {
    let mut i = 0;
    while i < FIELDS.len() {
        let f = FIELDS[i].0.as_bytes();
        if f.len() == end - start {
            let mut k = 0;
            while k < f.len() && f[k] == name[start + k] {
                k += 1;
            }
            if k == f.len() {
                return Some(i as u8);
            }
        }
        i += 1;
    }
    None
}

/// A field at its place in a word; the prefix of a prefixed instruction is the high half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Index into [`FIELDS`].
    pub id: u8,
    /// Right shift that brings the field to the last bit.
    pub shift: u8,
}

impl Placed {
    /// The field's name.
    pub fn name(self) -> &'static str {
        FIELDS.get(self.id as usize).map_or("", |f| f.0)
    }

    /// The field's width in bits.
    pub fn width(self) -> u32 {
        FIELDS.get(self.id as usize).map_or(0, |f| f.1)
    }

    /// The field's bits within the word.
    pub fn mask(self) -> u64 {
        ((1 << self.width()) - 1) << self.shift
    }

    /// The field's value in `word`.
    pub fn get(self, word: u64) -> u32 {
        ((word & self.mask()) >> self.shift) as u32
    }

    /// `word` with the field set to the low bits of `value`.
    pub fn set(self, word: u64, value: u32) -> u64 {
        (word & !self.mask()) | ((u64::from(value) << self.shift) & self.mask())
    }
}
