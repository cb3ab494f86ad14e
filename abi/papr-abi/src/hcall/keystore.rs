//! The platform's key store: registers as Linux' plpks uses them, codes as it translates them.

hypercalls! { Keystore:
    H_PKS_GET_CONFIG = 0x41c, ["guest real address", "bytes"] -> [],
        [H_PARAMETER, H_P2],
        "read limits and policies";
    H_PKS_SET_PASSWORD = 0x420, ["?"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_AUTHORITY, H_IN_USE, H_BUSY],
        "set a password";
    H_PKS_GEN_PASSWORD = 0x424, ["owner", "policy, 0", "guest real address", "bytes"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_AUTHORITY, H_IN_USE, H_BUSY],
        "let a password be made";
    H_PKS_GET_OBJECT_LABELS = 0x428, ["authorization", "?"] -> ["?"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_AUTHORITY, H_NOT_FOUND, H_BUSY],
        "list the objects";
    H_PKS_WRITE_OBJECT = 0x42c, ["authorization", "label", "its bytes", "policy", "guest real address", "bytes"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_P6, H_AUTHORITY, H_NO_MEM, H_RESOURCE, H_TOO_BIG, H_STATE, H_R_STATE,
            H_ABORTED, H_BUSY],
        "write an object";
    H_PKS_GEN_KEY = 0x430, ["authorization", "?"] -> ["?"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_P6, H_AUTHORITY, H_NO_MEM, H_RESOURCE, H_BUSY],
        "let a key be made";
    H_PKS_READ_OBJECT = 0x434, ["authorization", "label", "its bytes", "guest real address", "bytes"] ->
        ["bytes of the object", "policy"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_AUTHORITY, H_NOT_FOUND, H_BUSY],
        "read an object";
    H_PKS_REMOVE_OBJECT = 0x438, ["authorization", "label", "its bytes"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_AUTHORITY, H_NOT_FOUND, H_BUSY],
        "remove an object";
    H_PKS_CONFIRM_OBJECT_FLUSHED = 0x43c, ["authorization", "label", "its bytes"] -> ["1 = flushed"],
        [H_PARAMETER, H_P2, H_P3, H_AUTHORITY, H_NOT_FOUND, H_BUSY],
        "see whether a change is durable";
    H_PKS_SIGNED_UPDATE = 0x454,
        ["authorization", "label", "its bytes", "policy", "flags", "guest real address", "bytes", "continue token"] ->
        ["continue token"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_P6, H_P7, H_AUTHORITY, H_NO_MEM, H_TOO_BIG, H_STATE, H_ABORTED, H_BUSY],
        "write a signed object";
    H_PKS_WRAP_OBJECT = 0x490, ["authorization", "label", "its bytes", "flags", "guest real address", "bytes",
            "address for the result", "bytes", "continue token"] -> ["continue token", "bytes written"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_P6, H_P7, H_P8, H_P9, H_AUTHORITY, H_NOT_FOUND, H_BUSY,
            H_LONG_BUSY_ORDER_1_MSEC],
        "encrypt with a key of the store";
    H_PKS_UNWRAP_OBJECT = 0x494, ["authorization", "flags", "guest real address", "bytes",
            "address for the result", "bytes", "continue token"] -> ["continue token", "bytes written"],
        [H_PARAMETER, H_P2, H_P3, H_P4, H_P5, H_P6, H_P7, H_AUTHORITY, H_NOT_FOUND, H_BUSY, H_LONG_BUSY_ORDER_1_MSEC],
        "decrypt with a key of the store";
}
