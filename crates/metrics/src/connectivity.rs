//! Recovered connectivity against a known truth.

use crate::{Metric, pearson, r_squared};
use nalgebra::DMatrix;

/// Estimated against true connectivity, over the couplings between different units.
#[derive(Clone, Debug, PartialEq)]
pub struct Connectivity {
    /// Pearson correlation of the filters summed over lags, over ordered pairs of different units.
    pub correlation: Metric,
    /// `1 - SS_res / SS_tot` of the summed filters, the truth as reference.
    pub r2: Metric,
    /// Share of present synapses (true filter not 0) whose estimate has the same sign; an
    /// estimate of exactly 0 has not.
    pub sign_agreement: Metric,
    /// Area under the ROC curve of present against absent synapses by the size of the estimate:
    /// probability that a present one is the larger, ties count half.
    pub auc: Metric,
}

impl Connectivity {
    /// Compares filters summed over lags, `[source][target]`, of the units known to both.
    pub fn compare(truth: &DMatrix<f64>, estimate: &DMatrix<f64>) -> Self {
        if truth.shape() != estimate.shape() {
            let reason = format!(
                "connectivity: expected a matrix {:?}, found {:?}",
                truth.shape(),
                estimate.shape()
            );
            return Self {
                correlation: Metric::Missing(reason.clone()),
                r2: Metric::Missing(reason.clone()),
                sign_agreement: Metric::Missing(reason.clone()),
                auc: Metric::Missing(reason),
            };
        }
        let (x, y) = (off_diagonal(truth), off_diagonal(estimate));
        Self {
            correlation: Metric::or_reason(
                pearson(&x, &y),
                "connectivity correlation",
                "connectivity correlation: all couplings alike on one side",
            ),
            r2: Metric::or_reason(
                r_squared(&x, &y),
                "connectivity R2",
                "connectivity R2: all true couplings alike",
            ),
            sign_agreement: sign_agreement(&x, &y),
            auc: auc(&x, &y),
        }
    }
}

fn off_diagonal(matrix: &DMatrix<f64>) -> Vec<f64> {
    let (sources, targets) = matrix.shape();
    let pairs = (0..sources).flat_map(|i| (0..targets).map(move |j| (i, j)));
    pairs.filter(|(i, j)| i != j).map(|at| matrix[at]).collect()
}

fn sign_agreement(truth: &[f64], estimate: &[f64]) -> Metric {
    let (mut present, mut agree) = (0usize, 0usize);
    for (t, e) in truth.iter().zip(estimate).filter(|(t, _)| **t != 0.0) {
        present += 1;
        agree += usize::from((*t > 0.0 && *e > 0.0) || (*t < 0.0 && *e < 0.0));
    }
    Metric::or_reason(
        (present > 0).then(|| agree as f64 / present as f64),
        "sign agreement",
        "sign agreement: no synapse is present",
    )
}

/// Mann-Whitney form: ranks of the present synapses among all, mid-ranks for ties.
fn auc(truth: &[f64], estimate: &[f64]) -> Metric {
    let mut sorted: Vec<(f64, bool)> = truth
        .iter()
        .zip(estimate)
        .map(|(&t, &e)| (e.abs(), t != 0.0))
        .collect();
    if sorted.iter().any(|(size, _)| size.is_nan()) {
        return Metric::Missing("ROC AUC: an estimate is not a number".to_owned());
    }
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let present = sorted.iter().filter(|(_, present)| *present).count();
    let absent = sorted.len() - present;
    if present == 0 || absent == 0 {
        let what = if present == 0 { "present" } else { "absent" };
        return Metric::Missing(format!("ROC AUC: no synapse is {what}"));
    }
    let (mut below, mut wins) = (0usize, 0.0f64);
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let tied_present = tied.iter().filter(|(_, present)| *present).count();
        let tied_absent = tied.len() - tied_present;
        wins += tied_present as f64 * (below as f64 + 0.5 * tied_absent as f64);
        below += tied_absent;
    }
    Metric::finite(wins / (present as f64 * absent as f64), "ROC AUC")
}

