//! What a careful colleague would say about a recording as it is read.

use crate::events::AtEdges;
use crate::{BinWidth, Label, Stimulus};

/// Share of the spikes at edges of bins from which on it is said.
const EDGES: f64 = 0.01;

/// Mean rate below which times are hardly in seconds, Hz.
const SLOW: f64 = 0.01;

/// How many times as long as the longest trial a stimulus is from which on it is said.
const LONG: usize = 100;

/// Most features, or conditions, that are named.
const NAMED: usize = 5;

/// Spikes, units and time of a file.
pub(crate) struct Totals {
    pub spikes: u64,
    pub units: usize,
    pub seconds: f64,
}

/// Whether the times look like those of another unit; `whole` if all of them are whole numbers.
pub(crate) fn of_time_unit(totals: &Totals, whole: bool) -> Option<String> {
    // Of units that can have fired.
    let units = totals.spikes.min(totals.units as u64) as f64;
    let rate = totals.spikes as f64 / (units * totals.seconds);
    let slow = totals.spikes > 0 && rate < SLOW;
    let what = match (whole, slow) {
        (true, true) => format!("all times are whole numbers and the mean rate is {rate:.2e} Hz"),
        (true, false) => "all times are whole numbers".to_string(),
        (false, true) => format!("the mean rate is {rate:.2e} Hz"),
        (false, false) => return None,
    };
    Some(format!(
        "{what}: the times look like samples or milliseconds and are read as seconds (--time-unit ms, us or \
         samples=RATE reads them as that)"
    ))
}

/// Whether many spikes lie at the edges of bins.
pub(crate) fn of_edges(at_edges: AtEdges, spikes: u64) -> Option<String> {
    let share = at_edges.spikes as f64 / spikes.max(1) as f64;
    let counted = match at_edges.later {
        true => "they count in the later one",
        false => "they count where their times say, and may belong to the bin beside it",
    };
    (share > EDGES).then(|| {
        format!(
            "{:.1} % of the spikes lie at an edge between two bins, as exactly as their times are known ({:.0e} s): \
             {counted}",
            100.0 * share,
            at_edges.seconds
        )
    })
}

/// What is odd about the shape or values of a stimulus, of which the longest trial sees so many samples.
pub(crate) fn of_stimulus(stimulus: &Stimulus, conditions: usize, seen: usize) -> Vec<String> {
    let (samples, features) = (stimulus.samples(), stimulus.features());
    let mut remarks = Vec::new();
    if !stimulus.per_condition() && (features > samples || (samples == conditions && samples > 1)) {
        remarks.push(format!(
            "stimulus of shape ({samples}, {features}) is read as {samples} samples of {features} features; courses of \
             {samples} conditions would have the shape ({samples}, {features}, 1)"
        ));
    } else if features > samples {
        remarks.push(format!(
            "stimulus of shape ({}, {samples}, {features}) has more features than samples",
            stimulus.courses()
        ));
    }
    if samples / seen >= LONG {
        remarks.push(format!(
            "the stimulus has {samples} samples, of which the longest trial sees {seen}: is stimulus_dt in seconds?"
        ));
    }
    let constant = |&f: &usize| {
        let courses = stimulus.values().chunks_exact(samples * features);
        let rows = courses.flat_map(|course| course.chunks_exact(features).take(seen));
        let mut values = rows.map(|row| row[f]);
        let first = values.next();
        values.all(|v| Some(v) == first)
    };
    let constant: Vec<String> = (0..features)
        .filter(constant)
        .map(|f| f.to_string())
        .collect();
    if !constant.is_empty() {
        remarks.push(format!(
            "stimulus features that never change drive nothing: {}",
            listed(&constant)
        ));
    }
    remarks
}

/// Whether a stimulus ends before the longest trial, of so many bins.
pub(crate) fn of_coverage(stimulus: &Stimulus, width: BinWidth, bins: usize) -> Option<String> {
    match stimulus.bins_missing(width, bins) {
        missing if missing <= 0.0 => None,
        missing if missing < 2.0 => Some(format!(
            "the stimulus ends {missing:.2} bins before the longest trial does: its last values go on"
        )),
        missing => Some(format!(
            "the stimulus covers {:.2} of the {bins} bins of the longest trial: it cannot drive units \
             (--drive condition or none does without)",
            bins as f64 - missing
        )),
    }
}

