//! Averages over the trials of a condition in every bin: for those who write a term.

use rayon::prelude::*;
use refire_core::TrialLayout;
use refire_kernels::dispatch;
use std::ops::Range;

/// Bins of one parallel task.
const BIN_BLOCK: usize = 32;

/// The trials of one condition that are averaged together: all of them, or one part.
#[derive(Clone, Debug)]
pub struct Part {
    /// Dense index of the condition.
    pub condition: usize,
    /// Index of the part within its condition, from 0.
    pub part: usize,
    /// Its trials, ascending.
    pub slots: Vec<usize>,
}

/// Deals the trials of every condition to `count` parts in turn (two: even and odd trials).
pub fn parts(layout: &TrialLayout, count: usize) -> Vec<Part> {
    let mut out = Vec::with_capacity(layout.groups().len() * count);
    for group in layout.groups() {
        for part in 0..count {
            out.push(Part {
                condition: group.condition,
                part,
                slots: group
                    .slots
                    .iter()
                    .copied()
                    .skip(part)
                    .step_by(count)
                    .collect(),
            });
        }
    }
    out
}

/// Trials of a part that are valid in each bin, up to its last valid bin.
pub fn valid_trials(layout: &TrialLayout, slots: &[usize]) -> Vec<usize> {
    let end = slots.iter().map(|&k| layout.bins(k)).max().unwrap_or(0);
    let mut ends = vec![0; end + 1];
    slots.iter().for_each(|&k| ends[layout.bins(k)] += 1);
    let mut valid = vec![0; end];
    let mut count = 0;
    for t in (0..end).rev() {
        count += ends[t + 1];
        valid[t] = count;
    }
    valid
}

/// Mean over the valid trials of a part, `[bin][unit]` up to its last valid bin; bins of history
/// are zero. `row` gives the numbers of one bin of one slot, `units` or more.
pub fn mean_over_trials<'a, X: Copy + 'a>(
    layout: &TrialLayout,
    slots: &[usize],
    units: usize,
    row: impl Fn(usize, usize) -> &'a [X] + Sync,
    number: impl Fn(X) -> f64 + Sync,
) -> Vec<f64> {
    let valid = valid_trials(layout, slots);
    let mut mean = vec![0.0f64; valid.len() * units];
    let first = layout.first_bin();
    mean.par_chunks_mut(BIN_BLOCK * units.max(1))
        .enumerate()
        .for_each(|(block, mean)| {
            dispatch(
                #[inline(always)]
                || {
                    let start = block * BIN_BLOCK;
                    let end = start + mean.len() / units.max(1);
                    let add_rows = |k: usize, bins: Range<usize>, mean: &mut [f64]| {
                        for t in bins {
                            let mean = &mut mean[(t - start) * units..][..units];
                            for (m, &x) in mean.iter_mut().zip(row(k, t)) {
                                *m += number(x);
                            }
                        }
                    };
                    let start_scored = start.max(first);
                    let (fours, rest) = slots.as_chunks::<4>();
                    for four in fours {
                        // In as many bins as they have in common, four trials at a time.
                        let [a, b, c, d] = *four;
                        let ends = [a, b, c, d].map(|k| end.min(layout.bins(k)));
                        let common = ends.into_iter().min().unwrap_or(0);
                        for t in start_scored..common {
                            let mean = &mut mean[(t - start) * units..][..units];
                            let rows = row(a, t).iter().zip(row(b, t));
                            let rows = rows.zip(row(c, t).iter().zip(row(d, t)));
                            for (m, ((&a, &b), (&c, &d))) in mean.iter_mut().zip(rows) {
                                *m += (number(a) + number(b)) + (number(c) + number(d));
                            }
                        }
                        for (&k, end) in four.iter().zip(ends) {
                            add_rows(k, start_scored.max(common)..end, mean);
                        }
                    }
                    for &k in rest {
                        add_rows(k, start_scored..end.min(layout.bins(k)), mean);
                    }
                    for (t, mean) in (start..).zip(mean.chunks_exact_mut(units.max(1))) {
                        let count = valid[t] as f64;
                        mean.iter_mut().for_each(|m| *m /= count);
                    }
                },
            );
        });
    mean
}

/// Calls `f` with every bin from `first` on and its row of `rows` (`[bin][unit]`), blocks of bins in
/// parallel; the sum of what it returns, in the order of bins.
pub fn for_each_bin(
    rows: &mut [f64],
    units: usize,
    first: usize,
    f: impl Fn(usize, &mut [f64]) -> f64 + Sync,
) -> f64 {
    let sums: Vec<f64> = rows
        .par_chunks_mut(BIN_BLOCK * units.max(1))
        .enumerate()
        .map(|(block, rows)| {
            dispatch(
                #[inline(always)]
                || {
                    let mut sum = 0.0;
                    for (at, row) in rows.chunks_exact_mut(units.max(1)).enumerate() {
                        let t = block * BIN_BLOCK + at;
                        if t >= first {
                            sum += f(t, row);
                        }
                    }
                    sum
                },
            )
        })
        .collect();
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_count_and_average_their_valid_trials() {
        let layout = TrialLayout::new(vec![0, 1, 0, 0], vec![3, 5, 4, 2], 1).unwrap();
        let slots = [0, 2, 3];
        assert_eq!(valid_trials(&layout, &slots), [3, 3, 2, 1]);
        // Bin t of slot k holds 10 k + t.
        let numbers: Vec<f64> = (0..50).map(f64::from).collect();
        let row = |k: usize, t: usize| &numbers[10 * k + t..][..1];
        let mean = mean_over_trials(&layout, &slots, 1, row, |x| x);
        assert_eq!(mean, [0.0, 53.0 / 3.0, 12.0, 23.0]);
    }
}
