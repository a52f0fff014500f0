//! What is said of free runs, and what to do where they are not stable.

use super::table;
use refire::fit::{Evaluation, GAP_SECONDS, Model, PRESENTATIONS, Protocol};
use refire::metrics::{Stability, Verdict};
use serde_json::json;

/// The verdict in its words.
pub fn verdict(stability: &Stability) -> String {
    let value = json!(stability.verdict);
    value.as_str().unwrap_or_default().to_string()
}

/// Verdict and share of runs that leave, with what so many runs leave open.
pub fn share(stability: &Stability) -> String {
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    let (low, high) = (stability.interval.low, stability.interval.high);
    let share = percent(stability.divergent_share);
    let words = verdict(stability);
    match stability.verdict {
        Verdict::Stable => format!("{words} ({share} % leave, below {} %)", percent(high)),
        _ => format!(
            "{words} ({share} % leave, {} to {} %)",
            percent(low),
            percent(high)
        ),
    }
}

/// What a run is.
pub fn runs(evaluation: &Evaluation) -> String {
    let stability = &evaluation.stability;
    let what = match stability.protocol {
        Protocol::Trials => "trials",
        Protocol::Continuous => "pieces in a row",
    };
    format!(
        "{} runs of {PRESENTATIONS} {what}",
        stability.stability.runs
    )
}

/// What a run is, as a sentence.
pub fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Trials => "Each presentation starts as a trial of the recording does.",
        Protocol::Continuous => "Each piece goes on from the one before, as the recording does.",
    }
}

/// What runs of trials in a row did, as a sentence.
pub fn in_a_row(stability: &Stability) -> String {
    format!(
        "The verdict is about trials as they were recorded. Where each goes on from the one before, after {GAP_SECONDS} s without drive, which the recording does not have: {} runs, {}.",
        stability.runs,
        share(stability)
    )
}

/// What to do about a network that is not stable, and the command for it; `recording` is how the recording is called.
pub fn what_to_do(model: &Model, evaluation: &Evaluation, recording: &str) -> Option<Advice> {
    let verdict = evaluation.stability.stability.verdict;
    if verdict == Verdict::Stable {
        return None;
    }
    let statistics = model.spec.objective.statistics().is_some();
    let (sentence, options) = match statistics {
        _ if verdict == Verdict::NotEnoughRuns => (
            "Fewer than 1 % of the runs left, and so many runs do not tell whether that holds for more. Simulate more trials and look for bursts.",
            None,
        ),
        false => (
            "A fit by likelihood alone never sees what its network does by itself. Fit statistics of its free runs as well.",
            Some("--objective mle+sm".to_string()),
        ),
        true => (
            "Give the statistics of free runs more weight against the likelihood of recorded spikes, and the fit more iterations.",
            Some(more_weight(model)),
        ),
    };
    let command = match options {
        Some(options) => format!("refire fit {recording} {options} --out OUT"),
        None => "refire simulate model.refire --trials 10000 --out OUT".to_string(),
    };
    Some(Advice {
        sentence: sentence.to_string(),
        command,
    })
}

/// Three times the weights of the statistics, twice the iterations.
fn more_weight(model: &Model) -> String {
    let iterations = model.spec.iterations();
    let statistics = model.spec.objective.statistics();
    let weights = statistics.map_or([0.0; 3], |s| s.weights().map(|weight| 3.0 * weight));
    format!(
        "--weight-psth {} --weight-nc {} --iterations {}",
        table::short(weights[0]),
        table::short(weights[1]),
        2 * iterations.max(1)
    )
}

/// A sentence and a command.
pub struct Advice {
    pub sentence: String,
    pub command: String,
}
