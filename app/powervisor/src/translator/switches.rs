//! Switches for those who work on the translator: variables of the environment that begin with `POWERVISOR_JIT_`.
//!
//! They change no result of a guest. `docs/translator.md` says how they are used.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};

/// What all of them begin with.
const PREFIX: &str = "POWERVISOR_JIT_";

/// The switches of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// How often a place is interpreted before it is translated.
    pub cold: Option<u8>,
    /// Whether code may use AVX-512.
    pub avx512: Option<bool>,
    /// Instructions that are left to the interpreter, by their rows' names.
    pub untranslated: Vec<String>,
    /// Where guest and host code of each region is written.
    pub dump: Option<PathBuf>,
    /// The functions whose regions are written there; `*` stands for anything.
    pub dump_only: Option<String>,
    /// Whether `perf` is told which code is whose.
    pub perf_map: bool,
}

/// A switch: its name behind [`PREFIX`], and how its value is taken.
struct Switch {
    name: &'static str,
    take: fn(&mut Switches, &OsStr) -> Result<()>,
}

const KNOWN: [Switch; 6] = [
    Switch {
        name: "AVX512",
        take: |switches, value| {
            switches.avx512 = Some(bit(value)?);
            Ok(())
        },
    },
    Switch {
        name: "COLD",
        take: |switches, value| {
            switches.cold = Some(text(value)?.parse().map_err(|_| anyhow!("0 to 255"))?);
            Ok(())
        },
    },
    Switch {
        name: "DECLINE",
        take: |switches, value| {
            let names = text(value)?.split(',').map(str::trim).filter(|name| !name.is_empty());
            for name in names {
                ppc_isa::row(name).with_context(|| format!("names of `powervisor isa`, of which {name:?} is none"))?;
                switches.untranslated.push(name.to_owned());
            }
            Ok(())
        },
    },
    Switch {
        name: "DUMP",
        take: |switches, value| {
            if value.is_empty() {
                bail!("the name of a file");
            }
            switches.dump = Some(value.into());
            Ok(())
        },
    },
    Switch {
        name: "DUMP_ONLY",
        take: |switches, value| {
            switches.dump_only = Some(text(value)?.to_owned());
            Ok(())
        },
    },
    Switch {
        name: "PERF_MAP",
        take: |switches, value| {
            switches.perf_map = bit(value)?;
            Ok(())
        },
    },
];

fn bit(value: &OsStr) -> Result<bool> {
    match text(value)? {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => bail!("0 or 1"),
    }
}

fn text(value: &OsStr) -> Result<&str> {
    value.to_str().context("text")
}

impl Switches {
    /// Those among `variables` of the environment.
    ///
    /// # Errors
    /// Names that no switch has, and values that say nothing.
    pub fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Switches> {
        let mut switches = Switches::default();
        for (variable, value) in variables {
            let Some(name) = variable.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
            let Some(switch) = KNOWN.iter().find(|switch| switch.name == name) else {
                let known: Vec<_> = KNOWN.iter().map(|switch| format!("{PREFIX}{}", switch.name)).collect();
                bail!("{PREFIX}{name} is no switch of ours; there are {}", known.join(", "));
            };
            let given = value.to_string_lossy();
            (switch.take)(&mut switches, &value)
                .map_err(|wanted| anyhow!("{PREFIX}{name}={given}: its value must be {wanted}"))?;
        }
        Ok(switches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Switches> {
        Switches::of(variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn values() {
        let switches = of(&[
            ("POWERVISOR_GUESTS", "elsewhere"),
            ("POWERVISOR_JIT_AVX512", "0"),
            ("POWERVISOR_JIT_COLD", "0"),
            ("POWERVISOR_JIT_DECLINE", "lwz, add"),
            ("POWERVISOR_JIT_DUMP", "file"),
            ("POWERVISOR_JIT_DUMP_ONLY", "mem*"),
            ("POWERVISOR_JIT_PERF_MAP", "1"),
        ]);
        let untranslated = vec!["lwz".to_owned(), "add".to_owned()];
        let (dump, dump_only) = (Some("file".into()), Some("mem*".to_owned()));
        let wanted = Switches { avx512: Some(false), cold: Some(0), untranslated, dump, dump_only, perf_map: true };
        assert_eq!(switches.unwrap(), wanted);
        assert_eq!(of(&[]).unwrap(), Switches::default());
    }

    #[test]
    fn what_says_nothing() {
        for (name, value, word) in [
            ("COLD", "256", "0 to 255"),
            ("COLD", "", "0 to 255"),
            ("DECLINE", "lwz,load", "\"load\""),
            ("DUMP", "", "a file"),
            ("PERF_MAP", "yes", "0 or 1"),
            ("HOT", "1", "POWERVISOR_JIT_COLD"),
        ] {
            let name = format!("{PREFIX}{name}");
            let error = of(&[(&name, value)]).unwrap_err().to_string();
            assert!(error.contains(&name) && error.contains(word), "{error}");
        }
    }

    #[test]
    fn the_documentation_has_each() {
        let text = include_str!("../../../../docs/translator.md");
        for switch in &KNOWN {
            assert!(text.contains(&format!("`{PREFIX}{}", switch.name)), "{} is missing", switch.name);
        }
    }
}
