//! A function behind a PCI host bridge (numbered cases of the project's PAPR notes, 12): configuration space, sources of
//! messages, and a virtio entropy device, which reaches its rings and buffers through the bridge's first DMA window and
//! interrupts by a message or by its pin, with either interrupt controller.
//!
//! Without a bridge there is nothing to check, without the device only what nobody answers.
#![no_std]
#![no_main]

use core::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

use guest_rt::{
    exception::{Frame, NEVER, set_decrementer, set_handler},
    fdt::{Fdt, Node, lists},
    papr::{hcall, opcode::*, status::*},
    spr::{msr, mtmsrd_ee_ri, timebase},
};
use kernels::{
    Report,
    memory::{SCRATCH, clear, peek, poke},
    pci::*,
    virtio::*,
    wait,
};

guest_rt::guest_main!(main);

/// Pages of memory: two of buffers, and one into which nothing may be written.
const LATER: u64 = SCRATCH + 0x1000;
const EARLIER: u64 = SCRATCH + 0x3000;
const WATCHED: u64 = SCRATCH + 0x5000;
/// All pages of buffers and their neighbours.
const BUFFERS: Range<u64> = SCRATCH + 0x1000..SCRATCH + 0x8000;
const PATTERN: u64 = 0x5a5a_5a5a_5a5a_5a5a;
/// Their bus addresses. The two pages of buffers follow each other the other way round.
const BUS_BUFFERS: u64 = 0x7000;
const BUS_WATCHED: u64 = 0x1_0000;

/// Interrupts that are taken in a moment, at most.
const MOST: u64 = 16;
/// Interrupts that were taken, and what H_XIRR said of the last one.
static TAKEN: AtomicU64 = AtomicU64::new(0);
static XIRR: AtomicU64 = AtomicU64::new(0);
/// The number of the interrupt at which the handler asks the device why, which quiets its pin, and where it asks.
static ASKS: AtomicU64 = AtomicU64::new(0);
static WHY: AtomicU64 = AtomicU64::new(0);
/// The number of the interrupt behind which no more are let in.
static LAST: AtomicU64 = AtomicU64::new(0);

fn on_interrupt(frame: &mut Frame) -> bool {
    if frame.vector != 0x500 {
        return false;
    }
    let xirr = hcall(H_XIRR, &[0]).out[0];
    XIRR.store(xirr, SeqCst);
    let taken = TAKEN.fetch_add(1, SeqCst) + 1;
    if taken == ASKS.load(SeqCst) {
        peek::<u8>(WHY.load(SeqCst));
    }
    hcall(H_EOI, &[xirr]);
    if taken >= LAST.load(SeqCst) {
        frame.srr1 &= !msr::EE;
    }
    true
}

/// Lets interrupts in for a moment; how many came.
fn pulse() -> u64 {
    let before = TAKEN.load(SeqCst);
    LAST.store(before + MOST, SeqCst);
    let start = timebase();
    mtmsrd_ee_ri(msr::EE | msr::RI);
    while TAKEN.load(SeqCst) == before && timebase() - start < 50_000 {}
    mtmsrd_ee_ri(msr::RI);
    TAKEN.load(SeqCst) - before
}

/// Lets the device interrupt once; whether it has done its work.
fn interrupt(device: Device) -> bool {
    device.fill(BUS_BUFFERS, 16).is_some()
}

fn compatible(tree: Fdt<'static>, wanted: &[u8]) -> Option<Node<'static>> {
    tree.nodes().find(|node| node.prop("compatible").is_some_and(|list| lists(list, wanted)))
}

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    let t = &mut report;
    set_decrementer(NEVER);
    let bridge = tree.and_then(|tree| compatible(tree, b"IBM,Logical_PHB"));
    let services = tree.and_then(|tree| tree.node("/rtas"));
    match (tree, bridge, services) {
        (Some(tree), Some(bridge), Some(services)) => behind(t, tree, bridge, Services(services)),
        _ => t.skip("PCI", "no bridge in the device tree"),
    }
    report.finish();
}