/// Mean coupling between populations, `[source population][target population]`, of filters summed
/// over lags (`[source][target]`), couplings of a unit to itself left out.
///
/// `population` labels each unit, from 0. Missing where a block holds no pair of units, as within
/// a population of one; all missing where the labels do not fit the matrix.
pub fn block_means(filters: &DMatrix<f64>, population: &[usize]) -> Vec<Vec<Metric>> {
    let n = population.iter().max().map_or(0, |&p| p + 1);
    if filters.shape() != (population.len(), population.len()) {
        let reason = format!(
            "block means: expected a matrix {:?}, found {:?}",
            (population.len(), population.len()),
            filters.shape()
        );
        return vec![vec![Metric::Missing(reason); n]; n];
    }
    let (mut sum, mut count) = (DMatrix::<f64>::zeros(n, n), DMatrix::<f64>::zeros(n, n));
    for (i, &source) in population.iter().enumerate() {
        for (j, &target) in population.iter().enumerate() {
            if i != j {
                sum[(source, target)] += filters[(i, j)];
                count[(source, target)] += 1.0;
            }
        }
    }
    let mean = |at: (usize, usize)| {
        Metric::or_reason(
            (count[at] > 0.0).then(|| sum[at] / count[at]),
            "block mean",
            "block mean: no pair of units",
        )
    };
    (0..n)
        .map(|source| (0..n).map(|target| mean((source, target))).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn truth() -> DMatrix<f64> {
        // Off the diagonal, by rows: 1 0 / -2 0 / 0 3. The diagonal is not compared.
        DMatrix::from_row_slice(3, 3, &[9.0, 1.0, 0.0, -2.0, 9.0, 0.0, 0.0, 3.0, 9.0])
    }

    #[test]
    fn hand_computed() {
        let estimate =
            DMatrix::from_row_slice(3, 3, &[-5.0, 1.0, 0.5, 0.5, 7.0, 0.0, -1.0, 2.0, 3.0]);
        let c = Connectivity::compare(&truth(), &estimate);
        // Signs: 1 right, -2 as 0.5 wrong, 3 right.
        assert_eq!(c.sign_agreement.value(), Some(2.0 / 3.0));
        // Sizes of present 1, 0.5, 2; of absent 0.5, 0, 1. Wins: 1 over 0.5, 0, tie 1 -> 2.5;
        // 0.5 tie, over 0 -> 1.5; 2 -> 3.
        assert!((c.auc.value().unwrap() - 7.0 / 9.0).abs() < 1e-15);
        // Truth: mean 1/3, SS_tot = 14 - 6/9; residuals 0, 0.5, 2.5, 0, 1, 1.
        assert!((c.r2.value().unwrap() - (1.0 - 8.5 / (14.0 - 6.0 / 9.0))).abs() < 1e-14);
        // Estimate: mean 1/2, squares 6.5 - 1.5; products 1 - 1 + 6 - 6 (1/3)(1/2).
        let r = 5.0 / ((14.0 - 6.0 / 9.0) * 5.0f64).sqrt();
        assert!((c.correlation.value().unwrap() - r).abs() < 1e-14);
    }

    #[test]
    fn an_estimate_of_zero_has_no_sign() {
        assert_eq!(
            sign_agreement(&[1.0, -1.0, 2.0, 0.0], &[0.0, 0.0, 3.0, 0.0]).value(),
            Some(1.0 / 3.0)
        );
    }

    #[test]
    fn identity_whatever_the_diagonal() {
        let mut estimate = truth();
        estimate.fill_diagonal(f64::NAN);
        let c = Connectivity::compare(&truth(), &estimate);
        for metric in [&c.correlation, &c.r2, &c.sign_agreement, &c.auc] {
            assert!((metric.value().unwrap() - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn missing_with_a_reason() {
        let full = DMatrix::from_fn(3, 3, |i, j| 1.0 + (i + 3 * j) as f64);
        let c = Connectivity::compare(&full, &truth());
        assert!(c.auc.reason().unwrap().contains("no synapse is absent"));
        assert!(c.correlation.value().is_some());

        let none = DMatrix::zeros(3, 3);
        let c = Connectivity::compare(&none, &truth());
        assert!(c.auc.reason().unwrap().contains("no synapse is present"));
        assert!(
            c.sign_agreement
                .reason()
                .unwrap()
                .contains("no synapse is present")
        );
        assert!(c.r2.reason().is_some() && c.correlation.reason().is_some());

        let single = DMatrix::from_element(1, 1, 2.0);
        assert!(
            Connectivity::compare(&single, &single)
                .correlation
                .value()
                .is_none()
        );
        let c = Connectivity::compare(&single, &none);
        assert!(
            c.r2.reason()
                .unwrap()
                .contains("expected a matrix (1, 1), found (3, 3)")
        );

        let c = Connectivity::compare(&truth(), &DMatrix::from_element(3, 3, f64::NAN));
        assert!(
            [&c.auc, &c.r2, &c.correlation]
                .iter()
                .all(|f| f.value().is_none())
        );
    }

    #[test]
    fn block_means_leave_out_self_coupling() {
        // Units 0 and 2 form population 0, unit 1 population 1.
        let means = block_means(&truth(), &[0, 1, 0]);
        assert_eq!(means[0][0], Metric::Value(0.0));
        assert_eq!(means[0][1], Metric::Value(2.0)); // 1 and 3
        assert_eq!(means[1][0], Metric::Value(-1.0)); // -2 and 0
        assert!(means[1][1].reason().unwrap().contains("no pair"));
        assert!(
            block_means(&truth(), &[0, 1])[1][0]
                .reason()
                .unwrap()
                .contains("(2, 2)")
        );
        assert!(block_means(&DMatrix::zeros(0, 0), &[]).is_empty());
    }

    proptest! {
        #[test]
        fn auc_counts_pairs(
            synapses in prop::collection::vec((any::<bool>(), -3..4i32), 2..25)
        ) {
            let truth: Vec<f64> = synapses.iter().map(|s| f64::from(s.0)).collect();
            let estimate: Vec<f64> = synapses.iter().map(|s| f64::from(s.1)).collect();
            let (mut wins, mut pairs) = (0.0, 0.0);
            for (t, e) in synapses.iter().filter(|s| s.0) {
                for (f, g) in synapses.iter().filter(|s| !s.0) {
                    prop_assert!(*t != *f);
                    pairs += 1.0;
                    wins += match e.abs().cmp(&g.abs()) {
                        std::cmp::Ordering::Greater => 1.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Less => 0.0,
                    };
                }
            }
            match auc(&truth, &estimate).value() {
                Some(auc) => prop_assert!((auc - wins / pairs).abs() < 1e-12),
                None => prop_assert!(pairs == 0.0),
            }
        }
    }
}
