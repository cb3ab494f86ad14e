//! Kernels as clients of Open Firmware: they boot as they do with a flattened tree and find the same machine; GRUB boots one
//! from a disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use hv_core::Halt;
use image::debian::{Release, grub};
use machine::{Boot, DiskImage, Interrupts, Mmu};
use ppc_isa::Cpu;
use vmtest::{EngineKind, Guest, Kernel, Run, built, debian, skip};

/// Services that Linux needs, whatever its version.
const NEEDED: [&str; 8] = [
    "of:call-method",
    "of:claim",
    "of:finddevice",
    "of:getprop",
    "of:nextprop",
    "of:package-to-path",
    "of:setprop",
    "of:quiesce",
];

/// The guest was a client, and firmware knew all that it asked for.
fn was_client(run: &Run) -> Result<()> {
    let missing: Vec<_> = NEEDED.into_iter().filter(|name| run.hypercalls(name) == 0).collect();
    ensure!(missing.is_empty() && run.hypercalls("of:unknown") == 0, "never called: {missing:?}; {run}");
    run.shows("Calling ibm,client-architecture-support... done")
}

fn self_test(test: &str, machine: &str, cpu: Cpu, mmu: Mmu) -> Result<()> {
    let Some(kernel) = built(test, machine, "vmlinux")? else { return Ok(()) };
    let guest = Guest::new(kernel).cpu(cpu, mmu).boot(Boot::OpenFirmware).append("console=hvc0 panic=-1 autotest");
    let run = guest.engine(EngineKind::Translator).run()?;
    run.ended(&Halt::PowerOff)?;
    was_client(&run)?;
    run.shows("SELFTEST-OK")?;
    ensure!(!run.console.contains("bad:"), "a part of the self-test failed; {run}");
    Ok(())
}

#[test]
fn big_endian_power8_hash() -> Result<()> {
    self_test("big_endian_power8_hash", "pseries-be", Cpu::Power8, Mmu::Hash)
}

#[test]
fn little_endian_power8_hash() -> Result<()> {
    self_test("little_endian_power8_hash", "pseries-le", Cpu::Power8, Mmu::Hash)
}

#[test]
fn little_endian_power9_radix() -> Result<()> {
    self_test("little_endian_power9_radix", "pseries-le", Cpu::Power9, Mmu::Radix)
}

/// A sum of each property as Linux sees it.
const SUMS: &str = "sh -c 'cd /proc/device-tree; find . -type f | while read f; do echo \"$(md5sum < $f) $f\"; done; \
     echo; cat /proc/meminfo; echo has $(grep -c ^processor /proc/cpuinfo) cpus'";
/// Properties whose values go by where things are in memory, or which Linux makes of its own.
const OTHERWISE: [&str; 5] = [
    "/chosen/linux,initrd-start",
    "/chosen/linux,initrd-end",
    "/rtas/linux,rtas-base",
    "/rtas/linux,rtas-entry",
    "/phandle",
];

/// Sums by path.
fn properties(run: &Run) -> BTreeMap<&str, &str> {
    let lines = run.console.lines().filter_map(|line| line.trim().split_once("  - ."));
    lines
        .filter(|(_, path)| !OTHERWISE.iter().any(|other| path.ends_with(other)))
        .map(|(sum, path)| (path, sum))
        .collect()
}

/// Everything that is in the flattened tree is in firmware's, too, with the same values.
fn the_same_machine(release: Release, cpu: Cpu, mmu: Mmu, interrupts: Interrupts) -> Result<()> {
    let boot = |boot| -> Result<Run> {
        let guest = Guest::new(debian(release, Some(SUMS))?).cpu(cpu, mmu).interrupts(interrupts).cpus(2).boot(boot);
        let run = guest.engine(EngineKind::Translator).run()?;
        run.ended(&Halt::PowerOff)?;
        run.shows("has 2 cpus")?;
        Ok(run)
    };
    let (direct, client) = (boot(Boot::Fdt)?, boot(Boot::OpenFirmware)?);
    was_client(&client)?;
    ensure!(direct.hypercalls("of:getprop") == 0);
    let (wanted, found) = (properties(&direct), properties(&client));
    ensure!(wanted.len() > 100, "{} properties; {direct}", wanted.len());
    for path in ["/memory@0/reg", "/chosen/bootargs", "/chosen/ibm,architecture-vec-5", "/cpus/name"] {
        ensure!(wanted.contains_key(path), "no {path}");
    }
    let differ: Vec<_> = wanted.iter().filter(|(path, sum)| found.get(*path) != Some(sum)).collect();
    ensure!(differ.is_empty(), "otherwise with Open Firmware: {differ:?}");
    Ok(())
}

