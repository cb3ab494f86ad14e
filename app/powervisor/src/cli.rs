//! Flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use nvdimm::Uuid;
use pv_abi::convention::Arch;
use regex_lite::Regex;

use crate::nvdimm::flag::{self, NvdimmFlag};
use crate::size;

/// A hypervisor for PowerPC guests that needs no PowerPC host.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a guest: a stock Debian, our demonstration, or your own kernel
    Run(RunFlags),
    /// Run the same guest four ways and show what each paravirtual rewrite saves
    Exits(ExitsFlags),
    /// Run a guest and print its exits and hypercalls as they happen
    Trace(TraceFlags),
    /// Run a guest on the translator and show which functions and instructions cost the most
    Hot(HotFlags),
    /// List the hypercalls that KVM knows, on every architecture, or those of PAPR
    Hypercalls(HypercallsFlags),
    /// List the instructions that the processors have, and those that they lack
    Isa(IsaFlags),
    /// Show which instructions of a kernel the paravirtual interface rewrites
    Patch(PatchFlags),
    /// Ask a running machine, or change it: memory, processors, persistent memory, PCI devices
    Ctl(CtlFlags),
    /// Make, show and check image files of persistent memory
    #[command(subcommand)]
    Nvdimm(NvdimmCommand),
}

