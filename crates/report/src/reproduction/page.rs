//! The page of a reproduction: findings first, then each figure from question to conclusion.

use super::data::{Finding, FoundClaim, ReproducedFigure, ReproductionPage};
use super::tables::{self, figure_id};
use crate::claims::tables::values;
use crate::figures::view;
use crate::page::{document, facts, glossary, paragraphs};
use crate::sections::{missing, section};
use crate::text::{count, escape, number, within};
use crate::{ReportError, check};

impl ReproductionPage {
    /// The page as one HTML document: no network, no script; the same input gives the same bytes.
    /// Links lead to places of the page and to [`ReproducedFigure::files`] beside it.
    ///
    /// # Errors
    /// [`ReportError::Name`] where a figure has no fit name of its own, a claim refers to a figure
    /// that is not there, or a file is not a plain name; [`ReportError::Length`] and
    /// [`ReportError::OutOfRange`] where parts of a table or a panel do not fit. Empty parts and
    /// numbers that are not finite are no errors: the page says what is missing.
    pub fn to_html(&self) -> Result<String, ReportError> {
        check::reproduction(self)?;
        let mut body = self.headline();
        body += &self.contents();
        body += &section("claims", "The claims", &tables::claims(self));
        let mut about = paragraphs(&self.intro);
        if !self.facts.is_empty() {
            about += &facts(&self.facts);
        }
        if !about.is_empty() {
            body += &section("facts", "How this page came about", &about);
        }
        for figure in &self.figures {
            body += &self.figure(figure);
        }
        body += &glossary(MORE_WORDS);
        Ok(document(&self.title, "Reproduction", &self.subtitle, &body))
    }

    fn headline(&self) -> String {
        let findings = self.findings();
        let all = |of: Finding| findings.iter().all(|(_, finding)| *finding == of);
        let color = if findings.is_empty() {
            "#8a8a8a"
        } else if all(Finding::Shown) {
            "#1f6f43"
        } else if findings
            .iter()
            .any(|(_, finding)| *finding == Finding::Opposite)
        {
            "#b3261e"
        } else {
            "#b07d12"
        };
        let rest: String = tables::grouped(self)
            .iter()
            .filter(|(_, finding, _)| *finding != Finding::Shown)
            .map(|(number, finding, lines)| {
                format!(
                    "<li><a href=\"#{}\">Claim {number}</a> {} {}</li>\n",
                    tables::claim_id(*number),
                    tables::mark(*finding),
                    escape(tables::claim_text(lines))
                )
            })
            .collect();
        let list = match rest.as_str() {
            "" => String::new(),
            rest => format!("<ul>\n{rest}</ul>"),
        };
        format!(
            "<div class=\"verdict\" style=\"border-color:{color}\"><p class=\"big\">{}</p>{list}\
             </div>\n",
            tables::sentence(&findings)
        )
    }

    fn contents(&self) -> String {
        if self.figures.is_empty() {
            return String::new();
        }
        let links: String = self
            .figures
            .iter()
            .map(|of| {
                format!(
                    "<a href=\"#{}\">{}</a>\n",
                    figure_id(&of.name),
                    escape(heading(of))
                )
            })
            .collect();
        format!(
            "<nav class=\"contents\" aria-label=\"Contents\">\n<a href=\"#claims\">The claims</a>\n\
             {links}<a href=\"#words\">Words used here</a>\n</nav>\n"
        )
    }

    fn figure(&self, figure: &ReproducedFigure) -> String {
        let mut body = within("<p class=\"statement\">", &figure.question, "</p>\n");
        body += &self.shows(figure);
        body += &labelled("What was done.", &figure.setting);
        if figure.views.is_empty() {
            body += &missing("There is no figure to show.");
        }
        for of in &figure.views {
            // Four panels stand two by two, however small.
            let four = if of.panels.len() == 4 { " four" } else { "" };
            body += &format!("<div class=\"natural{four}\">\n{}</div>\n", view::html(of));
        }
        body += &labelled("What to conclude.", &figure.conclusion);
        body.extend(figure.tables.iter().map(values));
        body += &format!(
            "<p class=\"note\">{}{}</p>\n",
            files(&figure.files),
            time(figure.seconds)
        );
        section(&figure_id(&figure.name), &escape(heading(figure)), &body)
    }

    /// Which claims a figure bears on, with what was found about them.
    fn shows(&self, figure: &ReproducedFigure) -> String {
        let rests = |line: &&FoundClaim| line.figure == figure.name;
        let found: Vec<String> = tables::grouped(self)
            .iter()
            .filter(|(_, _, lines)| lines.iter().any(rests))
            .map(|(number, finding, _)| {
                format!(
                    "<a href=\"#{}\">claim {number}</a> {}",
                    tables::claim_id(*number),
                    tables::mark(*finding)
                )
            })
            .collect();
        match found.join(", ").as_str() {
            "" => String::new(),
            found => format!("<p class=\"source\"><b>Bears on:</b> {found}</p>\n"),
        }
    }
}

fn heading(figure: &ReproducedFigure) -> &str {
    match figure.title.trim() {
        "" => &figure.name,
        title => title,
    }
}

fn labelled(label: &str, text: &str) -> String {
    within(
        &format!("<p class=\"read\"><b>{label}</b> "),
        text,
        "</p>\n",
    )
}

fn files(names: &[String]) -> String {
    let links: Vec<String> = names
        .iter()
        .map(|name| {
            let name = escape(name);
            format!("<a href=\"{name}\">{name}</a>")
        })
        .collect();
    match links.join(", ").as_str() {
        "" => String::new(),
        links => format!("Files beside this page: {links}. "),
    }
}

fn time(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "How long it took is not known.".into();
    }
    let whole = seconds.round().min(1e9) as usize;
    let (hours, minutes, rest) = (whole / 3600, whole % 3600 / 60, whole % 60);
    let took = match (hours, minutes) {
        _ if whole < 10 => format!("{} s", number(seconds)),
        (0, 0) => format!("{rest} s"),
        (0, _) => format!("{minutes} min {rest} s"),
        (hours, _) => format!("{} h {minutes} min", count(hours)),
    };
    format!("It took {took}.")
}

const MORE_WORDS: &str =
    "<div><dt>published, corrected</dt><dd>the terms of sample-and-measure as \
the paper’s code has them, and as they are without their biases</dd></div>
<div><dt>oracle</dt><dd>a fit that is told what the others have to do without, such as the spikes \
of all units: as good as a fit can get</dd></div>
<div><dt>truth</dt><dd>the network that made the data, where they are simulated</dd></div>
<div><dt>ceiling</dt><dd>the same figure with recorded trials in the model’s place: what a perfect \
model could reach with this many trials</dd></div>
<div><dt>seed</dt><dd>one repeat of a whole experiment (data, start, sampled spikes) with random \
numbers of its own</dd></div>
<div><dt>95 % interval</dt><dd>the range that would hold the value over very many seeds in 95 of \
100 such experiments</dd></div>
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_units() {
        for (seconds, expected) in [
            (0.25, "It took 0.250 s."),
            (59.6, "It took 1 min 0 s."),
            (12.4, "It took 12 s."),
            (200.0, "It took 3 min 20 s."),
            (3_900.0, "It took 1 h 5 min."),
            (f64::NAN, "How long it took is not known."),
        ] {
            assert_eq!(time(seconds), expected);
        }
    }
}
