//! What AltiVec instructions do: few operations, with the lane and the signedness as parameters.
//!
//! A vector register is 128 bits; its elements are numbered from the most significant bits on, in both byte orders.

use crate::integer::{Logic, UnderMask};

/// The width of a vector's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Sixteen of 8 bits.
    Byte,
    /// Eight of 16 bits.
    Half,
    /// Four of 32 bits.
    Word,
    /// Two of 64 bits.
    Double,
    /// The whole register.
    Quad,
}

/// Semantic operations of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vector {
    /// Load one element, or the whole register (`Quad`), from the address with its low bits cleared.
    Load(Lane),
    /// Store one element, or the whole register.
    Store(Lane),
    /// The permute control vector of a misaligned access: `lvsl`, `lvsr`.
    AlignControl {
        /// For `vperm` with the halves exchanged (`lvsr`).
        right: bool,
    },
    /// VRT = VSCR, extended with zeros.
    FromVscr,
    /// VSCR = the last word of VRB.
    ToVscr,
    /// Bitwise operation.
    Logic(Logic),
    /// VRT = VRA where VRC has zeros, VRB where it has ones.
    Select,
    /// Each element of VRT from that element of VRA and VRB.
    Binary {
        /// The operation.
        op: Binary,
        /// The elements.
        lane: Lane,
        /// They are signed.
        signed: bool,
    },
    /// Each element of VRT from that element of VRB.
    Unary {
        /// The operation.
        op: Unary,
        /// The elements.
        lane: Lane,
    },
    /// Elements of ones or zeros by a comparison; with RcV, CR field 6 says all and none.
    Compare {
        /// The relation.
        relation: Relation,
        /// The elements.
        lane: Lane,
        /// They are signed.
        signed: bool,
    },
    /// Quadwords compared, CR field BF says how.
    CompareQuad {
        /// They are signed.
        signed: bool,
    },
    /// Each doubleword of VRT from that of VRA under the mask in that of VRB.
    UnderMask(UnderMask),
    /// 128-bit add or subtract with the carry in the last bit of VRC.
    Extended {
        /// Add the complement of VRB.
        subtract: bool,
        /// The result is the carry out.
        carry: bool,
    },
    /// VRA times ten, plus the last digit of VRB if `extended`.
    MultiplyTen {
        /// Add the digit.
        extended: bool,
        /// The result is what exceeds 128 bits.
        carry: bool,
    },
    /// Products, twice as wide as the factors.
    Multiply {
        /// Factors are the odd elements, else the even ones.
        odd: bool,
        /// The products.
        lane: Lane,
        /// Factors are signed.
        signed: bool,
    },
    /// Multiply halfwords and add a third.
    MultiplyAdd(MultiplyAdd),
    /// Multiply, and add the products within each element of VRC to it.
    MultiplySum(MultiplySum),
    /// For each `group`: the sum, saturated, of the elements of VRA and the last word of VRB, to the last word of VRT.
    Sum {
        /// Elements of VRA.
        lane: Lane,
        /// Everything is signed.
        signed: bool,
        /// What is summed.
        group: Lane,
    },
    /// Extend the sign of the low part of each element.
    ExtendSign {
        /// The part.
        from: Lane,
        /// The element.
        to: Lane,
    },
    /// Rotate left, then and with a mask; shift, mask begin and end are bytes of VRB's element.
    RotateMask {
        /// The elements.
        lane: Lane,
        /// Insert under the mask into VRT.
        insert: bool,
    },
    /// Shift the whole register by up to seven bits.
    ShiftBits {
        /// To the right.
        right: bool,
    },
    /// Shift the whole register by octets.
    ShiftOctets {
        /// To the right.
        right: bool,
    },
    /// Shift each byte by its own amount, bits of its neighbour coming in.
    ShiftVariable {
        /// To the right.
        right: bool,
    },
    /// Sixteen bytes of VRA and VRB from byte SHB on.
    ShiftDouble,
    /// Sixteen bytes of VRA and VRB, the first of them or (right) the last, shifted by SH bits.
    ShiftDoubleBits {
        /// To the right.
        right: bool,
    },
    /// VRA with as many bytes as RB says, and zeros.
    ClearBytes {
        /// The bytes are the first ones, zeros stand to the right.
        right: bool,
    },
    /// The elements of VRB up to the first that is zero.
    IsolateString {
        /// The elements.
        lane: Lane,
        /// Elements are looked at from the right.
        right: bool,
    },
    /// Bytes of VRA and VRB chosen by the bytes of VRC.
    Permute {
        /// Numbered from the right.
        reversed: bool,
    },
    /// Exclusive or of bytes of VRA and VRB, chosen by the digits of VRC.
    PermuteXor,
    /// Bits of VRA chosen by the bytes of VRB: of the quadword, or of each doubleword.
    PermuteBits(Lane),
    /// Transpose the bits of each doubleword.
    GatherBits,
    /// Every Nth bit of VRB, to the left end of RT.
    GatherEveryNth,
    /// Interleave elements of one half of VRA and VRB.
    Merge {
        /// The elements.
        lane: Lane,
        /// Of the low half.
        low: bool,
    },
    /// Interleave every other word of VRA and VRB.
    MergeWords {
        /// The odd ones.
        odd: bool,
    },
    /// All elements equal element UIM of VRB.
    Splat(Lane),
    /// All elements equal SIM.
    SplatImmediate(Lane),
    /// Elements of VRA and VRB at half the width.
    Pack {
        /// The source elements.
        lane: Lane,
        /// The conversion.
        how: Pack,
    },
    /// Words of VRA and VRB as 1:5:5:5 pixels.
    PackPixel,
    /// Elements of one half of VRB, sign-extended to double width.
    Unpack {
        /// The source elements.
        lane: Lane,
        /// The low half.
        low: bool,
    },
    /// Pixels of one half of VRB as words.
    UnpackPixel {
        /// The low half.
        low: bool,
    },
    /// The element that begins at byte UIM, to the right end of doubleword 0.
    Extract(Lane),
    /// The element that `Extract` produces, to byte UIM on.
    Insert(Lane),
    /// The low bits of RB, to byte UIM on.
    InsertFromGpr(Lane),
    /// The low bits of RB, or of doubleword 0 of VRB, to the byte that RA names.
    InsertIndexed {
        /// The element.
        lane: Lane,
        /// It is in VRB.
        from_vector: bool,
        /// Bytes are numbered from the right.
        right: bool,
    },
    /// The element of VRA and VRB at the byte that RC names, to the right end of doubleword 0.
    ExtractDouble {
        /// The element.
        lane: Lane,
        /// Bytes are numbered from the right.
        right: bool,
    },
    /// Each element of VRT is its first bit in VRB, repeated.
    ExpandMask(Lane),
    /// The first bits of VRB's elements, to the right end of RT.
    ExtractMask(Lane),
    /// Each element of VRT is its bit at the right end of RB, repeated.
    MaskFromGpr(Lane),
    /// Each byte of VRT is its bit of the immediate, repeated.
    MaskFromImmediate,
    /// How many elements of VRB begin with MP, to the left end of RT.
    CountMask(Lane),
    /// The element at the byte that RA names, to RT.
    ExtractToGpr {
        /// The element.
        lane: Lane,
        /// Bytes are numbered from the right.
        right: bool,
    },
    /// Count the leading or trailing bytes whose low bit is zero, to RT.
    CountBytes {
        /// Trailing.
        trailing: bool,
    },
    /// One round of AES with the round key in VRB.
    Cipher {
        /// Decipher.
        inverse: bool,
        /// The last round, which mixes no columns.
        last: bool,
    },
    /// AES SubBytes.
    SubBytes,
    /// Multiply polynomials over GF(2); the sums of neighbouring products.
    PolynomialMultiplySum(Lane),
    /// SHA-256 (words) or SHA-512 (doublewords) sigma functions.
    ShaSigma(Lane),
    /// Single precision.
    Float(VectorFloat),
    /// Decimal numbers of 31 digits and a sign.
    Decimal(Decimal),
}

