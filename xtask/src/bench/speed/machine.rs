//! The machines that are measured, and how PowerVisor and QEMU are told of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::ValueEnum;
use image::debian::{self, Release};

use super::super::peer::{QEMU32, QEMU64};
use super::kernels::Compiler;
use crate::guests;

/// Name of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Debian's kernel: POWER9, little-endian, radix translation, 64 KiB pages
    Pseries,
    /// Debian 13's kernel: POWER8, little-endian, hash translation, 4 KiB pages
    PseriesTrixie,
    /// POWER8, big-endian, hash translation, 4 KiB pages
    PseriesBe,
    /// POWER8, little-endian, hash translation, 64 KiB pages
    PseriesLe,
    /// 32-bit BookE without floating point
    E500v2,
    /// 64-bit BookE
    E5500,
    /// 32-bit Power Macintosh
    Mac32,
}

/// Where a kernel comes from.
enum Kernel {
    /// Debian's.
    Debian(Release),
    /// The folder of a guest that was built for us.
    Built(&'static str),
}

/// One machine.
pub struct Machine {
    /// Its name; that of the guest in our folders, too.
    pub id: Name,
    /// What it is, for people.
    pub what: &'static str,
    guest: Kernel,
    /// For programs of this machine.
    pub compiler: Compiler,
    /// Whether it may have several processors.
    pub smp: bool,
    console: &'static str,
    memory: &'static str,
    ours: &'static [&'static str],
    /// QEMU's program.
    pub qemu: &'static str,
    theirs: &'static [&'static str],
}

const PPC: &str = "powerpc-linux-gnu-gcc";
const PPC64: &str = "powerpc64-linux-gnu-gcc";
const PPC64LE: &str = "powerpc64le-linux-gnu-gcc";

/// Flags of QEMU for every machine but the Macintosh, whose firmware finds its terminal only with `-nographic`.
const PLAIN: &[&str] = &["-display", "none"];
const MACINTOSH: &[&str] = &["-nographic"];

/// Every machine.
#[rustfmt::skip]
pub const MACHINES: &[Machine] = &[
    Machine {
        id: Name::Pseries, what: "pseries, POWER9 with radix translation, Debian's ppc64el kernel", guest: Kernel::Debian(Release::Bookworm),
        compiler: Compiler { name: PPC64LE, flags: &["-mcpu=power9"] }, smp: true, console: "hvc0", memory: "1G",
        ours: &["--machine", "pseries", "--cpu", "power9"],
        qemu: QEMU64, theirs: &["-M", "pseries,x-vof=on", "-cpu", "power9"],
    },
    Machine {
        id: Name::PseriesTrixie, what: "pseries, little-endian, POWER8 with hash translation and small pages",
        guest: Kernel::Debian(Release::Trixie),
        compiler: Compiler { name: PPC64LE, flags: &["-mcpu=power8"] }, smp: true, console: "hvc0", memory: "512M",
        ours: &["--machine", "pseries", "--cpu", "power8"],
        qemu: QEMU64, theirs: &["-M", "pseries,cap-htm=off,x-vof=on", "-cpu", "power8"],
    },
    Machine {
        id: Name::PseriesBe, what: "pseries, big-endian, POWER8 with hash translation", guest: Kernel::Built("pseries-be"),
        compiler: Compiler { name: PPC64, flags: &["-mcpu=power8"] }, smp: true, console: "hvc0", memory: "512M",
        ours: &["--machine", "pseries", "--cpu", "power8"],
        qemu: QEMU64, theirs: &["-M", "pseries,cap-htm=off,x-vof=on", "-cpu", "power8"],
    },
    Machine {
        id: Name::PseriesLe, what: "pseries, little-endian, POWER8 with hash translation", guest: Kernel::Built("pseries-le"),
        compiler: Compiler { name: PPC64LE, flags: &["-mcpu=power8"] }, smp: true, console: "hvc0", memory: "512M",
        ours: &["--machine", "pseries", "--cpu", "power8"],
        qemu: QEMU64, theirs: &["-M", "pseries,cap-htm=off,x-vof=on", "-cpu", "power8"],
    },
    Machine {
        id: Name::E500v2, what: "ppce500, e500v2", guest: Kernel::Built("e500v2"),
        compiler: Compiler { name: PPC, flags: &["-mcpu=8548", "-DNO_FLOAT"] }, smp: false, console: "ttyS0", memory: "256M",
        ours: &["--machine", "e500", "--cpu", "e500v2"],
        qemu: QEMU32, theirs: &["-M", "ppce500", "-cpu", "e500v2"],
    },
    Machine {
        id: Name::E5500, what: "ppce500, e5500", guest: Kernel::Built("e5500"),
        compiler: Compiler { name: PPC64, flags: &["-mcpu=e5500", "-DNO_ROOT"] }, smp: false, console: "ttyS0", memory: "256M",
        ours: &["--machine", "e500", "--cpu", "e5500"],
        qemu: QEMU64, theirs: &["-M", "ppce500", "-cpu", "e5500"],
    },
    Machine {
        id: Name::Mac32, what: "Power Macintosh, G4", guest: Kernel::Built("mac32"),
        compiler: Compiler { name: PPC, flags: &["-mcpu=7400", "-maltivec"] }, smp: false, console: "ttyPZ0", memory: "256M",
        ours: &["--machine", "mac", "--cpu", "7400"],
        qemu: QEMU32, theirs: &["-M", "mac99,via=pmu", "-cpu", "g4"],
    },
];

