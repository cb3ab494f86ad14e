//! Guests of the guest: PAPR's interface of POWER10, and the one of KVM before it (0xf800 on).

hypercalls! { Nested:
    H_GUEST_GET_CAPABILITIES = 0x460, ["flags, 0"] -> ["capabilities"],
        [H_PARAMETER],
        "what guests of the guest may be";
    H_GUEST_SET_CAPABILITIES = 0x464, ["flags, 0", "capabilities"] -> ["number of bad bit maps", "first of them"],
        [H_PARAMETER, H_P2, H_STATE],
        "say what is used of that";
    H_GUEST_CREATE = 0x470, ["flags, 0", "continue token, -1 at first"] -> ["guest, or continue token"],
        [H_PARAMETER, H_P2, H_NOT_ENOUGH_RESOURCES, H_STATE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "make a guest";
    H_GUEST_CREATE_VCPU = 0x474, ["flags, 0", "guest", "vCPU"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_IN_USE, H_NOT_ENOUGH_RESOURCES, H_STATE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "make a vCPU";
    H_GUEST_GET_STATE = 0x478, ["flags", "guest", "vCPU", "guest real address", "bytes"] ->
        ["index of the bad element"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_STATE, H_INVALID_ELEMENT_ID, H_INVALID_ELEMENT_SIZE,
            H_INVALID_ELEMENT_VALUE],
        "read state of a guest or vCPU";
    H_GUEST_SET_STATE = 0x47c, ["flags", "guest", "vCPU", "guest real address", "bytes"] ->
        ["index of the bad element"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_STATE, H_INVALID_ELEMENT_ID, H_INVALID_ELEMENT_SIZE,
            H_INVALID_ELEMENT_VALUE],
        "set state of a guest or vCPU";
    H_GUEST_RUN_VCPU = 0x480, ["flags", "guest", "vCPU"] -> ["why it stopped, or offset of the bad element"],
        [H_PARAMETER, H_P2, H_P3, H_IN_USE, H_STATE, H_INVALID_ELEMENT_ID, H_INVALID_ELEMENT_SIZE,
            H_INVALID_ELEMENT_VALUE, H_INPUT_BUFFER_NOT_DEFINED, H_INPUT_BUFFER_TOO_SMALL, H_OUTPUT_BUFFER_NOT_DEFINED,
            H_OUTPUT_BUFFER_TOO_SMALL, H_PARTITION_PAGE_TABLE_NOT_DEFINED, H_GUEST_VCPU_STATE_NOT_HV_OWNED],
        "run a vCPU";
    H_GUEST_COPY_MEMORY = 0x484, ["?"] -> ["?"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5],
        "copy between a guest's memory and one's own";
    H_GUEST_DELETE = 0x488, ["flags, bit 0 = all", "guest"] -> [],
        [H_PARAMETER, H_P2, H_IN_USE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "delete a guest";
    H_SET_PARTITION_TABLE = 0xf800, ["partition table"] -> [],
        [H_PARAMETER],
        "say where the partition table is";
    H_ENTER_NESTED = 0xf804, ["guest real address of state", "of registers"] -> [],
        [H_PARAMETER, H_P2, H_NOT_AVAILABLE],
        "run a guest; r3 returns the interrupt's vector";
    H_TLB_INVALIDATE = 0xf808, ["instruction", "RS", "RB"] -> [],
        [H_PARAMETER, H_P2, H_P3],
        "execute a tlbie for a guest";
    H_COPY_TOFROM_GUEST = 0xf80c, ["LPID", "PID", "effective address", "copy to", "copy from", "bytes"] -> [],
        [H_PARAMETER, H_NOT_FOUND],
        "copy between a guest's process and one's own memory";
}
