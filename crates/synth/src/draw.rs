//! Random sparse networks of excitatory and inhibitory units.

use std::f64::consts::TAU;

use rand::SeedableRng;
use rand::seq::{IteratorRandom, SliceRandom};
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use refire_core::TrialArray;
use refire_recording::BinWidth;

use crate::calibrate::{calibrate, log_odds};
use crate::features;
use crate::lognormal::lognormal;
use crate::sources::add_sources;
use crate::spectral::{Gain, spectral_radius};
use crate::truth::THETA;
use crate::{EXCITATORY, GroundTruth, INHIBITORY, SynthError, SynthSettings};

/// The drive of a condition is made of whole periods of this many bins or more.
const SHORTEST_PERIOD: usize = 25;
/// Largest summed coupling of an average excitatory synapse: it changes log-odds by 5.
const STRONGEST: f64 = 2.0;
/// Halvings of the range of strengths.
const BISECTIONS: usize = 40;

/// What each generator is for: a change in one stage leaves the draws of the others alone.
#[derive(Clone, Copy)]
enum Stage {
    Populations,
    Synapses,
    Strengths,
    Rates,
    Drive,
    Sources,
}

fn generator(seed: u64, stage: Stage) -> Xoshiro256PlusPlus {
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
    for _ in 0..stage as usize {
        generator.jump();
    }
    generator
}

impl GroundTruth {
    /// Draws a network (our construction).
    ///
    /// Every unit receives the same number of synapses from either population. All synapses of a
    /// source have the sign of its population, lognormal strengths, and filters that decay
    /// exponentially over the lags. The gain of a synapse is the expected number of spikes that one
    /// spike of the source adds to the target at its rate (or takes away), over all lags: unlike a
    /// derivative it knows how steeply the escape function rises above a low rate. Strengths are
    /// scaled so that the matrix of gains has the chosen spectral radius: the branching ratio of
    /// the network, were all its synapses excitatory. (Where loops are few, the mean over units of
    /// the spikes that one spike adds takes the place of a lower radius.) Hidden sources, if
    /// any, come after the other units: each is a unit that excites itself and so stays active for a
    /// while, and excites the units that listen to it. Biases are then corrected against free runs
    /// until each unit but the sources has its rate.
    ///
    /// # Errors
    /// [`SynthError::Value`] for a setting out of range, [`SynthError::Unstable`] where the network
    /// does not come to the mean rate asked for.
    pub fn draw(settings: &SynthSettings) -> Result<Self, SynthError> {
        settings.check()?;
        let units = settings.units();
        let population = populations(settings);
        let mask = synapses(settings, &population);
        let rates = rates(settings);
        let strengths = strengths(settings, &population, &mask, &rates);
        let bin_width = BinWidth::from_seconds(settings.bin_width_s)?;
        let (drive, stimulus) = match settings.features {
            0 => (drive(settings), None),
            _ => {
                let mut generator = generator(settings.seed, Stage::Drive);
                let (drive, stimulus) = features::drive(settings, bin_width, &mut generator)?;
                (drive, Some(stimulus))
            }
        };
        let mut truth = Self {
            couplings: filters(settings, &strengths),
            lags: settings.lags,
            bias: vec![0.0; units],
            drive,
            theta: THETA,
            observed: settings.observed_units,
            population,
            mask,
            bin_width,
            seed: settings.seed,
            stimulus,
        };
        if settings.sources > 0 {
            let mut generator = generator(settings.seed, Stage::Sources);
            add_sources(&mut truth, settings, &mut generator);
        }
        calibrate(&mut truth, &rates)?;
        Ok(truth)
    }
}

fn populations(settings: &SynthSettings) -> Vec<usize> {
    let inhibitory = (settings.inhibitory_share * settings.units() as f64).round() as usize;
    let mut labels = vec![EXCITATORY; settings.units()];
    labels
        .iter_mut()
        .take(inhibitory)
        .for_each(|l| *l = INHIBITORY);
    // Observed units are the first ones: shuffled labels make them a fair sample.
    labels.shuffle(&mut generator(settings.seed, Stage::Populations));
    labels
}

fn synapses(settings: &SynthSettings, population: &[usize]) -> Vec<bool> {
    let units = settings.units();
    let inhibitory = settings.inhibitory_share * settings.synapses_per_unit as f64;
    let inhibitory = inhibitory.round() as usize;
    let excitatory = settings.synapses_per_unit.saturating_sub(inhibitory);
    let mut generator = generator(settings.seed, Stage::Synapses);
    let mut mask = vec![false; units * units];
    for target in 0..units {
        // A fixed number of either kind keeps excitation and inhibition in balance in each unit.
        for (label, count) in [(EXCITATORY, excitatory), (INHIBITORY, inhibitory)] {
            let others = (0..units).filter(|&unit| unit != target && population[unit] == label);
            for source in others.sample(&mut generator, count) {
                mask[source * units + target] = true;
            }
        }
    }
    mask
}

