//! What the figure bears on, and in words.

use std::collections::BTreeSet;

use refire_report::{FoundClaim, number};

use super::regimes::regimes;
use super::{Fits, Found, Item, METHODS, Source};
use crate::evidence::{Estimate, LEAVES, Rule, STABLE};
use crate::fits::Method;

/// Share of runs that may leave the range of a network that is called stable.
const STABLE_SHARE: f64 = 0.01;

/// Per seed, the mean over the fits of a method that count of something about them.
fn per_seed(
    found: &Fits,
    method: Method,
    counted: impl Fn(&Item) -> bool,
    of: impl Fn(&Found) -> f64,
) -> Vec<f64> {
    let seeds: BTreeSet<u64> = found.iter().map(|(item, _)| item.seed).collect();
    let mean = |seed: u64| {
        let fits = found
            .iter()
            .filter(|(item, _)| item.method == method && item.seed == seed && counted(item));
        let values: Vec<f64> = fits.map(|(_, found)| of(found)).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    seeds.into_iter().map(mean).collect()
}

/// Per seed, the share of the fits of a method that count that are fragile or divergent.
fn unstable(found: &Fits, method: Method, counted: impl Fn(&Item) -> bool) -> Vec<f64> {
    per_seed(found, method, counted, |f| {
        f64::from(u8::from(!f.is_stable()))
    })
}

/// Whether the unit belongs to a synthetic regime of which it was said beforehand that MLE may fail.
fn is_hard(item: &Item) -> bool {
    let hard = |name: &str| regimes().iter().any(|r| r.hard && r.name == name);
    matches!(item.source, Source::Synthetic { regime, .. } if hard(regime))
}

fn is_real(item: &Item) -> bool {
    matches!(item.source, Source::Real(_))
}

/// The claims, by number.
pub(super) fn claims(found: &Fits) -> Vec<FoundClaim> {
    let most = found
        .iter()
        .filter(|(item, _)| is_hard(item))
        .map(|(item, _)| item.trials)
        .max()
        .unwrap_or(0);
    let at_most = |item: &Item| is_hard(item) && item.trials == most;
    let [mle, both] = METHODS;
    let share = |method, counted: &dyn Fn(&Item) -> bool| {
        per_seed(found, method, counted, |f| f.divergent_share)
    };
    let named: Vec<&str> = regimes()
        .iter()
        .filter(|r| r.hard && found.iter().any(|(item, _)| item.source.name() == r.name))
        .map(|r| r.name)
        .collect();
    let named = named.join(" and ");
    let leave = format!("share of free runs that leave the range, MLE, {named}, {most} trials");
    let fits = format!(
        "share of fragile or divergent fits, MLE minus MLE + sample-and-measure, {named}, all numbers of \
         trials"
    );
    let above_zero = Rule::Above(0.0);
    let unstable = |counted: &dyn Fn(&Item) -> bool| {
        let [mle, both] = METHODS.map(|method| unstable(found, method, counted));
        Estimate::difference(mle, both)
    };
    let mut claims = vec![
        LEAVES.judge(
            leave,
            Rule::Above(STABLE_SHARE),
            Estimate::over(share(mle, &at_most)),
        ),
        LEAVES.judge(
            "share of free runs that leave the range, MLE minus MLE + sample-and-measure, same fits",
            above_zero,
            Estimate::difference(share(mle, &at_most), share(both, &at_most)),
        ),
        STABLE.judge(fits, above_zero, unstable(&is_hard)),
    ];
    if found.iter().any(|(item, _)| is_real(item)) {
        claims.push(STABLE.judge(
            "the same difference, all fits of these real recordings (interval over splits of their \
             trials, not over recordings)",
            above_zero,
            unstable(&is_real),
        ));
    }
    claims
}

/// What the figure says, in words.
pub(super) fn conclusion(found: &Fits) -> String {
    let share = |method, hard: bool| {
        let counted =
            |item: &Item| matches!(item.source, Source::Synthetic { .. }) && is_hard(item) == hard;
        100.0 * Estimate::over(unstable(found, method, counted)).mean
    };
    let [mle, both] = METHODS;
    let trend = |method: Method| {
        let counts: BTreeSet<usize> = found.iter().map(|(item, _)| item.trials).collect();
        let of_count = |&trials: &usize| {
            let counted = |item: &Item| is_hard(item) && item.trials == trials;
            let shares = per_seed(found, method, counted, |f| f.divergent_share);
            let share = Estimate::over(shares).mean;
            share
                .is_finite()
                .then(|| format!("{:.0} ({trials})", 100.0 * share))
        };
        counts
            .iter()
            .filter_map(of_count)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let recordings = |chosen: &dyn Fn(&Item, &Found) -> bool| {
        let fits = found.iter().filter(|(u, f)| is_real(u) && chosen(u, f));
        let names: BTreeSet<&str> = fits.map(|(item, _)| item.source.name()).collect();
        names.len()
    };
    let failed =
        |method: Method| recordings(&|item, found| item.method == method && !found.is_stable());
    let real = match recordings(&|_, _| true) {
        0 => String::new(),
        count => format!(
            " Of {count} real recordings, {} have fits by MLE that are fragile or divergent and {} such fits \
             with sample-and-measure.",
            failed(mle),
            failed(both),
        ),
    };
    format!(
        "Where hidden sources drive the recorded units, {} % of the MLE fits are fragile or divergent and {} % \
         of those with sample-and-measure. Runs that leave, in per cent (trials): {} with MLE, whose ridge by \
         validation holds fits of few trials back; {} with sample-and-measure. Of the other synthetic \
         networks {} and {} % are.{real}",
        number(share(mle, true)),
        number(share(both, true)),
        trend(mle),
        trend(both),
        number(share(mle, false)),
        number(share(both, false)),
    )
}
