//! The matrix-multiply assist: outer products added to accumulators of four VSRs each (Power ISA 3.1 Book I, section
//! 7.2.1.3 and the instructions `xv*ger*` of section 7.6.3).
//!
//! While an accumulator is primed, the ISA leaves undefined what its four VSRs hold, and while it is not, what the
//! accumulator holds. Here, as in QEMU, both are always the same: `xxmtacc` and `xxmfacc` move nothing.

use crate::cpu::{MMA, Unit};
use crate::op::Op;
use crate::row::{Row, fact::*};

/// Semantic operations of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mma {
    /// Move between an accumulator and its VSRs.
    Move,
    /// Set an accumulator to zero.
    Zero,
    /// Replace or update an accumulator by an outer product.
    Outer {
        /// Factors.
        factors: Factors,
        /// What becomes of the accumulator.
        update: Update,
        /// The prefix says which rows, columns and products take part; it is the prefixed form.
        masked: bool,
    },
}

/// Elements of the vectors that are multiplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factors {
    /// Eight products of signed 4-bit integers.
    Int4,
    /// Four products of a signed and an unsigned byte.
    Int8,
    /// Two products of signed halfwords.
    Int16,
    /// Two products of bfloat16 numbers.
    Bfloat,
    /// Two products of half precision.
    Half,
    /// A product in single precision.
    Single,
    /// A product in double precision.
    Double,
}

/// How the sum of products and the accumulator make the new accumulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// The sum of products.
    Set,
    /// The same, saturated.
    SetSaturated,
    /// Both added.
    Add,
    /// The same, saturated.
    AddSaturated,
    /// The sum of products minus the accumulator.
    SubtractAccumulator,
    /// The accumulator minus the sum of products.
    SubtractProducts,
    /// Minus both.
    SubtractBoth,
}

use Factors::{Bfloat, Double, Half, Int4, Int8, Int16, Single};
use Update::{Add, AddSaturated, Set, SetSaturated, SubtractAccumulator, SubtractBoth, SubtractProducts};

const fn row(name: &'static str, picture: &'static str, asm: &'static str, facts: u32, op: Mma) -> Row {
    Row::new(name, picture, asm, MMA, Unit::Vsx, facts, Op::Mma(op))
}

/// What a product says about itself.
const fn facts(factors: Factors, update: Update) -> u32 {
    match (factors, update) {
        (Int4 | Int8 | Int16, SetSaturated | AddSaturated) => SAT,
        (Int4 | Int8 | Int16, _) => 0,
        _ => FPSCR | PROGRAM,
    }
}

/// The rows of the table, two for each product: name, opcode, accumulator, XA, mask fields of the prefix (fields and
/// operands), factors, update.
macro_rules! products {
    ($($name:literal, $opcode:literal, $acc:literal, $xa:literal, $mask:literal, $masks:literal, $factors:ident,
        $update:ident;)*) => {
        /// The rows.
        pub const ROWS: &[Row] = &[
            row("xxmfacc", "31 AT /2 0:5 /5 177 /1", "+AT", 0, Mma::Move),
            row("xxmtacc", "31 AT /2 1:5 /5 177 /1", "+AT", 0, Mma::Move),
            row("xxsetaccz", "31 AT /2 3:5 /5 177 /1", "=AT", 0, Mma::Zero),
            $(
                row(
                    $name,
                    concat!("59 AT /2 A B ", $opcode, " AX BX /1"),
                    concat!($acc, "AT,", $xa, ",XB"),
                    facts($factors, $update),
                    Mma::Outer { factors: $factors, update: $update, masked: false },
                ),
                row(
                    concat!("pm", $name),
                    concat!("1 3:2 9:4 /4 ", $mask, " | 59 AT /2 A B ", $opcode, " AX BX /1"),
                    concat!($acc, "AT,", $xa, ",XB,", $masks),
                    facts($factors, $update),
                    Mma::Outer { factors: $factors, update: $update, masked: true },
                ),
            )*
        ];
    };
}

products! {
    "xvi4ger8",      "35",  "=", "XA", "PMSK8 XMSK YMSK", "XMSK,YMSK,PMSK8", Int4, Set;
    "xvi4ger8pp",    "34",  "+", "XA", "PMSK8 XMSK YMSK", "XMSK,YMSK,PMSK8", Int4, Add;
    "xvi8ger4",      "3",   "=", "XA", "PMSK4 /4 XMSK YMSK", "XMSK,YMSK,PMSK4", Int8, Set;
    "xvi8ger4pp",    "2",   "+", "XA", "PMSK4 /4 XMSK YMSK", "XMSK,YMSK,PMSK4", Int8, Add;
    "xvi8ger4spp",   "99",  "+", "XA", "PMSK4 /4 XMSK YMSK", "XMSK,YMSK,PMSK4", Int8, AddSaturated;
    "xvi16ger2",     "75",  "=", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Int16, Set;
    "xvi16ger2pp",   "107", "+", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Int16, Add;
    "xvi16ger2s",    "43",  "=", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Int16, SetSaturated;
    "xvi16ger2spp",  "42",  "+", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Int16, AddSaturated;
    "xvbf16ger2",    "51",  "=", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Bfloat, Set;
    "xvbf16ger2pp",  "50",  "+", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Bfloat, Add;
    "xvbf16ger2pn",  "178", "+", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Bfloat, SubtractAccumulator;
    "xvbf16ger2np",  "114", "+", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Bfloat, SubtractProducts;
    "xvbf16ger2nn",  "242", "+", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Bfloat, SubtractBoth;
    "xvf16ger2",     "19",  "=", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Half, Set;
    "xvf16ger2pp",   "18",  "+", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Half, Add;
    "xvf16ger2pn",   "146", "+", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Half, SubtractAccumulator;
    "xvf16ger2np",   "82",  "+", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Half, SubtractProducts;
    "xvf16ger2nn",   "210", "+", "XA", "PMSK2 /6 XMSK YMSK", "XMSK,YMSK,PMSK2", Half, SubtractBoth;
    "xvf32ger",      "27",  "=", "XA", "/8 XMSK YMSK", "XMSK,YMSK", Single, Set;
    "xvf32gerpp",    "26",  "+", "XA", "/8 XMSK YMSK", "XMSK,YMSK", Single, Add;
    "xvf32gerpn",    "154", "+", "XA", "/8 XMSK YMSK", "XMSK,YMSK", Single, SubtractAccumulator;
    "xvf32gernp",    "90",  "+", "XA", "/8 XMSK YMSK", "XMSK,YMSK", Single, SubtractProducts;
    "xvf32gernn",    "218", "+", "XA", "/8 XMSK YMSK", "XMSK,YMSK", Single, SubtractBoth;
    "xvf64ger",      "59",  "=", "XAp", "/8 XMSK YMSK2 /2", "XMSK,YMSK2", Double, Set;
    "xvf64gerpp",    "58",  "+", "XAp", "/8 XMSK YMSK2 /2", "XMSK,YMSK2", Double, Add;
    "xvf64gerpn",    "186", "+", "XAp", "/8 XMSK YMSK2 /2", "XMSK,YMSK2", Double, SubtractAccumulator;
    "xvf64gernp",    "122", "+", "XAp", "/8 XMSK YMSK2 /2", "XMSK,YMSK2", Double, SubtractProducts;
    "xvf64gernn",    "250", "+", "XAp", "/8 XMSK YMSK2 /2", "XMSK,YMSK2", Double, SubtractBoth;
}
