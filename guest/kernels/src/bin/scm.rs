//! Persistent memory (numbered cases of the project's PAPR notes, 12): its ten calls, what they do to memory, and what
//! outlives the machine.
//!
//! Runs several times on one image. Without a word on the command line it makes the calls: the first run leaves a mark in
//! the label area and data in each block, the second finds them. Told `dirty` it leaves stores that were flushed and some
//! that were not, told `failing` some that the medium refuses; then the image is not put away, and the next run, told
//! `after`, looks for what must be there. With `lost` as well not all of the rest may be.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use guest_rt::{
    code,
    exception::{Frame, TRAP},
    fdt::{Fdt, Node},
    papr::{Reply, hcall, opcode::*, status::*},
};
use kernels::{
    Mmu, Report, hash,
    memory::{SCRATCH, clear, peek, poke},
    says,
};

guest_rt::guest_main!(main);

code! {
    LOAD: "ld 5, 0(4)";
}

/// The hypervisor chooses.
const CHOOSE: u64 = u64::MAX;
const ALL: u64 = 1;
const ONE: u64 = 2;
/// In the label area: the mark of the first run.
const MARK_AT: u64 = 128;
const MARK: u64 = 0x5045_5253_4953_5421;
/// In the label area: how often the image was left without being put away, as the last of those runs knew it.
const NOTED_AT: u64 = 136;
/// The last save failed (papr 3.7, bit 1).
const SAVE_FAILED: u64 = 1 << 62;
/// Places of a pattern in each block, each in a sector of its own: few enough to be written at once, too many for the host
/// to have written them by chance.
const PLACES: u64 = 256;
const SECTOR: u64 = 512;
/// Connectors of other things, or of nothing.
const OTHERS: [u64; 4] = [0, 0x1000_0000, 0x9000_00ff, u64::MAX];
/// Most turns that a flush is waited for.
const TURNS: u32 = 10_000_000;

/// The device of this machine.
struct Device {
    drc: u64,
    block: u64,
    count: u64,
    labels: u64,
    /// How often the image was left without being put away.
    failures: u64,
}

impl Device {
    fn of(node: Node<'_>) -> Option<Device> {
        Some(Device {
            drc: node.number("ibm,my-drc-index")?,
            block: node.number("ibm,block-size")?,
            count: node.number("ibm,number-of-blocks")?,
            labels: node.number("ibm,metadata-size")?,
            failures: node.number("ibm,persistence-failed-count")?,
        })
    }

    fn read(&self, offset: u64, len: u64) -> Reply {
        hcall(H_SCM_READ_METADATA, &[self.drc, offset, len])
    }

    fn write(&self, offset: u64, data: u64, len: u64) -> i64 {
        hcall(H_SCM_WRITE_METADATA, &[self.drc, offset, data, len]).status
    }

    fn bind(&self, first: u64, count: u64, target: u64, token: u64) -> Reply {
        hcall(H_SCM_BIND_MEM, &[self.drc, first, count, target, token])
    }

    /// Binds all of it; the address.
    fn bind_all(&self) -> u64 {
        let mut token = 0;
        loop {
            let reply = self.bind(0, self.count, CHOOSE, token);
            match reply.status {
                H_BUSY => token = reply.out[0],
                _ => return reply.out[1],
            }
        }
    }

    fn unbind_all(&self) -> Reply {
        hcall(H_SCM_UNBIND_ALL, &[ONE, self.drc, 0])
    }

    fn place(&self, block: u64) -> (i64, u64) {
        let reply = hcall(H_SCM_QUERY_BLOCK_MEM_BINDING, &[self.drc, block]);
        (reply.status, reply.out[0])
    }

    /// Whether it says that the last save failed.
    fn save_failed(&self) -> bool {
        let [states, valid, ..] = hcall(H_SCM_HEALTH, &[self.drc]).out;
        states & valid & SAVE_FAILED != 0
    }

    /// Flushes to the end; status and the tokens used.
    fn flush(&self) -> (i64, u64) {
        let mut token = 0;
        for _ in 0..TURNS {
            let reply = hcall(H_SCM_FLUSH, &[self.drc, token]);
            match reply.status {
                H_BUSY | 9900..=9905 if reply.out[0] != 0 => token = reply.out[0],
                status => return (status, token),
            }
        }
        (H_BUSY, token)
    }
}

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    let t = &mut report;
    let node = tree.and_then(|tree| tree.node("/ibm,persistent-memory/ibm,pmemory"));
    let says = |word: &[u8]| says(tree, word);
    match node.and_then(Device::of) {
        Some(device) if says(b"dirty") => dirty(t, &device),
        Some(device) if says(b"failing") => failing(t, &device),
        Some(device) if says(b"after") => after(t, &device, says(b"lost")),
        Some(device) => {
            let second = device.read(MARK_AT, 8).out[0] == MARK;
            if second {
                contents(t, &device);
            }
            metadata(t, &device);
            connectors(t, &device);
            bindings(t, &device);
            unbinding(t, &device);
            in_use(t, &device, tree);
            health(t, &device);
            statistics(t, &device);
            flushes(t, &device);
            leave(t, &device);
        }
        None => absent(t),
    }
    report.finish();
}

