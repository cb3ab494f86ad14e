//! What a partition has and has used.

use hv_core::{Dispatch, Rest};
use hv_papr::connectors::{Item, Resource};
use papr_abi::hcall::H_GET_PPP;
use papr_abi::status::{H_AUTHORITY, H_FUNCTION, H_SUCCESS};

use crate::stage::{RAM, Stage};

const H_SET_PPP: u64 = 0xf0;
const H_PURR: u64 = 0xf4;
const H_PIC: u64 = 0xf8;
const H_GET_EM_PARMS: u64 = 0x2b8;
const H_SET_MPP: u64 = 0x2d0;
const H_GET_MPP: u64 = 0x2d4;
const H_BEST_ENERGY: u64 = 0x2f4;
const H_GET_MPP_X: u64 = 0x314;

#[test]
fn an_uncapped_partition_has_all_processors_of_its_pool() {
    let stage = &mut Stage::several(8);
    let (status, [entitled, unallocated, pool, weights, platform]) = stage.outputs(H_GET_PPP, &[]);
    assert_eq!((status, entitled, unallocated, pool), (H_SUCCESS, 800, 0, 0));
    assert_eq!((weights >> 48 & 1, weights >> 40 & 0xff, weights >> 16 & 0xffff, weights & 0xffff), (0, 128, 8, 8));
    assert_eq!((platform >> 48, platform >> 24 & 0xff_ffff, platform & 0xff_ffff), (8, 800, 800));
    let (status, mpp) = stage.outputs::<7>(H_GET_MPP, &[]);
    assert_eq!((status, mpp), (H_SUCCESS, [RAM, 0, 0xffff, 0, 0, 0, RAM]));
}

#[test]
fn what_connectors_bring_counts() {
    const BLOCK: u64 = 0x1000_0000;
    let stage = &mut Stage::several(2);
    stage.connectors.add(0x1000_0001, Resource::Processor(1), "CPU 1".into(), None);
    stage.connectors.add(0x8000_0001, Resource::Memory(BLOCK..2 * BLOCK), "LMB 1".into(), Some(vec![Item::End]));
    let (_, [entitled, _, _, weights, platform]) = stage.outputs(H_GET_PPP, &[]);
    assert_eq!((entitled, weights & 0xffff, platform >> 48), (100, 1, 2));
    assert_eq!(stage.outputs::<2>(H_PIC, &[]).1[1], 1);
    assert_eq!(stage.outputs::<7>(H_GET_MPP, &[]).1[0], RAM + BLOCK);
}

#[test]
fn a_pool_is_idle_while_its_processors_wait() {
    let stage = &mut Stage::several(2);
    assert_eq!(stage.outputs(H_PIC, &[]), (H_SUCCESS, [0, 2]));
    stage.vcpu.state.decrementer = u64::MAX >> 1;
    stage.dispatched(1000, Dispatch::Leaves(Rest::Waits));
    stage.dispatched(500, Dispatch::Enters(100));
    assert_eq!(stage.outputs(H_PIC, &[]), (H_SUCCESS, [400, 2]));
    assert_eq!(stage.outputs(H_PURR, &[]), (H_SUCCESS, [1500]));
}

#[test]
fn what_the_platform_decides_is_not_the_guests_to_set() {
    let stage = &mut Stage::new();
    for call in [H_SET_PPP, H_SET_MPP] {
        assert_eq!(stage.call(call, &[50, 1]), H_AUTHORITY);
    }
    for call in [H_GET_EM_PARMS, H_BEST_ENERGY, H_GET_MPP_X] {
        assert_eq!(stage.call(call, &[]), H_FUNCTION, "{call:#x}");
    }
}
