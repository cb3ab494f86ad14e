//! Berkeley TestFloat against our engines: what its generator says of a function, for each row that has the function.
//!
//! `testfloat_gen` prints lines of operands, result and exception flags, in hexadecimal. Tininess is detected before
//! rounding, as the Power ISA says (Book I, section 4.4.4). NaNs are compared as NaNs only: which one it is, TestFloat
//! leaves to the architecture; the model of this crate ([`crate::softfloat`]) does not.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow, ensure};
use exec::fp::fpscr;
use guest_mem::Order;
use ppc_isa::operand::{Operand, operands};
use ppc_isa::row::fact;
use ppc_isa::{Cpu, Row};

use crate::case::{Case, State, reg};
use crate::generate::place;
use crate::interpreter::Machine;

/// The model whose rows are tried: it has all of them.
const CPU: Cpu = Cpu::Power10;
/// The most lines of a run that are tried; of more, evenly spread ones: this many at most, half as many at least.
const MOST: usize = 100_000;

/// Where an operand or a result stands in a register.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the right end of doubleword 0.
    Low,
    /// In word 0.
    High,
    /// A single in double format in doubleword 0.
    Widened,
    /// The whole register.
    Whole,
    /// In each element of so many bits, at its right end; a word in an element of 64 at its left end.
    Elements(u32),
    /// The bits of a CR field that say yes.
    Order(u8),
}

/// How a row rounds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rounding {
    /// As `FPSCR[RN]` says, and to odd if the row has an RO field.
    Current,
    /// Always so, in TestFloat's word; a conversion to an integral value is silent about inexactness.
    Always(&'static str),
    /// As `FPSCR[RN]` says, reporting inexactness of integral values.
    Exact,
    /// Always toward zero, reporting inexactness of integral values.
    Truncating,
}

use Place::{Elements, High, Low, Order as Yes, Whole, Widened};
use Rounding::{Always, Current, Exact, Truncating};

/// One function of TestFloat on some rows.
struct Function {
    name: &'static str,
    rounding: Rounding,
    rows: &'static str,
    /// The last letters of the operands that take its arguments; small ones take them with the sign changed.
    arguments: &'static str,
    from: Place,
    to: Place,
}

const fn function(
    name: &'static str,
    rounding: Rounding,
    rows: &'static str,
    arguments: &'static str,
    from: Place,
    to: Place,
) -> Function {
    Function { name, rounding, rows, arguments, from, to }
}

const NEAREST: Rounding = Always("near_even");
const AWAY: Rounding = Always("near_maxMag");
const ZERO: Rounding = Always("minMag");
const UP: Rounding = Always("max");
const DOWN: Rounding = Always("min");

/// Rows whose result is that of a fused operation with its sign changed.
const NEGATED: [&str; 3] = ["fn", "xsn", "xvn"];

