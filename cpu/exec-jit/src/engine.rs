//! The translator as an engine: finds code for the next instruction, runs it, and answers when it is left.

use std::cmp::Ordering;
use std::mem::offset_of;
use std::time::Instant;

use exec::delivery::book3s64::landing;
use exec::engine::Turns;
use exec::fp::{self, Float, fpscr};
use exec::mode::need;
use exec::shared::Mapped;
use exec::{Context, Engine, Exit, Interrupt, Privileged, Vcpu, VcpuState};
use exec_interp::{Decoded, Interpreter};
use guest_mem::{Marks, Order, Writer};
use ppc_isa::cpu::Family;
use ppc_isa::{Cpu, Op, Row, msr};
use ppc_mmu::{Access, Invalidation};

use crate::asm::Asm;
use crate::cache::{Cache, PageKey, Place};
use crate::entry::{self, Entry};
use crate::explore::{Explorer, Guess, Heads};
use crate::float;
use crate::host::{self, Data, Host, Reason, Status};
use crate::jumps::{self, Jump, LINKS, Link};
use crate::keys::{Keyring, Keys};
use crate::lower::{self, PINNED, Places, Scratch, Setting};
use crate::pages::Pages;
use crate::plan::{self, HELD, Insn, Named};
use crate::reversed::Reversed;
use crate::sets::bits;
use crate::shared;
use crate::switch::SWITCHES;
use crate::tlb::{self, View};
use crate::watch::{Place as Watch, Watched, What};

mod spaces;

/// What a translator does that makes no difference to guests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Bytes of code memory. When it is full, all code is dropped.
    pub code_cache: usize,
    /// How often a place is interpreted before it is translated.
    pub cold: u8,
    /// Code uses what AVX-512 has for vectors of 128 bits, where the host has that.
    pub avx512: bool,
    /// Stores look at reservations: needed if there are several vCPUs.
    pub watched: bool,
    /// Rows of the instruction table that are left to the interpreter, by name.
    pub untranslated: Vec<String>,
}

impl Default for Policy {
    /// For a machine with one vCPU.
    fn default() -> Policy {
        Policy { code_cache: 64 << 20, cold: 2, avx512: true, watched: false, untranslated: Vec::new() }
    }
}

/// The translating engine of one vCPU.
pub struct Translator {
    pub(crate) host: Host,
    pub(crate) interpreter: Interpreter,
    /// Why a call out ended the run.
    pub(crate) exit: Option<Exit>,
    pub(crate) enter: u64,
    entry: Entry,
    pub(crate) entry_len: usize,
    pub(crate) cache: Cache,
    keys: Keyring,
    /// The keys of [`Data::switches`].
    switches: Vec<Keys>,
    /// The interpreter's translations answer for the state's mode.
    fresh: bool,
    /// What code is made for besides the mode.
    basis: Basis,
    /// Byte order of the shared page's fields, and where it is mapped, for which code is made.
    shared: (Order, Option<Mapped>),
    /// Raised whenever where branches went is no longer true.
    turn: u64,
    /// The code epoch up to which all is true.
    epoch: u64,
    /// Retired instructions when nothing is left in the frame.
    limit: u64,
    /// Retired instructions at which the run ends.
    pub(crate) until: u64,
    /// By the index of a row.
    named: Vec<Named>,
    cpu: Cpu,
    policy: Policy,
    /// Whom to tell of code.
    pub(crate) watched: Option<Watched>,
    /// log2 of the bytes that an entry of the fast TLB is for.
    unit: u8,
    /// Pages that hold code, as far as the TLB goes by it.
    marks: Marks,
    /// Pages smaller than that which were met.
    met_small: u32,
    explorer: Explorer,
    scratch: Scratch,
    /// Regions that hold no longer, by addresses in the guest and the host: see [`Translator::lead_on`].
    former: Vec<(u64, u64)>,
    /// Whose user pages privileged state accesses through entries of the fast TLB, and the places of these.
    view: View,
    viewed: Vec<usize>,
    /// Pages of the kernel that branches and the fast TLB rest on.
    fetched: Pages,
    translated: Pages,
    /// Entries of other views that hold as long as nothing is invalidated, with their places.
    aside: Vec<(View, usize, tlb::Entry)>,
    /// Invalidations at hand.
    asked: Vec<Invalidation>,
}

/// Entries of the fast TLB that follow from a view and are noted; if there are more, all are forgotten with the view.
const VIEWED: usize = 64;

