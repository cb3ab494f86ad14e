//! Connectors (numbered cases of the project's PAPR notes, 12): what they say of the devices behind them, the steps in
//! which a partition takes a device into use and gives it back, and devices that come and go while it runs.
//!
//! The kernel asks the host on the console to add and to remove, and the host answers there with a line once that has
//! ended: `done`, or why not.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use core::str::from_utf8;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};

use guest_rt::{
    code, console,
    exception::Frame,
    fdt::{Fdt, Node, number},
    papr::{hcall, opcode::*, rtas, status::*},
    println, second,
};
use kernels::{
    Report,
    connector::*,
    memory::{peek, poke},
    pci::{Function, Services, cell},
    wait_for,
};

guest_rt::guest_main!(main);

code! {
    LOAD: "ld 5, 0(4)";
}

/// Numbers that no connector has.
const NOBODY: [u32; 5] = [0, 7, 0x1000_ffff, 0x9000_ffff, u32::MAX];
/// Hot-plug events among the classes of events, and warnings of power and environment.
const HOT_PLUG: u32 = 0x1000_0000;
const EPOW: u32 = 0x4000_0000;
const NOTHING: i32 = 1;
/// The hypervisor chooses.
const CHOOSE: u64 = u64::MAX;
const MARK: u64 = 0x434f_4e4e_4543_5421;
/// Longer than the host waits for the kernel.
const PATIENCE: u64 = 40 * 512_000_000;

fn wait(done: impl FnMut() -> bool) -> bool {
    wait_for(PATIENCE, done)
}

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    let t = &mut report;
    match tree.and_then(|tree| Some((tree, Calls::of(tree)?))) {
        Some((tree, calls)) => {
            let c = &calls;
            nobody(t, c);
            for connector in connectors(tree) {
                t.check("an index begins with its type", connector.index >> 28, connector.kind.code);
                match device(tree, connector) {
                    Some(node) => present(t, c, connector, node),
                    None => empty(t, c, connector),
                }
            }
            (0..2).for_each(|round| persistent(t, c, tree, round));
            memory(t, c, tree);
            processor(t, c, tree);
            slot(t, c, tree);
        }
        None => t.skip("connectors", "no services for them, or no XICS"),
    }
    report.finish();
}

/// Numbers that name nothing.
fn nobody(t: &mut Report, c: &Calls) {
    for index in NOBODY {
        for indicator in [ISOLATION, ALLOCATION] {
            t.check("82: no such connector", [0, 1].map(|value| c.set(indicator, index, value)), [REFUSED; 2]);
        }
        t.check("82: its sensor", c.sense(index).0, REFUSED);
        t.check("81: its description", c.configure(index), REFUSED);
    }
}

/// Nothing is behind a connector, and nothing changes that.
fn empty(t: &mut Report, c: &Calls, connector: Connector) {
    for _ in 0..2 {
        t.check("82: an empty connector", c.sense(connector.index), connector.idle());
        t.check("82: nothing to be made usable", c.allocation(connector, 1), REFUSED);
        t.check("82: nor to end isolation", c.isolation(connector, 1), REFUSED);
        t.check("81: nor to be configured", c.configure(connector.index), NOT_CONFIGURABLE);
    }
}

/// A device that is in use from the start. The first processor stays: it runs.
fn present(t: &mut Report, c: &Calls, connector: Connector, node: Node) {
    t.check("80: a device from the start", c.sense(connector.index), PRESENT);
    let told = c.describe(connector);
    t.check("80: its name", told.name(), from_utf8(node.name).ok());
    t.check("80: described as in the tree", told.differs(node, &[]), None);
    if connector.kind == PROCESSOR && connector.id() == 0 {
        t.holds("a processor that runs is not isolated", c.isolation(connector, 0) < 0, ());
        t.check("it is there as before", c.sense(connector.index), PRESENT);
    } else {
        steps(t, c, connector, &told);
    }
}

