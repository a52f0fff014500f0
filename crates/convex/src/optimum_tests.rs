//! The optimum against an independent Newton fit, and the gradient against finite differences.

use crate::{Limits, Problem, Ridge, Solution, Status, choose_ridge, solve};
use refire_core::{TrialArray, TrialLayout};
use refire_drive::{Bumps, ConditionBasis, FeatureDrive, NoDrive};

const THETA: f64 = 0.4;

fn number(at: usize, seed: u64) -> f64 {
    let mut state = (at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (seed << 17);
    for shift in [13, 7, 17] {
        state ^= state << shift;
        state ^= state >> 11;
        state = state.wrapping_mul(0xD6E8_FEB8_6659_FD93);
    }
    (state >> 11) as f64 / (1u64 << 53) as f64
}

/// Spikes that follow one another a little, `[trial][bin][unit]`.
fn recording(trials: usize, bins: usize, units: usize, seed: u64) -> TrialArray<u8> {
    let mut spikes = TrialArray::<u8>::zeros(trials, bins, 0, units);
    for k in 0..trials {
        for t in 0..bins {
            for i in 0..units {
                let before = t > 0 && spikes.row(k, t - 1)[(i + 1) % units] != 0;
                let p = if before { 0.5 } else { 0.2 };
                let fires = number((k * bins + t) * units + i, seed) < p;
                spikes.row_mut(k, t)[i] = u8::from(fires);
            }
        }
    }
    spikes
}

/// Nats of all scored bins of one unit plus its penalty, from the definition.
fn penalised(
    problem: Problem<'_, f64>,
    ridge: Ridge,
    solution: &Solution<f64>,
    unit: usize,
) -> f64 {
    let (layout, n, lags) = (problem.layout, problem.spikes.units(), problem.lags);
    let mut drive = TrialArray::default();
    problem.encoder.forward(&solution.drive, &mut drive);
    let mut sum = 0.0;
    for k in 0..layout.trials() {
        for t in layout.first_bin()..layout.bins(k) {
            let mut u = solution.bias[unit] + drive.row(layout.condition(k), t)[unit];
            for d in 1..=lags.min(t) {
                for (i, &z) in problem.spikes.row(k, t - d).iter().enumerate() {
                    u += f64::from(z) * solution.couplings[(i * lags + d - 1) * n + unit];
                }
            }
            if problem.same_bin {
                for i in 0..unit {
                    u += f64::from(problem.spikes.row(k, t)[i]) * solution.same_bin[i * n + unit];
                }
            }
            let v = (u - THETA) / THETA;
            let z = f64::from(problem.spikes.row(k, t)[unit]);
            sum += v.max(0.0) + (-v.abs()).exp().ln_1p() - z * v;
        }
    }
    let squares = |w: &[f64]| -> f64 {
        let own = w.iter().skip(unit).step_by(n);
        own.map(|w| (w / THETA).powi(2)).sum()
    };
    let prior = |strength: f64, w: &[f64]| match ridge.tails {
        None => 0.5 * strength * squares(w),
        Some(nu) => {
            let own = w.iter().skip(unit).step_by(n);
            let density =
                |w: &f64| (1.0 + strength * (w / THETA).powi(2) / nu).powf(-(nu + 1.0) / 2.0);
            own.map(|w| -density(w).ln()).sum()
        }
    };
    sum + prior(ridge.couplings, &solution.couplings)
        + prior(ridge.same_bin, &solution.same_bin)
        + 0.5 * ridge.drive * squares(&solution.drive)
}

/// Largest derivative of the objective per scored bin at a solution, over all coefficients.
fn steepest(problem: Problem<'_, f64>, ridge: Ridge, solution: &Solution<f64>) -> f64 {
    let n = problem.spikes.units();
    let bins = problem.layout.scored_bins() as f64;
    let h = 1e-4;
    let mut steepest = 0.0f64;
    let lengths = [
        solution.couplings.len(),
        solution.drive.len(),
        n,
        solution.same_bin.len(),
    ];
    for (tensor, len) in lengths.into_iter().enumerate() {
        // A same-bin coupling onto a unit that is not behind is none.
        let fixed = |at: usize| tensor == 3 && at / n >= at % n;
        for at in (0..len).filter(|&at| !fixed(at)) {
            let value = |step: f64| {
                let mut moved = solution.clone();
                let tensor = match tensor {
                    0 => &mut moved.couplings,
                    1 => &mut moved.drive,
                    3 => &mut moved.same_bin,
                    _ => &mut moved.bias,
                };
                tensor[at] += THETA * step;
                penalised(problem, ridge, &moved, at % n)
            };
            steepest = steepest.max((value(h) - value(-h)).abs() / (2.0 * h * bins));
        }
    }
    steepest
}

#[test]
fn every_derivative_vanishes_at_the_solution() {
    let spikes = recording(5, 40, 4, 3);
    let layout = TrialLayout::new(vec![0, 1, 0, 1, 1], vec![40, 25, 33, 40, 3], 2).unwrap();
    let features: Vec<f64> = (0..2 * 40 * 3).map(|i| number(i, 9) - 0.5).collect();
    let features = TrialArray::from_vec(features, 2, 40, 3).unwrap();
    let encoder = FeatureDrive::<f64>::new(&features, &[40, 40], 2, 4).unwrap();
    let problem = Problem {
        spikes: &spikes,
        layout: &layout,
        encoder: &encoder,
        lags: 2,
        same_bin: false,
        theta: THETA,
    };
    let limits = Limits {
        gradient_norm: 1e-9,
        ..Limits::default()
    };
    let [strong, weak] = [(3.0, 0.5), (0.01, 0.01)].map(|(couplings, drive)| Ridge {
        couplings,
        same_bin: 0.7 * couplings,
        drive,
        tails: None,
    });
    let tails = |tails| Ridge {
        tails: Some(tails),
        ..strong
    };
    let cases = [
        (false, strong),
        (false, weak),
        (true, strong),
        (true, weak),
        (true, tails(3.0)),
        (false, tails(0.5)),
    ];
    for (same_bin, ridge) in cases {
        let problem = Problem {
            same_bin,
            ..problem
        };
        let solution = solve(problem, ridge, limits, None).unwrap();
        assert!(solution.units.iter().all(|u| u.status == Status::Converged));
        let found = steepest(problem, ridge, &solution);
        assert!(found < 1e-7, "{ridge:?}: {found}");
        // From another start, the same optimum, as the data outweigh the prior.
        let mut other = solution.clone();
        other.couplings.iter_mut().for_each(|w| *w -= 0.3);
        other.same_bin.iter_mut().for_each(|w| *w += 0.3);
        let again = solve(problem, ridge, limits, Some(&other)).unwrap();
        for (a, b) in again.couplings.iter().zip(&solution.couplings) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
        assert_eq!(solution.same_bin.len(), if same_bin { 16 } else { 0 });
        for (at, w) in solution.same_bin.iter().enumerate() {
            assert_eq!(*w != 0.0, at / 4 < at % 4, "{at}: {w}");
        }
    }
}

#[test]
fn without_a_penalty_it_is_newtons_optimum() {
    let (units, lags) = (3, 2);
    let spikes = recording(8, 200, units, 1);
    let layout = TrialLayout::uniform(8, 200, 0).unwrap();
    let encoder = NoDrive::new(1, 200, units);
    let problem: Problem<'_, f64> = Problem {
        spikes: &spikes,
        layout: &layout,
        encoder: &encoder,
        lags,
        same_bin: false,
        theta: THETA,
    };
    let limits = Limits {
        gradient_norm: 1e-9,
        ..Limits::default()
    };
    let found = solve(problem, Ridge::NONE, limits, None).unwrap();
    let newton = refire_testkit::maximum_likelihood(&spikes, &layout, lags, THETA).unwrap();
    for (j, unit) in newton.units.iter().enumerate() {
        assert_eq!(found.units[j].status, Status::Converged);
        for (at, &expected) in unit.coefficients.iter().enumerate() {
            let own: f64 = if at == units * lags {
                found.bias[j] / THETA - 1.0
            } else {
                // Newton's are [lag][source].
                let (lag, source) = (at / units, at % units);
                found.couplings[(source * lags + lag) * units + j] / THETA
            };
            assert!((own - expected).abs() < 1e-6, "{own} {expected}");
        }
    }
}

