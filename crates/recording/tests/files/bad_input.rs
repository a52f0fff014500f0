//! Whatever is wrong with a file is one clear line, never a panic.

use crate::common::{Fixture, binned, events, npy, npy_ordered, raw_npy, write};
use npyz::Order;
use refire_recording::RecordingFile;
use zip::CompressionMethod;

/// The message of opening, then binning at 10 ms.
pub fn message(path: &std::path::Path) -> Result<(), String> {
    let width = "10ms".parse().unwrap();
    match RecordingFile::open(path).and_then(|f| f.bin(Some(width))) {
        Ok(_) => Ok(()),
        Err(e) => Err(e.to_string()),
    }
}

pub fn expect(fixture: &Fixture, parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    expect_file(&fixture.write(folder.path()), parts);
}

pub fn expect_file(path: &std::path::Path, parts: &[&str]) {
    let error = message(path).expect_err(&format!("accepted; expected an error with {parts:?}"));
    assert!(!error.contains('\n'), "{error}");
    let name = path.file_name().unwrap().to_str().unwrap();
    for part in parts.iter().chain([&name]) {
        assert!(error.contains(part), "'{part}' is not in: {error}");
    }
}

#[test]
fn files_that_are_no_npz() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    expect_file(&dir.join("none.npz"), &["No such file"]);
    expect_file(dir, &["folder"]);
    expect_file(&write(dir, b""), &["empty"]);
    expect_file(&write(dir, &npy(&[2], &[1.0, 2.0])), &["single npy array"]);
    expect_file(&write(dir, b"a text\n"), &["no zip archive"]);
    expect_file(&write(dir, b"\x80\x04\x95\x00pickle"), &["no zip archive"]);
    expect_file(&write(dir, &[0; 10_000]), &["no zip archive"]);
    expect_file(
        &write(dir, &Fixture::default().bytes_as(CompressionMethod::Stored)),
        &["no npy array"],
    );
}

#[test]
fn files_cut_short_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    for whole in [
        events().bytes(),
        binned().bytes_as(CompressionMethod::Stored),
    ] {
        let ends = whole.len() - 30..whole.len();
        for len in (0..whole.len()).step_by(17).chain(ends) {
            expect_file(
                &write(folder.path(), &whole[..len]),
                &["not a readable npz file"],
            );
        }
    }
}

#[test]
fn keys_that_are_missing() {
    for key in [
        "spike_trial",
        "spike_unit",
        "trial_duration",
        "n_units",
        "n_trials",
    ] {
        expect(&events().without(key), &[key, "missing", "spike_times"]);
    }
    for key in ["bin_size", "n_bins"] {
        expect(&binned().without(key), &[key, "missing", "counts"]);
    }
    expect(
        &events().without("spike_times"),
        &["spike_times", "counts", "n_units"],
    );
    expect(
        &events().set("counts", npy(&[1, 1, 1], &[0u8])),
        &["either 'spike_times'", "or 'counts'"],
    );
    expect(
        &events().set("stimulus", npy(&[3, 1], &[0.0; 3])),
        &["stimulus_dt", "missing"],
    );
}

#[test]
fn the_first_keys_are_named() {
    let with = |keys: usize| {
        (0..keys).fold(Fixture::default(), |fixture, k| {
            fixture.set(&format!("k{k:02}"), npy(&[], &[0.0]))
        })
    };
    expect(&with(20), &["k00, k01", "k18, k19"]);
    let error = message(&with(20).write(tempfile::tempdir().unwrap().path())).unwrap_err();
    assert!(!error.contains("..."), "{error}");
    expect(&with(21), &["k18, k19, ..."]);
}

