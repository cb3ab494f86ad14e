//! Fixed-point arithmetic, logic, rotates, compares and moves (Power ISA Book I, chapter 3).

use crate::cpu::{ALL, BOOKE, CLASSIC, Models, SERVER, SIXTY_FOUR, SPE, THIRTY_TWO, Unit, V300, V310};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// Semantic operations of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integer {
    /// RT = (RA|0) + SI, SI shifted left 16 for `addis`.
    AddImmediate {
        /// Shift the immediate left by 16.
        shifted: bool,
    },
    /// Add a signed immediate of 34 bits to (RA|0), or with R=1 to the address of the instruction.
    AddImmediatePrefixed,
    /// Nothing, in eight bytes; any suffix but a branch or a prefix will do.
    PrefixedNop,
    /// RT = next instruction address + DX shifted left 16.
    AddPcis,
    /// RT = RA or its complement, plus SI, plus one if complemented; sets CA.
    AddCarrying {
        /// Complement RA and add one (`subfic`).
        subtract: bool,
        /// Record in CR0 (`addic.`).
        record: bool,
    },
    /// The eleven add and subtract forms are one adder.
    Adder(Adder),
    /// Add using OV as carry in and out.
    AddExtendedOv,
    /// RT = RA * SI, low 64 bits.
    MulImmediate,
    /// Multiply.
    Multiply(Multiply),
    /// Multiply two doublewords and add a third.
    MultiplyAdd(MultiplyAdd),
    /// Divide or remainder.
    Divide(Divide),
    /// Random number.
    Darn,
    /// Compare with register or immediate into a CR field.
    Compare {
        /// Signed or logical.
        signed: bool,
        /// Second operand is an immediate.
        immediate: bool,
    },
    /// Compare byte with one or two ranges.
    CompareRangedByte,
    /// Compare byte with each byte of RB.
    CompareEqualByte,
    /// RT = -1, 1 or 0 from a CR field.
    SetBoolean,
    /// RT = 1, or -1, if a CR bit is 1, else 0.
    SetBit {
        /// If the bit is 0 instead.
        reverse: bool,
        /// -1 instead of 1.
        negative: bool,
    },
    /// Bits of RS moved or counted under the mask in RB.
    UnderMask(UnderMask),
    /// Bitwise operation of two registers.
    Logic(Logic),
    /// Bitwise operation with an immediate.
    LogicImmediate {
        /// The operation: and, or, xor.
        logic: Logic,
        /// Immediate shifted left by 16.
        shifted: bool,
    },
    /// Operations of one register.
    Unary(Unary),
    /// Compare bytes for equality.
    CompareBytes,
    /// Bit permute doubleword.
    BitPermute,
    /// Rotate word, then and or insert with a mask.
    RotateWord {
        /// Shift amount from RB.
        register: bool,
        /// Insert under mask.
        insert: bool,
    },
    /// Rotate doubleword; the mask is built as the form says.
    RotateDouble {
        /// Shift amount from RB.
        register: bool,
        /// How the mask is built.
        mask: RotateMask,
    },
    /// Shift by register.
    Shift(Shift),
    /// Arithmetic shift right by immediate.
    ShiftAlgebraicImmediate {
        /// 64 bits.
        double: bool,
    },
    /// Extend sign word and shift left.
    ExtendShift,
    /// Integer select by a CR bit.
    Select,
    /// Convert declets to BCD.
    DecletsToBcd,
    /// Convert BCD to declets.
    BcdToDeclets,
    /// Add and generate sixes.
    AddSixes,
    /// Read or write a special purpose register.
    Mfspr,
    /// Write a special purpose register.
    Mtspr,
    /// Read the time base.
    Mftb,
    /// CR fields from RS by mask; `one` for the form with exactly one field.
    Mtcrf,
    /// CR, or one field of it, to RT.
    Mfcr,
    /// OV, OV32, CA, CA32 to a CR field.
    Mcrxrx,
    /// SO, OV, CA to a CR field; then they are cleared.
    Mcrxr,
}

