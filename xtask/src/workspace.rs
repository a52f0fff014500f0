//! Where the workspace is, which files and crates it has, and how to call cargo in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The workspace root: the parent of this package's folder.
pub fn root() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .context("xtask has no parent folder")
}

/// The cargo that runs this task, called in the workspace root.
pub fn cargo(arguments: &[&str]) -> Result<Command> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()?);
    Ok(command)
}

/// `cargo metadata` of the workspace's own packages.
pub fn metadata() -> Result<Value> {
    let text = stdout(&mut cargo(&[
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
    ])?)?;
    serde_json::from_str(&text).context("cargo metadata did not print JSON")
}

/// The files git tracks or would track, relative to the root, in order; `shared/` is not the project's.
pub fn files() -> Result<Vec<String>> {
    let root = root()?;
    let listing = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let text = stdout(Command::new("git").args(listing).current_dir(&root))?;
    let mut files: Vec<String> = text
        .split('\0')
        .filter(|path| !path.is_empty() && !path.starts_with("shared/"))
        .filter(|path| root.join(path).is_file())
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

/// What a command prints, or an error that holds its stderr.
fn stdout(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("{command:?} failed: {}", stderr.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} printed no UTF-8"))
}
