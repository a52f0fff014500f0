//! npz files of any type, order and compression, to be bent in any way, written without the crate
//! under test. The tests of the command line (`tests/cli`) use this file as well.
#![allow(dead_code)] // each test program uses its own part

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

    /// The npz file.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_as(CompressionMethod::Deflated)
    }

    pub fn bytes_as(&self, method: CompressionMethod) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(method);
        for (key, npy) in &self.0 {
            zip.start_file(format!("{key}.npy"), options).unwrap();
            zip.write_all(npy).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// Writes `recording.npz` into a folder.
    pub fn write(&self, folder: &Path) -> PathBuf {
        write(folder, &self.bytes())
    }
}

pub fn write(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("recording.npz");
    std::fs::write(&path, bytes).unwrap();
    path
}
