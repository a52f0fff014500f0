//! What a page is made of. Everything may be empty: the page then says what is missing.

/// A page about one fit, or several fits of the same recording beside each other.
///
/// Text is plain text (escaped by the page). Numbers that are not finite are treated as missing.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Heading of the page.
    pub title: String,
    /// One line under the heading.
    pub subtitle: String,
    /// Opening paragraphs.
    pub intro: Vec<String>,
    /// What was fitted and how, as (name, value); a value may have several lines.
    pub facts: Vec<(String, String)>,
    /// What the reader has to keep in mind: how trials were held out, warnings.
    pub notes: Vec<String>,
    /// The fits, in the order they are shown; each keeps one colour through the page.
    pub fits: Vec<FitView>,
    /// How the units of the PSTHs were chosen, for their caption.
    pub psth_choice: String,
    /// Width of a bin, seconds. Zero where unknown: time axes are then in bins.
    pub bin_width_s: f64,
}

/// Everything the page shows about one fit.
#[derive(Debug, Clone, Default)]
pub struct FitView {
    /// Name of the fit, e.g. `MLE`.
    pub name: String,
    /// Figures of merit. Rows of the same name are compared across fits.
    pub figures: Vec<MetricRow>,
    /// Loss over the iterations, one per term. Terms of the same name share a panel.
    pub losses: Vec<LossCurve>,
    /// Recorded and simulated spikes of a few trials.
    pub raster: RasterPair,
    /// PSTHs of a few units, usually the best, the median and the worst of one fit. Those at the
    /// same place in several fits stand beside each other, and share an axis if the labels agree.
    pub psths: Vec<PsthExample>,
    /// Noise correlations, where they could be computed.
    pub noise: Option<NoiseView>,
    /// Why there are no noise correlations.
    pub noise_missing: Option<String>,
    /// Couplings of the fit, in units of the threshold θ.
    pub couplings: CouplingView,
    /// Mean rate of each observed unit: (data, free-running model), Hz.
    pub rates: Vec<(f64, f64)>,
    /// What happens when the network is left to run.
    pub stability: StabilityView,
}

/// One figure of merit.
#[derive(Debug, Clone, Default)]
pub struct MetricRow {
    /// What it stands under: rows that follow one another with the same group share a heading.
    pub group: String,
    /// Name of the figure, e.g. `PSTH correlation`.
    pub name: String,
    /// One line for a reader who does not know the figure.
    pub explanation: String,
    /// The value of the fit.
    pub model: Option<f64>,
    /// Standard deviation over sets of simulated trials, of which `model` is the mean.
    pub sd: Option<f64>,
    /// 95 % interval of `model`, shown in place of `sd`.
    pub interval: Option<(f64, f64)>,
    /// The same figure with recorded trials in the model's place.
    pub ceiling: Option<f64>,
    /// Whether more is better: the page then shows the share of the ceiling that the model reaches.
    pub rises: bool,
    /// Why the figure tells nothing, where its ceiling is no higher than chance: shown in place of a share.
    pub not_measurable: Option<String>,
    /// The value of the data, for figures that describe a recording (a rate, a Fano factor).
    pub data: Option<f64>,
    /// Why `model` is missing.
    pub reason: Option<String>,
    /// Unit of the value, e.g. `Hz`; empty for a pure number.
    pub unit: String,
}

/// The course of one loss term.
#[derive(Debug, Clone, Default)]
pub struct LossCurve {
    /// Name of the term, e.g. `MLE`.
    pub term: String,
    /// Iterations at which the training loss was taken.
    pub iterations: Vec<f64>,
    /// Training loss, as long as `iterations`.
    pub training: Vec<f64>,
    /// Iterations at which the validation loss was taken.
    pub validation_iterations: Vec<f64>,
    /// Validation loss, as long as `validation_iterations`.
    pub validation: Vec<f64>,
    /// The iteration whose parameters were kept.
    pub best_iteration: Option<f64>,
}

/// Spikes of a few recorded trials and of as many free-running trials of the same conditions.
#[derive(Debug, Clone, Default)]
pub struct RasterPair {
    /// Number of observed units.
    pub units: usize,
    /// Number of bins shown.
    pub bins: usize,
    /// First bin shown, counted from the start of the trial.
    pub first_bin: usize,
    /// What each trial is called; as long as `data` and `model`, or empty.
    pub trial_names: Vec<String>,
    /// Recorded spikes, `[trial]` of (bin, unit). Bins count from the start of the trial:
    /// `first_bin <= bin < first_bin + bins`.
    pub data: Vec<Vec<(u32, u32)>>,
    /// Simulated spikes, laid out like `data`.
    pub model: Vec<Vec<(u32, u32)>>,
}

