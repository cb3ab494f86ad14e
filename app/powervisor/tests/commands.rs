//! The command line as a user meets it: exit codes and messages of the program itself.
//!
//! Guests are a few words of machine code in ELF files made here, so that each test takes milliseconds.

mod kernel;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use image::fdt::Fdt;
use kernel::{FOREVER, Kernel, service};
use papr_abi::rtas;

const OUR_ERROR: i32 = 125;

/// A file of the test `name`.
fn file(name: &str, data: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, data).unwrap();
    path
}

/// `powervisor run` with these arguments, nothing typed.
fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_powervisor"));
    command.arg("run").args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// The same with a kernel of these words.
fn run_kernel(name: &str, kernel: &Kernel, arguments: &[&str]) -> Output {
    let path = file(name, &kernel.elf());
    run(&[&["--kernel", path.to_str().unwrap(), "--memory", "32M"], arguments].concat())
}

#[track_caller]
fn expect(output: &Output, code: i32, words: &[&str]) {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{text}");
    for word in words {
        assert!(text.contains(word), "no {word:?} in:\n{text}");
    }
}

/// Refused kernels: file name, its bytes, what the message must say.
#[test]
fn files_that_are_no_kernel() {
    let good = Kernel::new(&FOREVER).elf();
    let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".as_slice();
    let host = fs::read(env::current_exe().unwrap()).unwrap();
    let narrow = Kernel::new(&FOREVER).elf_32();
    let cases: [(&str, &[u8], &[&str]); 8] = [
        ("truncated-header", &good[..40], &["truncated"]),
        ("truncated-segments", &good[..100], &["truncated"]),
        ("truncated-code", &good[..good.len() - 1], &["truncated"]),
        ("x86-64", &host, &["x86-64", "PowerPC"]),
        ("gzip", gzip, &["gzip", "gunzip"]),
        ("32-bit", &narrow, &["32-bit"]),
        ("text", b"Linux", &["not an ELF file"]),
        ("empty", b"", &["not an ELF file"]),
    ];
    for (name, data, words) in cases {
        let path = file(name, data);
        let output = run(&["--kernel", path.to_str().unwrap(), "--timeout", "60"]);
        expect(&output, OUR_ERROR, &[&["--kernel", name], words].concat());
    }
}

#[test]
fn machines_that_cannot_be() {
    let kernel = file("machines", &Kernel::new(&FOREVER).elf());
    let kernel = kernel.to_str().unwrap();
    let initrd = file("large-initrd", &[]);
    fs::OpenOptions::new().write(true).open(&initrd).unwrap().set_len(64 << 20).unwrap();
    let initrd = initrd.to_str().unwrap();
    let cases: [(&[&str], &[&str]); 12] = [
        (&["--initrd", initrd, "--memory", "32M"], &["initrd", "66 MiB of memory", "--memory"]),
        (&["--memory", "1M"], &["16M to 4T"]),
        (&["--memory", "16385K"], &["steps of 64K"]),
        (&["--memory", "lots"], &["'lots' is no size"]),
        (&["--memory", "8T"], &["16M to 4T"]),
        (&["--cpu", "power7"], &["power7", "known are", "power8", "power9"]),
        (&["--cpu", "power8", "--mmu", "radix"], &["no radix translation", "--mmu hash"]),
        (&["--device", "virtio-tape"], &["'virtio-tape'", "known are virtio-rng"]),
        (&["--device", "virtio-rng", "--machine", "bare"], &["--device", "--machine pseries"]),
        (&["--initrd", "/no/such/initrd"], &["--initrd /no/such/initrd", "No such file"]),
        (&["--init", "ls"], &["--init"]),
        (&["--timeout", "soon"], &["'soon' is no number"]),
    ];
    for (arguments, words) in cases {
        let output = run(&[&["--kernel", kernel], arguments].concat());
        expect(&output, OUR_ERROR, words);
    }
    expect(&run(&["--kernel", "/no/such/kernel"]), OUR_ERROR, &["--kernel /no/such/kernel", "No such file"]);
    expect(&run(&[]), OUR_ERROR, &["<GUEST>"]);
}

/// A disk with an MBR and one partition of type `kind` from its second block on.
fn disk(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut disk = vec![0; 512];
    disk[446..462].copy_from_slice(&[0, 0, 0, 0, kind, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0]);
    disk[510..].copy_from_slice(&[0x55, 0xaa]);
    disk.extend(content);
    disk.resize(9 * 512, 0);
    disk
}

/// A client of Open Firmware that calls its service `exit`.
fn client() -> Vec<u8> {
    const ARGUMENTS: u32 = Kernel::BASE + 84 + 20;
    let code = [
        0x7ca9_03a6,                      // mtctr r5
        0x3c60_0000 | ARGUMENTS >> 16,    // lis r3, arguments@h
        0x6063_0000 | ARGUMENTS & 0xffff, // ori r3, r3, arguments@l
        0x4e80_0421,                      // bctrl
        FOREVER[0],
    ];
    let name = u32::from_be_bytes(*b"exit");
    Kernel::new(&[&code[..], &[ARGUMENTS + 12, 0, 0, name, 0]].concat()).elf_32()
}

