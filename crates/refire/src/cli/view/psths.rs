//! PSTHs as the eye can judge them: smoothed, and of the stretches that the data repeat best.

use refire::fit::{Evaluation, Model};
use refire::metrics::{ConditionPsth, pearson};
use refire::report::PsthExample;
use std::ops::Range;

/// Bins drawn of each unit.
const SHOWN_BINS: usize = 600;

/// Most bins of a stretch: longer conditions are cut.
const STRETCH_BINS: usize = 150;

/// Standard deviation of the Gaussian that curves are smoothed by, seconds; a bin at least.
const SMOOTHING_S: f64 = 0.02;

/// How conditions and curves were chosen, for the caption.
pub fn choice(bin_width: f64) -> String {
    format!(
        "Curves are smoothed (Gaussian of {:.0} ms); that of the model is the mean of all its simulated sets. At most \
         {SHOWN_BINS} bins are drawn: those stretches in which odd and even recorded trials agree best. r is taken \
         over all bins, unsmoothed.",
        1e3 * smoothing(bin_width) * bin_width
    )
}

/// The same in bins.
fn smoothing(bin_width: f64) -> f64 {
    (SMOOTHING_S / bin_width).max(1.0)
}

/// A part of a condition.
#[derive(Clone, Debug, PartialEq)]
struct Stretch {
    condition: usize,
    bins: Range<usize>,
}

/// Data and model of these units, each with its label, in the same stretches.
pub fn examples(model: &Model, e: &Evaluation, units: &[(String, usize)]) -> Vec<PsthExample> {
    let shown: Vec<usize> = units.iter().map(|(_, unit)| *unit).collect();
    let chosen = chosen(stretches(e), |stretch| {
        let agreement = shown.iter().filter_map(|&unit| {
            let [odd, even] = [0, 1].map(|part| half(model, e, stretch, unit, part));
            pearson(&odd?, &even?)
        });
        agreement.sum::<f64>() / shown.len().max(1) as f64
    });
    let of_unit = |(label, unit): &(String, usize)| {
        let mut example = PsthExample {
            label: label.clone(),
            correlation: e.units.psth_correlation[*unit].unwrap_or(f64::NAN),
            ..PsthExample::default()
        };
        for stretch in &chosen {
            if !example.time_s.is_empty() {
                example.breaks.push(example.time_s.len());
            }
            let first = example.time_s.len();
            let times = (first..first + stretch.bins.len()).map(|t| t as f64 * model.bin_width);
            example.time_s.extend(times);
            let [data, simulated] = [&e.psth.0, &e.model_psth].map(|psth| {
                let condition = &psth.conditions[stretch.condition];
                let rates = stretch
                    .bins
                    .clone()
                    .map(|t| rate(model, e, condition, stretch, t, *unit));
                smooth(&rates.collect::<Vec<f64>>(), smoothing(model.bin_width))
            });
            example.data_hz.extend(data);
            example.model_hz.extend(simulated);
        }
        example
    };
    units.iter().map(of_unit).collect()
}

/// Rate of a unit in a bin, Hz.
fn rate(
    model: &Model,
    e: &Evaluation,
    psth: &ConditionPsth,
    stretch: &Stretch,
    t: usize,
    unit: usize,
) -> f64 {
    // The last bin of a trial may be partial.
    let present = slots(e, stretch).filter(|&k| t < e.layout.bins(k));
    let share = present.map(|k| e.layout.share_of_bin(k, t)).sum::<f64>();
    psth.row(t)[unit] * psth.trials[t] as f64 / (model.bin_width * share)
}

/// Evaluated trials of a condition.
fn slots<'a>(e: &'a Evaluation, stretch: &Stretch) -> impl Iterator<Item = usize> + 'a {
    let condition = stretch.condition;
    let groups = e.layout.groups().iter();
    groups
        .filter(move |g| g.condition == condition)
        .flat_map(|g| g.slots.clone())
}

