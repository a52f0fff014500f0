#![doc = include_str!("../README.md")]

mod batch;
mod ceiling_intervals;
mod checkpoint;
mod compared;
mod convex;
mod copies;
mod driven;
mod error;
mod evaluate;
#[cfg(test)]
mod fixture;
mod frame;
mod history;
mod model;
mod model_file;
mod moved_by;
mod objective;
mod past_only;
mod priors;
mod sets;
mod setup;
mod signs;
mod simulate;
mod size;
mod specification;
mod stability;
mod start;
mod test_metrics;
mod trainer;
mod trials;
mod tuning;
mod wiring;

pub use batch::{MIN_FREE_TRIALS, Pool};
pub use ceiling_intervals::CeilingIntervals;
pub use checkpoint::{Checkpoint, FitOf};
pub use compared::LaggedFigures;
pub use convex::{ConvexReport, RidgeSource, RidgeStep, UnitEnd};
pub use copies::start_as_copies;
pub use driven::Driving;
pub use error::FitError;
pub use evaluate::{Evaluation, SplitChoice, evaluate};
pub use history::{History, StepReport};
pub use model::{Model, Training};
pub use objective::Terms;
pub use past_only::DRAWS;
pub use sets::SETS;
pub use setup::Evaluator;
pub use simulate::{FreeRuns, Slot, free_runs};
pub use specification::{
    BatchSize, Corrected, CouplingKind, Couplings, Drive, DriveKind, Dynamics, Escape, Facts,
    FlatSettings, Form, HeldOut, HistoryStart, HoldOut, NetworkSpec, Noise, Objective,
    ObjectiveKind, Optimiser, OptimiserKind, Piece, Priors, Published, Ridge, Signs, Specification,
    Statistics, Steps, Switch, Synapses, Trials,
};
pub use stability::{
    GAP_SECONDS, MOST_RUNS, PRESENTATIONS, Protocol, RUNS, RUNS_IN_A_ROW, StabilityReport, judge,
};
pub use start::initial;
pub use test_metrics::{Clipping, TestMetrics, UnitMetrics};
pub use trainer::{Trainer, VALIDATE_EVERY};
pub use wiring::{resolve, shape};

pub use refire_core::TrialArray;
pub use refire_engine::{Batch, Losses, NetworkShape, PaddedNetwork, Parameters, Streams, Wiring};
pub use refire_recording::{BinWidth, Recording, RecordingFile, RecordingParts, Split};
