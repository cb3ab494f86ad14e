//! No line of objdump's listing differs from ours, for words made from the table and for the kernels at hand.

use std::env;
use std::path::PathBuf;

use objdump::{Report, compare_elf, compare_words, unavailable, words};
use ppc_isa::{Cpu, Decoder, absent};

fn judge(what: &str, report: &Report) {
    println!("{what}: {report}");
    assert_eq!(report.differences(), 0, "{what}: {report}");
}

fn skipped(what: &str, reason: &str) {
    eprintln!("SKIP objdump {what}: {reason}");
}

#[test]
fn words_of_every_row() {
    if let Some(reason) = unavailable() {
        return skipped("words of every row", &reason);
    }
    for cpu in Cpu::ALL {
        judge(cpu.name(), &compare_words(cpu, &words::of_rows(&Decoder::new(cpu), 300, 1)).unwrap());
    }
}

#[test]
fn any_words() {
    if let Some(reason) = unavailable() {
        return skipped("any words", &reason);
    }
    for cpu in Cpu::ALL.into_iter().filter(|cpu| !cpu.is_variant()) {
        judge(cpu.name(), &compare_words(cpu, &words::any(150_000, 2)).unwrap());
    }
}

/// Every instruction that objdump knows for a model has a row or a reason why not; what has a row is not listed.
#[test]
fn every_opcode_has_a_row_or_a_reason() {
    if let Some(reason) = unavailable() {
        return skipped("every opcode", &reason);
    }
    let words = words::of_opcodes(1);
    let mut wrong = Vec::new();
    for cpu in Cpu::ALL {
        let report = compare_words(cpu, &words).unwrap();
        judge(cpu.name(), &report);
        let explained = |name: &str| absent::of(cpu).any(|entry| entry.covers(name));
        let unexplained = report.missing.keys().filter(|name| !explained(name));
        wrong.extend(unexplained.map(|name| format!("{}: {name} has no row", cpu.name())));
        for row in Decoder::new(cpu).rows() {
            // Of paste. one form is listed, the other has the row.
            let listed = absent::of(cpu).find(|entry| entry.covers(row.name) && row.name != "paste.");
            if let Some(entry) = listed {
                wrong.push(format!("{}: {} has a row, yet: {}", cpu.name(), row.name, entry.reason));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Guests of `$POWERVISOR_GUESTS` with the model whose code they are.
const GUESTS: [(&str, Cpu); 5] = [
    ("pseries-le", Cpu::Power9),
    ("pseries-be", Cpu::Power9),
    ("e500v2", Cpu::E500v2),
    ("e5500", Cpu::E5500),
    ("mac32", Cpu::Ppc7450),
];

/// The kernels to look at: `$POWERVISOR_OBJDUMP_ELF` as POWER9, else what the image cache and `$POWERVISOR_GUESTS` hold.
fn kernels() -> Vec<(PathBuf, Cpu)> {
    if let Some(path) = env::var_os("POWERVISOR_OBJDUMP_ELF") {
        return vec![(path.into(), Cpu::Power9)];
    }
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    let debian = cache.into_iter().map(|dir| dir.join("powervisor/debian"));
    let debian = debian.flat_map(|dir| ["bookworm", "trixie"].map(|release| dir.join(release).join("vmlinux")));
    let debian = debian.map(|kernel| (kernel, Cpu::Power9));
    let guests = env::var_os("POWERVISOR_GUESTS").map(PathBuf::from).into_iter();
    let guests = guests.flat_map(|dir| GUESTS.map(|(guest, cpu)| (dir.join(guest).join("vmlinux"), cpu)));
    debian.chain(guests).filter(|(path, _)| path.exists()).collect()
}

#[test]
fn kernel_text() {
    if let Some(reason) = unavailable() {
        return skipped("kernel text", &reason);
    }
    let kernels = kernels();
    if kernels.is_empty() {
        return skipped(
            "kernel text",
            "no kernel in the image cache or $POWERVISOR_GUESTS; $POWERVISOR_OBJDUMP_ELF names one",
        );
    }
    // The models differ in few instructions of a kernel: POWER8 for the first one only.
    let first = kernels.iter().find(|(_, cpu)| *cpu == Cpu::Power9).map(|(kernel, _)| (kernel, Cpu::Power8));
    for (kernel, cpu) in first.into_iter().chain(kernels.iter().map(|(kernel, cpu)| (kernel, *cpu))) {
        judge(&format!("{} {}", cpu.name(), kernel.display()), &compare_elf(cpu, kernel).unwrap());
    }
}
