//! Conformance vectors: given parameters and uniforms, every spike, loss and gradient is known
//! (`tests/data/README.md`). Error = largest absolute error over the array's largest absolute value.

use super::oracles::problem::{Batch, Outcome, Problem, WEIGHT};
use refire::core::{TrialArray, TrialLayout};
use refire::kernels::Real;
use refire::neuron::SpikeGradient;
use refire::published::{PublishedWeights, Transformable};
use refire::recording::{NpzArray, NpzFile};
use refire::sim::Mode;

const TOLERANCE_F64: f64 = 1e-9;
const TOLERANCE_F32: f64 = 1e-4;

struct Vectors<T> {
    file: NpzFile,
    problem: Problem<T>,
}

fn cast<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&x| T::new(x)).collect()
}

fn array<T: Copy + Default>(values: Vec<T>, shape: &[usize]) -> TrialArray<T> {
    let [trials, bins, units] = shape[..] else {
        panic!("expected three dimensions, found {shape:?}")
    };
    TrialArray::from_vec(values, trials, bins, units).unwrap()
}

/// `[source][lag][target]` of what is given as `[lag][target][source]`.
fn by_source<X: Copy>(given: &[X], lags: usize, units: usize) -> Vec<X> {
    let of = |at: usize| {
        let (source, lag, target) = (at / (lags * units), at / units % lags, at % units);
        given[(lag * units + target) * units + source]
    };
    (0..units * lags * units).map(of).collect()
}

impl<T: Transformable> Vectors<T> {
    fn open(name: &str) -> Self {
        let path = format!("{}/tests/data/{name}.npz", env!("CARGO_MANIFEST_DIR"));
        let mut file = NpzFile::open(path).unwrap();
        let weights = file.f64("weights").unwrap();
        let [lags, units, _] = weights.shape[..] else {
            panic!("weights {:?}", weights.shape)
        };
        let drive = file.f64("drive").unwrap();
        let mut shape = drive.shape.clone();
        if shape.len() == 2 {
            shape.insert(0, 1);
        }
        let data = file.u8("data").unwrap();
        let (trials, bins) = (data.shape[0], data.shape[1]);
        let condition = match file.contains("condition") {
            true => file.i64("condition").unwrap().values,
            false => vec![0; trials],
        };
        let condition = condition.into_iter().map(|c| c as usize).collect();
        let layout = TrialLayout::new(condition, vec![bins; trials], 0).unwrap();
        let spikes = array(data.values, &data.shape);
        let mut batch = |uniforms: &str| Batch {
            layout: layout.clone(),
            spikes: spikes.clone(),
            uniforms: match file.contains(uniforms) {
                true => array(
                    cast(&file.f64(uniforms).unwrap().values),
                    &[trials, bins, units],
                ),
                false => TrialArray::zeros(trials, bins, 0, units),
            },
        };
        let (recorded, simulated) = (batch("uniforms_clamped"), batch("uniforms_free"));
        let problem = Problem {
            observed: data.shape[2],
            units,
            live: units,
            lags,
            statistic_lags: lags,
            theta: 0.4,
            couplings: by_source(&cast(&weights.values), lags, units),
            same_bin: Vec::new(),
            bias: cast(&file.f64("bias").unwrap().values),
            drive: array(cast(&drive.values), &shape),
            recorded,
            simulated,
        };
        Self { file, problem }
    }

    fn check_spikes(&mut self) {
        let found = self.problem.pass(Mode::FreeRunning).spikes.to_vec();
        let expected = self.file.u8("spikes").unwrap().values;
        assert_eq!(found, expected, "every free-running spike");
    }

    /// Value and gradients of the terms, each by its name and that of the file; returns the values.
    fn check_terms(&mut self, names: &[(&str, &str)], tolerance: f64) -> Vec<f64> {
        let mut values = vec![];
        for (name, key) in names {
            for (gradient, spike_gradient) in GRADIENTS {
                let of_name = |term: &(&str, _)| term.0 == *name;
                let (_, mut term) = self.problem.terms().into_iter().find(of_name).unwrap();
                let found = self
                    .problem
                    .evaluate(term.as_mut(), spike_gradient)
                    .unwrap();
                let loss = format!("loss_{key}");
                let expected = self.file.scalar_f64(&loss).unwrap();
                assert_scalar(&loss, found.value, expected, tolerance);
                self.check_gradient(&format!("grad_{gradient}_{key}"), &found, tolerance);
                if spike_gradient == SpikeGradient::Escape {
                    values.push(found.value);
                }
            }
        }
        values
    }