/// The smoothed course of a unit in every other recorded trial; `None` where there is none, or where a bin has none.
fn half(
    model: &Model,
    e: &Evaluation,
    stretch: &Stretch,
    unit: usize,
    part: usize,
) -> Option<Vec<f64>> {
    let own: Vec<usize> = slots(e, stretch).skip(part).step_by(2).collect();
    let means = stretch.bins.clone().map(|t| {
        let there = || own.iter().filter(|&&k| t < e.layout.bins(k));
        let spikes: f64 = there().map(|&k| f64::from(e.data.row(k, t)[unit])).sum();
        (there().count() > 0).then(|| spikes / there().count() as f64)
    });
    let means: Option<Vec<f64>> = means.collect();
    Some(smooth(&means?, smoothing(model.bin_width)))
}

/// All stretches in which data and model have trials.
fn stretches(e: &Evaluation) -> Vec<Stretch> {
    let mut all = Vec::new();
    let pairs = e.psth.0.conditions.iter().zip(&e.psth.1.conditions);
    for (condition, (a, b)) in pairs.enumerate() {
        let bins = a.trials.len().min(b.trials.len());
        let measured = |t: &usize| a.trials[*t] > 0 && b.trials[*t] > 0;
        let bins: Vec<usize> = (e.layout.first_bin()..bins).filter(measured).collect();
        // What has trials is one run of bins: trials begin together.
        let parts = bins.len().div_ceil(STRETCH_BINS).max(1);
        for part in bins.chunks(bins.len().div_ceil(parts).max(1)) {
            if let (Some(&first), Some(&last)) = (part.first(), part.last()) {
                let bins = first..last + 1;
                all.push(Stretch { condition, bins });
            }
        }
    }
    all
}

/// The stretches with the highest score, as many as are shown, in their order; at least one, which may be cut.
fn chosen(all: Vec<Stretch>, score: impl Fn(&Stretch) -> f64) -> Vec<Stretch> {
    let mut ranked: Vec<(f64, usize)> = all
        .iter()
        .enumerate()
        .map(|(at, stretch)| (score(stretch), at))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let (mut places, mut bins) = (Vec::new(), 0);
    for (_, at) in ranked {
        if bins + all[at].bins.len() <= SHOWN_BINS {
            bins += all[at].bins.len();
            places.push(at);
        }
    }
    places.sort_unstable();
    places.into_iter().map(|at| all[at].clone()).collect()
}

/// Convolution with a Gaussian of `sd` bins, of what is there.
fn smooth(values: &[f64], sd: f64) -> Vec<f64> {
    let reach = (3.0 * sd).ceil() as usize;
    let weight = |distance: usize| (-0.5 * (distance as f64 / sd).powi(2)).exp();
    let at = |t: usize| {
        let near = t.saturating_sub(reach)..(t + reach + 1).min(values.len());
        let (sum, all) = near.fold((0.0, 0.0), |(sum, all), s| {
            let w = weight(s.abs_diff(t));
            (sum + w * values[s], all + w)
        });
        sum / all
    };
    (0..values.len()).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_level_and_mass() {
        assert_eq!(smooth(&[2.0; 7], 1.5), vec![2.0; 7]);
        let mut peak = vec![0.0; 41];
        peak[20] = 1.0;
        let smoothed = smooth(&peak, 2.0);
        assert!((smoothed.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        // One standard deviation from the peak.
        assert!((smoothed[22] / smoothed[20] - (-0.5f64).exp()).abs() < 1e-12);
        assert!(smooth(&[], 1.0).is_empty());
    }

    #[test]
    fn the_best_stretches_are_shown_in_their_order() {
        let all: Vec<Stretch> = (0..9)
            .map(|k| Stretch {
                condition: k,
                bins: 0..100,
            })
            .collect();
        let found = chosen(all, |stretch| -(stretch.condition as f64 - 7.0).abs());
        let conditions: Vec<usize> = found.iter().map(|s| s.condition).collect();
        assert_eq!(conditions, [3, 4, 5, 6, 7, 8]);
    }
}
