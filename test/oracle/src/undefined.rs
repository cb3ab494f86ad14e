//! Results that are not compared: data, one entry for each sentence of the Power ISA that leaves one undefined, and
//! one for each known fault of the reference; those of decimal floating point stand in `dfp`, those of VSX floating
//! point in `vsx`, those of the matrix-multiply assist in `mma`, those of the signal processing engine in `spe`.
//!
//! An entry names rows, says when it applies, and which results are then ignored. To add one, quote the ISA. A
//! difference that the ISA does not allow is a fault of ours, or belongs to `QUIRKS` with the reason.

mod dfp;
mod mma;
mod spe;
pub use spe::{absent, merged_wrongly};
mod vsx;

use std::panic::Location;

use ppc_isa::operand::{Kind, operands};
use ppc_isa::row::fact;
use ppc_isa::{Cpu, Op, Row, spr};

use crate::case::{Ending, State, reg};
use crate::qemu::{NEVER, Version};
use crate::vector;

/// What is not compared.
#[derive(Clone, Copy, Debug)]
pub enum Ignore {
    /// Bits of the register that the named operand chooses; for a vector, of both doublewords.
    Operand(&'static str, u64),
    /// Bits of the vector register that the named operand chooses, by what stood in others before.
    Elements(&'static str, fn(&View) -> u128),
    /// The GPR that the named operand chooses, with its upper word.
    Wide(&'static str),
    /// Doubleword 1 of the vector register that the named operand chooses.
    Doubleword1(&'static str),
    /// LT, GT and EQ of the CR field with this number.
    Order(u32),
    /// All of the named GPR but the CR field that FXM selects.
    OtherFields(&'static str),
    /// Bits of a register, by its index in the state.
    Register(usize, u64),
}

/// The instruction, and the state before it.
pub struct View<'a> {
    /// Its row.
    pub row: &'static Row,
    /// Its word, a prefix in the high half.
    pub word: u64,
    /// CPU model.
    pub cpu: Cpu,
    /// State before it.
    pub before: &'a State,
}

impl View<'_> {
    /// The value of the field called `name`.
    pub(crate) fn field(&self, name: &str) -> u32 {
        self.row.field(name).map_or(0, |f| f.get(self.word))
    }

    /// The number in the SPR operand.
    fn spr(&self) -> u16 {
        let field = self.field("spr") as u16;
        (field & 31) << 5 | field >> 5
    }

    /// The GPR that the field called `name` chooses.
    pub(crate) fn gpr(&self, name: &str) -> u64 {
        self.before.reg[self.field(name) as usize]
    }
}

/// Which rows an entry is about.
enum Rows {
    /// These.
    Named(&'static [&'static str]),
    /// All with one of these facts.
    With(u32),
    /// All of which this holds.
    That(fn(&Row) -> bool),
}

struct Entry {
    rows: Rows,
    when: fn(&View) -> bool,
    ignore: &'static [Ignore],
    /// The versions that need it: from the first to before the second.
    since: Version,
    until: Version,
    /// Where it stands.
    at: &'static Location<'static>,
}

impl Entry {
    fn covers(&self, row: &Row) -> bool {
        match self.rows {
            Rows::Named(names) => names.contains(&row.name),
            Rows::With(facts) => row.is(facts),
            Rows::That(holds) => holds(row),
        }
    }

    const fn new(rows: Rows, when: fn(&View) -> bool, ignore: &'static [Ignore], at: &'static Location) -> Entry {
        Entry { rows, when, ignore, since: Version(0, 0, 0), until: NEVER, at }
    }

    /// A fault that QEMU has no more from this version on.
    const fn until(self, major: u16, minor: u16) -> Entry {
        Entry { until: Version(major, minor, 0), ..self }
    }

    /// A fault that came into QEMU with this version.
    const fn since(self, major: u16, minor: u16) -> Entry {
        Entry { since: Version(major, minor, 0), ..self }
    }
}

#[track_caller]
const fn entry(rows: &'static [&'static str], when: fn(&View) -> bool, ignore: &'static [Ignore]) -> Entry {
    Entry::new(Rows::Named(rows), when, ignore, Location::caller())
}

#[track_caller]
const fn with(facts: u32, when: fn(&View) -> bool, ignore: &'static [Ignore]) -> Entry {
    Entry::new(Rows::With(facts), when, ignore, Location::caller())
}

#[track_caller]
const fn that(rows: fn(&Row) -> bool, when: fn(&View) -> bool, ignore: &'static [Ignore]) -> Entry {
    Entry::new(Rows::That(rows), when, ignore, Location::caller())
}

use Ignore::{Doubleword1, Elements, Operand, Order, OtherFields, Register};

const ALL: u64 = u64::MAX;
const HIGH: u64 = 0xffff_ffff_0000_0000;
/// `FPSCR[FX]`.
const FX: u64 = 0x8000_0000;
/// `FPSCR[VXSNAN]`.
const VXSNAN: u64 = 0x0100_0000;
/// `FPSCR[NI]`.
const NI: u64 = 4;
/// `FPSCR[C]`, the first bit of FPRF.
const CLASS: u64 = 0x0001_0000;
/// `FPSCR[FI]`.
const FI: u64 = 0x0002_0000;
/// `FPSCR[FX, FEX, OX, UX, XX, FR, FI, FPRF]`: what depends on the value of a result.
const STATUS: u64 = 0xda07_f000;

/// `FPSCR[FR]`.
const FR: u64 = 0x0004_0000;
/// `FPSCR[FPRF]`.
const FPRF: u64 = 0x0001_f000;

const TO_INTEGER: &[&str] = &["fctid", "fctidz", "fctidu", "fctiduz", "fctiw", "fctiwz", "fctiwu", "fctiwuz"];
/// CR field 1.
const CR1: u64 = 0x0f00_0000;

/// FPSCR bits in which cases of a row begin with 0, as not only results but the ending depends on the difference.
const CLEARED: &[(&[&str], u64)] = &[
    // Whether an enabled exception occurs follows from the estimate.
    (ESTIMATES, 0xf8),
    // The ISA rounds the sum and then negates it; QEMU negates first, which differs in directed rounding.
    (NEGATED, 2),
];

/// Estimates, with an error that the implementation chooses.
const ESTIMATES: &[&str] = &["fre", "fres", "frsqrte", "frsqrtes"];
#[rustfmt::skip]
const SINGLES: &[&str] = &[
    "fadds", "fsubs", "fmuls", "fdivs", "fsqrts", "fmadds", "fmsubs", "fnmadds", "fnmsubs", "frsp",
];
#[rustfmt::skip]
const FUSED: &[&str] = &["fmadd", "fmadds", "fmsub", "fmsubs", "fnmadd", "fnmadds", "fnmsub", "fnmsubs"];
const NEGATED: &[&str] = &["fnmadd", "fnmadds", "fnmsub", "fnmsubs"];
#[rustfmt::skip]
const SCALAR_MOVES: &[&str] = &[
    "lxsd", "lxsdx", "lxssp", "lxsspx", "lxsiwax", "lxsiwzx", "lxsibzx", "lxsihzx", "mtvsrd", "mtvsrwa", "mtvsrwz",
];
const DIVISIONS: &[&str] = &["divw", "divwu", "divwe", "divweu", "divd", "divdu", "divde", "divdeu"];
const MODULI: &[&str] = &["modsw", "moduw", "modsd", "modud"];

/// What the Power ISA leaves undefined.
#[rustfmt::skip]
const UNDEFINED: &[Entry] = &[
    // Book I, 3.3.9: "then the contents of register RT are undefined as are (if Rc=1) the contents of the LT, GT, and
    // EQ bits of CR Field 0."
    entry(DIVISIONS, no_quotient, &[Operand("RT", ALL)]),
    entry(DIVISIONS, |v| recorded(v) && no_quotient(v), &[Order(0)]),
    entry(MODULI, no_quotient, &[Operand("RT", ALL)]),
    // Book I, 3.3.9: "RT 0:31 <- undefined"; and "LT, GT, and EQ bits of CR Field 0 [...] undefined" in 64-bit mode.
    entry(&["divw", "divwu", "divwe", "divweu", "mulhw", "mulhwu", "modsw", "moduw"], always, &[Operand("RT", HIGH)]),
    entry(&["divw", "divwu", "divwe", "divweu", "mulhw", "mulhwu"], |v| recorded(v) && v.cpu.sixty_four(), &[Order(0)]),
    // Book I, 3.3.17: mfocrf: "RT <- undefined", before the 4 bits that FXM selects are set.
    entry(&["mfocrf"], always, &[OtherFields("RT")]),
    // Book I, 1.3.2: "Subsequent reading of the [reserved] bit returns 0 if the value last written to the bit was 0 and
    // returns an undefined value (0 or 1) otherwise."
    entry(&["mtspr"], |v| v.spr() == spr::XER && v.cpu.level() < 300, &[Register(reg::XER, !0xe000_007f)]),
    entry(&["mtspr"], |v| v.spr() == spr::XER, &[Register(reg::XER, !0xe00c_007f)]),
    entry(&["mtvscr"], always, &[Register(reg::VSCR, !0x1_0001)]),
    // Book I, 4.6.7.2: "FPRF is undefined" after a conversion to an integer.
    entry(TO_INTEGER, always, &[Register(reg::FPSCR, FPRF)]),
    // Book I, 7.6.3: "The contents of doubleword 1 of VSR[XT] are undefined."
    entry(SCALAR_MOVES, always, &[Doubleword1("XT")]),
    // Book I, 4.6.7.2: "FRT 0:31 are undefined".
    entry(&["fctiw", "fctiwz", "fctiwu", "fctiwuz"], always, &[Operand("FRT", HIGH)]),
    // Book I, 4.6.6: the estimate is the implementation's, and with it all status that follows from its value.
    entry(ESTIMATES, always, &[Operand("FRT", ALL), Register(reg::FPSCR, STATUS), Register(reg::CR, CR1)]),
    // Book I, 6.8: UIM greater than 14 (12, 8) leaves the result undefined, and likewise the index in RA.
    entry(&["vextractuh", "vextractuw", "vextractd", "vinserth", "vinsertw", "vinsertd"],
        vector::beyond_register, &[Operand("VRT", ALL)]),
    entry(&["vextuhlx", "vextuwlx", "vextuhrx", "vextuwrx"], vector::beyond_register, &[Operand("RT", ALL)]),
    // Power ISA 3.1 Book I, chapter 6: so of elements that are inserted, or extracted from two registers, by index.
    that(vector::indexes, vector::beyond_register, &[Operand("VRT", ALL)]),
    // Power ISA 3.1 Book I, chapter 6: "If an attempt is made to perform any of the divisions <anything> / 0 or [the
    // least number] / -1 then the contents of [the element] are undefined"; so it is when an extended quotient does
    // not fit.
    that(vector::divides, always, &[Elements("VRT", vector::no_quotients)]),
    // Power ISA 3.1 Book I, chapter 6, vgnb: N is 2 to 7.
    entry(&["vgnb"], |v| v.field("UIM3") < 2, &[Operand("RT", ALL)]),
    // Book I, 6.9: what is added is "the unsigned packed decimal value" of four bits, which has no value beyond 9.
    entry(&["vmul10euq", "vmul10ecuq"], vector::beyond_nine, &[Operand("VRT", ALL)]),
    // Book I, 6.17: an invalid source, or one that is too large, leaves VRT undefined.
    with(fact::W_CR6, vector::no_decimal, &[Operand("VRT", ALL)]),
    // Book I, 4.3.5.1: the operands of single-precision arithmetic are representable in single format; else result
    // and status are undefined. Both engines round such operands alike unless the exponent is adjusted.
    entry(SINGLES, |v| adjusted(v) && !representable(v), &[Operand("FRT", ALL), Register(reg::FPSCR, STATUS)]),
    // Book I, 6.10.4: estimates within a bound on their error.
    entry(&["vrefp", "vrsqrtefp", "vexptefp", "vlogefp"], always, &[Operand("VRT", ALL)]),
];

/// What QEMU 7.2 or 10.0 does otherwise than the Power ISA says; `since` and `until` name the version where one does not.
#[rustfmt::skip]
const QUIRKS: &[Entry] = &[
    // QEMU does not set FPRF in these.
    entry(&["fcfidu", "fcfids", "fcfidus"], always, &[Register(reg::FPSCR, FPRF)]),
    // With XE=1 QEMU does not write the result of these.
    entry(&["fcfid", "fcfidu", "fcfids", "fcfidus"], enabled, &[Operand("FRT", ALL), Register(reg::FPSCR, FPRF)]),
    // A result that is denormalized as a single is "normalized" in QEMU's FPRF.
    entry(SINGLES, always, &[Register(reg::FPSCR, CLASS)]),
    // Infinity times zero plus a signalling NaN is invalid for both reasons; QEMU reports the first.
    entry(FUSED, infinity_and_zero, &[Register(reg::FPSCR, FX | VXSNAN), Register(reg::CR, 0x0800_0000)]),
    // frsp adjusts the exponent of the double by 192 (Book I, A.1), QEMU within the eight bits of a single.
    entry(&["frsp"], adjusted, &[Operand("FRT", ALL)]),
    // QEMU clears FI in compares, and sets the class bit with VXVC; both are left alone (Book I, 4.6.8).
    entry(&["fcmpu", "fcmpo"], always, &[Register(reg::FPSCR, FI | CLASS)]),
    // With VE=1 a signalling NaN sets VXSNAN only (Book I, 4.6.8); QEMU sets VXVC, too.
    entry(&["fcmpo"], always, &[Register(reg::FPSCR, 0x0008_0000)]),
    // QEMU does not set FX when mtfsb1 sets an exception bit (Book I, 4.2.2), nor NI.
    entry(&["mtfsb1"], always, &[Register(reg::FPSCR, FX | NI), Register(reg::CR, 0x0800_0000)]),
    // QEMU never sets FPSCR[FR].
    with(fact::FPSCR, always, &[Register(reg::FPSCR, FR)]),
    // With VE=1 an invalid operation sets FI to 0 (Book I, 4.4.1); QEMU leaves it when an operand is a signalling NaN.
    with(fact::FPSCR, |v| v.before.reg[reg::FPSCR] & 0x80 != 0, &[Register(reg::FPSCR, FI)]),
    // VRSAVE has 32 bits; QEMU keeps 64.
    entry(&["mtspr"], |v| v.spr() == spr::VRSAVE, &[Register(reg::VRSAVE, HIGH)]),
    // divde with a quotient of 64 bits and the wrong sign overflows; QEMU looks at the high half only.
    entry(&["divde"], no_quotient, &[Register(reg::XER, 0xc008_0000), Register(reg::CR, 0x1000_0000)]),
    // Bounded and conditional fetches that fail return the sign bit of the operand; QEMU extends it wrongly.
    entry(&["lwat", "ldat"], |v| [24, 25].contains(&v.field("FC")), &[Operand("RT", ALL)]),
    // QEMU has the function of vrldnm for vrldmi when its host has vector instructions.
    entry(&["vrldmi"], always, &[Operand("VRT", ALL)]),
    // CR field 6 compares the source with zero (Book I, 6.17); QEMU compares the result.
    entry(&["bcds.", "bcdsr.", "bcdus.", "bcdtrunc.", "bcdutrunc."], vector::all_digits_lost, &[Order(6)]),
    // QEMU overlooks some invalid digits and signs.
    entry(&["bcdadd.", "bcdsub.", "bcdcpsgn.", "bcdsetsgn.", "bcdctn.", "bcdctz."],
        vector::no_decimal, &[Register(reg::CR, 0xf0)]),
    // QEMU takes the sign from VRB after it wrote VRT.
    entry(&["bcdcpsgn."], |v| v.field("VRT") == v.field("VRB"), &[Operand("VRT", ALL), Register(reg::CR, 0xf0)]),
    // The length is unsigned (Book I, 6.17); QEMU takes 65535 for -1.
    entry(&["bcdtrunc."], vector::length_65535, &[Operand("VRT", ALL), Register(reg::CR, 0xf0)]),
    // Shifting a zero loses no digit (Book I, 6.17); QEMU takes more than 31 places for an overflow.
    entry(&["bcdus."], vector::zero, &[Register(reg::CR, 0x10)]),
    // With NJ=1 a result that is tiny before rounding (Book I, 4.4.4) is 0; QEMU 10 rounds first.
    entry(&["vmaddfp", "vnmsubfp"], vector::rounds_to_normal, &[Operand("VRT", ALL)]).since(10, 0),
    // QEMU 10 optimizes selections from constants wrongly, explicit ones and those inside of other operations. Alone, an
    // instruction has no constants: that much suffices.
    that(|r| matches!(r.op, Op::Vector(_) | Op::Vsx(_)), |_| false, &[]).since(10, 0),
    // QEMU takes the last digit of an unsigned number, or of a binary one, for its sign.
    entry(&["bcdus.", "bcdctsq."], always, &[Order(6)]),
];

fn always(_: &View) -> bool {
    true
}

/// The operands of a single-precision instruction are singles.
fn representable(v: &View) -> bool {
    ["FRA", "FRB", "FRC"].into_iter().filter(|name| v.row.field(name).is_some()).all(|name| {
        let value = f64::from_bits(v.before.reg[reg::VSR + 2 * v.field(name) as usize]);
        value.is_nan() || f64::from(value as f32) == value
    })
}

/// The factors are infinity and zero.
fn infinity_and_zero(v: &View) -> bool {
    let magnitude = |name| v.before.reg[reg::VSR + 2 * v.field(name) as usize] << 1 >> 1;
    let factors = [magnitude("FRA"), magnitude("FRC")];
    factors.contains(&0) && factors.contains(&(0x7ff << 52))
}

/// `FPSCR[OE]=1` or `FPSCR[UE]=1`.
fn adjusted(v: &View) -> bool {
    v.before.reg[reg::FPSCR] & 0x60 != 0
}

/// `FPSCR[XE]=1`.
fn enabled(v: &View) -> bool {
    v.before.reg[reg::FPSCR] & 8 != 0
}

fn recorded(v: &View) -> bool {
    v.field("Rc") == 1
}

/// The divisor is zero, or the quotient does not fit.
fn no_quotient(v: &View) -> bool {
    let (a, b) = (v.gpr("RA"), v.gpr("RB"));
    match v.row.name {
        "divw" | "modsw" => (a as i32).checked_div(b as i32).is_none(),
        "divwu" | "moduw" => b as u32 == 0,
        "divd" | "modsd" => (a as i64).checked_div(b as i64).is_none(),
        "divdu" | "modud" => b == 0,
        "divweu" => a as u32 >= b as u32,
        "divdeu" => a >= b,
        "divwe" => (i64::from(a as i32) << 32).checked_div((b as i32).into()).is_none_or(|q| i32::try_from(q).is_err()),
        "divde" => {
            (i128::from(a as i64) << 64).checked_div((b as i64).into()).is_none_or(|q| i64::try_from(q).is_err())
        }
        _ => false,
    }
}

const TABLES: [&[Entry]; 7] = [UNDEFINED, QUIRKS, dfp::QUIRKS, vsx::UNDEFINED, vsx::QUIRKS, mma::QUIRKS, spe::QUIRKS];

fn entries(row: &Row) -> impl Iterator<Item = &'static Entry> + '_ {
    TABLES.into_iter().flatten().filter(|entry| entry.covers(row))
}

/// The entries that apply to the instruction on this version of QEMU.
fn applying<'a>(view: &'a View, qemu: Version) -> impl Iterator<Item = &'static Entry> + 'a {
    entries(view.row).filter(move |e| e.since <= qemu && qemu < e.until && (e.when)(view))
}

