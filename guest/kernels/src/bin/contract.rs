//! The register contract of every PAPR hypercall that has a row in the host's table (`papr_abi::hcall`; PAPR 14.5).
//!
//! Each is called with arguments that get far and with such that nobody should pass: r3 and the row's outputs may change,
//! nothing else, and r3 is one of the row's codes. Addresses are of memory that nobody needs, or of none.
#![no_std]
#![no_main]

use guest_rt::{
    console,
    exception::{NEVER, set_decrementer},
    fdt::{Fdt, lists, number},
    papr::hcall,
    spr::msr,
};
use kernels::{
    Report,
    memory::{SCRATCH, clear, poke},
    probe::Called,
    translation,
};
use papr_abi::hcall::{
    CALLS, Family, H_CEDE, H_CONFER, H_IPI, H_JOIN, H_PROD, H_REGISTER_VPA, H_SET_DABR, H_SET_MODE, H_SET_XDABR,
    H_SIGNAL_SYS_RESET, H_WATCHDOG, Hypercall,
};

guest_rt::guest_main!(main);

/// Calls of each.
const ROUNDS: u32 = 32;
/// An address no machine of a test has RAM at.
const NOWHERE: u64 = 0x00ff_0000_0000_0000;
/// No processor.
const NOBODY: u64 = 0x100;
/// H_SET_MODE's resource that is the byte order of interrupts, and ours.
const BYTE_ORDER: u64 = 4;
const OURS: u64 = cfg!(target_endian = "little") as u64;

/// xorshift64*: what fails, fails again.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn pick(&mut self, choices: &[u64]) -> u64 {
        choices[(self.next() >> 32) as usize % choices.len()]
    }

    /// Memory that nobody needs, and none; with reads and writes allowed where an address has room for it.
    fn address(&mut self) -> u64 {
        let page = SCRATCH + (self.next() >> 32 & 0x7000);
        self.pick(&[page, page, page, page | 3, page + 0xff8, page + 4, page + 1, NOWHERE, !0xfff, u64::MAX, 1 << 63])
    }

    /// Anything that is no address of other memory.
    fn hostile(&mut self) -> u64 {
        let any = self.next();
        match self.next() >> 61 {
            0 => self.pick(&[u64::MAX, 1 << 63, i64::MAX as u64, NOWHERE]),
            1..=3 => any % 17,
            4 => 1 << (40 + any % 24),
            5 => any | 1 << 63,
            _ => self.address(),
        }
    }
}

/// What calls are about here.
struct Things {
    unit: u64,
    liobn: u64,
    drc: u64,
}

impl Things {
    fn of(tree: Fdt<'_>) -> Things {
        let window = tree.nodes().find_map(|node| number(node.prop("ibm,dma-window")?.get(..4)?));
        let memory = |list: &[u8]| lists(list, b"ibm,pmemory");
        let persistent = tree.nodes().find(|node| node.prop("compatible").is_some_and(memory));
        Things {
            unit: console::unit(),
            liobn: window.unwrap_or(NOWHERE),
            drc: persistent.and_then(|node| node.number("ibm,my-drc-index")).unwrap_or(NOWHERE),
        }
    }

    /// Of the kind that an argument is said to be, or of another.
    fn argument(&self, seeded: &mut Seeded, meaning: &str) -> u64 {
        let is = |start: &str| meaning.starts_with(start);
        if ["guest real address", "address", "page", "value", "to", "from", "buffer"].into_iter().any(is) {
            return seeded.address();
        }
        if seeded.next() >> 62 == 0 {
            return seeded.hostile();
        }
        match meaning {
            "LIOBN" => self.liobn,
            "DRC index" => self.drc,
            "unit" => self.unit,
            "resource" => seeded.next() % 6,
            "bytes" => 1 << (seeded.next() % 5),
            "I/O address" => (seeded.next() % 64) << 12,
            _ if is("flags") => {
                seeded.pick(&[0, 1, 3, 0x18, 0x1d, 0x200, 0x300, 0x400, 1 << 15, 1 << 14, 1 << 45, 2 << 45, 3 << 45])
            }
            _ if is("processor") || is("server") || is("target") => 0,
            _ => seeded.hostile(),
        }
    }

