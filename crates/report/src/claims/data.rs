//! What a page of claims is made of. Everything may be empty.

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

/// Plots beside each other, with one legend for all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FigureView {
    /// Heading of the figure.
    pub title: String,
    /// What is shown and what to read from it.
    pub caption: String,
    /// The plots; as many stand side by side as there is room for.
    pub panels: Vec<Plot>,
}

/// One plot: series of points over two axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// Heading of the plot.
    pub title: String,
    /// Horizontal axis.
    pub x: PlotAxis,
    /// Vertical axis.
    pub y: PlotAxis,
    /// What is plotted, later series on top of earlier ones.
    pub series: Vec<Series>,
    /// Values to compare with.
    pub horizontal: Vec<Reference>,
}

/// One axis of a plot. Its range is that of the numbers, with room at both ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlotAxis {
    /// Label, with the unit. There is room for about 30 characters.
    pub label: String,
    /// Logarithmic: points that are not positive are then left out, and the plot says so.
    pub log: bool,
}

/// Points that belong together, as marks and, where joined, a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Name in the legend; series of the same name and role share an entry. None if empty.
    pub name: String,
    /// What the series stands for; decides how it looks.
    pub role: Role,
    /// The points, in the order they are joined.
    pub points: Vec<PlotPoint>,
    /// Whether a line joins the points.
    pub joined: bool,
}

/// What a series stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Theory or truth, to compare with: grey; where joined, a thin dashed line without marks.
    Reference,
    /// Something measured. The number picks colour and mark, which stay the same on the whole
    /// page; there are six of them.
    Series(usize),
}

impl Default for Role {
    fn default() -> Self {
        Self::Series(0)
    }
}

/// A point with an error bar, drawn where `low < high` and both are finite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlotPoint {
    /// Place along the horizontal axis.
    pub x: f64,
    /// Place along the vertical axis.
    pub y: f64,
    /// Lower end of the error bar.
    pub low: f64,
    /// Upper end of the error bar.
    pub high: f64,
}

impl PlotPoint {
    /// A point without an error bar.
    pub fn exact(x: f64, y: f64) -> Self {
        let (low, high) = (y, y);
        Self { x, y, low, high }
    }

    /// A point with a 95 % interval, 1.96 standard errors to both sides.
    pub fn with_error(x: f64, y: f64, standard_error: f64) -> Self {
        let half = 1.96 * standard_error;
        Self {
            x,
            y,
            low: y - half,
            high: y + half,
        }
    }
}

/// A value to compare with, as a dashed line across the plot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// The value.
    pub y: f64,
    /// A few words, written at the line.
    pub label: String,
}

/// How many checks came out how.
#[derive(Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) holding: usize,
    pub(crate) failing: usize,
    pub(crate) measured: usize,
}

impl Tally {
    pub(crate) fn of<'a>(checks: impl IntoIterator<Item = &'a CheckRow>) -> Self {
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
        Tally::of(&self.checks).verdict()
    }
}

impl ClaimsPage {
    /// [`Verdict::Fails`] if any check of any claim fails, [`Verdict::Measured`] if none asserts
    /// anything.
    pub fn verdict(&self) -> Verdict {
        self.tally().verdict()
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally::of(self.claims.iter().flat_map(|claim| &claim.checks))
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

    #[test]
    fn error_bars_are_two_sided() {
        let point = PlotPoint::with_error(2.0, 5.0, 0.5);
        assert_eq!((point.low, point.high), (5.0 - 0.98, 5.0 + 0.98));
        let point = PlotPoint::exact(2.0, 5.0);
        assert!(point.low == point.y && point.high == point.y);
    }
}
