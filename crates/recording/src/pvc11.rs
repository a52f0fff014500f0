//! The folder form of the movie recordings of CRCNS pvc-11 (Smith & Kohn): one numpy file of spikes for each
//! part of the repeats, as the method's authors prepared them, and one of the movie.

use crate::npz::{NpzArray, Number, read_npy};
use crate::{BinWidth, Recording, RecordingError, RecordingParts, Split, Stimulus};
use refire_core::TrialArray;
use std::path::{Path, PathBuf};

/// Duration of a frame and of a bin, seconds.
const FRAME: f64 = 0.04;

/// Frames before the first bin with spikes that a movie may have: none, or those that a filter of ten frames
/// needs for its first full view (nine before the present one, or ten).
const WARM_UP: [usize; 3] = [0, 9, 10];

/// Paths of the four npy files that make the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pvc11Files {
    /// Spikes of the training repeats, `(repeats * frames, units)`, one repeat after another.
    pub train: PathBuf,
    /// Spikes of the test repeats, laid out like `train`.
    pub test: PathBuf,
    /// Spikes of the validation repeats, laid out like `train`.
    pub validation: PathBuf,
    /// The movie, `(y, x, frames)`.
    pub movie: PathBuf,
}

/// A recording with the repeats that its authors set aside.
#[derive(Clone, Debug, PartialEq)]
pub struct Pvc11 {
    /// Training, then test, then validation repeats: trials of one condition in bins of 40 ms. The stimulus is
    /// the movie, a frame per bin, its features the pixels `[y][x]`.
    pub recording: Recording,
    /// Which trials are which.
    pub split: Split,
}

impl Pvc11Files {
    /// Finds the files of a folder by their names: npy files with `first80` in the name (training), `next30` or
    /// else `30` (test), `last10` or else `10` (validation), and `movie` (the movie).
    ///
    /// # Errors
    /// [`RecordingError::Files`] where the folder cannot be listed, or no file or more than one fits.
    pub fn find(folder: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let folder = folder.as_ref();
        let fault = |quantity, expected, found: String| RecordingError::Files {
            path: folder.to_path_buf(),
            quantity,
            expected,
            found,
        };
        let unreadable = |e: std::io::Error| fault("folder", "list", e.to_string());
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let name = name.to_string_lossy().into_owned();
            if name.to_lowercase().ends_with(".npy") {
                names.push(name);
            }
        }
        names.sort();
        let mut take = |quantity, expected, patterns: &[&str]| {
            for pattern in patterns {
                let fits = |name: &&String| name.to_lowercase().contains(pattern);
                let found: Vec<String> = names.iter().filter(fits).cloned().collect();
                match found.as_slice() {
                    [] => {}
                    [name] => {
                        let path = folder.join(name);
                        // What is taken fits no looser pattern of another.
                        names.retain(|other| other != &found[0]);
                        return Ok(path);
                    }
                    several => return Err(fault(quantity, expected, several.join(", "))),
                }
            }
            let there = match names.as_slice() {
                [] => "no npy file that is not another's".to_string(),
                names => names.join(", "),
            };
            Err(fault(quantity, expected, there))
        };
        Ok(Self {
            movie: take("movie", "*movie*.npy", &["movie"])?,
            train: take("training spikes", "*first80*.npy", &["first80"])?,
            test: take("test spikes", "*next30*.npy or *30*.npy", &["next30", "30"])?,
            validation: take(
                "validation spikes",
                "*last10*.npy or *10*.npy",
                &["last10", "10"],
            )?,
        })
    }
}

