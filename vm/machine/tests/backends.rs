//! What a PAPR machine is connected to: a console that takes no more, memory and a clock that outlive it.

mod fixture;

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fixture::{BUFFER, Fixture};
use hv_core::Next;
use machine::{Backends, Calls, Kind, Mmu, Nvram, Outlet};
use papr_abi::hcall::{H_CPPR, H_GET_TERM_CHAR, H_PUT_TERM_CHAR, H_XIRR};
use papr_abi::rtas::{self, GET_TIME_OF_DAY, NVRAM_FETCH, NVRAM_STORE, SET_TIME_OF_DAY, SET_XIVE};
use papr_abi::status::{H_BUSY, H_SUCCESS};
use ppc_isa::Cpu;

const VTY_UNIT: u64 = 0x7100_0000;
const VTY: u32 = 0x1100;

fn connected(backends: Backends) -> Fixture {
    Fixture::connected(Kind::Pseries, Cpu::Power9, 1, Mmu::Radix, Calls::with_pv(true), backends)
}

/// A pipe whose reader takes nothing before it is told to.
struct Full(Option<Receiver<()>>, Arc<Mutex<Vec<u8>>>);

impl Write for Full {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.take().map(|told| told.recv());
        self.1.lock().unwrap().extend(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn full() -> (Outlet, Sender<()>, Arc<Mutex<Vec<u8>>>) {
    let (take, told) = channel();
    let seen = Arc::new(Mutex::new(Vec::new()));
    (Outlet::queued(Box::new(Full(Some(told), Arc::clone(&seen)))).unwrap(), take, seen)
}

/// Spec papr 11.10: a full pipe never holds a vCPU up.
#[test]
fn a_console_that_takes_no_more_is_busy() {
    let (outlet, take, seen) = full();
    let mut fixture = connected(Backends::new(outlet.clone()));
    let mut sent = Vec::new();
    let busy = loop {
        let text = format!("{:15}\n", sent.len());
        let [high, low] = [&text[..8], &text[8..]].map(|half| u64::from_be_bytes(half.as_bytes().try_into().unwrap()));
        let reply = fixture.hcall(H_PUT_TERM_CHAR, &[VTY_UNIT, 16, high, low]);
        if reply.status != H_SUCCESS {
            break reply;
        }
        sent.extend(text.bytes());
    };
    assert_eq!((busy.status, busy.next), (H_BUSY, Next::Yield));
    assert!(sent.len() >= 1 << 16, "{}", sent.len());
    assert_eq!(fixture.status(H_PUT_TERM_CHAR, &[VTY_UNIT, 1, 0, 0]), H_BUSY);
    assert_eq!(fixture.status(H_PUT_TERM_CHAR, &[VTY_UNIT, 0, 0, 0]), H_SUCCESS);
    take.send(()).unwrap();
    assert!(outlet.drain(Duration::from_secs(60)));
    assert!(*seen.lock().unwrap() == sent, "in order, and all of it");
    assert_eq!(fixture.status(H_PUT_TERM_CHAR, &[VTY_UNIT, 1, u64::from(b'x') << 56, 0]), H_SUCCESS);
    assert!(outlet.drain(Duration::from_secs(60)));
    assert_eq!(seen.lock().unwrap().last(), Some(&b'x'));
}

/// Spec papr 7.1: a guest that reads once for each interrupt gets everything.
#[test]
fn input_that_is_left_interrupts_again() {
    let mut fixture = connected(Backends::new(Outlet::direct(Box::new(io::sink()))));
    assert_eq!(fixture.status(H_CPPR, &[0xff]), H_SUCCESS);
    assert_eq!(fixture.rtas(SET_XIVE, &[VTY, 0, 5]), [0]);
    let controls = fixture.machine.controls();
    assert_eq!(controls.type_in(&[b'a'; 40]), 40);
    for count in [16, 16, 8] {
        let xirr = fixture.hcall(H_XIRR, &[]).out[0];
        assert_eq!(xirr, 0xff00_1100);
        assert_eq!(fixture.hcall(H_GET_TERM_CHAR, &[VTY_UNIT]).out[0], count);
        assert_eq!(fixture.status(papr_abi::hcall::H_EOI, &[xirr]), H_SUCCESS);
    }
    assert_eq!(fixture.hcall(H_XIRR, &[]).out[0] & 0xff_ffff, 0, "nothing is left");
    assert_eq!(controls.type_in(&[b'b'; 5000]), 4096, "the typist waits");
}

#[test]
fn memory_and_clock_outlive_a_machine() {
    let path = std::env::temp_dir().join(format!("machine-nvram-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let nvram = Arc::new(Nvram::open(&path).unwrap());
    let sink = || Outlet::direct(Box::new(io::sink()));
    let backends = Backends { nvram: Some(Arc::clone(&nvram)), ..Backends::new(sink()) };
    let clock = backends.clock.clone();
    let mut fixture = connected(backends);
    fixture.set_word(BUFFER + 0x100, 0x6b65_7074);
    assert_eq!(fixture.rtas(NVRAM_STORE, &[0x100, BUFFER as u32 + 0x100, 4]), [rtas::SUCCESS, 4]);
    assert_eq!(fixture.rtas(SET_TIME_OF_DAY, &[2040, 6, 15, 12, 30, 0, 0]), [rtas::SUCCESS]);
    let mut fixture = connected(Backends { nvram: Some(nvram), clock, ..Backends::new(sink()) });
    assert_eq!(fixture.rtas(NVRAM_FETCH, &[0x100, BUFFER as u32 + 0x200, 4]), [rtas::SUCCESS, 4]);
    assert_eq!(fixture.word(BUFFER + 0x200), 0x6b65_7074);
    assert_eq!(std::fs::read(&path).unwrap()[0x100..0x104], *b"kept");
    assert_eq!(fixture.rtas(GET_TIME_OF_DAY, &[])[..4], [rtas::SUCCESS, 2040, 6, 15]);
    let mut fixture = connected(Backends::new(sink()));
    assert_ne!(fixture.rtas(GET_TIME_OF_DAY, &[])[1], 2040, "another run has its own");
    std::fs::remove_file(&path).unwrap();
}
