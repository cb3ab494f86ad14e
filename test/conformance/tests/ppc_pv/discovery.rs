//! Discovery: what the device tree says, and the words that always fail.

use conformance::{CODE, Rig, layout, rigs};
use guest_mem::Order;
use image::fdt::Fdt;
use machine::{Calls, Kind, Machine};
use ppc_isa::Cpu;
use ppc_isa::cpu::Family;
use pv_abi::rewrite::Build;
use pv_guest::discovery::{Hypervisor, Instructions, stub};

/// Each kind of machine with each model and byte order that it has.
fn machines() -> impl Iterator<Item = (Kind, Cpu, Order)> {
    let kinds = [Kind::Pseries, Kind::Bare, Kind::E500, Kind::Mac];
    kinds.into_iter().flat_map(|kind| {
        let models = Cpu::ALL.into_iter().filter(|cpu| !cpu.is_variant()).filter(move |cpu| match kind {
            Kind::Pseries => cpu.family() == Family::Book3s64,
            Kind::Bare => true,
            Kind::E500 => cpu.family() == Family::BookE,
            Kind::Mac => cpu.family() == Family::Book3s32,
        });
        models.flat_map(move |cpu| {
            let orders = if cpu.family() == Family::Book3s64 { 2 } else { 1 };
            [Order::Big, Order::Little].into_iter().take(orders).map(move |order| (kind, cpu, order))
        })
    })
}

fn tree(kind: Kind, cpu: Cpu, order: Order, calls: Calls) -> Vec<u8> {
    Machine::tree(&layout(kind, cpu, order, calls)).unwrap()
}

/// The value of a property of the hypervisor's node.
fn property(tree: &[u8], name: &str) -> Option<Vec<u8>> {
    Some(Fdt::read(tree).unwrap().find("/hypervisor")?.property(name)?.value.to_vec())
}

#[test]
fn case_01_the_node_of_the_hypervisor() {
    for (kind, cpu, order) in machines() {
        let with = tree(kind, cpu, order, Calls::with_pv(true));
        assert_eq!(property(&with, "compatible"), Some(b"linux,kvm\0".to_vec()), "{kind:?} {}", cpu.name());
        assert!(Hypervisor::find(&with).is_kvm, "{kind:?} {}", cpu.name());
        let without = tree(kind, cpu, order, Calls::with_pv(false));
        assert!(Fdt::read(&without).unwrap().find("/hypervisor").is_none(), "{kind:?} {}", cpu.name());
        assert_eq!(Hypervisor::find(&without), Hypervisor::default(), "{kind:?} {}", cpu.name());
    }
}

#[test]
fn case_02_instructions_are_big_endian_bytes() {
    const BYTES: [u8; 16] = [0x3c, 0, 0x4b, 0x56, 0x60, 0, 0x4d, 0x21, 0x44, 0, 0, 2, 0x60, 0, 0, 0];
    for (kind, cpu, order) in machines() {
        let tree = tree(kind, cpu, order, Calls::with_pv(true));
        assert_eq!(property(&tree, "hcall-instructions").as_deref(), Some(&BYTES[..]), "{kind:?} {}", cpu.name());
        assert_eq!(property(&tree, "hypercall-instructions"), None);
        let found = Hypervisor::find(&tree).instructions.unwrap();
        assert_eq!(found.words(), [0x3c00_4b56, 0x6000_4d21, 0x4400_0002, 0x6000_0000], "{kind:?} {}", cpu.name());
    }
}

/// Calls the stub of the guest's library from `CODE`; returns where that ended.
fn call(rig: &mut Rig, stub: &[u32]) -> u64 {
    const BL: u32 = 0x4800_0001;
    rig.place(CODE + 0x100, stub);
    let end = rig.place(CODE, &[BL | 0x100]);
    rig.start(end)
}

/// And the words make a call, wherever they stand.
#[test]
fn case_02_the_instructions_call() {
    for mut rig in rigs() {
        let tree = tree(rig.kind, rig.cpu, rig.order, Calls { papr: false, ..Calls::with_pv(true) });
        let words = Hypervisor::find(&tree).instructions.unwrap();
        rig.sets(&[(3, 5), (4, 6), (11, 0x2a_0003)]);
        let at = call(&mut rig, &stub(Some(&words)));
        assert_eq!((at, rig.r(3), rig.r(4)), (CODE + 4, 0, 2), "{}", rig.name());
    }
}

#[test]
fn case_05_without_a_node_calls_fail_and_nothing_traps() {
    for mut rig in rigs() {
        let found = Hypervisor::find(&tree(rig.kind, rig.cpu, rig.order, Calls::with_pv(false)));
        assert_eq!(found, Hypervisor::default(), "{}", rig.name());
        rig.sets(&[(3, 5), (11, 0x2a_0003)]);
        let at = call(&mut rig, &stub(found.instructions.as_ref()));
        assert_eq!((at, rig.r(3)), (CODE + 4, rig.seen(u64::MAX)), "{}", rig.name());
        assert!(rig.exits.is_empty(), "{}: {:x?}", rig.name(), rig.exits);
    }
}

fn build(cpu: Cpu) -> Build {
    match cpu.family() {
        Family::Book3s32 => Build::Book3s32,
        Family::Book3s64 => Build::Book3s64,
        Family::BookE if cpu.sixty_four() => Build::BookE64,
        Family::BookE => Build::BookE32,
    }
}

#[test]
fn case_07_the_idle_loop_is_for_32_bit_kernels_and_booke() {
    for (kind, cpu, order) in machines() {
        let tree = tree(kind, cpu, order, Calls::with_pv(true));
        // A Power Macintosh never says it, since OpenBIOS does not.
        let expected = cpu.family() != Family::Book3s64 && kind != Kind::Mac;
        assert_eq!(property(&tree, "has-idle"), expected.then(Vec::new), "{kind:?} {}", cpu.name());
        let found = Hypervisor::find(&tree);
        assert_eq!(found.idle_by_call(build(cpu)), expected, "{kind:?} {}", cpu.name());
        let idle = Hypervisor { has_idle: true, ..found };
        assert_eq!(idle.idle_by_call(build(cpu)), cpu.family() != Family::Book3s64, "a tree that says it");
    }
}

#[test]
fn case_08_the_fallback_words_always_fail() {
    const WORDS: [u32; 4] = [0x0800_0048, 0x3860_ffff, 0x4800_0008, 0xffff_6038];
    let value: Vec<u8> = WORDS.iter().flat_map(|word| word.to_be_bytes()).collect();
    let written = stub(Instructions::new(&value).as_ref());
    // As an early little-endian kernel stores them.
    let swapped = std::array::from_fn(|n| if n < WORDS.len() { written[n].swap_bytes() } else { written[n] });
    for mut rig in rigs().filter(Rig::wide) {
        for stub in [written, swapped] {
            rig.set(3, 5);
            let at = call(&mut rig, &stub);
            assert_eq!((at, rig.r(3)), (CODE + 4, u64::MAX), "{} {stub:x?}", rig.name());
            assert!(rig.exits.is_empty(), "{}: {:x?}", rig.name(), rig.exits);
        }
    }
}
