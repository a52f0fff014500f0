//! What a page about a reproduction is made of. Everything may be empty.

use crate::{FigureView, TableView};

/// The claims of a paper, what was found about each, and the figures behind the findings.
///
/// Text is plain text (escaped by the page). A number that is not finite leaves a gap and is said
/// to be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReproductionPage {
    /// Heading of the page.
    pub title: String,
    /// One line under the heading.
    pub subtitle: String,
    /// Opening paragraphs, below the table of claims.
    pub intro: Vec<String>,
    /// How the page came about, as (name, value); a value may have several lines.
    pub facts: Vec<(String, String)>,
    /// One line per measure; the lines of a claim share its number and stand together.
    pub claims: Vec<FoundClaim>,
    /// The figures, in the order they are shown.
    pub figures: Vec<ReproducedFigure>,
}

/// One measure of a claim.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundClaim {
    /// Number of the claim in the list of the paper.
    pub number: usize,
    /// What is claimed. Where lines of one claim follow each other, the first text is shown.
    pub claim: String,
    /// What was measured, with its unit.
    pub measure: String,
    /// Estimate of the measure, in its unit.
    pub estimate: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
    /// How the finding follows from the numbers.
    pub rule: String,
    /// Whether the claim is shown, by `rule`.
    pub verdict: Finding,
    /// Number of seeds behind the numbers; zero where unknown.
    pub seeds: usize,
    /// [`ReproducedFigure::name`] of the figure that shows it; empty for none.
    pub figure: String,
}

/// What was found about a claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Finding {
    /// The numbers say what the claim says.
    Shown,
    /// The numbers do not decide, or were not measured.
    #[default]
    NotShown,
    /// The numbers say the opposite of the claim.
    Opposite,
}

/// One experiment: what was asked, what was done, what came out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReproducedFigure {
    /// Name by which claims refer to it: lower-case ASCII letters, digits, `-` and `_`; each
    /// figure has its own.
    pub name: String,
    /// Heading.
    pub title: String,
    /// What is asked, in a sentence.
    pub question: String,
    /// What was simulated and fitted, a paragraph.
    pub setting: String,
    /// The figures; their captions say what is shown.
    pub views: Vec<FigureView>,
    /// What to conclude, a paragraph.
    pub conclusion: String,
    /// The numbers behind the figures.
    pub tables: Vec<TableView>,
    /// Time that the experiment took, seconds; not finite where unknown.
    pub seconds: f64,
    /// Names of files beside the page: ASCII letters, digits, `.`, `-` and `_`.
    pub files: Vec<String>,
}

impl ReproductionPage {
    /// Numbers of the claims in order, each with what was found: shown where all its lines are,
    /// opposite where one of them is, otherwise not shown.
    pub fn findings(&self) -> Vec<(usize, Finding)> {
        let mut found = std::collections::BTreeMap::new();
        for line in &self.claims {
            let finding = found.entry(line.number).or_insert(Finding::Shown);
            *finding = finding.and(line.verdict);
        }
        found.into_iter().collect()
    }
}

impl Finding {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Opposite, _) | (_, Self::Opposite) => Self::Opposite,
            (Self::Shown, Self::Shown) => Self::Shown,
            _ => Self::NotShown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_shown_where_all_its_lines_are() {
        use Finding::{NotShown, Opposite, Shown};
        let line = |(number, verdict)| FoundClaim {
            number,
            verdict,
            ..FoundClaim::default()
        };
        let lines = [
            (4, Shown),
            (1, Shown),
            (2, NotShown),
            (2, Shown),
            (3, NotShown),
            (3, Opposite),
            (1, Shown),
        ];
        let page = ReproductionPage {
            claims: lines.map(line).to_vec(),
            ..ReproductionPage::default()
        };
        let expected = [(1, Shown), (2, NotShown), (3, Opposite), (4, Shown)];
        assert_eq!(page.findings(), expected);
        assert_eq!(ReproductionPage::default().findings(), []);
    }
}
