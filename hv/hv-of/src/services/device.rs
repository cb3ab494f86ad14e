//! Open devices (IEEE 1275-1994, 6.3.2.3).

use hv_core::Next;

use super::Service;
use crate::arguments::{FAILED, text};
use crate::firmware::{Call, OpenFirmware, State};
use crate::instances::Package;
use crate::{methods, path};

pub(super) const SERVICES: &[Service] = &[
    Service { name: "open", inputs: 1, run: open },
    Service { name: "close", inputs: 1, run: close },
    Service { name: "read", inputs: 3, run: read },
    Service { name: "write", inputs: 3, run: write },
    Service { name: "seek", inputs: 3, run: seek },
    Service { name: "call-method", inputs: 2, run: methods::call_method },
];

/// Bytes that one exit copies from a disk; a longer read is made in several.
const DISK_CHUNK: u32 = 16 << 10;
/// Bytes of one call that the terminal takes or gives.
const CONSOLE_CHUNK: u32 = 4096;
/// Nothing has been typed.
const NOTHING: u32 = -2_i32 as u32;

/// An instance, or 0 for what cannot be opened.
fn open(firmware: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    let path = text(call.visit.context.mem, call.arguments.input(0), path::LONGEST);
    vec![path.and_then(|path| opened(firmware, state, &path)).unwrap_or(0)]
}

fn opened(firmware: &OpenFirmware, state: &mut State, path: &str) -> Option<u32> {
    let node = path::find(&state.tree, path)?;
    let full = path::of(&state.tree, node)?;
    let disk = firmware.ports.disk.as_deref();
    let package = match full.as_str() {
        "/" => Package::Root,
        path::RTAS => Package::Rtas,
        path::DISK if disk.is_some() => Package::Disk,
        _ => state.package(node)?,
    };
    let extent = match (package, disk) {
        (Package::Disk, Some(disk)) => match path::split(path).1 {
            "" | "0" => 0..disk.size(),
            // `partition,file` would need a reader of file systems.
            number => disk.partition(number.trim_end_matches(',').parse().ok()?)?,
        },
        _ => 0..0,
    };
    state.instances.open(node, package, extent)
}

impl State {
    /// What a node is of which instances were open from the start.
    fn package(&self, node: u32) -> Option<Package> {
        match self.tree.text(node, "device_type")? {
            "serial" => Some(Package::Console),
            "memory" | "cpu" => Some(Package::Memory),
            _ => None,
        }
    }
}

fn close(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    state.instances.close(call.arguments.input(0));
    Vec::new()
}

/// Reads as many bytes as there are; the result is their number, -1 for what cannot be read.
fn read(firmware: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    let [handle, address, size] = [0, 1, 2].map(|n| call.arguments.input(n));
    let package = state.instances.get(handle).map(|instance| instance.package);
    match package {
        Some(Package::Console) => {
            let mut data = vec![0; size.min(CONSOLE_CHUNK) as usize];
            if !call.visit.context.mem.contains(address.into(), data.len() as u64) {
                return vec![FAILED];
            }
            let count = firmware.ports.console.get(&mut data).min(data.len());
            call.visit.context.mem.write(address.into(), data.get(..count).unwrap_or_default());
            vec![if count == 0 && size != 0 { NOTHING } else { count as u32 }]
        }
        Some(Package::Disk) => read_disk(firmware, state, call, [handle, address, size]),
        _ => vec![FAILED],
    }
}

/// A chunk at a time: until the last one, the client makes the call again.
fn read_disk(
    firmware: &OpenFirmware,
    state: &mut State,
    call: &mut Call,
    [handle, address, size]: [u32; 3],
) -> Vec<u32> {
    let (Some(instance), Some(disk)) = (state.instances.get_mut(handle), firmware.ports.disk.as_deref()) else {
        return vec![FAILED];
    };
    let extent = instance.extent.end.saturating_sub(instance.extent.start);
    let size = extent.saturating_sub(instance.position).min(size.into()) as u32;
    let done = std::mem::take(&mut instance.progress).min(size);
    let part = (size - done).min(DISK_CHUNK);
    let to = u64::from(address) + u64::from(done);
    let from = instance.extent.start + instance.position + u64::from(done);
    let mut data = vec![0; part as usize];
    if !call.visit.context.mem.contains(to, part.into()) || !disk.read(from, &mut data) {
        return vec![FAILED];
    }
    call.visit.context.mem.write(to, &data);
    if done + part < size {
        instance.progress = done + part;
        call.again = true;
        return Vec::new();
    }
    instance.position += u64::from(size);
    vec![size]
}

/// Writes to the terminal. If it has no room now, the client makes the call again, behind whoever makes room.
fn write(firmware: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    let [handle, address, size] = [0, 1, 2].map(|n| call.arguments.input(n));
    let is_console = state.instances.get(handle).is_some_and(|instance| instance.package == Package::Console);
    let mut data = vec![0; size.min(CONSOLE_CHUNK) as usize];
    if !is_console || !call.visit.context.mem.read(address.into(), &mut data) {
        return vec![FAILED];
    }
    if !firmware.ports.console.put(&data) {
        (call.again, call.next) = (true, Next::Yield);
    }
    vec![data.len() as u32]
}

/// Moves to a position of two cells; -1 when it is not on the device.
fn seek(_: &OpenFirmware, state: &mut State, call: &mut Call) -> Vec<u32> {
    let [handle, high, low] = [0, 1, 2].map(|n| call.arguments.input(n));
    let position = u64::from(high) << 32 | u64::from(low);
    match state.instances.get_mut(handle).filter(|instance| instance.package == Package::Disk) {
        Some(instance) if position <= instance.extent.end.saturating_sub(instance.extent.start) => {
            (instance.position, instance.progress) = (position, 0);
            vec![0]
        }
        _ => vec![FAILED],
    }
}
