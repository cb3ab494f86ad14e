//! Translated regions by page, and the space they take.
//!
//! A page is known by its real address, its effective address and the mode: code knows its own addresses. It remembers the
//! generation that guest memory had for it, as the interpreter's does.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::explore::Heads;
use crate::lower::{Compare, Leaving, Places, Site};
use crate::tlb::COMMON_HINTS;

/// Hashes numbers by multiplication, for tables that are looked into often. A guest that makes them collide is slow itself.
#[derive(Default)]
pub struct Mixer(u64);

/// Makes [`Mixer`]s.
pub type Mixing = BuildHasherDefault<Mixer>;

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(byte.into()));
    }

    fn write_u16(&mut self, value: u16) {
        self.write_u64(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        // The golden ratio's digits have no pattern.
        self.0 = (self.0.rotate_left(29) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

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
#[derive(Default)]
struct Page {
    generation: u32,
    places: HashMap<u16, Place, Mixing>,
    /// Regions of before the page was written: whoever still comes to one is led on.
    former: Vec<(u16, u64)>,
    /// Where loops may begin, if that was asked since.
    heads: Option<Box<Heads>>,
}

impl Page {
    /// Makes regions of what was there former ones, which `left` is told: their addresses in the guest and the host.
    fn leave(&mut self, ea: u64, mut left: impl FnMut(u64, u64)) {
        self.heads = None;
        for (offset, place) in self.places.drain() {
            if let Place::Code(host) = place {
                self.former.push((offset, host));
                left(ea | u64::from(offset), host);
            }
        }
    }
}

/// All translated code.
#[derive(Default)]
pub struct Cache {
    pages: HashMap<PageKey, Page, Mixing>,
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
    /// How holders have guest registers, by region.
    pub places: Vec<Places>,
}

impl Cache {
    /// Forgets everything but the first `kept` bytes of code memory. What `room` bytes may need is asked for at once: what
    /// is not touched costs nothing, but growing copies.
    pub fn clear(&mut self, kept: usize, room: usize) {
        const BYTES_A_SITE: usize = 96;
        let sites = Vec::with_capacity(room / BYTES_A_SITE);
        let leaving = Vec::with_capacity(room / (2 * BYTES_A_SITE));
        let places = Vec::with_capacity(room / (4 * BYTES_A_SITE));
        *self = Cache { used: kept, hints: COMMON_HINTS, sites, leaving, places, ..Cache::default() };
    }

    /// What is known of `ea` in its page, whose memory has `generation` now; it is counted if it is still cold. `left` is
    /// told of regions as by [`Cache::leave_written`].
    pub fn find(
        &mut self,
        key: PageKey,
        ea: u64,
        generation: impl FnOnce() -> u32,
        mark: impl FnOnce() -> u32,
        left: impl FnMut(u64, u64),
    ) -> Place {
        let page = self.pages.entry(key).or_default();
        if page.generation != generation() || page.places.is_empty() {
            page.leave(key.ea, left);
            page.generation = mark();
        }
        let place = page.places.entry((ea & 0xfff) as u16).or_insert(Place::Cold(0));
        let found = *place;
        if let Place::Cold(count) = place {
            *count = count.saturating_add(1);
        }
        found
    }

    /// Remembers what there is at `ea`. Returns the former regions there.
    pub fn insert(&mut self, key: PageKey, ea: u64, place: Place) -> impl Iterator<Item = u64> {
        let offset = (ea & 0xfff) as u16;
        let page = self.pages.get_mut(&key);
        let former = page.map(|page| {
            page.places.insert(offset, place);
            page.former.iter().filter(move |(former, _)| *former == offset).map(|(_, host)| *host)
        });
        former.into_iter().flatten()
    }

    /// Whether the instruction at `ea` may be the head of a loop in its page, which `heads` says.
    pub fn may_loop(&mut self, key: PageKey, ea: u64, heads: impl FnOnce() -> Heads) -> bool {
        let page = self.pages.get_mut(&key);
        page.is_none_or(|page| page.heads.get_or_insert_with(|| Box::new(heads())).has(ea))
    }

    /// Forgets the regions of pages whose memory was written. `left` is told of each: its addresses in the guest and the host.
    pub fn leave_written(&mut self, generation: impl Fn(u64) -> u32, mut left: impl FnMut(u64, u64)) {
        for (key, page) in &mut self.pages {
            if page.generation != generation(key.real) {
                page.leave(key.ea, &mut left);
            }
        }
    }
}
