//! Fits of networks that the model cannot express: what becomes of the statistics.

use crate::check::worst_of;
use crate::page::p_value;
use crate::sampling::Sample;
use crate::{Claim, Plan, lab};
use anyhow::Result;
use rayon::prelude::*;
use refire_core::{TrialArray, TrialLayout};
use refire_fit::{ObjectiveKind, Specification};
use refire_neuron::{EscapeNoise, Logistic};
use refire_random::{Purpose, Stream};
use refire_report::{FigureView, Plot, PlotAxis, PlotPoint, Role, Series, TableView};
use refire_testkit::{Strengths, TinyNetwork, TinyShape, normal_p};

/// Bins of a trial.
const BINS: usize = 100;

/// Lags of couplings and covariances, lag 0 included.
const LAGS: usize = 3;

const UNITS: usize = 4;

/// Free-running trials of a fit.
const RUNS: usize = 4000;

/// A logistic that saturates far below 1: refractory units. Only its probability is used.
#[derive(Clone, Copy)]
struct Capped(f64);

impl EscapeNoise<f64> for Capped {
    fn probability(&self, potential: f64) -> f64 {
        self.0 / (1.0 + (-potential).exp())
    }

    fn slope(&self, _potential: f64, probability: f64) -> f64 {
        probability * (1.0 - probability / self.0)
    }

    fn surprise(&self, potential: f64, spiked: bool) -> f64 {
        let p = self.probability(potential);
        -(if spiked { p } else { 1.0 - p }).ln()
    }

    fn surprise_slope(&self, potential: f64, probability: f64, spiked: bool) -> f64 {
        let slope = self.slope(potential, probability);
        if spiked {
            -slope / probability
        } else {
            slope / (1.0 - probability)
        }
    }

    fn potential(&self, probability: f64) -> f64 {
        (probability / (self.0 - probability)).ln()
    }
}

/// Statistics with their standard errors over trials: rate per unit, covariance per pair and lag.
struct Statistics {
    value: Vec<f64>,
    se: Vec<f64>,
}

/// The objectives compared: name, weights of PSTH and noise covariance.
const OBJECTIVES: [(&str, ObjectiveKind, f64, f64); 2] = [
    ("MLE", ObjectiveKind::Mle, 0.0, 0.0),
    (
        "MLE + sample-and-measure",
        ObjectiveKind::MleAndSampleAndMeasure,
        30.0,
        300.0,
    ),
];

/// Probability that a fit whose statistics are those of the data is found off by chance.
const BY_CHANCE: f64 = 1e-3;

pub fn run(plan: Plan, progress: &(dyn Fn(f64) + Sync)) -> Result<Claim> {
    let mut claim = Claim {
        id: "misspecified",
        title: "Where the model is wrong, the chosen statistics are still those of the data",
        statement: "Data from a network with another escape noise, or with a common drive that the fit \
                    does not know: rates and noise covariances of the free-running MLE + \
                    sample-and-measure network match those of the data within sampling error, those of \
                    the MLE network do not.",
        source: "Bellec, Wang et al. 2021 (claims 1, 2 and 4 of the method)",
        ..Claim::default()
    };
    let trials = plan.pick(200, 400, 1000);
    let cases = [
        ("saturating escape noise", wrong_escape(trials, plan.seed)?),
        ("unknown common drive", missing_drive(trials, plan.seed)?),
    ];
    let mut rows = Vec::new();
    let mut panels = Vec::new();
    for (at, (case, spikes)) in cases.iter().enumerate() {
        let layout = TrialLayout::uniform(trials, BINS, 0)?;
        let data = statistics(spikes, &layout);
        let mut series = vec![Series::line("equal", Role::Reference, ends(&data.value))];
        for (turn, &(name, objective, psth, nc)) in OBJECTIVES.iter().enumerate() {
            let mut spec = lab::fit_spec(objective, LAGS, trials, BINS);
            spec.seed = plan.seed;
            if let Some(weights) = spec.objective.corrected_mut() {
                (weights.psth, weights.noise.weight) = (psth, Some(nc));
            }
            let fitted = fit(spikes, &spec)?;
            let runs = fitted.simulate(RUNS, &[], plan.seed, 1)?;
            let model = statistics(&runs.trajectory.spikes, &runs.layout);
            let scores = data.scores(&model);
            judge(&mut claim, case, name, objective, &scores);
            rows.push(row(case, name, &scores, &data, &model));
            series.push(Series {
                name: name.into(),
                role: Role::Series(turn),
                points: covariances(&data, &model),
                joined: false,
                ..Series::default()
            });
            progress((at * OBJECTIVES.len() + turn + 1) as f64 / 4.0);
        }
        panels.push(Plot {
            title: (*case).into(),
            x: PlotAxis::linear("covariance of the data"),
            y: PlotAxis::linear("covariance of the fitted network"),
            series,
            ..Plot::default()
        });
    }
    claim.tables.push(TableView {
        title: "Distance of the free-running fit from the data".into(),
        header: [
            "data and fit",
            "rates, rms z",
            "lag 0, rms z",
            "lags 1 and 2, rms z",
            "mean rate, fit / data",
        ]
        .map(String::from)
        .to_vec(),
        rows,
        caption: format!(
            "z: difference in units of its standard error over trials. {trials} trials of {BINS} bins, \
             {UNITS} units; {RUNS} free-running trials of each fit. Weights of the statistics: PSTH 30, \
             noise covariance 300 (a hundred times the default, so that they decide where they and the \
             likelihood disagree)."
        ),
    });
    claim.figures.push(FigureView {
        title: "Noise covariances of fit and data, lags 0 to 2".into(),
        caption: "Each dot is a pair of units at a lag, with the 95 % interval of the fit's free runs and \
                  the data together. On the dashed line the fitted network, left to run, fluctuates as \
                  the data do."
            .into(),
        panels: panels.into_iter().map(Into::into).collect(),
        ..FigureView::default()
    });
    Ok(claim)
}

