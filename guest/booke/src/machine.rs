//! The machine under the kernel: an e500 board, ours or QEMU's. It ends by a reset.

use rt32::console;

use crate::tlb::{self, ATTRIBUTES_DEVICE, SUPERVISOR_DATA};

/// Where the registers of an e500 board are mapped, 16 MiB from 0xf_e000_0000.
const REGISTERS: u32 = 0xe000_0000;
const SERIAL_DATA: *mut u8 = (REGISTERS + 0x4500) as *mut u8;
const SERIAL_STATUS: *mut u8 = (REGISTERS + 0x4505) as *mut u8;
const TRANSMIT_EMPTY: u8 = 0x20;
/// Reset control of the global utilities, and its request bit.
const RESET_CONTROL: *mut u32 = (REGISTERS + 0xe_00b0) as *mut u32;
const RESET_REQUEST: u32 = 2;

/// Takes the first mapping over, protected, and maps the registers of the board.
pub fn map() {
    tlb::page(0, 0, tlb::SUPERVISOR).size(9).write_one(0);
    tlb::page(REGISTERS, 0xe000_0000, SUPERVISOR_DATA).high(0xf).size(7).attributes(ATTRIBUTES_DEVICE).write_one(15);
    console::set(put, reset);
}

fn put(byte: u8) {
    // SAFETY: the registers of the serial port.
    unsafe {
        while SERIAL_STATUS.read_volatile() & TRANSMIT_EMPTY == 0 {}
        SERIAL_DATA.write_volatile(byte);
    }
}

/// Resets the machine.
pub fn reset() -> ! {
    // SAFETY: the reset register.
    unsafe { RESET_CONTROL.write_volatile(RESET_REQUEST) };
    #[allow(clippy::empty_loop)]
    loop {}
}
