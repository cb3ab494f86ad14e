//! A vCPU leaves the host's processors and comes back, as who runs it tells the hypervisor.

/// Why a vCPU does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// It waits for an interrupt or a request.
    Waits,
    /// It gave way to others.
    Yields,
    /// Others run in its place, though it could.
    Preempted,
    /// It is stopped, and what it registered is void.
    Stops,
}

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// It does not run from now on.
    Leaves(Rest),
    /// It runs again. For so many ticks since it was told last it could have run, as far as the host knows, and did not.
    Enters(u64),
}
