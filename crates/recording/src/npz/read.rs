//! Reading arrays of npz files.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use npyz::{Deserialize, NpyFile};
use zip::ZipArchive;

use super::header::{Header, Kind, read_header};
use super::number::Number;
use super::{ArrayError, NpzArray, NpzError, joined, one_line, shape_text};
use crate::{Label, RecordingError};

/// An open npz file: a zip archive, stored or deflated, of numpy arrays of plain numbers.
///
/// An array is read only when asked for, and only as far as its header declares: nothing is
/// allocated on the word of a header alone. Either byte order and either axis order is accepted;
/// values come out in C order.
pub struct NpzFile {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
    /// Key and place in the archive, by key.
    keys: Vec<(String, usize)>,
    bytes: u64,
}

impl fmt::Debug for NpzFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NpzFile")
            .field("path", &self.path)
            .field("keys", &self.names())
            .finish_non_exhaustive()
    }
}

impl NpzFile {
    /// Opens a file and reads its list of arrays.
    ///
    /// # Errors
    /// [`NpzError::Io`] where it cannot be read, [`NpzError::NotNpz`] where it is no npz file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, NpzError> {
        let path = path.as_ref().to_path_buf();
        let io = |error| NpzError::Io {
            path: path.clone(),
            error,
        };
        let no = |why: &str| NpzError::NotNpz {
            path: path.clone(),
            why: why.to_string(),
        };
        let kind = std::fs::metadata(&path).map_err(io)?;
        if kind.is_dir() {
            return Err(no("it is a folder"));
        }
        if !kind.is_file() {
            return Err(no("it is not a regular file"));
        }
        if kind.len() == 0 {
            return Err(no("it is empty"));
        }
        let mut start = Vec::new();
        let mut file = File::open(&path).map_err(io)?;
        (&mut file).take(6).read_to_end(&mut start).map_err(io)?;
        if start == b"\x93NUMPY" {
            return Err(no("it is a single npy array; save with numpy.savez"));
        }
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|e| {
            no(&if start.starts_with(b"PK") {
                format!("cut short or damaged ({})", one_line(e))
            } else {
                "it is no zip archive".to_string()
            })
        })?;
        let mut keys = Vec::new();
        for (at, name) in archive.file_names().enumerate() {
            let name = name.map_err(|e| no(&one_line(e)))?;
            if let Some(key) = name.strip_suffix(".npy") {
                keys.push((key.to_string(), at));
            }
        }
        if keys.is_empty() {
            return Err(no("the archive holds no npy array"));
        }
        keys.sort();
        Ok(Self {
            path,
            archive,
            keys,
            bytes: kind.len(),
        })
    }

    /// Size of the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Path of the open file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keys of the arrays, sorted.
    pub fn names(&self) -> Vec<&str> {
        self.keys.iter().map(|(key, _)| key.as_str()).collect()
    }

    /// Whether there is an array of this key.
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// An array of numbers: floating-point (32 or 64 bits, finite or not), integers or booleans.
    ///
    /// # Errors
    /// [`NpzError::Missing`], or [`NpzError::Array`] for another type or damaged data.
    pub fn f64(&mut self, name: &str) -> Result<NpzArray<f64>, NpzError> {
        self.read(name, "a number", |n| Some(n.value()))
    }

    /// An array of whole numbers that fit 64 signed bits, of whatever type: integers, booleans, or floating-point
    /// numbers without a fraction.
    ///
    /// # Errors
    /// [`NpzError::Missing`], or [`NpzError::Array`] for another type, damaged data or a number
    /// that does not fit.
    pub fn i64(&mut self, name: &str) -> Result<NpzArray<i64>, NpzError> {
        self.read(name, "a whole number of 64 bits", Number::whole)
    }

    /// An array of whole numbers, 0 to 255, of whatever type, such as spikes or counts.
    ///
    /// # Errors
    /// [`NpzError::Missing`], or [`NpzError::Array`] for another type, damaged data or a number
    /// that does not fit.
    pub fn u8(&mut self, name: &str) -> Result<NpzArray<u8>, NpzError> {
        self.read(name, "a whole number, 0 to 255", Number::whole)
    }

    /// An array of names: numbers, finite ones, or text (numpy's `U` or `S`).
    ///
    /// # Errors
    /// [`NpzError::Missing`], or [`NpzError::Array`] for another type, damaged data or a number that is not finite.
    pub fn labels(&mut self, name: &str) -> Result<NpzArray<Label>, NpzError> {
        self.array(name, |reader, declared| {
            read_array(
                reader,
                declared,
                "numbers or text",
                |header, kind, reader| {
                    if kind == Kind::Text {
                        return Some(decode_as(header, reader, "text", |text: String| {
                            let Ok(label) = text.trim_end_matches('\0').parse();
                            Ok(label)
                        }));
                    }
                    let label = |n: Number| n.label();
                    decode(header, kind, reader, "a finite number", &label)
                },
            )
        })
    }

    /// Whether the array is one of text.
    pub(crate) fn is_text(&mut self, name: &str) -> Result<bool, NpzError> {
        self.array(name, |mut reader, _| {
            Ok(read_header(&mut reader)?.kind == Some(Kind::Text))
        })
    }

    /// How near a number of an array is to the one it was rounded from, as a share of it: a unit in the last place of
    /// its type, twice what one rounding makes.
    pub(crate) fn rounding(&mut self, name: &str) -> Result<f64, NpzError> {
        self.array(name, |mut reader, _| {
            Ok(match read_header(&mut reader)?.kind {
                Some(Kind::F32) => f64::from(f32::EPSILON),
                Some(Kind::F64) => f64::EPSILON,
                _ => 0.0,
            })
        })
    }

    /// A number alone in its array, of whatever shape.
    ///
    /// # Errors
    /// As [`Self::f64`], and [`ArrayError::NotScalar`] for another shape.
    pub fn scalar_f64(&mut self, name: &str) -> Result<f64, NpzError> {
        let array = self.f64(name)?;
        self.scalar(name, array)
    }

    /// A whole number alone in its array, of whatever shape.
    ///
    /// # Errors
    /// As [`Self::i64`], and [`ArrayError::NotScalar`] for another shape.
    pub fn scalar_i64(&mut self, name: &str) -> Result<i64, NpzError> {
        let array = self.i64(name)?;
        self.scalar(name, array)
    }

    fn scalar<T: Copy>(&self, name: &str, array: NpzArray<T>) -> Result<T, NpzError> {
        match array.values[..] {
            [value] => Ok(value),
            _ => Err(self.array_error(
                name,
                ArrayError::NotScalar {
                    found: shape_text(&array.shape),
                },
            )),
        }
    }

    /// An array whose numbers `convert` turns into `T`; `expected` names those it takes.
    pub(crate) fn read<T: Clone>(
        &mut self,
        name: &str,
        expected: &'static str,
        convert: impl Fn(Number) -> Option<T>,
    ) -> Result<NpzArray<T>, NpzError> {
        self.array(name, |reader, declared| {
            read_numbers(reader, declared, expected, convert)
        })
    }

    /// What `read` makes of the array of a key, given as many bytes as the archive declares.
    fn array<R>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut dyn Read, u64) -> Result<R, ArrayError>,
    ) -> Result<R, NpzError> {
        let at = self.position(name).ok_or_else(|| NpzError::Missing {
            path: self.path.clone(),
            key: name.to_string(),
            found: self.keys_text(),
        })?;
        let entry = self.archive.by_index(at);
        let damaged = |e| ArrayError::Damaged { why: one_line(e) };
        let outcome = entry.map_err(damaged).and_then(|entry| {
            let declared = entry.size();
            read(&mut BufReader::new(entry), declared)
        });
        outcome.map_err(|error| self.array_error(name, error))
    }

    fn position(&self, name: &str) -> Option<usize> {
        let (_, at) = self.keys.iter().find(|(key, _)| key == name)?;
        Some(*at)
    }

    /// The first keys, for messages.
    pub(crate) fn keys_text(&self) -> String {
        const SHOWN: usize = 20;
        let mut keys: Vec<String> = self
            .keys
            .iter()
            .take(SHOWN)
            .map(|(key, _)| key.escape_debug().to_string())
            .collect();
        if self.keys.len() > SHOWN {
            keys.push("...".to_string());
        }
        keys.join(", ")
    }

    fn array_error(&self, name: &str, error: ArrayError) -> NpzError {
        NpzError::Array {
            path: self.path.clone(),
            key: name.to_string(),
            error,
        }
    }
}

