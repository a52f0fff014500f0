//! The documents that have to name every crate of the workspace.

use super::Finding;

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
    fn a_missing_document_is_one_breach() {
        let found = check("A.md", None, &["refire-core", "refire-sim"]);
        assert_eq!(found, [Finding::breach("A.md", 1, "is missing")]);
    }
}
