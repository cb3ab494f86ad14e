//! Debian's drmgr in its two kernels: PCI devices, memory and processors are taken and given back by it, at a console or by
//! rtas_errd, which hears of events.

#[allow(dead_code)]
mod shell;

use std::thread;

use image::debian::Release;
use image::debian::programs::Program;
use shell::socket::Socket;
use shell::{Guest, debian_with};

fn start(release: Release, program: Program, socket: &Socket) -> Guest {
    let files = debian_with(&format!("{program:?}-{}", release.name()), release, program);
    let flags = ["-m", "1G", "--max-memory", "1536M", "--max-cpus", "2", "--ctl", &socket.0];
    let mut guest = Guest::debian_from(&files, &flags);
    does(&mut guest, "mkdir -p /var/lock /var/log && load-modules");
    guest
}

/// What a command prints.
fn said(guest: &mut Guest, command: &str) -> String {
    let before = guest.seen.len();
    guest.script(command);
    guest.seen.get(before..).unwrap().join("\n")
}

/// What a command prints that has to work.
fn does(guest: &mut Guest, command: &str) -> String {
    let said = said(guest, &format!("{command} && echo IT-WORKED"));
    assert!(said.contains("IT-WORKED"), "{command}: {said}");
    said
}

/// drmgr does its part while the host waits for it.
fn together(guest: &mut Guest, socket: &Socket, host: &str, command: &str) {
    thread::scope(|scope| {
        let asked = scope.spawn(|| socket.ctl(host));
        does(guest, command);
        asked.join().unwrap().unwrap_or_else(|error| panic!("{host}: {error}\n{}", guest.seen.join("\n")));
    });
}

/// Reads from the device that entropy comes from now, twice; its name.
fn entropy(guest: &mut Guest) -> String {
    let one = "dd if=/dev/hwrng bs=64 count=4 2>/dev/null";
    let said = said(
        guest,
        &format!(
            "a=$({one} | md5sum); b=$({one} | md5sum); [ \"$a\" != \"$b\" ] && [ $({one} | wc -c) = 256 ] && \
             echo FROM-$(cat /sys/class/misc/hw_random/rng_current)"
        ),
    );
    let name = said.lines().find_map(|line| line.strip_prefix("FROM-"));
    name.unwrap_or_else(|| panic!("{said}")).to_owned()
}

/// Devices on the bus.
fn functions(guest: &mut Guest) -> Vec<String> {
    let said = said(guest, "ls /sys/bus/pci/devices");
    said.split_whitespace().filter(|word| word.starts_with("0000:")).map(str::to_owned).collect()
}

/// drmgr reaches the driver by way of the bus with `-V`, as rtas_errd calls it, and by rpaphp without: that knows one slot of a
/// bus, the first.
fn pci(release: Release) {
    let socket = Socket::new(&format!("drmgr-pci-{}", release.name()));
    let mut guest = start(release, Program::Drmgr, &socket);
    for way in ["-V", ""] {
        together(&mut guest, &socket, "device add virtio-rng", &format!("drmgr -c pci -a -s C0 -n {way}"));
        assert_eq!(entropy(&mut guest), "virtio_rng.0");
        let shown = does(&mut guest, "lsslot -c pci");
        let slot = |name| shown.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
        assert!(slot("C0").ends_with("0000:00:00.0") && slot("C8").ends_with("Empty"), "{shown}");
        // The guest gives it back and takes it again without the host, which still has it for this guest.
        does(&mut guest, &format!("drmgr -c pci -r -s 0x40000000 -n {way}"));
        assert!(functions(&mut guest).is_empty());
        does(&mut guest, &format!("drmgr -c pci -a -s 0x40000000 -n {way}"));
        assert_eq!(entropy(&mut guest), "virtio_rng.0");
        together(&mut guest, &socket, "device remove 0", &format!("drmgr -c pci -r -s C0 -n {way}"));
        assert!(functions(&mut guest).is_empty());
        assert!(socket.ctl("device remove 0").unwrap_err().contains("no device with this number"));
    }
    for slot in ["C0", "C8"] {
        together(&mut guest, &socket, "device add virtio-rng", &format!("drmgr -c pci -a -s {slot} -n -V"));
    }
    assert_eq!(functions(&mut guest), ["0000:00:00.0", "0000:00:01.0"]);
    together(&mut guest, &socket, "device remove 0", "drmgr -c pci -r -s C0 -n -V");
    assert_eq!(functions(&mut guest), ["0000:00:01.0"]);
    assert_eq!(entropy(&mut guest), "virtio_rng.1");
    // One that the guest has given back already goes at once.
    does(&mut guest, "drmgr -c pci -r -s C8 -n -V");
    guest.ctl(&socket, "device remove 1");
    guest.power_off();
}

