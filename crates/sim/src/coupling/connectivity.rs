//! Which synapses exist.

use crate::{SimError, UnitOrder};
use rayon::prelude::*;
use refire_random::Stream;

/// Targets of one parallel task of [`Connectivity::fixed_in_degree`].
const TARGET_BLOCK: usize = 256;

/// The synapses between units in compressed form: per source an ascending list of targets.
///
/// Memory: 4 bytes per synapse and 8 per unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connectivity {
    /// Where the targets of each source start, and the end of the last.
    offsets: Vec<usize>,
    targets: Vec<u32>,
}

impl Connectivity {
    /// The synapses marked in `mask`, `[source][target]`.
    ///
    /// # Errors
    /// [`SimError::Shape`] where the mask does not have `units * units` entries.
    pub fn from_mask(mask: &[bool], units: usize) -> Result<Self, SimError> {
        if Some(mask.len()) != units.checked_mul(units) {
            return Err(SimError::Shape {
                what: "mask of synapses [source][target]",
                expected: units.saturating_mul(units),
                found: mask.len(),
            });
        }
        let (mut offsets, mut targets) = (vec![0], Vec::new());
        for row in mask.chunks_exact(units.max(1)) {
            let exist = row.iter().enumerate().filter(|&(_, &exists)| exists);
            targets.extend(exist.map(|(target, _)| target as u32));
            offsets.push(targets.len());
        }
        Ok(Self { offsets, targets })
    }

    /// Lists as they were given by [`Self::out_degrees`] and [`Self::targets`]: synapses per source,
    /// and their targets, source after source.
    ///
    /// # Errors
    /// [`SimError::Shape`] where the numbers of synapses do not add up to the number of targets, and
    /// [`SimError::Targets`] where those of a source do not ascend or name no unit.
    pub fn from_lists(out_degrees: &[u32], targets: Vec<u32>) -> Result<Self, SimError> {
        let (units, mut end) = (out_degrees.len(), 0);
        let mut offsets = Vec::with_capacity(units + 1);
        offsets.push(0);
        for (source, &degree) in out_degrees.iter().enumerate() {
            let start = end;
            end += degree as usize;
            let own = targets.get(start..end).ok_or(SimError::Shape {
                what: "targets of synapses",
                expected: end,
                found: targets.len(),
            })?;
            let in_range = own.last().is_none_or(|&last| (last as usize) < units);
            if !in_range || !own.is_sorted_by(|a, b| a < b) {
                return Err(SimError::Targets {
                    source_unit: source,
                    units,
                });
            }
            offsets.push(end);
        }
        if end != targets.len() {
            return Err(SimError::Shape {
                what: "targets of synapses",
                expected: end,
                found: targets.len(),
            });
        }
        Ok(Self { offsets, targets })
    }

    /// `in_degree` synapses onto every unit: one from itself (its own spike history), the others from
    /// as many different units, all sets equally likely. Time and memory grow with the number of
    /// synapses.
    ///
    /// A pure function of the stream, of which it reads iterations `0..units`. A source is drawn from
    /// 32 bits: the chances of two units differ by at most `units / 2^32` of themselves.
    ///
    /// # Errors
    /// [`SimError::InDegree`] unless `in_degree` is 1 to `units`.
    pub fn fixed_in_degree(
        units: usize,
        in_degree: usize,
        stream: Stream,
    ) -> Result<Self, SimError> {
        if in_degree == 0 || in_degree > units || u32::try_from(units).is_err() {
            return Err(SimError::InDegree {
                units,
                found: in_degree,
            });
        }
        // Drawing from others until enough differ is quick while at most half of them are wanted;
        // else those left out are drawn.
        let others = in_degree - 1;
        let keep = 2 * others < units;
        let drawn = if keep { others } else { units - in_degree };
        let mut sources = vec![0u32; units * in_degree];
        sources
            .par_chunks_mut(TARGET_BLOCK * in_degree)
            .enumerate()
            .for_each(|(block, sources)| {
                let mut marked = vec![false; units];
                let mut chosen = Vec::with_capacity(drawn);
                for (at, own) in sources.chunks_exact_mut(in_degree).enumerate() {
                    let target = block * TARGET_BLOCK + at;
                    draw_others(units, drawn, target, stream, &mut marked, &mut chosen);
                    if keep {
                        own[0] = target as u32;
                        own[1..].copy_from_slice(&chosen);
                    } else {
                        let left = (0..units).filter(|&i| !marked[i]);
                        own.iter_mut()
                            .zip(left)
                            .for_each(|(own, i)| *own = i as u32);
                    }
                    chosen.iter().for_each(|&i| marked[i as usize] = false);
                }
            });
        // By target to by source: a counting sort, which leaves the targets of a source ascending.
        let mut offsets = vec![0usize; units + 1];
        for &source in &sources {
            offsets[source as usize + 1] += 1;
        }
        for at in 1..=units {
            offsets[at] += offsets[at - 1];
        }
        let mut next = offsets.clone();
        let mut targets = vec![0u32; sources.len()];
        for (target, sources) in sources.chunks_exact(in_degree).enumerate() {
            for &source in sources {
                let next = &mut next[source as usize];
                targets[*next] = target as u32;
                *next += 1;
            }
        }
        Ok(Self { offsets, targets })
    }

    /// The synapses along which same-bin couplings act: those onto units behind their source.
    pub fn in_order(&self, order: UnitOrder) -> Self {
        let (mut offsets, mut targets) = (vec![0], Vec::new());
        for source in 0..self.units() {
            let all = self.targets_of(source).iter();
            targets.extend(all.filter(|&&j| order.is_before(source, j as usize)));
            offsets.push(targets.len());
        }
        Self { offsets, targets }
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Number of synapses.
    pub fn synapses(&self) -> usize {
        self.targets.len()
    }

    /// Targets of all synapses, source after source.
    pub fn targets(&self) -> &[u32] {
        &self.targets
    }

    /// Targets of one source, ascending; none of a unit there is not.
    #[inline(always)]
    pub fn targets_of(&self, source: usize) -> &[u32] {
        &self.targets[self.range(source)]
    }

    /// Synapses of each source.
    pub fn out_degrees(&self) -> Vec<u32> {
        let pairs = self.offsets.windows(2);
        pairs.map(|pair| (pair[1] - pair[0]) as u32).collect()
    }

    /// Synapses onto each target.
    pub fn in_degrees(&self) -> Vec<u32> {
        let mut degrees = vec![0; self.units()];
        for &target in &self.targets {
            degrees[target as usize] += 1;
        }
        degrees
    }

    /// The synapses of one source among all.
    #[inline(always)]
    pub(super) fn range(&self, source: usize) -> std::ops::Range<usize> {
        match (self.offsets.get(source), self.offsets.get(source + 1)) {
            (Some(&start), Some(&end)) => start..end,
            _ => 0..0,
        }
    }
}

/// Draws `count` different units other than `target` into `chosen` and marks them.
fn draw_others(
    units: usize,
    count: usize,
    target: usize,
    stream: Stream,
    marked: &mut [bool],
    chosen: &mut Vec<u32>,
) {
    chosen.clear();
    for draw in 0.. {
        for word in stream.words(target as u32, 0, 0, draw) {
            if chosen.len() == count {
                return;
            }
            let other = ((u64::from(word) * (units as u64 - 1)) >> 32) as usize;
            let other = other + usize::from(other >= target);
            if !std::mem::replace(&mut marked[other], true) {
                chosen.push(other as u32);
            }
        }
    }
}