/// An array of `declared` bytes, header included, whose values `decode` reads where it can.
fn read_array<R: Read, T: Clone>(
    mut reader: R,
    declared: u64,
    expected: &'static str,
    decode: impl FnOnce(&Header, Kind, &mut R) -> Option<Result<Vec<T>, ArrayError>>,
) -> Result<NpzArray<T>, ArrayError> {
    let damaged = |why: String| ArrayError::Damaged { why };
    let header = read_header(&mut reader)?;
    let dtype = header.dtype.clone();
    let other = || ArrayError::Dtype {
        found: dtype,
        expected,
    };
    let Some(kind) = header.kind else {
        return Err(other());
    };
    let length = |found: u64| ArrayError::Length {
        expected: header.data_bytes,
        found,
    };
    if declared != header.header_bytes.saturating_add(header.data_bytes) {
        return Err(length(declared.saturating_sub(header.header_bytes)));
    }
    // A deflated file is up to a thousand times as large inside.
    let bytes = header.npy.len() as f64 * size_of::<T>() as f64;
    refire_core::check_memory("numbers of the array", bytes)?;
    let values = decode(&header, kind, &mut reader).ok_or_else(other)??;
    // Reading to the end also verifies the checksum.
    match reader.read(&mut [0]) {
        Ok(0) => {}
        Ok(more) => return Err(length(header.data_bytes.saturating_add(more as u64))),
        Err(e) => return Err(damaged(one_line(e))),
    }
    let values = if header.fortran && header.shape.len() > 1 {
        to_c_order(&values, &header.shape)
    } else {
        values
    };
    Ok(NpzArray {
        shape: header.shape,
        values,
    })
}

