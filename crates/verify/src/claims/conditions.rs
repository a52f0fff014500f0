//! Data statistics: unbiased, and indifferent to how trials of one drive are labelled.

use crate::sampling::Sample;
use crate::{Claim, Plan};
use anyhow::Result;
use refire_core::TrialLayout;
use refire_loss::DataStatistics;
use refire_testkit::{Covariance, Paths, Signal, Signals, Strengths, TinyNetwork, TinyShape};

pub fn run(plan: Plan, progress: &(dyn Fn(f64) + Sync)) -> Result<Claim> {
    let mut claim = Claim {
        id: "conditions",
        title: "Data statistics are unbiased, however equal conditions are labelled",
        statement: "The noise covariance of recorded spikes has the exact covariance as expectation for \
                    any number of trials; merging two conditions of \
                    the same drive leaves it unchanged in expectation.",
        source: "Our derivation, docs/estimators.md (noise covariance, trials and expectation)",
        ..Claim::default()
    };
    let draws = plan.pick(2_000, 10_000, 100_000);
    let lags = 3;
    let different = TinyNetwork::draw(
        TinyShape {
            observed: 2,
            units: 2,
            lags: 2,
            bins: 5,
        },
        Strengths {
            couplings: 1.5,
            bias: -0.5,
            drive: 1.0,
        },
        2,
        plan.seed,
    );
    let mut same = different.clone();
    same.drive[1] = same.drive[0].clone();
    for (turn, trials) in [2, 5, 20].into_iter().enumerate() {
        let exact = expected(&different, lags)?;
        let sample = covariances(&different, lags, trials, draws, plan.seed, &|layout| {
            Ok(layout.clone())
        })?;
        push(&mut claim, "two conditions", trials, draws, &sample, &exact);
        let exact = expected(&same, lags)?;
        for (name, merged) in [("two conditions of one drive", false), ("merged", true)] {
            let relabel = |layout: &TrialLayout| relabelled(layout, merged);
            let sample = covariances(&same, lags, trials, draws, plan.seed, &relabel)?;
            push(&mut claim, name, trials, draws, &sample, &exact);
        }
        progress((turn + 1) as f64 / 3.0);
    }
    Ok(claim)
}

fn push(
    claim: &mut Claim,
    name: &str,
    trials: usize,
    draws: usize,
    sample: &Sample,
    exact: &[f64],
) {
    claim.chance(
        format!("covariance of the recording, {name}, {trials} trials each"),
        format!(
            "scores of {} covariances, mean over {draws} recordings, the worst of them",
            exact.len()
        ),
        "standard normal",
        format!("farthest z = {:.2}", sample.worst_score(exact)),
        sample.p_value(exact),
    );
}

/// Exact covariance of spikes, pooled over conditions.
fn expected(network: &TinyNetwork, lags: usize) -> Result<Vec<f64>> {
    let conditions = network.drive.len();
    let mut pooled = vec![0.0; network.observed * lags * network.observed];
    for condition in 0..conditions {
        let paths = Paths::free(network, condition, &[])?;
        let signals = Signals {
            target: Signal::Spikes,
            source: Signal::Spikes,
        };
        let exact = Covariance::new(&paths, network.observed, lags, signals, false);
        for (pooled, value) in pooled.iter_mut().zip(exact.value()) {
            *pooled += value / conditions as f64;
        }
    }
    Ok(pooled)
}

fn relabelled(layout: &TrialLayout, merged: bool) -> Result<TrialLayout> {
    let condition = (0..layout.trials())
        .map(|k| if merged { 0 } else { layout.condition(k) })
        .collect();
    let bins = (0..layout.trials()).map(|k| layout.bins(k)).collect();
    Ok(TrialLayout::new(condition, bins, layout.first_bin())?)
}

fn covariances(
    network: &TinyNetwork,
    lags: usize,
    trials: usize,
    draws: usize,
    seed: u64,
    relabel: &(dyn Fn(&TrialLayout) -> Result<TrialLayout> + Sync),
) -> Result<Sample> {
    Sample::draw(draws, |draw| {
        let recorded = network.simulate(trials, &[], seed, draw)?;
        let layout = relabel(&recorded.layout)?;
        let spikes = recorded.observed(network.observed);
        let statistics = DataStatistics::new(&spikes, &layout, lags);
        let conditions: Vec<usize> = layout.groups().iter().map(|g| g.condition).collect();
        Ok(statistics.noise_covariance(&conditions))
    })
}
