//! What the drawing shows of one fit: PSTHs, noise correlations, spikes.

use refire_core::TrialArray;
use refire_fit::Evaluation;
use refire_metrics::{NoiseCorrelation, Psth};
use serde::{Deserialize, Serialize};

/// Units whose PSTH is shown: those whose rate varies most.
const UNITS: usize = 3;

/// Bins of a PSTH and of the spikes that are shown.
const BINS: usize = 160;

/// Example activity of data and model on held-out trials.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Examples {
    pub(super) bin_s: f64,
    pub(super) psths: Vec<ExamplePsth>,
    pub(super) units: usize,
    /// `[unit][unit]`, without the diagonal and silent units.
    pub(super) noise_data: Vec<Option<f64>>,
    pub(super) noise_model: Vec<Option<f64>>,
    pub(super) bins: usize,
    /// Spikes of the first test trial as (bin, unit).
    pub(super) raster_data: Vec<(u32, u32)>,
    pub(super) raster_model: Vec<(u32, u32)>,
}

/// PSTHs of one unit, spikes per bin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ExamplePsth {
    pub(super) unit: usize,
    pub(super) data: Vec<f64>,
    pub(super) model: Vec<f64>,
}

impl Examples {
    pub(super) fn new(evaluation: &Evaluation, bin_s: f64) -> Self {
        let (data, model) = (&evaluation.psth.0, &evaluation.psth.1);
        let first = evaluation.layout.first_bin();
        let last = evaluation.layout.bins(0).min(first + BINS);
        let spikes = |array: &TrialArray<u8>| -> Vec<(u32, u32)> {
            let bins = first..last;
            bins.flat_map(|bin| {
                let row = array.row(0, bin).iter().enumerate();
                let fired = row.filter(|(_, z)| **z != 0);
                fired.map(move |(unit, _)| ((bin - first) as u32, unit as u32))
            })
            .collect()
        };
        Self {
            bin_s,
            psths: most_varied(data, evaluation.layout.condition(0))
                .into_iter()
                .map(|unit| ExamplePsth {
                    unit,
                    data: course(data, evaluation.layout.condition(0), unit),
                    model: course(model, evaluation.layout.condition(0), unit),
                })
                .collect(),
            units: data.units,
            noise_data: off_diagonal(&evaluation.noise.0),
            noise_model: off_diagonal(&evaluation.noise.1),
            bins: last - first,
            raster_data: spikes(&evaluation.data),
            raster_model: spikes(&evaluation.model),
        }
    }
}

/// Mean over trials of a unit in the first bins of a condition.
fn course(psth: &Psth, condition: usize, unit: usize) -> Vec<f64> {
    let Some(condition) = psth.conditions.get(condition) else {
        return Vec::new();
    };
    let bins = (0..condition.trials.len()).filter(|&bin| condition.trials[bin] > 0);
    let rows = bins.take(BINS).map(|bin| condition.row(bin));
    rows.filter_map(|row| row.get(unit).copied()).collect()
}

fn most_varied(psth: &Psth, condition: usize) -> Vec<usize> {
    let spread = |unit: usize| {
        let course = course(psth, condition, unit);
        let mean = course.iter().sum::<f64>() / course.len() as f64;
        course.iter().map(|x| (x - mean).powi(2)).sum::<f64>()
    };
    let mut units: Vec<(usize, f64)> = (0..psth.units).map(|unit| (unit, spread(unit))).collect();
    units.sort_by(|a, b| b.1.total_cmp(&a.1));
    units.truncate(UNITS);
    units.into_iter().map(|(unit, _)| unit).collect()
}

fn off_diagonal(noise: &NoiseCorrelation) -> Vec<Option<f64>> {
    let units = noise.valid.len();
    let pairs = (0..units).flat_map(|i| (0..units).map(move |j| (i, j)));
    pairs
        .map(|(i, j)| (i != j && noise.valid[i] && noise.valid[j]).then(|| noise.matrix[(i, j)]))
        .collect()
}
