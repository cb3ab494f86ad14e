//! ELF kernels for PowerPC: ELF32 and ELF64, either byte order.
//!
//! Contract: `read` answers with segments that lie wholly inside the file and whose addresses do not wrap, or with an
//! error that names the offset and the remedy. `e_entry` is handed on as it stands: for Linux it is a code address,
//! other big-endian ELFv1 programs may put the address of a function descriptor there.
//! Not its job: where the kernel is placed, relocation, and unpacking of compressed kernels.

use std::borrow::Cow;
use std::ops::Range;

pub use guest_mem::Order;
use object::Endianness;
use object::elf::{
    EF_PPC64_ABI, EM_386, EM_AARCH64, EM_ARM, EM_MIPS, EM_PPC, EM_PPC64, EM_RISCV, EM_S390, EM_SPARCV9, EM_X86_64,
    ET_DYN, ET_EXEC, FileHeader32, FileHeader64, PT_LOAD, SHT_SYMTAB,
};
use object::read::elf::{FileHeader, ProgramHeader, Sym};
use thiserror::Error;

/// Width of the addresses in the file (`EI_CLASS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 32-bit.
    Elf32,
    /// 64-bit.
    Elf64,
}

/// Calling convention of the kernel's own functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abi {
    /// 32-bit System V.
    SysV32,
    /// 64-bit with function descriptors; what big-endian files that name none use.
    ElfV1,
    /// 64-bit with local entry points; what little-endian files that name none use.
    ElfV2,
}

/// One `PT_LOAD` program header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Guest real address for which it was linked (`p_paddr`).
    pub physical: u64,
    /// Effective address at which the kernel uses it (`p_vaddr`).
    pub virtual_: u64,
    /// Where its bytes stand in the file.
    pub file: Range<usize>,
    /// Bytes in memory, at least `file.len()`; the rest is zero.
    pub memory_size: u64,
}

/// A kernel as its headers describe it; the bytes stay with the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Width of addresses.
    pub class: Class,
    /// Byte order of the file, and so of the kernel's data.
    pub order: Order,
    /// `e_entry` as it stands in the file.
    pub entry: u64,
    /// Calling convention.
    pub abi: Abi,
    /// What is to be loaded, in file order; never empty.
    pub segments: Vec<Segment>,
}

/// One entry of `.symtab`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol<'data> {
    /// Name; bytes that are not UTF-8 are replaced.
    pub name: Cow<'data, str>,
    /// Effective address (`st_value`).
    pub value: u64,
    /// Bytes, 0 if unknown.
    pub size: u64,
}

/// Why a file is no kernel we can load.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ElfError {
    /// The file does not begin with the ELF magic, and nothing else is known of it.
    #[error("not an ELF file (first bytes {start:02x?}): give the uncompressed vmlinux of a PowerPC kernel")]
    NotElf {
        /// Up to four bytes from the start of the file.
        start: Vec<u8>,
    },
    /// The file is of a known other kind.
    #[error("not an ELF file but {kind}: {advice}")]
    OtherKind {
        /// What it is.
        kind: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// An ELF file for another processor.
    #[error("this kernel is for {name} (ELF machine {machine}): give one for PowerPC")]
    WrongMachine {
        /// Name of that machine.
        name: &'static str,
        /// `e_machine`.
        machine: u16,
    },
    /// PowerPC's number with the wrong class, as in a 32-bit file that claims 64-bit PowerPC.
    #[error("ELF machine {machine} does not go with {class:?}: the file is damaged")]
    ClassMismatch {
        /// `e_machine`.
        machine: u16,
        /// Class found.
        class: Class,
    },
    /// A header field holds a value that the format does not know.
    #[error("{field} at offset {offset:#x} is {value}, not {expected}")]
    Field {
        /// ELF's name of the field.
        field: &'static str,
        /// Where it stands.
        offset: u64,
        /// What it holds.
        value: u64,
        /// What it may hold.
        expected: &'static str,
    },
    /// The file ends before something that its headers describe.
    #[error("{what} needs bytes {offset:#x}..{end:#x}, but the file ends at {length:#x}: it is truncated")]
    Truncated {
        /// What is missing.
        what: String,
        /// Its first byte.
        offset: u64,
        /// The byte after its last; `u64::MAX` if the sum overflows.
        end: u64,
        /// Length of the file.
        length: u64,
    },
    /// A segment has more bytes in the file than in memory, or wraps around the address space.
    #[error(
        "segment {index} (address {address:#x}, {file_size:#x} bytes in the file, {memory_size:#x} in memory) {fault}"
    )]
    Segment {
        /// Number of the program header.
        index: usize,
        /// `p_paddr` or `p_vaddr`, whichever is wrong.
        address: u64,
        /// `p_filesz`.
        file_size: u64,
        /// `p_memsz`.
        memory_size: u64,
        /// What is wrong.
        fault: &'static str,
    },
    /// No segment is to be loaded.
    #[error("the file has no PT_LOAD segment: give a linked kernel (vmlinux), not an object file or debug file")]
    NothingToLoad,
    /// A Linux boot wrapper around a compressed kernel.
    #[error("this is a zImage, a boot wrapper around a kernel: give the vmlinux it was made from")]
    BootWrapper,
}

