//! How much memory may be asked for: the limit of the process, and what a file may declare.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// No limit until one is set.
static LIMIT: AtomicU64 = AtomicU64::new(u64::MAX);

/// What a file of no size may ask for.
const BASE: f64 = (256u64 << 20) as f64;

/// What every byte of a file may ask for beyond that: recordings are mostly silence, and silence takes no place in
/// them.
const PER_BYTE: f64 = (16u64 << 10) as f64;

/// More memory than may be asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what}: {} of memory needed, expected at most {} ({reason})", Bytes(*needed), Bytes(*limit))]
pub struct MemoryError {
    /// What needs it.
    pub what: String,
    /// Bytes needed.
    pub needed: f64,
    /// Bytes allowed.
    pub limit: f64,
    /// What sets the limit.
    pub reason: &'static str,
}

/// Sets how many bytes arrays may take, for the whole process: what is known to need more is refused before it is
/// begun.
pub fn set_memory_limit(bytes: u64) {
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// Checks that arrays of so many bytes may be held.
///
/// # Errors
/// [`MemoryError`] beyond the limit of [`set_memory_limit`].
pub fn check_memory(what: &str, bytes: f64) -> Result<(), MemoryError> {
    within(
        what,
        bytes,
        LIMIT.load(Ordering::Relaxed) as f64,
        "the memory limit",
    )
}

/// Checks that a file of `file_bytes` may ask for arrays of so many bytes: 256 MiB, and 16 KiB for each of its bytes.
///
/// # Errors
/// [`MemoryError`] for a file that declares far more than it holds, or beyond the limit of [`set_memory_limit`].
pub fn check_declared(what: &str, bytes: f64, file_bytes: u64) -> Result<(), MemoryError> {
    let limit = BASE + PER_BYTE * file_bytes as f64;
    let reason = "the file is too small to declare as much";
    within(what, bytes, limit, reason)?;
    check_memory(what, bytes)
}

fn within(what: &str, needed: f64, limit: f64, reason: &'static str) -> Result<(), MemoryError> {
    if needed <= limit {
        return Ok(());
    }
    Err(MemoryError {
        what: what.to_string(),
        needed,
        limit,
        reason,
    })
}

/// Bytes as people read them.
struct Bytes(f64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.0 / (1u64 << 20) as f64 {
            mib if mib < 1024.0 => (mib, "MiB"),
            mib => (mib / 1024.0, "GiB"),
        };
        write!(f, "{number:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_may_not_declare_large_arrays() {
        let mib = f64::from(1u32 << 20);
        assert_eq!(check_declared("spikes", 200.0 * mib, 0), Ok(()));
        let error = check_declared("spikes", 4096.0 * mib, 1205).unwrap_err();
        assert_eq!(
            error.to_string(),
            "spikes: 4.0 GiB of memory needed, expected at most 274.8 MiB (the file is too small to declare as much)"
        );
        assert_eq!(check_declared("spikes", 4096.0 * mib, 1 << 20), Ok(()));
        assert!(check_memory("spikes", f64::NAN).is_err());
    }
}
