//! Reservations, atomic memory operations and locks: nothing is lost, whoever comes between.

use litmus::{DATA, Program, Runner, double, machine, repeatedly, run};
use machine::Mmu;

const TURNS: u64 = 20_000;
/// Within one granule: the counter and a neighbour that others store to.
const COUNTER: u64 = DATA;
const NEIGHBOUR: u64 = DATA + 64;

/// Runs `texts`, each `TURNS` times with r5 = COUNTER, r6 = NEIGHBOUR, r7 = 1; returns counter and neighbour.
fn counted(runner: Runner, texts: &[&str]) -> (u64, u64) {
    let programs: Vec<Program> = texts
        .iter()
        .map(|text| {
            let text = format!("turn: {text}\n addi 8,8,-1\n cmpi 0,1,8,0\n bc 4,2,turn");
            Program::new(text, &[(5, COUNTER), (6, NEIGHBOUR), (7, 1), (8, TURNS)])
        })
        .collect();
    let mut machine = machine(Mmu::Radix, &programs);
    run(&mut machine, runner);
    (double(&machine, COUNTER), double(&machine, NEIGHBOUR))
}

const DOUBLE: &str = "again: ldarx 9,0,5\n add 9,9,7\n stdcx. 9,0,5\n bc 4,2,again";
/// The low word, in big-endian order.
const WORD: &str = "addi 11,5,4\n again: lwarx 9,0,11\n add 9,9,7\n stwcx. 9,0,11\n bc 4,2,again";
const BYTES: &str = "addi 11,5,7\n again: lbarx 9,0,11\n addi 9,9,0\n stbcx. 9,0,11\n bc 4,2,again";
const OPERATION: &str = "or 10,7,7\n ldat 9,5,0";

#[test]
fn increments_by_reservation_add_up() {
    for count in 2..=4 {
        repeatedly(|_, runner| assert_eq!(counted(runner, &vec![DOUBLE; count]).0, count as u64 * TURNS));
    }
}

#[test]
fn sizes_and_atomic_operations_mix() {
    repeatedly(|_, runner| assert_eq!(counted(runner, &[DOUBLE, WORD]).0, 2 * TURNS));
    repeatedly(|_, runner| assert_eq!(counted(runner, &[DOUBLE, WORD, BYTES, OPERATION]).0, 3 * TURNS));
}

/// Plain stores to the granule take reservations, and are not undone by them.
#[test]
fn stores_beside_the_counter() {
    let store =
        "add 12,12,7\n std 12,0(6)\n ld 13,0(6)\n cmp 0,1,12,13\n bc 12,2,right\n twi 31,0,0\n right: ori 0,0,0";
    repeatedly(|_, runner| assert_eq!(counted(runner, &[DOUBLE, store]), (TURNS, TURNS)));
}

/// What a lock guards is counted without reservations.
#[test]
fn a_ticket_lock_excludes() {
    let text = "
        take:  lwarx 9,0,14
               addi 10,9,1
               stwcx. 10,0,14
               bc 4,2,take
        wait:  lwz 10,4(14)
               cmp 0,0,9,10
               bc 4,2,wait
               isync
               ld 11,0(5)
               ld 12,0(15)
               cmp 0,1,11,12
               bc 12,2,same
               twi 31,0,0
        same:  addi 11,11,1
               std 11,0(5)
               std 11,0(15)
               sync 1
               addi 10,10,1
               stw 10,4(14)";
    for count in [2, 3] {
        repeatedly(|_, runner| {
            let turns = TURNS / 20;
            let programs: Vec<Program> = (0..count)
                .map(|_| {
                    let text = format!("turn: {text}\n addi 8,8,-1\n cmpi 0,1,8,0\n bc 4,2,turn");
                    Program::new(text, &[(5, COUNTER), (8, turns), (14, DATA + 0x1000), (15, DATA + 0x2000)])
                })
                .collect();
            let mut machine = machine(Mmu::Radix, &programs);
            run(&mut machine, runner);
            assert_eq!(double(&machine, COUNTER), count * turns);
        });
    }
}
