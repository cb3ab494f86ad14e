//! How a hypercall travels in registers, for each architecture that KVM runs on: encoding and decoding, for the side
//! that asks and for the side that answers.
//!
//! A register file is a slice indexed by the architecture's own register numbers (x86: rax 0, rcx 1, rdx 2, rbx 3,
//! rsi 6, as in the encoding of instructions).

/// An architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    /// x86, 32 and 64 bits.
    X86,
    /// PowerPC, 32 and 64 bits.
    PowerPc,
    /// s390x.
    S390,
    /// MIPS.
    Mips,
    /// LoongArch.
    LoongArch,
}

impl Arch {
    /// All of them.
    pub const ALL: [Arch; 5] = [Arch::X86, Arch::PowerPc, Arch::S390, Arch::Mips, Arch::LoongArch];

    /// Its usual name.
    pub const fn name(self) -> &'static str {
        match self {
            Arch::X86 => "x86",
            Arch::PowerPc => "powerpc",
            Arch::S390 => "s390",
            Arch::Mips => "mips",
            Arch::LoongArch => "loongarch",
        }
    }

    /// Its convention.
    pub const fn convention(self) -> &'static Convention {
        match self {
            Arch::X86 => &X86,
            Arch::PowerPc => &POWERPC,
            Arch::S390 => &S390,
            Arch::Mips => &MIPS,
            Arch::LoongArch => &LOONGARCH,
        }
    }
}

/// Most arguments that any convention has.
pub const MAX_ARGUMENTS: usize = 8;
/// Most outputs, beside the status, that any convention has.
pub const MAX_OUTPUTS: usize = 8;

/// A register by number and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Index in the register file.
    pub index: usize,
    /// Name.
    pub name: &'static str,
}

/// Which register holds what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convention {
    /// The architecture.
    pub arch: Arch,
    /// The instruction, as an assembler writes it.
    pub instruction: &'static str,
    /// The call's number.
    pub number: Register,
    /// Arguments in order.
    pub arguments: &'static [Register],
    /// The status.
    pub status: Register,
    /// Outputs beside the status.
    pub outputs: &'static [Register],
    /// Whether errors are negative. Otherwise every status but 0 is one.
    pub negative_errors: bool,
}

const fn r(index: usize, name: &'static str) -> Register {
    Register { index, name }
}

/// x86: up to four arguments; nothing but rax changes.
pub const X86: Convention = Convention {
    arch: Arch::X86,
    instruction: "vmcall (Intel) or vmmcall (AMD)",
    number: r(0, "rax"),
    arguments: &[r(3, "rbx"), r(1, "rcx"), r(2, "rdx"), r(6, "rsi")],
    status: r(0, "rax"),
    outputs: &[],
    negative_errors: true,
};

/// PowerPC: ePAPR's convention, with the token as number.
pub const POWERPC: Convention = Convention {
    arch: Arch::PowerPc,
    instruction: "the words of the device tree's hcall-instructions",
    number: r(11, "r11"),
    arguments: &[r(3, "r3"), r(4, "r4"), r(5, "r5"), r(6, "r6"), r(7, "r7"), r(8, "r8"), r(9, "r9"), r(10, "r10")],
    status: r(3, "r3"),
    outputs: &[r(4, "r4"), r(5, "r5"), r(6, "r6"), r(7, "r7"), r(8, "r8"), r(9, "r9"), r(10, "r10"), r(11, "r11")],
    negative_errors: false,
};

/// s390: `diag` with function code 0x500, the subcode as number.
pub const S390: Convention = Convention {
    arch: Arch::S390,
    instruction: "diag 2,4,0x500",
    number: r(1, "r1"),
    arguments: &[r(2, "r2"), r(3, "r3"), r(4, "r4"), r(5, "r5"), r(6, "r6"), r(7, "r7")],
    status: r(2, "r2"),
    outputs: &[],
    negative_errors: true,
};

/// MIPS with virtualization extensions.
pub const MIPS: Convention = Convention {
    arch: Arch::Mips,
    instruction: "hypcall 0",
    number: r(2, "v0"),
    arguments: &[r(4, "a0"), r(5, "a1"), r(6, "a2"), r(7, "a3")],
    status: r(2, "v0"),
    outputs: &[],
    negative_errors: true,
};

/// LoongArch with virtualization extensions; user space has a code of its own.
pub const LOONGARCH: Convention = Convention {
    arch: Arch::LoongArch,
    instruction: "hvcl 0x100",
    number: r(4, "a0"),
    arguments: &[r(5, "a1"), r(6, "a2"), r(7, "a3"), r(8, "a4"), r(9, "a5")],
    status: r(4, "a0"),
    outputs: &[],
    negative_errors: true,
};

