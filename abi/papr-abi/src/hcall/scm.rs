//! Storage class memory (spec papr 3). Where Linux and its documentation differ, arguments are what Linux passes.

hypercalls! { Scm:
    H_SCM_READ_METADATA = 0x3e4, ["DRC index", "offset", "bytes"] -> ["data"],
        [H_PARAMETER, H_P2, H_P3, H_HARDWARE],
        "read from the metadata area";
    H_SCM_WRITE_METADATA = 0x3e8, ["DRC index", "offset", "data", "bytes"] -> [],
        [H_PARAMETER, H_P2, H_P4, H_HARDWARE],
        "write to the metadata area";
    H_SCM_BIND_MEM = 0x3ec, ["DRC index", "first block", "count", "guest real address, -1 = any", "continue token"] ->
        ["continue token", "guest real address", "count bound"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_OVERLAP, H_TOO_BIG, H_BUSY],
        "map blocks";
    H_SCM_UNBIND_MEM = 0x3f0, ["DRC index", "guest real address", "count", "continue token"] ->
        ["continue token", "count unbound"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_IN_USE, H_OVERLAP, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "unmap blocks";
    H_SCM_QUERY_BLOCK_MEM_BINDING = 0x3f4, ["DRC index", "block"] -> ["guest real address"],
        [H_PARAMETER, H_P2, H_NOT_FOUND],
        "where a block is mapped";
    H_SCM_QUERY_LOGICAL_MEM_BINDING = 0x3f8, ["guest real address"] -> ["DRC index", "block"],
        [H_PARAMETER, H_P2, H_NOT_FOUND],
        "which block is mapped there";
    H_SCM_UNBIND_ALL = 0x3fc, ["scope, 1 = all, 2 = one", "DRC index", "continue token"] ->
        ["continue token", "count unbound"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_IN_USE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "unmap all blocks of one device or of all";
    H_SCM_HEALTH = 0x400, ["DRC index"] -> ["health", "which bits of it are valid"],
        [H_PARAMETER, H_HARDWARE],
        "read a device's health";
    H_SCM_PERFORMANCE_STATS = 0x418, ["DRC index", "guest real address, 0 = ask for the size", "bytes"] ->
        ["bytes needed, or the statistic that there is not"],
        [H_PARAMETER, H_P2, H_P3, H_PARTIAL, H_UNSUPPORTED, H_HARDWARE, H_AUTHORITY, H_PRIVILEGE],
        "read a device's statistics";
    H_SCM_FLUSH = 0x44c, ["DRC index", "continue token"] -> ["continue token"],
        [H_PARAMETER, H_P2, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC, H_HARDWARE, H_UNSUPPORTED],
        "make earlier stores durable";
}
