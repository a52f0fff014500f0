//! What was fitted and how, in words: the facts and notes of a report.

use super::super::fitted::Fitted;
use super::super::names::{MOST_UNITS, objective_name};
use super::super::table;
use refire::drive::DriveSpec;
use refire::fit::{
    Couplings, Form, HistoryStart, Model, ObjectiveKind, Optimiser, Specification, SplitChoice,
    Steps, Synapses,
};
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
            let name = objective_name(&fitted.model.spec);
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
    let (model, spec) = (&fitted.model, &fitted.model.spec);
    let network = &spec.network;
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
    let history = match network.history {
        HistoryStart::Zero => "silence before each trial",
        HistoryStart::Recorded => "the first recorded bins of each trial, which are not scored",
    };
    let solved = matches!(spec.optimiser, Optimiser::Lbfgs { then: None, .. });
    let kept = match (fitted.history.validated_at.is_empty(), spec.iterations()) {
        (_, 0) if solved => "the optimum".to_string(),
        (_, 0) => "none: the start".to_string(),
        (true, _) => "the last: no validation trials".to_string(),
        (false, _) => format!("{}, the best on validation trials", model.iteration),
    };
    let fact = |name: &str, value: String| (name.to_string(), value);
    vec![
        fact(OBJECTIVE, objective_name(spec).to_string()),
        fact("weights", weights(spec, &fitted.history.terms)),
        fact(
            "units",
            format!(
                "{} observed, {} hidden",
                recording.n_units(),
                network.hidden
            ),
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
                network.lags,
                ms(network.lags as f64 * model.bin_width)
            ),
        ),
        fact("history", history.to_string()),
        fact("drive", drive),
        fact("optimiser", optimiser(fitted)),
        fact("iteration kept", kept),
        fact("spike gradient", spike_gradient(spec)),
        fact("seed", spec.seed.to_string()),
        fact("time", format!("{:.1} s", fitted.wall_seconds)),
    ]
}

/// Which couplings there are, and how many of their units figures show.
fn wiring(model: &Model) -> String {
    let kind = match (&model.spec.network.couplings, model.wiring.synapses()) {
        (Couplings::Sparse(Synapses::InDegree(count)), _) => {
            format!("{count} synapses onto every unit")
        }
        (_, Some(synapses)) => format!("along the {} synapses of a mask", synapses.synapses()),
        (Couplings::LowRank { rank }, None) => format!("all to all, of rank {rank}"),
        (_, None) => "all to all".to_string(),
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
fn weights(spec: &Specification, terms: &[String]) -> String {
    let likelihood = spec.objective.likelihood().unwrap_or_default();
    let statistics = spec.objective.statistics();
    let [psth, noise, hidden_rate] = statistics.map_or([0.0; 3], |s| s.weights());
    let parts: Vec<String> = terms
        .iter()
        .map(|term| match term.as_str() {
            "mle" => format!("likelihood {likelihood}"),
            "psth" => format!("PSTH {psth}"),
            "nc" => format!("noise covariance {}", table::short(noise)),
            "hidden-rate" => format!("rate of hidden units {hidden_rate}"),
            other => other.into(),
        })
        .collect();
    let form = match statistics.map(|s| s.form()) {
        None => "",
        Some(Form::Corrected) => " (corrected terms)",
        Some(Form::Published) => " (published terms)",
    };
    format!("{}{form}", parts.join(", "))
}

/// What moved the parameters.
fn optimiser(fitted: &Fitted) -> String {
    let spec = &fitted.model.spec;
    let optimum = match &fitted.convex {
        Some(convex) => format!(
            "L-BFGS to the optimum of the likelihood, {}",
            convex.ridge()
        ),
        None => "L-BFGS to the optimum of the likelihood".to_string(),
    };
    let steps = |of: &Steps, what: &str| {
        format!(
            "{what}, {} iterations, learning rate {} falling to 0 as half a cosine",
            of.iterations,
            spec.optimiser.learning_rate()
        )
    };
    const NEAR: &str = "from near the optimum of the likelihood";
    match &spec.optimiser {
        Optimiser::Lbfgs { then: None, .. } => optimum,
        Optimiser::Lbfgs { then: Some(of), .. } => {
            format!("{optimum}, then {}", steps(of, "Adam"))
        }
        Optimiser::Natural(of) => format!("{}, {NEAR}", steps(of, "natural gradient")),
        Optimiser::Adam {
            initial_scale: Some(_),
            steps: of,
        } => steps(of, "Adam"),
        Optimiser::Adam { steps: of, .. } => format!("{}, {NEAR}", steps(of, "Adam")),
    }
}

/// What stands in for the derivative of a spike. Recorded spikes need none.
fn spike_gradient(spec: &Specification) -> String {
    if spec.objective.kind() == ObjectiveKind::Mle && spec.network.hidden == 0 {
        return "not needed".into();
    }
    match spec.optimiser.spike_gradient() {
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
    let model = &fitted.model;
    let seen = &model.training.conditions;
    let tested = model.split.test.iter().map(|&k| recording.conditions()[k]);
    let unseen = tested.filter(|c| !seen.contains(c)).count();
    let ongoing = recording.pieces().is_some_and(|pieces| pieces.ongoing);
    let mut notes = vec![if model.split.test.is_empty() {
        "No trials are held out for testing: what is shown here does not say how the network does on trials that it has not seen.".to_string()
    } else if ongoing {
        "Stretches of a continuous recording are held out. It has no repeats: PSTH and noise correlation are those of its pieces, over the time since their start.".to_string()
    } else if unseen == 0 {
        "Repeats are held out, not stimulus segments: the network has seen every condition in training, so these metrics do not say how it would answer a new stimulus.".to_string()
    } else {
        format!(
            "{unseen} of the {} held-out trials have a condition that the network has not seen: likelihood and rates say how it answers what is new to it.",
            model.split.test.len()
        )
    }];
    if let Some(stopped) = fitted.stopped {
        notes.push(format!(
            "The fit was stopped by {} after {} of {} iterations: this is its best model until then.",
            stopped.name(),
            stopped.iteration,
            fitted.model.spec.iterations()
        ));
    }
    if fitted.evaluation.split == SplitChoice::All {
        notes.push("No trials were held out: the metrics are on trials the fit has seen.".into());
    }
    if recording.clipped_spikes() > 0 {
        notes.push(format!(
            "{:.2} % of the spikes share a bin with another spike of their unit and were dropped: the rate of the data is after clipping.",
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
