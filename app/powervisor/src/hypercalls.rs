//! `powervisor hypercalls`: the hypercalls that KVM knows, or PAPR's, as a table or as JSON.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anyhow::{Context, Result, bail};
use pv_abi::calls::{CALLS, DIAGNOSES, Diagnose, Hypercall};
use pv_abi::convention::{Arch, Convention, Register};
use serde_json::{Value, json};

use crate::cli::HypercallsFlags;

mod papr;

/// Prints what is asked for.
///
/// # Errors
/// When it can not be printed. A reader that went away is none.
pub fn hypercalls(flags: &HypercallsFlags) -> Result<u8> {
    if flags.papr && flags.arch.is_some() {
        bail!("--papr with --arch: PAPR is an interface of POWER partitions; --arch chooses among KVM's calls");
    }
    let archs: Vec<Arch> = Arch::ALL.into_iter().filter(|arch| flags.arch.is_none_or(|only| only == *arch)).collect();
    let text = match (flags.papr, flags.json) {
        (false, false) => as_text(&archs),
        (false, true) => format!("{:#}\n", as_json(&archs)),
        (true, false) => papr::as_text(),
        (true, true) => format!("{:#}\n", papr::as_json()),
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("standard output"),
        _ => Ok(0),
    }
}

fn calls(arch: Arch) -> impl Iterator<Item = &'static Hypercall> {
    CALLS.iter().filter(move |call| call.arch == arch)
}

fn diagnoses(archs: &[Arch]) -> &'static [Diagnose] {
    if archs.contains(&Arch::S390) { DIAGNOSES } else { &[] }
}

/// Where a call's results are: in the status register, or beside it.
fn results(convention: &Convention) -> &[Register] {
    if convention.outputs.is_empty() { std::slice::from_ref(&convention.status) } else { convention.outputs }
}

fn as_text(archs: &[Arch]) -> String {
    let mut text = String::new();
    for &arch in archs {
        let _ = section(&mut text, arch);
    }
    if !diagnoses(archs).is_empty() {
        text += "s390 functions of diag\n";
    }
    for diagnose in diagnoses(archs) {
        let Diagnose { code, purpose, registers, answered_by } = diagnose;
        let _ = writeln!(text, "  {:<10}{purpose} ({answered_by})", format!("{code:#x}"));
        if !registers.is_empty() {
            let _ = writeln!(text, "{:<12}{registers}", "");
        }
    }
    text
}

fn section(text: &mut String, arch: Arch) -> std::fmt::Result {
    let convention = arch.convention();
    let names = |registers: &[Register]| registers.iter().map(|r| r.name).collect::<Vec<_>>().join(" ");
    let Convention { instruction, number, status, .. } = convention;
    let (number, status, arguments) = (number.name, status.name, names(convention.arguments));
    writeln!(text, "{}: {instruction}", arch.name())?;
    writeln!(text, "  number in {number}, arguments in {arguments}; status in {status}")?;
    for call in calls(arch) {
        let since = match (call.since, call.until) {
            (Some(since), Some(until)) => format!(", Linux {since} to {until}"),
            (Some(since), None) => format!(", Linux {since}"),
            _ => String::new(),
        };
        let code = call.code();
        let code = if code > 0xffff { format!("{code:#x}") } else { code.to_string() };
        writeln!(text, "  {code:<10}{} ({}{since}): {}", call.name, call.status.name(), call.purpose)?;
        let says = |registers: &[Register], meanings: &[&str]| {
            let pair = |(register, meaning): (&Register, &&str)| format!("{} = {meaning}", register.name);
            registers.iter().zip(meanings).map(pair).collect::<Vec<_>>()
        };
        let (arguments, returns) =
            (says(convention.arguments, call.arguments), says(results(convention), call.returns));
        let errors = call.errors.iter().map(|error| format!("{}: {}", error.code, error.when));
        let offered = vec![call.offered.to_owned()];
        let unverified = call.unverified.iter().map(ToString::to_string).collect();
        let lists = [
            ("takes", arguments),
            ("returns", returns),
            ("errors", errors.collect()),
            ("offered", offered),
            ("unsure", unverified),
        ];
        for (what, list) in lists {
            for (what, line) in std::iter::once(what).chain(std::iter::repeat("")).zip(list) {
                writeln!(text, "{:<12}{what:<9}{line}", "")?;
            }
        }
    }
    writeln!(text)
}

fn as_json(archs: &[Arch]) -> Value {
    let conventions: Vec<Value> = archs.iter().map(|arch| convention(arch.convention())).collect();
    let calls: Vec<Value> = archs.iter().flat_map(|&arch| calls(arch)).map(hypercall).collect();
    let diagnose = |diagnose: &Diagnose| {
        let Diagnose { code, purpose, registers, answered_by } = diagnose;
        json!({ "code": code, "purpose": purpose, "registers": registers, "answered_by": answered_by })
    };
    let diagnoses: Vec<Value> = diagnoses(archs).iter().map(diagnose).collect();
    json!({ "conventions": conventions, "hypercalls": calls, "diagnoses": diagnoses })
}

fn convention(convention: &Convention) -> Value {
    let names = |registers: &[Register]| registers.iter().map(|register| register.name).collect::<Vec<_>>();
    json!({
        "arch": convention.arch.name(),
        "instruction": convention.instruction,
        "number": convention.number.name,
        "arguments": names(convention.arguments),
        "status": convention.status.name,
        "outputs": names(convention.outputs),
    })
}

fn hypercall(call: &Hypercall) -> Value {
    let convention = call.arch.convention();
    let meanings = |registers: &[Register], meanings: &[&str]| {
        let pair = |(register, meaning): (&Register, &&str)| json!({ "register": register.name, "meaning": meaning });
        registers.iter().zip(meanings).map(pair).collect::<Vec<_>>()
    };
    let errors: Vec<Value> =
        call.errors.iter().map(|error| json!({ "code": error.code, "when": error.when })).collect();
    json!({
        "arch": call.arch.name(),
        "name": call.name,
        "number": call.number,
        "code": call.code(),
        "status": call.status.name(),
        "purpose": call.purpose,
        "arguments": meanings(convention.arguments, call.arguments),
        "returns": meanings(results(convention), call.returns),
        "errors": errors,
        "not_implemented": call.not_implemented(),
        "offered": call.offered,
        "since": call.since,
        "until": call.until,
        "unverified": call.unverified,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_have_every_call() {
        let (text, json) = (as_text(&Arch::ALL), as_json(&Arch::ALL));
        let calls = json["hypercalls"].as_array().unwrap();
        assert_eq!(calls.len(), CALLS.len());
        for call in CALLS {
            assert!(text.contains(call.name), "{}", call.name);
            assert!(calls.iter().any(|value| value["name"] == call.name && value["code"] == call.code()));
        }
        assert_eq!(json["diagnoses"].as_array().unwrap().len(), DIAGNOSES.len());
    }

    #[test]
    fn one_architecture_alone() {
        let json = as_json(&[Arch::X86]);
        let calls = json["hypercalls"].as_array().unwrap();
        assert!(!calls.is_empty() && calls.iter().all(|call| call["arch"] == "x86"));
        assert!(json["diagnoses"].as_array().unwrap().is_empty());
        let kick = calls.iter().find(|call| call["number"] == 5).unwrap();
        assert_eq!(kick["arguments"][1], json!({ "register": "rcx", "meaning": "APIC ID" }));
        assert_eq!(kick["not_implemented"], -1000);
        assert!(!as_text(&[Arch::X86]).contains("diag"));
    }
}
