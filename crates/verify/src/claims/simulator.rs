//! Simulated activity against all spike paths.

use crate::check::worst_of;
use crate::sampling::chi_square;
use crate::{Claim, Plan};
use anyhow::Result;
use refire_core::TrialArray;
use refire_neuron::Logistic;
use refire_random::{KeyedUniforms, Purpose, Stream};
use refire_sim::{Mode, Pass, Trajectory, run as run_pass};
use refire_testkit::{
    Covariance, Paths, Signal, Signals, Strengths, TinyNetwork, TinyShape, binomial_p,
    chi_square_p, data_covariance, normal_p,
};

/// A network to simulate, with its history.
struct Case {
    name: &'static str,
    network: TinyNetwork,
    history: Vec<u8>,
}

fn cases(seed: u64) -> Vec<Case> {
    let draw = |shape, strengths| TinyNetwork::draw(shape, strengths, 1, seed);
    let hidden = draw(
        TinyShape {
            observed: 2,
            units: 3,
            lags: 2,
            bins: 4,
        },
        Strengths {
            couplings: 1.5,
            bias: -0.5,
            drive: 1.0,
        },
    );
    vec![
        Case {
            name: "2 units, 3 lags, strong couplings",
            network: draw(
                TinyShape {
                    observed: 2,
                    units: 2,
                    lags: 3,
                    bins: 6,
                },
                Strengths {
                    couplings: 2.0,
                    bias: -0.7,
                    drive: 1.0,
                },
            ),
            history: Vec::new(),
        },
        Case {
            name: "2 observed and 1 hidden unit, 2 lags",
            network: hidden.clone(),
            history: Vec::new(),
        },
        Case {
            name: "2 observed and 1 hidden unit after 2 recorded bins",
            network: draw(
                TinyShape {
                    observed: 2,
                    units: 3,
                    lags: 3,
                    bins: 6,
                },
                Strengths {
                    couplings: 2.0,
                    bias: -0.5,
                    drive: 1.0,
                },
            ),
            history: vec![1, 0, 1, 1],
        },
        Case {
            name: "2 observed and 1 hidden unit with same-bin couplings",
            network: hidden.with_same_bin(3.0, seed),
            history: Vec::new(),
        },
    ]
}

/// The path as a number, in the order of [`Paths::iter`].
fn path_number(bits: impl Iterator<Item = u8>) -> usize {
    bits.enumerate().map(|(at, z)| usize::from(z) << at).sum()
}

pub fn run(plan: Plan, progress: &(dyn Fn(f64) + Sync)) -> Result<Claim> {
    let mut claim = Claim {
        id: "simulator",
        title: "The simulator draws every spike path with its probability",
        statement: "Free-running and teacher-forced trials, with and without hidden units, recorded history and \
                    same-bin couplings, have the distribution that the model defines.",
        source: "Model equations (Bellec, Wang et al. 2021, section 2), all paths enumerated",
        ..Claim::default()
    };
    let trials = plan.pick(20_000, 100_000, 1_000_000);
    for (at, case) in cases(plan.seed).iter().enumerate() {
        free_running(&mut claim, case, trials, plan.seed)?;
        progress((at + 1) as f64 / 6.0);
    }
    for same_bin in [false, true] {
        teacher_forced(&mut claim, same_bin, trials, plan.seed)?;
    }
    Ok(claim)
}

/// How often each path was drawn, against its probability.
fn judge_paths(claim: &mut Claim, name: String, counts: &[u64], paths: &Paths) {
    let probabilities: Vec<f64> = paths.iter().map(|path| path.probability).collect();
    let (statistic, degrees) = chi_square(counts, &probabilities);
    let trials: u64 = counts.iter().sum();
    claim.chance(
        name,
        format!("chi-square of {trials} trials over {} paths", paths.len()),
        degrees.to_string(),
        format!("{statistic:.0}"),
        chi_square_p(statistic, degrees),
    );
}

