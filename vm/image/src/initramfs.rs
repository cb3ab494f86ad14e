//! Composes initial RAM file systems: cpio archives in the "newc" format (Linux, driver-api/early-userspace/buffer-format).
//!
//! Contract: the same calls give the same bytes (no clock, no host files); missing parent folders are made, since the
//! kernel makes none. Everything belongs to root. Not its job: compression, hard links, or reading archives.

use std::collections::BTreeSet;

use thiserror::Error;

/// What kind of device node to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// Character device.
    Char,
    /// Block device.
    Block,
}

/// Why an archive cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InitramfsError {
    /// The path is empty, absurdly long, or has a NUL, `.` or `..` in it.
    #[error("{path:?} is no path for an archive: give 1 to 4095 bytes without NUL, \".\" or \"..\"")]
    Path {
        /// As given.
        path: String,
    },
    /// The format has 32 bits for a size.
    #[error("{path} has {size} bytes; an initramfs file holds at most 4294967295")]
    TooLarge {
        /// Path in the archive.
        path: String,
        /// Bytes.
        size: usize,
    },
}

/// File type bits of a mode (POSIX, <sys/stat.h>; Linux's values).
mod kind {
    pub const MASK: u32 = 0o17_0000;
    pub const CHAR: u32 = 0o02_0000;
    pub const DIR: u32 = 0o04_0000;
    pub const BLOCK: u32 = 0o06_0000;
    pub const FILE: u32 = 0o10_0000;
    pub const LINK: u32 = 0o12_0000;
}

/// Longest path the kernel accepts, without the NUL (Linux PATH_MAX).
const PATH_MAX: usize = 4095;
/// Name of the entry that ends an archive.
const TRAILER: &str = "TRAILER!!!";

/// An archive being written. The first error is kept and given by `finish`.
#[derive(Debug, Default)]
pub struct Initramfs {
    bytes: Vec<u8>,
    paths: BTreeSet<String>,
    error: Option<InitramfsError>,
}

/// Everything of an entry but its path.
#[derive(Clone, Copy, Default)]
struct Entry<'a> {
    mode: u32,
    data: &'a [u8],
    device: (u32, u32),
}

impl Initramfs {
    /// An empty archive.
    pub fn new() -> Initramfs {
        Initramfs::default()
    }

    /// Adds a folder with permissions `mode`; a leading `/` of any path here is optional.
    pub fn dir(self, path: &str, mode: u32) -> Initramfs {
        self.add(path, Entry { mode: kind::DIR | mode, ..Entry::default() })
    }

    /// Adds a regular file.
    pub fn file(self, path: &str, mode: u32, data: &[u8]) -> Initramfs {
        self.add(path, Entry { mode: kind::FILE | mode, data, ..Entry::default() })
    }

    /// Adds a symbolic link whose text is `target`.
    pub fn symlink(self, path: &str, target: &str) -> Initramfs {
        self.add(path, Entry { mode: kind::LINK | 0o777, data: target.as_bytes(), ..Entry::default() })
    }

    /// Adds a device node.
    pub fn device(self, path: &str, device: Device, major: u32, minor: u32, mode: u32) -> Initramfs {
        let kind = match device {
            Device::Char => kind::CHAR,
            Device::Block => kind::BLOCK,
        };
        self.add(path, Entry { mode: kind | mode, device: (major, minor), ..Entry::default() })
    }

    /// The archive, padded to whole 512-byte blocks.
    pub fn finish(mut self) -> Result<Vec<u8>, InitramfsError> {
        self.write(0, TRAILER, Entry::default());
        self.pad(512);
        match self.error {
            None => Ok(self.bytes),
            Some(error) => Err(error),
        }
    }

    fn add(mut self, path: &str, entry: Entry<'_>) -> Initramfs {
        if let Err(error) = self.try_add(path, entry) {
            self.error.get_or_insert(error);
        }
        self
    }

