//! Tables: the overview of claims, the checks of one claim, and plain numbers.

use super::data::{CheckRow, ClaimView, ClaimsPage, TableView};
use crate::sections::missing;
use crate::sections::table::cell;
use crate::text::{count, escape, within};

/// A cell longer than this is a sentence, which may wrap.
const SENTENCE: usize = 26;

/// The verdict as a symbol and a word; its colour says nothing that they do not.
fn mark(holds: bool) -> &'static str {
    match holds {
        true => "<span class=\"mark holds\">✓ holds</span>",
        false => "<span class=\"mark fails\">✗ fails</span>",
    }
}

/// Whether all checks of a claim hold; nothing where it has none.
pub(crate) fn verdict(claim: &ClaimView) -> &'static str {
    match claim.checks.is_empty() {
        true => "–",
        false => mark(claim.checks.iter().all(|check| check.holds)),
    }
}

/// Title of a claim, by which the page refers to it.
pub(crate) fn title(claim: &ClaimView, index: usize) -> String {
    match claim.title.trim() {
        "" => format!("Claim {}", index + 1),
        title => escape(title),
    }
}

/// Where a claim stands on the page.
pub(crate) fn claim_id(index: usize) -> String {
    format!("claim-{}", index + 1)
}

/// Where a check stands on the page.
pub(crate) fn check_id(claim: usize, check: usize) -> String {
    format!("claim-{}-check-{}", claim + 1, check + 1)
}

/// Name of a check, by which the page refers to it.
pub(crate) fn check_name(check: &CheckRow, index: usize) -> String {
    match check.name.trim() {
        "" => format!("check {}", index + 1),
        name => escape(name),
    }
}

/// Every claim with its verdict.
pub(crate) fn overview(page: &ClaimsPage) -> String {
    let rows: String = page
        .claims
        .iter()
        .enumerate()
        .map(|(index, claim)| {
            let holding = claim.checks.iter().filter(|check| check.holds).count();
            let checks = format!("{} / {}", count(holding), count(claim.checks.len()));
            format!(
                "<tr><th scope=\"row\"><a href=\"#{}\">{}</a></th>{}{}{}</tr>\n",
                claim_id(index),
                title(claim, index),
                cell("Rests on", "", &text(&claim.source)),
                cell("Checks that hold", "number", &checks),
                cell("Verdict", "", verdict(claim))
            )
        })
        .collect();
    table(
        "overview",
        "<th scope=\"col\">Claim</th><th scope=\"col\">Rests on</th>\
         <th scope=\"col\" class=\"number\">Checks that hold</th><th scope=\"col\">Verdict</th>",
        &rows,
    )
}

/// The checks of one claim.
pub(crate) fn checks(claim: &ClaimView, index: usize) -> String {
    if claim.checks.is_empty() {
        return missing("Nothing was checked.");
    }
    let rows: String = claim
        .checks
        .iter()
        .enumerate()
        .map(|(place, check)| {
            let statistic = within("<span class=\"explanation\">", &check.statistic, "</span>");
            format!(
                "<tr id=\"{}\"><th scope=\"row\">{}{statistic}</th>{}{}{}{}</tr>\n",
                check_id(index, place),
                check_name(check, place),
                cell("Expected", "", &text(&check.expected)),
                cell("Measured", "", &text(&check.measured)),
                cell("False-alarm rate", "", &text(&check.false_alarm)),
                cell("Verdict", "", mark(check.holds))
            )
        })
        .collect();
    table(
        "checks",
        "<th scope=\"col\">Check</th><th scope=\"col\">Expected</th><th scope=\"col\">Measured\
         </th><th scope=\"col\">False-alarm rate</th><th scope=\"col\">Verdict</th>",
        &rows,
    )
}

/// A table of numbers with its heading and caption.
pub(crate) fn values(view: &TableView) -> String {
    let heading = within("<h3 class=\"heading\">", &view.title, "</h3>\n");
    let caption = within("<p class=\"note\">", &view.caption, "</p>\n");
    if view.rows.is_empty() || view.header.is_empty() {
        return format!("{heading}{}{caption}", missing("This table has no rows."));
    }
    let head: String = view
        .header
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let class = if column > 0 { " class=\"number\"" } else { "" };
            format!("<th scope=\"col\"{class}>{}</th>", escape(name))
        })
        .collect();
    let rows: String = view
        .rows
        .iter()
        .map(|row| {
            let cells: String = row
                .iter()
                .zip(&view.header)
                .enumerate()
                .map(|(column, (value, name))| match column {
                    0 => format!("<th scope=\"row\">{}</th>", text(value)),
                    _ if value.chars().count() > SENTENCE => {
                        cell(name, "number sentence", &text(value))
                    }
                    _ => cell(name, "number", &text(value)),
                })
                .collect();
            format!("<tr>{cells}</tr>\n")
        })
        .collect();
    format!("{heading}{}{caption}", table("values", &head, &rows))
}

/// A very wide table scrolls rather than widen the page.
fn table(class: &str, head: &str, rows: &str) -> String {
    format!(
        "<div class=\"scroll\"><table class=\"{class}\">\n<thead><tr>{head}</tr></thead>\n<tbody>\n\
         {rows}</tbody>\n</table></div>\n"
    )
}

fn text(text: &str) -> String {
    match text.trim() {
        "" => "–".into(),
        text => escape(text),
    }
}

/// The outcome of all checks in a sentence.
pub(crate) fn sentence(failing: usize, all: usize) -> String {
    match (failing, all) {
        (0, 0) => "Nothing was checked.".into(),
        (0, 1) => "The one check holds.".into(),
        (0, 2) => "Both checks hold.".into(),
        (0, all) => format!("All {} checks hold.", count(all)),
        (1, 1) => "The one check fails.".into(),
        (1, all) => format!("1 of {} checks fails.", count(all)),
        (some, all) => format!("{} of {} checks fail.", count(some), count(all)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_counts_in_words() {
        for (failing, all, expected) in [
            (0, 41, "All 41 checks hold."),
            (2, 41, "2 of 41 checks fail."),
            (1, 41, "1 of 41 checks fails."),
            (0, 1, "The one check holds."),
            (0, 2, "Both checks hold."),
            (1, 1, "The one check fails."),
            (0, 0, "Nothing was checked."),
        ] {
            assert_eq!(sentence(failing, all), expected);
        }
    }
}