impl Pvc11 {
    /// Reads the files of [`Pvc11Files::find`].
    ///
    /// # Errors
    /// As [`Pvc11Files::find`] and [`Self::read`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, RecordingError> {
        Self::read(&Pvc11Files::find(folder)?)
    }

    /// Reads spikes (booleans, integers or floating-point numbers, 0 or 1) and a movie of finite numbers. A
    /// repeat is as long as the movie, or shorter by the nine or ten frames that precede the first full view of a
    /// filter of ten frames: those frames are then left out, so that the first bins see a grey screen instead. The
    /// longest of the three that divides the rows of every file counts.
    ///
    /// # Errors
    /// [`RecordingError::Npz`] for a file that cannot be opened; [`RecordingError::InFile`] naming the file for one
    /// that is no array of numbers, has the wrong shape or holds other numbers.
    pub fn read(files: &Pvc11Files) -> Result<Self, RecordingError> {
        let movie = read_npy(&files.movie, "a finite number", |n| {
            let value = match n {
                Number::Whole(n) => n as f64,
                Number::Float(x) => x,
            };
            value.is_finite().then_some(value)
        })?;
        let paths = [&files.train, &files.test, &files.validation];
        let mut spikes = Vec::with_capacity(paths.len());
        for path in paths {
            spikes.push(read_npy(path, "0 or 1", |n| match n {
                Number::Whole(0) => Some(0u8),
                Number::Whole(1) => Some(1),
                Number::Float(x) if x == 0.0 || x == 1.0 => Some(u8::from(x == 1.0)),
                _ => None,
            })?);
        }
        let &[height, width, frames] = movie.shape.as_slice() else {
            let error = RecordingError::shape("movie", &movie.shape, "three axes (y, x, frames)");
            return Err(error.in_file(&files.movie));
        };
        if movie.values.is_empty() {
            let error =
                RecordingError::shape("movie", &movie.shape, "at least one pixel and frame");
            return Err(error.in_file(&files.movie));
        }
        let units = match spikes[0].shape[..] {
            [_, units] if units > 0 => units,
            _ => {
                let expected = "(repeats * frames, units)";
                let error = RecordingError::shape("spikes", &spikes[0].shape, expected);
                return Err(error.in_file(&files.train));
            }
        };
        // The length of a repeat is the one that divides every file.
        let mut bins = None;
        let mut fault = None;
        for warm_up in WARM_UP {
            let Some(length) = frames.checked_sub(warm_up).filter(|&n| n > 0) else {
                continue;
            };
            match (spikes.iter().zip(paths)).find(|(array, _)| !fits(array, units, length)) {
                None if bins.is_none() => bins = Some(length),
                None => {}
                Some((array, path)) => {
                    fault.get_or_insert((array.shape.clone(), path));
                }
            }
        }
        let Some(bins) = bins else {
            let expected = format!(
                "(repeats * frames, {units}), a repeat of the movie's {frames} frames, or of 9 or 10 fewer"
            );
            let (shape, path) = fault.unwrap_or((Vec::new(), &files.train));
            return Err(RecordingError::shape("spikes", &shape, expected).in_file(path));
        };
        let dt = BinWidth::from_seconds(FRAME)?;
        let lengths: Vec<usize> = spikes.iter().map(|array| array.shape[0] / bins).collect();
        let trials = lengths.iter().sum();
        let values: Vec<u8> = spikes.into_iter().flat_map(|array| array.values).collect();
        let held = TrialArray::from_vec(values, trials, bins, units);
        let held = held.ok_or_else(|| {
            let expected = format!("{bins} frames of {units} units in each");
            RecordingError::shape("spikes", &[trials], expected)
        })?;
        let left_out = frames - bins;
        let stimulus = by_frame(&movie, left_out);
        let mut parts = RecordingParts::new(held, dt);
        parts.stimulus = Some(Stimulus::new(stimulus, None, height * width, dt)?);
        if left_out > 0 {
            parts.warnings.push(format!(
                "the movie has {left_out} frames more than a repeat has bins: its first {left_out} were left out"
            ));
        }
        let (test, validation) = (lengths[0], lengths[0] + lengths[1]);
        Ok(Self {
            recording: Recording::new(parts)?,
            split: Split {
                seed: 0,
                train: (0..test).collect(),
                test: (test..validation).collect(),
                validation: (validation..trials).collect(),
            },
        })
    }
}

/// Whether an array holds whole repeats of `bins`, at least one.
fn fits(array: &NpzArray<u8>, units: usize, bins: usize) -> bool {
    matches!(array.shape[..], [rows, n] if n == units && rows > 0 && rows.is_multiple_of(bins))
}

