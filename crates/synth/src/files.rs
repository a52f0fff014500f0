//! A recording and the truth behind it, side by side in a folder.

use std::path::Path;

use refire_core::TrialArray;
use refire_recording::{
    BinWidth, Label, NpzArray, NpzError, NpzFile, NpzWriter, Outputs, Recording, Stimulus,
};

use crate::{GroundTruth, SynthError, recording};

/// Name of the recording that [`write()`] writes.
pub const RECORDING_FILE: &str = "recording.npz";

/// Name of the ground truth that [`write()`] writes.
pub const TRUTH_FILE: &str = "truth.npz";

/// Key of a ground truth that [`write()`] writes: hash of the recording beside it, as text.
pub const RECORDING_HASH: &str = "recording_hash";

/// Simulates a recording and writes it as [`RECORDING_FILE`], beside the ground truth as [`TRUTH_FILE`],
/// into a folder that is made where there is none. Gives the recording.
///
/// # Errors
/// Those of [`recording`], and [`SynthError::Folder`] or [`SynthError::Npz`] where something cannot
/// be written.
pub fn write(
    folder: impl AsRef<Path>,
    truth: &GroundTruth,
    trials_per_condition: usize,
    seed: u64,
) -> Result<Recording, SynthError> {
    let folder = folder.as_ref();
    let recording = recording(truth, trials_per_condition, seed)?;
    std::fs::create_dir_all(folder).map_err(|error| SynthError::Folder {
        path: folder.to_path_buf(),
        error,
    })?;
    let mut outputs = Outputs::default();
    let path = folder.join(RECORDING_FILE);
    recording.npz_writer(&path)?.add_to(&mut outputs)?;
    let mut truth = truth_writer(folder.join(TRUTH_FILE), truth)?;
    truth.labels(RECORDING_HASH, &[Label::Text(recording.hash())])?;
    truth.add_to(&mut outputs)?;
    outputs
        .publish()
        .map_err(|error| NpzError::Unwritten { path, error })?;
    Ok(recording)
}

/// Writes a ground truth under the keys listed in the crate's documentation.
///
/// # Errors
/// Those of [`GroundTruth::check`], and [`SynthError::Npz`] where the file cannot be written.
pub fn write_truth(path: impl AsRef<Path>, truth: &GroundTruth) -> Result<(), SynthError> {
    Ok(truth_writer(path, truth)?.finish()?)
}

/// A file, not yet written, that holds a ground truth.
fn truth_writer(path: impl AsRef<Path>, truth: &GroundTruth) -> Result<NpzWriter, SynthError> {
    truth.check()?;
    let (units, lags) = (truth.units(), truth.lags);
    let drive_shape = [truth.conditions(), truth.bins(), units];
    let population: Vec<i64> = truth.population.iter().map(|&p| p as i64).collect();
    let mask: Vec<u8> = truth.mask.iter().map(|&m| u8::from(m)).collect();
    let mut writer = NpzWriter::new(path);
    writer.f32("couplings", &[units, lags, units], &truth.couplings)?;
    writer.f32("bias", &[units], &truth.bias)?;
    writer.f32("drive", &drive_shape, &truth.drive.to_vec())?;
    writer.f64("theta", &[], &[truth.theta])?;
    writer.i64("observed", &[], &[truth.observed as i64])?;
    writer.i64("population", &[units], &population)?;
    writer.u8("mask", &[units, units], &mask)?;
    writer.f64("bin_size", &[], &[truth.bin_width.seconds()])?;
    writer.i64("seed", &[], &[truth.seed.cast_signed()])?;
    if let Some(s) = &truth.stimulus {
        let shape = [s.courses(), s.samples(), s.features()];
        writer.f64(
            "stimulus",
            &shape[usize::from(!s.per_condition())..],
            s.values(),
        )?;
        writer.f64("stimulus_dt", &[], &[s.dt().seconds()])?;
    }
    Ok(writer)
}

/// Reads a ground truth written by [`write_truth`], or by numpy under the same keys.
///
/// # Errors
/// [`SynthError::Npz`] for a file that is no npz file, lacks a key or holds other types of numbers;
/// [`SynthError::InFile`] for arrays that do not fit together and numbers out of range.
pub fn read_truth(path: impl AsRef<Path>) -> Result<GroundTruth, SynthError> {
    let path = path.as_ref();
    let mut file = NpzFile::open(path)?;
    read(&mut file).map_err(|error| error.in_file(path))
}

