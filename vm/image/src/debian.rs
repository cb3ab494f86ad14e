//! Debian's stock ppc64el kernel and a static busybox, obtained as packages through the host's own package client; and, for
//! the oracle, the newest user-mode QEMU (`qemu`), for comparisons of speed the newest system QEMU (`qemu_system`), for
//! tests of Open Firmware a boot program (`grub`), for tests of hot plug the kernel's modules (`modules`) and programs
//! (`programs`).
//!
//! Contract: nothing is installed on the host and no address stands here: mirror, keys and proxy are those of the
//! host's configuration, and its client checks the signatures. The result is kept in a folder of the caller's with a
//! record of names, versions and SHA-256; a folder that agrees with its record is used as it is, without the network.
//! Only one suite is used, but for system QEMU. Remove the folder to obtain newer packages.

mod cache;
mod client;
mod closure;
pub mod grub;
pub mod modules;
pub mod programs;
pub mod qemu;
pub mod qemu_system;
pub mod source;
mod text;

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;

pub use cache::Package;
use client::Client;

use crate::initramfs::InitramfsError;

/// A Debian release whose kernel is known to start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// Debian 12.
    #[default]
    Bookworm,
    /// Debian 13.
    Trixie,
}

impl Release {
    /// Every release, oldest first.
    pub const ALL: [Release; 2] = [Release::Bookworm, Release::Trixie];

    /// The name of its suite.
    pub fn name(self) -> &'static str {
        match self {
            Release::Bookworm => "bookworm",
            Release::Trixie => "trixie",
        }
    }

    /// Where `obtain` keeps this release by custom: `powervisor/debian/NAME` in the user's cache folder.
    pub fn cache_folder(self) -> Option<PathBuf> {
        Some(crate::cache_dir()?.join("powervisor/debian").join(self.name()))
    }
}

impl FromStr for Release {
    type Err = UnknownRelease;
    fn from_str(name: &str) -> Result<Release, UnknownRelease> {
        Release::ALL.into_iter().find(|r| r.name() == name).ok_or_else(|| UnknownRelease { name: name.to_owned() })
    }
}

/// No release of that name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no release {name:?}: give bookworm or trixie")]
pub struct UnknownRelease {
    /// As given.
    pub name: String,
}

/// How far `obtain` has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being done, as in "packages".
    pub stage: &'a str,
    /// Bytes done of this stage.
    pub done: u64,
    /// Bytes of this stage, if known beforehand.
    pub total: Option<u64>,
}

/// Why there is no kernel.
#[derive(Debug, Error)]
pub enum DebianError {
    /// The host has no Debian package client, or not all of it.
    #[error("this host has no {program} to obtain Debian packages with: give --kernel and --initrd instead")]
    NoClient {
        /// The program that was looked for.
        program: String,
    },
    /// The client works but none of its mirrors has packages of the suite for the architecture.
    #[error(
        "the package client of this host knows no mirror with {suite}'s {architecture} packages (tried: {}): \
         give --kernel and --initrd instead",
        if tried.is_empty() { "none, as no Debian mirror is configured".to_owned() } else { tried.join(", ") }
    )]
    NoArchitecture {
        /// Suite asked for.
        suite: &'static str,
        /// Architecture as Debian calls it.
        architecture: &'static str,
        /// Addresses of mirrors that were tried.
        tried: Vec<String>,
    },
    /// The client gave up, as it does without a network.
    #[error("{program} failed (the first run needs the network); its last words:\n{log}")]
    Client {
        /// Which program.
        program: String,
        /// The end of what it wrote to its standard error.
        log: String,
    },
    /// No room.
    #[error("the disk of {} is full: about 300 MB are needed while packages are unpacked", folder.display())]
    DiskFull {
        /// Folder on that disk.
        folder: PathBuf,
    },
    /// A package does not have what it had in every release so far.
    #[error("package {package} has no {lacks}: give --kernel and --initrd instead")]
    Package {
        /// Name.
        package: String,
        /// What is missing.
        lacks: &'static str,
    },
    /// The folder's name cannot be written into apt's configuration.
    #[error("cache folder {folder:?} must be UTF-8 without quotes, backslashes and line ends: set XDG_CACHE_HOME")]
    Folder {
        /// As given.
        folder: PathBuf,
    },
    /// What was unpacked does not fit into an archive.
    #[error(transparent)]
    Archive(InitramfsError),
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was to be done.
        action: &'static str,
        /// With which file or program.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
}

