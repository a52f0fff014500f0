//! `cargo xtask torture`: what happens to files when a command is killed, stopped or has no room.
//!
//! Kills come at random moments, the same ones for the same seed and machine speed. After each, files are whole or
//! absent, and the work done again, or gone on with, gives equal bytes.

mod folder;
mod rig;
mod scenes;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::workspace;
use folder::Folder;
use rig::{Programs, Rig};
use scenes::Outcome;

#[derive(clap::Args)]
pub struct Options {
    /// Kills of each command.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// Seed of the moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The command to torture, built before [default: build it in release mode]
    #[arg(long)]
    refire: Option<PathBuf>,
    /// The program behind `cargo xtask reproduce`, built before; without it, where --refire is given, its scene is
    /// skipped
    #[arg(long, requires = "refire")]
    reproduce: Option<PathBuf>,
}

/// Runs every scene; fails where one of them does.
pub fn run(options: &Options) -> Result<()> {
    let programs = match &options.refire {
        Some(refire) => Programs {
            refire: std::path::absolute(refire).context("--refire")?,
            reproduce: (options
                .reproduce
                .as_ref()
                .map(std::path::absolute)
                .transpose())
            .context("--reproduce")?,
        },
        None => build()?,
    };
    let mut rig = Rig::new(programs, options.rounds, options.seed);
    let mut failed = Vec::new();
    for (name, scene) in scenes::ALL {
        let folder = Folder::new()?;
        eprintln!("== {name}");
        match scene(&mut rig, &folder) {
            Ok(Outcome::Held(what)) => println!("{name}: {what}"),
            Ok(Outcome::Skipped(why)) => println!("{name}: skipped: {why}"),
            Err(error) => {
                println!("{name}: FAILED: {error:#}");
                failed.push(*name);
            }
        }
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

/// Both, in release mode.
fn build() -> Result<Programs> {
    const REPRODUCE: &str = "refire-reproduce";
    let packages = ["--package", "refire", "--package", REPRODUCE];
    let arguments = [["build", "--release", "--quiet"].as_slice(), &packages].concat();
    let status = workspace::cargo(&arguments)?.status().context("cargo")?;
    ensure!(status.success(), "the programs cannot be built");
    let target = workspace::metadata()?;
    let folder = target["target_directory"]
        .as_str()
        .context("no target folder")?;
    let release = PathBuf::from(folder).join("release");
    Ok(Programs {
        refire: release.join("refire"),
        reproduce: Some(release.join(REPRODUCE)),
    })
}
