//! What one run of a program reports, and what several runs of it come to.

use serde_json::Value;

/// The figures of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Median wall time of a call, in milliseconds.
    pub median_ms: f64,
    /// Largest resident memory of the process, in MiB.
    pub peak_rss_mb: Option<f64>,
    /// Spikes per bin and unit of the free-running pass.
    pub rate: Option<f64>,
    /// Share of (bin, unit) where the spike gradient is not zero.
    pub gradient_share: Option<f64>,
    /// The line as it was printed.
    pub line: Value,
}

/// Reads the last line of `stdout` that is a JSON object.
pub fn parse(stdout: &str) -> Result<Reading, String> {
    let text = stdout
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| line.starts_with('{'))
        .ok_or("it printed no JSON line")?;
    let line: Value =
        serde_json::from_str(text).map_err(|error| format!("its JSON line is broken: {error}"))?;
    let number = |key: &str| line[key].as_f64();
    let median_ms = number("median_ms")
        // A fit to convergence says seconds.
        .or_else(|| number("fit_median_s").map(|seconds| 1e3 * seconds))
        .filter(|ms| *ms > 0.0)
        .ok_or("its JSON line has no positive median_ms")?;
    Ok(Reading {
        median_ms,
        peak_rss_mb: number("peak_rss_mb"),
        // The peers call it `rate` where they only simulate.
        rate: number("rate_free").or_else(|| number("rate")),
        gradient_share: number("frac_psi_nonzero"),
        line,
    })
}

/// Why a program failed: the last line it wrote to stderr, else its exit status.
pub fn failure_reason(stderr: &str, status: &str) -> String {
    let last = stderr.lines().rev().find(|line| !line.trim().is_empty());
    last.map_or_else(|| status.to_owned(), |line| line.trim().to_owned())
}

/// The processor's name in the text of `/proc/cpuinfo`.
pub fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// All runs of one program on one case.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub readings: Vec<Reading>,
    /// Why it has no figure; one failed run spoils the others.
    pub failure: Option<String>,
}

/// What the runs of one program on one case come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Median over rounds of the runs' medians, in milliseconds.
    pub median_ms: f64,
    pub fastest_ms: f64,
    pub slowest_ms: f64,
    /// Largest over rounds, in MiB.
    pub peak_rss_mb: Option<f64>,
    /// Median over rounds.
    pub rate: Option<f64>,
    /// Median over rounds.
    pub gradient_share: Option<f64>,
}

impl Outcome {
    pub fn add(&mut self, reading: Result<Reading, String>) {
        match reading {
            Ok(reading) => self.readings.push(reading),
            Err(reason) => self.failure = Some(reason),
        }
    }

    /// The figures, or why there are none.
    pub fn summary(&self) -> Result<Summary, &str> {
        if let Some(reason) = &self.failure {
            return Err(reason);
        }
        let all =
            |figure: fn(&Reading) -> Option<f64>| sorted(self.readings.iter().filter_map(figure));
        let times = all(|reading| Some(reading.median_ms));
        let (Some(median_ms), Some(&fastest_ms), Some(&slowest_ms)) =
            (median(&times), times.first(), times.last())
        else {
            return Err("it was never started");
        };
        Ok(Summary {
            median_ms,
            fastest_ms,
            slowest_ms,
            peak_rss_mb: all(|reading| reading.peak_rss_mb).last().copied(),
            rate: median(&all(|reading| reading.rate)),
            gradient_share: median(&all(|reading| reading.gradient_share)),
        })
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The median of sorted values; the mean of the middle two of an even number.
fn median(sorted: &[f64]) -> Option<f64> {
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len() - 1) / 2)?;
    Some((lower + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(median_ms: f64, peak_rss_mb: f64, rate: Option<f64>) -> Reading {
        Reading {
            median_ms,
            peak_rss_mb: Some(peak_rss_mb),
            rate,
            gradient_share: None,
            line: Value::Null,
        }
    }

    #[test]
    fn the_last_json_line_counts() {
        let stdout = "warning\n{\"median_ms\": 1}\n\
                      {\"median_ms\": 2.5, \"peak_rss_mb\": 700, \"rate_free\": 0.11, \
                      \"frac_psi_nonzero\": 0.08, \"rate\": 9}\nbye\n";
        let read = parse(stdout).unwrap();
        assert_eq!(read.median_ms, 2.5);
        assert_eq!(read.peak_rss_mb, Some(700.0));
        assert_eq!((read.rate, read.gradient_share), (Some(0.11), Some(0.08)));
    }

    #[test]
    fn a_simulation_has_a_rate_and_no_gradient() {
        let read = parse("{\"median_ms\": 2, \"rate\": 0.1, \"loss\": null}").unwrap();
        assert_eq!((read.rate, read.gradient_share), (Some(0.1), None));
        assert_eq!(read.peak_rss_mb, None);
    }

    #[test]
    fn a_fit_tells_seconds() {
        let read = parse("{\"fit_median_s\": 8.5, \"peak_rss_mb\": 600}").unwrap();
        assert_eq!(read.median_ms, 8500.0);
    }

    #[test]
    fn without_a_time_there_is_no_reading() {
        for (stdout, reason) in [
            ("", "it printed no JSON line"),
            ("{\"median_ms\": NaN}", "its JSON line is broken"),
            (
                "{\"median_ms\": null}",
                "its JSON line has no positive median_ms",
            ),
            (
                "{\"median_ms\": 0}",
                "its JSON line has no positive median_ms",
            ),
        ] {
            let found = parse(stdout).unwrap_err();
            assert!(found.starts_with(reason), "{stdout}: {found}");
        }
    }

    #[test]
    fn a_failure_is_named_by_its_last_line() {
        let stderr = "Traceback\n  File\nModuleNotFoundError: No module named 'jax'\n\n";
        let expected = "ModuleNotFoundError: No module named 'jax'";
        assert_eq!(failure_reason(stderr, "exit status: 1"), expected);
        assert_eq!(
            failure_reason(" \n", "signal: 9 (SIGKILL)"),
            "signal: 9 (SIGKILL)"
        );
    }

    #[test]
    fn rounds_come_to_their_median() {
        let mut outcome = Outcome::default();
        for (ms, mb, rate) in [(30.0, 5.0, 0.1), (10.0, 9.0, 0.3), (20.0, 7.0, 0.2)] {
            outcome.add(Ok(reading(ms, mb, Some(rate))));
        }
        let expected = Summary {
            median_ms: 20.0,
            fastest_ms: 10.0,
            slowest_ms: 30.0,
            peak_rss_mb: Some(9.0),
            rate: Some(0.2),
            gradient_share: None,
        };
        assert_eq!(outcome.summary(), Ok(expected));
        outcome.add(Ok(reading(40.0, 1.0, None)));
        let summary = outcome.summary().unwrap();
        assert_eq!((summary.median_ms, summary.rate), (25.0, Some(0.2)));
    }

    #[test]
    fn one_failed_round_leaves_no_figure() {
        let mut outcome = Outcome::default();
        assert_eq!(outcome.summary(), Err("it was never started"));
        outcome.add(Ok(reading(1.0, 1.0, None)));
        outcome.add(Err("killed".to_owned()));
        assert_eq!(outcome.summary(), Err("killed"));
    }

    #[test]
    fn the_processor_is_found() {
        let text = "processor : 0\nmodel name\t: Some CPU 3000\nflags : x\n";
        assert_eq!(cpu_model(text).as_deref(), Some("Some CPU 3000"));
        assert_eq!(cpu_model("processor : 0\n"), None);
    }
}
