//! Every spike path of a tiny network.

use crate::network::shape;
use crate::{OracleError, TinyNetwork};

/// Most spikes and silences that a path may have: 65 536 paths.
pub const MAX_BITS: usize = 16;

/// All spike paths of one condition with their probabilities.
#[derive(Clone, Debug)]
pub struct Paths {
    probability: Vec<f64>,
    spikes: Vec<u8>,
    p: Vec<f64>,
    potential: Vec<f64>,
    bins: usize,
    units: usize,
}

/// One spike path; arrays are `[bin][unit]`, bins of history left out.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    /// Probability of the path.
    pub probability: f64,
    /// 0 or 1.
    pub spikes: &'a [u8],
    /// Probability of a spike, given the path up to the bin.
    pub p: &'a [f64],
    /// The potential `v` it comes from.
    pub potential: &'a [f64],
}

impl Paths {
    /// The paths of a free-running trial after the recorded `history` (`[bin][observed]`; hidden units
    /// are silent in it). `P(path) = prod p^z (1-p)^(1-z)`.
    ///
    /// # Errors
    /// [`OracleError::TooManyBits`] above [`MAX_BITS`], [`OracleError::Shape`] for parts that do not
    /// fit together.
    pub fn free(
        network: &TinyNetwork,
        condition: usize,
        history: &[u8],
    ) -> Result<Self, OracleError> {
        Self::list(network, condition, history, None)
    }

    /// The paths of a teacher-forced trial: observed units as `recorded` (`[bin][observed]`, all bins), hidden
    /// ones drawn given what came before. The probability is that of the hidden spikes alone.
    ///
    /// # Errors
    /// As [`Self::free`].
    pub fn teacher_forced(
        network: &TinyNetwork,
        condition: usize,
        recorded: &[u8],
        first_bin: usize,
    ) -> Result<Self, OracleError> {
        let history = recorded.get(..first_bin * network.observed).ok_or(shape(
            "bins of history",
            first_bin,
            0,
        ))?;
        Self::list(network, condition, history, Some(recorded))
    }

    fn list(
        network: &TinyNetwork,
        condition: usize,
        history: &[u8],
        recorded: Option<&[u8]>,
    ) -> Result<Self, OracleError> {
        let (n, observed) = (network.units, network.observed);
        let first = history.len() / observed.max(1);
        let drive = network.drive.get(condition).ok_or(shape(
            "conditions",
            condition + 1,
            network.drive.len(),
        ))?;
        let sizes = [
            ("couplings", n * network.lags * n, network.couplings.len()),
            (
                "same-bin couplings (none if 0)",
                if network.same_bin.is_empty() {
                    0
                } else {
                    n * n
                },
                network.same_bin.len(),
            ),
            ("bias", n, network.bias.len()),
            ("drive [bin][unit]", network.bins * n, drive.len()),
            ("bins of history", first * observed, history.len()),
            (
                "recorded [bin][observed]",
                network.bins * observed,
                recorded.map_or(network.bins * observed, <[u8]>::len),
            ),
        ];
        for (what, expected, found) in sizes {
            if expected != found {
                return Err(shape(what, expected, found));
            }
        }
        let bins = network.bins.saturating_sub(first);
        let free = if recorded.is_some() {
            observed..n
        } else {
            0..n
        };
        let bits = bins * free.len();
        if bits > MAX_BITS {
            return Err(OracleError::TooManyBits {
                limit: MAX_BITS,
                found: bits,
            });
        }
        let mut all = Self {
            probability: Vec::with_capacity(1 << bits),
            spikes: Vec::with_capacity((1 << bits) * bins * n),
            p: Vec::with_capacity((1 << bits) * bins * n),
            potential: Vec::with_capacity((1 << bits) * bins * n),
            bins,
            units: n,
        };
        let mut z = vec![0u8; network.bins * n];
        for (row, past) in z.chunks_mut(n).zip(history.chunks(observed.max(1))) {
            row[..observed].copy_from_slice(past);
        }
        for bits in 0u32..1 << bits {
            let mut at = 0;
            for t in first..network.bins {
                if let Some(recorded) = recorded {
                    z[t * n..][..observed].copy_from_slice(&recorded[t * observed..][..observed]);
                }
                for i in free.clone() {
                    z[t * n + i] = u8::from(bits >> at & 1 == 1);
                    at += 1;
                }
            }
            let mut probability = 1.0;
            for t in first..network.bins {
                for j in 0..n {
                    let mut u = network.bias[j] + drive[t * n + j];
                    for d in 1..=network.lags.min(t) {
                        for i in 0..n {
                            let w = network.couplings[(i * network.lags + d - 1) * n + j];
                            u += w * f64::from(z[(t - d) * n + i]);
                        }
                    }
                    for i in (0..n).filter(|_| !network.same_bin.is_empty()) {
                        if network.place(i) < network.place(j) {
                            u += network.same_bin[i * n + j] * f64::from(z[t * n + i]);
                        }
                    }
                    let v = (u - network.theta) / network.theta;
                    let p = 1.0 / (1.0 + (-v).exp());
                    if free.contains(&j) {
                        probability *= if z[t * n + j] == 1 { p } else { 1.0 - p };
                    }
                    all.p.push(p);
                    all.potential.push(v);
                }
            }
            all.spikes.extend_from_slice(&z[first * n..]);
            all.probability.push(probability);
        }
        Ok(all)
    }