    fn try_add(&mut self, path: &str, entry: Entry<'_>) -> Result<(), InitramfsError> {
        let name = path.strip_prefix('/').unwrap_or(path);
        let bad_part = name.split('/').any(|part| matches!(part, "" | "." | ".."));
        if bad_part || name.len() > PATH_MAX || name.contains('\0') || name == TRAILER {
            return Err(InitramfsError::Path { path: path.to_owned() });
        }
        if u32::try_from(entry.data.len()).is_err() {
            return Err(InitramfsError::TooLarge { path: path.to_owned(), size: entry.data.len() });
        }
        for (slash, _) in name.match_indices('/') {
            let (parent, _) = name.split_at(slash);
            if !self.paths.contains(parent) {
                self.place(parent, Entry { mode: kind::DIR | 0o755, ..Entry::default() });
            }
        }
        self.place(name, entry);
        Ok(())
    }

    fn place(&mut self, name: &str, entry: Entry<'_>) {
        self.paths.insert(name.to_owned());
        self.write(self.paths.len(), name, entry);
    }

    /// One header of 8-digit fields, the name with its NUL, and the data, each padded to 4 bytes.
    fn write(&mut self, inode: usize, name: &str, entry: Entry<'_>) {
        let links = if entry.mode & kind::MASK == kind::DIR { 2 } else { 1 };
        let Entry { mode, data, device: (major, minor) } = entry;
        let (size, name_size) = (data.len(), name.len() + 1);
        let (user, group, time, host_major, host_minor, checksum) = (0, 0, 0, 0, 0, 0);
        let header = format!(
            "070701{inode:08x}{mode:08x}{user:08x}{group:08x}{links:08x}{time:08x}{size:08x}\
             {host_major:08x}{host_minor:08x}{major:08x}{minor:08x}{name_size:08x}{checksum:08x}{name}\0"
        );
        self.bytes.extend(header.as_bytes());
        self.pad(4);
        self.bytes.extend(data);
        self.pad(4);
    }

    fn pad(&mut self, block: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(block), 0);
    }
}

/// Applets of Debian's busybox-static that are of use in a RAM file system. `modprobe` and `hotplug` helpers are left
/// out on purpose: the kernel would start them for every optional module, and there are no modules.
#[rustfmt::skip]
pub(crate) const APPLETS: &[&str] = &[
    "[", "[[", "arch", "arp", "arping", "ash", "awk", "base64", "basename", "bc", "blkdiscard", "blockdev", "bunzip2",
    "bzcat", "bzip2", "cal", "cat", "chgrp", "chmod", "chown", "chroot", "clear", "cmp", "cp", "cpio", "crc32",
    "cttyhack", "cut", "date", "dc", "dd", "devmem", "df", "diff", "dirname", "dmesg", "dos2unix", "du", "echo", "ed",
    "egrep", "env", "expand", "expr", "factor", "fallocate", "false", "fdisk", "fgrep", "find", "findfs", "fold",
    "free", "fsfreeze", "getopt", "getty", "grep", "groups", "gunzip", "gzip", "halt", "head", "hexdump", "hostid",
    "hostname", "httpd", "hwclock", "id", "ifconfig", "ifdown", "ifup", "insmod", "ionice", "ip", "ipcalc", "kill",
    "killall", "last", "less", "link", "ln", "logger", "login", "losetup", "ls", "lsmod", "lsscsi", "lzcat", "lzma",
    "md5sum", "microcom", "mkdir", "mkdosfs", "mke2fs", "mkfifo", "mknod", "mkswap", "mktemp", "more", "mount", "mv",
    "nc", "netstat", "nl", "nologin", "nproc", "nsenter", "nslookup", "od", "partprobe", "paste", "patch", "pidof",
    "ping", "ping6", "pivot_root", "poweroff", "printf", "ps", "pwd", "readlink", "realpath", "reboot", "renice",
    "reset", "rev", "rm", "rmdir", "rmmod", "route", "run-parts", "sed", "seq", "setpriv", "setsid", "sh",
    "sha1sum", "sha256sum", "sha3sum", "sha512sum", "shred", "shuf", "sleep", "sort", "stat", "strings", "stty", "su",
    "swapoff", "swapon", "switch_root", "sync", "sysctl", "tac", "tail", "tar", "taskset", "tc", "tee", "telnet",
    "test", "tftp", "time", "timeout", "top", "touch", "tr", "traceroute", "true", "truncate", "ts", "tty", "udhcpc",
    "umount", "uname", "unexpand", "uniq", "unix2dos", "unlink", "unlzma", "unshare", "unxz", "unzip", "uptime",
    "usleep", "uudecode", "uuencode", "vconfig", "vi", "w", "watch", "wc", "wget", "which", "who", "whoami", "xargs",
    "xxd", "xz", "xzcat", "yes", "zcat",
];

