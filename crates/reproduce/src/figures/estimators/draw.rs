//! The drawing.

use refire_report::{
    FigureView, Panel, Plot, PlotAxis, ReproducedFigure, Role, Series, TableView, number,
};

use super::{BIASES, Case, Item, STRENGTHS};
use crate::Plan;
use crate::csv::{Csv, cells};
use crate::evidence::{ESTIMATORS, Estimate, Rule};
use crate::figure::Drawing;

/// Rate without input of each of [`BIASES`], spikes per bin.
const RATES: [&str; 3] = ["0.27", "0.12", "0.03"];

/// Couplings at which the verdict is taken: a coupling of one standard deviation changes log-odds by 1.
const JUDGED_AT: f64 = 1.0;

/// The published estimator and ours, by name.
const PUBLISHED: &str = "triangle (published)";
const ESCAPE: &str = "escape";
const DAMPED: &str = "escape, dampening 0.5 (default)";
const SCORE: &str = "score";

/// Bias below which a number is the error of the differences that the exact gradient is taken by.
const NONE: f64 = 1e-8;

pub(super) fn drawing(_plan: &Plan, found: &[(Item, Vec<Case>)]) -> Drawing {
    let mut names: Vec<String> = Vec::new();
    let mut csv = Csv::new(&[
        "estimator",
        "through_spikes",
        "bias",
        "couplings",
        "seed",
        "relative_bias",
        "relative_sd",
    ]);
    for (item, cases) in found {
        for case in cases {
            for errors in &case.errors {
                if !names.contains(&errors.estimator) {
                    names.push(errors.estimator.clone());
                }
                csv.row(cells![
                    errors.estimator.clone(),
                    case.through_spikes.to_string(),
                    case.bias,
                    case.strength,
                    item.seed,
                    errors.bias,
                    errors.sd,
                ]);
            }
        }
    }
    // Of every network: the figure of an estimator, geometric over rates where several are asked for.
    let of = |name: &str, through: bool, rates: &[f64], strength: f64, sd: bool| -> Vec<f64> {
        let of_network = |(_, cases): &(Item, Vec<Case>)| {
            let chosen = cases.iter().filter(|case| {
                case.through_spikes == through
                    && case.strength == strength
                    && rates.contains(&case.bias)
            });
            let logs: Vec<f64> = chosen
                .flat_map(|case| case.errors.iter().filter(|e| e.estimator == name))
                .map(|e| if sd { e.sd } else { e.bias }.ln())
                .collect();
            logs.iter().sum::<f64>() / logs.len() as f64
        };
        found.iter().map(of_network).collect()
    };
    let claims = claims(&of);
    let views = [false, true].map(|through| {
        let panel = |at: usize, sd: bool| -> Panel {
            let series = names.iter().enumerate().map(|(color, name)| Series::line(name.clone(), Role::Series(color), STRENGTHS
                    .iter()
                    .filter_map(|&strength| {
                        let log = Estimate::over(of(name, through, &[BIASES[at]], strength, sd));
                        let point = log.exponential().at(strength);
                        (point.y > NONE).then_some(point)
                    })));
            let (what, label) = match sd {
                false => ("Bias", "bias / exact gradient"),
                true => ("Noise", "sd of one trial / exact gradient"),
            };
            Plot {
                title: format!("{what}, {} spikes per bin", RATES[at]),
                x: PlotAxis::log("couplings, sd of the potential"),
                y: PlotAxis::log(label),
                series: series.collect(),
                ..Plot::default()
            }
            .into()
        };
        let (title, which) = match through {
            false => ("The whole gradient", "all parameters"),
            true => (
                "Parameters that act only through spikes",
                "the parameters of one unit whose spikes reach the loss only through the other unit",
            ),
        };
        FigureView {
            title: title.into(),
            caption: format!(
                "Gradient of the expected sum of spike probabilities of two units over five bins: {which}. \
                 Norm of the bias (upper row) and standard deviation of one trial (lower row), relative to \
                 the exact gradient; geometric means over networks, 95 % intervals. The score function has \
                 no bias and no line in the upper row. Noise falls with the square root of the trials, \
                 bias does not."
            ),
            panels: (0..BIASES.len())
                .map(|at| panel(at, false))
                .chain((0..BIASES.len()).map(|at| panel(at, true)))
                .collect(),
            scale_label: String::new(),
        }
    });
    let rows = names.iter().map(|name| {
        let cell = |through, sd| {
            let log = Estimate::over(of(name, through, &BIASES, JUDGED_AT, sd));
            match log.mean.exp() {
                mean if mean <= NONE => "0".to_string(),
                mean => number(mean),
            }
        };
        vec![
            name.clone(),
            cell(false, false),
            cell(false, true),
            cell(true, false),
            cell(true, true),
        ]
    });
    let table = TableView {
        title: "At couplings of standard deviation 1, all rates".into(),
        header: [
            "spike gradient",
            "bias, whole",
            "noise, whole",
            "bias, through spikes",
            "noise, through spikes",
        ]
        .map(String::from)
        .to_vec(),
        rows: rows.collect(),
        caption: "Geometric means over networks and rates, relative to the exact gradient.".into(),
    };
    Drawing {
        figure: ReproducedFigure {
            title: "Estimators: how wrong and how noisy the gradient through spikes is".into(),
            question: "What may stand in for the derivative of a spike, which has none?".into(),
            setting: format!(
                "{} random networks of two units over five bins: all 1024 spike paths are enumerated, so \
                 that the exact gradient and the mean of each estimator are known and nothing is sampled \
                 but the networks. Couplings of growing strength, three rates.",
                found.len()
            ),
            views: views.into(),
            conclusion: conclusion(&of),
            tables: vec![table],
            ..ReproducedFigure::default()
        },
        claims,
        csv,
    }
}

