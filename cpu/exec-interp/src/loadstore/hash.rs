//! Hashes of return addresses (Power ISA 3.1B Book I, section 3.3.17.2): a block cipher, a variant of SIMON 32/64, of two
//! registers under a key that their software cannot read.

use exec::VcpuState;
use exec::interrupt::{Interrupt, program};
use exec::state::dexcr;

use crate::env::{Env, Flow, Step};
use crate::fields::{ra, rb};

/// Rounds of the cipher.
const ROUNDS: usize = 32;
/// Constant sequence z0 of the key schedule, first bit first.
const Z0: u64 = 0xfa25_61cd_f44a_c398;

/// hashst and hashchk, or with `PRIVILEGED` hashstp and hashchkp. DEXCR can turn them into no-operations.
pub fn hash<const CHECK: bool, const PRIVILEGED: bool>(s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let aspect = if PRIVILEGED { dexcr::PHIE } else { dexcr::NPHIE };
    let enabled = s.dexcr & aspect >> if s.mode.problem() { dexcr::PROBLEM } else { 0 };
    if enabled == 0 {
        return Ok(Flow::Next);
    }
    let below = i64::from((w & 1) << 5 | w >> 21 & 31) - 64;
    let ea = s.effective(s.gpr[ra(w)].wrapping_add_signed(below * 8));
    let digest = digest(s.gpr[ra(w)], s.gpr[rb(w)], s.hash_keys[usize::from(PRIVILEGED)]);
    if !CHECK {
        env.store(s, ea, digest)?;
    } else if env.load::<u64>(s, ea)? != digest {
        return Err(env.interrupt(Interrupt::Program(program::TRAP)));
    }
    Ok(Flow::Next)
}

/// The hash of `a` and `b`: their bytes alternate, those of `b` first and from the least significant one on, those of `a`
/// from the most significant one on, and make four blocks of the cipher. The results for the first two and for the last
/// two are combined.
fn digest(a: u64, b: u64, key: u64) -> u64 {
    let bytes = b.to_le_bytes().into_iter().zip(a.to_be_bytes());
    let blocks = bytes.fold(0u128, |all, (b, a)| all << 16 | u128::from(b) << 8 | u128::from(a));
    let lane = |lane: usize| u64::from(cipher((blocks >> (96 - 32 * lane)) as u32, key, lane));
    (lane(0) ^ lane(2)) << 32 | lane(1) ^ lane(3)
}

/// Encrypts a block. Each lane uses the keys of four successive rounds in an order of its own; lane 0 is SIMON 32/64 with
/// the words of key and block in reverse order.
fn cipher(block: u32, key: u64, lane: usize) -> u32 {
    let mut keys = [0u16; ROUNDS];
    for (i, word) in keys.iter_mut().take(4).enumerate() {
        *word = (key >> (48 - 16 * i)) as u16;
    }
    for i in 0..ROUNDS - 4 {
        let z = (Z0 >> (63 - i)) as u16 & 1;
        let mixed = keys[i + 3].rotate_right(3) ^ keys[i + 1];
        keys[i + 4] = 0xfffc ^ z ^ keys[i] ^ mixed ^ mixed.rotate_right(1);
    }
    let (mut left, mut right) = (block as u16, (block >> 16) as u16);
    for i in 0..ROUNDS {
        let key = keys[i & !3 | (i + lane) & 3];
        let mixed = left.rotate_left(1) & left.rotate_left(8) ^ left.rotate_left(2);
        (left, right) = (right ^ mixed ^ key, left);
    }
    u32::from(right) << 16 | u32::from(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of SIMON 32/64 (Beaulieu et al., The SIMON and SPECK Families of Lightweight Block Ciphers,
    /// appendix B): key 1918 1110 0908 0100, plaintext 6565 6877, ciphertext c69b e9bb.
    #[test]
    fn lane_0_is_simon() {
        assert_eq!(cipher(0x6877_6565, 0x0100_0908_1110_1918, 0), 0xe9bb_c69b);
    }

    /// What system-mode QEMU's hashst stores in real mode: key, RA, RB, digest.
    #[test]
    fn digests_are_those_of_another_implementation() {
        for [key, a, b, expected] in [
            [0x0123_4567_89ab_cdef, 0x5000_0000_1010_8000, 0x8967_4523_fedc_ba98, 0x0d0c_ea3d_b0c7_95f5],
            [0, 0x0010_8008, 0xc000_0000_0012_3456, 0x6621_a73e_11f3_c98a],
            [0xfedc_ba98_7654_3210, 0xa000_0000_3fc1_0200, 0x1122_3344_5566_7788, 0xb8a9_25c5_e38b_1358],
        ] {
            assert_eq!(digest(a, b, key), expected, "{key:x} {a:x} {b:x}");
        }
    }
}
