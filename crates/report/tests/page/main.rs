//! The page as a whole: well-formed, self-contained, and honest about what is missing.

#![allow(clippy::unwrap_used, clippy::panic)]

mod any_numbers;
mod claims;
mod figures;
mod reading;
mod reproduction;

use proptest::prelude::*;
use refire_report::{
    CouplingView, FitView, LagView, LossCurve, MetricRow, NoiseView, PsthExample, RasterPair,
    Report, ReportError, StabilityView,
};

/// Checks that tags are balanced and attributes quoted, and returns the text between the tags.
fn well_formed(html: &str) -> Result<String, String> {
    let mut rest = html
        .strip_prefix("<!DOCTYPE html>")
        .ok_or("no document type")?;
    let mut open: Vec<&str> = Vec::new();
    let mut text = String::new();
    while let Some(at) = rest.find('<') {
        if !open.ends_with(&["style"]) {
            text += &rest[..at];
        }
        rest = &rest[at + 1..];
        let end = rest.find('>').ok_or("a tag without an end")?;
        let (tag, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let expected = open.pop();
            if expected != Some(name) {
                return Err(format!("</{name}> where {expected:?} is open"));
            }
            continue;
        }
        if !tag.matches('"').count().is_multiple_of(2) {
            return Err(format!("quotes of <{tag}>"));
        }
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').next();
        if !tag.ends_with('/') {
            open.push(name.ok_or("a tag without a name")?);
        }
    }
    if open.is_empty() {
        Ok(text)
    } else {
        Err(format!("{open:?} left open"))
    }
}

fn check(report: &Report) -> String {
    check_html(&report.to_html().unwrap())
}

/// What every page must satisfy; returns its text.
fn check_html(html: &str) -> String {
    let text = well_formed(html).unwrap();
    for word in [
        "NaN", "inf\"", "<script", "http://", "https://", "url(", "@import", "src=",
    ] {
        assert!(!html.contains(word), "{word} in the page");
    }
    // No number in an attribute may be anything but finite: path data are digits and commands.
    for data in html.split(" d=\"").skip(1) {
        let data = data.split('"').next().unwrap();
        let allowed = |c: char| c.is_ascii_digit() || "MLHVZmlhvaz .-".contains(c);
        assert!(data.chars().all(allowed), "path {data}");
        assert!(!data.is_empty(), "an empty path");
    }
    text
}

/// Whether the words stand in the text in this order.
fn in_order(text: &str, order: &[&str]) {
    let mut rest = text;
    for words in order {
        let at = rest.find(words);
        rest = &rest[at.unwrap_or_else(|| panic!("no {words:?} where expected"))..];
    }
}

/// Number of links within the page, each of which leads to one place.
fn links_lead_somewhere(html: &str) -> usize {
    let links = html.split("href=\"#").skip(1);
    let lead = links.map(|link| {
        let id = link.split('"').next().unwrap();
        assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
    });
    lead.count()
}

fn any_number() -> impl Strategy<Value = f64> {
    let special = [
        0.0,
        -1.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e308,
        -1e308,
        1e-320,
        1e-140,
        1e140,
    ];
    prop_oneof![
        3 => -10.0f64..100.0,
        1 => prop::sample::select(special.to_vec()),
    ]
}

