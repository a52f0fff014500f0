//! The forward time loop. Its mirror is the reverse loop of `refire-bptt`.

use crate::same_bin::BinRows;
use crate::state::TrialState;
use crate::{Coupling, Network, PassState, SimError, Trajectory};
use rayon::prelude::*;
use refire_core::{TrialArray, TrialLayout, TrialSpikes, for_each_fired};
use refire_kernels::{Real, dispatch};
use refire_neuron::{EscapeNoise, Past, UnitDynamics};
use refire_random::Uniforms;
use std::ops::Range;

/// Whose spikes an observed unit feeds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Observed units feed back the recorded spikes, hidden units their own. (Some texts say clamped.)
    TeacherForced,
    /// Every unit feeds back its own spikes.
    FreeRunning,
}

/// What a pass is given besides the network.
///
/// ```
/// use refire_sim::{Mode, Pass, TrialArray, TrialLayout};
///
/// let layout = TrialLayout::uniform(5, 100, 0)?; // 5 trials of 100 bins
/// let drive = TrialArray::<f32>::zeros(1, 100, 0, 2); // [condition][bin][unit]
/// assert_eq!(Pass::free_running(&layout, &drive).mode, Mode::FreeRunning);
/// # Ok::<(), refire_sim::LayoutError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a, T> {
    /// Whose spikes are fed back.
    pub mode: Mode,
    /// Condition and length of each trial, bins of history.
    pub layout: &'a TrialLayout,
    /// Recorded spikes `[trial][bin][observed]`: all bins in a teacher-forced pass, only the bins of
    /// history in a free-running one (where there is none, `None` will do).
    pub recorded: Option<&'a TrialArray<u8>>,
    /// Spikes of the `lags` bins before the first bin that is not history, `[trial][lag][unit]`,
    /// oldest first, in place of a recorded history: lets a free run go on where another stopped.
    pub before: Option<&'a TrialArray<u8>>,
    /// Drive `[condition][bin][unit]`, current.
    pub drive: &'a TrialArray<T>,
}

impl<'a, T> Pass<'a, T> {
    /// A free-running pass that starts from silence.
    pub fn free_running(layout: &'a TrialLayout, drive: &'a TrialArray<T>) -> Self {
        Self {
            mode: Mode::FreeRunning,
            layout,
            recorded: None,
            before: None,
            drive,
        }
    }

    /// A pass that feeds back `recorded` spikes, `[trial][bin][observed]`.
    pub fn teacher_forced(
        layout: &'a TrialLayout,
        recorded: &'a TrialArray<u8>,
        drive: &'a TrialArray<T>,
    ) -> Self {
        Self {
            mode: Mode::TeacherForced,
            recorded: Some(recorded),
            ..Self::free_running(layout, drive)
        }
    }

    /// A free-running pass whose bins of history are those of `recorded`.
    pub fn with_history(self, recorded: &'a TrialArray<u8>) -> Self {
        Self {
            recorded: Some(recorded),
            ..self
        }
    }
}

/// Runs all bins of a pass: [`run_window`] with a single window.
///
/// # Errors
/// [`SimError`] where a buffer does not fit the network and the layout.
pub fn run<T, C, E, U>(
    network: &Network<'_, T, C, E, U>,
    pass: &Pass<'_, T>,
    uniforms: &impl Uniforms<T>,
    out: &mut Trajectory<T>,
) -> Result<(), SimError>
where
    T: Real,
    C: Coupling<T>,
    E: EscapeNoise<T>,
    U: UnitDynamics<T>,
{
    let (bins, state) = (0..pass.layout.max_bins(), &mut PassState::default());
    run_window(network, pass, uniforms, bins, state, out)
}

