//! The forward time loop. Its mirror is the reverse loop of `refire-bptt`.

use crate::state::TrialState;
use crate::{Coupling, PassState, Trajectory};
use rayon::prelude::*;
use refire_core::{TrialArray, TrialLayout, TrialSpikes, for_each_fired};
use refire_kernels::{Real, dispatch};
use refire_neuron::{EscapeNoise, Past, UnitDynamics};
use refire_random::Uniforms;
use std::ops::Range;

/// Why a pass cannot be run.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum SimError {
    /// A buffer does not have the shape the network or the layout asks for.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// The quantity.
        what: &'static str,
        /// Its expected size.
        expected: usize,
        /// The size found.
        found: usize,
    },
    /// Synapses per target that there cannot be.
    #[error(
        "in-degree: expected 1 to {units} synapses onto each of {units} units (its own among them), \
         found {found}"
    )]
    InDegree {
        /// Number of units.
        units: usize,
        /// In-degree asked for.
        found: usize,
    },
    /// A damaged list of synapses.
    #[error("targets of source {source_unit}: expected ascending indices below {units}")]
    Targets {
        /// The source.
        source_unit: usize,
        /// Number of units.
        units: usize,
    },
    /// The pass needs recorded spikes and got none.
    #[error("a {mode} pass with {history} bins of history needs recorded spikes, found none")]
    NoRecording {
        /// The kind of pass.
        mode: &'static str,
        /// Bins of history.
        history: usize,
    },
}

/// Whose spikes an observed unit feeds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Teacher forcing: observed units feed back the recorded spikes, hidden units their own.
    Clamped,
    /// Every unit feeds back its own spikes.
    FreeRunning,
}

/// A network: parameters borrowed, nothing owned. Observed units come first.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a, T, C, E, U> {
    /// Couplings between all units.
    pub coupling: C,
    /// Escape noise.
    pub escape: E,
    /// Unit dynamics.
    pub dynamics: U,
    /// Bias current per unit.
    pub bias: &'a [T],
    /// Number of observed units.
    pub observed: usize,
    /// Number of units, observed and hidden. Where the coupling has more, the rest only fill up rows
    /// to whole SIMD registers: they never fire and have no adjoint.
    pub live: usize,
}

/// What a pass is given besides the network.
#[derive(Clone, Copy, Debug)]
pub struct PassInput<'a, T> {
    /// Condition and length of each slot, bins of history.
    pub layout: &'a TrialLayout,
    /// Recorded spikes `[slot][bin][observed]`: all bins in a clamped pass, only the bins of
    /// history in a free-running one (where there is none, `None` will do).
    pub recorded: Option<&'a TrialArray<u8>>,
    /// Spikes of the `lags` bins before the first bin that is not history, `[slot][lag][unit]`,
    /// oldest first, in place of a recorded history: lets a free run go on where another stopped.
    pub before: Option<&'a TrialArray<u8>>,
    /// Drive `[condition][bin][unit]`.
    pub drive: &'a TrialArray<T>,
}

/// Runs one pass over a batch, trials in parallel, into the buffers of `out`.
///
/// ```text
/// u[k,t,j] = b[j] + x[c(k),t,j] + sum_{d=1..D} sum_i W[i,d,j] z[k,t-d,i]
/// v = dynamics(u)      p = escape(v)      z = [p > uniform], or the recorded spike
/// ```
///
/// In the bins of history (`t < first_bin`) observed units feed back the recorded spikes in either
/// mode and hidden units are silent; where `before` is given these bins are skipped instead (their
/// rows stay zero). Before bin 0 there is silence.
///
/// # Errors
/// [`SimError`] where a buffer does not fit the network and the layout.
pub fn run<T, C, E, U>(
    network: &Network<'_, T, C, E, U>,
    mode: Mode,
    input: &PassInput<'_, T>,
    uniforms: &impl Uniforms<T>,
    out: &mut Trajectory<T>,
) -> Result<(), SimError>
where
    T: Real,
    C: Coupling<T>,
    E: EscapeNoise<T>,
    U: UnitDynamics<T>,
{
    let bins = 0..input.layout.max_bins();
    run_rows(
        network,
        mode,
        input,
        uniforms,
        (input.layout, bins),
        None,
        out,
    )
}

