//! The layers: which crate of the workspace may depend on which. A new arrow is a decision, so it has
//! to be written here before it can be used, and goes from here when it is used no more.

/// A crate, its layer, and the workspace crates that its library and build script use.
#[derive(Debug)]
pub struct Rule {
    pub name: &'static str,
    pub layer: u8,
    pub uses: &'static [&'static str],
}

/// A line of the table.
pub const fn rule(name: &'static str, layer: u8, uses: &'static [&'static str]) -> Rule {
    Rule { name, layer, uses }
}

/// The table. Every arrow goes to a lower layer; dev-dependencies may be wider, without cycles.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    rule("refire-core", 0, &[]),
    rule("refire-kernels", 0, &[]),
    rule("refire-report", 0, &[]),
    rule("refire-drive", 1, &["refire-core", "refire-kernels"]),
    rule("refire-metrics", 1, &["refire-core"]),
    rule("refire-neuron", 1, &["refire-kernels"]),
    rule("refire-optim", 1, &["refire-kernels"]),
    rule("refire-random", 1, &["refire-kernels"]),
    rule("xtask", 1, &["refire-report"]),
    rule("refire-recording", 2, &["refire-core"]),
    rule("refire-sim", 2, &["refire-core", "refire-kernels", "refire-neuron", "refire-random"]),
    rule("refire-bptt", 3, &["refire-core", "refire-kernels", "refire-neuron", "refire-sim"]),
    rule("refire-convex", 3, &["refire-core", "refire-drive", "refire-kernels", "refire-sim"]),
    rule("refire-loss", 3, &[
        "refire-core", "refire-kernels", "refire-neuron", "refire-random", "refire-sim",
    ]),
    rule("refire-synth", 3, &[
        "refire-core", "refire-drive", "refire-neuron", "refire-random", "refire-recording", "refire-sim",
    ]),
    rule("refire-testkit", 3, &[
        "refire-core", "refire-neuron", "refire-random", "refire-sim",
    ]),
    rule("refire-engine", 4, &[
        "refire-bptt", "refire-core", "refire-drive", "refire-kernels", "refire-loss", "refire-neuron",
        "refire-random", "refire-sim",
    ]),
    rule("refire-published", 4, &[
        "refire-core", "refire-kernels", "refire-loss", "refire-neuron", "refire-sim",
    ]),
    rule("refire-fit", 5, &[
        "refire-convex", "refire-core", "refire-drive", "refire-engine", "refire-kernels", "refire-loss",
        "refire-metrics", "refire-neuron", "refire-optim", "refire-published", "refire-random",
        "refire-recording", "refire-sim",
    ]),
    rule("refire-bench", 7, &["refire"]),
    rule("refire-verify", 6, &[
        "refire-bptt", "refire-core", "refire-drive", "refire-fit", "refire-loss",
        "refire-metrics", "refire-neuron", "refire-published", "refire-random", "refire-recording",
        "refire-report", "refire-sim", "refire-testkit",
    ]),
    rule("refire-reproduce", 7, &[
        "refire-core", "refire-fit", "refire-metrics", "refire-neuron", "refire-recording",
        "refire-report", "refire-synth", "refire-verify",
    ]),
    rule("refire", 6, &[
        "refire-bptt", "refire-convex", "refire-core", "refire-drive", "refire-engine", "refire-fit",
        "refire-kernels", "refire-loss", "refire-metrics", "refire-neuron", "refire-optim",
        "refire-published", "refire-random", "refire-recording", "refire-report", "refire-sim",
        "refire-synth",
    ]),
];
