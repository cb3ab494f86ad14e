//! The machine under the kernel: PowerVisor's bare machine (console by OSI, power-off by RTAS), or a Power Macintosh,
//! ours or QEMU's (serial port; it stays on).

use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use rt32::fdt::Fdt;
use rt32::{call, console};

/// RTAS token of `power-off`; 0 on a machine without RTAS.
static POWER_OFF: AtomicU32 = AtomicU32::new(0);

const OSI: [u32; 2] = [0x1137_24fa, 0x7781_0f9b];
const OSI_LOG_PUTC: u32 = 47;
const H_RTAS: u32 = 0xf000;

/// Channel A of the serial controller.
const SERIAL_CONTROL: *mut u8 = 0x8001_3020 as *mut u8;
const SERIAL_DATA: *mut u8 = 0x8001_3030 as *mut u8;
const TRANSMIT_EMPTY: u8 = 4;
/// Write register 5: transmitter on, eight bits.
const TRANSMITTER_ON: [u8; 2] = [5, 0x68];

/// Finds out where we are. `tree` is what r3 held at entry.
pub fn find(tree: Option<Fdt<'static>>) {
    let token = tree.and_then(|tree| tree.node("/rtas")).and_then(|node| node.number("power-off"));
    POWER_OFF.store(token.unwrap_or(0) as u32, Ordering::Relaxed);
    if token.is_none() {
        // SAFETY: the serial controller's control register, which takes a register number and then its value.
        TRANSMITTER_ON.into_iter().for_each(|byte| unsafe { SERIAL_CONTROL.write_volatile(byte) });
    }
    console::set(put, power_off);
}

/// Whether this is a Power Macintosh, perhaps QEMU's.
pub fn is_mac() -> bool {
    POWER_OFF.load(Ordering::Relaxed) == 0
}

fn put(byte: u8) {
    if is_mac() {
        // SAFETY: the registers of the serial port.
        unsafe {
            while SERIAL_CONTROL.read_volatile() & TRANSMIT_EMPTY == 0 {}
            SERIAL_DATA.write_volatile(byte);
        }
    } else {
        call(&mut [OSI[0], OSI[1], OSI_LOG_PUTC, byte.into(), 0, 0, 0, 0, 0, 0], 0);
    }
}

/// Powers the machine off where that is known, else stops here.
pub fn power_off() -> ! {
    let token = POWER_OFF.load(Ordering::Relaxed);
    if token != 0 {
        let mut buffer = [token, 2, 1, u32::MAX, u32::MAX, 0];
        call(&mut [H_RTAS, &raw mut buffer as u32, 0, 0, 0, 0, 0, 0, 0, 0], 1);
        // SAFETY: the hypervisor has read the buffer behind the compiler's back.
        unsafe { ptr::read_volatile(&buffer) };
    }
    #[allow(clippy::empty_loop)]
    loop {}
}