fn read(file: &mut NpzFile) -> Result<GroundTruth, SynthError> {
    let bias = file.f64("bias")?;
    let [units] = axes("bias", &bias.shape, "(units,)", [None])?;
    let array = file.f64("couplings")?;
    let meaning = "(units, lags, units) with the units of the bias";
    let [_, lags, _] = axes(
        "couplings",
        &array.shape,
        meaning,
        [Some(units), None, Some(units)],
    )?;
    let couplings = single(&array);
    let array = file.f64("drive")?;
    let meaning = "(conditions, bins, units) with the units of the bias";
    let [conditions, bins, _] = axes("drive", &array.shape, meaning, [None, None, Some(units)])?;
    let drive = TrialArray::from_vec(single(&array), conditions, bins, units)
        .ok_or_else(|| shape_error("drive", &array.shape, meaning))?;
    let population = file.i64("population")?;
    axes(
        "population",
        &population.shape,
        "(units,), as the bias",
        [Some(units)],
    )?;
    let mask = file.u8("mask")?;
    let meaning = "(units, units) with the units of the bias";
    axes("mask", &mask.shape, meaning, [Some(units), Some(units)])?;
    let labels = population
        .values
        .iter()
        .map(|&label| whole("population label", label));
    let bits = mask.values.iter().map(|&m| match m {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(SynthError::value("a number of the mask", m, "0 or 1")),
    });
    let truth = GroundTruth {
        couplings,
        lags,
        bias: single(&bias),
        drive,
        theta: file.scalar_f64("theta")?,
        observed: whole("observed", file.scalar_i64("observed")?)?,
        population: labels.collect::<Result<_, _>>()?,
        mask: bits.collect::<Result<_, _>>()?,
        bin_width: BinWidth::from_seconds(file.scalar_f64("bin_size")?)?,
        seed: file.scalar_i64("seed")?.cast_unsigned(),
        stimulus: stimulus(file)?,
    };
    truth.check()?;
    Ok(truth)
}

fn single(array: &NpzArray<f64>) -> Vec<f32> {
    array.values.iter().map(|&x| x as f32).collect()
}

fn whole(quantity: &str, found: i64) -> Result<usize, SynthError> {
    usize::try_from(found).map_err(|_| SynthError::value(quantity, found, "at least 0"))
}

/// The axes of an array, as many and as long as asked for.
fn axes<const N: usize>(
    quantity: &'static str,
    found: &[usize],
    meaning: &str,
    lengths: [Option<usize>; N],
) -> Result<[usize; N], SynthError> {
    <[usize; N]>::try_from(found)
        .ok()
        .filter(|axes| {
            axes.iter()
                .zip(lengths)
                .all(|(&a, l)| l.is_none_or(|l| l == a))
        })
        .ok_or_else(|| shape_error(quantity, found, meaning))
}

fn shape_error(quantity: &'static str, found: &[usize], expected: &str) -> SynthError {
    SynthError::Shape {
        quantity,
        expected: expected.to_string(),
        found: format!("{found:?}"),
    }
}

