//! From a fit and its evaluation to the plain data of a report.

mod facts;
mod psths;
#[cfg(test)]
mod tests;

use super::advice;
use super::fitted::Fitted;
use super::names::{MOST_UNITS, objective_name};
use super::rows::rows;
use refire::core::{TrialArray, TrialLayout};
use refire::fit::{Evaluation, History, LaggedFigures, Model, TestMetrics};
use refire::metrics::Metric;
use refire::recording::Recording;
use refire::report::{
    CouplingView, FitView, LagView, LossCurve, MetricRow, NoiseView, RasterPair, Report,
    StabilityView,
};
use refire::synth::SynthSettings;

/// Trials shown side by side in a raster.
const RASTER_TRIALS: usize = 4;

/// Filters drawn besides those of each unit onto itself.
const FILTERS: usize = 6;

/// The report of one fit.
pub fn fit_report(recording: &Recording, fitted: &Fitted) -> Report {
    let model = &fitted.model;
    let (units, hidden) = (recording.n_units(), model.spec.network.hidden);
    let hidden = if hidden > 0 {
        format!(" and {hidden} hidden")
    } else {
        String::new()
    };
    let label = |&(rank, unit): &(&str, usize)| {
        let label = format!("{rank} unit ({})", model.unit_ids[unit]);
        (label, unit)
    };
    let named: Vec<_> = ranked(&fitted.evaluation).iter().map(label).collect();
    Report {
        title: "A recurrent spiking network fitted to a recording".into(),
        subtitle: format!(
            "{}, {units} recorded{hidden} units, {} trials",
            objective_name(&model.spec),
            recording.n_trials()
        ),
        intro: vec![
            format!("Every unit of the network fires at random in each time bin, with a probability set by a drive (what the stimulus or task does to it) and by the recent spikes of all units. Couplings and drive were fitted to the training trials.{}", if model.split.test.is_empty() { "" } else { " All metrics below are on trials the fit has not seen." }),
            "Free-running means that the network was left alone: it saw its own spikes, not the recorded ones. A ceiling is the same metric computed between recorded training trials and the held-out ones: what a perfect model would reach.".into(),
        ],
        facts: facts::of_one(recording, fitted),
        notes: facts::notes(recording, fitted),
        psth_choice: format!(
            "Units are ranked by r. {}{}",
            psths::choice(model.bin_width),
            few_at_the_end(&fitted.evaluation.layout)
        ),
        fits: vec![fit_view(fitted, &named)],
        bin_width_s: model.bin_width,
    }
}

/// Why a PSTH may jump at the end of a condition: a sentence where trials differ in length.
fn few_at_the_end(layout: &TrialLayout) -> &'static str {
    match (0..layout.trials()).all(|k| layout.bins(k) == layout.max_bins()) {
        true => "",
        false => " Trials differ in length: the last bins of a condition rest on a few long ones.",
    }
}

/// The report that compares two fits of one synthetic recording.
pub fn demo_report(recording: &Recording, synthetic: &SynthSettings, fits: &[Fitted]) -> Report {
    let Some(first) = fits.first() else {
        return Report::default();
    };
    let units = ranked(&first.evaluation);
    let mut report = fit_report(recording, first);
    report.title = "What sample-and-measure adds".into();
    report.subtitle = format!(
        "One synthetic recording of {} units and {} trials, fitted twice",
        recording.n_units(),
        recording.n_trials()
    );
    report.intro = [demo_intro(synthetic, fits), report.intro].concat();
    report.facts = facts::of_all(recording, fits);
    report.psth_choice = format!(
        "From top to bottom: the best, the median and the worst unit, ranked by r of {}; both \
         columns show the same units. {}",
        objective_name(&first.model.spec),
        psths::choice(first.model.bin_width)
    );
    report.fits = fits
        .iter()
        .map(|fitted| {
            let ids = &fitted.model.unit_ids;
            let label = |&(_, unit): &(&str, usize)| (format!("unit {}", ids[unit]), unit);
            fit_view(fitted, &units.iter().map(label).collect::<Vec<_>>())
        })
        .collect();
    report
}