/// Everything behind a bridge.
fn behind(t: &mut Report, tree: Fdt<'static>, bridge: Node<'static>, services: Services) {
    const ENTROPY: [Option<u64>; 2] = [Some(0x1af4), Some(0x1044)];
    let unit = bridge.prop("reg").unwrap_or_default();
    let bus = Function { services, unit: [cell(unit, 0), cell(unit, 1)], address: 0 };
    absent(t, tree, bus);
    let Some(node) = tree.nodes().find(|node| ["vendor-id", "device-id"].map(|id| node.number(id)) == ENTROPY) else {
        return t.skip("functions, their interrupts and DMA", "no virtio entropy device on the bus");
    };
    let function = Function { address: address(node), ..bus };
    t.check("vendor and device are those in the tree", function.read(0, 4), (0, 0x1044_1af4));
    let regions = regions(bridge, node);
    sizes(t, function, &regions);
    function.set(COMMAND, 2, MEMORY | MASTER);
    let device = Device::find(function, &regions);
    t.check("the device has its structures", device.is_some(), true);
    let Some(device) = device else { return };
    moves(t, device, &regions);
    let vector = messages(t, function);
    let window = Window::of(bridge);
    dma(t, device, window);
    outside(t, device, window);
    let (_, [source, _]) = function.source(vector.into());
    let Some(line) = line(bridge, node, function.address) else {
        return t.check("the tree tells the line of the pin", false, true);
    };
    if compatible(tree, b"IBM,ppc-xicp").is_some() {
        set_handler(Some(on_interrupt));
        WHY.store(device.why, SeqCst);
        hcall(H_CPPR, &[0xff]);
        message(t, device, services, vector, source);
        pin(t, device, services, line);
    } else {
        events(t, device, vector, source.into());
        level_events(t, device, line.into());
    }
    t.check("it can be reset", device.reset(), true);
}

/// Case 40, for all of bus 0 and some of others.
fn absent(t: &mut Report, tree: Fdt<'static>, bus: Function) {
    let mut present = [false; 0x100];
    let functions = tree.nodes().filter(|node| node.prop("vendor-id").is_some());
    functions.for_each(|node| present[(address(node) >> 8) as usize & 0xff] = true);
    let others = [0x1_0000, 0x1_0100, 0xff_0000];
    let absent = || (0..).zip(present).filter(|(_, present)| !present).map(|(n, _)| n << 8).chain(others);
    let ones = |width: u32| u32::MAX >> (32 - 8 * width);
    let nobody = |address: u32, register: u32, width: u32| {
        let (status, value) = Function { address, ..bus }.read(register, width);
        status == -3 || (status, value) == (0, ones(width))
    };
    for width in [1, 2, 4] {
        let answers = absent().find(|at| !nobody(*at, 0, width) || !nobody(*at, BASE_ADDRESS, width));
        t.check("40: an absent function reads as all ones, or can not be read", answers, None);
    }
    let Some(address) = absent().next() else { return };
    let status = Function { address, ..bus }.set(BASE_ADDRESS, 4, 0x1234_0000);
    t.holds("40: a write to it is lost, or refused", matches!(status, 0 | -3), status);
    t.check("40: and changes nothing", nobody(address, BASE_ADDRESS, 4), true);
    for (name, register, width) in [("a width of 3", 0, 3), ("a width of 0", 0, 0), ("not aligned", 2, 4)] {
        let (status, _) = bus.read(register, width);
        t.holds(name, status < 0, status);
    }
}

