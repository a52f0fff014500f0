//! What people bring: types, units and shapes that say the same as the plain ones, times that are rounded, and stimuli
//! that do not fit their trials.

use crate::common::{Fixture, binned, event_counts, events, npy, raw_npy};
use refire_recording::{Label, Recording, RecordingFile};

fn open(fixture: &Fixture) -> RecordingFile {
    let folder = tempfile::tempdir().unwrap();
    RecordingFile::open(fixture.write(folder.path())).unwrap()
}

fn bin(fixture: &Fixture, width: &str) -> Recording {
    open(fixture).bin(Some(width.parse().unwrap())).unwrap()
}

/// One unit, one trial of 2 s, a spike at each of these times.
fn train(times: Vec<u8>, n: u64, duration: Vec<u8>) -> Fixture {
    Fixture::default()
        .set("spike_times", times)
        .set("spike_trial", npy(&[n], &vec![0i32; n as usize]))
        .set("spike_unit", npy(&[n], &vec![0i32; n as usize]))
        .set("trial_duration", duration)
        .set("n_units", npy(&[], &[1i64]))
        .set("n_trials", npy(&[], &[1i64]))
}

fn warned(recording: &Recording, about: &str) -> bool {
    recording.warnings().iter().any(|w| w.contains(about))
}

#[test]
fn a_spike_per_millisecond_fills_every_bin_in_any_precision() {
    let grid: Vec<f64> = (0..2000).map(|k| f64::from(k) * 1e-3).collect();
    let single: Vec<f32> = grid.iter().map(|&t| t as f32).collect();
    let origin = 1.7e9 + 0.123;
    let unix: Vec<f64> = grid.iter().map(|t| (origin + t) - origin).collect();
    for (name, fixture) in [
        ("f8", train(npy(&[2000], &grid), 2000, npy(&[1], &[2.0]))),
        ("f4", train(npy(&[2000], &single), 2000, npy(&[1], &[2f32]))),
        ("unix", train(npy(&[2000], &unix), 2000, npy(&[1], &[2.0]))),
    ] {
        let recording = bin(&fixture, "1ms");
        assert_eq!(
            (recording.bins(), recording.clipped_spikes()),
            (&[2000][..], 0),
            "{name}"
        );
        assert!(
            warned(&recording, "100.0 % of the spikes lie at an edge"),
            "{name}"
        );
        let exactly = ["1e-9 s", "2e-7 s"][usize::from(name != "f8")];
        assert!(
            warned(&recording, exactly),
            "{name}: {:?}",
            recording.warnings()
        );
    }
    // Spikes in the middle of their bins do not.
    let middle: Vec<f32> = single.iter().map(|t| t + 0.0005).collect();
    let recording = bin(
        &train(npy(&[2000], &middle), 2000, npy(&[1], &[2f32])),
        "1ms",
    );
    assert_eq!(recording.clipped_spikes(), 0);
    assert!(!warned(&recording, "edge"));
}

#[test]
fn durations_of_single_precision_are_the_decimals_they_were() {
    let fixture = |duration: f32| train(npy(&[1], &[0.05f32]), 1, npy(&[1], &[duration]));
    assert_eq!(bin(&fixture(1.1), "10ms").bins(), &[110]);
    // A spike in double precision, a rounding error behind the duration.
    let at_end = train(npy(&[1], &[0.69999999]), 1, npy(&[1], &[0.7f32]));
    let recording = bin(&at_end, "10ms");
    assert_eq!(
        (recording.bins(), recording.spikes().row(0, 69)),
        (&[70][..], &[1][..])
    );
}

#[test]
fn rates_are_by_seconds_where_last_bins_are_partial() {
    let spikes: Vec<f64> = (0..400).map(|k| 0.125 * f64::from(k) / 400.0).collect();
    let trials: Vec<i32> = (0..400).collect();
    let fixture = Fixture::default()
        .set("spike_times", npy(&[400], &spikes))
        .set("spike_trial", npy(&[400], &trials))
        .set("spike_unit", npy(&[400], &[0i32; 400]))
        .set("trial_duration", npy(&[400], &[0.125; 400]))
        .set("n_units", npy(&[], &[1i64]))
        .set("n_trials", npy(&[], &[400i64]));
    let recording = bin(&fixture, "100ms");
    let layout = recording.layout(0).unwrap();
    assert_eq!((layout.scored_bins(), layout.scored_length()), (800, 500.0));
    // The length is kept in a file of counts.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counts.npz");
    recording.write_npz(&path).unwrap();
    let back = RecordingFile::open(&path).unwrap().bin(None).unwrap();
    assert_eq!(back.layout(0).unwrap(), layout);
    assert_eq!(back.select(&[3, 1], 0).unwrap().1.scored_length(), 2.5);
}

