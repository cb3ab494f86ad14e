//! Modes and address spaces: the keys in force, what goes by them, and what invalidations leave of it.

use std::mem::offset_of;

use exec::{Context, Vcpu, VcpuState, request};
use exec_interp::Interpreter;
use ppc_mmu::{Access, Invalidation};

use super::{Basis, Translator, VIEWED};
use crate::host::Data;
use crate::keys::Keys;
use crate::switch::{self, Switch};
use crate::tlb::{self, KEY_SHIFT, View};
use crate::window::Window;

impl Translator {
    /// Remembers the translation of `ea`, which the interpreter has used just now, if it leads to RAM.
    pub(crate) fn remember(&mut self, vcpu: &Vcpu, context: &Context, ea: u64) {
        let tlb = self.interpreter.data();
        let (load, store) = (tlb.lookup(ea, Access::Load), tlb.lookup(ea, Access::Store));
        let Some(real) = load.or(store) else { return };
        let unit = self.unit;
        if tlb.uncached(ea) {
            return;
        }
        if tlb.page_shift(ea) < unit.into() {
            self.met_small += 1;
            return;
        }
        let mask = tlb::mask(unit);
        // The shared page is found by its own rules, and so is what shares a unit with it.
        let beside = |address: u64| (address ^ ea) & mask & 0xffff_ffff == 0 || address & mask == real & mask;
        let shared = vcpu.shared.mapped().is_some_and(|page| beside(page.effective) || beside(page.real));
        if shared || !context.mem.contains(real & mask, 1 << unit) {
            return;
        }
        let data = self.host.data();
        let tag = |known: Option<u64>| known.map_or(0, |_| tlb::tag(ea, data.frame.data_key, unit));
        let addend = data.frame.ram.wrapping_add(real & mask).wrapping_sub(ea & mask);
        let mut entry = tlb::Entry { load: tag(load), store: tag(store), addend, careful: 0 };
        if !self.policy.watched && context.mem.holds_code(real & mask, 1 << unit) {
            entry.be_careful(data.frame.ram.wrapping_add(real & mask), mask);
        }
        let index = tlb::index(ea, unit);
        if let Some(slot) = data.tlb.get_mut(index) {
            *slot = entry;
        }
        self.keys.translated();
        if self.keys.is_radix() && self.keys.now().view.is_some() && ea >> 62 == 3 {
            let accesses = [load.map(|_| Access::Load), store.map(|_| Access::Store)];
            self.translated.note(context.mem, context.partition.process_table(), ea, accesses, real);
        }
        if self.viewed.len() < VIEWED && self.keys.now().view.is_some_and(|view| view.reaches(ea)) {
            self.viewed.push(index);
        }
    }

    /// Entries for stores are of units without code: finds those of pages that hold code since it looked last. With
    /// several vCPUs each store looks by itself.
    pub(super) fn watch_code(&mut self, context: &Context) {
        let marks = context.mem.marks();
        if self.policy.watched || marks == self.marks {
            return;
        }
        let mask = tlb::mask(self.unit);
        let last = marks.page & mask;
        let one = marks.count == self.marks.count.wrapping_add(1);
        self.marks = marks;
        self.aside.clear();
        let Data { tlb, frame, .. } = self.host.data();
        for entry in tlb.iter_mut().filter(|entry| entry.store != 0) {
            let unit = (entry.store & mask).wrapping_add(entry.addend).wrapping_sub(frame.ram);
            if if one { unit == last } else { context.mem.holds_code(unit, mask.wrapping_neg()) } {
                entry.be_careful(frame.ram.wrapping_add(unit), mask);
            }
        }
    }

    /// Where branches went is forgotten: no key of before comes again.
    pub(super) fn forget_jumps(&mut self) {
        self.turn += 1;
        self.keys.forget_jumps();
        let key = self.keys.now().fetch;
        let frame = &mut self.host.data().frame;
        frame.fetch_by(key);
        frame.place = 0;
    }

    pub(crate) fn flush(&mut self) {
        self.tell_counts(1);
        self.cache.clear(self.entry_len, self.policy.code_cache);
        self.forget_jumps();
    }

    pub(super) fn forget_spaces(&mut self) {
        self.keys.clear_data();
        self.aside.clear();
        let Data { frame, tlb, .. } = self.host.data();
        frame.place = 0;
        tlb.fill(tlb::EMPTY);
    }

    /// Forgets what privileged state sees of user pages.
    pub(super) fn forget_view(&mut self) {
        self.aside.clear();
        let tlb = &mut self.host.data().tlb;
        if self.viewed.len() == VIEWED {
            // More than were noted.
            tlb.fill(tlb::EMPTY);
        }
        for index in self.viewed.drain(..) {
            if let Some(entry) = tlb.get_mut(index) {
                *entry = tlb::EMPTY;
            }
        }
    }

