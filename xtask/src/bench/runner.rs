//! The programs that are timed: refire's example and the peers' scripts, one process a measurement.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::cases::Case;
use super::reading::{self, Reading};

/// One program that can time a [`Case`].
pub struct Runner {
    tool: Tool,
    program: PathBuf,
    /// The script, where the program is a Python.
    script: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Refire,
    Jax,
    /// The loops over time compiled by `torch.jit.script`.
    TorchScript,
    /// The loops over time in Python, on in-place operations.
    TorchEager,
}

impl Runner {
    /// refire's timing example.
    pub fn refire(program: PathBuf) -> Self {
        Self {
            tool: Tool::Refire,
            program,
            script: None,
        }
    }

    /// The peers. PyTorch comes twice, since which of its two forms is faster depends on the machine.
    pub fn peers(python: &Path, scripts: &Path) -> [Self; 3] {
        let with = |tool, script| Self {
            tool,
            program: python.to_owned(),
            script: Some(scripts.join(script)),
        };
        [
            with(Tool::Jax, "jax_step.py"),
            with(Tool::TorchScript, "torch_step.py"),
            with(Tool::TorchEager, "torch_step.py"),
        ]
    }

    /// The name in the table.
    pub fn name(&self) -> &'static str {
        match self.tool {
            Tool::Refire => super::table::REFIRE,
            Tool::Jax => "JAX",
            Tool::TorchScript => "PyTorch script",
            Tool::TorchEager => "PyTorch eager",
        }
    }

    /// Runs the case once; an error is the reason why there is no figure.
    pub fn measure(&self, case: &Case) -> Result<Reading, String> {
        if let Some(script) = self.script.as_deref().filter(|script| !script.is_file()) {
            return Err(format!("no {}", script.display()));
        }
        let output = Command::new(&self.program)
            .args(&self.script)
            .args(arguments(self.tool, case))
            // The scripts' folder may be read-only, and is not this task's to write to.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .map_err(|error| format!("{}: {error}", self.program.display()))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(reading::failure_reason(&stderr, &output.status.to_string()));
        }
        reading::parse(&String::from_utf8_lossy(&output.stdout))
    }
}

/// The command line that makes `tool` time `case`.
fn arguments(tool: Tool, case: &Case) -> Vec<String> {
    let names = match tool {
        Tool::Refire => ["--units", "--bins", "--trials", "--lags", "--iterations"],
        Tool::Jax | Tool::TorchScript | Tool::TorchEager => {
            ["--n", "--t", "--batch", "--dmax", "--iters"]
        }
    };
    let values = [
        case.units,
        case.bins,
        case.trials,
        case.lags,
        case.iterations,
    ];
    let mut words: Vec<String> = names
        .iter()
        .zip(values)
        .flat_map(|(name, value)| [(*name).to_owned(), value.to_string()])
        .collect();
    let mut add = |more: &[&str]| words.extend(more.iter().map(|&word| word.to_owned()));
    add(&["--hidden", &case.hidden.to_string()]);
    add(&["--threads", &case.threads.to_string()]);
    add(&["--what", case.what.word()]);
    if tool == Tool::Refire {
        add(&["--form", "published", "--json"]);
    } else {
        add(&["--train", &case.peer_training.to_string()]);
    }
    match tool {
        Tool::TorchScript => add(&["--impl", "script"]),
        Tool::TorchEager => add(&["--impl", "fast"]),
        Tool::Refire | Tool::Jax => {}
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::cases::{What, select};

    fn line(tool: Tool, what: What, index: usize) -> String {
        arguments(tool, &select(&[what], true)[index]).join(" ")
    }

    #[test]
    fn refire_gets_its_own_names() {
        assert_eq!(
            line(Tool::Refire, What::Step, 0),
            "--units 69 --bins 641 --trials 20 --lags 9 --iterations 20 --hidden 0 --threads 1 \
             --what step --form published --json"
        );
    }

    #[test]
    fn peers_get_theirs_and_train_first() {
        assert_eq!(
            line(Tool::Jax, What::Step, 2),
            "--n 69 --t 641 --batch 20 --dmax 9 --iters 5 --hidden 431 --threads 2 --what step \
             --train 30"
        );
        assert_eq!(
            line(Tool::TorchEager, What::Mle, 1),
            "--n 69 --t 641 --batch 20 --dmax 9 --iters 20 --hidden 0 --threads 2 --what mle \
             --train 0 --impl fast"
        );
    }

    #[test]
    fn a_missing_script_or_program_is_a_reason_not_a_figure() {
        let case = select(&[What::Sim], false)[0];
        let [jax, ..] = Runner::peers(Path::new("no-such-python"), Path::new("no-such-folder"));
        let reason = jax.measure(&case).unwrap_err();
        assert!(reason.starts_with("no no-such-folder"), "{reason}");
        let refire = Runner::refire("no-such-program".into());
        let reason = refire.measure(&case).unwrap_err();
        assert!(reason.starts_with("no-such-program: "), "{reason}");
    }
}
