//! Fits of networks whose parameters are known, over a hundredfold range of data.

use crate::check::worst_of;
use crate::sampling::Sample;
use crate::{Claim, Plan, lab};
use anyhow::Result;
use refire_fit::ObjectiveKind;
use refire_report::TableView;
use refire_testkit::{
    Line, Strengths, TinyNetwork, TinyShape, fit_line, maximum_likelihood, normal_p, student_p,
};
use serde::{Deserialize, Serialize};

/// Bins of a trial.
pub const BINS: usize = 50;

/// Allowed slopes of log error over log trials; theory says -1/2.
const SLOPES: std::ops::RangeInclusive<f64> = -0.6..=-0.4;

/// Allowed ratio of the two errors at the largest size.
const RATIOS: std::ops::RangeInclusive<f64> = 0.95..=1.1;

/// Errors of two fits of one recording, in units of the potential.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitErrors {
    /// Of each parameter (couplings, then biases), maximum likelihood at its optimum (Newton).
    pub mle: Vec<f64>,
    /// The same with the corrected sample-and-measure terms, fitted as by `refire fit`.
    pub both: Vec<f64>,
    /// Recorded spikes.
    pub spikes: f64,
}

/// Errors of repeated fits of one size, in units of the potential.
struct Errors {
    trials: usize,
    spikes_per_coefficient: f64,
    /// Per replicate: the errors of all parameters, for each objective.
    of: [Sample; 2],
}

/// Names of the objectives, in the order of [`Errors::of`].
const OBJECTIVES: [&str; 2] = ["MLE (Newton)", "MLE + sample-and-measure"];

pub fn run(plan: Plan, progress: &(dyn Fn(f64) + Sync)) -> Result<Claim> {
    let mut claim = Claim {
        id: "consistency",
        title: "The fit is consistent",
        statement: "For a fully observed network and a model that contains the truth, the error of MLE \
                    and of MLE + sample-and-measure falls with the square root of the data, their \
                    ratio tends to 1, and neither is biased.",
        source: "Bellec, Wang et al. 2021 (claim 3 of the method); likelihood theory",
        ..Claim::default()
    };
    let sizes: &[usize] = plan.pick(&[20, 80], &[20, 63, 200], &[20, 63, 200, 632, 2000]);
    let replicates = plan.pick(20, 20, 24);
    let network = network(2, plan.seed);
    let work: usize = sizes.iter().sum();
    let mut done = 0;
    let mut all = Vec::new();
    for &trials in sizes {
        all.push(errors(&network, trials, replicates, plan.seed)?);
        done += trials;
        progress(done as f64 / work as f64);
    }
    judge(&mut claim, &all);
    Ok(claim)
}

/// A fully observed random network of two lags.
pub fn network(units: usize, seed: u64) -> TinyNetwork {
    TinyNetwork::draw(
        TinyShape {
            observed: units,
            units,
            lags: 2,
            bins: BINS,
        },
        Strengths {
            couplings: 0.7,
            bias: -1.0,
            drive: 0.0,
        },
        1,
        seed,
    )
}

/// Both fits of one simulated recording, against the network.
pub fn replicate(network: &TinyNetwork, trials: usize, seed: u64, draw: u32) -> Result<FitErrors> {
    let truth = network.parameters();
    let off = |found: Vec<f64>| -> Vec<f64> {
        let pairs = found.into_iter().zip(&truth);
        pairs.map(|(a, b)| (a - b) / network.theta).collect()
    };
    // Sizes are independent recordings, too.
    let draw = draw + 1000 * trials as u32;
    let simulated = network.simulate(trials, &[], seed, draw)?;
    let spikes = simulated.observed(network.observed);
    let mle = maximum_likelihood(&spikes, &simulated.layout, network.lags, network.theta)?;
    let count: u64 = spikes.as_slice().iter().map(|&z| u64::from(z)).sum();
    let objective = ObjectiveKind::MleAndSampleAndMeasure;
    let mut spec = lab::fit_spec(objective, network.lags, trials, BINS);
    spec.seed = seed + u64::from(draw);
    if let Some(adam) = spec.optimiser.steps_mut() {
        adam.iterations = 400;
    }
    Ok(FitErrors {
        mle: off(mle.parameters()),
        both: off(lab::fit(spikes, &spec)?),
        spikes: count as f64,
    })
}

fn errors(network: &TinyNetwork, trials: usize, replicates: usize, seed: u64) -> Result<Errors> {
    let both = Sample::draw(replicates, |draw| {
        let found = replicate(network, trials, seed, draw)?;
        Ok([found.mle, found.both, vec![found.spikes]].concat())
    })?;
    let size = network.parameters().len();
    let part = |range: std::ops::Range<usize>| {
        let rows = both.rows().iter().map(|row| row[range.clone()].to_vec());
        Sample::from_rows(rows.collect())
    };
    Ok(Errors {
        trials,
        spikes_per_coefficient: both.mean()[2 * size] / size as f64,
        of: [part(0..size), part(size..2 * size)],
    })
}

