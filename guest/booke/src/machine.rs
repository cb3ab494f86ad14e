//! The machine under the kernel: an e500 board, ours or QEMU's. It ends by a reset.

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use crate::tlb::{self, ATTRIBUTES_DEVICE, SUPERVISOR_DATA};

unsafe extern "C" {
    fn call_words(words: *mut [u32; 10]);
}

/// r0 of a KVM hypercall.
const KVM: u32 = 0x4b56_4d21;

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
}

/// A KVM hypercall: status and first output. Only PowerVisor knows it.
pub fn kvm(token: u32, r3: u32, r4: u32) -> (u32, u32) {
    let mut words = [r3, r4, 0, 0, 0, 0, 0, 0, token, KVM];
    // SAFETY: the routine touches these words and nothing else.
    unsafe { call_words(&mut words) };
    (words[0], words[1])
}

fn put(byte: u8) {
    // SAFETY: the registers of the serial port.
    unsafe {
        while SERIAL_STATUS.read_volatile() & TRANSMIT_EMPTY == 0 {}
        SERIAL_DATA.write_volatile(byte);
    }
}

struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| {
            if byte == b'\n' {
                put(b'\r');
            }
            put(byte);
        });
        Ok(())
    }
}

/// Target of the macros.
pub fn write(args: fmt::Arguments<'_>) {
    // The console accepts everything.
    let _ = Console.write_fmt(args);
}

macro_rules! print {
    ($($arg:tt)*) => { $crate::machine::write(format_args!($($arg)*)) };
}

macro_rules! println {
    () => { $crate::machine::write(format_args!("\n")) };
    ($($arg:tt)*) => { $crate::machine::write(format_args!("{}\n", format_args!($($arg)*))) };
}

pub(crate) use {print, println};

/// Resets the machine.
pub fn reset() -> ! {
    // SAFETY: the reset register.
    unsafe { RESET_CONTROL.write_volatile(RESET_REQUEST) };
    #[allow(clippy::empty_loop)]
    loop {}
}

/// Ends a failed run.
pub fn fail(reason: &str) -> ! {
    println!("FAIL: {reason}");
    reset()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("{info}");
    fail("panic")
}
