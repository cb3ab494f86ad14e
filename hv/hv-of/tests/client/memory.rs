//! Claims, by the services and by the methods of memory.

use hv_of::claims::Claims;

use crate::stage::{FAILED, RAM, Stage};

#[test]
fn memory_is_claimed_once() {
    let mut stage = Stage::new();
    let available = |stage: &mut Stage| {
        let cells = stage.property("/memory", "available").unwrap();
        cells.as_chunks::<8>().0.iter().map(|cell| u64::from_be_bytes(*cell)).collect::<Vec<u64>>()
    };
    assert_eq!(available(&mut stage), [0x4000, RAM - 0x4000]);
    assert_eq!(stage.one("claim", &[0x1_0000, 0x1000, 0]), 0x1_0000);
    assert_eq!(available(&mut stage), [0x4000, 0xc000, 0x1_1000, RAM - 0x1_1000]);
    for taken in [[0x1_0000, 1, 0], [0x1_0fff, 0x10, 0], [0xf000, 0x1001, 0], [0, 0x10, 0], [0x3fff, 2, 0]] {
        assert_eq!(stage.one("claim", &taken), FAILED, "{taken:x?}");
    }
    for absurd in [[0x8000, 0, 0], [RAM as u32 - 1, 2, 0], [u32::MAX, 1, 0], [0x8000, u32::MAX, 0], [0, u32::MAX, 1]] {
        assert_eq!(stage.one("claim", &absurd), FAILED, "{absurd:x?}");
    }
    stage.status("release", &[0x1_0800, 0x100], 0);
    assert_eq!(stage.one("claim", &[0x1_0800, 0x101, 0]), FAILED);
    assert_eq!(stage.one("claim", &[0x1_0800, 0x100, 0]), 0x1_0800);
    stage.status("release", &[u32::MAX, u32::MAX], 0);
    assert_eq!(stage.one("claim", &[0, 0x2000, 0x2000]), 0x4000, "anywhere");
    assert_eq!(stage.one("claim", &[0, 0x2000, 0x3000]), 0x8000, "aligned to a power of two");
    assert_eq!(stage.one("claim", &[0, 0x10, u32::MAX]), FAILED);
}

#[test]
fn memorys_methods_are_the_same() {
    let mut stage = Stage::new();
    let memory = stage.property("/chosen", "memory").unwrap();
    let memory = u32::from_be_bytes(memory.try_into().unwrap());
    assert_eq!(stage.method(memory, "claim", &[0, 0x1000, 0x1_0000], 1), [0, 0x1_0000]);
    assert_ne!(stage.method(memory, "claim", &[0, 0x1000, 0x1_0000], 1)[0], 0);
    assert_ne!(stage.method(memory, "claim", &[0, 0x1000], 1)[0], 0, "no address");
    assert_eq!(stage.method(memory, "claim", &[0x1_0000, 0x1000], 1), [0, 0x2_0000]);
    assert_eq!(stage.method(memory, "release", &[0x1000, 0x1_0000], 0), [0]);
    assert_eq!(stage.method(memory, "map", &[0x12, 0x1000, 0x1_0000, 0x1_0000], 0), [0]);
    assert_ne!(stage.method(memory, "map", &[0x12, 0x1000, 0x1_0000, 0], 0)[0], 0);
    assert_eq!(stage.method(memory, "translate", &[0x1_2345], 3), [0, u32::MAX, 0x10, 0x1_2345]);
    assert_eq!(stage.method(memory, "translate", &[RAM as u32], 3), [0, 0, 0, 0]);
    assert_ne!(stage.method(memory, "no-such-method", &[], 1)[0], 0);
    assert_ne!(stage.method(77, "claim", &[0, 0x1000, 0x4000], 1)[0], 0);
}

#[test]
fn claims_have_a_bound() {
    let mut claims = Claims::new(RAM);
    let taken = (0..RAM / 16).filter(|n| claims.take(32 * n, 16)).count();
    assert_eq!(taken, hv_of::claims::MOST);
    assert_eq!(claims.free().count(), hv_of::claims::MOST);
    // A hole would be one more range.
    claims.release(4, 4);
    assert!(!claims.take(4, 4));
}
