//! Virtual processor areas: registering them, and what they say.

use guest_mem::Order;
use hv_core::{Dispatch, Rest};
use papr_abi::hcall::{H_CEDE, H_CONFER, H_PROD, H_REGISTER_VPA};
use papr_abi::rtas::{START_CPU, STOP_SELF};
use papr_abi::status::{H_PARAMETER, H_RESOURCE, H_SUCCESS};

use crate::stage::{RAM, Stage};

const VPA: u64 = 1 << 45;
const LOG: u64 = 2 << 45;
const SHADOW: u64 = 3 << 45;
const NO_VPA: u64 = 5 << 45;
const NO_LOG: u64 = 6 << 45;
const NO_SHADOW: u64 = 7 << 45;

const AREA: u64 = 0x1_0000;
const RING: u64 = 0x2_0fd0;
const STATUS: u64 = AREA + 9;
const MASK: u64 = AREA + 0xb8;
const COUNT: u64 = AREA + 0x100;
const ENQUEUED: u64 = AREA + 0x158;
const WAITED: u64 = AREA + 0x168;
const INDEX: u64 = AREA + 0x218;

impl Stage {
    fn half(&self, at: u64, value: u16) {
        assert!(self.mem.store(at, Order::Big, value));
    }

    fn word(&self, at: u64) -> u32 {
        self.mem.load(at, Order::Big).unwrap()
    }

    fn double(&self, at: u64) -> u64 {
        self.mem.load(at, Order::Big).unwrap()
    }

    /// An area at `at` for the vCPU whose turn it is.
    fn registered(&mut self, at: u64) {
        self.half(at + 4, 640);
        let own = self.vcpu.state.pir.into();
        assert_eq!(self.call(H_REGISTER_VPA, &[VPA, own, at]), H_SUCCESS);
    }

    /// A dispatch log of `entries` with this mask.
    fn logs(&mut self, entries: u32, mask: u8) {
        self.mem.store(RING + 4, Order::Big, entries * 48 + 47);
        assert_eq!(self.call(H_REGISTER_VPA, &[LOG, 0, RING]), H_SUCCESS);
        self.mem.store(MASK, Order::Big, mask);
    }
}

#[test]
fn case_16_an_area_is_checked() {
    let stage = &mut Stage::new();
    let (small, crossing, last) = (0x2000, 0x3f80, RAM - 0x80);
    stage.half(AREA + 4, 640);
    stage.half(small + 4, 639);
    stage.half(crossing + 4, 640);
    stage.half(last + 4, 640);
    #[rustfmt::skip]
    let cases = [
        ([VPA, 1, AREA],            H_PARAMETER),
        ([VPA, u64::MAX, AREA],     H_PARAMETER),
        ([VPA, 1 << 32, AREA],      H_PARAMETER),
        ([VPA, 0, 0],               H_PARAMETER),
        ([VPA, 0, AREA + 4],        H_PARAMETER),
        ([VPA, 0, AREA + 64],       H_PARAMETER),
        ([VPA, 0, small],           H_PARAMETER),
        ([VPA, 0, crossing],        H_PARAMETER),
        ([VPA, 0, last],            H_PARAMETER),
        ([VPA, 0, RAM],             H_PARAMETER),
        ([VPA, 0, !0x7f],           H_PARAMETER),
        ([VPA, 0, u64::MAX],        H_PARAMETER),
        ([0, 0, AREA],              H_PARAMETER),
        ([4 << 45, 0, AREA],        H_PARAMETER),
        ([VPA, 0, AREA],            H_SUCCESS),
        ([VPA, 0, AREA],            H_SUCCESS),
        ([NO_VPA, 0, 0],            H_SUCCESS),
        ([NO_VPA, 0, 0],            H_SUCCESS),
    ];
    for (arguments, status) in cases {
        assert_eq!(stage.call(H_REGISTER_VPA, &arguments), status, "{arguments:x?}");
    }
}

#[test]
fn case_17_other_areas_need_it() {
    let stage = &mut Stage::new();
    let (shadow, short, crossing) = (0x5000, 0x6000, 0x7f00);
    stage.half(AREA + 4, 640);
    for (at, len) in [(shadow, 0x100_u32), (short, 7), (crossing, 0x101), (RING, 48), (RAM - 40, 48), (0x8000, 47)] {
        stage.mem.store(at + 4, Order::Big, len);
    }
    #[rustfmt::skip]
    let cases = [
        ([SHADOW, 0, shadow],       H_RESOURCE),
        ([LOG, 0, RING],            H_RESOURCE),
        ([VPA, 0, AREA],            H_SUCCESS),
        ([SHADOW, 0, 0],            H_PARAMETER),
        ([SHADOW, 0, short],        H_PARAMETER),
        ([SHADOW, 0, crossing],     H_PARAMETER),
        ([SHADOW, 0, RAM - 4],      H_PARAMETER),
        ([SHADOW, 0, u64::MAX],     H_PARAMETER),
        ([LOG, 0, 0],               H_PARAMETER),
        ([LOG, 0, 0x8000],          H_PARAMETER),
        ([LOG, 0, RAM - 40],        H_PARAMETER),
        ([LOG, 0, u64::MAX - 3],    H_PARAMETER),
        ([SHADOW, 0, shadow],       H_SUCCESS),
        ([LOG, 0, RING],            H_SUCCESS),
        ([NO_VPA, 0, 0],            H_RESOURCE),
        ([NO_SHADOW, 0, 0],         H_SUCCESS),
        ([NO_VPA, 0, 0],            H_RESOURCE),
        ([NO_LOG, 0, 0],            H_SUCCESS),
        ([NO_VPA, 0, 0],            H_SUCCESS),
        ([LOG, 0, RING],            H_RESOURCE),
    ];
    for (arguments, status) in cases {
        assert_eq!(stage.call(H_REGISTER_VPA, &arguments), status, "{arguments:x?}");
    }
}

