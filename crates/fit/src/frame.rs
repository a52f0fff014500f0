//! The frame of every file refire writes for itself: named MessagePack with a format name and a
//! version; numbers of tensors as little-endian bytes.

use crate::FitError;
use refire_engine::Wiring;
use refire_sim::Connectivity;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

macro_rules! numbers_as_bytes {
    ($(#[$meta:meta])* $name:ident: $number:ty) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(#[serde(with = "serde_bytes")] Vec<u8>);

        impl $name {
            pub fn new(values: &[$number]) -> Self {
                Self(values.iter().flat_map(|x| x.to_le_bytes()).collect())
            }

            /// The numbers; `None` where the bytes do not divide.
            pub fn values(&self) -> Option<Vec<$number>> {
                let (chunks, rest) = self.0.as_chunks();
                let numbers = chunks.iter().map(|&bytes| <$number>::from_le_bytes(bytes));
                rest.is_empty().then(|| numbers.collect())
            }
        }
    };
}

numbers_as_bytes!(
    /// Little-endian `f32`s as one byte string.
    F32Bytes: f32
);
numbers_as_bytes!(
    /// Little-endian `u32`s as one byte string.
    U32Bytes: u32
);

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

/// Synapses of sparse couplings: how many each source has, and their targets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Synapses {
    out_degrees: U32Bytes,
    targets: U32Bytes,
}

impl Synapses {
    /// Those of couplings that have any.
    pub fn new(wiring: &Wiring) -> Option<Self> {
        wiring.synapses().map(|synapses| Self {
            out_degrees: U32Bytes::new(&synapses.out_degrees()),
            targets: U32Bytes::new(synapses.targets()),
        })
    }

    /// The connectivity; `None` where the lists are damaged.
    pub fn connectivity(&self) -> Option<Arc<Connectivity>> {
        let (degrees, targets) = (self.out_degrees.values()?, self.targets.values()?);
        Connectivity::from_lists(&degrees, targets)
            .ok()
            .map(Arc::new)
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

/// A framed body.
pub(crate) fn bytes<B: Serialize>(
    path: &Path,
    format: &str,
    version: u32,
    body: &B,
) -> Result<Vec<u8>, FitError> {
    let frame = FrameOut {
        format,
        version,
        refire_version: env!("CARGO_PKG_VERSION"),
        body,
    };
    rmp_serde::to_vec_named(&frame).map_err(|e| error(path, e.to_string()))
}

/// Writes a framed body to a temporary name and renames it.
pub(crate) fn write<B: Serialize>(
    path: &Path,
    format: &str,
    version: u32,
    body: &B,
) -> Result<(), FitError> {
    let bytes = bytes(path, format, version, body)?;
    refire_recording::write_atomic(path, &bytes).map_err(|e| unwritten(path, &e))
}

/// A file that cannot be written.
pub(crate) fn unwritten(path: &Path, cause: &std::io::Error) -> FitError {
    FitError::Unwritten {
        path: path.display().to_string(),
        reason: cause.to_string(),
    }
}

/// Whether a file is framed as one of this format.
pub(crate) fn is_of(path: &Path, format: &str) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    rmp_serde::from_slice(&bytes).is_ok_and(|header: Header| header.format == format)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_back_in_their_order() {
        let values: Vec<u8> = (0..37).map(|k| u8::from(k % 3 == 0 || k == 13)).collect();
        for count in [0, 1, 8, 9, 37] {
            let bits = Bits::new(&values[..count]);
            assert_eq!(bits.values(count).as_deref(), Some(&values[..count]));
        }
        assert_eq!(Bits::new(&values).values(41), None);
        assert_eq!(Bits::new(&values).values(32), None);
    }
}
