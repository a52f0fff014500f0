//! What a run does.

/// How much work a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Seconds: the group that the ordinary tests run.
    Fast,
    /// Under three minutes on two cores.
    Quick,
    /// Under thirty minutes on two cores.
    Full,
}

/// What a run does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How much.
    pub size: Size,
    /// Seed of every random number; below 2^32.
    pub seed: u64,
}

impl Plan {
    /// The value for the size of this run.
    pub fn pick<X>(self, fast: X, quick: X, full: X) -> X {
        match self.size {
            Size::Fast => fast,
            Size::Quick => quick,
            Size::Full => full,
        }
    }
}
