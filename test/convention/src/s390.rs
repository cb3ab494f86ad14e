//! An s390x guest for QEMU: an ELF file with one `diag`, whose result becomes the address of a disabled wait.
//!
//! QEMU takes a disabled wait for a panic and tells the address in an event, so nothing need be printed.

use std::process::Command;

use anyhow::{Context, Result};
use pv_abi::convention::{Call, DIAG_500, Reply, S390, Width};
use serde_json::Value;

use crate::qemu::{Image, run};

/// The program that runs it.
pub const QEMU: &str = "qemu-system-s390x";
const ENTRY: u64 = 0x1_0000;
/// Where the PSW of the wait is put together.
const PSW: u16 = 0x200;
/// Where a program interruption goes.
const PROGRAM_NEW_PSW: u16 = 0x1d0;
/// The address of its wait.
const INTERRUPTED: u64 = 0x5ec0;
/// Wait, 64-bit addresses, every interrupt off.
const WAIT: u64 = 0x0002_0001_8000_0000;

/// Makes a call and returns the answer; `None` when the guest gets a program interruption instead. The machine has one
/// device, at subchannel 0.0.0000.
///
/// # Errors
/// When QEMU fails, or the guest does not come to its wait.
pub fn call(call: &Call) -> Result<Option<Reply>> {
    let image = Image::new(&elf(&code(call)?))?;
    let mut command = Command::new(QEMU);
    command.args(["-M", "s390-ccw-virtio,accel=tcg", "-m", "64", "-nodefaults", "-display", "none", "-S"]);
    command.args(["-object", "rng-builtin,id=r", "-device", "virtio-rng-ccw,rng=r,devno=fe.0.0000"]);
    command.args(["-qmp", "stdio", "-kernel"]).arg(&image.0);
    let output = run(&mut command, "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"cont\"}\n")?;
    let events = String::from_utf8_lossy(&output.stdout);
    let panicked = |line: &str| {
        let event: Value = serde_json::from_str(line).ok()?;
        let info = &event["data"]["info"];
        (event["event"] == "GUEST_PANICKED" && info["reason"] == "disabled-wait").then(|| info["psw-addr"].as_u64())?
    };
    let told = || format!("no disabled wait: {events}{}", String::from_utf8_lossy(&output.stderr));
    let address = events.lines().find_map(panicked).with_context(told)?;
    if address == INTERRUPTED {
        return Ok(None);
    }
    let mut file = [0; 16];
    file[S390.status.index] = address;
    S390.read_reply(Width::Bits64, &file).map(Some).map_err(|missing| anyhow::anyhow!("{missing:?}"))
}

fn code(call: &Call) -> Result<Vec<u8>> {
    let mut file = [0; 16];
    S390.write_call(Width::Bits64, call, &mut file).map_err(|missing| anyhow::anyhow!("{missing:?}"))?;
    (file[0], file[8]) = (WAIT, INTERRUPTED);
    let mut code = Vec::new();
    for (register, value) in (0_u8..9).zip(file) {
        for (half, operation) in [((value >> 32) as u32, 8), (value as u32, 9)] {
            code.extend([0xc0, register << 4 | operation]); // iihf, iilf register, half
            code.extend(half.to_be_bytes());
        }
    }
    let store = |code: &mut Vec<u8>, register: u8, address: u16| {
        let [high, low] = address.to_be_bytes();
        code.extend([0xe3, register << 4, high, low, 0, 0x24]); // stg register, address
    };
    store(&mut code, 0, PROGRAM_NEW_PSW);
    store(&mut code, 8, PROGRAM_NEW_PSW + 8);
    code.extend(DIAG_500);
    store(&mut code, 0, PSW);
    store(&mut code, 2, PSW + 8);
    let [high, low] = PSW.to_be_bytes();
    code.extend([0xb2, 0xb2, high, low]); // lpswe PSW
    Ok(code)
}

/// The code as an ELF file with one segment.
fn elf(code: &[u8]) -> Vec<u8> {
    const HEADERS: u64 = 64 + 56;
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // Executable, s390, version 1.
    file.extend([0, 2, 0, 22, 0, 0, 0, 1]);
    [ENTRY, 64, 0].iter().for_each(|field: &u64| file.extend(field.to_be_bytes()));
    // No flags; sizes of the headers, one program header, no sections.
    file.extend(0_u32.to_be_bytes());
    [64_u16, 56, 1, 64, 0, 0].iter().for_each(|field| file.extend(field.to_be_bytes()));
    // Loadable, all rights.
    [1_u32, 7].iter().for_each(|field| file.extend(field.to_be_bytes()));
    let len = code.len() as u64;
    [HEADERS, ENTRY, ENTRY, len, len, 8].iter().for_each(|field| file.extend(field.to_be_bytes()));
    file.extend(code);
    file
}
