//! The seeds of the fuzz targets through the readers, as `cargo xtask fuzz` starts from them.

#![cfg(test)]
#![cfg(target_os = "linux")]

#[path = "../../fuzz/readers.rs"]
mod readers;

use std::path::{Path, PathBuf};
use std::process::Command;

/// What reads bytes, and says whether it could.
type Reader = fn(&[u8]) -> bool;

/// Seeds of a reader. Those that begin with `refused` once made it panic, or take too much, and cannot be read.
fn seeds(reader: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new("fuzz/seeds").join(reader);
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap());
    let mut seeds: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty());
    seeds
}

#[test]
fn every_seed_is_read_or_refused() {
    let readers: [(&str, Reader); 7] = [
        ("npz", readers::npz),
        ("recording", readers::recording),
        ("stimulus", readers::stimulus),
        ("truth", readers::truth),
        ("pvc11", readers::pvc11),
        ("model", readers::model),
        ("checkpoint", readers::checkpoint),
    ];
    for (reader, read) in readers {
        for (name, path) in seeds(reader) {
            let bytes = std::fs::read(path).unwrap();
            assert_eq!(
                read(&bytes),
                !name.starts_with("refused"),
                "{reader}/{name}"
            );
        }
    }
}

#[test]
fn seeds_cut_short_or_changed_are_read_or_refused() {
    for (name, path) in seeds("model").into_iter().chain(seeds("checkpoint")) {
        let bytes = std::fs::read(path).unwrap();
        for length in (0..bytes.len()).step_by(5) {
            let cut = readers::model(&bytes[..length]) || readers::checkpoint(&bytes[..length]);
            assert!(!cut, "{name} cut to {length} bytes was read");
        }
        let mut changed = bytes.clone();
        for at in (0..bytes.len()).step_by(5) {
            changed[at] = !bytes[at];
            readers::model(&changed);
            readers::checkpoint(&changed);
            changed[at] = bytes[at];
        }
    }
}

#[test]
fn options_and_masks_are_those_of_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("recording.npz");
    readers::small_recording().write_npz(&recording).unwrap();
    let fit = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_refire"));
        command.arg("fit").arg(&recording).args(options);
        let out = command.arg("--print-config").output().unwrap();
        let text = String::from_utf8(out.stderr).unwrap();
        (out.status.code(), text)
    };
    for (name, path) in seeds("config") {
        let (code, text) = fit(&["--config", path.to_str().unwrap()]);
        let expected = if name.starts_with("refused") { 2 } else { 0 };
        assert_eq!(code, Some(expected), "{name}: {text}");
    }
    let mask = folder.path().join("mask.npz");
    for (name, path) in seeds("mask") {
        let packed = std::fs::read(path).unwrap();
        std::fs::write(&mask, readers::archive(&packed, &["mask"])).unwrap();
        let (code, text) = fit(&["--mask", mask.to_str().unwrap()]);
        let expected = if name.starts_with("refused") { 2 } else { 0 };
        assert_eq!(code, Some(expected), "{name}: {text}");
    }
}
