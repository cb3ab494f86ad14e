//! An x86 guest for KVM: a boot ROM that makes hypercalls in real mode or in long mode.
//!
//! The processor starts in 16-bit mode at the last 16 bytes of the ROM, which ends at 4 GiB. Bytes written to port
//! 0xe9 come out of QEMU; a write to port 0xf4 ends it.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};
use pv_abi::convention::{Call, Reply, VMCALL, VMMCALL, Width, X86};

use crate::qemu::{Image, run};

/// The program that runs it.
pub const QEMU: &str = "qemu-system-x86_64";
const ROM: usize = 0x1_0000;
const RESET: usize = 0xfff0;
/// Where the code is copied to and runs: KVM may replace a hypercall instruction by that of the host's maker.
const HOME: u16 = 0x8000;
const RAX: usize = 0;
/// Registers that a call may use, by number.
const REGISTERS: [usize; 5] = [0, 3, 1, 2, 6];
const TABLE: u16 = 0x1000;
const DESCRIPTORS: u16 = 0x5000;

/// Who runs the guest, and what stands where it makes its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// KVM, by the instruction of the processor's maker.
    Kvm([u8; 3]),
    /// QEMU by itself, which answers no hypercalls; instead of them the guest executes a `nop`.
    Qemu,
}

const NOP: [u8; 3] = [0x0f, 0x1f, 0x00];

impl Host {
    /// KVM on this host.
    ///
    /// # Errors
    /// Why it can not be used.
    pub fn kvm() -> Result<Host, String> {
        fs::File::options().read(true).write(true).open("/dev/kvm").map_err(|error| format!("no /dev/kvm: {error}"))?;
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        // KVM without hardware below it emulates vmcall by executing it again.
        let instructions = [("vmx", VMCALL), ("svm", VMMCALL)];
        let found = instructions.iter().find(|(flag, _)| cpus.split_ascii_whitespace().any(|word| word == *flag));
        found
            .map(|(_, instruction)| Host::Kvm(*instruction))
            .ok_or_else(|| "the processor has no vmx, no svm".to_owned())
    }
}

/// Makes `calls` in a guest, which runs in 16-bit real mode or in 64-bit mode. Returns the answers, each with the
/// registers as they were after the call.
///
/// # Errors
/// When QEMU fails, or the guest does not end.
pub fn calls(host: Host, width: Width, calls: &[Call]) -> Result<Vec<(Reply, [u64; 16])>> {
    let (machine, cpu, instruction) = match host {
        Host::Kvm(instruction) => ("pc,accel=kvm", "host", instruction),
        Host::Qemu => ("pc,accel=tcg", "max", NOP),
    };
    let rom = Image::new(&rom(width, instruction, calls)?)?;
    let mut command = Command::new(QEMU);
    command.args(["-M", machine, "-cpu", cpu, "-m", "16", "-nodefaults", "-display", "none", "-no-reboot"]);
    command.args(["-debugcon", "stdio", "-device", "isa-debug-exit,iobase=0xf4,iosize=1"]);
    command.arg("-bios").arg(&rom.0);
    let output = run(&mut command, "")?;
    let bytes = 8 * REGISTERS.len();
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.stdout.len() == bytes * calls.len(), "{} bytes came: {told}", output.stdout.len());
    let answer = |chunk: &[u8]| {
        let mut file = [0; 16];
        for (register, bytes) in REGISTERS.into_iter().zip(chunk.as_chunks::<8>().0) {
            file[register] = u64::from_le_bytes(*bytes);
        }
        let reply = X86.read_reply(width, &file).map_err(|missing| anyhow::anyhow!("{missing:?}"))?;
        Ok((reply, file))
    };
    output.stdout.chunks(bytes).map(answer).collect()
}

