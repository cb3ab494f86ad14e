use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::*;
use crate::random::SeededRandom;
use crate::registers::Registers;

const VTY: u32 = 0x1100;
const LSI: u32 = 0x1200;
const SERVERS: u32 = 2;
const QUEUE: u64 = 0x1_0000;
const NSR: u64 = 0x10;
const CPPR: u64 = 0x11;
const ACKNOWLEDGE: u64 = 0x810;
const SET_PENDING: u64 = 0x812;

/// A controller, what it stored, and whom it woke.
struct Bench {
    xive: Arc<Xive>,
    memory: Arc<Mutex<BTreeMap<u64, u32>>>,
    woken: Arc<Mutex<Vec<u32>>>,
}

impl Bench {
    /// Sources lead to vCPU 0 at priority 6, where everything comes in; IPIs to their vCPUs.
    fn new() -> Bench {
        let (memory, woken) = (Arc::<Mutex<BTreeMap<u64, u32>>>::default(), Arc::<Mutex<Vec<u32>>>::default());
        let (stored, awake) = (Arc::clone(&memory), Arc::clone(&woken));
        let store = Box::new(move |address, word| stored.lock().unwrap().insert(address, word).is_some());
        let wake = Box::new(move |server| awake.lock().unwrap().push(server));
        let bench =
            Bench { xive: Arc::new(Xive::new(SERVERS, &[(VTY, false), (LSI, true)], store, wake)), memory, woken };
        for server in 0..SERVERS {
            assert!(bench.xive.set_queue(server, 6, Some(config(QUEUE << server, 12))));
            bench.store(server, CPPR, 1, 0xff);
        }
        for (lisn, target) in [(0, 0), (1, 1), (VTY, 0), (LSI, 0)] {
            let config = SourceConfig { target, priority: 6, eisn: 0x100 + lisn, masked: false };
            assert!(bench.xive.configure(lisn, config));
            bench.xive.load(lisn, 0xc00);
        }
        bench
    }

    fn tima(&self, server: u32) -> Tima {
        Tima { xive: Arc::clone(&self.xive), server }
    }

    fn load(&self, server: u32, offset: u64, bytes: u64) -> u64 {
        self.tima(server).read(offset, bytes)
    }

    fn store(&self, server: u32, offset: u64, bytes: u64, value: u64) {
        self.tima(server).write(offset, bytes, value);
    }

    fn accept(&self, server: u32) -> u64 {
        self.load(server, ACKNOWLEDGE, 2)
    }

    fn word(&self, address: u64) -> Option<u32> {
        self.memory.lock().unwrap().get(&address).copied()
    }

    fn pq(&self, lisn: u32) -> u64 {
        self.xive.load(lisn, 0x800).unwrap()
    }
}

fn config(address: u64, shift: u32) -> QueueConfig {
    QueueConfig { address, shift, always: true }
}

