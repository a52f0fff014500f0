//! From a fit and its evaluation to the plain data of a report.

use super::fit::Fitted;
use super::outcome;
use refire::core::TrialArray;
use refire::fit::{Evaluation, Form, HistoryStart, Model, Objective, SplitChoice};
use refire::fit::{History, Settings};
use refire::recording::Recording;
use refire::report::{
    CouplingView, FigureRow, FitView, LossCurve, NoiseView, PsthExample, RasterPair, Report,
    StabilityView,
};

/// Trials shown side by side in a raster.
const RASTER_TRIALS: usize = 4;

/// Conditions and bins shown in a PSTH example.
const PSTH_BINS: usize = 600;

/// Filters drawn besides those of each unit onto itself.
const FILTERS: usize = 6;

/// Short name of what was fitted.
pub fn objective_name(settings: &Settings) -> &'static str {
    match settings.objective {
        Objective::Mle => "MLE",
        Objective::SampleAndMeasure => "sample-and-measure",
        Objective::MleAndSampleAndMeasure => "MLE + sample-and-measure",
    }
}

/// The report of one fit.
pub fn fit_report(recording: &Recording, fitted: &Fitted) -> Report {
    let model = &fitted.model;
    let (units, hidden) = (recording.n_units(), model.settings.hidden);
    let hidden = if hidden > 0 {
        format!(" and {hidden} hidden")
    } else {
        String::new()
    };
    Report {
        title: "A recurrent spiking network fitted to a recording".into(),
        subtitle: format!(
            "{}, {units} recorded{hidden} units, {} trials",
            objective_name(&model.settings),
            recording.n_trials()
        ),
        intro: vec![
            "Every unit of the network fires at random in each time bin, with a probability set by a drive (what the stimulus or task does to it) and by the recent spikes of all units. Couplings and drive were fitted to the training trials; all figures below are on trials the fit has not seen.".into(),
            "Free-running means that the network was left alone: it saw its own spikes, not the recorded ones. A ceiling is the same figure computed between recorded training trials and the held-out ones: what a perfect model would reach.".into(),
        ],
        facts: facts(recording, fitted),
        notes: notes(recording, fitted),
        fits: vec![fit_view(fitted)],
        bin_width_s: model.bin_width,
    }
}

/// The report that compares two fits of one synthetic recording.
pub fn demo_report(recording: &Recording, fits: &[Fitted]) -> Report {
    let mut report = match fits.first() {
        Some(first) => fit_report(recording, first),
        None => Report::default(),
    };
    report.title = "What sample-and-measure adds".into();
    report.subtitle = format!(
        "One synthetic recording of {} units and {} trials, fitted twice",
        recording.n_units(),
        recording.n_trials()
    );
    report.intro.insert(
        0,
        "The standard fit (MLE) makes every recorded spike as likely as possible given the recorded spikes before it. It never sees what the network does by itself. Sample-and-measure simulates the network during the fit and also matches statistics of its activity (PSTH, noise covariance) to those of the data.".into(),
    );
    report
        .facts
        .retain(|(name, _)| name != "objective" && name != "time" && name != "iterations");
    report.fits = fits.iter().map(fit_view).collect();
    report
}

fn facts(recording: &Recording, fitted: &Fitted) -> Vec<(String, String)> {
    let (model, s) = (&fitted.model, &fitted.model.settings);
    let split = &model.split;
    let ms = |seconds: f64| format!("{} ms", (seconds * 1e6).round() / 1e3);
    let drive = match &model.drive {
        refire::drive::DriveSpec::None => "none".to_string(),
        refire::drive::DriveSpec::Condition { spacing_bins, .. } => format!(
            "a smooth time course per condition and unit, one raised cosine per {}",
            ms(spacing_bins * model.bin_width)
        ),
        refire::drive::DriveSpec::Features { lags, .. } => {
            format!("linear in the stimulus features at {lags} lags")
        }
    };
    let history = match s.history {
        HistoryStart::Zero => "silence before each trial",
        HistoryStart::Recorded => "the first recorded bins of each trial, which carry no figure",
    };
    let form = match s.form {
        Form::Corrected => "corrected",
        Form::Published => "published",
    };
    let fact = |name: &str, value: String| (name.to_string(), value);
    vec![
        fact("objective", format!("{} ({form} terms)", objective_name(s))),
        fact(
            "units",
            format!("{} observed, {} hidden", recording.n_units(), s.hidden),
        ),
        fact(
            "trials",
            format!(
                "{} to train, {} to stop early, {} to test, in {} conditions",
                split.train.len(),
                split.validation.len(),
                split.test.len(),
                recording.n_conditions()
            ),
        ),
        fact("bin width", ms(model.bin_width)),
        fact(
            "couplings",
            format!("all to all, {} lags of one bin", s.lags),
        ),
        fact("history", history.to_string()),
        fact("drive", drive),
        fact(
            "iterations",
            format!(
                "{} of {} (the best on validation trials)",
                model.iteration, s.iterations
            ),
        ),
        fact("seed", s.seed.to_string()),
        fact("time", format!("{:.1} s", fitted.wall_seconds)),
    ]
}

