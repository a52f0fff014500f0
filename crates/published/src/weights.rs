//! The published weights.

/// Weights of the published terms in the objective, and what else is given there as a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PublishedWeights {
    /// Weight of the likelihood beside statistics, per nat and (trial, bin, unit).
    pub likelihood: f64,
    /// Weight of the PSTH term, a cross-entropy in nats.
    pub psth: f64,
    /// Weight of the noise-covariance term: covariances in spikes per bin squared.
    pub noise_covariance: f64,
    /// Weight of the squared error of the mean rates of hidden units, spikes per bin.
    pub hidden_rate: f64,
    /// Target of that rate, spikes per bin.
    pub hidden_target: f64,
}

impl Default for PublishedWeights {
    /// Bellec, Wang et al. 2021.
    fn default() -> Self {
        Self {
            likelihood: 0.4,
            psth: 0.1,
            noise_covariance: 50.0,
            hidden_rate: 0.001,
            hidden_target: 0.17,
        }
    }
}
