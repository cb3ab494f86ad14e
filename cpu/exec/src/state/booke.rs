//! Registers that only BookE has.

use ppc_isa::Cpu;
use ppc_isa::cpu::{BOOKE, E5500, Models};
use ppc_isa::spr::booke as spr;
use ppc_mmu::booke::Tlb;

use crate::timer::booke::Timers;

const E500V2: Models = Models::of(&[Cpu::E500v2]);
const WHOLE: u64 = u64::MAX;

/// Registers that keep what is written: number, bits that do, models. Bits that start an action and then read as zero
/// (cache invalidations) are left out.
#[rustfmt::skip]
const KEPT: [(u16, u64, Models); 68] = [
    (spr::CSRR0,      !3,                     BOOKE),
    (spr::CSRR1,      WHOLE,                  BOOKE),
    (spr::DSRR0,      !3,                     BOOKE),
    (spr::DSRR1,      WHOLE,                  BOOKE),
    (spr::MCSRR0,     !3,                     BOOKE),
    (spr::MCSRR1,     WHOLE,                  BOOKE),
    (spr::IVPR,       !0xffff,                BOOKE),
    (spr::IVOR0,      0xfff0,                 BOOKE),
    (spr::IVOR0 + 1,  0xfff0,                 BOOKE),
    (spr::IVOR0 + 2,  0xfff0,                 BOOKE),
    (spr::IVOR0 + 3,  0xfff0,                 BOOKE),
    (spr::IVOR0 + 4,  0xfff0,                 BOOKE),
    (spr::IVOR0 + 5,  0xfff0,                 BOOKE),
    (spr::IVOR0 + 6,  0xfff0,                 BOOKE),
    (spr::IVOR0 + 7,  0xfff0,                 BOOKE),
    (spr::IVOR0 + 8,  0xfff0,                 BOOKE),
    (spr::IVOR0 + 9,  0xfff0,                 BOOKE),
    (spr::IVOR0 + 10, 0xfff0,                 BOOKE),
    (spr::IVOR0 + 11, 0xfff0,                 BOOKE),
    (spr::IVOR0 + 12, 0xfff0,                 BOOKE),
    (spr::IVOR0 + 13, 0xfff0,                 BOOKE),
    (spr::IVOR0 + 14, 0xfff0,                 BOOKE),
    (spr::IVOR15,     0xfff0,                 BOOKE),
    (spr::IVOR32,     0xfff0,                 BOOKE),
    (spr::IVOR32 + 1, 0xfff0,                 BOOKE),
    (spr::IVOR32 + 2, 0xfff0,                 BOOKE),
    (spr::IVOR35,     0xfff0,                 BOOKE),
    (spr::IVOR36,     0xfff0,                 E5500),
    (spr::IVOR37,     0xfff0,                 E5500),
    (spr::DBSR,       WHOLE,                  BOOKE),
    (spr::DBCR0,      0xffff_ffff & !RESET,   BOOKE),
    (spr::DBCR1,      0xffff_ffff,            BOOKE),
    (spr::DBCR2,      0xffff_ffff,            BOOKE),
    (spr::DBCR3,      0xffff_ffff,            E500V2),
    (spr::DBCR4,      0xffff_ffff,            E5500),
    (spr::IAC1,       WHOLE,                  BOOKE),
    (spr::IAC2,       WHOLE,                  BOOKE),
    (spr::IAC3,       WHOLE,                  BOOKE),
    (spr::IAC4,       WHOLE,                  BOOKE),
    (spr::DAC1,       WHOLE,                  BOOKE),
    (spr::DAC2,       WHOLE,                  BOOKE),
    (spr::MCSR,       0xffff_ffff,            BOOKE),
    (spr::MCAR,       WHOLE,                  BOOKE),
    (spr::MCARU,      0xf,                    BOOKE),
    (spr::SPRG8,      WHOLE,                  E5500),
    (spr::SPRG9,      WHOLE,                  E5500),
    (spr::EPCR,       EPCR_ICM,               E5500),
    (spr::EPR,        0xffff_ffff,            BOOKE),
    // EGS and ELPID are a hypervisor's.
    (spr::EPLC,       EXTERNAL,               E5500),
    (spr::EPSC,       EXTERNAL,               E5500),
    (spr::HID0,       0xffff_ffff,            BOOKE),
    (spr::HID1,       0xffff_ffff,            E500V2),
    // DCFI, CLFC.
    (spr::L1CSR0,     0xffff_ffff & !0x102,   BOOKE),
    // ICFI, ICLFR.
    (spr::L1CSR1,     0xffff_ffff & !0x102,   BOOKE),
    (spr::L1CSR2,     0xffff_ffff,            E5500),
    // L2FI, L2FL, L2LFC.
    (spr::L2CSR0,     0xffff_ffff & !0x20_0c00, E5500),
    (spr::L2CSR1,     0xffff_ffff,            E5500),
    // BBFI.
    (spr::BUCSR,      0xffff_ffff & !0x200,   BOOKE),
    (spr::PWRMGTCR0,  0xffff_ffff,            BOOKE),
    // Identification and configuration, set once.
    (spr::MMUCFG,     0,                      BOOKE),
    (spr::TLB0CFG,    0,                      BOOKE),
    (spr::TLB1CFG,    0,                      BOOKE),
    (spr::L1CFG0,     0,                      BOOKE),
    (spr::L1CFG1,     0,                      BOOKE),
    (spr::L2CFG0,     0,                      E5500),
    (spr::SVR,        0,                      BOOKE),
    (spr::BBEAR,      !3,                     E500V2),
    (spr::BBTAR,      !3,                     E500V2),
];

