//! `cargo xtask tidy`: the house rules that the compiler does not check.

mod allowed;
mod documents;
mod layers;
mod mask;
mod source;

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::workspace;

/// One breach of a house rule, or a warning of one to come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    line: usize,
    what: String,
    /// A warning is printed and does not fail the run.
    warning: bool,
}

impl Finding {
    fn breach(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
            warning: false,
        }
    }

    fn warning(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            warning: true,
            ..Self::breach(path, line, what)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.warning { "warning: " } else { "" };
        write!(f, "{}:{}: {mark}{}", self.path, self.line, self.what)
    }
}

/// Prints every finding, one a line, and fails if one of them is a breach.
pub fn run() -> Result<()> {
    let root = workspace::root()?;
    let packages = layers::packages(&workspace::metadata()?, &root)?;
    let mut findings = layers::check(&packages, allowed::RULES);
    for path in workspace::files()? {
        if !source::is_text(&path) {
            continue;
        }
        let text = std::fs::read_to_string(root.join(&path))
            .with_context(|| format!("cannot read {path}"))?;
        findings.extend(source::check(&path, &text));
    }
    for document in ["ARCHITECTURE.md", "README.md"] {
        let text = std::fs::read_to_string(root.join(document)).ok();
        let names: Vec<&str> = packages.iter().map(|p| p.name.as_str()).collect();
        findings.extend(documents::check(document, text.as_deref(), &names));
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