fn fit(name: &str) -> FitView {
    FitView {
        name: name.into(),
        figures: vec![
            MetricRow {
                name: "PSTH correlation".into(),
                explanation: "how well rates follow".into(),
                group: "compared".into(),
                model: Some(0.297),
                ceiling: Some(0.368),
                rises: true,
                ..MetricRow::default()
            },
            MetricRow {
                group: "not compared".into(),
                name: "KS".into(),
                reason: Some("too few spikes".into()),
                ..MetricRow::default()
            },
        ],
        losses: vec![LossCurve {
            term: "MLE".into(),
            iterations: vec![0.0, 1.0, 2.0],
            training: vec![3.0, 0.2, 0.1],
            validation_iterations: vec![0.0, 2.0],
            validation: vec![3.1, 0.2],
            best_iteration: Some(2.0),
        }],
        raster: RasterPair {
            units: 2,
            bins: 10,
            first_bin: 3,
            trial_names: vec!["repeat 61".into()],
            data: vec![vec![(3, 0), (12, 1)]],
            model: vec![vec![(4, 1)]],
        },
        psths: vec![PsthExample {
            label: "best unit 1".into(),
            correlation: 0.8,
            time_s: vec![0.0, 0.1, 0.2, 0.3],
            data_hz: vec![1.0, 2.0, 3.0, 4.0],
            model_hz: vec![1.5, 2.0, 2.5, 4.5],
            breaks: vec![2],
        }],
        noise: Some(NoiseView {
            pairs: vec![(0.1, 0.2)],
            data: vec![vec![f64::NAN, 0.1], vec![0.1, f64::NAN]],
            model: vec![vec![f64::NAN, 0.2], vec![0.2, f64::NAN]],
            same_bin: vec![vec![0.0, 0.3], vec![0.0, 0.0]],
            by_lag: vec![
                LagView {
                    lag_s: 0.0,
                    r2: Some(0.6),
                    ceiling: Some(0.7),
                },
                LagView {
                    lag_s: 0.01,
                    r2: Some(-3.0),
                    ceiling: None,
                },
            ],
        }),
        noise_missing: None,
        couplings: CouplingView {
            sources: 3,
            targets: 3,
            observed: 2,
            summed: vec![-1.0, 0.2, 0.1, 0.3, -1.0, 0.0, -0.2, 0.4, -1.0],
            lags_s: vec![0.01, 0.02],
            filters: vec![("1 → 2".into(), vec![0.2, 0.1])],
            self_filters: vec![vec![-0.7, -0.3]; 3],
        },
        rates: vec![(1.0, 1.2), (3.0, 0.0)],
        stability: StabilityView {
            verdict: "fragile".into(),
            divergent_share: 0.015,
            runs: 200,
            presentations: 3,
            time_s: vec![0.0, 1.0, 2.0],
            traces_hz: vec![vec![2.0, 2.5, 90.0], vec![2.0, 0.0]],
            data_range_hz: (1.0, 3.0),
            limit_hz: 6.0,
            left_at: vec![0, 2, 1],
            interval: Some((0.005, 0.043)),
            protocol: "Each starts anew.".into(),
            beside: "In a row: none of 200.".into(),
            advice: Some(("Give it more weight.".into(), "refire fit R.npz".into())),
        },
    }
}

fn report(fits: Vec<FitView>) -> Report {
    Report {
        title: "A recording".into(),
        subtitle: "fitted".into(),
        intro: vec!["First.".into()],
        facts: vec![("Units".into(), "2".into())],
        notes: vec!["Repeats are held out.".into()],
        fits,
        psth_choice: "Ranked by r of MLE.".into(),
        bin_width_s: 0.01,
    }
}

#[test]
fn one_fit_reads_in_order() {
    let text = check(&report(vec![fit("MLE")]));
    let order = [
        "sometimes leaves the range of the data",
        "3 of 200 free runs of 3 presentations left the range (1.5 %, 95 % interval 0.5 to 4.3 %).",
        "In a row: none of 200.",
        "Give it more weight.",
        "refire fit R.npz",
        "What was fitted",
        "Repeats are held out.",
        "How good is the fit?",
        "compared",
        "81 %",
        "not compared",
        "too few spikes",
        "How the fit was found",
        "Spikes: recorded and free-running",
        "repeat 61",
        "Spikes in these trials: 1 against 2 recorded",
        "best unit 1, r = 0.80",
        "Noise correlations",
        "hidden",
        "1 → 2",
        "time since the spike (ms)",
        "Rates of the units",
        "Left to run on its own",
        "limit 6.00 Hz",
        "98.5 % of the runs of MLE stay to the end.",
        "Words used here",
    ];
    in_order(&text, &order);
}