/// Without a device every call refuses every connector.
fn absent(t: &mut Report) {
    for drc in OTHERS {
        t.check("62: no device: H_SCM_HEALTH", hcall(H_SCM_HEALTH, &[drc]).status, H_PARAMETER);
    }
    let reply = hcall(H_SCM_UNBIND_ALL, &[ALL, 0, 0]);
    t.check("71: no device: nothing is bound", reply.status, H_SUCCESS);
}

fn metadata(t: &mut Report, d: &Device) {
    for len in [0, 3, 5, 16, 1 << 32] {
        for offset in [0, d.labels] {
            t.check("58: reads of 1, 2, 4, 8 bytes only", d.read(offset, len).status, H_P3);
            t.check("58: writes of 1, 2, 4, 8 bytes only", d.write(offset, 0, len), H_P4);
        }
    }
    t.check("59: a read to the end", d.read(d.labels - 8, 8).status, H_SUCCESS);
    t.check("59: a read beyond the end", d.read(d.labels - 7, 8).status, H_P2);
    t.check("59: a read that wraps", d.read(u64::MAX, 1).status, H_P2);
    t.check("60: a write", d.write(0, 0x1122_3344_5566_7788, 8), H_SUCCESS);
    t.check("60: a write behind it", d.write(8, 0, 8), H_SUCCESS);
    for (offset, len, want) in
        [(0, 4, 0x1122_3344), (0, 2, 0x1122), (0, 1, 0x11), (7, 1, 0x88), (3, 8, 0x4455_6677_8800_0000)]
    {
        let reply = d.read(offset, len);
        t.check("60: big-endian", (reply.status, reply.out[0]), (H_SUCCESS, want));
    }
    t.check("61: data that does not fit", d.write(16, 0x1ff, 1), H_P2);
    t.check("61: nothing was written", d.read(16, 1).out[0], 0);
}

fn connectors(t: &mut Report, d: &Device) {
    for drc in OTHERS.into_iter().chain([d.drc | 1 << 32]) {
        for call in [
            H_SCM_READ_METADATA,
            H_SCM_WRITE_METADATA,
            H_SCM_BIND_MEM,
            H_SCM_UNBIND_MEM,
            H_SCM_QUERY_BLOCK_MEM_BINDING,
            H_SCM_HEALTH,
            H_SCM_PERFORMANCE_STATS,
            H_SCM_FLUSH,
        ] {
            t.check("62: no such connector", hcall(call, &[drc, 0, 1, CHOOSE, 0]).status, H_PARAMETER);
        }
        t.check("62: no such connector for UNBIND_ALL", hcall(H_SCM_UNBIND_ALL, &[ONE, drc, 0]).status, H_P2);
    }
}

fn bindings(t: &mut Report, d: &Device) {
    t.check("65: more blocks than there are", d.bind(0, d.count + 1, CHOOSE, 0).status, H_P3);
    t.check("65: a block that is not there", d.bind(d.count, 1, CHOOSE, 0).status, H_P2);
    t.check("65: a token of nobody", d.bind(0, 1, CHOOSE, 5).status, H_P5);
    t.check("65: not aligned", d.bind(0, 1, d.block + 0x1000, 0).status, H_P4);
    let reply = d.bind(0, d.count, CHOOSE, 0);
    let base = reply.out[1];
    t.check("64: bound", (reply.status, reply.out[2]), (H_SUCCESS, d.count));
    t.holds("64: at a multiple of a block", base != 0 && base.is_multiple_of(d.block), base);
    t.check("65: onto another", d.bind(0, 1, base, 0).status, H_OVERLAP);
    t.check("66: a second time", d.bind(0, d.count, CHOOSE, 0).status, H_OVERLAP);
    for block in 0..d.count {
        let at = base + block * d.block;
        poke(at + 0x23_4568, at);
        t.check("64: memory", peek::<u64>(at + 0x23_4568), at);
        t.check("67: where a block is", d.place(block), (H_SUCCESS, at));
        let reply = hcall(H_SCM_QUERY_LOGICAL_MEM_BINDING, &[at + 5]);
        t.check("68: which block is there", (reply.status, reply.out[0], reply.out[1]), (H_SUCCESS, d.drc, block));
    }
    t.check("67: a block that is not there", d.place(d.count).0, H_P2);
    t.check("68: of RAM", hcall(H_SCM_QUERY_LOGICAL_MEM_BINDING, &[0]).status, H_NOT_FOUND);
}