impl DebianError {
    fn io(action: &'static str, path: PathBuf, source: io::Error) -> DebianError {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => DebianError::DiskFull { folder: path },
            _ => DebianError::Io { action, path, source },
        }
    }
}

/// The architecture of the kernels as Debian calls it.
const PPC64EL: &str = "ppc64el";
/// The package whose only content is its dependency on the current kernel package.
const KERNEL_META: &str = "linux-image-powerpc64le";
/// How names of kernel packages begin.
const KERNEL_PREFIX: &str = "linux-image-";
/// The package of the static busybox.
const BUSYBOX: &str = "busybox-static";
/// Where the files stand in the packages (patterns of tar); busybox moved from `/bin` to `/usr/bin` in trixie.
const KERNEL_FILE: &str = "./boot/vmlinu*";
const BUSYBOX_FILE: &str = "*bin/busybox";
/// How apt says that a mirror does not carry a suite at all.
const NO_SUITE: &str = "does not have a Release file";

/// Names of the files in the folder.
const VMLINUX: &str = "vmlinux";
const BUSYBOX_NAME: &str = "busybox";

/// What `obtain` gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packages {
    /// The kernel, an ELF file.
    pub vmlinux: Package,
    /// The static busybox for the guest.
    pub busybox: Package,
}

impl Packages {
    /// What the folder holds, if it holds all of `release` unharmed.
    fn kept(release: Release, folder: &Path) -> Option<Packages> {
        let [vmlinux, busybox] = cache::load(release.name(), folder, [VMLINUX, BUSYBOX_NAME])?;
        Some(Packages { vmlinux, busybox })
    }
}