/// What the recording of the demo holds that no fit sees, and what to look at.
fn demo_intro(synthetic: &SynthSettings, fits: &[Fitted]) -> Vec<String> {
    let mut intro = vec![
        "The standard fit (MLE) makes every recorded spike as likely as possible given the recorded spikes before it. It never sees what the network does by itself. Sample-and-measure simulates the network during the fit and also matches statistics of its activity (PSTH, noise covariance) to those of the data.".to_string(),
    ];
    intro.push(format!(
        "The recording has an input that no fit sees: {sources} hidden sources. Each switches on now and then, for {ms:.0} ms on average, and excites its own share of the units (units 0, {sources}, {twice} and so on have one in common: hence the stripes in the matrices of noise correlations). MLE can explain such common rises only by couplings among the recorded units. Fed with recorded spikes, these couplings predict well. Fed with its own, the network excites itself: a chance coincidence can grow into a burst larger than any in the data.",
        sources = synthetic.sources,
        twice = 2 * synthetic.sources,
        ms = 1e3 * synthetic.source_on_bins * synthetic.bin_width_s,
    ));
    type Of = fn(&TestMetrics) -> &Metric;
    let text = |fitted: &Fitted, metric: Of| match metric(&fitted.evaluation.test).value() {
        Some(value) if value.abs() < 10.0 => format!("{value:.2}").replace('-', "−"),
        Some(value) => format!("{value:.1}").replace('-', "−"),
        None => "none".into(),
    };
    let models = |metric: Of| -> String {
        let each: Vec<String> = fits.iter().map(|fitted| text(fitted, metric)).collect();
        each.join(" and ")
    };
    let data = |metric: Of| {
        fits.first()
            .map_or(String::new(), |fitted| text(fitted, metric))
    };
    intro.push(format!(
        "What to look at (MLE is named first): likelihood gain and mean rate do not show the difference. The gain is taken on recorded spikes, which is what MLE is fitted to. A network that is too quiet most of the time and bursts now and then can have the right mean rate ({} Hz; data {} Hz). What does show it is how much spike counts vary from trial to trial (Fano factor {}; data {}), the noise correlations (R2 {}; 1 is perfect), and above all what the networks do when they run on, at the end of the page.",
        models(|t| &t.rate_hz_model),
        data(|t| &t.rate_hz_data),
        models(|t| &t.fano_factor_model),
        data(|t| &t.fano_factor_data),
        models(|t| &t.noise_correlation_r2),
    ));
    intro
}

