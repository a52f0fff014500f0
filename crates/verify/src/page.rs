//! From claims to the page.

use crate::check::{Check, LEVEL, false_alarms};
use crate::{Claim, Plan, Size};
use refire_report::{CheckRow, ClaimView, ClaimsPage, number};

/// The page of a run that took `seconds`.
pub fn page(claims: &[Claim], plan: Plan, seconds: f64) -> ClaimsPage {
    let checks = claims.iter().flat_map(|claim| &claim.checks);
    let (chance, ranges): (Vec<_>, Vec<_>) = checks.partition(|check| check.p.is_some());
    let (chance, ranges) = (chance.len(), ranges.len());
    let size = match plan.size {
        Size::Fast => "fast",
        Size::Quick => "quick",
        Size::Full => "full",
    };
    ClaimsPage {
        title: "Do refire's estimators do what they claim?".into(),
        subtitle: format!("A {size} run of cargo xtask verify, seed {}", plan.seed),
        intro: vec![
            "Every claim about the estimators is held against a known truth: the probabilities of all \
             spike paths of a small network, gradients by differences of exact expectations, closed \
             forms, or fits of networks whose parameters are known. The code under test is the code \
             that fits recordings. What must hold exactly (renaming units, trials and conditions, \
             padding, the unit of current, resuming a fit) is not here but among the property tests of \
             tests/engine and crates/fit."
                .into(),
            format!(
                "A check with a p-value fails below {}; a check with a range has a false-alarm rate of its \
                 own, from the standard error of what is measured. All {} checks together raise a false \
                 alarm in at most {} % of runs in which every claim is true (the sum of the rates, which \
                 bounds it however the checks depend on each other). Seeds are fixed, so that the same \
                 build always gives the same verdict.",
                number(LEVEL),
                chance + ranges,
                number(100.0 * false_alarms(claims))
            ),
        ],
        facts: vec![
            ("Checks with a p-value".into(), chance.to_string()),
            ("Checks with a range".into(), ranges.to_string()),
            ("Seed".into(), plan.seed.to_string()),
            ("Time".into(), format!("{seconds:.0} s")),
            ("refire".into(), env!("CARGO_PKG_VERSION").into()),
        ],
        claims: claims.iter().map(view).collect(),
    }
}

fn view(claim: &Claim) -> ClaimView {
    ClaimView {
        title: claim.title.into(),
        statement: claim.statement.into(),
        source: claim.source.into(),
        checks: claim.checks.iter().map(row).collect(),
        tables: claim.tables.clone(),
        figures: claim.figures.clone(),
    }
}

fn row(check: &Check) -> CheckRow {
    let p = check.p.map(|p| format!("; {}", p_value(p)));
    CheckRow {
        name: check.name.clone(),
        statistic: check.statistic.clone(),
        expected: check.expected.clone(),
        measured: check.measured.clone() + &p.unwrap_or_default(),
        false_alarm: probability(check.false_alarm),
        holds: check.holds,
    }
}

/// Smaller probabilities are not told apart.
const LEAST: f64 = 1e-12;

/// A probability as text.
pub(crate) fn probability(p: f64) -> String {
    if p > 0.0 && p < LEAST {
        "< 10⁻¹²".into()
    } else {
        number(p)
    }
}

/// A p-value as text that is not broken within.
pub(crate) fn p_value(p: f64) -> String {
    let sign = if p < LEAST { "" } else { "= " };
    format!("p {sign}{}", probability(p.max(f64::MIN_POSITIVE))).replace(' ', "\u{a0}")
}
