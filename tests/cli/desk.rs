//! A folder to run the command in, with looks at what it left there.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The folder; removed in the end.
pub struct Desk {
    folder: TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.bytes(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// What a command prints, as JSON.
    pub fn json_of(&self, line: &str) -> Value {
        serde_json::from_str(&self.ok(line).0).expect("JSON")
    }

    /// Runs `refire` in the folder with the words of a line as arguments.
    pub fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// `refire` to be run in the folder with the words of a line as arguments.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_refire"));
        command
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .env("RUST_BACKTRACE", "0");
        command
    }

    /// Runs `refire`, which must succeed; its standard output and standard error.
    pub fn ok(&self, line: &str) -> (String, String) {
        let output = self.run(line);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        let code = output.status.code();
        assert_eq!(code, Some(0), "refire {line}\n{stderr}{stdout}");
        (stdout, stderr)
    }

    /// Runs `refire`, which must refuse: exit code 2, one line on standard error with all the
    /// parts, nothing on standard output, nothing in the folder touched.
    pub fn refused(&self, line: &str, parts: &[&str]) {
        let before = self.everything();
        self.refused_as_is(line, parts);
        let untouched = self.everything() == before;
        assert!(untouched, "refire {line}\nchanged the folder");
    }

    /// [`Self::refused`] in a folder that another process changes.
    pub fn refused_as_is(&self, line: &str, parts: &[&str]) {
        let output = self.run(line);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "refire {line}\n{stderr}");
        assert_eq!(output.stdout, b"", "refire {line}");
        let message = stderr.strip_suffix('\n').unwrap_or_default();
        assert!(
            message.starts_with("refire: ") && !message.contains('\n'),
            "refire {line}\nnot one line: {stderr}"
        );
        for part in parts {
            let shown = message.contains(part);
            assert!(shown, "refire {line}\n'{part}' is not in: {message}");
        }
    }

    /// Every file and folder below, with its bytes.
    fn everything(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.folder.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path.clone());
                    found.insert(path, None);
                } else {
                    let bytes = std::fs::read(&path).unwrap();
                    found.insert(path, Some(bytes));
                }
            }
        }
        found
    }
}

/// Checks the JSON of a fit or an evaluation: every figure of the contract is there, as a number
/// or as null with a reason, and no number is anything but finite.
pub fn check_figures(json: &Value) {
    const TEST: [&str; 9] = [
        "bits_per_spike",
        "psth_correlation",
        "psth_correlation_ceiling",
        "noise_correlation_pearson",
        "noise_correlation_r2",
        "noise_correlation_ceiling_pearson",
        "noise_correlation_ceiling_r2",
        "rate_hz_data",
        "rate_hz_model",
    ];
    let test = json["test"].as_object().unwrap();
    for key in TEST {
        assert!(test.contains_key(key), "test.{key} is missing");
    }
    let reason = |key: &str| json["reasons"][key].as_str().unwrap_or_default();
    for (name, figure) in test {
        let key = format!("test.{name}");
        assert!(figure.is_number() || figure.is_null(), "{key} is {figure}");
        assert_eq!(figure.is_null(), !reason(&key).is_empty(), "{key}: {json}");
    }
    for (name, figures) in json["units"].as_object().unwrap() {
        let key = format!("units.{name}");
        let missing = figures.as_array().unwrap().iter().any(Value::is_null);
        assert_eq!(missing, !reason(&key).is_empty(), "{key}: {json}");
    }
    for reason in json["reasons"].as_object().unwrap().values() {
        let text = reason.as_str().unwrap();
        assert!(!text.contains("NaN") && !text.contains('\n'), "{text}");
    }
    check_runs(&json["stability"], 500);
    match json["stability"]["protocol"].as_str().unwrap() {
        "trials" => check_runs(&json["stability"]["in_a_row"], 200),
        other => assert_eq!(
            (other, json["stability"]["in_a_row"].is_null()),
            ("continuous", true)
        ),
    }
    // What is not measurable has an interval of its ceiling, or the ceiling itself, that is not above 0.
    let named = [
        (
            "PSTH correlation",
            "psth_correlation",
            "psth_correlation_ceiling",
        ),
        (
            "noise correlation, Pearson",
            "noise_correlation_pearson",
            "noise_correlation_ceiling_pearson",
        ),
        (
            "noise correlation, R2",
            "noise_correlation_r2",
            "noise_correlation_ceiling_r2",
        ),
    ];
    let listed = json["not_measurable"].as_array().unwrap();
    for (name, key, ceiling) in named {
        let low = json["ceiling_intervals"][key][0]
            .as_f64()
            .or(test[ceiling].as_f64());
        let expected = low.is_some_and(|low| low <= 0.0);
        assert_eq!(listed.iter().any(|n| n == name), expected, "{name}: {json}");
    }
}

/// Checks a verdict against the runs that it is of.
fn check_runs(stability: &Value, least: u64) {
    let runs = stability["runs"].as_u64().unwrap();
    let share = stability["divergent_share"].as_f64().unwrap();
    let verdict = stability["verdict"].as_str().unwrap();
    let high = stability["interval"][1].as_f64().unwrap();
    let expected = match share {
        _ if high < 0.01 => "stable",
        s if s <= 0.01 => "not enough runs",
        s if s <= 0.5 => "fragile",
        _ => "divergent",
    };
    assert_eq!(verdict, expected, "{stability}");
    assert!(runs >= least && stability["interval"][0].as_f64().unwrap() <= share);
    // Where so many do not tell, more were made.
    if least == 500 && verdict == "not enough runs" {
        assert_eq!(runs, 2000);
    }
}

/// Checks `fit.json`: the figures, and the losses, settings, seed and time of the fit.
pub fn check_fit(json: &Value, iterations: usize) {
    check_figures(json);
    let terms = json["losses"]["terms"].as_object().unwrap();
    // The likelihood alone is solved to its optimum, whose loss is the only one.
    let solved = json["settings"]["optimizer"] == "lbfgs" && json["settings"]["objective"] == "mle";
    assert_eq!(
        json["settings"]["optimizer"] == "lbfgs",
        json["maximum_likelihood"].is_object()
    );
    let losses = if solved { 1 } else { iterations };
    for (name, values) in terms {
        let values = values.as_array().unwrap();
        assert_eq!(values.len(), losses, "losses of {name}");
        assert!(values.iter().all(Value::is_number), "losses of {name}");
    }
    assert!(json["wall_seconds"].as_f64().unwrap() >= 0.0);
    assert_eq!(json["seed"], json["settings"]["seed"]);
    // None are made where the optimum is all: the default stands there.
    let made = if solved { 300 } else { iterations };
    assert_eq!(json["settings"]["iterations"], made);
}
