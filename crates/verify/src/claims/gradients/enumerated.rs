//! Bias and noise of the estimators over coupling strength and rate, nothing sampled.

use super::estimators::ESTIMATORS;
use super::on_paths::{Figures, Found, Part, figures_of, two_units};
use crate::{Claim, Plan};
use anyhow::Result;
use rayon::prelude::*;
use refire_neuron::SpikeGradient;
use refire_report::TableView;
use refire_testkit::normal_p;

/// Coupling strengths of figures and tables: standard deviation, in units of the potential.
const STRENGTHS: [f64; 6] = [0.1, 0.3, 0.6, 1.0, 2.0, 3.0];

/// Strengths between which the order of the bias is measured: so weak that higher orders are gone.
const WEAK: [f64; 2] = [0.02, 0.05];

/// Biases in units of the potential, and the probability of a spike without input.
const BIASES: [(f64, &str); 3] = [(-1.0, "0.27"), (-2.0, "0.12"), (-3.5, "0.03")];

/// Deviation from the order that is allowed.
const ORDER_TOLERANCE: f64 = 0.25;

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 {
        numbers[middle]
    } else {
        0.5 * (numbers[middle - 1] + numbers[middle])
    }
}

/// One part of the gradient at one rate: [`Figures`] `[strength][network]`; a network has the same couplings
/// at every strength but for their scale.
struct Case {
    part: Part,
    title: &'static str,
    rate: &'static str,
    /// Whether units act on those behind them in the same bin, as strongly as at the lag.
    same_bin: bool,
    /// At [`STRENGTHS`].
    found: Vec<Vec<Figures>>,
    /// At [`WEAK`] couplings.
    weak: Vec<Vec<Figures>>,
}

