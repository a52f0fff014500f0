//! A free run goes on where another stopped.

use super::problem::{Problem, Shape};
use refire::core::{TrialArray, TrialLayout};
use refire::sim::{GivenUniforms, Mode, Pass, Trajectory, run};

const BINS: usize = 15;

/// Bins `from..to` of every trial.
fn cut<T: Copy + Default>(array: &TrialArray<T>, from: usize, to: usize) -> TrialArray<T> {
    let values = (0..array.trials())
        .flat_map(|k| array.block(k, from, to - from).to_vec())
        .collect();
    TrialArray::from_vec(values, array.trials(), to - from, array.units()).unwrap()
}

#[test]
fn two_runs_in_a_row_are_one_long_run() {
    for lags in [1, 4] {
        let shape = Shape {
            observed: 5,
            hidden: 3,
            lags,
            statistic_lags: 1,
            first_bin: 0,
            trials: vec![(4, 1), (8, 1)],
            window: 2 * BINS,
            ragged: false,
            gain: 3.0,
            same_bin: lags == 4,
            seed: 3,
        };
        let problem = Problem::<f64>::draw(&shape);
        let whole = problem.pass(Mode::FreeRunning);
        let uniforms = &problem.simulated.uniforms;
        let condition = problem.simulated.conditions();
        let lengths = vec![BINS; condition.len()];
        let half = TrialLayout::new(condition, lengths, 0).unwrap();
        let mut before: Option<TrialArray<u8>> = None;
        for from in [0, BINS] {
            let drive = cut(&problem.drive, from, from + BINS);
            let uniforms = cut(uniforms, from, from + BINS);
            let go_on = |before: Option<&TrialArray<u8>>| {
                let pass = Pass {
                    before,
                    ..Pass::free_running(&half, &drive)
                };
                let (mut out, uniforms) = (Trajectory::default(), GivenUniforms(&uniforms));
                run(&problem.network(), &pass, &uniforms, &mut out).unwrap();
                out
            };
            let found = go_on(before.as_ref());
            assert_eq!(
                found.spikes,
                cut(&whole.spikes, from, from + BINS),
                "from bin {from}"
            );
            let potential = cut(&whole.potential, from, from + BINS).to_vec();
            for (found, expected) in found.potential.to_vec().iter().zip(potential) {
                assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
            }
            if before.is_some() {
                assert_ne!(
                    found.spikes,
                    go_on(None).spikes,
                    "the bins before make a difference"
                );
            }
            before = Some(cut(&found.spikes, BINS - lags, BINS));
        }
    }
}
