//! `cargo xtask bench --growth`: how the time of refire's training step grows with units, bins, trials
//! and rate, and that of a pass and its sweep with the number of synapses, each varied alone from a base.

mod exponent;
pub mod figure;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use self::exponent::Exponent;
use super::reading::{self, Outcome, Reading, Summary};
use super::stamp::Stamp;

const LAGS: usize = 9;
/// Threads that growth is measured on.
const GROWTH_THREADS: u32 = 2;

/// Steps that are trained before the timed ones: the start is at the rate of the recording already.
const TRAINING: usize = 5;

/// A size of a training step that is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    Units,
    Bins,
    Trials,
    Rate,
    /// Of sparse couplings, at a fixed number of units.
    Synapses,
}

impl Axis {
    pub const ALL: [Self; 5] = [
        Self::Units,
        Self::Bins,
        Self::Trials,
        Self::Rate,
        Self::Synapses,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Units => "units",
            Self::Bins => "bins",
            Self::Trials => "trials",
            Self::Rate => "spikes per bin",
            Self::Synapses => "synapses (sparse)",
        }
    }

    /// The largest exponent that is asked for; the rate has none.
    pub fn bound(self) -> Option<f64> {
        match self {
            Self::Units => Some(2.0),
            Self::Bins | Self::Trials | Self::Synapses => Some(1.0),
            Self::Rate => None,
        }
    }

    fn sizes(self, quick: bool) -> &'static [f64] {
        match (self, quick) {
            (Self::Units, false) => &[50.0, 100.0, 200.0, 400.0, 700.0, 1000.0],
            (Self::Units, true) => &[8.0, 16.0, 32.0],
            (Self::Bins, false) => &[100.0, 200.0, 400.0, 800.0, 1600.0],
            (Self::Bins, true) => &[20.0, 40.0, 80.0],
            (Self::Trials, false) => &[5.0, 10.0, 20.0, 40.0, 80.0],
            (Self::Trials, true) => &[2.0, 4.0, 8.0],
            (Self::Rate, false) => &[0.02, 0.04, 0.08, 0.15, 0.3],
            (Self::Rate, true) => &[0.05, 0.1, 0.2],
            (Self::Synapses, false) => &[3e3, 1e4, 3e4, 1e5, 3e5],
            (Self::Synapses, true) => &[32.0, 64.0, 128.0],
        }
    }

    /// The program that is timed.
    fn program(self) -> &'static str {
        match self {
            Self::Synapses => "bench_sparse",
            _ => "bench_step",
        }
    }
}

/// Shape of what is timed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    pub units: usize,
    pub bins: usize,
    pub trials: usize,
    /// Spikes per bin of the recording; those of the fit's own run are measured.
    pub rate: f64,
    /// Synapses onto each unit, where couplings are sparse.
    pub in_degree: usize,
}

impl Size {
    /// The shape from which `axis` is varied.
    pub fn base(axis: Axis, quick: bool) -> Self {
        let (units, bins, trials, in_degree) = match (axis, quick) {
            (Axis::Synapses, false) => (1000, 100, 10, 30),
            (_, false) => (100, 200, 20, 100),
            (Axis::Synapses, true) => (16, 40, 4, 4),
            (_, true) => (16, 40, 4, 16),
        };
        Self {
            units,
            bins,
            trials,
            rate: 0.1,
            in_degree,
        }
    }

    fn with(mut self, axis: Axis, size: f64) -> Self {
        match axis {
            Axis::Units => self.units = size as usize,
            Axis::Bins => self.bins = size as usize,
            Axis::Trials => self.trials = size as usize,
            Axis::Rate => self.rate = size,
            Axis::Synapses => self.in_degree = size as usize / self.units,
        }
        self
    }

