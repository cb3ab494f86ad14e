//! Persistent memory: cases 58 to 79 of spec papr 12, on a real image of three blocks.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use guest_mem::{BLOCK, GuestMem, Order};
use hv_papr::ports::{Flushed, Persistent, PersistentMemory, ScmGeometry};
use nvdimm::{Access, Image, Nvdimm, Options, Uuid, health};
use papr_abi::hcall::*;
use papr_abi::scm::{CHOOSE_ADDRESS, SCOPE_ALL, SCOPE_ONE};
use papr_abi::status::*;

use crate::stage::{RAM, Stage};

/// Connector of the device with an image; the one behind it has blocks without contents, too many for one call.
const D: u64 = 0x9000_0000;
const LARGE: u64 = D + 1;
const BLOCKS: u64 = 3;
const LABELS: u64 = 4096;
const WINDOW: Range<u64> = BLOCK..BLOCK * 2048;
/// Blocks of the large device: more than 4 GiB.
const MANY: u64 = 700;

/// Blocks that are fresh memory each time.
struct Blank(Arc<GuestMem>);

impl PersistentMemory for Blank {
    fn geometry(&self) -> ScmGeometry {
        ScmGeometry { block_size: BLOCK, blocks: MANY, labels: LABELS }
    }
    fn read_label(&self, _: u64, _: &mut [u8]) -> bool {
        false
    }
    fn write_label(&self, _: u64, _: &[u8]) -> bool {
        false
    }
    fn map(&self, address: u64, _: u64, count: u64) -> bool {
        self.0.add(address..address + count * BLOCK).is_ok()
    }
    fn unmap(&self, _: Range<u64>) -> bool {
        true
    }
    fn health(&self) -> (u64, u64) {
        (u64::MAX, 0)
    }
    fn statistics(&self) -> Vec<([u8; 8], u64)> {
        Vec::new()
    }
    fn flush(&self, token: u64) -> Flushed {
        if token == 0 { Flushed::Busy(5) } else { Flushed::Unknown }
    }
}

/// An image file that goes with the test.
struct File(PathBuf);