/// The first of a list.
pub(crate) fn listed(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let shown = names[..names.len() - more].join(", ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Whether trials repeat: `None` where some condition has two.
pub(crate) fn of_repeats(labels: &[Label], conditions: usize) -> Option<String> {
    (labels.len() > 1 && conditions == labels.len()).then(|| {
        format!(
            "each of the {conditions} trials has a condition of its own: no repeats, so there are no PSTHs and no \
             noise correlations"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn width(seconds: f64) -> BinWidth {
        BinWidth::from_seconds(seconds).unwrap()
    }

    #[test]
    fn rates_are_those_of_units_that_can_have_fired() {
        let of = |spikes, units, seconds, whole| {
            let totals = Totals {
                spikes,
                units,
                seconds,
            };
            of_time_unit(&totals, whole).unwrap_or_default()
        };
        assert_eq!(of(6, 3, 10.0, false), "");
        assert!(of(6, 3, 1000.0, false).contains("the mean rate is 2.00e-3 Hz"));
        assert!(of(6, 3, 1000.0, true).contains("whole numbers and the mean rate is 2.00e-3 Hz"));
        let whole = of(6, 3, 10.0, true);
        assert!(
            whole.contains("whole numbers: the times look like"),
            "{whole}"
        );
        // 1 spike: of 1000 units one can have fired.
        assert_eq!(of(1, 1000, 50.0, false), "");
        // Exactly 0.01 Hz is not below; silence is no rate.
        assert_eq!(of(1, 1, 100.0, false), "");
        assert_eq!(of(0, 3, 1e6, false), "");
    }

    #[test]
    fn edges_from_more_than_one_percent_on() {
        let of = |spikes, later, all| {
            let seconds = 1e-9;
            let at_edges = AtEdges {
                spikes,
                seconds,
                later,
            };
            of_edges(at_edges, all)
        };
        assert_eq!(of(1, true, 100), None);
        let said = of(3, true, 200).unwrap();
        assert!(said.contains("1.5 % of the spikes") && said.contains("(1e-9 s)"));
        assert!(said.ends_with("in the later one"));
        assert!(of(3, false, 200).unwrap().ends_with("the bin beside it"));
        assert_eq!(of(0, true, 0), None);
    }

    #[test]
    fn shapes_that_may_mean_something_else() {
        let about = |samples: usize, features: usize, courses: Option<usize>, conditions| {
            let n = samples * features * courses.unwrap_or(1);
            let values = (0..n).map(|k| k as f64).collect();
            let stimulus = Stimulus::new(values, courses, features, width(0.01)).unwrap();
            of_stimulus(&stimulus, conditions, samples)
        };
        let none: Vec<String> = Vec::new();
        assert_eq!(about(4, 4, None, 3), none);
        assert_eq!(about(4, 2, Some(3), 3), none);
        assert!(about(4, 5, None, 3)[0].contains("courses of 4 conditions"));
        assert!(about(3, 2, None, 3)[0].contains("courses of 3 conditions"));
        assert_eq!(about(2, 2, None, 3), none);
        assert!(about(2, 3, Some(3), 3)[0].contains("(3, 2, 3) has more features than samples"));
        assert_eq!(about(3, 3, Some(3), 3), none);
        // What changes behind the end of trials, and one that lasts far longer than they do.
        let late = Stimulus::new(vec![1.0, 1.0, 5.0], None, 1, width(0.01)).unwrap();
        assert!(of_stimulus(&late, 1, 2)[0].contains("never change"));
        assert_eq!(of_stimulus(&late, 1, 3), none);
        let values = (0..200).map(|k| (k % 7) as f64).collect();
        let long = Stimulus::new(values, None, 1, width(0.01)).unwrap();
        assert!(of_stimulus(&long, 1, 2)[0].contains("is stimulus_dt in seconds?"));
        assert_eq!(of_stimulus(&long, 1, 3), none);
        // One sample never changes, and is no list of conditions.
        let one = about(1, 1, None, 1);
        assert_eq!(one.len(), 1);
        assert!(one[0].contains("never change"));
    }

    #[test]
    fn a_stimulus_may_end_two_bins_early() {
        let of = |bins| {
            let stimulus = Stimulus::new(vec![0.0; 10], None, 1, width(0.01)).unwrap();
            of_coverage(&stimulus, width(0.01), bins)
        };
        assert_eq!(of(10), None);
        assert!(of(11).unwrap().contains("ends 1.00 bins before"));
        assert!(of(12).unwrap().contains("covers 10.00 of the 12 bins"));
    }

    #[test]
    fn trials_repeat_where_some_condition_has_two() {
        let of = |labels: &[i64], conditions| {
            let labels: Vec<Label> = labels.iter().map(|&l| Label::from(l)).collect();
            of_repeats(&labels, conditions)
        };
        assert!(of(&[1, 2], 2).unwrap().contains("each of the 2 trials"));
        assert_eq!(of(&[1, 1], 1), None);
        assert_eq!(of(&[1], 1), None);
    }

    #[test]
    fn five_names_are_shown() {
        let names: Vec<String> = (0..7).map(|k| k.to_string()).collect();
        assert_eq!(listed(&names[..5]), "0, 1, 2, 3, 4");
        assert_eq!(listed(&names), "0, 1, 2, 3, 4 and 2 more");
    }
}
