//! The drawing.

use refire_report::{
    DotPlot, FigureView, FoundClaim, MatrixPanel, Panel, Plot, PlotAxis, ReproducedFigure, Series,
    TableView, number,
};

use super::{Found, Item, Method};
use crate::Plan;
use crate::connectivity::Recovery;
use crate::csv::{Csv, cells};
use crate::evidence::{ALL_RECORDED, Estimate, PATTERNS, Rule};
use crate::figure::Drawing;
use crate::panels::dot_row;

type Fits = [(Item, Found)];

/// A measure of recovery.
type Measure = fn(&Recovery) -> Option<f64>;

const MEASURES: [(&str, Measure); 5] = [
    ("correlation, all population pairs", |r| r.pattern),
    ("correlation, different populations", |r| r.between),
    ("error of population couplings", |r| r.error),
    ("signs right, share of pairs", |r| r.signs),
    ("correlation over single synapses", |r| r.synapses),
];

/// Names of the populations, recorded ones first.
const NAMES: [&str; 6] = ["A", "B", "C", "IA", "IB", "IC"];

pub(super) fn drawing(_plan: &Plan, found: &Fits) -> Drawing {
    let large = found.iter().map(|(item, _)| item.units).max().unwrap_or(0);
    let recorded = |item: &Item| item.method == Method::Oracle && item.units == large;
    let observed = found.iter().find(|(item, _)| recorded(item));
    let case = Case {
        units: large,
        observed: observed.map_or(0, |(item, _)| item.observed),
    };
    Drawing {
        figure: ReproducedFigure {
            title: "Hidden units: most of the network is not recorded".into(),
            question: "What do the recorded units tell about the couplings between populations, when most \
                       units are hidden?"
                .into(),
            setting: setting(found, case),
            views: vec![matrices(found, case), dots(found, case), sweep(found)],
            conclusion: conclusion(found, case),
            tables: vec![table(found)],
            ..ReproducedFigure::default()
        },
        claims: claims(found, case),
        csv: csv(found),
    }
}

/// Networks of one size, recorded alike.
#[derive(Clone, Copy, PartialEq)]
struct Case {
    units: usize,
    observed: usize,
}

/// Recoveries by a method, one per seed.
fn fits_of(found: &Fits, case: Case, method: Method) -> impl Iterator<Item = &Recovery> {
    let chosen = move |item: &Item| {
        item.method == method && item.units == case.units && item.observed == case.observed
    };
    let fits = found.iter().filter(move |(item, _)| chosen(item));
    fits.map(|(_, found)| &found.recovery)
}

fn values(found: &Fits, case: Case, method: Method, measure: Measure) -> Vec<f64> {
    fits_of(found, case, method)
        .map(|recovery| measure(recovery).unwrap_or(f64::NAN))
        .collect()
}

fn setting(found: &Fits, case: Case) -> String {
    let seeds = fits_of(found, case, Method::Mle).count();
    let fit = found
        .iter()
        .find(|(item, _)| item.method == Method::Corrected);
    let (trials, iterations) = fit.map_or((0, 0), |(u, _)| (u.trials, u.spec.iterations()));
    format!(
        "{seeds} networks of {} units: three assemblies of excitatory cells in a ring, A to B to C to A, each \
         with interneurons of its own. An assembly excites itself and the next one, and more so the next \
         one's interneurons: excitation with feed-forward inhibition a bin later. {} excitatory cells are \
         recorded in {trials} trials ({:.0} % of the units are hidden, all interneurons among them). MLE at its \
         optimum with all units recorded (oracle) and with those {}; the published and the corrected terms \
         with as many hidden units as there are ({iterations} iterations, noise covariance over lags 0 to 4). \
         The corrected fit is told that recorded cells are excitatory and how many hidden ones are not \
         (Dale's law), and its hidden units start as copies of recorded ones.",
        case.units,
        case.observed,
        100.0 * (1.0 - case.observed as f64 / case.units.max(1) as f64),
        case.observed,
    )
}

