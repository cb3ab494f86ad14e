//! Constants that translated code uses as operands. Vectors are in the order of the host: byte 0 is the last byte of
//! doubleword 0.

/// Constants, in reach of code.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Constants {
    /// For each number below 16, the bytes whose number is that of their place, exclusive-ored with it: what
    /// exchanges the bytes of a vector when it controls a shuffle.
    pub exchange: [[u8; 16]; 16],
    /// The numbers below 16.
    pub digits: [u32; 16],
    /// Only the first bit of each element of 8, 16, 32, 64 bits.
    pub first_bits: [[u64; 2]; 4],
    /// Only the second half of each element of 16 and 32 bits.
    pub second_halves: [[u64; 2]; 2],
    /// Only the first half of each element of 16 and 32 bits.
    pub first_halves: [[u64; 2]; 2],
    /// Only the first bit of the second half of each element of 16 and 32 bits.
    pub second_first_bits: [[u64; 2]; 2],
    /// The largest number of places by which words and doublewords are shifted.
    pub shifts: [[u64; 2]; 2],
    /// Each word 32, each doubleword 64.
    pub widths: [[u64; 2]; 2],
    /// The low four bits of each byte.
    pub low_digits: [u64; 2],
    /// Each byte 7.
    pub sevens: [u64; 2],
    /// Each byte 8.
    pub eights: [u64; 2],
    /// For singles and doubles: added to twice a number without its sign, makes infinity the lowest signed number, and
    /// what follows, NaNs and then zero and all that is not larger than the least normal number, the next ones.
    pub range_base: [[u64; 2]; 2],
    /// The last of these.
    pub range_limit: [[u64; 2]; 2],
    /// The exponent of the low single, and of the low double, but its last bit.
    pub exponents: [[u64; 2]; 2],
    /// Bytes 0 to 15 in the guest's order, and 16 to 31.
    pub steps: [[u64; 2]; 2],
}

/// How many operands they are.
pub const COUNT: usize = size_of::<Constants>() / 16;
const _: () = assert!(COUNT <= u64::BITS as usize);

const fn exchange() -> [[u8; 16]; 16] {
    let mut all = [[0; 16]; 16];
    let mut at = 0;
    while at < 256 {
        all[at >> 4][at & 15] = (at >> 4 ^ at & 15) as u8;
        at += 1;
    }
    all
}

const fn both(double: u64) -> [u64; 2] {
    [double; 2]
}

/// The values.
pub const CONSTANTS: Constants = Constants {
    exchange: exchange(),
    digits: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    first_bits: [
        both(0x8080_8080_8080_8080),
        both(0x8000_8000_8000_8000),
        both(0x8000_0000_8000_0000),
        both(0x8000_0000_0000_0000),
    ],
    second_halves: [both(0x00ff_00ff_00ff_00ff), both(0x0000_ffff_0000_ffff)],
    first_halves: [both(0xff00_ff00_ff00_ff00), both(0xffff_0000_ffff_0000)],
    second_first_bits: [both(0x0080_0080_0080_0080), both(0x0000_8000_0000_8000)],
    shifts: [both(0x0000_001f_0000_001f), both(63)],
    widths: [both(0x0000_0020_0000_0020), both(64)],
    low_digits: both(0x0f0f_0f0f_0f0f_0f0f),
    sevens: both(0x0707_0707_0707_0707),
    eights: both(0x0808_0808_0808_0808),
    range_base: [both(0x8100_0000_8100_0000), both(0x8020_0000_0000_0000)],
    range_limit: [both(0x8200_0000_8200_0000), both(0x8040_0000_0000_0000)],
    exponents: [[0x7f00_0000, 0], [0x7fe0_0000_0000_0000, 0]],
    steps: [[0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f], [0x1011_1213_1415_1617, 0x1819_1a1b_1c1d_1e1f]],
};
