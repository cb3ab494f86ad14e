//! SPE loads and stores.

use exec::VcpuState;
use ppc_isa::spe::LoadStore;
use ppc_isa::spe::loadstore::Pattern;

use super::{joined, split, wide, words, write};
use crate::env::{Env, Flow, Step, Trapped};
use crate::fields::{ra0, rb, rt};
use crate::loadstore::aligned;

/// Executes `op`, the word `w`.
pub fn execute(op: LoadStore, s: &mut VcpuState, env: &mut Env, w: u32) -> Step {
    let bytes = op.pattern.bytes();
    let offset = if op.indexed { s.gpr[rb(w)] } else { rb(w) as u64 * bytes };
    let ea = s.effective(ra0(s, w).wrapping_add(offset));
    aligned(env, ea, bytes)?;
    if op.store {
        store(op.pattern, s, env, ea, rt(w))?;
    } else {
        let value = load(op.pattern, s, env, ea)?;
        write(s, w, value);
    }
    Ok(Flow::Next)
}

fn load(pattern: Pattern, s: &VcpuState, env: &mut Env, ea: u64) -> Result<[u32; 2], Trapped> {
    let mut half = |n: u64| env.load::<u16>(s, ea + 2 * n).map(u32::from);
    let extend = |half: u32, signed: bool| if signed { i32::from(half as i16) as u32 } else { half };
    Ok(match pattern {
        Pattern::Double => split(env.load::<u64>(s, ea)?),
        Pattern::Words => [env.load::<u32>(s, ea)?, env.load::<u32>(s, ea + 4)?],
        Pattern::Halves => [half(0)? << 16 | half(1)?, half(2)? << 16 | half(3)?],
        Pattern::HalvesEven => [half(0)? << 16, half(1)? << 16],
        Pattern::HalvesOdd { signed } => [extend(half(0)?, signed), extend(half(1)?, signed)],
        Pattern::SplatWord | Pattern::WordEven | Pattern::WordOdd => [env.load::<u32>(s, ea)?; 2],
        Pattern::SplatHalves => [half(0)? * 0x1_0001, half(1)? * 0x1_0001],
        Pattern::SplatHalfEven => [half(0)? << 16; 2],
        Pattern::SplatHalfOdd { signed } => [extend(half(0)?, signed); 2],
    })
}

/// The address is aligned: all parts lie in one page, and only the first can fault.
fn store(pattern: Pattern, s: &VcpuState, env: &mut Env, ea: u64, register: usize) -> Result<(), Trapped> {
    let [high, low] = words(s, register);
    match pattern {
        Pattern::Double => env.store(s, ea, wide(s, register)),
        Pattern::Words => {
            env.store(s, ea, high)?;
            env.store(s, ea + 4, low)
        }
        Pattern::Halves => {
            let value = joined([high, low]);
            (0..4).try_for_each(|n| env.store(s, ea + 2 * n, (value >> (48 - 16 * n)) as u16))
        }
        Pattern::HalvesEven => {
            env.store(s, ea, (high >> 16) as u16)?;
            env.store(s, ea + 2, (low >> 16) as u16)
        }
        Pattern::HalvesOdd { .. } => {
            env.store(s, ea, high as u16)?;
            env.store(s, ea + 2, low as u16)
        }
        Pattern::WordEven => env.store(s, ea, high),
        _ => env.store(s, ea, low),
    }
}
