//! From raw options to the specification of a fit: the one place where that is done.

use super::super::failure::Failure;
use super::names::{AutoText, HistoryName};
use super::raw::FitOptions;
use refire::drive::MovieShape;
use refire::fit::{
    CouplingKind, Couplings, Drive, DriveKind, Facts, FitError, Form, HoldOut, NetworkSpec,
    Objective, ObjectiveKind, Optimiser, OptimiserKind, Piece, Ridge, Specification, Statistics,
    Steps, Switch, Synapses,
};
use refire::neuron::SpikeGradient;
use refire::recording::{BinWidth, NpzFile, Recording};
use refire::sim::Connectivity;
use std::path::Path;
use std::sync::Arc;

fn refused<X>(name: &'static str, allowed: &'static str, found: String) -> Result<X, Failure> {
    Err(FitError::Setting {
        name,
        allowed,
        found,
    }
    .into())
}

/// Overwrites a number where an option is given.
fn set<X: Copy>(into: &mut X, given: Option<X>) {
    if let Some(given) = given {
        *into = given;
    }
}

impl FitOptions {
    /// The recording in the pieces asked for; else in those of `start`, or those that a continuous recording has
    /// unless said.
    pub fn cut(
        &self,
        recording: Recording,
        start: Option<&Specification>,
    ) -> Result<Recording, Failure> {
        let of_start = start.map(|start| start.trials.piece);
        let seconds = match (self.trial_length.as_deref(), of_start) {
            (Some("0"), _) => None,
            (Some(text), _) => {
                let parsed = text.parse::<BinWidth>();
                let parsed = parsed.map_err(|e| {
                    Failure::input(format!("--trial-length {text}: {e} (0: do not cut)"))
                })?;
                Some(parsed.seconds())
            }
            (None, Some(piece)) => piece.map(|piece| piece.seconds),
            (None, None) if self.history == Some(HistoryName::Zero) => None,
            (None, None) => {
                let lags = self.lags.unwrap_or(NetworkSpec::default().lags);
                Piece::default_seconds(&recording, lags)
            }
        };
        Ok(match seconds {
            Some(seconds) => {
                let bins = Piece::bins(seconds, recording.bin_width());
                let pieces = recording.pieces_of(bins);
                recording.cut(pieces)?
            }
            None => recording,
        })
    }

    /// The specification of a fit of `recording`, [cut](Self::cut) as asked for: these options over those of `start`, or over the
    /// defaults.
    pub fn resolve(
        &self,
        recording: &Recording,
        start: Option<&Specification>,
    ) -> Result<Specification, Failure> {
        self.check_numbers()?;
        let kind = self.objective.map(ObjectiveKind::from);
        let form = self.form.map(Form::from);
        let mut spec = match start {
            Some(start) => start.clone(),
            None => Specification::with_form(
                recording,
                kind.unwrap_or_default(),
                form.unwrap_or_default(),
            ),
        };
        // Another one than that of a start is then refused by its name.
        spec.trials.piece = Facts::from(recording).piece;
        if let (Some(start), true) = (start, kind.is_some() || form.is_some()) {
            spec.objective = other_objective(recording, &start.objective, kind, form);
        }
        self.set_network(&mut spec)?;
        self.set_drive(&mut spec)?;
        self.set_objective(&mut spec, form)?;
        set(&mut spec.batch.trials, self.batch);
        set(&mut spec.batch.free_bins, self.free_bins);
        set(&mut spec.batch.recorded_bins, self.recorded_bins.map(Some));
        set(&mut spec.held_out.test, self.test_fraction);
        set(&mut spec.held_out.validation, self.validation_fraction);
        let hold_out = self.hold_out.as_deref().map(str::parse::<HoldOut>);
        set(&mut spec.held_out.what, hold_out.transpose()?);
        set(&mut spec.trials.least_bins, self.min_trial_bins);
        let priors = &mut spec.priors;
        set(
            &mut priors.coupling,
            auto(&self.coupling_prior, "coupling-prior")?,
        );
        set(
            &mut priors.same_bin,
            auto(&self.same_bin_prior, "same-bin-prior")?,
        );
        let drive = auto(&self.drive_prior, "drive-prior")?;
        set(&mut spec.priors.drive, drive);
        set(
            &mut spec.priors.tails,
            self.prior_tails
                .map(|tails| (tails != 0.0).then_some(tails)),
        );
        set(&mut spec.seed, self.seed);
        if let Some(bins) = self.checkpoint_bins {
            spec.checkpoint_bins = above_0(bins);
        }
        if start.is_none() && form != Some(Form::Published) {
            spec = spec.with_default_optimiser();
        }
        self.set_optimiser(&mut spec, form)?;
        spec.check()?;
        Ok(spec)
    }

