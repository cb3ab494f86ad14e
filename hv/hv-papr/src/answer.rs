//! What a hypercall returns: a status in r3 and outputs from r4 on.

use hv_core::Next;
use papr_abi::status::H_SUCCESS;

/// The answer of one call. Registers without an output keep their value.
#[derive(Clone, Debug)]
pub struct Answer {
    /// For r3.
    pub status: i64,
    /// For r4 to r12.
    pub outputs: Vec<u64>,
    /// How the vCPU goes on.
    pub next: Next,
}

impl Answer {
    /// Success without outputs.
    pub fn ok() -> Answer {
        Answer::status(H_SUCCESS)
    }

    /// A status alone.
    pub fn status(status: i64) -> Answer {
        Answer { status, outputs: Vec::new(), next: Next::Run }
    }

    /// Success with outputs.
    pub fn outputs(outputs: impl Into<Vec<u64>>) -> Answer {
        Answer { outputs: outputs.into(), ..Answer::ok() }
    }

    /// The same answer with another continuation.
    pub fn then(self, next: Next) -> Answer {
        Answer { next, ..self }
    }
}

/// Turns `Err(status)` into an answer, so that checks can use `?`.
pub type Checked = Result<Answer, i64>;
