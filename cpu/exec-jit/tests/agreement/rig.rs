//! What these tests share: memory with a program in it, a vCPU at its start, and random numbers.

use exec::{Context, Engine, Exit, PartitionState, Privileged, Requests, Vcpu};
use guest_mem::{GuestMem, Order};
use ppc_isa::Cpu;

/// Bytes of memory.
pub const RAM: u64 = 1 << 20;
/// Where programs are.
pub const START: u64 = 0x1000;
/// `sc`, which ends them.
pub const SC: u32 = 0x4400_0002;

/// Memory with a program.
pub fn memory(order: Order, words: &[u32]) -> GuestMem {
    let mem = GuestMem::new(RAM).unwrap();
    load(&mem, order, words);
    mem
}

/// Puts a program into memory.
pub fn load(mem: &GuestMem, order: Order, words: &[u32]) {
    for (at, word) in (START..).step_by(4).zip(words) {
        assert!(mem.store(at, order, *word));
    }
}

/// A vCPU at the program's start.
pub fn vcpu(cpu: Cpu, msr: u64) -> Vcpu {
    let mut vcpu = Vcpu::new(cpu, 0);
    vcpu.set_msr(msr);
    vcpu.state.cia = START;
    vcpu
}

/// Runs for `budget` instructions at most, privileged ones being exits.
pub fn run(engine: &mut dyn Engine, vcpu: &mut Vcpu, mem: &GuestMem, budget: u64) -> Exit {
    let (partition, requests) = (PartitionState::new(None, false), Requests::default());
    let exit = engine.run(vcpu, &Context::alone(mem, &partition, &requests, Privileged::Trap), budget);
    // Where the last branch went is nobody's business.
    vcpu.state.target = 0;
    exit
}

/// A generator of numbers, by Steele and others' SplitMix64.
pub struct Random(pub u64);

impl Random {
    /// A number of 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u32) -> u32 {
        (self.next() % u64::from(end)) as u32
    }

    /// One of `list`.
    pub fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u32) as usize]
    }
}