#[test]
fn disks() {
    const PREP: u8 = 0x41;
    let cases: [(&str, Vec<u8>, &[&str], &[&str]); 6] = [
        ("no-table", vec![0; 4096], &[], &["no partition table"]),
        ("no-boot-partition", disk(0x83, b""), &[], &["no PReP boot partition", "--kernel"]),
        ("no-program", disk(PREP, b"text"), &[], &["partition 1", "not an ELF file"]),
        ("without-firmware", disk(PREP, &client()), &["--boot", "fdt"], &["--boot of"]),
        ("on-e500", disk(PREP, &client()), &["--machine", "e500"], &["--boot of", "--machine pseries"]),
        ("little", disk(PREP, &Kernel::new(&FOREVER).elf_32()), &["--cpu", "750"], &["--cpu 750"]),
    ];
    for (name, data, arguments, words) in cases {
        let path = file(name, &data);
        let output = run(&[&["--disk", path.to_str().unwrap(), "--timeout", "60"], arguments].concat());
        expect(&output, OUR_ERROR, words);
    }
    expect(&run(&["--disk", "/no/such/disk"]), OUR_ERROR, &["--disk /no/such/disk", "No such file"]);
    let path = file("boot-disk", &disk(PREP, &client()));
    expect(&run(&["--disk", path.to_str().unwrap(), "--timeout", "60"]), 120, &["went back to Open Firmware"]);
    expect(&run(&["demo", "--boot", "of"]), OUR_ERROR, &["--boot of goes with kernels"]);
}

#[test]
fn a_kernel_larger_than_memory() {
    let kernel = Kernel { memory: 48 << 20, ..Kernel::new(&FOREVER) };
    expect(&run_kernel("large", &kernel, &[]), OUR_ERROR, &["the kernel needs", "--memory"]);
    let kernel = Kernel { memory: u64::MAX, ..Kernel::new(&FOREVER) };
    expect(&run_kernel("endless", &kernel, &[]), OUR_ERROR, &["segment 0"]);
}

#[test]
fn a_timeout() {
    let output = run_kernel("timeout", &Kernel::new(&FOREVER), &["--timeout", "0.2"]);
    expect(&output, 124, &["stopped after --timeout 0.2 s"]);
}

#[test]
fn a_panic() {
    let kernel = Kernel::new(&service(rtas::OS_TERM, &[Kernel::TEXT])).with_text("no more ideas");
    expect(&run_kernel("panic", &kernel, &[]), 120, &["the guest's kernel panicked: no more ideas"]);
}

#[test]
fn a_power_off() {
    let kernel = Kernel::new(&service(rtas::POWER_OFF, &[u32::MAX, u32::MAX]));
    expect(&run_kernel("power-off", &kernel, &[]), 0, &["million instructions", "exits"]);
    let quiet = run_kernel("power-off-quiet", &kernel, &["--quiet"]);
    expect(&quiet, 0, &[]);
    assert!(quiet.stdout.is_empty() && quiet.stderr.is_empty(), "{quiet:?}");
}

/// A reset starts the guest again; this one does nothing else.
#[test]
fn a_reset_starts_again() {
    let output = run_kernel("reset", &Kernel::new(&service(rtas::SYSTEM_REBOOT, &[])), &["--timeout", "0.5"]);
    expect(&output, 124, &[]);
}

#[test]
fn the_demonstration() {
    expect(&run(&["demo", "--timeout", "300"]), 0, &["/hypervisor          linux,kvm", "Powering off. Good-bye."]);
}

#[test]
fn a_dry_run() {
    let kernel = Kernel::new(&FOREVER);
    let output = run_kernel("dry", &kernel, &["--dry-run", "--append", "one two", "--cpu", "power8", "--pv", "off"]);
    let words = [
        "ram      0x0000000000..0x0002000000",
        "kernel   0x0000100000..",
        "tree     ",
        "rtas     ",
        "entry    0x0000100078 (Big-endian)",
        "machine  Pseries, power8, Hash, pv off",
        "append   one two",
    ];
    expect(&output, 0, &words);
}

