//! Made-up figures with every kind of panel.

use refire_report::{
    DotPlot, DotRow, Estimate, FigureView, MatrixPanel, ObjectiveRole, Plot, PlotAxis, PlotPoint,
    RasterPanel, Reference, Role, Series, VerticalReference,
};

use ObjectiveRole::{Corrected, Data, Mle, MlePsth, Oracle, Published, SampleOnly, Truth};

fn axis(label: &str, log: bool) -> PlotAxis {
    let label = label.into();
    PlotAxis { label, log }
}

/// A wobble between -1 and 1 without a generator, so that the page is the same every time.
fn wobble(i: usize) -> f64 {
    let mixed = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / 8_388_608.0 - 1.0
}

fn series(name: &str, role: Role, points: Vec<PlotPoint>) -> Series {
    Series {
        name: name.into(),
        role,
        points,
        joined: true,
        band: false,
    }
}

/// Free-running rate over time: the likelihood alone runs away.
pub fn rates() -> FigureView {
    let rate = |t: f64, shift: usize| {
        18.0 + 7.0 * (t * 6.3).sin() + 2.0 * wobble(shift + (t * 50.0) as usize)
    };
    let trace = |leaves: f64, shift: usize| -> Vec<PlotPoint> {
        (0..200)
            .map(|bin| {
                let t = f64::from(bin) * 0.02;
                let run = if t > leaves {
                    ((t - leaves) * 2.2).exp()
                } else {
                    1.0
                };
                PlotPoint::exact(t, (rate(t, shift) * run).min(640.0))
            })
            .collect()
    };
    let range = (0..200)
        .map(|bin| {
            let t = f64::from(bin) * 0.02;
            let y = rate(t, 0);
            PlotPoint {
                x: t,
                y,
                low: y - 5.0,
                high: y + 5.5,
            }
        })
        .collect();
    let band = Series {
        band: true,
        joined: false,
        ..series("data, range over trials", Role::Objective(Data), range)
    };
    let over_time = Plot {
        title: "Free-running rate of the population".into(),
        x: axis("time (s)", false),
        y: axis("rate (Hz per unit)", true),
        series: vec![
            band,
            series("MLE", Role::Objective(Mle), trace(1.3, 400)),
            series(
                "MLE + sample-and-measure, corrected",
                Role::Objective(Corrected),
                trace(9.0, 900),
            ),
        ],
        horizontal: vec![],
    };
    let trials = [10.0, 20.0, 40.0, 80.0, 160.0];
    let share = |shares: [f64; 5]| {
        let point = |(x, y): (f64, f64)| PlotPoint::with_error(x, y, (y * (1.0 - y) / 20.0).sqrt());
        trials.into_iter().zip(shares).map(point).collect()
    };
    let divergent = Plot {
        title: "Fits that leave the range of the data".into(),
        x: axis("training trials", true),
        y: axis("share of 20 seeds", false),
        series: vec![
            series(
                "MLE",
                Role::Objective(Mle),
                share([0.95, 0.9, 0.7, 0.45, 0.3]),
            ),
            series(
                "MLE + sample-and-measure, published",
                Role::Objective(Published),
                share([0.15, 0.1, 0.0, 0.0, 0.0]),
            ),
            series(
                "published, escape gradient",
                Role::ObjectiveHollow(Published),
                share([0.1, 0.05, 0.05, 0.0, f64::NAN]),
            ),
            series(
                "MLE + sample-and-measure, corrected",
                Role::Objective(Corrected),
                share([0.05, 0.0, 0.0, 0.0, 0.0]),
            ),
        ],
        horizontal: vec![Reference {
            y: 0.5,
            label: "half of the fits".into(),
        }],
    };
    FigureView {
        title: "Left to run, fits by the likelihood alone leave the data".into(),
        caption: "Left: mean rate over units of one free run of 4 s; shaded, the range of the recorded trials. \
                  Right: share of fits of which more than half of 200 free runs leave the range, with 95 % \
                  intervals."
            .into(),
        panels: vec![over_time.into(), divergent.into()],
        ..FigureView::default()
    }
}

