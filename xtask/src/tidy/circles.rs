//! Files of a crate that import each other, and tuples as parameters: what the syntax trees show.

mod graph;
mod modules;
mod tuples;

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::finding::Finding;
use modules::Modules;

/// Everything wrong with the sources of one crate: `files` are the paths below its `src` folder with their text.
pub fn check(folder: &str, files: &BTreeMap<String, String>) -> Result<Vec<Finding>> {
    let mut parsed = BTreeMap::new();
    for (path, text) in files {
        let file = syn::parse_file(text).with_context(|| format!("{folder}/{path}"))?;
        parsed.insert(path.clone(), file);
    }
    let modules = Modules::new(&parsed);
    let mut findings = Vec::new();
    for circle in graph::circles(&modules.imports(&parsed)) {
        let first = format!("{folder}/{}", circle[0].from);
        let ties: Vec<String> = circle
            .iter()
            .map(|tie| format!("{} takes {} from {}", tie.from, tie.name, tie.to))
            .collect();
        let what = format!("files import each other: {}", ties.join("; "));
        findings.push(Finding::breach(&first, 1, what));
    }
    for (path, file) in &parsed {
        let found = tuples::check(file).into_iter();
        let path = format!("{folder}/{path}");
        findings.extend(found.map(|(line, what)| Finding::breach(&path, line, what)));
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(files: &[(&str, &str)]) -> Vec<String> {
        let files = files
            .iter()
            .map(|(path, text)| (path.to_string(), text.to_string()))
            .collect();
        let found = check("crates/a/src", &files).unwrap();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn files_that_import_each_other_are_a_circle_whatever_the_root_exports() {
        let found = printed(&[
            (
                "lib.rs",
                "mod a; mod b; mod c; pub use a::A; pub use b::{B, of};",
            ),
            ("a.rs", "use crate::B; pub struct A(B);"),
            (
                "b.rs",
                "use crate::{A, c::C}; pub struct B; pub fn of(_: A, _: C) {}",
            ),
            ("c.rs", "pub struct C;"),
        ]);
        assert_eq!(
            found,
            [
                "crates/a/src/a.rs:1: files import each other: a.rs takes B from b.rs; b.rs takes A from a.rs"
            ]
        );
    }

    #[test]
    fn a_parent_that_uses_its_child_and_is_used_by_it_is_one_too() {
        let found = printed(&[
            ("lib.rs", "mod a;"),
            ("a.rs", "mod b; use b::B; pub struct A; pub fn f(_: B) {}"),
            ("a/b.rs", "pub struct B; fn g() -> super::A { super::A }"),
        ]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("a.rs takes B from a/b.rs; a/b.rs takes A from a.rs"));
    }

    #[test]
    fn declaring_exporting_and_testing_is_no_import() {
        let found = printed(&[
            ("lib.rs", "mod a; pub use a::B;"),
            (
                "a/mod.rs",
                "mod b; #[cfg(test)] mod tests; pub use b::B; pub struct A;",
            ),
            ("a/b.rs", "use super::A; pub struct B(A);"),
            ("a/tests.rs", "use super::*;"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn public_functions_have_no_tuples() {
        let found = printed(&[(
            "lib.rs",
            "pub fn f((a, b): (u8, u8)) {}\npub(crate) fn g((a, b): (u8, u8)) {}\n\
             impl X { pub fn h(&self, at: (u8, u8)) {} }\n\
             pub fn j(f: impl Fn((u8, u8))) {}\n",
        )]);
        let tuple = "a tuple as parameter: make it a named struct";
        assert_eq!(
            found,
            [
                format!("crates/a/src/lib.rs:1: f: {tuple}"),
                format!("crates/a/src/lib.rs:3: h: {tuple}"),
            ]
        );
    }
}
