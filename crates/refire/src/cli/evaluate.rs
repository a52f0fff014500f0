//! `refire evaluate`.

use super::failure::Failure;
use super::simulate::FIRST_BIN;
use super::{outcome, recordings, table};
use clap::ValueEnum;
use refire::drive::DriveSpec;
use refire::fit::{FitError, Model, SplitChoice, evaluate};
use refire::metrics::{Connectivity, Metric, block_means};
use refire::recording::BinWidth;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Split {
    Test,
    All,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  refire evaluate fit/model.refire recording.npz
  refire evaluate fit/model.refire recording.npz --truth truth.npz --json")]
pub struct Args {
    /// The model, model.refire.
    model: PathBuf,
    /// The recording, binned at the model's bin width.
    recording: PathBuf,
    /// Unit of the times of the recording: s, ms, us or samples=RATE (Hz) [default: s]
    #[arg(long, value_name = "UNIT", allow_hyphen_values = true)]
    time_unit: Option<String>,
    /// Trials to evaluate [default: test if this is the recording of the fit, else all]
    #[arg(long)]
    split: Option<Split>,
    /// Truth of a synthetic recording (truth.npz): adds connectivity metrics.
    #[arg(long, value_name = "truth.npz")]
    truth: Option<PathBuf>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, quiet: bool) -> Result<(), Failure> {
    let model = Model::read(&args.model)?;
    let width = BinWidth::from_seconds(model.bin_width)?;
    let file = recordings::open(&args.recording, args.time_unit.as_deref())?;
    let about = file.describe();
    let simulated = about.keys.iter().any(|key| key == FIRST_BIN);
    let mut recording = file.bin(Some(width))?;
    drop(file);
    if simulated {
        // Its trials are pieces already, or presentations in a row, which cannot be evaluated.
        let pieces = recording.pieces_of(recording.spikes().bins());
        recording = recording.cut(pieces)?;
    }
    let connectivity = match &args.truth {
        Some(path) => Some(connectivity(&model, path)?),
        None => None,
    };
    let split = args.split.map(|s| match s {
        Split::Test => SplitChoice::Test,
        Split::All => SplitChoice::All,
    });
    let evaluation = evaluate(&model, &recording, split).map_err(|e| refusal(e, simulated))?;
    if !quiet {
        recordings::remark(&recording);
        if about.conditions.is_empty() && matches!(model.drive, DriveSpec::Condition { .. }) {
            note!(
                "note: the recording has no conditions: the model drives all its trials as condition {}",
                recording.condition_labels()[0]
            );
        }
    }
    if args.json {
        let mut json = outcome::evaluation_json(&evaluation);
        if let Some((metrics, blocks)) = &connectivity {
            json.insert("connectivity".into(), connectivity_json(metrics, blocks));
        }
        let text = serde_json::to_string_pretty(&Value::Object(json)).map_err(Failure::work)?;
        say!("{text}");
    } else {
        say!(
            "{} {} trials",
            evaluation.trials,
            json!(evaluation.split).as_str().unwrap_or("")
        );
        outcome::print_table(&[("model", &evaluation)]);
        outcome::print_advice(&model, &evaluation, &args.recording);
        if let Some((metrics, _)) = &connectivity {
            say!();
            print_connectivity(metrics);
        }
    }
    Ok(())
}

/// An error of the evaluation. A simulation with trials that are too long holds several
/// presentations in a row, which recorded trials do not: no metric is defined for them.
fn refusal(error: FitError, simulated: bool) -> Failure {
    if simulated && matches!(error, FitError::TrialTooLong { .. }) {
        return Failure::input(format!(
            "{error}: a simulation of several presentations per trial cannot be evaluated; expected \
             one of `refire simulate --presentations 1`"
        ));
    }
    error.into()
}

/// Summed filters among observed units against the truth, and mean couplings between the truth's
/// populations `[source][target]`.
fn connectivity(model: &Model, path: &Path) -> Result<(Connectivity, Vec<Vec<Metric>>), Failure> {
    let truth = refire::synth::read_truth(path)?;
    if truth.observed != model.observed() {
        return Err(Failure::input(format!(
            "{}: the truth has {} observed units, the model {}",
            path.display(),
            truth.observed,
            model.observed()
        )));
    }
    let n = truth.observed;
    let of_truth = truth.summed_couplings().view((0, 0), (n, n)).into_owned();
    let of_model = model.summed_couplings(n)?;
    let blocks = block_means(&of_model, &truth.population[..n]);
    Ok((Connectivity::compare(&of_truth, &of_model), blocks))
}

fn connectivity_json(metrics: &Connectivity, blocks: &[Vec<Metric>]) -> Value {
    json!({
        "correlation": metrics.correlation,
        "r2": metrics.r2,
        "sign_agreement": metrics.sign_agreement,
        "auc": metrics.auc,
        "block_means": blocks,
    })
}

fn print_connectivity(metrics: &Connectivity) {
    let row = |name: &str, metric: &Metric| {
        let reason = metric.reason().unwrap_or_default().to_string();
        vec![name.to_string(), table::number(metric.value()), reason]
    };
    table::print(
        &["connectivity against the truth", "metric", ""],
        &[
            row("correlation of summed filters", &metrics.correlation),
            row("R2 of summed filters", &metrics.r2),
            row("sign agreement", &metrics.sign_agreement),
            row("ROC AUC, present or absent", &metrics.auc),
        ],
    );
}