/// An array of numbers, turned into `T` by `convert`.
fn read_numbers<R: Read, T: Clone>(
    reader: R,
    declared: u64,
    expected: &'static str,
    convert: impl Fn(Number) -> Option<T>,
) -> Result<NpzArray<T>, ArrayError> {
    read_array(reader, declared, "numbers", |header, kind, reader| {
        decode(header, kind, reader, expected, &convert)
    })
}

/// Numbers of a file that is a single array (npy), turned into `T` by `convert`.
pub(crate) fn read_npy<T: Clone>(
    path: &Path,
    expected: &'static str,
    convert: impl Fn(Number) -> Option<T>,
) -> Result<NpzArray<T>, RecordingError> {
    let io = |error| NpzError::Io {
        path: path.to_path_buf(),
        error,
    };
    let file = File::open(path).map_err(io)?;
    let declared = file.metadata().map_err(io)?.len();
    let array = read_numbers(BufReader::new(file), declared, expected, convert);
    array.map_err(|error| RecordingError::Array(error).in_file(path))
}

/// The numbers in the order of the file; `None` where they are none.
fn decode<T>(
    header: &Header,
    kind: Kind,
    reader: &mut impl Read,
    expected: &'static str,
    convert: &impl Fn(Number) -> Option<T>,
) -> Option<Result<Vec<T>, ArrayError>> {
    macro_rules! as_type {
        ($type:ty, $number:expr) => {
            decode_as::<$type, T>(header, reader, expected, |n: $type| {
                let number = $number(n);
                convert(number).ok_or(number)
            })
        };
    }
    let float = |x: f64| Number::Float(x);
    Some(match kind {
        Kind::Text => return None,
        Kind::Bool => as_type!(bool, |b| Number::Whole(i128::from(b))),
        Kind::I8 => as_type!(i8, |n| Number::Whole(i128::from(n))),
        Kind::I16 => as_type!(i16, |n| Number::Whole(i128::from(n))),
        Kind::I32 => as_type!(i32, |n| Number::Whole(i128::from(n))),
        Kind::I64 => as_type!(i64, |n| Number::Whole(i128::from(n))),
        Kind::U8 => as_type!(u8, |n| Number::Whole(i128::from(n))),
        Kind::U16 => as_type!(u16, |n| Number::Whole(i128::from(n))),
        Kind::U32 => as_type!(u32, |n| Number::Whole(i128::from(n))),
        Kind::U64 => as_type!(u64, |n| Number::Whole(i128::from(n))),
        Kind::F32 => as_type!(f32, |x: f32| float(f64::from(x))),
        Kind::F64 => as_type!(f64, float),
    })
}