/// Case 54: state, what happens, next state, whether the event goes on.
#[test]
fn case_54_states_of_events() {
    #[rustfmt::skip]
    const TABLE: [(u64, [(u64, bool); 2]); 4] = [
        // state, trigger,       end
        (0b00, [(0b10, true),  (0b00, false)]),
        (0b01, [(0b01, false), (0b01, false)]),
        (0b10, [(0b11, false), (0b00, false)]),
        (0b11, [(0b11, false), (0b10, true)]),
    ];
    let esb = |bench: &Bench| Esb(Arc::clone(&bench.xive));
    for (state, [trigger, end]) in TABLE {
        type Access = (&'static str, fn(&Esb));
        #[rustfmt::skip]
        let accesses: [((u64, bool), Access); 5] = [
            (trigger, ("trigger page",    |esb| esb.write(page::trigger(VTY) + 0x18, 8, 0))),
            (trigger, ("management page", |esb| esb.write(page::management(VTY), 8, 0))),
            (end,     ("load",            |esb| _ = esb.read(page::management(VTY), 8))),
            (end,     ("load at 0x7f8",   |esb| _ = esb.read(page::management(VTY) + 0x7f8, 8))),
            (end,     ("store",           |esb| esb.write(page::management(VTY) + 0x400, 8, 0))),
        ];
        for ((next, event), (name, access)) in accesses {
            let bench = Bench::new();
            bench.xive.load(VTY, 0xc00 + (state << 8));
            access(&esb(&bench));
            assert_eq!((bench.pq(VTY), bench.xive.pending(0)), (next, event), "{name} in state {state:02b}");
        }
        for set in 0..4 {
            let bench = Bench::new();
            bench.xive.load(VTY, 0xc00 + (state << 8));
            assert_eq!(esb(&bench).read(page::management(VTY) + 0xc00 + (set << 8), 8), state);
            assert_eq!((bench.pq(VTY), bench.xive.pending(0)), (set, false));
            esb(&bench).write(page::management(VTY) + 0xc00 + (state << 8), 8, 0);
            assert_eq!(bench.pq(VTY), state);
        }
    }
}

#[test]
fn loads_that_end_tell_whether_an_event_follows() {
    let bench = Bench::new();
    bench.xive.set_line(VTY, true);
    bench.xive.set_line(VTY, true);
    assert_eq!([0; 3].map(|offset| bench.xive.load(VTY, offset)), [Some(1), Some(0), Some(0)]);
    assert_eq!(bench.xive.load(LSI, 0), Some(0));
    bench.xive.set_line(LSI, true);
    assert_eq!(bench.xive.load(LSI, 0), Some(1), "the level goes on");
}

#[test]
fn case_55_an_acknowledgement_takes_the_most_favoured() {
    let bench = Bench::new();
    assert_eq!(bench.accept(0), 0xff, "nothing pending");
    for priority in [6, 3] {
        bench.store(0, SET_PENDING, 1, priority);
    }
    assert!(bench.xive.pending(0));
    assert_eq!(bench.load(0, NSR, 8), 0x80ff_12ff_ff00_0003);
    assert_eq!(bench.accept(0), 0x8003);
    assert_eq!(bench.load(0, NSR, 8), 0x0003_02ff_ff00_0003, "6 is held back by 3");
    assert!(!bench.xive.pending(0));
    assert_eq!(bench.accept(0), 3);
    bench.store(0, CPPR, 1, 6);
    assert!(!bench.xive.pending(0));
    bench.store(0, CPPR, 1, 7);
    assert!(bench.xive.pending(0));
    bench.store(0, CPPR, 1, 0);
    assert!(!bench.xive.pending(0), "a more favoured thread is not interrupted");
    bench.store(0, CPPR, 1, 8);
    assert_eq!((bench.load(0, CPPR, 1), bench.accept(0)), (0xff, 0x8006));
    assert_eq!(*bench.woken.lock().unwrap(), [0, 0, 0]);
}

#[test]
fn registers_have_their_widths() {
    let bench = Bench::new();
    bench.store(0, SET_PENDING, 1, 6);
    for (offset, bytes) in [(ACKNOWLEDGE, 1), (ACKNOWLEDGE, 4), (ACKNOWLEDGE, 8), (0x812, 2), (0x1_0810, 2)] {
        assert_eq!(bench.load(0, offset, bytes), 0, "{bytes} at {offset:#x}");
    }
    assert!(bench.xive.pending(0), "nothing was acknowledged");
    for (offset, bytes) in [(CPPR - 1, 2), (NSR, 4), (NSR, 8), (0x810, 4), (SET_PENDING, 2), (0x1_0011, 1)] {
        bench.store(0, offset, bytes, 0);
    }
    assert_eq!(bench.load(0, NSR, 4), 0x80ff_02ff);
    assert_eq!([0x18, 0x1c].map(|offset| bench.load(1, offset, 4)), [0x8000_0001, 0]);
    // What lies across the end of the ring, at odd places, or behind the page.
    for (offset, bytes) in [(0xc, 8), (0x12, 8), (0x11, 2), (0x20, 4), (0x1_0010, 8), (u64::MAX, 1), (u64::MAX - 7, 8)]
    {
        assert_eq!(bench.load(0, offset, bytes), 0, "{bytes} at {offset:#x}");
    }
}

#[test]
fn ipis_reach_their_threads() {
    let bench = Bench::new();
    let esb = Esb(Arc::clone(&bench.xive));
    for (lisn, pending) in [(1, [false, true]), (0, [true, true])] {
        esb.write(page::trigger(lisn), 8, 0);
        assert_eq!([0, 1].map(|server| bench.xive.pending(server)), pending);
    }
    assert_eq!(*bench.woken.lock().unwrap(), [1, 0]);
    assert_eq!([bench.word(QUEUE), bench.word(2 * QUEUE)], [Some(0x8000_0100), Some(0x8000_0101)]);
}

#[test]
fn case_53_generations_follow_the_laps() {
    let bench = Bench::new();
    for event in 0..3 * 1024 {
        bench.xive.load(VTY, 0xc00);
        bench.xive.set_line(VTY, true);
        let generation = u32::from((event / 1024) % 2 == 0) << 31;
        let address = QUEUE + event % 1024 * 4;
        assert_eq!(bench.word(address), Some(generation | (0x100 + VTY)), "event {event}");
    }
    assert_eq!(bench.memory.lock().unwrap().len(), 1024, "nobody read, and nothing was stored behind the queue");
    assert_eq!(bench.xive.queue(0, 6).unwrap().1, Progress { index: 0, generation: false });
    bench.xive.set_queue(0, 6, Some(config(QUEUE, 12)));
    assert_eq!(bench.xive.queue(0, 6).unwrap().1, Progress { index: 0, generation: true });
}

#[test]
fn levels_come_again_while_asserted() {
    let bench = Bench::new();
    bench.xive.set_line(LSI, true);
    bench.xive.set_line(LSI, true);
    assert_eq!((bench.pq(LSI), bench.accept(0)), (0b10, 0x8006));
    bench.xive.load(LSI, 0);
    assert_eq!((bench.pq(LSI), bench.word(QUEUE + 4)), (0b10, Some(0x8000_0100 + LSI)));
    bench.xive.set_line(LSI, false);
    bench.xive.load(LSI, 0);
    assert_eq!((bench.pq(LSI), bench.word(QUEUE + 8)), (0, None));
    // What came while the source was off is seen when it is on again.
    bench.xive.load(LSI, 0xd00);
    bench.xive.set_line(LSI, true);
    assert_eq!(bench.pq(LSI), 0b01);
    bench.xive.load(LSI, 0xc00);
    assert_eq!((bench.pq(LSI), bench.word(QUEUE + 8)), (0b10, Some(0x8000_0100 + LSI)));
}

#[test]
fn events_without_a_way_are_lost() {
    let bench = Bench::new();
    let route = bench.xive.config(VTY).unwrap();
    for lost in [
        SourceConfig { masked: true, ..route },
        SourceConfig { target: 2, ..route },
        SourceConfig { target: u32::MAX, ..route },
        SourceConfig { priority: 5, ..route },
        SourceConfig { priority: 0xff, ..route },
        SourceConfig::NONE,
    ] {
        bench.xive.load(VTY, 0xc00);
        bench.xive.configure(VTY, lost);
        bench.xive.set_line(VTY, true);
        assert_eq!((bench.pq(VTY), bench.xive.pending(0)), (0b10, false), "{lost:?}");
    }
    assert!(bench.memory.lock().unwrap().is_empty());
}

#[test]
fn a_queue_can_hold_notifications_back() {
    let bench = Bench::new();
    bench.xive.set_queue(0, 6, Some(QueueConfig { always: false, ..config(QUEUE, 12) }));
    let esb = Esb(Arc::clone(&bench.xive));
    let own = page::queue(0, 6);
    let event = || {
        bench.xive.load(VTY, 0xc00);
        bench.xive.set_line(VTY, true);
        bench.accept(0)
    };
    assert_eq!([event(), event()], [0x8006, 6], "the second waits");
    bench.store(0, CPPR, 1, 0xff);
    assert_eq!(esb.read(own + 0x800, 8), 0b11);
    assert_eq!((esb.read(own, 8), bench.accept(0)), (1, 0x8006));
    bench.store(0, CPPR, 1, 0xff);
    assert_eq!((esb.read(own, 8), bench.accept(0)), (0, 0xff));
    assert_eq!([esb.read(own + 0xd00, 8), event()], [0, 0xff], "off: words come, interrupts do not");
    assert!(bench.word(QUEUE + 8).is_some());
}

#[test]
fn a_reset_leaves_nothing_but_lines() {
    let bench = Bench::new();
    bench.xive.set_line(LSI, true);
    bench.xive.set_line(VTY, true);
    bench.xive.reset();
    assert!(!bench.xive.pending(0));
    assert_eq!([bench.pq(LSI), bench.pq(VTY), bench.load(0, NSR, 8)], [1, 1, 0xff_ff00_0000]);
    assert_eq!(bench.xive.config(LSI), Some(SourceConfig::NONE));
    assert_eq!(bench.xive.queue(0, 6), Some((None, Progress::default())));
    bench.xive.load(LSI, 0xc00);
    assert_eq!(bench.pq(LSI), 0b10);
}

#[test]
fn what_is_not_there_reads_as_ones() {
    let bench = Bench::new();
    let esb = Esb(Arc::clone(&bench.xive));
    let nowhere =
        [page::management(SERVERS), page::trigger(0), page::queue(SERVERS, 0), page::queue(0, 0) - 8, u64::MAX];
    for at in nowhere {
        assert_eq!(esb.read(at, 8), u64::MAX, "{at:#x}");
        esb.write(at, 8, 0);
    }
    assert_eq!([page::end(SERVERS) - page::queue(1, 7), page::queue(0, 0)], [1 << PAGE, 0x4000_0000]);
    assert!(!bench.xive.configure(7, SourceConfig::NONE) && !bench.xive.set_queue(2, 0, None));
    assert!(!bench.xive.set_queue(0, 8, None) && bench.xive.queue(0, 8).is_none());
    for shift in [0, 2, 32, u32::MAX] {
        assert!(!bench.xive.set_queue(0, 0, Some(config(0, shift))));
    }
}

/// What the controller should be, told by history: bits as they were described, every event of a queue, and the set of
/// pending priorities.
#[derive(Default)]
struct Model {
    /// P, Q, line, by source.
    sources: BTreeMap<u32, (bool, bool, bool)>,
    routes: BTreeMap<u32, (u32, u8, u32)>,
    /// Events since the queue was set, by thread and priority.
    queues: BTreeMap<(u32, u8), Vec<u32>>,
    pending: BTreeSet<(u32, u8)>,
    cppr: [u8; SERVERS as usize],
}

impl Model {
    fn event(&mut self, lisn: u32) {
        let Some(&(target, priority, eisn)) = self.routes.get(&lisn) else { return };
        if let Some(queue) = self.queues.get_mut(&(target, priority)) {
            queue.push(eisn);
            self.pending.insert((target, priority));
        }
    }

    fn trigger(&mut self, lisn: u32) {
        let source = self.sources.entry(lisn).or_default();
        match *source {
            (false, true, _) => {}
            (true, _, _) => source.1 = true,
            (false, false, _) => {
                source.0 = true;
                self.event(lisn);
            }
        }
    }

    fn end(&mut self, lisn: u32) {
        let source = self.sources.entry(lisn).or_default();
        let queued = source.0 && source.1;
        if source.0 {
            (source.0, source.1) = (false, false);
        }
        if queued {
            self.trigger(lisn);
        }
    }

    /// Levels trigger whenever nothing keeps them from it.
    fn settle(&mut self) {
        if let Some((false, false, true)) = self.sources.get(&LSI) {
            self.trigger(LSI);
        }
    }

    fn accept(&mut self, server: u32) -> u64 {
        let own = &mut self.cppr[server as usize];
        let first = self.pending.iter().find(|(target, priority)| *target == server && priority < own).copied();
        match first {
            Some(first) => {
                self.pending.remove(&first);
                *own = first.1;
                0x8000 | u64::from(*own)
            }
            None => (*own).into(),
        }
    }
}

#[test]
fn random_accesses_are_as_the_model_says() {
    for seed in 0..32 {
        let random = SeededRandom::new([seed; 32]);
        let below = |limit: u64| random.next() % limit;
        let bench = Bench::new();
        let esb = Esb(Arc::clone(&bench.xive));
        bench.xive.reset();
        let mut model = Model::default();
        let lisns = [0, 1, VTY, LSI];
        lisns.iter().for_each(|lisn| _ = model.sources.insert(*lisn, (false, true, false)));
        for step in 0..4000 {
            let (lisn, server, priority) = (lisns[below(4) as usize], below(2) as u32, below(3) as u8);
            match below(16) {
                0 => {
                    let address = (1 + u64::from(server) * 8 + u64::from(priority)) << 20;
                    assert!(bench.xive.set_queue(server, priority, Some(config(address, 12))));
                    model.queues.insert((server, priority), Vec::new());
                }
                1 => {
                    let (eisn, masked) = (below(1 << 31) as u32, below(8) == 0);
                    bench.xive.configure(lisn, SourceConfig { target: server, priority, eisn, masked });
                    model.routes.insert(lisn, (server, priority, eisn));
                    if masked {
                        model.routes.remove(&lisn);
                    }
                }
                2 => {
                    let set = below(4);
                    let source = model.sources.get_mut(&lisn).unwrap();
                    let old = u64::from(source.0) << 1 | u64::from(source.1);
                    (source.0, source.1) = (set & 2 != 0, set & 1 != 0);
                    assert_eq!(esb.read(page::management(lisn) + 0xc00 + (set << 8), 8), old);
                }
                3 => {
                    let up = below(2) != 0;
                    bench.xive.set_line(lisn, up);
                    if lisn == LSI {
                        model.sources.get_mut(&LSI).unwrap().2 = up;
                    } else if up {
                        model.trigger(lisn);
                    }
                }
                4 => {
                    let cppr = below(10) as u8;
                    bench.store(server, CPPR, 1, cppr.into());
                    model.cppr[server as usize] = if cppr > 7 { 0xff } else { cppr };
                }
                5 => {
                    bench.store(server, SET_PENDING, 1, priority.into());
                    model.pending.insert((server, priority));
                }
                6 | 7 => assert_eq!(bench.accept(server), model.accept(server), "seed {seed} step {step}"),
                8 => {
                    esb.write(page::management(lisn) + 0x400, 8, 0);
                    model.end(lisn);
                }
                9 | 10 => {
                    esb.read(page::management(lisn), 8);
                    model.end(lisn);
                }
                _ => {
                    esb.write(page::trigger(lisn), 8, 0);
                    model.trigger(lisn);
                }
            }
            model.settle();
            for (lisn, (p, q, _)) in &model.sources {
                assert_eq!(bench.pq(*lisn), u64::from(*p) << 1 | u64::from(*q), "{lisn:#x}, seed {seed} step {step}");
            }
            for server in 0..SERVERS {
                let own = model.cppr[server as usize];
                let interrupted = model.pending.iter().any(|(target, priority)| *target == server && *priority < own);
                assert_eq!(bench.xive.pending(server), interrupted, "seed {seed} step {step}");
            }
        }
        for ((server, priority), events) in &model.queues {
            let base = (1 + u64::from(*server) * 8 + u64::from(*priority)) << 20;
            for (n, eisn) in events.iter().enumerate().rev().take(1024) {
                let generation = u32::from(n / 1024 % 2 == 0) << 31;
                assert_eq!(bench.word(base + n as u64 % 1024 * 4), Some(generation | eisn), "event {n}, seed {seed}");
            }
        }
    }
}
