//! The table of claims, and findings in words.

use super::data::{Finding, FoundClaim, ReproductionPage};
use crate::sections::missing;
use crate::sections::table::cell;
use crate::text::{count, escape, number, together, within};

/// The finding as a symbol and a word; its colour says nothing that they do not.
pub(crate) fn mark(finding: Finding) -> String {
    let (class, text) = match finding {
        Finding::Shown => ("holds", "✓ shown"),
        Finding::NotShown => ("measured", "○ not shown"),
        Finding::Opposite => ("fails", "✗ opposite"),
    };
    format!("<span class=\"mark {class}\">{text}</span>")
}

/// Where the lines of a claim stand on the page.
pub(crate) fn claim_id(number: usize) -> String {
    format!("claim-{number}")
}

/// Where a figure stands on the page; its name has been checked.
pub(crate) fn figure_id(name: &str) -> String {
    format!("figure-{name}")
}

/// The outcome in a sentence.
pub(crate) fn sentence(findings: &[(usize, Finding)]) -> String {
    let shown = findings
        .iter()
        .filter(|(_, finding)| *finding == Finding::Shown);
    match (shown.count(), findings.len()) {
        (_, 0) => "This page holds no claim.".into(),
        (1, 1) => "The one claim is shown.".into(),
        (0, 1) => "The one claim is not shown.".into(),
        (2, 2) => "Both claims are shown.".into(),
        (shown, all) if shown == all => format!("All {} claims are shown.", count(all)),
        (0, all) => format!("None of {} claims is shown.", count(all)),
        (1, all) => format!("1 of {} claims is shown.", count(all)),
        (shown, all) => format!("{} of {} claims are shown.", count(shown), count(all)),
    }
}

/// The lines of each claim together, in the order of their numbers.
pub(crate) fn grouped(page: &ReproductionPage) -> Vec<(usize, Finding, Vec<&FoundClaim>)> {
    let of = |number| page.claims.iter().filter(move |line| line.number == number);
    page.findings()
        .into_iter()
        .map(|(number, finding)| (number, finding, of(number).collect()))
        .collect()
}

/// What is claimed: the first text among the lines of a claim.
pub(crate) fn claim_text<'a>(lines: &[&'a FoundClaim]) -> &'a str {
    let mut texts = lines.iter().map(|line| line.claim.trim());
    texts.find(|text| !text.is_empty()).unwrap_or("")
}

/// Every line of every claim.
pub(crate) fn claims(page: &ReproductionPage) -> String {
    if page.claims.is_empty() {
        return missing("No claim was put to a test.");
    }
    let bodies: String = grouped(page)
        .iter()
        .map(|(number, _, lines)| body(*number, lines))
        .collect();
    format!(
        "<div class=\"scroll\"><table class=\"found\">\n<thead><tr><th scope=\"col\">Claim</th>\
         <th scope=\"col\">What was measured</th><th scope=\"col\" class=\"number\">Estimate\
         </th><th scope=\"col\" class=\"number\">Seeds</th><th scope=\"col\">Finding</th></tr>\
         </thead>\n{bodies}</table></div>\n{NOTE}"
    )
}

const NOTE: &str = "<p class=\"note\">Estimates stand with their 95 % interval. The rule in small \
type says how the finding follows from the numbers: <b>✓ shown</b>, they say what the claim says; \
<b>○ not shown</b>, they do not decide, or were not measured; <b>✗ opposite</b>, they say the \
opposite. A claim is shown where all its lines are.</p>\n";

fn body(number: usize, lines: &[&FoundClaim]) -> String {
    let rows: String = lines
        .iter()
        .enumerate()
        .map(|(at, line)| {
            // The claim itself stands once, beside all its lines.
            let head = match at {
                0 => format!(
                    "<th scope=\"rowgroup\" rowspan=\"{}\"><b>{number}</b> {}</th>",
                    lines.len(),
                    escape(claim_text(lines))
                ),
                _ => String::new(),
            };
            let seeds = match line.seeds {
                0 => "–".into(),
                seeds => count(seeds),
            };
            format!(
                "<tr>{head}<td class=\"measure\">{}</td>{}{}{}</tr>\n",
                measure(line),
                cell("Estimate", "number", &estimate(line)),
                cell("Seeds", "number", &seeds),
                cell("Finding", "", &mark(line.verdict))
            )
        })
        .collect();
    format!("<tbody id=\"{}\">\n{rows}</tbody>\n", claim_id(number))
}

fn measure(line: &FoundClaim) -> String {
    let name = match line.measure.trim() {
        "" => "not named",
        name => name,
    };
    let name = match line.figure.as_str() {
        "" => escape(name),
        figure => format!("<a href=\"#{}\">{}</a>", figure_id(figure), escape(name)),
    };
    name + &within("<span class=\"explanation\">Rule: ", &line.rule, "</span>")
}

/// The number with its interval, or what is missing of the two.
fn estimate(line: &FoundClaim) -> String {
    let (value, low, high) = (line.estimate, line.low, line.high);
    if !value.is_finite() {
        return "not measured".into();
    }
    let texts = together(&[value, low, high]);
    let [shown, from, to] = texts.as_slice() else {
        return number(value);
    };
    let interval = if !low.is_finite() || !high.is_finite() {
        "no interval".into()
    } else if low < high {
        format!("[{from}, {to}]")
    } else {
        return number(value);
    };
    format!("{shown} <span class=\"interval\">{interval}</span>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_counts_claims() {
        use Finding::{NotShown, Opposite, Shown};
        for (findings, expected) in [
            (&[][..], "This page holds no claim."),
            (&[Shown][..], "The one claim is shown."),
            (&[Opposite], "The one claim is not shown."),
            (&[Shown, Shown], "Both claims are shown."),
            (&[Shown; 6], "All 6 claims are shown."),
            (&[NotShown, Opposite], "None of 2 claims is shown."),
            (&[Shown, NotShown, Opposite], "1 of 3 claims is shown."),
            (&[Shown, Shown, Opposite], "2 of 3 claims are shown."),
        ] {
            let numbered: Vec<_> = findings.iter().copied().enumerate().collect();
            assert_eq!(sentence(&numbered), expected);
        }
    }

    #[test]
    fn estimates_say_what_is_missing() {
        let of = |estimate_, low, high| {
            estimate(&FoundClaim {
                estimate: estimate_,
                low,
                high,
                ..FoundClaim::default()
            })
        };
        assert!(
            of(0.5, 0.25, 0.75).contains("0.500 <span")
                && of(0.5, 0.25, 0.75).contains("[0.250, 0.750]")
        );
        assert_eq!(of(f64::NAN, 0.0, 1.0), "not measured");
        assert!(of(0.5, f64::NAN, 1.0).contains("no interval"));
        assert_eq!(of(0.5, 0.5, 0.5), "0.500");
    }
}
