//! Nothing that was there is lost: outputs that are inputs, files of others, two fits in one folder, stops and failures.

use crate::desk::Desk;
use crate::toy::{Toy, npy};
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const FIT: &str = "fit r.npz --lags 3 --optimizer adam";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("r.npz", Toy::default().events().bytes());
    desk
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Waits until a file of a running command is there.
fn wait_for(path: &Path, child: &mut Child) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(child.try_wait().unwrap().is_none(), "the command has ended");
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{}",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_output_is_no_input_and_no_file_of_another_command() {
    let desk = desk();
    desk.ok(&format!("{FIT} --iterations 2 --out fit"));
    let (model, recording) = (desk.bytes("fit/model.refire"), desk.bytes("r.npz"));
    for line in [
        "export fit/model.refire --out fit/model.refire",
        "export fit/model.refire --out fit/../fit/model.refire --force",
        "simulate fit/model.refire --out fit/model.refire",
        "simulate fit/model.refire --out r.npz",
        "export fit/model.refire --out r.npz",
    ] {
        desk.refused(line, &["expected"]);
    }
    assert!(desk.bytes("fit/model.refire") == model && desk.bytes("r.npz") == recording);
    // Their own files are replaced, and others where that is asked for.
    for line in [
        "simulate fit/model.refire --out s.npz",
        "export fit/model.refire --out e.npz",
    ] {
        desk.ok(line);
        desk.ok(line);
    }
    desk.refused(
        "simulate fit/model.refire --out e.npz",
        &["was not written by this command", "--force"],
    );
    desk.ok("simulate fit/model.refire --out e.npz --force");
    // A folder with a recording that was not generated.
    std::fs::create_dir(desk.path("mine")).unwrap();
    desk.write("mine/recording.npz", &recording);
    desk.refused(
        "generate --units 4 --trials 4 --bins 20 --out mine",
        &["recording.npz", "--force"],
    );
    desk.refused(
        "demo --iterations 1 --out mine",
        &["recording.npz", "--force"],
    );
    assert_eq!(desk.bytes("mine/recording.npz"), recording);
    desk.ok("generate --units 4 --trials 4 --bins 20 --out mine --force");
    desk.ok("generate --units 4 --trials 8 --bins 20 --out mine");
}

