//! Processors: stopping and starting, and what is set in them.

use hv_core::Next;
use papr_abi::hcall::{H_SET_DABR, H_SET_SPRG0, H_SET_XDABR, H_SIGNAL_SYS_RESET};
use papr_abi::rtas::{HARDWARE, PARAMETER, QUERY_CPU_STOPPED_STATE, START_CPU, STOP_SELF};
use papr_abi::status::{H_HARDWARE, H_PARAMETER, H_RESERVED_DABR, H_SUCCESS};

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