/// Case 41.
fn sizes(t: &mut Report, function: Function, regions: &[Option<Region>; 6]) {
    function.set(COMMAND, 2, 0);
    for region in regions.iter().flatten() {
        region.set(function, region.bus);
        let before = region.get(function);
        t.check("41: a base address register takes an address", before & !0xf, region.bus);
        region.set(function, u64::MAX);
        let above = if region.wide { 0 } else { !0 << 32 };
        let bits = (region.get(function) | above) & !0xf;
        t.check("41: of ones it keeps those above the size that the tree tells", bits.wrapping_neg(), region.size);
        region.set(function, before);
        t.check("41: and takes back its address", region.get(function), before);
    }
    t.holds("41: such registers were found", regions.iter().flatten().count() >= 2, regions.iter().flatten().count());
    let upper = |number: usize| number > 0 && regions[number - 1].is_some_and(|below| below.wide);
    let others = (0..6).filter(|number| regions[*number].is_none() && !upper(*number));
    let keeps = others.map(|number| BASE_ADDRESS + 4 * number as u32).find(|register| {
        function.set(*register, 4, u32::MAX);
        function.get(*register, 4) != 0
    });
    t.check("41: those that lead nowhere keep nothing", keeps, None);
}

/// Registers are where their base address is, while the function answers in memory space.
fn moves(t: &mut Report, device: Device, regions: &[Option<Region>; 6]) {
    let Device { function, common, .. } = device;
    let Some(region) = regions.iter().flatten().find(|region| (region.at..region.at + region.size).contains(&common))
    else {
        return;
    };
    let queues = |moved: u64| get16(common + moved + QUEUES);
    t.check("41: its registers are there", [queues(0), queues(region.size)], [1, 0xffff]);
    region.set(function, region.bus + region.size);
    t.check("41: and move with the address", [queues(0), queues(region.size)], [0xffff, 1]);
    region.set(function, region.bus);
    function.set(COMMAND, 2, MASTER);
    t.check("not in memory space", queues(0), 0xffff);
    function.set(COMMAND, 2, MEMORY | MASTER);
    t.check("and again", queues(0), 1);
}

/// Cases 42 and 43; the last message that the function has then.
fn messages(t: &mut Report, function: Function) -> u16 {
    t.check("43: no source before ibm,change-msi", function.source(0).0, -1);
    let change = |t: &mut Report| {
        let (status, [count, _, kind]) = function.change(BY_MSIX, 4);
        t.check("42: ibm,change-msi for 4 messages", (status, kind), (0, TYPE_MSIX));
        t.holds("42: 4, or fewer", (1..=4).contains(&count), count);
        count
    };
    let count = change(t);
    let (_, [first, _]) = function.source(0);
    t.holds("42: the first has a source", first >= 16, first);
    for index in 0..count {
        t.check("42: their sources are consecutive edges", function.source(index), (0, [first + index, 1]));
    }
    t.holds("42: no source behind them", function.source(count).0 < 0, function.source(count));
    let (status, [none, ..]) = function.change(NO_MESSAGES, 0);
    t.check("42: they are given back", (status, none), (0, 0));
    t.check("43: no source after that", function.source(0).0, -1);
    change(t).saturating_sub(1) as u16
}

fn words(range: Range<u64>) -> impl Iterator<Item = u64> {
    range.step_by(8).map(peek)
}

