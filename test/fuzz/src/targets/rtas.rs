//! RTAS services against a model of them: connectors and what is behind them, events, non-volatile memory. Arguments and work
//! areas lie where guests put them by mistake or on purpose: across the end of memory, into each other, into the arguments.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex};

use guest_mem::{BLOCK, GuestMem, Order};
use hv_papr::connectors::{Connectors, Item, Resource, State};
use hv_papr::events::{Action, Events, HotPlug, Kind, Which};
use hv_papr::ports::Nvram;
use papr_abi::hcall::H_RTAS;
use papr_abi::rtas::*;
use papr_abi::status::{H_PARAMETER, H_SUCCESS};

use crate::corpus::{self, reach};
use crate::input::Input;
use crate::targets::partition::Partition;

const RAM: u64 = BLOCK;
/// What is compared byte by byte: the beginning of memory, and its end.
const ARENAS: [Range<u64>; 2] = [0..0x4000, RAM - 0x2000..RAM];
/// Connectors: memory behind a gap, the processor that makes the calls, one that there is not.
const MEMORY: [u32; 2] = [0x8000_0002, 0x8000_0003];
const PROCESSOR: [u32; 2] = [0x1000_0000, 0x1000_0001];
const NVRAM: usize = 256;
/// Most events that wait.
const EVENTS: usize = 64;

const FORMS: [Call; 17] = [
    SET_INDICATOR,
    SET_INDICATOR,
    GET_SENSOR_STATE,
    SET_POWER_LEVEL,
    GET_POWER_LEVEL,
    CONFIGURE_CONNECTOR,
    CONFIGURE_CONNECTOR,
    CHECK_EXCEPTION,
    CHECK_EXCEPTION_LONG,
    EVENT_SCAN,
    NVRAM_FETCH,
    NVRAM_STORE,
    DISPLAY_CHARACTER,
    QUERY_CPU_STOPPED_STATE,
    SET_TIME_OF_DAY,
    SET_XIVE,
    SUSPEND_ME,
];

fn block(connector: u32) -> Range<u64> {
    let start = u64::from(connector & 0xff) * BLOCK;
    start..start + BLOCK
}

/// A description with a property as long as `connector` says, so that some do not fit into a work area.
fn description(connector: u32) -> Vec<Item> {
    let long = if connector & 1 == 0 { 24 } else { 4096 };
    vec![
        Item::Node(format!("device@{connector:x}")),
        Item::Property("reg".to_owned(), connector.to_be_bytes().to_vec()),
        Item::Node("child".to_owned()),
        Item::Property("long".to_owned(), vec![connector as u8; long]),
        Item::End,
        Item::End,
    ]
}

#[derive(Default)]
struct Memory(Mutex<Vec<u8>>);

impl Nvram for Memory {
    fn size(&self) -> u32 {
        NVRAM as u32
    }
    fn read(&self, offset: u32, out: &mut [u8]) -> bool {
        let bytes = self.0.lock().unwrap();
        let found = bytes.get(offset as usize..).and_then(|rest| rest.get(..out.len()));
        found.map(|found| out.copy_from_slice(found)).is_some()
    }
    fn write(&self, offset: u32, data: &[u8]) -> bool {
        self.0.lock().unwrap()[offset as usize..][..data.len()].copy_from_slice(data);
        true
    }
}

/// The log of an event as spec papr 3.11 has it.
fn log(HotPlug { kind, which, action }: HotPlug) -> Vec<u8> {
    let (how, which) = match which {
        Which::Index(index) => (2, index.to_be_bytes().to_vec()),
        Which::Several { count, first } => (4, [count.to_be_bytes(), first.to_be_bytes()].concat()),
    };
    let len = 100 + which.len() as u8;
    let mut log = vec![0; 104];
    for (at, bytes) in [
        (0, &[6, 0x34, 0x66, 0xe5, 0, 0, 0, len, 0x90, 0, 0x8e][..]),
        (20, b"IBM"),
        (24, b"PH\0\x30\x01"),
        (48, b"H\0\0\x03"),
        (72, b"UH\0\x18\x01\0\0\0\x60\0\x01"),
        (96, &[b'H', b'P', 0, len - 88, 1]),
    ] {
        log[at..at + bytes.len()].copy_from_slice(bytes);
    }
    [log, vec![kind as u8, action as u8, how, 0], which].concat()
}

