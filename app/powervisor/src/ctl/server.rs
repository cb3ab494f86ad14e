//! The socket of a running machine, and what is done for who asks there.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use clap::Parser;
use machine::HotPlug;
use nvdimm::{Nvdimm, health};
use serde_json::{Value, json};

use crate::cli::{CtlCommand, CtlCpus, CtlDevice, CtlMemory, CtlNvdimm};
use crate::current::Current;
use crate::nvdimm::flag::{self, NvdimmFlag};

/// The longest request.
const LONGEST: u64 = 1 << 16;
/// Who says nothing for so long is not listened to any more.
const SILENCE: Duration = Duration::from_secs(10);

/// A persistent-memory device of the run.
#[derive(Clone)]
struct Named {
    flag: NvdimmFlag,
    device: Arc<Nvdimm>,
    /// Where it is, if it was added while the machine ran.
    added: Option<u32>,
}

/// The persistent memory of a run, across resets.
#[derive(Clone, Default)]
pub struct Devices {
    named: Arc<Mutex<Vec<Named>>>,
    /// Held while a request is carried out.
    busy: Arc<Mutex<()>>,
}

/// No request is carried out while this lives.
pub struct Pause<'a>(#[expect(dead_code, reason = "held")] MutexGuard<'a, ()>);

impl Devices {
    /// Opens what the flags name.
    pub fn open(flags: &[NvdimmFlag], inline: bool) -> Result<Devices> {
        let named = |flag: &NvdimmFlag| {
            let device = flag::open(flag, inline)?;
            Ok(Named { flag: flag.clone(), device, added: None })
        };
        let named = flags.iter().map(named).collect::<Result<_>>()?;
        Ok(Devices { named: Arc::new(Mutex::new(named)), busy: Arc::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Named>> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All devices, for a machine that starts with them; the connectors of those that were added join `added`.
    pub fn all(&self, added: &mut Vec<u32>) -> Vec<Arc<Nvdimm>> {
        let mut named = self.lock();
        for (slot, named) in (0..).zip(named.iter_mut()).filter(|(_, named)| named.added.is_some()) {
            named.added = Some(slot);
            added.push(HotPlug::nvdimm_connector(slot));
        }
        named.iter().map(|named| Arc::clone(&named.device)).collect()
    }

    /// Waits until the request that is being carried out is done.
    pub fn pause(&self) -> Pause<'_> {
        Pause(self.busy.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The machine has ended in order: the images are put away.
    pub fn put_away(&self) -> Result<()> {
        let named = self.lock();
        named.iter().map(|named| flag::put_away(&named.flag, &named.device)).fold(Ok(()), Result::and)
    }
}

/// The socket of a run; it goes with it.
pub struct Server {
    path: PathBuf,
}

impl Server {
    /// Listens at `path` for the machine that runs.
    pub fn start(path: &Path, current: Current, devices: Devices) -> Result<Server> {
        let name = || format!("--ctl {}", path.display());
        if UnixStream::connect(path).is_ok() {
            bail!("{}: another machine listens there; give another path", name());
        }
        // What a machine left that was killed.
        if fs::symlink_metadata(path).is_ok_and(|found| std::os::unix::fs::FileTypeExt::is_socket(&found.file_type())) {
            fs::remove_file(path).with_context(name)?;
        }
        let listener = UnixListener::bind(path).with_context(name)?;
        let listen = move || {
            for stream in listener.incoming().flatten() {
                // Who asked and went away needs no answer.
                let _ = serve(stream, &current, &devices);
            }
        };
        thread::Builder::new().name("ctl".to_owned()).spawn(listen).with_context(name)?;
        Ok(Server { path: path.to_owned() })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Words as they come over the socket.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Request {
    #[command(subcommand)]
    command: CtlCommand,
}

fn serve(stream: UnixStream, current: &Current, devices: &Devices) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?.take(LONGEST));
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let answer = match request(&line).and_then(|command| carry_out(&command, current, devices)) {
            Ok(result) => json!({ "ok": result }),
            Err(error) => json!({ "error": format!("{error:#}") }),
        };
        (&stream).write_all(format!("{answer}\n").as_bytes())?;
        line.clear();
    }
    Ok(())
}

fn request(line: &str) -> Result<CtlCommand> {
    let words: Vec<String> = serde_json::from_str(line).context("a request is a JSON list of words")?;
    let request = Request::try_parse_from(words).map_err(|error| anyhow!("{}", error.to_string().trim_end()))?;
    Ok(request.command)
}

fn carry_out(command: &CtlCommand, current: &Current, devices: &Devices) -> Result<Value> {
    let _pause = devices.pause();
    let controls = current.controls().context("no machine runs now")?;
    let hot_plug = || controls.hot_plug().context("this machine has nothing that can be added or removed");
    match command {
        CtlCommand::Status => status(hot_plug().ok().as_deref(), devices),
        CtlCommand::Memory(CtlMemory::Add { size }) => Ok(hot_plug()?.add_memory(*size).map(|()| Value::Null)?),
        CtlCommand::Memory(CtlMemory::Remove { size }) => Ok(hot_plug()?.remove_memory(*size).map(|()| Value::Null)?),
        CtlCommand::Cpus(CtlCpus::Add { count }) => Ok(hot_plug()?.add_processors(*count).map(|()| Value::Null)?),
        CtlCommand::Cpus(CtlCpus::Remove { count }) => {
            Ok(hot_plug()?.remove_processors(*count).map(|()| Value::Null)?)
        }
        CtlCommand::Device(CtlDevice::Add { device }) => Ok(json!({ "slot": hot_plug()?.add_device(*device)? })),
        CtlCommand::Device(CtlDevice::Remove { slot }) => Ok(hot_plug()?.remove_device(*slot).map(|()| Value::Null)?),
        CtlCommand::Nvdimm(command) => nvdimm(command, hot_plug, devices),
    }
}

fn status(hot_plug: Option<&HotPlug>, devices: &Devices) -> Result<Value> {
    let list = hot_plug.map(HotPlug::list).unwrap_or_default();
    let connectors: Vec<Value> = list
        .iter()
        .filter(|listed| listed.present)
        .map(|listed| {
            let state = format!("{:?}", listed.state).to_lowercase();
            json!({ "index": format!("{:#x}", listed.index), "name": listed.name, "state": state })
        })
        .collect();
    let nvdimms: Vec<Value> = devices
        .lock()
        .iter()
        .enumerate()
        .map(|(number, named)| {
            let geometry = named.device.geometry();
            json!({
                "number": number,
                "file": named.flag.path().display().to_string(),
                "uuid": geometry.uuid.to_string(),
                "size": geometry.block_size * geometry.blocks,
                "health": health::names(named.device.health()),
                "added": named.added.is_some(),
            })
        })
        .collect();
    Ok(json!({ "connectors": connectors, "nvdimms": nvdimms }))
}

fn nvdimm(command: &CtlNvdimm, hot_plug: impl FnOnce() -> Result<Arc<HotPlug>>, devices: &Devices) -> Result<Value> {
    let of = |number: usize| {
        let named = devices.lock().get(number).cloned();
        named.with_context(|| format!("there is no NVDIMM {number}; `ctl status` lists them"))
    };
    match command {
        CtlNvdimm::Add { flag } => {
            let hot_plug = hot_plug()?;
            let device = flag::open(flag, false)?;
            let slot = hot_plug.add_nvdimm(&device)?;
            let mut named = devices.lock();
            named.push(Named { flag: flag.clone(), device, added: Some(slot) });
            return Ok(json!({ "number": named.len() - 1 }));
        }
        CtlNvdimm::Remove { number } => {
            let named = of(*number)?;
            let slot = named.added.context("the machine started with it; only what was added can be removed")?;
            hot_plug()?.remove_nvdimm(slot)?;
            devices.lock().remove(*number);
            flag::put_away(&named.flag, &named.device)?;
        }
        CtlNvdimm::Health { number, states } => of(*number)?.device.set_health(*states),
        CtlNvdimm::Life { number, percent } => of(*number)?.device.set_life(*percent),
        CtlNvdimm::FailSync { number } => of(*number)?.device.fail_next_sync(),
    }
    Ok(Value::Null)
}
