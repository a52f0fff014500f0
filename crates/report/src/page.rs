//! The page: head, style, and the sections in reading order.

use crate::sections::{
    couplings, headline, losses, missing, noise, psth, raster, rates, section, stability, table,
};
use crate::text::{escape, within};
use crate::{Report, ReportError, check};

/// What drawings need, on a page or alone.
pub(crate) const CHART_STYLE: &str = include_str!("chart.css");
const STYLE: &str = include_str!("style.css");

/// A document around a page: `title`, which may be empty, `otherwise` and `subtitle` are plain
/// text, `body` is HTML.
pub(crate) fn document(title: &str, otherwise: &str, subtitle: &str, body: &str) -> String {
    let title = escape(match title.trim() {
        "" => otherwise,
        title => title,
    });
    let subtitle = within("<p class=\"subtitle\">", subtitle, "</p>\n");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{title}</title>\n<style>\n{CHART_STYLE}{STYLE}</style>\n</head>\n<body>\n\
         <main>\n<header>\n<h1>{title}</h1>\n{subtitle}</header>\n{body}</main>\n</body>\n\
         </html>\n"
    )
}

/// Paragraphs of plain text.
pub(crate) fn paragraphs(texts: &[String]) -> String {
    let paragraph = |text: &String| format!("<p>{}</p>\n", escape(text));
    texts.iter().map(paragraph).collect()
}

/// A list of names and values.
pub(crate) fn facts(facts: &[(String, String)]) -> String {
    let mut list = String::from("<dl class=\"facts\">\n");
    for (name, value) in facts {
        list += &format!(
            "<div><dt>{}</dt><dd>{}</dd></div>\n",
            escape(name),
            escape(value)
        );
    }
    list + "</dl>\n"
}

impl Report {
    /// The page as one HTML document: no network, no script; the same report gives the same
    /// bytes.
    ///
    /// # Errors
    /// [`ReportError::Length`] and [`ReportError::OutOfRange`] where parts that belong together
    /// do not fit, e.g. a spike in a bin that is not shown. Empty parts and numbers that are not
    /// finite are no errors: the page says what is missing.
    pub fn to_html(&self) -> Result<String, ReportError> {
        check::report(self)?;
        let mut page = headline::html(self);
        page += &paragraphs(&self.intro);
        if !self.fits.is_empty() {
            page += CONTENTS;
        }
        page += &self.facts();
        page += &table::html(self);
        if !self.fits.is_empty() {
            for html in [
                losses::html,
                raster::html,
                psth::html,
                noise::html,
                couplings::html,
                rates::html,
                stability::html,
            ] {
                page += &html(self);
            }
        }
        page += &glossary("");
        Ok(document(&self.title, "Fit report", &self.subtitle, &page))
    }

    fn facts(&self) -> String {
        let mut body = String::new();
        if self.facts.is_empty() {
            body += &missing("Nothing is noted about the recording and the fit.");
        } else {
            body += &facts(&self.facts);
        }
        if !self.notes.is_empty() {
            body += "<div class=\"notes\"><h3>To keep in mind</h3>\n<ul>\n";
            for note in &self.notes {
                body += &format!("<li>{}</li>\n", escape(note));
            }
            body += "</ul></div>\n";
        }
        section("facts", "What was fitted", &body)
    }
}

const CONTENTS: &str = "<nav class=\"contents\" aria-label=\"Contents\">
<a href=\"#facts\">What was fitted</a> <a href=\"#figures\">Figures</a> \
<a href=\"#losses\">Losses</a> <a href=\"#raster\">Spikes</a> <a href=\"#psth\">PSTH</a> \
<a href=\"#noise\">Noise correlations</a> <a href=\"#couplings\">Couplings</a> \
<a href=\"#rates\">Rates</a> <a href=\"#stability\">Left to run on its own</a> \
<a href=\"#words\">Words used here</a>
</nav>\n";

/// The words that pages use, and more of them; `more` is HTML.
pub(crate) fn glossary(more: &str) -> String {
    format!("{WORDS}{more}</dl>\n</section>\n")
}

const WORDS: &str = "<section id=\"words\">\n<h2>Words used here</h2>\n<dl class=\"words\">
<div><dt>unit</dt><dd>a neuron or cluster of the recording (observed), or one that the model adds \
to stand for neurons nobody recorded (hidden)</dd></div>
<div><dt>bin, trial, condition</dt><dd>the time step of the model; one stretch of recording; what \
was presented or asked for in it. Trials of one condition are repeats of each other</dd></div>
<div><dt>teacher-forced</dt><dd>the model is fed the recorded spikes and predicts the next bin; this is \
what the likelihood (MLE) measures</dd></div>
<div><dt>free-running</dt><dd>the model is fed its own spikes only, as tissue is</dd></div>
<div><dt>MLE</dt><dd>maximum likelihood: fitting by teacher-forced prediction alone</dd></div>
<div><dt>sample-and-measure</dt><dd>fitting that also runs the network freely, measures statistics \
of its spikes and compares them with those of the data; corrected terms are the published ones \
without their biases</dd></div>
<div><dt>spike gradient</dt><dd>what stands in for the derivative of a simulated spike, which is \
there or not and has none: “escape” is the slope of the firing probability, times the \
dampening</dd></div>
<div><dt>PSTH</dt><dd>peri-stimulus time histogram: the rate of a unit in each bin, averaged over \
repeats</dd></div>
<div><dt>noise correlation</dt><dd>the correlation of two units over repeats of the same \
condition, after the mean response is taken away</dd></div>
<div><dt>coupling, lag, drive</dt><dd>what a spike of one unit adds to the input of another; the \
time since that spike; the input of a unit, from which its probability of firing \
follows</dd></div>
<div><dt>threshold θ</dt><dd>the unit in which couplings are given: an input higher by θ \
multiplies the odds of a spike in a bin by 2.7</dd></div>
";