impl Translator {
    /// An engine for `cpu`.
    ///
    /// # Errors
    /// When the host's CPU lacks instructions, or the host has no memory for code, or does not let it be executed.
    pub fn new(cpu: Cpu, mut policy: Policy) -> std::io::Result<Translator> {
        host::check()?;
        policy.avx512 &= host::has_avx512();
        let interpreter = Interpreter::new(cpu);
        let mut host = Host::new(policy.code_cache)?;
        let too_small = || std::io::Error::from(std::io::ErrorKind::OutOfMemory);
        let (entry, code) = entry::assemble(host.code_at(0), host.data_at(), policy.watched).ok_or_else(too_small)?;
        if !host.write(0, &code) {
            return Err(too_small());
        }
        let rows = interpreter.dispatch().rows();
        let is_left = |row: &Row| policy.untranslated.iter().any(|name| name == row.name);
        let named = rows.iter().map(|row| Named::of(row, !is_left(row))).collect();
        let entry_len = code.len().next_multiple_of(64);
        let mut cache = Cache::default();
        cache.clear(entry_len, policy.code_cache);
        Ok(Translator {
            host,
            interpreter,
            exit: None,
            enter: entry.enter,
            entry,
            entry_len,
            cache,
            keys: Keyring::default(),
            switches: vec![Keys::default(); SWITCHES],
            fresh: false,
            basis: Basis::default(),
            shared: (Order::Big, None),
            turn: 1,
            epoch: 0,
            limit: 0,
            until: 0,
            named,
            cpu,
            policy,
            watched: None,
            unit: tlb::LARGE,
            marks: Marks::default(),
            met_small: 0,
            explorer: Explorer::default(),
            scratch: Scratch::default(),
            former: Vec::new(),
            view: View::default(),
            viewed: Vec::new(),
            fetched: Pages::default(),
            translated: Pages::default(),
            aside: Vec::new(),
            asked: Vec::new(),
        })
    }

    /// Whether code of guests was written that may be translated.
    pub(crate) fn is_behind(&self, context: &Context) -> bool {
        context.mem.code_epoch() != self.epoch
    }

    /// If code of guests was written, or this thread has made a request, ends the run at the next event point. Code looks
    /// for what others request now and then only.
    pub(crate) fn notice(&mut self, context: &Context) {
        if self.is_behind(context) || context.requests.pending() != 0 {
            let left = self.left();
            if left > 0 {
                self.limit = self.limit.wrapping_sub(left as u64);
                let frame = &mut self.host.data().frame;
                (frame.left, frame.beyond) = (0, 0);
            }
        }
    }

    /// Instructions to the limit.
    fn left(&mut self) -> i64 {
        let frame = &self.host.data().frame;
        frame.left.wrapping_add(frame.beyond)
    }

    /// How many instructions are retired when none is left but what the frame has.
    pub(crate) fn retired(&mut self) -> u64 {
        let left = self.left();
        self.limit.wrapping_sub(left as u64)
    }

    /// Sets what is left so that `retired` instructions are retired.
    pub(crate) fn count_from(&mut self, retired: u64) {
        let left = self.limit.wrapping_sub(retired) as i64;
        let frame = &mut self.host.data().frame;
        frame.left = left.min(entry::PATIENCE);
        frame.beyond = left - frame.left;
    }

    /// Brings the state up to the instruction at `site`.
    pub(crate) fn write_back(&mut self, vcpu: &mut Vcpu, site: u32) -> Option<Decoded> {
        let site = *self.cache.sites.get(site as usize)?;
        let Places { held, reversed, usual } = self.cache.places.get(site.region as usize)?;
        let frame = &self.host.data().frame;
        for (guest, host) in PINNED {
            if usual >> guest & 1 != 0 {
                vcpu.state.gpr[guest] = frame.host[host as usize];
            }
        }
        for register in bits(site.dirty & !usual) {
            if let Some(&value) = held[register].and_then(|host| frame.host.get(host as usize)) {
                *register_of(&mut vcpu.state, register) = reversed.value(register, value);
            }
        }
        let first = site.fields.first as usize;
        for compare in self.cache.compares.get(first..first + site.fields.count as usize).unwrap_or_default() {
            let gpr = &vcpu.state.gpr;
            let order = compare.order(|register| match register {
                HELD.. => frame.saved.get(register - HELD).copied().unwrap_or(0),
                _ => gpr[register & 31],
            });
            let so = u8::from(vcpu.state.so);
            vcpu.state.cr[usize::from(compare.field & 7)] = order | so;
        }
        vcpu.state.cia = site.ea;
        vcpu.state.retired = self.retired().wrapping_add(u64::from(site.done));
        Some(site.decoded)
    }