/// What to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Guest {
    /// Debian's own kernel for POWER with a busybox shell; fetched once, then cached
    Debian,
    /// Shows the paravirtual interface at work; needs no network
    Demo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MachineFlag {
    /// PAPR partition (ppc64 and ppc64le Linux)
    Pseries,
    /// BookE board (ppc Linux for e500v2, ppc64 Linux for e5500)
    E500,
    /// Power Macintosh (ppc Linux for G3 and G4)
    Mac,
    /// RAM, console and hypercalls, for test kernels
    Bare,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MmuFlag {
    /// Hashed page table
    Hash,
    /// Radix trees (POWER9)
    Radix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InterruptsFlag {
    /// The guest makes a call for each interrupt; works everywhere
    Xics,
    /// The guest reaches the controller without calls (POWER9, POWER10)
    Xive,
    /// What every processor and kernel has: xics
    Auto,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BootFlag {
    /// With a flattened device tree
    Fdt,
    /// As a client of Open Firmware, as boot programs are
    Of,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CallFlag {
    /// PAPR hypercalls and RTAS, with the console
    Papr,
    /// KVM hypercalls: features, magic page
    Kvm,
    /// OSI calls, told by two magic numbers
    Osi,
    /// ePAPR hypercalls
    Epapr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrivilegedFlag {
    /// The engine carries them out itself
    Inline,
    /// Every privileged instruction is an exit to the hypervisor, as in KVM's PR mode
    Trap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClockFlag {
    /// The host's time
    Host,
    /// Time made of executed instructions: the same run takes the same guest time everywhere
    Virtual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineFlag {
    /// The interpreter: slower, on any host
    Interp,
    /// The translator to x86-64 code
    Jit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReleaseFlag {
    /// Debian 12: Linux 6.1, 64 KiB pages
    Bookworm,
    /// Debian 13: Linux 6.12, 4 KiB pages
    Trixie,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "\
In the console: Ctrl-A X quits, Ctrl-A H shows all keys.

Exit codes: 0 the guest switched itself off, 120 its kernel panicked, 124 --timeout passed, 125 an error of ours.

Examples:
  powervisor run debian
  powervisor run debian --release trixie --init 'cat /proc/cpuinfo'
  powervisor run --kernel vmlinux --initrd initrd.gz --append 'console=hvc0' -m 2G
  powervisor run --disk debian.img -m 2G

Variables of the environment for those who work on the translator begin with POWERVISOR_JIT_: docs/translator.md.")]
pub struct RunFlags {
    /// A guest that PowerVisor knows how to obtain
    #[arg(value_enum, conflicts_with_all = ["kernel", "initrd"], required_unless_present_any = ["kernel", "disk"])]
    pub guest: Option<Guest>,
    /// Kernel: an ELF file, of the width and byte order that the machine takes
    #[arg(long, value_name = "FILE")]
    pub kernel: Option<PathBuf>,
    /// Initial RAM file system
    #[arg(long, value_name = "FILE")]
    pub initrd: Option<PathBuf>,
    /// Kernel command line
    #[arg(long, value_name = "STRING")]
    pub append: Option<String>,
    /// pseries: a disk image that Open Firmware reads; without --kernel the program in its boot partition is started
    #[arg(long, value_name = "FILE")]
    pub disk: Option<PathBuf>,
    /// pseries: how the kernel is entered [default: fdt; of with --disk]
    #[arg(long, value_enum)]
    pub boot: Option<BootFlag>,
    /// Machine
    #[arg(long, short = 'M', value_enum, default_value = "pseries")]
    pub machine: MachineFlag,
    /// CPU model; by default power9, e500v2 or 7400 as the machine has it
    #[arg(long, value_name = "MODEL", value_parser = cpu)]
    pub cpu: Option<ppc_isa::Cpu>,
    /// Processors: a host thread each, or one for all in turn with `--clock virtual`
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub cpus: u32,
    /// RAM, with K, M or G
    #[arg(long, short = 'm', value_name = "SIZE", default_value = "1G", value_parser = size::parse)]
    pub memory: u64,
    /// Persistent memory in a file, which is made if it does not exist: size=, label=, uuid=, health=, life=, readonly=,
    /// fault= (lose-unflushed, sync:N) may follow; may be given several times
    #[arg(long, value_name = "path=FILE[,size=SIZE..]", value_parser = flag::parse)]
    pub nvdimm: Vec<NvdimmFlag>,
    /// Listen at this socket for `powervisor ctl`
    #[arg(long, value_name = "SOCKET")]
    pub ctl: Option<PathBuf>,
    /// pseries: processors that there can be when some are added by `powervisor ctl`
    #[arg(long, value_name = "N")]
    pub max_cpus: Option<u32>,
    /// pseries: RAM that there can be when some is added by `powervisor ctl`
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub max_memory: Option<u64>,
    /// pseries: addresses kept for persistent memory that is added by `powervisor ctl`
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size::parse)]
    pub nvdimm_room: u64,
    /// pseries: a device on the PCI bus, by its name (virtio-rng); may be given several times
    #[arg(long, value_name = "NAME", value_parser = device)]
    pub device: Vec<machine::Device>,
    /// Non-volatile memory in a file of 64 KiB, which is made if it does not exist (pseries); without, it is forgotten
    #[arg(long, value_name = "FILE")]
    pub nvram: Option<PathBuf>,
    /// Address translation; by default what the CPU does best
    #[arg(long, value_enum)]
    pub mmu: Option<MmuFlag>,
    /// `--machine pseries`: the guest's interrupt controller
    #[arg(long, value_enum, default_value = "auto")]
    pub interrupts: InterruptsFlag,
    /// Offer the KVM paravirtual interface to the guest
    #[arg(long, value_enum, default_value = "on")]
    pub pv: Switch,
    /// `--machine bare`: the hypercalls that are answered; by default all that --pv allows
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST")]
    pub calls: Option<Vec<CallFlag>>,
    /// What executes the guest's instructions [default: jit where the host can]
    #[arg(long, value_enum)]
    pub engine: Option<EngineFlag>,
    /// `--engine jit`: memory for translated code, of each vCPU
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size::parse)]
    pub code_cache: u64,
    /// How privileged instructions are executed [default: inline; trap for `powervisor trace`]
    #[arg(long, value_enum)]
    pub privileged: Option<PrivilegedFlag>,
    /// Let each exit cost so many nanoseconds more, as where entering the hypervisor is dear
    #[arg(long, value_name = "NS", default_value_t = 0)]
    pub exit_cost: u64,
    /// Where guest time comes from
    #[arg(long, value_enum, default_value = "host")]
    pub clock: ClockFlag,
    /// `run debian`: which release
    #[arg(long, value_enum, default_value = "bookworm")]
    pub release: ReleaseFlag,
    /// `run debian`: run this command in place of a shell, then switch off
    #[arg(long, value_name = "CMD")]
    pub init: Option<String>,
    /// Stop after this many seconds with exit code 124
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<Duration>,
    /// Write exit counts as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub stats: Option<PathBuf>,
    /// Write the device tree (DTB) to this file
    #[arg(long, value_name = "FILE")]
    pub dtb_out: Option<PathBuf>,
    /// Show the layout and stop
    #[arg(long)]
    pub dry_run: bool,
    /// Only the guest's own output: no greeting, no summary
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The ways: privileged instructions trapped or carried out inline, paravirtual interface offered or not. The guest must
do the same work each time and switch itself off, as `--init CMD` of `exits debian` makes it.

Examples:
  powervisor exits debian --init true
  powervisor exits --kernel vmlinux-pv --initrd initramfs.gz --append 'console=hvc0 autotest' --html exits.html")]
pub struct ExitsFlags {
    #[command(flatten)]
    pub run: RunFlags,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Write a report with bars to this file, for a browser
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Names of addresses; by default the kernel's own symbols, or the System.map beside it
    #[arg(long, value_name = "SYSTEM.MAP")]
    pub symbols: Option<PathBuf>,
    /// How many instructions and symbols to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The trace goes to standard output, the guest's console to standard error. With several --cpus a line begins with the
number of the processor.

Examples:
  powervisor trace demo --only hypercall
  powervisor trace debian --init true --name 'H_*' --json
  powervisor trace --kernel vmlinux --initrd initramfs.gz --only privileged --symbol schedule --limit 100")]
pub struct TraceFlags {
    #[command(flatten)]
    pub run: RunFlags,
    /// Print JSON, an object a line
    #[arg(long)]
    pub json: bool,
    /// Kinds of exits to print
    #[arg(long, value_enum, value_delimiter = ',', value_name = "LIST")]
    pub only: Option<Vec<ExitKind>>,
    /// Print exits with this name only: an instruction, a hypercall, an interrupt; `*` stands for anything
    #[arg(long, value_name = "PATTERN")]
    pub name: Option<String>,
    /// Print exits from this guest function only; `*` stands for anything
    #[arg(long, value_name = "PATTERN")]
    pub symbol: Option<String>,
    /// Names of addresses; by default the kernel's own symbols, or the System.map beside it
    #[arg(long, value_name = "SYSTEM.MAP")]
    pub symbols: Option<PathBuf>,
    /// Stop after so many lines
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Instructions are counted where they are executed, those of user programs by page. Of the calls, `declined` are those of
the interpreter for one instruction, `privileged` those that carry out a privileged one, `access` those for an address
that the fast TLB does not know. What is `interpreted` has no code, or was left to cause an interrupt; what is `cold` came
too seldom so far. The guest's console goes to standard error.

Examples:
  powervisor hot debian --init 'sha256sum /bin/busybox'
  powervisor hot debian --init true --top 40 --json")]
pub struct HotFlags {
    #[command(flatten)]
    pub run: RunFlags,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Names of addresses; by default the kernel's own symbols, or the System.map beside it
    #[arg(long, value_name = "SYSTEM.MAP")]
    pub symbols: Option<PathBuf>,
    /// How many functions and instructions to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
}

/// What an exit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum ExitKind {
    /// A privileged instruction
    Privileged,
    /// A hypercall, of any interface
    Hypercall,
    /// A system call of the guest's own
    Syscall,
    /// An instruction that the processor lacks
    Illegal,
    /// An interrupt that an instruction caused
    Interrupt,
    /// An event point: time slice over, request from outside
    Event,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The machine was started with --ctl SOCKET, and with --max-memory, --max-cpus or --nvdimm-room for what is to be added.
Linux takes and gives back all but PCI devices by itself, and these where rtas_errd runs (Debian's package ppc64-diag), or by
`drmgr -c pci -a -s C0 -n -V` and `drmgr -c pci -r ...`: slot 0 is C0, slot 1 is C8.

Examples:
  powervisor run debian --ctl pv.sock --max-memory 4G --max-cpus 4 --nvdimm-room 1G
  powervisor ctl pv.sock memory add 1G
  powervisor ctl pv.sock nvdimm add path=disk.pmem,size=512M
  powervisor ctl pv.sock device add virtio-rng
  powervisor ctl pv.sock status --json")]
pub struct CtlFlags {
    /// The socket
    pub socket: PathBuf,
    #[command(subcommand)]
    pub command: CtlCommand,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum CtlCommand {
    /// What was added or can be removed, and the persistent memory
    Status,
    /// Add or remove memory, in steps of 256M
    #[command(subcommand)]
    Memory(CtlMemory),
    /// Add or remove processors
    #[command(subcommand)]
    Cpus(CtlCpus),
    /// Add, remove or change persistent memory
    #[command(subcommand)]
    Nvdimm(CtlNvdimm),
    /// Add or remove PCI devices
    #[command(subcommand)]
    Device(CtlDevice),
}

#[derive(Debug, Subcommand)]
pub enum CtlMemory {
    /// Add so much, and wait until the guest has it
    Add {
        /// How much
        #[arg(value_parser = size::parse)]
        size: u64,
    },
    /// Remove so much of what was added, and wait until the guest has given it back
    Remove {
        /// How much
        #[arg(value_parser = size::parse)]
        size: u64,
    },
}

#[derive(Debug, Subcommand)]
pub enum CtlCpus {
    /// Add so many, and wait until the guest has them
    Add {
        /// How many
        count: u32,
    },
    /// Remove so many of those that were added
    Remove {
        /// How many
        count: u32,
    },
}

#[derive(Debug, Subcommand)]
pub enum CtlDevice {
    /// Add one, as --device names it, and wait until the guest has it
    Add {
        /// Its name
        #[arg(value_parser = device)]
        device: machine::Device,
    },
    /// Remove one, and wait until the guest has given it back
    Remove {
        /// Its slot
        slot: u8,
    },
}

#[derive(Debug, Subcommand)]
pub enum CtlNvdimm {
    /// Add a device, as --nvdimm describes it
    Add {
        /// path=FILE,size=SIZE..
        #[arg(value_parser = flag::parse)]
        flag: NvdimmFlag,
    },
    /// Remove one that was added; its image is put away
    Remove {
        /// Its number in `status`
        number: usize,
    },
    /// Set its states of health: ok, or some of unarmed, critical, fatal, unhealthy, .. with commas between
    Health {
        /// Its number in `status`
        number: usize,
        /// The states
        #[arg(value_parser = nvdimm::health::parse)]
        states: u64,
    },
    /// Set how many percent of its life are left
    Life {
        /// Its number in `status`
        number: usize,
        /// 0 to 100
        #[arg(value_parser = clap::value_parser!(u64).range(..=100))]
        percent: u64,
    },
    /// Let the next sync of its file fail
    FailSync {
        /// Its number in `status`
        number: usize,
    },
}

impl CtlCommand {
    /// The command as words.
    pub fn words(&self) -> Vec<String> {
        let words = |words: &[&str], values: &[String]| -> Vec<String> {
            words.iter().map(|word| (*word).to_owned()).chain(values.iter().cloned()).collect()
        };
        // A size without a letter is in MiB.
        let bytes = |size: &u64| format!("{}K", size >> 10);
        match self {
            CtlCommand::Status => words(&["status"], &[]),
            CtlCommand::Memory(CtlMemory::Add { size }) => words(&["memory", "add"], &[bytes(size)]),
            CtlCommand::Memory(CtlMemory::Remove { size }) => words(&["memory", "remove"], &[bytes(size)]),
            CtlCommand::Cpus(CtlCpus::Add { count }) => words(&["cpus", "add"], &[count.to_string()]),
            CtlCommand::Cpus(CtlCpus::Remove { count }) => words(&["cpus", "remove"], &[count.to_string()]),
            CtlCommand::Device(CtlDevice::Add { device }) => words(&["device", "add"], &[device.name().to_owned()]),
            CtlCommand::Device(CtlDevice::Remove { slot }) => words(&["device", "remove"], &[slot.to_string()]),
            CtlCommand::Nvdimm(CtlNvdimm::Add { flag }) => words(&["nvdimm", "add"], &[flag.text_from_anywhere()]),
            CtlCommand::Nvdimm(CtlNvdimm::Remove { number }) => words(&["nvdimm", "remove"], &[number.to_string()]),
            CtlCommand::Nvdimm(CtlNvdimm::Health { number, states }) => {
                let names = nvdimm::health::names(*states);
                let states = if names.is_empty() { "ok".to_owned() } else { names.join(",") };
                words(&["nvdimm", "health"], &[number.to_string(), states])
            }
            CtlCommand::Nvdimm(CtlNvdimm::Life { number, percent }) => {
                words(&["nvdimm", "life"], &[number.to_string(), percent.to_string()])
            }
            CtlCommand::Nvdimm(CtlNvdimm::FailSync { number }) => {
                words(&["nvdimm", "fail-sync"], &[number.to_string()])
            }
        }
    }
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
An image has a header, a label area for namespaces, and data. Machines get it by `powervisor run --nvdimm path=FILE`.

Examples:
  powervisor nvdimm create disk.pmem --size 512M
  powervisor nvdimm info disk.pmem --json")]
pub enum NvdimmCommand {
    /// Make an image file; it takes its whole size on the disk
    Create(NvdimmCreateFlags),
    /// Show sizes, identity, and how it was left
    Info(NvdimmInfoFlags),
    /// Check header, length and label area; exit code 1 when something is damaged
    Check(NvdimmCheckFlags),
}

#[derive(Debug, Args)]
pub struct NvdimmCreateFlags {
    /// The file; it must not exist
    pub file: PathBuf,
    /// Data: 16M to 4T, in steps of 16M
    #[arg(long, value_name = "SIZE", value_parser = size::parse)]
    pub size: u64,
    /// Label area: 1K to 16M
    #[arg(long, value_name = "SIZE", default_value = "128K", value_parser = size::parse)]
    pub label: u64,
    /// Identity; random by default
    #[arg(long)]
    pub uuid: Option<Uuid>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct NvdimmInfoFlags {
    /// The image
    pub file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct NvdimmCheckFlags {
    /// The image
    pub file: PathBuf,
    /// Make a damaged copy of the header anew from the other one
    #[arg(long)]
    pub repair: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct HypercallsFlags {
    /// One architecture only: x86, powerpc, s390, mips or loongarch
    #[arg(long, value_name = "ARCH", value_parser = arch)]
    pub arch: Option<Arch>,
    /// PAPR's hypercalls and RTAS services instead, and which of them are implemented
    #[arg(long)]
    pub papr: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A row is a mnemonic without the suffixes that its fields select (o, ., a, l), the bits of its word from left to right,
its operands, the unit that must be switched on, and whether it is privileged. In the bits, n is an opcode, n:w one of w
bits, /w so many reserved bits; | stands between a prefix and its suffix. Of the operands, = marks one that is written,
+ one that is read and written. Then come the number of rows by file of the table, and what a model lacks, and why.

Examples:
  powervisor isa --cpu power10 --rows 'xv.*sp'
  powervisor isa --cpu e500v2 --json")]
pub struct IsaFlags {
    /// CPU model; all of them without
    #[arg(long, value_parser = cpu)]
    pub cpu: Option<ppc_isa::Cpu>,
    /// Only the instructions whose whole mnemonic matches this regular expression
    #[arg(long, value_name = "RE", value_parser = rows)]
    pub rows: Option<Regex>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is changed: the report says what a guest that patches itself would do, by the same table and patcher as the
library pv-guest. Without symbols all that the file loads counts as code, data too.

Examples:
  powervisor patch --kernel vmlinux
  powervisor patch --kernel vmlinux --cpu e500v2 --list
  powervisor patch --kernel vmlinux --features 0 --json")]
pub struct PatchFlags {
    /// Kernel: an ELF file
    #[arg(long, value_name = "FILE")]
    pub kernel: PathBuf,
    /// Print the report; the default, and all that there is
    #[arg(long)]
    pub report: bool,
    /// CPU model whose family the kernel is for; by default told from the file
    #[arg(long, value_name = "MODEL", value_parser = cpu)]
    pub cpu: Option<ppc_isa::Cpu>,
    /// Features of the magic page: 1 segment registers, 2 MAS0 to SPRG7, 3 both, 0 none
    #[arg(long, value_name = "BITS", default_value = "3", value_parser = clap::value_parser!(u64).range(..4))]
    pub features: u64,
    /// List every place with its address
    #[arg(long)]
    pub list: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Names of addresses; by default the kernel's own symbols, or the System.map beside it
    #[arg(long, value_name = "SYSTEM.MAP")]
    pub symbols: Option<PathBuf>,
}

fn arch(text: &str) -> Result<Arch, String> {
    let known = Arch::ALL.map(Arch::name).join(", ");
    let found = Arch::ALL.into_iter().find(|arch| arch.name() == text);
    found.ok_or_else(|| format!("unknown architecture; known are {known}"))
}

/// A regular expression for the whole of a name.
fn rows(text: &str) -> Result<Regex, regex_lite::Error> {
    Regex::new(&format!("^(?:{text})$"))
}

fn cpu(text: &str) -> Result<ppc_isa::Cpu, String> {
    let known = ppc_isa::Cpu::ALL.map(ppc_isa::Cpu::name).join(", ");
    ppc_isa::Cpu::from_name(text).ok_or_else(|| format!("unknown CPU model; known are {known}"))
}

fn device(text: &str) -> Result<machine::Device, String> {
    let known = machine::Device::ALL.map(machine::Device::name).join(", ");
    let found = machine::Device::ALL.into_iter().find(|device| device.name() == text);
    found.ok_or_else(|| format!("unknown device; known are {known}"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.trim_end_matches('s').parse().map_err(|_| format!("'{text}' is no number of seconds"))?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
