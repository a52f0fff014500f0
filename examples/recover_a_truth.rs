//! Couplings that are known, and what a fit finds of them: one dependency, `refire`.

use refire::fit::{ObjectiveKind, Specification, Trainer};
use refire::metrics::Connectivity;
use refire::synth::{GroundTruth, SynthSettings, recording};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("trials   correlation with the true couplings");
    for trials in [40, 200, 800] {
        let settings = SynthSettings {
            observed_units: 10,
            trials,
            bins: 100,
            ..SynthSettings::default()
        };
        let truth = GroundTruth::draw(&settings)?;
        let recording = recording(&truth, settings.trials_per_condition()?, settings.seed)?;

        // All units are recorded: maximum likelihood, taken to its optimum, is enough.
        let mut spec = Specification::new(&recording, ObjectiveKind::Mle);
        spec.network.lags = settings.lags;
        let mut trainer = Trainer::new(&recording, &spec)?;
        while !trainer.finished() {
            trainer.step()?;
        }
        let found = trainer.model().summed_couplings(10)?; // [source][target]
        let recovered = Connectivity::compare(&truth.summed_couplings(), &found);
        println!(
            "{trials:6}   {:.3}",
            recovered.correlation.value().unwrap_or(f64::NAN)
        );
    }
    Ok(())
}
