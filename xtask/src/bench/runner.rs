//! The programs that are timed: refire's program and the peers' scripts, one process a measurement.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::cases::{Case, Start, What};
use super::reading::{self, Reading};
use super::variant;

/// One program that can time a [`Case`].
pub struct Runner {
    tool: Tool,
    program: PathBuf,
    /// The program that fits to convergence, and the folder with what it fits, where the program is refire.
    fit: Option<(PathBuf, PathBuf)>,
    /// The peers' scripts and the folder for changed copies, where the program is a Python.
    scripts: Option<(PathBuf, PathBuf)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    /// The peers' objective: published terms without the wrap, triangle gradient.
    Refire,
    /// refire's defaults: corrected terms, escape gradient.
    RefireDefaults,
    Jax,
    /// The loops over time compiled by `torch.jit.script`.
    TorchScript,
    /// The loops over time in Python, on in-place operations.
    TorchEager,
    NumPy,
    SciPy,
    Nemos,
}

impl Runner {
    /// refire's timing program, in the peers' objective and in refire's own.
    pub fn refire(programs: &Path, copies: &Path) -> [Self; 2] {
        let program = |name: &str| programs.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        [Tool::Refire, Tool::RefireDefaults].map(|tool| Self {
            tool,
            program: program("bench_step"),
            fit: Some((program("convex_fit"), copies.to_owned())),
            scripts: None,
        })
    }

    /// The peers, their changed copies in `copies`. PyTorch comes twice, since which of its two forms
    /// is faster depends on the machine.
    pub fn peers(python: &Path, scripts: &Path, copies: &Path) -> Vec<Self> {
        use Tool::{Jax, Nemos, NumPy, SciPy, TorchEager, TorchScript};
        [Jax, TorchScript, TorchEager, NumPy, SciPy, Nemos]
            .map(|tool| Self {
                tool,
                program: python.to_owned(),
                fit: None,
                scripts: Some((scripts.to_owned(), copies.to_owned())),
            })
            .into()
    }

    /// The name in the table.
    pub fn name(&self) -> &'static str {
        match self.tool {
            Tool::Refire => super::table::REFIRE,
            Tool::RefireDefaults => super::table::DEFAULTS,
            Tool::Jax => "JAX",
            Tool::TorchScript => "PyTorch script",
            Tool::TorchEager => "PyTorch eager",
            Tool::NumPy => "NumPy",
            Tool::SciPy => "SciPy",
            Tool::Nemos => "nemos",
        }
    }

    /// Whether the program has this work at all.
    pub fn does(&self, what: What) -> bool {
        match self.tool {
            Tool::Refire => true,
            Tool::RefireDefaults => what == What::Step,
            Tool::Jax | Tool::TorchScript | Tool::TorchEager => what != What::Fit,
            Tool::NumPy => what == What::Sim,
            Tool::SciPy | Tool::Nemos => what == What::Fit,
        }
    }

    /// Runs the case once; an error is the reason why there is no figure.
    pub fn measure(&self, case: &Case) -> Result<Reading, String> {
        let mut command = match (&self.fit, case.what) {
            (Some((program, data)), What::Fit) => {
                let mut command = Command::new(program);
                command.args(PEERS_DATA.map(|name| data.join(name)));
                command.args(["--lags", &case.lags.to_string()]);
                command.args(["--threads", &case.threads.to_string()]);
                command.args(["--repeat", &case.iterations.to_string()]);
                command
            }
            _ => {
                let mut command = Command::new(&self.program);
                command.args(self.script(case)?);
                command.args(arguments(self.tool, case));
                command
            }
        };
        let output = command
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

    /// The script that times the case: the peers' own, or a copy changed to the case.
    fn script(&self, case: &Case) -> Result<Option<PathBuf>, String> {
        let Some((scripts, copies)) = &self.scripts else {
            return Ok(None);
        };
        let name = match self.tool {
            Tool::Refire | Tool::RefireDefaults => return Ok(None),
            Tool::Jax => "jax_step.py",
            Tool::TorchScript | Tool::TorchEager => "torch_step.py",
            Tool::NumPy => "sim_numpy.py",
            Tool::SciPy | Tool::Nemos => "nemos_mle.py",
        };
        let path = scripts.join(name);
        if !path.is_file() {
            return Err(format!("no {}", path.display()));
        }
        let changes = changes(self.tool, case);
        if changes.is_empty() {
            return Ok(Some(path));
        }
        let copy = || -> anyhow::Result<PathBuf> {
            let mut text = std::fs::read_to_string(&path)?;
            for (line, instead) in &changes {
                text = variant::changed(&text, line, instead)?;
            }
            variant::write(scripts, copies, name, &text)
        };
        copy()
            .map(Some)
            .map_err(|error| format!("{name}: {error:#}"))
    }
}

