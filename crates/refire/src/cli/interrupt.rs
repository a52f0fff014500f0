//! Signals that ask a fit to stop.

#[cfg(unix)]
use signal_hook::consts::SIGXFSZ;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Which signal has asked for a stop; the second one ends the process at once.
#[derive(Debug)]
pub struct Interrupts {
    received: Arc<AtomicUsize>,
}

/// A fit that was stopped before its end.
#[derive(Clone, Copy, Debug)]
pub struct Stopped {
    /// The signal.
    pub signal: i32,
    /// Iterations done.
    pub iteration: usize,
}

impl Stopped {
    /// The signal as it is called.
    pub fn name(&self) -> &'static str {
        signal_hook::low_level::signal_name(self.signal).unwrap_or("a signal")
    }
}

/// Makes a write beyond the limit of the file size fail with a reason, as one onto a full disk does; left alone, its
/// signal ends the process without a word.
pub fn survive_file_size_limit() {
    #[cfg(unix)]
    // Nobody asks whether it came: the write says so itself.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

impl Interrupts {
    /// Watches for Ctrl-C and the signals that a scheduler or a closing terminal sends.
    pub fn watch() -> std::io::Result<Self> {
        let (armed, received) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicUsize::new(0)),
        );
        for signal in signals().into_iter().filter(|&signal| !is_ignored(signal)) {
            // In this order: the first one finds nothing armed.
            let code = 128 + signal;
            signal_hook::flag::register_conditional_shutdown(signal, code, Arc::clone(&armed))?;
            signal_hook::flag::register(signal, Arc::clone(&armed))?;
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&received), number)?;
        }
        Ok(Self { received })
    }

    /// The signal that has come, if any.
    pub fn received(&self) -> Option<i32> {
        match self.received.load(Ordering::Relaxed) {
            0 => None,
            signal => i32::try_from(signal).ok(),
        }
    }
}

#[cfg(unix)]
fn signals() -> Vec<i32> {
    vec![SIGINT, SIGTERM, signal_hook::consts::SIGHUP]
}

#[cfg(not(unix))]
fn signals() -> Vec<i32> {
    vec![SIGINT, SIGTERM]
}

/// Whether this process was told to ignore a signal, as `nohup` does.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
