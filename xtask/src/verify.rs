//! `cargo xtask verify`: builds the verification suite in release mode and runs it.

use std::ffi::OsString;

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// Everything is the suite's own, `--help` included.
#[derive(clap::Args)]
pub struct Options {
    /// Options of the suite, see `cargo xtask verify --help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Runs the suite; fails where a claim fails.
pub fn run(options: &Options) -> Result<()> {
    let build = [
        "run",
        "--release",
        "--quiet",
        "--package",
        "refire-verify",
        "--",
    ];
    let status = workspace::cargo(&build)?
        .args(&options.arguments)
        .status()
        .context("cannot start cargo run")?;
    ensure!(status.success(), "refire-verify failed ({status})");
    Ok(())
}
