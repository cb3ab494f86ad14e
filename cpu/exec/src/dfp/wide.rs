//! Unsigned decimal integers of up to 68 digits: products of two significands, and sums aligned to one another.

use super::{digits, ten};

/// Digits in each half.
const HALF: u32 = 34;

/// `high` x 10^34 + `low`, both below 10^34.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wide {
    high: u128,
    low: u128,
}

/// What was dropped of a number, as a part of the unit of its last digit that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tail {
    /// Nothing.
    Zero,
    /// Less than half.
    BelowHalf,
    /// Half.
    Half,
    /// More than half.
    AboveHalf,
}

impl Tail {
    /// The tail `high` x 10^34 + `low` of a unit of 2 x (`half` x 10^34 + `half_low`).
    fn of(tail: (u128, u128), half: (u128, u128)) -> Tail {
        match tail.cmp(&half) {
            _ if tail == (0, 0) => Tail::Zero,
            core::cmp::Ordering::Less => Tail::BelowHalf,
            core::cmp::Ordering::Equal => Tail::Half,
            core::cmp::Ordering::Greater => Tail::AboveHalf,
        }
    }

    /// The tail with something smaller behind it.
    pub fn and_more(self) -> Tail {
        match self {
            Tail::Zero => Tail::BelowHalf,
            Tail::Half => Tail::AboveHalf,
            other => other,
        }
    }
}

impl Wide {
    /// `n`.
    pub const fn new(n: u128) -> Wide {
        Wide { high: n / ten(HALF), low: n % ten(HALF) }
    }

    /// `a` x `b`, both below 10^34.
    pub const fn product(a: u128, b: u128) -> Wide {
        const BASE: u128 = ten(HALF / 2);
        let (a1, a0, b1, b0) = (a / BASE, a % BASE, b / BASE, b % BASE);
        let middle = a1 * b0 + a0 * b1;
        let low = a0 * b0 + middle % BASE * BASE;
        Wide { high: a1 * b1 + middle / BASE + low / ten(HALF), low: low % ten(HALF) }
    }

    /// `n` x 10^`places`; the result has at most 68 digits.
    pub const fn shifted(n: u128, places: u32) -> Wide {
        if places < HALF { Wide::product(n, ten(places)) } else { Wide { high: n * ten(places - HALF), low: 0 } }
    }

    /// The sum with `n` below 10^34.
    pub const fn plus(self, n: u128) -> Wide {
        let low = self.low + n;
        Wide { high: self.high + low / ten(HALF), low: low % ten(HALF) }
    }

    /// The difference to `n` below 10^34, and whether `n` is greater.
    pub const fn minus(self, n: u128) -> (Wide, bool) {
        if self.low >= n {
            (Wide { high: self.high, low: self.low - n }, false)
        } else if self.high > 0 {
            (Wide { high: self.high - 1, low: self.low + ten(HALF) - n }, false)
        } else {
            (Wide { high: 0, low: n - self.low }, true)
        }
    }

    /// Whether it is zero.
    pub const fn is_zero(self) -> bool {
        self.high == 0 && self.low == 0
    }

    /// Decimal digits without leading zeros.
    pub const fn digits(self) -> u32 {
        if self.high == 0 { digits(self.low) } else { HALF + digits(self.high) }
    }

    /// What is left without the last `drop` digits, which must have at most 38 digits, and what was dropped.
    pub fn split(self, drop: u32) -> (u128, Tail) {
        let Wide { high, low } = self;
        match drop {
            0 => (high * ten(HALF) + low, Tail::Zero),
            1..=HALF => {
                let kept = high * ten(HALF - drop) + low / ten(drop);
                (kept, Tail::of((0, low % ten(drop)), (0, ten(drop) / 2)))
            }
            _ if drop <= 2 * HALF => {
                let unit = ten(drop - HALF);
                (high / unit, Tail::of((high % unit, low), (unit / 2, 0)))
            }
            _ => (0, Tail::of((high, low), (u128::MAX, 0))),
        }
    }
}
