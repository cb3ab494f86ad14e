//! Hypercalls, the same for every architecture: a number, arguments, a reply.
//!
//! The instruction and its registers are the business of the architecture's module, there when built for it: `powerpc`
//! (what the device tree says), `x86` (`vmcall`, `vmmcall`), `s390x` (`diag`).

use pv_abi::{epapr, kvm, magic};

/// Arguments that the convention with the most has: PowerPC's r3 to r10.
pub const ARGUMENTS: usize = 8;

/// What a hypercall returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The result register: 0 for success; errors are positive on PowerPC (ePAPR), negative on x86 and s390x.
    pub status: i64,
    /// Further outputs: r4 to r11 on PowerPC, none elsewhere.
    pub outputs: [u64; ARGUMENTS],
}

/// A way to make a hypercall.
pub trait Hypercall {
    /// Arguments that fit into registers; more are ignored.
    const ARGUMENTS: usize;

    /// Makes call `number`. Arguments not given are zero.
    fn call(&self, number: u32, arguments: &[u64]) -> Reply;
}

/// A hypercall that did not succeed, with its status; -1 means that there is no hypervisor behind the stub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed(pub i64);

impl core::fmt::Display for Failed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "hypercall failed with status {}", self.0)
    }
}

impl core::error::Error for Failed {}

fn first_output(reply: &Reply) -> Result<u64, Failed> {
    let [first, ..] = reply.outputs;
    if reply.status == 0 { Ok(first) } else { Err(Failed(reply.status)) }
}

/// KVM's features on PowerPC, as a bit map (`kvm::FEATURE_*`).
///
/// # Errors
/// No such call, or no hypervisor.
pub fn features(by: &impl Hypercall) -> Result<u64, Failed> {
    first_output(&by.call(kvm::FEATURES, &[]))
}

/// Maps this processor's magic page at real address `real` and effective address `effective`, and returns its features
/// (`magic::FEATURE_*`). Each processor does this for itself. `executable` promises that the trampoline is in pages
/// that are not mapped no-execute; otherwise the hypervisor ignores that bit from now on.
///
/// The page hides whatever else is at the two addresses, in privileged state only. Code patched for it reaches it at
/// [`crate::PAGE`], and with relocation on and off only if both addresses are that.
///
/// # Errors
/// No such call, or no hypervisor.
pub fn map_magic_page(by: &impl Hypercall, real: u64, effective: u64, executable: bool) -> Result<u64, Failed> {
    let flags = if executable { magic::FLAG_NOT_MAPPED_NX } else { 0 };
    first_output(&by.call(kvm::MAP_MAGIC_PAGE, &[real & !0xfff, effective & !0xfff | flags]))
}

/// Asks for the magic page where patched code expects it, if the hypervisor offers one.
///
/// # Errors
/// No hypervisor, or one without magic page (status of EV_UNIMPLEMENTED).
pub fn set_up_magic_page(by: &impl Hypercall) -> Result<u64, Failed> {
    if features(by)? & kvm::FEATURE_MAGIC_PAGE == 0 {
        return Err(Failed(epapr::Status::Unimplemented as i64));
    }
    map_magic_page(by, crate::PAGE, crate::PAGE, true)
}

/// Waits until something is pending for this processor. May return for no reason.
///
/// # Errors
/// No such call, or no hypervisor.
pub fn idle(by: &impl Hypercall) -> Result<(), Failed> {
    first_output(&by.call(epapr::IDLE, &[])).map(|_| ())
}
