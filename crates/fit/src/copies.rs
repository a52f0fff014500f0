//! A start for fits with hidden units: hidden units are like the observed ones.

use crate::signs::Dale;
use crate::wiring::shape;
use crate::{Couplings, FitError, Specification};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use refire_engine::{Parameters, Wiring};
use refire_kernels::Real;
use refire_random::{Purpose, Stream};
use refire_sim::SimError;

/// Most that a coupling differs from its share, as a part of it: units that start alike would stay alike.
const SPREAD: f64 = 0.5;

/// Parameters in which hidden units are copies of the observed ones of a fit without hidden units
/// (`observed`, signs free): an electrode that sees one cell in six sees cells like the five it misses.
///
/// Every hidden unit has an original, in turns of a random order drawn from the seed; its bias, drive and
/// inputs are those of the original. What an observed unit does to others it shares with its copies: those
/// that may excite share its excitation, those that may inhibit its inhibition. So
///
/// ```text
/// W'[i,d,j] = max(W[a,d,b], 0) / e_a + min(W[a,d,b], 0) / h_a        (the parts that i may have)
/// ```
///
/// times a random factor of 0.5 to 1.5, for `i` and `j` that are or copy `a` and `b`, and `e_a` and `h_a`
/// the numbers of units that are or copy `a` and may excite or inhibit. Summed inputs are on average what
/// they were, so the populations do what they did; the couplings of an observed unit are as small as
/// those of one among all; and where Dale's law holds, the inhibition that a likelihood fit ascribes to
/// an excitatory cell comes from interneurons with the inputs of that cell. Biases make up for what
/// parts nobody may have, and for chance. Same-bin couplings among observed units stay as they are; hidden units start
/// without.
///
/// # Errors
/// [`FitError::Setting`] where couplings are not dense, [`FitError::Sim`] where `observed` is not the
/// fit of `probability.len()` units (their rates, spikes per bin).
pub fn start_as_copies<T: Real>(
    observed: &Parameters<T>,
    spec: &Specification,
    probability: &[f64],
) -> Result<Parameters<T>, FitError> {
    if spec.network.couplings != Couplings::Dense {
        let allowed = "dense where hidden units start as copies";
        return Err(FitError::setting("couplings", allowed, "others"));
    }
    let (seen, lags) = (probability.len(), spec.network.lags);
    let units = seen + spec.network.hidden;
    let rows = observed.drive.len().checked_div(seen).unwrap_or(0);
    for (what, expected, found) in [
        (
            "couplings of the observed units",
            Wiring::Dense.parameters(seen, lags).unwrap_or(0),
            observed.couplings.len(),
        ),
        ("biases of the observed units", seen, observed.bias.len()),
        (
            "same-bin couplings of the observed units (none if 0)",
            if observed.same_bin.is_empty() {
                0
            } else {
                seen * seen
            },
            observed.same_bin.len(),
        ),
        (
            "drive weights of the observed units",
            rows * seen,
            observed.drive.len(),
        ),
    ] {
        if expected != found {
            return Err(SimError::Shape {
                what,
                expected,
                found,
            }
            .into());
        }
    }
    let key = Stream::new(spec.seed, Purpose::Initial).words(1, 0, 0, 0);
    let seed = u64::from(key[0]) | (u64::from(key[1]) << 32);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let dale = Dale::new(spec, &Wiring::Dense, seen);
    let may = |unit: usize, inhibit: bool| {
        let known = dale.as_ref().and_then(|dale| dale.inhibits(unit));
        known.is_none_or(|inhibits| inhibits == inhibit)
    };
    let original = originals(spec, seen, may, &mut rng);
    // Units that share the excitation and the inhibition of each observed one.
    let mut sharing = vec![[0.0; 2]; seen];
    for (i, &a) in original.iter().enumerate() {
        for (part, inhibit) in [false, true].into_iter().enumerate() {
            sharing[a][part] += f64::from(u8::from(may(i, inhibit)));
        }
    }
    let mut start = Parameters::zeros(units * lags * units, units, rows * units);
    let shape = shape(spec, &Wiring::Dense, seen);
    start.same_bin = vec![T::zero(); shape.same_bin_parameters().unwrap_or(0)];
    let of_units = start.same_bin.chunks_exact_mut(units.max(1));
    for (row, own) in of_units.zip(observed.same_bin.chunks_exact(seen.max(1))) {
        row[..seen].copy_from_slice(own);
    }
    // Mean input of every unit, and of its original.
    let (mut input, mut before) = (vec![0.0; units], vec![0.0; seen]);
    for (at, w) in observed.couplings.iter().enumerate() {
        before[at % seen] += probability[at / (lags * seen)] * w.f64();
    }
    for (i, &a) in original.iter().enumerate() {
        let allowed = [may(i, false), may(i, true)];
        for lag in 0..lags {
            let from = &observed.couplings[(a * lags + lag) * seen..][..seen];
            let to = &mut start.couplings[(i * lags + lag) * units..][..units];
            for (j, (&b, to)) in original.iter().zip(to).enumerate() {
                let w = from[b].f64();
                let part = usize::from(w < 0.0);
                // What a unit does to itself is its own affair.
                let w = match (i == j, allowed[part]) {
                    (true, _) => w,
                    (false, true) => {
                        let factor = 1.0 + SPREAD * (2.0 * rng.random::<f64>() - 1.0);
                        w * factor / sharing[a][part]
                    }
                    (false, false) => 0.0,
                };
                *to = T::new(w);
                input[j] += probability[a] * w;
            }
        }
        for row in 0..rows {
            start.drive[row * units + i] = observed.drive[row * seen + a];
        }
    }
    for ((bias, &b), input) in start.bias.iter_mut().zip(&original).zip(input) {
        *bias = observed.bias[b] + T::new(before[b] - input);
    }
    Ok(start)
}

