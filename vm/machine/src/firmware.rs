//! Open Firmware on a PAPR partition: the nodes that it alone has, its adapters, and its live tree, which begins as the
//! machine's flattened one.

use std::ops::Range;
use std::sync::Arc;

use guest_mem::GuestMem;
use hv_of::{Architecture, Console, Disk, OpenFirmware, Ports, Tree, path};
use hv_papr::connectors::Item;
use image::disk::{self, Partition};
use papr_abi::{client, rtas};
use platform::disk::BLOCK;
use platform::{DiskImage, Vty};

use crate::fdt::Writer;
use crate::options;
use crate::plan::Layout;
use crate::spec::Spec;

/// Memory below is for the client's interrupt vectors, and nobody's to claim (PowerPC binding, 8.2.1).
const VECTORS: Range<u64> = 0..0x4000;

/// Writes the nodes that clients of firmware look for.
pub fn write(root: &mut Writer, spec: &Spec) {
    root.node("options", |options| options.text("real-mode?", "true"));
    root.node("aliases", |aliases| {
        if spec.disk.is_some() {
            aliases.text("disk", path::DISK);
        }
    });
    if spec.disk.is_some() {
        root.node(path::DISK.trim_start_matches('/'), |disk| disk.text("device_type", "block"));
    }
}

/// Writes into `/chosen` what the platform can be asked for: byte of the fifth option vector and value (spec papr 4.4).
pub fn platform_support(chosen: &mut Writer, spec: &Spec) {
    const EITHER: u8 = 0x80;
    let mut vec_5 = options::architecture_vec_5(spec);
    if spec.chooses_mmu() {
        vec_5[24] = EITHER;
    }
    let pairs = (23_u8..).zip(vec_5.into_iter().skip(23)).flat_map(|(byte, value)| [byte, value]);
    chosen.bytes("ibm,arch-vec-5-platform-support", &pairs.collect::<Vec<u8>>());
    if let Some(number) = spec.disk.filter(|number| *number != 0) {
        chosen.text("bootpath", &format!("{}:{number}", path::DISK));
    }
}

/// The terminal.
struct Terminal(Arc<Vty>);

impl Console for Terminal {
    fn put(&self, data: &[u8]) -> bool {
        self.0.offer(data)
    }

    fn get(&self, out: &mut [u8]) -> usize {
        self.0.get(out)
    }
}

/// A disk with its partitions as they are when the machine is built.
struct BootDisk {
    image: Arc<DiskImage>,
    partitions: Vec<Partition>,
}

impl Disk for BootDisk {
    fn block_size(&self) -> u32 {
        BLOCK
    }

    fn size(&self) -> u64 {
        self.image.size()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> bool {
        self.image.read(offset, out).is_ok()
    }

    fn partition(&self, number: u32) -> Option<Range<u64>> {
        let found = self.partitions.iter().find(|partition| partition.number == number);
        found.map(|partition| partition.bytes.clone())
    }
}

/// Puts the client's entry into memory, and makes what is behind it, with the machine's tree.
pub fn build(
    layout: &Layout,
    tree: &[Item],
    mem: &GuestMem,
    vty: &Arc<Vty>,
    image: Option<Arc<DiskImage>>,
) -> OpenFirmware {
    mem.write(layout.client.start, client::ENTRY.map(u32::to_be_bytes).as_flattened());
    let disk = image.map(|image| {
        // A disk without a table is one whole.
        let partitions = disk::partitions(image.size(), &|offset, out| image.read(offset, out)).unwrap_or_default();
        Box::new(BootDisk { image, partitions }) as _
    });
    let Spec { cpu, memory, .. } = layout.spec;
    let options = options::architecture_vec_5(&layout.spec).to_vec();
    let ports = Ports {
        console: Box::new(Terminal(Arc::clone(vty))),
        disk,
        architecture: Architecture {
            pvr: cpu.pvr(),
            logical: cpu.architected_pvr(),
            options,
            either_mmu: layout.spec.chooses_mmu(),
        },
        rtas: &rtas::ENTRY,
    };
    let initrd = layout.initrd.clone().unwrap_or_default();
    let taken = [VECTORS, layout.kernel.clone(), initrd, layout.stack.clone(), layout.client.clone()];
    OpenFirmware::new(ports, live(tree), memory, taken)
}

/// What was written as a live tree.
fn live(items: &[Item]) -> Tree {
    let (mut tree, mut open) = (Tree::default(), Vec::new());
    for (n, item) in items.iter().enumerate() {
        match item {
            Item::Node(name) => {
                let own = items.iter().skip(n + 1).map_while(|item| match item {
                    Item::Property(name, value) => Some((name.as_str(), value.as_slice())),
                    Item::Node(_) | Item::End => None,
                });
                open.push(tree.add(open.last().copied(), name, own));
            }
            Item::Property(..) => {}
            Item::End => _ = open.pop(),
        }
    }
    tree
}
