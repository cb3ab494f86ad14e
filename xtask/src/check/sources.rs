//! Rules on single lines of Rust: where `unsafe`, conditions on the host, and globals may stand; how long a file is.

use std::path::Path;

use anyhow::Result;

use crate::report::Finding;
use crate::source::{code, words};
use crate::workspace::Workspace;

/// The host's files that may have `unsafe`, with the reason.
const ISLANDS: &[(&str, &str)] = &[
    ("cpu/exec-jit/src/host.rs", "translated code is mapped, entered, and calls back"),
    ("cpu/guest-mem/src/lib.rs", "RAM that vCPU threads share, by value only"),
    ("cpu/guest-mem/src/granule.rs", "the word of an address that was checked"),
    ("cpu/guest-mem/src/room.rs", "memory and files come to places in the reserved address space"),
    ("cpu/guest-mem/src/words.rs", "words beside memory that take host memory only where they are used"),
];
/// Where the host's processor and system may be asked for.
const HOST_PLACES: &[&str] = &["cpu/exec-jit/src/host.rs"];
/// Words that ask for them.
#[rustfmt::skip]
const HOST_WORDS: &[&str] = &[
    "target_arch", "target_endian", "target_env", "target_family", "target_feature", "target_os", "target_pointer_width",
    "is_x86_feature_detected", "cfg(unix)", "cfg(windows)",
];
/// Floors on which two machines live side by side, so that nothing may be shared by accident.
const NO_GLOBALS: &[&str] = &["abi", "cpu", "hv", "dev", "vm", "app"];
/// Types that make a `static` changeable.
const CHANGEABLE: &[&str] = &["Mutex", "RwLock", "Once", "Lazy", "Atomic", "Cell"];
/// Lines of a file that need no reason.
const LONG: usize = 800;
/// How a longer file begins to tell its reason, in its module documentation.
const LONG_REASON: &str = "//! Long because ";

/// `unsafe` stands on the islands only; in guests, where it is everywhere, each block says why it is sound.
pub fn unsafe_islands(workspace: &Workspace) -> Result<Finding> {
    let mut finding = Finding::default();
    for file in workspace.host_sources() {
        let code = code(&workspace.text(file)?);
        let uses: Vec<_> = numbered(&code).filter(|(_, line)| words(line, "unsafe").next().is_some()).collect();
        let island = ISLANDS.iter().find(|(island, _)| Path::new(island) == file);
        match island {
            None => finding.problems.extend(uses.iter().map(|(n, _)| format!("{}:{n}: unsafe", file.display()))),
            Some((_, reason)) if uses.is_empty() => {
                finding.problems.push(format!("{}: no unsafe left for: {reason}", file.display()));
            }
            Some((_, reason)) => finding.notes.push(format!("{}: {} uses: {reason}", file.display(), uses.len())),
        }
    }
    for file in workspace.guest_sources() {
        let text = workspace.text(file)?;
        finding.problems.extend(unexplained(&text).into_iter().map(|n| format!("{}:{n}: no SAFETY", file.display())));
    }
    Ok(finding)
}

/// Lines with an `unsafe` block, impl or function that no comment above explains. Attributes, the line that the
/// statement begins on and other lines of the comment may stand between.
fn unexplained(text: &str) -> Vec<usize> {
    let lines: Vec<_> = text.lines().collect();
    let explained = |n: usize| {
        let before = |line: &str| {
            let line = line.trim();
            !line.is_empty() && !line.ends_with([';', '}']) || line.starts_with("//")
        };
        let above = lines.iter().take(n).rev().take_while(|line| before(line));
        above.clone().any(|line| line.contains("SAFETY:") || line.contains("# Safety"))
    };
    let claims = |line: &str| {
        words(line, "unsafe").any(|at| {
            let next = line[at + "unsafe".len()..].trim_start();
            ["{", "impl", "fn"].iter().any(|start| next.starts_with(start))
        })
    };
    numbered(&code(text)).filter(|(n, line)| claims(line) && !explained(n - 1)).map(|(n, _)| n).collect()
}

/// What the host is asks nobody outside the named places.
pub fn host_conditions(workspace: &Workspace) -> Result<Finding> {
    let mut finding = Finding::default();
    let outside = |file: &&Path| !HOST_PLACES.iter().any(|place| file.starts_with(place));
    for file in workspace.host_sources().filter(outside) {
        let code = code(&workspace.text(file)?);
        for (n, line) in numbered(&code) {
            let found = HOST_WORDS.iter().filter(|word| words(line, word).next().is_some());
            finding.problems.extend(found.map(|word| format!("{}:{n}: {word}", file.display())));
        }
    }
    Ok(finding)
}

/// Nothing changeable belongs to the whole process or to a thread.
pub fn globals(workspace: &Workspace) -> Result<Finding> {
    let mut finding = Finding::default();
    let inside = |file: &&Path| NO_GLOBALS.iter().any(|folder| file.starts_with(folder));
    for file in workspace.sources().filter(inside) {
        let code = code(&workspace.text(file)?);
        let found = numbered(&code).filter(|(_, line)| is_global(line));
        finding.problems.extend(found.map(|(n, line)| format!("{}:{n}: {}", file.display(), line.trim())));
    }
    Ok(finding)
}

fn is_global(line: &str) -> bool {
    let item = |at: usize| line[at + "static".len()..].starts_with(' ') && !line[..at].ends_with('\'');
    let declared =
        words(line, "static").find(|&at| item(at)).map(|at| line[at..].split('=').next().unwrap_or_default());
    let changeable = |item: &str| item.starts_with("static mut ") || CHANGEABLE.iter().any(|word| item.contains(word));
    line.contains("thread_local!") || declared.is_some_and(changeable)
}

/// Files that have grown long without saying why. A remark, no failure.
pub fn length(workspace: &Workspace) -> Result<Finding> {
    let mut finding = Finding::default();
    for file in workspace.sources() {
        let text = workspace.text(file)?;
        let lines = text.lines().count();
        if lines > LONG && !text.contains(LONG_REASON) {
            finding.notes.push(format!("{}: {lines} lines; split it, or say `{LONG_REASON}...`", file.display()));
        }
    }
    Ok(finding)
}

/// Lines with their numbers, from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(n, line)| (n + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_without_reason_are_found() {
        let explained =
            "// SAFETY: so.\nlet x =\n    unsafe { y() };\n/// # Safety\n/// Care.\n#[inline]\nunsafe fn f() {\n";
        assert!(unexplained(explained).is_empty());
        assert_eq!(unexplained("// SAFETY: so.\na();\nunsafe { b() };\nunsafe extern \"C\" {\n"), [3]);
    }

    #[test]
    fn globals_are_found() {
        for line in ["static mut X: u8 = 0;", "pub static LOCK: Mutex<u8> = x;", "thread_local! {"] {
            assert!(is_global(line), "{line}");
        }
        for line in ["static ROWS: [u8; 2] = x;", "fn f(x: &'static Mutex<u8>) {", "let statics = Mutex::new(1);"] {
            assert!(!is_global(line), "{line}");
        }
    }
}
