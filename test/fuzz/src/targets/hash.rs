//! The calls on the hashed page table against a model of it: every call returns what the model says, walks find what
//! the model has, in tables of all sizes, and persistent memory is in use while the model maps it.

use std::ops::Range;
use std::sync::Arc;

use guest_mem::{BLOCK, GuestMem};
use hv_papr::ports::{Persistent, PersistentMemory};
use papr_abi::hcall::*;
use papr_abi::status::*;
use ppc_mmu::fault::{NO_PTE, PROTECTION};
use ppc_mmu::{Access, Fault};

use crate::corpus::{self, reach};
use crate::input::Input;
use crate::targets::partition::{DEVICES, Partition};
use crate::targets::scm::Device;

/// RAM, behind it a block of persistent memory.
const RAM: u64 = 256 << 20;
const WINDOW: Range<u64> = RAM + BLOCK..RAM + 3 * BLOCK;
const CONNECTOR: u64 = 0x9000_0000;

const VALID: u64 = 1;
const SECONDARY: u64 = 2;
const LARGE: u64 = 4;
const BOLTED: u64 = 0x10;
const REFERENCE: u64 = 0x100;
const CHANGE: u64 = 0x80;
const BY_AVPN: u64 = 1 << 31;
const AND_COND: u64 = 1 << 30;
const REQUEST: u64 = 1 << 62;
/// What H_PROTECT changes.
const RIGHTS: u64 = 0xb000_0000_0000_0e07;
const SMALLEST: u64 = 18;
/// Twice a 128th of RAM.
const LARGEST: u64 = 22;
/// Entries that a call clears, and that one prepares.
const CLEARS: u64 = 1 << 15;
const PREPARES: u64 = 1 << 17;

type Words = (u64, u64);

/// log2 of base and actual page size.
fn sizes((v, r): Words) -> Option<(u64, u64)> {
    match (v & LARGE != 0, r >> 12 & 15, r >> 12 & 0xff) {
        (false, ..) => Some((12, 12)),
        (true, 1, _) => Some((16, 16)),
        (true, 7, _) => Some((12, 16)),
        (true, _, 0) => Some((24, 24)),
        (true, _, 0x38) => Some((12, 24)),
        (true, _, 8) => Some((16, 24)),
        _ => None,
    }
}

fn real((v, r): Words) -> u64 {
    let shift = sizes((v, r)).map_or(12, |sizes| sizes.1);
    (r & 0x0fff_ffff_ffff_f000) >> shift << shift
}

fn wide(v: u64) -> bool {
    v >> 62 == 1
}

/// What the VSID alone gives to the hash.
fn segment_hash(v: u64) -> u64 {
    let avpn = v << 2 >> 9;
    if wide(v) { avpn >> 17 ^ avpn >> 17 << 25 } else { avpn >> 5 }
}

#[derive(Clone, Copy, PartialEq)]
enum Resizing {
    Idle,
    /// Entries that are still to be prepared.
    Preparing(u64, u64),
}

struct Model {
    entries: Vec<Words>,
    resizing: Resizing,
    cleared: u64,
    used: bool,
    radix: bool,
    bound: bool,
}

impl Model {
    fn shift(&self) -> u64 {
        u64::from(self.entries.len().ilog2()) + 4
    }

    fn groups(&self) -> u64 {
        self.entries.len() as u64 / 8
    }

    fn at(&self, index: u64) -> Result<Words, i64> {
        self.entries.get(usize::try_from(index).unwrap_or(usize::MAX)).copied().ok_or(H_PARAMETER)
    }

    fn maps_persistent_memory(&self) -> bool {
        self.entries.iter().any(|words| words.0 & VALID != 0 && WINDOW.contains(&real(*words)))
    }

