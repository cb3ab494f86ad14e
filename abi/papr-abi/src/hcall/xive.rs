//! XIVE exploitation (spec papr 2.7, 6.3).

hypercalls! { Xive:
    H_INT_GET_SOURCE_INFO = 0x3a8, ["flags, 0", "LISN"] ->
        ["flags", "management page, -1 = none", "trigger page, -1 = none", "log2 bytes of a page"],
        [H_PARAMETER, H_P2],
        "how to reach a source";
    H_INT_SET_SOURCE_CONFIG = 0x3ac, ["flags", "LISN", "target", "priority", "EISN"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_HARDWARE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "route a source";
    H_INT_GET_SOURCE_CONFIG = 0x3b0, ["flags, 0", "LISN"] -> ["target", "priority, 255 = masked", "EISN"],
        [H_PARAMETER, H_P2],
        "where a source is routed";
    H_INT_GET_QUEUE_INFO = 0x3b4, ["flags, 0", "target", "priority"] -> ["notification page", "log2 bytes of a page"],
        [H_PARAMETER, H_P2, H_P3],
        "how to reach a queue";
    H_INT_SET_QUEUE_CONFIG = 0x3b8, ["flags", "target", "priority", "guest real address", "log2 bytes, 0 = none"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_HARDWARE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "give an event queue its memory";
    H_INT_GET_QUEUE_CONFIG = 0x3bc, ["flags", "target", "priority"] ->
        ["flags", "guest real address", "log2 bytes", "generation and offset"],
        [H_PARAMETER, H_P2, H_P3],
        "read an event queue's state";
    H_INT_SET_OS_REPORTING_LINE = 0x3c0, ["flags", "line, -1 = none"] -> [],
        [H_PARAMETER, H_P2, H_P3],
        "set the line to which a processor's context is written";
    H_INT_GET_OS_REPORTING_LINE = 0x3c4, ["flags", "target", "line"] -> ["guest real address"],
        [H_PARAMETER, H_P2, H_P3],
        "read where that line is";
    H_INT_ESB = 0x3c8, ["flags, 1 = store", "LISN", "offset", "data"] -> ["what was loaded, or -1"],
        [H_PARAMETER, H_P2, H_P3],
        "load from or store to a source's page";
    H_INT_SYNC = 0x3cc, ["flags, 0", "LISN"] -> [],
        [H_PARAMETER, H_P2, H_HARDWARE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "wait until a source's events are in their queue";
    H_INT_RESET = 0x3d0, ["flags, 0"] -> [],
        [H_PARAMETER, H_HARDWARE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "forget all routes and queues";
}
