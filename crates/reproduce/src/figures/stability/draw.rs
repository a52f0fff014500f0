//! The drawing.

use refire_report::{
    FigureView, ObjectiveRole, Panel, Plot, PlotAxis, PlotPoint, Reference, ReproducedFigure, Role,
    Series, TableView,
};

use super::claims::{claims, conclusion};
use super::regimes::regimes;
use super::{Fits, Found, Item, METHODS, Source};
use crate::Plan;
use crate::csv::{Csv, cells};
use crate::evidence::Estimate;
use crate::figure::Drawing;
use crate::fits::Method;
use crate::plan::FIRST_SEED;
use crate::recordings::Real;

pub(super) fn drawing(_plan: &Plan, found: &Fits) -> Drawing {
    let (synthetic, real): (Vec<&Source>, Vec<&Source>) = sources(found)
        .into_iter()
        .partition(|source| matches!(source, Source::Synthetic { .. }));
    let mut views = Vec::new();
    if let Some(view) = shares(found, &synthetic, "Synthetic networks") {
        views.push(view);
    }
    if let Some(view) = shares(found, &real, "Real recordings") {
        views.push(view);
    }
    views.extend(
        [&synthetic, &real]
            .into_iter()
            .filter_map(|s| traces(found, s)),
    );
    Drawing {
        figure: ReproducedFigure {
            title: "Stability: fitted networks left to run".into(),
            question:
                "Does a network that predicts the next bin well stay in the range of the data when \
                       it is left to run on its own spikes?"
                    .into(),
            setting: setting(&synthetic, &real),
            views,
            conclusion: conclusion(found),
            tables: vec![table(found)],
            ..ReproducedFigure::default()
        },
        claims: claims(found),
        csv: csv(found),
    }
}

/// What was recorded, each once, in the order of the fits.
fn sources(found: &Fits) -> Vec<&Source> {
    let mut sources: Vec<&Source> = Vec::new();
    for (item, _) in found {
        if !sources.iter().any(|s| s.name() == item.source.name()) {
            sources.push(&item.source);
        }
    }
    sources
}

fn setting(synthetic: &[&Source], real: &[&Source]) -> String {
    let kinds: Vec<String> = regimes()
        .iter()
        .filter(|regime| synthetic.iter().any(|source| source.name() == regime.name))
        .map(|regime| format!("{} ({})", regime.name, regime.about))
        .collect();
    let real = match real {
        [] => "No folder of real recordings was given.".to_string(),
        _ => "Real recordings are fitted from growing shares of their trials, in bins of 10 ms unless the \
              heading names others; filters are of 9 lags, in bins of 5 ms of 20."
            .to_string(),
    };
    format!(
        "Synthetic networks in which MLE may fail and others in which nothing is wrong: {}. Fits from a \
         growing number of trials. MLE is the convex optimum with the ridge that predicts validation trials \
         best, so that its failures are not those of an optimiser. Each fitted network makes 500 runs \
         of ten trials (2,000 where these do not tell); a run leaves the range when the population has more than \
         twice the spikes of any recorded trial of the condition, falls silent where no recorded trial did, or \
         has twice or half of the spikes expected over the run, beyond chance. The 95 % interval of the share \
         below 1 %: stable; at most half leave: fragile; more: divergent. {real}",
        kinds.join("; ")
    )
}

/// Fits of a source by a method from so many trials: a number of each.
fn fits_of<'a>(
    found: &'a Fits,
    source: &'a str,
    method: Method,
    trials: usize,
) -> impl Iterator<Item = &'a (Item, Found)> {
    found.iter().filter(move |(item, _)| {
        item.source.name() == source && item.method == method && item.trials == trials
    })
}

