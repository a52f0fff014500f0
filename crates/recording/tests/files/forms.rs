//! Both forms of a recording, in every type, order and compression that numpy writes.

use crate::common::{Fixture, binned, event_counts, events, npy, npy_ordered, write};
use npyz::Order;
use refire_recording::{
    DEFAULT_BIN_WIDTH, Form, Label, NpzFile, NpzWriter, Recording, RecordingError, RecordingFile,
};
use zip::CompressionMethod;

fn open(fixture: &Fixture) -> RecordingFile {
    let folder = tempfile::tempdir().unwrap();
    RecordingFile::open(fixture.write(folder.path())).unwrap()
}

fn bin(fixture: &Fixture, width: Option<&str>) -> Recording {
    let width = width.map(|w| w.parse().unwrap());
    open(fixture).bin(width).unwrap()
}

fn clipped(counts: &[u8]) -> Vec<u8> {
    counts.iter().map(|&c| c.min(1)).collect()
}

/// Counts do not tell how much of a last bin there is, nor what lies at an edge.
fn assert_same_spikes(a: &Recording, b: &Recording) {
    assert_eq!((a.spikes(), a.bins()), (b.spikes(), b.bins()));
    assert_eq!(a.conditions(), b.conditions());
    assert_eq!(a.clipped_spikes(), b.clipped_spikes());
}

#[test]
fn spike_times_fall_into_the_bins_computed_by_hand() {
    let r = bin(&events(), Some("10ms"));
    assert_eq!(r.bins(), &[5, 5, 5, 6]);
    assert_eq!(r.spikes().as_slice(), clipped(&event_counts()));
    assert_eq!((r.total_spikes(), r.clipped_spikes()), (6, 1));
    assert_eq!(r.condition_labels(), &[-1, 4]);
    assert_eq!(r.conditions(), &[1, 0, 1, 0]);
    assert_eq!(r.unit_ids(), &[0, 1, 2]);
    // Two of six spikes; the one at 0 has no bin before it.
    let edges = r.warnings();
    assert!(
        edges.len() == 1 && edges[0].starts_with("33.3 % of the spikes lie at an edge"),
        "{edges:?}"
    );
    // 20 ms: trials of 3, 3, 3 (45 ms: a partial last bin) and 3 bins.
    let r = bin(&events(), Some("20ms"));
    assert_eq!(r.bins(), &[3, 3, 3, 3]);
    assert_eq!(r.spikes().row(0, 0), &[1, 0, 0]);
    assert_eq!(r.spikes().row(0, 1), &[1, 0, 0]);
    assert_eq!(r.spikes().row(3, 2), &[0, 0, 1]);
}

#[test]
fn a_time_within_rounding_of_the_end_stays_in_the_last_bin() {
    let late = Fixture::default()
        .set("spike_times", npy(&[1], &[0.099_999_999_9]))
        .set("spike_trial", npy(&[1], &[0i8]))
        .set("spike_unit", npy(&[1], &[0u8]))
        .set("trial_duration", npy(&[1], &[0.1]))
        .set("n_units", npy(&[], &[1u16]))
        .set("n_trials", npy(&[1], &[1u64]));
    let r = bin(&late, Some("10ms"));
    assert_eq!(r.bins(), &[10]);
    assert_eq!(r.spikes().row(0, 9), &[1]);
}

#[test]
fn defaults_and_missing_conditions_are_reported() {
    let r = bin(&events().without("condition"), None);
    assert_eq!(r.bin_width(), DEFAULT_BIN_WIDTH.seconds());
    assert_eq!(r.n_conditions(), 1);
    assert_eq!(r.warnings().len(), 3);
    assert!(r.warnings()[0].contains("10ms") && r.warnings()[1].contains("'condition'"));
    assert!(bin(&binned(), None).warnings().is_empty());
}

#[test]
fn counts_keep_their_bins_or_sum_whole_multiples() {
    let same = bin(&binned(), None);
    assert_same_spikes(&same, &bin(&events(), Some("10ms")));
    assert_eq!(same.hash(), bin(&events(), Some("10ms")).hash());
    for width in ["20ms", "30ms", "1s"] {
        let (a, b) = (bin(&binned(), Some(width)), bin(&events(), Some(width)));
        assert_same_spikes(&a, &b);
        assert_eq!(a.hash(), b.hash());
    }
    // Five bins of 10 ms make three of 20 ms; the pair of spikes in one unit and bin is clipped.
    let r = bin(&binned(), Some("0.02s"));
    assert_eq!(r.bins(), &[3, 3, 3, 3]);
    assert_eq!(r.clipped_spikes(), 1);
    assert_eq!(bin(&binned(), Some("50ms")).clipped_spikes(), 2);
    for width in ["15ms", "5ms", "10.001ms", "1us"] {
        let error = open(&binned())
            .bin(Some(width.parse().unwrap()))
            .unwrap_err();
        let RecordingError::InFile { error, .. } = error else {
            panic!("{error}");
        };
        assert!(matches!(*error, RecordingError::Rebin { .. }), "{error}");
    }
}

