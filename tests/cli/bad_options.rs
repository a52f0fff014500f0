//! Bad values of options and settings, and checkpoints of another fit: refused as bad input is.

use crate::bad_input::{binned, desk, model, newer};
use crate::toy::Toy;

#[test]
fn bin_widths() {
    let desk = desk();
    desk.write("binned.npz", binned().bytes());
    for bad in ["0ms", "-1ms", "-0.01", "nan", "inf", "ten", "10m", "1e-400"] {
        for line in [
            "info good.npz",
            "fit good.npz --out new",
            "fit binned.npz --out old",
        ] {
            desk.refused(&format!("{line} --bin {bad}"), &["--bin", bad, "10ms"]);
        }
    }
    // 400 ms trials: 4 bins of 100 ms.
    for (line, bins) in [
        ("--bin 100ms", "4 bins"),
        ("--bin 10ms --lags 40", "40 bins"),
        ("--bin 10ms --lags 4000000000", "40 bins"),
        ("--bin 1000s --lags 1", "1 bins"),
    ] {
        let line = format!("fit good.npz --out new {line}");
        desk.refused(&line, &["trial 0", bins, "lags"]);
    }
    for bad in ["15ms", "5ms", "10.1ms"] {
        for line in ["info binned.npz", "fit binned.npz --out new --lags 2"] {
            desk.refused(&format!("{line} --bin {bad}"), &["10ms", bad, "multiple"]);
        }
    }
    desk.refused("info good.npz --bin 1e-300", &["more than", "wider bins"]);
}

