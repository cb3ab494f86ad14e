//! The reference: user-mode QEMU running the resident harness, which is built on the spot.
//!
//! Cases go to it in batches over a pipe, see `harness/harness.c` for the protocol. It is absent when QEMU or the
//! cross compiler is not installed; that is not an error, but callers count and print it.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{BufReader, Read, Write};
use std::iter::repeat;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use anyhow::{Context, Result, bail};
use guest_mem::Order;
use ppc_isa::Cpu;

use crate::case::{Case, DATA_BYTES, Ending, MAX_WORDS, Outcome, State, reg};
use crate::qemu::{Qemu, Version};

const SOURCES: [(&str, &str); 3] = [
    ("harness.c", include_str!("../harness/harness.c")),
    ("switch.S", include_str!("../harness/switch.S")),
    ("layout.h", include_str!("../harness/layout.h")),
];

/// Without a library, and without floating-point and vector code: cases do not keep those registers. The text segment
/// lies above the code slots and within reach of a relative branch.
const FLAGS: [&str; 9] = [
    "-O2",
    "-Wall",
    "-static",
    "-nostdlib",
    "-ffreestanding",
    "-fno-stack-protector",
    "-fno-tree-loop-distribute-patterns",
    "-msoft-float",
    "-Wl,-Ttext-segment=0x2000000",
];

/// What a CPU model's harness is built by, and runs on.
struct Tools {
    /// Prefix of the compiler's name.
    target: &'static str,
    /// User-mode QEMU.
    qemu: &'static str,
    /// QEMU's name of the model.
    cpu: &'static str,
    /// Compiler flags that say what the model has, see `harness/switch.S`.
    flags: &'static [&'static str],
}

fn tools(cpu: Cpu, order: Order) -> Tools {
    const SERVER: &[&str] =
        &["-mcpu=power8", "-mno-vsx", "-mno-altivec", "-Wa,-mpower9", "-DVSX", "-DSPR256", "-DTAR_SPR"];
    const ALTIVEC: &[&str] = &["-mcpu=powerpc", "-Wa,-m7450", "-DFPU", "-DVMX", "-DSPR256"];
    let sixty_four = cpu.sixty_four();
    let (cpu, flags): (_, &[&str]) = match cpu {
        Cpu::Power8 | Cpu::Power9 | Cpu::Power10 => (cpu.name(), SERVER),
        Cpu::Power10Mma => (Cpu::Power10.name(), SERVER),
        Cpu::E5500 => ("e5500", &["-mcpu=e5500", "-Wa,-me5500", "-DFPU", "-DSPR256"]),
        Cpu::E500v2 => ("e500v2", &["-mcpu=powerpc", "-Wa,-me500", "-DSPE", "-DSPR256"]),
        Cpu::E6500 => ("e6500", &["-mcpu=e6500", "-Wa,-me6500", "-DFPU", "-DVMX", "-DSPR256"]),
        Cpu::Ppc603 => ("603", &["-mcpu=603", "-Wa,-m603", "-DFPU"]),
        Cpu::Ppc750 => ("750", &["-mcpu=powerpc", "-Wa,-m750cl", "-DFPU"]),
        Cpu::Ppc7400 => ("7400", ALTIVEC),
        Cpu::Ppc7450 => ("7450", ALTIVEC),
    };
    let (target, qemu) = match (sixty_four, order) {
        (true, Order::Big) => ("powerpc64", "qemu-ppc64"),
        (true, Order::Little) => ("powerpc64le", "qemu-ppc64le"),
        (false, _) => ("powerpc", "qemu-ppc"),
    };
    Tools { target, qemu, cpu, flags }
}

/// Where the guest's address 0 is put, so that the harness can have its low pages whatever the host's vm.mmap_min_addr.
const GUEST_BASE: &str = "0x10000000000";

/// A running harness.
pub struct Reference {
    qemu: Qemu,
    cpu: Cpu,
    order: Order,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// Why there is no reference for this model and byte order on this machine, or `None` when there is.
pub fn missing(qemu: &Qemu, cpu: Cpu, order: Order) -> Option<String> {
    let tools = tools(cpu, order);
    [qemu.program(tools.qemu), format!("{}-linux-gnu-gcc", tools.target).into()]
        .into_iter()
        .find(|tool| Command::new(tool).arg("--version").output().is_err())
        .map(|tool| format!("{} is not installed", tool.display()))
}

/// Builds the harness beside our own executable, unless it is there.
fn build(tools: &Tools) -> Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock();
    let mut hash = DefaultHasher::new();
    (SOURCES, FLAGS, tools.target, tools.flags).hash(&mut hash);
    let exe = std::env::current_exe()?;
    let dir = exe.parent().context("the executable has no directory")?;
    let dir = dir.join(format!("oracle-harness-{:016x}", hash.finish()));
    let program = dir.join("harness");
    if program.exists() {
        return Ok(program);
    }
    std::fs::create_dir_all(&dir)?;
    for (name, text) in SOURCES {
        std::fs::write(dir.join(name), text)?;
    }
    let unfinished = dir.join(format!("harness.{}", std::process::id()));
    let compiler = format!("{}-linux-gnu-gcc", tools.target);
    let status = Command::new(&compiler)
        .args(FLAGS)
        .args(tools.flags)
        .arg("-o")
        .arg(&unfinished)
        .args([dir.join("harness.c"), dir.join("switch.S")])
        .arg("-lgcc")
        .status()
        .with_context(|| compiler.clone())?;
    if !status.success() {
        bail!("{compiler} could not build the harness");
    }
    std::fs::rename(unfinished, &program)?;
    Ok(program)
}