/// Mean over seeds of the blocks that a choice of each recovery holds.
fn mean_blocks(found: &Fits, case: Case, method: Method, of_truth: bool) -> Vec<Vec<Option<f64>>> {
    let all: Vec<&Vec<Vec<Option<f64>>>> = fits_of(found, case, method)
        .map(|r| if of_truth { &r.true_blocks } else { &r.blocks })
        .collect();
    let size = all.first().map_or(0, |blocks| blocks.len());
    let mean = |from: usize, to: usize| {
        let values = all.iter().filter_map(|b| *b.get(from)?.get(to)?);
        let mean = Estimate::over(values).mean;
        mean.is_finite().then_some(mean)
    };
    (0..size)
        .map(|from| (0..size).map(|to| mean(from, to)).collect())
        .collect()
}

fn matrices(found: &Fits, case: Case) -> FigureView {
    let panel = |title: &str, blocks: Vec<Vec<Option<f64>>>| -> Panel {
        let size = blocks.len();
        let names: Vec<String> = NAMES.iter().take(size).map(ToString::to_string).collect();
        MatrixPanel {
            title: title.into(),
            rows_label: "source".into(),
            columns_label: "target".into(),
            size: (size, size),
            values: blocks.into_iter().flatten().collect(),
            row_names: names.clone(),
            column_names: names,
        }
        .into()
    };
    let mut panels = vec![panel(
        "truth",
        mean_blocks(found, case, Method::Oracle, true),
    )];
    panels.extend(
        Method::ALL.map(|method| panel(method.name(), mean_blocks(found, case, method, false))),
    );
    FigureView {
        title: format!(
            "Couplings between recorded populations, {} of {} units recorded",
            case.observed, case.units
        ),
        caption: "Current that a unit of the column receives per spike of every unit of the row: mean over \
                  the recorded pairs times the size of the source population; means over seeds."
            .into(),
        panels,
        scale_label: "summed coupling, current".into(),
    }
}

fn dots(found: &Fits, case: Case) -> FigureView {
    let panel = |(name, measure): (&str, Measure)| -> Panel {
        let row = |method: Method| {
            let seeds = values(found, case, method, measure);
            dot_row(method.name(), method.role(), seeds)
        };
        DotPlot {
            title: name.into(),
            x: PlotAxis::linear(name),
            rows: Method::ALL.map(row).into(),
            reference: None,
            range: None,
        }
        .into()
    };
    FigureView {
        title: format!("Recovery, {} of {} units recorded", case.observed, case.units),
        caption: "Among recorded units: couplings between populations against the true ones (correlation over \
                  pairs of populations, root mean square error, share of the non-zero pairs with the right \
                  sign), and single synapses. Small marks are seeds, large ones means with 95 % intervals."
            .into(),
        panels: MEASURES.map(panel).into(),
        scale_label: String::new(),
    }
}

/// Cases of some units, in the order of the units.
fn cases(found: &Fits, wanted: impl Fn(&Item) -> bool) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (item, _) in found.iter().filter(|(item, _)| wanted(item)) {
        let case = Case {
            units: item.units,
            observed: item.observed,
        };
        if !cases.contains(&case) {
            cases.push(case);
        }
    }
    cases
}

fn sweep(found: &Fits) -> FigureView {
    let mut cases = cases(found, |item| item.swept);
    cases.sort_by_key(|case| std::cmp::Reverse(case.observed));
    let panel = |(name, measure): (&str, Measure)| -> Panel {
        let series = [Method::Mle, Method::MleSigns, Method::Corrected].map(|method| {
            Series::line(
                method.name(),
                method.role(),
                cases.iter().map(|&case| {
                    let estimate = Estimate::over(values(found, case, method, measure));
                    estimate.at(100.0 * (1.0 - case.observed as f64 / case.units as f64))
                }),
            )
        });
        Plot {
            title: name.into(),
            x: PlotAxis::linear("hidden units, %"),
            y: PlotAxis::linear(name),
            series: series.into(),
            ..Plot::default()
        }
        .into()
    };
    FigureView {
        title: format!(
            "Recovery over the share of hidden units, networks of {}",
            cases.first().map_or(0, |case| case.units)
        ),
        caption:
            "The same measures among the recorded units; interneurons are recorded only where all \
                  excitatory cells are. With nothing hidden the corrected fit starts from the optimum of the \
                  likelihood. Means over seeds, 95 % intervals."
                .into(),
        panels: MEASURES.map(panel).into(),
        scale_label: String::new(),
    }
}

