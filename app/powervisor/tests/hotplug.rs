//! Memory, processors and persistent memory that come and go while Linux works.

// Machines are killed elsewhere.
#[allow(dead_code)]
mod shell;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use shell::{Guest, files};

/// A socket, and an image that goes with the test.
struct Bench {
    socket: String,
    image: String,
}

impl Bench {
    fn new(name: &str) -> Bench {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = |end: &str| folder.join(format!("hotplug-{name}.{end}")).to_str().unwrap().to_owned();
        let bench = Bench { socket: path("sock"), image: path("pmem") };
        let _ = fs::remove_file(&bench.image);
        bench
    }

    /// Asks; the answer, or the error.
    fn ctl(&self, words: &str) -> Result<Value, String> {
        let output = Command::new(env!("CARGO_BIN_EXE_powervisor"))
            .args(["ctl", &self.socket, "--json"])
            .args(words.split(' '))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout).unwrap());
        }
        assert_eq!(output.status.code(), Some(125));
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.image);
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
    let bench = Bench::new(name);
    let flags =
        ["-m", "512M", "--ctl", &bench.socket, "--max-memory", "3G", "--max-cpus", "3", "--nvdimm-room", "256M"];
    let mut guest = Guest::start(&files, &[&flags[..], more].concat());
    guest.script("while :; do dd if=/dev/zero bs=1M count=64 2>/dev/null | md5sum > /dev/null; done &");
    let [memory, ..] = sizes(&mut guest);
    for round in 0..rounds {
        let add = format!("nvdimm add path={},size=64M", bench.image);
        for words in ["memory add 2G", "cpus add 2", &add] {
            bench.ctl(words).unwrap_or_else(|error| panic!("{words}: {error}\n{}", guest.seen.join("\n")));
        }
        let [now, processors, regions] = sizes(&mut guest);
        assert!(now > memory + 2 * GIB - GIB / 4, "{memory} KiB became {now}");
        assert_eq!((processors, regions), (3, 1), "round {round}");
        // More than there was before.
        guest.script(
            "mkdir -p /tmp/m; mount -t tmpfs -o size=2G none /tmp/m; dd if=/dev/zero of=/tmp/m/fill bs=1M count=700 \
             2>/dev/null; ls -l /tmp/m | sed s/^/F-/; umount /tmp/m",
        );
        assert!(guest.seen.iter().any(|line| line.contains("734003200")), "{}", guest.seen.join("\n"));
        let status = bench.ctl("status").unwrap();
        assert_eq!(status["nvdimms"][0]["added"], true);
        for words in ["nvdimm remove 0", "cpus remove 2", "memory remove 2G"] {
            bench.ctl(words).unwrap_or_else(|error| panic!("{words}: {error}\n{}", guest.seen.join("\n")));
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
        assert!(bench.ctl(words).unwrap_err().contains(error), "{words}");
    }
    guest.type_in("poweroff -f\n");
    let (code, seen) = guest.end();
    assert_eq!(code, Some(0));
    let bad = ["Oops", "BUG", "WARNING", "Call Trace", "soft lockup"];
    assert!(!seen.iter().any(|line| bad.iter().any(|word| line.contains(word))), "{}", seen.join("\n"));
    assert!(!Path::new(&bench.socket).exists());
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

#[test]
fn with_open_firmware() {
    comes_and_goes("of", "pseries-le", 3, &["--boot", "of"]);
}

#[test]
fn nobody_listens_without_a_machine() {
    let bench = Bench::new("nobody");
    let error = bench.ctl("status").unwrap_err();
    assert!(error.contains(&bench.socket) && error.contains("a machine that runs"), "{error}");
}
