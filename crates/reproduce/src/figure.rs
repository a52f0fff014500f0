//! What a figure is: work items that are done once, and a drawing of what they found.

use anyhow::Result;
use refire_report::FoundClaim;
use refire_report::ReproducedFigure;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Plan;
use crate::csv::Csv;

/// A figure of the paper, or beyond it.
pub(crate) trait Figure: Sync {
    /// Settings of one work item: everything that decides what it finds.
    type Item: Serialize + Clone + Send + Sync;
    /// What a unit finds. Numbers that may not exist are `Option`s: files hold no NaN.
    type Found: Serialize + DeserializeOwned;

    /// Name on the command line and stem of its files.
    fn name(&self) -> &'static str;

    /// Every work item of a plan, in the order of the drawing.
    fn items(&self, plan: &Plan) -> Result<Vec<Self::Item>>;

    /// A few words for the progress bar.
    fn label(&self, item: &Self::Item) -> String;

    /// About how long a unit takes, seconds on one thread: decides order and progress bar, nothing else.
    fn seconds(&self, item: &Self::Item) -> f64;

    /// Does the work. The result depends on the unit alone, not on threads.
    fn measure(&self, item: &Self::Item) -> Result<Self::Found>;

    /// Draws what was found and judges the claims.
    fn draw(&self, plan: &Plan, found: &[(Self::Item, Self::Found)]) -> Drawing;
}

/// What a figure shows.
#[derive(Clone, Debug, Default)]
pub struct Drawing {
    /// Its section of the page; seconds and file names are filled in by the run.
    pub figure: ReproducedFigure,
    /// The claims it speaks to.
    pub claims: Vec<FoundClaim>,
    /// Every number in it.
    pub csv: Csv,
}

/// A work item of any figure.
pub(crate) struct Job<'a> {
    pub(crate) figure: &'static str,
    pub(crate) label: String,
    pub(crate) seconds: f64,
    /// Settings of the unit, of which the key is made.
    pub(crate) settings: Value,
    pub(crate) run: Box<dyn Fn() -> Result<Value> + Send + Sync + 'a>,
}

/// A figure of any kind.
pub(crate) trait AnyFigure: Sync {
    fn name(&self) -> &'static str;
    fn jobs<'a>(&'a self, plan: &Plan) -> Result<Vec<Job<'a>>>;
    /// `found` as [`Self::jobs`] are ordered.
    fn draw(&self, plan: &Plan, found: Vec<Value>) -> Result<Drawing>;
}

impl<F: Figure> AnyFigure for F {
    fn name(&self) -> &'static str {
        Figure::name(self)
    }

    fn jobs<'a>(&'a self, plan: &Plan) -> Result<Vec<Job<'a>>> {
        let job = |item: F::Item| {
            Ok(Job {
                figure: Figure::name(self),
                label: self.label(&item),
                seconds: self.seconds(&item),
                settings: serde_json::to_value(&item)?,
                run: Box::new(move || Ok(serde_json::to_value(self.measure(&item)?)?)),
            })
        };
        let items = self.items(plan)?;
        items.into_iter().map(job).collect()
    }

    fn draw(&self, plan: &Plan, found: Vec<Value>) -> Result<Drawing> {
        let found: Vec<F::Found> = found
            .into_iter()
            .map(serde_json::from_value)
            .collect::<Result<_, _>>()?;
        let found: Vec<_> = self.items(plan)?.into_iter().zip(found).collect();
        Ok(Figure::draw(self, plan, &found))
    }
}
