//! Memory behind RAM that comes and goes while the machine runs: hot-plugged memory, files that are persistent memory.
//!
//! The host's address space for it is there from the start, readable and writable. What is not present is fresh memory
//! that [`GuestMem::contains`] hides, so an access that had passed this check when the memory went reaches nothing that
//! anybody sees, and never the end of the process.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous};

use crate::{GuestMem, PAGE_SHIFT};

/// Memory comes and goes in blocks of so many bytes.
pub const BLOCK: u64 = 1 << 24;

/// What becomes of stores to a mapped file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// They go to the file.
    Shared,
    /// They stay in this machine.
    Private,
}

/// Which blocks are present, counted from address 0 on.
pub(crate) struct Room {
    present: Box<[AtomicBool]>,
}

impl Room {
    pub(crate) fn new(end: u64) -> Room {
        Room { present: (0..end.div_ceil(BLOCK)).map(|_| AtomicBool::new(false)).collect() }
    }

    /// The blocks that `range` touches; `None` if it is empty or reaches behind the end.
    fn blocks(&self, range: Range<u64>) -> Option<&[AtomicBool]> {
        let last = range.end.checked_sub(1).filter(|last| *last >= range.start)?;
        self.present.get((range.start / BLOCK) as usize..=(last / BLOCK) as usize)
    }

    fn set(&self, range: Range<u64>, present: bool) {
        self.blocks(range).into_iter().flatten().for_each(|block| block.store(present, Ordering::Release));
    }
}

impl GuestMem {
    /// Where memory may come: from the first whole block behind RAM on.
    pub fn room(&self) -> Range<u64> {
        let start = self.len.next_multiple_of(BLOCK);
        start..self.end.max(start)
    }

    /// Whether `addr..addr + len` is memory where not all of it is RAM.
    #[cold]
    pub(crate) fn contains_behind(&self, addr: u64, len: u64) -> bool {
        let Some(end) = addr.checked_add(len).filter(|end| *end <= self.end) else { return false };
        // Between RAM and the first block there is nothing.
        if addr < self.len && !self.len.is_multiple_of(BLOCK) {
            return false;
        }
        // No bytes are where the next one would be, as in RAM.
        let blocks = self.room.blocks(addr.max(self.len)..end.max(addr + 1));
        blocks.is_some_and(|blocks| blocks.iter().all(|block| block.load(Ordering::Acquire)))
    }

    /// Whether `range` is whole blocks of the room.
    fn is_room(&self, range: &Range<u64>) -> bool {
        let room = self.room();
        let whole = range.start.is_multiple_of(BLOCK) && range.end.is_multiple_of(BLOCK);
        whole && range.start < range.end && range.start >= room.start && range.end <= room.end
    }

    fn checked(&self, range: &Range<u64>) -> io::Result<usize> {
        if self.is_room(range) {
            Ok((range.end - range.start) as usize)
        } else {
            Err(io::ErrorKind::InvalidInput.into())
        }
    }

    /// Makes `range`, whole blocks of the room, memory that is zero, unless it is memory already.
    ///
    /// # Errors
    /// Ranges that are not whole blocks of the room.
    pub fn add(&self, range: Range<u64>) -> io::Result<()> {
        self.checked(&range)?;
        self.room.set(range, true);
        Ok(())
    }

    /// Makes `range`, whole blocks of the room, the bytes of `file` from `offset` on, a multiple of the host's page size. The
    /// file must stay that long.
    ///
    /// # Errors
    /// Ranges that are not whole blocks of the room, and what the host refuses.
    pub fn map(&self, range: Range<u64>, file: &File, offset: u64, sharing: Sharing) -> io::Result<()> {
        let len = self.checked(&range)?;
        let flags = match sharing {
            Sharing::Shared => MapFlags::SHARED,
            Sharing::Private => MapFlags::PRIVATE | MapFlags::NORESERVE,
        };
        // SAFETY: the range is whole pages of this machine's reserved address space, as was just checked, where nothing of
        // ours but guest memory can be; others access it by atomics only and find the old or the new bytes.
        unsafe {
            let place = self.ram.as_mut_ptr().add(range.start as usize).cast();
            mmap(place, len, ProtFlags::READ | ProtFlags::WRITE, flags | MapFlags::FIXED, file, offset)?;
        }
        self.room.set(range, true);
        Ok(())
    }

    /// Makes `range` no memory any more. vCPUs must forget their translations, and then it is to be released with
    /// [`GuestMem::release`]; until then what it was stays as it is.
    pub fn withdraw(&self, range: Range<u64>) {
        self.room.set(range, false);
    }

