//! Persistent memory: a file with a header, a label area and blocks of data that a machine maps into guest memory.
//!
//! What is promised: a label write is in the file, durably, when it returns; data is when a flush that began after the
//! stores has succeeded; and whoever opens the file next can tell whether it was put away in order.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod device;
pub mod flush;
pub mod header;
pub mod health;
pub mod image;
pub mod labels;
pub mod statistics;
pub mod uuid;

mod media;

pub use device::{Fault, Nvdimm, Options};
pub use flush::Flush;
pub use header::Header;
pub use image::{Access, Geometry, Image, ImageError};
pub use uuid::Uuid;
