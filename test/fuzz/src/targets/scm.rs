//! The calls of persistent memory against a model of them: not only does every call return, it returns what the model
//! says, and memory is where the model has it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use guest_mem::{BLOCK, GuestMem, Order};
use hv_papr::ports::{Flushed, Persistent, PersistentMemory, ScmGeometry};
use papr_abi::hcall::*;
use papr_abi::scm::{CHOOSE_ADDRESS, SCOPE_ALL, SCOPE_ONE};
use papr_abi::status::*;

use crate::corpus::{self, reach};
use crate::input::Input;
use crate::targets::partition::Partition;

const FIRST: u64 = 0x9000_0000;
/// Blocks of the devices: the second takes two calls for all of it.
const BLOCKS: [u64; 2] = [3, 300];
const LABELS: u64 = 64;
const WINDOW: Range<u64> = BLOCK..BLOCK * 420;
/// Blocks that one call moves: 4 GiB.
const SLICE: u64 = 256;
/// Flushes that are busy before they are done.
const PATIENCE: u64 = 2;

/// A device in memory: each mapped block begins with what names it.
pub(super) struct Device {
    number: u64,
    mem: Arc<GuestMem>,
    labels: Mutex<Vec<u8>>,
    flushes: Mutex<BTreeMap<u64, u64>>,
}

impl Device {
    /// Number 0 or 1, with its blocks in `mem`.
    pub(super) fn new(number: u64, mem: &Arc<GuestMem>) -> Device {
        let (labels, flushes) = (Mutex::new(vec![0; LABELS as usize]), Mutex::default());
        Device { number, mem: Arc::clone(mem), labels, flushes }
    }
}

fn tag(device: u64, block: u64) -> u64 {
    (device + 1) << 32 | block
}

impl PersistentMemory for Device {
    fn geometry(&self) -> ScmGeometry {
        ScmGeometry { block_size: BLOCK, blocks: BLOCKS[self.number as usize], labels: LABELS }
    }
    fn read_label(&self, offset: u64, out: &mut [u8]) -> bool {
        let labels = self.labels.lock().unwrap();
        let found = usize::try_from(offset).ok().and_then(|at| labels.get(at..)?.get(..out.len()));
        found.map(|found| out.copy_from_slice(found)).is_some()
    }
    fn write_label(&self, offset: u64, data: &[u8]) -> bool {
        self.labels.lock().unwrap()[offset as usize..][..data.len()].copy_from_slice(data);
        true
    }
    fn map(&self, address: u64, first: u64, count: u64) -> bool {
        self.mem.add(address..address + count * BLOCK).unwrap();
        (0..count).all(|n| self.mem.store(address + n * BLOCK, Order::Big, tag(self.number, first + n)))
    }
    fn unmap(&self, _: Range<u64>) -> bool {
        true
    }
    fn health(&self) -> (u64, u64) {
        (u64::MAX, self.number)
    }
    fn statistics(&self) -> Vec<([u8; 8], u64)> {
        Vec::new()
    }
    fn flush(&self, token: u64) -> Flushed {
        let mut flushes = self.flushes.lock().unwrap();
        if token == 0 {
            let token = flushes.len() as u64 + 1;
            flushes.insert(token, PATIENCE);
            return Flushed::Busy(token);
        }
        match flushes.get_mut(&token) {
            None | Some(0) => Flushed::Unknown,
            Some(left) => {
                *left -= 1;
                if *left == 0 { Flushed::Done } else { Flushed::Busy(token) }
            }
        }
    }
}

/// An unfinished call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    call: u64,
    device: u64,
    arguments: [u64; 3],
    address: u64,
    done: u64,
}

/// What the calls should do.
struct Model {
    /// Where each block of each device is.
    places: [Vec<Option<u64>>; 2],
    labels: [Vec<u8>; 2],
    open: BTreeMap<u64, Open>,
}

type Outcome = (i64, Vec<u64>);

