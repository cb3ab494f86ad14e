//! Decoded guest code, by physical page.
//!
//! A page is keyed by its real address and byte order. It remembers the generation that guest memory had for it;
//! any write since then, whoever made it, makes it stale. Words are decoded when they are first reached.

use std::cell::Cell;

use exec::mode::{self, need};
use guest_mem::{GuestMem, Order};
use ppc_isa::cpu::Family;
use ppc_isa::dfp::{Decimal, Dfp};
use ppc_isa::op::{Integer, LoadStore, Op};
use ppc_isa::operand::{Kind, operands};
use ppc_isa::spr::{self, Right};
use ppc_isa::vsx::{Permute, Vsx};
use ppc_isa::{Cpu, Decoder, Row};

use crate::env::{Env, Handler, Trapped};
use crate::{branch, dfp, float, integer, loadstore, mma, spe, vector, vsx};

/// Instructions of a page.
pub const SLOTS: usize = 1024;

/// Pages kept before all are dropped: bounds the cache to 24 MiB.
const MAX_PAGES: usize = 1536;

/// One decoded word.
#[derive(Clone, Copy)]
pub struct Decoded {
    /// What executes it.
    pub handler: Handler,
    /// The word as fetched; of a prefixed instruction, the suffix.
    pub word: u32,
    /// What it needs, see [`need`].
    pub need: u16,
    /// Index of its row in the decoder.
    row: u16,
}

impl Decoded {
    /// Index of its row among [`Dispatch::rows`], if it has one.
    pub fn index(&self) -> usize {
        usize::from(self.row)
    }
}

const UNDECODED: Decoded = Decoded { handler: nothing, word: 0, need: need::DECODING, row: 0 };

fn nothing(_: &mut exec::VcpuState, _: &mut Env, _: u32) -> Result<crate::env::Flow, Trapped> {
    Err(Trapped)
}

/// The decoded instructions of one page.
pub struct CodePage {
    real: u64,
    order: Order,
    generation: u32,
    /// By word offset.
    pub slots: Box<[Cell<Decoded>; SLOTS]>,
}

impl CodePage {
    /// Real address of its first byte.
    pub fn real(&self) -> u64 {
        self.real
    }
}

/// Finds the handler of a word: the decoder of a CPU model and what its instructions need.
pub struct Dispatch {
    decoder: Decoder,
    /// By the index of a row.
    forms: Vec<Form>,
}

/// What all words of a row have in common.
struct Form {
    handler: Handler,
    /// What they need with none of the bits of `upper` set, and with any.
    needs: [u16; 2],
    /// The bit that makes it one of the upper 32 vector-scalar registers, if that is another unit's.
    upper: u32,
    /// The rest depends on the word in other ways: it may be an invalid form, or name a special purpose register.
    varies: bool,
}

impl Form {
    fn of(row: &'static Row) -> Form {
        let upper = row.field("TX").or(row.field("SX")).map_or(0, |field| field.mask() as u32);
        let moves = matches!(row.op, Op::Integer(Integer::Mtspr | Integer::Mfspr));
        let varies = moves || may_be_invalid(row);
        let mut more = 0;
        let handler = match row.op {
            Op::Branch(op) => branch::handler(op),
            Op::Integer(op) => integer::handler(op),
            Op::LoadStore(op) => loadstore::handler(op),
            Op::Float(op) => float::handler(op),
            Op::Dfp(op) => {
                more = dfp_needs(op);
                dfp::handler(op)
            }
            Op::Vector(op) => vector::handler(op),
            Op::Vsx(op) => vsx::handler(op),
            Op::Mma(op) => mma::handler(op),
            Op::Spe(_) => spe::execute,
            Op::System(_) => {
                // Even those that problem state may use are carried out where the others are.
                more = need::PRIVILEGED;
                nothing
            }
        };
        let needs = [0, upper.into()].map(|word| mode::needs(row, word) | more);
        Form { handler, needs, upper, varies }
    }
}

impl Dispatch {
    /// For `cpu`.
    pub fn new(cpu: Cpu) -> Dispatch {
        let decoder = Decoder::new(cpu);
        let forms = decoder.rows().iter().map(|row| Form::of(row)).collect();
        Dispatch { decoder, forms }
    }

    /// All rows of the CPU, by [`Decoded::index`].
    pub fn rows(&self) -> &[&'static Row] {
        self.decoder.rows()
    }

    /// The row of a decoded word.
    pub fn row(&self, decoded: Decoded) -> Option<&'static Row> {
        if decoded.need & need::ILLEGAL != 0 {
            return None;
        }
        self.decoder.rows().get(usize::from(decoded.row)).copied()
    }

    /// Decodes a word that is not kept, or a prefix in the high half and its suffix. Of a prefix alone it can only be
    /// said that it needs a suffix.
    pub fn decoded(&self, word: u64) -> Decoded {
        let both = word;
        let word = word as u32;
        if both >> 32 == 0 && self.decoder.is_prefix(word) {
            return Decoded { handler: nothing, word, need: need::SUFFIX, row: 0 };
        }
        let index = self.decoder.index(both).unwrap_or(usize::MAX);
        let Some(form) = self.forms.get(index) else { return illegal(word) };
        let needs = form.needs[usize::from(word & form.upper != 0)];
        let decoded = Decoded { handler: form.handler, word, need: needs, row: index as u16 };
        if form.varies { self.judge(decoded, both) } else { decoded }
    }

    /// An instruction of a row whose words are not all alike.
    fn judge(&self, decoded: Decoded, word: u64) -> Decoded {
        match self.row(decoded) {
            Some(row) if !invalid(row, word) => match row.op {
                Op::Integer(op) => {
                    Decoded { need: decoded.need | spr_needs(self.decoder.cpu(), op, decoded.word), ..decoded }
                }
                _ => decoded,
            },
            _ => illegal(decoded.word),
        }
    }
}

