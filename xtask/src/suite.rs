//! Long suites of their own crate: `cargo xtask verify` and `cargo xtask reproduce` build them in release mode
//! and run them.

use std::ffi::OsString;

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// Everything is the suite's own, `--help` included.
#[derive(clap::Args)]
pub struct Options {
    /// Options of the suite, see its own `--help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Runs the program of a package; fails where it does.
pub fn run(package: &str, options: &Options) -> Result<()> {
    let build = ["run", "--release", "--quiet", "--package", package, "--"];
    let status = workspace::cargo(&build)?
        .args(&options.arguments)
        .status()
        .context("cannot start cargo run")?;
    ensure!(status.success(), "{package} failed ({status})");
    Ok(())
}
