//! `cargo xtask check`: the rules of the house that a program can judge, one line each.
//!
//! All checks run even if one fails. A new rule is a function from the [`Workspace`] to a [`Finding`] and one row of
//! [`CHECKS`]; its tables stand in the file of its subject.

mod guests;
mod layers;
mod lints;
mod readmes;
mod sources;

use anyhow::Result;

use crate::program;
use crate::report::{Finding, Report};
use crate::workspace::Workspace;

type Check = fn(&Workspace) -> Result<Finding>;

/// Every check: its name, what it does.
#[rustfmt::skip]
pub const CHECKS: &[(&str, Check)] = &[
    ("fmt",     fmt),
    ("layers",  layers::check),
    ("lints",   lints::check),
    ("unsafe",  sources::unsafe_islands),
    ("host",    sources::host_conditions),
    ("globals", sources::globals),
    ("length",  sources::length),
    ("readmes", readmes::check),
    ("elf",     guests::committed),
    ("clippy",  clippy),
    ("docs",    docs),
];

/// Runs the checks of these names; all of them when none is named.
pub fn run(workspace: &Workspace, names: &[String], report: &mut Report) {
    for (name, check) in CHECKS.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|n| n == name)) {
        report.step(name, || check(workspace));
    }
}

fn fmt(workspace: &Workspace) -> Result<Finding> {
    let mut finding = program::run(&mut workspace.cargo("fmt --all --check"), &workspace.log("fmt"))?;
    let mut guests = workspace.cargo("fmt --all --check --manifest-path guest/Cargo.toml");
    finding.merge(program::run(&mut guests, &workspace.log("fmt-guest"))?);
    Ok(finding)
}

fn clippy(workspace: &Workspace) -> Result<Finding> {
    let mut command = workspace.cargo("clippy --workspace --all-targets --locked --quiet -- -D warnings");
    program::run(&mut command, &workspace.log("clippy"))
}

fn docs(workspace: &Workspace) -> Result<Finding> {
    let mut command = workspace.cargo("doc --workspace --no-deps --document-private-items --locked --quiet");
    program::run(command.env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"), &workspace.log("docs"))
}
