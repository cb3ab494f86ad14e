//! `powervisor nvdimm`: image files of persistent memory, made, shown and checked.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use nvdimm::header::{LABELS, State};
use nvdimm::image::{headers, newest};
use nvdimm::labels::{self, Labels};
use nvdimm::{Header, Image, Uuid};
use serde_json::{Value, json};

use crate::cli::{NvdimmCommand, NvdimmCreateFlags};

pub mod flag;

/// An image that is damaged.
const DAMAGED: u8 = 1;

/// Carries out a command; returns the exit code.
pub fn nvdimm(command: &NvdimmCommand) -> Result<u8> {
    match command {
        NvdimmCommand::Create(flags) => create(flags),
        NvdimmCommand::Info(flags) => info(&flags.file, flags.json),
        NvdimmCommand::Check(flags) => check(&flags.file, flags.json, flags.repair),
    }
}

fn create(flags: &NvdimmCreateFlags) -> Result<u8> {
    let uuid = flags.uuid.map_or_else(Uuid::random, Ok).context("/dev/urandom")?;
    let name = || flags.file.display().to_string();
    Image::create(&flags.file, uuid, flags.size, flags.label).with_context(name)?;
    info(&flags.file, flags.json)
}

fn print(text: &str) -> Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("standard output"),
        _ => Ok(()),
    }
}

fn state(header: &Header) -> &'static str {
    match header.state {
        State::New => "new",
        State::Clean => "clean",
        State::InUse => "in use",
    }
}

/// The header of an image, and whether a machine has it now.
fn look(path: &Path) -> Result<(Header, bool)> {
    let file = File::open(path)?;
    Ok((newest(headers(&file)?)?, file.try_lock_shared().is_err()))
}

fn as_json(path: &Path, header: &Header, running: bool) -> Value {
    json!({
        "file": path.display().to_string(),
        "uuid": header.uuid.to_string(),
        "size": header.data(),
        "block_size": header.block_size,
        "blocks": header.blocks,
        "label_size": header.labels,
        "data_offset": header.data_offset(),
        "state": state(header),
        "running": running,
        "dirty_shutdowns": header.dirty_shutdowns,
        "power_on_seconds": header.power_on_seconds,
    })
}

fn info(path: &Path, json: bool) -> Result<u8> {
    let (header, running) = look(path).with_context(|| path.display().to_string())?;
    if json {
        print(&format!("{:#}\n", as_json(path, &header, running)))?;
        return Ok(0);
    }
    let left = match (header.state, running) {
        (_, true) => "a machine has it now",
        (State::New, false) => "new",
        (State::Clean, false) => "put away in order",
        (State::InUse, false) => "left without being put away: the next machine is told so",
    };
    let rows = [
        ("file", path.display().to_string()),
        ("uuid", header.uuid.to_string()),
        ("size", format!("{} MiB in {} blocks of {} MiB", header.data() >> 20, header.blocks, header.block_size >> 20)),
        ("labels", format!("{} KiB", header.labels >> 10)),
        ("state", left.to_owned()),
        ("dirty", format!("{} times left without being put away", header.dirty_shutdowns)),
        ("on", format!("{} s in machines", header.power_on_seconds)),
    ];
    print(&rows.map(|(name, value)| format!("{name:8} {value}\n")).concat())?;
    Ok(0)
}

/// What a look at an image finds.
struct Findings {
    problems: Vec<String>,
    /// What the label area holds, if it was found.
    labels: Option<Labels>,
    /// One copy of the header is damaged, and the other one is enough to make it from.
    repairable: bool,
}

fn find(path: &Path) -> Result<Findings> {
    let file = File::open(path)?;
    let copies = headers(&file)?;
    let mut problems = Vec::new();
    for (number, copy) in (1..).zip(&copies) {
        if let Err(error) = copy {
            problems.push(format!("copy {number} of the header: {error}"));
        }
    }
    let repairable = problems.len() == 1;
    let Ok(header) = newest(copies) else { return Ok(Findings { problems, labels: None, repairable }) };
    let have = file.metadata()?.len();
    if have < header.file() {
        problems.push(format!("the file has {have} bytes and its header says {}", header.file()));
    }
    let mut area = vec![0; header.labels as usize];
    file.read_exact_at(&mut area, LABELS).context("label area")?;
    let labels = labels::look(&area);
    if let Labels::Damaged(why) = &labels {
        problems.push(format!("label area: {why}"));
    }
    Ok(Findings { problems, labels: Some(labels), repairable })
}

fn check(path: &Path, json: bool, repair: bool) -> Result<u8> {
    let name = || path.display().to_string();
    if repair {
        Image::repair(path).with_context(name)?;
    } else if File::open(path).with_context(name)?.try_lock_shared().is_err() {
        bail!("{}: a machine has it now; check it when that has ended", path.display());
    }
    let Findings { problems, labels, repairable } = find(path).with_context(name)?;
    let labels = match labels {
        None => "unknown".to_owned(),
        Some(Labels::Empty) => "empty".to_owned(),
        Some(Labels::Damaged(_)) => "damaged".to_owned(),
        Some(Labels::Valid { version: (major, minor), slots, used }) => {
            format!("version {major}.{minor}, {used} of {slots} slots in use")
        }
    };
    if json {
        print(&format!(
            "{:#}\n",
            json!({ "file": name(), "ok": problems.is_empty(), "problems": problems, "labels": labels })
        ))?;
    } else {
        let verdict = if problems.is_empty() { "no problem found\n".to_owned() } else { String::new() };
        let list: String = problems.iter().map(|problem| format!("problem  {problem}\n")).collect();
        print(&format!("labels   {labels}\n{list}{verdict}"))?;
    }
    if repairable {
        eprintln!(
            "powervisor: `powervisor nvdimm check --repair {}` makes the header whole from its other copy",
            name()
        );
    }
    Ok(if problems.is_empty() { 0 } else { DAMAGED })
}
