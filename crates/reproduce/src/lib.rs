#![doc = include_str!("../README.md")]

mod cache;
mod connectivity;
mod csv;
mod evidence;
mod figure;
mod figures;
mod fits;
mod output;
mod panels;
mod plan;
mod recordings;
mod workers;

use anyhow::Result;

pub use cache::Cache;
pub use csv::Csv;
pub use figure::Drawing;
pub use output::write;
pub use plan::{Plan, Size};
pub use workers::Progress;

/// Names of the figures in reading order.
pub fn names() -> &'static [&'static str] {
    &figures::NAMES
}

/// What a run found.
#[derive(Clone, Debug)]
pub struct Reproduction {
    /// The figures in reading order.
    pub drawings: Vec<Drawing>,
    /// Work items, and how many of them an earlier build of the program has done.
    pub units: usize,
    /// Of these, those that [`Cache::with_other_builds`] took from other builds.
    pub of_other_builds: usize,
    /// Sum over units of the seconds that each took on one thread.
    pub seconds: f64,
}

/// Number of work items of a plan and their planned seconds on one thread.
///
/// # Errors
/// For an unknown figure or a recording that cannot be read.
pub fn planned(plan: &Plan) -> Result<(usize, f64)> {
    plan.check(&figures::NAMES)?;
    let mut total = (0, 0.0);
    for figure in figures::all()
        .iter()
        .filter(|figure| plan.has(figure.name()))
    {
        for job in figure.jobs(plan)? {
            total = (total.0 + 1, total.1 + job.seconds);
        }
    }
    Ok(total)
}

/// Does all work items of a plan that the cache does not have, `threads` at a time, and draws the
/// figures. The result does not depend on `threads`.
///
/// # Errors
/// Where a unit cannot be done; what is finished stays in the cache.
pub fn reproduce(
    plan: &Plan,
    cache: &Cache,
    threads: usize,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Reproduction> {
    plan.check(&figures::NAMES)?;
    let all = figures::all();
    let chosen: Vec<_> = all
        .iter()
        .filter(|figure| plan.has(figure.name()))
        .collect();
    let mut jobs = Vec::new();
    let mut counts = Vec::new();
    for figure in &chosen {
        let of_figure = figure.jobs(plan)?;
        counts.push(of_figure.len());
        jobs.extend(of_figure);
    }
    let done = workers::run(&jobs, cache, threads, progress)?;
    let (units, of_other_builds) = (done.len(), done.iter().filter(|(_, own)| !own).count());
    let seconds = done.iter().map(|(done, _)| done.seconds).sum();
    let mut done = done.into_iter();
    let mut drawings = Vec::new();
    for (figure, count) in chosen.iter().zip(counts) {
        let of_figure: Vec<_> = done.by_ref().take(count).map(|(done, _)| done).collect();
        let seconds = of_figure.iter().map(|done| done.seconds).sum();
        let found = of_figure.into_iter().map(|done| done.found).collect();
        let mut drawing = figure.draw(plan, found)?;
        drawing.figure.name = figure.name().into();
        drawing.figure.seconds = seconds;
        for claim in &mut drawing.claims {
            claim.figure = figure.name().into();
        }
        drawings.push(drawing);
    }
    Ok(Reproduction {
        drawings,
        units,
        of_other_builds,
        seconds,
    })
}
