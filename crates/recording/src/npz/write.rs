//! Writing npz files that numpy reads.

use std::borrow::Borrow;
use std::io::{BufWriter, Cursor, Write};
use std::path::{Path, PathBuf};

use npyz::{AutoSerialize, DType, Serialize, WriterBuilder};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::{ArrayError, NpzError, one_line, shape_text};
use crate::{Label, Outputs};

/// Collects arrays and writes them as one npz file, deflated, read by `numpy.load`.
///
/// The same arrays give the same bytes: entries carry no time of writing. The file appears under
/// its name only when whole.
///
/// ```
/// use refire_recording::{NpzFile, NpzWriter};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("a.npz");
/// let mut writer = NpzWriter::new(&path);
/// writer.f64("gain", &[2, 2], &[1.0, 0.5, 0.0, 2.0])?;
/// writer.i64("seed", &[], &[7])?;
/// writer.finish()?;
///
/// let mut file = NpzFile::open(&path)?;
/// assert_eq!(file.names(), ["gain", "seed"]);
/// assert_eq!(file.f64("gain")?.shape, [2, 2]);
/// assert_eq!(file.scalar_i64("seed")?, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct NpzWriter {
    path: PathBuf,
    archive: ZipWriter<Cursor<Vec<u8>>>,
    keys: Vec<String>,
}

impl std::fmt::Debug for NpzWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NpzWriter")
            .field("path", &self.path)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl NpzWriter {
    /// An empty file, written by [`Self::finish`].
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_path_buf(),
            archive: ZipWriter::new(Cursor::new(Vec::new())),
            keys: Vec::new(),
        }
    }

    /// Adds a float64 array, C order; an empty shape makes a scalar.
    ///
    /// # Errors
    /// [`ArrayError::Write`] where the values do not fill the shape, or the name is taken or unfit.
    pub fn f64(&mut self, name: &str, shape: &[usize], values: &[f64]) -> Result<(), NpzError> {
        self.add(name, shape, values)
    }

    /// Adds a float32 array, C order; an empty shape makes a scalar.
    ///
    /// # Errors
    /// As [`Self::f64`].
    pub fn f32(&mut self, name: &str, shape: &[usize], values: &[f32]) -> Result<(), NpzError> {
        self.add(name, shape, values)
    }

    /// Adds an int64 array, C order; an empty shape makes a scalar.
    ///
    /// # Errors
    /// As [`Self::f64`].
    pub fn i64(&mut self, name: &str, shape: &[usize], values: &[i64]) -> Result<(), NpzError> {
        self.add(name, shape, values)
    }

    /// Adds an int32 array, C order; an empty shape makes a scalar.
    ///
    /// # Errors
    /// As [`Self::f64`].
    pub fn i32(&mut self, name: &str, shape: &[usize], values: &[i32]) -> Result<(), NpzError> {
        self.add(name, shape, values)
    }

    /// Adds a uint8 array, C order; an empty shape makes a scalar.
    ///
    /// # Errors
    /// As [`Self::f64`].
    pub fn u8(&mut self, name: &str, shape: &[usize], values: &[u8]) -> Result<(), NpzError> {
        self.add(name, shape, values)
    }

    /// Adds names: an int64 array where all are numbers, else text (numpy's `U`).
    ///
    /// # Errors
    /// As [`Self::f64`].
    pub fn labels(&mut self, name: &str, labels: &[Label]) -> Result<(), NpzError> {
        if let Some(numbers) = Label::numbers(labels) {
            return self.i64(name, &[numbers.len()], &numbers);
        }
        let texts: Vec<String> = labels.iter().map(Label::raw).collect();
        let units = texts.iter().map(|text| text.chars().count()).max();
        let dtype = DType::parse(&format!("'<U{}'", units.unwrap_or(0).max(1)));
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let dtype = dtype.map_err(one_line);
        let added =
            dtype.and_then(|dtype| self.try_add::<str, _>(name, &[texts.len()], dtype, &texts));
        self.named(name, added)
    }

    /// Writes the file under a temporary name in the same folder, then renames it.
    ///
    /// # Errors
    /// [`NpzError::Unwritten`].
    pub fn finish(self) -> Result<(), NpzError> {
        let (path, mut outputs) = (self.path.clone(), Outputs::default());
        self.add_to(&mut outputs)?;
        outputs
            .publish()
            .map_err(|error| NpzError::Unwritten { path, error })
    }

    /// Adds the file to others that are to appear together.
    ///
    /// # Errors
    /// [`NpzError::Unwritten`].
    pub fn add_to(self, outputs: &mut Outputs) -> Result<(), NpzError> {
        let path = self.path;
        let bytes = self.archive.finish().map_err(std::io::Error::from);
        let added = bytes.and_then(|bytes| outputs.add(&path, bytes.get_ref()));
        added.map_err(|error| NpzError::Unwritten { path, error })
    }

    fn add<T: Serialize + AutoSerialize>(
        &mut self,
        name: &str,
        shape: &[usize],
        values: &[T],
    ) -> Result<(), NpzError> {
        let added = self.try_add(name, shape, T::default_dtype(), values);
        self.named(name, added)
    }

    fn named(&self, name: &str, added: Result<(), String>) -> Result<(), NpzError> {
        added.map_err(|why| NpzError::Array {
            path: self.path.clone(),
            key: name.escape_debug().to_string(),
            error: ArrayError::Write { why },
        })
    }

    fn try_add<T: Serialize + ?Sized, V: Borrow<T>>(
        &mut self,
        name: &str,
        shape: &[usize],
        dtype: DType,
        values: &[V],
    ) -> Result<(), String> {
        let unfit = |c: char| c.is_control() || matches!(c, '/' | '\\');
        if name.is_empty() || name.contains(unfit) {
            return Err("a key is not empty and has no slash or control character".to_string());
        }
        if self.keys.iter().any(|key| key == name) {
            return Err("the key is taken".to_string());
        }
        let size = shape
            .iter()
            .try_fold(1usize, |n, &axis| n.checked_mul(axis));
        if size != Some(values.len()) {
            let (found, shape) = (values.len(), shape_text(shape));
            return Err(format!("{found} values do not fill shape {shape}"));
        }
        // Beyond 32 bits, with room for the header, an entry needs the wide form of its sizes.
        let bytes = values.len().saturating_mul(dtype.num_bytes().unwrap_or(1));
        let wide = bytes as u64 >= u64::from(u32::MAX) - 65_536;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::DEFAULT)
            .system(System::Unix)
            .unix_permissions(0o644)
            .large_file(wide);
        self.archive
            .start_file(format!("{name}.npy"), options)
            .map_err(one_line)?;
        let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
        let mut buffer = BufWriter::new(&mut self.archive);
        let mut writer = npyz::WriteOptions::<T>::new()
            .dtype(dtype)
            .shape(&shape)
            .writer(&mut buffer)
            .begin_nd()
            .map_err(one_line)?;
        for value in values {
            writer.push(value.borrow()).map_err(one_line)?;
        }
        writer.finish().map_err(one_line)?;
        buffer.flush().map_err(one_line)?;
        drop(buffer);
        self.keys.push(name.to_string());
        Ok(())
    }
}
