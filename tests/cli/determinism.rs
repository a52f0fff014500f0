//! The same fit gives the same model, byte for byte: whatever the thread count, the folder, the
//! way its settings were given, and whether it was stopped half-way.

use crate::desk::Desk;
use crate::toy::Toy;
use std::process::Stdio;
use std::time::{Duration, Instant};

fn desk() -> Desk {
    let desk = Desk::new();
    let toy = Toy {
        units: 6,
        bins: (0..24).map(|k| 60 + k % 5).collect(),
        conditions: Some((0..24).map(|k| k % 3).collect()),
        ..Toy::default()
    };
    desk.write("r.npz", toy.events().bytes());
    desk
}

const FIT: &str = "fit r.npz --bin 10ms --lags 5 --quiet";

#[test]
fn threads_do_not_matter() {
    let desk = desk();
    for (at, options) in [
        "--iterations 25",
        "--iterations 25 --hidden 4",
        "--iterations 25 --hidden 4 --form published",
        "--iterations 25 --hidden 1 --noise-pairs 2",
        "--iterations 25 --hidden 4 --checkpoint-bins 40",
        "--iterations 10 --noise-pairs 2 --noise-parts 2 --checkpoint-bins 7",
        "--iterations 10 --hidden 1 --history recorded --objective sm",
        "--iterations 10 --drive none --spike-gradient triangle --batch 6",
        "--iterations 4 --hidden 2 --spike-gradient score --noise-parts 2 --batch 9",
    ]
    .iter()
    .enumerate()
    {
        let folder = |threads: usize| format!("fit{at}-{threads}");
        for threads in [1, 3] {
            let out = folder(threads);
            desk.ok(&format!("{FIT} {options} --out {out} --threads {threads}"));
            let model = format!("{out}/model.refire");
            desk.ok(&format!(
                "simulate {model} --out {out}/sim.npz --threads {threads}"
            ));
        }
        for file in ["model.refire", "sim.npz"] {
            let of = |threads| desk.bytes(&format!("{}/{file}", folder(threads)));
            assert!(of(1) == of(3), "{file}: {options}");
        }
        let of = |threads| without_time(&desk, &folder(threads));
        assert_eq!(of(1), of(3), "{options}");
    }
}

/// `fit.json` without what the clock decides.
fn without_time(desk: &Desk, folder: &str) -> serde_json::Value {
    let mut json = desk.json(&format!("{folder}/fit.json"));
    json["wall_seconds"] = 0.into();
    json
}

#[test]
fn the_same_command_elsewhere_gives_the_same_files() {
    let results: Vec<[Vec<u8>; 3]> = ["a", "b/c"]
        .into_iter()
        .map(|out| {
            let desk = desk();
            desk.ok(&format!(
                "{FIT} --iterations 6 --hidden 2 --seed 7 --out {out}"
            ));
            let model = format!("{out}/model.refire");
            desk.ok(&format!("simulate {model} --out sim.npz --seed 3"));
            desk.ok(&format!("export {model} --out params.npz"));
            [&model, "sim.npz", "params.npz"].map(|name| desk.bytes(name))
        })
        .collect();
    assert!(results[0] == results[1]);

    let desk = desk();
    desk.ok(&format!(
        "{FIT} --iterations 6 --hidden 2 --seed 8 --out other"
    ));
    assert!(desk.bytes("other/model.refire") != results[0][0]);
}

