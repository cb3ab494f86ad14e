//! A guest in a process of its own, with a shell on its console.

pub mod socket;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use image::debian::Release;
use image::debian::programs::Program;
use serde_json::Value;
use socket::Socket;
use vmtest::Kernel;

/// A running guest with a shell, typed at by lines.
pub struct Guest {
    process: Child,
    lines: Receiver<String>,
    /// What it printed so far.
    pub seen: Vec<String>,
}

/// Kernel and initrd of a guest that was built for us, as files; `None`, and counted as skipped, when they are not there.
pub fn files(test: &str, machine: &str) -> Option<[PathBuf; 2]> {
    Some(written(test, &vmtest::built(test, machine, "vmlinux").unwrap()?))
}

/// The same with one of Debian's programs in it.
pub fn files_with(test: &str, machine: &str, program: Program) -> Option<[PathBuf; 2]> {
    let kernel = vmtest::built(test, machine, "vmlinux").unwrap()?;
    Some(written(test, &vmtest::with_program(kernel, program).unwrap()))
}

/// Debian's kernel of `release` with its modules and one of its programs, as files.
pub fn debian_with(test: &str, release: Release, program: Program) -> [PathBuf; 2] {
    written(test, &vmtest::with_program(vmtest::debian_with_modules(release).unwrap(), program).unwrap())
}

fn written(test: &str, kernel: &Kernel) -> [PathBuf; 2] {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let paths = ["vmlinux", "initrd"].map(|name| folder.join(format!("{test}-{name}")));
    fs::write(&paths[0], &kernel.elf).unwrap();
    fs::write(&paths[1], kernel.initrd.as_ref().unwrap()).unwrap();
    paths
}

/// What every guest here is told. Memory that is added holds only what can be moved: Linux gives no other back.
const APPEND: &str = "console=hvc0 quiet panic=-1 memhp_default_state=online_movable";

impl Guest {
    /// Starts a kernel that was built for us, and waits for its shell.
    pub fn start([kernel, initrd]: &[PathBuf; 2], more: &[&str]) -> Guest {
        let [kernel, initrd] = [kernel, initrd].map(|path| path.to_str().unwrap());
        let mut guest = Guest::spawn(&[&["--timeout", "300", "--kernel", kernel, "--initrd", initrd], more].concat());
        guest.until("BOOT-END");
        guest
    }

    /// Starts Debian's kernel, and waits for its shell, which then neither echoes nor prompts.
    pub fn debian(more: &[&str]) -> Guest {
        Guest::busybox(&[&["debian"], more].concat())
    }

    /// The same from files.
    pub fn debian_from([kernel, initrd]: &[PathBuf; 2], more: &[&str]) -> Guest {
        let [kernel, initrd] = [kernel, initrd].map(|path| path.to_str().unwrap());
        Guest::busybox(&[&["--kernel", kernel, "--initrd", initrd], more].concat())
    }

    fn busybox(more: &[&str]) -> Guest {
        let mut guest = Guest::spawn(more);
        guest.type_in("stty -echo; PS1=; echo BOOT-E''ND\n");
        guest.until("BOOT-END");
        guest
    }

    fn spawn(more: &[&str]) -> Guest {
        let mut process = Command::new(env!("CARGO_BIN_EXE_powervisor"))
            .args(["run", "--quiet"])
            .args(if more.contains(&"--append") { &[][..] } else { &["--append", APPEND] })
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let (say, lines) = mpsc::channel();
        let output = BufReader::new(process.stdout.take().unwrap());
        thread::spawn(move || {
            for line in output.split(b'\n').map_while(Result::ok) {
                let _ = say.send(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        });
        Guest { process, lines, seen: Vec::new() }
    }

    /// Types a text.
    pub fn type_in(&mut self, text: &str) {
        self.process.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Waits for a line that begins with `start`.
    pub fn until(&mut self, start: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(180);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no line {start:?}; it printed\n{}", self.seen.join("\n"));
            };
            self.seen.push(line.clone());
            if line.starts_with(start) {
                return line;
            }
        }
    }

    /// Types commands and waits until they are done.
    pub fn script(&mut self, commands: &str) {
        self.type_in(&format!("{commands}\necho DO''NE\n"));
        self.until("DONE");
    }

    /// Does what `words` ask for, which has to work.
    pub fn ctl(&self, socket: &Socket, words: &str) -> Value {
        socket.ctl(words).unwrap_or_else(|error| panic!("{words}: {error}\n{}", self.seen.join("\n")))
    }

    /// Waits for its end; the exit code, and what it printed.
    pub fn end(mut self) -> (Option<i32>, Vec<String>) {
        let status = self.process.wait().unwrap();
        self.seen.extend(self.lines.iter());
        (status.code(), std::mem::take(&mut self.seen))
    }

    /// Switches it off, and makes sure that its kernel complained of nothing.
    pub fn power_off(mut self) {
        const COMPLAINTS: [&str; 7] =
            ["Oops", "BUG", "WARNING", "Call Trace", "rcu: INFO", "lockup", "blocked for more than"];
        self.type_in("poweroff -f\n");
        let (code, seen) = self.end();
        assert_eq!(code, Some(0));
        let complains = |line: &String| COMPLAINTS.iter().any(|word| line.contains(word));
        assert!(!seen.iter().any(complains), "{}", seen.join("\n"));
    }

    /// Kills the machine; what the guest printed.
    pub fn kill(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.seen.extend(self.lines.iter());
        std::mem::take(&mut self.seen)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
