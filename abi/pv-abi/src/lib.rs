//! The paravirtual interface between KVM-style hypervisors and PowerPC guests, as data.
//!
//! Hypercall tokens and return codes, the magic page of shared registers, and the table of rewrites that turns
//! privileged instructions into plain accesses to that page. Host and guest side share it; neither is known here.
#![no_std]
#![forbid(unsafe_code)]

pub mod calls;
pub mod convention;
pub mod epapr;
pub mod kvm;
pub mod magic;
pub mod osi;
pub mod rewrite;