    /// Number of paths.
    pub fn len(&self) -> usize {
        self.probability.len()
    }

    /// Whether there is none (never, as one path has no bits).
    pub fn is_empty(&self) -> bool {
        self.probability.is_empty()
    }

    /// Bins of a path.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Units of a path.
    pub fn units(&self) -> usize {
        self.units
    }

    /// All paths, in an order in which the bits of [`Path::spikes`] count up, the first fastest.
    pub fn iter(&self) -> impl Iterator<Item = Path<'_>> {
        let len = self.bins * self.units;
        self.probability
            .iter()
            .enumerate()
            .map(move |(at, &probability)| {
                let range = at * len..(at + 1) * len;
                Path {
                    probability,
                    spikes: &self.spikes[range.clone()],
                    p: &self.p[range.clone()],
                    potential: &self.potential[range],
                }
            })
    }

    /// Expectation of a function of the path.
    pub fn expect(&self, f: impl Fn(Path<'_>) -> f64) -> f64 {
        self.iter().map(|path| path.probability * f(path)).sum()
    }

    /// Expectations of several functions of the path at once: `f` adds its values.
    pub fn expect_all(&self, count: usize, f: impl Fn(Path<'_>, &mut [f64])) -> Vec<f64> {
        let mut sum = vec![0.0; count];
        let mut values = vec![0.0; count];
        for path in self.iter() {
            values.fill(0.0);
            f(path, &mut values);
            for (sum, value) in sum.iter_mut().zip(&values) {
                *sum += path.probability * value;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Strengths, TinyShape};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// A mistake in the order of history, lags or bits would break one of these.
        #[test]
        fn probabilities_add_up_and_spikes_have_the_mean_of_p(
            units in 1usize..4, hidden in 0usize..2, lags in 1usize..4, first in 0usize..3, same_bin: bool, seed: u64,
        ) {
            let (observed, units) = (units, units + hidden);
            let bins = first + 12 / units;
            let network = TinyNetwork::draw(TinyShape { observed, units, lags, bins }, Strengths { couplings: 1.5, bias: -0.5, drive: 1.0 }, 1, seed);
            let network = if same_bin { network.with_same_bin(2.0, seed) } else { network };
            let history = vec![1u8; first * observed];
            let paths = Paths::free(&network, 0, &history)?;
            prop_assert!((paths.expect(|_| 1.0) - 1.0).abs() < 1e-12);
            for at in 0..paths.bins() * units {
                let z = paths.expect(|path| f64::from(path.spikes[at]));
                prop_assert!((z - paths.expect(|path| path.p[at])).abs() < 1e-12);
            }
            let recorded = vec![1u8; bins * observed];
            let forced = Paths::teacher_forced(&network, 0, &recorded, first)?;
            prop_assert!((forced.expect(|_| 1.0) - 1.0).abs() < 1e-12);
            prop_assert_eq!(forced.len(), 1 << (hidden * paths.bins()));
        }
    }

    #[test]
    fn too_many_bits_and_wrong_shapes_are_refused() {
        let mut network = TinyNetwork::draw(
            TinyShape {
                observed: 3,
                units: 3,
                lags: 1,
                bins: 6,
            },
            Strengths {
                couplings: 1.0,
                bias: 0.0,
                drive: 0.0,
            },
            1,
            1,
        );
        let error = Paths::free(&network, 0, &[]).map(|_| ()).unwrap_err();
        assert_eq!(
            error,
            OracleError::TooManyBits {
                limit: 16,
                found: 18
            }
        );
        assert!(Paths::free(&network, 1, &[]).is_err());
        network.bias.pop();
        assert!(Paths::free(&network, 0, &[]).is_err());
    }
}
