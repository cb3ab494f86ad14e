//! Connectors: cases 79 to 82 of spec papr 12, and the ways between their states.

use std::time::Duration;

use guest_mem::{BLOCK, GuestMem, Order};
use hv_papr::connectors::{Item, Refusal, Resource, State};
use hv_papr::ports::Persistent;
use papr_abi::rtas::{
    CONFIGURE_CONNECTOR, GET_POWER_LEVEL, GET_SENSOR_STATE, HARDWARE, PARAMETER, SET_INDICATOR, SET_POWER_LEVEL,
    SUCCESS,
};

use crate::stage::{BRIDGE, RAM, Stage};

const MEMORY: u32 = 0x8000_0001;
const PROCESSOR: u32 = 0x1000_0000;
const EMPTY: u32 = 0x9000_0000;
const AREA: u64 = 0x3000;

const ISOLATION: u32 = 9001;
const ALLOCATION: u32 = 9003;
const UNUSABLE: u32 = 2;
const PRESENT: u32 = 1;

fn description() -> Vec<Item> {
    let property = |name: &str, value: &[u8]| Item::Property(name.into(), value.to_vec());
    vec![
        Item::Node("memory@1000000".into()),
        property("device_type", b"memory\0"),
        property("empty", &[]),
        Item::Node("child".into()),
        property("reg", &[0, 0, 0, 7]),
        Item::End,
        Item::End,
    ]
}

/// A stage with a block of memory that can be added, the processor that runs, and a connector for nothing.
fn stage() -> Stage {
    let mem = GuestMem::with_room(RAM, 3 * BLOCK, 128).unwrap();
    let stage = Stage::with(mem.into(), Persistent::default());
    stage.connectors.add(MEMORY, Resource::Memory(BLOCK..2 * BLOCK), "LMB 1".into(), None);
    stage.connectors.add(PROCESSOR, Resource::Processor(0), "CPU 0".into(), Some(description()));
    stage.connectors.add(EMPTY, Resource::Persistent, "PMEM 0".into(), None);
    stage
}

fn set(stage: &mut Stage, indicator: u32, connector: u32, value: u32) -> i32 {
    stage.service(SET_INDICATOR, &[indicator, connector, value]).0
}

fn sense(stage: &mut Stage, connector: u32) -> u32 {
    let (status, outputs, _) = stage.service(GET_SENSOR_STATE, &[9003, connector]);
    assert_eq!(status, SUCCESS);
    outputs[0]
}

/// The next piece: status, and name and value where there are some.
fn configure(stage: &mut Stage, connector: u32) -> (i32, String, Vec<u8>) {
    stage.mem.store(AREA, Order::Big, connector);
    let (status, _, _) = stage.service(CONFIGURE_CONNECTOR, &[AREA as u32, 0]);
    let cell = |n: u64| stage.mem.load::<u32>(AREA + 4 * n, Order::Big).unwrap();
    let name = stage.bytes(AREA + u64::from(cell(2)), 32);
    let name = name.split(|byte| *byte == 0).next().unwrap();
    let value = if status == 3 { stage.bytes(AREA + u64::from(cell(4)), cell(3) as usize) } else { Vec::new() };
    (status, String::from_utf8_lossy(name).into_owned(), value)
}

