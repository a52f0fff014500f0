//! `refire info`.

use super::failure::Failure;
use super::{recordings, table};
use refire::core::{TrialArray, TrialLayout};
use refire::fit::{NetworkSpec, Piece};
use refire::metrics::{
    drift, duplicates, noise_agreement, noise_correlation, psth, psth_correlation, rates,
};
use refire::recording::{BinWidth, Form, Recording};
use std::path::PathBuf;

/// Most units, pairs or conditions that are named.
const NAMED: usize = 5;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The recording, an npz file.
    recording: PathBuf,
    /// Bin width, e.g. 10ms [default: 10ms for spike times, the file's own for counts]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    bin: Option<String>,
    /// Unit of the times of the recording: s, ms, us or samples=RATE (Hz) [default: s]
    #[arg(long, value_name = "UNIT", allow_hyphen_values = true)]
    time_unit: Option<String>,
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let width: Option<BinWidth> = args
        .bin
        .as_deref()
        .map(|text| {
            text.parse()
                .map_err(|e| Failure::input(format!("--bin {text}: {e}")))
        })
        .transpose()?;
    let file = recordings::open(&args.recording, args.time_unit.as_deref())?;
    let about = file.describe();
    let recording = file.bin(width)?;
    let seconds: f64 = about.durations.iter().sum();
    let longest = about.durations.iter().copied().fold(0.0, f64::max);
    let shortest = about
        .durations
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    let form = match about.form {
        Form::Events => "spike times",
        Form::Binned => "counts per bin",
    };
    say!("{}", args.recording.display());
    say!("  form        {form}; keys {}", about.keys.join(", "));
    say!("  units       {}", recording.n_units());
    say!(
        "  trials      {} of {shortest:.3} to {longest:.3} s, {seconds:.1} s in all",
        recording.n_trials()
    );
    say!("  conditions  {}", conditions(&recording));
    say!(
        "  stimulus    {}",
        recording
            .stimulus()
            .map_or("none".to_string(), |s| format!("{} features", s.features()))
    );
    say!("  spikes      {}", about.spikes);
    for warning in recording.warnings() {
        say!("  note        {warning}");
    }
    let lags = NetworkSpec::default().lags;
    if let Some(seconds) = Piece::default_seconds(&recording, lags) {
        say!(
            "  note        one long trial: a fit cuts it into pieces of {seconds} s (--trial-length)"
        );
    }
    say!();
    print_bins(&recording)
}

fn conditions(recording: &Recording) -> String {
    let mut counts = vec![0; recording.n_conditions()];
    for &c in recording.conditions() {
        counts[c] += 1;
    }
    let shown: Vec<String> = recording
        .condition_labels()
        .iter()
        .zip(&counts)
        .take(12)
        .map(|(label, count)| format!("{label} ({count} trials)"))
        .collect();
    let more = recording.n_conditions().saturating_sub(12);
    let tail = if more > 0 {
        format!(", and {more} more")
    } else {
        String::new()
    };
    format!("{}: {}{tail}", recording.n_conditions(), shown.join(", "))
}

fn print_bins(recording: &Recording) -> Result<(), Failure> {
    let layout = recording.layout(0)?;
    let rates = rates(recording.spikes(), &layout, recording.bin_width());
    let mut sorted = rates.hz.clone();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    let bins = (layout.scored_bins() * recording.n_units()) as f64;
    let kept = recording.total_spikes() - recording.clipped_spikes();
    say!("at bins of {} ms", recording.bin_width() * 1e3);
    say!(
        "  rate per unit    mean {:.2} Hz, minimum {:.2}, median {:.2}, maximum {:.2} Hz; {} silent",
        rates.mean.value().unwrap_or(0.0),
        at(0.0),
        at(0.5),
        at(1.0),
        rates.hz.iter().filter(|&&hz| hz == 0.0).count()
    );
    say!("  bins per trial   up to {}", layout.max_bins());
    say!(
        "  occupied bins    {:.4} of all (trial, bin, unit)",
        kept as f64 / bins
    );
    say!(
        "  clipping         {} of {} spikes lost, as a bin holds at most one ({:.2} %)",
        recording.clipped_spikes(),
        recording.total_spikes(),
        100.0 * recording.clipped_share()
    );
    print_checks(recording, &layout);
    say!("\nhow well the data repeat themselves (even against odd trials of each condition)");
    let (even, odd) = (half(recording, 0)?, half(recording, 1)?);
    let (Some((a, a_layout)), Some((b, b_layout))) = (even, odd) else {
        say!("  no condition has two trials: no ceilings");
        return Ok(());
    };
    let of = psth_correlation(&psth(&a, &a_layout), &psth(&b, &b_layout)).mean;
    let noise = noise_agreement(
        &noise_correlation(&a, &a_layout),
        &noise_correlation(&b, &b_layout),
    );
    let row = |name: &str, metric: &refire::metrics::Metric| {
        let note = metric.reason().unwrap_or_default().to_string();
        vec![name.to_string(), table::number(metric.value()), note]
    };
    table::print(
        &["split-half ceiling", "metric", ""],
        &[
            row("PSTH correlation", &of),
            row("noise correlation, Pearson", &noise.pearson),
            row("noise correlation, R2", &noise.r2),
        ],
    );
    Ok(())
}

/// What may spoil a fit.
fn print_checks(recording: &Recording, layout: &TrialLayout) {
    let name = |&unit: &usize| recording.unit_ids()[unit].to_string();
    if let Some(drift) = drift(recording.spikes(), layout, recording.bin_width()) {
        let units: Vec<String> = drift.units.iter().take(NAMED).map(name).collect();
        let drifting = match drift.units.len() {
            0 => "no unit's rate changes by half".to_string(),
            count => format!(
                "{count} units change by half or more: {}{}",
                units.join(", "),
                if count > NAMED { ", ..." } else { "" }
            ),
        };
        say!(
            "  drift            {:.2} Hz in the first third of the trials, {:.2} Hz in the last; {drifting}",
            drift.first_hz,
            drift.last_hz
        );
    }
    let Some(pairs) = duplicates(recording.spikes(), layout) else {
        say!("  duplicates       not looked for among so many units");
        return;
    };
    if pairs.is_empty() {
        say!("  duplicates       no two units spike in the same bins like one neuron sorted twice");
        return;
    }
    let shown = pairs.iter().take(NAMED).map(|pair| {
        let (a, b) = pair.units;
        format!(
            "{} and {} ({:.0} %)",
            name(&a),
            name(&b),
            100.0 * pair.shared
        )
    });
    say!(
        "  duplicates       {} pairs of units share bins like one neuron sorted twice: {}{}",
        pairs.len(),
        shown.collect::<Vec<_>>().join(", "),
        if pairs.len() > NAMED { ", ..." } else { "" }
    );
}

/// Every second trial of each condition; `None` where no condition has two.
fn half(
    recording: &Recording,
    parity: usize,
) -> Result<Option<(TrialArray<u8>, TrialLayout)>, Failure> {
    let mut seen = vec![0; recording.n_conditions()];
    let mut trials = Vec::new();
    for (trial, &c) in recording.conditions().iter().enumerate() {
        if seen[c] % 2 == parity {
            trials.push(trial);
        }
        seen[c] += 1;
    }
    if seen.iter().all(|&count| count < 2) {
        return Ok(None);
    }
    Ok(Some(recording.select(&trials, 0)?))
}