/// MiB of memory, and processors.
fn sizes(guest: &mut Guest) -> [u64; 2] {
    guest.type_in("set -- $(grep MemTotal /proc/meminfo) $(nproc); echo S-$(($2 / 1024))-$4\n");
    let line = guest.until("S-");
    let mut numbers = line.split('-').skip(1).map(|number| number.parse().unwrap());
    std::array::from_fn(|_| numbers.next().unwrap())
}

/// The kernel takes memory and processors by itself; drmgr gives them back and takes them again.
fn memory_and_processors(release: Release) {
    let socket = Socket::new(&format!("drmgr-{}", release.name()));
    let mut guest = start(release, Program::Drmgr, &socket);
    let [first, _] = sizes(&mut guest);
    for words in ["memory add 512M", "cpus add 1"] {
        guest.ctl(&socket, words);
    }
    // The host waits until connectors are configured, the kernel starts the processor then.
    guest.script("until [ $(nproc) = 2 ]; do sleep 0.1; done");
    let [most, processors] = sizes(&mut guest);
    assert_eq!((most - first, processors), (512, 2));
    let shown = does(&mut guest, "lsslot -c cpu; lsslot -c mem");
    for word in ["CPU 0", "CPU 1", "10000001", "DRC Index: 80000004", "DRC Index: 80000005"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    for which in ["-q 1", "-s 'CPU 1'", "-s 0x10000001"] {
        for (action, processors) in [("-r", 1), ("-a", 2)] {
            let said = does(&mut guest, &format!("drmgr -c cpu {action} {which}"));
            assert!(said.lines().any(|line| line == "CPU 1"), "{said}");
            assert_eq!(sizes(&mut guest)[1], processors, "{action} {which}");
        }
    }
    for which in ["-q 1", "-s 0x80000005"] {
        for (action, memory) in [("-r", most - 256), ("-a", most)] {
            let said = does(&mut guest, &format!("drmgr -c mem {action} {which}"));
            assert!(said.contains("DR_TOTAL_RESOURCES=1"), "{said}");
            assert_eq!(sizes(&mut guest)[0], memory, "{action} {which}");
        }
    }
    // Half of the memory and the processor are given back by drmgr, the rest by the kernel when the host asks.
    does(&mut guest, "drmgr -c mem -r -s 0x80000004 && drmgr -c cpu -r -q 1");
    for words in ["memory remove 512M", "cpus remove 1"] {
        guest.ctl(&socket, words);
    }
    assert_eq!(sizes(&mut guest), [first, 1]);
    // Then nothing is there to be taken.
    for what in ["cpu", "mem"] {
        let said = said(&mut guest, &format!("drmgr -c {what} -a -q 1 || echo NOTHING-THERE"));
        assert!(said.contains("NOTHING-THERE"), "{said}");
    }
    guest.power_off();
}

/// Nobody is at the console: rtas_errd has drmgr take what the host adds, and give back what it asks for.
fn by_itself(release: Release) {
    let socket = Socket::new(&format!("rtas_errd-{}", release.name()));
    let mut guest = start(release, Program::RtasErrd, &socket);
    does(&mut guest, "mkdir /etc/ppc64-diag && cp /debian/etc/ppc64-diag/*.config /etc/ppc64-diag && rtas_errd");
    for _ in 0..2 {
        for slot in [0, 1] {
            assert_eq!(guest.ctl(&socket, "device add virtio-rng")["slot"], slot);
            // The connector is configured; then its driver is found.
            guest.script(&format!(
                "until grep -q virtio_rng.{slot} /sys/class/misc/hw_random/rng_available; do sleep 0.1; done"
            ));
        }
        assert_eq!(functions(&mut guest), ["0000:00:00.0", "0000:00:01.0"]);
        guest.ctl(&socket, "device remove 0");
        assert_eq!(entropy(&mut guest), "virtio_rng.1");
        guest.ctl(&socket, "device remove 1");
        assert!(functions(&mut guest).is_empty());
    }
    guest.power_off();
}

#[test]
fn by_itself_in_linux_6_1() {
    by_itself(Release::Bookworm);
}

#[test]
fn by_itself_in_linux_6_12() {
    by_itself(Release::Trixie);
}

#[test]
fn pci_devices_in_linux_6_1() {
    pci(Release::Bookworm);
}

#[test]
fn pci_devices_in_linux_6_12() {
    pci(Release::Trixie);
}

#[test]
fn memory_and_processors_in_linux_6_1() {
    memory_and_processors(Release::Bookworm);
}

#[test]
fn memory_and_processors_in_linux_6_12() {
    memory_and_processors(Release::Trixie);
}
