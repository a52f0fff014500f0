//! Tables: the overview of claims, the checks of one claim, and plain numbers.

use super::data::{CheckRow, ClaimView, ClaimsPage, TableView, Tally, Verdict};
use crate::sections::missing;
use crate::sections::table::cell;
use crate::text::{count, counted, escape};

/// A cell longer than this is a sentence, which may wrap.
const SENTENCE: usize = 26;

/// The verdict as a symbol and a word; its colour says nothing that they do not.
pub(crate) fn mark(verdict: Verdict) -> String {
    let (class, text) = match verdict {
        Verdict::Holds => ("holds", "✓ holds"),
        Verdict::Fails => ("fails", "✗ fails"),
        Verdict::Measured => ("measured", "– measured"),
    };
    format!("<span class=\"mark {class}\">{text}</span>")
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
            let tally = Tally::new(&claim.checks);
            let mut checks = match tally.asserted() {
                0 => "–".into(),
                all => format!("{} / {}", count(tally.holding), count(all)),
            };
            if tally.measured > 0 {
                checks += &format!(
                    "<span class=\"explanation\">{} measured</span>",
                    count(tally.measured)
                );
            }
            format!(
                "<tr><th scope=\"row\"><a href=\"#{}\">{}</a></th>{}{}{}</tr>\n",
                claim_id(index),
                title(claim, index),
                cell("Rests on", "", &text(&claim.source)),
                cell("Checks that hold", "number", &checks),
                cell("Verdict", "", &mark(claim.verdict()))
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
        return missing("Nothing was checked or measured.");
    }
    let rows: String = claim
        .checks
        .iter()
        .enumerate()
        .map(|(place, check)| {
            let statistic = match check.statistic.as_str() {
                "" => String::new(),
                text => format!("<span class=\"explanation\">{}</span>", escape(text)),
            };
            format!(
                "<tr id=\"{}\"><th scope=\"row\">{}{statistic}</th>{}{}{}{}</tr>\n",
                check_id(index, place),
                check_name(check, place),
                cell("Expected", "", &text(&check.expected)),
                cell("Measured", "", &text(&check.measured)),
                cell("False-alarm rate", "", &text(&check.false_alarm)),
                cell("Verdict", "", &mark(check.verdict))
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
    let heading = match view.title.as_str() {
        "" => String::new(),
        title => format!("<h3 class=\"heading\">{}</h3>\n", escape(title)),
    };
    let caption = match view.caption.as_str() {
        "" => String::new(),
        caption => format!("<p class=\"note\">{}</p>\n", escape(caption)),
    };
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
pub(crate) fn sentence(tally: Tally, claims: usize) -> String {
    let (failing, asserted) = (tally.failing, tally.asserted());
    match (failing, asserted) {
        (0, 0) if claims == 0 => "This page holds no claim.".into(),
        (0, 0) => "Nothing was checked.".into(),
        (0, 1) => "The one check holds.".into(),
        (0, 2) => "Both checks hold.".into(),
        (0, all) => format!("All {} checks hold.", count(all)),
        (1, 1) => "The one check fails.".into(),
        (1, all) => format!("1 of {} checks fails.", count(all)),
        (some, all) => format!("{} of {} checks fail.", count(some), count(all)),
    }
}

/// What else the headline has to say.
pub(crate) fn aside(tally: Tally) -> Option<String> {
    let verb = if tally.measured == 1 { "is" } else { "are" };
    let numbers = match (tally.measured, tally.asserted()) {
        (0, _) => return None,
        (measured, 0) => counted(measured, "number"),
        (measured, _) => counted(measured, "further number"),
    };
    Some(format!("{numbers} {verb} reported, with nothing asserted."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_counts_in_words() {
        let tally = |holding, failing, measured| Tally {
            holding,
            failing,
            measured,
        };
        for (holding, failing, expected) in [
            (41, 0, "All 41 checks hold."),
            (39, 2, "2 of 41 checks fail."),
            (40, 1, "1 of 41 checks fails."),
            (1, 0, "The one check holds."),
            (2, 0, "Both checks hold."),
            (0, 1, "The one check fails."),
            (0, 0, "Nothing was checked."),
        ] {
            assert_eq!(sentence(tally(holding, failing, 0), 1), expected);
        }
        assert_eq!(sentence(tally(0, 0, 0), 0), "This page holds no claim.");
        assert_eq!(aside(tally(1, 0, 0)), None);
        assert!(
            aside(tally(1, 0, 1))
                .unwrap()
                .starts_with("1 further number is")
        );
        assert!(aside(tally(0, 0, 7)).unwrap().starts_with("7 numbers are"));
    }
}
