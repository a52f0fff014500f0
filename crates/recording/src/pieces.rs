//! Long trials cut into pieces.

use refire_core::{TrialArray, check_memory};

use crate::recording::{checked_size, dense};
use crate::{BinWidth, Label, Pieces, Recording, RecordingError, RecordingParts, Stimulus};

/// Where a piece lies.
struct Place {
    trial: usize,
    start: usize,
    bins: usize,
}

impl Recording {
    /// Cuts every trial into pieces of `bins` bins one behind the other, each a trial of its own, so that continuous
    /// recordings have trials to hold out and fit in memory. No bin is in two pieces, so that none that is held out
    /// is seen elsewhere.
    ///
    /// Pieces of ongoing activity keep the condition of their trial: they stand for one another. Else the pieces of a
    /// condition at one place are a condition of their own, with their part of the stimulus.
    ///
    /// # Errors
    /// [`RecordingError::Value`] for 0 bins or a recording that is cut already; [`RecordingError::ShortStimulus`],
    /// [`RecordingError::TooLarge`], [`RecordingError::Memory`].
    pub fn cut(self, pieces: Pieces) -> Result<Self, RecordingError> {
        let Pieces { bins, ongoing } = pieces;
        if bins == 0 {
            return Err(RecordingError::value("bins of a piece", 0, "at least 1"));
        }
        if let Some(Pieces { bins, .. }) = self.pieces() {
            let expected = "a recording that is not cut yet";
            return Err(RecordingError::value("bins of its pieces", bins, expected));
        }
        if self.spikes().bins() <= bins {
            return Ok(self.marked(pieces));
        }
        let places: Vec<Place> = (0..self.n_trials())
            .flat_map(|trial| {
                let all = self.bins()[trial];
                (0..all).step_by(bins).map(move |start| Place {
                    trial,
                    start,
                    bins: bins.min(all - start),
                })
            })
            .collect();
        let bytes = checked_size(places.len(), bins as f64, self.n_units())?;
        check_memory("the pieces of a recording", bytes as f64)?;
        let mut spikes = TrialArray::zeros(places.len(), bins, 0, self.n_units());
        for (slot, place) in places.iter().enumerate() {
            let block = self.spikes().block(place.trial, place.start, place.bins);
            spikes.trial_mut(slot)[..block.len()].copy_from_slice(block);
        }
        let length = |place: &Place| {
            let behind = self.length(place.trial) - place.start as f64;
            behind.min(place.bins as f64)
        };
        let labels: Vec<Label> = places
            .iter()
            .map(|place| {
                let own = &self.condition_labels()[self.conditions()[place.trial]];
                let number = place.start / bins;
                match ongoing {
                    true => own.clone(),
                    // As many digits for all, so that they sort.
                    false => Label::Text(format!("{own} piece {number:06}")),
                }
            })
            .collect();
        let mut warnings = self.warnings().to_vec();
        warnings.push(format!(
            "{} cut into {} pieces of {:.3} s{}",
            match self.n_trials() {
                1 => "1 trial is".to_string(),
                trials => format!("{trials} trials are"),
            },
            places.len(),
            bins as f64 * self.bin_width(),
            match ongoing {
                true => ", taken as stretches of ongoing activity",
                false => "",
            }
        ));
        let cut = Self::new(RecordingParts {
            stimulus: self.stimulus_of_pieces(&places, &labels, bins)?,
            lengths: Some(places.iter().map(length).collect()),
            bins: places.iter().map(|place| place.bins).collect(),
            labels,
            spikes,
            bin_width: BinWidth::from_seconds(self.bin_width())?,
            unit_ids: Some(self.unit_ids().to_vec()),
            clipped_spikes: self.clipped_spikes(),
            warnings,
        })?;
        Ok(cut.marked(pieces))
    }

