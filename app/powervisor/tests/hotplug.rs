//! Memory, processors, persistent memory and PCI devices that come and go while Linux works.

// Machines are killed elsewhere.
#[allow(dead_code)]
mod shell;

use std::fs;
use std::path::Path;
use std::thread;

use papr_abi::rtas::SET_INDICATOR;
use shell::socket::Socket;
use shell::{Guest, files};

/// An image that goes with the test.
struct Image(String);

impl Image {
    fn new(name: &str) -> Image {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hotplug-{name}.pmem"));
        let _ = fs::remove_file(&path);
        Image(path.to_str().unwrap().to_owned())
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// What the guest says of itself: KiB of memory, processors, persistent-memory regions.
fn sizes(guest: &mut Guest) -> [u64; 3] {
    guest.type_in(
        "set -- $(grep MemTotal /proc/meminfo) $(nproc) $(ls /sys/bus/nd/devices | grep -c region); echo S-$2-$4-$5\n",
    );
    let line = guest.until("S-");
    let mut numbers = line.split('-').skip(1).map(|number| number.parse().unwrap());
    std::array::from_fn(|_| numbers.next().unwrap())
}

/// Everything comes, is used, and goes, `rounds` times, while every processor counts and memory is filled and compared.
fn comes_and_goes(name: &str, machine: &str, rounds: u32, more: &[&str]) {
    const GIB: u64 = 1 << 20;
    let Some(files) = files(&format!("hotplug-{name}"), machine) else { return };
    let (socket, image) = (Socket::new(&format!("hotplug-{name}")), Image::new(name));
    let flags = ["-m", "512M", "--ctl", &socket.0, "--max-memory", "3G", "--max-cpus", "3", "--nvdimm-room", "256M"];
    let mut guest = Guest::start(&files, &[&flags[..], more].concat());
    guest.script("while :; do dd if=/dev/zero bs=1M count=64 2>/dev/null | md5sum > /dev/null; done &");
    let [memory, ..] = sizes(&mut guest);
    for round in 0..rounds {
        let add = format!("nvdimm add path={},size=64M", image.0);
        for words in ["memory add 2G", "cpus add 2", &add] {
            guest.ctl(&socket, words);
        }
        // The host waits for connectors; behind that the kernel goes on by itself, with regions in a thread of their own.
        guest.script("until [ $(nproc) = 3 ] && ls /sys/bus/nd/devices | grep -q region; do sleep 0.1; done");
        let [now, processors, regions] = sizes(&mut guest);
        assert!(now > memory + 2 * GIB - GIB / 4, "{memory} KiB became {now}");
        assert_eq!((processors, regions), (3, 1), "round {round}");
        // More than there was before.
        guest.script(
            "mkdir -p /tmp/m; mount -t tmpfs -o size=2G none /tmp/m; dd if=/dev/zero of=/tmp/m/fill bs=1M count=700 \
             2>/dev/null; ls -l /tmp/m | sed s/^/F-/; umount /tmp/m",
        );
        assert!(guest.seen.iter().any(|line| line.contains("734003200")), "{}", guest.seen.join("\n"));
        let status = guest.ctl(&socket, "status");
        assert_eq!(status["nvdimms"][0]["added"], true);
        for words in ["nvdimm remove 0", "cpus remove 2", "memory remove 2G"] {
            guest.ctl(&socket, words);
        }
        assert_eq!(sizes(&mut guest)[1..], [1, 0], "round {round}");
    }
    for (words, error) in [
        ("memory add 4G", "--max-memory"),
        ("memory add 100M", "steps of 256 MiB"),
        ("cpus add 3", "--max-cpus"),
        ("cpus remove 1", "no more processors"),
        ("nvdimm health 0 ok", "there is no NVDIMM 0"),
        ("device add virtio-tape", "known are virtio-rng"),
        ("device remove 7", "no device with this number"),
    ] {
        assert!(socket.ctl(words).unwrap_err().contains(error), "{words}");
    }
    guest.power_off();
    assert!(!Path::new(&socket.0).exists());
}

/// What was added is there when the guest starts anew, and can be removed then.
fn stays_over_a_reset(name: &str, machine: &str, more: &[&str]) {
    const GIB: u64 = 1 << 20;
    let Some(files) = files(&format!("hotplug-reset-{name}"), machine) else { return };
    let (socket, image) = (Socket::new(&format!("reset-{name}")), Image::new(&format!("reset-{name}")));
    let flags = ["-m", "512M", "--ctl", &socket.0, "--max-memory", "2G", "--max-cpus", "4", "--nvdimm-room", "256M"];
    // Memory that is there from the start holds only what can be moved, too.
    let append = "console=hvc0 quiet panic=-1 movable_node memhp_default_state=online_movable";
    let mut guest = Guest::start(&files, &[&flags[..], &["--append", append], more].concat());
    let [memory, ..] = sizes(&mut guest);
    for words in ["memory add 1G", "cpus add 3", &format!("nvdimm add path={},size=64M", image.0)] {
        guest.ctl(&socket, words);
    }
    // The last of each goes again.
    for words in ["cpus remove 1", "memory remove 256M"] {
        guest.ctl(&socket, words);
    }
    let before = guest.ctl(&socket, "status");
    guest.type_in("reboot -f\n");
    guest.until("BOOT-END");
    assert_eq!(guest.ctl(&socket, "status"), before);
    let [now, processors, regions] = sizes(&mut guest);
    assert!(now > memory + GIB / 2 && now < memory + GIB, "{memory} KiB became {now}");
    assert_eq!((processors, regions), (3, 1));
    for words in ["nvdimm remove 0", "cpus remove 2", "memory remove 768M"] {
        guest.ctl(&socket, words);
    }
    let [now, processors, regions] = sizes(&mut guest);
    assert!(now < memory + GIB / 8, "{memory} KiB became {now}");
    assert_eq!((processors, regions), (1, 0));
    assert!(socket.ctl("cpus remove 1").unwrap_err().contains("no more processors"));
    guest.type_in("reboot -f\n");
    guest.until("BOOT-END");
    assert_eq!(sizes(&mut guest)[1..], [1, 0]);
    guest.power_off();
}

#[test]
fn a_reset_with_radix_translation() {
    stays_over_a_reset("radix", "pseries-le", &[]);
}

#[test]
fn a_reset_with_hash_translation() {
    stays_over_a_reset("hash", "pseries-be", &["--mmu", "hash", "--interrupts", "xive"]);
}

#[test]
fn with_radix_translation() {
    comes_and_goes("radix", "pseries-le", 3, &[]);
}

#[test]
fn with_hash_translation() {
    comes_and_goes("hash", "pseries-be", 1, &["--mmu", "hash"]);
}

#[test]
fn with_a_xive() {
    comes_and_goes("xive", "pseries-le", 3, &["--interrupts", "xive"]);
}

/// A program for little-endian Linux that sets the isolation state of a connector, as drmgr does, by `sys_rtas`; a status
/// other than zero makes it fail. Its ELF file is one segment, with the arguments, which the kernel reads big-endian, behind
/// the code.
fn isolation(connector: u32, state: u32) -> Vec<u8> {
    const BASE: u32 = 0x1000_0000;
    const HEADERS: u32 = 64 + 56;
    let arguments = [SET_INDICATOR.token, 3, 1, 9001, connector, state, u32::MAX];
    let at = HEADERS + 4 * 7;
    let code = [
        0x3fe0_0000 | BASE >> 16, // lis r31, BASE@h
        0x387f_0000 | at,         // addi r3, r31, arguments
        0x3800_00ff,              // li r0, sys_rtas
        0x4400_0002,              // sc
        0x807f_0000 | (at + 24),  // lwz r3, status(r31)
        0x3800_0001,              // li r0, sys_exit
        0x4400_0002,              // sc
    ];
    let size = at + 4 * arguments.len() as u32;
    // Executable, PPC64; entry, program headers behind this one, ABI 2, their sizes.
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x15\0\x01\0\0\0".to_vec();
    let wide = |number: u32| u64::from(number).to_le_bytes();
    file.extend([wide(BASE + HEADERS), wide(64), wide(0)].concat());
    file.extend(2_u32.to_le_bytes());
    file.extend([64, 56, 1, 0, 0, 0].iter().flat_map(|half: &u16| half.to_le_bytes()));
    // To be loaded, to be read, written and executed.
    file.extend([1, 7].iter().flat_map(|word: &u32| word.to_le_bytes()));
    file.extend([wide(0), wide(BASE), wide(BASE), wide(size), wide(size), wide(0x1000)].concat());
    file.extend(code.iter().flat_map(|word| word.to_le_bytes()));
    file.extend(arguments.iter().flat_map(|cell| cell.to_be_bytes()));
    file
}

/// Linux 6.12 reads the connector by itself once it is no longer isolated.
#[test]
fn a_pci_device() {
    let socket = Socket::new("hotplug-pci");
    let mut guest = Guest::debian(&["--release", "trixie", "--ctl", &socket.0, "--device", "virtio-rng"]);
    for (name, state) in [("isolate", 0), ("unisolate", 1)] {
        let octal: String = isolation(0x4000_0008, state).iter().map(|byte| format!("\\{byte:03o}")).collect();
        guest.script(&format!("printf '{octal}' > /{name}; chmod +x /{name}"));
    }
    let add = |guest: &mut Guest| {
        thread::scope(|scope| {
            let added = scope.spawn(|| socket.ctl("device add virtio-rng"));
            guest.script("until /unisolate; do sleep 1; done; echo dt add index 0x40000008 > /sys/kernel/dlpar");
            assert_eq!(added.join().unwrap().unwrap()["slot"], 1, "{}", guest.seen.join("\n"));
        });
    };
    guest.script("/unisolate || echo NOTHING-THERE");
    assert!(guest.seen.iter().any(|line| line == "NOTHING-THERE"), "{}", guest.seen.join("\n"));
    for _ in 0..2 {
        add(&mut guest);
        guest.script(
            "echo 1 > /sys/bus/pci/rescan; echo D-$(basename $(readlink /sys/bus/pci/devices/0000:00:01.0/driver))",
        );
        assert!(guest.seen.iter().any(|line| line == "D-virtio-pci"), "{}", guest.seen.join("\n"));
        thread::scope(|scope| {
            let removed = scope.spawn(|| socket.ctl("device remove 1"));
            guest.script("echo 1 > /sys/bus/pci/devices/0000:00:01.0/remove");
            guest.script(
                "echo dt remove index 0x40000008 > /sys/kernel/dlpar; /isolate && echo P-$(ls /sys/bus/pci/devices)",
            );
            removed.join().unwrap().unwrap();
        });
        assert_eq!(guest.seen.iter().rfind(|line| line.starts_with("P-")).unwrap(), "P-0000:00:00.0");
        guest.seen.clear();
    }
    add(&mut guest);
    guest.type_in("reboot -f\n");
    guest.until("Welcome to PowerVisor");
    guest.script("echo AFTER-$(ls /sys/bus/pci/devices | wc -l)");
    assert!(guest.seen.iter().any(|line| line == "AFTER-2"), "it stays: {}", guest.seen.join("\n"));
    guest.power_off();
}

#[test]
fn with_open_firmware() {
    comes_and_goes("of", "pseries-le", 3, &["--boot", "of"]);
}

#[test]
fn nobody_listens_without_a_machine() {
    let socket = Socket::new("hotplug-nobody");
    let error = socket.ctl("status").unwrap_err();
    assert!(error.contains(&socket.0) && error.contains("a machine that runs"), "{error}");
}
