//! The files of a guest: the user's own, Debian's, or our demonstration.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use image::debian::{self, Release};
use image::initramfs;
use machine::DiskImage;

use crate::cli::{BootFlag, Guest, MachineFlag, ReleaseFlag, RunFlags};
use crate::progress::Progress;

/// Files and defaults of a guest.
#[derive(Default)]
pub struct Files {
    /// The kernel, an ELF file.
    pub kernel: Vec<u8>,
    /// Where it came from, for messages.
    pub kernel_name: String,
    /// Initial RAM file system.
    pub initrd: Option<Vec<u8>>,
    /// Kernel command line.
    pub append: String,
    /// Open Firmware's disk, and the number of the partition that the kernel is from, 0 when it is from elsewhere.
    pub disk: Option<(Arc<DiskImage>, u32)>,
}

/// Obtains the guest that the flags name.
pub fn files(flags: &RunFlags) -> Result<Files> {
    if flags.guest != Some(Guest::Debian) && flags.init.is_some() {
        bail!("--init goes with `run debian`; give your own initrd its command with --append");
    }
    let disk = flags.disk.as_deref().map(open).transpose()?;
    match (flags.guest, &flags.kernel, disk) {
        (Some(Guest::Debian), _, disk) => Ok(Files { disk: disk.map(|disk| (disk, 0)), ..debian(flags)? }),
        (Some(Guest::Demo), ..) if flags.boot == Some(BootFlag::Of) || flags.disk.is_some() => {
            bail!("--boot of goes with kernels: the demonstration reads a flattened tree")
        }
        (Some(Guest::Demo), ..) => demo(flags),
        (None, Some(kernel), disk) => Ok(Files { disk: disk.map(|disk| (disk, 0)), ..own(flags, kernel)? }),
        (None, None, Some(disk)) => boot_partition(flags, disk),
        (None, None, None) => bail!("give a guest, a kernel with --kernel, or a disk with --disk"),
    }
}

fn open(path: &Path) -> Result<Arc<DiskImage>> {
    Ok(Arc::new(DiskImage::open(path).with_context(|| format!("--disk {}", path.display()))?))
}

/// The program in the disk's boot partition; it has files of its own, and its arguments are none of Linux'.
fn boot_partition(flags: &RunFlags, disk: Arc<DiskImage>) -> Result<Files> {
    let name = flags.disk.as_ref().map_or_else(String::new, |path| path.display().to_string());
    let program = image::disk::boot_program(disk.size(), &|offset, out| disk.read(offset, out));
    let (number, kernel) = program.with_context(|| format!("--disk {name}"))?;
    Ok(Files {
        kernel,
        kernel_name: format!("{name}, partition {number}"),
        initrd: initrd(flags)?,
        append: flags.append.clone().unwrap_or_default(),
        disk: Some((disk, number)),
    })
}

fn own(flags: &RunFlags, kernel: &Path) -> Result<Files> {
    Ok(Files {
        kernel: read(kernel, "--kernel")?,
        kernel_name: kernel.display().to_string(),
        initrd: initrd(flags)?,
        append: flags.append.clone().unwrap_or_else(|| format!("console={}", console(flags.machine))),
        ..Files::default()
    })
}

fn initrd(flags: &RunFlags) -> Result<Option<Vec<u8>>> {
    flags.initrd.as_deref().map(|path| read(path, "--initrd")).transpose()
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
        ..Files::default()
    })
}

fn demo(_: &RunFlags) -> Result<Files> {
    Ok(Files {
        kernel: include_bytes!("../../../guest/elf/demo-be.elf").to_vec(),
        kernel_name: "demo".into(),
        ..Files::default()
    })
}

fn read(path: &Path, flag: &str) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{flag} {}", path.display()))
}