fn free_running(
    claim: &mut Claim,
    Case {
        name,
        network,
        history,
    }: &Case,
    trials: usize,
    seed: u64,
) -> Result<()> {
    let paths = Paths::free(network, 0, history)?;
    let first = network.bins - paths.bins();
    let simulated = network.simulate(trials, history, seed, 0)?;
    let spikes = &simulated.trajectory.spikes;
    let n = network.units;
    let mut counts = vec![0u64; paths.len()];
    for k in 0..trials {
        counts[path_number(spikes.trial(k)[first * n..].iter().copied())] += 1;
    }
    judge_paths(claim, format!("{name}: paths"), &counts, &paths);

    let places = paths.bins() * n;
    let rates = paths.expect_all(places, |path, out| {
        for (out, &z) in out.iter_mut().zip(path.spikes) {
            *out = f64::from(z);
        }
    });
    let fired = |at: usize| -> u64 {
        (0..trials)
            .map(|k| u64::from(spikes.trial(k)[first * n + at]))
            .sum()
    };
    let p_values: Vec<f64> = (0..places)
        .map(|at| binomial_p(fired(at), trials as u64, rates[at]))
        .collect();
    let worst = p_values.iter().copied().fold(1.0, f64::min);
    claim.chance(
        format!("{name}: spike counts"),
        format!("binomial test of each of {places} bins and units, the worst of them"),
        "p uniform",
        format!("least p = {worst:.2e}"),
        worst_of(p_values),
    );

    // Hidden units count as well here: the simulator does not treat their spikes differently.
    let lags = (network.lags + 1).min(paths.bins());
    let exact = Covariance::new(
        &paths,
        n,
        lags,
        Signals {
            target: Signal::Spikes,
            source: Signal::Spikes,
        },
        false,
    );
    let found = data_covariance(spikes, &simulated.layout, lags, false)?;
    let scores: Vec<f64> = found
        .iter()
        .zip(exact.value())
        .zip(exact.variance(trials))
        .map(|((found, exact), variance)| (found - exact) / variance.sqrt())
        .collect();
    let worst = scores.iter().fold(0.0f64, |m, z| m.max(z.abs()));
    claim.chance(
        format!("{name}: covariances"),
        format!(
            "scores of {} covariances at lags 0 to {}, exact variances, the worst of them",
            scores.len(),
            lags - 1
        ),
        "standard normal",
        format!("largest |z| = {worst:.2}"),
        worst_of(scores.into_iter().map(normal_p)),
    );
    Ok(())
}

/// Hidden units of the teacher-forced pass, given the recorded spikes.
fn teacher_forced(claim: &mut Claim, same_bin: bool, trials: usize, seed: u64) -> Result<()> {
    let network = TinyNetwork::draw(
        TinyShape {
            observed: 1,
            units: 3,
            lags: 2,
            bins: 6,
        },
        Strengths {
            couplings: 1.5,
            bias: -0.5,
            drive: 1.0,
        },
        1,
        seed,
    );
    let network = match same_bin {
        true => network.with_same_bin(3.0, seed),
        false => network,
    };
    let recorded = [1u8, 0, 1, 1, 0, 1];
    let first = 1;
    let paths = Paths::teacher_forced(&network, 0, &recorded, first)?;
    let layout = refire_core::TrialLayout::uniform(trials, network.bins, first)?;
    let spikes = TrialArray::from_vec(recorded.repeat(trials), trials, network.bins, 1);
    let drive = network.drive_array()?;
    let pass = Pass {
        mode: Mode::TeacherForced,
        recorded: spikes.as_ref(),
        ..Pass::free_running(&layout, &drive)
    };
    let keys: Vec<u32> = (0..trials as u32).collect();
    let uniforms = KeyedUniforms::new(Stream::new(seed, Purpose::TeacherForced), 0, &keys);
    let mut trajectory = Trajectory::default();
    run_pass(
        &network.network(Logistic)?,
        &pass,
        &uniforms,
        &mut trajectory,
    )?;
    let mut counts = vec![0u64; paths.len()];
    for k in 0..trials {
        let rows = trajectory.spikes.trial(k).chunks_exact(network.units);
        let hidden = rows.skip(first).flat_map(|row| row[1..].iter().copied());
        counts[path_number(hidden)] += 1;
    }
    let within = if same_bin {
        " with same-bin couplings"
    } else {
        ""
    };
    let name = format!("1 observed and 2 hidden units{within}, teacher-forced: hidden paths");
    judge_paths(claim, name, &counts, &paths);
    Ok(())
}
