//! Numbers that a hypervisor gives itself: KVM's and QEMU's at 0xf000, PowerVM's counters behind them; and its trace.

hypercalls! { Platform:
    H_HTM = 0x458, ["flags", "target", "operation", "parameter 1", "parameter 2", "parameter 3"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_P6, H_AUTHORITY, H_NOT_AVAILABLE, H_PARTIAL, H_STATE, H_BUSY,
            H_LONG_BUSY_ORDER_1_MSEC],
        "trace the hardware";
    H_RTAS = 0xf000, ["guest real address of the argument buffer"] -> [],
        [H_PARAMETER],
        "call a run-time abstraction service";
    H_LOGICAL_MEMOP = 0xf001, ["to", "from", "log2 bytes of an element", "count", "0 = copy, 1 = invert"] -> [],
        [H_PARAMETER],
        "copy for firmware in real mode";
    H_CAS = 0xf002, ["option vectors", "buffer", "its bytes"] -> [],
        [H_PARAMETER, H_HARDWARE],
        "negotiate options for firmware";
    H_UPDATE_DT = 0xf003, ["flattened device tree"] -> [],
        [H_PARAMETER],
        "hand over firmware's device tree";
    H_VOF_CLIENT = 0xf005, ["guest real address of the argument array"] -> [],
        [H_HARDWARE],
        "call Open Firmware's client interface";
    H_GET_24X7_CATALOG_PAGE = 0xf078, ["guest real address of a page", "version", "page of the catalog"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_AUTHORITY, H_BUSY],
        "read the catalog of counters";
    H_GET_24X7_DATA = 0xf07c, ["requests", "their bytes", "guest real address for results", "bytes"] -> ["detail"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_AUTHORITY, H_HARDWARE, H_BUSY],
        "read counters that always run";
    H_GET_PERF_COUNTER_INFO = 0xf080, ["guest real address of the request", "bytes"] -> [],
        [H_PARAMETER, H_P2, H_AUTHORITY, H_HARDWARE, H_BUSY],
        "read performance counters of the platform";
}
