//! Vector-scalar registers in registers of the host, and what FPSCR lacks of the last operations.
//!
//! As with general purpose registers, those that a region names most often are held: in a loop they are loaded before its
//! head, in a trace when they are first named. Functions that code calls may change every vector register, so what is held
//! is stored before and loaded behind every call.
//!
//! A little-endian guest's vectors lie in memory with doubleword 1 first. If no instruction of a loop tells doublewords
//! apart, they are held like that, and change places only where they are loaded from the state and stored to it.
//!
//! A loop that leaves registers of the host free holds constants there that its code uses: which ones is known when it has
//! been lowered, and then it is lowered once more.
//!
//! FR, FI and FPRF follow from the operands of the last operation. Code only remembers at translation where these are;
//! where the state may be looked at, mostly on ways that are seldom taken, it notes them for the engine.

use std::cell::Cell;
use std::cmp::Reverse;
use std::mem::offset_of;

use exec::VcpuState;

use super::{KEY, Lower, frame, most_used, state};
use crate::asm::{Mem, Size, Xmm, XmmRm, vop};
use crate::constants;
use crate::host::{Data, Frame, Status, frame_field};
use crate::plan::{self, Plan, VECTORS};
use crate::sets::bits;

/// Registers that hold vector-scalar registers.
const HOLDERS: std::ops::Range<usize> = 6..16;
/// The operand of the last operation that it has overwritten.
const OLD: Xmm = Xmm::of(4);

/// Where a vector is exchanged on its way to the state.
const SWAPPED: Xmm = Xmm::of(5);
/// What exchanges doublewords.
const SWAP: u8 = 0b01_00_11_10;

/// What code knows of vector-scalar registers.
#[derive(Clone)]
pub struct Vectors {
    /// Which is where.
    held: [Option<Xmm>; VECTORS],
    /// They are held with their doublewords exchanged.
    swapped: bool,
    /// Whose doubleword 1 is 0.
    clean: u64,
    /// What differs from place to place.
    pub late: Late,
    /// In code behind the region: as it is where that code goes on.
    pub after: Late,
    /// Which constants are where, and which these are, as bits.
    constants: [Option<Xmm>; constants::COUNT],
    held_constants: u64,
    /// How often others were used.
    wishes: [Cell<u16>; constants::COUNT],
}

/// What is to be done where a region is left or a function called.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Late {
    /// Held registers that are loaded.
    loaded: u64,
    /// Held registers that are newer than the state.
    dirty: u64,
    /// What FPSCR lacks.
    pending: Pending,
}

/// An operand of an operation that FPSCR does not show yet.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Source {
    /// There is none.
    #[default]
    None,
    /// Doubleword 0 of a vector-scalar register.
    Register(u8),
    /// The scratch register for it.
    Old,
}

/// Operations that FPSCR does not show yet.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Pending {
    /// 1 + the site of one with FR, FI and FPRF, or 0.
    site: u32,
    /// Its operands.
    operands: [Source; 3],
    /// Registers compared later.
    compared: Option<(u8, u8)>,
    /// 1 + the site of a later conversion to an integer, or 0, and its operand.
    converts: u32,
    converted: Source,
}

impl Pending {
    fn names(&self, register: usize) -> bool {
        let named = |source: &Source| *source == Source::Register(register as u8);
        self.operands.iter().chain([&self.converted]).any(named)
            || self.compared.is_some_and(|(a, b)| [a, b].contains(&(register as u8)))
    }
}

impl Vectors {
    /// Gives the registers that are named most often a holder, and then `constants`.
    pub fn of(plan: &Plan, little: bool, constants: &[usize]) -> Vectors {
        let worth = if plan.is_loop { 1 } else { 2 };
        let (mut held, mut order) = ([None; VECTORS], [0; VECTORS]);
        let mut hosts = HOLDERS.map(Xmm::of);
        for (&guest, host) in most_used(&plan.vector_uses, worth, &mut order).iter().zip(&mut hosts) {
            held[guest] = Some(host);
        }
        let mut places = [None; constants::COUNT];
        let mut held_constants = 0;
        for (&number, host) in constants.iter().zip(hosts) {
            places[number] = Some(host);
            held_constants |= 1 << number;
        }
        let swapped = little
            && plan.is_loop
            && plan.symmetric
            && plan.vector_uses.iter().zip(&held).all(|(uses, held)| *uses == 0 || held.is_some());
        let (late, after) = (Late::default(), Late::default());
        let wishes = [const { Cell::new(0) }; _];
        Vectors { held, swapped, clean: 0, late, after, constants: places, held_constants, wishes }
    }

