//! The hypercall conventions of `pv-abi` on hypervisors that are not ours: x86 on KVM, s390x on QEMU.
//!
//! A guest here is a handful of instructions: load the registers as [`pv_abi::convention`] says, execute the
//! hypercall, hand the registers out. QEMU is only the frame around it.
#![forbid(unsafe_code)]

pub mod qemu;
pub mod s390;
pub mod x86;
