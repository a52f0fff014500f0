//! The options as they are given.

use super::super::failure::Failure;
use super::names::{
    AutoText, CouplingName, DriveName, FormName, HistoryName, ObjectiveName, OptimizerName,
    SpikeGradientName, SwitchName,
};
use clap::{Args, Command};
use refire::fit::{Facts, ObjectiveKind, Specification};
use refire::recording::BinWidth;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const RECORDING: &str = "Recording";
const NETWORK: &str = "Network";
const DRIVE: &str = "Drive";
const OBJECTIVE: &str = "Objective";
const OPTIMISER: &str = "Optimiser";

/// Everything that decides the result of a fit; what is not given keeps its default. Help shows the defaults that
/// [`with_defaults`] finds in a specification; those that depend on the recording are said here.
#[derive(Args, Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FitOptions {
    /// Bin width, e.g. 10ms [default: 10ms for spike times, the file's own for counts]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = RECORDING)]
    pub bin: Option<String>,
    /// Unit of the times of the recording: s, ms, us or samples=RATE (Hz) [default: s]
    #[arg(long, value_name = "UNIT", allow_hyphen_values = true, help_heading = RECORDING, hide_short_help = true)]
    pub time_unit: Option<String>,
    /// Share of each condition's trials held out for testing
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = RECORDING, hide_short_help = true)]
    pub test_fraction: Option<f64>,
    /// Share of the rest held out for early stopping
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = RECORDING, hide_short_help = true)]
    pub validation_fraction: Option<f64>,
    /// What is held out together: trials, of each condition its share; N stretches of neighbouring trials
    /// (segments=N), such as the pieces of a continuous recording; or all trials of a condition, which says what the
    /// network makes of a stimulus it has not seen
    #[arg(long, value_name = "trials|segments=N|conditions", help_heading = RECORDING, hide_short_help = true)]
    pub hold_out: Option<String>,
    /// Cut trials into pieces of this length, e.g. 10s; 0 = do not [default: 10s where there is one trial, of 20 s or
    /// more, else 0]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = RECORDING, hide_short_help = true)]
    pub trial_length: Option<String>,
    /// Leave out trials of fewer bins; those no longer than the lags are left out anyway
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = RECORDING, hide_short_help = true)]
    pub min_trial_bins: Option<usize>,
    /// What comes before a trial: silence, or its own first bins, which are then not scored
    #[arg(long, help_heading = RECORDING, hide_short_help = true)]
    pub history: Option<HistoryName>,

    /// Lags of the couplings, bins
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = NETWORK)]
    pub lags: Option<usize>,
    /// Hidden units: neurons that were not recorded
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = NETWORK)]
    pub hidden: Option<usize>,
    /// Couplings between units: all to all; along given synapses (--in-degree or --mask); or of low rank
    /// (--rank) [default: dense, or what --in-degree, --mask or --rank ask for]
    #[arg(long, help_heading = NETWORK, hide_short_help = true)]
    pub couplings: Option<CouplingName>,
    /// Number of synapses drawn onto every unit, one of them from the unit itself; cost grows with this
    /// number, not with the square of the units
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = NETWORK, hide_short_help = true)]
    pub in_degree: Option<usize>,
    /// An npz file whose array `mask` (source, target; observed units, then hidden ones) marks the synapses
    /// that exist
    #[arg(long, value_name = "FILE", conflicts_with = "in_degree", help_heading = NETWORK, hide_short_help = true)]
    pub mask: Option<PathBuf>,
    /// Whether units also act on each other within a bin (hidden ones on all, recorded ones on those of a higher
    /// index): without, the units of a bin are independent given the past, and noise correlations at lag 0 cannot be
    /// fitted [default: on; off with low-rank couplings and the published form]
    #[arg(long, help_heading = NETWORK, hide_short_help = true)]
    pub same_bin: Option<SwitchName>,
    /// Components of low-rank couplings
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = NETWORK, hide_short_help = true)]
    pub rank: Option<usize>,
    /// Dale's law for hidden units: the share of them that is inhibitory; the others excite [default: signs
    /// are free]
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, help_heading = NETWORK, hide_short_help = true)]
    pub hidden_inhibitory: Option<f64>,
    /// Dale's law for recorded units: indices (from 0) of those known to be inhibitory, e.g. 3,17, or none;
    /// the others excite; not with lbfgs [default: signs are free]
    #[arg(long, value_name = "none|LIST", allow_hyphen_values = true, help_heading = NETWORK, hide_short_help = true)]
    pub observed_inhibitory: Option<String>,

    /// What drives the units besides each other [default: features where the recording has a stimulus, else
    /// condition]
    #[arg(long, help_heading = DRIVE)]
    pub drive: Option<DriveName>,
    /// Spacing of the condition drive's raised cosines, never under two bins
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, help_heading = DRIVE, hide_short_help = true)]
    pub drive_spacing: Option<String>,
    /// Height of finer raised cosines on top, at half the spacing of those before and down to a bin, as a share of
    /// their height: 0 leaves one spacing; auto: 0, 0.35 or 0.7, whichever predicts validation trials best [default:
    /// auto]
    #[arg(long, value_name = "auto|X", allow_hyphen_values = true, help_heading = DRIVE, hide_short_help = true)]
    pub drive_detail: Option<AutoText>,
    /// Lags of the stimulus features, bins
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = DRIVE, hide_short_help = true)]
    pub stimulus_lags: Option<usize>,
    /// Pixels from top to bottom of the movie drive: features are pixels, row by row
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = DRIVE, hide_short_help = true)]
    pub movie_height: Option<usize>,
    /// Pixels from left to right of the movie drive
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = DRIVE, hide_short_help = true)]
    pub movie_width: Option<usize>,
    /// Number of frames that the movie drive's filters see, including the present one
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = DRIVE, hide_short_help = true)]
    pub movie_frames: Option<usize>,

    /// Terms to fit: likelihood (mle), sample-and-measure statistics (sm), or both
    #[arg(long, help_heading = OBJECTIVE)]
    pub objective: Option<ObjectiveName>,
    /// Weight of the likelihood; 0.4 with the published form of mle+sm
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = OBJECTIVE, hide_short_help = true)]
    pub weight_mle: Option<f64>,
    /// Weight of the PSTH term; 0.1 with the published form
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = OBJECTIVE, hide_short_help = true)]
    pub weight_psth: Option<f64>,
    /// Weight of the noise-covariance term; 50 with the published form [default: 0.5 over the root mean square of the
    /// noise correlations of the training trials, less where chance explains these, and 3 at least]
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = OBJECTIVE, hide_short_help = true)]
    pub weight_nc: Option<f64>,
    /// Weight of the hidden units' rate term; 0.001 with the published form
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = OBJECTIVE, hide_short_help = true)]
    pub weight_hidden_rate: Option<f64>,
    /// Form of the sample-and-measure terms
    #[arg(long, help_heading = OBJECTIVE, hide_short_help = true)]
    pub form: Option<FormName>,
    /// Number of lags of the noise covariance, including lag 0; with more lags than the couplings have, it
    /// shows paths through hidden units [default: those of the couplings]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = OBJECTIVE, hide_short_help = true)]
    pub noise_lags: Option<usize>,
    /// Number of parts of the free-running trials, whose errors the corrected noise-covariance term
    /// multiplies: unbiased but noisier; 1 takes the square
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = OBJECTIVE, hide_short_help = true)]
    pub noise_parts: Option<usize>,
    /// Pairs of units drawn per iteration for the corrected noise-covariance term, about; 0 = all
    /// [default: 0, above 2000 units 65536]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = OBJECTIVE, hide_short_help = true)]
    pub noise_pairs: Option<usize>,

    /// Optimiser: natural (steps that the curvature of the likelihood is divided out of, from near its optimum; adam where
    /// that is not to be had, as with hidden units), adam, or lbfgs, which takes the likelihood to its optimum (only
    /// without hidden units; with statistics in the objective, adam continues from there) [default: lbfgs for mle
    /// without hidden units, else natural]
    #[arg(long, help_heading = OPTIMISER, hide_short_help = true)]
    pub optimizer: Option<OptimizerName>,
    /// Iterations of natural or adam
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = OPTIMISER)]
    pub iterations: Option<usize>,
    /// Learning rate at the start; it decays to zero [default: 0.1 of natural, of adam 0.003 from the likelihood's optimum,
    /// else 0.01]
    #[arg(long, value_name = "X", allow_hyphen_values = true, help_heading = OPTIMISER, hide_short_help = true)]
    pub learning_rate: Option<f64>,
    /// Recorded trials per iteration, unless --recorded-bins are more [default: at least 20, five of each condition and
    /// 4500 bins]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = OPTIMISER, hide_short_help = true)]
    pub batch: Option<usize>,
    /// Minimum number of free-running (trial, bin) pairs per iteration: more make statistics less noisy, fewer
    /// make an iteration cheaper
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = OPTIMISER, hide_short_help = true)]
    pub free_bins: Option<usize>,
    /// Least (trial, bin) pairs of recorded trials per iteration, of all conditions [default: 200000 with natural, else as
    /// many as the batch has]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = OPTIMISER, hide_short_help = true)]
    pub recorded_bins: Option<usize>,
    /// What replaces the derivative of a spike; reinmax is accurate to second order in the couplings; score
    /// is unbiased but meant for small networks: it evaluates the terms once more for every trial of the batch
    #[arg(long, help_heading = OPTIMISER, hide_short_help = true)]
    pub spike_gradient: Option<SpikeGradientName>,
    /// Factor on the escape derivative, above 0; 1 leaves it as it is
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = OPTIMISER, hide_short_help = true)]
    pub spike_dampening: Option<f64>,
    /// Couplings that adam starts from: drawn, as a multiple of the published size 1/sqrt(inputs x lags); or auto: those of the
    /// likelihood's optimum, or near it, as validation trials say (drawn with 0.1 where there is none) [default: auto]
    #[arg(long, value_name = "auto|X", allow_hyphen_values = true, help_heading = OPTIMISER, hide_short_help = true)]
    pub initial_scale: Option<AutoText>,
    /// Scale of the prior of a coupling, in units of the potential; auto: the one with which the likelihood predicts validation trials best (0.15 where it cannot tell) [default: auto]
    #[arg(long, value_name = "auto|X", allow_hyphen_values = true, help_heading = OPTIMISER, hide_short_help = true)]
    pub coupling_prior: Option<AutoText>,
    /// The same for same-bin couplings (1 where validation trials cannot tell) [default: auto]
    #[arg(long, value_name = "auto|X", allow_hyphen_values = true, help_heading = OPTIMISER, hide_short_help = true)]
    pub same_bin_prior: Option<AutoText>,
    /// Standard deviation of the Gaussian prior of drive weights; auto: likewise, 1 or more (1 where validation trials
    /// cannot tell) [default: auto]
    #[arg(long, value_name = "auto|X", allow_hyphen_values = true, help_heading = OPTIMISER, hide_short_help = true)]
    pub drive_prior: Option<AutoText>,
    /// Degrees of freedom of the prior of couplings, Student's t: few leave strong couplings strong; 0 is a Gaussian
    /// [default: 3; 0 with the published form]
    #[arg(long, value_name = "X", allow_negative_numbers = true, help_heading = OPTIMISER, hide_short_help = true)]
    pub prior_tails: Option<f64>,
    /// Ridge of lbfgs on couplings and drive: a number (0 = none), or auto for the one that predicts
    /// validation trials best [default: auto]
    #[arg(long, value_name = "auto|X", allow_hyphen_values = true, help_heading = OPTIMISER, hide_short_help = true)]
    pub ridge: Option<AutoText>,
    /// Keep the state at every N-th bin only and recompute the bins in between in the reverse sweep:
    /// memory is least for N near the square root of lags times bins, time grows by one
    /// pass; not with published statistics or
    /// the score gradient; 0 = keep every bin [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = OPTIMISER, hide_short_help = true)]
    pub checkpoint_bins: Option<usize>,
    /// Seed of every random number
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = OPTIMISER)]
    pub seed: Option<u64>,
}

