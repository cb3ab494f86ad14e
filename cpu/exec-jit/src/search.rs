//! The search of the fast TLB, which all accesses share: where the entry that one remembers is not the right one, it calls.

use std::mem::offset_of;

use guest_mem::NOTICED;

use crate::asm::{Alu, Asm, Cond, Label, Mem, Reg, Rm, Shift, Size};
use crate::host::{Frame, frame_field};
use crate::tlb::{self, Entry};

/// Addresses of the searches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Searches {
    /// By unit, whether for a store, and log2 of the bytes.
    at: [[[u64; SIZES]; 2]; UNITS.len()],
    /// The same, see [`Searches::single`].
    single: [[[u64; SIZES]; 2]; UNITS.len()],
    /// By unit, and by what is needed.
    wide: [[u64; Needs::ALL.len()]; UNITS.len()],
}

/// What is done in a unit.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Something is loaded.
    pub loads: bool,
    /// Something is stored.
    pub stores: bool,
}

impl Needs {
    const ALL: [Needs; 3] = [
        Needs { loads: true, stores: false },
        Needs { loads: false, stores: true },
        Needs { loads: true, stores: true },
    ];

    /// Another access that `stores` or loads.
    pub fn with(self, stores: bool) -> Needs {
        Needs { loads: self.loads || !stores, stores: self.stores || stores }
    }
}

const UNITS: [u8; 2] = [tlb::LARGE, tlb::SMALL];
const SIZES: usize = 5;

impl Searches {
    /// The search for units of 2^`unit` bytes, for an access of `bytes`: 1 where it is to be found only if it is aligned.
    ///
    /// It takes the effective address in RAX and its tag, with the low bits of what is to be aligned, in RDX, which is lost.
    /// RCX is the entry then; with carry there is none.
    pub fn of(&self, unit: u8, stores: bool, bytes: u8) -> u64 {
        let unit = usize::from(unit == tlb::SMALL);
        self.at[unit][usize::from(stores)][bytes.trailing_zeros() as usize % SIZES]
    }

    /// The same with a look at the entry that is remembered at the address in RCX, where the one that is found is
    /// remembered. RCX is what is added to the address then.
    pub fn single(&self, unit: u8, stores: bool, bytes: u8) -> u64 {
        let unit = usize::from(unit == tlb::SMALL);
        self.single[unit][usize::from(stores)][bytes.trailing_zeros() as usize % SIZES]
    }

    /// The search for all of a unit: the effective address in RAX, its tag in RDX, which both stay. RCX is the entry then;
    /// with carry there is none.
    pub fn wide(&self, unit: u8, needs: Needs) -> u64 {
        let number = Needs::ALL.iter().position(|other| *other == needs).unwrap_or_default();
        self.wide[usize::from(unit == tlb::SMALL)][number]
    }

    /// Assembles them, with data at `data`. Stores are `watched` if there are several vCPUs.
    pub fn assemble(asm: &mut Asm, data: u64, watched: bool) -> Searches {
        let mut searches = Searches::default();
        for (number, unit) in UNITS.into_iter().enumerate() {
            for (stores, size) in
                [false, true].into_iter().flat_map(|stores| (0..SIZES).map(move |size| (stores, size)))
            {
                let at = asm.here();
                search(asm, data, unit, 1 << size, stores, watched);
                searches.at[number][usize::from(stores)][size] = at;
                searches.single[number][usize::from(stores)][size] = asm.here();
                single(asm, data, unit, 1 << size, stores, at);
            }
        }
        let table = frame_field(data, offset_of!(Frame, tlb));
        for (unit, by_needs) in UNITS.into_iter().zip(&mut searches.wide) {
            for (needs, at) in Needs::ALL.into_iter().zip(by_needs) {
                let none = asm.label();
                *at = asm.here();
                entry(asm, table, unit);
                compare(asm, needs, none);
                asm.ret();
                asm.bind(none);
                asm.stc();
                asm.ret();
            }
        }
        searches
    }
}