impl File {
    fn new() -> File {
        let name = format!("papr-scm-{}-{}", std::process::id(), Uuid::random().unwrap());
        let path = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&path);
        Image::create(&path, Uuid([5; 16]), BLOCKS * BLOCK, LABELS).unwrap();
        File(path)
    }

    /// A machine with it, and the device.
    fn machine(&self, options: Options, access: Access) -> (Stage, Arc<Nvdimm>) {
        let device = Arc::new(Nvdimm::new(Image::open(&self.0, access).unwrap(), &options).unwrap());
        let mem = Arc::new(GuestMem::with_room(RAM, WINDOW.end, 128).unwrap());
        device.attach(Arc::clone(&mem));
        let blank = Blank(Arc::clone(&mem));
        let devices: [(u32, Arc<dyn PersistentMemory>); 2] =
            [(D as u32, machine::persistent::port(&device)), (LARGE as u32, Arc::new(blank))];
        (Stage::with(mem, Persistent::new(WINDOW, devices)), device)
    }

    fn stage(&self) -> Stage {
        self.machine(Options::default(), Access::Write).0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Binds the whole device where the hypervisor likes; the address.
fn bound(stage: &mut Stage) -> u64 {
    let (status, [token, address, count]) = stage.outputs(H_SCM_BIND_MEM, &[D, 0, BLOCKS, CHOOSE_ADDRESS, 0]);
    assert_eq!((status, token, count), (H_SUCCESS, 0, BLOCKS));
    address
}

#[test]
fn cases_58_and_59_transfers_are_checked_by_length_then_place() {
    let file = File::new();
    let stage = &mut file.stage();
    for len in [0, 3, 5, 16, 1 << 32, u64::MAX] {
        for offset in [0, LABELS] {
            assert_eq!(stage.call(H_SCM_READ_METADATA, &[D, offset, len]), H_P3);
            assert_eq!(stage.call(H_SCM_WRITE_METADATA, &[D, offset, 0, len]), H_P4);
        }
    }
    for (offset, len, want) in [
        (LABELS - 8, 8, H_SUCCESS),
        (LABELS - 7, 8, H_P2),
        (LABELS - 1, 1, H_SUCCESS),
        (LABELS, 1, H_P2),
        (u64::MAX, 1, H_P2),
        (u64::MAX - 6, 8, H_P2),
    ] {
        assert_eq!(stage.call(H_SCM_READ_METADATA, &[D, offset, len]), want, "{offset:#x}");
        assert_eq!(stage.call(H_SCM_WRITE_METADATA, &[D, offset, 0, len]), want, "{offset:#x}");
    }
}

#[test]
fn cases_60_61_and_63_metadata_is_big_endian_and_in_the_file() {
    let file = File::new();
    let mut stage = file.stage();
    assert_eq!(stage.call(H_SCM_WRITE_METADATA, &[D, 0, 0x1122_3344_5566_7788, 8]), H_SUCCESS);
    assert_eq!(stage.call(H_SCM_WRITE_METADATA, &[D, 16, 0x1ff, 1]), H_P2);
    // A machine that goes without a word, and another one with its image.
    for _ in 0..2 {
        let mut read = |offset, len| stage.outputs(H_SCM_READ_METADATA, &[D, offset, len]);
        let reads = [(0, 8), (0, 4), (0, 2), (0, 1), (7, 1), (3, 8), (16, 1)].map(|(offset, len)| read(offset, len));
        let want = [0x1122_3344_5566_7788, 0x1122_3344, 0x1122, 0x11, 0x88, 0x4455_6677_8800_0000, 0];
        assert_eq!(reads, want.map(|data| (H_SUCCESS, [data])));
        drop(stage);
        stage = file.stage();
    }
}

#[test]
fn case_62_only_connectors_of_persistent_memory() {
    let file = File::new();
    let stage = &mut file.stage();
    for drc in [0, 0x1000_0000, D + 2, D | 1 << 32, u64::MAX] {
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
            assert_eq!(stage.call(call, &[drc, 0, 1, CHOOSE_ADDRESS, 0]), H_PARAMETER, "{call:#x} of {drc:#x}");
        }
        assert_eq!(stage.call(H_SCM_UNBIND_ALL, &[SCOPE_ONE, drc, 0]), H_P2);
        assert_eq!(stage.call(H_SCM_UNBIND_ALL, &[3, drc, 0]), H_PARAMETER);
    }
}

#[test]
fn cases_64_and_72_what_is_bound_is_memory_and_stays() {
    let file = File::new();
    let mut stage = file.stage();
    for round in 0_u64..3 {
        let address = bound(&mut stage);
        assert!(address != 0 && address.is_multiple_of(BLOCK));
        for block in 0..BLOCKS {
            let at = address + block * BLOCK + 8;
            assert_eq!(stage.mem.load::<u64>(at, Order::Big), Some(if round == 0 { 0 } else { 100 * round + block }));
            assert!(stage.mem.store(at, Order::Big, 100 * (round + 1) + block));
        }
        if round == 1 {
            assert_eq!(stage.outputs(H_SCM_UNBIND_ALL, &[SCOPE_ONE, D, 0]), (H_SUCCESS, [0, BLOCKS]));
            assert_eq!(stage.mem.load::<u64>(address, Order::Big), None);
        } else {
            drop(stage);
            stage = file.stage();
        }
    }
}

