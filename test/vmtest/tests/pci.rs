//! Linux uses a function on the PCI bus: entropy by way of rings in memory behind DMA windows, interrupts as messages or by
//! the pin, both byte orders, both interrupt controllers.

use anyhow::{Result, ensure};
use hv_core::Halt;
use machine::{Device, Interrupts, Mmu};
use ppc_isa::Cpu;
use vmtest::{EngineKind, Guest, built};

/// Reads twice, and says how it was interrupted.
const READ: &str = "one() { dd if=/dev/hwrng bs=64 count=4 2>/dev/null | md5sum; }; a=$(one); b=$(one); \
     [ \"$a\" != \"$b\" ] && [ $(dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c) = 256 ] && echo they dif''fer; \
     awk '/virtio0/ { n[/MSI/ ? \"message\" : \"pin\"] += $2 } END { for (k in n) print k, (n[k] > 0) }' /proc/interrupts; \
     cat /sys/class/misc/hw_random/rng_current; poweroff -f\n";

struct Case {
    machine: &'static str,
    cpu: Cpu,
    mmu: Mmu,
    interrupts: Interrupts,
    append: &'static str,
    engine: EngineKind,
}

const LITTLE: Case = Case {
    machine: "pseries-le",
    cpu: Cpu::Power9,
    mmu: Mmu::Radix,
    interrupts: Interrupts::Xics,
    append: "",
    engine: EngineKind::Interpreter,
};
const BIG: Case = Case { machine: "pseries-be", cpu: Cpu::Power8, mmu: Mmu::Hash, ..LITTLE };

fn boot(test: &str, case: &Case) -> Result<()> {
    let Some(kernel) = built(test, case.machine, "vmlinux")? else { return Ok(()) };
    let guest = Guest::new(kernel).cpu(case.cpu, case.mmu).interrupts(case.interrupts).engine(case.engine);
    let guest = guest.append(&format!("console=hvc0 panic=-1 {}", case.append)).device(Device::VirtioRng);
    let run = guest.expect("guest# ", READ).run()?;
    run.ended(&Halt::PowerOff)?;
    run.shows("virtio_rng.0")?;
    run.shows("they differ")?;
    let messages = !case.append.contains("nomsi");
    run.shows(if messages { "message 1" } else { "pin 1" })?;
    // A window with large pages for all of memory, or pages of the first one for each buffer.
    let large = !case.append.contains("disable_ddw");
    let (created, put) = (run.hypercalls("rtas:ibm,create-pe-dma-window"), run.hypercalls("papr:H_PUT_TCE"));
    ensure!((created > 0, put > 0) == (large, !large), "{created} windows, {put} entries; {run}");
    Ok(())
}

macro_rules! boots {
    ($($name:ident = $case:expr;)*) => {$(
        #[test]
        fn $name() -> Result<()> {
            boot(stringify!($name), &$case)
        }
    )*};
}

boots! {
    little_endian = LITTLE;
    little_endian_with_xive = Case { interrupts: Interrupts::Xive, engine: EngineKind::Translator, ..LITTLE };
    little_endian_by_the_pin = Case { append: "pci=nomsi", ..LITTLE };
    little_endian_by_the_pin_with_xive = Case { append: "pci=nomsi", interrupts: Interrupts::Xive, ..LITTLE };
    little_endian_through_the_first_window = Case { append: "disable_ddw", engine: EngineKind::Translator, ..LITTLE };
    big_endian = BIG;
    big_endian_with_the_translator = Case { engine: EngineKind::Translator, cpu: Cpu::Power9, ..BIG };
    big_endian_through_the_first_window = Case { append: "disable_ddw", ..BIG };
}

/// On either engine: what the device does takes no time, and its numbers come from the seed.
#[test]
fn runs_on_virtual_time_repeat() -> Result<()> {
    let Some(kernel) = built("runs_on_virtual_time_repeat", LITTLE.machine, "vmlinux")? else { return Ok(()) };
    let told = Guest::new(kernel).append("console=hvc0 panic=-1").device(Device::VirtioRng).cpus(2).keep();
    let told = told.expect("guest# ", "dd if=/dev/hwrng bs=64 count=9 2>/dev/null | md5sum; poweroff -f\n");
    let seen = |engine| -> Result<_> {
        let run = told.clone().engine(engine).run()?;
        run.ended(&Halt::PowerOff)?;
        Ok((run.instructions, run.console, run.left))
    };
    let [first, again] = [seen(EngineKind::Interpreter)?, seen(EngineKind::Translator)?];
    ensure!(first == again, "{} and {} instructions", first.0, again.0);
    Ok(())
}
