//! The interrupt controller that is reached by loads and stores (numbered cases of the project's PAPR notes, 12): its
//! calls, the states of events, queues, the thread's context, and interrupts from one processor to another.
//!
//! On a machine without one its calls must not exist. What needs a second processor is skipped on a machine with one.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU64, Ordering::SeqCst};

use guest_rt::{
    exception::{Frame, NEVER, set_decrementer, set_handler},
    fdt::{Fdt, lists, number},
    papr::{hcall, opcode::*, status::*},
    second,
    spr::{mfspr, msr, mtmsrd_ee_ri, timebase},
};
use kernels::{
    Report,
    memory::{SCRATCH, clear, peek, poke},
    wait,
};

guest_rt::guest_main!(main);

/// Inter-processor interrupts, by the number of the processor that they go to here.
const IPI: [u64; 2] = [0, 1];
/// A line of the PCI bridge.
const LSI: u64 = 0x1200;
/// A number that no source has.
const NOBODY: u64 = 0xfff;
const PRIORITY: u64 = 6;
const RESERVED: u64 = 7;
const WORDS: u64 = 1024;
/// An address no machine of a test has RAM at.
const NOWHERE: u64 = 0x00ff_0000_0000_0000;

/// Flags of H_INT_SET_SOURCE_CONFIG and H_INT_SET_QUEUE_CONFIG.
const MASK: u64 = 1;
const SET_EISN: u64 = 2;
const ALWAYS: u64 = 1;

/// Offsets in the thread's area: its registers, and what loads and stores there do.
const NSR: u64 = 0x10;
const CPPR: u64 = 0x11;
const IPB: u64 = 0x12;
const PIPR: u64 = 0x17;
const WORD_2: u64 = 0x18;
const ACKNOWLEDGE: u64 = 0x810;
const SET_PENDING: u64 = 0x812;
const EXCEPTION: u8 = 0x80;
/// The number of a processor.
const PIR: u32 = 1023;

/// Offsets in a management page.
const END: u64 = 0;
const STORE_END: u64 = 0x400;
const GET: u64 = 0x800;
const SET: u64 = 0xc00;

/// The thread's area.
static AREA: AtomicU64 = AtomicU64::new(0);
/// Interrupts that were taken: how many, and of the last one the acknowledgement, the word of the queue, and the
/// processor.
static TAKEN: AtomicU64 = AtomicU64::new(0);
static ACKNOWLEDGED: AtomicU64 = AtomicU64::new(0);
static WORD: AtomicU64 = AtomicU64::new(0);
static SERVER: AtomicU64 = AtomicU64::new(0);
/// Words read, by processor.
static READ: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];
/// Management pages of the interrupts between processors, and the page that triggers the first.
static MANAGEMENT: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];
static TRIGGER_FIRST: AtomicU64 = AtomicU64::new(0);
/// The second processor is waiting.
static READY: AtomicU64 = AtomicU64::new(0);

fn area(offset: u64) -> u64 {
    AREA.load(SeqCst) + offset
}

/// A byte of the ring, loaded with the word that it is in: QEMU has no narrower loads there.
fn register(offset: u64) -> u8 {
    let word: u32 = peek(area(offset & !3));
    (u32::from_be(word) >> (24 - 8 * (offset & 3))) as u8
}

fn acknowledge() -> u16 {
    u16::from_be(peek(area(ACKNOWLEDGE)))
}

fn set_cppr(priority: u8) {
    poke(area(CPPR), priority);
}

fn queue(server: u64) -> u64 {
    SCRATCH + 0x1000 * server
}

fn word(server: u64, index: u64) -> u32 {
    u32::from_be(peek(queue(server) + 4 * (index % WORDS)))
}

fn load(address: u64) -> u64 {
    u64::from_be(peek(address))
}

/// A source and its pages.
#[derive(Clone, Copy)]
struct Source {
    lisn: u64,
    management: u64,
    trigger: u64,
}

impl Source {
    fn get(self) -> u64 {
        load(self.management + GET)
    }

    fn set(self, state: u64) -> u64 {
        load(self.management + SET + (state << 8))
    }

    fn trigger(self) {
        poke(self.trigger, 0_u64);
    }

