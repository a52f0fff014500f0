//! The estimators inside the engine that fits, on every term of the objective, by sampling.

use super::estimators::ESTIMATORS;
use crate::sampling::Sample;
use crate::terms::{LIKELIHOODS, STATISTICS, Term};
use crate::{Claim, Plan, Size, lab};
use anyhow::Result;
use refire_fit::{Steps, Streams};
use refire_neuron::SpikeGradient;
use refire_report::TableView;
use refire_testkit::{
    ExactLosses, Strengths, TinyNetwork, TinyShape, gradient_of, hidden_likelihood,
};

/// Free-running trials of a batch.
const FREE: usize = 8;

/// Recorded trials.
const RECORDED: usize = 10;

/// The network whose gradient is taken, and the one that the recording comes from: another one, so that
/// no gradient vanishes.
fn networks(term: &Term, seed: u64) -> (TinyNetwork, TinyNetwork) {
    let shape = if term.small {
        TinyShape {
            observed: 2,
            units: 2,
            lags: 1,
            bins: 5,
        }
    } else {
        TinyShape {
            observed: 2,
            units: 3,
            lags: 2,
            bins: 4,
        }
    };
    let draw = |seed| {
        let network = TinyNetwork::draw(
            shape,
            Strengths {
                couplings: 1.0,
                bias: -0.7,
                drive: 0.5,
            },
            1,
            seed,
        );
        term.wire(network, seed)
    };
    (draw(seed), draw(seed + 500))
}

pub fn run(claim: &mut Claim, plan: Plan, progress: &(dyn Fn(f64) + Sync)) -> Result<()> {
    let draws = plan.pick(1_000, 4_000, 40_000);
    // The others are not judged: numbers for the table of a longer run.
    let estimators: Vec<_> = ESTIMATORS
        .into_iter()
        .filter(|e| plan.size != Size::Fast || e.1 == SpikeGradient::Score)
        .collect();
    let mut rows = Vec::new();
    let terms = || LIKELIHOODS.iter().chain(&STATISTICS);
    for (turn, term) in terms().enumerate() {
        let (network, source) = networks(term, plan.seed);
        let exact = exact_gradient(term, &network, &source, plan.seed)?;
        let size = exact.iter().map(|g| g * g).sum::<f64>().sqrt();
        let mut row = vec![term.name.to_string()];
        for &(name, estimator) in &estimators {
            let sample = gradients(term, &network, &source, estimator, draws, plan.seed)?;
            if estimator == SpikeGradient::Score {
                claim.chance(
                    format!("{name}: {}", term.name),
                    format!(
                        "scores of {} parameters, mean over {draws} batches of {FREE} trials, the \
                         worst of them",
                        exact.len()
                    ),
                    "standard normal",
                    format!("farthest z = {:.2}", sample.worst_score(&exact)),
                    sample.p_value(&exact),
                );
            }
            let spread: f64 = sample.variance().iter().sum();
            let off = sample.mean().into_iter().zip(&exact);
            let off: f64 = off.map(|(a, b)| (a - b).powi(2)).sum();
            // The noise of the mean adds its variance to the square of the bias.
            let noise = spread / draws as f64;
            let bias = (off - noise).max(0.0).sqrt();
            let cell = if bias < 2.0 * noise.sqrt() {
                format!(
                    "< {:.3} ({:.1})",
                    2.0 * noise.sqrt() / size,
                    spread.sqrt() / size
                )
            } else {
                format!("{:.3} ({:.1})", bias / size, spread.sqrt() / size)
            };
            row.push(cell);
        }
        rows.push(row);
        progress((turn + 1) as f64 / terms().count() as f64);
    }
    claim.tables.push(TableView {
        title: "Bias (and noise of one batch) of each term's gradient".into(),
        header: std::iter::once("term")
            .chain(estimators.iter().map(|e| e.0))
            .map(String::from)
            .collect(),
        rows,
        caption: format!(
            "Relative to the norm of the exact gradient, over {draws} batches of {FREE} free-running \
             trials in the engine that fits, couplings of sd 1 in units of the potential, about 0.33 \
             spikes per bin. \"<\": not told from zero, with twice the noise of the mean as bound."
        ),
    });
    Ok(())
}

fn gradients(
    term: &Term,
    network: &TinyNetwork,
    source: &TinyNetwork,
    estimator: SpikeGradient,
    draws: usize,
    seed: u64,
) -> Result<Sample> {
    let recorded = source.simulate(RECORDED, &[], seed, 0)?;
    let (spikes, layout) = (recorded.observed(network.observed), recorded.layout);
    let spec = term.spec(network).with_adam(Steps {
        // The whole escape derivative, in the same arithmetic as a damped one.
        spike_gradient: match estimator {
            SpikeGradient::Escape => SpikeGradient::Damped(1.0),
            other => other,
        },
        ..Steps::default()
    });
    let batch = lab::batch(network, &spikes, &layout, FREE)?;
    let parameters = lab::parameters(network);
    Sample::draw(draws, |draw| {
        let alone = term.alone(&spec, &spikes, &layout)?;
        let mut engine = lab::engine(network, &spec, alone)?;
        let mut gradient = parameters.clone();
        let streams = Streams::new(seed, draw);
        engine.evaluate(&parameters, &batch, streams, Some(&mut gradient))?;
        Ok(lab::flat(network, &gradient))
    })
}

fn exact_gradient(
    term: &Term,
    network: &TinyNetwork,
    source: &TinyNetwork,
    seed: u64,
) -> Result<Vec<f64>> {
    let recorded = source.simulate(RECORDED, &[], seed, 0)?;
    let (spikes, layout) = (recorded.observed(network.observed), recorded.layout);
    gradient_of(&network.parameters(), |parameters| {
        let network = network.with_parameters(parameters)?;
        if term.is_likelihood() {
            return Ok(hidden_likelihood(&network, &spikes, &layout)?.0);
        }
        let losses = ExactLosses::new(&network, network.lags)?;
        let logs = term.mean_logs(&losses, FREE)?;
        term.exact(&losses, &logs, &spikes, &layout, FREE)
    })
}
