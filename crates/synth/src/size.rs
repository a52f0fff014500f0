//! Refuses a network or a recording that cannot be held before anything of it is allocated.

use refire_recording::MAX_SPIKE_BINS;

use crate::SynthError;

/// Most numbers in an array of a synthetic network: 2^31 (8 GiB of couplings).
const MAX_NUMBERS: usize = 1 << 31;

/// Numbers of couplings and drive of a network.
pub(crate) fn numbers(
    units: usize,
    lags: usize,
    conditions: usize,
    bins: usize,
) -> Result<[usize; 2], SynthError> {
    Ok([
        product(
            "couplings (units x lags x units)",
            [units, lags, units],
            MAX_NUMBERS,
        )?,
        product(
            "drive (conditions x bins x units)",
            [conditions, bins, units],
            MAX_NUMBERS,
        )?,
    ])
}

/// Checks that a network can be held, whatever is simulated from it.
pub(crate) fn check_network(
    units: usize,
    lags: usize,
    conditions: usize,
    bins: usize,
) -> Result<(), SynthError> {
    numbers(units, lags, conditions, bins).map(|_| ())
}

/// Number of spikes, where they make a recording, as [`MAX_SPIKE_BINS`] limits any, and 32 bits,
/// which key the random numbers, tell its trials apart.
pub(crate) fn check_spikes(trials: usize, bins: usize, units: usize) -> Result<usize, SynthError> {
    if trials == 0 || u32::try_from(trials).is_err() {
        let expected = format!("1 to {}", u32::MAX);
        return Err(SynthError::value("trials", trials, expected));
    }
    product(
        "spikes (trials x bins x units)",
        [trials, bins, units],
        MAX_SPIKE_BINS,
    )
}

/// The product, at most `limit`.
fn product(what: &str, factors: [usize; 3], limit: usize) -> Result<usize, SynthError> {
    factors
        .iter()
        .try_fold(1usize, |n, &f| n.checked_mul(f))
        .filter(|&n| n <= limit)
        .ok_or_else(|| {
            let found = factors.map(|f| f.to_string()).join(" x ");
            SynthError::value(what, found, format!("at most {limit} numbers"))
        })
}
