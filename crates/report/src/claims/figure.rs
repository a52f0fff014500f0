//! Figures: plots beside each other, their legend, and the caption.

use super::data::{FigureView, Role, Series};
use super::plot::{chart, is_bare_line, left_out, mark};
use crate::sections::{Key, captioned, missing, panel};
use crate::svg::DATA;
use crate::text::escape;

pub(crate) fn html(figure: &FigureView) -> String {
    let heading = match figure.title.as_str() {
        "" => String::new(),
        title => format!("<h3 class=\"heading\">{}</h3>\n", escape(title)),
    };
    // Two or four panels fill rows of two, other numbers rows of three; one stands by its caption.
    let (width, height) = match figure.panels.len() {
        1 => (560.0, 340.0),
        2 | 4 => (525.0, 300.0),
        _ => (345.0, 270.0),
    };
    let panels: String = figure
        .panels
        .iter()
        .map(|plot| {
            let svg = match chart(plot, width, height) {
                Some(chart) => chart.finish(&description(plot)),
                None => missing("There is no point to show."),
            };
            let note = left_out(plot).map(|note| missing(&note));
            panel(&plot.title, DATA, &(svg + &note.unwrap_or_default()))
        })
        .collect();
    if panels.is_empty() {
        return heading + &missing("This figure has no plot.");
    }
    let series = figure.panels.iter().flat_map(|plot| &plot.series);
    let caption = match figure.caption.as_str() {
        "" => String::new(),
        caption => format!("<p>{}</p>", escape(caption)),
    };
    heading + &captioned(&panels, &keys(series), &caption)
}

/// What a reader who cannot see the plot is told.
pub(crate) fn description(plot: &super::data::Plot) -> String {
    let axes = format!("{} against {}", plot.y.label, plot.x.label);
    match plot.title.as_str() {
        "" => axes,
        title => format!("{title}: {axes}"),
    }
}

/// One entry per name and look, in the order of their first appearance.
pub(crate) fn keys<'a>(series: impl IntoIterator<Item = &'a Series>) -> Vec<Key<'a>> {
    let mut known: Vec<(&str, Role, bool)> = Vec::new();
    let mut keys = Vec::new();
    for series in series {
        let look = (series.name.as_str(), series.role, series.joined);
        if series.name.is_empty() || known.contains(&look) {
            continue;
        }
        known.push(look);
        keys.push(if is_bare_line(series) {
            Key::Dashed(DATA, &series.name)
        } else {
            Key::Marked(mark(series.role), series.joined, &series.name)
        });
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::data::{Plot, PlotPoint};

    fn series(name: &str, role: Role, joined: bool) -> Series {
        Series {
            name: name.into(),
            role,
            joined,
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
            panels: vec![plot.clone(), plot],
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
