//! `powervisor hot` and the developer's switches, on kernels of a few instructions.

#[expect(dead_code, reason = "other tests run other kernels")]
mod kernel;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use kernel::{Kernel, service};
use papr_abi::rtas;
use serde_json::Value;

/// Times that the loop of [`looping`] is executed.
const TIMES: u64 = 40_000;

/// A loop of three instructions, one of which the translator declines, and a power-off.
fn looping() -> Kernel {
    let power_off = service(rtas::POWER_OFF, &[u32::MAX, u32::MAX]);
    // `service` expects its buffer behind six instructions from the entry: four more stand in front.
    let front = [
        0x3860_0000 | TIMES as u32 >> 1, // li r3, TIMES / 2
        0x7c63_1a14,                     // add r3, r3, r3
        0x7c69_03a6,                     // mtctr r3
        0x38a5_0001,                     // loop: addi r5, r5, 1
        0x7cc0_00a8 | 1 << 11,           // ldarx r6, 0, r0
        0x4200_fff8,                     // bdnz loop
    ];
    let mut code = [&front[..], &power_off].concat();
    let ori = code.iter_mut().find(|word| **word >> 16 == 0x6084).unwrap();
    *ori += 4 * front.len() as u32;
    Kernel::new(&code)
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// `powervisor COMMAND` on [`looping`] with these arguments and variables.
fn powervisor(name: &str, command: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let path = file(name);
    fs::write(&path, looping().elf()).unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_powervisor"));
    process.args([command, "--kernel", path.to_str().unwrap(), "--memory", "32M", "--quiet"]).args(arguments);
    process.envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap()
}

/// The same on the translator; `None`, and counted as skipped, where the host's CPU is not made for it.
fn translated(name: &str, command: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Option<Output> {
    let output = powervisor(name, command, &[&["--engine", "jit"], arguments].concat(), variables);
    let told = String::from_utf8_lossy(&output.stderr);
    if told.contains("the translator needs a CPU with") {
        assert!(told.contains("--engine interp"), "{told}");
        eprintln!("SKIP {name}: {told}");
        return None;
    }
    assert!(output.status.success(), "{told}");
    Some(output)
}

fn hot(name: &str, variables: &[(&str, &str)]) -> Option<Value> {
    let output = translated(name, "hot", &["--json"], variables)?;
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn times(report: &Value, name: &str, what: &str) -> Option<u64> {
    let calls = report["calls"].as_array().unwrap();
    calls.iter().find(|call| call["name"] == name && call["what"] == what)?["times"].as_u64()
}

#[test]
fn every_instruction_is_counted() {
    let Some(report) = hot("every-instruction", &[]) else { return };
    let number = |name: &str| report[name].as_u64().unwrap();
    // Three before the loop, and four up to the system call, which is the hypervisor's.
    assert_eq!(number("instructions"), 3 * TIMES + 7, "{report:#}");
    assert_eq!(number("translated") + number("interpreted"), number("instructions"));
    assert!(number("interpreted") < 30, "{report:#}");
    let functions = report["functions"].as_array().unwrap();
    let sum: u64 = functions.iter().map(|function| function["instructions"].as_u64().unwrap()).sum();
    assert_eq!(sum, number("instructions"));
    assert_eq!(functions[0]["name"], "kernel 0x100000");
}

#[test]
fn declined_instructions_are_counted() {
    let declined = [("POWERVISOR_JIT_DECLINE", "ldarx"), ("POWERVISOR_JIT_COLD", "0")];
    let Some(report) = hot("declined", &declined) else { return };
    // The interpreter goes on to the next event point, which is the branch behind it.
    assert_eq!(times(&report, "ldarx", "interpreted"), Some(TIMES), "{report:#}");
    let Some(report) = hot("cold", &[("POWERVISOR_JIT_COLD", "0")]) else { return };
    assert_eq!(times(&report, "ldarx", "interpreted"), None, "{report:#}");
    assert_eq!(times(&report, "addi", "cold"), None, "{report:#}");
}

#[test]
fn the_report_has_its_tables() {
    let Some(output) = translated("tables", "hot", &["--top", "1"], &[]) else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    for words in ["0.1 million instructions: 99.9", "functions ", "kernel 0x100000", "instructions ", "most in"] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
}

#[test]
fn hot_is_of_the_translator() {
    let output = powervisor("hot-interp", "hot", &["--engine", "interp"], &[]);
    assert_eq!(output.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--engine interp"));
}

#[test]
fn the_dump_has_all_three() {
    let path = file("dump.txt");
    let to = ("POWERVISOR_JIT_DUMP", path.to_str().unwrap());
    if translated("dump", "run", &[], &[to]).is_none() {
        return;
    }
    let text = fs::read_to_string(&path).unwrap();
    let region = text.split("\n\n").find(|region| region.starts_with("loop ")).unwrap();
    assert!(
        region.starts_with("loop 0000000000100084 kernel 0x100084, real page 100000: 3 instructions, "),
        "{region}"
    );
    for words in ["0000000000100084 addi r5,r5,1", "AddImmediate", "live: ", "bdnz 0x100084", "(%rbp)", "\nbehind "] {
        assert!(region.contains(words), "no {words:?} in\n{region}");
    }
    let only = [to, ("POWERVISOR_JIT_DUMP_ONLY", "nothing*")];
    translated("dump-only", "run", &[], &only);
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
}

#[test]
fn perf_is_told_of_code() {
    let path = file("perf");
    fs::write(&path, looping().elf()).unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_powervisor"));
    process.args(["run", "--engine", "jit", "--memory", "32M", "--quiet", "--kernel", path.to_str().unwrap()]);
    let mut child = process.env("POWERVISOR_JIT_PERF_MAP", "1").stderr(Stdio::piped()).spawn().unwrap();
    let map = PathBuf::from(format!("/tmp/perf-{}.map", child.id()));
    let good = child.wait().unwrap().success();
    let Ok(text) = fs::read_to_string(&map) else {
        assert!(!good);
        eprintln!("SKIP perf_is_told_of_code: the translator does not run here");
        return;
    };
    fs::remove_file(&map).unwrap();
    let number = |word: Option<&str>| u64::from_str_radix(word.unwrap(), 16).unwrap();
    let mut end = 0;
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        let (at, len) = (number(words.next()), number(words.next()));
        assert!(at >= end && len > 0 && words.next().is_some(), "{text}");
        end = at + len;
    }
    assert!(text.contains(" [entry and calls]\n") && text.contains(" kernel 0x100084\n"), "{text}");
}

#[test]
fn switches_that_say_nothing() {
    for (name, value, words) in [
        ("POWERVISOR_JIT_COLD", "many", "POWERVISOR_JIT_COLD=many: its value must be 0 to 255"),
        ("POWERVISOR_JIT_WARM", "1", "POWERVISOR_JIT_WARM is no switch"),
        ("POWERVISOR_JIT_DUMP", "/no/such/folder/dump", "POWERVISOR_JIT_DUMP=/no/such/folder/dump"),
    ] {
        let output = powervisor("switches", "run", &["--engine", "jit"], &[(name, value)]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(125), "{told}");
        assert!(told.contains(words), "{told}");
    }
}