/// Rings and buffers are where the window's entries say.
fn dma(t: &mut Report, device: Device, window: Window) {
    BUFFERS.step_by(8).for_each(|at| poke(at, PATTERN));
    let pages = [(BUS_RINGS, RINGS), (BUS_BUFFERS, EARLIER), (BUS_BUFFERS + PAGE, LATER)];
    for (bus, page) in pages {
        t.check("H_PUT_TCE", window.put(bus, page | READ_WRITE), H_SUCCESS);
    }
    put32(device.common + FEATURE_SELECT, 1);
    t.check("the device offers what it must", get32(device.common + FEATURES) & REQUIRED, REQUIRED);
    t.check("it agrees", device.start(NO_VECTOR), true);
    // Over the end of a page: the next one on the bus is not the next one in memory.
    let (buffer, len) = (BUS_BUFFERS + PAGE - 0x100, 0x200_u32);
    let parts = || words(EARLIER + PAGE - 0x100..EARLIER + PAGE).chain(words(LATER..LATER + 0x100));
    t.check("it fills a buffer in two pages", device.fill(buffer, len), Some(len));
    let first = parts().fold(0, |sum, word| sum ^ word);
    let left = parts().filter(|word| matches!(*word, 0 | PATTERN)).count();
    t.check("  with something everywhere", left, 0);
    t.check("  and again", device.fill(buffer, len), Some(len));
    t.holds("  with something else", parts().fold(0, |sum, word| sum ^ word) != first, first);
    t.check("some bytes at an odd address", device.fill(BUS_BUFFERS + PAGE + 0x201, 3), Some(3));
    let [around, odd] = [0x200_u64, 0x208].map(|offset| peek::<[u8; 8]>(LATER + offset));
    t.check("  and none around them", [around[0], around[4], odd[0]], [PATTERN as u8; 3]);
    t.holds("  but these", around[1..4] != [PATTERN as u8; 3], around);
    let own = parts().count() + 1;
    t.check("nothing else is written", words(BUFFERS).filter(|word| *word != PATTERN).count(), own);
}

/// What the window does not open stays as it is.
fn outside(t: &mut Report, device: Device, window: Window) {
    let memory = || words(BUFFERS).fold(0_u64, |sum, word| sum.rotate_left(1) ^ word);
    // Where an address beyond the window would come round again.
    t.check("H_PUT_TCE", window.put(BUS_WATCHED, WATCHED | READ_WRITE), H_SUCCESS);
    let opened = device.fill(BUS_WATCHED, 16);
    t.holds("a page that is open is written", opened == Some(16) && peek::<u64>(WATCHED) != PATTERN, opened);
    #[rustfmt::skip]
    let cases = [
        ("beyond the window",             window.size + BUS_WATCHED, READ_WRITE),
        ("far beyond the window",         BUS_WATCHED | 1 << 63,     READ_WRITE),
        ("an address that is memory's",   WATCHED,                   READ_WRITE),
        ("a page that was closed",        BUS_WATCHED,               0),
        ("a page that can be read only",  BUS_WATCHED,               READ),
    ];
    for (name, bus, rights) in cases {
        guest_rt::println!("DMA: {name}");
        t.check("  H_PUT_TCE", window.put(BUS_WATCHED, if rights == 0 { 0 } else { WATCHED | rights }), H_SUCCESS);
        let before = memory();
        t.check("  the device begins anew", device.start(NO_VECTOR), true);
        device.give(bus, 64);
        t.check("  it sees that it can not go on", wait(|| device.status() & NEEDS_RESET != 0), true);
        t.check("  memory is as it was", (memory(), get16(RINGS + USED + 2)), (before, 0));
    }
    t.check("after a reset it works", (device.start(NO_VECTOR), device.fill(BUS_BUFFERS, 16)), (true, Some(16)));
}

/// A source behind XICS, as server 0 sees it.
#[derive(Clone, Copy)]
struct Source {
    services: Services,
    number: u32,
}

impl Source {
    fn set(self, priority: u32) -> i32 {
        self.services.call::<0>("ibm,set-xive", &[self.number, 0, priority]).0
    }

    /// Server and priority.
    fn get(self) -> (i32, [u32; 2]) {
        self.services.call("ibm,get-xive", &[self.number])
    }

    fn off(self) -> i32 {
        self.services.call::<0>("ibm,int-off", &[self.number]).0
    }

    fn on(self) -> i32 {
        self.services.call::<0>("ibm,int-on", &[self.number]).0
    }

    /// What H_XIRR says of it when everything else was let in before.
    fn xirr(self) -> u64 {
        0xff00_0000 | u64::from(self.number)
    }
}