    /// The constants that may be held, of which there are no more than free registers, the most used ones first.
    pub fn wishes(&self) -> Vec<usize> {
        let free = HOLDERS.len() - self.held.iter().flatten().count();
        let mut wishes: Vec<usize> = (0..constants::COUNT).filter(|&number| self.wishes[number].get() > 0).collect();
        wishes.sort_by_key(|&number| Reverse(self.wishes[number].get()));
        wishes.truncate(free);
        wishes
    }
}

/// Where vector-scalar register `n` is in the state.
fn home(n: usize) -> Mem {
    state(offset_of!(VcpuState, vsr) + 16 * n)
}

impl Lower<'_> {
    /// Before a loop: loads what it holds.
    pub(super) fn load_vectors(&mut self) {
        let held = self.vectors.held;
        for (n, host) in held.into_iter().enumerate() {
            if let Some(host) = host {
                self.load_home(host, n);
                self.vectors.late.loaded |= 1 << n;
            }
        }
        self.vectors.late.dirty = self.setting.plan.vectors_written & self.vectors.late.loaded;
        self.load_constants();
    }

    fn load_constants(&mut self) {
        for number in bits(self.vectors.held_constants) {
            if let Some(host) = self.vectors.constants[number] {
                self.asm.v2(vop::MOVUPS_LOAD, host, self.constant_at(number));
            }
        }
    }

    fn constant_at(&self, number: usize) -> Mem {
        Mem::Absolute(self.setting.data + (offset_of!(Data, constants) + 16 * number) as u64)
    }

    /// Constant `number`, counted in 16 bytes, as an operand.
    pub fn constant(&self, number: usize) -> XmmRm {
        if let Some(host) = self.vectors.constants[number] {
            return host.into();
        }
        self.vectors.wishes[number].update(|uses| uses.saturating_add(1));
        self.constant_at(number).into()
    }

    /// Whether vectors are held with their doublewords exchanged.
    pub fn are_swapped(&self) -> bool {
        self.vectors.swapped
    }

    fn load_home(&mut self, host: Xmm, n: usize) {
        if self.vectors.swapped {
            self.asm.v2_imm(vop::PSHUFD, host, home(n), SWAP);
        } else {
            self.asm.v2(vop::MOVUPS_LOAD, host, home(n));
        }
    }

    fn store_home(&mut self, n: usize, host: Xmm) {
        let mut from = host;
        if self.vectors.swapped {
            from = SWAPPED;
            self.asm.v2_imm(vop::PSHUFD, from, host, SWAP);
        }
        self.asm.v_store(vop::MOVUPS_STORE, home(n), from);
    }

    /// At the start of a block that several ways lead to.
    pub(super) fn join_vectors(&mut self) {
        self.vectors.clean = 0;
        self.vectors.late.pending = Pending::default();
    }

    /// A register of the host with the value of vector-scalar register `n`, `scratch` unless it is held.
    pub fn vector(&mut self, n: usize, scratch: Xmm) -> Xmm {
        match self.vector_holder(n) {
            Some(host) => host,
            None => {
                self.asm.v2(vop::MOVUPS_LOAD, scratch, home(n));
                scratch
            }
        }
    }

    /// The same where only doubleword 0 matters.
    pub fn scalar(&mut self, n: usize, scratch: Xmm) -> Xmm {
        match self.vector_holder(n) {
            Some(host) => host,
            None => {
                self.asm.v2(vop::MOVSD_LOAD, scratch, home(n));
                scratch
            }
        }
    }

    /// Vector-scalar register `n` as an operand.
    pub fn vector_operand(&mut self, n: usize) -> XmmRm {
        self.vector_holder(n).map_or(home(n).into(), XmmRm::from)
    }

    /// Vector-scalar register `n` in the state, whose value is made to be there.
    pub fn vector_in_state(&mut self, n: usize) -> Mem {
        if let Some(host) = self.vectors.held[n]
            && self.vectors.late.dirty >> n & 1 != 0
        {
            self.store_home(n, host);
        }
        home(n)
    }

    /// Whether doubleword 1 of what [`Lower::scalar`] gives for `n` is 0.
    pub fn is_clean(&self, n: usize) -> bool {
        self.vectors.held[n].is_none() || self.vectors.clean >> n & 1 != 0
    }

    fn vector_holder(&mut self, n: usize) -> Option<Xmm> {
        let host = self.vectors.held[n]?;
        if self.vectors.late.loaded >> n & 1 == 0 {
            self.load_home(host, n);
            self.vectors.late.loaded |= 1 << n;
        }
        Some(host)
    }

    /// Where the new value of vector-scalar register `n` is to be computed by one instruction, which may read the old one;
    /// `scratch` unless it is held. To be followed by [`Lower::vector_written`].
    pub fn vector_target(&mut self, n: usize, scratch: Xmm) -> Xmm {
        self.overwrite(n);
        self.vectors.held[n].unwrap_or(scratch)
    }

    /// The new value of vector-scalar register `n` is in `from`; `clean` if its doubleword 1 is 0 in any case.
    pub fn vector_written(&mut self, n: usize, from: Xmm, clean: bool) {
        match self.vectors.held[n] {
            Some(host) => {
                if host != from {
                    self.overwrite(n);
                    self.asm.v2(vop::MOVUPS_LOAD, host, from);
                }
                self.vectors.late.loaded |= 1 << n;
                self.vectors.late.dirty |= 1 << n;
            }
            None => {
                self.overwrite(n);
                self.asm.v_store(vop::MOVUPS_STORE, home(n), from);
            }
        }
        self.vectors.clean = self.vectors.clean & !(1 << n) | u64::from(clean) << n;
    }

    /// Before register `n` changes: what FPSCR lacks and the register is needed for is noted.
    fn overwrite(&mut self, n: usize) {
        if self.vectors.late.pending.names(n) {
            if self.is_live(plan::STATUS) {
                self.note();
            }
            self.vectors.late.pending = Pending::default();
        }
    }

    /// Before an operation that reports on its result: keeps the old value of its target `t`, if it is one of its
    /// operands, and forgets what came before. Returns where the operands will be found.
    pub fn keep_operands(&mut self, t: usize, operands: [Option<usize>; 3]) -> [Source; 3] {
        self.vectors.late.pending = Pending::default();
        if operands.contains(&Some(t)) && self.is_live(plan::STATUS) {
            match self.vector_holder(t) {
                Some(host) => self.asm.v2(vop::MOVUPS_LOAD, OLD, host),
                None => self.asm.v2(vop::MOVSD_LOAD, OLD, home(t)),
            }
        }
        operands.map(|operand| match operand {
            None => Source::None,
            Some(n) if n == t => Source::Old,
            Some(n) => Source::Register(n as u8),
        })
    }

    /// The instruction has reported on its result, which FPSCR does not show.
    pub fn reported(&mut self, operands: [Source; 3]) {
        if self.is_live(plan::STATUS) {
            let site = self.site() + 1;
            self.vectors.late.pending = Pending { site, operands, ..Pending::default() };
        }
    }

    /// Before register `b` is converted to an integer, to `t`: keeps the old value if they are the same. Returns where it will
    /// be found.
    pub fn keep_converted(&mut self, t: usize, b: usize) -> Source {
        if t != b || !self.is_live(plan::STATUS) {
            return Source::Register(b as u8);
        }
        let pending = &self.vectors.late.pending;
        if pending.operands.contains(&Source::Old) || pending.converted == Source::Old {
            self.note();
            self.vectors.late.pending = Pending::default();
        }
        match self.vector_holder(t) {
            Some(host) => self.asm.v2(vop::MOVUPS_LOAD, OLD, host),
            None => self.asm.v2(vop::MOVSD_LOAD, OLD, home(t)),
        }
        Source::Old
    }

    /// The instruction has converted to an integer, which FPSCR does not show.
    pub fn reported_conversion(&mut self, converted: Source) {
        if self.is_live(plan::STATUS) {
            let converts = self.site() + 1;
            let pending = &mut self.vectors.late.pending;
            (pending.converts, pending.converted) = (converts, converted);
        }
    }

    /// The instruction has compared doublewords 0 of two registers, which FPSCR does not show.
    pub fn compared_status(&mut self, a: usize, b: usize) {
        if self.is_live(plan::STATUS) {
            self.vectors.late.pending.compared = Some((a as u8, b as u8));
        }
    }

    /// The host's flags are of a comparison of doublewords 0 once more.
    pub(super) fn compare_scalars(&mut self, a: usize, b: usize) {
        const FIRST: Xmm = Xmm::of(3);
        let [a, b] = [a, b].map(|n| self.vectors.held[n].filter(|_| self.vectors.late.loaded >> n & 1 != 0).ok_or(n));
        let a = a.unwrap_or_else(|n| {
            self.asm.v2(vop::MOVSD_LOAD, FIRST, home(n));
            FIRST
        });
        self.asm.v2(vop::UCOMISD, a, b.map_or_else(|n| home(n).into(), XmmRm::from));
    }

    fn status(&self, offset: usize) -> Mem {
        frame_field(self.setting.data, offset_of!(Frame, status) + offset)
    }

    fn put_status(&mut self, source: Source, offset: usize) {
        let to = self.status(offset);
        match source {
            Source::None => {}
            Source::Old => self.asm.v_store(vop::MOVSD_STORE, to, OLD),
            Source::Register(n) => match self.vectors.held[usize::from(n) & (VECTORS - 1)] {
                Some(host) => self.asm.v_store(vop::MOVSD_STORE, to, host),
                None => {
                    self.asm.push_rm(home(n.into()));
                    self.asm.pop_rm(to);
                }
            },
        }
    }

    /// Notes what FPSCR lacks for the engine. Nothing is lost, not even flags.
    fn note(&mut self) {
        let Pending { site, operands, compared, converts, converted } = self.vectors.late.pending;
        if site != 0 {
            for (slot, source) in operands.into_iter().enumerate() {
                self.put_status(source, offset_of!(Status, operands) + 8 * slot);
            }
            // With it, what says that a comparison came later becomes 0.
            let to = self.status(offset_of!(Status, site));
            self.asm.store_imm(Size::Q, to, site as i32);
        }
        if site != 0 || converts != 0 {
            self.put_status(converted, offset_of!(Status, converted));
            let to = self.status(offset_of!(Status, converts));
            self.asm.store_imm(Size::D, to, converts as i32);
        }
        if let Some((a, b)) = compared {
            for (slot, n) in [a, b].into_iter().enumerate() {
                self.put_status(Source::Register(n), offset_of!(Status, compared) + 8 * slot);
            }
            let to = self.status(offset_of!(Status, compares));
            self.asm.store_imm(Size::D, to, 1);
        }
    }

    /// Whether there is nothing to note on a way to a block of which these parts are alive.
    pub(super) fn is_noted(&self, live: plan::Parts) -> bool {
        let Pending { site, compared, converts, .. } = self.vectors.late.pending;
        live & plan::STATUS == 0 || site == 0 && converts == 0 && compared.is_none()
    }

    /// On a way to a block that reads FPSCR, and does not know what FPSCR lacks.
    pub(super) fn note_for(&mut self, live: plan::Parts) {
        if live & plan::STATUS != 0 {
            self.note();
        }
    }

    /// Brings the state up to what is held, and notes what FPSCR lacks.
    pub(super) fn store_vectors(&mut self) {
        for n in bits(self.vectors.late.dirty) {
            if let Some(host) = self.vectors.held[n] {
                self.store_home(n, host);
            }
        }
        self.note();
    }

    /// After the code of an instruction that calls: what it has written is not newer than the state any more.
    fn called(&mut self) {
        if !self.setting.plan.is_loop {
            self.vectors.late.dirty = 0;
        }
        self.vectors.clean = 0;
        self.vectors.late.pending = Pending::default();
    }

    /// A call in the region's own code.
    pub fn call_inline(&mut self, address: u64) {
        self.vectors.after = Late { pending: Pending::default(), ..self.vectors.late };
        self.call_out(address);
        self.called();
    }

    /// A call from code behind the region: what is held is in the state meanwhile.
    pub fn call_out(&mut self, address: u64) {
        let after = self.vectors.after;
        self.store_vectors();
        let kept = self.status(offset_of!(Status, old));
        let Pending { operands, converted, .. } = after.pending;
        let old = operands.contains(&Source::Old) || converted == Source::Old;
        if old {
            self.asm.v_store(vop::MOVSD_STORE, kept, OLD);
        }
        self.asm.call_to(address);
        if self.borrows_key() {
            let held = frame!(self, host).at(8 * KEY as i32);
            self.asm.mov(Size::Q, KEY, held);
        }
        if old {
            self.asm.v2(vop::MOVSD_LOAD, OLD, kept);
        }
        for n in bits(after.loaded) {
            if let Some(host) = self.vectors.held[n] {
                self.load_home(host, n);
            }
        }
        self.load_constants();
    }
}
