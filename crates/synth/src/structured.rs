//! Networks of named populations with a given matrix of couplings between them.

use std::f64::consts::TAU;

use rand::SeedableRng;
use rand::seq::IteratorRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use refire_core::TrialArray;
use refire_recording::{BinWidth, Stimulus};

use crate::calibrate::calibrate;
use crate::lognormal::lognormal;
use crate::size::check_network;
use crate::truth::THETA;
use crate::{GroundTruth, SynthError};

/// A population of a [`StructuredSettings`] network.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// Its name.
    pub name: String,
    /// Number of units, observed and hidden.
    pub units: usize,
    /// How many of them are observed.
    pub observed: usize,
    /// Mean rate of every unit, spikes per bin.
    pub rate: f64,
    /// Period of its feature, bins; `None` leaves the population without drive. The feature is 1
    /// while the sine of that period is above 0.6 (three tenths of the time), else 0.
    pub period: Option<f64>,
}

/// A network of populations. All its synapses act in the bin after the spike; a path over another unit
/// takes two bins.
#[derive(Clone, Debug, PartialEq)]
pub struct StructuredSettings {
    /// Populations, in the order of the rows and columns of `blocks`.
    pub populations: Vec<Population>,
    /// Couplings `[source population][target population]`: the sum over all sources of a population
    /// that a unit of another receives, on average, a current per spike. Dale's law: no row has
    /// both signs.
    pub blocks: Vec<Vec<f64>>,
    /// Share of the sources of a block that a target listens to; at least one, the same number for
    /// every target of a block.
    pub connection: f64,
    /// Standard deviation of the logarithm of single synapses of a block (lognormal).
    pub strength_spread: f64,
    /// Current that a population's feature puts on its units while it is 1.
    pub drive_gain: f64,
    /// Bins per trial; one condition.
    pub bins: usize,
    /// Width of a bin, seconds.
    pub bin_width_s: f64,
    /// Seed of the network.
    pub seed: u64,
}

/// Names of the excitatory assemblies of [`StructuredSettings::assemblies`]; their interneurons follow.
pub const ASSEMBLIES: [&str; 3] = ["A", "B", "C"];

impl StructuredSettings {
    /// A small cortical scheme (our construction): three assemblies of excitatory cells in a ring,
    /// each with its own inhibitory interneurons, four excitatory cells to one inhibitory.
    ///
    /// Every assembly excites itself. It excites the next one directly, and that one's interneurons
    /// more: feed-forward inhibition, the usual companion of excitation between cortical
    /// populations, which reaches the cells a bin later than the excitation. No synapse leads to the
    /// assembly before. An interneuron inhibits the assembly that it belongs to, which excites it in turn
    /// (feedback inhibition).
    ///
    /// Extracellular electrodes see excitatory cells first: of `observed` units as many as there
    /// are, spread evenly over the assemblies, and interneurons only beyond. Whoever sees
    /// excitatory cells alone sees the direct excitation of the next assembly, and its
    /// suppression a bin later, whose cause is not recorded.
    pub fn assemblies(units: usize, observed: usize, seed: u64) -> Self {
        let n = ASSEMBLIES.len();
        let inhibitory = units / 5;
        let seen_inhibitory = observed.saturating_sub(units - inhibitory);
        let share = |total: usize, at: usize| total / n + usize::from(at < total % n);
        let mut populations = Vec::new();
        for (kind, total, seen, rate) in [
            ("", units - inhibitory, observed - seen_inhibitory, 0.15),
            ("I", inhibitory, seen_inhibitory, 0.25),
        ] {
            for (at, name) in ASSEMBLIES.iter().enumerate() {
                populations.push(Population {
                    name: format!("{kind}{name}"),
                    units: share(total, at),
                    observed: share(seen, at),
                    rate,
                    period: kind.is_empty().then_some([50.0, 37.0, 61.0][at]),
                });
            }
        }
        let mut blocks = vec![vec![0.0; 2 * n]; 2 * n];
        for at in 0..n {
            let next = (at + 1) % n;
            blocks[at][at] = 1.5;
            blocks[at][next] = 0.8;
            blocks[at][n + next] = 2.0;
            blocks[at][n + at] = 0.8;
            blocks[n + at][at] = -3.0;
        }
        Self {
            populations,
            blocks,
            connection: 0.2,
            strength_spread: 0.5,
            drive_gain: 0.4,
            bins: 200,
            bin_width_s: 0.005,
            seed,
        }
    }

    fn units(&self) -> usize {
        let units = self.populations.iter().map(|p| p.units);
        units.fold(0, usize::saturating_add)
    }

    fn observed(&self) -> usize {
        self.populations.iter().map(|p| p.observed).sum()
    }

