//! Writes a page about a made-up reproduction, to look at: `reproduction [folder]`.
//!
//! `reproduction.html` has every kind of panel and finding, with numbers missing and out of range;
//! `reproduction_empty.html` nothing at all; `figure-*.svg` are its figures as files of their own.

mod figures;

use std::path::PathBuf;

use figures::{OBJECTIVES, consistency, large, rasters, rates, statistics, toy};
use refire_report::{
    FigureView, Finding, FoundClaim, ReproducedFigure, ReproductionPage, TableView, number,
    write_atomic,
};

fn table() -> TableView {
    TableView {
        title: "The numbers".into(),
        header: ["Objective", "PSTH correlation", "Noise correlation, R²"]
            .map(String::from)
            .to_vec(),
        rows: OBJECTIVES
            .iter()
            .map(|(name, _, psth, noise)| vec![(*name).into(), number(*psth), number(*noise)])
            .collect(),
        caption: "Means over 5 seeds.".into(),
    }
}

fn figure(name: &str, words: [&str; 4], views: Vec<FigureView>, seconds: f64) -> ReproducedFigure {
    let [title, question, setting, conclusion] = words.map(String::from);
    ReproducedFigure {
        name: name.into(),
        title,
        question,
        setting,
        files: (1..=views.len())
            .map(|part| format!("figure-{name}-{part}.svg"))
            .chain([format!("{name}.csv")])
            .collect(),
        views,
        conclusion,
        tables: if name == "statistics" {
            vec![table()]
        } else {
            vec![]
        },
        seconds,
    }
}

fn all_figures() -> Vec<ReproducedFigure> {
    vec![
        figure(
            "free-running",
            [
                "Does a fitted network stay in the range of the data?",
                "A network fitted by MLE hears recorded spikes only. What happens when it hears its own?",
                "40 units, 20 ms bins, 9 lags, a temporal basis as drive. Both objectives fit the same trials of the \
                 same recording with the same number of iterations; then each network runs freely 200 times.",
                "The likelihood alone does not keep a network in the range of the data; the added terms do.",
            ],
            vec![rates(), rasters()],
            754.0,
        ),
        figure(
            "statistics",
            [
                "Which objective gets which statistic?",
                "Does sample-and-measure enforce the statistics it measures?",
                "Twelve objectives and references, 5 seeds each, on the same split of the recording.",
                "PSTH and noise correlation come close to their ceilings only where they are part of the objective.",
            ],
            vec![statistics()],
            2931.0,
        ),
        figure(
            "consistency",
            [
                "Do the added terms bias the solution?",
                "Does the error against the true parameters fall as fast with the terms as without?",
                "6 units with known couplings, 20 to 640 trials.",
                "Both errors fall with the square root of the number of trials; their ratio tends to one.",
            ],
            vec![consistency()],
            88.0,
        ),
        figure(
            "hidden",
            [
                "Connectivity with hidden units",
                "Is the pattern of couplings truthful where most units are hidden?",
                "Three populations of ten units, C hidden; and 300 units with 45 observed.",
                "With hidden units and corrected terms the signs are right and the invented inhibition nearly gone.",
            ],
            vec![toy(), large()],
            f64::NAN,
        ),
    ]
}

fn claims() -> Vec<FoundClaim> {
    let line = |number,
                words: [&str; 4],
                [estimate, low, high]: [f64; 3],
                verdict,
                seeds,
                figure: &str| {
        let [claim, measure, rule, tried] = words.map(String::from);
        FoundClaim {
            number,
            claim,
            measure,
            estimate,
            low,
            high,
            rule,
            verdict,
            seeds,
            figure: figure.into(),
            tried,
        }
    };
    let nan = f64::NAN;
    use Finding::{NotShown, Opposite, Shown};
    vec![
        line(
            1,
            [
                "A network fitted by MLE leaves the data when it is simulated freely.",
                "divergent free runs, MLE minus MLE + sample-and-measure (share)",
                "shown where the interval lies above 0.1",
                "",
            ],
            [0.62, 0.51, 0.73],
            Shown,
            20,
            "free-running",
        ),
        line(
            2,
            [
                "Sample-and-measure enforces the statistic it measures.",
                "PSTH correlation, share of the ceiling gained over MLE",
                "shown where the interval lies above 0",
                "",
            ],
            [0.234, 0.198, 0.27],
            Shown,
            5,
            "statistics",
        ),
        line(
            2,
            [
                "",
                "noise correlation, R² gained over MLE + PSTH",
                "shown where the interval lies above 0",
                "",
            ],
            [0.53, 0.47, 0.59],
            Shown,
            5,
            "statistics",
        ),
        line(
            3,
            [
                "With data growing the extra terms do not bias the solution.",
                "error with the terms over error without, 640 trials",
                "shown where the interval contains 1 and lies below 1.1",
                "",
            ],
            [1.04, 0.98, 1.1],
            Shown,
            8,
            "consistency",
        ),
        line(
            4,
            [
                "It solves the stability issue of GLM + MLE.",
                "share of divergent fits with the terms",
                "shown where the interval lies below 0.05",
                "",
            ],
            [0.0, 0.0, 0.031],
            Shown,
            100,
            "free-running",
        ),
        line(
            5,
            [
                "GLM + MLE is unreliable where some units are not observed.",
                "correlation with the true couplings, all observed minus half observed",
                "shown where the interval lies above 0.1; opposite where it lies below 0",
                "",
            ],
            [-0.08, -0.13, -0.03],
            Opposite,
            8,
            "hidden",
        ),
        line(
            6,
            [
                "With hidden units modelled, sample-and-measure finds truthful connectivity patterns, even with about \
                 85 % of the activity hidden.",
                "population pattern against the truth (Pearson), gained over MLE",
                "shown where the interval lies above 0.1",
                "three initial scales of the couplings, 600 and 3,000 iterations, both spike gradients",
            ],
            [0.14, 0.02, 0.26],
            NotShown,
            8,
            "hidden",
        ),
        line(
            6,
            ["", "the same with 500 units", "as above", "ran out of time"],
            [nan; 3],
            NotShown,
            0,
            "",
        ),
    ]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".into()));
    let page = ReproductionPage {
        title: "Fitting summary statistics of neural data: a reproduction".into(),
        subtitle: "Made-up numbers, to look at the page".into(),
        intro: vec![
            "The claims are those of Bellec, Wang et al. (NeurIPS 2021). Each is put to a test whose rule was \
             written down before the numbers were made."
                .into(),
        ],
        facts: [
            ("Made by", "cargo xtask reproduce"),
            ("Seeds", "1 to 20"),
            ("Machine", "2 cores, 1 h 3 min"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .to_vec(),
        claims: claims(),
        figures: all_figures(),
    };
    for figure in &page.figures {
        for (part, view) in figure.views.iter().enumerate() {
            let name = format!("figure-{}-{}.svg", figure.name, part + 1);
            write_atomic(&folder.join(name), view.to_svg()?)?;
        }
    }
    let empty = ReproductionPage::default();
    for (name, page) in [
        ("reproduction.html", &page),
        ("reproduction_empty.html", &empty),
    ] {
        let html = page.to_html()?;
        let path = folder.join(name);
        write_atomic(&path, &html)?;
        println!("{}: {} kB", path.display(), html.len() / 1000);
    }
    Ok(())
}
