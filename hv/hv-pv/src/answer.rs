//! What a hypercall of the KVM convention takes and returns.

use hv_core::Next;
use pv_abi::epapr::Status;

/// Parameters r3 to r10, as the mode sees them: in 32-bit mode without their upper halves.
pub type Parameters = [u64; 8];

/// At most eight values, in a place of their own: calls are frequent.
#[derive(Clone, Copy, Default)]
pub struct Outputs {
    values: [u64; 8],
    count: usize,
}

impl<const N: usize> From<[u64; N]> for Outputs {
    fn from(values: [u64; N]) -> Outputs {
        values.into_iter().collect()
    }
}

impl FromIterator<u64> for Outputs {
    fn from_iter<T: IntoIterator<Item = u64>>(values: T) -> Outputs {
        let mut outputs = Outputs::default();
        for (slot, value) in outputs.values.iter_mut().zip(values) {
            *slot = value;
            outputs.count += 1;
        }
        outputs
    }
}

impl IntoIterator for Outputs {
    type Item = u64;
    type IntoIter = std::iter::Take<std::array::IntoIter<u64, 8>>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.into_iter().take(self.count)
    }
}

/// The answer of one call.
pub struct Answer {
    /// For r3.
    pub status: Status,
    /// For r4 and up. r4 is written by every call, with 0 when there is no output; the others keep their values.
    pub outputs: Outputs,
    /// How the vCPU goes on.
    pub next: Next,
}

/// The answer, or the status that says why there is none.
pub type Checked = Result<Answer, Status>;

impl Answer {
    /// A status alone.
    pub fn status(status: Status) -> Answer {
        Answer { status, outputs: Outputs::default(), next: Next::Run }
    }

    /// Success without outputs.
    pub fn ok() -> Answer {
        Answer::status(Status::Success)
    }

    /// Success with outputs.
    pub fn outputs(outputs: impl Into<Outputs>) -> Answer {
        Answer { outputs: outputs.into(), ..Answer::ok() }
    }
}
