//! `cargo xtask ci`: every check, cheapest first, stopping at the first failure.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{tidy, workspace};

pub fn run() -> Result<()> {
    step(&mut workspace::cargo(&["fmt", "--all", "--check"])?)?;
    eprintln!("== xtask tidy");
    tidy::run()?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    step(&mut workspace::cargo(&clippy)?)?;
    let readme = std::fs::read_to_string(workspace::root()?.join("README.md"))?;
    let command = ["test", "--workspace"];
    let line = format!("\ncargo {}\n", command.join(" "));
    ensure!(
        readme.contains(&line),
        "README.md: its test command is not{line}"
    );
    step(&mut workspace::cargo(&command)?)?;
    let with_ndarray = ["test", "--package", "refire-core", "--features", "ndarray"];
    step(&mut workspace::cargo(&with_ndarray)?)?;
    let mut doc = workspace::cargo(&["doc", "--workspace", "--no-deps"])?;
    step(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    match workspace::cargo(&["deny", "--version"])?.output() {
        Ok(found) if found.status.success() => {
            step(&mut workspace::cargo(&[
                "deny",
                "--log-level",
                "error",
                "--workspace",
                "check",
                "licenses",
                "bans",
                "sources",
            ])?)?;
        }
        _ => eprintln!("== cargo deny: skipped: not installed"),
    }
    eprintln!("== all passed");
    Ok(())
}

/// Runs one command with its output visible.
fn step(command: &mut Command) -> Result<()> {
    let words: Vec<_> = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let name = format!("cargo {}", words.join(" "));
    eprintln!("== {name}");
    let status = command
        .status()
        .with_context(|| format!("cannot start {name}"))?;
    ensure!(status.success(), "{name} failed ({status})");
    Ok(())
}
