//! Kernel files: what is accepted can be planned and loaded, or is refused with an error.

use image::elf;
use machine::{Calls, Kind, Machine, Mmu, Spec};
use ppc_isa::Cpu;

/// Reads a kernel, and builds a machine of it if it is one.
pub fn run(data: &[u8]) {
    let Ok(kernel) = elf::read(data) else { return };
    let symbols = kernel.symbols(data).take(10_000).map(|symbol| symbol.name.len()).sum::<usize>();
    assert!(symbols <= data.len() * 10_000);
    for (kind, memory) in [(Kind::Pseries, 16 << 20), (Kind::Bare, 64 << 20)] {
        let spec = Spec {
            kind,
            cpu: Cpu::Power9,
            cpus: 1,
            memory,
            mmu: Mmu::Radix,
            calls: Calls::with_pv(true),
            append: String::new(),
            seed: [0; 32],
            fixed_start: None,
            ..Spec::new(kind, Cpu::Power9)
        };
        let Ok(layout) = machine::plan(&spec, &kernel, Some(data.len() as u64)) else { continue };
        assert!(layout.to_string().contains("kernel"));
        // A plan that was accepted can be carried out.
        let machine = Machine::build(&layout, data, Some(data), Box::new(std::io::sink())).unwrap();
        assert_eq!(machine.mem.len(), memory);
    }
}

/// Test kernels of both byte orders, cut to their headers and first bytes, and the demonstration as a whole.
pub fn examples() -> Vec<Vec<u8>> {
    let be = include_bytes!("../../../../guest/elf/demo-be.elf").to_vec();
    let le = include_bytes!("../../../../guest/elf/demo-le.elf").to_vec();
    vec![be[..0x100].to_vec(), le[..0x100].to_vec(), be, le]
}
