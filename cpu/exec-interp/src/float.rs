//! Float instructions.

use ppc_isa::float::Float;

use crate::env::Handler;

/// The handler of `op`.
pub fn handler(op: Float) -> Handler {
    match op {}
}