    /// Leads to the processor with its number.
    fn route(self, flags: u64) -> i64 {
        hcall(H_INT_SET_SOURCE_CONFIG, &[flags, self.lisn, self.lisn, PRIORITY, self.lisn + 0x100]).status
    }
}

fn set_queue(server: u64) -> i64 {
    clear(queue(server), 0x1000);
    READ[server as usize].store(0, SeqCst);
    hcall(H_INT_SET_QUEUE_CONFIG, &[ALWAYS, server, PRIORITY, queue(server), 12]).status
}

/// Takes the interrupt as a kernel does, on either processor.
fn on_interrupt(frame: &mut Frame) -> bool {
    if frame.vector != 0x500 {
        return false;
    }
    ACKNOWLEDGED.store(acknowledge().into(), SeqCst);
    let server = mfspr::<PIR>();
    let own = server as usize & 1;
    WORD.store(word(server, READ[own].fetch_add(1, SeqCst)).into(), SeqCst);
    load(MANAGEMENT[own].load(SeqCst) + END);
    set_cppr(0xff);
    SERVER.store(server, SeqCst);
    TAKEN.fetch_add(1, SeqCst);
    true
}

/// Lets interrupts in for a moment; how many came.
fn pulse() -> u64 {
    let before = TAKEN.load(SeqCst);
    let start = timebase();
    mtmsrd_ee_ri(msr::EE | msr::RI);
    while TAKEN.load(SeqCst) == before && timebase() - start < 50_000 {}
    mtmsrd_ee_ri(msr::RI);
    TAKEN.load(SeqCst) - before
}

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    let t = &mut report;
    set_decrementer(NEVER);
    let node = tree.and_then(|tree| {
        tree.nodes().find(|node| node.prop("compatible").is_some_and(|list| lists(list, b"ibm,power-ivpe")))
    });
    // The second of the two ranges is the operating system's.
    let reg = node.and_then(|node| node.prop("reg")).and_then(|reg| number(reg.get(16..24)?));
    match (tree, reg) {
        (Some(tree), Some(reg)) => {
            AREA.store(reg, SeqCst);
            set_handler(Some(on_interrupt));
            present(t, tree);
        }
        _ => absent(t),
    }
    report.finish();
}

/// Without the controller its calls do not exist.
fn absent(t: &mut Report) {
    for call in (H_INT_GET_SOURCE_INFO..=H_INT_RESET).step_by(4) {
        t.check("a call of a controller that is not there", hcall(call, &[0, 0, 0]).status, H_FUNCTION);
    }
}

fn present(t: &mut Report, tree: Fdt<'static>) {
    for call in [H_EOI, H_CPPR, H_IPI, H_XIRR] {
        t.check("a call of the other controller", hcall(call, &[0, 0]).status, H_FUNCTION);
    }
    calls(t);
    let own = source(t, IPI[0]);
    t.check("H_INT_SET_QUEUE_CONFIG", set_queue(0), H_SUCCESS);
    t.check("H_INT_SET_SOURCE_CONFIG", own.route(SET_EISN), H_SUCCESS);
    states(t, own);
    thread(t);
    itself(t, own);
    masks(t, own);
    laps(t, own);
    level(t);
    if tree.nodes().filter(|node| node.prop("device_type") == Some(b"cpu\0")).count() > 1 {
        another(t, tree, own);
    } else {
        t.skip("interrupts between processors", "there is one processor");
    }
    reset(t, own);
}

