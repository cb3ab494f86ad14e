//! The register contract of PAPR hypercalls and their errors (PAPR 14.5; numbered cases of the project's PAPR notes, 12).
//!
//! Every call runs as a probe with a pattern in all registers: r3 and the declared outputs may change, nothing else.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use guest_rt::{
    code, console,
    exception::{Frame, NEVER, TRAP, set_decrementer},
    fdt::{Fdt, lists},
    papr::{hcall, opcode::*, rtas, status::*},
    second,
    spr::{mfmsr, mfspr, msr, spr},
};
use kernels::{
    Report,
    memory::{SCRATCH, clear, peek, poke},
    probe::{Called, LENGTH},
    says, skips, translation, wait_for,
};

guest_rt::guest_main!(main);

code! {
    // RTAS with SRR0 in r18 and SRR1 in r19, and back to r20 with r21.
    NARROW: "mtlr 17", "mtspr 26, 18", "mtspr 27, 19", "rfid";
    // mtspr 26, 20; mtspr 27, 21; rfid; big-endian.
    BACK: ".byte 0x7e, 0x9a, 0x03, 0xa6, 0x7e, 0xbb, 0x03, 0xa6, 0x4c, 0x00, 0x00, 0x24";
    END: "nop";
}

/// An address no machine of a test has RAM at.
const NOWHERE: u64 = 0x00ff_0000_0000_0000;

/// In ticks.
const MINUTE: u64 = 60 * 512_000_000;

/// One call: name, opcode, arguments, accepted status range, number of output registers.
type Case<'a> = (&'a str, u64, &'a [u64], core::ops::RangeInclusive<i64>, usize);

fn is(status: i64) -> core::ops::RangeInclusive<i64> {
    status..=status
}

/// Runs one call with this much of the MSR added and checks every register; the answer is r3..r12.
fn call(t: &mut Report, (name, opcode, args, status, outputs): Case<'_>, bits: u64) -> [u64; 10] {
    let called = Called::new(opcode, args, outputs, bits);
    let (got, Called { before, want, after }) = (called.status(), called);
    t.holds(name, status.contains(&got), (got, &status));
    t.gprs("3: other GPRs, SRR0, SRR1, MSR", &after, &want);
    let special = |frame: &Frame| [frame.cr, frame.lr, frame.ctr, frame.xer];
    t.check("3: CR, LR, CTR, XER", special(&after), special(&want));
    t.interrupt("  goes on behind the call", &before, &after, 0x700, TRAP, LENGTH);
    core::array::from_fn(|n| after.gpr[3 + n])
}

fn main(tree: Option<Fdt<'static>>) {
    let mut report = Report::default();
    let t = &mut report;
    unknown(t, 0);
    console_calls(t);
    typed(t, tree);
    modes(t);
    processor_areas(t);
    area_contents(t);
    partition(t);
    watchdog(t);
    scheduling(t, tree);
    random(t, tree);
    match tree {
        Some(tree) => {
            interrupts(t, tree);
            rtas_calls(t, tree);
            narrow(t, tree);
        }
        None => t.skip("interrupt controller and RTAS", "no device tree"),
    }
    if let Some(tree) = tree {
        dma(t, tree);
        another(t, tree);
    }
    if translation::identity(tree).is_some() {
        unknown(t, msr::IR | msr::DR);
        relocated(t);
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
        call(t, ("2: unknown opcode", opcode, &[], is(H_FUNCTION), 0), bits);
    }
}