#[test]
fn trials_that_a_clock_stops_a_sample_late_have_no_bin_more() {
    let sample = 1.0 / 30_000.0;
    let stops = [0.05, 0.05 + sample, 0.05 - sample, 0.05 + sample];
    let fixture = events()
        .set(
            "spike_times",
            npy(&[6], &[0.0, 0.011, 0.02, 0.05, 0.0449, 0.0501]),
        )
        .set(
            "trial_duration",
            npy(&[4], &[0.05, stops[1], stops[2], 0.0502]),
        );
    let recording = bin(&fixture, "10ms");
    assert_eq!(recording.bins(), &[5; 4]);
    // A spike in the rest belongs to the last bin.
    assert_eq!(recording.spikes().row(1, 4)[2], 1);
}

#[test]
fn lengths_are_kept_where_they_are_those_of_the_counts() {
    let lengths = |durations: &[f64]| {
        let durations = npy(&[durations.len() as u64], durations);
        let read = bin(&binned().set("trial_duration", durations), "10ms");
        let layout = read.layout(0).unwrap();
        (0..4).map(|k| layout.length(k)).collect::<Vec<f64>>()
    };
    let near = |found: Vec<f64>, expected: [f64; 4]| {
        let close = found
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(close && found.len() == 4, "{found:?}");
    };
    // A rest, whole bins, a sample too many.
    near(lengths(&[0.041, 0.05, 0.0505, 0.06]), [4.1, 5.0, 5.05, 6.0]);
    let whole = [5.0, 5.0, 5.0, 6.0];
    // A bin more or less than there are counts, nothing, or of other trials: the key means something else.
    near(lengths(&[0.052, 0.05, 0.05, 0.06]), whole);
    near(lengths(&[0.039, 0.05, 0.05, 0.06]), whole);
    near(lengths(&[0.04, 0.05, 0.05, 0.06]), whole);
    near(lengths(&[0.041, 0.05]), whole);
    // In wider bins the counts of a sample too many stay in the last.
    let late = npy(&[4], &[0.041, 0.041, 0.041, 0.06]);
    let mut counts = event_counts();
    counts[4 * 3] = 1;
    let late = binned()
        .set("trial_duration", late)
        .set("counts", npy(&[4, 6, 3], &counts));
    let wide = bin(&late, "20ms");
    assert_eq!(
        (wide.bins(), wide.spikes().row(0, 1)),
        (&[2, 2, 2, 3][..], &[1, 0, 0][..])
    );
}

#[test]
fn whole_numbers_may_have_any_type_and_scalars_any_shape() {
    let plain = bin(&events(), "10ms");
    let same = |fixture: Fixture| assert_eq!(bin(&fixture, "10ms"), plain);
    same(events().set("spike_trial", npy(&[6], &[0.0, 0.0, 1.0, 1.0, 2.0, 3.0])));
    same(events().set("spike_unit", npy(&[6, 1], &[0f32, 0.0, 2.0, 2.0, 1.0, 2.0])));
    same(events().set("condition", npy(&[1, 4], &[4.0, -1.0, 4.0, -1.0])));
    same(events().set("n_units", npy(&[1, 1], &[3.0])));
    same(events().set("n_trials", npy(&[1, 1], &[4i32])));
    let silent = events()
        .set("spike_times", npy::<f64>(&[0], &[]))
        .set("spike_trial", npy::<f64>(&[0], &[]))
        .set("spike_unit", npy::<f64>(&[0, 0], &[]));
    let silent = silent.set("spike_unit", npy::<f64>(&[0], &[]));
    assert_eq!(bin(&silent, "10ms").total_spikes(), 0);
    let seconds = events()
        .set("trial_duration", npy(&[4], &[1i64; 4]))
        .set("spike_times", npy(&[6], &[0.1; 6]));
    assert_eq!(bin(&seconds, "10ms").bins(), &[100; 4]);
}

#[test]
fn labels_are_text_where_the_file_has_text() {
    let text = |descr: &str, bytes: Vec<u8>| {
        raw_npy(
            &format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (4,), }}"),
            &bytes,
        )
    };
    let utf32 = |words: [&str; 4]| {
        let of = |word: &str| {
            let mut units: Vec<u32> = word.chars().map(u32::from).collect();
            units.resize(5, 0);
            units
                .into_iter()
                .flat_map(u32::to_le_bytes)
                .collect::<Vec<u8>>()
        };
        words.iter().flat_map(|w| of(w)).collect::<Vec<u8>>()
    };
    let conditions = ["right", "l\u{ef}ft", "right", "7"];
    for labels in [
        text("<U5", utf32(conditions)),
        text("|S5", b"rightl\xc3\xafftright7\0\0\0\0".to_vec()),
    ] {
        let recording = bin(&events().set("condition", labels), "10ms");
        let shown: Vec<String> = recording
            .condition_labels()
            .iter()
            .map(Label::to_string)
            .collect();
        assert_eq!(shown, ["7", "l\u{ef}ft", "right"]);
        assert_eq!(recording.conditions(), &[2, 1, 2, 0]);
        // And are written as text.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("back.npz");
        recording.write_npz(&path).unwrap();
        let back = RecordingFile::open(&path).unwrap().bin(None).unwrap();
        assert_eq!(back.condition_labels(), recording.condition_labels());
        assert_eq!(back.hash(), recording.hash());
    }
    let contrasts = events().set("condition", npy(&[4], &[0.5, 0.25, 0.5, 1.0]));
    let recording = bin(&contrasts, "10ms");
    let shown: Vec<String> = recording
        .condition_labels()
        .iter()
        .map(Label::to_string)
        .collect();
    assert_eq!(shown, ["0.25", "0.5", "1"]);
}

