//! Couplings found against true ones: between populations first, single synapses beside them.

use nalgebra::DMatrix;
use refire_metrics::{Connectivity, pearson};
use refire_synth::GroundTruth;
use serde::{Deserialize, Serialize};

/// Couplings between populations, and how well they and single synapses agree with the truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recovery {
    /// `[source population][target population]` of the populations that are seen: the current that a unit
    /// of the target receives per spike of every source, mean over the seen pairs times the population's
    /// size, summed over lags. `None` where no pair is seen.
    pub(crate) blocks: Vec<Vec<Option<f64>>>,
    /// The same of the truth.
    pub(crate) true_blocks: Vec<Vec<Option<f64>>>,
    /// Correlation of both over blocks.
    pub(crate) pattern: Option<f64>,
    /// The same without the blocks of a population onto itself.
    pub(crate) between: Option<f64>,
    /// Root mean square difference of both over blocks.
    pub(crate) error: Option<f64>,
    /// Share of the blocks that are not 0 whose sign is right.
    pub(crate) signs: Option<f64>,
    /// Mean size of what is found in blocks that are 0.
    pub(crate) invented: Option<f64>,
    /// Correlation over pairs of seen units.
    pub(crate) synapses: Option<f64>,
}

impl Recovery {
    /// Compares couplings of some units with those of the same units of a network, whose labels name their
    /// populations.
    pub(crate) fn new(found: &DMatrix<f64>, truth: &GroundTruth) -> Self {
        let seen = found.nrows();
        let all = truth.summed_couplings();
        let expected = all.view((0, 0), (seen, seen)).into_owned();
        let labels = truth.population.get(..seen).unwrap_or_default();
        let sizes: Vec<usize> = (0..=labels.iter().copied().max().unwrap_or(0))
            .map(|p| truth.population.iter().filter(|&&label| label == p).count())
            .collect();
        let (blocks, true_blocks) = (
            block_sums(found, labels, &sizes),
            block_sums(&expected, labels, &sizes),
        );
        let flat = true_blocks.iter().flatten().zip(blocks.iter().flatten());
        let known =
            |(at, (t, f)): (usize, (&Option<f64>, &Option<f64>))| Some((at, ((*t)?, (*f)?)));
        let (places, pairs): (Vec<usize>, Vec<(f64, f64)>) =
            flat.enumerate().filter_map(known).unzip();
        let diagonal = sizes.len() + 1;
        let correlation = |wanted: &dyn Fn(usize) -> bool| {
            let chosen = places.iter().zip(&pairs).filter(|(at, _)| wanted(**at));
            let (truth, fit): (Vec<f64>, Vec<f64>) = chosen.map(|(_, &pair)| pair).unzip();
            pearson(&truth, &fit)
        };
        let mean = |values: Vec<f64>| {
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        let present = pairs.iter().filter(|(t, _)| *t != 0.0);
        let absent = pairs.iter().filter(|(t, _)| *t == 0.0);
        Self {
            pattern: correlation(&|_| true),
            between: correlation(&|at| at % diagonal != 0),
            error: mean(pairs.iter().map(|(t, f)| (t - f).powi(2)).collect()).map(f64::sqrt),
            signs: mean(
                present
                    .map(|(t, f)| f64::from(u8::from(t * f > 0.0)))
                    .collect(),
            ),
            invented: mean(absent.map(|(_, f)| f.abs()).collect()),
            synapses: Connectivity::compare(&expected, found).correlation.value(),
            blocks,
            true_blocks,
        }
    }
}

/// Means over the pairs of different units of two populations, times the size of the source population.
fn block_sums(w: &DMatrix<f64>, labels: &[usize], sizes: &[usize]) -> Vec<Vec<Option<f64>>> {
    let means = refire_metrics::block_means(w, labels);
    let rows = means.into_iter().zip(sizes);
    rows.map(|(row, &size)| {
        let sums = row.iter().map(|mean| Some(mean.value()? * size as f64));
        sums.collect()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use refire_synth::toy_three_populations;

    #[test]
    fn the_truth_is_recovered_by_itself_and_an_invented_block_is_seen() {
        let truth = toy_three_populations(2).unwrap();
        let all = truth.summed_couplings();
        let own = Recovery::new(&all, &truth);
        assert_eq!(own.blocks, own.true_blocks);
        assert!((own.pattern.unwrap() - 1.0).abs() < 1e-12 && own.error == Some(0.0));
        assert!((own.between.unwrap() - 1.0).abs() < 1e-12);
        assert_eq!((own.signs, own.invented), (Some(1.0), Some(0.0)));
        // A to A 0.5, A to C 1.58, C to B -2.04 (single ones vary by half: 100 of them).
        let [a, b, c] = [0, 1, 2];
        for (from, to, expected) in [(a, a, 0.5), (a, c, 1.58), (c, b, -2.04), (a, b, 0.0)] {
            let found = own.blocks[from][to].unwrap();
            assert!((found - expected).abs() <= 0.1 * expected.abs(), "{found}");
        }
        let mut seen = all.view((0, 0), (20, 20)).into_owned();
        seen.view_mut((0, 10), (10, 10)).fill(-0.05);
        let found = Recovery::new(&seen, &truth);
        assert!((found.blocks[a][b].unwrap() + 0.5).abs() < 1e-12);
        // Of three blocks that are 0, one is not.
        assert!((found.invented.unwrap() - 0.5 / 3.0).abs() < 1e-12);
        assert_eq!(found.signs, Some(1.0));
    }
}
