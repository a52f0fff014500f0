//! Expected values of the sample-and-measure terms at the true parameters.

use crate::lab;
use crate::sampling::Sample;
use crate::terms::{SAME_BIN, STATISTICS, Term};
use crate::{Claim, Plan};
use anyhow::Result;
use refire_fit::Streams;
use refire_report::{FigureView, Plot, PlotAxis, PlotPoint, Role, Series, TableView};
use refire_testkit::{Covariance, ExactLosses, Signal, Signals, Strengths, TinyNetwork, TinyShape};

/// Recorded trials of each condition, and free-running ones.
const TRIALS: [usize; 3] = [2, 5, 20];

/// The same for two parts, of two trials each at least.
const TRIALS_IN_PARTS: [usize; 3] = [4, 5, 20];

pub fn run(plan: Plan, progress: &(dyn Fn(f64) + Sync)) -> Result<Claim> {
    let mut claim = Claim {
        id: "statistics",
        title: "Loss terms have their exact expectation at the true parameters",
        statement: "The corrected PSTH and noise-covariance terms are unbiased for any number of \
                    trials; the square of the noise covariance has the variance of the estimate as \
                    bias, in parts it has none; with same-bin couplings as without. The published forms have the bias that all spike \
                    paths predict.",
        source: "Corrected forms: our derivation, docs/estimators.md. Published forms: Bellec, Wang \
                 et al. 2021, section 3",
        ..Claim::default()
    };
    let draws = plan.pick(1_000, 4_000, 40_000);
    let strengths = Strengths {
        couplings: 1.5,
        bias: -0.5,
        drive: 1.0,
    };
    let wide = TinyNetwork::draw(
        TinyShape {
            observed: 2,
            units: 3,
            lags: 2,
            bins: 5,
        },
        strengths,
        2,
        plan.seed,
    );
    let small = TinyNetwork::draw(
        TinyShape {
            observed: 2,
            units: 2,
            lags: 1,
            bins: 5,
        },
        strengths,
        2,
        plan.seed,
    );
    let within = wide.clone().with_same_bin(SAME_BIN, plan.seed);
    let (of_wide, of_within, of_small) = (
        ExactLosses::new(&wide, wide.lags)?,
        ExactLosses::new(&within, within.lags)?,
        ExactLosses::new(&small, small.lags)?,
    );
    let mut curves: Vec<Vec<[f64; 4]>> = Vec::new();
    for (at, term) in STATISTICS.iter().enumerate() {
        let (network, exact) = match (term.small, term.same_bin) {
            (true, _) => (&small, &of_small),
            (false, true) => (&within, &of_within),
            (false, false) => (&wide, &of_wide),
        };
        let sizes = if term.parts > 1 {
            TRIALS_IN_PARTS
        } else {
            TRIALS
        };
        let mut curve = Vec::new();
        for trials in sizes {
            let sample = differences(term, network, exact, trials, draws, plan.seed)?;
            let (mean, se) = (sample.mean(), sample.standard_errors());
            claim.chance(
                format!("{}, {trials} trials", term.name),
                format!("mean of value less exact expectation over {draws} recordings, z test"),
                format!("{:.5}", mean[2]),
                format!("{:.5} ± {:.5}", mean[1], se[0]),
                sample_p(&sample),
            );
            curve.push([trials as f64, mean[1], se[1], mean[2]]);
        }
        curves.push(curve);
        progress((at + 1) as f64 / STATISTICS.len() as f64);
    }
    claim.figures.push(figure(&curves));
    claim.tables.push(size_of_bias(&wide, &of_wide));
    Ok(claim)
}

fn sample_p(sample: &Sample) -> f64 {
    // The first number of a replicate is the difference; the others are reported.
    let first: Vec<Vec<f64>> = sample.rows().iter().map(|row| vec![row[0]]).collect();
    Sample::from_rows(first).p_value(&[0.0])
}

/// Per replicate, with a new recording and new free-running trials: value less its exact expectation
/// given the recording, value, expectation.
fn differences(
    term: &Term,
    network: &TinyNetwork,
    exact: &ExactLosses,
    trials: usize,
    draws: usize,
    seed: u64,
) -> Result<Sample> {
    let spec = term.spec(network);
    let logs = term.mean_logs(exact, trials)?;
    Sample::draw(draws, |draw| {
        let recorded = network.simulate(trials, &[], seed, draw)?;
        let (spikes, layout) = (recorded.observed(network.observed), &recorded.layout);
        let alone = term.alone(&spec, &spikes, layout)?;
        let mut engine = lab::engine(network, &spec, alone)?;
        let batch = lab::batch(network, &spikes, layout, trials)?;
        let parameters = lab::parameters(network);
        let losses = engine.evaluate(&parameters, &batch, Streams::new(seed, draw), None)?;
        let expected = term.exact(exact, &logs, &spikes, layout, trials)?;
        Ok(vec![losses.total - expected, losses.total, expected])
    })
}