fn raster(title: &str, role: Role, rate: f64, bursts: bool) -> RasterPanel {
    let units = 40;
    let trial = |at: usize| {
        let mut spikes = Vec::new();
        for bin in 0..200u32 {
            for unit in 0..units {
                let drive = 1.0 + 0.8 * (f64::from(bin) * 0.12 + f64::from(unit) * 0.03).sin();
                let burst = if bursts && bin > 90 + 20 * at as u32 {
                    9.0
                } else {
                    1.0
                };
                if 0.5 + 0.5 * wobble(at * 77_777 + (bin * units + unit) as usize)
                    < rate * drive * burst
                {
                    spikes.push((bin, unit));
                }
            }
        }
        spikes
    };
    RasterPanel {
        title: title.into(),
        role,
        rows_label: "unit".into(),
        rows: units as usize,
        bins: 200,
        bin_width_s: 0.02,
        trials: (0..2).map(trial).collect(),
        trial_names: vec!["trial 61".into(), "trial 62".into()],
    }
}

pub fn rasters() -> FigureView {
    FigureView {
        title: "The spikes of the same two trials".into(),
        caption: "Each mark is a spike, each row a unit. The networks hear their own spikes only."
            .into(),
        panels: vec![
            raster("Data", Role::Objective(Data), 0.05, false).into(),
            raster("MLE", Role::Objective(Mle), 0.05, true).into(),
            raster(
                "MLE + sample-and-measure, corrected",
                Role::Objective(Corrected),
                0.052,
                false,
            )
            .into(),
        ],
        ..FigureView::default()
    }
}

/// Name, role, PSTH correlation, R² of the noise correlations.
pub const OBJECTIVES: [(&str, Role, f64, f64); 12] = [
    ("MLE", Role::Objective(Mle), 0.236, -93.0),
    (
        "sample-and-measure alone",
        Role::Objective(SampleOnly),
        0.262,
        0.38,
    ),
    ("MLE + PSTH", Role::Objective(MlePsth), 0.308, 0.09),
    (
        "MLE + PSTH, escape gradient",
        Role::ObjectiveHollow(MlePsth),
        0.311,
        0.13,
    ),
    ("published terms", Role::Objective(Published), 0.297, 0.50),
    (
        "published terms, escape gradient",
        Role::ObjectiveHollow(Published),
        0.301,
        0.53,
    ),
    ("corrected terms", Role::Objective(Corrected), 0.322, 0.62),
    (
        "corrected terms, triangle gradient",
        Role::ObjectiveHollow(Corrected),
        0.315,
        0.58,
    ),
    (
        "corrected terms, no hidden units",
        Role::ObjectiveHollow(Corrected),
        0.319,
        f64::NAN,
    ),
    (
        "oracle: all units observed",
        Role::Objective(Oracle),
        0.341,
        0.66,
    ),
    ("the true network", Role::Objective(Truth), 0.361, 0.69),
    ("data against data", Role::Objective(Data), 0.368, 0.70),
];

pub fn statistics() -> FigureView {
    let panel =
        |title: &str, label: &str, value: &dyn Fn(usize) -> f64, ceiling, spread: f64| DotPlot {
            title: title.into(),
            x: axis(label, false),
            rows: OBJECTIVES
                .iter()
                .enumerate()
                .map(|(at, (name, role, ..))| DotRow {
                    name: (*name).into(),
                    role: *role,
                    value: Estimate {
                        value: value(at),
                        low: value(at) - 1.1 * spread,
                        high: value(at) + 1.1 * spread,
                    },
                    ceiling: Some(ceiling),
                    seeds: (0..5)
                        .map(|seed| value(at) + 2.0 * spread * wobble(at * 5 + seed))
                        .collect(),
                })
                .collect(),
            reference: None,
            range: None,
        };
    let psth = panel(
        "PSTH",
        "PSTH correlation (Pearson)",
        &|at| OBJECTIVES[at].2,
        0.368,
        0.006,
    );
    let noise = panel(
        "Noise correlation",
        "noise correlation, R²",
        &|at| OBJECTIVES[at].3,
        0.70,
        0.03,
    );
    FigureView {
        title: "Statistics of free-running spikes, per objective".into(),
        caption: "Test trials only. The ceiling is the same figure with training trials in the model’s place. An \
                  arrow is a value beyond the axis."
            .into(),
        panels: vec![
            psth.into(),
            DotPlot {
                reference: Some(VerticalReference { x: 0.0, label: "no better than the mean".into() }),
                range: Some((-0.25, 0.8)),
                ..noise
            }
            .into(),
        ],
        ..FigureView::default()
    }
}

