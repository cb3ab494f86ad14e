//! Debian's ppc64el kernel with some of its modules, which a guest with a busybox loads by itself.
//!
//! Contract: as for kernels. Both files come out of one package, so that the modules fit the kernel: a newer package may
//! have appeared since the kernel alone was obtained.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::client::Client;
use super::{DebianError, KERNEL_FILE, PPC64EL, Package, Progress, Release, VMLINUX, cache};
use crate::initramfs::Initramfs;

/// Modules in an order in which they can be loaded: virtio on PCI with its entropy source, and hot plug of PCI slots. What
/// the package of a release does not have is part of its kernel.
const MODULES: [&str; 8] = [
    "virtio",
    "virtio_ring",
    "virtio_pci_modern_dev",
    "virtio_pci_legacy_dev",
    "virtio_pci",
    "virtio-rng",
    "rpaphp",
    "rpadlpar_io",
];
/// The archive's name, where the modules are in it, and the script that loads them.
const ARCHIVE: &str = "modules.cpio";
const FOLDER: &str = "/lib/modules";
const SCRIPT: &str = "/bin/load-modules";

/// Where `obtain` keeps them by custom: `powervisor/modules/NAME` in the user's cache folder.
pub fn cache_folder(release: Release) -> Option<PathBuf> {
    Some(crate::cache_dir()?.join("powervisor/modules").join(release.name()))
}

/// The kernel of `release`, and a RAM file system with the modules and a script that loads them, `load-modules`, in
/// `folder`, downloaded unless they are there already.
///
/// # Errors
/// When the host's package client cannot get the package, or the folder cannot be written.
pub fn obtain(
    release: Release,
    folder: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<[Package; 2], DebianError> {
    let folder = &std::path::absolute(folder).map_err(|e| DebianError::io("find", folder.to_owned(), e))?;
    let _lock = cache::lock(folder, progress)?;
    let names = [VMLINUX, ARCHIVE];
    if let Some(kept) = cache::load(release.name(), folder, names) {
        return Ok(kept);
    }
    let client = Client::new(folder.join(".fetch"), None, PPC64EL)?;
    let kernel = super::kernel(&client, release, progress)?;
    let records = client.show(&[&kernel]);
    let version = super::field(&records, &kernel, "Version")?;
    client.download(&[&kernel], super::size(&records, &kernel)?, progress)?;
    let archive = client.archive(&kernel)?;

    let vmlinux = client.extract(&archive, KERNEL_FILE, |content| {
        cache::store(content, client.file(VMLINUX), folder, VMLINUX, (&kernel, version), progress)
    })?;
    let tree = client.file("tree");
    client.unpack(&archive, &tree)?;
    let mut files = BTreeMap::new();
    collect(&tree, &mut files)?;
    let (partial, content) = (client.file(ARCHIVE), loadable(&files)?);
    let modules = cache::store(&mut &content[..], partial, folder, ARCHIVE, (&kernel, version), progress)?;
    cache::record(release.name(), folder, &[(VMLINUX, &vmlinux), (ARCHIVE, &modules)])?;
    Ok([vmlinux, modules])
}

/// Finds the files of [`MODULES`] in `folder`, by name.
fn collect(folder: &Path, files: &mut BTreeMap<&str, PathBuf>) -> Result<(), DebianError> {
    let list = |e| DebianError::io("list", folder.to_owned(), e);
    for entry in fs::read_dir(folder).map_err(list)? {
        let entry = entry.map_err(list)?;
        if entry.file_type().map_err(list)?.is_dir() {
            collect(&entry.path(), files)?;
        } else if let Some((name, "ko" | "ko.xz")) = entry.file_name().to_str().and_then(|name| name.split_once('.'))
            && let Some(module) = MODULES.iter().find(|module| **module == name)
        {
            files.insert(module, entry.path());
        }
    }
    Ok(())
}

/// An archive of the files and the script.
fn loadable(files: &BTreeMap<&str, PathBuf>) -> Result<Vec<u8>, DebianError> {
    let (mut archive, mut script) = (Initramfs::new(), "#!/bin/sh\nset -e\n".to_owned());
    for (name, path) in MODULES.iter().filter_map(|name| files.get_key_value(name)) {
        let data = fs::read(path).map_err(|e| DebianError::io("read", path.clone(), e))?;
        let xz = path.extension().is_some_and(|extension| extension == "xz");
        let place = format!("{FOLDER}/{name}.ko{}", if xz { ".xz" } else { "" });
        archive = archive.file(&place, 0o644, &data);
        script += &format!("insmod {place}\n");
    }
    archive.file(SCRIPT, 0o755, script.as_bytes()).finish().map_err(DebianError::Archive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_loaded_in_their_order() {
        let folder = std::env::temp_dir().join(format!("powervisor modules {}", std::process::id()));
        for path in ["pci/rpadlpar_io.ko.xz", "pci/rpaphp.ko", "char/virtio-rng.ko", "char/other.ko", "char/virtio.txt"]
        {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        }
        let mut files = BTreeMap::new();
        collect(&folder, &mut files).unwrap();
        let archive = loadable(&files).unwrap();
        fs::remove_dir_all(folder).unwrap();
        let text = String::from_utf8(archive).unwrap();
        let script = "insmod /lib/modules/virtio-rng.ko\ninsmod /lib/modules/rpaphp.ko\n\
                      insmod /lib/modules/rpadlpar_io.ko.xz\n";
        assert!(text.contains(&format!("set -e\n{script}")), "{text}");
        assert!(!text.contains("other") && !text.contains("virtio.txt"));
    }
}
