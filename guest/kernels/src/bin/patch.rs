//! A kernel that patches itself with `pv-guest`: `adopt` is all that it takes. The rest checks that patched code does
//! what the instructions did, also while interrupts rain on it.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use guest_rt::{
    code,
    exception::{Frame, NEVER, set_decrementer, set_handler},
    fdt::Fdt,
    println,
    spr::{mfmsr, msr, mtmsrd_ee_ri},
};
use kernels::Report;
use pv_guest::PAGE;
use pv_guest::discovery::Hypervisor;
use pv_guest::hypercall;
use pv_guest::page::MagicPage;
use pv_guest::patch::{self, Patcher, Trampoline};
use pv_guest::powerpc::{Live, Stub};
use pv_guest::pv_abi::rewrite::Build;

guest_rt::guest_main!(main);

const PAGE_BYTES: usize = 4096;
const ROOM_WORDS: usize = 4096;

/// Room for the sections, executable and not further than 32 MiB from the code.
#[repr(align(4096))]
struct Room(UnsafeCell<[u32; ROOM_WORDS]>);

// SAFETY: one processor; only the patcher touches it as data.
unsafe impl Sync for Room {}

static ROOM: Room = Room(UnsafeCell::new([0; ROOM_WORDS]));

unsafe extern "C" {
    // The kernel's code, from the linker script.
    static mut __image_start: u32;
    static mut __probe_end: u32;
}

/// Finds the hypervisor, has the magic page mapped, and patches the kernel. A kernel with more processors first maps
/// the page on every one of them and takes the features that all have; one that loads modules keeps the trampoline.
/// Call it with interrupts off.
fn adopt(tree: &[u8], untouched: &[core::ops::Range<u64>]) -> Result<patch::Report, &'static str> {
    let found = Hypervisor::find(tree);
    if !found.is_kvm {
        return Err("no KVM in the device tree");
    }
    let instructions = found.instructions.ok_or("no hypercall instructions in the device tree")?;
    // SAFETY: our text is writable, nobody else runs yet, and the words are the machine's.
    let hypervisor = unsafe { Stub::install(&instructions) };
    let features = hypercall::set_up_magic_page(&hypervisor).map_err(|_| "no magic page")?;

    // SAFETY: the room is ours alone, and executable like everything in real mode. What is left of its first page makes
    // the first section lie across two pages, where interrupts come in: this kernel is a test, after all.
    let room =
        unsafe { Live::new(ROOM.0.get().cast::<u32>().wrapping_add(PAGE_BYTES / 4 - 14), ROOM_WORDS - PAGE_BYTES / 4) };
    let mut trampoline = Trampoline::new(room);
    let patcher = Patcher { build: Build::Book3s64, features, exclude: untouched, copied: &[] };

    let (start, end) = (&raw mut __image_start, &raw mut __probe_end);
    // SAFETY: the words of STORM, which nobody executes yet; then all our code.
    let [mut storm, mut text] = unsafe {
        let words = (end as usize - start as usize) / 4;
        [Live::new((&raw const STORM).cast_mut(), STORM_WORDS), Live::new(start, words)]
    };
    patcher.run(&mut storm, &mut trampoline, |_| ());
    let report = patcher.run(&mut text, &mut trampoline, |_| ());
    for (row, count) in report.rows().filter(|(_, count)| count.rewritten != 0) {
        println!("  {:<12} {:>4} rewritten", row.name, count.rewritten);
    }
    Ok(report)
}

code! {
    // Each instruction twice: to be patched, and to be left alone.
    WRITE: "mtspr 272, 3", "mtspr 273, 4", "mtspr 274, 5", "mtspr 275, 6", "mtdar 7", "mtdsisr 8";
    READ: "mfspr 3, 272", "mfspr 4, 273", "mfspr 5, 274", "mfspr 6, 275", "mfdar 7", "mfdsisr 8";
    WRITE_TRAPPING: "mtspr 272, 3", "mtspr 273, 4", "mtspr 274, 5", "mtspr 275, 6", "mtdar 7", "mtdsisr 8";
    READ_TRAPPING: "mfspr 3, 272", "mfspr 4, 273", "mfspr 5, 274", "mfspr 6, 275", "mfdar 7", "mfdsisr 8";
    // r30: EE and RI, r31: RI, r29 and r28 the same in a whole MSR; r25 collects what differs from what was written.
    STORM: "1: mtmsrd 30, 1", "mtmsrd 31, 1",
        "mtmsrd 29", "mfmsr 27", "mtmsrd 28", "xor 27, 27, 29", "or 25, 25, 27",
        "mtspr 272, 30", "mfspr 26, 272", "xor 26, 26, 30", "or 25, 25, 26",
        "mtsrr0 29", "mfsrr0 26", "xor 26, 26, 29", "or 25, 25, 26",
        "mtmsrd 30, 1", "mtmsrd 28", "bdnz 1b";
}