/// Where the adder's second operand comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addend {
    /// Register RB.
    Rb,
    /// 0.
    Zero,
    /// -1.
    MinusOne,
}

/// The adder's carry in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarryIn {
    /// 0.
    Zero,
    /// 1.
    One,
    /// `XER[CA]`.
    Ca,
}

/// RT = (RA or its complement) + addend + carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adder {
    /// Complement RA.
    pub complement: bool,
    /// Second operand.
    pub addend: Addend,
    /// Carry in.
    pub carry: CarryIn,
    /// Set CA.
    pub set_ca: bool,
}

/// Multiplications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiply {
    /// Signed words to a doubleword.
    LowWord,
    /// High word, signed.
    HighWord,
    /// High word, unsigned.
    HighWordUnsigned,
    /// Low doubleword.
    LowDouble,
    /// High doubleword, signed.
    HighDouble,
    /// High doubleword, unsigned.
    HighDoubleUnsigned,
}

/// Which half of the 128-bit sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultiplyAdd {
    /// Low.
    Low,
    /// High, signed.
    High,
    /// High, unsigned.
    HighUnsigned,
}

/// Divisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divide {
    /// 64-bit operands.
    pub double: bool,
    /// Signed.
    pub signed: bool,
    /// The dividend is RA shifted left by the operand's width.
    pub extended: bool,
    /// The result is the remainder.
    pub modulo: bool,
}

/// Bitwise operations of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logic {
    /// And.
    And,
    /// Or.
    Or,
    /// Exclusive or.
    Xor,
    /// Not and.
    Nand,
    /// Not or.
    Nor,
    /// Equivalent.
    Eqv,
    /// And with complement.
    Andc,
    /// Or with complement.
    Orc,
}

/// Operations of one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// Extend sign byte.
    ExtendByte,
    /// Extend sign halfword.
    ExtendHalf,
    /// Extend sign word.
    ExtendWord,
    /// Count leading zeros word.
    LeadingWord,
    /// Count leading zeros doubleword.
    LeadingDouble,
    /// Count trailing zeros word.
    TrailingWord,
    /// Count trailing zeros doubleword.
    TrailingDouble,
    /// Population count of each byte.
    PopulationByte,
    /// Population count of each word.
    PopulationWord,
    /// Population count.
    PopulationDouble,
    /// Parity of each word.
    ParityWord,
    /// Parity.
    ParityDouble,
    /// Reverse the bytes of each halfword.
    ReverseHalfs,
    /// Reverse the bytes of each word.
    ReverseWords,
    /// Reverse the bytes.
    ReverseDouble,
}

/// Operations on the bits of a doubleword that a mask selects (Power ISA 3.1 Book I, section 3.3.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnderMask {
    /// Selected bits to the right, the others to the left.
    Centrifuge,
    /// Count leading zeros among the selected bits.
    Leading,
    /// Count trailing zeros among the selected bits.
    Trailing,
    /// The last bits to where the mask is 1.
    Deposit,
    /// Selected bits to the right, zeros to the left.
    Extract,
}

/// How a 64-bit rotate builds its mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotateMask {
    /// From MB to 63.
    ClearLeft,
    /// From 0 to ME.
    ClearRight,
    /// From MB to 63 - SH.
    Clear,
    /// From MB to 63 - SH, inserted into RA.
    Insert,
}

/// Shifts by register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// Left, word.
    LeftWord,
    /// Right, word.
    RightWord,
    /// Right algebraic, word.
    AlgebraicWord,
    /// Left, doubleword.
    LeftDouble,
    /// Right, doubleword.
    RightDouble,
    /// Right algebraic, doubleword.
    AlgebraicDouble,
}

const fn row(
    name: &'static str,
    picture: &'static str,
    asm: &'static str,
    models: Models,
    facts: u32,
    op: Integer,
) -> Row {
    Row::new(name, picture, asm, models, Unit::None, facts, Op::Integer(op))
}

const fn adder(complement: bool, addend: Addend, carry: CarryIn, set_ca: bool) -> Integer {
    Integer::Adder(Adder { complement, addend, carry, set_ca })
}