    fn enter(&mut self, flags: u64, index: u64, v: u64, r: u64) -> Result<Vec<u64>, i64> {
        let v = v & !0x60;
        let (at, wimg) = (real((v, r)), r >> 3 & 15);
        let memory = at < RAM || self.bound && (WINDOW.start..WINDOW.start + BLOCK).contains(&at);
        let suits = if memory { wimg == 2 } else { DEVICES.contains(&at) && wimg & 0b1100 == 0b0100 };
        let sized = sizes((v, r)).is_some_and(|(base, actual)| base == actual);
        if self.at(index).is_err() || !suits || !sized || v >> 63 != 0 {
            return Err(H_PARAMETER);
        }
        let places = if flags >> 39 & 1 != 0 { index..index + 1 } else { index / 8 * 8..index / 8 * 8 + 8 };
        let slot = places.into_iter().find(|at| self.entries[*at as usize].0 & VALID == 0).ok_or(H_PTEG_FULL)?;
        self.entries[slot as usize] = (v, r);
        self.used = true;
        Ok(vec![slot])
    }

    /// The entry, if it meets the conditions; of the AVPN so many low bits do not count.
    fn found(&self, flags: u64, index: u64, avpn: u64, ignored: impl Fn(Words) -> u64) -> Result<Words, i64> {
        let (v, r) = self.at(index)?;
        let low = (1 << (7 + ignored((v, r)))) - 1;
        let wrong = flags & BY_AVPN != 0 && (avpn & 0x7f != 0 || v | low != avpn | low);
        if v & VALID == 0 || wrong || flags & AND_COND != 0 && v & avpn != 0 {
            return Err(H_NOT_FOUND);
        }
        Ok((v, r))
    }

    fn change(&mut self, call: u64, flags: u64, index: u64, avpn: u64) -> Result<Vec<u64>, i64> {
        let flags = match call {
            H_REMOVE => flags,
            H_PROTECT => flags & !AND_COND,
            _ => 0,
        };
        let (v, r) = self.found(flags, index, avpn, |_| 0)?;
        let entry = &mut self.entries[index as usize];
        match call {
            H_REMOVE => {
                *entry = (0, 0);
                return Ok(vec![v, r]);
            }
            H_PROTECT => {
                let new = (flags >> 8 & 1) << 63 | (flags >> 12 & 3) << 60 | flags & 0xe07;
                entry.1 = r & !RIGHTS | new;
                return Ok(vec![]);
            }
            H_CLEAR_MOD => entry.1 &= !CHANGE,
            _ => entry.1 &= !REFERENCE,
        }
        Ok(vec![r])
    }

    /// Answers of H_BULK_REMOVE (pairs) or H_BLOCK_REMOVE (words behind one AVPN), and the call's.
    fn removals(&mut self, block: bool, arguments: &[u64]) -> (i64, Vec<u64>) {
        let (mut out, mut missed) = (Vec::new(), false);
        let pairs: Vec<(u64, u64)> = if block {
            arguments[1..].iter().map(|word| (*word, arguments[0])).collect()
        } else {
            arguments[..8].chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
        };
        for (word, avpn) in pairs {
            let (kind, control, index) = (word >> 62, word >> 56 & 0x3f, word << 8 >> 8);
            if kind == 3 {
                break;
            }
            if kind != 1 {
                return (H_PARAMETER, out);
            }
            let (flags, kept, outcome, noted) = match (block, control) {
                (true, 0) => (Some(0), 0, 59, 50),
                (true, 1) => (Some(BY_AVPN), 1 << 56, 59, 50),
                (true, _) => (None, word & 1 << 56, 59, 50),
                (false, _) => {
                    ([Some(0), Some(AND_COND), Some(BY_AVPN), None][control as usize & 3], word & 3 << 56, 60, 51)
                }
            };
            let ignored = |words| if block && sizes(words).is_some_and(|sizes| sizes.1 == 24) { 4 } else { 0 };
            let found = flags.ok_or(H_PARAMETER).and_then(|flags| self.found(flags, index, avpn, ignored));
            let answer = match found {
                Ok((_, r)) => {
                    self.entries[index as usize] = (0, 0);
                    (r & (REFERENCE | CHANGE)) << noted
                }
                Err(H_NOT_FOUND) => 1 << outcome,
                Err(_) => 2 << outcome,
            };
            missed |= found == Err(H_NOT_FOUND);
            out.push(2 << 62 | kept | index | answer);
            if !block {
                out.push(avpn);
            }
            if found == Err(H_PARAMETER) {
                return (H_PARAMETER, out);
            }
        }
        (if block && missed { H_PARTIAL } else { H_SUCCESS }, out)
    }

