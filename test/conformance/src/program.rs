//! Programs as text: `mfmsr 5; load 6,@sprg0; stw 6,8(7)`.
//!
//! Instructions are separated by semicolons, operands are numbers in the assembler's order. `@field` is where a kernel
//! finds that field of the magic page while the page is mapped at -4096, and `load` and `store` move all that a register
//! of this kernel has of it.

use ppc_isa::encode::assemble;
use pv_abi::magic::{FIELDS, Field};

/// The words of `text`; `wide` for kernels with 64-bit registers.
///
/// # Panics
/// When the text is wrong, and says where.
pub fn words(text: &str, wide: bool) -> Vec<u32> {
    let instructions = text.split(';').map(str::trim).filter(|instruction| !instruction.is_empty());
    instructions.map(|instruction| word(instruction, wide)).collect()
}

fn word(instruction: &str, wide: bool) -> u32 {
    let instruction = if instruction == "nop" { "ori 0,0,0" } else { instruction };
    let (name, operands) = instruction.split_once(' ').unwrap_or((instruction, ""));
    let mut whole = false;
    let mut values: Vec<i64> = Vec::new();
    for operand in operands.split([',', '(']).map(|operand| operand.trim_matches([' ', ')'])) {
        if let Some(name) = operand.strip_prefix('@') {
            let field = field(name);
            whole = wide && field.bytes == 8;
            // A kernel of 32 bits uses the lower word, which stands second in its byte order.
            let second = if !wide && field.bytes == 8 { 4 } else { 0 };
            values.extend([field.offset as i64 + second - 4096, 0]);
        } else if !operand.is_empty() {
            values.push(number(operand).unwrap_or_else(|| panic!("{operand} in {instruction}")));
        }
    }
    let name = match name {
        "load" => ["lwz", "ld"][usize::from(whole)],
        "store" => ["stw", "std"][usize::from(whole)],
        name => name,
    };
    assemble(name, &values).unwrap_or_else(|| panic!("no such instruction: {instruction}"))
}

fn number(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let value = digits.strip_prefix("0x").map_or_else(|| digits.parse().ok(), |hex| i64::from_str_radix(hex, 16).ok());
    Some(sign * value?)
}

/// The field of the magic page that is called `name`; elements of an array are numbered: `sr3`.
///
/// # Panics
/// When there is none.
pub fn field(name: &str) -> Field {
    let exact = FIELDS.iter().find(|field| field.name == name && field.count == 1).copied();
    let element = || {
        let (array, digits) = name.split_at(name.find(|c: char| c.is_ascii_digit())?);
        let array = FIELDS.iter().find(|field| field.name == array)?;
        let index = digits.parse::<usize>().ok().filter(|index| *index < array.count)?;
        Some(Field { offset: array.offset + index * array.bytes, count: 1, ..*array })
    };
    exact.or_else(element).unwrap_or_else(|| panic!("no field {name}"))
}
