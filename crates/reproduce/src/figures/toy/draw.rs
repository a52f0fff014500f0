//! The drawing.

use refire_report::{
    DotPlot, FigureView, FoundClaim, MatrixPanel, Panel, PlotAxis, ReproducedFigure, TableView,
    VerticalReference, number,
};

use super::{Found, Item, Method};
use crate::Plan;
use crate::csv::{Csv, cells};
use crate::evidence::{ALL_RECORDED, Estimate, PATTERNS, Rule};
use crate::figure::Drawing;
use crate::panels::dot_row;

type Fits = [(Item, Found)];

const NAMES: [&str; 3] = ["A", "B", "C"];
const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

pub(super) fn drawing(_plan: &Plan, found: &Fits) -> Drawing {
    let claims = claims(found);
    Drawing {
        figure: ReproducedFigure {
            title: "Hidden units, toy: a synapse that is not there".into(),
            question: "A excites C, C inhibits B, and C is not recorded: is A found to inhibit B?"
                .into(),
            setting: setting(found),
            views: vec![matrices(found), dots(found)],
            conclusion: conclusion(found),
            tables: vec![table(found)],
            ..ReproducedFigure::default()
        },
        claims,
        csv: csv(found),
    }
}

/// Blocks of a method, one number per seed.
fn blocks(found: &Fits, method: Method, from: usize, to: usize) -> Vec<f64> {
    let of_method = found.iter().filter(|(item, _)| item.method == method);
    let blocks = of_method.map(|(_, found)| found.block(from, to).unwrap_or(f64::NAN));
    blocks.collect()
}

/// True blocks, mean over seeds.
fn truth(found: &Fits, from: usize, to: usize) -> Option<f64> {
    let recoveries = found.iter().filter_map(|(_, found)| found.all.as_ref());
    let values: Vec<f64> = recoveries
        .filter_map(|all| *all.true_blocks.get(from)?.get(to)?)
        .collect();
    let mean = Estimate::over(values).mean;
    mean.is_finite().then_some(mean)
}

fn setting(found: &Fits) -> String {
    let seeds = blocks(found, Method::Mle, A, B).len();
    let trials = found.first().map_or(0, |(item, _)| item.trials);
    let fit = found
        .iter()
        .find(|(item, _)| item.method == Method::Corrected);
    let iterations = fit.map_or(0, |(item, _)| item.spec.iterations());
    format!(
        "{seeds} networks of three populations of ten units; A excites C and a little itself, C inhibits B, \
         no synapse leads from A to B. A pulse drives A and a sine B, both known to the fit. {trials} \
         recorded trials of A and B. MLE at its optimum with the ridge of validation, with C recorded \
         (oracle) and without; the published terms and the corrected ones with ten hidden units ({iterations} \
         iterations, the noise covariance over lags 0 to 4); the corrected fit is told that these inhibit \
         (Dale's law), not whom, nor what excites them."
    )
}

fn matrices(found: &Fits) -> FigureView {
    let panel = |title: &str, value: &dyn Fn(usize, usize) -> Option<f64>| -> Panel {
        let names: Vec<String> = NAMES.map(String::from).into();
        let values = (0..3).flat_map(|from| (0..3).map(move |to| (from, to)));
        MatrixPanel {
            title: title.into(),
            rows_label: "source".into(),
            columns_label: "target".into(),
            size: (3, 3),
            values: values.map(|(from, to)| value(from, to)).collect(),
            row_names: names.clone(),
            column_names: names,
        }
        .into()
    };
    let mut panels = vec![panel("truth", &|from, to| truth(found, from, to))];
    panels.extend(Method::ALL.map(|method| {
        panel(method.name(), &|from, to| {
            let mean = Estimate::over(blocks(found, method, from, to)).mean;
            mean.is_finite().then_some(mean)
        })
    }));
    FigureView {
        title: "Couplings between populations".into(),
        caption: "Current that a unit of the column receives per spike of all ten units of the row; means \
                  over seeds. Grey: not modelled. Hidden units are taken for C as they come."
            .into(),
        panels,
        scale_label: "summed coupling, current".into(),
    }
}

fn dots(found: &Fits) -> FigureView {
    let panel = |from: usize, to: usize| -> Panel {
        let row = |method: Method| {
            let seeds = blocks(found, method, from, to);
            dot_row(method.name(), method.role(), seeds)
        };
        let title = format!("{} to {}", NAMES[from], NAMES[to]);
        DotPlot {
            x: PlotAxis::linear(format!("summed coupling {title}, current")),
            title,
            // MLE without C has no couplings with C.
            rows: (Method::ALL.into_iter())
                .filter(|method| *method != Method::Mle || (from != C && to != C))
                .map(row)
                .collect(),
            reference: truth(found, from, to).map(|x| VerticalReference {
                x,
                label: "truth".into(),
            }),
            range: None,
        }
        .into()
    };
    FigureView {
        title: "The three couplings that matter, seed by seed".into(),
        caption: "Small marks are seeds, large ones their means with 95 % intervals; the line is the truth. \
                  Left: no synapse leads from A to B."
            .into(),
        panels: vec![panel(A, B), panel(A, C), panel(C, B)],
        scale_label: String::new(),
    }
}

