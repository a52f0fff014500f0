//! What is done to the command, and what must hold after it.

use std::collections::BTreeMap;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::folder::Folder;
use super::rig::{Rig, shell};

/// How a scene went.
pub enum Outcome {
    /// All held; with a figure.
    Held(String),
    /// It cannot be played here.
    Skipped(String),
}

type Scene = fn(&mut Rig, &Folder) -> Result<Outcome>;

/// Every scene with its name.
pub const ALL: &[(&str, Scene)] = &[
    ("kills of a fit, resumed", kills_of_a_fit),
    ("kills of generate", |t, f| {
        kills(t, f, "generate --trials 400 --bins 200 --out out")
    }),
    ("kills of simulate", |t, f| {
        kills(
            t,
            f,
            "simulate fit/model.refire --trials 20000 --out out/simulated.npz",
        )
    }),
    ("kills of demo", |t, f| {
        kills(t, f, "demo --iterations 20 --out out")
    }),
    ("kills of reproduce", kills_of_reproduce),
    ("signals", signals),
    ("two at once", two_at_once),
    ("full disk", full_disk),
    ("limit of the file size", file_size),
    ("read-only", read_only),
    ("process number 1", process_one),
];

const FIT: &str = "fit recording.npz --lags 4 --iterations 120 --checkpoint-every 7 --quiet";

/// One line on standard error, and this exit code.
fn refused(output: &Output, code: i32, what: &str) -> Result<()> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.code() == Some(code),
        "{what}: {} {said}",
        output.status
    );
    let lines = said
        .lines()
        .filter(|line| line.starts_with("refire: "))
        .count();
    ensure!(lines == 1 && !said.contains("panicked"), "{what}: {said}");
    Ok(())
}

/// Names that no command leaves behind for good.
fn no_litter(files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    let known = |name: &str| {
        [".refire", ".npz", ".json", ".html", ".lock"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    for name in files.keys() {
        ensure!(known(name), "'{name}' is left behind");
    }
    Ok(())
}

/// The files but for times of day: those of a fit differ in their reports.
fn lasting(mut files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    files.retain(|name, _| name.ends_with(".refire") || name.ends_with(".npz"));
    files
}

fn kills_of_a_fit(rig: &mut Rig, folder: &Folder) -> Result<Outcome> {
    rig.prepare(folder)?;
    let began = Instant::now();
    rig.ok(folder, &format!("{FIT} --out straight"))?;
    let seconds = began.elapsed().as_secs_f64();
    let straight = lasting(folder.files("straight")?);
    let (mut killed, mut resumed) = (0, 0);
    for _ in 0..rig.rounds {
        let _ = std::fs::remove_dir_all(folder.path().join("out"));
        killed += usize::from(rig.kill(folder, &format!("{FIT} --out out"), seconds)?);
        // Once more, on the way from the checkpoint.
        if folder.files("out")?.contains_key("checkpoint.refire") {
            let again = "fit recording.npz --resume out --checkpoint-every 7 --quiet";
            killed += usize::from(rig.kill(folder, again, seconds)?);
            rig.ok(folder, again)?;
            resumed += 1;
        } else {
            rig.ok(folder, &format!("{FIT} --out out"))?;
        }
        let files = folder.files("out")?;
        no_litter(&files)?;
        let mut files = lasting(files);
        ensure!(files.remove("checkpoint.refire").is_some(), "no checkpoint");
        ensure!(
            files["model.refire"] == straight["model.refire"],
            "another model"
        );
    }
    Ok(Outcome::Held(format!(
        "{killed} kills, {resumed} resumed, every model equal to that of a straight run"
    )))
}

/// A command that writes into `out`: killed, its files are whole or absent, and done again they are equal.
fn kills(rig: &mut Rig, folder: &Folder, arguments: &str) -> Result<Outcome> {
    rig.prepare(folder)?;
    let arguments = format!("{arguments} --quiet");
    let out = folder.path().join("out");
    std::fs::create_dir(&out)?;
    let began = Instant::now();
    rig.ok(folder, &arguments)?;
    let seconds = began.elapsed().as_secs_f64();
    let whole = lasting(folder.files("out")?);
    ensure!(!whole.is_empty(), "nothing was written");
    let mut killed = 0;
    for round in 0..rig.rounds {
        // In every other round over the files of the run before.
        if round % 2 == 0 {
            std::fs::remove_dir_all(&out)?;
            std::fs::create_dir(&out)?;
        }
        killed += usize::from(rig.kill(folder, &arguments, seconds)?);
        for (name, bytes) in lasting(folder.files("out")?) {
            let unfinished = !whole.contains_key(&name);
            ensure!(unfinished || whole[&name] == bytes, "{name} is not whole");
        }
        rig.ok(folder, &arguments)?;
        let files = folder.files("out")?;
        no_litter(&files)?;
        ensure!(lasting(files) == whole, "other bytes after a kill");
    }
    Ok(Outcome::Held(format!(
        "{killed} kills, every file whole or absent"
    )))
}

/// Killed, it goes on with the work that it has kept, and comes to the same results.
fn kills_of_reproduce(rig: &mut Rig, folder: &Folder) -> Result<Outcome> {
    let Some(mut rig) = rig.of_reproduce() else {
        return Ok(Outcome::Skipped("--reproduce was not given".to_string()));
    };
    let arguments = "--quick --figure toy --seeds 2 --out out";
    // Page and summary say how long it took.
    let results = || -> Result<_> {
        let mut files = folder.files("out")?;
        files.retain(|name, _| {
            [".json", ".csv", ".svg"]
                .iter()
                .any(|end| name.ends_with(end))
        });
        Ok(files)
    };
    let began = Instant::now();
    rig.ok(folder, arguments)?;
    let seconds = began.elapsed().as_secs_f64();
    let whole = results()?;
    ensure!(whole.contains_key("claims.json"), "no claims were written");
    let mut killed = 0;
    for _ in 0..rig.rounds {
        std::fs::remove_dir_all(folder.path().join("out"))?;
        for _ in 0..2 {
            killed += usize::from(rig.kill(folder, arguments, seconds)?);
            for (name, bytes) in results()? {
                ensure!(whole.get(&name) == Some(&bytes), "{name} is not whole");
            }
        }
        rig.ok(folder, arguments)?;
        ensure!(results()? == whole, "other results after a kill");
    }
    Ok(Outcome::Held(format!(
        "{killed} kills, the results those of a straight run"
    )))
}

/// Whether this process ignores a signal, and with it those that it starts.
fn is_ignored(number: i32) -> Result<bool> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.map(|mask| u64::from_str_radix(mask.trim(), 16));
    let mask = mask.transpose().context("/proc/self/status")?;
    Ok(mask.is_some_and(|mask| mask & (1 << (number - 1)) != 0))
}

fn signals(rig: &mut Rig, folder: &Folder) -> Result<Outcome> {
    rig.prepare(folder)?;
    let fit = "fit recording.npz --lags 4 --iterations 1000000 --quiet --out out";
    let mut sent_any = Vec::new();
    for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        if is_ignored(number)? {
            // By `nohup`, say: the command inherits that, and goes on.
            continue;
        }
        let code = 128 + number;
        sent_any.push(signal);
        let mut child = rig.start(folder, fit)?;
        std::thread::sleep(Duration::from_secs_f64(1.0 + rig.uniform()));
        let sent = shell(&format!("kill -{signal} {}", child.id())).status()?;
        ensure!(sent.success(), "SIG{signal} cannot be sent");
        let ended = child.wait()?;
        ensure!(ended.code() == Some(code), "SIG{signal}: {ended}");
        let figures = std::fs::read_to_string(folder.path().join("out/fit.json"))?;
        ensure!(
            figures.contains("\"stopped\""),
            "SIG{signal}: fit.json does not say so"
        );
        rig.ok(
            folder,
            "simulate out/model.refire --trials 2 --quiet --out simulated.npz",
        )?;
    }
    let signals = sent_any.join(", ");
    Ok(Outcome::Held(format!(
        "{signals}: the best model so far is left"
    )))
}