/// Device nodes for kernels without devtmpfs, and the console that the kernel opens before `/init` runs:
/// name, major, minor, permissions (Linux, admin-guide/devices.txt).
#[rustfmt::skip]
const DEVICES: &[(&str, u32, u32, u32)] = &[
    ("console", 5, 1, 0o600), ("tty",   5,  0, 0o666), ("ptmx",   5,   2, 0o666),
    ("null",    1, 3, 0o666), ("zero",  1,  5, 0o666), ("full",   1,   7, 0o666),
    ("random",  1, 8, 0o666), ("urandom", 1, 9, 0o666), ("kmsg",  1,  11, 0o644),
    ("ttyS0",   4, 64, 0o600), ("ttyS1", 4, 65, 0o600), ("hvc0", 229,  0, 0o600), ("hvc1", 229, 1, 0o600),
];

/// Where the given command stands; a file of its own, so that nothing in it needs quoting.
const COMMAND: &str = "/etc/powervisor-command";

/// What both forms of `/init` begin with.
const INIT_HEAD: &str = r#"#!/bin/sh
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
hostname powervisor
cd /root
"#;

/// Greets and gives a shell with job control; leaving it powers off.
const INIT_SHELL: &str = r#"echo
echo "Welcome to PowerVisor: $(uname -sr) on $(uname -m), $(nproc) CPU."
echo "This is a busybox shell in RAM. 'exit' or Ctrl-D powers off."
echo
setsid cttyhack sh
poweroff -f
"#;