    fn check_gradient(&mut self, prefix: &str, found: &Outcome<T>, tolerance: f64) {
        let numbers = [&found.couplings, &found.bias, &found.drive];
        for (tail, found) in ["weights", "bias", "drive"].into_iter().zip(numbers) {
            let key = format!("{prefix}_{tail}");
            let mut expected = self.file.f64(&key).unwrap();
            if tail == "weights" {
                let (lags, units) = (self.problem.lags, self.problem.units);
                expected.values = by_source(&expected.values, lags, units);
            }
            let found: Vec<f64> = found.iter().map(|x| x.f64() / WEIGHT).collect();
            assert_close(&key, &found, &expected, tolerance);
        }
    }
}

fn assert_close(what: &str, found: &[f64], expected: &NpzArray<f64>, tolerance: f64) {
    assert_eq!(found.len(), expected.values.len(), "{what}");
    let scale = expected.values.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let worst = found
        .iter()
        .zip(&expected.values)
        .fold(0.0f64, |m, (a, b)| m.max((a - b).abs()));
    let error = if scale > 0.0 { worst / scale } else { worst };
    println!("{what}: error {error:.1e}");
    assert!(
        error <= tolerance,
        "{what}: error {error:.3e} above {tolerance:.0e}"
    );
}

fn assert_scalar(what: &str, found: f64, expected: f64, tolerance: f64) {
    let error = (found - expected).abs() / expected.abs();
    println!("{what}: error {error:.1e}");
    assert!(error <= tolerance, "{what}: {found}, expected {expected}");
}

const GRADIENTS: [(&str, SpikeGradient); 2] = [
    ("triangle", SpikeGradient::Triangle),
    ("logistic", SpikeGradient::Escape),
];

fn published<T: Transformable>(name: &str, tolerance: f64) {
    let mut v = Vectors::<T>::open(name);
    v.check_spikes();
    for (key, mode) in [
        ("logits", Mode::FreeRunning),
        ("logits_clamped", Mode::TeacherForced),
    ] {
        let found = v.problem.pass(mode).potential.to_vec();
        let found: Vec<f64> = found.iter().map(|x| x.f64()).collect();
        assert_close(key, &found, &v.file.f64(key).unwrap(), tolerance);
    }
    let given = PublishedWeights::default();
    let mut names = vec![
        ("likelihood", "mle"),
        ("published PSTH", "psth"),
        ("published noise covariance, circular", "nc"),
    ];
    if v.problem.units > v.problem.observed {
        names.push(("published hidden rate", "hidden"));
    }
    let weights = [
        given.likelihood,
        given.psth,
        given.noise_covariance,
        given.hidden_rate,
    ];
    let values = v.check_terms(&names, tolerance);
    let total: f64 = values.iter().zip(weights).map(|(x, w)| x * w).sum();
    let expected = v.file.scalar_f64("loss_total").unwrap();
    assert_scalar("loss_total", total, expected, tolerance);
}

fn corrected<T: Transformable>(tolerance: f64) {
    let mut v = Vectors::<T>::open("corrected");
    v.check_spikes();
    let statistics = v.problem.statistics();
    let total_sd = v.file.f64("total_sd").unwrap();
    assert_close("total_sd", statistics.total_sd(), &total_sd, TOLERANCE_F64);
    let mut expected = v.file.f64("covariance_data").unwrap();
    expected.values = by_source(&expected.values, v.problem.lags, v.problem.units);
    let found = statistics.noise_covariance(&[0, 1]);
    assert_close("covariance_data", &found, &expected, TOLERANCE_F64);
    v.check_terms(&[("noise covariance", "nc"), ("PSTH", "psth")], tolerance);
}

#[test]
fn visible_network_in_f64() {
    published::<f64>("visible", TOLERANCE_F64);
}

#[test]
fn visible_network_in_f32() {
    published::<f32>("visible", TOLERANCE_F32);
}

#[test]
fn hidden_network_in_f64() {
    published::<f64>("hidden", TOLERANCE_F64);
}

#[test]
fn hidden_network_in_f32() {
    published::<f32>("hidden", TOLERANCE_F32);
}

#[test]
fn corrected_terms_in_f64() {
    corrected::<f64>(TOLERANCE_F64);
}

#[test]
fn corrected_terms_in_f32() {
    corrected::<f32>(TOLERANCE_F32);
}
