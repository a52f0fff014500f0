//! The sections of a page, in reading order, and the parts they share.

pub(crate) mod couplings;
pub(crate) mod filters;
pub(crate) mod headline;
pub(crate) mod losses;
pub(crate) mod noise;
pub(crate) mod psth;
pub(crate) mod raster;
pub(crate) mod rates;
pub(crate) mod stability;
pub(crate) mod table;

use crate::svg::{DATA, Mark, Stroke, fill, fit_color, path, stroked};
use crate::text::escape;
use crate::{FitView, Report};

/// A fit with the colour it keeps through the page.
#[derive(Clone, Copy)]
pub(crate) struct Fit<'a> {
    pub(crate) view: &'a FitView,
    pub(crate) color: &'static str,
}

pub(crate) fn fits(report: &Report) -> Vec<Fit<'_>> {
    let color = |(index, view)| Fit {
        view,
        color: fit_color(index),
    };
    report.fits.iter().enumerate().map(color).collect()
}

impl Fit<'_> {
    /// The name of the fit; `model` where it has none.
    pub(crate) fn name(&self) -> &str {
        match self.view.name.trim() {
            "" => "model",
            name => name,
        }
    }
}

/// A section; `body` is HTML.
pub(crate) fn section(id: &str, title: &str, body: &str) -> String {
    format!("<section id=\"{id}\">\n<h2>{title}</h2>\n{body}</section>\n")
}

/// A plain paragraph, for what cannot be shown.
pub(crate) fn missing(sentence: &str) -> String {
    format!("<p class=\"missing\">{}</p>\n", escape(sentence))
}

/// A chart with a title above; `svg` is HTML.
pub(crate) fn panel(title: &str, color: &str, svg: &str) -> String {
    format!(
        "<div class=\"panel\"><h3 style=\"color:{color}\">{}</h3>{svg}</div>\n",
        escape(title)
    )
}

/// A panel that says why there is no chart.
pub(crate) fn missing_panel(title: &str, color: &str, sentence: &str) -> String {
    panel(title, color, &missing(sentence))
}

/// Panels with a legend above and a caption below: what is shown, and what to read from it.
pub(crate) fn figure(panels: &str, legend: &[Key], shows: &str, read: &str) -> String {
    let caption = format!(
        "<p>{}</p><p class=\"read\"><b>What to conclude.</b> {}</p>",
        escape(shows),
        escape(read)
    );
    captioned(panels, legend, &caption)
}

/// Panels with a legend above and a caption below; `caption` is HTML.
pub(crate) fn captioned(panels: &str, legend: &[Key], caption: &str) -> String {
    let keys: String = legend.iter().map(Key::html).collect();
    let legend = match keys.as_str() {
        "" => String::new(),
        keys => format!("<p class=\"legend\">{keys}</p>\n"),
    };
    // A single panel leaves room for its caption.
    let class = match panels.matches("<div class=\"panel\">").count() {
        1 => " class=\"beside\"",
        _ => "",
    };
    let caption = match caption {
        "" => String::new(),
        caption => format!("<figcaption>{caption}</figcaption>\n"),
    };
    format!("<figure{class}>\n{legend}<div class=\"panels\">\n{panels}</div>\n{caption}</figure>\n")
}

/// Lets the charts of a page with one fit take its whole width; a narrow screen then scrolls.
pub(crate) fn wide(fits: &[Fit<'_>], figure: String) -> String {
    if fits.len() == 1 {
        format!("<div class=\"wide\">{figure}</div>\n")
    } else {
        figure
    }
}

/// One entry of a legend: shapes in a box of [`Self::WIDTH`] by 14 pixels, and words.
pub(crate) struct Key<'a> {
    pub(crate) shape: String,
    pub(crate) text: &'a str,
}

impl<'a> Key<'a> {
    pub(crate) const WIDTH: f64 = 26.0;

    pub(crate) fn line(stroke: Stroke, text: &'a str) -> Self {
        let shape = path(&stroke.attributes(), "M1 7H25");
        Self { shape, text }
    }

    pub(crate) fn dot(color: &str, text: &'a str) -> Self {
        let shape = format!("<circle cx=\"13\" cy=\"7\" r=\"3.5\" fill=\"{color}\"/>");
        Self { shape, text }
    }

    pub(crate) fn area(color: &str, opacity: f64, text: &'a str) -> Self {
        let shape = path(&fill(color, opacity), "M1 1h24v12h-24z");
        Self { shape, text }
    }

    pub(crate) fn diamond(color: &str, text: &'a str) -> Self {
        let look = format!("fill=\"#fff\" stroke=\"{color}\" stroke-width=\"2\"");
        let shape = path(&look, "M13 1.5l5.5 5.5-5.5 5.5-5.5-5.5z");
        Self { shape, text }
    }

    pub(crate) fn marked(mark: Mark, joined: bool, text: &'a str) -> Self {
        let line = if joined { "M1 7H25" } else { "" };
        let shape = path(&stroked(mark.color, 1.6), line) + &mark.at(&[(13.0, 7.0)]);
        Self { shape, text }
    }

    pub(crate) fn interval(text: &'a str) -> Self {
        let bar = path(&stroked(DATA, 1.6), "M2 7H24M2 3.5v7M24 3.5v7");
        let shape = bar + &Mark::reference().at(&[(13.0, 7.0)]);
        Self { shape, text }
    }

    pub(crate) fn faint(text: &'a str) -> Self {
        let look = stroked(DATA, 4.2) + " stroke-opacity=\"0.5\" stroke-linecap=\"round\"";
        let shape = path(&look, "M7 7h.01M13 7h.01M20 7h.01");
        Self { shape, text }
    }

    pub(crate) fn tick(text: &'a str) -> Self {
        let shape = path(&stroked(DATA, 2.0), "M13 0v14");
        Self { shape, text }
    }

    fn html(&self) -> String {
        format!(
            "<span class=\"key\"><svg viewBox=\"0 0 {width} 14\" width=\"{width}\" height=\"14\" \
             aria-hidden=\"true\">{}</svg> {}</span>",
            self.shape,
            escape(self.text),
            width = Self::WIDTH
        )
    }
}

/// The legend of figures that show the data beside the fits as lines.
pub(crate) fn line_keys<'a>(fits: &'a [Fit<'a>]) -> Vec<Key<'a>> {
    let model = |fit: &'a Fit<'a>| Key::line(Stroke::solid(fit.color, 2.0), fit.name());
    std::iter::once(Key::line(Stroke::solid(DATA, 2.0), "data"))
        .chain(fits.iter().map(model))
        .collect()
}
