//! `refire export`.

use super::failure::{Failure, prepare_file};
use refire::drive::{ConditionBasis, DriveSpec};
use refire::fit::Model;
use refire::recording::NpzWriter;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Arrays: couplings (source, lag, target; lag 1 first), bias (unit), drive
(condition, bin, unit), drive_weights and, for a condition drive, basis (bin, function); unit_ids of
the observed units, which come first; conditions (labels), theta, bin_size, observed.

Example:
  refire export fit/model.refire --out params.npz"
)]
pub struct Args {
    /// The model, model.refire.
    model: PathBuf,
    /// File to write.
    #[arg(long, value_name = "PARAMS.npz")]
    out: PathBuf,
}

pub fn run(args: &Args, quiet: bool) -> Result<(), Failure> {
    let model = Model::read(&args.model)?;
    let drive = model.drive_currents()?;
    prepare_file(&args.out)?;
    let (units, lags) = (model.units(), model.settings.lags);
    let mut npz = NpzWriter::new(&args.out);
    npz.f32(
        "couplings",
        &[units, lags, units],
        &model.parameters.couplings,
    )?;
    npz.f32("bias", &[units], &model.parameters.bias)?;
    npz.f32(
        "drive",
        &[drive.trials(), drive.bins(), units],
        &drive.to_vec(),
    )?;
    let weights = &model.parameters.drive;
    npz.f32("drive_weights", &[weights.len()], weights)?;
    if let DriveSpec::Condition {
        spacing_bins,
        width_in_spacings,
    } = model.drive
    {
        let basis = ConditionBasis::<f32>::new(
            &model.bins_per_condition,
            model.settings.first_bin(),
            spacing_bins,
            width_in_spacings,
            units,
        )
        .map_err(Failure::input)?;
        let (count, values) = basis.basis_matrix();
        npz.f64("basis", &[values.len() / count.max(1), count], &values)?;
    }
    npz.i64("unit_ids", &[model.observed()], &model.unit_ids)?;
    npz.i64(
        "conditions",
        &[model.condition_labels.len()],
        &model.condition_labels,
    )?;
    npz.f64("theta", &[], &[model.settings.theta])?;
    npz.f64("bin_size", &[], &[model.bin_width])?;
    npz.i64("observed", &[], &[model.observed() as i64])?;
    npz.finish()?;
    if !quiet {
        eprintln!("wrote {}", args.out.display());
    }
    Ok(())
}
