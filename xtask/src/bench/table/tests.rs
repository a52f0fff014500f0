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

fn text(row: Row) -> String {
    markdown(&[row], &Stamp::now(1))
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
    let text = text(row);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[5],
        "| step, 69 units, 641 bins, 1T | 20.0 (20.0 to 20.0) | \
         210.0 (210.0 to 210.0) PyTorch script | 10.5 | 4: yes | - | 0.100 / 0.120 | 6.5 % / - | 50 / 850 |"
    );
    assert_eq!(
        lines[8],
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
    let text = text(row(vec![(REFIRE, own())]));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[2..],
        [
            "| work | refire ms | asked for | refire defaults ms | spikes per bin | spike gradient not 0 | peak MB |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            "| step, 69 units, 641 bins, 1T | 20.0 (20.0 to 20.0) | 4: not run | - | 0.100 | 6.5 % | 50 |",
            "| peak memory, step, 69 units, 641 bins, 1T | 0.053 GB | at most 0.10 GB: yes | - | - | - | - |",
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
    let table = text(no_peer);
    assert!(
        table.contains("| not run: No module named 'jax' | - | 4: not run | - | 0.100 / - |"),
        "{table}"
    );
    let peer = measured(&[r#"{"median_ms": 210}"#]);
    let no_own = row(vec![(REFIRE, failed("no example")), ("JAX", peer)]);
    assert!(no_own.refire_failed());
    let table = text(no_own);
    assert!(
        table.contains("| not run: no example | 210.0 (210.0 to 210.0) JAX | - | 4: not run |"),
        "{table}"
    );
}

#[test]
fn peak_memory_is_held_to_its_bound() {
    let line = |mb: f64| format!(r#"{{"median_ms": 20, "peak_rss_mb": {mb}, "rate_free": 0.1}}"#);
    // 0.1 GB are 95.37 MiB.
    for (mb, expected) in [(95.3, "yes"), (95.4, "no")] {
        let peer = measured(&[&line(953.0)]);
        let row = row(vec![(REFIRE, measured(&[&line(mb)])), ("JAX", peer)]);
        assert_eq!(memory_verdict(&row, 0.1), expected);
        let value = json(std::slice::from_ref(&row), &Stamp::now(1));
        assert_eq!(value["rows"][0]["memory_bound_kept"], expected);
        let start =
            "| peak memory, step, 69 units, 641 bins, 1T | 0.100 GB | 0.999 GB JAX | 10.0 |";
        assert!(text(row).contains(&format!("{start} at most 0.10 GB: {expected} |")));
    }
    let silent = row(vec![(REFIRE, measured(&[r#"{"median_ms": 20}"#]))]);
    assert_eq!(memory_verdict(&silent, 0.1), "not measured");
    let broken = row(vec![(REFIRE, failed("killed"))]);
    assert_eq!(memory_verdict(&broken, 0.1), "not run");
}

#[test]
fn the_json_keeps_every_line_and_no_figure_of_a_failure() {
    let rows = [row(vec![(REFIRE, own()), ("JAX", failed("killed"))])];
    let value = json(&rows, &Stamp::now(1));
    let runs = &value["rows"][0]["runs"];
    assert_eq!(runs[0]["median_ms"], 20.0);
    assert_eq!(runs[0]["rounds"][0]["peak_rss_mb"], 50.4);
    assert_eq!(runs[1], json!({ "tool": "JAX", "not_run": "killed" }));
}
