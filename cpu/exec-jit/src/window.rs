//! The window: memory around the stack pointer, which programs access most.
//!
//! What is added to an address near r1 to make the host's stands in the frame, or 0. It is looked up where r1 is written,
//! unless r1 stays in the unit of the TLB that it was in; accesses with a displacement from r1 look nowhere else. The window
//! follows from the TLB and the space: whenever the engine changes either, it looks again.

use std::mem::offset_of;

use exec::VcpuState;

use crate::asm::{Alu, Asm, Cond, Label, Mem, Reg, Size, op};
use crate::host::Data;
use crate::loadstore;
use crate::lower::{Lower, Search, Setting, Stub, frame};
use crate::search::{self, Needs};
use crate::tlb::{self, Entry, LARGE};

/// Bytes below r1 that are in reach: what leaf functions use, and most frames. Where r1 is that near to an end of its unit
/// there is no window, so it is better that this is seldom.
const BELOW: i32 = 512;
/// Bytes from r1 on that are in reach.
const ABOVE: i32 = 512;
/// How far r1 may go in a unit.
const LEEWAY: i32 = (1 << LARGE) - BELOW - ABOVE;
/// The guest's stack pointer.
pub const STACK: usize = 1;

/// What code knows of the memory around r1.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Window {
    /// What is added to an address in reach to make the host's, or 0: nothing is known.
    pub addend: u64,
    /// The least r1 for which that holds.
    pub start: u64,
}

impl Window {
    /// The window around `r1`, as the mode sees it, in space `key`. Stores go through it only if the unit has no code.
    pub fn around(r1: u64, key: u64, entries: &[Entry], stores: bool) -> Window {
        let start = (r1 & tlb::mask(LARGE)).wrapping_add(BELOW as u64);
        if r1.wrapping_sub(start) >= LEEWAY as u64 {
            // It is not worth a look while r1 stays there, and where it goes from there in calls.
            let end = r1.wrapping_add(ABOVE as u64) & tlb::mask(LARGE);
            return Window { addend: 0, start: end.wrapping_add_signed(i64::from(BELOW - LEEWAY)) };
        }
        let tag = tlb::tag(r1, key, LARGE);
        match entries.get(tlb::index(r1, LARGE)) {
            Some(entry) if entry.load == tag && (!stores || entry.store == tag) => {
                Window { addend: entry.addend, start }
            }
            _ => Window { addend: 0, start: r1 ^ 1 << 63 },
        }
    }

    /// That of the state.
    pub fn of(state: &VcpuState, data: &Data, stores: bool) -> Window {
        Window::around(state.effective(state.gpr[STACK]), data.frame.data_key, &data.tlb, stores)
    }
}

/// Assembles [`Window::around`] for RAX, which is lost, and so are RCX and RDX. `window`, `table` and `key` are
/// their places in the frame.
pub fn assemble(asm: &mut Asm, window: Mem, table: Mem, key: Mem, stores: bool) {
    let (none, near) = (asm.label(), asm.label());
    let start = window.at(offset_of!(Window, start) as i32);
    from_start(asm);
    asm.alu_imm(Alu::Cmp, Size::D, Reg::Rdx, LEEWAY);
    asm.jcc(Cond::Ae, near);
    search::entry(asm, table, LARGE);
    loadstore::tag_of(asm, loadstore::IN_RAX, 1, LARGE, key.into());
    search::compare(asm, Needs { loads: true, stores }, none);
    from_start(asm);
    asm.alu(Alu::Sub, Size::Q, Reg::Rax, Reg::Rdx);
    asm.store(Size::Q, start, Reg::Rax);
    asm.mov(Size::Q, Reg::Rcx, Mem::Base(Reg::Rcx, offset_of!(Entry, addend) as i32));
    asm.store(Size::Q, window, Reg::Rcx);
    asm.ret();
    asm.bind(none);
    let known = asm.label();
    asm.mov_imm(Reg::Rcx, 1 << 63);
    asm.alu(Alu::Xor, Size::Q, Reg::Rax, Reg::Rcx);
    asm.jmp(known);
    asm.bind(near);
    asm.alu_imm(Alu::Add, Size::Q, Reg::Rax, ABOVE);
    asm.alu_imm(Alu::And, Size::Q, Reg::Rax, tlb::mask(LARGE) as i32);
    asm.alu_imm(Alu::Add, Size::Q, Reg::Rax, BELOW - LEEWAY);
    asm.bind(known);
    asm.store(Size::Q, start, Reg::Rax);
    asm.store_imm(Size::Q, window, 0);
    asm.ret();
}

