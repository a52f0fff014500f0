//! Real recordings, in both forms, through every command that reads one.

use crate::desk::{Desk, check_figures, check_fit};
use std::path::PathBuf;

struct Recording {
    name: &'static str,
    /// Width of the bins of its binned form.
    bin: &'static str,
    units: usize,
    trials: usize,
    conditions: usize,
    spikes: u64,
    /// A label that the recording has.
    label: i64,
}

#[rustfmt::skip]
const RECORDINGS: [Recording; 8] = [
    Recording { name: "salamander_retina_movie", bin: "20ms", units: 50, trials: 297, conditions: 1, spikes: 544_080, label: 0 },
    Recording { name: "monkey_motor_7reaches", bin: "5ms", units: 61, trials: 210, conditions: 7, spikes: 50_353, label: 6 },
    Recording { name: "monkey_motor_2reaches_varlen", bin: "10ms", units: 61, trials: 112, conditions: 2, spikes: 103_478, label: 1 },
    Recording { name: "cockroach_al_3odors", bin: "20ms", units: 3, trials: 60, conditions: 3, spikes: 42_944, label: 2 },
    Recording { name: "mouse_olfactory_bulb_pinene", bin: "5ms", units: 30, trials: 45, conditions: 1, spikes: 12_551, label: 0 },
    Recording { name: "auditory_cortex_18sounds_a", bin: "10ms", units: 51, trials: 3618, conditions: 18, spikes: 184_001, label: 17 },
    Recording { name: "ferret_auditory_noise", bin: "10ms", units: 5, trials: 20, conditions: 1, spikes: 4_358, label: 0 },
    Recording { name: "mouse_gpe_varlen", bin: "10ms", units: 18, trials: 50, conditions: 1, spikes: 15_209, label: 0 },
];

/// The folder of the recordings, where there is one.
fn data() -> Option<PathBuf> {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("REFIRE_SHARED").map_or("../shared".into(), PathBuf::from);
    let data = workspace.join(shared).join("data").canonicalize().ok();
    if data.is_none() {
        println!("skipped: no recordings");
    }
    data
}

#[test]
fn both_forms_go_through_every_command() {
    let Some(data) = data() else { return };
    for recording in &RECORDINGS {
        let desk = Desk::new();
        let (name, bin) = (recording.name, recording.bin);
        let events = data.join(format!("{name}.npz")).display().to_string();
        let binned = data
            .join(format!("{name}_binned.npz"))
            .display()
            .to_string();

        for file in [&events, &binned] {
            let (info, _) = desk.ok(&format!("info {file} --bin {bin}"));
            let line = |key: &str| {
                let of_key = |line: &&str| line.trim_start().starts_with(key);
                let line = info.lines().find(of_key).unwrap_or_default().trim_start();
                line[key.len()..].trim_start().to_string()
            };
            assert_eq!(line("units"), recording.units.to_string(), "{info}");
            let trials = format!("{} of", recording.trials);
            assert!(line("trials").starts_with(&trials), "{info}");
            let conditions = format!("{}:", recording.conditions);
            assert!(line("conditions").starts_with(&conditions), "{info}");
            assert_eq!(line("spikes"), recording.spikes.to_string(), "{info}");
        }

        // Nothing is left to validation trials, which would take longer than all else.
        let given = "--coupling-prior 0.15 --same-bin-prior 1 --drive-detail 0.35";
        let fit = format!("--lags 4 --iterations 2 --batch 8 --drive condition {given} --quiet");
        desk.ok(&format!("fit {events} --bin {bin} --out events {fit}"));
        desk.ok(&format!("fit {binned} --out binned {fit}"));
        for form in ["events", "binned"] {
            desk.ok(&format!("export {form}/model.refire --out {form}.npz"));
        }
        assert!(
            desk.bytes("events.npz") == desk.bytes("binned.npz"),
            "{name}"
        );
        // Without its stimulus a recording is another one to the model, with the same spikes.
        let same = desk.bytes("events/model.refire") == desk.bytes("binned/model.refire");
        assert_eq!(same, name != "ferret_auditory_noise", "{name}");
        let json = desk.json("events/fit.json");
        check_fit(&json, 2);
        assert!(json["test"]["bits_per_spike"].is_number(), "{name}");
        assert!(
            json["test"]["psth_correlation_ceiling"].is_number(),
            "{name}"
        );

        let model = "events/model.refire";
        let label = recording.label;
        desk.ok(&format!(
            "simulate {model} --out sim.npz --trials 6 --conditions {label}"
        ));
        desk.ok(&format!("evaluate {model} sim.npz --json"));
        for file in [&events, &binned] {
            let (evaluation, _) = desk.ok(&format!("evaluate {model} {file} --json --quiet"));
            let evaluation: serde_json::Value = serde_json::from_str(&evaluation).unwrap();
            check_figures(&evaluation);
            if !same && file == &binned {
                assert_eq!(evaluation["split"], "all");
                continue;
            }
            let without_rates = |json: &serde_json::Value| {
                let mut test = json["test"].clone();
                let rates = [
                    "rate_hz_data",
                    "rate_hz_model",
                    "rate_distance",
                    "rate_distance_ceiling",
                ]
                .map(|key| test[key].take());
                (test, rates.map(|rate| rate.as_f64().unwrap()))
            };
            let ((test, rates), (of_fit, rates_of_fit)) =
                (without_rates(&evaluation), without_rates(&json));
            assert_eq!(test, of_fit, "{name}");
            // Counts do not tell how much of a last bin there is.
            for (rate, of_fit) in rates.iter().zip(rates_of_fit) {
                let exact = file == &events;
                assert!(
                    (rate / of_fit - 1.0).abs() < if exact { 1e-12 } else { 0.01 },
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn a_recording_with_its_stimulus_is_driven_by_it() {
    let Some(data) = data() else { return };
    let desk = Desk::new();
    let file = data.join("ferret_auditory_noise.npz").display().to_string();
    desk.ok(&format!(
        "fit {file} --bin 10ms --out fit --iterations 3 --quiet"
    ));
    let json = desk.json("fit/fit.json");
    check_fit(&json, 3);
    assert_eq!(json["settings"]["drive"], "features");
    desk.ok("simulate fit/model.refire --out sim.npz --trials 3");
    desk.ok("evaluate fit/model.refire sim.npz");
    let binned = data
        .join("ferret_auditory_noise_binned.npz")
        .display()
        .to_string();
    let line = format!("fit {binned} --out new --drive features");
    desk.refused(&line, &["stimulus"]);
}