fn console_calls(t: &mut Report) {
    let unit = console::unit();
    #[rustfmt::skip]
    let cases: [Case<'_>; 5] = [
        ("8: H_PUT_TERM_CHAR of nothing",    H_PUT_TERM_CHAR, &[unit, 0],                is(H_SUCCESS),   0),
        ("8: H_PUT_TERM_CHAR of 17 bytes",     H_PUT_TERM_CHAR, &[unit, 17],               is(H_PARAMETER), 0),
        ("8: H_PUT_TERM_CHAR of 2^32 bytes",   H_PUT_TERM_CHAR, &[unit, 1 << 32],          is(H_PARAMETER), 0),
        ("8: H_PUT_TERM_CHAR to nobody",       H_PUT_TERM_CHAR, &[0x1234_5678, 1],         is(H_PARAMETER), 0),
        ("H_GET_TERM_CHAR from nobody",     H_GET_TERM_CHAR, &[0x1234_5678],            is(H_PARAMETER), 0),
    ];
    cases.into_iter().for_each(|case| _ = call(t, case, 0));
    let out = call(t, ("10: H_GET_TERM_CHAR", H_GET_TERM_CHAR, &[unit], is(H_SUCCESS), 3), 0);
    t.holds("10: at most 16 characters", out[1] <= 16, out[1]);
    t.holds("10: no character: zero data", out[1] != 0 || out[2..4] == [0, 0], &out[1..4]);
    let text: [u64; 2] = [u64::from_be_bytes(*b"sixteen "), u64::from_be_bytes(*b"bytes\r\n#")];
    call(t, ("9: H_PUT_TERM_CHAR of 15 bytes", H_PUT_TERM_CHAR, &[unit, 15, text[0], text[1]], is(H_SUCCESS), 0), 0);
}

/// What is typed when `type:` is on the console, if the command line promises by `typed` that somebody does.
fn typed(t: &mut Report, tree: Option<Fdt<'static>>) {
    const TYPED: &[u8] = b"a\rb\r\r\rcd";
    if !says(tree, b"typed") {
        return t.skip("11: no NUL behind CR", "nobody types");
    }
    guest_rt::println!("type:");
    let (mut text, mut len, mut behind) = ([0; 2 * TYPED.len()], 0, false);
    wait_for(MINUTE, || {
        let (bytes, count) = console::typed();
        let part = &bytes[..count];
        behind |= part.windows(2).any(|pair| pair == b"\r\0");
        for byte in part.iter().filter(|byte| **byte != 0).take(text.len() - len) {
            text[len] = *byte;
            len += 1;
        }
        len == text.len() || text[..len].last() == TYPED.last()
    });
    t.check("11: no NUL behind CR", behind, false);
    t.check("11: and nothing else is lost", &text[..len], TYPED);
}