#[test]
fn nan_behind_the_end_of_a_trial_is_nothing() {
    let mut counts: Vec<f64> = event_counts().iter().map(|&c| f64::from(c)).collect();
    // Trial 0 has 5 of 6 bins.
    counts[5 * 3..6 * 3].fill(f64::NAN);
    let recording = bin(&binned().set("counts", npy(&[4, 6, 3], &counts)), "10ms");
    assert_eq!(recording, bin(&binned(), "10ms"));
}

#[test]
fn times_of_another_unit_are_remarked_and_read_as_told() {
    let times = [0.0, 0.019, 0.02, 0.021, 0.0449, 0.051];
    let durations = [0.05, 0.05, 0.045, 0.052];
    let in_unit = |per_second: f64| {
        let scaled = |x: &f64| (x * per_second).round();
        events()
            .set(
                "spike_times",
                npy(&[6], &times.iter().map(scaled).collect::<Vec<_>>()),
            )
            .set(
                "trial_duration",
                npy(&[4], &durations.iter().map(scaled).collect::<Vec<_>>()),
            )
    };
    let seconds = bin(&events().set("spike_times", npy(&[6], &times)), "10ms");
    for (unit, per_second) in [("ms", 1e3), ("us", 1e6), ("samples=30000", 30_000.0)] {
        let file = open(&in_unit(per_second));
        assert!(warned(
            &file.bin(Some("1s".parse().unwrap())).unwrap(),
            "samples or milliseconds"
        ));
        let read = file.in_unit(unit.parse().unwrap()).unwrap();
        let read = read.bin(Some("10ms".parse().unwrap())).unwrap();
        assert_eq!(read.bins(), seconds.bins(), "{unit}");
        assert_eq!(read.spikes(), seconds.spikes(), "{unit}");
        assert!(!warned(&read, "milliseconds"), "{unit}");
    }
    // Whole numbers, none of them above 1, or not all of them.
    let train = |times: [f64; 2]| open(&train(npy(&[2], &times), 2, npy(&[1], &[3.0])));
    let said = |file: RecordingFile| warned(&file.bin(None).unwrap(), "whole numbers");
    assert!(!said(train([0.0, 1.0])) && !said(train([0.5, 2.0])));
    assert!(said(train([2.0, 2.0])));
    // Counts have rates.
    let slow = binned().set("bin_size", npy(&[], &[100.0]));
    assert!(warned(&bin(&slow, "100s"), "the mean rate is 9.52e-4 Hz"));
    // Far too many bins: the error says why.
    let many = in_unit(1e12);
    let error = open(&many).bin(Some("10ms".parse().unwrap())).unwrap_err();
    assert!(
        error.to_string().contains("samples or milliseconds"),
        "{error}"
    );
    // Steps are counted in the same unit.
    let counts = binned()
        .set("bin_size", npy(&[], &[10i64]))
        .set("stimulus", npy(&[3], &[1i64, 0, 1]))
        .set("stimulus_dt", npy(&[], &[20i64]));
    let read = open(&counts)
        .in_unit("ms".parse().unwrap())
        .unwrap()
        .bin(None)
        .unwrap();
    assert_eq!(read.bin_width(), 0.01);
    assert_eq!(read.stimulus().unwrap().dt().seconds(), 0.02);
}

#[test]
fn stimuli_that_do_not_fit_their_trials_are_remarked() {
    let with = |shape: &[u64], values: &[f64]| {
        let fixture = events().set("stimulus", npy(shape, values));
        bin(&fixture.set("stimulus_dt", npy(&[], &[0.01])), "10ms")
    };
    let fits = with(&[6], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert!(!warned(&fits, "stimulus"), "{:?}", fits.warnings());
    // One bin short: its last value goes on, and no zero comes in.
    let short = with(&[5], &[1.0, 2.0, 3.0, 4.0, 5.0]);
    assert!(warned(&short, "ends 1.00 bins before the longest trial"));
    let per_bin = short.stimulus_per_bin().unwrap().unwrap();
    assert_eq!(per_bin.values(), &[1.0, 2.0, 3.0, 4.0, 5.0, 5.0]);
    let half = with(&[3], &[1.0, 2.0, 3.0]);
    assert!(warned(&half, "covers 3.00 of the 6 bins"));
    assert!(half.stimulus_per_bin().is_err());
    // (conditions, samples) where (samples, features) is read.
    let turned = with(&[2, 6], &[1.0; 12]);
    assert!(warned(
        &turned,
        "shape (2, 6) is read as 2 samples of 6 features"
    ));
    assert!(warned(&turned, "(2, 6, 1)"));
    let constant = with(
        &[6, 2],
        &[1.0, 0.5, 2.0, 0.5, 3.0, 0.5, 4.0, 0.5, 5.0, 0.5, 6.0, 0.5],
    );
    assert!(warned(&constant, "never change drive nothing: 1"));
}