#[test]
fn the_yield_count_is_odd_while_it_does_not_run() {
    let stage = &mut Stage::new();
    stage.mem.store(COUNT, Order::Big, 7_u32);
    stage.mem.store(STATUS, Order::Big, 0x80_u8);
    stage.registered(AREA);
    assert_eq!((stage.word(COUNT), stage.bytes(STATUS, 1)), (8, vec![0x82]));
    for (rest, count) in [(Rest::Waits, 9), (Rest::Yields, 11), (Rest::Preempted, 13)] {
        stage.dispatched(10, Dispatch::Leaves(rest));
        assert_eq!(stage.word(COUNT), count);
        stage.dispatched(10, Dispatch::Enters(0));
        assert_eq!(stage.word(COUNT), count + 1);
    }
    // What the guest does to it changes the number, not its parity.
    for (put, left, back) in [(100, 101, 102), (101, 103, 104), (u32::MAX, 1, 2), (u32::MAX - 1, u32::MAX, 0)] {
        stage.mem.store(COUNT, Order::Big, put);
        stage.dispatched(1, Dispatch::Leaves(Rest::Waits));
        assert_eq!(stage.word(COUNT), left);
        stage.dispatched(1, Dispatch::Enters(0));
        assert_eq!(stage.word(COUNT), back);
    }
    assert_eq!(stage.word(AREA + 0x104), 0, "dispersion");
}

#[test]
fn times_are_of_the_processor_and_not_of_the_area() {
    let stage = &mut Stage::new();
    stage.vcpu.state.decrementer = u64::MAX >> 1;
    stage.registered(AREA);
    stage.dispatched(100, Dispatch::Leaves(Rest::Waits));
    stage.dispatched(1000, Dispatch::Enters(30));
    assert_eq!((stage.double(ENQUEUED), stage.double(WAITED)), (30, 970));
    stage.dispatched(100, Dispatch::Leaves(Rest::Preempted));
    stage.dispatched(500, Dispatch::Enters(0));
    assert_eq!((stage.double(ENQUEUED), stage.double(WAITED)), (530, 970));
    // The host tells later that it was preempted without anybody knowing.
    stage.dispatched(0, Dispatch::Leaves(Rest::Preempted));
    stage.dispatched(0, Dispatch::Enters(70));
    assert_eq!((stage.double(ENQUEUED), stage.double(WAITED)), (600, 970));
    // A timer that was up for a while before anybody ran.
    stage.vcpu.state.decrementer = stage.vcpu.state.retired + 200;
    stage.dispatched(0, Dispatch::Leaves(Rest::Waits));
    stage.dispatched(250, Dispatch::Enters(0));
    assert_eq!((stage.double(ENQUEUED), stage.double(WAITED)), (650, 1170));
    stage.registered(AREA + 0x1000);
    stage.dispatched(0, Dispatch::Leaves(Rest::Yields));
    stage.dispatched(5, Dispatch::Enters(0));
    assert_eq!((stage.double(ENQUEUED + 0x1000), stage.double(WAITED + 0x1000)), (655, 1170));
    assert_eq!(stage.double(ENQUEUED), 650, "the old one is the guest's again");
}

#[test]
fn dispatches_are_logged_in_a_ring() {
    let stage = &mut Stage::new();
    stage.vcpu.state.decrementer = u64::MAX >> 1;
    stage.registered(AREA);
    stage.mem.store(INDEX, Order::Big, 99_u64);
    stage.logs(3, 3);
    assert_eq!(stage.double(INDEX), 0);
    stage.vcpu.state.retired = 0x100;
    stage.dispatched(0, Dispatch::Leaves(Rest::Waits));
    stage.vcpu.state.cia = 0x1234_5678_9abc;
    stage.dispatched(0x200, Dispatch::Enters(0x10));
    #[rustfmt::skip]
    let entry = [
        0x00, 0x02, 0, 0,       0, 0, 0, 0x10,          0, 0, 0, 0,             0, 0, 0x01, 0xf0,
        0, 0, 0, 0, 0, 0, 0x03, 0x00,                   0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc,
    ];
    let written = stage.bytes(RING, 48);
    assert_eq!((&written[..40], stage.double(INDEX)), (&entry[..], 1));
    assert_eq!(stage.double(RING + 40), stage.vcpu.shared.msr());
    for n in 2..=5_u64 {
        stage.dispatched(1, Dispatch::Leaves(Rest::Preempted));
        stage.dispatched(n, Dispatch::Enters(0));
        assert_eq!(stage.double(INDEX), n);
        let at = RING + (n - 1) % 3 * 48;
        assert_eq!((stage.bytes(at, 2), stage.word(at + 4)), (vec![7, 4], n as u32));
    }
    assert_eq!(stage.bytes(RING + 3 * 48, 48), [0; 48], "nothing behind the ring");
}