#[test]
fn case_80_what_is_added_is_acquired_and_described() {
    let stage = &mut stage();
    stage.connectors.plug(MEMORY, description()).unwrap();
    assert_eq!(stage.connectors.plug(MEMORY, description()), Err(Refusal::State));
    assert_eq!(sense(stage, MEMORY), UNUSABLE);
    assert!(!stage.mem.contains(BLOCK, 1));
    assert_eq!(set(stage, ALLOCATION, MEMORY, 1), SUCCESS);
    assert!(stage.mem.store(BLOCK, Order::Big, 7u64));
    assert_eq!(set(stage, ISOLATION, MEMORY, 1), SUCCESS);
    assert_eq!(sense(stage, MEMORY), PRESENT);
    let name = |text: &str| text.to_owned();
    assert_eq!(configure(stage, MEMORY).0, 2);
    assert_eq!(configure(stage, MEMORY), (3, name("device_type"), b"memory\0".to_vec()));
    assert_eq!(configure(stage, MEMORY), (3, name("empty"), vec![]));
    let (status, child, _) = configure(stage, MEMORY);
    assert_eq!((status, child), (2, name("child")));
    assert_eq!(configure(stage, MEMORY), (3, name("reg"), vec![0, 0, 0, 7]));
    assert_eq!((configure(stage, MEMORY).0, configure(stage, MEMORY).0), (4, 0));
    assert!(stage.connectors.list().iter().any(|listed| listed.index == MEMORY && listed.state == State::Configured));
    // And back.
    assert_eq!(stage.connectors.ask_back(MEMORY), Ok(false));
    assert_eq!(set(stage, ALLOCATION, MEMORY, 0), PARAMETER);
    assert_eq!(set(stage, ISOLATION, MEMORY, 0), SUCCESS);
    assert!(stage.mem.contains(BLOCK, 1));
    assert_eq!(set(stage, ALLOCATION, MEMORY, 0), SUCCESS);
    assert!(!stage.mem.contains(BLOCK, 1));
    assert_eq!(sense(stage, MEMORY), UNUSABLE);
    assert_eq!(set(stage, ALLOCATION, MEMORY, 1), PARAMETER, "it is gone");
    stage.connectors.plug(MEMORY, description()).unwrap();
    assert_eq!(set(stage, ALLOCATION, MEMORY, 1), SUCCESS);
    assert_eq!(stage.mem.load::<u64>(BLOCK, Order::Big), Some(0), "nothing of before is there");
}

#[test]
fn case_81_isolated_connectors_are_not_configured_and_begin_anew() {
    let stage = &mut stage();
    stage.connectors.plug(MEMORY, description()).unwrap();
    assert_eq!(configure(stage, MEMORY).0, -9003);
    assert_eq!(set(stage, ALLOCATION, MEMORY, 1), SUCCESS);
    assert_eq!(configure(stage, MEMORY).0, -9003);
    assert_eq!(set(stage, ISOLATION, MEMORY, 1), SUCCESS);
    let all = |stage: &mut Stage| -> Vec<_> {
        std::iter::repeat_with(|| configure(stage, MEMORY)).take(description().len()).collect()
    };
    let first = all(stage);
    assert_eq!(first.last().unwrap().0, 0);
    assert_eq!(all(stage), first);
    assert_eq!(configure(stage, MEMORY).0, 2);
    assert_eq!(set(stage, ISOLATION, MEMORY, 0), SUCCESS);
    assert_eq!(configure(stage, MEMORY).0, -9003);
    assert_eq!(set(stage, ISOLATION, MEMORY, 1), SUCCESS);
    assert_eq!(all(stage), first, "from its beginning");
}

#[test]
fn case_82_nothing_is_made_usable_where_nothing_is() {
    let stage = &mut stage();
    for (indicator, connector, value, want) in [
        (ALLOCATION, EMPTY, 1, PARAMETER),
        (ISOLATION, EMPTY, 1, PARAMETER),
        (ISOLATION, EMPTY, 0, SUCCESS),
        (ALLOCATION, EMPTY, 0, SUCCESS),
        (ALLOCATION, EMPTY, 4, PARAMETER),
        (9002, EMPTY, 1, SUCCESS),
        (9002, 7, 1, PARAMETER),
        (9000, EMPTY, 1, PARAMETER),
        (ALLOCATION, 7, 1, PARAMETER),
        (ISOLATION, u32::MAX, 0, PARAMETER),
    ] {
        assert_eq!(set(stage, indicator, connector, value), want, "{indicator} {connector:#x} {value}");
    }
    assert_eq!(configure(stage, EMPTY).0, -9003);
    assert_eq!(configure(stage, 7).0, PARAMETER);
    assert_eq!(stage.service(GET_SENSOR_STATE, &[9003, 7]).0, PARAMETER);
    assert_eq!(stage.service(GET_SENSOR_STATE, &[9, EMPTY]).0, PARAMETER);
    assert_eq!(stage.connectors.ask_back(EMPTY), Err(Refusal::State));
}

#[test]
fn a_processor_that_runs_is_not_isolated() {
    let stage = &mut stage();
    assert_eq!(sense(stage, PROCESSOR), PRESENT);
    assert_eq!(set(stage, ISOLATION, PROCESSOR, 0), HARDWARE);
    assert_eq!(set(stage, ALLOCATION, PROCESSOR, 0), PARAMETER);
    assert_eq!(sense(stage, PROCESSOR), PRESENT);
}

