//! What is shown, which decides how it looks: one look per meaning, on every figure.

use crate::svg::Mark;

/// What a series or a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Theory or truth, to compare with: grey; where joined, a thin dashed line without marks.
    Reference,
    /// Something measured. The number picks colour and mark, which stay the same on the whole
    /// page; there are six of them.
    Series(usize),
    /// A fit by a named objective, or what such fits are compared with.
    Objective(ObjectiveRole),
    /// A variant of a named objective, such as another spike gradient: its colour, hollow mark.
    ObjectiveHollow(ObjectiveRole),
}

impl Default for Role {
    fn default() -> Self {
        Self::Series(0)
    }
}

/// What a network was fitted by, or what stands in its place. Each has a colour (distinct under
/// the common colour-vision deficiencies) and a mark of its own, on all pages and in all files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectiveRole {
    /// The recording itself: dark grey.
    Data,
    /// The likelihood of the recorded spikes alone.
    Mle,
    /// Statistics of free-running spikes alone.
    SampleOnly,
    /// Likelihood and PSTH.
    MlePsth,
    /// Likelihood and statistics, terms of the published form.
    Published,
    /// Likelihood and statistics, corrected terms.
    Corrected,
    /// A fit that is told what the others are not, such as all units.
    Oracle,
    /// The network that made the data: light grey.
    Truth,
}

impl Role {
    pub(crate) fn mark(self) -> Mark {
        let place = |objective| {
            let mut all = ObjectiveRole::ALL.iter();
            all.position(|other| *other == objective).unwrap_or(0)
        };
        match self {
            Self::Reference => Mark::reference(),
            Self::Series(index) => Mark::series(index),
            Self::Objective(objective) => Mark::objective(place(objective), false),
            Self::ObjectiveHollow(objective) => Mark::objective(place(objective), true),
        }
    }

    pub(crate) fn color(self) -> &'static str {
        self.mark().color
    }
}

impl ObjectiveRole {
    /// All of them, in the order of the colours.
    pub const ALL: [Self; 8] = [
        Self::Data,
        Self::Mle,
        Self::SampleOnly,
        Self::MlePsth,
        Self::Published,
        Self::Corrected,
        Self::Oracle,
        Self::Truth,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_has_the_colour_of_its_objective_and_a_mark_of_its_own() {
        for objective in ObjectiveRole::ALL {
            let (full, hollow) = (Role::Objective(objective), Role::ObjectiveHollow(objective));
            assert_eq!(full.color(), hollow.color());
            assert_ne!(full.mark(), hollow.mark());
            let others = ObjectiveRole::ALL.iter().filter(|o| **o != objective);
            for other in others {
                assert_ne!(Role::Objective(*other).color(), full.color());
            }
        }
    }
}
