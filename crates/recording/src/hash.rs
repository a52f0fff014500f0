//! What identifies the data of a fit.

use sha2::{Digest, Sha256};

use crate::{Label, Recording};

impl Recording {
    /// SHA-256, in hexadecimal, of everything that decides a fit: bin width, shape, length and
    /// condition label of each trial, spikes, and stimulus.
    ///
    /// It does not depend on where the recording was read from, on whether the file held spike
    /// times or counts, or on padding, unit ids and warnings.
    pub fn hash(&self) -> String {
        let mut sha = Sha256::new();
        sha.update(b"refire recording 1");
        sha.update(self.bin_width().to_bits().to_le_bytes());
        let mut number = |n: usize| sha.update((n as u64).to_le_bytes());
        number(self.n_trials());
        number(self.n_units());
        self.bins().iter().for_each(|&b| number(b));
        for label in self.labels() {
            match label {
                Label::Number(n) => sha.update(n.to_le_bytes()),
                Label::Text(text) => {
                    sha.update((text.len() as u64).to_le_bytes());
                    sha.update(text);
                }
            }
        }
        for (trial, &bins) in self.bins().iter().enumerate() {
            sha.update(self.spikes().block(trial, 0, bins));
        }
        match self.stimulus() {
            None => sha.update([0]),
            Some(s) => {
                sha.update([1, u8::from(s.per_condition())]);
                sha.update(s.dt().seconds().to_bits().to_le_bytes());
                for n in [s.courses(), s.samples(), s.features()] {
                    sha.update((n as u64).to_le_bytes());
                }
                for value in s.values() {
                    sha.update(value.to_bits().to_le_bytes());
                }
            }
        }
        sha.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use refire_core::TrialArray;

    use crate::{Label, Recording, RecordingParts, Stimulus};

    fn parts() -> RecordingParts {
        let mut spikes = TrialArray::zeros(2, 3, 0, 2);
        spikes.row_mut(0, 1)[0] = 1;
        RecordingParts::new(spikes, "10ms".parse().unwrap())
    }

    fn hash(change: impl FnOnce(&mut RecordingParts)) -> String {
        let mut parts = parts();
        change(&mut parts);
        Recording::new(parts).unwrap().hash()
    }

    #[test]
    fn changes_with_what_decides_a_fit_and_with_nothing_else() {
        let stimulus = |last: f64, dt: &str, conditions| {
            Stimulus::new(vec![1.0, last], conditions, 1, dt.parse().unwrap()).ok()
        };
        let plain = hash(|_| {});
        assert_eq!(plain.len(), 64);
        let changed = [
            plain.clone(),
            hash(|p| p.bin_width = "20ms".parse().unwrap()),
            hash(|p| p.bins[1] = 2),
            hash(|p| p.labels[1] = Label::Number(1)),
            hash(|p| p.labels = vec![Label::Number(3); 2]),
            hash(|p| p.labels[1] = "a".parse().unwrap()),
            hash(|p| p.spikes.row_mut(1, 2)[1] = 1),
            hash(|p| p.stimulus = stimulus(2.0, "10ms", None)),
            hash(|p| p.stimulus = stimulus(3.0, "10ms", None)),
            hash(|p| p.stimulus = stimulus(2.0, "5ms", None)),
            hash(|p| p.stimulus = stimulus(2.0, "10ms", Some(1))),
        ];
        let mut distinct = changed.to_vec();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), changed.len());

        assert_eq!(
            plain,
            hash(|p| p.unit_ids = Some([8, 3].map(Label::from).to_vec()))
        );
        assert_eq!(plain, hash(|p| p.clipped_spikes = 9));
        assert_eq!(plain, hash(|p| p.warnings.push("a remark".into())));
        let mut padded = TrialArray::zeros(2, 3, 4, 2);
        padded.row_mut(0, 1)[0] = 1;
        assert_eq!(plain, hash(|p| p.spikes = padded));
    }
}
