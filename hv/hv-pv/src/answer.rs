//! What a hypercall of the KVM convention takes and returns.

use hv_core::Next;
use pv_abi::epapr::Status;

/// Parameters r3 to r10, as the mode sees them: in 32-bit mode without their upper halves.
pub type Parameters = [u64; 8];

/// The answer of one call.
pub struct Answer {
    /// For r3.
    pub status: Status,
    /// For r4 and up. r4 is written by every call, with 0 when there is no output; the others keep their values.
    pub outputs: Vec<u64>,
    /// How the vCPU goes on.
    pub next: Next,
}

/// The answer, or the status that says why there is none.
pub type Checked = Result<Answer, Status>;

impl Answer {
    /// A status alone.
    pub fn status(status: Status) -> Answer {
        Answer { status, outputs: Vec::new(), next: Next::Run }
    }

    /// Success without outputs.
    pub fn ok() -> Answer {
        Answer::status(Status::Success)
    }

    /// Success with outputs.
    pub fn outputs(outputs: impl Into<Vec<u64>>) -> Answer {
        Answer { outputs: outputs.into(), ..Answer::ok() }
    }
}