fn two_at_once(rig: &mut Rig, folder: &Folder) -> Result<Outcome> {
    rig.prepare(folder)?;
    let fit = format!("{FIT} --out out");
    rig.ok(folder, &fit)?;
    let straight = lasting(folder.files("out")?);
    let mut refusals = 0;
    for _ in 0..rig.rounds.min(10) {
        std::fs::remove_dir_all(folder.path().join("out"))?;
        let first = rig.start(folder, &fit)?;
        std::thread::sleep(Duration::from_secs_f64(0.05 * rig.uniform()));
        let second = rig.end(folder, &fit)?;
        let first = first.wait_with_output()?.status;
        let ends = [first.code(), second.status.code()];
        refusals += ends.iter().filter(|code| **code == Some(2)).count();
        ensure!(ends.contains(&Some(0)), "ended with {ends:?}");
        ensure!(
            ends.iter().all(|code| matches!(code, Some(0 | 2))),
            "ended with {ends:?}"
        );
        ensure!(lasting(folder.files("out")?) == straight, "other files");
    }
    Ok(Outcome::Held(format!(
        "{refusals} refused, the others as if alone"
    )))
}

/// Runs a fit over an earlier one where it cannot write all of it: that stays, and one line says why.
fn without_room(rig: &Rig, folder: &Folder, around: &dyn Fn(&str) -> String) -> Result<()> {
    let before = folder.files("out")?;
    ensure!(before.contains_key("model.refire"), "no fit before");
    for arguments in [
        "fit recording.npz --lags 4 --iterations 11 --quiet --out out",
        "fit recording.npz --lags 4 --iterations 11 --checkpoint-every 2 --quiet --out out",
        "simulate out/model.refire --trials 3000 --quiet --out out/simulated.npz",
        "generate --units 30 --trials 400 --quiet --out out",
    ] {
        let line = around(&rig.line(folder, arguments));
        let output = shell(&line).output().context("sh")?;
        refused(&output, 1, arguments)?;
        ensure!(folder.files("out")? == before, "{arguments}: files changed");
    }
    Ok(())
}