#[test]
fn every_number_type_byte_order_and_axis_order_reads_the_same() {
    let expected = bin(&binned(), None);
    let counts = event_counts();
    let wide: Vec<i64> = counts.iter().map(|&c| i64::from(c)).collect();
    let float: Vec<f32> = counts.iter().map(|&c| f32::from(c)).collect();
    let mut fortran = Vec::new();
    for unit in 0..3 {
        for b in 0..6 {
            for trial in 0..4 {
                fortran.push(i16::from(counts[(trial * 6 + b) * 3 + unit]));
            }
        }
    }
    for npy in [
        npy(&[4, 6, 3], &wide),
        npy(&[4, 6, 3], &float),
        npy_ordered(&[4, 6, 3], &wide, Order::C, Some(">i8")),
        npy_ordered(&[4, 6, 3], &fortran, Order::Fortran, None),
        npy_ordered(&[4, 6, 3], &fortran, Order::Fortran, Some(">i2")),
    ] {
        assert_eq!(bin(&binned().set("counts", npy), None), expected);
    }
    let single = binned().set("bin_size", npy(&[], &[0.01f32]));
    assert_eq!(bin(&single, None), expected);
    let ones: Vec<bool> = counts.iter().map(|&c| c > 0).collect();
    let r = bin(&binned().set("counts", npy(&[4, 6, 3], &ones)), None);
    assert_eq!(r.spikes(), expected.spikes());

    let expected = bin(&events(), Some("10ms"));
    for fixture in [
        events().set("spike_unit", npy::<u8>(&[6], &[0, 0, 2, 2, 1, 2])),
        events().set("spike_unit", npy::<u64>(&[6], &[0, 0, 2, 2, 1, 2])),
        events().set("n_units", npy::<u32>(&[1], &[3])),
        events().set("condition", npy::<i16>(&[4], &[4, -1, 4, -1])),
        events().set(
            "trial_duration",
            npy_ordered(&[4], &[0.05, 0.05, 0.045, 0.052], Order::C, Some(">f8")),
        ),
        events().set(
            "trial_duration",
            npy::<f32>(&[4], &[0.05, 0.05, 0.045, 0.052]),
        ),
    ] {
        assert_eq!(bin(&fixture, Some("10ms")), expected);
    }
}

#[test]
fn stored_and_deflated_files_read_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let read = |method| {
        let path = write(folder.path(), &events().bytes_as(method));
        RecordingFile::open(path).unwrap().bin(None).unwrap()
    };
    assert_eq!(
        read(CompressionMethod::Stored),
        read(CompressionMethod::Deflated)
    );
}

#[test]
fn silent_units_single_units_and_single_trials_are_legitimate() {
    let lone = events()
        .set("spike_times", npy::<f64>(&[0], &[]))
        .set("spike_trial", npy::<i32>(&[0], &[]))
        .set("spike_unit", npy::<i32>(&[0], &[]))
        .set("trial_duration", npy(&[1], &[0.5]))
        .set("n_units", npy::<i64>(&[], &[1]))
        .set("n_trials", npy::<i64>(&[], &[1]))
        .set("condition", npy::<i32>(&[1], &[9]));
    let r = bin(&lone, None);
    assert_eq!((r.n_trials(), r.n_units(), r.total_spikes()), (1, 1, 0));
    assert_eq!(r.bins(), &[50]);
}

#[test]
fn a_stimulus_is_shared_or_per_condition() {
    let dt = npy(&[], &[0.005]);
    let with = |shape: &[u64], n: usize| {
        let values: Vec<f64> = (0..n).map(|k| k as f64).collect();
        let fixture = events().set("stimulus", npy(shape, &values));
        bin(&fixture.set("stimulus_dt", dt.clone()), Some("10ms"))
    };
    let file = events().set("stimulus", npy(&[2], &[1.0, 2.0]));
    let file = open(&file.set("stimulus_dt", dt.clone()));
    assert_eq!(file.stimulus().unwrap().values(), &[1.0, 2.0]);
    assert_eq!(open(&events()).stimulus(), None);
    let shared = with(&[12, 2], 24);
    let s = shared.stimulus().unwrap();
    assert_eq!(
        (s.features(), s.samples(), s.per_condition()),
        (2, 12, false)
    );
    let per_bin = shared.stimulus_per_bin().unwrap().unwrap();
    assert_eq!(
        (per_bin.samples(), &per_bin.values()[..4]),
        (6, &[1.0, 2.0, 5.0, 6.0][..])
    );
    assert_eq!(with(&[12], 12).stimulus().unwrap().features(), 1);
    let own = with(&[2, 3, 1], 6);
    // Condition labels ascend, so course 1 belongs to label 4.
    assert_eq!(own.stimulus().unwrap().course(1), &[3.0, 4.0, 5.0]);
    assert_ne!(own.hash(), shared.hash());
}

