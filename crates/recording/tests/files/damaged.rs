//! Sizes that are not true, and data that were damaged.

use crate::bad_input::{expect, expect_file, message};
use crate::common::{binned, events, npy, raw_npy, write};
use proptest::prelude::*;
use zip::CompressionMethod;

#[test]
fn sizes_that_cannot_be_held() {
    let huge = npy::<i64>(&[], &[1 << 62]);
    expect(
        &events().set("n_units", huge.clone()),
        &["4611686018427387904 units", "numbers"],
    );
    expect(
        &events().set("n_trials", huge),
        &["n_trials = 4611686018427387904"],
    );
    expect(
        &events().set("n_units", npy::<i64>(&[], &[1 << 31])),
        &["2147483648 units"],
    );
    let long = npy(&[4], &[0.05, 1e300, 0.05, 0.06]);
    expect(
        &events().set("trial_duration", long),
        &["trials of up to", "numbers"],
    );
    let long = npy(&[4], &[0.05, 1e7, 0.05, 0.06]);
    expect(&events().set("trial_duration", long), &["1000000000 bins"]);
    let shape = |s: &str, data: &[u8]| {
        raw_npy(
            &format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {s}, }}"),
            data,
        )
    };
    for s in [
        "(4611686018427387904,)",
        "(4611686018427387904, 4611686018427387904)",
        "(1000000000000,)",
        "(18446744073709551616,)",
        "(-1,)",
    ] {
        expect(
            &events().set("spike_times", shape(s, &[0; 48])),
            &["spike_times"],
        );
    }
    expect(
        &events().set("spike_times", shape("(4000000000,)", &[0; 48])),
        &["32000000000 bytes", "48"],
    );
    expect(
        &events().set("spike_times", shape("(5,)", &[0; 48])),
        &["40 bytes", "48"],
    );
    expect(
        &events().set("spike_times", shape("(7,)", &[0; 48])),
        &["56 bytes", "48"],
    );
    expect(
        &events().set("spike_times", shape(&"(".repeat(50_000), &[])),
        &["spike_times", "header"],
    );
}

/// The sizes in a zip's directory are as little to be trusted as those in an array's header.
#[test]
fn entries_whose_real_size_is_not_the_declared_one() {
    let folder = tempfile::tempdir().unwrap();
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (6,), }";
    for (real, declared) in [(1_000_000, 48u32), (8, 48), (48, 1_000_000)] {
        let array = raw_npy(header, &vec![0; real]);
        let size = array.len() as u32;
        let fixture = events().set("spike_times", array);
        let mut bytes = fixture.bytes();
        let claimed = size - real as u32 + declared;
        let found = size.to_le_bytes();
        let places: Vec<usize> = (0..bytes.len() - 4)
            .filter(|&k| bytes[k..k + 4] == found)
            .collect();
        assert!(places.len() >= 2, "local header and directory");
        for place in places {
            bytes[place..place + 4].copy_from_slice(&claimed.to_le_bytes());
        }
        expect_file(&write(folder.path(), &bytes), &["spike_times"]);
    }
}

#[test]
fn damaged_data_fail_their_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = events().bytes_as(CompressionMethod::Stored);
    let times = 0.021f64.to_le_bytes();
    let at = bytes.windows(8).position(|w| w == times).unwrap();
    bytes[at] ^= 1;
    expect_file(&write(folder.path(), &bytes), &["spike_times", "damaged"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let folder = tempfile::tempdir().unwrap();
        prop_assert!(message(&write(folder.path(), &bytes)).is_err());
    }

    /// Changed bytes, cuts and repeats in otherwise valid files; stored ones reach the headers.
    #[test]
    fn random_corruptions_never_panic(
        stored in any::<bool>(),
        form in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of((any::<prop::sample::Index>(), 1usize..40)),
    ) {
        let fixture = if form { events() } else { binned() };
        let method = if stored { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let mut bytes = fixture.bytes_as(method);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some((at, len)) = cut {
            let at = at.index(bytes.len());
            let end = (at + len).min(bytes.len());
            bytes.drain(at..end);
        }
        let folder = tempfile::tempdir().unwrap();
        if let Err(error) = message(&write(folder.path(), &bytes)) {
            prop_assert!(!error.contains('\n'), "{}", error);
        }
    }

    /// The array headers themselves, with the zip around them intact.
    #[test]
    fn random_array_headers_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        key in prop::sample::select(vec!["spike_times", "spike_unit", "n_units", "condition"]),
    ) {
        let mut fixture = events();
        for (name, npy) in &mut fixture.0 {
            if name == key {
                for (at, value) in &changes {
                    let at = at.index(npy.len());
                    npy[at] = *value;
                }
            }
        }
        let folder = tempfile::tempdir().unwrap();
        if let Err(error) = message(&fixture.write(folder.path())) {
            prop_assert!(!error.contains('\n'), "{}", error);
        }
    }
}
