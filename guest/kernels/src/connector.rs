//! Connectors, by which a partition takes devices into use and gives them back: their list in the device tree, RTAS's services
//! for them, and events (PAPR 13, 10.3).

use core::str::from_utf8;

use guest_rt::{
    fdt::{Fdt, Node, number},
    papr::{hcall, opcode::H_CPPR, rtas},
};

use crate::memory::{SCRATCH, clear, peek, poke};

/// Indicators and their values (PAPR 13.5); the sensor has the number of the last.
pub const ISOLATION: u32 = 9001;
pub const ALLOCATION: u32 = 9003;
const SENSE: u32 = 9003;
/// What the sensor says.
pub const EMPTY: (i32, u32) = (0, 0);
pub const PRESENT: (i32, u32) = (0, 1);
pub const UNUSABLE: (i32, u32) = (0, 2);
/// Statuses.
pub const REFUSED: i32 = -3;
pub const NOT_CONFIGURABLE: i32 = -9003;
/// Answers of ibm,configure-connector.
pub const DONE: i32 = 0;
pub const CHILD: i32 = 2;
const PROPERTY: i32 = 3;

/// A page for ibm,configure-connector, and room for an event.
const AREA: u64 = SCRATCH;
const LOG: u64 = SCRATCH + 0x1000;
const LOG_ROOM: u32 = 0x800;

/// What connectors are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    /// As the device tree has it.
    pub name: &'static str,
    /// The top four bits of indexes.
    pub code: u32,
    /// In events.
    pub event: u8,
}

/// The kinds that there are.
pub const PROCESSOR: Kind = Kind { name: "CPU", code: 1, event: 1 };
pub const SLOT: Kind = Kind { name: "28", code: 4, event: 5 };
pub const MEMORY: Kind = Kind { name: "MEM", code: 8, event: 2 };
pub const PERSISTENT: Kind = Kind { name: "PMEM", code: 9, event: 6 };
const KINDS: [Kind; 4] = [PROCESSOR, SLOT, MEMORY, PERSISTENT];

/// A connector that the device tree lists.
#[derive(Clone, Copy)]
pub struct Connector {
    /// Its number.
    pub index: u32,
    /// What it is for.
    pub kind: Kind,
}

impl Connector {
    /// Connectors of slots: something is in them or not. What stands behind the others is first to be allocated.
    pub fn is_physical(self) -> bool {
        self.kind == SLOT
    }

    /// What its sensor says when nothing is there.
    pub fn idle(self) -> (i32, u32) {
        if self.is_physical() { EMPTY } else { UNUSABLE }
    }

    /// Its number among its kind.
    pub fn id(self) -> u32 {
        self.index & 0x0fff_ffff
    }
}

/// All of a machine, as the nodes above the devices list them.
pub fn connectors(tree: Fdt<'_>) -> impl Iterator<Item = Connector> {
    let parents = tree.nodes().filter_map(|node| Some((node.prop("ibm,drc-indexes")?, node.prop("ibm,drc-types")?)));
    parents.flat_map(|(indexes, types)| {
        let indexes = indexes.chunks_exact(4).skip(1).filter_map(number);
        let types = types.get(4..).unwrap_or_default().split(|byte| *byte == 0);
        indexes.zip(types).filter_map(|(index, name)| {
            let kind = KINDS.into_iter().find(|kind| kind.name.as_bytes() == name)?;
            Some(Connector { index: index as u32, kind })
        })
    })
}