fn modes(t: &mut Report) {
    let own = u64::from(cfg!(target_endian = "little"));
    let flag = -511..=-256;
    #[rustfmt::skip]
    let cases: [Case<'_>; 10] = [
        ("12: H_SET_MODE: our byte order",      H_SET_MODE, &[own, 4, 0, 0], is(H_SUCCESS), 0),
        ("12: H_SET_MODE: byte order 2",        H_SET_MODE, &[2, 4, 0, 0],   flag.clone(),  0),
        ("12: H_SET_MODE: value1 not 0",        H_SET_MODE, &[own, 4, 1, 0], is(H_P3),      0),
        ("12: H_SET_MODE: value2 not 0",        H_SET_MODE, &[own, 4, 0, 1], is(H_P4),      0),
        ("13: H_SET_MODE: AIL 3",               H_SET_MODE, &[3, 3, 0, 0],   is(H_SUCCESS), 0),
        ("13: H_SET_MODE: AIL 1",               H_SET_MODE, &[1, 3, 0, 0],   flag,          0),
        ("H_SET_MODE: AIL 0",               H_SET_MODE, &[0, 3, 0, 0],   is(H_SUCCESS), 0),
        ("12: H_SET_MODE: resource 9",          H_SET_MODE, &[0, 9, 0, 0],   is(H_P2),      0),
        ("H_GET_CPU_CHARACTERISTICS",       H_GET_CPU_CHARACTERISTICS, &[], H_FUNCTION..=0, 2),
        ("15: H_HOME_NODE_ASSOCIATIVITY: flags 2", H_HOME_NODE_ASSOCIATIVITY, &[2, 0], is(H_FUNCTION), 0),
    ];
    cases.into_iter().for_each(|case| _ = call(t, case, 0));
    call(t, ("15: H_HOME_NODE_ASSOCIATIVITY: no such processor", H_HOME_NODE_ASSOCIATIVITY, &[1, 99], is(H_P2), 0), 0);
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
        ("16: H_REGISTER_VPA: no such processor",     H_REGISTER_VPA, &[REGISTER_VPA, 99, good],      is(H_PARAMETER), 0),
        ("16: H_REGISTER_VPA: address 0",             H_REGISTER_VPA, &[REGISTER_VPA, 0, 0],          refused.clone(), 0),
        ("16: H_REGISTER_VPA: not aligned",           H_REGISTER_VPA, &[REGISTER_VPA, 0, good + 4],   is(H_PARAMETER), 0),
        ("16: H_REGISTER_VPA: 639 bytes",             H_REGISTER_VPA, &[REGISTER_VPA, 0, small],      is(H_PARAMETER), 0),
        ("16: H_REGISTER_VPA: crosses a page",        H_REGISTER_VPA, &[REGISTER_VPA, 0, crossing],   is(H_PARAMETER), 0),
        ("6: H_REGISTER_VPA: outside memory",        H_REGISTER_VPA, &[REGISTER_VPA, 0, NOWHERE],    refused,         0),
        ("17: SLB shadow before the VPA",             H_REGISTER_VPA, &[REGISTER_SLB, 0, shadow],     is(H_RESOURCE),  0),
        ("16: H_REGISTER_VPA",                  H_REGISTER_VPA, &[REGISTER_VPA, 0, good],       is(H_SUCCESS),   0),
        ("16: H_REGISTER_VPA again",                  H_REGISTER_VPA, &[REGISTER_VPA, 0, good],       is(H_SUCCESS),   0),
        ("SLB shadow",                            H_REGISTER_VPA, &[REGISTER_SLB, 0, shadow],     is(H_SUCCESS),   0),
        ("17: VPA withdrawn under the SLB shadow",    H_REGISTER_VPA, &[DEREGISTER_VPA, 0, 0],        is(H_RESOURCE),  0),
        ("SLB shadow withdrawn",                  H_REGISTER_VPA, &[DEREGISTER_SLB, 0, 0],        is(H_SUCCESS),   0),
        ("VPA withdrawn",                         H_REGISTER_VPA, &[DEREGISTER_VPA, 0, 0],        is(H_SUCCESS),   0),
        ("17: SLB shadow after that",                 H_REGISTER_VPA, &[REGISTER_SLB, 0, shadow],     is(H_RESOURCE),  0),
    ];
    cases.into_iter().for_each(|case| _ = call(t, case, 0));
}

/// What the hypervisor writes into an area; only ours must.
fn area_contents(t: &mut Report) {
    const VPA: u64 = SCRATCH;
    const LOG: u64 = SCRATCH + 0x4000;
    let field = |offset: u64| u32::from_be(peek::<u32>(VPA + offset));
    clear(VPA, 0x400);
    poke(VPA + 4, 640_u16.to_be());
    clear(LOG, 0x200);
    poke(LOG + 4, 0xff_u32.to_be());
    let register = |t: &mut Report, name: &'static str, what: u64, at, status| {
        call(t, (name, H_REGISTER_VPA, &[what << 45, 0, at], is(status), 0), 0);
    };
    register(t, "H_REGISTER_VPA", 1, VPA, H_SUCCESS);
    if peek::<u8>(VPA + 9) & 2 == 0 {
        t.skip("contents of the area", "processors are not shared");
        return register(t, "VPA withdrawn", 5, 0, H_SUCCESS);
    }
    t.check("5: its yield count is even", field(0x100) & 1, 0);
    register(t, "dispatch log", 2, LOG, H_SUCCESS);
    // Waiting only: where processors take turns, one may be taken away at any instruction.
    poke(VPA + 0xb8, 1_u8);
    let before = field(0x100);
    set_decrementer(1000);
    // The interrupt, which the runtime takes, changes SRR0 and SRR1.
    let called = Called::new(H_CEDE, &[], 0, msr::EE);
    t.check("H_CEDE until the decrementer is up", called.status(), H_SUCCESS);
    set_decrementer(NEVER);
    let after = field(0x100);
    t.holds("  the yield count has moved on and is even", after != before && after & 1 == 0, (before, after));
    let index = u64::from_be(peek::<u64>(VPA + 0x218));
    t.holds("  the dispatch is logged", index != 0, index);
    let reasons = peek::<[u8; 2]>(LOG);
    t.check("  for the decrementer, behind H_CEDE", reasons, [3, 2]);
    let [enqueued, ready, waited] = [4, 8, 12].map(|at| u32::from_be(peek::<u32>(LOG + at)));
    t.holds("  it has waited", enqueued | waited != 0 && ready == 0, (enqueued, ready, waited));
    let now = mfspr::<{ spr::TB }>();
    let then = u64::from_be(peek::<u64>(LOG + 16));
    t.holds("  a moment ago", then != 0 && then <= now, (then, now));
    call(t, ("H_PROD of itself", H_PROD, &[0], is(H_SUCCESS), 0), 0);
    call(t, ("22: H_CONFER to itself after that", H_CONFER, &[0, 0], is(H_SUCCESS), 0), 0);
    register(t, "VPA withdrawn under the log", 5, 0, H_RESOURCE);
    register(t, "dispatch log withdrawn", 6, 0, H_SUCCESS);
    register(t, "VPA withdrawn", 5, 0, H_SUCCESS);
}