/// The kernel and busybox of `release` in `folder`, downloaded unless they are there already. Of several processes that
/// ask at once, one downloads and the others wait.
pub fn obtain(
    release: Release,
    folder: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Packages, DebianError> {
    obtain_with(release, folder, None, progress)
}

fn obtain_with(
    release: Release,
    folder: &Path,
    programs: Option<PathBuf>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Packages, DebianError> {
    let folder = &std::path::absolute(folder).map_err(|e| DebianError::io("find", folder.to_owned(), e))?;
    if let Some(packages) = Packages::kept(release, folder) {
        return Ok(packages);
    }
    let _lock = cache::lock(folder, progress)?;
    if let Some(packages) = Packages::kept(release, folder) {
        return Ok(packages);
    }
    let client = Client::new(folder.join(".fetch"), programs, PPC64EL)?;
    let kernel = kernel(&client, release, progress)?;
    let wanted = [kernel.as_str(), BUSYBOX];
    let records = client.show(&wanted);
    let mut total = 0;
    for package in wanted {
        total += size(&records, package)?;
    }
    client.download(&wanted, total, progress)?;

    let mut keep = |package: &str, pattern, name| {
        let (version, archive) = (field(&records, package, "Version")?, client.archive(package)?);
        client.extract(&archive, pattern, |content| {
            cache::store(content, client.file(name), folder, name, (package, version), progress)
        })
    };
    let [vmlinux, busybox] = [keep(&kernel, KERNEL_FILE, VMLINUX)?, keep(BUSYBOX, BUSYBOX_FILE, BUSYBOX_NAME)?];
    cache::record(release.name(), folder, &[(VMLINUX, &vmlinux), (BUSYBOX_NAME, &busybox)])?;
    Ok(Packages { vmlinux, busybox })
}

/// The package of the newest kernel of `release`.
fn kernel(client: &Client, release: Release, progress: &mut dyn FnMut(Progress<'_>)) -> Result<String, DebianError> {
    find(client, release.name(), KERNEL_META, progress, |meta| {
        text::dependency(meta.get("Depends")?, KERNEL_PREFIX).map(str::to_owned)
    })
}

/// What the record of `package` says in a field that every record has.
fn field<'a>(records: &'a [text::Stanza], package: &str, name: &'static str) -> Result<&'a str, DebianError> {
    let record = records.iter().find(|record| record.get("Package") == Some(package));
    let value = record.and_then(|record| record.get(name));
    value.ok_or(DebianError::Package { package: package.to_owned(), lacks: name })
}

/// Bytes of the package, 0 if the record's are no number.
fn size(records: &[text::Stanza], package: &str) -> Result<u64, DebianError> {
    Ok(field(records, package, "Size")?.parse::<u32>().map_or(0, u64::from))
}

/// Tries the host's mirrors in turn; leaves the client with the lists of one that has the suite, and gives what is
/// `wanted` of the record of `package`.
fn find<T>(
    client: &Client,
    suite: &'static str,
    package: &str,
    progress: &mut dyn FnMut(Progress<'_>),
    wanted: impl Fn(&text::Stanza) -> Option<T>,
) -> Result<T, DebianError> {
    let (mut tried, mut failure) = (Vec::new(), None);
    for mirror in client.mirrors(suite)? {
        match client.update(&mirror, suite, progress) {
            Ok(()) => {}
            Err(DebianError::Client { log, .. }) if log.contains(NO_SUITE) => {}
            Err(error @ DebianError::Client { .. }) => _ = failure.get_or_insert(error),
            Err(error) => return Err(error),
        }
        if let Some(found) = client.show(&[package]).iter().find_map(&wanted) {
            return Ok(found);
        }
        tried.push(mirror.uri);
    }
    Err(failure.unwrap_or(DebianError::NoArchitecture { suite, architecture: client.architecture(), tried }))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder of this test's own, removed at its end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path = std::env::temp_dir().join(format!("powervisor image test {name} {}", std::process::id()));
            _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Scratch(path)
        }
        /// A folder of shell scripts that stand in for the client; what is not given succeeds silently.
        fn programs(&self, scripts: &[(&str, &str)]) -> PathBuf {
            let folder = self.0.join("bin");
            fs::create_dir_all(&folder).unwrap();
            for program in ["apt-get", "apt-cache", "apt-config", "dpkg-deb", "tar"] {
                let script = scripts.iter().find(|(name, _)| *name == program).map_or("", |(_, script)| script);
                let path = folder.join(program);
                fs::write(&path, format!("#!/bin/sh\n[ \"$1\" = --version ] && exit 0\n{script}\ntrue\n")).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            }
            folder
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            _ = fs::remove_dir_all(&self.0);
        }
    }

    /// Answers `--print-uris update` with a Debian mirror and `update` with UPDATE; downloads by touching files.
    const APT_GET: &str = r#"
case "$*" in
*--print-uris*) echo "'http://mirror.example.org/debian/dists/bookworm/InRelease' f 0 " ;;
*update*) echo dlstatus:1:50.0:x; UPDATE ;;
*download*) echo dlstatus:1:25.0:x; echo dlstatus:2:100.0:x; touch linux-image-9_1_ppc64el.deb busybox-static_2_ppc64el.deb ;;
esac"#;
    const APT_CACHE: &str = r#"
