//! The guest's side of the KVM paravirtual interface, for kernels: find the hypervisor, call it, map the page of
//! shared registers, and rewrite privileged instructions into plain accesses to that page.
//!
//! No allocation, no `std`, no panic on what it is given. `unsafe` stands in the modules of the architectures and in
//! [`page`] only.
#![no_std]
#![deny(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]
#![cfg_attr(any(target_arch = "powerpc", target_arch = "powerpc64"), feature(asm_experimental_arch))]

pub mod code;
pub mod discovery;
pub mod fdt;
pub mod hypercall;
pub mod page;
pub mod patch;
#[cfg(any(target_arch = "powerpc", target_arch = "powerpc64"))]
pub mod powerpc;
#[cfg(target_arch = "s390x")]
pub mod s390x;
#[cfg(target_arch = "x86_64")]
pub mod x86;

pub use pv_abi;

/// Where patched code expects the magic page, as effective and as real address: reached by a displacement from zero.
pub const PAGE: u64 = pv_abi::rewrite::PAGE as u64;
