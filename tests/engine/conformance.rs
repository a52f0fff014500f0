//! Conformance vectors: given parameters and uniforms, every spike, loss and gradient is known
//! (`tests/data/README.md`). Error = largest absolute error over the array's largest absolute value.

use refire::bptt::{Gradient, Sweep, sweep};
use refire::core::{RecordedTrials, TrialArray, TrialLayout};
use refire::kernels::Real;
use refire::loss::{DataStatistics, Likelihood, LossTerm, NoiseCovariance, Psth};
use refire::neuron::{Logistic, Memoryless, SpikeGradient};
use refire::published::{
    BatchTrials, PublishedHiddenRate, PublishedNoiseCovariance, PublishedPsth, PublishedWeights,
};
use refire::recording::{NpzArray, NpzFile};
use refire::sim::{
    Adjoints, DenseCoupling, GivenUniforms, Mode, Network, Pass, SlopesOf, Trajectory, Window, run,
};
use std::sync::Arc;

const TOLERANCE_F64: f64 = 1e-9;
const TOLERANCE_F32: f64 = 1e-4;

struct Vectors<T> {
    file: NpzFile,
    units: usize,
    observed: usize,
    lags: usize,
    conditions: usize,
    couplings: Vec<T>, // [source][lag][target]
    bias: Vec<T>,
    drive: TrialArray<T>,
    data: TrialArray<u8>,
    layout: TrialLayout,
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

impl<T: Real> Vectors<T> {
    fn open(name: &str) -> Self {
        let path = format!("{}/tests/data/{name}.npz", env!("CARGO_MANIFEST_DIR"));
        let mut file = NpzFile::open(path).unwrap();
        let weights = file.f64("weights").unwrap();
        let [lags, units, _] = weights.shape[..] else {
            panic!("weights {:?}", weights.shape)
        };
        // Given as [lag][target][source].
        let couplings = (0..units * lags * units)
            .map(|at| {
                let (source, lag, target) = (at / (lags * units), at / units % lags, at % units);
                T::new(weights.values[(lag * units + target) * units + source])
            })
            .collect();
        let bias = cast(&file.f64("bias").unwrap().values);
        let drive = file.f64("drive").unwrap();
        let mut shape = drive.shape.clone();
        if shape.len() == 2 {
            shape.insert(0, 1);
        }
        let data = file.u8("data").unwrap();
        let condition = if file.contains("condition") {
            file.i64("condition")
                .unwrap()
                .values
                .iter()
                .map(|&c| c as usize)
                .collect()
        } else {
            vec![0; data.shape[0]]
        };
        let layout = TrialLayout::new(condition, vec![data.shape[1]; data.shape[0]], 0).unwrap();
        Self {
            units,
            lags,
            observed: data.shape[2],
            conditions: shape[0],
            couplings,
            bias,
            drive: array(cast(&drive.values), &shape),
            data: array(data.values, &data.shape),
            layout,
            file,
        }
    }

    fn network(&self) -> Network<'_, T, DenseCoupling<'_, T>, Logistic, Memoryless<T>> {
        let coupling = DenseCoupling::new(&self.couplings, self.units, self.lags).unwrap();
        Network::new(coupling, &self.bias).with_observed(self.observed)
    }

    fn pass(&mut self, mode: Mode, uniforms: &str) -> Trajectory<T> {
        let given = self.file.f64(uniforms).unwrap();
        let given = array(cast::<T>(&given.values), &given.shape);
        let pass = Pass {
            mode,
            ..Pass::teacher_forced(&self.layout, &self.data, &self.drive)
        };
        let mut out = Trajectory::default();
        run(&self.network(), &pass, &GivenUniforms(&given), &mut out).unwrap();
        out
    }

    /// Evaluates the terms of non-zero weight on their passes and pulls everything back; returns
    /// the values.
    fn gradient(
        &self,
        terms: &mut [Box<dyn LossTerm<T>>],
        weights: &[f64],
        forced: Option<&Trajectory<T>>,
        free: &Trajectory<T>,
        spike_gradient: SpikeGradient,
    ) -> (Vec<f64>, Gradient<T>) {
        let network = self.network();
        let mut gradient = Gradient::zeros(&network, self.conditions, self.layout.max_bins());
        let mut values = vec![0.0; terms.len()];
        for (mode, trajectory) in [
            (Mode::TeacherForced, forced),
            (Mode::FreeRunning, Some(free)),
        ] {
            let Some(trajectory) = trajectory else {
                continue;
            };
            let mut adjoints = Adjoints::default();
            adjoints.reset(&self.layout, self.lags, self.units);
            let window = Window::whole(&self.layout, trajectory);
            let slopes = SlopesOf {
                window,
                escape: &Logistic,
            };
            for ((term, weight), value) in terms.iter_mut().zip(weights).zip(&mut values) {
                if term.mode() == mode && *weight != 0.0 {
                    let mut sink = adjoints.sink(&slopes);
                    *value = term.evaluate(&window, *weight, Some(&mut sink)).unwrap();
                }
            }
            let of = Sweep {
                mode,
                window,
                spike_gradient,
            };
            sweep(&network, &of, &mut adjoints, &mut gradient);
        }
        (values, gradient)
    }