/// Spikes and features of the peers' synthetic recording, as refire reads them.
const PEERS_DATA: [&str; 2] = ["spikes.npy", "features.npy"];

/// Writes what the peers fit to convergence to `folder`, with the peers' own program.
pub fn export(python: &Path, scripts: &Path, folder: &Path, case: &Case) -> Result<(), String> {
    let program = format!(
        "import sys; sys.path.insert(0, sys.argv[1])
import numpy as np, synth
_, stim, spikes = synth.make(n={n}, frames={frames}, trials=max({trials}, 80))
np.save(sys.argv[2] + '/spikes.npy', np.ascontiguousarray(spikes[:{trials}], dtype=np.uint8))
np.save(sys.argv[2] + '/features.npy', np.ascontiguousarray(stim, dtype=np.float64))",
        n = case.units,
        frames = case.bins + case.lags,
        trials = case.trials,
    );
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let output = Command::new(python)
        .args(["-c", &program])
        .args([scripts, folder])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .map_err(|error| format!("{}: {error}", python.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(reading::failure_reason(&stderr, &output.status.to_string()))
}

/// The lines of a peer's script that the case needs otherwise, for want of an option.
fn changes(tool: Tool, case: &Case) -> Vec<(&'static str, String)> {
    let torch = matches!(tool, Tool::TorchScript | Tool::TorchEager);
    let mut changes = Vec::new();
    if case.what == What::Step && !case.noise_covariance {
        match tool {
            Tool::Jax => changes.push(variant::JAX),
            Tool::TorchScript | Tool::TorchEager => changes.push(variant::TORCH),
            _ => {}
        }
    }
    let mut changes: Vec<_> = changes
        .into_iter()
        .map(|(line, instead)| (line, instead.to_owned()))
        .collect();
    if let (true, What::Step, Start::Bias(bias)) = (torch, case.what, case.start) {
        changes.push((variant::TORCH_START, variant::torch_start(bias)));
    }
    changes
}

/// The command line that makes `tool` time `case`.
fn arguments(tool: Tool, case: &Case) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |name: &str, value: &dyn ToString| {
        words.extend([name.to_owned(), value.to_string()]);
    };
    match tool {
        Tool::Refire | Tool::RefireDefaults => {
            add("--units", &case.units);
            add("--bins", &case.bins);
            add("--trials", &case.trials);
            add("--lags", &case.lags);
            add("--iterations", &case.iterations);
            add("--hidden", &case.hidden);
            let corrected = tool == Tool::RefireDefaults;
            add("--form", &if corrected { "corrected" } else { "published" });
            add("--what", &case.what.word());
        }
        Tool::Jax | Tool::TorchScript | Tool::TorchEager | Tool::NumPy => {
            add("--n", &case.units);
            add("--t", &case.bins);
            add("--batch", &case.trials);
            add("--dmax", &case.lags);
            add("--iters", &case.iterations);
            if case.once {
                add("--warm", &1);
            }
        }
        Tool::SciPy | Tool::Nemos => {
            add("--n", &case.units);
            add("--t", &case.bins);
            add("--trials", &case.trials);
            add("--dmax", &case.lags);
            add("--repeat", &case.iterations);
            add(
                "--solver",
                &if tool == Tool::SciPy {
                    "scipy"
                } else {
                    "nemos"
                },
            );
        }
    }
    add("--threads", &case.threads);
    if let Tool::Jax | Tool::TorchScript | Tool::TorchEager = tool {
        add("--hidden", &case.hidden);
        add("--what", &case.what.word());
        match case.start {
            Start::Trained(steps) => add("--train", &steps),
            Start::Bias(bias) if tool == Tool::Jax => add("--rate_bias", &bias),
            Start::Bias(_) => {}
        }
        if tool != Tool::Jax {
            add(
                "--impl",
                &if tool == Tool::TorchScript {
                    "script"
                } else {
                    "fast"
                },
            );
        }
    }
    if let Tool::Refire | Tool::RefireDefaults = tool {
        if case.once {
            add("--train", &5);
        }
        if case.hidden > 0 {
            // Hidden units start below the rates of the recorded ones: this brings all to about 0.1.
            add("--rate", &0.2);
        }
        if !case.noise_covariance {
            words.push("--no-noise-covariance".to_owned());
        }
        words.push("--json".to_owned());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::cases::select;

    fn line(tool: Tool, what: What, index: usize) -> String {
        arguments(tool, &select(&[what], true, false)[index]).join(" ")
    }

    #[test]
    fn refire_gets_its_own_names() {
        assert_eq!(
            line(Tool::Refire, What::Step, 1),
            "--units 69 --bins 641 --trials 20 --lags 9 --iterations 20 --hidden 0 \
             --form published --what step --threads 1 --no-noise-covariance --json"
        );
    }

    #[test]
    fn peers_get_theirs_and_start_at_their_rate() {
        assert_eq!(
            line(Tool::Jax, What::Step, 4),
            "--n 69 --t 641 --batch 20 --dmax 9 --iters 5 --warm 1 --threads 2 --hidden 431 \
             --what step --rate_bias -1.15"
        );
        assert_eq!(
            line(Tool::TorchEager, What::Step, 0),
            "--n 69 --t 641 --batch 20 --dmax 9 --iters 20 --threads 1 --hidden 0 --what step \
             --train 30 --impl fast"
        );
        assert_eq!(
            line(Tool::Nemos, What::Fit, 0),
            "--n 69 --t 641 --trials 20 --dmax 9 --repeat 3 --solver nemos --threads 2"
        );
    }

    #[test]
    fn a_script_changes_only_where_it_has_no_option() {
        let steps = select(&[What::Step], true, false);
        let count = |tool, at: usize| changes(tool, &steps[at]).len();
        assert_eq!((count(Tool::Jax, 0), count(Tool::Jax, 1)), (0, 1));
        assert_eq!((count(Tool::Jax, 4), count(Tool::TorchEager, 4)), (0, 1));
        assert_eq!(count(Tool::TorchScript, 5), 2);
        assert_eq!(count(Tool::Refire, 5), 0);
    }

    #[test]
    fn a_missing_script_or_program_is_a_reason_not_a_figure() {
        let case = select(&[What::Sim], false, false)[0];
        let (python, folder) = (Path::new("no-such-python"), Path::new("no-such-folder"));
        for peer in Runner::peers(python, folder, folder) {
            let reason = peer.measure(&case).unwrap_err();
            assert!(reason.starts_with("no no-such-folder"), "{reason}");
        }
        let [refire, _] = Runner::refire(Path::new("no-such-folder"), Path::new("no-such-folder"));
        let reason = refire.measure(&case).unwrap_err();
        assert!(reason.starts_with("no-such-folder"), "{reason}");
    }
}
