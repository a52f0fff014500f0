//! Interspike intervals: a closed form, and time rescaling.

use crate::check::worst_of;
use crate::sampling::chi_square;
use crate::{Claim, Plan};
use anyhow::{Result, bail};
use refire_core::TrialArray;
use refire_metrics::{Metric, time_rescaling};
use refire_random::{Purpose, Stream};
use refire_testkit::{Strengths, TinyNetwork, TinyShape, chi_square_p, kolmogorov_p};

/// Intervals told apart; longer ones are one cell.
const LONGEST: usize = 40;

pub fn run(plan: Plan, progress: &(dyn Fn(f64) + Sync)) -> Result<Claim> {
    let mut claim = Claim {
        id: "intervals",
        title: "Intervals between spikes have their distribution",
        statement: "One unit with refractory coupling is a renewal process with known intervals; the \
                    intervals of any network are uniform after time rescaling.",
        source: "Renewal theory (our derivation, docs/estimators.md); Haslinger, Pipa & Brown, Neural \
                 Computation 22:2477 (2010)",
        ..Claim::default()
    };
    renewal(&mut claim, plan)?;
    progress(0.5);
    rescaling(&mut claim, plan)?;
    Ok(claim)
}

/// Silent for two bins after a spike, held back in the third, favoured in the fourth. Spikes are then
/// three or more bins apart, so that only the last one is within reach of the four lags when the unit
/// can fire, and the hazard is a function of the time since it alone:
///
/// ```text
/// h(1) = h(2) = 0    h(3) = p(b + w_3)    h(4) = p(b + w_4)    h(k > 4) = p(b)
/// P(interval = k) = h(k) prod_{m < k} (1 - h(m))
/// ```
fn renewal(claim: &mut Claim, plan: Plan) -> Result<()> {
    let (trials, bins, theta) = (plan.pick(20, 100, 1000), 5000, 0.4);
    let (bias, late) = (-2.0, [-1.0, 1.5]); // in units of the potential
    let network = TinyNetwork {
        observed: 1,
        units: 1,
        lags: 4,
        bins,
        theta,
        couplings: [-500.0, -500.0, late[0], late[1]]
            .iter()
            .map(|w| theta * w)
            .collect(),
        same_bin: Vec::new(),
        bias: vec![theta * (1.0 + bias)],
        drive: vec![vec![0.0; bins]],
    };
    let simulated = network.simulate(trials, &[], plan.seed, 0)?;
    let logistic = |v: f64| 1.0 / (1.0 + (-v).exp());
    let hazard = |k: usize| match k {
        1 | 2 => 0.0,
        3 | 4 => logistic(bias + late[k - 3]),
        _ => logistic(bias),
    };
    let mut probabilities = vec![0.0; LONGEST + 1];
    let mut survival = 1.0;
    for (at, probability) in probabilities[..LONGEST].iter_mut().enumerate() {
        *probability = survival * hazard(at + 1);
        survival *= 1.0 - hazard(at + 1);
    }
    probabilities[LONGEST] = survival;
    // Every interval that starts early enough to be told from a cut-off one: no bias by length.
    let mut counts = vec![0u64; LONGEST + 1];
    let mut too_short = 0u64;
    for k in 0..trials {
        let z = simulated.trajectory.spikes.trial(k);
        let fired: Vec<usize> = (0..bins).filter(|&t| z[t] == 1).collect();
        for (at, &t) in fired
            .iter()
            .enumerate()
            .filter(|(_, t)| **t + LONGEST < bins)
        {
            let interval = fired.get(at + 1).map_or(usize::MAX, |next| next - t);
            too_short += u64::from(interval < 3);
            counts[interval.min(LONGEST + 1) - 1] += 1;
        }
    }
    let total: u64 = counts.iter().sum();
    let (statistic, degrees) = chi_square(&counts, &probabilities);
    claim.chance(
        "intervals of a refractory unit",
        format!("chi-square of {total} intervals against the closed form"),
        degrees.to_string(),
        format!("{statistic:.1}"),
        chi_square_p(statistic, degrees),
    );
    claim.range(
        "no interval within the refractory bins",
        "intervals of 1 or 2 bins",
        "0",
        too_short.to_string(),
        too_short == 0,
        0.0,
    );
    Ok(())
}

fn rescaling(claim: &mut Claim, plan: Plan) -> Result<()> {
    let (trials, bins) = (plan.pick(40, 200, 1000), 200);
    let network = TinyNetwork::draw(
        TinyShape {
            observed: 6,
            units: 6,
            lags: 3,
            bins,
        },
        Strengths {
            couplings: 0.7,
            bias: -2.0,
            drive: 1.0,
        },
        2,
        plan.seed,
    );
    let simulated = network.simulate(trials, &[], plan.seed, 0)?;
    let p = &simulated.trajectory.probability;
    let single: Vec<f32> = p.to_vec().into_iter().map(|p| p as f32).collect();
    let single = TrialArray::from_vec(single, p.trials(), p.bins(), p.units()).unwrap_or_default();
    let stream = Stream::new(plan.seed, Purpose::Statistics);
    let mut next = 0;
    let spikes = &simulated.trajectory.spikes;
    let of_units = time_rescaling(&single, spikes, &simulated.layout, || {
        next += 1;
        stream.uniform(0, 0, next)
    });
    let (mut p_values, mut worst, mut intervals) = (Vec::new(), 0.0f64, 0);
    for unit in of_units {
        let Metric::Value(distance) = unit.ks else {
            bail!(
                "time-rescaled intervals: expected a value, found {:?}",
                unit.ks
            );
        };
        worst = worst.max(distance);
        intervals += unit.intervals;
        p_values.push(kolmogorov_p(distance, unit.intervals));
    }
    claim.chance(
        "rescaled intervals of a driven network",
        format!(
            "Kolmogorov-Smirnov test of each of 6 units, {intervals} intervals, the worst of them"
        ),
        "uniform",
        format!("largest distance {worst:.4}"),
        worst_of(p_values),
    );
    Ok(())
}
