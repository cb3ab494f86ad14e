//! The guest of `powervisor run demo`: finds the hypervisor, calls it, maps the magic page, and times privileged
//! instructions through a trap and through the page.
//!
//! Contract: runs in real mode on every Book3S-64 model, in both byte orders; a missing service is reported and the
//! rest goes on; ends with power-off. Not its job: judging (the test kernels do that).
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod timing;

use guest_rt::{
    console,
    exception::{NEVER, set_decrementer},
    fdt::Fdt,
    kvm::{self, Kvm, page},
    papr::{hcall, opcode, rtas, status},
    println,
    spr::{self, mfmsr, mfspr, mtspr, spr as sprs, timebase},
};

guest_rt::guest_main!(main);

/// Timebase frequency of every POWER machine, used if the tree has none.
const DEFAULT_FREQUENCY: u64 = 512_000_000;

fn main(tree: Option<Fdt<'static>>) {
    let frequency = tree
        .and_then(|tree| tree.nodes().find_map(|node| node.number("timebase-frequency")))
        .unwrap_or(DEFAULT_FREQUENCY);
    let order = if cfg!(target_endian = "big") { "big" } else { "little" };
    println!();
    println!("  PowerVisor demo   {order}-endian guest on a {} (PVR {:08x})", processor(), spr::pvr());
    println!("                    entered in real mode, MSR {:016x}", mfmsr());
    println!("                    timebase {}.{:03} MHz", frequency / 1_000_000, frequency / 1000 % 1000);

    heading("The hypervisor");
    let kvm = tree.and_then(Kvm::find);
    match kvm {
        Some(kvm) => {
            println!("  /hypervisor          {}", if kvm.is_kvm { "linux,kvm" } else { "not KVM" });
            println!("  hcall-instructions   {:08x?}", &kvm.words[..kvm.count]);
        }
        None if tree.is_none() => println!("  no device tree: the guest was not entered by its machine's contract"),
        None => println!("  no hcall-instructions in the device tree: no KVM hypercalls and no magic page here"),
    }
    let mapped = kvm.is_some_and(|kvm| kvm_calls(&kvm));
    papr_calls(tree);
    if mapped {
        magic_page();
    }
    timing::table(frequency, mapped);
    println!();
    println!("  Powering off. Good-bye.");
}

fn heading(text: &str) {
    println!();
    println!("  {text}");
    println!("  {:-<76}", "");
}

fn processor() -> &'static str {
    match spr::pvr() >> 16 {
        0x3f | 0x4a => "POWER7",
        0x4b..=0x4d => "POWER8",
        0x4e => "POWER9",
        0x80 => "POWER10",
        0x82 => "POWER11",
        _ => "POWER processor",
    }
}

/// Makes each hypercall; true if the magic page is there afterwards.
fn kvm_calls(kvm: &Kvm) -> bool {
    heading("KVM and ePAPR hypercalls      token        r3   r4");
    let row = |name: &str, token: u64, params: &[u64], meaning: fn(u64) -> &'static str| {
        let reply = kvm.call(token, params);
        let note = match reply.status {
            0 => meaning(reply.out[0]),
            kvm::EV_UNIMPLEMENTED => "not implemented",
            _ => "not available",
        };
        println!("  {name:<29} {token:08x}   {:>4}   {:<4x} {note}", reply.status, reply.out[0]);
        reply
    };
    row("FEATURES", kvm::FEATURES, &[], |bits| if bits & 2 != 0 { "magic page offered" } else { "no magic page" });
    let map = [kvm::PAGE_RA, kvm::PAGE_EA | kvm::NOT_MAPPED_NX];
    let reply = row("MAP_MAGIC_PAGE", kvm::MAP_MAGIC_PAGE, &map, |bits| match bits & 3 {
        3 => "segment registers; MAS0 to SPRG7",
        2 => "MAS0 to SPRG7",
        1 => "segment registers",
        _ => "no optional fields",
    });
    let mapped = reply.status == 0;
    // A pending decrementer ends the idle call even with EE = 0.
    set_decrementer(1000);
    let before = timebase();
    row("EV_IDLE", kvm::EV_IDLE, &[], |_| "woken by the decrementer");
    let slept = timebase() - before;
    set_decrementer(NEVER);
    println!("  {:<29} {slept} ticks", "  idle for");
    row("unknown (vendor 42, call 5)", 0x2a_0005, &[], |_| "answered?");
    mapped
}

fn papr_calls(tree: Option<Fdt<'static>>) {
    heading("PAPR hypercalls               opcode        r3   r4");
    type Meaning = fn(&[u64; 9]) -> &'static str;
    #[rustfmt::skip]
    let calls: [(&str, u64, &[u64], Meaning); 7] = [
        ("H_GET_TERM_CHAR",           opcode::H_GET_TERM_CHAR, &[console::unit()], |out| if out[0] == 0 { "no key waiting" } else { "keys waiting" }),
        ("H_SET_MODE (no AIL)",       opcode::H_SET_MODE, &[0, 3, 0, 0],           |_| "interrupts arrive untranslated"),
        ("H_GET_CPU_CHARACTERISTICS", opcode::H_GET_CPU_CHARACTERISTICS, &[],      |_| "speculation traits"),
        ("H_HOME_NODE_ASSOCIATIVITY", opcode::H_HOME_NODE_ASSOCIATIVITY, &[1, 0],  |_| "NUMA home of this processor"),
        ("H_RANDOM",                  opcode::H_RANDOM, &[],                       |_| "random bits"),
        ("H_RANDOM",                  opcode::H_RANDOM, &[],                       |_| "random bits"),
        ("unknown",                   0x7c, &[],                                   |_| "answered?"),
    ];
    for (name, number, args, meaning) in calls {
        let reply = hcall(number, args);
        let note = match reply.status {
            status::H_SUCCESS => meaning(&reply.out),
            status::H_FUNCTION => "not implemented",
            _ => "refused",
        };
        let answer = if reply.status == 0 { reply.out[0] } else { 0 };
        println!("  {name:<29} {number:04x}   {:>8}   {answer:<16x} {note}", reply.status);
    }
    match tree.and_then(|tree| tree.node("/rtas")?.number("get-time-of-day")) {
        Some(token) => {
            let (status, [rtas_status, year, month, day, hour, minute, second, _]) = rtas(token as u32, &[], 8);
            println!(
                "  {:<29} {token:04x}   {status:>8}   {} {year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC",
                "RTAS get-time-of-day", rtas_status as i32
            );
        }
        None => println!("  no RTAS clock in the device tree"),
    }
}

/// Prints the fields, and shows that a trapped write and the page are one storage.
fn magic_page() {
    heading("Magic page                  offset   value");
    // SAFETY: SPRG0 belongs to whoever runs in supervisor state: us.
    unsafe { mtspr::<{ sprs::SPRG0 }>(0x00c0_ffee) };
    for (name, offset, bytes) in page::FIELDS {
        let at = (kvm::PAGE_RA + offset) as *const u8;
        // SAFETY: the hypervisor has put the page there.
        let value = match bytes {
            4 => unsafe { at.cast::<u32>().read_volatile() }.into(),
            _ => unsafe { at.cast::<u64>().read_volatile() },
        };
        println!("  {name:<27} {offset:#04x}     {value:0digits$x}", digits = bytes as usize * 2);
    }
    println!("  mfmsr through a trap                 {:016x}", mfmsr());
    println!("  mfsprg0 after a trapped mtsprg0      {:016x}", mfspr::<{ sprs::SPRG0 }>());
}
