//! AltiVec: vectors of integers and single-precision numbers (Power ISA Book I, chapter 6).

use crate::row::Row;

/// Semantic operations of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vector {}

/// The rows.
pub const ROWS: &[Row] = &[];