fn stimulus(file: &mut NpzFile) -> Result<Option<Stimulus>, SynthError> {
    if !file.contains("stimulus") {
        return Ok(None);
    }
    let dt = BinWidth::from_seconds(file.scalar_f64("stimulus_dt")?)?;
    let array = file.f64("stimulus")?;
    let (courses, features) = match array.shape[..] {
        [_, features] => (None, features),
        [courses, _, features] => (Some(courses), features),
        _ => {
            let expected = "(samples, features) or (conditions, samples, features)";
            return Err(shape_error("stimulus", &array.shape, expected));
        }
    };
    Ok(Some(Stimulus::new(array.values, courses, features, dt)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SynthSettings, toy_three_populations};
    use std::path::PathBuf;

    fn small() -> GroundTruth {
        GroundTruth::draw(&SynthSettings {
            observed_units: 5,
            hidden_units: 2,
            trials: 2,
            bins: 40,
            conditions: 2,
            lags: 3,
            seed: u64::MAX - 4,
            ..SynthSettings::default()
        })
        .unwrap()
    }

    #[test]
    fn a_truth_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truth.npz");
        for truth in [small(), toy_three_populations(2).unwrap()] {
            write_truth(&path, &truth).unwrap();
            assert_eq!(read_truth(&path).unwrap(), truth);
        }
    }

    #[test]
    fn the_same_seed_writes_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = |name: &str, seed: u64| {
            let at = folder.path().join("made").join(name);
            let recording = write(&at, &small(), 3, seed).unwrap();
            assert_eq!((recording.n_trials(), recording.n_units()), (6, 5));
            ["recording.npz", "truth.npz"].map(|f| std::fs::read(at.join(f)).unwrap())
        };
        let (a, b, c) = (bytes("a", 1), bytes("b", 1), bytes("c", 2));
        assert!(a == b);
        // Of other spikes the truth is the same, but for the recording that it names.
        assert!(a[0] != c[0] && a[1] != c[1]);
        let truth = |name: &str| read_truth(folder.path().join("made").join(name).join(TRUTH_FILE));
        assert_eq!(truth("a").unwrap(), truth("c").unwrap());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.npz");
        // A truth of two units, one lag, one condition and three bins, one array of it replaced.
        let message = |key: &str, shape: &[usize], values: &[f64]| {
            let mut writer = NpzWriter::new(&path);
            let arrays: [(&str, &[usize], &[f64]); 5] = [
                ("couplings", &[2, 1, 2], &[0.0, 0.5, 0.0, 0.0]),
                ("bias", &[2], &[0.0, 0.0]),
                ("drive", &[1, 3, 2], &[0.0; 6]),
                ("theta", &[], &[0.4]),
                ("bin_size", &[], &[0.01]),
            ];
            for (name, good_shape, good) in arrays.into_iter().filter(|a| a.0 != key) {
                writer.f64(name, good_shape, good).unwrap();
            }
            let whole: [(&str, &[usize], &[i64]); 4] = [
                ("observed", &[], &[1]),
                ("population", &[2], &[0, 0]),
                ("mask", &[2, 2], &[0, 1, 0, 0]),
                ("seed", &[], &[1]),
            ];
            for (name, good_shape, good) in whole {
                if name == key {
                    let values: Vec<i64> = values.iter().map(|&x| x as i64).collect();
                    writer.i64(name, shape, &values).unwrap();
                } else {
                    writer.i64(name, good_shape, good).unwrap();
                }
            }
            if arrays.iter().any(|a| a.0 == key) && !values.is_empty() {
                writer.f64(key, shape, values).unwrap();
            }
            writer.finish().unwrap();
            read_truth(&path).map_err(|error| {
                let text = error.to_string();
                let prefix = format!("{}: ", path.display());
                text.strip_prefix(&prefix)
                    .expect("names the file")
                    .to_string()
            })
        };
        assert_eq!(message("none", &[], &[]).unwrap().units(), 2);
        for (key, shape, values, expected) in [
            ("drive", &[0][..], &[][..], "key 'drive' is missing"),
            (
                "bias",
                &[2, 1],
                &[0.0; 2],
                "bias has shape [2, 1]; expected (units,)",
            ),
            (
                "couplings",
                &[1, 2, 2],
                &[0.0; 4],
                "couplings has shape [1, 2, 2]; expected (units, lags",
            ),
            (
                "drive",
                &[1, 2, 3],
                &[0.0; 6],
                "drive has shape [1, 2, 3]; expected (conditions",
            ),
            (
                "mask",
                &[4],
                &[0.0; 4],
                "mask has shape [4]; expected (units, units)",
            ),
            (
                "mask",
                &[2, 2],
                &[0.0, 2.0, 0.0, 0.0],
                "a number of the mask is 2; expected 0 or 1",
            ),
            (
                "mask",
                &[2, 2],
                &[0.0; 4],
                "coupling of source 0 and target 1 is 0.5; expected 0",
            ),
            (
                "mask",
                &[2, 2],
                &[0.0, 1.0, 0.0, 1.0],
                "mask[1, 1] is 1; expected 0",
            ),
            (
                "population",
                &[1],
                &[0.0],
                "population has shape [1]; expected (units,)",
            ),
            ("observed", &[], &[3.0], "observed is 3; expected 1 to 2"),
            (
                "observed",
                &[],
                &[-1.0],
                "observed is -1; expected at least 0",
            ),
            ("theta", &[], &[0.0], "theta is 0; expected above 0"),
            (
                "theta",
                &[2],
                &[0.4, 0.4],
                "key 'theta': has shape (2,); expected a scalar",
            ),
            (
                "bin_size",
                &[],
                &[-0.01],
                "bin width '-0.01': expected a positive",
            ),
            (
                "bias",
                &[2],
                &[0.0, 1e300],
                "bias, number 1 in C order, is inf; expected a finite",
            ),
        ] {
            let found = message(key, shape, values).unwrap_err();
            assert!(found.starts_with(expected), "{found}");
        }
        let missing = read_truth(PathBuf::from("no such file")).unwrap_err();
        assert!(
            missing.to_string().starts_with("no such file: "),
            "{missing}"
        );
    }
}
