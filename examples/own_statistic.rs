//! A statistic of your own as a loss: one dependency, `refire-loss`. To fit with it, give it to a
//! `refire_engine::Engine` as a `WeightedTerm`; a `Trainer` takes the terms of its specification only.
//!
//! `V` is the variance over trials of the spike count of a whole trial, and the loss `(V / V* - 1)^2`.

use refire_loss::{
    AdjointSink, DenseCoupling, LossError, LossTerm, Network, Simulation, TrialLayout, Window,
};

/// `V*`, spikes squared.
const TARGET: f64 = 50.0;

#[derive(Default)]
struct TrialCounts {
    counts: Vec<f64>,
    error: f64,
    slopes: Vec<f64>,
}

impl LossTerm<f64> for TrialCounts {
    fn name(&self) -> &'static str {
        "trial_counts"
    }

    fn begin(&mut self, whole: &TrialLayout, _with_adjoints: bool) -> Result<(), LossError> {
        self.counts = vec![0.0; whole.trials()];
        Ok(())
    }

    fn measure(&mut self, window: &Window<'_, f64>) {
        for (k, count) in self.counts.iter_mut().enumerate() {
            for t in window.layout.first_bin()..window.layout.bins(k) {
                let spikes = window.trajectory.spikes.row(k, t);
                *count += spikes.iter().map(|&z| f64::from(z)).sum::<f64>();
            }
        }
    }

    /// `dL/dz[k,t,i] = 4 (V / V* - 1) / V* (n_k - mean) / (K - 1)`, the same for all spikes of a trial.
    fn finish(&mut self, weight: f64) -> Result<(), LossError> {
        let trials = self.counts.len() as f64;
        let mean = self.counts.iter().sum::<f64>() / trials;
        let squares = self.counts.iter().map(|n| (n - mean).powi(2));
        self.error = squares.sum::<f64>() / (trials - 1.0) / TARGET - 1.0;
        let factor = weight * 4.0 * self.error / TARGET / (trials - 1.0);
        self.slopes = self.counts.iter().map(|n| factor * (n - mean)).collect();
        Ok(())
    }

    fn add_adjoints(&mut self, window: &Window<'_, f64>, sink: &mut AdjointSink<'_, f64>) {
        for (k, &slope) in self.slopes.iter().enumerate() {
            for t in window.layout.first_bin()..window.layout.bins(k) {
                let row = sink.spikes().row_mut(k, t);
                row.iter_mut().for_each(|d| *d += slope);
            }
        }
    }

    fn value(&self) -> f64 {
        self.error.powi(2)
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    for weight in [0.0, 1.0, 2.0] {
        let weights = [0.0, weight, weight, 0.0]; // two units excite each other
        let network = Network::new(DenseCoupling::new(&weights, 2, 1)?, &[-1.0, -1.0]);
        let run = Simulation::new(200, 100).run(&network)?;
        let loss = TrialCounts::default().evaluate(&run.window(), 1.0, None)?;
        println!("coupling {weight}: loss {loss:.3}");
    }
    Ok(())
}
