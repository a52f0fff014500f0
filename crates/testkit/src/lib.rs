#![doc = include_str!("../README.md")]

mod covariance;
mod differences;
mod distributions;
mod error;
mod judged;
mod judged_network;
mod judged_runs;
mod losses;
mod network;
mod newton;
mod paths;

pub use covariance::{Covariance, Signal, Signals, data_covariance};
pub use differences::gradient_of;
pub use distributions::{
    Line, binomial_p, chi_square_p, distance_from_uniform, fit_line, kolmogorov_p, normal_p,
    student_p,
};
pub use error::OracleError;
pub use judged::{Agreement, Judged};
pub use judged_network::{JudgedNetwork, JudgedTrial, Spikes};
pub use judged_runs::{LongRuns, Start};
pub use losses::{ExactLosses, hidden_likelihood};
pub use network::{EngineNetwork, Simulated, Strengths, TinyNetwork, TinyShape};
pub use newton::{Mle, UnitFit, maximum_likelihood};
pub use paths::{MAX_BITS, Path, Paths};