/// FPSCR bits in which cases of `row` begin with 0.
pub fn cleared(row: &Row) -> u64 {
    let named = CLEARED.iter().filter(|(rows, _)| rows.contains(&row.name)).map(|&(_, bits)| bits);
    let others = vsx::CLEARED
        .iter()
        .chain(dfp::CLEARED)
        .chain(mma::CLEARED)
        .filter(|(rows, _)| rows(row))
        .map(|&(_, bits)| bits);
    named.chain(others).fold(0, |all, bits| all | bits)
}

/// Whether a result of `row` may be undefined, so that no other instruction should read it.
pub fn any(row: &Row) -> bool {
    entries(row).next().is_some()
}

/// The bits of the state that are not to be compared after the instruction on this version of QEMU.
pub fn mask(view: &View, qemu: Version) -> State {
    let mut mask = State::default();
    applying(view, qemu).for_each(|e| e.add(view, &mut mask));
    mask
}

/// Where the entries stand that concern the instruction, and whether `agrees` fails without each.
pub fn tried(view: &View, qemu: Version, agrees: impl Fn(State) -> bool) -> Vec<(&'static Location<'static>, bool)> {
    let needed = |without: &Entry| {
        let mut mask = State::default();
        applying(view, qemu).filter(|e| e.at != without.at).for_each(|e| e.add(view, &mut mask));
        !agrees(mask)
    };
    applying(view, qemu).map(|e| (e.at, needed(e))).collect()
}

