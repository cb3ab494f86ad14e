//! The services as a client meets them: arguments in its memory, results in its memory, the status in r3.

mod architecture;
mod device;
mod device_tree;
mod memory;
mod stage;

use hv_core::{Halt, Next};
use stage::{ARGUMENTS, FAILED, RAM, Stage};

#[test]
fn unknown_services_and_malformed_arrays_are_refused() {
    let mut stage = Stage::new();
    assert_eq!(stage.status("no-such-service", &[1, 2], 1), -1);
    assert_eq!(stage.status("getprop", &[1, 2, 3], 1), -1, "one argument is missing");
    assert_eq!(stage.status("a service whose name has too many letters", &[], 0), -1);
    assert_eq!(stage.call("test", &[0], 1), [FAILED]);
    for name in ["test", "claim", "call-method", "nextprop", "instance-to-path"] {
        let name = stage.text(name);
        assert_eq!(stage.call("test", &[name], 1), [0]);
    }
    for at in [RAM - 8, RAM, u64::MAX - 3, u64::MAX, 1 << 63] {
        assert_eq!(stage.raw(at), -1, "{at:#x}");
    }
    // More results than there is memory for them, and more cells than a call may have.
    stage.cells(RAM - 16, &[0x1000, 0, 1, 0]);
    assert_eq!(stage.status_at(RAM - 12, "peer", &[], 1), -1);
    stage.cells(ARGUMENTS, &[0x1000, 20, 20]);
    assert_eq!(stage.raw(ARGUMENTS), -1);
    stage.cells(ARGUMENTS, &[0x1000, u32::MAX, u32::MAX]);
    assert_eq!(stage.raw(ARGUMENTS), -1);
}

#[test]
fn results_that_nobody_wants_are_not_stored() {
    let mut stage = Stage::new();
    stage.cells(ARGUMENTS + 16, &[0x5555_5555]);
    assert_eq!(stage.status("peer", &[0], 0), 0);
    assert_eq!(stage.cell(ARGUMENTS + 16), 0x5555_5555);
    let results = stage.call("peer", &[0], 3);
    assert!(results[0] != 0 && results[1..] == [0, 0]);
}

#[test]
fn the_end_is_the_machines() {
    let mut stage = Stage::new();
    for (service, line, halt) in [
        ("boot", "disk:1", Halt::Reset),
        ("interpret", "reset-all", Halt::Reset),
        ("interpret", " power-off", Halt::PowerOff),
    ] {
        let line = stage.text(line);
        assert_eq!(stage.next(service, &[line], 1), Next::Halt(halt), "{service}");
    }
    let Next::Halt(Halt::Panic(panic)) = stage.next("exit", &[], 0) else { panic!() };
    assert!(panic.words.contains("Open Firmware"));
    let other = stage.text("1 2 + .");
    assert_eq!(stage.call("interpret", &[other], 1), [FAILED]);
    assert_eq!(stage.status("quiesce", &[], 0), 0);
}

#[test]
fn only_privileged_programs_are_clients() {
    let mut stage = Stage::new();
    assert!(stage.taken_in(ppc_isa::msr::SF));
    assert!(stage.taken_in(0), "32-bit mode");
    assert!(stage.taken_in(ppc_isa::msr::LE));
    assert!(!stage.taken_in(ppc_isa::msr::SF | ppc_isa::msr::PR));
}
