//! The Fourier transforms and the products of the noise covariance apart.

use crate::limits::filled;
use crate::{Failed, Shape, Stages, Work, timed, work};
use refire::kernels::{
    LANES, MatrixMut, MatrixRef, RealFft, Samples, SpectrumShape, matmul_whole_rows,
};

/// The tiles in which the noise covariance goes to frequencies and back, laid out as in `refire-loss`:
/// overlap-save of windows of `size` bins, in groups.
pub struct Tiles {
    units: usize,
    size: usize,
    core: usize,
    per_group: usize,
    groups: usize,
}

impl Tiles {
    pub fn new(shape: &Shape) -> Self {
        let size = (6 * shape.lags).next_power_of_two().max(16);
        let core = size - 2 * (shape.lags - 1);
        let per_trial = shape.bins.div_ceil(core);
        let trials = 64usize.div_ceil(per_trial).min(shape.trials);
        Self {
            units: shape.units,
            size,
            core,
            per_group: trials * per_trial,
            groups: shape.trials.div_ceil(trials),
        }
    }

    /// Length of a row of real and imaginary parts.
    fn wide(&self) -> usize {
        (2 * self.units).next_multiple_of(LANES)
    }

    /// Bytes of one set of spectra.
    fn spectra(&self) -> f64 {
        (4 * self.groups * self.per_group * self.size / 2 * self.wide()) as f64
    }

    /// Windows and cores to frequencies, the gradient back.
    pub fn transforms(&self) -> Work {
        let (size, signals) = (self.size as f64, self.groups * self.per_group * self.units);
        let bytes = 3.0 * (4 * signals * self.core) as f64;
        let flops = 3.0 * signals as f64 * 2.5 * size * size.log2();
        work(flops, bytes + 3.0 * self.spectra(), 0.0)
    }

    /// Complex products of all pairs at half the frequencies, there and back.
    pub fn products(&self) -> Work {
        let spectra = (self.groups * self.per_group * self.size / 2) as f64;
        let flops = 2.0 * 8.0 * (self.units * self.units) as f64 * spectra;
        work(flops, 4.0 * self.spectra(), 0.0)
    }

    pub fn time(&self, stages: &mut Stages) -> Result<(), Failed> {
        let (n, wide, tiles, half) = (self.units, self.wide(), self.per_group, self.size / 2);
        let width = n.next_multiple_of(LANES);
        let fft = RealFft::new(self.size);
        let mut scratch = filled(fft.scratch_len(), 0.0);
        let set = || filled(half * tiles * wide, 0.0);
        let mut groups: Vec<_> = (0..self.groups)
            .map(|_| {
                let bins = tiles * self.core + self.size;
                (set(), set(), filled(bins * width, 0.0))
            })
            .collect();
        let margin = (self.size - self.core) / 2;
        let core = margin..margin + self.core;
        let shape = SpectrumShape {
            columns: n,
            stride: tiles * wide,
        };
        stages.add("of which transforms", self.transforms(), || {
            timed(|| {
                for (windows, cores, signal) in &mut groups {
                    for tile in 0..tiles {
                        let rows = &mut signal[tile * self.core * width..];
                        let (x, c) = (&mut windows[tile * wide..], &mut cores[tile * wide..]);
                        for (present, spectra) in [(0..self.size, x), (core.clone(), &mut *c)] {
                            let samples = Samples {
                                rows: &rows[present.start * width..],
                                width,
                                mean: &[],
                                mean_width: 0,
                                present,
                            };
                            fft.forward(samples, spectra, shape, &mut scratch);
                        }
                        let rows = &mut rows[margin * width..];
                        fft.inverse(c, shape, core.clone(), rows, width, &mut scratch);
                    }
                }
                Ok::<_, Failed>(())
            })
        })?;
        let mut blocks = vec![filled(2 * n * wide, 0.0); half];
        stages.add("of which products", self.products(), || {
            timed(|| {
                for (f, block) in blocks.iter_mut().enumerate() {
                    let at = f * tiles * wide;
                    for (group, (windows, cores, _)) in groups.iter().enumerate() {
                        let c = MatrixRef::rows(&cores[at..], tiles, 2 * n, wide).transposed();
                        let x = MatrixRef::rows(&windows[at..], tiles, wide, wide);
                        let into = MatrixMut::rows(block, 2 * n, wide, wide);
                        matmul_whole_rows(c, x, group > 0, into);
                    }
                }
                for (windows, cores, _) in &mut groups {
                    for (f, block) in blocks.iter().enumerate() {
                        let at = f * tiles * wide;
                        let x = MatrixRef::rows(&windows[at..], tiles, 2 * n, wide);
                        let block = MatrixRef::rows(block, 2 * n, wide, wide);
                        let into = MatrixMut::rows(&mut cores[at..], tiles, wide, wide);
                        matmul_whole_rows(x, block, false, into);
                    }
                }
                Ok::<_, Failed>(())
            })
        })
    }
}
