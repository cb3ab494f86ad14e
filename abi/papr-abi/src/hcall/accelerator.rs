//! Coprocessors: the virtual accelerator switchboard and what is behind it.

hypercalls! { Accelerator:
    H_COP = 0x304, ["flags", "resource", "input", "its bytes", "output", "its bytes", "parameter block"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_P6, H_P7, H_RESOURCE, H_NOT_ENOUGH_RESOURCES, H_TOO_BIG, H_SG_LIST,
            H_OP_MODE, H_COP_HW, H_STATE, H_INTERRUPT, H_BAD_DATA, H_NOT_ACTIVE, H_UNSUPPORTED_FLAG_START, H_BUSY],
        "let a coprocessor work";
    H_ALLOCATE_VAS_WINDOW = 0x388,
        ["kind", "credits", "domain 0", "domain 1", "domain 2", "domain 3", "domain 4", "domain 5"] ->
        ["window", "its guest real address", "interrupt of completion", "interrupt of faults"],
        [H_PARAMETER, H_P2, H_P3, H_CONSTRAINED, H_COP_HW, H_RESOURCE, H_UNSUPPORTED, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "open a window";
    H_MODIFY_VAS_WINDOW = 0x38c, ["window", "PID", "reserved, 0", "flags", "AMR"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_STATE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "say for which process a window is";
    H_DEALLOCATE_VAS_WINDOW = 0x390, ["window"] -> [],
        [H_PARAMETER, H_STATE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "close a window";
    H_QUERY_VAS_WINDOW = 0x394, ["window"] -> ["credits", "reserved", "state"],
        [H_PARAMETER],
        "read a window's state";
    H_QUERY_VAS_CAPABILITIES = 0x398, ["feature, 0 = all", "guest real address"] -> [],
        [H_PARAMETER, H_P2, H_PRIVILEGE],
        "which features windows have";
    H_QUERY_NX_CAPABILITIES = 0x39c, ["feature, 0 = all", "guest real address"] -> [],
        [H_PARAMETER, H_P2, H_PRIVILEGE],
        "which features coprocessors have";
    H_GET_NX_FAULT = 0x3a0, ["window", "guest real address"] -> [],
        [H_PARAMETER, H_P2, H_STATE, H_PRIVILEGE],
        "take the block that faulted";
}
