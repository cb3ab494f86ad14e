//! Message signalled interrupts with 64-bit addresses and masks (PCI 3.0, 6.8.1).

use crate::capability::Capability;
use crate::space::Space;

/// Capability ID.
const ID: u8 = 0x05;
/// Registers by offset from the capability.
mod at {
    pub const CONTROL: u16 = 2;
    pub const ADDRESS: u16 = 4;
    pub const DATA: u16 = 12;
    pub const MASK: u16 = 16;
    pub const PENDING: u16 = 20;
}
/// Bits of the control register: on; messages in use as a power of two; 64-bit addresses; masks.
const ENABLE: u32 = 1 << 0;
const IN_USE: u32 = 0b111 << 4;
const WIDE: u32 = 1 << 7;
const MASKS: u32 = 1 << 8;

/// The capability of a function with `count` messages.
pub(crate) fn capability(count: u8) -> Capability {
    let control = WIDE | MASKS | count.ilog2() << 1;
    let mut body = vec![0; 22];
    body.splice(..2, (control as u16).to_le_bytes());
    let all = (u32::MAX >> (32 - u32::from(count.clamp(1, 32)))).to_le_bytes();
    let writable =
        [&((ENABLE | IN_USE) as u16).to_le_bytes()[..], &[0xfc, 0xff, 0xff, 0xff], &[0xff; 6], &[0; 2], &all].concat();
    Capability { id: ID, body, writable }
}

/// Whether it is on.
pub(crate) fn enabled(space: &Space, capability: u16) -> bool {
    space.read(capability + at::CONTROL, 2) & ENABLE != 0
}

/// Messages in use, not more than there are.
fn in_use(space: &Space, capability: u16) -> u32 {
    let control = space.read(capability + at::CONTROL, 2);
    1 << ((control & IN_USE) >> 4).min(control >> 1 & 7).min(5)
}

/// Notes message `number`. Those above what is in use are sent as one below.
pub(crate) fn note(space: &mut Space, capability: u16, number: u32) {
    let bit = 1 << (number & (in_use(space, capability) - 1));
    let pending = space.read(capability + at::PENDING, 4);
    space.set(capability + at::PENDING, 4, pending | bit);
}

/// Takes the messages that are noted and not masked: address and data.
pub(crate) fn take(space: &mut Space, capability: u16) -> Vec<(u64, u32)> {
    let [mask, pending] = [at::MASK, at::PENDING].map(|register| space.read(capability + register, 4));
    space.set(capability + at::PENDING, 4, pending & mask);
    let address = u64::from(space.read(capability + at::ADDRESS + 4, 4)) << 32
        | u64::from(space.read(capability + at::ADDRESS, 4));
    let low = in_use(space, capability) - 1;
    let data = space.read(capability + at::DATA, 2) & !low;
    let bits = pending & !mask;
    (0..32).filter(|number| bits >> number & 1 != 0).map(|number| (address, data | number & low)).collect()
}

/// Nothing is noted any more.
pub(crate) fn forget(space: &mut Space, capability: u16) {
    space.set(capability + at::PENDING, 4, 0);
}

/// Sets `count` messages to `address` with data from `first` on; none switches it off.
pub(crate) fn program(space: &mut Space, capability: u16, address: u64, first: u32, count: u32) {
    space.set(capability + at::ADDRESS, 4, address as u32);
    space.set(capability + at::ADDRESS + 4, 4, (address >> 32) as u32);
    space.set(capability + at::DATA, 2, first);
    let control = space.read(capability + at::CONTROL, 2);
    let control = control & !IN_USE | count.max(1).ilog2() << 4;
    space.set(capability + at::CONTROL, 2, if count == 0 { control & !ENABLE } else { control });
}
