//! A drive made of known features, as a movie or a sound gives them to an experimenter.

use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use refire_core::TrialArray;
use refire_recording::{BinWidth, Stimulus};

use crate::{SynthError, SynthSettings};

/// Features that a unit responds to.
const RESPONDS_TO: usize = 4;

/// Drive `[condition][bin][unit]` and the features it is linear in.
///
/// Every feature is an independent Gaussian process of variance 1 whose correlation falls to 1/e within
/// `feature_decay_bins`; every unit responds, without lag, to a few of them with normal weights, such that
/// its drive has the standard deviation `drive_sd`. Each condition has its own course of all features.
pub(crate) fn drive(
    settings: &SynthSettings,
    bin_width: BinWidth,
    generator: &mut Xoshiro256PlusPlus,
) -> Result<(TrialArray<f32>, Stimulus), SynthError> {
    let (conditions, bins, units) = (settings.conditions, settings.bins, settings.units());
    let features = settings.features;
    let mut normal = || -> f64 { StandardNormal.sample(generator) };
    let keep = (-1.0 / settings.feature_decay_bins).exp();
    let fresh = (1.0 - keep * keep).sqrt();
    let mut values = Vec::with_capacity(conditions * bins * features);
    for _ in 0..conditions {
        let mut now: Vec<f64> = (0..features).map(|_| normal()).collect();
        for _ in 0..bins {
            values.extend_from_slice(&now);
            now.iter_mut()
                .for_each(|x| *x = keep * *x + fresh * normal());
        }
    }
    let mut weights = vec![0.0; units * features];
    for (unit, row) in weights.chunks_exact_mut(features).enumerate() {
        // Neighbouring units share features, as neurons of one area do.
        let first = unit * features / units;
        for at in 0..RESPONDS_TO.min(features) {
            row[(first + at) % features] = normal();
        }
        let norm = row.iter().map(|w| w * w).sum::<f64>().sqrt();
        row.iter_mut().for_each(|w| *w *= settings.drive_sd / norm);
    }
    let mut drive = TrialArray::zeros(conditions, bins, 0, units);
    for (at, present) in values.chunks_exact(features).enumerate() {
        let row = drive.row_mut(at / bins, at % bins);
        for (x, weights) in row.iter_mut().zip(weights.chunks_exact(features)) {
            let products = weights.iter().zip(present).map(|(w, f)| w * f);
            *x = products.sum::<f64>() as f32;
        }
    }
    let stimulus = Stimulus::new(values, Some(conditions), features, bin_width)?;
    Ok((drive, stimulus))
}
