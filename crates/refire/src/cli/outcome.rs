//! Results as JSON (`fit.json`, `evaluate --json`) and as a table.

use super::fitted::Fitted;
use super::rows::{Group, Row, rows};
use super::{advice, table};
use refire::fit::{Evaluation, Model, SplitChoice};
use refire::metrics::{Metric, Stability};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The JSON of an evaluation: numbers, or null with the reason under `reasons`.
pub fn evaluation_json(evaluation: &Evaluation) -> Map<String, Value> {
    let mut out = Map::new();
    let stability = &evaluation.stability.stability;
    out.insert("refire_version".into(), json!(env!("CARGO_PKG_VERSION")));
    out.insert("split".into(), json!(evaluation.split));
    out.insert("trials".into(), json!(evaluation.trials));
    out.insert("test".into(), json!(evaluation.test));
    out.insert("test_sd".into(), json!(evaluation.test_sd));
    out.insert("test_sets".into(), json!(refire::fit::SETS));
    let mut clipping = json!(evaluation.clipping);
    clipping["rate_hz_data"] = json!("after clipping");
    out.insert("clipping".into(), clipping);
    let of_runs = |stability: &Stability| {
        json!({
            "verdict": stability.verdict,
            "divergent_share": stability.divergent_share,
            "interval": stability.interval,
            "runs": stability.runs,
            "presentations": refire::fit::PRESENTATIONS,
            "left_at_presentation": stability.left_at,
        })
    };
    let mut judged = of_runs(stability);
    judged["protocol"] = json!(evaluation.stability.protocol);
    judged["in_a_row"] = match &evaluation.stability.in_a_row {
        None => Value::Null,
        Some(in_a_row) => {
            let mut judged = of_runs(in_a_row);
            judged["gap_s"] = json!(refire::fit::GAP_SECONDS);
            judged
        }
    };
    out.insert("stability".into(), judged);
    out.insert(
        "ceiling_intervals".into(),
        json!(evaluation.ceiling_intervals),
    );
    let (told, told_ceiling) = &evaluation.told_apart_intervals;
    out.insert(
        "told_apart_intervals".into(),
        json!({ "told_apart": told, "told_apart_ceiling": told_ceiling }),
    );
    let not_measurable = rows(evaluation).into_iter();
    let not_measurable: Vec<&str> = not_measurable
        .filter(|row| row.not_measurable.is_some())
        .map(|row| row.name)
        .collect();
    out.insert("not_measurable".into(), json!(not_measurable));
    out.insert("noise_correlation_by_lag".into(), json!(evaluation.lagged));
    let metrics = evaluation.test.named().into_iter();
    let mut reasons: Map<String, Value> = metrics
        .filter_map(|(name, metric)| Some((format!("test.{name}"), json!(metric.reason()?))))
        .collect();
    let of_units = evaluation.missing_of_units().into_iter();
    reasons.extend(of_units.map(|(name, why)| (format!("units.{name}"), json!(why))));
    out.insert("reasons".into(), Value::Object(reasons));
    out.insert("units".into(), json!(evaluation.units));
    out
}

/// The JSON of a fit: its evaluation, losses, settings and time.
pub fn fit_json(fitted: &Fitted) -> Map<String, Value> {
    let (history, model) = (&fitted.history, &fitted.model);
    let mut out = evaluation_json(&fitted.evaluation);
    let column = |rows: &[Vec<f64>], term: usize| rows.iter().map(|r| r[term]).collect::<Vec<_>>();
    let per_term = |terms: &[String], rows: &[Vec<f64>]| -> Map<String, Value> {
        terms
            .iter()
            .enumerate()
            .map(|(at, name)| (name.clone(), json!(column(rows, at))))
            .collect()
    };
    out.insert(
        "losses".into(),
        json!({
            "terms": per_term(&history.terms, &history.training),
            "validation": {
                "iterations": history.validated_at,
                "terms": per_term(&history.validation_terms, &history.validation),
                "total": history.validation_total,
            },
            "best_iteration": model.iteration,
            "left_out": fitted.left_out,
            "sampled": fitted.sampled,
        }),
    );
    if let Some(convex) = &fitted.convex {
        out.insert("maximum_likelihood".into(), json!(convex));
    }
    let split = &model.split;
    out.insert(
        "held_out".into(),
        json!({ "test": split.test, "validation": split.validation }),
    );
    let stopped = fitted
        .stopped
        .map(|stopped| json!({ "signal": stopped.name(), "iteration": stopped.iteration }));
    out.insert("stopped".into(), json!(stopped));
    out.insert("wall_seconds".into(), json!(fitted.wall_seconds));
    out.insert(
        "processor_level".into(),
        json!(refire::kernels::processor_level()),
    );
    out.insert("seed".into(), json!(model.spec.seed));
    out.insert("settings".into(), json!(model.spec));
    out
}