/// Runs some bins of a pass over a batch, trials in parallel, into the buffers of `out`: bin `bins.start + r` lies
/// in row `r`, by which its spikes are indexed, and [`TrialLayout::window`] is its layout.
///
/// ```text
/// u[k,t,j] = b[j] + x[c(k),t,j] + sum_{d=1..D} sum_i W[i,d,j] z[k,t-d,i] + sum_{i before j} S[i,j] z[k,t,i]
/// v = dynamics(u)      p = escape(v)      z = [p > uniform], or the recorded spike
/// ```
///
/// Same-bin couplings `S` take a bin through its units in order ([`crate::UnitOrder`]). With them a unit is drawn by
/// its potential, `z = [v > escape^-1(uniform)]`, which is the same up to the rounding of `p`.
///
/// In the bins of history (`t < first_bin`) observed units feed back the recorded spikes in either
/// mode and hidden units are silent; where `before` is given these bins are skipped instead (their
/// rows stay zero). Before bin 0 there is silence.
///
/// `state` holds what the bins before leave behind, and on return what these do; one that holds nothing
/// ([`PassState::default`]) will do for a window that starts at bin 0. Window after window gives the numbers of
/// a single one bit for bit, and so does a window run again from a copy of the state it started from.
///
/// # Errors
/// [`SimError`] where a buffer does not fit the network and the layout, or the state of a window that
/// starts behind bin 0 does not.
pub fn run_window<T, C, E, U>(
    network: &Network<'_, T, C, E, U>,
    pass: &Pass<'_, T>,
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
    check(network, pass)?;
    let (units, lags) = (network.coupling.units(), network.coupling.lags());
    let trials = pass.layout.trials();
    state.prepare(bins.start == 0, U::HAS_MEMORY, [trials, lags, units])?;
    let end = pass.layout.max_bins();
    let window = bins.start.min(end)..bins.end.min(end);
    let bins = window.len();
    let rows = Rows {
        layout: &pass.layout.window(window.clone()),
        window,
    };
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
        .zip(state.of_trials(trials))
        .enumerate()
        .for_each(
            |(trial, ((((potential, probability), spikes), by_source), state))| {
                let out = TrialRows {
                    potential,
                    probability,
                    spikes,
                    by_source,
                };
                dispatch(
                    #[inline(always)]
                    || run_trial(network, pass, uniforms, &rows, trial, state, out),
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

/// Where the rows of one trial go.
struct TrialRows<'a, T> {
    potential: &'a mut [T],
    probability: &'a mut [T],
    spikes: &'a mut [u8],
    by_source: &'a mut TrialSpikes,
}

#[inline(always)]
fn run_trial<T, C, E, U>(
    network: &Network<'_, T, C, E, U>,
    input: &Pass<'_, T>,
    uniforms: &impl Uniforms<T>,
    rows: &Rows<'_>,
    slot: usize,
    state: TrialState<'_, T>,
    out: TrialRows<'_, T>,
) where
    T: Real,
    C: Coupling<T>,
    E: EscapeNoise<T>,
    U: UnitDynamics<T>,
{
    let TrialRows {
        potential,
        probability,
        spikes,
        by_source,
    } = out;
    let (units, observed, live) = (network.coupling.units(), network.observed, network.live);
    let block = network.coupling.lags() * units;
    let (layout, offset) = (rows.layout, rows.window.start);
    let (first_bin, bins) = (layout.first_bin(), layout.bins(slot));
    by_source.clear();
    let mut draws = vec![T::zero(); units];
    let mut within = vec![T::zero(); units];
    let mut fired = Vec::with_capacity(units);
    let start = if input.before.is_some() { first_bin } else { 0 };
    // Every other row is cleared just before the first spike can reach it.
    potential[..start * units + block].fill(T::zero());
    potential[..block].copy_from_slice(state.currents);
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
        let past = match () {
            _ if !U::HAS_MEMORY => None,
            _ if t > 0 => Some(Past {
                potential: &before[at - units..],
                spikes: &spikes_before[at - units..],
            }),
            _ if offset > 0 => Some(Past {
                potential: state.potential,
                spikes: state.spikes,
            }),
            _ => None,
        };
        network.dynamics.integrate(row, past);
        let p = &mut probability[at..at + units];
        let z = &mut spikes_here[..units];
        let given = input.mode == Mode::TeacherForced || t < first_bin;
        if let (true, Some(recorded)) = (given, input.recorded) {
            z[..observed].copy_from_slice(recorded.row(slot, offset + t));
        }
        let free = if given { observed } else { 0 };
        let drawn = if t < first_bin {
            live..live
        } else {
            free..live
        };
        z[free..drawn.start].fill(0);
        z[live..].fill(0);
        uniforms.fill(slot, offset + t, drawn.start, &mut draws[drawn.clone()]);
        if let Some(same_bin) = &network.same_bin {
            let of_bin = BinRows {
                potential: row,
                draws: &mut draws,
                within: &mut within,
                spikes: z,
                fired: &mut fired,
            };
            same_bin.run_bin(&network.escape, &network.dynamics, drawn.clone(), of_bin);
        }
        for (p, &v) in p.iter_mut().zip(&*row) {
            *p = network.escape.probability(v);
        }
        if network.same_bin.is_none() {
            let rows = z[drawn.clone()].iter_mut().zip(&p[drawn.clone()]);
            for ((z, &p), &uniform) in rows.zip(&draws[drawn]) {
                *z = u8::from(p > uniform);
            }
        }
        future[block - units..block].fill(T::zero());
        fired.clear();
        for_each_fired(z, |source| fired.push(source));
        by_source.push(&fired, t);
        network.coupling.scatter_all(&fired, &mut future[..block]);
    }
    // Meant for the bins behind the window, where the trial has any.
    state
        .currents
        .copy_from_slice(&potential[bins * units..][..block]);
    if U::HAS_MEMORY && bins > 0 {
        let last = (bins - 1) * units..bins * units;
        state.potential.copy_from_slice(&potential[last.clone()]);
        state.spikes.copy_from_slice(&spikes[last]);
    }
    // Spikes near the end have scattered into bins that do not exist.
    potential[bins * units..].fill(T::zero());
    by_source.index(units);
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

fn check<T, C, E, U>(network: &Network<'_, T, C, E, U>, input: &Pass<'_, T>) -> Result<(), SimError>
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
            let bins = match input.mode {
                Mode::TeacherForced => layout.max_bins(),
                Mode::FreeRunning => layout.first_bin(),
            };
            at_least("recorded bins", bins, recorded.bins())
        }
        None if input.mode == Mode::TeacherForced && network.observed > 0 => {
            Err(SimError::NoRecording {
                mode: "teacher-forced",
                history: layout.first_bin(),
            })
        }
        None if layout.first_bin() > 0 && input.before.is_none() => Err(SimError::NoRecording {
            mode: "free-running",
            history: layout.first_bin(),
        }),
        None => Ok(()),
    }
}
