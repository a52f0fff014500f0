//! The drawing.

use refire_fit::Form;
use refire_report::{
    DotPlot, DotRow, FigureView, FoundClaim, PlotAxis, ReproducedFigure, TableView, number,
};

use super::{Fits, Found, Item, SYNTHETIC, views};
use crate::Plan;
use crate::csv::{Csv, cells};
use crate::evidence::{Estimate, Rule, STATISTICS};
use crate::figure::Drawing;
use crate::fits::Method;
use crate::panels::dot_row;

/// A figure of merit of a fit.
type Merit = fn(&Found) -> Option<f64>;

/// Name, value, ceiling, and ends of the axis where runaway values would flatten the rest.
type Row = (&'static str, Merit, Option<Merit>, Option<(f64, f64)>);

const MERITS: [Row; 4] = [
    (
        "PSTH correlation",
        |f| f.psth,
        Some(|f| f.psth_ceiling),
        None,
    ),
    (
        "noise correlation, R²",
        |f| f.noise_r2,
        Some(|f| f.noise_r2_ceiling),
        Some((-1.5, 1.0)),
    ),
    (
        "noise correlation, Pearson",
        |f| f.noise_pearson,
        Some(|f| f.noise_pearson_ceiling),
        None,
    ),
    (
        "likelihood gain, bits per spike",
        |f| f.bits_per_spike,
        None,
        None,
    ),
];

const CORRECTED: Method = Method::Full(Form::Corrected);
const PUBLISHED: Method = Method::Full(Form::Published);

pub(super) fn drawing(_plan: &Plan, found: &Fits) -> Drawing {
    let sources = sources(found);
    let mut all = Vec::new();
    for source in &sources {
        all.push(merits(found, source));
    }
    all.extend(views::psths(found));
    all.extend(views::matrices(found));
    all.extend(views::rasters(found));
    Drawing {
        figure: ReproducedFigure {
            title: "Statistics: what the free-running networks reproduce".into(),
            question:
                "Do the fitted networks, left to run, have the PSTHs and noise correlations of the \
                       recording?"
                    .into(),
            setting: setting(found),
            views: all,
            conclusion: conclusion(found),
            tables: sources.iter().map(|source| table(found, source)).collect(),
            ..ReproducedFigure::default()
        },
        claims: claims(found),
        csv: csv(found),
    }
}

fn sources(found: &Fits) -> Vec<&str> {
    let mut sources: Vec<&str> = Vec::new();
    for (item, _) in found {
        if !sources.contains(&item.source.name()) {
            sources.push(item.source.name());
        }
    }
    sources
}

fn fits_of<'a>(
    found: &'a Fits,
    source: &'a str,
    method: Method,
) -> impl Iterator<Item = &'a (Item, Found)> {
    let chosen = move |item: &Item| item.source.name() == source && item.method == method;
    found.iter().filter(move |(item, _)| chosen(item))
}

/// Values of the fits of a method, one per seed; those that do not exist are no numbers.
fn values(found: &Fits, source: &str, method: Method, merit: Merit) -> Vec<f64> {
    fits_of(found, source, method)
        .map(|(_, f)| merit(f).unwrap_or(f64::NAN))
        .collect()
}

/// Methods that a source was fitted by.
fn methods(found: &Fits, source: &str) -> Vec<Method> {
    let fitted = |method: &Method| fits_of(found, source, *method).next().is_some();
    Method::ALL.into_iter().filter(fitted).collect()
}

fn setting(found: &Fits) -> String {
    let seeds = fits_of(found, SYNTHETIC, Method::Mle).count();
    let network = found.iter().find_map(|(item, _)| item.source.network());
    let synthetic = network.map_or_else(String::new, |n| {
        format!(
            "{seeds} random networks of {} units, of which {} are recorded, in {} repeats of one movie-like \
             stimulus of {} bins of {:.0} ms, whose {} features the fit knows: two thirds of the repeats for \
             training, a twelfth for validation, a quarter for the test.",
            n.units(),
            n.observed_units,
            n.trials,
            n.bins,
            1e3 * n.bin_width_s,
            n.features,
        )
    });
    let real = match sources(found).len() {
        0 | 1 => "",
        _ => {
            " Real recordings are split in the same way, by condition, with a smooth drive per condition; \
             seeds are splits of their trials."
        }
    };
    format!(
        "{synthetic}{real} All figures are those of held-out trials and of as many free-running ones. MLE is \
         the convex optimum, ridge by validation; the others are fitted by Adam with the weights that the \
         form has by default."
    )
}

/// A panel per figure of merit, a row per method.
fn merits(found: &Fits, source: &str) -> FigureView {
    let panel = |(name, merit, ceiling, range): Row| {
        let row = |method: Method| {
            let seeds = values(found, source, method, merit);
            let ceilings = ceiling.map(|merit| values(found, source, method, merit));
            let ceiling = ceilings.map(|values| Estimate::over(values).mean);
            DotRow {
                ceiling: ceiling.filter(|c| c.is_finite()),
                ..dot_row(method.name(), method.role(), seeds)
            }
        };
        DotPlot {
            title: name.into(),
            x: PlotAxis::linear(name),
            rows: methods(found, source).into_iter().map(row).collect(),
            reference: None,
            range,
        }
        .into()
    };
    FigureView {
        title: format!("Held-out figures by objective: {source}"),
        caption: "One row per objective: small marks are seeds, the large mark is their mean with its 95 % \
                  interval, the tick is the ceiling: the same figure between training and test trials of \
                  the data. Published forms use the triangle as spike gradient, corrected ones the escape \
                  derivative, unless the row says otherwise."
            .into(),
        panels: MERITS.map(panel).into(),
        scale_label: String::new(),
    }
}

