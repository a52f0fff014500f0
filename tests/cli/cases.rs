//! Inputs that people bring, as `cases/make.py` of the shared folder writes them, and its damaged files: a test for
//! each row of its table. Without that folder, or numpy, they are skipped.

use crate::desk::Desk;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// The folder of the cases, where there is one.
fn shared() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("REFIRE_SHARED").map_or("../shared".into(), PathBuf::from);
    workspace.join(shared).join("cases").canonicalize().ok()
}

/// A folder with every recording of the table.
fn made() -> Option<&'static Path> {
    static MADE: OnceLock<Option<TempDir>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut python = Command::new("python3");
        let ran = python.arg(shared()?.join("make.py")).arg(folder.path());
        let succeeded = ran.output().is_ok_and(|output| output.status.success());
        succeeded.then_some(folder)
    });
    if made.is_none() {
        println!("skipped: no cases");
    }
    made.as_ref().map(TempDir::path)
}

/// A desk with a copy of some of them.
fn desk(names: &[&str]) -> Option<Desk> {
    let made = made()?;
    let desk = Desk::new();
    for name in names {
        let file = format!("{name}.npz");
        desk.write(&file, std::fs::read(made.join(&file)).unwrap());
    }
    Some(desk)
}

fn number(json: &Value, key: &str) -> f64 {
    json["test"][key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key}: {json}"))
}

#[test]
fn a_grid_of_one_ms_has_a_spike_in_every_bin() {
    let Some(desk) = desk(&["grid_1ms_f4", "grid_1ms_f8"]) else {
        return;
    };
    for name in ["grid_1ms_f4", "grid_1ms_f8"] {
        let (info, _) = desk.ok(&format!("info {name}.npz --bin 1ms"));
        assert!(info.contains("bins per trial   up to 2000"), "{info}");
        assert!(info.contains("0 of 2000 spikes lost"), "{info}");
    }
}

#[test]
fn a_clock_after_a_subtraction_is_warned_of_or_right() {
    let Some(desk) = desk(&["unix_clock"]) else {
        return;
    };
    let (info, _) = desk.ok("info unix_clock.npz --bin 1ms");
    let right = info.contains("0 of 2000 spikes lost") && info.contains("up to 2000");
    assert!(right || info.contains("edge"), "{info}");
}

#[test]
fn durations_of_float32_make_no_bin_more() {
    let Some(desk) = desk(&["duration_f4", "spike_at_end_f4"]) else {
        return;
    };
    let (info, _) = desk.ok("info duration_f4.npz --bin 10ms");
    assert!(info.contains("bins per trial   up to 110"), "{info}");
    let (info, _) = desk.ok("info spike_at_end_f4.npz --bin 10ms");
    assert!(info.contains("spikes      2"), "{info}");
}

#[test]
fn rates_are_by_seconds() {
    let Some(desk) = desk(&["partial_bin"]) else {
        return;
    };
    let (info, _) = desk.ok("info partial_bin.npz --bin 100ms");
    assert!(info.contains("mean 8.00 Hz"), "{info}");
}

#[test]
fn times_in_samples_are_remarked_and_read_as_such() {
    let Some(desk) = desk(&["samples"]) else {
        return;
    };
    let (info, _) = desk.ok("info samples.npz --bin 1000s");
    assert!(info.contains("--time-unit"), "{info}");
    let (info, _) = desk.ok("info samples.npz --bin 10ms --time-unit samples=30000");
    assert!(
        info.contains("40 of 1.000 to 1.000 s") && !info.contains("--time-unit"),
        "{info}"
    );
}

#[test]
fn types_that_people_have_are_read() {
    let names = [
        "float_indices",
        "integer_duration",
        "no_n_units",
        "nan_padding",
        "int_stimulus",
    ];
    let Some(desk) = desk(&names) else { return };
    for name in names {
        let (info, _) = desk.ok(&format!("info {name}.npz --bin 10ms"));
        let (trials, units) = match name {
            "int_stimulus" => (60, 4),
            _ => (40, 5),
        };
        assert!(
            info.contains(&format!("trials      {trials} of")),
            "{name}: {info}"
        );
        assert!(
            info.contains(&format!("units       {units}")),
            "{name}: {info}"
        );
    }
    desk.ok("fit int_stimulus.npz --objective mle --lags 2 --out fit");
}

#[test]
fn text_labels_are_kept() {
    let Some(desk) = desk(&["string_condition"]) else {
        return;
    };
    let (info, _) = desk.ok("info string_condition.npz --bin 10ms");
    assert!(
        info.contains("left (20 trials), right (20 trials)"),
        "{info}"
    );
    desk.ok("fit string_condition.npz --bin 10ms --objective mle --lags 2 --out fit");
    let report = String::from_utf8(desk.bytes("fit/report.html")).unwrap();
    assert!(report.contains("left"));
    desk.ok("simulate fit/model.refire --conditions right --trials 3 --out sim.npz");
    let (info, _) = desk.ok("info sim.npz");
    assert!(info.contains("right (3 trials)"), "{info}");
}

