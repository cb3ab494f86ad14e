//! The hashed page tables of a partition: one is in force, others were, or will be.
//!
//! Walks take no lock and count nothing: a table that was in force stays where it is, in case somebody still looks at
//! it, until its size is wanted again. There is one of each size at most; so all together take less than twice the
//! largest.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::table::HashTable;

/// log2 of the bytes of the smallest table and of the largest (spec papr 2.1).
pub const SHIFTS: std::ops::RangeInclusive<u32> = 18..=46;
const SIZES: usize = 46 - 18 + 1;

/// Tables by size.
pub struct Resizable {
    tables: [OnceLock<HashTable>; SIZES],
    /// Number of the one in force.
    current: AtomicUsize,
}

/// Where the table of `1 << shift` bytes stands; behind the end for sizes that no table has.
fn number(shift: u32) -> usize {
    shift.checked_sub(*SHIFTS.start()).map_or(SIZES, |number| number as usize)
}

impl Resizable {
    /// With `table` in force.
    pub fn new(table: HashTable) -> Resizable {
        let current = number(table.shift());
        let resizable = Resizable { tables: [const { OnceLock::new() }; SIZES], current: AtomicUsize::new(current) };
        resizable.add(table);
        resizable
    }

    /// The table in force.
    #[inline]
    pub fn current(&self) -> Option<&HashTable> {
        self.tables.get(self.current.load(Ordering::Acquire))?.get()
    }

    /// The table of `1 << shift` bytes, if there is one.
    pub fn of(&self, shift: u32) -> Option<&HashTable> {
        self.tables.get(number(shift))?.get()
    }

    /// Adds a table; `false` when there is one of this size, or it is none that could be.
    pub fn add(&self, table: HashTable) -> bool {
        self.tables.get(number(table.shift())).is_some_and(|place| place.set(table).is_ok())
    }

    /// Puts the table of `1 << shift` bytes in force; `false` when there is none. Who walks now ends his walk in the
    /// old one: the caller waits for that, and until then neither table is changed.
    pub fn switch(&self, shift: u32) -> bool {
        let there = self.of(shift).is_some();
        if there {
            self.current.store(number(shift), Ordering::Release);
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Growing;

    #[test]
    fn there_is_one_table_of_each_size() {
        let tables = Resizable::new(HashTable::new(19));
        assert_eq!(tables.current().map(HashTable::shift), Some(19));
        assert!(!tables.switch(18) && !tables.add(HashTable::new(19)));
        let mut growing = Growing::new(18).unwrap();
        assert!(!growing.grow((1 << 14) - 1) && growing.grow(2));
        assert!(tables.add(growing.finish().unwrap()) && tables.switch(18));
        assert_eq!(tables.current().map(HashTable::len), Some(1 << 14));
        assert!(tables.of(19).is_some() && [0, 17, 46, 47, 99].iter().all(|shift| tables.of(*shift).is_none()));
    }

    #[test]
    fn what_has_not_grown_is_no_table() {
        let mut growing = Growing::new(18).unwrap();
        growing.grow(5);
        assert!(growing.finish().is_none());
        assert!(Growing::new(63).is_none());
    }
}