impl Case {
    fn measure(
        (part, title): (Part, &'static str),
        (bias, rate): (f64, &'static str),
        same_bin: bool,
        networks: usize,
        seed: u64,
    ) -> Result<Self> {
        let of_strength = |strength: &f64| {
            let draws = (0..networks as u64).into_par_iter();
            let of_network = draws.map(|draw| {
                let seed = seed * 1000 + draw;
                let network = two_units(*strength, bias, seed);
                let network = match same_bin {
                    true => network.with_same_bin(2.0 * strength, seed),
                    false => network,
                };
                figures_of(&network, part)
            });
            of_network.collect::<Result<_>>()
        };
        Ok(Self {
            part,
            title,
            rate,
            same_bin,
            found: STRENGTHS
                .iter()
                .map(of_strength)
                .collect::<Result<_, _>>()?,
            weak: WEAK.iter().map(of_strength).collect::<Result<_, _>>()?,
        })
    }

    /// Strength, relative bias and relative noise of an estimator, medians over networks.
    fn curve(&self, estimator: usize) -> Vec<(f64, f64, f64)> {
        let points = STRENGTHS.iter().zip(&self.found).map(|(&strength, found)| {
            let of = |f: fn(&Found) -> f64| {
                median(found.iter().map(|figures| f(&figures[estimator])).collect())
            };
            (strength, of(|f| f.relative_bias), of(|f| f.relative_sd))
        });
        points.collect()
    }

    /// Log-log slope of the relative bias between the weak couplings: median over networks and a robust
    /// standard error. (In a few networks the leading order happens to cancel.)
    fn order(&self, estimator: usize) -> (f64, f64) {
        let bias = |figures: &Figures| figures[estimator].relative_bias;
        let steps = self.weak[0]
            .iter()
            .zip(&self.weak[1])
            .map(|(weaker, stronger)| (bias(stronger) / bias(weaker)).ln());
        let slopes: Vec<f64> = steps.map(|step| step / (WEAK[1] / WEAK[0]).ln()).collect();
        let centre = median(slopes.clone());
        let spread = median(slopes.iter().map(|slope| (slope - centre).abs()).collect());
        // Of normal numbers the sd is 1.48 times this, and their median scatters by a quarter more than
        // their mean.
        (centre, 1.25 * 1.48 * spread / (slopes.len() as f64).sqrt())
    }
}

pub fn run(claim: &mut Claim, plan: Plan, progress: &(dyn Fn(f64) + Sync)) -> Result<()> {
    let networks = plan.pick(10, 10, 30);
    let parts = [
        (Part::Whole, "whole gradient"),
        (
            Part::ThroughSpikes,
            "parameters that act only through spikes",
        ),
    ];
    let kinds = parts
        .iter()
        .flat_map(|part| BIASES.map(|bias| (*part, bias)));
    let kinds = kinds.flat_map(|(part, bias)| [false, true].map(|within| (part, bias, within)));
    let kinds: Vec<_> = kinds.collect();
    let mut cases = Vec::new();
    for &(part, bias, same_bin) in &kinds {
        cases.push(Case::measure(part, bias, same_bin, networks, plan.seed)?);
        progress(cases.len() as f64 / kinds.len() as f64);
    }
    judge_score(claim, &cases);
    // The orders are those in couplings at lags; what same-bin couplings do to the bias is in the table.
    let through_spikes = |case: &&Case| case.part == Part::ThroughSpikes && !case.same_bin;
    judge_orders(
        claim,
        &cases.iter().filter(through_spikes).collect::<Vec<_>>(),
    );
    claim.tables.push(table(&cases, networks));
    Ok(())
}

fn judge_score(claim: &mut Claim, cases: &[Case]) {
    let score = ESTIMATORS.len() - 1;
    let figures = cases.iter().flat_map(|case| case.found.iter().flatten());
    let worst = figures.fold(0.0f64, |worst, figures| worst.max(figures[score].bias));
    claim.range(
        "score function, every path of every network",
        "largest error of the exact mean gradient, nothing sampled; gradients are of order 1",
        "below 1e-9 (error of the differences)",
        format!("{worst:.1e}"),
        worst < 1e-9,
        0.0,
    );
}

fn judge_orders(claim: &mut Claim, cases: &[&Case]) {
    for (at, (name, estimator)) in ESTIMATORS.iter().enumerate() {
        let expected = match estimator {
            SpikeGradient::Escape => 1.0,
            SpikeGradient::ReinMax => 2.0,
            _ => continue,
        };
        let orders: Vec<(f64, f64)> = cases.iter().map(|case| case.order(at)).collect();
        let found: Vec<String> = orders
            .iter()
            .map(|(order, _)| format!("{order:.2}"))
            .collect();
        let holds = orders
            .iter()
            .all(|(order, _)| (order - expected).abs() < ORDER_TOLERANCE);
        let false_alarms = orders.iter().map(|(_, se)| normal_p(ORDER_TOLERANCE / se));
        claim.range(
            format!("{name}: order of the bias in the couplings"),
            "log-log slope of the relative bias at weak couplings, median of the networks at each rate, \
             parameters that act only through spikes; nothing sampled but the networks",
            format!("{expected} (within {ORDER_TOLERANCE})"),
            found.join(", "),
            holds, false_alarms.sum(),
        );
    }
}

fn table(cases: &[Case], networks: usize) -> TableView {
    let mut rows = Vec::new();
    for case in cases {
        for strength in [1.0, 3.0] {
            let within = if case.same_bin {
                ", same-bin couplings"
            } else {
                ""
            };
            let name = format!(
                "{}, rate {}, couplings {strength}{within}",
                case.title, case.rate
            );
            let cells = (0..ESTIMATORS.len()).map(|estimator| {
                let curve = case.curve(estimator);
                let of_strength = curve.iter().find(|point| point.0 == strength);
                let (_, bias, sd) = of_strength.copied().unwrap_or_default();
                cell(bias, sd)
            });
            rows.push(std::iter::once(name).chain(cells).collect());
        }
    }
    TableView {
        title: "Bias (and noise of one trial) relative to the exact gradient".into(),
        header: std::iter::once("gradient of two units, five bins")
            .chain(ESTIMATORS.iter().map(|e| e.0))
            .map(String::from)
            .collect(),
        rows,
        caption: format!(
            "Medians of {networks} networks. Rate: spikes per bin without input; couplings: standard \
             deviation in units of the potential."
        ),
    }
}

fn cell(bias: f64, sd: f64) -> String {
    if bias < 1e-6 {
        format!("0 ({sd:.1})")
    } else {
        format!("{bias:.3} ({sd:.1})")
    }
}
