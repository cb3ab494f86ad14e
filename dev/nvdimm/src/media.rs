//! The way of stores from guest memory into the file.
//!
//! Usually the file itself is the memory, and the host's page cache keeps what the process stored even when it is
//! killed. To try what the loss of power does, memory can lose its stores instead: then they reach the file when a flush
//! carries them there, or by chance before, in sectors, as caches write them.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use guest_mem::{GuestMem, Sharing};
use platform::SeededRandom;

use crate::image::{Access, Image};

/// Bytes that a disk writes as a whole.
const SECTOR: usize = 512;
/// Bytes that are compared at a time.
const CHUNK: usize = 1 << 16;

/// Faults that can be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// Stores that were not flushed are lost when the process is killed.
    pub loses: bool,
    /// The sync with this number, from 1 on, fails.
    pub failing_sync: Option<u64>,
}

/// Where the blocks of the image are.
#[derive(Default)]
struct Mapped {
    mem: Option<Arc<GuestMem>>,
    /// Guest real address of each mapped block.
    blocks: BTreeMap<u64, u64>,
}

pub(crate) struct Media {
    image: Arc<Image>,
    fault: Fault,
    mapped: Mutex<Mapped>,
    syncs: AtomicU64,
    /// Number of the sync that fails.
    failing: AtomicU64,
}

impl Media {
    pub(crate) fn new(image: Arc<Image>, fault: Fault) -> Media {
        let failing = AtomicU64::new(fault.failing_sync.unwrap_or(0));
        Media { image, fault, mapped: Mutex::default(), syncs: AtomicU64::new(0), failing }
    }

    fn lock(&self) -> MutexGuard<'_, Mapped> {
        self.mapped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The machine's memory from now on; nothing is mapped in it. `None` when there is no machine.
    pub(crate) fn attach(&self, mem: Option<Arc<GuestMem>>) {
        *self.lock() = Mapped { mem, blocks: BTreeMap::new() };
    }

    /// Maps `count` blocks from `first` on at guest real address `address`.
    pub(crate) fn map(&self, address: u64, first: u64, count: u64) -> io::Result<()> {
        let mut mapped = self.lock();
        let header = self.image.header();
        let mem = mapped.mem.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let read_only = self.image.access() == Access::Read;
        let sharing = if self.fault.loses || read_only { Sharing::Private } else { Sharing::Shared };
        let range = address..address + count * header.block_size;
        mem.map(range, self.image.file(), header.data_offset() + first * header.block_size, sharing)?;
        let places = (first..first + count).map(|block| (block, address + (block - first) * header.block_size));
        mapped.blocks.extend(places);
        Ok(())
    }

    /// The blocks `blocks` are about to be taken out of memory.
    pub(crate) fn unmap(&self, blocks: Range<u64>) -> io::Result<()> {
        let mut mapped = self.lock();
        if self.fault.loses {
            let going = mapped.blocks.range(blocks.clone()).map(|(block, address)| (*block, *address));
            for (block, address) in going.collect::<Vec<_>>() {
                self.write_back(&mapped, block, address, &mut || true)?;
            }
        }
        mapped.blocks.retain(|block, _| !blocks.contains(block));
        Ok(())
    }

    /// Lets the next sync fail.
    pub(crate) fn fail_next(&self) {
        self.failing.store(self.syncs.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Carries everything stored so far to the medium.
    pub(crate) fn sync(&self) -> io::Result<()> {
        if self.image.access() == Access::Read {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        if self.syncs.fetch_add(1, Ordering::Relaxed) + 1 == self.failing.load(Ordering::Relaxed) {
            return Err(io::Error::other("a sync that was to fail"));
        }
        if self.fault.loses {
            let mapped = self.lock();
            mapped.blocks.iter().try_for_each(|(block, at)| self.write_back(&mapped, *block, *at, &mut || true))?;
        }
        self.image.file().sync_data()
    }

    /// Writes some of what was stored to the file, as caches do.
    pub(crate) fn evict(&self, random: &SeededRandom) -> io::Result<()> {
        let mapped = self.lock();
        let blocks: Vec<(u64, u64)> = mapped.blocks.iter().map(|(block, at)| (*block, *at)).collect();
        let Some((block, at)) = blocks.get((random.next() % blocks.len().max(1) as u64) as usize) else {
            return Ok(());
        };
        self.write_back(&mapped, *block, *at, &mut || random.next().is_multiple_of(4))
    }

    /// Writes the sectors of a block that differ from the file and that `chosen` chooses.
    fn write_back(&self, mapped: &Mapped, block: u64, at: u64, chosen: &mut dyn FnMut() -> bool) -> io::Result<()> {
        let Some(mem) = &mapped.mem else { return Ok(()) };
        let header = self.image.header();
        let start = header.data_offset() + block * header.block_size;
        let (mut now, mut before) = (vec![0; CHUNK], vec![0; CHUNK]);
        for offset in (0..header.block_size).step_by(CHUNK) {
            mem.read(at + offset, &mut now);
            self.image.file().read_exact_at(&mut before, start + offset)?;
            if now == before {
                continue;
            }
            let sectors = now.chunks(SECTOR).zip(before.chunks(SECTOR)).zip((start + offset..).step_by(SECTOR));
            for ((now, before), place) in sectors {
                if now != before && chosen() {
                    self.image.file().write_all_at(now, place)?;
                }
            }
        }
        Ok(())
    }
}