#[test]
fn option_values() {
    let desk = desk();
    for (option, parts) in [
        ("--lags 0", &["lags", "1 or more"][..]),
        ("--lags -1", &["--lags", "-1"]),
        ("--lags 2.5", &["--lags", "2.5"]),
        ("--stimulus-lags 0", &["stimulus-lags", "1 or more"]),
        ("--batch 0", &["batch", "1 or more"]),
        ("--noise-parts 0", &["noise-parts", "1 or more"]),
        (
            "--hidden-inhibitory 0.5",
            &["hidden-inhibitory", "without hidden units"],
        ),
        (
            "--hidden 2 --hidden-inhibitory 1.5",
            &["hidden-inhibitory", "from 0 to 1", "1.5"],
        ),
        (
            "--observed-inhibitory first",
            &["--observed-inhibitory", "none or places", "first"],
        ),
        (
            "--observed-inhibitory 0,9",
            &["observed-inhibitory", "9 of"],
        ),
        (
            "--observed-inhibitory none --optimizer lbfgs --objective mle",
            &["optimizer", "no bounds"],
        ),
        ("--initial-scale 0", &["initial-scale", "0"]),
        ("--coupling-prior -1", &["coupling-prior", "-1"]),
        ("--same-bin-prior 0", &["same-bin-prior", "0"]),
        ("--drive-prior 0", &["drive-prior", "0"]),
        ("--prior-tails -1", &["prior-tails", "-1"]),
        (
            "--optimizer natural --form published",
            &["optimizer", "published", "natural"],
        ),
        (
            "--optimizer natural --initial-scale 0.1",
            &["initial-scale", "natural"],
        ),
        ("--drive-detail -1", &["drive-detail", "-1"]),
        // Also where it is not used.
        ("--drive none --drive-detail -1", &["drive-detail", "-1"]),
        (
            "--drive none --drive-detail fine",
            &["drive-detail", "fine"],
        ),
        ("--coupling-prior loose", &["coupling-prior", "loose"]),
        ("--noise-lags -1", &["--noise-lags", "-1"]),
        ("--optimizer sgd", &["--optimizer", "sgd"]),
        (
            "--optimizer lbfgs --hidden 1",
            &["optimizer", "hidden units"],
        ),
        (
            "--optimizer lbfgs --objective sm",
            &["optimizer", "without the likelihood"],
        ),
        (
            "--optimizer lbfgs --form published",
            &["optimizer", "published form"],
        ),
        (
            "--objective mle --optimizer lbfgs --checkpoint-bins 9",
            &["optimizer", "checkpoint-bins"],
        ),
        (
            "--objective mle --ridge -1",
            &["ridge", "zero or a positive number", "-1"],
        ),
        (
            "--objective mle --ridge much",
            &["--ridge", "auto or a number", "much"],
        ),
        ("--ridge 1", &["ridge", "optimizer lbfgs"]),
        (
            "--checkpoint-bins 9 --form published",
            &["checkpoint-bins", "published statistics", "found 9"],
        ),
        (
            "--checkpoint-bins 9 --spike-gradient score",
            &["checkpoint-bins", "score gradient", "found 9"],
        ),
        ("--checkpoint-bins -1", &["--checkpoint-bins", "-1"]),
        ("--noise-parts 1000", &["noise-parts", "at most half"]),
        (
            "--noise-parts 18446744073709551615",
            &["noise-parts", "at most half"],
        ),
        ("--noise-pairs -1", &["--noise-pairs", "-1"]),
        ("--noise-pairs all", &["--noise-pairs", "all"]),
        (
            "--noise-pairs 4 --form published",
            &["noise-pairs", "published", "found 4"],
        ),
        ("--free-bins 1000000000000", &["GB", "free bins"]),
        ("--free-bins -1", &["--free-bins", "-1"]),
        ("--hidden -1", &["--hidden", "-1"]),
        ("--iterations many", &["--iterations", "many"]),
        ("--learning-rate 0", &["learning-rate", "positive"]),
        ("--learning-rate nan", &["learning-rate", "NaN"]),
        ("--learning-rate -1e-3", &["learning-rate", "-0.001"]),
        ("--weight-mle inf", &["weight-mle", "inf"]),
        ("--weight-psth nan", &["weight-psth", "NaN"]),
        ("--weight-nc -1", &["weight-nc", "-1"]),
        ("--weight-hidden-rate -0.5", &["weight-hidden-rate", "-0.5"]),
        ("--test-fraction 1", &["test-fraction", "below 1"]),
        ("--test-fraction -0.1", &["test-fraction", "-0.1"]),
        ("--validation-fraction nan", &["validation-fraction", "NaN"]),
        ("--drive-spacing 0ms", &["--drive-spacing", "0ms"]),
        ("--drive-spacing -4ms", &["--drive-spacing", "-4ms"]),
        ("--drive features", &["stimulus"]),
        ("--drive video", &["--drive", "video", "condition"]),
        ("--drive movie", &["stimulus"]),
        ("--objective map", &["--objective", "map", "mle+sm"]),
        ("--form new", &["--form", "new", "published"]),
        (
            "--spike-gradient exact",
            &["--spike-gradient", "triangle", "reinmax", "score"],
        ),
        ("--history none", &["--history", "recorded"]),
        ("--seed -1", &["--seed", "-1"]),
        ("--threads 0", &["--threads", "0"]),
        ("--threads -1", &["--threads", "-1"]),
        ("--threads 100000000", &["--threads", "100000000"]),
        ("--checkpoint-every 0", &["--checkpoint-every", "0"]),
        ("--checkpoint-every -5", &["--checkpoint-every", "-5"]),
        ("--iteration 5", &["--iteration", "--iterations"]),
        ("--lags", &["--lags"]),
        ("--lags 3 --lags 4", &["--lags"]),
    ] {
        desk.refused(&format!("fit good.npz --out new {option}"), parts);
        desk.refused(&format!("fit good.npz --out old {option}"), parts);
    }
    desk.refused("fit good.npz", &["--out"]);
    desk.refused("fit --out new", &["RECORDING"]);
    desk.refused("fir good.npz", &["fir"]);
    for (option, parts) in [
        ("--trials 0", &["--trials", "1 or more"][..]),
        ("--trials -1", &["--trials", "-1"]),
        ("--presentations 0", &["--presentations", "1 or more"]),
        ("--presentations -1", &["--presentations", "-1"]),
        ("--seed x", &["--seed", "x"]),
        ("--conditions 7", &["condition 7", "0, 1"]),
        ("--conditions 0,-7", &["condition -7", "0, 1"]),
        ("--conditions one", &["condition one", "0, 1"]),
    ] {
        let line = format!("simulate model.refire --out sim.npz {option}");
        desk.refused(&line, parts);
    }
    for (option, part) in [
        ("--units 0", "units"),
        ("--trials 0", "trials"),
        ("--bins 0", "bins"),
        ("--conditions 0", "conditions"),
        ("--trials 7", "multiple"),
        ("--units 4000000000", "4000000000"),
        ("--hidden 18446744073709551615", "18446744073709551615"),
        ("--bins 4000000000", "4000000000"),
        ("--bins 10000000", "200 x 10000000 x 20"),
        ("--trials 4000000000", "4000000000 x 100 x 20"),
        ("--trials 18446744073709551612", "18446744073709551612"),
        (
            "--conditions 1000000 --trials 4000000",
            "4000000 x 100 x 20",
        ),
        (
            "--conditions 18446744073709551615 --trials 18446744073709551615",
            "18446744073709551615",
        ),
    ] {
        desk.refused(&format!("generate --out new {option}"), &[part]);
    }
}