/// Operations of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// Sum, modulo.
    Add,
    /// Difference, modulo.
    Subtract,
    /// The carry of the sum.
    AddCarry,
    /// The carry of the difference: 1 unless it borrows.
    SubtractCarry,
    /// Sum, saturated.
    AddSaturate,
    /// Difference, saturated.
    SubtractSaturate,
    /// Half the sum, rounded up.
    Average,
    /// The larger.
    Maximum,
    /// The smaller.
    Minimum,
    /// Absolute difference.
    AbsoluteDifference,
    /// Low half of the product.
    MultiplyLow,
    /// High half of the product: words and doublewords.
    MultiplyHigh,
    /// Quotient.
    Divide,
    /// Quotient of VRA's element, followed by as many zeros, and VRB's.
    DivideExtended,
    /// Remainder.
    Modulo,
    /// Rotate left.
    Rotate,
    /// Shift left.
    ShiftLeft,
    /// Shift right, algebraic if signed.
    ShiftRight,
}

/// Operations of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// Two's complement.
    Negate,
    /// Leading zeros.
    LeadingZeros,
    /// Trailing zeros.
    TrailingZeros,
    /// Ones.
    Population,
    /// Parity of the bytes' low bits.
    Parity,
}

/// Relations of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Equal.
    Equal,
    /// Not equal.
    NotEqual,
    /// Not equal, or one of them is zero.
    NotEqualOrZero,
    /// Greater.
    Greater,
}

