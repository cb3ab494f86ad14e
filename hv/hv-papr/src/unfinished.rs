//! What calls on the hashed page table leave unfinished, to be gone on with by the next call.

use papr_abi::status::H_RESOURCE;
use ppc_mmu::resizable::Resizable;
use ppc_mmu::table::Growing;

/// Entries that one call prepares: 2 MiB. The work is done in the calls, so there is little to wait for between them.
const SLICE: u64 = 1 << 17;
/// What calls on the table leave unfinished. Held by calls that look at the table or change it: each does so as a
/// whole.
#[derive(Default)]
pub(crate) struct Unfinished {
    /// Entries that H_CLEAR_HPT has cleared.
    pub(crate) cleared: u64,
    /// Something was entered since the table was empty.
    pub(crate) used: bool,
    /// A table of another size.
    pub(crate) resizing: Resizing,
}

impl Unfinished {
    /// H_CLEAR_HPT begins anew, with another table.
    pub(crate) fn begin_anew(&mut self) {
        self.cleared = 0;
    }
}

/// How far a resizing has come. What is dropped unfinished gives its memory back.
#[derive(Default)]
pub(crate) enum Resizing {
    /// Nothing was asked for.
    #[default]
    Idle,
    /// A table is on the way.
    Preparing { shift: u32, progress: Progress },
    /// All entries of the table of this size are invalid, and it waits to be put in force.
    Prepared { shift: u32 },
}

pub(crate) enum Progress {
    /// There was none of this size.
    Growing(Growing),
    /// It was in force once: so many of its entries are invalid again.
    Clearing(u64),
}

impl Resizing {
    /// Begins with a table of `1 << shift` bytes. That in force, if it is of this size, needs nothing.
    pub(crate) fn begin(tables: &Resizable, shift: u32) -> Result<Resizing, i64> {
        if tables.current().is_some_and(|table| table.shift() == shift) {
            return Ok(Resizing::Prepared { shift });
        }
        let progress = match tables.of(shift) {
            Some(_) => Progress::Clearing(0),
            None => Progress::Growing(Growing::new(shift).ok_or(H_RESOURCE)?),
        };
        Ok(Resizing::Preparing { shift, progress })
    }

    /// Goes on by a slice.
    pub(crate) fn advance(self, tables: &Resizable) -> Resizing {
        let Resizing::Preparing { shift, progress } = self else { return self };
        let progress = match progress {
            Progress::Growing(mut growing) => {
                if growing.grow(SLICE as usize) {
                    let added = growing.finish().is_some_and(|table| tables.add(table));
                    return if added { Resizing::Prepared { shift } } else { Resizing::Idle };
                }
                Progress::Growing(growing)
            }
            Progress::Clearing(first) => {
                let Some(table) = tables.of(shift) else { return Resizing::Idle };
                let end = table.len().min(first + SLICE);
                for index in first..end {
                    table.write(index, 0, 0);
                }
                if end == table.len() {
                    return Resizing::Prepared { shift };
                }
                Progress::Clearing(end)
            }
        };
        Resizing::Preparing { shift, progress }
    }

    pub(crate) fn shift(&self) -> Option<u32> {
        match *self {
            Resizing::Idle => None,
            Resizing::Preparing { shift, .. } | Resizing::Prepared { shift } => Some(shift),
        }
    }
}
