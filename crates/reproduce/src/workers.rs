//! Work items on several threads: each by one thread, the longest first, kept as soon as it is done.

use anyhow::{Context, Result, anyhow};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use rayon::ThreadPoolBuilder;

use crate::cache::{Cache, Done};
use crate::figure::Job;

/// What a progress bar is told.
#[derive(Clone, Debug)]
pub enum Progress<'a> {
    /// A unit has begun.
    Begun {
        /// Its figure.
        figure: &'a str,
        /// Which unit.
        label: &'a str,
    },
    /// A unit is finished, or was found finished.
    Finished {
        /// About how long it takes on one thread, seconds, as planned.
        planned: f64,
        /// Whether it had been finished before.
        cached: bool,
    },
}

/// Does what the cache does not have; results in the order of the jobs, and whether each was done by this
/// build. After a failure no further unit begins; those that are done are kept.
///
/// One thread per unit and not all threads on each: units are independent, so that this is the fewest
/// seconds, and no result depends on the number of threads either way.
pub(crate) fn run(
    jobs: &[Job<'_>],
    cache: &Cache,
    threads: usize,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<(Done, bool)>> {
    let mut results: Vec<Option<(Done, bool)>> = Vec::with_capacity(jobs.len());
    for job in jobs {
        let known = cache.get(job);
        if known.is_some() {
            progress(Progress::Finished {
                planned: job.seconds,
                cached: true,
            });
        }
        results.push(known);
    }
    let mut open: Vec<usize> = (0..jobs.len())
        .filter(|&at| results[at].is_none())
        .collect();
    open.sort_by(|&a, &b| jobs[b].seconds.total_cmp(&jobs[a].seconds));
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let found: Mutex<Vec<(usize, Result<Done>)>> = Mutex::default();
    let work = || {
        let pool = ThreadPoolBuilder::new().num_threads(1).build()?;
        while !failed.load(Ordering::Relaxed) {
            let Some(&at) = open.get(next.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            let job = &jobs[at];
            progress(Progress::Begun {
                figure: job.figure,
                label: &job.label,
            });
            let done = pool.install(|| one(job, cache));
            failed.fetch_or(done.is_err(), Ordering::Relaxed);
            progress(Progress::Finished {
                planned: job.seconds,
                cached: false,
            });
            let mut found = found.lock().unwrap_or_else(|held| held.into_inner());
            found.push((at, done));
        }
        anyhow::Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.clamp(1, open.len().max(1)))
            .map(|_| scope.spawn(work))
            .collect();
        let mut ends = workers.into_iter().map(|worker| worker.join());
        ends.try_for_each(|end| {
            end.unwrap_or_else(|_| Err(anyhow!("the program failed: a worker")))
        })
    })?;
    let mut found = found.into_inner().unwrap_or_else(|held| held.into_inner());
    found.sort_by_key(|(at, _)| *at);
    for (at, done) in found {
        results[at] = Some((done?, true));
    }
    Ok(results.into_iter().flatten().collect())
}

/// One unit, timed and kept.
fn one(job: &Job<'_>, cache: &Cache) -> Result<Done> {
    let start = Instant::now();
    let found = catch_unwind(AssertUnwindSafe(|| (job.run)())).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(anyhow!("the program failed: {}", text.unwrap_or_default()))
    });
    let found = found.with_context(|| format!("{}, {}", job.figure, job.label))?;
    let done = Done {
        label: job.label.clone(),
        settings: job.settings.clone(),
        seconds: start.elapsed().as_secs_f64(),
        found,
    };
    cache.put(job, &done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn jobs<'a>(
        count: usize,
        run: impl Fn(usize) -> Result<Value> + Send + Sync + Copy + 'a,
    ) -> Vec<Job<'a>> {
        let job = |at: usize| Job {
            figure: "toy",
            label: format!("unit {at}"),
            seconds: at as f64,
            settings: json!({ "at": at }),
            run: Box::new(move || run(at)),
        };
        (0..count).map(job).collect()
    }

    #[test]
    fn finished_units_are_not_done_again_and_results_keep_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::of_build(folder.path(), "b").unwrap();
        let calls = AtomicUsize::new(0);
        let square = |at: usize| {
            calls.fetch_add(1, Ordering::Relaxed);
            Ok(json!(at * at))
        };
        for (count, threads) in [(3, 1), (7, 3), (7, 2)] {
            let found = run(&jobs(count, square), &cache, threads, &|_| {}).unwrap();
            let found: Vec<Value> = found.into_iter().map(|(done, _)| done.found).collect();
            let expected: Vec<Value> = (0..count).map(|at| json!(at * at)).collect();
            assert_eq!(found, expected);
        }
        assert_eq!(calls.load(Ordering::Relaxed), 7);
    }

    #[test]
    fn a_failure_is_named_and_what_was_done_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::of_build(folder.path(), "b").unwrap();
        // The longest first: 4, then 3, which fails.
        let fails = |at: usize| match at {
            3 => panic!("no such network"),
            _ => Ok(json!(at)),
        };
        let all = jobs(5, fails);
        let error = format!("{:#}", run(&all, &cache, 1, &|_| {}).unwrap_err());
        assert!(error.starts_with("toy, unit 3:") && error.contains("no such network"));
        assert!(cache.get(&all[4]).is_some() && cache.get(&all[2]).is_none());
    }
}
