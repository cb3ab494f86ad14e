//! What the label area holds, by the NVDIMM namespace specification, as far as `check` looks: the two index blocks.

/// Begins an index block.
const SIGNATURE: [u8; 16] = *b"NAMESPACE_INDEX\0";
/// Index blocks are multiples of this.
const UNIT: usize = 256;
/// Fields before the bitmap of free slots, which the size of labels and their number go by.
const FIELDS: usize = 72;

/// What is in a label area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Labels {
    /// Nothing was ever written: a guest can initialize it.
    Empty,
    /// A valid index.
    Valid {
        /// Major and minor version.
        version: (u16, u16),
        /// Slots for labels, and those in use.
        slots: u32,
        /// See `slots`.
        used: u32,
    },
    /// Bytes without a valid index.
    Damaged(String),
}

/// One index block.
struct Index {
    sequence: u32,
    version: (u16, u16),
    slots: u32,
    used: u32,
}

fn number(block: &[u8], at: usize, len: usize) -> Option<u64> {
    Some(block.get(at..at + len)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Fletcher's sum over words of 32 bits, with the sum's own field taken as zero.
fn checksum(block: &[u8], own: usize) -> u64 {
    let (mut low, mut high) = (0_u32, 0_u64);
    for at in (0..block.len()).step_by(4) {
        let word = if at == own || at == own + 4 { 0 } else { number(block, at, 4).unwrap_or(0) };
        low = low.wrapping_add(word as u32);
        high = high.wrapping_add(low.into());
    }
    high << 32 | u64::from(low)
}

/// The index block at `at`, if it is one.
fn index(area: &[u8], at: usize) -> Result<Index, &'static str> {
    const CHECKSUM: usize = 64;
    const SEQUENCE: usize = 20;
    let rest = area.get(at..).unwrap_or_default();
    if rest.get(..SIGNATURE.len()) != Some(&SIGNATURE[..]) {
        return Err("no signature");
    }
    let field = |at: usize, len: usize| number(rest, at, len).unwrap_or(0);
    let size = field(32, 8);
    let block = usize::try_from(size).ok().filter(|size| *size >= UNIT && size.is_multiple_of(UNIT));
    let block = block.and_then(|size| rest.get(..size)).ok_or("an impossible size")?;
    if field(24, 8) != at as u64 {
        return Err("the place of another");
    }
    if checksum(block, CHECKSUM) != field(CHECKSUM, 8) {
        return Err("a wrong checksum");
    }
    let (sequence, slots) = (field(SEQUENCE, 4) as u32, field(56, 4) as u32);
    let bitmap = block.get(FIELDS..).unwrap_or_default();
    if !(1..=3).contains(&sequence) || u64::from(slots) > 8 * bitmap.len() as u64 {
        return Err("impossible fields");
    }
    let is_free = |slot: u32| bitmap.get(slot as usize / 8).is_some_and(|byte| byte >> (slot % 8) & 1 != 0);
    let used = (0..slots).filter(|slot| !is_free(*slot)).count() as u32;
    Ok(Index { sequence, version: (field(60, 2) as u16, field(62, 2) as u16), slots, used })
}

/// Looks at a label area.
pub fn look(area: &[u8]) -> Labels {
    if area.iter().all(|byte| *byte == 0) {
        return Labels::Empty;
    }
    // The second block begins where the first ends; where that is torn, at each place that it can have.
    let first = index(area, 0);
    let second = (1..area.len() / UNIT).map(|n| index(area, n * UNIT)).find(Result::is_ok).unwrap_or(Err("not found"));
    let current = match (first, second) {
        (Ok(first), Ok(second)) => {
            // 1, 2, 3, 1, ...: of two neighbours the later counts.
            if second.sequence == first.sequence % 3 + 1 { second } else { first }
        }
        (Ok(only), Err(_)) | (Err(_), Ok(only)) => only,
        (Err(first), Err(second)) => {
            return Labels::Damaged(format!("first index block: {first}; second index block: {second}"));
        }
    };
    let Index { version, slots, used, .. } = current;
    Labels::Valid { version, slots, used }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(sequences: [u32; 2], used: [u8; 2]) -> Vec<u8> {
        let mut area = vec![0; 4096];
        for (n, (sequence, used)) in sequences.into_iter().zip(used).enumerate() {
            let block = &mut area[n * UNIT..][..UNIT];
            block[..16].copy_from_slice(&SIGNATURE);
            block[20..24].copy_from_slice(&sequence.to_le_bytes());
            block[24..32].copy_from_slice(&((n * UNIT) as u64).to_le_bytes());
            block[32..40].copy_from_slice(&(UNIT as u64).to_le_bytes());
            block[56..60].copy_from_slice(&13_u32.to_le_bytes());
            block[60..64].copy_from_slice(&[1, 0, 2, 0]);
            block[72..].fill(0xff);
            block[72] = !used;
            let sum = checksum(block, 64);
            block[64..72].copy_from_slice(&sum.to_le_bytes());
        }
        area
    }

    fn used(area: &[u8]) -> Option<u32> {
        let Labels::Valid { version: (1, 2), slots: 13, used } = look(area) else { return None };
        Some(used)
    }

    #[test]
    fn the_later_index_counts() {
        assert_eq!(look(&[0; 4096]), Labels::Empty);
        for (sequences, want) in [([1, 2], 2), ([2, 3], 2), ([3, 1], 2), ([2, 1], 1), ([3, 2], 1), ([1, 3], 1)] {
            assert_eq!(used(&area(sequences, [1, 3])), Some(want), "{sequences:?}");
        }
    }

    #[test]
    fn a_torn_index_leaves_the_other() {
        for torn in 0..2 {
            let mut area = area([1, 2], [1, 3]);
            area[torn * UNIT + 80] ^= 1;
            assert_eq!(used(&area), Some(2 - torn as u32));
            area[(1 - torn) * UNIT] ^= 1;
            assert!(matches!(look(&area), Labels::Damaged(_)));
        }
    }
}