#[test]
fn the_mask_says_what_is_logged() {
    let stage = &mut Stage::new();
    stage.registered(AREA);
    stage.logs(8, 0);
    for (mask, [waits, yields, preempted]) in [(0, [0, 0, 0]), (1, [1, 1, 0]), (2, [0, 0, 1]), (4, [0; 3]), (7, [1; 3])]
    {
        stage.mem.store(MASK, Order::Big, mask as u8);
        for (rest, more) in [(Rest::Waits, waits), (Rest::Yields, yields), (Rest::Preempted, preempted)] {
            let before = stage.double(INDEX);
            stage.dispatched(1, Dispatch::Leaves(rest));
            stage.dispatched(1, Dispatch::Enters(0));
            assert_eq!(stage.double(INDEX) - before, more, "mask {mask}, {rest:?}");
        }
    }
}

#[test]
fn areas_go_away_at_any_time() {
    let stage = &mut Stage::new();
    stage.registered(AREA);
    stage.logs(1, 7);
    stage.dispatched(1, Dispatch::Leaves(Rest::Waits));
    assert_eq!(stage.call(H_REGISTER_VPA, &[NO_LOG, 0, 0]), H_SUCCESS);
    assert_eq!(stage.call(H_REGISTER_VPA, &[NO_VPA, 0, 0]), H_SUCCESS);
    let before = (stage.bytes(AREA, 640), stage.bytes(RING, 48));
    stage.dispatched(1, Dispatch::Enters(0));
    stage.dispatched(1, Dispatch::Leaves(Rest::Waits));
    assert_eq!(before, (stage.bytes(AREA, 640), stage.bytes(RING, 48)));
    // One that comes while its processor rests is odd at once.
    stage.registered(AREA);
    assert_eq!(stage.word(COUNT) & 1, 1);
}

#[test]
fn starting_and_stopping_forget_areas_and_prods() {
    let stage = &mut Stage::several(2);
    stage.half(AREA + 4, 640);
    assert_eq!(stage.call(H_REGISTER_VPA, &[VPA, 1, AREA]), H_SUCCESS);
    assert_eq!(stage.word(COUNT), 1, "it is stopped");
    assert_eq!(stage.service(START_CPU, &[1, 0x4000, 0]).0, 0);
    stage.begins(1);
    assert_eq!(stage.word(COUNT), 1, "and its area was void when it began");
    stage.registered(AREA);
    assert_eq!(stage.word(COUNT), 2);
    assert_eq!(stage.call(H_PROD, &[1]), H_SUCCESS);
    stage.service(STOP_SELF, &[]);
    stage.dispatched(1, Dispatch::Leaves(Rest::Stops));
    stage.requests().stop();
    assert_eq!(stage.word(COUNT), 3);
    stage.turn_to(0);
    assert_eq!(stage.call(H_REGISTER_VPA, &[NO_VPA, 1, 0]), H_SUCCESS);
    assert_eq!(stage.service(START_CPU, &[1, 0x4000, 0]).0, 0);
    stage.begins(1);
    assert_eq!(stage.word(COUNT), 3);
    assert_eq!(stage.answer(H_CEDE, &[]).1, hv_core::Next::Wait, "the prod was for its former life");
}

#[test]
fn case_22_conferring_depends_on_the_count() {
    use hv_core::Next::{Run, Yield};
    let stage = &mut Stage::several(2);
    assert_eq!(stage.service(START_CPU, &[1, 0x4000, 0]).0, 0);
    stage.begins(1).registered(AREA);
    stage.dispatched(1, Dispatch::Leaves(Rest::Waits));
    stage.turn_to(0);
    let count = stage.word(COUNT).into();
    for (cpu, count, next) in [
        (1, count, Yield),
        (1, count + 1, Run),
        (1, count + 2, Run),
        (1, 0, Run),
        (u64::MAX, 0, Yield),
        (u64::MAX, 1, Yield),
    ] {
        assert_eq!(stage.answer(H_CONFER, &[cpu, count]), (H_SUCCESS, next), "{cpu:x} {count}");
    }
    assert_eq!(stage.call(H_CONFER, &[2, 1]), H_PARAMETER);
    assert_eq!(stage.call(H_CONFER, &[-2_i64 as u64, 1]), H_PARAMETER);
}
