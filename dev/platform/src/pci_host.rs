//! UniNorth's PCI host bridge: configuration cycles on its own bus, by an address and a data register.
//!
//! Apple's MacRISC bridges take the address of a function on the first bus as one bit of 11..=31 for the device, bits
//! 10:8 for the function and 7:2 for the register; bit 0 clear says that it is the first bus. Both registers are
//! little-endian, as PCI is. Functions do not move when their base address registers are written: the machine has
//! them where its device tree says.

use std::sync::{Mutex, PoisonError};

use crate::{Latches, Registers};

/// Bytes of the header of a function and its other configuration registers.
const SPACE: usize = 256;
/// The lowest device number that the bridge can address.
const FIRST_DEVICE: u32 = 11;
/// Offset of the address register from the bridge's base.
pub const ADDRESS: u64 = 0x80_0000;
/// Offset of the data register; the low three bits of the register number are those of the offset.
pub const DATA: u64 = 0xc0_0000;

/// Who a function says that it is (PCI Local Bus Specification 2.1, section 6.1).
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// Device number on the bus.
    pub device: u32,
    /// Vendor ID.
    pub vendor_id: u16,
    /// Device ID.
    pub device_id: u16,
    /// Class code: base class, sub-class, programming interface in three bytes.
    pub class: u32,
    /// Memory behind the first base address register: address, and size as a power of two.
    pub memory: Option<(u32, u32)>,
}

/// A bridge with the functions behind it.
pub struct PciHost {
    address: Mutex<u32>,
    functions: Vec<(u32, Latches)>,
}

impl PciHost {
    /// A bridge with `functions` on its bus, each function 0 of its device.
    pub fn new(functions: &[Identity]) -> PciHost {
        let functions = functions.iter().map(|identity| (identity.device, configuration(*identity))).collect();
        PciHost { address: Mutex::new(0), functions }
    }

    /// The selected function with the number of the selected register.
    fn selected(&self) -> Option<(&Latches, u64)> {
        let address = *self.address.lock().unwrap_or_else(PoisonError::into_inner);
        let device = (address >> FIRST_DEVICE).trailing_zeros() + FIRST_DEVICE;
        if address & 0x701 != 0 {
            return None;
        }
        let (_, function) = self.functions.iter().find(|(number, _)| *number == device)?;
        Some((function, u64::from(address & 0xfc)))
    }
}

/// The configuration space of a function, with its memory switched on.
fn configuration(identity: Identity) -> Latches {
    let [class, sub_class, interface] = [16, 8, 0].map(|shift| (identity.class >> shift) as u8);
    let [vendor_low, vendor_high] = identity.vendor_id.to_le_bytes();
    let [device_low, device_high] = identity.device_id.to_le_bytes();
    let (base, size) = identity.memory.unwrap_or((0, 0));
    Latches::new(SPACE, false)
        .with(0x00, [vendor_low, vendor_high, device_low, device_high], [0; 4])
        .with(0x04, [0x06, 0], [0x47, 0x01])
        .with(0x08, [0, interface, sub_class, class], [0; 4])
        .with(0x0c, [0, 0], [0xff, 0xff])
        .with(0x10, base.to_le_bytes(), if size == 0 { [0; 4] } else { size.wrapping_neg().to_le_bytes() })
        .with(0x3c, [0], [0xff])
}

impl Registers for PciHost {
    /// Without a function at the selected address all bits are ones.
    fn read(&self, offset: u64, bytes: u64) -> u64 {
        match offset {
            ADDRESS if bytes == 4 => {
                u64::from(self.address.lock().unwrap_or_else(PoisonError::into_inner).swap_bytes())
            }
            DATA..=0xc0_0007 => match self.selected() {
                Some((function, register)) => function.read(register + (offset & 3), bytes),
                None => u64::MAX >> (64 - 8 * bytes.clamp(1, 8)),
            },
            _ => 0,
        }
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        match offset {
            ADDRESS if bytes == 4 => {
                *self.address.lock().unwrap_or_else(PoisonError::into_inner) = (value as u32).swap_bytes();
            }
            DATA..=0xc0_0007 => {
                if let Some((function, register)) = self.selected() {
                    function.write(register + (offset & 3), bytes, value);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_LARGO: Identity = Identity {
        device: 12,
        vendor_id: 0x106b,
        device_id: 0x22,
        class: 0xff_0000,
        memory: Some((0x8000_0000, 0x8_0000)),
    };

    fn select(host: &PciHost, device: u32, register: u32) -> u64 {
        host.write(ADDRESS, 4, u64::from((1_u32 << device | register & 0xfc).swap_bytes()));
        DATA + u64::from(register & 7)
    }

    #[test]
    fn functions_are_found_by_their_bit() {
        let host = PciHost::new(&[KEY_LARGO]);
        let data = select(&host, 12, 0);
        assert_eq!(host.read(ADDRESS, 4), 0x0010_0000);
        assert_eq!(host.read(data, 4), 0x6b10_2200);
        assert_eq!(host.read(select(&host, 12, 0xa), 2), 0x00ff);
        assert_eq!(host.read(select(&host, 13, 0), 4), 0xffff_ffff);
        assert_eq!(host.read(select(&host, 13, 0), 8), u64::MAX);
        host.write(ADDRESS, 4, 0);
        assert_eq!(host.read(DATA, 1), 0xff);
    }

    #[test]
    fn a_base_address_register_shows_its_size() {
        let host = PciHost::new(&[KEY_LARGO]);
        let data = select(&host, 12, 0x10);
        assert_eq!(host.read(data, 4), 0x0000_0080);
        host.write(data, 4, 0xffff_ffff);
        assert_eq!(host.read(data, 4), 0x0000_f8ff);
        host.write(data, 4, 0x0000_0080);
        assert_eq!(host.read(data, 4), 0x0000_0080);
        let data = select(&host, 12, 0x14);
        host.write(data, 4, 0xffff_ffff);
        assert_eq!(host.read(data, 4), 0);
    }
}