#[test]
fn keys_of_the_wrong_type() {
    let part = npy::<f64>(&[6], &[0.0, 0.0, 1.5, 0.0, 0.0, 0.0]);
    for key in ["spike_unit", "spike_trial"] {
        let parts = [key, "[2] is 1.5", "whole number"];
        expect(&events().set(key, part.clone()), &parts);
    }
    expect(
        &events().set("n_units", npy(&[], &[3.5])),
        &["n_units", "3.5", "whole number"],
    );
    expect(
        &events().set("condition", npy(&[4], &[0.0, 1.0, f64::NAN, 0.0])),
        &["condition", "[2] is NaN", "finite"],
    );
    expect(
        &binned().set("n_bins", npy(&[4], &[6.0, 6.0, 5.5, 6.0])),
        &["n_bins", "[2] is 5.5", "whole number"],
    );
    let half = raw_npy(
        "{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }",
        &[0, 0],
    );
    expect(&events().set("spike_times", half), &["spike_times", "<f2"]);
    let text = raw_npy(
        "{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }",
        &[65, 0, 0, 0],
    );
    expect(
        &events().set("condition", text.clone()),
        &["condition", "(1,)", "4 trials"],
    );
    expect(&events().set("spike_times", text), &["spike_times", "<U1"]);
    let no_letter = raw_npy(
        "{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }",
        &[0, 0, 0x11, 0],
    );
    expect(
        &events().set("condition", no_letter),
        &["condition", "UTF-32"],
    );
    let object = raw_npy(
        "{'descr': '|O', 'fortran_order': False, 'shape': (4,), }",
        b"\x80\x04K\x01.",
    );
    expect(
        &events().set("condition", object.clone()),
        &["condition", "Python objects"],
    );
    expect(
        &binned().set("counts", object),
        &["counts", "Python objects"],
    );
    let record = raw_npy(
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }",
        &[0; 8],
    );
    expect(
        &events().set("spike_times", record),
        &["spike_times", "plain array"],
    );
    expect(
        &events().set("spike_times", b"no array".to_vec()),
        &["spike_times", "not a readable numpy array"],
    );
    let bool_2 = raw_npy(
        "{'descr': '|b1', 'fortran_order': False, 'shape': (4,), }",
        &[0, 1, 2, 0],
    );
    expect(&events().set("condition", bool_2), &["condition", "bool"]);
}

#[test]
fn shapes_that_do_not_fit() {
    let f = |shape: &[u64], n: usize| npy(shape, &vec![0.0; n]);
    let i = |shape: &[u64], n: usize| npy(shape, &vec![0i32; n]);
    expect(
        &events().set("spike_times", f(&[3, 2], 6)),
        &["spike_times", "(3, 2)", "one axis"],
    );
    expect(
        &events().set("spike_trial", i(&[5], 5)),
        &["spike_trial", "(5,)", "(6,)"],
    );
    expect(
        &events().set("spike_unit", i(&[7], 7)),
        &["spike_unit", "(7,)", "(6,)"],
    );
    expect(
        &events().set("spike_unit", i(&[2, 3], 6)),
        &["spike_unit", "one axis"],
    );
    expect(
        &events().set("trial_duration", f(&[3], 3)),
        &["trial_duration", "(3,)", "n_trials = 4"],
    );
    expect(
        &events().set("trial_duration", f(&[], 1)),
        &["trial_duration", "(1,)", "n_trials = 4"],
    );
    expect(
        &events().set("n_trials", i(&[2], 2)),
        &["n_trials", "(2,)", "scalar"],
    );
    expect(
        &events().set("n_units", i(&[1, 2], 2)),
        &["n_units", "(1, 2)", "scalar"],
    );
    expect(
        &events().set("condition", i(&[3], 3)),
        &["condition", "(3,)", "4 trials"],
    );
    expect(
        &events().set("condition", i(&[2, 2], 4)),
        &["condition", "one axis"],
    );
    expect(
        &events().set("unit_ids", i(&[2], 2)),
        &["unit_ids", "(2,)", "3 units"],
    );
    expect(
        &events().set("unit_ids", i(&[3], 3)),
        &["unit_ids[1] is 0", "repeat"],
    );
    expect(
        &binned().set("counts", i(&[24, 3], 72)),
        &["counts", "(24, 3)", "(trials, bins, units)"],
    );
    for shape in [[0, 6, 3], [4, 0, 3], [4, 6, 0]] {
        expect(
            &binned().set("counts", i(&shape, 0)),
            &["counts", "none of them 0"],
        );
    }
    expect(
        &binned().set("n_bins", i(&[3], 3)),
        &["n_bins", "(3,)", "4 trials"],
    );
    expect(&binned().set("n_bins", i(&[], 1)), &["n_bins", "4 trials"]);
    expect(
        &binned().set("bin_size", f(&[4], 4)),
        &["bin_size", "scalar"],
    );
}

