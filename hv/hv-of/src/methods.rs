//! `call-method` (IEEE 1275-1994, 6.3.2.2): methods of open devices. Arguments and results are cells of Forth's stack, its
//! top first.

use crate::arguments::text;
use crate::client_architecture;
use crate::firmware::{Call, OpenFirmware, State};
use crate::instances::{Ihandle, Package};

/// What `catch` returns for a word that does not exist (ANS Forth, 9.3.5), and for one that gave up.
const UNDEFINED: u32 = -13_i32 as u32;
const ABORTED: u32 = -1_i32 as u32;

/// Results, or `None` when the method gives up.
type Method = fn(&OpenFirmware, &mut State, &mut Call, &Stack) -> Option<Vec<u32>>;

/// The instance and its method's arguments.
struct Stack<'a> {
    instance: Ihandle,
    cells: &'a [u32],
}

impl Stack<'_> {
    /// The first `N` cells.
    fn pop<const N: usize>(&self) -> Option<[u32; N]> {
        self.cells.first_chunk().copied()
    }
}

const METHODS: &[(Package, &str, Method)] = &[
    (Package::Root, "ibm,client-architecture-support", client_architecture_support),
    (Package::Rtas, "instantiate-rtas", instantiate_rtas),
    (Package::Memory, "claim", claim),
    (Package::Memory, "release", release),
    (Package::Memory, "map", map),
    (Package::Memory, "unmap", |_, _, _, _| Some(Vec::new())),
    (Package::Memory, "translate", translate),
    (Package::Disk, "block-size", block_size),
    (Package::Disk, "#blocks", |firmware, state, _, stack| Some(vec![blocks(firmware, state, stack)? as u32])),
    (Package::Disk, "#blocks64", blocks64),
];

/// The first result is 0, or what `catch` returned.
pub(crate) fn call_method(firmware: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    let (instance, cells) = (call.arguments.input(1), call.arguments.inputs.get(2..).unwrap_or_default());
    let package = state.instances.get(instance).map(|instance| instance.package);
    let name = text(call.visit.context.mem, call.arguments.input(0), 63);
    let found = METHODS.iter().find(|(of, method, _)| Some(*of) == package && Some(*method) == name.as_deref());
    let Some((_, _, method)) = found else { return vec![UNDEFINED] };
    match method(firmware, state, call, &Stack { instance, cells }) {
        Some(results) => [vec![0], results].concat(),
        None => vec![ABORTED],
    }
}

/// `( vectors -- refused? )`
fn client_architecture_support(
    firmware: &OpenFirmware,
    state: &mut State,
    call: &mut Call,
    stack: &Stack,
) -> Option<Vec<u32>> {
    let [vectors] = stack.pop()?;
    let agreed = firmware.ports.architecture.agree(call.visit.context.mem, vectors);
    let published = agreed.is_some_and(|agreed| client_architecture::publish(&mut state.tree, &agreed));
    Some(vec![if published { 0 } else { ABORTED }])
}

/// `( base -- entry )`: the entry's few instructions are all that there is at `base`.
fn instantiate_rtas(firmware: &OpenFirmware, _: &mut State, call: &mut Call, stack: &Stack) -> Option<Vec<u32>> {
    let [base] = stack.pop()?;
    let mem = call.visit.context.mem;
    let code: Vec<u8> = firmware.ports.rtas.iter().flat_map(|word| word.to_be_bytes()).collect();
    (base.is_multiple_of(4) && mem.write(base.into(), &code)).then(|| vec![base])
}

/// `( [virtual] size align -- base )`: an alignment of 0 goes with an address.
fn claim(_: &OpenFirmware, state: &mut State, _: &mut Call, stack: &Stack) -> Option<Vec<u32>> {
    let [align, size] = stack.pop()?;
    let address = stack.cells.get(2).copied();
    let address = if align == 0 { address? } else { 0 };
    Some(vec![state.claim(address, size, align)?])
}

/// `( address size -- )`
fn release(_: &OpenFirmware, state: &mut State, _: &mut Call, stack: &Stack) -> Option<Vec<u32>> {
    let [size, address] = stack.pop()?;
    state.release(address, size);
    Some(Vec::new())
}

/// `( physical virtual size mode -- )`: nothing is translated, so only what is mapped to itself is.
fn map(_: &OpenFirmware, _: &mut State, _: &mut Call, stack: &Stack) -> Option<Vec<u32>> {
    let [_mode, _size, virtual_, physical] = stack.pop()?;
    (virtual_ == physical).then(Vec::new)
}

/// `( virtual -- physical mode true )`: the mode is memory's, coherent.
fn translate(_: &OpenFirmware, _: &mut State, call: &mut Call, stack: &Stack) -> Option<Vec<u32>> {
    const COHERENT: u32 = 0x10;
    let [address] = stack.pop()?;
    let known = call.visit.context.mem.contains(address.into(), 1);
    Some(if known { vec![u32::MAX, COHERENT, address] } else { vec![0] })
}

fn block_size(firmware: &OpenFirmware, _: &mut State, _: &mut Call, _: &Stack) -> Option<Vec<u32>> {
    Some(vec![firmware.ports.disk.as_ref()?.block_size()])
}

fn blocks(firmware: &OpenFirmware, state: &State, stack: &Stack) -> Option<u64> {
    let extent = &state.instances.get(stack.instance)?.extent;
    extent.end.saturating_sub(extent.start).checked_div(firmware.ports.disk.as_ref()?.block_size().into())
}

/// `( -- low high )`
fn blocks64(firmware: &OpenFirmware, state: &mut State, _: &mut Call, stack: &Stack) -> Option<Vec<u32>> {
    let blocks = blocks(firmware, state, stack)?;
    Some(vec![(blocks >> 32) as u32, blocks as u32])
}