#[test]
fn the_device_tree() {
    for (pv, cpu) in [("on", "power9"), ("off", "power8")] {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{cpu}.dtb"));
        let to = ["--dry-run", "--append", "one two", "--pv", pv, "--cpu", cpu, "--dtb-out", path.to_str().unwrap()];
        expect(&run_kernel(&format!("tree-{cpu}"), &Kernel::new(&FOREVER), &to), 0, &[]);
        let data = fs::read(&path).unwrap();
        let tree = Fdt::read(&data).unwrap();
        let strings = |node: &str, name: &str| tree.find(node)?.property(name)?.strings();
        assert_eq!(strings("/chosen", "bootargs"), Some(vec!["one two"]));
        assert_eq!(strings("/memory@0", "device_type"), Some(vec!["memory"]));
        assert_eq!(strings("/hypervisor", "compatible"), (pv == "on").then(|| vec!["linux,kvm"]));
        match Command::new("dtc").args(["-q", "-I", "dtb", "-O", "dts"]).arg(&path).output() {
            Ok(output) => expect(&output, 0, &["one two"]),
            Err(error) => eprintln!("SKIP the device tree as dtc reads it: {error} (package device-tree-compiler)"),
        }
    }
}

/// `powervisor hypercalls` with these arguments.
fn hypercalls(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_powervisor"));
    command.arg("hypercalls").args(arguments).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn lists_of_hypercalls() {
    expect(&hypercalls(&["--arch", "powerpc"]), 0, &["0x2a0004", "KVM_HC_PPC_MAP_MAGIC_PAGE"]);
    let words = [
        "\nscm\n",
        "0x58      H_PUT_TERM_CHAR (implemented): send characters",
        "takes    r4 = unit",
        "0xef00    H_SVM_PAGE_IN (H_UNSUPPORTED)",
        "0x2019    ibm,change-msi (implemented): 6 in, 4 out",
        "0x202c    ibm,nmi-interlock (-3): 0 in, 1 out",
    ];
    expect(&hypercalls(&["--papr"]), 0, &words);
    let json = hypercalls(&["--papr", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["hypercalls"].as_array().unwrap().len(), papr_abi::hcall::CALLS.len());
    assert_eq!(json["services"].as_array().unwrap().len(), rtas::CALLS.len());
    let refused = hypercalls(&["--papr", "--arch", "powerpc"]);
    expect(&refused, OUR_ERROR, &["--papr with --arch", "POWER partitions"]);
    assert!(refused.stdout.is_empty());
}

#[test]
fn statistics() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stats.json");
    let kernel = Kernel::new(&service(rtas::POWER_OFF, &[u32::MAX, u32::MAX]));
    expect(&run_kernel("statistics", &kernel, &["--stats", path.to_str().unwrap()]), 0, &[]);
    let stats: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(stats["outcome"], "Halted(PowerOff)");
    assert_eq!(stats["hypercalls"]["papr:H_RTAS"], 1);
    assert_eq!(stats["hypercalls"]["rtas:power-off"], 1);
    assert_eq!(stats["instructions"].as_u64(), Some(4));
    assert!(stats["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    assert_eq!(stats["exits"]["sum_exits"], 1);
}

/// A guest that prints forever, and a reader who never reads: the run still ends when it is told to.
#[test]
fn nobody_reads_the_console() {
    const PRINTS: [u32; 5] = [
        0x3860_0058, // li    r3, H_PUT_TERM_CHAR
        0x3880_0000, // li    r4, 0
        0x38a0_0010, // li    r5, 16
        0x4400_0022, // sc    1
        0x4bff_fff0, // b     the first
    ];
    let path = file("prints", &Kernel::new(&PRINTS).elf());
    for cpus in ["1", "2"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_powervisor"));
        let command = command.args(["run", "--memory", "32M", "--timeout", "1", "--cpus", cpus, "--kernel"]).arg(&path);
        let mut run = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        // Held open, and not read.
        let reader = run.stdout.take();
        assert_eq!(run.wait().unwrap().code(), Some(124));
        drop(reader);
    }
}

#[test]
fn non_volatile_memory_in_a_file() {
    let kernel = file("nvram-kernel", &Kernel::new(&service(rtas::POWER_OFF, &[0, 0])).elf());
    let kernel = kernel.to_str().unwrap();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nvram");
    let _ = fs::remove_file(&path);
    let nvram = path.to_str().unwrap();
    for _ in 0..2 {
        expect(&run(&["--kernel", kernel, "--memory", "32M", "--nvram", nvram]), 0, &[]);
        assert_eq!(fs::metadata(&path).unwrap().len(), 1 << 16);
    }
    fs::write(&path, [0; 100]).unwrap();
    let cases: [(&[&str], &[&str]); 3] = [
        (&["--nvram", nvram], &["--nvram", "100 bytes", "65536"]),
        (&["--nvram", "/nowhere/nvram"], &["--nvram /nowhere/nvram"]),
        (&["--nvram", nvram, "--machine", "mac", "--cpu", "7400"], &["--nvram", "--machine pseries"]),
    ];
    for (arguments, words) in cases {
        expect(&run(&[&["--kernel", kernel, "--memory", "64M"], arguments].concat()), OUR_ERROR, words);
    }
    assert_eq!(fs::read(&path).unwrap(), [0; 100]);
}
