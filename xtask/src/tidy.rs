//! `cargo xtask tidy`: the house rules that the compiler does not check.

mod allowed;
mod circles;
mod documents;
mod finding;
mod layers;
mod source;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

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

    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
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
