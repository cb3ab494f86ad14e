//! `--nvdimm path=FILE,...`: the persistent memory of a run.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use nvdimm::{Access, Fault, Geometry, Header, Image, Nvdimm, Options, Uuid, health};

use crate::size;

/// Bytes of the label area unless said otherwise.
pub const LABEL: u64 = 128 << 10;

/// One `--nvdimm`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NvdimmFlag {
    /// As it was written.
    text: String,
    path: PathBuf,
    size: Option<u64>,
    label: Option<u64>,
    uuid: Option<Uuid>,
    health: u64,
    life: u64,
    read_only: bool,
    fault: Fault,
}

/// Reads the text behind `--nvdimm`: `key=value` with commas between.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<NvdimmFlag, String> {
    let mut flag = NvdimmFlag {
        text: text.to_owned(),
        path: PathBuf::new(),
        size: None,
        label: None,
        uuid: None,
        health: 0,
        life: 100,
        read_only: false,
        fault: Fault::default(),
    };
    for part in text.split(',') {
        let (key, value) =
            part.split_once('=').ok_or_else(|| format!("'{part}' is no key=value; write path=FILE,size=512M"))?;
        match key {
            "path" => flag.path = value.into(),
            "size" => flag.size = Some(size::parse(value)?),
            "label" => flag.label = Some(size::parse(value)?),
            "uuid" => flag.uuid = Some(value.parse()?),
            "health" => flag.health = health::parse(&value.replace('+', ","))?,
            "life" => {
                let percent = value.parse().ok().filter(|percent| *percent <= 100);
                flag.life = percent.ok_or_else(|| format!("life={value}: 0 to 100 percent"))?;
            }
            "readonly" => {
                flag.read_only = match value {
                    "on" => true,
                    "off" => false,
                    _ => return Err(format!("readonly={value}: on or off")),
                };
            }
            "fault" => fault(&mut flag.fault, value)?,
            _ => {
                return Err(format!(
                    "unknown key '{key}'; known are path, size, label, uuid, health, life, readonly, fault"
                ));
            }
        }
    }
    if flag.path.as_os_str().is_empty() { Err("path=FILE is missing".to_owned()) } else { Ok(flag) }
}

fn fault(fault: &mut Fault, value: &str) -> Result<(), String> {
    match value.split_once(':') {
        None if value == "lose-unflushed" => fault.loses = true,
        None if value == "sync" => fault.failing_sync = Some(1),
        Some(("sync", number)) => {
            let number = number.parse().ok().filter(|number| *number > 0);
            fault.failing_sync = Some(number.ok_or_else(|| format!("fault={value}: the number of a sync, from 1 on"))?);
        }
        _ => return Err(format!("fault={value}: known are lose-unflushed, sync, sync:N")),
    }
    Ok(())
}

impl NvdimmFlag {
    fn name(&self) -> String {
        format!("--nvdimm {}", self.path.display())
    }

    /// As it was written, but for the path, which means the same from elsewhere.
    pub fn text_from_anywhere(&self) -> String {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let parts = self.text.split(',').map(|part| match part.split_once('=') {
            Some(("path", _)) => format!("path={}", path.display()),
            _ => part.to_owned(),
        });
        parts.collect::<Vec<String>>().join(",")
    }

    /// The image file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The size for an image that is to be made.
    fn new_size(&self) -> Result<u64> {
        self.size.with_context(|| "there is no such file; give size=SIZE and it is made, or another path".to_owned())
    }

    /// Opens the image, and checks it against what the flag says.
    fn image(&self) -> Result<Image> {
        let access = if self.read_only { Access::Read } else { Access::Write };
        let image = Image::open(&self.path, access)?;
        let header = image.header();
        let asked = [("size", self.size, header.data()), ("label", self.label, header.labels)];
        for (key, asked, have) in asked {
            if asked.is_some_and(|asked| asked != have) {
                bail!("{key} is {have} bytes in this image; leave {key}= out, or give another file");
            }
        }
        if self.uuid.is_some_and(|uuid| uuid != header.uuid) {
            bail!("the image's UUID is {}; leave uuid= out, or give another file", header.uuid);
        }
        Ok(image)
    }

    fn device(&self, inline: bool) -> Result<Nvdimm> {
        if !exists(&self.path)? {
            if self.read_only {
                bail!("there is no such file, and readonly=on makes none");
            }
            let uuid = self.uuid.map_or_else(Uuid::random, Ok).context("/dev/urandom")?;
            Image::create(&self.path, uuid, self.new_size()?, self.label.unwrap_or(LABEL))?;
        }
        let options = Options { health: self.health, life: self.life, fault: self.fault, inline };
        Nvdimm::new(self.image()?, &options).context("a thread for it")
    }

    fn geometry(&self) -> Result<Geometry> {
        if exists(&self.path)? {
            return Ok(NvdimmFlag { read_only: true, ..self.clone() }.image()?.geometry());
        }
        let uuid = self.uuid.map_or_else(Uuid::random, Ok).context("/dev/urandom")?;
        let header = Header::new(uuid, self.new_size()?, self.label.unwrap_or(LABEL)).map_err(anyhow::Error::msg)?;
        let Header { uuid, block_size, blocks, labels, dirty_shutdowns, .. } = header;
        Ok(Geometry { uuid, block_size, blocks, labels, dirty_shutdowns })
    }
}

fn exists(path: &Path) -> io::Result<bool> {
    path.try_exists()
}

/// Opens persistent memory; an image that does not exist is made. With `inline` its flushes end at once.
pub fn open(flag: &NvdimmFlag, inline: bool) -> Result<Arc<Nvdimm>> {
    Ok(Arc::new(flag.device(inline).with_context(|| flag.name())?))
}

/// What a run would find, with nothing made or changed.
pub fn geometries(flags: &[NvdimmFlag]) -> Result<Vec<Geometry>> {
    flags.iter().map(|flag| flag.geometry().with_context(|| flag.name())).collect()
}

/// The machine has ended in order, or given the device back: its image is put away.
pub fn put_away(flag: &NvdimmFlag, device: &Nvdimm) -> Result<()> {
    device.detach().with_context(|| flag.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values() {
        let flag = parse("path=/tmp/a b,size=512M,label=256K,health=critical+unarmed,life=7,fault=sync:3").unwrap();
        assert_eq!((flag.path.to_str(), flag.size, flag.label), (Some("/tmp/a b"), Some(512 << 20), Some(256 << 10)));
        assert_eq!((health::names(flag.health), flag.life), (vec!["unarmed", "critical"], 7));
        assert_eq!(flag.fault, Fault { loses: false, failing_sync: Some(3) });
        for wrong in [
            "",
            "size=1G",
            "path",
            "path=x,life=101",
            "path=x,sise=1G",
            "path=x,health=ill",
            "path=x,uuid=1",
            "path=x,readonly=yes",
            "path=x,fault=sync:0",
            "path=x,fault=fire",
            "path=x,size=many",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
