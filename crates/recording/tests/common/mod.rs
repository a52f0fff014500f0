//! npz fixtures of any type, order and compression, written without the crate under test.
#![allow(dead_code)] // each test file uses its own part

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use npyz::{AutoSerialize, Order, Serialize, WriterBuilder};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// One array in npy format, values in C order of `shape`.
pub fn npy<T: Copy + Serialize + AutoSerialize>(shape: &[u64], values: &[T]) -> Vec<u8> {
    npy_ordered(shape, values, Order::C, None)
}

/// As [`npy`] with the values in the order given and, optionally, another type string.
pub fn npy_ordered<T: Copy + Serialize + AutoSerialize>(
    shape: &[u64],
    values: &[T],
    order: Order,
    dtype: Option<&str>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let dtype = dtype.map_or_else(T::default_dtype, |d| {
        npyz::DType::new_scalar(d.parse().unwrap())
    });
    let mut writer = npyz::WriteOptions::<T>::new()
        .dtype(dtype)
        .shape(shape)
        .order(order)
        .writer(&mut bytes)
        .begin_nd()
        .unwrap();
    writer.extend(values.iter().copied()).unwrap();
    writer.finish().unwrap();
    bytes
}

/// A header with this text, followed by `data`.
pub fn raw_npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// The arrays of a file, by key, to be changed one at a time.
#[derive(Clone, Default)]
pub struct Fixture(pub Vec<(String, Vec<u8>)>);

impl Fixture {
    pub fn set(mut self, key: &str, npy: Vec<u8>) -> Self {
        self.0.retain(|(k, _)| k != key);
        self.0.push((key.to_string(), npy));
        self
    }

    pub fn without(mut self, key: &str) -> Self {
        self.0.retain(|(k, _)| k != key);
        self
    }

    pub fn bytes(&self, method: CompressionMethod) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(method);
        for (key, npy) in &self.0 {
            zip.start_file(format!("{key}.npy"), options).unwrap();
            zip.write_all(npy).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    pub fn write(&self, folder: &Path) -> PathBuf {
        write(folder, &self.bytes(CompressionMethod::Deflated))
    }
}

pub fn write(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("recording.npz");
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Event form: 3 units, 4 trials of 50, 50, 45 and 52 ms, conditions 4, -1, 4, -1.
pub fn events() -> Fixture {
    Fixture::default()
        .set(
            "spike_times",
            npy::<f64>(&[6], &[0.0, 0.0199999999, 0.02, 0.021, 0.0449, 0.051]),
        )
        .set("spike_trial", npy::<i32>(&[6], &[0, 0, 1, 1, 2, 3]))
        .set("spike_unit", npy::<i32>(&[6], &[0, 0, 2, 2, 1, 2]))
        .set("trial_duration", npy(&[4], &[0.05, 0.05, 0.045, 0.052]))
        .set("n_units", npy::<i64>(&[], &[3]))
        .set("n_trials", npy::<i64>(&[], &[4]))
        .set("condition", npy::<i32>(&[4], &[4, -1, 4, -1]))
}

/// The counts of [`events`] in 10 ms bins: `[trial][bin][unit]`, 4 x 6 x 3.
pub fn event_counts() -> Vec<u8> {
    let mut counts = vec![0; 4 * 6 * 3];
    for (trial, bin, unit, count) in [
        (0, 0, 0, 1),
        (0, 2, 0, 1),
        (1, 2, 2, 2),
        (2, 4, 1, 1),
        (3, 5, 2, 1),
    ] {
        counts[(trial * 6 + bin) * 3 + unit] = count;
    }
    counts
}

/// Binned form of [`events`] in 10 ms bins.
pub fn binned() -> Fixture {
    Fixture::default()
        .set("counts", npy(&[4, 6, 3], &event_counts()))
        .set("bin_size", npy::<f64>(&[], &[0.01]))
        .set("n_bins", npy::<i32>(&[4], &[5, 5, 5, 6]))
        .set("condition", npy::<i32>(&[4], &[4, -1, 4, -1]))
}
