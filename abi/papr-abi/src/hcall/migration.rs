//! Partitions that move (LoPAR: virtual asynchronous services interface). A platform without it answers H_FUNCTION, and
//! Linux then says that the operation is not supported.

hypercalls! { Migration:
    H_VASI_SIGNAL = 0x2a0, ["stream", "signal", "reason"] -> [],
        [H_PARAMETER, H_P2, H_P3, H_AUTHORITY, H_HARDWARE],
        "cancel, abort, suspend or complete an operation";
    H_VASI_STATE = 0x2a4, ["stream"] -> ["state"],
        [H_PARAMETER, H_HARDWARE],
        "what state an operation is in";
}