fn figure(curves: &[Vec<[f64; 4]>]) -> FigureView {
    let panels = STATISTICS.iter().zip(curves).map(|(term, curve)| {
        let measured = curve
            .iter()
            .map(|&[x, y, se, _]| PlotPoint::with_error(x, y, se))
            .collect();
        let exact = curve.iter().map(|&[x, _, _, y]| PlotPoint::exact(x, y));
        Plot {
            title: term.name.into(),
            x: PlotAxis::log("trials per condition"),
            y: PlotAxis::linear("mean value of the term"),
            series: vec![
                Series::line("exact expectation", Role::Reference, exact),
                Series {
                    name: "measured, 95 % interval".into(),
                    role: Role::Series(0),
                    points: measured,
                    joined: false,
                    ..Series::default()
                },
            ],
            ..Plot::default()
        }
    });
    FigureView {
        title: "Value of each term at the true parameters".into(),
        caption: "Mean over new recordings and new free-running trials from the same network. Dots on the \
                  dashed line are what unbiased (corrected) or exactly predicted (published) means. \
                  Corrected terms fall as the noise of the recording does; the published noise \
                  covariance does not: the difference between the covariances of spikes and of \
                  probabilities stays."
            .into(),
        panels: panels.map(Into::into).collect(),
        ..FigureView::default()
    }
}

/// How far what the published form measures is from the covariance of spikes, from enumeration alone.
fn size_of_bias(network: &TinyNetwork, exact: &ExactLosses) -> TableView {
    let (n, lags) = (network.observed, network.lags);
    let conditions = exact.paths().len() as f64;
    let entries = |kind: usize| {
        (0..n * lags * n).filter(move |at| {
            let (j, d, i) = (at / (lags * n), at / n % lags, at % n);
            kind == if d > 0 { 2 } else { usize::from(i != j) }
        })
    };
    let rms = |numbers: Vec<f64>| {
        let count = numbers.len() as f64;
        (numbers.iter().map(|x| x * x).sum::<f64>() / count).sqrt()
    };
    let signals = Signals {
        target: Signal::Spikes,
        source: Signal::Spikes,
    };
    let of_spikes: Vec<Covariance> = exact
        .paths()
        .iter()
        .map(|paths| Covariance::new(paths, n, lags, signals, false))
        .collect();
    let pooled = |covariance: &[Covariance], at: usize| {
        let values = covariance.iter().map(|of| of.value()[at]);
        values.sum::<f64>() / conditions
    };
    let names = [
        "lag 0, diagonal (variances)",
        "lag 0, pairs",
        "lags from 1 on",
    ];
    let rows = names.iter().enumerate().map(|(kind, name)| {
        let of_kind = |covariance: &[Covariance]| -> Vec<f64> {
            entries(kind).map(|at| pooled(covariance, at)).collect()
        };
        let truth = of_kind(&of_spikes);
        let error = |form: &[f64]| {
            let off = truth.iter().zip(form).map(|(a, b)| a - b).collect();
            format!("{:.0} %", 100.0 * rms(off) / rms(truth.clone()))
        };
        let published = of_kind(exact.published_covariance());
        let corrected = error(&of_kind(exact.covariance()));
        vec![
            (*name).to_string(),
            format!("{:.5}", rms(truth.clone())),
            format!("{:.5}", rms(published.clone())),
            error(&published),
            // The term does not use these.
            match kind {
                0 => format!("{corrected}, left out"),
                _ => corrected,
            },
        ]
    });
    TableView {
        title: "What the published covariance measures, with infinitely many trials".into(),
        header: [
            "entries",
            "covariance of spikes (rms)",
            "published, expected (rms)",
            "error of the published form",
            "error of the corrected form",
        ]
        .map(String::from)
        .to_vec(),
        rows: rows.collect(),
        caption: "Exact values for the network of three units (one hidden) and two conditions, in spikes \
                  per bin squared. The corrected diagonal at lag 0 would be p against z, which lacks the \
                  Bernoulli variance, and is left out of the term."
            .into(),
    }
}
