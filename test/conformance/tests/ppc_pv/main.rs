//! The 101 conformance cases (spec ppc-pv 10): one file a heading of the list; names carry the numbers.
//!
//! Every case runs on each model to which it applies, in both byte orders where there are two, with privileged
//! instructions trapped and inline.

mod calls;
mod discovery;
mod emulation;
mod hypercall;
mod interrupts;
mod numbers;
mod page;
mod patcher;
mod saved;
