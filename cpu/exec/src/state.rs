//! The registers of one vCPU: plain data, no host pointers, laid out for a translator's short displacements.

use guest_mem::{GuestMem, Order};
use ppc_isa::Cpu;
use ppc_isa::cpu::Family;
use ppc_mmu::book3s32::Pages;
use ppc_mmu::{Keys, Slb, Space, Tables};

use crate::fp::fpscr;
use crate::mode::{self, Mode};
use crate::partition::PartitionState;

pub mod book3s32;
pub mod booke;

pub use book3s32::Book3s32;
pub use booke::BookE;

/// Bits of SRR1 that tell of prefixed instructions (Power ISA 3.1 Book III, section 7.5).
pub mod prefix {
    /// The instruction is prefixed.
    pub const PREFIXED: u32 = 0x2000_0000;
    /// Prefix and suffix stand on either side of a boundary of 64 bytes.
    pub const BOUNDARY: u32 = 0x1000_0000;
}

/// Bits of DEXCR (Power ISA 3.1B Book III, section 9.3.1): an aspect each, for privileged state; those for problem state
/// stand in the low half.
pub mod dexcr {
    /// hashst and hashchk are enabled.
    pub const NPHIE: u64 = 1 << 58;
    /// hashstp and hashchkp are enabled.
    pub const PHIE: u64 = 1 << 57;
    /// Right shift of an aspect to its bit for problem state.
    pub const PROBLEM: u32 = 32;
}

/// A reservation made by a load-and-reserve instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Reservation {
    /// Bytes reserved; 0 = none.
    pub bytes: u8,
    /// Real address.
    pub real: u64,
    /// Value loaded, in memory order; doubleword at the lower address first.
    pub value: [u64; 2],
}

/// Bytes that `copy` and `paste.` move.
pub const COPY_BLOCK: usize = 128;

/// Registers that are not in the shared page.
///
/// The MSR, SRR0/1, DAR, DSISR and SPRG0-3 live in [`crate::SharedPage`] and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct VcpuState {
    /// General purpose registers.
    pub gpr: [u64; 32],
    /// Address of the current instruction; between instructions, of the next one.
    pub cia: u64,
    /// Where a taken branch goes.
    pub target: u64,
    /// Link register.
    pub lr: u64,
    /// Count register.
    pub ctr: u64,
    /// CR fields, 4 bits each: LT GT EQ SO from bit 3 down.
    pub cr: [u8; 8],
    /// `XER[CA]`.
    pub ca: bool,
    /// `XER[OV]`.
    pub ov: bool,
    /// `XER[SO]`.
    pub so: bool,
    /// `XER[CA32]`, ISA 3.0.
    pub ca32: bool,
    /// `XER[OV32]`, ISA 3.0.
    pub ov32: bool,
    /// XER bits without a field of their own (string count and reserved ones that keep their value).
    pub xer_low: u32,
    /// Mode word.
    pub mode: Mode,
    /// Needs that are not met, see [`mode::need`].
    pub unavailable: u16,
    /// CPU model.
    pub cpu: Cpu,
    /// Instructions completed.
    pub retired: u64,
    /// Vector-scalar registers; element 0 is doubleword 0. FPR n is doubleword 0 of VSR n, VR n is VSR 32 + n.
    pub vsr: [[u64; 2]; 64],
    /// Floating-point status and control register.
    pub fpscr: u64,
    /// Vector status and control register: NJ and SAT.
    pub vscr: u32,
    /// VRSAVE.
    pub vrsave: u32,
    /// The reservation.
    pub reservation: Reservation,
    /// What `copy` has read and `paste.` will write, as doublewords in the guest's byte order.
    pub copy_buffer: Option<[u64; COPY_BLOCK / 8]>,
    /// Target address register.
    pub tar: u64,
    /// Data stream control register.
    pub dscr: u64,
    /// Program priority register.
    pub ppr: u64,
    /// Control register.
    pub ctrl: u32,
    /// Facility status and control register.
    pub fscr: u64,
    /// Process ID.
    pub pid: u32,
    /// Authority mask register.
    pub amr: u64,
    /// Instruction authority mask register.
    pub iamr: u64,
    /// User authority mask override register.
    pub uamor: u64,
    /// Come-from address register.
    pub cfar: u64,
    /// Timebase value at which the decrementer turns negative.
    pub decrementer: u64,
    /// What is added to the clock to make the timebase.
    pub timebase_offset: u64,
    /// Thread ID register.
    pub tidr: u64,
    /// Dynamic execution control register, see [`dexcr`].
    pub dexcr: u64,
    /// HASHKEYR, and HASHPKEYR, which a guest neither reads nor writes.
    pub hash_keys: [u64; 2],
    /// Event-based branches: BESCR, EBBHR, EBBRR. No event ever occurs.
    pub ebb: [u64; 3],
    /// Performance monitor registers 768..=798 by their low five bits. Kept, never counting.
    pub pmu: [u64; 32],
    /// Segment lookaside buffer.
    pub slb: Slb,
    /// Processor identification (server number).
    pub pir: u32,
    /// An interrupt is pending that the guest does not let in: the MSR bits each of which would let in one, else 0.
    pub held: u64,
    /// What SRR1 will say of the instruction that caused an interrupt, if it is prefixed, see [`prefix`].
    pub prefix_status: u32,
    /// The guest switched the processor off until the next interrupt (`MSR[POW]`, `MSR[WE]`).
    pub waiting: bool,
    /// Upper words of the GPRs as the signal processing engine sees them (e500v2).
    pub gpr_high: [u32; 32],
    /// Accumulator of the signal processing engine.
    pub acc: u64,
    /// Status and control register of the signal processing engine.
    pub spefscr: u32,
    /// Privileged code is fetched from no-execute pages too (hash tables only; asked for with the shared page).
    pub ignore_no_execute: bool,
    /// Of Book3S-32 only.
    pub book3s32: Book3s32,
    /// Of BookE only.
    pub booke: BookE,
}

