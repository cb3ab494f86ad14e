//! Fetching from and storing to non-volatile memory.

use papr_abi::rtas::{NVRAM_FETCH, NVRAM_STORE, PARAMETER, SUCCESS};

use crate::stage::{RAM, Stage};

const SIZE: u32 = 0x1_0000;

#[test]
fn what_is_stored_is_fetched() {
    let stage = &mut Stage::new();
    stage.mem.write(0x1000, b"kept");
    assert_eq!(stage.service(NVRAM_STORE, &[SIZE - 4, 0x1000, 4]).1, [4]);
    assert_eq!(stage.service(NVRAM_FETCH, &[SIZE - 4, 0x2001, 4]).1, [4]);
    assert_eq!(stage.bytes(0x2000, 6), b"\0kept\0");
    assert_eq!(stage.service(NVRAM_FETCH, &[0, 0x1_0000, SIZE]).0, SUCCESS);
}

#[test]
fn offset_buffer_and_length_are_checked() {
    let stage = &mut Stage::new();
    let end = RAM as u32;
    let refused = [
        [SIZE - 3, 0, 4],
        [SIZE, 0, 1],
        [u32::MAX, 0, 2],
        [0, 0, SIZE + 1],
        [0, 0, u32::MAX],
        [0, end - 3, 4],
        [0, end, 1],
    ];
    for inputs in refused {
        for form in [NVRAM_FETCH, NVRAM_STORE] {
            let (status, moved, _) = stage.service(form, &inputs);
            assert_eq!((status, moved), (PARAMETER, vec![0]), "{} {inputs:x?}", form.name);
        }
    }
}
