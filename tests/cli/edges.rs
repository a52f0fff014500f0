//! Recordings at the edge of what is legitimate: all run to the end, and
//! the figures that cannot exist are null with a reason.

use crate::desk::{Desk, check_figures, check_fit};
use crate::toy::{Fixture, Toy, npy};
use refire::recording::NpzFile;
use serde_json::Value;
use std::process::Stdio;

const QUICK: &str = "--bin 10ms --iterations 3 --quiet";

/// Fits, evaluates, simulates, reads the simulation back and exports: everything exits with 0.
/// Returns fit.json.
pub fn run_through(fixture: &Fixture, options: &str) -> Value {
    run_through_with_lags(fixture, 4, options)
}

/// Fits alone; returns fit.json.
pub fn fitted(fixture: &Fixture, options: &str) -> Value {
    fit_on(&Desk::new(), fixture, 4, options)
}

fn fit_on(desk: &Desk, fixture: &Fixture, lags: usize, options: &str) -> Value {
    desk.write("r.npz", fixture.bytes());
    desk.ok(&format!(
        "fit r.npz --out fit {QUICK} --lags {lags} {options}"
    ));
    let fit = desk.json("fit/fit.json");
    check_fit(&fit, 3);
    let report = String::from_utf8(desk.bytes("fit/report.html")).unwrap();
    assert!(!report.contains("NaN") && report.contains("</html>"));
    fit
}

fn run_through_with_lags(fixture: &Fixture, lags: usize, options: &str) -> Value {
    let desk = Desk::new();
    let fit = fit_on(&desk, fixture, lags, options);
    desk.ok("info r.npz --bin 10ms");
    let model = "fit/model.refire";
    let evaluation = desk.ok(&format!("evaluate {model} r.npz --json --quiet")).0;
    let evaluation: Value = serde_json::from_str(&evaluation).unwrap();
    check_figures(&evaluation);
    for key in ["test", "stability", "units", "reasons", "split", "trials"] {
        assert_eq!(evaluation[key], fit[key], "{key} of fit.json and evaluate");
    }
    desk.ok(&format!("evaluate {model} r.npz --split all"));
    desk.ok(&format!("simulate {model} --out sim.npz --trials 5"));
    desk.ok("info sim.npz");
    let simulated = desk.ok(&format!("evaluate {model} sim.npz --json")).0;
    check_figures(&serde_json::from_str(&simulated).unwrap());
    desk.ok(&format!("export {model} --out params.npz"));
    assert!(desk.path("params.npz").is_file());
    fit
}

fn reason<'a>(fit: &'a Value, key: &str) -> &'a str {
    assert!(fit["test"][key].is_null(), "{key}: {fit}");
    fit["reasons"][format!("test.{key}")].as_str().unwrap()
}

#[test]
fn a_unit_that_never_spikes() {
    let toy = Toy {
        silent: vec![1],
        ..Toy::default()
    };
    for fixture in [toy.events(), toy.binned()] {
        let fit = run_through(&fixture, "");
        assert_eq!(fit["units"]["rate_hz_data"][1], 0.0);
        assert!(fit["units"]["psth_correlation"][1].is_null());
        assert!(fit["test"]["psth_correlation"].is_number());
        assert!(fit["test"]["bits_per_spike"].is_number());
        // Two units that fire make one pair: no correlation over pairs.
        assert!(reason(&fit, "noise_correlation_pearson").contains("pairs"));
    }
}

#[test]
fn no_unit_spikes() {
    let toy = Toy {
        silent: vec![0, 1, 2],
        ..Toy::default()
    };
    for fixture in [toy.events(), toy.binned()] {
        for objective in ["mle", "mle+sm", "sm --hidden 2"] {
            let fit = run_through(&fixture, &format!("--objective {objective}"));
            assert!(reason(&fit, "bits_per_spike").contains("no spikes"));
            assert!(!reason(&fit, "psth_correlation").is_empty());
            assert_eq!(fit["test"]["rate_hz_data"], 0.0);
            let left_out = fit["losses"]["left_out"].as_array().unwrap();
            assert_eq!(left_out.is_empty(), objective == "mle");
        }
    }
}

