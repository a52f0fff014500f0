//! Outputs that cannot be written: refused as bad input is, before any work is done.

use crate::bad_input::desk;

#[test]
fn folders_that_cannot_be_written_to() {
    let desk = desk();
    let long = "x".repeat(300);
    // Through a regular file, onto one, and a name longer than any file system takes.
    for folder in ["good.npz/fit", "good.npz", &long, "good.npz/deep/er"] {
        for line in ["fit good.npz --lags 4", "generate --units 2", "demo"] {
            let line = format!("{line} --out {folder}");
            desk.refused(&line, &[folder, "cannot be written to"]);
        }
    }
    for line in ["simulate model.refire", "export model.refire"] {
        let file = format!("{line} --out good.npz/out.npz");
        desk.refused(&file, &["good.npz", "cannot be written to"]);
        desk.refused(&format!("{line} --out old"), &["old", "is a folder"]);
        desk.refused(&format!("{line} --out {long}"), &[&long]);
    }
}

#[test]
fn outputs_that_cannot_be_written_are_refused_before_the_work() {
    let desk = desk();
    // Work of many minutes, beyond the time that a command is given here.
    let simulate = "simulate model.refire --trials 1000000 --presentations 30";
    let generate = "generate --trials 1000000";
    let fit = "fit good.npz --lags 4 --bin 10ms --iterations 1000000000";
    // Its temporary name is longer than any file system takes, itself it is not.
    let long = "x".repeat(250);
    for (out, part) in [
        ("old", "is a folder"),
        (".", "is a folder"),
        ("good.npz/out.npz", "cannot be written to"),
        ("good.npz/new/out.npz", "cannot be written to"),
        (&long, "cannot be written to"),
        (&format!("new/deep/{long}"), "cannot be written to"),
    ] {
        desk.refused(&format!("{simulate} --out {out}"), &[out, part]);
        let export = format!("export model.refire --out {out}");
        desk.refused(&export, &[out, part]);
    }
    for line in [generate, fit] {
        for out in ["good.npz", "good.npz/new", "model.refire/new/er"] {
            let line = format!("{line} --out {out}");
            desk.refused(&line, &[out, "cannot be written to"]);
        }
    }
    for (line, name) in [
        (generate, "recording.npz"),
        (generate, "truth.npz"),
        (fit, "model.refire"),
        (fit, "fit.json"),
        (fit, "report.html"),
        (fit, "checkpoint.refire"),
        ("demo", "report.html"),
        ("demo", "mle+sm/model.refire"),
    ] {
        let path = format!("taken/{name}");
        desk.write(&format!("{path}/file"), "of somebody else");
        desk.refused(&format!("{line} --out taken"), &[&path, "is a folder"]);
        std::fs::remove_dir_all(desk.path("taken")).unwrap();
    }
    // Refused for another reason, of which the command knows after a look at the folder.
    for out in ["new", "new/deep/er", "new/../other"] {
        desk.refused(
            &format!("{generate} --bins 1 --out {out} --units 0"),
            &["units"],
        );
        desk.refused(&format!("fit none.npz --out {out}"), &["none.npz"]);
    }
    // Folders that are missing are made.
    desk.ok("export model.refire --out new/deep/params.npz");
    desk.ok("simulate model.refire --trials 2 --out new/deeper/sim.npz");
    desk.ok("generate --trials 4 --bins 20 --units 2 --out new/deeper/still");
    assert!(desk.path("new/deeper/still/truth.npz").is_file());
}