fn search(asm: &mut Asm, data: u64, unit: u8, bytes: u8, stores: bool, watched: bool) {
    let field = |offset: usize| frame_field(data, offset);
    let tag = Entry::tag_at(stores);
    let of_entry = |offset: usize| Mem::Base(Reg::Rcx, offset as i32);
    let (other, slow) = (asm.label(), asm.label());
    entry(asm, field(offset_of!(Frame, tlb)), unit);
    asm.alu(Alu::Cmp, Size::Q, Reg::Rdx, of_entry(tag));
    asm.jcc(Cond::Ne, other);
    asm.ret();
    asm.bind(other);
    if stores && !watched {
        // The unit has code, but maybe not in this page.
        let unaligned = asm.label();
        asm.alu(Alu::Cmp, Size::Q, Reg::Rdx, of_entry(offset_of!(Entry, careful)));
        asm.jcc(Cond::Ne, unaligned);
        asm.mov(Size::Q, Reg::Rdx, of_entry(offset_of!(Entry, addend)));
        asm.alu(Alu::Add, Size::Q, Reg::Rdx, Reg::Rax);
        asm.shift_imm(Shift::Shr, Size::Q, Reg::Rdx, guest_mem::PAGE_SHIFT as u8);
        asm.shift_imm(Shift::Shl, Size::Q, Reg::Rdx, 3);
        asm.alu(Alu::Add, Size::Q, Reg::Rdx, field(offset_of!(Frame, code)));
        asm.test_imm(Size::D, Mem::Base(Reg::Rdx, 0), NOTICED as i32);
        asm.jcc(Cond::Ne, slow);
        asm.ret();
        asm.bind(unaligned);
    }
    if bytes > 1 {
        // What is not aligned is as good inside a unit, where stores look at no page and granule.
        let whole = field(offset_of!(Frame, whole) + 8 * usize::from(stores));
        asm.alu_imm(Alu::And, Size::Q, Reg::Rdx, -i32::from(bytes));
        asm.alu(Alu::Cmp, Size::Q, Reg::Rdx, of_entry(tag));
        asm.jcc(Cond::Ne, slow);
        asm.mov(Size::D, Reg::Rdx, Reg::Rax);
        asm.alu(Alu::And, Size::D, Reg::Rdx, whole);
        asm.alu_imm(Alu::Add, Size::D, Reg::Rdx, i32::from(bytes - 1));
        asm.alu(Alu::Cmp, Size::D, Reg::Rdx, whole);
        asm.jcc(Cond::A, slow);
        asm.test(Size::D, Reg::Rdx, Reg::Rdx);
        asm.ret();
    }
    asm.bind(slow);
    asm.stc();
    asm.ret();
}

/// Looks at what is remembered before the search at the address `search`.
fn single(asm: &mut Asm, data: u64, unit: u8, bytes: u8, stores: bool, search: u64) {
    let of_entry = |offset: usize| Mem::Base(Reg::Rcx, offset as i32);
    let (other, none) = (asm.label(), asm.label());
    asm.push(Reg::Rcx);
    tag_of(asm, Mem::Base(Reg::Rax, 0), bytes, unit, frame_field(data, offset_of!(Frame, data_key)).into());
    asm.mov(Size::Q, Reg::Rcx, of_entry(0));
    asm.alu(Alu::Cmp, Size::Q, Reg::Rdx, of_entry(Entry::tag_at(stores)));
    asm.jcc(Cond::Ne, other);
    asm.pop(Reg::Rdx);
    asm.mov(Size::Q, Reg::Rcx, of_entry(offset_of!(Entry, addend)));
    asm.ret();
    asm.bind(other);
    asm.call_to(search);
    asm.pop(Reg::Rdx);
    asm.jcc(Cond::B, none);
    asm.store(Size::Q, Mem::Base(Reg::Rdx, 0), Reg::Rcx);
    asm.mov(Size::Q, Reg::Rcx, of_entry(offset_of!(Entry, addend)));
    asm.bind(none);
    asm.ret();
}

/// RDX = what the tag of an entry for the effective address must be.
pub fn tag_of(asm: &mut Asm, address: Mem, bytes: u8, unit: u8, key: Rm) {
    match address {
        Mem::Base(base, 0) => asm.mov(Size::Q, Reg::Rdx, base),
        _ => asm.lea(Size::Q, Reg::Rdx, address),
    }
    asm.alu_imm(Alu::And, Size::Q, Reg::Rdx, tlb::mask(unit) as i32 | i32::from(bytes - 1));
    asm.alu(Alu::Xor, Size::Q, Reg::Rdx, key);
}

/// RCX = the TLB's entry for the effective address in RAX.
pub fn entry(asm: &mut Asm, table: Mem, unit: u8) {
    asm.mov(Size::D, Reg::Rcx, Reg::Rax);
    asm.shift_imm(Shift::Shr, Size::D, Reg::Rcx, unit - tlb::ENTRY_SHIFT as u8);
    asm.alu_imm(Alu::And, Size::D, Reg::Rcx, ((tlb::ENTRIES - 1) << tlb::ENTRY_SHIFT) as i32);
    asm.alu(Alu::Add, Size::Q, Reg::Rcx, table);
}

/// Goes elsewhere unless the entry at RCX has the tag in RDX for what is needed.
pub fn compare(asm: &mut Asm, needs: Needs, elsewhere: Label) {
    let Needs { loads, stores } = needs;
    for stores in [loads.then_some(false), stores.then_some(true)].into_iter().flatten() {
        asm.alu(Alu::Cmp, Size::Q, Reg::Rdx, Mem::Base(Reg::Rcx, Entry::tag_at(stores) as i32));
        asm.jcc(Cond::Ne, elsewhere);
    }
}
