//! Figures of several kinds of panels: whole, and honest about gaps.

use super::well_formed;
use refire_report::{
    DotPlot, DotRow, Estimate, FigureView, MatrixPanel, ObjectiveRole, Plot, PlotAxis, PlotPoint,
    RasterPanel, ReproducedFigure, ReproductionPage, Role, Series, VerticalReference,
};

pub(super) fn dots() -> DotPlot {
    let row = |name: &str, role, value: f64| DotRow {
        name: name.into(),
        role,
        value: Estimate {
            value,
            low: value - 0.1,
            high: value + 0.1,
        },
        ceiling: Some(0.7),
        seeds: vec![value - 0.05, value + 0.05],
    };
    DotPlot {
        title: "Noise correlation".into(),
        x: PlotAxis::linear("R²"),
        rows: vec![
            row("MLE", Role::Objective(ObjectiveRole::Mle), -93.0),
            row("corrected", Role::Objective(ObjectiveRole::Corrected), 0.6),
            row(
                "triangle",
                Role::ObjectiveHollow(ObjectiveRole::Corrected),
                0.5,
            ),
        ],
        reference: Some(VerticalReference {
            x: 0.0,
            label: "mean".into(),
        }),
        range: Some((-0.5, 1.0)),
    }
}

pub(super) fn matrix(values: Vec<Option<f64>>) -> MatrixPanel {
    let names = vec!["A".to_owned(), "B".to_owned()];
    MatrixPanel {
        title: "Couplings".into(),
        rows_label: "source".into(),
        columns_label: "target".into(),
        size: (2, 2),
        values,
        row_names: names.clone(),
        column_names: names,
    }
}

pub(super) fn raster() -> RasterPanel {
    RasterPanel {
        title: "Free run".into(),
        role: Role::Objective(ObjectiveRole::Published),
        units: 3,
        bins: 10,
        bin_width_s: 0.02,
        spikes: vec![(0, 0), (9, 2)],
    }
}

pub(super) fn range_plot() -> Plot {
    let points = (0..5).map(|i| PlotPoint {
        x: f64::from(i),
        y: 2.0,
        low: if i == 2 { f64::NAN } else { 1.0 },
        high: 3.0,
    });
    Plot {
        title: "Rate".into(),
        series: vec![Series {
            name: "range of the data".into(),
            role: Role::Objective(ObjectiveRole::Data),
            points: points.collect(),
            band: true,
            ..Series::default()
        }],
        ..Plot::default()
    }
}

pub(super) fn view() -> FigureView {
    FigureView {
        title: "Everything".into(),
        caption: "What it shows.".into(),
        panels: vec![
            range_plot().into(),
            dots().into(),
            matrix(vec![Some(0.5), Some(-2.0), None, Some(1.5)]).into(),
            raster().into(),
        ],
        scale_label: "coupling (θ)".into(),
    }
}

pub(super) fn whole_svg(view: &FigureView) -> (String, String) {
    let svg = view.to_svg().unwrap();
    assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("@media"));
    let text = well_formed(&format!("<!DOCTYPE html>{svg}")).unwrap();
    (svg, text)
}

#[test]
fn a_figure_is_a_file_of_its_own() {
    let (svg, text) = whole_svg(&view());
    assert_eq!(svg, view().to_svg().unwrap());
    assert!(svg.starts_with("<svg xmlns=") && svg.contains("fill=\"#fff\"/>"));
    for words in [
        "Everything",
        "coupling (θ)",
        "single seeds",
        "Rate",
        "Couplings",
    ] {
        assert!(text.contains(words), "{words}");
    }
    // The same colours as on the page.
    let figure = ReproducedFigure {
        name: "a".into(),
        views: vec![view()],
        ..ReproducedFigure::default()
    };
    let page = ReproductionPage {
        figures: vec![figure],
        ..ReproductionPage::default()
    };
    let html = page.to_html().unwrap();
    let color = svg
        .split("style=\"fill:")
        .nth(4)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(html.contains(&format!("<h3 style=\"color:{color}\">Free run</h3>")));
}

#[test]
fn what_is_missing_or_beyond_is_said() {
    let mut plot = dots();
    plot.rows[1].value = Estimate::default();
    plot.rows[1].seeds = vec![f64::NAN];
    plot.rows[2].ceiling = Some(3.0);
    plot.reference.as_mut().unwrap().x = -7.0;
    let view = FigureView {
        panels: vec![plot.into()],
        ..FigureView::default()
    };
    let (_, text) = whole_svg(&view);
    for words in [
        "no value",
        "−93.0",
        "2 single seeds lie beyond the axis.",
        "1 single seed has no value.",
        "The line “mean” is missing or beyond the axis.",
        "1 ceiling is missing or beyond the axis.",
    ] {
        assert!(text.contains(words), "{words}");
    }
    // A gap parts a band in two; the other one is in the legend.
    let view = FigureView {
        panels: vec![range_plot().into()],
        ..FigureView::default()
    };
    let (svg, _) = whole_svg(&view);
    let bands = svg.split("fill-opacity=\"0.22\" d=\"").skip(1);
    let parts = bands.map(|band| band.split('"').next().unwrap().matches('M').count());
    assert_eq!(parts.max(), Some(2));
}

#[test]
fn long_lines_have_no_marks() {
    let marks = |points: u32| {
        let plot = Plot {
            series: vec![Series {
                joined: true,
                points: (0..points)
                    .map(|i| PlotPoint::exact(f64::from(i), 1.0))
                    .collect(),
                ..Series::default()
            }],
            ..Plot::default()
        };
        let view = FigureView {
            panels: vec![plot.into()],
            ..FigureView::default()
        };
        whole_svg(&view).0.matches("stroke=\"#fff\"").count()
    };
    assert_eq!((marks(60), marks(61)), (1, 0));
}

#[test]
fn matrices_of_a_figure_share_one_scale() {
    let bar = |views: Vec<MatrixPanel>| {
        let view = FigureView {
            panels: views.into_iter().map(Into::into).collect(),
            ..FigureView::default()
        };
        whole_svg(&view).1
    };
    let (small, large) = (matrix(vec![Some(0.5); 4]), matrix(vec![Some(4.0); 4]));
    assert!(bar(vec![small.clone()]).contains("≥ 0.5"));
    let both = bar(vec![small, large]);
    assert!(both.contains("≥ 4.00") && !both.contains("≥ 0.5"));
}