/// The node of the device that was behind a connector from the start.
pub fn device(tree: Fdt<'static>, connector: Connector) -> Option<Node<'static>> {
    tree.nodes().find(|node| node.number("ibm,my-drc-index") == Some(connector.index.into()))
}

/// A description as ibm,configure-connector tells it, piece by piece: status, lengths of name and value, both.
pub struct Told {
    bytes: [u8; 2048],
    len: usize,
    /// The status that ended it.
    pub end: i32,
}

impl Told {
    fn push(&mut self, bytes: impl Iterator<Item = u8>) {
        for byte in bytes {
            self.bytes[self.len] = byte;
            self.len += 1;
        }
    }

    fn pieces(&self) -> impl Iterator<Item = (i32, &[u8], &[u8])> {
        let mut rest = &self.bytes[..self.len];
        core::iter::from_fn(move || {
            let ([status, name, value], left) = rest.split_first_chunk::<3>()?;
            let (name, left) = left.split_at((*name).into());
            let (value, left) = left.split_at((*value).into());
            rest = left;
            Some((i32::from(*status), name, value))
        })
    }

    /// The name of the node, if there is one and nothing but properties in it.
    pub fn name(&self) -> Option<&str> {
        let (first, name, _) = self.pieces().next()?;
        let flat = first == CHILD && self.pieces().skip(1).all(|(status, ..)| status == PROPERTY) && self.end == DONE;
        from_utf8(name).ok().filter(|_| flat)
    }

    pub fn properties(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pieces().filter(|(status, ..)| *status == PROPERTY).map(|(_, name, value)| (name, value))
    }

    pub fn property(&self, wanted: &str) -> Option<&[u8]> {
        self.properties().find(|(name, _)| *name == wanted.as_bytes()).map(|(_, value)| value)
    }

    pub fn number(&self, wanted: &str) -> Option<u64> {
        number(self.property(wanted)?)
    }

    /// The first property in which it and a node of the tree differ; those that name one of several devices need only be
    /// in both.
    pub fn differs<'a>(&'a self, node: Node<'a>, own: &[&str]) -> Option<&'a str> {
        let may = |name: &[u8]| own.iter().any(|own| own.as_bytes() == name);
        let text = |name| from_utf8(name).unwrap_or("a name that is no text");
        let here = |wanted: &[u8]| self.properties().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        let missing = node.props().find(|(name, value)| here(name).is_none_or(|here| here != *value && !may(name)));
        let more = || self.properties().find(|(name, _)| node.prop(text(name)).is_none());
        missing.or_else(more).map(|(name, _)| text(name))
    }

    pub fn same(&self, other: &Told) -> bool {
        (self.end, &self.bytes[..self.len]) == (other.end, &other.bytes[..other.len])
    }
}

/// The token of a service.
pub fn token(tree: Fdt<'_>, name: &str) -> Option<u32> {
    tree.node("/rtas")?.number(name).map(|token| token as u32)
}

/// An event: which kind of connector, what is to be done, and which one.
#[derive(Debug)]
pub struct Event {
    pub kind: u8,
    /// 1 to add, 2 to remove.
    pub action: u8,
    pub index: u32,
}

/// The services, by their tokens.
pub struct Calls {
    indicator: u32,
    sensor: u32,
    configure: u32,
    exception: u32,
    /// The interrupt of hot-plug events.
    pub source: u32,
}

impl Calls {
    /// `None` without them; else the interrupt is let in.
    pub fn of(tree: Fdt<'static>) -> Option<Calls> {
        let events = tree.node("/event-sources/hot-plug-events")?;
        let source = number(events.prop("interrupts")?.get(..4)?)? as u32;
        rtas(token(tree, "ibm,set-xive")?, &[source, 0, 5], 1);
        hcall(H_CPPR, &[0xff]);
        Some(Calls {
            indicator: token(tree, "set-indicator")?,
            sensor: token(tree, "get-sensor-state")?,
            configure: token(tree, "ibm,configure-connector")?,
            exception: token(tree, "check-exception")?,
            source,
        })
    }

    pub fn set(&self, indicator: u32, index: u32, value: u32) -> i32 {
        rtas(self.indicator, &[indicator, index, value], 1).1[0] as i32
    }

    pub fn isolation(&self, connector: Connector, value: u32) -> i32 {
        self.set(ISOLATION, connector.index, value)
    }

    pub fn allocation(&self, connector: Connector, value: u32) -> i32 {
        self.set(ALLOCATION, connector.index, value)
    }

    pub fn sense(&self, index: u32) -> (i32, u32) {
        let (_, out) = rtas(self.sensor, &[SENSE, index], 2);
        (out[0] as i32, out[1])
    }

    /// The next piece, in the work area.
    pub fn configure(&self, index: u32) -> i32 {
        clear(AREA, 0x1000);
        poke(AREA, index.to_be());
        rtas(self.configure, &[AREA as u32, 0], 1).1[0] as i32
    }

    /// All that is left of a description.
    pub fn describe(&self, connector: Connector) -> Told {
        let mut told = Told { bytes: [0; 2048], len: 0, end: 0 };
        let cell = |n: u64| u64::from(u32::from_be(peek(AREA + 4 * n)));
        let byte = |at: u64| peek::<u8>(AREA + at % 0x1000);
        loop {
            told.end = self.configure(connector.index);
            if !(1..=4).contains(&told.end) {
                return told;
            }
            let name = || (cell(2)..).map(byte).take_while(|byte| *byte != 0).take(64);
            let value = || (cell(4)..).map(byte).take(if told.end == PROPERTY { cell(3) as usize & 0xff } else { 0 });
            let (status, lengths) = (told.end as u8, [name().count() as u8, value().count() as u8]);
            if told.len + 0x180 > told.bytes.len() {
                return told;
            }
            told.push([status].into_iter().chain(lengths).chain(name()).chain(value()));
        }
    }

    /// check-exception for these classes of events: its status, and the event, if there was one.
    pub fn exception(&self, classes: u32) -> (i32, Option<Event>) {
        clear(LOG, LOG_ROOM.into());
        let status = rtas(self.exception, &[0x500, self.source, classes, 0, LOG as u32, LOG_ROOM], 1).1[0] as i32;
        (status, event().filter(|_| status == DONE))
    }
}

/// What the log says (PAPR 10.3), if it tells of a connector by its index.
fn event() -> Option<Event> {
    const HEADER: u64 = 8;
    const SECTIONS: u64 = HEADER + 16;
    const VERSION: u8 = 6;
    const HOT_PLUG: u8 = 0xe5;
    const BY_INDEX: u8 = 2;
    let byte = |at: u64| peek::<u8>(LOG + at);
    let word = |at: u64| (0..4).fold(0, |word, n| word << 8 | u32::from(byte(at + n)));
    let end = HEADER + u64::from(word(4));
    if (byte(0), byte(3), word(SECTIONS - 4)) != (VERSION, HOT_PLUG, u32::from_be_bytes(*b"IBM\0")) {
        return None;
    }
    let mut at = SECTIONS;
    while at + 16 <= end.min(LOG_ROOM.into()) {
        if [byte(at), byte(at + 1)] == *b"HP" {
            let event = Event { kind: byte(at + 8), action: byte(at + 9), index: word(at + 12) };
            return (byte(at + 10) == BY_INDEX).then_some(event);
        }
        at += (u64::from(word(at)) & 0xffff).max(1);
    }
    None
}