/// What a partition has; hypervisors without these calls say so.
fn partition(t: &mut Report) {
    let ppp = call(t, ("H_GET_PPP", H_GET_PPP, &[], H_FUNCTION..=0, 5), 0);
    if ppp[0] != 0 {
        return t.skip("entitlement", "no H_GET_PPP");
    }
    let in_pool = ppp[4] >> 16 & 0xffff;
    t.check("  a whole processor for each", ppp[1], 100 * in_pool);
    call(t, ("H_SET_PPP", H_SET_PPP, &[100, 128], H_AUTHORITY..=0, 0), 0);
    call(t, ("H_PURR", H_PURR, &[], is(H_SUCCESS), 1), 0);
    let pic = call(t, ("H_PIC", H_PIC, &[], is(H_SUCCESS), 2), 0);
    t.check("  as many processors", pic[2], in_pool);
    let mpp = call(t, ("H_GET_MPP", H_GET_MPP, &[], is(H_SUCCESS), 7), 0);
    t.holds("  all memory is backed", mpp[7] != 0 && mpp[7] == mpp[1], (mpp[1], mpp[7]));
    call(t, ("23: H_JOIN with EE", H_JOIN, &[], is(H_BAD_MODE), 0), msr::EE);
    call(t, ("23: H_JOIN of the last one", H_JOIN, &[], is(H_CONTINUE), 0), 0);
}

/// What is refused; the kernel `watchdog` lets one expire.
fn watchdog(t: &mut Report) {
    let can = call(t, ("H_WATCHDOG: what it can", H_WATCHDOG, &[0x300], H_FUNCTION..=0, 1), 0);
    if can[0] != 0 {
        return t.skip("watchdogs", "no H_WATCHDOG");
    }
    let (least, count) = (can[1] >> 48, can[1] >> 32 & 0xffff);
    t.holds("  a least timeout, and some watchdogs", least != 0 && count != 0, can[1]);
    let all = u64::MAX;
    #[rustfmt::skip]
    let cases: [Case<'_>; 13] = [
        ("H_WATCHDOG: reserved flag",       H_WATCHDOG, &[1 << 17 | 0x102, 1, 1000],    is(H_PARAMETER), 0),
        ("H_WATCHDOG: no operation",        H_WATCHDOG, &[2, 1, 1000],                  is(H_PARAMETER), 0),
        ("H_WATCHDOG: operation 5",         H_WATCHDOG, &[0x502, 1, 1000],              is(H_PARAMETER), 0),
        ("H_WATCHDOG: no action",           H_WATCHDOG, &[0x100, 1, 1000],              is(H_PARAMETER), 0),
        ("H_WATCHDOG: action 4",            H_WATCHDOG, &[0x104, 1, 1000],              is(H_PARAMETER), 0),
        ("H_WATCHDOG: number 0",            H_WATCHDOG, &[0x102, 0, 1000],              is(H_P2),        0),
        ("H_WATCHDOG: a number too many",   H_WATCHDOG, &[0x102, count + 1, 1000],      is(H_P2),        0),
        ("H_WATCHDOG: no time",             H_WATCHDOG, &[0x102, 1, least - 1],         is(H_P3),        0),
        ("H_WATCHDOG: stops none",          H_WATCHDOG, &[0x200, 1],                    is(H_NOOP),      0),
        ("H_WATCHDOG: starts",              H_WATCHDOG, &[0x102, count, 10_000_000],    is(H_SUCCESS),   0),
        ("H_WATCHDOG: stops",               H_WATCHDOG, &[0x200, count],                is(H_SUCCESS),   0),
        ("H_WATCHDOG: stops all",           H_WATCHDOG, &[0x200, all],                  is(H_SUCCESS),   0),
        ("H_WATCHDOG: stopped before",      H_WATCHDOG, &[0x200, count],                is(H_NOOP),      0),
    ];
    cases.into_iter().for_each(|case| _ = call(t, case, 0));
    let suspends = call(t, ("H_WATCHDOG: what suspending needs", H_WATCHDOG, &[0x400, 1], is(H_SUCCESS), 1), 0)[1];
    t.holds("  1 or 2", matches!(suspends, 1 | 2), suspends);
}

