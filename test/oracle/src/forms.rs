//! Which words and operands make a legal case: rows left out, invalid forms, how addresses are formed.
//!
//! What is written here is what the instruction table does not say because no engine needs it: the Power ISA calls a
//! form invalid, or leaves its effect to the implementation, and so nothing can be compared.

use guest_mem::Order;
use ppc_isa::branch::{Branch, Register};
use ppc_isa::cpu::{ALL, ALTIVEC, BOOKE, CLASSIC, E5500, E6500, Models, SERVER, SPE};
use ppc_isa::loadstore::LoadStore;
use ppc_isa::op::{Integer, Op};
use ppc_isa::operand::{Access, Kind, Operand, operands};
use ppc_isa::row::fact;
use ppc_isa::spe::Spe;
use ppc_isa::{Cpu, Row, spr};

use crate::qemu::{NEVER, Version};
use crate::undefined;
use crate::values::Chance;

/// Why `row` cannot be compared with this version of QEMU in this byte order, or `None` when it can.
pub fn left_out(row: &Row, qemu: Version, cpu: Cpu, order: Order) -> Option<&'static str> {
    use LoadStore::{LoadMultiple, LoadString, StoreMultiple, StoreString};
    match row.op {
        _ if row.is(fact::VOLATILE) => Some("depends on time or chance"),
        Op::Branch(Branch::Sc | Branch::Scv) => Some("leaves the sequence"),
        Op::Branch(Branch::Absent) => Some("its facility is absent here, the instruction in QEMU"),
        Op::Branch(Branch::ReturnFromEvent | Branch::ClearHistory | Branch::FromHistory) => {
            Some("privileged in user-mode QEMU")
        }
        Op::LoadStore(LoadMultiple | StoreMultiple | LoadString { .. } | StoreString { .. })
            if order == Order::Little =>
        {
            Some("user-mode QEMU aborts on the alignment interrupt")
        }
        _ if DOUBLE_PAIRS.contains(&row.name) && order == Order::Little => Some("QEMU swaps the two registers"),
        _ if ABSENT
            .iter()
            .any(|&(names, models, until)| names.contains(&row.name) && models.contains(cpu) && qemu < until) =>
        {
            Some("illegal in QEMU on this CPU")
        }
        _ if UNPRIVILEGED.contains(&row.name) => Some("problem state may do it in QEMU"),
        Op::Spe(_) if undefined::absent(row) => Some("QEMU does not have it"),
        Op::Spe(_) if undefined::merged_wrongly(row) => Some("QEMU puts the results at the wrong bits"),
        Op::LoadStore(LoadStore::BlockZero) if cpu == Cpu::E6500 => Some("QEMU clears 32 bytes, a block has 64"),
        Op::LoadStore(LoadStore::Hash { .. }) => Some("the key is a random number in user-mode QEMU"),
        Op::LoadStore(LoadStore::ReservedNoOp) if row.fields().is_empty() => Some("illegal in QEMU"),
        Op::LoadStore(LoadStore::External { .. }) => Some("the facility is off here, and on in QEMU"),
        Op::LoadStore(LoadStore::CopyPaste(_) | LoadStore::Wait) => Some("effect is the implementation's choice"),
        _ => None,
    }
}

/// The byte orders in which `cpu` is compared.
pub fn orders(cpu: Cpu) -> &'static [Order] {
    if SERVER.contains(cpu) { &[Order::Big, Order::Little] } else { &[Order::Big] }
}

/// Rows that QEMU calls illegal on some models, up to some version.
const ABSENT: [(&[&str], Models, Version); 9] = [
    (&["slbfee.", "rfscv"], SERVER, NEVER),
    (&["rfmci"], SPE, NEVER),
    (&["tlbld", "tlbli"], Models::of(&[Cpu::Ppc7450]), NEVER),
    (&["mtpmr", "mftmr", "lvepx", "lvepxl", "stvepx", "stvepxl"], BOOKE, NEVER),
    (&["vabsdub", "vabsduh", "vabsduw"], E6500, NEVER),
    (&["icbt"], SERVER, NEVER),
    // Of Power ISA 2.05 and 2.06; compared on POWER8.
    (&["cmpb", "prtyw", "prtyd", "ldbrx", "stdbrx"], E5500, NEVER),
    (&["icbt", "dcbtstls", "dcbtls", "icblc", "icbtls", "mfpmr"], BOOKE, NEVER),
    (&["dcblc"], BOOKE, Version(10, 0, 0)),
];

