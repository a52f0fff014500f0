//! The examples run, name one crate of refire each and are short.

use std::path::Path;

#[path = "../../examples/fit_a_file.rs"]
mod fit_a_file;
#[path = "../../examples/gradients_by_hand.rs"]
mod gradients_by_hand;
#[path = "../../examples/own_escape_noise.rs"]
mod own_escape_noise;
#[path = "../../examples/own_statistic.rs"]
mod own_statistic;
#[path = "../../examples/recover_a_truth.rs"]
mod recover_a_truth;
#[path = "../../examples/simulate.rs"]
mod simulate;

type Example = fn() -> Result<(), Box<dyn std::error::Error>>;

/// Name, the only dependency that it needs, and the program.
const EXAMPLES: [(&str, &str, Example); 6] = [
    ("fit_a_file", "refire", fit_a_file::main),
    ("gradients_by_hand", "refire_bptt", gradients_by_hand::main),
    ("own_escape_noise", "refire_bptt", own_escape_noise::main),
    ("own_statistic", "refire_loss", own_statistic::main),
    ("recover_a_truth", "refire", recover_a_truth::main),
    ("simulate", "refire_sim", simulate::main),
];

#[test]
fn each_example_runs() {
    for (name, _, main) in EXAMPLES {
        main().unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn each_example_is_short_and_takes_one_dependency_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    assert_eq!(folder.read_dir().unwrap().count(), EXAMPLES.len());
    for (name, dependency, _) in EXAMPLES {
        let text = std::fs::read_to_string(folder.join(name).with_extension("rs")).unwrap();
        let lines = text.lines().map(str::trim);
        let code: Vec<&str> = lines
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
            .collect();
        assert!(code.len() < 60, "{name}: {} lines of code", code.len());
        // Every path that starts with a crate: those of `use`, and any in the code.
        let words = code
            .iter()
            .flat_map(|line| line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')));
        let starts = words.filter_map(|word| word.split_once("::").map(|(start, _)| start));
        let crates: Vec<&str> = starts
            .filter(|start| {
                start.starts_with("refire") || ["rand", "rayon", "nalgebra"].contains(start)
            })
            .collect();
        assert!(crates.contains(&dependency), "{name}: {dependency}");
        assert!(
            crates.iter().all(|&c| c == dependency),
            "{name}: {crates:?}"
        );
    }
}
