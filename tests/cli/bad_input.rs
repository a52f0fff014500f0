//! Bad input: one clear line on standard error, exit code 2, nothing written or overwritten.

use crate::desk::Desk;
use crate::toy::{Fixture, Toy, declared, npy, stimulus};
use std::sync::OnceLock;

/// A model of the default toy, fitted once.
pub fn model() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| {
        let desk = Desk::new();
        desk.write("good.npz", Toy::default().events().bytes());
        desk.ok("fit good.npz --out fit --bin 10ms --lags 4 --iterations 2");
        desk.bytes("fit/model.refire")
    })
}

/// A desk with good.npz, its model.refire, and a folder of an earlier fit.
pub fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("good.npz", Toy::default().events().bytes());
    desk.write("model.refire", model());
    for name in ["model.refire", "fit.json", "report.html"] {
        desk.write(&format!("old/{name}"), "of an earlier fit");
    }
    desk
}

/// Every command that reads a recording refuses this one.
fn refuse_file(desk: &Desk, bytes: &[u8], parts: &[&str]) {
    desk.write("bad.npz", bytes);
    let parts: Vec<&str> = parts.iter().copied().chain(["bad.npz"]).collect();
    desk.refused("info bad.npz", &parts);
    desk.refused("fit bad.npz --out new --lags 4", &parts);
    desk.refused("fit bad.npz --out old --lags 4", &parts);
    desk.refused("evaluate model.refire bad.npz --json", &parts);
}

fn refuse(desk: &Desk, fixture: Fixture, parts: &[&str]) {
    refuse_file(desk, &fixture.bytes(), parts);
}

pub fn events() -> Fixture {
    Toy::default().events()
}

pub fn binned() -> Fixture {
    Toy::default().binned()
}

#[test]
fn files_that_are_missing_cut_short_or_no_npz() {
    let desk = desk();
    for line in ["info", "fit --out new", "evaluate model.refire"] {
        desk.refused(&format!("{line} none.npz"), &["none.npz", "No such file"]);
        desk.refused(&format!("{line} old"), &["old", "folder"]);
    }
    refuse_file(&desk, b"", &["empty"]);
    refuse_file(&desk, b"trial,unit,time\n0,0,0.1\n", &["no zip archive"]);
    refuse_file(&desk, b"\x80\x04\x95\x05\x00pickle.", &["no zip archive"]);
    refuse_file(&desk, &npy(&[2], &[0.1, 0.2]), &["single npy array"]);
    for whole in [events().bytes(), binned().bytes()] {
        for len in [3, 100, whole.len() / 2, whole.len() - 1] {
            refuse_file(&desk, &whole[..len], &["not a readable npz file"]);
        }
    }
    // A flipped bit in the middle of the data of the first array.
    let mut damaged = events().bytes();
    damaged[400] ^= 0x10;
    refuse_file(&desk, &damaged, &["spike_times"]);
}

#[test]
fn keys_missing() {
    let desk = desk();
    let of_events = [
        "spike_trial",
        "spike_unit",
        "trial_duration",
        "n_units",
        "n_trials",
    ];
    for key in of_events {
        refuse(&desk, events().without(key), &[key, "missing"]);
    }
    for key in ["bin_size", "n_bins"] {
        refuse(&desk, binned().without(key), &[key, "missing"]);
    }
    refuse(
        &desk,
        events().without("spike_times"),
        &["spike_times", "counts"],
    );
    refuse(
        &desk,
        binned().without("counts"),
        &["spike_times", "counts"],
    );
    refuse(
        &desk,
        events().set("stimulus", npy(&[40], &[0.5; 40])),
        &["stimulus_dt", "missing"],
    );
}

#[test]
fn keys_of_the_wrong_type() {
    let desk = desk();
    let n = 12;
    let text = || declared("'<U1'", "(1,)", b"a\0\0\0");
    for (key, value, found) in [
        ("spike_times", text(), "<U1"),
        ("spike_unit", text(), "<U1"),
        ("n_units", text(), "<U1"),
        ("trial_duration", declared("'|V8'", "(1,)", &[0; 8]), "|V8"),
        ("condition", declared("'<c16'", "(1,)", &[0; 16]), "<c16"),
        ("spike_trial", npy(&[1], &[0.5]), "0.5"),
        ("n_trials", npy(&[], &[12.25]), "12.25"),
    ] {
        refuse(&desk, events().set(key, value), &[key, found, "expected"]);
    }
    for (key, value, found) in [
        ("n_bins", npy(&[n], &[39.5; 12]), "39.5"),
        ("bin_size", text(), "<U1"),
        ("counts", declared("'<c16'", "(1,)", &[0; 16]), "<c16"),
    ] {
        refuse(&desk, binned().set(key, value), &[key, found, "expected"]);
    }
}

