//! Flattened device trees: a reader for tests and tools (Devicetree Specification, chapter 5: the DTB format).
//!
//! Contract: `Fdt::read` checks the whole structure once; what it gives afterwards cannot fail. Depth is bounded, and
//! memory grows with the number of nodes and properties alone. All numbers in a tree are big-endian.
//! Not its job: building or changing trees, and what properties mean.

use std::fmt::Write;
use std::ops::Range;

use thiserror::Error;

/// First word of a tree.
pub const MAGIC: u32 = 0xd00d_feed;
/// Nodes below nodes, more than any machine has.
pub const MAX_DEPTH: usize = 64;
/// The version written today, and the oldest layout that it may be read as.
const VERSION: u32 = 17;
const COMPATIBLE: u32 = 16;
const HEADER_SIZE: usize = 40;

/// Structure tokens (5.4.1).
mod token {
    pub const BEGIN_NODE: u32 = 1;
    pub const END_NODE: u32 = 2;
    pub const PROP: u32 = 3;
    pub const NOP: u32 = 4;
    pub const END: u32 = 9;
}

/// Why bytes are no device tree; offsets count from the start of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FdtError {
    /// A header field holds a value that cannot be.
    #[error("device tree header: {field} is {value:#x}, not {expected}")]
    Header {
        /// The specification's name of the field.
        field: &'static str,
        /// What it holds.
        value: u32,
        /// What it may hold.
        expected: &'static str,
    },
    /// Something goes beyond the end of its block or of the data.
    #[error("device tree is truncated: {what} at offset {offset:#x} goes beyond its end")]
    Truncated {
        /// What is cut off.
        what: &'static str,
        /// Where it begins.
        offset: usize,
    },
    /// The structure block does not follow the grammar.
    #[error("device tree structure at offset {offset:#x}: {fault}")]
    Structure {
        /// Where.
        offset: usize,
        /// What is wrong.
        fault: &'static str,
    },
}

/// A property: its name, and its value as it stands in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property<'a> {
    /// Name.
    pub name: &'a str,
    /// Value; cells are big-endian.
    pub value: &'a [u8],
}

impl<'a> Property<'a> {
    /// The value as cells; a rest of fewer than four bytes is left out.
    pub fn cells(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.value.as_chunks().0.iter().map(|cell| u32::from_be_bytes(*cell))
    }

    /// The value if it is exactly one cell.
    pub fn u32(&self) -> Option<u32> {
        Some(u32::from_be_bytes(self.value.try_into().ok()?))
    }

    /// The value if it is exactly two cells.
    pub fn u64(&self) -> Option<u64> {
        Some(u64::from_be_bytes(self.value.try_into().ok()?))
    }

    /// The value as a list of strings, if it is one: printable text, each part ended by a NUL, none empty.
    pub fn strings(&self) -> Option<Vec<&'a str>> {
        let text = str::from_utf8(self.value.strip_suffix(b"\0")?).ok()?;
        let parts: Vec<&str> = text.split('\0').collect();
        parts.iter().all(|part| !part.is_empty() && !part.contains(char::is_control)).then_some(parts)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct NodeData<'a> {
    name: &'a str,
    parent: Option<usize>,
    depth: usize,
    properties: Range<usize>,
}

/// A tree that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fdt<'a> {
    /// Physical identifier of the processor that starts (`boot_cpuid_phys`).
    pub boot_cpuid: u32,
    /// The memory reservation block: address and size of each range.
    pub reserved: Vec<(u64, u64)>,
    nodes: Vec<NodeData<'a>>,
    properties: Vec<Property<'a>>,
}

/// A node of a tree.
#[derive(Clone, Copy, Debug)]
pub struct Node<'t, 'a> {
    tree: &'t Fdt<'a>,
    index: usize,
    data: &'t NodeData<'a>,
}

