//! Process tables (LoPAR: in-memory table translation).

hypercalls! { Radix:
    H_CLEAN_SLB = 0x374, ["flags", "PID"] -> [],
        [H_PARAMETER, H_P2],
        "forget segments of a process";
    H_INVALIDATE_PID = 0x378, ["PID"] -> [],
        [H_PARAMETER],
        "forget all of a process";
    H_REGISTER_PROC_TBL = 0x37c, ["flags", "guest real address", "page size, radix 0", "log2 of 4 KiB pages"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_P4],
        "say where the process table is, and how to translate";
    H_RPT_INVALIDATE = 0x448, ["PID", "target", "type", "page sizes", "first address", "end"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_P6, H_UNSUPPORTED],
        "forget translations of a process";
}