/// A connector as it should be.
struct Connector {
    state: State,
    present: bool,
    leaving: bool,
    told: usize,
}

/// What the services should do.
struct Model {
    /// The bytes of [`ARENAS`].
    arenas: [Vec<u8>; 2],
    /// Others that were written.
    others: BTreeMap<u64, u8>,
    connectors: BTreeMap<u32, Connector>,
    events: VecDeque<HotPlug>,
    nvram: Vec<u8>,
}

impl Model {
    fn new() -> Model {
        let connector = |present| Connector {
            state: if present { State::Configured } else { State::Unusable },
            present,
            leaving: false,
            told: 0,
        };
        let connectors = MEMORY.map(|index| (index, connector(false))).into_iter();
        let connectors = connectors.chain(PROCESSOR.map(|index| (index, connector(index == PROCESSOR[0])))).collect();
        let arenas = ARENAS.map(|arena| vec![0; (arena.end - arena.start) as usize]);
        Model { arenas, others: BTreeMap::new(), connectors, events: VecDeque::new(), nvram: vec![0; NVRAM] }
    }

    fn has_memory(&self, index: u32) -> bool {
        self.connectors[&index].state != State::Unusable
    }

    /// Whether the bytes are memory.
    fn contains(&self, at: u64, len: u64) -> bool {
        let hot = MEMORY.into_iter().filter(|index| self.has_memory(*index)).map(block);
        // Blocks that meet are one.
        let mut end = None;
        for range in std::iter::once(0..RAM).chain(hot) {
            if range.contains(&at) || end == Some(range.start) {
                end = Some(range.end);
            }
        }
        end.is_some_and(|end| end.saturating_sub(at) >= len) || at.checked_add(len) == Some(RAM)
    }

    /// The byte in one of [`ARENAS`].
    fn arena(&mut self, place: u64) -> Option<&mut u8> {
        let (arena, bytes) = ARENAS.iter().zip(&mut self.arenas).find(|(arena, _)| arena.contains(&place))?;
        Some(&mut bytes[(place - arena.start) as usize])
    }

    fn write(&mut self, at: u64, data: &[u8]) {
        for (place, byte) in (at..).zip(data) {
            match self.arena(place) {
                Some(old) => *old = *byte,
                None => _ = self.others.insert(place, *byte),
            }
        }
    }

    fn cell(&mut self, at: u64, value: u32) {
        self.write(at, &value.to_be_bytes());
    }

    fn read(&mut self, at: u64, len: usize) -> Vec<u8> {
        let byte = |place: u64| match self.arena(place) {
            Some(byte) => *byte,
            None => self.others.get(&place).copied().unwrap_or(0),
        };
        (at..at + len as u64).map(byte).collect()
    }

    fn indicator(&mut self, which: u32, index: u32, value: u32) -> i32 {
        let Some(connector) = self.connectors.get_mut(&index) else { return PARAMETER };
        let before = connector.state;
        let next = match (which, value, before) {
            (9002, 0..=3, _) => return SUCCESS,
            (9001, 0, State::Unisolated) => return PARAMETER,
            (9001, 0, State::Configured) if PROCESSOR.contains(&index) => return HARDWARE,
            (9001, 0, State::Configured) => State::Available,
            (9001, 1, State::Unusable) => return PARAMETER,
            (9001, 1, State::Available) => State::Unisolated,
            (9003, 0, State::Unisolated | State::Configured) => return PARAMETER,
            (9003, 0, _) => State::Unusable,
            (9003, 1, State::Unusable) if connector.present && !connector.leaving => State::Available,
            (9003, 1, State::Unusable) => return PARAMETER,
            (9001 | 9003, 0 | 1, state) => state,
            _ => return PARAMETER,
        };
        if next < before {
            connector.told = 0;
        }
        if next == State::Unusable && before != next && MEMORY.contains(&index) {
            self.others.retain(|place, _| !block(index).contains(place));
        }
        if next == State::Unusable && connector.leaving {
            (connector.present, connector.leaving) = (false, false);
        }
        connector.state = next;
        SUCCESS
    }