/// Cases 51 and 52: call, arguments, status.
fn calls(t: &mut Report) {
    let good = queue(0);
    #[rustfmt::skip]
    let cases: [(&str, u64, &[u64], i64); 20] = [
        ("51: source info: no such source",       H_INT_GET_SOURCE_INFO,   &[0, NOBODY],                        H_P2),
        ("51: source info: 2^32",                 H_INT_GET_SOURCE_INFO,   &[0, 1 << 32],                       H_P2),
        ("51: source info: flags",                H_INT_GET_SOURCE_INFO,   &[1, NOBODY],                        H_PARAMETER),
        ("source config: flags",                 H_INT_SET_SOURCE_CONFIG, &[4, NOBODY, 99, RESERVED, 0],       H_PARAMETER),
        ("source config: no such source",        H_INT_SET_SOURCE_CONFIG, &[0, NOBODY, 99, RESERVED, 0],       H_P2),
        ("source config: no such target",        H_INT_SET_SOURCE_CONFIG, &[0, 0, 99, PRIORITY, 0],            H_P3),
        ("source config: reserved priority",     H_INT_SET_SOURCE_CONFIG, &[0, 0, 0, RESERVED, 0],             H_P4),
        ("52: queue config: flags",               H_INT_SET_QUEUE_CONFIG,  &[2, 0, PRIORITY, good, 12],         H_PARAMETER),
        ("52: queue config: no such target",      H_INT_SET_QUEUE_CONFIG,  &[1, 99, PRIORITY, good, 12],        H_P2),
        ("52: queue config: reserved priority",   H_INT_SET_QUEUE_CONFIG,  &[1, 0, RESERVED, good, 12],         H_P3),
        ("52: queue config: size 13",             H_INT_SET_QUEUE_CONFIG,  &[1, 0, PRIORITY, good, 13],         H_P5),
        ("52: queue config: not aligned",         H_INT_SET_QUEUE_CONFIG,  &[1, 0, PRIORITY, good + 0x800, 12], H_P4),
        ("52: queue config: outside memory",      H_INT_SET_QUEUE_CONFIG,  &[1, 0, PRIORITY, NOWHERE, 12],      H_P4),
        ("queue info: no such target",           H_INT_GET_QUEUE_INFO,    &[0, 99, PRIORITY],                  H_P2),
        ("queue info: reserved priority",        H_INT_GET_QUEUE_INFO,    &[0, 0, RESERVED],                   H_P3),
        ("queue info",                           H_INT_GET_QUEUE_INFO,    &[0, 0, PRIORITY],                   H_SUCCESS),
        ("H_INT_ESB: outside the page",          H_INT_ESB,               &[0, LSI, 0x1_0000, 0],              H_P3),
        ("H_INT_SYNC: no such source",           H_INT_SYNC,              &[0, NOBODY],                        H_P2),
        ("H_INT_SYNC",                           H_INT_SYNC,              &[0, 0],                             H_SUCCESS),
        ("H_INT_RESET: flags",                   H_INT_RESET,             &[1],                                H_PARAMETER),
    ];
    for (name, call, arguments, status) in cases {
        t.check(name, hcall(call, arguments).status, status);
    }
}

/// The pages of a source; its state in the beginning is off.
fn source(t: &mut Report, lisn: u64) -> Source {
    let info = hcall(H_INT_GET_SOURCE_INFO, &[0, lisn]);
    t.check("51: source info: flags but for ends by store, page size", [info.out[0] & !1, info.out[3]], [0, 16]);
    let source = Source { lisn, management: info.out[1], trigger: info.out[2] };
    MANAGEMENT[lisn as usize & 1].store(source.management, SeqCst);
    t.check("  off in the beginning", source.get(), 0b01);
    source
}

/// Case 54: what triggers and ends make of each state, and whether an event goes on: the index of the queue tells.
fn states(t: &mut Report, source: Source) {
    let events = || hcall(H_INT_GET_QUEUE_CONFIG, &[1, 0, PRIORITY]).out[3];
    #[rustfmt::skip]
    let table: [(&str, u64, [u64; 2], [u64; 2]); 4] = [
        // state;            after a trigger, events;  after an end, events
        ("54: ready",   0b00, [0b10, 1],                [0b00, 0]),
        ("54: off",     0b01, [0b01, 0],                [0b01, 0]),
        ("54: pending", 0b10, [0b11, 0],                [0b00, 0]),
        ("54: queued",  0b11, [0b11, 0],                [0b10, 1]),
    ];
    let by_store = hcall(H_INT_GET_SOURCE_INFO, &[0, source.lisn]).out[0] & 1 != 0;
    for (name, state, trigger, end) in table {
        let mut check = |how: &str, access: &dyn Fn(), want: [u64; 2]| {
            source.set(state);
            let before = events();
            access();
            guest_rt::println!("{how}");
            t.check(name, [source.get(), events() - before], want);
        };
        check("a trigger:", &|| source.trigger(), trigger);
        check("an end by a load:", &|| _ = load(source.management + END), end);
        if by_store {
            check("an end by a store:", &|| poke(source.management + STORE_END, 0_u64), end);
        }
        for next in 0..4 {
            source.set(state);
            t.check("54: a state is set, and the old one told", [source.set(next), source.get()], [state, next]);
        }
    }
    source.set(0);
    // Nothing was let in so far; what has come is forgotten.
    set_cppr(0xff);
    acknowledge();
    set_cppr(0);
    set_queue(0);
}

