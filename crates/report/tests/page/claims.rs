//! The page of claims: whole, honest about failures, and calm about any number.

use super::{check_html, well_formed};
use proptest::prelude::*;
use refire_report::{
    CheckRow, ClaimView, ClaimsPage, FigureView, Panel, Plot, PlotAxis, PlotPoint, Reference,
    ReportError, Role, Series, TableView, Verdict,
};

fn row(name: &str, verdict: Verdict) -> CheckRow {
    CheckRow {
        name: name.into(),
        statistic: "mean over repeats".into(),
        expected: "−1 ± 0.1".into(),
        measured: "−1.02".into(),
        false_alarm: "10⁻⁴".into(),
        verdict,
    }
}

fn plot(log: bool, points: Vec<PlotPoint>) -> Plot {
    let axis = |label: &str| PlotAxis {
        label: label.into(),
        log,
    };
    let series = |name: &str, role, joined| Series {
        name: name.into(),
        role,
        points: points.clone(),
        joined,
        ..Series::default()
    };
    Plot {
        title: "8 units".into(),
        x: axis("trials"),
        y: axis("bias"),
        series: vec![
            series("published", Role::Series(0), true),
            series("theory", Role::Reference, true),
            series("corrected", Role::Series(7), false),
        ],
        horizontal: vec![Reference {
            y: 0.5,
            label: "standard error".into(),
        }],
    }
}

fn claim(title: &str, verdict: Verdict) -> ClaimView {
    let points = vec![
        PlotPoint::with_error(1.0, 1.0, 0.1),
        PlotPoint::with_error(10.0, 0.1, 0.2),
    ];
    ClaimView {
        title: title.into(),
        statement: "The bias falls as one over the trials.".into(),
        source: "equation 7".into(),
        checks: vec![row("slope", Verdict::Holds), row("level", verdict)],
        tables: vec![TableView {
            title: "By trials".into(),
            header: vec!["Trials".into(), "Bias".into()],
            rows: vec![
                vec!["4".into(), "0.25".into()],
                vec!["8".into(), String::new()],
            ],
            caption: "Over 4,000 repeats.".into(),
        }],
        figures: vec![FigureView {
            title: "The bias".into(),
            caption: "Bars are 95 % intervals.".into(),
            panels: vec![
                plot(true, points.clone()).into(),
                plot(false, points).into(),
            ],
            ..FigureView::default()
        }],
    }
}

fn first_plot(claim: &ClaimView) -> Plot {
    match &claim.figures[0].panels[0] {
        Panel::Plot(plot) => plot.clone(),
        other => panic!("{other:?}"),
    }
}

fn page(claims: Vec<ClaimView>) -> ClaimsPage {
    ClaimsPage {
        title: "Are the estimators what they say?".into(),
        subtitle: "A page".into(),
        intro: vec!["First.".into()],
        facts: vec![("Seed".into(), "1".into())],
        claims,
    }
}

#[test]
fn the_page_reads_in_order() {
    let page = page(vec![
        claim("No bias", Verdict::Measured),
        claim("Right level", Verdict::Fails),
    ]);
    assert_eq!(page.verdict(), Verdict::Fails);
    let html = page.to_html().unwrap();
    assert_eq!(html, page.to_html().unwrap());
    let text = check_html(&html);
    let order = [
        "Are the estimators what they say?",
        "A page",
        "1 of 3 checks fails.",
        "level, of Right level",
        "1 further number is reported",
        "First.",
        "Seed",
        "The claims",
        "No bias",
        "equation 7",
        "1 / 1",
        "1 measured",
        "✓ holds",
        "Right level",
        "1 / 2",
        "✗ fails",
        "False-alarm rate",
        "The bias falls as one over the trials.",
        "Rests on:",
        "slope",
        "mean over repeats",
        "−1 ± 0.1",
        "−1.02",
        "10⁻⁴",
        "– measured",
        "By trials",
        "0.25",
        "–",
        "Over 4,000 repeats.",
        "The bias",
        "published",
        "8 units",
        "standard error",
        "Bars are 95 % intervals.",
        "Right level ✗ fails",
    ];
    let mut rest = text.as_str();
    for words in order {
        let at = rest.find(words);
        rest = &rest[at.unwrap_or_else(|| panic!("no {words:?} where expected"))..];
    }
}

#[test]
fn every_link_leads_somewhere() {
    let page = page(vec![
        claim("A", Verdict::Fails),
        claim("A", Verdict::Fails),
        ClaimView::default(),
    ]);
    let html = page.to_html().unwrap();
    let links: Vec<&str> = html.split("href=\"#").skip(1).collect();
    // Two failing checks in the headline, three claims in the overview.
    assert_eq!(links.len(), 5);
    for link in links {
        let id = link.split('"').next().unwrap();
        assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
    }
    assert!(html.contains("Claim 3"));
}

