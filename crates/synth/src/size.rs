//! Refuses a network or a recording that cannot be held before anything of it is allocated.

use refire_recording::MAX_SPIKE_BINS;

use crate::{SynthError, SynthSettings};

/// Most numbers in an array of a synthetic network: 2^31 (8 GiB of couplings).
const MAX_NUMBERS: usize = 1 << 31;

/// Checks that the network and its recording can be held, by a machine and by this one.
pub(crate) fn check_size(settings: &SynthSettings) -> Result<(), SynthError> {
    let s = settings;
    let units = s.units().saturating_add(s.sources);
    let [couplings, drive] = numbers(units, s.lags, s.conditions, s.bins)?;
    let spikes = check_spikes(s.trials, s.bins, units)?;
    // Couplings; two numbers per pair of units; the drive with potentials, probabilities and spikes
    // of a free run of each condition; the spikes of all units and of the observed ones; condition
    // (three times), length and label of each trial.
    let bytes = 4 * couplings + 16 * units * units + 13 * drive + 2 * spikes + 40 * s.trials;
    match Vec::<u8>::new().try_reserve_exact(bytes) {
        Ok(()) => Ok(()),
        Err(_) => Err(SynthError::value(
            "memory for network and recording",
            format!("{:.0} GB", bytes as f64 * 1e-9),
            "no more than this machine has (fewer units, trials, conditions or bins)",
        )),
    }
}

/// Numbers of couplings and drive of a network.
fn numbers(
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

#[cfg(test)]
mod tests {
    use crate::{GroundTruth, SynthSettings};

    #[test]
    fn huge_settings_are_refused_before_anything_is_drawn() {
        type Change = fn(&mut SynthSettings);
        const HUGE: usize = usize::MAX - 3;
        let cases: [(Change, &str); 12] = [
            (|s| s.trials = 4_000_000_000, "spikes"),
            (|s| s.trials = 4_294_967_300, "trials"),
            (|s| s.trials = HUGE, "trials"),
            (|s| s.bins = 10_000_000, "spikes"),
            (|s| s.bins = HUGE, "drive"),
            (|s| s.observed_units = 4_000_000_000, "couplings"),
            (|s| s.observed_units = HUGE, "couplings"),
            (|s| s.hidden_units = HUGE, "couplings"),
            (|s| s.sources = HUGE, "couplings"),
            (|s| s.lags = HUGE, "couplings"),
            (|s| (s.conditions, s.trials) = (HUGE, HUGE), "drive"),
            (
                |s| (s.conditions, s.trials) = (1_000_000, 4_000_000),
                "spikes",
            ),
        ];
        for (change, what) in cases {
            let mut settings = SynthSettings::default();
            change(&mut settings);
            let error = GroundTruth::draw(&settings).unwrap_err().to_string();
            assert!(error.starts_with(what), "{settings:?}: {error}");
        }
    }
}