fn trial_counts(found: &Fits, source: &str) -> Vec<usize> {
    let units = found
        .iter()
        .filter(|(item, _)| item.source.name() == source);
    let mut counts: Vec<usize> = units.map(|(item, _)| item.trials).collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// Share of runs that leave, over trials, a panel per source.
fn shares(found: &Fits, sources: &[&Source], title: &str) -> Option<FigureView> {
    let panels: Vec<Panel> = sources
        .iter()
        .map(|source| {
            let name = source.name();
            let heading = match source {
                Source::Real(Real {
                    bin_s: Some(bin_s), ..
                }) => format!("{name}, bins of {:.0} ms", 1e3 * bin_s),
                _ => name.into(),
            };
            let series = METHODS.map(|method| {
                Series::line(
                    method.name(),
                    method.role(),
                    trial_counts(found, name).into_iter().map(|trials| {
                        let fits = fits_of(found, name, method, trials);
                        let share = Estimate::over(fits.map(|(_, f)| f.divergent_share));
                        share.of_share().at(trials as f64)
                    }),
                )
            });
            Plot {
                title: heading,
                x: PlotAxis::log("trials fitted"),
                y: PlotAxis::linear("share of runs that leave"),
                series: series.into(),
                horizontal: Some(Reference {
                    y: 0.5,
                    label: "divergent above".into(),
                }),
            }
            .into()
        })
        .collect();
    (!panels.is_empty()).then(|| FigureView {
        title: format!("{title}: free runs that leave the range of the data"),
        caption:
            "Share of 200 free runs that leave the range of the data within ten trials, over the \
                  number of trials that the fit saw; means over seeds, bars are 95 % intervals."
                .into(),
        panels,
        scale_label: String::new(),
    })
}

/// Rates over time of the source in which MLE leaves most, fitted from the most trials, the first seed.
fn traces(found: &Fits, sources: &[&Source]) -> Option<FigureView> {
    let worst = |source: &&&Source| {
        let trials = trial_counts(found, source.name())
            .last()
            .copied()
            .unwrap_or(0);
        Estimate::over(
            fits_of(found, source.name(), Method::Mle, trials).map(|(_, f)| f.divergent_share),
        )
        .mean
    };
    let source = sources
        .iter()
        .max_by(|a, b| worst(a).total_cmp(&worst(b)))?;
    let trials = trial_counts(found, source.name()).last().copied()?;
    let panel = |method: Method| -> Option<Panel> {
        let (_, fit) = fits_of(found, source.name(), method, trials).next()?;
        let middle = |at: usize| (at as f64 + 0.5) * fit.trial_s;
        let longest = fit.traces_hz.iter().map(Vec::len).max().unwrap_or(0);
        let range = Series {
            name: "range of the data".into(),
            role: Role::Objective(ObjectiveRole::Data),
            points: (0..longest)
                .map(|at| PlotPoint {
                    x: middle(at),
                    y: fit.rate_data_hz.unwrap_or(f64::NAN),
                    low: 0.0,
                    high: fit.limit_hz,
                })
                .collect(),
            joined: true,
            band: true,
        };
        let runs = fit.traces_hz.iter().map(|trace| {
            Series::line(
                method.name(),
                method.role(),
                trace
                    .iter()
                    .enumerate()
                    .map(|(at, &rate)| PlotPoint::exact(middle(at), rate)),
            )
        });
        Some(
            Plot {
                title: format!("{}: {}", method.name(), source.name()),
                x: PlotAxis::linear("time, s"),
                y: PlotAxis::linear("rate, Hz per unit"),
                series: std::iter::once(range).chain(runs).collect(),
                ..Plot::default()
            }
            .into(),
        )
    };
    let panels: Vec<Panel> = METHODS.into_iter().filter_map(panel).collect();
    (!panels.is_empty()).then(|| FigureView {
        title: format!("Free runs over time: {}, {trials} trials", source.name()),
        caption: "Population rate of each of the first runs, a point per trial length; a line ends where \
                  its run leaves the range. Grey: the range of the data, up to twice the most active \
                  recorded trial, and its mean rate."
            .into(),
        panels,
        scale_label: String::new(),
    })
}

fn table(found: &Fits) -> TableView {
    let mut rows = Vec::new();
    for name in sources(found).into_iter().map(Source::name) {
        for trials in trial_counts(found, name) {
            let over = |method, of_fit: &dyn Fn(&Found) -> f64| {
                let fits = fits_of(found, name, method, trials);
                Estimate::over(fits.map(|(_, found)| of_fit(found)))
            };
            let [mle, both] = METHODS;
            let leave = |method| over(method, &|f| f.divergent_share).of_share().text();
            let bits = |method| over(method, &|f| f.bits_per_spike.unwrap_or(f64::NAN)).text();
            rows.push(vec![
                format!("{name}, {trials} trials"),
                leave(mle),
                leave(both),
                bits(mle),
                bits(both),
            ]);
        }
    }
    TableView {
        title: "Runs that leave, and what the likelihood says of it".into(),
        header: [
            "fits",
            "runs that leave, MLE",
            "with statistics",
            "bits per spike, MLE",
            "with statistics",
        ]
        .map(String::from)
        .to_vec(),
        rows,
        caption:
            "Means over seeds with 95 % intervals. Bits per spike: held-out likelihood gain over \
                  constant rates; it does not tell which network runs away."
                .into(),
    }
}

fn csv(found: &Fits) -> Csv {
    let mut csv = Csv::new(&[
        "source",
        "method",
        "trials",
        "seed",
        "divergent_share",
        "verdict",
        "bits_per_spike",
        "rate_model_hz",
        "rate_data_hz",
        "limit_hz",
        "run",
        "presentation",
        "rate_hz",
    ]);
    for (item, found) in found {
        let head = || {
            vec![
                item.source.name().into(),
                item.method.name().into(),
                item.trials.into(),
                item.seed.into(),
            ]
        };
        let mut row = head();
        row.extend(cells![
            found.divergent_share,
            format!("{:?}", found.verdict).to_lowercase(),
            found.bits_per_spike,
            found.rate_model_hz,
            found.rate_data_hz,
            found.limit_hz,
        ]);
        csv.row(row);
        if item.seed != FIRST_SEED {
            continue;
        }
        for (run, trace) in found.traces_hz.iter().enumerate() {
            for (presentation, &rate) in trace.iter().enumerate() {
                let mut row = head();
                row.extend(cells!["", "", "", "", "", "", run, presentation, rate]);
                csv.row(row);
            }
        }
    }
    csv
}