fn rates(settings: &SynthSettings) -> Vec<f64> {
    let mut generator = generator(settings.seed, Stage::Rates);
    (0..settings.units())
        .map(|_| settings.mean_rate * lognormal(settings.rate_spread, &mut generator))
        .map(|rate| rate.min(0.5))
        .collect()
}

/// Couplings summed over lags, `[source][target]`, scaled.
fn strengths(
    settings: &SynthSettings,
    population: &[usize],
    mask: &[bool],
    rates: &[f64],
) -> Vec<f64> {
    let units = settings.units();
    let mut generator = generator(settings.seed, Stage::Strengths);
    let mut strengths = vec![0.0; units * units];
    for (at, strength) in strengths.iter_mut().enumerate().filter(|(at, _)| mask[*at]) {
        let sign = match population[at / units] {
            INHIBITORY => -settings.inhibition,
            _ => 1.0,
        };
        *strength = sign * lognormal(settings.strength_spread, &mut generator);
    }
    // Gains grow with the scale: bisection.
    let (mut low, mut high) = (0.0, STRONGEST);
    for _ in 0..BISECTIONS {
        let middle = (low + high) / 2.0;
        if branching(settings, &strengths, rates, middle) < settings.spectral_radius {
            low = middle;
        } else {
            high = middle;
        }
    }
    strengths.iter_mut().for_each(|s| *s *= low);
    strengths
}

/// Spectral radius of the gains of scaled strengths, or the mean gain of a unit on all others where
/// that is more.
fn branching(settings: &SynthSettings, strengths: &[f64], rates: &[f64], scale: f64) -> f64 {
    let units = settings.units();
    let weights = filter(settings);
    let gains: Vec<Gain> = strengths
        .iter()
        .enumerate()
        .filter(|(_, strength)| **strength != 0.0)
        .map(|(at, strength)| {
            let (source, target) = (at / units, at % units);
            let rest = log_odds(rates[target]);
            let added = weights.iter().map(|w| {
                let after = rest + scale * strength * w / THETA;
                (1.0 / (1.0 + (-after).exp()) - rates[target]).abs()
            });
            Gain {
                source,
                target,
                gain: added.sum(),
            }
        })
        .collect();
    let mean = gains.iter().map(|g| g.gain).sum::<f64>() / units as f64;
    spectral_radius(units, &gains).max(mean)
}

/// Share of a synapse's strength at each lag, lag 1 first.
fn filter(settings: &SynthSettings) -> Vec<f64> {
    let decay = |lag: usize| (-(lag as f64) / settings.filter_decay_bins).exp();
    let total: f64 = (0..settings.lags).map(decay).sum();
    (0..settings.lags).map(|lag| decay(lag) / total).collect()
}

/// Couplings `[source][lag][target]`: strengths spread over lags, and refractoriness.
fn filters(settings: &SynthSettings, strengths: &[f64]) -> Vec<f32> {
    let (units, lags) = (settings.units(), settings.lags);
    let filter = filter(settings);
    let mut couplings = Vec::with_capacity(units * lags * units);
    for (source, row) in strengths.chunks_exact(units).enumerate() {
        for (lag, share) in filter.iter().enumerate() {
            couplings.extend(row.iter().map(|s| (s * share) as f32));
            let own = (source * lags + lag) * units + source;
            couplings[own] = (-settings.refractory * (-(lag as f64)).exp()) as f32;
        }
    }
    couplings
}

