//! The runs of test kernels that need more of the host than a machine: an image that outlives several, and somebody who adds
//! and removes devices.

use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs, process};

use anyhow::{Context, Result, ensure};
use guest_mem::BLOCK;
use machine::{Device, HotPlug, MEMORY_BLOCK};
use nvdimm::{Access, Fault, Image, Nvdimm, Options, Uuid};

use crate::guest::{Guest, Run, Timing};

/// All runs of the test kernel `name` on the machine of `guest`, and what each is called.
///
/// # Errors
/// What keeps a machine from being built, and images that are not left as they should be.
pub fn runs(name: &str, guest: &Guest) -> Result<Vec<(&'static str, Run)>> {
    match name {
        "scm" => persistent_memory(guest),
        "connectors" => connectors(guest),
        "contract" => contract(guest),
        // Somebody types what the kernel waits for.
        "hcalls" => Ok(vec![("only", guest.clone().append("typed").expect("type:", TYPED).run()?)]),
        "pci" => Ok(vec![("only", guest.clone().device(Device::VirtioRng).run()?)]),
        _ => Ok(vec![("only", guest.clone().run()?)]),
    }
}

/// Lines whose ends are CR alone, CR NUL, and CR NUL NUL.
const TYPED: &str = "a\r\0\0b\r\0\r\r\0c\0d";

/// A machine with something for each call to be about.
fn contract(guest: &Guest) -> Result<Vec<(&'static str, Run)>> {
    let image = Scratch::new("contract", 2)?;
    let device = image.device(Fault::default())?;
    let run = guest.clone().nvdimm(Arc::clone(&device)).run()?;
    device.detach()?;
    Ok(vec![("only", run)])
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

/// A machine with a device of each kind that can be there from the start and room for more, which the kernel asks for.
fn connectors(guest: &Guest) -> Result<Vec<(&'static str, Run)>> {
    /// Where they come: behind those from the start.
    const SLOT: u8 = 1;
    const PERSISTENT: u32 = 1;
    let (own, other) = (Scratch::new("own", 1)?, Scratch::new("other", 2)?);
    let (device, added) = (own.device(Fault::default())?, other.device(Fault::default())?);
    // The kernel has a clock to lose its patience by, which goes on while the host is at work.
    let mut guest = guest.clone().timing(Timing::Host).room(1, 2 * MEMORY_BLOCK, 2 * BLOCK);
    guest = guest.nvdimm(Arc::clone(&device)).device(Device::VirtioRng);
    for _ in 0..2 {
        let (coming, going) = (Arc::clone(&added), Arc::clone(&added));
        let put_away = move |plug: &HotPlug| {
            plug.remove_nvdimm(PERSISTENT)?;
            Ok(going.detach()?)
        };
        guest = plugs(guest, "add NVDIMM", move |plug| Ok(plug.add_nvdimm(&coming).map(drop)?));
        guest = plugs(guest, "remove NVDIMM", put_away);
    }
    guest = plugs(guest, "add memory", |plug| Ok(plug.add_memory(MEMORY_BLOCK)?));
    guest = plugs(guest, "remove memory", |plug| Ok(plug.remove_memory(MEMORY_BLOCK)?));
    guest = plugs(guest, "add CPU", |plug| Ok(plug.add_processors(1)?));
    guest = plugs(guest, "remove CPU", |plug| Ok(plug.remove_processors(1)?));
    guest = plugs(guest, "add device", |plug| Ok(plug.add_device(Device::VirtioRng).map(drop)?));
    guest = plugs(guest, "remove device", |plug| Ok(plug.remove_device(SLOT)?));
    let run = guest.run()?;
    device.detach()?;
    Ok(vec![("only", run)])
}

/// Does `deed` when the kernel asks for it, and types how that ended.
fn plugs(guest: Guest, what: &str, deed: impl Fn(&HotPlug) -> Result<()> + Send + Sync + 'static) -> Guest {
    guest.when(&format!("host: {what}\r\n"), move |controls| {
        let ended = controls.hot_plug().context("nothing can be added").and_then(|plug| deed(&plug));
        ended.map_or_else(|error| format!("{error}\n"), |()| "done\n".to_owned())
    })
}
