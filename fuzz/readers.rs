//! What a fuzz target does with its bytes; true where they could be read. The tests of `tests/readers` run the same
//! on the seeds.
//!
//! Readers take paths. A file without a name, in memory where there is `/dev/shm`, stands for one: nothing is left
//! behind by a target that is killed.

#![allow(dead_code, reason = "every target and test uses one of these")]

use refire::core::{TrialArray, set_memory_limit};
use refire::fit::{Checkpoint, Model, free_runs};
use refire::metrics::{drift, duplicates, noise_correlation, rates};
use refire::random::{Purpose, Stream};
use refire::recording::{
    BinWidth, NpzFile, Pvc11, Pvc11Files, Recording, RecordingFile, RecordingParts, TimeUnit,
    read_stimulus,
};
use std::cell::RefCell;
use std::fs::File;
use std::io::{Cursor, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// What the arrays of a target may take: far less than of a user, so that a fuzzer finds what is behind.
const MEMORY: u64 = 16 << 20;

/// Most spikes and drive of a model that is run.
const RUN: usize = 1 << 16;

/// Keys of a recording, and one that is none of it.
const RECORDING: [&str; 13] = [
    "spike_times",
    "spike_trial",
    "spike_unit",
    "trial_duration",
    "n_units",
    "n_trials",
    "counts",
    "bin_size",
    "n_bins",
    "condition",
    "unit_ids",
    "stimulus",
    "stimulus_dt",
];

/// Keys of a ground truth.
const TRUTH: [&str; 11] = [
    "bias",
    "couplings",
    "drive",
    "population",
    "mask",
    "theta",
    "observed",
    "bin_size",
    "seed",
    "stimulus",
    "stimulus_dt",
];

/// Types of numpy, some that are read and some that are not.
const TYPES: [&str; 16] = [
    "|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f4", "<f8", "<U4", "|S4",
    ">i4", ">f8", "<f2",
];

/// Any bytes as an npz file: every array as every type.
pub fn npz(bytes: &[u8]) -> bool {
    with_file(bytes, |path| {
        let Ok(mut file) = NpzFile::open(path) else {
            return false;
        };
        let keys: Vec<String> = file.names().iter().map(|key| key.to_string()).collect();
        for key in keys {
            let _ = file.f64(&key);
            let _ = file.i64(&key);
            let _ = file.u8(&key);
            let _ = file.labels(&key);
        }
        true
    })
}

/// Arrays under the keys of a recording, through all that `refire info` says of it.
pub fn recording(bytes: &[u8]) -> bool {
    with_file(&archive(bytes, &RECORDING), |path| {
        let Ok(file) = RecordingFile::open(path) else {
            return false;
        };
        file.describe();
        let mut read = true;
        for width in [None, BinWidth::from_seconds(0.003).ok()] {
            match file.bin(width) {
                Ok(recording) => look_at(&recording),
                Err(_) => read &= width.is_some(),
            }
        }
        let in_ms = "ms".parse().map(|ms: TimeUnit| file.in_unit(ms));
        if let Ok(Ok(file)) = in_ms {
            let _ = file.bin(None);
        }
        read
    })
}

fn look_at(recording: &Recording) {
    let small = recording.bins().iter().sum::<usize>() * recording.n_units() < RUN;
    let (Ok(layout), true) = (recording.layout(0), small) else {
        return;
    };
    let spikes = recording.spikes();
    rates(spikes, &layout, recording.bin_width());
    noise_correlation(spikes, &layout);
    duplicates(spikes, &layout);
    drift(spikes, &layout, recording.bin_width());
    let _ = recording.stimulus_per_bin();
}

/// Arrays under the keys of a stimulus.
pub fn stimulus(bytes: &[u8]) -> bool {
    with_file(&archive(bytes, &RECORDING[9..]), |path| {
        read_stimulus(path).is_ok()
    })
}

/// Arrays under the keys of a ground truth.
pub fn truth(bytes: &[u8]) -> bool {
    with_file(&archive(bytes, &TRUTH), |path| {
        refire::synth::read_truth(path).is_ok()
    })
}

/// Four npy files one behind the other, each behind its length in two bytes.
pub fn pvc11(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    let mut part = || {
        let (length, behind) = rest.split_at_checked(2).unwrap_or((&[0, 0], &[]));
        let length = usize::from(u16::from_le_bytes([length[0], length[1]]));
        let (part, behind) = behind.split_at(length.min(behind.len()));
        rest = behind;
        part
    };
    let parts = [part(), part(), part(), part()];
    with_files(&parts, |paths| {
        let [train, test, validation, movie] = paths else {
            return false;
        };
        let read = Pvc11::read(&Pvc11Files {
            train: train.clone(),
            test: test.clone(),
            validation: validation.clone(),
            movie: movie.clone(),
        });
        read.is_ok()
    })
}

/// Any bytes as a model; one that is read is run.
pub fn model(bytes: &[u8]) -> bool {
    with_file(bytes, |path| {
        let Ok(model) = Model::read(path) else {
            return false;
        };
        let longest = model.bins_per_condition.iter().copied().max().unwrap_or(0);
        let size = longest * model.units() * model.bins_per_condition.len();
        if size < RUN {
            run(&model);
        }
        true
    })
}

fn run(model: &Model) {
    let Ok(mut runs) = free_runs(model, Stream::new(1, Purpose::Simulate)) else {
        return;
    };
    let slots: Vec<_> = (0..2).map(|key| runs.slot(key, 0, 0)).collect();
    let _ = runs.present(&slots, 0, None);
}

/// Any bytes as a checkpoint.
pub fn checkpoint(bytes: &[u8]) -> bool {
    with_file(bytes, |path| Checkpoint::read(path).is_ok())
}

/// A recording of three trials of four bins of two units.
pub fn small_recording() -> Recording {
    let spikes = (0..24u8).map(|at| u8::from(at % 5 == 0)).collect();
    let spikes = TrialArray::from_vec(spikes, 3, 4, 2).expect("24 numbers");
    let width = BinWidth::from_seconds(0.01).expect("a positive number");
    Recording::new(RecordingParts::new(spikes, width)).expect("a recording")
}

/// An npz file of arrays made of bytes: for each array its key, its type (from 128 on in Fortran order), the number
/// of its axes, their lengths (255 stands for the number in the next four bytes), and as many bytes of data as that
/// takes, or those there are.
pub fn archive(bytes: &[u8], keys: &[&str]) -> Vec<u8> {
    let mut rest = bytes.iter().copied();
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut used = vec![false; keys.len()];
    while let Some(key) = rest.next() {
        let at = usize::from(key) % keys.len();
        let kind = rest.next().unwrap_or(0);
        let axes = usize::from(rest.next().unwrap_or(0) % 5);
        let mut axis = || match rest.next().unwrap_or(0) {
            255 => {
                let bytes: [u8; 4] = std::array::from_fn(|_| rest.next().unwrap_or(0));
                u64::from(u32::from_le_bytes(bytes))
            }
            n => u64::from(n),
        };
        let shape: Vec<u64> = (0..axes).map(|_| axis()).collect();
        let name = TYPES[usize::from(kind & 127) % TYPES.len()];
        let size: u64 = name[2..].parse().unwrap_or(1);
        let size = if name.starts_with("<U") {
            4 * size
        } else {
            size
        };
        let declared = shape.iter().try_fold(size, |all, &n| all.checked_mul(n));
        let length = declared.map_or(usize::MAX, |n| n as usize);
        let data: Vec<u8> = rest.by_ref().take(length).collect();
        if std::mem::replace(&mut used[at], true) {
            continue;
        }
        let lengths: Vec<String> = shape.iter().map(|n| format!("{n},")).collect();
        let header = format!(
            "{{'descr': '{name}', 'fortran_order': {}, 'shape': ({}), }}\n",
            if kind < 128 { "False" } else { "True" },
            lengths.concat()
        );
        let array = out.start_file(format!("{}.npy", keys[at]), stored).is_ok()
            && out.write_all(b"\x93NUMPY\x01\0").is_ok()
            && out.write_all(&(header.len() as u16).to_le_bytes()).is_ok()
            && out.write_all(header.as_bytes()).is_ok()
            && out.write_all(&data).is_ok();
        assert!(array, "an array is written to memory");
    }
    out.finish().expect("written to memory").into_inner()
}

thread_local! {
    static FILES: RefCell<Vec<File>> = const { RefCell::new(Vec::new()) };
}

/// Hands over the path of a file that holds these bytes.
pub fn with_file<R>(bytes: &[u8], read: impl FnOnce(&Path) -> R) -> R {
    with_files(&[bytes], |paths| read(&paths[0]))
}

fn with_files<R>(contents: &[&[u8]], read: impl FnOnce(&[PathBuf]) -> R) -> R {
    set_memory_limit(MEMORY);
    FILES.with_borrow_mut(|files| {
        while files.len() < contents.len() {
            files.push(without_a_name(files.len()));
        }
        let mut paths = Vec::new();
        for (file, bytes) in files.iter_mut().zip(contents) {
            let written = file
                .set_len(0)
                .and_then(|()| file.seek(SeekFrom::Start(0)))
                .and_then(|_| file.write_all(bytes));
            written.expect("room in memory");
            paths.push(PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd())));
        }
        read(&paths)
    })
}

fn without_a_name(number: usize) -> File {
    let folder = match Path::new("/dev/shm") {
        there if there.is_dir() => there.to_path_buf(),
        _ => std::env::temp_dir(),
    };
    let thread = std::thread::current().id();
    let path = folder.join(format!(
        "refire-fuzz-{}-{thread:?}-{number}",
        std::process::id()
    ));
    let mut options = File::options();
    let file = options.read(true).write(true).create_new(true).open(&path);
    let file = file.expect("a temporary file");
    std::fs::remove_file(&path).expect("the file just made");
    file
}