    fn configure(&mut self, area: u64) -> i32 {
        if !self.contains(area, 4096) {
            return PARAMETER;
        }
        let index = u32::from_be_bytes(self.read(area, 4).try_into().unwrap());
        let Some(connector) = self.connectors.get_mut(&index) else { return PARAMETER };
        if !connector.present || connector.state < State::Unisolated {
            return -9003;
        }
        let all = description(index);
        let item = &all[connector.told];
        connector.told += 1;
        let last = connector.told == all.len();
        if last {
            (connector.told, connector.state) = (0, State::Configured);
        }
        match item {
            Item::Node(name) => {
                self.write(area + 20, &[name.as_bytes(), &[0]].concat());
                self.cell(area + 8, 20);
                2
            }
            Item::Property(name, value) => {
                let at = (20 + name.len() as u64 + 1).next_multiple_of(4);
                if at + value.len() as u64 > 4096 {
                    return 5;
                }
                self.write(area + 20, &[name.as_bytes(), &[0]].concat());
                self.write(area + at, value);
                self.cell(area + 8, 20);
                self.cell(area + 12, value.len() as u32);
                self.cell(area + 16, at as u32);
                3
            }
            Item::End => {
                if last {
                    0
                } else {
                    4
                }
            }
        }
    }

    fn exception(&mut self, [classes, buffer, room]: [u32; 3]) -> i32 {
        if classes & 0x1000_0000 == 0 {
            return 1;
        }
        if !self.contains(buffer.into(), room.into()) {
            return PARAMETER;
        }
        let Some(event) = self.events.pop_front() else { return 1 };
        let mut log = log(event);
        log.truncate(room as usize);
        self.write(buffer.into(), &log);
        SUCCESS
    }

    fn nvram(&mut self, store: bool, [offset, address, len]: [u32; 3]) -> (i32, u32) {
        let (start, place, size) = (offset as usize, u64::from(address), len as usize);
        if start + size > NVRAM || !self.contains(place, len.into()) {
            return (PARAMETER, 0);
        }
        if store {
            let data = self.read(place, size);
            self.nvram[start..start + size].copy_from_slice(&data);
        } else {
            let data = self.nvram[start..start + size].to_vec();
            self.write(place, &data);
        }
        (SUCCESS, len)
    }

    /// Status and first output.
    fn serve(&mut self, form: &Call, cells: [u32; 7]) -> (i32, u32) {
        let [a, b, c, d, e, f, _] = cells;
        let live = if a == u32::MAX { (SUCCESS, 100) } else { (PARAMETER, 0) };
        match *form {
            SET_INDICATOR => (self.indicator(a, b, c), 0),
            GET_SENSOR_STATE => match self.connectors.get(&b).filter(|_| a == 9003) {
                Some(connector) => (SUCCESS, if connector.state == State::Unusable { 2 } else { 1 }),
                None => (PARAMETER, 0),
            },
            SET_POWER_LEVEL | GET_POWER_LEVEL => live,
            CONFIGURE_CONNECTOR => (self.configure(a.into()), 0),
            CHECK_EXCEPTION | CHECK_EXCEPTION_LONG => (self.exception([c, e, f]), 0),
            EVENT_SCAN => (1, 0),
            NVRAM_FETCH | NVRAM_STORE => self.nvram(*form == NVRAM_STORE, [a, b, c]),
            DISPLAY_CHARACTER => (SUCCESS, 0),
            // The only one runs.
            QUERY_CPU_STOPPED_STATE if a == 0 => (SUCCESS, 2),
            SET_TIME_OF_DAY => {
                let valid = (1970..=9999).contains(&a) && (1..=12).contains(&b) && (1..=31).contains(&c);
                (if valid && d < 24 && e < 60 && f < 60 { SUCCESS } else { PARAMETER }, 0)
            }
            // No such processor, source or service.
            _ => (PARAMETER, 0),
        }
    }
}