impl FitOptions {
    /// Reads `FIT.toml`; unknown keys are refused.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Failure::input(format!("{}: cannot be read: {e}", path.display())))?;
        toml::from_str(&text)
            .map_err(|e| Failure::input(format!("{}: {}", path.display(), e.message())))
    }

    /// These options, and `other`'s where these say nothing.
    pub fn or(self, mut other: Self) -> Self {
        // One set of synapses stands in place of the other.
        if self.mask.is_some() || self.in_degree.is_some() {
            (other.mask, other.in_degree) = (None, None);
        }
        macro_rules! pick {
            ($($field:ident),+) => { Self { $($field: self.$field.or(other.$field)),+ } };
        }
        pick!(
            bin,
            time_unit,
            test_fraction,
            validation_fraction,
            hold_out,
            trial_length,
            min_trial_bins,
            history,
            lags,
            hidden,
            couplings,
            in_degree,
            mask,
            same_bin,
            rank,
            hidden_inhibitory,
            observed_inhibitory,
            drive,
            drive_spacing,
            drive_detail,
            stimulus_lags,
            movie_height,
            movie_width,
            movie_frames,
            objective,
            weight_mle,
            weight_psth,
            weight_nc,
            weight_hidden_rate,
            form,
            noise_lags,
            noise_parts,
            noise_pairs,
            optimizer,
            iterations,
            learning_rate,
            batch,
            free_bins,
            recorded_bins,
            spike_gradient,
            spike_dampening,
            initial_scale,
            coupling_prior,
            same_bin_prior,
            drive_prior,
            prior_tails,
            ridge,
            checkpoint_bins,
            seed
        )
    }

    /// The bin width asked for.
    pub fn bin_width(&self) -> Result<Option<BinWidth>, Failure> {
        self.bin
            .as_deref()
            .map(|text| {
                text.parse()
                    .map_err(|e| Failure::input(format!("--bin {text}: {e}")))
            })
            .transpose()
    }
}

/// The command with the default of every option in its help, from the one place that has them.
pub fn with_defaults(command: Command) -> Command {
    let spec = Specification::new(Facts::default(), ObjectiveKind::default());
    let defaults = FitOptions::describe(&spec, true);
    let Ok(toml::Value::Table(defaults)) = toml::Value::try_from(defaults) else {
        return command;
    };
    command.mut_args(|arg| {
        let name = arg.get_id().as_str().replace('_', "-");
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        match defaults.get(&name) {
            Some(value) if !help.contains("[default:") => {
                let value = value.to_string();
                let shown = format!("{help} [default: {}]", value.trim_matches('"'));
                arg.help(shown.clone()).long_help(shown)
            }
            _ => arg,
        }
    })
}