    /// The stimulus of each piece, in bins; behind the end of a shorter one its last values go on.
    fn stimulus_of_pieces(
        &self,
        places: &[Place],
        labels: &[Label],
        bins: usize,
    ) -> Result<Option<Stimulus>, RecordingError> {
        let Some(whole) = self.stimulus_per_bin()? else {
            return Ok(None);
        };
        let (index, distinct) = dense(labels);
        let features = whole.features();
        let numbers = distinct.len() as f64 * bins as f64 * features as f64;
        check_memory("the stimulus of the pieces of a recording", 8.0 * numbers)?;
        let mut values = vec![0.0; distinct.len() * bins * features];
        for (place, &condition) in places.iter().zip(&index) {
            let course = whole.course(self.conditions()[place.trial]);
            let rows = course.chunks_exact(features).skip(place.start);
            let last = course.chunks_exact(features).next_back();
            let rows = rows.chain(last.into_iter().cycle());
            let into = values[condition * bins * features..].chunks_exact_mut(features);
            for (into, row) in into.take(bins).zip(rows) {
                into.copy_from_slice(row);
            }
        }
        let width = BinWidth::from_seconds(self.bin_width())?;
        Stimulus::new(values, Some(distinct.len()), features, width).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spikes at every bin that 3 divides, of as many trials as there are lengths.
    fn recording(bins: &[usize], labels: &[i64], stimulus: Option<Stimulus>) -> Recording {
        let longest = bins.iter().copied().max().unwrap();
        let mut spikes = TrialArray::zeros(bins.len(), longest, 0, 2);
        for (trial, &bins) in bins.iter().enumerate() {
            for t in (0..bins).step_by(3) {
                spikes.row_mut(trial, t)[t % 2] = 1;
            }
        }
        let width = BinWidth::from_seconds(0.01).unwrap();
        Recording::new(RecordingParts {
            bins: bins.to_vec(),
            lengths: Some(bins.iter().map(|&b| b as f64 - 0.25).collect()),
            labels: labels.iter().map(|&l| Label::Number(l)).collect(),
            stimulus,
            ..RecordingParts::new(spikes, width)
        })
        .unwrap()
    }

    fn course(samples: usize) -> Stimulus {
        let values = (0..samples).map(|t| t as f64).collect();
        Stimulus::new(values, None, 1, BinWidth::from_seconds(0.01).unwrap()).unwrap()
    }

    #[test]
    fn ongoing_activity_keeps_every_spike_and_second() {
        let whole = recording(&[25], &[7], None);
        let cut = whole.clone().cut(whole.pieces_of(10)).unwrap();
        assert_eq!((cut.bins(), cut.n_conditions()), (&[10, 10, 5][..], 1));
        assert_eq!(cut.total_spikes(), whole.total_spikes());
        for t in 0..25 {
            assert_eq!(cut.spikes().row(t / 10, t % 10), whole.spikes().row(0, t));
        }
        let seconds = |r: &Recording| r.layout(0).unwrap().scored_length();
        assert_eq!(seconds(&cut), seconds(&whole));
        let pieces = Pieces {
            bins: 10,
            ongoing: true,
        };
        assert_eq!(cut.pieces(), Some(pieces));
        assert!(cut.warnings()[0].contains("3 pieces of 0.100 s"));
        assert!(cut.clone().cut(cut.pieces_of(10)).is_err());
    }

    #[test]
    fn pieces_take_their_part_of_the_stimulus_along() {
        let whole = recording(&[25], &[7], Some(course(25)));
        let cut = whole.clone().cut(whole.pieces_of(10)).unwrap();
        let stimulus = cut.stimulus().unwrap();
        assert_eq!((cut.n_conditions(), stimulus.courses()), (3, 3));
        assert_eq!(stimulus.course(1)[..3], [10.0, 11.0, 12.0]);
        assert_eq!(
            stimulus.course(2)[3..],
            [23.0, 24.0, 24.0, 24.0, 24.0, 24.0, 24.0]
        );
        assert!(!cut.pieces().unwrap().ongoing);
        // Features side by side.
        let values = (0..50).map(f64::from).collect();
        let two = Stimulus::new(values, None, 2, BinWidth::from_seconds(0.01).unwrap()).unwrap();
        let whole = recording(&[25], &[7], Some(two));
        let cut = whole.clone().cut(whole.pieces_of(10)).unwrap();
        assert_eq!(
            cut.stimulus().unwrap().course(2)[..4],
            [40.0, 41.0, 42.0, 43.0]
        );
    }

    #[test]
    fn pieces_of_repeats_repeat() {
        let whole = recording(&[20, 20, 14], &[1, 1, 2], Some(course(20)));
        let cut = whole.clone().cut(whole.pieces_of(10)).unwrap();
        assert!(whole.has_repeats() && cut.has_repeats());
        assert!(!recording(&[20, 20], &[1, 2], None).has_repeats());
        let without = recording(&[20, 20, 14], &[1, 1, 2], None);
        assert!(!without.pieces_of(10).ongoing);
        assert_eq!(cut.conditions(), [0, 1, 0, 1, 2, 3]);
        assert_eq!(cut.condition_labels()[3].to_string(), "2 piece 000001");
        assert_eq!(cut.stimulus().unwrap().course(3)[0], 10.0);
    }

    #[test]
    fn short_trials_stay_as_they_are() {
        let whole = recording(&[8], &[7], None);
        let cut = whole.clone().cut(whole.pieces_of(10)).unwrap();
        let pieces = Pieces {
            bins: 10,
            ongoing: false,
        };
        assert_eq!(cut.pieces(), Some(pieces));
        assert!(!whole.pieces_of(8).ongoing && whole.pieces_of(7).ongoing);
        assert_eq!(
            (cut.bins(), cut.warnings()),
            (whole.bins(), whole.warnings())
        );
        assert!(whole.clone().cut(whole.pieces_of(0)).is_err());
    }
}