/// A load from where nothing is ends in a machine check.
fn gone(t: &mut Report, name: &str, address: u64) {
    let before = Frame::new(&raw const LOAD).reg(4, address);
    let after = before.run();
    t.check(name, after.vector, 0x200);
}

fn unbinding(t: &mut Report, d: &Device) {
    let unbind = |start: u64, count: u64, token: u64| hcall(H_SCM_UNBIND_MEM, &[d.drc, start, count, token]);
    let base = d.place(0).1;
    t.check("69: not aligned", unbind(base + 1, 1, 0).status, H_P2);
    t.check("69: nothing", unbind(base, 0, 0).status, H_P3);
    t.check("69: more than is bound", unbind(base, d.count + 1, 0).status, H_P3);
    t.check("69: a token of nobody", unbind(base, 1, 9).status, H_P4);
    let last = base + (d.count - 1) * d.block;
    poke(last, MARK);
    // Under translation, too: what the processor remembers of the page must go.
    let before = Frame::new(&raw const LOAD).reg(4, last);
    let after = before.run();
    t.check("69: before", (after.gpr[5], after.vector, after.reason()), (MARK, 0x700, TRAP));
    let reply = unbind(last, 1, 0);
    t.check("69: one block", (reply.status, reply.out[1]), (H_SUCCESS, 1));
    gone(t, "69: it is gone", last);
    t.check("67: after unbind", d.place(d.count - 1).0, H_NOT_FOUND);
    t.check("69: the others stay", d.place(0), (H_SUCCESS, base));
    t.check("72: bound again", d.bind(d.count - 1, 1, last, 0).status, H_SUCCESS);
    t.check("72: with the same data", peek::<u64>(last), MARK);
    t.check("71: no such scope", hcall(H_SCM_UNBIND_ALL, &[0, d.drc, 0]).status, H_PARAMETER);
    let reply = hcall(H_SCM_UNBIND_ALL, &[ALL, 0, 0]);
    t.check("71: every device", (reply.status, reply.out[1]), (H_SUCCESS, d.count));
    t.check("71: none is bound", d.unbind_all().status, H_SUCCESS);
    gone(t, "71: all of it is gone", base);
}

/// What the partition's page table maps can not be unbound (hash).
fn in_use(t: &mut Report, d: &Device, tree: Option<Fdt<'static>>) {
    const VSID: u64 = 0x77;
    if tree.map(Mmu::of) != Some(Mmu::Hash) {
        return t.skip("70: in use", "radix: the guest owns its tables");
    }
    let Some(table) = hash::Table::of(tree) else { return t.skip("70: in use", "no hashed page table") };
    let base = d.bind_all();
    let entered = table.enter(VSID, 0x5000, base + 0x5000, hash::pp::USER);
    t.check("70: mapped", entered.status, H_SUCCESS);
    t.check("70: in use", d.unbind_all().status, H_IN_USE);
    t.check("70: nothing was unbound", d.place(0), (H_SUCCESS, base));
    t.check("70: unmapped", hcall(H_REMOVE, &[0, entered.out[0], 0]).status, H_SUCCESS);
    t.check("70: not in use", d.unbind_all().status, H_SUCCESS);
}

fn health(t: &mut Report, d: &Device) {
    let reply = hcall(H_SCM_HEALTH, &[d.drc]);
    t.check("73: health", reply.status, H_SUCCESS);
    let [states, valid, ..] = reply.out;
    t.holds("73: only what is known", states & !valid == 0 && valid << 10 == 0, (states, valid));
}

