//! Instructions from text: names of rows with their operands as numbers, and labels.

use std::collections::HashMap;

use ppc_isa::encode::encode;
use ppc_isa::operand::operands;
use ppc_isa::{Cpu, rows};

/// The words of `text`: an instruction a line, with numbers for all operands but labels as targets of branches;
/// operands that are missing at the end are zero.
///
/// # Panics
/// When it is no such text.
pub fn assemble(text: &str) -> Vec<u32> {
    let mut labels = HashMap::new();
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut line = line;
        while let Some((label, rest)) = line.split_once(':') {
            assert!(labels.insert(label.trim(), lines.len()).is_none(), "{label} twice");
            line = rest.trim();
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    let word = |(here, line): (usize, &&str)| {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let value = |operand: &str| match labels.get(operand) {
            Some(there) => 4 * (*there as i64 - here as i64),
            None => operand.parse().unwrap_or_else(|_| panic!("{operand} in {line}")),
        };
        let mut values: Vec<i64> =
            rest.split([',', '(', ')']).map(str::trim).filter(|operand| !operand.is_empty()).map(value).collect();
        let row = rows().find(|row| row.name == name && row.models.contains(Cpu::Power9));
        let row = row.unwrap_or_else(|| panic!("no {name}"));
        values.resize(operands(row).count(), 0);
        encode(row, &values).unwrap_or_else(|| panic!("{line}")) as u32
    };
    lines.iter().enumerate().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_numbers() {
        // GNU as for the same: li r3,1; b .+8; bdnz .-8; stw r3,8(r4).
        let words = assemble("a: addi 3,0,1\n b c\n b: bc 16,0,a\n c: stw 3,8(4)");
        assert_eq!(words, [0x3860_0001, 0x4800_0008, 0x4200_fff8, 0x9064_0008]);
    }
}