#[test]
fn a_drive_that_tells_most_spikes_takes_few_evaluations() {
    let (trials, bins, units, lags) = (40, 120, 5, 2);
    let mut spikes = TrialArray::<u8>::zeros(trials, bins, 0, units);
    for k in 0..trials {
        for t in 0..bins {
            for i in 0..units {
                // A few bins nearly always, the others hardly ever.
                let p = if number(t / 2 * units + i, 21) < 0.1 {
                    0.9
                } else {
                    0.01
                };
                let fires = number((k * bins + t) * units + i, 22) < p;
                spikes.row_mut(k, t)[i] = u8::from(fires);
            }
        }
    }
    let layout = TrialLayout::uniform(trials, bins, lags).unwrap();
    let encoder = ConditionBasis::<f64>::new(&[bins], lags, &[Bumps::every(2.0)], units).unwrap();
    let problem = Problem {
        spikes: &spikes,
        layout: &layout,
        encoder: &encoder,
        lags,
        same_bin: false,
        theta: THETA,
    };
    let with = |threads: usize, ridge| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let limits = Limits {
            gradient_norm: 1e-9,
            ..Limits::default()
        };
        pool.install(|| solve(problem, ridge, limits, None).unwrap())
    };
    for (couplings, drive) in [(1.0, 0.03), (0.0, 0.0)] {
        let ridge = Ridge {
            couplings,
            same_bin: couplings,
            drive,
            tails: None,
        };
        let solution = with(1, ridge);
        for unit in &solution.units {
            assert!(unit.gradient_norm <= 1e-9, "{unit:?}");
        }
        assert!(solution.evaluations < 40, "{}", solution.evaluations);
        assert_eq!(solution, with(3, ridge));
    }
}

