//! Code as the patcher sees it: words that can be read and replaced one by one.

/// A run of instruction words.
pub trait Code {
    /// Number of words.
    fn word_count(&self) -> usize;

    /// The word at `index`, `None` past the end.
    fn word(&self, index: usize) -> Option<u32>;

    /// Replaces the word at `index`. Nothing happens past the end.
    ///
    /// On code that runs this must be one aligned store of 32 bits, followed by what makes the processors fetch the
    /// new word: another processor then sees the old or the new instruction, never a mixture.
    fn replace(&mut self, index: usize, word: u32);
}

/// Code at an effective address.
#[derive(Debug)]
pub struct Region<C> {
    /// The words.
    pub code: C,
    /// Effective address of the first, a multiple of four: where it runs.
    pub address: u64,
}

/// Code in a file or a buffer.
#[derive(Debug)]
pub struct Bytes<B> {
    bytes: B,
    little: bool,
}

impl<B: AsRef<[u8]>> Bytes<B> {
    /// Big-endian code.
    pub fn big_endian(bytes: B) -> Bytes<B> {
        Bytes { bytes, little: false }
    }

    /// Little-endian code.
    pub fn little_endian(bytes: B) -> Bytes<B> {
        Bytes { bytes, little: true }
    }

    fn at(&self, index: usize) -> Option<usize> {
        index.checked_mul(4)
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Code for Bytes<B> {
    fn word_count(&self) -> usize {
        self.bytes.as_ref().len() / 4
    }

    fn word(&self, index: usize) -> Option<u32> {
        let bytes = *self.bytes.as_ref().get(self.at(index)?..)?.first_chunk()?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn replace(&mut self, index: usize, word: u32) {
        let bytes = if self.little { word.to_le_bytes() } else { word.to_be_bytes() };
        let slot = self.at(index).and_then(|at| self.bytes.as_mut().get_mut(at..)?.first_chunk_mut());
        if let Some(slot) = slot {
            *slot = bytes;
        }
    }
}

impl<C: Code> Code for &mut C {
    fn word_count(&self) -> usize {
        (**self).word_count()
    }

    fn word(&self, index: usize) -> Option<u32> {
        (**self).word(index)
    }

    fn replace(&mut self, index: usize, word: u32) {
        (**self).replace(index, word);
    }
}
