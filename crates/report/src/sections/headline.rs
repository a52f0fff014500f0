//! The verdict in words.

use super::{Fit, fits};
use crate::text::{count, counted, escape, percent};
use crate::{Report, StabilityView};

pub(crate) fn html(report: &Report) -> String {
    let fits = fits(report);
    match fits.as_slice() {
        [] => "<div class=\"verdict\"><p class=\"big\">This page holds no fit.</p></div>\n".into(),
        [fit] => format!(
            "<div class=\"verdict\" style=\"border-color:{}\"><p class=\"big\">{}</p>\
             <p>{}</p></div>\n",
            fit.color,
            escape(&sentence(&fit.view.stability, "this network")),
            escape(&numbers(&fit.view.stability))
        ),
        several => several.iter().map(one_of_several).collect(),
    }
}

fn one_of_several(fit: &Fit<'_>) -> String {
    format!(
        "<div class=\"verdict\" style=\"border-color:{color}\"><p class=\"big\">\
         <span style=\"color:{color}\">{}.</span> {}</p><p>{}</p></div>\n",
        escape(fit.name()),
        escape(&sentence(&fit.view.stability, "the network")),
        escape(&numbers(&fit.view.stability)),
        color = fit.color
    )
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
    let share = if share > 0.0 {
        format!(" ({})", percent(share))
    } else {
        String::new()
    };
    format!(
        "{left} of {} of {} in a row left the range{share}",
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
        assert!(words("odd").ends_with("odd."));
        assert!(sentence(&view("stable", 0.0, 0), "it").contains("not tested"));
    }

    #[test]
    fn numbers_count_runs() {
        assert_eq!(
            numbers(&view("fragile", 0.015, 200)),
            "3 of 200 free runs of 10 presentations in a row left the range (1.5 %)."
        );
        assert!(numbers(&view("stable", 0.0, 200)).starts_with("None of 200"));
        assert!(left(&view("stable", 0.0, 200)).starts_with("none of 200"));
        assert!(numbers(&view("stable", f64::NAN, 200)).starts_with("An unknown number of"));
        assert_eq!(numbers(&view("", 0.0, 0)), "No free runs were made.");
    }
}
