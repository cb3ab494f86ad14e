//! The guest's side of the KVM paravirtual interface, for kernels: find the hypervisor, call it, map the page of
//! shared registers, and rewrite privileged instructions into plain accesses to that page.
//!
//! No allocation, no `std`, no panic on what it is given. `unsafe` stands in the modules of the architectures and in
//! [`page`] only.
//!
//! # Adopting it in a kernel
//!
//! 1. Find the hypervisor in the flattened device tree: [`discovery::Hypervisor::find`]. Go on if `is_kvm` holds and there
//!    are instructions; otherwise there is nothing to do, and nothing was executed that could trap.
//! 2. Put the instructions into the stub: `powerpc::Stub::install`. From here on [`hypercall`] works.
//! 3. On every processor, [`hypercall::set_up_magic_page`]. It maps the page at [`PAGE`] in real mode and translated; AND
//!    the features that the processors report. Processors that start later must do the same before they run patched code.
//! 4. Have some 64 KiB of executable room for sections within 32 MiB of the code, and patch, once, interrupts off:
//!    [`patch::Patcher::run`] with `powerpc::Live` for code and room. Kernels that map their text read-only implement
//!    [`code::Code`] over a writable mapping of it. Patch modules with the same trampoline as they are loaded.
//!
//! # What the kernel promises
//!
//! * In privileged state r1 and r2 are never equal, and r1 is not zero: a section marks itself by storing r1 to
//!   [`page::MagicPage::critical`], and unmarks itself by storing r2.
//! * Only code that runs in privileged state is patched. In user mode the page does not exist.
//! * Nothing else is mapped at [`PAGE`], and no device or RAM that matters is at that real address.
//! * On e500v2 privileged code keeps to address space 0 (`MSR[DS]` = 0), where the page is.
//! * Code that is copied and run elsewhere, such as interrupt vectors, is named in [`patch::Patcher::copied`].
//! * A 64-bit kernel that changes its byte order of interrupts maps the page again: its order follows.
//!
//! What is not patched goes on working, by a trap. That holds for single instructions that had to be left, too.
//!
//! # On bytes
//!
//! The patcher needs no hypervisor and no PowerPC: it works on files as well.
//!
//! ```
//! use pv_guest::code::{Bytes, Code, Region};
//! use pv_guest::patch::{Patcher, Trampoline};
//! use pv_guest::pv_abi::{magic::FEATURE_MAS0_TO_SPRG7, rewrite::Build};
//!
//! // mfmsr r3; mtmsrd r3,1; rfid
//! let code = [0x7c, 0x60, 0x00, 0xa6, 0x7c, 0x61, 0x01, 0x64, 0x4c, 0x00, 0x00, 0x24];
//! let mut text = Region { code: Bytes::big_endian(code), address: 0xc000_0000_0000_1000 };
//! let room = Region { code: Bytes::big_endian(vec![0; 4096]), address: 0xc000_0000_0000_2000 };
//! let patcher =
//!     Patcher { build: Build::Book3s64, features: FEATURE_MAS0_TO_SPRG7, exclude: &[], copied: &[] };
//! let report = patcher.run(&mut text, &mut Trampoline::new(room), |site| println!("{site:x?}"));
//!
//! assert_eq!(report.rewritten(), 2);
//! assert_eq!(text.code.word(0), Some(0xe860_f058)); // ld r3,-4008(0)
//! assert_eq!(text.code.word(1), Some(0x4800_0ffc)); // b to the section
//! assert_eq!(text.code.word(2), Some(0x4c00_0024)); // rfid stays
//! ```
//!
//! # Discovery and calls
//!
//! A call is the same on every architecture; here a hypervisor of our own stands for the stub.
//!
//! ```
//! use pv_guest::discovery::Hypervisor;
//! use pv_guest::hypercall::{self, Failed, Hypercall, Reply};
//!
//! struct Nobody;
//! impl Hypercall for Nobody {
//!     const ARGUMENTS: usize = 8;
//!     fn call(&self, _number: u32, _arguments: &[u64]) -> Reply {
//!         Reply { status: -1, ..Reply::default() }
//!     }
//! }
//!
//! assert_eq!(Hypervisor::find(b"no tree"), Hypervisor::default());
//! assert_eq!(hypercall::set_up_magic_page(&Nobody), Err(Failed(-1)));
//! ```
//!
//! # A whole kernel
//!
//! `guest/kernels/src/bin/patch.rs`, a test kernel as it is built and run: `adopt` is all that adoption takes.
//! `powervisor run --machine bare --kernel guest/elf/patch-be.elf` runs it.
//!
//! ```text
#![doc = include_str!("../../kernels/src/bin/patch.rs")]
//! ```
#![no_std]
#![deny(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]
#![cfg_attr(any(target_arch = "powerpc", target_arch = "powerpc64"), feature(asm_experimental_arch))]
// Newer compilers need no such feature.
#![allow(unknown_lints, unused_features)]

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