impl VcpuState {
    /// State after reset: all zero but what the model and the number say; the MSR is the shared page's matter.
    pub fn new(cpu: Cpu, pir: u32) -> VcpuState {
        VcpuState {
            gpr: [0; 32],
            cia: 0,
            target: 0,
            lr: 0,
            ctr: 0,
            cr: [0; 8],
            ca: false,
            ov: false,
            so: false,
            ca32: false,
            ov32: false,
            xer_low: 0,
            mode: Mode::default(),
            unavailable: mode::unavailable(0, 0),
            cpu,
            retired: 0,
            vsr: [[0; 2]; 64],
            fpscr: 0,
            vscr: 0,
            vrsave: 0,
            reservation: Reservation::default(),
            copy_buffer: None,
            tar: 0,
            dscr: 0,
            ppr: 4 << 50,
            ctrl: 1,
            fscr: 0,
            pid: 0,
            amr: 0,
            iamr: 0,
            uamor: 0,
            cfar: 0,
            decrementer: i64::MAX as u64,
            timebase_offset: 0,
            tidr: 0,
            dexcr: 0,
            hash_keys: [0; 2],
            ebb: [0; 3],
            pmu: [0; 32],
            slb: Slb::default(),
            pir,
            held: 0,
            prefix_status: 0,
            waiting: false,
            gpr_high: [0; 32],
            acc: 0,
            spefscr: 0,
            ignore_no_execute: false,
            book3s32: Book3s32::default(),
            booke: BookE::new(cpu),
        }
    }

    /// The condition register as one word, field 0 in the top bits.
    pub fn cr_word(&self) -> u32 {
        self.cr.iter().fold(0, |word, &field| (word << 4) | u32::from(field & 15))
    }

    /// Sets all CR fields.
    pub fn set_cr_word(&mut self, word: u32) {
        for (i, field) in self.cr.iter_mut().enumerate() {
            *field = (word >> (28 - 4 * i)) as u8 & 15;
        }
    }

    /// XER as mfxer reads it (Power ISA Book I, section 3.2.2). CA32 and OV32 exist from ISA 3.0 on.
    pub fn xer(&self) -> u64 {
        let bit = |value: bool, shift: u32| u64::from(value) << shift;
        let v3 = self.cpu.level() >= 300;
        bit(self.so, 31)
            | bit(self.ov, 30)
            | bit(self.ca, 29)
            | bit(self.ov32 && v3, 19)
            | bit(self.ca32 && v3, 18)
            | u64::from(self.xer_low)
    }

    /// Writes XER. Before ISA 3.0 the bits of CA32 and OV32 are reserved and read back as zero.
    pub fn set_xer(&mut self, value: u64) {
        let bit = |shift: u32| value >> shift & 1 != 0;
        self.so = bit(31);
        self.ov = bit(30);
        self.ca = bit(29);
        self.ov32 = bit(19);
        self.ca32 = bit(18);
        self.xer_low = value as u32 & 0x7f;
    }

    /// Whether an enabled floating-point exception is there and MSR lets it interrupt.
    #[inline(always)]
    pub fn fp_exception(&self) -> bool {
        self.fpscr & fpscr::FEX != 0 && self.mode.fp_exceptions()
    }

    /// Byte order of data and instructions.
    #[inline(always)]
    pub fn order(&self) -> Order {
        if self.mode.little() { Order::Little } else { Order::Big }
    }

    /// `address` as the mode uses it: 32-bit mode ignores the high word.
    #[inline(always)]
    pub fn effective(&self, address: u64) -> u64 {
        if self.mode.sixty_four() { address } else { address & 0xffff_ffff }
    }

    /// The tables that translate addresses when relocation is `on`; on BookE, those of address space `on`.
    pub fn tables<'a>(&'a self, partition: &'a PartitionState, on: bool) -> Tables<'a> {
        match self.cpu.family() {
            Family::BookE => {
                let [pid1, pid2] = self.booke.pids;
                let little = self.mode.little();
                Tables::BookE { tlb: &self.booke.tlb, pids: [self.pid, pid1, pid2], space: on, little }
            }
            _ if !on => Tables::Real,
            Family::Book3s32 => {
                let own = &self.book3s32;
                let pages = Pages { segments: &own.segments, tlb: &own.tlb, sdr1: own.table(self.cpu) };
                Tables::Book3s32 { bats: &own.bats, pages }
            }
            Family::Book3s64 => match partition.hash() {
                Some(table) if !partition.radix() => {
                    Tables::Hash { table, slb: &self.slb, ignore_no_execute: self.ignore_no_execute }
                }
                _ => {
                    let (table, size) = partition.process_table();
                    Tables::Radix { table, size, pid: self.pid }
                }
            },
        }
    }

    /// Authority masks in force.
    pub fn keys(&self) -> Keys {
        Keys { amr: self.amr, iamr: self.iamr }
    }

    /// The space in which fetches (`fetch`) or data accesses translate now.
    pub fn space<'a>(&'a self, mem: &'a GuestMem, partition: &'a PartitionState, fetch: bool) -> Space<'a> {
        let mode = self.mode;
        let on = if fetch { mode.fetch_relocated() } else { mode.data_relocated() };
        Space { mem, tables: self.tables(partition, on), problem: mode.problem(), keys: self.keys() }
    }
}
