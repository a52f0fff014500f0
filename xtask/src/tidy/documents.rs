//! The documents that have to name every crate of the workspace, and places that exist.

use std::path::Path;

use super::finding::Finding;

/// Where the places of a document begin, if they are files of the project.
const ROOTS: [&str; 7] = [
    "benches/",
    "crates/",
    "docs/",
    "examples/",
    "tests/",
    "xtask/",
    ".ci/",
];

/// A breach for every place between backticks that is no file or folder, and for every function after one
/// (`crates/a/src/b.rs`: `f`) that the file does not have.
pub fn places(path: &str, text: Option<&str>, root: &Path, files: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.unwrap_or_default().lines().enumerate() {
        let mut file = None;
        for quoted in line.split('`').skip(1).step_by(2) {
            if ROOTS.iter().any(|root| quoted.starts_with(root)) {
                let place = quoted.trim_end_matches('/');
                let exists = files
                    .iter()
                    .any(|f| f == place || f.starts_with(&format!("{place}/")));
                if !exists && !quoted.contains(['{', '*', ' ']) {
                    let what = format!("{quoted} does not exist");
                    findings.push(Finding::breach(path, index + 1, what));
                }
                file = exists.then_some(place);
            } else if let Some(name) = quoted.strip_prefix("fn ") {
                let source = file.and_then(|f| std::fs::read_to_string(root.join(f)).ok());
                let declared = format!("fn {name}");
                let has = |source: &str| {
                    let mut after = source.split(&declared).skip(1);
                    after.any(|rest| rest.starts_with(['(', '<']))
                };
                if !source.as_deref().is_some_and(has) {
                    let place = file.unwrap_or("no file before it");
                    let what = format!("{place} has no function {name}");
                    findings.push(Finding::breach(path, index + 1, what));
                }
            }
        }
    }
    findings
}

/// A breach for each of `crates` that `text` does not name, as `refire-core` or as `crates/core`.
pub fn check(path: &str, text: Option<&str>, crates: &[&str]) -> Vec<Finding> {
    let Some(text) = text else {
        return vec![Finding::breach(path, 1, "is missing")];
    };
    let words: Vec<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '/')))
        .collect();
    crates
        .iter()
        .filter(|&&name| {
            let folder = format!("crates/{}", name.trim_start_matches("refire-"));
            !words
                .iter()
                .any(|&word| word == name || word.trim_end_matches('/') == folder)
        })
        .map(|name| Finding::breach(path, 1, format!("does not name the crate {name}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_named_by_its_name_or_folder() {
        let text = "`refire-core`, [sim](crates/sim/) and refire-drives.";
        let crates = ["refire-core", "refire-sim", "refire-drive", "refire"];
        let found: Vec<_> = check("A.md", Some(text), &crates)
            .iter()
            .map(Finding::to_string)
            .collect();
        assert_eq!(
            found,
            [
                "A.md:1: does not name the crate refire-drive",
                "A.md:1: does not name the crate refire"
            ]
        );
    }

    #[test]
    fn places_and_functions_exist() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let files = ["xtask/src/main.rs".to_string()];
        let text = "`xtask/src/main.rs`: `fn main`; `xtask/` and `other`\n`xtask/src/gone.rs`\n\
                    `xtask/src/main.rs`: `fn mai`";
        let found: Vec<_> = places("A.md", Some(text), root, &files)
            .iter()
            .map(Finding::to_string)
            .collect();
        assert_eq!(
            found,
            [
                "A.md:2: xtask/src/gone.rs does not exist",
                "A.md:3: xtask/src/main.rs has no function mai"
            ]
        );
    }

    #[test]
    fn a_missing_document_is_one_breach() {
        let found = check("A.md", None, &["refire-core", "refire-sim"]);
        assert_eq!(found, [Finding::breach("A.md", 1, "is missing")]);
    }
}