#[test]
fn two_fits_are_compared_and_share_the_data() {
    let mut other = fit("MLE + sample-and-measure");
    other.stability.verdict = "stable".into();
    other.figures[0].model = Some(0.184);
    let report = report(vec![fit("MLE"), other]);
    let text = check(&report);
    assert!(text.contains("The fits compared"));
    assert!(text.contains("fragile MLE. Left to run on its own, the network sometimes leaves"));
    assert!(
        text.contains("stable MLE + sample-and-measure. Left to run on its own, the network stays")
    );
    let html = report.to_html().unwrap();
    // Bars of both fits in one row, the ceiling once.
    assert!(html.contains("81 %") && html.contains("50 %"));
    assert_eq!(html.matches(">0.368<").count(), 1);
    // The recorded raster and noise matrix appear once, as they are the same.
    assert_eq!(html.matches(">data</h3>").count(), 2);
    assert_eq!(html, report.to_html().unwrap());
}

#[test]
fn a_figure_that_is_not_measurable_has_its_reason_and_no_share() {
    let mut view = fit("MLE");
    view.figures[0].not_measurable = Some("its own trials agree by 0.02".into());
    let text = check(&report(vec![view]));
    assert!(text.contains("its own trials agree by 0.02") && !text.contains("81 %"));
    // A distance has a ceiling too, and no share of it.
    let mut view = fit("MLE");
    view.figures[0].rises = false;
    let text = check(&report(vec![view]));
    assert!(text.contains("0.368") && !text.contains("81 %"));
}

#[test]
fn nothing_at_all_gives_sentences_and_no_figure() {
    let html = Report::default().to_html().unwrap();
    assert!(check(&Report::default()).contains("This page holds no fit."));
    assert!(!html.contains("<svg"));
    let empty = report(vec![FitView {
        noise_missing: Some("Each condition has one trial.".into()),
        ..FitView::default()
    }]);
    let text = check(&empty);
    for sentence in [
        "was not tested",
        "No figures were computed.",
        "No losses were recorded",
        "No trials were given",
        "No PSTH was given",
        "Each condition has one trial.",
        "no couplings between units",
        "No rates were given.",
        "no free runs were made",
    ] {
        assert!(text.contains(sentence), "{sentence}");
    }
    assert!(!empty.to_html().unwrap().contains("<svg"));
}

#[test]
fn one_silent_unit_is_no_trouble() {
    let mut view = fit("MLE");
    view.raster = RasterPair {
        units: 1,
        bins: 1,
        data: vec![vec![]],
        model: vec![vec![]],
        ..RasterPair::default()
    };
    view.psths = vec![PsthExample {
        time_s: vec![0.0],
        data_hz: vec![0.0],
        model_hz: vec![0.0],
        correlation: f64::NAN,
        ..PsthExample::default()
    }];
    view.noise = Some(NoiseView {
        pairs: vec![],
        data: vec![vec![f64::NAN]],
        model: vec![vec![f64::NAN]],
        ..NoiseView::default()
    });
    view.noise_missing = Some("There is one unit only.".into());
    view.couplings = CouplingView {
        sources: 1,
        targets: 1,
        observed: 1,
        summed: vec![-0.4],
        lags_s: vec![0.01],
        filters: vec![],
        self_filters: vec![vec![-0.4]],
    };
    view.rates = vec![(0.0, 0.0)];
    view.stability = StabilityView {
        verdict: "stable".into(),
        runs: 1,
        presentations: 1,
        time_s: vec![0.0],
        traces_hz: vec![vec![0.0]],
        ..StabilityView::default()
    };
    let text = check(&report(vec![view]));
    assert!(text.contains("trial 1: silent"));
    assert!(text.contains("There is one unit only."));
    assert!(text.contains("no couplings between units"));
    assert!(text.contains("Every unit is silent"));
}

