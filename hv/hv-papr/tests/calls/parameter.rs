//! System parameters, and events.

use papr_abi::rtas::{
    CHECK_EXCEPTION, CHECK_EXCEPTION_LONG, EVENT_SCAN, GET_SYSTEM_PARAMETER, NOT_AUTHORIZED, PARAMETER,
    SET_SYSTEM_PARAMETER, SUCCESS, SYSTEM_PARAMETER_BUFFER,
};

use crate::stage::{RAM, Stage};

#[test]
fn parameters_come_with_their_length() {
    let stage = &mut Stage::new();
    assert_eq!(stage.service(GET_SYSTEM_PARAMETER, &[55, 0x1000, 4000]).0, SUCCESS);
    assert_eq!(stage.bytes(0x1000, 13), b"\0\x0bPowerVisor\0");
    assert_eq!(stage.service(GET_SYSTEM_PARAMETER, &[20, 0x1000, 4000]).0, SUCCESS);
    assert_eq!(stage.bytes(0x1002, 51), b"MaxEntCap=100,DesMem=1,DesProcs=1,MaxPlatProcs=1\0\0\0");
    assert_eq!(stage.bytes(0x1000, 2), [0, 49]);
    // Blocks of 8 for 4 KiB, 64 KiB and 16 MiB, and no more.
    assert_eq!(stage.service(GET_SYSTEM_PARAMETER, &[50, 0x1000, 4000]).0, SUCCESS);
    assert_eq!(stage.bytes(0x1000, 8), [0, 6, 3, 3, 0, 0x81, 0x80, 0]);
}

#[test]
fn a_short_buffer_cuts_the_value_but_not_its_length() {
    let stage = &mut Stage::new();
    assert_eq!(stage.service(GET_SYSTEM_PARAMETER, &[55, RAM as u32 - 5, 5]).0, SUCCESS);
    assert_eq!(stage.bytes(RAM - 5, 5), b"\0\x0bPow");
    assert_eq!(stage.service(GET_SYSTEM_PARAMETER, &[55, RAM as u32 - 5, 6]).0, PARAMETER);
    assert_eq!(stage.service(GET_SYSTEM_PARAMETER, &[55, 0x1000, 1]).0, SYSTEM_PARAMETER_BUFFER);
}

#[test]
fn other_parameters_do_not_exist() {
    let stage = &mut Stage::new();
    for parameter in [0, 44, 48, u32::MAX] {
        assert_eq!(stage.service(GET_SYSTEM_PARAMETER, &[parameter, 0x1000, 4000]).0, PARAMETER);
        assert_eq!(stage.service(SET_SYSTEM_PARAMETER, &[parameter, 0x1000]).0, PARAMETER);
    }
    assert_eq!(stage.service(SET_SYSTEM_PARAMETER, &[55, 0x1000]).0, NOT_AUTHORIZED);
}

#[test]
fn case_45_there_are_no_events() {
    let stage = &mut Stage::new();
    for form in [EVENT_SCAN, CHECK_EXCEPTION, CHECK_EXCEPTION_LONG] {
        assert_eq!(stage.service(form, &vec![0; form.inputs as usize]).0, 1, "{}", form.name);
    }
}