fn illegal(word: u32) -> Decoded {
    Decoded { handler: nothing, word, need: need::ILLEGAL, row: 0 }
}

/// All decoded pages of an engine.
pub struct CodeCache {
    dispatch: Dispatch,
    pages: Vec<CodePage>,
    /// 1 + index in `pages`, by real page number times two plus byte order.
    by_page: Vec<u16>,
}

impl CodeCache {
    pub fn new(cpu: Cpu) -> CodeCache {
        CodeCache { dispatch: Dispatch::new(cpu), pages: Vec::new(), by_page: Vec::new() }
    }

    /// How words are decoded.
    pub fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }

    /// Forgets all pages.
    pub fn clear(&mut self) {
        self.pages.clear();
        self.by_page.clear();
    }

    /// Makes the page at `real` fresh and returns its index for [`CodeCache::page`]. `None` outside memory.
    pub fn enter(&mut self, mem: &GuestMem, real: u64, order: Order) -> Option<usize> {
        let real = real & !0xfff;
        if !mem.contains(real, 0x1000) {
            return None;
        }
        let key = (real >> 12) as usize * 2 + usize::from(order == Order::Little);
        if self.by_page.is_empty() {
            self.by_page = vec![0; (mem.end() >> 12) as usize * 2];
        }
        let index = usize::from(*self.by_page.get(key)?);
        if index > 0
            && let Some(page) = self.pages.get_mut(index - 1)
        {
            if page.generation != mem.code_generation(real) {
                page.generation = mem.mark_code(real);
                page.slots.fill(Cell::new(UNDECODED));
            }
            return Some(index - 1);
        }
        if self.pages.len() >= MAX_PAGES {
            self.pages.clear();
            self.by_page.fill(0);
        }
        self.pages.push(CodePage {
            real,
            order,
            generation: mem.mark_code(real),
            slots: Box::new([const { Cell::new(UNDECODED) }; SLOTS]),
        });
        *self.by_page.get_mut(key)? = self.pages.len() as u16;
        Some(self.pages.len() - 1)
    }

    /// A page that [`CodeCache::enter`] returned.
    pub fn page(&self, index: usize) -> Option<&CodePage> {
        self.pages.get(index)
    }

    /// Decodes the word in `slot` of `page`.
    pub fn decode(&self, mem: &GuestMem, page: &CodePage, slot: usize) {
        let word = mem.load::<u32>(page.real + slot as u64 * 4, page.order).unwrap_or(0);
        if let Some(cell) = page.slots.get(slot) {
            cell.set(self.dispatch.decoded(word.into()));
        }
    }
}

/// Whether `word` is an invalid form that is taken for illegal: a prefixed instruction with a base register where R=1
/// wants none (Power ISA 3.1 Book I, section 1.6.3), a hash at an address without a base register (section 3.3.17.2), a
/// pair of FPRs that begins with an odd one (chapter 5), a reserved immediate (chapter 7), or factors that are part of the
/// accumulator (section 7.2.1.3).
fn invalid(row: &'static Row, word: u64) -> bool {
    if let Op::Dfp(_) = row.op {
        return operands(row).any(|o| o.kind == Kind::FprPair && o.get(word) & 1 != 0);
    }
    let field = |name| row.field(name).map_or(0, |field| field.get(word));
    match row.op {
        Op::LoadStore(LoadStore::Hash { .. }) => field("RA") == 0,
        Op::Vsx(Vsx::Permute(Permute::QuadConstant)) => vsx::quad_constant(field("UIM5")).is_none(),
        Op::Vsx(Vsx::Permute(Permute::GenerateControl { .. })) => field("UIM5") > 3,
        Op::Mma(_) => operands(row)
            .any(|o| matches!(o.kind, Kind::Vsr | Kind::VsrPair) && o.get(word) >> 2 == i64::from(field("AT"))),
        _ => row.prefixed() && field("R") == 1 && field("RA") != 0,
    }
}

/// Whether [`invalid`] says so of any word of the row.
fn may_be_invalid(row: &'static Row) -> bool {
    match row.op {
        Op::Dfp(_) | Op::Mma(_) | Op::LoadStore(LoadStore::Hash { .. }) => true,
        Op::Vsx(Vsx::Permute(Permute::QuadConstant | Permute::GenerateControl { .. })) => true,
        _ => row.prefixed(),
    }
}

/// Two instructions move between FPRs and vector registers.
fn dfp_needs(op: Dfp) -> u16 {
    if matches!(op.operation, Decimal::FromQuadword | Decimal::ToQuadword) { need::VEC } else { 0 }
}

/// Moves to and from SPRs: those of problem state are ordinary, the others are the hypervisor's to judge.
fn spr_needs(cpu: Cpu, op: Integer, word: u32) -> u16 {
    let writes = op == Integer::Mtspr;
    if !writes && op != Integer::Mfspr {
        return 0;
    }
    let number = ppc_isa::spr::number(word);
    let right = spr::of(cpu, number).map(|s| if writes { s.write } else { s.read });
    let family = cpu.family();
    match (right, number) {
        (Some(Right::User), spr::UDSCR) => need::DSCR,
        (Some(Right::User), spr::TAR) => need::TAR,
        (Some(Right::User), spr::BESCRS..=spr::BESCR) if family == Family::Book3s64 => need::EBB,
        (Some(Right::User), spr::TFHAR..=spr::TEXASRU) if family == Family::Book3s64 => need::TM,
        (Some(Right::User), _) => 0,
        _ => need::PRIVILEGED,
    }
}