/// Fields of EPLC and EPSC: EPR, EAS, EPID.
const EXTERNAL: u64 = 0xc000_3fff;
/// `EPCR[ICM]`: interrupts are taken in 64-bit mode.
pub const EPCR_ICM: u64 = 0x200_0000;
/// `DBSR[ICMP]`: an instruction completed; `DBCR0` enables the event by the same bit.
pub const INSTRUCTION_COMPLETE: u64 = 0x800_0000;
/// `DBCR0[IDM]`: debug events interrupt.
const INTERNAL_DEBUG: u64 = 0x4000_0000;
/// `DBCR0[RST]`: resets the processor.
pub const RESET: u64 = 0x3000_0000;
/// Caches of 32 KiB in eight ways: `L1CFG0` and `L1CFG1` but for the block size.
const L1_CACHE: u64 = 0x20_0000 | 0x10_0000 | 0x8_0000 | 7 << 11 | 32;
/// Blocks of 64 bytes instead of 32.
const L1_BLOCK_64: u64 = 0x80_0000;

const fn find(number: u16) -> Option<usize> {
    let mut i = 0;
    while i < KEPT.len() {
        if KEPT[i].0 == number {
            return Some(i);
        }
        i += 1;
    }
    None
}

/// Index of a register that is in the table for certain; evaluated while compiling.
const fn index(number: u16) -> usize {
    let mut i = 0;
    while KEPT[i].0 != number {
        i += 1;
    }
    i
}

/// What EPLC or EPSC describe: in place of what external process ID instructions access storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct External {
    /// Problem state.
    pub problem: bool,
    /// Address space 1.
    pub space: bool,
    /// Process ID.
    pub pid: u32,
}

/// Registers of BookE besides those of every family and those in the shared page.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct BookE {
    /// The TLB arrays.
    pub tlb: Tlb,
    /// PID1 and PID2; PID0 is `VcpuState::pid`.
    pub pids: [u32; 2],
    /// Decrementer, fixed-interval timer, watchdog.
    pub timers: Timers,
    /// Doorbells that rang, as [`crate::request`] bits.
    pub doorbells: u32,
    /// A machine check waits to be let in.
    pub machine_check: bool,
    /// Performance monitor: kept, never counting.
    monitor: [u32; 13],
    /// The guest asked for a reset of the processor (`DBCR0[RST]`).
    pub reset: bool,
    kept: [u64; KEPT.len()],
}