/// A root file system of one static busybox for `busybox`'s processor. `/init` mounts the kernel's file systems, then
/// runs `init_cmd` as a shell script, or an interactive shell on the console, and powers off when that ends.
pub fn debian_initramfs(busybox: &[u8], init_cmd: Option<&str>) -> Result<Vec<u8>, InitramfsError> {
    let mut archive = Initramfs::new();
    for (path, mode) in [("/dev", 0o755), ("/proc", 0o555), ("/sys", 0o555), ("/root", 0o700), ("/tmp", 0o1777)] {
        archive = archive.dir(path, mode);
    }
    for &(name, major, minor, mode) in DEVICES {
        archive = archive.device(&format!("/dev/{name}"), Device::Char, major, minor, mode);
    }
    archive = archive.file("/bin/busybox", 0o755, busybox);
    for applet in APPLETS {
        archive = archive.symlink(&format!("/bin/{applet}"), "busybox");
    }
    archive = archive.symlink("/sbin", "bin").symlink("/usr/bin", "../bin").symlink("/usr/sbin", "../bin");
    archive = archive.file("/etc/passwd", 0o644, b"root::0:0:root:/root:/bin/sh\n");
    archive = archive.file("/etc/group", 0o644, b"root:x:0:\n");

    let tail = match init_cmd {
        None => INIT_SHELL.to_owned(),
        Some(command) => {
            archive = archive.file(COMMAND, 0o755, format!("{command}\n").as_bytes());
            format!("setsid cttyhack sh {COMMAND}\npoweroff -f\n")
        }
    };
    archive.file("/init", 0o755, format!("{INIT_HEAD}{tail}").as_bytes()).finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Read {
        mode: u32,
        links: u32,
        device: (u32, u32),
        data: Vec<u8>,
    }

    fn parse(archive: &[u8]) -> BTreeMap<String, Read> {
        let (mut at, mut entries, mut inodes) = (0, BTreeMap::new(), BTreeSet::new());
        loop {
            assert_eq!(&archive[at..at + 6], b"070701");
            let field = |n: usize| {
                let start = at + 6 + 8 * n;
                u32::from_str_radix(str::from_utf8(&archive[start..start + 8]).unwrap(), 16).unwrap()
            };
            let name_end = at + 110 + field(11) as usize;
            let name = str::from_utf8(&archive[at + 110..name_end]).unwrap().strip_suffix('\0').unwrap();
            let start = name_end.next_multiple_of(4);
            let end = start + field(6) as usize;
            let data = archive[start..end].to_vec();
            let next = end.next_multiple_of(4);
            if name == TRAILER {
                assert_eq!(archive.len(), next.next_multiple_of(512));
                return entries;
            }
            assert!(inodes.insert(field(0)), "inode of {name} is used twice");
            if let Some((parent, _)) = name.rsplit_once('/') {
                assert!(entries.contains_key(parent), "{name} stands before its folder");
            }
            let read = Read { mode: field(1), links: field(4), device: (field(9), field(10)), data };
            assert_eq!(entries.insert(name.to_owned(), read), None, "{name} twice");
            at = next;
        }
    }

    #[test]
    fn what_is_written_can_be_read_back() {
        let archive = Initramfs::new()
            .file("/a/b/c", 0o640, b"12345")
            .dir("d", 0o1777)
            .symlink("/l", "a/b")
            .device("/dev/sda", Device::Block, 8, 0x1_0001, 0o660)
            .finish()
            .unwrap();
        let read = parse(&archive);
        assert_eq!(read.keys().collect::<Vec<_>>(), ["a", "a/b", "a/b/c", "d", "dev", "dev/sda", "l"]);
        assert_eq!(read["a"], Read { mode: 0o40755, links: 2, device: (0, 0), data: vec![] });
        assert_eq!(read["a/b/c"], Read { mode: 0o100640, links: 1, device: (0, 0), data: b"12345".to_vec() });
        assert_eq!(read["d"].mode, 0o41777);
        assert_eq!((read["l"].mode, &read["l"].data[..]), (0o120777, &b"a/b"[..]));
        assert_eq!((read["dev/sda"].mode, read["dev/sda"].device), (0o60660, (8, 0x1_0001)));
    }

    #[test]
    fn bad_paths_are_refused() {
        for path in ["", "/", "a//b", "a/../b", "./a", "nul\0", "TRAILER!!!", &"x".repeat(4096)] {
            let error = Initramfs::new().dir(path, 0o755).dir("good", 0o755).finish().unwrap_err();
            assert_eq!(error, InitramfsError::Path { path: path.to_owned() });
        }
    }

    #[test]
    fn the_debian_file_system_has_what_its_init_uses() {
        let read = parse(&debian_initramfs(b"BUSYBOX", None).unwrap());
        assert_eq!(read["bin/busybox"].data, b"BUSYBOX");
        assert_eq!((read["dev/console"].mode, read["dev/console"].device), (0o20600, (5, 1)));
        let init = String::from_utf8(read["init"].data.clone()).unwrap();
        assert_eq!(read["init"].mode, 0o100755);
        assert!(init.starts_with("#!/bin/sh\n") && init.ends_with("setsid cttyhack sh\npoweroff -f\n"));
        for applet in ["sh", "mount", "hostname", "setsid", "cttyhack", "poweroff", "uname", "nproc", "echo"] {
            assert_eq!(read[&format!("bin/{applet}")].data, b"busybox");
        }
        assert!(!read.contains_key("bin/modprobe"));
    }

    #[test]
    fn a_command_needs_no_quoting() {
        let command = "echo 'a \"b\" $HOME'; exit 3";
        let read = parse(&debian_initramfs(b"", Some(command)).unwrap());
        assert_eq!(read["etc/powervisor-command"].data, format!("{command}\n").into_bytes());
        let init = String::from_utf8(read["init"].data.clone()).unwrap();
        assert!(
            init.ends_with("setsid cttyhack sh /etc/powervisor-command\npoweroff -f\n") && !init.contains("Welcome")
        );
    }

    #[test]
    fn gnu_cpio_agrees() {
        let archive = debian_initramfs(b"BUSYBOX", None).unwrap();
        let mut client = Command::new("cpio");
        client.arg("-t").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = match client.spawn() {
            Ok(child) => child,
            Err(error) => return eprintln!("skipped: cpio cannot be run ({error})"),
        };
        let mut input = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || input.write_all(&archive));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(output.status.success());
        let mut listed: Vec<_> = str::from_utf8(&output.stdout).unwrap().lines().map(str::to_owned).collect();
        listed.sort();
        let expected: Vec<_> = parse(&debian_initramfs(b"BUSYBOX", None).unwrap()).into_keys().collect();
        assert_eq!(listed, expected);
    }
}
