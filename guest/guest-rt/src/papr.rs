//! PAPR hypervisor calls (`sc 1`) and RTAS through them.
//!
//! Contract: up to nine arguments in r4..r12, status and nine outputs back; names as in PAPR.
//! Not its job: retrying; a caller that may see a busy status loops itself.

use core::sync::atomic::{AtomicBool, Ordering};

#[rustfmt::skip]
pub mod opcode {
    //! Hypercall numbers used by the guests of this folder (PAPR 14.5.4).
    pub const H_REMOVE: u64 = 0x04;
    pub const H_ENTER: u64 = 0x08;
    pub const H_READ: u64 = 0x0c;
    pub const H_PROTECT: u64 = 0x18;
    pub const H_GET_TCE: u64 = 0x1c;
    pub const H_PUT_TCE: u64 = 0x20;
    pub const H_GET_TERM_CHAR: u64 = 0x54;
    pub const H_PUT_TERM_CHAR: u64 = 0x58;
    pub const H_EOI: u64 = 0x64;
    pub const H_CPPR: u64 = 0x68;
    pub const H_IPI: u64 = 0x6c;
    pub const H_XIRR: u64 = 0x74;
    pub const H_REGISTER_VPA: u64 = 0xdc;
    pub const H_CEDE: u64 = 0xe0;
    pub const H_CONFER: u64 = 0xe4;
    pub const H_PROD: u64 = 0xe8;
    pub const H_GET_PPP: u64 = 0xec;
    pub const H_SET_PPP: u64 = 0xf0;
    pub const H_PURR: u64 = 0xf4;
    pub const H_PIC: u64 = 0xf8;
    pub const H_BULK_REMOVE: u64 = 0x124;
    pub const H_STUFF_TCE: u64 = 0x138;
    pub const H_PUT_TCE_INDIRECT: u64 = 0x13c;
    pub const H_GET_CPU_CHARACTERISTICS: u64 = 0x1c8;
    pub const H_JOIN: u64 = 0x298;
    pub const H_GET_MPP: u64 = 0x2d4;
    pub const H_HOME_NODE_ASSOCIATIVITY: u64 = 0x2ec;
    pub const H_RANDOM: u64 = 0x300;
    pub const H_SET_MODE: u64 = 0x31c;
    pub const H_BLOCK_REMOVE: u64 = 0x328;
    pub const H_RESIZE_HPT_PREPARE: u64 = 0x36c;
    pub const H_RESIZE_HPT_COMMIT: u64 = 0x370;
    pub const H_CLEAN_SLB: u64 = 0x374;
    pub const H_INVALIDATE_PID: u64 = 0x378;
    pub const H_REGISTER_PROC_TBL: u64 = 0x37c;
    pub const H_INT_GET_SOURCE_INFO: u64 = 0x3a8;
    pub const H_INT_SET_SOURCE_CONFIG: u64 = 0x3ac;
    pub const H_INT_GET_SOURCE_CONFIG: u64 = 0x3b0;
    pub const H_INT_GET_QUEUE_INFO: u64 = 0x3b4;
    pub const H_INT_SET_QUEUE_CONFIG: u64 = 0x3b8;
    pub const H_INT_GET_QUEUE_CONFIG: u64 = 0x3bc;
    pub const H_INT_ESB: u64 = 0x3c8;
    pub const H_INT_SYNC: u64 = 0x3cc;
    pub const H_INT_RESET: u64 = 0x3d0;
    pub const H_SCM_READ_METADATA: u64 = 0x3e4;
    pub const H_SCM_WRITE_METADATA: u64 = 0x3e8;
    pub const H_SCM_BIND_MEM: u64 = 0x3ec;
    pub const H_SCM_UNBIND_MEM: u64 = 0x3f0;
    pub const H_SCM_QUERY_BLOCK_MEM_BINDING: u64 = 0x3f4;
    pub const H_SCM_QUERY_LOGICAL_MEM_BINDING: u64 = 0x3f8;
    pub const H_SCM_UNBIND_ALL: u64 = 0x3fc;
    pub const H_SCM_HEALTH: u64 = 0x400;
    pub const H_SCM_PERFORMANCE_STATS: u64 = 0x418;
    pub const H_SCM_FLUSH: u64 = 0x44c;
    pub const H_RPT_INVALIDATE: u64 = 0x448;
    pub const H_WATCHDOG: u64 = 0x45c;
    pub const H_RTAS: u64 = 0xf000;
}

