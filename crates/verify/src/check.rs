//! A claim, its checks, and the rule by which a check fails.

use refire_report::{FigureView, TableView};

/// The p-value below which a check fails. The checks of a run together then raise a false alarm, in a
/// run in which every claim is true, with a probability of at most their number times this (Bonferroni:
/// the bound holds however the checks depend on each other).
pub const LEVEL: f64 = 1e-4;

/// One statistic held against what a claim says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What is checked.
    pub name: String,
    /// The statistic and its test.
    pub statistic: String,
    /// What the claim says.
    pub expected: String,
    /// What was found.
    pub measured: String,
    /// Probability of a statistic at least as far off if the claim is true; `None` where it is judged on a
    /// range stated beforehand.
    pub p: Option<f64>,
    /// Whether the check holds. A p-value that is no number fails.
    pub holds: bool,
    /// Probability that it fails although the claim is true: [`LEVEL`] of a p-value, otherwise from the standard
    /// error; 0 where nothing is random.
    pub false_alarm: f64,
}

/// A claim with everything that speaks for or against it.
#[derive(Clone, Debug, Default)]
pub struct Claim {
    /// Short name, as on the command line.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// The claim.
    pub statement: &'static str,
    /// What it rests on.
    pub source: &'static str,
    /// Its checks.
    pub checks: Vec<Check>,
    /// Tables of figures that are reported.
    pub tables: Vec<TableView>,
    /// Figures.
    pub figures: Vec<FigureView>,
}

impl Claim {
    /// Adds a check that is judged on a p-value.
    pub fn chance(
        &mut self,
        name: impl Into<String>,
        statistic: impl Into<String>,
        expected: impl Into<String>,
        measured: impl Into<String>,
        p: f64,
    ) {
        let holds = p >= LEVEL;
        self.range(name, statistic, expected, measured, holds, LEVEL);
        if let Some(check) = self.checks.last_mut() {
            check.p = Some(p);
        }
    }

    /// Adds a check that is judged on a range stated beforehand: whether it `holds`, and the probability that it
    /// does not although the claim is true.
    pub fn range(
        &mut self,
        name: impl Into<String>,
        statistic: impl Into<String>,
        expected: impl Into<String>,
        measured: impl Into<String>,
        holds: bool,
        false_alarm: f64,
    ) {
        self.checks.push(Check {
            name: name.into(),
            statistic: statistic.into(),
            expected: expected.into(),
            measured: measured.into(),
            p: None,
            holds,
            false_alarm,
        });
    }
}

/// Bound of the false-alarm rate of all checks together: those with a p-value and those with a range.
pub fn false_alarms(claims: &[Claim]) -> f64 {
    let checks = claims.iter().flat_map(|claim| &claim.checks);
    checks.map(|check| check.false_alarm).sum()
}

/// p-value of the smallest of several p-values: at most their number times it (Bonferroni).
pub fn worst_of(p_values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut count, mut least) = (0.0, 1.0f64);
    for p in p_values {
        count += 1.0;
        least = if p.is_nan() { 0.0 } else { least.min(p) };
    }
    f64::min(1.0, count * least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_fails_below_the_level_and_outside_its_range() {
        let mut claim = Claim::default();
        claim.chance("a", "", "", "", 1.01 * LEVEL);
        claim.chance("b", "", "", "", 0.99 * LEVEL);
        claim.chance("c", "", "", "", f64::NAN);
        claim.range("d", "", "", "", true, 0.25);
        let holds: Vec<_> = claim.checks.iter().map(|check| check.holds).collect();
        assert_eq!(holds, [true, false, false, true]);
        assert_eq!(false_alarms(&[claim]), 3.0 * LEVEL + 0.25);
    }

    #[test]
    fn the_worst_p_value_pays_for_its_company() {
        assert_eq!(worst_of([0.5, 0.01, 0.3]), 0.03);
        assert_eq!(worst_of([0.9, 0.8]), 1.0);
        assert_eq!(worst_of([0.9, f64::NAN]), 0.0);
    }
}
