//! Functions behind a PCI host bridge: configuration space and messages by RTAS, what base address registers lead to, and
//! the bridge's first DMA window.
//!
//! Contract: addresses, unit and window are those of the device tree. Not its job: bridges behind the bridge.

use guest_rt::{
    fdt::{Node, number},
    papr::{hcall, opcode::H_PUT_TCE, rtas},
};

/// Registers in configuration space.
pub const COMMAND: u32 = 0x04;
pub const STATUS: u32 = 0x06;
pub const BASE_ADDRESS: u32 = 0x10;
pub const CAPABILITIES: u32 = 0x34;
/// Bits of command and status: answers in memory space, begins transactions; its pin is asserted.
pub const MEMORY: u32 = 1 << 1;
pub const MASTER: u32 = 1 << 2;
pub const ASSERTED: u32 = 1 << 3;

/// The capability ID of MSI-X, and bits of its control: on, all messages masked.
pub const MSIX: u32 = 0x11;
pub const ENABLE: u32 = 1 << 15;
pub const FUNCTION_MASK: u32 = 1 << 14;

/// What ibm,change-msi is asked for: nothing any more, or messages by MSI-X, which are of type 2.
pub const NO_MESSAGES: u32 = 1;
pub const BY_MSIX: u32 = 4;
pub const TYPE_MSIX: u32 = 2;

/// A page of the first DMA window, and bits of its entry: a device may read, it may write.
pub const PAGE: u64 = 0x1000;
pub const READ: u64 = 1;
pub const READ_WRITE: u64 = 3;

/// Cell `n` of a property; what is not there is 0.
pub fn cell(property: &[u8], n: usize) -> u32 {
    property.get(4 * n..4 * n + 4).and_then(number).unwrap_or(0) as u32
}

/// Two of them as one number.
pub fn two_cells(property: &[u8], n: usize) -> u64 {
    u64::from(cell(property, n)) << 32 | u64::from(cell(property, n + 1))
}

/// The services of RTAS.
#[derive(Clone, Copy)]
pub struct Services(pub Node<'static>);

impl Services {
    /// Calls one: the status and `N` other outputs. One without a token is refused like any unknown one.
    pub fn call<const N: usize>(self, name: &str, inputs: &[u32]) -> (i32, [u32; N]) {
        let token = self.0.number(name).unwrap_or(0) as u32;
        let (_, out) = rtas(token, inputs, 1 + N);
        (out[0] as i32, core::array::from_fn(|n| out[1 + n]))
    }
}

/// A function by bridge and configuration address, whether it is there or not.
#[derive(Clone, Copy)]
pub struct Function {
    pub services: Services,
    pub unit: [u32; 2],
    pub address: u32,
}

impl Function {
    /// A service for it: the address of a register, the bridge, and what else there is to say.
    pub fn call<const N: usize>(self, name: &str, register: u32, more: &[u32]) -> (i32, [u32; N]) {
        let mut inputs = [self.address | register, self.unit[0], self.unit[1], 0, 0, 0];
        inputs[3..3 + more.len()].copy_from_slice(more);
        self.services.call(name, &inputs[..3 + more.len()])
    }

    /// Status and value.
    pub fn read(self, register: u32, width: u32) -> (i32, u32) {
        let (status, [value]) = self.call("ibm,read-pci-config", register, &[width]);
        (status, value)
    }

    /// The value alone.
    pub fn get(self, register: u32, width: u32) -> u32 {
        self.read(register, width).1
    }

    /// Status.
    pub fn set(self, register: u32, width: u32, value: u32) -> i32 {
        self.call::<0>("ibm,write-pci-config", register, &[width, value]).0
    }

    /// The source of a message, and whether it is an edge.
    pub fn source(self, index: u32) -> (i32, [u32; 2]) {
        self.call("ibm,query-interrupt-source-number", 0, &[index])
    }

    /// How many messages it has then, the next sequence number, and their type.
    pub fn change(self, what: u32, count: u32) -> (i32, [u32; 3]) {
        self.call("ibm,change-msi", 0, &[what, count, 1])
    }
}

/// Configuration address of a function.
pub fn address(node: Node<'_>) -> u32 {
    cell(node.prop("reg").unwrap_or_default(), 0) & 0xff_ff00
}

/// The source of a function's pin by the bridge's map: slot in three cells, pin; controller, source, sense.
pub fn line(bridge: Node<'_>, node: Node<'_>, address: u32) -> Option<u32> {
    let (map, mask) = (bridge.prop("interrupt-map")?, cell(bridge.prop("interrupt-map-mask")?, 0));
    let wanted = (address & mask, node.number("interrupts")? as u32);
    map.chunks_exact(28).find(|entry| (cell(entry, 0), cell(entry, 3)) == wanted).map(|entry| cell(entry, 5))
}

/// What a base address register leads to: where we put it on the bus, and where that is for loads and stores.
#[derive(Clone, Copy)]
pub struct Region {
    pub register: u32,
    pub wide: bool,
    pub size: u64,
    pub bus: u64,
    pub at: u64,
}

impl Region {
    /// The whole register.
    pub fn get(self, function: Function) -> u64 {
        let high = if self.wide { function.get(self.register + 4, 4) } else { 0 };
        u64::from(high) << 32 | u64::from(function.get(self.register, 4))
    }

    pub fn set(self, function: Function, value: u64) {
        function.set(self.register, 4, value as u32);
        if self.wide {
            function.set(self.register + 4, 4, (value >> 32) as u32);
        }
    }
}

/// The regions of a function by the number of their register, each in a MiB of its own.
pub fn regions(bridge: Node<'_>, node: Node<'_>) -> [Option<Region>; 6] {
    const WIDE: u32 = 3;
    let space = |cells: &[u8]| cell(cells, 0) >> 24 & 3;
    let mut regions = [None; 6];
    let reg = node.prop("reg").unwrap_or_default().chunks_exact(20);
    // The first entry is configuration space.
    for (number, entry) in (0..).zip(reg).skip(1) {
        let ranges = bridge.prop("ranges").unwrap_or_default();
        let range = ranges.chunks_exact(28).find(|range| space(range) == space(entry));
        let register = cell(entry, 0) & 0xff;
        let place = register.checked_sub(BASE_ADDRESS).and_then(|offset| regions.get_mut(offset as usize / 4));
        if let (Some(range), Some(place)) = (range, place) {
            let [bus, at] = [1, 3].map(|n| two_cells(range, n) + (number << 20));
            *place = Some(Region { register, wide: space(entry) == WIDE, size: two_cells(entry, 3), bus, at });
        }
    }
    regions
}

/// The bridge's first DMA window.
#[derive(Clone, Copy)]
pub struct Window {
    pub liobn: u64,
    pub size: u64,
}

impl Window {
    /// As the bridge says.
    pub fn of(bridge: Node<'_>) -> Window {
        let cells = bridge.prop("ibm,dma-window").unwrap_or_default();
        Window { liobn: cell(cells, 0).into(), size: two_cells(cells, 3) }
    }

    /// Puts an entry behind the page at a bus address.
    pub fn put(self, bus: u64, entry: u64) -> i64 {
        hcall(H_PUT_TCE, &[self.liobn, bus, entry]).status
    }
}
