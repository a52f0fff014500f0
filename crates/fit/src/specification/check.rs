//! Whether the parts of a specification go together; what each may be by itself it checks itself.

use super::numbers::{at_least_1, positive, require};
use super::{
    CouplingKind, Drive, DriveKind, HistoryStart, HoldOut, ObjectiveKind, Optimiser, Priors,
    Specification,
};
use crate::FitError;
use refire_neuron::SpikeGradient;

impl Specification {
    /// Checks every number for its range, and that what is asked for goes together.
    ///
    /// # Errors
    /// [`FitError::Setting`] naming the setting, what is allowed and what was found.
    pub fn check(&self) -> Result<(), FitError> {
        self.network.check()?;
        self.drive.check()?;
        self.check_lbfgs()?;
        self.optimiser.check()?;
        self.check_checkpoints()?;
        at_least_1("batch", self.batch.trials, "1 or more trials")?;
        positive("coupling-prior", self.priors.coupling())?;
        positive("same-bin-prior", self.priors.same_bin())?;
        positive("drive-prior", self.priors.drive())?;
        positive("prior-tails", self.priors.tails.unwrap_or(Priors::TAILS))?;
        self.objective.check(self.network.hidden)?;
        let statistics = self.objective.statistics();
        let corrected = self.objective.corrected();
        for (name, count) in [
            ("checkpoint-bins", self.checkpoint_bins),
            ("noise-lags", statistics.and_then(|s| s.noise_lags())),
            ("noise-pairs", corrected.and_then(|c| c.noise.pairs)),
        ] {
            count.map_or(Ok(()), |n| at_least_1(name, n, "1 or more, or none"))?;
        }
        if let Some(piece) = self.trials.piece {
            positive("trial-length", piece.seconds)?;
            let allowed = "recorded where trials are cut: what comes before a piece is not silence";
            let recorded = self.network.history == HistoryStart::Recorded;
            require(recorded, "history", allowed, "zero")?;
            let (name, back) = match self.drive {
                Drive::Features { lags } => ("stimulus-lags", lags),
                Drive::Movie(shape) => ("movie-frames", shape.frames),
                Drive::None | Drive::Condition { .. } => ("stimulus-lags", 0),
            };
            let allowed = "at most one more than lags where trials are cut (trial-length 0: do not cut), as what was before a piece is not known";
            require(back <= self.network.lags + 1, name, allowed, back)?;
        }
        let unseen = self.held_out.what == HoldOut::Conditions;
        if unseen && self.drive.kind() == DriveKind::Condition {
            let allowed =
                "trials with the condition drive, which knows no condition that it has not seen";
            return Err(FitError::setting("hold-out", allowed, "conditions"));
        }
        for (name, found) in [
            ("test-fraction", self.held_out.test),
            ("validation-fraction", self.held_out.validation),
        ] {
            let holds = (0.0..1.0).contains(&found);
            require(holds, name, "0 or more and below 1", found)?;
        }
        Ok(())
    }

    /// Checks that there is a convex likelihood, which L-BFGS is for.
    fn check_lbfgs(&self) -> Result<(), FitError> {
        let Optimiser::Lbfgs { then, .. } = &self.optimiser else {
            return Ok(());
        };
        if let (Some(adam), ObjectiveKind::Mle) = (then, self.objective.kind()) {
            let allowed =
                "none behind the optimum of the likelihood, which is all of the objective";
            return Err(FitError::setting("iterations", allowed, adam.iterations));
        }
        let allowed = if self.network.hidden > 0 {
            "adam with hidden units (the likelihood is convex without them)"
        } else if self.drive.kind() == DriveKind::Movie {
            "adam with the movie drive (the likelihood is convex with a linear one)"
        } else if self.objective.likelihood().is_none() {
            "adam for an objective without the likelihood"
        } else if self.objective.is_published() {
            "adam with the published form"
        } else if self.checkpoint_bins.is_some() {
            "adam with checkpoint-bins (lbfgs keeps every bin)"
        } else if self.network.couplings.kind() != CouplingKind::Dense {
            "adam with sparse or low-rank couplings"
        } else if self.network.signs.observed_inhibitory.is_some() {
            "adam with signs of observed units (lbfgs has no bounds)"
        } else {
            return Ok(());
        };
        Err(FitError::setting("optimizer", allowed, "lbfgs"))
    }

    /// Checks that passes can be held window by window, where they are.
    fn check_checkpoints(&self) -> Result<(), FitError> {
        let Some(bins) = self.checkpoint_bins else {
            return Ok(());
        };
        let allowed = if self.optimiser.spike_gradient() == SpikeGradient::Score {
            "0 (keep every bin) with the score gradient"
        } else if self.objective.is_published() {
            "0 (keep every bin) with the published statistics"
        } else {
            return Ok(());
        };
        Err(FitError::setting("checkpoint-bins", allowed, bins))
    }
}
