use super::*;
use proptest::prelude::*;
use refire_core::{TrialLayout, aligned_vec};
use refire_random::{Purpose, Stream};

/// Some numbers in (-1, 1), the same every time.
fn numbers(count: usize, seed: u64) -> Vec<f64> {
    let number = |i: usize| ((i as u64 + 1) * (2 * seed + 7919) * 31 % 1009) as f64 / 505.0 - 1.0;
    (0..count).map(number).collect()
}

/// Spikes, their index, and adjoints with zero rows behind each trial.
fn batch(
    (trials, bins, units, lags): (usize, usize, usize, usize),
    seed: u64,
) -> (SpikeIndex, TrialArray<f64>) {
    let mut spikes = TrialArray::<u8>::zeros(trials, bins, 0, units);
    for (z, x) in spikes
        .as_mut_slice()
        .iter_mut()
        .zip(numbers(trials * bins * units, seed + 1))
    {
        *z = u8::from(x > 0.4);
    }
    let mut index = SpikeIndex::default();
    index.build(&spikes, &TrialLayout::uniform(trials, bins, 0).unwrap());
    let mut lambda = TrialArray::zeros(trials, bins, lags, units);
    for trial in 0..trials {
        let rows = numbers(bins * units, seed + 2 + trial as u64);
        lambda.trial_mut(trial)[..bins * units].copy_from_slice(&rows);
    }
    (index, lambda)
}

/// Dense weights `[source][lag][target]` of `sparse` ones, in rows of `units`.
fn expand(weights: &[f64], connectivity: &Connectivity, units: usize, lags: usize) -> Vec<f64> {
    let mut dense = vec![0.0; units * lags * units];
    let mut weights = weights.iter();
    for source in 0..connectivity.units() {
        for lag in 0..lags {
            for &target in connectivity.targets_of(source) {
                dense[(source * lags + lag) * units + target as usize] = *weights.next().unwrap();
            }
        }
    }
    assert!(weights.next().is_none());
    dense
}

fn close(found: &[f64], expected: &[f64]) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len());
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let bound = 1e-11 * (1.0 + expected.abs());
        prop_assert!(
            (found - expected).abs() < bound,
            "{}: {} and {}",
            at,
            found,
            expected
        );
    }
    Ok(())
}

/// Everything but the gradient: what a coupling does equals what the dense one does.
fn act_alike(
    coupling: &impl Coupling<f64>,
    dense: &DenseCoupling<'_, f64>,
    seed: u64,
) -> Result<(), TestCaseError> {
    let (units, lags) = (dense.units(), dense.lags());
    prop_assert_eq!((coupling.units(), coupling.lags()), (units, lags));
    let block = units * lags;
    let fired: Vec<usize> = (0..units)
        .filter(|i| !(i + seed as usize).is_multiple_of(3))
        .collect();
    for sources in [&[][..], &fired[..fired.len().min(1)], &fired] {
        let (mut found, mut expected) = (numbers(block, seed), numbers(block, seed));
        coupling.scatter_all(sources, &mut found);
        dense.scatter_all(sources, &mut expected);
        close(&found, &expected)?;
        let (mut found, mut expected) = (vec![7.0; sources.len()], vec![8.0; sources.len()]);
        let adjoints = numbers(block, seed + 9);
        coupling.gather_some(sources, &adjoints, &mut found);
        dense.gather_some(sources, &adjoints, &mut expected);
        close(&found, &expected)?;
        for &source in sources {
            let (mut found, mut expected) = (vec![0.5; block], vec![0.5; block]);
            coupling.scatter(source, &mut found);
            dense.scatter(source, &mut expected);
            close(&found, &expected)?;
            close(
                &[coupling.gather(source, &adjoints)],
                &[dense.gather(source, &adjoints)],
            )?;
        }
    }
    let some = units / 3..units;
    // What a block leaves in the scratch must not show in the next one.
    let mut scratch = aligned_vec();
    for trials in [19usize, 1, 3, 5, 16] {
        let adjoints = numbers(trials * block, seed + 5);
        let adjoints = MatrixRef::rows(&adjoints, trials, block, block);
        let count = trials * some.len();
        let (mut found, mut expected) = (vec![7.0; count], vec![8.0; count]);
        let rows = |out| MatrixMut::rows(out, trials, some.len(), some.len());
        coupling.gather_block(some.clone(), adjoints, rows(&mut found), &mut scratch);
        dense.gather_block(some.clone(), adjoints, rows(&mut expected), &mut scratch);
        close(&found, &expected)?;
    }
    Ok(())
}

