//! The runs of test kernels that need more of the host than a machine: an image that outlives several.

use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs, process};

use anyhow::{Result, ensure};
use guest_mem::BLOCK;
use nvdimm::{Access, Fault, Image, Nvdimm, Options, Uuid};

use crate::guest::{Guest, Run};

/// All runs of the test kernel `name` on the machine of `guest`, and what each is called.
///
/// # Errors
/// What keeps a machine from being built, and images that are not left as they should be.
pub fn runs(name: &str, guest: &Guest) -> Result<Vec<(&'static str, Run)>> {
    match name {
        "scm" => persistent_memory(guest),
        _ => Ok(vec![("only", guest.clone().run()?)]),
    }
}

/// An image of persistent memory that goes with the runs.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, blocks: u64) -> Result<Scratch> {
        let path = env::temp_dir().join(format!("vmtest-{name}-{}", process::id()));
        let _ = fs::remove_file(&path);
        Image::create(&path, Uuid([3; 16]), blocks * BLOCK, 4096)?;
        Ok(Scratch(path))
    }

    fn device(&self, fault: Fault) -> Result<Arc<Nvdimm>> {
        let options = Options { fault, ..Options::default() };
        Ok(Arc::new(Nvdimm::new(Image::open(&self.0, Access::Write)?, &options)?))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// How a machine leaves its image.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Put away.
    InOrder,
    /// As when the host loses power: what was not flushed is lost, and it is not put away.
    Crash,
    /// After a sync that failed: it can not be put away.
    Failure,
}

/// One image from run to run, told by a word what to do with it; then a machine without any.
fn persistent_memory(guest: &Guest) -> Result<Vec<(&'static str, Run)>> {
    let image = Scratch::new("scm", 3)?;
    let mut runs = Vec::new();
    for (name, word, end) in [
        ("first", "", End::InOrder),
        ("second", "", End::InOrder),
        ("crashing", "dirty", End::Crash),
        ("after the crash", "after lost", End::InOrder),
        ("failing", "failing", End::Failure),
        ("after the failure", "after", End::InOrder),
    ] {
        let failing_sync = if end == End::Failure { Some(2) } else { None };
        let device = image.device(Fault { loses: end == End::Crash, failing_sync })?;
        runs.push((name, guest.clone().append(word).nvdimm(Arc::clone(&device)).run()?));
        if end != End::Crash {
            ensure!(device.detach().is_ok() == (end == End::InOrder), "{name} run: the image was put away otherwise");
        }
    }
    runs.push(("last, without an image,", guest.clone().run()?));
    Ok(runs)
}
