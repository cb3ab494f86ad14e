//! Every hypercall (r3 of `sc 1`): number, name, registers, codes, and the answer of a partition that lacks it.
//!
//! Numbers are those of LoPAR 14.5 and of Linux' list; what is behind 0x45c is newer than Linux 6.1. What a call takes
//! and returns is PAPR's; where Linux and QEMU do otherwise it is theirs (spec papr 3.2). A `?` ends a list that no
//! public source completes. A row does not tell whether anybody implements the call.

use crate::status::H_FUNCTION;

/// The instruction that calls.
pub const INSTRUCTION: &str = "sc 1";
/// Its word.
pub const SC_1: u64 = 0x4400_0022;
/// The register of the number, and of the status behind the call.
pub const NUMBER: &str = "r3";
/// Registers of the arguments, and of the outputs behind the call.
pub const REGISTERS: [&str; 9] = ["r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12"];

/// One hypercall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hypercall {
    /// Number in r3.
    pub number: u64,
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub family: Family,
    /// What it is for.
    pub purpose: &'static str,
    /// Arguments from r4 on.
    pub arguments: &'static [&'static str],
    /// Outputs from r4 on. A call that fails may return fewer.
    pub outputs: &'static [&'static str],
    /// What it returns in r3 beside H_SUCCESS and H_FUNCTION. The first code of a class ([`crate::status::class`])
    /// stands for all of it.
    pub codes: &'static [i64],
    /// What a partition returns that does not have it.
    pub absent: i64,
}

impl Hypercall {
    /// Whether `code` is one that it returns, in a partition that has it or not.
    pub fn returns(&self, code: i64) -> bool {
        let class = crate::status::class(code);
        class == 0 || class == H_FUNCTION || class == self.absent || self.codes.contains(&class)
    }
}

/// A family's rows: name, number, arguments, outputs, codes, purpose, and after `else` the answer of a partition
/// without the call where it is not H_FUNCTION.
macro_rules! hypercalls {
    ($family:ident: $($name:ident = $number:literal, [$($argument:literal),*] -> [$($output:literal),*],
        [$($code:ident),*], $purpose:literal $(, else $absent:ident)?;)*) => {
        $(#[doc = concat!("`", stringify!($name), "`: ", $purpose, ".")] pub const $name: u64 = $number;)*
        pub(super) const ROWS: &[crate::hcall::Hypercall] = &[$(crate::hcall::Hypercall {
            number: $number,
            name: stringify!($name),
            family: crate::hcall::Family::$family,
            purpose: $purpose,
            arguments: &[$($argument),*],
            outputs: &[$($output),*],
            codes: &[$(crate::status::$code),*],
            absent: hypercalls!(@absent $($absent)?),
        }),*];
    };
    (@absent) => { crate::status::H_FUNCTION };
    (@absent $absent:ident) => { crate::status::$absent };
}

mod accelerator;
mod adapter;
mod console;
mod dma;
mod entitlement;
mod hash;
mod index;
mod interrupts;
mod keystore;
mod memory;
mod migration;
mod mode;
mod nested;
mod platform;
mod processor;
mod radix;
mod scm;
mod secure;
mod vio;
mod xive;

pub use index::row;
pub use {
    accelerator::*, adapter::*, console::*, dma::*, entitlement::*, hash::*, interrupts::*, keystore::*, memory::*,
    migration::*, mode::*, nested::*, platform::*, processor::*, radix::*, scm::*, secure::*, vio::*, xive::*,
};

macro_rules! families {
    ($($(#[$doc:meta])* $variant:ident = $module:ident;)*) => {
        /// What a group of calls is about; PAPR has function sets for about the same.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Family {
            $($(#[$doc])* $variant,)*
        }

        impl Family {
            /// All of them.
            pub const ALL: &[Family] = &[$(Family::$variant),*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Family::$variant => stringify!($module),)*
                }
            }
        }

        /// The rows, in the order of [`Family::ALL`].
        const FAMILIES: &[&[Hypercall]] = &[$($module::ROWS),*];
    };
}

families! {
    /// The hashed page table.
    Hash = hash;
    /// Process tables and what is translated by them.
    Radix = radix;
    /// Entries of DMA windows.
    Dma = dma;
    /// Virtual terminals.
    Console = console;
    /// Pages and cache lines by their guest real address.
    Memory = memory;
    /// Virtual processors.
    Processor = processor;
    /// Modes and facilities of the partition as a whole.
    Mode = mode;
    /// Entitlement to processors and memory, and energy.
    Entitlement = entitlement;
    /// The interrupt controller in XICS terms.
    Interrupts = interrupts;
    /// The interrupt controller in XIVE terms.
    Xive = xive;
    /// Virtual I/O: command queues, logical LAN, terminals of others.
    Vio = vio;
    /// Host channel and host Ethernet adapters.
    Adapter = adapter;
    /// Moving and suspending the partition.
    Migration = migration;
    /// Storage class memory.
    Scm = scm;
    /// The platform's key store.
    Keystore = keystore;
    /// Coprocessors and the windows to them.
    Accelerator = accelerator;
    /// Guests of the guest.
    Nested = nested;
    /// Secure virtual machines, asked for by an ultravisor.
    Secure = secure;
    /// RTAS, firmware, and counters of the platform.
    Platform = platform;
}

/// How many calls there are.
pub const COUNT: usize = {
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        count += FAMILIES[family].len();
        family += 1;
    }
    count
};

/// Every call, by family.
pub static CALLS: [Hypercall; COUNT] = {
    let mut table = [hash::ROWS[0]; COUNT];
    let (mut row, mut family) = (0, 0);
    while family < FAMILIES.len() {
        let mut n = 0;
        while n < FAMILIES[family].len() {
            table[row] = FAMILIES[family][n];
            (row, n) = (row + 1, n + 1);
        }
        family += 1;
    }
    table
};

/// Call `number`, if there is one.
pub fn find(number: u64) -> Option<&'static Hypercall> {
    CALLS.get(row(number)?)
}

