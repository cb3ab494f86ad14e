//! Magic page mapping: where the page is seen and where not, and which fields are which registers.

mod fields;
mod place;

use conformance::{DATA, Rig};
use ppc_isa::cpu::Family;

/// RAM that the guest's own translation does not reach.
const REAL: u64 = 0x50_0000;
/// An effective address that the guest's own translation does not reach.
const EFFECTIVE: u64 = 0x7000_0000;
/// What the tests keep in SPRG0.
const MARK: u64 = 0x1234_5678;

/// A load of SPRG0 through the page at the address in r7.
fn load(rig: &Rig) -> &'static str {
    if rig.wide() { "ld 3,32(7)" } else { "lwz 3,36(7)" }
}

/// The same by r7, to its end; returns what was loaded.
#[track_caller]
fn loaded(rig: &mut Rig, at: u64) -> u64 {
    rig.sets(&[(3, 0), (7, at)]);
    rig.run(load(rig));
    rig.r(3)
}

/// The same, which may fault: returns where it ended, back in the state that it began in.
fn faulted(rig: &mut Rig, at: u64) -> u64 {
    let msr = rig.msr();
    rig.sets(&[(3, 0), (7, at)]);
    let vector = rig.ends(load(rig));
    rig.set_msr(msr);
    vector
}

/// Puts `value` where a load of SPRG0 would find it if the page at real address `page` were RAM.
fn behind(rig: &mut Rig, page: u64, value: u64) {
    if rig.wide() {
        assert!(rig.machine.mem.store(page + 32, rig.order, value));
    } else {
        rig.poke(page + 36, value as u32);
    }
}

/// A rig with the page at `REAL` and `EFFECTIVE`, something in SPRG0 and other things behind it, relocation on.
fn apart(mut rig: Rig) -> Rig {
    rig.map(REAL, EFFECTIVE | 1);
    rig.set_field("sprg0", MARK);
    behind(&mut rig, REAL, 0x5555);
    behind(&mut rig, DATA, 0x6666);
    rig.msr_on(rig.relocation());
    rig
}

/// Without relocation, where that can be.
fn real_mode(rig: &mut Rig) -> bool {
    rig.msr_off(rig.relocation());
    rig.family() != Family::BookE
}
