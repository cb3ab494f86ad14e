//! Device paths (IEEE 1275-1994, 4.3.1): `/node@unit/node:arguments`, or an alias in the place of the first part.

use crate::tree::{Phandle, Tree};

/// The disk's node.
pub const DISK: &str = "/disk";
/// RTAS' node.
pub const RTAS: &str = "/rtas";
/// Bytes of a path that are read from a client.
pub const LONGEST: usize = 255;

/// A path and the arguments behind its last colon, which may be empty.
pub fn split(path: &str) -> (&str, &str) {
    let last = path.rfind('/').map_or(0, |slash| slash + 1);
    match path.get(last..).and_then(|name| name.find(':')) {
        Some(colon) => (path.get(..last + colon).unwrap_or(path), path.get(last + colon + 1..).unwrap_or("")),
        None => (path, ""),
    }
}

/// The node that `path` names, arguments or not.
pub fn find(tree: &Tree, path: &str) -> Option<Phandle> {
    let (path, _) = split(path);
    match path.strip_prefix('/') {
        Some(rest) => walk(tree, tree.root()?, rest),
        None => {
            let (alias, rest) = path.split_once('/').unwrap_or((path, ""));
            let aliases = walk(tree, tree.root()?, "aliases")?;
            let (target, _) = split(tree.text(aliases, alias)?);
            walk(tree, walk(tree, tree.root()?, target.strip_prefix('/')?)?, rest)
        }
    }
}

fn walk(tree: &Tree, from: Phandle, path: &str) -> Option<Phandle> {
    let mut names = path.split('/').filter(|name| !name.is_empty());
    names.try_fold(from, |node, wanted| {
        let mut children = tree.children(node).iter().copied();
        children.find(|child| tree.name(*child).is_some_and(|name| matches(name, wanted)))
    })
}

/// Whether the node `name` is meant by `wanted`, from which the name or the unit address may be left out.
fn matches(name: &str, wanted: &str) -> bool {
    let (plain, unit) = name.split_once('@').map_or((name, None), |(plain, unit)| (plain, Some(unit)));
    match wanted.split_once('@') {
        None => plain == wanted,
        Some((wanted, address)) => {
            (wanted.is_empty() || plain == wanted) && unit.is_some_and(|unit| unit.eq_ignore_ascii_case(address))
        }
    }
}

/// The full path of a node; `/` for the root. `None` when there is no such node.
pub fn of(tree: &Tree, node: Phandle) -> Option<String> {
    let name = tree.name(node)?;
    Some(match tree.parent(node) {
        None => "/".to_owned(),
        Some(parent) if tree.parent(parent).is_none() => format!("/{name}"),
        Some(parent) => format!("{}/{name}", of(tree, parent)?),
    })
}