#[test]
fn object_arrays_and_pickles() {
    let desk = desk();
    let pickle = declared("'|O'", "(1,)", b"\x80\x04\x95K\x01.");
    let parts = |key| [key, "Python objects"];
    for key in ["spike_times", "spike_trial", "condition", "n_units"] {
        refuse(&desk, events().set(key, pickle.clone()), &parts(key));
    }
    for key in ["counts", "n_bins"] {
        refuse(&desk, binned().set(key, pickle.clone()), &parts(key));
    }
    let record = declared("[('t', '<f8')]", "(1,)", &[0; 8]);
    refuse(&desk, events().set("spike_times", record), &["spike_times"]);
    let no_array = b"\x80\x04K\x01.".to_vec();
    refuse(
        &desk,
        events().set("spike_times", no_array),
        &["spike_times"],
    );
}

#[test]
fn wrong_shapes_and_unequal_lengths() {
    let desk = desk();
    let ints = |shape: &[u64], n: usize| npy(shape, &vec![0i32; n]);
    let floats = |shape: &[u64], n: usize| npy(shape, &vec![0.4; n]);
    for (key, value, parts) in [
        ("spike_times", floats(&[2, 2], 4), "(2, 2)"),
        ("spike_trial", ints(&[5], 5), "(5,)"),
        ("spike_unit", ints(&[0], 0), "(0,)"),
        ("trial_duration", floats(&[11], 11), "n_trials = 12"),
        ("trial_duration", floats(&[], 1), "(1,)"),
        ("n_units", ints(&[2], 2), "scalar"),
        ("n_trials", ints(&[1, 2], 2), "scalar"),
        ("condition", ints(&[11], 11), "12 trials"),
        ("condition", ints(&[6, 2], 12), "(6, 2)"),
        ("unit_ids", ints(&[4], 4), "3 units"),
    ] {
        refuse(&desk, events().set(key, value), &[key, parts]);
    }
    for (key, value, parts) in [
        ("counts", ints(&[12, 40], 480), "(12, 40)"),
        ("counts", ints(&[12, 40, 3, 1], 1440), "(12, 40, 3, 1)"),
        ("n_bins", ints(&[13], 13), "12 trials"),
        ("n_bins", ints(&[3, 4], 12), "(3, 4)"),
        ("bin_size", floats(&[2], 2), "scalar"),
    ] {
        refuse(&desk, binned().set(key, value), &[key, parts]);
    }
    let dt = |f: Fixture| f.set("stimulus_dt", npy(&[], &[0.01]));
    for (shape, n) in [(&[3u64, 40, 2][..], 240), (&[40, 0], 0), (&[], 1)] {
        let fixture = dt(events()).set("stimulus", floats(shape, n));
        refuse(&desk, fixture, &["stimulus", "expected"]);
    }
}