impl Model {
    fn new() -> Model {
        Model {
            places: BLOCKS.map(|blocks| vec![None; blocks as usize]),
            labels: [vec![0; LABELS as usize], vec![0; LABELS as usize]],
            open: BTreeMap::new(),
        }
    }

    fn owner(&self, address: u64) -> Option<(u64, u64)> {
        (0..2).find_map(|device| {
            let at = self.places[device].iter().position(|place| *place == Some(address))?;
            Some((device as u64, at as u64))
        })
    }

    /// Whether `range` meets no bound block.
    fn is_free(&self, range: Range<u64>) -> bool {
        self.places.iter().flatten().flatten().all(|at| *at + BLOCK <= range.start || *at >= range.end)
    }

    /// The unfinished call of `token`, which ends with this.
    fn resume(&mut self, call: u64, device: u64, token: u64, arguments: [u64; 3]) -> Option<Open> {
        let open = *self.open.get(&token)?;
        let same = (open.call, open.device, open.arguments) == (call, device, arguments);
        same.then(|| self.open.remove(&token)).flatten()
    }

    /// Judges `status` and `out`, r4 on, of a binding.
    fn bind(&mut self, device: u64, [first, count, target, token]: [u64; 4], status: i64, out: [u64; 3]) {
        let blocks = BLOCKS[device as usize];
        let arguments = [first, count, target];
        let open = self.resume(H_SCM_BIND_MEM, device, token, arguments);
        if token != 0 && open.is_none() {
            return assert_eq!(status, H_P5);
        }
        if first >= blocks {
            return assert_eq!(status, H_P2);
        }
        if count == 0 || count > blocks - first {
            return assert_eq!(status, H_P3);
        }
        let bytes = count * BLOCK;
        let done = open.map_or(0, |open| open.done);
        let wanted = first + done..first + count;
        let taken = |model: &Model| wanted.clone().any(|block| model.places[device as usize][block as usize].is_some());
        let address = match open {
            Some(open) => open.address,
            None if target == CHOOSE_ADDRESS => {
                let fits =
                    (WINDOW.start..=WINDOW.end - bytes).step_by(BLOCK as usize).any(|at| self.is_free(at..at + bytes));
                if !fits {
                    return assert_eq!(status, H_TOO_BIG);
                }
                if taken(self) {
                    return assert_eq!(status, H_OVERLAP);
                }
                assert!(out[1].is_multiple_of(BLOCK) && out[1] >= WINDOW.start && out[1] + bytes <= WINDOW.end);
                assert!(self.is_free(out[1]..out[1] + bytes), "chosen {:#x}", out[1]);
                out[1]
            }
            None if !target.is_multiple_of(BLOCK) || !WINDOW.contains(&target) => return assert_eq!(status, H_P4),
            None => {
                if taken(self) || !self.is_free(target..target + bytes) {
                    return assert_eq!(status, H_OVERLAP);
                }
                if target + bytes > WINDOW.end {
                    return assert_eq!(status, H_TOO_BIG);
                }
                target
            }
        };
        let now = (count - done).min(SLICE);
        let part = address + done * BLOCK..address + (done + now) * BLOCK;
        let held = (first + done..first + done + now).any(|b| self.places[device as usize][b as usize].is_some());
        if held || !self.is_free(part) {
            return assert_eq!(status, H_OVERLAP);
        }
        for n in done..done + now {
            self.places[device as usize][(first + n) as usize] = Some(address + n * BLOCK);
        }
        assert_eq!(out[1..], [address, done + now]);
        let open = Open { call: H_SCM_BIND_MEM, device, arguments, address, done: done + now };
        self.goes_on(done + now < count, open, status, out[0]);
    }

    fn goes_on(&mut self, more: bool, open: Open, status: i64, token: u64) {
        assert_eq!((status, token != 0), (if more { H_BUSY } else { H_SUCCESS }, more));
        if more {
            assert!(self.open.insert(token, open).is_none(), "a token twice");
        }
    }