fn scheduling(t: &mut Report, tree: Option<Fdt<'static>>) {
    call(t, ("H_PROD: no such processor", H_PROD, &[99], is(H_PARAMETER), 0), 0);
    call(t, ("H_CONFER: no such processor", H_CONFER, &[99, 1], is(H_PARAMETER), 0), 0);
    if skips(tree, "H_CONFER") {
        t.skip("H_CONFER to all", "the command line says so");
    } else {
        call(t, ("22: H_CONFER to all", H_CONFER, &[u64::MAX, 0], is(H_SUCCESS), 0), 0);
    }
    call(t, ("H_PROD of itself", H_PROD, &[0], is(H_SUCCESS), 0), 0);
    // The prod above ends this at once; H_CEDE sets EE.
    set_decrementer(NEVER);
    call(t, ("20: H_CEDE after H_PROD", H_CEDE, &[], is(H_SUCCESS), 0), msr::EE);
}

/// The same calls in real mode and with relocation on.
fn relocated(t: &mut Report) {
    let cases: [(u64, &[u64]); 7] = [
        (0x7c, &[]),
        (H_PUT_TERM_CHAR, &[console::unit(), 17]),
        (H_GET_TERM_CHAR, &[0x1234_5678]),
        (H_SET_MODE, &[0, 9, 0, 0]),
        (H_HOME_NODE_ASSOCIATIVITY, &[1, 0]),
        (H_REGISTER_VPA, &[3 << 45, 0, SCRATCH]),
        (H_PROD, &[99]),
    ];
    for (opcode, args) in cases {
        let [real, translated] =
            [0, msr::IR | msr::DR].map(|bits| call(t, ("  a call", opcode, args, i64::MIN..=i64::MAX, 9), bits));
        t.check("4: relocation makes no difference", translated, real);
    }
}