#[test]
fn a_written_recording_reads_back_and_is_deterministic() {
    let folder = tempfile::tempdir().unwrap();
    let source = events()
        .set("stimulus", npy(&[2, 3, 1], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.5]))
        .set("stimulus_dt", npy(&[], &[0.02]))
        .set("unit_ids", npy::<i32>(&[3], &[12, 3, 40]));
    let recording = bin(&source, Some("10ms"));
    let path = folder.path().join("out.npz");
    recording.write_npz(&path).unwrap();
    let file = RecordingFile::open(&path).unwrap();
    let back = file.bin(None).unwrap();
    assert_eq!(back.hash(), recording.hash());
    assert_eq!(back.spikes(), recording.spikes());
    assert_eq!(back.unit_ids(), &[12, 3, 40]);
    assert_eq!(back.condition_labels(), recording.condition_labels());
    assert_eq!(back.stimulus(), recording.stimulus());
    let first = std::fs::read(&path).unwrap();
    recording.write_npz(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), first);

    let mut writer = recording.npz_writer(&path).unwrap();
    writer.f64("rates", &[3], &[1.0, f64::NAN, 2.0]).unwrap();
    writer.finish().unwrap();
    let mut npz = NpzFile::open(&path).unwrap();
    assert_eq!(npz.i64("n_bins").unwrap().values, [5, 5, 5, 6]);
    assert!(npz.f64("rates").unwrap().values[1].is_nan());
    assert!(RecordingFile::open(&path).is_ok());
}

#[test]
fn describes_what_the_file_holds() {
    let d = open(&events().set("event_time", npy(&[4], &[0.0; 4]))).describe();
    assert_eq!((d.form, d.n_units, d.spikes), (Form::Events, 3, 6));
    assert_eq!(d.durations, [0.05, 0.05, 0.045, 0.052]);
    assert_eq!(d.conditions, [(Label::from(-1), 2), (Label::from(4), 2)]);
    let conditions = npy::<i32>(&[4], &[4, -1, 4, 4]);
    let d3 = open(&events().set("condition", conditions)).describe();
    assert_eq!(d3.conditions, [(Label::from(-1), 1), (Label::from(4), 3)]);
    assert_eq!(d.source_bin, None);
    assert_eq!(d.keys[..2], ["condition", "event_time"]);
    let d = open(&binned()).describe();
    assert_eq!((d.form, d.n_units, d.spikes), (Form::Binned, 3, 6));
    assert_eq!(d.source_bin, Some(DEFAULT_BIN_WIDTH));
    assert_eq!(d.durations, [0.05, 0.05, 0.05, 0.06]);
}

#[test]
fn the_writer_writes_every_type_and_refuses_what_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.npz");
    let mut w = NpzWriter::new(&path);
    w.f64("d", &[2, 1], &[0.1, f64::INFINITY]).unwrap();
    w.f32("f", &[1, 2], &[0.5, -2.0]).unwrap();
    w.i64("l", &[], &[i64::MIN]).unwrap();
    w.i32("i", &[3], &[1, -2, 3]).unwrap();
    w.u8("b", &[2, 0], &[]).unwrap();
    for (name, shape) in [("e", &[2][..]), ("d", &[1]), ("", &[1]), ("a/b", &[1])] {
        let error = w.f64(name, shape, &[1.0]).unwrap_err().to_string();
        assert!(error.contains("cannot be written"), "{error}");
    }
    let too_many = [usize::MAX, usize::MAX];
    assert!(w.u8("x", &too_many, &[]).is_err());
    assert!(!path.exists());
    w.finish().unwrap();
    let mut r = NpzFile::open(&path).unwrap();
    assert_eq!(r.names(), ["b", "d", "f", "i", "l"]);
    assert_eq!(r.f64("d").unwrap().values, [0.1, f64::INFINITY]);
    assert_eq!(r.f64("f").unwrap().shape, [1, 2]);
    assert_eq!(r.f64("f").unwrap().values, [0.5, -2.0]);
    assert_eq!(r.scalar_i64("l").unwrap(), i64::MIN);
    assert_eq!(r.i64("i").unwrap().values, [1, -2, 3]);
    assert_eq!(r.u8("b").unwrap().shape, [2, 0]);
    assert!(r.u8("i").unwrap_err().to_string().contains("[1] is -2"));
    assert!(
        r.scalar_f64("d")
            .unwrap_err()
            .to_string()
            .contains("a scalar")
    );
    assert!(!r.contains("e"));
    let nowhere = NpzWriter::new(folder.path().join("none/x.npz"));
    assert!(nowhere.finish().unwrap_err().to_string().contains("x.npz"));
}