/// Prints one or several evaluations side by side with the ceilings of the first.
pub fn print_table(evaluations: &[(&str, &Evaluation)]) {
    let Some((_, first)) = evaluations.first() else {
        return;
    };
    let mut header = vec![match first.split {
        SplitChoice::Test => "held-out metric",
        SplitChoice::All => "metric",
    }];
    header.extend(evaluations.iter().map(|(name, _)| *name));
    header.extend(["ceiling", "data"]);
    let all: Vec<Vec<Row<'_>>> = evaluations.iter().map(|(_, e)| rows(e)).collect();
    let mut lines = Vec::new();
    let longest = all.iter().max_by_key(|rows| rows.len());
    for group in Group::ALL {
        lines.push(vec![format!("{}:", group.title())]);
        let own = longest
            .into_iter()
            .flatten()
            .filter(|row| row.group == group);
        lines.extend(own.map(|row| line(row, &all)));
    }
    lines.push(vec!["left to run:".into()]);
    let stability = |name: String, of: &dyn Fn(&Evaluation) -> Option<Stability>| {
        let cells = evaluations
            .iter()
            .map(|(_, e)| of(e).map_or("-".into(), |s| advice::share(&s)));
        std::iter::once(name).chain(cells).collect::<Vec<String>>()
    };
    lines.push(stability(format!("  {}", advice::runs(first)), &|e| {
        Some(e.stability.stability.clone())
    }));
    if first.stability.in_a_row.is_some() {
        let gap = refire::fit::GAP_SECONDS;
        lines.push(stability(
            format!("  trials in a row, {gap} s apart"),
            &|e| e.stability.in_a_row.clone(),
        ));
    }
    table::print(&header, &lines);
    if let Some(clipped) = clipped(first) {
        say!("- mean rate: {clipped}");
    }
    for row in rows(first) {
        if let Some(why) = row.why_not_measurable() {
            say!("- {}: {why}", row.name);
        }
        let metrics = std::iter::once(row.metric).chain(row.ceiling);
        let mut reasons: Vec<&str> = metrics.chain(row.data).filter_map(Metric::reason).collect();
        reasons.dedup();
        for reason in reasons {
            // Most say what they are about.
            let about = row.name.split(',').next().unwrap_or(row.name);
            let said = reason.to_lowercase().starts_with(&about.to_lowercase());
            if said {
                say!("- {reason}");
            } else {
                say!("- {}: {reason}", row.name);
            }
        }
    }
}

/// Says what to do about a network that is not stable.
pub fn print_advice(model: &Model, evaluation: &Evaluation, recording: &Path) {
    let recording = recording.display().to_string();
    if let Some(advice) = advice::what_to_do(model, evaluation, &recording) {
        say!("\n{}\n  {}", advice.sentence, advice.command);
    }
}

/// A row of the table: the figures of each fit, the ceiling and the data.
fn line(row: &Row<'_>, all: &[Vec<Row<'_>>]) -> Vec<String> {
    let name = match row.unit {
        "" => format!("  {}", row.name),
        unit => format!("  {} ({unit})", row.name),
    };
    // A fit without same-bin couplings has no joint figure.
    let of_fit = |rows: &'_ [Row<'_>]| match rows.iter().find(|other| other.name == row.name) {
        Some(row) if row.not_measurable.is_some() => "not measurable".into(),
        Some(row) => match row.interval {
            Some(interval) => table::with_interval(row.metric.value(), interval),
            None => table::with_sd(row.metric.value(), row.sd.value()),
        },
        None => table::number(None),
    };
    let other =
        |metric: Option<&Metric>| metric.map_or(String::new(), |f| table::number(f.value()));
    let fits = all.iter().map(|rows| of_fit(rows));
    std::iter::once(name)
        .chain(fits)
        .chain([other(row.ceiling), other(row.data)])
        .collect()
}

/// What the data lost to bins that hold at most one spike; `None` where that is nothing.
pub fn clipped(evaluation: &Evaluation) -> Option<String> {
    let clipping = evaluation.clipping;
    (clipping.clipped_spikes > 0).then(|| {
        format!(
            "that of the data is after clipping, which took {:.2} % of the spikes",
            100.0 * clipping.clipped_share
        )
    })
}
