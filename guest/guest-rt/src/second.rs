//! A second processor (PAPR 7.3.8.3).
//!
//! Contract: it begins in real mode with a stack of its own. Interrupts of both processors save to the same place, so
//! the two must never take one at the same time, and probes are the first one's.

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::{fdt::Fdt, papr::rtas};

unsafe extern "C" {
    static second_start: u32;
}

static MAIN: AtomicUsize = AtomicUsize::new(0);

/// Starts processor `number` with `main`; the status of RTAS, or `None` without that service.
pub fn start(tree: Fdt<'_>, number: u32, main: fn() -> !) -> Option<i32> {
    let token = tree.node("/rtas")?.number("start-cpu")? as u32;
    MAIN.store(main as usize, Ordering::Release);
    Some(rtas(token, &[number, &raw const second_start as u32, 0], 1).1[0] as i32)
}

/// Called by the entry code.
#[unsafe(no_mangle)]
extern "C" fn second() -> ! {
    // SAFETY: the value came from a `fn() -> !` before this processor was started.
    let main: fn() -> ! = unsafe { core::mem::transmute(MAIN.load(Ordering::Acquire)) };
    main()
}