/// Case 49: the queue's interrupt is a message.
fn message(t: &mut Report, device: Device, services: Services, vector: u16, number: u32) {
    let source = Source { services, number };
    device.set_messages(ENABLE);
    device.mask(vector, false);
    t.check("with messages it agrees", device.start(vector), true);
    t.check("49: masked in the beginning", source.get().1[1], 0xff);
    t.check("49: ibm,set-xive", (source.set(5), source.get()), (0, (0, [0, 5])));
    t.check("a message", interrupt(device), true);
    t.check("  comes once", [pulse(), pulse()], [1, 0]);
    t.check("  from its source", XIRR.load(SeqCst), source.xirr());
    for (times, priority) in [(1, 5), (2, 3)] {
        let by_switch: (&str, [&dyn Fn() -> i32; 2]) = ("int", [&|| source.off(), &|| source.on()]);
        let by_priority: (&str, [&dyn Fn() -> i32; 2]) = ("set-xive", [&|| source.set(0xff), &|| source.set(priority)]);
        for (name, [mask, unmask]) in [by_switch, by_priority] {
            guest_rt::println!("masked by {name}, {times} edges");
            t.check("49: ibm,set-xive", source.set(priority), 0);
            t.check("49: masked", (mask(), source.get()), (0, (0, [0, 0xff])));
            t.check("49:   edges", (0..times).all(|_| interrupt(device)), true);
            t.check("49:   are held back", pulse(), 0);
            t.check("49:   its priority is back", (unmask(), source.get()), (0, (0, [0, priority])));
            t.check("49:   it comes, once", [pulse(), pulse()], [1, 0]);
            t.check("49:   from its source", XIRR.load(SeqCst), source.xirr());
            t.check("49:   and the next one, once", (interrupt(device), [pulse(), pulse()]), (true, [1, 0]));
        }
    }
    // The function's own masks hold messages back, too.
    let by_function: [&dyn Fn(); 2] =
        [&|| device.set_messages(ENABLE | FUNCTION_MASK), &|| device.set_messages(ENABLE)];
    let by_table: [&dyn Fn(); 2] = [&|| device.mask(vector, true), &|| device.mask(vector, false)];
    for [mask, unmask] in [by_function, by_table] {
        mask();
        t.check("masked by the function: nothing", (interrupt(device), pulse()), (true, 0));
        unmask();
        t.check("  and again, once", [pulse(), pulse()], [1, 0]);
    }
    t.check("no reason where messages are sent", device.why(), 0);
    device.set_messages(0);
    source.set(0xff);
}

/// Case 50: the interrupt is the pin.
fn pin(t: &mut Report, device: Device, services: Services, number: u32) {
    let source = Source { services, number };
    let accept = || hcall(H_XIRR, &[0]).out[0];
    let end = || hcall(H_EOI, &[source.xirr()]).status;
    let asserted = || device.function.get(STATUS, 2) & ASSERTED != 0;
    t.check("by the pin it agrees", device.start(NO_VECTOR), true);
    t.check("50: ibm,set-xive", (source.set(5), asserted()), (0, false));
    t.check("50: the pin is asserted", (interrupt(device), asserted()), (true, true));
    for _ in 0..3 {
        t.check("50: it is presented", accept(), source.xirr());
        t.check("50:   once", accept(), 0x0500_0000);
        t.check("50:   until its end", end(), H_SUCCESS);
    }
    t.check("50: it is presented while asserted", accept(), source.xirr());
    t.check("50: asking why quiets it", (device.why(), asserted(), device.why()), (USED_BUFFER, false, 0));
    t.check("50: then its end is the end", (end(), accept()), (H_SUCCESS, 0xff00_0000));
    let asks_after = |interrupts: u64| ASKS.store(TAKEN.load(SeqCst) + interrupts, SeqCst);
    // Each comes as soon as the one before it has returned.
    asks_after(4);
    t.check("50: interrupts come", (interrupt(device), pulse() + pulse() + pulse() + pulse()), (true, 4));
    t.check("50:   until the handler asks why", [pulse(), XIRR.load(SeqCst)], [0, source.xirr()]);
    asks_after(1);
    t.check("50: masked", source.off(), 0);
    t.check("50:   nothing", (interrupt(device), pulse()), (true, 0));
    t.check("50:   and unmasked, once", (source.on(), [pulse(), pulse()]), (0, [1, 0]));
    t.check("50: a level that has gone while masked", (source.off(), interrupt(device)), (0, true));
    t.check("50:   does not come later", (device.why(), source.on(), pulse()), (USED_BUFFER, 0, 0));
    source.set(0xff);
}

