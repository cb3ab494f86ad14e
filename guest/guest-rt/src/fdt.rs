//! A reader of flattened device trees (Devicetree Specification 0.4, chapter 5).
//!
//! Contract: borrows the blob, allocates nothing, and answers `None` for anything that does not parse.
//! Not its job: phandles, interrupt maps, addresses translated through `ranges`.

const MAGIC: u32 = 0xd00d_feed;
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROP: u32 = 3;
const NOP: u32 = 4;

/// A whole tree.
#[derive(Clone, Copy)]
pub struct Fdt<'a> {
    blob: &'a [u8],
    structure: &'a [u8],
    strings: &'a [u8],
}

/// One node: its name and the structure block from its first property on.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    /// Name with unit address, empty for the root.
    pub name: &'a [u8],
    tree: Fdt<'a>,
    body: usize,
}

enum Token<'a> {
    Begin(&'a [u8]),
    End,
    Prop(&'a [u8], &'a [u8]),
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn c_string(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    rest.get(..rest.iter().position(|&byte| byte == 0)?)
}

/// A property as one big-endian number of 4 or 8 bytes.
pub fn number(value: &[u8]) -> Option<u64> {
    match value.len() {
        4 => Some(be32(value, 0)?.into()),
        8 => Some(u64::from_be_bytes(value.try_into().ok()?)),
        _ => None,
    }
}

/// True if one of the NUL-separated strings is `wanted`.
pub fn lists(value: &[u8], wanted: &[u8]) -> bool {
    value.split(|&byte| byte == 0).any(|entry| entry == wanted)
}

impl<'a> Fdt<'a> {
    /// Length of the blob that starts with these (at least 8) bytes.
    pub fn total_size(header: &[u8]) -> Option<usize> {
        (be32(header, 0)? == MAGIC).then_some(be32(header, 4)? as usize)
    }

    /// Opens a whole blob.
    pub fn new(blob: &'a [u8]) -> Option<Self> {
        Self::total_size(blob)?;
        let structure = blob.get(be32(blob, 8)? as usize..)?;
        let strings = blob.get(be32(blob, 12)? as usize..)?;
        Some(Self { blob, structure, strings })
    }

    /// The bytes that it was opened with.
    pub fn blob(self) -> &'a [u8] {
        self.blob
    }

    fn token(&self, at: usize) -> Option<(Token<'a>, usize)> {
        let mut at = at;
        loop {
            match be32(self.structure, at)? {
                NOP => at += 4,
                END_NODE => return Some((Token::End, at + 4)),
                BEGIN_NODE => {
                    let name = c_string(self.structure, at + 4)?;
                    return Some((Token::Begin(name), (at + 4 + name.len() + 4) & !3));
                }
                PROP => {
                    let len = be32(self.structure, at + 4)? as usize;
                    let name = c_string(self.strings, be32(self.structure, at + 8)? as usize)?;
                    let value = self.structure.get(at + 12..at + 12 + len)?;
                    return Some((Token::Prop(name, value), (at + 12 + len + 3) & !3));
                }
                _ => return None,
            }
        }
    }

    /// Every node, in the order of the blob.
    pub fn nodes(self) -> impl Iterator<Item = Node<'a>> {
        let mut at = 0;
        core::iter::from_fn(move || {
            loop {
                let (token, next) = self.token(at)?;
                at = next;
                if let Token::Begin(name) = token {
                    return Some(Node { name, tree: self, body: next });
                }
            }
        })
    }

    /// The node at an absolute path; components may leave out the unit address.
    pub fn node(self, path: &str) -> Option<Node<'a>> {
        let root = self.nodes().next()?;
        path.as_bytes()
            .split(|&byte| byte == b'/')
            .filter(|name| !name.is_empty())
            .try_fold(root, |node, name| node.child(name))
    }
}

impl<'a> Node<'a> {
    /// The properties of this very node: name and value.
    pub fn props(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let (tree, mut at) = (self.tree, self.body);
        core::iter::from_fn(move || {
            let (Token::Prop(name, value), next) = tree.token(at)? else { return None };
            at = next;
            Some((name, value))
        })
    }

    /// The value of one of them.
    pub fn prop(&self, wanted: &str) -> Option<&'a [u8]> {
        self.props().find(|(name, _)| *name == wanted.as_bytes()).map(|(_, value)| value)
    }

    /// A property of 4 or 8 bytes as a number.
    pub fn number(&self, wanted: &str) -> Option<u64> {
        number(self.prop(wanted)?)
    }

    /// A direct child by name, with or without its unit address.
    pub fn child(&self, wanted: &[u8]) -> Option<Node<'a>> {
        let (mut at, mut depth) = (self.body, 0);
        loop {
            let (token, next) = self.tree.token(at)?;
            match token {
                Token::Prop(..) => {}
                Token::End if depth == 0 => return None,
                Token::End => depth -= 1,
                Token::Begin(name) => {
                    let stem = name.split(|&byte| byte == b'@').next()?;
                    if depth == 0 && (name == wanted || stem == wanted) {
                        return Some(Node { name, tree: self.tree, body: next });
                    }
                    depth += 1;
                }
            }
            at = next;
        }
    }
}
