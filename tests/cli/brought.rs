//! What people bring, through the command: a stimulus belongs to the recording it comes with, and what a recording
//! lacks or has too much of is said.

use crate::desk::Desk;
use crate::toy::{Fixture, Toy, npy};

/// Counts `[trial][bin][unit]` of four units that follow a stimulus.
fn counts(stimulus: &[f64], trials: u64, seed: u64) -> Vec<u8> {
    let weights = [2.0, -2.0, 1.5, 1.0];
    let mut state = seed;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut counts = Vec::new();
    for _ in 0..trials {
        for x in stimulus {
            counts.extend(weights.map(|w| u8::from(uniform() < 1.0 / (1.0 + (2.2 - w * x).exp()))));
        }
    }
    counts
}

/// 60 trials of one condition whose units follow a stimulus.
fn driven(stimulus: &[f64], seed: u64) -> Fixture {
    let bins = stimulus.len() as u64;
    Fixture::default()
        .set("counts", npy(&[60, bins, 4], &counts(stimulus, 60, seed)))
        .set("bin_size", npy(&[], &[0.01]))
        .set("n_bins", npy(&[60], &[bins as i32; 60]))
        .set("condition", npy(&[60], &[0i32; 60]))
        .set("stimulus", npy(&[bins, 1], stimulus))
        .set("stimulus_dt", npy(&[], &[0.01]))
}

fn course(phase: f64) -> Vec<f64> {
    (0..100)
        .map(|t| 1.4 * (0.3 * f64::from(t) + phase).sin() * (0.11 * f64::from(t)).cos())
        .collect()
}

#[test]
fn a_model_meets_a_recording_under_the_stimulus_of_that_recording() {
    let desk = Desk::new();
    let (a, b) = (course(0.0), course(2.0));
    desk.write("a.npz", driven(&a, 1).bytes());
    desk.write("b.npz", driven(&b, 2).bytes());
    desk.ok("fit a.npz --objective mle --lags 2 --stimulus-lags 2 --out fit");
    let bits = |file: &str| {
        let json = desk.json_of(&format!("evaluate fit/model.refire {file} --json"));
        json["test"]["bits_per_spike"].as_f64().unwrap()
    };
    let (own, other) = (bits("a.npz"), bits("b.npz"));
    assert!(
        own > 0.5 && (other - own).abs() < 0.2,
        "{own} on its own, {other} on the other"
    );
    // Driven by the wrong stimulus, the same spikes are far from likely.
    let wrong = driven(&b, 2).set("stimulus", npy(&[100, 1], &a));
    desk.write("wrong.npz", wrong.bytes());
    assert!(bits("wrong.npz") < 0.0);
    // What is missing or of another shape is refused.
    desk.write("none.npz", driven(&b, 2).without("stimulus").bytes());
    desk.refused("evaluate fit/model.refire none.npz", &["stimulus", "none"]);
    let two = driven(&b, 2).set("stimulus", npy(&[100, 2], &[0.5; 200]));
    desk.write("two.npz", two.bytes());
    desk.refused(
        "evaluate fit/model.refire two.npz",
        &["2 features", "expected 1"],
    );
    // Simulated under the other stimulus, and evaluated with what was simulated.
    desk.ok("simulate fit/model.refire --stimulus b.npz --trials 40 --out sim.npz");
    assert!((bits("sim.npz") - other).abs() < 0.3);
    desk.ok("simulate fit/model.refire --trials 40 --out own.npz");
    assert!((bits("own.npz") - own).abs() < 0.3);
    let stimulus = |samples: u64, dt: f64| {
        Fixture::default()
            .set("stimulus", npy(&[samples, 1], &vec![0.5; samples as usize]))
            .set("stimulus_dt", npy(&[], &[dt]))
            .bytes()
    };
    for (samples, dt, part) in [
        (2, 0.01, "2 bins"),
        (1, 1e9, "features in"),
        (1, 1e30, "features in"),
    ] {
        desk.write("s.npz", stimulus(samples, dt));
        desk.refused(
            "simulate fit/model.refire --stimulus s.npz --out x.npz",
            &[part],
        );
    }
    desk.refused(
        "simulate fit/model.refire --stimulus none.npz --out x.npz",
        &["stimulus", "missing"],
    );
}

