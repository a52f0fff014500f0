//! The likelihood of all units at once, and its gradient.

use crate::rows::Rows;
use crate::{Problem, Ridge};
use rayon::prelude::*;
use refire_core::{SpikeIndex, TrialArray, for_each_fired};
use refire_drive::{Design, Kept, Term};
use refire_kernels::{LANES, Real, add_assign, add_rows, dispatch, logistic, softplus};
use refire_sim::{Behind, LaggedSums};
use std::sync::OnceLock;

/// Evaluates the objective of every unit in one pass over the spikes, buffers kept between calls.
///
/// Coefficients are in units of the potential, a row of units per coefficient:
///
/// ```text
/// v[k,t,j]    = c[j] + x[c(k),t,j] + sum_{d,i} w[i,d,j] z[k,t-d,i]       x linear in drive weights
///               d from 1; with same-bin couplings from 0, where w[i,0,j] = 0 unless i < j
/// f_j         = sum over scored (k,t) of -ln P(z[k,t,j] | v) + sum_r prior_r(w_r[j])
/// prior_r(w)  = ridge_r w^2 / 2      or for couplings with tails nu: (nu + 1)/2 ln(1 + ridge_r w^2 / nu)
/// lambda      = logistic(v) - z
/// df/dw[i,d,j] = sum over spikes (k,s) of i of lambda[k,s+d,j] + prior'(w)
/// ```
pub(crate) struct Objective<'a, T> {
    problem: Problem<'a, T>,
    /// Of the drive, once it is asked for; without terms where that is not linear, which [`crate::solve`] refuses.
    design: OnceLock<Design>,
    by_source: SpikeIndex,
    /// Potentials, then `lambda`.
    lambda: TrialArray<T>,
    drive: TrialArray<T>,
    kept: Kept,
    d_drive: TrialArray<T>,
    lagged: LaggedSums<T>,
    slots: Vec<usize>,
    weights: Vec<T>,
    d_weights: Vec<T>,
}

/// Values of one evaluation, per unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    /// `f_j`, ridge included.
    pub total: Vec<f64>,
    /// Without the ridge.
    pub nats: Vec<f64>,
    /// Scored bins in which the sign of the potential does not tell whether the unit fired.
    pub misses: Vec<u64>,
}

impl<'a, T: Real> Objective<'a, T> {
    pub fn new(problem: Problem<'a, T>) -> Self {
        let mut by_source = SpikeIndex::default();
        by_source.build(problem.spikes, problem.layout);
        Self {
            slots: (0..problem.layout.trials()).collect(),
            by_source,
            design: OnceLock::new(),
            problem,
            lambda: TrialArray::default(),
            drive: TrialArray::default(),
            kept: Kept::default(),
            d_drive: TrialArray::default(),
            lagged: LaggedSums::default(),
            weights: Vec::new(),
            d_weights: Vec::new(),
        }
    }

