//! From a row and its operands to a word.

use crate::Row;
use crate::operand::operands;

/// Encodes `row` with `values` for its operands in assembler order and flag fields (`Rc`, `OE`, `LK`, `AA`) zero.
/// `None` when there are too few values or one does not fit.
pub fn encode(row: &'static Row, values: &[i64]) -> Option<u32> {
    let mut word = row.value;
    let mut values = values.iter();
    for operand in operands(row) {
        word = operand.set(word, *values.next()?)?;
    }
    values.next().is_none().then_some(word)
}

/// Encodes the row called `name`; a trailing `.` sets Rc, a trailing `o` before it sets OE where the plain name has
/// no row of its own. `None` for an unknown name or operands that do not fit.
pub fn assemble(name: &str, values: &[i64]) -> Option<u32> {
    if let Some(row) = crate::row(name) {
        return encode(row, values);
    }
    let (plain, rc) = name.strip_suffix('.').map_or((name, false), |n| (n, true));
    let (plain, oe) = match (crate::row(plain), plain.strip_suffix('o')) {
        (None, Some(n)) => (n, true),
        _ => (plain, false),
    };
    let row = crate::row(plain)?;
    let mut word = encode(row, values)?;
    if rc {
        word = row.field("Rc").or_else(|| row.field("RcV"))?.set(word, 1);
    }
    if oe {
        word = row.field("OE")?.set(word, 1);
    }
    Some(word)
}