    /// Those of a whole call. Some would end us: what is sent while we print, a reset of a processor, interrupts in the
    /// other byte order.
    fn arguments(&self, seeded: &mut Seeded, row: &Hypercall) -> [u64; 9] {
        let mut arguments = [(); 9].map(|()| seeded.hostile());
        for (argument, meaning) in arguments.iter_mut().zip(row.arguments) {
            *argument = self.argument(seeded, meaning);
        }
        match (row.family, row.number) {
            (Family::Console, _) => arguments[1] = seeded.pick(&[0, 17, 1 << 32, u64::MAX]),
            (_, H_SIGNAL_SYS_RESET) => arguments[0] = arguments[0] >> 1 | NOBODY,
            (_, H_SET_MODE) if arguments[1] == BYTE_ORDER && arguments[0] < 2 => arguments[0] = OURS,
            _ => {}
        }
        arguments
    }
}

/// Makes what a call may have changed as it was.
fn restore() {
    const DEREGISTER: [u64; 3] = [7 << 45, 6 << 45, 5 << 45];
    DEREGISTER.iter().for_each(|kind| _ = hcall(H_REGISTER_VPA, &[*kind, 0, 0]));
    [[OURS, BYTE_ORDER], [0, 3], [0, 2], [0, 1]]
        .iter()
        .for_each(|mode| _ = hcall(H_SET_MODE, &[mode[0], mode[1], 0, 0]));
    hcall(H_SET_DABR, &[0]);
    hcall(H_SET_XDABR, &[0, 0]);
    hcall(H_WATCHDOG, &[0x200, u64::MAX]);
    hcall(H_IPI, &[0, 0xff]);
    set_decrementer(NEVER);
}

/// A page whose length is in its second word, as the areas of a virtual processor have it.
fn area(page: u64, length: u32) {
    clear(page, 0x40);
    poke(page + 4, length.to_be());
}

/// Calls `row` many times; whether one succeeded, or the first that the row does not allow: arguments, r3, whether the
/// registers are kept.
fn calls(things: &Things, row: &Hypercall, bits: u64) -> Result<bool, ([u64; 9], i64, bool)> {
    let mut succeeded = false;
    let mut seeded = Seeded(0x9e37_79b9_7f4a_7c15 ^ row.number);
    for _ in 0..ROUNDS {
        let arguments = things.arguments(&mut seeded, row);
        (0..8).for_each(|n| area(SCRATCH + 0x1000 * n, [0x0280_0000, 0x0000_0100][n as usize & 1]));
        // Who waits is woken at once.
        if matches!(row.number, H_CEDE | H_CONFER | H_JOIN) {
            hcall(H_PROD, &[0]);
        }
        let enabled = if row.number == H_CEDE { msr::EE } else { 0 };
        let called = Called::new(row.number, &arguments, row.outputs.len(), bits | enabled);
        let (status, kept) = (called.status(), called.kept());
        restore();
        if !row.returns(status) || !kept {
            return Err((arguments, status, kept));
        }
        succeeded |= status == 0;
    }
    Ok(succeeded)
}

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    let t = &mut report;
    let Some(device_tree) = tree else {
        t.skip("hypercalls", "no device tree");
        return report.finish();
    };
    let things = Things::of(device_tree);
    if translation::identity(tree).is_some() {
        // These may end our translation, or move interrupts.
        let leaves = |row: &&Hypercall| !matches!(row.family, Family::Hash | Family::Radix) && row.number != H_SET_MODE;
        for row in CALLS.iter().filter(leaves) {
            let _ = check(t, &things, row, msr::IR | msr::DR);
        }
    } else {
        t.skip("hypercalls under translation", "no translation");
    }
    let succeeded = CALLS.iter().filter(|row| check(t, &things, row, 0)).count();
    t.holds("some succeed", succeeded > 20, succeeded);
    report.finish();
}

/// Whether a call succeeded.
fn check(t: &mut Report, things: &Things, row: &Hypercall, bits: u64) -> bool {
    let result = calls(things, row, bits);
    t.holds(row.name, result.is_ok(), result);
    result == Ok(true)
}
