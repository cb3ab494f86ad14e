//! Watchdogs.

use exec::request;
use hv_core::Halt;
use papr_abi::hcall::H_WATCHDOG;
use papr_abi::status::{H_NOOP, H_P2, H_P3, H_PARAMETER, H_SUCCESS};

use crate::stage::Stage;

const START: u64 = 0x100;
const STOP: u64 = 0x200;
const QUERY: u64 = 0x300;
const QUERY_MIGRATION: u64 = 0x400;
const LEAVE_OTHERS: u64 = 1 << 16;
const ALL: u64 = u64::MAX;

#[test]
fn flags_number_and_timeout_are_checked_in_this_order() {
    let stage = &mut Stage::new();
    #[rustfmt::skip]
    let cases = [
        ([START | 2, 1, 1],                 H_SUCCESS),
        ([LEAVE_OTHERS | START | 1, 4, 1],  H_SUCCESS),
        ([1 << 17 | START | 2, 0, 0],       H_PARAMETER),
        ([1 << 63 | QUERY, 1, 1],           H_PARAMETER),
        ([START, 0, 0],                     H_PARAMETER),
        ([START | 4, 1, 1],                 H_PARAMETER),
        ([START | 0xff, 1, 1],              H_PARAMETER),
        ([0x000, 1, 1],                     H_PARAMETER),
        ([0x500, 1, 1],                     H_PARAMETER),
        ([0xff00, 1, 1],                    H_PARAMETER),
        ([START | 1, 0, 0],                 H_P2),
        ([START | 1, 5, 1],                 H_P2),
        ([START | 1, ALL, 1],               H_P2),
        ([START | 1, 1 << 32 | 1, 1],       H_P2),
        ([START | 1, 1, 0],                 H_P3),
        ([STOP, 0, 0],                      H_P2),
        ([STOP, 5, 0],                      H_P2),
        ([STOP, 2, 0],                      H_NOOP),
        ([STOP, 1, 0],                      H_SUCCESS),
        ([STOP, 1, 0],                      H_NOOP),
        ([STOP, ALL, 0],                    H_SUCCESS),
        ([STOP, 4, 0],                      H_NOOP),
        ([QUERY_MIGRATION, 5, 0],           H_P2),
    ];
    for (arguments, status) in cases {
        assert_eq!(stage.call(H_WATCHDOG, &arguments), status, "{arguments:x?}");
    }
}

#[test]
fn what_it_can() {
    let stage = &mut Stage::new();
    assert_eq!(stage.outputs(H_WATCHDOG, &[QUERY, 77, 0]), (H_SUCCESS, [1 << 48 | 4 << 32]));
    assert_eq!(stage.outputs(H_WATCHDOG, &[QUERY_MIGRATION, 4, 0]), (H_SUCCESS, [2]));
}

#[test]
fn each_action_at_its_time() {
    let stage = &mut Stage::new();
    stage.vcpu.state.retired = 1000;
    for (action, halt) in [(1, Halt::PowerOff), (2, Halt::Reset), (3, Halt::Reset)] {
        assert_eq!(stage.call(H_WATCHDOG, &[START | action, 2, 3]), H_SUCCESS);
        assert_eq!(stage.watchdog(1), Some((1000 + 3 * 512_000, halt)));
        assert_eq!(stage.requests().take(request::INTERRUPT), request::INTERRUPT, "sleepers do not know of it");
    }
    for timeout in [u64::MAX, u64::MAX / 512_000 + 1] {
        assert_eq!(stage.call(H_WATCHDOG, &[START | 1, 3, timeout]), H_SUCCESS);
        assert_eq!(stage.watchdog(2), Some((u64::MAX - 1, Halt::PowerOff)), "no overflow, and not never");
    }
}