    /// Checks every number for its range.
    ///
    /// # Errors
    /// [`SynthError::Value`] and [`SynthError::Shape`].
    pub fn check(&self) -> Result<(), SynthError> {
        let value = |quantity: String, found: f64, range: [f64; 2]| {
            let [low, high] = range;
            if found >= low && found <= high {
                return Ok(());
            }
            Err(SynthError::value(
                quantity,
                found,
                format!("{low} to {high}"),
            ))
        };
        for p in &self.populations {
            let name = &p.name;
            if p.units == 0 {
                return Err(SynthError::value(
                    format!("units of {name}"),
                    0,
                    "1 or more",
                ));
            }
            if p.observed > p.units {
                let expected = format!("at most {} (its units)", p.units);
                return Err(SynthError::value(
                    format!("observed units of {name}"),
                    p.observed,
                    expected,
                ));
            }
            value(format!("rate of {name}"), p.rate, [1e-4, 0.9])?;
            value(
                format!("period of {name}"),
                p.period.unwrap_or(2.0),
                [2.0, 1e6],
            )?;
        }
        value("connection".into(), self.connection, [0.0, 1.0])?;
        value("strength_spread".into(), self.strength_spread, [0.0, 3.0])?;
        value("drive_gain".into(), self.drive_gain, [-100.0, 100.0])?;
        if self.bins == 0 {
            return Err(SynthError::value("bins", 0, "1 or more"));
        }
        let n = self.populations.len();
        let ragged = self.blocks.iter().map(Vec::len).find(|&len| len != n);
        if self.blocks.len() != n || ragged.is_some() {
            return Err(SynthError::Shape {
                quantity: "blocks [source population][target population]",
                expected: format!("{n} x {n}"),
                found: format!("{} x {}", self.blocks.len(), ragged.unwrap_or(n)),
            });
        }
        for (p, row) in self.populations.iter().zip(&self.blocks) {
            for &w in row {
                value(format!("coupling of {}", p.name), w, [-100.0, 100.0])?;
            }
            if row.iter().any(|&w| w > 0.0) && row.iter().any(|&w| w < 0.0) {
                let quantity = format!("signs of the couplings of {}", p.name);
                return Err(SynthError::value(quantity, "both", "one (Dale's law)"));
            }
        }
        check_network(self.units(), 1, 1, self.bins)
    }

    /// Population of every unit: the observed ones first, population by population, then the hidden ones.
    fn members(&self) -> Vec<usize> {
        let all = || self.populations.iter().enumerate();
        let observed = all().flat_map(|(at, p)| std::iter::repeat_n(at, p.observed));
        let hidden = all().flat_map(|(at, p)| std::iter::repeat_n(at, p.units - p.observed));
        observed.chain(hidden).collect()
    }
}

