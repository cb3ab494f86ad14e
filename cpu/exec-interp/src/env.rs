//! What handlers work with besides the registers: memory through the TLB, the shared page, the trap in flight.

use exec::{Context, Interrupt, SharedPage, VcpuState, Width};
use guest_mem::{Order, Word, Writer};
use ppc_mmu::{Access, SoftTlb};

/// Where control goes after an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// To the next instruction.
    Next,
    /// To `state.target`, a direct branch.
    Jump,
    /// To `state.target`, through a register.
    JumpIndirect,
    /// To the next instruction, after an event point.
    Synchronise,
    /// To the next instruction, after leaving the engine: something it keeps may have changed.
    Leave,
}

/// Why an instruction did not complete.
#[derive(Clone, Copy, Debug)]
pub enum Trap {
    /// It causes this interrupt.
    Interrupt(Interrupt),
    /// It is `sc`.
    SystemCall,
}

/// The instruction did not complete; [`Env::trap`] says why.
#[derive(Clone, Copy, Debug)]
pub struct Trapped;

/// Result of a handler.
pub type Step = Result<Flow, Trapped>;

/// Executes one instruction word. On `Trapped` no register has changed.
pub type Handler = fn(&mut VcpuState, &mut Env, u32) -> Step;

/// The surroundings of the registers during a run.
pub struct Env<'a> {
    /// What the engine was given.
    pub context: Context<'a>,
    /// The vCPU's shared page.
    pub shared: &'a mut SharedPage,
    /// Data translations.
    pub tlb: &'a mut SoftTlb,
    /// The prefix of the instruction, if it has one; the handler's word is the suffix.
    pub prefix: u32,
    /// Why the last handler trapped.
    pub trap: Option<Trap>,
}

/// Where the bytes of an access are.
#[derive(Clone, Copy)]
enum Place {
    /// Guest real address.
    Real(u64),
    /// Offset in the shared page.
    Shared(usize),
}

impl<'a> Env<'a> {
    /// Surroundings in which nothing has happened yet.
    pub fn new(context: &Context<'a>, shared: &'a mut SharedPage, tlb: &'a mut SoftTlb) -> Env<'a> {
        Env { context: *context, shared, tlb, prefix: 0, trap: None }
    }
}

impl Env<'_> {
    /// Makes the instruction end in `interrupt`.
    #[cold]
    pub fn interrupt(&mut self, interrupt: Interrupt) -> Trapped {
        self.trap = Some(Trap::Interrupt(interrupt));
        Trapped
    }

    /// Loads the value at effective address `ea` in the guest's byte order.
    ///
    /// # Errors
    /// The storage interrupt that the access causes.
    #[inline(always)]
    pub fn load<T: Word>(&mut self, state: &VcpuState, ea: u64) -> Result<T, Trapped> {
        if let Some(real) = self.tlb.lookup(ea, Access::Load)
            && ea & 0xfff <= 0x1000 - T::BYTES
            && let Some(value) = self.context.mem.load(real, state.order())
        {
            return Ok(value);
        }
        self.load_slowly(state, ea)
    }

    /// Stores `value` at effective address `ea` in the guest's byte order.
    ///
    /// # Errors
    /// The storage interrupt that the access causes; then nothing has been stored.
    #[inline(always)]
    pub fn store<T: Word>(&mut self, state: &VcpuState, ea: u64, value: T) -> Result<(), Trapped> {
        if let Some(real) = self.tlb.lookup(ea, Access::Store)
            && ea & 0xfff <= 0x1000 - T::BYTES
            && self.context.mem.store_by(writer(state), real, state.order(), value)
        {
            return Ok(());
        }
        self.store_slowly(state, ea, value)
    }

    /// Sixteen bytes at `ea` as two doublewords, the one at the lower address first, each in guest byte order.
    ///
    /// # Errors
    /// As [`Env::load`].
    #[inline(always)]
    pub fn load_pair(&mut self, state: &VcpuState, ea: u64) -> Result<[u64; 2], Trapped> {
        let low = self.load::<u64>(state, ea)?;
        Ok([low, self.load::<u64>(state, state.effective(ea.wrapping_add(8)))?])
    }

    /// Stores two doublewords at `ea`, the first at the lower address; nothing is stored when either faults.
    ///
    /// # Errors
    /// As [`Env::store`].
    #[inline(always)]
    pub fn store_pair(&mut self, state: &VcpuState, ea: u64, value: [u64; 2]) -> Result<(), Trapped> {
        if ea & 0xfff > 0x1000 - 16 {
            self.storable(state, ea, 16)?;
        }
        self.store(state, ea, value[0])?;
        self.store(state, state.effective(ea.wrapping_add(8)), value[1])
    }