/// The window of the first bridge that has one.
fn dma(t: &mut Report, tree: Fdt<'static>) {
    const READ_WRITE: u64 = 3;
    let cells = |property: &[u8]| -> Option<[u64; 2]> {
        let cell = |at: usize| guest_rt::fdt::number(property.get(at..at + 4)?);
        // LIOBN; behind it address and size, two cells each.
        Some([cell(0)?, cell(12)? << 32 | cell(16)?])
    };
    let Some([liobn, size]) = tree.nodes().find_map(|node| cells(node.prop("ibm,dma-window")?)) else {
        return t.skip("DMA windows", "no ibm,dma-window");
    };
    let list = SCRATCH + 0x6000;
    clear(list, 0x1000);
    let two = [SCRATCH | READ_WRITE, (SCRATCH + 0x1000) | READ_WRITE];
    (0..).zip(two).for_each(|(n, entry): (u64, u64)| poke(list + 8 * n, entry.to_be()));
    let pages = size >> 12;
    #[rustfmt::skip]
    let cases: [Case<'_>; 11] = [
        ("56: H_PUT_TCE_INDIRECT: 513 entries",       H_PUT_TCE_INDIRECT, &[liobn, 0, list, 513],          is(H_PARAMETER), 0),
        ("56: H_PUT_TCE_INDIRECT: not aligned",       H_PUT_TCE_INDIRECT, &[liobn, 0, list + 8, 2],        is(H_PARAMETER), 0),
        ("56: H_PUT_TCE_INDIRECT: beyond the window", H_PUT_TCE_INDIRECT, &[liobn, size, list, 2],         is(H_PARAMETER), 0),
        ("56: H_PUT_TCE_INDIRECT: outside memory",    H_PUT_TCE_INDIRECT, &[liobn, 0, NOWHERE, 2],         is(H_PARAMETER), 0),
        ("56: H_PUT_TCE_INDIRECT: no such window",    H_PUT_TCE_INDIRECT, &[liobn ^ 1, 0, list, 2],        is(H_PARAMETER), 0),
        ("56: H_PUT_TCE: beyond the window",          H_PUT_TCE,          &[liobn, size, two[0]],          is(H_PARAMETER), 0),
        ("57: H_STUFF_TCE: over the end",             H_STUFF_TCE,        &[liobn, size - 0x1000, 0, 2],   is(H_PARAMETER), 0),
        ("57: H_STUFF_TCE: more than there are",      H_STUFF_TCE,        &[liobn, 0, 0, pages + 1],       is(H_PARAMETER), 0),
        ("57: H_GET_TCE: beyond the window",          H_GET_TCE,          &[liobn, size],                  is(H_PARAMETER), 1),
        ("57: H_PUT_TCE_INDIRECT",                    H_PUT_TCE_INDIRECT, &[liobn, 0x3000, list, 2],       is(H_SUCCESS),   0),
        ("57: H_PUT_TCE",                             H_PUT_TCE,          &[liobn, size - 0x1000, two[1]], is(H_SUCCESS),   0),
    ];
    cases.into_iter().for_each(|case| _ = call(t, case, 0));
    for (ioba, entry) in [(0x3000, two[0]), (0x4000, two[1]), (size - 0x1000, two[1])] {
        let got = call(t, ("57: H_GET_TCE", H_GET_TCE, &[liobn, ioba], is(H_SUCCESS), 1), 0)[1];
        t.check("57: as it was put", got, entry);
    }
    call(t, ("57: H_STUFF_TCE", H_STUFF_TCE, &[liobn, 0, 0, pages], is(H_SUCCESS), 0), 0);
    let got = call(t, ("57: H_GET_TCE", H_GET_TCE, &[liobn, 0x3000], is(H_SUCCESS), 1), 0)[1];
    t.check("57: as it was filled", got, 0);
}

/// What the MSR of the second processor said when it came, with `CAME`.
static SECOND: AtomicU64 = AtomicU64::new(0);
const CAME: u64 = 1 << 63;
/// The token of stop-self.
static STOP: AtomicU32 = AtomicU32::new(0);

fn second_main() -> ! {
    SECOND.store(mfmsr() & (msr::IR | msr::DR | msr::EE | msr::PR) | CAME, SeqCst);
    while STOP.load(SeqCst) == 0 {}
    rtas(STOP.load(SeqCst), &[], 1);
    loop {}
}

/// Processor 1 from its start to its end.
fn another(t: &mut Report, tree: Fdt<'static>) {
    if tree.nodes().filter(|node| node.prop("device_type") == Some(b"cpu\0")).count() < 2 {
        return t.skip("another processor", "there is one");
    }
    let token = |name: &str| tree.node("/rtas").and_then(|node| node.number(name)).map(|token| token as u32);
    let (Some(query), Some(stop)) = (token("query-cpu-stopped-state"), token("stop-self")) else {
        return t.skip("another processor", "no RTAS calls to stop it");
    };
    let state = || rtas(query, &[1], 2).1[1];
    let wait = |done: &dyn Fn() -> bool| wait_for(MINUTE, done);
    t.check("19: a processor that never ran is stopped", state(), 0);
    t.check("18: it starts", second::start(tree, 1, second_main), Some(0));
    t.holds("18: and comes", wait(&|| SECOND.load(SeqCst) != 0), SECOND.load(SeqCst));
    t.check("18: in real mode, privileged, without interrupts", SECOND.load(SeqCst), CAME);
    t.check("19: it is not stopped", state(), 2);
    t.check("18: it does not start again", second::start(tree, 1, second_main), Some(-1));
    STOP.store(stop, SeqCst);
    t.holds("19: it has stopped", wait(&|| state() == 0), state());
}