/// Case 55: the thread's own registers.
fn thread(t: &mut Report) {
    t.check("55: word 2 names the thread", u32::from_be(peek(area(WORD_2))), 0x8000_0000);
    set_cppr(0xff);
    t.check("55: nothing pending", acknowledge(), 0xff);
    for priority in [PRIORITY as u8, 3] {
        poke(area(SET_PENDING), priority);
    }
    let ring = || [NSR, CPPR, IPB, PIPR].map(register);
    t.check("55: two priorities pend", ring(), [EXCEPTION, 0xff, 0x12, 3]);
    t.check("55: the acknowledgement takes the more favoured", acknowledge(), 0x8003);
    t.check("55: which holds the other back", ring(), [0, 3, 0x02, 3]);
    t.check("55: again: nothing", acknowledge(), 3);
    set_cppr(6);
    t.check("55: a thread of the same priority", register(NSR), 0);
    set_cppr(9);
    t.check("55: a priority above 7 lets everything in", ring(), [EXCEPTION, 0xff, 0x02, 6]);
    t.check("55: the other one", acknowledge(), 0x8006);
    t.check("55: nothing is left", ring(), [0, 6, 0, 6]);
    set_cppr(0xff);
}

fn itself(t: &mut Report, own: Source) {
    own.trigger();
    t.check("an interrupt to itself: the word, and what pends", (word(0, 0), register(NSR)), (0x8000_0100, EXCEPTION));
    t.check("  it comes with EE = 1, once", [pulse(), pulse()], [1, 0]);
    t.check("  acknowledgement and word", [ACKNOWLEDGED.load(SeqCst), WORD.load(SeqCst)], [0x8006, 0x8000_0100]);
    own.trigger();
    own.trigger();
    own.trigger();
    t.check("  three triggers are two interrupts", [pulse() + pulse(), pulse()], [2, 0]);
    own.trigger();
    set_decrementer(NEVER);
    let before = TAKEN.load(SeqCst);
    let status = hcall(H_CEDE, &[]).status;
    mtmsrd_ee_ri(msr::RI);
    t.check("  H_CEDE returns behind it", [status as u64, TAKEN.load(SeqCst) - before], [0, 1]);
}

fn masks(t: &mut Report, own: Source) {
    for cppr in [0, PRIORITY as u8] {
        set_cppr(cppr);
        own.trigger();
        t.check("held back by the thread's priority", pulse(), 0);
        set_cppr(0xff);
        t.check("  and let in", pulse(), 1);
    }
    own.set(0b01);
    own.trigger();
    t.check("off: nothing", [pulse(), own.get()], [0, 0b01]);
    own.set(0b00);
    t.check("  nor later", pulse(), 0);
    t.check("masked by its route", own.route(SET_EISN | MASK), H_SUCCESS);
    t.check("  is priority 0xff", hcall(H_INT_GET_SOURCE_CONFIG, &[0, own.lisn]).out[..3] == [0, 0xff, 0x100], true);
    own.trigger();
    t.check("  nothing", pulse(), 0);
    own.set(0b00);
    own.route(SET_EISN);
    own.trigger();
    t.check("  and again", pulse(), 1);
}

/// Case 53, without a reader: the ring is filled again from its start.
fn laps(t: &mut Report, own: Source) {
    set_queue(0);
    let fill = |count| {
        for _ in 0..count {
            own.set(0);
            own.trigger();
        }
    };
    let state = || {
        let out = hcall(H_INT_GET_QUEUE_CONFIG, &[1, 0, PRIORITY]).out;
        [out[0], out[1], out[2], out[3]]
    };
    fill(WORDS - 1);
    t.check("53: before the end of the first lap", state(), [1 << 62 | 1, queue(0), 12, WORDS - 1]);
    fill(1);
    t.check("53: after it", state(), [1, queue(0), 12, 0]);
    let all = |want: u32| (0..WORDS).all(|n| word(0, n) == want);
    t.check("53: generation 1 in the first lap", all(0x8000_0100), true);
    t.check("53: and nothing behind the queue", word(1, 0), 0);
    fill(WORDS);
    t.check("53: generation 0 in the second", all(0x100), true);
    fill(1);
    t.check("53: and 1 in the third", [word(0, 0), word(0, 1)], [0x8000_0100, 0x100]);
    set_queue(0);
    own.set(0);
    t.check("what came is one interrupt", acknowledge(), 0x8006);
    set_cppr(0xff);
}