    /// Makes FPSCR what it would be if code had kept all of it.
    pub(crate) fn settle(&mut self, state: &mut VcpuState) {
        if state.fpscr & fpscr::XX == 0 && host::take_inexact() {
            state.fpscr = fpscr::raise(state.fpscr, fpscr::XX);
        }
        let Status { operands, compared, site, compares, converted, converts, .. } = self.host.data().frame.status;
        if site | compares | converts == 0 {
            return;
        }
        let status = &mut self.host.data().frame.status;
        (status.site, status.compares, status.converts) = (0, 0, 0);
        const ROUNDING: u64 = fpscr::FR | fpscr::FI;
        let op = |site: u32| {
            let site = self.cache.sites.get(site.checked_sub(1)? as usize)?;
            Some(self.interpreter.dispatch().row(site.decoded)?.op)
        };
        if let Some(outcome) = op(site).and_then(|op| float::outcome(op, operands)) {
            const MASK: u64 = ROUNDING | fpscr::FPRF;
            state.fpscr = state.fpscr & !MASK | (outcome.raised | outcome.fprf) & MASK;
        }
        if let Some(raised) = op(converts).and_then(|op| float::conversion(op, converted)) {
            state.fpscr = state.fpscr & !ROUNDING | raised & ROUNDING;
        }
        if compares != 0 {
            let [a, b] = compared.map(Float::of_double);
            let condition = match fp::compare(a, b, false, 0).0 {
                Some(Ordering::Less) => 8,
                Some(Ordering::Greater) => 4,
                Some(Ordering::Equal) => 2,
                None => 1,
            };
            state.fpscr = state.fpscr & !fpscr::FPCC | condition << fpscr::FPCC.trailing_zeros();
        }
    }

    /// Brings the held registers up to the state.
    pub(crate) fn read_back(&mut self, vcpu: &mut Vcpu, site: u32) {
        let Some(site) = self.cache.sites.get(site as usize) else { return };
        let Some(Places { held, reversed, usual }) = self.cache.places.get(site.region as usize) else { return };
        let frame = &mut self.host.data().frame;
        for (guest, host) in PINNED {
            if usual >> guest & 1 != 0 {
                frame.host[host as usize] = vcpu.state.gpr[guest];
            }
        }
        for register in bits(site.held & !usual) {
            if let Some(slot) = held[register].and_then(|host| frame.host.get_mut(host as usize)) {
                *slot = reversed.value(register, *register_of(&mut vcpu.state, register));
            }
        }
    }

    /// The code for the state's next instruction, if a branch went there before.
    pub(crate) fn known(&mut self, ea: u64) -> Option<u64> {
        let keys = self.keys.now();
        let jump = *self.host.data().jumps.get(jumps::index(ea, keys.fetch))?;
        (jump.ea == ea && jump.key == keys.fetch && keys.covers(ea)).then_some(jump.host)
    }

    /// The code for the next instruction; `Ok(None)` if it is to be interpreted.
    fn find(&mut self, vcpu: &Vcpu, context: &Context) -> Result<Option<u64>, Exit> {
        let state = &vcpu.state;
        let ea = state.cia;
        if let Some(host) = self.known(ea) {
            return Ok(Some(host));
        }
        if state.mode.traced() || vcpu.shared.visible(state, ea, Access::Fetch) {
            return Ok(None);
        }
        let (real, order) = self.interpreter(state, context).fetch(state, context)?;
        let mem = context.mem;
        if order != state.order() || vcpu.shared.overrides(state, real) || !mem.contains(real & !0xfff, 0x1000) {
            return Ok(None);
        }
        let page = PageKey { real: real & !0xfff, ea: ea & !0xfff, mode: self.keys.now().mode };
        let mut former = std::mem::take(&mut self.former);
        let generation = || mem.code_generation(real);
        let place = self.cache.find(page, ea, generation, || mem.mark_code(real), |ea, host| former.push((ea, host)));
        self.former = former;
        self.lead_on();
        let host = match place {
            Place::Never => return Ok(None),
            Place::Code(host) => host,
            Place::Cold(count) if count < self.policy.cold => return Ok(None),
            Place::Cold(_) => {
                let Some(host) = self.translate(vcpu, context, page) else {
                    let _ = self.cache.insert(page, ea, Place::Never);
                    return Ok(None);
                };
                for former in self.cache.insert(page, ea, Place::Code(host)) {
                    self.host.write_jump(former, host);
                }
                host
            }
        };
        if self.keys.is_full() {
            self.forget_jumps();
        }
        let keys = self.keys.now();
        if !keys.covers(ea) {
            return Ok(Some(host));
        }
        self.keys.fetched(ea);
        if keys.is_shared() && self.keys.is_radix() {
            self.fetched.note(mem, context.partition.process_table(), ea, [Some(Access::Fetch), None], real);
        }
        if let Some(jump) = self.host.data().jumps.get_mut(jumps::index(ea, keys.fetch)) {
            *jump = Jump::new(ea, keys.fetch, host);
        }
        Ok(Some(host))
    }

