//! Code that rewrites itself: after a store, `icbi` and `isync` the new instruction runs, whichever address the store
//! went through.

use guest_mem::Order;
use ppc_isa::{Cpu, msr};

use crate::input::Input;
use crate::targets::vm::Vm;

const CODE: u64 = 0x1_0000;
/// `addi r3,r3,N`.
const ADD: u32 = 0x3863_0000;
/// `stw r5,0(r6)`, `dcbst 0,r6`, `sync`, `icbi 0,r6`, `isync`.
const REPLACE: [u32; 5] = [0x90a6_0000, 0x7c00_306c, 0x7c00_04ac, 0x7c00_37ac, 0x4c00_012c];
/// `rldimi r6,r9,60,0`: the low four bits of r9 become the top four of r6.
const ALIAS: u32 = 0x7926_e00e;

/// Each block runs an `addi`, stores another over it, and goes back to run that; the sum in r3 tells which of them ran.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut vm = Vm::new(input.pick(&Cpu::BOOK3S_64), false);
    let little = input.flag();
    let order = if little { Order::Little } else { Order::Big };
    vm.vcpu.set_msr(msr::SF | msr::ME | if little { msr::LE } else { 0 });

    let start = CODE + 4 * u64::from(input.byte());
    let (mut code, mut sum) = (Vec::new(), 0);
    while !input.is_empty() && code.len() < 2000 {
        let (old, new, alias) = (u32::from(input.byte()), u32::from(input.byte()), u32::from(input.byte() & 15));
        let slot = code.len();
        code.push(ADD | old);
        code.extend(constant(5, ADD | new));
        code.extend(constant(6, start as u32 + 4 * slot as u32));
        // Real addresses ignore their top four bits.
        code.extend([0x3920_0000 | alias, ALIAS]);
        code.extend(REPLACE);
        // addi r7,r7,-1; cmpdi r7,0; bne slot; li r7,2
        let back = 4 * (slot as i64 - (code.len() as i64 + 2));
        code.extend([0x38e7_ffff, 0x2c27_0000, 0x4082_0000 | back as u32 & 0xfffc, 0x38e0_0002]);
        sum += u64::from(old + new);
    }
    let end = start + 4 * code.len() as u64;
    code.push(0x4400_0002); // sc
    vm.store_code(start, order, &code);
    let state = &mut vm.vcpu.state;
    (state.cia, state.gpr[3], state.gpr[7]) = (start, 0, 2);
    assert_eq!(vm.run_to_call(10_000), Some(end), "the code did not come to its end");
    assert_eq!(vm.vcpu.state.gpr[3], sum, "an instruction that was overwritten ran");
}

/// `lis`, `ori`: a register that holds `value`, below 2^31.
fn constant(register: u32, value: u32) -> [u32; 2] {
    [0x3c00_0000 | register << 21 | value >> 16, 0x6000_0000 | register << 21 | register << 16 | value & 0xffff]
}