impl Entry {
    fn add(&self, view: &View, mask: &mut State) {
        for ignore in self.ignore {
            ignore.add(view, mask);
        }
    }
}

impl Ignore {
    /// Adds its bits to `mask`.
    fn add(self, view: &View, mask: &mut State) {
        match self {
            Operand(name, bits) => {
                for index in registers(view, name) {
                    mask.reg[index] |= bits;
                }
            }
            Elements(name, bits) => {
                let bits = bits(view);
                for (index, bits) in registers(view, name).zip([bits >> 64, bits]) {
                    mask.reg[index] |= bits as u64;
                }
            }
            Ignore::Wide(name) => {
                for index in registers(view, name) {
                    mask.reg[index] = ALL;
                    mask.reg[reg::HIGH + index] = ALL;
                }
            }
            Doubleword1(name) => {
                if let Some(index) = registers(view, name).last() {
                    mask.reg[index] = ALL;
                }
            }
            Order(field) => mask.reg[reg::CR] |= 0xe << (28 - 4 * field),
            OtherFields(name) => {
                let fields = view.field("FXM");
                let kept = (0..8).filter(|i| fields >> i & 1 != 0).fold(0u64, |bits, i| bits | 0xf << (4 * i));
                for index in registers(view, name) {
                    mask.reg[index] |= !kept;
                }
            }
            Register(index, bits) => mask.reg[index] |= bits,
        }
    }
}

