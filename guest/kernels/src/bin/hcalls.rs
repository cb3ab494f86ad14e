//! The register contract of PAPR hypercalls and their errors (PAPR 14.5; numbered cases of the project's PAPR notes, 12).
//!
//! Every call runs as a probe with a pattern in all registers: r3 and the declared outputs may change, nothing else.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use guest_rt::{
    code, console,
    exception::{Frame, NEVER, TRAP, set_decrementer},
    fdt::{Fdt, lists},
    papr::{hcall, opcode::*, rtas, status::*},
    spr::{mfmsr, msr},
};
use kernels::{
    Report,
    memory::{SCRATCH, clear, poke},
    skips, translation,
};

guest_rt::guest_main!(main);

code! {
    CALL: "mtspr 26, 14", "mtspr 27, 15", "sc 1", "mfspr 14, 26", "mfspr 15, 27", "mfmsr 16";
}

/// An address no machine of a test has RAM at.
const NOWHERE: u64 = 0x00ff_0000_0000_0000;

/// One call: name, opcode, arguments, accepted status range, number of output registers.
type Case<'a> = (&'a str, u64, &'a [u64], core::ops::RangeInclusive<i64>, usize);

fn is(status: i64) -> core::ops::RangeInclusive<i64> {
    status..=status
}

/// Runs one call with this much of the MSR added and checks every register; the answer is r3..r12.
fn call(t: &mut Report, (name, opcode, args, status, outputs): Case<'_>, bits: u64) -> [u64; 10] {
    let mut before = Frame::new(&raw const CALL).with(bits).reg(3, opcode);
    before.gpr[4..4 + args.len()].copy_from_slice(args);
    let after = before.run();
    let mut want = before.reg(16, mfmsr() | bits);
    want.gpr[3..=3 + outputs].copy_from_slice(&after.gpr[3..=3 + outputs]);
    let got = after.gpr[3] as i64;
    t.holds(name, status.contains(&got), (got, &status));
    t.gprs("  other GPRs, SRR0, SRR1, MSR", &after, &want);
    let special = |frame: &Frame| [frame.cr, frame.lr, frame.ctr, frame.xer];
    t.check("  CR, LR, CTR, XER", special(&after), special(&want));
    t.interrupt("  goes on behind the call", &before, &after, 0x700, TRAP, 24);
    core::array::from_fn(|n| after.gpr[3 + n])
}

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    let t = &mut report;
    unknown(t, 0);
    console_calls(t);
    modes(t);
    processor_areas(t);
    scheduling(t, tree);
    random(t, tree);
    match tree {
        Some(tree) => {
            interrupts(t, tree);
            rtas_calls(t, tree);
        }
        None => t.skip("interrupt controller and RTAS", "no device tree"),
    }
    if translation::identity(tree).is_some() {
        unknown(t, msr::IR | msr::DR);
        call(
            t,
            ("H_PUT_TERM_CHAR of nothing, translated", H_PUT_TERM_CHAR, &[console::unit(), 0], is(H_SUCCESS), 0),
            msr::IR | msr::DR,
        );
    } else {
        t.skip("hypercalls under translation", "no translation");
    }
    report.finish();
}

fn unknown(t: &mut Report, bits: u64) {
    for opcode in [0x7c, 3, 0x460, 0x1_0000, 0xfffc, u64::MAX] {
        call(t, ("unknown opcode", opcode, &[], is(H_FUNCTION), 0), bits);
    }
}

