//! What sets up a XIVE.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hv_papr::ports::{Interrupts, Xive, XiveQueue, XiveRoute, XiveSource};
use papr_abi::hcall::*;
use papr_abi::rtas::{self, GET_XIVE, INT_OFF, INT_ON, PARAMETER, SET_XIVE};
use papr_abi::status::{H_FUNCTION, H_P2, H_P3, H_P4, H_P5, H_PARAMETER, H_SUCCESS};

use crate::stage::{RAM, Stage};

const SERVERS: u32 = 3;
/// An inter-processor interrupt, the terminal, a line of PCI.
const IPI: u64 = 1;
const VTY: u64 = 0x1100;
const LSI: u64 = 0x1200;
const NONE: u64 = u64::MAX;
/// Flags of several calls.
const EISN: u64 = 2;
const MASK: u64 = 1;
const ALWAYS: u64 = 1;
const DEBUG: u64 = 1;
const STORE: u64 = 1;

/// Everything the calls set, and the accesses to management pages.
#[derive(Default)]
struct Kept {
    routes: BTreeMap<u32, XiveRoute>,
    queues: BTreeMap<(u32, u8), XiveQueue>,
    accesses: Vec<(u32, u64, bool)>,
    resets: u32,
}

/// A controller that keeps what it is told.
#[derive(Clone, Default)]
struct Notebook(Arc<Mutex<Kept>>);

impl Xive for Notebook {
    fn servers(&self) -> u32 {
        SERVERS
    }
    fn source(&self, lisn: u32) -> Option<XiveSource> {
        let exists = [IPI, VTY, LSI].contains(&lisn.into());
        exists.then(|| XiveSource { level: u64::from(lisn) == LSI, management: 0x100 + u64::from(lisn), trigger: 7 })
    }
    fn route(&self, lisn: u32) -> Option<XiveRoute> {
        let none = XiveRoute { target: 0, priority: 0xff, eisn: 0, masked: true };
        self.source(lisn).map(|_| self.0.lock().unwrap().routes.get(&lisn).copied().unwrap_or(none))
    }
    fn set_route(&self, lisn: u32, route: Option<XiveRoute>) {
        let routes = &mut self.0.lock().unwrap().routes;
        match route {
            Some(route) => routes.insert(lisn, route),
            None => routes.remove(&lisn),
        };
    }
    fn queue(&self, server: u32, priority: u8) -> Option<XiveQueue> {
        self.0.lock().unwrap().queues.get(&(server, priority)).copied()
    }
    fn set_queue(&self, server: u32, priority: u8, queue: Option<XiveQueue>) {
        let queues = &mut self.0.lock().unwrap().queues;
        match queue {
            Some(queue) => queues.insert((server, priority), queue),
            None => queues.remove(&(server, priority)),
        };
    }
    fn queue_page(&self, server: u32, priority: u8) -> u64 {
        0x1_0000 + u64::from(server) * 8 + u64::from(priority)
    }
    fn page_shift(&self) -> u32 {
        16
    }
    fn load(&self, lisn: u32, offset: u64) -> Option<u64> {
        self.0.lock().unwrap().accesses.push((lisn, offset, false));
        Some(offset >> 8 & 3)
    }
    fn store(&self, lisn: u32, offset: u64) {
        self.0.lock().unwrap().accesses.push((lisn, offset, true));
    }
    fn reset(&self) {
        self.0.lock().unwrap().resets += 1;
    }
}

fn stage() -> (Stage, Notebook) {
    let notebook = Notebook::default();
    (Stage::with_interrupts(Interrupts::Xive(Box::new(notebook.clone()))), notebook)
}