#[test]
fn units_without_an_optimum_end_finite_and_explained() {
    let (units, bins) = (6, 150);
    let mut spikes = recording(3, bins, units, 5);
    for k in 0..3 {
        for t in 0..bins {
            let before = t > 0 && spikes.row(k, t - 1)[1] != 0;
            let row = spikes.row_mut(k, t);
            row[2] = 0; // silent
            row[3] = 1; // always spiking
            row[4] = u8::from(before); // copies unit 1 one bin later
            if before {
                row[5] = 0; // never one bin behind unit 1, else at random
            }
        }
    }
    let layout = TrialLayout::uniform(3, bins, 1).unwrap();
    let encoder = NoDrive::new(1, bins, units);
    let problem: Problem<'_, f32> = Problem {
        spikes: &spikes,
        layout: &layout,
        encoder: &encoder,
        lags: 1,
        same_bin: false,
        theta: THETA,
    };
    let solution = solve(problem, Ridge::NONE, Limits::default(), None).unwrap();
    let statuses: Vec<Status> = solution.units.iter().map(|u| u.status).collect();
    // Unit 3's spikes come with every spike of the others, but so do those of an intercept; its own
    // coefficient for units 0 and 1 has an optimum.
    assert_eq!(statuses[..2], [Status::Converged; 2]);
    assert_eq!(statuses[2..4], [Status::Silent, Status::AlwaysSpiking]);
    for status in &statuses[4..] {
        let Status::Separable { coefficients, held } = *status else {
            panic!("{status:?}");
        };
        assert!(coefficients > 0 && held > 0.0);
    }
    let numbers = solution.couplings.iter().chain(&solution.bias);
    assert!(numbers.copied().all(f32::is_finite));
    // The copy is predicted almost surely, and by the unit it copies.
    assert!(solution.units[4].nats < 0.02, "{}", solution.units[4].nats);
    assert!(solution.couplings[units + 4] / 0.4 > 5.0);
    // With a penalty everything has an optimum.
    let ridge = Ridge {
        couplings: 1.0,
        same_bin: 1.0,
        drive: 1.0,
        tails: None,
    };
    let solution = solve(problem, ridge, Limits::default(), None).unwrap();
    assert_eq!(solution.units[4].status, Status::Converged);
    assert_eq!(solution.units[2].status, Status::Silent);
}