/// A line of equality over the covariances.
fn ends(value: &[f64]) -> Vec<PlotPoint> {
    let of_pairs = value[UNITS..].iter().copied();
    let (low, high) = of_pairs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
        (low.min(x), high.max(x))
    });
    vec![PlotPoint::exact(low, low), PlotPoint::exact(high, high)]
}

fn covariances(data: &Statistics, model: &Statistics) -> Vec<PlotPoint> {
    let pairs = data
        .value
        .iter()
        .zip(&data.se)
        .zip(model.value.iter().zip(&model.se));
    pairs
        .skip(UNITS)
        .map(|((&x, se), (&y, of_model))| PlotPoint::with_error(x, y, se.hypot(*of_model)))
        .collect()
}

/// A fit matches where no statistic is farther off than chance allows for the worst of them all.
fn judge(claim: &mut Claim, case: &str, name: &str, objective: ObjectiveKind, scores: &[f64]) {
    let worst = scores.iter().fold(0.0f64, |m, z| m.max(z.abs()));
    let p = worst_of(scores.iter().map(|&z| normal_p(z)));
    let statistic = format!(
        "scores of {} rates and covariances against the data, the worst of them",
        scores.len()
    );
    let measured = format!("farthest |z| = {worst:.2}; {}", p_value(p));
    if objective == ObjectiveKind::Mle {
        // Power, not chance: how far the worst score is beyond the bound.
        let bound = worst - bound_of(scores.len());
        claim.range(
            format!("{case}: {name} does not match"),
            statistic,
            format!("p below {BY_CHANCE}"),
            measured,
            p < BY_CHANCE,
            0.5 * normal_p(bound.max(0.0)),
        );
    } else {
        claim.range(
            format!("{case}: {name} matches"),
            statistic,
            format!("p above {BY_CHANCE}"),
            measured,
            p > BY_CHANCE,
            BY_CHANCE,
        );
    }
}

