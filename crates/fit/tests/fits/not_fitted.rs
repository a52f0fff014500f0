//! Statistics that no term compares are of the same sets of trials as those that terms compare.

use crate::figures::{fitted, judged, near};
use crate::small::Small;
use refire_core::{TrialArray, TrialLayout};
use refire_fit::{SETS, evaluate};
use refire_metrics::{
    Metric, TrialFeatures, autocorrelation, intervals, lagged_noise, population_counts, told_apart,
};
use refire_testkit::{Judged, JudgedTrial};

/// Trials as arrays.
fn arrays(reference: &Judged, trials: &[JudgedTrial]) -> (TrialArray<u8>, TrialLayout) {
    let bins: Vec<usize> = trials.iter().map(|k| k.spikes.len()).collect();
    let units = trials[0].spikes[0].len();
    let mut z = TrialArray::zeros(trials.len(), *bins.iter().max().unwrap(), 0, units);
    for (k, trial) in trials.iter().enumerate() {
        z.trial_mut(k)[..units * bins[k]].copy_from_slice(&trial.spikes.concat());
    }
    let conditions = trials.iter().map(|k| k.condition).collect();
    (
        z,
        TrialLayout::new(conditions, bins, reference.first_bin).unwrap(),
    )
}

#[test]
fn figures_that_no_term_compares_are_of_the_same_sets() {
    let recording = Small {
        trials: 60,
        ..Small::default()
    }
    .recording();
    let model = fitted(&recording);
    let reference = judged(&model, &recording, &model.split.test);
    let found = evaluate(&model, &recording, None).unwrap();
    let (z, layout) = arrays(&reference, &reference.test);
    let sets = 0..SETS as u32;
    let runs: Vec<_> = sets.clone().map(|set| reference.free_runs(set)).collect();
    let chosen: Vec<_> = sets.map(|set| reference.ceiling_trials(set)).collect();
    type Figure<'a> = &'a dyn Fn(&TrialArray<u8>, &TrialLayout) -> Metric;
    let check = |what: &str, of_model: &Metric, of_training: &Metric, figure: Figure| {
        for (found, sets) in [(of_model, &runs), (of_training, &chosen)] {
            let values = sets.iter().map(|set| {
                let (z, layout) = arrays(&reference, set);
                figure(&z, &layout).value().unwrap()
            });
            near(what, found, values.sum::<f64>() / SETS as f64);
        }
        // Accuracies are of a few trials: two may be the same.
        assert!(what == "told apart" || of_model != of_training, "{what}");
    };
    let test = &found.test;
    let own = intervals(&z, &layout);
    check(
        "interval distance",
        &test.isi_distance,
        &test.isi_distance_ceiling,
        &|z, layout| {
            let pairs = own.iter().zip(intervals(z, layout));
            let distances: Vec<f64> = pairs.filter_map(|(a, b)| a.distance(&b).value()).collect();
            Metric::Value(distances.iter().sum::<f64>() / distances.len() as f64)
        },
    );
    let own = autocorrelation(&z, &layout);
    check(
        "autocorrelation",
        &test.autocorrelation_distance,
        &test.autocorrelation_distance_ceiling,
        &|z, layout| own.distance(&autocorrelation(z, layout)),
    );
    let own = population_counts(&z, &layout);
    check(
        "population count",
        &test.population_count_distance,
        &test.population_count_distance_ceiling,
        &|z, layout| own.distance(&population_counts(z, layout)),
    );
    check(
        "triplets",
        &test.synchronous_triplets_model,
        &test.synchronous_triplets_ceiling,
        &|z, layout| population_counts(z, layout).synchronous_triplets(),
    );
    assert_eq!(test.synchronous_triplets_data, own.synchronous_triplets());
    let own = TrialFeatures::new(&z, &layout);
    check(
        "told apart",
        &test.told_apart,
        &test.told_apart_ceiling,
        &|z, layout| told_apart(&own, &TrialFeatures::new(z, layout)).accuracy,
    );
    let trials = 2.0 * layout.trials() as f64;
    let interval = found.told_apart_intervals.0.unwrap();
    let accuracy = test.told_apart.value().unwrap();
    assert!(interval.low < accuracy && accuracy < interval.high);
    // About twice 1.96 sqrt(accuracy (1 - accuracy) / trials).
    let width = 2.0 * 1.96 * (accuracy * (1.0 - accuracy) / trials).sqrt();
    assert!(((interval.high - interval.low) / width - 1.0).abs() < 0.1);
    let lagged = &found.lagged;
    let own = lagged_noise(&z, &layout, &lagged.lags);
    for (at, lag) in lagged.lags.iter().enumerate() {
        let of = |z: &TrialArray<u8>, layout: &TrialLayout| {
            own.agreement(&lagged_noise(z, layout, &lagged.lags)).r2[at].clone()
        };
        check(
            &format!("R2 at lag {lag}"),
            &lagged.r2[at],
            &lagged.ceiling_r2[at],
            &of,
        );
    }
    // The interval of a ceiling: the deviation of one set, for sets of new trials, on either side.
    let training = model.split.train.len() as f64;
    let sd = found.test_sd.psth_correlation_ceiling.value().unwrap();
    let half = 1.96 * sd / (1.0 - layout.trials() as f64 / training).sqrt();
    let interval = found.ceiling_intervals.psth_correlation.unwrap();
    assert!(((interval.high - interval.low) / (2.0 * half) - 1.0).abs() < 1e-3);
}
