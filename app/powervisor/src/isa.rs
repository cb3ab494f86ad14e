//! `powervisor isa`: the instruction table, what it covers by file, and what it leaves out, as text or as JSON.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anyhow::{Context, Result};
use ppc_isa::absent::{self, Absent};
use ppc_isa::cpu::{Models, Unit};
use ppc_isa::row::fact;
use ppc_isa::undefined::{self, Undefined};
use ppc_isa::{Cpu, Row, TABLES};
use serde_json::{Value, json};

use crate::cli::IsaFlags;

/// Prints what is asked for.
///
/// # Errors
/// When it can not be printed. A reader that went away is none.
pub fn isa(flags: &IsaFlags) -> Result<u8> {
    let listing = Listing::new(flags);
    let text = if flags.json { format!("{:#}\n", listing.as_json()) } else { listing.as_text() };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("standard output"),
        _ => Ok(0),
    }
}

/// What is to be printed.
struct Listing {
    cpus: Vec<Cpu>,
    /// File of the table, and its rows that some of `cpus` has.
    files: Vec<(&'static str, Vec<&'static Row>)>,
    absent: Vec<(&'static Absent, Vec<&'static str>)>,
}

impl Listing {
    fn new(flags: &IsaFlags) -> Listing {
        let cpus: Vec<Cpu> = Cpu::ALL.into_iter().filter(|cpu| flags.cpu.is_none_or(|only| only == *cpu)).collect();
        let named = |name: &str| flags.rows.as_ref().is_none_or(|rows| rows.is_match(name));
        let wanted = |row: &&Row| named(row.name) && cpus.iter().any(|&cpu| row.models.contains(cpu));
        let files = TABLES.iter().map(|(file, rows)| (*file, rows.iter().filter(wanted).collect()));
        let files = files.filter(|(_, rows): &(_, Vec<_>)| !rows.is_empty()).collect();
        let lacked = |entry: &&Absent| cpus.iter().any(|&cpu| entry.models.contains(cpu));
        let names = |entry: &'static Absent| entry.names.split_ascii_whitespace().filter(|name| named(name)).collect();
        let absent = absent::ABSENT.iter().filter(lacked).map(|entry| (entry, names(entry)));
        let absent = absent.filter(|(_, names): &(_, Vec<_>)| !names.is_empty()).collect();
        Listing { cpus, files, absent }
    }

    /// Names of the chosen CPUs that are among `models`.
    fn models(&self, models: Models) -> Vec<&'static str> {
        self.cpus.iter().filter(|&&cpu| models.contains(cpu)).map(|cpu| cpu.name()).collect()
    }

    fn as_text(&self) -> String {
        let mut text = String::new();
        for (file, rows) in &self.files {
            let _ = self.rows(&mut text, file, rows);
        }
        let _ = self.coverage(&mut text);
        for (entry, names) in self.choices() {
            let _ = write!(text, "\nUndefined: {}; here: {}", entry.what, entry.choice);
            let _ = writeln!(text, " ({})\n  {}", self.models(entry.models).join(", "), names.join(" "));
        }
        for (entry, names) in &self.absent {
            let _ = write!(text, "\nAbsent: {}", entry.reason);
            let _ = writeln!(text, " ({})\n  {}", self.models(entry.models).join(", "), names.join(" "));
        }
        text
    }

    /// Results that the Power ISA leaves undefined, and the rows listed that have them.
    fn choices(&self) -> impl Iterator<Item = (&'static Undefined, Vec<&'static str>)> {
        let rows = || self.files.iter().flat_map(|(_, rows)| rows.iter().copied());
        let names = move |entry: &'static Undefined| {
            let mine = |row: &&'static Row| self.undefined(row).any(|other| std::ptr::eq(other, entry));
            rows().filter(mine).map(|row| row.name).collect()
        };
        let choices = undefined::UNDEFINED.iter().map(move |entry| (entry, names(entry)));
        choices.filter(|(_, names): &(_, Vec<_>)| !names.is_empty())
    }

    fn rows(&self, text: &mut String, file: &str, rows: &[&Row]) -> std::fmt::Result {
        let wide = |column: fn(&Row) -> &str| rows.iter().map(|row| column(row).len()).max().unwrap_or(0);
        let (name, picture, asm) = (wide(|row| row.name), wide(|row| row.picture), wide(|row| row.asm));
        writeln!(text, "{file}")?;
        for row in rows {
            let models = if self.cpus.len() > 1 { self.models(row.models).join(" ") } else { String::new() };
            let marks = [unit(row.unit), privilege(row), &models];
            let marks = marks.iter().filter(|mark| !mark.is_empty()).copied().collect::<Vec<_>>().join(", ");
            let line = format!("  {:name$}  {:picture$}  {:asm$}  {marks}", row.name, row.picture, row.asm);
            writeln!(text, "{}", line.trim_end())?;
        }
        writeln!(text)
    }

    /// How many rows each file has for each model.
    fn coverage(&self, text: &mut String) -> std::fmt::Result {
        let mut line = |head: &str, cell: &dyn Fn(Cpu) -> String| {
            let cells: String = self.cpus.iter().map(|&cpu| format!("{:>12}", cell(cpu))).collect();
            writeln!(text, "{head:16}{cells}")
        };
        line("rows", &|cpu| cpu.name().to_owned())?;
        for (file, rows) in &self.files {
            line(file, &|cpu| count(rows, cpu).to_string())?;
        }
        line("in all", &|cpu| self.files.iter().map(|(_, rows)| count(rows, cpu)).sum::<usize>().to_string())
    }

    fn as_json(&self) -> Value {
        let rows = self.files.iter().flat_map(|(file, rows)| rows.iter().map(|row| self.row(file, row)));
        let coverage = self.files.iter().map(|(file, rows)| {
            let models = self.cpus.iter().map(|&cpu| (cpu.name().to_owned(), count(rows, cpu).into()));
            ((*file).to_owned(), Value::Object(models.collect()))
        });
        let absent = self.absent.iter().map(
            |(entry, names)| json!({ "names": names, "models": self.models(entry.models), "reason": entry.reason }),
        );
        json!({
            "rows": rows.collect::<Vec<_>>(),
            "coverage": Value::Object(coverage.collect()),
            "absent": absent.collect::<Vec<_>>(),
        })
    }

    /// What the Power ISA leaves undefined of `row` on the chosen CPUs.
    fn undefined(&self, row: &'static Row) -> impl Iterator<Item = &'static Undefined> {
        let chosen = |entry: &&Undefined| self.cpus.iter().any(|&cpu| entry.models.contains(cpu));
        undefined::of(row).filter(chosen)
    }

    fn row(&self, file: &str, row: &'static Row) -> Value {
        json!({
            "name": row.name,
            "picture": row.picture,
            "operands": row.asm,
            "unit": unit(row.unit),
            "privilege": privilege(row),
            "prefixed": row.prefixed(),
            "models": self.models(row.models),
            "file": file,
            "undefined": self.undefined(row).map(|entry| {
                json!({ "what": entry.what, "choice": entry.choice, "source": entry.source })
            }).collect::<Vec<_>>(),
        })
    }
}

