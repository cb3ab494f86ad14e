//! The code that leads into regions and out of them, assembled once at the start of code memory.

use std::mem::offset_of;

use exec::VcpuState;

use crate::asm::{Alu, Asm, Cond, Mem, Reg, Shift, Size, op};
use crate::host::{Frame, Reason, frame_field};
use crate::jumps::Link;
use crate::lower::{BIAS, HOLDERS, KEY, PINNED, home, state};
use crate::search::Searches;
use crate::{jumps, switch, window};

/// Registers that the calling convention lets a function change.
const VOLATILE: [Reg; 6] = [Reg::Rsi, Reg::Rdi, Reg::R8, Reg::R9, Reg::R10, Reg::R11];
/// Registers that a function must leave as they were.
const SAVED: [Reg; 6] = [Reg::Rbx, Reg::Rbp, Reg::R12, Reg::R13, Reg::R14, Reg::R15];

/// Instructions after which code looks at its vCPU's requests, at the next event point.
pub const PATIENCE: i64 = 512;

/// Addresses of this code.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry {
    /// A function of the calling convention: runs the code at its first argument for the state at its second.
    pub enter: u64,
    /// Leaves for [`Reason::Event`] with the address in RAX.
    pub event: u64,
    /// The same for [`Reason::Interpret`].
    pub interpret: u64,
    /// At an event point, with R15 used up: returns with carry if the region is to be left for [`Reason::Event`]. RAX is
    /// lost.
    pub poll: u64,
    /// At an event point, with R15 used up: goes on to the address in RAX.
    pub poll_indirect: u64,
    /// The same for [`Reason::Lookup`], to the address in RAX.
    pub lookup: u64,
    /// Goes on to the address in RAX, which the link at RDX does not remember; RCX is an address in the link's page.
    pub elsewhere: u64,
    /// Called at the head of a region that holds no longer: goes on to the address behind the call.
    pub stale: u64,
    /// The same for [`Reason::Resolve`], with the exit's number in EDX.
    pub resolve: u64,
    /// Switches the mode as the switch at RDX says, and goes on to the address in RAX.
    pub switch: u64,
    /// Calls the interpreter's handler for the site in EDX.
    pub decline: u64,
    /// The same when the instruction accesses memory at the address in RAX.
    pub decline_access: u64,
    /// Carries out the privileged instruction of the site in EDX.
    pub privileged: u64,
    /// The timebase, to RAX, when EDX instructions are completed that R15 does not account for.
    pub time: u64,
    /// Reports that code has stored at the host address in RAX.
    pub wrote: u64,
    /// Looks for the window around the address in RAX, which is lost as RCX and RDX are.
    pub window: u64,
    /// Searches of the fast TLB.
    pub searches: Searches,
    loads: [u64; 4],
    stores: [u64; 4],
}

impl Entry {
    /// Loads at the address in RAX, to RAX, for the site in EDX.
    pub fn load(&self, bytes: u8) -> u64 {
        self.loads[bytes.trailing_zeros() as usize & 3]
    }

    /// Stores RCX at the address in RAX, for the site in EDX.
    pub fn store(&self, bytes: u8) -> u64 {
        self.stores[bytes.trailing_zeros() as usize & 3]
    }
}

