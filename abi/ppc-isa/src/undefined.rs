//! What the Power ISA leaves undefined, and what we do there: as POWER9 does where that is known, or whoever has it alone.
//!
//! Comparisons with other implementations mask these results, and every mask must have its entry here.

use crate::cpu::{ALL, ALTIVEC, CLASSIC, FLOAT, MMA, Models, SERVER, SIXTY_FOUR, SPE, V300, V310};
use crate::row::Row;

/// One choice.
#[derive(Debug)]
pub struct Undefined {
    /// Mnemonics; `*` at the end stands for any rest.
    pub names: &'static str,
    /// The models.
    pub models: Models,
    /// Where the Power ISA says so.
    pub source: &'static str,
    /// What is undefined.
    pub what: &'static str,
    /// What it is here.
    pub choice: &'static str,
}

impl Undefined {
    /// Whether it is about `row`.
    pub fn covers(&self, row: &Row) -> bool {
        self.names.split_ascii_whitespace().any(|name| match name.strip_suffix('*') {
            Some(start) => row.name.starts_with(start),
            None => row.name == name,
        })
    }
}

const fn undefined(
    models: Models,
    source: &'static str,
    what: &'static str,
    choice: &'static str,
    names: &'static str,
) -> Undefined {
    Undefined { names, models, source, what, choice }
}

/// What is undefined of `row`.
pub fn of(row: &Row) -> impl Iterator<Item = &'static Undefined> + '_ {
    UNDEFINED.iter().filter(|entry| entry.covers(row))
}

