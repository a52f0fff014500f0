//! npz files: zip archives of numpy arrays, read without trusting what they declare.

mod header;
mod number;
mod read;
mod write;

use std::path::PathBuf;

pub(crate) use number::Number;
pub use read::NpzFile;
pub(crate) use read::read_npy;
pub use write::NpzWriter;

/// Numbers of one array of an npz file, in C order (last axis fastest).
#[derive(Clone, Debug, PartialEq)]
pub struct NpzArray<T> {
    /// Length of each axis; empty for a scalar.
    pub shape: Vec<usize>,
    /// Numbers in C order, as many as the product of `shape`.
    pub values: Vec<T>,
}

/// Why an npz file cannot be read or written. Every message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpzError {
    /// The file cannot be opened, read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file cannot be written.
    #[error("{}: cannot be written: {error}", path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is no npz file, or a damaged one.
    #[error("{}: not a readable npz file: {why}", path.display())]
    NotNpz {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        why: String,
    },
    /// The file lacks an array.
    #[error("{}: key '{key}' is missing; found {found}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The array looked for.
        key: String,
        /// The keys there are.
        found: String,
    },
    /// An array cannot be read as asked.
    #[error("{}: key '{key}': {error}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// Key of the array.
        key: String,
        /// What is wrong with it.
        error: ArrayError,
    },
}

/// What is wrong with one array of an npz file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayError {
    /// The header is not that of an array of numbers.
    #[error("not a readable numpy array: {why}")]
    Header {
        /// What is wrong with the header.
        why: String,
    },
    /// Python objects, which only pickle can read.
    #[error("holds Python objects (pickled); expected plain numbers")]
    Objects,
    /// The numbers are of another kind than asked for.
    #[error("has type {found}; expected {expected}")]
    Dtype {
        /// Type found, as numpy names it.
        found: String,
        /// Kind of numbers expected.
        expected: &'static str,
    },
    /// The array declares more numbers than can be held.
    #[error("declares shape {found}; expected at most {limit} numbers")]
    TooLarge {
        /// Shape declared.
        found: String,
        /// Largest number of numbers read.
        limit: u64,
    },
    /// More memory than may be asked for.
    #[error(transparent)]
    Memory(#[from] refire_core::MemoryError),
    /// The machine has no memory left for the numbers.
    #[error("no memory for more than {numbers} numbers")]
    OutOfMemory {
        /// How many were read.
        numbers: usize,
    },
    /// The data are shorter or longer than the shape says.
    #[error("declares {expected} bytes of data; the file holds {found}")]
    Length {
        /// Bytes that the shape and type ask for.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// The data end early or are damaged.
    #[error("data cut short or damaged: {why}")]
    Damaged {
        /// What the decoder says.
        why: String,
    },
    /// Not a scalar.
    #[error("has shape {found}; expected a scalar")]
    NotScalar {
        /// Shape found.
        found: String,
    },
    /// A number cannot be taken as the type asked for.
    #[error("[{index}] is {found}; expected {expected}")]
    Value {
        /// Index of the number, per axis.
        index: String,
        /// The number.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// An array to be written does not fit its shape or name.
    #[error("cannot be written: {why}")]
    Write {
        /// What is wrong.
        why: String,
    },
}

/// A shape the way numpy prints it.
pub(crate) fn shape_text(shape: &[usize]) -> String {
    match shape {
        [n] => format!("({n},)"),
        _ => format!("({})", joined(shape)),
    }
}

fn joined(numbers: &[usize]) -> String {
    let texts: Vec<String> = numbers.iter().map(usize::to_string).collect();
    texts.join(", ")
}

/// The first line of a message of another library.
fn one_line(message: impl std::fmt::Display) -> String {
    let text = message.to_string();
    let line = text.lines().map(str::trim).find(|l| !l.is_empty());
    line.unwrap_or("unknown error").to_string()
}
