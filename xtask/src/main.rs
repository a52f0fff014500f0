//! House tasks of the refire workspace: `cargo xtask tidy`, `ci`, `fuzz`, `torture`, `bench`, `verify` and `reproduce`.

mod bench;
mod ci;
mod fuzz;
mod suite;
mod tidy;
mod torture;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// House tasks of the refire workspace.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check the house rules that the compiler does not: layers, file lengths, docs, left-overs.
    Tidy,
    /// Everything a change has to pass, cheapest first; stops at the first failure.
    Ci,
    /// Run made-up bytes through every reader (needs cargo-fuzz and a C++ compiler).
    Fuzz(fuzz::Options),
    /// Kill, stop and starve the command at random moments; files must be whole after it.
    Torture(torture::Options),
    /// Time refire, and with --peers JAX and PyTorch beside it, in one interleaved run.
    Bench(bench::Options),
    /// Hold every claim about the estimators against known truths; writes verify.html.
    #[command(disable_help_flag = true)]
    Verify(suite::Options),
    /// The paper's claims on known truths and real recordings: figures, intervals, verdicts, one page.
    #[command(disable_help_flag = true)]
    Reproduce(suite::Options),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Tidy => tidy::run(),
        Task::Ci => ci::run(),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Torture(options) => torture::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Verify(options) => suite::run("refire-verify", &options),
        Task::Reproduce(options) => suite::run("refire-reproduce", &options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
