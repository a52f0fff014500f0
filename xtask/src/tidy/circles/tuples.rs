//! Tuples as parameters of functions that others call.

use syn::visit::{self, Visit};
use syn::{
    File, FnArg, ImplItemFn, ItemFn, ItemMod, Pat, Signature, TraitItemFn, Type, Visibility,
};

/// Line and fault of every function that is `pub`.
pub fn check(file: &File) -> Vec<(usize, String)> {
    let mut seen = Seen::default();
    seen.visit_file(file);
    seen.0
}

#[derive(Default)]
struct Seen(Vec<(usize, String)>);

impl Seen {
    fn look(&mut self, signature: &Signature) {
        let mut inputs = signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        let (line, name) = (signature.ident.span().start().line, &signature.ident);
        let is_tuple = |of: &syn::PatType| {
            matches!(*of.pat, Pat::Tuple(_)) || matches!(*of.ty, Type::Tuple(_))
        };
        if inputs.any(is_tuple) {
            let what = format!("{name}: a tuple as parameter: make it a named struct");
            self.0.push((line, what));
        }
    }
}

impl<'ast> Visit<'ast> for Seen {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        if matches!(function.vis, Visibility::Public(_)) {
            self.look(&function.sig);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if matches!(function.vis, Visibility::Public(_)) {
            self.look(&function.sig);
        }
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.look(&function.sig);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let is_test = module.ident == "tests";
        if !is_test {
            visit::visit_item_mod(self, module);
        }
    }
}
