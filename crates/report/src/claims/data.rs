//! What a page of claims is made of. Everything may be empty.

use crate::FigureView;

/// A page of claims, each with its checks, tables and figures.
///
/// Text is plain text (escaped by the page). Numbers that are not finite leave a gap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClaimsPage {
    /// Heading of the page.
    pub title: String,
    /// One line under the heading.
    pub subtitle: String,
    /// Opening paragraphs, below the headline.
    pub intro: Vec<String>,
    /// How the page came about, as (name, value); a value may have several lines.
    pub facts: Vec<(String, String)>,
    /// The claims, in the order they are shown.
    pub claims: Vec<ClaimView>,
}

/// One claim and what was found about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClaimView {
    /// A few words, for the overview and the heading.
    pub title: String,
    /// What is claimed.
    pub statement: String,
    /// What the claim rests on: a paper, an equation, a section of a document.
    pub source: String,
    /// The checks of the claim.
    pub checks: Vec<CheckRow>,
    /// Tables behind the checks.
    pub tables: Vec<TableView>,
    /// Figures behind the checks.
    pub figures: Vec<FigureView>,
}

/// What a check found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// What was measured is what the claim asserts.
    Holds,
    /// What was measured is not what the claim asserts.
    Fails,
    /// A number was measured; nothing is asserted of it.
    #[default]
    Measured,
}

/// One check of a claim.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckRow {
    /// Name of the check.
    pub name: String,
    /// What is computed, in small type under the name.
    pub statistic: String,
    /// What the claim asserts of it; empty where nothing is asserted.
    pub expected: String,
    /// What was found.
    pub measured: String,
    /// How often the check fails although the claim is true, e.g. `10⁻⁴`; may be empty.
    pub false_alarm: String,
    /// Whether the two agree.
    pub verdict: Verdict,
}

/// A table of text; the first column names the row, the others are numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableView {
    /// Heading of the table.
    pub title: String,
    /// One heading per column.
    pub header: Vec<String>,
    /// Rows, each as long as `header`. Empty cells are shown as `–`.
    pub rows: Vec<Vec<String>>,
    /// What is shown and what to read from it.
    pub caption: String,
}

/// How many checks came out how.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) holding: usize,
    pub(crate) failing: usize,
    pub(crate) measured: usize,
}

impl Tally {
    pub(crate) fn new<'a>(checks: impl IntoIterator<Item = &'a CheckRow>) -> Self {
        let mut tally = Self::default();
        for check in checks {
            match check.verdict {
                Verdict::Holds => tally.holding += 1,
                Verdict::Fails => tally.failing += 1,
                Verdict::Measured => tally.measured += 1,
            }
        }
        tally
    }

    /// Checks that assert something.
    pub(crate) fn asserted(self) -> usize {
        self.holding + self.failing
    }

    pub(crate) fn verdict(self) -> Verdict {
        match (self.failing, self.holding) {
            (0, 0) => Verdict::Measured,
            (0, _) => Verdict::Holds,
            _ => Verdict::Fails,
        }
    }
}

impl ClaimView {
    /// [`Verdict::Fails`] if any check fails, [`Verdict::Measured`] if none asserts anything.
    pub fn verdict(&self) -> Verdict {
        Tally::new(&self.checks).verdict()
    }
}

impl ClaimsPage {
    /// [`Verdict::Fails`] if any check of any claim fails, [`Verdict::Measured`] if none asserts
    /// anything.
    pub fn verdict(&self) -> Verdict {
        self.tally().verdict()
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally::new(self.claims.iter().flat_map(|claim| &claim.checks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(verdicts: &[Verdict]) -> ClaimView {
        let check = |&verdict| CheckRow {
            verdict,
            ..CheckRow::default()
        };
        ClaimView {
            checks: verdicts.iter().map(check).collect(),
            ..ClaimView::default()
        }
    }

    #[test]
    fn one_failure_is_enough_and_a_measurement_asserts_nothing() {
        use Verdict::{Fails, Holds, Measured};
        for (verdicts, expected) in [
            (&[][..], Measured),
            (&[Measured, Measured], Measured),
            (&[Measured, Holds], Holds),
            (&[Holds, Fails, Measured], Fails),
            (&[Fails], Fails),
        ] {
            assert_eq!(claim(verdicts).verdict(), expected, "{verdicts:?}");
        }
        let page = |claims: &[&[Verdict]]| ClaimsPage {
            claims: claims.iter().map(|verdicts| claim(verdicts)).collect(),
            ..ClaimsPage::default()
        };
        assert_eq!(page(&[]).verdict(), Measured);
        assert_eq!(page(&[&[Measured], &[Holds]]).verdict(), Holds);
        assert_eq!(page(&[&[Holds], &[Fails]]).verdict(), Fails);
    }
}