#[test]
fn case_65_bindings_are_checked_in_order() {
    let file = File::new();
    let stage = &mut file.stage();
    let all = WINDOW.start;
    for (arguments, want) in [
        ([D, 0, BLOCKS + 1, CHOOSE_ADDRESS, 0], H_P3),
        ([D, 1, BLOCKS, CHOOSE_ADDRESS, 0], H_P3),
        ([D, 1, u64::MAX, CHOOSE_ADDRESS, 0], H_P3),
        ([D, 0, 0, CHOOSE_ADDRESS, 0], H_P3),
        ([D, BLOCKS, 1, CHOOSE_ADDRESS, 0], H_P2),
        ([D, u64::MAX, 1, CHOOSE_ADDRESS, 0], H_P2),
        ([D, BLOCKS, 0, 1, 5], H_P5),
        ([D, 0, 1, CHOOSE_ADDRESS, u64::MAX], H_P5),
        ([D, 0, 1, all + 0x1000, 0], H_P4),
        ([D, 0, 1, 0, 0], H_P4),
        ([D, 0, 1, WINDOW.end, 0], H_P4),
        ([D, 0, 1, u64::MAX - BLOCK + 1, 0], H_P4),
        ([D, 0, 2, WINDOW.end - BLOCK, 0], H_TOO_BIG),
        ([D, 0, 1, all + BLOCK, 0], H_SUCCESS),
        ([D, 1, 1, all + BLOCK, 0], H_OVERLAP),
        ([D, 1, 2, all, 0], H_OVERLAP),
        ([D, 0, 1, all + 3 * BLOCK, 0], H_OVERLAP),
        ([D, 1, 1, all, 0], H_SUCCESS),
    ] {
        assert_eq!(stage.call(H_SCM_BIND_MEM, &arguments), want, "{arguments:x?}");
    }
    let place = |stage: &mut Stage, block| stage.outputs(H_SCM_QUERY_BLOCK_MEM_BINDING, &[D, block]);
    assert_eq!(place(stage, 0), (H_SUCCESS, [all + BLOCK]));
    assert_eq!((place(stage, 1), place(stage, 2).0), ((H_SUCCESS, [all]), H_NOT_FOUND));
}

#[test]
fn cases_66_to_68_bindings_can_be_asked_for() {
    let file = File::new();
    let stage = &mut file.stage();
    let base = bound(stage);
    assert_eq!(stage.call(H_SCM_BIND_MEM, &[D, 0, BLOCKS, CHOOSE_ADDRESS, 0]), H_OVERLAP);
    for block in 0..BLOCKS {
        let at = base + block * BLOCK;
        assert_eq!(stage.outputs(H_SCM_QUERY_BLOCK_MEM_BINDING, &[D, block]), (H_SUCCESS, [at]));
        for inside in [at, at + 5, at + BLOCK - 1] {
            assert_eq!(stage.outputs(H_SCM_QUERY_LOGICAL_MEM_BINDING, &[inside]), (H_SUCCESS, [D, block]));
        }
    }
    assert_eq!(stage.call(H_SCM_QUERY_BLOCK_MEM_BINDING, &[D, BLOCKS]), H_P2);
    for (address, want) in [(0, H_NOT_FOUND), (base + BLOCKS * BLOCK, H_NOT_FOUND), (1 << 60, H_PARAMETER)] {
        assert_eq!(stage.call(H_SCM_QUERY_LOGICAL_MEM_BINDING, &[address]), want);
    }
    assert_eq!(stage.call(H_SCM_UNBIND_ALL, &[SCOPE_ONE, D, 0]), H_SUCCESS);
    assert_eq!(stage.call(H_SCM_QUERY_BLOCK_MEM_BINDING, &[D, 0]), H_NOT_FOUND);
    assert_eq!(bound(stage), base);
}

#[test]
fn case_69_unbinding_in_part() {
    let file = File::new();
    let stage = &mut file.stage();
    let base = bound(stage);
    for (arguments, want) in [
        ([D, base + 1, 1, 0], H_P2),
        ([D, base - BLOCK, 1, 0], H_P2),
        ([D, 0, 1, 0], H_P2),
        ([D, base, 0, 0], H_P3),
        ([D, base, BLOCKS + 1, 0], H_P3),
        ([D, base, u64::MAX, 0], H_P3),
        ([D, base + BLOCK, BLOCKS, 0], H_P3),
        ([D, base + 1, 1, 9], H_P4),
        ([LARGE, base, 1, 0], H_P2),
    ] {
        assert_eq!(stage.call(H_SCM_UNBIND_MEM, &arguments), want, "{arguments:x?}");
    }
    assert!(stage.mem.store(base + BLOCK, Order::Big, 7u64));
    assert_eq!(stage.outputs(H_SCM_UNBIND_MEM, &[D, base + BLOCK, 1, 0]), (H_SUCCESS, [0, 1]));
    assert!(!stage.mem.contains(base + BLOCK, 1) && stage.mem.contains(base, BLOCK));
    assert_eq!(stage.call(H_SCM_UNBIND_MEM, &[D, base, BLOCKS, 0]), H_P3);
    assert_eq!(stage.call(H_SCM_BIND_MEM, &[D, 1, 1, base + BLOCK, 0]), H_SUCCESS);
    assert_eq!(stage.mem.load::<u64>(base + BLOCK, Order::Big), Some(7));
}

