//! What a fit leaves behind of its iterations.

use refire_engine::Losses;
use serde::{Deserialize, Serialize};

/// Losses over iterations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Names of the terms.
    pub terms: Vec<String>,
    /// Unweighted training values `[iteration][term]`.
    pub training: Vec<Vec<f64>>,
    /// Names of the terms that the validation trials can measure.
    pub validation_terms: Vec<String>,
    /// Iterations (counted from 1; 0 is the start, where that was judged) at which validation trials were judged.
    pub validated_at: Vec<usize>,
    /// Unweighted validation values `[judgement][validation term]`.
    pub validation: Vec<Vec<f64>>,
    /// Weighted sums of the validation values, `[judgement]`.
    pub validation_total: Vec<f64>,
}

impl History {
    /// Adds a judgement of the validation trials.
    pub(crate) fn judged(&mut self, iteration: usize, losses: Losses) {
        self.validated_at.push(iteration);
        self.validation.push(losses.terms);
        self.validation_total.push(losses.total);
    }

    /// Forgets all judgements.
    pub(crate) fn forget_judgements(&mut self) {
        self.validated_at.clear();
        self.validation.clear();
        self.validation_total.clear();
    }
    /// Whether every row has a value for each term, as long as it was not damaged in a file.
    pub(crate) fn is_consistent(&self) -> bool {
        let full =
            |rows: &[Vec<f64>], terms: &[String]| rows.iter().all(|r| r.len() == terms.len());
        full(&self.training, &self.terms)
            && full(&self.validation, &self.validation_terms)
            && self.validation.len() == self.validated_at.len()
            && self.validation.len() == self.validation_total.len()
    }
}

/// What one step did.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// Iterations done, this one included.
    pub iteration: usize,
    /// Training losses of this iteration.
    pub losses: Losses,
    /// Weighted validation loss, where it was judged.
    pub validation: Option<f64>,
    /// Iteration of the best parameters so far, counted from 1; 0 is the start.
    pub best_iteration: usize,
}
