//! A network left to run: one dependency, `refire-sim`.

use refire_sim::{DenseCoupling, Network, Simulation, TrialArray};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Unit 0 excites unit 1, which inhibits unit 0, over two lags.
    let (units, lags) = (2, 2);
    let mut weights = vec![0.0f32; units * lags * units]; // [source][lag][target], current per spike
    weights[1] = 1.5; // source 0, lag 1, target 1
    weights[6] = -2.0; // source 1, lag 2, target 0
    let coupling = DenseCoupling::new(&weights, units, lags)?;
    let network = Network::new(coupling, &[-0.4, -1.0]);

    // A drive onto unit 0 in the second half of every trial, `[condition][bin][unit]`, current.
    let mut drive = TrialArray::zeros(1, 200, 0, units);
    for bin in 100..200 {
        drive.row_mut(0, bin)[0] = 0.8;
    }
    let run = Simulation::new(50, 200)
        .with_seed(7)
        .with_drive(&drive)
        .run(&network)?;

    // Spikes are `[trial][bin][unit]`.
    let spikes = &run.trajectory.spikes;
    for (half, bins) in [("without drive", 0..100), ("with drive", 100..200)] {
        let mut counts = [0u32; 2];
        for trial in 0..spikes.trials() {
            for bin in bins.clone() {
                for (count, &z) in counts.iter_mut().zip(spikes.row(trial, bin)) {
                    *count += u32::from(z);
                }
            }
        }
        let per_bin = counts.map(|count| f64::from(count) / (50.0 * 100.0));
        println!(
            "{half}: {:.3} and {:.3} spikes per bin",
            per_bin[0], per_bin[1]
        );
    }
    Ok(())
}
