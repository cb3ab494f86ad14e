//! Vector instructions.

use ppc_isa::vector::Vector;

use crate::env::Handler;

/// The handler of `op`.
pub fn handler(op: Vector) -> Handler {
    match op {}
}