impl<'a> Fdt<'a> {
    /// Reads and checks the tree at the start of `data`; bytes after its total size are ignored.
    pub fn read(data: &'a [u8]) -> Result<Fdt<'a>, FdtError> {
        let header = data.get(..HEADER_SIZE).ok_or(FdtError::Truncated { what: "the header", offset: 0 })?;
        let mut fields = [0; HEADER_SIZE / 4];
        for (field, bytes) in fields.iter_mut().zip(header.as_chunks().0) {
            *field = u32::from_be_bytes(*bytes);
        }
        let [magic, total, structure, strings, reservations, version, compatible, boot_cpuid, strings_size, size] =
            fields;
        let wrong = |field, value, expected| Err(FdtError::Header { field, value, expected });
        if magic != MAGIC {
            return wrong("magic", magic, "0xd00dfeed");
        }
        if version < VERSION {
            return wrong("version", version, "17 or later");
        }
        if !(COMPATIBLE..=VERSION).contains(&compatible) {
            return wrong("last_comp_version", compatible, "16 or 17");
        }
        let data = data.get(..total as usize).ok_or(FdtError::Truncated { what: "the tree", offset: 0 })?;
        let block = |what, start: u32, size: u32| {
            let range = start as usize..(start as usize).saturating_add(size as usize);
            data.get(range).ok_or(FdtError::Truncated { what, offset: start as usize })
        };
        let strings = block("the strings block", strings, strings_size)?;
        let end = structure as usize + block("the structure block", structure, size)?.len();
        let words = Words { data: data.get(..end).unwrap_or_default(), at: structure as usize };
        let (nodes, properties) = words.structure(strings)?;
        Ok(Fdt { boot_cpuid, reserved: read_reservations(data, reservations as usize)?, nodes, properties })
    }

    /// Every node, a node before its children; the root is first.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_, 'a>> {
        self.nodes.iter().enumerate().map(|(index, data)| Node { tree: self, index, data })
    }

    /// The root.
    pub fn root(&self) -> Option<Node<'_, 'a>> {
        self.nodes().next()
    }

    /// The node of a full path such as `/cpus/PowerPC,POWER8@0`.
    pub fn find(&self, path: &str) -> Option<Node<'_, 'a>> {
        let names = path.strip_prefix('/')?.split('/').filter(|name| !name.is_empty());
        names.fold(self.root(), |node, name| node?.children().find(|child| child.name() == name))
    }

    /// The tree as text in the manner of device tree source, for people and golden tests.
    pub fn to_source(&self) -> String {
        let mut source = String::from("/dts-v1/;\n");
        for (address, size) in &self.reserved {
            push(&mut source, format_args!("/memreserve/ {address:#018x} {size:#018x};\n"));
        }
        push(&mut source, format_args!("// boot_cpuid_phys: {:#x}\n", self.boot_cpuid));
        let mut open = 0;
        for node in self.nodes() {
            close(&mut source, open, node.data.depth);
            open = node.data.depth + 1;
            let name = if node.data.depth == 0 { "/" } else { node.name() };
            push(&mut source, format_args!("\n{:\t<1$}{name} {{\n", "", node.data.depth));
            for property in node.properties() {
                push(&mut source, format_args!("{:\t<1$}{2}", "", open, property.name));
                value(&mut source, property);
                source.push_str(";\n");
            }
        }
        close(&mut source, open, 0);
        source
    }
}

impl<'t, 'a> Node<'t, 'a> {
    /// Name with its unit address; empty for the root.
    pub fn name(&self) -> &'a str {
        self.data.name
    }

    /// Full path; `/` for the root.
    pub fn path(&self) -> String {
        match self.parent() {
            None => "/".to_owned(),
            Some(parent) if parent.data.depth == 0 => format!("/{}", self.name()),
            Some(parent) => format!("{}/{}", parent.path(), self.name()),
        }
    }

    /// The node that this one stands in.
    pub fn parent(&self) -> Option<Node<'t, 'a>> {
        let index = self.data.parent?;
        Some(Node { tree: self.tree, index, data: self.tree.nodes.get(index)? })
    }

    /// Nodes directly below.
    pub fn children(&self) -> impl Iterator<Item = Node<'t, 'a>> + use<'t, 'a> {
        let (tree, parent, depth) = (self.tree, self.index, self.data.depth);
        let below = tree.nodes.iter().enumerate().skip(parent + 1).take_while(move |(_, data)| data.depth > depth);
        below.filter(move |(_, data)| data.parent == Some(parent)).map(move |(index, data)| Node { tree, index, data })
    }

    /// Properties in the order of the tree.
    pub fn properties(&self) -> impl Iterator<Item = Property<'a>> + use<'t, 'a> {
        self.tree.properties.get(self.data.properties.clone()).unwrap_or_default().iter().copied()
    }

    /// The property of that name.
    pub fn property(&self, name: &str) -> Option<Property<'a>> {
        self.properties().find(|property| property.name == name)
    }
}