fn notes(recording: &Recording, fitted: &Fitted) -> Vec<String> {
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
    notes
}

fn fit_view(fitted: &Fitted) -> FitView {
    let (model, e) = (&fitted.model, &fitted.evaluation);
    FitView {
        name: objective_name(&model.settings).into(),
        figures: outcome::rows(e)
            .iter()
            .map(|row| FigureRow {
                name: row.name.into(),
                explanation: row.explanation.into(),
                model: row.figure.value(),
                ceiling: row.ceiling.and_then(|f| f.value()),
                data: row.data.and_then(|f| f.value()),
                reason: row.figure.reason().map(String::from),
                unit: row.unit.into(),
            })
            .collect(),
        losses: losses(&fitted.history, model.iteration),
        raster: raster(model, e),
        psths: psths(model, e),
        noise: noise(e),
        noise_missing: e.test.noise_correlation_pearson.reason().map(String::from),
        couplings: couplings(model),
        rates: e
            .units
            .rate_hz_data
            .iter()
            .copied()
            .zip(e.units.rate_hz_model.iter().copied())
            .collect(),
        stability: stability(model, e),
    }
}

fn losses(history: &History, best: usize) -> Vec<LossCurve> {
    let title = |name: &str| match name {
        "mle" => "likelihood (nats per bin)".to_string(),
        "psth" => "PSTH".to_string(),
        "nc" => "noise covariance".to_string(),
        other => other.replace('-', " "),
    };
    let judged = |name: &String| history.validation_terms.iter().position(|t| t == name);
    history
        .terms
        .iter()
        .enumerate()
        .map(|(at, name)| LossCurve {
            term: title(name),
            iterations: (1..=history.training.len()).map(|i| i as f64).collect(),
            training: history.training.iter().map(|row| row[at]).collect(),
            validation_iterations: match judged(name) {
                Some(_) => history.validated_at.iter().map(|&i| i as f64).collect(),
                None => Vec::new(),
            },
            validation: match judged(name) {
                Some(at) => history.validation.iter().map(|row| row[at]).collect(),
                None => Vec::new(),
            },
            best_iteration: Some(best as f64),
        })
        .collect()
}

/// The same test trials of data and model: one of each of the first conditions, in turn.
fn raster(model: &Model, e: &Evaluation) -> RasterPair {
    let mut slots = Vec::new();
    let deepest = e
        .layout
        .groups()
        .iter()
        .map(|g| g.slots.len())
        .max()
        .unwrap_or(0);
    for depth in 0..deepest {
        slots.extend(e.layout.groups().iter().filter_map(|g| g.slots.get(depth)));
    }
    slots.truncate(RASTER_TRIALS);
    let points = |spikes: &TrialArray<u8>| {
        slots
            .iter()
            .map(|&k| {
                let mut out = Vec::new();
                for t in e.layout.first_bin()..e.layout.bins(k) {
                    for (unit, _) in spikes
                        .row(k, t)
                        .iter()
                        .enumerate()
                        .filter(|&(_, &z)| z != 0)
                    {
                        out.push((t as u32, unit as u32));
                    }
                }
                out
            })
            .collect()
    };
    RasterPair {
        units: model.observed(),
        bins: e.layout.max_bins(),
        first_bin: e.layout.first_bin(),
        trial_names: slots
            .iter()
            .map(|&k| {
                format!(
                    "condition {}",
                    model.condition_labels[e.layout.condition(k)]
                )
            })
            .collect(),
        data: points(&e.data),
        model: points(&e.model),
    }
}

fn psths(model: &Model, e: &Evaluation) -> Vec<PsthExample> {
    let mut ranked: Vec<(usize, f64)> = e
        .units
        .psth_correlation
        .iter()
        .enumerate()
        .filter_map(|(unit, r)| Some((unit, (*r)?)))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut examples: Vec<(&str, usize)> = vec![("best", 0)];
    if ranked.len() > 2 {
        examples.push(("median", ranked.len() / 2));
    }
    if ranked.len() > 1 {
        examples.push(("worst", ranked.len() - 1));
    }
    examples
        .into_iter()
        .filter_map(|(label, at)| {
            let &(unit, correlation) = ranked.get(at)?;
            Some(psth_example(model, e, label, unit, correlation))
        })
        .collect()
}

