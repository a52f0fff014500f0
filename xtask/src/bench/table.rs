//! The table that a run prints, and the same as JSON.

use serde_json::{Value, json};

use super::cases::{Case, What};
use super::reading::{Outcome, Summary};
use super::stamp::Stamp;

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
pub fn markdown(rows: &[Row], stamp: &Stamp) -> String {
    let with_peers = rows.iter().any(|row| row.peers().next().is_some());
    let mut headings = vec!["work", "refire ms"];
    if with_peers {
        headings.extend(["best peer ms", "peer / refire"]);
    }
    headings.extend(["asked for", "refire defaults ms"]);
    headings.extend(["spikes per bin", "spike gradient not 0", "peak MB"]);
    let mut lines = vec![format!(
        "{}; median ms of a call (fastest to slowest round)",
        stamp.line()
    )];
    if with_peers {
        lines.push("the last three columns: refire / best peer".to_owned());
    }
    lines.push(String::new());
    lines.push(cells(&headings));
    lines.push(cells(&vec!["---"; headings.len()]));
    for row in rows {
        lines.push(cells(&columns(row, with_peers)));
        if let Some(bound) = row.case.memory_bound {
            lines.push(cells(&memory_columns(row, bound, with_peers)));
        }
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
    }
    columns.push(bound(row));
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

/// Peak memory as a row of its own, held to a bound like the times.
fn memory_columns(row: &Row, bound: f64, with_peers: bool) -> Vec<String> {
    let own = row.refire().ok().and_then(|s| gigabytes(&s));
    let show = |gb: Option<f64>| gb.map_or("-".to_owned(), |gb| format!("{gb:.3} GB"));
    let mut columns = vec![format!("peak memory, {}", row.case), show(own)];
    if with_peers {
        // Of the peer that its time is held against.
        let peer = row.best_peer();
        let gb = peer.as_ref().and_then(|(_, s)| gigabytes(s));
        let name = peer.map_or("", |(name, _)| name);
        columns.push(format!("{} {name}", show(gb)).trim_end().to_owned());
        let ratio = own.zip(gb).map(|(own, gb)| format!("{:.1}", gb / own));
        columns.push(ratio.unwrap_or_else(|| "-".to_owned()));
    }
    columns.push(format!(
        "at most {bound:.2} GB: {}",
        memory_verdict(row, bound)
    ));
    let defaults = row.named(DEFAULTS).and_then(Result::ok);
    columns.push(show(defaults.and_then(|s| gigabytes(&s))));
    columns.extend(["-", "-", "-"].map(str::to_owned));
    columns
}

fn gigabytes(summary: &Summary) -> Option<f64> {
    Some(summary.peak_rss_mb? * f64::from(1 << 20) / 1e9)
}

fn memory_verdict(row: &Row, bound: f64) -> &'static str {
    match row.refire().map(|s| gigabytes(&s)) {
        Ok(Some(gb)) if gb <= bound => "yes",
        Ok(Some(_)) => "no",
        Ok(None) => "not measured",
        Err(_) => "not run",
    }
}

/// The ratio asked for, and whether it is reached. A spoilt free-running rate is no comparison: in a
/// step it has to be 0.10 +- 0.02 on both sides.
fn bound(row: &Row) -> String {
    let Some(bound) = row.case.bound else {
        return "-".to_owned();
    };
    format!("{bound}: {}", verdict(row, bound))
}

fn verdict(row: &Row, bound: f64) -> &'static str {
    match (row.refire(), row.best_peer()) {
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
    }
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
pub fn json(rows: &[Row], stamp: &Stamp) -> Value {
    stamp.json("rows", rows.iter().map(row_json).collect())
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
        "bound_kept": case.bound.map(|bound| verdict(row, bound)),
        "memory_bound_gb": case.memory_bound,
        "memory_bound_kept": case.memory_bound.map(|bound| memory_verdict(row, bound)),
        "runs": runs,
    })
}

#[cfg(test)]
mod tests;