#[rustfmt::skip]
const FUNCTIONS: &[Function] = &[
    function("f64_add", Current, "fadd xsadddp", "AB", Low, Low),
    function("f64_sub", Current, "fsub xssubdp", "AB", Low, Low),
    function("f64_mul", Current, "fmul", "AC", Low, Low),
    function("f64_mul", Current, "xsmuldp", "AB", Low, Low),
    function("f64_div", Current, "fdiv xsdivdp", "AB", Low, Low),
    function("f64_sqrt", Current, "fsqrt xssqrtdp", "B", Low, Low),
    function("f64_add", Current, "xvadddp", "AB", Elements(64), Elements(64)),
    function("f64_sub", Current, "xvsubdp", "AB", Elements(64), Elements(64)),
    function("f64_mul", Current, "xvmuldp", "AB", Elements(64), Elements(64)),
    function("f64_div", Current, "xvdivdp", "AB", Elements(64), Elements(64)),
    function("f64_sqrt", Current, "xvsqrtdp", "B", Elements(64), Elements(64)),
    function("f64_mulAdd", Current, "fmadd fnmadd", "ACB", Low, Low),
    function("f64_mulAdd", Current, "fmsub fnmsub", "ACb", Low, Low),
    function("f64_mulAdd", Current, "xsmaddadp xsnmaddadp", "ABT", Low, Low),
    function("f64_mulAdd", Current, "xsmaddmdp xsnmaddmdp", "ATB", Low, Low),
    function("f64_mulAdd", Current, "xsmsubadp xsnmsubadp", "ABt", Low, Low),
    function("f64_mulAdd", Current, "xsmsubmdp xsnmsubmdp", "ATb", Low, Low),
    function("f64_mulAdd", Current, "xvmaddadp xvnmaddadp", "ABT", Elements(64), Elements(64)),
    function("f64_mulAdd", Current, "xvmaddmdp xvnmaddmdp", "ATB", Elements(64), Elements(64)),
    function("f64_mulAdd", Current, "xvmsubadp xvnmsubadp", "ABt", Elements(64), Elements(64)),
    function("f64_mulAdd", Current, "xvmsubmdp xvnmsubmdp", "ATb", Elements(64), Elements(64)),

    function("f32_add", Current, "fadds xsaddsp", "AB", Widened, Widened),
    function("f32_sub", Current, "fsubs xssubsp", "AB", Widened, Widened),
    function("f32_mul", Current, "fmuls", "AC", Widened, Widened),
    function("f32_mul", Current, "xsmulsp", "AB", Widened, Widened),
    function("f32_div", Current, "fdivs xsdivsp", "AB", Widened, Widened),
    function("f32_sqrt", Current, "fsqrts xssqrtsp", "B", Widened, Widened),
    function("f32_add", Current, "xvaddsp", "AB", Elements(32), Elements(32)),
    function("f32_sub", Current, "xvsubsp", "AB", Elements(32), Elements(32)),
    function("f32_mul", Current, "xvmulsp", "AB", Elements(32), Elements(32)),
    function("f32_div", Current, "xvdivsp", "AB", Elements(32), Elements(32)),
    function("f32_sqrt", Current, "xvsqrtsp", "B", Elements(32), Elements(32)),
    function("f32_add", NEAREST, "vaddfp", "AB", Elements(32), Elements(32)),
    function("f32_sub", NEAREST, "vsubfp", "AB", Elements(32), Elements(32)),
    function("f32_mulAdd", NEAREST, "vmaddfp", "ACB", Elements(32), Elements(32)),
    function("f32_mulAdd", Current, "fmadds fnmadds", "ACB", Widened, Widened),
    function("f32_mulAdd", Current, "fmsubs fnmsubs", "ACb", Widened, Widened),
    function("f32_mulAdd", Current, "xsmaddasp xsnmaddasp", "ABT", Widened, Widened),
    function("f32_mulAdd", Current, "xsmaddmsp xsnmaddmsp", "ATB", Widened, Widened),
    function("f32_mulAdd", Current, "xsmsubasp xsnmsubasp", "ABt", Widened, Widened),
    function("f32_mulAdd", Current, "xsmsubmsp xsnmsubmsp", "ATb", Widened, Widened),
    function("f32_mulAdd", Current, "xvmaddasp xvnmaddasp", "ABT", Elements(32), Elements(32)),
    function("f32_mulAdd", Current, "xvmaddmsp xvnmaddmsp", "ATB", Elements(32), Elements(32)),
    function("f32_mulAdd", Current, "xvmsubasp xvnmsubasp", "ABt", Elements(32), Elements(32)),
    function("f32_mulAdd", Current, "xvmsubmsp xvnmsubmsp", "ATb", Elements(32), Elements(32)),

    function("f128_add", Current, "xsaddqp", "AB", Whole, Whole),
    function("f128_sub", Current, "xssubqp", "AB", Whole, Whole),
    function("f128_mul", Current, "xsmulqp", "AB", Whole, Whole),
    function("f128_div", Current, "xsdivqp", "AB", Whole, Whole),
    function("f128_sqrt", Current, "xssqrtqp", "B", Whole, Whole),
    function("f128_mulAdd", Current, "xsmaddqp xsnmaddqp", "ABT", Whole, Whole),
    function("f128_mulAdd", Current, "xsmsubqp xsnmsubqp", "ABt", Whole, Whole),

    function("f64_roundToInt", AWAY, "frin xsrdpi", "B", Low, Low),
    function("f64_roundToInt", ZERO, "friz xsrdpiz", "B", Low, Low),
    function("f64_roundToInt", UP, "frip xsrdpip", "B", Low, Low),
    function("f64_roundToInt", DOWN, "frim xsrdpim", "B", Low, Low),
    function("f64_roundToInt", Exact, "xsrdpic", "B", Low, Low),
    function("f64_roundToInt", AWAY, "xvrdpi", "B", Elements(64), Elements(64)),
    function("f64_roundToInt", ZERO, "xvrdpiz", "B", Elements(64), Elements(64)),
    function("f64_roundToInt", UP, "xvrdpip", "B", Elements(64), Elements(64)),
    function("f64_roundToInt", DOWN, "xvrdpim", "B", Elements(64), Elements(64)),
    function("f64_roundToInt", Exact, "xvrdpic", "B", Elements(64), Elements(64)),
    function("f32_roundToInt", AWAY, "xvrspi", "B", Elements(32), Elements(32)),
    function("f32_roundToInt", ZERO, "xvrspiz vrfiz", "B", Elements(32), Elements(32)),
    function("f32_roundToInt", UP, "xvrspip vrfip", "B", Elements(32), Elements(32)),
    function("f32_roundToInt", DOWN, "xvrspim vrfim", "B", Elements(32), Elements(32)),
    function("f32_roundToInt", NEAREST, "vrfin", "B", Elements(32), Elements(32)),
    function("f32_roundToInt", Exact, "xvrspic", "B", Elements(32), Elements(32)),

    function("f64_to_f32", Current, "frsp xsrsp", "B", Low, Widened),
    function("f64_to_f32", Current, "xscvdpsp", "B", Low, High),
    function("f64_to_f32", Current, "xvcvdpsp", "B", Elements(64), Elements(64)),
    function("f64_to_f16", Current, "xscvdphp", "B", Low, Low),
    function("f64_to_f128", Current, "xscvdpqp", "B", Low, Whole),
    function("f32_to_f64", Current, "xscvspdp", "B", High, Low),
    function("f32_to_f64", Current, "xvcvspdp", "B", Elements(64), Elements(64)),
    function("f32_to_f16", Current, "xvcvsphp", "B", Elements(32), Elements(32)),
    function("f16_to_f32", Current, "xvcvhpsp", "B", Elements(32), Elements(32)),
    function("f16_to_f64", Current, "xscvhpdp", "B", Low, Low),
    function("f128_to_f64", Current, "xscvqpdp", "B", Whole, Low),

    function("f64_to_i32", Exact, "fctiw", "B", Low, Low),
    function("f64_to_ui32", Exact, "fctiwu", "B", Low, Low),
    function("f64_to_i64", Exact, "fctid", "B", Low, Low),
    function("f64_to_ui64", Exact, "fctidu", "B", Low, Low),
    function("f64_to_i32", Truncating, "fctiwz xscvdpsxws", "B", Low, Low),
    function("f64_to_ui32", Truncating, "fctiwuz xscvdpuxws", "B", Low, Low),
    function("f64_to_i64", Truncating, "fctidz xscvdpsxds", "B", Low, Low),
    function("f64_to_ui64", Truncating, "fctiduz xscvdpuxds", "B", Low, Low),
    function("f64_to_i32", Truncating, "xvcvdpsxws", "B", Elements(64), Elements(64)),
    function("f64_to_ui32", Truncating, "xvcvdpuxws", "B", Elements(64), Elements(64)),
    function("f64_to_i64", Truncating, "xvcvdpsxds", "B", Elements(64), Elements(64)),
    function("f64_to_ui64", Truncating, "xvcvdpuxds", "B", Elements(64), Elements(64)),
    function("f32_to_i32", Truncating, "xvcvspsxws", "B", Elements(32), Elements(32)),
    function("f32_to_ui32", Truncating, "xvcvspuxws", "B", Elements(32), Elements(32)),
    function("f32_to_i64", Truncating, "xvcvspsxds", "B", Elements(64), Elements(64)),
    function("f32_to_ui64", Truncating, "xvcvspuxds", "B", Elements(64), Elements(64)),
    function("f128_to_i64", Truncating, "xscvqpsdz", "B", Whole, Low),
    function("f128_to_ui64", Truncating, "xscvqpudz", "B", Whole, Low),
    function("f128_to_i32", Truncating, "xscvqpswz", "B", Whole, Low),
    function("f128_to_ui32", Truncating, "xscvqpuwz", "B", Whole, Low),

    function("i64_to_f64", Current, "fcfid xscvsxddp", "B", Low, Low),
    function("ui64_to_f64", Current, "fcfidu xscvuxddp", "B", Low, Low),
    function("i64_to_f32", Current, "fcfids xscvsxdsp", "B", Low, Widened),
    function("ui64_to_f32", Current, "fcfidus xscvuxdsp", "B", Low, Widened),
    function("i64_to_f64", Current, "xvcvsxddp", "B", Elements(64), Elements(64)),
    function("ui64_to_f64", Current, "xvcvuxddp", "B", Elements(64), Elements(64)),
    function("i64_to_f32", Current, "xvcvsxdsp", "B", Elements(64), Elements(64)),
    function("ui64_to_f32", Current, "xvcvuxdsp", "B", Elements(64), Elements(64)),
    function("i32_to_f64", Current, "xvcvsxwdp", "B", Elements(64), Elements(64)),
    function("ui32_to_f64", Current, "xvcvuxwdp", "B", Elements(64), Elements(64)),
    function("i32_to_f32", Current, "xvcvsxwsp", "B", Elements(32), Elements(32)),
    function("ui32_to_f32", Current, "xvcvuxwsp", "B", Elements(32), Elements(32)),
    function("i64_to_f128", Current, "xscvsdqp", "B", Low, Whole),
    function("ui64_to_f128", Current, "xscvudqp", "B", Low, Whole),

    function("f64_eq", NEAREST, "fcmpu xscmpudp", "AB", Low, Yes(0b0010)),
    function("f64_lt_quiet", NEAREST, "fcmpu xscmpudp", "AB", Low, Yes(0b1000)),
    function("f64_lt", NEAREST, "fcmpo xscmpodp", "AB", Low, Yes(0b1000)),
    function("f64_le", NEAREST, "fcmpo xscmpodp", "AB", Low, Yes(0b1010)),
    function("f128_eq", NEAREST, "xscmpuqp", "AB", Whole, Yes(0b0010)),
    function("f128_lt_quiet", NEAREST, "xscmpuqp", "AB", Whole, Yes(0b1000)),
    function("f128_lt", NEAREST, "xscmpoqp", "AB", Whole, Yes(0b1000)),
    function("f128_le", NEAREST, "xscmpoqp", "AB", Whole, Yes(0b1010)),
];