#[rustfmt::skip]
pub mod status {
    //! Return codes (PAPR 14.5.4).
    pub const H_SUCCESS: i64 = 0;
    pub const H_BUSY: i64 = 1;
    pub const H_CLOSED: i64 = 2;
    pub const H_NOT_AVAILABLE: i64 = 3;
    pub const H_PARTIAL: i64 = 5;
    pub const H_LONG_BUSY_ORDER_1_MSEC: i64 = 9900;
    pub const H_LONG_BUSY_ORDER_100_SEC: i64 = 9905;
    pub const H_CONTINUE: i64 = 18;
    pub const H_HARDWARE: i64 = -1;
    pub const H_FUNCTION: i64 = -2;
    pub const H_PRIVILEGE: i64 = -3;
    pub const H_PARAMETER: i64 = -4;
    pub const H_BAD_MODE: i64 = -5;
    pub const H_PTEG_FULL: i64 = -6;
    pub const H_NOT_FOUND: i64 = -7;
    pub const H_AUTHORITY: i64 = -10;
    pub const H_RESOURCE: i64 = -16;
    pub const H_P2: i64 = -55;
    pub const H_P3: i64 = -56;
    pub const H_P4: i64 = -57;
    pub const H_P5: i64 = -58;
    pub const H_NOOP: i64 = -63;
    pub const H_OVERLAP: i64 = -68;
    pub const H_IN_USE: i64 = -77;
}

unsafe extern "C" {
    fn hcall_words(words: *mut [u64; 10]);
    fn hcall_words_fallback(words: *mut [u64; 10]);
}

/// `sc 1` reaches somebody else: set by the first call that was refused for lack of privilege, which we do not lack.
/// So it is where KVM's PR mode runs inside a partition (spec ppc-pv 1.4).
static FALLBACK: AtomicBool = AtomicBool::new(false);

/// What a hypercall left behind.
pub struct Reply {
    /// r3.
    pub status: i64,
    /// r4..r12.
    pub out: [u64; 9],
}

/// One hypercall with up to nine arguments.
pub fn hcall(opcode: u64, args: &[u64]) -> Reply {
    let mut words = [0; 10];
    words[0] = opcode;
    words[1..=args.len()].copy_from_slice(args);
    let asked = words;
    if !FALLBACK.load(Ordering::Relaxed) {
        // SAFETY: the routine touches these ten words; what the hypervisor does to memory named in `args` is the call's
        // meaning.
        unsafe { hcall_words(&mut words) };
        if words[0] as i64 == status::H_PRIVILEGE {
            FALLBACK.store(true, Ordering::Relaxed);
            words = asked;
        }
    }
    if FALLBACK.load(Ordering::Relaxed) {
        // SAFETY: as above.
        unsafe { hcall_words_fallback(&mut words) };
    }
    let [status, out @ ..] = words;
    Reply { status: status as i64, out }
}

/// One RTAS call: `inputs` in, at most eight words out. The first output is the status.
pub fn rtas(token: u32, inputs: &[u32], outputs: usize) -> (i64, [u32; 8]) {
    /// The buffer RTAS reads and writes: big-endian cells, 8-byte aligned.
    #[repr(C, align(64))]
    struct Buffer([u32; 24]);

    let mut buffer = Buffer([u32::MAX; 24]);
    buffer.0[..3].copy_from_slice(&[token.to_be(), (inputs.len() as u32).to_be(), (outputs as u32).to_be()]);
    for (cell, input) in buffer.0[3..].iter_mut().zip(inputs) {
        *cell = input.to_be();
    }
    let reply = hcall(opcode::H_RTAS, &[&raw mut buffer as u64]);
    let mut out = [0; 8];
    for (value, cell) in out.iter_mut().zip(&buffer.0[3 + inputs.len()..][..outputs]) {
        // SAFETY: a cell of the buffer, which the hypervisor has written behind the compiler's back.
        *value = u32::from_be(unsafe { core::ptr::read_volatile(cell) });
    }
    (reply.status, out)
}