    /// Interprets up to the next event point. Returns the exit, if it is one.
    fn interpret(&mut self, vcpu: &mut Vcpu, context: &Context, limit: u64, why: What) -> Option<Exit> {
        let keys = vcpu.state.keys();
        let retired = vcpu.state.retired;
        let first = self.watched.is_some().then(|| self.next(&vcpu.state, context, why));
        let exit = self.interpreter(&vcpu.state, context).turns(vcpu, context, retired.saturating_add(1));
        let state = &vcpu.state;
        if let Some(first) = first {
            self.count_interpreted(first, state.retired.wrapping_sub(retired));
        }
        // What makes the engine prepare again, or wait, is for the caller; other vCPUs are waited for outside.
        let asked = context.requests.pending() != 0 || context.requests.unsettled();
        let on = state.retired < limit && !asked && state.keys() == keys && !state.waiting;
        (!(on && matches!(exit, Exit::Event))).then_some(exit)
    }

    /// The next instruction as a place at which is counted; its word is 0 if it cannot be fetched.
    fn next(&mut self, state: &VcpuState, context: &Context, why: What) -> Watch {
        let place = self.interpreter(state, context).fetch(state, context).ok();
        let word = place.and_then(|(real, order)| context.mem.load(real, order)).unwrap_or(0);
        let dispatch = self.interpreter.dispatch();
        let never = dispatch.row(dispatch.decoded(word.into())).is_none_or(|row| !translatable(row.op));
        let what = if never { What::Interpreted } else { why };
        Watch { ea: state.cia, problem: state.mode.problem(), what, word }
    }

