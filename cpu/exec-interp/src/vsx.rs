//! Vsx instructions.

use ppc_isa::vsx::Vsx;

use crate::env::Handler;

/// The handler of `op`.
pub fn handler(op: Vsx) -> Handler {
    match op {}
}
