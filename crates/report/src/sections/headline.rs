//! The verdict in words.

use super::{Fit, fits};
use crate::text::{count, counted, escape, percent, within};
use crate::{Report, StabilityView};

pub(crate) fn html(report: &Report) -> String {
    let fits = fits(report);
    match fits.as_slice() {
        [] => "<div class=\"verdict\"><p class=\"big\">This page holds no fit.</p></div>\n".into(),
        [fit] => banner(fit, "", "this network"),
        several => several.iter().map(one_of_several).collect(),
    }
}

fn one_of_several(fit: &Fit<'_>) -> String {
    let name = format!(
        "<span style=\"color:{}\">{}.</span> ",
        fit.color,
        escape(fit.name())
    );
    banner(fit, &name, "the network")
}

/// The verdict: its word and colour, a sentence, how many runs left, and what to do about it. `name` is HTML.
fn banner(fit: &Fit<'_>, name: &str, network: &str) -> String {
    let view = &fit.view.stability;
    let color = color(view);
    let word = match view.verdict.trim() {
        word if view.runs > 0 && !word.is_empty() => format!(
            "<span class=\"word\" style=\"background:{color}\">{}</span> ",
            escape(word)
        ),
        _ => String::new(),
    };
    let beside = within("<p>", &view.beside, "</p>");
    let advice = view
        .advice
        .as_ref()
        .map_or(String::new(), |(sentence, command)| {
            format!(
                "<p class=\"advice\">{}</p><p><code>{}</code></p>",
                escape(sentence),
                escape(command)
            )
        });
    format!(
        "<div class=\"verdict\" style=\"border-color:{color}\"><p class=\"big\">{word}{name}{}</p>\
         <p>{}</p>{beside}{advice}</div>\n",
        escape(&sentence(view, network)),
        escape(&numbers(view)),
    )
}

/// Green, amber, red; blue where nothing is decided. The word says the same.
fn color(view: &StabilityView) -> &'static str {
    match view.verdict.trim().to_lowercase().as_str() {
        _ if view.runs == 0 => "#767676",
        "stable" => "#1a7f37",
        "fragile" => "#b35900",
        "divergent" => "#b42318",
        _ => "#31587a",
    }
}

fn sentence(view: &StabilityView, network: &str) -> String {
    if view.runs == 0 {
        return format!("Whether {network} stays in the range of the data was not tested.");
    }
    let verdict = view.verdict.trim();
    match verdict.to_lowercase().as_str() {
        "stable" => {
            format!("Left to run on its own, {network} stays in the range of the data.")
        }
        "fragile" => {
            format!("Left to run on its own, {network} sometimes leaves the range of the data.")
        }
        "not enough runs" => {
            format!(
                "Whether {network} stays in the range of the data is not decided: so many runs do not tell."
            )
        }
        "divergent" => {
            format!("Left to run on its own, {network} leaves the range of the data.")
        }
        "" => format!("No verdict was given on whether {network} stays in the range of the data."),
        _ => format!("Left to run on its own: {verdict}."),
    }
}

/// How many runs left, as a sentence.
pub(crate) fn numbers(view: &StabilityView) -> String {
    let clause = left(view);
    let mut characters = clause.chars();
    match characters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), characters.as_str()),
        None => clause,
    }
}

/// How many runs left, as a clause that may follow other words.
pub(crate) fn left(view: &StabilityView) -> String {
    if view.runs == 0 {
        return "no free runs were made".into();
    }
    let share = view.divergent_share;
    let left = match share {
        _ if !share.is_finite() => "an unknown number".into(),
        _ if share <= 0.0 => "none".into(),
        _ => count((share * view.runs as f64).round() as usize),
    };
    let interval = view
        .interval
        .filter(|(low, high)| low.is_finite() && high.is_finite());
    let interval = interval.map_or(String::new(), |(low, high)| {
        format!("95 % interval {:.1} to {:.1} %", 100.0 * low, 100.0 * high)
    });
    let share = match (share > 0.0, interval.as_str()) {
        (true, "") => format!(" ({})", percent(share)),
        (true, interval) => format!(" ({}, {interval})", percent(share)),
        (false, "") => String::new(),
        (false, interval) => format!(" ({interval})"),
    };
    format!(
        "{left} of {} of {} left the range{share}",
        counted(view.runs, "free run"),
        counted(view.presentations, "presentation")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(verdict: &str, share: f64, runs: usize) -> StabilityView {
        StabilityView {
            verdict: verdict.into(),
            divergent_share: share,
            runs,
            presentations: 10,
            ..StabilityView::default()
        }
    }

    #[test]
    fn verdicts_are_sentences() {
        let words = |v: &str| sentence(&view(v, 0.0, 200), "this network");
        assert!(words("Stable").ends_with("stays in the range of the data."));
        assert!(words("fragile").contains("sometimes leaves"));
        assert!(words("divergent").ends_with("network leaves the range of the data."));
        assert!(words("not enough runs").contains("not decided"));
        assert!(words("odd").ends_with("odd."));
        assert!(sentence(&view("stable", 0.0, 0), "it").contains("not tested"));
    }

    #[test]
    fn numbers_count_runs() {
        assert_eq!(
            numbers(&view("fragile", 0.015, 200)),
            "3 of 200 free runs of 10 presentations left the range (1.5 %)."
        );
        let with_interval = StabilityView {
            interval: Some((0.0051, 0.0432)),
            ..view("fragile", 0.015, 200)
        };
        assert!(left(&with_interval).ends_with("(1.5 %, 95 % interval 0.5 to 4.3 %)"));
        assert!(numbers(&view("stable", 0.0, 200)).starts_with("None of 200"));
        assert!(left(&view("stable", 0.0, 200)).starts_with("none of 200"));
        assert!(numbers(&view("stable", f64::NAN, 200)).starts_with("An unknown number of"));
        assert_eq!(numbers(&view("", 0.0, 0)), "No free runs were made.");
    }
}