/// Mean and standard error of the log of each replicate's error (root mean square over parameters).
fn log_errors(sample: &Sample) -> (f64, f64, Vec<f64>) {
    let logs: Vec<f64> = sample
        .rows()
        .iter()
        .map(|row| 0.5 * (row.iter().map(|e| e * e).sum::<f64>() / row.len() as f64).ln())
        .collect();
    let (mean, se) = mean_and_error(&logs);
    (mean, se, logs)
}

fn mean_and_error(numbers: &[f64]) -> (f64, f64) {
    let sample = Sample::from_rows(numbers.iter().map(|&x| vec![x]).collect());
    (sample.mean()[0], sample.standard_errors()[0])
}

fn judge(claim: &mut Claim, all: &[Errors]) {
    for (at, name) in OBJECTIVES.into_iter().enumerate() {
        let points: Vec<(f64, f64, f64)> = all
            .iter()
            .map(|errors| {
                let (mean, se, _) = log_errors(&errors.of[at]);
                ((errors.trials as f64).ln(), mean, se)
            })
            .collect();
        let line = fit_line(&points);
        push_slope(claim, name, line, all);
        if let Some(largest) = all.last() {
            push_bias(claim, name, &largest.of[at], largest.trials);
        }
    }
    let ratios: Vec<(f64, f64)> = all
        .iter()
        .map(|errors| {
            let [mle, both] = &errors.of;
            let pairs = log_errors(both).2.into_iter().zip(log_errors(mle).2);
            mean_and_error(&pairs.map(|(a, b)| a - b).collect::<Vec<_>>())
        })
        .collect();
    if let (Some(&(log_ratio, se)), Some(largest)) = (ratios.last(), all.last()) {
        let ratio = log_ratio.exp();
        let outside = normal_p(RATIOS.end().ln() / se).max(normal_p(RATIOS.start().ln() / se));
        claim.range(
            "ratio of the errors, MLE + sample-and-measure to MLE",
            format!(
                "geometric mean over {} replicates of the same data, {} trials",
                largest.of[0].rows().len(),
                largest.trials
            ),
            format!("{} to {}", RATIOS.start(), RATIOS.end()),
            format!("{ratio:.3} ± {:.3}", ratio * se),
            RATIOS.contains(&ratio),
            outside,
        );
    }
    claim.tables.push(table(all, &ratios));
}

fn push_slope(claim: &mut Claim, name: &str, line: Line, all: &[Errors]) {
    let sizes: Vec<String> = all.iter().map(|e| e.trials.to_string()).collect();
    let (low, high) = (SLOPES.start() + 0.5, SLOPES.end() + 0.5);
    let outside = 0.5 * (normal_p(low / line.slope_se) + normal_p(high / line.slope_se));
    claim.range(
        format!("{name}: slope of log error"),
        format!("weighted line through {} trials", sizes.join(", ")),
        format!("{} to {}", SLOPES.start(), SLOPES.end()),
        format!("{:.3} ± {:.3}", line.slope, line.slope_se),
        SLOPES.contains(&line.slope),
        outside,
    );
}

fn push_bias(claim: &mut Claim, name: &str, sample: &Sample, trials: usize) {
    let count = sample.rows().len();
    let zeros = vec![0.0; sample.mean().len()];
    let scores = sample.scores(&zeros);
    let worst = sample.worst_score(&zeros);
    claim.chance(
        format!("{name}: no bias"),
        format!(
            "t test of the mean error of each of {} parameters, {count} replicates of {trials} trials, \
             the worst of them",
            zeros.len()
        ),
        format!("t with {} degrees of freedom", count - 1),
        format!("farthest t = {worst:.2}"),
        worst_of(scores.into_iter().map(|score| student_p(score, count))),
    );
}

fn table(all: &[Errors], ratios: &[(f64, f64)]) -> TableView {
    let rows = all.iter().zip(ratios).map(|(errors, (ratio, se))| {
        let [mle, both] = [0, 1].map(|at| log_errors(&errors.of[at]).0.exp());
        vec![
            errors.trials.to_string(),
            format!("{:.0}", errors.spikes_per_coefficient),
            format!("{mle:.4}"),
            format!("{both:.4}"),
            format!("{:.3} ± {:.3}", ratio.exp(), ratio.exp() * se),
        ]
    });
    TableView {
        title: "Errors by size".into(),
        header: [
            "trials",
            "spikes per coefficient",
            "MLE",
            "MLE + sample-and-measure",
            "ratio ± s.e.",
        ]
        .map(String::from)
        .to_vec(),
        rows: rows.collect(),
        caption: "Root mean square errors in units of the potential, geometric means.".into(),
    }
}
