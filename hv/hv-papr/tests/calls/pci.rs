//! Configuration space and message interrupts.

use papr_abi::hcall::{H_PUT_TCE, H_STUFF_TCE};
use papr_abi::rtas::{
    CHANGE_MSI, CHANGE_MSI_SHORT, CONFIGURE_PE, CREATE_PE_DMA_WINDOW, GET_CONFIG_ADDR_INFO2, HARDWARE, PARAMETER,
    QUERY_INTERRUPT_SOURCE_NUMBER, QUERY_PE_DMA_WINDOW, QUERY_PE_DMA_WINDOW_LONG, READ_PCI_CONFIG,
    READ_SLOT_RESET_STATE2, REMOVE_PE_DMA_WINDOW, RESET_PE_DMA_WINDOW, SET_EEH_OPTION, SET_SLOT_RESET,
    SLOT_ERROR_DETAIL, SUCCESS, WRITE_PCI_CONFIG,
};
use papr_abi::status::{H_PARAMETER, H_SUCCESS};

use crate::stage::{BRIDGE, LIOBN, MESSAGE, SECOND, Stage};

const HIGH: u32 = (BRIDGE >> 32) as u32;
const LOW: u32 = BRIDGE as u32;
/// Register 0x10 of function 3 on bus 2.
const BAR: u32 = 0x02_0310;

fn read(stage: &mut Stage, inputs: [u32; 4]) -> (i32, u32) {
    let (status, outputs, _) = stage.service(READ_PCI_CONFIG, &inputs);
    (status, outputs[0])
}

#[test]
fn case_40_an_absent_function_reads_as_all_ones() {
    let stage = &mut Stage::new();
    for (width, ones) in [(1, 0xff), (2, 0xffff), (4, u32::MAX)] {
        assert_eq!(read(stage, [0, HIGH, LOW, width]), (SUCCESS, ones));
    }
    assert_eq!(stage.service(WRITE_PCI_CONFIG, &[0, HIGH, LOW, 4, 7]).0, SUCCESS);
    for inputs in [[0, HIGH, LOW, 3], [0, HIGH, LOW, 0], [0, HIGH, LOW, 8], [2, HIGH, LOW, 4], [0, 0, LOW, 4]] {
        assert_eq!(read(stage, inputs).0, PARAMETER, "{inputs:x?}");
    }
}

#[test]
fn case_41_a_base_address_register_sizes_back() {
    let stage = &mut Stage::new();
    assert_eq!(stage.service(WRITE_PCI_CONFIG, &[BAR, HIGH, LOW, 4, u32::MAX]).0, SUCCESS);
    assert_eq!(read(stage, [BAR, HIGH, LOW, 4]), (SUCCESS, 0xffff_f000));
    assert_eq!(read(stage, [0x1002_0304, HIGH, LOW, 4]), (SUCCESS, 0xe0e0), "extended register 0x104");
}

fn change(stage: &mut Stage, address: u32, what: u32, count: u32) -> (i32, Vec<u32>) {
    let (status, outputs, _) = stage.service(CHANGE_MSI, &[address, HIGH, LOW, what, count, 7]);
    (status, outputs)
}

fn source(stage: &mut Stage, address: u32, index: u32) -> (i32, Vec<u32>) {
    let (status, outputs, _) = stage.service(QUERY_INTERRUPT_SOURCE_NUMBER, &[address, HIGH, LOW, index]);
    (status, outputs)
}

#[test]
fn case_42_messages_have_consecutive_sources() {
    let stage = &mut Stage::new();
    assert_eq!(change(stage, BAR, 4, 4), (SUCCESS, vec![4, 8, 2]));
    let sources: Vec<_> = (0..4).map(|index| source(stage, BAR, index)).collect();
    assert_eq!(sources, (0..4).map(|n| (SUCCESS, vec![MESSAGE + n, 1])).collect::<Vec<_>>());
    assert_eq!((source(stage, BAR, 4).0, source(stage, BAR, u32::MAX).0), (PARAMETER, PARAMETER));
    assert_eq!(change(stage, BAR, 0, 0), (SUCCESS, vec![4, 8, 2]), "how many there are");
    // The kind that is liked, explicit kinds, those with short addresses; fewer than were asked for.
    for (what, count, want) in [(1, 9, [4, 8, 1]), (3, 9, [4, 8, 1]), (5, 2, [2, 8, 1]), (6, 1, [1, 8, 2])] {
        assert_eq!(change(stage, BAR, what, count), (SUCCESS, want.to_vec()), "{what}");
    }
    assert_eq!(change(stage, BAR, 4, 9).0, HARDWARE, "sources are used up");
    assert_eq!(source(stage, BAR, 0).0, HARDWARE);
    for what in [1, 2, 3, 4] {
        assert_eq!(change(stage, BAR, 4, 2).0, SUCCESS);
        assert_eq!(change(stage, BAR, what, 0).1[0], 0);
        assert_eq!(source(stage, BAR, 0).0, HARDWARE, "{what} gives them back");
    }
    let (status, outputs, _) = stage.service(CHANGE_MSI_SHORT, &[BAR, HIGH, LOW, 1, 2, u32::MAX]);
    assert_eq!((status, outputs), (SUCCESS, vec![2, 0]));
    for (address, what, count) in [(BAR, 7, 1), (BAR, u32::MAX, 1), (0, 4, 1), (BAR + 0x100, 1, 0)] {
        assert_eq!(change(stage, address, what, count).0, PARAMETER, "{address:#x} {what}");
    }
    assert_eq!(stage.service(CHANGE_MSI, &[BAR, HIGH, LOW + 1, 4, 1, 1]).0, PARAMETER);
}

