//! Where guests come from: Debian's packages, kernels built with the project's recipe, our own test kernels.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};
use image::debian::programs::Program;
use image::debian::{self, Release, modules};
use image::initramfs::{self, Initramfs};

/// The files of a guest.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The ELF file.
    pub elf: Vec<u8>,
    /// Initial RAM file system.
    pub initrd: Option<Vec<u8>>,
}

impl Kernel {
    /// Adds to its root file system: the kernel takes archives one behind the other, at multiples of four bytes.
    fn append(&mut self, archive: &[u8]) {
        let initrd = self.initrd.get_or_insert_default();
        initrd.resize(initrd.len().next_multiple_of(4), 0);
        initrd.extend(archive);
    }
}

/// Debian's stock kernel with a busybox shell, or with `init` in the shell's place; from the cache, or fetched once.
///
/// # Errors
/// What kept the packages away.
pub fn debian(release: Release, init: Option<&str>) -> Result<Kernel> {
    let folder = release.cache_folder().context("neither XDG_CACHE_HOME nor HOME is set")?;
    let packages = debian::obtain(release, &folder, &mut |_| {})?;
    let busybox = fs::read(&packages.busybox.path)?;
    Ok(Kernel { elf: fs::read(&packages.vmlinux.path)?, initrd: Some(initramfs::debian_initramfs(&busybox, init)?) })
}

/// A kernel that was built for us with its root file system: file `vmlinux` of the folder `machine`, which is looked
/// for in `$POWERVISOR_GUESTS`, then in our cache. `None`, and counted as skipped, when it is in neither.
///
/// # Errors
/// Files that are there and cannot be read.
pub fn built(test: &str, machine: &str, vmlinux: &str) -> Result<Option<Kernel>> {
    let given = env::var_os("POWERVISOR_GUESTS").map(PathBuf::from);
    let cache = image::cache_dir().map(|folder| folder.join("powervisor/guests"));
    let folders: Vec<PathBuf> = given.into_iter().chain(cache).map(|folder| folder.join(machine)).collect();
    let Some(folder) = folders.iter().find(|folder| folder.join(vmlinux).exists()) else {
        let looked: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        skip(test, &format!("no {vmlinux} in {}; `cargo xtask guests` builds it", looked.join(" or ")));
        return Ok(None);
    };
    let read = |name: &str| fs::read(folder.join(name)).with_context(|| folder.join(name).display().to_string());
    Ok(Some(Kernel { elf: read(vmlinux)?, initrd: Some(read("initramfs.cpio.gz")?) }))
}

/// The same guest with a kernel whose modules for virtio and hot plug are in its root file system; `load-modules` loads them.
///
/// # Errors
/// What kept the packages away.
pub fn debian_with_modules(release: Release) -> Result<Kernel> {
    let mut kernel = debian(release, None)?;
    let folder = modules::cache_folder(release).context("neither XDG_CACHE_HOME nor HOME is set")?;
    let [vmlinux, archive] = modules::obtain(release, &folder, &mut |_| {})?;
    kernel.elf = fs::read(&vmlinux.path)?;
    kernel.append(&fs::read(&archive.path)?);
    Ok(kernel)
}

/// The same guest with one of Debian's programs in its root file system; from the cache, or fetched once.
///
/// # Errors
/// What kept the packages away.
pub fn with_program(mut kernel: Kernel, program: Program) -> Result<Kernel> {
    let folder = program.cache_folder().context("neither XDG_CACHE_HOME nor HOME is set")?;
    let tree = program.obtain(&folder, &mut |_| {})?;
    kernel.append(&tree.add_to(Initramfs::new())?.finish()?);
    Ok(kernel)
}

/// One of our own kernels in `guest/elf`, by its file name.
///
/// # Errors
/// When it is not there.
pub fn bare_metal(name: &str) -> Result<Kernel> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest/elf").join(name);
    Ok(Kernel { elf: fs::read(&path).with_context(|| path.display().to_string())?, initrd: None })
}

/// Says that a test did not run, as a line of its own that a caller can count. Past the test runner's capture: a
/// test that is skipped passes, and its output would not be seen.
pub fn skip(test: &str, reason: &str) {
    let _ = writeln!(io::stderr(), "SKIP {test}: {reason}");
}