fn file_size(rig: &mut Rig, folder: &Folder) -> Result<Outcome> {
    rig.prepare(folder)?;
    rig.ok(
        folder,
        "fit recording.npz --lags 4 --iterations 10 --quiet --out out",
    )?;
    // One block of 512 or 1024 bytes, less than any of the files.
    without_room(rig, folder, &|line| format!("ulimit -f 1 && {line}"))?;
    Ok(Outcome::Held(
        "one line, exit code 1, the files before are still there".into(),
    ))
}

/// Mounts a small file system over `out` in a namespace of its own, and runs a line there.
fn mounted(folder: &Folder, options: &str, line: &str) -> String {
    let out = folder.path().join("out");
    let (out, copy) = (out.display(), folder.path().join("copy"));
    let copy = copy.display();
    let inner = line.replace('\'', "\"");
    format!(
        "unshare --mount sh -c 'rm -rf {copy} && cp -r {out} {copy} && mount -t tmpfs -o size=2m none {out} && \
         cp {copy}/* {out}/ && {options} && ({inner}); code=$?; rm -rf {copy}; cp -r {out} {copy}; exit $code'"
    )
}

/// Whether file systems can be mounted here.
fn can_mount() -> Result<bool> {
    let line = "unshare --mount sh -c 'mount -t tmpfs none /mnt'";
    let output = shell(line).output().context("sh")?;
    Ok(output.status.success())
}

/// A fit, a simulation and a recording onto a file system without room: those before are still there.
fn on_file_system(rig: &Rig, folder: &Folder, options: &str, code: &[i32]) -> Result<()> {
    rig.prepare(folder)?;
    rig.ok(
        folder,
        "fit recording.npz --lags 4 --iterations 10 --quiet --out out",
    )?;
    let before = folder.files("out")?;
    for arguments in [
        "fit recording.npz --lags 4 --iterations 11 --quiet --out out",
        "simulate fit/model.refire --trials 3000 --quiet --out out/simulated.npz",
        "generate --units 30 --trials 400 --quiet --out out",
    ] {
        let line = mounted(folder, options, &rig.line(folder, arguments));
        let output = shell(&line).output().context("sh")?;
        let Some(found) = output.status.code().filter(|found| code.contains(found)) else {
            bail!(
                "{arguments}: {} {}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
        };
        refused(&output, found, arguments)?;
        let mut after = folder.files("copy")?;
        after.retain(|name, _| name != "filler");
        ensure!(after == before, "{arguments}: files changed");
    }
    Ok(())
}

fn full_disk(rig: &mut Rig, folder: &Folder) -> Result<Outcome> {
    if !can_mount()? {
        return Ok(Outcome::Skipped(
            "no file system can be mounted here".into(),
        ));
    }
    let out = folder.path().join("out");
    let fill = format!(
        "(head -c 3m /dev/zero > {}/filler 2>/dev/null; true)",
        out.display()
    );
    on_file_system(rig, folder, &fill, &[1])?;
    Ok(Outcome::Held(
        "one line, exit code 1, the files before are still there".into(),
    ))
}

fn read_only(rig: &mut Rig, folder: &Folder) -> Result<Outcome> {
    if !can_mount()? {
        return Ok(Outcome::Skipped(
            "no file system can be mounted here".into(),
        ));
    }
    let remount = format!(
        "mount -o remount,ro {}",
        folder.path().join("out").display()
    );
    on_file_system(rig, folder, &remount, &[1, 2])?;
    Ok(Outcome::Held(
        "one line, the files before are still there".into(),
    ))
}

fn process_one(rig: &mut Rig, folder: &Folder) -> Result<Outcome> {
    let inside = |line: &str| format!("unshare --pid --fork --kill-child {line}");
    if !shell(&inside("true"))
        .output()
        .context("sh")?
        .status
        .success()
    {
        return Ok(Outcome::Skipped(
            "no namespace of processes can be made here".into(),
        ));
    }
    rig.prepare(folder)?;
    rig.ok(folder, &format!("{FIT} --out straight"))?;
    let straight = lasting(folder.files("straight")?);
    let mut moments = Vec::new();
    moments.resize_with(rig.rounds.min(10), || rig.uniform());
    let line = |arguments: &str| inside(&format!("sh -c \"{}\"", rig.line(folder, arguments)));
    for moment in moments {
        let mut child = shell(&format!("exec {}", line(&format!("{FIT} --out out"))))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        std::thread::sleep(Duration::from_secs_f64(moment));
        child.kill()?;
        child.wait()?;
        // The same process number again.
        let output = shell(&line(&format!("{FIT} --out out"))).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} {said}", output.status);
        let files = folder.files("out")?;
        no_litter(&files)?;
        ensure!(
            lasting(files)["model.refire"] == straight["model.refire"],
            "another model"
        );
    }
    Ok(Outcome::Held(
        "what a dead process of the same number left is no hindrance".into(),
    ))
}
