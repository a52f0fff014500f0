//! Circles of a directed graph of files.

use std::collections::{BTreeMap, BTreeSet};

/// One file takes a name from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tie {
    pub from: String,
    pub to: String,
    pub name: String,
}

/// The circles, each as the ties between its files, one per pair.
pub fn circles(ties: &BTreeSet<Tie>) -> Vec<Vec<Tie>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for tie in ties {
        next.entry(&tie.from).or_default().insert(&tie.to);
    }
    let files: Vec<&str> = next.keys().copied().collect();
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        files.iter().map(|&f| (f, reachable(&next, f))).collect();
    let mutual = |a: &str, b: &str| {
        let reaches = |a: &str, b: &str| reach.get(a).is_some_and(|of| of.contains(b));
        reaches(a, b) && reaches(b, a)
    };
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for &file in &files {
        if !mutual(file, file) || !seen.insert(file) {
            continue;
        }
        let circle: BTreeSet<&str> = files.iter().copied().filter(|f| mutual(file, f)).collect();
        seen.extend(&circle);
        let mut pairs = BTreeSet::new();
        let inside = ties.iter().filter(|tie| {
            let both = circle.contains(tie.from.as_str()) && circle.contains(tie.to.as_str());
            both && pairs.insert((&tie.from, &tie.to))
        });
        all.push(inside.cloned().collect());
    }
    all
}

/// Files that can be reached in one step or more.
fn reachable<'a>(next: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = next.get(from).into_iter().flatten().copied().collect();
    while let Some(file) = open.pop() {
        if found.insert(file) {
            open.extend(next.get(file).into_iter().flatten());
        }
    }
    found
}
