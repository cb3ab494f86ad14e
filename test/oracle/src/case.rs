//! A case: a processor state, some instructions, and what became of them.
//!
//! A [`State`] is a flat list of registers and a data area, so that transport, comparison, masks and text are loops
//! over one array. Engines translate it to their own shape.

use guest_mem::Order;
use ppc_isa::Cpu;

/// Index of each register in [`State::reg`]; GPR n has index n.
pub mod reg {
    /// Condition register.
    pub const CR: usize = 32;
    /// Fixed-point exception register.
    pub const XER: usize = 33;
    /// Link register.
    pub const LR: usize = 34;
    /// Count register.
    pub const CTR: usize = 35;
    /// Target address register.
    pub const TAR: usize = 36;
    /// Floating-point status and control register.
    pub const FPSCR: usize = 37;
    /// Vector status and control register.
    pub const VSCR: usize = 38;
    /// VRSAVE; USPRG0 on BookE, which has the same number.
    pub const VRSAVE: usize = 39;
    /// Doubleword 0 of VSR 0; doubleword `d` of VSR `n` has index `VSR + 2 * n + d`.
    pub const VSR: usize = 40;
    /// Upper word of GPR 0 as the signal processing engine sees it; that of GPR n has index `HIGH + n`.
    pub const HIGH: usize = VSR + 128;
    /// Accumulator of the signal processing engine.
    pub const ACC: usize = HIGH + 32;
    /// Status and control register of the signal processing engine.
    pub const SPEFSCR: usize = ACC + 1;
    /// Registers in all.
    pub const COUNT: usize = SPEFSCR + 1;

    const NAMES: [&str; 8] = ["cr", "xer", "lr", "ctr", "tar", "fpscr", "vscr", "vrsave"];

    /// The register's name: `r3`, `cr`, `vs34.0`, `r3.high`.
    pub fn name(index: usize) -> String {
        match index {
            0..CR => format!("r{index}"),
            CR..VSR => NAMES[index - CR].to_string(),
            VSR..HIGH => format!("vs{}.{}", (index - VSR) / 2, (index - VSR) % 2),
            HIGH..ACC => format!("r{}.high", index - HIGH),
            ACC => "acc".to_string(),
            _ => "spefscr".to_string(),
        }
    }

    /// The register called `name`.
    pub fn index(name: &str) -> Option<usize> {
        (0..COUNT).find(|&i| self::name(i) == name)
    }
}

/// Address of the data area.
pub const DATA: u64 = 0x4000;
/// Bytes of the data area.
pub const DATA_BYTES: usize = 512;
/// Where code slots begin.
pub const CODE: u64 = 0x100_0000;
/// Number of slots: cases that can be in flight at once, each with an address of its own.
pub const SLOTS: usize = 1024;
/// Bytes of a slot.
pub const SLOT_BYTES: u64 = 64;
/// Bytes that stand before a case in its slot.
pub const PREAMBLE_BYTES: u64 = 12;
/// The most words a case can have.
pub const MAX_WORDS: usize = 12;

/// Address of the first word of a case in `slot`.
pub fn address(slot: usize) -> u64 {
    CODE + slot as u64 * SLOT_BYTES + PREAMBLE_BYTES
}

/// Registers and data area; also a set of bits in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Registers by index, see [`reg`].
    pub reg: [u64; reg::COUNT],
    /// The bytes at [`DATA`].
    pub data: [u8; DATA_BYTES],
}

impl Default for State {
    fn default() -> State {
        State { reg: [0; reg::COUNT], data: [0; DATA_BYTES] }
    }
}

impl State {
    /// VSR `n` as a 128-bit number.
    pub fn vsr(&self, n: usize) -> u128 {
        u128::from(self.reg[reg::VSR + 2 * n]) << 64 | u128::from(self.reg[reg::VSR + 2 * n + 1])
    }
}