/// Log figures per network: name, through spikes, rates, strength, noise instead of bias.
type Figures<'a> = dyn Fn(&str, bool, &[f64], f64, bool) -> Vec<f64> + 'a;

fn conclusion(of: &Figures<'_>) -> String {
    let bias = |name: &str, strength: f64| {
        let log = Estimate::over(of(name, true, &BIASES, strength, false));
        number(100.0 * log.mean.exp())
    };
    let noise = |name: &str| {
        let log = Estimate::over(of(name, true, &BIASES, JUDGED_AT, true));
        number(log.mean.exp())
    };
    format!(
        "Bias of what acts only through spikes, in per cent of the exact gradient, all rates: triangle {}, \
         escape derivative {}, half of it {} at couplings of sd 1; escape derivative {} at 0.1 and {} at 3. The \
         score function is unbiased; the noise of one of its trials is {} times the gradient, that of the \
         escape derivative {}.",
        bias(PUBLISHED, 1.0),
        bias(ESCAPE, 1.0),
        bias(DAMPED, 1.0),
        bias(ESCAPE, 0.1),
        bias(ESCAPE, 3.0),
        noise(SCORE),
        noise(ESCAPE),
    )
}

fn claims(of: &Figures<'_>) -> Vec<refire_report::FoundClaim> {
    let through = |name: &str| of(name, true, &BIASES, JUDGED_AT, false);
    let exp = |logs: &[f64]| logs.iter().map(|log| log.exp()).collect::<Vec<f64>>();
    let [triangle, escape, damped, score] =
        [PUBLISHED, ESCAPE, DAMPED, SCORE].map(|name| exp(&through(name)));
    vec![
        ESTIMATORS.judge(
            "relative bias of the triangle minus that of the escape derivative, what acts only through \
             spikes, couplings of sd 1",
            Rule::Above(0.0),
            Estimate::difference(triangle.clone(), escape),
        ),
        ESTIMATORS.judge(
            "the same with half the escape derivative (default)",
            Rule::Above(0.0),
            Estimate::difference(triangle, damped),
        ),
        ESTIMATORS.judge(
            "relative bias of the score function (unbiased)",
            Rule::Below(1e-6),
            Estimate::over(score),
        ),
    ]
}
