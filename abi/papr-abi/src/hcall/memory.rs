//! Memory by guest real address, for code in real mode (LoPAR 14.5.4.3).

hypercalls! { Memory:
    H_PAGE_INIT = 0x2c, ["flags", "page", "page to copy"] -> [],
        [H_PARAMETER, H_HARDWARE],
        "zero or copy a page";
    H_LOGICAL_CI_LOAD = 0x3c, ["bytes", "address"] -> ["value"],
        [H_PARAMETER],
        "load without the cache";
    H_LOGICAL_CI_STORE = 0x40, ["bytes", "address", "value"] -> [],
        [H_PARAMETER],
        "store without the cache";
    H_LOGICAL_CACHE_LOAD = 0x44, ["bytes", "address"] -> ["value"],
        [H_PARAMETER],
        "load through the cache";
    H_LOGICAL_CACHE_STORE = 0x48, ["bytes", "address", "value"] -> [],
        [H_PARAMETER],
        "store through the cache";
    H_LOGICAL_ICBI = 0x4c, ["address"] -> [],
        [H_PARAMETER],
        "invalidate a line of the instruction cache";
    H_LOGICAL_DCBF = 0x50, ["address"] -> [],
        [H_PARAMETER],
        "flush a line of the data cache";
    H_REAL_TO_LOGICAL = 0x5c, ["real address"] -> ["guest real address"],
        [H_PARAMETER, H_PRIVILEGE],
        "translate a real address of the platform; of the first systems with partitions only";
}