/// Assembles the code for `origin`, with data at `data`. Stores are `watched` if there are several vCPUs.
pub fn assemble(origin: u64, data: u64, watched: bool) -> Option<(Entry, Vec<u8>)> {
    let mut asm = Asm::new(origin);
    let mut entry = Entry::default();
    let field = |offset: usize| frame_field(data, offset);
    let left = field(offset_of!(Frame, left));

    entry.window = asm.here();
    let (tlb, key) = (field(offset_of!(Frame, tlb)), field(offset_of!(Frame, data_key)));
    window::assemble(&mut asm, field(offset_of!(Frame, window)), tlb, key, !watched);

    entry.enter = asm.here();
    for reg in SAVED {
        asm.push(reg);
    }
    // Six registers and a return address: eight more bytes make the stack aligned.
    asm.alu_imm(Alu::Sub, Size::Q, Reg::Rsp, 8);
    asm.lea(Size::Q, Reg::Rbp, Mem::Base(Reg::Rsi, BIAS as i32));
    asm.mov(Size::Q, Reg::R15, left);
    asm.mov(Size::Q, KEY, key);
    asm.mov(Size::Q, Reg::Rax, Reg::Rdi);
    for (guest, host) in PINNED {
        asm.mov(Size::Q, host, home(guest));
    }
    asm.jmp_rm(Reg::Rax);

    let reason = |asm: &mut Asm, reason: Reason| {
        let here = asm.here();
        asm.mov_imm(Reg::Rax, reason as u64);
        here
    };
    entry.resolve = asm.here();
    asm.store(Size::Q, field(offset_of!(Frame, exit)), Reg::Rdx);
    reason(&mut asm, Reason::Resolve);
    let leave = asm.label();
    asm.jmp(leave);
    let cia = state(offset_of!(VcpuState, cia));
    entry.poll_indirect = asm.here();
    let (poll, event) = (asm.label(), asm.label());
    asm.store(Size::Q, cia, Reg::Rax);
    asm.call(poll);
    asm.jcc(Cond::B, event);
    asm.mov(Size::Q, Reg::Rax, cia);
    let lookup = asm.label();
    jumps::go(&mut asm, data, |asm, cond| asm.jcc(cond, lookup));
    entry.switch = asm.here();
    switch::assemble(&mut asm, data, entry.window, |asm, cond| asm.jcc(cond, lookup));
    entry.elsewhere = asm.here();
    elsewhere(&mut asm, data, lookup);
    entry.stale = asm.here();
    stale(&mut asm, data, lookup);
    asm.bind(lookup);
    entry.lookup = asm.here();
    asm.store(Size::Q, cia, Reg::Rax);
    reason(&mut asm, Reason::Lookup);
    asm.jmp(leave);
    entry.interpret = asm.here();
    asm.store(Size::Q, cia, Reg::Rax);
    reason(&mut asm, Reason::Interpret);
    asm.jmp(leave);
    entry.event = asm.here();
    asm.store(Size::Q, cia, Reg::Rax);
    asm.bind(event);
    reason(&mut asm, Reason::Event);
    asm.bind(leave);
    for (guest, host) in PINNED {
        asm.store(Size::Q, home(guest), host);
    }
    // The engine has made the state true where a call ends a run.
    let leave = asm.label();
    asm.bind(leave);
    asm.store(Size::Q, left, Reg::R15);
    asm.alu_imm(Alu::Add, Size::Q, Reg::Rsp, 8);
    for reg in SAVED.into_iter().rev() {
        asm.pop(reg);
    }
    asm.ret();

    asm.bind(poll);
    entry.poll = asm.here();
    let beyond = field(offset_of!(Frame, beyond));
    let (stop, all) = (asm.label(), asm.label());
    asm.mov(Size::Q, Reg::Rax, field(offset_of!(Frame, requests)));
    asm.alu_imm(Alu::Cmp, Size::D, Mem::Base(Reg::Rax, 0), 0);
    asm.jcc(Cond::Ne, stop);
    asm.alu(Alu::Add, Size::Q, Reg::R15, beyond);
    asm.mov_imm(Reg::Rax, 0);
    asm.store(Size::Q, beyond, Reg::Rax);
    asm.test(Size::Q, Reg::R15, Reg::R15);
    asm.jcc(Cond::Le, stop);
    asm.mov(Size::Q, Reg::Rax, Reg::R15);
    asm.alu_imm(Alu::Sub, Size::Q, Reg::Rax, PATIENCE as i32);
    asm.jcc(Cond::Le, all);
    asm.store(Size::Q, beyond, Reg::Rax);
    asm.mov_imm(Reg::R15, PATIENCE as u64);
    asm.bind(all);
    asm.test(Size::Q, Reg::Rax, Reg::Rax);
    asm.ret();
    asm.bind(stop);
    asm.stc();
    asm.ret();

    for (index, bytes) in [1u8, 2, 4, 8].into_iter().enumerate() {
        entry.loads[index] = call(&mut asm, &field, 0, bytes, &VOLATILE, leave);
        entry.stores[index] = call(&mut asm, &field, 1, bytes, &VOLATILE, leave);
    }
    entry.time = time(&mut asm, &field);
    entry.wrote = call(&mut asm, &field, 3, 0, &VOLATILE, leave);
    entry.privileged = call(&mut asm, &field, 4, 0, &HOLDERS, leave);
    entry.decline = call(&mut asm, &field, 2, 0, &HOLDERS, leave);
    entry.decline_access = call(&mut asm, &field, 2, 16, &HOLDERS, leave);
    entry.searches = Searches::assemble(&mut asm, data, watched);
    Some((entry, asm.finish()?))
}

/// A call of what only reads the clock: other registers than RAX stay.
fn time(asm: &mut Asm, field: &impl Fn(usize) -> Mem) -> u64 {
    let here = asm.here();
    let held = |reg: Reg| field(offset_of!(Frame, host) + 8 * reg as usize);
    for reg in VOLATILE.into_iter().chain([KEY]) {
        asm.store(Size::Q, held(reg), reg);
    }
    call_frame(asm, field, 5, 0);
    for reg in VOLATILE {
        asm.mov(Size::Q, reg, held(reg));
    }
    asm.mov(Size::Q, Reg::Rax, field(offset_of!(Frame, value)));
    asm.ret();
    here
}

/// Goes on to the address that stands behind the call by which it came here, or to `lookup` with that in RAX. Where what
/// is remembered of the address is a region that holds no longer either, it is forgotten: it may lead back here.
fn stale(asm: &mut Asm, data: u64, lookup: crate::asm::Label) {
    asm.pop(Reg::Rax);
    asm.mov(Size::Q, Reg::Rax, Mem::Base(Reg::Rax, 0));
    jumps::find(asm, data, |asm, cond| asm.jcc(cond, lookup));
    asm.mov(Size::Q, Reg::Rcx, jumps::HOST);
    asm.insn(op::MOVZX8, Reg::Rcx, Mem::Base(Reg::Rcx, 0));
    asm.alu_imm(Alu::And, Size::D, Reg::Rcx, !1 & 0xff);
    asm.alu_imm(Alu::Cmp, Size::D, Reg::Rcx, CALL);
    let former = asm.label();
    asm.jcc(Cond::E, former);
    asm.jmp_rm(jumps::HOST);
    asm.bind(former);
    asm.store_imm(Size::Q, jumps::KEY, 0);
}

