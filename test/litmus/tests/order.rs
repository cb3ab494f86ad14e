//! Outcomes that barriers forbid (Power ISA 3.0B Book II, section 1.7.1; names as in Maranget, Sarkar and Sewell, "A
//! Tutorial Introduction to the ARM and POWER Relaxed Memory Models").

use litmus::{DATA, Program, double, machine, rendezvous, repeatedly, run};
use machine::Mmu;

/// Executions of a test in one run of a machine.
const ROUNDS: u64 = 1000;
/// From the locations of one execution to those of the next. Locations x, y and z are in granules of their own.
const STRIDE: u64 = 512;
const X: &str = "0(24)";
const Y: &str = "128(24)";
const Z: &str = "256(24)";
/// Where counters, locations and what each program has read are.
const COUNTERS: u64 = DATA;
const LOCATIONS: u64 = DATA + 0x1000;
const READ: u64 = DATA + 0x40_0000;
const READ_BYTES: u64 = 16 * ROUNDS;

/// `bodies` find 1 in r9, store to x, y and z, and leave what they read in r10 and r11.
fn test(bodies: &[&str], forbidden: impl Fn(&[[u64; 2]]) -> bool) {
    let places = [("x", X), ("y", Y), ("z", Z)];
    repeatedly(|run_number, runner| {
        let programs: Vec<Program> = bodies
            .iter()
            .enumerate()
            .map(|(own, body)| {
                let text = places.iter().fold((*body).to_owned(), |text, (name, place)| {
                    text.replace(&format!(",{name}"), &format!(",{place}"))
                });
                let text = format!(
                    "round: {}
                     mtspr 9,17
                     delay: bc 16,0,delay
                     {text}
                     std 10,0(25)
                     std 11,8(25)
                     addi 24,24,{STRIDE}
                     addi 25,25,16
                     cmp 0,1,19,26
                     bc 12,0,round",
                    rendezvous(own, bodies.len())
                );
                // All differences between the programs' starts come about.
                let delay = 1 + run_number / 3u64.pow(own as u32) % 3 * (1 + run_number % 4);
                let registers = [
                    (9, 1),
                    (17, delay),
                    (20, COUNTERS),
                    (24, LOCATIONS),
                    (25, READ + own as u64 * READ_BYTES),
                    (26, ROUNDS),
                ];
                Program::new(text, &registers)
            })
            .collect();
        let mut machine = machine(Mmu::Radix, &programs);
        run(&mut machine, runner);
        for round in 0..ROUNDS {
            let read = |own: usize, n: u64| double(&machine, READ + own as u64 * READ_BYTES + 16 * round + 8 * n);
            let values: Vec<[u64; 2]> = (0..bodies.len()).map(|own| [read(own, 0), read(own, 1)]).collect();
            assert!(!forbidden(&values), "{runner:?}, run {run_number}, round {round}: {values:?}");
        }
    });
}

#[test]
fn message_passing() {
    for (writer, reader) in [("lwsync", "lwsync"), ("hwsync", "hwsync"), ("eieio", "isync")] {
        let sync = |name: &str| match name {
            "lwsync" => "sync 1".to_owned(),
            "hwsync" => "sync 0".to_owned(),
            // A branch on the value loaded, and isync.
            "isync" => "cmp 0,1,10,9\n bc 12,2,next\n next: isync".to_owned(),
            name => name.to_owned(),
        };
        let store = format!("std 9,x\n {}\n std 9,y", sync(writer));
        let load = format!("ld 10,y\n {}\n ld 11,x", sync(reader));
        test(&[&store, &load], |read| read[1] == [1, 0]);
    }
}

#[test]
fn store_buffering() {
    for sync in ["sync 0", "sync 2"] {
        let (a, b) = (format!("std 9,x\n {sync}\n ld 10,y"), format!("std 9,y\n {sync}\n ld 10,x"));
        test(&[&a, &b], |read| read[0][0] == 0 && read[1][0] == 0);
    }
}

#[test]
fn load_buffering() {
    let body = |from: &str, to: &str| format!("ld 10,{from}\n sync 1\n std 9,{to}");
    test(&[&body("x", "y"), &body("y", "x")], |read| read[0][0] == 1 && read[1][0] == 1);
}

/// The value read decides what is stored, without a barrier.
#[test]
fn load_buffering_by_data() {
    let body = |from: &str, to: &str| format!("ld 10,{from}\n and 12,10,9\n std 12,{to}");
    test(&[&body("x", "y"), &body("y", "x")], |read| read[0][0] == 1 || read[1][0] == 1);
}

/// Reads of one location never go back.
#[test]
fn coherence() {
    test(&["std 9,x", "ld 10,x\n ld 11,x"], |read| read[1] == [1, 0]);
}

/// A store that another vCPU has read and passed on.
#[test]
fn write_to_read_causality() {
    let passes = "ld 10,x\n sync 1\n std 10,y";
    test(&["std 9,x", passes, "ld 10,y\n sync 1\n ld 11,x"], |read| read[1][0] == 1 && read[2] == [1, 0]);
}

/// Three locations: a message through two hands.
#[test]
fn message_through_two_hands() {
    let (first, second) = ("std 9,x\n sync 1\n std 9,y", "ld 10,y\n sync 1\n std 10,z");
    test(&[first, second, "ld 10,z\n sync 1\n ld 11,x"], |read| read[2] == [1, 0] && read[1][0] == 1);
}

/// Two readers agree on the order of stores by two others.
#[test]
fn independent_reads_of_independent_writes() {
    let reader = |first: &str, second: &str| format!("ld 10,{first}\n sync 0\n ld 11,{second}");
    let (a, b) = (reader("x", "y"), reader("y", "x"));
    test(&["std 9,x", "std 9,y", &a, &b], |read| read[2] == [1, 0] && read[3] == [1, 0]);
}
