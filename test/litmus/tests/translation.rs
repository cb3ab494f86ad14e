//! Pages that are mapped elsewhere while other vCPUs read and write through them: once `tlbie` and `ptesync`, or the
//! hypercall, are done, nobody reaches the old frame any more.

use guest_mem::Order;
use litmus::{DATA, Program, double, machine, repeatedly, run};
use machine::{Machine, Mmu};
use papr_abi::hcall::{H_ENTER, H_PROTECT, H_READ, H_REMOVE, H_RESIZE_HPT_COMMIT, H_RESIZE_HPT_PREPARE};
use papr_abi::status::H_LONG_BUSY_ORDER_1_MSEC;

const ROUNDS: u64 = 100;
/// The page: the first of the second gigabyte.
const PAGE: u64 = 0x4000_0000;
const FRAMES: [u64; 2] = [DATA + 0x10_0000, DATA + 0x20_0000];
/// What nobody may read in the page, and what ends its readers.
const POISON: u64 = 1;
const OVER: u64 = 2;
/// Where each program says how often something was wrong.
const WRONG: u64 = DATA;

const PROCESS_TABLE: u64 = DATA + 0x1000;
const ROOT: u64 = DATA + 0x3_0000;
const LEVELS: [u64; 3] = [DATA + 0x4_0000, DATA + 0x4_1000, DATA + 0x4_2000];
const VALID: u64 = 1 << 63;
const LEAF: u64 = 1 << 62;
/// Referenced, changed, privileged, read, read and write.
const FREE_TO_USE: u64 = 0x100 | 0x80 | 0x8 | 0x4 | 0x2;

/// Data relocated, instructions not.
const RELOCATED: u64 = 0x8000_0000_0000_1012;
const REAL: u64 = 0x8000_0000_0000_1002;

/// Accesses between two event points: long enough for another vCPU to go on too early.
const STRETCH: usize = 60;

/// Reads, and stores to the doubleword behind, until it reads `OVER`; counts what it may not read in r6.
fn user(number: u64, before: &str) -> Program {
    let stretch = "ld 10,0(5)\n std 11,8(5)\n addi 11,11,1\n or 26,26,10\n".repeat(STRETCH);
    let text = format!(
        "{before}
         addi 6,0,0
         mtmsrd 21,0
         again: addi 26,0,0
         {stretch}
         andi. 27,26,{POISON}
         add 6,6,27
         andi. 27,26,{OVER}
         bc 12,2,again
         mtmsrd 22,0
         std 6,0(23)"
    );
    let (wrong, segment) = (WRONG + 8 * number, [(24, SEGMENT), (25, SEGMENT_PAGES)]);
    let registers = [(5, PAGE), (11, 100 * number), (21, RELOCATED), (22, REAL), (23, wrong)];
    Program::new(text, &[&registers[..], &segment].concat())
}

/// Until a user has stored behind `frame`, a register.
fn await_store(frame: u32) -> String {
    format!("ld 15,8({frame})\n await: ld 16,8({frame})\n cmp 0,1,15,16\n bc 12,2,await")
}

/// After the page has left the frame in r10: poison is in it for a while, and what others stored behind it stays.
const LOOK: &str = "
    std 14,0(10)
    ld 15,8(10)
    mtspr 9,17
    delay: bc 16,0,delay
    ld 16,8(10)
    cmp 0,1,15,16
    bc 12,2,same
    addi 6,6,1
    same: std 0,0(10)
    sync 0";

/// Runs `mapper`, which counts what is wrong in r6, against `users` others, and sees that nothing was.
fn nothing_is_wrong(mmu: Mmu, users: u64, mapper: &Program, prepare: impl Fn(&Machine), before: &str) {
    repeatedly(|_, runner| {
        let mut programs = vec![mapper.clone()];
        programs.extend((1..=users).map(|number| user(number, before)));
        let mut machine = machine(mmu, &programs);
        prepare(&machine);
        run(&mut machine, runner);
        let wrong: Vec<u64> = (0..=users).map(|number| double(&machine, WRONG + 8 * number)).collect();
        assert!(wrong.iter().all(|count| *count == 0), "{runner:?}: {wrong:?}");
    });
}

fn set(machine: &Machine, address: u64, value: u64) {
    assert!(machine.mem.store(address, Order::Big, value));
}

/// Power ISA 3.0B Book III, section 5.10.1: store, ptesync, tlbie, eieio, tlbsync, ptesync.
fn remaps_by_tlbie() -> Program {
    let [first, second] = FRAMES;
    let text = format!(
        "addi 6,0,0
         addi 0,0,0
         turn: {await_store}
         std 9,0(7)
         sync 2
         tlbie 5,8,0,1,1
         eieio
         tlbsync
         sync 2
         {LOOK}
         or 12,10,10
         or 10,11,11
         or 11,12,12
         or 12,9,9
         or 9,13,13
         or 13,12,12
         addi 18,18,-1
         cmpi 0,1,18,0
         bc 4,2,turn
         addi 14,0,{OVER}
         std 14,0(10)
         std 14,0(11)
         std 6,0(23)",
        await_store = await_store(10)
    );
    let registers = [
        (5, PAGE),
        (7, LEVELS[2]),
        (8, 0),
        (9, VALID | LEAF | second | FREE_TO_USE),
        (10, first),
        (11, second),
        (13, VALID | LEAF | first | FREE_TO_USE),
        (14, POISON),
        (17, 50),
        (18, ROUNDS),
        (23, WRONG),
    ];
    Program::new(text, &registers)
}