    fn unbind(&mut self, device: u64, [start, count, token]: [u64; 3], status: i64, out: [u64; 3]) {
        let arguments = [start, count, 0];
        let open = self.resume(H_SCM_UNBIND_MEM, device, token, arguments);
        if token != 0 && open.is_none() {
            return assert_eq!(status, H_P4);
        }
        let done = open.map_or(0, |open| open.done);
        let owned = |model: &Model, at| model.owner(at).is_some_and(|(owner, _)| owner == device);
        if !start.is_multiple_of(BLOCK) || done == 0 && !owned(self, start) {
            return assert_eq!(status, H_P2);
        }
        if count <= done || count > BLOCKS[device as usize] || !(done..count).all(|n| owned(self, start + n * BLOCK)) {
            return assert_eq!(status, H_P3);
        }
        let now = (count - done).min(SLICE);
        for n in done..done + now {
            let (_, block) = self.owner(start + n * BLOCK).unwrap();
            self.places[device as usize][block as usize] = None;
        }
        assert_eq!(out[1], done + now);
        let open = Open { call: H_SCM_UNBIND_MEM, device, arguments, address: 0, done: done + now };
        self.goes_on(done + now < count, open, status, out[0]);
    }

    fn unbind_all(&mut self, [scope, drc, token]: [u64; 3], status: i64, out: [u64; 3]) {
        let only = match scope {
            SCOPE_ALL => None,
            SCOPE_ONE if (FIRST..FIRST + 2).contains(&drc) => Some(drc - FIRST),
            SCOPE_ONE => return assert_eq!(status, H_P2),
            _ => return assert_eq!(status, H_PARAMETER),
        };
        // Calls for all devices are kept apart from those of a device.
        let key = only.unwrap_or(u64::MAX);
        let open = self.resume(H_SCM_UNBIND_ALL, key, token, [scope, 0, 0]);
        if token != 0 && open.is_none() {
            return assert_eq!(status, H_P4);
        }
        let devices = only.map_or(0..2, |device| device..device + 1);
        let mut bound: Vec<u64> = devices.flat_map(|device| &self.places[device as usize]).copied().flatten().collect();
        bound.sort_unstable();
        let done = open.map_or(0, |open| open.done) + bound.len().min(SLICE as usize) as u64;
        for at in bound.iter().take(SLICE as usize) {
            let (device, block) = self.owner(*at).unwrap();
            self.places[device as usize][block as usize] = None;
        }
        assert_eq!(out[1], done);
        let open = Open { call: H_SCM_UNBIND_ALL, device: key, arguments: [scope, 0, 0], address: 0, done };
        self.goes_on(bound.len() > SLICE as usize, open, status, out[0]);
    }

    /// The outcome of calls that change nothing but labels.
    fn simple(&mut self, call: u64, device: u64, [a, b, c]: [u64; 3]) -> Outcome {
        let blocks = BLOCKS[device as usize];
        let transfer = |len: u64| matches!(len, 1 | 2 | 4 | 8);
        let inside = |offset: u64, len: u64| offset.checked_add(len).is_some_and(|end| end <= LABELS);
        match call {
            H_SCM_READ_METADATA if !transfer(b) => (H_P3, vec![]),
            H_SCM_READ_METADATA if !inside(a, b) => (H_P2, vec![]),
            H_SCM_READ_METADATA => {
                let bytes = &self.labels[device as usize][a as usize..][..b as usize];
                (H_SUCCESS, vec![bytes.iter().fold(0, |data, byte| data << 8 | u64::from(*byte))])
            }
            H_SCM_WRITE_METADATA if !transfer(c) => (H_P4, vec![]),
            H_SCM_WRITE_METADATA if !inside(a, c) || c < 8 && b >= 1 << (8 * c) => (H_P2, vec![]),
            H_SCM_WRITE_METADATA => {
                for n in 0..c {
                    self.labels[device as usize][(a + n) as usize] = (b >> (8 * (c - 1 - n))) as u8;
                }
                (H_SUCCESS, vec![])
            }
            H_SCM_QUERY_BLOCK_MEM_BINDING if a >= blocks => (H_P2, vec![]),
            H_SCM_QUERY_BLOCK_MEM_BINDING => match self.places[device as usize][a as usize] {
                Some(at) => (H_SUCCESS, vec![at]),
                None => (H_NOT_FOUND, vec![]),
            },
            _ => (H_SUCCESS, vec![device, device]),
        }
    }
}

