//! What of a recording the defaults depend on.

use super::Piece;
use refire_recording::Recording;

/// What of a recording the defaults depend on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// Recorded units.
    pub units: usize,
    /// Conditions.
    pub conditions: usize,
    /// Mean length of a trial, bins.
    pub mean_bins: usize,
    /// Whether it holds a stimulus.
    pub has_stimulus: bool,
    /// Whether some condition has two trials that are no stretches of ongoing activity.
    pub has_repeats: bool,
    /// The pieces that it was cut into, where it was.
    pub piece: Option<Piece>,
}

impl Default for Facts {
    /// A recording of which nothing is known: few units, one condition, trials of 50 bins.
    fn default() -> Self {
        Self {
            units: 1,
            conditions: 1,
            mean_bins: 50,
            has_stimulus: false,
            has_repeats: true,
            piece: None,
        }
    }
}

impl From<&Recording> for Facts {
    fn from(recording: &Recording) -> Self {
        let bins: usize = recording.bins().iter().sum();
        let pieces = recording.pieces();
        Self {
            units: recording.n_units(),
            conditions: recording.n_conditions(),
            mean_bins: bins / recording.n_trials().max(1),
            has_stimulus: recording.stimulus().is_some(),
            has_repeats: recording.has_repeats() && !pieces.is_some_and(|p| p.ongoing),
            piece: pieces.map(|pieces| Piece {
                seconds: pieces.bins as f64 * recording.bin_width(),
                ongoing: pieces.ongoing,
            }),
        }
    }
}

impl Facts {
    /// Recorded trials of a batch: at least 20, five of each condition and 4500 bins.
    pub(super) fn batch(&self) -> usize {
        // Pieces that are conditions of their own have no repeats to take together.
        let of_conditions = match self.piece.is_some() && !self.has_repeats {
            true => 0,
            false => 5 * self.conditions,
        };
        20.max(of_conditions)
            .max(4500usize.div_ceil(self.mean_bins.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use refire_recording::Pieces;

    #[test]
    fn facts_are_those_of_the_recording() {
        let recording = fixture::recording();
        let facts = Facts::from(&recording);
        let expected = Facts {
            units: 3,
            conditions: 2,
            mean_bins: 8,
            ..Facts::default()
        };
        assert_eq!(facts, expected);
        // Stretches of ongoing activity have one condition and are no repeats.
        for ongoing in [true, false] {
            let pieces = Pieces { bins: 4, ongoing };
            let facts = Facts::from(&recording.clone().cut(pieces).unwrap());
            assert_eq!(facts.has_repeats, !ongoing);
            let piece = facts.piece.unwrap();
            assert_eq!((piece.seconds, piece.ongoing), (0.04, ongoing));
        }
    }

    #[test]
    fn batches_hold_trials_of_every_condition_and_enough_bins() {
        let facts = |conditions, mean_bins| Facts {
            conditions,
            mean_bins,
            ..Facts::default()
        };
        assert_eq!(facts(2, 1000).batch(), 20);
        assert_eq!(facts(9, 1000).batch(), 45);
        assert_eq!(facts(2, 100).batch(), 45);
        assert_eq!(facts(2, 0).batch(), 4500);
        // Pieces that are conditions of their own.
        let piece = Some(Piece {
            seconds: 10.0,
            ongoing: false,
        });
        let of = |piece, has_repeats| Facts {
            piece,
            has_repeats,
            ..facts(90, 1000)
        };
        assert_eq!(of(piece, false).batch(), 20);
        assert_eq!(
            (of(piece, true).batch(), of(None, false).batch()),
            (450, 450)
        );
    }
}
