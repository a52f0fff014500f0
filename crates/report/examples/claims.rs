//! Writes pages of made-up claims, to look at: `claims [folder]`.
//!
//! `claims.html` has checks that hold, fail and only measure, `holds.html` none that fails,
//! `claims_empty.html` nothing at all; `claims.svg` is one plot as a file of its own.

use std::path::PathBuf;

use refire_report::{
    CheckRow, ClaimView, ClaimsPage, FigureView, Panel, Plot, PlotAxis, PlotPoint, Reference, Role,
    Series, TableView, Verdict, write_atomic,
};

const TRIALS: [f64; 7] = [4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

fn axis(label: &str, log: bool) -> PlotAxis {
    PlotAxis {
        label: label.into(),
        log,
    }
}

fn series(name: &str, role: Role, joined: bool, points: Vec<PlotPoint>) -> Series {
    Series {
        name: name.into(),
        role,
        points,
        joined,
        ..Series::default()
    }
}

fn check(words: [&str; 5], verdict: Verdict) -> CheckRow {
    let [name, statistic, expected, measured, false_alarm] = words.map(String::from);
    CheckRow {
        name,
        statistic,
        expected,
        measured,
        false_alarm,
        verdict,
    }
}

/// A wobble without a generator, so that the page is the same every time.
fn wobble(i: usize) -> f64 {
    ((i * 37 + 11) % 17) as f64 / 8.5 - 1.0
}

fn bias() -> ClaimView {
    let curve = |constant: f64, slope: f64, shift: usize| -> Vec<PlotPoint> {
        TRIALS
            .iter()
            .enumerate()
            .map(|(i, &n)| {
                let value = constant * n.powf(slope);
                let error = 0.12 * value + 4e-5 * (1.0 + i as f64 / 2.0);
                PlotPoint::with_error(n, value + 0.5 * error * wobble(i + shift), error)
            })
            .collect()
    };
    let theory = |scale: f64| {
        TRIALS
            .iter()
            .map(|&n| PlotPoint::exact(n, scale / n))
            .collect()
    };
    let plot = |title: &str, level: f64| Plot {
        title: title.into(),
        x: axis("simulated trials per step", true),
        y: axis("bias of the gradient (norm)", true),
        series: vec![
            series("theory, 1 / trials", Role::Reference, true, theory(level)),
            series("published", Role::Series(0), true, curve(level, -1.0, 0)),
            series(
                "corrected",
                Role::Series(1),
                true,
                curve(0.06 * level, -1.0, 3),
            ),
        ],
        horizontal: vec![Reference {
            y: 0.012 * level,
            label: "standard error of one fit".into(),
        }],
    };
    ClaimView {
        title: "The corrected noise term has no bias".into(),
        statement: "The gradient of the published noise covariance loss is biased by the finite \
                    number of simulated trials, and the bias falls as one over their number. The \
                    corrected term has none."
            .into(),
        source: "Bellec, Wang et al. 2021, equation 7; docs/estimators.md, section 3".into(),
        checks: vec![
            check(
                [
                    "Slope of the published bias",
                    "least squares on log bias against log trials, 7 sizes",
                    "−1 ± 0.11",
                    "−1.02 ± 0.04",
                    "10⁻⁴",
                ],
                Verdict::Holds,
            ),
            check(
                [
                    "Bias of the corrected gradient",
                    "largest |z| over 64 components, Bonferroni",
                    "below 4.8",
                    "2.31",
                    "10⁻⁴",
                ],
                Verdict::Holds,
            ),
            check(
                [
                    "Variance against the published term",
                    "ratio of the mean squared deviations",
                    "",
                    "1.34 (95 % interval 1.22 to 1.47)",
                    "",
                ],
                Verdict::Measured,
            ),
        ],
        tables: vec![TableView {
            title: "Bias and standard error by number of trials".into(),
            header: ["Trials", "Published", "Corrected", "Standard error", "|z|"]
                .map(String::from)
                .to_vec(),
            rows: TRIALS
                .iter()
                .enumerate()
                .map(|(i, n)| {
                    vec![
                        format!("{n}"),
                        format!("{:.4}", 1.0 / n),
                        format!("{:.5}", 0.001 * wobble(i).abs()),
                        format!("{:.5}", 0.01 / n.sqrt()),
                        if i == 6 {
                            String::new()
                        } else {
                            format!("{:.2}", wobble(i).abs())
                        },
                    ]
                })
                .collect(),
            caption: "Norm of the mean gradient minus the exact one, over 4,000 repeats.".into(),
        }],
        figures: vec![FigureView {
            title: "Bias of the gradient".into(),
            caption: "Distance of the mean gradient from the exact one, in a network of 8 units \
                      and one of 64; bars are 95 % intervals. The published term follows the \
                      dashed line; the corrected one stays at the level of its own error."
                .into(),
            panels: vec![plot("8 units", 1.0).into(), plot("64 units", 5.0).into()],
            ..FigureView::default()
        }],
    }
}

fn calibration() -> ClaimView {
    let cloud = |shift: usize| {
        (0..90)
            .map(|i| {
                let truth = 0.5 * wobble(i * 5 + shift) + 0.02 * wobble(i);
                PlotPoint::exact(truth, 0.9 * truth + 0.08 * wobble(i * i + shift))
            })
            .collect()
    };
    let line = [-0.55, 0.55].map(|v| PlotPoint::exact(v, v)).to_vec();
    ClaimView {
        title: "Couplings of a known network are found again".into(),
        statement: "Fitted to 400 trials of a network with known couplings, the estimates lie \
                    around the truth."
            .into(),
        source: "docs/estimators.md, section 5".into(),
        checks: vec![
            check(
                [
                    "Coverage of the 95 % intervals",
                    "share of 90 couplings within 1.96 standard errors",
                    "0.90 to 0.99",
                    "0.83",
                    "0.3 %",
                ],
                Verdict::Fails,
            ),
            check(
                [
                    "Correlation with the truth",
                    "Pearson, 90 couplings",
                    "above 0.9",
                    "0.97",
                    "",
                ],
                Verdict::Holds,
            ),
        ],
        figures: vec![FigureView {
            title: "Estimates against the truth".into(),
            caption: "Each mark is a coupling between two units, summed over lags; the dashed \
                      line is equality. Excitatory and inhibitory sources are found equally well."
                .into(),
            panels: vec![
                Plot {
                    title: "90 couplings".into(),
                    x: axis("true coupling (θ)", false),
                    y: axis("estimated coupling (θ)", false),
                    series: vec![
                        series("excitatory sources", Role::Series(0), false, cloud(0)),
                        series("inhibitory sources", Role::Series(1), false, cloud(7)),
                        series("equality", Role::Reference, true, line),
                    ],
                    horizontal: vec![],
                }
                .into(),
            ],
            ..FigureView::default()
        }],
        ..ClaimView::default()
    }
}

fn methods() -> ClaimView {
    let names = [
        "MLE",
        "PSTH",
        "noise",
        "PSTH + noise",
        "hidden rate",
        "everything",
    ];
    let panel = |title: &str, base: f64| Plot {
        title: title.into(),
        x: axis("iteration", false),
        y: axis("figure of merit", false),
        series: names
            .iter()
            .enumerate()
            .map(|(k, name)| {
                let points = (0..9)
                    .map(|i| {
                        let x = f64::from(i) * 250.0;
                        let rise = 1.0 - (-x / 600.0).exp();
                        let y = (base + 0.09 * k as f64) * rise + 0.01 * wobble(i as usize + k);
                        // One series breaks off.
                        let y = if k == 2 && i == 5 { f64::NAN } else { y };
                        PlotPoint::with_error(x, y, 0.012)
                    })
                    .collect();
                series(name, Role::Series(k), true, points)
            })
            .collect(),
        horizontal: vec![
            Reference {
                y: 0.62,
                label: "ceiling".into(),
            },
            Reference {
                y: 0.6,
                label: "split half of the data".into(),
            },
        ],
    };
    ClaimView {
        title: "Six objectives, compared".into(),
        statement: "How fast six objectives reach what the data allow.".into(),
        source: "Bellec, Wang et al. 2021, figure 2".into(),
        checks: vec![check(
            [
                "Iterations to 90 % of the ceiling",
                "first crossing, median of 5 seeds",
                "",
                "1,150",
                "",
            ],
            Verdict::Measured,
        )],
        tables: vec![],
        figures: vec![FigureView {
            title: "Figures of merit over a fit".into(),
            caption: "Mean over 5 seeds with 95 % intervals.".into(),
            panels: vec![
                panel("PSTH correlation", 0.1).into(),
                panel("Noise correlation", 0.15).into(),
                panel("Rates", 0.2).into(),
            ],
            ..FigureView::default()
        }],
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".into()));
    let page = |claims: Vec<ClaimView>| ClaimsPage {
        title: "Are the estimators what they say?".into(),
        subtitle: "Made-up numbers, to look at the page".into(),
        intro: vec!["Each claim below is put to checks with a known rate of false alarm.".into()],
        facts: [
            ("Seed", "1"),
            ("Repeats", "4,000"),
            ("Made by", "cargo xtask verify"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .to_vec(),
        claims,
    };
    let pages = [
        ("claims.html", page(vec![bias(), calibration(), methods()])),
        ("holds.html", page(vec![bias()])),
        ("claims_empty.html", ClaimsPage::default()),
    ];
    for (name, page) in &pages {
        let html = page.to_html()?;
        let path = folder.join(name);
        write_atomic(&path, &html)?;
        println!("{}: {} kB", path.display(), html.len() / 1000);
    }
    if let Panel::Plot(plot) = &bias().figures[0].panels[0] {
        write_atomic(&folder.join("claims.svg"), plot.to_svg())?;
    }
    Ok(())
}
