//! Process tables, and what H_RPT_INVALIDATE makes vCPUs forget.

use papr_abi::hcall::*;
use papr_abi::status::*;
use ppc_mmu::Invalidation;

use crate::stage::{RAM, Stage};

const TABLE: u64 = 0x4_0000;

#[test]
fn case_33_the_process_table_is_checked_in_order() {
    let stage = &mut Stage::new();
    #[rustfmt::skip]
    let cases = [
        ([0x3d, TABLE + 8, 1, 25],      H_PARAMETER),
        ([1 << 63 | 0x1d, TABLE, 0, 0], H_PARAMETER),
        ([0x1f, TABLE, 0, 0],           H_PARAMETER), // segment tables
        ([0x0d, TABLE, 0, 0],           H_PARAMETER), // neither new nor old
        ([0x04, TABLE, 0, 0],           H_PARAMETER), // trees that are not there
        ([0x1d, TABLE + 8, 1, 25],      H_P2),
        ([0x1d, 1 << 60, 1, 25],        H_P2),
        ([0x1d, TABLE, 1, 25],          H_P3),
        ([0x1d, TABLE, 0, 25],          H_P4),
        ([0x1d, TABLE, 0, u64::MAX],    H_P4),
        ([0x1d, RAM, 0, 0],             H_P2),
        ([0x1d, TABLE, 0, 8],           H_P2),
        ([0x18, 1 << 38, 8, 25],        H_P2),
        ([0x18, 0, 8, 25],              H_P3),
        ([0x18, 0, 7, 25],              H_P4),
    ];
    for (arguments, want) in cases {
        assert_eq!(stage.call(H_REGISTER_PROC_TBL, &arguments), want, "{arguments:x?}");
        assert!(!stage.partition.radix());
        assert_eq!(stage.forgotten(), []);
    }
    for (arguments, radix, table, own) in [
        ([0x18, 0, 0, 0], false, (0, 0), false),
        ([0, 0, 0, 0], false, (0, 0), false),
        ([0x1d, TABLE, 0, 4], true, (TABLE, 1 << 16), true),
        ([0x1c, TABLE, 0, 4], true, (TABLE, 1 << 16), false),
        ([5, 0, 0, 0], true, (TABLE, 1 << 16), true),
        ([0x19, 0, 0, 0], false, (0, 0), true),
        ([0x1c, TABLE, 0, 0], true, (TABLE, 1 << 12), false),
        ([0x10, 0, 0, 0], false, (0, 0), false),
    ] {
        assert_eq!(stage.call(H_REGISTER_PROC_TBL, &arguments), H_SUCCESS, "{arguments:x?}");
        assert_eq!((stage.partition.radix(), stage.partition.process_table()), (radix, table), "{arguments:x?}");
        assert_eq!(stage.partition.guest_invalidates(), own);
        assert_eq!(stage.forgotten(), [Invalidation::All]);
    }
}

#[test]
fn the_hashed_table_is_empty_when_it_comes_back() {
    let stage = &mut Stage::new();
    let last = stage.partition.hash().unwrap().len() - 1;
    for index in [0, last] {
        assert_eq!(stage.call(H_ENTER, &[1 << 39, index, 1, 0x1010]), H_SUCCESS);
    }
    assert_eq!(stage.call(H_RESIZE_HPT_PREPARE, &[0, 18]), H_SUCCESS);
    assert_eq!(stage.call(H_REGISTER_PROC_TBL, &[0x1d, TABLE, 0, 0]), H_SUCCESS);
    // It takes several calls, for all of which the trees stay.
    assert_eq!(stage.call(H_REGISTER_PROC_TBL, &[0x18, 0, 0, 0]), H_LONG_BUSY_ORDER_1_MSEC);
    assert!(stage.partition.radix());
    assert_eq!(stage.call(H_REGISTER_PROC_TBL, &[0x18, 0, 0, 0]), H_SUCCESS);
    for index in [0, last] {
        assert_eq!(stage.outputs(H_READ, &[0, index]), (H_SUCCESS, [0, 0]));
    }
    assert_eq!(stage.call(H_RESIZE_HPT_COMMIT, &[0, 18]), H_CLOSED);
    // Nothing was entered since.
    assert_eq!(stage.call(H_REGISTER_PROC_TBL, &[0x1d, TABLE, 0, 0]), H_SUCCESS);
    assert_eq!(stage.call(H_REGISTER_PROC_TBL, &[0x18, 0, 0, 0]), H_SUCCESS);
}

