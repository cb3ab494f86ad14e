//! The socket by which a guest is asked and changed while it runs.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// For `--ctl`.
pub struct Socket(pub String);

impl Socket {
    /// One of this name.
    pub fn new(name: &str) -> Socket {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.sock"));
        Socket(path.to_str().unwrap().to_owned())
    }

    /// Asks; the answer, or the error.
    pub fn ctl(&self, words: &str) -> Result<Value, String> {
        let output = Command::new(env!("CARGO_BIN_EXE_powervisor"))
            .args(["ctl", &self.0, "--json"])
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