#[test]
fn together_separable_units_are_found_out() {
    // Unit 2 fires one bin behind units 0 and 1 together: no single coefficient tells, the sum does.
    let (units, bins) = (3, 300);
    let mut spikes = recording(2, bins, units, 8);
    for k in 0..2 {
        for t in 0..bins {
            let both = t > 0 && spikes.row(k, t - 1)[..2] == [1, 1];
            spikes.row_mut(k, t)[2] = u8::from(both);
        }
    }
    let layout = TrialLayout::uniform(2, bins, 1).unwrap();
    let encoder = NoDrive::new(1, bins, units);
    let problem: Problem<'_, f32> = Problem {
        spikes: &spikes,
        layout: &layout,
        encoder: &encoder,
        lags: 1,
        same_bin: false,
        theta: THETA,
    };
    let solution = solve(problem, Ridge::NONE, Limits::default(), None).unwrap();
    assert!(
        matches!(solution.units[2].status, Status::Separable { .. }),
        "{:?}",
        solution.units
    );
}

#[test]
fn results_do_not_depend_on_threads() {
    let spikes = recording(9, 120, 7, 2);
    let layout = TrialLayout::uniform(9, 120, 3).unwrap();
    let encoder = NoDrive::new(1, 120, 7);
    let problem: Problem<'_, f32> = Problem {
        spikes: &spikes,
        layout: &layout,
        encoder: &encoder,
        lags: 3,
        same_bin: false,
        theta: THETA,
    };
    let ridge = Ridge {
        couplings: 0.3,
        same_bin: 0.3,
        drive: 0.0,
        tails: None,
    };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| solve(problem, ridge, Limits::default(), None).unwrap())
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn a_wrong_penalty_or_shape_is_refused() {
    let spikes = recording(1, 20, 2, 1);
    let layout = TrialLayout::uniform(1, 20, 0).unwrap();
    let encoder = NoDrive::new(1, 20, 3);
    let mut problem: Problem<'_, f32> = Problem {
        spikes: &spikes,
        layout: &layout,
        encoder: &encoder,
        lags: 1,
        same_bin: false,
        theta: THETA,
    };
    let error = solve(problem, Ridge::NONE, Limits::default(), None).unwrap_err();
    assert_eq!(error.to_string(), "units of the drive: expected 2, found 3");
    let encoder = NoDrive::new(1, 20, 2);
    problem.encoder = &encoder;
    let ridge = Ridge {
        couplings: -1.0,
        same_bin: -1.0,
        drive: 0.0,
        tails: None,
    };
    let error = solve(problem, ridge, Limits::default(), None).unwrap_err();
    assert!(
        error.to_string().starts_with("ridge of couplings"),
        "{error}"
    );
}

#[test]
fn validation_chooses_a_ridge_between_the_ends() {
    let (train, judge) = (recording(6, 80, 8, 3), recording(4, 80, 8, 4));
    let layouts = [6, 4].map(|trials| TrialLayout::uniform(trials, 80, 0).unwrap());
    let encoder = NoDrive::new(1, 80, 8);
    let problem = |spikes, layout| Problem::<'_, f32> {
        spikes,
        layout,
        encoder: &encoder,
        lags: 5,
        same_bin: false,
        theta: THETA,
    };
    let choice = choose_ridge(
        problem(&train, &layouts[0]),
        problem(&judge, &layouts[1]),
        Limits::default(),
        None,
    )
    .unwrap();
    let best = choice
        .path
        .iter()
        .map(|p| p.nats)
        .fold(f64::INFINITY, f64::min);
    let chosen = choice
        .path
        .iter()
        .find(|p| p.ridge == choice.ridge)
        .unwrap();
    assert_eq!(chosen.nats, best);
    // Few bins and 40 couplings per unit: neither the weakest nor the strongest penalty.
    assert!(
        choice.ridge.couplings > 1.0 && choice.ridge.couplings < 1000.0,
        "{:?}",
        choice.ridge
    );
}
