//! `refire export`.

use super::failure::{Failure, prepare_file};
use super::outputs::{refuse_foreign, refuse_inputs};
use refire::drive::{ConditionBasis, DriveSpec};
use refire::fit::{Model, Wiring};
use refire::recording::NpzWriter;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Arrays: couplings (source, lag, target; lag 1 first; up to 2000 units), couplings_same_bin (source, target; 0 where
the target is not behind the source: hidden units come first, then observed ones by index), bias (unit), drive
(condition, bin, unit), drive_weights and, for a condition drive, basis (bin, function); unit_ids of
the observed units, which come first; conditions (labels), training_trials, validation_trials and
test_trials (indices into the recording), theta, bin_size, observed. Sparse couplings:
synapse_source and synapse_target (synapse), synapse_couplings (lag, synapse). Low-rank couplings: left
(source, component), right (component, lag, target).

Example:
  refire export fit/model.refire --out params.npz"
)]
pub struct Args {
    /// The model, model.refire.
    model: PathBuf,
    /// File to write.
    #[arg(long, value_name = "PARAMS.npz")]
    out: PathBuf,
    /// Replace a file that is no earlier export.
    #[arg(long)]
    force: bool,
}

/// Most units whose couplings are written from all to all.
const MOST_UNITS: usize = 2000;

pub fn run(args: &Args, quiet: bool) -> Result<(), Failure> {
    refuse_inputs(&args.out, &[&args.model])?;
    let model = Model::read(&args.model)?;
    refuse_foreign(&args.out, "drive_weights", args.force)?;
    let drive = model.drive_currents()?;
    prepare_file(&args.out)?;
    let (units, lags) = (model.units(), model.spec.network.lags);
    let mut npz = NpzWriter::new(&args.out);
    if units <= MOST_UNITS {
        let couplings = model.couplings(units, units)?;
        npz.f32("couplings", &[units, lags, units], &couplings)?;
    }
    if let (Some(same_bin), true) = (model.same_bin()?, units <= MOST_UNITS) {
        npz.f32("couplings_same_bin", &[units, units], &same_bin)?;
    }
    write_own_form(&model, &mut npz)?;
    npz.f32("bias", &[units], &model.parameters.bias)?;
    npz.f32(
        "drive",
        &[drive.trials(), drive.bins(), units],
        &drive.to_vec(),
    )?;
    let weights = &model.parameters.drive;
    npz.f32("drive_weights", &[weights.len()], weights)?;
    if let DriveSpec::Condition { .. } = model.drive {
        let basis = ConditionBasis::<f32>::new(
            &model.bins_per_condition,
            model.spec.first_bin(),
            &model.drive.bumps(),
            units,
        )
        .map_err(Failure::input)?;
        let (count, values) = basis.basis_matrix();
        npz.f64("basis", &[values.len() / count.max(1), count], &values)?;
    }
    npz.labels("unit_ids", &model.unit_ids)?;
    npz.labels("conditions", &model.condition_labels)?;
    for (name, trials) in [
        ("training_trials", &model.split.train),
        ("validation_trials", &model.split.validation),
        ("test_trials", &model.split.test),
    ] {
        let trials: Vec<i64> = trials.iter().map(|&k| k as i64).collect();
        npz.i64(name, &[trials.len()], &trials)?;
    }
    npz.f64("theta", &[], &[model.spec.network.dynamics.theta()])?;
    npz.f64("bin_size", &[], &[model.bin_width])?;
    npz.i64("observed", &[], &[model.observed() as i64])?;
    npz.finish()?;
    if !quiet {
        note!("wrote {}", args.out.display());
    }
    Ok(())
}

/// Couplings that are not dense, in the form they have in the model.
fn write_own_form(model: &Model, npz: &mut NpzWriter) -> Result<(), Failure> {
    let (units, lags) = (model.units(), model.spec.network.lags);
    let parameters = &model.parameters.couplings;
    if let Some(synapses) = model.wiring.synapses() {
        let count = synapses.synapses();
        let (mut sources, mut by_lag) = (Vec::with_capacity(count), vec![Vec::new(); lags]);
        let mut rest = parameters.as_slice();
        for source in 0..units {
            let targets = synapses.targets_of(source).len();
            sources.extend(std::iter::repeat_n(source as i64, targets));
            for of_lag in &mut by_lag {
                let (own, others) = rest.split_at(targets.min(rest.len()));
                of_lag.extend_from_slice(own);
                rest = others;
            }
        }
        let targets: Vec<i64> = synapses.targets().iter().map(|&j| i64::from(j)).collect();
        npz.i64("synapse_source", &[count], &sources)?;
        npz.i64("synapse_target", &[count], &targets)?;
        npz.f32("synapse_couplings", &[lags, count], &by_lag.concat())?;
    }
    if let Wiring::LowRank(rank) = model.wiring {
        let (left, right) = parameters.split_at((units * rank).min(parameters.len()));
        npz.f32("left", &[units, rank], left)?;
        npz.f32("right", &[rank, lags, units], right)?;
    }
    Ok(())
}