#[test]
fn a_file_of_settings_is_the_same_as_options() {
    let desk = desk();
    let settings = [
        ("bin", "'10ms'"),
        ("lags", "3"),
        ("history", "'recorded'"),
        ("hidden", "2"),
        ("objective", "'mle+sm'"),
        ("weight-mle", "0.9"),
        ("weight-psth", "0.2"),
        ("weight-nc", "3.5"),
        ("weight-hidden-rate", "0.02"),
        ("form", "'published'"),
        ("spike-gradient", "'triangle'"),
        ("drive", "'condition'"),
        ("drive-spacing", "'60ms'"),
        ("stimulus-lags", "2"),
        ("iterations", "4"),
        ("batch", "9"),
        ("learning-rate", "0.02"),
        ("seed", "11"),
        ("test-fraction", "0.3"),
        ("validation-fraction", "0.2"),
    ];
    let lines: Vec<String> = settings.iter().map(|(k, v)| format!("{k} = {v}")).collect();
    desk.write("all.toml", lines.join("\n"));
    let options: Vec<String> = settings
        .iter()
        .map(|(k, v)| format!("--{k} {}", v.trim_matches('\'')))
        .collect();
    let options = options.join(" ");
    desk.ok(&format!("fit r.npz --out options {options}"));
    desk.ok("fit r.npz --out config --config all.toml");
    let model = desk.bytes("options/model.refire");
    assert!(model == desk.bytes("config/model.refire"));
    let written = &desk.json("config/fit.json")["settings"];
    for (key, value) in [("lags", 3), ("hidden", 2), ("batch", 9), ("seed", 11)] {
        assert_eq!(written[key], value);
    }
    assert_eq!(written["weights"]["nc"], 3.5);
    assert_eq!(written["drive-spacing"], 0.06);

    // Options win over the file, which wins over the defaults.
    let changed = lines.join("\n").replace("lags = 3", "lags = 6");
    desk.write("changed.toml", changed.replace("seed = 11", "seed = 12"));
    desk.ok("fit r.npz --out both --config changed.toml --lags 3 --seed 11");
    assert!(model == desk.bytes("both/model.refire"));
}

#[test]
fn a_killed_fit_goes_on_from_its_checkpoint() {
    for options in [
        "--iterations 60 --hidden 3 --noise-pairs 2 --checkpoint-bins 40",
        "--iterations 60 --form published --history recorded --validation-fraction 0",
    ] {
        let desk = desk();
        desk.ok(&format!("{FIT} {options} --out straight"));

        let line = format!("{FIT} {options} --out stopped --checkpoint-every 5 --threads 1");
        let mut child = desk
            .command(&line)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let checkpoint = desk.path("stopped/checkpoint.refire");
        let started = Instant::now();
        while !checkpoint.is_file() {
            assert!(started.elapsed() < Duration::from_secs(60), "no checkpoint");
            assert!(child.try_wait().unwrap().is_none(), "ended by itself");
            std::thread::sleep(Duration::from_millis(2));
        }
        // SIGKILL: nothing can be tidied up.
        child.kill().unwrap();
        child.wait().unwrap();
        let finished = desk.path("stopped/model.refire").exists();
        assert!(!finished, "the fit ended before it could be stopped");

        desk.ok("fit r.npz --resume stopped --threads 2 --quiet");
        let same = desk.bytes("straight/model.refire") == desk.bytes("stopped/model.refire");
        assert!(same, "{options}");
        let (straight, resumed) = (
            without_time(&desk, "straight"),
            without_time(&desk, "stopped"),
        );
        assert_eq!(
            straight["losses"]["terms"]["mle"].as_array().unwrap().len(),
            60
        );
        assert_eq!(straight, resumed, "{options}");
    }
}

#[test]
fn a_finished_fit_may_be_resumed_with_the_same_settings_given_again() {
    let desk = desk();
    let options = "--iterations 10 --seed 3 --weight-nc 2";
    desk.ok(&format!("{FIT} {options} --out fit --checkpoint-every 5"));
    let (model, json) = (desk.bytes("fit/model.refire"), without_time(&desk, "fit"));
    desk.ok("fit r.npz --resume fit --quiet");
    assert_eq!(without_time(&desk, "fit"), json);
    desk.ok(&format!("{FIT} {options} --resume fit --out fit"));
    assert!(desk.bytes("fit/model.refire") == model);
}