    /// Clears a slice; whether it was the last.
    fn clear(&mut self) -> bool {
        let end = (self.cleared + CLEARS).min(self.entries.len() as u64);
        self.entries[self.cleared as usize..end as usize].fill((0, 0));
        self.cleared = if end == self.entries.len() as u64 { 0 } else { end };
        self.cleared == 0
    }

    fn resize(&mut self, call: u64, flags: u64, shift: u64) -> i64 {
        if self.radix {
            return H_NOT_AVAILABLE;
        }
        if flags != 0 || shift != 0 && !(SMALLEST..=46).contains(&shift) {
            return H_PARAMETER;
        }
        if call == H_RESIZE_HPT_COMMIT {
            return match self.resizing {
                Resizing::Preparing(wanted, 0) if wanted == shift => {
                    self.resizing = Resizing::Idle;
                    self.commit(shift)
                }
                Resizing::Preparing(wanted, _) if wanted == shift => H_BUSY,
                _ => H_CLOSED,
            };
        }
        if shift > LARGEST {
            return H_RESOURCE;
        }
        let left = match self.resizing {
            Resizing::Preparing(wanted, left) if wanted == shift => left,
            _ if shift == self.shift() => 0,
            _ => 1 << (shift.max(4) - 4),
        };
        let left = left.saturating_sub(PREPARES);
        self.resizing = if shift == 0 { Resizing::Idle } else { Resizing::Preparing(shift, left) };
        if shift == 0 || left == 0 { H_SUCCESS } else { H_LONG_BUSY_ORDER_1_MSEC }
    }

    fn commit(&mut self, shift: u64) -> i64 {
        if shift == self.shift() {
            return H_SUCCESS;
        }
        let mut new = vec![(0, 0); 1 << (shift - 4)];
        for (index, &(v, r)) in self.entries.iter().enumerate() {
            if v & VALID == 0 {
                continue;
            }
            let (base, _) = sizes((v, r)).unwrap();
            let (vsid, flip) = (segment_hash(v), if v & SECONDARY != 0 { u64::MAX } else { 0 });
            // The number of the page in its segment: from the group as far as that goes, above from the AVPN.
            let high = (v << 2 >> 9 & if wide(v) { 0x1_ffff } else { 0x1f }) << 23;
            let low = ((index as u64 / 8) ^ flip ^ vsid) & (self.groups() - 1);
            let number = if base < 23 { high >> base | low & ((1 << (23 - base)) - 1) } else { high >> base };
            let group = ((vsid ^ number ^ flip) & ((1 << (shift - 7)) - 1)) as usize * 8;
            let slots = [group + index % 8].into_iter().chain(group..group + 8);
            let free = slots.clone().find(|slot| new[*slot].0 & VALID == 0);
            let slot = match free {
                _ if v & BOLTED == 0 => Some(group + index % 8).filter(|slot| new[*slot].0 & VALID == 0),
                None => slots.clone().find(|slot| new[*slot].0 & BOLTED == 0),
                free => free,
            };
            match slot {
                Some(slot) => new[slot] = (v, r),
                None if v & BOLTED != 0 => return H_PTEG_FULL,
                None => {}
            }
        }
        self.entries = new;
        self.cleared = 0;
        H_SUCCESS
    }

