//! The page of claims: whole, honest about failures, and calm about any number.

use super::{check_html, in_order, links_lead_somewhere};
use refire_report::{
    CheckRow, ClaimView, ClaimsPage, FigureView, Panel, Plot, PlotAxis, PlotPoint, Reference,
    ReportError, Role, Series, TableView,
};

fn row(name: &str, holds: bool) -> CheckRow {
    CheckRow {
        name: name.into(),
        statistic: "mean over repeats".into(),
        expected: "−1 ± 0.1".into(),
        measured: "−1.02".into(),
        false_alarm: "10⁻⁴".into(),
        holds,
    }
}

fn plot(log: bool, points: Vec<PlotPoint>) -> Plot {
    let axis = |label: &str| match log {
        true => PlotAxis::log(label),
        false => PlotAxis::linear(label),
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
        horizontal: Some(Reference {
            y: 0.5,
            label: "standard error".into(),
        }),
    }
}

fn claim(title: &str, holds: bool) -> ClaimView {
    let points = vec![
        PlotPoint::with_error(1.0, 1.0, 0.1),
        PlotPoint::with_error(10.0, 0.1, 0.2),
    ];
    ClaimView {
        title: title.into(),
        statement: "The bias falls as one over the trials.".into(),
        source: "equation 7".into(),
        checks: vec![row("slope", true), row("level", holds)],
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
    let page = page(vec![claim("No bias", true), claim("Right level", false)]);
    let html = page.to_html().unwrap();
    assert_eq!(html, page.to_html().unwrap());
    let text = check_html(&html);
    let order = [
        "Are the estimators what they say?",
        "A page",
        "1 of 4 checks fails.",
        "level, of Right level",
        "First.",
        "Seed",
        "The claims",
        "No bias",
        "equation 7",
        "2 / 2",
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
    in_order(&text, &order);
}

#[test]
fn every_link_leads_somewhere() {
    let page = page(vec![
        claim("A", false),
        claim("A", false),
        ClaimView::default(),
    ]);
    let html = page.to_html().unwrap();
    // Two failing checks in the headline, three claims in the overview.
    assert_eq!(links_lead_somewhere(&html), 5);
    assert!(html.contains("Claim 3"));
}

#[test]
fn nothing_at_all_is_a_page() {
    let html = ClaimsPage::default().to_html().unwrap();
    assert!(check_html(&html).contains("Nothing was checked."));
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
    let mut claim = claim(nasty, false);
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
        plot.horizontal.as_mut().unwrap().label = nasty.into();
    }
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
    let mut page = page(vec![claim("No bias", true)]);
    page.claims[0].tables[0].rows[1].push("x".into());
    let error = page.to_html().unwrap_err();
    assert!(matches!(error, ReportError::Length { .. }));
    assert_eq!(
        error.to_string(),
        "cells in row 2 of the table By trials of No bias: expected 2, found 3"
    );
}