impl Reference {
    /// Starts the harness for a CPU model and byte order.
    ///
    /// # Errors
    /// When it cannot be built or started; ask [`missing`] first.
    pub fn start(qemu: &Qemu, cpu: Cpu, order: Order) -> Result<Reference> {
        let tools = tools(cpu, order);
        let program = build(&tools)?;
        let mut child = Command::new(qemu.program(tools.qemu))
            .args(["-B", GUEST_BASE, "-cpu", tools.cpu])
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = child.stdin.take().context("no pipe to the harness")?;
        let output = BufReader::with_capacity(1 << 16, child.stdout.take().context("no pipe from the harness")?);
        Ok(Reference { qemu: qemu.clone(), cpu, order, child, input, output })
    }

    /// Runs `cases`, no two in the same slot and no more than there are slots.
    ///
    /// # Errors
    /// When the harness cannot be started again after a case has killed it.
    pub fn run(&mut self, cases: &[Case]) -> Result<Vec<Outcome>> {
        if let Ok(outcomes) = self.batch(cases) {
            return Ok(outcomes);
        }
        self.restart()?;
        let mut outcomes = Vec::new();
        for case in cases {
            match self.batch(std::slice::from_ref(case)) {
                Ok(one) => outcomes.extend(one),
                Err(_) => {
                    self.restart()?;
                    outcomes.push(Outcome { after: case.before.clone(), ending: Ending::Broken, at: 0 });
                }
            }
        }
        Ok(outcomes)
    }

    /// Runs one case.
    ///
    /// # Errors
    /// As [`Reference::run`].
    pub fn run_one(&mut self, case: &Case) -> Result<Outcome> {
        self.run(std::slice::from_ref(case))?.pop().context("no answer")
    }

    /// Version of the QEMU that runs the cases.
    pub fn version(&self) -> Version {
        self.qemu.version
    }

    fn restart(&mut self) -> Result<()> {
        *self = Reference::start(&self.qemu, self.cpu, self.order)?;
        Ok(())
    }

    fn batch(&mut self, cases: &[Case]) -> Result<Vec<Outcome>> {
        let mut message = Vec::with_capacity(8 + cases.len() * 2048);
        let order = self.order;
        put(&mut message, order, cases.len() as u64);
        for case in cases {
            case.before.reg.iter().for_each(|&value| put(&mut message, order, value));
            message.extend_from_slice(&case.before.data);
            put(&mut message, order, case.slot as u64);
            put(&mut message, order, case.code().count() as u64);
            for word in case.code().chain(repeat(0)).take(MAX_WORDS) {
                message.extend(if order == Order::Big { word.to_be_bytes() } else { word.to_le_bytes() });
            }
        }
        self.input.write_all(&message)?;
        self.input.flush()?;
        cases.iter().map(|case| self.answer(case)).collect()
    }

    fn answer(&mut self, case: &Case) -> Result<Outcome> {
        let mut after = State::default();
        for value in &mut after.reg {
            *value = self.doubleword()?;
        }
        let mut data = [0; DATA_BYTES];
        self.output.read_exact(&mut data)?;
        after.data = data;
        let [signal, code, _address, nia] =
            [self.doubleword()?, self.doubleword()?, self.doubleword()?, self.doubleword()?];
        let ending = ending(signal, code);
        let nia = if ending == Ending::Done { case.end() } else { nia };
        Ok(Outcome { after, ending, at: nia.wrapping_sub(case.address()) as i64 / 4 })
    }

    fn doubleword(&mut self) -> Result<u64> {
        let mut bytes = [0; 8];
        self.output.read_exact(&mut bytes)?;
        Ok(if self.order == Order::Big { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // It ends by itself at the end of its input; a case may have left it unable to.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn put(message: &mut Vec<u8>, order: Order, value: u64) {
    message.extend(if order == Order::Big { value.to_be_bytes() } else { value.to_le_bytes() });
}

/// The ending that Linux makes this signal of (signal numbers and `si_code` of the PowerPC ABI).
fn ending(signal: u64, code: u64) -> Ending {
    match (signal, code) {
        (0, _) => Ending::Done,
        (4, 5 | 6) => Ending::Privileged,
        (4, _) => Ending::Illegal,
        (5, _) => Ending::Trap,
        (7, _) => Ending::Alignment,
        (8, _) => Ending::FloatEnabled,
        (11, _) => Ending::Storage,
        (14, _) => Ending::Endless,
        _ => Ending::Broken,
    }
}

const _: () = assert!(reg::COUNT * 8 == 1616, "the harness has another state");
