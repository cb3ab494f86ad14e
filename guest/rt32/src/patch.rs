//! Patches the running kernel with `pv-guest`, as any kernel would, and lets interrupts rain on patched code.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use pv_guest::PAGE;
use pv_guest::discovery::Hypervisor;
use pv_guest::hypercall;
use pv_guest::page::MagicPage;
use pv_guest::patch::{self, Patcher, Trampoline};
use pv_guest::powerpc::{Live, Stub};

use crate::family::{self, BUILD, DECREMENTER};
use crate::fdt::Fdt;
use crate::println;
use crate::probe::{Frame, set_handler};
use crate::report::Report;
use crate::special::{EE, RI, mfmsr, mtmsr};

const ROOM_WORDS: usize = 4096;
/// Words of a page.
const PAGE_WORDS: usize = 1024;
/// Words of the room before its second page that the first section gets: it lies across both, and interrupts come in
/// on crossing.
const FIRST: usize = 14;

#[repr(align(4096))]
struct Room(UnsafeCell<[u32; ROOM_WORDS]>);

// SAFETY: one processor; only the patcher touches it as data.
unsafe impl Sync for Room {}

/// Room for the sections.
static ROOM: Room = Room(UnsafeCell::new([0; ROOM_WORDS]));

unsafe extern "C" {
    // The kernel's code, from the linker script.
    static mut __image_start: u32;
    static mut __probe_end: u32;
}

/// Finds the hypervisor, has the magic page mapped where patched code expects it, and patches all the kernel's code;
/// the first `words` words of `storm` first. Returns the report for all that came after. Interrupts are off.
///
/// # Errors
/// Why there is nothing to be had.
pub fn adopt(tree: Option<Fdt<'static>>, storm: *const u32, words: usize) -> Result<patch::Report, &'static str> {
    let found = Hypervisor::find(tree.map_or(&[], Fdt::blob));
    if !found.is_kvm {
        return Err("no KVM in the device tree");
    }
    let instructions = found.instructions.ok_or("no hypercall instructions in the device tree")?;
    // SAFETY: our text is writable, nobody else runs, and the words are the machine's.
    let hypervisor = unsafe { Stub::install(&instructions) };
    let features = hypercall::set_up_magic_page(&hypervisor).map_err(|_| "no magic page")?;

    let (start, end) = (&raw mut __image_start, &raw mut __probe_end);
    // SAFETY: the room is ours alone, and executable like all our memory; nobody executes the storm yet, or is in the
    // middle of what is replaced.
    let (room, mut storm, mut text) = unsafe {
        let room = ROOM.0.get().cast::<u32>().wrapping_add(PAGE_WORDS - FIRST);
        let all = (end as usize - start as usize) / 4;
        (Live::new(room, ROOM_WORDS - PAGE_WORDS), Live::new(storm.cast_mut(), words), Live::new(start, all))
    };
    let mut trampoline = Trampoline::new(room);
    let patcher = Patcher { build: BUILD, features, exclude: &[], copied: &[] };
    patcher.run(&mut storm, &mut trampoline, |_| ());
    let report = patcher.run(&mut text, &mut trampoline, |_| ());
    for (row, count) in report.rows().filter(|(_, count)| count.rewritten != 0) {
        println!("  {:<12} {:>4} rewritten", row.name, count.rewritten);
    }
    Ok(report)
}

static INTERRUPTS: AtomicU32 = AtomicU32::new(0);

/// The next interrupt comes after a while that differs each time, from next to nothing on.
fn rain(frame: &mut Frame) -> bool {
    if frame.vector != DECREMENTER {
        return false;
    }
    let count = INTERRUPTS.fetch_add(1, Relaxed);
    family::interrupt_after(1 + count.wrapping_mul(7919) % 1500);
    // Sections in the handler use the same scratch fields as the one that is interrupted must not be in.
    mtmsr(mfmsr() | RI);
    true
}

/// Case 88 of the interface's conformance list: runs `before`, a loop that executes `sections` sections, while
/// interrupts rain. It collects in r25 what it reads back otherwise than written, and uses r26 and r27.
pub fn storm(t: &mut Report, before: &Frame, sections: u32) {
    set_handler(Some(rain));
    family::interrupt_after(1);
    let after = before.run();
    set_handler(None);
    family::no_interrupts();
    let interrupts = INTERRUPTS.load(Relaxed);
    println!("  {sections} sections, {interrupts} interrupts");
    t.check("case 88: the storm ends, and was one", (after.finished(), interrupts > 1000), (true, true));
    t.check("  every register read back as written", after.gpr[25], 0);
    let want = before.reg(26, after.gpr[26]).reg(27, after.gpr[27]);
    t.check("  no register is corrupted", after.gpr, want.gpr);
    t.check("  nor CR, LR, XER", [after.cr, after.lr, after.xer], [before.cr, before.lr, before.xer]);
    // SAFETY: mapped by `adopt` and never moved; this is privileged code.
    let page = unsafe { MagicPage::at(PAGE as usize) };
    t.check("case 84: the page's MSR is ours", page.msr.get() as u32, mfmsr());
    t.check("  and critical is not r1", page.critical.get() as u32 == before.gpr[1], false);
}

/// EE on and off, whatever else is in the MSR.
pub fn on_and_off() -> (u32, u32) {
    let off = mfmsr() & !EE;
    (off | EE, off)
}