/// A call as values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Number, token or subcode.
    pub number: u64,
    /// Arguments; those that the convention has no register for do not exist.
    pub arguments: [u64; MAX_ARGUMENTS],
}

/// An answer as values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Status, or the result where that is the same register.
    pub status: i64,
    /// Outputs; those that the convention has no register for do not exist.
    pub outputs: [u64; MAX_OUTPUTS],
}

/// How wide the registers of the caller are in its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 32 bits: x86 outside long mode, PowerPC with MSR\[SF\] = 0.
    Bits32,
    /// 64 bits.
    Bits64,
}

impl Width {
    fn of(self, value: u64) -> u64 {
        match self {
            Width::Bits32 => value & 0xffff_ffff,
            Width::Bits64 => value,
        }
    }

    fn signed(self, value: u64) -> i64 {
        match self {
            Width::Bits32 => i64::from(value as u32 as i32),
            Width::Bits64 => value as i64,
        }
    }
}

/// A register that the register file does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRegister(pub Register);

fn get(file: &[u64], register: Register) -> Result<u64, NoRegister> {
    file.get(register.index).copied().ok_or(NoRegister(register))
}

fn set(file: &mut [u64], register: Register, value: u64) -> Result<(), NoRegister> {
    *file.get_mut(register.index).ok_or(NoRegister(register))? = value;
    Ok(())
}

impl Convention {
    /// Guest: puts a call into registers. Registers beyond the call's are untouched.
    ///
    /// # Errors
    /// The first register that `file` does not have.
    pub fn write_call(&self, width: Width, call: &Call, file: &mut [u64]) -> Result<(), NoRegister> {
        set(file, self.number, width.of(call.number))?;
        self.arguments
            .iter()
            .zip(call.arguments)
            .try_for_each(|(&register, value)| set(file, register, width.of(value)))
    }

    /// Host: takes a call from registers. A token of PowerPC has 32 bits in every mode.
    ///
    /// # Errors
    /// The first register that `file` does not have.
    pub fn read_call(&self, width: Width, file: &[u64]) -> Result<Call, NoRegister> {
        let number = get(file, self.number)?;
        let number = if self.arch == Arch::PowerPc { number & 0xffff_ffff } else { width.of(number) };
        let mut call = Call { number, ..Call::default() };
        for (argument, &register) in call.arguments.iter_mut().zip(self.arguments) {
            *argument = width.of(get(file, register)?);
        }
        Ok(call)
    }

    /// Host: puts an answer into registers; nothing else changes.
    ///
    /// # Errors
    /// The first register that `file` does not have.
    pub fn write_reply(&self, width: Width, reply: &Reply, file: &mut [u64]) -> Result<(), NoRegister> {
        set(file, self.status, width.of(reply.status as u64))?;
        self.outputs.iter().zip(reply.outputs).try_for_each(|(&register, value)| set(file, register, width.of(value)))
    }

    /// Guest: takes an answer from registers.
    ///
    /// # Errors
    /// The first register that `file` does not have.
    pub fn read_reply(&self, width: Width, file: &[u64]) -> Result<Reply, NoRegister> {
        let mut reply = Reply { status: width.signed(get(file, self.status)?), ..Reply::default() };
        for (output, &register) in reply.outputs.iter_mut().zip(self.outputs) {
            *output = width.of(get(file, register)?);
        }
        Ok(reply)
    }

    /// Guest: whether a status says that the call failed. Linux sees no difference between "not implemented" by the
    /// hypervisor, and the -1 of a stub without a hypervisor behind it.
    pub fn failed(&self, status: i64) -> bool {
        if self.negative_errors { status < 0 } else { status != 0 }
    }
}

/// `vmcall`, Intel's instruction.
pub const VMCALL: [u8; 3] = [0x0f, 0x01, 0xc1];
/// `vmmcall`, AMD's instruction.
pub const VMMCALL: [u8; 3] = [0x0f, 0x01, 0xd9];
/// `diag 2,4,0x500`: code 83, R1 = 2, R3 = 4, no base, displacement 0x500.
pub const DIAG_500: [u8; 4] = [0x83, 0x24, 0x05, 0x00];
/// `hypcall 0`.
pub const HYPCALL: u32 = 0x4200_0028;
/// `hvcl 0x100`.
pub const HVCL: u32 = 0x002b_8100;

#[cfg(test)]
mod tests;
