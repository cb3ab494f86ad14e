//! Offsets, resets and rules from the OpenPIC 1.2 specification and the MPC8548E reference manual, section 10.3.

use std::sync::Arc;

use super::*;

const FRR: u64 = 0x1000;
const GCR: u64 = 0x1020;
const SVR: u64 = 0x10e0;
/// Internal interrupt 26 (DUART) is source 42.
const DUART: u16 = 42;
const DUART_VECTOR: u64 = 0x1_0000 + 42 * 0x20;
const DUART_DESTINATION: u64 = DUART_VECTOR + 0x10;
const MASKED: u32 = 0x8000_0000;
const ACTIVE: u32 = 0x4000_0000;

struct Bench {
    pic: Openpic,
    woken: Arc<Mutex<Vec<u32>>>,
}

impl Bench {
    /// In mixed mode, with nothing masked by task priority.
    fn new(model: Model, cpus: u32) -> Bench {
        let woken = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&woken);
        let pic = Openpic::new(model, cpus, Box::new(move |cpu| log.lock().unwrap().push(cpu)));
        let bench = Bench { pic, woken };
        bench.set(GCR, 0x2000_0000);
        (0..cpus).for_each(|cpu| bench.set(private(cpu) + 0x80, 0));
        bench
    }

    fn get(&self, offset: u64) -> u32 {
        self.pic.read(offset, 4) as u32
    }

    fn set(&self, offset: u64, value: u32) {
        self.pic.write(offset, 4, value.into());
    }

    fn source(&self, number: u16, vector_priority: u32, destination: u32) {
        let at = 0x1_0000 + u64::from(number) * 0x20;
        self.set(at, vector_priority);
        self.set(at + 0x10, destination);
    }

    fn acknowledge(&self, cpu: u32) -> u32 {
        self.get(private(cpu) + 0xa0)
    }

    fn end(&self, cpu: u32) {
        self.set(private(cpu) + 0xb0, 0);
    }

    fn woken(&self) -> Vec<u32> {
        std::mem::take(&mut self.woken.lock().unwrap())
    }
}

fn private(cpu: u32) -> u64 {
    0x2_0000 + u64::from(cpu) * 0x1000
}

#[test]
fn registers_after_reset() {
    let pic = Openpic::new(Model::MPIC_2_0, 2, Box::new(|_| {}));
    let get = |offset| pic.read(offset, 4);
    assert_eq!(get(0), 0x0040_0200, "BRR1");
    assert_eq!(get(FRR), 79 << 16 | 1 << 8 | 2, "FRR: last source, last processor, version 1.2");
    assert_eq!(get(GCR), 0, "pass-through");
    assert_eq!(get(SVR), 0xffff);
    assert_eq!(get(0x10a0), 0x8000_0000, "IPIVPR0");
    assert_eq!(get(0x1110), 0x8000_0000, "GTBCRA0");
    assert_eq!(get(0x1120), 0x8000_0000, "GTVPRA0");
    assert_eq!(get(0x1130), 1, "GTDRA0");
    assert_eq!(get(0x1_0000), 0x8000_0000, "EIVPR0");
    assert_eq!(get(0x1_0010), 1, "EIDR0");
    assert_eq!(get(0x1_0200), 0x8080_0000, "IIVPR0");
    assert_eq!(get(0x1_0210), 1, "IIDR0");
    assert_eq!((get(0x2_0080), get(0x2_1080)), (15, 15), "CTPR");
    assert_eq!((get(0x90), get(0x2_0090), get(0x2_1090)), (0, 0, 1), "WHOAMI");
    assert_eq!(get(0x2_00a0), 0xffff, "IACK");
    // Past the sources, past the processors, reserved, and of a width that the registers do not have.
    for offset in [0x1_0000 + 80 * 0x20, 0x2_2090, 0x2_00c0, 0x1004, SIZE, u64::MAX] {
        assert_eq!(get(offset), 0, "{offset:#x}");
        pic.write(offset, 4, u64::MAX);
    }
    assert_eq!(pic.read(SVR, 2), 0);
}

#[test]
fn reset_by_the_guest_keeps_the_lines() {
    let bench = Bench::new(Model::MPIC_2_0, 1);
    bench.source(DUART, 0x0085_002a, 1);
    bench.pic.set_line(DUART, true);
    assert!(bench.pic.external(0));
    bench.set(GCR, 0x8000_0000);
    assert!(!bench.pic.external(0));
    assert_eq!((bench.get(GCR), bench.get(DUART_VECTOR), bench.get(0x2_0080)), (0, 0x8080_0000, 15));
    bench.set(GCR, 0x2000_0000);
    bench.set(0x2_0080, 0);
    bench.source(DUART, 0x0085_002a, 1);
    assert!(bench.pic.external(0));
}

