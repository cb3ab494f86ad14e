//! Debian's ppc64el programs for little-endian guests, each with every library that it needs in a tree that becomes part of a
//! RAM file system. The tree stands beside the guest's own files, and scripts run its programs on its libraries.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::closure::{Closure, TREE};
use super::{DebianError, PPC64EL, Package, Progress};
use crate::initramfs::Initramfs;

/// A program that can be obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Configures persistent memory.
    Ndctl,
    /// Adds and removes devices of a partition; with `lsslot`, which lists them.
    Drmgr,
    /// Hears of the platform's events, and has drmgr do what they ask for.
    RtasErrd,
}

/// Where the tree stands in a RAM file system.
const ROOT: &str = "/debian";
/// The loader of programs (64-bit ELF V2 ABI) and the folders of libraries, in the tree.
const LOADER: &str = "lib/powerpc64le-linux-gnu/ld64.so.2";
const LIBRARIES: [&str; 2] = ["lib/powerpc64le-linux-gnu", "usr/lib/powerpc64le-linux-gnu"];

/// What no program here reads.
const LEFT_OUT: [&str; 7] =
    ["usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/share/info", "gconv", "i18n"];

impl Program {
    fn closure(self) -> Closure<1> {
        let (package, program) = match self {
            Program::Ndctl => ("ndctl", "tree/usr/bin/ndctl"),
            Program::Drmgr => ("powerpc-utils", "tree/usr/sbin/drmgr"),
            Program::RtasErrd => ("ppc64-diag", "tree/usr/sbin/rtas_errd"),
        };
        Closure { architecture: PPC64EL, suites: "bookworm", suite: "bookworm", package, programs: [program] }
    }

    /// What else is to be run of its tree.
    fn others(self) -> &'static [&'static str] {
        match self {
            Program::Ndctl => &[],
            Program::Drmgr => &["usr/sbin/lsslot"],
            Program::RtasErrd => &["usr/sbin/drmgr"],
        }
    }

    /// Where `obtain` keeps it by custom: a folder named after its package in `powervisor/programs` of the user's cache.
    pub fn cache_folder(self) -> Option<PathBuf> {
        Some(crate::cache_dir()?.join("powervisor/programs").join(self.closure().package))
    }

    /// The program in `folder`, downloaded with all that it needs unless it is there already.
    ///
    /// # Errors
    /// When the host's package client cannot get the packages, or the folder cannot be written.
    pub fn obtain(self, folder: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Tree, DebianError> {
        let closure = self.closure();
        let [Package { version, .. }] = closure.obtain(folder, progress)?;
        let program = closure.programs.map(|path| path.trim_start_matches(TREE).trim_start_matches('/'));
        Ok(Tree { version, programs: [&program, self.others()].concat(), folder: folder.join(TREE) })
    }
}

/// A program with its libraries, unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Version of the program's package.
    pub version: String,
    /// Where the programs are in the tree.
    programs: Vec<&'static str>,
    folder: PathBuf,
}

impl Tree {
    /// Adds the tree to an archive, and for each program a script in `/bin` with its name.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn add_to(&self, mut archive: Initramfs) -> Result<Initramfs, DebianError> {
        let libraries = LIBRARIES.map(|folder| format!("{ROOT}/{folder}")).join(":");
        for program in &self.programs {
            let script =
                format!("#!/bin/sh\nexec {ROOT}/{LOADER} --library-path {libraries} {ROOT}/{program} \"$@\"\n");
            let name = program.rsplit('/').next().unwrap_or(program);
            archive = archive.file(&format!("/bin/{name}"), 0o755, script.as_bytes());
        }
        self.add_folder(archive, Path::new(""))
    }

    fn add_folder(&self, mut archive: Initramfs, inside: &Path) -> Result<Initramfs, DebianError> {
        let folder = self.folder.join(inside);
        let entries = fs::read_dir(&folder).and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| (entry.file_name(), entry.path())))
                .collect::<Result<BTreeMap<_, _>, _>>()
        });
        let entries = entries.map_err(|e| DebianError::io("list", folder, e))?;
        for (name, path) in entries {
            let inside = inside.join(name);
            if LEFT_OUT.iter().any(|left_out| inside.ends_with(left_out)) {
                continue;
            }
            let place = format!("{ROOT}/{}", inside.display());
            let metadata = path.symlink_metadata().map_err(|e| DebianError::io("read", path.clone(), e))?;
            if metadata.is_dir() {
                archive = self.add_folder(archive, &inside)?;
            } else if metadata.is_symlink() {
                let target = fs::read_link(&path).map_err(|e| DebianError::io("read", path.clone(), e))?;
                archive = archive.symlink(&place, &target.to_string_lossy());
            } else {
                let data = fs::read(&path).map_err(|e| DebianError::io("read", path.clone(), e))?;
                archive = archive.file(&place, metadata.permissions().mode() & 0o777, &data);
            }
        }
        Ok(archive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_becomes_part_of_an_archive() {
        let folder = std::env::temp_dir().join(format!("powervisor tree {}", std::process::id()));
        for (path, text) in [("bin/program", "text"), ("usr/share/doc/program/copyright", "words")] {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        std::os::unix::fs::symlink("../bin/program", folder.join("usr/link")).unwrap();
        let programs = vec!["usr/bin/program", "usr/bin/other"];
        let tree = Tree { version: "1".to_owned(), programs, folder: folder.clone() };
        let bytes = tree.add_to(Initramfs::new()).unwrap().finish().unwrap();
        fs::remove_dir_all(folder).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        let script = "--library-path /debian/lib/powerpc64le-linux-gnu:";
        for text in
            ["debian/bin/program\0", "debian/usr/link\0", "../bin/program", "bin/program\0", "00bin/other\0", script]
        {
            assert!(has(text), "{text:?}");
        }
        assert!(!has("copyright"));
    }
}