    /// Translates the region at the next instruction, in `page`.
    fn translate(&mut self, vcpu: &Vcpu, context: &Context, page: PageKey) -> Option<u64> {
        let begun = self.watched.is_some().then(Instant::now);
        let (mem, inline) = (context.mem, context.privileged == Privileged::Inline);
        let state = &vcpu.state;
        let (dispatch, order) = (self.interpreter.dispatch(), state.order());
        let (named, at_constant) = (&self.named, shared::is_at_constant(vcpu));
        let supervisor = !state.mode.problem();
        let word = |ea: u64| mem.load(page.real | ea & 0xfff, order).unwrap_or(0);
        let decode = |ea: u64| {
            let decoded = dispatch.decoded(word(ea).into());
            let lacking = decoded.need & state.unavailable;
            let privileged = supervisor && lacking == need::PRIVILEGED;
            let named = named.get(decoded.index()).filter(|_| lacking == 0 || privileged);
            let op = named.and_then(|named| named.op).filter(|op| privileged || translatable(*op));
            let shared = at_constant && shared::place(op, decoded.word).is_some();
            let (live, exacting) = (plan::ALL, self.basis.exacting);
            Insn { decoded, op, privileged, shared, exacting, ea, reads: 0, sets: 0, live, writes: 0 }
        };
        let guess = Guess::of(std::array::from_fn(|register| match register {
            plan::CTR => state.ctr,
            plan::LR => state.lr,
            _ => state.gpr[register & 31],
        }));
        let named = |insn: &Insn| named.get(insn.decoded.index());
        let may_loop = self.cache.may_loop(page, state.cia, || Heads::of(word));
        let plan = self.explorer.plan(state.cia, state.mode.sixty_four(), decode, named, guess, may_loop);
        plan.insns.first()?.op?;
        let (origin, sixty_four) = (self.host.code_at(self.cache.used), state.mode.sixty_four());
        let setting = Setting {
            plan,
            reversed: Reversed::of(plan, state.mode.little(), named),
            data: self.host.data_at(),
            entry: &self.entry,
            sixty_four,
            little: state.mode.little(),
            exacting: self.basis.exacting,
            overflowed: self.basis.overflowed,
            wide: self.cpu.sixty_four(),
            cpu: self.cpu,
            inline,
            calls: self.cpu.family() == Family::Book3s64 && context.delivers && sixty_four && state.mode.problem(),
            shared_little: self.shared.0 == Order::Little,
            watched: self.policy.watched.then(|| mem.host().granule_shift),
            granule: mem.host().granule_shift,
            reserved: Writer::vcpu(state.pir).reserved(),
            region: self.cache.places.len() as u32,
            first_site: self.cache.sites.len() as u32,
            first_compare: self.cache.compares.len() as u32,
            first_link: self.cache.links as u32,
            unit: self.unit,
            block: self.cpu.cache_block(),
            first_hint: self.cache.hints as u32,
            problem: state.mode.problem(),
            first_exit: self.cache.leaving.len() as u32,
            ternary: self.policy.avx512,
            told: self.watched.is_some(),
            first_counter: self.watched.as_ref().and_then(Watched::first_counter),
        };
        let lowered = lower::lower(&setting, &mut self.scratch, origin)?;
        let code = self.scratch.asm.code();
        let links = self.cache.links + lowered.links as usize;
        let hints = self.cache.hints + lowered.hints as usize;
        let can_count = self.watched.as_ref().is_none_or(|watched| watched.can_count(plan.blocks.len()));
        let room = links <= LINKS && hints <= tlb::HINTS && can_count;
        if !room || !self.host.write(self.cache.used, code) {
            // Full: what is there is dropped, and what is needed comes again.
            self.flush();
            return None;
        }
        self.cache.used += code.len().next_multiple_of(16);
        if let Some(new) = self.host.data().links.get_mut(self.cache.links..links) {
            new.fill(Link::NONE);
        }
        self.cache.links = links;
        // What never matches is at the address of the first entry, with a key that no mode has.
        let none = self.host.data_at() + offset_of!(Data, tlb) as u64;
        if let Some(new) = self.host.data().hints.get_mut(self.cache.hints..hints) {
            new.fill(none);
        }
        self.cache.hints = hints;
        self.cache.sites.extend_from_slice(&self.scratch.sites);
        self.cache.compares.extend_from_slice(&self.scratch.fields.all);
        self.cache.leaving.extend_from_slice(&self.scratch.leaving);
        self.cache.places.push(lowered.places);
        if let (Some(watched), Some(begun)) = (&mut self.watched, begun) {
            watched.count_time(begun.elapsed());
            watched.tell_region(plan, &lowered, &self.scratch, page.real, state.mode.problem(), origin);
        }
        Some(origin)
    }

    /// Leads whoever comes to a region that holds no longer to what there is in its place now.
    fn lead_on(&mut self) {
        for (ea, host) in self.former.drain(..) {
            let mut asm = Asm::new(host);
            asm.call_to(self.entry.stale);
            // Regions have room for that, see `translate`.
            let code = asm.finish().map(|code| [code, ea.to_le_bytes().to_vec()].concat()).unwrap_or_default();
            self.host.write(host.wrapping_sub(self.host.code_at(0)) as usize, &code);
        }
    }

    /// Leads the exit that was taken to `host`.
    fn link(&mut self, exit: u64, host: u64) {
        let Some(leaving) = self.cache.leaving.get(exit as usize) else { return };
        let data = self.host.data();
        let key = data.frame.fetch_key;
        if leaving.patch == 0 {
            if let Some(link) = data.links.get_mut(leaving.link as usize) {
                *link = Link { key, host };
            }
        } else {
            self.host.write_jump(leaving.patch, host);
        }
    }
}

/// What code rests on besides the mode: state of programs that seldom changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Basis {
    /// Floating point may interrupt, or rounds otherwise than to nearest.
    pub exacting: bool,
    /// `XER[SO]`, which every comparison copies.
    pub overflowed: bool,
}

impl Basis {
    /// That of the state.
    pub fn of(state: &VcpuState) -> Basis {
        Basis { exacting: state.fpscr & (fpscr::ENABLES | fpscr::RN) != 0, overflowed: state.so }
    }
}

/// Whether code is made of an instruction at all, be it a call of its handler.
fn translatable(op: Op) -> bool {
    use ppc_isa::branch::Branch;
    match op {
        Op::System(_) => false,
        Op::Branch(op) => !matches!(op, Branch::ReturnFromEvent | Branch::Absent),
        _ => true,
    }
}

fn register_of(state: &mut VcpuState, register: usize) -> &mut u64 {
    match register {
        plan::CTR => &mut state.ctr,
        plan::LR => &mut state.lr,
        _ => &mut state.gpr[register & 31],
    }
}

