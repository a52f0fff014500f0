//! Options of a fit: the same names on the command line and in `--config FIT.toml`.

use super::failure::Failure;
use clap::{Args, ValueEnum};
use refire::fit::{
    CouplingKind, DriveKind, Form, HistoryStart, Objective, Optimizer, Settings, Weights,
};
use refire::neuron::SpikeGradient;
use refire::recording::{BinWidth, NpzFile, Recording};
use refire::sim::Connectivity;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything that decides the result of a fit; what is not given keeps its default.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FitOptions {
    /// Bin width, e.g. 10ms [default: 10ms for spike times, the file's own for counts]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub bin: Option<String>,
    /// Lags of the couplings, bins [default: 9]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub lags: Option<usize>,
    /// History at the start of a trial: silence, or its first recorded bins, which then carry no
    /// loss [default: zero]
    #[arg(long)]
    pub history: Option<HistoryName>,
    /// Hidden units [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub hidden: Option<usize>,
    /// Couplings between units: all to all; along given synapses (--in-degree or --mask); or of low rank
    /// (--rank) [default: dense, or what --in-degree, --mask or --rank ask for]
    #[arg(long)]
    pub couplings: Option<CouplingName>,
    /// Synapses drawn onto every unit, one of them from itself; cost grows with them, not with the square of
    /// the units
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub in_degree: Option<usize>,
    /// An npz file whose array `mask` (source, target; observed units, then hidden ones) marks the synapses
    /// that exist
    #[arg(long, value_name = "FILE", conflicts_with = "in_degree")]
    pub mask: Option<PathBuf>,
    /// Components of low-rank couplings
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub rank: Option<usize>,
    /// Terms to fit [default: mle+sm]
    #[arg(long)]
    pub objective: Option<ObjectiveName>,
    /// Weight of the likelihood
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub weight_mle: Option<f64>,
    /// Weight of the PSTH term
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub weight_psth: Option<f64>,
    /// Weight of the noise-covariance term
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub weight_nc: Option<f64>,
    /// Weight of the hidden units' rate term
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub weight_hidden_rate: Option<f64>,
    /// Form of the sample-and-measure terms [default: corrected]
    #[arg(long)]
    pub form: Option<FormName>,
    /// What stands in for the derivative of a spike; reinmax is second order in the couplings, score
    /// unbiased, for small networks: it evaluates the terms once more for every trial of the batch
    /// [default: escape]
    #[arg(long)]
    pub spike_gradient: Option<SpikeGradientName>,
    /// Factor on the escape derivative, above 0; 1 leaves it as it is [default: 0.5]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub spike_dampening: Option<f64>,
    /// Drive [default: features where the recording has a stimulus, else condition]
    #[arg(long)]
    pub drive: Option<DriveName>,
    /// Spacing of the condition drive's raised cosines, never under two bins [default: 40ms]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub drive_spacing: Option<String>,
    /// Lags of the stimulus features, bins [default: 5]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub stimulus_lags: Option<usize>,
    /// Pixels from top to bottom of the movie drive: features are pixels, row by row [default: 27]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub movie_height: Option<usize>,
    /// Pixels from left to right of the movie drive [default: 27]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub movie_width: Option<usize>,
    /// Frames that the movie drive's filters see, the present one counted [default: 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub movie_frames: Option<usize>,
    /// Iterations
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub iterations: Option<usize>,
    /// Recorded trials per iteration [default: by trial length and conditions]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub batch: Option<usize>,
    /// Free-running (trial, bin) pairs per iteration, at least: more make statistics less noisy, fewer
    /// make an iteration cheaper [default: 20000]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub free_bins: Option<usize>,
    /// Parts of the free-running trials whose errors are multiplied in the corrected noise-covariance
    /// term: unbiased but noisier; 1 takes the square [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub noise_parts: Option<usize>,
    /// Pairs of units drawn per iteration for the corrected noise-covariance term, about; 0 = all
    /// [default: 0, above 2000 units 65536]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub noise_pairs: Option<usize>,
    /// Lags of the noise covariance, lag 0 counted: with more of them than the couplings have it shows paths
    /// over hidden units [default: those of the couplings]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub noise_lags: Option<usize>,
    /// Dale's law for hidden units: the share of them that is inhibitory; the others excite [default: signs
    /// are free]
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true)]
    pub hidden_inhibitory: Option<f64>,
    /// Dale's law for recorded units: places (from 0) of those known to be inhibitory, e.g. 3,17, or none;
    /// the others excite; not with lbfgs [default: signs are free]
    #[arg(long, value_name = "none|LIST", allow_hyphen_values = true)]
    pub observed_inhibitory: Option<String>,
    /// Couplings at the start, as a multiple of the published size 1/sqrt(inputs x lags) [default: 0.1]
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub initial_scale: Option<f64>,
    /// Standard deviation of the Gaussian prior of a coupling, in units of the potential [default: 0.15]
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub coupling_prior: Option<f64>,
    /// What moves the parameters: adam, or lbfgs, which takes the likelihood to its optimum (no hidden units;
    /// an objective with statistics goes on from there with adam) [default: lbfgs for mle without hidden
    /// units, else adam]
    #[arg(long)]
    pub optimizer: Option<OptimizerName>,
    /// Ridge of lbfgs on couplings and drive: a number (0 = none), or auto for the one that predicts
    /// validation trials best [default: auto]
    #[arg(long, value_name = "auto|X", allow_hyphen_values = true)]
    pub ridge: Option<RidgeText>,
    /// Keep the state at every N-th bin only and run the bins in between again in the reverse sweep:
    /// least memory near the root of lags times bins, a pass more of time; not with published statistics or
    /// the score gradient; 0 = keep every bin [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub checkpoint_bins: Option<usize>,
    /// Learning rate at the start; it decays to zero
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub learning_rate: Option<f64>,
    /// Seed of every random number [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Share of each condition's trials held out for testing [default: 0.25]
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub test_fraction: Option<f64>,
    /// Share of the rest held out for early stopping [default: 0.1]
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub validation_fraction: Option<f64>,
}