#[test]
fn what_may_be_invalidated() {
    let stage = &mut Stage::new();
    assert_eq!(stage.call(H_RPT_INVALIDATE, &[1, 1, 2, 1, 0, !0]), H_UNSUPPORTED);
    assert_eq!(stage.call(H_REGISTER_PROC_TBL, &[0x1c, TABLE, 0, 0]), H_SUCCESS);
    stage.forgotten();
    #[rustfmt::skip]
    let cases = [
        ([1 << 20, 0, 0, 0, 1, 0],   H_PARAMETER),
        ([u64::MAX, 1, 2, 1, 0, !0], H_PARAMETER),
        ([1, 0, 0, 0, 1, 0],         H_P2),
        ([1, 8, 2, 1, 0, !0],        H_P2),
        ([1, 1, 0, 0, 1, 0],         H_P3),
        ([1, 1, 1, 1, 0, !0],        H_P3), // nested guests
        ([1, 1, 0x10, 1, 0, !0],     H_P3),
        ([1, 1, 2, 0, 1, 0],         H_P4),
        ([1, 1, 2, 0x10, 0, !0],     H_P4),
        ([1, 1, 2, 1, 0x2000, 0x1fff], H_P5),
    ];
    for (arguments, want) in cases {
        assert_eq!(stage.call(H_RPT_INVALIDATE, &arguments), want, "{arguments:x?}");
        assert_eq!(stage.forgotten(), []);
    }
    let page = |address, shift| Invalidation::Page { address, shift };
    let cases = [
        ([1, 1, 2, 1, 0, !0], vec![Invalidation::Process(1)]),
        ([0, 1, 2, 1, 0, !0], vec![Invalidation::All]),
        ([0xf_ffff, 2, 2, u64::MAX, 0x1000, 0x2000], vec![Invalidation::Process(0xf_ffff)]),
        ([1, 1, 2, 1, 0x1000, 0x2000], vec![page(0x1000, 12)]),
        ([1, 2, 2, 1, 0x1fff, 0x2001], vec![page(0x1000, 12), page(0x2000, 12)]),
        ([0, 5, 2, 1, 0xc000_0000_0000_1000, 0xc000_0000_0000_2000], vec![page(0xc000_0000_0000_1000, 12)]),
        // A page of the largest size, of which the range is a part, goes as a whole.
        ([1, 1, 2, 3, 0x1_1000, 0x1_2000], vec![page(0x1_0000, 16)]),
        ([1, 1, 2, 0xf, 0x1000, 0x2000], vec![page(0, 30)]),
        ([1, 1, 2, 4, 0x20_0000, 0x60_0000], vec![page(0x20_0000, 21), page(0x40_0000, 21)]),
        ([1, 1, 2, 1, !0xfff, !0], vec![page(!0xfff, 12)]),
        ([1, 1, 2, 1, 0x1000, 0x1000], vec![Invalidation::Process(1)]),
        ([1, 1, 2, 1, 0x1000, 0x10_0000], vec![Invalidation::Process(1)]),
        // Walk caches and the process table reach further, and have no page sizes.
        ([1, 1, 6, 1, 0x1000, 0x2000], vec![Invalidation::Process(1)]),
        ([1, 1, 8, 0, 0, 0], vec![Invalidation::Process(1)]),
        ([0, 3, 4, 0x77, 0, 0], vec![Invalidation::All]),
        // Accelerators have forgotten everything.
        ([1, 4, 2, 1, 0, !0], vec![]),
    ];
    for (arguments, want) in cases {
        assert_eq!(stage.call(H_RPT_INVALIDATE, &arguments), H_SUCCESS, "{arguments:x?}");
        assert_eq!(stage.forgotten(), want, "{arguments:x?}");
    }
}

#[test]
fn what_hypervisors_do_without() {
    let stage = &mut Stage::new();
    for call in [0x374, 0x378] {
        assert_eq!(stage.call(call, &[0, 1]), H_FUNCTION);
        assert_eq!(stage.r4(), 0);
    }
}