/// [`run`] over the bins `bins` of every trial alone: bin `bins.start + r` lies in row `r` of `out`,
/// whose spikes are indexed by row, and [`TrialLayout::window`] is its layout.
///
/// `state` holds what the bins before leave behind and on return what these do. Window after window,
/// from bin 0 on, gives the numbers of [`run`] bit for bit, and so does a window run again from a
/// copy of the state it started from.
///
/// # Errors
/// [`SimError`] where a buffer does not fit the network and the layout, or the state of a window that
/// starts behind bin 0 does not.
pub fn run_window<T, C, E, U>(
    network: &Network<'_, T, C, E, U>,
    mode: Mode,
    input: &PassInput<'_, T>,
    uniforms: &impl Uniforms<T>,
    bins: Range<usize>,
    state: &mut PassState<T>,
    out: &mut Trajectory<T>,
) -> Result<(), SimError>
where
    T: Real,
    C: Coupling<T>,
    E: EscapeNoise<T>,
    U: UnitDynamics<T>,
{
    let (units, lags) = (network.coupling.units(), network.coupling.lags());
    state.prepare(
        bins.start == 0,
        U::HAS_MEMORY,
        [input.layout.trials(), lags, units],
    )?;
    let end = input.layout.max_bins();
    let bins = bins.start.min(end)..bins.end.min(end);
    let layout = input.layout.window(bins.clone());
    run_rows(
        network,
        mode,
        input,
        uniforms,
        (&layout, bins),
        Some(state),
        out,
    )
}

fn run_rows<T, C, E, U>(
    network: &Network<'_, T, C, E, U>,
    mode: Mode,
    input: &PassInput<'_, T>,
    uniforms: &impl Uniforms<T>,
    (layout, window): (&TrialLayout, Range<usize>),
    state: Option<&mut PassState<T>>,
    out: &mut Trajectory<T>,
) -> Result<(), SimError>
where
    T: Real,
    C: Coupling<T>,
    E: EscapeNoise<T>,
    U: UnitDynamics<T>,
{
    check(network, mode, input)?;
    let (units, lags) = (network.coupling.units(), network.coupling.lags());
    let (trials, bins) = (layout.trials(), window.len());
    let rows = Rows { layout, window };
    let mut states = match state {
        Some(state) => state.of_trials(),
        None => Vec::new(),
    };
    states.resize_with(trials, || None);
    out.potential.reshape(trials, bins, lags, units);
    out.probability.reshape(trials, bins, 0, units);
    out.spikes.reshape(trials, bins, 0, units);
    let (padded, plain) = (
        out.potential.trial_len().max(1),
        out.spikes.trial_len().max(1),
    );
    out.potential
        .as_mut_slice()
        .par_chunks_mut(padded)
        .zip(out.probability.as_mut_slice().par_chunks_mut(plain))
        .zip(out.spikes.as_mut_slice().par_chunks_mut(plain))
        .zip(out.by_source.trials_mut(trials))
        .zip(states)
        .enumerate()
        .for_each(
            |(slot, ((((potential, probability), spikes), by_source), state))| {
                dispatch(
                    #[inline(always)]
                    || {
                        run_trial(
                            network,
                            mode,
                            input,
                            uniforms,
                            (&rows, slot),
                            state,
                            potential,
                            probability,
                            spikes,
                            by_source,
                        );
                        by_source.index(units);
                    },
                );
            },
        );
    Ok(())
}

/// The rows of a window: their layout, and the bins they are.
struct Rows<'a> {
    layout: &'a TrialLayout,
    window: Range<usize>,
}