/// Kinds of file that people hand in by mistake: where a mark stands, the mark, what it is, what to do.
#[rustfmt::skip]
const OTHER_KINDS: &[(usize, &[u8], &str, &str)] = &[
    (0,     b"\x1f\x8b",         "gzip data",                "unpack it first (gunzip)"),
    (0,     b"\xfd7zXZ\0",       "xz data",                  "unpack it first (unxz)"),
    (0,     b"\x28\xb5\x2f\xfd", "zstd data",                "unpack it first (unzstd)"),
    (0,     b"BZh",              "bzip2 data",               "unpack it first (bunzip2)"),
    (0,     b"\x02\x21\x4c\x18", "lz4 data",                 "unpack it first (unlz4)"),
    (0,     b"\x27\x05\x19\x56", "a U-Boot uImage",          "give the vmlinux it was made from"),
    (0,     b"\xd0\x0d\xfe\xed", "a flattened device tree",  "give a kernel (vmlinux)"),
    (0,     b"070701",           "a cpio archive",           "give it with --initrd, and a vmlinux with --kernel"),
    (0,     b"!<arch>\ndebian",  "a Debian package",         "unpack it (dpkg-deb -x) and give its boot/vmlinux-*"),
    (0x202, b"HdrS",             "an x86 bzImage",           "give a vmlinux for PowerPC"),
    (0x24,  b"\x18\x28\x6f\x01", "an ARM zImage",            "give a vmlinux for PowerPC"),
    (0x38,  b"ARM\x64",          "an AArch64 Image",         "give a vmlinux for PowerPC"),
    (0,     b"MZ",               "a PE executable",          "give a vmlinux for PowerPC"),
];

/// Machines whose kernels are at hand, by the name people use.
#[rustfmt::skip]
const OTHER_MACHINES: &[(u16, &str)] = &[
    (EM_386, "x86"), (EM_X86_64, "x86-64"), (EM_ARM, "ARM"), (EM_AARCH64, "AArch64"), (EM_RISCV, "RISC-V"),
    (EM_S390, "s390"), (EM_MIPS, "MIPS"), (EM_SPARCV9, "SPARC"),
];

/// Section in which Linux's boot wrapper keeps the kernel.
const WRAPPED_KERNEL: &[u8] = b".kernel:vmlinux";

/// Offsets of fields that have the same place in both classes.
mod at {
    pub const CLASS: usize = 4;
    pub const DATA: usize = 5;
    pub const VERSION: usize = 6;
    pub const TYPE: usize = 16;
}

/// Reads the headers of a kernel.
pub fn read(data: &[u8]) -> Result<Kernel, ElfError> {
    if !data.starts_with(b"\x7fELF") {
        return Err(not_elf(data));
    }
    match ident(data, at::CLASS)? {
        1 => read_class::<FileHeader32<Endianness>>(data),
        2 => read_class::<FileHeader64<Endianness>>(data),
        value => Err(field("e_ident[EI_CLASS]", at::CLASS, value, "1 (32-bit) or 2 (64-bit)")),
    }
}