/// Pairs of address and size up to a pair of zeros (5.3).
fn read_reservations(data: &[u8], start: usize) -> Result<Vec<(u64, u64)>, FdtError> {
    let block = data.get(start..).unwrap_or_default();
    let pairs = block.as_chunks::<8>().0.as_chunks::<2>().0;
    let pairs = pairs.iter().map(|[address, size]| (u64::from_be_bytes(*address), u64::from_be_bytes(*size)));
    let reserved: Vec<_> = pairs.clone().take_while(|pair| *pair != (0, 0)).collect();
    if reserved.len() == pairs.len() {
        return Err(FdtError::Truncated { what: "the memory reservation block", offset: start });
    }
    Ok(reserved)
}

/// A position in the structure block.
struct Words<'a> {
    /// The tree up to the end of its structure block.
    data: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    fn structure(mut self, strings: &'a [u8]) -> Result<(Vec<NodeData<'a>>, Vec<Property<'a>>), FdtError> {
        let (mut nodes, mut properties, mut open) = (Vec::new(), Vec::new(), Vec::<usize>::new());
        loop {
            let offset = self.at;
            let wrong = |fault| FdtError::Structure { offset, fault };
            match self.word("a token")? {
                token::BEGIN_NODE => {
                    if open.is_empty() && !nodes.is_empty() {
                        return Err(wrong("a second root"));
                    }
                    if open.len() == MAX_DEPTH {
                        return Err(wrong("nodes are nested more than 64 deep"));
                    }
                    let name = self.name()?;
                    let properties = properties.len()..properties.len();
                    nodes.push(NodeData { name, parent: open.last().copied(), depth: open.len(), properties });
                    open.push(nodes.len() - 1);
                }
                token::PROP => {
                    let size = self.word("a property's length")? as usize;
                    let name = self.word("a property's name")? as usize;
                    let value = self.bytes("a property's value", size)?;
                    let name = strings.get(name..).and_then(text_until_nul).ok_or(wrong("a property without name"))?;
                    let last = nodes.len().checked_sub(1);
                    let node = nodes.last_mut().filter(|_| last.is_some() && open.last().copied() == last);
                    let node = node.ok_or(wrong("a property that stands in no node or after its node's children"))?;
                    properties.push(Property { name, value });
                    node.properties.end = properties.len();
                }
                token::END_NODE => _ = open.pop().ok_or(wrong("the end of a node that has not begun"))?,
                token::NOP => {}
                token::END if nodes.is_empty() => return Err(wrong("there is no root")),
                token::END if open.is_empty() => return Ok((nodes, properties)),
                token::END => return Err(wrong("a node does not end")),
                _ => return Err(wrong("unknown token")),
            }
        }
    }

    fn word(&mut self, what: &'static str) -> Result<u32, FdtError> {
        let truncated = FdtError::Truncated { what, offset: self.at };
        let bytes = self.bytes(what, 4)?.try_into().map_err(|_| truncated)?;
        Ok(u32::from_be_bytes(bytes))
    }

    /// The next `size` bytes; the position moves on to a whole word.
    fn bytes(&mut self, what: &'static str, size: usize) -> Result<&'a [u8], FdtError> {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let bytes = rest.get(..size).ok_or(FdtError::Truncated { what, offset: self.at })?;
        self.at += size.next_multiple_of(4);
        Ok(bytes)
    }

    fn name(&mut self) -> Result<&'a str, FdtError> {
        let offset = self.at;
        let rest = self.data.get(offset..).unwrap_or_default();
        let name = text_until_nul(rest).ok_or(FdtError::Truncated { what: "a node's name", offset })?;
        self.bytes("a node's name", name.len() + 1)?;
        Ok(name)
    }
}

