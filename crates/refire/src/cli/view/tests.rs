//! The pages of fits and of the demo, from small fits.

#![allow(clippy::unwrap_used)]

use super::*;
use refire::fit::{ObjectiveKind, Specification, Steps};
use refire::neuron::SpikeGradient;
use refire::synth::GroundTruth;

fn fitted(objectives: [ObjectiveKind; 2]) -> (Recording, SynthSettings, Vec<Fitted>) {
    let synthetic = SynthSettings {
        observed_units: 6,
        trials: 48,
        bins: 40,
        conditions: 2,
        ..SynthSettings::demo()
    };
    let truth = GroundTruth::draw(&synthetic).unwrap();
    let trials = synthetic.trials_per_condition().unwrap();
    let recording = refire::synth::recording(&truth, trials, synthetic.seed).unwrap();
    let fits = objectives
        .into_iter()
        .map(|objective| {
            let adam = Steps {
                iterations: 3,
                ..Steps::default()
            };
            let mut spec = Specification::new(&recording, objective);
            if objective.has_statistics() {
                spec = spec.with_adam(adam);
            }
            if let Some(likelihood) = spec.objective.likelihood_mut() {
                *likelihood = 0.5;
            }
            if let Some(weights) = spec.objective.corrected_mut() {
                weights.psth = 2.0;
                weights.noise.weight = Some(11.0);
            }
            Fitted::in_memory(&recording, &spec, true).unwrap()
        })
        .collect();
    (recording, synthetic, fits)
}

fn fact<'a>(facts: &'a [(String, String)], name: &str) -> &'a str {
    let found = facts.iter().find(|(other, _)| other == name);
    found.map_or("", |(_, value)| value)
}

#[test]
fn both_fits_of_the_demo_show_the_same_units_and_say_what_differs() {
    let objectives = [ObjectiveKind::Mle, ObjectiveKind::MleAndSampleAndMeasure];
    let (recording, synthetic, mut fits) = fitted(objectives);
    // The second fit would rank its units the other way round.
    let of_units = fits[0].evaluation.units.psth_correlation.iter();
    fits[1].evaluation.units.psth_correlation = of_units.map(|r| Some(-(*r)?)).collect();
    let report = demo_report(&recording, &synthetic, &fits);
    let (mle, both) = (&report.fits[0], &report.fits[1]);
    assert_eq!(mle.psths.len(), 3);
    for (a, b) in mle.psths.iter().zip(&both.psths) {
        assert_eq!((&a.label, &a.data_hz), (&b.label, &b.data_hz));
        assert_eq!(a.correlation, -b.correlation);
    }
    // Ranked by the first fit, and the page says so.
    let ranks: Vec<f64> = mle
        .psths
        .iter()
        .map(|example| example.correlation)
        .collect();
    assert!(ranks[0] >= ranks[1] && ranks[1] >= ranks[2]);
    assert!(report.psth_choice.contains("ranked by r of MLE"));

    assert_eq!(
        fact(&report.facts, "weights"),
        "MLE: likelihood 0.5\n\
         MLE + sample-and-measure: likelihood 0.5, PSTH 2, noise covariance 11 (corrected terms)"
    );
    assert_eq!(
        fact(&report.facts, "spike gradient"),
        "MLE: not needed\nMLE + sample-and-measure: escape, dampening 0.5"
    );
    assert_eq!(
        fact(&report.facts, "optimiser"),
        "MLE: L-BFGS to the optimum of the likelihood, ridge 3 (couplings), 3 (same-bin couplings) and 10 (drive) by validation\n\
         MLE + sample-and-measure: Adam, 3 iterations, learning rate 0.01 falling to 0 as half a cosine"
    );
    assert_eq!(
        fact(&report.facts, "iteration kept"),
        "MLE: the optimum\nMLE + sample-and-measure: 3, the best on validation trials"
    );
    assert_eq!(fact(&report.facts, "seed"), "1");

    let intro = report.intro.join("\n");
    assert!(intro.contains("3 hidden sources"));
    assert!(intro.contains("units 0, 3, 6 and so on"));
    assert!(intro.contains("Fano factor") && !intro.contains("none"));
    assert!(report.to_html().is_ok());
}

#[test]
fn the_facts_of_a_fit_name_its_settings() {
    let (recording, _, mut fits) = fitted([ObjectiveKind::Mle, ObjectiveKind::SampleAndMeasure]);
    let fitted = &mut fits[1];
    let facts = facts::of_one(&recording, fitted);
    assert_eq!(
        fact(&facts, "weights"),
        "PSTH 2, noise covariance 11 (corrected terms)"
    );
    assert_eq!(
        fact(&facts, "couplings"),
        "all to all, 9 lags of one bin: up to 90 ms"
    );
    assert_eq!(
        fact(&facts, "iteration kept"),
        "3, the best on validation trials"
    );
    for (gradient, words) in [
        (SpikeGradient::ReinMax, "ReinMax"),
        (SpikeGradient::Score, "score function, unbiased"),
        (SpikeGradient::Triangle, "triangle, as published"),
    ] {
        let adam = fitted.model.spec.optimiser.steps_mut().unwrap();
        adam.spike_gradient = gradient;
        let facts = facts::of_one(&recording, fitted);
        assert_eq!(fact(&facts, "spike gradient"), words);
    }
    let single = fit_report(&recording, fitted);
    assert!(single.fits[0].psths[0].label.starts_with("best unit ("));
}
