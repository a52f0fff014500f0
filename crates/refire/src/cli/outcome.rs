//! Results as JSON (`fit.json`, `evaluate --json`) and as a table.

use super::fitted::Fitted;
use super::table;
use refire::fit::{Evaluation, SplitChoice};
use refire::metrics::Metric;
use serde_json::{Map, Value, json};

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
    out.insert(
        "stability".into(),
        json!({
            "verdict": stability.verdict,
            "divergent_share": stability.divergent_share,
            "runs": stability.runs,
            "presentations": refire::fit::PRESENTATIONS,
            "left_at_presentation": stability.left_at,
        }),
    );
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

/// What is said of a ceiling that is [at chance](Row::at_chance).
const AT_CHANCE: &str = "within chance: the data do not tell this figure";

/// One metric with what it is compared with.
pub struct Row<'a> {
    pub name: &'static str,
    pub explanation: &'static str,
    pub metric: &'a Metric,
    /// Of single sets of trials, where the metric is a mean over them.
    pub sd: &'a Metric,
    pub ceiling: Option<&'a Metric>,
    /// Whether the ceiling is one that data reach that do not repeat themselves at all: no share of it tells anything.
    pub at_chance: bool,
    pub data: Option<&'a Metric>,
    pub unit: &'static str,
}

/// Whether a correlation over so many numbers, or a mean of as many in all, is no larger than what independent numbers
/// have in 39 of 40 cases.
fn is_chance(correlation: &Metric, numbers: usize) -> bool {
    let bound = 1.96 / (numbers.max(1) as f64).sqrt();
    correlation.value().is_some_and(|r| r <= bound)
}

/// The metrics of an evaluation in reading order.
pub fn rows(evaluation: &Evaluation) -> Vec<Row<'_>> {
    let (t, sd) = (&evaluation.test, &evaluation.test_sd);
    let (data, _) = &evaluation.psth;
    let trials = data.conditions.iter().flat_map(|c| &c.trials);
    let bins = trials.filter(|&&trials| trials > 0).count();
    let of_units = evaluation.units.psth_correlation.iter();
    let units = of_units.filter(|r| r.is_some()).count();
    let pairs = evaluation.noise_agreement.pairs.len();
    let noise_at_chance = is_chance(&t.noise_correlation_ceiling_pearson, pairs);
    let row = |name, explanation, (metric, sd), unit| Row {
        name,
        explanation,
        metric,
        sd,
        ceiling: None,
        at_chance: false,
        data: None,
        unit,
    };
    let mut rows = vec![
        row(
            "likelihood gain",
            "How much better the network predicts each recorded spike, given the spikes before it, than a constant rate does.",
            (&t.bits_per_spike, &sd.bits_per_spike),
            "bits per spike",
        ),
        Row {
            ceiling: Some(&t.psth_correlation_ceiling),
            at_chance: is_chance(&t.psth_correlation_ceiling, bins * units),
            ..row(
                "PSTH correlation",
                "Agreement of trial-averaged activity of the free-running network with the data, mean over units.",
                (&t.psth_correlation, &sd.psth_correlation),
                "",
            )
        },
        Row {
            ceiling: Some(&t.noise_correlation_ceiling_pearson),
            at_chance: noise_at_chance,
            ..row(
                "noise correlation, Pearson",
                "Agreement of the pattern of noise correlations over pairs of units.",
                (&t.noise_correlation_pearson, &sd.noise_correlation_pearson),
                "",
            )
        },
        Row {
            ceiling: Some(&t.noise_correlation_ceiling_r2),
            at_chance: noise_at_chance,
            ..row(
                "noise correlation, R2",
                "The same with their size: 1 is perfect, below 0 is worse than a constant.",
                (&t.noise_correlation_r2, &sd.noise_correlation_r2),
                "",
            )
        },
        Row {
            data: Some(&t.rate_hz_data),
            ..row(
                "mean rate",
                "Mean over units of the free-running network's rate.",
                (&t.rate_hz_model, &sd.rate_hz_model),
                "Hz",
            )
        },
        Row {
            data: Some(&t.fano_factor_data),
            ..row(
                "Fano factor",
                "Variance over mean of whole-trial spike counts.",
                (&t.fano_factor_model, &sd.fano_factor_model),
                "",
            )
        },
        row(
            "interval distance",
            "Largest gap between the cumulative interspike-interval distributions of data and network, mean over units: 0 is equal.",
            (&t.isi_distance, &sd.isi_distance),
            "",
        ),
        row(
            "time-rescaling",
            "Share of units whose rescaled intervals pass the 95 % Kolmogorov-Smirnov bound.",
            (&t.ks_within_bound, &sd.ks_within_bound),
            "share of units",
        ),
    ];
    if t.bits_per_spike_joint != t.bits_per_spike {
        let joint = row(
            "joint likelihood gain",
            "The same where each spike is also given the units before it in its own bin (same-bin couplings).",
            (&t.bits_per_spike_joint, &sd.bits_per_spike_joint),
            "bits per spike",
        );
        rows.insert(1, joint);
    }
    rows
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
    for row in longest.into_iter().flatten() {
        let name = if row.unit.is_empty() {
            row.name.to_string()
        } else {
            format!("{} ({})", row.name, row.unit)
        };
        let mut line = vec![name];
        // A fit without same-bin couplings has no joint figure.
        let of_fit = |rows: &'_ [Row<'_>]| match rows.iter().find(|other| other.name == row.name) {
            Some(row) => table::with_sd(row.metric.value(), row.sd.value()),
            None => table::number(None),
        };
        line.extend(all.iter().map(|rows| of_fit(rows)));
        line.push(
            row.ceiling
                .map_or(String::new(), |f| table::number(f.value())),
        );
        line.push(row.data.map_or(String::new(), |f| table::number(f.value())));
        lines.push(line);
    }
    let mut stability = vec!["stability, left to run".to_string()];
    stability.extend(evaluations.iter().map(|(_, e)| {
        let s = &e.stability.stability;
        format!("{} ({:.1} % leave)", verdict(e), 100.0 * s.divergent_share)
    }));
    stability.extend([String::new(), String::new()]);
    lines.push(stability);
    table::print(&header, &lines);
    if let Some(clipped) = clipped(first) {
        say!("- mean rate: {clipped}");
    }
    for row in rows(first) {
        if row.at_chance {
            say!("- {}: the ceiling is {AT_CHANCE}", row.name);
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

/// The verdict in one word.
pub fn verdict(evaluation: &Evaluation) -> String {
    let value = json!(evaluation.stability.stability.verdict);
    value.as_str().unwrap_or_default().to_string()
}