fn gradient_of(
    coupling: &impl Coupling<f64>,
    (spikes, lambda): &(SpikeIndex, TrialArray<f64>),
) -> Vec<f64> {
    // Added to what is there.
    let mut gradient = vec![0.25; coupling.parameter_count()];
    coupling.add_gradient(spikes, lambda, 1, &mut LaggedSums::default(), &mut gradient);
    gradient.iter_mut().for_each(|g| *g -= 0.25);
    gradient
}

proptest! {
    #[test]
    fn sparse_couplings_are_dense_ones_on_a_mask(
        (trials, bins, live, lags) in (1usize..4, 1usize..9, 1usize..24, 1usize..4),
        padding in 0usize..3,
        keep in 0u64..10,
        seed in 0u64..1000,
    ) {
        let units = live + padding;
        let mask: Vec<bool> = (0..live * live)
            .map(|at| (at as u64 * 7919 + seed) % 1009 % 10 < keep)
            .collect();
        let connectivity = Connectivity::from_mask(&mask, live).unwrap();
        prop_assert_eq!(connectivity.synapses(), mask.iter().filter(|&&m| m).count());
        let weights = numbers(connectivity.synapses() * lags, seed);
        let sparse = SparseCoupling::new(&weights, &connectivity, units, lags).unwrap();
        let dense = expand(&weights, &connectivity, units, lags);
        let dense = DenseCoupling::new(&dense, units, lags).unwrap();
        act_alike(&sparse, &dense, seed)?;
        act_alike(&AnyCoupling::Sparse(sparse), &dense, seed)?;
        act_alike(&AnyCoupling::Dense(dense), &dense, seed)?;

        // Padding units never fire.
        let (index, mut lambda) = batch((trials, bins, live, lags), seed);
        let mut padded = SpikeIndex::default();
        for (to, from) in padded.trials_mut(trials).iter_mut().zip(index.trials()) {
            for s in 0..bins {
                for i in (0..live).filter(|&i| from.bins_of(i).contains(&(s as u32))) {
                    to.push(&[i], s);
                }
            }
            to.index(units);
        }
        lambda = {
            let mut wide = TrialArray::zeros(trials, bins, lags, units);
            for k in 0..trials {
                for t in 0..bins {
                    wide.row_mut(k, t)[..live].copy_from_slice(lambda.row(k, t));
                }
            }
            wide
        };
        let batch = (padded, lambda);
        let projected = gradient_of(&dense, &batch);
        let mut expected = Vec::new();
        for source in 0..live {
            for lag in 0..lags {
                for &target in connectivity.targets_of(source) {
                    expected.push(projected[(source * lags + lag) * units + target as usize]);
                }
            }
        }
        close(&gradient_of(&sparse, &batch), &expected)?;
        close(&gradient_of(&AnyCoupling::Sparse(sparse), &batch), &expected)?;
    }

    #[test]
    fn low_rank_couplings_are_dense_ones_of_their_product(
        (trials, bins, units, lags) in (1usize..4, 1usize..9, 1usize..24, 1usize..4),
        rank in prop::sample::select(vec![0usize, 1, 2, 15, 16, 17, 33]),
        seed in 0u64..1000,
    ) {
        let block = lags * units;
        let parameters = numbers(units * rank + rank * block, seed);
        let (left, right) = parameters.split_at(units * rank);
        let low = LowRankCoupling::new(&parameters, units, lags, rank).unwrap();
        let mut dense = vec![0.0; units * block];
        for (at, w) in dense.iter_mut().enumerate() {
            *w = (0..rank).map(|r| left[at / block * rank + r] * right[r * block + at % block]).sum();
        }
        let dense = DenseCoupling::new(&dense, units, lags).unwrap();
        act_alike(&low, &dense, seed)?;
        act_alike(&AnyCoupling::LowRank(low), &dense, seed)?;

        // The chain rule through W = left * right.
        let batch = batch((trials, bins, units, lags), seed);
        let d_dense = gradient_of(&dense, &batch);
        let mut expected = vec![0.0; parameters.len()];
        let (d_left, d_right) = expected.split_at_mut(units * rank);
        for (at, d) in d_dense.iter().enumerate() {
            for r in 0..rank {
                d_left[at / block * rank + r] += d * right[r * block + at % block];
                d_right[r * block + at % block] += d * left[at / block * rank + r];
            }
        }
        close(&gradient_of(&low, &batch), &expected)?;
        close(&gradient_of(&AnyCoupling::LowRank(low), &batch), &expected)?;
    }

    #[test]
    fn a_fixed_in_degree_is_one_of_different_sources_with_the_target_among_them(
        units in 1usize..60,
        share in 0.0f64..1.0,
        seed in 0u64..1000,
    ) {
        let in_degree = 1 + (share * units as f64) as usize;
        let stream = Stream::new(seed, Purpose::Connectivity);
        let drawn = Connectivity::fixed_in_degree(units, in_degree.min(units), stream).unwrap();
        prop_assert_eq!(drawn.in_degrees(), vec![in_degree.min(units) as u32; units]);
        for unit in 0..units {
            prop_assert!(drawn.targets_of(unit).is_sorted_by(|a, b| a < b));
            prop_assert!(drawn.targets_of(unit).contains(&(unit as u32)));
        }
        let again = Connectivity::from_lists(&drawn.out_degrees(), drawn.targets().to_vec());
        prop_assert_eq!(again.unwrap(), drawn);
    }
}

