//! Whatever the numbers, the page is whole.

use super::{any_number, check};
use proptest::prelude::*;
use refire_report::{
    CouplingView, FitView, LagView, LossCurve, MetricRow, NoiseView, PsthExample, Report,
    StabilityView,
};

fn numbers(length: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(any_number(), length)
}

fn any_fit() -> impl Strategy<Value = FitView> {
    (0usize..5, 0usize..5).prop_flat_map(|(n, m)| {
        let losses = (numbers(n), numbers(n), numbers(m), numbers(m), any_number());
        let noise = (numbers(n), numbers(n), numbers(m * m), numbers(m * m));
        let couplings = (
            numbers(n * m),
            numbers(m),
            numbers(m),
            numbers(m),
            0usize..6,
        );
        let psth = (numbers(n), numbers(n), numbers(n), any_number());
        let stability = (numbers(n), numbers(n), numbers(4), 0usize..3, numbers(2));
        (losses, noise, couplings, psth, stability).prop_map(
            move |(losses, noise, couplings, psth, stability)| {
                let rows = |flat: &[f64]| -> Vec<Vec<f64>> {
                    (0..m).map(|i| flat[i * m..(i + 1) * m].to_vec()).collect()
                };
                FitView {
                    figures: vec![MetricRow {
                        model: Some(stability.4[0]),
                        ceiling: Some(stability.4[1]),
                        interval: Some((stability.4[1], stability.4[0])),
                        rises: true,
                        data: Some(losses.4),
                        ..MetricRow::default()
                    }],
                    losses: vec![LossCurve {
                        term: String::new(),
                        iterations: losses.0,
                        training: losses.1,
                        validation_iterations: losses.2,
                        validation: losses.3,
                        best_iteration: Some(losses.4),
                    }],
                    psths: vec![PsthExample {
                        label: "unit".into(),
                        correlation: psth.3,
                        time_s: psth.0,
                        data_hz: psth.1,
                        model_hz: psth.2,
                        breaks: if n > 1 { vec![1, 0, 1] } else { vec![] },
                    }],
                    rates: noise.0.iter().copied().zip(noise.1.clone()).collect(),
                    noise: Some(NoiseView {
                        pairs: noise.0.into_iter().zip(noise.1).collect(),
                        data: rows(&noise.2),
                        same_bin: rows(&noise.2),
                        by_lag: vec![LagView {
                            lag_s: stability.2[0],
                            r2: Some(stability.2[1]),
                            ceiling: Some(stability.2[2]),
                        }],
                        model: rows(&noise.3),
                    }),
                    couplings: CouplingView {
                        sources: n,
                        targets: m,
                        observed: couplings.4,
                        summed: couplings.0,
                        lags_s: couplings.1,
                        filters: vec![("a".into(), couplings.2)],
                        self_filters: vec![couplings.3],
                    },
                    stability: StabilityView {
                        verdict: "stable".into(),
                        divergent_share: stability.2[3],
                        runs: stability.3,
                        presentations: n,
                        time_s: stability.0,
                        traces_hz: vec![stability.1],
                        data_range_hz: (stability.2[0], stability.2[1]),
                        limit_hz: stability.2[2],
                        left_at: vec![0, 1, 5],
                        interval: Some((stability.2[0], stability.2[1])),
                        ..StabilityView::default()
                    },
                    ..FitView::default()
                }
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_numbers_give_a_whole_page(
        fits in prop::collection::vec(any_fit(), 0..4),
        bin_width_s in any_number(),
    ) {
        check(&Report { fits, bin_width_s, ..Report::default() });
    }
}
