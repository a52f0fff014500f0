//! The table of figures: every fit beside the ceiling and the data.

use super::{Fit, fits, missing, section};
use crate::svg::px;
use crate::text::{escape, number, percent, within};
use crate::{MetricRow, Report};

pub(crate) fn html(report: &Report) -> String {
    let fits = fits(report);
    let mut names: Vec<&str> = Vec::new();
    for row in fits.iter().flat_map(|fit| &fit.view.figures) {
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    let title = if fits.len() > 1 {
        "The fits compared"
    } else {
        "How good is the fit?"
    };
    if names.is_empty() {
        return section("figures", title, &missing("No figures were computed."));
    }
    let heads: String = fits
        .iter()
        .map(|fit| {
            let name = if fits.len() > 1 { fit.name() } else { "Model" };
            format!(
                "<th scope=\"col\" class=\"number\" style=\"color:{}\">{}</th>",
                fit.color,
                escape(name)
            )
        })
        .collect();
    let (mut rows, mut group) = (String::new(), "");
    for name in &names {
        let own = group_of(&fits, name);
        if own != group {
            group = own;
            rows += &heading(group, fits.len() + 4);
        }
        rows += &row(&fits, name);
    }
    let body = format!(
        "<table class=\"figures\">\n<thead><tr><th scope=\"col\">Figure</th>{heads}\
         <th scope=\"col\" class=\"number\">Ceiling</th><th scope=\"col\" class=\"number\">Data\
         </th><th scope=\"col\">Share of ceiling</th></tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table>\n<p class=\"note\">Figures are taken on trials that were not used for \
         fitting. <b>Ceiling</b>: the same figure with recorded trials in the model’s place; it \
         is what a perfect model could reach with this many trials. For a distance, that is the least it can be. \
         <b>Data</b>: the value in \
         the recording, for figures that describe a recording and have no best value. <b>±</b>: \
         standard deviation over simulated sets of as many trials, of which the figure is the \
         mean.</p>\n"
    );
    section("figures", title, &body)
}

fn group_of<'a>(fits: &[Fit<'a>], name: &str) -> &'a str {
    let mut rows = fits.iter().flat_map(|fit| &fit.view.figures);
    rows.find(|row| row.name == name)
        .map_or("", |row| row.group.trim())
}

fn heading(group: &str, columns: usize) -> String {
    let open = format!("<tr class=\"group\"><th colspan=\"{columns}\" scope=\"colgroup\">");
    within(&open, group, "</th></tr>\n")
}

fn row(fits: &[Fit<'_>], name: &str) -> String {
    let found: Vec<(Fit<'_>, Option<&MetricRow>)> = fits
        .iter()
        .map(|fit| (*fit, fit.view.figures.iter().find(|row| row.name == name)))
        .collect();
    let rows = || found.iter().filter_map(|(_, row)| *row);
    let mut explanations = rows().map(|row| row.explanation.as_str());
    let explanation = explanations.find(|e| !e.is_empty()).unwrap_or("");
    let unit = rows().map(|row| row.unit.as_str()).find(|u| !u.is_empty());

    let explanation = within("<span class=\"explanation\">", explanation, "</span>");
    let mut html = format!("<tr><th scope=\"row\">{}{explanation}</th>", escape(name));
    for (fit, row) in &found {
        let label = if fits.len() > 1 { fit.name() } else { "Model" };
        let value = row.and_then(|row| finite(row.model));
        let content = match (value, row.and_then(|row| row.reason.as_deref())) {
            (Some(value), _) => with_unit(value, unit) + &spread(*row),
            (None, Some(reason)) => within("–<span class=\"explanation\">", reason, "</span>"),
            (None, None) => "–".into(),
        };
        html += &cell(label, "number", &content);
    }
    let ceilings = distinct(rows().filter_map(|row| finite(row.ceiling)), unit);
    let data = distinct(rows().filter_map(|row| finite(row.data)), unit);
    html += &cell("Ceiling", "number", &ceilings);
    html += &cell("Data", "number", &data);
    let bars: String = found
        .iter()
        .filter_map(|(fit, row)| bar(fit.color, (*row)?))
        .collect();
    html += &cell(
        "Share of ceiling",
        "bars",
        if bars.is_empty() { "–" } else { &bars },
    );
    html + "</tr>\n"
}

/// What the value may differ by.
fn spread(row: Option<&MetricRow>) -> String {
    let interval = row.and_then(|row| row.interval);
    let text = match interval.filter(|(low, high)| low.is_finite() && high.is_finite()) {
        Some((low, high)) => format!("({} to {})", number(low), number(high)),
        None => match row.and_then(|row| finite(row.sd)) {
            Some(sd) => format!("± {}", number(sd)),
            None => return String::new(),
        },
    };
    format!(" <span class=\"unit\">{text}</span>")
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|v| v.is_finite())
}

fn with_unit(value: f64, unit: Option<&str>) -> String {
    match unit {
        Some(unit) => format!(
            "{} <span class=\"unit\">{}</span>",
            number(value),
            escape(unit)
        ),
        None => number(value),
    }
}

/// The values the fits do not share, e.g. `0.368 / 0.371`.
fn distinct(values: impl Iterator<Item = f64>, unit: Option<&str>) -> String {
    let mut texts: Vec<String> = Vec::new();
    for value in values {
        let text = with_unit(value, unit);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    if texts.is_empty() {
        "–".into()
    } else {
        texts.join(" / ")
    }
}

/// On a narrow screen the row becomes a list, and the label takes the place of the heading.
pub(crate) fn cell(label: &str, class: &str, content: &str) -> String {
    let none = if content == "–" { " none" } else { "" };
    format!(
        "<td class=\"{class}{none}\" data-label=\"{}\"><div>{content}</div></td>",
        escape(label)
    )
}

fn bar(color: &str, row: &MetricRow) -> Option<String> {
    if let Some(why) = &row.not_measurable {
        return Some(within("<span class=\"bar none\">", why, "</span>"));
    }
    if !row.rises {
        return None;
    }
    let ceiling = finite(row.ceiling).filter(|ceiling| *ceiling > 0.0)?;
    let share = finite(row.model)? / ceiling;
    let width = 80.0;
    let filled = width * share.clamp(0.0, 1.0);
    let text = if share < 0.0 {
        "below 0".into()
    } else if share > 10.0 {
        "over 1,000 %".into()
    } else {
        percent(share)
    };
    Some(format!(
        "<span class=\"bar\"><svg viewBox=\"0 0 {width} 10\" width=\"{width}\" height=\"10\" \
         aria-hidden=\"true\"><rect width=\"{width}\" height=\"10\" fill=\"#e3e3e3\"/>\
         <rect width=\"{}\" height=\"10\" fill=\"{color}\"/></svg> {text}</span>",
        px(filled)
    ))
}