#[test]
fn a_level_comes_again_until_it_is_quieted() {
    let bench = Bench::new(Model::MPIC_2_0, 1);
    bench.source(DUART, 0x0085_002a, 1);
    assert!(bench.woken().is_empty());
    bench.pic.set_line(DUART, true);
    assert_eq!(bench.woken(), [0]);
    assert_eq!(bench.get(DUART_VECTOR), 0x0085_002a | ACTIVE);
    assert_eq!(bench.acknowledge(0), 42);
    assert!(!bench.pic.external(0), "in service");
    assert_eq!(bench.acknowledge(0), 0xffff, "spurious");
    bench.end(0);
    assert!(bench.pic.external(0), "still asserted");
    assert_eq!(bench.acknowledge(0), 42);
    bench.pic.set_line(DUART, false);
    assert_eq!(bench.get(DUART_VECTOR) & ACTIVE, ACTIVE, "in service");
    bench.end(0);
    assert!(!bench.pic.external(0));
    assert_eq!(bench.get(DUART_VECTOR), 0x0085_002a);
}

#[test]
fn a_level_that_goes_is_forgotten_and_an_edge_is_not() {
    let bench = Bench::new(Model::MPIC_2_0, 1);
    bench.source(1, 0x00c5_0001, 1);
    bench.source(2, 0x0085_0002, 1);
    for source in [1, 2] {
        bench.pic.set_line(source, true);
        bench.pic.set_line(source, false);
    }
    assert_eq!(bench.acknowledge(0), 2);
    bench.end(0);
    assert_eq!(bench.acknowledge(0), 0xffff);
    // An edge in service is latched again; a line that stays up is no new edge.
    bench.pic.set_line(2, true);
    assert_eq!(bench.acknowledge(0), 2);
    bench.end(0);
    assert!(!bench.pic.external(0));
    bench.pic.set_line(2, false);
    bench.pic.set_line(2, true);
    assert_eq!(bench.acknowledge(0), 2);
    bench.pic.set_line(2, false);
    bench.pic.set_line(2, true);
    assert!(!bench.pic.external(0));
    bench.end(0);
    assert_eq!(bench.acknowledge(0), 2);
}

#[test]
fn a_masked_edge_waits() {
    let bench = Bench::new(Model::MPIC_2_0, 1);
    bench.source(2, MASKED | 0x0085_0002, 1);
    bench.pic.set_line(2, true);
    assert!(!bench.pic.external(0));
    assert_eq!(bench.get(0x1_0040) & ACTIVE, 0);
    bench.set(0x1_0040, 0x0085_0002);
    assert_eq!(bench.acknowledge(0), 2);
}

#[test]
fn priorities_nest() {
    let bench = Bench::new(Model::MPIC_2_0, 1);
    for (source, priority) in [(20, 4), (21, 9), (22, 9), (23, 0)] {
        bench.source(source, 0x0080_0000 | priority << 16 | u32::from(source), 1);
        bench.pic.set_line(source, true);
    }
    assert_eq!(bench.acknowledge(0), 21, "of equals the first");
    assert_eq!(bench.acknowledge(0), 0xffff, "22 is no more urgent than 21");
    bench.source(24, 0x008f_0018, 1);
    bench.pic.set_line(24, true);
    assert_eq!(bench.acknowledge(0), 24);
    bench.pic.set_line(24, false);
    bench.pic.set_line(21, false);
    bench.end(0);
    assert!(!bench.pic.external(0), "21 is in service");
    bench.end(0);
    assert_eq!(bench.acknowledge(0), 22);
    bench.pic.set_line(22, false);
    bench.end(0);
    bench.set(0x2_0080, 4);
    assert!(!bench.pic.external(0), "priority 4 is not above task priority 4");
    bench.set(0x80, 3);
    assert_eq!(bench.acknowledge(0), 20);
    bench.pic.set_line(20, false);
    bench.end(0);
    assert_eq!(bench.acknowledge(0), 0xffff, "priority 0 is never presented");
    bench.end(0);
    bench.end(0);
}

