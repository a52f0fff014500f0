//! The table that a run prints, and the same as JSON.

use serde_json::{Value, json};

use super::cases::{Case, What};
use super::reading::{Outcome, Summary};

/// The name of the first column's program.
pub const REFIRE: &str = "refire";

/// The column of refire's defaults, which no peer is held against.
pub const DEFAULTS: &str = "refire defaults";

/// One case and what each program made of it, refire first.
pub struct Row {
    pub case: Case,
    pub outcomes: Vec<(&'static str, Outcome)>,
}

impl Row {
    pub fn refire_failed(&self) -> bool {
        self.refire().is_err()
    }

    fn refire(&self) -> Result<Summary, &str> {
        self.named(REFIRE).unwrap_or(Err("it was never started"))
    }

    fn named(&self, wanted: &str) -> Option<Result<Summary, &str>> {
        let mut found = self.outcomes.iter().filter(|(name, _)| *name == wanted);
        found.next().map(|(_, outcome)| outcome.summary())
    }

    fn peers(&self) -> impl Iterator<Item = (&'static str, Result<Summary, &str>)> {
        let peers = self
            .outcomes
            .iter()
            .filter(|(name, _)| ![REFIRE, DEFAULTS].contains(name));
        peers.map(|(name, outcome)| (*name, outcome.summary()))
    }

