//! Terms of the objective and their values.

use refire_kernels::Real;
use refire_loss::LossTerm;

/// A loss term with its weight in the objective.
pub struct WeightedTerm<T: Real> {
    /// What measures a pass and gives its adjoints.
    pub term: Box<dyn LossTerm<T>>,
    /// Factor on the term's value in the objective; the term is evaluated only where it is above 0.
    pub weight: f64,
}

impl<T: Real> WeightedTerm<T> {
    /// A term with its weight.
    pub fn new(term: impl LossTerm<T> + 'static, weight: f64) -> Self {
        Self {
            term: Box::new(term),
            weight,
        }
    }

    /// Whether the term is evaluated.
    pub fn is_in_use(&self) -> bool {
        self.weight > 0.0
    }
}

/// Value of the objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Losses {
    /// Unweighted value of each term, in the order of the terms.
    pub terms: Vec<f64>,
    /// Weighted sum, priors not included.
    pub total: f64,
}

impl Losses {
    pub(crate) fn zeros(terms: usize) -> Self {
        Self {
            terms: vec![0.0; terms],
            total: 0.0,
        }
    }
}
