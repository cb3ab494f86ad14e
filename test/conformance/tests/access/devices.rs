//! Loads and stores of every size and kind at a device: the device sees each byte once, in the width that the instruction
//! has where the address is aligned, and the instruction does what it does to RAM.

use std::sync::{Arc, Mutex};

use conformance::{DATA, Rig, rigs};
use guest_mem::Order;
use platform::Registers;
use ppc_isa::cpu::Family;
use ppc_isa::loadstore::LoadStore;
use ppc_isa::op::Op;
use ppc_isa::row::fact;
use ppc_isa::{Row, msr};

use super::{Case, accesses, multiple, pattern, ram};

/// Where the device is: next to the end of RAM.
const DEVICE: u64 = 16 << 20;
const PAGE: usize = 0x1000;
/// Where the last page of RAM and the device are seen when addresses are translated.
const EA: u64 = 0x3000_0000;

/// Memory that notes who touches it.
#[derive(Default)]
pub struct Witness {
    bytes: Mutex<Vec<u8>>,
    /// Offset and size of each access.
    seen: Mutex<Vec<(u64, u64)>>,
}

impl Witness {
    /// Sets its bytes.
    pub fn fill(&self, bytes: Vec<u8>) {
        *self.bytes.lock().unwrap() = bytes;
    }

    /// The accesses since the last time.
    pub fn take(&self) -> Vec<(u64, u64)> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

impl Registers for Witness {
    fn read(&self, offset: u64, bytes: u64) -> u64 {
        self.seen.lock().unwrap().push((offset, bytes));
        let memory = self.bytes.lock().unwrap();
        (0..bytes).fold(0, |value, n| value << 8 | u64::from(memory[(offset + n) as usize]))
    }