/// What the reference loses when a case ends in a signal.
pub fn mask_ending(mask: &mut State, ending: Ending) {
    if ending != Ending::Done {
        mask.reg[reg::FPSCR] |= HIGH; // QEMU's signal frame holds the low word.
    }
    if ending == Ending::FloatEnabled {
        mask.reg[reg::CR] |= CR1; // The instruction completes, but QEMU leaves it before Rc=1.
    }
}

/// Indices in the state of the register that operand `name` chooses.
fn registers(view: &View, name: &str) -> std::ops::Range<usize> {
    let Some(operand) = operands(view.row).find(|o| o.name == name) else { return 0..0 };
    let n = operand.get(view.word) as usize;
    let vector = |n: usize| reg::VSR + 2 * n..reg::VSR + 2 * n + 2;
    match operand.kind {
        Kind::Gpr | Kind::GprOrZero => n..n + 1,
        Kind::GprPair => n..n + 2,
        Kind::Fpr | Kind::Vsr => vector(n),
        Kind::FprPair | Kind::VsrPair => vector(n).start..vector(n + 1).end,
        Kind::Accumulator => vector(4 * n).start..vector(4 * n + 3).end,
        Kind::Vr => vector(32 + n),
        _ => 0..0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_covers_what_the_entry_says() {
        let row = ppc_isa::row("divw").unwrap();
        let word = ppc_isa::encode::assemble("divw.", &[3, 4, 5]).unwrap();
        let mut before = State::default();
        let masked =
            |before: &State| mask(&View { row, word: word.into(), cpu: Cpu::Power9, before }, Version(7, 2, 0));
        assert_eq!(masked(&before).reg[3], ALL);
        before.reg[5] = 1;
        assert_eq!(masked(&before).reg[3], HIGH);
        assert_eq!(masked(&before).reg[reg::CR], 0xe000_0000);
    }

    #[test]
    fn every_undefined_result_has_its_choice_in_the_table() {
        for row in ppc_isa::rows() {
            let masked = [UNDEFINED, vsx::UNDEFINED].into_iter().flatten().any(|entry| entry.covers(row));
            assert!(!masked || ppc_isa::undefined::of(row).next().is_some(), "{}", row.name);
        }
    }
}