fn claims(found: &Fits) -> Vec<FoundClaim> {
    let per_seed = |method, merit| values(found, SYNTHETIC, method, merit);
    let difference = |less: Method, merit: Merit| {
        Estimate::difference(per_seed(CORRECTED, merit), per_seed(less, merit))
    };
    let share = |merit: Merit, ceiling: Merit| {
        let pairs = per_seed(CORRECTED, merit).into_iter();
        Estimate::over(pairs.zip(per_seed(CORRECTED, ceiling)).map(|(a, b)| a / b))
    };
    let [psth, r2, ..] = MERITS.map(|(_, merit, ..)| merit);
    let pearson: Merit = |f| f.noise_pearson;
    vec![
        STATISTICS.judge(
            "PSTH correlation over its ceiling, MLE + sample-and-measure (corrected)",
            Rule::Above(0.9),
            share(psth, |f| f.psth_ceiling),
        ),
        STATISTICS.judge(
            "PSTH correlation, MLE + sample-and-measure (corrected) minus MLE: no worse by 0.02",
            Rule::Above(-0.02),
            difference(Method::Mle, psth),
        ),
        STATISTICS.judge(
            "R² of the noise correlations, MLE + sample-and-measure (corrected) minus MLE",
            Rule::Above(0.0),
            difference(Method::Mle, r2),
        ),
        STATISTICS.judge(
            "Pearson correlation of the noise correlations, the same difference",
            Rule::Above(0.0),
            difference(Method::Mle, pearson),
        ),
        STATISTICS.judge(
            "R² of the noise correlations, with their term minus without it: MLE + PSTH, same optimiser",
            Rule::Above(0.0),
            difference(Method::MlePsth(Form::Corrected), r2),
        ),
    ]
}

fn conclusion(found: &Fits) -> String {
    let mean =
        |method, merit: Merit| number(Estimate::over(values(found, SYNTHETIC, method, merit)).mean);
    let [psth, r2, ..] = MERITS.map(|(_, merit, ..)| merit);
    format!(
        "Synthetic recording: PSTH correlation {} with MLE, {} with the published terms, {} with the \
         corrected ones, at a ceiling of {}; R² of the noise correlations {}, {} and {} at {}. With the PSTH \
         term alone (corrected), whose business the noise correlations are not, their R² is {}.",
        mean(Method::Mle, psth),
        mean(PUBLISHED, psth),
        mean(CORRECTED, psth),
        mean(Method::Mle, |f| f.psth_ceiling),
        mean(Method::Mle, r2),
        mean(PUBLISHED, r2),
        mean(CORRECTED, r2),
        mean(Method::Mle, |f| f.noise_r2_ceiling),
        mean(Method::MlePsth(Form::Corrected), r2),
    )
}

fn table(found: &Fits, source: &str) -> TableView {
    let row = |method: Method| {
        let text = |merit| Estimate::over(values(found, source, method, merit)).text();
        let mut row = vec![method.name().to_string()];
        row.extend(MERITS.map(|(_, merit, ..)| text(merit)));
        row.push(text(|f| f.rate_model_hz));
        let leave = values(found, source, method, |f| Some(f.divergent_share));
        row.push(Estimate::over(leave).of_share().text());
        row
    };
    let mut rows: Vec<Vec<String>> = methods(found, source).into_iter().map(row).collect();
    let ceiling = |merit: Option<Merit>| {
        merit.map_or_else(String::new, |merit| {
            Estimate::over(values(found, source, Method::Mle, merit)).text()
        })
    };
    let mut last = vec!["ceiling, or data".to_string()];
    last.extend(MERITS.map(|(_, _, merit, _)| ceiling(merit)));
    last.push(ceiling(Some(|f| f.rate_data_hz)));
    last.push(String::new());
    rows.push(last);
    let mut header = vec!["objective".to_string()];
    header.extend(MERITS.map(|(name, ..)| name.to_string()));
    header.extend(["rate, Hz", "share of runs that leave"].map(String::from));
    TableView {
        title: source.to_string(),
        header,
        rows,
        caption: "Means over seeds with 95 % intervals, held-out trials.".into(),
    }
}

fn csv(found: &Fits) -> Csv {
    let mut csv = Csv::new(&[
        "recording",
        "method",
        "seed",
        "bits_per_spike",
        "psth",
        "psth_ceiling",
        "noise_pearson",
        "noise_pearson_ceiling",
        "noise_r2",
        "noise_r2_ceiling",
        "rate_model_hz",
        "rate_data_hz",
        "divergent_share",
    ]);
    for (item, found) in found {
        csv.row(cells![
            item.source.name(),
            item.method.name(),
            item.seed,
            found.bits_per_spike,
            found.psth,
            found.psth_ceiling,
            found.noise_pearson,
            found.noise_pearson_ceiling,
            found.noise_r2,
            found.noise_r2_ceiling,
            found.rate_model_hz,
            found.rate_data_hz,
            found.divergent_share,
        ]);
    }
    csv
}