    pub fn problem(&self) -> Problem<'a, T> {
        self.problem
    }

    fn design(&self) -> &Design {
        let made = || self.problem.encoder.design().unwrap_or_default();
        self.design.get_or_init(made)
    }

    /// What a scored bin multiplies the weights of the drive by; nothing in bins of history.
    pub fn design_row(&self, condition: usize, t: usize) -> &[Term] {
        match t < self.problem.layout.first_bin() {
            true => &[],
            false => self.design().row(condition, t),
        }
    }

    pub fn by_source(&self) -> &SpikeIndex {
        &self.by_source
    }

    /// `logistic(v) - z` where evaluated last, `[trial][bin][unit]` filled up to whole registers; zero outside
    /// scored bins.
    pub fn lambda(&self) -> &TrialArray<T> {
        &self.lambda
    }

    /// Coefficients of one unit: couplings, drive weights, intercept.
    pub fn shape(&self) -> Shape {
        Shape {
            units: self.problem.spikes.units(),
            couplings: self.problem.spikes.units() * self.problem.all_lags(),
            within: (self.problem.same_bin).then(|| self.problem.all_lags()),
            drive: self.problem.encoder.parameters() / self.problem.spikes.units().max(1),
        }
    }

    /// Values and gradient at `at`; the ridge of each unit is given.
    pub fn evaluate(&mut self, at: &Rows<T>, ridge: &[Ridge], gradient: &mut Rows<T>) -> Values {
        let shape = self.shape();
        let width = at.width();
        let (layout, lags) = (self.problem.layout, self.problem.lags);
        self.weights.clear();
        for row in shape.drive_rows() {
            self.weights.extend_from_slice(&at.row(row)[..shape.units]);
        }
        self.problem
            .encoder
            .forward_keeping(&self.weights, &mut self.drive, &mut self.kept);
        let bins = layout.max_bins();
        self.lambda.reshape(layout.trials(), bins, lags, width);
        let len = self.lambda.trial_len().max(1);
        let (problem, drive) = (self.problem, &self.drive);
        let couplings = &at.as_slice()[..shape.couplings * width];
        let intercept = at.row(shape.intercept());
        let per_trial: Vec<(Vec<f64>, Vec<u64>)> = self
            .lambda
            .as_mut_slice()
            .par_chunks_mut(len)
            .enumerate()
            .map(|(slot, rows)| {
                dispatch(
                    #[inline(always)]
                    || trial(&problem, slot, couplings, intercept, drive, rows, width),
                )
            })
            .collect();
        let mut values = Values {
            total: vec![0.0; shape.units],
            nats: vec![0.0; shape.units],
            misses: vec![0; shape.units],
        };
        for (nats, misses) in per_trial {
            for j in 0..shape.units {
                values.nats[j] += nats[j];
                values.misses[j] += misses[j];
            }
        }
        self.pull_back(shape, gradient);
        values.total.copy_from_slice(&values.nats);
        for row in 0..shape.intercept() {
            let (w, g) = (at.row(row), gradient.row_mut(row));
            for (j, ridge) in ridge.iter().enumerate() {
                let (nats, slope) = ridge.prior(shape, row, w[j].f64());
                values.total[j] += nats;
                g[j] += T::new(slope);
            }
        }
        values
    }

    /// From `lambda` to the gradient without the ridge.
    fn pull_back(&mut self, shape: Shape, gradient: &mut Rows<T>) {
        let (problem, width) = (self.problem, gradient.width());
        let layout = problem.layout;
        gradient.fill_zero();
        let behind = Behind {
            slots: &self.slots,
            from: 0,
            ahead: problem.ahead(),
            lags: problem.all_lags(),
        };
        let couplings = &mut gradient.as_mut_slice()[..shape.couplings * width];
        self.lagged
            .add(&self.by_source, &self.lambda, behind, couplings);
        shape.clear_fixed(gradient);
        let (conditions, bins) = (self.drive.trials(), self.drive.bins());
        self.d_drive.reset(conditions, bins, 0, shape.units);
        let mut intercept = vec![0.0f64; shape.units];
        let units = shape.units.max(1);
        for group in layout.groups() {
            // Bins in parallel, each in the order of trials.
            self.d_drive
                .trial_mut(group.condition)
                .par_chunks_mut(units)
                .take(layout.max_bins())
                .enumerate()
                .skip(layout.first_bin())
                .for_each(|(t, row)| {
                    for &slot in group.slots.iter().filter(|&&k| layout.bins(k) > t) {
                        add_assign(row, &self.lambda.row(slot, t)[..units]);
                    }
                });
            for row in self.d_drive.trial(group.condition).chunks_exact(units) {
                for (sum, &l) in intercept.iter_mut().zip(row) {
                    *sum += l.f64();
                }
            }
        }
        self.d_weights.clear();
        self.d_weights.resize(self.weights.len(), T::zero());
        problem.encoder.pull_back(
            &self.weights,
            &mut self.kept,
            &self.d_drive,
            &mut self.d_weights,
        );
        let rows = self.d_weights.chunks_exact(shape.units.max(1));
        for (row, weights) in shape.drive_rows().zip(rows) {
            gradient.row_mut(row)[..shape.units].copy_from_slice(weights);
        }
        for (g, sum) in gradient
            .row_mut(shape.intercept())
            .iter_mut()
            .zip(intercept)
        {
            *g = T::new(sum);
        }
    }
}

/// Which rows of coefficients are what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub units: usize,
    /// Rows of couplings, `[source][lag]`.
    pub couplings: usize,
    /// With same-bin couplings, the lags of all couplings, of which those are the first.
    pub within: Option<usize>,
    /// Rows of drive weights.
    pub drive: usize,
}

impl Shape {
    /// Whether a coefficient is held at zero: a same-bin coupling onto a unit that is not behind its source.
    pub fn is_fixed(self, row: usize, unit: usize) -> bool {
        let same_bin = |lags: usize| row < self.couplings && row.is_multiple_of(lags);
        (self.within).is_some_and(|lags| same_bin(lags) && unit <= row / lags)
    }

