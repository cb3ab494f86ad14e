//! Text, by the machine's way to print a byte; and the end of a run.

use core::fmt::{self, Write};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Prints a byte.
pub type Put = fn(u8);
/// Switches the machine off.
pub type Stop = fn() -> !;

static PUT: AtomicUsize = AtomicUsize::new(0);
static STOP: AtomicUsize = AtomicUsize::new(0);

/// Says how this machine prints and stops; before that, nothing is printed and the end is an endless loop.
pub fn set(put: Put, stop: Stop) {
    PUT.store(put as usize, Ordering::Relaxed);
    STOP.store(stop as usize, Ordering::Relaxed);
}

struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let put = PUT.load(Ordering::Relaxed);
        if put == 0 {
            return Ok(());
        }
        // SAFETY: the value came from a `Put`.
        let put: Put = unsafe { core::mem::transmute(put) };
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

/// Prints.
#[macro_export]
macro_rules! print {
    ($($arg:tt)*) => { $crate::console::write(format_args!($($arg)*)) };
}

/// Prints a line.
#[macro_export]
macro_rules! println {
    () => { $crate::console::write(format_args!("\n")) };
    ($($arg:tt)*) => { $crate::console::write(format_args!("{}\n", format_args!($($arg)*))) };
}

/// Ends the run.
pub fn stop() -> ! {
    let stop = STOP.load(Ordering::Relaxed);
    if stop != 0 {
        // SAFETY: the value came from a `Stop`.
        let stop: Stop = unsafe { core::mem::transmute(stop) };
        stop();
    }
    #[allow(clippy::empty_loop)]
    loop {}
}

/// Ends a failed run.
pub fn fail(reason: &str) -> ! {
    println!("FAIL: {reason}");
    stop()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("{info}");
    fail("panic")
}
