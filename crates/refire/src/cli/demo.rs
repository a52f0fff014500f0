//! `refire demo`.

use super::failure::{Failure, check_folder, prepare_folder};
use super::fitted::Fitted;
use super::lock::Lock;
use super::names::objective_name;
use super::outputs::{
    FIGURES, MODEL, REPORT, add_text, publish, refuse_not_fitted, refuse_not_generated,
};
use super::{fit, outcome, view};
use refire::fit::{ObjectiveKind, Specification};
use refire::recording::Outputs;
use refire::synth::{GroundTruth, RECORDING_FILE, SynthSettings, TRUTH_FILE};
use std::path::PathBuf;

/// Where the two models go.
const FOLDERS: [&str; 2] = ["mle", "mle+sm"];

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for the recording, both models and report.html.
    #[arg(long, value_name = "DIR", default_value = "refire-demo")]
    out: PathBuf,

    /// Replace files of other origin in that folder.
    #[arg(long)]
    force: bool,

    /// Iterations of Adam, where it is used; fewer than by default give worse fits, sooner.
    #[arg(long, value_name = "N", hide = true)]
    iterations: Option<usize>,
}

pub fn run(args: &Args, quiet: bool) -> Result<(), Failure> {
    let files = [RECORDING_FILE, TRUTH_FILE, REPORT];
    check_folder(&args.out, &files)?;
    refuse_not_generated(&args.out, &files, args.force)?;
    if args.out.join(MODEL).exists() && !args.force {
        return Err(Failure::input(format!(
            "{}: is the folder of a fit; expected another folder (--force replaces its report)",
            args.out.display()
        )));
    }
    for folder in FOLDERS {
        let folder = args.out.join(folder);
        check_folder(&folder, &[MODEL, FIGURES])?;
        refuse_not_fitted(&folder, args.force)?;
    }
    let synthetic = SynthSettings::demo();
    let truth = GroundTruth::draw(&synthetic)?;
    let trials = synthetic.trials_per_condition()?;
    let _made = prepare_folder(&args.out)?;
    let _lock = Lock::take(&args.out)?;
    let recording = refire::synth::write(&args.out, &truth, trials, synthetic.seed)?;
    if !quiet {
        note!(
            "a synthetic recording: {} units, {} trials in {} conditions, {:.1} s each; {} hidden \
             units, which are not in the recording, excite them now and then",
            recording.n_units(),
            recording.n_trials(),
            recording.n_conditions(),
            synthetic.bins as f64 * synthetic.bin_width_s,
            truth.units() - truth.observed
        );
        note!("both fits have the default settings");
    }
    let mut fits = Vec::new();
    let objectives = [ObjectiveKind::Mle, ObjectiveKind::MleAndSampleAndMeasure];
    for (objective, folder) in objectives.into_iter().zip(FOLDERS) {
        let mut spec = Specification::new(&recording, objective);
        if let (Some(adam), Some(iterations)) = (spec.optimiser.steps_mut(), args.iterations) {
            adam.iterations = iterations;
        }
        let name = objective_name(&spec);
        if !quiet {
            note!("fitting {name} ...");
        }
        let fitted = Fitted::in_memory(&recording, &spec, quiet)?;
        let folder = args.out.join(folder);
        let _made = prepare_folder(&folder)?;
        let mut outputs = Outputs::default();
        (fitted.model).add_to(&mut outputs, &folder.join(MODEL))?;
        add_text(
            &mut outputs,
            &folder.join(FIGURES),
            &fit::json_text(&fitted)?,
        )?;
        publish(outputs, &folder)?;
        fits.push(fitted);
    }
    let named: Vec<_> = fits
        .iter()
        .map(|f| (objective_name(&f.model.spec), &f.evaluation))
        .collect();
    outcome::print_table(&named);
    let report = view::demo_report(&recording, &synthetic, &fits);
    let path = args.out.join(REPORT);
    let mut outputs = Outputs::default();
    add_text(&mut outputs, &path, &report.to_html()?)?;
    publish(outputs, &args.out)?;
    say!("\nwrote {}: open it in a browser", path.display());
    Ok(())
}
