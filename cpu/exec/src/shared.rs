//! The page of register state that host and guest share: the magic page of the PPC KVM paravirtual interface.
//!
//! It is the only home of the registers in it, whether the guest has mapped it or not. Fields are in the byte order
//! that was fixed when the page was mapped (big-endian before). Layout: spec "The magic page", section 3.1.

use std::array;

use guest_mem::Order;
use ppc_isa::cpu::Family;
use ppc_mmu::Access;
use ppc_mmu::access::REAL_MASK;
use ppc_mmu::booke::Assist;
use pv_abi::magic::{FIELDS, SIZE, offset};

use crate::state::VcpuState;

pub mod saved;

/// Where the guest has mapped the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Mapped {
    /// Guest real address of the page.
    pub real: u64,
    /// Effective address of the page.
    pub effective: u64,
}

/// One vCPU's page.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct SharedPage {
    bytes: [u8; SIZE],
    order: SharedOrder,
    mapped: Option<Mapped>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SharedOrder {
    Big,
    Little,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $get:ident, $set:ident, $offset:ident;)*) => {$(
        $(#[$doc])*
        pub fn $get(&self) -> u64 {
            self.doubleword(offset::$offset)
        }
        $(#[$doc])*
        pub fn $set(&mut self, value: u64) {
            self.set_doubleword(offset::$offset, value);
        }
    )*};
}

impl Default for SharedPage {
    fn default() -> SharedPage {
        SharedPage { bytes: [0; SIZE], order: SharedOrder::Big, mapped: None }
    }
}

impl SharedPage {
    /// Offset of the page's first byte in this value, for code that reaches its fields by displacements.
    pub const BYTES: usize = std::mem::offset_of!(SharedPage, bytes);

    fields! {
        /// Machine state register.
        msr, set_msr, MSR;
        /// Save/restore register 0.
        srr0, set_srr0, SRR0;
        /// Save/restore register 1.
        srr1, set_srr1, SRR1;
        /// Data address register.
        dar, set_dar, DAR;
    }

    /// Data storage interrupt status register.
    pub fn dsisr(&self) -> u32 {
        self.word(offset::DSISR)
    }

    /// Data storage interrupt status register.
    pub fn set_dsisr(&mut self, value: u32) {
        self.set_word(offset::DSISR, value);
    }

    /// Exception syndrome register.
    pub fn esr(&self) -> u32 {
        self.word(offset::ESR)
    }

    /// Exception syndrome register.
    pub fn set_esr(&mut self, value: u32) {
        self.set_word(offset::ESR, value);
    }

    /// The MMU assist registers.
    pub fn assist(&self) -> Assist {
        let mas7_3 = self.doubleword(offset::MAS7_3);
        Assist {
            mas0: self.word(offset::MAS0),
            mas1: self.word(offset::MAS1),
            mas2: self.doubleword(offset::MAS2),
            mas3: mas7_3 as u32,
            mas4: self.word(offset::MAS4),
            mas6: self.word(offset::MAS6),
            mas7: (mas7_3 >> 32) as u32,
        }
    }

    /// Sets the MMU assist registers.
    pub fn set_assist(&mut self, value: &Assist) {
        self.set_word(offset::MAS0, value.mas0);
        self.set_word(offset::MAS1, value.mas1);
        self.set_doubleword(offset::MAS2, value.mas2);
        self.set_doubleword(offset::MAS7_3, u64::from(value.mas7) << 32 | u64::from(value.mas3));
        self.set_word(offset::MAS4, value.mas4);
        self.set_word(offset::MAS6, value.mas6);
    }

    /// SPRG `n` of 0 to 7.
    pub fn sprg(&self, n: usize) -> u64 {
        self.doubleword(Self::sprg_offset(n))
    }

    /// Sets SPRG `n` of 0 to 7.
    pub fn set_sprg(&mut self, n: usize, value: u64) {
        self.set_doubleword(Self::sprg_offset(n), value);
    }

    fn sprg_offset(n: usize) -> usize {
        let n = n & 7;
        if n < 4 { offset::SPRG0 + 8 * n } else { offset::SPRG4 + 8 * (n - 4) }
    }

    /// Segment register `n` of 0 to 15.
    pub fn segment(&self, n: usize) -> u32 {
        self.word(offset::SR + 4 * (n & 15))
    }

    /// Sets segment register `n` of 0 to 15.
    pub fn set_segment(&mut self, n: usize, value: u32) {
        self.set_word(offset::SR + 4 * (n & 15), value);
    }

    /// The word that is equal to r1 inside a critical section.
    pub fn critical(&self) -> u64 {
        self.doubleword(offset::CRITICAL)
    }

    /// Tells the guest whether an interrupt waits.
    pub fn set_int_pending(&mut self, pending: bool) {
        self.set_word(offset::INT_PENDING, u32::from(pending));
    }

    /// Whether the guest was told that an interrupt waits.
    pub fn int_pending(&self) -> bool {
        self.word(offset::INT_PENDING) != 0
    }

    /// The processor's number, as a patched read of PIR finds it.
    pub fn set_pir(&mut self, pir: u32) {
        self.set_word(offset::PIR, pir);
    }

    /// Maps the page, or unmaps it when both addresses are zero, and fixes its byte order.
    pub fn map(&mut self, real: u64, effective: u64, order: Order) {
        self.put_in(order);
        let (real, effective) = (real & REAL_MASK & !0xfff, effective & !0xfff);
        self.mapped = (real != 0 || effective != 0).then_some(Mapped { real, effective });
    }

    /// The guest will map the page in this byte order, if at all. Nobody sees the order of a page that is not mapped, but
    /// engines that make code for it need not make that again.
    pub fn expect(&mut self, order: Order) {
        if self.mapped.is_none() {
            self.put_in(order);
        }
    }

    fn put_in(&mut self, order: Order) {
        let order = if order == Order::Little { SharedOrder::Little } else { SharedOrder::Big };
        if order != self.order {
            for field in FIELDS {
                for element in 0..field.count {
                    self.reverse(field.offset + element * field.bytes, field.bytes);
                }
            }
            self.order = order;
        }
    }

    /// Byte order of the fields.
    pub fn order(&self) -> Order {
        match self.order {
            SharedOrder::Big => Order::Big,
            SharedOrder::Little => Order::Little,
        }
    }

    /// Where the page is mapped.
    pub fn mapped(&self) -> Option<Mapped> {
        self.mapped
    }

    /// Whether an access at `ea` meets the page (spec ppc-pv 3.3): from privileged state, on Book3S at its effective
    /// address with relocation on and at its real one with relocation off; on BookE data in address space 0 only.
    pub fn visible(&self, state: &VcpuState, ea: u64, access: Access) -> bool {
        let Some(mapped) = self.mapped else { return false };
        if state.mode.problem() {
            return false;
        }
        let relocated = match access {
            Access::Fetch => state.mode.fetch_relocated(),
            Access::Load | Access::Store => state.mode.data_relocated(),
        };
        let page = ea & !0xfff;
        let at_effective = self.mapped_at(state, ea);
        match state.cpu.family() {
            Family::BookE => access != Access::Fetch && !relocated && at_effective,
            _ if relocated => at_effective,
            _ => page & REAL_MASK == state.effective(mapped.real) & REAL_MASK,
        }
    }

    /// Whether `ea` is on the page where that is mapped for privileged software.
    pub fn mapped_at(&self, state: &VcpuState, ea: u64) -> bool {
        self.mapped.is_some_and(|mapped| ea & !0xfff == state.effective(mapped.effective))
    }

    /// Whether the guest's own translation to `real` leads to the page. BookE has no such rule.
    pub fn overrides(&self, state: &VcpuState, real: u64) -> bool {
        state.cpu.family() != Family::BookE && self.mapped.is_some_and(|mapped| mapped.real == real & !0xfff)
    }

    /// Whether what is found at `ea` depends on more than its translation: the page may be there in another mode.
    pub fn shadows(&self, ea: u64) -> bool {
        let same = |address: u64| (address ^ ea) & 0xffff_f000 == 0;
        self.mapped.is_some_and(|mapped| same(mapped.effective) || same(mapped.real))
    }

    /// The instruction word at `ea` of the page.
    pub fn instruction(&self, ea: u64, order: Order) -> u32 {
        let bytes = self.bytes((ea & 0xffc) as usize);
        if order == Order::Little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    }

    fn reverse(&mut self, at: usize, len: usize) {
        if let Some(field) = self.bytes.get_mut(at..at + len) {
            field.reverse();
        }
    }

    /// `N` bytes at `offset`, in memory order; those past the end are zero.
    pub fn bytes<const N: usize>(&self, offset: usize) -> [u8; N] {
        let rest = self.bytes.get(offset..).unwrap_or(&[]);
        rest.first_chunk().copied().unwrap_or_else(|| array::from_fn(|n| rest.get(n).copied().unwrap_or(0)))
    }

    /// Stores bytes at `offset`; what does not fit into the page is dropped.
    pub fn set_bytes(&mut self, offset: usize, value: &[u8]) {
        for (slot, &byte) in self.bytes.iter_mut().skip(offset).zip(value) {
            *slot = byte;
        }
    }

    fn doubleword(&self, at: usize) -> u64 {
        let bytes = self.bytes(at);
        match self.order {
            SharedOrder::Big => u64::from_be_bytes(bytes),
            SharedOrder::Little => u64::from_le_bytes(bytes),
        }
    }

    fn set_doubleword(&mut self, at: usize, value: u64) {
        match self.order {
            SharedOrder::Big => self.set_bytes(at, &value.to_be_bytes()),
            SharedOrder::Little => self.set_bytes(at, &value.to_le_bytes()),
        }
    }

    fn word(&self, at: usize) -> u32 {
        let bytes = self.bytes(at);
        match self.order {
            SharedOrder::Big => u32::from_be_bytes(bytes),
            SharedOrder::Little => u32::from_le_bytes(bytes),
        }
    }

    fn set_word(&mut self, at: usize, value: u32) {
        match self.order {
            SharedOrder::Big => self.set_bytes(at, &value.to_be_bytes()),
            SharedOrder::Little => self.set_bytes(at, &value.to_le_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bytes_are_read_and_nothing_behind_them() {
        let mut page = SharedPage::default();
        page.set_bytes(SIZE - 2, &[1, 2, 3]);
        assert_eq!(page.bytes(SIZE - 2), [1, 2]);
        assert_eq!(page.bytes(SIZE - 3), [0, 1, 2, 0, 0, 0, 0, 0]);
        assert_eq!((page.bytes(SIZE), page.bytes(usize::MAX)), ([0; 4], [0; 8]));
    }

    #[test]
    fn values_survive_a_change_of_order() {
        let mut page = SharedPage::default();
        page.set_msr(0x8000_0000_0000_1032);
        page.set_dsisr(0x4200_0000);
        page.set_sprg(5, 55);
        page.map(0xffff_ffff_ffff_f000, 0xffff_ffff_ffff_f001, Order::Little);
        assert_eq!(page.msr(), 0x8000_0000_0000_1032);
        assert_eq!(page.dsisr(), 0x4200_0000);
        assert_eq!(page.sprg(5), 55);
        assert_eq!(page.bytes::<8>(offset::MSR), 0x8000_0000_0000_1032u64.to_le_bytes());
        assert_eq!(page.mapped().unwrap().real, 0x0fff_ffff_ffff_f000);
        page.expect(Order::Big);
        assert_eq!(page.order(), Order::Little);
        page.map(0, 0, Order::Little);
        assert_eq!(page.mapped(), None);
        page.expect(Order::Big);
        assert_eq!((page.order(), page.sprg(5), page.mapped()), (Order::Big, 55, None));
    }
}
