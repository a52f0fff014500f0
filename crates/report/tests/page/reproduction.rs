//! The page of a reproduction: whole, honest about gaps, calm about any number.

use super::figures::{dots, matrix, range_plot, raster, view, whole_svg};
use super::{any_number, check_html, in_order, links_lead_somewhere};
use proptest::prelude::*;
use refire_report::{
    DotPlot, Estimate, FigureView, Finding, FoundClaim, MatrixPanel, Panel, Plot, PlotPoint,
    RasterPanel, Reference, ReportError, ReproducedFigure, ReproductionPage, TableView,
};

fn line(number: usize, verdict: Finding, figure: &str) -> FoundClaim {
    FoundClaim {
        number,
        claim: format!("Assertion {number}"),
        measure: format!("measure {number}"),
        estimate: 0.62,
        low: 0.51,
        high: 0.73,
        rule: "above 0.1".into(),
        verdict,
        seeds: 20,
        figure: figure.into(),
    }
}

fn page() -> ReproductionPage {
    ReproductionPage {
        title: "A reproduction".into(),
        subtitle: "A page".into(),
        intro: vec!["Opening words.".into()],
        facts: vec![("Made by".into(), "xtask".into())],
        claims: vec![
            line(2, Finding::NotShown, ""),
            line(1, Finding::Shown, "runs"),
            line(1, Finding::Shown, "runs"),
        ],
        figures: vec![ReproducedFigure {
            name: "runs".into(),
            title: "Free runs".into(),
            question: "Does it stay?".into(),
            setting: "Forty units.".into(),
            views: vec![view()],
            conclusion: "It stays.".into(),
            tables: vec![TableView {
                title: "Numbers".into(),
                header: vec!["Objective".into(), "R²".into()],
                rows: vec![vec!["MLE".into(), "−93".into()]],
                caption: "Of one seed.".into(),
            }],
            seconds: 200.0,
            files: vec!["runs.svg".into(), "runs.csv".into()],
        }],
    }
}

#[test]
fn the_page_reads_in_order() {
    let html = page().to_html().unwrap();
    assert_eq!(html, page().to_html().unwrap());
    let text = check_html(&html);
    let order = [
        "A reproduction",
        "A page",
        "1 of 2 claims is shown.",
        "Claim 2",
        "○ not shown",
        "Assertion 1",
        "measure 1",
        "Rule: above 0.1",
        "0.620 ",
        "[0.510, 0.730]",
        "20",
        "✓ shown",
        "Assertion 2",
        "Opening words.",
        "Made by",
        "Free runs",
        "Does it stay?",
        "claim 1",
        "Forty units.",
        "Everything",
        "coupling (θ)",
        "no value",
        "range of the data",
        "single seeds",
        "ceiling",
        "Rate",
        "Noise correlation",
        "−93.0",
        "Couplings",
        "−2.00",
        "Free run",
        "time in the trial (s)",
        "What it shows.",
        "It stays.",
        "Numbers",
        "Of one seed.",
        "runs.csv",
        "It took 3 min 20 s.",
        "Words used here",
        "oracle",
    ];
    in_order(&text, &order);
    // The lines of a claim stand under one heading.
    assert_eq!(text.matches("Assertion 1").count(), 1);
    assert!(html.contains("rowspan=\"2\""));
}

#[test]
fn every_link_leads_somewhere() {
    let html = page().to_html().unwrap();
    // The headline, three of the contents, two lines of claim 1, its figure back.
    assert_eq!(links_lead_somewhere(&html), 7);
    for file in ["runs.svg", "runs.csv"] {
        assert!(html.contains(&format!("href=\"{file}\"")), "{file}");
    }
}

#[test]
fn nothing_at_all_is_a_page() {
    let text = check_html(&ReproductionPage::default().to_html().unwrap());
    assert!(text.contains("This page holds no claim.") && text.contains("No claim was put"));
    let mut page = page();
    page.claims = vec![FoundClaim {
        estimate: f64::NAN,
        ..FoundClaim::default()
    }];
    page.figures = vec![ReproducedFigure {
        name: "a".into(),
        seconds: f64::NAN,
        ..ReproducedFigure::default()
    }];
    let panels: [Panel; 4] = [
        Plot::default().into(),
        DotPlot::default().into(),
        MatrixPanel::default().into(),
        RasterPanel::default().into(),
    ];
    let empty = FigureView {
        panels: panels.to_vec(),
        ..FigureView::default()
    };
    let (_, drawn) = whole_svg(&empty);
    let (_, none) = whole_svg(&FigureView::default());
    assert!(none.contains("This figure has no plot."));
    page.figures.push(ReproducedFigure {
        name: "b".into(),
        views: vec![empty],
        ..ReproducedFigure::default()
    });
    let text = check_html(&page.to_html().unwrap());
    for sentence in [
        "The one claim is not shown.",
        "not measured",
        "There is no figure to show.",
        "How long it took is not known.",
    ] {
        assert!(text.contains(sentence), "{sentence}");
    }
    for sentence in [
        "There is no point to show.",
        "No row has a value to show.",
        "This matrix has no number to show.",
        "No spikes were given to show.",
    ] {
        assert!(
            text.contains(sentence) && drawn.contains(sentence),
            "{sentence}"
        );
    }
}

