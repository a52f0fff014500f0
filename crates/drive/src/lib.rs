//! Drive of refire: what the stimulus or the condition adds to each unit, with its pullback.
//! A drive depends on condition, bin and unit, not on the trial: it is computed once per condition.
//!
//! ```
//! use refire_core::TrialArray;
//! use refire_drive::{ConditionBasis, Encoder, Kept};
//!
//! // Two conditions of 50 and 40 bins, 9 bins of history, a bump every 4 bins, 3 units.
//! let encoder = ConditionBasis::<f32>::new(&[50, 40], 9, 4.0, 1.0, 3)?;
//! let mut drive = TrialArray::default();
//! let (weights, mut kept) = (vec![0.5; encoder.parameters()], Kept::default());
//! encoder.forward_keeping(&weights, &mut drive, &mut kept);
//! assert_eq!((drive.trials(), drive.bins(), drive.units()), (2, 50, 3));
//! // Neighbouring bumps sum to 1; bins behind the end of a condition get no drive.
//! assert!((drive.row(0, 30)[1] - 0.5).abs() < 1e-6);
//! assert_eq!(drive.row(1, 40), [0.0; 3]);
//!
//! // The adjoint, for a loss that is the sum of the drive.
//! let d_drive = TrialArray::from_vec(vec![1.0; 2 * 50 * 3], 2, 50, 3).unwrap();
//! let mut d_weights = vec![0.0; encoder.parameters()];
//! encoder.pull_back(&weights, &mut kept, &d_drive, &mut d_weights);
//! # Ok::<(), refire_drive::DriveError>(())
//! ```
//!
//! Layer 1: uses `refire-core` and `refire-kernels`. Source: Bellec, Wang et al., NeurIPS 2021
//! (arXiv 2106.10064), where the drive is a convolutional network over a movie ([`MovieDrive`]); the other
//! encoders are for recordings with conditions or features.
//!
//! A new encoder is one new file that implements [`Encoder`], and one variant of [`DriveSpec`].

mod basis;
mod encoder;
mod error;
mod features;
mod movie;
mod none;
mod spec;
mod standardise;

pub use basis::ConditionBasis;
pub use encoder::{Encoder, Kept};
pub use error::DriveError;
pub use features::FeatureDrive;
pub use movie::{MovieDrive, MovieShape};
pub use none::NoDrive;
pub use spec::DriveSpec;
pub use standardise::Standardise;
