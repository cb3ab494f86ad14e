//! ePAPR hypercalls: registers, tokens, return codes (ePAPR 1.1, chapter 7 and appendix D).
//!
//! The token goes in r11, parameters in r3 to r10; r3 returns the status, r4 to r11 the outputs.

/// A token: vendor and number.
pub const fn token(vendor: u32, number: u32) -> u32 {
    vendor << 16 | number
}

/// Vendor of calls that ePAPR itself defines.
pub const VENDOR: u32 = 1;
/// EV_IDLE: wait until something happens.
pub const IDLE: u32 = token(VENDOR, 16);

/// Success.
pub const EV_SUCCESS: u64 = 0;
/// No such call.
pub const EV_UNIMPLEMENTED: u64 = 12;

/// Largest number of instruction words in `hcall-instructions`.
pub const MAX_WORDS: usize = 4;