    fn set_network(&self, spec: &mut Specification) -> Result<(), Failure> {
        let network = &mut spec.network;
        set(&mut network.lags, self.lags);
        set(&mut network.hidden, self.hidden);
        if let Some(history) = self.history {
            network.history = history.into();
        }
        if self.hidden_inhibitory.is_some() {
            network.signs.hidden_inhibitory = self.hidden_inhibitory;
        }
        if let Some(text) = &self.observed_inhibitory {
            network.signs.observed_inhibitory = Some(units(text)?);
        }
        let before = network.couplings.kind();
        network.couplings = self.couplings(&network.couplings)?;
        if before != network.couplings.kind() {
            network.same_bin =
                network.same_bin && network.couplings.kind() != CouplingKind::LowRank;
        }
        set(
            &mut network.same_bin,
            self.same_bin.map(|name| Switch::from(name).is_on()),
        );
        Ok(())
    }

    /// The couplings asked for, those of `start` where none are.
    fn couplings(&self, start: &Couplings) -> Result<Couplings, Failure> {
        let in_degree = self.in_degree.and_then(above_0);
        let rank = self.rank.and_then(above_0);
        let asked = match (self.mask.is_some() || self.in_degree.is_some(), self.rank) {
            (true, _) => CouplingKind::Sparse,
            (false, Some(_)) => CouplingKind::LowRank,
            (false, None) => start.kind(),
        };
        let kind = self.couplings.map_or(asked, CouplingKind::from);
        let own = start.kind() == kind;
        if kind != CouplingKind::Sparse {
            if let Some(in_degree) = in_degree {
                let allowed = "0 unless couplings are sparse";
                return refused("in-degree", allowed, in_degree.to_string());
            }
            if self.mask.is_some() {
                let allowed = "none unless couplings are sparse";
                return refused("mask", allowed, "one".to_string());
            }
        }
        if let (Some(rank), true) = (rank, kind != CouplingKind::LowRank) {
            let allowed = "0 unless couplings are low-rank";
            return refused("rank", allowed, rank.to_string());
        }
        if let (Some(in_degree), true) = (in_degree, self.mask.is_some()) {
            let allowed = "0 beside a mask, which says which synapses there are";
            return refused("in-degree", allowed, in_degree.to_string());
        }
        match (kind, in_degree, &self.mask, rank) {
            (CouplingKind::Dense, ..) => Ok(Couplings::Dense),
            (CouplingKind::Sparse, _, Some(path), _) => {
                Ok(Couplings::Sparse(Synapses::Given(read_mask(path)?)))
            }
            (CouplingKind::Sparse, Some(in_degree), ..) => {
                Ok(Couplings::Sparse(Synapses::InDegree(in_degree)))
            }
            (CouplingKind::LowRank, _, _, Some(rank)) => Ok(Couplings::LowRank { rank }),
            _ if own => Ok(start.clone()),
            (CouplingKind::Sparse, ..) => {
                let allowed = "an in-degree or a mask of synapses with sparse";
                refused("couplings", allowed, "none".to_string())
            }
            (CouplingKind::LowRank, ..) => {
                let allowed = "1 or more with low-rank couplings";
                refused("rank", allowed, "0".to_string())
            }
        }
    }

    fn set_drive(&self, spec: &mut Specification) -> Result<(), Failure> {
        if let Some(name) = self.drive {
            let kind = DriveKind::from(name);
            if kind != spec.drive.kind() {
                spec.drive = Drive::new(kind);
            }
        }
        let given = self.drive_spacing.as_ref().map(|text| {
            let parsed = text.parse::<BinWidth>();
            parsed.map_err(|e| Failure::input(format!("--drive-spacing {text}: {e}")))
        });
        let given = given.transpose()?;
        let given_detail = auto(&self.drive_detail, "drive-detail")?;
        match &mut spec.drive {
            Drive::None => {}
            Drive::Condition { spacing, detail } => {
                set(spacing, given.map(BinWidth::seconds));
                set(detail, given_detail);
            }
            Drive::Features { lags } => set(lags, self.stimulus_lags),
            Drive::Movie(MovieShape {
                height,
                width,
                frames,
                ..
            }) => {
                set(height, self.movie_height);
                set(width, self.movie_width);
                set(frames, self.movie_frames);
            }
        }
        Ok(())
    }

