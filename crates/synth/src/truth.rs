//! The ground truth: every parameter of a network that recordings are simulated from.

use nalgebra::DMatrix;
use refire_core::TrialArray;
use refire_recording::{BinWidth, Stimulus};

use crate::SynthError;

/// Threshold of drawn networks (published setting).
pub(crate) const THETA: f64 = 0.4;

/// Population label of excitatory units in networks of [`GroundTruth::draw`].
pub const EXCITATORY: usize = 0;
/// Population label of inhibitory units in networks of [`GroundTruth::draw`].
pub const INHIBITORY: usize = 1;

/// A network whose parameters are known. Observed units come first.
///
/// ```text
/// u[k,t,j] = b[j] + x[c(k),t,j] + sum_{d=1..D} sum_i W[i,d,j] z[k,t-d,i]
/// P(z[k,t,j] = 1) = logistic((u - theta) / theta)
/// ```
///
/// How many units are observed changes no spike: with `observed` set to all units, or to fewer,
/// the same seed gives the same activity, seen by more or fewer electrodes.
#[derive(Clone, Debug, PartialEq)]
pub struct GroundTruth {
    /// Couplings `W[i,d,j]`, `[source][lag][target]`, lag 1 first; current per spike.
    pub couplings: Vec<f32>,
    /// Number of lags `D`, bins.
    pub lags: usize,
    /// Bias, `[unit]`, current.
    pub bias: Vec<f32>,
    /// Drive current `[condition][bin][unit]`.
    pub drive: TrialArray<f32>,
    /// Threshold theta, a current.
    pub theta: f64,
    /// Number of observed units.
    pub observed: usize,
    /// Population label, `[unit]`, from 0.
    pub population: Vec<usize>,
    /// Synapses `[source][target]`. A unit has none onto itself: its self-coupling (such as
    /// refractoriness) is a property of the unit.
    pub mask: Vec<bool>,
    /// Width of a bin.
    pub bin_width: BinWidth,
    /// Seed that the network was drawn from.
    pub seed: u64,
    /// What an experimenter knows of the drive: features that recordings carry.
    pub stimulus: Option<Stimulus>,
}

impl GroundTruth {
    /// Number of units, observed and hidden.
    pub fn units(&self) -> usize {
        self.bias.len()
    }

    /// Number of conditions.
    pub fn conditions(&self) -> usize {
        self.drive.trials()
    }

    /// Bins per trial.
    pub fn bins(&self) -> usize {
        self.drive.bins()
    }

    /// Couplings summed over lags, `[source][target]`.
    pub fn summed_couplings(&self) -> DMatrix<f64> {
        let units = self.units();
        let mut sums = DMatrix::zeros(units, units);
        let blocks = self.couplings.chunks_exact((self.lags * units).max(1));
        for (source, block) in blocks.enumerate() {
            for (at, &w) in block.iter().enumerate() {
                sums[(source, at % units)] += f64::from(w);
            }
        }
        sums
    }

    /// Whether the parts fit together; everything that takes a ground truth checks it first.
    ///
    /// # Errors
    /// [`SynthError::Shape`] for arrays that do not fit the number of units, [`SynthError::Value`]
    /// for a number that is not finite or out of range, or a coupling between units without a
    /// synapse.
    pub fn check(&self) -> Result<(), SynthError> {
        let units = self.units();
        at_least_one("units", units)?;
        at_least_one("lags", self.lags)?;
        at_least_one("conditions", self.conditions())?;
        at_least_one("bins", self.bins())?;
        if self.observed == 0 || self.observed > units {
            let expected = format!("1 to {units} (the units)");
            return Err(SynthError::value("observed", self.observed, expected));
        }
        if !(self.theta.is_finite() && self.theta > 0.0) {
            return Err(SynthError::value("theta", self.theta, "above 0"));
        }
        for (quantity, found, factors) in [
            (
                "couplings [source][lag][target]",
                self.couplings.len(),
                [units, self.lags, units],
            ),
            ("mask [source][target]", self.mask.len(), [units, units, 1]),
            ("population [unit]", self.population.len(), [units, 1, 1]),
            ("units of the drive", self.drive.units(), [units, 1, 1]),
        ] {
            let expected = factors.iter().try_fold(1usize, |n, &f| n.checked_mul(f));
            if expected != Some(found) {
                return Err(SynthError::Shape {
                    quantity,
                    expected: factors.map(|f| f.to_string()).join(" x "),
                    found: found.to_string(),
                });
            }
        }
        finite("couplings", &self.couplings)?;
        finite("bias", &self.bias)?;
        finite("drive", self.drive.as_slice())?;
        self.check_mask()?;
        match &self.stimulus {
            Some(s) if s.per_condition() && s.courses() != self.conditions() => {
                Err(SynthError::value(
                    "number of stimulus courses",
                    s.courses(),
                    format!("{} (the conditions)", self.conditions()),
                ))
            }
            _ => Ok(()),
        }
    }

    fn check_mask(&self) -> Result<(), SynthError> {
        let units = self.units();
        for (at, &w) in self.couplings.iter().enumerate() {
            let (source, target) = (at / (self.lags * units), at % units);
            if w != 0.0 && source != target && !self.mask[source * units + target] {
                let quantity = format!("coupling of source {source} and target {target}");
                return Err(SynthError::value(
                    quantity,
                    w,
                    "0 (the mask has no synapse there)",
                ));
            }
        }
        match (0..units).find(|unit| self.mask[unit * (units + 1)]) {
            Some(unit) => Err(SynthError::value(
                format!("mask[{unit}, {unit}]"),
                1,
                "0 (a unit has no synapse onto itself)",
            )),
            None => Ok(()),
        }
    }
}

fn at_least_one(quantity: &str, found: usize) -> Result<(), SynthError> {
    if found == 0 {
        return Err(SynthError::value(
            format!("number of {quantity}"),
            found,
            "at least 1",
        ));
    }
    Ok(())
}

fn finite(quantity: &str, values: &[f32]) -> Result<(), SynthError> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(at) => Err(SynthError::value(
            format!("{quantity}, number {at} in C order,"),
            values[at],
            "a finite number",
        )),
        None => Ok(()),
    }
}
