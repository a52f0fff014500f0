//! Sums of overlapping blocks of rows: what spikes of one source add up to, in registers.

use crate::vectors::{Kernel, Vectors};
use crate::{LANES, Real};

/// Most rows of a block summed in one go: one accumulator each.
const ROWS: usize = 12;

/// `into[d] += sum over starts s of tile[s + ahead + d]`, for rows of [`LANES`] numbers and as many rows
/// `d` as `into` has, in the order of `starts`.
///
/// # Panics
/// If a block reaches beyond the tile.
pub fn add_blocks<T: Real>(tile: &[T], starts: &[u32], ahead: usize, into: &mut [T]) {
    T::with_vectors(AddBlocks {
        tile,
        starts,
        ahead,
        into,
    });
}

struct AddBlocks<'a, T> {
    tile: &'a [T],
    starts: &'a [u32],
    ahead: usize,
    into: &'a mut [T],
}

impl<T: Real> Kernel<T> for AddBlocks<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Vectors<T>>(self, r: R) {
        let rows = self.into.len() / LANES;
        for lane in (0..LANES).step_by(R::LANES) {
            let mut row = 0;
            while row < rows {
                let tile = &self.tile[(self.ahead + row) * LANES + lane..];
                let into = &mut self.into[row * LANES + lane..];
                row += match rows - row {
                    1 => add::<T, R, 1>(r, tile, self.starts, into),
                    2 => add::<T, R, 2>(r, tile, self.starts, into),
                    3 => add::<T, R, 3>(r, tile, self.starts, into),
                    4 => add::<T, R, 4>(r, tile, self.starts, into),
                    5 => add::<T, R, 5>(r, tile, self.starts, into),
                    6 => add::<T, R, 6>(r, tile, self.starts, into),
                    7 => add::<T, R, 7>(r, tile, self.starts, into),
                    8 => add::<T, R, 8>(r, tile, self.starts, into),
                    9 => add::<T, R, 9>(r, tile, self.starts, into),
                    10 => add::<T, R, 10>(r, tile, self.starts, into),
                    11 => add::<T, R, 11>(r, tile, self.starts, into),
                    _ => add::<T, R, ROWS>(r, tile, self.starts, into),
                };
            }
        }
    }
}

/// The sum of `N` rows; returns `N`.
#[inline(always)]
fn add<T: Real, R: Vectors<T>, const N: usize>(
    r: R,
    tile: &[T],
    starts: &[u32],
    into: &mut [T],
) -> usize {
    let mut sums = [r.splat(T::zero()); N];
    for (sum, into) in sums.iter_mut().zip(into.chunks(LANES)) {
        *sum = r.load(into);
    }
    for &start in starts {
        let block = &tile[start as usize * LANES..][..(N - 1) * LANES + R::LANES];
        let (block, _) = r.split(block);
        for (sum, &x) in sums.iter_mut().zip(block.iter().step_by(LANES / R::LANES)) {
            *sum = r.add(*sum, x);
        }
    }
    for (sum, into) in sums.iter().zip(into.chunks_mut(LANES)) {
        r.store(&mut into[..R::LANES], *sum);
    }
    N
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn match_loops_over_rows(
            rows in 0usize..30,
            ahead in 0usize..4,
            starts in prop::collection::vec(0u32..20, 0..30),
            seed in 0u64..1000,
        ) {
            let number = |i: usize| (((i as u64 + 1) * (seed + 7919)) % 101) as f64 / 50.0 - 1.0;
            let tile: Vec<f64> = (0..(20 + ahead + rows) * LANES).map(number).collect();
            let mut into: Vec<f64> = (0..rows * LANES).map(|i| number(i + 5)).collect();
            let mut expected = into.clone();
            for (at, x) in expected.iter_mut().enumerate() {
                for &s in &starts {
                    *x += tile[(s as usize + ahead) * LANES + at];
                }
            }
            add_blocks(&tile, &starts, ahead, &mut into);
            prop_assert_eq!(into, expected);
        }
    }
}