pub fn consistency() -> FigureView {
    let trials = [20.0, 40.0, 80.0, 160.0, 320.0, 640.0];
    let errors = |level: f64, shift: usize| -> Vec<PlotPoint> {
        let point = |(i, n): (usize, f64)| {
            let y = level / n.sqrt() * (1.0 + 0.04 * wobble(i + shift));
            PlotPoint::with_error(n, y, 0.05 * y)
        };
        trials.into_iter().enumerate().map(point).collect()
    };
    let line = trials.map(|n| PlotPoint::exact(n, 1.4 / n.sqrt())).to_vec();
    let error = Plot {
        title: "Error against the true couplings".into(),
        x: axis("training trials", true),
        y: axis("rms error (θ)", true),
        series: vec![
            series("slope −1/2", Role::Reference, line),
            series("MLE", Role::Objective(Mle), errors(2.0, 0)),
            series(
                "MLE + sample-and-measure, corrected",
                Role::Objective(Corrected),
                errors(2.15, 9),
            ),
        ],
        horizontal: vec![],
    };
    FigureView {
        title: "More data, smaller error".into(),
        caption: "Geometric means over 8 seeds with 95 % intervals.".into(),
        panels: vec![error.into()],
        ..FigureView::default()
    }
}

const TOY: [(&str, [f64; 9]); 4] = [
    ("Truth", [0.5, 0.0, 1.58, 0.0, 0.0, 0.0, 0.0, -2.04, 0.0]),
    (
        "MLE, no hidden units",
        [
            0.61,
            -0.52,
            f64::NAN,
            0.03,
            -0.11,
            f64::NAN,
            f64::NAN,
            f64::NAN,
            f64::NAN,
        ],
    ),
    (
        "Published, hidden units",
        [0.55, -0.35, -0.41, 0.02, -0.06, 0.11, 0.05, -0.62, 0.08],
    ),
    (
        "Corrected, hidden units",
        [0.52, -0.11, 1.31, 0.01, -0.02, 0.05, -0.04, -1.72, 0.03],
    ),
];

pub fn toy() -> FigureView {
    let names = ["A", "B", "C (hidden)"].map(String::from).to_vec();
    let panel = |(title, values): &(&str, [f64; 9])| MatrixPanel {
        title: (*title).into(),
        rows_label: "source population".into(),
        columns_label: "target population".into(),
        size: (3, 3),
        values: values.iter().map(|v| v.is_finite().then_some(*v)).collect(),
        groups: vec![],
        row_names: names.clone(),
        column_names: ["A", "B", "C"].map(String::from).to_vec(),
    };
    FigureView {
        title: "Three populations, one of them hidden".into(),
        caption: "Couplings summed over the sources, means over 8 seeds. There is no synapse from A to B: what a \
                  fit finds there is invented."
            .into(),
        panels: TOY.iter().map(|of| panel(of).into()).collect(),
        scale_label: "coupling, summed over sources (θ)".into(),
    }
}

pub fn large() -> FigureView {
    let panel = |title: &str, noise: f64, observed: usize| MatrixPanel {
        title: title.into(),
        rows_label: "source unit".into(),
        columns_label: "target unit".into(),
        size: (300, 300),
        values: (0..300 * 300)
            .map(|at| {
                let (i, j) = (at / 300, at % 300);
                let block =
                    [[0.02, 0.0, 0.05], [0.0, 0.01, 0.0], [0.0, -0.07, 0.0]][i / 100][j / 100];
                let seen = i % 100 < observed && j % 100 < observed;
                (i != j && seen).then(|| block * (1.0 + 0.5 * wobble(at)) + noise * wobble(at + 7))
            })
            .collect(),
        groups: vec![100, 200],
        row_names: ["E1", "E2", "I"].map(String::from).to_vec(),
        column_names: ["E1", "E2", "I"].map(String::from).to_vec(),
    };
    FigureView {
        title: "300 units, 45 observed".into(),
        caption: "Couplings summed over lags, units sorted by population.".into(),
        panels: vec![
            panel("Truth", 0.0, 100).into(),
            panel("Corrected, hidden units", 0.03, 100).into(),
            panel("Oracle: all units observed", 0.012, 100).into(),
        ],
        scale_label: "coupling, summed over lags (θ)".into(),
    }
}
