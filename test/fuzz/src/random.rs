//! A small generator of random numbers: the same seed gives the same numbers everywhere.

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator for case `case` of `seed`.
    pub fn new(seed: u64, case: u64) -> Random {
        let mut random = Random(seed);
        Random(random.next() ^ case.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// Sixty-four random bits.
    #[expect(clippy::should_implement_trait, reason = "an endless source is no iterator here")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// `len` random bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    /// A damaged copy of `example`: bytes changed to random or extreme values, cut short, or repeated in part.
    pub fn damaged(&mut self, example: &[u8]) -> Vec<u8> {
        let mut data = example.to_vec();
        for _ in 0..1 + self.below(8) {
            if data.is_empty() {
                break;
            }
            let at = self.below(data.len());
            match self.below(6) {
                0 => data.truncate(at),
                1 => data[at] ^= 1 << self.below(8),
                2 => data[at] = self.next() as u8,
                3 => {
                    let extreme = [0, 0xff, 0x7f, 0x80][self.below(4)];
                    data[at..].iter_mut().take(1 << self.below(4)).for_each(|byte| *byte = extreme);
                }
                4 => {
                    let part = data[at..].iter().take(64).copied().collect::<Vec<u8>>();
                    data.extend(part);
                }
                _ => {
                    let number = (self.below(0x200) as u32).to_be_bytes();
                    data[at..].iter_mut().zip(number).for_each(|(byte, new)| *byte = new);
                }
            }
        }
        data
    }
}
