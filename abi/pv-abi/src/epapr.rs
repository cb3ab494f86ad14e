//! ePAPR hypercalls: registers, tokens, return codes (ePAPR 1.1, chapter 7 and appendix D).
//!
//! The token goes in r11, parameters in r3 to r10; r3 returns the status, r4 to r11 the outputs.

/// A token: vendor and number.
pub const fn token(vendor: u32, number: u32) -> u32 {
    vendor << 16 | number
}

/// Vendor of calls that ePAPR itself defines.
pub const VENDOR: u32 = 1;
/// Freescale's vendor number, whose hypervisor defines calls on the state of cores.
pub const VENDOR_FREESCALE: u32 = 2;

/// EV_BYTE_CHANNEL_SEND: r3 = handle, r4 = bytes (16 at most), r5 to r8 = the bytes; returns r4 = bytes sent.
pub const BYTE_CHANNEL_SEND: u32 = token(VENDOR, 1);
/// EV_BYTE_CHANNEL_RECEIVE: r3 = handle, r4 = most bytes wanted; returns r4 = bytes, r5 to r8 = the bytes.
pub const BYTE_CHANNEL_RECEIVE: u32 = token(VENDOR, 2);
/// EV_BYTE_CHANNEL_POLL: r3 = handle; returns r4 = bytes that have arrived, r5 = bytes that can be sent.
pub const BYTE_CHANNEL_POLL: u32 = token(VENDOR, 3);
/// EV_INT_SET_CONFIG: r3 = interrupt, r4 = sense and polarity, r5 = priority, r6 = destination CPU.
pub const INT_SET_CONFIG: u32 = token(VENDOR, 4);
/// EV_INT_GET_CONFIG: r3 = interrupt; returns r4 to r6 as INT_SET_CONFIG takes them.
pub const INT_GET_CONFIG: u32 = token(VENDOR, 5);
/// EV_INT_SET_MASK: r3 = interrupt, r4 = 1 masks it, 0 lets it in.
pub const INT_SET_MASK: u32 = token(VENDOR, 6);
/// EV_INT_GET_MASK: r3 = interrupt; returns r4 = mask.
pub const INT_GET_MASK: u32 = token(VENDOR, 7);
/// EV_INT_IACK: r3 = controller's handle, 0 for whichever; returns r4 = interrupt, [`SPURIOUS`] when there is none.
pub const INT_IACK: u32 = token(VENDOR, 9);
/// EV_INT_EOI: r3 = interrupt in service.
pub const INT_EOI: u32 = token(VENDOR, 10);
/// EV_INT_SEND_IPI: r3 = controller's handle, r4 = channel, r5 = mask of destination CPUs.
pub const INT_SEND_IPI: u32 = token(VENDOR, 11);
/// EV_INT_SET_TASK_PRIORITY: r3 = controller's handle, r4 = priority from 0 (all come in) to 15 (none does).
pub const INT_SET_TASK_PRIORITY: u32 = token(VENDOR, 12);
/// EV_INT_GET_TASK_PRIORITY: r3 = controller's handle; returns r4 = priority.
pub const INT_GET_TASK_PRIORITY: u32 = token(VENDOR, 13);
/// EV_DOORBELL_SEND: r3 = handle.
pub const DOORBELL_SEND: u32 = token(VENDOR, 14);
/// EV_MSGSND: r3 = message, laid out as the operand of `msgsnd`.
pub const MSGSND: u32 = token(VENDOR, 15);
/// EV_IDLE: wait until something happens.
pub const IDLE: u32 = token(VENDOR, 16);

/// FH_GET_CORE_STATE: r3 = partition, r4 = CPU; returns r4 = [`CORE_RUN`], [`CORE_IDLE`] or [`CORE_NAP`].
pub const GET_CORE_STATE: u32 = token(VENDOR_FREESCALE, 14);
/// FH_ENTER_NAP: r3 = partition, r4 = CPU.
pub const ENTER_NAP: u32 = token(VENDOR_FREESCALE, 15);
/// FH_EXIT_NAP: r3 = partition, r4 = CPU.
pub const EXIT_NAP: u32 = token(VENDOR_FREESCALE, 16);

/// The caller's own partition (Freescale's calls).
pub const OWN_PARTITION: u32 = u32::MAX;
/// A core that executes.
pub const CORE_RUN: u64 = 0;
/// A core that waits for an interrupt.
pub const CORE_IDLE: u64 = 1;
/// A core that naps until another one wakes it.
pub const CORE_NAP: u64 = 2;

/// Bytes that one call moves through a byte channel at most.
pub const CHANNEL_BYTES: usize = 16;
/// The interrupt that INT_IACK returns when none waits.
pub const SPURIOUS: u32 = 0xffff;
/// The most urgent priority; an interrupt of priority 0 never comes.
pub const MOST_URGENT: u32 = 15;
/// Bit of an interrupt's configuration: level-sensitive.
pub const CONFIG_LEVEL: u32 = 1 << 1;
/// Bit of an interrupt's configuration: active high, or rising edge.
pub const CONFIG_HIGH: u32 = 1 << 0;

/// A status in r3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Status {
    /// Done.
    Success = 0,
    /// The caller may not do that.
    NotPermitted = 1,
    /// There is no such entry.
    NoEntry = 2,
    /// Input or output failed.
    InputOutput = 3,
    /// Nothing could be done now; the call may be repeated.
    Again = 4,
    /// Memory ran out.
    NoMemory = 5,
    /// A guest address is wrong.
    Fault = 6,
    /// There is no such device.
    NoDevice = 7,
    /// An argument is out of range.
    Invalid = 8,
    /// The hypervisor failed.
    Internal = 9,
    /// Something is configured wrongly.
    Config = 10,
    /// The object is not in a state that allows it.
    InvalidState = 11,
    /// There is no such call.
    Unimplemented = 12,
    /// The caller's buffer is too small.
    BufferOverflow = 13,
}

/// Largest number of instruction words in `hcall-instructions`.
pub const MAX_WORDS: usize = 4;