/// `units` are those of the PSTHs, each with its label.
fn fit_view(fitted: &Fitted, units: &[(String, usize)]) -> FitView {
    let (model, e) = (&fitted.model, &fitted.evaluation);
    FitView {
        name: objective_name(&model.spec).into(),
        figures: rows(e)
            .iter()
            .map(|row| MetricRow {
                group: row.group.title().into(),
                name: row.name.into(),
                explanation: row.explanation.into(),
                model: row.metric.value(),
                sd: row.sd.value(),
                interval: row.interval.map(|i| (i.low, i.high)),
                rises: row.rises,
                not_measurable: row.why_not_measurable(),
                ceiling: row.ceiling.and_then(|f| f.value()),
                data: row.data.and_then(|f| f.value()),
                reason: row.metric.reason().map(String::from),
                unit: row.unit.into(),
            })
            .collect(),
        // An optimum is no iteration.
        losses: losses(
            &fitted.history,
            (model.spec.iterations() > 0).then_some(model.iteration),
        ),
        raster: raster(model, e),
        psths: psths::examples(model, e, units),
        noise: noise(model, e),
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

fn losses(history: &History, best: Option<usize>) -> Vec<LossCurve> {
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
            best_iteration: best.map(|best| best as f64),
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
                        .take(MOST_UNITS)
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
        units: model.observed().min(MOST_UNITS),
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

/// The units with the best, the median and the worst PSTH correlation.
fn ranked(e: &Evaluation) -> Vec<(&'static str, usize)> {
    let correlations = e.units.psth_correlation.iter().enumerate();
    let mut ranked: Vec<(usize, f64)> = correlations
        .filter_map(|(unit, r)| Some((unit, (*r)?)))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut places = vec![("best", 0)];
    if ranked.len() > 2 {
        places.push(("median", ranked.len() / 2));
    }
    if ranked.len() > 1 {
        places.push(("worst", ranked.len() - 1));
    }
    places
        .into_iter()
        .filter_map(|(rank, at)| Some((rank, ranked.get(at)?.0)))
        .collect()
}

fn noise(model: &Model, e: &Evaluation) -> Option<NoiseView> {
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
        by_lag: by_lag(model, &e.lagged),
        same_bin: same_bin(model, e.noise.0.matrix.nrows()),
    })
}

fn by_lag(model: &Model, lagged: &LaggedFigures) -> Vec<LagView> {
    let figures = lagged.r2.iter().zip(&lagged.ceiling_r2);
    let lags = lagged.lags.iter().zip(figures);
    lags.map(|(&lag, (r2, ceiling))| LagView {
        lag_s: lag as f64 * model.bin_width,
        r2: r2.value(),
        ceiling: ceiling.value(),
    })
    .collect()
}

/// Same-bin couplings among the first units, in units of the threshold; none without.
fn same_bin(model: &Model, units: usize) -> Vec<Vec<f64>> {
    let theta = model.spec.network.dynamics.theta();
    // A model that has been evaluated has them.
    let Ok(Some(all)) = model.same_bin() else {
        return Vec::new();
    };
    let rows = all.chunks_exact(model.units().max(1)).take(units);
    rows.map(|row| row[..units].iter().map(|&w| f64::from(w) / theta).collect())
        .collect()
}

/// Couplings among the first units, up to as many as a page can show.
fn couplings(model: &Model) -> CouplingView {
    let (n, lags) = (model.units().min(MOST_UNITS), model.spec.network.lags);
    let theta = model.spec.network.dynamics.theta();
    // A model that has been evaluated has them.
    let Ok(values) = model.couplings(n, n) else {
        return CouplingView::default();
    };
    let filter = |i: usize, j: usize| -> Vec<f64> {
        (0..lags)
            .map(|d| f64::from(values[(i * lags + d) * n + j]) / theta)
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
        observed: model.observed().min(n),
        summed,
        lags_s: (1..=lags).map(|d| d as f64 * model.bin_width).collect(),
        filters: strength
            .iter()
            .take(FILTERS)
            .map(|&(_, i, j)| (format!("{} to {}", name(i), name(j)), filter(i, j)))
            .collect(),
        self_filters: (0..model.observed().min(n)).map(|i| filter(i, i)).collect(),
    }
}

fn stability(model: &Model, e: &Evaluation) -> StabilityView {
    let report = &e.stability;
    let counts: Vec<f64> = refire::metrics::trial_counts(&e.data, &e.layout)
        .iter()
        .enumerate()
        .map(|(k, &count)| {
            let bins = e.layout.length(k) - e.layout.first_bin() as f64;
            f64::from(count) / (bins * model.bin_width * model.observed() as f64)
        })
        .collect();
    let low = counts.iter().copied().fold(f64::INFINITY, f64::min);
    let high = counts.iter().copied().fold(0.0, f64::max);
    let scored = e.layout.max_bins() - e.layout.first_bin().min(e.layout.max_bins());
    let duration = scored as f64 * model.bin_width;
    let presentations = refire::fit::PRESENTATIONS;
    StabilityView {
        verdict: advice::verdict(&report.stability),
        divergent_share: report.stability.divergent_share,
        interval: Some((
            report.stability.interval.low,
            report.stability.interval.high,
        )),
        protocol: advice::protocol(report.protocol).into(),
        beside: (report.in_a_row.as_ref()).map_or(String::new(), advice::in_a_row),
        advice: advice::what_to_do(model, e, "RECORDING.npz")
            .map(|advice| (advice.sentence, advice.command)),
        runs: report.stability.runs,
        presentations,
        time_s: (1..=presentations).map(|p| p as f64 * duration).collect(),
        traces_hz: report.traces_hz.clone(),
        data_range_hz: (if low.is_finite() { low } else { 0.0 }, high),
        limit_hz: report.limit_hz,
        left_at: report.stability.left_at.clone(),
    }
}