#[test]
fn a_fit_replaces_no_figures_or_page_of_another_program() {
    let desk = desk();
    let fit = format!("{FIT} --iterations 2 --out fit");
    std::fs::create_dir(desk.path("fit")).unwrap();
    for (name, text) in [
        ("fit.json", "{\"slope\": 2.5}"),
        ("fit.json", "no JSON"),
        ("report.html", "<html>mine</html>"),
    ] {
        desk.write(&format!("fit/{name}"), text.as_bytes());
        desk.refused(&fit, &[name, "--force"]);
        assert_eq!(desk.bytes(&format!("fit/{name}")), text.as_bytes());
        assert!(!desk.path("fit/model.refire").exists());
        std::fs::remove_file(desk.path(format!("fit/{name}"))).unwrap();
    }
    desk.write("fit/fit.json", b"mine");
    desk.ok(&format!("{fit} --force"));
    // Its own it replaces.
    desk.ok(&fit);
    // The demo writes figures of two fits, and a page.
    for name in ["mle/fit.json", "report.html"] {
        let path = desk.path(format!("demo/{name}"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        desk.write(&format!("demo/{name}"), b"mine");
        desk.refused("demo --iterations 1 --out demo", &[name, "--force"]);
        std::fs::remove_dir_all(desk.path("demo")).unwrap();
    }
}

#[test]
fn a_fit_replaces_nothing_that_it_reads_whatever_its_name() {
    let desk = desk();
    desk.ok("generate --units 3 --trials 12 --bins 30 --out g");
    let (recording, truth) = (desk.bytes("g/recording.npz"), desk.bytes("g/truth.npz"));
    std::fs::create_dir(desk.path("d")).unwrap();
    for name in [
        "model.refire",
        "checkpoint.refire",
        "report.html",
        "fit.json",
    ] {
        let place = format!("d/{name}");
        for (bytes, line) in [
            (&recording, format!("fit {place}")),
            (&truth, format!("fit g/recording.npz --mask {place}")),
            (
                &b"lags = 2".to_vec(),
                format!("fit g/recording.npz --config {place}"),
            ),
        ] {
            desk.write(&place, bytes);
            for force in ["", " --force"] {
                desk.refused(
                    &format!("{line} --iterations 2 --out d{force}"),
                    &[name, "reads"],
                );
            }
            assert!(desk.bytes(&place) == *bytes, "{line}");
        }
        // What it does not read, and did not write, is left as well, unless that is asked for.
        desk.write(&place, &recording);
        let line = "fit g/recording.npz --iterations 2 --lags 2 --out d";
        desk.refused(line, &[name, "--force"]);
        assert!(desk.bytes(&place) == recording);
        desk.ok(&format!("{line} --force"));
        std::fs::remove_dir_all(desk.path("d")).unwrap();
        std::fs::create_dir(desk.path("d")).unwrap();
    }
    // Another recording beside a truth of its own.
    desk.ok(&format!("{FIT} --iterations 2 --out fit"));
    desk.ok("simulate fit/model.refire --trials 4 --out other.npz");
    desk.write("g/recording.npz", desk.bytes("other.npz"));
    desk.refused(
        "generate --units 3 --trials 12 --bins 30 --out g",
        &["recording.npz", "--force"],
    );
    desk.ok("generate --units 3 --trials 12 --bins 30 --out g --force");
    desk.ok("generate --units 3 --trials 16 --bins 30 --out g");
}

#[test]
fn a_failed_fit_leaves_no_folders_that_it_made() {
    let desk = desk();
    let output = desk.run(&format!(
        "{FIT} --iterations 3 --learning-rate 1e300 --out a/b/c"
    ));
    assert_eq!(output.status.code(), Some(1));
    assert!(!desk.path("a").exists());
}

#[test]
fn iterations_that_are_done_were_made() {
    let desk = desk();
    desk.ok(&format!(
        "{FIT} --iterations 20 --checkpoint-every 5 --out r"
    ));
    let done = desk.json("r/fit.json");
    desk.ok("fit r.npz --resume r --iterations 10");
    let json = desk.json("r/fit.json");
    assert_eq!(json["settings"]["iterations"], 20);
    assert_eq!(json["losses"], done["losses"]);
    desk.ok("fit r.npz --resume r --iterations 30");
    assert_eq!(desk.json("r/fit.json")["settings"]["iterations"], 30);
}

#[cfg(unix)]
#[test]
fn devices_pipes_and_links_are_refused() {
    let desk = desk();
    desk.ok(&format!("{FIT} --iterations 2 --out fit"));
    std::os::unix::fs::symlink(desk.path("r.npz"), desk.path("link.npz")).unwrap();
    let recording = desk.bytes("r.npz");
    desk.refused(
        "simulate fit/model.refire --out link.npz --force",
        &["symbolic link"],
    );
    desk.refused(
        "simulate fit/model.refire --out /dev/null --force",
        &["device"],
    );
    desk.refused(
        "export fit/model.refire --out /dev/full --force",
        &["device"],
    );
    assert_eq!(desk.bytes("r.npz"), recording);
}

#[test]
fn a_fit_that_fails_leaves_the_folder_as_it_was() {
    let desk = desk();
    // A feature so large that the first loss is not finite.
    let wild = Toy::default()
        .events()
        .set(
            "stimulus",
            npy(&[40, 1], &(0..40).map(f64::from).collect::<Vec<_>>()),
        )
        .set("stimulus_dt", npy(&[], &[0.01]));
    desk.write("wild.npz", wild.bytes());
    desk.ok(&format!(
        "{FIT} --iterations 3 --checkpoint-every 1 --out fit"
    ));
    let kept: Vec<Vec<u8>> = names(&desk.path("fit"))
        .iter()
        .map(|n| desk.bytes(&format!("fit/{n}")))
        .collect();
    let line = "--lags 3 --optimizer adam --learning-rate 1e38 --iterations 50";
    for folder in ["fit", "new"] {
        let output = desk.run(&format!("fit wild.npz {line} --out {folder}"));
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("not finite"), "{error}");
    }
    let now: Vec<Vec<u8>> = names(&desk.path("fit"))
        .iter()
        .map(|n| desk.bytes(&format!("fit/{n}")))
        .collect();
    assert!(now == kept, "{:?}", names(&desk.path("fit")));
    assert!(!desk.path("new").exists());
}

#[test]
fn two_fits_do_not_share_a_folder() {
    let desk = desk();
    desk.ok(&format!("{FIT} --iterations 2 --out other"));
    let mut command = desk.command(&format!(
        "{FIT} --iterations 100000 --out fit --checkpoint-every 1"
    ));
    let mut first = command
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(&desk.path("fit/checkpoint.refire"), &mut first);
    let second = format!("{FIT} --iterations 2 --out fit");
    let owner = format!("process {}", first.id());
    desk.refused_as_is(&second, &["another fit is writing", &owner]);
    // Nor does another command write what a run is about to.
    for out in ["fit/model.refire", "fit/recording.npz"] {
        for line in [
            "simulate other/model.refire --trials 2",
            "export other/model.refire",
        ] {
            let line = format!("{line} --out {out} --force");
            desk.refused_as_is(&line, &["another fit is writing"]);
        }
    }
    desk.ok("export other/model.refire --out fit/e.npz");
    std::fs::remove_file(desk.path("fit/e.npz")).unwrap();
    // Killed: what it left is taken over, and a checkpoint of another fit is removed.
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(desk.path("fit/.refire.lock").exists());
    desk.ok(&second);
    assert_eq!(
        names(&desk.path("fit")),
        ["fit.json", "model.refire", "report.html"]
    );
}

/// Whether this process ignores a signal, as one does that a script starts in the background.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.map(|mask| u64::from_str_radix(mask.trim(), 16).unwrap());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

#[cfg(unix)]
#[test]
fn a_signal_keeps_the_best_model_and_the_fit_can_go_on() {
    let desk = desk();
    for (signal, name, code) in [
        ("INT", "SIGINT", 130),
        ("TERM", "SIGTERM", 143),
        ("HUP", "SIGHUP", 129),
    ] {
        if is_ignored(code - 128) {
            println!("skipped: {name} is ignored here, and by what is started here");
            continue;
        }
        let folder = format!("fit-{signal}");
        let line = format!("{FIT} --iterations 100000 --checkpoint-every 1 --out {folder}");
        let mut child = desk
            .command(&line)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_for(
            &desk.path(format!("{folder}/checkpoint.refire")),
            &mut child,
        );
        let kill = std::process::Command::new("kill")
            .args([&format!("-{signal}"), &child.id().to_string()])
            .status();
        match kill {
            Err(e) if e.kind() == ErrorKind::NotFound => return,
            status => assert!(status.unwrap().success()),
        }
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{error}");
        assert!(error.contains(&format!("stopped by {name}")), "{error}");
        let json = desk.json(&format!("{folder}/fit.json"));
        assert_eq!(json["stopped"]["signal"], name);
        let done = json["stopped"]["iteration"].as_u64().unwrap();
        assert!(done >= 1 && json["losses"]["best_iteration"].as_u64().unwrap() <= done);
        assert!(json["held_out"]["test"].as_array().unwrap().len() == 4);
        let report =
            String::from_utf8(desk.bytes(format!("{folder}/report.html").as_str())).unwrap();
        assert!(report.contains(&format!(
            "stopped by {name} after {done} of 100000 iterations"
        )));
        desk.ok(&format!(
            "simulate {folder}/model.refire --out {folder}.npz"
        ));
        // Its checkpoint can be finished early, or go on for longer than it would have.
        desk.ok(&format!(
            "fit r.npz --resume {folder} --iterations {}",
            done + 3
        ));
        let json = desk.json(&format!("{folder}/fit.json"));
        assert_eq!(
            json["losses"]["terms"]["mle"].as_array().unwrap().len() as u64,
            done + 3
        );
        assert_eq!(json["settings"]["iterations"], done + 3);
        assert!(json["stopped"].is_null());
    }
}

#[test]
fn a_finished_fit_can_be_cut_short_and_extended() {
    let desk = desk();
    desk.ok(&format!(
        "{FIT} --iterations 30 --checkpoint-every 10 --out fit"
    ));
    // One that writes no checkpoint leaves none of another.
    desk.ok(&format!(
        "{FIT} --iterations 5 --checkpoint-every 10 --out fit"
    ));
    assert!(!desk.path("fit/checkpoint.refire").exists());
    desk.ok(&format!(
        "{FIT} --iterations 30 --checkpoint-every 10 --out fit"
    ));
    // A fit of as many iterations from the start has another schedule.
    desk.ok("fit r.npz --resume fit --iterations 40");
    let json = desk.json("fit/fit.json");
    assert_eq!(json["losses"]["terms"]["mle"].as_array().unwrap().len(), 40);
    desk.ok("fit r.npz --resume fit --iterations 10");
    let json = desk.json("fit/fit.json");
    assert_eq!(json["losses"]["terms"]["mle"].as_array().unwrap().len(), 30);
    desk.refused("fit r.npz --resume fit --iterations 10 --lags 4", &["lags"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_or_closed_stream_ends_no_fit() {
    let desk = desk();
    let full = || {
        std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let line = format!("{FIT} --iterations 2 --out fit");
    let status = desk
        .command(&line)
        .stderr(full())
        .stdout(full())
        .status()
        .unwrap();
    assert_eq!(
        names(&desk.path("fit")),
        ["fit.json", "model.refire", "report.html"],
        "{status}"
    );
    let closed = format!(
        "exec {} {FIT} --iterations 2 --out closed >&- 2>&-",
        env!("CARGO_BIN_EXE_refire")
    );
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", &closed])
        .current_dir(desk.path(""))
        .status()
        .unwrap();
    assert!(desk.path("closed/report.html").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_is_to_be_ignored_is() {
    let desk = desk();
    let line = format!(
        "trap '' HUP; exec {} {FIT} --iterations 100000 --checkpoint-every 1 --out fit",
        env!("CARGO_BIN_EXE_refire")
    );
    let mut shell = std::process::Command::new("sh");
    let shell = shell.args(["-c", &line]).current_dir(desk.path(""));
    let mut child = shell
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(&desk.path("fit/checkpoint.refire"), &mut child);
    for signal in ["-HUP", "-TERM"] {
        let mut kill = std::process::Command::new("kill");
        match kill.args([signal, &child.id().to_string()]).status() {
            Err(e) if e.kind() == ErrorKind::NotFound => return child.kill().unwrap(),
            status => assert!(status.unwrap().success()),
        }
    }
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(143), "{error}");
    assert!(error.contains("stopped by SIGTERM"), "{error}");
}