/// Privileged (Power ISA 2.06 Book III-E, section 5.4.3), but QEMU does not look.
const UNPRIVILEGED: [&str; 5] = ["dcbstep", "dcbtep", "dcbtstep", "dcbzep", "icbiep"];

/// In little-endian mode, too, the doubleword at the lower address belongs to the even register (Book I, 4.6.4).
const DOUBLE_PAIRS: [&str; 4] = ["lfdp", "lfdpx", "stfdp", "stfdpx"];

/// SPRs of problem state that are part of [`crate::case::State`], and the models that have them.
const SPRS: [(u16, Models); 5] = [
    (spr::XER, ALL),
    (spr::LR, ALL),
    (spr::CTR, ALL),
    (spr::VRSAVE, ALTIVEC.or(BOOKE)), // USPRG0 on BookE
    (spr::TAR, SERVER),
];

/// One of the SPRs that an mtspr or mfspr can be tried with on `cpu`.
pub fn spr(cpu: Cpu, chance: &mut Chance) -> u16 {
    loop {
        let (number, models) = chance.one_of(&SPRS);
        if models.contains(cpu) {
            return number;
        }
    }
}

/// How an instruction forms the address of its operand in storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Base register and displacement.
    Displaced,
    /// Base and index register.
    Indexed,
    /// Base register alone.
    Base,
}

/// Rows whose RB is a length, not an index.
const LENGTH_IN_RB: [&str; 4] = ["lxvl", "lxvll", "stxvl", "stxvll"];

/// How `row` forms its address; `None` when it does not access storage.
pub fn addressing(row: &'static Row) -> Option<Address> {
    let touches = row.is(fact::LOAD | fact::STORE) || matches!(row.op, Op::LoadStore(LoadStore::Hint));
    let has = |test: fn(&Operand) -> bool| operands(row).any(|o| test(&o));
    if !touches || !has(|o| o.name == "RA" || o.name == "RA0") {
        None
    } else if has(|o| matches!(o.kind, Kind::Displacement | Kind::Offset | Kind::Below)) {
        Some(Address::Displaced)
    } else if has(|o| o.name == "RB") && !length_in_rb(row) {
        Some(Address::Indexed)
    } else {
        Some(Address::Base)
    }
}

/// Whether RB holds a length in its high byte.
pub fn length_in_rb(row: &Row) -> bool {
    LENGTH_IN_RB.contains(&row.name)
}

/// Alignment of the address that keeps the instruction from an alignment interrupt, whose conditions are the
/// implementation's.
pub fn alignment(row: &Row, cpu: Cpu) -> u64 {
    match row.op {
        Op::Float(_) if CLASSIC.contains(cpu) => 4,
        Op::LoadStore(LoadStore::LoadReserve { bytes } | LoadStore::StoreConditional { bytes }) => bytes.into(),
        // The operands of one atomic operation lie in one aligned block of 32 bytes.
        Op::LoadStore(LoadStore::LoadAtomic { .. } | LoadStore::StoreAtomic { .. }) => 32,
        Op::LoadStore(LoadStore::LoadQuad | LoadStore::StoreQuad) => 16,
        Op::LoadStore(LoadStore::LoadQuadPrefixed | LoadStore::StoreQuadPrefixed) => 16,
        Op::LoadStore(LoadStore::LoadMultiple | LoadStore::StoreMultiple) => 4,
        Op::Spe(Spe::LoadStore(access)) => access.pattern.bytes(),
        _ => 1,
    }
}

/// Whether an address without anything there is a storage interrupt in real mode too: for what moves data it is.
pub fn may_fault(row: &Row) -> bool {
    !row.is(fact::MULTI | fact::RESERVE)
        && row.name != "dcblc" // QEMU does not look at its address.
        && !matches!(row.op, Op::LoadStore(LoadStore::Touch { .. } | LoadStore::BlockZero | LoadStore::Hint))
}

/// Functions of the atomic loads (Power ISA Book II, section 4.5.1), but for 28, which looks at the operand before the
/// address: QEMU takes the one behind.
const LOAD_FUNCTIONS: [u32; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 24, 25];
/// Functions of the atomic stores (section 4.5.2).
const STORE_FUNCTIONS: [u32; 9] = [0, 1, 2, 3, 4, 5, 6, 7, 24];