#[test]
fn a_stimulus_covers_the_trials_or_is_spoken_of() {
    let Some(desk) = desk(&["stimulus", "stimulus_short", "stimulus_half"]) else {
        return;
    };
    let fit = |name: &str| {
        let line =
            format!("fit {name}.npz --objective mle --lags 3 --stimulus-lags 3 --out {name}");
        let (_, notes) = desk.ok(&line);
        (
            number(&desk.json(&format!("{name}/fit.json")), "bits_per_spike"),
            notes,
        )
    };
    let (whole, _) = fit("stimulus");
    assert!((whole - 0.484).abs() < 0.005, "{whole}");
    let (short, notes) = fit("stimulus_short");
    assert!(
        (short - whole).abs() < 0.02 && notes.contains("stimulus"),
        "{short}: {notes}"
    );
    desk.refused(
        "fit stimulus_half.npz --objective mle --lags 3 --out half",
        &["stimulus"],
    );
}

#[test]
fn a_model_is_driven_by_the_stimulus_of_the_recording() {
    let Some(desk) = desk(&["stimulus_a", "stimulus_b"]) else {
        return;
    };
    desk.ok("fit stimulus_a.npz --objective mle --lags 2 --stimulus-lags 2 --out fit");
    let json = desk.json_of("evaluate fit/model.refire stimulus_b.npz --json");
    let bits = number(&json, "bits_per_spike");
    assert!((bits - 1.0).abs() < 0.05, "{bits}");
}

#[test]
fn trials_of_their_own_stimulus_are_held_out_whole() {
    let Some(desk) = desk(&["own_stimulus"]) else {
        return;
    };
    desk.ok("fit own_stimulus.npz --objective mle --lags 3 --stimulus-lags 3 --out fit");
    let json = desk.json("fit/fit.json");
    assert_eq!(json["trials"], 15);
    assert!(number(&json, "bits_per_spike") > 0.2 && number(&json, "rate_hz_data") > 0.0);
    let reason = json["reasons"]["test.psth_correlation"].as_str().unwrap();
    assert!(reason.contains("no repeats"), "{reason}");
}

#[test]
fn a_short_trial_is_left_out_with_a_remark() {
    let Some(desk) = desk(&["one_short_trial"]) else {
        return;
    };
    let (_, notes) = desk.ok("fit one_short_trial.npz --objective mle --lags 9 --out fit");
    assert!(notes.contains("9 (5 bins)"), "{notes}");
}

#[test]
fn a_long_trial_takes_memory_by_its_length() {
    let Some(desk) = desk(&["long_trial"]) else {
        return;
    };
    desk.ok("--max-memory 300MB fit long_trial.npz --objective mle --lags 3 --out fit");
}

#[test]
fn what_is_clipped_stands_where_the_rate_does() {
    let Some(desk) = desk(&["many_per_bin"]) else {
        return;
    };
    let (shown, _) = desk.ok("fit many_per_bin.npz --objective mle --lags 2 --out fit");
    assert!(
        shown.contains("after clipping, which took 66.67 % of the spikes"),
        "{shown}"
    );
    let report = String::from_utf8(desk.bytes("fit/report.html")).unwrap();
    assert!(report.contains("after clipping"));
    let evaluated = desk.json_of("evaluate fit/model.refire many_per_bin.npz --json");
    for json in [desk.json("fit/fit.json"), evaluated] {
        let share = json["clipping"]["clipped_share"].as_f64().unwrap();
        assert!((share - 2.0 / 3.0).abs() < 1e-9, "{share}");
        assert_eq!(json["clipping"]["rate_hz_data"], "after clipping");
    }
}

#[test]
fn a_new_recording_has_no_ceiling_with_the_reason() {
    let Some(desk) = desk(&["old_trials", "new_trials"]) else {
        return;
    };
    desk.ok("fit old_trials.npz --objective mle --lags 2 --out fit");
    let json = desk.json_of("evaluate fit/model.refire new_trials.npz --json");
    assert!(json["test"]["psth_correlation_ceiling"].is_null());
    let reason = json["reasons"]["test.psth_correlation_ceiling"]
        .as_str()
        .unwrap();
    assert!(reason.contains("not the recording of the fit"), "{reason}");
}

#[test]
fn damaged_files_are_refused() {
    let Some(files) = shared().map(|shared| shared.join("files")) else {
        println!("skipped: no cases");
        return;
    };
    let desk = Desk::new();
    let recording = crate::toy::Toy::default().events();
    desk.write("r.npz", recording.bytes());
    let mut tried = 0;
    for entry in std::fs::read_dir(files).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let line = match name {
            "units2e31.npz" => {
                desk.write("bad.npz", bytes);
                "info bad.npz"
            }
            "ckpt-nonfinite.refire" => {
                desk.write("bad/checkpoint.refire", bytes);
                "fit r.npz --resume bad"
            }
            _ => {
                desk.write("bad.refire", bytes);
                "simulate bad.refire --trials 2 --out sim.npz"
            }
        };
        desk.refused(line, &["bad"]);
        tried += 1;
    }
    assert_eq!(tried, 5);
}
