use super::figure::svg;
use super::*;

/// Curves whose times are `size^power` ms, at two rounds a point.
fn curves(power: f64) -> Vec<Curve> {
    let measured = |axis: Axis| {
        let mut curve = Curve::new(axis, false);
        for point in &mut curve.points {
            let at = point.size.along(axis);
            for factor in [1.0, 3.0] {
                let ms = factor * at.powf(power);
                let line = format!(r#"{{"median_ms": {ms}, "rate_free": {at}}}"#);
                point.outcome.add(reading::parse(&line));
            }
        }
        curve
    };
    Axis::ALL.map(measured).into()
}

fn text(curves: &[Curve]) -> String {
    markdown(curves, &Stamp::now(2))
}

#[test]
fn one_size_is_varied_at_a_time_and_the_base_is_among_them() {
    for quick in [false, true] {
        for axis in Axis::ALL {
            let Curve { base, points, .. } = Curve::new(axis, quick);
            let sizes: Vec<f64> = points.iter().map(|p| p.size.along(axis)).collect();
            assert!(sizes.is_sorted() && sizes.len() >= 3);
            assert_eq!(sizes, axis.sizes(quick));
            assert!(sizes.contains(&base.along(axis)) || axis == Axis::Rate);
            // Synapses are counted over all units, so they grow with these as well.
            let others = Axis::ALL.into_iter().filter(|&other| other != axis);
            for other in others.filter(|&other| other != Axis::Synapses) {
                assert_eq!(points[0].size.along(other), base.along(other));
            }
        }
    }
}

#[test]
fn the_example_gets_the_size() {
    let size = Size::base(Axis::Rate, false).with(Axis::Rate, 0.04);
    assert_eq!(
        size.arguments(Axis::Rate, 2).join(" "),
        "--units 100 --bins 200 --trials 20 --rate 0.04 --lags 9 --threads 2 --iterations 20 --train 5"
    );
    let size = Size::base(Axis::Synapses, false).with(Axis::Synapses, 1e5);
    assert_eq!(
        size.arguments(Axis::Synapses, 1).join(" "),
        "--units 1000 --bins 100 --trials 10 --rate 0.1 --lags 9 --threads 1 --iterations 5 \
         --in-degree 100"
    );
}

#[test]
fn an_exponent_within_its_bound_holds_and_one_beyond_does_not() {
    let text = text(&curves(1.5));
    for line in [
        "| units | 200 bins, 20 trials, rate 0.1 | 1.50 +- 0.00 | 1.50 +- 0.00 | at most 2: yes |",
        "| bins | 100 units, 20 trials, rate 0.1 | 1.50 +- 0.00 | 1.50 +- 0.00 | at most 1: no |",
        "| spikes per bin | 100 units, 200 bins, 20 trials | 1.50 +- 0.00 | 1.50 +- 0.00 | - |",
        "| trials | 20 | 178.89 (89.44 to 268.33) | 20.000 | - |",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let value = json(&curves(1.5), &Stamp::now(2));
    let slope = value["growth"][1]["exponent"]["slope"].as_f64().unwrap();
    assert!((slope - 1.5).abs() < 1e-12);
    let rounds = &value["growth"][0]["points"][0]["rounds"];
    assert_eq!(rounds.as_array().unwrap().len(), 2);
}

#[test]
fn the_rate_is_the_one_that_was_measured() {
    let mut curves = curves(1.0);
    for point in &mut curves[3].points {
        for reading in &mut point.outcome.readings {
            reading.rate = reading.rate.map(|rate| rate.powi(2));
        }
    }
    // Time is the root of what was measured.
    assert!((curves[3].exponent().unwrap().slope - 0.5).abs() < 1e-12);
}

#[test]
fn a_size_that_failed_is_named_and_left_out() {
    let mut curves = curves(2.0);
    assert!(!curves[0].failed());
    curves[0].points[5].outcome.add(Err("killed".to_owned()));
    assert!(curves[0].failed() && !curves[1].failed());
    assert_eq!(curves[0].times().len(), 5);
    let text = text(&curves);
    assert!(
        text.contains("| units | 1000 | not run: killed | - | - |"),
        "{text}"
    );
}

#[test]
fn the_figure_has_a_name_for_every_axis_and_curve() {
    let figure = svg(&curves(1.0)).unwrap();
    for word in [
        "units",
        "bins",
        "trials",
        "spikes per bin",
        "synapses (sparse)",
        "slope 1 and slope 2",
    ] {
        assert!(figure.contains(&format!(">{word}</text>")), "{word}");
    }
    assert!(figure.contains("time (ms)"));
    assert!(figure.contains("of the base (synapses: 30000 of 1000 units, pass and sweep)"));
}
