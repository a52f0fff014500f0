//! Writes pages of made-up data, to look at: `gallery [folder]`.
//!
//! `one.html` shows one fit, `two.html` a network that runs away beside one that does not,
//! `large.html` 500 units and `empty.html` what a page says when nothing could be computed.

use std::path::PathBuf;

use refire_report::{
    CouplingView, FitView, LossCurve, MetricRow, NoiseView, PsthExample, RasterPair, Report,
    StabilityView, write_atomic,
};

/// A small generator, so that the pages are the same every time.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

struct Kind {
    name: &'static str,
    observed: usize,
    hidden: usize,
    runaway: bool,
    sampled: bool,
}

const BIN: f64 = 0.01;
const BINS: usize = 160;
const FIRST: usize = 9;

fn rate(unit: usize) -> f64 {
    // Between 0.4 and about 14 Hz, in no order.
    0.4 * (1.0 + ((unit * 37) % 101) as f64 / 8.0).powf(1.35)
}

fn response(unit: usize, bin: usize) -> f64 {
    let phase = (unit % 7) as f64;
    let wave = (bin as f64 / 17.0 + phase).sin().max(0.0).powi(3);
    0.5 + 2.2 * wave
}

fn figures(kind: &Kind) -> Vec<MetricRow> {
    let pick = |good: f64, bad: f64| Some(if kind.runaway { bad } else { good });
    let row = |name: &str, explanation: &str, model, ceiling, data, unit: &str| MetricRow {
        name: name.into(),
        explanation: explanation.into(),
        model,
        ceiling,
        data,
        unit: unit.into(),
        reason: None,
    };
    vec![
        row(
            "Bits per spike",
            "how much better the teacher-forced model predicts each spike than a constant rate per unit; 0 is no better",
            pick(0.684, 0.682),
            None,
            None,
            "bits/spike",
        ),
        row(
            "PSTH correlation",
            "whether rates averaged over repeats rise and fall with the data",
            pick(0.297, 0.236),
            Some(0.368),
            None,
            "",
        ),
        row(
            "Noise correlation, Pearson",
            "whether the pairs that vary together are the same pairs",
            pick(0.709, 0.386),
            Some(0.855),
            None,
            "",
        ),
        row(
            "Noise correlation, R²",
            "whether they also do so by as much; below 0 is worse than a constant",
            pick(0.50, -93.0),
            Some(0.70),
            None,
            "",
        ),
        row(
            "Mean rate",
            "spikes per second and unit",
            pick(1.86, 2.71),
            None,
            Some(1.94),
            "Hz",
        ),
        row(
            "Fano factor",
            "variance over mean of the spike count of a trial",
            pick(1.31, 4.92),
            None,
            Some(1.24),
            "",
        ),
        MetricRow {
            name: "Time-rescaling KS".into(),
            explanation: "share of units whose intervals the model explains".into(),
            reason: Some("too few spikes per unit".into()),
            ..MetricRow::default()
        },
    ]
}

fn losses(kind: &Kind, noise: &mut Noise) -> Vec<LossCurve> {
    let mut terms = vec![("MLE", 0.105, 0.02)];
    if kind.sampled {
        terms.extend([
            ("PSTH", 0.02, 0.2),
            ("noise covariance", 0.004, 0.9),
            ("hidden rate", 1e-4, 0.04),
        ]);
    }
    let curve = |(term, floor, extra): &(&str, f64, f64)| {
        let iterations: Vec<f64> = (0..400).map(f64::from).collect();
        let training = iterations
            .iter()
            .map(|i| (floor + extra * (-i / 60.0).exp()) * (1.0 + 0.04 * noise.normal()))
            .collect();
        let validation_iterations: Vec<f64> = (0..400).step_by(20).map(f64::from).collect();
        let validation = validation_iterations
            .iter()
            .map(|i| floor * (1.06 + (i / 400.0).powi(2) * 0.1) + extra * (-i / 60.0).exp())
            .collect();
        LossCurve {
            term: (*term).into(),
            iterations,
            training,
            validation_iterations,
            validation,
            best_iteration: Some(if kind.runaway { 180.0 } else { 300.0 }),
        }
    };
    terms.iter().map(curve).collect()
}

fn trial(units: usize, gain: f64, burst: Option<usize>, noise: &mut Noise) -> Vec<(u32, u32)> {
    let mut spikes = Vec::new();
    for bin in FIRST..BINS {
        let burst = burst.is_some_and(|from| bin > from);
        for unit in 0..units {
            let chance = if burst {
                0.35
            } else {
                gain * rate(unit) * BIN * response(unit, bin)
            };
            if noise.uniform() < chance {
                spikes.push((bin as u32, unit as u32));
            }
        }
    }
    spikes
}