#[test]
fn conditions_with_one_trial() {
    // Condition 0 has nine trials, the others one each; a small batch may meet only those.
    let labels: Vec<i32> = (0..12).map(|k| (k - 8).max(0)).collect();
    let toy = Toy {
        conditions: Some(labels),
        ..Toy::default()
    };
    for options in ["", "--batch 4", "--batch 4 --form published", "--batch 1"] {
        let fit = run_through(&toy.events(), options);
        assert!(fit["test"]["bits_per_spike"].is_number());
        assert!(fit["losses"]["terms"]["nc"].is_array());
    }
    // One trial for each of twelve conditions: held out whole, and nothing to average.
    let alone = Toy {
        conditions: Some((0..12).collect()),
        ..Toy::default()
    };
    for form in ["corrected", "published"] {
        let fit = run_through(&alone.events(), &format!("--form {form}"));
        assert_eq!(
            (&fit["trials"], &fit["settings"]["drive"]),
            (&3.into(), &"none".into())
        );
        assert!(fit["test"]["bits_per_spike"].is_number());
        for key in [
            "psth_correlation",
            "noise_correlation_r2",
            "psth_correlation_ceiling",
        ] {
            assert!(reason(&fit, key).contains("no repeats"));
        }
        assert!(fit["losses"]["terms"]["nc"].is_null());
        let left_out = fit["losses"]["left_out"][0].as_str().unwrap();
        assert!(left_out.starts_with("nc:"), "{left_out}");
    }
}

#[test]
fn a_single_trial() {
    let toy = Toy {
        bins: vec![40],
        conditions: Some(vec![3]),
        ..Toy::default()
    };
    for objective in ["mle", "sm", "mle+sm"] {
        let fit = run_through(&toy.events(), &format!("--objective {objective}"));
        assert!(!reason(&fit, "bits_per_spike").is_empty());
    }
}

#[test]
fn a_single_unit() {
    let toy = Toy {
        units: 1,
        ..Toy::default()
    };
    for options in ["", "--form published", "--hidden 2", "--objective sm"] {
        let fit = run_through(&toy.events(), options);
        assert!(reason(&fit, "noise_correlation_pearson").contains("pairs"));
        assert!(fit["test"]["psth_correlation"].is_number());
        assert!(fit["test"]["bits_per_spike"].is_number());
    }
    // One unit and one lag: no covariance is left that the fit could match.
    let fit = run_through_with_lags(&toy.events(), 1, "");
    assert!(fit["losses"]["terms"]["nc"].is_null());
    assert!(fit["losses"]["terms"]["psth"].is_array());
}

#[test]
fn a_sample_of_pairs() {
    let toy = Toy {
        units: 5,
        silent: vec![1],
        ..Toy::default()
    };
    let sample = |fit: &Value| fit["losses"]["sampled"].clone();
    // Four units that spike have 12 ordered pairs.
    let fit = run_through(&toy.events(), "--noise-pairs 6 --hidden 1");
    let note =
        "noise covariance on a random sample of 6 of 12 ordered pairs of units per iteration";
    assert_eq!(sample(&fit), serde_json::json!([note]));
    assert_eq!(fit["settings"]["noise-pairs"], 6);
    let none = serde_json::json!([]);
    for options in ["", "--noise-pairs 12", "--noise-pairs 18446744073709551615"] {
        assert_eq!(sample(&run_through(&toy.events(), options)), none);
    }
    for options in ["--objective mle", "--weight-nc 0"] {
        let fit = run_through(&toy.events(), &format!("--noise-pairs 6 {options}"));
        assert_eq!(sample(&fit), none);
    }
    let desk = Desk::new();
    desk.write("r.npz", toy.events().bytes());
    let line = "fit r.npz --out fit --bin 10ms --lags 4 --iterations 2 --noise-pairs 2";
    let (_, stderr) = desk.ok(line);
    assert!(stderr.contains("note: noise covariance on a random sample of 2 of 12"));
    let report = String::from_utf8(desk.bytes("fit/report.html")).unwrap();
    assert!(report.contains("a random sample of 2 of 12"));
}

