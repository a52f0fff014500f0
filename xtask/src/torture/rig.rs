//! The command in a folder: run to its end, started, killed.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::folder::Folder;

/// What is tortured.
pub struct Programs {
    /// The command.
    pub refire: PathBuf,
    /// The program behind `cargo xtask reproduce`.
    pub reproduce: Option<PathBuf>,
}

/// What every scene has.
#[derive(Clone)]
pub struct Rig {
    program: PathBuf,
    /// The program behind `cargo xtask reproduce`, where it is there.
    reproduce: Option<PathBuf>,
    pub rounds: usize,
    /// State of the generator of moments.
    state: u64,
}

impl Rig {
    pub fn new(programs: Programs, rounds: usize, seed: u64) -> Self {
        let state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Self {
            program: programs.refire,
            reproduce: programs.reproduce,
            rounds,
            state,
        }
    }

    /// The same for `reproduce`, where it is there.
    pub fn of_reproduce(&self) -> Option<Self> {
        let program = self.reproduce.clone()?;
        Some(Self {
            program,
            ..self.clone()
        })
    }

    /// A number from 0 to 1.
    pub fn uniform(&mut self) -> f64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as f64 / (1u64 << 53) as f64
    }
}

impl Rig {
    /// A command line of the program in a folder, as a shell runs it.
    pub fn line(&self, folder: &Folder, arguments: &str) -> String {
        let (folder, program) = (folder.path().display(), self.program.display());
        format!("cd '{folder}' && exec '{program}' {arguments}")
    }

    /// Runs it to its end.
    pub fn end(&self, folder: &Folder, arguments: &str) -> Result<Output> {
        let output = shell(&self.line(folder, arguments)).output();
        output.context("sh cannot be started")
    }

    /// Runs it to its end, which must be a good one.
    pub fn ok(&self, folder: &Folder, arguments: &str) -> Result<()> {
        let output = self.end(folder, arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "{} {arguments}: {} {said}",
            self.program.display(),
            output.status
        );
        Ok(())
    }

    pub fn start(&self, folder: &Folder, arguments: &str) -> Result<Child> {
        let mut command = shell(&self.line(folder, arguments));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().context("sh cannot be started")
    }

    /// A recording and a short fit of it in `fit`.
    pub fn prepare(&self, folder: &Folder) -> Result<()> {
        self.ok(folder, "generate --units 12 --trials 80 --quiet --out .")?;
        self.ok(
            folder,
            "fit recording.npz --lags 4 --iterations 10 --quiet --out fit",
        )
    }

    /// Starts it and kills it at a random moment of the time that it takes; whether it was still running.
    pub fn kill(&mut self, folder: &Folder, arguments: &str, seconds: f64) -> Result<bool> {
        let moment = 1.1 * self.uniform() * seconds;
        let mut child = self.start(folder, arguments)?;
        std::thread::sleep(Duration::from_secs_f64(moment));
        let killed = child.try_wait()?.is_none();
        child.kill()?;
        child.wait()?;
        Ok(killed)
    }
}

/// A command as a shell line, which may have limits and redirections.
pub fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}
