//! Decoder, disassembler and encoder: any word, at any address.

use std::sync::LazyLock;

use ppc_isa::disasm::disassemble;
use ppc_isa::{Cpu, Decoder};

use crate::input::Input;

static DECODERS: LazyLock<[Decoder; Cpu::ALL.len()]> = LazyLock::new(|| Cpu::ALL.map(Decoder::new));

/// Decodes and disassembles words: half of them any, half of some row, with its prefix.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    while !input.is_empty() {
        let decoder = input.pick(&DECODERS.each_ref());
        let (of_row, mut word) = (input.flag(), u64::from(input.word()));
        if of_row {
            let row = input.pick(decoder.rows());
            let any = if row.prefixed() { input.doubleword() } else { word };
            word = any & !row.mask | row.value;
        }
        let decoded = decoder.decode(word);
        assert!(decoded.is_none_or(|row| row.matches(word)));
        assert!(decoded.is_some() || !of_row, "{word:#x} is of a row and was not decoded");
        let text = disassemble(decoder, input.doubleword(), word).to_string();
        assert!(!text.is_empty());
    }
}