fn rom(width: Width, instruction: [u8; 3], calls: &[Call]) -> Result<Vec<u8>> {
    let mut code = Vec::new();
    // What stands before an instruction to make it work on the widest registers of the mode.
    let wide = if width == Width::Bits64 { 0x48 } else { 0x66 };
    if width == Width::Bits64 {
        enter_long_mode(&mut code);
    }
    for call in calls {
        let mut file = [0; 16];
        X86.write_call(width, call, &mut file).map_err(|missing| anyhow::anyhow!("{missing:?}"))?;
        for register in REGISTERS {
            // mov register, value
            code.extend([wide, 0xb8 + register as u8]);
            code.extend(&file[register].to_le_bytes()[..if width == Width::Bits64 { 8 } else { 4 }]);
        }
        code.extend(instruction);
        for register in REGISTERS {
            if register != RAX {
                code.extend([wide, 0x89, 0xc0 | (register as u8) << 3]); // mov rax, register
            }
            for _ in 0..8 {
                code.extend([0xe6, 0xe9]); // out 0xe9, al
                code.extend([wide, 0xc1, 0xe8, 8]); // shr rax, 8: in real mode zero after four times
            }
        }
    }
    code.extend([0xe6, 0xf4, 0xf4]); // out 0xf4, al; hlt
    let mut rom = vec![0xb9]; // mov cx, bytes
    rom.extend(u16::try_from(code.len())?.to_le_bytes());
    rom.extend([0x31, 0xf6, 0xbf]); // xor si, si; mov di, HOME
    rom.extend(HOME.to_le_bytes());
    rom.extend([0xf3, 0x2e, 0xa4, 0xea]); // rep movsb cs:; jmp 0:HOME
    rom.extend(HOME.to_le_bytes());
    rom.extend([0, 0]);
    ensure!(code.len() + rom.len() <= RESET, "{} bytes of code", code.len());
    let start = (code.len() as u16).wrapping_sub(RESET as u16 + 3).to_le_bytes();
    let mut image = [code, rom].concat();
    image.resize(ROM, 0xf4);
    image[RESET..RESET + 3].copy_from_slice(&[0xe9, start[0], start[1]]); // jmp to the copying
    Ok(image)
}

/// From real mode to 64-bit mode, with the first 2 MiB mapped where they are.
fn enter_long_mode(code: &mut Vec<u8>) {
    // Three levels of tables and two descriptors, in memory below 64 KiB, which is zero.
    let words: [(u16, u32); 7] = [
        (TABLE, (u32::from(TABLE) + 0x1000) | 3),
        (TABLE + 0x1000, (u32::from(TABLE) + 0x2000) | 3),
        (TABLE + 0x2000, 0x83),
        // 64-bit code, present, accessed.
        (DESCRIPTORS + 8, 0x0000_ffff),
        (DESCRIPTORS + 12, 0x00af_9b00),
        // What lgdt loads: limit and base.
        (DESCRIPTORS + 16, u32::from(DESCRIPTORS) << 16 | 15),
        (DESCRIPTORS + 20, 0),
    ];
    for (address, value) in words {
        code.extend([0x66, 0xc7, 0x06]); // mov dword [address], value
        code.extend(address.to_le_bytes());
        code.extend(value.to_le_bytes());
    }
    let load = |code: &mut Vec<u8>, register: u8, value: u32| {
        code.extend([0x66, 0xb8 + register]); // mov register, value
        code.extend(value.to_le_bytes());
    };
    code.extend([0x0f, 0x01, 0x16]); // lgdt [DESCRIPTORS + 16]
    code.extend((DESCRIPTORS + 16).to_le_bytes());
    load(code, 0, 0x20);
    code.extend([0x0f, 0x22, 0xe0]); // mov cr4, eax: PAE
    load(code, 0, TABLE.into());
    code.extend([0x0f, 0x22, 0xd8]); // mov cr3, eax
    load(code, 1, 0xc000_0080);
    load(code, 2, 0);
    load(code, 0, 0x100);
    code.extend([0x0f, 0x30]); // wrmsr: EFER.LME
    load(code, 0, 0x8000_0011);
    code.extend([0x0f, 0x22, 0xc0]); // mov cr0, eax: PG, ET, PE
    code.extend([0x66, 0xea]); // jmp 8:next
    let next = u32::from(HOME) + code.len() as u32 + 6;
    code.extend(next.to_le_bytes());
    code.extend([8, 0]);
}