/// A radix tree of four levels for 52 bits that maps `PAGE` to the first frame.
fn grow_tree(machine: &Machine) {
    const SIZE_52: u64 = 2 << 61 | 5 << 5;
    let next = |level: u64, bits: u64| VALID | level | bits;
    set(machine, PROCESS_TABLE, SIZE_52 | ROOT | 13);
    set(machine, ROOT, next(LEVELS[0], 9));
    set(machine, LEVELS[0] + 8, next(LEVELS[1], 9));
    set(machine, LEVELS[1], next(LEVELS[2], 9));
    set(machine, LEVELS[2], VALID | LEAF | FRAMES[0] | FREE_TO_USE);
    machine.partition.set_process_table(true, PROCESS_TABLE, 0x1000);
}

#[test]
fn a_page_remapped_by_tlbie_is_gone() {
    for users in [1, 3] {
        nothing_is_wrong(Mmu::Radix, users, &remaps_by_tlbie(), grow_tree, "");
    }
}

/// Two pages of one table go, each by a vCPU of its own that also uses the other's page: those who wait for each other go on.
#[test]
fn two_who_invalidate_do_not_wait_for_each_other_for_ever() {
    repeatedly(|_, runner| {
        let text = "
            turn: tlbie 5,8,0,1,1
            sync 2
            addi 18,18,-1
            cmpi 0,1,18,0
            bc 4,2,turn";
        let programs: Vec<Program> =
            (0..4).map(|n| Program::new(text, &[(5, PAGE + 0x1000 * n), (8, 0), (18, ROUNDS)])).collect();
        let mut machine = machine(Mmu::Radix, &programs);
        grow_tree(&machine);
        run(&mut machine, runner);
    });
}

/// The segment of `PAGE`: ESID with V, for entry 1; VSID with 4 KiB pages.
const SEGMENT: u64 = PAGE | 0x0800_0000 | 1;
const VSID: u64 = 0x123;
const SEGMENT_PAGES: u64 = VSID << 12;
const SEGMENT_SETUP: &str = "slbmte 25,24";
/// A data storage interrupt ends where it began: the page is there again soon.
const RFID: u32 = 0x4c00_0024;

fn handle_faults(machine: &Machine) {
    assert!(machine.mem.store(0x300, Order::Big, RFID));
}

/// First word of the entry for `PAGE`, and the first index of its group in a table of 256 KiB or more.
const V: u64 = VSID << 12 | 1;
const GROUP: u64 = VSID << 3;
/// Memory coherence required; supervisor and problem state may read and write.
const R: u64 = 0x10 | 2;
const EXACT: u64 = 1 << 39;

/// Enters the page for the first time, by hypercall.
const ENTER: &str = "
    or 3,19,19
    or 4,24,24
    or 5,26,26
    or 6,7,7
    ori 7,10,18
    sc 1";

/// Removes the page and enters it elsewhere, by hypercall.
fn remaps_by_hypercall() -> Program {
    let [first, second] = FRAMES;
    let text = format!(
        "addi 27,0,0
         {ENTER}
         turn: {await_store}
         addi 3,0,{H_REMOVE}
         addi 4,0,0
         or 5,26,26
         sc 1
         cmpi 0,1,3,0
         bc 12,2,removed
         addi 27,27,1
         removed: addi 0,0,0
         or 10,20,20
         addi 6,0,0
         {LOOK}
         add 27,27,6
         or 12,20,20
         or 20,21,21
         or 21,12,12
         addi 3,0,{H_ENTER}
         or 4,24,24
         or 5,26,26
         or 6,25,25
         ori 7,20,{R}
         sc 1
         cmpi 0,1,3,0
         bc 12,2,entered
         addi 27,27,1
         entered: addi 22,22,-1
         cmpi 0,1,22,0
         bc 4,2,turn
         addi 14,0,{OVER}
         std 14,0(20)
         std 14,0(21)
         std 27,0(23)",
        await_store = await_store(20)
    );
    let registers = [
        (7, V),
        (10, first),
        (14, POISON),
        (17, 50),
        (19, H_ENTER),
        (20, first),
        (21, second),
        (22, ROUNDS),
        (23, WRONG),
        (24, EXACT),
        (25, V),
        (26, GROUP),
    ];
    Program::new(text, &registers)
}

#[test]
fn a_page_removed_by_hypercall_is_gone() {
    for users in [1, 3] {
        nothing_is_wrong(Mmu::Hash, users, &remaps_by_hypercall(), handle_faults, SEGMENT_SETUP);
    }
}