fn raster(kind: &Kind, noise: &mut Noise) -> RasterPair {
    // The recorded trials are the same for every fit.
    let mut recorded = Noise(99);
    let bursts = [None, Some(90), Some(40)];
    RasterPair {
        units: kind.observed,
        bins: BINS - FIRST,
        first_bin: FIRST,
        trial_names: [
            "sound 3, repeat 61",
            "sound 11, repeat 62",
            "sound 14, repeat 70",
        ]
        .map(String::from)
        .to_vec(),
        data: (0..3)
            .map(|_| trial(kind.observed, 1.0, None, &mut recorded))
            .collect(),
        model: bursts
            .map(|burst| trial(kind.observed, 1.0, burst.filter(|_| kind.runaway), noise))
            .to_vec(),
    }
}

fn psths(kind: &Kind, noise: &mut Noise) -> Vec<PsthExample> {
    [
        ("best unit 12", 0.82),
        ("median unit 40", 0.41),
        ("worst unit 7", -0.03),
    ]
    .map(|(label, correlation)| {
        let conditions = 6;
        let bins = conditions * 60;
        let share: f64 = f64::max(correlation, 0.0);
        let course =
            |shift: f64, i: usize| 6.0 * ((i as f64 / 11.0 + shift).sin().max(0.0)).powi(2);
        let data: Vec<f64> = (0..bins)
            .map(|i| (course(0.0, i) + 1.6 * noise.normal().abs()).max(0.0))
            .collect();
        let model = (0..bins)
            .map(|i| share * data[i] + (1.0 - share) * course(2.0, i) + 0.5)
            .map(|rate| if kind.runaway { rate * 1.5 } else { rate })
            .collect();
        PsthExample {
            label: label.into(),
            correlation,
            time_s: (0..bins).map(|i| (i % 60 + FIRST) as f64 * BIN).collect(),
            data_hz: data,
            model_hz: model,
            breaks: (1..conditions).map(|c| c * 60).collect(),
        }
    })
    .to_vec()
}

fn noise_view(kind: &Kind, noise: &mut Noise) -> NoiseView {
    let n = kind.observed;
    let mut recorded = Noise(5);
    let mut data = vec![vec![f64::NAN; n]; n];
    let mut model = data.clone();
    let mut pairs = Vec::new();
    for i in 0..n {
        for j in 0..i {
            let same = f64::from(i * 5 / n == j * 5 / n);
            let value = 0.02 + 0.11 * same + 0.025 * recorded.normal();
            let answer = if kind.runaway {
                0.4 + 1.5 * value + 0.15 * noise.normal()
            } else {
                0.8 * value + 0.012 * noise.normal()
            };
            (data[i][j], data[j][i]) = (value, value);
            (model[i][j], model[j][i]) = (answer, answer);
            pairs.push((value, answer));
        }
    }
    NoiseView { pairs, data, model }
}

fn couplings(kind: &Kind, noise: &mut Noise) -> CouplingView {
    let n = kind.observed + kind.hidden;
    let lags = 9;
    let filter = |size: f64, decay: f64, noise: &mut Noise| -> Vec<f64> {
        (0..lags)
            .map(|lag| size * (-f64::from(lag) / decay).exp() + 0.02 * noise.normal())
            .collect()
    };
    let summed = (0..n * n)
        .map(|at| {
            let (i, j) = (at / n, at % n);
            let inhibitory = i % 5 == 0;
            if i == j {
                -3.0
            } else {
                noise.normal() * 0.08 + if inhibitory { -0.12 } else { 0.04 }
            }
        })
        .collect();
    let filters = (0..8)
        .map(|i| {
            let size = if i % 3 == 0 { -0.4 } else { 0.5 };
            let name = format!("unit {} → unit {}", 11 * i % n, (7 * i + 3) % n);
            (name, filter(size, 1.5 + f64::from(i as u32) / 3.0, noise))
        })
        .collect();
    let self_size = if kind.runaway { 0.9 } else { -1.1 };
    CouplingView {
        sources: n,
        targets: n,
        observed: kind.observed,
        summed,
        lags_s: (1..=lags).map(|lag| f64::from(lag) * BIN).collect(),
        filters,
        self_filters: (0..n)
            .map(|_| {
                let size = self_size * (1.0 + 0.3 * noise.normal());
                filter(size, 2.0, noise)
            })
            .collect(),
    }
}

