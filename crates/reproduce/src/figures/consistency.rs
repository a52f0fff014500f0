//! Figure 3: error against the truth over the number of trials, for both objectives (claim 3).

use serde::{Deserialize, Serialize};

mod draw;
mod work;

pub(crate) struct Consistency;

/// Both fits of one recording of a fully observed network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Item {
    units: usize,
    trials: usize,
    seed: u64,
}

/// Units of each network.
const UNITS: usize = 4;
