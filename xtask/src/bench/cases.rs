//! The works that are timed, at the shapes the peers were first measured at.

use std::fmt;

/// One kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// A whole training step in the published form: both passes, all terms, gradient, Adam.
    Step,
    /// Free-running simulation alone.
    Sim,
    /// Likelihood and its gradient, clamped to the data, with Adam.
    Mle,
}

impl What {
    /// The word that refire's example and the peers' scripts know it by.
    pub fn word(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Sim => "sim",
            Self::Mle => "mle",
        }
    }
}

/// One row: a work at one shape on one number of threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Steps a peer trains before it is timed. The peers start from zero biases, at 0.18 spikes per bin;
    /// 30 steps bring them to 0.11, where they stay.
    pub peer_training: u32,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} units", self.what.word(), self.units)?;
        if self.hidden > 0 {
            write!(f, " + {} hidden", self.hidden)?;
        }
        write!(f, ", {} bins, {}T", self.bins, self.threads)
    }
}

/// The cases of `whats` in order, each on one and on two threads; the large ones on two.
pub fn select(whats: &[What], large: bool) -> Vec<Case> {
    let of = |what, units, hidden, bins, threads, iterations| Case {
        what,
        units,
        hidden,
        bins,
        trials: 20,
        lags: 9,
        threads,
        iterations,
        peer_training: if what == What::Step { 30 } else { 0 },
    };
    let mut cases = Vec::new();
    for &what in whats {
        cases.extend([1, 2].map(|threads| of(what, 69, 0, 641, threads, 20)));
        if large {
            match what {
                What::Step => {
                    cases.extend([of(what, 69, 431, 641, 2, 5), of(what, 1000, 0, 200, 2, 5)])
                }
                What::Sim => cases.push(of(what, 1000, 0, 641, 2, 5)),
                What::Mle => {}
            }
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(whats: &[What], large: bool) -> Vec<String> {
        select(whats, large).iter().map(Case::to_string).collect()
    }

    #[test]
    fn each_work_runs_on_one_and_two_threads() {
        let expected = ["sim, 69 units, 641 bins, 1T", "sim, 69 units, 641 bins, 2T"];
        assert_eq!(printed(&[What::Sim], false), expected);
    }

    #[test]
    fn large_networks_are_asked_for() {
        let expected = [
            "step, 69 units, 641 bins, 1T",
            "step, 69 units, 641 bins, 2T",
            "step, 69 units + 431 hidden, 641 bins, 2T",
            "step, 1000 units, 200 bins, 2T",
        ];
        assert_eq!(printed(&[What::Step], true), expected);
    }

    #[test]
    fn only_a_step_trains_before_it_is_timed() {
        let trained: Vec<_> = select(&[What::Step, What::Sim, What::Mle], false)
            .iter()
            .map(|case| (case.what, case.peer_training > 0))
            .collect();
        assert!(
            trained
                .iter()
                .all(|&(what, trains)| trains == (what == What::Step))
        );
    }
}
