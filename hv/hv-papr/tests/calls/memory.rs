//! Pages and cache-inhibited accesses.

use papr_abi::hcall::{H_CLEAR_HPT, H_LOGICAL_CI_LOAD, H_LOGICAL_CI_STORE, H_PAGE_INIT, page_init};
use papr_abi::status::{H_CONTINUE, H_PARAMETER, H_SUCCESS};

use crate::stage::{RAM, Stage};

#[test]
fn pages_are_zeroed_and_copied() {
    use page_init::{COPY_PAGE, ICACHE_INVALIDATE, ZERO_PAGE};
    let stage = &mut Stage::new();
    stage.mem.write(0x1ffe, b"..page..");
    assert_eq!(stage.call(H_PAGE_INIT, &[COPY_PAGE | ICACHE_INVALIDATE, RAM - 0x1000, 0x2000]), H_SUCCESS);
    assert_eq!(stage.bytes(RAM - 0x1000, 6), b"page..");
    assert_eq!(stage.call(H_PAGE_INIT, &[ZERO_PAGE, 0x2000, 0]), H_SUCCESS);
    assert_eq!(stage.bytes(0x1ffe, 4), b"..\0\0");
    #[rustfmt::skip]
    let refused = [
        [ZERO_PAGE, 0x2800, 0],
        [ZERO_PAGE, RAM, 0],
        [ZERO_PAGE, !0xfff, 0],
        [COPY_PAGE, 0x2000, RAM],
        [COPY_PAGE, 0x2000, 0x10],
        [COPY_PAGE | ZERO_PAGE, 0x2000, 0x3000],
        [1, 0x2000, 0],
    ];
    for arguments in refused {
        assert_eq!(stage.call(H_PAGE_INIT, &arguments), H_PARAMETER, "{arguments:x?}");
    }
}

#[test]
fn cache_inhibited_accesses_are_big_endian_and_aligned() {
    let stage = &mut Stage::new();
    assert_eq!(stage.call(H_LOGICAL_CI_STORE, &[8, 0x1000, 0x0102_0304_0506_0708]), H_SUCCESS);
    assert_eq!(stage.bytes(0x1000, 8), [1, 2, 3, 4, 5, 6, 7, 8]);
    for (size, address, value) in [(1, 0x1007, 8), (2, 0x1002, 0x304), (4, 0x1004, 0x506_0708)] {
        assert_eq!(stage.call(H_LOGICAL_CI_LOAD, &[size, address]), H_SUCCESS);
        assert_eq!(stage.r4(), value);
    }
    for (size, address) in [(0, 0), (3, 0), (16, 0), (2, 1), (8, 4), (1, RAM), (8, u64::MAX - 7)] {
        assert_eq!(stage.call(H_LOGICAL_CI_LOAD, &[size, address]), H_PARAMETER, "{size} at {address:#x}");
        assert_eq!(stage.call(H_LOGICAL_CI_STORE, &[size, address, 0]), H_PARAMETER, "{size} at {address:#x}");
    }
}

#[test]
fn the_hashed_table_is_cleared_in_slices() {
    let stage = &mut Stage::new();
    let table = stage.partition.hash().unwrap();
    let last = table.len() - 1;
    for index in [0, last] {
        table.write(index, 1, 0x190);
    }
    assert_eq!(stage.call(H_CLEAR_HPT, &[]), H_CONTINUE);
    assert_eq!(stage.partition.hash().unwrap().read(0), Some((0, 0)));
    assert_eq!(stage.partition.hash().unwrap().read(last), Some((1, 0x190)));
    assert_eq!(stage.call(H_CLEAR_HPT, &[]), H_SUCCESS);
    assert_eq!(stage.partition.hash().unwrap().read(last), Some((0, 0)));
    assert_eq!(stage.call(H_CLEAR_HPT, &[]), H_CONTINUE, "it begins anew");
}