/// Every argument that is wrong, alone and with all behind it wrong as well: the first one is blamed.
#[test]
fn cases_51_and_52_arguments_are_checked_in_their_order() {
    const WRONG: u64 = 99;
    #[rustfmt::skip]
    let cases: &[(u64, &[u64], i64)] = &[
        (H_INT_GET_SOURCE_INFO,   &[1, WRONG],                           H_PARAMETER),
        (H_INT_GET_SOURCE_INFO,   &[1 << 63, VTY],                       H_PARAMETER),
        (H_INT_GET_SOURCE_INFO,   &[0, WRONG],                           H_P2),
        (H_INT_GET_SOURCE_INFO,   &[0, 1 << 32 | VTY],                   H_P2),
        (H_INT_GET_SOURCE_INFO,   &[0, u64::MAX],                        H_P2),
        (H_INT_SET_SOURCE_CONFIG, &[4, WRONG, WRONG, WRONG, 1],          H_PARAMETER),
        (H_INT_SET_SOURCE_CONFIG, &[0, WRONG, WRONG, WRONG, 1],          H_P2),
        (H_INT_SET_SOURCE_CONFIG, &[0, WRONG, 0, 0xff, 1],               H_P2),
        (H_INT_SET_SOURCE_CONFIG, &[EISN, VTY, 3, WRONG, 1],             H_P3),
        (H_INT_SET_SOURCE_CONFIG, &[EISN, VTY, 1 << 32, 6, 1],           H_P3),
        (H_INT_SET_SOURCE_CONFIG, &[EISN, VTY, 2, 7, 1],                 H_P4),
        (H_INT_SET_SOURCE_CONFIG, &[MASK, VTY, 2, 0xfe, 1],              H_P4),
        (H_INT_SET_SOURCE_CONFIG, &[MASK, VTY, 2, 0x106, 1],             H_P4),
        (H_INT_SET_SOURCE_CONFIG, &[MASK, VTY, 2, 0x1ff, 1],             H_P4),
        (H_INT_GET_SOURCE_CONFIG, &[1, VTY],                             H_PARAMETER),
        (H_INT_GET_SOURCE_CONFIG, &[0, WRONG],                           H_P2),
        (H_INT_GET_QUEUE_INFO,    &[1, WRONG, WRONG],                    H_PARAMETER),
        (H_INT_GET_QUEUE_INFO,    &[0, 3, WRONG],                        H_P2),
        (H_INT_GET_QUEUE_INFO,    &[0, 2, 7],                            H_P3),
        (H_INT_GET_QUEUE_INFO,    &[0, 2, 0x100],                        H_P3),
        (H_INT_SET_QUEUE_CONFIG,  &[2, WRONG, WRONG, 8, 13],             H_PARAMETER),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, 3, WRONG, 8, 13],            H_P2),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, u64::MAX, 6, 0, 12],         H_P2),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, 2, 7, 8, 13],                H_P3),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, 2, 0xff, 0, 0],              H_P3),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, 2, 6, 8, 12],                H_P4),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, 2, 6, 0x1000, 16],           H_P4),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, 2, 6, RAM, 12],              H_P4),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, 2, 6, 0, 21],                H_P4),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, 2, 6, 0, 24],                H_P4),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, 2, 6, !0xfff, 12],           H_P4),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, 2, 6, 0, 13],                H_P5),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, 2, 6, 0, 64],                H_P5),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, 2, 6, 0, u64::MAX],          H_P5),
        (H_INT_SET_QUEUE_CONFIG,  &[ALWAYS, 2, 6, 0, 1 << 32 | 12],      H_P5),
        (H_INT_GET_QUEUE_CONFIG,  &[2, WRONG, WRONG],                    H_PARAMETER),
        (H_INT_GET_QUEUE_CONFIG,  &[DEBUG, 3, WRONG],                    H_P2),
        (H_INT_GET_QUEUE_CONFIG,  &[DEBUG, 2, 7],                        H_P3),
        (H_INT_ESB,               &[2, WRONG, NONE, 0],                  H_PARAMETER),
        (H_INT_ESB,               &[STORE, WRONG, NONE, 0],              H_P2),
        (H_INT_ESB,               &[STORE, LSI, 0x1_0000, 0],            H_P3),
        (H_INT_ESB,               &[0, LSI, NONE, 0],                    H_P3),
        (H_INT_SYNC,              &[1, WRONG],                           H_PARAMETER),
        (H_INT_SYNC,              &[0, WRONG],                           H_P2),
        (H_INT_RESET,             &[1],                                  H_PARAMETER),
    ];
    let (mut stage, notebook) = stage();
    for (call, arguments, status) in cases {
        assert_eq!(stage.call(*call, arguments), *status, "{} {arguments:x?}", name(*call).unwrap());
    }
    let kept = notebook.0.lock().unwrap();
    assert!(kept.routes.is_empty() && kept.queues.is_empty() && kept.accesses.is_empty() && kept.resets == 0);
}

#[test]
fn sources_tell_how_they_are_reached() {
    let (mut stage, _) = stage();
    for (lisn, told) in [(IPI, [1, 0x101, 7, 16]), (VTY, [1, 0x1200, 7, 16]), (LSI, [0xd, NONE, NONE, 16])] {
        assert_eq!(stage.call(H_INT_GET_SOURCE_INFO, &[0, lisn]), H_SUCCESS);
        assert_eq!(stage.left(), told, "{lisn:#x}");
    }
}

#[test]
fn routes_are_told_as_they_were_set() {
    let (mut stage, _) = stage();
    #[rustfmt::skip]
    let steps = [
        // flags, target, priority, number;   told
        ([EISN,        2, 6,    0x55],        [2, 6,    0x55]),
        ([0,           1, 3,    0x66],        [1, 3,    0x55]),
        ([MASK,        1, 3,    0x66],        [1, 0xff, 0x55]),
        ([MASK | EISN, 0, 0,    0x66],        [0, 0xff, 0x66]),
        ([EISN,        0, 0,    NONE],        [0, 0,    0x7fff_ffff]),
        ([0,           9, 0xff, 0],           [0, 0xff, 0]),
        ([0,           0, 5,    0x66],        [0, 5,    0]),
    ];
    assert_eq!(stage.call(H_INT_GET_SOURCE_CONFIG, &[0, VTY]), H_SUCCESS);
    assert_eq!(stage.left(), [0, 0xff, 0]);
    for ([flags, target, priority, eisn], told) in steps {
        assert_eq!(stage.call(H_INT_SET_SOURCE_CONFIG, &[flags, VTY, target, priority, eisn]), H_SUCCESS);
        assert_eq!(stage.call(H_INT_GET_SOURCE_CONFIG, &[0, VTY]), H_SUCCESS);
        assert_eq!(stage.left(), told);
    }
}