/// From configured to as far back as it goes, and to configured again.
fn steps(t: &mut Report, c: &Calls, connector: Connector, told: &Told) {
    let unisolated = |t: &mut Report| {
        t.check("81: isolated: not to be configured", c.configure(connector.index), NOT_CONFIGURABLE);
        t.check("81: isolation ends", c.isolation(connector, 1), DONE);
        t.check("81: its description begins", c.configure(connector.index), CHILD);
        t.check("81: not isolated before it is read", c.isolation(connector, 0), REFUSED);
        t.check("81: it goes on to its end", c.describe(connector).end, DONE);
        t.holds("81: from the start it is the same", c.describe(connector).same(told), ());
    };
    t.check("81: in use it stays allocated", c.allocation(connector, 0), REFUSED);
    t.check("81: a part of it", c.configure(connector.index), CHILD);
    t.check("81: isolated", c.isolation(connector, 0), DONE);
    t.check("81: but there", c.sense(connector.index), PRESENT);
    unisolated(t);
    t.check("81: isolated", c.isolation(connector, 0), DONE);
    if !connector.is_physical() {
        t.check("81: not allocated", c.allocation(connector, 0), DONE);
        t.check("81: so it says", c.sense(connector.index), UNUSABLE);
        t.check("81: isolation can not end", c.isolation(connector, 1), REFUSED);
        t.check("81: nor is it configured", c.configure(connector.index), NOT_CONFIGURABLE);
        t.check("81: allocated", c.allocation(connector, 1), DONE);
        t.check("81: so it says", c.sense(connector.index), PRESENT);
    }
    unisolated(t);
}

/// Has the host add or remove something, and hears of it by an event.
fn ask(t: &mut Report, c: &Calls, what: &str, kind: Kind, action: u8) -> Option<u32> {
    println!("host: {what}");
    let mut xirr = 0;
    let interrupted = wait(|| {
        xirr = hcall(H_XIRR, &[0]).out[0];
        xirr & 0x00ff_ffff != 0
    });
    t.holds("80: an interrupt", interrupted, what);
    t.check("80: that of hot-plug events", xirr as u32 & 0x00ff_ffff, c.source);
    t.check("80: nothing of another class", c.exception(EPOW).0, NOTHING);
    let (status, event) = c.exception(HOT_PLUG);
    t.check("80: an event", status, DONE);
    t.check("80: and no more", c.exception(HOT_PLUG).0, NOTHING);
    t.check("H_EOI", hcall(H_EOI, &[xirr]).status, H_SUCCESS);
    let asked = event.as_ref().is_some_and(|event| (event.kind, event.action) == (kind.event, action));
    t.holds("80: of what was asked for", asked, &event);
    event.map(|event| event.index)
}

/// Has the host add something: the connector behind which it is, an empty one.
fn add(t: &mut Report, c: &Calls, tree: Fdt<'static>, what: &str, kind: Kind) -> Option<Connector> {
    let index = ask(t, c, what, kind, 1);
    let found = connectors(tree).find(|connector| Some(connector.index) == index && connector.kind == kind);
    t.holds("80: it names a connector", found.is_some_and(|found| device(tree, found).is_none()), index);
    found
}

/// What the host says of it.
fn ended(t: &mut Report) {
    let (mut line, mut len) = ([0; 160], 0);
    wait(|| {
        let (bytes, count) = console::typed();
        for byte in bytes.into_iter().take(count) {
            line[len.min(159)] = byte;
            len += 1;
        }
        len > 0 && line[len.min(160) - 1] == b'\n'
    });
    t.check("80: and so it has ended for the host", from_utf8(&line[..len.min(160)]), Ok("done\n"));
}

