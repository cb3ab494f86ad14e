//! Processors: stopping and starting, and what is set in them.

use exec::request;
use hv_core::{Dispatch, Next, Rest};
use papr_abi::hcall::{
    H_CEDE, H_CONFER, H_HOME_NODE_ASSOCIATIVITY, H_JOIN, H_PROD, H_SET_DABR, H_SET_SPRG0, H_SET_XDABR,
    H_SIGNAL_SYS_RESET,
};
use papr_abi::rtas::{HARDWARE, PARAMETER, QUERY_CPU_STOPPED_STATE, START_CPU, STOP_SELF};
use papr_abi::status::{H_BAD_MODE, H_CONTINUE, H_FUNCTION, H_HARDWARE, H_P2, H_PARAMETER, H_RESERVED_DABR, H_SUCCESS};
use ppc_isa::msr;

use crate::stage::Stage;

#[test]
fn case_18_only_stopped_processors_start() {
    let stage = &mut Stage::new();
    assert_eq!(stage.service(START_CPU, &[0, 0x4000, 0]).0, HARDWARE);
    assert_eq!(stage.service(START_CPU, &[1, 0x4000, 0]).0, PARAMETER);
    assert_eq!(stage.service(START_CPU, &[u32::MAX, 0x4000, 0]).0, PARAMETER);
}

#[test]
fn case_19_the_caller_runs() {
    let stage = &mut Stage::new();
    let (status, outputs, _) = stage.service(QUERY_CPU_STOPPED_STATE, &[0]);
    assert_eq!((status, outputs), (0, vec![2]));
    assert_eq!(stage.service(QUERY_CPU_STOPPED_STATE, &[1]).0, PARAMETER);
    assert_eq!(stage.service(STOP_SELF, &[]).2, Next::Stop);
}

#[test]
fn sprg0_and_breakpoints() {
    let stage = &mut Stage::new();
    assert_eq!(stage.call(H_SET_SPRG0, &[0x1234]), H_SUCCESS);
    assert_eq!(stage.vcpu.shared.sprg(0), 0x1234);
    assert_eq!(stage.call(H_SET_DABR, &[0x1007]), H_RESERVED_DABR);
    assert_eq!(stage.call(H_SET_XDABR, &[0x1000, 7]), H_HARDWARE);
}

#[test]
fn a_system_reset_comes_behind_the_call() {
    let stage = &mut Stage::new();
    for target in [0, u64::MAX] {
        stage.vcpu.state.cia = 0x4000;
        assert_eq!(stage.call(H_SIGNAL_SYS_RESET, &[target]), H_SUCCESS);
        assert_eq!((stage.vcpu.state.cia, stage.vcpu.shared.srr0()), (0x100, 0x4004));
    }
    for (target, status) in [(-2_i64 as u64, H_SUCCESS), (1, H_PARAMETER), (1 << 32, H_PARAMETER)] {
        stage.vcpu.state.cia = 0x4000;
        assert_eq!(stage.call(H_SIGNAL_SYS_RESET, &[target]), status);
        assert_eq!(stage.vcpu.state.cia, 0x4004);
    }
}

#[test]
fn case_15_virtual_processors_have_a_home() {
    let stage = &mut Stage::several(3);
    for flags in [0, 2, 3, 4, 1 << 63, u64::MAX] {
        assert_eq!(stage.call(H_HOME_NODE_ASSOCIATIVITY, &[flags, 0]), H_FUNCTION, "{flags:#x}");
    }
    for cpu in [3, 1 << 32, u64::MAX] {
        assert_eq!(stage.call(H_HOME_NODE_ASSOCIATIVITY, &[1, cpu]), H_P2, "{cpu:#x}");
    }
    let packed = |low: u64| 0x8000_0000_8000_0000 | low;
    let expected = [packed(0), packed(0), 0x8000_0002_ffff_ffff, u64::MAX, u64::MAX, u64::MAX];
    assert_eq!(stage.outputs(H_HOME_NODE_ASSOCIATIVITY, &[1, 2]), (H_SUCCESS, expected));
}

