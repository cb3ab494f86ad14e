//! The tables as a whole, and values that must not change.

use papr_abi::hcall::{CALLS, Family, Hypercall, find, name};
use papr_abi::status::{CODES, H_FUNCTION, H_SUCCESS, H_UNSUPPORTED, class};
use papr_abi::{hcall, rtas, status};

fn call(number: u64) -> &'static Hypercall {
    find(number).unwrap_or_else(|| panic!("{number:#x}"))
}

/// Spec papr 2, and Linux' arch/powerpc/include/asm/hvcall.h.
#[test]
fn numbers() {
    let known = [
        ("H_ENTER", hcall::H_ENTER, 0x8),
        ("H_PUT_TCE", hcall::H_PUT_TCE, 0x20),
        ("H_PUT_TERM_CHAR", hcall::H_PUT_TERM_CHAR, 0x58),
        ("H_CEDE", hcall::H_CEDE, 0xe0),
        ("H_SEND_LOGICAL_LAN", hcall::H_SEND_LOGICAL_LAN, 0x120),
        ("H_BULK_REMOVE", hcall::H_BULK_REMOVE, 0x124),
        ("H_GET_CPU_CHARACTERISTICS", hcall::H_GET_CPU_CHARACTERISTICS, 0x1c8),
        ("H_DISABLE_AND_GET_HEA", hcall::H_DISABLE_AND_GET_HEA, 0x270),
        ("H_VASI_STATE", hcall::H_VASI_STATE, 0x2a4),
        ("H_HOME_NODE_ASSOCIATIVITY", hcall::H_HOME_NODE_ASSOCIATIVITY, 0x2ec),
        ("H_SET_MODE", hcall::H_SET_MODE, 0x31c),
        ("H_RESIZE_HPT_COMMIT", hcall::H_RESIZE_HPT_COMMIT, 0x370),
        ("H_REGISTER_PROC_TBL", hcall::H_REGISTER_PROC_TBL, 0x37c),
        ("H_QUERY_NX_CAPABILITIES", hcall::H_QUERY_NX_CAPABILITIES, 0x39c),
        ("H_INT_RESET", hcall::H_INT_RESET, 0x3d0),
        ("H_PKS_CONFIRM_OBJECT_FLUSHED", hcall::H_PKS_CONFIRM_OBJECT_FLUSHED, 0x43c),
        ("H_RPT_INVALIDATE", hcall::H_RPT_INVALIDATE, 0x448),
        ("H_WATCHDOG", hcall::H_WATCHDOG, 0x45c),
        ("H_GUEST_DELETE", hcall::H_GUEST_DELETE, 0x488),
        ("H_SVM_INIT_ABORT", hcall::H_SVM_INIT_ABORT, 0xef14),
        ("H_RTAS", hcall::H_RTAS, 0xf000),
        ("H_VOF_CLIENT", hcall::H_VOF_CLIENT, 0xf005),
        ("H_GET_PERF_COUNTER_INFO", hcall::H_GET_PERF_COUNTER_INFO, 0xf080),
        ("H_COPY_TOFROM_GUEST", hcall::H_COPY_TOFROM_GUEST, 0xf80c),
    ];
    for (text, constant, number) in known {
        assert_eq!((constant, name(number)), (number, Some(text)));
    }
}

/// Documentation/powerpc/papr_hcalls.rst has these and no others.
#[test]
fn documented_calls_are_there() {
    let documented = [
        (0x3e4, "H_SCM_READ_METADATA"),
        (0x3e8, "H_SCM_WRITE_METADATA"),
        (0x3ec, "H_SCM_BIND_MEM"),
        (0x3f0, "H_SCM_UNBIND_MEM"),
        (0x3f4, "H_SCM_QUERY_BLOCK_MEM_BINDING"),
        (0x3f8, "H_SCM_QUERY_LOGICAL_MEM_BINDING"),
        (0x3fc, "H_SCM_UNBIND_ALL"),
        (0x400, "H_SCM_HEALTH"),
        (0x418, "H_SCM_PERFORMANCE_STATS"),
        (0x44c, "H_SCM_FLUSH"),
    ];
    for (number, text) in documented {
        assert_eq!((call(number).name, call(number).family), (text, Family::Scm));
    }
    assert_eq!(CALLS.iter().filter(|call| call.family == Family::Scm).count(), documented.len());
}

