//! Entries of DMA windows.

use guest_mem::Order;
use papr_abi::hcall::{H_GET_TCE, H_PUT_TCE, H_PUT_TCE_INDIRECT, H_STUFF_TCE};
use papr_abi::status::{H_PARAMETER, H_SUCCESS};

use crate::stage::{LIOBN, PAGES, RAM, Stage};

const END: u64 = (PAGES as u64) << 12;
const LIST: u64 = 0x3000;

fn entry(stage: &mut Stage, ioba: u64) -> u64 {
    assert_eq!(stage.call(H_GET_TCE, &[LIOBN, ioba]), H_SUCCESS);
    stage.r4()
}

#[test]
fn case_56_lists_are_checked() {
    let stage = &mut Stage::new();
    for n in 0..512 {
        stage.mem.store(LIST + 8 * n, Order::Big, 0x10_0003 + (n << 12));
    }
    #[rustfmt::skip]
    let refused = [
        [LIOBN,     0,            LIST,     513],
        [LIOBN,     0,            LIST,     u64::MAX],
        [LIOBN,     0,            LIST + 8, 1],
        [LIOBN,     0,            RAM,      1],
        [LIOBN,     0,            1 << 63,  1],
        [LIOBN,     1,            LIST,     1],
        [LIOBN,     END,          LIST,     1],
        [LIOBN,     END - 0x1000, LIST,     2],
        [LIOBN,     !0xfff,       LIST,     2],
        [LIOBN + 1, 0,            LIST,     1],
        [LIOBN | 1 << 32, 0,      LIST,     1],
    ];
    for arguments in refused {
        assert_eq!(stage.call(H_PUT_TCE_INDIRECT, &arguments), H_PARAMETER, "{arguments:x?}");
    }
    assert_eq!(entry(stage, END - 0x1000), 0, "a refused list changes nothing");
    assert_eq!(stage.call(H_PUT_TCE_INDIRECT, &[LIOBN, END - 0x20_0000, LIST, 512]), H_SUCCESS);
    assert_eq!(entry(stage, END - 0x20_0000), 0x10_0003);
    assert_eq!(entry(stage, END - 0x1000), 0x10_0003 + (511 << 12));
    assert_eq!(stage.call(H_PUT_TCE_INDIRECT, &[LIOBN, 0, LIST, 0]), H_SUCCESS);
}

#[test]
fn case_57_entries_return_as_they_were_put() {
    let stage = &mut Stage::new();
    assert_eq!(stage.call(H_PUT_TCE, &[LIOBN, 0x5000, 0xabc_d003]), H_SUCCESS);
    assert_eq!(entry(stage, 0x5000), 0xabc_d003);
    assert_eq!(entry(stage, 0x4000), 0);
    for ioba in [END, 0x5008, u64::MAX, !0xfff] {
        assert_eq!(stage.call(H_PUT_TCE, &[LIOBN, ioba, 3]), H_PARAMETER);
        assert_eq!(stage.call(H_GET_TCE, &[LIOBN, ioba]), H_PARAMETER);
    }
    let pages = PAGES as u64;
    for (ioba, count) in [(0, pages + 1), (0x1000, pages), (END - 0x1000, 2), (0, u64::MAX), (!0xfff, 1), (0x10, 1)] {
        assert_eq!(stage.call(H_STUFF_TCE, &[LIOBN, ioba, 0, count]), H_PARAMETER, "{ioba:#x}, {count}");
    }
    assert_eq!(entry(stage, 0x5000), 0xabc_d003, "a refused call changes nothing");
    assert_eq!(stage.call(H_STUFF_TCE, &[LIOBN, 0, 0x7003, pages]), H_SUCCESS);
    assert_eq!([entry(stage, 0), entry(stage, END - 0x1000)], [0x7003; 2]);
}
