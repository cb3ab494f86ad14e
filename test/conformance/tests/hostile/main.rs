//! Hostile guests: whatever a guest does with its magic page, the machine goes on, stops when it is told to, and gives
//! the guest nothing that it may not own.
//!
//! Every test runs real instructions on every processor model, in both byte orders where there are two, with privileged
//! instructions trapped and inline.

mod buffers;
mod fields;
mod moved;
mod patched;
mod place;
mod stop;

use conformance::{Rig, Runner, rigs};
use exec::{Privileged, Vcpu};
use guest_mem::Order;
use machine::{Calls, Kind};
use ppc_isa::Cpu;
use ppc_isa::cpu::Family;

/// Bytes of a page.
const PAGE: u64 = 0x1000;
/// Bytes of RAM of a [`Rig`].
const RAM: u64 = 16 << 20;

/// A machine of each model with its board: pseries, mac or e500, on both engines.
fn boards() -> impl Iterator<Item = Rig> {
    Cpu::ALL.into_iter().filter(|cpu| !cpu.is_variant()).flat_map(|cpu| {
        let (kind, orders) = match cpu.family() {
            Family::Book3s64 => (Kind::Pseries, [Order::Big, Order::Little].as_slice()),
            Family::Book3s32 => (Kind::Mac, [Order::Big].as_slice()),
            Family::BookE => (Kind::E500, [Order::Big].as_slice()),
        };
        let ways = [Privileged::Trap, Privileged::Inline];
        let made = ways.into_iter().flat_map(move |way| orders.iter().map(move |order| (*order, way)));
        made.flat_map(move |(order, way)| {
            let rig = move |runner| Rig::new(kind, cpu, order, way, Calls::with_pv(true)).on(runner);
            Runner::both(way).into_iter().map(rig)
        })
    })
}

/// Both kinds of machine: bare ones and boards.
fn all() -> impl Iterator<Item = Rig> {
    rigs().chain(boards())
}

/// Whether addresses of the guest can be real ones.
fn has_real_mode(rig: &Rig) -> bool {
    rig.family() != Family::BookE
}

/// A byte that is another one at every offset of a page.
fn pattern(seed: u64, offset: u64) -> u8 {
    (seed ^ offset ^ offset >> 8).wrapping_mul(0x9d).wrapping_add(seed) as u8
}

/// What the page holds beyond the registers.
fn set_pattern(vcpu: &mut Vcpu, seed: u64) {
    for offset in UNUSED..PAGE {
        vcpu.shared.set_bytes(offset as usize, &[pattern(seed, offset)]);
    }
}

/// `word` as the guest has it in memory.
fn word_bytes(rig: &Rig, word: u32) -> [u8; 4] {
    if rig.order == Order::Little { word.to_le_bytes() } else { word.to_be_bytes() }
}

/// Stores `word` in the page as the guest would, beyond the registers.
fn set_word(rig: &mut Rig, offset: usize, word: u32) {
    let bytes = word_bytes(rig, word);
    rig.vcpu_mut().shared.set_bytes(offset, &bytes);
}

/// `trap`, which ends a program.
const TRAP: u32 = 0x7fe0_0008;

/// Where the registers of the page end.
const UNUSED: u64 = 0xf0;

/// Fills RAM from `start` with `seed`'s pattern.
fn fill(rig: &Rig, start: u64, len: u64, seed: u64) {
    let bytes: Vec<u8> = (0..len).map(|offset| pattern(seed, offset)).collect();
    assert!(rig.machine.mem.write(start, &bytes));
}

/// `len` bytes of RAM.
fn ram(rig: &Rig, start: u64, len: u64) -> Vec<u8> {
    let mut bytes = vec![0; len as usize];
    assert!(rig.machine.mem.read(start, &mut bytes));
    bytes
}