/// What runs in a machine.
#[derive(Clone)]
pub struct Guest {
    /// The kernel.
    pub kernel: PathBuf,
    /// The root file system.
    pub initrd: PathBuf,
    /// Arguments of `/init`.
    pub arguments: String,
    /// Virtual processors.
    pub cpus: usize,
}

impl Machine {
    /// As on the command line.
    pub fn name(&self) -> String {
        self.id.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The kernel and what it is, or the reason why there is none.
    pub fn kernel(&self) -> Result<Result<(PathBuf, String), String>> {
        match self.guest {
            Kernel::Debian(release) => {
                let cache = release.cache_folder().context("neither XDG_CACHE_HOME nor HOME is set")?;
                let packages = debian::obtain(release, &cache, &mut |_| {})?;
                let what = format!("{} {}", packages.vmlinux.package, packages.vmlinux.version);
                Ok(Ok((packages.vmlinux.path, what)))
            }
            Kernel::Built(guest) => Ok(match guests::file(guest, "vmlinux") {
                Some(kernel) => Ok((kernel, format!("{guest} of `cargo xtask guests`"))),
                None => Err(format!("{guest}: no guest; `cargo xtask guests` builds it")),
            }),
        }
    }

    /// PowerVisor with this machine and `guest`.
    pub fn powervisor(&self, program: &Path, guest: &Guest, engine: Option<&str>) -> Command {
        let mut command = Command::new(program);
        command
            .args(["run", "--quiet", "-m", self.memory])
            .args(self.ours)
            .args(engine.map(|e| ["--engine", e]).into_iter().flatten());
        if guest.cpus > 1 {
            command.arg("--cpus").arg(guest.cpus.to_string());
        }
        command.arg("--kernel").arg(&guest.kernel).arg("--initrd").arg(&guest.initrd);
        command.args(["--append", &self.append(guest)]);
        command
    }

    /// The rest of the command that begins as `qemu`.
    pub fn qemu(&self, mut command: Command, guest: &Guest) -> Command {
        let screen = if self.id == Name::Mac32 { MACINTOSH } else { PLAIN };
        command.args(self.theirs).arg("-nodefaults").args(screen).args([
            "-serial",
            "stdio",
            "-no-reboot",
            "-m",
            self.memory,
        ]);
        command.args(["-smp", &guest.cpus.to_string()]).arg("-kernel").arg(&guest.kernel);
        command.arg("-initrd").arg(&guest.initrd).args(["-append", &self.append(guest)]);
        command
    }

    /// The kernel's command line; what follows `--` goes to `/init`.
    fn append(&self, guest: &Guest) -> String {
        format!("console={} quiet panic=-1 -- {}", self.console, guest.arguments)
    }
}