/// The observed unit that each unit is or copies. Hidden units that excite copy one that may excite, those
/// that inhibit any: its inhibition is theirs.
fn originals(
    spec: &Specification,
    seen: usize,
    may: impl Fn(usize, bool) -> bool,
    rng: &mut Xoshiro256PlusPlus,
) -> Vec<usize> {
    let mut all: Vec<usize> = (0..seen).collect();
    all.shuffle(rng);
    let mut exciting: Vec<usize> = all.iter().copied().filter(|&a| may(a, false)).collect();
    if exciting.is_empty() {
        exciting.clone_from(&all);
    }
    let excitatory = spec.network.excitatory_hidden();
    let copies = (0..spec.network.hidden).filter_map(|h| match h.checked_sub(excitatory) {
        None => exciting.get(h % exciting.len().max(1)),
        Some(h) => all.get(h % all.len().max(1)),
    });
    (0..seen).chain(copies.copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Drive, Facts, HeldOut, ObjectiveKind};

    const RATES: [f64; 3] = [0.1, 0.2, 0.4];

    /// Three observed units, two lags, one row of drive weights; couplings of both signs.
    fn observed() -> Parameters<f64> {
        Parameters {
            couplings: (0..18).map(|at| (1.3 * at as f64 + 0.4).sin()).collect(),
            bias: vec![-0.5, 0.25, 0.75],
            drive: vec![1.0, 2.0, 3.0],
            same_bin: vec![0.0, 0.3, -0.2, 0.0, 0.0, 0.7, 0.0, 0.0, 0.0],
        }
    }

    fn spec() -> Specification {
        let mut spec = Specification::new(Facts::default(), ObjectiveKind::default());
        spec.network.lags = 2;
        spec.network.hidden = 5;
        spec
    }

    /// Couplings summed over sources with the rate of their original, plus bias, per target.
    fn mean_inputs(start: &Parameters<f64>, originals: &[usize]) -> Vec<f64> {
        let units = originals.len();
        let mut input = start.bias.clone();
        for (at, w) in start.couplings.iter().enumerate() {
            input[at % units] += RATES[originals[at / (2 * units)]] * w;
        }
        input
    }

    /// The original of each unit, told by its drive weight.
    fn told(start: &Parameters<f64>) -> Vec<usize> {
        start.drive.iter().map(|&x| x as usize - 1).collect()
    }

    #[test]
    fn copies_do_together_what_their_original_did() {
        let start = start_as_copies(&observed(), &spec(), &RATES).unwrap();
        let originals = told(&start);
        assert_eq!(originals[..3], [0, 1, 2]);
        let before = mean_inputs(&observed(), &[0, 1, 2]);
        for (input, &b) in mean_inputs(&start, &originals).iter().zip(&originals) {
            assert!((input - before[b]).abs() < 1e-12);
        }
        for a in 0..3 {
            let family = originals.iter().filter(|&&o| o == a).count();
            assert!((2..=3).contains(&family), "every unit is copied in turn");
            for (i, _) in originals.iter().enumerate().filter(|(_, o)| **o == a) {
                for (at, w) in start.couplings[16 * i..][..16].iter().enumerate() {
                    let (lag, j) = (at / 8, at % 8);
                    let of = observed().couplings[(a * 2 + lag) * 3 + originals[j]];
                    let share = w / of * family as f64;
                    let expected = if i == j {
                        family as f64..=family as f64 + 1e-9
                    } else {
                        0.5..=1.5
                    };
                    assert!(expected.contains(&(share + 1e-12)), "{i} to {j}: {share}");
                }
            }
        }
        let again = start_as_copies(&observed(), &spec(), &RATES).unwrap();
        assert_eq!(start, again);
    }

    #[test]
    fn under_dales_law_interneurons_take_the_inhibition() {
        let mut spec = spec();
        spec.network.signs.hidden_inhibitory = Some(0.4);
        spec.network.signs.observed_inhibitory = Some(vec![2]);
        let start = start_as_copies(&observed(), &spec, &RATES).unwrap();
        let originals = told(&start);
        let (mut positive, mut negative) = (0, 0);
        for i in 0..8 {
            let inhibits = i == 2 || i >= 6;
            for (at, &w) in start.couplings[16 * i..][..16].iter().enumerate() {
                if at % 8 != i {
                    assert!(if inhibits { w <= 0.0 } else { w >= 0.0 }, "{i}: {w}");
                    positive += usize::from(w > 0.0);
                    negative += usize::from(w < 0.0);
                }
            }
        }
        assert!(positive > 10 && negative > 10);
        assert!(originals[3..6].iter().all(|&a| a != 2), "excitatory copies");
        let before = mean_inputs(&observed(), &[0, 1, 2]);
        for (input, &b) in mean_inputs(&start, &originals).iter().zip(&originals) {
            assert!((input - before[b]).abs() < 1e-12);
        }
    }

    #[test]
    fn refuses_what_is_no_fit_of_the_observed_units() {
        let short = Parameters {
            bias: vec![0.0; 2],
            ..observed()
        };
        let message = |observed: &Parameters<f64>, spec: &Specification| {
            let refused = start_as_copies(observed, spec, &RATES);
            refused.unwrap_err().to_string()
        };
        assert!(message(&short, &spec()).contains("expected 3, found 2"));
        let mut low_rank = spec();
        low_rank.network.couplings = Couplings::LowRank { rank: 1 };
        assert!(message(&observed(), &low_rank).contains("couplings"));
    }

    /// Twelve trials of 30 bins of three units that fire now and then.
    fn recording() -> refire_recording::Recording {
        use refire_recording::{BinWidth, Recording, RecordingParts};
        let mut spikes = refire_core::TrialArray::<u8>::zeros(12, 30, 0, 3);
        for (at, z) in spikes.as_mut_slice().iter_mut().enumerate() {
            *z = u8::from(at * at % 7 < 3 && at % 5 < 2);
        }
        let width = BinWidth::from_seconds(0.01).unwrap();
        Recording::new(RecordingParts::new(spikes, width)).unwrap()
    }

    #[test]
    fn a_fit_goes_on_from_a_start_and_keeps_its_signs() {
        let recording = recording();
        let mut spec = spec();
        spec.network.lags = 1;
        spec.network.signs.hidden_inhibitory = Some(0.4);
        spec.network.signs.observed_inhibitory = Some(vec![2]);
        spec.drive = Drive::None;
        spec.batch.trials = 6;
        spec.batch.free_bins = 300;
        spec.held_out = HeldOut {
            validation: 0.0,
            ..spec.held_out
        };
        if let Some(statistics) = spec.objective.statistics_mut() {
            statistics.set_noise_lags(Some(4));
        }
        if let Some(adam) = spec.optimiser.steps_mut() {
            adam.iterations = 8;
        }
        let observed = Parameters {
            couplings: observed().couplings[..9]
                .iter()
                .map(|&w| w as f32)
                .collect(),
            bias: vec![0.1; 3],
            drive: Vec::new(),
            same_bin: Vec::new(),
        };
        let start = start_as_copies(&observed, &spec, &RATES).unwrap();
        let mut trainer = crate::Trainer::new(&recording, &spec).unwrap();
        trainer.start_from(start.clone()).unwrap();
        assert_eq!(trainer.model().parameters, start);
        while !trainer.finished() {
            trainer.step().unwrap();
        }
        let refused = trainer.start_from(start.clone()).unwrap_err().to_string();
        assert!(refused.contains("steps before a start"), "{refused}");
        let fitted = trainer.model().parameters.couplings;
        for (at, (&w, before)) in fitted.iter().zip(&start.couplings).enumerate() {
            let (i, j) = (at / 8, at % 8);
            if i != j {
                let inhibits = i == 2 || i >= 6;
                assert!(
                    if inhibits { w <= 0.0 } else { w >= 0.0 },
                    "{i} to {j}: {w}"
                );
            }
            assert!(
                (w - before).abs() < 0.2,
                "eight steps of a hundredth or less"
            );
        }
        let moved = fitted.iter().zip(&start.couplings).filter(|(w, b)| w != b);
        assert!(moved.count() > 20);
        let mut other = crate::Trainer::new(&recording, &spec).unwrap();
        let short = Parameters {
            bias: vec![0.0; 7],
            ..start
        };
        let refused = other.start_from(short).unwrap_err().to_string();
        assert!(refused.contains("length of the start's bias"), "{refused}");
    }

    #[test]
    fn signs_of_units_that_are_not_recorded_are_refused() {
        let mut spec = Specification::new(Facts::default(), ObjectiveKind::default());
        spec.network.lags = 1;
        spec.network.signs.observed_inhibitory = Some(vec![3]);
        let refused = crate::Trainer::new(&recording(), &spec).err().unwrap();
        assert!(
            refused.to_string().contains("found 3 of 3 units"),
            "{refused}"
        );
    }
}
