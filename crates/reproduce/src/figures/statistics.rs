//! Figure 2: statistics of free-running networks per objective, beside their ceilings (claim 2).

use refire_fit::{Drive, DriveKind, Evaluation, Form, Specification};
use refire_synth::SynthSettings;
use serde::{Deserialize, Serialize};

use crate::Plan;
use crate::fits::{Method, base};
use crate::recordings::{Published, Real};

mod draw;
mod examples;
mod views;
mod work;

use examples::Examples;

pub(crate) struct Statistics;

/// What is recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
enum Source {
    Synthetic(SynthSettings),
    Real(Real),
    /// The published recording, behind a convolutional encoder of its movie.
    Published(Published),
}

/// One fit.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Item {
    source: Source,
    method: Method,
    seed: u64,
    spec: Specification,
    /// Whether PSTHs, matrices and spikes are kept for the drawing.
    examples: bool,
}

/// Held-out figures of merit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Teacher-forced, bits per spike.
    bits_per_spike: Option<f64>,
    psth: Option<f64>,
    psth_ceiling: Option<f64>,
    noise_pearson: Option<f64>,
    noise_pearson_ceiling: Option<f64>,
    noise_r2: Option<f64>,
    noise_r2_ceiling: Option<f64>,
    rate_model_hz: Option<f64>,
    rate_data_hz: Option<f64>,
    divergent_share: f64,
    examples: Option<Examples>,
}

/// Fits of the figure.
type Fits = [(Item, Found)];

impl Source {
    fn network(&self) -> Option<&SynthSettings> {
        match self {
            Self::Synthetic(network) => Some(network),
            _ => None,
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Synthetic(_) => SYNTHETIC,
            Self::Real(real) => &real.name,
            Self::Published(_) => "pvc-11, natural movie",
        }
    }
}

/// Objectives of real recordings.
const OF_REAL: [Method; 3] = [
    Method::Mle,
    Method::Full(Form::Published),
    Method::Full(Form::Corrected),
];

/// Name of the synthetic recording.
const SYNTHETIC: &str = "synthetic, V1-like";

/// 69 units recorded of 200 at 40 ms, 120 repeats of one movie-like stimulus: the size of the paper's
/// recording.
fn network(plan: &Plan, seed: u64) -> SynthSettings {
    SynthSettings {
        observed_units: plan.pick(30, 69, 69),
        hidden_units: plan.pick(30, 131, 131),
        trials: plan.pick(60, 120, 120),
        bins: plan.pick(160, 320, 641),
        conditions: 1,
        bin_width_s: 0.04,
        mean_rate: 0.12,
        rate_spread: 0.4,
        synapses_per_unit: 12,
        inhibitory_share: 0.25,
        spectral_radius: 0.9,
        drive_sd: 0.6,
        features: 20,
        // Unseen units that switch on for some 400 ms now and then: common fluctuations.
        sources: 4,
        source_strength: 1.0,
        source_on_bins: 10.0,
        source_off_bins: 30.0,
        seed,
        ..SynthSettings::default()
    }
}

/// A quarter of the repeats for the test, a twelfth for validation: 80, 10 and 30 of 120.
fn spec(plan: &Plan, drive: DriveKind, seed: u64) -> Specification {
    let mut spec = base(plan.pick(60, 400, 500), seed);
    spec.drive = Drive::new(drive);
    spec.batch.free_bins = plan.pick(4_000, 20_000, 20_000);
    spec.held_out.validation = 1.0 / 9.0;
    spec
}

/// Recorded trials per iteration of long trials.
const BATCH: usize = 20;

/// [`spec`] for long trials.
fn spec_of_long(plan: &Plan, drive: DriveKind, seed: u64) -> Specification {
    let mut spec = spec(plan, drive, seed);
    spec.batch.trials = BATCH;
    spec
}

