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
    H_CONSTRAINED = 4;
    H_PARTIAL = 5;
    H_IN_PROGRESS = 14;
    H_PAGE_REGISTERED = 15;
    H_PARTIAL_STORE = 16;
    H_PENDING = 17;
    H_CONTINUE = 18;
    H_LONG_BUSY_ORDER_1_MSEC = 9900;
    H_LONG_BUSY_ORDER_10_MSEC = 9901;
    H_LONG_BUSY_ORDER_100_MSEC = 9902;
    H_LONG_BUSY_ORDER_1_SEC = 9903;
    H_LONG_BUSY_ORDER_10_SEC = 9904;
    H_LONG_BUSY_ORDER_100_SEC = 9905;
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
    H_DROPPED = -12;
    H_SOURCE_PARM = -13;
    H_DEST_PARM = -14;
    H_REMOTE_PARM = -15;
    H_RESOURCE = -16;
    H_ADAPTER_PARM = -17;
    H_RH_PARM = -18;
    H_RCQ_PARM = -19;
    H_SCQ_PARM = -20;
    H_EQ_PARM = -21;
    H_RT_PARM = -22;
    H_ST_PARM = -23;
    H_SIGT_PARM = -24;
    H_TOKEN_PARM = -25;
    H_MLENGTH_PARM = -27;
    H_MEM_PARM = -28;
    H_MEM_ACCESS_PARM = -29;
    H_ATTR_PARM = -30;
    H_PORT_PARM = -31;
    H_MCG_PARM = -32;
    H_VL_PARM = -33;
    H_TSIZE_PARM = -34;
    H_TRACE_PARM = -35;
    H_MASK_PARM = -37;
    H_MCG_FULL = -38;
    H_ALIAS_EXIST = -39;
    H_P_COUNTER = -40;
    H_TABLE_FULL = -41;
    H_ALT_TABLE = -42;
    H_MR_CONDITION = -43;
    H_NOT_ENOUGH_RESOURCES = -44;
    H_R_STATE = -45;
    H_RESCINDED = -46;
    H_ABORTED = -54;
    H_P2 = -55;
    H_P3 = -56;
    H_P4 = -57;
    H_P5 = -58;
    H_P6 = -59;
    H_P7 = -60;
    H_P8 = -61;
    H_P9 = -62;
    H_NOOP = -63;
    H_TOO_BIG = -64;
    H_UNSUPPORTED = -67;
    H_OVERLAP = -68;
    H_INTERRUPT = -69;
    H_BAD_DATA = -70;
    H_NOT_ACTIVE = -71;
    H_SG_LIST = -72;
    H_OP_MODE = -73;
    H_COP_HW = -74;
    H_STATE = -75;
    H_IN_USE = -77;
    H_INVALID_ELEMENT_ID = -79;
    H_INVALID_ELEMENT_SIZE = -80;
    H_INVALID_ELEMENT_VALUE = -81;
    H_INPUT_BUFFER_NOT_DEFINED = -82;
    H_INPUT_BUFFER_TOO_SMALL = -83;
    H_OUTPUT_BUFFER_NOT_DEFINED = -84;
    H_OUTPUT_BUFFER_TOO_SMALL = -85;
    H_PARTITION_PAGE_TABLE_NOT_DEFINED = -86;
    H_GUEST_VCPU_STATE_NOT_HV_OWNED = -87;
    H_UNSUPPORTED_FLAG_START = -256;
    H_UNSUPPORTED_FLAG_END = -511;
    H_MULTI_THREADS_ACTIVE = -9005;
    H_OUTSTANDING_COP_OPS = -9006;
}

/// H_UNSUPPORTED_FLAG for the flag at IBM bit number `bit`.
pub const fn unsupported_flag(bit: u32) -> i64 {
    H_UNSUPPORTED_FLAG_START - bit as i64
}

/// The code that stands for `code` where it is one of many that say the same: the first of those that ask for a longer
/// wait, the first of those that blame a flag.
pub const fn class(code: i64) -> i64 {
    match code {
        H_LONG_BUSY_ORDER_1_MSEC..=H_LONG_BUSY_ORDER_100_SEC => H_LONG_BUSY_ORDER_1_MSEC,
        H_UNSUPPORTED_FLAG_END..=H_UNSUPPORTED_FLAG_START => H_UNSUPPORTED_FLAG_START,
        _ => code,
    }
}

/// The name of `code`, if it has one.
pub fn name_of(code: i64) -> Option<&'static str> {
    CODES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}
