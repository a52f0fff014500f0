//! Recordings of one long trial: cut, held out in stretches, fitted in memory that grows with their length.

use crate::desk::Desk;
use crate::toy::{Fixture, npy};
use serde_json::Value;

const UNITS: usize = 3;

/// Numbers from 0 to 1.
fn uniforms(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// So many bins of 20 ms of three units, of which the second follows the first by a bin.
fn ongoing(bins: usize, seed: u64) -> Vec<u8> {
    let mut uniform = uniforms(seed);
    let mut spikes = vec![0; bins * UNITS];
    for t in 0..bins {
        let first = t > 0 && spikes[(t - 1) * UNITS] == 1;
        for (j, p) in [0.1, if first { 0.5 } else { 0.05 }, 0.08]
            .into_iter()
            .enumerate()
        {
            spikes[t * UNITS + j] = u8::from(uniform() < p);
        }
    }
    spikes
}

/// One trial.
fn continuous(spikes: &[u8]) -> Fixture {
    let bins = spikes.len() / UNITS;
    Fixture::default()
        .set("counts", npy(&[1, bins as u64, UNITS as u64], spikes))
        .set("bin_size", npy(&[], &[0.02]))
        .set("n_bins", npy(&[1], &[bins as i32]))
}

fn trials(json: &Value, key: &str) -> Vec<u64> {
    let trials = json["held_out"][key].as_array().unwrap();
    trials.iter().map(|k| k.as_u64().unwrap()).collect()
}

#[test]
fn one_long_trial_is_cut_held_out_and_judged() {
    let desk = Desk::new();
    desk.write("r.npz", continuous(&ongoing(5000, 1)).bytes());
    let (shown, notes) = desk.ok("fit r.npz --objective mle --lags 3 --out fit");
    // Stretches of ongoing activity have no time course in common.
    assert!(
        shown.contains(
            "- PSTH correlation: not measurable in this recording: its own trials agree by"
        ),
        "{shown}"
    );
    let report = String::from_utf8(desk.bytes("fit/report.html")).unwrap();
    assert!(report.contains("not measurable in this recording"));
    assert!(report.contains("Each piece goes on from the one before"));
    assert_eq!(
        desk.json("fit/fit.json")["stability"]["protocol"],
        "continuous"
    );
    assert!(report.contains("Stretches of a continuous recording are held out"));
    assert!(report.contains("L-BFGS to the optimum of the likelihood, ridge"));
    assert!(
        notes.contains("1 trial is cut into 10 pieces of 10.000 s"),
        "{notes}"
    );
    let json = desk.json("fit/fit.json");
    assert_eq!(json["settings"]["trial-length"], 10.0);
    // What the time since the start of a piece tells is nothing.
    assert_eq!(json["settings"]["drive"], "none");
    assert_eq!(
        (trials(&json, "test").len(), json["trials"].as_u64()),
        (3, Some(3))
    );
    assert!(json["test"]["bits_per_spike"].as_f64().unwrap() > 0.1);
    // The same recording, cut the same way.
    let again = desk.json_of("evaluate fit/model.refire r.npz --json");
    assert_eq!(again["test"], json["test"]);
    // Another one, of another length.
    desk.write("other.npz", continuous(&ongoing(3300, 2)).bytes());
    let other = desk.json_of("evaluate fit/model.refire other.npz --json");
    assert_eq!(other["trials"], 7);
    assert!(other["test"]["bits_per_spike"].as_f64().unwrap() > 0.1);
    // Simulated trials are pieces already; several in a row are not cut again.
    desk.ok("simulate fit/model.refire --trials 9 --out sim.npz");
    assert_eq!(
        desk.json_of("evaluate fit/model.refire sim.npz --json")["trials"],
        9
    );
    desk.ok("simulate fit/model.refire --trials 9 --presentations 2 --out two.npz");
    desk.refused("evaluate fit/model.refire two.npz", &["presentations"]);
    // Pieces are long beside the lags.
    let (_, notes) = desk.ok("fit r.npz --objective mle --lags 40 --out long");
    assert!(notes.contains("3 pieces of 41.000 s"), "{notes}");
    // Whole, as one trial: nothing to hold out.
    desk.ok("fit r.npz --objective mle --lags 3 --trial-length 0 --out whole");
    let whole = desk.json("whole/fit.json");
    assert!(trials(&whole, "test").is_empty() && whole["settings"]["trial-length"].is_null());
    let (shown, _) = desk.ok("info r.npz");
    assert!(shown.contains("one long trial: a fit cuts it into pieces of 10 s"));
    for (line, expected) in [
        ("fit r.npz --out x --trial-length soon", "--trial-length"),
        (
            "fit r.npz --out x --trial-length 5s --history zero",
            "history",
        ),
        (
            "fit r.npz --out x --hold-out segments=4",
            "4 segments of 10 trials",
        ),
        ("fit r.npz --out x --hold-out segments=0", "segments=N"),
        ("fit r.npz --out x --hold-out some", "segments=N"),
    ] {
        desk.refused(line, &[expected]);
    }
}

#[test]
fn stretches_are_held_out_together_and_resume_and_config_keep_them() {
    let desk = Desk::new();
    desk.write("r.npz", continuous(&ongoing(6000, 1)).bytes());
    let fit = "fit r.npz --lags 3 --iterations 4 --trial-length 2s --hold-out segments=3";
    desk.ok(&format!("{fit} --checkpoint-every 2 --out fit"));
    let json = desk.json("fit/fit.json");
    assert_eq!(json["settings"]["hold-out"], "segments=3");
    let test = trials(&json, "test");
    let stretches = test.chunk_by(|a, b| a + 1 == *b).count();
    assert_eq!((test.len(), stretches), (15, 3));
    let model = desk.bytes("fit/model.refire");
    desk.ok("fit r.npz --resume fit");
    assert_eq!(desk.bytes("fit/model.refire"), model);
    desk.refused(
        "fit r.npz --resume fit --trial-length 5s",
        &["setting trial-length", "2 s", "5 s"],
    );
    let (config, _) = desk.ok(&format!("{fit} --print-config"));
    desk.write("fit.toml", config.into_bytes());
    desk.ok("fit r.npz --config fit.toml --out again");
    assert_eq!(desk.bytes("again/model.refire"), model);
}

#[test]
fn pieces_bring_their_part_of_the_stimulus() {
    let desk = Desk::new();
    let bins = 4000;
    let course: Vec<f64> = (0..bins).map(|t| (0.01 * f64::from(t)).sin()).collect();
    let mut uniform = uniforms(5);
    let spikes: Vec<u8> = (course.iter())
        .flat_map(|x| [2.0, -2.0, 1.0].map(|w| (w, *x)))
        .map(|(w, x)| u8::from(uniform() < 1.0 / (1.0 + (2.5 - w * x).exp())))
        .collect();
    let driven = continuous(&spikes)
        .set("stimulus", npy(&[bins as u64, 1], &course))
        .set("stimulus_dt", npy(&[], &[0.02]));
    desk.write("r.npz", driven.bytes());
    let bits = |options: &str, out: &str| {
        desk.ok(&format!(
            "fit r.npz --objective mle --lags 3 --stimulus-lags 2 {options} --out {out}"
        ));
        let json = desk.json_of(&format!(
            "evaluate {out}/model.refire r.npz --split all --json"
        ));
        json["test"]["bits_per_spike"].as_f64().unwrap()
    };
    let (cut, whole) = (bits("", "cut"), bits("--trial-length 0", "whole"));
    assert!(
        cut > 0.1 && (cut - whole).abs() < 0.02,
        "{cut} cut, {whole} whole"
    );
    let reason = &desk.json("cut/fit.json")["reasons"]["test.psth_correlation"];
    assert!(reason.as_str().unwrap().contains("no repeats"));
    // Every piece has its own stimulus, in another recording and over all trials too: no repeats.
    let all = desk.json_of("evaluate cut/model.refire r.npz --split all --json");
    assert!(all["test"]["psth_correlation"].is_null());
    let labels = vec![3i32];
    desk.write(
        "three.npz",
        driven.set("condition", npy(&[1], &labels)).bytes(),
    );
    let (spoken, _) = desk.ok("info three.npz");
    assert!(spoken.contains("1: 3 (1 trials)"), "{spoken}");
    let three = desk.json_of("evaluate cut/model.refire three.npz --json");
    assert!(three["test"]["psth_correlation"].is_null());
    desk.refused(
        "fit r.npz --lags 3 --stimulus-lags 5 --out x",
        &["stimulus-lags", "at most one more than lags"],
    );
}

#[test]
fn a_time_course_over_one_long_trial_takes_memory_by_its_length() {
    // 7.2 GB when its design was dense.
    let desk = Desk::new();
    let mut uniform = uniforms(9);
    let spikes: Vec<u8> = (0..30_000 * UNITS)
        .map(|_| u8::from(uniform() < 0.05))
        .collect();
    desk.write("r.npz", continuous(&spikes).bytes());
    let fit = "fit r.npz --objective mle --lags 2 --trial-length 0 --drive condition --ridge 10 --out fit";
    desk.ok(&format!("--max-memory 300MB {fit}"));
    // The count before the fit may be wrong: the system's own limit, in KiB, of which threads take some.
    let line = format!(
        "ulimit -v 1500000; exec {} --threads 2 {fit}",
        env!("CARGO_BIN_EXE_refire")
    );
    let mut limited = std::process::Command::new("sh");
    let ended = limited
        .args(["-c", &line])
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert_eq!(desk.json("fit/fit.json")["settings"]["drive"], "condition");
}

#[test]
fn short_trials_are_left_out_as_asked() {
    let desk = Desk::new();
    let spikes = ongoing(12 * 40, 3);
    let mut bins = [40; 12];
    bins[4] = 25;
    let mut counts = spikes.clone();
    counts[(4 * 40 + 25) * UNITS..5 * 40 * UNITS].fill(0);
    let fixture = Fixture::default()
        .set("counts", npy(&[12, 40, UNITS as u64], &counts))
        .set("bin_size", npy(&[], &[0.02]))
        .set("n_bins", npy(&[12], &bins));
    desk.write("r.npz", fixture.bytes());
    let fit = "fit r.npz --objective mle --lags 2 --min-trial-bins";
    let (_, notes) = desk.ok(&format!("{fit} 30 --out fit"));
    assert!(
        notes.contains("1 trials of fewer than 30 bins: 4 (25 bins)"),
        "{notes}"
    );
    let json = desk.json("fit/fit.json");
    assert_eq!(json["settings"]["min-trial-bins"], 30);
    let held_out = [trials(&json, "test"), trials(&json, "validation")].concat();
    assert!(!held_out.contains(&4));
    let (_, notes) = desk.ok(&format!("{fit} 25 --out all"));
    assert!(!notes.contains("left out"), "{notes}");
    desk.refused(
        &format!("{fit} 41 --out x"),
        &["trial 0 has 40 bins", "at least 41"],
    );
}
