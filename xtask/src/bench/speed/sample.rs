//! One run of the program, and what it printed.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The longest that a run may print nothing: a whole boot on a busy host.
const SILENCE: Duration = Duration::from_secs(300);
/// What a line may take from the program to us.
const SLACK: Duration = Duration::from_millis(250);
/// What the program prints first, last, and when it gives up.
const ARRIVED: &str = "bench: arrived";
const END: &str = "bench: end ";
const FAILED: &str = "bench: failed";

/// What a kernel came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The group it counts in.
    pub group: String,
    /// Its name.
    pub name: String,
    /// `None` where the machine cannot run it.
    pub result: Option<Outcome>,
}

/// A kernel's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Nanoseconds of one operation.
    pub time: f64,
    /// Of what was computed.
    pub digest: String,
    /// What an operation is.
    pub unit: String,
}

impl Reading {
    /// Reads a line of the program; `None` for any other.
    pub fn parse(line: &str) -> Option<Reading> {
        let mut words = line.trim().strip_prefix("bench ")?.splitn(6, ' ').map(str::to_owned);
        let (group, name, time) = (words.next()?, words.next()?, words.next()?);
        let result = match time.as_str() {
            "n/a" => None,
            femtoseconds => {
                let (_windows, digest, unit) = (words.next()?, words.next()?, words.next()?);
                Some(Outcome { time: femtoseconds.parse::<f64>().ok()? / 1e6, digest, unit })
            }
        };
        Some(Reading { group, name, result })
    }
}

/// A run.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// In the order of the program.
    pub readings: Vec<Reading>,
    /// Nanoseconds that the host's processors spent until the program began.
    pub boot: f64,
}

impl Sample {
    /// Takes over what `other` has results of.
    pub fn replace(&mut self, other: Sample) {
        for reading in other.readings.into_iter().filter(|reading| reading.result.is_some()) {
            if let Some(own) = self.readings.iter_mut().find(|own| own.name == reading.name) {
                *own = reading;
            }
        }
    }
}

/// Runs `command`, which is or hosts the program, to the program's end; what else it prints goes to `log`.
pub fn take(mut command: Command, log: &Path) -> Result<Sample> {
    let name = format!("{command:?}").replace('"', "");
    let file = File::create(log).with_context(|| log.display().to_string())?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file.try_clone()?);
    let mut child = command.spawn().with_context(|| name.clone())?;
    let output = child.stdout.take().context("no standard output")?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
        lines.map(|line| String::from_utf8_lossy(&line).trim().to_owned()).try_for_each(|line| sender.send(line))
    });
    let (mut sample, mut start) = (Sample::default(), Instant::now());
    let ended = loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) if line == ARRIVED => {
                start = Instant::now();
                sample.boot = processor_time(child.id()).unwrap_or(0.0);
            }
            Ok(line) if line.starts_with(FAILED) => break Err(line),
            Ok(line) => match line.strip_prefix(END) {
                Some(time) => break clock(time, start.elapsed()),
                None => sample.readings.extend(Reading::parse(&line)),
            },
            Err(RecvTimeoutError::Timeout) => break Err(format!("nothing printed for {} s", SILENCE.as_secs())),
            Err(RecvTimeoutError::Disconnected) => break Err("it ended before the program did".to_owned()),
        }
    };
    // The guest may switch itself off, or not: all there is to know is known. Both fail only where it has.
    _ = child.kill();
    _ = child.wait();
    match ended {
        Ok(()) => Ok(sample),
        Err(reason) => bail!("{reason}: {name}; its complaints are in {}", log.display()),
    }
}

/// Whether the time that the program measured of itself is the host's, as all its times must be.
fn clock(nanoseconds: &str, host: Duration) -> Result<(), String> {
    let guest = Duration::from_nanos(nanoseconds.parse().map_err(|_| format!("{nanoseconds:?} is no time"))?);
    let tolerance = SLACK + host / 20;
    if guest.abs_diff(host) <= tolerance {
        return Ok(());
    }
    Err(format!("its clock went by {:.2} s in {:.2} s of the host", guest.as_secs_f64(), host.as_secs_f64()))
}

/// Nanoseconds that the threads of a process have run (Linux, scheduler/sched-stats).
fn processor_time(process: u32) -> Option<f64> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let times = threads.flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    Some(times.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let outcome = Outcome { time: 1.365, digest: "50f7".into(), unit: "8 bytes".into() };
        let reading = Reading { group: "memory".into(), name: "copy".into(), result: Some(outcome) };
        assert_eq!(Reading::parse("bench memory copy 1365000 25 50f7 8 bytes\r"), Some(reading));
        let absent = Reading { group: "vector".into(), name: "vdoubles".into(), result: None };
        assert_eq!(Reading::parse("bench vector vdoubles n/a"), Some(absent));
        for line in ["bench memory copy", "bench memory copy x 25 50f7 byte", "[    1.0] bench memory", ""] {
            assert_eq!(Reading::parse(line), None, "{line}");
        }
    }

    #[test]
    fn results_are_taken_over() {
        let sample = |lines: &[&str]| Sample {
            readings: lines.iter().filter_map(|line| Reading::parse(line)).collect(),
            boot: 0.0,
        };
        let mut one = sample(&["bench a crc 1 1 0 byte", "bench a parallel n/a"]);
        one.replace(sample(&["bench a crc n/a", "bench a parallel 2 1 0 byte"]));
        assert_eq!(one.readings, sample(&["bench a crc 1 1 0 byte", "bench a parallel 2 1 0 byte"]).readings);
    }

    #[test]
    fn a_run_ends_with_the_program() {
        let log = std::env::temp_dir().join(format!("xtask-sample-{}.log", std::process::id()));
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            take(command, &log)
        };
        let sample =
            shell("echo bench: arrived; echo bench apart a n/a; echo bench: end 1000000; exec sleep 100").unwrap();
        assert_eq!(sample.readings.len(), 1);
        assert!(shell("echo bench: arrived").is_err());
        let slow = shell("echo bench: arrived; echo bench: end 2000000000; exec sleep 100").unwrap_err();
        assert!(slow.to_string().contains("its clock went by 2.00 s"), "{slow}");
        assert!(shell("echo bench: failed: fork; exec sleep 100").unwrap_err().to_string().contains("fork"));
        fs::remove_file(&log).unwrap();
    }
}