    fn set_objective(&self, spec: &mut Specification, form: Option<Form>) -> Result<(), Failure> {
        if let Some(likelihood) = spec.objective.likelihood_mut() {
            set(likelihood, self.weight_mle);
        }
        if let (Some(pairs), Some(Form::Published)) = (self.noise_pairs.and_then(above_0), form) {
            let allowed = "0 (all pairs) with the published form";
            return refused("noise-pairs", allowed, pairs.to_string());
        }
        let Some(statistics) = spec.objective.statistics_mut() else {
            return Ok(());
        };
        statistics.set_weights([self.weight_psth, self.weight_nc, self.weight_hidden_rate]);
        if let Some(lags) = self.noise_lags {
            statistics.set_noise_lags(above_0(lags));
        }
        if let Statistics::Corrected(corrected) = statistics {
            set(&mut corrected.noise.parts, self.noise_parts);
            set(&mut corrected.noise.pairs, self.noise_pairs.map(above_0));
        }
        Ok(())
    }

    fn set_optimiser(&self, spec: &mut Specification, form: Option<Form>) -> Result<(), Failure> {
        let kind = self.optimizer.map(OptimiserKind::from);
        let mut kind = kind.unwrap_or(spec.optimiser.kind());
        if let (OptimiserKind::Natural, Some(Some(_))) =
            (kind, auto(&self.initial_scale, "initial-scale")?)
        {
            if self.optimizer.is_some() {
                let allowed =
                    "optimizer adam (natural steps start from the optimum of the likelihood)";
                return refused(
                    "initial-scale",
                    allowed,
                    "a number with natural".to_string(),
                );
            }
            kind = OptimiserKind::Adam;
        }
        if (kind, form, self.optimizer) == (OptimiserKind::Natural, Some(Form::Published), None) {
            kind = OptimiserKind::Adam;
        }
        let ridge = match &self.ridge {
            Some(text) => Some(text.value("ridge")?.map_or(Ridge::Validation, Ridge::Given)),
            None => None,
        };
        let mut steps = spec.optimiser.steps().copied().unwrap_or_default();
        self.set_steps(&mut steps);
        let refuse_ridge = |kind: &str| match ridge {
            Some(Ridge::Given(ridge)) => {
                let allowed = "optimizer lbfgs (the others have priors instead)";
                refused("ridge", allowed, format!("{ridge} with {kind}"))
            }
            _ => Ok(()),
        };
        spec.optimiser = match kind {
            OptimiserKind::Natural => {
                if form == Some(Form::Published) {
                    let allowed = "adam with the published form";
                    return refused("optimizer", allowed, "natural".to_string());
                }
                refuse_ridge("natural")?;
                Optimiser::Natural(steps)
            }
            OptimiserKind::Adam => {
                refuse_ridge("adam")?;
                let mut initial_scale = match spec.optimiser {
                    Optimiser::Adam { initial_scale, .. } => initial_scale,
                    Optimiser::Natural(_) | Optimiser::Lbfgs { .. } => None,
                };
                set(
                    &mut initial_scale,
                    auto(&self.initial_scale, "initial-scale")?,
                );
                Optimiser::Adam {
                    initial_scale,
                    steps,
                }
            }
            OptimiserKind::Lbfgs => {
                if form == Some(Form::Published) {
                    let allowed = "adam with the published form";
                    return refused("optimizer", allowed, "lbfgs".to_string());
                }
                let (own, ends) = match spec.optimiser {
                    Optimiser::Lbfgs { ridge, then } => (ridge, then.is_none()),
                    Optimiser::Natural(_) | Optimiser::Adam { .. } => (Ridge::Validation, false),
                };
                let statistics = spec.objective.statistics().is_some();
                let goes_on = statistics && steps.iterations > 0;
                let goes_on = goes_on && (!ends || self.iterations.is_some());
                Optimiser::Lbfgs {
                    ridge: ridge.unwrap_or(own),
                    then: goes_on.then_some(steps),
                }
            }
        };
        Ok(())
    }

