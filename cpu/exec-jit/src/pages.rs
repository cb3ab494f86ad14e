//! The kernel's pages, as far as code goes by them: what of it still holds when the guest says that any may have changed.
//!
//! A kernel with radix trees that changes one page of its own names all of them. Pages that its trees map as before are
//! kept, as if they had been translated anew at once, which a processor may do at any time.

use guest_mem::GuestMem;
use ppc_mmu::Access;
use ppc_mmu::radix::Page;

/// Pages that are looked at again; where there are more nothing is kept.
const MOST: usize = 16;

/// Pages that something rests on.
#[derive(Default)]
pub struct Pages {
    known: Vec<Page>,
    /// Something rests on more than these.
    more: bool,
}

impl Pages {
    /// Notes that something rests on the translation of `ea`, by which each of these accesses, if there is any, goes to
    /// `real`. The process table is at `table.0`, of `table.1` bytes.
    pub fn note(&mut self, mem: &GuestMem, table: (u64, u64), ea: u64, accesses: [Option<Access>; 2], real: u64) {
        if self.more {
            return;
        }
        let leads = |page: &Page| accesses.into_iter().flatten().all(|access| page.real(ea, access) == Some(real));
        match self.known.iter().position(|page| page.covers(ea)) {
            Some(at) => {
                self.more = !self.known.get(at).is_some_and(leads);
                self.known.swap(at, at / 2);
            }
            None => match Page::of(mem, table.0, table.1, ea).filter(|page| leads(page) && self.known.len() < MOST) {
                Some(page) => self.known.push(page),
                None => self.more = true,
            },
        }
    }

    /// Looks at all again, and tells `changed` which are no longer what they were. Returns false if it cannot say so of
    /// everything that was noted: then nothing holds, and notes begin anew.
    pub fn look(&mut self, mem: &GuestMem, table: (u64, u64), mut changed: impl FnMut(&Page)) -> bool {
        if self.more {
            *self = Pages::default();
            return false;
        }
        self.known.retain(|page| {
            let same = Page::of(mem, table.0, table.1, page.address) == Some(*page);
            if !same {
                changed(page);
            }
            same
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use guest_mem::Order;

    use super::*;

    const KERNEL: u64 = 0xc000_0000_0000_0000;
    const TABLE: (u64, u64) = (0, 4096);
    const PTES: u64 = 0x2_2000;
    /// Valid, a leaf; R, C, privileged, read and write, execute (Power ISA 3.0B Book III, figure 23).
    const PTE: u64 = 3 << 62 | 0x18f;

    /// A tree of 52 bits for process 0 whose last tables map 512 pages of 2 MiB.
    fn memory() -> GuestMem {
        let mem = GuestMem::new(1 << 20).unwrap();
        let store = |at, value: u64| assert!(mem.store(at, Order::Big, value));
        store(0, 2 << 61 | 5 << 5 | 0x1_0000 | 13);
        store(0x1_0000, 1 << 63 | 0x2_1000 | 9);
        store(0x2_1000, 1 << 63 | PTES | 9);
        (0..512).for_each(|page| store(PTES + 8 * page, PTE | page << 21));
        mem
    }

    fn note(pages: &mut Pages, mem: &GuestMem, page: u64, real: u64) {
        pages.note(mem, TABLE, KERNEL | page << 21 | 8, [Some(Access::Load), Some(Access::Store)], real << 21 | 8);
    }

    #[test]
    fn what_is_mapped_as_before_holds() {
        let (mem, mut pages) = (memory(), Pages::default());
        note(&mut pages, &mem, 1, 1);
        note(&mut pages, &mem, 2, 2);
        assert!(pages.look(&mem, TABLE, |_| panic!("nothing has changed")));
        mem.store(PTES + 8, Order::Big, PTE | 9 << 21);
        let mut changed = Vec::new();
        assert!(pages.look(&mem, TABLE, |page| changed.push((page.address, page.shift))));
        assert_eq!(changed, [(KERNEL | 1 << 21, 21)]);
        // It was not there from the start.
        assert!(pages.look(&mem, TABLE, |_| panic!("nothing has changed")));
        mem.store(0x2_1000, Order::Big, 0u64);
        let mut changed = 0;
        assert!(pages.look(&mem, TABLE, |_| changed += 1));
        assert_eq!(changed, 1);
    }

    #[test]
    fn what_cannot_be_looked_at_does_not_hold() {
        let mem = memory();
        let holds = |notes: &dyn Fn(&mut Pages)| {
            let mut pages = Pages::default();
            notes(&mut pages);
            pages.look(&mem, TABLE, |_| ())
        };
        assert!(holds(&|pages| (0..MOST as u64).for_each(|page| note(pages, &mem, page, page))));
        assert!(!holds(&|pages| (0..=MOST as u64).for_each(|page| note(pages, &mem, page, page))));
        // A translation of before the table was changed.
        assert!(!holds(&|pages| note(pages, &mem, 1, 2)));
        assert!(!holds(&|pages| {
            note(pages, &mem, 1, 1);
            note(pages, &mem, 1, 2);
        }));
        // Pages that process 0 does not have, that may not be written, and that users may access.
        assert!(!holds(&|pages| note(pages, &mem, 512, 512)));
        for lacking in [0x2, 0x80, 0x8] {
            mem.store(PTES + 8, Order::Big, PTE & !lacking | 1 << 21);
            assert!(!holds(&|pages| note(pages, &mem, 1, 1)), "{lacking:x}");
        }
    }
}
