//! Translation: one address, in the space and by the tables that apply.

use crate::access::{Access, Mapping, REAL_MASK};
use crate::fault::Fault;
use crate::space::{Space, Tables};
use crate::{book3s32, booke, hash, radix};

impl Space<'_> {
    /// Translates `ea` for `access`, setting reference and change bits as the architecture asks.
    ///
    /// # Errors
    /// The fault that the access causes; status bits without the store bit.
    pub fn translate(&self, ea: u64, access: Access) -> Result<Mapping, Fault> {
        match self.tables {
            Tables::Real => {
                // All of storage is one page, of any size.
                Ok(Mapping { real: ea & REAL_MASK, shift: 30, read: true, write: true, execute: true, uncached: false })
            }
            Tables::Radix { table, size, pid } => radix::translate(self, table, size, pid, ea, access),
            Tables::Book3s32 { bats, pages } => book3s32::translate(self.mem, self.problem, bats, pages, ea, access),
            Tables::BookE { tlb, pids, space, little } => {
                booke::translate(self.problem, tlb, pids, space, little, ea, access)
            }
            Tables::Hash { table, slb, ignore_no_execute } => {
                let no_execute = self.problem || !ignore_no_execute;
                hash::translate(self, table, slb, no_execute, ea, access)
            }
        }
    }
}