/// Text up to a NUL; `None` if there is no NUL, or bytes that are not UTF-8.
fn text_until_nul(bytes: &[u8]) -> Option<&str> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    str::from_utf8(bytes.get(..end)?).ok()
}

fn push(source: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    _ = source.write_fmt(text);
}

/// Closes nodes from depth `open` down to depth `to`.
fn close(source: &mut String, open: usize, to: usize) {
    for depth in (to..open).rev() {
        push(source, format_args!("{:\t<1$}}};\n", "", depth));
    }
}

/// ` = ...`: strings if it is text, else cells, else bytes; nothing for an empty value.
fn value(source: &mut String, property: Property<'_>) {
    if property.value.is_empty() {
        return;
    }
    let (open, parts, close) = if let Some(strings) = property.strings() {
        (" = ", strings.iter().map(|part| format!("{part:?}")).collect::<Vec<_>>().join(", "), "")
    } else if property.value.len().is_multiple_of(4) {
        (" = <", property.cells().map(|cell| format!("{cell:#x}")).collect::<Vec<_>>().join(" "), ">")
    } else {
        (" = [", property.value.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "), "]")
    };
    source.extend([open, &parts, close]);
}

#[cfg(test)]
mod tests {
    use vm_fdt::{FdtReserveEntry, FdtWriter};

    use super::*;

    fn sample() -> Vec<u8> {
        let mut fdt = FdtWriter::new_with_mem_reserv(&[FdtReserveEntry::new(0x1000, 0x2000).unwrap()]).unwrap();
        fdt.set_boot_cpuid_phys(8);
        let root = fdt.begin_node("").unwrap();
        fdt.property_string("compatible", "qemu,pseries").unwrap();
        fdt.property_u32("#address-cells", 2).unwrap();
        let cpus = fdt.begin_node("cpus").unwrap();
        let cpu = fdt.begin_node("cpu@8").unwrap();
        fdt.property_u32("reg", 8).unwrap();
        fdt.property_null("little").unwrap();
        fdt.property_u64("big", 0x1_0000_0002).unwrap();
        fdt.end_node(cpu).unwrap();
        fdt.end_node(cpus).unwrap();
        let chosen = fdt.begin_node("chosen").unwrap();
        fdt.property_string_list("names", vec!["a".into(), "b c".into()]).unwrap();
        fdt.property("odd", &[1, 2, 0xff]).unwrap();
        fdt.end_node(chosen).unwrap();
        fdt.end_node(root).unwrap();
        fdt.finish().unwrap()
    }