    /// Gives back the host's memory of `range`, which was [withdrawn](GuestMem::withdraw) and is reached by nobody.
    ///
    /// # Errors
    /// Ranges that are not whole blocks of the room, and what the host refuses: then nothing has changed.
    pub fn release(&self, range: Range<u64>) -> io::Result<()> {
        let len = self.checked(&range)?;
        // SAFETY: as in `map`.
        unsafe {
            let place = self.ram.as_mut_ptr().add(range.start as usize).cast();
            let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED;
            mmap_anonymous(place, len, ProtFlags::READ | ProtFlags::WRITE, flags)?;
        }
        // Code that engines keep of it is another's when memory comes here again.
        (range.start >> PAGE_SHIFT..range.end >> PAGE_SHIFT).for_each(|page| self.code.wrote(page));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, Write};

    use super::*;
    use crate::Order;

    fn file(name: &str, byte: u8) -> File {
        let path = std::env::temp_dir().join(format!("guest-mem-room-{}-{name}", std::process::id()));
        let options = File::options().read(true).write(true).create(true).truncate(true).to_owned();
        let mut file = options.open(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        file.write_all(&vec![byte; 2 * BLOCK as usize]).unwrap();
        file
    }

    #[test]
    fn blocks_come_and_go_behind_ram() {
        let mem = GuestMem::with_room(3 * BLOCK, 6 * BLOCK, 128).unwrap();
        assert_eq!(mem.room(), 3 * BLOCK..6 * BLOCK);
        assert!(!mem.contains(3 * BLOCK, 1) && !mem.contains(3 * BLOCK - 1, 2));
        mem.add(3 * BLOCK..4 * BLOCK).unwrap();
        assert!(mem.store(3 * BLOCK - 4, Order::Big, 0x1122_3344_5566_7788u64));
        assert_eq!(mem.load::<u32>(3 * BLOCK, Order::Big), Some(0x5566_7788));
        assert!(!mem.contains(4 * BLOCK - 1, 2) && mem.contains(0, 4 * BLOCK) && !mem.contains(0, 5 * BLOCK));
        // Nothing at all is where the next byte would be.
        assert!(mem.contains(3 * BLOCK + 5, 0) && !mem.contains(4 * BLOCK + 5, 0));
        mem.add(5 * BLOCK..6 * BLOCK).unwrap();
        assert!(
            !mem.contains(3 * BLOCK, 3 * BLOCK)
                && mem.contains(5 * BLOCK, BLOCK)
                && !mem.contains(5 * BLOCK, BLOCK + 1)
        );
        mem.mark_code(3 * BLOCK);
        let generation = mem.code_generation(3 * BLOCK);
        mem.withdraw(3 * BLOCK..4 * BLOCK);
        assert_eq!(mem.load::<u8>(3 * BLOCK, Order::Big), None);
        mem.release(3 * BLOCK..4 * BLOCK).unwrap();
        mem.add(3 * BLOCK..4 * BLOCK).unwrap();
        assert_eq!(mem.load::<u32>(3 * BLOCK, Order::Big), Some(0));
        assert_ne!(mem.code_generation(3 * BLOCK), generation);
    }

    #[test]
    fn only_whole_blocks_behind_ram() {
        let mem = GuestMem::with_room(BLOCK + 0x1_0000, 4 * BLOCK, 128).unwrap();
        assert_eq!(mem.room(), 2 * BLOCK..4 * BLOCK);
        for range in
            [0..BLOCK, BLOCK..2 * BLOCK, 2 * BLOCK..2 * BLOCK, 2 * BLOCK..2 * BLOCK + 0x1000, 3 * BLOCK..5 * BLOCK]
        {
            assert!(mem.add(range.clone()).is_err(), "{range:x?}");
            assert!(mem.release(range).is_err());
        }
        mem.add(2 * BLOCK..3 * BLOCK).unwrap();
        assert!(!mem.contains(BLOCK, BLOCK + 1) && !mem.contains(BLOCK + 0x1_0000, 1));
        assert!(!mem.contains(2 * BLOCK, u64::MAX) && !mem.contains(u64::MAX, 1));
    }

    #[test]
    fn a_file_is_memory() {
        let mut shared = file("shared", 0x11);
        let mem = GuestMem::with_room(BLOCK, 4 * BLOCK, 128).unwrap();
        mem.map(BLOCK..2 * BLOCK, &shared, BLOCK, Sharing::Shared).unwrap();
        mem.map(2 * BLOCK..3 * BLOCK, &shared, 0, Sharing::Private).unwrap();
        assert!(mem.store(BLOCK + 8, Order::Big, 0x22u8) && mem.store(2 * BLOCK + 8, Order::Big, 0x33u8));
        assert_eq!(mem.load::<u16>(2 * BLOCK + 8, Order::Big), Some(0x3311));
        mem.withdraw(BLOCK..3 * BLOCK);
        mem.release(BLOCK..3 * BLOCK).unwrap();
        let mut bytes = Vec::new();
        shared.rewind().unwrap();
        shared.read_to_end(&mut bytes).unwrap();
        assert_eq!((bytes[8], bytes[BLOCK as usize + 8]), (0x11, 0x22));
    }
}