#[allow(clippy::too_many_arguments)]
#[inline(always)]
fn run_trial<T, C, E, U>(
    network: &Network<'_, T, C, E, U>,
    mode: Mode,
    input: &PassInput<'_, T>,
    uniforms: &impl Uniforms<T>,
    (rows, slot): (&Rows<'_>, usize),
    mut state: Option<TrialState<'_, T>>,
    potential: &mut [T],
    probability: &mut [T],
    spikes: &mut [u8],
    by_source: &mut TrialSpikes,
) where
    T: Real,
    C: Coupling<T>,
    E: EscapeNoise<T>,
    U: UnitDynamics<T>,
{
    let (units, observed, live) = (network.coupling.units(), network.observed, network.live);
    let block = network.coupling.lags() * units;
    let (layout, offset) = (rows.layout, rows.window.start);
    let (first_bin, bins) = (layout.first_bin(), layout.bins(slot));
    by_source.clear();
    let mut draws = vec![T::zero(); units];
    let mut fired = Vec::with_capacity(units);
    let start = if input.before.is_some() { first_bin } else { 0 };
    // Every other row is cleared just before the first spike can reach it.
    potential[..start * units + block].fill(T::zero());
    if let Some(state) = &state {
        potential[..block].copy_from_slice(state.currents);
    }
    let starts_here = rows.window.contains(&input.layout.first_bin());
    if let (Some(before), true) = (input.before, starts_here) {
        let currents = &mut potential[start * units..][..block];
        add_currents_before(&network.coupling, before.trial(slot), currents);
    }
    for outside in [0..start * units, bins * units..spikes.len()] {
        probability[outside.clone()].fill(T::zero());
        spikes[outside].fill(0);
    }
    for t in start..bins {
        let at = t * units;
        let (before, from_here) = potential.split_at_mut(at);
        let (row, future) = from_here.split_at_mut(units);
        let drive = input.drive.row(layout.condition(slot), offset + t);
        for (u, (&b, &x)) in row.iter_mut().zip(network.bias.iter().zip(drive)) {
            *u += b + x;
        }
        let (spikes_before, spikes_here) = spikes.split_at_mut(at);
        let past = match &state {
            _ if !U::HAS_MEMORY => None,
            _ if t > 0 => Some(Past {
                potential: &before[at - units..],
                spikes: &spikes_before[at - units..],
            }),
            Some(state) if offset > 0 => Some(Past {
                potential: state.potential,
                spikes: state.spikes,
            }),
            _ => None,
        };
        network.dynamics.integrate(row, past);
        let p = &mut probability[at..at + units];
        for (p, &v) in p.iter_mut().zip(&*row) {
            *p = network.escape.probability(v);
        }
        let z = &mut spikes_here[..units];
        let clamped = mode == Mode::Clamped || t < first_bin;
        if let (true, Some(recorded)) = (clamped, input.recorded) {
            z[..observed].copy_from_slice(recorded.row(slot, offset + t));
        }
        let free = if clamped { observed } else { 0 };
        if t < first_bin {
            z[free..].fill(0);
        } else {
            uniforms.fill(slot, offset + t, free, &mut draws[free..live]);
            for ((z, &p), &uniform) in z[free..].iter_mut().zip(&p[free..]).zip(&draws[free..]) {
                *z = u8::from(p > uniform);
            }
            z[live..].fill(0);
        }
        future[block - units..block].fill(T::zero());
        fired.clear();
        for_each_fired(z, |source| fired.push(source));
        by_source.push(&fired, t);
        network.coupling.scatter_all(&fired, &mut future[..block]);
    }
    if let Some(state) = &mut state {
        // Meant for the bins behind the window, where the trial has any.
        state
            .currents
            .copy_from_slice(&potential[bins * units..][..block]);
        if U::HAS_MEMORY && bins > 0 {
            let last = (bins - 1) * units..bins * units;
            state.potential.copy_from_slice(&potential[last.clone()]);
            state.spikes.copy_from_slice(&spikes[last]);
        }
    }
    // Spikes near the end have scattered into bins that do not exist.
    potential[bins * units..].fill(T::zero());
}

/// Currents that the spikes of the bins before a run add to its first bins.
fn add_currents_before<T: Real, C: Coupling<T>>(coupling: &C, before: &[u8], currents: &mut [T]) {
    let (units, block) = (coupling.units(), currents.len());
    let mut all = vec![T::zero(); 2 * block];
    let mut fired = Vec::with_capacity(units);
    for (lag, row) in before.chunks_exact(units.max(1)).enumerate() {
        fired.clear();
        for_each_fired(row, |source| fired.push(source));
        let from = (lag + 1) * units;
        coupling.scatter_all(&fired, &mut all[from..from + block]);
    }
    currents.copy_from_slice(&all[block..]);
}

fn check<T, C, E, U>(
    network: &Network<'_, T, C, E, U>,
    mode: Mode,
    input: &PassInput<'_, T>,
) -> Result<(), SimError>
where
    T: Real,
    C: Coupling<T>,
{
    let same = |what, expected: usize, found: usize| {
        (expected == found).then_some(()).ok_or(SimError::Shape {
            what,
            expected,
            found,
        })
    };
    let at_least = |what, expected: usize, found: usize| {
        (expected <= found).then_some(()).ok_or(SimError::Shape {
            what,
            expected,
            found,
        })
    };
    let (units, layout) = (network.coupling.units(), input.layout);
    same("bias per unit", units, network.bias.len())?;
    at_least("units (live at most)", network.live, units)?;
    at_least(
        "live units (observed at most)",
        network.observed,
        network.live,
    )?;
    same("units of the drive", units, input.drive.units())?;
    at_least("bins of the drive", layout.max_bins(), input.drive.bins())?;
    if let Some(before) = input.before {
        same("units of the bins before", units, before.units())?;
        same("bins before", network.coupling.lags(), before.bins())?;
        at_least(
            "trials of the bins before",
            layout.trials(),
            before.trials(),
        )?;
    }
    let conditions = layout.groups().last().map_or(0, |g| g.condition + 1);
    at_least("conditions of the drive", conditions, input.drive.trials())?;
    match input.recorded {
        Some(recorded) => {
            same("recorded units", network.observed, recorded.units())?;
            at_least("recorded trials", layout.trials(), recorded.trials())?;
            let bins = match mode {
                Mode::Clamped => layout.max_bins(),
                Mode::FreeRunning => layout.first_bin(),
            };
            at_least("recorded bins", bins, recorded.bins())
        }
        None if mode == Mode::Clamped && network.observed > 0 => Err(SimError::NoRecording {
            mode: "clamped",
            history: layout.first_bin(),
        }),
        None if layout.first_bin() > 0 && input.before.is_none() => Err(SimError::NoRecording {
            mode: "free-running",
            history: layout.first_bin(),
        }),
        None => Ok(()),
    }
}
