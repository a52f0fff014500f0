//! The frame of every file refire writes for itself: named MessagePack with a format name and a
//! version; numbers of tensors as little-endian bytes.

use crate::FitError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Little-endian `f32`s as one byte string.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct F32Bytes(#[serde(with = "serde_bytes")] Vec<u8>);

impl F32Bytes {
    pub fn new(values: &[f32]) -> Self {
        Self(values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// The numbers; `None` where the bytes do not divide.
    pub fn values(&self) -> Option<Vec<f32>> {
        let chunks = self.0.chunks_exact(4);
        chunks.remainder().is_empty().then(|| {
            chunks
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect()
        })
    }
}

/// Zeros and ones, eight to a byte.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Bits(#[serde(with = "serde_bytes")] Vec<u8>);

impl Bits {
    pub fn new(values: &[u8]) -> Self {
        Self(
            values
                .chunks(8)
                .map(|byte| {
                    byte.iter()
                        .enumerate()
                        .fold(0, |b, (i, &z)| b | (u8::from(z != 0) << i))
                })
                .collect(),
        )
    }

    /// The first `count` values; `None` where there are not as many.
    pub fn values(&self, count: usize) -> Option<Vec<u8>> {
        (self.0.len() == count.div_ceil(8))
            .then(|| (0..count).map(|i| (self.0[i / 8] >> (i % 8)) & 1).collect())
    }
}

#[derive(Serialize)]
struct FrameOut<'a, B> {
    format: &'a str,
    version: u32,
    refire_version: &'a str,
    body: &'a B,
}

#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
}

#[derive(Deserialize)]
struct FrameIn<B> {
    body: B,
}

/// Writes a framed body to a temporary name and renames it.
pub(crate) fn write<B: Serialize>(
    path: &Path,
    format: &str,
    version: u32,
    body: &B,
) -> Result<(), FitError> {
    let frame = FrameOut {
        format,
        version,
        refire_version: env!("CARGO_PKG_VERSION"),
        body,
    };
    let bytes = rmp_serde::to_vec_named(&frame).map_err(|e| error(path, e.to_string()))?;
    refire_recording::write_atomic(path, &bytes)
        .map_err(|e| error(path, format!("cannot be written: {e}")))
}

/// Reads a framed body of a version up to `version`.
pub(crate) fn read<B: DeserializeOwned>(
    path: &Path,
    format: &str,
    version: u32,
) -> Result<B, FitError> {
    let bytes = std::fs::read(path).map_err(|e| error(path, format!("cannot be read: {e}")))?;
    let header: Header = rmp_serde::from_slice(&bytes)
        .map_err(|_| error(path, format!("not a {format} file, or cut short")))?;
    if header.format != format {
        let reason = format!(
            "expected a {format} file, found {}",
            header.format.escape_debug()
        );
        return Err(error(path, reason));
    }
    if header.version == 0 || header.version > version {
        let reason = format!(
            "{format} version {}, this refire reads up to {version}: a newer refire wrote it",
            header.version
        );
        return Err(error(path, reason));
    }
    let frame: FrameIn<B> = rmp_serde::from_slice(&bytes)
        .map_err(|e| error(path, format!("damaged {format} file: {e}")))?;
    Ok(frame.body)
}

pub(crate) fn error(path: &Path, reason: impl Into<String>) -> FitError {
    FitError::File {
        path: path.display().to_string(),
        reason: reason.into(),
    }
}
