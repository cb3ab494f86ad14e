//! The hypervisor calls of PAPR guests: numbers, return codes, RTAS tokens, structures (PAPR 2.9, chapter 14).
//!
//! Numbers keep PAPR's spelling. What the calls do is not known here.
#![no_std]
#![forbid(unsafe_code)]

pub mod client;
pub mod hcall;
pub mod rtas;
pub mod scm;
pub mod status;
