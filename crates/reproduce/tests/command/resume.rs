//! A run that is killed goes on where it was, and its numbers are those of a run in one go.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

fn command(out: &Path, threads: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refire-reproduce"));
    command.args(["--quick", "--figure", "estimators", "--seeds", "4"]);
    command.args(["--threads", threads, "--out"]).arg(out);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Finished work items and when they were finished.
fn finished(out: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let builds = fs::read_dir(out.join("cache")).into_iter().flatten();
    let files = builds.flat_map(|build| fs::read_dir(build.unwrap().path()).unwrap());
    let files = files.map(|file| file.unwrap());
    files
        .filter(|file| file.path().extension().is_some_and(|e| e == "json"))
        .map(|file| (file.path(), file.metadata().unwrap().modified().unwrap()))
        .collect()
}

#[test]
fn a_killed_run_goes_on_and_ends_with_the_same_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    assert!(command(&whole, "2").status().unwrap().success());

    let mut run = command(&killed, "1").spawn().unwrap();
    let start = Instant::now();
    while finished(&killed).is_empty() {
        assert!(
            start.elapsed() < Duration::from_secs(300),
            "nothing was finished"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    let before = finished(&killed);
    assert!(before.len() < 4, "the run was over before it was killed");
    assert!(!killed.join("claims.json").exists());

    assert!(command(&killed, "1").status().unwrap().success());
    let after = finished(&killed);
    assert_eq!(after.len(), 4);
    for (file, at) in &before {
        assert_eq!(after[file], *at, "{} was done again", file.display());
    }
    for name in [
        "claims.json",
        "estimators.csv",
        "estimators.svg",
        "estimators-2.svg",
    ] {
        let of = |out: &Path| fs::read(out.join(name)).unwrap();
        assert_eq!(of(&whole), of(&killed), "{name}");
    }
    // A further run does nothing.
    assert!(command(&killed, "1").status().unwrap().success());
    assert_eq!(finished(&killed), after);
}

#[test]
fn bad_options_end_with_one_line_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let (out, empty) = (folder.path().join("out"), folder.path().join("empty"));
    fs::create_dir(&empty).unwrap();
    let empty = empty.to_str().unwrap();
    for (options, message) in [
        (
            ["--figure", "colours"],
            "expected one of stability, statistics",
        ),
        (["--seeds", "1"], "expected 2 or more"),
        (
            ["--data", empty],
            "expected a folder with npz files, found none",
        ),
        (["--data", "/nowhere"], "/nowhere"),
        (["--published", empty], "*movie*.npy"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_refire-reproduce"));
        let found = command
            .args(options)
            .arg("--out")
            .arg(&out)
            .output()
            .unwrap();
        let text = String::from_utf8(found.stderr).unwrap();
        assert_eq!(found.status.code(), Some(2), "{options:?}: {text}");
        assert!(
            text.contains(message) && text.trim_end().lines().count() == 1,
            "{text}"
        );
        assert!(!out.exists(), "{options:?} left something behind");
    }
}