/// Whether `word` is a valid form of `row` on `cpu`, given the string length in XER.
pub fn valid(row: &'static Row, cpu: Cpu, word: u64, string: u32) -> bool {
    let field = |name: &str| row.field(name).map(|f| f.get(word));
    let get = |name: &str| field(name).unwrap_or(0);
    let (rt, ra, rb) = (field("RT").or(field("RS")).unwrap_or(0), get("RA"), get("RB"));
    let last = |bytes: u32| (rt + bytes.div_ceil(4).max(1) - 1) & 31;
    let among = |r: u32, bytes: u32| {
        if rt <= last(bytes) { (rt..=last(bytes)).contains(&r) } else { r >= rt || r <= last(bytes) }
    };
    let update =
        row.is(fact::LOAD | fact::STORE) && operands(row).any(|o| o.name == "RA" && o.access == Access::ReadWrite);
    if update && (ra == 0 || (field("RT") == Some(ra))) {
        return false;
    }
    if row.prefixed() && get("R") == 1 && ra != 0 {
        return false;
    }
    match row.op {
        Op::Branch(Branch::Bc) => hint(get("BO")),
        Op::Branch(Branch::BcTo(Register::Ctr)) => hint(get("BO")) && get("BO") & 4 != 0,
        Op::Branch(Branch::BcTo(_)) => hint(get("BO")),
        // "In 32-bit implementations, if L=1 the instruction form is invalid."
        Op::Integer(Integer::Compare { .. }) => cpu.sixty_four() || get("L") == 0,
        Op::Integer(Integer::AddExtendedOv) => get("CY") == 0,
        Op::Integer(Integer::Mtcrf | Integer::Mfcr) => !row.name.contains("ocr") || get("FXM").count_ones() == 1,
        Op::LoadStore(LoadStore::LoadMultiple) => ra < rt,
        Op::LoadStore(LoadStore::LoadString { indexed: false }) => {
            let bytes = if get("NB") == 0 { 32 } else { get("NB") };
            !among(ra, bytes)
        }
        Op::LoadStore(LoadStore::LoadString { indexed: true }) => !among(ra, string) && !among(rb, string),
        Op::LoadStore(LoadStore::LoadQuad | LoadStore::LoadQuadPrefixed) => ra != rt,
        Op::LoadStore(LoadStore::LoadReserve { bytes: 16 }) => ra != rt && rb != rt,
        Op::LoadStore(LoadStore::LoadAtomic { .. }) => {
            ra != 0 && function(row, get("FC"), &LOAD_FUNCTIONS) && !(0..3).any(|n| (rt + n) & 31 == ra)
        }
        Op::LoadStore(LoadStore::StoreAtomic { .. }) => ra != 0 && function(row, get("FC"), &STORE_FUNCTIONS),
        // QEMU lacks SC.
        Op::LoadStore(LoadStore::Sync) => get("L2").max(get("L3")) < 2 && get("SC") == 0,
        // QEMU lacks L=3 (dcbflp) and what came with Power ISA 3.1.
        Op::LoadStore(LoadStore::Touch { .. }) => get("L2").max(get("L3")) < 2,
        _ => match row.name {
            // AltiVec PEM, chapter 6: "If rA=0, the instruction form is invalid."
            "dst" | "dstt" | "dstst" | "dststt" => ra != 0,
            "lfdp" | "lfdpx" => get("FRT") % 2 == 0,
            "stfdp" | "stfdpx" => get("FRS") % 2 == 0,
            "xsrqpi" | "xsrqpxp" => get("R") == 1 || [0, 3].contains(&get("RMC")),
            _ => true,
        },
    }
}

/// Whether `code` is a function of the atomic `row`. QEMU compares words as doublewords in signed maximum and minimum.
fn function(row: &Row, code: u32, functions: &[u32]) -> bool {
    functions.contains(&code) && !(["lwat", "stwat"].contains(&row.name) && [5, 7].contains(&code))
}

/// Whether the z bits of BO are zero and its at bits not reserved (Power ISA Book I, figure 40).
fn hint(bo: u32) -> bool {
    match bo {
        0b10100 => true,
        _ if bo & 0b10100 == 0b10100 => false,
        _ if bo & 0b10100 == 0b00100 => bo & 3 != 1,
        _ if bo & 0b10100 == 0b10000 => bo & 0b01001 != 0b00001,
        _ => bo & 1 == 0,
    }
}