fn psth_example(
    model: &Model,
    e: &Evaluation,
    label: &str,
    unit: usize,
    correlation: f64,
) -> PsthExample {
    let mut example = PsthExample {
        label: format!("{label} unit ({})", model.unit_ids[unit]),
        correlation,
        ..PsthExample::default()
    };
    let (data, simulated) = (&e.psth.0, &e.psth.1);
    for (a, b) in data.conditions.iter().zip(&simulated.conditions) {
        let bins = a.trials.len().min(b.trials.len());
        let measured = (e.layout.first_bin()..bins).filter(|&t| a.trials[t] > 0 && b.trials[t] > 0);
        let mut first = true;
        for t in measured {
            if example.time_s.len() >= PSTH_BINS {
                return example;
            }
            if first && !example.time_s.is_empty() {
                example.breaks.push(example.time_s.len());
            }
            first = false;
            example
                .time_s
                .push(example.time_s.len() as f64 * model.bin_width);
            example.data_hz.push(a.row(t)[unit] / model.bin_width);
            example.model_hz.push(b.row(t)[unit] / model.bin_width);
        }
    }
    example
}

fn noise(e: &Evaluation) -> Option<NoiseView> {
    e.test.noise_correlation_pearson.value()?;
    let rows = |m: &nalgebra::DMatrix<f64>| {
        m.row_iter()
            .map(|row| row.iter().copied().collect())
            .collect::<Vec<Vec<f64>>>()
    };
    Some(NoiseView {
        pairs: e.noise_agreement.pairs.clone(),
        data: rows(&e.noise.0.matrix),
        model: rows(&e.noise.1.matrix),
    })
}

fn couplings(model: &Model) -> CouplingView {
    let (n, lags) = (model.units(), model.settings.lags);
    let theta = model.settings.theta;
    let filter = |i: usize, j: usize| -> Vec<f64> {
        (0..lags)
            .map(|d| f64::from(model.parameters.couplings[(i * lags + d) * n + j]) / theta)
            .collect()
    };
    let mut summed = Vec::with_capacity(n * n);
    let mut strength = Vec::new();
    for i in 0..n {
        for j in 0..n {
            let f = filter(i, j);
            summed.push(f.iter().sum::<f64>());
            if i != j {
                strength.push((f.iter().map(|x| x * x).sum::<f64>(), i, j));
            }
        }
    }
    strength.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let name = |i: usize| match model.unit_ids.get(i) {
        Some(id) => id.to_string(),
        None => format!("h{}", i - model.observed()),
    };
    CouplingView {
        sources: n,
        targets: n,
        observed: model.observed(),
        summed,
        lags_s: (1..=lags).map(|d| d as f64 * model.bin_width).collect(),
        filters: strength
            .iter()
            .take(FILTERS)
            .map(|&(_, i, j)| (format!("{} to {}", name(i), name(j)), filter(i, j)))
            .collect(),
        self_filters: (0..model.observed()).map(|i| filter(i, i)).collect(),
    }
}

fn stability(model: &Model, e: &Evaluation) -> StabilityView {
    let report = &e.stability;
    let counts: Vec<f64> = refire::metrics::trial_counts(&e.data, &e.layout)
        .iter()
        .enumerate()
        .map(|(k, &count)| {
            let bins = (e.layout.bins(k) - e.layout.first_bin()) as f64;
            f64::from(count) / (bins * model.bin_width * model.observed() as f64)
        })
        .collect();
    let low = counts.iter().copied().fold(f64::INFINITY, f64::min);
    let high = counts.iter().copied().fold(0.0, f64::max);
    let scored = e.layout.max_bins() - e.layout.first_bin().min(e.layout.max_bins());
    let duration = scored as f64 * model.bin_width;
    let presentations = refire::fit::PRESENTATIONS;
    StabilityView {
        verdict: outcome::verdict(e),
        divergent_share: report.stability.divergent_share,
        runs: report.stability.runs,
        presentations,
        time_s: (1..=presentations).map(|p| p as f64 * duration).collect(),
        traces_hz: report.traces_hz.clone(),
        data_range_hz: (if low.is_finite() { low } else { 0.0 }, high),
        limit_hz: report.limit_hz,
        left_at: report.stability.left_at.clone(),
    }
}