    /// What a walk finds, and what that changes.
    fn translate(&mut self, vsid: u64, ea: u64, store: bool) -> Result<u64, Fault> {
        let base = [12, 24, 16][[0, 0x100, 0x110].iter().position(|code| vsid & 0x130 == *code).unwrap()];
        let bits = if vsid >> 62 == 1 { 40 } else { 28 };
        let (number, offset) = (vsid << 2 >> 2 >> if bits == 40 { 24 } else { 12 }, ea & ((1 << bits) - 1));
        let hash = number ^ offset >> base ^ if bits == 40 { number << 25 } else { 0 };
        let virtual_address = number << (bits - 23) | offset >> 23;
        for secondary in [false, true] {
            let group = (if secondary { !hash } else { hash } & (self.groups() - 1)) * 8;
            for index in group..group + 8 {
                let (v, r) = self.entries[index as usize];
                let Some((_, actual)) = sizes((v, r)).filter(|sizes| sizes.0 == base) else { continue };
                let ignored = actual.saturating_sub(23);
                let same = v >> 62 == vsid >> 62 && (v << 2 >> 9 ^ virtual_address) >> ignored == 0;
                if v & VALID == 0 || (v & SECONDARY != 0) != secondary || !same {
                    continue;
                }
                let (reads, writes) = match r >> 61 & 4 | r & 3 {
                    0..=2 => (true, true),
                    3 | 6 => (true, false),
                    _ => (false, false),
                };
                if !(if store { writes } else { reads }) {
                    return Err(Fault::Storage(PROTECTION));
                }
                self.entries[index as usize].1 |= if store { REFERENCE | CHANGE } else { REFERENCE };
                return Ok(real((v, r)) | ea & ((1 << actual) - 1));
            }
        }
        Err(Fault::Storage(NO_PTE))
    }
}

/// A page: the VSID word of its segment, its address, V word, size code.
fn page(input: &mut Input) -> (u64, u64, u64, u64) {
    // Segments and pages that share groups in tables of some sizes.
    let number = 7 + 0x800 * u64::from(input.byte() & 3) + 0x7_0000 * u64::from(input.byte() & 1);
    let address = input.pick(&[0, 0x1000, 0x1_0000, 0x80_0000, 0x100_0000, 0x803_0000, 0x80_1000, 0xfff_f000]);
    let (shift, llp, large, code) =
        input.pick(&[(12, 0, 0, 0), (12, 0, 0, 0), (16, 0x110, LARGE, 0x1000), (24, 0x100, LARGE, 0)]);
    let address = address >> shift << shift;
    if input.byte() & 3 == 0 {
        (1 << 62 | number << 24 | llp, address, 1 << 62 | (number << 17 | address >> 23) << 7 | large, code)
    } else {
        (number << 12 | llp, address, (number << 5 | address >> 23) << 7 | large, code)
    }
}

/// First index of a group of that page, of the secondary hash if the word says so.
fn group(model: &Model, vsid: u64, address: u64, v: u64) -> u64 {
    let number = address
        >> if v & LARGE == 0 {
            12
        } else if vsid & 0x10 != 0 {
            16
        } else {
            24
        };
    let hash = segment_hash(v) ^ number;
    (if v & SECONDARY != 0 { !hash } else { hash } & (model.groups() - 1)) * 8
}

fn index(input: &mut Input, model: &Model) -> u64 {
    let (vsid, address, v, _) = page(input);
    match input.byte() & 15 {
        0 => input.number(model.entries.len() as u64),
        1 => model.entries.len() as u64 - u64::from(input.byte() & 8),
        secondary => {
            group(model, vsid, address, v | if secondary < 4 { SECONDARY } else { 0 }) + u64::from(input.byte() & 7)
        }
    }
}

/// The arguments of a call that begins with flags and an index.
fn arguments(input: &mut Input, model: &Model, call: u64) -> [u64; 4] {
    if call == H_ENTER {
        let (vsid, address, v, code) = page(input);
        let bits = input.byte();
        let v = v | VALID | u64::from(bits) & (SECONDARY | BOLTED | 0x68) & input.pick(&[SECONDARY, BOLTED, 0, !0]);
        let at = input.pick(&[0x4000_0000, 0, RAM - 0x1000, RAM, WINDOW.start, WINDOW.start + BLOCK, DEVICES.start]);
        let wimg = if at == DEVICES.start { 0x28 } else { 0x10 };
        let any = input.byte() & 15 == 0;
        let r = if any { input.number(RAM) } else { at | code | wimg | u64::from(input.byte() & 7) };
        let index =
            if bits & 3 == 3 { index(input, model) } else { group(model, vsid, address, v) + u64::from(bits >> 5) };
        return [u64::from(input.byte() & 1) << 39, index, v, r];
    }
    let index = index(input, model);
    let known = model.at(index).map_or(0, |words| words.0);
    let avpn = if input.byte() & 3 == 0 { page(input).2 } else { known & !0x7f };
    let flags = match call {
        H_READ => u64::from(input.byte() & 1) << 37,
        _ => u64::from(input.byte() & 3) << 30 | if call == H_PROTECT { u64::from(input.word()) & 0x3f07 } else { 0 },
    };
    [flags, index, avpn, 0]
}

