//! Persistent memory of a pseries machine: its devices as hypercalls reach them, and in the device tree (spec papr 3.10).

use std::ops::Range;
use std::sync::Arc;

use hv_papr::ports::{Flushed, Persistent, PersistentMemory, ScmGeometry};
use nvdimm::{Flush, Geometry, Nvdimm, health};

use crate::fdt::Writer;
use crate::plan::Layout;

/// Connectors of persistent memory are numbered from here on.
pub(crate) const FIRST_CONNECTOR: u32 = 0x9000_0000;

/// An NVDIMM in the shape in which the hypercalls want it.
struct Port(Arc<Nvdimm>);

impl PersistentMemory for Port {
    fn geometry(&self) -> ScmGeometry {
        let Geometry { block_size, blocks, labels, .. } = self.0.geometry();
        ScmGeometry { block_size, blocks, labels }
    }

    fn read_label(&self, offset: u64, out: &mut [u8]) -> bool {
        self.0.read_label(offset, out)
    }

    fn write_label(&self, offset: u64, data: &[u8]) -> bool {
        self.0.write_label(offset, data).is_ok()
    }

    fn map(&self, address: u64, first: u64, count: u64) -> bool {
        self.0.map(address, first, count).is_ok()
    }

    fn unmap(&self, blocks: Range<u64>) -> bool {
        self.0.unmap(blocks).is_ok()
    }

    fn health(&self) -> (u64, u64) {
        (self.0.health(), health::VALID)
    }

    fn statistics(&self) -> Vec<([u8; 8], u64)> {
        self.0.statistics().collect()
    }

    fn flush(&self, token: u64) -> Flushed {
        match self.0.flush(token) {
            Flush::Done => Flushed::Done,
            Flush::Failed => Flushed::Failed,
            Flush::Busy(token) => Flushed::Busy(token),
            Flush::Unknown => Flushed::Unknown,
        }
    }
}

/// The device as the hypercalls want it.
pub fn port(nvdimm: &Arc<Nvdimm>) -> Arc<dyn PersistentMemory> {
    Arc::new(Port(Arc::clone(nvdimm)))
}

/// The devices by connector.
pub(crate) fn devices(layout: &Layout, nvdimms: &[Arc<Nvdimm>]) -> Persistent {
    Persistent::new(layout.persistent.clone(), (FIRST_CONNECTOR..).zip(nvdimms.iter().map(port)))
}

/// Writes the devices. Their node is there without any: guests look for it when one is added.
pub(crate) fn write(root: &mut Writer, layout: &Layout) {
    root.node("ibm,persistent-memory", |parent| {
        parent.text("device_type", "ibm,persistent-memory");
        parent.cell("#address-cells", 1);
        parent.cell("#size-cells", 0);
        for (connector, nvdimm) in (FIRST_CONNECTOR..).zip(&layout.spec.nvdimms) {
            node(parent, connector, nvdimm);
        }
    });
}

/// Writes the node of a device.
pub(crate) fn node(parent: &mut Writer, connector: u32, nvdimm: &Geometry) {
    parent.node(&format!("ibm,pmemory@{connector:x}"), |node| properties(node, connector, nvdimm));
}

fn properties(node: &mut Writer, connector: u32, nvdimm: &Geometry) {
    node.text("compatible", "ibm,pmemory");
    node.text("device_type", "ibm,pmemory");
    node.cell("reg", connector);
    node.cell("ibm,my-drc-index", connector);
    node.doubles("ibm,block-size", &[nvdimm.block_size]);
    node.doubles("ibm,number-of-blocks", &[nvdimm.blocks]);
    node.text("ibm,unit-guid", &nvdimm.uuid.to_string());
    node.cell("ibm,metadata-size", nvdimm.labels as u32);
    node.text("ibm,pmem-application", "operating-system");
    // It is a file of the host: its caches are written by a call, not by instructions.
    node.flag("ibm,cache-flush-required");
    node.flag("ibm,hcall-flush-required");
    node.cells("ibm,associativity", &[4, 0, 0, 0, 0]);
    node.doubles("ibm,persistence-failed-count", &[nvdimm.dirty_shutdowns]);
}
