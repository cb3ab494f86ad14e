//! Return codes in r3, as signed numbers. `H_P2` blames the second argument (r5), and so on.

macro_rules! codes {
    ($($name:ident = $value:literal;)*) => {
        $(#[doc = concat!("`", stringify!($name), "`.")] pub const $name: i64 = $value;)*
        /// Code and name.
        pub const CODES: &[(i64, &str)] = &[$(($value, stringify!($name))),*];
    };
}

codes! {
    H_SUCCESS = 0;
    H_BUSY = 1;
    H_CLOSED = 2;
    H_NOT_AVAILABLE = 3;
    H_PARTIAL = 5;
    H_PAGE_REGISTERED = 15;
    H_CONTINUE = 18;
    H_LONG_BUSY_ORDER_1_MSEC = 9900;
    H_LONG_BUSY_ORDER_10_MSEC = 9901;
    H_LONG_BUSY_ORDER_100_MSEC = 9902;
    H_LONG_BUSY_ORDER_1_SEC = 9903;
    H_HARDWARE = -1;
    H_FUNCTION = -2;
    H_PRIVILEGE = -3;
    H_PARAMETER = -4;
    H_BAD_MODE = -5;
    H_PTEG_FULL = -6;
    H_NOT_FOUND = -7;
    H_RESERVED_DABR = -8;
    H_NO_MEM = -9;
    H_AUTHORITY = -10;
    H_PERMISSION = -11;
    H_RESOURCE = -16;
    H_P2 = -55;
    H_P3 = -56;
    H_P4 = -57;
    H_P5 = -58;
    H_P6 = -59;
    H_NOOP = -63;
    H_TOO_BIG = -64;
    H_UNSUPPORTED = -67;
    H_OVERLAP = -68;
    H_IN_USE = -77;
}

/// H_UNSUPPORTED_FLAG for the flag at IBM bit number `bit`.
pub const fn unsupported_flag(bit: u32) -> i64 {
    -256 - bit as i64
}
