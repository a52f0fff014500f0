//! The network as a plain program: one scalar at a time, with a tape.

use super::problem::Problem;
use super::tape::{Tape, Var};
use refire::neuron::SpikeGradient;
use refire::sim::Mode;

/// The parameters as leaves, laid out as in [`Problem`].
pub struct Parameters<'t> {
    pub couplings: Vec<Var<'t>>,
    pub same_bin: Vec<Var<'t>>,
    pub bias: Vec<Var<'t>>,
    pub drive: Vec<Var<'t>>,
}

/// A pass, `[trial][bin][unit]`, each trial as long as it is.
pub struct Run<'t> {
    pub v: Vec<Vec<Vec<Var<'t>>>>,
    pub p: Vec<Vec<Vec<Var<'t>>>>,
    pub z: Vec<Vec<Vec<Var<'t>>>>,
}

impl<'t> Parameters<'t> {
    pub fn new(tape: &'t Tape, problem: &Problem<f64>) -> Self {
        Self {
            couplings: tape.leaves(&problem.couplings),
            same_bin: tape.leaves(&problem.same_bin),
            bias: tape.leaves(&problem.bias),
            drive: tape.leaves(&problem.drive.to_vec()),
        }
    }
}

pub fn run<'t>(
    tape: &'t Tape,
    problem: &Problem<f64>,
    parameters: &Parameters<'t>,
    mode: Mode,
    spike_gradient: SpikeGradient,
) -> Run<'t> {
    let (units, lags, bins) = (problem.units, problem.lags, problem.drive.bins());
    let batch = problem.batch(mode);
    let mut run = Run {
        v: vec![],
        p: vec![],
        z: vec![],
    };
    for k in 0..batch.layout.trials() {
        let (mut vs, mut ps, mut zs) = (vec![], vec![], Vec::<Vec<Var<'t>>>::new());
        for t in 0..batch.layout.bins(k) {
            let silent = tape.leaf(0.0);
            let (mut v_row, mut p_row) = (vec![silent; units], vec![silent; units]);
            let mut z_row = vec![silent; units];
            // Hidden units first.
            let order: Vec<usize> = (problem.observed..units)
                .chain(0..problem.observed)
                .collect();
            for (place, &j) in order.iter().enumerate() {
                let drive = (batch.layout.condition(k) * bins + t) * units + j;
                let mut u = parameters.bias[j] + parameters.drive[drive];
                for d in 1..=lags.min(t) {
                    for (i, &z) in zs[t - d].iter().enumerate() {
                        u = u + parameters.couplings[(i * lags + d - 1) * units + j] * z;
                    }
                }
                if !problem.same_bin.is_empty() {
                    for &i in &order[..place] {
                        u = u + parameters.same_bin[i * units + j] * z_row[i];
                    }
                }
                let v = (u + -problem.theta) * (1.0 / problem.theta);
                let p = tape.leaf(1.0) / ((v * -1.0).exp() + 1.0);
                let history = t < batch.layout.first_bin();
                let z = if j < problem.observed && (history || mode == Mode::TeacherForced) {
                    tape.leaf(f64::from(batch.spikes.row(k, t)[j]))
                } else if history {
                    tape.leaf(0.0)
                } else {
                    let spiked = p.value > batch.uniforms.row(k, t)[j];
                    let slope = match spike_gradient {
                        SpikeGradient::Escape => p.value * (1.0 - p.value),
                        SpikeGradient::Triangle => 0.3 * (1.0 - v.value.abs()).max(0.0),
                        SpikeGradient::None | SpikeGradient::Score => 0.0,
                        SpikeGradient::ReinMax => {
                            let spike = f64::from(u8::from(spiked));
                            (spike - p.value).abs() / 2.0
                        }
                        SpikeGradient::Damped(factor) => factor * p.value * (1.0 - p.value),
                    };
                    v.map(f64::from(u8::from(spiked)), slope)
                };
                (v_row[j], p_row[j], z_row[j]) = (v, p, z);
            }
            vs.push(v_row);
            ps.push(p_row);
            zs.push(z_row);
        }
        run.v.push(vs);
        run.p.push(ps);
        run.z.push(zs);
    }
    run
}
