//! Holds the dependencies that cargo sees against the table of allowed ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::allowed::Rule;
use super::finding::Finding;

/// Where the table is, for findings about it.
const TABLE_PATH: &str = "xtask/src/tidy/allowed.rs";

/// A package of the workspace as its manifest declares it.
#[derive(Debug)]
pub struct Package {
    pub name: String,
    manifest_path: String,
    manifest: String,
    /// Workspace crates it depends on, normal or build.
    uses: BTreeSet<String>,
    /// Workspace crates only its tests, examples or benches depend on.
    dev_uses: BTreeSet<String>,
}

/// The workspace's packages from `cargo metadata --no-deps`, with the text of their manifests.
pub fn packages(metadata: &Value, root: &Path) -> Result<Vec<Package>> {
    let listed = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    let names: BTreeSet<&str> = listed.iter().filter_map(|p| p["name"].as_str()).collect();
    listed
        .iter()
        .map(|package| {
            let name = package["name"].as_str().context("a package has no name")?;
            let path = package["manifest_path"]
                .as_str()
                .with_context(|| format!("{name} has no manifest"))?;
            let (uses, dev_uses) = edges(package, &names);
            let relative = Path::new(path)
                .strip_prefix(root)
                .unwrap_or(Path::new(path));
            Ok(Package {
                name: name.to_owned(),
                manifest_path: relative.to_string_lossy().into_owned(),
                manifest: std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {path}"))?,
                uses,
                dev_uses,
            })
        })
        .collect()
}

/// A package's edges to `names`: normal and build ones, then dev ones.
fn edges(package: &Value, names: &BTreeSet<&str>) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut uses = BTreeSet::new();
    let mut dev_uses = BTreeSet::new();
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        if let Some(name) = dependency["name"]
            .as_str()
            .filter(|name| names.contains(name))
        {
            let is_dev = dependency["kind"].as_str() == Some("dev");
            let set = if is_dev { &mut dev_uses } else { &mut uses };
            set.insert(name.to_owned());
        }
    }
    (uses, dev_uses)
}

/// Everything in which the packages and the table differ, and what is wrong with either.
pub fn check(packages: &[Package], rules: &[Rule]) -> Vec<Finding> {
    let mut findings = check_table(rules);
    for package in packages {
        match rules.iter().find(|rule| rule.name == package.name) {
            Some(rule) => findings.extend(check_package(package, rule)),
            None => findings.push(Finding::breach(
                &package.manifest_path,
                1,
                format!("{} has no line in {TABLE_PATH}", package.name),
            )),
        }
    }
    for rule in rules {
        if !packages.iter().any(|package| package.name == rule.name) {
            findings.push(in_table(
                rule.name,
                "is no crate of the workspace".to_owned(),
            ));
        }
    }
    findings.extend(check_cycle(packages));
    findings
}

/// Arrows of the table itself: to a crate in the table, in a lower layer.
fn check_table(rules: &[Rule]) -> Vec<Finding> {
    let layers: BTreeMap<&str, u8> = rules.iter().map(|rule| (rule.name, rule.layer)).collect();
    let mut findings = Vec::new();
    for rule in rules {
        for used in rule.uses {
            let fault = match layers.get(used) {
                None => format!("may use {used}, which the table lacks"),
                Some(layer) if *layer >= rule.layer => {
                    format!("(layer {}) may use {used} (layer {layer})", rule.layer)
                }
                Some(_) => continue,
            };
            findings.push(in_table(rule.name, fault));
        }
    }
    findings
}

fn check_package(package: &Package, rule: &Rule) -> Vec<Finding> {
    let allowed: BTreeSet<&str> = rule.uses.iter().copied().collect();
    let used: BTreeSet<&str> = package.uses.iter().map(String::as_str).collect();
    let undeclared = used.difference(&allowed).map(|to| {
        Finding::breach(
            &package.manifest_path,
            line_starting(&package.manifest, to),
            format!("{} -> {to} is not declared in {TABLE_PATH}", package.name),
        )
    });
    let stale = allowed
        .difference(&used)
        .map(|to| in_table(rule.name, format!("may use {to} and does not")));
    undeclared.chain(stale).collect()
}

/// One cycle through normal, build and dev edges, if there is any.
fn check_cycle(packages: &[Package]) -> Option<Finding> {
    // Take away the crates that use none of those left, until none goes: what is left holds every cycle.
    let mut left: BTreeMap<&str, &Package> =
        packages.iter().map(|p| (p.name.as_str(), p)).collect();
    let edge_within = |package: &Package, left: &BTreeMap<&str, &Package>| {
        let mut all = package.uses.iter().chain(&package.dev_uses);
        all.find(|to| left.contains_key(to.as_str())).cloned()
    };
    loop {
        let before = left.len();
        let kept = left.clone();
        left.retain(|_, package| edge_within(package, &kept).is_some());
        if left.len() == before {
            break;
        }
    }
    // From any crate left, following edges must come round.
    let mut at = *left.values().next()?;
    let mut path: Vec<&str> = Vec::new();
    while !path.contains(&at.name.as_str()) {
        path.push(&at.name);
        let next = edge_within(at, &left)?;
        at = left.get(next.as_str())?;
    }
    let round = path.iter().position(|&name| name == at.name)?;
    let names = [&path[round..], &[at.name.as_str()]].concat();
    let what = format!("dependency cycle: {}", names.join(" -> "));
    Some(Finding::breach(
        &at.manifest_path,
        line_starting(&at.manifest, names[1]),
        what,
    ))
}