#[test]
fn thousands_of_units_have_a_sample_of_pairs_by_default() {
    let toy = Toy {
        bins: vec![4; 12],
        units: 2001,
        silent: (300..2001).collect(),
        ..Toy::default()
    };
    let desk = Desk::new();
    desk.write("r.npz", toy.binned().bytes());
    let line = "fit r.npz --iterations 1 --lags 1 --free-bins 40 --out";
    desk.ok(&format!("{line} fit"));
    let fit = desk.json("fit/fit.json");
    assert_eq!(fit["settings"]["noise-pairs"], 65_536);
    let note = fit["losses"]["sampled"][0].as_str().unwrap();
    assert!(note.contains("65792 of "), "{note}");
    desk.ok(&format!(
        "{line} published --form published --objective mle"
    ));
    let fit = desk.json("published/fit.json");
    assert_eq!(fit["settings"]["noise-pairs"], 0);
}

#[test]
fn no_conditions_are_one_condition_with_a_warning() {
    let toy = Toy {
        conditions: None,
        ..Toy::default()
    };
    for fixture in [toy.events(), toy.binned()] {
        let fit = run_through(&fixture, "");
        assert!(fit["test"]["psth_correlation"].is_number());
        let desk = Desk::new();
        desk.write("r.npz", fixture.bytes());
        let line = "fit r.npz --out fit --bin 10ms --lags 4 --iterations 2";
        let (_, stderr) = desk.ok(line);
        assert!(stderr.contains("note: no key 'condition'"), "{stderr}");
        let (_, stderr) = desk.ok(&format!("{line} --quiet"));
        assert_eq!(stderr, "");
        let (stdout, stderr) = desk.ok("evaluate fit/model.refire r.npz --json");
        assert!(stderr.contains("note: no key 'condition'"), "{stderr}");
        let _: Value = serde_json::from_str(&stdout).unwrap();
        let (stdout, _) = desk.ok("info r.npz");
        assert!(stdout.contains("no key 'condition'"), "{stdout}");
        let _ = desk.ok("simulate fit/model.refire --out sim.npz --conditions 0");
    }
}

#[test]
fn trials_of_unequal_length_and_hardly_longer_than_the_lags() {
    let unequal = Toy {
        bins: (0..12).map(|k| 5 + 5 * k).collect(),
        ..Toy::default()
    };
    let shortest = Toy {
        bins: vec![5; 12],
        ..Toy::default()
    };
    for toy in [unequal, shortest] {
        for options in [
            "--history zero",
            "--history recorded",
            "--history recorded --form published",
            "--history recorded --hidden 2",
            "--drive none",
        ] {
            run_through(&toy.events(), options);
            fitted(&toy.binned(), options);
        }
    }
}

#[test]
fn validation_trials_that_cannot_measure_every_term() {
    // One validation trial per condition: no noise covariance there.
    let fit = run_through(&Toy::default().events(), "--validation-fraction 0.1");
    let losses = &fit["losses"];
    assert!(losses["terms"]["nc"].is_array());
    let validation = &losses["validation"];
    assert!(validation["terms"]["nc"].is_null());
    // The start, near the optimum of the likelihood, is judged as well.
    assert_eq!(validation["iterations"], serde_json::json!([0, 3]));
    assert_eq!(validation["terms"]["mle"].as_array().unwrap().len(), 2);
    assert_eq!(validation["total"].as_array().unwrap().len(), 2);
    let left_out = losses["left_out"][0].as_str().unwrap();
    assert!(left_out.starts_with("validation: nc:"), "{left_out}");
}

/// A model of conditions -3 and 8 with the given history.
fn negative_labels(history: &str) -> Desk {
    let desk = Desk::new();
    let toy = Toy {
        conditions: Some((0..12).map(|k| if k % 2 == 0 { -3 } else { 8 }).collect()),
        ..Toy::default()
    };
    let ids = toy.events().set("unit_ids", npy(&[3], &[70, -4, 9]));
    desk.write("r.npz", ids.bytes());
    desk.ok(&format!(
        "fit r.npz --out fit {QUICK} --lags 4 --history {history}"
    ));
    desk
}