#[test]
fn text_cannot_break_out() {
    let nasty = "</title><script>alert(\"1\" & '2')</script>";
    let mut view = fit(nasty);
    view.figures[0].name = nasty.into();
    view.figures[0].unit = nasty.into();
    view.figures[1].reason = Some(nasty.into());
    view.losses[0].term = nasty.into();
    view.raster.trial_names = vec![nasty.into()];
    view.psths[0].label = nasty.into();
    view.couplings.filters[0].0 = nasty.into();
    view.stability.verdict = nasty.into();
    let page = Report {
        title: nasty.into(),
        subtitle: nasty.into(),
        intro: vec![nasty.into()],
        facts: vec![(nasty.into(), nasty.into())],
        notes: vec![nasty.into()],
        ..report(vec![view.clone(), view])
    };
    let text = check(&page);
    assert!(text.contains("&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)"));
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    type Break = fn(&mut FitView);
    let cases: [(Break, &str); 8] = [
        (
            |fit| fit.losses[0].training.truncate(1),
            "values of the training loss MLE of A: expected 3, found 1",
        ),
        (
            |fit| fit.raster.data[0].push((13, 0)),
            "bin of a spike in the raster of A: expected 3..13, found 13",
        ),
        (
            |fit| fit.raster.model[0].push((3, 2)),
            "unit of a spike in the raster of A: expected 0..2, found 2",
        ),
        (
            |fit| fit.raster.trial_names.push("x".into()),
            "trial names in the raster of A: expected 1, found 2",
        ),
        (
            |fit| fit.psths[0].breaks.push(4),
            "break in the PSTH best unit 1 of A: expected 0..4, found 4",
        ),
        (
            |fit| fit.couplings.summed.truncate(2),
            "summed couplings of A: expected 9, found 2",
        ),
        (
            |fit| fit.couplings.self_filters[0].truncate(1),
            "lags of a self filter of A: expected 2, found 1",
        ),
        (
            |fit| fit.stability.traces_hz[0].push(1.0),
            "length of a stability trace of A: expected 0..4, found 4",
        ),
    ];
    for (break_it, message) in cases {
        let mut view = fit("A");
        break_it(&mut view);
        let error: ReportError = report(vec![view]).to_html().unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let mut view = fit("A");
    view.noise.as_mut().unwrap().model[1].truncate(1);
    assert!(report(vec![view]).to_html().is_err());
}

#[test]
fn large_recordings_stay_below_three_megabytes() {
    let (units, bins) = (500u32, 1000u32);
    let n = units as usize;
    // Every third cell filled, without neighbours: the worst case for runs.
    let trial: Vec<(u32, u32)> = (0..units)
        .flat_map(|unit| (0..bins).map(move |bin| (bin, unit)))
        .filter(|(bin, unit)| (bin + unit) % 3 == 0)
        .collect();
    let wave = |i: usize| ((i * 7919) % 1009) as f64 / 500.0 - 1.0;
    let matrix: Vec<Vec<f64>> = (0..n)
        .map(|i| (0..n).map(|j| wave(i * n + j)).collect())
        .collect();
    let view = |name: &str| FitView {
        raster: RasterPair {
            units: n,
            bins: bins as usize,
            first_bin: 0,
            trial_names: vec![],
            data: vec![trial.clone(); 6],
            model: vec![trial.clone(); 6],
        },
        noise: Some(NoiseView {
            pairs: (0..n * (n - 1) / 2)
                .map(|i| (wave(i), wave(3 * i + 1)))
                .collect(),
            data: matrix.clone(),
            model: matrix.clone(),
            same_bin: matrix.clone(),
            ..NoiseView::default()
        }),
        couplings: CouplingView {
            sources: n,
            targets: n,
            observed: n,
            summed: matrix.concat(),
            ..CouplingView::default()
        },
        ..fit(name)
    };
    let report = report(vec![view("MLE"), view("MLE + sample-and-measure")]);
    let text = check(&report);
    assert!(text.contains("The first 4 of 6 trials are shown."));
    let bytes = report.to_html().unwrap().len();
    assert!(bytes < 3_000_000, "{bytes} bytes");
}