    fn check_gradient(&mut self, prefix: &str, gradient: &Gradient<T>, tolerance: f64) {
        let (units, lags) = (self.units, self.lags);
        let weights: Vec<f64> = (0..lags * units * units)
            .map(|at| {
                let (lag, target, source) = (at / (units * units), at / units % units, at % units);
                gradient.couplings[(source * lags + lag) * units + target].f64()
            })
            .collect();
        let bias: Vec<f64> = gradient.bias.iter().map(|x| x.f64()).collect();
        let drive: Vec<f64> = gradient.drive.to_vec().iter().map(|x| x.f64()).collect();
        for (tail, found) in [("weights", weights), ("bias", bias), ("drive", drive)] {
            let key = format!("{prefix}_{tail}");
            assert_close(&key, &found, &self.file.f64(&key).unwrap(), tolerance);
        }
    }

    fn scalar(&mut self, name: &str) -> f64 {
        self.file.scalar_f64(name).unwrap()
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

fn published<T: Real>(name: &str, tolerance: f64) {
    let mut v = Vectors::<T>::open(name);
    let free = v.pass(Mode::FreeRunning, "uniforms_free");
    let forced = v.pass(Mode::TeacherForced, "uniforms_clamped");
    assert_eq!(
        free.spikes.to_vec(),
        v.file.u8("spikes").unwrap().values,
        "{name}: every free-running spike"
    );
    for (key, trajectory) in [("logits", &free), ("logits_clamped", &forced)] {
        let found: Vec<f64> = trajectory
            .potential
            .to_vec()
            .iter()
            .map(|x| x.f64())
            .collect();
        assert_close(key, &found, &v.file.f64(key).unwrap(), tolerance);
    }

    let (observed, lags, hidden) = (v.observed, v.lags, v.units > v.observed);
    let recorded = RecordedTrials {
        spikes: v.data.clone(),
        layout: v.layout.clone(),
        keys: Vec::new(),
    };
    let batch = BatchTrials::new(Arc::new(recorded));
    let given = PublishedWeights::default();
    let mut terms: Vec<Box<dyn LossTerm<T>>> = vec![
        Box::new(Likelihood::new(Logistic, observed)),
        Box::new(PublishedPsth::new(observed, batch.clone())),
        Box::new(PublishedNoiseCovariance::new(observed, lags, true, batch)),
    ];
    let mut names = vec!["mle", "psth", "nc"];
    let mut weights = vec![given.likelihood, given.psth, given.noise_covariance];
    if hidden {
        let target = given.hidden_target;
        terms.push(Box::new(PublishedHiddenRate::new(
            observed..v.units,
            target,
        )));
        names.push("hidden");
        weights.push(given.hidden_rate);
    }
    for (gradient_name, spike_gradient) in GRADIENTS {
        let mut total = 0.0;
        for (at, term_name) in names.iter().enumerate() {
            let mut single = vec![0.0; terms.len()];
            single[at] = 1.0;
            let (values, gradient) =
                v.gradient(&mut terms, &single, Some(&forced), &free, spike_gradient);
            let key = format!("loss_{term_name}");
            assert_scalar(&key, values[at], v.scalar(&key), tolerance);
            total += weights[at] * values[at];
            v.check_gradient(
                &format!("grad_{gradient_name}_{term_name}"),
                &gradient,
                tolerance,
            );
        }
        assert_scalar("loss_total", total, v.scalar("loss_total"), tolerance);
        let (_, gradient) = v.gradient(&mut terms, &weights, Some(&forced), &free, spike_gradient);
        v.check_gradient(&format!("grad_{gradient_name}"), &gradient, tolerance);
    }
}

fn corrected<T: Real>(tolerance: f64) {
    let mut v = Vectors::<T>::open("corrected");
    let free = v.pass(Mode::FreeRunning, "uniforms_free");
    assert_eq!(free.spikes.to_vec(), v.file.u8("spikes").unwrap().values);
    let statistics = Arc::new(DataStatistics::new(&v.data, &v.layout, v.lags));
    assert_close(
        "total_sd",
        statistics.total_sd(),
        &v.file.f64("total_sd").unwrap(),
        TOLERANCE_F64,
    );
    let (units, lags) = (v.units, v.lags);
    let pooled = statistics.noise_covariance(&[0, 1]);
    let as_given: Vec<f64> = (0..lags * units * units)
        .map(|at| {
            let (lag, i, j) = (at / (units * units), at / units % units, at % units);
            pooled[(j * lags + lag) * units + i]
        })
        .collect();
    assert_close(
        "covariance_data",
        &as_given,
        &v.file.f64("covariance_data").unwrap(),
        TOLERANCE_F64,
    );
    let mut terms: Vec<Box<dyn LossTerm<T>>> = vec![
        Box::new(NoiseCovariance::<T>::new(statistics.clone(), 1)),
        Box::new(Psth::new(statistics)),
    ];
    for (at, name) in ["nc", "psth"].iter().enumerate() {
        let single = if at == 0 { [1.0, 0.0] } else { [0.0, 1.0] };
        for (gradient_name, spike_gradient) in GRADIENTS {
            let (values, gradient) = v.gradient(&mut terms, &single, None, &free, spike_gradient);
            let key = format!("loss_{name}");
            assert_scalar(&key, values[at], v.scalar(&key), tolerance);
            v.check_gradient(
                &format!("grad_{gradient_name}_{name}"),
                &gradient,
                tolerance,
            );
        }
    }
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
