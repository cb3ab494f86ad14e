//! Flattened device trees: everything that was read can be looked at.

use image::elf::{Abi, Class, Kernel, Order, Segment};
use image::fdt::Fdt;
use machine::{Calls, Kind, Machine, Mmu, Spec};
use ppc_isa::Cpu;

/// Reads a tree and walks it.
pub fn run(data: &[u8]) {
    let Ok(tree) = Fdt::read(data) else { return };
    let mut properties = 0;
    for node in tree.nodes() {
        assert!(node.path().starts_with('/'));
        assert!(node.children().all(|child| child.parent().is_some_and(|parent| parent.path() == node.path())));
        for property in node.properties() {
            properties += 1;
            let cells = property.cells().count();
            assert!(cells * 4 <= property.value.len());
            let _ = (property.u32(), property.u64(), property.strings());
        }
    }
    assert!(properties <= data.len());
    assert!(tree.to_source().starts_with("/dts-v1/"));
    let _ = tree.find("/cpus/PowerPC,POWER9@0").and_then(|node| node.property("reg"));
}

/// The trees of our own machines.
pub fn examples() -> Vec<Vec<u8>> {
    let segment = Segment { physical: 0, virtual_: 0, file: 0..0, memory_size: 0x1000 };
    let kernel = Kernel { class: Class::Elf64, order: Order::Big, entry: 0, abi: Abi::ElfV2, segments: vec![segment] };
    let tree = |cpu, mmu, pv| {
        let calls = Calls::with_pv(pv);
        let append = "console=hvc0".into();
        let spec = Spec {
            kind: Kind::Pseries,
            cpu,
            cpus: 1,
            memory: 1 << 30,
            mmu,
            calls,
            append,
            seed: [7; 32],
            fixed_start: None,
            ..Spec::new(Kind::Pseries, cpu)
        };
        Machine::tree(&machine::plan(&spec, &kernel, Some(0x1000)).unwrap()).unwrap()
    };
    vec![tree(Cpu::Power8, Mmu::Hash, false), tree(Cpu::Power9, Mmu::Radix, true)]
}
