//! Oracles that give exact answers, to hold refire's estimators against: every spike path of a tiny
//! network with its probability, exact expectations of statistics and losses and their exact
//! gradients, the maximum-likelihood fit to its optimum, and the distributions of tests.
//!
//! ```
//! use refire_testkit::{Paths, TinyNetwork};
//!
//! // Two units, one lag, three bins: 64 spike paths.
//! let network = TinyNetwork {
//!     observed: 2,
//!     units: 2,
//!     lags: 1,
//!     bins: 3,
//!     theta: 0.4,
//!     couplings: vec![0.0, 1.0, 0.0, 0.0], // [source][lag][target]
//!     bias: vec![0.4, 0.0],
//!     drive: vec![vec![0.0; 3 * 2]], // [condition][bin][unit]
//! };
//! let paths = Paths::free(&network, 0, &[])?;
//! assert_eq!(paths.len(), 64);
//! let rate = paths.expect(|path| f64::from(path.spikes[0]));
//! assert!((rate - 0.5).abs() < 1e-12); // unit 0 sits at its threshold
//! # Ok::<(), refire_testkit::OracleError>(())
//! ```
//!
//! Nothing here calls the code it checks, apart from [`TinyNetwork::simulate`], which is the code
//! under test: probabilities, statistics and losses are written out again from their definitions.
//!
//! Layer 3: uses `refire-core`, `refire-neuron`, `refire-random`, `refire-sim`.

mod covariance;
mod differences;
mod distributions;
mod error;
mod losses;
mod network;
mod newton;
mod paths;

pub use covariance::{Covariance, Signal, data_covariance};
pub use differences::gradient_of;
pub use distributions::{
    Line, binomial_p, chi_square_p, distance_from_uniform, fit_line, kolmogorov_p, normal_p,
    student_p,
};
pub use error::OracleError;
pub use losses::{ExactLosses, hidden_likelihood};
pub use network::{EngineNetwork, Simulated, TinyNetwork};
pub use newton::{Mle, UnitFit, maximum_likelihood};
pub use paths::{MAX_BITS, Path, Paths};
