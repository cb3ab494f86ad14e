//! Virtual terminals (LoPAR 16.5): characters packed most significant byte first.

hypercalls! { Console:
    H_GET_TERM_CHAR = 0x54, ["unit"] -> ["count", "characters 0-7", "characters 8-15"],
        [H_PARAMETER, H_HARDWARE, H_CLOSED],
        "receive up to 16 characters";
    H_PUT_TERM_CHAR = 0x58, ["unit", "count, 16 at most", "characters 0-7", "characters 8-15"] -> [],
        [H_PARAMETER, H_HARDWARE, H_CLOSED, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "send characters";
}
