//! Kernels of a few instructions in big-endian ELF files: one segment at [`Kernel::BASE`] with the file's headers,
//! the code behind them, and data at fixed places for calls that take addresses.

use papr_abi::hcall::H_RTAS;
use papr_abi::rtas::Call;

/// `b .`
pub const FOREVER: [u32; 1] = [0x4800_0000];

/// A kernel.
pub struct Kernel {
    /// Instructions from the entry on.
    pub code: Vec<u32>,
    /// Size of the segment in memory.
    pub memory: u64,
    /// What stands at [`Kernel::TEXT`].
    pub text: Vec<u8>,
}

/// Code that makes an RTAS call with these inputs and one output, its argument buffer behind it.
pub fn service(call: Call, inputs: &[u32]) -> Vec<u32> {
    let code = [
        0x3c60_0000,                                 // lis r3, 0
        0x6063_0000 | H_RTAS as u32,                 // ori r3, r3, H_RTAS
        0x3c80_0000 | Kernel::BASE >> 16,            // lis r4, buffer@h
        0x6084_0000 | (Kernel::ENTRY + 24) & 0xffff, // ori r4, r4, buffer@l
        0x4400_0022,                                 // sc 1
        FOREVER[0],
    ];
    [&code, [call.token, inputs.len() as u32, 1].as_slice(), inputs, &[0]].concat()
}

impl Kernel {
    /// Where the file begins in memory.
    pub const BASE: u32 = 0x10_0000;
    /// The first instruction, behind the ELF headers.
    pub const ENTRY: u32 = Self::BASE + 64 + 56;
    /// Where a text stands.
    pub const TEXT: u32 = Self::BASE + 0x400;

    /// A kernel of these instructions.
    pub fn new(code: &[u32]) -> Kernel {
        Kernel { code: code.to_vec(), memory: 0x1000, text: Vec::new() }
    }

    /// Puts a string at [`Kernel::TEXT`].
    pub fn with_text(self, text: &str) -> Kernel {
        Kernel { text: text.as_bytes().to_vec(), ..self }
    }

    /// A 64-bit ELF file for PowerPC.
    pub fn elf(&self) -> Vec<u8> {
        let (base, entry) = (u64::from(Self::BASE), u64::from(Self::ENTRY));
        let mut code: Vec<u8> = self.code.iter().flat_map(|word| word.to_be_bytes()).collect();
        if !self.text.is_empty() {
            code.resize((Self::TEXT - Self::ENTRY) as usize, 0);
            code.extend(&self.text);
        }
        let size = entry - base + code.len() as u64;
        let identity = *b"\x7fELF\x02\x02\x01\0\0\0\0\0\0\0\0\0";
        let kind = [0, 2, 0, 21, 0, 0, 0, 1]; // ET_EXEC, EM_PPC64, version 1
        let tables = [0, 0, 0, 1, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0]; // ELFv1; sizes; one program header
        let load = [0, 0, 0, 1, 0, 0, 0, 7]; // PT_LOAD, RWX
        let numbers = |values: &[u64]| values.iter().flat_map(|value| value.to_be_bytes()).collect::<Vec<u8>>();
        let header = [&identity[..], &kind, &numbers(&[entry, 64, 0]), &tables].concat();
        let segment = [&load[..], &numbers(&[0, base, base, size, self.memory.max(size), 0x1_0000])].concat();
        [header, segment, code].concat()
    }

    /// The same as a 32-bit file.
    pub fn elf_32(&self) -> Vec<u8> {
        let code: Vec<u8> = self.code.iter().flat_map(|word| word.to_be_bytes()).collect();
        let size = 84 + code.len() as u32;
        let identity = *b"\x7fELF\x01\x02\x01\0\0\0\0\0\0\0\0\0";
        let kind = [0, 2, 0, 20, 0, 0, 0, 1]; // ET_EXEC, EM_PPC, version 1
        let tables = [0, 0, 0, 0, 0, 52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0];
        let numbers = |values: &[u32]| values.iter().flat_map(|value| value.to_be_bytes()).collect::<Vec<u8>>();
        let header = [&identity[..], &kind, &numbers(&[Self::BASE + 84, 52, 0]), &tables].concat();
        [header, numbers(&[1, 0, Self::BASE, Self::BASE, size, size, 7, 0x1_0000]), code].concat()
    }
}