#[test]
fn simulations_have_the_trials_conditions_and_lengths_asked_for() {
    for (history, first_bin) in [("zero", 0), ("recorded", 4)] {
        let desk = negative_labels(history);
        let simulate = "simulate fit/model.refire --out sim.npz";
        let read = || NpzFile::open(desk.path("sim.npz")).unwrap();

        desk.ok(&format!("{simulate} --trials 5 --conditions 8,-3"));
        let mut sim = read();
        assert_eq!(sim.i64("condition").unwrap().values, [8, -3, 8, -3, 8]);
        assert_eq!(sim.u8("counts").unwrap().shape, [5, 40, 3]);
        assert_eq!(sim.i64("n_bins").unwrap().values, [40; 5]);
        assert_eq!(sim.scalar_f64("bin_size").unwrap(), 0.01);
        assert_eq!(sim.i64("unit_ids").unwrap().values, [70, -4, 9]);
        assert_eq!(sim.scalar_i64("first_bin").unwrap(), first_bin);
        let counts = sim.u8("counts").unwrap().values;
        assert!(counts.iter().all(|&z| z <= 1) && counts.contains(&1));

        desk.ok(&format!("{simulate} --trials 3 --conditions -3"));
        assert_eq!(read().i64("condition").unwrap().values, [-3; 3]);
        // As many as the training trials: three of four or so, in both conditions.
        desk.ok(simulate);
        let labels = read().i64("condition").unwrap().values;
        let of = |label| labels.iter().filter(|&&l| l == label).count();
        assert_eq!((of(-3), of(8)), (3, 3));

        // A longer run goes on from a shorter one; seeds and presentations change what follows.
        desk.ok(&format!("{simulate} --trials 4 --seed 9"));
        let one = read().u8("counts").unwrap();
        desk.ok(&format!("{simulate} --trials 4 --seed 9 --presentations 3"));
        let three = read().u8("counts").unwrap();
        let bins = 40 + 2 * (40 - first_bin as usize);
        assert_eq!(three.shape, [4, bins, 3]);
        desk.refused(
            "evaluate fit/model.refire sim.npz",
            &[&format!("{bins} bins"), "--presentations 1"],
        );
        for trial in 0..4 {
            let of = |a: &[u8], bins: usize| a[trial * bins * 3..][..120].to_vec();
            assert_eq!(of(&one.values, 40), of(&three.values, bins));
        }
        desk.ok("info sim.npz");
        desk.ok(&format!("{simulate} --trials 4 --seed 10"));
        assert_ne!(read().u8("counts").unwrap(), one);
    }
}

#[test]
fn exports_hold_what_the_help_says() {
    let desk = negative_labels("zero");
    desk.ok("export fit/model.refire --out params.npz");
    let mut file = NpzFile::open(desk.path("params.npz")).unwrap();
    let keys = [
        "basis",
        "bias",
        "bin_size",
        "conditions",
        "couplings",
        "couplings_same_bin",
        "drive",
        "drive_weights",
        "observed",
        "test_trials",
        "theta",
        "training_trials",
        "unit_ids",
        "validation_trials",
    ];
    assert_eq!(file.names(), keys);
    assert_eq!(file.f64("couplings").unwrap().shape, [3, 4, 3]);
    assert_eq!(file.f64("bias").unwrap().shape, [3]);
    assert_eq!(file.i64("unit_ids").unwrap().values, [70, -4, 9]);
    assert_eq!(file.i64("conditions").unwrap().values, [-3, 8]);
    assert_eq!(file.scalar_f64("theta").unwrap(), 0.4);
    assert_eq!(file.scalar_f64("bin_size").unwrap(), 0.01);
    assert_eq!(file.scalar_i64("observed").unwrap(), 3);
    // The drive is the basis times the weights, [condition][function][unit].
    let (drive, basis) = (file.f64("drive").unwrap(), file.f64("basis").unwrap());
    let weights = file.f64("drive_weights").unwrap().values;
    let functions = basis.shape[1];
    assert_eq!((&drive.shape[..], basis.shape[0]), (&[2, 40, 3][..], 40));
    assert_eq!(weights.len(), 2 * functions * 3);
    assert!(weights.iter().any(|&w| w != 0.0));
    for (at, &x) in drive.values.iter().enumerate() {
        let (condition, bin, unit) = (at / 120, at / 3 % 40, at % 3);
        let sum: f64 = (0..functions)
            .map(|f| {
                let weight = weights[(condition * functions + f) * 3 + unit];
                basis.values[bin * functions + f] * weight
            })
            .sum();
        assert!(
            (sum - x).abs() < 1e-6 * (1.0 + x.abs()),
            "{condition} {bin} {unit}: {sum} {x}"
        );
    }

    // From drawn couplings: near an optimum, the start may be what is kept, in which hidden units do nothing.
    let hidden = "fit r.npz --out other --lags 5 --hidden 2 --drive none --iterations 2 --bin 10ms --initial-scale 0.1";
    desk.ok(hidden);
    desk.ok("export other/model.refire --out params.npz");
    let mut file = NpzFile::open(desk.path("params.npz")).unwrap();
    assert_eq!(file.f64("couplings").unwrap().shape, [5, 5, 5]);
    // Hidden units, the last two, come first in the order of a bin.
    let same_bin = file.f64("couplings_same_bin").unwrap();
    assert_eq!(same_bin.shape, [5, 5]);
    let place = |unit: usize| (unit + 2) % 5;
    for (at, &w) in same_bin.values.iter().enumerate() {
        let behind = place(at / 5) < place(at % 5);
        assert_eq!(w != 0.0, behind, "{} to {}", at / 5, at % 5);
    }
    desk.ok(&format!("{hidden} --same-bin off"));
    desk.ok("export other/model.refire --out without.npz");
    let without = NpzFile::open(desk.path("without.npz")).unwrap();
    assert!(!without.contains("couplings_same_bin"));
    assert_eq!(file.f64("drive_weights").unwrap().shape, [0]);
    assert_eq!(file.scalar_i64("observed").unwrap(), 3);
    assert!(!file.contains("basis"));
    assert!(file.f64("drive").unwrap().values.iter().all(|&x| x == 0.0));
}

