//! The partition as a whole.

hypercalls! { Mode:
    H_HYPERVISOR_DATA = 0x60, ["?"] -> ["?"],
        [H_PARAMETER, H_PRIVILEGE, H_HARDWARE],
        "read the hypervisor's memory, for its debugging";
    H_GET_CPU_CHARACTERISTICS = 0x1c8, [] -> ["characteristics", "behaviour"],
        [],
        "what speculation does, and what has to be done about it";
    H_RANDOM = 0x300, [] -> ["64 random bits"],
        [H_HARDWARE],
        "a random number";
    H_SET_MODE = 0x31c, ["flags", "resource", "value 1", "value 2"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_UNSUPPORTED_FLAG_START, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "set breakpoints, place and byte order of interrupts";
    H_WATCHDOG = 0x45c, ["flags", "watchdog", "milliseconds"] -> ["capabilities, if asked for"],
        [H_PARAMETER, H_P2, H_P3, H_NOOP, H_HARDWARE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "start, stop or query a watchdog";
}
