//! The translator: guest code becomes code of the x86-64 host, a region at a time.
//!
//! It is never different from the interpreter: same event points, same results, same faults. Whatever it does not
//! translate, the interpreter executes in its place. Each vCPU has a translator of its own, so code is never changed
//! under a thread that runs it.
#![deny(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod asm;
mod atomic;
mod branch;
mod cache;
mod constants;
mod engine;
mod entry;
mod explore;
mod float;
mod host;
mod integer;
mod jumps;
mod keys;
mod loadstore;
mod lower;
mod pages;
mod plan;
mod reversed;
mod search;
mod segments;
mod sets;
mod shared;
mod slow;
mod strip;
mod switch;
mod system;
mod tlb;
mod vector;
mod vsr;
mod vsx;
mod watch;
mod window;

pub use engine::{Policy, Translator};
pub use host::check;
pub use watch::{Count, Counts, Line, Live, Place, Region, Watcher, What};