/// Makes the page read-only by hypercall: nobody stores to it any more, until it is opened again.
#[test]
fn a_page_protected_by_hypercall_keeps_its_words() {
    const READ_ONLY: u64 = 3;
    let mapper = remaps_by_hypercall();
    let text = format!(
        "addi 27,0,0
         {ENTER}
         turn: {await_store}
         addi 3,0,{H_PROTECT}
         addi 4,0,{READ_ONLY}
         or 5,26,26
         sc 1
         ld 15,8(20)
         mtspr 9,17
         delay: bc 16,0,delay
         ld 16,8(20)
         cmp 0,1,15,16
         bc 12,2,same
         addi 27,27,1
         same: addi 3,0,{H_PROTECT}
         addi 4,0,{R}
         or 5,26,26
         sc 1
         addi 22,22,-1
         cmpi 0,1,22,0
         bc 4,2,turn
         addi 14,0,{OVER}
         std 14,0(20)
         std 27,0(23)",
        await_store = await_store(20)
    );
    nothing_is_wrong(
        Mmu::Hash,
        2,
        &mapper.with_text(text),
        |machine| {
            handle_faults(machine);
            set(machine, FRAMES[1] + 8, 101);
        },
        SEGMENT_SETUP,
    );
}

/// Gives the table another size by hypercall: that in r8, then that in r9.
fn resize() -> String {
    format!(
        "prepare: addi 3,0,{H_RESIZE_HPT_PREPARE}
         addi 4,0,0
         or 5,8,8
         sc 1
         cmpi 0,1,3,{H_LONG_BUSY_ORDER_1_MSEC}
         bc 12,2,prepare
         cmpi 0,1,3,0
         bc 12,2,prepared
         addi 27,27,1
         prepared: addi 3,0,{H_RESIZE_HPT_COMMIT}
         addi 4,0,0
         or 5,8,8
         sc 1
         cmpi 0,1,3,0
         bc 12,2,committed
         addi 27,27,1
         committed: or 12,8,8
         or 8,9,9
         or 9,12,12"
    )
}

/// log2 of the bytes of two tables that RAM is large enough for; the machine begins with the second.
const SIZES: [(usize, u64); 2] = [(8, 19), (9, 18)];

/// Enters the page, bolted, and says so behind r21; then resizes the table while others use the page: it is always there,
/// with every store to it, and its entry is marked as changed.
fn resizes() -> Program {
    const BOLTED: u64 = 0x10;
    let text = format!(
        "addi 27,0,0
         {ENTER}
         std 26,0(21)
         turn: {resize}
         {await_store}
         addi 3,0,{H_READ}
         addi 4,0,0
         or 5,26,26
         sc 1
         andi. 12,5,384
         cmpi 0,1,12,384
         bc 12,2,noted
         addi 27,27,1
         noted: addi 22,22,-1
         cmpi 0,1,22,0
         bc 4,2,turn
         addi 14,0,{OVER}
         std 14,0(20)
         std 27,0(23)",
        resize = resize(),
        await_store = await_store(20),
    );
    let [first, second] = FRAMES;
    let registers = [
        (7, V | BOLTED),
        (10, first),
        (19, H_ENTER),
        (20, first),
        (21, second),
        (22, ROUNDS),
        (23, WRONG),
        (24, EXACT),
        (26, GROUP),
    ];
    Program::new(text, &[&registers[..], &SIZES].concat())
}

/// From now on each data storage interrupt is wrong: it counts, and the access is tried again.
fn count_faults(machine: &Machine) {
    const ADDI_6_6_1: u32 = 0x38c6_0001;
    for (at, word) in [(0x300, ADDI_6_6_1), (0x304, RFID)] {
        assert!(machine.mem.store(at, Order::Big, word));
    }
}

#[test]
fn a_page_stays_while_its_table_is_resized() {
    let entered = format!(
        "{SEGMENT_SETUP}
         addis 10,0,{}
         spin: ld 12,0(10)
         cmpi 0,1,12,0
         bc 12,2,spin",
        FRAMES[1] >> 16
    );
    for users in [1, 7] {
        nothing_is_wrong(Mmu::Hash, users, &resizes(), count_faults, &entered);
    }
}

/// Who removes and enters a page finds the table as a whole, whoever resizes it.
#[test]
fn a_page_is_removed_and_entered_while_its_table_is_resized() {
    let text = format!(
        "addi 27,0,0
         turn: {resize}
         addi 22,22,-1
         cmpi 0,1,22,0
         bc 4,2,turn
         std 27,0(23)",
        resize = resize(),
    );
    const RESIZER: u64 = 7;
    let registers = [(22, ROUNDS), (23, WRONG + 8 * RESIZER)];
    let resizer = Program::new(text, &[&registers[..], &SIZES].concat());
    repeatedly(|_, runner| {
        let users = (1..=2).map(|number| user(number, SEGMENT_SETUP));
        let programs: Vec<Program> =
            [remaps_by_hypercall()].into_iter().chain(users).chain([resizer.clone()]).collect();
        let mut machine = machine(Mmu::Hash, &programs);
        handle_faults(&machine);
        run(&mut machine, runner);
        let wrong = [0, 1, 2, RESIZER].map(|number| double(&machine, WRONG + 8 * number));
        assert_eq!(wrong, [0; 4], "{runner:?}");
    });
}
