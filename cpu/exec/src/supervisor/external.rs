//! External process ID instructions: loads, stores and cache operations of privileged software in the address space,
//! and with the rights, of somebody else (Power ISA 2.06 Book III-E, sections 5.3.7 and 5.4.3).

use guest_mem::{Order, Writer};
use ppc_isa::system::External;
use ppc_mmu::{Access, Mapping, Space, Tables, fault};

use crate::context::{Context, Width};
use crate::delivery::booke::esr;
use crate::interrupt::Interrupt;
use crate::mode::need;
use crate::state::booke::External as Other;
use crate::vcpu::Vcpu;

/// Where the bytes of an access are.
enum Place {
    Real {
        real: u64,
        uncached: bool,
    },
    /// Offset in the shared page.
    Shared(usize),
}

/// Executes `op` at `ea` with register `n` of whatever kind, in the byte order of the page that it meets.
///
/// # Errors
/// The interrupt it causes: then no register has changed and nothing has been stored.
pub fn execute(vcpu: &mut Vcpu, context: &Context, op: External, n: usize, ea: u64) -> Result<(), Interrupt> {
    match in_order(vcpu, context, op, n, ea) {
        Err(Interrupt::DataStorage { dsisr, .. }) if dsisr & esr::BO != 0 => {
            vcpu.state.mode = vcpu.state.mode.ordered(true);
            let done = in_order(vcpu, context, op, n, ea);
            vcpu.state.mode = vcpu.state.mode.ordered(false);
            done
        }
        done => done,
    }
}

/// The same in the byte order of the mode.
fn in_order(vcpu: &mut Vcpu, context: &Context, op: External, n: usize, ea: u64) -> Result<(), Interrupt> {
    let lacks = |need: u16| vcpu.state.unavailable & need != 0;
    let little = vcpu.state.mode.little();
    // A number of some bytes in big-endian order as one in the order of the mode, and the other way round.
    let turned = |value: u64, bytes: u64| if little { (value << (64 - 8 * bytes)).swap_bytes() } else { value };
    let quad = |[first, second]: [u64; 2]| if little { [turned(second, 8), turned(first, 8)] } else { [first, second] };
    match op {
        External::Load { bytes } => {
            let value = load(vcpu, context, ea, bytes.into())?;
            set(&mut vcpu.state.gpr, n, turned(value, bytes.into()));
        }
        External::Store { bytes } => {
            let value = get(&vcpu.state.gpr, n);
            store(vcpu, context, ea, bytes.into(), turned(value, bytes.into()))?;
        }
        External::LoadFloat | External::StoreFloat if lacks(need::FP) => return Err(Interrupt::FpUnavailable),
        External::LoadVector | External::StoreVector if lacks(need::VEC) => return Err(Interrupt::VectorUnavailable),
        External::LoadFloat => {
            let value = load(vcpu, context, ea, 8)?;
            set(&mut vcpu.state.vsr, n, [turned(value, 8), 0]);
        }
        External::StoreFloat => {
            let [value, _] = get(&vcpu.state.vsr, n);
            store(vcpu, context, ea, 8, turned(value, 8))?;
        }
        External::LoadVector => {
            let value = [load(vcpu, context, ea & !15, 8)?, load(vcpu, context, ea & !15 | 8, 8)?];
            set(&mut vcpu.state.vsr, 32 + n, quad(value));
        }
        External::StoreVector => {
            let [first, second] = quad(get(&vcpu.state.vsr, 32 + n));
            store(vcpu, context, ea & !15, 8, first)?;
            store(vcpu, context, ea & !15 | 8, 8, second)?;
        }
        External::Zero => zero(vcpu, context, ea)?,
        External::Touch => _ = place(vcpu, context, ea, Access::Load)?,
        External::Hint => {}
    }
    Ok(())
}

fn get<T: Copy + Default>(registers: &[T], n: usize) -> T {
    registers.get(n).copied().unwrap_or_default()
}

fn set<T>(registers: &mut [T], n: usize, value: T) {
    if let Some(register) = registers.get_mut(n) {
        *register = value;
    }
}

/// Where an access goes in the space that EPLC, or EPSC for stores, describes. The shared page is seen as the processor
/// itself sees it: by privileged software in address space 0.
fn place(vcpu: &Vcpu, context: &Context, ea: u64, access: Access) -> Result<Place, Interrupt> {
    let state = &vcpu.state;
    let Other { problem, space, pid } = state.booke.external(access == Access::Store);
    if !problem && !space && vcpu.shared.mapped_at(state, ea) {
        return Ok(Place::Shared((ea & 0xfff) as usize));
    }
    let tables = Tables::BookE { tlb: &state.booke.tlb, pids: [pid; 3], space, little: state.mode.little() };
    let space = Space { mem: context.mem, tables, problem, keys: state.keys() };
    match space.translate(ea, access) {
        Ok(Mapping { real, uncached, .. }) => Ok(Place::Real { real, uncached }),
        Err(fault) => Err(external(Interrupt::of(fault, access, ea))),
    }
}