#[test]
fn objectives_with_nothing_to_fit() {
    let desk = desk();
    let none = "--weight-psth 0 --weight-nc 0";
    for (options, parts) in [
        (
            format!("{none} --weight-mle 0"),
            &["weight-mle, weight-psth, weight-nc"][..],
        ),
        (
            format!("{none} --weight-mle 0 --weight-hidden-rate 0 --hidden 1"),
            &["weight-hidden-rate"],
        ),
        (
            format!("{none} --objective sm"),
            &["0 for each of weight-psth, weight-nc"],
        ),
        (
            "--objective mle --weight-mle 0 --hidden 1".to_string(),
            &["0 for each of weight-mle"],
        ),
    ] {
        for out in ["new", "old"] {
            let line = format!("fit good.npz --lags 4 --out {out} {options}");
            desk.refused(&line, &[parts, &["above 0"]].concat());
        }
    }
    let silent = Toy {
        silent: vec![0, 1, 2],
        ..Toy::default()
    };
    desk.write("silent.npz", silent.events().bytes());
    let one_trial = Toy {
        bins: vec![40],
        conditions: None,
        ..Toy::default()
    };
    desk.write("one.npz", one_trial.events().bytes());
    for (line, part) in [
        ("fit silent.npz --objective sm", "no unit spikes"),
        (
            "fit silent.npz --objective sm --form published",
            "no unit spikes",
        ),
        ("fit silent.npz --weight-mle 0", "no unit spikes"),
        ("fit one.npz --objective sm --weight-psth 0", "nc: no pair"),
    ] {
        let line = format!("{line} --lags 4 --out new");
        desk.refused(&line, &["objective", "training trials", part]);
    }
}

#[test]
fn config_files() {
    let desk = desk();
    desk.refused(
        "fit good.npz --out new --config none.toml",
        &["none.toml", "No such file"],
    );
    for (text, parts) in [
        ("lag = 5\n", &["lag", "unknown", "lags"][..]),
        ("learning_rate = 0.1\n", &["learning_rate", "unknown"]),
        ("out = 'elsewhere'\n", &["out", "unknown"]),
        ("lags = 'five'\n", &["lags.toml", "string"]),
        ("lags = -5\n", &["-5"]),
        ("lags = 0\n", &["lags", "1 or more"]),
        ("learning-rate = nan\n", &["learning-rate", "NaN"]),
        ("drive = 'movie'\n", &["movie", "features"]),
        ("bin = '0ms'\n", &["0ms"]),
        ("lags = 5\nlags = 6\n", &["duplicate"]),
        ("lags = ", &["lags.toml"]),
        ("\u{0}\u{1}", &["lags.toml"]),
    ] {
        desk.write("lags.toml", text);
        desk.refused("fit good.npz --out new --config lags.toml", parts);
        desk.refused("fit good.npz --out old --config lags.toml", parts);
    }
    desk.write("lags.toml", b"lags = 5 # \xff\n");
    let line = "fit good.npz --out new --config lags.toml";
    desk.refused(line, &["lags.toml", "UTF-8"]);
}

#[test]
fn resuming_what_is_not_there_or_another_fit() {
    let desk = desk();
    let line = "fit good.npz --bin 10ms --lags 4 --iterations 4 --checkpoint-every 2";
    desk.ok(&format!("{line} --out fit"));
    desk.refused("fit good.npz --resume none", &["none", "No such file"]);
    desk.refused("fit good.npz --resume old", &["checkpoint.refire"]);
    let other = Toy {
        silent: vec![1],
        ..Toy::default()
    };
    desk.write("other.npz", other.events().bytes());
    desk.refused("fit other.npz --resume fit", &["recording's hash"]);
    for (option, parts) in [
        ("--lags 5", &["lags", "4", "5"][..]),
        ("--seed 2", &["seed", "1", "2"]),
        ("--learning-rate 0.5", &["learning-rate", "0.5"]),
        ("--weight-nc 7", &["weights"]),
        ("--hidden 1", &["hidden", "0", "1"]),
        ("--form published", &["form", "corrected", "published"]),
        ("--bin 20ms", &["recording's hash"]),
        ("--out elsewhere", &["elsewhere", "fit", "same folder"]),
    ] {
        let line = format!("fit good.npz --resume fit {option}");
        desk.refused(&line, parts);
    }
    let whole = desk.bytes("fit/checkpoint.refire");
    for len in [0, 20, whole.len() / 2, whole.len() - 1] {
        desk.write("fit/checkpoint.refire", &whole[..len]);
        desk.refused("fit good.npz --resume fit", &["checkpoint.refire"]);
    }
    desk.write("fit/checkpoint.refire", newer(&whole));
    desk.refused("fit good.npz --resume fit", &["version 5", "newer"]);
    desk.write("fit/checkpoint.refire", model());
    desk.refused("fit good.npz --resume fit", &["found refire-model"]);
}
