//! The files of a guest: the user's own, Debian's, or our demonstration.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use image::debian::{self, Release};
use image::initramfs;

use crate::cli::{Guest, MachineFlag, ReleaseFlag, RunFlags};
use crate::progress::Progress;

/// Files and defaults of a guest.
pub struct Files {
    /// The kernel, an ELF file.
    pub kernel: Vec<u8>,
    /// Where it came from, for messages.
    pub kernel_name: String,
    /// Initial RAM file system.
    pub initrd: Option<Vec<u8>>,
    /// Kernel command line.
    pub append: String,
}

/// Obtains the guest that the flags name.
pub fn files(flags: &RunFlags) -> Result<Files> {
    if flags.guest != Some(Guest::Debian) && flags.init.is_some() {
        bail!("--init goes with `run debian`; give your own initrd its command with --append");
    }
    match flags.guest {
        None => own(flags),
        Some(Guest::Debian) => debian(flags),
        Some(Guest::Demo) => demo(flags),
    }
}

fn own(flags: &RunFlags) -> Result<Files> {
    let Some(kernel) = &flags.kernel else { bail!("give a guest, or a kernel with --kernel") };
    let initrd = flags.initrd.as_deref().map(|path| read(path, "--initrd")).transpose()?;
    Ok(Files {
        kernel: read(kernel, "--kernel")?,
        kernel_name: kernel.display().to_string(),
        initrd,
        append: flags.append.clone().unwrap_or_else(|| format!("console={}", console(flags.machine))),
    })
}

/// Linux's name for the machine's console.
fn console(machine: MachineFlag) -> &'static str {
    match machine {
        MachineFlag::Pseries | MachineFlag::Bare => "hvc0",
        MachineFlag::E500 => "ttyS0",
        MachineFlag::Mac => "ttyPZ0",
    }
}

fn debian(flags: &RunFlags) -> Result<Files> {
    let release = match flags.release {
        ReleaseFlag::Bookworm => Release::Bookworm,
        ReleaseFlag::Trixie => Release::Trixie,
    };
    let folder = release.cache_folder().context("neither XDG_CACHE_HOME nor HOME is set: no place for a cache")?;
    let packages = {
        let progress = Progress::new(flags.quiet);
        debian::obtain(release, &folder, &mut |p| progress.report(p.stage, p.done, p.total))?
    };
    let busybox = read(&packages.busybox.path, "cached busybox")?;
    let quiet = if flags.quiet { " quiet" } else { "" };
    Ok(Files {
        kernel: read(&packages.vmlinux.path, "cached kernel")?,
        kernel_name: packages.vmlinux.path.display().to_string(),
        initrd: Some(initramfs::debian_initramfs(&busybox, flags.init.as_deref())?),
        append: flags.append.clone().unwrap_or_else(|| format!("console=hvc0{quiet}")),
    })
}

fn demo(_: &RunFlags) -> Result<Files> {
    Ok(Files {
        kernel: include_bytes!("../../../guest/elf/demo-be.elf").to_vec(),
        kernel_name: "demo".into(),
        initrd: None,
        append: String::new(),
    })
}

fn read(path: &Path, flag: &str) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{flag} {}", path.display()))
}
