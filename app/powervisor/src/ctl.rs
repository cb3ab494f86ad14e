//! `powervisor ctl`: asks a running machine, or changes it, over its socket.
//!
//! A request is one line of JSON: the words of the command. The answer is one line: `{"ok": ...}` or `{"error": "..."}`.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::cli::CtlFlags;

pub mod server;

/// Sends a command and prints the answer; returns the exit code.
pub fn ctl(flags: &CtlFlags) -> Result<u8> {
    let name = flags.socket.display().to_string();
    let hint = || format!("{name}: is this the --ctl of a machine that runs?");
    let mut stream = UnixStream::connect(&flags.socket).with_context(hint)?;
    let request = serde_json::to_string(&flags.command.words())?;
    stream.write_all(format!("{request}\n").as_bytes()).with_context(|| name.clone())?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).with_context(|| name.clone())?;
    let answer: Value = serde_json::from_str(&line).with_context(|| format!("{name}: the machine ended"))?;
    if let Some(error) = answer.get("error") {
        return Err(anyhow!("{}", error.as_str().unwrap_or("it gave no reason")));
    }
    let result = answer.get("ok").unwrap_or(&Value::Null);
    if flags.json {
        println!("{result:#}");
    } else {
        print!("{}", text(result));
    }
    Ok(0)
}

/// An answer for people: a row for each member of a list, `key value` else.
fn text(value: &Value) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| match value {
                Value::Array(rows) => format!("{key}\n{}", rows.iter().map(row).collect::<String>()),
                value => format!("{key:8} {}\n", plain(value)),
            })
            .collect(),
        Value::Null => String::new(),
        value => format!("{}\n", plain(value)),
    }
}

fn row(value: &Value) -> String {
    let Value::Object(members) = value else { return format!("  {value}\n") };
    let pairs = members.iter().map(|(key, value)| match value {
        Value::String(text) => format!("{key}={text}"),
        value => format!("{key}={value}"),
    });
    format!("  {}\n", pairs.collect::<Vec<_>>().join(" "))
}
