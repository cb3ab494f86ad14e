//! The translator and the interpreter make the same of the same program.

mod float;
mod logic;
mod program;
mod rig;
mod segments;
mod shared;
mod strips;
mod window;