/// A state and the instructions to run on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// CPU model.
    pub cpu: Cpu,
    /// Byte order of data and instructions.
    pub order: Order,
    /// Slot, which gives the address of the first word.
    pub slot: usize,
    /// The instructions; the prefix of a prefixed one stands in the high half.
    pub words: Vec<u64>,
    /// State before the first.
    pub before: State,
}

impl Case {
    /// Address of the first word.
    pub fn address(&self) -> u64 {
        address(self.slot)
    }

    /// The instructions as words in memory, a prefix before its suffix.
    pub fn code(&self) -> impl Iterator<Item = u32> + '_ {
        self.words
            .iter()
            .flat_map(|&word| ((word >> 32 != 0).then_some((word >> 32) as u32)).into_iter().chain([word as u32]))
    }

    /// Address behind the last word.
    pub fn end(&self) -> u64 {
        self.address() + 4 * self.code().count() as u64
    }
}

/// How a case came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It ran to the address behind its last word.
    Done,
    /// Illegal instruction.
    Illegal,
    /// Privileged instruction.
    Privileged,
    /// Trap.
    Trap,
    /// Enabled floating-point exception.
    FloatEnabled,
    /// Alignment.
    Alignment,
    /// Nothing at a data address.
    Storage,
    /// A unit or facility was not available.
    Unavailable,
    /// It did not end in time.
    Endless,
    /// The engine died, or ended in a way that no case should.
    Broken,
}

impl Ending {
    /// All endings with their names in test files.
    pub const NAMES: [(Ending, &str); 10] = [
        (Ending::Done, "done"),
        (Ending::Illegal, "illegal"),
        (Ending::Privileged, "privileged"),
        (Ending::Trap, "trap"),
        (Ending::FloatEnabled, "float-enabled"),
        (Ending::Alignment, "alignment"),
        (Ending::Storage, "storage"),
        (Ending::Unavailable, "unavailable"),
        (Ending::Endless, "endless"),
        (Ending::Broken, "broken"),
    ];

    /// Name in test files.
    pub fn name(self) -> &'static str {
        Ending::NAMES.iter().find(|(e, _)| *e == self).map_or("", |(_, name)| name)
    }
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Final state.
    pub after: State,
    /// How it ended.
    pub ending: Ending,
    /// Words between the first and the one at which it ended.
    pub at: i64,
}

/// A part of the state, or the ending, that two outcomes do not share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Ending and place.
    Ending(Ending, i64, Ending, i64),
    /// A register: index, expected and found.
    Register(usize, u64, u64),
    /// A data byte: offset, expected and found.
    Data(usize, u8, u8),
}

/// Where `found` differs from `expected`, bits in `ignore` left out.
pub fn differences(expected: &Outcome, found: &Outcome, ignore: &State) -> Vec<Difference> {
    let mut all = Vec::new();
    if (expected.ending, expected.at) != (found.ending, found.at) {
        all.push(Difference::Ending(expected.ending, expected.at, found.ending, found.at));
    }
    for i in 0..reg::COUNT {
        let (a, b) = (expected.after.reg[i], found.after.reg[i]);
        if (a ^ b) & !ignore.reg[i] != 0 {
            all.push(Difference::Register(i, a, b));
        }
    }
    for i in 0..DATA_BYTES {
        let (a, b) = (expected.after.data[i], found.after.data[i]);
        if (a ^ b) & !ignore.data[i] != 0 {
            all.push(Difference::Data(i, a, b));
        }
    }
    all
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Difference::Ending(a, at, b, bt) => {
                write!(f, "ends {} at word {at}, found {} at word {bt}", a.name(), b.name())
            }
            Difference::Register(i, a, b) => write!(f, "{} {a:#018x}, found {b:#018x}", reg::name(*i)),
            Difference::Data(i, a, b) => write!(f, "data+{i:#x} {a:02x}, found {b:02x}"),
        }
    }
}