    /// Sets what belongs to coefficients that are held at zero to zero.
    pub fn clear_fixed<T: Real>(self, rows: &mut Rows<T>) {
        let Some(lags) = self.within else { return };
        for source in 0..self.units {
            rows.row_mut(source * lags)[..=source].fill(T::zero());
        }
    }

    pub fn rows(self) -> usize {
        self.couplings + self.drive + 1
    }

    /// Rows of the couplings of later bins, `[source][lag]`.
    pub fn coupling_rows(self) -> impl Iterator<Item = usize> {
        let first = usize::from(self.within.is_some());
        let lags = self.couplings / self.units.max(1);
        (0..self.units).flat_map(move |i| (first..lags).map(move |d| i * lags + d))
    }

    /// Those of same-bin couplings, `[source]`.
    pub fn same_bin_rows(self) -> impl Iterator<Item = usize> {
        let rows = move |lags| (0..self.units).map(move |i| i * lags);
        self.within.into_iter().flat_map(rows)
    }

    pub fn drive_rows(self) -> std::ops::Range<usize> {
        self.couplings..self.couplings + self.drive
    }

    pub fn intercept(self) -> usize {
        self.couplings + self.drive
    }

    /// Length of a row filled up to whole registers.
    pub fn width(self) -> usize {
        self.units.next_multiple_of(LANES)
    }
}

impl Ridge {
    /// Nats that the prior of a row adds for a weight, and their derivative.
    fn prior(&self, shape: Shape, row: usize, w: f64) -> (f64, f64) {
        let strength = self.of_row(shape, row);
        match self.tails.filter(|_| row < shape.couplings) {
            None => (0.5 * strength * w * w, strength * w),
            Some(nu) => {
                let x = strength * w * w / nu;
                let slope = strength * (1.0 + 1.0 / nu) * w / (1.0 + x);
                (0.5 * (nu + 1.0) * x.ln_1p(), slope)
            }
        }
    }

    /// The ridge of a row that has one.
    pub(crate) fn of_row(self, shape: Shape, row: usize) -> f64 {
        if row < shape.couplings {
            match shape.within {
                Some(lags) if row.is_multiple_of(lags) => self.same_bin,
                _ => self.couplings,
            }
        } else if row < shape.intercept() {
            self.drive
        } else {
            0.0
        }
    }
}

/// Potentials of a trial, then `lambda` in their place; nats and misses per unit.
#[inline(always)]
fn trial<T: Real>(
    problem: &Problem<'_, T>,
    slot: usize,
    couplings: &[T],
    intercept: &[T],
    drive: &TrialArray<T>,
    rows: &mut [T],
    width: usize,
) -> (Vec<f64>, Vec<u64>) {
    let (layout, units) = (problem.layout, problem.spikes.units());
    let (first, bins) = (layout.first_bin(), layout.bins(slot));
    // Rows from a bin on that spikes before it have reached, and those that its own spikes reach.
    let (reached, block) = (problem.lags * width, problem.all_lags() * width);
    let (mut nats, mut misses) = (vec![0.0f64; width], vec![0u64; width]);
    let mut fired = Vec::with_capacity(units);
    rows[..reached].fill(T::zero());
    for t in 0..bins {
        let rows = &mut rows[t * width..];
        let z = problem.spikes.row(slot, t);
        rows[reached..reached + width].fill(T::zero());
        fired.clear();
        for_each_fired(z, |source| fired.push(source));
        let blocks = fired
            .iter()
            .map(|&i| &couplings[i * block..(i + 1) * block]);
        add_rows(&mut rows[problem.ahead() * width..][..block], blocks);
        let row = &mut rows[..width];
        if t < first {
            row.fill(T::zero());
        } else {
            let x = drive.row(layout.condition(slot), t);
            for (v, &x) in row.iter_mut().zip(x) {
                *v += x;
            }
            let sums = nats.iter_mut().zip(&mut misses);
            let all = row.iter_mut().zip(intercept).zip(z).zip(sums);
            for (((v, &c), &z), (nats, misses)) in all {
                let potential = *v + c;
                let spiked = z != 0;
                *nats += softplus(if spiked { -potential } else { potential }).f64();
                *misses += u64::from((potential > T::zero()) != spiked);
                *v = logistic(potential) - T::new(f64::from(z));
            }
            row[units..].fill(T::zero());
        }
    }
    rows[bins * width..].fill(T::zero());
    nats.truncate(units);
    misses.truncate(units);
    (nats, misses)
}
