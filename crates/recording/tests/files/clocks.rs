//! Times of clocks whose steps are no small part of a bin, and of units other than seconds.

use crate::common::{Fixture, npy};
use refire_recording::{Recording, RecordingError, RecordingFile};

/// One unit in one trial, with these times.
fn open(times: &[f64], duration: f64) -> Result<RecordingFile, RecordingError> {
    let n = times.len() as u64;
    let fixture = Fixture::default()
        .set("spike_times", npy(&[n], times))
        .set("spike_trial", npy(&[n], &vec![0i32; times.len()]))
        .set("spike_unit", npy(&[n], &vec![0i32; times.len()]))
        .set("trial_duration", npy(&[1], &[duration]))
        .set("n_units", npy(&[], &[1i64]))
        .set("n_trials", npy(&[], &[1i64]));
    let folder = tempfile::tempdir().unwrap();
    RecordingFile::open(fixture.write(folder.path()))
}

fn bin(times: &[f64], duration: f64, width: &str) -> Recording {
    open(times, duration)
        .unwrap()
        .bin(Some(width.parse().unwrap()))
        .unwrap()
}

fn said(recording: &Recording, about: &str) -> bool {
    recording.warnings().iter().any(|w| w.contains(about))
}

/// Times of single precision from which a large one was subtracted: steps of 2^-12 s.
fn subtracted(times: impl Iterator<Item = f64>) -> Vec<f64> {
    let origin = 3600.3f32;
    let of = |t: f64| f64::from((f64::from(origin) + t) as f32 - origin);
    times.map(of).map(|t| t.max(0.0)).collect()
}

#[test]
fn spikes_on_edges_stay_there_however_coarse_their_clock_is() {
    let times = subtracted((0..200).map(|k| 0.005 * f64::from(k)));
    let recording = bin(&times, 1.0, "5ms");
    assert_eq!(
        (recording.bins(), recording.clipped_spikes()),
        (&[200][..], 0)
    );
    assert!(
        said(&recording, "(2e-4 s): they count in the later one"),
        "{:?}",
        recording.warnings()
    );
}

#[test]
fn spikes_anywhere_are_not_moved_and_it_is_said_how_well_they_are_known() {
    // A spike per bin, all over the bin.
    let times =
        subtracted((0..200).map(|k| 0.005 * (f64::from(k) + (f64::from(k) * 0.618).fract())));
    let recording = bin(&times, 1.0, "5ms");
    let floor = |t: &f64| (t / 0.005 + 1e-6).floor() as usize;
    let mut expected = vec![0u8; 200];
    times
        .iter()
        .map(floor)
        .for_each(|b| expected[b.min(199)] = 1);
    assert_eq!(recording.spikes().as_slice(), expected);
    assert!(
        said(&recording, "(2e-4 s): they count where their times say"),
        "{:?}",
        recording.warnings()
    );
}

#[test]
fn a_tick_of_the_clock_outside_the_trial_is_inside() {
    let tick = 2f64.powi(-22);
    let times = [-tick, 0.5 + tick, 2.0 + tick];
    let recording = bin(&times, 2.0, "10ms");
    let row = |bin: usize| recording.spikes().row(0, bin)[0];
    assert_eq!([row(0), row(50), row(199)], [1; 3]);
    // Further out is not, and whole seconds are no clock of ticks.
    for times in [[-1.0, 1.0], [0.0, 3.0]] {
        assert!(open(&times, 2.0).is_err());
    }
}

#[test]
fn milliseconds_are_whole_however_they_were_made() {
    let times: Vec<f64> = (0..50).map(|k| (0.013 * f64::from(k)) * 1e3).collect();
    assert!(times.iter().any(|t| t.fract() != 0.0));
    let recording = bin(&times, 700.0, "1s");
    assert!(said(&recording, "all times are whole numbers"));
    let seconds: Vec<f64> = times.iter().map(|t| t * 1e-3).collect();
    assert!(!said(&bin(&seconds, 0.7, "10ms"), "whole numbers"));
}