#[test]
fn case_43_no_source_without_messages() {
    let stage = &mut Stage::new();
    assert_eq!(source(stage, BAR, 0).0, HARDWARE);
    assert_eq!(stage.service(QUERY_INTERRUPT_SOURCE_NUMBER, &[BAR, 0, LOW, 0]).0, PARAMETER);
}

#[test]
fn windows_are_asked_for_added_and_removed() {
    let stage = &mut Stage::new();
    let bridge = [0, HIGH, LOW];
    let create = |stage: &mut Stage, page, window| stage.service(CREATE_PE_DMA_WINDOW, &[0, HIGH, LOW, page, window]);
    let (_, outputs, _) = stage.service(QUERY_PE_DMA_WINDOW_LONG, &bridge);
    assert_eq!(outputs, [1, 1, 4, 7, 0]);
    assert_eq!(stage.service(QUERY_PE_DMA_WINDOW, &bridge).1, [1, u32::MAX, 7, 0], "as many as there is room to say");
    for (page, window) in [(13, 30), (12, 11), (12, 45), (24, u32::MAX), (0, 0), (u32::MAX, u32::MAX), (12, 12 + 64)] {
        assert_eq!(create(stage, page, window).0, PARAMETER, "{page} {window}");
    }
    let (status, outputs, _) = create(stage, 16, 20);
    assert_eq!((status, outputs), (SUCCESS, vec![LIOBN as u32 + 1, (SECOND >> 32) as u32, SECOND as u32]));
    assert_eq!(create(stage, 16, 20).0, HARDWARE, "no more");
    assert_eq!(stage.service(QUERY_PE_DMA_WINDOW, &bridge).1[0], 0);
    // Its entries are by bus address, in pages of its own.
    let put = |stage: &mut Stage, ioba, tce| stage.call(H_PUT_TCE, &[LIOBN + 1, ioba, tce]);
    assert_eq!(put(stage, SECOND + 0xf_0000, 3), H_SUCCESS);
    for ioba in [0, SECOND - 0x1_0000, SECOND + 0x1000, SECOND + 0x10_0000] {
        assert_eq!(put(stage, ioba, 3), H_PARAMETER, "{ioba:#x}");
    }
    assert_eq!(stage.call(H_STUFF_TCE, &[LIOBN + 1, SECOND, 0, 16]), H_SUCCESS);
    assert_eq!(stage.call(H_STUFF_TCE, &[LIOBN + 1, SECOND, 0, (1 << 18) + 1]), H_PARAMETER);
    let remove = |stage: &mut Stage, liobn: u64| stage.service(REMOVE_PE_DMA_WINDOW, &[liobn as u32]).0;
    let removed = [LIOBN, LIOBN, LIOBN + 2, 0].map(|liobn| remove(stage, liobn));
    assert_eq!(removed, [SUCCESS, PARAMETER, PARAMETER, PARAMETER]);
    assert_eq!(stage.call(H_PUT_TCE, &[LIOBN, 0, 3]), H_PARAMETER);
    assert_eq!(stage.service(RESET_PE_DMA_WINDOW, &[0, HIGH, LOW + 1]).0, PARAMETER);
    assert_eq!(stage.service(RESET_PE_DMA_WINDOW, &bridge).0, SUCCESS);
    assert_eq!((stage.call(H_PUT_TCE, &[LIOBN, 0, 3]), put(stage, SECOND, 3)), (H_SUCCESS, H_PARAMETER));
}

#[test]
fn error_handling_of_slots_is_not_offered() {
    let stage = &mut Stage::new();
    let calls = [
        SET_EEH_OPTION,
        GET_CONFIG_ADDR_INFO2,
        READ_SLOT_RESET_STATE2,
        SET_SLOT_RESET,
        CONFIGURE_PE,
        SLOT_ERROR_DETAIL,
    ];
    for call in calls {
        let inputs = [&[BAR, HIGH, LOW][..], &[0; 5]].concat();
        assert_eq!(stage.service(call, &inputs[..call.inputs as usize]).0, PARAMETER, "{}", call.name);
    }
}
