//! Translation control entries (LoPAR 14.5.4.2).

hypercalls! { Dma:
    H_GET_TCE = 0x1c, ["LIOBN", "I/O address"] -> ["entry"],
        [H_PARAMETER, H_HARDWARE],
        "read an entry";
    H_PUT_TCE = 0x20, ["LIOBN", "I/O address", "entry"] -> [],
        [H_PARAMETER, H_HARDWARE, H_RESCINDED],
        "set an entry";
    H_MIGRATE_DMA = 0x78, ["?"] -> ["?"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_NOT_FOUND, H_MEM_PARM, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "move a page that devices use";
    H_STUFF_TCE = 0x138, ["LIOBN", "I/O address", "entry", "count"] -> [],
        [H_PARAMETER, H_P2, H_P4, H_RESCINDED],
        "set many entries to one value";
    H_PUT_TCE_INDIRECT = 0x13c, ["LIOBN", "I/O address", "guest real address of entries", "count, 512 at most"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_RESCINDED],
        "set many entries from a list";
}