impl Kernel {
    /// The symbols of `data`, the file this kernel was read from; none if it is stripped or its table is damaged.
    pub fn symbols<'data>(&self, data: &'data [u8]) -> Box<dyn Iterator<Item = Symbol<'data>> + 'data> {
        match self.class {
            Class::Elf32 => symbols::<FileHeader32<Endianness>>(data),
            Class::Elf64 => symbols::<FileHeader64<Endianness>>(data),
        }
    }
}

fn not_elf(data: &[u8]) -> ElfError {
    let known = OTHER_KINDS.iter().find(|(offset, mark, ..)| data.get(*offset..).is_some_and(|d| d.starts_with(mark)));
    match known {
        Some(&(_, _, kind, advice)) => ElfError::OtherKind { kind, advice },
        None => ElfError::NotElf { start: data.iter().copied().take(4).collect() },
    }
}

fn field(field: &'static str, offset: usize, value: impl Into<u64>, expected: &'static str) -> ElfError {
    ElfError::Field { field, offset: offset as u64, value: value.into(), expected }
}

fn ident(data: &[u8], offset: usize) -> Result<u8, ElfError> {
    data.get(offset).copied().ok_or_else(|| truncated(data, "the ELF header", offset as u64, 1))
}

fn truncated(data: &[u8], what: impl Into<String>, offset: u64, size: u64) -> ElfError {
    ElfError::Truncated { what: what.into(), offset, end: offset.saturating_add(size), length: data.len() as u64 }
}

fn read_class<H: FileHeader<Endian = Endianness>>(data: &[u8]) -> Result<Kernel, ElfError> {
    let order = match ident(data, at::DATA)? {
        1 => Order::Little,
        2 => Order::Big,
        value => return Err(field("e_ident[EI_DATA]", at::DATA, value, "1 (little-endian) or 2 (big-endian)")),
    };
    let version = ident(data, at::VERSION)?;
    if version != 1 {
        return Err(field("e_ident[EI_VERSION]", at::VERSION, version, "1"));
    }
    let header = H::parse(data).map_err(|_| truncated(data, "the ELF header", 0, size_of::<H>() as u64))?;
    let endian = if order == Order::Big { Endianness::Big } else { Endianness::Little };

    let class = if header.is_type_64() { Class::Elf64 } else { Class::Elf32 };
    let abi = abi(header.e_machine(endian), class, order, header.e_flags(endian))?;
    let kind = header.e_type(endian);
    if kind != ET_EXEC && kind != ET_DYN {
        return Err(field("e_type", at::TYPE, kind, "2 (executable) or 3 (position-independent)"));
    }
    if is_boot_wrapper(header, endian, data) {
        return Err(ElfError::BootWrapper);
    }

    let entry_size = header.e_phentsize(endian);
    if header.e_phnum(endian) != 0 && usize::from(entry_size) != size_of::<H::ProgramHeader>() {
        let offset = if class == Class::Elf64 { 54 } else { 42 };
        return Err(field("e_phentsize", offset, entry_size, "32 (32-bit) or 56 (64-bit)"));
    }
    let headers = header.program_headers(endian, data).map_err(|_| {
        let size = u64::from(header.e_phnum(endian)) * u64::from(entry_size);
        truncated(data, "the program header table", header.e_phoff(endian).into(), size)
    })?;
    let loads = headers.iter().enumerate().filter(|(_, h)| h.p_type(endian) == PT_LOAD);
    let segments = loads.map(|(index, h)| segment(index, h, endian, data)).collect::<Result<Vec<_>, _>>()?;
    if segments.is_empty() {
        return Err(ElfError::NothingToLoad);
    }
    Ok(Kernel { class, order, entry: header.e_entry(endian).into(), abi, segments })
}

