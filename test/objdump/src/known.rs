//! Where objdump's text and ours differ on purpose.

use ppc_isa::cpu::Family;
use ppc_isa::spr::spr;
use ppc_isa::{Cpu, Decoder, Op, operand};

/// Rows whose reserved bits, or some of them, objdump does not look at.
const LENIENT: [&str; 47] = [
    "cmpi", "cmpli", "dcba", "dcbf", "dcblc", "dcbt", "dcbtls", "dcbtst", "dcbtstls", "dcbz", "dss", "dssall", "dst",
    "dstst", "dststt", "dstt", "fres", "frsqrte", "icblc", "icbt", "icbtls", "isel", "lq", "lwarx", "lxvpx", "mbar",
    "mtfsf", "mtfsfi", "mtmsr", "paste.", "pnop", "sc", "scv", "slbmfee", "slbmfev", "stxvpx", "sync", "tlbie",
    "tlbiel", "tlbilx", "tlbre", "tlbsx", "tlbwe", "vgnb", "wait", "xsrqpi", "xsrqpxp",
];

/// Why objdump's text for `word` need not be ours, or `None` when it must be.
pub fn reason(decoder: &Decoder, word: u64, theirs: &str) -> Option<&'static str> {
    let row = decoder.decode(word)?;
    let field = |name| operand::named(row, name).get(word);
    let rejected = theirs.starts_with(".long");
    match row.name {
        name if word & row.reserved != 0 && (LENIENT.contains(&name) || matches!(row.op, Op::Spe(_) | Op::Dfp(_))) => {
            Some("objdump passes over a reserved bit")
        }
        "sync" | "or" if decoder.cpu() == Cpu::E6500 && ["sync", "miso"].contains(&theirs) => {
            Some("objdump gives e6500 some names of ISA 2.07")
        }
        "rfdi" if rejected => Some("objdump has rfdi for e500mc and later only"),
        "mftmr" if rejected => Some("objdump has mftmr for e6500 only, but KVM answers it on every e500"),
        "dcba" if rejected => Some("objdump has dcba for 7450 only, but 7400 allocates, too"),
        "mfcr" if theirs.starts_with("mfocrf") => Some("objdump has mfocrf for every model"),
        "mcrxr" if rejected => Some("objdump takes mcrxr for removed; ISA 2.06 has it for embedded processors"),
        "mftb" if rejected => Some("objdump takes mftb for removed; ISA 3.0 has it still, phased out"),
        "mfspr" | "mtspr" if spr(decoder.cpu().family(), field("SPR") as u16).is_none() => {
            Some("objdump names an SPR that the family lacks")
        }
        "mfspr" | "mtspr"
            if decoder.cpu().family() == Family::BookE && ["bat", "hmer"].iter().any(|n| theirs.contains(n)) =>
        {
            Some("objdump gives BookE some SPRs of other families")
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
