//! The bare-metal test kernels of `guest/`: every check of every kernel, in both byte orders, on every machine.

use anyhow::{Context, Result, ensure};
use exec::Privileged;
use hv_core::Halt;
use machine::{Device, Interrupts, Kind, Mmu};
use ppc_isa::Cpu;
use vmtest::{EngineKind, Guest, Run, Timing, bare_metal, runs};

const MODELS: [(Cpu, Mmu); 3] = [(Cpu::Power8, Mmu::Hash), (Cpu::Power9, Mmu::Hash), (Cpu::Power9, Mmu::Radix)];

/// Why a run is not a pass: a check that failed, or an end that was not the guest's own.
fn fault(run: &Run) -> Option<String> {
    fault_but(run, &Halt::PowerOff)
}

/// The same for a kernel that ends otherwise.
fn fault_but(run: &Run, end: &Halt) -> Option<String> {
    let failed: Vec<&str> = run.console.lines().filter(|line| line.starts_with("FAIL")).collect();
    let passed = run.console.lines().any(|line| line == "PASS");
    match run.ended(end) {
        _ if !failed.is_empty() => Some(failed.join("\n  ")),
        Err(error) => Some(error.to_string()),
        Ok(()) if !passed => Some(format!("no verdict; {run}")),
        Ok(()) => None,
    }
}

/// Runs kernel `name` everywhere; at least one machine must make checks that it does not skip.
fn everywhere(name: &str) -> Result<()> {
    let (mut faults, mut checks, mut runs) = (Vec::new(), 0, 0);
    for order in ["be", "le"] {
        let kernel = bare_metal(&format!("{name}-{order}.elf"))?;
        for kind in [Kind::Pseries, Kind::Bare] {
            for (cpu, mmu) in MODELS {
                for pv in [false, true] {
                    let guest = Guest::new(kernel.clone()).kind(kind).cpu(cpu, mmu).pv(pv).memory(256).append("");
                    let run = guest.most(2_000_000_000).run()?;
                    runs += 1;
                    checks += run.console.lines().filter(|line| line.starts_with("ok ")).count();
                    if let Some(fault) = fault(&run) {
                        faults.push(format!("{order} on {kind:?} {} {mmu:?} pv {pv}:\n  {fault}", cpu.name()));
                    }
                }
            }
        }
    }
    println!("{name}: {checks} checks in {runs} runs");
    ensure!(checks > 0, "no check was made");
    ensure!(faults.is_empty(), "{} of {runs} runs failed\n{}", faults.len(), faults.join("\n"));
    Ok(())
}

macro_rules! kernels {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() -> Result<()> {
            everywhere(stringify!($name))
        }
    )*};
}

kernels! { decrementer exceptions hash hcalls magic patch radix smc syscall xive }