/// The name of call `number`, if it has one here.
pub fn name(number: u64) -> Option<&'static str> {
    find(number).map(|call| call.name)
}

/// H_REGISTER_PROC_TBL flags.
pub mod proc_tbl {
    /// Register a new table.
    pub const NEW: u64 = 0x18;
    /// Remove the registration.
    pub const DEREGISTER: u64 = 0x10;
    /// Radix trees.
    pub const RADIX: u64 = 0x04;
    /// Hash with segment tables.
    pub const HASH_SEGMENT_TABLES: u64 = 0x02;
    /// The guest executes tlbie itself.
    pub const GTSE: u64 = 0x01;
}

/// H_SET_MODE resources.
pub mod set_mode {
    /// Completed instruction address breakpoint.
    pub const CIABR: u64 = 1;
    /// Data address watchpoint 0.
    pub const DAWR0: u64 = 2;
    /// Address translation mode on interrupt.
    pub const ADDR_TRANS_MODE: u64 = 3;
    /// Interrupt endianness.
    pub const LE: u64 = 4;
}

/// H_PAGE_INIT flags.
pub mod page_init {
    /// Fill the page with zeros.
    pub const ZERO_PAGE: u64 = 1 << 15;
    /// Copy the source page.
    pub const COPY_PAGE: u64 = 1 << 14;
    /// Make the instruction cache see it.
    pub const ICACHE_INVALIDATE: u64 = 1 << 13;
    /// The same, with the data cache written back.
    pub const ICACHE_SYNCHRONIZE: u64 = 1 << 12;
}

/// H_SIGNAL_SYS_RESET targets that are not one vCPU.
pub mod sys_reset {
    /// All vCPUs.
    pub const ALL: u64 = -1_i64 as u64;
    /// All but the caller.
    pub const ALL_OTHERS: u64 = -2_i64 as u64;
}
