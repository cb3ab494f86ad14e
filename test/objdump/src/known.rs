//! Where objdump's text and ours differ on purpose.

use ppc_isa::cpu::Family;
use ppc_isa::spr::spr;
use ppc_isa::{Decoder, operand};

/// Rows whose reserved bits, or some of them, objdump does not look at.
const LENIENT: [&str; 19] = [
    "cmpi", "cmpli", "dcbz", "dss", "dssall", "dst", "dstst", "dststt", "dstt", "icbt", "isel", "lq", "sc", "scv",
    "slbmfee", "slbmfev", "tlbiel", "xsrqpi", "xsrqpxp",
];

/// Why objdump's text for `word` need not be ours, or `None` when it must be.
pub fn reason(decoder: &Decoder, word: u32, theirs: &str) -> Option<&'static str> {
    let row = decoder.decode(word)?;
    let field = |name| operand::named(row, name).get(word);
    let rejected = theirs.starts_with(".long");
    match row.name {
        name if word & row.reserved != 0 && LENIENT.contains(&name) => Some("objdump passes over a reserved bit"),
        "mftb" if rejected => Some("objdump takes mftb for removed; ISA 3.0 has it still, phased out"),
        "mfspr" | "mtspr" if spr(Family::Book3s64, field("SPR") as u16).is_none() => {
            Some("objdump names an SPR that Book3S-64 lacks")
        }
        "lfdp" | "lfdpx" | "stfdp" | "stfdpx" if rejected => {
            Some("objdump has floating-point pairs for POWER6 only; ISA 3.0 has them still, phased out")
        }
        "lswi" if rejected => Some("objdump rejects lswi where RA is among the registers loaded"),
        "b" | "bc" if field("AA") == 1 && theirs.contains(",f") | theirs.contains(" f") => {
            Some("objdump cuts an absolute target in a raw binary to 32 bits")
        }
        _ => None,
    }
}