fn in_table(name: &str, fault: String) -> Finding {
    let start = format!("rule(\"{name}\"");
    let line = line_starting(include_str!("allowed.rs"), &start);
    Finding::breach(TABLE_PATH, line, format!("{name} {fault}"))
}

/// The first line that starts with `start` as a whole word, counted from 1, or 1.
fn line_starting(text: &str, start: &str) -> usize {
    text.lines()
        .position(|line| {
            line.trim_start()
                .strip_prefix(start)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
        })
        .map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::allowed::{RULES, rule};

    const TABLE: &[Rule] = &[rule("a", 0, &[]), rule("b", 1, &["a"])];

    fn package(name: &str, uses: &[&str], dev_uses: &[&str]) -> Package {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let lines: String = uses
            .iter()
            .chain(dev_uses)
            .map(|u| format!("{u} = 1\n"))
            .collect();
        Package {
            name: name.to_owned(),
            manifest_path: format!("{name}/Cargo.toml"),
            manifest: format!("[dependencies]\n{lines}"),
            uses: owned(uses),
            dev_uses: owned(dev_uses),
        }
    }

    fn printed(packages: &[Package], rules: &[Rule]) -> Vec<String> {
        check(packages, rules)
            .iter()
            .map(Finding::to_string)
            .collect()
    }

    #[test]
    fn the_tables_own_arrows_go_down() {
        assert_eq!(check_table(RULES), []);
    }

    #[test]
    fn declared_edges_pass() {
        let packages = [package("a", &[], &[]), package("b", &["a"], &[])];
        assert_eq!(printed(&packages, TABLE), [""; 0]);
    }

    #[test]
    fn an_undeclared_edge_is_found_on_its_line() {
        let rules = &[
            rule("a", 0, &[]),
            rule("a-x", 0, &[]),
            rule("b", 1, &["a-x"]),
        ];
        let packages = [
            package("a", &[], &[]),
            package("a-x", &[], &[]),
            package("b", &["a-x", "a"], &[]),
        ];
        let expected = format!("b/Cargo.toml:3: b -> a is not declared in {TABLE_PATH}");
        assert_eq!(printed(&packages, rules), [expected]);
    }

    #[test]
    fn an_allowed_edge_that_only_tests_use_is_stale() {
        let packages = [package("a", &[], &[]), package("b", &[], &["a"])];
        let expected = format!("{TABLE_PATH}:1: b may use a and does not");
        assert_eq!(printed(&packages, TABLE), [expected]);
    }

    #[test]
    fn table_and_workspace_hold_the_same_crates() {
        let packages = [package("b", &["a"], &[]), package("c", &[], &[])];
        let expected = [
            format!("c/Cargo.toml:1: c has no line in {TABLE_PATH}"),
            format!("{TABLE_PATH}:1: a is no crate of the workspace"),
        ];
        assert_eq!(printed(&packages, TABLE), expected);
    }

    #[test]
    fn the_table_must_be_layered() {
        let rules = &[rule("a", 1, &["gone"]), rule("b", 1, &["a"])];
        let found: Vec<_> = check_table(rules).into_iter().map(|f| f.what).collect();
        let expected = [
            "a may use gone, which the table lacks",
            "b (layer 1) may use a (layer 1)",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn dev_edges_may_be_wider_but_not_come_round() {
        let rules = &[
            rule("a", 0, &[]),
            rule("b", 1, &["a"]),
            rule("c", 2, &["b"]),
        ];
        let of = |dev: &[&str]| {
            [
                package("a", &[], dev),
                package("b", &["a"], &[]),
                package("c", &["b"], &["a"]),
            ]
        };
        assert_eq!(printed(&of(&[]), rules), [""; 0]);
        let expected = "a/Cargo.toml:2: dependency cycle: a -> c -> b -> a";
        assert_eq!(printed(&of(&["c"]), rules), [expected]);
    }

    #[test]
    fn a_crate_that_tests_itself_through_its_own_name_is_a_cycle() {
        let packages = [package("a", &[], &["a"])];
        let expected = "a/Cargo.toml:2: dependency cycle: a -> a";
        assert_eq!(printed(&packages, &[rule("a", 0, &[])]), [expected]);
    }

    #[test]
    fn edges_are_read_by_kind_and_only_within_the_workspace() {
        let package = serde_json::json!({"dependencies": [
            {"name": "a", "kind": null},
            {"name": "b", "kind": "build"},
            {"name": "c", "kind": "dev"},
            {"name": "serde", "kind": null},
        ]});
        let (uses, dev_uses) = edges(&package, &BTreeSet::from(["a", "b", "c", "d"]));
        assert_eq!(uses, BTreeSet::from(["a".to_owned(), "b".to_owned()]));
        assert_eq!(dev_uses, BTreeSet::from(["c".to_owned()]));
    }
}
