//! A loss of your own, its adjoint by hand, and finite differences beside: one dependency, `refire-bptt`.

use refire_bptt::{
    DenseCoupling, KeyedUniforms, Mode, Network, Pass, Purpose, Simulation, SpikeGradient, Stream,
    Sweep, Trajectory, TrialArray, TrialLayout, Window, gradient, run,
};

const BIAS: [f64; 2] = [-0.4, -0.8];

/// Negative log-likelihood `L = sum ln(1 + e^v) - z v` of recorded spikes, nats, and `dL/dW` of all couplings.
fn likelihood(
    weights: &[f64],
    spikes: &TrialArray<u8>,
) -> Result<(f64, Vec<f64>), Box<dyn std::error::Error>> {
    let network = Network::new(DenseCoupling::new(weights, 2, 1)?, &BIAS);
    let layout = TrialLayout::uniform(spikes.trials(), spikes.bins(), 0)?;
    let drive = TrialArray::zeros(1, spikes.bins(), 0, 2);
    let (pass, keys) = (
        Pass::teacher_forced(&layout, spikes, &drive),
        vec![0; spikes.trials()],
    );
    let nothing_is_drawn = KeyedUniforms::new(Stream::new(1, Purpose::TeacherForced), 0, &keys);
    let mut trajectory = Trajectory::default();
    run(&network, &pass, &nothing_is_drawn, &mut trajectory)?;

    let mut loss = 0.0;
    let (window, mode) = (Window::whole(&layout, &trajectory), Mode::TeacherForced);
    let sweep = Sweep {
        mode,
        window,
        spike_gradient: SpikeGradient::Escape,
    };
    let found = gradient(&network, &sweep, |sink| {
        for trial in 0..spikes.trials() {
            for bin in 0..spikes.bins() {
                let (v, z) = (trajectory.potential.row(trial, bin), spikes.row(trial, bin));
                let d_potential = sink.potential().row_mut(trial, bin);
                for unit in 0..2 {
                    let (v, z) = (v[unit], f64::from(z[unit]));
                    loss += v.exp().ln_1p() - z * v;
                    d_potential[unit] = 1.0 / (1.0 + (-v).exp()) - z;
                }
            }
        }
    });
    Ok((loss, found.couplings.to_vec()))
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let weights = [0.1, 1.0, -0.5, 0.0]; // [source][lag][target], current per spike
    let truth = Network::new(DenseCoupling::new(&weights, 2, 1)?, &BIAS);
    let spikes = Simulation::new(20, 50).run(&truth)?.trajectory.spikes;
    let (_, by_hand) = likelihood(&weights, &spikes)?;
    for (at, by_hand) in by_hand.iter().enumerate() {
        let moved = |by: f64| -> Result<f64, Box<dyn std::error::Error>> {
            let mut weights = weights;
            weights[at] += by;
            Ok(likelihood(&weights, &spikes)?.0)
        };
        let difference = (moved(1e-5)? - moved(-1e-5)?) / 2e-5;
        println!("dL/dW[{at}]: {by_hand:9.4} by the sweep, {difference:9.4} by differences");
        assert!((by_hand - difference).abs() < 1e-5 * (1.0 + difference.abs()));
    }
    Ok(())
}
