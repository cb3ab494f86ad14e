//! Reads a flattened device tree (Devicetree Specification 0.4, chapter 5) as far as discovery needs it.
//!
//! Contract: borrows the blob, allocates nothing, never panics, and stops at the first thing that does not parse.
//! Not its job: phandles, addresses, interrupts.

const MAGIC: u32 = 0xd00d_feed;
/// The version this reads, and the oldest reader that a blob may ask for.
const VERSION: u32 = 17;
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROP: u32 = 3;
const NOP: u32 = 4;

/// What stands in the structure block, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A node begins: its name with unit address, empty for the root.
    Begin(&'a [u8]),
    /// A property of the node that began last and did not end.
    Property {
        /// Name.
        name: &'a [u8],
        /// Value.
        value: &'a [u8],
    },
    /// A node ends.
    End,
}

/// A tree, as an iterator over its items.
#[derive(Clone, Copy, Debug)]
pub struct Fdt<'a> {
    structure: &'a [u8],
    strings: &'a [u8],
    at: usize,
}

impl<'a> Fdt<'a> {
    /// Bytes of the whole blob, told by its first eight; `None` if it is no device tree. Whoever has an address only
    /// can learn with it how much to look at.
    pub fn size(header: &[u8]) -> Option<usize> {
        (word(header, 0)? == MAGIC).then(|| word(header, 4).and_then(|size| usize::try_from(size).ok()))?
    }

    /// Opens a blob; what stands after its end does not matter. `None` if the header is wrong.
    pub fn new(blob: &'a [u8]) -> Option<Fdt<'a>> {
        let blob = blob.get(..Fdt::size(blob)?)?;
        let block = |offset: usize, size: usize| {
            let start = usize::try_from(word(blob, offset)?).ok()?;
            blob.get(start..start.checked_add(usize::try_from(word(blob, size)?).ok()?)?)
        };
        (word(blob, 24)? <= VERSION && word(blob, 20)? >= VERSION).then_some(())?;
        Some(Fdt { structure: block(8, 36)?, strings: block(12, 32)?, at: 0 })
    }

    fn token(&mut self) -> Option<u32> {
        let token = word(self.structure, self.at)?;
        self.at = self.at.checked_add(4)?;
        Some(token)
    }

    /// The next `size` bytes, and the padding behind them.
    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(size)?;
        let bytes = self.structure.get(self.at..end)?;
        self.at = end.checked_next_multiple_of(4)?;
        Some(bytes)
    }
}

impl<'a> Iterator for Fdt<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        loop {
            return match self.token()? {
                NOP => continue,
                END_NODE => Some(Item::End),
                BEGIN_NODE => {
                    let name = c_string(self.structure.get(self.at..)?)?;
                    self.take(name.len().checked_add(1)?)?;
                    Some(Item::Begin(name))
                }
                PROP => {
                    let size = usize::try_from(self.token()?).ok()?;
                    let name = usize::try_from(self.token()?).ok()?;
                    let value = self.take(size)?;
                    Some(Item::Property { name: c_string(self.strings.get(name..)?)?, value })
                }
                _ => None,
            };
        }
    }
}

/// The big-endian word at byte `at`.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn c_string(bytes: &[u8]) -> Option<&[u8]> {
    bytes.get(..bytes.iter().position(|&byte| byte == 0)?)
}