/// Ranges in which Linux' list leaves no number out, up to 6.1's last one.
#[test]
fn sets_are_complete() {
    let sets = [
        0x04..=0x7c,
        0xdc..=0x108,
        0x110..=0x124,
        0x130..=0x13c,
        0x14c..=0x1c0,
        0x250..=0x278,
        0x2dc..=0x2ec,
        0x36c..=0x380,
        0x388..=0x3a0,
        0x3a8..=0x3d0,
        0x3e4..=0x400,
        0x418..=0x43c,
        0x448..=0x464,
        0x470..=0x488,
        0xef00..=0xef0c,
        0xf078..=0xf080,
        0xf800..=0xf80c,
    ];
    for number in sets.into_iter().flat_map(|set| set.step_by(4)) {
        assert_ne!(name(number), None, "{number:#x}");
    }
}

#[test]
fn every_row_is_found_by_its_number() {
    for row in &CALLS {
        assert_eq!(find(row.number), Some(row));
        // Only what QEMU made for its firmware stands between.
        assert!(row.number % 4 == 0 || (0xf000..=0xf005).contains(&row.number), "{}", row.name);
        assert_eq!(CALLS.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
    }
    for number in [0, 3, 0x5, 0x7fc, 0x80, 0xeefc, 0xef10, 0xf004, 0xf810, 1 << 32 | 8, 1 << 63 | 0xe0, u64::MAX] {
        assert_eq!(find(number), None, "{number:#x}");
    }
}

#[test]
fn rows_fit_the_registers() {
    for row in &CALLS {
        assert!(row.arguments.len() <= 9 && row.outputs.len() <= 9, "{}", row.name);
        assert!(row.name.starts_with("H_") && !row.purpose.is_empty() && !row.purpose.ends_with('.'), "{}", row.name);
        for code in row.codes {
            assert!(status::name_of(*code).is_some() && class(*code) == *code, "{} {code}", row.name);
            assert!(*code != H_SUCCESS && *code != H_FUNCTION, "{}", row.name);
            assert_eq!(row.codes.iter().filter(|other| *other == code).count(), 1, "{} {code}", row.name);
        }
        assert!(row.returns(H_SUCCESS) && row.returns(row.absent) && !row.returns(-1000), "{}", row.name);
        let absent = if row.family == Family::Secure { H_UNSUPPORTED } else { H_FUNCTION };
        assert_eq!(row.absent, absent, "{}", row.name);
    }
}

#[test]
fn rows_stand_by_family() {
    let families: Vec<Family> = CALLS.iter().map(|row| row.family).collect();
    let mut in_order = families.clone();
    in_order.dedup();
    assert_eq!(in_order, Family::ALL);
}

#[test]
fn codes() {
    for (code, text) in CODES {
        assert_eq!(CODES.iter().filter(|other| other.0 == *code || other.1 == *text).count(), 1, "{text}");
    }
    assert_eq!((class(9905), class(9900), class(9906), class(-256), class(-319)), (9900, 9900, 9906, -256, -256));
    assert_eq!((class(-511), class(-512), class(-4)), (-256, -512, -4));
    assert_eq!(
        (status::name_of(-77), status::name_of(-9005), status::name_of(-26)),
        (Some("H_IN_USE"), Some("H_MULTI_THREADS_ACTIVE"), None)
    );
    let mode = call(hcall::H_SET_MODE);
    assert!(mode.returns(status::unsupported_flag(63)) && !mode.returns(status::H_CLOSED));
}

/// QEMU's tokens from 0x2000 on: none is missing, and each has one name.
#[test]
fn tokens() {
    for token in 0x2000..=0x202c {
        let names: Vec<_> = rtas::CALLS.iter().filter(|call| call.token == token).map(|call| call.name).collect();
        assert!(!names.is_empty() && names.iter().all(|name| *name == names[0]), "{token:#x}: {names:?}");
    }
    for (n, form) in rtas::CALLS.iter().enumerate() {
        assert!(form.inputs + form.outputs <= rtas::MAX_CELLS, "{}", form.name);
        assert!(!rtas::CALLS[..n].contains(form), "{}", form.name);
    }
    let forms = [
        (rtas::SET_INDICATOR, 0x201a, 3, 1),
        (rtas::GET_SENSOR_STATE, 0x201d, 2, 2),
        (rtas::CONFIGURE_CONNECTOR, 0x201e, 2, 1),
        (rtas::SLOT_ERROR_DETAIL, 0x2025, 8, 1),
        (rtas::CREATE_PE_DMA_WINDOW, 0x2027, 5, 4),
        (rtas::NMI_REGISTER, 0x202b, 2, 1),
    ];
    for (form, token, inputs, outputs) in forms {
        assert_eq!((form.token, form.inputs, form.outputs), (token, inputs, outputs), "{}", form.name);
    }
}