fn statistics(t: &mut Report, d: &Device) {
    let call = |buffer: u64, size: u64| hcall(H_SCM_PERFORMANCE_STATS, &[d.drc, buffer, size]);
    let reply = call(0, 0);
    let size = reply.out[0];
    t.check("75: the size", reply.status, H_SUCCESS);
    t.holds("75: of whole rows", size > 16 && size.is_multiple_of(16), size);
    let header = |count: u32| {
        clear(SCRATCH, 0x400);
        poke(SCRATCH, u64::from_be_bytes(*b"SCMSTATS").to_be());
        poke(SCRATCH + 8, 1_u32.to_be());
        poke(SCRATCH + 12, count.to_be());
    };
    header(0);
    t.check("75: all of them", call(SCRATCH, size).status, H_SUCCESS);
    t.check("75: how many", u64::from(u32::from_be(peek(SCRATCH + 12))), (size - 16) / 16);
    let life = u64::from_be_bytes(*b"MemLife ");
    header(1);
    poke(SCRATCH + 16, life.to_be());
    t.check("75: one of them", call(SCRATCH, 32).status, H_SUCCESS);
    t.check("75: its value", u64::from_be(peek(SCRATCH + 24)), 100);
    poke(SCRATCH + 16, u64::from_be_bytes(*b"Nonsense").to_be());
    let reply = call(SCRATCH, 32);
    t.check("75: one that is not there", (reply.status, reply.out[0]), (H_PARTIAL, u64::from_be_bytes(*b"Nonsense")));
    poke(SCRATCH, 0_u64);
    t.check("75: another eye catcher", call(SCRATCH, 32).status, H_P2);
    t.check("75: too small", call(SCRATCH, 8).status, H_P3);
}

fn flushes(t: &mut Report, d: &Device) {
    let base = d.bind_all();
    poke(base, MARK);
    let (status, token) = d.flush();
    t.check("76: flushed", status, H_SUCCESS);
    if token != 0 {
        t.check("76: its token is gone", hcall(H_SCM_FLUSH, &[d.drc, token]).status, H_P2);
    }
    t.check("76: a token of nobody", hcall(H_SCM_FLUSH, &[d.drc, 5]).status, H_P2);
}

/// What the first run left.
fn contents(t: &mut Report, d: &Device) {
    t.check("63: metadata outlives the machine", d.read(0, 8).out[0], 0x1122_3344_5566_7788);
    t.check("79: nothing is bound", d.place(0).0, H_NOT_FOUND);
    let base = d.bind_all();
    for block in 0..d.count {
        t.check("72: data outlives the machine", peek::<u64>(base + block * d.block + 64), !block);
    }
    t.check("72: unbound", d.unbind_all().status, H_SUCCESS);
}

/// For the second run; the device stays bound, and is put away with the machine.
fn leave(t: &mut Report, d: &Device) {
    let base = d.place(0).1;
    (0..d.count).for_each(|block| poke(base + block * d.block + 64, !block));
    t.check("63: the mark", d.write(MARK_AT, MARK, 8), H_SUCCESS);
}

/// Where stores are left behind: offset, and whether another store follows there after the flush.
fn places(d: &Device) -> impl Iterator<Item = (u64, bool)> {
    (0..d.count * PLACES).map(|n| (n / PLACES * d.block + n % PLACES * SECTOR, n % 2 == 1))
}

/// What is flushed there after so many failures; its complement is not.
fn pattern(offset: u64, failures: u64) -> u64 {
    failures << 48 | offset
}

/// Stores everywhere and flushes, then stores to half of the places again.
fn dirty(t: &mut Report, d: &Device) {
    t.check("74: an end in order is not counted", d.failures, d.read(NOTED_AT, 8).out[0]);
    t.check("74: nor told as a failure", d.save_failed(), false);
    let base = d.bind_all();
    places(d).for_each(|(offset, _)| poke(base + offset, pattern(offset, d.failures)));
    t.check("77: flushed", d.flush().0, H_SUCCESS);
    let again = places(d).filter(|(_, again)| *again);
    again.for_each(|(offset, _)| poke(base + offset, !pattern(offset, d.failures)));
}

/// The same on a medium that takes the first flush and not the second.
fn failing(t: &mut Report, d: &Device) {
    dirty(t, d);
    t.check("78: not written", d.flush().0, H_HARDWARE);
    t.check("78: and told", d.save_failed(), true);
    t.check("78: what comes later is not believed", d.flush().0, H_HARDWARE);
    t.check("78: nor forgotten", d.save_failed(), true);
}

/// What is there after the image was not put away; the host has lost what it could, if it says so.
fn after(t: &mut Report, d: &Device, loses: bool) {
    let failures = d.read(NOTED_AT, 8).out[0];
    t.check("74: not put away: counted", d.failures, failures + 1);
    t.check("74: and told as a failure", d.save_failed(), true);
    let base = d.bind_all();
    let [mut wrong, mut lost] = [0, 0];
    for (offset, again) in places(d) {
        match (peek::<u64>(base + offset), pattern(offset, failures)) {
            (found, flushed) if found == flushed => lost += u64::from(again),
            (found, flushed) if again && found == !flushed => {}
            _ => wrong += 1,
        }
    }
    t.check("77: what was flushed is there, or what followed it", wrong, 0);
    if loses {
        t.holds("77: not all that followed is: something was lost", lost > 0, lost);
    }
    t.check("74: noted", d.write(NOTED_AT, d.failures, 8), H_SUCCESS);
}
