//! Debian's kernels on each processor with each translation and interrupt controller that it has, and 1, 2 and 8 vCPUs:
//! memory and processors come and go while others compute what is known.

// Machines are killed elsewhere.
#[allow(dead_code)]
mod shell;

use std::fmt;

use image::debian::Release;
use shell::Guest;
use shell::socket::Socket;

/// A machine.
#[derive(Clone, Copy)]
struct Row {
    release: Release,
    cpu: &'static str,
    mmu: &'static str,
    interrupts: &'static str,
    cpus: u32,
}

const BOOKWORM: Release = Release::Bookworm;
const TRIXIE: Release = Release::Trixie;

/// Processors, translations and interrupt controllers that go together.
const BOARDS: [(&str, &str, &str); 7] = [
    ("power8", "hash", "xics"),
    ("power9", "hash", "xics"),
    ("power9", "hash", "xive"),
    ("power9", "radix", "xics"),
    ("power9", "radix", "xive"),
    ("power10", "radix", "xics"),
    ("power10", "radix", "xive"),
];

/// Processors that are added.
const MORE: u32 = 2;

/// Loops that compute: more than a small host has processors.
const LOOPS: u32 = 4;

/// What they compute, and its result.
const LOADS: [(&str, &str); 3] = [
    ("seq 1 20000 | gzip | gunzip | md5sum", "e071f707df7bbeee2a6a1eb48011ddd0"),
    ("seq 1 20000 | sha256sum", "f6351f5ead9a700e34275480b3856ea738122a7c57bdeb744a631251c069587a"),
    ("dd if=/dev/zero bs=1M count=8 2>/dev/null | md5sum", "96995b58d4cbf6aaa9041b4f00c7f6ae"),
];

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Row { release, cpu, mmu, interrupts, cpus } = self;
        write!(f, "{}-{cpu}-{mmu}-{interrupts}-{cpus}", release.name())
    }
}

/// What a guest prints for `command`, in one line.
fn said(guest: &mut Guest, command: &str) -> String {
    guest.type_in(&format!("echo \"S-$({command})\"\n"));
    guest.until("S-").trim_start_matches("S-").to_owned()
}

fn number(guest: &mut Guest, command: &str) -> u64 {
    let text = said(guest, command);
    text.parse().unwrap_or_else(|_| panic!("{command}: {text:?}"))
}

const MEMORY: &str = "awk '/MemTotal/ { print $2 }' /proc/meminfo";
const PAGE: &str = "awk '/KernelPageSize/ { print $2; exit }' /proc/self/smaps";
const MOVABLE: &str = "awk '/zone *Movable/ { here = 1 } here && /pages free/ { print $3; exit }' /proc/zoneinfo";
const ROUNDS: &str = "cat /tmp/good | wc -l";

/// What `command` prints in pages, in KiB.
fn pages(guest: &mut Guest, command: &str) -> u64 {
    number(guest, command) * number(guest, PAGE)
}

impl Row {
    fn start(&self, socket: &Socket) -> Guest {
        let [cpus, most] = [self.cpus, self.cpus + MORE].map(|count| count.to_string());

        Guest::debian(&[
            "--release",
            self.release.name(),
            "--cpu",
            self.cpu,
            "--mmu",
            self.mmu,
            "--interrupts",
            self.interrupts,
            "-m",
            "384M",
            "--cpus",
            &cpus,
            "--max-cpus",
            &most,
            "--max-memory",
            "2G",
            "--ctl",
            &socket.0,
            "--timeout",
            "600",
        ])
    }

    /// It is the machine that was asked for.
    fn shows(&self, guest: &mut Guest) {
        let kernel = if self.release == BOOKWORM { "6.1." } else { "6.12." };
        assert!(said(guest, "uname -r").starts_with(kernel));
        let cpuinfo = said(guest, "awk '/^(cpu|MMU)/ { print tolower($3) }' /proc/cpuinfo | sort -u | tr '\\n' ' '");
        assert!(cpuinfo.contains(self.cpu) && cpuinfo.contains(self.mmu), "{cpuinfo}");
        let interrupts = self.interrupts.to_uppercase();
        assert_ne!(number(guest, &format!("grep -c {interrupts} /proc/interrupts")), 0);
        assert_eq!(number(guest, "nproc"), u64::from(self.cpus));
    }