/// Words of STORM.
const STORM_WORDS: usize = 18;
/// Words of the pieces above it, with the trap at the end.
const PIECE_WORDS: u64 = 7;
/// Sections in one round of the storm.
const SECTIONS: u64 = 6;
const ITERATIONS: u64 = 170_000;

fn main(tree: Option<Fdt<'static>>) {
    let mut t = Report::default();
    let piece = |code: *const u32| code as u64..code as u64 + 4 * PIECE_WORDS;
    let untouched = [piece(&raw const WRITE_TRAPPING), piece(&raw const READ_TRAPPING)];
    let before = [words(&raw const WRITE), words(&raw const WRITE_TRAPPING)];
    match adopt(tree.map_or(&[], Fdt::blob), &untouched) {
        Err(reason) => t.skip("patching", reason),
        Ok(report) => {
            t.holds("every place was patched", report.complete(), report.rewritten());
            t.check("code to be left alone is", words(&raw const WRITE_TRAPPING), before[1]);
            t.check("mtspr SPRG0,r3 became std r3", words(&raw const WRITE)[0], 0xf860_f020);
            t.holds("  the rest changed too", words(&raw const WRITE) != before[0], ());
            mixed(&mut t);
            storm(&mut t);
        }
    }
    t.finish();
}

fn words(code: *const u32) -> [u32; 6] {
    // SAFETY: six words of code of ours.
    core::array::from_fn(|n| unsafe { code.wrapping_add(n).read_volatile() })
}

/// Patched and trapping code meet the same registers.
fn mixed(t: &mut Report) {
    let pieces: [(&str, *const u32, *const u32); 4] = [
        ("patched write, patched read", &raw const WRITE, &raw const READ),
        ("patched write, trapping read", &raw const WRITE, &raw const READ_TRAPPING),
        ("trapping write, patched read", &raw const WRITE_TRAPPING, &raw const READ),
        ("trapping write, trapping read", &raw const WRITE_TRAPPING, &raw const READ_TRAPPING),
    ];
    for (round, (name, write, read)) in pieces.into_iter().enumerate() {
        let value = |n: u64| 0x1122_3344_0000_0000 * (round as u64 + 1) + n;
        let written = (3..8).fold(Frame::new(write), |frame, n| frame.reg(n, value(n as u64))).reg(8, 0x4200_0000);
        t.holds("the writes", written.run().finished(), name);
        let after = Frame::new(read).run();
        t.check(name, &after.gpr[3..9], &written.gpr[3..9]);
    }
}

static INTERRUPTS: AtomicU64 = AtomicU64::new(0);

/// The next interrupt comes after a while that differs each time, from next to nothing on.
fn rain(frame: &mut Frame) -> bool {
    if frame.vector != 0x900 {
        return false;
    }
    let count = INTERRUPTS.fetch_add(1, Relaxed);
    set_decrementer(1 + count.wrapping_mul(7919) % 1500);
    // Sections in the handler use the same scratch fields as the one that is interrupted must not be in.
    mtmsrd_ee_ri(msr::RI);
    true
}

/// Case 88 of the interface's conformance list.
fn storm(t: &mut Report) {
    set_handler(Some(rain));
    let own = mfmsr() & !msr::EE | msr::RI;
    let mut before = Frame::new(&raw const STORM)
        .reg(25, 0)
        .reg(28, own)
        .reg(29, own | msr::EE)
        .reg(30, msr::EE | msr::RI)
        .reg(31, msr::RI);
    before.ctr = ITERATIONS;
    set_decrementer(1);
    let after = before.run();
    set_handler(None);
    set_decrementer(NEVER);
    let interrupts = INTERRUPTS.load(Relaxed);
    println!("  {} sections, {interrupts} interrupts", ITERATIONS * SECTIONS);
    t.holds("case 88: the storm ends", after.finished(), after.vector);
    t.holds("  and was one", interrupts > 100, interrupts);
    t.check("  every register read back as written", after.gpr[25], 0);
    let scratch = before.reg(26, after.gpr[26]).reg(27, after.gpr[27]);
    t.gprs("  no register is corrupted", &after, &scratch);
    t.check("  nor CR, LR, XER", [after.cr, after.lr, after.xer], [before.cr, before.lr, before.xer]);
    // SAFETY: mapped by `adopt` and never moved; this is privileged code.
    let page = unsafe { MagicPage::at(PAGE as usize) };
    t.check("the page's MSR is ours", page.msr.get(), mfmsr());
    t.holds("outside of sections critical differs from r1", page.critical.get() != before.gpr[1], page.critical.get());
}
