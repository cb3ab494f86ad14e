//! Which pages hold code that an engine keeps, and when they were written.
//!
//! A page has one word: whether it is marked, how many writers are reporting a write, and its generation. A store looks
//! at the word behind itself; who marks sets the bit and then reads the page. For one of them to see the other, a
//! store must be visible before its look and the bit before the reading. Stores are many and must be cheap, so the
//! whole barrier is the marker's: [`barrier`] has all threads of this process execute one. docs/memory-ordering.md has
//! the argument.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::thread::{MembarrierCommand, membarrier};

use crate::words::Words;
use crate::{GuestMem, PAGE_SHIFT};

/// An engine keeps code of the page: the next write must be reported.
const MARKED: u64 = 1;
/// It was marked, and a barrier came behind that: the page may be read without another one.
const SETTLED: u64 = 2;
/// One writer that has raised the generation and not yet the epoch.
const WRITER: u64 = 1 << 2;
/// All of them: more than there can be threads.
const WRITERS: u64 = 0xffff * WRITER;
/// What makes a write slow.
pub(crate) const NOTICED: u64 = MARKED | WRITERS;
/// One generation; what does not fit falls off at the top.
const GENERATION_SHIFT: u32 = 32;

/// Which pages were marked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// How many times.
    pub count: u64,
    /// Address of the page that was it last.
    pub page: u64,
}

/// The words of all pages.
pub(crate) struct CodePages {
    words: Words,
    epoch: AtomicU64,
    /// How often a page was marked, and which was it last.
    marks: AtomicU64,
    marked: AtomicU64,
    /// Threads may store while others mark.
    shared: AtomicBool,
}

/// Makes every thread of the process execute a full barrier, if the process was registered for that.
fn barrier() {
    // Registered threads can not be refused (membarrier(2)).
    let _ = membarrier(MembarrierCommand::PrivateExpedited);
}

impl CodePages {
    /// Host address of the first word.
    pub(crate) fn address(&self) -> u64 {
        self.words.address()
    }

    pub(crate) fn new(pages: u64) -> io::Result<CodePages> {
        Ok(CodePages {
            words: Words::new(pages as usize)?,
            epoch: AtomicU64::new(0),
            marks: AtomicU64::new(0),
            marked: AtomicU64::new(0),
            shared: AtomicBool::new(false),
        })
    }

    /// Page number `page` was written: the stores came before.
    #[inline(always)]
    pub(crate) fn wrote(&self, page: u64) {
        if let Some(word) = self.words.get(page)
            && word.load(Ordering::Relaxed) & NOTICED != 0
        {
            self.report(word);
        }
    }

    /// One step clears the mark and raises the generation, so a marker has either seen the write or loses its mark's
    /// generation. Until the epoch is raised, too, others who write the page raise it themselves: each of them must be
    /// noticed before it goes on.
    #[cold]
    fn report(&self, cell: &AtomicU64) {
        let change = |word: u64| {
            let marked = word & MARKED != 0;
            marked.then(|| ((word & !(MARKED | SETTLED)) + WRITER).wrapping_add(1 << GENERATION_SHIFT))
        };
        let changed = cell.fetch_update(Ordering::AcqRel, Ordering::Relaxed, change).is_ok();
        self.epoch.fetch_add(1, Ordering::Release);
        if changed {
            cell.fetch_sub(WRITER, Ordering::Release);
        }
    }

    fn mark(&self, page: u64) -> u32 {
        let Some(cell) = self.words.get(page) else { return 0 };
        let word = cell.load(Ordering::Acquire);
        if word & SETTLED != 0 {
            return (word >> GENERATION_SHIFT) as u32;
        }
        let marked = cell.fetch_or(MARKED, Ordering::SeqCst) | MARKED;
        self.marked.store(page, Ordering::Relaxed);
        self.marks.fetch_add(1, Ordering::Relaxed);
        if self.shared.load(Ordering::Relaxed) {
            barrier();
        }
        // Fails where the page was written meanwhile, and where a writer comes or goes: then the next marker has a
        // barrier of its own.
        let _ = cell.compare_exchange(marked, marked | SETTLED, Ordering::AcqRel, Ordering::Relaxed);
        (marked >> GENERATION_SHIFT) as u32
    }

    fn generation(&self, page: u64) -> u32 {
        self.words.get(page).map_or(0, |word| (word.load(Ordering::Acquire) >> GENERATION_SHIFT) as u32)
    }
}