/// Offsets in the management page of a source behind XIVE: end, get, set to a state.
const END: u64 = 0;
const GET: u64 = 0x800;
const SET: u64 = 0xc00;
const READY: u64 = 0b00;
const OFF: u64 = 0b01;
const PENDING: u64 = 0b10;
const QUEUED: u64 = 0b11;
/// What there is of XIVE for this: an event queue.
const QUEUE: u64 = SCRATCH + 0x8000;
const PRIORITY: u64 = 6;

/// Routes a source to an empty queue; whether that is possible.
fn route(lisn: u64) -> [i64; 2] {
    const ALWAYS: u64 = 1;
    const SET_EISN: u64 = 2;
    clear(QUEUE, PAGE);
    let queue = hcall(H_INT_SET_QUEUE_CONFIG, &[ALWAYS, 0, PRIORITY, QUEUE, 12]).status;
    [queue, hcall(H_INT_SET_SOURCE_CONFIG, &[SET_EISN, lisn, 0, PRIORITY, lisn]).status]
}

/// What a load from its management page answers.
fn esb(lisn: u64, offset: u64) -> u64 {
    hcall(H_INT_ESB, &[0, lisn, offset, 0]).out[0]
}

/// How many events are in the queue, if all are this source's.
fn count(lisn: u64) -> Option<usize> {
    let word = |n: u64| u32::from_be(peek(QUEUE + 4 * n));
    let filled = || (0..PAGE / 4).map(word).take_while(|word| *word != 0);
    filled().all(|word| u64::from(word) == 0x8000_0000 | lisn).then(|| filled().count())
}

/// Messages are events of XIVE.
fn events(t: &mut Report, device: Device, vector: u16, lisn: u64) {
    let set = |state: u64| _ = esb(lisn, SET + (state << 8));
    let seen = || (esb(lisn, GET), count(lisn));
    device.set_messages(ENABLE);
    device.mask(vector, false);
    t.check("with messages it agrees", device.start(vector), true);
    t.check("a route", route(lisn), [H_SUCCESS; 2]);
    t.check("a message while its source is off", (interrupt(device), seen()), (true, (OFF, Some(0))));
    set(READY);
    t.check("  is lost", seen(), (READY, Some(0)));
    t.check("a message is an event", (interrupt(device), seen()), (true, (PENDING, Some(1))));
    t.check("another one waits for its end", (interrupt(device), seen()), (true, (QUEUED, Some(1))));
    esb(lisn, END);
    t.check("  and comes behind it", seen(), (PENDING, Some(2)));
    esb(lisn, END);
    t.check("  once", seen(), (READY, Some(2)));
    device.set_messages(0);
    set(OFF);
}

/// The pin is a level of XIVE.
fn level_events(t: &mut Report, device: Device, lisn: u64) {
    let set = |state: u64| _ = esb(lisn, SET + (state << 8));
    let seen = || (esb(lisn, GET), count(lisn));
    t.check("by the pin it agrees", device.start(NO_VECTOR), true);
    t.check("a route", route(lisn), [H_SUCCESS; 2]);
    set(READY);
    t.check("the pin is an event", (interrupt(device), seen()), (true, (PENDING, Some(1))));
    for events in 2..4 {
        esb(lisn, END);
        t.check("  again while asserted", seen(), (PENDING, Some(events)));
    }
    t.check("asking why quiets it", (device.why(), device.why()), (USED_BUFFER, 0));
    esb(lisn, END);
    t.check("  then its end is the end", seen(), (READY, Some(3)));
    set(OFF);
}
