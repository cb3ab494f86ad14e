//! The fifth option vector: what a PAPR guest and its platform agree on (spec papr 4.4).

use crate::spec::{Interrupts, Mmu, Spec};

/// `ibm,architecture-vec-5`: what client-architecture-support would have agreed on (spec papr 4.4).
pub fn architecture_vec_5(spec: &Spec) -> [u8; 27] {
    let radix = if spec.mmu == Mmu::Radix { 0x40 } else { 0 };
    let xive = if spec.interrupts == Interrupts::Xive { 0x40 } else { 0 };
    let mut vec = [0; 27];
    vec[0] = 25; // bytes that follow, minus one
    vec[2] = 0x20; // dynamic reconfiguration
    vec[5] = 0x80; // form 1 affinity
    vec[6] = 0x04; // hot-plug events
    let hash = spec.mmu == Mmu::Hash || spec.chooses_mmu();
    vec[6] |= if hash { 0x01 } else { 0 }; // the hashed page table can be resized
    vec[22] = 0x80 | 0x40; // second version of dynamic memory, ibm,drc-info
    vec[23] = xive; // XIVE only, or XICS only
    vec[24] = radix; // radix only, or hash only
    vec[26] = radix; // the guest executes tlbie itself
    vec
}