/// EDX = how far the address in RAX is from the start of its unit's window.
fn from_start(asm: &mut Asm) {
    asm.insn(op::MOVZX16, Reg::Rdx, Reg::Rax);
    asm.alu_imm(Alu::Sub, Size::D, Reg::Rdx, BELOW);
}

impl Lower<'_> {
    /// Whether an access at r1 + `displacement` goes through the window.
    pub fn is_in_window(&self, displacement: i32, bytes: u8, stores: bool) -> bool {
        let reach = -BELOW..=ABOVE - i32::from(bytes);
        let Setting { unit, watched, .. } = self.setting;
        unit == LARGE && reach.contains(&displacement) && !(stores && watched.is_some()) && !self.is_streamed()
    }

    /// The place in the host of what is at r1 + `displacement`. Where there is no window it is searched for in the TLB, or
    /// code goes to `slow` with the effective address in RAX. RCX is part of the place, RAX and RDX are lost.
    pub fn window_place(&mut self, displacement: i32, bytes: u8, stores: bool, slow: Label) -> Mem {
        let window = frame!(self, window);
        let base = self.value(STACK, Reg::Rax);
        let address = Mem::Base(base, displacement);
        let stays = base != Reg::Rax && self.setting.sixty_four;
        if !stays {
            self.asm.lea(self.mode_size(), Reg::Rax, address);
        }
        let (label, back) = (self.asm.label(), self.asm.label());
        self.asm.mov(Size::Q, Reg::Rcx, window);
        self.asm.test(Size::Q, Reg::Rcx, Reg::Rcx);
        self.asm.jcc(Cond::E, label);
        self.asm.bind(back);
        let at = if stays { address } else { loadstore::IN_RAX };
        let (tag, hint) = (Entry::tag_at(stores), self.hint(0));
        let search = self.setting.entry.searches.of(LARGE, stores, bytes);
        self.slow_search(Search {
            label,
            back,
            slow,
            hint,
            looked: false,
            older: 0,
            address: at,
            tag,
            search,
            bytes,
            index: None,
        });
        at.plus(Reg::Rcx)
    }

    /// Behind an instruction that has written r1: looks whether it is still in the window.
    pub fn move_window(&mut self) {
        if self.setting.unit != LARGE {
            return;
        }
        let size = self.mode_size();
        let start = frame!(self, window).at(offset_of!(Window, start) as i32);
        let label = self.asm.label();
        let r1 = self.operand(STACK);
        self.asm.mov(size, Reg::Rax, r1);
        self.asm.alu(Alu::Sub, Size::Q, Reg::Rax, start);
        self.asm.alu_imm(Alu::Cmp, Size::Q, Reg::Rax, LEEWAY);
        self.asm.jcc(Cond::Ae, label);
        let back = self.asm.label();
        self.asm.bind(back);
        self.behind(Stub::Window { label, back });
    }

    /// Code that looks for another window, behind the region.
    pub fn look_around(&mut self, label: Label, back: Label) {
        let start = frame!(self, window).at(offset_of!(Window, start) as i32);
        self.asm.bind(label);
        self.asm.alu(Alu::Add, Size::Q, Reg::Rax, start);
        self.asm.call_to(self.setting.entry.window);
        self.asm.jmp(back);
    }
}