impl Turns for Translator {
    fn prepare(&mut self, state: &mut VcpuState, context: &Context) {
        if self.unit == tlb::LARGE && self.met_small > tlb::PATIENCE {
            self.unit = tlb::SMALL;
            self.flush();
            self.forget_spaces();
        }
        self.take_invalidations(state, context);
        let host = context.mem.host();
        let whole = [self.unit, if self.policy.watched { host.granule_shift } else { self.unit }];
        let whole = whole.map(|shift| (1 << shift) - 1);
        let frame = &mut self.host.data().frame;
        frame.requests = context.requests.address();
        frame.unsettled = context.requests.unsettled_address();
        frame.ram = host.ram;
        frame.code = host.code.wrapping_sub(host.ram >> 12 << 3);
        frame.whole = whole;
        frame.granules = host.granules.wrapping_sub(host.ram >> host.granule_shift << 3);
        let old = msr::PR | msr::IR | msr::DR;
        (frame.system_call, frame.delivered) = landing(context.partition, old, Interrupt::SystemCall);
        frame.vectored = landing(context.partition, old, Interrupt::SystemCallVectored(0)).0;
        self.enter_mode(state, context);
    }

    fn turns(&mut self, vcpu: &mut Vcpu, context: &Context, limit: u64) -> Exit {
        let mut taken = None;
        self.until = limit;
        let shared = (vcpu.shared.order(), vcpu.shared.mapped());
        if shared != self.shared {
            // Code of before the page was mapped finds it as it finds devices.
            let holds = shared.0 == self.shared.0 && self.shared.1.is_none();
            self.shared = shared;
            self.host.data().frame.mapped = shared.1.is_some().into();
            if !holds {
                self.flush();
                self.enter_mode(&vcpu.state, context);
            }
        }
        loop {
            if self.is_behind(context) {
                self.epoch = context.mem.code_epoch();
                let mut former = std::mem::take(&mut self.former);
                self.cache.leave_written(|real| context.mem.code_generation(real), |ea, host| former.push((ea, host)));
                self.former = former;
                self.lead_on();
            }
            if Basis::of(&vcpu.state) != self.basis {
                self.enter_mode(&vcpu.state, context);
            }
            let turn = self.turn;
            let found = match self.find(vcpu, context) {
                Ok(found) => found,
                Err(exit) => return exit,
            };
            let came_by = taken.take();
            let Some(host) = found else {
                match self.interpret(vcpu, context, limit, What::Cold) {
                    Some(exit) => return exit,
                    None => continue,
                }
            };
            let lasts = self.turn == turn && self.keys.now().covers(vcpu.state.cia);
            if let Some(exit) = came_by.filter(|_| lasts) {
                self.link(exit, host);
            }
            self.watch_code(context);
            let retired = vcpu.state.retired;
            self.limit = retired.saturating_add(limit.saturating_sub(retired).min(i64::MAX as u64));
            self.count_from(retired);
            self.notice(context);
            if vcpu.state.fpscr & fpscr::XX == 0 {
                host::take_inexact();
            }
            self.look_around(&vcpu.state);
            let reason = host::run(self, vcpu, context, host);
            self.catch_up();
            self.count_left(reason);
            self.settle(&mut vcpu.state);
            vcpu.state.retired = self.retired();
            let exit = self.host.data().frame.exit;
            match reason {
                Reason::Resolve => {
                    taken = Some(exit);
                    if let Some(leaving) = self.cache.leaving.get(exit as usize) {
                        vcpu.state.cia = leaving.target;
                    }
                }
                Reason::Lookup | Reason::Jump => {}
                Reason::Event => {
                    if vcpu.state.retired >= limit || context.requests.pending() != 0 {
                        return Exit::Event;
                    }
                }
                Reason::Interpret => {
                    if let Some(exit) = self.interpret(vcpu, context, limit, What::Interpreted) {
                        return exit;
                    }
                }
                Reason::Exit => return self.exit.take().unwrap_or(Exit::Event),
            }
        }
    }
}

impl Engine for Translator {
    fn run(&mut self, vcpu: &mut Vcpu, context: &Context, budget: u64) -> Exit {
        exec::engine::run(self, vcpu, context, budget)
    }

    fn reset(&mut self) {
        self.interpreter.reset();
        self.flush();
        self.forget_spaces();
    }
}

const _: () = assert!(offset_of!(Data, frame) == 0);