/// What earlier runs kept.
pub fn examples() -> Vec<Vec<u8>> {
    corpus::inputs(include_str!("../../corpus/rtas.txt"))
}

fn address(input: &mut Input) -> u64 {
    match input.byte() & 7 {
        0 => input.number(RAM),
        1 => RAM - u64::from(input.byte() & 0x3f) * 4,
        2 => RAM - 4096 + u64::from(input.byte() & 3),
        3 => block(MEMORY[0]).end + u64::from(input.byte()) - 0x80,
        4 => u64::from(input.word() & 0x3fff),
        _ => u64::from(input.byte() & 3) << 12,
    }
}

fn connector(input: &mut Input) -> u32 {
    match input.byte() & 15 {
        0 => input.word(),
        1 | 2 => PROCESSOR[0],
        3 => PROCESSOR[1],
        4..=9 => MEMORY[1],
        _ => MEMORY[0],
    }
}

fn arguments(input: &mut Input, form: &Call) -> [u32; 7] {
    let mut cells = [0; 7];
    match *form {
        SET_INDICATOR => cells[..3].copy_from_slice(&[9001, connector(input), u32::from(input.byte() & 1)]),
        GET_SENSOR_STATE => cells[..2].copy_from_slice(&[9003, connector(input)]),
        SET_POWER_LEVEL | GET_POWER_LEVEL => cells[0] = u32::MAX,
        CONFIGURE_CONNECTOR => cells[0] = address(input) as u32,
        CHECK_EXCEPTION | CHECK_EXCEPTION_LONG => {
            cells[2] = u32::MAX;
            cells[4..6].copy_from_slice(&[address(input) as u32, u32::from(input.byte())]);
        }
        NVRAM_FETCH | NVRAM_STORE => {
            let (offset, len) = (u32::from(input.byte()), u32::from(input.byte() & 0x3f));
            cells[..3].copy_from_slice(&[offset, address(input) as u32, len]);
        }
        SET_TIME_OF_DAY => cells[..6].copy_from_slice(&[2026, 11, 22, 12, 59, 0]),
        _ => {}
    }
    if *form == SET_INDICATOR && input.flag() {
        cells[0] = input.pick(&[9003, 9003, 9003, 9002]);
    }
    if input.byte() & 7 == 0 {
        cells[usize::from(input.byte() % 7)] = input.number(RAM) as u32;
    }
    cells
}

