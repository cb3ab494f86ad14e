//! Registers that only BookE has.

use ppc_mmu::booke::Tlb;

/// Registers of BookE besides those of every family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct BookE {
    /// The TLB arrays.
    pub tlb: Tlb,
    /// PID1 and PID2; PID0 is `VcpuState::pid`.
    pub pids: [u32; 2],
    /// Interrupt vector prefix.
    pub ivpr: u64,
    /// Interrupt vector offsets: IVOR0 to IVOR15, then IVOR32 to IVOR35.
    pub ivor: [u32; 20],
    /// Save and restore registers of critical, debug and machine check interrupts.
    pub csrr: [u64; 2],
    /// Of debug interrupts.
    pub dsrr: [u64; 2],
    /// Of machine checks.
    pub mcsrr: [u64; 2],
    /// Timer control.
    pub tcr: u32,
    /// Timer status.
    pub tsr: u32,
    /// Decrementer auto-reload.
    pub decar: u32,
    /// Vector of the interrupt that was acknowledged on delivery (external proxy).
    pub epr: u32,
}
