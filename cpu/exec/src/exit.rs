//! Why an engine stopped: a closed set of values for what happens between instructions.

use ppc_isa::Row;

use crate::interrupt::Interrupt;

/// An instruction as the engine fetched it, once.
#[derive(Clone, Copy, Debug)]
pub struct Instruction {
    /// Its row.
    pub row: &'static Row,
    /// Its word; the prefix of a prefixed instruction stands in the high half.
    pub word: u64,
    /// Bytes: 4 or 8.
    pub len: u8,
    /// Its effective address.
    pub address: u64,
}

/// What happened. `state.cia` is the address of the instruction concerned, unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub enum Exit {
    /// A privileged instruction, not executed.
    Privileged(Instruction),
    /// `sc`, not executed: hypercall or system call, as the hypervisor classifies it.
    SystemCall(Instruction),
    /// The word is no instruction of this CPU; some hypercall interfaces give certain words a meaning.
    Illegal {
        /// As fetched, once.
        word: u32,
    },
    /// The instruction caused an interrupt; it is not delivered yet.
    Interrupt(Interrupt),
    /// An event point was reached with the budget spent or a request pending; `state.cia` is the next instruction.
    Event,
}
