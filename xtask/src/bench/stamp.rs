//! What a run's figures were measured on, and when.

use std::process::Command;

use serde_json::{Value, json};

use super::reading::cpu_model;
use crate::workspace;

/// Machine, day, version and rounds of a run: stands with its figures.
#[derive(Debug, Clone)]
pub struct Stamp {
    pub machine: String,
    pub date: String,
    pub version: String,
    pub rounds: u32,
}

impl Stamp {
    pub fn now(rounds: u32) -> Self {
        let date = printed(Command::new("date").args(["-u", "+%F"]));
        Self {
            machine: machine(),
            date: date.unwrap_or_else(|| "day unknown".to_owned()),
            version: version(),
            rounds,
        }
    }

    /// The line above a table.
    pub fn line(&self) -> String {
        let Self {
            machine,
            date,
            version,
            rounds,
        } = self;
        format!("{machine}; {date}; version {version}; rounds: {rounds}")
    }

    /// A JSON object with these and `figures` under their name.
    pub fn json(&self, name: &str, figures: Vec<Value>) -> Value {
        json!({
            "machine": self.machine,
            "date": self.date,
            "version": self.version,
            "rounds": self.rounds,
            name: figures,
        })
    }
}

/// The processor and the cores this process may use.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| cpu_model(&text))
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    format!("{model}, {cores} cores")
}

/// The commit, marked where files differ from it; without git the version of the package.
fn version() -> String {
    let package = env!("CARGO_PKG_VERSION");
    let describe = || {
        let mut git = Command::new("git");
        git.args(["describe", "--tags", "--always", "--dirty"]);
        printed(git.current_dir(workspace::root().ok()?))
    };
    describe().map_or(package.to_owned(), |commit| format!("{package} ({commit})"))
}

/// The line that a command prints.
fn printed(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_with_their_day_and_version() {
        let stamp = Stamp::now(3);
        let value = stamp.json("rows", vec![json!(1)]);
        assert_eq!(
            (&value["rounds"], &value["rows"][0]),
            (&json!(3), &json!(1))
        );
        assert_eq!(value["date"].as_str().map(str::len), Some(10));
        let version = value["version"].as_str().unwrap();
        assert!(version.starts_with(env!("CARGO_PKG_VERSION")), "{version}");
        assert!(stamp.line().contains(&format!("version {version};")));
    }
}
