//! Fits that figures share: a recording, an objective, a fitted model.

use anyhow::Result;
use refire_fit::{
    Corrected, Facts, Form, Model, Noise, Objective, ObjectiveKind, Specification, Statistics,
    Steps, Trainer,
};
use refire_neuron::SpikeGradient;
use refire_recording::Recording;
use refire_report::{ObjectiveRole, Role};
use serde::{Deserialize, Serialize};

/// What is fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Method {
    /// The likelihood alone, at its convex optimum, ridge by validation.
    Mle,
    /// Statistics alone.
    SampleOnly(Form),
    /// Likelihood and PSTH.
    MlePsth(Form),
    /// Likelihood, PSTH and noise covariance with the spike gradient that goes with the form: the triangle
    /// with the published one, the escape derivative with the corrected one.
    Full(Form),
    /// The same with the other spike gradient.
    FullOther(Form),
}

impl Method {
    /// All of them, in reading order.
    pub(crate) const ALL: [Self; 9] = [
        Self::Mle,
        Self::SampleOnly(Form::Published),
        Self::SampleOnly(Form::Corrected),
        Self::MlePsth(Form::Published),
        Self::MlePsth(Form::Corrected),
        Self::Full(Form::Published),
        Self::FullOther(Form::Published),
        Self::FullOther(Form::Corrected),
        Self::Full(Form::Corrected),
    ];

    /// As tables and legends name it.
    pub(crate) fn name(self) -> &'static str {
        use Form::{Corrected, Published};
        match self {
            Self::Mle => "MLE",
            Self::SampleOnly(Published) => "sample-and-measure only, published",
            Self::SampleOnly(Corrected) => "sample-and-measure only, corrected",
            Self::MlePsth(Published) => "MLE + PSTH, published",
            Self::MlePsth(Corrected) => "MLE + PSTH, corrected",
            Self::Full(Published) => "MLE + PSTH + noise cov., published",
            Self::FullOther(Published) => "published, with escape gradient",
            Self::FullOther(Corrected) => "corrected, with triangle gradient",
            Self::Full(Corrected) => "MLE + PSTH + noise cov., corrected",
        }
    }

    /// How it looks.
    pub(crate) fn role(self) -> Role {
        let role = match self {
            Self::Mle => ObjectiveRole::Mle,
            Self::SampleOnly(_) => ObjectiveRole::SampleOnly,
            Self::MlePsth(_) => ObjectiveRole::MlePsth,
            Self::Full(Form::Published) | Self::FullOther(Form::Published) => {
                ObjectiveRole::Published
            }
            Self::Full(Form::Corrected) | Self::FullOther(Form::Corrected) => {
                ObjectiveRole::Corrected
            }
        };
        match self {
            Self::FullOther(_) => Role::ObjectiveHollow(role),
            // Of two forms in one colour the published one is hollow.
            Self::SampleOnly(Form::Published) | Self::MlePsth(Form::Published) => {
                Role::ObjectiveHollow(role)
            }
            _ => Role::Objective(role),
        }
    }

    /// The specification of the fit, `base` but for what the method decides.
    pub(crate) fn spec(self, base: &Specification) -> Specification {
        let both = ObjectiveKind::MleAndSampleAndMeasure;
        let (objective, form, psth_alone, other) = match self {
            Self::Mle => (ObjectiveKind::Mle, Form::Corrected, false, false),
            Self::SampleOnly(form) => (ObjectiveKind::SampleAndMeasure, form, false, false),
            Self::MlePsth(form) => (both, form, true, false),
            Self::Full(form) => (both, form, false, false),
            Self::FullOther(form) => (both, form, false, true),
        };
        let mut spec = base.clone();
        spec.objective = Specification::with_form(Facts::default(), objective, form).objective;
        if let (Some(statistics), true) = (spec.objective.statistics_mut(), psth_alone) {
            statistics.set_weights([None, Some(0.0), None]);
        }
        if self == Self::Mle {
            return spec.with_default_optimiser();
        }
        if let (Some(adam), true) = (
            spec.optimiser.steps_mut(),
            (form == Form::Published) != other,
        ) {
            adam.spike_gradient = SpikeGradient::Triangle;
        }
        spec
    }
}

/// What fits of figures start from: the defaults, by Adam in so many iterations.
pub(crate) fn base(iterations: usize, seed: u64) -> Specification {
    let adam = Steps {
        iterations,
        ..Steps::default()
    };
    let both = ObjectiveKind::MleAndSampleAndMeasure;
    let mut spec = Specification::new(Facts::default(), both).with_adam(adam);
    spec.seed = seed;
    spec
}

/// Fits a recording to the end.
pub(crate) fn fit(recording: &Recording, spec: &Specification) -> Result<Model> {
    finish(Trainer::new(recording, spec)?)
}

/// Ends a fit that was begun.
pub(crate) fn finish(mut trainer: Trainer<'_>) -> Result<Model> {
    while !trainer.finished() {
        trainer.step()?;
    }
    Ok(trainer.model())
}

/// Lags of the noise covariance in fits with hidden units: paths over these take several bins.
pub(crate) const HIDDEN_NOISE_LAGS: usize = 5;

/// Heavy statistics: with hidden units drawn from the model, the likelihood charges for their noise and
/// pulls towards direct couplings.
pub(crate) fn heavy(likelihood: f64) -> Objective {
    Objective::MleAndSampleAndMeasure {
        likelihood,
        statistics: Statistics::Corrected(Corrected {
            psth: 30.0,
            noise: Noise {
                weight: Some(300.0),
                ..Corrected::default().noise
            },
            hidden_rate: 0.1,
        }),
    }
}
