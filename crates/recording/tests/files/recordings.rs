//! Real recordings: spike times binned here are the counts binned elsewhere.

use std::path::PathBuf;

use refire_recording::{BinWidth, NpzFile, RecordingFile};

const NAMES: [&str; 8] = [
    "auditory_cortex_18sounds_a",
    "cockroach_al_3odors",
    "ferret_auditory_noise",
    "monkey_motor_2reaches_varlen",
    "monkey_motor_7reaches",
    "mouse_gpe_varlen",
    "mouse_olfactory_bulb_pinene",
    "salamander_retina_movie",
];

fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("REFIRE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        |path| {
            // Relative to the workspace root, wherever the test runs.
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("../..")
                .join(path)
        },
    );
    let data = shared.join("data");
    if data.is_dir() {
        Some(data)
    } else {
        println!("skipped: no recordings");
        None
    }
}

#[test]
fn spike_times_bin_to_exactly_the_published_counts() {
    let Some(data) = folder() else { return };
    for name in NAMES {
        let binned_path = data.join(format!("{name}_binned.npz"));
        let mut npz = NpzFile::open(&binned_path).unwrap();
        let width = BinWidth::from_seconds(npz.scalar_f64("bin_size").unwrap()).unwrap();
        let counts = npz.u8("counts").unwrap();
        let n_bins = npz.i64("n_bins").unwrap().values;

        let events = RecordingFile::open(data.join(format!("{name}.npz"))).unwrap();
        let recording = events.bin(Some(width)).unwrap();
        let spikes = recording.spikes();
        assert_eq!(
            counts.shape,
            [spikes.trials(), spikes.bins(), spikes.units()],
            "{name}"
        );
        let same = spikes
            .as_slice()
            .iter()
            .zip(&counts.values)
            .all(|(&z, &c)| z == c.min(1));
        assert!(same, "{name}");
        let bins: Vec<i64> = recording.bins().iter().map(|&b| b as i64).collect();
        assert_eq!(bins, n_bins, "{name}");
        let total: u64 = counts.values.iter().map(|&c| u64::from(c)).sum();
        assert_eq!(recording.total_spikes(), total, "{name}");
        assert_eq!(events.describe().spikes, total, "{name}");

        let binned = RecordingFile::open(&binned_path).unwrap();
        let from_counts = binned.bin(None).unwrap();
        assert_eq!(
            from_counts.clipped_spikes(),
            recording.clipped_spikes(),
            "{name}"
        );
        assert_eq!(from_counts.conditions(), recording.conditions(), "{name}");
        if recording.stimulus().is_none() {
            assert_eq!(from_counts.hash(), recording.hash(), "{name}");
        }
        let double = BinWidth::from_seconds(2.0 * width.seconds()).unwrap();
        let (a, b) = (events.bin(Some(double)), binned.bin(Some(double)));
        assert_eq!(a.unwrap().spikes(), b.unwrap().spikes(), "{name}");
    }
}

#[test]
fn the_stimulus_of_a_recording_is_read() {
    let Some(data) = folder() else { return };
    let file = RecordingFile::open(data.join("ferret_auditory_noise.npz")).unwrap();
    let stimulus = file.stimulus().unwrap();
    assert_eq!((stimulus.samples(), stimulus.features()), (700, 2));
    let recording = file.bin(Some("10ms".parse().unwrap())).unwrap();
    assert_eq!(
        recording.stimulus_per_bin().unwrap().as_ref(),
        Some(stimulus)
    );
}