/// The choices.
#[rustfmt::skip]
pub const UNDEFINED: &[Undefined] = &[
    undefined(SIXTY_FOUR, "Book I, 3.3.9", "the quotient if there is none or it does not fit; LT, GT, EQ if Rc=1", "0",
        "divw divwu divwe divweu divd divdu divde divdeu"),
    undefined(CLASSIC, "Book I, 3.3.9", "the quotient if there is none or it does not fit; LT, GT, EQ if Rc=1",
        "-1 for a negative dividend of divw, else 0", "divw divwu"),
    undefined(V300, "Book I, 3.3.9", "the remainder of a division without a quotient", "0",
        "modsw moduw modsd modud"),
    undefined(SIXTY_FOUR, "Book I, 3.3.9", "the high word of a word result; LT, GT, EQ if Rc=1", "0, and as the doubleword compares",
        "divw divwu divwe divweu moduw"),
    undefined(V300, "Book I, 3.3.9", "the high word of a word result", "the sign", "modsw"),
    undefined(SIXTY_FOUR, "Book I, 3.3.9", "the high word of a word result; LT, GT, EQ if Rc=1",
        "the low word again, and as the word compares", "mulhw mulhwu"),
    undefined(ALL, "Book I, 3.3.17", "bits other than the chosen field", "the other fields of CR", "mfocrf"),
    undefined(ALL, "Book I, 1.3.2", "reserved bits that were written as 1", "0", "mtspr mtvscr"),
    undefined(FLOAT, "Book I, 4.6.7.2 and 7.6.3", "FPRF of a conversion to an integer", "unchanged",
        "fctid* fctiw* xscvdpsxds xscvdpuxds xscvdpsxws xscvdpuxws xscvqpsdz xscvqpudz xscvqpswz xscvqpuwz xscvqpsqz \
        xscvqpuqz dctfix dctfixq dctfixqq"),
    undefined(SIXTY_FOUR, "Book I, 4.6.7.2", "the high word of a word", "the sign, 0 if unsigned", "fctiw*"),
    undefined(CLASSIC, "Book I, 4.6.7.2", "the high word of a word",
        "0xfff8_0000, 0xfff8_0001 where a negative number becomes 0", "fctiw*"),
    undefined(SERVER, "Book I, 7.6.3", "doubleword 1 of the VSR that a scalar result goes to, up to ISA 3.0", "0",
        "lxsd lxsdx lxssp lxsspx lxsiwax lxsiwzx lxsibzx lxsihzx mtvsrd mtvsrwa mtvsrwz xsrsp"),
    undefined(FLOAT, "Book I, 4.6.6 and 7.6.3", "an estimate within its bound, and the status that follows from it",
        "the correctly rounded quotient, on 750 what was recorded there",
        "fre fres frsqrte frsqrtes xsre* xsrsqrte* xvre* xvrsqrte*"),
    undefined(ALTIVEC, "Book I, 6.10.4", "an estimate within its bound", "the correctly rounded result",
        "vrefp vrsqrtefp vexptefp vlogefp"),
    undefined(FLOAT, "Book I, 4.3.5.1", "result and status of single-precision operands that are no singles",
        "computed from the operands as they are",
        "fadds fsubs fmuls fdivs fsqrts fmadds fmsubs fnmadds fnmsubs frsp"),
    undefined(FLOAT, "Book I, 4.4.3.2 and 7.4.3", "FR after an overflow that is not enabled",
        "whether the fraction was incremented, as if the range had no end",
        "fadd* fsub* fmul* fdiv* fmadd* fmsub* fnmadd* fnmsub* frsp fre* xsadd* xssub* xsmul* xsdiv* xsmadd* xsmsub* \
        xsnmadd* xsnmsub* xsrsp xscvdpsp xscvdphp xscvqpdp* xsrqpxp"),
    undefined(FLOAT, "Book I, 4.2.2", "what NI does", "nothing, as on POWER9",
        "fadd* fsub* fmul* fdiv* fsqrt* fmadd* fmsub* fnmadd* fnmsub* frsp fre* frsqrte*"),
    undefined(SERVER, "Book I, 7.6.3", "CR field 6 after an enabled exception", "as the elements compare", "xvcmp*"),
    undefined(SPE, "SPEPEM, 2.2.3", "the status of the high element after a scalar instruction", "unchanged", "efs* efd*"),
    undefined(SPE, "SPEPEM, 5", "bits of the CR field other than the second", "0",
        "efscmp* efststgt efststlt efststeq efdcmp* efdtst*"),
    undefined(V300, "Book I, 6.8", "elements beyond the register", "0 when read, dropped when written",
        "vextractuh vextractuw vextractd vinserth vinsertw vinsertd vextuhlx vextuwlx vextuhrx vextuwrx"),
    undefined(V310, "Book I, 6.8", "elements beyond the register or the pair", "0 when read, dropped when written",
        "vins* vextd*"),
    undefined(SERVER, "Book I, 6.17", "the result of an invalid or too large decimal number",
        "VRT unchanged, or the low digits; sums take an invalid sign code for plus", "bcd*"),
    undefined(V300, "Book I, 6.9", "the result for a digit beyond 9", "that for the digit's first and last bit alone",
        "vmul10e*"),
    undefined(V300, "Book I, 7.6.3", "R=0 with RMC of 1 and 2", "as FPSCR[RN] says; away from zero",
        "xsrqpi xsrqpxp"),
    undefined(V310, "Book I, 6.9", "quotient and remainder of an element that has none, or whose quotient does not fit", "0",
        "vdiv* vmod*"),
    undefined(V310, "Book I, 6.9", "the result for N of 0 and 1", "0", "vgnb"),
    undefined(MMA, "Book I, 7.2.1.3", "the VSRs of an accumulator that is primed, and an accumulator that is not",
        "both are always the same", "xxmtacc xxmfacc"),
    undefined(V300, "Book I, 7.4.3", "a quad-precision number for which the adjusted exponent of a double is too large",
        "an infinity, or a denormal number or zero", "xscvqpdp*"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_that_of_a_row_of_its_models() {
        for entry in UNDEFINED {
            for name in entry.names.split_ascii_whitespace() {
                let one = Undefined { names: name, ..*entry };
                let shared =
                    |row: &&Row| crate::Cpu::ALL.iter().any(|&c| row.models.contains(c) && one.models.contains(c));
                assert!(crate::rows().filter(|row| one.covers(row)).any(|row| shared(&row)), "{name}: {}", one.what);
            }
        }
    }
}