    fn write(&self, offset: u64, bytes: u64, value: u64) {
        self.seen.lock().unwrap().push((offset, bytes));
        let mut memory = self.bytes.lock().unwrap();
        (0..bytes).for_each(|n| memory[(offset + n) as usize] = (value >> (8 * (bytes - 1 - n))) as u8);
    }
}

/// Those whose result at a device is that at memory: not what needs a cache or a reservation.
fn plain(row: &Row) -> bool {
    let block = matches!(row.op, Op::LoadStore(LoadStore::CopyPaste(_) | LoadStore::BlockZero));
    let atomic = row.is(fact::RESERVE) || row.is(fact::LOAD) && row.is(fact::STORE);
    !block && !atomic
}

/// Checks what the device saw of an access of `bytes` bytes, if that is known, at `offset`.
fn check_widths(row: &Row, offset: u64, seen: &[(u64, u64)], what: &str) {
    let mut bytes: Vec<u64> = seen.iter().flat_map(|(offset, bytes)| *offset..offset + bytes).collect();
    let count = bytes.len();
    bytes.sort_unstable();
    bytes.dedup();
    assert_eq!(bytes.len(), count, "{what}: bytes are accessed twice: {seen:x?}");
    if let Op::LoadStore(LoadStore::Load(access) | LoadStore::Store(access)) = row.op {
        assert_eq!(seen, [(offset, u64::from(access.bytes))], "{what}");
    }
    if let Op::LoadStore(LoadStore::LoadMultiple | LoadStore::StoreMultiple) = row.op {
        assert_eq!(seen, [0, 4, 8, 12].map(|n| (offset + n, 4)), "{what}");
    }
}

/// Runs `case` with both pages filled, and returns what stands there then.
fn run(rig: &mut Rig, case: &Case, witness: &Witness, ram_page: u64) -> (super::End, Vec<u8>) {
    let bytes: Vec<u8> = (0..2 * PAGE).map(pattern).collect();
    assert!(rig.machine.mem.write(ram_page, &bytes[..PAGE]));
    // A machine without the device has RAM in its place.
    let memory = ram_page + (PAGE as u64) < DEVICE;
    if memory {
        assert!(rig.machine.mem.write(ram_page + PAGE as u64, &bytes[PAGE..]));
    }
    witness.fill(bytes[PAGE..].to_vec());
    witness.take();
    let end = case.run(rig);
    let mut found = ram(rig, ram_page, PAGE);
    found.extend(if memory { ram(rig, ram_page + PAGE as u64, PAGE) } else { witness.bytes.lock().unwrap().clone() });
    (end, found)
}

/// Every load and store at the device, and across the end of RAM into it, against the same at RAM.
#[test]
fn devices_answer_as_memory_does() {
    for (mut rig, mut memory) in rigs().zip(rigs()) {
        let witness = Arc::new(Witness::default());
        rig.machine.attach(DEVICE..DEVICE + PAGE as u64, &witness);
        for (rig, ram_page) in [(&mut rig, DEVICE - PAGE as u64), (&mut memory, DATA)] {
            rig.translate(EA, ram_page);
            rig.translate(EA + PAGE as u64, ram_page + PAGE as u64);
            rig.msr_on(rig.relocation());
        }
        let fresh = (rig.vcpu().clone(), memory.vcpu().clone());
        let mut reached = 0;
        for row in accesses(rig.cpu).filter(|row| plain(row)) {
            for offset in [0x1000, 0x1010, 0x1011, 0x1013, 0xfff, 0xffe, 0xffd, 0xffc, 0xff9, 0xff4, 0xff1_u64] {
                let case = Case { row, ea: EA + offset, length: 14 };
                *rig.vcpu_mut() = fresh.0.clone();
                *memory.vcpu_mut() = fresh.1.clone();
                let what = format!("{} {} at {offset:#x}", rig.name(), row.name);
                let (there, there_bytes) = run(&mut rig, &case, &witness, DEVICE - PAGE as u64);
                let (here, here_bytes) = run(&mut memory, &case, &Witness::default(), DATA);
                assert_eq!(there.at, here.at, "{what}");
                assert_eq!(there.after, here.after, "{what}");
                assert!(there_bytes == here_bytes, "{what}: memory differs");
                let seen = witness.take();
                reached += usize::from(!seen.is_empty());
                if there.at != 0 {
                    assert!(seen.is_empty(), "{what}: {seen:x?}");
                }
                if offset >= 0x1000 && offset & 15 == 0 && there.at == 0 {
                    check_widths(row, offset - 0x1000, &seen, &what);
                }
            }
        }
        assert!(reached > 150, "{}: only {reached} accesses reached the device", rig.name());
    }
}

/// Where nothing answers, a load or store of any kind is a machine check, and no register changes.
#[test]
fn where_nothing_answers() {
    for mut rig in rigs() {
        rig.translate(EA, DEVICE);
        rig.msr_on(rig.relocation() | msr::ME);
        let fresh = rig.vcpu().clone();
        let mut checked = 0;
        for row in accesses(rig.cpu).filter(|row| plain(row)) {
            *rig.vcpu_mut() = fresh.clone();
            let end = Case { row, ea: EA + 0x10, length: 13 }.run(&mut rig);
            let what = format!("{} {}", rig.name(), row.name);
            assert!(end.at == 0 || end.after == end.before, "{what}");
            // Instructions that only translate their address, and external access that is not enabled.
            let quiet = matches!(
                row.op,
                Op::LoadStore(LoadStore::Touch { .. } | LoadStore::Lock { .. } | LoadStore::External { .. })
            );
            if end.at == 0x600 && rig.order == Order::Little && multiple(row) {
                continue;
            }
            assert!(quiet || end.at == 0x200, "{what}: {:#x}", end.at);
            checked += usize::from(!quiet);
            if !quiet && rig.family() == Family::Book3s64 {
                assert_eq!(rig.vcpu().shared.dar(), EA + 0x10, "{what}");
            }
        }
        assert!(checked > 40, "{}", rig.name());
    }
}