    fn set_steps(&self, steps: &mut Steps) {
        set(&mut steps.iterations, self.iterations);
        steps.learning_rate = self.learning_rate.or(steps.learning_rate);
        let dampening = match (self.spike_dampening, steps.spike_gradient) {
            (Some(given), _) => given,
            (None, SpikeGradient::Damped(own)) => own,
            (None, _) => match Steps::default().spike_gradient {
                SpikeGradient::Damped(by) => by,
                _ => 1.0,
            },
        };
        let own = match steps.spike_gradient {
            SpikeGradient::Damped(_) => SpikeGradient::Escape,
            other => other,
        };
        steps.spike_gradient = match self.spike_gradient.map_or(own, SpikeGradient::from) {
            SpikeGradient::Escape => SpikeGradient::Damped(dampening),
            other => other,
        };
    }

    /// Numbers that this fit may have no use for are to be numbers all the same.
    fn check_numbers(&self) -> Result<(), Failure> {
        let counts = [
            ("lags", self.lags, "1 or more bins"),
            ("stimulus-lags", self.stimulus_lags, "1 or more bins"),
            ("batch", self.batch, "1 or more trials"),
            ("noise-parts", self.noise_parts, "1 or more"),
        ];
        for (name, given, allowed) in counts {
            if given == Some(0) {
                return refused(name, allowed, "0".to_string());
            }
        }
        let positive = [
            ("learning-rate", self.learning_rate),
            ("spike-dampening", self.spike_dampening),
        ];
        for (name, given) in positive {
            if let Some(found) = given.filter(|x| !(*x > 0.0 && x.is_finite())) {
                return refused(name, "a positive number", found.to_string());
            }
        }
        let detail = auto(&self.drive_detail, "drive-detail")?.flatten();
        let weights = [
            ("drive-detail", detail),
            ("weight-mle", self.weight_mle),
            ("weight-psth", self.weight_psth),
            ("weight-nc", self.weight_nc),
            ("weight-hidden-rate", self.weight_hidden_rate),
        ];
        for (name, given) in weights {
            if let Some(found) = given.filter(|x| !(*x >= 0.0 && x.is_finite())) {
                return refused(name, "zero or a positive number", found.to_string());
            }
        }
        Ok(())
    }
}

/// The defaults of another kind or form of objective than that of a start; its own where it is the same.
fn other_objective(
    recording: &Recording,
    start: &Objective,
    kind: Option<ObjectiveKind>,
    form: Option<Form>,
) -> Objective {
    let own = start.statistics().map_or(Form::Corrected, |s| s.form());
    let (kind, form) = (kind.unwrap_or(start.kind()), form.unwrap_or(own));
    match kind == start.kind() && form == own {
        true => *start,
        false => Specification::with_form(recording, kind, form).objective,
    }
}

/// What an option says that takes a number or `auto`, which is none.
fn auto(text: &Option<AutoText>, option: &str) -> Result<Option<Option<f64>>, Failure> {
    text.as_ref().map(|text| text.value(option)).transpose()
}

fn above_0(value: usize) -> Option<usize> {
    (value > 0).then_some(value)
}

/// Places of units: `none`, or numbers with commas between them.
fn units(text: &str) -> Result<Vec<usize>, Failure> {
    if text.trim() == "none" {
        return Ok(Vec::new());
    }
    let place = |part: &str| {
        part.trim().parse().map_err(|_| {
            Failure::input(format!(
                "--observed-inhibitory: expected none or places of units (indices from 0) separated by commas, found \
                 {text}"
            ))
        })
    };
    text.split(',').map(place).collect()
}

/// The synapses that the array `mask` of an npz file marks.
pub fn read_mask(path: &Path) -> Result<Arc<Connectivity>, Failure> {
    let mask = NpzFile::open(path)?.u8("mask")?;
    let wrong = |why: String| Failure::input(format!("{}: mask {why}", path.display()));
    let [units, targets] = mask.shape[..] else {
        let axes = mask.shape.len();
        return Err(wrong(format!(
            "has {axes} axes; expected 2 (source, target)"
        )));
    };
    if units != targets {
        return Err(wrong(format!(
            "has shape ({units}, {targets}); expected as many sources as targets"
        )));
    }
    if let Some(value) = mask.values.iter().find(|&&x| x > 1) {
        return Err(wrong(format!("holds {value}; expected 0 and 1")));
    }
    let marked: Vec<bool> = mask.values.iter().map(|&x| x != 0).collect();
    let synapses = Connectivity::from_mask(&marked, units);
    Ok(Arc::new(synapses.map_err(|e| wrong(e.to_string()))?))
}
