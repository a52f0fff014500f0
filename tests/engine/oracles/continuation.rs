//! A free run goes on where another stopped.

use super::problem::{Batch, Problem, Shape};
use refire::core::{TrialArray, TrialLayout};
use refire::sim::{GivenUniforms, Mode, PassInput, Trajectory, run};

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
            seed: 3,
        };
        let problem = Problem::<f64>::draw(&shape);
        let whole = problem.pass(Mode::FreeRunning);
        let Batch {
            layout, uniforms, ..
        } = &problem.simulated;
        let condition: Vec<usize> = (0..layout.trials()).map(|k| layout.condition(k)).collect();
        let half = TrialLayout::new(condition, vec![BINS; layout.trials()], 0).unwrap();
        let mut before: Option<TrialArray<u8>> = None;
        for from in [0, BINS] {
            let drive = cut(&problem.drive, from, from + BINS);
            let uniforms = cut(uniforms, from, from + BINS);
            let input = PassInput {
                layout: &half,
                recorded: None,
                before: before.as_ref(),
                drive: &drive,
            };
            let mut found = Trajectory::default();
            let uniforms = GivenUniforms(&uniforms);
            run(
                &problem.network(),
                Mode::FreeRunning,
                &input,
                &uniforms,
                &mut found,
            )
            .unwrap();
            assert_eq!(
                found.spikes,
                cut(&whole.spikes, from, from + BINS),
                "from bin {from}"
            );
            let potential = cut(&whole.potential, from, from + BINS).to_vec();
            for (found, expected) in found.potential.to_vec().iter().zip(potential) {
                assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
            }
            before = Some(cut(&found.spikes, BINS - lags, BINS));
        }
        // The seam matters: without the bins before it, the second run is another one.
        let fired = cut(&whole.spikes, BINS - lags, BINS).to_vec();
        assert!(fired.contains(&1));
    }
}