macro_rules! named {
    ($($(#[$doc:meta])* $get:ident, $set:ident, $spr:ident;)*) => {$(
        $(#[$doc])*
        pub fn $get(&self) -> u64 {
            const INDEX: usize = index(spr::$spr);
            self.kept[INDEX]
        }
        $(#[$doc])*
        pub fn $set(&mut self, value: u64) {
            const INDEX: usize = index(spr::$spr);
            self.kept[INDEX] = value;
        }
    )*};
}

impl BookE {
    /// Registers after reset.
    pub fn new(cpu: Cpu) -> BookE {
        let tlb = Tlb::new(cpu);
        let mut kept = [0; KEPT.len()];
        let [mmucfg, tlb0cfg, tlb1cfg] = tlb.configuration().map(u64::from);
        let cache = L1_CACHE | if cpu.sixty_four() { L1_BLOCK_64 } else { 0 };
        let configuration = [
            (spr::MMUCFG, mmucfg),
            (spr::TLB0CFG, tlb0cfg),
            (spr::TLB1CFG, tlb1cfg),
            (spr::L1CFG0, cache),
            (spr::L1CFG1, cache),
        ];
        for (number, value) in configuration {
            if let Some(slot) = find(number).and_then(|i| kept.get_mut(i)) {
                *slot = value;
            }
        }
        BookE {
            tlb,
            pids: [0; 2],
            timers: Timers::default(),
            doorbells: 0,
            machine_check: false,
            monitor: [0; 13],
            reset: false,
            kept,
        }
    }

    named! {
        /// Critical save/restore register 0.
        csrr0, set_csrr0, CSRR0;
        /// Critical save/restore register 1.
        csrr1, set_csrr1, CSRR1;
        /// Debug save/restore register 0.
        dsrr0, set_dsrr0, DSRR0;
        /// Debug save/restore register 1.
        dsrr1, set_dsrr1, DSRR1;
        /// Machine check save/restore register 0.
        mcsrr0, set_mcsrr0, MCSRR0;
        /// Machine check save/restore register 1.
        mcsrr1, set_mcsrr1, MCSRR1;
        /// Machine check syndrome.
        mcsr, set_mcsr, MCSR;
        /// Machine check address.
        mcar, set_mcar, MCAR;
        /// Debug status.
        dbsr, set_dbsr, DBSR;
        /// Vector of the interrupt that was acknowledged on delivery.
        epr, set_epr, EPR;
        /// Hardware implementation register 0.
        hid0, set_hid0, HID0;
    }

    /// Notes in L1CSR1 or L1CSR0 that a block could not be locked in the `instruction` or data cache.
    pub fn refuse_lock(&mut self, instruction: bool) {
        const INDEX: [usize; 2] = [index(spr::L1CSR0), index(spr::L1CSR1)];
        self.kept[INDEX[usize::from(instruction)]] |= 0x400;
    }

    /// Where interrupt `number` (of IVOR0 to IVOR15, IVOR32 to IVOR37) goes.
    pub fn vector(&self, number: u16) -> u64 {
        const IVPR: usize = index(spr::IVPR);
        let ivor = if number < 32 { spr::IVOR0 + number } else { spr::IVOR32 + (number - 32) };
        self.kept[IVPR] | find(ivor).and_then(|i| self.kept.get(i)).copied().unwrap_or(0)
    }

    /// MSR bits that interrupts set.
    pub fn interrupt_msr(&self) -> u64 {
        const EPCR: usize = index(spr::EPCR);
        if self.kept[EPCR] & EPCR_ICM != 0 { ppc_isa::msr::CM } else { 0 }
    }

    /// What EPSC describes, or EPLC if it is not a `store`.
    pub fn external(&self, store: bool) -> External {
        const INDEX: [usize; 2] = [index(spr::EPLC), index(spr::EPSC)];
        let word = self.kept[INDEX[usize::from(store)]];
        External { problem: word & 1 << 31 != 0, space: word & 1 << 30 != 0, pid: word as u32 & 0x3fff }
    }

    /// Whether debug events interrupt, where `MSR[DE]` lets them.
    pub fn debugs(&self) -> bool {
        const DBCR0: usize = index(spr::DBCR0);
        self.kept[DBCR0] & INTERNAL_DEBUG != 0
    }

    /// Whether each instruction is a debug event.
    pub fn steps(&self) -> bool {
        const DBCR0: usize = index(spr::DBCR0);
        self.debugs() && self.kept[DBCR0] & INSTRUCTION_COMPLETE != 0
    }

    /// What SPR `number` keeps, if `cpu` has such a one.
    pub fn kept(&self, cpu: Cpu, number: u16) -> Option<u64> {
        let i = find(number)?;
        if KEPT.get(i)?.2.contains(cpu) { self.kept.get(i).copied() } else { None }
    }

    /// Lets SPR `number` keep what it can of `value`. `None` when `cpu` has no such one.
    pub fn keep(&mut self, cpu: Cpu, number: u16, value: u64) -> Option<()> {
        let i = find(number)?;
        let &(_, mask, models) = KEPT.get(i)?;
        if mask == 0 || !models.contains(cpu) {
            return None;
        }
        *self.kept.get_mut(i)? = value & mask;
        Some(())
    }

    /// Where among these registers, in bytes, BUCSR is, and what it keeps of a value: no branch is ever predicted.
    pub const BUCSR: (usize, u64) = {
        let at = index(spr::BUCSR);
        (std::mem::offset_of!(BookE, kept) + 8 * at, KEPT[at].1)
    };

    /// Performance monitor register `number`; bit 4 of it tells whether it is the privileged name of the register.
    pub fn monitor(&mut self, number: u16) -> Option<&mut u32> {
        // PMC0-3, PMLCa0-3, PMLCb0-3, PMGC0 (e500 Core Family Reference Manual, table 2-37).
        let (group, n) = (number >> 7, number & 3);
        let known = number & 0x6c == 0 && (group < 3 || group == 3 && n == 0);
        if known { self.monitor.get_mut(usize::from(4 * group + n)) } else { None }
    }
}