#[test]
fn numbers_out_of_range() {
    let times = |t: f64| events().set("spike_times", npy(&[6], &[0.0, 0.0, 0.0, t, 0.0, 0.0]));
    for (t, text) in [
        (-1e-9, "-0.000000001"),
        (0.0501, "0.0501"),
        (7.0, "7"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
    ] {
        expect(
            &times(t),
            &[
                &format!("spike_times[3] is {text}"),
                "0 <= t <= 0.05",
                "trial 1",
            ],
        );
    }
    for d in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let durations = npy(&[4], &[0.05, d, 0.05, 0.06]);
        expect(
            &events().set("trial_duration", durations),
            &["trial_duration[1] is", "positive, finite"],
        );
    }
    let brief = events()
        .set("spike_times", npy::<f64>(&[6], &[0.0; 6]))
        .set("trial_duration", npy(&[4], &[0.05, 0.05, 1e-9, 0.05]));
    expect(&brief, &["trial_duration[2] is 0.000000001", "10ms"]);
    for bad in [-1i64, 4, i64::MAX] {
        let index = npy::<i64>(&[6], &[0, 0, 1, 1, 2, bad]);
        expect(
            &events().set("spike_trial", index),
            &["spike_trial[5]", "0 to 3", "n_trials = 4"],
        );
    }
    for bad in [-1i64, 3, i64::MIN] {
        let index = npy::<i64>(&[6], &[bad, 0, 2, 2, 1, 2]);
        expect(
            &events().set("spike_unit", index),
            &["spike_unit[0]", "0 to 2", "n_units = 3"],
        );
    }
    let big = npy::<u64>(&[6], &[0, 0, 2, 2, 1, u64::MAX]);
    expect(
        &events().set("spike_unit", big),
        &["spike_unit", "[5] is 18446744073709551615"],
    );
    for n in [0i64, -3] {
        expect(
            &events().set("n_units", npy(&[], &[n])),
            &["n_units is", "at least 1"],
        );
        expect(
            &events().set("n_trials", npy(&[], &[n])),
            &["n_trials is", "at least 1"],
        );
    }
    for n in [0i64, 7, -1, i64::MAX] {
        let n_bins = npy::<i64>(&[4], &[6, 6, n, 6]);
        expect(&binned().set("n_bins", n_bins), &["n_bins[2] is", "1 to 6"]);
    }
    for width in [0.0, -0.01, f64::NAN, f64::INFINITY] {
        expect(
            &binned().set("bin_size", npy(&[], &[width])),
            &["bin_size is", "positive, finite"],
        );
    }
}

#[test]
fn counts_out_of_range() {
    let at = |x: f64| {
        let mut counts = vec![0.0; 72];
        counts[(6 + 2) * 3 + 1] = x;
        binned().set("counts", npy(&[4, 6, 3], &counts))
    };
    expect(&at(f64::NAN), &["counts[1, 2, 1] is NaN", "n_bins[1] is 5"]);
    for (x, text) in [
        (-1.0, "-1"),
        (f64::INFINITY, "inf"),
        (0.5, "0.5"),
        (65536.0, "65536"),
    ] {
        expect(
            &at(x),
            &["counts", &format!("[1, 2, 1] is {text}"), "whole number"],
        );
    }
    let mut counts = vec![0i8; 72];
    counts[71] = -2;
    expect(
        &binned().set("counts", npy(&[4, 6, 3], &counts)),
        &["[3, 5, 2] is -2"],
    );
    let fortran = npy_ordered(&[4, 6, 3], &counts, Order::Fortran, None);
    expect(&binned().set("counts", fortran), &["[3, 5, 2] is -2"]);
    // A spike behind the end of its trial: trial 0 has 5 valid bins.
    counts[71] = 0;
    counts[5 * 3 + 1] = 1;
    expect(
        &binned().set("counts", npy(&[4, 6, 3], &counts)),
        &["counts[0, 5, 1] is 1", "n_bins[0] is 5"],
    );
}

#[test]
fn stimuli_that_do_not_fit() {
    let with = |npy: Vec<u8>| {
        events()
            .set("stimulus", npy)
            .set("stimulus_dt", crate::common::npy(&[], &[0.01]))
    };
    expect(
        &with(npy(&[3, 4, 1], &[0.0; 12])),
        &["stimulus has shape (3, 4, 1)", "2 conditions"],
    );
    expect(&with(npy(&[], &[0.0])), &["stimulus has shape ()"]);
    expect(
        &with(npy(&[1, 1, 1, 1], &[0.0])),
        &["stimulus has shape (1, 1, 1, 1)"],
    );
    expect(
        &with(npy::<f64>(&[0, 2], &[])),
        &["stimulus has shape (0, 2)"],
    );
    expect(
        &with(npy::<f64>(&[2, 0], &[])),
        &["stimulus has shape (2, 0)"],
    );
    expect(
        &with(npy(&[2, 2], &[0.0, 1.0, f64::NAN, 0.0])),
        &["stimulus[1, 0] is NaN"],
    );
    for dt in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let fixture = with(npy(&[2, 1], &[0.0, 1.0])).set("stimulus_dt", npy(&[], &[dt]));
        expect(&fixture, &["stimulus_dt is", "positive, finite"]);
    }
    let fixture = with(npy(&[2, 1], &[0.0, 1.0])).set("stimulus_dt", npy(&[2], &[0.1, 0.1]));
    expect(&fixture, &["stimulus_dt", "scalar"]);
}