#[test]
fn times_durations_and_counts_out_of_range() {
    let desk = desk();
    let spike = |time: f64, trial: i32, unit: i32| {
        events()
            .set("spike_times", npy(&[2], &[0.1, time]))
            .set("spike_trial", npy(&[2], &[0, trial]))
            .set("spike_unit", npy(&[2], &[0, unit]))
    };
    for (time, text) in [
        (-0.001, "-0.001"),
        (0.41, "0.41"),
        (7.0, "7"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
    ] {
        refuse(
            &desk,
            spike(time, 3, 0),
            &["spike_times[1]", text, "trial 3"],
        );
    }
    for bad in [12, -1] {
        let parts = ["spike_trial[1]", &bad.to_string(), "0 to 11"];
        refuse(&desk, spike(0.1, bad, 0), &parts);
    }
    for bad in [3, -1] {
        let parts = ["spike_unit[1]", &bad.to_string(), "0 to 2"];
        refuse(&desk, spike(0.1, 0, bad), &parts);
    }
    for (bad, text) in [
        (0.0, "0"),
        (-0.4, "-0.4"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
    ] {
        let mut durations = [0.4; 12];
        durations[5] = bad;
        let fixture = events().set("trial_duration", npy(&[12], &durations));
        refuse(&desk, fixture, &["trial_duration[5]", text]);
    }
    let mut counts = vec![0.0; 12 * 40 * 3];
    for (bad, text) in [
        (-1.0, "-1"),
        (0.5, "0.5"),
        (f64::NAN, "NaN"),
        (1e9, "1000000000"),
    ] {
        counts[121] = bad;
        let fixture = binned().set("counts", npy(&[12, 40, 3], &counts));
        refuse(&desk, fixture, &["[1, 0, 1]", text]);
    }
    for bad in [0, -3, 41] {
        let mut bins = [40i32; 12];
        bins[2] = bad;
        let fixture = binned().set("n_bins", npy(&[12], &bins));
        refuse(&desk, fixture, &["n_bins[2]", &bad.to_string()]);
    }
    for bad in [0.0, -0.01, f64::NAN, f64::INFINITY] {
        let fixture = binned().set("bin_size", npy(&[], &[bad]));
        refuse(&desk, fixture, &["bin_size", "positive"]);
        let fixture = events()
            .set("stimulus", npy(&[40], &[0.5; 40]))
            .set("stimulus_dt", npy(&[], &[bad]));
        refuse(&desk, fixture, &["stimulus_dt", "positive"]);
    }
    let mut values = vec![0.5; 40];
    values[7] = f64::NAN;
    let fixture = events()
        .set("stimulus", npy(&[40], &values))
        .set("stimulus_dt", npy(&[], &[0.01]));
    refuse(&desk, fixture, &["stimulus[7, 0]", "NaN"]);
    let fixture = events().set("unit_ids", npy(&[3], &[4, 5, 4]));
    refuse(&desk, fixture, &["unit_ids", "4"]);
}

#[test]
fn nothing_at_all_and_more_than_can_be_held() {
    let desk = desk();
    let scalar = |n: i64| npy(&[], &[n]);
    for n in [0, -1, i64::MIN] {
        for key in ["n_units", "n_trials"] {
            let fixture = events().set(key, scalar(n));
            refuse(&desk, fixture, &[key, &n.to_string(), "at least 1"]);
        }
    }
    for shape in [[0, 40, 3], [12, 0, 3], [12, 40, 0]] {
        let none: [u8; 0] = [];
        let fixture = binned().set("counts", npy(&shape, &none));
        refuse(&desk, fixture, &["counts", "0"]);
    }
    for n in [1 << 40, 1 << 62, i64::MAX] {
        let fixture = events().set("n_units", scalar(n));
        refuse(&desk, fixture, &[&n.to_string(), "units", "more than"]);
        let fixture = events().set("n_trials", scalar(n));
        refuse(&desk, fixture, &["trial_duration", &n.to_string()]);
    }
    let long = events().set("trial_duration", npy(&[12], &[1e300; 12]));
    refuse(&desk, long, &["more than", "wider bins"]);
    for shape in [
        "(4611686018427387904,)",
        "(12, 4611686018427387904, 3)",
        "(4611686018427387904, 4611686018427387904, 4)",
        "(1000000, 1000000, 1)",
    ] {
        let fixture = binned().set("counts", declared("'|u1'", shape, &[0; 64]));
        refuse(&desk, fixture, &["counts", "declares"]);
    }
    for line in [
        "--hidden 40000",
        "--hidden 4000000000",
        "--hidden 18446744073709551615",
        "--batch 4000000000",
        "--batch 18446744073709551615",
    ] {
        let line = format!("fit good.npz --out new {line}");
        desk.refused(&line, &["more than can be held"]);
    }
    let with_stimulus = Toy {
        stimulus: Some(stimulus(&[40, 2])),
        ..Toy::default()
    };
    desk.write("stimulus.npz", with_stimulus.events().bytes());
    let line = "fit stimulus.npz --out new --stimulus-lags 18446744073709551615";
    desk.refused(line, &["more than can be held"]);
    for (option, part) in [
        ("--trials 4000000000", "4000000000 trials"),
        (
            "--trials 18446744073709551615",
            "18446744073709551615 trials",
        ),
        ("--presentations 4000000000", "160000000000 bins"),
    ] {
        let line = format!("simulate model.refire --out sim.npz {option}");
        desk.refused(&line, &[part, "expected at most"]);
    }
}

/// The file with the number after its key `version` raised by one.
pub fn newer(file: &[u8]) -> Vec<u8> {
    let key = b"\xa7version";
    let at = file.windows(key.len()).position(|w| w == key).unwrap() + key.len();
    let mut file = file.to_vec();
    // Model and checkpoint files have versions of their own.
    assert!((3..=4).contains(&file[at]));
    file[at] += 1;
    file
}

#[test]
fn models_that_are_missing_damaged_or_newer() {
    let desk = desk();
    desk.write("sim.npz", "of an earlier run");
    let refuse = |name: &str, parts: &[&str]| {
        let parts: Vec<&str> = parts.iter().copied().chain([name]).collect();
        for line in [
            format!("simulate {name} --out sim.npz"),
            format!("simulate {name} --out new/sim.npz"),
            format!("export {name} --out params.npz"),
            format!("evaluate {name} good.npz"),
            format!("evaluate {name} good.npz --json"),
        ] {
            desk.refused(&line, &parts);
        }
    };
    refuse("none.refire", &["No such file"]);
    refuse("old", &["cannot be read"]);
    refuse("good.npz", &["not a refire-model file"]);
    let whole = model();
    for len in [0, 1, 30, 200, whole.len() / 2, whole.len() - 1] {
        desk.write("bad.refire", &whole[..len]);
        refuse("bad.refire", &["refire-model", "cut short"]);
    }
    desk.write("bad.refire", newer(whole));
    refuse("bad.refire", &["version 5", "reads up to 4", "newer"]);
    // A key unknown, numbers that do not agree, one that is none, lengths out of range.
    for (key, from, to) in [
        (&b"\xa4bias\xc4\x0c"[..], &b"\xa4bias"[..], &b"\xa4bios"[..]),
        (b"\xa4lags\x04", b"\x04", b"\x05"),
        (b"\xa6hidden\x00", b"\x00", b"\x01"),
        (b"\xa8unit_ids\x93\x00\x01\x02", b"\x93\x00", b"\x93\xc0"),
        (b"\xb2bins_per_condition\x92\x28\x28", b"\x28", b"\x03"),
        (b"\xb3training_conditions\x96\x00", b"\x96\x00", b"\x96\x02"),
        (b"\xadtraining_bins\x96\x28", b"\x96\x28", b"\x96\x29"),
    ] {
        let at = whole.windows(key.len()).position(|w| w == key).unwrap();
        let within = key.windows(from.len()).position(|w| w == from).unwrap();
        let mut bytes = whole.to_vec();
        bytes[at + within..at + within + to.len()].copy_from_slice(to);
        desk.write("bad.refire", bytes);
        refuse("bad.refire", &["damaged refire-model file"]);
    }
}

#[test]
fn models_and_recordings_that_do_not_belong_together() {
    let desk = desk();
    let refuse = |toy: Toy, parts: &[&str]| {
        for fixture in [toy.events(), toy.binned()] {
            desk.write("other.npz", fixture.bytes());
            desk.refused("evaluate model.refire other.npz", parts);
            desk.refused("evaluate model.refire other.npz --json", parts);
        }
    };
    let toy = Toy::default;
    refuse(Toy { units: 4, ..toy() }, &["units", "3", "4"]);
    refuse(Toy { units: 2, ..toy() }, &["units", "3", "2"]);
    let labels = Some((0..12).map(|k| k % 3).collect());
    let unknown = Toy {
        conditions: labels,
        ..toy()
    };
    refuse(unknown, &["condition 2", "0, 1"]);
    let other_label = Toy {
        conditions: Some(vec![-5; 12]),
        ..toy()
    };
    refuse(other_label, &["condition -5", "0, 1"]);
    let longer = Toy {
        bins: vec![41; 12],
        ..toy()
    };
    refuse(longer, &["trial 0", "41", "40"]);
    let shorter = Toy {
        bins: vec![4; 12],
        ..toy()
    };
    refuse(shorter, &["trial 0", "4 bins", "lags"]);
    let ids = events().set("unit_ids", npy(&[3], &[7, 8, 9]));
    desk.write("other.npz", ids.bytes());
    desk.refused("evaluate model.refire other.npz", &["units", "7, 8, 9"]);
    // Counts in bins that do not make up the model's.
    let wide = binned().set("bin_size", npy(&[], &[0.02]));
    desk.write("other.npz", wide.bytes());
    desk.refused("evaluate model.refire other.npz", &["20ms", "10ms"]);
    // Held-out trials exist for the recording of the fit only.
    let other = Toy {
        silent: vec![1],
        ..toy()
    };
    desk.write("other.npz", other.events().bytes());
    let line = "evaluate model.refire other.npz --split test";
    desk.refused(line, &["split", "all"]);
    desk.ok("evaluate model.refire other.npz --split all");

    let line = "evaluate model.refire good.npz --truth";
    desk.refused(&format!("{line} none.npz"), &["none.npz", "No such file"]);
    desk.refused(&format!("{line} good.npz"), &["good.npz", "missing"]);
    desk.ok("generate --out four --units 4 --trials 4 --bins 20 -q");
    let line = format!("{line} four/truth.npz");
    desk.refused(&line, &["truth.npz", "4 observed units", "3"]);
}