#[test]
fn case_70_what_the_page_table_maps_is_in_use() {
    const VALID: u64 = 1;
    const COHERENT: u64 = 0x10;
    let file = File::new();
    let stage = &mut file.stage();
    let base = bound(stage);
    for at in [base, base + 2 * BLOCK + 0x3000] {
        assert_eq!(stage.call(H_ENTER, &[0, 8, VALID, at | COHERENT]), H_SUCCESS);
        let index = stage.r4();
        assert_eq!(stage.call(H_SCM_UNBIND_MEM, &[D, base, BLOCKS, 0]), H_IN_USE);
        assert_eq!(stage.call(H_SCM_UNBIND_ALL, &[SCOPE_ALL, 0, 0]), H_IN_USE);
        assert!(stage.mem.contains(base, BLOCKS * BLOCK));
        assert_eq!(stage.call(H_REMOVE, &[0, index, 0]), H_SUCCESS);
    }
    assert_eq!(stage.call(H_SCM_UNBIND_MEM, &[D, base, BLOCKS, 0]), H_SUCCESS);
    assert_eq!(stage.call(H_ENTER, &[0, 8, VALID, base | COHERENT]), H_PARAMETER);
}

#[test]
fn case_71_unbinding_all() {
    let file = File::new();
    let stage = &mut file.stage();
    for (arguments, want) in [([0, D, 0], H_PARAMETER), ([3, D, 0], H_PARAMETER), ([SCOPE_ALL, D, 4], H_P4)] {
        assert_eq!(stage.call(H_SCM_UNBIND_ALL, &arguments), want);
    }
    for scope in [SCOPE_ALL, SCOPE_ONE] {
        assert_eq!(stage.outputs(H_SCM_UNBIND_ALL, &[scope, D, 0]), (H_SUCCESS, [0, 0]));
    }
    bound(stage);
    assert_eq!(stage.call(H_SCM_BIND_MEM, &[LARGE, 9, 1, CHOOSE_ADDRESS, 0]), H_SUCCESS);
    assert_eq!(stage.outputs(H_SCM_UNBIND_ALL, &[SCOPE_ALL, 0, 0]), (H_SUCCESS, [0, BLOCKS + 1]));
    assert_eq!(stage.call(H_SCM_QUERY_BLOCK_MEM_BINDING, &[LARGE, 9]), H_NOT_FOUND);
}

/// Calls until it is no longer busy; the final outputs and how often it was.
fn repeated(stage: &mut Stage, call: u64, arguments: &[u64]) -> ([u64; 3], u32) {
    let mut arguments = arguments.to_vec();
    for busy in 0.. {
        match stage.outputs::<3>(call, &arguments) {
            (H_BUSY, [token, _, _]) => {
                assert_ne!(token, 0);
                // It is a token of this call and no other, and of these arguments.
                let other = if call == H_SCM_BIND_MEM { [D, 0, 1, CHOOSE_ADDRESS, token] } else { [D, 0, 1, token, 0] };
                let wrong = if call == H_SCM_BIND_MEM { H_P5 } else { H_P4 };
                let device = if call == H_SCM_UNBIND_ALL { H_SCM_UNBIND_MEM } else { call };
                assert_eq!(stage.call(device, &other), wrong);
                *arguments.last_mut().unwrap() = token;
            }
            (status, outputs) => {
                assert_eq!((status, outputs[0]), (H_SUCCESS, 0));
                return (outputs, busy);
            }
        }
    }
    unreachable!()
}