/// An address near something.
fn address(input: &mut Input, model: &Model) -> u64 {
    let known: Vec<u64> = model.places.iter().flatten().flatten().copied().collect();
    match input.byte() & 7 {
        0 => input.number(WINDOW.end),
        1 | 2 => WINDOW.start + u64::from(input.byte()) * BLOCK,
        3 => WINDOW.end - u64::from(input.byte() & 7) * BLOCK,
        _ if known.is_empty() => CHOOSE_ADDRESS,
        4 => input.pick(&known) + u64::from(input.byte() & 3),
        _ => input.pick(&known),
    }
}

fn token(input: &mut Input, model: &Model) -> u64 {
    let known: Vec<u64> = model.open.keys().copied().collect();
    match input.byte() & 7 {
        0 => input.number(WINDOW.end),
        1..=4 if !known.is_empty() => input.pick(&known),
        _ => 0,
    }
}

/// What earlier runs kept.
pub fn examples() -> Vec<Vec<u8>> {
    corpus::inputs(include_str!("../../corpus/scm.txt"))
}

/// Makes calls until the input is used up.
pub fn run(data: &[u8]) {
    const CALLS: [u64; 12] = [
        H_SCM_READ_METADATA,
        H_SCM_WRITE_METADATA,
        H_SCM_BIND_MEM,
        H_SCM_BIND_MEM,
        H_SCM_BIND_MEM,
        H_SCM_UNBIND_MEM,
        H_SCM_UNBIND_MEM,
        H_SCM_UNBIND_ALL,
        H_SCM_QUERY_BLOCK_MEM_BINDING,
        H_SCM_QUERY_LOGICAL_MEM_BINDING,
        H_SCM_HEALTH,
        H_SCM_FLUSH,
    ];
    let mut input = Input::new(data);
    let mem = Arc::new(GuestMem::with_room(BLOCK, WINDOW.end, 128).unwrap());
    let device =
        |number: u64| ((FIRST + number) as u32, Arc::new(Device::new(number, &mem)) as Arc<dyn PersistentMemory>);
    let persistent = Persistent::new(WINDOW, [device(0), device(1)]);
    let mut partition = Partition::new(Arc::clone(&mem), persistent);
    let mut model = Model::new();
    let mut pending: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    let mut begun = [0, 0];
    while !input.is_empty() {
        let call = input.pick(&CALLS);
        let drc = if input.byte() & 15 == 0 { input.number(FIRST) } else { FIRST + u64::from(input.byte() & 1) };
        let known = (FIRST..FIRST + 2).contains(&drc);
        let device = drc.wrapping_sub(FIRST);
        let blocks = if known { BLOCKS[device as usize] } else { 1 };
        let near = |input: &mut Input, most: u64| match input.byte() & 7 {
            0 => input.number(most.max(1)),
            1 => most,
            2 => 0,
            _ => u64::from(input.word()) % (most + 2),
        };
        let mut arguments = [drc, 0, 0, 0, 0];
        match call {
            H_SCM_READ_METADATA => arguments[1..3].copy_from_slice(&[near(&mut input, LABELS), near(&mut input, 8)]),
            H_SCM_WRITE_METADATA => {
                let len = near(&mut input, 8);
                let data =
                    if input.flag() { input.doubleword() >> (64 - 8 * len.clamp(1, 8)) } else { input.number(LABELS) };
                arguments[1..4].copy_from_slice(&[near(&mut input, LABELS), data, len]);
            }
            H_SCM_BIND_MEM => {
                let first = near(&mut input, blocks);
                let count = near(&mut input, blocks.saturating_sub(first));
                let target = if input.flag() { CHOOSE_ADDRESS } else { address(&mut input, &model) };
                arguments[1..].copy_from_slice(&[first, count, target, token(&mut input, &model)]);
            }
            H_SCM_UNBIND_MEM => {
                let start = address(&mut input, &model);
                arguments[1..4].copy_from_slice(&[start, near(&mut input, blocks), token(&mut input, &model)]);
            }
            H_SCM_UNBIND_ALL => {
                let scope = if input.byte() & 15 == 0 { input.number(4) } else { 1 + u64::from(input.byte() & 1) };
                arguments[..3].copy_from_slice(&[scope, drc, token(&mut input, &model)]);
            }
            H_SCM_QUERY_LOGICAL_MEM_BINDING => arguments[0] = address(&mut input, &model),
            H_SCM_FLUSH => arguments[1] = near(&mut input, 3),
            _ => arguments[1] = near(&mut input, blocks),
        }
        // A call goes on with what it began with.
        let last = if call == H_SCM_BIND_MEM { 4 } else { 3 };
        let kept = input.byte() & 3 != 0;
        if let Some(open) = model.open.get(&arguments[last]).filter(|open| kept && open.call == call && open.device < 2)
        {
            arguments[0] = FIRST + open.device;
            arguments[1..=2].copy_from_slice(&open.arguments[..2]);
            if call == H_SCM_BIND_MEM {
                arguments[3] = open.arguments[2];
            }
        }
        let [drc, a, b, c, d] = arguments;
        let device = drc.wrapping_sub(FIRST);
        let known = device < 2;
        let (status, out) = partition.call(call, &arguments);
        reach(call, status as u64);
        let unchanged = |from: usize| assert_eq!(out[from..], [&arguments[..], &[0xdead; 4]].concat()[from..9]);
        match call {
            H_SCM_UNBIND_ALL => model.unbind_all([drc, a, b], status, [out[0], out[1], out[2]]),
            H_SCM_QUERY_LOGICAL_MEM_BINDING => {
                let want = match model.owner(drc & !(BLOCK - 1)) {
                    _ if drc >= 1 << 60 => (H_PARAMETER, [drc, a]),
                    None => (H_NOT_FOUND, [drc, a]),
                    Some((device, block)) => (H_SUCCESS, [FIRST + device, block]),
                };
                assert_eq!((status, [out[0], out[1]]), want);
            }
            _ if !known => assert_eq!(status, H_PARAMETER),
            H_SCM_BIND_MEM => model.bind(device, [a, b, c, d], status, [out[0], out[1], out[2]]),
            H_SCM_UNBIND_MEM => model.unbind(device, [a, b, c], status, [out[0], out[1], out[2]]),
            H_SCM_FLUSH => {
                let want = match pending.get_mut(&(device, a)) {
                    _ if a == 0 => {
                        begun[device as usize] += 1;
                        pending.insert((device, begun[device as usize]), PATIENCE);
                        (H_LONG_BUSY_ORDER_1_MSEC, begun[device as usize])
                    }
                    None | Some(0) => (H_P2, drc),
                    Some(left) => {
                        *left -= 1;
                        if *left == 0 { (H_SUCCESS, 0) } else { (H_LONG_BUSY_ORDER_1_MSEC, a) }
                    }
                };
                assert_eq!((status, out[0]), want);
            }
            _ => {
                let (want, outputs) = model.simple(call, device, [a, b, c]);
                assert_eq!((status, &out[..outputs.len()]), (want, &outputs[..]), "{call:#x} {arguments:x?}");
                unchanged(outputs.len());
            }
        }
        unchanged(3);
    }
    for at in WINDOW.step_by(BLOCK as usize) {
        let found = mem.load::<u64>(at, Order::Big);
        assert_eq!(found, model.owner(at).map(|(device, block)| tag(device, block)), "at {at:#x}");
    }
}
