//! Hidden sources: units that switch between silence and lasting activity, and excite the others.

use rand_xoshiro::Xoshiro256PlusPlus;
use refire_core::TrialArray;

use crate::calibrate::log_odds;
use crate::lognormal::lognormal;
use crate::truth::THETA;
use crate::{EXCITATORY, GroundTruth, SynthSettings};

/// Adds the sources after the last unit. A source fires in (almost) every bin of an active period
/// and in none of a silent one: its self-coupling at lag 1 keeps it active, and its bias starts it.
/// Unit j listens to source `j % sources`, one bin later.
///
/// What it does to the recording: all units of a source rise and fall together for longer than the
/// filters of a fit reach, by a bounded amount, for a reason that no recorded spike carries.
pub(crate) fn add_sources(
    truth: &mut GroundTruth,
    settings: &SynthSettings,
    generator: &mut Xoshiro256PlusPlus,
) {
    let (drawn, lags) = (truth.units(), truth.lags);
    let units = drawn + settings.sources;
    let mut couplings = vec![0.0; units * lags * units];
    for (to, from) in couplings
        .chunks_exact_mut(units)
        .zip(truth.couplings.chunks_exact(drawn))
    {
        to[..drawn].copy_from_slice(from);
    }
    let mut mask = vec![false; units * units];
    for (to, from) in mask
        .chunks_exact_mut(units)
        .zip(truth.mask.chunks_exact(drawn))
    {
        to[..drawn].copy_from_slice(from);
    }
    let start = log_odds(1.0 / settings.source_off_bins);
    let stay = log_odds(1.0 - 1.0 / settings.source_on_bins);
    for source in 0..settings.sources {
        let unit = drawn + source;
        let lag_1 = &mut couplings[unit * lags * units..][..units];
        lag_1[unit] = (THETA * (stay - start)) as f32;
        for target in (source..drawn).step_by(settings.sources) {
            let strength =
                settings.source_strength * lognormal(settings.strength_spread, generator);
            lag_1[target] = strength as f32;
            mask[unit * units + target] = true;
        }
        truth.bias.push((THETA * (1.0 + start)) as f32);
        truth.population.push(EXCITATORY);
    }
    let mut drive = TrialArray::zeros(truth.conditions(), truth.bins(), 0, units);
    for condition in 0..truth.conditions() {
        for bin in 0..truth.bins() {
            drive.row_mut(condition, bin)[..drawn].copy_from_slice(truth.drive.row(condition, bin));
        }
    }
    (truth.couplings, truth.mask, truth.drive) = (couplings, mask, drive);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate;

    #[test]
    fn sources_switch_as_asked_and_their_units_rise_with_them() {
        let settings = SynthSettings {
            bins: 400,
            trials: 200,
            ..SynthSettings::demo()
        };
        let truth = GroundTruth::draw(&settings).unwrap();
        truth.check().unwrap();
        assert_eq!((truth.units(), truth.observed), (27, 24));
        let spikes = simulate(&truth, 50, 3).unwrap();
        for source in 0..3 {
            let unit = 24 + source;
            // Counts of (active, inactive) bins, of the switches out of them, and of listeners'
            // spikes one bin after them.
            let (mut bins, mut switches, mut heard) = ([0.0; 2], [0.0; 2], [0.0; 2]);
            for trial in 0..spikes.trials() {
                for bin in 1..spikes.bins() {
                    let (before, now) = (spikes.row(trial, bin - 1), spikes.row(trial, bin));
                    let state = usize::from(before[unit] == 0);
                    bins[state] += 1.0;
                    switches[state] += f64::from(now[unit] != before[unit]);
                    heard[state] += (source..24)
                        .step_by(3)
                        .map(|j| f64::from(now[j]))
                        .sum::<f64>();
                }
            }
            // About 1600 periods of either kind: standard error 2.5 %.
            let lengths = [bins[0] / switches[0], bins[1] / switches[1]];
            assert!((lengths[0] / 12.0 - 1.0).abs() < 0.1, "{lengths:?}");
            assert!((lengths[1] / 36.0 - 1.0).abs() < 0.1, "{lengths:?}");
            let rise = (heard[0] / bins[0]) / (heard[1] / bins[1]);
            assert!(rise > 4.0, "source {source}: rates rise by {rise}");
        }
    }

    #[test]
    fn without_sources_the_network_is_the_drawn_one() {
        let settings = SynthSettings::default();
        let plain = GroundTruth::draw(&settings).unwrap();
        assert_eq!(plain.units(), settings.units());
        let with = GroundTruth::draw(&SynthSettings {
            sources: 2,
            ..settings
        })
        .unwrap();
        assert_eq!(with.units(), 22);
        let block = |truth: &GroundTruth, at: usize| -> Vec<f32> {
            let units = truth.units();
            truth.couplings[at * units..][..20].to_vec()
        };
        for at in 0..20 * plain.lags {
            assert_eq!(block(&plain, at), block(&with, at));
        }
    }
}
