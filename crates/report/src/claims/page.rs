//! The page of claims: the outcome first, then each claim with what it rests on.

use super::data::{ClaimView, ClaimsPage, Verdict};
use super::tables;
use crate::figures::view;
use crate::page::{document, facts, paragraphs};
use crate::sections::section;
use crate::text::escape;
use crate::{ReportError, check};

impl ClaimsPage {
    /// The page as one HTML document: no network, no script; the same claims give the same
    /// bytes.
    ///
    /// # Errors
    /// [`ReportError::Length`] where a row of a table is not as long as its header. Empty parts
    /// and numbers that are not finite are no errors.
    pub fn to_html(&self) -> Result<String, ReportError> {
        check::claims(self)?;
        let title = match self.title.trim() {
            "" => "Claims and checks",
            title => title,
        };
        let mut body = self.headline();
        body += &paragraphs(&self.intro);
        if !self.facts.is_empty() {
            body += &section("facts", "How this page came about", &facts(&self.facts));
        }
        if !self.claims.is_empty() {
            let overview = tables::overview(self) + NOTE;
            body += &section("overview", "The claims", &overview);
        }
        for (index, claim) in self.claims.iter().enumerate() {
            body += &claim_section(claim, index);
        }
        Ok(document(title, &self.subtitle, &body))
    }

    fn headline(&self) -> String {
        let tally = self.tally();
        let color = match tally.verdict() {
            Verdict::Holds => "#1f6f43",
            Verdict::Fails => "#b3261e",
            Verdict::Measured => "#8a8a8a",
        };
        let mut html = format!(
            "<div class=\"verdict\" style=\"border-color:{color}\"><p class=\"big\">{}</p>",
            tables::sentence(tally, self.claims.len())
        );
        let failing: String = self
            .claims
            .iter()
            .enumerate()
            .flat_map(|(index, claim)| {
                let checks = claim.checks.iter().enumerate();
                checks.map(move |(place, check)| (index, claim, place, check))
            })
            .filter(|(.., check)| check.verdict == Verdict::Fails)
            .map(|(index, claim, place, check)| {
                format!(
                    "<li><a href=\"#{}\">{}</a>, of {}</li>\n",
                    tables::check_id(index, place),
                    tables::check_name(check, place),
                    tables::title(claim, index)
                )
            })
            .collect();
        if !failing.is_empty() {
            html += &format!("<ul>\n{failing}</ul>");
        }
        if let Some(aside) = tables::aside(tally) {
            html += &format!("<p>{aside}</p>");
        }
        html + "</div>\n"
    }
}

const NOTE: &str = "<p class=\"note\">A check <b>holds</b> where what was measured is what the \
claim says, within the error given. <b>False-alarm rate</b>: how often a check fails by chance \
although the claim is true. A <b>measured</b> number is reported and nothing is asserted of \
it.</p>\n";

fn claim_section(claim: &ClaimView, index: usize) -> String {
    let mut body = String::new();
    if !claim.statement.is_empty() {
        body += &format!("<p class=\"statement\">{}</p>\n", escape(&claim.statement));
    }
    if !claim.source.is_empty() {
        body += &format!(
            "<p class=\"source\"><b>Rests on:</b> {}</p>\n",
            escape(&claim.source)
        );
    }
    body += &tables::checks(claim, index);
    body.extend(claim.tables.iter().map(tables::values));
    body.extend(claim.figures.iter().map(view::html));
    let title = format!(
        "{} {}",
        tables::title(claim, index),
        tables::mark(claim.verdict())
    );
    section(&tables::claim_id(index), &title, &body)
}