#[test]
fn a_fit_that_leaves_the_finite_numbers_says_so_and_writes_nothing() {
    let desk = Desk::new();
    desk.write("r.npz", Toy::default().events().bytes());
    for (at, options) in [
        "--optimizer adam --learning-rate 1e300",
        "--learning-rate 1e300 --validation-fraction 0",
        "--learning-rate 1e300 --validation-fraction 0 --iterations 1",
        "--weight-nc 1e300",
    ]
    .iter()
    .enumerate()
    {
        let line = format!("fit r.npz --out fit{at} --bin 10ms --lags 4 --quiet {options}");
        let output = desk.run(&line);
        let stderr = String::from_utf8(output.stderr).unwrap();
        if at != 2 {
            assert_eq!(output.status.code(), Some(1), "{line}: {stderr}");
            assert_eq!(stderr.lines().count(), 1, "{stderr}");
            assert!(stderr.contains("is not finite"), "{stderr}");
            assert!(!desk.path(format!("fit{at}")).exists());
            continue;
        }
        let (json, _) = desk.ok(&format!("evaluate fit{at}/model.refire r.npz --json"));
        check_figures(&serde_json::from_str(&json).unwrap());
        desk.ok(&format!("export fit{at}/model.refire --out params.npz"));
        let couplings = NpzFile::open(desk.path("params.npz"))
            .unwrap()
            .f64("couplings");
        assert!(couplings.unwrap().values.iter().all(|w| w.abs() < 1.0));
    }
}

#[test]
fn a_reader_may_stop_reading() {
    let desk = negative_labels("zero");
    for line in [
        "info r.npz",
        "evaluate fit/model.refire r.npz --json",
        "evaluate fit/model.refire r.npz",
        "fit r.npz --out again --bin 10ms --iterations 1",
    ] {
        let mut child = desk
            .command(line)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{line}");
    }
    check_fit(&desk.json("again/fit.json"), 1);
}

#[test]
fn a_synthetic_recording_is_judged_against_its_truth() {
    let desk = Desk::new();
    desk.ok("generate --out g --units 6 --hidden 2 --trials 12 --bins 50 --seed 4");
    let fit = "fit g/recording.npz --out fit --bin 10ms --lags 5 --iterations 3 --hidden 2";
    desk.ok(fit);
    let line = "evaluate fit/model.refire g/recording.npz --truth g/truth.npz";
    let json: Value = serde_json::from_str(&desk.ok(&format!("{line} --json")).0).unwrap();
    check_figures(&json);
    assert_eq!(json["split"], "test");
    for key in ["correlation", "r2", "sign_agreement", "auc"] {
        assert!(json["connectivity"][key].is_number(), "{json}");
    }
    let (table, _) = desk.ok(line);
    assert!(table.contains("connectivity against the truth"), "{table}");
}
