//! VSX: scalar and vector operations on 64 registers (Power ISA Book I, chapter 7).

use crate::row::Row;

/// Semantic operations of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vsx {}

/// The rows.
pub const ROWS: &[Row] = &[];