#[test]
fn debian_6_1_finds_the_same_machine() -> Result<()> {
    the_same_machine(Release::Bookworm, Cpu::Power9, Mmu::Radix, Interrupts::Xics)
}

#[test]
fn debian_6_12_finds_the_same_machine() -> Result<()> {
    the_same_machine(Release::Trixie, Cpu::Power10, Mmu::Radix, Interrupts::Xive)
}

#[test]
fn debian_6_12_finds_the_same_machine_with_hash() -> Result<()> {
    the_same_machine(Release::Trixie, Cpu::Power8, Mmu::Hash, Interrupts::Xics)
}

/// Linux has the translation that its command line asks for, on a processor with both.
#[test]
fn debian_chooses_its_translation() -> Result<()> {
    for interrupts in [Interrupts::Xics, Interrupts::Xive] {
        for (append, shows) in
            [("console=hvc0", "radix-mmu: Page sizes"), ("console=hvc0 disable_radix", "hash-mmu: Page sizes")]
        {
            let guest = Guest::new(debian(Release::Bookworm, Some("true"))?).boot(Boot::OpenFirmware).either_mmu();
            let run = guest.interrupts(interrupts).append(append).engine(EngineKind::Translator).run()?;
            run.ended(&Halt::PowerOff)?;
            was_client(&run)?;
            run.shows(shows)?;
        }
    }
    Ok(())
}

/// What GRUB reads on the disk.
const MENU: &str = "set timeout=0\nmenuentry 'Debian' {\n  linux /boot/vmlinux console=hvc0 from=grub\n  \
     initrd /boot/initrd\n}\n";
/// Modules of the boot program.
const MODULES: [&str; 7] = ["part_msdos", "part_gpt", "ext2", "normal", "linux", "boot", "echo"];
const BLOCK: u64 = 512;
/// First block and number of blocks of the partitions.
const BOOT: (u64, u64) = (2048, 4096);
const ROOT: (u64, u64) = (8192, 160 << 11);

