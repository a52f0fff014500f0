//! The works that are timed, at the shapes the peers were first measured at.

use std::fmt;

/// One kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// A whole training step in the published form: both passes, all terms, gradient, Adam.
    Step,
    /// Free-running simulation alone.
    Sim,
    /// Likelihood and its gradient, teacher-forced, with Adam.
    Mle,
    /// The convex likelihood from silence to its optimum.
    Fit,
}

impl What {
    /// The word that refire's program and the peers' scripts know it by.
    pub fn word(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Sim => "sim",
            Self::Mle => "mle",
            Self::Fit => "fit",
        }
    }
}

/// One row: a work at one shape on one number of threads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    pub what: What,
    pub units: u32,
    pub hidden: u32,
    pub bins: u32,
    pub trials: u32,
    pub lags: u32,
    pub threads: u32,
    /// Timed calls of one run; the run reports their median.
    pub iterations: u32,
    /// Whether a step has the noise covariance among its terms.
    pub noise_covariance: bool,
    pub start: Start,
    /// The peers' time over refire's that is asked for at least.
    pub bound: Option<f64>,
    /// The most memory that refire may take, GB.
    pub memory_bound: Option<f64>,
    /// Large works are run once, whatever the number of rounds.
    pub once: bool,
}

/// What brings a peer's free run to about 0.1 spikes per bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// Steps of training before the timed ones: 30 take 69 units from 0.18 at zero biases to 0.11.
    Trained(u32),
    /// A bias of every unit, where training would take too long.
    Bias(f32),
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} units", self.what.word(), self.units)?;
        if self.hidden > 0 {
            write!(f, " + {} hidden", self.hidden)?;
        }
        write!(f, ", {} bins, {}T", self.bins, self.threads)?;
        if self.what == What::Step && !self.noise_covariance {
            write!(f, ", no noise covariance")?;
        }
        Ok(())
    }
}

/// The cases of `whats` in order. The large ones come where `large` asks for them; `quick` shrinks
/// every case to a trial of the command, whose figures mean nothing.
pub fn select(whats: &[What], large: bool, quick: bool) -> Vec<Case> {
    let mut cases: Vec<Case> = whats.iter().flat_map(|&what| cases_of(what)).collect();
    cases.retain(|case| large || !case.once);
    if quick {
        for case in &mut cases {
            (case.units, case.hidden) = (case.units.min(12), case.hidden.min(6));
            (case.bins, case.trials, case.iterations) = (40, 4, 2);
            (case.bound, case.memory_bound) = (None, None);
            if let Start::Trained(steps) = &mut case.start {
                *steps = (*steps).min(1);
            }
        }
    }
    cases
}

/// All cases of one kind of work. Bounds are those of the acceptance table.
fn cases_of(what: What) -> Vec<Case> {
    let small = |threads, bound| Case {
        what,
        units: 69,
        hidden: 0,
        bins: 641,
        trials: 20,
        lags: 9,
        threads,
        iterations: 20,
        noise_covariance: true,
        start: Start::Trained(0),
        bound,
        memory_bound: None,
        once: false,
    };
    let large = |units, hidden, bins, iterations, bound| Case {
        units,
        hidden,
        bins,
        iterations,
        start: Start::Bias(-1.15),
        once: true,
        ..small(2, bound)
    };
    match what {
        What::Step => {
            let trained = |case| Case {
                start: Start::Trained(30),
                memory_bound: Some(0.10),
                ..case
            };
            let with = [
                trained(small(1, Some(4.0))),
                trained(small(2, Some(6.0))),
                large(69, 431, 641, 5, Some(4.0)),
                large(1000, 0, 200, 5, Some(2.0)),
                large(2000, 0, 200, 3, None),
            ];
            let without = with.map(|case| Case {
                noise_covariance: false,
                bound: None,
                memory_bound: None,
                ..case
            });
            with.into_iter()
                .zip(without)
                .flat_map(|(a, b)| [a, b])
                .collect()
        }
        What::Sim => vec![
            small(1, Some(4.0)),
            small(2, None),
            large(1000, 0, 641, 5, Some(3.0)),
        ],
        What::Mle => vec![small(1, None), small(2, Some(4.0))],
        What::Fit => vec![Case {
            iterations: 3,
            ..small(2, None)
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(whats: &[What], large: bool) -> Vec<String> {
        let cases = select(whats, large, false);
        cases.iter().map(Case::to_string).collect()
    }

    #[test]
    fn each_step_comes_with_and_without_the_noise_covariance() {
        let expected = [
            "step, 69 units, 641 bins, 1T",
            "step, 69 units, 641 bins, 1T, no noise covariance",
            "step, 69 units, 641 bins, 2T",
            "step, 69 units, 641 bins, 2T, no noise covariance",
        ];
        assert_eq!(printed(&[What::Step], false), expected);
    }

    #[test]
    fn large_networks_are_asked_for() {
        let expected = [
            "sim, 69 units, 641 bins, 1T",
            "sim, 69 units, 641 bins, 2T",
            "sim, 1000 units, 641 bins, 2T",
        ];
        assert_eq!(printed(&[What::Sim], true), expected);
        assert_eq!(printed(&[What::Sim], false), expected[..2]);
        assert_eq!(printed(&[What::Step], true).len(), 10);
    }

    #[test]
    fn only_the_whole_step_is_held_to_a_bound() {
        for case in select(&[What::Step], true, false) {
            let bounds = [case.bound, case.memory_bound];
            assert!(case.noise_covariance || bounds == [None; 2], "{case}");
            assert_eq!(
                case.memory_bound.is_some(),
                case.noise_covariance && !case.once
            );
        }
    }

    #[test]
    fn a_quick_run_has_the_same_rows_at_small_sizes() {
        let all = [What::Step, What::Sim, What::Mle, What::Fit];
        let quick = select(&all, true, true);
        assert_eq!(quick.len(), select(&all, true, false).len());
        assert!(
            quick
                .iter()
                .all(|case| case.units <= 12 && case.bound.or(case.memory_bound).is_none())
        );
    }
}