#[test]
fn case_20_a_prod_ends_one_wait() {
    let stage = &mut Stage::several(2);
    for call in [H_CEDE, H_CONFER] {
        let rest = if call == H_CEDE { Next::Wait } else { Next::Sleep };
        assert_eq!(stage.answer(call, &[0]), (H_SUCCESS, rest.clone()));
        assert_eq!(stage.call(H_PROD, &[0]), H_SUCCESS);
        assert_eq!(stage.call(H_PROD, &[0]), H_SUCCESS);
        assert_eq!(stage.answer(call, &[0]), (H_SUCCESS, Next::Run));
        assert_eq!(stage.requests().pending(), 0, "and nothing of it is left");
        assert_eq!(stage.answer(call, &[0]), (H_SUCCESS, rest));
    }
    assert_eq!(stage.vcpu.shared.msr() & msr::EE, msr::EE, "H_CEDE opens the guest to interrupts");
    // One that came during the wait is spent by it.
    stage.dispatched(1, Dispatch::Leaves(Rest::Waits));
    assert_eq!(stage.call(H_PROD, &[0]), H_SUCCESS);
    stage.dispatched(1, Dispatch::Enters(0));
    assert_eq!(stage.answer(H_CEDE, &[]).1, Next::Wait);
    for cpu in [2, 1 << 32, u64::MAX] {
        assert_eq!(stage.call(H_PROD, &[cpu]), H_PARAMETER);
    }
}

#[test]
fn case_23_the_last_active_one_is_told_to_continue() {
    let stage = &mut Stage::several(3);
    stage.vcpu.set_msr_ee_ri(msr::EE);
    assert_eq!(stage.call(H_JOIN, &[]), H_BAD_MODE);
    stage.vcpu.set_msr_ee_ri(0);
    assert_eq!(stage.call(H_JOIN, &[]), H_CONTINUE, "the others are stopped");
    for server in [1, 2] {
        assert_eq!(stage.turn_to(0).service(START_CPU, &[server, 0x4000, 0]).0, 0);
        stage.begins(server);
    }
    assert_eq!(stage.turn_to(2).answer(H_JOIN, &[]), (H_SUCCESS, Next::Sleep));
    assert_eq!(stage.turn_to(0).answer(H_JOIN, &[]), (H_SUCCESS, Next::Sleep));
    assert_eq!(stage.turn_to(1).answer(H_JOIN, &[]), (H_CONTINUE, Next::Run));
    assert_eq!(stage.answer(H_JOIN, &[]), (H_CONTINUE, Next::Run), "again, since it goes on being active");
    // A prod makes one of them active at once, before it runs.
    assert_eq!(stage.call(H_PROD, &[0]), H_SUCCESS);
    assert_eq!(stage.answer(H_JOIN, &[]), (H_SUCCESS, Next::Sleep));
    assert_eq!(stage.turn_to(0).requests().take(request::PROD), request::PROD);
    // Its prod, which was for joining, does not end its next sleep before that has begun.
    stage.dispatched(0, Dispatch::Leaves(Rest::Waits));
    stage.requests().post(request::PROD);
    stage.dispatched(0, Dispatch::Enters(0));
    assert_eq!(stage.answer(H_JOIN, &[]), (H_CONTINUE, Next::Run));
    // Stopping counts like joining.
    assert_eq!(stage.call(H_PROD, &[1]), H_SUCCESS);
    stage.turn_to(1).service(STOP_SELF, &[]);
    assert_eq!(stage.turn_to(0).answer(H_JOIN, &[]), (H_CONTINUE, Next::Run));
    // So does a system reset as a prod.
    assert_eq!(stage.call(H_SIGNAL_SYS_RESET, &[2]), H_SUCCESS);
    assert_eq!(stage.turn_to(2).requests().take(request::SYSTEM_RESET), request::SYSTEM_RESET);
    assert_eq!(stage.turn_to(0).answer(H_JOIN, &[]), (H_SUCCESS, Next::Sleep));
}
