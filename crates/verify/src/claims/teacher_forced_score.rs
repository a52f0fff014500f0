//! The teacher-forced score, the Fisher information and the Wald statistic.

use crate::check::worst_of;
use crate::sampling::Sample;
use crate::{Claim, Plan, lab};
use anyhow::{Context, Result};
use nalgebra::{DMatrix, DVector};
use refire_core::{Recorded, TrialArray, TrialLayout};
use refire_fit::{Form, ObjectiveKind, Streams, Terms};
use refire_report::{FigureView, Plot, PlotAxis, PlotPoint, Role, Series};
use refire_testkit::{
    Path, Paths, Strengths, TinyNetwork, TinyShape, chi_square_p, distance_from_uniform,
    kolmogorov_p, maximum_likelihood, normal_p,
};

pub fn run(plan: Plan, progress: &(dyn Fn(f64) + Sync)) -> Result<Claim> {
    let mut claim = Claim {
        id: "score",
        title: "The teacher-forced score has mean zero and the Fisher information as covariance",
        statement: "At the true parameters the gradient of the likelihood averages to zero, its \
                    covariance is the Fisher information, and at moderate size the Wald statistic of \
                    the maximum-likelihood fit is chi-square.",
        source: "Likelihood theory; docs/estimators.md (likelihood)",
        ..Claim::default()
    };
    score(&mut claim, plan)?;
    progress(0.3);
    wald(&mut claim, plan)?;
    Ok(claim)
}

/// The score of one trial, `d ln P(z) / d parameters`, by the engine.
fn engine_score(network: &TinyNetwork, spikes: &[u8]) -> Result<Vec<f64>> {
    let spec = lab::spec(network, ObjectiveKind::Mle, Form::Corrected);
    let layout = TrialLayout::uniform(1, network.bins, 0)?;
    let spikes =
        TrialArray::from_vec(spikes.to_vec(), 1, network.bins, network.units).unwrap_or_default();
    let recorded = Recorded {
        spikes: &spikes,
        layout: &layout,
    };
    let mut engine = lab::engine(network, &spec, Terms::new(&spec, recorded))?;
    let batch = lab::batch(network, &spikes, &layout, 1)?;
    let parameters = lab::parameters(network);
    let mut gradient = parameters.clone();
    engine.evaluate(&parameters, &batch, Streams::new(1, 0), Some(&mut gradient))?;
    // The term is the mean surprise per bin and unit.
    let count = (network.bins * network.units) as f64;
    Ok(lab::flat(network, &gradient)
        .into_iter()
        .map(|g| -count * g)
        .collect())
}

/// The same from the definition: `(z - p) dv/dparameter`, summed over bins.
fn oracle_score(network: &TinyNetwork, path: Path<'_>) -> DVector<f64> {
    let (n, lags) = (network.units, network.lags);
    let mut score = DVector::zeros(network.couplings.len() + n);
    for t in 0..network.bins {
        for j in 0..n {
            let off = (f64::from(path.spikes[t * n + j]) - path.p[t * n + j]) / network.theta;
            for d in 1..=lags.min(t) {
                for i in 0..n {
                    let z = f64::from(path.spikes[(t - d) * n + i]);
                    score[(i * lags + d - 1) * n + j] += off * z;
                }
            }
            score[network.couplings.len() + j] += off;
        }
    }
    score
}

