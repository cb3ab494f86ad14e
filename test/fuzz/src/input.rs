//! Values from an input's bytes. An input that is used up yields zeros.

/// A reader of an input.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    data: &'a [u8],
}

/// Values at which guests' numbers and our checks change their meaning.
#[rustfmt::skip]
const EXTREMES: [u64; 20] = [
    0, 1, 2, 3, 7, 8, 15, 16, 17, 0xfff, 0x1000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 1 << 62,
    i64::MAX as u64, 1 << 63, u64::MAX - 7, u64::MAX,
];

impl<'a> Input<'a> {
    /// A reader of `data`.
    pub fn new(data: &'a [u8]) -> Input<'a> {
        Input { data }
    }

    /// Whether all bytes were read.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self.data.split_at(N.min(self.data.len()));
        self.data = rest;
        let mut bytes = [0; N];
        bytes[..head.len()].copy_from_slice(head);
        bytes
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        let [byte] = self.bytes();
        byte
    }

    /// A word.
    pub fn word(&mut self) -> u32 {
        u32::from_be_bytes(self.bytes())
    }

    /// A doubleword.
    pub fn doubleword(&mut self) -> u64 {
        u64::from_be_bytes(self.bytes())
    }

    /// True for one input in two.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 != 0
    }

    /// One of `choices`, which are not none.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(u16::from_be_bytes(self.bytes())) % choices.len()]
    }

    /// A number as guests misuse them: extreme, an address in or around RAM of `ram` bytes, small, or any.
    pub fn number(&mut self, ram: u64) -> u64 {
        match self.byte() & 7 {
            0 | 1 => self.pick(&EXTREMES),
            2 => ram.wrapping_add(u64::from(self.byte())).wrapping_sub(0x80),
            3 | 4 => u64::from(self.word()) % ram,
            5 => 1 << (self.byte() & 63),
            6 => u64::from(self.byte()),
            _ => self.doubleword(),
        }
    }
}
