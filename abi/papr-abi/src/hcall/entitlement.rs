//! Entitlement to processors and memory (LoPAR 14.11.3, 14.12), and energy management (LoPAR 14.14).

hypercalls! { Entitlement:
    H_GET_PPP = 0xec, [] ->
        ["entitled capacity", "unallocated capacity", "group and pool", "weights and processors", "pool's capacities"],
        [H_PARAMETER],
        "read the entitlement to processors";
    H_SET_PPP = 0xf0, ["entitled capacity", "weight"] -> [],
        [H_CONSTRAINED, H_PARAMETER, H_P2, H_AUTHORITY],
        "change the entitlement to processors";
    H_PURR = 0xf4, [] -> ["PURR"],
        [H_PARAMETER],
        "read the processor utilization of the partition";
    H_PIC = 0xf8, [] -> ["idle count of the pool", "processors of the pool"],
        [H_AUTHORITY],
        "read the idle count of the pool of processors";
    H_GET_EM_PARMS = 0x2b8, [] -> ["power mode data", "?"],
        [H_PARAMETER],
        "read parameters of energy management";
    H_SET_MPP = 0x2d0, ["entitlement", "weight"] -> [],
        [H_CONSTRAINED, H_PARAMETER, H_P2, H_AUTHORITY],
        "change the entitlement to memory";
    H_GET_MPP = 0x2d4, [] ->
        ["entitlement", "mapped", "group and pool", "weights and unallocated", "pool", "wanted back", "backing"],
        [H_PARAMETER],
        "read the entitlement to memory";
    H_BEST_ENERGY = 0x2f4, ["flags", "unit", "guest real address of a page"] -> ["count", "cost of the unit"],
        [H_PARAMETER, H_P2, H_P3],
        "which units cost least to take or to give back";
    H_GET_MPP_X = 0x314, [] ->
        ["coalesced bytes", "pool's coalesced bytes", "pool's PURR cycles", "pool's SPURR cycles"],
        [H_PARAMETER],
        "read what coalescing of pages did";
    H_GET_ENERGY_SCALE_INFO = 0x450, ["flags", "attribute", "guest real address", "bytes"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_PARTIAL, H_UNSUPPORTED, H_AUTHORITY, H_HARDWARE],
        "read attributes of energy and frequency";
}