    /// The fastest peer, if one has a figure.
    fn best_peer(&self) -> Option<(&'static str, Summary)> {
        self.peers()
            .filter_map(|(name, summary)| Some((name, summary.ok()?)))
            .min_by(|a, b| a.1.median_ms.total_cmp(&b.1.median_ms))
    }
}

/// The run as Markdown. Times are the median over rounds of each run's median, with their range.
pub fn markdown(rows: &[Row], machine: &str, rounds: u32) -> String {
    let with_peers = rows.iter().any(|row| row.peers().next().is_some());
    let mut headings = vec!["work", "refire ms"];
    if with_peers {
        headings.extend(["best peer ms", "peer / refire", "asked for"]);
    }
    headings.push("refire defaults ms");
    headings.extend(["spikes per bin", "spike gradient not 0", "peak MB"]);
    let mut lines = vec![format!(
        "{machine}; rounds: {rounds}; median ms of a call (fastest to slowest round)"
    )];
    if with_peers {
        lines.push("the last three columns: refire / best peer".to_owned());
    }
    lines.push(String::new());
    lines.push(cells(&headings));
    lines.push(cells(&vec!["---"; headings.len()]));
    for row in rows {
        lines.push(cells(&columns(row, with_peers)));
    }
    if with_peers {
        lines.push(String::new());
        lines.extend(
            rows.iter()
                .map(|row| format!("{}: {}", row.case, every_peer(row))),
        );
    }
    lines.join("\n")
}

fn cells<S: AsRef<str>>(texts: &[S]) -> String {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    format!("| {} |", texts.join(" | "))
}

fn columns(row: &Row, with_peers: bool) -> Vec<String> {
    let refire = row.refire();
    let best = row.best_peer();
    let mut columns = vec![row.case.to_string(), time(&refire)];
    if with_peers {
        columns.push(match &best {
            Some((name, summary)) => format!("{} {name}", time(&Ok(summary.clone()))),
            None => {
                let reasons: Vec<_> = row
                    .peers()
                    .filter_map(|(_, summary)| summary.err())
                    .collect();
                format!("not run: {}", reasons.first().unwrap_or(&"no peer"))
            }
        });
        columns.push(match (&refire, &best) {
            (Ok(own), Some((_, peer))) => format!("{:.1}", peer.median_ms / own.median_ms),
            _ => "-".to_owned(),
        });
        columns.push(bound(row));
    }
    columns.push(row.named(DEFAULTS).map_or("-".to_owned(), |s| time(&s)));
    let own = refire.ok();
    let peer = best.map(|(_, summary)| summary);
    let pair = |show: fn(&Summary) -> Option<String>| {
        let of = |summary: &Option<Summary>| {
            summary
                .as_ref()
                .and_then(show)
                .unwrap_or_else(|| "-".to_owned())
        };
        if with_peers {
            format!("{} / {}", of(&own), of(&peer))
        } else {
            of(&own)
        }
    };
    columns.push(pair(|s| s.rate.map(|rate| format!("{rate:.3}"))));
    columns.push(pair(|s| {
        s.gradient_share
            .map(|share| format!("{:.1} %", 100.0 * share))
    }));
    columns.push(pair(|s| s.peak_rss_mb.map(|mb| format!("{mb:.0}"))));
    columns
}

/// The ratio asked for, and whether it is reached. A spoilt free-running rate is no comparison: in a
/// step it has to be 0.10 +- 0.02 on both sides.
fn bound(row: &Row) -> String {
    let Some(bound) = row.case.bound else {
        return "-".to_owned();
    };
    let verdict = match (row.refire(), row.best_peer()) {
        (Ok(own), Some((_, peer))) => {
            let off = |s: &Summary| s.rate.is_none_or(|rate| (rate - 0.1).abs() > 0.02);
            if row.case.what == What::Step && (off(&own) || off(&peer)) {
                "rate off 0.10 +- 0.02"
            } else if peer.median_ms >= bound * own.median_ms {
                "yes"
            } else {
                "no"
            }
        }
        _ => "not run",
    };
    format!("{bound}: {verdict}")
}

fn time(summary: &Result<Summary, &str>) -> String {
    match summary {
        Ok(s) => format!(
            "{:.1} ({:.1} to {:.1})",
            s.median_ms, s.fastest_ms, s.slowest_ms
        ),
        Err(reason) => format!("not run: {reason}"),
    }
}

fn every_peer(row: &Row) -> String {
    let peers: Vec<_> = row
        .peers()
        .map(|(name, summary)| format!("{name} {}", time(&summary)))
        .collect();
    peers.join("; ")
}

/// The run as JSON: the summaries and every line as it was measured.
pub fn json(rows: &[Row], machine: &str, rounds: u32) -> Value {
    let rows: Vec<Value> = rows.iter().map(row_json).collect();
    json!({ "machine": machine, "rounds": rounds, "rows": rows })
}

fn row_json(row: &Row) -> Value {
    let case = &row.case;
    let runs: Vec<Value> = row
        .outcomes
        .iter()
        .map(|(name, outcome)| match outcome.summary() {
            Ok(s) => json!({
                "tool": name,
                "median_ms": s.median_ms,
                "fastest_ms": s.fastest_ms,
                "slowest_ms": s.slowest_ms,
                "peak_rss_mb": s.peak_rss_mb,
                "rate_free": s.rate,
                "frac_psi_nonzero": s.gradient_share,
                "rounds": outcome.readings.iter().map(|r| r.line.clone()).collect::<Vec<_>>(),
            }),
            Err(reason) => json!({ "tool": name, "not_run": reason }),
        })
        .collect();
    json!({
        "what": case.what.word(),
        "units": case.units,
        "hidden": case.hidden,
        "bins": case.bins,
        "trials": case.trials,
        "lags": case.lags,
        "threads": case.threads,
        "iterations": case.iterations,
        "noise_covariance": case.noise_covariance,
        "bound": case.bound,
        "runs": runs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::cases::select;
    use crate::bench::reading::parse;

    fn measured(lines: &[&str]) -> Outcome {
        let mut outcome = Outcome::default();
        for line in lines {
            outcome.add(parse(line));
        }
        outcome
    }

    fn failed(reason: &str) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.add(Err(reason.to_owned()));
        outcome
    }

    fn row(outcomes: Vec<(&'static str, Outcome)>) -> Row {
        let case = select(&[What::Step], false, false)[0];
        Row { case, outcomes }
    }

    const OWN: &str = r#"{"median_ms": 20, "peak_rss_mb": 50.4, "rate_free": 0.1,
        "frac_psi_nonzero": 0.065}"#;

    fn own() -> Outcome {
        measured(&[&OWN.replace('\n', "")])
    }

    #[test]
    fn the_fastest_peer_is_the_one_compared() {
        let slow = r#"{"median_ms": 300, "peak_rss_mb": 700, "rate_free": 0.11}"#;
        let fast = r#"{"median_ms": 210, "peak_rss_mb": 850, "rate_free": 0.12}"#;
        let row = row(vec![
            (REFIRE, own()),
            ("JAX", measured(&[slow])),
            ("PyTorch script", measured(&[fast])),
            ("PyTorch eager", failed("killed")),
        ]);
        let text = markdown(&[row], "Some CPU, 2 cores", 1);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[5],
            "| step, 69 units, 641 bins, 1T | 20.0 (20.0 to 20.0) | \
             210.0 (210.0 to 210.0) PyTorch script | 10.5 | 4: yes | - | 0.100 / 0.120 | 6.5 % / - | 50 / 850 |"
        );
        assert_eq!(
            lines[7],
            "step, 69 units, 641 bins, 1T: JAX 300.0 (300.0 to 300.0); \
             PyTorch script 210.0 (210.0 to 210.0); PyTorch eager not run: killed"
        );
    }

    #[test]
    fn a_bound_holds_only_at_the_rate() {
        let verdict = |own: &str, peer: &str| {
            let outcomes = vec![(REFIRE, measured(&[own])), ("JAX", measured(&[peer]))];
            bound(&row(outcomes))
        };
        let own = r#"{"median_ms": 50, "rate_free": 0.1}"#;
        for (peer, expected) in [
            (r#"{"median_ms": 200, "rate_free": 0.119}"#, "4: yes"),
            (r#"{"median_ms": 199, "rate_free": 0.081}"#, "4: no"),
            (
                r#"{"median_ms": 900, "rate_free": 0.13}"#,
                "4: rate off 0.10 +- 0.02",
            ),
            (r#"{"median_ms": 900}"#, "4: rate off 0.10 +- 0.02"),
        ] {
            assert_eq!(verdict(own, peer), expected);
        }
    }

    #[test]
    fn without_peers_there_are_no_columns_for_them() {
        let text = markdown(&[row(vec![(REFIRE, own())])], "Some CPU, 2 cores", 3);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[2..],
            [
                "| work | refire ms | refire defaults ms | spikes per bin | spike gradient not 0 | peak MB |",
                "| --- | --- | --- | --- | --- | --- |",
                "| step, 69 units, 641 bins, 1T | 20.0 (20.0 to 20.0) | - | 0.100 | 6.5 % | 50 |",
            ]
        );
    }

    #[test]
    fn what_did_not_run_has_a_reason_and_no_ratio() {
        let no_peer = row(vec![
            (REFIRE, own()),
            ("JAX", failed("No module named 'jax'")),
        ]);
        assert!(!no_peer.refire_failed());
        let text = markdown(&[no_peer], "m", 1);
        assert!(
            text.contains("| not run: No module named 'jax' | - | 4: not run | - | 0.100 / - |"),
            "{text}"
        );
        let peer = measured(&[r#"{"median_ms": 210}"#]);
        let no_own = row(vec![(REFIRE, failed("no example")), ("JAX", peer)]);
        assert!(no_own.refire_failed());
        let text = markdown(&[no_own], "m", 1);
        assert!(
            text.contains("| not run: no example | 210.0 (210.0 to 210.0) JAX | - | 4: not run |"),
            "{text}"
        );
    }

    #[test]
    fn the_json_keeps_every_line_and_no_figure_of_a_failure() {
        let rows = [row(vec![(REFIRE, own()), ("JAX", failed("killed"))])];
        let value = json(&rows, "m", 1);
        let runs = &value["rows"][0]["runs"];
        assert_eq!(runs[0]["median_ms"], 20.0);
        assert_eq!(runs[0]["rounds"][0]["peak_rss_mb"], 50.4);
        assert_eq!(runs[1], json!({ "tool": "JAX", "not_run": "killed" }));
    }
}
