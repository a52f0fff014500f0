//! What a run writes: the page, the claims, and per figure an SVG file and a table of its numbers.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

use refire_recording::write_atomic;
use refire_report::{Finding, FoundClaim, ReproductionPage, number};
use serde_json::{Value, json};

use crate::plan::FIRST_SEED;
use crate::{Cache, Drawing, Plan, Reproduction, Size};

/// Name of the page.
const PAGE: &str = "reproduction.html";

/// Name of the file of claims.
const CLAIMS: &str = "claims.json";

/// Name of the short form, for documents and messages.
const SUMMARY: &str = "summary.md";

/// Writes everything into a folder that exists or is made; returns the path of the page.
///
/// # Errors
/// Where a file cannot be written.
pub fn write(out: &Path, plan: &Plan, cache: &Cache, found: &Reproduction) -> Result<PathBuf> {
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let write = |name: &str, contents: String| {
        let path = out.join(name);
        write_atomic(&path, contents.as_bytes()).with_context(|| path.display().to_string())
    };
    let mut figures = Vec::new();
    for drawing in &found.drawings {
        let mut figure = drawing.figure.clone();
        for (name, contents) in files(drawing)? {
            write(&name, contents)?;
            figure.files.push(name);
        }
        figures.push(figure);
    }
    let claims = found.claims();
    let lines: Vec<Value> = claims.iter().map(claim_json).collect();
    let json = format!("{:#}\n", Value::Array(lines));
    write(CLAIMS, json)?;
    write(SUMMARY, summary(plan, cache, found))?;
    let page = ReproductionPage {
        title: "What the fitted networks do, and what the paper says they do".into(),
        subtitle:
            "Bellec, Wang et al., Fitting summary statistics of neural data with a differentiable \
                   spiking network simulator, NeurIPS 2021 (arXiv 2106.10064)"
                .into(),
        intro: intro(),
        facts: facts(plan, cache, found),
        claims,
        figures,
    };
    write(PAGE, page.to_html()?)?;
    Ok(out.join(PAGE))
}

/// Names and contents of the files beside the page.
fn files(drawing: &Drawing) -> Result<Vec<(String, String)>> {
    let name = &drawing.figure.name;
    let mut files = vec![(format!("{name}.csv"), drawing.csv.to_string())];
    for (at, view) in drawing.figure.views.iter().enumerate() {
        files.push((svg_name(name, at), view.to_svg()?));
    }
    Ok(files)
}

/// Claims, figures and times as Markdown.
fn summary(plan: &Plan, cache: &Cache, found: &Reproduction) -> String {
    let mut text = String::from(
        "| claim | measure | estimate | 95 % interval | seeds | rule | verdict |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for claim in found.claims() {
        let (low, high) = (number(claim.low), number(claim.high));
        text += &format!(
            "| {}. {} | {} | {} | {low} to {high} | {} | {} | {} |\n",
            claim.number,
            claim.claim,
            claim.measure,
            number(claim.estimate),
            claim.seeds,
            claim.rule,
            word(claim.verdict),
        );
    }
    for (name, value) in facts(plan, cache, found) {
        text += &format!("\n{name}: {value}.\n");
    }
    for drawing in &found.drawings {
        let figure = &drawing.figure;
        text += &format!(
            "\n## {}\n\n{}\n\n{}\n\n",
            figure.title, figure.question, figure.setting
        );
        for (at, view) in figure.views.iter().enumerate() {
            let svg = svg_name(&figure.name, at);
            let title = if view.title.is_empty() {
                &figure.title
            } else {
                &view.title
            };
            text += &format!("![{title}]({svg})\n\n");
            // Views of one kind share their caption: it stands below the last of them.
            let next = figure.views.get(at + 1).map(|next| &next.caption);
            if next != Some(&view.caption) {
                text += &format!("{}\n\n", view.caption);
            }
        }
        text += &format!(
            "{}\n\n{:.0} s on one thread.\n",
            figure.conclusion, figure.seconds
        );
    }
    text
}

/// File of one view of a figure.
fn svg_name(figure: &str, view: usize) -> String {
    match view {
        0 => format!("{figure}.svg"),
        _ => format!("{figure}-{}.svg", view + 1),
    }
}

fn claim_json(claim: &FoundClaim) -> Value {
    json!({
        "number": claim.number,
        "claim": claim.claim,
        "measure": claim.measure,
        "estimate": claim.estimate,
        "interval": [claim.low, claim.high],
        "seeds": claim.seeds,
        "rule": claim.rule,
        "verdict": word(claim.verdict),
        "figure": claim.figure,
    })
}

fn word(finding: Finding) -> &'static str {
    match finding {
        Finding::Shown => "shown",
        Finding::NotShown => "not shown",
        Finding::Opposite => "opposite",
    }
}

fn intro() -> Vec<String> {
    let text = "The standard way to fit a recurrent spiking network to a recording is maximum likelihood \
                (MLE): every unit is told the recorded past and predicts the next bin. The paper adds \
                sample-and-measure terms: the network is left to run during the fit, statistics of its own \
                activity are compared with those of the data, and their error is back-propagated through \
                the simulated spikes. Every claim of the paper is tested here on networks whose truth is \
                known and, where a folder of recordings was given, on real ones. An estimate stands with \
                its 95 % Student interval over seeds: each seed draws its own network, recording and fit, or \
                its own split of a real recording; a share of cases has the exact interval. \
                The verdict follows from the interval by the rule beside it.";
    vec![text.into()]
}

fn facts(plan: &Plan, cache: &Cache, found: &Reproduction) -> Vec<(String, String)> {
    let size = match plan.size {
        Size::Quick => "quick: reduced sizes and few seeds, for a look; intervals are wide",
        Size::Standard => "standard",
        Size::Full => "full: the paper's sizes throughout",
    };
    let recordings: Vec<String> = plan
        .recordings
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    let mut facts = vec![
        ("Size of the run".to_string(), size.to_string()),
        (
            "Work".to_string(),
            format!(
                "{} work items, {:.0} minutes on one thread in all",
                found.units,
                found.seconds / 60.0
            ),
        ),
        (
            "Program".to_string(),
            format!(
                "refire {}, build {}",
                env!("CARGO_PKG_VERSION"),
                cache.build()
            ),
        ),
    ];
    facts.push((
        "Seeds".into(),
        format!(
            "{FIRST_SEED} and on; the settings of the figures were chosen while looking at seeds below"
        ),
    ));
    if let Some(seeds) = plan.seeds {
        facts.push(("Seeds per case".into(), seeds.to_string()));
    }
    if !recordings.is_empty() {
        facts.push(("Real recordings".into(), recordings.join(", ")));
    }
    if found.of_other_builds > 0 {
        let note = format!("{} work items", found.of_other_builds);
        facts.push(("Taken from earlier builds of the program".into(), note));
    }
    facts
}

impl Reproduction {
    /// All claims by number, then in the order of the figures.
    pub fn claims(&self) -> Vec<FoundClaim> {
        let all = self.drawings.iter().flat_map(|drawing| &drawing.claims);
        let mut claims: Vec<FoundClaim> = all.cloned().collect();
        claims.sort_by_key(|claim| claim.number);
        claims
    }

    /// The claims as a table for a terminal.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for claim in self.claims() {
            let (low, high) = (number(claim.low), number(claim.high));
            text += &format!(
                "{}  {:9}  {:>7} [{low}, {high}]  {}\n",
                claim.number,
                word(claim.verdict),
                number(claim.estimate),
                claim.measure,
            );
        }
        text
    }
}