macro_rules! names {
    ($(#[$meta:meta])* $name:ident => $target:ty { $($variant:ident = $text:literal => $value:expr),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
        pub enum $name {
            $(#[value(name = $text)] #[serde(rename = $text)] $variant),+
        }
        impl From<$name> for $target {
            fn from(name: $name) -> Self {
                match name { $($name::$variant => $value),+ }
            }
        }
    };
}

names!(
    /// Terms to fit.
    ObjectiveName => Objective {
        Mle = "mle" => Objective::Mle,
        Sm = "sm" => Objective::SampleAndMeasure,
        MleSm = "mle+sm" => Objective::MleAndSampleAndMeasure,
    }
);
names!(
    /// Couplings.
    CouplingName => CouplingKind {
        Dense = "dense" => CouplingKind::Dense,
        Sparse = "sparse" => CouplingKind::Sparse,
        LowRank = "low-rank" => CouplingKind::LowRank,
    }
);
names!(
    /// What moves the parameters.
    OptimizerName => Optimizer {
        Adam = "adam" => Optimizer::Adam,
        Lbfgs = "lbfgs" => Optimizer::Lbfgs,
    }
);
names!(
    /// Form of the terms.
    FormName => Form {
        Corrected = "corrected" => Form::Corrected,
        Published = "published" => Form::Published,
    }
);
names!(
    /// Spike gradient.
    SpikeGradientName => SpikeGradient {
        Escape = "escape" => SpikeGradient::Escape,
        Triangle = "triangle" => SpikeGradient::Triangle,
        None = "none" => SpikeGradient::None,
        ReinMax = "reinmax" => SpikeGradient::ReinMax,
        Score = "score" => SpikeGradient::Score,
    }
);
names!(
    /// Drive.
    DriveName => DriveKind {
        None = "none" => DriveKind::None,
        Condition = "condition" => DriveKind::Condition,
        Features = "features" => DriveKind::Features,
        Movie = "movie" => DriveKind::Movie,
    }
);
names!(
    /// History.
    HistoryName => HistoryStart {
        Recorded = "recorded" => HistoryStart::Recorded,
        Zero = "zero" => HistoryStart::Zero,
    }
);

/// A ridge as written: `auto`, or a number, in TOML with or without quotes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum RidgeText {
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
}

impl std::str::FromStr for RidgeText {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::Text(text.to_string()))
    }
}

