//! From a specification back to the options that say it.

use super::names::{
    AutoText, CouplingName, DriveName, FormName, HistoryName, ObjectiveName, OptimizerName,
    SpikeGradientName, SwitchName,
};
use super::raw::FitOptions;
use refire::drive::MovieShape;
use refire::fit::{Couplings, Drive, DriveKind, Form, Optimiser, Ridge, Specification, Synapses};
use refire::neuron::SpikeGradient;
use refire::recording::BinWidth;

impl FitOptions {
    /// Options that say the specification, but for the file of a mask; with `all` also those that it has no use for,
    /// as by default.
    pub fn describe(spec: &Specification, all: bool) -> Self {
        let (network, objective) = (&spec.network, &spec.objective);
        let signs = &network.signs;
        let drive = |kind| match spec.drive.kind() == kind {
            true => Some(spec.drive),
            false => all.then(|| Drive::new(kind)),
        };
        let (spacing, drive_detail) = match drive(DriveKind::Condition) {
            Some(Drive::Condition { spacing, detail }) => {
                let spacing = BinWidth::from_seconds(spacing).ok();
                (spacing, Some(AutoText::of(detail)))
            }
            _ => (None, None),
        };
        let stimulus_lags = match drive(DriveKind::Features) {
            Some(Drive::Features { lags }) => Some(lags),
            _ => None,
        };
        let movie: Option<MovieShape> = match drive(DriveKind::Movie) {
            Some(Drive::Movie(shape)) => Some(shape),
            _ => None,
        };
        let trial_length =
            (spec.trials.piece).and_then(|piece| BinWidth::from_seconds(piece.seconds).ok());
        let statistics = objective.statistics();
        let [psth, nc, hidden_rate] = match statistics {
            Some(statistics) => statistics.weights().map(Some),
            None => [None; 3],
        };
        // Where it is not given it is found before the fit.
        let nc = nc.filter(|_| {
            objective
                .corrected()
                .is_none_or(|c| c.noise.weight.is_some())
        });
        let hidden_rate = hidden_rate.filter(|_| all || network.hidden > 0);
        let noise = objective.corrected().map(|corrected| corrected.noise);
        let steps = spec.optimiser.steps();
        let (spike_gradient, spike_dampening) = match steps.map(|steps| steps.spike_gradient) {
            Some(SpikeGradient::Damped(by)) => (Some(SpikeGradient::Escape), Some(by)),
            Some(SpikeGradient::Escape) => (Some(SpikeGradient::Escape), Some(1.0)),
            other => (other, None),
        };
        Self {
            bin: None,
            time_unit: None,
            test_fraction: Some(spec.held_out.test),
            validation_fraction: Some(spec.held_out.validation),
            hold_out: Some(spec.held_out.what.to_string()),
            trial_length: Some(trial_length.map_or("0".to_string(), |length| length.to_string())),
            min_trial_bins: Some(spec.trials.least_bins),
            history: HistoryName::find(network.history),
            lags: Some(network.lags),
            hidden: Some(network.hidden),
            couplings: CouplingName::find(network.couplings.kind()),
            in_degree: match network.couplings {
                Couplings::Sparse(Synapses::InDegree(in_degree)) => Some(in_degree),
                _ => None,
            },
            mask: None,
            same_bin: SwitchName::find(network.same_bin.into()),
            rank: match network.couplings {
                Couplings::LowRank { rank } => Some(rank),
                _ => None,
            },
            hidden_inhibitory: signs.hidden_inhibitory,
            observed_inhibitory: signs.observed_inhibitory.as_ref().map(|places| {
                let places: Vec<String> = places.iter().map(ToString::to_string).collect();
                match places.is_empty() {
                    true => "none".to_string(),
                    false => places.join(","),
                }
            }),
            drive: DriveName::find(spec.drive.kind()),
            drive_spacing: spacing.map(|spacing| spacing.to_string()),
            drive_detail,
            stimulus_lags,
            movie_height: movie.map(|shape| shape.height),
            movie_width: movie.map(|shape| shape.width),
            movie_frames: movie.map(|shape| shape.frames),
            objective: ObjectiveName::find(objective.kind()),
            weight_mle: objective.likelihood(),
            weight_psth: psth,
            weight_nc: nc,
            weight_hidden_rate: hidden_rate,
            form: FormName::find(statistics.map_or(Form::Corrected, |s| s.form())),
            noise_lags: statistics.and_then(|s| s.noise_lags()),
            noise_parts: noise.map(|noise| noise.parts),
            noise_pairs: noise.map(|noise| noise.pairs.unwrap_or(0)),
            optimizer: OptimizerName::find(spec.optimiser.kind()),
            iterations: match (&spec.optimiser, statistics) {
                (Optimiser::Lbfgs { then: None, .. }, None) => None,
                _ => Some(spec.iterations()),
            },
            learning_rate: steps.and_then(|steps| steps.learning_rate),
            batch: Some(spec.batch.trials),
            free_bins: Some(spec.batch.free_bins),
            recorded_bins: spec.batch.recorded_bins,
            spike_gradient: spike_gradient.and_then(SpikeGradientName::find),
            spike_dampening,
            initial_scale: match spec.optimiser {
                Optimiser::Adam { initial_scale, .. } => Some(AutoText::of(initial_scale)),
                Optimiser::Natural(_) | Optimiser::Lbfgs { .. } => None,
            },
            coupling_prior: Some(AutoText::of(spec.priors.coupling)),
            same_bin_prior: Some(AutoText::of(spec.priors.same_bin)),
            drive_prior: Some(AutoText::of(spec.priors.drive)),
            prior_tails: Some(spec.priors.tails.unwrap_or(0.0)),
            ridge: match spec.optimiser {
                Optimiser::Lbfgs { ridge, .. } => Some(match ridge {
                    Ridge::Validation => AutoText::of(None),
                    Ridge::Given(ridge) => AutoText::of(Some(ridge)),
                }),
                Optimiser::Natural(_) | Optimiser::Adam { .. } => None,
            },
            checkpoint_bins: Some(spec.checkpoint_bins.unwrap_or(0)),
            seed: Some(spec.seed),
        }
    }
}