fn stability(kind: &Kind, noise: &mut Noise) -> StabilityView {
    let runs = 200;
    let times = 150;
    let left_at = if kind.runaway {
        vec![31, 48, 40, 26, 18, 12, 9, 4, 2, 1]
    } else {
        vec![0; 10]
    };
    let left: usize = left_at.iter().sum();
    let traces_hz = (0..20)
        .map(|run| {
            let leaves = 15 + run * 6;
            (0..times)
                .map(|t| {
                    let calm = 1.9 + 0.25 * noise.normal() + 0.4 * (t as f64 / 2.4).sin();
                    if kind.runaway && t > leaves {
                        36.0 + noise.normal()
                    } else {
                        calm
                    }
                })
                .collect()
        })
        .collect();
    StabilityView {
        verdict: if kind.runaway { "divergent" } else { "stable" }.into(),
        divergent_share: left as f64 / runs as f64,
        runs,
        presentations: 10,
        time_s: (0..times).map(|t| f64::from(t) * 0.107).collect(),
        traces_hz,
        data_range_hz: (1.1, 2.9),
        limit_hz: 5.8,
        left_at,
    }
}

fn fit(kind: &Kind, seed: u64) -> FitView {
    let mut noise = Noise(seed);
    FitView {
        name: kind.name.into(),
        figures: figures(kind),
        losses: losses(kind, &mut noise),
        raster: raster(kind, &mut noise),
        psths: psths(kind, &mut noise),
        noise: Some(noise_view(kind, &mut noise)),
        noise_missing: None,
        couplings: couplings(kind, &mut noise),
        rates: (0..kind.observed)
            .map(|unit| {
                let model = rate(unit) * (0.25 * noise.normal()).exp();
                let model = if kind.runaway {
                    model + 9.0 * noise.uniform()
                } else {
                    model
                };
                (if unit == 3 { 0.0 } else { rate(unit) }, model)
            })
            .collect(),
        stability: stability(kind, &mut noise),
    }
}

fn report(title: &str, fits: Vec<FitView>) -> Report {
    let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Report {
        title: title.into(),
        subtitle: "Made-up numbers that show what a page looks like".into(),
        intro: vec![
            "A network of spiking units was fitted to a recording and then left to run on its \
             own. This page shows whether what it does looks like the tissue."
                .into(),
        ],
        facts: vec![
            fact("Recording", "auditory cortex, 18 sounds"),
            fact("Units", "56 observed, 12 hidden"),
            fact(
                "Trials",
                "1,350 for fitting, 270 for testing, 180 for stopping",
            ),
            fact("Bin width", "10 ms"),
            fact("Lags", "9 (90 ms)"),
            fact("Drive", "raised cosines per condition, 12 per trial"),
            fact("Spikes lost to clipping", "0.3 %"),
            fact("Seed", "1"),
        ],
        notes: vec![
            "Repeats are held out, not stimulus segments: the figures say nothing about new \
             sounds."
                .into(),
            "One unit is silent in the test trials and left out of the PSTH correlation.".into(),
        ],
        fits,
        psth_choice: "Units are ranked by r.".into(),
        bin_width_s: BIN,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".into()));
    let kind = |name, runaway, sampled| Kind {
        name,
        observed: 56,
        hidden: if sampled { 12 } else { 0 },
        runaway,
        sampled,
    };
    let bad = fit(&kind("MLE", true, false), 1);
    let good = fit(&kind("MLE + sample-and-measure", false, true), 2);
    let large = Kind {
        observed: 400,
        hidden: 100,
        ..kind("MLE + sample-and-measure", false, true)
    };
    let large_bad = Kind {
        observed: 400,
        ..kind("MLE", true, false)
    };
    let pages = [
        ("one.html", report("One fit", vec![good.clone()])),
        (
            "two.html",
            report("Two ways to fit one recording", vec![bad, good]),
        ),
        (
            "large.html",
            report(
                "Four hundred units",
                vec![fit(&large_bad, 3), fit(&large, 4)],
            ),
        ),
        (
            "empty.html",
            Report {
                fits: vec![FitView::default()],
                ..Report::default()
            },
        ),
    ];
    for (name, report) in pages {
        let html = report.to_html()?;
        let path = folder.join(name);
        write_atomic(&path, &html)?;
        println!("{}: {} kB", path.display(), html.len() / 1000);
    }
    Ok(())
}