fn random(t: &mut Report, tree: Option<Fdt<'static>>) {
    let mut draw = || call(t, ("H_RANDOM", H_RANDOM, &[], -2..=0, 1), 0);
    let (first, second) = (draw(), draw());
    let offered = tree.is_some_and(|tree| {
        tree.nodes().any(|node| node.prop("compatible").is_some_and(|list| lists(list, b"ibm,random")))
    });
    if first[0] == 0 {
        t.holds("14: two draws differ", first[1] != second[1], (first[1], second[1]));
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
    let xirr = call(t, ("47: H_XIRR with nothing pending", H_XIRR, &[0], is(H_SUCCESS), 1), 0)[1];
    t.check("47: source 0", xirr & 0x00ff_ffff, 0);
    call(t, ("H_IPI: no such server", H_IPI, &[99, 4], is(H_PARAMETER), 0), 0);
    call(t, ("H_IPI", H_IPI, &[0, 4], is(H_SUCCESS), 0), 0);
    let xirr = call(t, ("H_XIRR", H_XIRR, &[0], is(H_SUCCESS), 1), 0)[1];
    t.check("48: the IPI, at the old priority 0xff", xirr, 0xff00_0000 | IPI);
    call(t, ("48: H_IPI 0xff withdraws", H_IPI, &[0, 0xff], is(H_SUCCESS), 0), 0);
    call(t, ("H_EOI", H_EOI, &[xirr], is(H_SUCCESS), 0), 0);
    let xirr = call(t, ("H_XIRR after that", H_XIRR, &[0], is(H_SUCCESS), 1), 0)[1];
    t.check("47: source 0", xirr & 0x00ff_ffff, 0);
}

fn rtas_calls(t: &mut Report, tree: Fdt<'static>) {
    let token = |name: &str| tree.node("/rtas").and_then(|node| node.number(name)).map(|token| token as u32);
    t.check("38: RTAS: unknown token", rtas(0x7777, &[], 1).1[0] as i32, -3);
    match token("power-off") {
        Some(token) => {
            t.check("39: RTAS power-off with the wrong count of arguments", rtas(token, &[1], 1).1[0] as i32, -3)
        }
        None => t.skip("RTAS power-off", "no such token"),
    }
    rtas_table(t, &token);
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
            t.holds("44: a date and a time", sane, out);
        }
        None => t.skip("RTAS get-time-of-day", "no such token"),
    }
    match token("query-cpu-stopped-state") {
        Some(token) => {
            t.check("19: RTAS query-cpu-stopped-state of this processor", rtas(token, &[0], 2).1[..2] == [0, 2], true);
        }
        None => t.skip("RTAS query-cpu-stopped-state", "no such token"),
    }
    let status = hcall(H_RTAS, &[NOWHERE]).status;
    t.holds("6: RTAS with its buffer outside memory is refused", status < 0, status);
    let end =
        tree.node("/memory").and_then(|node| node.prop("reg")).and_then(|reg| guest_rt::fdt::number(reg.get(8..16)?));
    match end {
        Some(end) => {
            let before = peek::<u64>(end - 8);
            let status = hcall(H_RTAS, &[end - 8]).status;
            t.holds("7: RTAS with its buffer across the end of memory is refused", status < 0, status);
            t.check("7: and nothing is written", peek::<u64>(end - 8), before);
        }
        None => t.skip("RTAS at the end of memory", "no memory node"),
    }
}

