//! Values of options that are names.

use super::super::failure::Failure;
use clap::ValueEnum;
use refire::fit::{
    CouplingKind, DriveKind, Form, HistoryStart, ObjectiveKind, OptimiserKind, Switch,
};
use refire::neuron::SpikeGradient;
use serde::{Deserialize, Serialize};

macro_rules! names {
    ($(#[$meta:meta])* $name:ident => $target:ty { $($variant:ident = $text:literal => $value:expr),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
        pub enum $name {
            $(#[value(name = $text)] #[serde(rename = $text)] $variant),+
        }
        impl From<$name> for $target {
            fn from(name: $name) -> Self {
                match name { $($name::$variant => $value),+ }
            }
        }
        impl $name {
            /// The name of a kind, where it has one.
            pub fn find(kind: $target) -> Option<Self> {
                [$($name::$variant),+].into_iter().find(|&name| <$target>::from(name) == kind)
            }
        }
    };
}

names!(
    /// Terms to fit.
    ObjectiveName => ObjectiveKind {
        Mle = "mle" => ObjectiveKind::Mle,
        Sm = "sm" => ObjectiveKind::SampleAndMeasure,
        MleSm = "mle+sm" => ObjectiveKind::MleAndSampleAndMeasure,
    }
);
names!(
    /// Couplings.
    CouplingName => CouplingKind {
        Dense = "dense" => CouplingKind::Dense,
        Sparse = "sparse" => CouplingKind::Sparse,
        LowRank = "low-rank" => CouplingKind::LowRank,
    }
);
names!(
    /// On or off.
    SwitchName => Switch {
        On = "on" => Switch::On,
        Off = "off" => Switch::Off,
    }
);
names!(
    /// What moves the parameters.
    OptimizerName => OptimiserKind {
        Natural = "natural" => OptimiserKind::Natural,
        Adam = "adam" => OptimiserKind::Adam,
        Lbfgs = "lbfgs" => OptimiserKind::Lbfgs,
    }
);
names!(
    /// Form of the terms.
    FormName => Form {
        Corrected = "corrected" => Form::Corrected,
        Published = "published" => Form::Published,
    }
);
names!(
    /// Spike gradient.
    SpikeGradientName => SpikeGradient {
        Escape = "escape" => SpikeGradient::Escape,
        Triangle = "triangle" => SpikeGradient::Triangle,
        None = "none" => SpikeGradient::None,
        ReinMax = "reinmax" => SpikeGradient::ReinMax,
        Score = "score" => SpikeGradient::Score,
    }
);
names!(
    /// Drive.
    DriveName => DriveKind {
        None = "none" => DriveKind::None,
        Condition = "condition" => DriveKind::Condition,
        Features = "features" => DriveKind::Features,
        Movie = "movie" => DriveKind::Movie,
    }
);
names!(
    /// History.
    HistoryName => HistoryStart {
        Recorded = "recorded" => HistoryStart::Recorded,
        Zero = "zero" => HistoryStart::Zero,
    }
);

/// A number or `auto`, as written: in TOML with or without quotes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum AutoText {
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
}

impl std::str::FromStr for AutoText {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::Text(text.to_string()))
    }
}

impl AutoText {
    /// A number, or `auto` for none.
    pub fn of(number: Option<f64>) -> Self {
        number.map_or_else(|| Self::Text("auto".to_string()), Self::Number)
    }

    /// The number; `None` for `auto`.
    pub fn value(&self, option: &str) -> Result<Option<f64>, Failure> {
        match self {
            Self::Number(number) => Ok(Some(*number)),
            Self::Text(text) if text == "auto" => Ok(None),
            Self::Text(text) => text.parse().map(Some).map_err(|_| {
                Failure::input(format!(
                    "--{option}: expected auto or a number, found {text}"
                ))
            }),
        }
    }
}
