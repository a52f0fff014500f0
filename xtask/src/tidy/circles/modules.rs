//! Modules of a crate, one per file: what each defines, what it exports from others, what it imports.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Attribute, File, Item, Path, UseTree, Visibility};

use super::graph::Tie;

/// Names of a path.
type Names = Vec<String>;

/// A module of its own file.
#[derive(Debug, Default)]
struct Module {
    file: String,
    /// Items defined here.
    defines: BTreeSet<String>,
    /// Names brought in by `use`, with the path that they stand for; globs have the name `*`.
    brings: Vec<(String, Names)>,
}

/// The modules of a crate by their path from its root.
#[derive(Debug)]
pub struct Modules(BTreeMap<Names, Module>);

impl Modules {
    /// The modules of parsed files by their paths below `src`; tests are left out.
    pub fn new(files: &BTreeMap<String, File>) -> Self {
        let mut modules = BTreeMap::new();
        for (path, file) in files {
            let mut module = Module {
                file: path.clone(),
                ..Module::default()
            };
            for item in &file.items {
                module.take(item);
            }
            // Beside a library, the root of the program is a module of its own.
            let at = match path == "main.rs" && files.contains_key("lib.rs") {
                true => vec!["main".to_owned()],
                false => module_path(path),
            };
            modules.insert(at, module);
        }
        let mut all = Self(modules);
        let tests = all.tests(files);
        all.0
            .retain(|path, _| !tests.iter().any(|test| path.starts_with(test)));
        all
    }

    /// Modules declared for tests only.
    fn tests(&self, files: &BTreeMap<String, File>) -> Vec<Names> {
        let mut tests = Vec::new();
        for (path, module) in &self.0 {
            for item in &files[&module.file].items {
                if let Item::Mod(declared) = item
                    && is_for_tests(&declared.attrs)
                {
                    let mut path = path.clone();
                    path.push(declared.ident.to_string());
                    tests.push(path);
                }
            }
        }
        tests
    }

    /// What each file takes from which.
    pub fn imports(&self, files: &BTreeMap<String, File>) -> BTreeSet<Tie> {
        let mut ties = BTreeSet::new();
        for (path, module) in &self.0 {
            let mut taken = Taken::default();
            let items = files[&module.file].items.iter();
            items
                .filter(|item| !is_for_tests(attributes(item)))
                .for_each(|item| taken.visit_item(item));
            for names in taken.paths {
                if let Some((to, name)) = self.resolve(path, &names, 0)
                    && to.file != module.file
                {
                    ties.insert(Tie {
                        from: module.file.clone(),
                        to: to.file.clone(),
                        name,
                    });
                }
            }
        }
        ties
    }

    /// The module that defines what a path seen from `from` names, and the name.
    fn resolve(&self, from: &Names, path: &Names, depth: usize) -> Option<(&Module, String)> {
        let mut at = from.clone();
        let mut rest = path.iter().peekable();
        match rest.peek()?.as_str() {
            "crate" => {
                at.clear();
                rest.next();
            }
            "self" => {
                rest.next();
            }
            "super" => {
                while rest.next_if(|name| *name == "super").is_some() {
                    at.pop()?;
                }
            }
            _ => {}
        }
        loop {
            let module = self.0.get(&at)?;
            let Some(name) = rest.next() else {
                // A module by itself: what is taken from it follows at its uses.
                return None;
            };
            let mut child = at.clone();
            child.push(name.clone());
            if self.0.contains_key(&child) {
                at = child;
                continue;
            }
            if module.defines.contains(name) {
                return Some((module, name.clone()));
            }
            if depth > 8 {
                return None;
            }
            let behind: Names = rest.cloned().collect();
            return module.brings.iter().find_map(|(brought, path)| {
                let mut path = path.clone();
                match brought == "*" {
                    true => path.push(name.clone()),
                    false if brought != name => return None,
                    false => {}
                }
                path.extend(behind.iter().cloned());
                self.resolve(&at, &path, depth + 1)
            });
        }
    }
}

impl Module {
    fn take(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            Item::Use(item) => {
                flatten(&item.tree, &mut Vec::new(), &mut self.brings);
                return;
            }
            _ => return,
        };
        self.defines.insert(name.to_string());
    }
}

/// Paths that a file takes names by: of its imports, not of what it hands on, and those written out in its code.
#[derive(Default)]
struct Taken {
    paths: Vec<Names>,
}

impl<'ast> Visit<'ast> for Taken {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if matches!(item.vis, Visibility::Inherited) {
            let mut brings = Vec::new();
            flatten(&item.tree, &mut Vec::new(), &mut brings);
            self.paths.extend(brings.into_iter().map(|(_, path)| path));
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let names: Names = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if names.len() > 1 {
            self.paths.push(names);
        }
        visit::visit_path(self, path);
    }
}

/// `lib.rs` and `main.rs` are the root, `a/mod.rs` and `a.rs` the module `a`.
fn module_path(file: &str) -> Names {
    let stem = file.trim_end_matches(".rs");
    let mut names: Names = stem.split('/').map(str::to_owned).collect();
    let last = names.last().map_or("", String::as_str);
    if last == "mod" || (names.len() == 1 && matches!(last, "lib" | "main")) {
        names.pop();
    }
    names
}

/// Every name that a tree of imports brings, with its path.
fn flatten(tree: &UseTree, before: &mut Names, into: &mut Vec<(String, Names)>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, into);
            before.pop();
        }
        UseTree::Name(name) => {
            let ident = name.ident.to_string();
            let mut path = before.clone();
            if ident != "self" {
                path.push(ident.clone());
            }
            let brought = path.last().cloned().unwrap_or(ident);
            into.push((brought, path));
        }
        UseTree::Rename(rename) => {
            let mut path = before.clone();
            path.push(rename.ident.to_string());
            into.push((rename.rename.to_string(), path));
        }
        UseTree::Glob(_) => into.push(("*".to_owned(), before.clone())),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, into);
            }
        }
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether something is compiled for tests only.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_test = |path: &Path| path.is_ident("test");
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<Path>().is_ok_and(|p| is_test(&p))
    })
}