/// Takes a new device into use.
fn acquire(t: &mut Report, c: &Calls, connector: Connector) -> Told {
    if connector.is_physical() {
        t.check("80: in the slot", c.sense(connector.index), PRESENT);
    } else {
        t.check("80: not allocated", c.sense(connector.index), UNUSABLE);
        t.check("80: so isolation can not end", c.isolation(connector, 1), REFUSED);
        t.check("80: allocated", c.allocation(connector, 1), DONE);
        t.check("80: so it says", c.sense(connector.index), PRESENT);
    }
    t.check("81: isolated: not to be configured", c.configure(connector.index), NOT_CONFIGURABLE);
    t.check("80: isolation ends", c.isolation(connector, 1), DONE);
    let told = c.describe(connector);
    t.check("80: described to its end", told.end, DONE);
    told
}

/// Gives a device back when it is asked for, after which it is gone.
fn give_back(t: &mut Report, c: &Calls, what: &str, connector: Connector) {
    let asked = ask(t, c, what, connector.kind, 2);
    t.check("80: asked back", asked, Some(connector.index));
    t.check("80: isolated", c.isolation(connector, 0), DONE);
    if !connector.is_physical() {
        t.check("80: not allocated", c.allocation(connector, 0), DONE);
    }
    empty(t, c, connector);
}

/// A load from where nothing is ends in a machine check.
fn gone(t: &mut Report, address: u64) {
    t.check("80: no memory", Frame::new(&raw const LOAD).reg(4, address).run().vector, 0x200);
}