fn console_calls(t: &mut Report) {
    let unit = console::unit();
    #[rustfmt::skip]
    let cases: [Case<'_>; 5] = [
        ("H_PUT_TERM_CHAR of nothing",      H_PUT_TERM_CHAR, &[unit, 0],                is(H_SUCCESS),   0),
        ("H_PUT_TERM_CHAR of 17 bytes",     H_PUT_TERM_CHAR, &[unit, 17],               is(H_PARAMETER), 0),
        ("H_PUT_TERM_CHAR of 2^32 bytes",   H_PUT_TERM_CHAR, &[unit, 1 << 32],          is(H_PARAMETER), 0),
        ("H_PUT_TERM_CHAR to nobody",       H_PUT_TERM_CHAR, &[0x1234_5678, 1],         is(H_PARAMETER), 0),
        ("H_GET_TERM_CHAR from nobody",     H_GET_TERM_CHAR, &[0x1234_5678],            is(H_PARAMETER), 0),
    ];
    cases.into_iter().for_each(|case| _ = call(t, case, 0));
    let out = call(t, ("H_GET_TERM_CHAR", H_GET_TERM_CHAR, &[unit], is(H_SUCCESS), 3), 0);
    t.holds("  at most 16 characters", out[1] <= 16, out[1]);
    t.holds("  no character: zero data", out[1] != 0 || out[2..4] == [0, 0], &out[1..4]);
    let text: [u64; 2] = [u64::from_be_bytes(*b"sixteen "), u64::from_be_bytes(*b"bytes\r\n#")];
    call(t, ("H_PUT_TERM_CHAR of 15 bytes", H_PUT_TERM_CHAR, &[unit, 15, text[0], text[1]], is(H_SUCCESS), 0), 0);
}

fn modes(t: &mut Report) {
    let own = u64::from(cfg!(target_endian = "little"));
    let flag = -511..=-256;
    #[rustfmt::skip]
    let cases: [Case<'_>; 10] = [
        ("H_SET_MODE: our byte order",      H_SET_MODE, &[own, 4, 0, 0], is(H_SUCCESS), 0),
        ("H_SET_MODE: byte order 2",        H_SET_MODE, &[2, 4, 0, 0],   flag.clone(),  0),
        ("H_SET_MODE: value1 not 0",        H_SET_MODE, &[own, 4, 1, 0], is(H_P3),      0),
        ("H_SET_MODE: value2 not 0",        H_SET_MODE, &[own, 4, 0, 1], is(H_P4),      0),
        ("H_SET_MODE: AIL 3",               H_SET_MODE, &[3, 3, 0, 0],   is(H_SUCCESS), 0),
        ("H_SET_MODE: AIL 1",               H_SET_MODE, &[1, 3, 0, 0],   flag,          0),
        ("H_SET_MODE: AIL 0",               H_SET_MODE, &[0, 3, 0, 0],   is(H_SUCCESS), 0),
        ("H_SET_MODE: resource 9",          H_SET_MODE, &[0, 9, 0, 0],   is(H_P2),      0),
        ("H_GET_CPU_CHARACTERISTICS",       H_GET_CPU_CHARACTERISTICS, &[], H_FUNCTION..=0, 2),
        ("H_HOME_NODE_ASSOCIATIVITY: flags 2", H_HOME_NODE_ASSOCIATIVITY, &[2, 0], is(H_FUNCTION), 0),
    ];
    cases.into_iter().for_each(|case| _ = call(t, case, 0));
    call(t, ("H_HOME_NODE_ASSOCIATIVITY: no such processor", H_HOME_NODE_ASSOCIATIVITY, &[1, 99], is(H_P2), 0), 0);
    call(t, ("H_HOME_NODE_ASSOCIATIVITY", H_HOME_NODE_ASSOCIATIVITY, &[1, 0], is(H_SUCCESS), 6), 0);
}