/// Goes on to the address in RAX, or to `lookup`. If that is in the page of the address in RCX, the link at RDX remembers
/// it, but not each time: where a branch leads now here, now there, one of the ways is fast.
fn elsewhere(asm: &mut Asm, data: u64, lookup: crate::asm::Label) {
    const SELDOM: i32 = 0x38;
    let known = asm.label();
    asm.alu(Alu::Xor, Size::Q, Reg::Rcx, Reg::Rax);
    asm.shift_imm(Shift::Shr, Size::Q, Reg::Rcx, guest_mem::PAGE_SHIFT as u8);
    asm.jcc(Cond::Ne, known);
    asm.test_imm(Size::D, Reg::R15, SELDOM);
    asm.jcc(Cond::Ne, known);
    asm.push(Reg::Rdx);
    let none = asm.label();
    jumps::find(asm, data, |asm, cond| asm.jcc(cond, none));
    asm.pop(Reg::Rcx);
    asm.mov(Size::Q, Reg::Rdx, jumps::HOST);
    asm.store(Size::Q, Mem::Base(Reg::Rcx, offset_of!(Link, host) as i32), Reg::Rdx);
    asm.store(Size::Q, Mem::Base(Reg::Rcx, offset_of!(Link, key) as i32), Reg::Rax);
    asm.jmp_rm(Reg::Rdx);
    asm.bind(none);
    asm.pop(Reg::Rcx);
    asm.jmp(lookup);
    asm.bind(known);
    jumps::go(asm, data, |asm, cond| asm.jcc(cond, lookup));
}

/// Calls function `index` of the frame with the frame, the site in EDX, and `bytes`.
fn call_frame(asm: &mut Asm, field: &impl Fn(usize) -> Mem, index: usize, bytes: u8) {
    asm.store(Size::Q, field(offset_of!(Frame, left)), Reg::R15);
    asm.mov(Size::D, Reg::Rsi, Reg::Rdx);
    asm.lea(Size::Q, Reg::Rdi, field(0));
    asm.mov_imm(Reg::Rdx, bytes.into());
    // The return address of this code has moved the stack by eight bytes.
    asm.alu_imm(Alu::Sub, Size::Q, Reg::Rsp, 8);
    asm.call_rm(field(offset_of!(Frame, calls) + 8 * index));
    asm.alu_imm(Alu::Add, Size::Q, Reg::Rsp, 8);
}

/// Regions that hold no longer begin with a call, or with a jump to what came in their place: these opcodes differ in the
/// last bit. Others may, too.
const CALL: i32 = 0xe8;

/// A call out: function `index` of the frame. Holders are in the frame meanwhile; `changed` come back from there, but for
/// [`KEY`], which has the key then.
fn call(
    asm: &mut Asm,
    field: &impl Fn(usize) -> Mem,
    index: usize,
    bytes: u8,
    changed: &[Reg],
    leave: crate::asm::Label,
) -> u64 {
    let here = asm.here();
    let held = |reg: Reg| field(offset_of!(Frame, host) + 8 * reg as usize);
    let key = field(offset_of!(Frame, data_key));
    for reg in HOLDERS {
        asm.store(Size::Q, held(reg), reg);
    }
    asm.store(Size::Q, field(offset_of!(Frame, ea)), Reg::Rax);
    asm.store(Size::Q, field(offset_of!(Frame, value)), Reg::Rcx);
    call_frame(asm, field, index, bytes);
    asm.mov(Size::Q, Reg::R15, field(offset_of!(Frame, left)));
    asm.test(Size::D, Reg::Rax, Reg::Rax);
    let go_on = asm.label();
    asm.jcc(Cond::E, go_on);
    asm.alu_imm(Alu::Add, Size::Q, Reg::Rsp, 8);
    asm.alu_imm(Alu::Cmp, Size::D, Reg::Rax, Reason::Jump as i32);
    asm.jcc(Cond::Ne, leave);
    for (guest, host) in PINNED {
        asm.mov(Size::Q, host, home(guest));
    }
    asm.mov(Size::Q, KEY, key);
    asm.jmp_rm(field(offset_of!(Frame, target)));
    asm.bind(go_on);
    for &reg in changed.iter().filter(|reg| **reg != KEY) {
        asm.mov(Size::Q, reg, held(reg));
    }
    asm.mov(Size::Q, KEY, key);
    asm.mov(Size::Q, Reg::Rax, field(offset_of!(Frame, value)));
    asm.ret();
    here
}

const _: () = assert!(offset_of!(VcpuState, gpr) == 0);
