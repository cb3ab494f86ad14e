//! The hashed page table (LoPAR 14.5.4.1; resizing: spec papr 2.1).

hypercalls! { Hash:
    H_REMOVE = 0x04, ["flags", "ptex", "avpn"] -> ["old v", "old r"],
        [H_PARAMETER, H_NOT_FOUND],
        "remove an entry";
    H_ENTER = 0x08, ["flags", "ptex", "v", "r"] -> ["ptex used"],
        [H_PARAMETER, H_PTEG_FULL],
        "put an entry into a group";
    H_READ = 0x0c, ["flags", "ptex"] -> ["v 0", "r 0", "v 1", "r 1", "v 2", "r 2", "v 3", "r 3"],
        [H_PARAMETER],
        "read one entry, or with H_READ_4 four";
    H_CLEAR_MOD = 0x10, ["flags", "ptex"] -> ["old r"],
        [H_PARAMETER, H_NOT_FOUND],
        "clear the change bit of an entry";
    H_CLEAR_REF = 0x14, ["flags", "ptex"] -> ["old r"],
        [H_PARAMETER, H_NOT_FOUND],
        "clear the reference bit of an entry";
    H_PROTECT = 0x18, ["flags with new pp, n and key", "ptex", "avpn"] -> [],
        [H_PARAMETER, H_NOT_FOUND],
        "change the protection of an entry";
    H_BULK_REMOVE = 0x124,
        ["request 0", "avpn 0", "request 1", "avpn 1", "request 2", "avpn 2", "request 3", "avpn 3"] ->
        ["response 0", "avpn 0", "response 1", "avpn 1", "response 2", "avpn 2", "response 3", "avpn 3"],
        [H_PARAMETER, H_HARDWARE],
        "remove up to four entries";
    H_BLOCK_REMOVE = 0x328,
        ["avpn", "request 0", "request 1", "request 2", "request 3", "request 4", "request 5", "request 6",
            "request 7"] ->
        ["response 0", "response 1", "response 2", "response 3", "response 4", "response 5", "response 6",
            "response 7"],
        [H_PARTIAL, H_PARAMETER, H_BUSY, H_HARDWARE],
        "remove the entries of blocks of eight pages";
    H_CLEAR_HPT = 0x358, [] -> [],
        [H_CONTINUE],
        "remove all entries, a part with each call";
    H_RESIZE_HPT_PREPARE = 0x36c, ["flags, 0", "log2 bytes, 18 to 46, or 0 = cancel"] -> [],
        [H_PARAMETER, H_P2, H_AUTHORITY, H_NOT_AVAILABLE, H_IN_PROGRESS, H_RESOURCE, H_NO_MEM, H_HARDWARE,
            H_LONG_BUSY_ORDER_1_MSEC],
        "make a table of another size";
    H_RESIZE_HPT_COMMIT = 0x370, ["flags, 0", "log2 bytes"] -> [],
        [H_PARAMETER, H_P2, H_AUTHORITY, H_NOT_AVAILABLE, H_CLOSED, H_PTEG_FULL, H_BUSY, H_NOT_FOUND, H_HARDWARE],
        "move to the table that was prepared";
}
