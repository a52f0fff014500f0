//! What a run's figures were measured on, and when.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

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
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            machine: machine(),
            date: date(since.map_or(0, |since| since.as_secs() / 86_400)),
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
        let output = git.current_dir(workspace::root().ok()?).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
    };
    describe().map_or(package.to_owned(), |commit| format!("{package} ({commit})"))
}

/// The Gregorian date of a day counted from 1970-01-01.
///
/// Years start in March, so that a leap day comes last: `153 m + 2` fifths of days lie before month `m`.
fn date(days: u64) -> String {
    const ERA: u64 = 146_097; // Days of 400 years.
    let day = days + 719_468; // From 0000-03-01.
    let (era, day) = (day / ERA, day % ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    format!("{:04}-{month:02}-{day:02}", 400 * era + year + next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_817, "2026-12-30"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(days), expected);
        }
    }

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
