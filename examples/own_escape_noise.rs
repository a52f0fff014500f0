//! An escape noise of your own: one dependency, `refire-bptt`.

use refire_bptt::{
    DenseCoupling, EscapeNoise, Mode, Network, Simulation, SpikeGradient, Sweep, gradient,
};

/// `p = 1 - exp(-exp(v))`: the chance of a spike or more from a Poisson process of rate `exp(v)` per bin.
struct Exponential;

impl EscapeNoise<f64> for Exponential {
    fn probability(&self, v: f64) -> f64 {
        -(-v.exp()).exp_m1()
    }

    fn slope(&self, v: f64, _p: f64) -> f64 {
        (v - v.exp()).exp()
    }

    fn surprise(&self, v: f64, spiked: bool) -> f64 {
        match spiked {
            true => -self.probability(v).ln(),
            false => v.exp(),
        }
    }

    fn surprise_slope(&self, v: f64, p: f64, spiked: bool) -> f64 {
        match spiked {
            true => -self.slope(v, p) / p,
            false => v.exp(),
        }
    }

    fn potential(&self, p: f64) -> f64 {
        (-(-p).ln_1p()).ln()
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let weights = [0.0f64, 1.0, 0.0, 0.0]; // [source][lag][target]: unit 0 excites unit 1
    let coupling = DenseCoupling::new(&weights, 2, 1)?;
    let network = Network::new(coupling, &[-0.5, -1.0]).with_escape(Exponential);
    let run = Simulation::new(200, 100).run(&network)?;

    // The mean rate of unit 1 and its gradient, through the spikes of unit 0 as well.
    let share = 1.0 / (200.0 * 100.0);
    let (ones, trials) = ([0.0, share].repeat(100), Vec::from_iter(0..200)); // dL/dp, [bin][unit]
    let (window, mode) = (run.window(), Mode::FreeRunning);
    let spike_gradient = SpikeGradient::Escape;
    let found = gradient(
        &network,
        &Sweep {
            mode,
            window,
            spike_gradient,
        },
        |sink| sink.add_probability(&trials, 2, |_| &ones),
    );
    let p = run.trajectory.probability.as_slice();
    let rate = p.chunks(2).map(|p| p[1]).sum::<f64>() * share;
    println!("rate of unit 1: {rate:.3} spikes per bin");
    println!("d rate / d coupling: {:.3}", found.couplings[1]);
    Ok(())
}