#[test]
fn large_devices_take_several_calls() {
    let file = File::new();
    let stage = &mut file.stage();
    for unbind in [H_SCM_UNBIND_ALL, H_SCM_UNBIND_MEM] {
        let ([_, address, count], busy) = repeated(stage, H_SCM_BIND_MEM, &[LARGE, 0, MANY, CHOOSE_ADDRESS, 0]);
        assert_eq!((count, busy), (MANY, 2));
        assert!(stage.mem.contains(address, MANY * BLOCK));
        let arguments = if unbind == H_SCM_UNBIND_ALL { [SCOPE_ONE, LARGE, 0, 0] } else { [LARGE, address, MANY, 0] };
        let arguments = if unbind == H_SCM_UNBIND_ALL { &arguments[..3] } else { &arguments[..] };
        let ([_, count, _], busy) = repeated(stage, unbind, arguments);
        assert_eq!((count, busy), (MANY, 2));
        assert!((0..MANY).all(|block| !stage.mem.contains(address + block * BLOCK, 1)));
    }
}

/// The states of health that are told.
fn told(stage: &mut Stage) -> u64 {
    let (status, [states, valid]) = stage.outputs(H_SCM_HEALTH, &[D]);
    assert_eq!((status, valid), (H_SUCCESS, health::VALID));
    states
}

#[test]
fn case_73_health_of_a_read_only_image() {
    let file = File::new();
    let (mut stage, device) = file.machine(Options::default(), Access::Read);
    assert_eq!(stage.outputs(H_SCM_HEALTH, &[D]), (H_SUCCESS, [health::UNARMED, health::VALID]));
    assert_eq!(stage.outputs(H_SCM_HEALTH, &[LARGE]), (H_SUCCESS, [0, 0]));
    // What the guest stores is its own, and never persists.
    let base = bound(&mut stage);
    assert!(stage.mem.store(base, Order::Big, 1u64));
    assert_eq!(stage.call(H_SCM_WRITE_METADATA, &[D, 0, 1, 1]), H_HARDWARE);
    assert_eq!(flushed(&mut stage), H_HARDWARE);
    device.detach().unwrap();
    drop((stage, device));
    let mut stage = file.stage();
    let base = bound(&mut stage);
    assert_eq!(stage.mem.load::<u64>(base, Order::Big), Some(0));
}

#[test]
fn case_74_what_was_not_put_away_is_told() {
    let file = File::new();
    bound(&mut file.stage());
    let (mut stage, device) = file.machine(Options::default(), Access::Write);
    assert_eq!(device.geometry().dirty_shutdowns, 1);
    assert_eq!(told(&mut stage), health::SAVE_FAILED);
    bound(&mut stage);
    device.detach().unwrap();
    drop((stage, device));
    let (mut stage, device) = file.machine(Options::default(), Access::Write);
    assert_eq!(device.geometry().dirty_shutdowns, 1);
    assert_eq!(told(&mut stage), health::RESTORED);
    device.set_health(health::parse("critical").unwrap());
    assert_eq!(told(&mut stage), health::RESTORED | 1 << 59);
}

