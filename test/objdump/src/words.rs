//! Words to compare: for every row, its fields at their ends, alike and at random; each reserved bit; any words; words of
//! every opcode, whether the table has it or not.

use ppc_isa::{Decoder, Row};

/// A small generator (xorshift64*); the same seed gives the same words everywhere.
pub struct Random(u64);

impl Random {
    /// A generator; `seed` must not be 0.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next 32 bits.
    pub fn word(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }
}

/// For every row of the model: all fields alike, `count` words with fields as they come, each reserved bit set.
pub fn of_rows(decoder: &Decoder, count: u32, seed: u64) -> Vec<u64> {
    let mut random = Random::new(seed);
    let mut words = Vec::new();
    for row in decoder.rows() {
        words.extend((0..32).map(|n| row.fields().iter().fold(row.value, |word, field| field.set(word, n))));
        for _ in 0..count {
            words.push(of_row(row, &mut random));
        }
        for bit in (0..64).map(|n| 1 << n).filter(|bit| row.reserved & bit != 0) {
            words.push(of_row(row, &mut random) | bit);
        }
    }
    words
}

/// A word of `row` without reserved bits. Each field is 0, all ones, the same as the one before it, its complement, or
/// random: simplified mnemonics live where fields meet.
fn of_row(row: &Row, random: &mut Random) -> u64 {
    let mut word = row.value;
    let mut previous = 0;
    for field in row.fields() {
        let value = match random.word() >> 29 {
            0 => 0,
            1 => u32::MAX,
            2 => previous,
            3 => 31 - (previous & 31),
            4 => 32 - (previous & 31),
            _ => random.word(),
        };
        word = field.set(word, value);
        previous = field.get(word);
    }
    word
}

/// `count` words of any bits; what is a prefix gets a suffix.
pub fn any(count: usize, seed: u64) -> Vec<u64> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.word().into()).collect()
}

/// Primary opcodes under which the fields of registers hold opcodes, too, and those with any extended opcode.
const NESTED: [u32; 3] = [4, 60, 63];
const EXTENDED: [u32; 9] = [17, 19, 30, 31, 57, 58, 59, 61, 62];

/// Words of every primary and extended opcode, with register fields that are 0 or random, and every number in RA where
/// that is an opcode; prefixes of all types with suffixes.
pub fn of_opcodes(seed: u64) -> Vec<u64> {
    const RT: u32 = 31 << 21;
    const RA: u32 = 31 << 16;
    const RB: u32 = 31 << 11;
    let mut random = Random::new(seed);
    let mut words = Vec::new();
    for primary in (0..64).filter(|&n| n != 1) {
        for low in 0..2048 {
            let opcode = primary << 26 | low;
            if NESTED.contains(&primary) {
                words.extend((0..32).map(|ra| u64::from(opcode | ra << 16 | random.word() & (RT | RB))));
            } else if EXTENDED.contains(&primary) {
                for fields in [0, RT, RA, RB, RT | RA, RT | RB, RA | RB, RT | RA | RB] {
                    words.push(u64::from(opcode | random.word() & fields));
                }
            } else if low % 64 == 0 {
                words.push(u64::from(opcode | random.word() & 0x3ff_ffff));
            }
        }
    }
    for suffix in 0..64 {
        for kind in 0..16 {
            for _ in 0..64 {
                let prefix = 1 << 26 | kind << 22 | if kind & 4 == 0 { random.word() & 0xff } else { 0 };
                let suffix = suffix << 26 | random.word() & 0x3ff_ffff;
                words.push(u64::from(prefix) << 32 | u64::from(suffix));
            }
        }
    }
    words
}
