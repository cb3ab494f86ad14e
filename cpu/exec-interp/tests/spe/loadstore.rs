//! Loads and stores.

use exec::Interrupt;
use guest_mem::Order;

use super::{DATA, Machine};

#[test]
fn loads_place_and_extend() {
    for (name, displacement, expected) in [
        ("evldd", 8, 0x8081_8283_8485_8687),
        ("evldw", 8, 0x8081_8283_8485_8687),
        ("evldh", 8, 0x8081_8283_8485_8687),
        ("evlhhesplat", 2, 0x0203_0000_0203_0000),
        ("evlhhousplat", 8, 0x0000_8081_0000_8081),
        ("evlhhossplat", 8, 0xffff_8081_ffff_8081),
        ("evlwhe", 8, 0x8081_0000_8283_0000),
        ("evlwhou", 8, 0x0000_8081_0000_8283),
        ("evlwhos", 8, 0xffff_8081_ffff_8283),
        ("evlwwsplat", 4, 0x0405_0607_0405_0607),
        ("evlwhsplat", 4, 0x0405_0405_0607_0607),
    ] {
        let mut m = Machine::new();
        m.mem.store(DATA, Order::Big, 0x0001_0203_0405_0607u64);
        m.mem.store(DATA + 8, Order::Big, 0x8081_8283_8485_8687u64);
        m.set(3, DATA);
        m.set(4, displacement as u64);
        m.run(name, &[5, displacement, 3]).unwrap();
        assert_eq!(m.get(5), expected, "{name}");
        m.run(&format!("{name}x"), &[6, 3, 4]).unwrap();
        assert_eq!(m.get(6), expected, "{name}x");
        m.set(4, DATA + displacement as u64);
        m.run(&format!("{name}x"), &[7, 0, 4]).unwrap();
        assert_eq!(m.get(7), expected, "{name}x");
    }
}

#[test]
fn stores_take_the_parts_they_name() {
    for (name, expected) in [
        ("evstdd", 0x8081_8283_8485_8687u64),
        ("evstdw", 0x8081_8283_8485_8687),
        ("evstdh", 0x8081_8283_8485_8687),
        ("evstwhe", 0x8081_8485_eeee_eeee),
        ("evstwho", 0x8283_8687_eeee_eeee),
        ("evstwwe", 0x8081_8283_eeee_eeee),
        ("evstwwo", 0x8485_8687_eeee_eeee),
    ] {
        let mut m = Machine::new();
        m.set(3, DATA);
        m.set(4, 8);
        m.set(5, 0x8081_8283_8485_8687);
        for (at, indexed) in [(DATA + 16, false), (DATA + 8, true)] {
            m.mem.store(at, Order::Big, 0xeeee_eeee_eeee_eeeeu64);
            if indexed {
                m.run(&format!("{name}x"), &[5, 3, 4]).unwrap();
            } else {
                m.run(name, &[5, 16, 3]).unwrap();
            }
            assert_eq!(m.mem.load(at, Order::Big), Some(expected), "{name} {indexed}");
        }
    }
}

#[test]
fn addresses_must_be_multiples() {
    for (name, bytes) in [("evldd", 8), ("evldw", 8), ("evldh", 8), ("evlwhe", 4), ("evlhhesplat", 2), ("evstdh", 8)] {
        let mut m = Machine::new();
        m.set(3, DATA + bytes / 2);
        m.set(5, 1);
        let dar = DATA + bytes / 2 + bytes;
        assert!(
            matches!(m.run(name, &[5, bytes as i64, 3]), Err(Interrupt::Alignment { dar: at, .. }) if at == dar),
            "{name}"
        );
        assert_eq!(m.get(5), 1, "{name}");
    }
}