/// Calls services, and does what the machine does beside them, until the input is used up.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mem = Arc::new(GuestMem::with_room(RAM, block(MEMORY[1]).end, 128).unwrap());
    let connectors = Arc::<Connectors>::default();
    for index in MEMORY {
        connectors.add(index, Resource::Memory(block(index)), format!("LMB {index}"), None);
    }
    for (number, index) in (0..).zip(PROCESSOR) {
        let device = (number == 0).then(|| description(index));
        connectors.add(index, Resource::Processor(number), format!("CPU {number}"), device);
    }
    let events = Arc::new(Events::new(Box::new(|| ())));
    let mut partition = Partition::with(Arc::clone(&mem), |ports| {
        (ports.connectors, ports.events) = (Arc::clone(&connectors), Arc::clone(&events));
        ports.nvram = Box::new(Memory(Mutex::new(vec![0; NVRAM])));
    });
    let mut model = Model::new();
    while !input.is_empty() {
        match input.byte() & 15 {
            0 => {
                let index = connector(&mut input);
                let Some(connector) = model.connectors.get_mut(&index) else { continue };
                let plugged = connectors.plug(index, description(index));
                assert_eq!(plugged.is_ok(), !connector.present);
                if !connector.present {
                    (connector.present, connector.leaving) = (true, false);
                }
            }
            1 => {
                let index = connector(&mut input);
                let Some(connector) = model.connectors.get_mut(&index) else { continue };
                let gone = connectors.ask_back(index);
                assert_eq!(gone.is_ok(), connector.present);
                connector.leaving |= connector.present;
                if gone == Ok(true) {
                    assert_eq!(connector.state, State::Unusable);
                    connector.present = false;
                }
            }
            2 => {
                let index = connector(&mut input);
                let several = Which::Several { count: u32::from(input.byte()), first: index };
                let which = if input.flag() { several } else { Which::Index(index) };
                let event = HotPlug { kind: Kind::Memory, which, action: Action::Add };
                events.post(event);
                model.events.push_back(event);
                if model.events.len() > EVENTS {
                    model.events.pop_front();
                }
            }
            3 => {
                let (at, byte) = (address(&mut input), input.byte());
                // A word of the guest's own, as before configure-connector.
                let word = if byte & 1 == 0 { connector(&mut input) } else { u32::from(byte) << 24 | u32::from(byte) };
                if mem.store(at, Order::Big, word) {
                    model.cell(at, word);
                }
            }
            _ => call(&mut input, &mut partition, &mem, &mut model),
        }
        for (arena, bytes) in ARENAS.iter().zip(&model.arenas) {
            let mut found = vec![0; bytes.len()];
            assert!(mem.read(arena.start, &mut found));
            assert_eq!(found.iter().zip(bytes).position(|(found, want)| found != want), None);
        }
        for listed in connectors.list() {
            let connector = &model.connectors[&listed.index];
            assert_eq!((listed.state, listed.present), (connector.state, connector.present), "{:#x}", listed.index);
        }
        for index in MEMORY {
            assert_eq!(mem.contains(block(index).start, BLOCK), model.has_memory(index), "{index:#x}");
        }
    }
}

/// Calls a service.
fn call(input: &mut Input, partition: &mut Partition, mem: &GuestMem, model: &mut Model) {
    let mut form = input.pick(&FORMS);
    let cells = arguments(input, &form);
    if input.byte() & 31 == 0 {
        form = Call { inputs: u32::from(input.byte() & 31), outputs: u32::from(input.byte() & 31), ..form };
    }
    let at = address(input);
    let words = [form.token, form.inputs, form.outputs].into_iter().chain(cells);
    for (n, word) in (0..).zip(words) {
        let place = at.wrapping_add(4 * n);
        let done = mem.store(place, Order::Big, word);
        assert_eq!(done, model.contains(place, 4));
        if done {
            model.cell(place, word);
        }
    }
    let given = |model: &mut Model, n: u64| u32::from_be_bytes(model.read(at + 4 * n, 4).try_into().unwrap());
    let counts = if model.contains(at, 12) { [1, 2].map(|n| given(model, n)) } else { [u32::MAX; 2] };
    let [inputs, outputs] = counts.map(u64::from);
    let valid = inputs <= 16 && outputs <= 16 - inputs.min(16) && model.contains(at, 4 * (3 + inputs + outputs));
    let token = if valid { given(model, 0) } else { 0 };
    let known = |form: &&Call| ([form.inputs, form.outputs], form.token) == (counts, token);
    let service = FORMS.iter().find(known).filter(|_| valid);
    let mut cells = [0; 7];
    if valid {
        (0..inputs.min(7)).for_each(|n| cells[n as usize] = given(model, 3 + n));
    }
    let (answer, out) = partition.call(H_RTAS, &[at]);
    assert_eq!(out[0], at);
    if !valid {
        assert_eq!(answer, H_PARAMETER);
        return reach(H_RTAS, answer as u64);
    }
    let (status, output) = service.map_or((PARAMETER, 0), |form| model.serve(form, cells));
    reach(service.map_or(u64::from(form.inputs), |form| u64::from(form.token) << 8 | inputs), status as u64);
    // Who gives the memory back in which the arguments are gets no results.
    let results = at + 4 * (3 + inputs);
    let room = outputs == 0 || model.contains(results, 4 * outputs);
    assert_eq!(answer, if room { H_SUCCESS } else { H_PARAMETER });
    if room {
        for (n, value) in (0..).zip([status as u32, output].into_iter().chain([0; 14]).take(outputs as usize)) {
            model.cell(results + 4 * n, value);
        }
    }
}