impl RidgeText {
    /// The number; `None` for `auto`.
    fn value(&self) -> Result<Option<f64>, Failure> {
        match self {
            Self::Number(number) => Ok(Some(*number)),
            Self::Text(text) if text == "auto" => Ok(None),
            Self::Text(text) => text.parse().map(Some).map_err(|_| {
                Failure::input(format!("--ridge: expected auto or a number, found {text}"))
            }),
        }
    }
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
    pub fn or(self, other: Self) -> Self {
        macro_rules! pick {
            ($($field:ident),+) => { Self { $($field: self.$field.or(other.$field)),+ } };
        }
        pick!(
            bin,
            lags,
            history,
            hidden,
            couplings,
            in_degree,
            mask,
            rank,
            objective,
            weight_mle,
            weight_psth,
            weight_nc,
            weight_hidden_rate,
            form,
            spike_gradient,
            spike_dampening,
            drive,
            drive_spacing,
            stimulus_lags,
            movie_height,
            movie_width,
            movie_frames,
            iterations,
            batch,
            free_bins,
            noise_parts,
            noise_pairs,
            noise_lags,
            hidden_inhibitory,
            observed_inhibitory,
            initial_scale,
            coupling_prior,
            optimizer,
            ridge,
            checkpoint_bins,
            learning_rate,
            seed,
            test_fraction,
            validation_fraction
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

    /// The settings of a fit of `recording`: these options over `start`'s settings, or over the
    /// defaults.
    pub fn settings(
        &self,
        recording: &Recording,
        start: Option<&Settings>,
    ) -> Result<Settings, Failure> {
        let mut s = match start {
            Some(settings) => settings.clone(),
            None => defaults_for(recording, self),
        };
        macro_rules! set {
            ($($field:ident),+) => { $(if let Some(value) = self.$field { s.$field = value.into(); })+ };
        }
        set!(
            lags,
            history,
            hidden,
            couplings,
            in_degree,
            rank,
            objective,
            form,
            spike_gradient,
            spike_dampening,
            drive,
            stimulus_lags,
            iterations,
            batch,
            free_bins,
            noise_parts,
            noise_pairs,
            noise_lags,
            hidden_inhibitory,
            initial_scale,
            coupling_prior,
            optimizer,
            checkpoint_bins,
            learning_rate,
            seed,
            test_fraction,
            validation_fraction
        );
        if let Some(path) = &self.mask {
            s.synapses = Some(read_mask(path)?);
        }
        let weights = [
            (self.weight_mle, &mut s.weights.mle),
            (self.weight_psth, &mut s.weights.psth),
            (self.weight_nc, &mut s.weights.nc),
            (self.weight_hidden_rate, &mut s.weights.hidden_rate),
        ];
        for (given, weight) in weights {
            if let Some(given) = given {
                *weight = given;
            }
        }
        let movie = [
            (self.movie_height, &mut s.movie.height),
            (self.movie_width, &mut s.movie.width),
            (self.movie_frames, &mut s.movie.frames),
        ];
        for (given, size) in movie {
            if let Some(given) = given {
                *size = given;
            }
        }
        if let Some(text) = &self.observed_inhibitory {
            s.observed_inhibitory = Some(units(text)?);
        }
        if let Some(ridge) = &self.ridge {
            s.ridge = ridge.value()?;
        }
        if let Some(text) = &self.drive_spacing {
            let spacing: BinWidth = text
                .parse()
                .map_err(|e| Failure::input(format!("--drive-spacing {text}: {e}")))?;
            s.drive_spacing = spacing.seconds();
        }
        s.check()?;
        Ok(s)
    }
}

/// Places of units: `none`, or numbers with commas between them.
fn units(text: &str) -> Result<Vec<usize>, Failure> {
    if text.trim() == "none" {
        return Ok(Vec::new());
    }
    let place = |part: &str| {
        part.trim().parse().map_err(|_| {
            Failure::input(format!(
                "--observed-inhibitory: expected none or places of units with commas between them, found \
                 {text}"
            ))
        })
    };
    text.split(',').map(place).collect()
}

/// The synapses that the array `mask` of an npz file marks.
fn read_mask(path: &Path) -> Result<Arc<Connectivity>, Failure> {
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

/// Defaults that depend on the recording: a drive it can have, and a batch of at least 20 trials,
/// five of each condition and 4500 bins.
fn defaults_for(recording: &Recording, options: &FitOptions) -> Settings {
    let mut s = Settings::default();
    if recording.stimulus().is_some() {
        s.drive = DriveKind::Features;
    }
    let bins: usize = recording.bins().iter().sum();
    let mean_bins = (bins / recording.n_trials().max(1)).max(1);
    s.batch = 20
        .max(5 * recording.n_conditions())
        .max(4500usize.div_ceil(mean_bins));
    let objective = options.objective.map_or(s.objective, Into::into);
    let form = options.form.map_or(s.form, Into::into);
    s.weights = Weights::default_for(objective, form);
    s.noise_pairs = Settings::default_noise_pairs(recording.n_units(), form);
    s.couplings = match (&options.mask, options.in_degree, options.rank) {
        (None, None, None) => CouplingKind::Dense,
        (None, None, Some(_)) => CouplingKind::LowRank,
        _ => CouplingKind::Sparse,
    };
    let dense = options.couplings.map_or(s.couplings, Into::into) == CouplingKind::Dense;
    let signs = options.observed_inhibitory.is_some();
    if options.checkpoint_bins.unwrap_or(0) == 0 && dense && !signs {
        let hidden = options.hidden.unwrap_or(s.hidden);
        let drive = options.drive.map_or(s.drive, Into::into);
        s.optimizer = Optimizer::default_for(objective, form, hidden, drive);
    }
    s
}
