//! Long free runs, and the range that they are to stay in, from their definitions.

use crate::judged::Judged;
use crate::judged_network::{JudgedNetwork, JudgedTrial, Presentation, Spikes};
use refire_random::{Purpose, Stream};

/// Long free runs.
#[derive(Clone, Debug, PartialEq)]
pub struct LongRuns {
    /// Entry `i`: runs that leave the range at presentation `i`, of as many presentations as there are.
    pub left_at: Vec<usize>,
    /// Spikes per second and unit of each presentation of each run, `[run][presentation]`, given a bin of one second.
    pub rates: Vec<Vec<f64>>,
}

/// What a presentation of a run starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// What training trials of its condition start from.
    Anew,
    /// The last bins of the presentation before.
    On,
    /// The same after so many bins without drive.
    Rest(usize),
}

/// Spikes and scored bins of trials, and what they say of trials of their condition.
struct Range(Vec<(f64, f64)>);

impl Range {
    fn mean(&self) -> f64 {
        let (spikes, bins) = self
            .0
            .iter()
            .fold((0.0, 0.0), |s, k| (s.0 + k.0, s.1 + k.1));
        spikes / bins
    }

    fn most(&self) -> f64 {
        self.0.iter().map(|(n, bins)| n / bins).fold(0.0, f64::max)
    }

    fn silent(&self) -> bool {
        self.0.iter().any(|(n, _)| *n == 0.0)
    }
}

impl Judged {
    fn count(&self, spikes: &Spikes) -> (f64, f64) {
        let rows = spikes.iter().skip(self.first_bin);
        let count = rows.flatten().map(|&z| f64::from(z)).sum();
        (count, (spikes.len() - self.first_bin) as f64)
    }

    fn range(&self, condition: usize) -> Range {
        let own = self.training.iter().filter(|k| k.condition == condition);
        Range(own.map(|k| self.count(&k.spikes)).collect())
    }

    /// Variance over mean of counts of training trials of one condition, pooled; 1 at least.
    fn dispersion(&self) -> f64 {
        let (mut squares, mut freedom) = (0.0, 0.0);
        for condition in 0..self.network.drive.len() {
            let range = self.range(condition);
            if range.0.is_empty() || range.mean() == 0.0 {
                continue;
            }
            for (n, bins) in &range.0 {
                let expected = range.mean() * bins;
                squares += (n - expected).powi(2) / expected;
            }
            freedom += range.0.len() as f64 - 1.0;
        }
        (squares / freedom).max(1.0)
    }

    /// Whether a run of (condition, spikes, bins) leaves with its last trial: more than twice the most spikes per bin of
    /// the condition, if that is more than eight standard deviations above the mean; silence that the condition never
    /// had and chance would not bring in one of ten thousand; and, where the run is over, spikes in all more than
    /// twice or less than half of those expected, by more than five standard deviations.
    fn leaves(&self, run: &[(usize, f64, f64)], over: bool) -> bool {
        let dispersion = self.dispersion();
        let Some(&(condition, n, bins)) = run.last() else {
            return false;
        };
        let range = self.range(condition);
        let expected = range.mean() * bins;
        let chance = expected + 8.0 * (dispersion * expected).sqrt();
        let per_spike = if dispersion > 1.0 {
            dispersion.ln() / (dispersion - 1.0)
        } else {
            1.0
        };
        let silent = n == 0.0 && !range.silent() && (-expected * per_spike).exp() < 1e-4;
        if silent || n > chance.max(2.0 * range.most() * bins) {
            return true;
        }
        let all: f64 = self.training.iter().map(|k| self.count(&k.spikes).0).sum();
        let found: f64 = run.iter().map(|trial| trial.1).sum();
        let expected: f64 = run
            .iter()
            .map(|trial| self.range(trial.0).mean() * trial.2)
            .sum();
        let sd = (dispersion * (expected + expected * expected / all)).sqrt();
        over && (found - expected).abs() > 5.0 * sd
            && (found > 2.0 * expected || found < expected / 2.0)
    }

    /// Free runs of presentations of the condition, length and history of training trials drawn by their key.
    ///
    /// # Panics
    /// Where there are no training trials.
    pub fn long_runs(&self, runs: usize, presentations: usize, start: Start) -> LongRuns {
        let stream = Stream::new(self.seed, Purpose::Stability);
        let mut left_at = vec![0; presentations];
        let mut rates = Vec::new();
        for key in 0..runs as u32 {
            let mut previous: Option<Spikes> = None;
            let (mut own, mut run) = (Vec::new(), Vec::new());
            for number in 0..presentations as u32 {
                let at = stream.below(self.training.len(), number, key, u32::MAX - 1);
                let condition = self.training[at].condition;
                let history = &self.training[self.history(stream, key, condition, number)].spikes;
                if let (Start::Rest(bins), Some(last)) = (start, &previous) {
                    previous = Some(self.rest(bins, key, number, last));
                }
                let spikes = self.network.run(Presentation {
                    stream,
                    number,
                    key,
                    condition,
                    bins: history.len(),
                    history: &history[..self.first_bin],
                    previous: previous.as_ref(),
                });
                let (n, bins) = self.count(&spikes);
                own.push(n / (bins * self.network.units() as f64));
                run.push((condition, n, bins));
                if self.leaves(&run, number + 1 == presentations as u32) {
                    left_at[number as usize] += 1;
                    break;
                }
                let last = spikes[spikes.len() - self.network.lags..].to_vec();
                previous = (start != Start::Anew).then_some(last);
            }
            rates.push(own);
        }
        LongRuns { left_at, rates }
    }

    /// The last bins of a run on from `last` without drive.
    fn rest(&self, bins: usize, key: u32, number: u32, last: &Spikes) -> Spikes {
        let network = JudgedNetwork {
            drive: vec![vec![vec![0.0; self.network.units()]; bins]],
            ..self.network.clone()
        };
        let spikes = network.run(Presentation {
            stream: Stream::new(self.seed, Purpose::StabilityRest),
            number,
            key,
            condition: 0,
            bins,
            history: &[],
            previous: Some(last),
        });
        spikes[bins - network.lags..].to_vec()
    }

    /// Mean over units of how far the rate is from that of a target, over the mean rate of the target.
    pub fn rate_distance(&self, target: &[JudgedTrial], other: &[JudgedTrial]) -> f64 {
        let rates = |trials: &[JudgedTrial]| -> Vec<f64> {
            let rows: Vec<&Vec<u8>> = trials
                .iter()
                .flat_map(|k| k.spikes.iter().skip(self.first_bin))
                .collect();
            let of = |j: usize| rows.iter().map(|row| f64::from(row[j])).sum::<f64>();
            (0..self.network.units())
                .map(|j| of(j) / rows.len() as f64)
                .collect()
        };
        let (a, b) = (rates(target), rates(other));
        let gaps = a.iter().zip(&b).map(|(a, b)| (a - b).abs());
        gaps.sum::<f64>() / a.iter().sum::<f64>()
    }
}