/// A level source is reached by calls.
fn level(t: &mut Report) {
    let info = hcall(H_INT_GET_SOURCE_INFO, &[0, LSI]);
    t.check("a level source: flags, no pages", [info.out[0] & !1, info.out[1], info.out[2]], [0xc, u64::MAX, u64::MAX]);
    let esb = |flags, offset| hcall(H_INT_ESB, &[flags, LSI, offset, 0]).out[0];
    t.check("  off", esb(0, GET), 0b01);
    let status = hcall(H_INT_SET_SOURCE_CONFIG, &[SET_EISN, LSI, 0, PRIORITY, LSI]).status;
    t.check("  its route", status, H_SUCCESS);
    t.check("  ready", [esb(0, SET), esb(0, GET)], [0b01, 0b00]);
    t.check("  a store triggers", [esb(1, 0), esb(0, GET)], [u64::MAX, 0b10]);
    t.check("  the word", word(0, 0), 0x8000_0000 | LSI as u32);
    t.check("  it pends", acknowledge(), 0x8006);
    t.check("  and ends", [esb(0, END), esb(0, GET)], [0, 0b00]);
    esb(0, SET + 0x100);
    set_cppr(0xff);
    set_queue(0);
}

/// The second processor lets interrupts in and sleeps. It answers each with one to the first.
fn second_main() -> ! {
    set_decrementer(NEVER);
    set_cppr(0xff);
    READY.store(1, SeqCst);
    loop {
        let before = TAKEN.load(SeqCst);
        hcall(H_CEDE, &[]);
        mtmsrd_ee_ri(msr::RI);
        if TAKEN.load(SeqCst) != before {
            poke(TRIGGER_FIRST.load(SeqCst), 0_u64);
        }
    }
}

fn another(t: &mut Report, tree: Fdt<'static>, own: Source) {
    let other = source(t, IPI[1]);
    t.check("a queue of the other processor", [set_queue(1), other.route(SET_EISN)], [0, 0]);
    other.set(0b00);
    own.set(0b00);
    TRIGGER_FIRST.store(own.trigger, SeqCst);
    t.check("it starts", second::start(tree, 1, second_main), Some(0));
    t.holds("  and waits", wait(|| READY.load(SeqCst) != 0), READY.load(SeqCst));
    for n in 0..3 {
        let before = TAKEN.load(SeqCst);
        other.trigger();
        t.holds("it is interrupted", wait(|| TAKEN.load(SeqCst) != before), word(1, n));
        let seen = [&SERVER, &ACKNOWLEDGED, &WORD].map(|seen| seen.load(SeqCst));
        t.check("  its own context, its own queue", seen, [1, 0x8006, 0x8000_0101]);
        t.holds("  and answers", wait(|| register(NSR) != 0), register(NSR));
        t.check("  which the first takes", [acknowledge().into(), word(0, n)], [0x8006, 0x8000_0100]);
        load(own.management + END);
        set_cppr(0xff);
    }
}

fn reset(t: &mut Report, own: Source) {
    own.trigger();
    t.check("H_INT_RESET", hcall(H_INT_RESET, &[0]).status, H_SUCCESS);
    t.check("  no route", hcall(H_INT_GET_SOURCE_CONFIG, &[0, own.lisn]).out[1], 0xff);
    t.check("  no queue", hcall(H_INT_GET_QUEUE_CONFIG, &[0, 0, PRIORITY]).out[..3] == [0, 0, 0], true);
    t.check("  nothing pends", [register(NSR), register(IPB)], [0, 0]);
    t.check("  sources are off", own.get(), 0b01);
}
