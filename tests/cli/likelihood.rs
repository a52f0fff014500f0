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
    for options in [
        "",
        "--objective mle --form published",
        "--objective mle --hidden 1",
    ] {
        let fit = run_through(&toy.events(), options);
        assert_eq!(fit["settings"]["optimizer"], "adam", "{options}");
        assert!(fit["maximum_likelihood"].is_null(), "{options}");
    }
}

#[test]
fn checkpointed_passes_reach_the_same_losses() {
    let toy = Toy::default();
    let whole = run_through(&toy.events(), "--objective mle --optimizer adam");
    let windows = run_through(&toy.events(), "--objective mle --checkpoint-bins 7");
    let last = |fit: &Value| {
        let losses = fit["losses"]["terms"]["mle"].as_array().unwrap();
        losses.last().and_then(Value::as_f64).unwrap()
    };
    let (a, b) = (last(&whole), last(&windows));
    assert!((a - b).abs() < 1e-5 * a, "{a} {b}");
}