    fn along(&self, axis: Axis) -> f64 {
        match axis {
            Axis::Units => self.units as f64,
            Axis::Bins => self.bins as f64,
            Axis::Trials => self.trials as f64,
            Axis::Rate => self.rate,
            Axis::Synapses => (self.units * self.in_degree) as f64,
        }
    }

    /// The sizes that stay as they are while `axis` is varied.
    fn describe(&self, axis: Axis) -> String {
        let all = [
            (Axis::Units, format!("{} units", self.units)),
            (Axis::Bins, format!("{} bins", self.bins)),
            (Axis::Trials, format!("{} trials", self.trials)),
            (Axis::Rate, format!("rate {}", self.rate)),
        ];
        let others = all.into_iter().filter(|(of, _)| *of != axis);
        others.map(|(_, text)| text).collect::<Vec<_>>().join(", ")
    }

    fn arguments(&self, axis: Axis, threads: u32) -> Vec<String> {
        let iterations = if self.units > 256 { 5 } else { 20 };
        let own = match axis {
            Axis::Synapses => ("--in-degree", self.in_degree.to_string()),
            _ => ("--train", TRAINING.to_string()),
        };
        [
            ("--units", self.units.to_string()),
            ("--bins", self.bins.to_string()),
            ("--trials", self.trials.to_string()),
            ("--rate", self.rate.to_string()),
            ("--lags", LAGS.to_string()),
            ("--threads", threads.to_string()),
            ("--iterations", iterations.to_string()),
            own,
        ]
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value])
        .collect()
    }
}

/// What was measured at one size.
#[derive(Debug, Clone)]
pub struct Point {
    pub size: Size,
    pub outcome: Outcome,
}

impl Point {
    /// Place along the axis and the figures there. The rate is the one of the fit's own run.
    fn measured(&self, axis: Axis) -> Option<(f64, Summary)> {
        let summary = self.outcome.summary().ok()?;
        let at = match axis {
            Axis::Rate => summary.rate?,
            _ => self.size.along(axis),
        };
        (at > 0.0).then_some((at, summary))
    }
}

/// The points along one axis, by size.
#[derive(Debug, Clone)]
pub struct Curve {
    pub axis: Axis,
    pub base: Size,
    pub points: Vec<Point>,
}

impl Curve {
    fn new(axis: Axis, quick: bool) -> Self {
        let base = Size::base(axis, quick);
        let point = |&size: &f64| Point {
            size: base.with(axis, size),
            outcome: Outcome::default(),
        };
        Self {
            axis,
            base,
            points: axis.sizes(quick).iter().map(point).collect(),
        }
    }

    /// Size and median milliseconds of the points that have both.
    pub fn times(&self) -> Vec<(f64, f64)> {
        let measured = self.points.iter().filter_map(|p| p.measured(self.axis));
        measured.map(|(at, s)| (at, s.median_ms)).collect()
    }

    fn exponent(&self) -> Option<Exponent> {
        exponent::fit(&self.times())
    }

    /// The exponent of the larger sizes, the middle one among them.
    fn upper_exponent(&self) -> Option<Exponent> {
        let times = self.times();
        exponent::fit(times.get(times.len() / 2..)?)
    }

    pub fn failed(&self) -> bool {
        self.points.iter().any(|p| p.outcome.summary().is_err())
    }
}

/// Times every size in every round, in turn, so that a slow minute falls on all sizes alike; `keep`
/// gets the curves after each round.
pub fn measure(
    programs: &Path,
    rounds: u32,
    quick: bool,
    mut keep: impl FnMut(&[Curve]) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Curve>> {
    let mut curves = Axis::ALL.map(|axis| Curve::new(axis, quick));
    for round in 1..=rounds {
        for Curve { axis, points, .. } in &mut curves {
            for point in points.iter_mut().filter(|p| p.outcome.failure.is_none()) {
                let (name, at) = (axis.name(), point.size.along(*axis));
                eprintln!("growth, round {round} of {rounds}: {at} {name}");
                point.outcome.add(run(programs, *axis, &point.size));
            }
        }
        keep(&curves)?;
    }
    Ok(curves.into())
}

fn run(programs: &Path, axis: Axis, size: &Size) -> Result<Reading, String> {
    let name = format!("{}{}", axis.program(), std::env::consts::EXE_SUFFIX);
    let program = programs.join(name);
    let output = Command::new(&program)
        .args(size.arguments(axis, GROWTH_THREADS))
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(reading::failure_reason(&stderr, &output.status.to_string()));
    }
    reading::parse(&String::from_utf8_lossy(&output.stdout))
}