#[test]
fn queues_are_told_as_they_were_set() {
    let (mut stage, notebook) = stage();
    assert_eq!(stage.call(H_INT_GET_QUEUE_INFO, &[0, 2, 6]), H_SUCCESS);
    assert_eq!(stage.left(), [0x1_0016, 16]);
    assert_eq!(stage.call(H_INT_GET_QUEUE_CONFIG, &[DEBUG, 2, 6]), H_SUCCESS);
    assert_eq!(stage.left(), [0; 4], "no queue");
    assert_eq!(stage.call(H_INT_SET_QUEUE_CONFIG, &[ALWAYS, 2, 6, RAM - 0x1_0000, 16]), H_SUCCESS);
    assert_eq!(stage.call(H_INT_GET_QUEUE_CONFIG, &[0, 2, 6]), H_SUCCESS);
    assert_eq!(stage.left(), [1, RAM - 0x1_0000, 16, 0]);
    notebook.0.lock().unwrap().queues.get_mut(&(2, 6)).unwrap().index = 9;
    assert_eq!(stage.call(H_INT_GET_QUEUE_CONFIG, &[DEBUG, 2, 6]), H_SUCCESS);
    assert_eq!(stage.left(), [1 << 62 | 1, RAM - 0x1_0000, 16, 9]);
    notebook.0.lock().unwrap().queues.get_mut(&(2, 6)).unwrap().generation = false;
    assert_eq!(stage.call(H_INT_GET_QUEUE_CONFIG, &[DEBUG, 2, 6]), H_SUCCESS);
    assert_eq!(stage.left(), [1, RAM - 0x1_0000, 16, 9]);
    assert_eq!(stage.call(H_INT_SET_QUEUE_CONFIG, &[0, 2, 6, 0x1000, 12]), H_SUCCESS);
    assert_eq!(stage.call(H_INT_GET_QUEUE_CONFIG, &[DEBUG, 2, 6]), H_SUCCESS);
    assert_eq!(stage.left(), [1 << 62, 0x1000, 12, 0], "from the start");
    assert_eq!(stage.call(H_INT_SET_QUEUE_CONFIG, &[0, 2, 6, NONE, 0]), H_SUCCESS);
    assert_eq!(notebook.queue(2, 6), None, "size 0, whatever the address");
}

#[test]
fn pages_are_reached_by_calls() {
    let (mut stage, notebook) = stage();
    assert_eq!(stage.call(H_INT_ESB, &[0, LSI, 0xd00, 5]), H_SUCCESS);
    assert_eq!(stage.r4(), 1);
    assert_eq!(stage.call(H_INT_ESB, &[STORE, LSI, 0x400, 5]), H_SUCCESS);
    assert_eq!(stage.r4(), NONE);
    assert_eq!(notebook.0.lock().unwrap().accesses, [(LSI as u32, 0xd00, false), (LSI as u32, 0x400, true)]);
    assert_eq!(stage.call(H_INT_SYNC, &[0, VTY]), H_SUCCESS);
    assert_eq!(stage.call(H_INT_RESET, &[0]), H_SUCCESS);
    assert_eq!(notebook.0.lock().unwrap().resets, 1);
}

#[test]
fn a_machine_has_the_calls_of_one_controller() {
    const XICS: [u64; 6] = [H_EOI, H_CPPR, H_IPI, H_IPOLL, H_XIRR, H_XIRR_X];
    const REPORTING_LINE: [u64; 2] = [H_INT_SET_OS_REPORTING_LINE, H_INT_GET_OS_REPORTING_LINE];
    let xive = (H_INT_GET_SOURCE_INFO..=H_INT_RESET).step_by(4);
    let (mut with, _) = stage();
    for call in XICS.into_iter().chain(REPORTING_LINE) {
        assert_eq!(with.call(call, &[0, 0, 0]), H_FUNCTION, "{}", name(call).unwrap());
    }
    let without = &mut Stage::new();
    for call in xive {
        assert_eq!(without.call(call, &[0, VTY, 0]), H_FUNCTION, "{}", name(call).unwrap());
    }
    for form in [SET_XIVE, GET_XIVE, INT_OFF, INT_ON] {
        let inputs = vec![0; form.inputs as usize];
        assert_eq!(with.service(form, &inputs).0, PARAMETER, "{}", form.name);
        let published = |xics| hv_papr::rtas::services(xics).contains_key(form.name);
        assert_eq!([true, false].map(published), [true, false]);
    }
    assert!(hv_papr::rtas::services(false).contains_key(rtas::POWER_OFF.name));
}