impl GroundTruth {
    /// Draws a network of populations; labels are their places among the settings'.
    ///
    /// The stimulus of the recordings holds the features of the populations that have one, in order.
    /// Biases are corrected against free runs until units are near their population's rate: the mean over
    /// all units is held to a quarter, single populations were seen to be a tenth off.
    ///
    /// # Errors
    /// [`SynthError::Value`] and [`SynthError::Shape`] for settings out of range,
    /// [`SynthError::Unstable`] where the network does not come to its rates.
    pub fn structured(settings: &StructuredSettings) -> Result<Self, SynthError> {
        settings.check()?;
        let (units, population) = (settings.units(), settings.members());
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(settings.seed);
        let mut couplings = vec![0.0f32; units * units];
        let mut mask = vec![false; units * units];
        for (source_population, row) in settings.blocks.iter().enumerate() {
            for target in 0..units {
                let summed = row[population[target]];
                if summed == 0.0 {
                    continue;
                }
                let sources =
                    (0..units).filter(|&i| population[i] == source_population && i != target);
                let available = settings.populations[source_population].units;
                let count = (settings.connection * available as f64).round().max(1.0);
                for source in sources.sample(&mut generator, count as usize) {
                    let strength = lognormal(settings.strength_spread, &mut generator);
                    couplings[source * units + target] = (summed / count * strength) as f32;
                    mask[source * units + target] = true;
                }
            }
        }
        let bin_width = BinWidth::from_seconds(settings.bin_width_s)?;
        let periods: Vec<Option<f64>> = settings.populations.iter().map(|p| p.period).collect();
        let feature = |period: f64, bin: usize| {
            let phase = TAU * bin as f64 / period;
            if phase.sin() > 0.6 { 1.0 } else { 0.0 }
        };
        let mut drive = TrialArray::zeros(1, settings.bins, 0, units);
        let mut features = Vec::new();
        for bin in 0..settings.bins {
            features.extend(periods.iter().flatten().map(|&period| feature(period, bin)));
            for (x, &p) in drive.row_mut(0, bin).iter_mut().zip(&population) {
                let on = periods[p].map_or(0.0, |period| feature(period, bin));
                *x = (settings.drive_gain * on) as f32;
            }
        }
        let count = periods.iter().flatten().count();
        let stimulus = match count {
            0 => None,
            _ => Some(Stimulus::new(features, None, count, bin_width)?),
        };
        let rates: Vec<f64> = population
            .iter()
            .map(|&p| settings.populations[p].rate)
            .collect();
        let mut truth = Self {
            couplings,
            lags: 1,
            bias: vec![0.0; units],
            drive,
            theta: THETA,
            observed: settings.observed(),
            population,
            mask,
            bin_width,
            seed: settings.seed,
            stimulus,
        };
        truth.check()?;
        calibrate(&mut truth, &rates)?;
        Ok(truth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate;

    #[test]
    fn observed_units_come_first_and_principal_cells_before_interneurons() {
        let count = |units, observed| -> Vec<(usize, usize)> {
            let settings = StructuredSettings::assemblies(units, observed, 1);
            settings.check().unwrap();
            settings
                .populations
                .iter()
                .map(|p| (p.units, p.observed))
                .collect()
        };
        let seen = [(134, 23), (133, 23), (133, 23), (34, 0), (33, 0), (33, 0)];
        assert_eq!(count(500, 69), seen);
        let seen = [(27, 27), (27, 27), (26, 26), (7, 4), (7, 3), (6, 3)];
        assert_eq!(count(100, 90), seen);
        let truth = GroundTruth::structured(&StructuredSettings::assemblies(60, 7, 2)).unwrap();
        assert_eq!(truth.observed, 7);
        assert_eq!(truth.population[..8], [0, 0, 0, 1, 1, 2, 2, 0]);
    }

    #[test]
    fn blocks_and_rates_are_those_asked_for() {
        let settings = StructuredSettings::assemblies(200, 100, 3);
        let truth = GroundTruth::structured(&settings).unwrap();
        truth.check().unwrap();
        let (units, w) = (truth.units(), truth.summed_couplings());
        let labels = &truth.population;
        for (a, row) in settings.blocks.iter().enumerate() {
            for (b, &expected) in row.iter().enumerate() {
                let of = |p: usize| (0..units).filter(move |&u| labels[u] == p);
                let targets = of(b).count() as f64;
                let sum: f64 = of(a)
                    .flat_map(|i| of(b).map(move |j| (i, j)))
                    .map(|(i, j)| w[(i, j)])
                    .sum();
                // 13 targets or more with 3 synapses or more, of coefficient of variation 0.53.
                assert!(
                    (sum / targets - expected).abs() <= 0.35 * expected.abs(),
                    "{a} to {b}: {sum}"
                );
            }
        }
        // Corrections of single biases add up where units excite one another: populations were seen to end
        // a tenth off.
        let spikes = simulate(&truth, 100, 5).unwrap();
        for (p, population) in settings.populations.iter().enumerate() {
            let members: Vec<usize> = (0..units).filter(|&u| truth.population[u] == p).collect();
            let rows = spikes.as_slice().chunks_exact(units);
            let count: u32 = rows
                .map(|z| members.iter().map(|&u| u32::from(z[u])).sum::<u32>())
                .sum();
            let rate = f64::from(count) / (members.len() * 100 * settings.bins) as f64;
            assert!(
                (rate / population.rate - 1.0).abs() < 0.2,
                "{}: {rate}",
                population.name
            );
        }
    }

    #[test]
    fn electrodes_change_no_number_of_synapses() {
        let counts = |observed| {
            let truth =
                GroundTruth::structured(&StructuredSettings::assemblies(60, observed, 4)).unwrap();
            let sums = truth.summed_couplings();
            let synapses = sums.iter().filter(|w| **w != 0.0).count();
            (synapses, truth.stimulus.map(|s| s.features()))
        };
        assert_eq!(counts(6), counts(50));
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        type Change = fn(&mut StructuredSettings);
        let cases: [(Change, &str); 7] = [
            (
                |s| s.populations[0].observed = 99,
                "observed units of A is 99; expected at most 16",
            ),
            (|s| s.populations[4].units = 0, "units of IB is 0"),
            (|s| s.populations[1].rate = f64::NAN, "rate of B is NaN"),
            (
                |s| s.blocks[0][1] = -0.1,
                "signs of the couplings of A is both; expected one (Dale's law)",
            ),
            (
                |s| s.blocks[2].push(0.0),
                "blocks [source population][target population] has shape 6 x 7",
            ),
            (|s| s.connection = 1.5, "connection is 1.5; expected 0 to 1"),
            (|s| s.bins = 0, "bins"),
        ];
        for (change, message) in cases {
            let mut settings = StructuredSettings::assemblies(60, 12, 1);
            change(&mut settings);
            let found = GroundTruth::structured(&settings).unwrap_err().to_string();
            assert!(found.starts_with(message), "{found}");
        }
    }
}
