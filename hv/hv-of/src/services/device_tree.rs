//! Nodes and properties (IEEE 1275-1994, 6.3.2.2).

use super::Service;
use crate::arguments::{FAILED, copy, text};
use crate::firmware::{Call, OpenFirmware, State};
use crate::path;
use crate::tree::{LONGEST_NAME, Phandle, Tree};

pub(super) const SERVICES: &[Service] = &[
    Service { name: "peer", inputs: 1, run: peer },
    Service { name: "child", inputs: 1, run: child },
    Service { name: "parent", inputs: 1, run: parent },
    Service { name: "finddevice", inputs: 1, run: finddevice },
    Service { name: "getproplen", inputs: 2, run: getproplen },
    Service { name: "getprop", inputs: 4, run: getprop },
    Service { name: "nextprop", inputs: 3, run: nextprop },
    Service { name: "setprop", inputs: 4, run: setprop },
    Service { name: "canon", inputs: 3, run: canon },
    Service { name: "instance-to-package", inputs: 1, run: instance_to_package },
    Service { name: "instance-to-path", inputs: 3, run: instance_to_path },
    Service { name: "package-to-path", inputs: 3, run: package_to_path },
];

/// Bytes of a value that a client may set.
const LONGEST_VALUE: u32 = 0x1_0000;

/// A node, or 0 where there is none.
fn node(found: Option<Phandle>) -> Vec<u32> {
    vec![found.unwrap_or(0)]
}

fn result(found: Option<u32>) -> Vec<u32> {
    vec![found.unwrap_or(FAILED)]
}

/// The next node in the same parent; of node 0, the root.
fn peer(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    node(match call.arguments.input(0) {
        0 => state.tree.root(),
        this => state.tree.peer(this),
    })
}

fn child(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    node(state.tree.children(call.arguments.input(0)).first().copied())
}

fn parent(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    node(state.tree.parent(call.arguments.input(0)))
}

/// The text that argument `n` points to.
fn text_at(call: &Call, n: usize, longest: usize) -> Option<String> {
    text(call.visit.context.mem, call.arguments.input(n), longest)
}

fn finddevice(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    result(text_at(call, 0, path::LONGEST).and_then(|path| path::find(&state.tree, &path)))
}

fn getproplen(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    let name = text_at(call, 1, LONGEST_NAME);
    result(name.and_then(|name| Some(state.tree.get(call.arguments.input(0), &name)?.len() as u32)))
}

/// Copies what there is room for; the result is the whole length.
fn getprop(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    let name = text_at(call, 1, LONGEST_NAME);
    let value = name.and_then(|name| state.tree.get(call.arguments.input(0), &name));
    result(value.and_then(|value| copied(call, 2, value)))
}

/// Copies `data` to the buffer whose address and size are the arguments from `n` on.
fn copied(call: &Call, n: usize, data: &[u8]) -> Option<u32> {
    let (address, room) = (call.arguments.input(n), call.arguments.input(n + 1));
    copy(call.visit.context.mem, address, room, data).then_some(data.len() as u32)
}

/// 1 and the name of the next property, 0 behind the last one, -1 when there is no such property. PAPR has names for which
/// IEEE 1275's 32 bytes are too few; the client knows.
fn nextprop(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    let mem = call.visit.context.mem;
    let (previous, buffer) = (call.arguments.input(1), call.arguments.input(2));
    let name = if previous == 0 { Some(String::new()) } else { text(mem, previous, LONGEST_NAME) };
    let next = name.and_then(|name| state.tree.next(call.arguments.input(0), &name));
    let end = |next: &str| [next.as_bytes(), b"\0"].concat();
    let told = |name: &str| mem.write(buffer.into(), &end(name));
    result(next.and_then(|next| if told(next.unwrap_or("")) { Some(u32::from(next.is_some())) } else { None }))
}

fn setprop(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    let [node, _, address, size] = [0, 1, 2, 3].map(|n| call.arguments.input(n));
    let name = text_at(call, 1, LONGEST_NAME).filter(|_| size <= LONGEST_VALUE);
    let mut value = vec![0; if name.is_some() { size as usize } else { 0 }];
    let read = call.visit.context.mem.read(address.into(), &mut value);
    result(name.and_then(|name| (read && state.tree.set(node, &name, value)).then_some(size)))
}

/// The whole path of a node, which is text, into the buffer of the arguments from `n` on. The length does not count the NUL.
fn tell_path(tree: &Tree, call: &Call, node: Phandle, arguments: &str, n: usize) -> Option<u32> {
    let mut path = path::of(tree, node)?;
    if !arguments.is_empty() {
        path = format!("{path}:{arguments}");
    }
    copied(call, n, &[path.as_bytes(), b"\0"].concat()).map(|len| len - 1)
}

fn canon(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    let told = text_at(call, 0, path::LONGEST).and_then(|given| {
        let node = path::find(&state.tree, &given)?;
        tell_path(&state.tree, call, node, path::split(&given).1, 1)
    });
    result(told)
}

fn instance_to_package(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    result(state.instances.get(call.arguments.input(0)).map(|instance| instance.node))
}

fn instance_to_path(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    let instance = state.instances.get(call.arguments.input(0));
    result(instance.and_then(|instance| tell_path(&state.tree, call, instance.node, "", 1)))
}

fn package_to_path(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    result(tell_path(&state.tree, call, call.arguments.input(0), "", 1))
}