/// The score beyond which the worst of `count` has a p-value below [`BY_CHANCE`].
fn bound_of(count: usize) -> f64 {
    let (mut low, mut high) = (0.0, 10.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if count as f64 * normal_p(middle) > BY_CHANCE {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

fn row(
    case: &str,
    name: &str,
    scores: &[f64],
    data: &Statistics,
    model: &Statistics,
) -> Vec<String> {
    let rms = |scores: &[f64]| {
        let squares = scores.iter().map(|z| z * z).sum::<f64>();
        format!("{:.2}", (squares / scores.len() as f64).sqrt())
    };
    let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len() as f64;
    let lag_0 = UNITS + UNITS * (UNITS - 1) / 2;
    vec![
        format!("{case}, {name}"),
        rms(&scores[..UNITS]),
        rms(&scores[UNITS..lag_0]),
        rms(&scores[lag_0..]),
        format!(
            "{:.3} / {:.3}",
            mean(&model.value[..UNITS]),
            mean(&data.value[..UNITS])
        ),
    ]
}

/// Size of the networks that recordings come from.
const SHAPE: TinyShape = TinyShape {
    observed: UNITS,
    units: UNITS,
    lags: 2,
    bins: BINS,
};

/// Mutual excitation held in check by an escape noise that saturates at 0.2: a logistic fit has no such
/// ceiling.
fn wrong_escape(trials: usize, seed: u64) -> Result<TrialArray<u8>> {
    let mut network = TinyNetwork::draw(
        SHAPE,
        Strengths {
            couplings: 0.3,
            bias: -3.0,
            drive: 0.0,
        },
        1,
        seed,
    );
    let excitation = 4.0 * network.theta;
    network.couplings.iter_mut().for_each(|w| *w += excitation);
    let simulated = network.simulate_with(Capped(0.2), trials, &[], seed, 0)?;
    Ok(simulated.observed(UNITS))
}

/// A drive that differs from trial to trial and is the same for all units: slow, unknown to the fit.
fn missing_drive(trials: usize, seed: u64) -> Result<TrialArray<u8>> {
    let mut network = TinyNetwork::draw(
        SHAPE,
        Strengths {
            couplings: 0.5,
            bias: -2.0,
            drive: 0.0,
        },
        1,
        seed,
    );
    let stream = Stream::new(seed, Purpose::Synthetic);
    network.drive = (0..trials as u32)
        .map(|k| {
            let mut level = 0.0;
            let mut drive = Vec::with_capacity(BINS * UNITS);
            for t in 0..BINS as u32 {
                // Sum of uniforms: near enough to normal.
                let kick: f64 = (0..4).map(|i| stream.uniform(9 + i, k, t) - 0.5).sum();
                level = 0.9 * level + 0.6 * kick;
                drive.extend([network.theta * level; UNITS]);
            }
            drive
        })
        .collect();
    let simulated = network.simulate_with(Logistic, 1, &[], seed, 0)?;
    Ok(simulated.observed(UNITS))
}

/// The fitted network, ready to be left to run.
fn fit(spikes: &TrialArray<u8>, spec: &Specification) -> Result<TinyNetwork> {
    let blank = TinyNetwork {
        observed: UNITS,
        units: UNITS,
        lags: LAGS,
        bins: BINS,
        theta: spec.network.dynamics.theta(),
        couplings: vec![0.0; UNITS * LAGS * UNITS],
        same_bin: Vec::new(),
        bias: vec![0.0; UNITS],
        drive: vec![vec![0.0; BINS * UNITS]],
    };
    Ok(blank.with_parameters(&lab::fit(spikes.clone(), spec)?)?)
}

impl Statistics {
    /// Differences of a model from the data, in units of their standard errors.
    fn scores(&self, model: &Self) -> Vec<f64> {
        let data = self.value.iter().zip(&self.se);
        let pairs = data.zip(model.value.iter().zip(&model.se));
        pairs
            .map(|((data, se), (model, of_model))| (model - data) / se.hypot(*of_model))
            .collect()
    }
}

/// Rates, then covariances by lag: pairs once at lag 0, all ordered pairs and the units themselves at
/// the lags after it.
fn statistics(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Statistics {
    let trials = layout.trials();
    let mut mean = vec![0.0; BINS * UNITS];
    for k in 0..trials {
        for (mean, &z) in mean.iter_mut().zip(spikes.trial(k)) {
            *mean += f64::from(z) / trials as f64;
        }
    }
    let lagged =
        (1..LAGS).flat_map(|d| (0..UNITS * UNITS).map(move |at| (d, at / UNITS, at % UNITS)));
    let at_once = (0..UNITS).flat_map(|j| (0..j).map(move |i| (0, j, i)));
    let entries: Vec<(usize, usize, usize)> = at_once.chain(lagged).collect();
    let unbiased = trials as f64 / (trials as f64 - 1.0);
    let of_trial = |k: usize| -> Vec<f64> {
        let z = spikes.trial(k);
        let rates = (0..UNITS).map(|i| {
            let fired = z.iter().skip(i).step_by(UNITS);
            fired.map(|&z| f64::from(z)).sum::<f64>() / BINS as f64
        });
        let off = |at: usize| f64::from(z[at]) - mean[at];
        let covariances = entries.iter().map(|&(d, j, i)| {
            let products = (d..BINS).map(|t| off(t * UNITS + i) * off((t - d) * UNITS + j));
            products.sum::<f64>() * unbiased / (BINS - d) as f64
        });
        rates.chain(covariances).collect()
    };
    let sample = Sample::from_rows((0..trials).into_par_iter().map(of_trial).collect());
    Statistics {
        value: sample.mean(),
        se: sample.standard_errors(),
    }
}