/// What becomes of the product of two halfwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultiplyAdd {
    /// Low half, modulo.
    Low,
    /// High 17 bits, signed and saturated.
    High,
    /// The same after rounding.
    HighRound,
}

/// Factors and sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultiplySum {
    /// Unsigned bytes to words, modulo.
    Bytes,
    /// Signed bytes of VRA, unsigned of VRB, to words, modulo.
    MixedBytes,
    /// Halfwords to words.
    Halves {
        /// Signed.
        signed: bool,
        /// Saturate.
        saturate: bool,
    },
    /// Unsigned doublewords to a quadword, modulo.
    Doubles,
    /// What exceeds the quadword.
    DoublesCarry,
}

/// How elements are made narrower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pack {
    /// Cut off.
    Modulo,
    /// Unsigned, saturated.
    Unsigned,
    /// Signed, saturated.
    Signed,
    /// Signed to unsigned, saturated.
    SignedToUnsigned,
}

/// Single-precision operations: round to nearest, no exceptions, no FPSCR (Book I, section 6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorFloat {
    /// VRA + VRB.
    Add,
    /// VRA - VRB.
    Subtract,
    /// VRA * VRC + VRB.
    MultiplyAdd,
    /// -(VRA * VRC - VRB).
    NegativeMultiplySubtract,
    /// The larger.
    Maximum,
    /// The smaller.
    Minimum,
    /// Equal.
    CompareEqual,
    /// Greater or equal.
    CompareGreaterEqual,
    /// Greater.
    CompareGreater,
    /// Bit 0: VRA > VRB, bit 1: VRA < -VRB.
    CompareBounds,
    /// To an integral value.
    Round(Rounding),
    /// From integers, divided by 2^UIM.
    FromInteger {
        /// Signed.
        signed: bool,
    },
    /// To integers after multiplying by 2^UIM, saturated.
    ToInteger {
        /// Signed.
        signed: bool,
    },
    /// 1 / VRB, to one part in 4096.
    Reciprocal,
    /// 1 / square root of VRB, to one part in 4096.
    ReciprocalSquareRoot,
    /// 2 to the power VRB, to one part in 16.
    Exponent,
    /// Logarithm to base 2 of VRB, to 1/32.
    Logarithm,
}

/// Rounding to integral values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To nearest, ties to even.
    Nearest,
    /// Toward zero.
    Zero,
    /// Toward plus infinity.
    Up,
    /// Toward minus infinity.
    Down,
}

/// Decimal operations. Where a sign is made, PS selects the code of plus (0b1100 or 0b1111).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decimal {
    /// VRA + VRB, or VRA - VRB.
    Add {
        /// Subtract.
        subtract: bool,
    },
    /// Magnitude of VRA, sign of VRB.
    CopySign,
    /// VRB with a preferred sign.
    SetSign,
    /// VRB by the digits that byte 7 of VRA says.
    Shift {
        /// Round what is shifted out to the right.
        round: bool,
    },
    /// The same for 32 digits without a sign.
    ShiftUnsigned,
    /// VRB to the length that halfword 3 of VRA says.
    Truncate,
    /// The same for 32 digits without a sign.
    TruncateUnsigned,
    /// From seven UTF-16 digits and a sign.
    FromNational,
    /// To seven UTF-16 digits and a sign.
    ToNational,
    /// From sixteen ASCII or EBCDIC digits.
    FromZoned,
    /// To sixteen ASCII or EBCDIC digits.
    ToZoned,
    /// From a signed 128-bit integer.
    FromQuad,
    /// To a signed 128-bit integer.
    ToQuad,
}
