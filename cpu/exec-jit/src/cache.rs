//! Translated regions by page, and the space they take.
//!
//! A page is known by its real address, its effective address and the mode: code knows its own addresses. It remembers the
//! generation that guest memory had for it, as the interpreter's does.

use std::collections::HashMap;

use crate::lower::{Compare, Held, Leaving, Site};

/// A page of code in one mode.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageKey {
    /// Real address of its first byte.
    pub real: u64,
    /// Effective address of its first byte.
    pub ea: u64,
    /// Number of the mode.
    pub mode: u16,
}

/// What is known of an address in a page.
#[derive(Clone, Copy)]
pub enum Place {
    /// It was interpreted that often.
    Cold(u8),
    /// Code at this address of the host.
    Code(u64),
    /// Its first instruction is not to be translated.
    Never,
}

/// The regions of a page by the offset of their entry.
struct Page {
    generation: u32,
    places: HashMap<u16, Place>,
}

/// All translated code.
#[derive(Default)]
pub struct Cache {
    pages: HashMap<PageKey, Page>,
    /// Bytes of code memory used.
    pub used: usize,
    /// Links used.
    pub links: usize,
    /// Hints used.
    pub hints: usize,
    /// Calls out, by number.
    pub sites: Vec<Site>,
    /// Comparisons that are pending at sites, by number.
    pub compares: Vec<Compare>,
    /// Direct ways out, by number.
    pub leaving: Vec<Leaving>,
    /// Which guest register is where, by region.
    pub held: Vec<Held>,
}

impl Cache {
    /// Forgets everything but the first `kept` bytes of code memory.
    pub fn clear(&mut self, kept: usize) {
        *self = Cache { used: kept, ..Cache::default() };
    }

    /// What is known of `ea` in its page, whose memory has `generation` now; it is counted if it is still cold.
    pub fn find(
        &mut self,
        key: PageKey,
        ea: u64,
        generation: impl FnOnce() -> u32,
        mark: impl FnOnce() -> u32,
    ) -> Place {
        let page = self.pages.entry(key).or_insert(Page { generation: u32::MAX, places: HashMap::new() });
        if page.generation != generation() || page.places.is_empty() {
            page.places.clear();
            page.generation = mark();
        }
        let place = page.places.entry((ea & 0xfff) as u16).or_insert(Place::Cold(0));
        let found = *place;
        if let Place::Cold(count) = place {
            *count = count.saturating_add(1);
        }
        found
    }

    /// Remembers what there is at `ea`.
    pub fn insert(&mut self, key: PageKey, ea: u64, place: Place) {
        if let Some(page) = self.pages.get_mut(&key) {
            page.places.insert((ea & 0xfff) as u16, place);
        }
    }
}
