//! Virtual I/O (LoPAR 16): command queues, logical LAN, terminals of other partitions.

hypercalls! { Vio:
    H_REG_CRQ = 0xfc, ["unit", "I/O address", "bytes"] -> [],
        [H_PARAMETER, H_NOT_FOUND, H_RESOURCE, H_CLOSED, H_BUSY, H_HARDWARE, H_LONG_BUSY_ORDER_1_MSEC],
        "register a command queue";
    H_FREE_CRQ = 0x100, ["unit"] -> [],
        [H_PARAMETER, H_BUSY, H_HARDWARE, H_LONG_BUSY_ORDER_1_MSEC],
        "free a command queue";
    H_VIO_SIGNAL = 0x104, ["unit", "mode, 1 = on"] -> [],
        [H_PARAMETER, H_HARDWARE],
        "switch a device's interrupt";
    H_SEND_CRQ = 0x108, ["unit", "message, high half", "low half"] -> [],
        [H_PARAMETER, H_CLOSED, H_DROPPED, H_HARDWARE],
        "send a message to the partner's command queue";
    H_COPY_RDMA = 0x110, ["bytes", "from LIOBN", "from I/O address", "to LIOBN", "to I/O address"] -> [],
        [H_PARAMETER, H_SOURCE_PARM, H_DEST_PARM, H_REMOTE_PARM, H_PERMISSION, H_HARDWARE],
        "copy between the memories of two partitions";
    H_REGISTER_LOGICAL_LAN = 0x114, ["unit", "buffer list", "receive queue", "filter list", "MAC address"] -> [],
        [H_PARAMETER, H_RESOURCE, H_HARDWARE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "register a logical LAN adapter";
    H_FREE_LOGICAL_LAN = 0x118, ["unit"] -> [],
        [H_PARAMETER, H_HARDWARE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "free a logical LAN adapter";
    H_ADD_LOGICAL_LAN_BUFFER = 0x11c, ["unit", "descriptor"] -> [],
        [H_PARAMETER, H_RESOURCE, H_HARDWARE],
        "give an adapter a buffer to receive into";
    H_SEND_LOGICAL_LAN = 0x120,
        ["unit", "descriptor 0", "descriptor 1", "descriptor 2", "descriptor 3", "descriptor 4", "descriptor 5",
            "continue token"] -> ["continue token"],
        [H_PARAMETER, H_DROPPED, H_BUSY, H_HARDWARE],
        "send a frame";
    H_MULTICAST_CTRL = 0x130, ["unit", "flags", "MAC address"] -> ["filter mode", "number of filters"],
        [H_PARAMETER, H_CONSTRAINED, H_HARDWARE],
        "choose which multicast frames are received";
    H_CHANGE_LOGICAL_LAN_MAC = 0x14c, ["unit", "MAC address"] -> [],
        [H_PARAMETER, H_HARDWARE],
        "change an adapter's address";
    H_VTERM_PARTNER_INFO = 0x150, ["unit", "partition", "partner's unit", "guest real address of a page"] -> [],
        [H_PARAMETER],
        "list the terminals that one can connect to";
    H_REGISTER_VTERM = 0x154, ["unit", "partition", "partner's unit"] -> [],
        [H_PARAMETER, H_RESOURCE],
        "connect to another partition's terminal";
    H_FREE_VTERM = 0x158, ["unit"] -> [],
        [H_PARAMETER, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "disconnect from it";
    H_POLL_PENDING = 0x1d8, [] -> [],
        [H_PENDING],
        "see whether interrupts are pending for any device";
    H_FREE_LOGICAL_LAN_BUFFER = 0x1d4, ["unit", "bytes"] -> [],
        [H_PARAMETER, H_NOT_FOUND, H_HARDWARE],
        "take a buffer back";
    H_ILLAN_ATTRIBUTES = 0x244, ["unit", "attributes to reset", "attributes to set"] -> ["attributes"],
        [H_PARAMETER, H_P2, H_P3, H_CONSTRAINED],
        "change an adapter's attributes";
    H_VIOCTL = 0x2a8, ["unit", "function", "argument 1", "argument 2", "argument 3"] ->
        ["result 1", "result 2", "result 3"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_NOT_FOUND, H_AUTHORITY, H_CLOSED, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "various functions of a device";
    H_ENABLE_CRQ = 0x2b0, ["unit"] -> [],
        [H_PARAMETER, H_IN_PROGRESS, H_BUSY, H_HARDWARE, H_LONG_BUSY_ORDER_1_MSEC],
        "open a command queue again after the partition was moved";
    H_REG_SUB_CRQ = 0x2dc, ["unit", "I/O address", "bytes"] -> ["queue", "interrupt"],
        [H_PARAMETER, H_P2, H_P3, H_NOT_ENOUGH_RESOURCES, H_CLOSED, H_HARDWARE],
        "register a subordinate command queue";
    H_FREE_SUB_CRQ = 0x2e0, ["unit", "queue"] -> [],
        [H_PARAMETER, H_P2, H_BUSY, H_HARDWARE, H_LONG_BUSY_ORDER_1_MSEC],
        "free a subordinate command queue";
    H_SEND_SUB_CRQ = 0x2e4, ["unit", "queue", "word 0", "word 1", "word 2", "word 3"] -> [],
        [H_PARAMETER, H_P2, H_CLOSED, H_DROPPED, H_HARDWARE],
        "send a message to the partner's subordinate command queue";
    H_SEND_SUB_CRQ_INDIRECT = 0x2e8, ["unit", "queue", "I/O address", "count"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_CLOSED, H_DROPPED, H_HARDWARE],
        "send messages from a list";
    H_REQUEST_VMC = 0x360, [] -> ["DRC index"],
        [H_RESOURCE, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "ask for the device that speaks to the management console";
}