/// Blocks of columns and of sources with a remainder.
#[test]
fn low_rank_gradients_of_many_units_follow_the_chain_rule() {
    let (units, lags, rank) = (301, 2, 3);
    let block = units * lags;
    let parameters = numbers(units * rank + rank * block, 4);
    let (left, right) = parameters.split_at(units * rank);
    let low = LowRankCoupling::new(&parameters, units, lags, rank).unwrap();
    let zeros = vec![0.0; units * block];
    let dense = DenseCoupling::new(&zeros, units, lags).unwrap();
    let batch = batch((2, 7, units, lags), 5);
    let d_dense = gradient_of(&dense, &batch);
    let found = gradient_of(&low, &batch);
    let (d_left, d_right) = found.split_at(units * rank);
    for r in 0..rank {
        for i in 0..units {
            let row = &d_dense[i * block..(i + 1) * block];
            let right = &right[r * block..(r + 1) * block];
            let expected: f64 = row.iter().zip(right).map(|(d, w)| d * w).sum();
            assert!((d_left[i * rank + r] - expected).abs() < 1e-10);
        }
        for at in 0..block {
            let expected: f64 = (0..units)
                .map(|i| d_dense[i * block + at] * left[i * rank + r])
                .sum();
            assert!((d_right[r * block + at] - expected).abs() < 1e-10);
        }
    }
}