    #[test]
    fn what_vm_fdt_writes_is_read() {
        let bytes = sample();
        let fdt = Fdt::read(&bytes).unwrap();
        assert_eq!((fdt.boot_cpuid, &fdt.reserved[..]), (8, &[(0x1000, 0x2000)][..]));
        let paths: Vec<_> = fdt.nodes().map(|node| node.path()).collect();
        assert_eq!(paths, ["/", "/cpus", "/cpus/cpu@8", "/chosen"]);
        let cpu = fdt.find("/cpus/cpu@8").unwrap();
        assert_eq!(cpu.property("reg").unwrap().u32(), Some(8));
        assert_eq!(cpu.property("little").unwrap().value.len(), 0);
        assert_eq!(cpu.property("big").unwrap().u64(), Some(0x1_0000_0002));
        assert_eq!(cpu.property("big").unwrap().cells().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(cpu.property("none"), None);
        assert_eq!(fdt.find("/chosen").unwrap().property("names").unwrap().strings(), Some(vec!["a", "b c"]));
        assert_eq!(fdt.find("/").unwrap().children().map(|node| node.name()).collect::<Vec<_>>(), ["cpus", "chosen"]);
        assert_eq!(fdt.root().unwrap().properties().count(), 2);
        assert!(fdt.find("/cpus/none").is_none() && fdt.find("cpus").is_none());
    }

    #[test]
    fn source_is_readable() {
        let expected = "\
/dts-v1/;
/memreserve/ 0x0000000000001000 0x0000000000002000;
// boot_cpuid_phys: 0x8

/ {
\tcompatible = \"qemu,pseries\";
\t#address-cells = <0x2>;

\tcpus {

\t\tcpu@8 {
\t\t\treg = <0x8>;
\t\t\tlittle;
\t\t\tbig = <0x1 0x2>;
\t\t};
\t};

\tchosen {
\t\tnames = \"a\", \"b c\";
\t\todd = [01 02 ff];
\t};
};
";
        assert_eq!(Fdt::read(&sample()).unwrap().to_source(), expected);
    }

    #[test]
    fn truncation_anywhere_is_an_error() {
        let bytes = sample();
        for length in 0..bytes.len() {
            assert!(Fdt::read(&bytes[..length]).is_err(), "{length}");
            // With a total size that hides the truncation, only blocks behind the end may be missed.
            if length >= HEADER_SIZE {
                let mut cut = bytes[..length].to_vec();
                cut[4..8].copy_from_slice(&(length as u32).to_be_bytes());
                assert!(matches!(Fdt::read(&cut), Err(FdtError::Truncated { .. })), "{length}");
            }
        }
        let mut longer = bytes.clone();
        longer.extend([0xff; 5]);
        assert_eq!(Fdt::read(&longer), Fdt::read(&bytes));
    }

    #[test]
    fn any_byte_may_be_anything() {
        let bytes = sample();
        for at in 0..bytes.len() {
            for value in [0, 1, 2, 3, 4, 9, 0x7f, 0x80, 0xff] {
                let mut bad = bytes.clone();
                bad[at] = value;
                if let Ok(fdt) = Fdt::read(&bad) {
                    assert!(fdt.to_source().contains('/') && fdt.nodes().all(|node| node.path().starts_with('/')));
                }
            }
        }
    }

    /// A tree of the given structure words, no reservations, one empty string.
    fn of(words: &[u32]) -> Vec<u8> {
        let structure = HEADER_SIZE + 16;
        let strings = structure + 4 * words.len();
        let total = strings + 4;
        let header = [MAGIC, total as u32, structure as u32, strings as u32, 40, 17, 16, 0, 4, 4 * words.len() as u32];
        let all = header.iter().chain(&[0; 4]).chain(words).chain(&[0]);
        all.flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn grammar_and_depth_are_enforced() {
        use token::{BEGIN_NODE as B, END, END_NODE as E, NOP, PROP as P};
        assert!(Fdt::read(&of(&[NOP, B, 0, P, 0, 0, NOP, B, 0, E, E, END])).is_ok());
        for (words, wanted) in [
            (&[END][..], "there is no root"),
            (&[B, 0, END], "a node does not end"),
            (&[E, END], "the end of a node that has not begun"),
            (&[B, 0, E, B, 0, E, END], "a second root"),
            (&[P, 0, 0, END], "a property that stands in no node or after its node's children"),
            (&[B, 0, B, 0, E, P, 0, 0, E, END], "a property that stands in no node or after its node's children"),
            (&[B, 0, P, 0, 99, E, END], "a property without name"),
            (&[7], "unknown token"),
        ] {
            let Err(FdtError::Structure { fault, .. }) = Fdt::read(&of(words)) else { panic!("{words:?}") };
            assert_eq!(fault, wanted);
        }
        let deep = |depth| [[B, 0].repeat(depth), vec![E; depth], vec![END]].concat();
        assert!(Fdt::read(&of(&deep(MAX_DEPTH))).is_ok());
        assert!(matches!(Fdt::read(&of(&deep(MAX_DEPTH + 1))), Err(FdtError::Structure { .. })));
    }

    #[test]
    fn wrong_headers_are_named() {
        for (offset, wanted) in [(0, "magic"), (20, "version"), (24, "last_comp_version")] {
            let mut bytes = sample();
            bytes[offset..offset + 4].fill(0);
            let Err(FdtError::Header { field, .. }) = Fdt::read(&bytes) else { panic!("{wanted}") };
            assert_eq!(field, wanted);
        }
    }
}