/// TestFloat's words for the rounding modes, in the order of `FPSCR[RN]`.
const MODES: [&str; 4] = ["near_even", "minMag", "max", "min"];
/// Exception flags of TestFloat from its lowest bit on, as bits of FPSCR.
const FLAGS: [u64; 5] = [fpscr::XX, fpscr::UX, fpscr::OX, fpscr::ZX, fpscr::VX];

/// One run of the generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Vectors {
    function: &'static str,
    mode: &'static str,
    /// Whether integral values report inexactness.
    exact: bool,
}

impl Vectors {
    /// The lines that the generator `program` prints: at most [`MOST`], spread over all.
    fn lines(self, program: &Path) -> Result<Vec<Line>> {
        let mut command = Command::new(program);
        command.args(["-tininessbefore", &format!("-r{}", self.mode)]);
        command.args(self.exact.then_some("-exact")).arg(self.function);
        let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| program.display().to_string())?;
        let mut output = BufReader::with_capacity(1 << 16, child.stdout.take().context("no output")?);
        let (mut kept, mut least, mut text) = (Vec::new(), 0, String::new());
        for n in 0.. {
            text.clear();
            if output.read_line(&mut text)? == 0 {
                break;
            }
            if rank(n) >= least {
                kept.push((rank(n), Line::parse(text.trim_end()).with_context(|| format!("{self:?}: {text:?}"))?));
            }
            if kept.len() > MOST {
                least += 1;
                kept.retain(|(rank, _)| *rank >= least);
            }
        }
        ensure!(child.wait()?.success() && !kept.is_empty(), "{command:?} failed");
        Ok(kept.into_iter().map(|(_, line)| line).collect())
    }
}

