//! What of a pass is measured.

use crate::DataStatistics;
use crate::covariance::trial_bins;
use crate::trials::{Part, parts};
use refire_core::TrialLayout;

/// Which trials of a pass are measured, and what their sums are divided by.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// Conditions that both sides can measure.
    pub conditions: Vec<usize>,
    /// Their parts with `r_c`, the recorded trials of the condition for each simulated one of the part.
    pub parts: Vec<(Part, f64)>,
    pub part_of_trial: Vec<usize>,
    pub used: Vec<bool>,
    /// `N_d` of every part; 0 where a lag cannot be measured.
    pub norm: Vec<Vec<f64>>,
}

impl Plan {
    /// The plan for a pass; `None` where no condition can be measured.
    pub(super) fn new(data: &DataStatistics, count: usize, layout: &TrialLayout) -> Option<Self> {
        let (trials, lags) = (layout.trials(), data.lags);
        let mut plan = Self {
            conditions: Vec::new(),
            parts: Vec::new(),
            part_of_trial: vec![0; trials],
            used: vec![false; trials],
            norm: vec![vec![0.0; lags]; count],
        };
        for parts in parts(layout, count).chunks_exact(count) {
            let Some(of_data) = data.condition(parts[0].condition) else {
                continue;
            };
            let measured = |part: &Part| trial_bins(layout, &part.slots, 1)[0] > 0.0;
            let recorded = of_data.trial_bins.first().is_some_and(|&n| n > 0.0);
            if !recorded || !parts.iter().all(measured) {
                continue;
            }
            plan.conditions.push(parts[0].condition);
            for part in parts {
                let ratio = of_data.trials as f64 / part.slots.len() as f64;
                plan.parts.push((part.clone(), ratio));
            }
        }
        if plan.conditions.is_empty() {
            return None;
        }
        for (part, ratio) in &plan.parts {
            part.slots.iter().for_each(|&k| {
                (plan.part_of_trial[k], plan.used[k]) = (part.part, true);
            });
            let trial_bins = trial_bins(layout, &part.slots, lags);
            for (sum, bins) in plan.norm[part.part].iter_mut().zip(trial_bins) {
                *sum += ratio * bins;
            }
        }
        // A lag that no two recorded trials reach has nothing to be compared with.
        for d in 0..lags {
            let of_data = plan.conditions.iter().filter_map(|&c| data.condition(c));
            if of_data.map(|data| data.trial_bins[d]).sum::<f64>() == 0.0 {
                plan.norm.iter_mut().for_each(|norm| norm[d] = 0.0);
            }
        }
        Some(plan)
    }
}
