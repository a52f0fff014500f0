//! The drawing.

use refire_report::{
    FigureView, ObjectiveRole, Plot, PlotAxis, PlotPoint, Reference, ReproducedFigure, Role,
    Series, TableView, number,
};
use refire_verify::studies::{CONSISTENCY_BINS, FitErrors};

use super::{Item, UNITS};
use crate::Plan;
use crate::csv::{Csv, cells};
use crate::evidence::{CONSISTENT, Estimate, Rule};
use crate::figure::Drawing;

/// Names, roles and errors of the two objectives.
type Objective = (&'static str, ObjectiveRole, fn(&FitErrors) -> &[f64]);

const OBJECTIVES: [Objective; 2] = [
    ("MLE", ObjectiveRole::Mle, |found| &found.mle),
    (
        "MLE + sample-and-measure, corrected",
        ObjectiveRole::Corrected,
        |found| &found.both,
    ),
];

fn root_mean_square(errors: &[f64]) -> f64 {
    (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64).sqrt()
}

pub(super) fn drawing(_plan: &Plan, found: &[(Item, FitErrors)]) -> Drawing {
    let mut sizes: Vec<usize> = found.iter().map(|(item, _)| item.trials).collect();
    sizes.dedup();
    let mut seeds: Vec<u64> = found.iter().map(|(item, _)| item.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let error = |of: Objective, trials: usize, seed: u64| -> f64 {
        let mut items = found.iter();
        let item = items.find(|(item, _)| item.trials == trials && item.seed == seed);
        item.map_or(f64::NAN, |(_, found)| root_mean_square((of.2)(found)))
    };
    let logs = |of: Objective, trials: usize| {
        Estimate::over(seeds.iter().map(|&seed| error(of, trials, seed).ln()))
    };
    // A line per seed, so that the interval is over networks, not over points of one line.
    let slope = |of: Objective, seed: u64| {
        let points = sizes.iter().map(|&trials| {
            let (x, y) = ((trials as f64).ln(), error(of, trials, seed).ln());
            (x, y)
        });
        slope(&points.collect::<Vec<_>>())
    };
    let [mle, both] = OBJECTIVES;
    let largest = sizes.last().copied().unwrap_or(0);
    let log_ratio = |trials: usize| {
        Estimate::over(
            seeds
                .iter()
                .map(|&seed| (error(both, trials, seed) / error(mle, trials, seed)).ln()),
        )
    };
    let ratio = |trials: usize| log_ratio(trials).exponential();

    let mut claims = Vec::new();
    for of in OBJECTIVES {
        let estimate = Estimate::over(seeds.iter().map(|&seed| slope(of, seed)));
        let measure = format!("{}: log-log slope of the error over trials", of.0);
        claims.push(CONSISTENT.judge(measure, Rule::Within(-0.6, -0.4), estimate));
    }
    let measure =
        format!("error with the statistics over error of MLE, same data, {largest} trials");
    claims.push(CONSISTENT.judge(measure, Rule::Within(0.9, 1.1), ratio(largest)));

    let mut csv = Csv::new(&["objective", "trials", "seed", "spikes", "rms_error"]);
    for (item, found) in found {
        for (name, _, errors) in OBJECTIVES {
            let error = root_mean_square(errors(found));
            csv.row(cells![name, item.trials, item.seed, found.spikes, error]);
        }
    }
    let curves = OBJECTIVES.map(|of| {
        Series::line(
            of.0,
            Role::Objective(of.1),
            sizes
                .iter()
                .map(|&trials| logs(of, trials).exponential().at(trials as f64)),
        )
    });
    let mut series = vec![ideal(&curves[0].points)];
    series.extend(curves);
    let ratios = Series::line(
        both.0,
        Role::Objective(both.1),
        sizes.iter().map(|&trials| ratio(trials).at(trials as f64)),
    );
    let trials_axis = || PlotAxis::log(format!("trials of {CONSISTENCY_BINS} bins"));
    let panels = vec![
        Plot {
            title: "Error against the truth".into(),
            x: trials_axis(),
            y: PlotAxis::log("error, units of the potential"),
            series,
            ..Plot::default()
        }
        .into(),
        Plot {
            title: "Error relative to MLE's".into(),
            x: trials_axis(),
            y: PlotAxis::linear("ratio of the errors"),
            series: vec![ratios],
            horizontal: Some(Reference {
                y: 1.0,
                label: "equal".into(),
            }),
        }
        .into(),
    ];
    let rows = sizes.iter().map(|&trials| {
        vec![
            trials.to_string(),
            logs(mle, trials).exponential().text(),
            logs(both, trials).exponential().text(),
            ratio(trials).text(),
        ]
    });
    let table = TableView {
        title: "Errors by size".into(),
        header: ["trials", "MLE", "MLE + sample-and-measure", "ratio"]
            .map(String::from)
            .to_vec(),
        rows: rows.collect(),
        caption:
            "Root mean square over couplings and biases, in units of the potential; geometric \
                  means over networks with 95 % intervals."
                .into(),
    };
    let shown = |line: usize| {
        claims
            .get(line)
            .map_or(f64::NAN, |c: &refire_report::FoundClaim| c.estimate)
    };
    Drawing {
        figure: ReproducedFigure {
            title: "Consistency: more data, less error, with both objectives alike".into(),
            question: "Do the sample-and-measure terms pull the solution away from the truth?".into(),
            setting: format!(
                "{} random networks of {UNITS} units, all of them recorded, couplings over two lags. Each \
                 is fitted from {} to {largest} trials by MLE at its optimum (Newton) and by MLE with the \
                 corrected terms (Adam).",
                seeds.len(),
                sizes.first().copied().unwrap_or(0),
            ),
            views: vec![FigureView {
                title: String::new(),
                caption: "Left: root mean square error of all couplings and biases against the true ones; \
                          geometric means over networks, bars are 95 % intervals, the dashed line falls \
                          with the square root of the trials. Right: the ratio of the two errors on the \
                          same data."
                    .into(),
                panels,
                scale_label: String::new(),
            }],
            conclusion: format!(
                "The error falls with the trials to the power {} (MLE) and {} (with statistics); theory \
                 says −0.5. With {largest} trials the error with the statistics is {} times that of MLE.",
                number(shown(0)),
                number(shown(1)),
                number(shown(2)),
            ),
            tables: vec![table],
            ..ReproducedFigure::default()
        },
        claims,
        csv,
    }
}

/// The line that falls with the square root, through the first point.
fn ideal(points: &[PlotPoint]) -> Series {
    let ends = points.first().into_iter().chain(points.last());
    let first = points.first().copied().unwrap_or_default();
    Series::line(
        "square root of the trials",
        Role::Reference,
        ends.map(|p| PlotPoint::exact(p.x, first.y * (first.x / p.x).sqrt())),
    )
}

/// Slope of the least-squares line.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let (x, y) = points
        .iter()
        .fold((0.0, 0.0), |(x, y), p| (x + p.0 / count, y + p.1 / count));
    let products = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>();
    products / points.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_fall_with_the_square_root_show_the_claim_and_a_bias_does_not() {
        // Made-up errors: MLE as theory says; the other with a floor that does not fall.
        let found = |floor: f64| -> Vec<(Item, FitErrors)> {
            let sizes = [100usize, 1000, 10_000];
            let all = sizes
                .iter()
                .flat_map(|&trials| (1..=4u64).map(move |seed| (trials, seed)));
            all.map(|(trials, seed)| {
                let item = Item {
                    units: 4,
                    trials,
                    seed,
                };
                let error = (1.0 + 0.01 * seed as f64) / (trials as f64).sqrt();
                let errors = FitErrors {
                    mle: vec![error, -error],
                    both: vec![error + floor, -error - floor],
                    spikes: 1.0,
                };
                (item, errors)
            })
            .collect()
        };
        let plan = Plan::new(crate::Size::Quick);
        let verdicts = |floor: f64| {
            let drawing = drawing(&plan, &found(floor));
            drawing.claims.iter().map(|c| c.verdict).collect::<Vec<_>>()
        };
        use refire_report::Finding::{Opposite, Shown};
        assert_eq!(verdicts(0.0), [Shown, Shown, Shown]);
        assert_eq!(verdicts(0.1), [Shown, Opposite, Opposite]);
        let csv = drawing(&plan, &found(0.0)).csv.to_string();
        assert_eq!(csv.lines().count(), 1 + 24);
    }
}
