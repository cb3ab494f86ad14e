//! Finds a row by its number without a search. Made while compiling, where a number that two rows have is an error.

use super::{CALLS, COUNT};

/// What numbers a hypervisor gives itself begin here: they are few and far between, and not all multiples of 4.
const OWN: u64 = 0xef00;
/// A place where no row is.
const NONE: u16 = u16::MAX;

/// Where the row of a call below [`OWN`] is, by a quarter of its number.
static PLACES: [u16; places()] = {
    let mut places = [NONE; places()];
    let mut row = 0;
    while row < COUNT {
        let number = CALLS[row].number;
        if number < OWN {
            assert!(
                number.is_multiple_of(4) && places[(number / 4) as usize] == NONE,
                "a number that cannot be, or twice"
            );
            places[(number / 4) as usize] = row as u16;
        }
        row += 1;
    }
    places
};

/// As many as the numbers below [`OWN`] need.
const fn places() -> usize {
    let (mut most, mut row) = (0, 0);
    while row < COUNT {
        if CALLS[row].number < OWN && CALLS[row].number > most {
            most = CALLS[row].number;
        }
        row += 1;
    }
    (most / 4 + 1) as usize
}

/// Number and row of the calls from [`OWN`] on.
static OTHERS: [(u64, u16); others()] = {
    let mut others = [(0, NONE); others()];
    let (mut n, mut row) = (0, 0);
    while row < COUNT {
        if CALLS[row].number >= OWN {
            others[n] = (CALLS[row].number, row as u16);
            n += 1;
        }
        row += 1;
    }
    others
};

const fn others() -> usize {
    let (mut count, mut row) = (0, 0);
    while row < COUNT {
        count += (CALLS[row].number >= OWN) as usize;
        row += 1;
    }
    count
}

/// Where in [`CALLS`] call `number` is.
pub const fn row(number: u64) -> Option<usize> {
    if number < OWN {
        let place = (number / 4) as usize;
        let known = number.is_multiple_of(4) && place < PLACES.len() && PLACES[place] != NONE;
        return if known { Some(PLACES[place] as usize) } else { None };
    }
    let mut n = 0;
    while n < OTHERS.len() {
        if OTHERS[n].0 == number {
            return Some(OTHERS[n].1 as usize);
        }
        n += 1;
    }
    None
}
