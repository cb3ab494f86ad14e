//! The window: memory around the stack pointer, which programs access most.
//!
//! What is added to an address near r1 to make the host's stands in the frame, or 0. It is looked up where r1 is written,
//! unless r1 stays in the unit of the TLB that it was in; accesses with a displacement from r1 look nowhere else. Kernels'
//! stacks often begin where a unit ends, so what is in reach above r1 is known in steps. The window follows from the TLB
//! and the space: whenever the engine changes either, it looks again.

use std::mem::offset_of;

use exec::VcpuState;

use crate::asm::{Alu, Asm, Cond, Label, Mem, Reg, Shift, Size, op};
use crate::host::Data;
use crate::loadstore;
use crate::lower::{Lower, Setting, Stub, frame};
use crate::search::{self, Needs};
use crate::tlb::{self, Entry, LARGE};

/// Bytes below r1 that are in reach: what leaf functions use, and most frames. Where r1 is that near to the start of its
/// unit there is no window, so it is better that this is seldom.
const BELOW: i32 = 512;
/// Bytes from r1 on that are in reach.
const ABOVE: i32 = STEP * STEPS as i32;
/// Bytes of a step of these.
const STEP: i32 = 64;
const STEPS: usize = 8;
/// How far r1 may go in a unit with all of them in reach.
const LEEWAY: i32 = UNIT - BELOW - ABOVE;
const UNIT: i32 = 1 << LARGE;
/// The guest's stack pointer.
pub const STACK: usize = 1;

/// What code knows of the memory around r1.
#[repr(C)]
pub struct Window {
    /// What is added to an address in reach to make the host's, or 0: nothing is known. By the step in which the access ends.
    addends: [u64; STEPS],
    /// What makes steps unknown may go on here.
    beyond: [u64; STEPS],
    /// The least r1 for which that holds.
    start: u64,
}

impl Window {
    /// Looks around r1 in the space of data accesses. Stores go through the window only if its unit has no code.
    pub fn look_around(state: &VcpuState, data: &mut Data, stores: bool) {
        let r1 = state.effective(state.gpr[STACK]);
        let offset = (r1 & !tlb::mask(LARGE)) as i32;
        let tag = tlb::tag(r1, data.frame.data_key, LARGE);
        let entry = data
            .tlb
            .get(tlb::index(r1, LARGE))
            .filter(|entry| offset >= BELOW && entry.load == tag && (!stores || entry.store == tag));
        // Without one, or without all of it, it is looked for wherever r1 is written.
        let (addend, start, known) = match entry {
            Some(entry) => (entry.addend, (r1 & tlb::mask(LARGE)) + BELOW as u64, (UNIT - offset) / STEP),
            None => (0, r1 ^ 1 << 63, STEPS as i32),
        };
        let Window { addends, start: before, .. } = &mut data.frame.window;
        let [nearest, .., farthest] = *addends;
        // Mostly it is where it was.
        if known < STEPS as i32 || [nearest, farthest] != [addend; 2] {
            *addends = std::array::from_fn(|step| if (step as i32) < known { addend } else { 0 });
        }
        *before = start;
    }
}

/// Assembles [`Window::look_around`] for the r1 in RAX, which is lost, and so are RCX and RDX. `window`, `table` and `key` are
/// their places in the frame.
pub fn assemble(asm: &mut Asm, window: Mem, table: Mem, key: Mem, stores: bool) {
    let (none, near) = (asm.label(), asm.label());
    let start = window.at(offset_of!(Window, start) as i32);
    let addends = |place: Mem| (0..STEPS).map(move |step| place.at(8 * step as i32));
    from_start(asm);
    asm.jcc(Cond::S, none);
    search::entry(asm, table, LARGE);
    search::tag_of(asm, loadstore::IN_RAX, 1, LARGE, key.into());
    search::compare(asm, Needs { loads: true, stores }, none);
    from_start(asm);
    asm.alu(Alu::Sub, Size::Q, Reg::Rax, Reg::Rdx);
    asm.store(Size::Q, start, Reg::Rax);
    asm.mov(Size::Q, Reg::Rcx, Mem::Base(Reg::Rcx, offset_of!(Entry, addend) as i32));
    addends(window).for_each(|addend| asm.store(Size::Q, addend, Reg::Rcx));
    asm.alu_imm(Alu::Cmp, Size::D, Reg::Rdx, LEEWAY);
    asm.jcc(Cond::Ae, near);
    asm.ret();
    asm.bind(near);
    asm.lea(Size::Q, Reg::Rax, window);
    asm.alu_imm(Alu::Xor, Size::D, Reg::Rdx, -1);
    asm.alu_imm(Alu::Add, Size::D, Reg::Rdx, UNIT - BELOW + 1);
    asm.shift_imm(Shift::Shr, Size::D, Reg::Rdx, STEP.trailing_zeros() as u8);
    asm.lea(Size::Q, Reg::Rax, Mem::Index(Reg::Rax, Reg::Rdx, 8, 0));
    addends(Mem::Base(Reg::Rax, 0)).for_each(|addend| asm.store_imm(Size::Q, addend, 0));
    asm.ret();
    asm.bind(none);
    asm.mov_imm(Reg::Rcx, 1 << 63);
    asm.alu(Alu::Xor, Size::Q, Reg::Rax, Reg::Rcx);
    asm.store(Size::Q, start, Reg::Rax);
    addends(window).for_each(|addend| asm.store_imm(Size::Q, addend, 0));
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
        let &Setting { unit, watched, .. } = self.setting;
        unit == LARGE && reach.contains(&displacement) && !(stores && watched.is_some()) && !self.is_streamed()
    }

    /// The place in the host of what is at r1 + `displacement`. Where there is no window it is searched for in the TLB, or
    /// code goes to `slow` with the effective address in RAX. RCX is part of the place, RAX and RDX are lost.
    pub fn window_place(&mut self, displacement: i32, bytes: u8, stores: bool, slow: Label) -> Mem {
        let step = (displacement + i32::from(bytes) - 1).max(0) / STEP;
        let addend = frame!(self, window).at(offset_of!(Window, addends) as i32 + 8 * step);
        let base = self.value(STACK, Reg::Rax);
        let address = Mem::Base(base, displacement);
        let stays = base != Reg::Rax && self.setting.sixty_four;
        if !stays {
            self.asm.lea(self.mode_size(), Reg::Rax, address);
        }
        let at = if stays { address } else { loadstore::IN_RAX };
        let hint = self.hint(0);
        let (label, back) = self.slow_single(at, hint, bytes, stores, slow);
        self.asm.mov(Size::Q, Reg::Rcx, addend);
        self.asm.test(Size::Q, Reg::Rcx, Reg::Rcx);
        self.asm.jcc(Cond::E, label);
        self.asm.bind(back);
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