fn processor_areas(t: &mut Report) {
    const REGISTER_VPA: u64 = 1 << 45;
    const REGISTER_SLB: u64 = 3 << 45;
    const DEREGISTER_VPA: u64 = 5 << 45;
    const DEREGISTER_SLB: u64 = 7 << 45;
    let area = |at: u64, vpa_bytes: u16| {
        clear(at & !0xf, 0x400);
        poke(at + 4, vpa_bytes.to_be());
    };
    let (good, small, crossing, shadow) = (SCRATCH, SCRATCH + 0x1000, SCRATCH + 0x2f80, SCRATCH + 0x4000);
    area(good, 640);
    area(small, 639);
    area(crossing, 640);
    clear(shadow, 0x200);
    poke(shadow + 4, 0x100_u32.to_be());
    let refused = -255..=-1;
    #[rustfmt::skip]
    let cases: [Case<'_>; 14] = [
        ("H_REGISTER_VPA: no such processor",     H_REGISTER_VPA, &[REGISTER_VPA, 99, good],      is(H_PARAMETER), 0),
        ("H_REGISTER_VPA: address 0",             H_REGISTER_VPA, &[REGISTER_VPA, 0, 0],          refused.clone(), 0),
        ("H_REGISTER_VPA: not aligned",           H_REGISTER_VPA, &[REGISTER_VPA, 0, good + 4],   is(H_PARAMETER), 0),
        ("H_REGISTER_VPA: 639 bytes",             H_REGISTER_VPA, &[REGISTER_VPA, 0, small],      is(H_PARAMETER), 0),
        ("H_REGISTER_VPA: crosses a page",        H_REGISTER_VPA, &[REGISTER_VPA, 0, crossing],   is(H_PARAMETER), 0),
        ("H_REGISTER_VPA: outside memory",        H_REGISTER_VPA, &[REGISTER_VPA, 0, NOWHERE],    refused,         0),
        ("SLB shadow before the VPA",             H_REGISTER_VPA, &[REGISTER_SLB, 0, shadow],     is(H_RESOURCE),  0),
        ("H_REGISTER_VPA",                        H_REGISTER_VPA, &[REGISTER_VPA, 0, good],       is(H_SUCCESS),   0),
        ("H_REGISTER_VPA again",                  H_REGISTER_VPA, &[REGISTER_VPA, 0, good],       is(H_SUCCESS),   0),
        ("SLB shadow",                            H_REGISTER_VPA, &[REGISTER_SLB, 0, shadow],     is(H_SUCCESS),   0),
        ("VPA withdrawn under the SLB shadow",    H_REGISTER_VPA, &[DEREGISTER_VPA, 0, 0],        is(H_RESOURCE),  0),
        ("SLB shadow withdrawn",                  H_REGISTER_VPA, &[DEREGISTER_SLB, 0, 0],        is(H_SUCCESS),   0),
        ("VPA withdrawn",                         H_REGISTER_VPA, &[DEREGISTER_VPA, 0, 0],        is(H_SUCCESS),   0),
        ("SLB shadow after that",                 H_REGISTER_VPA, &[REGISTER_SLB, 0, shadow],     is(H_RESOURCE),  0),
    ];
    cases.into_iter().for_each(|case| _ = call(t, case, 0));
}

fn scheduling(t: &mut Report, tree: Option<Fdt<'static>>) {
    call(t, ("H_PROD: no such processor", H_PROD, &[99], is(H_PARAMETER), 0), 0);
    call(t, ("H_CONFER: no such processor", H_CONFER, &[99, 1], is(H_PARAMETER), 0), 0);
    if skips(tree, "H_CONFER") {
        t.skip("H_CONFER to all", "the command line says so");
    } else {
        call(t, ("H_CONFER to all", H_CONFER, &[u64::MAX, 0], is(H_SUCCESS), 0), 0);
    }
    call(t, ("H_PROD of itself", H_PROD, &[0], is(H_SUCCESS), 0), 0);
    // The prod above ends this at once; H_CEDE sets EE.
    set_decrementer(NEVER);
    call(t, ("H_CEDE after H_PROD", H_CEDE, &[], is(H_SUCCESS), 0), msr::EE);
}