fn claims(found: &Fits, case: Case) -> Vec<FoundClaim> {
    let [(_, pattern), (_, between), (_, error), ..] = MEASURES;
    let of = |method, measure| values(found, case, method, measure);
    let difference =
        |a: Method, b: Method, measure| Estimate::difference(of(a, measure), of(b, measure));
    let (above_zero, share) = (
        Rule::Above(0.0),
        format!("{} of {} units recorded", case.observed, case.units),
    );
    let oracle = format!(
        "correlation over pairs of populations, MLE with all {} units",
        case.units
    );
    let worse =
        format!("error of population couplings, MLE of recorded units minus oracle, {share}");
    let better = format!(
        "correlation over pairs of different populations, corrected with hidden units minus MLE that \
         knows the signs, {share}"
    );
    let true_pattern = format!(
        "correlation over pairs of different populations, corrected with hidden units, {share}"
    );
    vec![
        ALL_RECORDED.judge(
            oracle,
            Rule::Above(0.9),
            Estimate::over(of(Method::Oracle, pattern)),
        ),
        ALL_RECORDED.judge(
            worse,
            above_zero,
            difference(Method::Mle, Method::Oracle, error),
        ),
        PATTERNS.judge(
            true_pattern,
            above_zero,
            Estimate::over(of(Method::Corrected, between)),
        ),
        PATTERNS.judge(
            better,
            above_zero,
            difference(Method::Corrected, Method::MleSigns, between),
        ),
    ]
}

fn conclusion(found: &Fits, case: Case) -> String {
    let mean = |method, measure| number(Estimate::over(values(found, case, method, measure)).mean);
    let [(_, pattern), (_, between), (_, error), ..] = MEASURES;
    let each = |measure| Method::ALL.map(|method| mean(method, measure)).join(", ");
    format!(
        "Oracle, MLE, MLE with signs, published and corrected: correlation with the true couplings over all \
         pairs of populations {}, over pairs of different populations {}; error {}. A negative \
         correlation means that the pattern is reversed: the fit mistakes the excitation of the next assembly \
         for the inhibition that its unrecorded interneurons add a bin later.",
        each(pattern),
        each(between),
        each(error),
    )
}

fn table(found: &Fits) -> TableView {
    let mut rows = Vec::new();
    for case in cases(found, |_| true) {
        for method in Method::ALL {
            if fits_of(found, case, method).next().is_none() {
                continue;
            }
            let mut row = vec![format!(
                "{} of {}: {}",
                case.observed,
                case.units,
                method.name()
            )];
            let invented: Measure = |r| r.invented;
            let all = MEASURES.map(|(_, measure)| measure).into_iter();
            row.extend(
                all.chain([invented])
                    .map(|measure| Estimate::over(values(found, case, method, measure)).text()),
            );
            rows.push(row);
        }
    }
    let mut header = vec!["recorded: fit".to_string()];
    header.extend(MEASURES.map(|(name, _)| name.to_string()));
    header.push("mean size where there is nothing".into());
    TableView {
        title: "Recovery among recorded units".into(),
        header,
        rows,
        caption: "Means over seeds with 95 % intervals.".into(),
    }
}

fn csv(found: &Fits) -> Csv {
    let mut csv = Csv::new(&[
        "units", "observed", "method", "seed", "measure", "source", "target", "found", "true",
    ]);
    for (item, found) in found {
        let head = || cells![item.units, item.observed, item.method.name(), item.seed,];
        let recovery = &found.recovery;
        for (name, measure) in MEASURES {
            let row = head().into_iter();
            csv.row(row.chain(cells![name, "", "", measure(recovery)]));
        }
        for (from, row) in recovery.blocks.iter().enumerate() {
            for (to, block) in row.iter().enumerate() {
                let place = |at: usize| NAMES.get(at).copied().unwrap_or_default();
                let truth = recovery.true_blocks.get(from).and_then(|row| *row.get(to)?);
                let cells = cells!["coupling", place(from), place(to), *block, truth];
                csv.row(head().into_iter().chain(cells));
            }
        }
    }
    csv
}