/// Translation by the other engine as well, with processors that sleep beside.
#[test]
fn translation() -> Result<()> {
    let (mut faults, mut checks) = (Vec::new(), 0);
    for (name, order) in [("hash", "be"), ("hash", "le"), ("radix", "be"), ("radix", "le")] {
        let kernel = bare_metal(&format!("{name}-{order}.elf"))?;
        for ((cpu, mmu), cpus) in MODELS.into_iter().flat_map(|model| [(model, 1), (model, 2), (model, 8)]) {
            let guest = Guest::new(kernel.clone()).cpu(cpu, mmu).cpus(cpus).memory(256).append("");
            let result = guest.engine(EngineKind::Translator).most(2_000_000_000).run()?;
            checks += result.console.lines().filter(|line| line.starts_with("ok ")).count();
            if let Some(fault) = fault(&result) {
                faults.push(format!("{name}-{order} on {} {mmu:?}, {cpus} vCPUs:\n  {fault}", cpu.name()));
            }
        }
    }
    println!("translation: {checks} checks");
    ensure!(checks > 1000 && faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// A kernel that needs more of the host than a machine, on one vCPU and on eight, on both engines, with each of these where
/// the processor has them.
fn with_company(name: &str, ways: &[(Interrupts, Timing)]) -> Result<()> {
    let (mut faults, mut checks) = (Vec::new(), 0);
    for order in ["be", "le"] {
        let kernel = bare_metal(&format!("{name}-{order}.elf"))?;
        for ((cpu, mmu), cpus) in MODELS.into_iter().flat_map(|model| [(model, 1), (model, 8)]) {
            let ways = ways.iter().filter(|(interrupts, _)| cpu != Cpu::Power8 || *interrupts == Interrupts::Xics);
            for (interrupts, timing) in ways {
                for engine in [EngineKind::Interpreter, EngineKind::Translator] {
                    let what = format!(
                        "{order} on {} {mmu:?}, {cpus} vCPUs, {engine:?}, {interrupts:?}, {timing:?}",
                        cpu.name()
                    );
                    let guest = Guest::new(kernel.clone()).cpu(cpu, mmu).cpus(cpus).interrupts(*interrupts);
                    let guest = guest.timing(*timing).memory(256).append("").engine(engine).most(2_000_000_000);
                    for (which, run) in runs(name, &guest).context(what.clone())? {
                        let made = run.console.lines().filter(|line| line.starts_with("ok ")).count();
                        let fault = fault(&run).or((made == 0).then(|| "no checks".to_owned()));
                        faults.extend(fault.map(|fault| format!("{what}, {which} run:\n  {fault}")));
                        checks += made;
                    }
                }
            }
        }
    }
    println!("{name}: {checks} checks");
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// Persistent memory: calls, and what outlives machines, crashes and a medium that fails.
#[test]
fn scm() -> Result<()> {
    with_company("scm", &[(Interrupts::Xics, Timing::Virtual)])
}

/// Connectors, behind which devices come and go.
#[test]
fn connectors() -> Result<()> {
    with_company("connectors", &[(Interrupts::Xics, Timing::Virtual)])
}

/// A function on the bus, with either interrupt controller, and a bus without any.
#[test]
fn pci() -> Result<()> {
    let mut faults = Vec::new();
    for order in ["be", "le"] {
        let kernel = bare_metal(&format!("pci-{order}.elf"))?;
        for ((cpu, mmu), cpus) in MODELS.into_iter().flat_map(|model| [(model, 1), (model, 8)]) {
            for engine in [EngineKind::Interpreter, EngineKind::Translator] {
                let bare = Guest::new(kernel.clone()).cpu(cpu, mmu).cpus(cpus).memory(256).append("").engine(engine);
                let bare = bare.most(2_000_000_000);
                let full = bare.clone().device(Device::VirtioRng);
                let mut machines = vec![
                    ("messages by XICS", full.clone(), 130, 0),
                    ("on host time", full.clone().timing(Timing::Host), 130, 0),
                    ("an empty bus", bare.clone(), 8, 1),
                    ("that of the bare machine", bare.kind(Kind::Bare), 8, 1),
                ];
                if cpu != Cpu::Power8 {
                    machines.push(("events by XIVE", full.interrupts(Interrupts::Xive), 80, 0));
                }
                for (machine, guest, least, skipped) in machines {
                    let run = guest.run()?;
                    let count = |verdict| run.console.lines().filter(|line| line.starts_with(verdict)).count();
                    let (made, skips) = (count("ok "), count("skip "));
                    let short = (made < least || skips != skipped).then(|| format!("{made} checks, {skips} skipped"));
                    if let Some(fault) = fault(&run).or(short) {
                        let what = format!("{order} on {} {mmu:?}, {cpus} vCPUs, {engine:?}", cpu.name());
                        faults.push(format!("{what}, {machine}:\n  {fault}"));
                    }
                }
            }
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// Hypercalls, with somebody who types.
#[test]
fn hcalls_with_input() -> Result<()> {
    with_company("hcalls", &[(Interrupts::Xics, Timing::Virtual), (Interrupts::Xics, Timing::Host)])
}

/// Every call of the table with arguments that nobody should pass.
#[test]
fn contract() -> Result<()> {
    with_company("contract", &[(Interrupts::Xics, Timing::Virtual), (Interrupts::Xive, Timing::Virtual)])
}

/// Watchdogs, and how each ends the machine: found busy or idle, alone or not, on both clocks.
#[test]
fn watchdog() -> Result<()> {
    let ends = [("poweroff", Halt::PowerOff), ("restart", Halt::Reset), ("dump", Halt::Reset)];
    let mut faults = Vec::new();
    for order in ["be", "le"] {
        let kernel = bare_metal(&format!("watchdog-{order}.elf"))?;
        for (number, (word, end)) in ends.iter().enumerate() {
            for (idle, cpus) in [("", 1), (" idle", 1), ("", 8), (" idle", 8)] {
                for (engine, timing) in [
                    (EngineKind::Interpreter, Timing::Virtual),
                    (EngineKind::Translator, Timing::Virtual),
                    (EngineKind::Translator, Timing::Host),
                ] {
                    let (cpu, mmu) = MODELS[number];
                    let guest = Guest::new(kernel.clone()).cpu(cpu, mmu).cpus(cpus).memory(256);
                    let host = if timing == Timing::Host { " host" } else { "" };
                    let guest = guest.append(&format!("{word}{idle}{host}")).engine(engine).timing(timing);
                    let run = guest.most(2_000_000_000).run()?;
                    let checks = run.console.lines().filter(|line| line.starts_with("ok ")).count();
                    let fault = fault_but(&run, end).or((checks < 10).then(|| format!("{checks} checks")));
                    if let Some(fault) = fault {
                        faults.push(format!("{order} {word}{idle}, {cpus} vCPUs, {engine:?}, {timing:?}:\n  {fault}"));
                    }
                }
            }
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// A kernel that is added to `guest/` must be added here.
#[test]
fn every_kernel_is_run() -> Result<()> {
    let known = [
        "connectors",
        "contract",
        "decrementer",
        "exceptions",
        "hash",
        "hcalls",
        "magic",
        "patch",
        "pci",
        "radix",
        "scm",
        "smc",
        "syscall",
        "watchdog",
        "xive",
        "demo",
        "book3s32",
        "booke",
    ];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guest/elf");
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().into_string().unwrap_or_default();
        let Some(stem) = name.strip_suffix("-be.elf").or(name.strip_suffix("-le.elf")) else { continue };
        ensure!(known.contains(&stem), "{name} is run by no test");
    }
    Ok(())
}

/// The kernel of 32-bit processors, with privileged instructions inline and trapped.
#[test]
fn book3s32() -> Result<()> {
    let (mut faults, mut checks) = (Vec::new(), 0);
    for cpu in [Cpu::Ppc750, Cpu::Ppc7400, Cpu::Ppc7450] {
        for pv in [false, true] {
            for privileged in [Privileged::Inline, Privileged::Trap] {
                let guest = Guest::new(bare_metal("book3s32-be.elf")?).kind(Kind::Bare).cpu(cpu, Mmu::Hash).pv(pv);
                let run = guest.privileged(privileged).memory(128).append("").most(2_000_000_000).run()?;
                checks += run.console.lines().filter(|line| line.starts_with("ok ")).count();
                if let Some(fault) = fault(&run) {
                    faults.push(format!("{} pv {pv} {privileged:?}:\n  {fault}", cpu.name()));
                }
            }
        }
    }
    println!("book3s32: {checks} checks");
    ensure!(checks > 0, "no check was made");
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// The kernel of BookE processors, which runs on the e500 board and ends by a reset.
#[test]
fn booke() -> Result<()> {
    let mut faults = Vec::new();
    for pv in [false, true] {
        for privileged in [Privileged::Inline, Privileged::Trap] {
            let guest = Guest::new(bare_metal("booke-be.elf")?).kind(Kind::E500).cpu(Cpu::E500v2, Mmu::Hash).pv(pv);
            let run = guest.privileged(privileged).memory(128).append("").most(2_000_000_000).run()?;
            let checks = run.console.lines().filter(|line| line.starts_with("ok ")).count();
            println!("booke: {checks} checks, pv {pv}, {privileged:?}");
            if let Some(fault) = fault_but(&run, &Halt::Reset) {
                faults.push(format!("pv {pv} {privileged:?}:\n  {fault}"));
            }
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// The controller that the others do not have, with one processor and with two, on the translator with a thread for each
/// as well.
#[test]
fn xive_where_there_is_one() -> Result<()> {
    let (mut faults, mut checks) = (Vec::new(), 0);
    for order in ["be", "le"] {
        let kernel = bare_metal(&format!("xive-{order}.elf"))?;
        for (cpu, cpus, privileged, engine, timing) in [
            (Cpu::Power9, 1, Privileged::Inline, EngineKind::Interpreter, Timing::Virtual),
            (Cpu::Power9, 2, Privileged::Inline, EngineKind::Interpreter, Timing::Virtual),
            (Cpu::Power9, 2, Privileged::Trap, EngineKind::Interpreter, Timing::Virtual),
            (Cpu::Power10, 2, Privileged::Inline, EngineKind::Interpreter, Timing::Host),
            (Cpu::Power10, 1, Privileged::Inline, EngineKind::Translator, Timing::Virtual),
            (Cpu::Power10, 2, Privileged::Inline, EngineKind::Translator, Timing::Virtual),
            (Cpu::Power9, 2, Privileged::Inline, EngineKind::Translator, Timing::Host),
            (Cpu::Power9, 2, Privileged::Trap, EngineKind::Translator, Timing::Host),
        ] {
            let guest = Guest::new(kernel.clone()).cpu(cpu, Mmu::Radix).interrupts(Interrupts::Xive).cpus(cpus);
            let guest = guest.privileged(privileged).engine(engine).timing(timing).memory(256).append("");
            let run = guest.most(2_000_000_000).run()?;
            let made = run.console.lines().filter(|line| line.starts_with("ok ")).count();
            ensure!(made >= 100, "{made} checks; {run}");
            checks += made;
            if let Some(fault) = fault(&run) {
                faults
                    .push(format!("{order} on {cpus} {} {privileged:?} {engine:?} {timing:?}:\n  {fault}", cpu.name()));
            }
        }
    }
    println!("xive: {checks} checks");
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// The demonstration finds the interface, maps the page and switches itself off.
#[test]
fn demo() -> Result<()> {
    for order in ["be", "le"] {
        for (cpu, mmu) in MODELS {
            let run = Guest::new(bare_metal(&format!("demo-{order}.elf"))?).cpu(cpu, mmu).append("").run()?;
            run.ended(&Halt::PowerOff)?;
            run.shows("Powering off. Good-bye.")?;
            ensure!(run.hypercalls("kvm:MAP_MAGIC_PAGE") > 0, "the demo mapped no page; {run}");
        }
    }
    Ok(())
}
