//! An NVDIMM in a machine: an open image, its blocks in guest memory, flushes, health and statistics.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use guest_mem::GuestMem;
use platform::SeededRandom;

use crate::flush::{Flush, Flushes};
use crate::header::State;
use crate::health;
use crate::image::{Access, Geometry, Image};
pub use crate::media::Fault;
use crate::media::Media;
use crate::statistics::{Name, Statistics};

/// How a device behaves.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// States of health besides those that it finds itself in, see [`health`].
    pub health: u64,
    /// Percent of its life that are left.
    pub life: u64,
    /// Faults to be had.
    pub fault: Fault,
    /// Flushes end before their first call returns, so that the guest does the same in every run.
    pub inline: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { health: 0, life: 100, fault: Fault::default(), inline: false }
    }
}

/// Between two writes of caches that lose what is not flushed.
const EVICTION: Duration = Duration::from_millis(3);

/// What the device's threads share with it.
struct Core {
    image: Arc<Image>,
    media: Media,
    statistics: Statistics,
    closing: AtomicBool,
}

impl Core {
    /// Whether everything stored so far is on the medium.
    fn sync(&self) -> bool {
        let start = Instant::now();
        let done = self.media.sync().is_ok();
        self.statistics.wrote(start.elapsed());
        done
    }
}

/// An NVDIMM.
pub struct Nvdimm {
    core: Arc<Core>,
    flushes: Flushes,
    /// Writes some of what was not flushed, where that can be lost.
    cache: Option<thread::JoinHandle<()>>,
    /// Flushes are waited for.
    inline: bool,
    /// States that were set.
    set: AtomicU64,
    /// Contents from before are there.
    restored: bool,
    /// The file says that it is in use.
    marked: Mutex<bool>,
}

impl Nvdimm {
    /// The device of an image.
    ///
    /// # Errors
    /// When the host gives no thread.
    pub fn new(image: Image, options: &Options) -> io::Result<Nvdimm> {
        let header = image.header();
        let image = Arc::new(image);
        let core = Arc::new(Core {
            media: Media::new(Arc::clone(&image), options.fault),
            statistics: Statistics::new(header.power_on_seconds, options.life),
            image,
            closing: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&core);
        let flushes = Flushes::new(move || theirs.sync())?;
        let theirs = Arc::clone(&core);
        let evict = move || {
            let random = SeededRandom::new([0x2d; 32]);
            while !theirs.closing.load(Ordering::Relaxed) {
                thread::sleep(EVICTION);
                // What it could not write is lost, as it may be.
                let _ = theirs.media.evict(&random);
            }
        };
        let cache = thread::Builder::new().name("nvdimm-cache".to_owned());
        let cache = if options.fault.loses { Some(cache.spawn(evict)?) } else { None };
        Ok(Nvdimm {
            core,
            flushes,
            cache,
            inline: options.inline,
            set: AtomicU64::new(options.health & health::VALID),
            restored: header.state == State::Clean,
            marked: Mutex::new(false),
        })
    }

    /// Sizes and identity.
    pub fn geometry(&self) -> Geometry {
        self.core.image.geometry()
    }

    /// A machine with memory `mem` starts: nothing is mapped, no flush is open.
    pub fn attach(&self, mem: Arc<GuestMem>) {
        self.core.media.attach(Some(mem));
        self.core.statistics.reset();
        self.flushes.forget();
    }

    /// The machine ended in order: everything stored goes to the medium, and the file says that it was put away.
    ///
    /// # Errors
    /// What the host refuses, and an earlier flush that failed; then the file says so to whoever opens it next.
    pub fn detach(&self) -> io::Result<()> {
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        let saved = !*marked || self.flushes.finish();
        self.core.media.attach(None);
        if !saved {
            return Err(io::Error::other("what the guest stored could not all be written"));
        }
        if std::mem::take(&mut *marked) {
            self.core.image.mark(State::Clean, self.core.statistics.power_on_seconds())?;
        }
        Ok(())
    }

    /// Maps `count` blocks from `first` on at guest real address `address`. Before the first one is, the file says that it
    /// is in use.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn map(&self, address: u64, first: u64, count: u64) -> io::Result<()> {
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        if !*marked && self.core.image.access() == Access::Write {
            self.core.image.mark(State::InUse, self.core.statistics.power_on_seconds())?;
            *marked = true;
        }
        self.core.media.map(address, first, count)
    }

    /// Blocks are about to be taken out of guest memory, where they still are.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn unmap(&self, blocks: Range<u64>) -> io::Result<()> {
        self.core.media.unmap(blocks)
    }

    /// Copies bytes of the label area; `false` when they are not all in it.
    pub fn read_label(&self, offset: u64, out: &mut [u8]) -> bool {
        self.core.image.read_label(offset, out)
    }

    /// Replaces bytes of the label area, durably.
    ///
    /// # Errors
    /// What the host refuses.
    pub fn write_label(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let start = Instant::now();
        let result = self.core.image.write_label(offset, data);
        self.core.statistics.wrote(start.elapsed());
        result
    }

    /// Begins a flush if `token` is 0, else asks how it goes on.
    pub fn flush(&self, token: u64) -> Flush {
        if !self.inline || token != 0 {
            return self.flushes.flush(token);
        }
        if self.flushes.finish() { Flush::Done } else { Flush::Failed }
    }

    /// Its states of health.
    pub fn health(&self) -> u64 {
        let is = |condition: bool, bit: u64| if condition { bit } else { 0 };
        let failed = self.flushes.failed() || self.core.image.left_dirty();
        self.set.load(Ordering::Relaxed)
            | is(self.core.image.access() == Access::Read, health::UNARMED)
            | is(failed, health::SAVE_FAILED)
            | is(self.restored, health::RESTORED)
    }

    /// Sets the states of health besides those that it finds itself in.
    pub fn set_health(&self, states: u64) {
        self.set.store(states & health::VALID, Ordering::Relaxed);
    }

    /// Sets how many percent of its life are left.
    pub fn set_life(&self, percent: u64) {
        self.core.statistics.set_life(percent);
    }

    /// Lets the next sync fail.
    pub fn fail_next_sync(&self) {
        self.core.media.fail_next();
    }

    /// Its statistics by name.
    pub fn statistics(&self) -> impl Iterator<Item = (Name, u64)> + use<> {
        self.core.statistics.all().into_iter()
    }
}

impl fmt::Debug for Nvdimm {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Nvdimm").field("geometry", &self.geometry()).finish_non_exhaustive()
    }
}

impl Drop for Nvdimm {
    fn drop(&mut self) {
        self.core.closing.store(true, Ordering::Relaxed);
        if let Some(cache) = self.cache.take() {
            let _ = cache.join();
        }
    }
}
