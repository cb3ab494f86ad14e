//! Configuration space and message interrupts.

use papr_abi::rtas::{
    CHANGE_MSI, CHANGE_MSI_SHORT, HARDWARE, PARAMETER, QUERY_INTERRUPT_SOURCE_NUMBER, READ_PCI_CONFIG, SUCCESS,
    WRITE_PCI_CONFIG,
};

use crate::stage::{BRIDGE, Stage};

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

#[test]
fn case_43_no_source_without_messages() {
    let stage = &mut Stage::new();
    assert_eq!(stage.service(QUERY_INTERRUPT_SOURCE_NUMBER, &[BAR, HIGH, LOW, 0]).0, HARDWARE);
    assert_eq!(stage.service(CHANGE_MSI, &[BAR, HIGH, LOW, 3, 4, 1]).0, PARAMETER);
    assert_eq!(stage.service(CHANGE_MSI_SHORT, &[BAR, HIGH, LOW, 0, 4, 1]).0, PARAMETER);
}