/// A program of the host, which must succeed.
fn tool(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A disk on which GRUB finds kernel, initrd and menu in the second partition; `None`, and counted as skipped, where what
/// makes one is missing. `table` writes the partitions.
fn disk(test: &str, kernel: Kernel, prefix: &str, table: fn(&mut [u8])) -> Result<Option<DiskImage>> {
    for (program, package) in [("grub-mkimage", "grub-common"), ("mke2fs", "e2fsprogs")] {
        if Command::new(program).arg("-V").output().is_err() {
            skip(test, &format!("no {program}: install {package}"));
            return Ok(None);
        }
    }
    let modules = match grub::obtain(&grub::cache_folder().context("no cache folder")?, &mut |_| {}) {
        Ok(modules) => modules,
        Err(error) => {
            skip(test, &format!("no GRUB for PowerPC: {error}"));
            return Ok(None);
        }
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let root = folder.join("root");
    fs::create_dir_all(root.join("boot/grub"))?;
    fs::write(root.join("boot/grub/grub.cfg"), MENU)?;
    fs::write(root.join("boot/vmlinux"), kernel.elf)?;
    fs::write(root.join("boot/initrd"), kernel.initrd.unwrap_or_default())?;
    let [program, system, image] = ["program", "system", "disk"].map(|name| folder.join(name));
    let mut mkimage = Command::new("grub-mkimage");
    mkimage.args(["-O", "powerpc-ieee1275", "-p", prefix, "-d"]).arg(modules).arg("-o").arg(&program).args(MODULES);
    tool(&mut mkimage)?;
    let mut mke2fs = Command::new("mke2fs");
    mke2fs.args(["-q", "-t", "ext2", "-d"]).arg(&root).arg(&system).arg(format!("{}K", ROOT.1 * BLOCK / 1024));
    tool(&mut mke2fs)?;
    assemble(&image, &[(BOOT, program), (ROOT, system)], table)?;
    Ok(Some(DiskImage::open(&image)?))
}

fn assemble(image: &Path, parts: &[((u64, u64), PathBuf)], table: fn(&mut [u8])) -> Result<()> {
    let mut bytes = vec![0; ((ROOT.0 + ROOT.1 + 64) * BLOCK) as usize];
    for ((first, count), file) in parts {
        let content = fs::read(file)?;
        ensure!(content.len() as u64 <= count * BLOCK, "{}: {} bytes", file.display(), content.len());
        let at = (first * BLOCK) as usize;
        bytes[at..at + content.len()].copy_from_slice(&content);
    }
    table(&mut bytes);
    Ok(fs::write(image, bytes)?)
}

fn msdos(disk: &mut [u8]) {
    for (n, (kind, (first, count))) in [(0x41, BOOT), (0x83, ROOT)].into_iter().enumerate() {
        let entry = &mut disk[446 + 16 * n..];
        entry[4] = kind;
        entry[8..12].copy_from_slice(&(first as u32).to_le_bytes());
        entry[12..16].copy_from_slice(&(count as u32).to_le_bytes());
    }
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
}

fn gpt(disk: &mut [u8]) {
    disk[446 + 4] = 0xee;
    disk[446 + 8..446 + 16].copy_from_slice(&[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    let header = &mut disk[512..];
    header[..12].copy_from_slice(b"EFI PART\0\0\x01\0");
    header[12] = 92;
    header[24] = 1;
    header[72] = 2;
    header[80] = 128;
    header[84] = 128;
    let prep = [0x38, 0x2d, 0x1a, 0x9e, 0x12, 0xc6, 0x16, 0x43, 0xaa, 0x26, 0x8b, 0x49, 0x52, 0x1e, 0x5a, 0x8b];
    let linux = [0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47, 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4];
    for (n, (kind, (first, count))) in [(prep, BOOT), (linux, ROOT)].into_iter().enumerate() {
        let entry = &mut disk[1024 + 128 * n..];
        entry[..16].copy_from_slice(&kind);
        entry[16] = 1 + n as u8;
        entry[32..40].copy_from_slice(&first.to_le_bytes());
        entry[40..48].copy_from_slice(&(first + count - 1).to_le_bytes());
    }
}

/// GRUB finds its menu by the partition that it was started from, and Linux its command line from there.
fn by_grub(test: &str, prefix: &str, table: fn(&mut [u8])) -> Result<()> {
    let kernel = debian(Release::Bookworm, Some("cat /proc/cmdline /proc/device-tree/chosen/bootpath"))?;
    let Some(disk) = disk(test, kernel, prefix, table)? else { return Ok(()) };
    let run = Guest::from_disk(disk)?.memory(1024).engine(EngineKind::Translator).run()?;
    run.ended(&Halt::PowerOff)?;
    was_client(&run)?;
    run.shows("GRUB")?;
    run.shows("BOOT_IMAGE=/boot/vmlinux console=hvc0 from=grub\r\n/disk:1")?;
    ensure!(run.hypercalls("of:read") > 100 && run.hypercalls("of:seek") > 100, "{:?}", run.counts.hypercalls());
    Ok(())
}

#[test]
fn grub_boots_from_an_mbr() -> Result<()> {
    by_grub("grub_boots_from_an_mbr", "(,msdos2)/boot/grub", msdos)
}

#[test]
fn grub_boots_from_a_gpt() -> Result<()> {
    by_grub("grub_boots_from_a_gpt", "(,gpt2)/boot/grub", gpt)
}
