//! The live device tree: nodes that never change, properties that the client may set.

use std::collections::BTreeMap;

/// What names a node to the client (a package in IEEE 1275's words). Never 0 and never all ones.
pub type Phandle = u32;

/// Bytes that names and values of all properties may have together; setting more fails.
pub const LARGEST: usize = 1 << 20;
/// Properties that there may be.
pub const MOST: usize = 16 << 10;
/// Bytes of a property's name, its NUL not counted. IEEE 1275 has 31, PAPR's own names have more.
pub const LONGEST_NAME: usize = 63;
/// Where handles of nodes begin that have no `phandle` of their own.
const FIRST: Phandle = 0x0001_0000;

/// A property: its name, and its value as IEEE 1275 encodes it.
type Property = (String, Vec<u8>);

#[derive(Clone, Debug, Default)]
struct Node {
    /// With its unit address; empty for the root.
    name: String,
    parent: Option<Phandle>,
    children: Vec<Phandle>,
    properties: Vec<Property>,
}

/// The tree.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    nodes: BTreeMap<Phandle, Node>,
    root: Option<Phandle>,
    bytes: usize,
    count: usize,
}

impl Tree {
    /// Adds a node behind the others of `parent`, the root without one, which comes first. Properties keep their order;
    /// one called `name` is added, and one called `phandle` is the node's handle.
    pub fn add<'a>(
        &mut self,
        parent: Option<Phandle>,
        name: &str,
        properties: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Phandle {
        let properties: Vec<Property> =
            properties.into_iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        let own = properties.iter().find(|(name, _)| name == "phandle");
        let own = own.and_then(|(_, value)| Some(u32::from_be_bytes(value.as_slice().try_into().ok()?)));
        let handle = own.unwrap_or(FIRST + self.nodes.len() as u32);
        self.nodes.insert(handle, Node { name: name.to_owned(), parent, ..Node::default() });
        match parent.and_then(|parent| self.nodes.get_mut(&parent)) {
            Some(parent) => parent.children.push(handle),
            None => self.root = Some(handle),
        }
        let plain = name.split('@').next().unwrap_or_default();
        if !properties.iter().any(|(name, _)| name == "name") {
            self.set(handle, "name", [plain.as_bytes(), b"\0"].concat());
        }
        for (name, value) in properties {
            self.set(handle, &name, value);
        }
        handle
    }

    /// The root. `None` when the tree is empty.
    pub fn root(&self) -> Option<Phandle> {
        self.root
    }

    /// Every node.
    pub fn nodes(&self) -> impl Iterator<Item = Phandle> {
        self.nodes.keys().copied()
    }

    /// Every node with this `device_type`.
    pub fn of_type(&self, kind: &str) -> impl Iterator<Item = Phandle> {
        self.nodes().filter(move |node| self.text(*node, "device_type") == Some(kind))
    }

    /// Name of a node with its unit address; empty for the root. `None` when there is no such node.
    pub fn name(&self, node: Phandle) -> Option<&str> {
        self.nodes.get(&node).map(|node| node.name.as_str())
    }

    /// The node in which a node stands.
    pub fn parent(&self, node: Phandle) -> Option<Phandle> {
        self.nodes.get(&node)?.parent
    }

    /// The nodes in a node, in order.
    pub fn children(&self, node: Phandle) -> &[Phandle] {
        self.nodes.get(&node).map_or(&[], |node| &node.children)
    }

    /// The node behind this one in the same parent.
    pub fn peer(&self, node: Phandle) -> Option<Phandle> {
        let children = self.children(self.parent(node)?);
        let at = children.iter().position(|child| *child == node)?;
        children.get(at + 1).copied()
    }

    /// The value of a property.
    pub fn get(&self, node: Phandle, name: &str) -> Option<&[u8]> {
        let property = self.nodes.get(&node)?.properties.iter().find(|(known, _)| known == name);
        property.map(|(_, value)| value.as_slice())
    }

    /// The value of a property that is text ended by a NUL.
    pub fn text(&self, node: Phandle, name: &str) -> Option<&str> {
        let value = self.get(node, name)?;
        str::from_utf8(value.split(|byte| *byte == 0).next()?).ok()
    }

    /// The name of the property behind `name`, of the first one behind an empty name. `Some(None)` at the end, `None` when
    /// there is no property `name`, or no node.
    pub fn next(&self, node: Phandle, name: &str) -> Option<Option<&str>> {
        let properties = &self.nodes.get(&node)?.properties;
        let at = match name {
            "" => 0,
            name => properties.iter().position(|(known, _)| known == name)? + 1,
        };
        Some(properties.get(at).map(|(name, _)| name.as_str()))
    }

    /// Sets a property, which is made if it does not exist; `false` when it has no proper name, there is no such node, or
    /// the tree would become too large.
    pub fn set(&mut self, node: Phandle, name: &str, value: Vec<u8>) -> bool {
        let proper = !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(['/', '\0']);
        let Some(node) = self.nodes.get_mut(&node).filter(|_| proper) else { return false };
        let known = node.properties.iter_mut().find(|(known, _)| known == name);
        let before = known.as_ref().map_or(0, |(name, value)| name.len() + value.len());
        let (bytes, count) =
            (self.bytes - before + name.len() + value.len(), self.count + usize::from(known.is_none()));
        if bytes > LARGEST || count > MOST {
            return false;
        }
        (self.bytes, self.count) = (bytes, count);
        match known {
            Some((_, known)) => *known = value,
            None => node.properties.push((name.to_owned(), value)),
        }
        true
    }

    /// Bytes of all names and values.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