/// A word of H_BULK_REMOVE or H_BLOCK_REMOVE.
fn removal(input: &mut Input, model: &Model) -> u64 {
    match input.byte() & 31 {
        0 => 3 << 62,
        1 => input.doubleword(),
        2 => REQUEST | input.doubleword() >> 2,
        _ => REQUEST | index(input, model) | u64::from(input.byte() & 3) << 56,
    }
}

/// What earlier runs kept.
pub fn examples() -> Vec<Vec<u8>> {
    corpus::inputs(include_str!("../../corpus/hash.txt"))
}

/// Makes calls until the input is used up.
pub fn run(data: &[u8]) {
    const CALLS: [u64; 24] = [
        H_ENTER,
        H_ENTER,
        H_ENTER,
        H_ENTER,
        H_ENTER,
        H_ENTER,
        H_ENTER,
        H_ENTER,
        H_REMOVE,
        H_REMOVE,
        H_READ,
        H_PROTECT,
        H_CLEAR_MOD,
        H_CLEAR_REF,
        H_BULK_REMOVE,
        H_BLOCK_REMOVE,
        H_BLOCK_REMOVE,
        H_CLEAR_HPT,
        H_RESIZE_HPT_PREPARE,
        H_RESIZE_HPT_PREPARE,
        H_RESIZE_HPT_COMMIT,
        H_REGISTER_PROC_TBL,
        H_SCM_UNBIND_ALL,
        H_SCM_BIND_MEM,
    ];
    let mut input = Input::new(data);
    let mem = Arc::new(GuestMem::with_room(RAM, WINDOW.end, 128).unwrap());
    let device = Arc::new(Device::new(0, &mem)) as Arc<dyn PersistentMemory>;
    let persistent = Persistent::new(WINDOW, [(CONNECTOR as u32, device)]);
    let mut partition = Partition::new(Arc::clone(&mem), persistent);
    let (resizing, entries) = (Resizing::Idle, vec![(0, 0); 1 << (SMALLEST - 4)]);
    let mut model = Model { entries, resizing, cleared: 0, used: false, radix: false, bound: false };
    while !input.is_empty() {
        for _ in 0..2 {
            if !model.radix {
                let (vsid, address, ..) = page(&mut input);
                let (ea, store) = (address | u64::from(input.byte()) << 4, input.flag());
                let access = if store { Access::Store } else { Access::Load };
                assert_eq!(
                    partition.translate(vsid, ea, access),
                    model.translate(vsid, ea, store),
                    "{vsid:#x} {ea:#x}"
                );
            }
        }
        let call = input.pick(&CALLS);
        let mut given = match call {
            H_BULK_REMOVE => (0..8).map(|_| removal(&mut input, &model)).collect(),
            H_BLOCK_REMOVE => {
                let words: Vec<u64> = (0..8).map(|_| removal(&mut input, &model)).collect();
                let first = model.at(words[0] << 8 >> 8).map_or(0, |words| words.0 & !0x7f);
                let near = first ^ u64::from(input.byte() & 1) << (7 + (input.byte() & 7));
                [&[near][..], &words].concat()
            }
            H_RESIZE_HPT_PREPARE | H_RESIZE_HPT_COMMIT => {
                let shift = match (input.byte() & 15, model.resizing) {
                    (0, _) => input.number(RAM),
                    (1..=10, Resizing::Preparing(shift, _)) => shift,
                    (byte, _) => input.pick(&[18, 19, 20, 19, 18, 20, 21, 22, 23, 0]).max(u64::from(byte & 1)),
                };
                vec![u64::from(input.byte() & 63 == 0), shift]
            }
            H_REGISTER_PROC_TBL => vec![if input.byte() & 7 == 0 { 0x1c } else { 0x18 }, 0, 0, 0],
            H_SCM_BIND_MEM => vec![CONNECTOR, 0, 1, WINDOW.start, 0],
            H_SCM_UNBIND_ALL => vec![1, 0, 0],
            H_CLEAR_HPT if input.byte() & 3 != 0 => continue,
            H_CLEAR_HPT => vec![],
            _ => arguments(&mut input, &model, call).to_vec(),
        };
        if call == H_BULK_REMOVE {
            for pair in given.chunks_exact_mut(2) {
                pair[1] = model.at(pair[0] << 8 >> 8).map_or(0, |words| words.0 & !0x7f) ^ (pair[1] & 0x80);
            }
        }
        let (status, out) = partition.call(call, &given);
        reach(call, status as u64);
        let words = |words: Result<Vec<u64>, i64>| match words {
            Ok(words) => (H_SUCCESS, words),
            Err(status) => (status, vec![]),
        };
        let (want, outputs) = match call {
            H_RESIZE_HPT_PREPARE | H_RESIZE_HPT_COMMIT => (model.resize(call, given[0], given[1]), vec![]),
            H_REGISTER_PROC_TBL if given[0] == 0x1c => {
                if !model.radix {
                    (model.radix, model.resizing, model.cleared) = (true, Resizing::Idle, 0);
                }
                (H_SUCCESS, vec![])
            }
            H_REGISTER_PROC_TBL => {
                let done = !model.radix || !model.used || model.clear();
                if done && model.radix {
                    (model.radix, model.used) = (false, false);
                }
                (if done { H_SUCCESS } else { H_LONG_BUSY_ORDER_1_MSEC }, vec![])
            }
            H_SCM_BIND_MEM => {
                let was = std::mem::replace(&mut model.bound, true);
                if was { (H_OVERLAP, vec![]) } else { (H_SUCCESS, vec![0, WINDOW.start, 1]) }
            }
            H_SCM_UNBIND_ALL if model.bound && !model.radix && model.maps_persistent_memory() => (H_IN_USE, vec![]),
            H_SCM_UNBIND_ALL => (H_SUCCESS, vec![0, u64::from(std::mem::replace(&mut model.bound, false))]),
            _ if model.radix => (H_FUNCTION, vec![]),
            H_ENTER => words(model.enter(given[0], given[1], given[2], given[3])),
            H_READ => words(match given[0] >> 37 & 1 {
                0 => model.at(given[1]).map(|(v, r)| vec![v, r]),
                _ => (0..4)
                    .map(|n| model.at(given[1] & !3 | n))
                    .collect::<Result<Vec<_>, _>>()
                    .map(|four| four.iter().flat_map(|(v, r)| [*v, *r]).collect()),
            }),
            H_BULK_REMOVE | H_BLOCK_REMOVE => model.removals(call == H_BLOCK_REMOVE, &given),
            H_CLEAR_HPT => (if model.clear() { H_SUCCESS } else { H_CONTINUE }, vec![]),
            _ => words(model.change(call, given[0], given[1], given[2])),
        };
        given.resize(9, 0xdead);
        let unchanged = if call == H_SCM_BIND_MEM || call == H_SCM_UNBIND_ALL { 9 } else { outputs.len() };
        assert_eq!(status, want, "{call:#x} {given:x?}");
        assert_eq!(out[..outputs.len()], outputs[..], "{call:#x} {given:x?}");
        assert_eq!(out[unchanged..], given[unchanged..], "{call:#x}: registers without an output");
    }
    if model.radix {
        return;
    }
    for (index, words) in (0..).zip(&model.entries) {
        let (status, out) = partition.call(H_READ, &[0, index]);
        assert_eq!((status, out[0], out[1]), (H_SUCCESS, words.0, words.1), "entry {index:#x}");
    }
}
