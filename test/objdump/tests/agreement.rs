//! No line of objdump's listing differs from ours, for words made from the table and for the kernels at hand.

use std::env;
use std::path::PathBuf;

use objdump::{Report, compare_elf, compare_words, unavailable, words};
use ppc_isa::{Cpu, Decoder};

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
    for cpu in Cpu::BOOK3S_64 {
        judge(cpu.name(), &compare_words(cpu, &words::of_rows(&Decoder::new(cpu), 300, 1)).unwrap());
    }
}

#[test]
fn any_words() {
    if let Some(reason) = unavailable() {
        return skipped("any words", &reason);
    }
    for cpu in Cpu::BOOK3S_64 {
        judge(cpu.name(), &compare_words(cpu, &words::any(300_000, 2)).unwrap());
    }
}

/// The kernels to look at: `$POWERVISOR_OBJDUMP_ELF`, else what the image cache and `$POWERVISOR_GUESTS` hold.
fn kernels() -> Vec<PathBuf> {
    if let Some(path) = env::var_os("POWERVISOR_OBJDUMP_ELF") {
        return vec![path.into()];
    }
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    let debian = cache.into_iter().map(|dir| dir.join("powervisor/debian"));
    let debian = debian.flat_map(|dir| ["bookworm", "trixie"].map(|release| dir.join(release).join("vmlinux")));
    let guests = env::var_os("POWERVISOR_GUESTS").map(PathBuf::from).into_iter();
    let guests = guests.flat_map(|dir| ["pseries-le", "pseries-be"].map(|guest| dir.join(guest).join("vmlinux")));
    debian.chain(guests).filter(|path| path.exists()).collect()
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
    let runs = kernels.iter().take(1).map(|kernel| (Cpu::Power8, kernel));
    for (cpu, kernel) in runs.chain(kernels.iter().map(|kernel| (Cpu::Power9, kernel))) {
        judge(&format!("{} {}", cpu.name(), kernel.display()), &compare_elf(cpu, kernel).unwrap());
    }
}