#[test]
fn a_stimulus_one_sample_short_costs_nothing_and_half_of_one_is_refused() {
    let desk = Desk::new();
    let x: Vec<f64> = course(0.0).iter().map(|x| x + 100.0).collect();
    let whole = driven(&course(0.0), 1);
    let bits = |name: &str, samples: usize| {
        let fixture = whole
            .clone()
            .set("stimulus", npy(&[samples as u64, 1], &x[..samples]));
        desk.write(&format!("{name}.npz"), fixture.bytes());
        let (_, notes) = desk.ok(&format!(
            "fit {name}.npz --objective mle --lags 3 --out {name}"
        ));
        let json = desk.json(&format!("{name}/fit.json"));
        (json["test"]["bits_per_spike"].as_f64().unwrap(), notes)
    };
    let (all, _) = bits("all", 100);
    let (short, notes) = bits("short", 99);
    assert!(
        (all - short).abs() < 0.05,
        "{all}, one sample short {short}"
    );
    assert!(
        notes.contains("1.00 bins before the longest trial"),
        "{notes}"
    );
    let half = whole.set("stimulus", npy(&[50, 1], &x[..50]));
    desk.write("half.npz", half.bytes());
    desk.refused("fit half.npz --out half", &["0.5 s", "1 s"]);
    desk.ok("fit half.npz --drive condition --iterations 2 --out half");
}