/// `interrupt` with the mark of an external process ID instruction.
fn external(interrupt: Interrupt) -> Interrupt {
    match interrupt {
        Interrupt::DataStorage { dar, dsisr } => Interrupt::DataStorage { dar, dsisr: dsisr | esr::EPID },
        Interrupt::DataTlbMiss { dar, dsisr } => Interrupt::DataTlbMiss { dar, dsisr: dsisr | esr::EPID },
        other => other,
    }
}

/// The number that `bytes` bytes at `ea` make, big-endian.
fn load(vcpu: &Vcpu, context: &Context, ea: u64, bytes: u64) -> Result<u64, Interrupt> {
    if ea & 0xfff > 0x1000 - bytes {
        return (0..bytes).try_fold(0, |value, n| {
            let byte = load(vcpu, context, vcpu.state.effective(ea.wrapping_add(n)), 1)?;
            Ok(value << 8 | byte)
        });
    }
    let real = match place(vcpu, context, ea, Access::Load)? {
        Place::Shared(offset) => {
            let value = u64::from_be_bytes(vcpu.shared.bytes(offset));
            return Ok(value >> (64 - 8 * bytes));
        }
        Place::Real { real, .. } => real,
    };
    let (memory, width) = match bytes {
        1 => (context.mem.load::<u8>(real, Order::Big).map(u64::from), Width::B1),
        2 => (context.mem.load::<u16>(real, Order::Big).map(u64::from), Width::B2),
        4 => (context.mem.load::<u32>(real, Order::Big).map(u64::from), Width::B4),
        _ => (context.mem.load::<u64>(real, Order::Big), Width::B8),
    };
    memory.or_else(|| context.mmio.read(real, width)).ok_or(Interrupt::MachineCheck { dar: ea })
}

/// Stores the low `bytes` bytes of `value`, big-endian, all or nothing.
fn store(vcpu: &mut Vcpu, context: &Context, ea: u64, bytes: u64, value: u64) -> Result<(), Interrupt> {
    if ea & 0xfff > 0x1000 - bytes {
        place(vcpu, context, ea, Access::Store)?;
        place(vcpu, context, vcpu.state.effective((ea | 0xfff).wrapping_add(1)), Access::Store)?;
        return (0..bytes).try_for_each(|n| {
            let at = vcpu.state.effective(ea.wrapping_add(n));
            store(vcpu, context, at, 1, value >> (8 * (bytes - 1 - n)))
        });
    }
    let real = match place(vcpu, context, ea, Access::Store)? {
        Place::Shared(offset) => {
            let all = value.to_be_bytes();
            vcpu.shared.set_bytes(offset, all.get(8 - bytes as usize..).unwrap_or(&[]));
            return Ok(());
        }
        Place::Real { real, .. } => real,
    };
    let by = Writer::vcpu(vcpu.state.pir);
    let (stored, width) = match bytes {
        1 => (context.mem.store_by(by, real, Order::Big, value as u8), Width::B1),
        2 => (context.mem.store_by(by, real, Order::Big, value as u16), Width::B2),
        4 => (context.mem.store_by(by, real, Order::Big, value as u32), Width::B4),
        _ => (context.mem.store_by(by, real, Order::Big, value), Width::B8),
    };
    let bits = u64::MAX >> (64 - 8 * bytes);
    let stored = stored || context.mmio.write(real, width, value & bits);
    if stored { Ok(()) } else { Err(Interrupt::MachineCheck { dar: ea }) }
}

/// Sets the block that contains `ea` to zero; one that is not memory can not be cached.
fn zero(vcpu: &mut Vcpu, context: &Context, ea: u64) -> Result<(), Interrupt> {
    let block = vcpu.state.cpu.cache_block();
    let ea = ea & !(block - 1);
    match place(vcpu, context, ea, Access::Store)? {
        Place::Shared(offset) => {
            (0..block as usize).step_by(8).for_each(|n| vcpu.shared.set_bytes(offset + n, &[0; 8]));
            Ok(())
        }
        Place::Real { real, uncached: false } if context.mem.zero_by(Writer::vcpu(vcpu.state.pir), real, block) => {
            Ok(())
        }
        Place::Real { .. } => Err(Interrupt::Alignment { dar: ea, dsisr: fault::STORE | esr::EPID }),
    }
}