fn count(rows: &[&Row], cpu: Cpu) -> usize {
    rows.iter().filter(|row| row.models.contains(cpu)).count()
}

/// Who may execute it; nothing if everybody may.
fn privilege(row: &Row) -> &'static str {
    match () {
        () if row.is(fact::HV) => "hypervisor",
        () if row.is(fact::PRIV) => "privileged",
        () if row.is(fact::BY_SPR) => "privileged by SPR",
        () => "",
    }
}

/// What must be switched on; nothing if it always is.
fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::None => "",
        Unit::Fp => "FP",
        Unit::Vmx => "VEC",
        Unit::Vsx => "VSX",
        Unit::FpOrVmx => "FP or VEC",
        Unit::VsxOrVmx => "VSX or VEC",
        Unit::Tar => "TAR",
        Unit::Scv => "SCV",
        Unit::Ebb => "EBB",
        Unit::Bhrb => "BHRB",
        Unit::Tm => "TM",
        Unit::Spe => "SPE",
    }
}

#[cfg(test)]
mod tests {
    use regex_lite::Regex;

    use super::*;

    fn listing(cpu: Option<Cpu>, rows: Option<&str>) -> Listing {
        Listing::new(&IsaFlags { cpu, rows: rows.map(|rows| Regex::new(rows).unwrap()), json: false })
    }

    #[test]
    fn both_forms_have_every_row() {
        let listing = listing(None, None);
        let (text, json) = (listing.as_text(), listing.as_json());
        let rows = json["rows"].as_array().unwrap();
        assert_eq!(rows.len(), ppc_isa::rows().count());
        for (row, value) in ppc_isa::rows().zip(rows) {
            assert_eq!(value["name"], row.name);
            assert!(text.contains(&format!("  {} ", row.name)), "{}", row.name);
        }
        let absent: usize = absent::ABSENT.iter().map(|entry| entry.names.split_ascii_whitespace().count()).sum();
        let told = json["absent"].as_array().unwrap().iter().map(|entry| entry["names"].as_array().unwrap().len());
        assert_eq!(told.sum::<usize>(), absent);
    }

    #[test]
    fn rows_say_what_they_need() {
        let json = listing(Some(Cpu::Power9), Some("^(hrfid|rfid|mtspr|xvadddp|efdadd|paddi)$")).as_json();
        let rows = json["rows"].as_array().unwrap();
        let find = |name: &str| rows.iter().find(|row| row["name"] == name);
        assert_eq!(find("hrfid").unwrap()["privilege"], "hypervisor");
        assert_eq!(find("rfid").unwrap()["privilege"], "privileged");
        assert_eq!(find("mtspr").unwrap()["privilege"], "privileged by SPR");
        let add = find("xvadddp").unwrap();
        assert_eq!((&add["unit"], &add["file"]), (&json!("VSX"), &json!("vsx/arithmetic")));
        assert_eq!(add["models"], json!(["power9"]));
        // Of e500v2 and of Power ISA 3.1.
        assert!(find("efdadd").is_none() && find("paddi").is_none());
        assert_eq!(json["coverage"]["vsx/arithmetic"]["power9"], 1);
    }

    #[test]
    fn what_is_absent_is_chosen_too() {
        let json = listing(Some(Cpu::Power10), Some("^tbegin")).as_json();
        assert_eq!(json["absent"][0]["names"], json!(["tbegin."]));
        assert!(json["rows"].as_array().unwrap().is_empty());
        assert!(listing(Some(Cpu::Ppc750), Some("^tbegin")).absent.is_empty());
    }
}