#[test]
fn a_source_goes_to_one_processor() {
    let bench = Bench::new(Model::MPIC_2_0, 2);
    bench.source(DUART, 0x0085_002a, 3);
    bench.set(private(0) + 0x80, 7);
    bench.pic.set_line(DUART, true);
    assert_eq!((bench.pic.external(0), bench.pic.external(1)), (false, true));
    assert_eq!(bench.woken(), [1]);
    assert_eq!(bench.acknowledge(1), 42);
    bench.set(private(0) + 0x80, 0);
    assert!(!bench.pic.external(0), "in service at processor 1");
    bench.end(1);
    assert_eq!((bench.pic.external(0), bench.pic.external(1)), (true, false));
    bench.set(DUART_DESTINATION, 0xffff_fffc);
    assert_eq!(bench.get(DUART_DESTINATION), 0x6000_0000, "processors that there are not, and EP");
    assert!(!bench.pic.external(0) && !bench.pic.external(1));
}

#[test]
fn inter_processor_interrupts_reach_all_of_their_destination() {
    let bench = Bench::new(Model::MPIC_2_0, 3);
    bench.set(0x10c0, 0x000a_07f9);
    bench.set(private(0) + 0x60, 0b110);
    assert_eq!(bench.woken(), [1, 2]);
    assert_eq!(bench.acknowledge(0), 0xffff);
    assert_eq!(bench.acknowledge(1), 0x07f9);
    assert!(bench.pic.external(2));
    bench.set(private(2) + 0x60, 0b010);
    assert!(!bench.pic.external(1), "in service there");
    assert_eq!(bench.acknowledge(2), 0x07f9);
    bench.end(2);
    bench.end(1);
    assert_eq!(bench.acknowledge(1), 0x07f9);
    bench.end(1);
    assert_eq!(bench.get(0x10c0), 0x000a_07f9, "not active");
}

#[test]
fn critical_sources_take_the_other_input() {
    let bench = Bench::new(Model::MPIC_2_0, 2);
    bench.source(DUART, MASKED | 0x0080_002a, 1 << 29);
    bench.pic.set_line(DUART, true);
    assert!(!bench.pic.critical(1));
    bench.set(DUART_VECTOR, 0x0080_002a);
    assert_eq!((bench.pic.critical(0), bench.pic.critical(1), bench.pic.external(1)), (false, true, false));
    assert_eq!(bench.woken(), [1]);
    bench.pic.set_line(DUART, false);
    assert!(!bench.pic.critical(1));
}

#[test]
fn the_proxy_acknowledges_by_itself() {
    let bench = Bench::new(Model::MPIC_4_2, 1);
    bench.source(DUART, 0x0085_002a, 1);
    bench.pic.set_line(DUART, true);
    assert_eq!(bench.pic.acknowledge(0), None, "mixed mode");
    bench.set(GCR, 0x6000_0000);
    assert_eq!(bench.get(GCR), 0x6000_0000);
    assert_eq!(bench.pic.acknowledge(0), Some(42));
    assert!(!bench.pic.external(0));
    assert_eq!(bench.pic.acknowledge(0), Some(0xffff));
    bench.end(0);
    assert!(bench.pic.external(0));
    // MPIC 2.0 has no such mode.
    let old = Bench::new(Model::MPIC_2_0, 1);
    old.set(GCR, 0x6000_0000);
    assert_eq!((old.get(GCR), old.pic.acknowledge(0)), (0x2000_0000, None));
}

#[test]
fn before_use_source_0_passes_through() {
    let bench = Bench::new(Model::MPIC_2_0, 1);
    bench.set(GCR, 0);
    bench.source(DUART, 0x0085_002a, 1);
    bench.pic.set_line(DUART, true);
    assert!(!bench.pic.external(0));
    bench.pic.set_line(0, true);
    assert!(bench.pic.external(0));
    assert_eq!(bench.acknowledge(0), 0xffff);
    bench.pic.set_line(0, false);
    assert!(!bench.pic.external(0));
}

#[test]
fn apples_has_little_endian_registers() {
    let bench = Bench::new(Model::KEY_LARGO, 1);
    let get = |offset| bench.get(offset).swap_bytes();
    let set = |offset, value: u32| bench.set(offset, value.swap_bytes());
    assert_eq!(get(FRR), 63 << 16 | 2);
    assert_eq!((get(0), get(SVR)), (0, 0xff));
    set(0x2_0080, 0);
    set(0x1_0000 + 36 * 0x20, 0x0048_0124);
    assert_eq!(get(0x1_0000 + 36 * 0x20), 0x0048_0024, "vectors have 8 bits");
    bench.pic.set_line(36, true);
    assert!(bench.pic.external(0), "no mode to be chosen");
    assert_eq!(get(0x2_00a0), 0x24);
    assert_eq!(bench.get(0x2_00a0), 0xff00_0000);
}
