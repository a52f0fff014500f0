//! The design of a drive that is linear in its weights.

/// One weight in one bin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// Which weight, the same for every unit.
    pub weight: u32,
    /// What it is multiplied by.
    pub value: f64,
}

/// What a linear drive multiplies its weights by, the same for every unit:
///
/// ```text
/// x[c][t][j] = sum over terms of (c, t) of value w[weight][j]
/// ```
///
/// Only terms that are not zero are held, so that a basis of local bumps takes room in proportion to the bins. The
/// default is that of a drive without weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Design {
    bins_per_condition: Vec<usize>,
    /// Whether all conditions have the rows of a single course.
    shared: bool,
    longest: usize,
    /// Where the terms of `[course][bin]` start, and the end.
    starts: Vec<usize>,
    terms: Vec<Term>,
}

impl Design {
    /// Rows of conditions of so many bins, given the terms of each bin: of each condition, or once where all conditions
    /// share them.
    pub(crate) fn new<I: IntoIterator<Item = (usize, f64)>>(
        bins_per_condition: &[usize],
        shared: bool,
        row: impl Fn(usize, usize) -> I,
    ) -> Self {
        let longest = bins_per_condition.iter().copied().max().unwrap_or(0);
        let courses = match shared {
            true => bins_per_condition.len().min(1),
            false => bins_per_condition.len(),
        };
        let mut starts = Vec::with_capacity(courses * longest + 1);
        let mut terms = Vec::new();
        for (course, &valid) in bins_per_condition.iter().enumerate().take(courses) {
            for bin in 0..longest {
                starts.push(terms.len());
                let inside = shared || bin < valid;
                let row = inside.then(|| row(course, bin)).into_iter().flatten();
                terms.extend(
                    row.filter(|(_, value)| *value != 0.0)
                        .map(|(weight, value)| {
                            let weight = weight as u32;
                            Term { weight, value }
                        }),
                );
            }
        }
        starts.push(terms.len());
        Self {
            bins_per_condition: bins_per_condition.to_vec(),
            shared,
            longest,
            starts,
            terms,
        }
    }

    /// The terms of a bin, by ascending weight; none behind the end of a condition.
    pub fn row(&self, condition: usize, bin: usize) -> &[Term] {
        let bins = self.bins_per_condition.get(condition);
        if bins.is_none_or(|&bins| bin >= bins) {
            return &[];
        }
        let course = if self.shared { 0 } else { condition };
        let at = course * self.longest + bin;
        &self.terms[self.starts[at]..self.starts[at + 1]]
    }
}
