//! From a row and its operands to a word, or to prefix (high half) and suffix.

use crate::Row;
use crate::field::FLAGS;
use crate::operand::operands;

/// Encodes `row` with `values` for its operands in assembler order and flag fields ([`FLAGS`]) zero.
/// `None` when there are too few values or one does not fit.
pub fn encode(row: &'static Row, values: &[i64]) -> Option<u64> {
    let mut word = row.value;
    let mut values = values.iter();
    for operand in operands(row) {
        word = operand.set(word, *values.next()?)?;
    }
    values.next().is_none().then_some(word)
}

/// Encodes the row called `name`, or the row whose name is the longest beginning of `name`; what is left of it are
/// suffixes that set flag fields ([`FLAGS`]). `None` for an unknown name, operands that do not fit, and prefixed
/// instructions, which are no single word.
pub fn assemble(name: &str, values: &[i64]) -> Option<u32> {
    let row = (1..=name.len()).rev().find_map(|end| crate::row(name.get(..end)?))?;
    let mut suffixes = name.strip_prefix(row.name)?.chars();
    let word = suffixes.try_fold(encode(row, values)?, |word, suffix| {
        let flag = FLAGS.iter().filter(|f| f.1 == suffix).find_map(|f| row.field(f.0))?;
        Some(flag.set(word, 1))
    });
    word.and_then(|word| word.try_into().ok())
}