    /// Makes `view` what privileged state sees of user pages. What it saw before is put aside, what was put aside of `view`
    /// comes back to places that are empty.
    fn change_view(&mut self, view: View) {
        if self.viewed.len() + self.aside.len() >= VIEWED {
            self.forget_view();
        }
        let tlb = &mut self.host.data().tlb;
        for index in self.viewed.drain(..) {
            if let Some(entry) = tlb.get_mut(index) {
                let entry = std::mem::replace(entry, tlb::EMPTY);
                self.aside.push((self.view, index, entry));
            }
        }
        self.view = view;
        let viewed = &mut self.viewed;
        self.aside.retain(|(of, index, entry)| {
            let slot = tlb.get_mut(*index).filter(|slot| *of == view && slot.is_empty());
            if let Some(slot) = slot {
                *slot = *entry;
                viewed.push(*index);
            }
            *of != view
        });
    }

    /// Makes the keys those of the state.
    pub(crate) fn enter_mode(&mut self, state: &VcpuState, context: &Context) {
        if self.keys.are_of(state, context) {
            return self.look_around(state);
        }
        self.basis = Basis::of(state);
        let before = self.keys.now();
        let keys = self.keys.enter(state, context).or_else(|| {
            self.forget_spaces();
            self.keys.enter(state, context)
        });
        let keys = keys.or_else(|| {
            self.keys.clear_modes();
            self.flush();
            self.keys.enter(state, context)
        });
        let keys = keys.unwrap_or_default();
        self.fresh &= keys == before;
        // In problem state, too: code that switches back looks at nothing.
        let view = self.keys.view(state, context);
        if view != self.view {
            self.change_view(view);
        }
        let frame = &mut self.host.data().frame;
        frame.data_key = keys.data << KEY_SHIFT;
        frame.fetch_by(keys.fetch);
        frame.place = keys.place;
        self.look_around(state);
    }

    /// Looks for the window around r1: whenever what it follows from may have changed.
    pub(crate) fn look_around(&mut self, state: &VcpuState) {
        Window::look_around(state, self.host.data(), !self.policy.watched);
    }

    /// Remembers that writing `value` to the MSR has led to the mode of `vcpu`, which is entered.
    pub(crate) fn remember_switch(&mut self, value: u64, vcpu: &Vcpu) {
        let keys = self.keys.now();
        if keys.place == 0 || !switch::is_plain(vcpu, self.basis.exacting) {
            return;
        }
        let (at, state) = (switch::index(value, keys.place), &vcpu.state);
        if let (Some(slot), Some(known)) = (self.host.data().switches.get_mut(at), self.switches.get_mut(at)) {
            *known = keys;
            let (mode, unavailable) = (state.mode, state.unavailable.into());
            let (msr, fetch, data) = (vcpu.shared.msr(), keys.fetch, keys.data << KEY_SHIFT);
            *slot = Switch { value, place: keys.place, msr, mode, unavailable, fetch, data };
        }
    }

    /// Takes note of the mode to which code has switched.
    pub(crate) fn catch_up(&mut self) {
        let data = self.host.data_at();
        let switched = std::mem::take(&mut self.host.data().frame.switched);
        if switched != 0 {
            let at = switched.wrapping_sub(data + offset_of!(Data, switches) as u64) as usize / size_of::<Switch>();
            if let Some(keys) = self.switches.get(at) {
                self.keys.switch(*keys);
            }
            self.fresh = false;
        }
    }

    /// What keys are in force.
    pub(crate) fn keys(&self) -> Keys {
        self.keys.now()
    }

    /// Whether where branches went was forgotten: the same number as before if not.
    pub(crate) fn turn(&self) -> u64 {
        self.turn
    }

    /// The interpreter, whose translations answer for the state's mode.
    pub(crate) fn interpreter(&mut self, state: &VcpuState, context: &Context) -> &mut Interpreter {
        if !self.fresh {
            self.interpreter.enter(state, context);
            self.fresh = true;
        }
        &mut self.interpreter
    }

    /// Looks at the kernel's pages again. Returns whether what was fetched from them, and their data, is where it was.
    pub(super) fn look(&mut self, context: &Context) -> [bool; 2] {
        let (mem, table) = (context.mem, context.partition.process_table());
        let mut same = true;
        let fetched = self.fetched.look(mem, table, |_| same = false) && same;
        let (unit, entries) = (self.unit, &mut self.host.data().tlb);
        [fetched, self.translated.look(mem, table, |page| tlb::invalidate(entries, page.address, page.shift, unit))]
    }

    /// Takes the invalidations that were asked for.
    pub(crate) fn take_invalidations(&mut self, state: &mut VcpuState, context: &Context) {
        if context.requests.pending() & request::INVALIDATE == 0 {
            return;
        }
        let mut asked = std::mem::take(&mut self.asked);
        self.interpreter.take_invalidations(state, context, |what: Invalidation| asked.push(what));
        for what in asked.drain(..) {
            self.fresh = false;
            self.aside.clear();
            match what {
                Invalidation::Page { address, shift } => {
                    tlb::invalidate(&mut self.host.data().tlb, address, shift, self.unit);
                    if self.keys.invalidate_page(address, shift) {
                        self.turn += 1;
                    }
                }
                _ => {
                    self.forget_view();
                    let holds = if what == Invalidation::Process(0) { self.look(context) } else { [false; 2] };
                    self.keys.invalidate(what, holds);
                    if !(holds[0] && self.keys.now().is_shared()) {
                        self.turn += 1;
                    }
                }
            }
        }
        self.asked = asked;
        self.host.data().frame.place = self.keys.now().place;
    }
}
