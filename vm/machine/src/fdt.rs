//! A writer of flattened device trees (Devicetree Specification 0.4, chapter 5).
//!
//! The `vm-fdt` crate refuses property names of more than 31 characters, and PAPR has several
//! (`ibm,processor-radix-AP-encodings`); Linux reads them all the same.

use hv_papr::connectors::Item;

const MAGIC: u32 = 0xd00d_feed;
const VERSION: u32 = 17;
const LAST_COMPATIBLE: u32 = 16;
const HEADER: usize = 40;

const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const END: u32 = 9;

/// A tree under construction. Values are big-endian, as the format wants them.
#[derive(Default)]
pub struct Writer {
    reserved: Vec<(u64, u64)>,
    structure: Vec<u8>,
    strings: Vec<u8>,
}

impl Writer {
    /// Keeps `len` bytes at `address` from the guest's memory manager.
    pub fn reserve(&mut self, address: u64, len: u64) {
        self.reserved.push((address, len));
    }

    /// A node called `name`, filled by `content`.
    pub fn node(&mut self, name: &str, content: impl FnOnce(&mut Writer)) {
        self.word(BEGIN_NODE);
        self.structure.extend(name.bytes().chain([0]));
        self.pad();
        content(self);
        self.word(END_NODE);
    }

    /// A property with raw bytes.
    pub fn bytes(&mut self, name: &str, value: &[u8]) {
        let name = self.string(name);
        self.word(PROPERTY);
        self.word(value.len() as u32);
        self.word(name);
        self.structure.extend(value);
        self.pad();
    }

    /// A property without a value.
    pub fn flag(&mut self, name: &str) {
        self.bytes(name, &[]);
    }

    /// 32-bit cells.
    pub fn cells(&mut self, name: &str, cells: &[u32]) {
        self.bytes(name, &cells.iter().flat_map(|cell| cell.to_be_bytes()).collect::<Vec<u8>>());
    }

    /// One 32-bit cell.
    pub fn cell(&mut self, name: &str, cell: u32) {
        self.cells(name, &[cell]);
    }

    /// 64-bit numbers of two cells each.
    pub fn doubles(&mut self, name: &str, numbers: &[u64]) {
        self.bytes(name, &numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>());
    }

    /// A list of strings, each ended by NUL.
    pub fn strings(&mut self, name: &str, strings: &[&str]) {
        self.bytes(name, &strings.iter().flat_map(|s| s.bytes().chain([0])).collect::<Vec<u8>>());
    }

    /// One string.
    pub fn text(&mut self, name: &str, text: &str) {
        self.strings(name, &[text]);
    }

    /// What was written, item by item.
    pub fn items(&self) -> Vec<Item> {
        let word = |at: usize| {
            let bytes = self.structure.get(at..at + 4).unwrap_or_default();
            bytes.iter().fold(0, |word: usize, byte| word << 8 | usize::from(*byte))
        };
        let text = |bytes: &[u8], at: usize| {
            let ended = bytes.get(at..).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(ended).into_owned()
        };
        let (mut items, mut at) = (Vec::new(), 0);
        while at < self.structure.len() {
            let token = word(at) as u32;
            at += 4;
            match token {
                BEGIN_NODE => {
                    let name = text(&self.structure, at);
                    at = (at + name.len() + 1).next_multiple_of(4);
                    items.push(Item::Node(name));
                }
                PROPERTY => {
                    let (len, name) = (word(at), text(&self.strings, word(at + 4)));
                    let value = self.structure.get(at + 8..at + 8 + len).unwrap_or_default();
                    items.push(Item::Property(name, value.to_vec()));
                    at = (at + 8 + len).next_multiple_of(4);
                }
                _ => items.push(Item::End),
            }
        }
        items
    }

    /// The blob, for a machine that starts on CPU `boot_cpu`.
    pub fn finish(mut self, boot_cpu: u32) -> Vec<u8> {
        self.word(END);
        let reserve_map = HEADER;
        let structure = reserve_map + 16 * (self.reserved.len() + 1);
        let strings = structure + self.structure.len();
        let total = strings + self.strings.len();
        let header = [
            MAGIC,
            total as u32,
            structure as u32,
            strings as u32,
            reserve_map as u32,
            VERSION,
            LAST_COMPATIBLE,
            boot_cpu,
            self.strings.len() as u32,
            self.structure.len() as u32,
        ];
        let mut blob: Vec<u8> = header.into_iter().flat_map(u32::to_be_bytes).collect();
        for (address, len) in self.reserved.into_iter().chain([(0, 0)]) {
            blob.extend(address.to_be_bytes());
            blob.extend(len.to_be_bytes());
        }
        blob.append(&mut self.structure);
        blob.append(&mut self.strings);
        blob
    }

    fn word(&mut self, word: u32) {
        self.structure.extend(word.to_be_bytes());
    }

    fn pad(&mut self) {
        self.structure.resize(self.structure.len().next_multiple_of(4), 0);
    }

    /// Offset of `name` in the strings block.
    fn string(&mut self, name: &str) -> u32 {
        let ended: Vec<u8> = name.bytes().chain([0]).collect();
        let known = self.strings.windows(ended.len()).position(|window| window == ended);
        known.unwrap_or_else(|| {
            self.strings.extend(&ended);
            self.strings.len() - ended.len()
        }) as u32
    }
}