/// Whether the pattern of a fit is the true one: hidden units excited by A that inhibit B, and less than half
/// of the inhibition that MLE invents.
fn is_true_pattern(found: &Found, invented: f64) -> bool {
    let block = |from, to| found.block(from, to).unwrap_or(f64::NAN);
    block(A, C) > 0.0 && block(C, B) < 0.0 && block(A, B).abs() < 0.5 * invented.abs()
}

/// Number of fits of a method with the true pattern, and of all.
fn true_patterns(found: &Fits, method: Method) -> (usize, usize) {
    let invented = blocks(found, Method::Mle, A, B);
    let fits = found.iter().filter(|(item, _)| item.method == method);
    let patterns: Vec<bool> = fits
        .zip(invented)
        .map(|((_, found), invented)| is_true_pattern(found, invented))
        .collect();
    (patterns.iter().filter(|&&p| p).count(), patterns.len())
}

fn claims(found: &Fits) -> Vec<FoundClaim> {
    let a_to_b = |method| blocks(found, method, A, B);
    let less = |method: Method| {
        let pairs = a_to_b(method).into_iter().zip(a_to_b(Method::Mle));
        Estimate::over(pairs.map(|(hidden, mle)| hidden.abs() - mle.abs()))
    };
    vec![
        ALL_RECORDED.judge(
            "toy: A to B (truth 0), MLE with all units recorded",
            Rule::Within(-0.1, 0.1),
            Estimate::over(a_to_b(Method::Oracle)),
        ),
        ALL_RECORDED.judge(
            "toy: A to B (truth 0), MLE with C left out: invented inhibition",
            Rule::Below(-0.1),
            Estimate::over(a_to_b(Method::Mle)),
        ),
        PATTERNS.judge(
            "toy: size of the invented A to B, corrected terms with hidden units minus MLE",
            Rule::Below(0.0),
            less(Method::Corrected),
        ),
        PATTERNS.judge(
            "toy: share of seeds with the true pattern (A excites the hidden units, they inhibit B, A to B \
             less than half of MLE's), corrected terms",
            Rule::Above(0.5),
            Estimate::share(true_patterns(found, Method::Corrected)),
        ),
    ]
}

fn conclusion(found: &Fits) -> String {
    let mean = |method| number(Estimate::over(blocks(found, method, A, B)).mean);
    let share = |method| {
        let (right, all) = true_patterns(found, method);
        format!("{right} of {all}")
    };
    format!(
        "Recorded in full, MLE finds {} from A to B, where there is nothing. With C left out it finds {}. Ten \
         hidden units with \
         the published terms leave {}, with the corrected ones {}; the pattern is the true one in {} and {} \
         of the seeds.",
        mean(Method::Oracle),
        mean(Method::Mle),
        mean(Method::Published),
        mean(Method::Corrected),
        share(Method::Published),
        share(Method::Corrected),
    )
}

fn table(found: &Fits) -> TableView {
    let row = |method: Method| {
        let block = |from, to| Estimate::over(blocks(found, method, from, to)).text();
        let (right, all) = true_patterns(found, method);
        vec![
            method.name().into(),
            block(A, B),
            block(A, C),
            block(C, B),
            match method {
                Method::Mle => String::new(),
                _ => format!("{right} of {all}"),
            },
        ]
    };
    let of_truth = |from, to| truth(found, from, to).map_or_else(String::new, number);
    let mut rows: Vec<Vec<String>> = Method::ALL.map(row).into();
    rows.push(vec![
        "truth".into(),
        of_truth(A, B),
        of_truth(A, C),
        of_truth(C, B),
        String::new(),
    ]);
    TableView {
        title: "Summed couplings".into(),
        header: ["fit", "A to B", "A to C", "C to B", "true pattern"]
            .map(String::from)
            .into(),
        rows,
        caption: "Means over seeds with 95 % intervals, current.".into(),
    }
}

fn csv(found: &Fits) -> Csv {
    let mut csv = Csv::new(&["method", "seed", "source", "target", "found", "true"]);
    for (item, found) in found {
        let recovery = found.all.as_ref().unwrap_or(&found.seen);
        for (from, row) in recovery.blocks.iter().enumerate() {
            for (to, block) in row.iter().enumerate() {
                csv.row(cells![
                    item.method.name(),
                    item.seed,
                    NAMES[from],
                    NAMES[to],
                    *block,
                    recovery.true_blocks[from][to],
                ]);
            }
        }
    }
    csv
}