    fn comes_and_goes(&self, rounds: u32) {
        const GIB: u64 = 1 << 20;
        let socket = Socket::new(&format!("matrix-{self}"));
        let mut guest = self.start(&socket);
        self.shows(&mut guest);
        let work: String = LOADS
            .iter()
            .map(|(command, sum)| {
                format!("[ \"$({command})\" = \"{sum}  -\" ] && echo >> /tmp/good || echo >> /tmp/bad; ")
            })
            .collect();
        guest.script(&format!(
            ": > /tmp/good; : > /tmp/bad; work() {{ while [ ! -e /tmp/stop ]; do {work} done; }}; \
             for n in $(seq {LOOPS}); do work & done"
        ));
        let memory = number(&mut guest, MEMORY);
        for _ in 0..rounds {
            guest.ctl(&socket, "memory add 1G");
            guest.ctl(&socket, &format!("cpus add {MORE}"));
            let now = number(&mut guest, MEMORY);
            assert!(now > memory + GIB - GIB / 8, "{memory} KiB became {now}");
            // The guest has them, and starts them.
            guest.script(&format!("while [ $(nproc) != {} ]; do sleep 0.1; done", self.cpus + MORE));
            for cpu in self.cpus..self.cpus + MORE {
                // The processor on which it runs, as it says of itself.
                let here = format!("taskset -c {cpu} awk '{{ print $39 }}' /proc/self/stat");
                assert_eq!(number(&mut guest, &here), u64::from(cpu));
            }
            // What can be moved goes to memory that was added.
            let free = pages(&mut guest, MOVABLE);
            guest.script(
                "mkdir -p /mnt; mount -t tmpfs none /mnt; dd if=/dev/zero of=/mnt/fill bs=1M count=64 2>/dev/null",
            );
            let left = pages(&mut guest, MOVABLE);
            guest.script("umount /mnt");
            assert!(left + GIB / 32 < free, "{free} KiB became {left}");
            let before = number(&mut guest, ROUNDS);
            guest.script(&format!("while [ $({ROUNDS}) -le {before} ]; do sleep 0.1; done"));
            guest.ctl(&socket, &format!("cpus remove {MORE}"));
            guest.ctl(&socket, "memory remove 1G");
            assert_eq!(number(&mut guest, "nproc"), u64::from(self.cpus));
            assert!(number(&mut guest, MEMORY) <= memory);
        }
        guest.script("touch /tmp/stop; wait");
        assert_eq!(number(&mut guest, "cat /tmp/bad | wc -l"), 0);
        assert!(number(&mut guest, ROUNDS) >= u64::from(LOOPS) * LOADS.len() as u64);
        guest.power_off();
    }
}

macro_rules! rows {
    ($($name:ident = $release:ident, $cpu:literal, $mmu:literal, $interrupts:literal, $cpus:literal;)*) => {$(
        #[test]
        fn $name() {
            Row { release: $release, cpu: $cpu, mmu: $mmu, interrupts: $interrupts, cpus: $cpus }.comes_and_goes(1);
        }
    )*};
}

rows! {
    power8_with_hash_and_xics = TRIXIE, "power8", "hash", "xics", 1;
    power9_with_hash_and_xive = BOOKWORM, "power9", "hash", "xive", 2;
    power9_with_radix_and_xics = BOOKWORM, "power9", "radix", "xics", 2;
    power10_with_radix_and_xive = TRIXIE, "power10", "radix", "xive", 8;
}

/// Too long for a verdict on a change.
mod every_guest {
    use std::thread;

    use super::*;

    /// Both kernels on all boards; `POWERVISOR_ROWS=trixie-power8-hash` only those whose names have this in them.
    #[test]
    #[ignore = "long"]
    fn all_of_them() {
        let wanted = std::env::var("POWERVISOR_ROWS").unwrap_or_default();
        let mut bad = Vec::new();
        for release in Release::ALL {
            for (cpu, mmu, interrupts) in BOARDS {
                for cpus in [1, 2, 8] {
                    let row = Row { release, cpu, mmu, interrupts, cpus };
                    if !row.to_string().contains(&wanted) {
                        continue;
                    }
                    let good = thread::spawn(move || row.comes_and_goes(2)).join().is_ok();
                    println!("{row}: {}", if good { "good" } else { "BAD" });
                    bad.extend((!good).then(|| row.to_string()));
                }
            }
        }
        assert!(bad.is_empty(), "{bad:?}");
    }
}
