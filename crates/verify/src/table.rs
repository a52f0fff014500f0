//! From claims to a table of text.

use crate::check::{Check, Claim, false_alarms};
use crate::page::probability;
use refire_report::number;
use std::fmt::Write;

/// A table of all checks for a terminal, one line each under its claim, and a last line that sums up.
pub fn table(claims: &[Claim]) -> String {
    let checks = || claims.iter().flat_map(|claim| &claim.checks);
    let width = |of: fn(&Check) -> &str| {
        let widths = checks().map(|check| of(check).chars().count());
        widths.max().unwrap_or(0)
    };
    let (name, measured) = (width(|c| &c.name), width(|c| &c.measured));
    let expected = width(|c| &c.expected);
    let mut out = String::new();
    // Writing to a string cannot fail.
    for claim in claims {
        let _ = writeln!(out, "{} [{}]", claim.title, claim.id);
        let _ = writeln!(out, "  rests on: {}", claim.source);
        for check in &claim.checks {
            let p = check.p.map_or_else(String::new, probability);
            let _ = writeln!(
                out,
                "  {}  {:<name$}  expected {:<expected$}  found {:<measured$}  p {:<9}  false alarm {}",
                if check.holds { "holds" } else { "FAILS" },
                check.name,
                check.expected,
                check.measured,
                p,
                probability(check.false_alarm),
            );
        }
    }
    let _ = writeln!(
        out,
        "{} of {} checks hold; false alarms of all together: {} % at most",
        checks().filter(|check| check.holds).count(),
        checks().count(),
        number(100.0 * false_alarms(claims))
    );
    out
}