#[test]
fn case_75_statistics_by_name() {
    const AT: u64 = 0x1008;
    let file = File::new();
    let stage = &mut file.machine(Options { life: 93, ..Options::default() }, Access::Write).0;
    let (status, [size]) = stage.outputs(H_SCM_PERFORMANCE_STATS, &[D, 0, 0]);
    assert_eq!((status, size), (H_SUCCESS, 16 + 16 * 6));
    assert_eq!(stage.outputs(H_SCM_PERFORMANCE_STATS, &[LARGE, 0, 0]), (H_SUCCESS, [16]));
    let header = |stage: &mut Stage, count: u32| {
        stage.mem.write(AT, b"SCMSTATS");
        stage.mem.store(AT + 8, Order::Big, 1u32);
        stage.mem.store(AT + 12, Order::Big, count);
    };
    header(stage, 0);
    assert_eq!(stage.call(H_SCM_PERFORMANCE_STATS, &[D, AT, size]), H_SUCCESS);
    assert_eq!(stage.mem.load::<u32>(AT + 12, Order::Big), Some(6));
    assert_eq!(stage.bytes(AT + 16 + 3 * 16, 16), [&b"MemLife "[..], &93_u64.to_be_bytes()].concat());
    header(stage, 1);
    stage.mem.write(AT + 16, b"MemLife ");
    assert_eq!(stage.call(H_SCM_PERFORMANCE_STATS, &[D, AT, 32]), H_SUCCESS);
    assert_eq!(stage.mem.load::<u64>(AT + 24, Order::Big), Some(93));
    stage.mem.write(AT + 16, b"HostLCnt");
    let unknown = u64::from_be_bytes(*b"HostLCnt");
    assert_eq!(stage.outputs(H_SCM_PERFORMANCE_STATS, &[D, AT, 32]), (H_PARTIAL, [unknown]));
    for (buffer, size, want) in [
        (0, 32, H_P2),
        (AT, 0, H_P3),
        (AT, 15, H_P3),
        (AT, 31, H_P3),
        (RAM - 16, 32, H_P2),
        (u64::MAX - 8, 32, H_P2),
        (AT, u64::MAX, H_P2),
    ] {
        assert_eq!(stage.call(H_SCM_PERFORMANCE_STATS, &[D, buffer, size]), want, "{buffer:#x} {size:#x}");
    }
    for count in [257, u32::MAX] {
        header(stage, count);
        assert_eq!(stage.call(H_SCM_PERFORMANCE_STATS, &[D, AT, RAM - AT]), H_P3);
    }
    for (at, byte) in [(0, b'X'), (11, 2)] {
        header(stage, 0);
        stage.mem.store(AT + at, Order::Big, byte);
        assert_eq!(stage.call(H_SCM_PERFORMANCE_STATS, &[D, AT, 256]), H_P2);
    }
}

/// Flushes until that is over; the status.
fn flushed(stage: &mut Stage) -> i64 {
    let mut token = 0;
    loop {
        match stage.outputs(H_SCM_FLUSH, &[D, token]) {
            (H_LONG_BUSY_ORDER_1_MSEC, [next]) => {
                assert_ne!(next, 0);
                token = next;
            }
            (status, [last]) => {
                assert!(status != H_SUCCESS || last == 0);
                if token != 0 {
                    assert_eq!(stage.call(H_SCM_FLUSH, &[D, token]), H_P2);
                }
                return status;
            }
        }
    }
}

#[test]
fn cases_76_to_78_flushes_sync_and_failures_stay() {
    let file = File::new();
    let stage = &mut file.stage();
    bound(stage);
    assert_eq!(flushed(stage), H_SUCCESS);
    // The other device's token, and none.
    assert_eq!(stage.outputs(H_SCM_FLUSH, &[LARGE, 0]), (H_LONG_BUSY_ORDER_1_MSEC, [5]));
    for token in [1, 5, u64::MAX] {
        assert_eq!(stage.call(H_SCM_FLUSH, &[D, token]), H_P2);
    }
    let fault = nvdimm::Fault { loses: false, failing_sync: Some(2) };
    let file = File::new();
    let stage = &mut file.machine(Options { fault, ..Options::default() }, Access::Write).0;
    bound(stage);
    let results = [(); 3].map(|()| flushed(stage));
    assert_eq!(results, [H_SUCCESS, H_HARDWARE, H_HARDWARE]);
    assert_eq!(told(stage), health::SAVE_FAILED);
}

#[test]
fn case_77_what_was_not_flushed_may_be_lost_and_what_was_is_not() {
    let file = File::new();
    let fault = nvdimm::Fault { loses: true, failing_sync: None };
    let options = Options { fault, inline: true, ..Options::default() };
    let (mut stage, device) = file.machine(options, Access::Write);
    let base = bound(&mut stage);
    assert!(stage.mem.store(base, Order::Big, 1u64));
    assert_eq!(flushed(&mut stage), H_SUCCESS);
    for page in 1..64 {
        assert!(stage.mem.store(base + page * 4096, Order::Big, page));
    }
    drop((stage, device));
    let mut stage = file.stage();
    let base = bound(&mut stage);
    assert_eq!(stage.mem.load::<u64>(base, Order::Big), Some(1));
    let kept = (1..64_u64).filter(|page| stage.mem.load::<u64>(base + page * 4096, Order::Big) == Some(*page)).count();
    assert!(kept < 63, "all {kept} unflushed pages are there");
}