/// The low two bits of `e_flags` name the ABI of 64-bit files (64-bit ELF V2 ABI, 4.1.1); 0 leaves it open.
fn abi(machine: u16, class: Class, order: Order, flags: u32) -> Result<Abi, ElfError> {
    match (machine, class) {
        (EM_PPC, Class::Elf32) => Ok(Abi::SysV32),
        (EM_PPC64, Class::Elf64) => match (flags & EF_PPC64_ABI, order) {
            (1, _) | (0, Order::Big) => Ok(Abi::ElfV1),
            (2, _) | (0, Order::Little) => Ok(Abi::ElfV2),
            (value, _) => Err(field("e_flags (ABI bits)", 48, value, "0, 1 or 2")),
        },
        (EM_PPC | EM_PPC64, _) => Err(ElfError::ClassMismatch { machine, class }),
        _ => {
            let name = OTHER_MACHINES.iter().find(|(number, _)| *number == machine).map_or("another machine", |m| m.1);
            Err(ElfError::WrongMachine { name, machine })
        }
    }
}

fn is_boot_wrapper<H: FileHeader>(header: &H, endian: H::Endian, data: &[u8]) -> bool {
    header.sections(endian, data).is_ok_and(|sections| {
        sections.iter().any(|s| sections.section_name(endian, s).is_ok_and(|name| name.starts_with(WRAPPED_KERNEL)))
    })
}

fn segment<P: ProgramHeader>(index: usize, h: &P, endian: P::Endian, data: &[u8]) -> Result<Segment, ElfError> {
    let (file_size, memory_size) = (h.p_filesz(endian).into(), h.p_memsz(endian).into());
    let wrong = |address, fault| ElfError::Segment { index, address, file_size, memory_size, fault };

    let (physical, virtual_): (u64, u64) = (h.p_paddr(endian).into(), h.p_vaddr(endian).into());
    if file_size > memory_size {
        return Err(wrong(physical, "has more bytes in the file than in memory: the file is damaged"));
    }
    let last_address = if size_of::<P::Word>() == 4 { u64::from(u32::MAX) } else { u64::MAX };
    for address in [physical, virtual_] {
        let last = address.checked_add(memory_size.saturating_sub(1));
        if last.is_none_or(|last| last > last_address) {
            return Err(wrong(address, "goes beyond the end of the address space: the file is damaged"));
        }
    }
    let offset: u64 = h.p_offset(endian).into();
    let bytes = usize::try_from(offset).ok().zip(usize::try_from(file_size).ok());
    let file = bytes.and_then(|(start, size)| Some(start..start.checked_add(size)?));
    match file.filter(|range| range.end <= data.len()) {
        Some(file) => Ok(Segment { physical, virtual_, file, memory_size }),
        None => Err(truncated(data, format!("segment {index}"), offset, file_size)),
    }
}