impl Found {
    fn new(evaluation: &Evaluation, examples: Option<Examples>) -> Self {
        let test = &evaluation.test;
        Self {
            bits_per_spike: test.bits_per_spike.value(),
            psth: test.psth_correlation.value(),
            psth_ceiling: test.psth_correlation_ceiling.value(),
            noise_pearson: test.noise_correlation_pearson.value(),
            noise_pearson_ceiling: test.noise_correlation_ceiling_pearson.value(),
            noise_r2: test.noise_correlation_r2.value(),
            noise_r2_ceiling: test.noise_correlation_ceiling_r2.value(),
            rate_model_hz: test.rate_hz_model.value(),
            rate_data_hz: test.rate_hz_data.value(),
            divergent_share: evaluation.stability.stability.divergent_share,
            examples,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Figure;
    use refire_drive::MovieShape;
    use std::path::Path;

    /// A numpy file of format 1.0.
    fn npy(path: &Path, descr: &str, shape: &str, data: &[u8]) {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        let padded = format!("{header:<117}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((padded.len() as u16).to_le_bytes());
        bytes.extend(padded.as_bytes());
        bytes.extend(data);
        std::fs::write(path, bytes).unwrap();
    }

    /// A folder as the published notebook prepares it, in small: a movie of 9 x 9 pixels and 30 frames, three
    /// units, of which the first fires after bright frames.
    fn folder(path: &Path) {
        const FRAMES: usize = 30;
        let bright = |frame: usize| frame % 7 < 3;
        let pixels = (0..81).flat_map(|pixel| (0..FRAMES).map(move |frame| (pixel, frame)));
        let movie: Vec<u8> = pixels
            .flat_map(|(pixel, frame)| {
                let noise = ((pixel * 31 + frame * 17) % 13) as f32 / 13.0;
                (noise + if bright(frame) { 2.0 } else { 0.0 }).to_le_bytes()
            })
            .collect();
        npy(&path.join("movie.npy"), "<f4", "(9, 9, 30)", &movie);
        for (name, repeats) in [
            ("S_1_train(last)_natural_first80.npy", 12),
            ("S_1_train(last)_natural_next30.npy", 6),
            ("S_1_train(last)_natural_last10.npy", 4),
        ] {
            let bins = (0..repeats * FRAMES).flat_map(|row| (0..3).map(move |unit| (row, unit)));
            let spikes: Vec<u8> = bins
                .map(|(row, unit)| {
                    let draw = (row * 7919 + unit * 104_729 + repeats * 13) % 97;
                    let often = if unit == 0 && bright(row % FRAMES) {
                        60
                    } else {
                        15
                    };
                    u8::from(draw < often)
                })
                .collect();
            let shape = format!("({}, 3)", repeats * FRAMES);
            npy(&path.join(name), "|b1", &shape, &spikes);
        }
    }

    #[test]
    fn the_published_recording_is_fitted_through_its_movie() {
        let here = tempfile::tempdir().unwrap();
        folder(here.path());
        let plan = Plan {
            published: Some(here.path().to_path_buf()),
            ..Plan::new(crate::Size::Quick)
        };
        let items = Statistics.items(&plan).unwrap();
        let published = |item: &&Item| matches!(item.source, Source::Published(_));
        let items: Vec<&Item> = items.iter().filter(published).collect();
        assert_eq!(items.len(), 2 * Method::ALL.len());
        for method in [Method::Mle, Method::Full(Form::Corrected)] {
            let item = items.iter().find(|item| item.method == method).unwrap();
            assert_eq!(item.spec.drive.kind(), DriveKind::Movie);
            let mut small = (*item).clone();
            small.spec.drive = Drive::Movie(MovieShape {
                height: 9,
                width: 9,
                frames: 2,
                ..MovieShape::default()
            });
            small.spec.batch.free_bins = 600;
            small.spec.network.lags = 3;
            if let Some(adam) = small.spec.optimiser.steps_mut() {
                adam.iterations = 60;
            }
            let found = Statistics.measure(&small).unwrap();
            // Item 0 follows the brightness in data and model; of six test repeats of thirty bins.
            assert!(found.psth.unwrap() > 0.1, "{found:?}");
            assert!(found.bits_per_spike.unwrap() > 0.0, "{found:?}");
        }
    }
}