/// The PSTH of one unit, conditions one after the other.
#[derive(Debug, Clone, Default)]
pub struct PsthExample {
    /// What is shown, e.g. `best unit 12`.
    pub label: String,
    /// Pearson correlation of model and data over bins.
    pub correlation: f64,
    /// Time of each bin, seconds, conditions laid end to end.
    pub time_s: Vec<f64>,
    /// Trial-averaged rate of the data, Hz, as long as `time_s`.
    pub data_hz: Vec<f64>,
    /// Trial-averaged rate of the free-running model, Hz, as long as `time_s`.
    pub model_hz: Vec<f64>,
    /// Indices into `time_s` where a new condition starts.
    pub breaks: Vec<usize>,
}

/// Noise correlations at lag 0.
#[derive(Debug, Clone, Default)]
pub struct NoiseView {
    /// Noise correlation, (data, model), of each pair of units.
    pub pairs: Vec<(f64, f64)>,
    /// Matrix of the data, `[unit][unit]`; the diagonal is ignored.
    pub data: Vec<Vec<f64>>,
    /// Matrix of the free-running model, `[unit][unit]`; the diagonal is ignored.
    pub model: Vec<Vec<f64>>,
    /// Agreement of model and data at some lags.
    pub by_lag: Vec<LagView>,
    /// Same-bin couplings between these units, `[source][target]`, in units of the threshold θ; empty without.
    pub same_bin: Vec<Vec<f64>>,
}

/// How well the noise correlations of model and data agree at one lag, over ordered pairs of units.
#[derive(Debug, Clone, Default)]
pub struct LagView {
    /// Seconds.
    pub lag_s: f64,
    /// R2 of the model.
    pub r2: Option<f64>,
    /// R2 of training trials in the model's place.
    pub ceiling: Option<f64>,
}

/// Couplings between units, in units of the threshold θ.
#[derive(Debug, Clone, Default)]
pub struct CouplingView {
    /// Number of source units (observed first, then hidden).
    pub sources: usize,
    /// Number of target units (observed first, then hidden).
    pub targets: usize,
    /// How many of the units are observed.
    pub observed: usize,
    /// Couplings summed over lags, `[source][target]` in one run of numbers.
    pub summed: Vec<f64>,
    /// Delay of each lag, `[lag]`, seconds.
    pub lags_s: Vec<f64>,
    /// The strongest few filters between two units: (name, value per lag).
    pub filters: Vec<(String, Vec<f64>)>,
    /// The filter of each unit onto itself, `[unit][lag]`.
    pub self_filters: Vec<Vec<f64>>,
}

/// Free runs of several presentations.
#[derive(Debug, Clone, Default)]
pub struct StabilityView {
    /// `stable`, `not enough runs`, `fragile` or `divergent`; any other text is shown as it is.
    pub verdict: String,
    /// Share of runs that leave the range of the data, 0 to 1.
    pub divergent_share: f64,
    /// Its 95 % interval.
    pub interval: Option<(f64, f64)>,
    /// Number of runs; zero where stability was not tested.
    pub runs: usize,
    /// Number of presentations in each run.
    pub presentations: usize,
    /// What a run is, as a sentence.
    pub protocol: String,
    /// What other runs did that the verdict is not about, as a sentence; may be empty.
    pub beside: String,
    /// What to do where the network is not stable, and the command for it.
    pub advice: Option<(String, String)>,
    /// Times of the traces, seconds.
    pub time_s: Vec<f64>,
    /// Population mean rate of some runs, `[run][time]`, Hz per unit; a run that was stopped
    /// early may be shorter than `time_s`.
    pub traces_hz: Vec<Vec<f64>>,
    /// Smallest and largest population mean rate of the recorded trials, Hz per unit.
    pub data_range_hz: (f64, f64),
    /// A run leaves the range above this rate, Hz per unit.
    pub limit_hz: f64,
    /// Number of runs that left at presentation 1, 2, ...
    pub left_at: Vec<usize>,
}