fn symbols<'data, H>(data: &'data [u8]) -> Box<dyn Iterator<Item = Symbol<'data>> + 'data>
where
    H: FileHeader<Endian = Endianness> + 'data,
    H::Sym: 'data,
{
    let table = H::parse(data).ok().and_then(|header| {
        let endian = header.endian().ok()?;
        let table = header.sections(endian, data).ok()?.symbols(endian, data, SHT_SYMTAB).ok()?;
        Some((endian, table))
    });
    let Some((endian, table)) = table else { return Box::new(std::iter::empty()) };
    let strings = table.strings();
    Box::new(table.symbols().iter().filter_map(move |symbol| {
        let name = symbol.name(endian, strings).ok().filter(|name| !name.is_empty())?;
        Some(Symbol {
            name: String::from_utf8_lossy(name),
            value: symbol.st_value(endian).into(),
            size: symbol.st_size(endian).into(),
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one segment of four bytes, a symbol table and its strings, written field by field.
    struct Builder {
        class: Class,
        order: Order,
        bytes: Vec<u8>,
    }

    impl Builder {
        fn number(&mut self, value: u64, size: usize) {
            match self.order {
                Order::Big => self.bytes.extend(&value.to_be_bytes()[8 - size..]),
                Order::Little => self.bytes.extend(&value.to_le_bytes()[..size]),
            }
        }
        fn half(&mut self, value: u64) {
            self.number(value, 2);
        }
        fn word(&mut self, value: u64) {
            self.number(value, 4);
        }
        /// A field as wide as an address.
        fn address(&mut self, value: u64) {
            self.number(value, if self.class == Class::Elf64 { 8 } else { 4 });
        }
    }

    const CODE: &[u8] = b"\x48\0\0\0";
    const STRINGS: &[u8] = b"\0_start\0.kernel:vmlinux\0";

    #[derive(Clone, Copy)]
    struct Shape {
        class: Class,
        order: Order,
        machine: u16,
        flags: u32,
        paddr: u64,
        file_size: u64,
        memory_size: u64,
        section_name: u32,
    }

    const BE64: Shape = Shape {
        class: Class::Elf64,
        order: Order::Big,
        machine: EM_PPC64,
        flags: 0,
        paddr: 0x10_0000,
        file_size: 4,
        memory_size: 0x100,
        section_name: 1,
    };
    const LE64: Shape = Shape { order: Order::Little, flags: 2, ..BE64 };
    const BE32: Shape = Shape { class: Class::Elf32, machine: EM_PPC, ..BE64 };
    const LE32: Shape = Shape { order: Order::Little, ..BE32 };

    fn build(shape: Shape) -> Vec<u8> {
        let wide = shape.class == Class::Elf64;
        let (header, program, section, symbol) = if wide { (64, 56, 64, 24) } else { (52, 32, 40, 16) };
        let code = header + program;
        let symtab = code + CODE.len() as u64;
        let strtab = symtab + 2 * symbol;
        let sections = strtab + STRINGS.len() as u64;

        let mut b = Builder { class: shape.class, order: shape.order, bytes: b"\x7fELF".to_vec() };
        b.bytes.extend([1 + u8::from(wide), 1 + u8::from(shape.order == Order::Big), 1]);
        b.bytes.resize(16, 0);
        b.half(2);
        b.half(shape.machine.into());
        b.word(1);
        b.address(0x10_0008);
        b.address(header);
        b.address(sections);
        b.word(shape.flags.into());
        [header, program, 1, section, 3, 2].into_iter().for_each(|value| b.half(value));

        b.word(1);
        if wide {
            b.word(5);
        }
        [code, 0xc000_0000, shape.paddr, shape.file_size, shape.memory_size].into_iter().for_each(|v| b.address(v));
        if !wide {
            b.word(5);
        }
        b.address(4);

        b.bytes.extend(CODE);
        b.bytes.resize((symtab + symbol) as usize, 0);
        b.word(1);
        if wide {
            b.word(0);
            b.address(0xc000_0000);
            b.address(4);
        } else {
            b.address(0xc000_0000);
            b.address(4);
            b.word(0);
        }
        b.bytes.extend(STRINGS);

        b.bytes.resize((sections + section) as usize, 0);
        for (name, kind, offset, size, link) in
            [(shape.section_name, 2, symtab, 2 * symbol, 2), (0, 3, strtab, STRINGS.len() as u64, 0)]
        {
            b.word(name.into());
            b.word(kind);
            [0, 0, offset, size].into_iter().for_each(|value| b.address(value));
            b.word(link);
            b.word(0);
            b.address(1);
            b.address(if kind == 2 { symbol } else { 0 });
        }
        b.bytes
    }

    #[test]
    fn every_class_and_order_is_read() {
        for (shape, abi) in [(BE64, Abi::ElfV1), (LE64, Abi::ElfV2), (BE32, Abi::SysV32), (LE32, Abi::SysV32)] {
            let file = build(shape);
            let kernel = read(&file).unwrap();
            assert_eq!((kernel.class, kernel.order, kernel.abi), (shape.class, shape.order, abi));
            assert_eq!(kernel.entry, 0x10_0008);
            let [segment] = &kernel.segments[..] else { panic!("{:?}", kernel.segments) };
            assert_eq!((segment.physical, segment.virtual_, segment.memory_size), (0x10_0000, 0xc000_0000, 0x100));
            assert_eq!(&file[segment.file.clone()], CODE);
            let symbols: Vec<_> = kernel.symbols(&file).collect();
            assert_eq!(symbols, [Symbol { name: "_start".into(), value: 0xc000_0000, size: 4 }]);
        }
    }

    #[test]
    fn truncation_anywhere_is_an_error_until_the_segment_is_whole() {
        for shape in [BE64, LE64, BE32, LE32] {
            let file = build(shape);
            let whole = read(&file).unwrap().segments[0].file.end;
            for length in 0..file.len() {
                let answer = read(&file[..length]);
                match &answer {
                    Ok(kernel) => _ = kernel.symbols(&file[..length]).count(),
                    Err(e @ (ElfError::Truncated { .. } | ElfError::NotElf { .. })) => _ = e.to_string(),
                    Err(other) => panic!("{length}: {other}"),
                }
                assert_eq!(answer.is_ok(), length >= whole, "{length}");
            }
        }
    }

    #[test]
    fn any_byte_may_be_anything() {
        for shape in [BE64, LE64, BE32, LE32] {
            let file = build(shape);
            for at in 0..file.len() {
                for value in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut bad = file.clone();
                    bad[at] = value;
                    if let Ok(kernel) = read(&bad) {
                        assert!(kernel.segments.iter().all(|s| bad.get(s.file.clone()).is_some()));
                        kernel.symbols(&bad).count();
                    }
                }
            }
        }
    }

    #[test]
    fn other_machines_are_named() {
        let error = read(&build(Shape { machine: EM_X86_64, order: Order::Little, ..BE64 })).unwrap_err();
        assert_eq!(error, ElfError::WrongMachine { name: "x86-64", machine: 62 });
        assert_eq!(error.to_string(), "this kernel is for x86-64 (ELF machine 62): give one for PowerPC");
        let error = read(&build(Shape { machine: EM_PPC, ..BE64 })).unwrap_err();
        assert_eq!(error, ElfError::ClassMismatch { machine: EM_PPC, class: Class::Elf64 });
    }

    #[test]
    fn other_kinds_of_file_are_named() {
        for &(offset, mark, kind, advice) in OTHER_KINDS {
            let mut file = vec![0; offset];
            file.extend(mark);
            assert_eq!(read(&file), Err(ElfError::OtherKind { kind, advice }));
        }
        assert_eq!(read(b"ab"), Err(ElfError::NotElf { start: b"ab".to_vec() }));
        assert_eq!(read(b""), Err(ElfError::NotElf { start: vec![] }));
    }

    #[test]
    fn segments_must_fit() {
        let segment = |shape| match read(&build(shape)) {
            Err(ElfError::Segment { fault, .. }) => fault.split_once(':').unwrap().0,
            other => panic!("{other:?}"),
        };
        assert_eq!(segment(Shape { memory_size: 3, ..LE64 }), "has more bytes in the file than in memory");
        for bad in [
            Shape { paddr: u64::MAX, ..LE64 },
            Shape { memory_size: u64::MAX, ..LE64 },
            Shape { paddr: 0xffff_ff01, ..BE32 },
        ] {
            assert_eq!(segment(bad), "goes beyond the end of the address space");
        }
        assert!(read(&build(Shape { paddr: 0xffff_ff00, ..BE32 })).is_ok());
        let huge = read(&build(Shape { file_size: 1 << 62, memory_size: 1 << 62, ..BE64 })).unwrap_err();
        assert!(matches!(huge, ElfError::Truncated { end, .. } if end > 1 << 62), "{huge}");
    }

    #[test]
    fn a_boot_wrapper_is_refused() {
        let name = STRINGS.iter().position(|byte| *byte == b'.').unwrap() as u32;
        assert_eq!(read(&build(Shape { section_name: name, ..BE32 })), Err(ElfError::BootWrapper));
    }
}
