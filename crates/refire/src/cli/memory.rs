//! How much memory the command may take.

use super::failure::Failure;
use refire::core::set_memory_limit;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Sets the limit that was asked for, else three quarters of what is free.
pub fn limit(asked: Option<&str>) -> Result<(), Failure> {
    let bytes = match asked {
        Some(text) => parse(text).ok_or_else(|| {
            Failure::input(format!(
                "--max-memory {text}: expected a positive size such as 8GiB, 500MB or 1000000000 (bytes)"
            ))
        })?,
        None => free() / 4 * 3,
    };
    set_memory_limit(bytes);
    Ok(())
}

/// Memory that the machine has free, or what is left of the share that this process is given.
fn free() -> u64 {
    let memory = MemoryRefreshKind::nothing().with_ram();
    let system = System::new_with_specifics(RefreshKind::nothing().with_memory(memory));
    let of_machine = system.available_memory();
    match system.cgroup_limits() {
        // What is cached counts as used there, and is given back when it is needed.
        Some(limits) => of_machine.min(limits.total_memory.saturating_sub(limits.rss)),
        None => of_machine,
    }
}

fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let units = [
        ("KiB", 1u64 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
        ("kB", 1_000),
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("B", 1),
        ("", 1),
    ];
    let (number, unit) = units
        .iter()
        .find_map(|(name, unit)| text.strip_suffix(name).map(|n| (n.trim_end(), *unit)))?;
    let bytes = number.parse::<f64>().ok()? * unit as f64;
    (bytes.is_finite() && bytes >= 1.0).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_either_kind_of_unit() {
        for (text, bytes) in [
            ("8GiB", 8 << 30),
            ("1.5 GB", 1_500_000_000),
            ("500MB", 500_000_000),
            ("123", 123),
            ("2KiB", 2048),
        ] {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
        for text in ["", "0", "-1GB", "GB", "much", "infGB", "1 PB"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(free() > 0);
    }
}
