//! What was fitted and how, in words: the facts and notes of a report.

use super::super::fit::Fitted;
use super::{MOST_UNITS, objective_name};
use refire::drive::DriveSpec;
use refire::fit::{CouplingKind, Form, HistoryStart, Model, Settings, SplitChoice};
use refire::neuron::SpikeGradient;
use refire::recording::Recording;

/// Fits are named by it, so that a comparison need not repeat it.
const OBJECTIVE: &str = "objective";

/// A name and its value.
pub type Fact = (String, String);

/// The facts of several fits of one recording; where they differ, a line for each fit.
pub fn of_all(recording: &Recording, fits: &[Fitted]) -> Vec<Fact> {
    let named: Vec<_> = fits
        .iter()
        .map(|fitted| {
            let name = objective_name(&fitted.model.settings);
            (name, of_one(recording, fitted))
        })
        .collect();
    merged(&named)
}

fn merged(fits: &[(&str, Vec<Fact>)]) -> Vec<Fact> {
    let Some((_, first)) = fits.first() else {
        return Vec::new();
    };
    let line = |name: &str, (fit, facts): &(&str, Vec<Fact>)| {
        let (_, value) = facts.iter().find(|(other, _)| other == name)?;
        Some((format!("{fit}: {value}"), value.clone()))
    };
    first
        .iter()
        .filter(|(name, _)| name != OBJECTIVE)
        .map(|(name, value)| {
            let lines: Vec<_> = fits.iter().filter_map(|fit| line(name, fit)).collect();
            if lines.iter().all(|(_, other)| other == value) {
                return (name.clone(), value.clone());
            }
            let lines: Vec<String> = lines.into_iter().map(|(line, _)| line).collect();
            (name.clone(), lines.join("\n"))
        })
        .collect()
}

/// The facts of one fit.
pub fn of_one(recording: &Recording, fitted: &Fitted) -> Vec<Fact> {
    let (model, s) = (&fitted.model, &fitted.model.settings);
    let split = &model.split;
    let drive = match &model.drive {
        DriveSpec::None => "none".to_string(),
        DriveSpec::Condition { spacing_bins, .. } => format!(
            "a smooth time course per condition and unit, one raised cosine per {}",
            ms(spacing_bins * model.bin_width)
        ),
        DriveSpec::Features { lags, .. } => {
            format!("linear in the stimulus features at {lags} lags")
        }
        DriveSpec::Movie { shape, .. } => format!(
            "two convolutional layers ({} and {} filters of {} x {}) over {} frames of a {} x {} movie",
            shape.filters[0],
            shape.filters[1],
            shape.filter_size,
            shape.filter_size,
            shape.frames,
            shape.height,
            shape.width
        ),
    };
    let history = match s.history {
        HistoryStart::Zero => "silence before each trial",
        HistoryStart::Recorded => "the first recorded bins of each trial, which carry no figure",
    };
    let kept = match fitted.history.validated_at.is_empty() {
        true => "the last: no validation trials".to_string(),
        false => format!("{}, the best on validation trials", model.iteration),
    };
    let fact = |name: &str, value: String| (name.to_string(), value);
    vec![
        fact(OBJECTIVE, objective_name(s).to_string()),
        fact("weights", weights(s, &fitted.history.terms)),
        fact(
            "units",
            format!("{} observed, {} hidden", recording.n_units(), s.hidden),
        ),
        fact(
            "trials",
            format!(
                "{} for training, {} for validation, {} for testing, in {} conditions",
                split.train.len(),
                split.validation.len(),
                split.test.len(),
                recording.n_conditions()
            ),
        ),
        fact("bin width", ms(model.bin_width)),
        fact(
            "couplings",
            format!(
                "{}, {} lags of one bin: up to {}",
                wiring(model),
                s.lags,
                ms(s.lags as f64 * model.bin_width)
            ),
        ),
        fact("history", history.to_string()),
        fact("drive", drive),
        fact("iterations", s.iterations.to_string()),
        fact("iteration kept", kept),
        fact(
            "learning rate",
            format!("{} (Adam), falling to 0 as half a cosine", s.learning_rate),
        ),
        fact("spike gradient", spike_gradient(s)),
        fact("seed", s.seed.to_string()),
        fact("time", format!("{:.1} s", fitted.wall_seconds)),
    ]
}

/// Which couplings there are, and how many of their units figures show.
fn wiring(model: &Model) -> String {
    let settings = &model.settings;
    let kind = match (settings.couplings, &settings.synapses) {
        (CouplingKind::Sparse, Some(synapses)) if settings.in_degree == 0 => {
            format!("along the {} synapses of a mask", synapses.synapses())
        }
        (CouplingKind::Sparse, _) => format!("{} synapses onto every unit", settings.in_degree),
        (CouplingKind::LowRank, _) => format!("all to all, of rank {}", settings.rank),
        (CouplingKind::Dense, _) => "all to all".to_string(),
    };
    match model.units() > MOST_UNITS {
        true => format!("{kind} (figures: the first {MOST_UNITS} units)"),
        false => kind,
    }
}

fn ms(seconds: f64) -> String {
    format!("{} ms", (seconds * 1e6).round() / 1e3)
}

/// The weights of the terms that were fitted.
fn weights(s: &Settings, terms: &[String]) -> String {
    let parts: Vec<String> = terms
        .iter()
        .map(|term| match term.as_str() {
            "mle" => format!("likelihood {}", s.weights.mle),
            "psth" => format!("PSTH {}", s.weights.psth),
            "nc" => format!("noise covariance {}", s.weights.nc),
            "hidden-rate" => format!("rate of hidden units {}", s.weights.hidden_rate),
            other => other.into(),
        })
        .collect();
    let form = match (s.objective.has_statistics(), s.form) {
        (false, _) => "",
        (true, Form::Corrected) => " (corrected terms)",
        (true, Form::Published) => " (published terms)",
    };
    format!("{}{form}", parts.join(", "))
}

/// What stands in for the derivative of a spike. Recorded spikes need none.
fn spike_gradient(s: &Settings) -> String {
    if !s.objective.has_statistics() && s.hidden == 0 {
        return "not needed".into();
    }
    match s.pseudo_derivative() {
        SpikeGradient::Damped(factor) => format!("escape, dampening {factor}"),
        SpikeGradient::Escape => "escape".into(),
        SpikeGradient::Triangle => "triangle, as published".into(),
        SpikeGradient::None => "none".into(),
        SpikeGradient::ReinMax => "ReinMax".into(),
        SpikeGradient::Score => "score function, unbiased".into(),
    }
}

/// What the reader of the figures has to keep in mind.
pub fn notes(recording: &Recording, fitted: &Fitted) -> Vec<String> {
    let mut notes = vec![
        "Repeats are held out, not stimulus segments: the network has seen every condition in training, so these figures do not say how it would answer a new stimulus.".to_string(),
    ];
    if fitted.evaluation.split == SplitChoice::All {
        notes.push("No trials were held out: the figures are on trials the fit has seen.".into());
    }
    if recording.clipped_spikes() > 0 {
        notes.push(format!(
            "{:.2} % of the spikes share a bin with another spike of their unit and were dropped.",
            100.0 * recording.clipped_share()
        ));
    }
    notes.extend(recording.warnings().iter().cloned());
    notes.extend(
        fitted
            .left_out
            .iter()
            .map(|r| format!("Left out of the objective: {r}.")),
    );
    notes.extend(fitted.sampled.iter().map(|s| format!("Measured: {s}.")));
    notes
}
