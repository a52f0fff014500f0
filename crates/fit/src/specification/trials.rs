//! What is made of the recording's trials before anything else.

use refire_recording::{Pieces, Recording};

/// What is made of the recording's trials.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trials {
    /// What the recording is cut into ([`Recording::cut`]), where it is.
    pub piece: Option<Piece>,
    /// Least number of bins: shorter trials are left out. Those without a bin behind the lags are so anyway.
    pub least_bins: usize,
}

/// What a recording is cut into.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Length, seconds.
    pub seconds: f64,
    /// Whether pieces are stretches of ongoing activity, repeats of one another.
    pub ongoing: bool,
}

impl Piece {
    /// Length unless said, seconds.
    const SECONDS: f64 = 10.0;

    /// Bins of a piece unless said, for each lag and one: few of them are then history, which is not scored.
    const BINS_PER_LAG: usize = 50;

    /// Length of the pieces that a recording is cut into unless said, seconds: those of a single trial, twice as long
    /// or longer.
    pub fn default_seconds(recording: &Recording, lags: usize) -> Option<f64> {
        let width = recording.bin_width();
        let bins = Self::BINS_PER_LAG.saturating_mul(lags.saturating_add(1));
        let piece = Self::SECONDS.max(bins as f64 * width);
        let whole = recording.spikes().bins() as f64 * width;
        (recording.n_trials() == 1 && whole >= 2.0 * piece).then_some(piece)
    }

    /// The same in bins of so many seconds.
    pub fn pieces(&self, bin_width: f64) -> Pieces {
        Pieces {
            bins: Self::bins(self.seconds, bin_width),
            ongoing: self.ongoing,
        }
    }

    /// Bins of a length in seconds, at least one.
    pub fn bins(seconds: f64, bin_width: f64) -> usize {
        ((seconds / bin_width).round() as usize).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use refire_core::TrialArray;
    use refire_recording::{BinWidth, RecordingParts};

    #[test]
    fn one_long_trial_is_cut_unless_said() {
        let default = |trials, bins, width, lags| {
            let spikes = TrialArray::<u8>::zeros(trials, bins, 0, 1);
            let width = BinWidth::from_seconds(width).unwrap();
            let recording = Recording::new(RecordingParts::new(spikes, width)).unwrap();
            Piece::default_seconds(&recording, lags)
        };
        assert_eq!(default(1, 2000, 0.01, 9), Some(10.0));
        assert_eq!(default(1, 1999, 0.01, 9), None);
        assert_eq!(default(2, 4000, 0.01, 9), None);
        // 50 bins for each of 99 lags and one are 50 s.
        assert_eq!(default(1, 10_000, 0.01, 99), Some(50.0));
        assert_eq!(default(1, 9_999, 0.01, 99), None);
    }

    #[test]
    fn lengths_are_the_nearest_number_of_bins() {
        let bins = |seconds| Piece::bins(seconds, 0.01);
        assert_eq!((bins(0.104), bins(0.106), bins(0.001)), (10, 11, 1));
    }
}
