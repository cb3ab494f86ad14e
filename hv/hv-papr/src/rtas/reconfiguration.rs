//! Dynamic reconfiguration: indicators, sensors, power, and what is behind a connector (PAPR 7.3.7, 13.5).

use guest_mem::Order;
use hv_core::Visit;
use papr_abi::rtas::{self, HARDWARE, PARAMETER, SUCCESS};
use ppc_mmu::Invalidation;

use crate::connectors::{Item, Refusal, Resource};
use crate::papr::Papr;
use crate::rtas::cells::{Cells, Service};
use crate::scm;

pub(crate) const SERVICES: &[Service] = &[
    (rtas::SET_INDICATOR, set_indicator),
    (rtas::GET_SENSOR_STATE, get_sensor_state),
    (rtas::SET_POWER_LEVEL, set_power_level),
    (rtas::GET_POWER_LEVEL, get_power_level),
    (rtas::CONFIGURE_CONNECTOR, configure_connector),
];

/// Indicators and sensors of connectors.
const ISOLATION: u32 = 9001;
const DR_INDICATOR: u32 = 9002;
const ALLOCATION: u32 = 9003;
const ENTITY_SENSE: u32 = 9003;

/// The connector can not be configured now.
const NOT_CONFIGURABLE: i32 = -9003;

fn status<T>(result: Result<T, Refusal>) -> i32 {
    match result {
        Ok(_) => SUCCESS,
        Err(Refusal::Busy) => HARDWARE,
        Err(Refusal::Unknown | Refusal::State) => PARAMETER,
    }
}

/// Which indicator, of which connector, to what.
fn set_indicator(papr: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    let connectors = &papr.ports.connectors;
    let [which, index, value] = [0, 1, 2].map(|n| cells.input(n));
    match (which, value) {
        (ISOLATION, 0) => isolate(papr, visit, index),
        (ISOLATION, 1) => unisolate(papr, index),
        (ALLOCATION, 0) => release(papr, visit, index),
        (ALLOCATION, 1) => acquire(papr, visit, index),
        // A light that nobody sees.
        (DR_INDICATOR, 0..=3) => connectors.is_usable(index).map_or(PARAMETER, |_| SUCCESS),
        _ => PARAMETER,
    }
}

/// Whether the guest still uses what it wants to isolate: a processor that has not stopped.
fn is_busy(papr: &Papr, visit: &Visit, index: u32) -> bool {
    let Some(Resource::Processor(number)) = papr.ports.connectors.resource(index) else { return false };
    visit.context.mailbox(number).is_none_or(|mailbox| !mailbox.stopped())
}

/// What is in a slot can not be reached while it is isolated.
fn isolate(papr: &Papr, visit: &Visit, index: u32) -> i32 {
    let isolated = papr.ports.connectors.isolate(index, is_busy(papr, visit, index));
    if isolated.is_ok() {
        connect(papr, index, false);
    }
    status(isolated)
}

fn unisolate(papr: &Papr, index: u32) -> i32 {
    let unisolated = papr.ports.connectors.unisolate(index);
    if unisolated.is_ok() {
        connect(papr, index, true);
    }
    status(unisolated)
}

/// Puts what is in a slot within reach of the guest, or out of it.
fn connect(papr: &Papr, index: u32, connected: bool) {
    if let Some(Resource::Slot { unit, slot }) = papr.ports.connectors.resource(index) {
        let bridges = papr.ports.bridges.iter().filter(|bridge| bridge.unit() == unit);
        bridges.for_each(|bridge| bridge.connect(slot, connected));
    }
}

fn acquire(papr: &Papr, visit: &Visit, index: u32) -> i32 {
    let connectors = &papr.ports.connectors;
    match connectors.use_it(index) {
        Ok(true) => {
            if let Some(Resource::Memory(range)) = connectors.resource(index)
                && visit.context.mem.add(range).is_err()
            {
                return HARDWARE;
            }
            SUCCESS
        }
        other => status(other),
    }
}

/// What memory held is lost, and everything that maps it forgotten.
fn release(papr: &Papr, visit: &mut Visit, index: u32) -> i32 {
    let connectors = &papr.ports.connectors;
    let was_usable = connectors.is_usable(index) == Some(true);
    let resource = connectors.resource(index);
    if resource == Some(Resource::Persistent) && was_usable && scm::unbind_device(papr, visit, index).is_err() {
        return HARDWARE;
    }
    let dropped = connectors.drop_it(index);
    if let (Ok(()), true, Some(Resource::Memory(range))) = (dropped, was_usable, resource) {
        visit.context.mem.withdraw(range.clone());
        visit.context.invalidate(Invalidation::All);
        visit.context.settle();
        // Where the host refuses, the memory stays hidden and keeps its pages.
        let _ = visit.context.mem.release(range);
    }
    status(dropped)
}

fn get_sensor_state(papr: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    let [sensor, index] = [0, 1].map(|n| cells.input(n));
    let sense = papr.ports.connectors.sense(index).filter(|_| sensor == ENTITY_SENSE);
    let Some(sense) = sense else { return PARAMETER };
    cells.output(0, sense as u32);
    SUCCESS
}

/// The domain of everything that can be inserted while it has power, which is always full.
const LIVE: u32 = u32::MAX;
const FULL: u32 = 100;

fn set_power_level(_: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    if cells.input(0) != LIVE {
        return PARAMETER;
    }
    cells.output(0, FULL);
    SUCCESS
}

fn get_power_level(_: &Papr, _: &mut Visit, cells: &mut Cells) -> i32 {
    if cells.input(0) != LIVE {
        return PARAMETER;
    }
    cells.output(0, FULL);
    SUCCESS
}

/// A work area of 4 KiB that names the connector in its first cell, and its upper half of addresses. Each call returns the
/// next piece of the description in it.
fn configure_connector(papr: &Papr, visit: &mut Visit, cells: &mut Cells) -> i32 {
    const AREA: u64 = 4096;
    const DONE: i32 = 0;
    const CHILD: i32 = 2;
    const PROPERTY: i32 = 3;
    const PARENT: i32 = 4;
    const MORE_MEMORY: i32 = 5;
    /// Behind the cells.
    const NAME: u64 = 20;
    let (area, mem) = (u64::from(cells.input(0)), visit.context.mem);
    let Some(index) = mem.load::<u32>(area, Order::Big).filter(|_| mem.contains(area, AREA)) else { return PARAMETER };
    let (item, last) = match papr.ports.connectors.configure(index) {
        Ok(next) => next,
        Err(Refusal::Unknown) => return PARAMETER,
        Err(_) => return NOT_CONFIGURABLE,
    };
    let cell = |n: u64, value: u64| mem.store(area + 4 * n, Order::Big, value as u32);
    let text = |text: &str| mem.write(area + NAME, &[text.as_bytes(), &[0]].concat());
    match item {
        Item::Node(name) => {
            text(&name);
            cell(2, NAME);
            CHILD
        }
        Item::Property(name, value) => {
            let at = (NAME + name.len() as u64 + 1).next_multiple_of(4);
            if at + value.len() as u64 > AREA {
                return MORE_MEMORY;
            }
            text(&name);
            mem.write(area + at, &value);
            cell(2, NAME);
            cell(3, value.len() as u64);
            cell(4, at);
            PROPERTY
        }
        Item::End if last => DONE,
        Item::End => PARENT,
    }
}