/// Drive `[condition][bin][unit]`: random sines and cosines with whole periods in a trial, so
/// smooth and of mean zero.
fn drive(settings: &SynthSettings) -> TrialArray<f32> {
    let (bins, units) = (settings.bins, settings.units());
    let harmonics = (bins / SHORTEST_PERIOD).max(1);
    let sd = settings.drive_sd / (harmonics as f64).sqrt();
    let mut generator = generator(settings.seed, Stage::Drive);
    let mut drive = TrialArray::zeros(settings.conditions, bins, 0, units);
    for condition in 0..settings.conditions {
        let mut course = vec![0.0; bins * units];
        for harmonic in 1..=harmonics {
            let mut amplitudes = || -> Vec<f64> {
                let normals = StandardNormal.sample_iter(&mut generator);
                normals.take(units).map(|a: f64| sd * a).collect()
            };
            let (sines, cosines) = (amplitudes(), amplitudes());
            for (bin, row) in course.chunks_exact_mut(units).enumerate() {
                let (sin, cos) = (TAU * (harmonic * bin) as f64 / bins as f64).sin_cos();
                for (x, (a, b)) in row.iter_mut().zip(sines.iter().zip(&cosines)) {
                    *x += a * sin + b * cos;
                }
            }
        }
        for (to, from) in drive.trial_mut(condition).iter_mut().zip(&course) {
            *to = *from as f32;
        }
    }
    drive
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;

    fn hidden() -> SynthSettings {
        SynthSettings {
            observed_units: 12,
            hidden_units: 28,
            seed: 3,
            ..SynthSettings::default()
        }
    }

    #[test]
    fn the_mask_is_where_couplings_are_and_signs_are_those_of_the_source() {
        let truth = GroundTruth::draw(&hidden()).unwrap();
        truth.check().unwrap();
        let summed = truth.summed_couplings();
        for source in 0..40 {
            for target in 0..40 {
                let filter: Vec<f32> = (0..5)
                    .map(|lag| truth.couplings[(source * 5 + lag) * 40 + target])
                    .collect();
                if source == target {
                    assert!((filter[0] + 0.6).abs() < 1e-6 && filter[1] > filter[0]);
                    continue;
                }
                let present = truth.mask[source * 40 + target];
                assert!(filter.iter().all(|&w| (w != 0.0) == present));
                if present {
                    let ratio = f64::from(filter[3] / filter[2]);
                    assert!((ratio - (-1.0f64 / 1.5).exp()).abs() < 1e-6, "{ratio}");
                    let inhibitory = truth.population[source] == INHIBITORY;
                    assert_eq!(summed[(source, target)] < 0.0, inhibitory);
                }
            }
        }
        assert_eq!(
            truth
                .population
                .iter()
                .filter(|&&p| p == INHIBITORY)
                .count(),
            10
        );
        // Onto each unit one inhibitory synapse and three excitatory ones.
        for target in 0..40 {
            let sources = |label: usize| {
                let from = |i: &usize| truth.mask[i * 40 + target] && truth.population[*i] == label;
                (0..40).filter(from).count()
            };
            assert_eq!((sources(EXCITATORY), sources(INHIBITORY)), (3, 1));
        }
    }

    #[test]
    fn one_spike_adds_as_many_as_the_radius_says() {
        // Two units that excite each other, over one lag, at equal rates: the radius is the rise of
        // p at the spike. log-odds of 0.06 and of 0.56: difference 2.9927.
        let settings = SynthSettings {
            lags: 1,
            rate_spread: 0.0,
            spectral_radius: 0.5,
            ..SynthSettings::default()
        };
        let two = SynthSettings {
            observed_units: 2,
            strength_spread: 0.0,
            ..settings
        };
        let mask = [false, true, true, false];
        let strengths = strengths(&two, &[EXCITATORY; 2], &mask, &[0.06; 2]);
        for (at, expected) in [0.0, 2.9927, 2.9927, 0.0].into_iter().enumerate() {
            assert!(
                (strengths[at] / 0.4 - expected).abs() < 1e-3,
                "{strengths:?}"
            );
        }
    }

    #[test]
    fn the_gains_have_the_radius_asked_for() {
        for seed in 1..6 {
            let settings = SynthSettings { seed, ..hidden() };
            let population = populations(&settings);
            let mask = synapses(&settings, &population);
            let rates = rates(&settings);
            let strengths = strengths(&settings, &population, &mask, &rates);
            let couplings = filters(&settings, &strengths);
            let gains = DMatrix::from_fn(40, 40, |target, source| {
                let p = rates[target];
                let added = |lag: usize| {
                    let w = f64::from(couplings[(source * 5 + lag) * 40 + target]);
                    1.0 / (1.0 + (1.0 - p) / p * (-w / 0.4).exp()) - p
                };
                match mask[source * 40 + target] {
                    true => (0..5).map(|lag| added(lag).abs()).sum(),
                    false => 0.0,
                }
            });
            let eigen = gains.complex_eigenvalues();
            let radius = eigen
                .iter()
                .map(|l| l.norm())
                .fold(gains.sum() / 40.0, f64::max);
            let asked = settings.spectral_radius;
            assert!(
                (radius - asked).abs() < 1e-4,
                "seed {seed}: {radius} for {asked}"
            );
        }
    }

    #[test]
    fn the_drive_has_its_size_and_no_mean() {
        let settings = SynthSettings {
            conditions: 30,
            ..SynthSettings::default()
        };
        let drive = drive(&settings);
        let values = drive.as_slice();
        let square = values.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
        let sd = (square / values.len() as f64).sqrt();
        // 600 courses of 8 amplitudes each: standard error 1 % of the variance's root.
        assert!((sd - 0.2).abs() < 0.01, "{sd}");
        for unit in 0..20 {
            let sum: f64 = (0..100).map(|t| f64::from(drive.row(7, t)[unit])).sum();
            assert!(sum.abs() < 1e-4);
        }
    }

    #[test]
    fn a_drive_of_features_is_linear_in_them_and_has_its_size() {
        let settings = SynthSettings {
            features: 6,
            drive_sd: 0.4,
            bins: 400,
            ..SynthSettings::default()
        };
        let truth = GroundTruth::draw(&settings).unwrap();
        truth.check().unwrap();
        let stimulus = truth.stimulus.as_ref().unwrap();
        assert_eq!((stimulus.courses(), stimulus.features()), (4, 6));
        // 1600 bins, six weights: least squares leaves nothing.
        let rows = (0..4).flat_map(|c| stimulus.course(c).to_vec());
        let design = DMatrix::from_row_iterator(1600, 6, rows);
        let drives = DMatrix::from_fn(1600, 20, |at, unit| {
            f64::from(truth.drive.row(at / 400, at % 400)[unit])
        });
        let solved = design.clone().svd(true, true).solve(&drives, 1e-9).unwrap();
        assert!((&design * &solved - &drives).abs().max() < 1e-5);
        for unit in 0..20 {
            let norm = solved.column(unit).norm();
            assert!((norm - 0.4).abs() < 1e-4, "{norm}");
            assert_eq!(
                solved
                    .column(unit)
                    .iter()
                    .filter(|w| w.abs() > 1e-4)
                    .count(),
                4
            );
        }
        // Correlation of a feature over as many bins as it decays in: 1/e, 1600 bins of 4.
        let course = stimulus.course(0);
        let pairs = (0..396 * 6).map(|at| course[at] * course[at + 24]);
        let lagged = pairs.sum::<f64>() / course.iter().map(|x| x * x).sum::<f64>();
        assert!((lagged - 0.37).abs() < 0.15, "{lagged}");
    }

    #[test]
    fn a_stage_leaves_the_others_alone() {
        let plain = GroundTruth::draw(&hidden()).unwrap();
        let driven = GroundTruth::draw(&SynthSettings {
            conditions: 2,
            ..hidden()
        })
        .unwrap();
        assert_eq!(plain.couplings, driven.couplings);
        assert_ne!(plain.drive, driven.drive);
        assert_eq!(GroundTruth::draw(&hidden()).unwrap(), plain);
        let other = GroundTruth::draw(&SynthSettings {
            seed: 4,
            ..hidden()
        })
        .unwrap();
        assert_ne!(other.mask, plain.mask);
    }

    #[test]
    fn a_network_that_runs_away_is_refused() {
        // Excitation alone, each unit linked to all others: a second, saturated state.
        let settings = SynthSettings {
            observed_units: 60,
            synapses_per_unit: 59,
            inhibitory_share: 0.0,
            spectral_radius: 0.99,
            drive_sd: 1.0,
            ..SynthSettings::default()
        };
        let error = GroundTruth::draw(&settings).unwrap_err();
        assert!(
            matches!(error, SynthError::Unstable { found, .. } if found > 0.075),
            "{error}"
        );
    }

    #[test]
    fn extreme_strengths_stay_finite() {
        let settings = SynthSettings {
            strength_spread: 2.0,
            inhibition: 1000.0,
            spectral_radius: 0.3,
            ..hidden()
        };
        let population = populations(&settings);
        let mask = synapses(&settings, &population);
        let strengths = strengths(&settings, &population, &mask, &rates(&settings));
        assert!(strengths.iter().all(|s| s.is_finite()));
        assert!(strengths.iter().any(|&s| s > 0.0));
    }

    #[test]
    fn single_units_and_missing_synapses_are_no_special_case() {
        for (observed_units, synapses_per_unit) in [(1, 5), (4, 0), (3, 1_000_000)] {
            let settings = SynthSettings {
                observed_units,
                synapses_per_unit,
                bins: 1,
                lags: 1,
                ..SynthSettings::default()
            };
            let truth = GroundTruth::draw(&settings).unwrap();
            let synapses = truth.mask.iter().filter(|&&m| m).count();
            let expected = if synapses_per_unit > 5 { 6 } else { 0 };
            assert_eq!((truth.units(), synapses), (observed_units, expected));
        }
    }
}