/// The exponents and the points below them, as Markdown.
pub fn markdown(curves: &[Curve], stamp: &Stamp) -> String {
    let mut lines = vec![
        stamp.line(),
        format!(
            "median ms of a training step in the published form, of a free run and its sweep with \
             synapses; {LAGS} lags, {} threads",
            GROWTH_THREADS
        ),
        String::new(),
        "| with | from | exponent | of the upper half | asked for |".to_owned(),
        "| --- | --- | --- | --- | --- |".to_owned(),
    ];
    for curve in curves {
        let exponent = curve.exponent();
        let asked = match (curve.axis.bound(), &exponent) {
            (Some(bound), Some(e)) => format!("at most {bound}: {}", e.verdict(bound)),
            (Some(bound), None) => format!("at most {bound}: not measured"),
            (None, _) => "-".to_owned(),
        };
        let show = |e: Option<Exponent>| e.map_or_else(|| "-".to_owned(), |e| e.to_string());
        let (all, upper) = (show(exponent), show(curve.upper_exponent()));
        let (name, base) = (curve.axis.name(), curve.base.describe(curve.axis));
        lines.push(format!("| {name} | {base} | {all} | {upper} | {asked} |"));
    }
    lines.extend(["", "| with | at | ms | spikes per bin | peak MB |"].map(str::to_owned));
    lines.push("| --- | --- | --- | --- | --- |".to_owned());
    for Curve { axis, points, .. } in curves {
        for point in points {
            let at = point.size.along(*axis);
            let cells = match point.outcome.summary() {
                Ok(s) => {
                    let or_dash = |x: Option<String>| x.unwrap_or_else(|| "-".to_owned());
                    format!(
                        "{:.2} ({:.2} to {:.2}) | {} | {}",
                        s.median_ms,
                        s.fastest_ms,
                        s.slowest_ms,
                        or_dash(s.rate.map(|rate| format!("{rate:.3}"))),
                        or_dash(s.peak_rss_mb.map(|mb| format!("{mb:.0}"))),
                    )
                }
                Err(reason) => format!("not run: {reason} | - | -"),
            };
            lines.push(format!("| {} | {at} | {cells} |", axis.name()));
        }
    }
    lines.join("\n")
}

/// Everything measured, as JSON.
pub fn json(curves: &[Curve], stamp: &Stamp) -> Value {
    let slope =
        |e: Option<Exponent>| e.map(|e| json!({ "slope": e.slope, "standard_error": e.error }));
    let curves: Vec<Value> = curves
        .iter()
        .map(|curve| {
            let points: Vec<Value> = (curve.points.iter())
                .map(|point| {
                    let lines: Vec<_> = point.outcome.readings.iter().map(|r| &r.line).collect();
                    json!({
                        "at": point.size.along(curve.axis),
                        "median_ms": point.outcome.summary().ok().map(|s| s.median_ms),
                        "not_run": point.outcome.summary().err(),
                        "rounds": lines,
                    })
                })
                .collect();
            json!({
                "with": curve.axis.name(),
                "asked_for": curve.axis.bound(),
                "exponent": slope(curve.exponent()),
                "upper_exponent": slope(curve.upper_exponent()),
                "points": points,
            })
        })
        .collect();
    stamp.json("growth", curves)
}

#[cfg(test)]
mod tests;