/// What a device of persistent memory has to say (papr 3.10), as a value or by its length.
enum Has {
    Text(&'static str),
    Index,
    Bytes(usize),
}

#[rustfmt::skip]
const PERSISTENT_HAS: [(&str, Has); 13] = [
    ("compatible",                   Has::Text("ibm,pmemory\0")),
    ("device_type",                  Has::Text("ibm,pmemory\0")),
    ("reg",                          Has::Index),
    ("ibm,my-drc-index",             Has::Index),
    ("ibm,block-size",               Has::Bytes(8)),
    ("ibm,number-of-blocks",         Has::Bytes(8)),
    ("ibm,unit-guid",                Has::Bytes(37)),
    ("ibm,metadata-size",            Has::Bytes(4)),
    ("ibm,pmem-application",         Has::Text("operating-system\0")),
    ("ibm,cache-flush-required",     Has::Bytes(0)),
    ("ibm,hcall-flush-required",     Has::Bytes(0)),
    ("ibm,associativity",            Has::Bytes(20)),
    ("ibm,persistence-failed-count", Has::Bytes(8)),
];

/// Comes twice: what was stored and flushed is there again.
fn persistent(t: &mut Report, c: &Calls, tree: Fdt<'static>, round: u64) {
    let Some(connector) = add(t, c, tree, "add NVDIMM", PERSISTENT) else { return };
    let drc = u64::from(connector.index);
    let health = || hcall(H_SCM_HEALTH, &[drc]).status;
    t.check("62: not in use", health(), H_PARAMETER);
    let told = acquire(t, c, connector);
    let unit = told.name().and_then(|name| u32::from_str_radix(name.strip_prefix("ibm,pmemory@")?, 16).ok());
    t.check("80: its name", unit, Some(connector.index));
    for (name, has) in PERSISTENT_HAS {
        let value = told.property(name);
        let fits = value.is_some_and(|value| match has {
            Has::Text(text) => value == text.as_bytes(),
            Has::Index => value == connector.index.to_be_bytes(),
            Has::Bytes(len) => value.len() == len,
        });
        t.holds("80: a property", fits, (name, value));
    }
    t.check("80: and no more of them", told.properties().count(), PERSISTENT_HAS.len());
    t.check("62: in use", health(), H_SUCCESS);
    ended(t);
    steps(t, c, connector, &told);
    let of = |name: &str| told.number(name).unwrap_or_default();
    let (count, labels) = (of("ibm,number-of-blocks"), of("ibm,metadata-size"));
    let bind = |count: u64| hcall(H_SCM_BIND_MEM, &[drc, 0, count, CHOOSE, 0]);
    t.check("80: no more blocks than it says", bind(count + 1).status, H_P3);
    let bound = bind(count);
    let (base, last) = (bound.out[1], count * of("ibm,block-size") - 8);
    t.check("80: bound", (bound.status, bound.out[2]), (H_SUCCESS, count));
    for at in [base, base + last] {
        t.check("80: nothing in it, or what was", peek::<u64>(at), if round == 0 { 0 } else { MARK ^ round - 1 });
        poke(at, MARK ^ round);
        t.check("80: memory", peek::<u64>(at), MARK ^ round);
    }
    let mut token = 0;
    let flushed = wait(|| {
        let reply = hcall(H_SCM_FLUSH, &[drc, token]);
        token = reply.out[0];
        reply.status == H_SUCCESS
    });
    t.holds("80: flushed", flushed, token);
    let label = |offset: u64| hcall(H_SCM_WRITE_METADATA, &[drc, offset, MARK, 8]).status;
    t.check("80: labels as many as it says", (label(labels - 8), label(labels)), (H_SUCCESS, H_P2));
    give_back(t, c, "remove NVDIMM", connector);
    t.check("62: given back", health(), H_PARAMETER);
    gone(t, base);
    ended(t);
}

/// Address and size of a block of memory, as the tree has them for its connector (`ibm,dynamic-memory-v2`).
fn block(tree: Fdt<'static>, index: u32) -> Option<(u64, u64)> {
    let node = tree.node("/ibm,dynamic-reconfiguration-memory")?;
    let size = node.number("ibm,lmb-size")?;
    node.prop("ibm,dynamic-memory-v2")?.get(4..)?.chunks_exact(24).find_map(|row| {
        let [count, first] = [0, 12].map(|at| row.get(at..at + 4).and_then(number));
        let number_in_row = u64::from(index).checked_sub(first?)?;
        (number_in_row < count?).then_some((number(row.get(4..12)?)? + number_in_row * size, size))
    })
}

fn memory(t: &mut Report, c: &Calls, tree: Fdt<'static>) {
    let Some(connector) = add(t, c, tree, "add memory", MEMORY) else { return };
    let Some((base, size)) = block(tree, connector.index) else {
        return t.holds("80: a block of the tree", false, connector.index);
    };
    gone(t, base);
    let told = acquire(t, c, connector);
    let unit = told.name().and_then(|name| u64::from_str_radix(name.strip_prefix("memory@")?, 16).ok());
    t.check("80: its name", unit, Some(base));
    let mut reg = told.property("reg").unwrap_or_default().chunks_exact(8).map(number);
    t.check("80: where it is", [reg.next(), reg.next(), reg.next()], [Some(Some(base)), Some(Some(size)), None]);
    t.check("80: what it is", told.property("device_type"), Some(&b"memory\0"[..]));
    t.check("80: its connector", told.number("ibm,my-drc-index"), Some(connector.index.into()));
    ended(t);
    steps(t, c, connector, &told);
    for at in [base, base + size - 8] {
        poke(at, MARK ^ at);
        t.check("80: memory", peek::<u64>(at), MARK ^ at);
    }
    give_back(t, c, "remove memory", connector);
    gone(t, base);
    ended(t);
}

/// What the processor that was added has come to.
static CAME: AtomicBool = AtomicBool::new(false);
/// The token of stop-self, when it is to stop.
static STOP: AtomicU32 = AtomicU32::new(0);

fn second_main() -> ! {
    CAME.store(true, SeqCst);
    while STOP.load(SeqCst) == 0 {}
    rtas(STOP.load(SeqCst), &[], 1);
    loop {}
}

fn processor(t: &mut Report, c: &Calls, tree: Fdt<'static>) {
    /// What names one of several.
    const OWN: [&str; 5] =
        ["reg", "ibm,ppc-interrupt-server#s", "ibm,ppc-interrupt-gserver#s", "ibm,associativity", "ibm,my-drc-index"];
    let Some(connector) = add(t, c, tree, "add CPU", PROCESSOR) else { return };
    let start = || second::start(tree, connector.id(), second_main);
    t.check("80: not to be started", start(), Some(REFUSED));
    let told = acquire(t, c, connector);
    let first = tree.nodes().find(|node| node.prop("device_type") == Some(b"cpu\0"));
    match first {
        Some(first) => t.check("80: described as the first", told.differs(first, &OWN), None),
        None => t.skip("80: described as the first", "no processor in the tree"),
    }
    let unit = told.name().and_then(|name| u32::from_str_radix(name.rsplit_once('@')?.1, 16).ok());
    t.check("80: its name", unit, Some(connector.id()));
    let ids = ["reg", "ibm,ppc-interrupt-server#s"].map(|name| told.number(name));
    t.check("80: its numbers", ids, [Some(connector.id().into()); 2]);
    t.check("80: its connector", told.number("ibm,my-drc-index"), Some(connector.index.into()));
    ended(t);
    steps(t, c, connector, &told);
    t.check("80: it starts", start(), Some(0));
    t.holds("80: and comes", wait(|| CAME.load(SeqCst)), ());
    t.holds("a processor that runs is not isolated", c.isolation(connector, 0) < 0, ());
    let [stop, query] = ["stop-self", "query-cpu-stopped-state"].map(|name| token(tree, name).unwrap_or_default());
    STOP.store(stop, SeqCst);
    t.holds("it stops", wait(|| rtas(query, &[connector.id()], 2).1[1] == 0), stop);
    give_back(t, c, "remove CPU", connector);
    t.check("80: not to be started", start(), Some(REFUSED));
    ended(t);
}

/// The first cell of the configuration space of a slot of the bridge.
fn identity(tree: Fdt<'static>, connector: Connector) -> Option<u32> {
    let bridge = tree.node("/pci")?.prop("reg")?;
    let (services, unit) = (Services(tree.node("/rtas")?), [cell(bridge, 0), cell(bridge, 1)]);
    Some(Function { services, unit, address: connector.id() << 8 }.get(0, 4))
}

fn slot(t: &mut Report, c: &Calls, tree: Fdt<'static>) {
    /// What names one of several.
    const OWN: [&str; 3] = ["reg", "ibm,my-drc-index", "ibm,loc-code"];
    let first = connectors(tree).filter(|connector| connector.kind == SLOT).find_map(|slot| device(tree, slot));
    let Some(first) = first else { return t.skip("80: PCI", "no device from the start to compare with") };
    let Some(connector) = add(t, c, tree, "add device", SLOT) else { return };
    t.check("80: isolated, it is not on the bus", identity(tree, connector), Some(u32::MAX));
    let told = acquire(t, c, connector);
    t.check("80: described as the first", told.differs(first, &OWN), None);
    let unit = told.name().and_then(|name| u32::from_str_radix(name.rsplit_once('@')?.1, 16).ok());
    t.check("80: its name", unit, Some(connector.id() >> 3));
    let reg = told.property("reg").and_then(|reg| number(reg.get(..4)?));
    t.check("80: its place", reg, Some(u64::from(connector.id()) << 8));
    t.check("80: its connector", told.number("ibm,my-drc-index"), Some(connector.index.into()));
    let [vendor, device] = ["vendor-id", "device-id"].map(|name| told.number(name));
    let wanted = device.zip(vendor).map(|(high, low)| (high << 16 | low) as u32);
    t.check("80: on the bus", identity(tree, connector), wanted);
    ended(t);
    steps(t, c, connector, &told);
    give_back(t, c, "remove device", connector);
    t.check("80: not on the bus", identity(tree, connector), Some(u32::MAX));
    ended(t);
}