#[test]
fn clipping_is_said_where_the_rate_is() {
    let desk = Desk::new();
    let counts = [3u8; 12 * 40 * 3];
    let fixture = Toy::default()
        .binned()
        .set("counts", npy(&[12, 40, 3], &counts));
    desk.write("r.npz", fixture.bytes());
    let (table, notes) = desk.ok("fit r.npz --iterations 2 --out fit");
    assert!(
        table.contains("mean rate: that of the data is after clipping, which took 66.67 %"),
        "{table}"
    );
    assert!(notes.contains("66.67 %"), "{notes}");
    let of_fit = desk.json("fit/fit.json");
    let of_evaluation = desk.json_of("evaluate fit/model.refire r.npz --json");
    for json in [of_fit, of_evaluation] {
        assert_eq!(json["clipping"]["clipped_spikes"], 2 * 12 * 40 * 3);
        assert_eq!(json["clipping"]["rate_hz_data"], "after clipping");
        assert!((json["clipping"]["clipped_share"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-12);
    }
}

#[test]
fn labels_of_text_run_through_every_command() {
    let desk = Desk::new();
    let words: Vec<u8> = (0..12)
        .flat_map(|k| if k % 2 == 0 { *b"left\0" } else { *b"right" })
        .collect();
    let names = b"tetrode 1 cell 1tetrode 1 cell 2tetrode 2 cell 1".to_vec();
    let fixture = Toy::default()
        .events()
        .set("condition", crate::toy::declared("'|S5'", "(12,)", &words))
        .set("unit_ids", crate::toy::declared("'|S16'", "(3,)", &names));
    desk.write("r.npz", fixture.bytes());
    let (info, _) = desk.ok("info r.npz");
    assert!(info.contains("left (6 trials), right (6 trials)"), "{info}");
    desk.ok("fit r.npz --lags 3 --iterations 2 --out fit");
    assert_eq!(
        desk.json("fit/fit.json")["units"]["unit"][2],
        "tetrode 2 cell 1"
    );
    let report = String::from_utf8(desk.bytes("fit/report.html")).unwrap();
    assert!(report.contains("tetrode 2 cell 1") && report.contains("condition left"));
    desk.ok("simulate fit/model.refire --conditions right --trials 4 --out sim.npz");
    let (info, _) = desk.ok("info sim.npz");
    assert!(info.contains("1: right (4 trials)"), "{info}");
    desk.ok("evaluate fit/model.refire sim.npz");
    desk.ok("export fit/model.refire --out out.npz");
    desk.refused(
        "simulate fit/model.refire --conditions up --out x.npz",
        &["condition up", "left, right"],
    );
}

#[test]
fn times_in_milliseconds_are_read_as_told_by_every_command() {
    let desk = Desk::new();
    let ms = |fixture: Fixture| fixture.set("trial_duration", npy(&[12], &[400i64; 12]));
    let spikes: Vec<i64> = (0..60).map(|k| 13 * k % 400).collect();
    let index = |n: i64| (0..60).map(|k| k % n).collect::<Vec<i64>>();
    let fixture = ms(Toy::default().events())
        .set("spike_times", npy(&[60], &spikes))
        .set("spike_trial", npy(&[60], &index(12)))
        .set("spike_unit", npy(&[60], &index(3)));
    desk.write("ms.npz", fixture.bytes());
    let (info, _) = desk.ok("info ms.npz --bin 1s");
    assert!(info.contains("look like samples or milliseconds"), "{info}");
    let (info, _) = desk.ok("info ms.npz --time-unit ms");
    assert!(
        info.contains("12 of 0.400 to 0.400 s") && !info.contains("look like"),
        "{info}"
    );
    desk.ok("fit ms.npz --time-unit ms --lags 3 --iterations 2 --out fit");
    let (config, _) = desk.ok("fit ms.npz --time-unit ms --lags 3 --print-config");
    assert!(config.contains("time-unit = \"ms\""), "{config}");
    let json = desk.json_of("evaluate fit/model.refire ms.npz --time-unit ms --json");
    assert_eq!(json["split"], "test");
    desk.refused(
        "info ms.npz --time-unit min",
        &["--time-unit", "samples=30000"],
    );
}

/// Every trial has a stimulus of its own, two units follow it.
fn own_stimuli() -> Fixture {
    let (mut stimulus, mut spikes) = (Vec::new(), Vec::new());
    for k in 0..60 {
        let own = course(0.37 * f64::from(k));
        spikes.extend(counts(&own, 1, 100 + 7 * k as u64));
        stimulus.extend(own);
    }
    let conditions: Vec<i64> = (0..60).collect();
    driven(&course(0.0), 1)
        .set("counts", npy(&[60, 100, 4], &spikes))
        .set("condition", npy(&[60], &conditions))
        .set("stimulus", npy(&[60, 100, 1], &stimulus))
}

#[test]
fn trials_without_repeats_are_held_out_whole() {
    let desk = Desk::new();
    desk.write("own.npz", own_stimuli().bytes());
    let (info, _) = desk.ok("info own.npz");
    assert!(info.contains("no repeats"), "{info}");
    desk.ok("fit own.npz --objective mle --lags 2 --stimulus-lags 2 --out fit");
    let json = desk.json("fit/fit.json");
    assert_eq!(
        (json["trials"].as_u64(), json["settings"]["drive"].as_str()),
        (Some(15), Some("features"))
    );
    assert_eq!(json["held_out"]["test"].as_array().unwrap().len(), 15);
    assert!(json["test"]["bits_per_spike"].as_f64().unwrap() > 0.5);
    assert!(json["test"]["rate_hz_data"].is_number() && json["test"]["rate_hz_model"].is_number());
    for absent in [
        "psth_correlation",
        "noise_correlation_pearson",
        "psth_correlation_ceiling",
    ] {
        assert!(json["test"][absent].is_null());
        let reason = json["reasons"][format!("test.{absent}")].as_str().unwrap();
        assert!(reason.contains("no repeats"), "{reason}");
    }
    let report = String::from_utf8(desk.bytes("fit/report.html")).unwrap();
    assert!(
        report.contains(
            "15 of the 15 held-out trials have a condition that the network has not seen"
        )
    );
    // Without a stimulus nothing but the spikes before can tell.
    desk.write("bare.npz", own_stimuli().without("stimulus").bytes());
    desk.ok("fit bare.npz --objective mle --lags 2 --out bare");
    assert_eq!(desk.json("bare/fit.json")["settings"]["drive"], "none");
}

#[test]
fn conditions_can_be_held_out_and_only_for_a_drive_that_can_meet_new_ones() {
    let desk = Desk::new();
    // Ten conditions of six trials.
    let conditions: Vec<i64> = (0..60).map(|k| k % 10).collect();
    let courses: Vec<Vec<f64>> = (0..10).map(|c| course(0.6 * f64::from(c))).collect();
    let spikes: Vec<u8> = (0..60)
        .flat_map(|k| counts(&courses[k % 10], 1, 50 + 7 * k as u64))
        .collect();
    let stimulus = courses.concat();
    let fixture = own_stimuli()
        .set("counts", npy(&[60, 100, 4], &spikes))
        .set("condition", npy(&[60], &conditions))
        .set("stimulus", npy(&[10, 100, 1], &stimulus));
    desk.write("r.npz", fixture.bytes());
    desk.ok(
        "fit r.npz --objective mle --lags 2 --hold-out conditions --test-fraction 0.3 --out fit",
    );
    let json = desk.json("fit/fit.json");
    assert_eq!(json["settings"]["hold-out"], "conditions");
    let of = |key: &str| -> Vec<i64> {
        let trials = json["held_out"][key].as_array().unwrap();
        let mut own: Vec<i64> = trials.iter().map(|k| k.as_i64().unwrap() % 10).collect();
        own.sort_unstable();
        own.dedup();
        own
    };
    let (test, validation) = (of("test"), of("validation"));
    assert_eq!((test.len(), json["trials"].as_u64()), (3, Some(18)));
    assert!(validation.len() == 1 && !test.contains(&validation[0]));
    desk.refused(
        "fit r.npz --drive condition --hold-out conditions --out x",
        &["hold-out", "not seen"],
    );
}

#[test]
fn without_test_trials_every_metric_says_so() {
    let desk = Desk::new();
    desk.write("r.npz", Toy::default().events().bytes());
    desk.ok("fit r.npz --iterations 2 --lags 3 --test-fraction 0 --out fit");
    let json = desk.json("fit/fit.json");
    for (name, metric) in json["test"].as_object().unwrap() {
        assert!(metric.is_null());
        let reason = json["reasons"][format!("test.{name}")].as_str().unwrap();
        assert_eq!(reason, "no trials are held out for testing", "{name}");
    }
}

#[test]
fn a_trial_that_is_too_short_is_left_out_with_a_remark() {
    let desk = Desk::new();
    let mut bins = vec![40; 12];
    bins[9] = 5;
    let toy = Toy {
        bins,
        ..Toy::default()
    };
    desk.write("r.npz", toy.events().bytes());
    let (_, notes) = desk.ok("fit r.npz --lags 9 --iterations 2 --out fit");
    assert!(
        notes.contains("1 trials of fewer than 10 bins: 9 (5 bins)"),
        "{notes}"
    );
    let json = desk.json("fit/fit.json");
    let held_out = |key: &str| json["held_out"][key].as_array().unwrap().clone();
    assert!(!held_out("test").contains(&9.into()) && !held_out("validation").contains(&9.into()));
    let all = desk.json_of("evaluate fit/model.refire r.npz --split all --json");
    assert_eq!(all["trials"], 11);
    desk.refused("fit r.npz --lags 40 --out x", &["40"]);
}

#[test]
fn control_characters_of_files_do_not_reach_the_terminal() {
    let desk = Desk::new();
    let fixture = Toy::default()
        .events()
        .set("\u{1b}[31mred", npy(&[1], &[1i32]));
    desk.write("r.npz", fixture.bytes());
    let (info, _) = desk.ok("info r.npz");
    assert!(
        info.contains("\\u001b[31mred") && !info.contains('\u{1b}'),
        "{info}"
    );
    let output = desk.run("info \u{1b}[2Jnone.npz");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("\\u001b[2Jnone.npz") && !error.contains('\u{1b}'),
        "{error}"
    );
}

/// Three conditions whose labels are text that reads as numbers, each with a course of its own, in the order of numpy.
#[test]
fn rows_of_a_stimulus_are_those_of_numpy_unique() {
    let desk = Desk::new();
    let courses = [course(0.0), course(1.7), course(3.1)];
    let (mut all, mut labels) = (Vec::new(), Vec::new());
    for trial in 0..60 {
        let condition = trial % 3;
        all.extend(counts(&courses[condition], 1, 10 + trial as u64));
        labels.push(["10", "100", "9"][condition]);
    }
    let text: Vec<u8> = labels
        .iter()
        .flat_map(|l| format!("{l:\0<3}").into_bytes())
        .collect();
    let header = "{'descr': '|S3', 'fortran_order': False, 'shape': (60,), }";
    let fixture = driven(&course(0.0), 1)
        .set("counts", npy(&[60, 100, 4], &all))
        .set("condition", crate::npz::raw_npy(header, &text))
        .set("stimulus", npy(&[3, 100, 1], &courses.concat()));
    desk.write("r.npz", fixture.bytes());
    desk.ok("fit r.npz --objective mle --lags 2 --stimulus-lags 2 --out fit");
    let bits = desk.json("fit/fit.json")["test"]["bits_per_spike"]
        .as_f64()
        .unwrap();
    assert!(bits > 0.5, "{bits}");
    let (table, _) = desk.ok("evaluate fit/model.refire r.npz --split all");
    assert!(
        table.contains("60 all trials") && !table.contains("held-out"),
        "{table}"
    );
    let (table, _) = desk.ok("evaluate fit/model.refire r.npz");
    assert!(table.contains("held-out metric"), "{table}");
}

#[test]
fn without_test_trials_nothing_is_said_of_them() {
    let desk = Desk::new();
    desk.write("r.npz", driven(&course(0.0), 1).without("stimulus").bytes());
    desk.ok("fit r.npz --lags 2 --iterations 3 --test-fraction 0 --out fit");
    let json = desk.json("fit/fit.json");
    for (name, why) in json["reasons"].as_object().unwrap() {
        let why = why.as_str().unwrap();
        assert!(
            !name.starts_with("units.") || why.contains("no trials are held out"),
            "{name}: {why}"
        );
    }
    let page = String::from_utf8(desk.bytes("fit/report.html")).unwrap();
    assert!(page.contains("No trials are held out for testing"));
    assert!(
        !page.contains("trials the fit has not seen") && !page.contains("Repeats are held out")
    );
    // Units that fire in every bin are not silent.
    let full = driven(&course(0.0), 1).set("counts", npy(&[60, 100, 4], &[1u8; 60 * 100 * 4]));
    desk.write("full.npz", full.without("stimulus").bytes());
    let (_, notes) = desk.ok("fit full.npz --lags 2 --iterations 3 --out full");
    assert!(notes.contains("the activity of no unit varies"), "{notes}");
    assert!(!notes.contains("no unit spikes"), "{notes}");
}