/// `(y, x, frames)` to `[frame][y][x]` without the first frames.
fn by_frame(movie: &NpzArray<f64>, left_out: usize) -> Vec<f64> {
    let frames = movie.shape.last().copied().unwrap_or(0);
    let pixels = movie.values.chunks_exact(frames.max(1));
    (left_out..frames)
        .flat_map(|frame| pixels.clone().map(move |p| p[frame]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use npyz::{AutoSerialize, Serialize, WriterBuilder};

    fn write<T: AutoSerialize + Serialize + Copy>(path: &Path, shape: &[u64], values: &[T]) {
        let file = std::fs::File::create(path).unwrap();
        let options = npyz::WriteOptions::new().default_dtype().shape(shape);
        let mut writer = options.writer(file).begin_nd().unwrap();
        writer.extend(values.iter().copied()).unwrap();
        writer.finish().unwrap();
    }

    const UNITS: usize = 3;

    fn spike(at: usize) -> bool {
        at.is_multiple_of(5) || at.is_multiple_of(7)
    }

    /// Repeats of 12 bins: 4 booleans, 2 bytes, 1 of floating-point numbers; pixel `[y][x]` of frame `f` is
    /// `100 f + 10 y + x`.
    fn folder(frames: usize) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let spikes = |first: usize, count: usize| (first..first + count).map(spike);
        let part = 12 * UNITS;
        let train: Vec<bool> = spikes(0, 4 * part).collect();
        let test: Vec<u8> = spikes(4 * part, 2 * part).map(u8::from).collect();
        let last: Vec<f64> = spikes(6 * part, part)
            .map(|z| f64::from(u8::from(z)))
            .collect();
        write(&at("S_1_train(last)_natural_first80.npy"), &[48, 3], &train);
        write(&at("S_1_test_natural_next30.npy"), &[24, 3], &test);
        write(&at("S_1_val_natural_last10.npy"), &[12, 3], &last);
        let mut movie = Vec::new();
        for (y, x) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            movie.extend((0..frames).map(|f| (100 * f + 10 * y + x) as f32));
        }
        write(&at("movie_natural.npy"), &[2, 2, frames as u64], &movie);
        folder
    }

    #[test]
    fn reads_spikes_movie_and_split() {
        for (frames, left_out) in [(12, 0), (21, 9), (22, 10)] {
            let Pvc11 { recording, split } = Pvc11::open(folder(frames).path()).unwrap();
            assert_eq!((recording.n_trials(), recording.n_units()), (7, UNITS));
            assert!(recording.bins().iter().all(|&bins| bins == 12));
            assert_eq!((recording.bin_width(), recording.n_conditions()), (0.04, 1));
            assert_eq!(split.train, [0, 1, 2, 3]);
            assert_eq!((split.test, split.validation), (vec![4, 5], vec![6]));
            for (at, &z) in recording.spikes().as_slice().iter().enumerate() {
                assert_eq!(z, u8::from(spike(at)));
            }
            let stimulus = recording.stimulus().unwrap();
            assert_eq!((stimulus.features(), stimulus.samples()), (4, 12));
            let first = 100.0 * left_out as f64;
            assert_eq!(
                stimulus.course(0)[..4],
                [0.0, 1.0, 10.0, 11.0].map(|p| first + p)
            );
            assert_eq!(stimulus.course(0)[4], first + 100.0);
            assert_eq!(recording.warnings().len(), usize::from(left_out > 0));
        }
    }

    #[test]
    fn says_which_file_has_what_wrong() {
        let message =
            |folder: &tempfile::TempDir| Pvc11::open(folder.path()).unwrap_err().to_string();
        let says = |message: &str, parts: &[&str]| {
            assert!(!message.contains('\n'));
            for part in parts {
                assert!(message.contains(part), "{part} is not in {message}");
            }
        };
        let wrong = folder(17);
        says(&message(&wrong), &["first80.npy", "(48, 3)", "17 frames"]);

        let other = folder(12);
        let path = other.path().join("S_1_test_natural_next30.npy");
        write(&path, &[12, 4], &[0u8; 48]);
        says(
            &message(&other),
            &["next30.npy", "(12, 4)", "(repeats * frames, 3)"],
        );
        write(&path, &[12, 3], &[2u8; 36]);
        says(&message(&other), &["next30.npy", "[0, 0] is 2", "0 or 1"]);
        write(&path, &[12, 3], &[0.5f64; 36]);
        says(&message(&other), &["next30.npy", "[0, 0] is 0.5", "0 or 1"]);
        std::fs::write(&path, b"no array").unwrap();
        says(
            &message(&other),
            &["next30.npy", "not a readable numpy array"],
        );
        std::fs::remove_file(&path).unwrap();
        says(
            &message(&other),
            &["test spikes", "*next30*.npy", "last10.npy"],
        );

        let none = folder(12);
        let train = none.path().join("S_1_train(last)_natural_first80.npy");
        write(&train, &[48, 0], &[0u8; 0]);
        says(&message(&none), &["first80.npy", "(48, 0)", "units"]);
        let wide = folder(12);
        let movie = wide.path().join("movie_natural.npy");
        write(&movie, &[3, 2, 12], &[0.0f32; 72]);
        let read = Pvc11::open(wide.path()).unwrap().recording;
        assert_eq!(read.stimulus().unwrap().features(), 6);

        let twice = folder(12);
        write(&twice.path().join("b_first80.npy"), &[12, 3], &[0u8; 36]);
        says(
            &message(&twice),
            &["training spikes", "S_1_train", "b_first80.npy"],
        );
        let flat = folder(12);
        write(
            &flat.path().join("movie_natural.npy"),
            &[4, 12],
            &[0.0f32; 48],
        );
        says(
            &message(&flat),
            &["movie_natural.npy", "(4, 12)", "(y, x, frames)"],
        );
        says(
            &Pvc11::open("/nowhere").unwrap_err().to_string(),
            &["/nowhere", "folder"],
        );
    }
}
