//! A figure on a page: panels beside each other, their legend, and the caption.

use super::FigureView;
use super::drawing::{Colors, Drawing, Grid, legend};
use crate::sections::{captioned, missing, panel};
use crate::svg::{color_bar, document};
use crate::text::within;

pub(crate) fn html(figure: &FigureView) -> String {
    let heading = within("<h3 class=\"heading\">", &figure.title, "</h3>\n");
    if figure.panels.is_empty() {
        return heading + &missing("This figure has no plot.");
    }
    let (grid, colors) = (Grid::new(figure), Colors::new(figure));
    let panels: String = figure
        .panels
        .iter()
        .map(|panel| html_of(&panel.draw(grid, colors.as_ref())))
        .collect();
    let bar = colors.map_or_else(String::new, |colors| {
        let bar = color_bar(
            colors.scale,
            &figure.scale_label,
            colors.gaps.then_some(NO_VALUE),
        );
        format!("<div class=\"colorbar\">{bar}</div>\n")
    });
    let caption = within("<p>", &figure.caption, "</p>");
    heading + &bar + &captioned(&panels, &legend(figure), &caption)
}

/// What grey cells of a matrix are.
pub(crate) const NO_VALUE: &str = "no value";

fn html_of(drawing: &Drawing<'_>) -> String {
    let svg = drawing.shapes.as_ref().map_or_else(String::new, |shapes| {
        document(
            shapes.width,
            shapes.height,
            &shapes.description,
            &shapes.body,
        )
    });
    let notes: String = drawing.notes.iter().map(|note| missing(note)).collect();
    panel(drawing.title, drawing.color, &(svg + &notes))
}

#[cfg(test)]
mod tests {
    use super::super::drawing::keys;
    use super::*;
    use crate::{Plot, PlotPoint, Role, Series};

    fn series(name: &str, role: Role, joined: bool) -> Series {
        Series {
            name: name.into(),
            role,
            joined,
            band: false,
            points: vec![PlotPoint::exact(1.0, 2.0), PlotPoint::exact(2.0, 2.0)],
        }
    }

    #[test]
    fn panels_share_one_legend() {
        let plot = Plot {
            series: vec![
                series("theory", Role::Reference, true),
                series("published", Role::Series(0), true),
                series("", Role::Series(1), true),
            ],
            ..Plot::default()
        };
        let figure = FigureView {
            panels: vec![plot.clone().into(), plot.into()],
            ..FigureView::default()
        };
        let html = html(&figure);
        assert_eq!(html.matches("class=\"key\"").count(), 2);
        assert_eq!(html.matches("class=\"panel\"").count(), 2);
        // Same name, another look: another entry.
        let other = [
            series("published", Role::Series(0), true),
            series("published", Role::Series(0), false),
        ];
        assert_eq!(keys(&other).len(), 2);
    }
}