const fn divide(double: bool, signed: bool, extended: bool, modulo: bool) -> Integer {
    Integer::Divide(Divide { double, signed, extended, modulo })
}

const fn logic_imm(logic: Logic, shifted: bool) -> Integer {
    Integer::LogicImmediate { logic, shifted }
}

const fn rotate(register: bool, mask: RotateMask) -> Integer {
    Integer::RotateDouble { register, mask }
}

use Addend::{MinusOne, Rb, Zero};
use Integer::{Logic as Lg, Multiply as Mul, MultiplyAdd as Madd, Shift as Sh, Unary as Un};

/// The rows.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row("addi",    "14 RT RA SI",            "=RT,RA0,SI",  ALL, 0,    Integer::AddImmediate { shifted: false }),
    row("paddi",   "1 2:2 0:1 /2 R /2 dh | 14 RT RA dl", "=RT,RA0,SI34,R", V310, 0, Integer::AddImmediatePrefixed),
    row("pnop",    "1 3:2 0:4 /20 | /32", "", V310, 0, Integer::PrefixedNop),
    row("addis",   "15 RT RA SI",            "=RT,RA0,SI",  ALL, 0,    Integer::AddImmediate { shifted: true }),
    row("addpcis", "19 RT d1 d0 2 d2",       "=RT,DX",      V300, 0,    Integer::AddPcis),
    row("addic",   "12 RT RA SI",            "=RT,RA,SI",   ALL, W_CA, Integer::AddCarrying { subtract: false, record: false }),
    row("addic.",  "13 RT RA SI",            "=RT,RA,SI",   ALL, W_CA|W_CR0, Integer::AddCarrying { subtract: false, record: true }),
    row("subfic",  "8 RT RA SI",             "=RT,RA,SI",   ALL, W_CA, Integer::AddCarrying { subtract: true, record: false }),
    row("add",     "31 RT RA RB OE 266 Rc",  "=RT,RA,RB",   ALL, 0,         adder(false, Rb, CarryIn::Zero, false)),
    row("subf",    "31 RT RA RB OE 40 Rc",   "=RT,RA,RB",   ALL, 0,         adder(true, Rb, CarryIn::One, false)),
    row("addc",    "31 RT RA RB OE 10 Rc",   "=RT,RA,RB",   ALL, W_CA,      adder(false, Rb, CarryIn::Zero, true)),
    row("subfc",   "31 RT RA RB OE 8 Rc",    "=RT,RA,RB",   ALL, W_CA,      adder(true, Rb, CarryIn::One, true)),
    row("adde",    "31 RT RA RB OE 138 Rc",  "=RT,RA,RB",   ALL, R_CA|W_CA, adder(false, Rb, CarryIn::Ca, true)),
    row("subfe",   "31 RT RA RB OE 136 Rc",  "=RT,RA,RB",   ALL, R_CA|W_CA, adder(true, Rb, CarryIn::Ca, true)),
    row("addme",   "31 RT RA /5 OE 234 Rc",  "=RT,RA",      ALL, R_CA|W_CA, adder(false, MinusOne, CarryIn::Ca, true)),
    row("subfme",  "31 RT RA /5 OE 232 Rc",  "=RT,RA",      ALL, R_CA|W_CA, adder(true, MinusOne, CarryIn::Ca, true)),
    row("addze",   "31 RT RA /5 OE 202 Rc",  "=RT,RA",      ALL, R_CA|W_CA, adder(false, Zero, CarryIn::Ca, true)),
    row("subfze",  "31 RT RA /5 OE 200 Rc",  "=RT,RA",      ALL, R_CA|W_CA, adder(true, Zero, CarryIn::Ca, true)),
    row("neg",     "31 RT RA /5 OE 104 Rc",  "=RT,RA",      ALL, 0,         adder(true, Zero, CarryIn::One, false)),
    row("addex",   "31 RT RA RB CY 170 /1",  "=RT,RA,RB,CY", V300, W_OV|R_XER, Integer::AddExtendedOv),
    row("mulli",   "7 RT RA SI",             "=RT,RA,SI",   ALL, 0, Integer::MulImmediate),
    row("mullw",   "31 RT RA RB OE 235 Rc",  "=RT,RA,RB",   ALL, 0, Mul(Multiply::LowWord)),
    row("mulhw",   "31 RT RA RB /1 75 Rc",   "=RT,RA,RB",   ALL, 0, Mul(Multiply::HighWord)),
    row("mulhwu",  "31 RT RA RB /1 11 Rc",   "=RT,RA,RB",   ALL, 0, Mul(Multiply::HighWordUnsigned)),
    row("mulld",   "31 RT RA RB OE 233 Rc",  "=RT,RA,RB",   SIXTY_FOUR, 0, Mul(Multiply::LowDouble)),
    row("mulhd",   "31 RT RA RB /1 73 Rc",   "=RT,RA,RB",   SIXTY_FOUR, 0, Mul(Multiply::HighDouble)),
    row("mulhdu",  "31 RT RA RB /1 9 Rc",    "=RT,RA,RB",   SIXTY_FOUR, 0, Mul(Multiply::HighDoubleUnsigned)),
    row("maddhd",  "4 RT RA RB RC 48",       "=RT,RA,RB,RC", V300, 0, Madd(MultiplyAdd::High)),
    row("maddhdu", "4 RT RA RB RC 49",       "=RT,RA,RB,RC", V300, 0, Madd(MultiplyAdd::HighUnsigned)),
    row("maddld",  "4 RT RA RB RC 51",       "=RT,RA,RB,RC", V300, 0, Madd(MultiplyAdd::Low)),
    row("divw",    "31 RT RA RB OE 491 Rc",  "=RT,RA,RB",   ALL, 0, divide(false, true, false, false)),
    row("divwu",   "31 RT RA RB OE 459 Rc",  "=RT,RA,RB",   ALL, 0, divide(false, false, false, false)),
    row("divwe",   "31 RT RA RB OE 427 Rc",  "=RT,RA,RB",   SERVER, 0, divide(false, true, true, false)),
    row("divweu",  "31 RT RA RB OE 395 Rc",  "=RT,RA,RB",   SERVER, 0, divide(false, false, true, false)),
    row("divd",    "31 RT RA RB OE 489 Rc",  "=RT,RA,RB",   SIXTY_FOUR, 0, divide(true, true, false, false)),
    row("divdu",   "31 RT RA RB OE 457 Rc",  "=RT,RA,RB",   SIXTY_FOUR, 0, divide(true, false, false, false)),
    row("divde",   "31 RT RA RB OE 425 Rc",  "=RT,RA,RB",   SERVER, 0, divide(true, true, true, false)),
    row("divdeu",  "31 RT RA RB OE 393 Rc",  "=RT,RA,RB",   SERVER, 0, divide(true, false, true, false)),
    row("modsw",   "31 RT RA RB 779 /1",     "=RT,RA,RB",   V300, 0, divide(false, true, false, true)),
    row("moduw",   "31 RT RA RB 267 /1",     "=RT,RA,RB",   V300, 0, divide(false, false, false, true)),
    row("modsd",   "31 RT RA RB 777 /1",     "=RT,RA,RB",   V300, 0, divide(true, true, false, true)),
    row("modud",   "31 RT RA RB 265 /1",     "=RT,RA,RB",   V300, 0, divide(true, false, false, true)),
    row("darn",    "31 RT /3 L2 /5 755 /1",  "=RT,L2",      V300, VOLATILE, Integer::Darn),
    row("cmpi",    "11 BF /1 L RA SI",       "=BF,L,RA,SI", ALL, R_XER, Integer::Compare { signed: true, immediate: true }),
    row("cmp",     "31 BF /1 L RA RB 0 /1",  "=BF,L,RA,RB", ALL, R_XER, Integer::Compare { signed: true, immediate: false }),
    row("cmpli",   "10 BF /1 L RA UI",       "=BF,L,RA,UI", ALL, R_XER, Integer::Compare { signed: false, immediate: true }),
    row("cmpl",    "31 BF /1 L RA RB 32 /1", "=BF,L,RA,RB", ALL, R_XER, Integer::Compare { signed: false, immediate: false }),
    row("cmprb",   "31 BF /1 L RA RB 192 /1", "=BF,L,RA,RB", V300, 0, Integer::CompareRangedByte),
    row("cmpeqb",  "31 BF /2 RA RB 224 /1",  "=BF,RA,RB",   V300, 0, Integer::CompareEqualByte),
    row("setb",    "31 RT BFA /2 /5 128 /1", "=RT,BFA",     V300, 0, Integer::SetBoolean),
    row("setbc",   "31 RT BI /5 384 /1",     "=RT,BI",      V310, 0, Integer::SetBit { reverse: false, negative: false }),
    row("setbcr",  "31 RT BI /5 416 /1",     "=RT,BI",      V310, 0, Integer::SetBit { reverse: true, negative: false }),
    row("setnbc",  "31 RT BI /5 448 /1",     "=RT,BI",      V310, 0, Integer::SetBit { reverse: false, negative: true }),
    row("setnbcr", "31 RT BI /5 480 /1",     "=RT,BI",      V310, 0, Integer::SetBit { reverse: true, negative: true }),
    row("andi.",   "28 RS RA UI",            "=RA,RS,UI",   ALL, W_CR0, logic_imm(Logic::And, false)),
    row("andis.",  "29 RS RA UI",            "=RA,RS,UI",   ALL, W_CR0, logic_imm(Logic::And, true)),
    row("ori",     "24 RS RA UI",            "=RA,RS,UI",   ALL, 0, logic_imm(Logic::Or, false)),
    row("oris",    "25 RS RA UI",            "=RA,RS,UI",   ALL, 0, logic_imm(Logic::Or, true)),
    row("xori",    "26 RS RA UI",            "=RA,RS,UI",   ALL, 0, logic_imm(Logic::Xor, false)),
    row("xoris",   "27 RS RA UI",            "=RA,RS,UI",   ALL, 0, logic_imm(Logic::Xor, true)),
    row("and",     "31 RS RA RB 28 Rc",      "=RA,RS,RB",   ALL, 0, Lg(Logic::And)),
    row("or",      "31 RS RA RB 444 Rc",     "=RA,RS,RB",   ALL, 0, Lg(Logic::Or)),
    row("xor",     "31 RS RA RB 316 Rc",     "=RA,RS,RB",   ALL, 0, Lg(Logic::Xor)),
    row("nand",    "31 RS RA RB 476 Rc",     "=RA,RS,RB",   ALL, 0, Lg(Logic::Nand)),
    row("nor",     "31 RS RA RB 124 Rc",     "=RA,RS,RB",   ALL, 0, Lg(Logic::Nor)),
    row("eqv",     "31 RS RA RB 284 Rc",     "=RA,RS,RB",   ALL, 0, Lg(Logic::Eqv)),
    row("andc",    "31 RS RA RB 60 Rc",      "=RA,RS,RB",   ALL, 0, Lg(Logic::Andc)),
    row("orc",     "31 RS RA RB 412 Rc",     "=RA,RS,RB",   ALL, 0, Lg(Logic::Orc)),
    row("extsb",   "31 RS RA /5 954 Rc",     "=RA,RS",      ALL, 0, Un(Unary::ExtendByte)),
    row("extsh",   "31 RS RA /5 922 Rc",     "=RA,RS",      ALL, 0, Un(Unary::ExtendHalf)),
    row("extsw",   "31 RS RA /5 986 Rc",     "=RA,RS",      SIXTY_FOUR, 0, Un(Unary::ExtendWord)),
    row("cntlzw",  "31 RS RA /5 26 Rc",      "=RA,RS",      ALL, 0, Un(Unary::LeadingWord)),
    row("cntlzd",  "31 RS RA /5 58 Rc",      "=RA,RS",      SIXTY_FOUR, 0, Un(Unary::LeadingDouble)),
    row("cnttzw",  "31 RS RA /5 538 Rc",     "=RA,RS",      V300, 0, Un(Unary::TrailingWord)),
    row("cnttzd",  "31 RS RA /5 570 Rc",     "=RA,RS",      V300, 0, Un(Unary::TrailingDouble)),
    row("popcntb", "31 RS RA /5 122 /1",     "=RA,RS",      SIXTY_FOUR, 0, Un(Unary::PopulationByte)),
    row("popcntw", "31 RS RA /5 378 /1",     "=RA,RS",      SIXTY_FOUR, 0, Un(Unary::PopulationWord)),
    row("popcntd", "31 RS RA /5 506 /1",     "=RA,RS",      SIXTY_FOUR, 0, Un(Unary::PopulationDouble)),
    row("prtyw",   "31 RS RA /5 154 /1",     "=RA,RS",      SIXTY_FOUR, 0, Un(Unary::ParityWord)),
    row("prtyd",   "31 RS RA /5 186 /1",     "=RA,RS",      SIXTY_FOUR, 0, Un(Unary::ParityDouble)),
    row("brh",     "31 RS RA /5 219 /1",     "=RA,RS",      V310, 0, Un(Unary::ReverseHalfs)),
    row("brw",     "31 RS RA /5 155 /1",     "=RA,RS",      V310, 0, Un(Unary::ReverseWords)),
    row("brd",     "31 RS RA /5 187 /1",     "=RA,RS",      V310, 0, Un(Unary::ReverseDouble)),
    row("cfuged",  "31 RS RA RB 220 /1",     "=RA,RS,RB",   V310, 0, Integer::UnderMask(UnderMask::Centrifuge)),
    row("cntlzdm", "31 RS RA RB 59 /1",      "=RA,RS,RB",   V310, 0, Integer::UnderMask(UnderMask::Leading)),
    row("cnttzdm", "31 RS RA RB 571 /1",     "=RA,RS,RB",   V310, 0, Integer::UnderMask(UnderMask::Trailing)),
    row("pdepd",   "31 RS RA RB 156 /1",     "=RA,RS,RB",   V310, 0, Integer::UnderMask(UnderMask::Deposit)),
    row("pextd",   "31 RS RA RB 188 /1",     "=RA,RS,RB",   V310, 0, Integer::UnderMask(UnderMask::Extract)),
    row("cmpb",    "31 RS RA RB 508 /1",     "=RA,RS,RB",   SIXTY_FOUR, 0, Integer::CompareBytes),
    row("bpermd",  "31 RS RA RB 252 /1",     "=RA,RS,RB",   SIXTY_FOUR, 0, Integer::BitPermute),
    row("rlwinm",  "21 RS RA SH MB ME Rc",   "=RA,RS,SH,MB,ME", ALL, 0, Integer::RotateWord { register: false, insert: false }),
    row("rlwnm",   "23 RS RA RB MB ME Rc",   "=RA,RS,RB,MB,ME", ALL, 0, Integer::RotateWord { register: true, insert: false }),
    row("rlwimi",  "20 RS RA SH MB ME Rc",   "+RA,RS,SH,MB,ME", ALL, 0, Integer::RotateWord { register: false, insert: true }),
    row("rldicl",  "30 RS RA sh mb mbx 0:3 shx Rc", "=RA,RS,SH6,MB6", SIXTY_FOUR, 0, rotate(false, RotateMask::ClearLeft)),
    row("rldicr",  "30 RS RA sh mb mbx 1:3 shx Rc", "=RA,RS,SH6,MB6", SIXTY_FOUR, 0, rotate(false, RotateMask::ClearRight)),
    row("rldic",   "30 RS RA sh mb mbx 2:3 shx Rc", "=RA,RS,SH6,MB6", SIXTY_FOUR, 0, rotate(false, RotateMask::Clear)),
    row("rldimi",  "30 RS RA sh mb mbx 3:3 shx Rc", "+RA,RS,SH6,MB6", SIXTY_FOUR, 0, rotate(false, RotateMask::Insert)),
    row("rldcl",   "30 RS RA RB mb mbx 8:4 Rc",     "=RA,RS,RB,MB6",  SIXTY_FOUR, 0, rotate(true, RotateMask::ClearLeft)),
    row("rldcr",   "30 RS RA RB mb mbx 9:4 Rc",     "=RA,RS,RB,MB6",  SIXTY_FOUR, 0, rotate(true, RotateMask::ClearRight)),
    row("slw",     "31 RS RA RB 24 Rc",      "=RA,RS,RB",   ALL, 0,    Sh(Shift::LeftWord)),
    row("srw",     "31 RS RA RB 536 Rc",     "=RA,RS,RB",   ALL, 0,    Sh(Shift::RightWord)),
    row("sraw",    "31 RS RA RB 792 Rc",     "=RA,RS,RB",   ALL, W_CA, Sh(Shift::AlgebraicWord)),
    row("sld",     "31 RS RA RB 27 Rc",      "=RA,RS,RB",   SIXTY_FOUR, 0,    Sh(Shift::LeftDouble)),
    row("srd",     "31 RS RA RB 539 Rc",     "=RA,RS,RB",   SIXTY_FOUR, 0,    Sh(Shift::RightDouble)),
    row("srad",    "31 RS RA RB 794 Rc",     "=RA,RS,RB",   SIXTY_FOUR, W_CA, Sh(Shift::AlgebraicDouble)),
    row("srawi",   "31 RS RA SH 824 Rc",     "=RA,RS,SH",   ALL, W_CA, Integer::ShiftAlgebraicImmediate { double: false }),
    row("sradi",   "31 RS RA sh 413 shx Rc", "=RA,RS,SH6",  SIXTY_FOUR, W_CA, Integer::ShiftAlgebraicImmediate { double: true }),
    row("extswsli", "31 RS RA sh 445 shx Rc", "=RA,RS,SH6", V300, 0,    Integer::ExtendShift),
    row("isel",    "31 RT RA RB BC 15 /1",   "=RT,RA0,RB,BC", SIXTY_FOUR.or(SPE), 0,  Integer::Select),
    row("cdtbcd",  "31 RS RA /5 282 /1",     "=RA,RS",      SERVER, 0,    Integer::DecletsToBcd),
    row("cbcdtd",  "31 RS RA /5 314 /1",     "=RA,RS",      SERVER, 0,    Integer::BcdToDeclets),
    row("addg6s",  "31 RT RA RB /1 74 /1",   "=RT,RA,RB",   SERVER, 0,    Integer::AddSixes),
    row("mfspr",   "31 RT spr 339 /1",       "=RT,SPR",     ALL, BY_SPR, Integer::Mfspr),
    row("mtspr",   "31 RS spr 467 /1",       "SPR,RS",      ALL, BY_SPR, Integer::Mtspr),
    row("mftb",    "31 RT spr 371 /1",       "=RT,SPR",     ALL, VOLATILE, Integer::Mftb),
    row("mtcrf",   "31 RS 0:1 FXM /1 144 /1", "FXM,RS",     SIXTY_FOUR, W_CR, Integer::Mtcrf),
    row("mtcrf",   "31 RS /1 FXM /1 144 /1", "FXM,RS",      THIRTY_TWO, W_CR, Integer::Mtcrf),
    row("mtocrf",  "31 RS 1:1 FXM /1 144 /1", "FXM,RS",     SIXTY_FOUR, W_CR, Integer::Mtcrf),
    row("mfcr",    "31 RT 0:1 /9 19 /1",     "=RT",         SIXTY_FOUR, R_CR, Integer::Mfcr),
    row("mfcr",    "31 RT /5 /5 19 /1",      "=RT",         THIRTY_TWO, R_CR, Integer::Mfcr),
    row("mfocrf",  "31 RT 1:1 FXM /1 19 /1", "=RT,FXM",     SIXTY_FOUR, R_CR, Integer::Mfcr),
    row("mcrxr",   "31 BF /2 /5 /5 512 /1",  "=BF",         CLASSIC.or(BOOKE), R_XER|R_CA|W_CA|W_OV, Integer::Mcrxr),
    row("mcrxrx",  "31 BF /2 /5 /5 576 /1",  "=BF",         V300, R_XER, Integer::Mcrxrx),
];