fn score(claim: &mut Claim, plan: Plan) -> Result<()> {
    let network = TinyNetwork::draw(
        TinyShape {
            observed: 2,
            units: 2,
            lags: 2,
            bins: 6,
        },
        Strengths {
            couplings: 1.0,
            bias: -0.7,
            drive: 0.8,
        },
        1,
        plan.seed,
    );
    let paths = Paths::free(&network, 0, &[])?;
    let size = network.parameters().len();
    // Exactly: every path as a recorded trial.
    let mut mean = DVector::zeros(size);
    let mut information = DMatrix::zeros(size, size);
    let mut worst = 0.0f64;
    for path in paths.iter() {
        let expected = oracle_score(&network, path);
        let found = DVector::from_vec(engine_score(&network, path.spikes)?);
        worst = worst.max((&found - &expected).amax());
        mean.axpy(path.probability, &found, 1.0);
        information.ger(path.probability, &expected, &expected, 1.0);
    }
    claim.range(
        "score of every path",
        "largest difference of the engine from the definition, 4096 trials",
        "below 1e-10",
        format!("{worst:.1e}"),
        worst < 1e-10,
        0.0,
    );
    claim.range(
        "mean score over all paths",
        "largest entry, every path weighted with its probability",
        "below 1e-10",
        format!("{:.1e}", mean.amax()),
        mean.amax() < 1e-10,
        0.0,
    );

    // By sampling: the simulator's trials under the engine's score.
    let trials = plan.pick(4_000, 20_000, 200_000);
    let simulated = network.simulate(trials, &[], plan.seed, 0)?;
    let sample = Sample::draw(trials, |k| {
        engine_score(&network, simulated.trajectory.spikes.trial(k as usize))
    })?;
    let factor = information.clone().cholesky();
    let factor = factor.context("Fisher information: a singular matrix")?;
    let mean = DVector::from_vec(sample.mean());
    let statistic = trials as f64 * mean.dot(&factor.solve(&mean));
    claim.chance(
        "mean score of simulated trials",
        format!("chi-square with the exact information, {trials} trials"),
        size.to_string(),
        format!("{statistic:.1}"),
        chi_square_p(statistic, size),
    );
    // Whitened scores y = L^-1 s have the unit matrix as covariance; fourth moments are exact, too.
    let lower = factor.l();
    let whiten = |score: &DVector<f64>| lower.solve_lower_triangular(score);
    let products = |score: &DVector<f64>| -> Vec<f64> {
        let y = whiten(score).unwrap_or_default();
        let pairs = (0..size).flat_map(|a| (0..=a).map(move |b| (a, b)));
        pairs.map(|(a, b)| y[a] * y[b]).collect()
    };
    let count = size * (size + 1) / 2;
    let mut fourth = vec![0.0; count];
    for path in paths.iter() {
        let of_path = products(&oracle_score(&network, path));
        for (sum, product) in fourth.iter_mut().zip(of_path) {
            *sum += path.probability * product * product;
        }
    }
    let mut found = vec![0.0; count];
    for row in sample.rows() {
        let of_trial = products(&DVector::from_column_slice(row));
        for (sum, product) in found.iter_mut().zip(of_trial) {
            *sum += product / trials as f64;
        }
    }
    let unit = (0..size).flat_map(|a| (0..=a).map(move |b| if a == b { 1.0 } else { 0.0 }));
    let scores: Vec<f64> = found
        .iter()
        .zip(&fourth)
        .zip(unit)
        .map(|((found, fourth), unit)| {
            (found - unit) / ((fourth - unit * unit) / trials as f64).sqrt()
        })
        .collect();
    let farthest = scores.iter().fold(0.0f64, |m, z| m.max(z.abs()));
    claim.chance(
        "covariance of the score against the Fisher information",
        format!("scores of {count} whitened entries, exact variances, the worst of them"),
        "standard normal",
        format!("largest |z| = {farthest:.2}"),
        worst_of(scores.into_iter().map(normal_p)),
    );
    Ok(())
}

fn wald(claim: &mut Claim, plan: Plan) -> Result<()> {
    let replicates = plan.pick(60, 200, 1_000);
    let (trials, bins) = (200, 100);
    let network = TinyNetwork::draw(
        TinyShape {
            observed: 2,
            units: 2,
            lags: 2,
            bins,
        },
        Strengths {
            couplings: 0.7,
            bias: -1.0,
            drive: 0.0,
        },
        1,
        plan.seed,
    );
    let coefficients = network.units * network.lags + 1;
    let sample = Sample::draw(replicates, |draw| {
        let simulated = network.simulate(trials, &[], plan.seed, draw)?;
        let spikes = simulated.observed(network.observed);
        let fit = maximum_likelihood(&spikes, &simulated.layout, network.lags, network.theta)?;
        let units = fit.units.iter().enumerate();
        Ok(units
            .map(|(j, unit)| chi_square_p(unit.wald(&network, j), coefficients))
            .collect())
    })?;
    let mut p_values = sample.rows().concat();
    let distance = distance_from_uniform(&mut p_values);
    claim.chance(
        "Wald statistic of the maximum-likelihood fit",
        format!(
            "Kolmogorov-Smirnov test of {} p-values (chi-square, {coefficients} degrees of freedom), \
             fits of {} bins",
            p_values.len(),
            trials * bins
        ),
        "uniform",
        format!("distance {distance:.3}"),
        kolmogorov_p(distance, p_values.len()),
    );
    let count = p_values.len() as f64;
    let points = p_values
        .iter()
        .enumerate()
        .step_by((p_values.len() / 100).max(1));
    let points = points
        .map(|(rank, &p)| PlotPoint::exact((rank as f64 + 0.5) / count, p))
        .collect();
    claim.figures.push(FigureView {
        title: "Calibration of the Wald statistic".into(),
        caption: "Sorted p-values of the true parameters in repeated fits, against their expected place. \
                  On the diagonal, confidence regions cover the truth as often as they say."
            .into(),
        panels: vec![Plot {
            title: format!("{replicates} fits of 2 units"),
            x: PlotAxis::linear("expected p-value"),
            y: PlotAxis::linear("p-value of the truth"),
            series: vec![
                Series::line("uniform", Role::Reference, [PlotPoint::exact(0.0, 0.0), PlotPoint::exact(1.0, 1.0)]),
                Series {
                    name: "fits".into(),
                    role: Role::Series(0),
                    points,
                    joined: false,
                    ..Series::default()
                },
            ],
            ..Plot::default()
        }
        .into()],
        ..FigureView::default()
    });
    Ok(())
}
