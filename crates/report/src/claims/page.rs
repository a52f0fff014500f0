//! The page of claims: the outcome first, then each claim with what it rests on.

use super::data::{ClaimView, ClaimsPage};
use super::tables;
use crate::figures::view;
use crate::page::{document, facts, paragraphs};
use crate::sections::section;
use crate::text::within;
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
        Ok(document(
            &self.title,
            "Claims and checks",
            &self.subtitle,
            &body,
        ))
    }

    fn headline(&self) -> String {
        let (failing, all) = self.tally();
        let color = match (failing, all) {
            (_, 0) => "#8a8a8a",
            (0, _) => "#1f6f43",
            _ => "#b3261e",
        };
        let mut html = format!(
            "<div class=\"verdict\" style=\"border-color:{color}\"><p class=\"big\">{}</p>",
            tables::sentence(failing, all)
        );
        let failed: String = self
            .claims
            .iter()
            .enumerate()
            .flat_map(|(index, claim)| {
                let checks = claim.checks.iter().enumerate();
                checks.map(move |(place, check)| (index, claim, place, check))
            })
            .filter(|(.., check)| !check.holds)
            .map(|(index, claim, place, check)| {
                format!(
                    "<li><a href=\"#{}\">{}</a>, of {}</li>\n",
                    tables::check_id(index, place),
                    tables::check_name(check, place),
                    tables::title(claim, index)
                )
            })
            .collect();
        if !failed.is_empty() {
            html += &format!("<ul>\n{failed}</ul>");
        }
        html + "</div>\n"
    }
}

const NOTE: &str = "<p class=\"note\">A check <b>holds</b> where what was measured is what the \
claim says, within the error given. <b>False-alarm rate</b>: how often a check fails by chance \
although the claim is true.</p>\n";

fn claim_section(claim: &ClaimView, index: usize) -> String {
    let mut body = within("<p class=\"statement\">", &claim.statement, "</p>\n");
    body += &within(
        "<p class=\"source\"><b>Rests on:</b> ",
        &claim.source,
        "</p>\n",
    );
    body += &tables::checks(claim, index);
    body.extend(claim.tables.iter().map(tables::values));
    body.extend(claim.figures.iter().map(view::html));
    let title = format!("{} {}", tables::title(claim, index), tables::verdict(claim));
    section(&tables::claim_id(index), &title, &body)
}
