//! GRUB for Open Firmware on PowerPC, in a folder of its own: the modules of which `grub-mkimage` makes a boot program.
//!
//! Contract: as for kernels. The host's `grub-mkimage`, which knows every platform, is not among it.

use std::path::{Path, PathBuf};

use super::client::Client;
use super::{DebianError, PPC64EL, Progress, cache, find};

const SUITE: &str = "bookworm";
const PACKAGE: &str = "grub-ieee1275-bin";
/// The folder of all that was unpacked, the modules' folder, and the file that stands for them all.
const TREE: &str = "tree";
const MODULES: &str = "tree/usr/lib/grub/powerpc-ieee1275";
const KERNEL: &str = "tree/usr/lib/grub/powerpc-ieee1275/kernel.img";

/// Where `obtain` keeps it by custom: `powervisor/grub` in the user's cache folder.
pub fn cache_folder() -> Option<PathBuf> {
    Some(crate::cache_dir()?.join("powervisor/grub"))
}

/// The folder of modules in `folder`, downloaded (1 MB) unless they are there already. GRUB's kernel is held against its
/// record; the modules are not.
///
/// # Errors
/// When the host's package client cannot get the package, or the folder cannot be written.
pub fn obtain(folder: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<PathBuf, DebianError> {
    let folder = &std::path::absolute(folder).map_err(|e| DebianError::io("find", folder.to_owned(), e))?;
    let _lock = cache::lock(folder, progress)?;
    let modules = folder.join(MODULES);
    if cache::load(SUITE, folder, [KERNEL]).is_some() {
        return Ok(modules);
    }
    let client = Client::new(folder.join(".fetch"), None, PPC64EL)?;
    let (version, size) = find(&client, SUITE, PACKAGE, progress, |record| {
        Some((record.get("Version")?.to_owned(), record.get("Size")?.parse::<u32>().ok()?))
    })?;
    client.download(&[PACKAGE], size.into(), progress)?;
    client.unpack(&client.archive(PACKAGE)?, &folder.join(TREE))?;
    let kernel = cache::keep(client.file("kept"), folder, KERNEL, (PACKAGE, &version), progress)?;
    cache::record(SUITE, folder, &[(KERNEL, &kernel)])?;
    Ok(modules)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The real thing, into the user's cache folder.
    #[test]
    #[ignore = "downloads 1 MB; run with --ignored --nocapture"]
    fn modules_are_obtained() {
        let modules = obtain(&cache_folder().unwrap(), &mut |_| {}).unwrap();
        for module in ["kernel.img", "linux.mod", "ext2.mod", "part_gpt.mod"] {
            assert!(modules.join(module).exists(), "{module}");
        }
    }
}
