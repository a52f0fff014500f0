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

/// One check of a claim.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckRow {
    /// Name of the check.
    pub name: String,
    /// What is computed, in small type under the name.
    pub statistic: String,
    /// What the claim asserts of it.
    pub expected: String,
    /// What was found.
    pub measured: String,
    /// How often the check fails although the claim is true, e.g. `10⁻⁴`; may be empty.
    pub false_alarm: String,
    /// Whether the two agree.
    pub holds: bool,
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

impl ClaimsPage {
    /// Number of checks that fail, and of all.
    pub(crate) fn tally(&self) -> (usize, usize) {
        let checks = || self.claims.iter().flat_map(|claim| &claim.checks);
        (
            checks().filter(|check| !check.holds).count(),
            checks().count(),
        )
    }
}