#[test]
fn nothing_at_all_is_a_page() {
    let html = ClaimsPage::default().to_html().unwrap();
    assert!(check_html(&html).contains("This page holds no claim."));
    assert!(!html.contains("<svg") && !html.contains("<table"));
    let empty = ClaimView {
        checks: vec![CheckRow::default()],
        tables: vec![TableView::default()],
        figures: vec![
            FigureView::default(),
            FigureView {
                panels: vec![Plot::default().into()],
                ..FigureView::default()
            },
        ],
        ..ClaimView::default()
    };
    let text = check_html(&page(vec![ClaimView::default(), empty]).to_html().unwrap());
    for sentence in [
        "Nothing was checked.",
        "1 number is reported, with nothing asserted.",
        "Nothing was checked or measured.",
        "check 1",
        "This table has no rows.",
        "This figure has no plot.",
        "There is no point to show.",
    ] {
        assert!(text.contains(sentence), "{sentence}");
    }
}

#[test]
fn text_cannot_break_out() {
    let nasty = "</title><script>alert(\"1\" & '2')</script>";
    let mut claim = claim(nasty, Verdict::Fails);
    claim.statement = nasty.into();
    claim.source = nasty.into();
    let check = &mut claim.checks[1];
    for field in [
        &mut check.name,
        &mut check.statistic,
        &mut check.expected,
        &mut check.measured,
        &mut check.false_alarm,
    ] {
        *field = nasty.into();
    }
    let table = &mut claim.tables[0];
    table.title = nasty.into();
    table.caption = nasty.into();
    table.header = vec![nasty.into(); 2];
    table.rows = vec![vec![nasty.into(); 2]];
    let figure = &mut claim.figures[0];
    figure.title = nasty.into();
    figure.caption = nasty.into();
    for panel in &mut figure.panels {
        let Panel::Plot(plot) = panel else { continue };
        plot.title = nasty.into();
        plot.x.label = nasty.into();
        plot.series[0].name = nasty.into();
        plot.horizontal[0].label = nasty.into();
    }
    let svg = first_plot(&claim).to_svg();
    assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"));
    let page = ClaimsPage {
        title: nasty.into(),
        subtitle: nasty.into(),
        intro: vec![nasty.into()],
        facts: vec![(nasty.into(), nasty.into())],
        claims: vec![claim],
    };
    let text = check_html(&page.to_html().unwrap());
    assert!(text.contains("&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)"));
}

#[test]
fn a_row_of_the_wrong_length_is_named() {
    let mut page = page(vec![claim("No bias", Verdict::Holds)]);
    page.claims[0].tables[0].rows[1].push("x".into());
    let error = page.to_html().unwrap_err();
    assert!(matches!(error, ReportError::Length { .. }));
    assert_eq!(
        error.to_string(),
        "cells in row 2 of the table By trials of No bias: expected 2, found 3"
    );
}

#[test]
fn a_plot_is_a_file_of_its_own() {
    let plot = first_plot(&claim("A", Verdict::Holds));
    let svg = plot.to_svg();
    assert_eq!(svg, plot.to_svg());
    let text = well_formed(&format!("<!DOCTYPE html>{svg}")).unwrap();
    assert!(svg.starts_with("<svg xmlns=") && !svg.contains("@media"));
    for words in ["8 units", "published", "theory", "trials", "standard error"] {
        assert!(text.contains(words), "{words}");
    }
    assert!(
        Plot::default()
            .to_svg()
            .contains("There is no point to show.")
    );
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

fn any_point() -> impl Strategy<Value = PlotPoint> {
    (any_number(), any_number(), any_number(), any_number())
        .prop_map(|(x, y, low, high)| PlotPoint { x, y, low, high })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_numbers_give_a_whole_page(
        points in prop::collection::vec(any_point(), 0..8),
        references in prop::collection::vec(any_number(), 0..4),
        log in any::<[bool; 2]>(),
    ) {
        let mut plot = plot(log[0], points);
        plot.y.log = log[1];
        plot.horizontal = references
            .into_iter()
            .map(|y| Reference { y, label: "a value".into() })
            .collect();
        let svg = plot.to_svg();
        prop_assert!(!svg.contains("NaN") && !svg.contains("inf"));
        let whole = well_formed(&format!("<!DOCTYPE html>{svg}"));
        prop_assert!(whole.is_ok());
        let mut claim = claim("A", Verdict::Holds);
        claim.figures[0].panels = vec![plot.into()];
        check_html(&page(vec![claim]).to_html().unwrap());
    }
}
