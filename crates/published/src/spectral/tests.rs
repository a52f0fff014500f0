use super::*;
use proptest::prelude::*;
use refire_core::TrialArray;

proptest! {
    /// Against loops over every bin, lag and pair; with several groups of tiles, and trials that may end early.
    #[test]
    fn products_and_their_adjoint_match_loops(
        (trials, bins, units, lags, first) in (1usize..40, 1usize..90, 1usize..4, 1usize..5, 0usize..3),
        (more, less) in (0usize..3, 0usize..9),
        wrap in any::<bool>(),
        seed in 0u64..1000,
    ) {
        let number = |i: usize| (((i as u64 + 1) * (2 * seed + 7919)) % 1009) as f64 / 500.0 - 1.0;
        let end = first + bins;
        let ends: Vec<usize> = (0..trials).map(|k| end - (k * less % (bins + 1))).collect();
        let rows = (0..trials * end * (units + more)).map(number).collect();
        let rows = TrialArray::from_vec(rows, trials, end, units + more).unwrap();
        let means: Vec<Vec<f64>> = (0..trials)
            .map(|k| (0..end * units).map(|i| number(i + 3 * k)).collect())
            .collect();
        let x = |k: usize, s: usize, i: usize| {
            let t = first + s % bins;
            let beyond = s >= bins && !wrap;
            if beyond || t >= ends[k] { 0.0 } else { rows.row(k, t)[i] - means[k][t * units + i] }
        };
        let conditions: Vec<usize> = (0..trials).collect();
        let signal = Deviations {
            rows: &rows,
            means: &means,
            conditions: &conditions,
            ends: &ends,
            wrap,
        };
        let width = units.next_multiple_of(LANES);
        let mut tiles = LaggedProducts::new(lags);
        let mut products = Vec::new();
        tiles.forward(signal, units, width, first, bins, &mut products);
        let slopes: Vec<f64> = (0..products.len()).map(|i| number(i + 5)).collect();
        let mut gradient = TrialArray::zeros(trials, bins, 0, width);
        let into = gradient.as_mut_slice();
        tiles.backward(&slopes, width, into, bins * width, |_, into, rows| {
            into.copy_from_slice(&rows[..into.len()]);
        });

        let mut expected = vec![0.0; trials * bins * units];
        let place = |k: usize, s: usize, i: usize| (k * bins + s % bins) * units + i;
        for (at, &got) in products.iter().enumerate() {
            let (j, d, i) = (at / (lags * width), at / width % lags, at % width);
            if i >= units {
                prop_assert_eq!(got, 0.0);
                continue;
            }
            let mut sum = 0.0;
            for (k, s) in (0..trials).flat_map(|k| (0..bins).map(move |s| (k, s))) {
                sum += x(k, s, j) * x(k, s + d, i);
                if wrap || s + d < bins {
                    expected[place(k, s + d, i)] += slopes[at] * x(k, s, j);
                    expected[place(k, s, j)] += slopes[at] * x(k, s + d, i);
                }
            }
            prop_assert!((got - sum).abs() < 1e-10 * (1.0 + (trials * bins) as f64), "{got} {sum}");
        }
        for (k, s) in (0..trials).flat_map(|k| (0..bins).map(move |s| (k, s))) {
            for i in 0..units {
                let got = gradient.row(k, s)[i];
                let expected = expected[place(k, s, i)];
                prop_assert!((got - expected).abs() < 1e-11 * (lags * units) as f64, "{got} {expected}");
            }
        }
    }
}
