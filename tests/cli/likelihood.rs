//! Fits of the likelihood to its optimum.

use crate::edges::run_through;
use crate::toy::Toy;
use serde_json::Value;

fn statuses(fit: &Value) -> Vec<&str> {
    let units = fit["maximum_likelihood"]["units"].as_array().unwrap();
    units
        .iter()
        .map(|unit| unit["status"].as_str().unwrap())
        .collect()
}

#[test]
fn every_unit_says_how_its_fit_ended() {
    let toy = Toy {
        silent: vec![1],
        ..Toy::default()
    };
    let fit = run_through(&toy.events(), "--objective mle");
    assert_eq!(fit["maximum_likelihood"]["ridge_source"], "validation");
    assert!(fit["maximum_likelihood"]["gradient_norm"].as_f64().unwrap() <= 1e-6);
    assert_eq!(statuses(&fit), ["converged", "silent", "converged"]);
    let path = fit["maximum_likelihood"]["path"].as_array().unwrap();
    let chosen = &fit["maximum_likelihood"]["ridge_couplings"];
    assert!(path.iter().any(|step| step["couplings"] == *chosen));
}

#[test]
fn a_ridge_may_be_given_or_left_out() {
    let toy = Toy::default();
    let given = run_through(&toy.events(), "--objective mle --ridge 7.5");
    assert_eq!(given["maximum_likelihood"]["ridge_couplings"], 7.5);
    assert_eq!(given["maximum_likelihood"]["ridge_source"], "given");
    // Without a penalty, nats can only be fewer.
    let none = run_through(&toy.events(), "--objective mle --ridge 0");
    let nats = |fit: &Value| fit["maximum_likelihood"]["nats"].as_f64().unwrap();
    assert!(
        nats(&none) < nats(&given),
        "{} {}",
        nats(&none),
        nats(&given)
    );
    let priors = run_through(&toy.events(), "--objective mle --validation-fraction 0");
    assert_eq!(priors["maximum_likelihood"]["ridge_source"], "priors");
}

#[test]
fn statistics_may_start_from_the_optimum_and_published_fits_never_do() {
    let toy = Toy::default();
    let fit = run_through(&toy.events(), "--optimizer lbfgs");
    assert_eq!(statuses(&fit).len(), 3);
    for (options, optimizer) in [
        ("", "natural"),
        ("--hidden 1", "adam"),
        ("--observed-inhibitory none", "adam"),
        ("--objective mle --form published", "adam"),
        ("--objective mle --hidden 1", "adam"),
    ] {
        let fit = run_through(&toy.events(), options);
        assert_eq!(fit["settings"]["optimizer"], optimizer, "{options}");
        assert!(fit["maximum_likelihood"].is_null(), "{options}");
    }
}

#[test]
fn checkpointed_passes_reach_the_same_losses() {
    let toy = Toy {
        bins: (0..24).map(|k| 90 + k % 5).collect(),
        conditions: Some((0..24).map(|k| k % 2).collect()),
        units: 4,
        ..Toy::default()
    };
    // Where passes are kept in part, nothing is left to validation trials.
    let given = "--coupling-prior 0.15 --same-bin-prior 1 --drive-prior 1 --drive-detail 0 --initial-scale 0.1";
    for (options, terms, bins) in [
        ("--objective mle --optimizer adam", 1, 7),
        ("--hidden 2", 4, 40),
        ("--noise-pairs 6 --noise-parts 2 --history recorded", 3, 40),
    ] {
        let options = format!("{options} {given}");
        let whole = run_through(&toy.events(), &options);
        let windows = run_through(
            &toy.events(),
            &format!("{options} --checkpoint-bins {bins}"),
        );
        let losses = whole["losses"]["terms"].as_object().unwrap();
        assert_eq!(losses.len(), terms, "{options}");
        for (name, losses) in losses {
            let found = windows["losses"]["terms"][name].as_array().unwrap();
            let pairs = losses.as_array().unwrap().iter().zip(found);
            let mut compared = 0;
            for (a, b) in pairs.filter_map(|(a, b)| Some((a.as_f64()?, b.as_f64()?))) {
                assert!((a - b).abs() < 1e-4 * a.abs(), "{options}, {name}: {a} {b}");
                compared += 1;
            }
            assert_eq!(compared, 3, "{options}, {name}");
        }
        for (name, a) in whole["test"].as_object().unwrap() {
            let b = &windows["test"][name];
            let near = match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-3 * a.abs().max(1.0),
                _ => a == b,
            };
            assert!(near, "{options}, {name}: {a} {b}");
        }
    }
}
