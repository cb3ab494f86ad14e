//! Scalar floating point with its loads, stores and FPSCR (Power ISA Book I, chapter 4).

use crate::row::Row;

/// Semantic operations of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Float {}

/// The rows.
pub const ROWS: &[Row] = &[];
