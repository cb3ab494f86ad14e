//! State of the partition: what all vCPUs of a guest share and the hypervisor sets.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use guest_mem::Order;
use ppc_mmu::HashTable;
use ppc_mmu::resizable::Resizable;

/// The interrupt location that H_SET_MODE chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ail {
    /// Interrupts go to real addresses with relocation off.
    Off,
    /// Interrupts taken with relocation on go to 0xC000_0000_0000_4000 with relocation on.
    High,
}

/// Partition-wide state. Written by the hypervisor, read by every engine.
pub struct PartitionState {
    little_interrupts: AtomicBool,
    high_interrupts: AtomicBool,
    radix: AtomicBool,
    large_decrementer: bool,
    process_table: AtomicU64,
    process_table_size: AtomicU64,
    /// `LPCR[GTSE]`.
    guest_invalidates: AtomicBool,
    hash: Option<Resizable>,
}

impl PartitionState {
    /// A partition after reset: hash translation with the given table, or none decided; big-endian interrupts.
    pub fn new(hash: Option<HashTable>, large_decrementer: bool) -> PartitionState {
        PartitionState {
            little_interrupts: AtomicBool::new(false),
            high_interrupts: AtomicBool::new(false),
            radix: AtomicBool::new(false),
            large_decrementer,
            process_table: AtomicU64::new(0),
            process_table_size: AtomicU64::new(0),
            guest_invalidates: AtomicBool::new(true),
            hash: hash.map(Resizable::new),
        }
    }

    /// `LPCR[ILE]`: byte order of interrupt handlers.
    pub fn interrupt_order(&self) -> Order {
        if self.little_interrupts.load(Ordering::Acquire) { Order::Little } else { Order::Big }
    }

    /// Sets `LPCR[ILE]`.
    pub fn set_interrupt_order(&self, order: Order) {
        self.little_interrupts.store(order == Order::Little, Ordering::Release);
    }

    /// `LPCR[AIL]`.
    pub fn ail(&self) -> Ail {
        if self.high_interrupts.load(Ordering::Acquire) { Ail::High } else { Ail::Off }
    }

    /// Sets `LPCR[AIL]`.
    pub fn set_ail(&self, ail: Ail) {
        self.high_interrupts.store(ail == Ail::High, Ordering::Release);
    }

    /// Whether the partition translates by radix trees.
    pub fn radix(&self) -> bool {
        self.radix.load(Ordering::Acquire)
    }

    /// Registers the process table: guest real address and size in bytes.
    pub fn set_process_table(&self, radix: bool, table: u64, size: u64) {
        self.process_table.store(table, Ordering::Release);
        self.process_table_size.store(size, Ordering::Release);
        self.radix.store(radix, Ordering::Release);
    }

    /// The process table: guest real address and size in bytes.
    pub fn process_table(&self) -> (u64, u64) {
        (self.process_table.load(Ordering::Acquire), self.process_table_size.load(Ordering::Acquire))
    }

    /// `LPCR[GTSE]`: with radix trees the guest executes `tlbie` and `tlbsync` itself.
    pub fn guest_invalidates(&self) -> bool {
        self.guest_invalidates.load(Ordering::Acquire)
    }

    /// Sets `LPCR[GTSE]`.
    pub fn set_guest_invalidates(&self, on: bool) {
        self.guest_invalidates.store(on, Ordering::Release);
    }

    /// The hashed page table in force.
    pub fn hash(&self) -> Option<&HashTable> {
        self.hash.as_ref()?.current()
    }

    /// Hashed page tables of all sizes that there are.
    pub fn hash_tables(&self) -> Option<&Resizable> {
        self.hash.as_ref()
    }

    /// `LPCR[LD]`: the decrementer has 56 bits.
    pub fn large_decrementer(&self) -> bool {
        self.large_decrementer
    }
}
