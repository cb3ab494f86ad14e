//! Running QEMU on a guest of ours.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a guest of a few instructions may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the host has `program`.
pub fn exists(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// A file with these bytes that goes away again.
pub struct Image(pub PathBuf);

impl Image {
    /// Writes it.
    ///
    /// # Errors
    /// When it can not be written.
    pub fn new(bytes: &[u8]) -> Result<Image> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("powervisor-convention-{}-{number}", std::process::id()));
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
        Ok(Image(path))
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Runs a command to its end with `input` on its standard input.
///
/// # Errors
/// When it can not be started, or takes too long.
pub fn run(command: &mut Command, input: &str) -> Result<Output> {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().with_context(|| format!("{command:?}"))?;
    let mut stdin = child.stdin.take().context("stdin")?;
    let (mut stdout, mut stderr) = (child.stdout.take().context("stdout")?, child.stderr.take().context("stderr")?);
    let read = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes).map(|_| bytes)
    });
    let complaints = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stderr.read_to_end(&mut bytes).map(|_| bytes)
    });
    // The program may be gone already; what it printed tells.
    let _ = stdin.write_all(input.as_bytes());
    let status = wait(&mut child)?;
    let joined = |thread: std::thread::JoinHandle<std::io::Result<Vec<u8>>>| -> Result<Vec<u8>> {
        Ok(thread.join().map_err(|_| anyhow::anyhow!("reader died"))??)
    };
    Ok(Output { status, stdout: joined(read)?, stderr: joined(complaints)? })
}

fn wait(child: &mut Child) -> Result<std::process::ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            bail!("not finished after {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