fn random(t: &mut Report, tree: Option<Fdt<'static>>) {
    let mut draw = || call(t, ("H_RANDOM", H_RANDOM, &[], -2..=0, 1), 0);
    let (first, second) = (draw(), draw());
    let offered = tree.is_some_and(|tree| {
        tree.nodes().any(|node| node.prop("compatible").is_some_and(|list| lists(list, b"ibm,random")))
    });
    if first[0] == 0 {
        t.holds("two draws differ", first[1] != second[1], (first[1], second[1]));
    } else {
        t.check("no H_RANDOM, no ibm,random node", offered, false);
    }
}

fn interrupts(t: &mut Report, tree: Fdt<'static>) {
    const IPI: u64 = 2;
    if !tree.nodes().any(|node| node.prop("compatible").is_some_and(|list| lists(list, b"IBM,ppc-xicp"))) {
        return t.skip("XICS calls", "no IBM,ppc-xicp node in the device tree");
    }
    call(t, ("H_CPPR 0xff", H_CPPR, &[0xff], is(H_SUCCESS), 0), 0);
    let xirr = call(t, ("H_XIRR with nothing pending", H_XIRR, &[0], is(H_SUCCESS), 1), 0)[1];
    t.check("  source 0", xirr & 0x00ff_ffff, 0);
    call(t, ("H_IPI: no such server", H_IPI, &[99, 4], is(H_PARAMETER), 0), 0);
    call(t, ("H_IPI", H_IPI, &[0, 4], is(H_SUCCESS), 0), 0);
    let xirr = call(t, ("H_XIRR", H_XIRR, &[0], is(H_SUCCESS), 1), 0)[1];
    t.check("  the IPI, at the old priority 0xff", xirr, 0xff00_0000 | IPI);
    call(t, ("H_IPI 0xff withdraws", H_IPI, &[0, 0xff], is(H_SUCCESS), 0), 0);
    call(t, ("H_EOI", H_EOI, &[xirr], is(H_SUCCESS), 0), 0);
    let xirr = call(t, ("H_XIRR after that", H_XIRR, &[0], is(H_SUCCESS), 1), 0)[1];
    t.check("  source 0", xirr & 0x00ff_ffff, 0);
}

fn rtas_calls(t: &mut Report, tree: Fdt<'static>) {
    let token = |name: &str| tree.node("/rtas").and_then(|node| node.number(name)).map(|token| token as u32);
    t.check("RTAS: unknown token", rtas(0x7777, &[], 1).1[0] as i32, -3);
    match token("power-off") {
        Some(token) => {
            t.check("RTAS power-off with the wrong count of arguments", rtas(token, &[1], 1).1[0] as i32, -3)
        }
        None => t.skip("RTAS power-off", "no such token"),
    }
    match token("get-time-of-day") {
        Some(token) => {
            let (_, out) = rtas(token, &[], 8);
            t.check("RTAS get-time-of-day", out[0], 0);
            let [_, year, month, day, hour, minute, second, _] = out;
            let sane = year >= 1970
                && (1..=12).contains(&month)
                && (1..=31).contains(&day)
                && hour < 24
                && minute < 60
                && second < 61;
            t.holds("  a date and a time", sane, out);
        }
        None => t.skip("RTAS get-time-of-day", "no such token"),
    }
    match token("query-cpu-stopped-state") {
        Some(token) => {
            t.check("RTAS query-cpu-stopped-state of this processor", rtas(token, &[0], 2).1[..2] == [0, 2], true);
        }
        None => t.skip("RTAS query-cpu-stopped-state", "no such token"),
    }
    let status = hcall(H_RTAS, &[NOWHERE]).status;
    t.holds("RTAS with its buffer outside memory is refused", status < 0, status);
    let end =
        tree.node("/memory").and_then(|node| node.prop("reg")).and_then(|reg| guest_rt::fdt::number(reg.get(8..16)?));
    match end {
        Some(end) => {
            let status = hcall(H_RTAS, &[end - 8]).status;
            t.holds("RTAS with its buffer across the end of memory is refused", status < 0, status);
        }
        None => t.skip("RTAS at the end of memory", "no memory node"),
    }
}
