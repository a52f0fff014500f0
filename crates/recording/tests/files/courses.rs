//! Which course of a stimulus belongs to which label.

use crate::common::{Fixture, npy, raw_npy};
use refire_recording::{Label, Recording, RecordingFile, read_stimulus};

/// numpy's `U5`.
fn text(words: &[&str]) -> Vec<u8> {
    let utf32 = words.iter().flat_map(|word| {
        let letters: Vec<u32> = word.chars().map(u32::from).collect();
        let padded = (0..5).map(move |at| letters.get(at).copied().unwrap_or(0));
        padded.flat_map(u32::to_le_bytes)
    });
    let bytes: Vec<u8> = utf32.collect();
    let shape = words.len();
    let header = format!("{{'descr': '<U5', 'fortran_order': False, 'shape': ({shape},), }}");
    raw_npy(&header, &bytes)
}

/// Trials of six bins with these conditions, and a course of two samples for each, of as many values as rows say.
fn with(condition: Vec<u8>, trials: u64, rows: &[f64]) -> Fixture {
    let counts = vec![1u8; trials as usize * 6];
    let stimulus: Vec<f64> = rows.iter().flat_map(|&row| [row, -row]).collect();
    Fixture::default()
        .set("counts", npy(&[trials, 6, 1], &counts))
        .set("bin_size", npy(&[], &[0.01]))
        .set("n_bins", npy(&[trials], &vec![6i64; trials as usize]))
        .set("condition", condition)
        .set("stimulus", npy(&[rows.len() as u64, 2, 1], &stimulus))
        .set("stimulus_dt", npy(&[], &[0.03]))
}

fn open(fixture: &Fixture) -> Recording {
    let folder = tempfile::tempdir().unwrap();
    let file = RecordingFile::open(fixture.write(folder.path())).unwrap();
    let read = file.bin(None).unwrap();
    // What is written is read as the same.
    let path = folder.path().join("again.npz");
    read.write_npz(&path).unwrap();
    let back = RecordingFile::open(&path).unwrap().bin(None).unwrap();
    assert_eq!(back.stimulus(), read.stimulus());
    assert_eq!(back.condition_labels(), read.condition_labels());
    read
}

/// First value of the course of a label.
fn of(recording: &Recording, label: &str) -> f64 {
    let label: Label = label.parse().unwrap();
    let labels = recording.condition_labels();
    let at = labels.iter().position(|l| *l == label).unwrap();
    recording.stimulus().unwrap().course(at)[0]
}

#[test]
fn courses_of_text_are_in_the_order_of_letters() {
    // As numpy.unique sorts them, row by row.
    for rows in [
        ["10", "100", "9"],
        ["-1", "-10", "3"],
        ["0.5", "10.0", "9.0"],
        ["10", "2", "a"],
        ["1e3", "2", "30"],
        ["", "-", "0"],
        ["a", "b", "c"],
    ] {
        let trials = [rows[2], rows[0], rows[1], rows[0]];
        let read = open(&with(text(&trials), 4, &[1.0, 2.0, 3.0]));
        for (row, label) in rows.iter().enumerate() {
            assert_eq!(of(&read, label), 1.0 + row as f64, "{label} of {rows:?}");
        }
    }
}

#[test]
fn courses_of_numbers_are_in_the_order_of_numbers() {
    let read = open(&with(npy(&[3], &[10i64, 9, 100]), 3, &[1.0, 2.0, 3.0]));
    assert_eq!(["9", "10", "100"].map(|l| of(&read, l)), [1.0, 2.0, 3.0]);
    let read = open(&with(npy(&[3], &[10.5, 9.5, 100.0]), 3, &[1.0, 2.0, 3.0]));
    assert_eq!(
        ["9.5", "10.5", "100"].map(|l| of(&read, l)),
        [1.0, 2.0, 3.0]
    );
}

#[test]
fn a_stimulus_alone_may_name_its_courses() {
    let folder = tempfile::tempdir().unwrap();
    let read = |fixture: Fixture| {
        let (stimulus, labels) = read_stimulus(fixture.write(folder.path())).unwrap();
        let of = |label: &str| {
            let label: Label = label.parse().unwrap();
            let at = labels.iter().position(|l| *l == label).unwrap();
            stimulus.course(at)[0]
        };
        ["2", "10", "b"].map(of)
    };
    let named = with(text(&["b", "2", "10"]), 3, &[1.0, 2.0, 3.0]);
    assert_eq!(read(named.clone().without("counts")), [2.0, 3.0, 1.0]);
    // Of a recording they are the labels of its trials.
    assert_eq!(read(named), [2.0, 1.0, 3.0]);
}

#[test]
fn numbers_beyond_those_of_labels_stay_apart() {
    let labels = [u64::MAX, u64::MAX - 1, 1 << 63, 5];
    let read = open(&with(npy(&[4], &labels), 4, &[1.0, 2.0, 3.0, 4.0]));
    assert_eq!(read.n_conditions(), 4);
    assert!(labels.iter().all(|l| {
        read.condition_labels()
            .iter()
            .any(|r| r.to_string() == l.to_string())
    }));
}