fn decode_as<N: Deserialize, T>(
    header: &Header,
    reader: impl Read,
    expected: &'static str,
    convert: impl Fn(N) -> Result<T, Number>,
) -> Result<Vec<T>, ArrayError> {
    let damaged = |why: String| ArrayError::Damaged { why };
    let numbers = NpyFile::with_header(header.npy.clone(), reader)
        .data::<N>()
        .map_err(|e| damaged(one_line(e)))?;
    // Grows with what is really there, not with what the header declares.
    let mut values = Vec::new();
    for (at, number) in numbers.enumerate() {
        let number = number.map_err(|e| damaged(one_line(e)))?;
        if values.len() == values.capacity() {
            let grown = values.try_reserve(values.len().max(1024));
            grown.map_err(|_| ArrayError::OutOfMemory { numbers: at })?;
        }
        values.push(convert(number).map_err(|found| ArrayError::Value {
            index: index_text(at, &header.shape, header.fortran),
            found: found.to_string(),
            expected,
        })?);
    }
    Ok(values)
}

/// Index per axis of the `at`-th number of the file.
fn index_text(mut at: usize, shape: &[usize], fortran: bool) -> String {
    let mut index = vec![0; shape.len()];
    let axes: Vec<usize> = if fortran {
        (0..shape.len()).collect()
    } else {
        (0..shape.len()).rev().collect()
    };
    for axis in axes {
        index[axis] = at % shape[axis].max(1);
        at /= shape[axis].max(1);
    }
    joined(&index)
}

/// From first axis fastest to last axis fastest.
fn to_c_order<T: Clone>(values: &[T], shape: &[usize]) -> Vec<T> {
    let mut stride = vec![1; shape.len()];
    for axis in 1..shape.len() {
        stride[axis] = stride[axis - 1] * shape[axis - 1];
    }
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    let mut next = || {
        let here = at;
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += stride[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= stride[axis] * shape[axis];
            index[axis] = 0;
        }
        here
    };
    (0..values.len()).map(|_| values[next()].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fortran_order_becomes_c_order() {
        // a[i, j, k] = 100 i + 10 j + k, shape (2, 3, 2), first axis fastest.
        let fortran = [0, 100, 10, 110, 20, 120, 1, 101, 11, 111, 21, 121];
        let c = [0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121];
        assert_eq!(to_c_order(&fortran, &[2, 3, 2]), c);
        assert_eq!(index_text(3, &[2, 3, 2], true), "1, 1, 0");
        assert_eq!(index_text(3, &[2, 3, 2], false), "0, 1, 1");
    }
}
