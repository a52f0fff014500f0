//! A file to a model that is left to run: one dependency, `refire`.
//!
//! `cargo run --example fit_a_file -- recording.npz`; without a file it writes a small one first.

use refire::fit::{ObjectiveKind, RecordingFile, Specification, Trainer, evaluate};
use refire::synth::{GroundTruth, SynthSettings, recording};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("refire-fit-a-file-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let path = match std::env::args()
        .nth(1)
        .filter(|given| given.ends_with(".npz"))
    {
        Some(given) => given.into(),
        None => {
            let small = SynthSettings {
                observed_units: 8,
                trials: 40,
                bins: 100,
                ..SynthSettings::default()
            };
            let truth = GroundTruth::draw(&small)?;
            let written = folder.join("recording.npz");
            recording(&truth, small.trials_per_condition()?, 1)?.write_npz(&written)?;
            written
        }
    };

    let file = RecordingFile::open(&path)?;
    let recording = file.bin(Some("10ms".parse()?))?;
    // The defaults of `refire fit`; change what you want to have otherwise.
    let mut spec = Specification::new(&recording, ObjectiveKind::MleAndSampleAndMeasure);
    if let Some(adam) = spec.optimiser.steps_mut() {
        adam.iterations = 50;
    }
    let mut trainer = Trainer::new(&recording, &spec)?;
    while !trainer.finished() {
        trainer.step()?;
    }
    let model = trainer.model();
    model.write(&folder.join("model.refire"))?;

    // Held-out trials, and as many that the model makes up.
    let found = evaluate(&model, &recording, None)?;
    println!("bits per spike: {:?}", found.test.bits_per_spike.value());
    println!(
        "runs that leave the range of the data: {:.0} %",
        100.0 * found.stability.stability.divergent_share
    );
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