/// How many times half of all lines can be left out before line `n` is: multiples of the golden ratio, whose leading bits
/// are spread evenly and follow no cycle of the generator's.
fn rank(n: u64) -> u32 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15).leading_zeros()
}

/// One line of the generator.
struct Line {
    text: String,
    arguments: Vec<u128>,
    result: u128,
    flags: u64,
}

impl Line {
    fn parse(text: &str) -> Option<Line> {
        let mut numbers =
            text.split(' ').map(|word| u128::from_str_radix(word, 16)).collect::<Result<Vec<_>, _>>().ok()?;
        let flags = numbers.pop()?;
        let result = numbers.pop()?;
        let flags =
            FLAGS.iter().enumerate().filter(|(bit, _)| flags >> bit & 1 != 0).fold(0, |all, (_, flag)| all | flag);
        Some(Line { text: text.to_owned(), arguments: numbers, result, flags })
    }
}

/// A row to try on the lines of a run.
struct Trial {
    function: &'static Function,
    row: &'static Row,
    control: Control,
}

impl Trial {
    /// How many of `lines` were tried, and the first that an engine has wrong.
    fn run(&self, lines: &[Line], machines: &mut [Machine]) -> Result<(usize, Option<String>)> {
        let Trial { function, row, control } = *self;
        for (line, n) in lines.iter().zip(1..) {
            let order = if n & 1 == 0 { Order::Big } else { Order::Little };
            let case = function.case(row, line, control, order)?;
            if let Some(wrong) = machines.iter_mut().find_map(|machine| function.check(row, line, machine, &case)) {
                return Ok((n, Some(format!("{}: {wrong}", line.text))));
            }
        }
        Ok((lines.len(), None))
    }
}