    /// Whether all of `bytes` bytes at `ea`, no more than a page, can be stored.
    ///
    /// # Errors
    /// The storage interrupt of the first that can not.
    pub fn storable(&mut self, state: &VcpuState, ea: u64, bytes: u64) -> Result<(), Trapped> {
        self.place(state, ea, Access::Store)?;
        if ea & 0xfff > 0x1000 - bytes {
            self.place(state, state.effective((ea | 0xfff).wrapping_add(1)), Access::Store)?;
        }
        Ok(())
    }

    /// The guest real address of `ea`, checked for `access`; `None` when it lies in the shared page.
    ///
    /// # Errors
    /// The storage interrupt that the access causes.
    pub fn real(&mut self, state: &VcpuState, ea: u64, access: Access) -> Result<Option<u64>, Trapped> {
        Ok(match self.place(state, ea, access)? {
            Place::Real(real) => Some(real),
            Place::Shared(_) => None,
        })
    }

    #[cold]
    fn load_slowly<T: Word>(&mut self, state: &VcpuState, ea: u64) -> Result<T, Trapped> {
        if ea & 0xfff > 0x1000 - T::BYTES {
            let mut bytes = [0; 8];
            for (i, byte) in bytes.iter_mut().enumerate().take(T::BYTES as usize) {
                *byte = self.load::<u8>(state, state.effective(ea.wrapping_add(i as u64)))?;
            }
            return Ok(value_of(bytes, state.order()));
        }
        match self.place(state, ea, Access::Load)? {
            Place::Shared(offset) => Ok(value_of(self.shared.bytes(offset), state.order())),
            Place::Real(real) => {
                if let Some(value) = self.context.mem.load(real, state.order()) {
                    return Ok(value);
                }
                match self.context.mmio.read(real, width::<T>()) {
                    Some(value) => Ok(in_order(T::truncate(value), state.order())),
                    None => Err(self.interrupt(Interrupt::MachineCheck { dar: ea })),
                }
            }
        }
    }

    #[cold]
    fn store_slowly<T: Word>(&mut self, state: &VcpuState, ea: u64, value: T) -> Result<(), Trapped> {
        if ea & 0xfff > 0x1000 - T::BYTES {
            // Both pages must take the store before either changes.
            self.storable(state, ea, T::BYTES)?;
            let bytes = bytes_of(value, state.order());
            for (i, byte) in bytes.into_iter().enumerate().take(T::BYTES as usize) {
                self.store(state, state.effective(ea.wrapping_add(i as u64)), byte)?;
            }
            return Ok(());
        }
        match self.place(state, ea, Access::Store)? {
            Place::Shared(offset) => {
                let bytes = bytes_of(value, state.order());
                self.shared.set_bytes(offset, bytes.get(..T::BYTES as usize).unwrap_or(&[]));
                Ok(())
            }
            Place::Real(real) => {
                let stored = self.context.mem.store_by(writer(state), real, state.order(), value)
                    || self.context.mmio.write(real, width::<T>(), in_order(value, state.order()).into());
                if stored { Ok(()) } else { Err(self.interrupt(Interrupt::MachineCheck { dar: ea })) }
            }
        }
    }

    /// Translates and remembers; the shared page comes first wherever it is visible, and is never remembered.
    fn place(&mut self, state: &VcpuState, ea: u64, access: Access) -> Result<Place, Trapped> {
        let offset = (ea & 0xfff) as usize;
        if self.shared.visible(state, ea, access) {
            return Ok(Place::Shared(offset));
        }
        if let Some(real) = self.tlb.lookup(ea, access) {
            return Ok(Place::Real(real));
        }
        let space = state.space(self.context.mem, self.context.partition, false);
        match space.translate(ea, access) {
            Ok(mapping) if self.shared.overrides(state, mapping.real) => Ok(Place::Shared(offset)),
            Ok(mapping) => {
                if !self.shared.shadows(ea) {
                    self.tlb.insert(&space.tables, ea, mapping);
                }
                Ok(Place::Real(mapping.real))
            }
            Err(fault) => Err(self.interrupt(Interrupt::of(fault, access, ea))),
        }
    }
}

/// The vCPU as who stores.
#[inline(always)]
pub fn writer(state: &VcpuState) -> Writer {
    Writer::vcpu(state.pir)
}

fn width<T: Word>() -> Width {
    match T::BYTES {
        1 => Width::B1,
        2 => Width::B2,
        4 => Width::B4,
        _ => Width::B8,
    }
}

/// A number whose big-endian bytes are the bus order, seen in the guest's order.
fn in_order<T: Word>(value: T, order: Order) -> T {
    if order == Order::Little { value.reverse() } else { value }
}

/// The first bytes of memory as a number.
fn value_of<T: Word>(bytes: [u8; 8], order: Order) -> T {
    let value = T::truncate(u64::from_le_bytes(bytes));
    if order == Order::Big { value.reverse() } else { value }
}

/// A number as the first bytes of memory.
fn bytes_of<T: Word>(value: T, order: Order) -> [u8; 8] {
    let value = if order == Order::Big { value.reverse() } else { value };
    let value: u64 = value.into();
    value.to_le_bytes()
}