/// RTAS as big-endian code of 32 bits calls it, with its return address in LR (spec papr 5.1).
fn narrow(t: &mut Report, tree: Fdt<'static>) {
    let number = |name: &str| tree.node("/rtas").and_then(|node| node.number(name));
    let (Some(entry), Some(token)) = (number("linux,rtas-entry"), number("event-scan")) else {
        return t.skip("46: RTAS called in 32-bit mode", "no linux,rtas-entry");
    };
    // event-scan: four inputs, one output.
    let cells = [token as u32, 4, 1, u32::MAX, 0, SCRATCH as u32 + 0x100, 64, 0x7777];
    (0..).zip(cells).for_each(|(n, cell): (u64, u32)| poke(SCRATCH + 4 * n, cell.to_be()));
    let [back, end] = [&raw const BACK, &raw const END].map(|code| code as u64);
    let before = Frame::new(&raw const NARROW).reg(3, SCRATCH).reg(17, back).reg(18, entry);
    let before = before.reg(19, msr::ME | msr::RI).reg(20, end).reg(21, mfmsr());
    let after = before.run();
    t.interrupt("46: RTAS called in 32-bit mode comes back", &before.at(end), &after, 0x700, TRAP, 4);
    t.check("46: with its status", u32::from_be(peek::<u32>(SCRATCH + 28)), 1);
    let own = |frame: &Frame| (frame.gpr[1], frame.gpr[2], frame.lr);
    t.check("46: and r1, r2, LR", own(&after), (before.gpr[1], before.gpr[2], back));
    t.check("46: and r13 to r31 with their upper halves", after.gpr[13..] == before.gpr[13..], true);
}

/// A service, its inputs, how many outputs it has, and the status that it answers.
type Service<'a> = (&'static str, &'static str, &'a [u32], usize, core::ops::RangeInclusive<i32>);

/// Numbered cases 39 to 45.
fn rtas_table(t: &mut Report, token: &dyn Fn(&str) -> Option<u32>) {
    let scratch = SCRATCH as u32;
    #[rustfmt::skip]
    let cases: [Service<'_>; 16] = [
        ("39: one output too many",             "get-time-of-day",          &[],                        7, -3..=-3),
        ("39: one input too many",              "system-reboot",            &[0],                       1, -3..=-3),
        ("no such processor",               "query-cpu-stopped-state",  &[99],                      2, -3..=-3),
        ("18: no such processor",           "start-cpu",                &[99, 0x4000, 0],           1, -3..=-3),
        ("18: a processor that runs",           "start-cpu",                &[0, 0x4000, 0],            1, -1..=-1),
        ("no such parameter",               "ibm,get-system-parameter", &[0xffff, scratch, 64],     1, -3..=-3),
        ("month 13",                        "set-time-of-day",          &[2024, 13, 1, 0, 0, 0, 0], 1, -3..=-3),
        ("hour 24",                         "set-time-of-day",          &[2024, 1, 1, 24, 0, 0, 0], 1, -3..=-3),
        ("45: nothing has happened",            "event-scan",               &[u32::MAX, 0, scratch, 64], 1, 1..=1),
        ("progress",                        "display-character",        &[0x2e],                    1, 0..=0),
        ("no such source",                  "ibm,get-xive",             &[0x00ff_ffff],             3, -3..=-3),
        ("no such source",                  "ibm,set-xive",             &[0x00ff_ffff, 0, 5],       1, -3..=-3),
        ("no such source",                  "ibm,int-off",              &[0x00ff_ffff],             1, -3..=-3),
        ("no such bridge",                  "ibm,read-pci-config",      &[0, 7, 7, 4],              2, -3..=-3),
        ("no such bridge",                  "ibm,write-pci-config",     &[0, 7, 7, 4, 0],           1, -3..=-3),
        ("no such bridge",                  "ibm,query-interrupt-source-number", &[0, 7, 7, 0],     3, -3..=-1),
    ];
    for (name, service, inputs, outputs, status) in cases {
        guest_rt::println!("RTAS {service}");
        match token(service) {
            Some(token) => {
                let got = rtas(token, inputs, outputs).1[0] as i32;
                t.holds(name, status.contains(&got), (got, &status));
            }
            None => t.skip(name, "no such token"),
        }
    }
    const BRIDGE: [u32; 2] = [0x0800_0000, 0x2000_0000];
    if let Some(token) = token("ibm,read-pci-config") {
        let (_, out) = rtas(token, &[0x1f << 11, BRIDGE[0], BRIDGE[1], 4], 2);
        t.holds("RTAS ibm,read-pci-config of nobody", out[..2] == [0, u32::MAX] || out[0] as i32 == -3, &out[..2]);
    }
}