#[test]
fn text_cannot_break_out() {
    let nasty = "</title><script>alert(\"1\" & '2')</script>";
    let mut page = page();
    for field in [&mut page.title, &mut page.subtitle, &mut page.intro[0]] {
        *field = nasty.into();
    }
    page.facts = vec![(nasty.into(), nasty.into())];
    let claim = &mut page.claims[0];
    for field in [&mut claim.claim, &mut claim.measure, &mut claim.rule] {
        *field = nasty.into();
    }
    let figure = &mut page.figures[0];
    for field in [
        &mut figure.title,
        &mut figure.question,
        &mut figure.setting,
        &mut figure.conclusion,
    ] {
        *field = nasty.into();
    }
    let view = &mut figure.views[0];
    for field in [&mut view.title, &mut view.caption, &mut view.scale_label] {
        *field = nasty.into();
    }
    for panel in &mut view.panels {
        match panel {
            Panel::Plot(plot) => {
                plot.title = nasty.into();
                plot.series[0].name = nasty.into();
            }
            Panel::Dots(plot) => {
                plot.title = nasty.into();
                plot.x.label = nasty.into();
                plot.rows[0].name = nasty.into();
                plot.reference.as_mut().unwrap().label = nasty.into();
            }
            Panel::Matrix(panel) => {
                panel.title = nasty.into();
                panel.rows_label = nasty.into();
                panel.columns_label = nasty.into();
                panel.row_names[0] = nasty.into();
            }
            Panel::Raster(panel) => {
                panel.title = nasty.into();
            }
        }
    }
    let (svg, _) = whole_svg(view);
    assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"));
    let text = check_html(&page.to_html().unwrap());
    assert!(text.contains("&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)"));
}

#[test]
fn parts_that_do_not_fit_are_named() {
    let error = |change: &dyn Fn(&mut ReproductionPage)| {
        let mut page = page();
        change(&mut page);
        page.to_html().unwrap_err()
    };
    let panel = |panel: Panel| {
        let view = FigureView {
            panels: vec![panel],
            ..FigureView::default()
        };
        let from_file = view.to_svg().unwrap_err().to_string();
        let on_page = error(&|page| page.figures[0].views = vec![view.clone()]).to_string();
        assert_eq!(from_file, on_page);
        on_page
    };
    let short = error(&|page| page.figures[0].tables[0].rows[0].truncate(1));
    assert!(matches!(short, ReportError::Length { .. }));
    assert_eq!(
        short.to_string(),
        "cells in row 1 of the table Numbers of runs: expected 2, found 1"
    );
    let of = matrix(vec![Some(1.0); 3]);
    assert_eq!(
        panel(of.into()),
        "values of the matrix Couplings: expected 4, found 3"
    );
    let mut of = matrix(vec![None; 4]);
    of.row_names.push("C".into());
    assert_eq!(
        panel(of.into()),
        "row names of the matrix Couplings: expected 2, found 3"
    );
    let mut of = raster();
    of.spikes.push((10, 0));
    assert_eq!(
        panel(of.into()),
        "bin of a spike in the raster Free run: expected 0..10, found 10"
    );
    let mut of = raster();
    of.spikes.push((0, 3));
    assert!(panel(of.into()).starts_with("unit of a spike"));

    let unknown = error(&|page| page.claims[0].figure = "elsewhere".into());
    assert!(matches!(unknown, ReportError::Name { .. }));
    assert_eq!(
        unknown.to_string(),
        "figure of claim 2 (measure 2): expected one of runs, found \"elsewhere\""
    );
    for name in ["", "two words", "a\"b", "Capital"] {
        let error = error(&|page| {
            page.claims.clear();
            page.figures[0].name = name.into();
        });
        assert!(
            error.to_string().starts_with("name of figure 1: expected"),
            "{name}"
        );
    }
    let twice = error(&|page| page.figures.push(page.figures[0].clone()));
    assert!(
        twice
            .to_string()
            .contains("no other figure has, found \"runs\"")
    );
    for file in ["", "..", "../secret", "javascript:alert(1)", "a b.svg"] {
        let error = error(&|page| page.figures[0].files = vec![file.into()]);
        assert!(
            error.to_string().starts_with("file of the figure runs"),
            "{file}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_numbers_give_a_whole_page(
        numbers in prop::collection::vec(any_number(), 25),
        log in any::<[bool; 2]>(),
        band in any::<bool>(),
        ranged in any::<bool>(),
    ) {
        let mut dots = dots();
        dots.x.log = log[0];
        dots.range = ranged.then_some((numbers[0], numbers[1]));
        dots.reference.as_mut().unwrap().x = numbers[2];
        for (row, n) in dots.rows.iter_mut().zip(numbers[3..].chunks(5)) {
            row.value = Estimate { value: n[0], low: n[1], high: n[2] };
            row.ceiling = Some(n[3]);
            row.seeds = n[3..].to_vec();
        }
        let mut plot = range_plot();
        plot.series[0].band = band;
        plot.y.log = log[1];
        let points = plot.series[0].points.iter_mut().zip(numbers.chunks(4));
        for (point, n) in points {
            *point = PlotPoint { x: n[0], y: n[1], low: n[2], high: n[3] };
        }
        // A plain one with joined points, error bars and a line to compare with.
        let mut joined = plot.clone();
        joined.x.log = log[0];
        (joined.series[0].band, joined.series[0].joined) = (false, true);
        joined.horizontal = Some(Reference { y: numbers[24], label: "a value".into() });
        let values = numbers[18..22].iter().map(|n| Some(*n)).collect();
        let mut raster = raster();
        raster.bin_width_s = numbers[22];
        let view = FigureView {
            panels: vec![dots.into(), plot.into(), joined.into(), matrix(values).into(), raster.into()],
            ..FigureView::default()
        };
        whole_svg(&view);
        let mut page = page();
        page.figures[0].views = vec![view];
        page.figures[0].seconds = numbers[23];
        let claim = &mut page.claims[0];
        (claim.estimate, claim.low, claim.high) = (numbers[0], numbers[1], numbers[2]);
        check_html(&page.to_html().unwrap());
    }
}