/// Every pair of different units is equally likely, in both ways of drawing. None of 2 x 90 counts may
/// be off by 5.5 standard deviations: a false alarm has a probability of 7e-6, with fixed seeds none.
#[test]
fn sources_of_a_fixed_in_degree_are_uniform() {
    for (in_degree, draws) in [(5, 900), (8, 900)] {
        let units = 10;
        let mut counts = vec![0.0; units * units];
        for seed in 0..draws {
            let stream = Stream::new(seed, Purpose::Connectivity);
            let drawn = Connectivity::fixed_in_degree(units, in_degree, stream).unwrap();
            for source in 0..units {
                for &target in drawn.targets_of(source) {
                    counts[source * units + target as usize] += 1.0;
                }
            }
        }
        // A draw without replacement: the variance of a count is n q (1 - q).
        let q = (in_degree - 1) as f64 / (units - 1) as f64;
        let (mean, variance) = (draws as f64 * q, draws as f64 * q * (1.0 - q));
        let pairs = (0..units * units).filter(|at| at / units != at % units);
        let largest = pairs
            .map(|at| (counts[at] - mean).abs() / variance.sqrt())
            .fold(0.0, f64::max);
        assert!(
            largest < 5.5,
            "in-degree {in_degree}: {largest} standard deviations"
        );
    }
}

#[test]
fn impossible_synapses_are_refused() {
    let stream = Stream::new(1, Purpose::Connectivity);
    for in_degree in [0, 5] {
        let error = Connectivity::fixed_in_degree(4, in_degree, stream).unwrap_err();
        assert!(error.to_string().contains("1 to 4"), "{error}");
    }
    let error = Connectivity::from_mask(&[true; 5], 2).unwrap_err();
    assert!(error.to_string().contains("expected 4, found 5"), "{error}");
    for (degrees, targets) in [
        (vec![1, 1], vec![0]),
        (vec![1, 0], vec![0, 1]),
        (vec![2, 0], vec![1, 0]),
        (vec![2, 0], vec![1, 1]),
        (vec![1, 1], vec![0, 2]),
    ] {
        assert!(Connectivity::from_lists(&degrees, targets).is_err());
    }
    let connectivity = Connectivity::from_mask(&[true; 4], 2).unwrap();
    let error = SparseCoupling::new(&[0.0; 7], &connectivity, 2, 2).unwrap_err();
    assert!(error.to_string().contains("expected 8, found 7"), "{error}");
    assert!(SparseCoupling::new(&[0.0; 8], &connectivity, 1, 2).is_err());
    let error = LowRankCoupling::new(&[0.0; 7], 2, 2, 1).unwrap_err();
    assert!(error.to_string().contains("expected 6, found 7"), "{error}");
}

proptest! {
    /// <scatter(z), lambda> = <z, gather(lambda)>, for single sources and for blocks of trials.
    #[test]
    fn scatter_and_gather_are_adjoint(
        units in 1usize..6,
        lags in 1usize..5,
        numbers in prop::collection::vec(-1.0f64..1.0, 400),
    ) {
        let block = lags * units;
        let weights = &numbers[..units * block];
        let adjoints = &numbers[units * block..units * block + 2 * block];
        let coupling = DenseCoupling::new(weights, units, lags).unwrap();
        let mut out = vec![9.0; 2 * units];
        coupling.gather_block(
            0..units,
            MatrixRef::rows(adjoints, 2, block, block),
            MatrixMut::rows(&mut out, 2, units, units),
            &mut aligned_vec(),
        );
        for source in 0..units {
            for trial in 0..2 {
                let lambda = &adjoints[trial * block..(trial + 1) * block];
                let mut scattered = vec![0.0; block];
                coupling.scatter(source, &mut scattered);
                let left: f64 = scattered.iter().zip(lambda).map(|(a, b)| a * b).sum();
                prop_assert!((left - coupling.gather(source, lambda)).abs() < 1e-12);
                prop_assert!((left - out[trial * units + source]).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn a_wrong_number_of_weights_is_refused() {
    let error = DenseCoupling::new(&[0.0f32; 7], 2, 2).unwrap_err();
    assert!(error.to_string().contains("expected 8, found 7"));
}
