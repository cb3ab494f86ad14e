//! `powervisor patch`: the report on a kernel made here, and on Linux against another program's counts.

#[allow(dead_code, reason = "other tests run their kernels")]
mod kernel;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

use kernel::Kernel;
use serde_json::Value;

fn report(kernel: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_powervisor"));
    command.args(["patch", "--json", "--kernel"]).arg(kernel).args(arguments).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Places by instruction, rewritten or left.
fn places(report: &Value) -> BTreeMap<String, u64> {
    let count = |row: &Value| {
        let left = row["left"].as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>();
        row["rewritten"].as_u64().unwrap() + left
    };
    let rows = report["rows"].as_array().unwrap().iter();
    rows.map(|row| (row["instruction"].as_str().unwrap().to_owned(), count(row))).collect()
}

/// Its last byte is the last but one of the address space: there is no multiple of four behind it.
#[test]
fn a_kernel_at_the_end_of_the_address_space() {
    let mut elf = Kernel { memory: 0, ..Kernel::new(&[0x7c60_00a6; 5]) }.elf();
    // Virtual and real address in the program header.
    let start = (u64::MAX - elf.len() as u64).to_be_bytes();
    elf[80..88].copy_from_slice(&start);
    elf[88..96].copy_from_slice(&start);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("at-the-end");
    fs::write(&path, elf).unwrap();
    let found = report(&path, &["--cpu", "power8"]);
    assert_eq!(found["code"]["end"], u64::MAX);
    assert_eq!(places(&found)["mfmsr"], 5);
}

#[test]
fn a_kernel_without_symbols() {
    // mfmsr r3; mtmsrd r3,1; mtspr PIR,r3; mfsprg4 r3; rfid; mfdear r3 (AMR of Book3S)
    let words = [0x7c60_00a6, 0x7c61_0164, 0x7c7f_fba6, 0x7c74_42a6, 0x4c00_0024, 0x7c7d_0aa6];
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("patch-me");
    fs::write(&path, Kernel::new(&words).elf()).unwrap();
    let found = report(&path, &["--list", "--cpu", "power8"]);
    assert_eq!(found["kernel"]["family"], "64-bit Book3S");
    assert_eq!(found["code"]["from_symbols"], false);
    assert_eq!(found["rewritten"], 3);
    let sites = found["sites"].as_array().unwrap();
    assert_eq!(sites[0]["becomes"], 0xe860_f058_u32);
    assert_eq!(sites[1]["address"].as_u64().unwrap() - sites[0]["address"].as_u64().unwrap(), 4);
    assert!(sites[1]["section"].as_u64() > sites[1]["address"].as_u64());
    assert_eq!(found["never_rewritten"]["rfid"], 1);
    let found = report(&path, &["--features", "0", "--cpu", "power8"]);
    assert_eq!(found["rewritten"], 2);
    let found = report(&path, &["--cpu", "e5500"]);
    assert_eq!(places(&found)["mfdear"], 1);
}

/// The guests' README has what `patchsites.py`, a program of its own, counts in them.
#[test]
fn linux_has_as_many_places_as_another_program_counts() {
    let folder = env::var_os("POWERVISOR_GUESTS").map(PathBuf::from).unwrap_or_default();
    let Ok(text) = fs::read_to_string(folder.join("README.md")) else {
        let _ = writeln!(io::stderr(), "SKIP patch sites of Linux: no README.md in $POWERVISOR_GUESTS");
        return;
    };
    let mut kernels = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some((name, "vmlinux", total)) = line.split_once(" words, ").and_then(|(kernel, sites)| {
            let (name, file) = kernel.split_once(": ")?.0.split_once('/')?;
            Some((name, file, sites.split_once(" patch sites")?.0.parse::<u64>().ok()?))
        }) else {
            continue;
        };
        let counts = lines.next().unwrap_or_default().split("   (").next().unwrap_or_default();
        let counted: BTreeMap<String, u64> = counts
            .split(',')
            .filter_map(|entry| entry.trim().rsplit_once(':'))
            .map(|(name, count)| (name.trim_end_matches('*').to_owned(), count.parse().unwrap()))
            .collect();
        let found = places(&report(&folder.join(name).join("vmlinux"), &[]));
        assert_eq!(found, counted, "{name}");
        assert_eq!(found.values().sum::<u64>(), total, "{name}");
        kernels += 1;
    }
    assert!(kernels > 0, "the README names no kernels");
    println!("{kernels} kernels agree");
}