impl GuestMem {
    /// Lets several threads store and mark code at once; to be called before they do.
    ///
    /// # Errors
    /// When the host's kernel has no barriers across threads (Linux 4.14 has).
    pub fn share(&self) -> io::Result<()> {
        membarrier(MembarrierCommand::RegisterPrivateExpedited)?;
        self.code.shared.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Marks the page at `addr` as holding code and returns its generation. To be called before its words are read.
    pub fn mark_code(&self, addr: u64) -> u32 {
        self.code.mark(addr >> PAGE_SHIFT)
    }

    /// The generation of the page at `addr`: it changes with the first write after [`GuestMem::mark_code`].
    pub fn code_generation(&self, addr: u64) -> u32 {
        self.code.generation(addr >> PAGE_SHIFT)
    }

    /// Which pages were marked. Whoever alone marks pages knows by this which ones became code.
    pub fn marks(&self) -> Marks {
        let CodePages { marks, marked, .. } = &self.code;
        Marks { count: marks.load(Ordering::Relaxed), page: marked.load(Ordering::Relaxed) << PAGE_SHIFT }
    }

    /// Whether a store to some byte of `addr..addr + len` has to be reported.
    pub fn holds_code(&self, addr: u64, len: u64) -> bool {
        let first = addr >> PAGE_SHIFT;
        let mut words = (first..first + len.div_ceil(1 << PAGE_SHIFT)).map_while(|page| self.code.words.get(page));
        words.any(|word| word.load(Ordering::Relaxed) & NOTICED != 0)
    }

    /// Raised with every write to a page that holds code.
    #[inline(always)]
    pub fn code_epoch(&self) -> u64 {
        self.code.epoch.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::AtomicU32;
    use std::thread;

    use super::*;
    use crate::Order;

    #[test]
    fn writes_to_code_are_noticed_once_each() {
        let mem = GuestMem::new(3 * 4096).unwrap();
        let before = mem.mark_code(4096);
        let epoch = mem.code_epoch();
        mem.store(0, Order::Big, 1u64);
        assert_eq!(mem.code_epoch(), epoch);
        mem.store(4094, Order::Big, 1u64);
        assert_ne!(mem.code_generation(4096), before);
        let after = mem.code_epoch();
        mem.store(4096, Order::Big, 1u64);
        assert_eq!(mem.code_epoch(), after);
        let marks = mem.marks();
        assert!(!mem.holds_code(0, 3 * 4096));
        mem.mark_code(4096);
        mem.mark_code(4096);
        assert_eq!(mem.marks(), Marks { count: marks.count + 1, page: 4096 });
        assert!(mem.holds_code(0, 4097) && !mem.holds_code(0, 4096) && !mem.holds_code(8192, 4096));
        mem.write(0, &[0; 5000]);
        assert_ne!(mem.code_epoch(), after);
    }

    /// Turns until `done`, closely: what is to be seen lasts a few nanoseconds.
    fn turn_until(done: impl Fn() -> bool) {
        let mut turns = 0u32;
        while !done() {
            turns += 1;
            if turns.is_multiple_of(1000) { thread::yield_now() } else { std::hint::spin_loop() }
        }
    }

    /// Store buffering: either the marker reads the new word, or the write is noticed. Without the barrier a few
    /// rounds are lost in most runs on a host with two processors.
    #[test]
    fn a_store_is_read_or_noticed() {
        const AT: u64 = 4096;
        const ROUNDS: u32 = 50_000;
        let mem = GuestMem::new(2 * 4096).unwrap();
        mem.share().unwrap();
        let (started, stored) = (AtomicU32::new(0), AtomicU32::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    turn_until(|| started.load(Ordering::Acquire) == round);
                    (0..round % 5).for_each(|_| std::hint::spin_loop());
                    mem.store(AT, Order::Big, round);
                    stored.store(round, Ordering::Release);
                }
            });
            let mut lost = 0;
            for round in 1..=ROUNDS {
                started.store(round, Ordering::Release);
                (0..round % 37).for_each(|_| std::hint::spin_loop());
                let generation = mem.mark_code(AT);
                let word = mem.load::<u32>(AT, Order::Big).unwrap();
                turn_until(|| stored.load(Ordering::Acquire) == round);
                lost += u32::from(word != round && mem.code_generation(AT) == generation);
                // The next round begins with an unmarked page.
                mem.store(AT + 64, Order::Big, round);
            }
            assert_eq!(lost, 0, "of {ROUNDS} stores");
        });
    }

    /// Writers at once: each raises the epoch before it goes on, or finds the page unmarked with the epoch raised.
    #[test]
    fn every_writer_raises_the_epoch_or_finds_it_raised() {
        const ROUNDS: u32 = 5_000;
        let mem = GuestMem::new(4096).unwrap();
        mem.share().unwrap();
        let start = Barrier::new(3);
        thread::scope(|scope| {
            let writer = |at: u64| {
                let (mem, start) = (&mem, &start);
                move || {
                    for round in 0..ROUNDS {
                        start.wait();
                        let epoch = u64::from(round);
                        mem.store(at, Order::Big, round);
                        assert!(mem.code_epoch() > epoch, "round {round}");
                        start.wait();
                    }
                }
            };
            scope.spawn(writer(0));
            scope.spawn(writer(64));
            for round in 0..ROUNDS {
                mem.mark_code(0);
                let before = mem.code_epoch();
                assert!(before >= u64::from(round));
                start.wait();
                start.wait();
            }
        });
    }
}