case "$*" in
*linux-image-powerpc64le*) echo "Package: linux-image-powerpc64le"; echo "Depends: linux-image-9 (= 1)" ;;
*) printf 'Package: busybox-static\nVersion: 2\nSize: 100\n\nPackage: linux-image-9\nVersion: 1\nSize: 300\n' ;;
esac"#;
    const TAR: &str = "cat >/dev/null; echo \"content of $3\"";

    fn apt_get(update: &str) -> String {
        APT_GET.replace("UPDATE", update)
    }

    fn run(scratch: &Scratch, scripts: &[(&str, &str)]) -> (Result<Packages, DebianError>, Vec<(String, u64)>) {
        let mut stages = Vec::new();
        let programs = scratch.programs(scripts);
        let answer = obtain_with(Release::Bookworm, &scratch.0.join("kept"), Some(programs), &mut |progress| {
            stages.push((progress.stage.to_owned(), progress.done));
        });
        (answer, stages)
    }

    #[test]
    fn files_are_kept_and_used_again_without_the_client() {
        let scratch = Scratch::new("kept");
        let get = apt_get("exit 0");
        let (answer, stages) = run(&scratch, &[("apt-get", &get), ("apt-cache", APT_CACHE), ("tar", TAR)]);
        let packages = answer.unwrap();
        assert_eq!(fs::read(&packages.vmlinux.path).unwrap(), b"content of ./boot/vmlinu*\n");
        assert_eq!(fs::read(&packages.busybox.path).unwrap(), b"content of *bin/busybox\n");
        assert_eq!((&packages.vmlinux.package[..], &packages.vmlinux.version[..]), ("linux-image-9", "1"));
        assert_eq!((&packages.busybox.package[..], &packages.busybox.version[..]), ("busybox-static", "2"));
        assert!(stages.contains(&("packages".to_owned(), 100)) && stages.contains(&("packages".to_owned(), 400)));
        let mut names: Vec<_> = fs::read_dir(scratch.0.join("kept")).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["busybox", "lock", "packages.json", "vmlinux"]);

        let broken = [("apt-get", "exit 1")];
        assert_eq!(run(&scratch, &broken).0.unwrap(), packages);
        fs::write(&packages.vmlinux.path, "content of ./boot/vmlinuX\n").unwrap();
        assert!(matches!(run(&scratch, &broken).0, Err(DebianError::Client { .. })));
    }

    #[test]
    fn a_host_without_a_client_is_told_what_to_give() {
        let scratch = Scratch::new("none");
        let answer = obtain_with(Release::Trixie, &scratch.0.join("kept"), Some(scratch.0.clone()), &mut |_| {});
        let error = answer.unwrap_err();
        assert!(matches!(&error, DebianError::NoClient { program } if program == "apt-get"), "{error}");
        assert!(error.to_string().ends_with("give --kernel and --initrd instead"), "{error}");
    }

    #[test]
    fn a_client_without_the_architecture_is_told_what_to_give() {
        let scratch = Scratch::new("architecture");
        let missing = apt_get("echo 'E: The repository does not have a Release file.' >&2; exit 100");
        let get = apt_get("exit 0");
        for (get, tried) in [("", 0), (&get, 1), (&missing, 1)] {
            let error = run(&scratch, &[("apt-get", get), ("apt-cache", "exit 100")]).0.unwrap_err();
            assert!(matches!(&error, DebianError::NoArchitecture { tried: t, .. } if t.len() == tried), "{error}");
            assert!(error.to_string().ends_with("give --kernel and --initrd instead"), "{error}");
        }
    }

    #[test]
    fn sources_come_from_the_first_mirror_that_has_them() {
        let scratch = Scratch::new("sources");
        // The first mirror has the suite, the second the package; beside its archive stands a signature.
        let get = r#"
case "$*" in
*--print-uris*) for n in 1 2 3; do echo "'http://$n.example.org/debian/dists/trixie/InRelease' f 0 "; done ;;
*source*) touch p_1.orig.tar.gz.asc p_1.orig.tar.gz.0.asc p_1.orig.tar.gz ;;
esac"#;
        let cache = r#"grep -q "^URIs: $(cat ../mirror)" main.sources && echo 'Package: p'"#;
        let tar = r#"case "$5" in *.gz) echo "$8" > "$7/unpacked" ;; *) exit 2 ;; esac"#;
        let obtain = |mirror: &str, get: &str| {
            let folder = scratch.0.join("kept");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("mirror"), mirror).unwrap();
            let programs = scratch.programs(&[("apt-get", get), ("apt-cache", cache), ("tar", tar)]);
            source::obtain_with("p", "trixie", "*/some", &folder, Some(programs), &mut |_| {})?;
            Ok::<_, DebianError>(fs::read_to_string(folder.join("unpacked")).unwrap())
        };
        let missing =
            get.replace("*source*)", "*update*) echo 'E: It does not have a Release file.' >&2; exit 100 ;; *source*)");
        let error = obtain("http://4", &missing).unwrap_err();
        let DebianError::NoArchitecture { architecture, tried, .. } = &error else { panic!("{error}") };
        assert_eq!((*architecture, tried.len()), ("source", 3));
        assert_eq!(obtain("http://2", get).unwrap(), "*/some\n");
        assert_eq!(obtain("http://4", "exit 1").unwrap(), "*/some\n");
    }

    #[test]
    fn failures_carry_the_clients_last_words() {
        let scratch = Scratch::new("failure");
        let get = apt_get("seq 20 >&2; echo 'E: Could not resolve mirror.example.org' >&2; exit 100");
        let error = run(&scratch, &[("apt-get", &get), ("apt-cache", "exit 100")]).0.unwrap_err();
        let DebianError::Client { log, .. } = &error else { panic!("{error}") };
        assert_eq!(log, "16\n17\n18\n19\n20\nE: Could not resolve mirror.example.org");

        let full = apt_get("echo 'E: Write error - write (28: No space left on device)' >&2; exit 100");
        let error = run(&scratch, &[("apt-get", &full)]).0.unwrap_err();
        assert!(matches!(error, DebianError::DiskFull { .. }), "{error}");

        let get = apt_get("exit 0");
        let error = run(&scratch, &[("apt-get", &get), ("apt-cache", APT_CACHE), ("tar", "echo lost >&2; exit 2")]);
        assert!(error.0.is_err() && !scratch.0.join("kept/packages.json").exists());
    }

    #[test]
    fn folders_that_apt_cannot_name_are_refused() {
        let scratch = Scratch::new("quote");
        let answer = obtain(Release::Bookworm, &scratch.0.join("a\"b"), &mut |_| {});
        assert!(matches!(answer, Err(DebianError::Folder { .. })));
    }

    #[test]
    fn releases_have_names() {
        for release in Release::ALL {
            assert_eq!(release.name().parse(), Ok(release));
        }
        assert!("sid".parse::<Release>().is_err());
    }

    /// The real thing, into the user's cache folder: both releases, then again without any client.
    #[test]
    #[ignore = "downloads 130 MB; run with --ignored --nocapture"]
    fn both_releases_are_obtained() {
        for release in Release::ALL {
            let folder = release.cache_folder().unwrap();
            let mut last = String::new();
            let packages = obtain(release, &folder, &mut |progress| {
                let line = format!("{} {} of {:?}", progress.stage, progress.done, progress.total);
                if progress.stage != "unpacking" && line != last {
                    println!("{line}");
                }
                last = line;
            })
            .unwrap();
            println!("{packages:#?}");
            let file = fs::read(&packages.vmlinux.path).unwrap();
            let kernel = crate::elf::read(&file).unwrap();
            assert_eq!((kernel.class, kernel.abi), (crate::elf::Class::Elf64, crate::elf::Abi::ElfV2));
            assert!(kernel.symbols(&file).any(|symbol| symbol.name == "start_kernel"));
            let busybox = fs::read(&packages.busybox.path).unwrap();
            for applet in crate::initramfs::APPLETS {
                let entry = format!("\0{applet}\0");
                assert!(busybox.windows(entry.len()).any(|window| window == entry.as_bytes()), "no applet {applet}");
            }
            let again = obtain_with(release, &folder, Some("/nonexistent".into()), &mut |_| {}).unwrap();
            assert_eq!(again, packages);
        }
    }
}
