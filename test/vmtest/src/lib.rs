//! Whole machines under test: a guest, a dialogue with its console, and what came of it.
//!
//! A [`Guest`] is described, run once, and leaves a [`Run`]: why it ended, what it printed, what was counted. Time is
//! virtual by default and the dialogue answers in the very moment the expected text is printed, so that two runs of
//! one guest are the same instruction for instruction. The tests are in `tests/`, one file a kind of guest. Not the
//! job of this crate: unit tests, and judging single instructions.
#![forbid(unsafe_code)]

mod dialogue;
mod engine;
mod files;
mod guest;
mod lockstep;
mod runs;

pub use files::{Kernel, bare_metal, built, debian, debian_with_modules, skip, with_program};
pub use guest::{Guest, Run, Timing};

pub use engine::Kind as EngineKind;
pub use lockstep::the_same;
pub use runs::runs;
