//! `cargo xtask tidy`: the house rules that the compiler does not check.

mod allowed;
mod circles;
mod documents;
mod finding;
mod layers;
mod mask;
mod source;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};

use self::finding::Finding;
use crate::workspace;

/// Prints every finding, one a line, and fails if one of them is a breach.
pub fn run() -> Result<()> {
    let root = workspace::root()?;
    let packages = layers::packages(&workspace::metadata()?, &root)?;
    let mut findings = layers::check(&packages, allowed::RULES);
    let files = workspace::files()?;
    let mut crates: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for path in files.iter().filter(|path| source::is_text(path)) {
        let text = std::fs::read_to_string(root.join(path))
            .with_context(|| format!("cannot read {path}"))?;
        findings.extend(source::check(path, &text));
        if let Some((folder, inner)) = crate_source(path) {
            let of_crate = crates.entry(format!("{folder}/src")).or_default();
            of_crate.insert(inner.to_owned(), text);
        }
    }
    for (folder, sources) in &crates {
        findings.extend(circles::check(folder, sources)?);
    }
    for document in ["ARCHITECTURE.md", "README.md"] {
        let text = std::fs::read_to_string(root.join(document)).ok();
        let names: Vec<&str> = packages.iter().map(|p| p.name.as_str()).collect();
        findings.extend(documents::check(document, text.as_deref(), &names));
        findings.extend(documents::places(document, text.as_deref(), &root, &files));
    }
    findings.extend(unformatted(&root)?);

    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.iter().filter(|finding| !finding.warning).count() {
        0 => Ok(()),
        count => bail!("{count} breaches of the house rules"),
    }
}

/// Folder of a crate and the path below its `src`, of a file of its library or program.
fn crate_source(path: &str) -> Option<(&str, &str)> {
    let (folder, inner) = path.split_once("/src/")?;
    let is_source = inner.ends_with(".rs") && !inner.starts_with("bin/");
    is_source.then_some((folder, inner))
}

/// The files that `cargo fmt` would change.
fn unformatted(root: &Path) -> Result<Vec<Finding>> {
    let output = workspace::cargo(&["fmt", "--all", "--", "--check", "-l"])?
        .output()
        .context("cannot start cargo fmt")?;
    let listing = String::from_utf8_lossy(&output.stdout);
    let findings: Vec<_> = listing
        .lines()
        .map(|path| {
            let path = Path::new(path);
            let path = path.strip_prefix(root).unwrap_or(path);
            Finding::breach(&path.to_string_lossy(), 1, "not formatted: run cargo fmt")
        })
        .collect();
    if findings.is_empty() && !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("cargo fmt failed: {}", stderr.trim());
    }
    Ok(findings)
}