/// A slot as drmgr works it: power, isolation, the description; and back.
#[test]
fn a_slot_is_a_physical_connector() {
    const SLOT: u32 = 0x4000_0018;
    let stage = &mut stage();
    stage.connectors.add(SLOT, Resource::Slot { unit: BRIDGE, slot: 3 }, "C24".into(), None);
    assert_eq!((sense(stage, SLOT), set(stage, ISOLATION, SLOT, 0)), (0, SUCCESS), "empty");
    assert_eq!((set(stage, ISOLATION, SLOT, 1), configure(stage, SLOT).0), (PARAMETER, -9003));
    for value in [0, 1] {
        assert_eq!(set(stage, ALLOCATION, SLOT, value), PARAMETER, "slots are not allocated");
    }
    assert_eq!(stage.reached(), [(3, false)]);
    stage.connectors.plug(SLOT, description()).unwrap();
    assert_eq!((sense(stage, SLOT), configure(stage, SLOT).0), (PRESENT, -9003));
    assert_eq!(stage.service(SET_POWER_LEVEL, &[u32::MAX, 100]).0, SUCCESS);
    assert_eq!((set(stage, ISOLATION, SLOT, 1), stage.reached()), (SUCCESS, vec![(3, true)]));
    assert_eq!(set(stage, ISOLATION, SLOT, 0), PARAMETER, "its description was not read");
    let statuses: Vec<i32> = (0..description().len()).map(|_| configure(stage, SLOT).0).collect();
    assert_eq!((statuses[0], statuses.last()), (2, Some(&0)));
    // Isolated for a while, and used again.
    assert_eq!((set(stage, ISOLATION, SLOT, 0), sense(stage, SLOT)), (SUCCESS, PRESENT));
    assert_eq!(set(stage, ISOLATION, SLOT, 1), SUCCESS);
    (0..description().len()).for_each(|_| _ = configure(stage, SLOT));
    assert_eq!(stage.reached(), [(3, false), (3, true)]);
    assert_eq!(stage.connectors.ask_back(SLOT), Ok(false));
    assert_eq!((sense(stage, SLOT), set(stage, ISOLATION, SLOT, 0)), (PRESENT, SUCCESS));
    assert_eq!((sense(stage, SLOT), stage.reached()), (0, vec![(3, false)]));
    assert_eq!(set(stage, ISOLATION, SLOT, 1), PARAMETER, "it is gone");
    // What the guest never took is gone at once.
    stage.connectors.plug(SLOT, description()).unwrap();
    assert_eq!(stage.connectors.ask_back(SLOT), Ok(true));
    assert_eq!(sense(stage, SLOT), 0);
}

#[test]
fn power_is_always_on_where_it_can_be_inserted() {
    let stage = &mut stage();
    assert_eq!(stage.service(SET_POWER_LEVEL, &[u32::MAX, 0]).1, [100]);
    assert_eq!(stage.service(GET_POWER_LEVEL, &[u32::MAX]).1, [100]);
    assert_eq!(stage.service(GET_POWER_LEVEL, &[1]).0, PARAMETER);
}

/// When the partition is reset, what was asked back is gone, and what is there is in use, whether it was or not.
#[test]
fn case_79_a_reset_ends_what_was_begun() {
    for taken in [false, true] {
        for asked in [false, true] {
            let stage = &mut stage();
            stage.connectors.plug(MEMORY, description()).unwrap();
            if taken {
                assert_eq!(set(stage, ALLOCATION, MEMORY, 1), SUCCESS);
            }
            if asked {
                assert_eq!(stage.connectors.ask_back(MEMORY), Ok(!taken));
            }
            stage.connectors.close();
            let state = if asked { (State::Unusable, false) } else { (State::Configured, true) };
            let found = stage.connectors.list().into_iter().find(|listed| listed.index == MEMORY).unwrap();
            assert_eq!((found.state, found.present), state, "taken {taken}, asked back {asked}");
            // Who waits waits no longer.
            let forever = Duration::from_secs(u64::from(u32::MAX));
            assert!(stage.connectors.wait(MEMORY, forever, |state, present| (state, present) == (found.state, !asked)));
            assert!(!stage.connectors.wait(MEMORY, forever, |_, present| present == asked));
            assert_eq!(stage.connectors.plug(EMPTY, description()), Err(Refusal::State));
            assert_eq!(stage.connectors.ask_back(PROCESSOR), Err(Refusal::State));
        }
    }
}