/// What came out.
#[derive(Default)]
pub struct Tally {
    /// Rows that a function was found for.
    pub rows: usize,
    /// Lines tried, in each rounding mode.
    pub cases: usize,
    /// What disagrees: at most one text for each function, mode and row.
    pub wrong: Vec<String>,
}

/// Tries every function of the generator `program` on the rows whose name `wanted` takes.
///
/// # Errors
/// When the generator cannot be run or prints something else.
pub fn run(program: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Tally> {
    let mut trials: BTreeMap<Vectors, Vec<Trial>> = BTreeMap::new();
    let mut rows = BTreeSet::new();
    for function in FUNCTIONS {
        for row in function.rows.split(' ').filter(|row| wanted(row)) {
            let row = ppc_isa::row(row).with_context(|| format!("no row {row}"))?;
            rows.insert(row.name);
            for (mode, control) in function.modes(row) {
                let exact = matches!(function.rounding, Exact | Truncating);
                let vectors = Vectors { function: function.name, mode, exact };
                trials.entry(vectors).or_default().push(Trial { function, row, control });
            }
        }
    }
    let runs: Vec<_> = trials.into_iter().collect();
    let next = AtomicUsize::new(0);
    let worker = || -> Result<Tally> {
        let mut machines = Machine::all(CPU)?;
        let mut tally = Tally::default();
        while let Some((vectors, trials)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let lines = vectors.lines(program)?;
            for trial in trials {
                let (cases, wrong) = trial.run(&lines, &mut machines)?;
                let name = |wrong| format!("{}: {} {}: {wrong}", trial.row.name, vectors.function, vectors.mode);
                tally.cases += cases;
                tally.wrong.extend(wrong.map(name));
            }
        }
        Ok(tally)
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let tallies = thread::scope(|scope| -> Result<Vec<Tally>> {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?).collect()
    })?;
    let mut all = Tally { rows: rows.len(), ..Tally::default() };
    for tally in tallies {
        all.cases += tally.cases;
        all.wrong.extend(tally.wrong);
    }
    all.wrong.sort();
    Ok(all)
}

/// Rounding control of a case: `FPSCR[RN]`, and the RO field.
#[derive(Clone, Copy)]
struct Control {
    rn: u64,
    odd: bool,
}

impl Function {
    fn modes(&self, row: &Row) -> Vec<(&'static str, Control)> {
        match self.rounding {
            // Whatever RN says.
            Always(mode) => vec![(mode, Control { rn: 0, odd: false }), (mode, Control { rn: 3, odd: false })],
            Truncating => vec![("minMag", Control { rn: 2, odd: false })],
            Current | Exact => {
                let modes = MODES.into_iter().zip(0..).map(|(mode, rn)| (mode, Control { rn, odd: false }));
                let odd = row.field("RO").map(|_| ("odd", Control { rn: 0, odd: true }));
                modes.chain(odd).collect()
            }
        }
    }

    fn operand(row: &'static Row, letter: char) -> Result<Operand> {
        let named = |o: &Operand| o.name.ends_with(letter.to_ascii_uppercase());
        operands(row).find(named).with_context(|| format!("{} has no operand {letter}", row.name))
    }

    /// The line as a case. Registers are 1, 2, 3 for the arguments, 4 for a result that is none of them.
    fn case(&self, row: &'static Row, line: &Line, control: Control, order: Order) -> Result<Case> {
        let mut before = State::default();
        let mut word = row.value;
        ensure!(line.arguments.len() == self.arguments.len(), "{} has other arguments", self.name);
        if !matches!(self.to, Yes(_)) {
            let result = Self::operand(row, 'T')?;
            word = result.set(word, 4).context("no register 4")?;
        }
        if let Some(ro) = row.field("RO") {
            word = ro.set(word, control.odd.into());
        }
        for ((letter, &argument), n) in self.arguments.chars().zip(&line.arguments).zip(1..) {
            let operand = Self::operand(row, letter)?;
            word = operand.set(word, n).context("no such register")?;
            let [high, low] = place(&operand, word).context("no register")?;
            let sign = if letter.is_ascii_lowercase() { 1 << (width(argument_type(self.name)) - 1) } else { 0 };
            let value = self.from.put(argument ^ sign, width(argument_type(self.name)));
            before.reg[low] = value as u64;
            before.reg[high] = (value >> 64) as u64;
        }
        before.reg[reg::FPSCR] = control.rn;
        Ok(Case { cpu: CPU, order, slot: 0, words: vec![word], before })
    }

    /// What an engine has wrong.
    fn check(&self, row: &'static Row, line: &Line, machine: &mut Machine, case: &Case) -> Option<String> {
        let outcome = machine.run_with(case, false);
        let status = outcome.after.reg[reg::FPSCR];
        let found = status & FLAGS.iter().fold(0, |all, flag| all | flag);
        if row.is(fact::FPSCR) && found != line.flags {
            return Some(format!("{}: FPSCR {status:08x}, expected {:08x}", machine.name(), line.flags));
        }
        let to = result_type(self.name);
        let invalid = line.flags & fpscr::VX != 0;
        if invalid && !to.starts_with('f') && !matches!(self.to, Yes(_)) {
            return None; // What an invalid conversion gives is the architecture's.
        }
        let value = match self.to {
            Yes(bits) => {
                let shift = 28 - 4 * operands(row).next()?.get(*case.words.first()?);
                u128::from(outcome.after.reg[reg::CR] >> shift & u64::from(bits) != 0)
            }
            _ => {
                let [high, low] = place(&Self::operand(row, 'T').ok()?, *case.words.first()?)?;
                let register = u128::from(outcome.after.reg[high]) << 64 | u128::from(outcome.after.reg[low]);
                match self.to.get(register, width(to)) {
                    Some(value) => value,
                    None => return Some(format!("{}: elements differ: {register:032x}", machine.name())),
                }
            }
        };
        let negated = NEGATED.iter().any(|start| row.name.starts_with(start)) && !is_nan(line.result, to);
        let expected = if negated { line.result ^ 1 << (width(to) - 1) } else { line.result };
        let same = value == expected || is_nan(value, to) && is_nan(expected, to);
        (!same).then(|| format!("{}: found {value:x}, expected {expected:x}", machine.name()))
    }
}

impl Place {
    /// The register that holds `value` of `width` bits.
    fn put(self, value: u128, width: u32) -> u128 {
        match self {
            Low => value << 64,
            High => value << 96,
            Widened => u128::from(widened(value as u32)) << 64,
            Whole | Yes(_) => value,
            Elements(bits) => {
                let value = if (bits, width) == (64, 32) { value << 32 } else { value };
                (0..128 / bits).fold(0, |all, n| all | value << (n * bits))
            }
        }
    }

    /// The value of `width` bits in `register`; `None` if elements differ.
    fn get(self, register: u128, width: u32) -> Option<u128> {
        let mask = u128::MAX >> (128 - width);
        match self {
            Low => Some(register >> 64 & mask),
            High => Some(register >> 96),
            Widened => narrowed((register >> 64) as u64).map(u128::from),
            Whole | Yes(_) => Some(register & mask),
            Elements(bits) => {
                let shift = if (bits, width) == (64, 32) { 32 } else { 0 };
                let value = register >> shift & mask;
                (0..128 / bits).all(|n| register >> (n * bits + shift) & mask == value).then_some(value)
            }
        }
    }
}

/// A single in double format, NaNs bit by bit (Power ISA Book I, section 4.6.2).
fn widened(single: u32) -> u64 {
    if f32::from_bits(single).is_nan() {
        let sign = u64::from(single >> 31) << 63;
        return sign | 0x7ff << 52 | u64::from(single & 0x7f_ffff) << 29;
    }
    f64::from(f32::from_bits(single)).to_bits()
}

/// The single that `double` is.
fn narrowed(double: u64) -> Option<u32> {
    let value = f64::from_bits(double);
    (value.is_nan() || f64::from(value as f32) == value).then(|| (value as f32).to_bits())
}

/// `f64` of `f64_add` and of `f64_to_i32`.
fn argument_type(function: &str) -> &str {
    function.split('_').next().unwrap_or("")
}

/// `i32` of `f64_to_i32`, `f64` of `f64_add`.
fn result_type(function: &str) -> &str {
    let target = function.split_once("_to_").map(|(_, target)| target);
    argument_type(target.unwrap_or(function))
}

/// Bits of a type of TestFloat.
fn width(of: &str) -> u32 {
    of.trim_start_matches(char::is_alphabetic).parse().unwrap_or(128)
}

/// Whether `value` of type `of` is a NaN.
fn is_nan(value: u128, of: &str) -> bool {
    let fraction = match of {
        "f16" => 10,
        "f32" => 23,
        "f64" => 52,
        "f128" => 112,
        _ => return false,
    };
    let magnitude = value & (u128::MAX >> (129 - width(of)));
    magnitude >> fraction == (1 << (width(of) - 1 - fraction)) - 1 && magnitude << (128 - fraction) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_the_operands_that_its_function_needs() {
        for function in FUNCTIONS {
            for row in function.rows.split(' ') {
                let row = ppc_isa::row(row).unwrap();
                let arguments = vec![0; function.arguments.len()];
                let line = Line { text: String::new(), arguments, result: 0, flags: 0 };
                function.case(row, &line, Control { rn: 0, odd: false }, Order::Big).unwrap();
            }
        }
    }

    #[test]
    fn lines_left_out_leave_no_hole() {
        let kept: Vec<u64> = (0..6_133_248).filter(|&n| rank(n) >= 6).collect();
        assert!(kept.len().abs_diff(6_133_248 / 64) < 10);
        assert!(kept.windows(2).all(|pair| pair[1] - pair[0] < 3 * 64));
        let cycle: BTreeSet<u64> = kept.iter().map(|n| n % 1024).collect();
        assert_eq!(cycle.len(), 1024);
    }

    #[test]
    fn a_line_that_is_wrong_is_found() {
        let add = &FUNCTIONS[0];
        let row = ppc_isa::row("fadd").unwrap();
        let mut machines = Machine::all(CPU).unwrap();
        let mut check = |text| {
            let line = Line::parse(text).unwrap();
            let case = add.case(row, &line, Control { rn: 0, odd: false }, Order::Big).unwrap();
            add.check(row, &line, &mut machines[0], &case)
        };
        assert_eq!(check("3F500000000000FA 3FE0000000000000 3FE0080000000000 01"), None);
        assert!(check("3F500000000000FA 3FE0000000000000 3FE0080000000001 01").is_some());
        assert!(check("3F500000000000FA 3FE0000000000000 3FE0080000000000 00").is_some());
        assert_eq!(check("FFF07FFFFFF7FFFF C7FFFFFFFFEFFFDF 7FF8000000000000 10"), None);
    }
}
