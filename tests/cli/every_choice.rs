//! Every choice of a fit runs to the end.

use crate::edges::{fitted, run_through};
use crate::toy::{Toy, stimulus};

#[test]
fn every_objective_form_and_spike_gradient() {
    let fixture = Toy::default().events();
    // The score function costs as many evaluations as there are simulated trials: few long ones.
    let long = Toy {
        bins: vec![400; 12],
        ..Toy::default()
    }
    .events();
    let mut seen = Vec::new();
    for objective in ["mle", "sm", "mle+sm"] {
        for form in ["corrected", "published"] {
            for gradient in ["escape", "triangle", "none", "reinmax", "score"] {
                for hidden in [0, 3] {
                    // Slow, and without hidden units or statistics nothing new.
                    if gradient == "score" && (objective == "sm" || hidden == 0) {
                        continue;
                    }
                    let options = format!(
                        "--objective {objective} --form {form} --spike-gradient {gradient} \
                         --hidden {hidden}"
                    );
                    // A model does not tell how it was found: once with the other commands.
                    let fit = match gradient {
                        "escape" => run_through(&fixture, &options),
                        "score" => fitted(&long, &options),
                        _ => fitted(&fixture, &options),
                    };
                    let terms = fit["losses"]["terms"].as_object().unwrap();
                    let has = |name: &str| terms.contains_key(name);
                    assert_eq!(has("mle"), objective != "sm");
                    assert_eq!(has("psth") && has("nc"), objective != "mle");
                    let others = terms.len() - usize::from(has("mle"));
                    let expected = if objective == "mle" {
                        0
                    } else {
                        2 + hidden.min(1)
                    };
                    assert_eq!(others, expected, "{terms:?}");
                    // What has no part in a fit stands in its settings as by default.
                    let settings = &fit["settings"];
                    let (alone, solved) = (objective == "mle", settings["optimizer"] == "lbfgs");
                    assert_eq!(settings["form"], if alone { "corrected" } else { form });
                    let gradient = if alone && solved { "escape" } else { gradient };
                    assert_eq!(settings["spike-gradient"], gradient);
                    seen.push(fit["losses"]["terms"].clone());
                }
            }
        }
    }
    // Form, gradient and hidden units change what is fitted, where they have a part in it: mle alone twice
    // without hidden units, where nothing is sampled (solved, and as published), and once per gradient and form
    // with them, as the published form has no same-bin couplings; the statistics
    // in two forms by four gradients with and without hidden units; the score twice.
    seen.sort_by_key(ToString::to_string);
    seen.dedup();
    assert_eq!(seen.len(), 2 + 2 * 5 + 2 * 2 * 4 * 2 + 2);
}

#[test]
fn every_drive() {
    let shared = Toy {
        stimulus: Some(stimulus(&[40, 2])),
        ..Toy::default()
    };
    let plain = Toy {
        stimulus: Some(stimulus(&[40])),
        ..Toy::default()
    };
    let per_condition = Toy {
        stimulus: Some(stimulus(&[2, 40, 2])),
        ..Toy::default()
    };
    // Ends before the trials do, and never changes in its second feature.
    let mut short = stimulus(&[39, 2]);
    short.1.iter_mut().skip(1).step_by(2).for_each(|x| *x = 1.0);
    let short = Toy {
        stimulus: Some(short),
        ..Toy::default()
    };
    for toy in [shared, plain, per_condition, short] {
        for options in [
            "",
            "--drive features --stimulus-lags 1",
            "--drive features --stimulus-lags 50 --hidden 2",
            "--drive condition",
            "--drive none",
        ] {
            let drive = options.split(' ').nth(1).unwrap_or("features");
            let (events, binned) = (toy.events(), toy.binned());
            for fit in [run_through(&events, options), fitted(&binned, options)] {
                assert_eq!(fit["settings"]["drive"], drive);
            }
        }
    }
    for spacing in ["1ms", "40ms", "0.5s", "1e9s"] {
        let options = format!("--drive condition --drive-spacing {spacing}");
        run_through(&Toy::default().events(), &options);
    }
}

#[test]
fn fractions_and_weights_at_their_ends() {
    let fixture = Toy::default().events();
    let fit = run_through(&fixture, "--test-fraction 0 --validation-fraction 0");
    assert_eq!(fit["trials"], 0);
    let fit = run_through(&fixture, "--test-fraction 0.99 --validation-fraction 0.99");
    assert_eq!(fit["trials"], 10);
    run_through(&fixture, "--batch 1");
    run_through(&fixture, "--batch 1000");
    // One term is enough, and the others are told all the same.
    for weights in [
        "--weight-psth 0 --weight-nc 0",
        "--weight-mle 0 --weight-nc 0",
        "--weight-mle 0 --weight-psth 0",
        "--weight-mle 0 --weight-psth 0 --weight-nc 0 --hidden 2",
    ] {
        let fit = run_through(&fixture, weights);
        assert!(fit["losses"]["terms"]["mle"].is_array());
    }
    // The validation trials measure no term that counts: the last iteration is the result.
    let fit = run_through(&fixture, "--objective sm --weight-psth 0");
    assert_eq!(
        fit["losses"]["validation"]["iterations"],
        serde_json::json!([])
    );
    run_through(&fixture, "--seed 18446744073709551615");
}
